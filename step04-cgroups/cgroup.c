#include "step04-cgroups/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "step04-cgroups/trees.h"

/* --- making it ---------------------------------------------------------------- */

static char *new_name(void)
{
    unsigned random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = (unsigned)clock();
    return format("nine-%d-%08x", getpid(), random);
}

/* A v1 cpuset starts empty, and no process may enter an empty one. */
static int copy_cpuset(int parent, int dir)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    for (int i = 0; i < 2; i++) {
        cleanup_free char *value = file_read(parent, files[i]);
        if (!value || file_write(dir, files[i], value) < 0)
            return -1;
    }
    return 0;
}

/* Make the directory NAME in PARENT and open it. */
static int make_group(struct group *group, const char *parent, const char *name)
{
    cleanup_fd int above = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(group->path);
    group->path = format("%s/%s", parent, name);
    if (above < 0 || mkdirat(above, name, 0755) < 0)
        return group->version == 1 && errno == EACCES
                   ? fail_hint("on a cgroup v1 host limits are for root", "make %s", group->path)
                   : fail("make the cgroup %s", group->path);
    group->dir = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group->dir < 0)
        return fail("open the cgroup %s", group->path);
    if (group->version == 1 && trees_word(group->controllers, "cpuset"))
        return copy_cpuset(above, group->dir);
    return 0;
}

/* May children of the v2 group at PATH get controllers?  If it is the root, or
 * holds no process.  Only the real root lacks the file cgroup.type. */
static int is_inner_node(const char *path)
{
    cleanup_free char *type = format("%s/cgroup.type", path);
    cleanup_free char *procs = format("%s/cgroup.procs", path);
    if (access(type, F_OK) < 0)
        return 1;
    cleanup_free char *list = file_read(AT_FDCWD, procs);
    return list && *list == '\0';
}

/* Hand the WANTED controllers out to the children of the v2 group at PATH, those that
 * the tree has at all: what it hasn't may be in a v1 tree, and cgroup_group() will know. */
static int hand_out(const struct group *group, const char *path, const char *const wanted[])
{
    cleanup_fd int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_free char *have = dir < 0 ? NULL : file_read(dir, "cgroup.controllers");
    cleanup_free char *on = dir < 0 ? NULL : file_read(dir, "cgroup.subtree_control");
    if (!have || !on)
        return fail("cgroup %s", path);
    for (; *wanted; wanted++) {
        cleanup_free char *enable = format("+%s", *wanted);
        if (trees_word(on, *wanted) || !trees_word(group->controllers, *wanted))
            continue;
        if (!trees_word(have, *wanted))
            return refuse("%s/cgroup.controllers has no %s", path, *wanted);
        if (file_write(dir, "cgroup.subtree_control", enable) < 0)
            return fail_in(path);
    }
    return 0;
}

/* From the group at PATH up to the tree's ROOT: the first that can have a child. */
static int make_below_nearest(struct group *group, const char *root, const char *path,
                              const char *name, const char *const wanted[])
{
    cleanup_free char *parent = format("%s", path);
    cleanup_free char *why = NULL; /* not in the nearest */
    for (;;) {
        if (is_inner_node(parent)) {
            if (hand_out(group, parent, wanted) == 0 && make_group(group, parent, name) == 0)
                return 0;
            why = why ? why : format("%s", error_message());
        }
        if (strlen(parent) <= strlen(root))
            break;
        *strrchr(parent, '/') = '\0';
    }
    return refuse("%s (to have a group delegated: systemd-run --user --scope -p Delegate=yes ...)",
                  why ? why : "no group above ours is without processes");
}

static int create_in(struct group *group, const struct tree *tree, const char *name,
                     const char *below, const char *const wanted[])
{
    *group = (struct group){.version = tree->version, .controllers = tree->controllers, .dir = -1};
    if (tree->version == 2 && !below)
        return make_below_nearest(group, tree->mount, tree->self, name, wanted);
    cleanup_free char *parent =
        below ? format("%s/%s", tree->mount, below) : format("%s", tree->self);
    if (tree->version == 2 && hand_out(group, parent, wanted) < 0)
        return -1;
    return make_group(group, parent, name);
}

int cgroup_create(struct cgroup *cgroup, const struct cgroup_where *where,
                  const char *const wanted[])
{
    struct tree trees[CGROUP_TREES];
    cleanup_free char *name = new_name();
    int count = trees_find(trees, CGROUP_TREES, where->mountinfo, where->self);
    int made = 0;
    if (count < 0)
        return -1;
    for (; cgroup->count < count; cgroup->count++) {
        struct group *group = &cgroup->groups[cgroup->count];
        if (create_in(group, &trees[cgroup->count], name, where->parent, wanted) == 0)
            made++;
        else
            group->problem = format("%s", error_message());
    }
    return made || !where->parent ? 0 : fail_in("--cgroup-parent");
}

/* --- using it ----------------------------------------------------------------- */

const struct group *cgroup_group(const struct cgroup *cgroup, const char *controller)
{
    for (int i = 0; i < cgroup->count; i++) {
        const struct group *group = &cgroup->groups[i];
        int is_io = group->version == 1 && strcmp(controller, "io") == 0;
        if (!trees_word(group->controllers, is_io ? "blkio" : controller))
            continue;
        if (!group->problem)
            return group;
        refuse("%s", group->problem);
        return NULL;
    }
    refuse("no %s controller here: neither a cgroup v1 mount in /proc/self/mountinfo nor the v2 "
           "tree's cgroup.controllers has it",
           controller);
    return NULL;
}

int cgroup_clone_fd(const struct cgroup *cgroup)
{
    for (int i = 0; i < cgroup->count; i++)
        if (cgroup->groups[i].version == 2 && !cgroup->groups[i].problem)
            return cgroup->groups[i].dir;
    return 0;
}

int cgroup_join(const struct cgroup *cgroup, pid_t pid)
{
    cleanup_free char *text = format("%d", pid);
    for (int i = 0; i < cgroup->count; i++)
        if (cgroup->groups[i].version == 1 && !cgroup->groups[i].problem &&
            file_write(cgroup->groups[i].dir, "cgroup.procs", text) < 0)
            return -1;
    return 0;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* Both versions answer at once and freeze in their own time, for a task has to
 * get to a place where it can stop; so look until all have. */
int cgroup_freeze(const struct cgroup *cgroup, int frozen)
{
    int v2 = cgroup_clone_fd(cgroup);
    const struct group *v1 = cgroup_group(cgroup, "freezer"); /* not a controller on v2 */
    if (!v1 && !v2)
        return -1;
    int dir = v1 ? v1->dir : v2;
    const char *file = v1 ? "freezer.state" : "cgroup.events";
    const char *word = v1 ? (frozen ? "FROZEN" : "THAWED") : (frozen ? "frozen 1" : "frozen 0");

    if (file_write(dir, v1 ? "freezer.state" : "cgroup.freeze", v1 ? word : (frozen ? "1" : "0")) <
        0)
        return -1;
    for (int tries = 0; tries < 500; tries++) {
        cleanup_free char *state = file_read(dir, file);
        if (!state || strstr(state, word))
            return state ? 0 : -1;
        nap();
    }
    return refuse("the container does not freeze");
}

/* --- removing it -------------------------------------------------------------- */

static void kill_all(int dir)
{
    if (file_write(dir, "cgroup.kill", "1") == 0)
        return; /* v2, Linux 5.14 */
    cleanup_free char *procs = file_read(dir, "cgroup.procs");
    for (char *pid = procs ? strtok(procs, "\n") : NULL; pid; pid = strtok(NULL, "\n"))
        if (atoi(pid) > 1)
            kill(atoi(pid), SIGKILL);
}

/* Kill all, and remove the groups below DIR, deepest first: the container may have made some. */
static void empty(int dir)
{
    cleanup_dir DIR *list = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct dirent *entry;
    kill_all(dir);
    while (list && (entry = readdir(list))) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        cleanup_fd int child = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (child >= 0)
            empty(child);
        unlinkat(dir, entry->d_name, AT_REMOVEDIR);
    }
}

/* rmdir says EBUSY until the last process is gone, which takes it a moment. */
static void remove_group(struct group *group)
{
    int busy = group->dir >= 0;
    for (int tries = 0; busy && tries < 1000; tries++) {
        busy = rmdir(group->path) < 0 && errno == EBUSY;
        if (!busy)
            break;
        empty(group->dir);
        nap();
    }
    if (busy)
        warn("cannot remove the cgroup %s: still busy (make clean-host tries again)", group->path);
    if (group->dir >= 0)
        close(group->dir);
}

void cgroup_destroy(struct cgroup *cgroup)
{
    for (int i = 0; i < cgroup->count; i++)
        remove_group(&cgroup->groups[i]);
    cgroup->count = 0;
}
