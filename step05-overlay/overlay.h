/* overlay.h - a root file system of layers: many read-only ones, one to write in.
 *
 * Overlay shows several directories as one.  What is read comes from the topmost
 * layer that has it; what is written goes to the upperdir, to which a file from
 * below is copied first ("copy-up"); what is deleted leaves a mark there (a
 * "whiteout").  The lower layers never change, so many containers can share them.
 * See the kernel's Documentation/filesystems/overlayfs.rst. */
#ifndef STEP05_OVERLAY_H
#define STEP05_OVERLAY_H

#include "common/options.h"
#include "step05-overlay/image.h"

struct overlay {
    struct strings layers; /* directories, the bottom one first */
    const char *reference; /* or the image to take them from ... */
    struct image_options image_options;
    struct image image; /* ... and what it says */
    const char *upper;  /* where to keep what is written; NULL: it is thrown away */
};

enum { OPTION_LAYER = OPTIONS_OVERLAY, OPTION_IMAGE, OPTION_UPPER };

#define OVERLAY_OPTIONS                                   \
    {"layer", required_argument, NULL, OPTION_LAYER},     \
        {"image", required_argument, NULL, OPTION_IMAGE}, \
        {"upper", required_argument, NULL, OPTION_UPPER}, IMAGE_OPTIONS
#define OVERLAY_HELP                                                                           \
    "      --layer DIR           a read-only layer of the root; repeated ones go on top\n"     \
    "      --image LAYOUT[:TAG]  take layers, command, environment, working directory and\n"   \
    "                            user from an OCI image layout, a directory or a tar of one\n" \
    "      --upper DIR           keep what is written in DIR/upper (it is thrown away\n"       \
    "                            otherwise); overlay's own files are in DIR/work\n" IMAGE_HELP

int overlay_option(struct overlay *overlay, int option, char *value);

/* Outside, first: find the layers, unpacking the image if need be, and lock --upper. */
int overlay_prepare(struct overlay *overlay);

/* Inside: mount the layers as one, and stand in it: it is the root-to-be, as after
 * rootfs_stage().  What is thrown away is kept in a tmpfs meanwhile, which vanishes
 * with the mount namespace, and counts as the container's memory.  IN_USERNS: marks
 * are kept in user.* attributes, since trusted.* ones are for the host's root. */
int overlay_stage(const struct overlay *overlay, int in_userns);

#endif
