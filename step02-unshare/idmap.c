#include "step02-unshare/idmap.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/process.h"

struct range {
    unsigned start, count;
};

/* A line of /etc/subuid or /etc/subgid is "user:100000:65536", the user by name or
 * number; see subuid(5).  1 if there is one for the caller. */
static int find_range(const char *path, struct range *range)
{
    cleanup_free char *text = file_read(AT_FDCWD, path);
    struct passwd *user = getpwuid(geteuid());
    char owner[64], *next = NULL;
    unsigned number;

    for (char *line = text ? strtok_r(text, "\n", &next) : NULL; line;
         line = strtok_r(NULL, "\n", &next))
        if (sscanf(line, "%63[^:]:%u:%u", owner, &range->start, &range->count) == 3 &&
            ((user && strcmp(owner, user->pw_name) == 0) ||
             (sscanf(owner, "%u", &number) == 1 && number == geteuid())))
            return 1;
    return 0;
}

/* newuidmap(1) is setuid root, and writes maps that stay within /etc/subuid, as
 * lines "inside outside count": here 0 is ourselves, and 1 up the range. */
static int map_range(char *tool, pid_t child, unsigned self, const struct range *range)
{
    cleanup_free char *pid = format("%d", child);
    cleanup_free char *us = format("%u", self);
    cleanup_free char *start = format("%u", range->start);
    cleanup_free char *count = format("%u", range->count);
    return process_run((char *[]){tool, pid, "0", us, "1", "1", start, count, NULL});
}

/* What the kernel lets everybody write is one line with the writer's own id.  For
 * the group it wants setgroups(2) denied first, or a process could drop a group
 * that a file's mode shuts out (CVE-2014-8989). */
static int map_ourselves(pid_t child)
{
    cleanup_free char *path = format("/proc/%d", child);
    cleanup_fd int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cleanup_free char *uid = format("0 %u 1", geteuid());
    cleanup_free char *gid = format("0 %u 1", getegid());
    if (proc < 0)
        return fail("open %s", path);
    if (file_write(proc, "uid_map", uid) < 0 || file_write(proc, "setgroups", "deny") < 0)
        return -1;
    return file_write(proc, "gid_map", gid);
}

int idmap_write(pid_t child)
{
    struct range uids, gids;
    if (!find_range("/etc/subuid", &uids) || !find_range("/etc/subgid", &gids))
        return map_ourselves(child);
    if (map_range("newuidmap", child, geteuid(), &uids) == 0)
        return map_range("newgidmap", child, getegid(), &gids);
    warn("%s: so root will be the only user inside", error_message());
    return map_ourselves(child);
}

int idmap_become_root(void)
{
    if (setgroups(0, NULL) < 0 && errno != EPERM) /* EPERM: setgroups is denied */
        return fail("drop supplementary groups");
    if (setgid(0) < 0 || setuid(0) < 0)
        return fail("become root in the user namespace");
    return 0;
}
