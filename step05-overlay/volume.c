#include "step05-overlay/volume.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/inroot.h"
#include "common/syscalls.h"
#include "step03-pidns/mounts.h"

/* "SRC:DST" or "SRC:DST:ro".  SRC is made absolute here, for the working directory
 * will be another. */
static int add_volume(struct volumes *volumes, const char *value)
{
    char *target = format("%s", value), *source = strsep(&target, ":");
    char *path = target ? strsep(&target, ":") : NULL, *absolute;
    if (!path || *path != '/' || !*source || (target && strcmp(target, "ro") != 0))
        return refuse("--volume: \"%s\" is not SRC:DST or SRC:DST:ro with an absolute DST", value);
    if (volumes->sources.count == VOLUMES)
        return refuse("--volume: more than %d", VOLUMES);
    absolute = realpath(source, NULL);
    if (!absolute)
        return fail("--volume: %s", source);
    if (target)
        volumes->read_only |= 1ULL << volumes->sources.count;
    strings_add(&volumes->sources, absolute);
    strings_add(&volumes->targets, path);
    return 0;
}

int volume_option(struct volumes *volumes, int option, char *value)
{
    if (option == OPTION_VOLUME)
        return add_volume(volumes, value);
    if (option == OPTION_TMPFS && *value != '/')
        return refuse("--tmpfs: \"%s\" is not an absolute path", value);
    if (option == OPTION_TMPFS)
        strings_add(&volumes->tmpfs, value);
    volumes->root_read_only |= option == OPTION_READ_ONLY;
    return 0;
}

/* A copy of the source's mount tree, made read-only where asked before it is put in
 * place: all of it, for a plain MS_REMOUNT would leave the mounts below writable. */
static int open_volume(const char *source, int read_only)
{
    int tree = sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | AT_RECURSIVE | O_CLOEXEC);
    if (tree < 0)
        return fail("--volume: %s", source);
    if (read_only && sys_mount_setattr(tree, AT_RECURSIVE, MOUNT_ATTR_RDONLY) < 0)
        return fail("--volume: make %s read-only", source);
    return tree;
}

int volumes_open(struct volumes *volumes)
{
    for (size_t i = 0; i < volumes->sources.count; i++) {
        volumes->trees[i] = open_volume(volumes->sources.items[i], volumes->read_only >> i & 1);
        if (volumes->trees[i] < 0)
            return -1;
    }
    return 0;
}

static int mount_volume(int tree, const char *source, const char *target)
{
    struct stat status;
    if (fstat(tree, &status) < 0)
        return fail("--volume: %s", source);
    cleanup_fd int place =
        S_ISDIR(status.st_mode) ? inroot_mkdir(AT_FDCWD, target) : inroot_mkfile(AT_FDCWD, target);
    if (place < 0)
        return fail_in("--volume");
    if (sys_move_mount(tree, place, "", MOVE_MOUNT_T_EMPTY_PATH) < 0)
        return fail("--volume: mount %s on %s", source, target);
    return 0;
}

static int mount_tmpfs(const char *value)
{
    cleanup_free char *target = format("%.*s", (int)strcspn(value, ":"), value);
    const char *options = strchr(value, ':');
    if (mounts_add("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV,
                   options ? options + 1 : "mode=1777") < 0)
        return fail_in("--tmpfs");
    return 0;
}

int volumes_mount(const struct volumes *volumes)
{
    for (size_t i = 0; i < volumes->tmpfs.count; i++)
        if (mount_tmpfs(volumes->tmpfs.items[i]) < 0)
            return -1;
    for (size_t i = 0; i < volumes->sources.count; i++)
        if (mount_volume(volumes->trees[i], volumes->sources.items[i], volumes->targets.items[i]) <
            0)
            return -1;
    cleanup_fd int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (volumes->root_read_only && sys_mount_setattr(root, 0, MOUNT_ATTR_RDONLY) < 0)
        return fail("--read-only");
    return 0;
}
