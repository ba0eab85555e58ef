/* blob.h - the files of an OCI image layout, none of which is believed.
 *
 * A layout is a directory: oci-layout and index.json by name, everything else
 * below blobs/sha256 by digest.  See image-layout.md in the OCI image spec.  Whoever
 * made it may have put symbolic links or pipes there, or content that is not what
 * its descriptor says. */
#ifndef STEP05_BLOB_H
#define STEP05_BLOB_H

#include "step05-overlay/digest.h"
#include "step05-overlay/json.h"

#define BLOBS "blobs/sha256/"

struct descriptor {
    char path[sizeof(BLOBS) + DIGEST_DIGITS]; /* in the layout */
    long long size;                           /* bytes */
    int is_index;                             /* by its mediaType: a list of manifests */
    int unchecked;                            /* a file for which nothing vouches */
};

/* Read the descriptor at the path WHERE of a document; see descriptor.md. */
int descriptor_read(struct json *json, const char *where, struct descriptor *out);

/* Open a blob of the layout for reading, after its size and digest were checked. */
int blob_open(int layout, const struct descriptor *descriptor);

/* Parse a blob that is a JSON document.  Those over 4 MiB are refused.  See json.h. */
int blob_document(int layout, const struct descriptor *descriptor, struct json *out);

#endif
