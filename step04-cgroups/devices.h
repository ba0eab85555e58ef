/* devices.h - which devices a container may use, whatever nodes it makes.
 *
 * mknod(2) is all it takes to reach the host's disk from a chroot.  v1 has a
 * controller for it, with rules as text; on v2 a BPF program attached to the group
 * decides on every open and mknod.  See the kernel's cgroup-v1/devices.rst and
 * the section "Device controller" of cgroup-v2.rst. */
#ifndef STEP04_DEVICES_H
#define STEP04_DEVICES_H

#include "common/options.h"
#include "step04-cgroups/cgroup.h"

struct devices {
    struct strings paths; /* as "/dev/fuse" or "/dev/fuse:rw" */
};

enum { OPTION_DEVICE = OPTIONS_CGROUP + 0x40 };

#define DEVICES_OPTIONS                                  \
    {                                                    \
        "device", required_argument, NULL, OPTION_DEVICE \
    }
#define DEVICES_HELP                                                                              \
    "      --device PATH[:rwm]   let the container read, write, mknod this device, and bind it\n" \
    "                            into its /dev; all others but null, zero, full, random,\n"       \
    "                            urandom, tty and terminals are shut\n"

int devices_option(struct devices *devices, int option, char *value);

/* Write the rules into the group.  Without root it does nothing: a user namespace
 * has no mknod, so there is nothing to shut; --device is then refused. */
int devices_apply(const struct devices *devices, const struct cgroup *cgroup);

/* In the child: bind the devices asked for into the root-to-be. */
int devices_bind(const struct devices *devices);

#endif
