/* test_step04.c - limits: each of them bites, and the group is there just as long as
 * the container.  The same tests on cgroup v1, hybrid and v2 hosts; where the two
 * versions differ, the test asks which one has the controller. */
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/support.h"

#define NEEDS_ROOT SKIP_UNLESS("root", have_root(), "root makes cgroups")
#define NEEDS_GROUPS \
    NEEDS_ROOT;      \
    SKIP_UNLESS("cgroup", cgroup_mode() != CGROUP_NONE, "no cgroup tree is mounted")
#define NEEDS(controller) \
    NEEDS_ROOT;           \
    SKIP_UNLESS(controller, tree_of(controller).version, "no such cgroup controller")

/* Reads 64 MiB into memory at one go. */
#define HOG "dd if=/dev/zero of=/dev/null bs=64M count=1"
#define MIB (1024.0 * 1024)

/* ---- the groups, seen from the host --------------------------------------------------------- */

struct tree {
    int version; /* 1, 2; 0: there is none */
    char root[256], mount[256], controllers[256];
};

static bool has_word(const char *list, const char *word)
{
    return contains(text(",%s,", list), text(",%s,", word));
}

/* All cgroup trees with something to control, from lines of mountinfo:
 * 36 35 98:0 /root /mount rw,noatime shared:1 - cgroup cgroup rw,memory */
static size_t find_trees(struct tree trees[32])
{
    size_t count = 0;
    char *line, *rest, *info = read_file("/proc/self/mountinfo");
    for (line = strtok_r(info, "\n", &rest); line && count < 32;
         line = strtok_r(NULL, "\n", &rest)) {
        struct tree *tree = &trees[count];
        const char *type = strstr(line, " - cgroup");
        if (!type || contains(type, "name=") ||
            sscanf(line, "%*s %*s %*s %255s %255s", tree->root, tree->mount) != 2 ||
            sscanf(type, " - %*s %*s %255s", tree->controllers) != 1)
            continue;
        tree->version = strncmp(type, " - cgroup2 ", 11) == 0 ? 2 : 1;
        if (tree->version == 2) {
            char *list = read_file(text("%s/cgroup.controllers", tree->mount));
            for (char *at = list; (at = strpbrk(at, " \n"));)
                *at = ',';
            snprintf(tree->controllers, sizeof(tree->controllers), "%s", list);
        }
        count++;
    }
    return count;
}

/* The tree that has a CONTROLLER; "" is the v2 tree, whatever it has. */
static struct tree tree_of(const char *controller)
{
    struct tree trees[32], none = {0};
    for (size_t i = find_trees(trees); i-- > 0;) {
        bool is_io = trees[i].version == 1 && strcmp(controller, "io") == 0;
        if (*controller ? has_word(trees[i].controllers, is_io ? "blkio" : controller)
                        : trees[i].version == 2)
            return trees[i];
    }
    return none;
}

/* The directory of a process's group in the tree of CONTROLLER. */
static const char *group_of(pid_t pid, const char *controller)
{
    struct tree tree = tree_of(controller);
    bool is_io = tree.version == 1 && strcmp(controller, "io") == 0;
    char *line, *rest, *groups = read_file(text("/proc/%d/cgroup", pid));
    for (line = strtok_r(groups, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *list = strchr(line, ':') + 1, *path = strchr(list, ':');
        *path++ = '\0';
        if (tree.version == 2 ? *list != '\0' : !has_word(list, is_io ? "blkio" : controller))
            continue;
        size_t above = strcmp(tree.root, "/") == 0 ? 0 : strlen(tree.root);
        return text("%s%s", tree.mount, path + above);
    }
    ck_abort_msg("process %d has no group for \"%s\"", pid, controller);
}

/* What the file of a group says, of v1 or v2, without its last newline. */
static char *group_file(pid_t pid, const char *controller, const char *v1, const char *v2)
{
    const char *file = tree_of(controller).version == 2 ? v2 : v1;
    char *content = read_file(text("%s/%s", group_of(pid, controller), file));
    content[strcspn(content, "\n")] = '\0';
    return content;
}

/* CPU seconds that the group of a process has used. */
static double cpu_time(pid_t pid)
{
    if (tree_of("cpuacct").version)
        return atof(group_file(pid, "cpuacct", "cpuacct.usage", "")) / 1e9;
    return atof(group_file(pid, "cpu", "", "cpu.stat") + strlen("usage_usec ")) / 1e6;
}

/* The CPU time used from now on for some SECONDS. */
static double cpu_time_in(double seconds, pid_t pid)
{
    double used = cpu_time(pid);
    usleep((useconds_t)(seconds * 1e6));
    return cpu_time(pid) - used;
}

/* What --stats printed behind LABEL; -1 if it has no such line. */
static double figure(struct result result, const char *label)
{
    const char *start = text("\n%s ", label), *line = strstr(text("\n%s", result.err), start);
    return line ? atof(line + strlen(start)) : -1;
}

/* A CPU that we may run on. */
static const char *our_cpu(void)
{
    const char *list = strstr(read_file("/proc/self/status"), "Cpus_allowed_list:");
    return text("%d", atoi(strpbrk(list, "0123456789")));
}

/* ---- the group ------------------------------------------------------------------------------ */

/* Whether every line of /proc/PID/cgroup ends as PATTERN says; but for v1 trees
 * without a controller, such as systemd's. */
static void ck_all_groups(const char *groups, const char *pattern)
{
    regex_t regex;
    char *line, *rest, *copy = text("%s", groups);
    int count = 0;
    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (contains(line, ":name=") || (strncmp(line, "0:", 2) == 0 && !tree_of("").version))
            continue;
        ck_assert_msg(regexec(&regex, line, 0, NULL, 0) == 0, "no \"%s\" in: %s", pattern, line);
        count++;
    }
    ck_assert_int_gt(count, 0);
    regfree(&regex);
}

START_TEST(the_group_is_there_while_the_container_runs)
{
    NEEDS_GROUPS;
    struct running r = start_program(make_root(), "sh", "-c", "sleep 100 & cat");
    pid_t other = await_process(r.pid, "sleep"), inside = child_of(r.pid);
    const char *name = text("/nine-%d-[0-9a-f]+$", r.pid);
    ck_all_groups(read_file(text("/proc/%d/cgroup", inside)), name);
    ck_all_groups(read_file(text("/proc/%d/cgroup", other)), name);

    struct tree trees[32];
    size_t count = find_trees(trees);
    for (size_t i = 0; i < count; i++) {
        const char *first =
            trees[i].version == 2 ? "" : strtok(text("%s", strchr(trees[i].controllers, ',')), ",");
        const char *group = group_of(inside, first);
        ck_contains(text("\n%s", read_file(text("%s/cgroup.procs", group))),
                    text("\n%d\n", inside));
        strcpy(trees[i].controllers, group); /* for a look at it afterwards */
    }
    ck_status(finish(&r), 0);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(!exists(trees[i].controllers), "%s is still there", trees[i].controllers);
}
END_TEST

/* The first command is in its group from its first instruction on. */
START_TEST(the_first_process_starts_in_its_group)
{
    NEEDS_GROUPS;
    struct running r = start_program("--uts", make_root(), "cat", "/proc/self/cgroup");
    ck_all_groups(finish(&r).out, text("/nine-%d-[0-9a-f]+$", r.pid));
}
END_TEST

START_TEST(the_container_sees_itself_at_the_top)
{
    NEEDS_GROUPS;
    ck_all_groups(run_program(make_root(), "cat", "/proc/self/cgroup").out, ":/$");
}
END_TEST

START_TEST(the_programs_own_group_stays_what_it_was)
{
    NEEDS_GROUPS;
    struct running r = start_program(make_root(), "cat");
    await_process(r.pid, "cat");
    ck_assert_str_eq(read_file(text("/proc/%d/cgroup", r.pid)), read_file("/proc/self/cgroup"));
    ck_status(finish(&r), 0);
}
END_TEST

/* ---- memory --------------------------------------------------------------------------------- */

START_TEST(a_hog_is_killed)
{
    NEEDS("memory");
    struct result hog = run_program("--memory", "16M", "--stats", make_root(), "dd", "if=/dev/zero",
                                    "of=/dev/null", "bs=64M", "count=1");
    ck_status(hog, 128 + 9);
    ck_assert_double_ge(figure(hog, "memory.oom_kills"), 1);
    ck_assert_double_le(figure(hog, "memory.peak"), 16 * MIB);
}
END_TEST

START_TEST(the_rest_of_the_container_survives_a_hog)
{
    NEEDS("memory");
    struct result hog = run_program("--memory", "16M", make_root(), "sh", "-c", HOG "; echo $?");
    ck_status(hog, 0);
    ck_assert_str_eq(hog.out, "137\n");
}
END_TEST

START_TEST(a_hog_below_the_limit_lives)
{
    NEEDS("memory");
    struct result hog =
        run_program("--memory", "96M", "--stats", make_root(), "sh", "-c", HOG "; echo $?");
    ck_status(hog, 0);
    ck_assert_str_eq(hog.out, "0\n");
    ck_assert_double_eq(figure(hog, "memory.oom_kills"), 0);
    ck_assert_double_ge(figure(hog, "memory.peak"), 64 * MIB);
}
END_TEST

/* A limit that comes after the process would find it alive and well. */
START_TEST(the_limit_holds_before_the_first_instruction)
{
    NEEDS("memory");
    struct result starved = run_program("--memory", "4096", "--stats", make_root(), "true");
    ck_status(starved, 128 + 9);
    ck_assert_double_ge(figure(starved, "memory.oom_kills"), 1);
    ck_assert_double_le(figure(starved, "memory.peak"), 4096);
}
END_TEST

START_TEST(swap_is_counted_as_asked)
{
    NEEDS("memory");
    const char *file = "memory.memsw.limit_in_bytes", *root = make_root();
    bool v2 = tree_of("memory").version == 2;
    struct running none = start_program("--memory", "16M", root, "cat");
    pid_t inside = await_process(none.pid, "cat");
    SKIP_UNLESS("memsw",
                exists(text("%s/%s", group_of(inside, "memory"), v2 ? "memory.swap.max" : file)),
                "this kernel doesn't count swap");
    ck_assert_str_eq(group_file(inside, "memory", file, "memory.swap.max"), v2 ? "0" : "16777216");
    ck_status(finish(&none), 0);

    struct running some = start_program("--memory", "16M", "--memory-swap", "24M", root, "cat");
    inside = await_process(some.pid, "cat");
    ck_assert_str_eq(group_file(inside, "memory", file, "memory.swap.max"),
                     v2 ? "8388608" : "25165824");
    ck_status(finish(&some), 0);
}
END_TEST

START_TEST(swap_takes_what_memory_does_not_hold)
{
    NEEDS("memory");
    SKIP_UNLESS("swap", contains(read_file("/proc/swaps"), "\n/"), "this host has no swap");
    const char *root = make_root();
    struct result swapped =
        run_program("--memory", "16M", "--memory-swap", "128M", root, "sh", "-c", HOG "; echo $?");
    ck_assert_str_eq(swapped.out, "0\n");
    ck_assert_str_eq(run_program("--memory", "16M", root, "sh", "-c", HOG "; echo $?").out,
                     "137\n");
}
END_TEST

START_TEST(oom_group_kills_all_or_is_refused)
{
    NEEDS("memory");
    const char *root = make_root();
    if (tree_of("memory").version == 2) {
        struct result all =
            run_program("--oom-group", "--memory", "16M", root, "sh", "-c", HOG "; echo survived");
        ck_status(all, 128 + 9);
        ck_assert_str_eq(all.out, "");
    } else {
        ck_refused(run_program("--oom-group", root, "true"),
                   "--oom-group: cgroup v1 has no such limit");
    }
}
END_TEST

/* ---- processes ------------------------------------------------------------------------------ */

START_TEST(one_process_too_many_is_refused)
{
    NEEDS("pids");
    const char *root = make_root();
    struct result three = run_program("--pids", "3", "--stats", root, "sh", "-c",
                                      "sleep 0.1 & sleep 0.1 & echo two; wait");
    ck_status(three, 0);
    ck_assert_str_eq(three.out, "two\n");
    if (figure(three, "pids.peak") >= 0) /* since Linux 6.1 */
        ck_assert_double_eq(figure(three, "pids.peak"), 3);

    struct result four = run_program("--pids", "3", root, "sh", "-c",
                                     "sleep 1 & sleep 1 & echo two; sleep 1 & echo three");
    ck_status(four, 2);
    ck_assert_str_eq(four.out, "two\n");
    ck_contains(four.err, "can't fork: Resource temporarily unavailable");
}
END_TEST

START_TEST(the_very_first_fork_meets_the_limit)
{
    NEEDS("pids");
    struct result one = run_program("--pids", "1", make_root(), "sh", "-c", "(echo forked); true");
    ck_status(one, 2);
    ck_assert_str_eq(one.out, "");
    ck_contains(one.err, "Resource temporarily unavailable");
}
END_TEST

/* ---- CPU ------------------------------------------------------------------------------------ */

#define LOOP_A_SECOND "timeout 1 sh -c 'while :; do :; done'; true"

START_TEST(cpu_time_is_held_to_the_quota)
{
    NEEDS("cpu");
    double begin = seconds_now();
    struct result held =
        run_program("--cpus", "0.2", "--stats", make_root(), "sh", "-c", LOOP_A_SECOND);
    double share = figure(held, "cpu.time") / (seconds_now() - begin);
    ck_status(held, 0);
    ck_assert_msg(share > 0.02 && share < 0.35, "%.2f CPUs, and 0.2 were allowed", share);
    ck_assert_double_gt(figure(held, "cpu.throttled_periods"), 2);
    ck_assert_double_gt(figure(held, "cpu.throttled"), 0.02);
}
END_TEST

START_TEST(without_a_quota_nothing_is_throttled)
{
    NEEDS("cpu");
    struct result free_run = run_program("--stats", make_root(), "sh", "-c", LOOP_A_SECOND);
    ck_assert_double_eq(figure(free_run, "cpu.throttled_periods"), 0);
    ck_assert_double_gt(figure(free_run, "cpu.time"), 0.02);
}
END_TEST

/* Both loop until their standard input ends. */
#define LOOP_BESIDE_CAT "while :; do :; done & echo loops; cat"

START_TEST(a_contended_cpu_is_shared_by_weight)
{
    NEEDS("cpu");
    NEEDS("cpuset");
    const char *root = make_root(), *cpu = our_cpu();
    struct running light = start_program("--cpuset-cpus", cpu, "--cpu-weight", "100", root, "sh",
                                         "-c", LOOP_BESIDE_CAT);
    struct running heavy = start_program("--cpuset-cpus", cpu, "--cpu-weight", "400", root, "sh",
                                         "-c", LOOP_BESIDE_CAT);
    ck_assert_str_eq(read_line(&light), "loops");
    ck_assert_str_eq(read_line(&heavy), "loops");
    double before = cpu_time(child_of(light.pid));
    double heavy_used = cpu_time_in(2, child_of(heavy.pid));
    double light_used = cpu_time(child_of(light.pid)) - before;
    ck_assert_msg(heavy_used > 2.5 * light_used && heavy_used < 6.5 * light_used,
                  "shared %.2f : %.2f s, expected 1 : 4", light_used, heavy_used);
    ck_status(finish(&light), 0);
    ck_status(finish(&heavy), 0);
}
END_TEST

START_TEST(the_cpus_are_those_named)
{
    NEEDS("cpuset");
    const char *root = make_root(), *cpu = our_cpu(),
               *command = "grep Cpus_allowed_list: /proc/1/status";
    ck_assert_str_eq(run_program("--cpuset-cpus", cpu, root, "sh", "-c", command).out,
                     text("Cpus_allowed_list:\t%s\n", cpu));
    ck_assert_str_eq(run_program(root, "sh", "-c", command).out,
                     run("grep", "Cpus_allowed_list:", "/proc/self/status").out);
}
END_TEST

START_TEST(a_cpu_that_is_not_there_is_refused)
{
    NEEDS("cpuset");
    const char *root = make_root();
    ck_refused(run_program("--cpuset-cpus", "4000", root, "true"), "--cpuset-cpus 4000: ");
    ck_refused(run_program("--cpuset-cpus", "0--", root, "true"), "--cpuset-cpus 0--: ");
}
END_TEST

/* ---- I/O and huge pages --------------------------------------------------------------------- */

START_TEST(io_limits_reach_the_kernel)
{
    NEEDS("io");
    glob_t disks;
    SKIP_UNLESS("disk", glob("/sys/block/*/dev", 0, NULL, &disks) == 0, "no block device");
    char *disk = read_file(disks.gl_pathv[0]);
    disk[strcspn(disk, "\n")] = '\0';
    struct running r = start_program("--io-max", text("%s,rbps=1M,wiops=100", disk), "--io-max",
                                     text("%s,wbps=2K", disk), make_root(), "cat");
    pid_t inside = await_process(r.pid, "cat");
    if (tree_of("io").version == 2) {
        ck_assert_str_eq(group_file(inside, "io", "", "io.max"),
                         text("%s rbps=1048576 wbps=2048 riops=max wiops=100", disk));
    } else {
        ck_assert_str_eq(group_file(inside, "io", "blkio.throttle.read_bps_device", ""),
                         text("%s 1048576", disk));
        ck_assert_str_eq(group_file(inside, "io", "blkio.throttle.write_bps_device", ""),
                         text("%s 2048", disk));
        ck_assert_str_eq(group_file(inside, "io", "blkio.throttle.write_iops_device", ""),
                         text("%s 100", disk));
        ck_assert_str_eq(group_file(inside, "io", "blkio.throttle.read_iops_device", ""), "");
    }
    ck_status(finish(&r), 0);
}
END_TEST

START_TEST(reading_is_slowed_down)
{
    NEEDS("io");
    const char *file = text("%s/disk", scratch_dir());
    ck_status(run("truncate", "-s", "8M", file), 0);
    struct result setup = run("losetup", "--find", "--show", file);
    SKIP_UNLESS("loop", setup.status == 0, "no loop device to be had");
    char *device = strtok(setup.out, "\n");
    int hold = open(device, O_RDONLY | O_CLOEXEC);
    ck_status(run("losetup", "--detach", device), 0); /* once nobody has it open any more */

    double begin = seconds_now();
    struct result reader =
        run_program("--device", device, "--io-max", text("%s,rbps=2M", device), make_root(), "dd",
                    text("if=%s", device), "of=/dev/null", "bs=64K", "count=64");
    double took = seconds_now() - begin;
    close(hold);
    ck_status(reader, 0);
    ck_assert_msg(took > 1.4, "4 MiB took %.2f s, at 2 MiB/s", took);
}
END_TEST

START_TEST(a_device_that_is_not_there_is_refused)
{
    NEEDS("io");
    ck_refused(run_program("--io-max", "4000:1,rbps=1M", make_root(), "true"),
               "--io-max: write \"4000:1 ");
}
END_TEST

START_TEST(huge_pages_are_limited_or_refused)
{
    NEEDS_GROUPS;
    const char *root = make_root();
    struct tree tree = tree_of("hugetlb");
    if (!tree.version) {
        ck_refused(run_program("--hugetlb", "2M:4M", root, "true"),
                   "--hugetlb: no hugetlb controller here");
        return;
    }
    SKIP_UNLESS("hugepages", exists("/sys/kernel/mm/hugepages/hugepages-2048kB"),
                "no huge pages of 2 MiB");
    struct running r = start_program("--hugetlb", "2M:4M", root, "cat");
    ck_assert_str_eq(group_file(await_process(r.pid, "cat"), "hugetlb",
                                "hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max"),
                     "4194304");
    ck_status(finish(&r), 0);
    ck_refused(run_program("--hugetlb", "3M:6M", root, "true"), "hugetlb.3MB.");
}
END_TEST

/* ---- devices -------------------------------------------------------------------------------- */

/* A character device that root may open here and a container usually may not. */
static const char *find_device(void)
{
    static const char *const paths[] = {"/dev/kmsg", "/dev/fuse", "/dev/loop-control", "/dev/hwrng",
                                        "/dev/net/tun"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct stat st;
        int fd = open(paths[i], O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0 && close(fd) == 0 && stat(paths[i], &st) == 0 && S_ISCHR(st.st_mode))
            return paths[i];
    }
    return NULL;
}

#define NEEDS_DEVICE(path) \
    NEEDS_GROUPS;          \
    SKIP_UNLESS("device", path, "root can't open any device here to test with")

/* Make a node of it in the container, open it in both ways, and tell how that went. */
static char *open_a_node_of(const char *device, const char *option, const char *value)
{
    struct stat st;
    ck_assert_int_eq(stat(device, &st), 0);
    const char *script = text("mknod /tmp/n c %u %u && echo -n made\n"
                              "(: </tmp/n) && echo -n ' read'\n"
                              "(: >>/tmp/n) && echo -n ' written'\n"
                              "true\n",
                              major(st.st_rdev), minor(st.st_rdev));
    struct result tried = run_program(option, value, make_root(), "sh", "-c", script);
    ck_status(tried, 0);
    return text("%s%s", tried.out, contains(tried.err, "Operation not permitted") ? " EPERM" : "");
}

START_TEST(a_device_is_shut_whoever_makes_its_node)
{
    const char *device = find_device();
    NEEDS_DEVICE(device);
    ck_assert_str_eq(open_a_node_of(device, "--hostname", "any"), "made EPERM");
}
END_TEST

START_TEST(a_device_asked_for_is_open)
{
    const char *device = find_device();
    NEEDS_DEVICE(device);
    ck_assert_str_eq(open_a_node_of(device, "--device", device), "made read written");
}
END_TEST

START_TEST(a_device_can_be_open_for_reading_only)
{
    const char *device = find_device();
    NEEDS_DEVICE(device);
    ck_assert_str_eq(open_a_node_of(device, "--device", text("%s:r", device)), "made read EPERM");
    ck_assert_str_eq(open_a_node_of(device, "--device", text("%s:w", device)),
                     "made written EPERM");
}
END_TEST

/* A rule is about type, major and minor number: null is c 1 3, and all three count. */
START_TEST(neighbours_of_the_usual_devices_are_shut)
{
    NEEDS_GROUPS;
    struct result tried = run_program(make_root(), "sh", "-c",
                                      "for n in 'b 1 3' 'c 10 3' 'c 1 1' 'b 7 0'; do\n"
                                      "    rm -f /tmp/n; mknod /tmp/n $n; (: </tmp/n) && echo $n\n"
                                      "done 2>&1 | grep -c 'not permitted'\n");
    ck_assert_str_eq(tried.out, "4\n");
}
END_TEST

START_TEST(the_usual_devices_are_open)
{
    NEEDS_GROUPS;
    const char *script = "for n in null,1,3 zero,1,5 full,1,7 random,1,8 urandom,1,9; do\n"
                         "    IFS=,; set -- $n\n"
                         "    mknod /tmp/$1 c $2 $3 && : </tmp/$1 && : >/tmp/$1 || exit 3\n"
                         "done\n"
                         "mknod /tmp/tty c 5 0; mknod /tmp/ptmx c 5 2; mknod /tmp/pts c 136 0\n"
                         "for n in tty ptmx pts; do (: <>/tmp/$n); done\n"
                         "head -c 3 /tmp/zero | wc -c\n";
    struct result usual = run_program(make_root(), "sh", "-c", script);
    ck_status(usual, 0);
    ck_assert_str_eq(usual.out, "3\n");
    ck_lacks(usual.err,
             "not permitted"); /* there is no terminal, but that is no matter of rights */
}
END_TEST

START_TEST(a_device_asked_for_is_in_dev)
{
    const char *device = find_device();
    NEEDS_DEVICE(device);
    const char *root = make_root();
    ck_status(run_program("--device", device, root, "test", "-c", device), 0);
    ck_status(run_program(root, "test", "-e", device), 1);
}
END_TEST

START_TEST(wrong_devices_are_refused)
{
    NEEDS_GROUPS;
    const char *root = make_root();
    ck_refused(run_program("--device", "/dev/null:x", root, "true"), "--device /dev/null:x: ");
    ck_refused(run_program("--device", "/dev/null:", root, "true"), "--device /dev/null:: ");
    ck_refused(run_program("--device", "/dev/no-such", root, "true"),
               "--device /dev/no-such: No such file");
    ck_refused(run_program("--device", "/etc/passwd", root, "true"),
               "--device /etc/passwd: not a device");
    ck_refused(run_program("--device", "", root, "true"), "--device ");
}
END_TEST

/* ---- the freezer ---------------------------------------------------------------------------- */

static bool is_frozen(pid_t inside)
{
    if (tree_of("freezer").version)
        return strcmp(group_file(inside, "freezer", "freezer.state", ""), "FROZEN") == 0;
    return contains(read_file(text("%s/cgroup.events", group_of(inside, ""))), "frozen 1\n");
}

static bool is_stopped(pid_t pid)
{
    return contains(read_file(text("/proc/%d/status", pid)), "\nState:\tT");
}

START_TEST(ctrl_z_freezes_the_container)
{
    NEEDS("cpu");
    struct running r = start_program("--freeze", make_root(), "sh", "-c", LOOP_BESIDE_CAT);
    ck_assert_str_eq(read_line(&r), "loops");
    pid_t inside = child_of(r.pid);
    ck_assert(!is_frozen(inside));

    kill(r.pid, SIGTSTP);
    ck_await(is_stopped(r.pid));
    ck_assert(is_frozen(inside));
    ck_assert_double_lt(cpu_time_in(0.3, inside), 0.001);

    kill(r.pid, SIGCONT);
    ck_await(!is_frozen(inside));
    ck_assert_double_gt(cpu_time_in(0.3, inside), 0.01);
    ck_status(finish(&r), 0);
}
END_TEST

START_TEST(it_freezes_a_second_time)
{
    NEEDS_GROUPS;
    struct running r = start_program("--freeze", make_root(), "cat");
    pid_t inside = await_process(r.pid, "cat");
    for (int i = 0; i < 2; i++) {
        kill(r.pid, SIGTSTP);
        ck_await(is_stopped(r.pid));
        ck_assert(is_frozen(inside));
        kill(r.pid, SIGCONT);
        ck_await(!is_frozen(inside));
    }
    ck_status(finish(&r), 0);
}
END_TEST

START_TEST(without_freeze_ctrl_z_stops_us_alone)
{
    NEEDS("cpu");
    struct running r = start_program(make_root(), "sh", "-c", LOOP_BESIDE_CAT);
    ck_assert_str_eq(read_line(&r), "loops");
    kill(r.pid, SIGTSTP);
    ck_await(is_stopped(r.pid));
    ck_assert(!is_frozen(child_of(r.pid)));
    ck_assert_double_gt(cpu_time_in(0.3, child_of(r.pid)), 0.01);
    kill(r.pid, SIGCONT);
    ck_status(finish(&r), 0);
}
END_TEST

/* ---- --stats -------------------------------------------------------------------------------- */

START_TEST(the_statistics_are_plausible)
{
    NEEDS("memory");
    NEEDS("cpu");
    NEEDS("pids");
    double begin = seconds_now();
    struct result r = run_program("--stats", make_root(), "sh", "-c",
                                  "dd if=/dev/zero of=/dev/null bs=8M count=20");
    double limit = (seconds_now() - begin) * (double)sysconf(_SC_NPROCESSORS_ONLN);
    ck_status(r, 0);
    ck_assert_double_ge(figure(r, "memory.peak"), 8 * MIB);
    ck_assert_double_lt(figure(r, "memory.peak"), 64 * MIB);
    ck_assert_double_eq(figure(r, "memory.oom_kills"), 0);
    ck_assert_double_gt(figure(r, "cpu.time"), 0);
    ck_assert_double_le(figure(r, "cpu.time"), limit);
    ck_assert_double_eq(figure(r, "cpu.throttled_periods"), 0);
    ck_assert_double_eq(figure(r, "cpu.throttled"), 0);
    bool pressure = tree_of("memory").version == 2 && exists("/proc/pressure/memory");
    ck_assert_int_eq(figure(r, "memory.pressure") >= 0, pressure);
    ck_assert_int_eq(figure(r, "cpu.pressure") >= 0, pressure);
    ck_assert_int_eq(figure(r, "io.pressure") >= 0, pressure);
}
END_TEST

START_TEST(statistics_only_when_asked_for)
{
    NEEDS("memory");
    const char *root = make_root();
    ck_assert_str_eq(run_program(root, "true").err, "");
    struct result failed = run_program("--stats", root, "no-such-command");
    ck_status(failed, 127);
    ck_assert_double_gt(figure(failed, "memory.peak"), 0);
}
END_TEST

/* ---- the end -------------------------------------------------------------------------------- */

/* That no group is left is checked after each test, see add_case(). */

START_TEST(the_group_goes_whatever_the_end)
{
    NEEDS_GROUPS;
    const char *root = make_root();
    ck_status(run_program(root, "sh", "-c", "exit 3"), 3);
    ck_status(run_program(root, "no-such-command"), 127);
    ck_status(run_program(root, "/etc/passwd"), 126);
    ck_refused(run_program("/no/such/root", "true"), "/no/such/root");
    ck_status(run_program(root, "sh", "-c", "sleep 100 & sleep 100 & exit 4"), 4);
}
END_TEST

START_TEST(the_group_goes_after_two_sigterms)
{
    NEEDS_GROUPS;
    struct running r = start_program(make_root(), "sleep", "100");
    const char *group =
        group_of(await_process(r.pid, "sleep"), tree_of("pids").version ? "pids" : "");
    kill(r.pid, SIGTERM);
    struct pollfd said = {.fd = r.err, .events = POLLIN};
    ck_assert_int_eq(poll(&said, 1, (int)(10000 * timeout_multiplier())), 1);
    ck_assert(exists(group));
    kill(r.pid, SIGTERM);
    ck_status(finish(&r), 128 + 9);
    ck_assert(!exists(group));
}
END_TEST

/* Bytes of memory that a process has. */
static double resident(pid_t pid)
{
    const char *line = strstr(read_file(text("/proc/%d/status", pid)), "VmRSS:");
    return line ? atof(line + strlen("VmRSS:")) * 1024 : 0;
}

/* Mount the container's own group on /mnt, in the tree of the pids controller. */
#define MOUNT_OWN                                                \
    (tree_of("pids").version == 2 ? "mount -t cgroup2 none /mnt" \
                                  : "mount -t cgroup -o pids none /mnt")

START_TEST(groups_that_the_container_made_go_too)
{
    NEEDS("pids");
    const char *script = text("%s && mkdir -p /mnt/a/b /mnt/c && echo $$ >/mnt/a/b/cgroup.procs &&"
                              "echo made; cat; exit 5",
                              MOUNT_OWN);
    struct running r = start_program(make_root(), "sh", "-c", script);
    ck_assert_str_eq(read_line(&r), "made");
    ck_contains(group_of(child_of(r.pid), "pids"), "/a/b");
    struct result end = finish(&r);
    ck_status(end, 5);
    ck_assert_str_eq(end.err, "");
}
END_TEST

/* A process that came in from outside, into the group or one below, doesn't end with
 * PID 1.  The one below takes a while to die: it has much memory to give back. */
START_TEST(whoever_is_in_the_group_is_killed)
{
    NEEDS("pids");
    const char *script = text("%s && mkdir -p /mnt/a/b && echo made; cat", MOUNT_OWN);
    struct running r = start_program(make_root(), "sh", "-c", script);
    struct running in_it = start("sleep", "1000");
    struct running below = start("dd", "if=/dev/zero", "of=/dev/null", "bs=128M");
    ck_assert_str_eq(read_line(&r), "made");
    ck_await(resident(below.pid) > 128 * MIB);
    const char *group = group_of(child_of(r.pid), "pids");
    write_file(text("%s/cgroup.procs", group), text("%d", in_it.pid));
    write_file(text("%s/a/b/cgroup.procs", group), text("%d", below.pid));
    struct result end = finish(&r);
    ck_status(end, 0);
    ck_assert_str_eq(end.err, "");
    ck_assert(!exists(group));
    ck_status(finish(&in_it), 128 + 9);
    ck_status(finish(&below), 128 + 9);
}
END_TEST

/* tools/clean-host.sh; it sees no files of others that run at the same time. */
static struct result clean_host(const char *dry_run)
{
    struct how how = {.input = read_file("tools/clean-host.sh")};
    return run_how(how, "unshare", "--mount", "sh", "-c",
                   "mount -t tmpfs none /tmp && mount -t tmpfs none /var/lib && HOME=/tmp && "
                   "DRY_RUN=$0 exec bash -s",
                   dry_run);
}

START_TEST(after_sigkill_the_processes_are_gone_and_the_group_is_found)
{
    NEEDS_GROUPS;
    SKIP_UNLESS("clean-host", exists("tools/clean-host.sh") && !in_chroot(),
                "tools/clean-host.sh isn't here, or can't be fenced in");
    struct running r =
        start_program("--freeze", make_root(), "sh", "-c", "sleep 1000 & sleep 1000");
    pid_t other = await_process(r.pid, "sleep"), inside = child_of(r.pid);
    const char *group = group_of(inside, tree_of("pids").version ? "pids" : "");
    kill(r.pid, SIGKILL);
    ck_status(finish(&r), 128 + 9);
    ck_await(!is_alive(inside) && !is_alive(other));
    ck_assert(exists(group));

    ck_contains(clean_host("1").out, text("would remove the cgroup %s\n", group));
    ck_assert(exists(group));
    struct result cleaned = clean_host("");
    ck_status(cleaned, 0);
    ck_contains(cleaned.out, text("remove the cgroup %s\n", group));
    ck_assert(!exists(group));
}
END_TEST

/* On v1 a frozen process doesn't even die. */
START_TEST(a_frozen_container_is_cleaned_too)
{
    NEEDS_GROUPS;
    SKIP_UNLESS("clean-host", exists("tools/clean-host.sh") && !in_chroot(),
                "tools/clean-host.sh isn't here, or can't be fenced in");
    struct running r = start_program("--freeze", make_root(), "sleep", "1000");
    pid_t inside = await_process(r.pid, "sleep");
    bool v1 = tree_of("freezer").version;
    const char *group = group_of(inside, v1 ? "freezer" : "");
    kill(r.pid, SIGTSTP);
    ck_await(is_stopped(r.pid));
    ck_assert(is_frozen(inside));
    kill(r.pid, SIGKILL);
    ck_status(finish(&r), 128 + 9);
    ck_assert(exists(group));
    struct result cleaned = clean_host("");
    bool is_left = exists(group);
    if (is_left && v1)
        write_file(text("%s/freezer.state", group), "THAWED"); /* or the suite would not end */
    ck_status(cleaned, 0);
    ck_assert(!is_left);
    ck_await(!is_alive(inside));
}
END_TEST

START_TEST(the_group_of_a_living_container_is_not_cleaned)
{
    NEEDS_GROUPS;
    SKIP_UNLESS("clean-host", exists("tools/clean-host.sh") && !in_chroot(),
                "tools/clean-host.sh isn't here, or can't be fenced in");
    struct running r = start_program(make_root(), "cat");
    await_process(r.pid, "cat");
    ck_lacks(clean_host("1").out, text("/nine-%d-", r.pid));
    ck_status(finish(&r), 0);
}
END_TEST

/* ---- groups below groups -------------------------------------------------------------------- */

/* A group NAME of ours at the top of every tree; a v1 cpuset starts empty. */
static const char *make_parent(void)
{
    struct tree trees[32];
    const char *name = text("nine-%d-parent", getpid());
    for (size_t i = find_trees(trees); i-- > 0;) {
        const char *mount = trees[i].mount;
        ck_assert_int_eq(mkdir(text("%s/%s", mount, name), 0755), 0);
        if (trees[i].version == 1 && has_word(trees[i].controllers, "cpuset"))
            ck_status(run("sh", "-c",
                          "for f in cpuset.cpus cpuset.mems; do cat $0/$f >$0/$1/$f; done", mount,
                          name),
                      0);
    }
    return name;
}

static void remove_parent(const char *name)
{
    struct tree trees[32];
    for (size_t i = find_trees(trees); i-- > 0;)
        ck_await(rmdir(text("%s/%s", trees[i].mount, name)) == 0);
}

/* Write a limit on memory into the group NAME at the top. */
static bool limit_memory(const char *name, const char *limit)
{
    struct tree tree = tree_of("memory");
    const char *file = text("%s/%s/%s", tree.mount, name,
                            tree.version == 2 ? "memory.max" : "memory.limit_in_bytes");
    if (exists(file))
        write_file(file, limit);
    return exists(file);
}

START_TEST(a_parents_smaller_limit_wins)
{
    NEEDS("memory");
    const char *parent = make_parent(), *root = make_root();
    bool limited = limit_memory(parent, "16M");
    struct result small = run_program("--cgroup-parent", parent, "--memory", "256M", root, "sh",
                                      "-c", HOG "; echo $?");
    limit_memory(parent, "256M");
    struct result large = run_program("--cgroup-parent", text("/%s", parent), "--memory", "128M",
                                      root, "sh", "-c", HOG "; echo $?");
    remove_parent(parent);
    SKIP_UNLESS("memory", limited, "the top of the cgroup tree hands out no memory controller");
    ck_assert_str_eq(small.out, "137\n");
    ck_assert_str_eq(large.out, "0\n");
}
END_TEST

START_TEST(children_have_limits_of_their_own)
{
    NEEDS("memory");
    const char *parent = make_parent(), *root = make_root();
    struct running small = start_program("--cgroup-parent", parent, "--memory", "16M", root, "sh",
                                         "-c", "echo in; read x; " HOG "; echo $?");
    struct running large = start_program("--cgroup-parent", parent, "--memory", "96M", root, "sh",
                                         "-c", "echo in; read x; " HOG "; echo $?");
    ck_assert_str_eq(read_line(&small), "in");
    ck_assert_str_eq(read_line(&large), "in");
    ck_contains(group_of(child_of(small.pid), "memory"), text("/%s/nine-%d-", parent, small.pid));
    ck_contains(group_of(child_of(large.pid), "memory"), text("/%s/nine-%d-", parent, large.pid));
    ck_assert_str_eq(finish(&small).out, "137\n");
    ck_assert_str_eq(finish(&large).out, "0\n");
    remove_parent(parent);
}
END_TEST

START_TEST(a_parent_that_is_not_there_is_refused)
{
    NEEDS_GROUPS;
    ck_refused(run_program("--cgroup-parent", "nine-no-such", make_root(), "true"), "nine-no-such");
}
END_TEST

/* The host's own nearest group may not hand the controller out: then it is one further up. */
START_TEST(the_group_goes_where_the_controller_is)
{
    NEEDS("memory");
    SKIP_UNLESS("cgroup2", tree_of("memory").version == 2, "memory is a v1 controller here");
    const char *top = tree_of("memory").mount, *ours = group_of(getpid(), "memory");
    const char *parent = text("%s/%s", top, make_parent()), *leaf = text("%s/leaf", parent);
    ck_assert_int_eq(mkdir(leaf, 0755), 0);
    write_file(text("%s/cgroup.procs", leaf), text("%d", getpid()));
    struct result near =
        run_program("--uts", "--pids", "50", make_root(), "cat", "/proc/self/cgroup");
    ck_assert_int_eq(rmdir(leaf), -1);
    write_file(text("%s/cgroup.procs", ours), text("%d", getpid()));
    ck_assert_int_eq(rmdir(leaf), 0);
    ck_assert_int_eq(rmdir(parent), 0);
    ck_status(near, 0);
    ck_contains(near.out, text("%s/nine-", parent + strlen(top)));
}
END_TEST

/* ---- without root --------------------------------------------------------------------------- */

#define NEEDS_USERNS SKIP_UNLESS("userns", have_userns(), "no user namespaces for ordinary users")

START_TEST(without_a_limit_nobody_needs_a_group)
{
    NEEDS_USERNS;
    struct result user = run_program_as_user("--map-user", make_root(), "id", "-u");
    ck_status(user, 0);
    ck_assert_str_eq(user.out, "0\n");
    ck_assert_str_eq(user.err, "");
}
END_TEST

START_TEST(a_user_without_a_group_is_told_what_is_missing)
{
    struct tree tree = tree_of("memory");
    NEEDS_USERNS;
    SKIP_UNLESS("user", user_id() != 0, "there is no ordinary user");
    SKIP_UNLESS("memory", tree.version, "no such cgroup controller");
    SKIP_UNLESS("root", have_root() || tree.version == 1,
                "the user may have been delegated a group");
    struct result user = run_program_as_user("--map-user", "--memory", "16M", make_root(), "true");
    ck_refused(user, text("%s/", tree.mount));
    ck_contains(user.err, "Permission denied");
    if (tree.version == 2)
        ck_contains(user.err, "Delegate=yes");
}
END_TEST

START_TEST(a_user_opens_no_device)
{
    NEEDS_USERNS;
    SKIP_UNLESS("user", user_id() != 0, "there is no ordinary user");
    ck_refused(run_program_as_user("--map-user", "--device", "/dev/null", make_root(), "true"),
               "--device: needs root");
}
END_TEST

/* What systemd does for Delegate=yes, see "Delegation" in the kernel's cgroup-v2.rst. */
static void delegate(const char *group)
{
    static const char *const files[] = {"", "cgroup.procs", "cgroup.threads",
                                        "cgroup.subtree_control"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        ck_assert_int_eq(chown(text("%s/%s", group, files[i]), user_id(), user_id()), 0);
}

START_TEST(a_user_limits_within_what_was_delegated)
{
    NEEDS("memory");
    NEEDS("pids");
    NEEDS_USERNS;
    SKIP_UNLESS("cgroup2", tree_of("memory").version == 2, "v1 delegates nothing");
    const char *top = tree_of("memory").mount, *ours = group_of(getpid(), "memory");
    const char *given = text("%s/%s", top, make_parent()), *leaf = text("%s/leaf", given);
    const char *root = make_root();
    ck_assert_int_eq(mkdir(leaf, 0755), 0);
    delegate(given);
    delegate(leaf);

    write_file(text("%s/cgroup.procs", leaf), text("%d", getpid()));
    struct result hog =
        run_program_as_user("--map-user", "--memory", "16M", root, "sh", "-c", HOG "; echo $?");
    struct result forks =
        run_program_as_user("--map-user", "--pids", "1", root, "sh", "-c", "(echo forked); true");
    struct result where = run_program_as_user("--map-user", "--uts", "--memory", "16M", root, "cat",
                                              "/proc/self/cgroup");
    write_file(text("%s/cgroup.procs", ours), text("%d", getpid()));
    struct result outside =
        run_program_as_user("--map-user", "--cgroup-parent", given + strlen(top), root, "true");
    ck_assert_int_eq(rmdir(leaf), 0);
    ck_assert_int_eq(rmdir(given), 0);

    ck_assert_str_eq(hog.out, "137\n");
    ck_assert_str_eq(forks.out, "");
    ck_contains(forks.err, "can't fork: Resource temporarily unavailable");
    ck_contains(where.out, text("%s/nine-", given + strlen(top)));
    /* The kernel moves processes only within what belongs to the user. */
    ck_refused(outside, "clone3 into a cgroup: Permission denied");
}
END_TEST

/* ---- without cgroups ------------------------------------------------------------------------ */

START_TEST(a_host_without_cgroups_refuses_limits_only)
{
    NEEDS_ROOT;
    SKIP_UNLESS("mountns", !in_chroot(), "the host's mounts can't be hidden in a chroot");
    const char *hidden = "umount -l /sys/fs/cgroup 2>/dev/null; exec \"$0\" \"$@\"";
    const char *root = make_root();
    struct result plain =
        run("unshare", "--mount", "sh", "-c", hidden, program(), root, "echo", "on");
    ck_status(plain, 0);
    ck_assert_str_eq(plain.out, "on\n");
    ck_contains(plain.err, "devices are not shut");
    ck_refused(
        run("unshare", "--mount", "sh", "-c", hidden, program(), "--memory", "16M", root, "true"),
        "--memory: no memory controller here");
}
END_TEST

/* ---- refusals ------------------------------------------------------------------------------- */

static const struct wrong {
    const char *option, *value;
} wrong[] = {
    {"--memory", ""},
    {"--memory", "x"},
    {"--memory", "-1"},
    {"--memory", " 1M"},
    {"--memory", "+1M"},
    {"--memory", "1X"},
    {"--memory", "1MB"},
    {"--memory", "1.5M"},
    {"--memory", "M"},
    {"--memory", "99999999999999999999"},
    {"--memory", "9223372036854775807K"},
    {"--memory-swap", "64M"}, /* without --memory before it */
    {"--memory-swap", "x"},
    {"--cpus", ""},
    {"--cpus", "0"},
    {"--cpus", "x"},
    {"--cpus", "nan"},
    {"--cpus", "inf"},
    {"--cpus", "-1"},
    {"--cpus", "0.001"},
    {"--cpus", "1e9"},
    {"--cpus", "1,5"},
    {"--cpu-weight", ""},
    {"--cpu-weight", "0"},
    {"--cpu-weight", "10001"},
    {"--cpu-weight", "1.5"},
    {"--cpuset-cpus", ""},
    {"--cpuset-cpus", "x"},
    {"--cpuset-cpus", "0 1"},
    {"--cpuset-cpus", ","},
    {"--cpuset-cpus", "-"},
    {"--pids", ""},
    {"--pids", "0"},
    {"--pids", "-1"},
    {"--pids", "x"},
    {"--pids", "5x"},
    {"--pids", "99999999999999999999"},
    {"--io-max", ""},
    {"--io-max", "/dev/null,rbps=1M"},
    {"--io-max", "/no/such/device,rbps=1M"},
    {"--io-max", "7:0"},
    {"--io-max", "7:0,"},
    {"--io-max", "7:0,rbps"},
    {"--io-max", "7:0,rbps="},
    {"--io-max", "7:0,rbps=-1"},
    {"--io-max", "7:0,rbps=1M,speed=1"},
    {"--hugetlb", ""},
    {"--hugetlb", "2M"},
    {"--hugetlb", ":4M"},
    {"--hugetlb", "2M:"},
    {"--hugetlb", "2M:x"},
};

START_TEST(bad_values_are_refused)
{
    struct result r = run_program(wrong[_i].option, wrong[_i].value, "/no/such/root", "true");
    ck_refused(r, text("%s: ", wrong[_i].option));
}
END_TEST

START_TEST(bad_combinations_are_refused)
{
    ck_refused(run_program("--memory-swap", "64M", "--memory", "16M", "/", "true"),
               "after --memory");
    ck_refused(run_program("--memory", "64M", "--memory-swap", "63M", "/", "true"),
               "after --memory");
    ck_refused(run_program("--memory", "64M"), "root");
    ck_refused(run_program("--memory"), "--memory");
    ck_refused(run_program("--no-such-limit", "1", "/"), "--no-such-limit");
}
END_TEST

START_TEST(help_names_every_option)
{
    static const char *const options[] = {
        "--memory",        "--memory-swap", "--oom-group", "--cpus",    "--cpu-weight",
        "--cpuset-cpus",   "--pids",        "--io-max",    "--hugetlb", "--device",
        "--cgroup-parent", "--freeze",      "--stats",     "--nest",    "--map-user"};
    struct result help = run_program("--help");
    ck_status(help, 0);
    ck_contains(help.out, "usage: step04");
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        ck_contains(help.out, text(" %s ", options[i]));
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("step04: limits");

    TCase *group = add_case(suite, "group");
    tcase_add_test(group, the_group_is_there_while_the_container_runs);
    tcase_add_test(group, the_first_process_starts_in_its_group);
    tcase_add_test(group, the_container_sees_itself_at_the_top);
    tcase_add_test(group, the_programs_own_group_stays_what_it_was);

    TCase *memory = add_case(suite, "memory");
    tcase_add_test(memory, a_hog_is_killed);
    tcase_add_test(memory, the_rest_of_the_container_survives_a_hog);
    tcase_add_test(memory, a_hog_below_the_limit_lives);
    tcase_add_test(memory, the_limit_holds_before_the_first_instruction);
    tcase_add_test(memory, swap_is_counted_as_asked);
    tcase_add_test(memory, swap_takes_what_memory_does_not_hold);
    tcase_add_test(memory, oom_group_kills_all_or_is_refused);

    TCase *pids = add_case(suite, "pids");
    tcase_add_test(pids, one_process_too_many_is_refused);
    tcase_add_test(pids, the_very_first_fork_meets_the_limit);

    TCase *cpu = add_case(suite, "cpu");
    tcase_add_test(cpu, cpu_time_is_held_to_the_quota);
    tcase_add_test(cpu, without_a_quota_nothing_is_throttled);
    tcase_add_test(cpu, a_contended_cpu_is_shared_by_weight);
    tcase_add_test(cpu, the_cpus_are_those_named);
    tcase_add_test(cpu, a_cpu_that_is_not_there_is_refused);

    TCase *io = add_case(suite, "io");
    tcase_add_test(io, io_limits_reach_the_kernel);
    tcase_add_test(io, reading_is_slowed_down);
    tcase_add_test(io, a_device_that_is_not_there_is_refused);
    tcase_add_test(io, huge_pages_are_limited_or_refused);

    TCase *devices = add_case(suite, "devices");
    tcase_add_test(devices, a_device_is_shut_whoever_makes_its_node);
    tcase_add_test(devices, a_device_asked_for_is_open);
    tcase_add_test(devices, a_device_can_be_open_for_reading_only);
    tcase_add_test(devices, neighbours_of_the_usual_devices_are_shut);
    tcase_add_test(devices, the_usual_devices_are_open);
    tcase_add_test(devices, a_device_asked_for_is_in_dev);
    tcase_add_test(devices, wrong_devices_are_refused);

    TCase *freeze = add_case(suite, "freeze");
    tcase_add_test(freeze, ctrl_z_freezes_the_container);
    tcase_add_test(freeze, it_freezes_a_second_time);
    tcase_add_test(freeze, without_freeze_ctrl_z_stops_us_alone);

    TCase *stats = add_case(suite, "stats");
    tcase_add_test(stats, the_statistics_are_plausible);
    tcase_add_test(stats, statistics_only_when_asked_for);

    TCase *end = add_case(suite, "end");
    tcase_add_test(end, the_group_goes_whatever_the_end);
    tcase_add_test(end, the_group_goes_after_two_sigterms);
    tcase_add_test(end, groups_that_the_container_made_go_too);
    tcase_add_test(end, whoever_is_in_the_group_is_killed);
    tcase_add_test(end, after_sigkill_the_processes_are_gone_and_the_group_is_found);
    tcase_add_test(end, a_frozen_container_is_cleaned_too);
    tcase_add_test(end, the_group_of_a_living_container_is_not_cleaned);

    TCase *hierarchy = add_case(suite, "hierarchy");
    tcase_add_test(hierarchy, a_parents_smaller_limit_wins);
    tcase_add_test(hierarchy, children_have_limits_of_their_own);
    tcase_add_test(hierarchy, a_parent_that_is_not_there_is_refused);
    tcase_add_test(hierarchy, the_group_goes_where_the_controller_is);

    TCase *user = add_case(suite, "user");
    tcase_add_test(user, without_a_limit_nobody_needs_a_group);
    tcase_add_test(user, a_user_without_a_group_is_told_what_is_missing);
    tcase_add_test(user, a_user_opens_no_device);
    tcase_add_test(user, a_user_limits_within_what_was_delegated);

    TCase *none = add_case(suite, "none");
    tcase_add_test(none, a_host_without_cgroups_refuses_limits_only);

    TCase *refusals = add_case(suite, "refusals");
    tcase_add_loop_test(refusals, bad_values_are_refused, 0, sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(refusals, bad_combinations_are_refused);
    tcase_add_test(refusals, help_names_every_option);
    return suite;
}
