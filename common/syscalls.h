/* syscalls.h - system calls for which a C library may have no wrapper yet. */
#ifndef COMMON_SYSCALLS_H
#define COMMON_SYSCALLS_H

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* pivot_root(2): glibc never wrapped it. */
static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

/* clone3(2) without a new stack: returns twice, as fork(2) does. */
static inline pid_t sys_clone3(struct clone_args *arguments)
{
    return (pid_t)syscall(SYS_clone3, arguments, sizeof(*arguments));
}

/* openat2(2), Linux 5.6. */
static inline int sys_openat2(int dirfd, const char *path, struct open_how *how)
{
    return (int)syscall(SYS_openat2, dirfd, path, how, sizeof(*how));
}

/* pidfd_send_signal(2), Linux 5.1. */
static inline int sys_pidfd_send_signal(int pidfd, int signal)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

/* close_range(2), Linux 5.9: close FIRST and all descriptors above it. */
static inline int sys_close_range(unsigned first)
{
    return (int)syscall(SYS_close_range, first, ~0U, 0);
}

/* The mount API of Linux 5.2: a mount is a descriptor, put in its place when it is
 * complete.  glibc has it since 2.36, with headers that clash with the kernel's. */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#define MOVE_MOUNT_T_SYMLINKS   0x00000010
#define MOVE_MOUNT_T_EMPTY_PATH 0x00000040
#endif

/* open_tree(2): with OPEN_TREE_CLONE a bind mount that is nowhere yet. */
static inline int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
    return (int)syscall(SYS_open_tree, dirfd, path, flags);
}

/* move_mount(2), here always of the mount that a descriptor stands for. */
static inline int sys_move_mount(int mountfd, int dirfd, const char *path, unsigned flags)
{
    return (int)syscall(SYS_move_mount, mountfd, "", dirfd, path, flags | MOVE_MOUNT_F_EMPTY_PATH);
}

#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 1
#endif

/* mount_setattr(2), Linux 5.12: switch mount attributes on, here of the mount that a
 * descriptor stands for; with AT_RECURSIVE in FLAGS of all mounts below it too. */
static inline int sys_mount_setattr(int mountfd, unsigned flags, uint64_t attributes)
{
    struct {
        uint64_t set, clear, propagation, userns_fd;
    } change = {.set = attributes};
    return (int)syscall(SYS_mount_setattr, mountfd, "", flags | AT_EMPTY_PATH, &change,
                        sizeof(change));
}

#endif
