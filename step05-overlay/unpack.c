/* step05-unpack - one layer's tar archive becomes a directory in overlay's format.
 *
 *     step05-unpack DIRECTORY DIFF_ID MAX_BYTES MAX_ENTRIES < BLOB
 *
 * The archive is a stranger's: it may name files outside of DIRECTORY, lead there
 * through links, or be a bomb.  So it is read in a process of its own, which as root
 * locks itself into DIRECTORY first.  If it fails it prints the reason in one line,
 * and ends with 125.  DIFF_ID is the digest of the uncompressed tar; "-": don't check.
 *
 * Extended attributes are not unpacked.  An image that could set trusted.overlay.* would
 * tell overlay where to look for files; and what file capabilities mean, the one
 * kind of attribute that images have a use for, is a matter for step 8.
 *
 * See layer.md in the OCI image spec, and kernel Documentation/filesystems/overlayfs. */
#include <archive.h>
#include <archive_entry.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/options.h"
#include "step05-overlay/digest.h"

#define WHITEOUT  ".wh."
#define OPAQUE    ".wh..wh..opq"
#define TOO_LARGE "more than %lld bytes: a bomb? (see --unpack-max)"

enum { BLOCK = 512 };       /* of a tar */
enum { NAME_LIMIT = 3000 }; /* with the store before it below PATH_MAX, to be removed again */

/* What keeps an archive from writing outside of the directory. */
enum {
    SECURE = ARCHIVE_EXTRACT_SECURE_SYMLINKS | ARCHIVE_EXTRACT_SECURE_NODOTDOT |
             ARCHIVE_EXTRACT_SECURE_NOABSOLUTEPATHS
};

struct unpack {
    struct archive *blob; /* decompresses; its output is hashed and goes to ... */
    struct archive *tar;  /* ... the reader of the archive, whose entries go to ... */
    struct archive *disk; /* ... the writer of files */
    struct sha256_ctx content;
    const char *digits; /* of the digest that CONTENT must have; NULL: any */
    int root;           /* are we root? */
    long long max_bytes, max_entries;
    long long streamed, bytes; /* so far: bytes of tar, bytes of files */
    struct strings deleted;    /* names that the layer has whiteouts for */
    struct strings opaque;     /* directories that are to hide those of lower layers */
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

    if (result == ARCHIVE_OK) {
        sha256_update(&u->content, size, *piece);
    } else if (result == ARCHIVE_EOF) { /* umoci leaves out the last file's padding */
        *piece = zeros;
        size = -(unsigned long long)u->streamed % BLOCK;
    } else {
        archive_copy_error(tar, u->blob);
        return ARCHIVE_FATAL;
    }
    u->streamed += (long long)size;
    if (u->streamed <= u->max_bytes)
        return (la_ssize_t)size;
    archive_set_error(tar, -1, TOO_LARGE, u->max_bytes);
    return ARCHIVE_FATAL;
}

/* Two readers in a row, so that the hash is taken between decompressing and unpacking. */
static int open_archives(struct unpack *u)
{
    int flags = SECURE | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME;
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
    sha256_init(&u->content);
    u->tar = archive_read_new();
    archive_read_support_format_tar(u->tar);
    if (archive_read_open(u->tar, u, NULL, read_tar, NULL) != ARCHIVE_OK)
        return archive_failed(u->tar);
    return 0;
}

/* Hand NAME, relative to the layer's root, to SET.  Absolute names are taken relative,
 * as tar(1) does; those with ".." in them are left to libarchive to refuse. */
static int set_relative(struct archive_entry *entry, const char *name,
                        void (*set)(struct archive_entry *, const char *))
{
    if (!name || strlen(name) > NAME_LIMIT)
        return refuse("a name is not valid UTF-8, or too long");
    name += strspn(name, "/");
    cleanup_free char *copy = format("%s", *name ? name : ".");
    set(entry, copy);
    return 0;
}

/* Make what the archive says into what may be written; -1 if nothing may. */
static int tame(const struct unpack *u, struct archive_entry *entry)
{
    const char *target = archive_entry_hardlink(entry);
    int is_directory = archive_entry_filetype(entry) == AE_IFDIR;

    if (set_relative(entry, archive_entry_pathname(entry), archive_entry_copy_pathname) < 0)
        return -1;
    if (target && set_relative(entry, target, archive_entry_copy_hardlink) < 0)
        return -1;
    if (strcmp(archive_entry_pathname(entry), ".") == 0 && !is_directory)
        return refuse("the root of the layer is not a directory");
    if (is_directory && !u->root) /* else we couldn't remove what is in it */
        archive_entry_set_perm(entry, archive_entry_perm(entry) | 0700);
    return 0;
}

/* Layers are unpacked before they are mounted, so deleting a lower layer's file takes
 * a mark: in the tar a file .wh.NAME.  They are applied last: what the same layer
 * has under NAME wins, wherever it comes in the archive. */
static int remember_whiteout(struct unpack *u, const char *path, const char *name)
{
    const char *target = name + strlen(WHITEOUT);
    int parent = (int)(name - path);

    if (!*target || strcmp(target, ".") == 0 || strcmp(target, "..") == 0)
        return refuse("a whiteout of nothing: %s", path);
    if (strcmp(name, OPAQUE) == 0)
        strings_add(&u->opaque, format("%.*s.", parent, path));
    else if (strncmp(target, WHITEOUT, strlen(WHITEOUT)) != 0) /* else aufs' own */
        strings_add(&u->deleted, format("%.*s%s", parent, path, target));
    return 0;
}

static int unpack_entry(struct unpack *u, struct archive_entry *entry)
{
    static int warned;
    if (tame(u, entry) < 0)
        return -1;
    const char *path = archive_entry_pathname(entry), *name = basename(path);
    mode_t type = archive_entry_filetype(entry);
    if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0)
        return remember_whiteout(u, path, name);
    if ((type == AE_IFCHR || type == AE_IFBLK) && !u->root) {
        if (!warned++)
            warn("the image's device nodes are left out: making them takes root");
        return 0;
    }
    /* A sparse file counts in full: it takes hardly any place in the archive. */
    long long size = archive_entry_size(entry);
    if (size < 0 || size > u->max_bytes - u->bytes)
        return refuse(TOO_LARGE, u->max_bytes);
    u->bytes += size;
    if (archive_read_extract2(u->tar, entry, u->disk) == ARCHIVE_OK)
        return 0;
    archive_failed(u->tar);
    return fail_in(path);
}

/* Make a node or directory.  libarchive makes its parents too, and goes through no links. */
static int make(struct unpack *u, const char *path, mode_t mode)
{
    static const char hint[] = "a store can't lie on an overlay file system: --store elsewhere";
    struct archive_entry *entry = archive_entry_new();
    archive_entry_copy_pathname(entry, path);
    archive_entry_set_mode(entry, mode);
    int result = archive_write_header(u->disk, entry);
    archive_entry_free(entry);
    if (result == ARCHIVE_OK)
        return 0;
    archive_failed(u->disk);
    return errno == EPERM ? fail_hint(hint, "make the whiteout %s", path) : fail_in("whiteout");
}

static int apply_whiteout(struct unpack *u, char *path)
{
    struct stat st;
    /* Overlay's whiteout, a device 0/0, may be made by anybody since Linux 5.8. */
    if (lstat(path, &st) < 0)
        return make(u, path, S_IFCHR);
    /* A directory of this layer: new, not merged with what it replaces. */
    if (S_ISDIR(st.st_mode))
        strings_add(&u->opaque, path);
    return 0;
}

/* An opaque directory hides what lower layers have in it.  Overlay looks for the mark
 * under "trusted", or under "user" if it was mounted in a user namespace. */
static int make_opaque(struct unpack *u, const char *path)
{
    if (make(u, path, S_IFDIR | 0755) < 0)
        return -1;
    int by_user = lsetxattr(path, "user.overlay.opaque", "y", 1, 0);
    if (u->root ? lsetxattr(path, "trusted.overlay.opaque", "y", 1, 0) < 0 : by_user < 0)
        return fail("make %s opaque by an extended attribute", path);
    return 0;
}

static int apply_whiteouts(struct unpack *u)
{
    archive_write_disk_set_options(u->disk, SECURE); /* a directory's mode and time stay */
    for (size_t i = 0; i < u->deleted.count; i++)
        if (apply_whiteout(u, u->deleted.items[i]) < 0)
            return -1;
    for (size_t i = 0; i < u->opaque.count; i++)
        if (make_opaque(u, u->opaque.items[i]) < 0)
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
        if (archive_file_count(u->tar) > u->max_entries)
            return refuse("more than %lld entries (see --unpack-entries)", u->max_entries);
        if (unpack_entry(u, entry) < 0)
            return -1;
    }
    while (result == ARCHIVE_EOF && (n = read_tar(u->tar, u, &rest)) != 0)
        result = n < 0 ? ARCHIVE_FATAL : result; /* the padding counts for the hash */
    if (result != ARCHIVE_EOF)
        return archive_failed(u->tar);
    if (u->digits && digest_check(&u->content, u->digits) < 0)
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
    prctl(PR_SET_PDEATHSIG, SIGKILL);
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
    if (strcmp(argv[2], "-") != 0 && !(u->digits = digest_digits(argv[2])))
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
    return result < 0 ? STATUS_FAILED : 0;
}
