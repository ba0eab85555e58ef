/* namespaces.h - a process's own view of what the kernel otherwise shares.
 *
 * See namespaces(7).  A namespace lives as long as a process is in it, or a
 * descriptor or mount keeps it: there is nothing to clean up afterwards. */
#ifndef STEP02_NAMESPACES_H
#define STEP02_NAMESPACES_H

#include <sys/types.h>

#include "common/options.h"

struct namespaces {
    int flags;               /* CLONE_NEW*: what to separate */
    const char *hostname;    /* for the UTS namespace, or NULL */
    long long clock_offset;  /* for the time namespace: seconds, may be negative */
    int map_user;            /* give the user namespace its id maps */
    int verbose;             /* print the table of namespaces ... */
    unsigned long before[8]; /* ... beside the inodes of the host's */
};

enum { OPTION_UTS = OPTIONS_NAMESPACES, OPTION_MOUNT, OPTION_IPC, OPTION_NET, OPTION_USER };
enum { OPTION_CGROUPNS = OPTION_USER + 1, OPTION_TIME, OPTION_HOSTNAME, OPTION_MAP_USER };
enum { OPTION_VERBOSE = OPTION_MAP_USER + 1 };

#define NAMESPACES_OPTIONS                                                              \
    {"uts", no_argument, NULL, OPTION_UTS}, {"mount", no_argument, NULL, OPTION_MOUNT}, \
        {"ipc", no_argument, NULL, OPTION_IPC}, {"net", no_argument, NULL, OPTION_NET}, \
        {"user", no_argument, NULL, OPTION_USER},                                       \
        {"cgroupns", no_argument, NULL, OPTION_CGROUPNS},                               \
        {"time", optional_argument, NULL, OPTION_TIME},                                 \
        {"hostname", required_argument, NULL, OPTION_HOSTNAME},                         \
        {"map-user", no_argument, NULL, OPTION_MAP_USER},                               \
    {                                                                                   \
        "verbose", no_argument, NULL, OPTION_VERBOSE                                    \
    }
#define NAMESPACES_HELP                                                                      \
    "      --mount --uts --ipc --net --cgroupns --time[=SECONDS] --user\n"                   \
    "                            separate just these (and --mount, which pivot_root\n"       \
    "                            needs); without any of them: all but --user.  SECONDS\n"    \
    "                            is what the container's uptime is ahead of the host's\n"    \
    "      --hostname NAME       the hostname inside; implies --uts when others are named\n" \
    "      --map-user            make the caller root inside a user namespace, with the\n"   \
    "                            subordinate ids of /etc/subuid if there are any; implies\n" \
    "                            --user, and needs no root\n"                                \
    "      --verbose             print the namespaces, before and inside\n"

int namespaces_option(struct namespaces *ns, int option, char *value);

/* After the last option: what was left open.  Call it before the others. */
void namespaces_choose(struct namespaces *ns);

/* Leave the caller's namespaces, but for those that namespaces_settle() leaves.
 * The caller is then in new ones; see unshare(2). */
int namespaces_unshare(const struct namespaces *ns);

/* Remember why CALL (unshare or clone3) failed: errno alone sends people the wrong
 * way here.  Always -1. */
int namespaces_fail(const struct namespaces *ns, const char *call);

/* The flags of those namespaces for clone3(2), which step 3 calls instead. */
unsigned long long namespaces_clone_flags(const struct namespaces *ns);

/* In the child, once it has its ids and its cgroup: the cgroup and the time
 * namespace, the hostname, the identity of root; and the table for --verbose. */
int namespaces_settle(const struct namespaces *ns);

#endif
