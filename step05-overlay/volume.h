/* volume.h - what is mounted into the root besides its layers. */
#ifndef STEP05_VOLUME_H
#define STEP05_VOLUME_H

#include "common/options.h"

enum { VOLUMES = 64 };

struct volumes {
    struct strings sources, targets; /* one each for a --volume ... */
    int trees[VOLUMES];              /* ... and, once opened, a copy of the source's mounts */
    struct strings tmpfs;
    unsigned long long read_only; /* bit I: volume I is */
    int root_read_only;
};

enum { OPTION_VOLUME = OPTIONS_OVERLAY + 0x20, OPTION_TMPFS, OPTION_READ_ONLY };

#define VOLUME_OPTIONS                                    \
    {"volume", required_argument, NULL, OPTION_VOLUME},   \
        {"tmpfs", required_argument, NULL, OPTION_TMPFS}, \
    {                                                     \
        "read-only", no_argument, NULL, OPTION_READ_ONLY  \
    }
#define VOLUME_HELP                                                                          \
    "      --volume SRC:DST[:ro] bind the host's SRC on DST; ro: nobody can write there\n"   \
    "      --tmpfs DST[:OPTIONS] a tmpfs on DST; OPTIONS as in tmpfs(5): size=1M,mode=700\n" \
    "      --read-only           no writing anywhere but in volumes, tmpfs and /dev\n"

int volume_option(struct volumes *volumes, int option, char *value);

/* Inside, before the root-to-be is mounted: "--volume /:/host" is to show what is there now. */
int volumes_open(struct volumes *volumes);

/* Inside: mount them below the root-to-be, where missing mount points are made. */
int volumes_mount(const struct volumes *volumes);

#endif
