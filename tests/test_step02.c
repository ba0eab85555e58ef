/* test_step02.c - namespaces of its own: what the kernel no longer shares, and that
 * root is held now.
 *
 * Most tests run twice: as root (_i is 0), and as an ordinary user (1), who adds
 * --map-user and is to get the same. */
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/support.h"

#define NEEDS_ROOT \
    SKIP_UNLESS("root", have_root() && !in_chroot(), "for root only, and not in a chroot")
#define NEEDS_USERNS SKIP_UNLESS("userns", have_userns(), "no user namespaces for ordinary users")

/* ---- helpers ----------------------------------------------------------------------- */

/* Where the process has its mounts, a line for each. */
static char *mount_points(pid_t pid)
{
    char *line, *rest, *info = read_file(text("/proc/%d/mountinfo", pid)), *points = "";
    char point[256];
    for (line = strtok_r(info, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (sscanf(line, "%*s %*s %*s %*s %255s", point) == 1)
            points = text("%s%s\n", points, point);
    return points;
}

/* The value of a line such as "SigBlk:\t0000" in /proc/PID/status. */
static char *status_of(pid_t pid, const char *name)
{
    char *value = strstr(read_file(text("/proc/%d/status", pid)), text("\n%s:\t", name));
    ck_assert_msg(value != NULL, "no %s in the status of %d", name, pid);
    return strtok(value + strlen(name) + 3, "\n");
}

static bool ignores(pid_t pid, int signal)
{
    return strtoull(status_of(pid, "SigIgn"), NULL, 16) >> (signal - 1) & 1;
}

/* From here until come_back() the test is in a mount namespace of its own.  All is
 * shared there, as systemd has it on a host, and ROOT is a mount point. */
static int leave(const char *root)
{
    int home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(home, 0);
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    ck_assert_int_eq(mount(root, root, NULL, MS_BIND, NULL), 0);
    ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), 0);
    return home;
}

static void come_back(int home)
{
    ck_assert_int_eq(setns(home, CLONE_NEWNS), 0);
    close(home);
}

/* Until come_back(), /etc/subuid and /etc/subgid hold these texts. */
static int leave_with_subids(const char *root, const char *subuid, const char *subgid)
{
    int home = leave(root);
    const char *dir = scratch_dir();
    write_file(text("%s/subuid", dir), subuid);
    write_file(text("%s/subgid", dir), subgid);
    ck_assert_int_eq(mount(text("%s/subuid", dir), "/etc/subuid", NULL, MS_BIND, NULL), 0);
    ck_assert_int_eq(mount(text("%s/subgid", dir), "/etc/subgid", NULL, MS_BIND, NULL), 0);
    return home;
}

/* ---- namespaces ----------------------------------------------------------------------- */

static const char *const kinds[] = {"mnt", "uts", "ipc", "net", "cgroup", "time", "user", "pid"};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* Of these kinds PID has namespaces of its own, and of no others: "mnt uts ". */
static char *new_namespaces(pid_t pid)
{
    char *list = "";
    for (int i = 0; i < KINDS; i++)
        if (ns_inode(pid, kinds[i]) != ns_inode(getpid(), kinds[i]))
            list = text("%s%s ", list, kinds[i]);
    return list;
}

START_TEST(each_namespace_has_its_flag)
{
    NEEDS_NAMESPACES;
    static const char *const flags[][2] = {
        {"--mount", "mnt "},
        {"--uts", "mnt uts "},
        {"--ipc", "mnt ipc "},
        {"--net", "mnt net "},
        {"--cgroupns", "mnt cgroup "},
        {"--time", "mnt time "},
        {"--hostname=x", "mnt uts ipc net cgroup time "},
    };
    const char *root = make_root();
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        struct running cat = start_container(flags[i][0], root, "cat");
        ck_assert_str_eq(new_namespaces(await_process(cat.pid, "cat")),
                         text("%s%s", flags[i][1], _i ? "user " : ""));
        ck_status(finish(&cat), 0);
    }
}
END_TEST

START_TEST(without_a_flag_it_is_all_but_the_user)
{
    NEEDS_NAMESPACES;
    struct running cat = start_container(make_root(), "cat");
    ck_assert_str_eq(new_namespaces(await_process(cat.pid, "cat")),
                     _i ? "mnt uts ipc net cgroup time user " : "mnt uts ipc net cgroup time ");
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(all_flags_together)
{
    NEEDS_NAMESPACES;
    struct running cat = start_container("--mount", "--uts", "--ipc", "--net", "--user",
                                         "--cgroupns", "--time", make_root(), "cat");
    ck_assert_str_eq(new_namespaces(await_process(cat.pid, "cat")),
                     "mnt uts ipc net cgroup time user ");
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(the_table_tells_the_truth)
{
    NEEDS_NAMESPACES;
    struct running cat = start_container("--verbose", "--uts", "--net", make_root(), "cat");
    pid_t pid = await_process(cat.pid, "cat");
    char *expected = "namespace before inside\n";
    for (int i = 0; i < KINDS; i++) {
        unsigned long before = ns_inode(getpid(), kinds[i]), inside = ns_inode(pid, kinds[i]);
        expected = text("%s%s %lu %lu%s\n", expected, kinds[i], before, inside,
                        before == inside ? "" : " new");
    }
    struct result ended = finish(&cat);
    ck_assert_str_eq(run_how((struct how){.input = ended.err}, "tr", "-s", " ").out, expected);
}
END_TEST

START_TEST(the_hostname_is_its_own)
{
    NEEDS_NAMESPACES;
    char before[256], after[256];
    const char *root = make_root();
    gethostname(before, sizeof(before));
    struct result set = run_container(root, "sh", "-c", "hostname changed; hostname");
    struct result given = run_container("--hostname", "mini", root, "hostname");
    struct result implied = run_container("--net", "--hostname=mini", root, "hostname");
    gethostname(after, sizeof(after));
    ck_assert_str_eq(set.out, "changed\n");
    ck_assert_str_eq(given.out, "mini\n");
    ck_assert_str_eq(implied.out, "mini\n");
    ck_assert_str_eq(after, before);
}
END_TEST

START_TEST(a_hostname_has_64_bytes_at_most)
{
    NEEDS_NAMESPACES;
    const char *name = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct result longest = run_container("--hostname", name, make_root(), "hostname");
    ck_assert_str_eq(longest.out, text("%s\n", name));
    ck_refused(run_container("--hostname", text("%sx", name), make_root(), "hostname"),
               "--hostname: longer than 64");
}
END_TEST

/* An offset that makes the uptime inside a whole number of DAYS and a half: far from
 * where the day changes. */
static long long offset_to(long long days)
{
    struct timespec up;
    clock_gettime(CLOCK_BOOTTIME, &up);
    return days * 86400 + 43200 - up.tv_sec;
}

/* The process is in its time namespace, and the clocks there are OFFSET ahead. */
static void ck_clocks(pid_t pid, long long offset)
{
    long long monotonic = 0, boottime = 0;
    sscanf(read_file(text("/proc/%d/timens_offsets", pid)), "monotonic %lld 0 boottime %lld",
           &monotonic, &boottime);
    ck_assert_int_eq(monotonic, offset);
    ck_assert_int_eq(boottime, offset);
    ck_assert_uint_eq(ns_inode(pid, "time"), ns_inode(pid, "time_for_children"));
}

START_TEST(the_clock_is_ahead)
{
    NEEDS_NAMESPACES;
    long long offset = offset_to(1000);
    struct running shell =
        start_container(text("--time=%lld", offset), make_root(), "sh", "-c", "uptime; exec cat");
    ck_contains(read_line(&shell), " up 1000 days, 12:0");
    ck_clocks(await_process(shell.pid, "cat"), offset);
    ck_status(finish(&shell), 0);
}
END_TEST

START_TEST(the_clock_can_be_behind_but_not_below_zero)
{
    NEEDS_NAMESPACES;
    struct timespec up;
    const char *root = make_root();
    clock_gettime(CLOCK_MONOTONIC, &up);
    struct running cat = start_container(text("--time=-%ld", (long)up.tv_sec), root, "cat");
    ck_clocks(await_process(cat.pid, "cat"), -up.tv_sec);
    ck_status(finish(&cat), 0);
    ck_refused(run_container(text("--time=-%ld", (long)up.tv_sec + 300), root, "uptime"),
               "--time: ");
}
END_TEST

START_TEST(the_network_is_a_loopback_that_is_down)
{
    NEEDS_NAMESPACES;
    struct result links =
        run_container("--net", make_root(), "sh", "-c", "ip -o link; ip -o addr show up; ip route");
    ck_status(links, 0);
    ck_contains(links.out, " lo: <LOOPBACK> ");
    ck_lacks(links.out, "UP"); /* whatever tunnels the kernel adds are down too */
    ck_lacks(links.out, "inet");
}
END_TEST

START_TEST(message_queues_of_the_host_are_not_seen)
{
    NEEDS_NAMESPACES;
    SKIP_UNLESS("ipcs", have_tool("ipcs"), "no ipcs");
    key_t key = 0x4e000000 + getpid();
    const char *root = make_root_for(_i), *shown = text("0x%08x", key);
    int queue = msgget(key, IPC_CREAT | IPC_EXCL | 0644);
    struct result with = run_container("--uts", "--copy", "ipcs", root, "ipcs", "-q");
    struct result without = run_container("--ipc", root, "ipcs", "-q");
    msgctl(queue, IPC_RMID, NULL);
    ck_assert_int_ge(queue, 0);
    ck_contains(with.out, shown);
    ck_lacks(without.out, shown);
}
END_TEST

/* ---- the root --------------------------------------------------------------------------- */

START_TEST(only_the_root_is_mounted)
{
    NEEDS_NAMESPACES;
    const char *root = make_root();
    struct running cat = start_container(root, "cat");
    pid_t pid = await_process(cat.pid, "cat");
    ck_assert_str_eq(mount_points(pid), "/\n");
    struct stat seen, made;
    ck_assert_int_eq(stat(text("/proc/%d/cwd", pid), &seen), 0);
    ck_assert_int_eq(stat(root, &made), 0);
    ck_assert_uint_eq(seen.st_ino, made.st_ino);
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(nothing_is_above_the_root)
{
    NEEDS_NAMESPACES;
    struct result in = run_container(make_root(), "sh", "-c",
                                     "pwd; cd ../../..; pwd; test /.. -ef / && ls -A /proc");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "/\n/\n");
}
END_TEST

/* The program that gets out of step 1, as root of the container. */
START_TEST(root_is_held)
{
    NEEDS_NAMESPACES;
    const char *root = make_root_for(_i);
    struct result held = run_container("--copy", product("escape"), root, product("escape"));
    ck_status(held, 1);
    ck_assert_str_eq(held.out, "held: still in the jail\n");
}
END_TEST

START_TEST(no_descriptor_leads_out)
{
    NEEDS_NAMESPACES;
    /* Not even what our caller forgot to close: from a directory outside, fchdir(2) is
     * all it takes (CVE-2024-21626). */
    ck_assert_int_eq(dup2(open("/", O_RDONLY | O_DIRECTORY), 105), 105);
    struct running cat =
        start_container("--time=5", "--copy", "/bin/true", make_root_for(_i), "cat");
    pid_t pid = await_process(cat.pid, "cat");
    ck_assert_str_eq(run("ls", text("/proc/%d/fd", pid)).out, "0\n1\n2\n");
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(a_root_can_be_named_in_many_ways)
{
    NEEDS_NAMESPACES;
    const char *root = make_root(), *link = text("%s/a link", scratch_dir());
    ck_assert_int_eq(symlink(root, link), 0);
    write_file(text("%s/here", root), "");
    const char *names[] = {text("%s/", root), text("%s/usr/..", root), link, text("%s/", link)};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_status(run_container(names[i], "test", "-e", "/here"), 0);
}
END_TEST

START_TEST(a_relative_root_will_do)
{
    NEEDS_ROOT;
    struct how how = {.dir = make_root()};
    ck_assert_str_eq(run_program_how(how, ".", "pwd").out, "/\n");
    ck_assert_str_eq(run_program_how(how, "usr/..", "pwd").out, "/\n");
}
END_TEST

/* ---- mounts ------------------------------------------------------------------------------ */

START_TEST(mounts_inside_do_not_show_outside)
{
    SKIP_UNLESS("root", have_root() && !in_chroot(), "it takes root to prepare shared mounts");
    NEEDS_NAMESPACES;
    const char *root = make_root();
    int home = leave(root), before = mount_count();
    struct running shell =
        start_container(root, "sh", "-c", "mount -t tmpfs tmpfs /mnt && >/mnt/x; echo $?; cat");
    ck_assert_str_eq(read_line(&shell), "0");
    ck_assert_str_eq(mount_points(await_process(shell.pid, "cat")), "/\n/mnt\n");
    ck_assert_int_eq(mount_count(), before);
    ck_assert(!exists(text("%s/mnt/x", root)));
    ck_status(finish(&shell), 0);
    ck_assert_int_eq(mount_count(), before);
    come_back(home);
}
END_TEST

START_TEST(mounts_outside_do_not_show_inside)
{
    SKIP_UNLESS("root", have_root() && !in_chroot(), "it takes root to prepare shared mounts");
    NEEDS_NAMESPACES;
    const char *root = make_root(), *mnt = text("%s/mnt", root);
    int home = leave(root);
    struct running cat = start_container(root, "cat");
    pid_t pid = await_process(cat.pid, "cat");
    ck_assert_int_eq(mount("tmpfs", mnt, "tmpfs", 0, NULL), 0);
    ck_assert_str_eq(mount_points(pid), "/\n");
    ck_assert_int_eq(umount2(mnt, MNT_DETACH), 0);
    ck_status(finish(&cat), 0);
    come_back(home);
}
END_TEST

START_TEST(what_is_mounted_below_the_root_comes_along)
{
    SKIP_UNLESS("root", have_root() && !in_chroot(), "it takes root to mount there");
    NEEDS_NAMESPACES;
    const char *root = make_root();
    int home = leave(root);
    ck_assert_int_eq(mount("tmpfs", text("%s/mnt", root), "tmpfs", 0, "mode=755"), 0);
    write_file(text("%s/mnt/file", root), "on the tmpfs\n");
    struct result seen = run_container(root, "cat", "/mnt/file");
    ck_status(seen, 0);
    ck_assert_str_eq(seen.out, "on the tmpfs\n");
    come_back(home);
}
END_TEST

/* ---- users --------------------------------------------------------------------------------- */

START_TEST(the_caller_is_root_inside_only)
{
    NEEDS_USERNS;
    SKIP_UNLESS("no-subids", !have_subids(), "the user has subordinate ids: see the next test");
    const char *root = make_root_for(true);
    struct running shell = start_words(
        true, (const char *const[]){root, "sh", "-c", "id -u; id -g; >/tmp/made; exec cat", NULL});
    ck_assert_str_eq(read_line(&shell), "0");
    ck_assert_str_eq(read_line(&shell), "0");
    pid_t pid = await_process(shell.pid, "cat");
    unsigned inside, outside, count;
    ck_assert_int_eq(
        sscanf(read_file(text("/proc/%d/uid_map", pid)), "%u %u %u %*u", &inside, &outside, &count),
        3);
    ck_assert(inside == 0 && outside == user_id() && count == 1);
    ck_assert_int_eq(
        sscanf(read_file(text("/proc/%d/gid_map", pid)), "%u %u %u %*u", &inside, &outside, &count),
        3);
    ck_assert(inside == 0 && count == 1);
    ck_assert_str_eq(read_file(text("/proc/%d/setgroups", pid)), "deny\n");
    struct stat made;
    ck_assert_int_eq(stat(text("%s/tmp/made", root), &made), 0);
    ck_assert_uint_eq(made.st_uid, user_id());
    ck_status(finish(&shell), 0);
}
END_TEST

START_TEST(root_can_map_itself_too)
{
    NEEDS_ROOT;
    SKIP_UNLESS("userns", have_userns(), "no user namespaces");
    const char *root = make_root();
    int home = leave_with_subids(root, "", "");
    struct running cat = start_program("--map-user", root, "cat");
    pid_t pid = await_process(cat.pid, "cat");
    unsigned ids[3] = {9, 9, 9};
    sscanf(read_file(text("/proc/%d/uid_map", pid)), "%u %u %u", &ids[0], &ids[1], &ids[2]);
    ck_assert(ids[0] == 0 && ids[1] == 0 && ids[2] == 1);
    ck_status(finish(&cat), 0);
    come_back(home);
}
END_TEST

START_TEST(others_do_not_exist_inside)
{
    NEEDS_USERNS;
    SKIP_UNLESS("no-subids", !have_subids(), "the user has subordinate ids");
    const char *root = make_root_for(true);
    struct result chown =
        run_words(true, (const char *const[]){root, "sh", "-c", ">/tmp/x; chown 1 /tmp/x", NULL});
    ck_status(chown, 1);
    ck_contains(chown.err, "Invalid argument");
}
END_TEST

START_TEST(without_a_map_everybody_is_nobody)
{
    SKIP_UNLESS("root", _i || (have_root() && !in_chroot()), "for root only, and not in a chroot");
    NEEDS_USERNS;
    struct how how = {.as_user = _i};
    const char *root = make_root_for(_i);
    struct result id = run_program_how(how, "--user", root, "sh", "-c", "id -u; id -g; id -G");
    ck_status(id, 0);
    ck_assert_str_eq(id.out, "65534\n65534\n65534\n");
    struct running cat = start_program_how(how, "--user", "--mount", root, "cat");
    pid_t pid = await_process(cat.pid, "cat");
    ck_assert_str_eq(new_namespaces(pid), "mnt user ");
    ck_assert_str_eq(read_file(text("/proc/%d/uid_map", pid)), "");
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(without_a_user_namespace_it_takes_root)
{
    SKIP_UNLESS("user", user_id() != 0, "there is no ordinary user");
    const char *root = make_root();
    ck_refused(run_program_as_user(root, "true"), "--map-user");
    ck_refused(run_program_as_user("--uts", root, "true"), "--map-user");
}
END_TEST

START_TEST(a_limit_on_namespaces_is_named)
{
    NEEDS_USERNS;
    /* The sysctl belongs to the user namespace: no harm to anybody else. */
    struct result none = run("unshare", "--user", "--map-root-user", "sh", "-c",
                             "echo 0 >/proc/sys/user/max_uts_namespaces && exec \"$0\" \"$1\" true",
                             program(), make_root());
    ck_refused(none, "max_*_namespaces");
}
END_TEST

#define NEEDS_NEWUIDMAP                                                                      \
    SKIP_UNLESS("root", have_root() && !in_chroot(), "it takes root to grant ids");          \
    SKIP_UNLESS("userns", have_userns(), "no user namespaces for ordinary users");           \
    SKIP_UNLESS("subids",                                                                    \
                have_tool("newuidmap") && have_tool("newgidmap") && exists("/etc/subuid") && \
                    exists("/etc/subgid") && getpwuid(user_id()),                            \
                "no newuidmap, no /etc/subuid, or the user has no name")

/* The user's container while these files hold: its uid_map, gid_map and setgroups in
 * one line, and what "id -G" and "chown 5" say inside. */
static char *maps_with(const char *root, const char *subuid, const char *subgid)
{
    int home = leave_with_subids(root, subuid, subgid);
    struct running shell = start_words(
        true, (const char *const[]){
                  root, "sh", "-c",
                  "rm -f /tmp/f; >/tmp/f; chown 5:6 /tmp/f 2>/dev/null; echo $?; exec cat", NULL});
    char *owned = read_line(&shell);
    pid_t pid = await_process(shell.pid, "cat");
    struct result maps =
        run("sh", "-c", "cd \"$0\"; echo $(cat uid_map) / $(cat gid_map) / $(cat setgroups)",
            text("/proc/%d", pid));
    ck_status(finish(&shell), 0);
    come_back(home);
    return text("%schown %s", maps.out, owned ? owned : "failed");
}

START_TEST(subordinate_ids_are_mapped)
{
    NEEDS_NEWUIDMAP;
    const char *root = make_root_for(true), *name = getpwuid(user_id())->pw_name;
    const char *expected =
        text("0 %u 1 1 200000 1000 / 0 %u 1 1 300000 500 / allow\nchown 0", user_id(), user_id());
    ck_assert_str_eq(maps_with(root, text("%s:200000:1000\n", name), text("%s:300000:500\n", name)),
                     expected);
    struct stat owned;
    ck_assert_int_eq(stat(text("%s/tmp/f", root), &owned), 0);
    ck_assert_uint_eq(owned.st_uid, 200004);
    ck_assert_uint_eq(owned.st_gid, 300005);
    ck_assert_str_eq(
        maps_with(root, text("%u:200000:1000", user_id()), text("%u:300000:500", user_id())),
        expected);
}
END_TEST

START_TEST(lines_for_others_are_passed_over)
{
    NEEDS_NEWUIDMAP;
    const char *root = make_root_for(true), *name = getpwuid(user_id())->pw_name;
    const char *junk = text("# a comment\n\n:::\nbroken\nx%s:100000:1000\n%sx:100000:1000\n"
                            "%s:x:y\n%0100d:100000:1000\n1%u:100000:1000\n",
                            name, name, name, 1, user_id());
    ck_assert_str_eq(
        maps_with(root, text("%s%s:200000:1000\n", junk, name),
                  text("%s%s:300000:500\n", junk, name)),
        text("0 %u 1 1 200000 1000 / 0 %u 1 1 300000 500 / allow\nchown 0", user_id(), user_id()));
}
END_TEST

START_TEST(without_both_ranges_the_caller_is_alone)
{
    NEEDS_NEWUIDMAP;
    const char *root = make_root_for(true), *name = getpwuid(user_id())->pw_name;
    const char *alone = text("0 %u 1 / 0 %u 1 / deny\nchown 1", user_id(), user_id());
    const char *range = text("%s:200000:1000\n", name);
    ck_assert_str_eq(maps_with(root, "", ""), alone);
    ck_assert_str_eq(maps_with(root, range, ""), alone);
    ck_assert_str_eq(maps_with(root, "", range), alone);
    ck_assert_str_eq(maps_with(root, text("%s:0:0\n", name), range), alone); /* newuidmap refuses */
}
END_TEST

START_TEST(half_a_map_ends_it)
{
    NEEDS_NEWUIDMAP;
    const char *root = make_root_for(true), *name = getpwuid(user_id())->pw_name;
    int home = leave_with_subids(root, text("%s:200000:1000\n", name), text("%s:0:0\n", name));
    struct result half =
        run_words(true, (const char *const[]){root, "sh", "-c", ">/tmp/ran", NULL});
    come_back(home);
    ck_status(half, 125);
    ck_contains(half.err, ": newgidmap ended with status 1\n");
    ck_assert(!exists(text("%s/tmp/ran", root)));
}
END_TEST

/* Groups that the caller is in would count inside, though nothing there shows them. */
START_TEST(the_callers_groups_are_dropped)
{
    NEEDS_NEWUIDMAP;
    SKIP_UNLESS("setpriv", have_tool("setpriv"), "no setpriv");
    SKIP_UNLESS("reach", user_reaches(program()), "the ordinary user can't reach the program");
    const char *root = make_root_for(true), *name = getpwuid(user_id())->pw_name;
    int home =
        leave_with_subids(root, text("%s:200000:1000\n", name), text("%s:300000:500\n", name));
    struct result id =
        run("setpriv", "--reuid", text("%u", user_id()), "--regid", text("%u", user_id()),
            "--groups", "4,24", program(), "--map-user", root, "id", "-G");
    come_back(home);
    ck_status(id, 0);
    ck_assert_str_eq(id.out, "0\n");
}
END_TEST

/* ---- how it ends ------------------------------------------------------------------------------
 */

START_TEST(the_status_is_the_commands)
{
    NEEDS_NAMESPACES;
    const char *root = make_root();
    ck_status(run_container(root, "true"), 0);
    ck_status(run_container(root, "sh", "-c", "exit 7"), 7);
    ck_status(run_container(root, "sh", "-c", "exit 255"), 255);
    ck_status(run_container(root, "sh", "-c", "kill -KILL $$"), 128 + 9);
    ck_status(run_container(root, "sh", "-c", "kill -TERM $$"), 128 + 15);
}
END_TEST

START_TEST(what_cannot_be_executed)
{
    NEEDS_NAMESPACES;
    const char *root = make_root();
    struct result missing = run_container(root, "no-such-command");
    ck_status(missing, 127);
    ck_contains(missing.err, "no-such-command: No such file or directory\n");
    struct result file = run_container(root, "/etc/passwd");
    ck_status(file, 126);
    ck_contains(file.err, "/etc/passwd: Permission denied\n");
}
END_TEST

START_TEST(a_shell_is_the_default)
{
    NEEDS_NAMESPACES;
    struct running shell = start_container(make_root());
    type(&shell, "echo in $0; exit 7\n");
    struct result ended = finish(&shell);
    ck_status(ended, 7);
    ck_assert_str_eq(ended.out, "in /bin/sh\n");
}
END_TEST

START_TEST(arguments_arrive_as_they_are)
{
    NEEDS_NAMESPACES;
    struct result echoed =
        run_container(make_root(), "printf", "%s|", "a", "b  c", "", "--uts", "--", "*");
    ck_assert_str_eq(echoed.out, "a|b  c||--uts|--|*|");
}
END_TEST

/* What execve(2) would pass on: the mask, and the signals that are ignored. */
START_TEST(signals_are_as_after_boot)
{
    NEEDS_NAMESPACES;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGINT, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    struct running cat = start_container(make_root(), "cat");
    pid_t pid = await_process(cat.pid, "cat");
    ck_assert_str_eq(status_of(pid, "SigBlk"), "0000000000000000");
    for (int signal = 1; signal < 32; signal++) /* 32 and 33 are beyond the reach of libc's users */
        ck_assert_msg(!ignores(pid, signal), "signal %d is ignored", signal);
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(who_ignores_children_gets_the_status_too)
{
    NEEDS_ROOT;
    struct result ended =
        run("env", "--ignore-signal=CHLD", program(), make_root(), "sh", "-c", "exit 3");
    ck_status(ended, 3);
}
END_TEST

START_TEST(the_container_does_not_outlive_the_program)
{
    NEEDS_NAMESPACES;
    const char *root = make_root();
    static const int deadly[] = {SIGKILL, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
        struct running sleeping = start_container(root, "sleep", "100");
        pid_t pid = await_process(sleeping.pid, "sleep");
        kill(sleeping.pid, deadly[i]);
        ck_await(!is_alive(pid));
        ck_status(finish(&sleeping), 128 + deadly[i]);
    }
}
END_TEST

static void on_signal(int signal)
{
    (void)signal;
}

/* Ctrl-C goes to the terminal's foreground process group: here, that of this test. */
START_TEST(an_interrupt_is_the_commands_business)
{
    NEEDS_NAMESPACES;
    ck_assert_int_eq(getpgrp(), getpid());
    signal(SIGINT, on_signal);
    const char *root = make_root();
    struct running sleeping = start_container(root, "sleep", "100");
    await_process(sleeping.pid, "sleep");
    ck_await(ignores(sleeping.pid, SIGINT));
    kill(0, SIGINT);
    ck_status(finish(&sleeping), 128 + SIGINT);

    struct running shell = start_container(
        root, "sh", "-c", "trap 'exit 5' INT; echo ready; while :; do sleep 0.05; done");
    ck_assert_str_eq(read_line(&shell), "ready");
    ck_await(ignores(shell.pid, SIGINT));
    kill(0, SIGINT);
    ck_status(finish(&shell), 5);
}
END_TEST

/* ---- refusals ----------------------------------------------------------------------------------
 */

START_TEST(bad_input_is_refused)
{
    const char *file = text("%s/file", scratch_dir());
    write_file(file, "");
    ck_refused(run_program(), "root");
    ck_refused(run_program("--uts"), "root");
    ck_refused(run_program("--no-such-option", "/"), "--no-such-option");
    ck_refused(run_program("-x", "/"), "-x");
    ck_refused(run_program("--hostname"), "--hostname: needs a value");
    ck_refused(run_program("--uts=x", "/"), "--uts=x");
    ck_refused(run_program("--nest", "2", "/"), "--nest");
    ck_refused(run_program("--m", "/"), "ambiguous");
    static const char *const times[] = {
        "x",    "",   " 1",         "+1",          "1.5",
        "0x10", "1 ", "2147483648", "-2147483649", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        ck_refused(run_program(text("--time=%s", times[i]), "/"),
                   text("--time: \"%s\" is not a whole number", times[i]));
}
END_TEST

START_TEST(a_bad_root_is_refused)
{
    NEEDS_NAMESPACES;
    const char *dir = scratch_dir(), *file = text("%s/file", dir);
    write_file(file, "");
    ck_refused(run_container("/no/such/root", "true"), "/no/such/root: No such file or directory");
    ck_refused(run_container(file, "true"), text("%s: Not a directory", file));
    ck_refused(run_container("", "true"), "No such file or directory");
    ck_refused(run_container("--copy", "/bin/true", text("%s/new", dir), "true"), "new: No such");
    ck_assert(!exists(text("%s/new", dir)));
}
END_TEST

START_TEST(help_and_version)
{
    struct result help = run_program("--help"), version = run_program("--version");
    static const char *const options[] = {"--copy",     "--mount",    "--uts",    "--ipc",
                                          "--net",      "--cgroupns", "--time",   "--user",
                                          "--map-user", "--hostname", "--verbose"};
    ck_status(help, 0);
    ck_contains(help.out, "usage: step02");
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        ck_contains(help.out, options[i]);
    ck_assert_str_eq(help.err, "");
    ck_status(version, 0);
    ck_contains(version.out, "step02");
    ck_refused(run("sh", "-c", "exec \"$0\" --help >/dev/full", program()), "No space left");
}
END_TEST

/* Once as root, once as an ordinary user. */
Suite *make_suite(void)
{
    Suite *suite = suite_create("step02: namespaces of its own");

    TCase *namespaces = add_case(suite, "namespaces");
    add_both(namespaces, each_namespace_has_its_flag);
    add_both(namespaces, without_a_flag_it_is_all_but_the_user);
    add_both(namespaces, all_flags_together);
    add_both(namespaces, the_table_tells_the_truth);
    add_both(namespaces, the_hostname_is_its_own);
    add_both(namespaces, a_hostname_has_64_bytes_at_most);
    add_both(namespaces, the_clock_is_ahead);
    add_both(namespaces, the_clock_can_be_behind_but_not_below_zero);
    add_both(namespaces, the_network_is_a_loopback_that_is_down);
    add_both(namespaces, message_queues_of_the_host_are_not_seen);

    TCase *root = add_case(suite, "root");
    add_both(root, only_the_root_is_mounted);
    add_both(root, nothing_is_above_the_root);
    add_both(root, root_is_held);
    add_both(root, no_descriptor_leads_out);
    add_both(root, a_root_can_be_named_in_many_ways);
    tcase_add_test(root, a_relative_root_will_do);

    TCase *mounts = add_case(suite, "mounts");
    add_both(mounts, mounts_inside_do_not_show_outside);
    add_both(mounts, mounts_outside_do_not_show_inside);
    add_both(mounts, what_is_mounted_below_the_root_comes_along);

    TCase *users = add_case(suite, "users");
    tcase_add_test(users, the_caller_is_root_inside_only);
    tcase_add_test(users, root_can_map_itself_too);
    tcase_add_test(users, others_do_not_exist_inside);
    add_both(users, without_a_map_everybody_is_nobody);
    tcase_add_test(users, without_a_user_namespace_it_takes_root);
    tcase_add_test(users, a_limit_on_namespaces_is_named);
    tcase_add_test(users, subordinate_ids_are_mapped);
    tcase_add_test(users, lines_for_others_are_passed_over);
    tcase_add_test(users, without_both_ranges_the_caller_is_alone);
    tcase_add_test(users, half_a_map_ends_it);
    tcase_add_test(users, the_callers_groups_are_dropped);

    TCase *end = add_case(suite, "end");
    add_both(end, the_status_is_the_commands);
    add_both(end, what_cannot_be_executed);
    add_both(end, a_shell_is_the_default);
    add_both(end, arguments_arrive_as_they_are);
    add_both(end, signals_are_as_after_boot);
    tcase_add_test(end, who_ignores_children_gets_the_status_too);
    add_both(end, the_container_does_not_outlive_the_program);
    add_both(end, an_interrupt_is_the_commands_business);

    TCase *refusals = add_case(suite, "refusals");
    tcase_add_test(refusals, bad_input_is_refused);
    add_both(refusals, a_bad_root_is_refused);
    tcase_add_test(refusals, help_and_version);
    return suite;
}
