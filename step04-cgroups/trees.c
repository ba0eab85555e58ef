#include "step04-cgroups/trees.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"

int trees_word(const char *list, const char *word)
{
    static const char separators[] = ", \n";
    size_t length = strlen(word);
    for (; *list; list += strspn(list, separators)) {
        size_t this = strcspn(list, separators);
        if (this == length && strncmp(list, word, length) == 0)
            return 1;
        list += this;
    }
    return 0;
}

/* The path of our group in the tree with CONTROLLERS, from lines such as
 * "4:cpu,cpuacct:/user" (v1) and "0::/user" (v2, where CONTROLLERS is ""). */
static char *find_self(const char *self, const char *controllers)
{
    while (self && *self) {
        const char *list = strchr(self, ':'), *path = list ? strchr(list + 1, ':') : NULL;
        if (!path)
            return NULL;
        cleanup_free char *words = format("%.*s", (int)(path - list - 1), list + 1);
        cleanup_free char *first = format("%.*s", (int)strcspn(words, ","), words);
        if (*controllers ? *words && trees_word(controllers, first) : !*words)
            return format("%.*s", (int)strcspn(path + 1, "\n"), path + 1);
        self = strchr(path, '\n');
        self = self ? self + 1 : NULL;
    }
    return NULL;
}

/* Our group's directory: the mount may show a part of the tree only, from ROOT
 * down, as in a container without a cgroup namespace. */
static char *locate(const char *mount, const char *root, const char *group)
{
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (!group || strncmp(group, root, length) != 0 || (group[length] && group[length] != '/'))
        group = "";
    else
        group += length;
    cleanup_free char *path = format("%s%s", mount, strcmp(group, "/") == 0 ? "" : group);
    return format("%s", access(path, F_OK) == 0 ? path : mount);
}

static int controls_something(const char *options)
{
    static const char *const known[] = {"memory", "cpu",     "cpuacct", "cpuset", "pids",
                                        "blkio",  "devices", "freezer", "hugetlb"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (trees_word(options, known[i]))
            return 1;
    return 0;
}

/* Read one line of mountinfo:
 * 36 35 98:0 /root /mount rw,noatime shared:1 - cgroup cgroup rw,memory */
static int read_mount(struct tree *tree, const char *line, const char *self)
{
    const char *type = strstr(line, " - cgroup");
    cleanup_free char *root = NULL;
    cleanup_free char *options = NULL;
    char *mount = NULL;
    if (!type || sscanf(line, "%*s %*s %*s %ms %ms", &root, &mount) != 2 ||
        sscanf(type, " - %*s %*s %ms", &options) != 1)
        return -1;
    int version = strncmp(type, " - cgroup2 ", 11) == 0 ? 2 : 1;
    cleanup_free char *file = format("%s/cgroup.controllers", mount);
    cleanup_free char *group = find_self(self, version == 2 ? "" : options);
    *tree = (struct tree){version, version == 2 ? file_read(AT_FDCWD, file) : take_ptr(&options),
                          mount, locate(mount, root, group)};
    return tree->controllers && (version == 2 || controls_something(tree->controllers)) ? 0 : -1;
}

int trees_find(struct tree *trees, int room, const char *mountinfo, const char *self)
{
    cleanup_free char *mounts = file_read(AT_FDCWD, mountinfo ? mountinfo : "/proc/self/mountinfo");
    cleanup_free char *groups = file_read(AT_FDCWD, self ? self : "/proc/self/cgroup");
    char *next = NULL;
    int count = 0;

    if (!mounts || !groups)
        return -1;
    for (char *line = strtok_r(mounts, "\n", &next); line && count < room;
         line = strtok_r(NULL, "\n", &next)) {
        struct tree *tree = &trees[count];
        int known = read_mount(tree, line, groups) < 0;
        for (int i = 0; i < count && !known; i++) /* mounted a second time? */
            known = strcmp(trees[i].controllers, tree->controllers) == 0;
        count += !known;
    }
    return count;
}
