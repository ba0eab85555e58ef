/* jail.h - a root directory of its own: chroot(2).
 *
 * chroot changes one thing: where this process's "/" is.  That is all it does.
 * It hides no process, no network, no mount, and it doesn't hold root: see escape.c. */
#ifndef STEP01_JAIL_H
#define STEP01_JAIL_H

#include "common/options.h"

struct jail {
    struct strings copies; /* programs to bring along */
};

enum { OPTION_COPY = OPTIONS_JAIL };

#define JAIL_OPTIONS                                 \
    {                                                \
        "copy", required_argument, NULL, OPTION_COPY \
    }
#define JAIL_HELP                                                                               \
    "      --copy PROGRAM        copy PROGRAM into ROOT under the same path, with its loader\n" \
    "                            and shared libraries; may be repeated\n"

/* Take one option: 1 if it was ours, 0 if not, -1 with a message if it is wrong. */
int jail_option(struct jail *jail, int option, char *value);

/* Copy the programs asked for into the directory ROOT; see copy.h. */
int jail_fill(const struct jail *jail, const char *root);

/* Make ROOT the root directory of this process and its children; see chroot(2). */
int jail_enter(const char *root);

#endif
