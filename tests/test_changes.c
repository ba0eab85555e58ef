/* test_changes.c - what a writable layer says about what was changed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/error.h"
#include "step05-overlay/changes.h"
#include "tests/support.h"

/* Make "dir/", "file", or "-whiteout" for each word of NAMES, below a new directory. */
static const char *make_layer(const char *names)
{
    const char *dir = scratch_dir();
    char *words = text("%s", names), *rest;
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        char *path = text("%s/%s", dir, word + (*word == '-'));
        if (*word == '-')
            ck_assert_msg(mknod(path, S_IFCHR, makedev(0, 0)) == 0, "mknod %s: %m", path);
        else if (path[strlen(path) - 1] == '/')
            ck_assert_msg(mkdir(path, 0755) == 0, "mkdir %s: %m", path);
        else
            write_file(path, "");
    }
    return dir;
}

static bool make_opaque(const char *layer, const char *name)
{
    return setxattr(text("%s/%s", layer, name), "user.overlay.opaque", "y", 1, 0) == 0;
}

#define NEEDS_OPAQUE(layer, name) \
    SKIP_UNLESS("xattr", make_opaque(layer, name), "no user attributes on this file system")

/* What changes_print prints, its lines separated by commas; the layers bottom first. */
static char *changes(const char *upper, const char *bottom, const char *top)
{
    struct strings layers = {0};
    char *out = NULL;
    size_t size;
    FILE *memory = open_memstream(&out, &size);
    strings_add(&layers, (char *)bottom);
    if (top)
        strings_add(&layers, (char *)top);
    ck_assert_msg(changes_print(&layers, upper, memory) == 0, "%s", error_message());
    fclose(memory);
    free(layers.items);
    for (char *c = out; *c; c++)
        if (*c == '\n')
            *c = c[1] ? ',' : '\0';
    char *result = text("%s", out);
    free(out);
    return result;
}

START_TEST(nothing_changed)
{
    ck_assert_str_eq(changes(make_layer(""), make_layer("etc/ etc/passwd"), NULL), "");
}
END_TEST

START_TEST(added_changed_deleted)
{
    const char *lower = make_layer("etc/ etc/passwd etc/group bin");
    const char *upper = make_layer("etc/ etc/passwd -etc/group new/ new/file -bin");
    ck_assert_str_eq(changes(upper, lower, NULL),
                     "D /bin,C /etc,D /etc/group,C /etc/passwd,A /new,A /new/file");
}
END_TEST

START_TEST(lines_are_sorted_by_path)
{
    ck_assert_str_eq(changes(make_layer("b c a/ a/z a/y a.b"), make_layer(""), NULL),
                     "A /a,A /a.b,A /a/y,A /a/z,A /b,A /c");
}
END_TEST

START_TEST(every_layer_counts)
{
    const char *bottom = make_layer("low both/ both/low"),
               *top = make_layer("high both/ both/high");
    const char *upper = make_layer("low high both/ both/low both/high both/new");
    ck_assert_str_eq(changes(upper, bottom, top),
                     "C /both,C /both/high,C /both/low,A /both/new,C /high,C /low");
}
END_TEST

START_TEST(what_a_layer_deleted_is_new_again)
{
    const char *bottom = make_layer("file dir/ dir/file"), *top = make_layer("-file -dir");
    ck_assert_str_eq(changes(make_layer("file dir/ dir/file"), bottom, top),
                     "A /dir,A /dir/file,A /file");
}
END_TEST

START_TEST(a_file_covers_the_directory_below)
{
    const char *bottom = make_layer("name/ name/file"), *top = make_layer("name");
    ck_assert_str_eq(changes(make_layer("name/ name/file"), bottom, top), "C /name,A /name/file");
    /* ... and what is below a directory, if that is a file, is not in it. */
    ck_assert_str_eq(changes(make_layer("name/ name/file"), top, make_layer("name/")),
                     "C /name,A /name/file");
}
END_TEST

START_TEST(an_opaque_layer_hides_those_below)
{
    const char *bottom = make_layer("dir/ dir/old dir/sub/ dir/sub/file");
    const char *top = make_layer("dir/ dir/new");
    NEEDS_OPAQUE(top, "dir");
    ck_assert_str_eq(changes(make_layer("dir/ dir/old dir/new dir/sub/"), bottom, top),
                     "C /dir,C /dir/new,A /dir/old,A /dir/sub");
}
END_TEST

START_TEST(an_opaque_directory_deletes_what_it_covers)
{
    const char *bottom = make_layer("dir/ dir/one dir/two dir/sub/ dir/sub/file dir/gone");
    const char *top = make_layer("dir/ dir/one dir/three -dir/gone");
    const char *upper = make_layer("dir/ dir/two dir/four");
    NEEDS_OPAQUE(upper, "dir");
    ck_assert_str_eq(changes(upper, bottom, top),
                     "C /dir,A /dir/four,D /dir/one,D /dir/sub,D /dir/three,C /dir/two");
}
END_TEST

START_TEST(trusted_attributes_count_as_well)
{
    SKIP_UNLESS("root", have_root(), "trusted attributes are for root");
    const char *upper = make_layer("dir/");
    ck_assert_int_eq(setxattr(text("%s/dir", upper), "trusted.overlay.opaque", "y", 1, 0), 0);
    ck_assert_str_eq(changes(upper, make_layer("dir/ dir/file"), NULL), "C /dir,D /dir/file");
}
END_TEST

START_TEST(symlinks_in_layers_are_no_directories)
{
    const char *outside = make_layer("file"), *lower = make_layer("");
    ck_assert_int_eq(symlink(outside, text("%s/dir", lower)), 0);
    ck_assert_str_eq(changes(make_layer("dir/ dir/file"), lower, NULL), "C /dir,A /dir/file");
    const char *upper = make_layer("");
    ck_assert_int_eq(symlink("/", text("%s/link", upper)), 0);
    ck_assert_str_eq(changes(upper, lower, NULL), "A /link");
}
END_TEST

START_TEST(control_characters_are_escaped)
{
    ck_assert_str_eq(changes(make_layer("a\nb\033[31m\\ \xc3\xa9"), make_layer(""), NULL),
                     "A /a\\012b\\033[31m\\134,A /\xc3\xa9");
}
END_TEST

START_TEST(missing_directories_are_named)
{
    struct strings layers = {0};
    strings_add(&layers, "/nonexistent/layer");
    ck_assert_int_eq(changes_print(&layers, "/", stdout), -1);
    ck_contains(error_message(), "/nonexistent/layer: No such file");
    layers.items[0] = "/";
    ck_assert_int_eq(changes_print(&layers, "/nonexistent/upper", stdout), -1);
    ck_contains(error_message(), "/nonexistent/upper: No such file");
}
END_TEST

START_TEST(a_real_overlay_agrees)
{
    SKIP_UNLESS("overlay", have_overlay() && have_tool("unshare"), "no overlay mounts");
    const char *lower = make_layer("etc/ etc/passwd etc/group dir/ dir/old bin"),
               *base = scratch_dir();
    const char *script =
        "set -e; mount -t tmpfs none $1; mkdir $1/upper $1/work $1/root; cd $1/root\n"
        "mount -t overlay none -o lowerdir=$0,upperdir=$1/upper,workdir=$1/work $1/root\n"
        "cd $1/root; echo x >>etc/passwd; rm etc/group; rm -r dir; mkdir dir; touch dir/new new\n"
        "cd $1; \"$2\" diff --layer $0 --upper $1";
    struct result result =
        run("unshare", "-m", "sh", "-c", script, lower, base, step_program("05"));
    ck_status(result, 0);
    ck_assert_str_eq(result.out, "C /dir\nA /dir/new\nD /dir/old\nC /etc\nD /etc/group\n"
                                 "C /etc/passwd\nA /new\n");
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("changes");
    TCase *all = add_case(suite, "changes");
    tcase_add_test(all, nothing_changed);
    tcase_add_test(all, added_changed_deleted);
    tcase_add_test(all, lines_are_sorted_by_path);
    tcase_add_test(all, every_layer_counts);
    tcase_add_test(all, what_a_layer_deleted_is_new_again);
    tcase_add_test(all, a_file_covers_the_directory_below);
    tcase_add_test(all, an_opaque_layer_hides_those_below);
    tcase_add_test(all, an_opaque_directory_deletes_what_it_covers);
    tcase_add_test(all, trusted_attributes_count_as_well);
    tcase_add_test(all, symlinks_in_layers_are_no_directories);
    tcase_add_test(all, control_characters_are_escaped);
    tcase_add_test(all, missing_directories_are_named);
    tcase_add_test(all, a_real_overlay_agrees);
    return suite;
}
