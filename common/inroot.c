#include "common/inroot.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/syscalls.h"

int inroot_open(int rootfd, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC),
        .mode = mode,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    int fd;
    do /* EAGAIN: somebody renamed a part of the path meanwhile */
        fd = sys_openat2(rootfd, path, &how);
    while (fd < 0 && errno == EAGAIN);
    return fd >= 0 ? fd : fail("open %s in the root", path);
}

/* The directory that holds PATH's last part, made where missing; *name is that part. */
static int open_parent(int rootfd, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (!slash)
        return inroot_open(rootfd, ".", O_PATH | O_DIRECTORY, 0);
    cleanup_free char *parent = format("%.*s", (int)(slash - path), path);
    return inroot_mkdir(rootfd, parent);
}

int inroot_mkdir(int rootfd, const char *path)
{
    cleanup_free char *copy = format("%s", path);
    size_t length = strlen(copy);
    while (length && copy[length - 1] == '/')
        copy[--length] = '\0';
    if (!length)
        return inroot_open(rootfd, ".", O_PATH | O_DIRECTORY, 0);

    int fd = inroot_open(rootfd, copy, O_PATH | O_DIRECTORY, 0);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    const char *name;
    cleanup_fd int parent = open_parent(rootfd, copy, &name);
    if (parent < 0)
        return -1;
    if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
        return fail("make the directory %s in the root", path);
    return inroot_open(rootfd, copy, O_PATH | O_DIRECTORY, 0);
}

int inroot_mkfile(int rootfd, const char *path)
{
    int fd = inroot_open(rootfd, path, O_PATH, 0);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    const char *name;
    cleanup_fd int parent = open_parent(rootfd, path, &name);
    if (parent < 0)
        return -1;
    cleanup_fd int made = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (made < 0 && errno != EEXIST)
        return fail("make the file %s in the root", path);
    return inroot_open(rootfd, path, O_PATH, 0);
}
