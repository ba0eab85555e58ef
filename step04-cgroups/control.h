/* control.h - all of step 4 as main calls it: options, the group, its limits, its end. */
#ifndef STEP04_CONTROL_H
#define STEP04_CONTROL_H

#include "step03-pidns/pidns.h"
#include "step04-cgroups/cgroup.h"
#include "step04-cgroups/devices.h"
#include "step04-cgroups/limits.h"

struct control {
    struct limits limits;
    struct devices devices;
    struct cgroup_where where;
    struct cgroup cgroup;
    int freeze, stats;
};

enum { OPTION_CGROUP_PARENT = OPTIONS_CGROUP + 0x20, OPTION_FREEZE, OPTION_STATS };

#define CONTROL_OPTIONS                                                   \
    LIMITS_OPTIONS, DEVICES_OPTIONS,                                      \
        {"cgroup-parent", required_argument, NULL, OPTION_CGROUP_PARENT}, \
        {"freeze", no_argument, NULL, OPTION_FREEZE},                     \
    {                                                                     \
        "stats", no_argument, NULL, OPTION_STATS                          \
    }
#define CONTROL_HELP                                                                            \
    LIMITS_HELP DEVICES_HELP                                                                    \
        "      --cgroup-parent PATH  make the container's group below this one, which exists\n" \
        "      --freeze              freeze the container when stopped with Ctrl-Z (SIGTSTP), " \
        "and\n"                                                                                 \
        "                            thaw it when continued\n"                                  \
        "      --stats               at the end, print on stderr what the container used\n"

int control_option(struct control *control, int option, char *value);

/* Make the group and limit it; have PIDNS start its process there and, with
 * --freeze, freeze it on Ctrl-Z. */
int control_begin(struct control *control, struct pidns *pidns);

/* While the child waits: move it where it did not start, see cgroup_join(). */
int control_join(const struct control *control, pid_t child);

/* Print what was used, and remove the group; whatever happened before. */
void control_end(struct control *control);

#endif
