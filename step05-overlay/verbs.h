/* verbs.h - what step05 does besides running containers. */
#ifndef STEP05_VERBS_H
#define STEP05_VERBS_H

/* If argv[1] is a verb, do it and end the program; else just return.
 *     step05 unpack [--store DIR]... LAYOUT[:TAG]      unpack an image; print its layers
 *     step05 diff --upper DIR (--layer DIR... | --image LAYOUT[:TAG])   what changed */
void verbs_run(int argc, char *argv[]);

#endif
