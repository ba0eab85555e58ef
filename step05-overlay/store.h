/* store.h - unpacked layers, each kept once, under the name of its content.
 *
 *     STORE/layers/sha256-DIGITS         a layer in overlay's own format
 *     STORE/layers/.new-sha256-DIGITS    one that is being unpacked
 *     STORE/layers/.lock-sha256-DIGITS   held meanwhile
 *
 * The name is the diff_id, the digest of the uncompressed tar: what was compressed
 * by gzip here and by zstd there is still one layer, as are the same layers of two
 * images (see "Layer DiffID" in the OCI image spec's config.md).
 *
 * The final name appears by rename(2), when all is there.  A kill at any time
 * leaves nothing but a .new- directory, which the next holder of the lock removes. */
#ifndef STEP05_STORE_H
#define STEP05_STORE_H

#include "step05-overlay/blob.h"

struct store {
    char *layers;             /* the path of STORE/layers */
    long long bytes, entries; /* what a single layer may have */
};

/* Open the store in the directory PATH, made with mode 0700 where missing; NULL
 * means /var/lib/nine for root, else nine in $XDG_DATA_HOME or ~/.local/share. */
int store_open(struct store *store, const char *path);

/* The layer DIFF_ID: the path of its directory, in *PATH.  If it isn't there yet, it
 * is unpacked from the LAYOUT's blob LAYER, a tar that is compressed by gzip, zstd
 * or not at all.  Waits while another process does the same. */
int store_layer(const struct store *store, const char *diff_id, int layout,
                const struct descriptor *layer, char **path);

/* Unpack the tar that TAR is open on, for a while: the descriptor of its directory.
 * One process at a time has the place, until it calls store_return and closes *lock. */
int store_borrow(const struct store *store, int tar, int *lock);
int store_return(const struct store *store);

#endif
