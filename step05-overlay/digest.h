/* digest.h - a name that proves its content: "sha256:" and 64 hexadecimal digits.
 *
 * All of an OCI image hangs on digests: the index names the manifest by one, the
 * manifest names config and layers.  So whoever trusts the first can check the
 * rest, wherever it was fetched from.  See descriptor.md in the OCI image spec,
 * which knows sha512 too; no tool makes such images. */
#ifndef STEP05_DIGEST_H
#define STEP05_DIGEST_H

#include <nettle/sha2.h>

enum { DIGEST_DIGITS = 2 * SHA256_DIGEST_SIZE };

/* The digits of DIGEST.  Anything but "sha256:" with just its 64 lowercase digits is
 * refused, NULL: with that, no digest can smuggle a "../" into the path of a blob. */
const char *digest_digits(const char *digest);

/* After all of the content went through sha256_update: 0 if its digest has the digits
 * EXPECTED, else -1 with both digests. */
int digest_check(struct sha256_ctx *content, const char *expected);

#endif
