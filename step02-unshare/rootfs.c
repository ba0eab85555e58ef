#include "step02-unshare/rootfs.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/syscalls.h"

/* EINVAL of mount and pivot_root hides several causes; these are the commonest. */
static int fail_with_cause(const char *call)
{
    if (errno != EINVAL)
        return fail("%s", call);
    return fail_hint("either \"/\" is no mount point, as in a chroot or an initrd (tools/unchroot "
                     "COMMAND steps out of a chroot), or a mount is shared",
                     "%s", call);
}

int rootfs_private(void)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return fail_with_cause("make the mounts private");
    return 0;
}

int rootfs_stage(const char *root)
{
    /* Recursive: in a user namespace the mounts below ROOT are locked together
     * with it, lest somebody unmounts one to see what it hides. */
    cleanup_fd int tree = sys_open_tree(AT_FDCWD, root, OPEN_TREE_CLONE | AT_RECURSIVE | O_CLOEXEC);
    if (tree < 0 || sys_move_mount(tree, AT_FDCWD, root, MOVE_MOUNT_T_SYMLINKS) < 0 ||
        fchdir(tree) < 0)
        return fail("root %s", root);
    return 0;
}

int rootfs_pivot(void)
{
    /* New root and place for the old one may be the same directory: the old root
     * is then mounted over the new one and can be taken off.  See pivot_root(2). */
    if (sys_pivot_root(".", ".") < 0)
        return fail_with_cause("pivot_root");
    /* Lazily, because what we still hold open lies there; to the container it is
     * gone at once. */
    if (umount2(".", MNT_DETACH) < 0)
        return fail("unmount the old root");
    if (chdir("/") < 0)
        return fail("change to the new root");
    return 0;
}
