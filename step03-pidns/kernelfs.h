/* kernelfs.h - the file systems that programs expect and no disk holds: /proc, /dev. */
#ifndef STEP03_KERNELFS_H
#define STEP03_KERNELFS_H

/* Both mount below the root-to-be, see rootfs.h. */

/* A proc file system, see proc(5).  It shows the pid namespace of the process that
 * mounts it, so we must be inside. */
int kernelfs_proc(void);

/* A minimal /dev: the host's null, zero, full, random, urandom and tty, bound on
 * files in a tmpfs, for mknod(2) isn't allowed in a user namespace.  Where the
 * caller has no id to own a file with (--user without --map-user) it stays empty. */
int kernelfs_dev(void);

#endif
