#include "step05-overlay/store.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/process.h"
#include "step05-overlay/digest.h"

#define BORROWED "layout"

static char *default_path(void)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (geteuid() == 0)
        return format("/var/lib/nine");
    if (data && *data)
        return format("%s/nine", data);
    return format("%s/.local/share/nine", home ? home : "");
}

static int make_directories(const char *path)
{
    cleanup_free char *part = format("%s/", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST)
            return fail("make the directory %s", part);
        *slash = '/';
    }
    return 0;
}

int store_open(struct store *store, const char *path)
{
    struct stat st;
    cleanup_free char *top = path ? format("%s", path) : default_path();
    cleanup_free char *layers = format("%s/layers", top);
    if (make_directories(layers) < 0)
        return -1;
    store->layers = realpath(layers, NULL);
    store->fd = open(layers, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!store->layers || store->fd < 0 || fstat(store->fd, &st) < 0)
        return fail("open the store %s", top);
    /* Nobody checks the layers again, so nobody else may have put them there. */
    if (st.st_uid != geteuid() || (st.st_mode & 022))
        return refuse("the store %s belongs to somebody else, or others may write to it", top);
    return 0;
}

void store_close(struct store *store)
{
    close(store->fd);
    free(store->layers);
}

int tree_remove(int parent, const char *name)
{
    struct dirent *entry;
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR)
        return fail("remove %s", name);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir)
        return fail("open the directory %s to empty it", name);
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            tree_remove(fd, entry->d_name) < 0)
            return -1;
    return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? fail("remove the directory %s", name) : 0;
}

static int exists(const struct store *store, const char *name)
{
    struct stat st;
    return fstatat(store->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int store_find(struct store *store, const char *diff_id, char **path)
{
    cleanup_free char *name = digest_name(diff_id, '-');
    cleanup_free char *lock = format(".lock-%s", name);
    if (!exists(store, name))
        return 0;
    cleanup_free char *size = file_read(store->fd, lock);
    if (!size)
        return -1;
    store->bytes_left -= strtoll(size, NULL, 10);
    if (store->bytes_left < 0)
        return refuse("the image's layers are too large together (see --unpack-max)");
    *path = format("%s/%s", store->layers, name);
    return 1;
}

/* The unpacker lies beside this program, wherever both were installed. */
static char *unpacker_path(void)
{
    cleanup_free char *self = realpath("/proc/self/exe", NULL);
    if (!self)
        must(fail("find out where this program lies: /proc/self/exe"));
    return format("%.*s/step05-unpack", (int)(strrchr(self, '/') - self), self);
}

/* In the child: become the unpacker, with the blob as its standard input.  Its
 * output is the lock file: what it has to say stays there, and it holds the lock
 * as well, so that nobody removes the directory below it while it still lives. */
static _Noreturn void become_unpacker(int blob, int lock, char *argv[], pid_t parent)
{
    char *no_environment[] = {NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && dup2(blob, 0) == 0 && dup2(lock, 1) == 1)
        execve(argv[0], argv, no_environment);
    dprintf(lock, "%s: %s\n", argv[0], strerror(errno));
    _exit(STATUS_FAILED);
}

/* Pass on the unpacker's message; names in it are the image's: no control characters. */
static int unpacker_failed(const struct store *store, const char *lock_name, int status)
{
    cleanup_free char *message = file_read(store->fd, lock_name);
    if (!message || !*message)
        return refuse("the unpacker ended with status %d", status);
    message[strlen(message) - 1] = '\0'; /* the newline */
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return refuse("%s", message);
}

static int run_unpacker(struct store *store, const char *name, const char *diff_id, int blob,
                        int lock)
{
    cleanup_free char *program = unpacker_path();
    cleanup_free char *directory = format("%s/.new-%s", store->layers, name);
    cleanup_free char *lock_name = format(".lock-%s", name);
    cleanup_free char *bytes = format("%lld", store->bytes_left);
    cleanup_free char *entries = format("%lld", store->entries);
    char *argv[] = {program, directory, (char *)diff_id, bytes, entries, NULL};
    pid_t parent = getpid(), pid = fork();

    if (pid == 0)
        become_unpacker(blob, lock, argv, parent);
    int status = pid < 0 ? fail("fork") : process_wait(pid);
    return status <= 0 ? status : unpacker_failed(store, lock_name, status);
}

/* Wait for the lock that is to be held while .new-NAME is there. */
static int lock_layer(struct store *store, const char *name)
{
    cleanup_free char *lock = format(".lock-%s", name);
    cleanup_fd int fd = openat(store->fd, lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return fail("lock %s/%s", store->layers, lock);
    return take_fd(&fd);
}

/* Unpack into .new-NAME.  What is there already is from a run that was killed. */
static int unpack(struct store *store, const char *name, const char *diff_id, int blob, int lock)
{
    static const char blank[4096]; /* old words are wiped out, and new ones have a place */
    cleanup_free char *new = format(".new-%s", name);
    if (tree_remove(store->fd, new) < 0)
        return -1;
    if (pwrite(lock, blank, sizeof(blank), 0) < 0 || mkdirat(store->fd, new, 0700) < 0)
        return fail("make %s/%s", store->layers, new);
    if (run_unpacker(store, name, diff_id, blob, lock) == 0)
        return 0;
    tree_remove(store->fd, new);
    return -1;
}

int store_add(struct store *store, const char *diff_id, int blob)
{
    cleanup_free char *name = digest_name(diff_id, '-');
    cleanup_free char *new = format(".new-%s", name);
    cleanup_fd int lock = lock_layer(store, name);
    if (lock < 0)
        return -1;
    if (exists(store, name))
        return 0; /* another process was faster, and we waited for it */
    if (isatty(2))
        warn("unpacking layer %.19s ...", diff_id);
    if (unpack(store, name, diff_id, blob, lock) < 0)
        return -1;
    if (renameat(store->fd, new, store->fd, name) < 0)
        return fail("rename %s to %s", new, name);
    return 0;
}

int store_borrow(struct store *store, int tar, int *lock)
{
    *lock = lock_layer(store, BORROWED);
    if (*lock < 0 || unpack(store, BORROWED, "-", tar, *lock) < 0)
        return -1;
    int fd = openat(store->fd, ".new-" BORROWED, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? fail("open the unpacked layout") : fd;
}

int store_return(struct store *store)
{
    return tree_remove(store->fd, ".new-" BORROWED);
}
