/* changes.h - what a container changed: its writable layer, compared with the others.
 *
 * Overlay keeps no list of changes: the upper directory is the list.  A file there is
 * new or was copied up to be changed, a character device 0/0 (a "whiteout") stands for
 * something deleted, and an opaque directory for one that was deleted and made
 * anew.  See Documentation/filesystems/overlayfs.rst in the kernel's source. */
#ifndef STEP05_CHANGES_H
#define STEP05_CHANGES_H

#include <stdio.h>

#include "common/options.h"

/* Print to OUT, sorted by path, a line for each path that UPPERDIR adds ("A /path"),
 * changes ("C /path") or deletes ("D /path") relative to LAYERS, bottom one first.
 * Directories that were copied up for what is in them count as changed, as in
 * docker-diff(1).  Control characters and backslashes are printed as \ooo. */
int changes_print(const struct strings *layers, const char *upperdir, FILE *out);

#endif
