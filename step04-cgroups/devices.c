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
#include "step02-unshare/rootfs.h"

#define ANY (-1)

struct rule {
    char type; /* 'c' or 'b' */
    int major, minor;
    int access; /* BPF_DEVCG_ACC_READ, _WRITE, _MKNOD */
};

enum { MKNOD = BPF_DEVCG_ACC_MKNOD };
enum { ALL = BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD };

/* What every container may have: any node made (tar unpacks some), few opened. */
static const struct rule usual[] = {
    {'c', ANY, ANY, MKNOD}, {'b', ANY, ANY, MKNOD}, {'c', 1, 3, ALL}, {'c', 1, 5, ALL},
    {'c', 1, 7, ALL},       {'c', 1, 8, ALL},       {'c', 1, 9, ALL}, {'c', 5, 0, ALL},
    {'c', 5, 2, ALL},       {'c', 136, ANY, ALL}, /* ptmx, and the terminals behind it */
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
    *rule = (struct rule){
        .type = S_ISBLK(status.st_mode) ? 'b' : 'c',
        .major = (int)major(status.st_rdev),
        .minor = (int)minor(status.st_rdev),
        .access = (strchr(letters, 'r') ? BPF_DEVCG_ACC_READ : 0) |
                  (strchr(letters, 'w') ? BPF_DEVCG_ACC_WRITE : 0) |
                  (strchr(letters, 'm') ? BPF_DEVCG_ACC_MKNOD : 0),
    };
    return 0;
}

/* --- v1: rules as text ------------------------------------------------------- */

static int write_rule(int dir, const struct rule *rule)
{
    cleanup_free char *first = rule->major == ANY ? format("*") : format("%d", rule->major);
    cleanup_free char *second = rule->minor == ANY ? format("*") : format("%d", rule->minor);
    cleanup_free char *line = format("%c %s:%s %s%s%s", rule->type, first, second,
                                     rule->access & BPF_DEVCG_ACC_READ ? "r" : "",
                                     rule->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
                                     rule->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
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

enum { TYPE = BPF_REG_2, ACCESS, MAJOR, MINOR, SCRATCH };
enum { RULE_LENGTH = 8, PREFIX_LENGTH = 6, SUFFIX_LENGTH = 2 };

static struct bpf_insn load(int reg, size_t field)
{
    return (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W,
                             .dst_reg = (uint8_t)reg & 15,
                             .src_reg = BPF_REG_1, /* points to struct bpf_cgroup_dev_ctx */
                             .off = (int16_t)field};
}

static struct bpf_insn with_number(int code, int reg, int number, int jump)
{
    return (struct bpf_insn){
        .code = (uint8_t)code, .dst_reg = (uint8_t)reg & 15, .imm = number, .off = (int16_t)jump};
}

static struct bpf_insn copy(int to, int from)
{
    return (struct bpf_insn){.code = BPF_ALU | BPF_MOV | BPF_X,
                             .dst_reg = (uint8_t)to & 15,
                             .src_reg = (uint8_t)from & 15};
}

static struct bpf_insn leave(void)
{
    return (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
}

/* "If type, numbers and access fit: return 1", else fall out at the end.  A jump
 * counts from the instruction after it. */
static void compile_rule(struct bpf_insn *out, const struct rule *rule)
{
    int type = rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
    int any_major = rule->major == ANY, any_minor = rule->minor == ANY;
    out[0] = with_number(BPF_JMP | BPF_JNE | BPF_K, TYPE, type, 7);
    out[1] = any_major ? copy(MAJOR, MAJOR)
                       : with_number(BPF_JMP | BPF_JNE | BPF_K, MAJOR, rule->major, 6);
    out[2] = any_minor ? copy(MINOR, MINOR)
                       : with_number(BPF_JMP | BPF_JNE | BPF_K, MINOR, rule->minor, 5);
    out[3] = copy(SCRATCH, ACCESS); /* asked for, without what is allowed: nothing left? */
    out[4] = with_number(BPF_ALU | BPF_AND | BPF_K, SCRATCH, ~rule->access & ALL, 0);
    out[5] = with_number(BPF_JMP | BPF_JNE | BPF_K, SCRATCH, 0, 2);
    out[6] = with_number(BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 1, 0);
    out[7] = leave();
}

static void compile(struct bpf_insn *out, const struct rule *rules, int count)
{
    /* access_type holds the type in its lower half, the access in its upper. */
    out[0] = load(TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
    out[1] = load(ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
    out[2] = with_number(BPF_ALU | BPF_AND | BPF_K, TYPE, 0xffff, 0);
    out[3] = with_number(BPF_ALU | BPF_RSH | BPF_K, ACCESS, 16, 0);
    out[4] = load(MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
    out[5] = load(MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
    for (int i = 0; i < count; i++)
        compile_rule(out + PREFIX_LENGTH + i * RULE_LENGTH, &rules[i]);
    out[PREFIX_LENGTH + count * RULE_LENGTH] =
        with_number(BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0);
    out[PREFIX_LENGTH + count * RULE_LENGTH + 1] = leave();
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
            rootfs_mount(path, path, NULL, MS_BIND, NULL) < 0)
            return -1;
    }
    return 0;
}
