/* trees.h - which cgroup trees this host has mounted, and where we are in them. */
#ifndef STEP04_TREES_H
#define STEP04_TREES_H

struct tree {
    int version;       /* 1 or 2 */
    char *controllers; /* "memory", "cpu,cpuacct" (v1), "cpu io memory" (v2): see trees_word() */
    char *mount;       /* where it is mounted */
    char *self;        /* the directory of the caller's own group in it */
};

/* Read the mounts (NULL: /proc/self/mountinfo, see proc(5)) and our groups (NULL:
 * /proc/self/cgroup, see cgroups(7)); returns how many trees there are, or -1.
 * Named v1 trees without a controller, such as systemd's, are left out. */
int trees_find(struct tree *trees, int room, const char *mountinfo, const char *self);

/* Is WORD one of the words in LIST, which blanks or commas separate? */
int trees_word(const char *list, const char *word);

#endif
