/* test_inroot.c - paths below a root whose owner sets traps. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.h"
#include "common/inroot.h"
#include "tests/support.h"

static const char *root, *victim; /* what is in the root is the attacker's, the victim is ours */
static int rootfd;

static void make_both(void)
{
    root = scratch_dir();
    victim = scratch_dir();
    write_file(text("%s/secret", victim), "secret");
    ck_assert_int_eq(mkdir(text("%s/dir", root), 0755), 0);
    write_file(text("%s/file", root), "in the root");
    rootfd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(rootfd, 0);
}

static void make_link(const char *target, const char *name)
{
    ck_assert_int_eq(symlink(target, text("%s/%s", root, name)), 0);
}

/* The descriptor is that of NAME below the root, and will not pass an execve(2). */
static void ck_is(int fd, const char *name)
{
    struct stat found, meant;
    ck_assert_msg(fd >= 0, "%s", error_message());
    ck_assert_int_eq(stat(text("%s/%s", root, name), &meant), 0);
    ck_assert_int_eq(fstat(fd, &found), 0);
    ck_assert_uint_eq(found.st_ino, meant.st_ino);
    ck_assert_uint_eq(found.st_dev, meant.st_dev);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
}

static void ck_fails(int fd, int error, const char *message)
{
    int found = errno;
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(found, error);
    ck_contains(error_message(), message);
}

static void ck_victim_is_untouched(void)
{
    ck_assert_str_eq(run("ls", "-A", victim).out, "secret\n");
    ck_assert_str_eq(read_file(text("%s/secret", victim)), "secret");
}

static mode_t mode_of(const char *name)
{
    struct stat st;
    ck_assert_int_eq(lstat(text("%s/%s", root, name), &st), 0);
    return st.st_mode;
}

/* ---- open ---------------------------------------------------------------------------- */

START_TEST(paths_are_below_the_root)
{
    make_both();
    ck_is(inroot_open(rootfd, "file", O_RDONLY, 0), "file");
    ck_is(inroot_open(rootfd, "/file", O_RDONLY, 0), "file");
    ck_is(inroot_open(rootfd, "../../../../../file", O_RDONLY, 0), "file");
    ck_is(inroot_open(rootfd, "dir/../../../file", O_PATH, 0), "file");
    ck_is(inroot_open(rootfd, "/", O_PATH, 0), ".");
    ck_is(inroot_open(rootfd, "..", O_PATH, 0), ".");
    ck_is(inroot_open(rootfd, "dir/..", O_PATH | O_DIRECTORY, 0), ".");
    ck_fails(inroot_open(rootfd, "missing", O_PATH, 0), ENOENT,
             "missing in the root: No such file");
    ck_fails(inroot_open(rootfd, "", O_PATH, 0), ENOENT, "in the root: No such file");
    ck_fails(inroot_open(rootfd, text("%s/secret", victim), O_RDONLY, 0), ENOENT, "in the root");
}
END_TEST

START_TEST(links_are_resolved_in_the_root)
{
    make_both();
    make_link("/file", "absolute");
    make_link("../../../../../file", "relative");
    make_link("absolute", "dir/broken");
    make_link("/relative", "dir/chain");
    make_link("loop", "loop");
    make_link("/", "top");
    ck_is(inroot_open(rootfd, "absolute", O_RDONLY, 0), "file");
    ck_is(inroot_open(rootfd, "relative", O_RDONLY, 0), "file");
    ck_is(inroot_open(rootfd, "dir/chain", O_RDONLY, 0), "file");
    ck_is(inroot_open(rootfd, "top/top/../dir/../file", O_RDONLY, 0), "file");
    ck_fails(inroot_open(rootfd, "dir/broken", O_RDONLY, 0), ENOENT, "in the root");
    ck_fails(inroot_open(rootfd, "loop", O_RDONLY, 0), ELOOP, "in the root");
}
END_TEST

START_TEST(no_link_leads_out)
{
    make_both();
    const char *ways[] = {victim, text("%s/fresh", victim),
                          text("../../../../../../../..%s", victim),
                          text("/proc/self/root%s", victim), text("//%s/.", victim)};
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        const char *name = text("way%zu", i);
        make_link(ways[i], name);
        ck_fails(inroot_open(rootfd, text("%s/secret", name), O_RDONLY, 0), ENOENT, "in the root");
        ck_fails(inroot_open(rootfd, text("%s/new", name), O_CREAT | O_WRONLY, 0600), ENOENT, "");
        ck_fails(inroot_mkfile(rootfd, name), ENOENT, "in the root");
        ck_fails(inroot_mkdir(rootfd, name), ENOENT, "in the root");
        inroot_mkfile(rootfd, text("%s/new", name));
        inroot_mkdir(rootfd, text("%s/new/er", name));
    }
    ck_victim_is_untouched();
}
END_TEST

/* The links of /proc/PID/fd, cwd and root are doors, not paths: they lead anywhere. */
START_TEST(magic_links_are_not_followed)
{
    int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    make_both();
    ck_assert_int_eq(inroot_open(top, "proc/self/root", O_PATH, 0), -1);
    ck_assert_int_eq(inroot_open(top, "proc/self/cwd", O_PATH, 0), -1);
    ck_assert_int_eq(inroot_open(top, text("proc/self/fd/%d", rootfd), O_PATH, 0), -1);
    ck_assert_int_eq(inroot_open(top, text("proc/self/fd/%d/file", rootfd), O_PATH, 0), -1);
    close(top);
}
END_TEST

/* ---- make ----------------------------------------------------------------------------- */

START_TEST(missing_directories_are_made)
{
    make_both();
    umask(022);
    ck_is(inroot_mkdir(rootfd, "a/b/c"), "a/b/c");
    ck_is(inroot_mkdir(rootfd, "/a/b/d/"), "a/b/d");
    ck_is(inroot_mkdir(rootfd, "a//e///"), "a/e");
    ck_is(inroot_mkdir(rootfd, "../../above"), "above");
    ck_is(inroot_mkdir(rootfd, "x/../y"), "y");
    ck_assert_uint_eq(mode_of("a"), S_IFDIR | 0755);
    ck_assert_uint_eq(mode_of("a/b/c"), S_IFDIR | 0755);
    ck_assert(!exists(text("%s/../above", root)));
}
END_TEST

START_TEST(what_is_there_is_taken)
{
    make_both();
    make_link("/dir", "link");
    ck_is(inroot_mkdir(rootfd, "dir"), "dir");
    ck_is(inroot_mkdir(rootfd, "link"), "dir");
    ck_is(inroot_mkdir(rootfd, "link/new"), "dir/new");
    ck_is(inroot_mkdir(rootfd, ""), ".");
    ck_is(inroot_mkdir(rootfd, "///"), ".");
    ck_is(inroot_mkfile(rootfd, "file"), "file");
    ck_is(inroot_mkfile(rootfd, "dir"), "dir");
    ck_assert_str_eq(read_file(text("%s/file", root)), "in the root");
}
END_TEST

START_TEST(missing_files_are_made_empty)
{
    make_both();
    umask(022);
    make_link("/dir", "link");
    ck_is(inroot_mkfile(rootfd, "new"), "new");
    ck_is(inroot_mkfile(rootfd, "/deep/er/new"), "deep/er/new");
    ck_is(inroot_mkfile(rootfd, "link/new"), "dir/new");
    ck_assert_uint_eq(mode_of("new"), S_IFREG | 0644);
    ck_assert_str_eq(read_file(text("%s/new", root)), "");
}
END_TEST

START_TEST(a_file_in_the_way_is_an_error)
{
    make_both();
    ck_fails(inroot_mkdir(rootfd, "file"), ENOTDIR, "open file in the root: Not a directory");
    ck_fails(inroot_mkdir(rootfd, "file/dir"), ENOTDIR, "in the root: Not a directory");
    ck_fails(inroot_mkfile(rootfd, "file/file"), ENOTDIR, "in the root: Not a directory");
    ck_assert_str_eq(read_file(text("%s/file", root)), "in the root");
}
END_TEST

START_TEST(a_name_of_any_length_is_handled)
{
    make_both();
    char name[5001];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    ck_fails(inroot_mkdir(rootfd, name), ENAMETOOLONG, "File name too long");
    ck_fails(inroot_mkfile(rootfd, name), ENAMETOOLONG, "File name too long");
    for (size_t i = 1; i < sizeof(name) - 1; i += 2)
        name[i] = '/';
    ck_fails(inroot_mkdir(rootfd, name), ENAMETOOLONG, "File name too long");
    name[1001] = '\0';
    ck_is(inroot_mkdir(rootfd, name), name);
}
END_TEST

/* ---- a race ------------------------------------------------------------------------------ */

/* Swap a directory and a link to the victim, over and over. */
static _Noreturn void swap_for_ever(void)
{
    for (;;)
        if (renameat2(rootfd, "dir", rootfd, "link", RENAME_EXCHANGE) < 0)
            _exit(1);
}

START_TEST(who_swaps_directories_for_links_gains_nothing)
{
    make_both();
    make_link(victim, "link");
    pid_t attacker = fork();
    if (attacker == 0)
        swap_for_ever();
    int made = 0;
    for (int i = 0; i < 3000; i++) {
        int fd = i % 2 ? inroot_mkfile(rootfd, text("dir/f%d", i))
                       : inroot_mkdir(rootfd, text("dir/d%d/deep", i));
        made += fd >= 0;
        if (fd >= 0)
            close(fd);
    }
    ck_assert_int_eq(waitpid(attacker, NULL, WNOHANG), 0);
    kill(attacker, SIGKILL);
    waitpid(attacker, NULL, 0);
    ck_assert_int_gt(made, 0);
    ck_victim_is_untouched();
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("inroot");
    TCase *open_case = add_case(suite, "open");
    tcase_add_test(open_case, paths_are_below_the_root);
    tcase_add_test(open_case, links_are_resolved_in_the_root);
    tcase_add_test(open_case, no_link_leads_out);
    tcase_add_test(open_case, magic_links_are_not_followed);
    TCase *make = add_case(suite, "make");
    tcase_add_test(make, missing_directories_are_made);
    tcase_add_test(make, what_is_there_is_taken);
    tcase_add_test(make, missing_files_are_made_empty);
    tcase_add_test(make, a_file_in_the_way_is_an_error);
    tcase_add_test(make, a_name_of_any_length_is_handled);
    TCase *race = add_case(suite, "race");
    tcase_add_test(race, who_swaps_directories_for_links_gains_nothing);
    return suite;
}
