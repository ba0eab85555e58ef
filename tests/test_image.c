/* test_image.c - OCI images: what is unpacked, and what is refused.
 *
 * Images are made by tests/layout.sh from tar archives that are written here header
 * by header: no honest tool makes what a hostile one would. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "step05-overlay/image.h"
#include "tests/support.h"

#define NEEDS_ROOT SKIP_UNLESS("root", have_root(), "only root may do this")

static char *layout_script;

/* ---- tar archives by hand ------------------------------------------------------------ */

enum { BLOCK = 512 };

static void put_octal(char *field, size_t size, unsigned long long number)
{
    char *digits = text("%0*llo", (int)size - 1, number);
    memcpy(field, digits, strlen(digits) < size ? strlen(digits) : size);
}

/* One header by the pages of POSIX's pax(1), "ustar Interchange Format". */
static void put_header(FILE *tar, char type, const char *name, const char *link, mode_t mode,
                       unsigned long long size)
{
    char header[BLOCK] = {0};
    unsigned sum = 0;
    strncpy(header, name, 100);
    put_octal(header + 100, 8, mode);
    put_octal(header + 108, 8, 1000); /* uid */
    put_octal(header + 116, 8, 2000); /* gid */
    put_octal(header + 124, 12, size);
    put_octal(header + 136, 12, 1000000000); /* mtime: in 2001 */
    memset(header + 148, ' ', 8);
    header[156] = type;
    strncpy(header + 157, link ? link : "", 100);
    memcpy(header + 257, "ustar\00000", 8);
    put_octal(header + 329, 8, 1); /* device 1:3 is null */
    put_octal(header + 337, 8, 3);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    put_octal(header + 148, 8, sum);
    ck_assert_uint_eq(fwrite(header, BLOCK, 1, tar), 1);
}

static void put_data(FILE *tar, const void *data, size_t size)
{
    static const char zeros[BLOCK];
    fwrite(data, 1, size, tar);
    fwrite(zeros, 1, (BLOCK - size % BLOCK) % BLOCK, tar);
}

static void put_file(FILE *tar, const char *name, const char *content)
{
    put_header(tar, '0', name, NULL, 0644, strlen(content));
    put_data(tar, content, strlen(content));
}

static void put_dir(FILE *tar, const char *name, mode_t mode)
{
    put_header(tar, '5', name, NULL, mode, 0);
}

/* A pax header: KEY=VALUE holds for the next entry. */
static void put_pax(FILE *tar, const char *key, const void *value, size_t size)
{
    size_t length = strlen(key) + size + 3; /* "N KEY=VALUE\n", without the N */
    length += length < 98 ? 2 : length < 997 ? 3 : 4;
    char *start = text("%zu %s=", length, key);
    char *record = malloc(length);
    memcpy(record, start, strlen(start));
    memcpy(record + strlen(start), value, size);
    record[length - 1] = '\n';
    ck_assert_uint_eq(strlen(start) + size + 1, length);
    put_header(tar, 'x', "pax", NULL, 0644, length);
    put_data(tar, record, length);
    free(record);
}

struct layer {
    FILE *tar;
    const char *path;
};

static struct layer begin_layer(void)
{
    struct layer layer = {.path = text("%s/layer.tar", scratch_dir())};
    layer.tar = fopen(layer.path, "we");
    ck_assert_ptr_nonnull(layer.tar);
    return layer;
}

/* End the archive; its path. */
static const char *end_layer(struct layer layer)
{
    static const char zeros[2 * BLOCK];
    fwrite(zeros, sizeof(zeros), 1, layer.tar);
    ck_assert_int_eq(fclose(layer.tar), 0);
    return layer.path;
}

/* ---- images and the store -------------------------------------------------------------- */

/* A new layout, made by layout.sh of these arguments. */
#define make_layout(...)                                       \
    __extension__({                                            \
        const char *made = text("%s/image", scratch_dir());    \
        ck_status(run(layout_script, made, ##__VA_ARGS__), 0); \
        made;                                                  \
    })

/* A new store that the ordinary user could use as well. */
static const char *make_store(void)
{
    const char *dir = scratch_dir();
    give_to_user(dir);
    return text("%s/store", dir);
}

#define unpack(store, ...) run(step_program("05"), "unpack", "--store", store, ##__VA_ARGS__)
#define unpack_how(how, store, ...) \
    run_how(how, step_program("05"), "unpack", "--store", store, ##__VA_ARGS__)

/* Line NUMBER, from 0, of what a program printed. */
static char *line(struct result result, int number)
{
    char *start = result.out;
    while (number-- > 0)
        start = strchr(start, '\n') + 1;
    return text("%.*s", (int)strcspn(start, "\n"), start);
}

/* Unpack an image of this one layer: its directory. */
static const char *unpack_layer(const char *tar)
{
    struct result result = unpack(make_store(), make_layout(tar));
    ck_status(result, 0);
    return line(result, 0);
}

/* Status 125, nothing on standard output, one line of message with PART in it. */
static void check_refused(struct result result, const char *part)
{
    ck_status(result, 125);
    ck_assert_str_eq(result.out, "");
    ck_contains(result.err, part);
    char *newline = strchr(result.err, '\n');
    ck_assert_msg(newline && !newline[1], "not one line: %s", result.err);
}

/* Nothing half-done in the store: no .new- directory, and no layer at all. */
static void check_store_empty(const char *store)
{
    struct result found =
        run("find", text("%s/layers", store), "-mindepth", "1", "!", "-name", ".lock-*");
    ck_assert_str_eq(found.out, "");
}

/* A hostile layer is refused, for root and for an ordinary user, and leaves nothing. */
static void check_hostile(const char *tar, const char *part)
{
    const char *layout = make_layout(tar);
    for (int as_user = 0; as_user < 2; as_user++) {
        const char *store = make_store();
        check_refused(unpack_how(((struct how){.as_user = as_user}), store, layout), part);
        check_store_empty(store);
    }
}

static struct stat stat_of(const char *directory, const char *name)
{
    struct stat st;
    const char *path = text("%s/%s", directory, name);
    ck_assert_msg(lstat(path, &st) == 0, "%s: %m", path);
    return st;
}

static bool has(const char *directory, const char *name)
{
    return exists(text("%s/%s", directory, name));
}

static bool is_whiteout(const char *directory, const char *name)
{
    struct stat st = stat_of(directory, name);
    return S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

static bool is_opaque(const char *directory, const char *name)
{
    char value = 0;
    const char *path = text("%s/%s", directory, name);
    const char *attribute = have_root() ? "trusted.overlay.opaque" : "user.overlay.opaque";
    return getxattr(path, attribute, &value, 1) == 1 && value == 'y';
}

static const char *simple_layer(const char *content)
{
    struct layer layer = begin_layer();
    put_dir(layer.tar, "etc/", 0755);
    put_file(layer.tar, "etc/motd", content);
    return end_layer(layer);
}

/* ---- what is unpacked ------------------------------------------------------------------- */

START_TEST(every_compression_gives_the_same_layer)
{
    static const char *const how[] = {"gzip", "zstd", "none"};
    const char *tar = simple_layer("hello\n"), *store = make_store(), *first = NULL;
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(how[i], "zstd") == 0 && !have_tool("zstd"))
            continue;
        struct result result = unpack(store, make_layout("--compress", how[i], tar));
        ck_status(result, 0);
        ck_assert_str_eq(read_file(text("%s/etc/motd", line(result, 0))), "hello\n");
        if (first)
            ck_assert_str_eq(line(result, 0), first);
        first = line(result, 0);
        /* Unpacked anew each time. */
        if (i < 2)
            ck_status(run("rm", "-r", first), 0);
    }
}
END_TEST

START_TEST(layers_come_bottom_first)
{
    const char *layout = make_layout(simple_layer("bottom"), simple_layer("top"));
    struct result result = unpack(make_store(), layout);
    ck_status(result, 0);
    ck_assert_str_eq(read_file(text("%s/etc/motd", line(result, 0))), "bottom");
    ck_assert_str_eq(read_file(text("%s/etc/motd", line(result, 1))), "top");
}
END_TEST

START_TEST(a_layer_is_unpacked_once)
{
    const char *tar = simple_layer("once"), *store = make_store();
    const char *one = make_layout(tar), *other = make_layout(tar, simple_layer("more"));
    struct result result = unpack(store, one);
    ck_status(result, 0);
    ino_t inode = stat_of(line(result, 0), ".").st_ino;
    ck_status(unpack(store, one), 0);
    ck_assert_str_eq(line(unpack(store, other), 0), line(result, 0));
    ck_assert_uint_eq(stat_of(line(result, 0), ".").st_ino, inode);
    ck_assert_int_eq(stat_of(store, ".").st_mode & 0777, 0700);
}
END_TEST

START_TEST(files_are_as_the_archive_says)
{
    struct layer layer = begin_layer();
    put_dir(layer.tar, "./", 0711);
    put_dir(layer.tar, "./closed/", 0555);
    put_file(layer.tar, "./closed/file", "content");
    put_header(layer.tar, '1', "./closed/hard", "./closed/file", 0644, 0);
    put_header(layer.tar, '2', "./soft", "/etc/passwd", 0777, 0);
    put_header(layer.tar, '6', "./fifo", NULL, 0600, 0);
    const char *dir = unpack_layer(end_layer(layer));

    ck_assert_int_eq(stat_of(dir, ".").st_mode & 07777, 0711);
    ck_assert_int_eq(stat_of(dir, "closed").st_mode & 07777, have_root() ? 0555 : 0755);
    ck_assert_int_eq(stat_of(dir, "closed").st_mtime, 1000000000);
    ck_assert_int_eq(stat_of(dir, "closed/file").st_mtime, 1000000000);
    ck_assert_uint_eq(stat_of(dir, "closed/hard").st_ino, stat_of(dir, "closed/file").st_ino);
    ck_assert_str_eq(run("readlink", text("%s/soft", dir)).out, "/etc/passwd\n");
    ck_assert(S_ISFIFO(stat_of(dir, "fifo").st_mode));
    if (have_root()) {
        ck_assert_int_eq(stat_of(dir, "closed/file").st_uid, 1000);
        ck_assert_int_eq(stat_of(dir, "closed/file").st_gid, 2000);
    }
}
END_TEST

START_TEST(parents_need_no_entry_of_their_own)
{
    struct layer layer = begin_layer();
    put_file(layer.tar, "deep/below/file", "x");
    const char *dir = unpack_layer(end_layer(layer));
    ck_assert_int_eq(stat_of(dir, ".").st_mode & 07777, 0755);
    ck_assert_int_eq(stat_of(dir, "deep/below").st_mode & 07777, 0755);
}
END_TEST

START_TEST(set_user_id_survives_for_root_only)
{
    struct layer layer = begin_layer();
    put_header(layer.tar, '0', "su", NULL, 04755, 0);
    const char *layout = make_layout(end_layer(layer));
    struct result user = unpack_how(((struct how){.as_user = true}), make_store(), layout);
    ck_status(user, 0);
    ck_assert_int_eq(stat_of(line(user, 0), "su").st_mode & 07777, 0755);
    ck_assert_uint_eq(stat_of(line(user, 0), "su").st_uid, user_id());
    NEEDS_ROOT;
    struct result root = unpack(make_store(), layout);
    ck_assert_int_eq(stat_of(line(root, 0), "su").st_mode & 07777, 04755);
}
END_TEST

START_TEST(extended_attributes_are_left_out)
{
    NEEDS_ROOT;
    /* VFS_CAP_REVISION_2 with CAP_NET_RAW, see capabilities(7). */
    static const unsigned char capability[20] = {1, 0, 0, 2, 0, 0x20};
    struct layer layer = begin_layer();
    put_pax(layer.tar, "SCHILY.xattr.security.capability", capability, sizeof(capability));
    put_file(layer.tar, "ping", "x");
    put_pax(layer.tar, "SCHILY.xattr.trusted.overlay.redirect", "/etc", 4);
    put_dir(layer.tar, "redirected/", 0755);
    put_pax(layer.tar, "SCHILY.xattr.user.overlay.opaque", "y", 1);
    put_dir(layer.tar, "opaque/", 0755);
    const char *dir = unpack_layer(end_layer(layer));
    ck_assert_int_eq(listxattr(text("%s/ping", dir), NULL, 0), 0);
    ck_assert_int_eq(listxattr(text("%s/redirected", dir), NULL, 0), 0);
    ck_assert_int_eq(listxattr(text("%s/opaque", dir), NULL, 0), 0);
}
END_TEST

START_TEST(long_and_foreign_names)
{
    const char *name = text("%0150d/%0150d", 1, 2);
    struct layer layer = begin_layer();
    put_pax(layer.tar, "path", name, strlen(name));
    put_file(layer.tar, "short", "long");
    put_pax(layer.tar, "path", "\xc3\xa9t\xc3\xa9/\xed\x95\x9c\xea\xb8\x80", 12);
    put_file(layer.tar, "short", "foreign");
    put_header(layer.tar, 'L', "././@LongLink", NULL, 0644, 200);
    put_data(layer.tar, text("%0200d", 3), 200);
    put_file(layer.tar, "short", "gnu");
    const char *dir = unpack_layer(end_layer(layer));
    ck_assert_str_eq(read_file(text("%s/%s", dir, name)), "long");
    ck_assert_str_eq(read_file(text("%s/\xc3\xa9t\xc3\xa9/\xed\x95\x9c\xea\xb8\x80", dir)),
                     "foreign");
    ck_assert_str_eq(read_file(text("%s/%0200d", dir, 3)), "gnu");
}
END_TEST

START_TEST(the_last_entry_of_a_name_wins)
{
    struct layer layer = begin_layer();
    put_file(layer.tar, "name", "first");
    put_file(layer.tar, "name", "second");
    put_file(layer.tar, "other", "file");
    put_dir(layer.tar, "other/", 0755);
    put_file(layer.tar, "other/in", "it");
    const char *dir = unpack_layer(end_layer(layer));
    ck_assert_str_eq(read_file(text("%s/name", dir)), "second");
    ck_assert_str_eq(read_file(text("%s/other/in", dir)), "it");
}
END_TEST

START_TEST(real_tools_make_images_too)
{
    SKIP_UNLESS("umoci", have_tool("umoci") && have_tool("skopeo"), "no umoci and skopeo");
    NEEDS_ROOT;
    const char *dir = scratch_dir(), *store = make_store();
    char *layout = text("%s/layout", dir), *image = text("%s:t", layout);
    write_file(text("%s/motd", dir), "by umoci\n");
    ck_status(run("umoci", "init", "--layout", layout), 0);
    ck_status(run("umoci", "new", "--image", image), 0);
    ck_status(run("umoci", "insert", "--image", image, text("%s/motd", dir), "/etc/motd"), 0);
    ck_status(run("umoci", "insert", "--image", image, "--whiteout", "/bin"), 0);
    struct result result = unpack(store, image);
    ck_status(result, 0);
    ck_assert_str_eq(read_file(text("%s/etc/motd", line(result, 0))), "by umoci\n");
    ck_assert(is_whiteout(line(result, 1), "bin"));

    char *archive = text("%s/archive.tar", dir);
    ck_status(run("skopeo", "--insecure-policy", "copy", "-q", text("oci:%s", image),
                  text("oci-archive:%s:t", archive)),
              0);
    struct result same = unpack(store, archive);
    ck_status(same, 0);
    ck_assert_str_eq(same.out, result.out);
}
END_TEST

/* ---- whiteouts ------------------------------------------------------------------------- */

START_TEST(whiteouts_become_overlay_s_own)
{
    struct layer layer = begin_layer();
    put_dir(layer.tar, "etc/", 0755);
    put_file(layer.tar, "etc/.wh.passwd", "");
    put_file(layer.tar, "new/.wh.file", "");
    put_file(layer.tar, ".wh.top", "");
    put_dir(layer.tar, "fresh/", 0755);
    put_file(layer.tar, "fresh/.wh..wh..opq", "");
    put_file(layer.tar, "lonely/.wh..wh..opq", "");
    put_file(layer.tar, ".wh..wh.plnk", "aufs");
    const char *dir = unpack_layer(end_layer(layer));
    ck_assert(is_whiteout(dir, "etc/passwd"));
    ck_assert(is_whiteout(dir, "new/file"));
    ck_assert(is_whiteout(dir, "top"));
    ck_assert(is_opaque(dir, "fresh"));
    ck_assert(is_opaque(dir, "lonely"));
    ck_assert(!is_opaque(dir, "etc"));
    ck_assert_int_eq(stat_of(dir, "etc").st_mtime, 1000000000);
    ck_assert_str_eq(run("find", dir, "-name", ".wh.*").out, "");
}
END_TEST

START_TEST(the_layer_s_own_file_beats_its_whiteout)
{
    struct layer layer = begin_layer();
    put_file(layer.tar, "before", "here");
    put_file(layer.tar, ".wh.before", "");
    put_file(layer.tar, ".wh.after", "");
    put_file(layer.tar, "after", "here");
    put_file(layer.tar, ".wh.dir", "");
    put_file(layer.tar, "dir/file", "new");
    const char *dir = unpack_layer(end_layer(layer));
    ck_assert_str_eq(read_file(text("%s/before", dir)), "here");
    ck_assert_str_eq(read_file(text("%s/after", dir)), "here");
    ck_assert_str_eq(read_file(text("%s/dir/file", dir)), "new");
    ck_assert(is_opaque(dir, "dir")); /* what lower layers have in it stays deleted */
}
END_TEST

START_TEST(an_ordinary_user_s_whiteouts)
{
    struct layer layer = begin_layer();
    put_file(layer.tar, ".wh.gone", "");
    put_file(layer.tar, "dir/.wh..wh..opq", "");
    struct result result =
        unpack_how(((struct how){.as_user = true}), make_store(), make_layout(end_layer(layer)));
    ck_status(result, 0);
    ck_assert(is_whiteout(line(result, 0), "gone"));
    char value;
    ck_assert_int_eq(getxattr(text("%s/dir", line(result, 0)), "user.overlay.opaque", &value, 1),
                     1);
}
END_TEST

START_TEST(whiteouts_of_nothing_are_refused)
{
    static const char *const names[] = {".wh.", ".wh..", ".wh...", "etc/.wh.", "etc/.wh..."};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct layer layer = begin_layer();
        put_file(layer.tar, names[i], "");
        check_hostile(end_layer(layer), "whiteout of nothing");
    }
}
END_TEST

START_TEST(whiteouts_stay_in_the_layer)
{
    const char *outside = scratch_dir();
    write_file(text("%s/victim", outside), "alive");
    give_to_user(outside);
    struct layer layer = begin_layer();
    put_header(layer.tar, '2', "link", outside, 0777, 0);
    put_file(layer.tar, "link/.wh.fresh", "");
    put_file(layer.tar, "link/.wh..wh..opq", "");
    const char *layout = make_layout(end_layer(layer));
    for (int as_user = 0; as_user < 2; as_user++) {
        unpack_how(((struct how){.as_user = as_user}), make_store(), layout);
        ck_assert(!has(outside, "fresh"));
        ck_assert_int_eq(listxattr(outside, NULL, 0), 0);
    }
    struct layer dots = begin_layer();
    put_file(dots.tar, "../../../.wh.fresh", "");
    check_hostile(end_layer(dots), "contains '..'");
}
END_TEST

/* ---- hostile archives --------------------------------------------------------------------- */

START_TEST(dot_dot_is_refused)
{
    static const char *const names[] = {"../evil", "a/../../evil", "a/..", "..", "/../evil"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct layer layer = begin_layer();
        put_dir(layer.tar, "a/", 0755);
        put_file(layer.tar, names[i], "evil");
        check_hostile(end_layer(layer), "contains '..'");
    }
}
END_TEST

START_TEST(absolute_names_are_relative)
{
    const char *victim = text("%s/victim", scratch_dir());
    struct layer layer = begin_layer();
    put_dir(layer.tar, "/", 0755);
    put_file(layer.tar, victim, "evil");
    put_header(layer.tar, '1', "/link", victim, 0644, 0);
    const char *dir = unpack_layer(end_layer(layer));
    ck_assert(!exists(victim));
    ck_assert_str_eq(read_file(text("%s%s", dir, victim)), "evil");
    ck_assert_uint_eq(stat_of(dir, "link").st_ino, stat_of(dir, victim).st_ino);
}
END_TEST

START_TEST(nothing_goes_through_a_symlink)
{
    const char *outside = scratch_dir();
    write_file(text("%s/victim", outside), "alive");
    run("chmod", "-R", "a+rwX", outside);
    struct layer layer = begin_layer();
    put_header(layer.tar, '2', "link", outside, 0777, 0);
    put_file(layer.tar, "link/victim", "evil");
    check_hostile(end_layer(layer), "symlink");
    layer = begin_layer();
    put_header(layer.tar, '2', "link", "..", 0777, 0);
    put_file(layer.tar, "link/evil", "evil");
    check_hostile(end_layer(layer), "symlink");
    /* A link to a file: the file of the same name replaces the link. */
    layer = begin_layer();
    put_header(layer.tar, '2', "link", text("%s/victim", outside), 0777, 0);
    put_file(layer.tar, "link", "harmless");
    const char *dir = unpack_layer(end_layer(layer));
    ck_assert(S_ISREG(stat_of(dir, "link").st_mode));
    ck_assert_str_eq(read_file(text("%s/victim", outside)), "alive");
}
END_TEST

START_TEST(hard_links_stay_in_the_layer)
{
    const char *outside = scratch_dir();
    write_file(text("%s/victim", outside), "alive");
    run("chmod", "-R", "a+rwX", outside);
    struct layer layer = begin_layer();
    put_header(layer.tar, '1', "hard", text("../../../../../../../..%s/victim", outside), 0644, 0);
    check_hostile(end_layer(layer), "contains '..'");
    layer = begin_layer();
    put_header(layer.tar, '1', "hard", text("%s/victim", outside), 0644, 0);
    check_hostile(end_layer(layer), "victim");
    layer = begin_layer();
    put_header(layer.tar, '2', "link", outside, 0777, 0);
    put_header(layer.tar, '1', "hard", "link/victim", 0644, 0);
    check_hostile(end_layer(layer), "symlink");
    ck_assert_uint_eq(stat_of(outside, "victim").st_nlink, 1);
    /* To a symbolic link: the link itself is linked; what is written goes no further. */
    layer = begin_layer();
    put_header(layer.tar, '2', "link", text("%s/victim", outside), 0777, 0);
    put_header(layer.tar, '1', "hard", "link", 0644, 4);
    put_data(layer.tar, "evil", 4);
    unpack(make_store(), make_layout(end_layer(layer)));
    ck_assert_str_eq(read_file(text("%s/victim", outside)), "alive");
}
END_TEST

START_TEST(device_nodes_take_root)
{
    struct layer layer = begin_layer();
    put_header(layer.tar, '3', "dev/null", NULL, 0666, 0);
    put_header(layer.tar, '4', "dev/disk", NULL, 0600, 0);
    put_file(layer.tar, "dev/file", "x");
    const char *layout = make_layout(end_layer(layer));
    struct result user = unpack_how(((struct how){.as_user = true}), make_store(), layout);
    ck_status(user, 0);
    ck_contains(user.err, "device nodes are left out");
    ck_assert(!has(line(user, 0), "dev/null") && !has(line(user, 0), "dev/disk"));
    ck_assert(has(line(user, 0), "dev/file"));
    NEEDS_ROOT;
    struct result root = unpack(make_store(), layout);
    ck_status(root, 0);
    ck_assert_uint_eq(stat_of(line(root, 0), "dev/null").st_rdev, makedev(1, 3));
}
END_TEST

START_TEST(the_root_stays_a_directory)
{
    struct layer layer = begin_layer();
    put_header(layer.tar, '2', ".", "/etc", 0777, 0);
    check_hostile(end_layer(layer), "not a directory");
}
END_TEST

START_TEST(very_long_names_are_refused)
{
    char name[3010] = "";
    for (size_t i = 0; i + 2 < sizeof(name); i += 2)
        memcpy(name + i, "a/", 3);
    struct layer layer = begin_layer();
    put_pax(layer.tar, "path", name, strlen(name));
    put_dir(layer.tar, "short", 0755);
    check_hostile(end_layer(layer), "too long");
}
END_TEST

START_TEST(messages_hold_no_control_characters)
{
    const char *tag = "\\u001b[31mred"; /* in JSON */
    check_refused(unpack(make_store(), text("%s:x", make_layout("--tag", tag, simple_layer("x")))),
                  "only: ?[31mred");
    struct layer layer = begin_layer();
    put_file(layer.tar, "../\033[31mred\nline", "x");
    check_hostile(end_layer(layer), "red?line: Path");
}
END_TEST

START_TEST(what_is_no_archive_is_refused)
{
    const char *path = text("%s/text", scratch_dir());
    write_file(path, "this is not a tar archive, and it is long enough to be looked at\n");
    check_hostile(path, "nrecognized archive format");
}
END_TEST

START_TEST(an_archive_that_ends_early_is_refused)
{
    struct layer layer = begin_layer();
    put_file(layer.tar, "whole", "x");
    put_header(layer.tar, '0', "half", NULL, 0644, 100000);
    put_data(layer.tar, "some", 4);
    fclose(layer.tar);
    check_hostile(layer.path, "runcated");
}
END_TEST

/* ---- limits ------------------------------------------------------------------------------------
 */

START_TEST(a_bomb_is_stopped)
{
    const char *dir = scratch_dir(), *store = make_store();
    ck_status(run("truncate", "-s", "1G", text("%s/zeros", dir)), 0);
    ck_status(run("tar", "-C", dir, "-cSf", text("%s/sparse.tar", dir), "zeros"), 0);
    const char *layout = make_layout(text("%s/sparse.tar", dir));
    check_refused(unpack(store, "--unpack-max", "1023M", layout), "--unpack-max");
    check_store_empty(store);
    ck_status(unpack(store, "--unpack-max", "1G", layout), 0);
}
END_TEST

/* COUNT times the same bytes, compressed a single time: gzip files can be put in a row. */
static const char *repeat(const char *piece, int count)
{
    const char *bomb = text("%s/bomb.tar.gz", scratch_dir());
    ck_status(run("sh", "-c",
                  "gzip -c \"$0\" >\"$1.piece\" && for i in $(seq $2); do "
                  "cat \"$1.piece\"; done >\"$1\" && rm \"$1.piece\"",
                  piece, bomb, text("%d", count)),
              0);
    return bomb;
}

START_TEST(a_bomb_after_the_end_is_stopped)
{
    const char *zeros = text("%s/zeros", scratch_dir()), *store = make_store();
    ck_status(run("truncate", "-s", "16M", zeros), 0);
    const char *layout = make_layout("--compress", "none", repeat(zeros, 10));
    check_refused(unpack(store, "--unpack-max", "100M", layout), "--unpack-max");
    check_store_empty(store);
}
END_TEST

START_TEST(a_million_entries_are_refused)
{
    struct layer layer = begin_layer();
    for (int i = 0; i < 5000; i++)
        put_dir(layer.tar, "d", 0755);
    fclose(layer.tar);
    const char *store = make_store();
    const char *layout = make_layout("--compress", "none", repeat(layer.path, 200));
    check_refused(unpack_how(((struct how){.timeout = 60}), store, layout), "500000 entries");
    check_store_empty(store);
}
END_TEST

START_TEST(the_limit_of_entries_can_be_set)
{
    struct layer layer = begin_layer();
    put_file(layer.tar, "one", "");
    put_file(layer.tar, "two", "");
    const char *layout = make_layout(end_layer(layer)), *store = make_store();
    check_refused(unpack(store, "--unpack-entries", "1", layout), "--unpack-entries");
    ck_status(unpack(store, "--unpack-entries", "2", layout), 0);
    check_refused(unpack(store, "--unpack-entries", "0", layout), "--unpack-entries: \"0\"");
    check_refused(unpack(store, "--unpack-max", "much", layout), "--unpack-max: \"much\"");
}
END_TEST

/* A layer of SIZE bytes in one file. */
static const char *large_layer(size_t size, const char *name)
{
    char *content = calloc(1, size);
    struct layer layer = begin_layer();
    put_header(layer.tar, '0', name, NULL, 0644, size);
    put_data(layer.tar, content, size);
    free(content);
    return end_layer(layer);
}

START_TEST(the_limit_is_for_each_layer)
{
    const char *store = make_store();
    const char *layout = make_layout(large_layer(700000, "one"), large_layer(800000, "two"));
    check_refused(unpack(store, "--unpack-max", "600K", layout), "--unpack-max");
    check_store_empty(store);
    check_refused(unpack(store, "--unpack-max", "750K", layout), "--unpack-max");
    ck_status(unpack(store, "--unpack-max", "1M", layout), 0);
}
END_TEST

/* ---- digests and sizes -------------------------------------------------------------------------
 */

/* The path of the only layer's blob in a layout made with --compress none. */
static const char *blob_of(const char *layout, const char *tar)
{
    return text("%s/blobs/sha256/%.64s", layout, run("sha256sum", tar).out);
}

START_TEST(wrong_digests_and_sizes_are_refused)
{
    const char *tar = simple_layer("x"), *store = make_store();
    static const char zeros[] =
        "0=sha256:0000000000000000000000000000000000000000000000000000000000"
        "000000";
    check_refused(unpack(store, make_layout("--diff-id", zeros, tar)), "digest");
    check_refused(unpack(store, make_layout("--layer-size", "0=17", tar)), "descriptor says 17");
    check_refused(unpack(store, make_layout("--layer-size", "0=-1", tar)), "descriptor says -1");
    check_refused(unpack(store, make_layout("--layer-size", "0=\"17\"", tar)),
                  "layers[0].size: expected a whole number");
    check_refused(unpack(store, make_layout("--layer-digest", zeros, tar)),
                  "000: No such file or directory");
    check_store_empty(store);
}
END_TEST

START_TEST(digests_are_no_paths)
{
    static const char *const digests[] = {
        "sha256:../../../../../../etc/passwd",
        "sha256:",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha512:" /* the spec knows it, and nobody makes such images */
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
        "sha256:ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789",
        "/etc/passwd",
        "sha256:0000000000000000000000000000000000000000000000000000000000000000/../x",
        ""};
    const char *tar = simple_layer("x"), *store = make_store();
    for (size_t i = 0; i < sizeof(digests) / sizeof(*digests); i++) {
        const char *option = text("0=%s", digests[i]);
        check_refused(unpack(store, make_layout("--diff-id", option, tar)), "is not a sha256");
        if (*digests[i])
            check_refused(unpack(store, make_layout("--layer-digest", option, tar)),
                          "is not a sha256");
    }
}
END_TEST

START_TEST(damaged_blobs_are_refused)
{
    const char *tar = simple_layer("content"), *store = make_store();
    const char *layout = make_layout("--compress", "none", tar), *blob = blob_of(layout, tar);
    ck_status(run("sed", "-i", "s/content/CONTENT/", blob), 0);
    check_refused(unpack(store, layout), "expected sha256");
    ck_assert_int_eq(truncate(blob, 1000), 0);
    check_refused(unpack(store, layout), "1000 bytes");
    ck_assert_int_eq(unlink(blob), 0);
    check_refused(unpack(store, layout), "No such file");
    check_store_empty(store);
}
END_TEST

START_TEST(even_harmless_damage_is_refused)
{
    /* Byte 9 of a gzip file says on which system it was made: nobody else cares. */
    const char *layout = make_layout(simple_layer("x"));
    struct result changed = run(
        "sh", "-c",
        "cd \"$0/blobs/sha256\" && for blob in *; do gzip -t \"$blob\" 2>/dev/null || continue; "
        "printf x | dd of=\"$blob\" bs=1 seek=9 conv=notrunc; gzip -t \"$blob\" && echo done; done",
        layout);
    ck_assert_str_eq(changed.out, "done\n");
    check_refused(unpack(make_store(), layout), "expected sha256");
}
END_TEST

START_TEST(damaged_documents_are_refused)
{
    const char *layout = make_layout("--compress", "none", simple_layer("x")),
               *store = make_store();
    ck_status(run("sh", "-c", "sed -i s/linux/LINUX/ \"$0\"/blobs/sha256/*", layout), 0);
    check_refused(unpack(store, layout), "expected sha256");
}
END_TEST

START_TEST(blobs_are_files_of_the_layout)
{
    const char *tar = simple_layer("x"), *store = make_store();
    const char *layout = make_layout("--compress", "none", tar), *blob = blob_of(layout, tar);
    ck_assert_int_eq(unlink(blob), 0);
    ck_assert_int_eq(symlink(tar, blob), 0); /* the right content, but outside */
    check_refused(unpack(store, layout), "No such file");
    ck_assert_int_eq(unlink(blob), 0);
    ck_assert_int_eq(mkfifo(blob, 0644), 0);
    check_refused(unpack(store, layout), "not a regular file");
}
END_TEST

/* ---- references, indexes, configs
 * -------------------------------------------------------------------- */

START_TEST(tags_choose)
{
    const char *store = make_store(), *layout = make_layout("--tag", "one", simple_layer("1"));
    ck_status(unpack(store, layout), 0); /* the only one */
    ck_status(run(layout_script, layout, "--tag", "two:x", simple_layer("2")), 0);
    struct result two = unpack(store, text("%s:two:x", layout));
    ck_status(two, 0);
    ck_assert_str_eq(read_file(text("%s/etc/motd", line(two, 0))), "2");
    check_refused(unpack(store, layout), "LAYOUT:TAG: one two:x");
    check_refused(unpack(store, text("%s:three", layout)),
                  "\"three\" in the layout, only: one two:x");
    ck_status(run(layout_script, layout, "--tag", "latest", simple_layer("3")), 0);
    struct result latest = unpack(store, layout);
    ck_assert_str_eq(read_file(text("%s/etc/motd", line(latest, 0))), "3");
    check_refused(unpack(store, "/nonexistent:tag"), "/nonexistent:tag: No such file");

    const char *colons = text("%s/a:b", scratch_dir());
    ck_status(run("cp", "-r", layout, colons), 0);
    ck_status(unpack(store, text("%s:one", colons)), 0);
}
END_TEST

START_TEST(an_index_offers_platforms)
{
    const char *tar = simple_layer("x"), *store = make_store();
    ck_status(unpack(store, make_layout("--index", tar)), 0);
    ck_status(unpack(store, make_layout("--docker", "--index", tar)), 0);
    ck_status(unpack(store, make_layout("--docker", tar)), 0);
    check_refused(unpack(store, make_layout("--index", "--arch", "vax", tar)),
                  "no image for linux/");
    check_refused(unpack(store, make_layout("--arch", "vax", tar)), "built for linux/vax");
    check_refused(unpack(store, make_layout("--os", "plan9", tar)), "built for plan9/");
}
END_TEST

START_TEST(tarred_layouts_are_layouts)
{
    const char *layout = make_layout("--tag", "t", simple_layer("tarred")), *store = make_store();
    const char *dir = scratch_dir(), *archive = text("%s/image.tar", dir);
    ck_status(run("tar", "-C", layout, "-cf", archive, "."), 0);
    struct result result = unpack(store, text("%s:t", archive));
    ck_status(result, 0);
    ck_assert_str_eq(read_file(text("%s/etc/motd", line(result, 0))), "tarred");
    ck_assert(!exists(text("%s/layers/.new-layout", store)));

    ck_status(run("rm", "-r", text("%s/blobs", layout)), 0);
    ck_status(run("tar", "-C", layout, "-czf", archive, "."), 0);
    check_refused(unpack(store, archive), "No such file");
    ck_assert(!exists(text("%s/layers/.new-layout", store)));
    write_file(archive, "neither fish nor fowl\n");
    check_refused(unpack(store, archive), "nrecognized archive format");
    ck_assert(!exists(text("%s/layers/.new-layout", store)));
    check_refused(unpack(store, "/dev/null"), "");
}
END_TEST

START_TEST(layer_lists_must_match)
{
    const char *store = make_store();
    check_refused(
        unpack(store, make_layout("--drop-diff-id", simple_layer("1"), simple_layer("2"))),
        "2 layers, and its config names 1");
    check_refused(unpack(store, make_layout()), "0 layers");
}
END_TEST

/* Replace index.json of a layout and expect a message with PART. */
static void check_index(const char *index, const char *part)
{
    const char *layout = make_layout(simple_layer("x"));
    write_file(text("%s/index.json", layout), index);
    check_refused(unpack(make_store(), layout), part);
}

START_TEST(broken_json_is_named_by_place)
{
    check_index("{\n \"manifests\": [\n  {]\n}", "index.json:3:4: ");
    check_index("", "index.json:1:1: ");
    check_index("[]", "index.json: expected an object");
    check_index("{} {}", "index.json:1:");
    check_index("{\"manifests\":{}}", "index.json: manifests: expected an array");
    check_index("{\"manifests\":[7]}", "index.json: manifests[0].annotations.org.");
    check_index("{\"manifests\":[{\"mediaType\":7}]}",
                "index.json: manifests[0].mediaType: expected a string");
    check_index("{\"manifests\":[{\"mediaType\":\"x\",\"digest\":\"y\",\"size\":\"7\"}]}",
                "index.json: manifests[0].size: expected a whole number");
    check_index("{\"manifests\":[{\"mediaType\":\"x\"}]}",
                "index.json: manifests[0].digest: missing");
    check_index("{\"manifests\":[{\"annotations\":[]},{}]}",
                "index.json: manifests[0].annotations.org.opencontainers.image.ref.name: expected");
    check_index("{\"manifests\":[]}", "LAYOUT:TAG");
    check_index("{}", "LAYOUT:TAG");
    check_index("{\"a\":\"\xff\"}", "index.json:1:");
    check_index(text("{\"a\":%0100d", 0), "index.json:1:");
    char *deep = text("%05000d", 0);
    check_index(memset(deep, '[', strlen(deep)), "index.json:1:");
}
END_TEST

START_TEST(broken_configs_are_named_by_place)
{
    const char *tar = simple_layer("x"), *store = make_store();
    check_refused(unpack(store, make_layout("--config", "{\"Cmd\":\"sh\"}", tar)),
                  "config.Cmd: expected an array");
    check_refused(unpack(store, make_layout("--config", "{\"Env\":[\"A=b\",1]}", tar)),
                  "config.Env[1]: expected a string");
    check_refused(unpack(store, make_layout("--config", "\"root\"", tar)),
                  "config.Entrypoint: expected an array");
    check_refused(unpack(store, make_layout("--config", "{\"User\":0}", tar)),
                  "config.User: expected a string");
    check_refused(unpack(store, make_layout("--config", "{", tar)), ":1:");
}
END_TEST

START_TEST(documents_have_a_size_limit)
{
    const char *layout = make_layout(simple_layer("x"));
    ck_status(run("truncate", "-s", "5M", text("%s/index.json", layout)), 0);
    check_refused(unpack(make_store(), layout), "larger than 4 MiB");
}
END_TEST

START_TEST(what_is_no_layout_is_refused)
{
    const char *dir = scratch_dir(), *store = make_store();
    check_refused(unpack(store, dir), "oci-layout: No such file");
    write_file(text("%s/oci-layout", dir), "{\"imageLayoutVersion\":\"2.0.0\"}");
    check_refused(unpack(store, dir), "version \"2.0.0\"");
    write_file(text("%s/oci-layout", dir), "{}");
    check_refused(unpack(store, dir), "oci-layout: imageLayoutVersion: missing");
}
END_TEST

START_TEST(the_config_says_how_to_start)
{
    const char *store = make_store();
    const char *layout = make_layout(
        "--config",
        "{\"Entrypoint\":[\"/init\",\"-v\"],\"Cmd\":[\"serve\"],\"Env\":[\"A=b\",\"C=\"],"
        "\"WorkingDir\":\"/srv\",\"User\":\"www:data\",\"Labels\":null}",
        simple_layer("x"));
    ck_status(unpack(store, layout), 0); /* image_open looks for the unpacker beside us */
    struct image image = {0};
    struct image_options options = {.store = store};
    ck_assert_int_eq(image_open(layout, &options, &image), 0);
    ck_assert_uint_eq(image.layers.count, 1);
    ck_assert(exists(image.layers.items[0]));
    ck_assert_uint_eq(image.entrypoint.count, 2);
    ck_assert_str_eq(image.entrypoint.items[1], "-v");
    ck_assert_str_eq(image.cmd.items[0], "serve");
    ck_assert_uint_eq(image.env.count, 2);
    ck_assert_str_eq(image.env.items[1], "C=");
    ck_assert_str_eq(image.working_dir, "/srv");
    ck_assert_str_eq(image.user, "www:data");

    const char *silent = make_layout("--config", "null", simple_layer("x"));
    struct image nothing = {0};
    ck_assert_int_eq(image_open(silent, &options, &nothing), 0);
    ck_assert_uint_eq(nothing.cmd.count + nothing.entrypoint.count + nothing.env.count, 0);
    ck_assert_str_eq(nothing.user, "");
}
END_TEST

/* ---- the store
 * --------------------------------------------------------------------------------------- */

/* A layer that takes a while: so many files. */
static const char *slow_layer(int files)
{
    struct layer layer = begin_layer();
    for (int i = 0; i < files; i++)
        put_file(layer.tar, text("dir%d/file%d", i % 100, i), "x");
    return end_layer(layer);
}

static const char *new_dir(const char *store, const char *tar)
{
    return text("%s/layers/.new-sha256-%.64s", store, run("sha256sum", tar).out);
}

START_TEST(two_at_a_time_share_the_work)
{
    const char *tar = slow_layer(5000), *layout = make_layout(tar), *store = make_store();
    struct running jobs[4];
    for (int i = 0; i < 4; i++)
        jobs[i] = start(step_program("05"), "unpack", "--store", store, layout);
    for (int i = 0; i < 4; i++) {
        struct result result = finish(&jobs[i]);
        ck_status(result, 0);
        ck_assert(has(line(result, 0), "dir99/file4999"));
    }
    ck_assert(!exists(new_dir(store, tar)));
}
END_TEST

START_TEST(a_kill_half_way_leaves_no_half_layer)
{
    const char *tar = slow_layer(20000), *layout = make_layout(tar), *store = make_store();
    struct running job = start(step_program("05"), "unpack", "--store", store, layout);
    const char *half = text("%s/dir50", new_dir(store, tar));
    ck_await(exists(half));
    pid_t unpacker = child_of(job.pid);
    ck_assert_int_gt(unpacker, 0);
    kill(job.pid, SIGKILL);
    finish(&job);
    ck_await(!is_alive(unpacker));
    ck_assert(exists(new_dir(store, tar))); /* half a layer, but not under its final name */
    struct result result = unpack(store, layout);
    ck_status(result, 0);
    ck_assert(has(line(result, 0), "dir99/file19999"));
    ck_assert(!exists(new_dir(store, tar)));
}
END_TEST

START_TEST(a_dead_unpacker_is_noticed)
{
    const char *tar = slow_layer(20000), *layout = make_layout(tar), *store = make_store();
    struct running job = start(step_program("05"), "unpack", "--store", store, layout);
    const char *half = text("%s/dir50", new_dir(store, tar));
    ck_await(exists(half));
    kill(child_of(job.pid), SIGKILL);
    check_refused(finish(&job), "unpacker ended with status 137");
    check_store_empty(store);
}
END_TEST

START_TEST(a_full_store_is_no_half_layer)
{
    NEEDS_ROOT;
    SKIP_UNLESS("unshare", have_tool("unshare"), "no unshare(1)");
    const char *dir = scratch_dir(), *layout = make_layout(large_layer(8 << 20, "file"));
    struct result result =
        run("unshare", "-m", "sh", "-c",
            "mount -t tmpfs -o size=4M none \"$0\" || exit 9; \"$1\" unpack --store \"$0\" \"$2\"; "
            "status=$?; ls \"$0/layers\"; exit $status",
            dir, step_program("05"), layout);
    check_refused(result, "No space left on device");
}
END_TEST

/* Overlay makes no whiteouts, nor their kind, in itself: a store on it would hold none. */
START_TEST(a_store_on_an_overlay_is_refused)
{
    NEEDS_ROOT;
    SKIP_UNLESS("overlay", have_overlay() && have_tool("unshare"), "no overlay mounts");
    const char *dir = scratch_dir();
    struct layer layer = begin_layer();
    put_file(layer.tar, "etc/.wh.passwd", "");
    struct result result =
        run("unshare", "-m", "sh", "-c",
            "mount -t tmpfs none \"$0\" && cd \"$0\" && mkdir lower upper work store &&"
            "mount -t overlay none -o lowerdir=lower,upperdir=upper,workdir=work store || exit 9;"
            "\"$1\" unpack --store \"$0/store\" \"$2\"",
            dir, step_program("05"), make_layout(end_layer(layer)));
    check_refused(result, "a store can't lie on an overlay file system");
}
END_TEST

START_TEST(other_people_s_stores_are_refused)
{
    NEEDS_ROOT;
    const char *layout = make_layout(simple_layer("x")), *store = make_store();
    ck_status(unpack(store, layout), 0);
    ck_assert_int_eq(chmod(text("%s/layers", store), 0777), 0);
    check_refused(unpack(store, layout), "others may write to it");
    ck_assert_int_eq(chmod(text("%s/layers", store), 0700), 0);
    ck_assert_int_eq(chown(text("%s/layers", store), 65534, 65534), 0);
    check_refused(unpack(store, layout), "belongs to somebody else");
}
END_TEST

START_TEST(the_usual_place_is_in_the_home_directory)
{
    const char *layout = make_layout(simple_layer("x"));
    struct result result = run_how(((struct how){.as_user = true}), "env", "-u", "XDG_DATA_HOME",
                                   step_program("05"), "unpack", layout);
    SKIP_UNLESS("reach", result.status != 126 && result.status != 127,
                "the program is where the ordinary user can't reach it");
    ck_status(result, 0);
    ck_contains(result.out, text("%s/.local/share/nine/layers/sha256-", user_home()));
}
END_TEST

/* ---- the unpacker
 * ------------------------------------------------------------------------------------- */

START_TEST(the_unpacker_checks_what_it_is_told)
{
    const char *unpacker = product("step05-unpack"), *dir = scratch_dir();
    ck_status(run(unpacker), 125);
    ck_contains(run(unpacker).out, "usage: ");
    ck_contains(run(unpacker, dir, "-", "x", "1").out, "MAX_BYTES");
    ck_contains(run(unpacker, dir, "-", "1", "x").out, "MAX_ENTRIES");
    ck_contains(run(unpacker, dir, "sha1:00", "1", "1").out, "is not a sha256");
    ck_contains(run(unpacker, "/nonexistent", "-", "1", "1").out, "/nonexistent: No such file");
}
END_TEST

START_TEST(the_unpacker_opens_nothing_of_the_image)
{
    NEEDS_ROOT;
    SKIP_UNLESS("strace", have_tool("strace"), "no strace(1)");
    struct layer layer = begin_layer();
    put_pax(layer.tar, "path", "\xc3\xa9t\xc3\xa9", 5);
    put_file(layer.tar, "short", "x");
    const char *log = text("%s/log", scratch_dir());
    struct result result = run("sh", "-c",
                               "strace -o \"$0\" -e trace=openat,open,chroot \"$1\" \"$2\" - "
                               "100000 10 <\"$3\"",
                               log, product("step05-unpack"), scratch_dir(), end_layer(layer));
    SKIP_UNLESS("ptrace", result.status != 1, "strace doesn't work here");
    ck_status(result, 0);
    char *after = strstr(read_file(log), "chroot(");
    ck_assert_ptr_nonnull(after);
    ck_lacks(after, "\"/");
    ck_lacks(after, ".so");
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("image");
    layout_script = realpath("tests/layout.sh", NULL);

    TCase *unpacked = add_case(suite, "unpacked");
    tcase_add_test(unpacked, every_compression_gives_the_same_layer);
    tcase_add_test(unpacked, layers_come_bottom_first);
    tcase_add_test(unpacked, a_layer_is_unpacked_once);
    tcase_add_test(unpacked, files_are_as_the_archive_says);
    tcase_add_test(unpacked, parents_need_no_entry_of_their_own);
    tcase_add_test(unpacked, set_user_id_survives_for_root_only);
    tcase_add_test(unpacked, extended_attributes_are_left_out);
    tcase_add_test(unpacked, long_and_foreign_names);
    tcase_add_test(unpacked, the_last_entry_of_a_name_wins);
    tcase_add_test(unpacked, real_tools_make_images_too);

    TCase *whiteouts = add_case(suite, "whiteouts");
    tcase_add_test(whiteouts, whiteouts_become_overlay_s_own);
    tcase_add_test(whiteouts, the_layer_s_own_file_beats_its_whiteout);
    tcase_add_test(whiteouts, an_ordinary_user_s_whiteouts);
    tcase_add_test(whiteouts, whiteouts_of_nothing_are_refused);
    tcase_add_test(whiteouts, whiteouts_stay_in_the_layer);

    TCase *hostile = add_case(suite, "hostile");
    tcase_add_test(hostile, dot_dot_is_refused);
    tcase_add_test(hostile, absolute_names_are_relative);
    tcase_add_test(hostile, nothing_goes_through_a_symlink);
    tcase_add_test(hostile, hard_links_stay_in_the_layer);
    tcase_add_test(hostile, device_nodes_take_root);
    tcase_add_test(hostile, the_root_stays_a_directory);
    tcase_add_test(hostile, very_long_names_are_refused);
    tcase_add_test(hostile, messages_hold_no_control_characters);
    tcase_add_test(hostile, what_is_no_archive_is_refused);
    tcase_add_test(hostile, an_archive_that_ends_early_is_refused);

    TCase *limits = add_case(suite, "limits");
    tcase_set_timeout(limits, 60);
    tcase_add_test(limits, a_bomb_is_stopped);
    tcase_add_test(limits, a_bomb_after_the_end_is_stopped);
    tcase_add_test(limits, a_million_entries_are_refused);
    tcase_add_test(limits, the_limit_of_entries_can_be_set);
    tcase_add_test(limits, the_limit_is_for_each_layer);

    TCase *digests = add_case(suite, "digests");
    tcase_add_test(digests, wrong_digests_and_sizes_are_refused);
    tcase_add_test(digests, digests_are_no_paths);
    tcase_add_test(digests, damaged_blobs_are_refused);
    tcase_add_test(digests, even_harmless_damage_is_refused);
    tcase_add_test(digests, damaged_documents_are_refused);
    tcase_add_test(digests, blobs_are_files_of_the_layout);

    TCase *documents = add_case(suite, "documents");
    tcase_add_test(documents, tags_choose);
    tcase_add_test(documents, an_index_offers_platforms);
    tcase_add_test(documents, tarred_layouts_are_layouts);
    tcase_add_test(documents, layer_lists_must_match);
    tcase_add_test(documents, broken_json_is_named_by_place);
    tcase_add_test(documents, broken_configs_are_named_by_place);
    tcase_add_test(documents, documents_have_a_size_limit);
    tcase_add_test(documents, what_is_no_layout_is_refused);
    tcase_add_test(documents, the_config_says_how_to_start);

    TCase *store = add_case(suite, "store");
    tcase_add_test(store, two_at_a_time_share_the_work);
    tcase_add_test(store, a_kill_half_way_leaves_no_half_layer);
    tcase_add_test(store, a_dead_unpacker_is_noticed);
    tcase_add_test(store, a_full_store_is_no_half_layer);
    tcase_add_test(store, a_store_on_an_overlay_is_refused);
    tcase_add_test(store, other_people_s_stores_are_refused);
    tcase_add_test(store, the_usual_place_is_in_the_home_directory);

    TCase *unpacker = add_case(suite, "unpacker");
    tcase_add_test(unpacker, the_unpacker_checks_what_it_is_told);
    tcase_add_test(unpacker, the_unpacker_opens_nothing_of_the_image);
    return suite;
}
