#include "step05-overlay/digest.h"

#include <nettle/base16.h>
#include <string.h>

#include "common/error.h"
#include "common/file.h"

static int matches(const struct nettle_hash *hash, const char *text)
{
    size_t name = strlen(hash->name), digits = 2 * (size_t)hash->digest_size;
    return strncmp(text, hash->name, name) == 0 && text[name] == ':' &&
           strspn(text + name + 1, "0123456789abcdef") == digits && !text[name + 1 + digits];
}

int digest_start(struct digest *digest, const char *expected)
{
    static const struct nettle_hash *const known[] = {&nettle_sha256, &nettle_sha512};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (matches(known[i], expected)) {
            digest->expected = expected;
            digest->hash = known[i];
            digest->hash->init(&digest->state);
            return 0;
        }
    return refuse("\"%s\" is not a sha256 or sha512 digest", expected);
}

void digest_add(struct digest *digest, const void *data, size_t size)
{
    digest->hash->update(&digest->state, size, data);
}

int digest_finish(struct digest *digest)
{
    uint8_t binary[SHA512_DIGEST_SIZE];
    char digits[2 * SHA512_DIGEST_SIZE + 1] = "";

    digest->hash->digest(&digest->state, digest->hash->digest_size, binary);
    base16_encode_update(digits, digest->hash->digest_size, binary);
    if (strcmp(digits, strchr(digest->expected, ':') + 1) == 0)
        return 0;
    return refuse("the content is not what its digest says: expected %s, found %s:%s",
                  digest->expected, digest->hash->name, digits);
}

char *digest_name(const char *digest, char separator)
{
    char *name = format("%s", digest);
    *strchr(name, ':') = separator;
    return name;
}
