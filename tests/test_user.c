/* test_user.c - from root to the user that an image asks for. */
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.h"
#include "step05-overlay/user.h"
#include "tests/support.h"

#define NEEDS_ROOT SKIP_UNLESS("root", have_root(), "only root may become somebody else")

static const char passwd[] = "root:x:0:0::/root:/bin/sh\n"
                             "broken line\n"
                             "www:x:33:44::/var/www:/bin/sh\n"
                             "500:x:501:502::/home/500:/bin/sh\n";
static const char group[] = "root:x:0:\n"
                            "www:x:44:\n"
                            "disk:x:6:nobody\n"
                            "log:x:7:nobody,www\n"
                            "media:x:8:www\n";

/* A root directory with just these two files, or without a file where NULL. */
static const char *make_files(const char *users, const char *groups)
{
    const char *root = scratch_dir();
    ck_assert_int_eq(mkdir(text("%s/etc", root), 0755), 0);
    if (users)
        write_file(text("%s/etc/passwd", root), users);
    if (groups)
        write_file(text("%s/etc/group", root), groups);
    return root;
}

/* Who we are after user_become(SPEC) in ROOT: "uid:gid groups home", or the message. */
static char *become(const char *root, const char *spec)
{
    int ends[2], wait_status;
    char answer[1024] = "";
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        gid_t groups[32];
        if (chroot(root) < 0 || chdir("/") < 0)
            _exit(1);
        if (user_become(spec) < 0) {
            dprintf(ends[1], "%s", error_message());
            _exit(0);
        }
        uid_t real, effective, saved;
        getresuid(&real, &effective, &saved);
        dprintf(ends[1], "%u:%u", real, getgid());
        if (real != effective || real != saved)
            dprintf(ends[1], " and still %u, %u", effective, saved);
        int count = getgroups(32, groups);
        for (int i = 0; i < count; i++)
            dprintf(ends[1], " %u", groups[i]);
        dprintf(ends[1], " %s", getenv("HOME"));
        _exit(0);
    }
    close(ends[1]);
    for (size_t n = 0; read(ends[0], answer + n, 1) == 1 && n < sizeof(answer) - 2;)
        n++;
    close(ends[0]);
    waitpid(pid, &wait_status, 0);
    ck_assert_int_eq(wait_status, 0);
    return text("%s", answer);
}

START_TEST(names_and_numbers)
{
    NEEDS_ROOT;
    const char *root = make_files(passwd, group);
    gid_t ours[] = {1234};
    setgroups(1, ours);
    unsetenv("HOME");
    ck_assert_str_eq(become(root, ""), "0:0 /root");
    ck_assert_str_eq(become(root, "root"), "0:0 /root");
    ck_assert_str_eq(become(root, "www"), "33:44 7 8 /var/www");
    ck_assert_str_eq(become(root, "33"), "33:44 7 8 /var/www");
    ck_assert_str_eq(become(root, "77"), "77:0 /");
    ck_assert_str_eq(become(root, "www:disk"), "33:6 /var/www");
    ck_assert_str_eq(become(root, "www:99"), "33:99 /var/www");
    ck_assert_str_eq(become(root, "77:99"), "77:99 /");
    ck_assert_str_eq(become(root, ":99"), "0:99 /root");
    ck_assert_str_eq(become(root, "www:"), "33:44 7 8 /var/www");
    ck_assert_str_eq(become(root, "4294967294"), "4294967294:0 /");
}
END_TEST

START_TEST(a_name_of_digits_is_a_name)
{
    NEEDS_ROOT;
    unsetenv("HOME");
    ck_assert_str_eq(become(make_files(passwd, group), "500"), "501:502 /home/500");
}
END_TEST

START_TEST(home_is_kept)
{
    NEEDS_ROOT;
    setenv("HOME", "/from/the/image", 1);
    ck_assert_str_eq(become(make_files(passwd, group), "www:0"), "33:0 /from/the/image");
}
END_TEST

START_TEST(numbers_need_no_files)
{
    NEEDS_ROOT;
    unsetenv("HOME");
    const char *root = make_files(NULL, NULL);
    ck_assert_str_eq(become(root, ""), "0:0 /");
    ck_assert_str_eq(become(root, "5:6"), "5:6 /");
    ck_contains(become(root, "www"), "user \"www\": neither in the container's /etc/passwd");
    ck_contains(become(root, "5:www"), "group \"www\": neither in the container's /etc/group");
}
END_TEST

START_TEST(wrong_users_are_refused)
{
    NEEDS_ROOT;
    static const char *const wrong[] = {"nosuch", "-1", "4294967295", "99999999999", "1x", " 1"};
    const char *root = make_files(passwd, group);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        ck_contains(become(root, wrong[i]), text("user \"%s\": neither", wrong[i]));
        ck_contains(become(root, text("0:%s", wrong[i])), text("group \"%s\": neither", wrong[i]));
    }
    ck_contains(become(root, "0:1:2"), "group \"1:2\": neither");
}
END_TEST

START_TEST(an_ordinary_user_becomes_nobody_else)
{
    SKIP_UNLESS("user", !have_root(), "for an ordinary user");
    ck_assert_int_eq(user_become("1:1"), -1);
    ck_contains(error_message(), "set the supplementary groups: Operation not permitted");
}
END_TEST

START_TEST(root_of_a_user_namespace_is_root_enough)
{
    SKIP_UNLESS("userns", have_userns(), "no user namespaces");
    /* setgroups is denied there, as it is for every ordinary user's namespace. */
    struct result result = run("unshare", "--user", "--map-root-user", "true");
    SKIP_UNLESS("unshare", result.status == 0, "no unshare(1)");
    int wait_status;
    pid_t pid = fork();
    if (pid == 0) {
        int uid = (int)geteuid(), gid = (int)getegid();
        if (unshare(CLONE_NEWUSER) < 0)
            _exit(1);
        write_file("/proc/self/setgroups", "deny");
        write_file("/proc/self/uid_map", text("0 %d 1", uid));
        write_file("/proc/self/gid_map", text("0 %d 1", gid));
        if (user_become("0:0") < 0)
            _exit(2);
        if (user_become("5:0") == 0 || user_become("0:5") == 0)
            _exit(3);
        _exit(0);
    }
    waitpid(pid, &wait_status, 0);
    ck_assert_int_eq(wait_status, 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("user");
    TCase *all = add_case(suite, "user");
    tcase_add_test(all, names_and_numbers);
    tcase_add_test(all, a_name_of_digits_is_a_name);
    tcase_add_test(all, home_is_kept);
    tcase_add_test(all, numbers_need_no_files);
    tcase_add_test(all, wrong_users_are_refused);
    tcase_add_test(all, an_ordinary_user_becomes_nobody_else);
    tcase_add_test(all, root_of_a_user_namespace_is_root_enough);
    return suite;
}
