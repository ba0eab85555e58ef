/* store.h - unpacked layers, each kept once, under the name of its content.
 *
 *     STORE/layers/sha256-DIGITS         a layer in overlay's own format
 *     STORE/layers/.new-sha256-DIGITS    one that is being unpacked
 *     STORE/layers/.lock-sha256-DIGITS   held meanwhile; then its size in bytes
 *
 * The name is the diff_id, the digest of the uncompressed tar: what was compressed
 * by gzip here and by zstd there is still one layer, as are the same layers of two
 * images (see "Layer DiffID" in the OCI image spec's config.md).
 *
 * The final name appears by rename(2), when all is there.  A kill at any time
 * leaves nothing but a .new- directory, which the next holder of the lock removes. */
#ifndef STEP05_STORE_H
#define STEP05_STORE_H

struct store {
    char *layers;         /* the path of STORE/layers */
    long long bytes_left; /* what all layers of this image together may still have */
    long long entries;    /* what a single layer may have */
};

/* Open the store in the directory PATH, made with mode 0700 where missing; NULL
 * means /var/lib/nine for root, else nine in $XDG_DATA_HOME or ~/.local/share. */
int store_open(struct store *store, const char *path);

void store_close(struct store *store);

/* 1 if the layer is there: the path of its directory is in *path, and its size was
 * taken off bytes_left.  0 if not. */
int store_find(struct store *store, const char *diff_id, char **path);

/* Unpack the tar that BLOB is open on, compressed by gzip, zstd or not at all, as
 * the layer DIFF_ID.  Waits while another process does the same. */
int store_add(struct store *store, const char *diff_id, int blob);

/* Unpack the tar that TAR is open on, for a while: the descriptor of its directory.
 * One process at a time has the place, until it calls store_return and closes *lock. */
int store_borrow(struct store *store, int tar, int *lock);
int store_return(struct store *store);

#endif
