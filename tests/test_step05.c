/* test_step05.c - a root of layers: copy-on-write, volumes, OCI images.
 *
 * What is read from hostile images is tested in test_image.c, how changes are
 * listed in test_changes.c; here it is what a container sees and what stays.  The
 * store's lock files (layers/.lock-*) stay on purpose: they hold the layers' sizes. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/support.h"

#define NEEDS_OVERLAY SKIP_UNLESS("overlay", have_overlay(), "root can't mount an overlay here")
#define NEEDS_USER_OVERLAY \
    SKIP_UNLESS("user-overlay", have_user_overlay(), "an ordinary user can't mount an overlay")
#define NEEDS_CONTROLLER(name) \
    SKIP_UNLESS(name, have_controller(name), "no such cgroup controller that we may use")

static char *layout_script, *image_script;

/* ---- layers ------------------------------------------------------------------------- */

/* What COMMAND, run by sh in the directory DIR, prints. */
static char *in_dir(const char *dir, const char *command)
{
    struct result result = run_how(((struct how){.dir = dir}), "sh", "-c", command);
    ck_status(result, 0);
    return result.out;
}

/* A new directory with what COMMAND makes in it. */
static const char *make_layer(const char *command)
{
    const char *dir = scratch_dir();
    in_dir(dir, command);
    return dir;
}

/* The first layer of most tests: one for all of them, since layers don't change. */
static const char *base(void)
{
    const char *shared = text("%s/base", suite_dir());
    if (!exists(shared))
        ck_assert_int_eq(rename(make_root(), shared), 0);
    return shared;
}

/* Run a command, or a shell's command line, on a layer. */
#define run_on(layer, ...) run_program("--layer", layer, ##__VA_ARGS__)
#define shell(...)         run_program("--layer", base(), ##__VA_ARGS__)

/* All that a directory holds, with what a write would change: one line each. */
static char *snapshot(const char *dir)
{
    return in_dir(dir, "find . -printf '%p %m %U %G %s %T@ %C@ %l\\n' | sort;"
                       "find . -type f -exec cksum {} + | sort");
}

/* The names in a directory, in one line. */
static char *names(const char *dir)
{
    return in_dir(dir, "ls -A | tr '\\n' ' '");
}

START_TEST(a_layer_is_the_root)
{
    NEEDS_OVERLAY;
    struct result in = shell("sh", "-c", "pwd; echo $$; cd ..; pwd; cat /etc/group");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, text("/\n1\n/\n%s", read_file(text("%s/etc/group", base()))));
    ck_assert_str_eq(in.err, "");
}
END_TEST

START_TEST(the_upper_layer_wins)
{
    NEEDS_OVERLAY;
    const char *middle = make_layer("mkdir etc dir; echo middle >etc/motd; echo m >dir/m; touch f");
    const char *top = make_layer("mkdir etc dir; echo top >etc/motd; echo t >dir/t; mkdir f");
    struct result in = shell("--layer", middle, "--layer", top, "sh", "-c",
                             "cat /etc/motd; echo /etc/* /dir/*; test -d /f");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "top\n/etc/group /etc/motd /etc/passwd /dir/m /dir/t\n");
    in = shell("--layer", top, "--layer", middle, "sh", "-c", "cat /etc/motd; test -f /f");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "middle\n");
}
END_TEST

START_TEST(layers_never_change)
{
    NEEDS_OVERLAY;
    const char *bottom = make_root();
    const char *top = make_layer("mkdir -p etc dir/sub; echo old | tee etc/file dir/sub/file");
    char *before = text("%s%s", snapshot(bottom), snapshot(top));
    struct result in = run_on(bottom, "--layer", top, "sh", "-c",
                              "set -e; echo new >/etc/file; echo more >>/etc/passwd;"
                              "chmod 700 /dir/sub; mv /dir/sub/file /dir/; rm /bin/ls; rm -r /home;"
                              "mkdir /new; touch /etc/group; ln -s x /link; cat /etc/file");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "new\n");
    ck_assert_str_eq(text("%s%s", snapshot(bottom), snapshot(top)), before);
}
END_TEST

START_TEST(what_is_written_is_thrown_away)
{
    NEEDS_OVERLAY;
    const char *layer = make_root();
    char *before = snapshot(layer);
    ck_assert_str_eq(run_on(layer, "sh", "-c", "echo x >/file; rm /etc/group; cat /file").out,
                     "x\n");
    struct result again = run_on(layer, "sh", "-c", "ls /etc; test ! -e /file");
    ck_status(again, 0);
    ck_assert_str_eq(again.out, "group\npasswd\n");
    ck_assert_str_eq(snapshot(layer), before);
}
END_TEST

/* Twenty containers on the same layers: each has its own upper directory. */
START_TEST(containers_share_layers_and_nothing_else)
{
    NEEDS_OVERLAY;
    struct running first = start_program("--layer", base(), "sh", "-c",
                                         "echo 1 >/mine; echo ready; read x; cat /mine; ls /other");
    ck_assert_str_eq(read_line(&first), "ready");
    ck_status(shell("sh", "-c", "test ! -e /mine && echo 2 >/mine && echo 2 >/other"), 0);
    type(&first, "\n");
    struct result result = finish(&first);
    ck_assert_str_eq(result.out, "1\n");
    ck_status(result, 1);
}
END_TEST

START_TEST(only_the_containers_own_mounts_are_there)
{
    NEEDS_OVERLAY;
    struct result in =
        shell("sh", "-c", "cut -d' ' -f5 /proc/self/mountinfo | grep -v ^/dev/; ls -A /..");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, text("/\n/proc\n/dev\n%s", in_dir(base(), "ls -A")));
}
END_TEST

/* Layers and upper directory are handed to overlay as descriptors: not to the command. */
START_TEST(no_descriptor_is_left_open)
{
    NEEDS_OVERLAY;
    const char *upper = scratch_dir();
    struct result in = shell("--upper", upper, "--volume", "/tmp:/mnt", "ls", "/proc/self/fd");
    ck_assert_str_eq(in.out, "0\n1\n2\n3\n"); /* the last one is ls's own */
}
END_TEST

START_TEST(odd_names_are_names)
{
    NEEDS_OVERLAY;
    static const char *const odd[] = {"a:b", "a,upperdir=b", "a b", "a\\:b", "-a", "\xed\x95\x9c"};
    const char *dir = scratch_dir();
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        const char *layer = text("%s/%s", dir, odd[i]), *upper = text("%s up", layer);
        ck_assert_int_eq(mkdir(layer, 0755), 0);
        write_file(text("%s/file", layer), odd[i]);
        struct how how = {.dir = dir}; /* as a relative path too */
        struct result in = run_program_how(how, "--layer", base(), "--layer", odd[i], "--upper",
                                           upper, "sh", "-c", "cat /file; cp /file /kept");
        ck_status(in, 0);
        ck_assert_str_eq(in.out, odd[i]);
        ck_assert_str_eq(read_file(text("%s/upper/kept", upper)), odd[i]);
    }
}
END_TEST

START_TEST(a_hundred_layers)
{
    NEEDS_OVERLAY;
    const char *words[256] = {program(), "--layer", base()};
    int count = 3;
    for (int i = 1; i <= 100; i++) {
        const char *layer = scratch_dir();
        write_file(text("%s/top", layer), text("%d\n", i));
        write_file(text("%s/number%d", layer, i), "");
        words[count++] = "--layer";
        words[count++] = layer;
    }
    words[count++] = "sh";
    words[count++] = "-c";
    words[count++] = "cat /top; ls / | grep -c number";
    struct result in = run_argv((struct how){0}, words);
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "100\n100\n");
}
END_TEST

START_TEST(too_many_layers_are_refused)
{
    NEEDS_OVERLAY;
    const char *words[256] = {program()}, *layer = text("--layer=%s", base());
    for (int i = 1; i <= 240; i++)
        words[i] = layer;
    ck_refused(run_argv((struct how){0}, words), "240 layers are more than");
}
END_TEST

/* A copy of the whole machine to break things in. */
START_TEST(the_hosts_root_can_be_a_layer)
{
    NEEDS_OVERLAY;
    char *before = names("/");
    struct result in = run_on("/", "sh", "-c", "echo x >/nine-test-file; cat /nine-test-file");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "x\n");
    ck_assert_str_eq(names("/"), before);
}
END_TEST

START_TEST(copied_programs_go_to_the_writable_layer)
{
    NEEDS_OVERLAY;
    const char *layer = scratch_dir(), *upper = scratch_dir();
    struct result in = run_on(layer, "--upper", upper, "--copy", "/bin/bash", "/bin/bash", "-c",
                              "echo $((6 * 7))");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "42\n");
    ck_assert_str_eq(names(layer), "");
    ck_assert(exists(text("%s/upper/bin/bash", upper)));
}
END_TEST

/* ---- --upper --------------------------------------------------------------------------- */

START_TEST(an_upper_directory_is_kept)
{
    NEEDS_OVERLAY;
    const char *upper = text("%s/new", scratch_dir());
    ck_status(shell("--upper", upper, "sh", "-c", "echo first >/file; echo >>/etc/passwd"), 0);
    ck_assert_str_eq(read_file(text("%s/upper/file", upper)), "first\n");
    struct result again = shell("--upper", upper, "sh", "-c", "cat /file; echo second >>/file");
    ck_assert_str_eq(again.out, "first\n");
    ck_assert_str_eq(read_file(text("%s/upper/file", upper)), "first\nsecond\n");
    ck_assert_str_eq(names(text("%s/upper/etc", upper)), "passwd ");
}
END_TEST

START_TEST(an_upper_directory_is_for_one_at_a_time)
{
    NEEDS_OVERLAY;
    const char *upper = scratch_dir();
    struct running first = start_program("--layer", base(), "--upper", upper, "cat");
    await_process(first.pid, "cat");
    ck_refused(shell("--upper", upper, "true"), text("%s is in use by another container", upper));
    ck_status(run_program("diff", "--layer", base(), "--upper", upper), 0); /* to look is free */
    ck_status(finish(&first), 0);
    ck_status(shell("--upper", upper, "true"), 0);
}
END_TEST

static char *groups_of(pid_t pid)
{
    return run("find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", text("*/nine-%d-*", pid))
        .out;
}

/* What no process can remove that is dead: make clean-host does it in real life. */
static void remove_groups_of(pid_t pid)
{
    char *line, *rest, *groups = groups_of(pid);
    for (line = strtok_r(groups, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        ck_await(rmdir(line) == 0);
}

/* SIGKILL of the program ends the container, and leaves nothing but cgroups. */
static void kill_and_check(struct running *running, const char *comm)
{
    pid_t inside = await_process(running->pid, comm);
    kill(running->pid, SIGKILL);
    ck_status(finish(running), 128 + 9);
    ck_await(!is_alive(inside));
    remove_groups_of(running->pid);
}

START_TEST(a_killed_program_takes_the_container_along)
{
    NEEDS_OVERLAY;
    const char *upper = scratch_dir();
    struct running running = start_program("--layer", base(), "--upper", upper, "sleep", "1000");
    kill_and_check(&running, "sleep");
    ck_status(shell("--upper", upper, "true"), 0); /* the lock went with it */
}
END_TEST

static bool is_whiteout(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

static bool is_opaque(const char *path, const char *attribute)
{
    char value = 0;
    return getxattr(path, attribute, &value, 1) == 1 && value == 'y';
}

START_TEST(deletions_leave_marks)
{
    NEEDS_OVERLAY;
    const char *layer = make_layer("mkdir dir; touch file dir/a dir/b"), *upper = scratch_dir();
    ck_status(shell("--layer", layer, "--upper", upper, "sh", "-c",
                    "rm /file; rm -r /dir; mkdir /dir; touch /dir/b; ls /dir"),
              0);
    ck_assert(is_whiteout(text("%s/upper/file", upper)));
    ck_assert(is_opaque(text("%s/upper/dir", upper), "trusted.overlay.opaque"));
    ck_assert_str_eq(names(text("%s/upper/dir", upper)), "b ");
    struct result again = shell("--layer", layer, "--upper", upper, "ls", "/dir", "/file");
    ck_status(again, 1);
    ck_assert_str_eq(again.out, "/dir:\nb\n");
}
END_TEST

START_TEST(diff_lists_what_changed)
{
    NEEDS_OVERLAY;
    const char *layer = make_layer("mkdir -p opt/old etc; touch opt/old/file etc/motd etc/issue");
    const char *upper = scratch_dir();
    ck_status(shell("--layer", layer, "--upper", upper, "sh", "-c",
                    "echo >/etc/motd; rm /etc/issue; rm -r /opt/old; mkdir /opt/new;"
                    "touch /opt/new/file; chmod 700 /root; mkdir /opt/old; touch '/a\nb'"),
              0);
    struct result diff = run_program("diff", "--layer", base(), "--layer", layer, "--upper", upper);
    ck_status(diff, 0);
    ck_assert_str_eq(diff.out, "A /a\\012b\n"
                               "C /etc\nD /etc/issue\nC /etc/motd\n"
                               "C /opt\nA /opt/new\nA /opt/new/file\n"
                               "C /opt/old\nD /opt/old/file\n"
                               "C /root\n");
    ck_assert_str_eq(diff.err, "");
}
END_TEST

START_TEST(diff_of_nothing_is_empty)
{
    NEEDS_OVERLAY;
    const char *upper = scratch_dir();
    ck_status(shell("--upper", upper, "ls", "/etc"), 0);
    struct result diff = run_program("diff", "--layer", base(), "--upper", upper);
    ck_status(diff, 0);
    ck_assert_str_eq(diff.out, "");
}
END_TEST

/* ---- volumes ----------------------------------------------------------------------------- */

START_TEST(a_volume_is_the_hosts)
{
    NEEDS_OVERLAY;
    const char *dir = make_layer("echo host >file");
    struct result in = shell("--volume", text("%s:/srv/deep/er", dir), "sh", "-c",
                             "cat /srv/deep/er/file; echo container >/srv/deep/er/new");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "host\n");
    ck_assert_str_eq(read_file(text("%s/new", dir)), "container\n");
    struct how how = {.dir = dir}; /* a relative SRC is of the caller's directory */
    in = run_program_how(how, "--layer", base(), "--volume", ".:/mnt", "cat", "/mnt/new");
    ck_assert_str_eq(in.out, "container\n");
}
END_TEST

START_TEST(a_read_only_volume_is_read_only)
{
    NEEDS_OVERLAY;
    const char *dir = make_layer("echo host >file");
    char *before = snapshot(dir);
    struct result in = shell("--volume", text("%s:/mnt:ro", dir), "sh", "-c",
                             "cat /mnt/file; echo >>/mnt/file; touch /mnt/new; rm /mnt/file");
    ck_assert_str_eq(in.out, "host\n");
    ck_status(in, 1);
    ck_contains(in.err, "/mnt/file: Read-only file system");
    ck_contains(in.err, "/mnt/new: Read-only file system");
    ck_assert_str_eq(snapshot(dir), before);
    write_file(text("%s/file", dir), "still the host's to write\n");
}
END_TEST

/* A plain "mount -o remount,ro,bind" would leave the mount below SRC writable.  On
 * the host both stay as they are. */
START_TEST(mounts_below_a_volume_come_along)
{
    NEEDS_OVERLAY;
    const char *dir = make_layer("mkdir below");
    const char *script =
        "mount -t tmpfs none \"$0/below\" && echo deep >\"$0/below/file\" || exit 9\n"
        "\"$1\" --layer \"$2\" --volume \"$0:/mnt$3\" sh -c "
        "'cat /mnt/below/file; touch /mnt/below/new'\n"
        "status=$?; ls \"$0/below\"; touch \"$0/below/host\" || exit 9; exit $status";
    struct result in = run("unshare", "-m", "sh", "-c", script, dir, program(), base(), ":ro");
    ck_status(in, 1);
    ck_assert_str_eq(in.out, "deep\nfile\n");
    ck_contains(in.err, "/mnt/below/new: Read-only file system");
    in = run("unshare", "-m", "sh", "-c", script, dir, program(), base(), "");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "deep\nfile\nnew\n");
}
END_TEST

START_TEST(a_volume_may_be_a_file)
{
    NEEDS_OVERLAY;
    const char *file = text("%s/file", scratch_dir());
    write_file(file, "host\n");
    struct result in =
        shell("--volume", text("%s:/etc/passwd:ro", file), "--volume", text("%s:/new/place", file),
              "sh", "-c", "cat /etc/passwd; echo new >/new/place; echo >/etc/passwd");
    ck_status(in, 1);
    ck_assert_str_eq(in.out, "host\n");
    ck_contains(in.err, "Read-only file system");
    ck_assert_str_eq(read_file(file), "new\n");
    ck_refused(shell("--volume", text("%s:/etc", file), "true"), "--volume");
}
END_TEST

START_TEST(volumes_are_mounted_in_order)
{
    NEEDS_OVERLAY;
    const char *outer = make_layer("mkdir inner"), *inner = make_layer("touch file");
    struct result in = shell("--volume", text("%s:/tmp/outer", outer), "--volume",
                             text("%s:/tmp/outer/inner", inner), "--tmpfs", "/tmp", "sh", "-c",
                             "ls /tmp /tmp/outer/inner");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "/tmp:\nouter\n\n/tmp/outer/inner:\nfile\n");
}
END_TEST

/* The overlay itself must not get in the way of what a SRC means on the host. */
START_TEST(a_volume_may_be_in_a_layer_or_above_it)
{
    NEEDS_OVERLAY;
    const char *layer = make_layer("mkdir shared");
    ck_status(shell("--layer", layer, "--volume", text("%s/shared:/mnt", layer), "sh", "-c",
                    "echo x >/mnt/file; echo y >/shared/other"),
              0);
    ck_assert_str_eq(names(text("%s/shared", layer)), "file ");
    struct result in =
        shell("--volume", "/:/mnt:ro", "sh", "-c", "ls -A /mnt /mnt/sys; touch /mnt/tmp/x");
    ck_assert_str_eq(in.out, in_dir("/", "ls -A / /sys | sed 's|^/:|/mnt:|; s|^/sys:|/mnt/sys:|'"));
    ck_contains(in.err, "Read-only file system");
}
END_TEST

START_TEST(mounts_inside_stay_inside)
{
    NEEDS_OVERLAY;
    const char *dir = scratch_dir();
    struct running running =
        start_program("--layer", base(), "--volume", text("%s:/mnt", dir), "sh", "-c",
                      "mount -t tmpfs none /mnt && touch /mnt/file && echo ready; read x");
    int before = mount_count();
    ck_assert_str_eq(read_line(&running), "ready");
    ck_assert_int_eq(mount_count(), before);
    ck_assert_str_eq(names(dir), "");
    finish(&running);
}
END_TEST

/* systemd makes a host's mounts shared: those of every new namespace start as peers. */
START_TEST(shared_mounts_of_the_host_get_no_more)
{
    NEEDS_OVERLAY;
    struct result in = run(
        "unshare", "-m", "--propagation", "shared", "sh", "-c",
        "before=$(cat /proc/self/mountinfo);"
        "\"$0\" --layer \"$1\" --volume /tmp:/mnt --tmpfs /tmp mount -t tmpfs none /mnt || exit 9;"
        "test \"$before\" = \"$(cat /proc/self/mountinfo)\"",
        program(), base());
    ck_status(in, 0);
}
END_TEST

/* A missing SRC is no reason to make one: docker -v does, and hides many a typo. */
START_TEST(bad_volumes_are_refused)
{
    const char *dir = scratch_dir(), *upper = text("%s/upper", dir);
    const char *bad[][2] = {{"/no/such/source:/mnt", "/no/such/source: No such file"},
                            {"/tmp:mnt", "absolute DST"},
                            {"/tmp:", "absolute DST"},
                            {"/tmp", "absolute DST"},
                            {":/mnt", "absolute DST"},
                            {"", "absolute DST"},
                            {"/tmp:/mnt:rw", "SRC:DST:ro"},
                            {"/tmp:/mnt:ro:ro", "SRC:DST:ro"}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        ck_refused(shell("--upper", upper, "--volume", bad[i][0], "true"), bad[i][1]);
    ck_assert_str_eq(names(dir), "");
}
END_TEST

START_TEST(there_may_be_64_volumes)
{
    NEEDS_OVERLAY;
    const char *words[256] = {program(), "--layer", base()}, *last = make_layer("touch file");
    for (int i = 0; i < 64; i++) {
        words[3 + 2 * i] = "--volume";
        words[4 + 2 * i] = text("%s:/mnt/%d:ro", i < 63 ? "/tmp" : last, i);
    }
    words[131] = "touch";
    words[132] = "/mnt/63/new";
    struct result in = run_argv((struct how){0}, words);
    ck_status(in, 1);
    ck_contains(in.err, "Read-only file system");
    words[131] = "--volume";
    words[132] = "/tmp:/more";
    ck_refused(run_argv((struct how){0}, words), "more than 64");
}
END_TEST

/* CVE-2021-30465 and its kin: the image's links decide where on the host the runtime,
 * as root, makes and mounts something.  These lead to a directory of the same name in
 * the root; if there is none, that is an error, and no reason to make one outside. */
static void check_links(const char *victim, const char *link)
{
    const char *volume = make_layer("echo volume >file");
    const char *dangling = make_layer(text("ln -s '%s' data; mkdir etc", link));
    const char *good = make_layer(text("mkdir -p '.%s'; ln -s '%s/new' etc-passwd", victim, link));
    const char *dir = text("%s:/data/dir", volume), *file = text("%s/file:/data/file", volume);
    struct result in = shell(
        "--layer", dangling, "--layer", good, "--volume", dir, "--volume", file, "--tmpfs",
        "/data/tmpfs", "sh", "-c",
        text("cd %s && cat dir/file file && grep -c ' %s/tmpfs ' /proc/mounts", victim, victim));
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "volume\nvolume\n1\n");
    ck_refused(shell("--layer", dangling, "--volume", dir, "true"), "--volume");
    ck_refused(shell("--layer", dangling, "--volume", file, "true"), "--volume");
    ck_refused(shell("--layer", dangling, "--tmpfs", "/data/tmpfs", "true"), "--tmpfs");
    ck_refused(shell("--layer", good, "--volume", text("%s/file:/etc-passwd", volume), "true"),
               "--volume");
    ck_assert_str_eq(names(victim), "");
}

START_TEST(links_in_a_layer_do_not_lead_out)
{
    NEEDS_OVERLAY;
    const char *victim = scratch_dir();
    check_links(victim, victim);
    check_links(victim, text("../../../../../../..%s", victim));
}
END_TEST

/* The same for what is mounted on every root. */
START_TEST(linked_proc_and_dev_do_not_lead_out)
{
    NEEDS_OVERLAY;
    const char *victim = scratch_dir();
    in_dir(victim, "mkdir p d");
    const char *root =
        make_layer(text("mkdir -p 'bin' '.%s/p' '.%s/d'; cp \"$(command -v busybox)\" bin/sh;"
                        "ln -s '%s/p' proc; ln -s '../../../../..%s/d' dev",
                        victim, victim, victim, victim));
    struct result in = run_on(root, "/bin/sh", "-c", "echo >/dev/null; echo /proc/self/status");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "/proc/self/status\n");
    ck_assert_str_eq(in_dir(victim, "find . | sort | tr '\\n' ' '"), ". ./d ./p ");
}
END_TEST

/* ---- --tmpfs and --read-only ----------------------------------------------------------------- */

START_TEST(a_tmpfs_takes_options)
{
    NEEDS_OVERLAY;
    const char *upper = scratch_dir();
    struct result in = shell(
        "--upper", upper, "--tmpfs", "/run/own:size=1M,mode=700", "--tmpfs", "/tmp", "sh", "-c",
        "stat -c %a /run/own /tmp; grep -c '/tmp tmpfs rw,nosuid,nodev' /proc/mounts;"
        "touch /tmp/x; dd if=/dev/zero of=/run/own/file bs=1k count=2000");
    ck_status(in, 1);
    ck_assert_str_eq(in.out, "700\n1777\n1\n");
    ck_contains(in.err, "No space left on device");
    ck_assert_str_eq(in_dir(upper, "find upper -type f"), ""); /* only mount points are kept */
}
END_TEST

START_TEST(a_bad_tmpfs_is_refused)
{
    NEEDS_OVERLAY;
    ck_refused(shell("--tmpfs", "tmp", "true"), "--tmpfs: \"tmp\" is not an absolute path");
    ck_refused(shell("--tmpfs", "/tmp:size=large", "true"), "--tmpfs: mount tmpfs on /tmp");
    ck_refused(shell("--tmpfs", "/tmp:no-such-option", "true"), "--tmpfs");
    ck_refused(shell("--tmpfs", "/etc/passwd", "true"), "--tmpfs");
}
END_TEST

START_TEST(a_read_only_root_is_read_only)
{
    NEEDS_OVERLAY;
    const char *dir = scratch_dir(), *upper = scratch_dir();
    struct result in = shell("--upper", upper, "--read-only", "--tmpfs", "/tmp", "--volume",
                             text("%s:/mnt", dir), "sh", "-c",
                             "touch /tmp/x /mnt/x /dev/x && echo x >/dev/null && echo well;"
                             "for d in / /etc /root; do touch $d/x; done; rm /etc/passwd");
    ck_status(in, 1);
    ck_assert_str_eq(in.out, "well\n");
    ck_contains(in.err, "touch: //x: Read-only file system");
    ck_contains(in.err, "touch: /etc/x: Read-only file system");
    ck_contains(in.err, "touch: /root/x: Read-only file system");
    ck_contains(in.err, "rm: can't remove '/etc/passwd': Read-only file system");
    ck_assert_str_eq(names(dir), "x ");
    ck_assert_str_eq(names(text("%s/upper", upper)), "");
}
END_TEST

/* ---- images ------------------------------------------------------------------------------------
 */

/* A tar archive of a directory, all of it root's. */
static const char *tar_of(const char *dir)
{
    const char *tar = text("%s/layer.tar", scratch_dir());
    ck_status(run("tar", "-C", dir, "--owner=0", "--group=0", "--numeric-owner", "--sort=name",
                  "--mtime=@0", "--exclude=./dev/null", "-cf", tar, "."),
              0);
    return tar;
}

/* One for all tests, as base() is. */
static const char *base_tar(void)
{
    const char *shared = text("%s/base.tar", suite_dir());
    if (!exists(shared))
        ck_assert_int_eq(rename(tar_of(base()), shared), 0);
    return shared;
}

/* Put an image into LAYOUT by tests/layout.sh; see there for the arguments. */
#define add_image(layout, ...) ck_status(run(layout_script, layout, ##__VA_ARGS__), 0)
#define make_layout(...)                                      \
    __extension__({                                           \
        const char *made = text("%s/image", scratch_dir());   \
        add_image(made, "--compress", "none", ##__VA_ARGS__); \
        made;                                                 \
    })
/* An image of the base with this "config", and of more layers. */
#define make_image(config, ...) make_layout("--config", config, base_tar(), ##__VA_ARGS__)

/* The store of the tests that don't look at it: base() is unpacked there once. */
static const char *store(void)
{
    return text("%s/store", suite_dir());
}
#define run_image(image, ...) run_program("--store", store(), "--image", image, ##__VA_ARGS__)

/* The image of "make image", made by umoci: three layers, the last one a whiteout. */
static const char *busybox_image(void)
{
    const char *made = product("busybox"), *ours = text("%s/busybox", suite_dir());
    if (exists(made))
        return made;
    if (!exists(ours))
        ck_status(run(image_script, ours), 0);
    return ours;
}

static void check_busybox_image(const char *image)
{
    struct result in = run_image(image, "sh", "-c", "cat /etc/motd; ls /etc");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "Nine Steps to a Container: this line is of the second layer.\n"
                             "group\nmotd\npasswd\n");
}

START_TEST(an_image_of_umoci)
{
    NEEDS_OVERLAY;
    SKIP_UNLESS("umoci", have_tool("umoci") || exists(product("busybox")), "no umoci");
    check_busybox_image(busybox_image());
    check_busybox_image(text("%s:latest", busybox_image()));
    struct how how = {.input = "echo $0 $PATH; pwd\n"};
    struct result in = run_program_how(how, "--store", store(), "--image", busybox_image());
    ck_assert_str_eq(in.out, "/bin/sh /bin\n/\n");
}
END_TEST

START_TEST(images_of_skopeo)
{
    NEEDS_OVERLAY;
    SKIP_UNLESS("umoci", have_tool("umoci") || exists(product("busybox")), "no umoci");
    SKIP_UNLESS("skopeo", have_tool("skopeo"), "no skopeo");
    const char *dir = scratch_dir(), *source = text("oci:%s:latest", busybox_image());
#define SKOPEO "skopeo", "--insecure-policy", "copy", "-q"
    ck_status(run(SKOPEO, source, text("oci:%s/oci:v1", dir)), 0);
    ck_status(run(SKOPEO, source, text("oci-archive:%s/oci.tar:v2", dir)), 0);
    ck_status(run(SKOPEO, "--dest-compress-format", "zstd", source, text("oci:%s/zstd:v3", dir)),
              0);
    check_busybox_image(text("%s/oci:v1", dir));
    check_busybox_image(text("%s/oci.tar:v2", dir));
    in_dir(dir, "grep -qa tar+zstd zstd/blobs/sha256/*");
    const char *fresh = text("%s/store", dir); /* or the gzip ones would be found there */
    struct result in = run_program("--store", fresh, "--image", text("%s/zstd", dir), "ls", "/etc");
    ck_assert_str_eq(in.out, "group\nmotd\npasswd\n");
}
END_TEST

START_TEST(every_compression)
{
    NEEDS_OVERLAY;
    static const char *const how[] = {"none", "gzip", "zstd"};
    for (size_t i = 0; i < sizeof(how) / sizeof(*how); i++) {
        if (strcmp(how[i], "zstd") == 0 && !have_tool("zstd"))
            continue;
        const char *dir = scratch_dir(), *layout = text("%s/image", dir);
        add_image(layout, "--compress", how[i], base_tar());
        struct result in =
            run_program("--store", text("%s/store", dir), "--image", layout, "echo", how[i]);
        ck_status(in, 0);
        ck_assert_str_eq(in.out, text("%s\n", how[i]));
    }
}
END_TEST

START_TEST(layers_of_an_image_are_stacked)
{
    NEEDS_OVERLAY;
    const char *second = tar_of(make_layer("mkdir etc home; echo two >etc/motd; touch etc/two;"
                                           "touch etc/.wh.group home/.wh..wh..opq"));
    const char *third = tar_of(make_layer("mkdir etc; echo three >etc/motd; touch .wh.mnt"));
    struct result in = run_image(make_image("null", second, third), "sh", "-c",
                                 "cat /etc/motd; ls /etc; ls -d /mnt");
    ck_status(in, 1);
    ck_assert_str_eq(in.out, "three\nmotd\npasswd\ntwo\n");
}
END_TEST

START_TEST(entrypoint_and_cmd)
{
    NEEDS_OVERLAY;
    const char *cmd = make_image("{\"Cmd\":[\"echo\",\"cmd\",\"a  b\"]}");
    ck_assert_str_eq(run_image(cmd).out, "cmd a  b\n");
    ck_assert_str_eq(run_image(cmd, "echo", "else").out, "else\n");
    const char *both = make_image("{\"Entrypoint\":[\"echo\",\"entry\"],\"Cmd\":[\"cmd\"]}");
    ck_assert_str_eq(run_image(both).out, "entry cmd\n");
    ck_assert_str_eq(run_image(both, "more", "--help").out, "entry more --help\n");
    const char *entry = make_image("{\"Entrypoint\":[\"echo\",\"entry\"]}");
    ck_assert_str_eq(run_image(entry).out, "entry\n");
    struct how how = {.input = "echo in $0\n"};
    ck_assert_str_eq(run_program_how(how, "--store", store(), "--image", make_image("null")).out,
                     "in /bin/sh\n");
}
END_TEST

/* Whatever was in ours, a password perhaps, is not the image's business. */
START_TEST(the_environment_is_the_images)
{
    NEEDS_OVERLAY;
    setenv("SECRET", "password", 1);
    setenv("HOME", "/home/of/the/host", 1);
    struct result in =
        run_image(make_image("{\"Env\":[\"A=b c\",\"EMPTY=\",\"PATH=/opt:/bin\"]}"), "env");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "PATH=/opt:/bin\nA=b c\nEMPTY=\nHOME=/root\n");
    in = run_image(make_image("{\"Env\":[\"HOME=/own\"]}"), "env");
    ck_assert_str_eq(in.out, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
                             "HOME=/own\n");
    ck_contains(shell("env").out, "SECRET=password"); /* layers alone say nothing of it */
}
END_TEST

START_TEST(the_command_is_found_in_the_images_path)
{
    NEEDS_OVERLAY;
    const char *tools =
        tar_of(make_layer("mkdir opt; echo 'echo found' >opt/tool; chmod +x opt/tool"));
    const char *image = make_image("{\"Env\":[\"PATH=/opt\"],\"Cmd\":[\"tool\"]}", tools);
    ck_assert_str_eq(run_image(image).out, "found\n");
    ck_status(run_image(image, "ls"), 127);
}
END_TEST

START_TEST(the_working_directory_is_the_images)
{
    NEEDS_OVERLAY;
    ck_assert_str_eq(run_image(make_image("{\"WorkingDir\":\"/etc\"}"), "pwd").out, "/etc\n");
    ck_assert_str_eq(run_image(make_image("{\"WorkingDir\":\"/new/one/\"}"), "pwd").out,
                     "/new/one\n");
    const char *link = tar_of(make_layer("ln -s ../../etc away"));
    const char *image = make_image("{\"WorkingDir\":\"/away\"}", link);
    ck_assert_str_eq(run_image(image, "sh", "-c", "ls; pwd -P").out, "group\npasswd\n/etc\n");
    ck_refused(run_image(make_image("{\"WorkingDir\":\"/etc/passwd\"}"), "pwd"), "WorkingDir");
}
END_TEST

static const char *users_layer(void)
{
    return tar_of(make_layer(
        "mkdir etc;"
        "printf 'root:x:0:0::/root:/bin/sh\\nweb:x:33:44::/srv:/bin/sh\\n' >etc/passwd;"
        "printf 'root:x:0:\\nweb:x:44:\\nlog:x:7:web,root\\ndisk:x:6:root\\n' >etc/group"));
}

START_TEST(the_user_is_the_images)
{
    NEEDS_OVERLAY;
    static const char *const users[][2] = {
        {"", "0 0 0 6 7 /root"},      {"root", "0 0 0 6 7 /root"},
        {"web", "33 44 44 7 /srv"},   {"33", "33 44 44 7 /srv"},
        {"web:disk", "33 6 6 /srv"},  {"web:1234", "33 1234 1234 /srv"},
        {"1234:web", "1234 44 44 /"}, {"1234:5678", "1234 5678 5678 /"},
    };
    const char *users_tar = users_layer(), *layout = text("%s/image", scratch_dir());
    for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
        add_image(layout, "--compress", "none", "--tag", text("t%zu", i), "--config",
                  text("{\"User\":\"%s\"}", users[i][0]), base_tar(), users_tar);
        struct result in = run_image(text("%s:t%zu", layout, i), "sh", "-c",
                                     "echo $(id -u) $(id -g) $(id -G) $HOME");
        ck_status(in, 0);
        ck_assert_str_eq(in.out, text("%s\n", users[i][1]));
    }
}
END_TEST

START_TEST(another_user_may_not_do_what_root_may)
{
    NEEDS_OVERLAY;
    const char *image = make_image("{\"User\":\"web\",\"WorkingDir\":\"/srv\"}", users_layer());
    struct result in =
        run_image(image, "sh", "-c", "pwd; echo >/etc/passwd; chroot /; mount -t proc p /mnt");
    ck_assert_int_ne(in.status, 0);
    ck_assert_str_eq(in.out, "/srv\n");
    ck_contains(in.err, "/etc/passwd: Permission denied");
    ck_contains(in.err, "chroot: can't change root directory to '/': Operation not permitted");
    ck_contains(in.err, "mount: permission denied");
}
END_TEST

START_TEST(an_unknown_user_is_refused)
{
    NEEDS_OVERLAY;
    ck_refused(run_image(make_image("{\"User\":\"ghost\"}"), "id"), "user \"ghost\": neither in");
    ck_refused(run_image(make_image("{\"User\":\"0:ghosts\"}"), "id"),
               "group \"ghosts\": neither in");
}
END_TEST

/* A change of user disarms PR_SET_PDEATHSIG, silently; see prctl(2). */
START_TEST(another_users_container_dies_with_the_program)
{
    NEEDS_OVERLAY;
    const char *image = make_image("{\"User\":\"nobody\",\"Cmd\":[\"sleep\",\"1000\"]}");
    struct running running = start_program("--store", store(), "--image", image);
    kill_and_check(&running, "sleep");
}
END_TEST

START_TEST(tags_choose)
{
    NEEDS_OVERLAY;
    const char *layout =
        make_layout("--tag", "one", "--config", "{\"Cmd\":[\"echo\",\"1\"]}", base_tar());
    ck_assert_str_eq(run_image(layout).out, "1\n"); /* the only one */
    add_image(layout, "--tag", "two", "--config", "{\"Cmd\":[\"echo\",\"2\"]}", base_tar());
    ck_assert_str_eq(run_image(text("%s:one", layout)).out, "1\n");
    ck_assert_str_eq(run_image(text("%s:two", layout)).out, "2\n");
    ck_refused(run_image(layout), "name one of the layout's images as LAYOUT:TAG: one two");
    ck_refused(run_image(text("%s:three", layout)), "no image \"three\"");
    add_image(layout, "--tag", "latest", "--config", "{\"Cmd\":[\"echo\",\"3\"]}", base_tar());
    ck_assert_str_eq(run_image(layout).out, "3\n");
}
END_TEST

START_TEST(a_layout_may_be_tarred)
{
    NEEDS_OVERLAY;
    const char *dir = scratch_dir(), *tar = text("%s/image.tar", dir), *own = text("%s/store", dir);
    const char *layout =
        make_layout("--tag", "t", "--config", "{\"Cmd\":[\"echo\",\"tarred\"]}", base_tar());
    ck_status(run("tar", "-C", layout, "-cf", tar, "."), 0);
    ck_assert_str_eq(run_program("--store", own, "--image", tar).out, "tarred\n");
    ck_assert_str_eq(run_program("--store", own, "--image", text("%s:t", tar)).out, "tarred\n");
    ck_assert_str_eq(in_dir(own, "ls -A layers | grep -v -e ^sha256 -e ^.lock || true"), "");
}
END_TEST

START_TEST(docker_media_types_and_indexes_are_known)
{
    NEEDS_OVERLAY;
    const char *layout = text("%s/image", scratch_dir());
    add_image(layout, "--docker", "--index", "--config", "{\"Cmd\":[\"echo\",\"docker\"]}",
              base_tar());
    struct result in = run_image(layout);
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "docker\n");
}
END_TEST

/* ---- the store ------------------------------------------------------------------------------- */

/* Whatever is in a store besides whole layers and lock files. */
static char *half_done(const char *in_store)
{
    return in_dir(in_store,
                  "cd layers 2>/dev/null || exit 0;"
                  "ls -A | grep -v -x -E '(.lock-)?sha256-[0-9a-f]{64}|.lock-layout' || true");
}

static char *layers_in(const char *in_store)
{
    return in_dir(in_store, "ls -d -i layers/sha256-* | wc -l | tr -d ' \\n'");
}

START_TEST(layers_are_unpacked_once)
{
    NEEDS_OVERLAY;
    const char *own = text("%s/store", scratch_dir());
    const char *layer = tar_of(make_layer("touch a")), *other = tar_of(make_layer("touch b"));
    const char *one = make_image("null", layer), *two = make_image("null", other);
    ck_status(run_program("--store", own, "--image", one, "ls", "/a"), 0);
    ck_assert_str_eq(layers_in(own), "2");
    char *before = in_dir(own, "find layers -printf '%p %i %T@ %C@\\n' | sort");
    ck_status(run_program("--store", own, "--image", one, "sh", "-c", "echo >/a; rm /etc/passwd"),
              0);
    ck_assert_str_eq(in_dir(own, "find layers -printf '%p %i %T@ %C@\\n' | sort"), before);

    char *shared = in_dir(own, "stat -c '%n %i %Z' layers/sha256-* | sort");
    ck_status(run_program("--store", own, "--image", two, "ls", "/b"), 0);
    ck_assert_str_eq(layers_in(own), "3"); /* the base is there already */
    char *line, *rest, *now = in_dir(own, "stat -c '%n %i %Z' layers/sha256-* | sort");
    for (line = strtok_r(shared, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        ck_contains(now, line);
}
END_TEST

START_TEST(several_at_a_time_unpack_once)
{
    NEEDS_OVERLAY;
    const char *own = text("%s/store", scratch_dir());
    const char *image = make_image("{\"Cmd\":[\"sh\",\"-c\",\"ls /bin | wc -l\"]}");
    struct running jobs[4];
    for (int i = 0; i < 4; i++)
        jobs[i] = start_program("--store", own, "--image", image);
    const char *applets = in_dir(base(), "ls bin | wc -l");
    for (int i = 0; i < 4; i++) {
        struct result result = finish(&jobs[i]);
        ck_status(result, 0);
        ck_assert_int_eq(atoi(result.out), atoi(applets));
    }
    ck_assert_str_eq(layers_in(own), "1");
    ck_assert_str_eq(half_done(own), "");
}
END_TEST

START_TEST(a_kill_while_unpacking_does_no_harm)
{
    NEEDS_OVERLAY;
    const char *own = text("%s/store", scratch_dir());
    const char *many = tar_of(make_layer("mkdir many; cd many; seq 3000 | xargs touch"));
    const char *image = make_image("null", many);
    const char *half = text("%s/layers/.new-sha256-%.64s/many", own, run("sha256sum", many).out);
    ck_status(run_program("--store", own, "--image", make_image("null"), "true"), 0); /* the base */
    struct running job = start_program("--store", own, "--image", image, "true");
    ck_await(exists(half));
    pid_t unpacker = child_of(job.pid);
    kill(job.pid, SIGKILL);
    ck_status(finish(&job), 128 + 9);
    ck_await(!unpacker || !is_alive(unpacker));
    ck_assert_str_eq(layers_in(own), "1"); /* half a layer has no name yet */
    ck_assert_str_ne(half_done(own), "");

    struct result in =
        run_program("--store", own, "--image", image, "sh", "-c", "ls /many | wc -l");
    ck_status(in, 0);
    ck_assert_int_eq(atoi(in.out), 3000);
    ck_assert_str_eq(half_done(own), "");
}
END_TEST

START_TEST(unpack_prints_the_layers)
{
    const char *own = text("%s/store", scratch_dir()), *layer = tar_of(make_layer("touch top"));
    const char *image = make_image("null", layer);
    struct result first = run_program("unpack", "--store", own, image);
    ck_status(first, 0);
    ck_assert_str_eq(first.out,
                     text("%s/layers/sha256-%.64s\n%s/layers/sha256-%.64s\n", own,
                          run("sha256sum", base_tar()).out, own, run("sha256sum", layer).out));
    struct result again = run_program("unpack", image, "--store", own);
    ck_refused(again, "one image"); /* options come first */
    ck_assert_str_eq(run_program("unpack", "--store", own, image).out, first.out);
    ck_assert_str_eq(first.err, "");
    char *second = strchr(first.out, '\n') + 1;
    ck_assert_str_eq(names(text("%.*s", (int)strlen(second) - 1, second)), "top ");
}
END_TEST

/* What unpack prints are layers as any: --layer takes them, diff compares with them. */
START_TEST(unpacked_layers_are_layers)
{
    NEEDS_OVERLAY;
    const char *image = make_image("null"), *upper = scratch_dir();
    char *dir = run_program("unpack", "--store", store(), image).out;
    dir[strcspn(dir, "\n")] = '\0';
    ck_status(run_image(image, "--upper", upper, "x"), 127); /* options come before the command */
    struct result in = run_program("--store", store(), "--upper", upper, "--image", image, "sh",
                                   "-c", "touch /new; rm /etc/group; echo >/etc/passwd");
    ck_status(in, 0);
    const char *changes = "C /etc\nD /etc/group\nC /etc/passwd\nA /new\n";
    ck_assert_str_eq(run_program("diff", "--layer", dir, "--upper", upper).out, changes);
    ck_assert_str_eq(
        run_program("diff", "--store", store(), "--image", image, "--upper", upper).out, changes);
    in = run_on(dir, "--upper", upper, "ls", "/new", "/etc");
    ck_assert_str_eq(in.out, "/new\n\n/etc:\npasswd\n");
}
END_TEST

START_TEST(damaged_images_are_refused)
{
    const char *dir = scratch_dir(), *own = text("%s/store", dir), *upper = text("%s/upper", dir);
    const char *wrong = text("0=sha256:%064d", 7);
    ck_refused(run_program("--store", own, "--upper", upper, "--image",
                           make_layout("--diff-id", wrong, base_tar()), "true"),
               "sha256");
    const char *image = make_image("null");
    in_dir(
        image,
        "cd blobs/sha256; f=$(ls -S | head -n 1); printf x | dd of=$f seek=2000 bs=1 conv=notrunc");
    ck_refused(run_program("--store", own, "--upper", upper, "--image", image, "true"), "sha256");
    ck_assert(!exists(upper));
    ck_assert_str_eq(half_done(own), "");
    ck_assert_str_eq(in_dir(own, "ls layers"), "");
}
END_TEST

START_TEST(a_bomb_is_refused)
{
    const char *own = text("%s/store", scratch_dir());
    const char *image = make_image("null");
    ck_refused(run_program("--store", own, "--unpack-max", "64K", "--image", image, "true"),
               "unpack-max");
    ck_refused(run_program("--store", own, "--unpack-entries", "5", "--image", image, "true"),
               "unpack-entries");
    ck_assert_str_eq(half_done(own), "");
}
END_TEST

/* ---- with the steps before --------------------------------------------------------------------
 */

START_TEST(the_status_is_the_commands)
{
    NEEDS_OVERLAY;
    ck_status(shell("true"), 0);
    ck_status(shell("sh", "-c", "exit 3"), 3);
    ck_status(shell("sh", "-c", "sh -c 'kill -TERM $$'; exit $?"), 128 + 15);
    ck_status(shell("/etc/passwd"), 126);
    ck_status(shell("no-such-command"), 127);
    ck_contains(shell("no-such-command").err, "no-such-command: No such file or directory");
    struct running running = start_program("--layer", base(), "sleep", "1000");
    kill(await_process(running.pid, "sleep"), SIGKILL);
    ck_status(finish(&running), 128 + 9);
}
END_TEST

START_TEST(signals_are_forwarded)
{
    NEEDS_OVERLAY;
    struct running running = start_program("--layer", base(), "sh", "-c",
                                           "trap 'echo term; exit 7' TERM; echo ready; read x");
    ck_assert_str_eq(read_line(&running), "ready");
    kill(running.pid, SIGTERM);
    ck_assert_str_eq(read_line(&running), "term");
    ck_status(finish(&running), 7);
}
END_TEST

static char *group_files(pid_t pid, const char *v1, const char *v2)
{
    struct result found = run("find", "/sys/fs/cgroup", "-path", text("*/nine-%d-*/%s", pid, v1),
                              "-o", "-path", text("*/nine-%d-*/%s", pid, v2));
    found.out[strcspn(found.out, "\n")] = '\0';
    return read_file(found.out);
}

START_TEST(all_steps_together)
{
    NEEDS_OVERLAY;
    NEEDS_CONTROLLER("memory");
    NEEDS_CONTROLLER("pids");
    NEEDS_CONTROLLER("cpu");
    int pid;
    const char *volume = scratch_dir(),
               *image = make_image("{\"Env\":[\"A=b\"],\"User\":\"nobody\"}");
    chmod(volume, 0777);
    struct running running =
        start_program("--memory", "64M", "--pids", "20", "--cpus", "0.5", "--hostname", "mini",
                      "--nest", "2", "--copy", "/bin/bash", "--store", store(), "--image", image,
                      "--volume", text("%s:/data", volume), "--tmpfs", "/tmp:size=1M",
                      "--read-only", "--stats", "/bin/bash", "-c",
                      "hostname; id -un; echo $$ $A; touch /tmp/x /data/x; sort -u <(cut -d: -f3 "
                      "/proc/self/cgroup);"
                      "cat /sys/class/net/*/address 2>/dev/null; echo ready; read x");
    ck_assert_str_eq(read_line(&running), "mini");
    ck_assert_str_eq(read_line(&running), "nobody");
    ck_assert_str_eq(read_line(&running), "1 b");
    ck_assert_str_eq(read_line(&running), "/");
    ck_assert_str_eq(read_line(&running), "ready");
    const char *status = read_file(text("/proc/%d/status", await_process(running.pid, "bash")));
    ck_assert_int_eq(sscanf(strstr(status, "NSpid:"), "NSpid: %*d %*d %d", &pid), 1);
    ck_assert_int_eq(pid, 1); /* in the inner of two namespaces */
    ck_assert_str_eq(names(volume), "x ");
    ck_assert_str_eq(group_files(running.pid, "memory.limit_in_bytes", "memory.max"), "67108864\n");
    ck_assert_str_eq(group_files(running.pid, "pids.max", "pids.max"), "20\n");
    ck_contains(group_files(running.pid, "cpu.cfs_quota_us", "cpu.max"), "50000");
    type(&running, "\n");
    struct result result = finish(&running);
    ck_status(result, 0);
    ck_contains(result.err, "memory.peak");
}
END_TEST

/* Else a container could fill the host's memory through the tmpfs it never sees. */
START_TEST(what_is_thrown_away_counts_as_memory)
{
    NEEDS_OVERLAY;
    NEEDS_CONTROLLER("memory");
    struct result in =
        shell("--memory", "16M", "dd", "if=/dev/zero", "of=/file", "bs=1M", "count=64");
    ck_status(in, 128 + 9);
}
END_TEST

START_TEST(devices_are_bound)
{
    NEEDS_OVERLAY;
    const char *node = text("%s/node", scratch_dir());
    SKIP_UNLESS("mknod", mknod(node, S_IFCHR | 0600, makedev(1, 5)) == 0, "no mknod here");
    struct result in =
        shell("--device", text("%s:r", node), "sh", "-c", text("head -c 3 %s | od -An -tx1", node));
    ck_status(in, 0);
    ck_assert_str_eq(in.out, " 00 00 00\n");
}
END_TEST

/* ---- refusals -----------------------------------------------------------------------------------
 */

/* Every one is refused before anything is made, the upper directory first of all. */
START_TEST(bad_input_is_refused)
{
    const char *dir = scratch_dir(), *upper = text("%s/upper", dir),
               *file = text("%s/file", scratch_dir());
    const char *own = text("%s/store", dir), *layer = base();
    write_file(file, "");
#define REFUSED(part, ...) ck_refused(run_program("--upper", upper, ##__VA_ARGS__), part)
    ck_refused(run_program(), "either --image or --layer");
    REFUSED("either --image or --layer", "true");
    REFUSED("either --image or --layer", "--layer", layer, "--image", "/tmp", "true");
    REFUSED("--layer", "--layer");
    REFUSED("--image", "--image");
    REFUSED("--no-such-option", "--layer", layer, "--no-such-option", "true");
    REFUSED("--read-only=yes", "--layer", layer, "--read-only=yes", "true");
    REFUSED("layer /no/such/layer: No such file", "--layer", layer, "--layer", "/no/such/layer",
            "true");
    REFUSED(text("layer %s: Not a directory", file), "--layer", file, "true");
    REFUSED("No such file", "--layer", "", "true");
    REFUSED("image /no/such/image:tag: No such file", "--store", own, "--image",
            "/no/such/image:tag");
    REFUSED("oci-layout", "--store", own, "--image", "/tmp", "true");
    REFUSED("--unpack-max", "--layer", layer, "--unpack-max", "1X", "true");
    REFUSED("--unpack-entries", "--layer", layer, "--unpack-entries", "0", "true");
    REFUSED("--memory", "--layer", layer, "--memory", "lots", "true");
    REFUSED("--nest", "--layer", layer, "--nest", "0", "true");
    REFUSED("--hostname", "--layer", layer, "--hostname", text("%065d", 0), "true");
    ck_assert(!exists(upper));
    ck_refused(run_program("--layer", layer, "--upper", text("%s/no/upper", dir), "true"),
               "--upper: make");
    ck_refused(run_program("--layer", layer, "--upper", file, "true"), "--upper: open");
    ck_refused(run_program("--layer", layer, "--upper", "", "true"), "--upper");
}
END_TEST

START_TEST(bad_verbs_are_refused)
{
    const char *dir = scratch_dir(), *own = text("%s/store", dir), *layer = scratch_dir();
    ck_refused(run_program("unpack"), "one image");
    ck_refused(run_program("unpack", "a", "b"), "one image");
    ck_refused(run_program("unpack", "--layer", layer, "a"), "one image");
    ck_refused(run_program("unpack", "--upper", layer, "a"), "one image");
    ck_refused(run_program("unpack", "--store", own, "/no/such/image"),
               "/no/such/image: No such file");
    ck_refused(run_program("unpack", "--no-such-option", "a"), "--no-such-option");
    ck_refused(run_program("diff"), "--upper");
    ck_refused(run_program("diff", "--layer", layer), "--upper");
    ck_refused(run_program("diff", "--upper", layer), "either --image or --layer");
    ck_refused(run_program("diff", "--layer", layer, "--upper", layer, "more"), "options only");
    ck_refused(run_program("diff", "--layer", layer, "--upper", text("%s/none", dir)),
               "No such file");
    ck_refused(run_program("diff", "--layer", "/no/such/layer", "--upper", layer),
               "/no/such/layer");
    ck_assert_str_eq(names(dir), "");
}
END_TEST

START_TEST(help_and_version)
{
    static const char *const words[] = {"--layer", "--image",     "--upper", "--volume",
                                        "--tmpfs", "--read-only", "--store", "--unpack-max",
                                        "--copy",  "--map-user",  "--nest",  "--memory"};
    struct result help = run_program("--help"), version = run_program("--version");
    ck_status(help, 0);
    ck_contains(help.out, "usage: step05");
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        ck_contains(help.out, words[i]);
    ck_assert_str_eq(help.err, "");
    ck_status(version, 0);
    ck_contains(version.out, "step05");
    help = run_program("unpack", "--help");
    ck_status(help, 0);
    ck_contains(help.out, "usage: step05 unpack");
    help = run_program("diff", "--help");
    ck_status(help, 0);
    ck_contains(help.out, "usage: step05 diff");
}
END_TEST

/* ---- as an ordinary user ------------------------------------------------------------------------
 */

#define user_shell(layer, ...) run_program_as_user("--map-user", "--layer", layer, ##__VA_ARGS__)

/* A root file system of the ordinary user's own. */
static const char *user_root(void)
{
    const char *root = text("%s/user-base", suite_dir());
    if (!exists(root)) {
        ck_assert_int_eq(rename(make_root(), root), 0);
        give_to_user(root);
    }
    return root;
}

static const char *user_dir(void)
{
    const char *dir = scratch_dir();
    give_to_user(dir);
    return dir;
}

START_TEST(an_ordinary_user_is_told_why)
{
    SKIP_UNLESS("user", user_id() != 0, "there is no ordinary user");
    ck_refused(run_program_as_user("--layer", base(), "true"), "--map-user");
}
END_TEST

START_TEST(without_an_id_nothing_can_be_written)
{
    NEEDS_OVERLAY;
    SKIP_UNLESS("userns", have_userns(), "no user namespaces");
    ck_refused(shell("--user", "true"), "--map-user");
}
END_TEST

START_TEST(a_user_has_layers_too)
{
    NEEDS_USER_OVERLAY;
    char *before = snapshot(user_root());
    struct result in = user_shell(
        user_root(), "sh", "-c",
        "id -u; echo new >/etc/group; rm /etc/passwd; touch /x; ls /etc; cat /etc/group");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "0\ngroup\nnew\n");
    ck_assert_str_eq(snapshot(user_root()), before);
}
END_TEST

/* In a user namespace a directory made in place of a deleted one needs the option
 * "userxattr": without it, mkdir(2) fails. */
START_TEST(a_users_deletions_leave_marks)
{
    NEEDS_USER_OVERLAY;
    const char *upper = user_dir();
    struct result in = user_shell(user_root(), "--upper", upper, "sh", "-c",
                                  "rm /etc/group; rm -r /bin/../home; mkdir /home; touch /home/x");
    ck_status(in, 0);
    ck_assert(is_whiteout(text("%s/upper/etc/group", upper)));
    in = run_program_as_user("diff", "--layer", user_root(), "--upper", upper);
    ck_assert_str_eq(in.out, "C /etc\nD /etc/group\nC /home\nA /home/x\n");
    const char *layer = user_dir();
    ck_status(run("sh", "-c", "mkdir \"$0/dir\" && touch \"$0/dir/old\"", layer), 0);
    give_to_user(layer);
    in = user_shell(user_root(), "--layer", layer, "--upper", upper, "sh", "-c",
                    "rm -r /dir; mkdir /dir; touch /dir/new; ls /dir; ls /home");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "new\nx\n");
    ck_assert(is_opaque(text("%s/upper/dir", upper), "user.overlay.opaque"));
    in = user_shell(user_root(), "--layer", layer, "--upper", upper, "ls", "/dir");
    ck_assert_str_eq(in.out, "new\n");
}
END_TEST

START_TEST(a_user_has_volumes_too)
{
    NEEDS_USER_OVERLAY;
    const char *dir = user_dir();
    struct result in =
        user_shell(user_root(), "--volume", text("%s:/rw", dir), "--volume", text("%s:/ro:ro", dir),
                   "--tmpfs", "/tmp:size=1M", "--read-only", "sh", "-c",
                   "touch /rw/x /tmp/x && ls /ro; touch /ro/y; touch /y");
    ck_status(in, 1);
    ck_assert_str_eq(in.out, "x\n");
    ck_contains(in.err, "/ro/y: Read-only file system");
    ck_contains(in.err, "/y: Read-only file system");
    ck_assert_str_eq(names(dir), "x ");
}
END_TEST

START_TEST(a_user_has_images_too)
{
    NEEDS_USER_OVERLAY;
    const char *deleted = tar_of(
        make_layer("mkdir etc; touch etc/.wh.group; mkdir home; touch home/.wh..wh..opq home/a"));
    const char *image = make_image(
        "{\"Env\":[\"A=b\"],\"Cmd\":[\"sh\",\"-c\",\"id -u; ls /etc /home; echo $A; echo >/new\"]}",
        tar_of(make_layer("mkdir home; touch home/old")), deleted);
    for (int i = 0; i < 2; i++) {
        struct result in =
            run_how(((struct how){.as_user = true}), program(), "--map-user", "--image", image);
        ck_status(in, 0);
        ck_assert_str_eq(in.out, "0\n/etc:\npasswd\n\n/home:\na\nb\n");
    }
    ck_assert(exists(text("%s/.local/share/nine/layers", user_home())));
}
END_TEST

START_TEST(a_users_container_dies_with_the_program)
{
    NEEDS_USER_OVERLAY;
    struct running running = start_program_how(((struct how){.as_user = true}), "--map-user",
                                               "--layer", user_root(), "sleep", "1000");
    kill_and_check(&running, "sleep");
}
END_TEST

START_TEST(a_user_without_rights_is_refused_in_one_line)
{
    NEEDS_USER_OVERLAY;
    const char *dir = scratch_dir(); /* not his */
    SKIP_UNLESS("root", have_root(), "needs something that isn't the user's");
    ck_refused(user_shell(user_root(), "--upper", text("%s/upper", dir), "true"),
               "Permission denied");
    ck_assert_str_eq(names(dir), "");
    ck_assert_int_eq(chmod(dir, 0700), 0);
    ck_refused(user_shell(text("%s/layer", dir), "true"), "Permission denied");
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("step05: a root of layers");
    layout_script = realpath("tests/layout.sh", NULL);
    image_script = realpath("tools/image.sh", NULL);

    TCase *layers = add_case(suite, "layers");
    tcase_add_test(layers, a_layer_is_the_root);
    tcase_add_test(layers, the_upper_layer_wins);
    tcase_add_test(layers, layers_never_change);
    tcase_add_test(layers, what_is_written_is_thrown_away);
    tcase_add_test(layers, containers_share_layers_and_nothing_else);
    tcase_add_test(layers, only_the_containers_own_mounts_are_there);
    tcase_add_test(layers, no_descriptor_is_left_open);
    tcase_add_test(layers, odd_names_are_names);
    tcase_add_test(layers, a_hundred_layers);
    tcase_add_test(layers, too_many_layers_are_refused);
    tcase_add_test(layers, the_hosts_root_can_be_a_layer);
    tcase_add_test(layers, copied_programs_go_to_the_writable_layer);

    TCase *upper = add_case(suite, "upper");
    tcase_add_test(upper, an_upper_directory_is_kept);
    tcase_add_test(upper, an_upper_directory_is_for_one_at_a_time);
    tcase_add_test(upper, a_killed_program_takes_the_container_along);
    tcase_add_test(upper, deletions_leave_marks);
    tcase_add_test(upper, diff_lists_what_changed);
    tcase_add_test(upper, diff_of_nothing_is_empty);

    TCase *volumes = add_case(suite, "volumes");
    tcase_add_test(volumes, a_volume_is_the_hosts);
    tcase_add_test(volumes, a_read_only_volume_is_read_only);
    tcase_add_test(volumes, mounts_below_a_volume_come_along);
    tcase_add_test(volumes, a_volume_may_be_a_file);
    tcase_add_test(volumes, volumes_are_mounted_in_order);
    tcase_add_test(volumes, a_volume_may_be_in_a_layer_or_above_it);
    tcase_add_test(volumes, mounts_inside_stay_inside);
    tcase_add_test(volumes, shared_mounts_of_the_host_get_no_more);
    tcase_add_test(volumes, bad_volumes_are_refused);
    tcase_add_test(volumes, there_may_be_64_volumes);
    tcase_add_test(volumes, links_in_a_layer_do_not_lead_out);
    tcase_add_test(volumes, linked_proc_and_dev_do_not_lead_out);

    TCase *tmpfs = add_case(suite, "tmpfs");
    tcase_add_test(tmpfs, a_tmpfs_takes_options);
    tcase_add_test(tmpfs, a_bad_tmpfs_is_refused);
    tcase_add_test(tmpfs, a_read_only_root_is_read_only);

    TCase *images = add_case(suite, "images");
    tcase_add_test(images, an_image_of_umoci);
    tcase_add_test(images, images_of_skopeo);
    tcase_add_test(images, every_compression);
    tcase_add_test(images, layers_of_an_image_are_stacked);
    tcase_add_test(images, entrypoint_and_cmd);
    tcase_add_test(images, the_environment_is_the_images);
    tcase_add_test(images, the_command_is_found_in_the_images_path);
    tcase_add_test(images, the_working_directory_is_the_images);
    tcase_add_test(images, the_user_is_the_images);
    tcase_add_test(images, another_user_may_not_do_what_root_may);
    tcase_add_test(images, an_unknown_user_is_refused);
    tcase_add_test(images, another_users_container_dies_with_the_program);
    tcase_add_test(images, tags_choose);
    tcase_add_test(images, a_layout_may_be_tarred);
    tcase_add_test(images, docker_media_types_and_indexes_are_known);

    TCase *store = add_case(suite, "store");
    tcase_add_test(store, layers_are_unpacked_once);
    tcase_add_test(store, several_at_a_time_unpack_once);
    tcase_add_test(store, a_kill_while_unpacking_does_no_harm);
    tcase_add_test(store, unpack_prints_the_layers);
    tcase_add_test(store, unpacked_layers_are_layers);
    tcase_add_test(store, damaged_images_are_refused);
    tcase_add_test(store, a_bomb_is_refused);

    TCase *together = add_case(suite, "together");
    tcase_add_test(together, the_status_is_the_commands);
    tcase_add_test(together, signals_are_forwarded);
    tcase_add_test(together, all_steps_together);
    tcase_add_test(together, what_is_thrown_away_counts_as_memory);
    tcase_add_test(together, devices_are_bound);

    TCase *refusals = add_case(suite, "refusals");
    tcase_add_test(refusals, bad_input_is_refused);
    tcase_add_test(refusals, bad_verbs_are_refused);
    tcase_add_test(refusals, help_and_version);

    TCase *rootless = add_case(suite, "rootless");
    tcase_add_test(rootless, an_ordinary_user_is_told_why);
    tcase_add_test(rootless, without_an_id_nothing_can_be_written);
    tcase_add_test(rootless, a_user_has_layers_too);
    tcase_add_test(rootless, a_users_deletions_leave_marks);
    tcase_add_test(rootless, a_user_has_volumes_too);
    tcase_add_test(rootless, a_user_has_images_too);
    tcase_add_test(rootless, a_users_container_dies_with_the_program);
    tcase_add_test(rootless, a_user_without_rights_is_refused_in_one_line);
    return suite;
}
