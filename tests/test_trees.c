/* test_trees.c - the cgroup trees of hosts that the tests describe in plain files. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "step04-cgroups/trees.h"
#include "tests/support.h"

/* A host: a directory with its mounts, and the two files that describe it. */
struct host {
    const char *dir;
    char *mountinfo, *self;
};

static struct host make_host(void)
{
    return (struct host){scratch_dir(), text("%s", ""), text("%s", "")};
}

/* A line of mountinfo for a tree mounted on NAME, which shows it from ROOT down. */
static void add_mount(struct host *host, const char *type, const char *name, const char *root,
                      const char *options)
{
    mkdir(text("%s/%s", host->dir, name), 0755);
    host->mountinfo = text("%s36 35 0:30 %s %s/%s rw,nosuid shared:9 - %s %s rw,%s\n",
                           host->mountinfo, root, host->dir, name, type, type, options);
}

/* The v2 tree has its controllers in a file. */
static void add_v2(struct host *host, const char *name, const char *root, const char *controllers)
{
    add_mount(host, "cgroup2", name, root, "nsdelegate");
    write_file(text("%s/%s/cgroup.controllers", host->dir, name), text("%s\n", controllers));
}

static void add_group(struct host *host, const char *path)
{
    ck_status(run("mkdir", "-p", text("%s/%s", host->dir, path)), 0);
}

static int find(struct host *host, struct tree *trees, int room)
{
    const char *mountinfo = text("%s/mountinfo", host->dir), *self = text("%s/self", host->dir);
    write_file(mountinfo, host->mountinfo);
    write_file(self, host->self);
    return trees_find(trees, room, mountinfo, self);
}

/* All that was found, a line for each: "1 cpu /mount /mount/group", without the host's
 * directory; v1 controllers without the mount options before them. */
static char *found(struct host *host)
{
    struct tree trees[16];
    int count = find(host, trees, 16);
    char *all = text("%s", "");
    ck_assert_int_ge(count, 0);
    for (int i = 0; i < count; i++) {
        char *controllers = text("%s", trees[i].controllers);
        controllers[strcspn(controllers, "\n")] = '\0';
        if (strncmp(controllers, "rw,", 3) == 0)
            controllers += 3;
        ck_assert(strncmp(trees[i].mount, host->dir, strlen(host->dir)) == 0);
        ck_assert(strncmp(trees[i].self, host->dir, strlen(host->dir)) == 0);
        all = text("%s%d %s %s %s\n", all, trees[i].version, controllers,
                   trees[i].mount + strlen(host->dir), trees[i].self + strlen(host->dir));
    }
    return all;
}

/* ---- words ----------------------------------------------------------------------------- */

START_TEST(words_are_whole_words)
{
    ck_assert_int_eq(trees_word("cpu,cpuacct", "cpu"), 1);
    ck_assert_int_eq(trees_word("cpu,cpuacct", "cpuacct"), 1);
    ck_assert_int_eq(trees_word("cpuset io memory\n", "memory"), 1);
    ck_assert_int_eq(trees_word("cpuset io memory\n", "cpu"), 0);
    ck_assert_int_eq(trees_word("cpuacct", "cpu"), 0);
    ck_assert_int_eq(trees_word("cpu", "cpuacct"), 0);
    ck_assert_int_eq(trees_word("", "cpu"), 0);
    ck_assert_int_eq(trees_word(",, \n", "cpu"), 0);
    ck_assert_int_eq(trees_word(",,cpu", "cpu"), 1);
}
END_TEST

/* ---- hosts ------------------------------------------------------------------------------- */

START_TEST(a_v2_host)
{
    struct host host = make_host();
    add_v2(&host, "cgroup", "/", "cpuset cpu io memory pids");
    add_group(&host, "cgroup/user.slice/session-1.scope");
    host.self = "0::/user.slice/session-1.scope\n";
    ck_assert_str_eq(found(&host), "2 cpuset cpu io memory pids /cgroup "
                                   "/cgroup/user.slice/session-1.scope\n");
}
END_TEST

START_TEST(a_v1_host)
{
    struct host host = make_host();
    add_mount(&host, "cgroup", "systemd", "/", "xattr,name=systemd");
    add_mount(&host, "cgroup", "cpu,cpuacct", "/", "cpu,cpuacct");
    add_mount(&host, "cgroup", "memory", "/", "memory");
    add_mount(&host, "cgroup", "net_cls", "/", "net_cls");
    add_mount(&host, "tmpfs", "tmp", "/", "mode=755");
    add_group(&host, "memory/jobs/1");
    host.self = "4:cpu,cpuacct:/\n3:memory:/jobs/1\n1:name=systemd:/jobs/1\n";
    ck_assert_str_eq(found(&host), "1 cpu,cpuacct /cpu,cpuacct /cpu,cpuacct\n"
                                   "1 memory /memory /memory/jobs/1\n");
}
END_TEST

START_TEST(a_hybrid_host)
{
    struct host host = make_host();
    add_mount(&host, "cgroup", "memory", "/", "memory");
    add_v2(&host, "unified", "/", "hugetlb");
    add_mount(&host, "cgroup", "pids", "/", "pids");
    add_group(&host, "memory/a");
    add_group(&host, "unified/b");
    host.self = "8:pids:/c\n4:memory:/a\n0::/b\n";
    ck_assert_str_eq(found(&host), "1 memory /memory /memory/a\n"
                                   "2 hugetlb /unified /unified/b\n"
                                   "1 pids /pids /pids\n");
}
END_TEST

/* The v2 tree of a host whose controllers are all in v1: CLONE_INTO_CGROUP wants it. */
START_TEST(a_v2_tree_without_controllers)
{
    struct host host = make_host();
    add_v2(&host, "unified", "/", "");
    host.self = "0::/\n";
    ck_assert_str_eq(found(&host), "2  /unified /unified\n");
}
END_TEST

START_TEST(a_v2_mount_that_is_not_one_is_left_out)
{
    struct host host = make_host();
    add_mount(&host, "cgroup2", "covered", "/", "nsdelegate"); /* something is mounted over it */
    host.self = "0::/\n";
    ck_assert_str_eq(found(&host), "");
}
END_TEST

START_TEST(a_host_without_cgroups)
{
    struct host host = make_host();
    add_mount(&host, "tmpfs", "tmp", "/", "mode=755");
    ck_assert_str_eq(found(&host), "");
}
END_TEST

/* ---- mounts ------------------------------------------------------------------------------- */

/* In a container without a cgroup namespace the mount shows the tree from our group down. */
START_TEST(a_mount_of_a_part)
{
    struct host host = make_host();
    add_mount(&host, "cgroup", "memory", "/docker/abc", "memory");
    add_mount(&host, "cgroup", "pids", "/docker/abc", "pids");
    add_group(&host, "pids/inner");
    add_group(&host, "memory/docker/abc"); /* would be found if the root were forgotten */
    host.self = "3:memory:/docker/abc\n2:pids:/docker/abc/inner\n";
    ck_assert_str_eq(found(&host), "1 memory /memory /memory\n"
                                   "1 pids /pids /pids/inner\n");
}
END_TEST

START_TEST(a_group_outside_of_the_mounted_part)
{
    struct host host = make_host();
    add_mount(&host, "cgroup", "memory", "/docker/abc", "memory");
    add_mount(&host, "cgroup", "pids", "/docker/abc", "pids");
    add_group(&host, "memory/other");
    add_group(&host, "pidsdef");
    host.self = "3:memory:/other\n2:pids:/docker/abcdef\n";
    ck_assert_str_eq(found(&host), "1 memory /memory /memory\n"
                                   "1 pids /pids /pids\n");
}
END_TEST

START_TEST(a_tree_mounted_twice_counts_once)
{
    struct host host = make_host();
    add_mount(&host, "cgroup", "memory", "/", "memory");
    add_v2(&host, "unified", "/", "hugetlb");
    add_mount(&host, "cgroup", "memory-again", "/", "memory");
    add_v2(&host, "unified-again", "/", "hugetlb");
    host.self = "4:memory:/\n0::/\n";
    ck_assert_str_eq(found(&host), "1 memory /memory /memory\n"
                                   "2 hugetlb /unified /unified\n");
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
    static const char *const names[] = {"memory", "cpu", "pids", "freezer"};
    struct host host = make_host();
    struct tree trees[3] = {{0}, {0}, {.version = 77}};
    for (size_t i = 0; i < 4; i++)
        add_mount(&host, "cgroup", names[i], "/", names[i]);
    ck_assert_int_eq(find(&host, trees, 2), 2);
    ck_assert_str_eq(trees[1].controllers, "rw,cpu");
    ck_assert_int_eq(trees[2].version, 77);
}
END_TEST

START_TEST(groups_are_not_confused)
{
    struct host host = make_host();
    add_mount(&host, "cgroup", "cpuset", "/", "cpuset");
    add_mount(&host, "cgroup", "cpu", "/", "cpu");
    add_v2(&host, "unified", "/", "pids");
    add_group(&host, "cpuset/one");
    add_group(&host, "cpu/two");
    add_group(&host, "unified/with:colon");
    host.self = "7:name=cpu:/wrong\n3:cpuset:/one\n2:cpu:/two\n0::/with:colon\n";
    ck_assert_str_eq(found(&host), "1 cpuset /cpuset /cpuset/one\n"
                                   "1 cpu /cpu /cpu/two\n"
                                   "2 pids /unified /unified/with:colon\n");
}
END_TEST

/* ---- malformed --------------------------------------------------------------------------------
 */

START_TEST(lines_that_are_none_are_passed_over)
{
    static const char *const lines[] = {
        "",
        " ",
        "\n\n\n",
        "garbage",
        " - cgroup",
        " - cgroup ",
        " - cgroup2 ",
        " - cgroup2 x",
        "36 35 0:30 / /nowhere rw - cgroup",
        "36 35 0:30 / /nowhere rw - cgroup cgroup",
        "36 35 0:30 / /nowhere rw - cgroup2 cgroup2 rw",
        "36 35 0:30 / /nowhere rw - cgroupfs x rw,name=memory",
        "36 35 0:30 / /nowhere rw - tmpfs tmpfs rw,memory",
        "\377\376 \001 - cgroup\377 \200 \300",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct host host = make_host();
        host.mountinfo = text("%s\n", lines[i]);
        add_mount(&host, "cgroup", "memory", "/", "memory");
        host.mountinfo = text("%s%s", host.mountinfo, lines[i]); /* and at the end, cut off */
        host.self = "3:memory:/\n";
        ck_assert_str_eq(found(&host), "1 memory /memory /memory\n");
    }
}
END_TEST

START_TEST(a_group_file_that_is_none_means_the_top)
{
    static const char *const files[] = {"",
                                        ":",
                                        "::",
                                        "0",
                                        "3:memory",
                                        "3:memory:",
                                        "memory",
                                        "\n\n",
                                        "3:memory\n:/a",
                                        ":,:/",
                                        "\377\376",
                                        "3:,,,:/a",
                                        "3:name=memory:/a"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct host host = make_host();
        add_mount(&host, "cgroup", "memory", "/", "memory");
        add_group(&host, "memory/a");
        host.self = text("%s", files[i]);
        ck_assert_str_eq(found(&host), "1 memory /memory /memory\n");
    }
}
END_TEST

START_TEST(very_long_lines)
{
    struct host host = make_host();
    char *length = malloc(100001);
    memset(length, 'x', 100000);
    length[100000] = '\0';
    host.mountinfo =
        text("%s\n36 35 0:30 /%s %s rw - cgroup x rw,net_cls,%s\n", length, length, length, length);
    add_mount(&host, "cgroup", "memory", "/", "memory");
    host.self = text("%s\n3:%s:%s\n3:memory:/%s\n", length, length, length, length);
    ck_assert_str_eq(found(&host), "1 memory /memory /memory\n");
}
END_TEST

/* Random bytes where a field may be, most of them separators: ASan watches. */
START_TEST(random_lines_do_no_harm)
{
    static const char letters[] = " :,/-\n\tcgroup2 - cgroup memory cpu rw=";
    srand(4);
    for (int i = 0; i < 300; i++) {
        struct host host = make_host();
        struct tree trees[4];
        char mounts[400], self[200];
        for (size_t n = 0; n < sizeof(mounts); n++)
            mounts[n] = letters[(size_t)rand() % (sizeof(letters) - 1)];
        for (size_t n = 0; n < sizeof(self); n++)
            self[n] = letters[(size_t)rand() % (sizeof(letters) - 1)];
        host.self = text("%.*s", (int)sizeof(self), self);
        host.mountinfo = text("1 2 3 / /x rw - cgroup x rw,memory\n1 2 3 %.*s - cgroup %.*s", 200,
                              mounts, 200, mounts + 200);
        int count = find(&host, trees, 4);
        ck_assert_int_ge(count, 1);
        ck_assert_int_le(count, 4);
        ck_assert_str_eq(trees[0].mount, "/x");
    }
}
END_TEST

START_TEST(files_that_are_not_there_are_named)
{
    struct tree trees[2];
    ck_assert_int_eq(trees_find(trees, 2, "/no/such/mountinfo", NULL), -1);
    ck_contains(error_message(), "/no/such/mountinfo: No such file");
    ck_assert_int_eq(trees_find(trees, 2, NULL, "/no/such/self"), -1);
    ck_contains(error_message(), "/no/such/self: No such file");
}
END_TEST

/* ---- this host
 * ----------------------------------------------------------------------------------- */

START_TEST(this_hosts_own_trees)
{
    SKIP_UNLESS("cgroup", cgroup_mode() != CGROUP_NONE, "no cgroup tree is mounted");
    struct tree trees[16];
    bool v1 = false, v2 = false;
    int count = trees_find(trees, 16, NULL, NULL);
    for (int i = 0; i < count; i++) {
        *(trees[i].version == 2 ? &v2 : &v1) = true;
        ck_assert(exists(text("%s/cgroup.procs", trees[i].mount)));
        ck_contains(text("\n%s", read_file(text("%s/cgroup.procs", trees[i].self))),
                    text("\n%d\n", getpid()));
    }
    ck_assert_int_eq(v2, cgroup_mode() != CGROUP_V1);
    ck_assert_int_eq(v1, cgroup_mode() != CGROUP_V2);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("trees");

    TCase *words = add_case(suite, "words");
    tcase_add_test(words, words_are_whole_words);

    TCase *hosts = add_case(suite, "hosts");
    tcase_add_test(hosts, a_v2_host);
    tcase_add_test(hosts, a_v1_host);
    tcase_add_test(hosts, a_hybrid_host);
    tcase_add_test(hosts, a_v2_tree_without_controllers);
    tcase_add_test(hosts, a_v2_mount_that_is_not_one_is_left_out);
    tcase_add_test(hosts, a_host_without_cgroups);
    tcase_add_test(hosts, this_hosts_own_trees);

    TCase *mounts = add_case(suite, "mounts");
    tcase_add_test(mounts, a_mount_of_a_part);
    tcase_add_test(mounts, a_group_outside_of_the_mounted_part);
    tcase_add_test(mounts, a_tree_mounted_twice_counts_once);
    tcase_add_test(mounts, no_more_than_there_is_room_for);
    tcase_add_test(mounts, groups_are_not_confused);

    TCase *malformed = add_case(suite, "malformed");
    tcase_add_test(malformed, lines_that_are_none_are_passed_over);
    tcase_add_test(malformed, a_group_file_that_is_none_means_the_top);
    tcase_add_test(malformed, very_long_lines);
    tcase_add_test(malformed, random_lines_do_no_harm);
    tcase_add_test(malformed, files_that_are_not_there_are_named);
    return suite;
}
