/* mounts.h - what is mounted inside: above all /proc and /dev, which every program expects. */
#ifndef STEP03_MOUNTS_H
#define STEP03_MOUNTS_H

/* mount(2) on TARGET below the root-to-be, wherever symbolic links in there may
 * point; a missing TARGET is made: a file if SOURCE is to be bound and none of a
 * directory, else a directory. */
int mounts_add(const char *source, const char *target, const char *type, unsigned long flags,
               const char *data);

/* A proc file system, see proc(5).  It shows the pid namespace of the process that
 * mounts it, so we must be inside. */
int mounts_proc(void);

/* A minimal /dev: the host's null, zero, full, random, urandom and tty, bound on
 * files in a tmpfs, for mknod(2) isn't allowed in a user namespace.  Where the
 * caller has no id to own a file with (--user without --map-user) it stays empty. */
int mounts_dev(void);

#endif
