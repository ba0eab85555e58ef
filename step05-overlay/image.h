/* image.h - an OCI image: layers, and how its program wants to be started.
 *
 *     oci-layout          "this is a layout, version 1.0.0"
 *     index.json          tags          -> digests of manifests (or of more indexes)
 *     blobs/.../manifest                -> digests of the config and of each layer
 *     blobs/.../config    Entrypoint, Env, User ... and the digests of the bare layers
 *     blobs/.../layer     a tar archive, mostly compressed
 *
 * See image-layout.md, image-index.md, manifest.md and config.md in the OCI image
 * spec 1.1.  Everything is checked against its digest and size before it is used. */
#ifndef STEP05_IMAGE_H
#define STEP05_IMAGE_H

#include "common/options.h"

struct image_options {
    const char *store;     /* NULL: the usual place, see store_open */
    long long max_bytes;   /* of an unpacked layer; 0: 16 GiB */
    long long max_entries; /* of a layer; 0: 500,000 */
};

enum { OPTION_STORE = OPTIONS_OVERLAY + 0x40, OPTION_UNPACK_MAX, OPTION_UNPACK_ENTRIES };

#define IMAGE_OPTIONS                                                    \
    {"store", required_argument, NULL, OPTION_STORE},                    \
        {"unpack-max", required_argument, NULL, OPTION_UNPACK_MAX},      \
    {                                                                    \
        "unpack-entries", required_argument, NULL, OPTION_UNPACK_ENTRIES \
    }
#define IMAGE_HELP                                                                            \
    "      --store DIR           where unpacked layers are kept (default: /var/lib/nine as\n" \
    "                            root, else $XDG_DATA_HOME/nine or ~/.local/share/nine)\n"    \
    "      --unpack-max SIZE     refuse layers that unpack to more (default: 16G)\n"          \
    "      --unpack-entries N    refuse layers of more files (default: 500000)\n"

int image_option(struct image_options *options, int option, char *value);

/* What an image's manifest and config say; empty where they say nothing. */
struct image {
    struct strings layers; /* directories in the store, the BOTTOM one first */
    struct strings entrypoint, cmd, env;
    char *working_dir, *user;
};

/* Open REFERENCE, LAYOUT[:TAG], where LAYOUT is a directory or a tar archive of one,
 * for this machine's architecture, and unpack what of its layers isn't in the store
 * yet.  Without a TAG it is the only image that is there, or "latest".  Nothing is
 * changed but the store; a layer that fails leaves nothing there. */
int image_open(const char *reference, const struct image_options *options, struct image *image);

#endif
