/* inroot.h - paths below a root directory that somebody else controls.
 *
 * A container's files may hold symbolic links such as lib -> /lib or
 * proc -> ../../etc.  Resolved on the host they lead out of the root, and a
 * program that runs as root then writes where the image's author wanted
 * (CVE-2019-14271, CVE-2021-30465 and many before).  So every path is resolved by
 * the kernel with RESOLVE_IN_ROOT, as if chroot(2) held already, and what was
 * found is used by descriptor, never by name a second time.  See openat2(2). */
#ifndef COMMON_INROOT_H
#define COMMON_INROOT_H

#include <sys/types.h>

/* Open PATH below ROOTFD with open(2)'s FLAGS (O_CLOEXEC is added) and MODE. */
int inroot_open(int rootfd, const char *path, int flags, mode_t mode);

/* The directory PATH below ROOTFD as an O_PATH descriptor; missing parts of
 * the path are made with mode 0755. */
int inroot_mkdir(int rootfd, const char *path);

/* The same for a place to bind a file on: an empty file is made if there is none. */
int inroot_mkfile(int rootfd, const char *path);

#endif
