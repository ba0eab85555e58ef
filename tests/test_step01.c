/* test_step01.c - a root directory of its own: what step01 does, and what chroot can't. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support.h"

#define NEEDS_ROOT SKIP_UNLESS("root", have_root(), "chroot is for root only")

/* The names in a directory, in one line. */
static char *names(const char *directory)
{
    struct result listed = run("sh", "-c", "ls -A \"$0\" | tr '\\n' ' '", directory);
    ck_status(listed, 0);
    return listed.out;
}

/* ---- the jail ---------------------------------------------------------------------- */

START_TEST(the_directory_is_the_root)
{
    NEEDS_ROOT;
    const char *root = make_root();
    struct result in = run_program(root, "sh", "-c", "pwd; ls -A / | tr '\\n' ' '");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, text("/\n%s", names(root)));
    ck_assert_str_eq(in.err, "");
}
END_TEST

START_TEST(nothing_is_above_the_root)
{
    NEEDS_ROOT;
    struct result in = run_program(make_root(), "sh", "-c", "cd ../../..; pwd; test /.. -ef /");
    ck_status(in, 0);
    ck_assert_str_eq(in.out, "/\n");
}
END_TEST

START_TEST(a_shell_is_the_default)
{
    NEEDS_ROOT;
    struct how how = {.input = "echo in $0; exit 7\n"};
    struct result shell = run_program_how(how, make_root());
    ck_status(shell, 7);
    ck_assert_str_eq(shell.out, "in /bin/sh\n");
}
END_TEST

START_TEST(arguments_arrive_as_they_are)
{
    NEEDS_ROOT;
    const char *root = make_root();
    struct result echoed = run_program(root, "printf", "%s|", "a", "b  c", "", "--copy", "*");
    ck_assert_str_eq(echoed.out, "a|b  c||--copy|*|");
    ck_assert_str_eq(run_program("--", root, "echo", "--help").out, "--help\n");
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

START_TEST(the_environment_passes)
{
    NEEDS_ROOT;
    setenv("NINE", "steps", 1);
    ck_assert_str_eq(run_program(make_root(), "sh", "-c", "echo $NINE").out, "steps\n");
}
END_TEST

/* ---- how it ends --------------------------------------------------------------------- */

START_TEST(the_status_is_the_commands)
{
    NEEDS_ROOT;
    const char *root = make_root();
    ck_status(run_program(root, "true"), 0);
    ck_status(run_program(root, "sh", "-c", "exit 3"), 3);
    ck_status(run_program(root, "sh", "-c", "exit 255"), 255);
    ck_status(run_program(root, "sh", "-c", "kill -TERM $$"), 128 + 15);
}
END_TEST

START_TEST(not_found_is_127)
{
    NEEDS_ROOT;
    struct result missing = run_program(make_root(), "no-such-command");
    ck_status(missing, 127);
    ck_contains(missing.err, "no-such-command: No such file or directory");
}
END_TEST

START_TEST(not_executable_is_126)
{
    NEEDS_ROOT;
    const char *root = make_root();
    struct result file = run_program(root, "/etc/passwd");
    ck_status(file, 126);
    ck_contains(file.err, "/etc/passwd: Permission denied");
    ck_status(run_program(root, "/etc"), 126);
}
END_TEST

/* The kernel says "No such file" of a program that is there, and means its loader. */
START_TEST(a_missing_loader_is_named_as_the_cause)
{
    NEEDS_ROOT;
    const char *root = make_root();
    ck_status(run("cp", "/bin/bash", text("%s/bin/bash", root)), 0);
    struct result bash = run_program(root, "/bin/bash");
    ck_status(bash, 127);
    ck_contains(bash.err, "loader");
}
END_TEST

START_TEST(ignored_signals_are_not_inherited)
{
    NEEDS_ROOT;
    struct result shell = run("sh", "-c", "trap '' INT; exec \"$0\" \"$1\" sh -c 'kill -INT $$'",
                              program(), make_root());
    ck_status(shell, 128 + 2);
}
END_TEST

/* ---- refusals --------------------------------------------------------------------------- */

START_TEST(bad_input_is_refused)
{
    const char *file = text("%s/file", scratch_dir());
    write_file(file, "");
    ck_refused(run_program(), "root");
    ck_refused(run_program("--no-such-option", "/"), "--no-such-option");
    ck_refused(run_program("-x", "/"), "-x");
    ck_refused(run_program("--copy"), "--copy");
    ck_refused(run_program("--help=me", "/"), "--help=me");
    ck_refused(run_program("/no/such/root", "true"), "/no/such/root: No such file or directory");
    ck_refused(run_program(file, "true"), text("%s: Not a directory", file));
    ck_refused(run_program("", "true"), "No such file or directory");
}
END_TEST

START_TEST(help_and_version)
{
    struct result help = run_program("--help"), version = run_program("--version");
    ck_status(help, 0);
    ck_contains(help.out, "usage: step01");
    ck_contains(help.out, "--copy");
    ck_assert_str_eq(help.err, "");
    ck_status(version, 0);
    ck_contains(version.out, "step01");
}
END_TEST

START_TEST(help_that_cannot_be_written_fails)
{
    struct result full = run("sh", "-c", "exec \"$0\" --help >/dev/full", program());
    ck_refused(full, "No space left on device");
}
END_TEST

START_TEST(an_ordinary_user_is_told_why)
{
    ck_refused(run_program_as_user(make_root(), "true"), "root may");
}
END_TEST

/* ---- --copy --------------------------------------------------------------------------------- */

/* A copy of bash in which the bytes FROM were replaced by the equally long TO. */
static const char *edited_bash(const char *from, const char *to)
{
    const char *copy = text("%s/edited", scratch_dir());
    struct result bash =
        run("sh", "-c", "LC_ALL=C sed \"s/$0/$1/g\" /bin/bash > \"$2\"; chmod 755 \"$2\"", from, to,
            copy);
    ck_status(bash, 0);
    return copy;
}

START_TEST(a_dynamic_program_comes_with_all_it_needs)
{
    NEEDS_ROOT;
    const char *root = scratch_dir();
    struct result bash =
        run_program("--copy", "/bin/bash", root, "/bin/bash", "-c", "echo $((6 * 7))");
    ck_status(bash, 0);
    ck_assert_str_eq(bash.out, "42\n");
    ck_status(run_program(root, "/bin/bash", "-c", "exit 4"), 4);
}
END_TEST

START_TEST(the_libraries_are_those_of_ldd)
{
    NEEDS_ROOT;
    const char *root = scratch_dir();
    ck_status(run_program("--copy", "/bin/bash", root, "/bin/bash", "-c", "true"), 0);
    struct result ldd = run("sh", "-c", "ldd /bin/bash | grep -o '/[^ ]*'");
    char *path, *rest;
    int count = 0;
    for (path = strtok_r(ldd.out, "\n", &rest); path; path = strtok_r(NULL, "\n", &rest), count++)
        ck_assert_msg(exists(text("%s%s", root, path)), "%s was not copied", path);
    ck_assert_int_ge(count, 2);
}
END_TEST

START_TEST(a_program_is_looked_up_in_the_path)
{
    NEEDS_ROOT;
    const char *root = scratch_dir();
    struct result two = run_program("--copy", "bash", "--copy", "cat", root, "bash", "-c",
                                    "cat /dev/null; echo $?");
    ck_assert_str_eq(two.out, "1\n"); /* there is a cat, but no /dev/null */
    ck_refused(run_program("--copy", "no-such-program", root), "no-such-program");
}
END_TEST

START_TEST(a_static_program_comes_alone)
{
    NEEDS_ROOT;
    const char *root = scratch_dir();
    struct result busybox = run_program("--copy", "busybox", root, "busybox", "echo", "alone");
    ck_status(busybox, 0);
    ck_assert_str_eq(busybox.out, "alone\n");
    ck_assert_str_eq(run("sh", "-c", "find \"$0\" -type f | wc -l | tr -d ' '", root).out, "1\n");
}
END_TEST

START_TEST(a_script_comes_with_its_interpreter)
{
    NEEDS_ROOT;
    const char *root = scratch_dir(), *script = text("%s/script", scratch_dir());
    write_file(script, "#! /bin/bash -e\necho \"scripted $1\"\n");
    chmod(script, 0755);
    struct result scripted = run_program("--copy", script, root, script, "well");
    ck_status(scripted, 0);
    ck_assert_str_eq(scripted.out, "scripted well\n");
}
END_TEST

START_TEST(a_script_without_its_interpreter_is_refused)
{
    NEEDS_ROOT;
    const char *script = text("%s/script", scratch_dir());
    write_file(script, "#!/no/such/interpreter\n");
    chmod(script, 0755);
    ck_refused(run_program("--copy", script, make_root(), "true"), "/no/such/interpreter");
}
END_TEST

START_TEST(what_is_no_program_is_refused)
{
    NEEDS_ROOT;
    const char *dir = scratch_dir(), *root = make_root();
    const char *plain = text("%s/plain", dir), *empty = text("%s/empty", dir),
               *cut = text("%s/cut", dir);
    write_file(plain, "just some words\n");
    write_file(empty, "");
    ck_status(run("sh", "-c", "head -c 100 /bin/bash > \"$0\"", cut), 0);
    chmod(plain, 0755), chmod(empty, 0755), chmod(cut, 0755);
    ck_refused(run_program("--copy", plain, root, "true"), plain);
    ck_refused(run_program("--copy", empty, root, "true"), empty);
    ck_refused(run_program("--copy", cut, root, "true"), cut);
    ck_refused(run_program("--copy", dir, root, "true"), dir);
    ck_refused(run_program("--copy", text("%s/missing", dir), root, "true"), "missing");
}
END_TEST

START_TEST(a_missing_library_is_named_and_nothing_copied)
{
    NEEDS_ROOT;
    const char *root = scratch_dir(), *bash = edited_bash("libtinfo\\.so", "libninf0.so");
    ck_refused(run_program("--copy", bash, root, "true"), "libninf0.so");
    ck_assert_str_eq(names(root), "");
}
END_TEST

START_TEST(links_in_the_root_are_not_followed_out_of_it)
{
    NEEDS_ROOT;
    const char *victim = scratch_dir(), *absolute = scratch_dir(), *relative = scratch_dir();
    ck_assert_int_eq(symlink(victim, text("%s/bin", absolute)), 0);
    ck_assert_int_eq(symlink(text("../../../../..%s", victim), text("%s/bin", relative)), 0);
    run_program("--copy", "/bin/bash", absolute, "/bin/bash", "-c", "true");
    run_program("--copy", "/bin/bash", relative, "/bin/bash", "-c", "true");
    ck_assert_str_eq(names(victim), "");
}
END_TEST

START_TEST(a_link_in_place_of_the_file_is_replaced)
{
    NEEDS_ROOT;
    const char *victim = text("%s/precious", scratch_dir()), *root = scratch_dir();
    write_file(victim, "precious");
    ck_assert_int_eq(mkdir(text("%s/bin", root), 0755), 0);
    ck_assert_int_eq(symlink(victim, text("%s/bin/bash", root)), 0);
    struct result bash = run_program("--copy", "/bin/bash", root, "/bin/bash", "-c", "echo new");
    ck_assert_str_eq(read_file(victim), "precious");
    ck_assert_str_eq(bash.out, "new\n");
}
END_TEST

START_TEST(an_older_copy_is_replaced)
{
    NEEDS_ROOT;
    const char *root = make_root();
    write_file(text("%s/bin/bash", root), "old");
    struct result bash = run_program("--copy", "/bin/bash", root, "/bin/bash", "-c", "echo new");
    ck_assert_str_eq(bash.out, "new\n");
}
END_TEST

START_TEST(setuid_is_not_copied)
{
    NEEDS_ROOT;
    struct stat copied;
    const char *program_file = text("%s/su", scratch_dir()), *root = make_root();
    ck_status(run("cp", "/bin/bash", program_file), 0);
    ck_assert_int_eq(chmod(program_file, 06755), 0);
    ck_status(run_program("--copy", program_file, root, "true"), 0);
    ck_assert_int_eq(stat(text("%s%s", root, program_file), &copied), 0);
    ck_assert_uint_eq(copied.st_mode & 07777, 0755);
}
END_TEST

/* ---- what chroot does not hide ------------------------------------------------------------------
 */

/* A command in a jail that has the host's /proc, mounted for it alone. */
static struct result run_with_proc(const char *root, const char *command)
{
    return run("unshare", "--mount", "--propagation", in_chroot() ? "unchanged" : "private", "sh",
               "-c", "mount --rbind /proc \"$1/proc\" && exec \"$0\" \"$1\" sh -c \"$2\"",
               program(), root, command);
}

START_TEST(the_hostname_is_the_hosts)
{
    NEEDS_ROOT;
    char name[256];
    ck_assert_int_eq(gethostname(name, sizeof(name)), 0);
    ck_assert_str_eq(run_program(make_root(), "hostname").out, text("%s\n", name));
}
END_TEST

START_TEST(the_namespaces_are_the_hosts)
{
    NEEDS_ROOT;
    const char *all[] = {"uts", "net", "ipc", "pid", "user"};
    const char *root = make_root();
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct result link = run_with_proc(root, text("readlink /proc/self/ns/%s", all[i]));
        ck_assert_str_eq(link.out,
                         text("%s:[%lu]\n", all[i], (unsigned long)ns_inode(getpid(), all[i])));
    }
}
END_TEST

START_TEST(the_hosts_processes_are_seen_and_can_be_killed)
{
    NEEDS_ROOT;
    struct running victim = start("sleep", "100");
    const char *root = make_root();
    ck_contains(run_with_proc(root, "ps").out, text("%d", victim.pid));
    ck_status(run_program(root, "kill", "-KILL", text("%d", victim.pid)), 0);
    ck_status(finish(&victim), 128 + 9);
}
END_TEST

START_TEST(the_hosts_network_is_there)
{
    NEEDS_ROOT;
    struct result inside = run_with_proc(make_root(), "cat /proc/net/dev | cut -d: -f1");
    ck_assert_str_eq(inside.out, run("sh", "-c", "cut -d: -f1 /proc/net/dev").out);
}
END_TEST

/* The lesson of step 1: root is not held.  Step 2's suite shows the same program fail. */
START_TEST(root_breaks_out)
{
    NEEDS_ROOT;
    const char *root = make_root();
    struct result out = run_program("--copy", product("escape"), root, product("escape"));
    ck_status(out, 0);
    ck_contains(out.out, "escaped");
}
END_TEST

START_TEST(nothing_is_copied_over_the_hosts_own)
{
    ck_refused(run_program("--copy", "/bin/true", "/", "true"), "the host's own root");
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("step01: a root directory of its own");

    TCase *jail = add_case(suite, "jail");
    tcase_add_test(jail, the_directory_is_the_root);
    tcase_add_test(jail, nothing_is_above_the_root);
    tcase_add_test(jail, a_shell_is_the_default);
    tcase_add_test(jail, arguments_arrive_as_they_are);
    tcase_add_test(jail, a_relative_root_will_do);
    tcase_add_test(jail, the_environment_passes);

    TCase *end = add_case(suite, "end");
    tcase_add_test(end, the_status_is_the_commands);
    tcase_add_test(end, not_found_is_127);
    tcase_add_test(end, not_executable_is_126);
    tcase_add_test(end, a_missing_loader_is_named_as_the_cause);
    tcase_add_test(end, ignored_signals_are_not_inherited);

    TCase *refusals = add_case(suite, "refusals");
    tcase_add_test(refusals, bad_input_is_refused);
    tcase_add_test(refusals, help_and_version);
    tcase_add_test(refusals, help_that_cannot_be_written_fails);
    tcase_add_test(refusals, an_ordinary_user_is_told_why);

    TCase *copy = add_case(suite, "copy");
    tcase_add_test(copy, nothing_is_copied_over_the_hosts_own);
    tcase_add_test(copy, a_dynamic_program_comes_with_all_it_needs);
    tcase_add_test(copy, the_libraries_are_those_of_ldd);
    tcase_add_test(copy, a_program_is_looked_up_in_the_path);
    tcase_add_test(copy, a_static_program_comes_alone);
    tcase_add_test(copy, a_script_comes_with_its_interpreter);
    tcase_add_test(copy, a_script_without_its_interpreter_is_refused);
    tcase_add_test(copy, what_is_no_program_is_refused);
    tcase_add_test(copy, a_missing_library_is_named_and_nothing_copied);
    tcase_add_test(copy, links_in_the_root_are_not_followed_out_of_it);
    tcase_add_test(copy, a_link_in_place_of_the_file_is_replaced);
    tcase_add_test(copy, an_older_copy_is_replaced);
    tcase_add_test(copy, setuid_is_not_copied);

    TCase *open = add_case(suite, "open");
    tcase_add_test(open, the_hostname_is_the_hosts);
    tcase_add_test(open, the_namespaces_are_the_hosts);
    tcase_add_test(open, the_hosts_processes_are_seen_and_can_be_killed);
    tcase_add_test(open, the_hosts_network_is_there);
    tcase_add_test(open, root_breaks_out);
    return suite;
}
