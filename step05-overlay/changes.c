#include "step05-overlay/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"

static int is_whiteout(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

static int is_opaque(int dir)
{
    char value;
    return (fgetxattr(dir, "trusted.overlay.opaque", &value, 1) == 1 && value == 'y') ||
           (fgetxattr(dir, "user.overlay.opaque", &value, 1) == 1 && value == 'y');
}

/* What a layer says of a path: HIDDEN is what layers below it have there. */
enum finding { ABSENT, HIDDEN, A_FILE, A_DIRECTORY };

/* Look PATH ("/etc/passwd", "" for the top) up in a layer.  Its directories are looked
 * at one by one, since a layer's own symbolic link is none, and may lead anywhere. */
static enum finding look_up(const char *layer, const char *path)
{
    struct stat st;
    if (!*path)
        return A_DIRECTORY;
    cleanup_free char *parent = format("%.*s", (int)(strrchr(path, '/') - path), path);
    enum finding above = look_up(layer, parent);
    if (above != A_DIRECTORY)
        return above == ABSENT ? ABSENT : HIDDEN;

    cleanup_free char *directory = format("%s%s", layer, parent);
    cleanup_fd int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fstatat(dir, strrchr(path, '/') + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return is_opaque(dir) ? HIDDEN : ABSENT;
    return is_whiteout(&st) ? HIDDEN : S_ISDIR(st.st_mode) ? A_DIRECTORY : A_FILE;
}

/* Was PATH there?  As overlay does: from the top down to the first that has or hides it. */
static int existed(const struct strings *layers, const char *path)
{
    enum finding finding = ABSENT;
    for (size_t i = layers->count; i-- > 0 && finding == ABSENT;)
        finding = look_up(layers->items[i], path);
    return finding == A_FILE || finding == A_DIRECTORY;
}

/* The next name in a directory, without . and .. */
static const char *next_name(DIR *dir)
{
    struct dirent *entry;
    do
        entry = readdir(dir);
    while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    return entry ? entry->d_name : NULL;
}

static void add(struct strings *lines, char letter, const char *path)
{
    strings_add(lines, format("%c %s", letter, path));
}

/* UPPER is an opaque directory: what was in the directories below it is gone. */
static int add_covered(struct strings *lines, int upper, const struct strings *layers,
                       const char *path)
{
    struct stat st;
    const char *name;

    for (size_t i = 0; i < layers->count; i++) {
        if (look_up(layers->items[i], path) != A_DIRECTORY)
            continue;
        cleanup_free char *lower = format("%s%s", layers->items[i], path);
        cleanup_dir DIR *dir = opendir(lower);
        if (!dir)
            return fail("list %s", lower);
        while ((name = next_name(dir))) {
            cleanup_free char *child = format("%s/%s", path, name);
            if (existed(layers, child) && fstatat(upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                add(lines, 'D', child);
        }
    }
    return 0;
}

/* Compare the directory UPPER, its path PATH, with the layers.  Closes UPPER. */
static int compare(struct strings *lines, int upper, const struct strings *layers, const char *path)
{
    struct stat st;
    const char *name;
    cleanup_dir DIR *dir = fdopendir(upper);
    if (!dir)
        return fail("list %s in the upper directory", *path ? path : "/");

    while ((name = next_name(dir))) {
        cleanup_free char *child = format("%s/%s", path, name);
        if (fstatat(upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return fail("%s in the upper directory", child);
        add(lines, is_whiteout(&st) ? 'D' : existed(layers, child) ? 'C' : 'A', child);
        if (!S_ISDIR(st.st_mode))
            continue;
        int below = openat(upper, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (compare(lines, below, layers, child) < 0)
            return -1;
    }
    return is_opaque(upper) ? add_covered(lines, upper, layers, path) : 0;
}

static int by_path(const void *one, const void *other)
{
    return strcmp(*(char *const *)one + 1, *(char *const *)other + 1);
}

static void print_escaped(const char *line, FILE *out)
{
    for (const unsigned char *c = (const unsigned char *)line; *c; c++)
        fprintf(out, *c < ' ' || *c == 0x7f || *c == '\\' ? "\\%03o" : "%c", *c);
    putc('\n', out);
}

/* Sorted, and once each: the same name may have been covered in several layers. */
static void print_lines(struct strings *lines, FILE *out)
{
    if (lines->count)
        qsort(lines->items, lines->count, sizeof(*lines->items), by_path);
    for (size_t i = 0; i < lines->count; i++)
        if (i == 0 || strcmp(lines->items[i], lines->items[i - 1]) != 0)
            print_escaped(lines->items[i], out);
}

int changes_print(const struct strings *layers, const char *upperdir, FILE *out)
{
    struct strings lines = {0};
    for (size_t i = 0; i < layers->count; i++)
        if (access(layers->items[i], F_OK) < 0)
            return fail("layer %s", layers->items[i]);
    int upper = open(upperdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (upper < 0)
        return fail("upper directory %s", upperdir);
    if (compare(&lines, upper, layers, "") < 0)
        return -1;
    print_lines(&lines, out);
    return 0;
}
