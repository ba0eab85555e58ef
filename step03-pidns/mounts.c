#include "step03-pidns/mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/inroot.h"

int mounts_add(const char *source, const char *target, const char *type, unsigned long flags,
               const char *data)
{
    struct stat status;
    int file = (flags & MS_BIND) && stat(source, &status) == 0 && !S_ISDIR(status.st_mode);
    cleanup_fd int fd = file ? inroot_mkfile(AT_FDCWD, target) : inroot_mkdir(AT_FDCWD, target);
    if (fd < 0)
        return -1;
    /* The name could lead elsewhere by now; the descriptor can't. */
    cleanup_free char *path = format("/proc/self/fd/%d", fd);
    if (mount(source, path, type, flags, data) < 0)
        return fail("mount %s on %s", source, target);
    return 0;
}

int mounts_proc(void)
{
    if (mounts_add("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
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
    return mounts_add(path, path, NULL, MS_BIND, NULL);
}

int mounts_dev(void)
{
    static const char *const nodes[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                        "/dev/random", "/dev/urandom", "/dev/tty"};
    static const char *const links[][2] = {{"/proc/self/fd", "fd"},
                                           {"/proc/self/fd/0", "stdin"},
                                           {"/proc/self/fd/1", "stdout"},
                                           {"/proc/self/fd/2", "stderr"}};

    if (mounts_add("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k") < 0)
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
