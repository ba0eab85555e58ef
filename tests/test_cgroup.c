/* test_cgroup.c - where a group is made and what is written, in plain directories that
 * stand for cgroup trees.  What the kernel makes of it is test_step04.c's. */
#include <fcntl.h>
#include <regex.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "step04-cgroups/cgroup.h"
#include "tests/support.h"

static const char *const nothing[] = {NULL};
static const char *const memory[] = {"memory", NULL};

/* A host: a directory for its trees, and the two files that describe it. */
struct host {
    const char *dir;
    char *mountinfo, *self;
};

static struct host make_host(void)
{
    return (struct host){scratch_dir(), text("%s", ""), text("%s", "")};
}

static void add_v1(struct host *host, const char *name, const char *group)
{
    ck_status(run("mkdir", "-p", text("%s/%s%s", host->dir, name, group)), 0);
    host->mountinfo = text("%s9 9 0:9 / %s/%s rw - cgroup cgroup rw,%s\n", host->mountinfo,
                           host->dir, name, name);
    host->self = text("%s3:%s:%s\n", host->self, name, group);
}

/* A v2 group that has the controllers HAVE and the processes PROCS. */
static void add_v2_group(struct host *host, const char *path, const char *have, const char *procs)
{
    const char *dir = text("%s/unified%s", host->dir, path);
    mkdir(dir, 0755);
    if (*path) /* the root has no type */
        write_file(text("%s/cgroup.type", dir), "domain\n");
    write_file(text("%s/cgroup.procs", dir), procs);
    write_file(text("%s/cgroup.controllers", dir), text("%s\n", have));
    write_file(text("%s/cgroup.subtree_control", dir), "\n");
}

/* The v2 tree, with a root that holds processes, and us in GROUP. */
static void add_v2(struct host *host, const char *have, const char *group)
{
    add_v2_group(host, "", have, "1\n2\n");
    host->mountinfo =
        text("%s9 9 0:9 / %s/unified rw - cgroup2 cgroup2 rw\n", host->mountinfo, host->dir);
    host->self = text("%s0::%s\n", host->self, group);
}

static int create(struct host *host, struct cgroup *cgroup, const char *parent,
                  const char *const wanted[])
{
    struct cgroup_where where = {text("%s/mountinfo", host->dir), text("%s/self", host->dir),
                                 parent};
    write_file(where.mountinfo, host->mountinfo);
    write_file(where.self, host->self);
    *cgroup = (struct cgroup){0};
    return cgroup_create(cgroup, &where, wanted);
}

/* Whether the group number I is PARENT/nine-PID-HEX, is there and is open. */
static void ck_made(struct host *host, const struct cgroup *cgroup, int i, const char *parent)
{
    const struct group *group = &cgroup->groups[i];
    regex_t regex;
    const char *pattern = text("^%s/%s/nine-%d-[0-9a-f]{8}$", host->dir, parent, getpid());
    ck_assert_msg(!group->problem, "%s", group->problem);
    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&regex, group->path, 0, NULL, 0) == 0, "%s is not below %s", group->path,
                  parent);
    ck_assert(exists(group->path));
    ck_assert(fcntl(group->dir, F_GETFD) == FD_CLOEXEC);
}

static char *subtree_control(struct host *host, const char *path)
{
    return read_file(text("%s/unified%s/cgroup.subtree_control", host->dir, path));
}

/* ---- v1 -------------------------------------------------------------------------------- */

START_TEST(v1_groups_are_below_our_own_in_every_tree)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v1(&host, "memory", "/jobs/1");
    add_v1(&host, "pids", "/");
    ck_assert_int_eq(create(&host, &cgroup, NULL, memory), 0);
    ck_assert_int_eq(cgroup.count, 2);
    ck_made(&host, &cgroup, 0, "memory/jobs/1");
    ck_made(&host, &cgroup, 1, "pids");
    ck_assert_str_eq(strrchr(cgroup.groups[0].path, '/'), strrchr(cgroup.groups[1].path, '/'));
    ck_assert_ptr_eq(cgroup_group(&cgroup, "pids"), &cgroup.groups[1]);
    ck_assert_int_eq(cgroup_clone_fd(&cgroup), 0);
}
END_TEST

START_TEST(two_groups_have_two_names)
{
    struct host host = make_host();
    struct cgroup one, two;
    add_v1(&host, "memory", "/");
    ck_assert_int_eq(create(&host, &one, NULL, memory), 0);
    ck_assert_int_eq(create(&host, &two, NULL, memory), 0);
    ck_made(&host, &two, 0, "memory");
    ck_assert_str_ne(one.groups[0].path, two.groups[0].path);
}
END_TEST

START_TEST(io_is_called_blkio_on_v1)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v1(&host, "blkio", "/");
    ck_assert_int_eq(create(&host, &cgroup, NULL, nothing), 0);
    ck_assert_ptr_eq(cgroup_group(&cgroup, "io"), &cgroup.groups[0]);
}
END_TEST

START_TEST(a_controller_that_is_nowhere_is_named)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v1(&host, "memory", "/");
    add_v2(&host, "hugetlb", "/");
    ck_assert_int_eq(create(&host, &cgroup, NULL, nothing), 0);
    ck_assert_ptr_null(cgroup_group(&cgroup, "pids"));
    ck_contains(error_message(), "no pids controller here");
    ck_contains(error_message(), "/proc/self/mountinfo");
    ck_contains(error_message(), "cgroup.controllers");
}
END_TEST

/* On a host without cgroups everything goes on, until somebody wants a limit. */
START_TEST(without_any_tree_nothing_is_made)
{
    struct host host = make_host();
    struct cgroup cgroup;
    ck_assert_int_eq(create(&host, &cgroup, NULL, memory), 0);
    ck_assert_int_eq(cgroup.count, 0);
    ck_assert_int_eq(cgroup_clone_fd(&cgroup), 0);
    ck_assert_int_eq(cgroup_join(&cgroup, 1), 0);
    ck_assert_ptr_null(cgroup_group(&cgroup, "memory"));
    ck_assert_int_eq(cgroup_freeze(&cgroup, 1), -1);
    cgroup_destroy(&cgroup);
}
END_TEST

/* ---- v2: no processes in inner nodes ------------------------------------------------------ */

START_TEST(v2_takes_the_nearest_group_without_processes)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v2(&host, "cpu memory", "/a/b/c");
    add_v2_group(&host, "/a", "cpu memory", "");
    add_v2_group(&host, "/a/b", "cpu memory", "");
    add_v2_group(&host, "/a/b/c", "cpu memory", "77\n");
    ck_assert_int_eq(create(&host, &cgroup, NULL, memory), 0);
    ck_made(&host, &cgroup, 0, "unified/a/b");
    ck_assert_str_eq(subtree_control(&host, "/a/b"), "+memory");
    ck_assert_str_eq(subtree_control(&host, "/a"), "\n");
    ck_assert_int_eq(cgroup_clone_fd(&cgroup), cgroup.groups[0].dir);
}
END_TEST

START_TEST(our_own_group_will_do_if_it_is_empty)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v2(&host, "memory", "/a");
    add_v2_group(&host, "/a", "memory", "");
    ck_assert_int_eq(create(&host, &cgroup, NULL, memory), 0);
    ck_made(&host, &cgroup, 0, "unified/a");
}
END_TEST

START_TEST(the_root_may_hold_processes)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v2(&host, "memory", "/a/b");
    add_v2_group(&host, "/a", "memory", "5\n");
    add_v2_group(&host, "/a/b", "memory", "6\n");
    ck_assert_int_eq(create(&host, &cgroup, NULL, memory), 0);
    ck_made(&host, &cgroup, 0, "unified");
    ck_assert_str_eq(subtree_control(&host, ""), "+memory");
}
END_TEST

/* systemd hands out what its units ask for, which may be less than there is. */
START_TEST(a_group_that_lacks_the_controller_is_passed_over)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v2(&host, "cpu memory pids", "/a/b/c");
    add_v2_group(&host, "/a", "memory pids", "");
    add_v2_group(&host, "/a/b", "pids", "");
    add_v2_group(&host, "/a/b/c", "", "77\n");
    ck_assert_int_eq(create(&host, &cgroup, NULL, memory), 0);
    ck_made(&host, &cgroup, 0, "unified/a");
    ck_assert_int_eq(create(&host, &cgroup, NULL, (const char *const[]){"cpu", NULL}), 0);
    ck_made(&host, &cgroup, 0, "unified");
    ck_assert_int_eq(create(&host, &cgroup, NULL, nothing), 0);
    ck_made(&host, &cgroup, 0, "unified/a/b");
}
END_TEST

START_TEST(what_is_handed_out_already_is_left_alone)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v2(&host, "cpu memory", "/a");
    add_v2_group(&host, "/a", "cpu memory", "");
    write_file(text("%s/unified/a/cgroup.subtree_control", host.dir), "cpu memory\n");
    ck_assert_int_eq(create(&host, &cgroup, NULL, memory), 0);
    ck_made(&host, &cgroup, 0, "unified/a");
    ck_assert_str_eq(subtree_control(&host, "/a"), "cpu memory\n");
}
END_TEST

/* On a hybrid host a v1 tree has it: nothing for the v2 tree to hand out. */
START_TEST(a_v1_controller_is_not_asked_of_v2)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v1(&host, "memory", "/");
    add_v2(&host, "hugetlb", "/");
    ck_assert_int_eq(create(&host, &cgroup, NULL, memory), 0);
    ck_made(&host, &cgroup, 0, "memory");
    ck_made(&host, &cgroup, 1, "unified");
    ck_assert_str_eq(subtree_control(&host, ""), "\n");
    ck_assert_ptr_eq(cgroup_group(&cgroup, "memory"), &cgroup.groups[0]);
    ck_assert_ptr_eq(cgroup_group(&cgroup, "hugetlb"), &cgroup.groups[1]);
    ck_assert_int_eq(cgroup_clone_fd(&cgroup), cgroup.groups[1].dir);
}
END_TEST

START_TEST(what_is_missing_is_told_when_it_is_wanted)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v2(&host, "memory", "/a");
    add_v2_group(&host, "/a", "memory", "7\n");
    const char *file = text("%s/unified/cgroup.subtree_control", host.dir);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(mkdir(file, 0755), 0); /* not even root can write that */
    ck_assert_int_eq(create(&host, &cgroup, NULL, memory), 0);
    ck_assert_ptr_nonnull(cgroup.groups[0].problem);
    ck_assert_int_eq(cgroup_clone_fd(&cgroup), 0);
    ck_assert_ptr_null(cgroup_group(&cgroup, "memory"));
    ck_contains(error_message(), "/unified: Is a directory");
    ck_contains(error_message(), "Delegate=yes");
    cgroup_destroy(&cgroup);
}
END_TEST

/* ---- a parent by name ------------------------------------------------------------------------ */

START_TEST(a_named_parent_is_seen_from_the_root)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v1(&host, "pids", "/ours");
    add_v2(&host, "memory", "/ours");
    add_v2_group(&host, "/ours", "memory", "");
    add_v2_group(&host, "/theirs", "memory", "");
    ck_assert_int_eq(mkdir(text("%s/pids/theirs", host.dir), 0755), 0);
    ck_assert_int_eq(create(&host, &cgroup, "theirs", memory), 0);
    ck_made(&host, &cgroup, 0, "pids/theirs");
    ck_made(&host, &cgroup, 1, "unified/theirs");
    ck_assert_str_eq(subtree_control(&host, "/theirs"), "+memory");
    ck_assert_str_eq(subtree_control(&host, "/ours"), "\n");
}
END_TEST

START_TEST(a_parent_in_one_tree_only_will_do)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v1(&host, "pids", "/");
    add_v1(&host, "memory", "/");
    ck_assert_int_eq(mkdir(text("%s/memory/theirs", host.dir), 0755), 0);
    ck_assert_int_eq(create(&host, &cgroup, "theirs", memory), 0);
    ck_made(&host, &cgroup, 1, "memory/theirs");
    ck_assert_ptr_null(cgroup_group(&cgroup, "pids"));
    ck_contains(error_message(), "/pids/theirs/nine-");
    ck_contains(error_message(), "No such file or directory");
}
END_TEST

START_TEST(a_parent_that_is_nowhere_is_refused)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v1(&host, "pids", "/");
    add_v2(&host, "memory", "/");
    ck_assert_int_eq(create(&host, &cgroup, "theirs", memory), -1);
    ck_contains(error_message(), "theirs");
}
END_TEST

/* ---- what is written ----------------------------------------------------------------------------
 */

START_TEST(a_process_joins_in_the_v1_trees)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v1(&host, "pids", "/");
    add_v1(&host, "memory", "/");
    add_v2(&host, "hugetlb", "/");
    ck_assert_int_eq(create(&host, &cgroup, NULL, nothing), 0);
    for (int i = 0; i < 3; i++)
        write_file(text("%s/cgroup.procs", cgroup.groups[i].path), "");
    ck_assert_int_eq(cgroup_join(&cgroup, 4711), 0);
    ck_assert_str_eq(read_file(text("%s/cgroup.procs", cgroup.groups[0].path)), "4711");
    ck_assert_str_eq(read_file(text("%s/cgroup.procs", cgroup.groups[1].path)), "4711");
    ck_assert_str_eq(read_file(text("%s/cgroup.procs", cgroup.groups[2].path)), "");
    ck_assert_int_eq(unlink(text("%s/cgroup.procs", cgroup.groups[1].path)), 0);
    ck_assert_int_eq(cgroup_join(&cgroup, 4711), -1);
    ck_contains(error_message(), "cgroup.procs");
}
END_TEST

START_TEST(freezing_on_v1)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v2(&host, "memory", "/"); /* v1's freezer comes first: a task is in both */
    add_v1(&host, "freezer", "/");
    ck_assert_int_eq(create(&host, &cgroup, NULL, nothing), 0);
    const char *state = text("%s/freezer.state", cgroup.groups[1].path);
    write_file(state, "THAWED\n");
    ck_assert_int_eq(cgroup_freeze(&cgroup, 1), 0);
    ck_assert_str_eq(read_file(state), "FROZEN");
    ck_assert_int_eq(cgroup_freeze(&cgroup, 0), 0);
    ck_assert_str_eq(read_file(state), "THAWED");
}
END_TEST

START_TEST(freezing_on_v2_waits_for_the_event)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v2(&host, "memory", "/");
    ck_assert_int_eq(create(&host, &cgroup, NULL, nothing), 0);
    const char *freeze = text("%s/cgroup.freeze", cgroup.groups[0].path),
               *events = text("%s/cgroup.events", cgroup.groups[0].path);
    write_file(freeze, "");
    write_file(events, "populated 1\nfrozen 1\n");
    ck_assert_int_eq(cgroup_freeze(&cgroup, 1), 0);
    ck_assert_str_eq(read_file(freeze), "1");
    double begin = seconds_now();
    ck_assert_int_eq(cgroup_freeze(&cgroup, 0), -1); /* no event comes: that has an end */
    ck_assert_str_eq(read_file(freeze), "0");
    ck_assert_double_gt(seconds_now() - begin, 0.3);
    ck_assert_double_lt(seconds_now() - begin, 10 * timeout_multiplier());
    ck_contains(error_message(), "freeze");
}
END_TEST

START_TEST(the_end)
{
    struct host host = make_host();
    struct cgroup cgroup;
    add_v1(&host, "pids", "/");
    add_v2(&host, "memory", "/");
    ck_assert_int_eq(create(&host, &cgroup, NULL, nothing), 0);
    int fds[] = {cgroup.groups[0].dir, cgroup.groups[1].dir};
    const char *paths[] = {cgroup.groups[0].path, cgroup.groups[1].path};
    cgroup_destroy(&cgroup);
    for (int i = 0; i < 2; i++) {
        ck_assert(!exists(paths[i]));
        ck_assert_int_eq(fcntl(fds[i], F_GETFD), -1);
    }
    cgroup_destroy(&cgroup); /* there is nothing any more */
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("cgroup");

    TCase *v1 = add_case(suite, "v1");
    tcase_add_test(v1, v1_groups_are_below_our_own_in_every_tree);
    tcase_add_test(v1, two_groups_have_two_names);
    tcase_add_test(v1, io_is_called_blkio_on_v1);
    tcase_add_test(v1, a_controller_that_is_nowhere_is_named);
    tcase_add_test(v1, without_any_tree_nothing_is_made);

    TCase *v2 = add_case(suite, "v2");
    tcase_add_test(v2, v2_takes_the_nearest_group_without_processes);
    tcase_add_test(v2, our_own_group_will_do_if_it_is_empty);
    tcase_add_test(v2, the_root_may_hold_processes);
    tcase_add_test(v2, a_group_that_lacks_the_controller_is_passed_over);
    tcase_add_test(v2, what_is_handed_out_already_is_left_alone);
    tcase_add_test(v2, a_v1_controller_is_not_asked_of_v2);
    tcase_add_test(v2, what_is_missing_is_told_when_it_is_wanted);

    TCase *parent = add_case(suite, "parent");
    tcase_add_test(parent, a_named_parent_is_seen_from_the_root);
    tcase_add_test(parent, a_parent_in_one_tree_only_will_do);
    tcase_add_test(parent, a_parent_that_is_nowhere_is_refused);

    TCase *written = add_case(suite, "written");
    tcase_add_test(written, a_process_joins_in_the_v1_trees);
    tcase_add_test(written, freezing_on_v1);
    tcase_add_test(written, freezing_on_v2_waits_for_the_event);
    tcase_add_test(written, the_end);
    return suite;
}
