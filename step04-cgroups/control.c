#include "step04-cgroups/control.h"

#include <signal.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "step04-cgroups/usage.h"

int control_option(struct control *control, int option, char *value)
{
    if (option == OPTION_CGROUP_PARENT)
        control->where.parent = value;
    control->freeze |= option == OPTION_FREEZE;
    control->stats |= option == OPTION_STATS;
    devices_option(&control->devices, option, value);
    return limits_option(&control->limits, option, value);
}

static int freeze_on_stop(int signal, void *cgroup)
{
    if (signal != SIGTSTP)
        return 0;
    if (cgroup_freeze(cgroup, 1) < 0)
        warn("%s", error_message());
    raise(SIGSTOP); /* here we stand until a shell's "fg" sends SIGCONT */
    cgroup_freeze(cgroup, 0);
    return 1;
}

int control_begin(struct control *control, struct pidns *pidns)
{
    cleanup_free const char **wanted = limits_controllers(&control->limits);
    if (cgroup_create(&control->cgroup, &control->where, wanted) < 0 ||
        limits_apply(&control->limits, &control->cgroup) < 0 ||
        devices_apply(&control->devices, &control->cgroup) < 0)
        return -1;
    pidns->cgroup = cgroup_clone_fd(&control->cgroup);
    if (control->freeze) {
        pidns->intercept = freeze_on_stop;
        pidns->context = &control->cgroup;
        pidns_hold_signals(pidns); /* now SIGTSTP too */
    }
    return 0;
}

int control_join(const struct control *control, pid_t child)
{
    return cgroup_join(&control->cgroup, child);
}

void control_end(struct control *control)
{
    if (control->stats)
        usage_print(&control->cgroup);
    cgroup_destroy(&control->cgroup);
}
