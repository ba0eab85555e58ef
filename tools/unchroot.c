/* unchroot - run a command in this very file system, but not in a chroot.
 *
 *     unchroot COMMAND [ARGUMENT...]
 *
 * In a chroot (a build system's, a rescue disk's) "/" is some directory of some
 * mount.  There the kernel refuses user namespaces and pivot_root(2), and "/" can't be
 * made private: containers of step 2 and later don't start.  But chroot doesn't hold
 * root, see step01-chroot/escape.c.  So we break out, in a mount namespace of our own
 * make a mount of the directory that we came from, and pivot into it: all looks as
 * before, and "/" is now the root of a mount namespace.
 *
 * Where there is no chroot, or no right to leave it, the command is simply executed. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* To the top of all that is mounted, and make that our root. */
static bool break_out(void)
{
    if (chdir("/") < 0 || chroot("/etc") < 0)
        return false;
    for (int i = 0; i < 1000; i++)
        if (chdir("..") < 0)
            return false;
    return chroot(".") == 0;
}

static bool is_here(int directory)
{
    struct stat there, here;
    return fstat(directory, &there) == 0 && stat(".", &here) == 0 && there.st_dev == here.st_dev &&
           there.st_ino == here.st_ino;
}

/* unshare(2) moves our root and working directory into the copies of the mounts that
 * it makes, but no descriptor: so we go there before, and open it after. */
static bool pivot_into(int directory)
{
    if (fchdir(directory) < 0 || unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) /* or the host would see ours */
        return false;
    long tree = syscall(SYS_open_tree, AT_FDCWD, ".", AT_RECURSIVE | OPEN_TREE_CLONE | O_CLOEXEC);
    return tree >= 0 &&
           syscall(SYS_move_mount, (int)tree, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH) == 0 &&
           fchdir((int)tree) == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
           umount2(".", MNT_DETACH) == 0;
}

int main(int argc, char *argv[])
{
    char *directory = getcwd(NULL, 0);
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (argc < 2 || root < 0 || !directory) {
        fprintf(stderr, "usage: unchroot COMMAND [ARGUMENT...]\n");
        return 125;
    }
    if (break_out() && !is_here(root) && pivot_into(root)) {
        fprintf(stderr, "unchroot: this is a chroot: going on in a mount namespace of its own\n");
    } else if (fchdir(root) < 0 || (chroot(".") < 0 && errno != EPERM)) {
        perror("unchroot: return to the root"); /* back in, if we got out */
        return 125;
    }
    if (chdir(directory) < 0)
        perror(directory);
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return errno == ENOENT ? 127 : 126;
}
