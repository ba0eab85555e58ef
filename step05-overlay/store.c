#include "step05-overlay/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/process.h"

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
    for (char *slash = part; (slash = strchr(slash + 1, '/')); *slash = '/') {
        *slash = '\0';
        if (mkdir(part, 0700) < 0 && errno != EEXIST)
            return fail("make the directory %s", part);
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
    if (!store->layers || stat(store->layers, &st) < 0)
        return fail("open the store %s", top);
    /* Nobody checks the layers again, so nobody else may have put them there. */
    if (st.st_uid != geteuid() || (st.st_mode & 022))
        return refuse("the store %s belongs to somebody else, or others may write to it", top);
    return 0;
}

/* The path of what the store has under PREFIX and NAME; see store.h. */
static char *place(const struct store *store, const char *prefix, const char *name)
{
    return format("%s/%s%s", store->layers, prefix, name);
}

/* Wait for the lock that is to be held while there is a .new- directory. */
static int lock_place(const struct store *store, const char *name)
{
    cleanup_free char *path = place(store, ".lock-", name);
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return fail("lock %s", path);
    return take_fd(&fd);
}

static int remove_tree(const char *path)
{
    char *argv[] = {"rm", "-rf", "--", (char *)path, NULL};
    return process_run(argv);
}

/* The unpacker lies beside this program, wherever both were installed. */
static char *unpacker_path(void)
{
    cleanup_free char *self = realpath("/proc/self/exe", NULL);
    if (!self)
        must(fail("find out where this program lies: /proc/self/exe"));
    return format("%.*s/step05-unpack", (int)(strrchr(self, '/') - self), self);
}

/* Run the unpacker with the blob as its standard input.  Its output is the lock
 * file: so it holds the lock as well, and nobody removes the directory below it
 * while it still lives, whatever becomes of us. */
static int run_unpacker(const struct store *store, const char *directory, const char *diff_id,
                        int blob, int lock)
{
    cleanup_free char *program = unpacker_path();
    cleanup_free char *bytes = format("%lld", store->bytes);
    cleanup_free char *entries = format("%lld", store->entries);
    char *argv[] = {program, (char *)directory, (char *)diff_id, bytes, entries, NULL};
    char *no_environment[] = {NULL};
    pid_t pid = process_fork();

    if (pid == 0) {
        if (dup2(blob, 0) == 0 && dup2(lock, 1) == 1)
            execve(program, argv, no_environment);
        dprintf(lock, "%s: %s\n", program, strerror(errno));
        _exit(STATUS_FAILED);
    }
    return pid < 0 ? -1 : process_wait(pid);
}

/* Unpack into the directory NEW.  What is there already is from a run that was killed. */
static int unpack(const struct store *store, const char *new, const char *diff_id, int blob,
                  int lock)
{
    char message[1024] = "";
    /* Even if the disk is full when the unpacker wants to say so, its words have a place. */
    if (remove_tree(new) < 0)
        return -1;
    if (pwrite(lock, message, sizeof(message), 0) < 0 || mkdir(new, 0700) < 0)
        return fail("make %s", new);
    int status = run_unpacker(store, new, diff_id, blob, lock);
    if (status == 0)
        return 0;
    remove_tree(new);
    if (status < 0)
        return -1;
    if (pread(lock, message, sizeof(message) - 1, 0) < 0 || !*message)
        return refuse("the unpacker ended with status %d", status);
    message[strlen(message) - 1] = '\0'; /* the newline */
    return refuse("%s", message);
}

int store_layer(const struct store *store, const char *diff_id, int layout,
                const struct descriptor *layer, char **path)
{
    const char *digits = digest_digits(diff_id);
    if (!digits)
        return -1;
    cleanup_free char *name = format("sha256-%s", digits);
    cleanup_free char *new = place(store, ".new-", name);
    *path = place(store, "", name);
    if (access(*path, F_OK) == 0)
        return 0;
    /* The blob is hashed once now, and once more uncompressed while it is unpacked:
     * whoever exchanges it in between is found out. */
    cleanup_fd int blob = blob_open(layout, layer);
    cleanup_fd int lock = blob < 0 ? -1 : lock_place(store, name);
    if (lock < 0)
        return -1;
    if (access(*path, F_OK) == 0)
        return 0; /* another process was faster, and we waited for it */
    if (isatty(2))
        warn("unpacking layer %.12s ...", digits);
    if (unpack(store, new, diff_id, blob, lock) < 0)
        return -1;
    return rename(new, *path) < 0 ? fail("rename %s", new) : 0;
}

int store_borrow(const struct store *store, int tar, int *lock)
{
    cleanup_free char *new = place(store, ".new-", "layout");
    *lock = lock_place(store, "layout");
    if (*lock < 0 || unpack(store, new, "-", tar, *lock) < 0)
        return -1;
    int fd = open(new, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? fail("open the unpacked layout") : fd;
}

int store_return(const struct store *store)
{
    cleanup_free char *new = place(store, ".new-", "layout");
    return remove_tree(new);
}
