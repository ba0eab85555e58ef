/* step05-unpack - one layer's tar archive becomes a directory in overlay's format.
 *
 *     step05-unpack DIRECTORY DIFF_ID MAX_BYTES MAX_ENTRIES < BLOB
 *
 * The archive is a stranger's: it may name files outside of DIRECTORY, lead there
 * through links, or be a bomb.  So it is read in a process of its own, which as root
 * locks itself into DIRECTORY first.  On success it prints how many bytes the files
 * have; else the reason in one line, and ends with 125.  DIFF_ID "-": don't check.
 *
 * See layer.md in the OCI image spec, and kernel Documentation/filesystems/overlayfs. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/inroot.h"
#include "common/options.h"
#include "step05-overlay/digest.h"

#define WHITEOUT  ".wh."
#define OPAQUE    ".wh..wh..opq"
#define TOO_LARGE "more than %lld bytes: a bomb? (see --unpack-max)"

enum { BLOCK = 512 };       /* of a tar */
enum { NAME_LIMIT = 3000 }; /* with the store before it below PATH_MAX, to be removed again */

struct unpack {
    struct archive *blob; /* decompresses; its output is hashed and goes to ... */
    struct archive *tar;  /* ... the reader of the archive, whose entries go to ... */
    struct archive *disk; /* ... the writer of files */
    struct digest digest;
    int root; /* are we root? */
    long long max_bytes, max_entries;
    long long streamed, bytes, entries; /* so far: bytes of tar, bytes of files, entries */
    struct strings whiteouts;
};

/* Report why libarchive failed.  Its errno may be a code of its own. */
static int archive_failed(struct archive *archive)
{
    const char *reason = archive_error_string(archive);
    errno = archive_errno(archive);
    if (errno <= 0 || errno == EILSEQ) /* "wrong format" */
        return refuse("%s", reason ? reason : "unknown error");
    return fail("%s", reason ? reason : "unknown error");
}

/* The next piece of the uncompressed tar, for the tar reader. */
static la_ssize_t read_tar(struct archive *tar, void *data, const void **piece)
{
    static const char zeros[BLOCK];
    struct unpack *u = data;
    size_t size = 0;
    la_int64_t offset;
    int result = archive_read_data_block(u->blob, piece, &size, &offset);

    if (result == ARCHIVE_EOF) { /* some tools leave out the last file's padding */
        *piece = zeros;
        size = -(unsigned long long)u->streamed % BLOCK;
        u->streamed += (long long)size;
        return (la_ssize_t)size;
    }
    if (result != ARCHIVE_OK) {
        archive_copy_error(tar, u->blob);
        return ARCHIVE_FATAL;
    }
    u->streamed += (long long)size;
    if (u->streamed > u->max_bytes) {
        archive_set_error(tar, -1, TOO_LARGE, u->max_bytes);
        return ARCHIVE_FATAL;
    }
    if (u->digest.hash)
        digest_add(&u->digest, *piece, size);
    return (la_ssize_t)size;
}

/* Two readers in a row, so that the hash is taken between decompressing and unpacking. */
static int open_archives(struct unpack *u)
{
    int flags = ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_XATTR |
                ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
                ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS;
    struct archive_entry *entry;

    u->blob = archive_read_new();
    archive_read_support_filter_gzip(u->blob);
    archive_read_support_filter_zstd(u->blob);
    archive_read_support_format_raw(u->blob);
    if (archive_read_open_fd(u->blob, 0, 64 << 10) != ARCHIVE_OK ||
        archive_read_next_header(u->blob, &entry) != ARCHIVE_OK)
        return archive_failed(u->blob);
    /* Owners are restored by number: names would be looked up in the host's files. */
    u->disk = archive_write_disk_new();
    archive_write_disk_set_options(u->disk, flags | (u->root ? ARCHIVE_EXTRACT_OWNER : 0));
    u->tar = archive_read_new();
    archive_read_support_format_tar(u->tar);
    if (archive_read_open(u->tar, u, NULL, read_tar, NULL) != ARCHIVE_OK)
        return archive_failed(u->tar);
    return 0;
}

/* NAME relative to the layer's root, or NULL with a message.  Absolute names are
 * taken relative, as tar(1) does; what libarchive's flags refuse is left to them. */
static const char *relative(const char *name)
{
    if (!name || strlen(name) > NAME_LIMIT) {
        refuse("a name is not valid UTF-8, or too long");
        return NULL;
    }
    name += strspn(name, "/");
    return *name ? name : ".";
}

/* Of the extended attributes only file capabilities are kept.  An image that could
 * set trusted.overlay.* would tell overlay where to look for files. */
static void keep_capabilities(struct archive_entry *entry, int root)
{
    const char *name;
    const void *value;
    size_t size, kept = 0;
    cleanup_free void *capabilities = NULL;

    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
        if (root && !capabilities && strcmp(name, "security.capability") == 0) {
            capabilities = memcpy(allocate(1, size), value, size);
            kept = size;
        }
    archive_entry_xattr_clear(entry);
    if (capabilities)
        archive_entry_xattr_add_entry(entry, "security.capability", capabilities, kept);
}

/* Without root all files become ours: no set-user-ID for the wrong user, and no
 * directory that we couldn't remove again. */
static void limit_mode(struct archive_entry *entry)
{
    mode_t mode = archive_entry_perm(entry) & 01777;
    archive_entry_set_perm(entry, archive_entry_filetype(entry) == AE_IFDIR ? mode | 0700 : mode);
}

/* Make what the archive says into what may be written; -1 if nothing may. */
static int tame(const struct unpack *u, const char *name, struct archive_entry *entry)
{
    const char *target = archive_entry_hardlink(entry);
    cleanup_free char *path = format("%s", name);

    archive_entry_copy_pathname(entry, path);
    if (strcmp(name, ".") == 0 && archive_entry_filetype(entry) != AE_IFDIR)
        return refuse("the root of the layer is not a directory");
    if (target) {
        target = relative(target);
        if (!target)
            return -1;
        cleanup_free char *copy = format("%s", target);
        archive_entry_copy_hardlink(entry, copy);
    }
    keep_capabilities(entry, u->root);
    if (!u->root)
        limit_mode(entry);
    return 0;
}

/* Layers are unpacked before they are mounted, so deleting a lower layer's file takes
 * a mark: in the tar a file .wh.NAME.  They are applied last: what the same layer
 * has under NAME wins, wherever it comes in the archive. */
static int remember_whiteout(struct unpack *u, const char *path, const char *name)
{
    const char *target = name + strlen(WHITEOUT);
    int is_opaque = strcmp(name, OPAQUE) == 0;
    if (!*target || strcmp(target, ".") == 0 || strcmp(target, "..") == 0)
        return refuse("a whiteout of nothing: %s", path);
    if (is_opaque || strncmp(target, WHITEOUT, strlen(WHITEOUT)) != 0) /* else aufs' own */
        strings_add(&u->whiteouts, format("%s", path));
    return 0;
}

static int is_device(struct archive_entry *entry)
{
    return archive_entry_filetype(entry) == AE_IFCHR || archive_entry_filetype(entry) == AE_IFBLK;
}

static int unpack_entry(struct unpack *u, struct archive_entry *entry)
{
    static int warned;
    const char *name = relative(archive_entry_pathname(entry));
    if (!name)
        return -1;
    const char *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
    if (strncmp(last, WHITEOUT, strlen(WHITEOUT)) == 0)
        return remember_whiteout(u, name, last);
    if (is_device(entry) && !u->root) {
        if (!warned++)
            warn("the image's device nodes are left out: making them takes root");
        return 0;
    }
    /* A sparse file counts in full: it takes hardly any place in the archive. */
    long long size = archive_entry_size(entry);
    if (size < 0 || size > u->max_bytes - u->bytes)
        return refuse(TOO_LARGE, u->max_bytes);
    u->bytes += size;
    if (tame(u, name, entry) < 0)
        return -1;
    if (archive_read_extract2(u->tar, entry, u->disk) == ARCHIVE_OK)
        return 0;
    archive_failed(u->tar);
    return fail_in(archive_entry_pathname(entry));
}

/* An opaque directory hides what lower layers have in it.  Overlay looks for the mark
 * under "trusted", or under "user" if it was mounted in a user namespace. */
static int make_opaque(int dir, int root)
{
    int by_user = fsetxattr(dir, "user.overlay.opaque", "y", 1, 0);
    if (root ? fsetxattr(dir, "trusted.overlay.opaque", "y", 1, 0) < 0 : by_user < 0)
        return fail("make a directory opaque by an extended attribute");
    return 0;
}

static int apply_whiteout(int rootfd, const char *path, int root)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    cleanup_free char *parent = format("%.*s", slash ? (int)(slash - path) : 0, path);
    cleanup_fd int found = inroot_mkdir(rootfd, parent);
    cleanup_fd int dir = found < 0 ? -1 : openat(found, ".", O_RDONLY | O_CLOEXEC);
    if (dir < 0)
        return fail("whiteout %s", path);
    if (strcmp(name, OPAQUE) == 0)
        return make_opaque(dir, root);
    /* Overlay's whiteout, a device 0/0, may be made by anybody since Linux 5.8. */
    name += strlen(WHITEOUT);
    if (mknodat(dir, name, S_IFCHR, makedev(0, 0)) == 0)
        return 0;
    if (errno != EEXIST)
        return fail("make the whiteout %s", path);
    /* A directory of this layer: new, not merged with what it replaces. */
    cleanup_fd int same = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return same < 0 ? 0 : make_opaque(same, root);
}

static int apply_whiteouts(struct unpack *u)
{
    cleanup_fd int rootfd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < u->whiteouts.count; i++)
        if (apply_whiteout(rootfd, u->whiteouts.items[i], u->root) < 0)
            return -1;
    return 0;
}

static int unpack_all(struct unpack *u)
{
    struct archive_entry *entry;
    const void *rest;
    la_ssize_t n;
    int result;

    while ((result = archive_read_next_header(u->tar, &entry)) == ARCHIVE_OK ||
           result == ARCHIVE_WARN) {
        if (++u->entries > u->max_entries)
            return refuse("more than %lld entries (see --unpack-entries)", u->max_entries);
        if (unpack_entry(u, entry) < 0)
            return -1;
    }
    while (result == ARCHIVE_EOF && (n = read_tar(u->tar, u, &rest)) != 0)
        result = n < 0 ? ARCHIVE_FATAL : result; /* the padding counts for the hash */
    if (result != ARCHIVE_EOF)
        return archive_failed(u->tar);
    if (u->digest.hash && digest_finish(&u->digest) < 0)
        return -1;
    if (apply_whiteouts(u) < 0)
        return -1;
    /* Only now directories get their final modes and times. */
    return archive_write_close(u->disk) == ARCHIVE_OK ? 0 : archive_failed(u->disk);
}

/* Go to the directory, as root with no way back.  A library that is loaded only from
 * here on would be the image's own, run by root on the host (CVE-2019-14271).  With
 * names in UTF-8 on both sides, nothing is: no table to convert them is looked for. */
static int confine(const struct unpack *u, const char *directory)
{
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return refuse("the C library has no locale C.UTF-8");
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    umask(022);
    if (chdir(directory) < 0 || (u->root && chroot(".") < 0) || chmod(".", 0755) < 0)
        return fail("enter %s", directory);
    return 0;
}

static int run(struct unpack *u, char *argv[])
{
    if (parse_number("MAX_BYTES", argv[3], 0, LLONG_MAX, &u->max_bytes) < 0 ||
        parse_number("MAX_ENTRIES", argv[4], 0, LLONG_MAX, &u->max_entries) < 0)
        return -1;
    if (strcmp(argv[2], "-") != 0 && digest_start(&u->digest, argv[2]) < 0)
        return -1;
    if (confine(u, argv[1]) < 0 || open_archives(u) < 0)
        return -1;
    return unpack_all(u);
}

int main(int argc, char *argv[])
{
    struct unpack u = {.root = geteuid() == 0};
    if (argc != 5)
        refuse("usage: step05-unpack DIRECTORY DIFF_ID MAX_BYTES MAX_ENTRIES < BLOB");
    int result = argc == 5 ? run(&u, argv) : -1;

    if (result < 0)
        printf("%s\n", error_message());
    else
        printf("%lld\n", u.bytes);
    if (fflush(stdout) == 0 && result == 0)
        return 0;
    return STATUS_FAILED;
}
