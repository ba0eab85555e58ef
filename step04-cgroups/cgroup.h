/* cgroup.h - a control group of its own, on cgroup v2, v1 and hybrid hosts.
 *
 * A cgroup is a directory: mkdir makes it, writing a PID into its cgroup.procs
 * moves a process there, writing its other files sets limits, rmdir removes it.
 * v2 has one tree for all controllers; v1 has a tree for each, or for a few
 * together; a hybrid host has v1 trees and a v2 tree that holds what is left.  So
 * we ask the mounts which tree has a controller, and make our group in every tree.
 * See cgroups(7), and in the kernel Documentation/admin-guide/cgroup-v2.rst. */
#ifndef STEP04_CGROUP_H
#define STEP04_CGROUP_H

#include <sys/types.h>

enum { CGROUP_TREES = 16 }; /* more than there are controllers */

/* Our group in one tree. */
struct group {
    int version;             /* of its tree: 1 or 2 */
    const char *controllers; /* of its tree */
    char *path;              /* its directory, as "/sys/fs/cgroup/memory/nine-123-4f" */
    int dir;                 /* the same, open; -1 if it could not be made ... */
    char *problem;           /* ... for this reason */
};

struct cgroup {
    struct group groups[CGROUP_TREES];
    int count;
};

/* Where to make a group.  The two files are parameters so that tests can describe
 * a host of their own, in plain directories. */
struct cgroup_where {
    const char *mountinfo; /* NULL: /proc/self/mountinfo */
    const char *self;      /* NULL: /proc/self/cgroup */
    const char *parent;    /* below this group, seen from each tree's root; NULL: we choose */
};

/* Make the group, named nine-PID-HEX, in every tree.
 *
 * Without a parent named it goes below the caller's own group, so that the limits
 * that hold for the caller hold for the container.  A v2 group that holds
 * processes can't hand out controllers to children ("no internal processes"), so
 * there it is the nearest ancestor that has none and can be written.  WANTED are the
 * v2 controllers to be handed out, ending with NULL.
 *
 * A tree where that isn't possible is no failure yet: cgroup_write() says so if
 * somebody wants a limit in it. */
int cgroup_create(struct cgroup *cgroup, const struct cgroup_where *where,
                  const char *const wanted[]);

/* The group in the tree that has the CONTROLLER, by its v2 name (io is blkio on v1);
 * NULL with a message if no tree has it or the group could not be made there. */
const struct group *cgroup_group(const struct cgroup *cgroup, const char *controller);

/* The v2 group for CLONE_INTO_CGROUP, see clone3(2); 0 if there is none. */
int cgroup_clone_fd(const struct cgroup *cgroup);

/* Move the process PID into the group, in the v1 trees. */
int cgroup_join(const struct cgroup *cgroup, pid_t pid);

/* Stop (1) all processes of the group, or let them go on (0).  They can't notice. */
int cgroup_freeze(const struct cgroup *cgroup, int frozen);

/* Kill what is left in the group, and remove it and all groups below it. */
void cgroup_destroy(struct cgroup *cgroup);

#endif
