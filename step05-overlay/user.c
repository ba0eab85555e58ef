#include "step05-overlay/user.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/options.h"

/* The files are read as files.  getpwnam(3) would load whatever the C library's
 * nsswitch.conf names, now the container's: its code, running with our rights
 * (so docker cp became root on hosts, CVE-2019-14271). */

/* TEXT as a user or group ID, or -1: to the kernel that means "no change". */
static long long as_id(const char *text)
{
    long long id;
    return parse_number("id", text, 0, (long long)UINT_MAX - 1, &id) == 0 ? id : -1;
}

/* The line of /etc/passwd for a name or an ID; an ID needn't have one. */
static const struct passwd *find_user(const char *text)
{
    static struct passwd unlisted = {.pw_name = "", .pw_dir = "/"};
    struct passwd *line;
    long long id = as_id(text);
    cleanup_file FILE *file = fopen("/etc/passwd", "re");

    while (file && (line = fgetpwent(file)))
        if (strcmp(line->pw_name, text) == 0 || line->pw_uid == id)
            return line;
    if (id < 0) {
        refuse("user \"%s\": neither in the container's /etc/passwd nor a user ID", text);
        return NULL;
    }
    unlisted.pw_uid = (uid_t)id;
    return &unlisted;
}

static int find_group(const char *text, gid_t *gid)
{
    struct group *line;
    long long id = as_id(text);
    cleanup_file FILE *file = fopen("/etc/group", "re");

    while (file && (line = fgetgrent(file)))
        if (strcmp(line->gr_name, text) == 0)
            id = line->gr_gid;
    if (id < 0)
        return refuse("group \"%s\": neither in the container's /etc/group nor a group ID", text);
    *gid = (gid_t)id;
    return 0;
}

/* The groups that list the user NAME as their member; returns how many. */
static size_t find_memberships(const char *name, gid_t groups[NGROUPS_MAX])
{
    struct group *line;
    size_t count = 0;
    cleanup_file FILE *file = fopen("/etc/group", "re");

    while (file && (line = fgetgrent(file)))
        for (char **member = line->gr_mem; *member; member++)
            if (strcmp(*member, name) == 0 && count < NGROUPS_MAX)
                groups[count++] = line->gr_gid;
    return count;
}

/* The user last: after setuid(2) we no longer may do the rest. */
static int become(uid_t uid, gid_t gid, const gid_t groups[], size_t count)
{
    static const char hint[] = "is that ID mapped in this user namespace?";
    /* Where an ordinary user mapped himself to root, setgroups(2) is forbidden: he
     * might drop a group that denies him something.  See user_namespaces(7). */
    if (setgroups(count, groups) < 0 && !(errno == EPERM && uid == 0 && gid == 0))
        return fail("set the supplementary groups");
    if (setgid(gid) < 0)
        return fail_hint(hint, "become the group %u", gid);
    if (setuid(uid) < 0)
        return fail_hint(hint, "become the user %u", uid);
    return 0;
}

int user_become(const char *spec)
{
    static gid_t groups[NGROUPS_MAX];
    size_t count = 0;
    const char *colon = strchr(spec, ':'), *group = colon ? colon + 1 : "";
    cleanup_free char *name = format("%.*s", (int)strcspn(spec, ":"), spec);
    const struct passwd *user = find_user(*name ? name : "0");
    if (!user)
        return -1;

    gid_t gid = user->pw_gid;
    if (!*group)
        count = find_memberships(user->pw_name, groups);
    else if (find_group(group, &gid) < 0)
        return -1;
    if (setenv("HOME", user->pw_dir, 0) < 0)
        return fail("set HOME");
    return become(user->pw_uid, gid, groups, count);
}
