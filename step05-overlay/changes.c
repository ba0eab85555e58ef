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

/* The directories that overlay merges at one path, the top one first.  Those of the
 * layers below an opaque one, or below a file of the same name, aren't among them. */
struct stack {
    int *fds;
    size_t count;
};

static void stack_close(struct stack *stack)
{
    while (stack->count)
        close(stack->fds[--stack->count]);
    free(stack->fds);
}

#define cleanup_stack __attribute__((cleanup(stack_close)))

/* A layer's own symbolic link is no directory, and may lead anywhere: O_NOFOLLOW. */
static int open_dir(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

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

/* Look NAME up as overlay does: from the top down to the first that has it or hides
 * it, and through directories on, since they are merged.  1 if it is there. */
static int look_up(const struct stack *dirs, const char *name, struct stack *found)
{
    struct stat st;
    int exists = 0;

    *found = (struct stack){.fds = allocate(dirs->count + 1, sizeof(int))};
    for (size_t i = 0; i < dirs->count; i++) {
        if (fstatat(dirs->fds[i], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (is_whiteout(&st))
            break;
        int fd = open_dir(dirs->fds[i], name);
        if (fd < 0 && exists)
            break; /* a file below a directory: hidden by it */
        exists = 1;
        if (fd < 0)
            break;
        found->fds[found->count++] = fd;
        if (is_opaque(fd))
            break;
    }
    return exists;
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

static void add(struct strings *lines, char letter, const char *path, const char *name)
{
    strings_add(lines, format("%c %s/%s", letter, path, name));
}

/* UPPER is an opaque directory: what was in the directories below it is gone. */
static int add_covered(struct strings *lines, int upper, const struct stack *lower,
                       const char *path)
{
    struct stat st;
    const char *name;

    for (size_t i = 0; i < lower->count; i++) {
        cleanup_dir DIR *dir = fdopendir(open_dir(lower->fds[i], "."));
        if (!dir)
            return fail("list %s in a layer", path);
        while ((name = next_name(dir))) {
            cleanup_stack struct stack below;
            if (look_up(lower, name, &below) && fstatat(upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                add(lines, 'D', path, name);
        }
    }
    return 0;
}

/* Compare the directory UPPER, its path PATH, with the LOWER ones.  Closes UPPER. */
static int compare(struct strings *lines, int upper, const struct stack *lower, const char *path)
{
    struct stat st;
    const char *name;
    cleanup_dir DIR *dir = fdopendir(upper);
    if (!dir)
        return fail("list %s in the upper directory", *path ? path : "/");

    while ((name = next_name(dir))) {
        cleanup_stack struct stack below;
        cleanup_free char *child = format("%s/%s", path, name);
        int existed = look_up(lower, name, &below);
        if (fstatat(upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return fail("%s in the upper directory", child);
        add(lines, is_whiteout(&st) ? 'D' : existed ? 'C' : 'A', path, name);
        if (S_ISDIR(st.st_mode) && compare(lines, open_dir(upper, name), &below, child) < 0)
            return -1;
    }
    return is_opaque(upper) ? add_covered(lines, upper, lower, path) : 0;
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

static int open_layers(const struct strings *layers, struct stack *stack)
{
    *stack = (struct stack){.fds = allocate(layers->count + 1, sizeof(int))};
    for (size_t i = layers->count; i > 0; i--) {
        int fd = open(layers->items[i - 1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return fail("layer %s", layers->items[i - 1]);
        stack->fds[stack->count++] = fd;
    }
    return 0;
}

int changes_print(const struct strings *layers, const char *upperdir, FILE *out)
{
    struct strings lines = {0};
    cleanup_stack struct stack lower = {0};
    if (open_layers(layers, &lower) < 0)
        return -1;
    int upper = open(upperdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (upper < 0)
        return fail("upper directory %s", upperdir);
    int result = compare(&lines, upper, &lower, "");
    if (result == 0)
        print_lines(&lines, out);
    for (size_t i = 0; i < lines.count; i++)
        free(lines.items[i]);
    free(lines.items);
    return result;
}
