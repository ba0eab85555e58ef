#include "step05-overlay/blob.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/inroot.h"

#define MEDIA_INDEX  "application/vnd.oci.image.index.v1+json"
#define DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"

enum { DOCUMENT_MAX = 4 << 20 };

int descriptor_read(struct json *json, const char *where, struct descriptor *out)
{
    struct digest syntax;
    const char *media_type = json_string(json, where, "mediaType", NULL);
    const char *digest = json_string(json, where, "digest", NULL);

    *out = (struct descriptor){.size = json_number(json, where, "size")};
    out->is_index = strcmp(media_type, MEDIA_INDEX) == 0 || strcmp(media_type, DOCKER_INDEX) == 0;
    if (json->failed || digest_start(&syntax, digest) < 0)
        return -1;
    memcpy(out->digest, digest, strlen(digest));
    return 0;
}

/* Open a regular file of the layout; O_NONBLOCK so that a pipe can't hold us up.  Its
 * size must be that of DESCRIPTOR, unless that is NULL. */
static int open_file(int layout, const char *path, const struct descriptor *descriptor,
                     size_t *size)
{
    struct stat st;
    cleanup_fd int fd = inroot_open(layout, path, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0)
        return fail("%s", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return refuse("%s: not a regular file", path);
    if (descriptor && st.st_size != descriptor->size)
        return refuse("%s: has %lld bytes, its descriptor says %lld", path, (long long)st.st_size,
                      descriptor->size);
    *size = (size_t)st.st_size;
    return take_fd(&fd);
}

static char *blob_path(const struct descriptor *descriptor)
{
    cleanup_free char *name = digest_name(descriptor->digest, '/');
    return format("blobs/%s", name);
}

int blob_open(int layout, const struct descriptor *descriptor)
{
    char buffer[64 << 10];
    size_t size;
    ssize_t n;
    struct digest digest;
    cleanup_free char *path = blob_path(descriptor);
    cleanup_fd int fd = open_file(layout, path, descriptor, &size);

    if (fd < 0 || digest_start(&digest, descriptor->digest) < 0)
        return -1;
    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        digest_add(&digest, buffer, (size_t)n);
    if (n < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return fail("read %s", path);
    return digest_finish(&digest) < 0 ? -1 : take_fd(&fd);
}

int blob_document(int layout, const char *file, const struct descriptor *descriptor,
                  struct json *out)
{
    size_t size;
    struct digest digest;
    cleanup_free char *path = file ? format("%s", file) : blob_path(descriptor);
    cleanup_fd int fd = open_file(layout, path, descriptor, &size);
    if (fd < 0)
        return -1;
    if (size > DOCUMENT_MAX)
        return refuse("%s: larger than 4 MiB", path);
    cleanup_free char *text = allocate(size + 1, 1);
    if (read(fd, text, size) != (ssize_t)size)
        return fail("read all of %s", path);
    /* The digest is taken of what was read: the file might be another a moment later. */
    if (descriptor && digest_start(&digest, descriptor->digest) == 0) {
        digest_add(&digest, text, size);
        if (digest_finish(&digest) < 0)
            return -1;
    }
    return json_parse(path, text, out);
}
