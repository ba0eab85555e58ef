/* rootfs.h - a mount namespace with another root: pivot_root(2) in place of chroot(2).
 *
 * chroot leaves the host's whole mount tree where it was, a ".." away for whoever
 * gets behind the root (step 1's escape.c).  pivot_root puts another mount at the
 * top of the tree and lets the old one be taken out of the namespace: then
 * there is nothing left to escape to. */
#ifndef STEP02_ROOTFS_H
#define STEP02_ROOTFS_H

/* Make all mounts of this namespace private: from here on nothing that we mount
 * shows on the host, and nothing that is mounted there shows here.  Comes first
 * after the unshare: a namespace's mounts begin as peers of those they were
 * copied from, and systemd makes the host's shared.  See mount_namespaces(7). */
int rootfs_private(void);

/* Make the directory ROOT a mount of its own, with all that is mounted below it,
 * and stand in it: the working directory becomes the root-to-be. */
int rootfs_stage(const char *root);

/* Make the root-to-be the root, and unmount the old one. */
int rootfs_pivot(void);

#endif
