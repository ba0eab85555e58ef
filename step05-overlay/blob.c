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
    const char *media_type = json_string(json, where, "mediaType", NULL);
    const char *digest = json_string(json, where, "digest", NULL);
    *out = (struct descriptor){.size = json_number(json, where, "size")};
    out->is_index = strcmp(media_type, MEDIA_INDEX) == 0 || strcmp(media_type, DOCKER_INDEX) == 0;
    const char *digits = json->failed ? NULL : digest_digits(digest);
    if (!digits)
        return -1;
    snprintf(out->path, sizeof(out->path), BLOBS "%s", digits);
    return 0;
}

/* Are the size and the content of FD what the descriptor says?  Then go back to its start. */
static int check(int fd, long long size, const struct descriptor *descriptor)
{
    char buffer[64 << 10];
    ssize_t n;
    struct sha256_ctx content;

    if (size != descriptor->size)
        return refuse("%s: has %lld bytes, its descriptor says %lld", descriptor->path, size,
                      descriptor->size);
    sha256_init(&content);
    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        sha256_update(&content, (size_t)n, (uint8_t *)buffer);
    if (n < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return fail("read %s", descriptor->path);
    return digest_check(&content, descriptor->path + strlen(BLOBS));
}

int blob_open(int layout, const struct descriptor *descriptor)
{
    struct stat st;
    /* O_NONBLOCK, so that a pipe can't hold us up. */
    cleanup_fd int fd = inroot_open(layout, descriptor->path, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0)
        return fail("%s", descriptor->path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return refuse("%s: not a regular file", descriptor->path);
    if (!descriptor->unchecked && check(fd, st.st_size, descriptor) < 0)
        return -1;
    return take_fd(&fd);
}

int blob_document(int layout, const struct descriptor *descriptor, struct json *out)
{
    cleanup_fd int fd = blob_open(layout, descriptor);
    if (fd < 0)
        return -1;
    cleanup_free char *text = allocate(DOCUMENT_MAX + 1, 1);
    ssize_t size = read(fd, text, DOCUMENT_MAX + 1);
    if (size < 0)
        return fail("read %s", descriptor->path);
    if (size > DOCUMENT_MAX)
        return refuse("%s: larger than 4 MiB", descriptor->path);
    return json_parse(descriptor->path, text, out);
}
