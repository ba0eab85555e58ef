#include "step02-unshare/namespaces.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "step02-unshare/idmap.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* In the order in which the table prints them. */
static const struct {
    const char *name; /* below /proc/PID/ns */
    int option, flag;
} kinds[] = {
    {"mnt", OPTION_MOUNT, CLONE_NEWNS},
    {"uts", OPTION_UTS, CLONE_NEWUTS},
    {"ipc", OPTION_IPC, CLONE_NEWIPC},
    {"net", OPTION_NET, CLONE_NEWNET},
    {"cgroup", OPTION_CGROUPNS, CLONE_NEWCGROUP},
    {"time", OPTION_TIME, CLONE_NEWTIME},
    {"user", OPTION_USER, CLONE_NEWUSER},
    {"pid", 0, 0},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* Two namespaces that are made last, by the child itself.  A cgroup namespace has
 * as its root the cgroup that its maker is in, so the child has to be in its own
 * by then.  A time namespace takes its offsets only before a process enters it. */
#define SETTLED_LATE (CLONE_NEWCGROUP | CLONE_NEWTIME)

int namespaces_option(struct namespaces *ns, int option, char *value)
{
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].option == option)
            ns->flags |= kinds[i].flag;
    ns->map_user |= option == OPTION_MAP_USER;
    ns->verbose |= option == OPTION_VERBOSE;
    if (option == OPTION_TIME && value)
        return parse_number("--time", value, INT_MIN, INT_MAX, &ns->clock_offset);
    if (option != OPTION_HOSTNAME)
        return 0;
    ns->hostname = value;
    return strlen(value) <= 64 ? 0 : refuse("--hostname: longer than 64 bytes");
}

/* A file in /proc/PID/ns stands for a namespace: same inode, same namespace. */
static void read_inodes(unsigned long inodes[KINDS])
{
    for (int i = 0; i < KINDS; i++) {
        cleanup_free char *path = format("/proc/self/ns/%s", kinds[i].name);
        struct stat status;
        inodes[i] = stat(path, &status) < 0 ? 0 : (unsigned long)status.st_ino;
    }
}

void namespaces_choose(struct namespaces *ns)
{
    read_inodes(ns->before);
    int none_named = !(ns->flags & ~CLONE_NEWUSER);
    for (int i = 0; i < KINDS && none_named; i++)
        ns->flags |= kinds[i].flag & ~CLONE_NEWUSER;
    ns->flags |= CLONE_NEWNS; /* or pivot_root would move the host's own root */
    ns->flags |= ns->hostname ? CLONE_NEWUTS : 0;
    ns->flags |= ns->map_user ? CLONE_NEWUSER : 0;
}

unsigned long long namespaces_clone_flags(const struct namespaces *ns)
{
    return (unsigned long long)(ns->flags & ~SETTLED_LATE);
}

static const char *reason(const struct namespaces *ns, int error)
{
    cleanup_free char *restricted =
        file_read(AT_FDCWD, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
    if (error == ENOSPC || error == EUSERS)
        return "too many namespaces: see /proc/sys/user/max_*_namespaces";
    if (error == EINVAL || error == ENOSYS)
        return "this kernel lacks one of these namespaces, or clone3, which came with Linux 5.3";
    if (error == EPERM && !(ns->flags & CLONE_NEWUSER))
        return "only root may; an ordinary user adds --map-user";
    if (restricted && *restricted == '1' && (error == EPERM || error == EACCES))
        return "AppArmor restricts user namespaces: sysctl "
               "kernel.apparmor_restrict_unprivileged_userns=0, or a profile that allows userns";
    if (error != EPERM)
        return NULL;
    return "user namespaces are switched off (sysctl kernel.unprivileged_userns_clone), or "
           "this is a chroot, where the kernel refuses them";
}

int namespaces_fail(const struct namespaces *ns, const char *call)
{
    int error = errno;
    return error_set(error, reason(ns, error), "%s", call);
}

int namespaces_unshare(const struct namespaces *ns)
{
    if (unshare((int)namespaces_clone_flags(ns)) < 0)
        return namespaces_fail(ns, "unshare");
    return 0;
}

/* Enter a new time namespace: unshare(2) makes one for children only; its offsets
 * are written before anybody is in it; then we follow.  See time_namespaces(7). */
static int enter_time_namespace(long long offset)
{
    cleanup_free char *offsets = format("monotonic %lld 0\nboottime %lld 0\n", offset, offset);
    if (unshare(CLONE_NEWTIME) < 0)
        return fail("unshare the time namespace");
    if (offset && file_write(AT_FDCWD, "/proc/self/timens_offsets", offsets) < 0)
        return fail("--time: move the clocks by %lld seconds", offset);
    cleanup_fd int fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0)
        return fail("enter the time namespace");
    return 0;
}

static void print_table(const struct namespaces *ns)
{
    unsigned long inside[KINDS];
    read_inodes(inside);
    fprintf(stderr, "%-9s %-12s %s\n", "namespace", "before", "inside");
    for (int i = 0; i < KINDS; i++)
        fprintf(stderr, "%-9s %-12lu %lu%s\n", kinds[i].name, ns->before[i], inside[i],
                inside[i] == ns->before[i] ? "" : "  new");
}

int namespaces_settle(const struct namespaces *ns)
{
    if ((ns->flags & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
        return fail("unshare the cgroup namespace");
    if ((ns->flags & CLONE_NEWTIME) && enter_time_namespace(ns->clock_offset) < 0)
        return -1;
    if (ns->hostname && sethostname(ns->hostname, strlen(ns->hostname)) < 0)
        return fail("set the hostname \"%s\"", ns->hostname);
    if (ns->map_user && idmap_become_root() < 0)
        return -1;
    if (ns->verbose)
        print_table(ns);
    return 0;
}
