/* digest.h - a name that proves its content: "sha256:" and 64 hexadecimal digits.
 *
 * All of an OCI image hangs on digests: the index names the manifest by one, the
 * manifest names config and layers.  So whoever trusts the first can check the
 * rest, wherever it was fetched from.  See descriptor.md in the OCI image spec. */
#ifndef STEP05_DIGEST_H
#define STEP05_DIGEST_H

#include <nettle/nettle-meta.h>
#include <nettle/sha2.h>
#include <stddef.h>

/* The longest digest, "sha512:" and 128 digits, with its final NUL. */
enum { DIGEST_TEXT = sizeof("sha512:") + 2 * SHA512_DIGEST_SIZE };

struct digest {
    const char *expected; /* borrowed */
    const struct nettle_hash *hash;
    union {
        struct sha256_ctx sha256;
        struct sha512_ctx sha512;
    } state;
};

/* Begin to check some content against the digest EXPECTED.  Anything but sha256
 * and sha512 with just their lowercase digits is refused: with that, no digest
 * can smuggle a "../" into the path of a blob. */
int digest_start(struct digest *digest, const char *expected);

/* The next SIZE bytes of the content. */
void digest_add(struct digest *digest, const void *data, size_t size);

/* After the last byte: 0 if it is the expected content, else -1 with both digests. */
int digest_finish(struct digest *digest);

/* The digest as a file name, its colon replaced by SEPARATOR; the caller frees it. */
char *digest_name(const char *digest, char separator);

#endif
