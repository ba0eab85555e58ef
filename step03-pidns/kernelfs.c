#include "step03-pidns/kernelfs.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/inroot.h"
#include "step02-unshare/rootfs.h"

int kernelfs_proc(void)
{
    if (rootfs_mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
        return 0;
    if (errno != EPERM)
        return -1;
    return fail_hint("in a user namespace, /proc outside must be visible in full; a container "
                     "around us may have covered parts of it",
                     "mount proc");
}

static int bind_node(const char *path)
{
    if (access(path, F_OK) < 0)
        return 0; /* a chroot's /dev may hold less */
    return rootfs_mount(path, path, NULL, MS_BIND, NULL);
}

int kernelfs_dev(void)
{
    static const char *const nodes[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                        "/dev/random", "/dev/urandom", "/dev/tty"};
    static const char *const links[][2] = {{"/proc/self/fd", "fd"},
                                           {"/proc/self/fd/0", "stdin"},
                                           {"/proc/self/fd/1", "stdout"},
                                           {"/proc/self/fd/2", "stderr"}};

    if (rootfs_mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k") < 0)
        return -1;
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        if (bind_node(nodes[i]) < 0)
            return errno == EOVERFLOW ? 0 : -1; /* we have no id that could own a file */
    cleanup_fd int dev = inroot_open(AT_FDCWD, "dev", O_PATH | O_DIRECTORY, 0);
    if (dev < 0)
        return -1;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (symlinkat(links[i][0], dev, links[i][1]) < 0)
            return fail("make /dev/%s", links[i][1]);
    return 0;
}
