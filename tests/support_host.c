/* support_host.c - what the host can do, what its state is, and a root file system. */
#include "tests/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the ordinary user ----------------------------------------------------------------- */

uid_t user_id(void)
{
    const char *chosen = getenv("TEST_UID");
    return geteuid() != 0 ? geteuid() : chosen ? (uid_t)atoi(chosen) : 65534;
}

const char *user_home(void)
{
    const char *home = text("%s/home", suite_dir());
    mkdir(home, 0755);
    if (geteuid() == 0 && chown(home, user_id(), user_id()) < 0)
        ck_abort_msg("chown %s: %m", home);
    return home;
}

void become_user(void)
{
    const char *home = user_home();
    uid_t id = user_id();
    if (geteuid() == 0 &&
        (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0))
        _exit(125);
    prctl(PR_SET_DUMPABLE, 1); /* or /proc/self would still be root's */
    setenv("HOME", home, 1);
    if (chdir(home) < 0)
        _exit(125);
}

static int give(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return lchown(path, user_id(), user_id());
}

void give_to_user(const char *path)
{
    if (geteuid() == 0)
        ck_assert_msg(nftw(path, give, 16, FTW_PHYS | FTW_MOUNT) == 0, "chown %s: %m", path);
}

/* ---- what the host can do --------------------------------------------------------------- */

/* The answer of PROBE in a child, where it may change what it likes. */
static bool ask(bool as_user, bool (*probe)(void))
{
    int wait_status;
    pid_t pid = fork();
    if (pid == 0) {
        if (as_user)
            become_user();
        _exit(probe() ? 0 : 1);
    }
    return waitpid(pid, &wait_status, 0) == pid && wait_status == 0;
}

static bool can_unshare_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0;
}

bool have_root(void)
{
    return geteuid() == 0 && ask(false, can_unshare_mounts);
}

/* Ubuntu's AppArmor lets an ordinary user make the namespace, but do nothing in it. */
static bool can_use_userns(void)
{
    return unshare(CLONE_NEWUSER | CLONE_NEWUTS) == 0 && sethostname("x", 1) == 0;
}

bool have_userns(void)
{
    return ask(true, can_use_userns);
}

bool have_subids(void)
{
    struct passwd *user = getpwuid(user_id());
    const char *subuid = text("\n%s", read_file("/etc/subuid"));
    return have_userns() && have_tool("newuidmap") && have_tool("newgidmap") &&
           ((user && contains(subuid, text("\n%s:", user->pw_name))) ||
            contains(subuid, text("\n%u:", user_id())));
}

static bool can_overlay(const char *parent)
{
    char *dir = text("%s/overlay-XXXXXX", parent);
    const char *names[] = {"lower", "upper", "work", "merged"};
    bool made = mkdtemp(dir) != NULL;
    for (size_t i = 0; i < 4; i++)
        made = made && mkdir(text("%s/%s", dir, names[i]), 0755) == 0;
    const char *options =
        text("lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", dir, dir, dir);
    const char *merged = text("%s/merged", dir);
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL); /* fails in a chroot: then unmount by hand */
    bool mounted = made && mount("overlay", merged, "overlay", 0, options) == 0;
    if (mounted)
        umount2(merged, MNT_DETACH);
    return mounted;
}

static bool can_root_overlay(void)
{
    return unshare(CLONE_NEWNS) == 0 && can_overlay(suite_dir());
}

static bool put(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, content, strlen(content)) > 0 && close(fd) == 0;
}

static bool can_user_overlay(void)
{
    const char *home = user_home();
    const char *uid = text("0 %u 1", geteuid()), *gid = text("0 %u 1", getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && put("/proc/self/uid_map", uid) &&
           put("/proc/self/setgroups", "deny") && put("/proc/self/gid_map", gid) &&
           can_overlay(home);
}

bool have_overlay(void)
{
    return geteuid() == 0 && ask(false, can_root_overlay);
}

bool have_user_overlay(void)
{
    return have_userns() && ask(true, can_user_overlay);
}

bool have_tool(const char *name)
{
    char *path = text("%s", getenv("PATH")), *rest;
    for (char *dir = strtok_r(path, ":", &rest); dir; dir = strtok_r(NULL, ":", &rest))
        if (access(text("%s/%s", dir, name), X_OK) == 0)
            return true;
    return false;
}

static bool can_unshare_user(void)
{
    return unshare(CLONE_NEWUSER) == 0 || errno != EPERM;
}

/* The root directory of a chroot is no mount, or not that of the mount namespace.
 * In the second case only the kernel's refusal tells. */
bool in_chroot(void)
{
    char *line, *rest, *info = read_file("/proc/self/mountinfo"), dir[256];
    bool mounted = false;
    for (line = strtok_r(info, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        mounted |= sscanf(line, "%*s %*s %*s %*s %255s", dir) == 1 && strcmp(dir, "/") == 0;
    return !mounted || (geteuid() == 0 && !ask(false, can_unshare_user));
}

/* ---- cgroups ------------------------------------------------------------------------------- */

struct cgroup_mount {
    char dir[256];
    char options[256]; /* v1: the controllers are among them */
    bool v2;
};

/* The mounts of cgroup file systems, from mountinfo: ... DIR ... - TYPE SOURCE OPTIONS */
static size_t cgroup_mounts(struct cgroup_mount *mounts, size_t max)
{
    size_t count = 0;
    char *line, *rest, *info = read_file("/proc/self/mountinfo");
    for (line = strtok_r(info, "\n", &rest); line && count < max;
         line = strtok_r(NULL, "\n", &rest)) {
        struct cgroup_mount *m = &mounts[count];
        char type[32] = "", *tail = strstr(line, " - ");
        sscanf(line, "%*s %*s %*s %*s %255s", m->dir);
        if (!tail || sscanf(tail, " - %31s %*s %255s", type, m->options) != 2)
            continue;
        m->v2 = strcmp(type, "cgroup2") == 0;
        if (m->v2 || strcmp(type, "cgroup") == 0)
            count++;
    }
    free(info);
    return count;
}

enum cgroup_mode cgroup_mode(void)
{
    struct cgroup_mount mounts[32];
    bool v1 = false, v2 = false;
    for (size_t i = cgroup_mounts(mounts, 32); i-- > 0;)
        *(mounts[i].v2 ? &v2 : &v1) = true;
    return v1 && v2 ? CGROUP_HYBRID : v1 ? CGROUP_V1 : v2 ? CGROUP_V2 : CGROUP_NONE;
}

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += length)
        if ((at == list || strchr(", \n", at[-1])) && strchr(", \n", at[length]))
            return true;
    return false;
}

bool have_controller(const char *name)
{
    struct cgroup_mount mounts[32];
    for (size_t i = cgroup_mounts(mounts, 32); i-- > 0;) {
        const char *list = mounts[i].v2 ? read_file(text("%s/cgroup.controllers", mounts[i].dir))
                                        : mounts[i].options;
        if (has_word(list, name) && access(mounts[i].dir, W_OK) == 0)
            return true;
    }
    return false;
}

/* ---- the state of the host ------------------------------------------------------------------- */

int mount_count(void)
{
    int count = 0;
    for (char *at = read_file("/proc/self/mountinfo"); (at = strchr(at, '\n')); at++)
        count++;
    return count;
}

static FILE *state; /* nftw(3) hands no argument to its function */

/* A container's cgroup is named nine-PID-...: no matter for us while that process
 * lives, it is somebody else's then. */
static int note_cgroup(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    int pid;
    (void)st;
    if (type == FTW_D && sscanf(path + ftw->base, "nine-%d-", &pid) == 1 && kill(pid, 0) < 0)
        fprintf(state, "cgroup %s\n", path);
    return 0;
}

/* The names in a directory that start with PREFIX and not with EXCEPT. */
static void note_interfaces(void)
{
    struct dirent *entry;
    DIR *stream = opendir("/sys/class/net");
    while (stream && (entry = readdir(stream)))
        if (entry->d_name[0] != '.')
            fprintf(state, "interface %s\n", entry->d_name);
    if (stream)
        closedir(stream);
}

char *host_state(void)
{
    char *result, *line, *rest, *info = read_file("/proc/self/mountinfo");
    size_t size;
    struct cgroup_mount mounts[32];
    state = open_memstream(&result, &size);
    for (line = strtok_r(info, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        fprintf(state, "mount %s\n", line);
    free(info);
    for (size_t i = cgroup_mounts(mounts, 32); i-- > 0;)
        nftw(mounts[i].dir, note_cgroup, 16, FTW_PHYS | FTW_MOUNT);
    note_interfaces();
    fclose(state);
    return result;
}

/* The lines of A that B lacks and that start with PREFIX. */
static char *difference(const char *a, const char *b, const char *prefix)
{
    char *result, *line, *rest, *copy = text("%s", a);
    size_t size;
    FILE *memory = open_memstream(&result, &size);
    const char *others = text("\n%s", b);
    for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, prefix, strlen(prefix)) == 0 && !contains(others, text("\n%s\n", line)))
            fprintf(memory, "%s\n", line);
    fclose(memory);
    return result;
}

/* What is there and wasn't before, and mounts that are there no more. */
static char *changes(const char *before)
{
    char *now = host_state();
    char *gone = difference(before, now, "mount"), *left = difference(now, before, "");
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ; /* orphans that came to us and ended */
    pid_t child = child_of(getpid());
    const char *name = child ? read_file(text("/proc/%d/comm", child)) : "";
    return text("%s%s%s%s%s", left, *gone ? "gone: " : "", gone, child ? "process " : "", name);
}

void ck_nothing_left(const char *before)
{
    char *left = NULL;
    ck_assert_msg(await(!*(left = changes(before))), "left behind:\n%.2000s", left);
}

/* ---- a root file system ------------------------------------------------------------------------
 */

static void link_applets(const char *root)
{
    struct result list = run("busybox", "--list");
    char *name, *rest;
    ck_status(list, 0);
    for (name = strtok_r(list.out, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest))
        if (symlink("busybox", text("%s/bin/%s", root, name)) < 0 && errno != EEXIST)
            ck_abort_msg("link %s: %m", name);
}

const char *make_root(void)
{
    const char *root = scratch_dir();
    const char *dirs[] = {"bin",  "dev", "etc", "home", "mnt", "proc",
                          "root", "run", "sys", "tmp",  "usr", "var"};
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
        ck_assert_int_eq(mkdir(text("%s/%s", root, dirs[i]), 0755), 0);
    ck_assert_int_eq(chmod(text("%s/tmp", root), 01777), 0);
    ck_assert_int_eq(symlink("bin", text("%s/sbin", root)), 0);
    ck_assert_int_eq(symlink("../bin", text("%s/usr/bin", root)), 0);
    write_file(text("%s/etc/passwd", root),
               "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/sh\n");
    write_file(text("%s/etc/group", root), "root:x:0:\nnogroup:x:65534:\n");
    if (mknod(text("%s/dev/null", root), S_IFCHR | 0666, makedev(1, 3)) == 0)
        chmod(text("%s/dev/null", root), 0666);
    ck_status(run("sh", "-c", "cp \"$(command -v busybox)\" \"$0/bin/busybox\"", root), 0);
    link_applets(root);
    return root;
}

const char *make_root_for(bool as_user)
{
    const char *root = make_root();
    if (as_user)
        give_to_user(root);
    return root;
}
