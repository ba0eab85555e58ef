#include "step05-overlay/digest.h"

#include <nettle/base16.h>
#include <string.h>

#include "common/error.h"

static const char prefix[] = "sha256:";

const char *digest_digits(const char *digest)
{
    if (strncmp(digest, prefix, strlen(prefix)) == 0) {
        const char *digits = digest + strlen(prefix);
        if (strspn(digits, "0123456789abcdef") == DIGEST_DIGITS && !digits[DIGEST_DIGITS])
            return digits;
    }
    refuse("\"%s\" is not a sha256 digest", digest);
    return NULL;
}

int digest_check(struct sha256_ctx *content, const char *expected)
{
    uint8_t binary[SHA256_DIGEST_SIZE];
    char digits[DIGEST_DIGITS + 1] = "";

    sha256_digest(content, sizeof(binary), binary);
    base16_encode_update(digits, sizeof(binary), binary);
    if (strcmp(digits, expected) == 0)
        return 0;
    return refuse("the content is not what its digest says: expected %s%s, found %s%s", prefix,
                  expected, prefix, digits);
}
