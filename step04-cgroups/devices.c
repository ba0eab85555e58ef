#include "step04-cgroups/devices.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "step03-pidns/mounts.h"

enum { ANY = -1 };

struct rule {
    char type; /* 'c' or 'b' */
    int major, minor;
    const char *access; /* r, w, m for mknod */
};

/* What every container may have: any node made (tar unpacks some), few opened. */
static const struct rule usual[] = {
    {'c', ANY, ANY, "m"}, {'b', ANY, ANY, "m"},   {'c', 1, 3, "rwm"}, {'c', 1, 5, "rwm"},
    {'c', 1, 7, "rwm"},   {'c', 1, 8, "rwm"},     {'c', 1, 9, "rwm"}, {'c', 5, 0, "rwm"},
    {'c', 5, 2, "rwm"},   {'c', 136, ANY, "rwm"}, /* ptmx, and the terminals behind it */
};
enum { USUAL = sizeof(usual) / sizeof(usual[0]) };

int devices_option(struct devices *devices, int option, char *value)
{
    if (option == OPTION_DEVICE)
        strings_add(&devices->paths, value);
    return 0;
}

/* "/dev/fuse:rw" -> its path and its rule. */
static int parse_device(const char *text, char **path, struct rule *rule)
{
    const char *colon = strrchr(text, ':'), *letters = colon ? colon + 1 : "rwm";
    struct stat status;
    *path = colon ? format("%.*s", (int)(colon - text), text) : format("%s", text);
    if (!*letters || strspn(letters, "rwm") != strlen(letters))
        return refuse("--device %s: \"%s\" is not made of r, w and m", text, letters);
    if (stat(*path, &status) < 0)
        return fail("--device %s", *path);
    if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))
        return refuse("--device %s: not a device", *path);
    *rule = (struct rule){S_ISBLK(status.st_mode) ? 'b' : 'c', (int)major(status.st_rdev),
                          (int)minor(status.st_rdev), letters};
    return 0;
}

/* --- v1: rules as text ------------------------------------------------------- */

static int write_rule(int dir, const struct rule *rule)
{
    cleanup_free char *major_text = rule->major == ANY ? format("*") : format("%d", rule->major);
    cleanup_free char *minor_text = rule->minor == ANY ? format("*") : format("%d", rule->minor);
    cleanup_free char *line =
        format("%c %s:%s %s", rule->type, major_text, minor_text, rule->access);
    return file_write(dir, "devices.allow", line);
}

static int apply_text(int dir, const struct rule *rules, int count)
{
    if (file_write(dir, "devices.deny", "a") < 0) /* all: what follows are the exceptions */
        return -1;
    for (int i = 0; i < count; i++)
        if (write_rule(dir, &rules[i]) < 0)
            return -1;
    return 0;
}

/* --- v2: rules as a program -------------------------------------------------- */

enum { CONTEXT = BPF_REG_1, TYPE, ACCESS, MAJOR, MINOR, SCRATCH }; /* registers */
enum { PREFIX_LENGTH = 6, RULE_LENGTH = 8, SUFFIX_LENGTH = 2 };    /* instructions */

#define INSTRUCTION(operation, to, from, offset, number) \
    ((struct bpf_insn){.code = (operation),              \
                       .dst_reg = (to),                  \
                       .src_reg = (from),                \
                       .off = (offset),                  \
                       .imm = (number)})
#define LOAD(to, field)                                 \
    INSTRUCTION(BPF_LDX | BPF_MEM | BPF_W, to, CONTEXT, \
                offsetof(struct bpf_cgroup_dev_ctx, field), 0)
#define COMPUTE(operation, to, number) INSTRUCTION(BPF_ALU | (operation) | BPF_K, to, 0, 0, number)
#define SKIP_IF_NOT(reg, number, count) \
    INSTRUCTION(BPF_JMP | BPF_JNE | BPF_K, reg, 0, count, number)
#define RETURN() INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int access_bits(const char *letters)
{
    return (strchr(letters, 'r') ? BPF_DEVCG_ACC_READ : 0) |
           (strchr(letters, 'w') ? BPF_DEVCG_ACC_WRITE : 0) |
           (strchr(letters, 'm') ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* "If type, numbers and access fit: return 1", else go on behind it.  A skip of no
 * instructions is no condition at all. */
static void compile_rule(struct bpf_insn *out, const struct rule *rule)
{
    int type = rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
    out[0] = SKIP_IF_NOT(TYPE, type, 7);
    out[1] = SKIP_IF_NOT(MAJOR, rule->major, rule->major == ANY ? 0 : 6);
    out[2] = SKIP_IF_NOT(MINOR, rule->minor, rule->minor == ANY ? 0 : 5);
    out[3] = INSTRUCTION(BPF_ALU | BPF_MOV | BPF_X, SCRATCH, ACCESS, 0, 0);
    out[4] = COMPUTE(BPF_AND, SCRATCH, ~access_bits(rule->access)); /* asked for, not allowed */
    out[5] = SKIP_IF_NOT(SCRATCH, 0, 2);
    out[6] = COMPUTE(BPF_MOV, BPF_REG_0, 1);
    out[7] = RETURN();
}

static void compile(struct bpf_insn *out, const struct rule *rules, int count)
{
    /* access_type holds the type in its lower half, the access in its upper. */
    *out++ = LOAD(TYPE, access_type);
    *out++ = LOAD(ACCESS, access_type);
    *out++ = COMPUTE(BPF_AND, TYPE, 0xffff);
    *out++ = COMPUTE(BPF_RSH, ACCESS, 16);
    *out++ = LOAD(MAJOR, major);
    *out++ = LOAD(MINOR, minor);
    for (int i = 0; i < count; i++, out += RULE_LENGTH)
        compile_rule(out, &rules[i]);
    *out++ = COMPUTE(BPF_MOV, BPF_REG_0, 0);
    *out++ = RETURN();
}

static int apply_program(int dir, const struct rule *rules, int count)
{
    int length = PREFIX_LENGTH + count * RULE_LENGTH + SUFFIX_LENGTH;
    cleanup_free struct bpf_insn *program = allocate((size_t)length, sizeof(*program));
    compile(program, rules, count);
    union bpf_attr attributes = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
                                 .insns = (uintptr_t)program,
                                 .insn_cnt = (uint32_t)length,
                                 .license = (uintptr_t) "GPL"};
    cleanup_fd int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
    if (fd < 0)
        return fail("load the BPF program for the device rules");
    /* It is gone with the group.  MULTI: a program further up has its say too. */
    attributes = (union bpf_attr){.target_fd = (uint32_t)dir,
                                  .attach_bpf_fd = (uint32_t)fd,
                                  .attach_type = BPF_CGROUP_DEVICE,
                                  .attach_flags = BPF_F_ALLOW_MULTI};
    if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attributes, sizeof(attributes)) < 0)
        return fail("attach the BPF program for the device rules");
    return 0;
}

/* --- both --------------------------------------------------------------------- */

int devices_apply(const struct devices *devices, const struct cgroup *cgroup)
{
    int count = USUAL + (int)devices->paths.count;
    cleanup_free struct rule *rules = allocate((size_t)count, sizeof(*rules));

    if (geteuid() != 0)
        return devices->paths.count ? refuse("--device: needs root") : 0;
    memcpy(rules, usual, sizeof(usual));
    for (size_t i = 0; i < devices->paths.count; i++) {
        cleanup_free char *path = NULL;
        if (parse_device(devices->paths.items[i], &path, &rules[USUAL + i]) < 0)
            return -1;
    }
    const struct group *v1 = cgroup_group(cgroup, "devices"); /* not a controller on v2 */
    int v2 = cgroup_clone_fd(cgroup);
    if (v1)
        return apply_text(v1->dir, rules, count);
    if (v2)
        return apply_program(v2, rules, count);
    warn("devices are not shut: %s", error_message());
    return 0;
}

int devices_bind(const struct devices *devices)
{
    for (size_t i = 0; i < devices->paths.count; i++) {
        cleanup_free char *path = NULL;
        struct rule rule;
        if (parse_device(devices->paths.items[i], &path, &rule) < 0 ||
            mounts_add(path, path, NULL, MS_BIND, NULL) < 0)
            return -1;
    }
    return 0;
}
