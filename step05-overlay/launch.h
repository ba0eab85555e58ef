/* launch.h - how an image wants its program started.  See config.md of the OCI image spec. */
#ifndef STEP05_LAUNCH_H
#define STEP05_LAUNCH_H

#include "step05-overlay/image.h"

/* The command line: Entrypoint and, behind it, the words from argv[FIRST] on or, if
 * there are none, Cmd.  A shell if all of it is empty, as for --layer. */
char **launch_command(const struct image *image, int argc, char *argv[], int first);

/* Inside, after pivot_root: the image's Env in place of ours, its User, its
 * WorkingDir (made if missing).  Does nothing for an IMAGE without layers. */
int launch_settle(const struct image *image);

#endif
