/* test_step03.c - a process tree of its own: /proc, signals, and what being PID 1 means.
 *
 * Most tests run twice: as root (_i is 0), and as an ordinary user (1), who adds
 * --map-user and is to get the same. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support.h"

/* ---- helpers ----------------------------------------------------------------------- */

#define run_shell(command) run_container(make_root_for(_i), "sh", "-c", command)

/* The next line on standard error. */
static char *read_error(struct running *running)
{
    struct running other = *running;
    other.out = running->err;
    return read_line(&other);
}

/* The value of a line such as "SigBlk:\t0000" in /proc/PID/status. */
static char *status_of(pid_t pid, const char *name)
{
    char *value = strstr(read_file(text("/proc/%d/status", pid)), text("\n%s:\t", name));
    ck_assert_msg(value != NULL, "no %s in the status of %d", name, pid);
    return strtok(value + strlen(name) + 3, "\n");
}

/* Where and what the process has mounted, "/proc proc" a line. */
static char *mounts_of(pid_t pid)
{
    char *line, *rest, *info = read_file(text("/proc/%d/mountinfo", pid)), *mounts = "";
    for (line = strtok_r(info, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char point[256], type[32], *tail = strstr(line, " - ");
        if (tail && sscanf(line, "%*s %*s %*s %*s %255s", point) == 1 &&
            sscanf(tail, " - %31s", type) == 1)
            mounts = text("%s%s %s\n", mounts, point, type);
    }
    return mounts;
}

/* No child of ours is left, not even a zombie that the program should have reaped. */
static void ck_no_children(void)
{
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

/* ---- processes ----------------------------------------------------------------------- */

START_TEST(ps_shows_two_processes)
{
    NEEDS_NAMESPACES;
    struct result ps = run_shell("ps -o pid,comm; true");
    ck_status(ps, 0);
    char first[32], second[32], end;
    int found = sscanf(ps.out, "PID COMMAND 1 %31s %*d %31s %c", first, second, &end);
    ck_assert_msg(found == 2 && strcmp(first, "sh") == 0 && strcmp(second, "ps") == 0, "%s",
                  ps.out);
}
END_TEST

START_TEST(the_namespaces_are_new)
{
    NEEDS_NAMESPACES;
    static const char *const kinds[] = {"pid", "mnt", "uts", "ipc", "net", "cgroup", "time"};
    struct running cat = start_container(make_root(), "cat");
    pid_t pid = await_process(cat.pid, "cat");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        ck_assert_uint_ne(ns_inode(pid, kinds[i]), ns_inode(getpid(), kinds[i]));
    ck_assert_int_eq(ns_inode(pid, "user") != ns_inode(getpid(), "user"), _i);
    ck_assert_int_eq(child_of(cat.pid), pid);
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(a_pid_namespace_is_always_made)
{
    NEEDS_NAMESPACES;
    struct running cat = start_container("--uts", make_root(), "cat");
    pid_t pid = await_process(cat.pid, "cat");
    ck_assert_uint_ne(ns_inode(pid, "pid"), ns_inode(getpid(), "pid"));
    ck_assert_uint_ne(ns_inode(pid, "uts"), ns_inode(getpid(), "uts"));
    ck_assert_uint_eq(ns_inode(pid, "net"), ns_inode(getpid(), "net"));
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(the_hosts_processes_are_out_of_reach)
{
    NEEDS_NAMESPACES;
    struct running victim =
        start_how(((struct how){.as_user = _i}), "sleep", "100"); /* one that the caller may kill */
    await_process(getpid(), "sleep");
    struct result in = run_shell(text("ls -d /proc/[0-9]*; kill -0 %d; kill -KILL -1", victim.pid));
    ck_assert_str_eq(in.out, "/proc/1\n");
    ck_contains(in.err, text("%d: No such process", victim.pid));
    ck_assert(is_alive(victim.pid));
    kill(victim.pid, SIGKILL);
    ck_status(finish(&victim), 128 + 9);
}
END_TEST

START_TEST(orphans_come_to_process_1)
{
    NEEDS_NAMESPACES;
    struct result parent =
        run_shell("orphan=$(sh -c 'sleep 100 >/dev/null 2>&1 & echo $!')\n"
                  "awk '/^PPid/ {print $2}' /proc/$orphan/status; readlink /proc/$orphan/exe");
    ck_assert_str_eq(parent.out, "1\n/bin/busybox\n");
}
END_TEST

START_TEST(the_death_of_process_1_ends_all)
{
    NEEDS_NAMESPACES;
    struct running shell =
        start_container(make_root(), "sh", "-c",
                        "sleep 100 & setsid sh -c 'trap \"\" TERM HUP; sleep 200 & wait' & read x");
    pid_t sleeping = await_process(shell.pid, "sleep");
    type(&shell, "end\n");
    ck_status(finish(&shell), 0);
    ck_assert(!is_alive(sleeping)); /* at once: the kernel holds PID 1 back until all are gone */
    ck_no_children();
}
END_TEST

/* ---- namespaces in namespaces ------------------------------------------------------------ */

/* The PIDs of a process in all namespaces that it is in, from /proc's on inwards. */
static int pids_of(pid_t pid, int pids[40])
{
    int count = 0;
    char *number, *rest, *line = status_of(pid, "NSpid");
    for (number = strtok_r(line, "\t ", &rest); number; number = strtok_r(NULL, "\t ", &rest))
        pids[count++] = atoi(number);
    return count;
}

START_TEST(a_process_has_a_pid_in_each_namespace)
{
    NEEDS_NAMESPACES;
    const char *root = make_root();
    int pids[40], ours = pids_of(getpid(), pids);
    for (int nest = 1; nest <= 3; nest++) {
        struct running cat = start_container("--nest", text("%d", nest), root, "cat");
        pid_t pid = await_process(cat.pid, "cat");
        ck_assert_int_eq(pids_of(pid, pids), ours + nest);
        ck_assert_int_eq(pids[0], pid);
        ck_assert_int_eq(pids[ours + nest - 1], 1);
        if (nest > 1)
            ck_assert_int_eq(pids[ours + nest - 2], 2); /* the child of that namespace's PID 1 */
        ck_status(finish(&cat), 0);
    }
}
END_TEST

START_TEST(each_namespace_sees_only_what_is_below)
{
    NEEDS_NAMESPACES;
    struct result ps = run_container("--nest=3", make_root(), "sh", "-c", "ls -d /proc/[0-9]*");
    ck_status(ps, 0);
    ck_lacks(ps.out, "/proc/3");
}
END_TEST

START_TEST(the_kernel_nests_31_deep)
{
    NEEDS_NAMESPACES;
    int pids[40];
    SKIP_UNLESS("pidns-depth", pids_of(getpid(), pids) == 1, "we are in a pid namespace already");
    ck_status(run_container("--nest", "31", make_root(), "sh", "-c", "exit 9"), 9);
}
END_TEST

START_TEST(too_deep_is_refused)
{
    SKIP_UNLESS("root", have_root() && !in_chroot(), "for root only, and not in a chroot");
    struct result deep = run("unshare", "--pid", "--fork", "unshare", "--pid", "--fork", program(),
                             "--nest=31", make_root(), "true");
    ck_refused(deep, "clone3 into pid namespace ");
    ck_contains(deep.err, "No space left on device");
}
END_TEST

START_TEST(statuses_pass_through_all_levels)
{
    NEEDS_NAMESPACES;
    const char *root = make_root();
    ck_status(run_container("--nest", "3", root, "sh", "-c", "exit 7"), 7);
    ck_status(run_container("--nest", "3", root, "no-such-command"), 127);
    struct running sleeping = start_container("--nest", "3", root, "sleep", "100");
    kill(await_process(sleeping.pid, "sleep"), SIGKILL);
    ck_status(finish(&sleeping), 128 + 9);
    ck_no_children();
}
END_TEST

/* ---- /proc and /dev -------------------------------------------------------------------------- */

START_TEST(only_these_are_mounted)
{
    NEEDS_NAMESPACES;
    struct running cat = start_container(make_root(), "cat");
    char *mounts = mounts_of(await_process(cat.pid, "cat")), *line, *rest;
    ck_contains(mounts, "\n/proc proc\n");
    ck_contains(mounts, "\n/dev tmpfs\n");
    ck_contains(mounts, "\n/dev/null ");
    for (line = strtok_r(mounts, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        ck_assert_msg(strncmp(line, "/ ", 2) == 0 || strncmp(line, "/proc ", 6) == 0 ||
                          strncmp(line, "/dev ", 5) == 0 || strncmp(line, "/dev/", 5) == 0,
                      "%s is mounted as well", line);
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(nothing_on_proc_is_executable)
{
    NEEDS_NAMESPACES;
    struct result mounts = run_shell("grep -E ' /(proc|dev) ' /proc/mounts");
    ck_contains(mounts.out, "/proc proc rw,nosuid,nodev,noexec,");
    ck_contains(mounts.out, "/dev tmpfs rw,nosuid,noexec,");
}
END_TEST

START_TEST(proc_shows_the_clock_of_the_container)
{
    NEEDS_NAMESPACES;
    struct result uptime =
        run_container("--time=100000000", make_root(), "cut", "-d.", "-f1", "/proc/uptime");
    struct timespec up;
    clock_gettime(CLOCK_BOOTTIME, &up);
    ck_assert_int_ge(atol(uptime.out), 100000000);
    ck_assert_int_le(atol(uptime.out), 100000000 + up.tv_sec);
}
END_TEST

START_TEST(the_devices_work)
{
    NEEDS_NAMESPACES;
    SKIP_UNLESS("dev", exists("/dev/zero") && exists("/dev/full") && exists("/dev/urandom"),
                "the host's own /dev lacks them");
    struct result dev =
        run_shell("cd /dev; stat -c '%n %t:%T' null zero full random urandom\n"
                  "echo lost >null; wc -c <null; head -c 3 zero | tr '\\0' z; echo\n"
                  "head -c 7 urandom | wc -c; echo no >full; echo full $?\n"
                  "(echo out >stdout) | cat; (echo err >stderr) 2>&1 | cat\n"
                  "echo in | cat stdin fd/0");
    ck_assert_str_eq(dev.out, "null 1:3\nzero 1:5\nfull 1:7\nrandom 1:8\nurandom 1:9\n"
                              "0\nzzz\n7\nfull 1\nout\nerr\nin\n");
}
END_TEST

START_TEST(dev_is_its_own)
{
    NEEDS_NAMESPACES;
    const char *root = make_root_for(_i), *dev = text("%s/dev", root);
    unlink(text("%s/null", dev));
    ck_status(run_container(root, "sh", "-c", "echo x >/dev/null; echo x >/dev/new; ls /dev/new"),
              0);
    ck_assert_str_eq(run("ls", "-A", dev).out, "");
    ck_assert_str_eq(run("ls", "-A", text("%s/proc", root)).out, "");
    ck_assert(!exists("/dev/new"));
}
END_TEST

START_TEST(missing_mount_points_are_made)
{
    NEEDS_NAMESPACES;
    const char *root = make_root_for(_i);
    ck_status(run("rm", "-rf", text("%s/dev", root), text("%s/proc", root)), 0);
    struct result in = run_container(root, "sh", "-c", "cat /proc/self/comm; echo x >/dev/null");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "cat\n");
}
END_TEST

START_TEST(mounts_show_on_one_side_only)
{
    SKIP_UNLESS("root", have_root() && !in_chroot(), "it takes root to prepare shared mounts");
    NEEDS_NAMESPACES;
    const char *root = make_root(), *mnt = text("%s/mnt", root);
    int home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
    ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    ck_assert_int_eq(mount(root, root, NULL, MS_BIND, NULL), 0);
    ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), 0); /* as systemd has it */
    int before = mount_count();
    struct running shell =
        start_container(root, "sh", "-c", "mount -t tmpfs tmpfs /tmp && echo ready; exec cat");
    ck_assert_str_eq(read_line(&shell), "ready");
    ck_assert_int_eq(mount_count(), before);
    ck_assert_int_eq(mount("tmpfs", mnt, "tmpfs", 0, NULL), 0);
    ck_lacks(mounts_of(await_process(shell.pid, "cat")), "/mnt ");
    ck_assert_int_eq(umount2(mnt, MNT_DETACH), 0);
    ck_status(finish(&shell), 0);
    ck_assert_int_eq(mount_count(), before);
    ck_assert_int_eq(setns(home, CLONE_NEWNS), 0);
    close(home);
}
END_TEST

/* The root's author would like something of the host's to be mounted over, or made. */
static void lead_astray(const char *root, const char *name, const char *target)
{
    ck_status(run("rm", "-rf", text("%s/%s", root, name)), 0);
    ck_assert_int_eq(symlink(target, text("%s/%s", root, name)), 0);
}

START_TEST(mount_points_do_not_lead_out)
{
    NEEDS_NAMESPACES;
    const char *victim = scratch_dir(), *up = "../../../../../../..";
    const char *targets[] = {victim, text("%s%s", up, victim), text("%s/new", victim),
                             text("/proc/self/root%s", victim)};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        const char *names[] = {"dev", "proc"};
        for (int n = 0; n < 2; n++) {
            const char *root = make_root_for(_i);
            lead_astray(root, names[n], targets[i]);
            ck_refused(run_container(root, "true"), "in the root: ");
            ck_assert_str_eq(run("ls", "-A", victim).out, "");
        }
    }
}
END_TEST

START_TEST(links_mean_what_they_mean_inside)
{
    NEEDS_NAMESPACES;
    const char *root = make_root_for(_i);
    lead_astray(root, "dev", "/tmp"); /* there is one outside as well */
    lead_astray(root, "proc", "../../../mnt");
    struct running cat = start_container(root, "cat");
    char *mounts = mounts_of(await_process(cat.pid, "cat"));
    ck_contains(mounts, "\n/tmp tmpfs\n");
    ck_contains(mounts, "\n/tmp/null ");
    ck_contains(mounts, "\n/mnt proc\n");
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(without_ids_dev_stays_empty)
{
    SKIP_UNLESS("root", have_root() && !in_chroot(), "for root only, and not in a chroot");
    SKIP_UNLESS("userns", have_userns(), "no user namespaces");
    struct result dev = run_program("--user", make_root(), "sh", "-c", "id -u; ls -A /dev");
    ck_status(dev, 0);
    ck_assert_str_eq(dev.out, "65534\n");
}
END_TEST

/* ---- signals ------------------------------------------------------------------------------------
 */

/* A PID 1 that tells which signal came, and ends when its input does. */
static const char teller[] =
    "for s in HUP INT QUIT USR1 USR2 ALRM TERM WINCH; do trap \"echo $s\" $s; done\n"
    "echo ready; sleep 100 & while :; do wait; done";

START_TEST(signals_reach_process_1)
{
    NEEDS_NAMESPACES;
    static const struct {
        int signal;
        const char *name;
    } sent[] = {{SIGHUP, "HUP"},   {SIGINT, "INT"},     {SIGQUIT, "QUIT"}, {SIGUSR1, "USR1"},
                {SIGUSR2, "USR2"}, {SIGALRM, "ALRM"},   {SIGTERM, "TERM"}, {SIGTERM, "TERM"},
                {SIGTERM, "TERM"}, {SIGWINCH, "WINCH"}, {SIGHUP, "HUP"}};
    struct running shell = start_container(make_root(), "sh", "-c", teller);
    ck_assert_str_eq(read_line(&shell), "ready");
    for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
        kill(shell.pid, sent[i].signal);
        ck_assert_str_eq(read_line(&shell), sent[i].name);
    }
    kill(await_process(shell.pid, "sh"), SIGKILL);
    struct result ended = finish(&shell);
    ck_status(ended, 128 + 9);
    ck_assert_str_eq(ended.err, "");
    ck_assert_str_eq(ended.out, "");
}
END_TEST

START_TEST(signals_pass_through_all_levels)
{
    NEEDS_NAMESPACES;
    struct running shell = start_container("--nest", "3", make_root(), "sh", "-c", teller);
    ck_assert_str_eq(read_line(&shell), "ready");
    kill(shell.pid, SIGTERM);
    ck_assert_str_eq(read_line(&shell), "TERM");
    kill(shell.pid, SIGUSR1);
    ck_assert_str_eq(read_line(&shell), "USR1");
    kill(await_process(shell.pid, "sh"), SIGKILL);
    struct result ended = finish(&shell);
    ck_status(ended, 128 + 9);
    ck_assert_str_eq(ended.err, ""); /* the processes between keep signals blocked: no warning */
}
END_TEST

START_TEST(process_1_is_deaf_without_handlers)
{
    NEEDS_NAMESPACES;
    struct result in = run_shell("kill -TERM $$; kill -KILL 1; kill -USR1 1; echo alive");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "alive\n");
}
END_TEST

START_TEST(the_first_signal_warns_the_second_kills)
{
    NEEDS_NAMESPACES;
    static const int insistent[][2] = {{SIGTERM, SIGTERM}, {SIGINT, SIGTERM}, {SIGHUP, SIGQUIT}};
    const char *root = make_root();
    for (size_t i = 0; i < sizeof(insistent) / sizeof(insistent[0]); i++) {
        /* Nested namespaces are each other's PID 1: the innermost's is meant. */
        const char *nest = text("--nest=%zu", i + 1);
        struct running sleeping = start_container(nest, root, "sleep", "100");
        pid_t pid = await_process(sleeping.pid, "sleep");
        kill(sleeping.pid, SIGUSR1); /* nobody takes this for a request to end */
        kill(sleeping.pid, insistent[i][0]);
        const char *warning = read_error(&sleeping);
        ck_contains(warning, text("no handler for signal %d", insistent[i][0]));
        ck_assert(is_alive(pid));
        kill(sleeping.pid, SIGUSR1);
        kill(sleeping.pid, insistent[i][1]);
        struct result ended = finish(&sleeping);
        ck_status(ended, 128 + 9);
        ck_assert_str_eq(ended.err, "");
    }
    ck_no_children();
}
END_TEST

/* Ctrl-Z gives the shell back, as for any program; what runs inside goes on. */
START_TEST(a_stop_is_for_the_program)
{
    NEEDS_NAMESPACES;
    struct running cat = start_container(make_root(), "cat");
    pid_t pid = await_process(cat.pid, "cat");
    kill(cat.pid, SIGTSTP);
    ck_await(*status_of(cat.pid, "State") == 'T');
    type(&cat, "still there\n");
    ck_assert_str_eq(read_line(&cat), "still there");
    ck_assert_int_ne(*status_of(pid, "State"), 'T');
    kill(cat.pid, SIGCONT);
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(a_kill_ends_the_container_whatever_it_does)
{
    NEEDS_NAMESPACES;
    const char *root = make_root();
    for (int nest = 1; nest <= 3; nest += 2) {
        struct running shell =
            start_container("--nest", text("%d", nest), root, "sh", "-c",
                            "trap '' TERM HUP; sleep 100 & sleep 200 & echo ready; wait");
        ck_assert_str_eq(read_line(&shell), "ready");
        pid_t pids[] = {await_process(shell.pid, "sh"), await_process(shell.pid, "sleep")};
        kill(shell.pid, SIGKILL);
        ck_await(!is_alive(pids[0]) && !is_alive(pids[1]));
        ck_status(finish(&shell), 128 + 9);
    }
}
END_TEST

START_TEST(signals_at_the_start_lose_nobody)
{
    NEEDS_NAMESPACES;
    const char *root = make_root();
    signal(SIGTERM, SIG_DFL); /* Check's handler would be that of the child until it executes */
    for (int i = 0; i < 10; i++) {
        struct running sleeping = start_container(root, "sleep", "100");
        for (int n = 0; n < i; n++)
            pause_briefly();
        while (is_alive(sleeping.pid) && kill(sleeping.pid, SIGTERM) == 0)
            pause_briefly();
        int status = finish(&sleeping).status;
        ck_assert_msg(status == 128 + SIGTERM || status == 128 + SIGKILL, "status %d", status);
    }
}
END_TEST

START_TEST(signals_are_as_after_boot)
{
    NEEDS_NAMESPACES;
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    struct running cat = start_container(make_root(), "cat");
    pid_t pid = await_process(cat.pid, "cat");
    ck_assert_str_eq(status_of(pid, "SigBlk"), "0000000000000000");
    unsigned long long ignored = strtoull(status_of(pid, "SigIgn"), NULL, 16);
    ck_assert_uint_eq(ignored & 0x7fffffff, 0); /* 32 and 33 are out of reach, libc keeps them */
    ck_status(finish(&cat), 0);
}
END_TEST

START_TEST(who_ignores_children_gets_the_status_too)
{
    SKIP_UNLESS("root", have_root() && !in_chroot(), "for root only, and not in a chroot");
    struct result ended =
        run("env", "--ignore-signal=CHLD", program(), make_root(), "sh", "-c", "exit 3");
    ck_status(ended, 3);
}
END_TEST

/* ---- a terminal
 * ----------------------------------------------------------------------------------- */

/* Start the program with a terminal of its own; out is the terminal's other side. */
static struct running start_in_terminal(bool as_user, const char *root, const char *command)
{
    int side;
    struct running running = {.in = -1, .err = -1};
    const char *words[] = {
        program(), as_user ? "--map-user" : "--nest=1", root, "sh", "-c", command, NULL};
    running.pid = forkpty(&side, NULL, NULL, NULL);
    ck_assert_int_ge(running.pid, 0);
    if (running.pid == 0) {
        if (as_user)
            become_user();
        execv(words[0], (char *const *)words);
        _exit(126);
    }
    running.out = side;
    running.deadline = seconds_now() + 10 * timeout_multiplier();
    return running;
}

/* Read lines until one has WORD in it; how many had OTHER meanwhile. */
static int count_until(struct running *running, const char *other, const char *word)
{
    for (int count = 0;;) {
        char *line = read_line(running);
        ck_assert_msg(line != NULL, "the end came before \"%s\"", word);
        if (contains(line, word))
            return count;
        count += contains(line, other);
    }
}

static int status_at_end(struct running *running)
{
    int wait_status = 0;
    while (read_line(running))
        ;
    ck_assert_int_eq(waitpid(running->pid, &wait_status, 0), running->pid);
    close(running->out);
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

#define NEEDS_TERMINAL                                   \
    NEEDS_NAMESPACES;                                    \
    SKIP_UNLESS("reach", !_i || user_reaches(program()), \
                "the ordinary user can't reach the program")

START_TEST(the_terminals_interrupt_comes_once)
{
    NEEDS_TERMINAL;
    struct running shell = start_in_terminal(
        _i, make_root(),
        "trap 'echo got' INT; trap 'echo end; exit 4' USR1; echo ready >/dev/tty\n"
        "sleep 100 & while :; do wait; done");
    count_until(&shell, "", "ready");
    /* Stopped, the program can't forward before PID 1 had the kernel's own signal. */
    kill(shell.pid, SIGSTOP);
    ck_assert_int_eq(write(shell.out, "\003", 1), 1);
    ck_assert_int_eq(count_until(&shell, "got", "got"), 0);
    kill(shell.pid, SIGCONT);
    kill(shell.pid, SIGUSR1);
    ck_assert_int_eq(count_until(&shell, "got", "end"), 0);
    ck_assert_int_eq(status_at_end(&shell), 4);
}
END_TEST

START_TEST(the_terminals_second_interrupt_kills)
{
    NEEDS_TERMINAL;
    struct running shell = start_in_terminal(_i, make_root(), "echo ready; exec sleep 100");
    count_until(&shell, "", "ready");
    await_process(shell.pid, "sleep");
    ck_assert_int_eq(write(shell.out, "\003", 1), 1);
    count_until(&shell, "", "no handler for signal 2");
    ck_assert_int_eq(write(shell.out, "\003", 1), 1);
    ck_assert_int_eq(status_at_end(&shell), 128 + 9);
}
END_TEST

/* ---- how it ends --------------------------------------------------------------------------------
 */

START_TEST(the_status_is_the_commands)
{
    NEEDS_NAMESPACES;
    const char *root = make_root();
    ck_status(run_container(root, "true"), 0);
    ck_status(run_container(root, "sh", "-c", "exit 7"), 7);
    ck_status(run_container(root, "no-such-command"), 127);
    ck_status(run_container(root, "/etc/passwd"), 126);
    /* PID 1 can't kill itself: what it starts can. */
    ck_status(run_container(root, "sh", "-c", "sh -c 'kill -TERM $$'; exit $?"), 128 + 15);
    struct running sleeping = start_container(root, "sleep", "100");
    kill(await_process(sleeping.pid, "sleep"), SIGSEGV);
    kill(await_process(sleeping.pid, "sleep"), SIGKILL);
    ck_status(finish(&sleeping), 128 + 9);
    ck_no_children();
}
END_TEST

START_TEST(a_shell_is_the_default)
{
    NEEDS_NAMESPACES;
    struct running shell = start_container(make_root());
    type(&shell, "echo $$ in $0; exit 7\n");
    struct result ended = finish(&shell);
    ck_status(ended, 7);
    ck_assert_str_eq(ended.out, "1 in /bin/sh\n");
}
END_TEST

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
    for (int fd = 3; fd < 1024; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC); /* ours, which the program would pass on */
    const char *root = make_root();
    for (int nest = 1; nest <= 3; nest += 2) {
        struct running cat = start_container("--time=5", "--nest", text("%d", nest), root, "cat");
        pid_t pid = await_process(cat.pid, "cat");
        ck_assert_str_eq(run("ls", text("/proc/%d/fd", pid)).out, "0\n1\n2\n");
        ck_status(finish(&cat), 0);
    }
}
END_TEST

START_TEST(twenty_at_a_time)
{
    NEEDS_NAMESPACES;
    struct running all[20];
    const char *root = make_root();
    for (int i = 0; i < 20; i++)
        all[i] = start_container(root, "sh", "-c", text("read x; echo $x $$; exit %d", i));
    for (int i = 0; i < 20; i++)
        type(&all[i], text("number %d\n", i));
    for (int i = 0; i < 20; i++) {
        struct result ended = finish(&all[i]);
        ck_status(ended, i);
        ck_assert_str_eq(ended.out, text("number %d 1\n", i));
    }
    ck_no_children();
}
END_TEST

/* ---- refusals ----------------------------------------------------------------------------------
 */

START_TEST(bad_input_is_refused)
{
    const char *file = text("%s/file", scratch_dir());
    write_file(file, "");
    static const char *const numbers[] = {"0", "32",  "-1", "x",
                                          "",  "1.5", " 2", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        ck_refused(run_program("--nest", numbers[i], "/", "true"),
                   text("--nest: \"%s\" is not a whole number from 1 to 31", numbers[i]));
    ck_refused(run_program(), "root");
    ck_refused(run_program("--nest"), "--nest: needs a value");
    ck_refused(run_program("--ne", "/"), "ambiguous");
    ck_refused(run_program("--no-such-option", "/"), "--no-such-option");
    ck_refused(run_program("--memory", "1G", "/"), "--memory");
}
END_TEST

START_TEST(a_bad_root_is_refused)
{
    NEEDS_NAMESPACES;
    const char *file = text("%s/file", scratch_dir());
    write_file(file, "");
    ck_refused(run_container("/no/such/root", "true"), "/no/such/root: No such file or directory");
    ck_refused(run_container(file, "true"), text("%s: Not a directory", file));
    ck_refused(run_container("--nest=3", "/no/such/root", "true"), "/no/such/root: No such file");
}
END_TEST

START_TEST(an_ordinary_user_is_told_why)
{
    SKIP_UNLESS("user", user_id() != 0, "there is no ordinary user");
    ck_refused(run_program_as_user(make_root(), "true"), "--map-user");
}
END_TEST

START_TEST(help_and_version)
{
    struct result help = run_program("--help"), version = run_program("--version");
    ck_status(help, 0);
    ck_contains(help.out, "usage: step03");
    ck_contains(help.out, "--nest");
    ck_contains(help.out, "--map-user");
    ck_contains(help.out, "--copy");
    ck_assert_str_eq(help.err, "");
    ck_status(version, 0);
    ck_contains(version.out, "step03");
}
END_TEST

/* Once as root, once as an ordinary user. */
Suite *make_suite(void)
{
    Suite *suite = suite_create("step03: a process tree of its own");

    TCase *processes = add_case(suite, "processes");
    add_both(processes, ps_shows_two_processes);
    add_both(processes, the_namespaces_are_new);
    add_both(processes, a_pid_namespace_is_always_made);
    add_both(processes, the_hosts_processes_are_out_of_reach);
    add_both(processes, orphans_come_to_process_1);
    add_both(processes, the_death_of_process_1_ends_all);

    TCase *nested = add_case(suite, "nested");
    add_both(nested, a_process_has_a_pid_in_each_namespace);
    add_both(nested, each_namespace_sees_only_what_is_below);
    add_both(nested, the_kernel_nests_31_deep);
    tcase_add_test(nested, too_deep_is_refused);
    add_both(nested, statuses_pass_through_all_levels);

    TCase *files = add_case(suite, "files");
    add_both(files, only_these_are_mounted);
    add_both(files, nothing_on_proc_is_executable);
    add_both(files, proc_shows_the_clock_of_the_container);
    add_both(files, the_devices_work);
    add_both(files, dev_is_its_own);
    add_both(files, missing_mount_points_are_made);
    add_both(files, mounts_show_on_one_side_only);
    add_both(files, mount_points_do_not_lead_out);
    add_both(files, links_mean_what_they_mean_inside);
    tcase_add_test(files, without_ids_dev_stays_empty);

    TCase *signals = add_case(suite, "signals");
    add_both(signals, signals_reach_process_1);
    add_both(signals, signals_pass_through_all_levels);
    add_both(signals, process_1_is_deaf_without_handlers);
    add_both(signals, the_first_signal_warns_the_second_kills);
    add_both(signals, a_stop_is_for_the_program);
    add_both(signals, a_kill_ends_the_container_whatever_it_does);
    add_both(signals, signals_at_the_start_lose_nobody);
    add_both(signals, signals_are_as_after_boot);
    tcase_add_test(signals, who_ignores_children_gets_the_status_too);

    TCase *terminal = add_case(suite, "terminal");
    add_both(terminal, the_terminals_interrupt_comes_once);
    add_both(terminal, the_terminals_second_interrupt_kills);

    TCase *end = add_case(suite, "end");
    add_both(end, the_status_is_the_commands);
    add_both(end, a_shell_is_the_default);
    add_both(end, root_is_held);
    add_both(end, no_descriptor_leads_out);
    add_both(end, twenty_at_a_time);

    TCase *refusals = add_case(suite, "refusals");
    tcase_add_test(refusals, bad_input_is_refused);
    add_both(refusals, a_bad_root_is_refused);
    tcase_add_test(refusals, an_ordinary_user_is_told_why);
    tcase_add_test(refusals, help_and_version);
    return suite;
}
