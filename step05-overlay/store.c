#include "step05-overlay/store.h"

#include <fcntl.h>
#include <ftw.h>
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
    if (!store->layers || stat(store->layers, &st) < 0)
        return fail("open the store %s", top);
    /* Nobody checks the layers again, so nobody else may have put them there. */
    if (st.st_uid != geteuid() || (st.st_mode & 022))
        return refuse("the store %s belongs to somebody else, or others may write to it", top);
    return 0;
}

void store_close(struct store *store)
{
    free(store->layers);
}

/* The paths of one layer; see store.h. */
struct slot {
    char *final, *new, *lock;
};

static struct slot slot_of(const struct store *store, const char *name)
{
    return (struct slot){format("%s/%s", store->layers, name),
                         format("%s/.new-%s", store->layers, name),
                         format("%s/.lock-%s", store->layers, name)};
}

static void slot_free(struct slot *slot)
{
    free(slot->final);
    free(slot->new);
    free(slot->lock);
}

#define cleanup_slot __attribute__((cleanup(slot_free)))

static struct slot slot_of_layer(const struct store *store, const char *diff_id)
{
    cleanup_free char *name = digest_name(diff_id, '-');
    return slot_of(store, name);
}

int store_find(struct store *store, const char *diff_id, char **path)
{
    cleanup_slot struct slot slot = slot_of_layer(store, diff_id);
    if (access(slot.final, F_OK) < 0)
        return 0;
    cleanup_free char *size = file_read(AT_FDCWD, slot.lock);
    if (!size)
        return -1;
    store->bytes_left -= strtoll(size, NULL, 10);
    if (store->bytes_left < 0)
        return refuse("the image's layers are too large together (see --unpack-max)");
    *path = take_ptr(&slot.final);
    return 1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path) < 0 ? fail("remove %s", path) : 0;
}

/* Nobody but us may write to the store, so nobody can exchange what nftw(3) walks
 * through for a symbolic link; those that are there it doesn't follow. */
static int remove_tree(const char *path)
{
    if (access(path, F_OK) < 0)
        return 0;
    return nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS);
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

static int run_unpacker(const struct store *store, const struct slot *slot, const char *diff_id,
                        int blob, int lock)
{
    cleanup_free char *program = unpacker_path();
    cleanup_free char *bytes = format("%lld", store->bytes_left);
    cleanup_free char *entries = format("%lld", store->entries);
    char *argv[] = {program, slot->new, (char *)diff_id, bytes, entries, NULL};
    pid_t parent = getpid(), pid = fork();

    if (pid == 0)
        become_unpacker(blob, lock, argv, parent);
    return pid < 0 ? fail("fork") : process_wait(pid);
}

/* Pass on the unpacker's message; names in it are the image's: no control characters. */
static int unpacker_failed(const struct slot *slot, int status)
{
    cleanup_free char *message = file_read(AT_FDCWD, slot->lock);
    if (!message || !*message)
        return refuse("the unpacker ended with status %d", status);
    message[strlen(message) - 1] = '\0'; /* the newline */
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return refuse("%s", message);
}

/* Wait for the lock that is to be held while there is a .new- directory. */
static int lock_slot(const struct slot *slot)
{
    cleanup_fd int fd = open(slot->lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) < 0)
        return fail("lock %s", slot->lock);
    return take_fd(&fd);
}

/* Unpack into .new-NAME.  What is there already is from a run that was killed. */
static int unpack(const struct store *store, const struct slot *slot, const char *diff_id, int blob,
                  int lock)
{
    static const char blank[4096]; /* old words are wiped out, and new ones have a place */
    if (remove_tree(slot->new) < 0)
        return -1;
    if (pwrite(lock, blank, sizeof(blank), 0) < 0 || mkdir(slot->new, 0700) < 0)
        return fail("make %s", slot->new);
    int status = run_unpacker(store, slot, diff_id, blob, lock);
    if (status == 0)
        return 0;
    if (status > 0)
        unpacker_failed(slot, status);
    remove_tree(slot->new);
    return -1;
}

int store_add(struct store *store, const char *diff_id, int blob)
{
    cleanup_slot struct slot slot = slot_of_layer(store, diff_id);
    cleanup_fd int lock = lock_slot(&slot);
    if (lock < 0)
        return -1;
    if (access(slot.final, F_OK) == 0)
        return 0; /* another process was faster, and we waited for it */
    if (isatty(2))
        warn("unpacking layer %.19s ...", diff_id);
    if (unpack(store, &slot, diff_id, blob, lock) < 0)
        return -1;
    return rename(slot.new, slot.final) < 0 ? fail("rename %s", slot.new) : 0;
}

int store_borrow(struct store *store, int tar, int *lock)
{
    cleanup_slot struct slot slot = slot_of(store, BORROWED);
    *lock = lock_slot(&slot);
    if (*lock < 0 || unpack(store, &slot, "-", tar, *lock) < 0)
        return -1;
    int fd = open(slot.new, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? fail("open the unpacked layout") : fd;
}

int store_return(struct store *store)
{
    cleanup_slot struct slot slot = slot_of(store, BORROWED);
    return remove_tree(slot.new);
}
