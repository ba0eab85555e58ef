/* step05 - a root of layers.  The chapter is docs/step05-overlay.md. */
#include <sched.h>

#include "common/error.h"
#include "common/options.h"
#include "common/process.h"
#include "common/sync.h"
#include "step01-chroot/jail.h"
#include "step02-unshare/idmap.h"
#include "step02-unshare/namespaces.h"
#include "step02-unshare/rootfs.h"
#include "step03-pidns/mounts.h"
#include "step03-pidns/pidns.h"
#include "step04-cgroups/control.h"
#include "step05-overlay/launch.h"
#include "step05-overlay/overlay.h"
#include "step05-overlay/verbs.h"
#include "step05-overlay/volume.h"

struct container {
    struct jail jail;
    struct namespaces namespaces;
    struct pidns pidns;
    struct control control;
    struct overlay overlay;
    struct volumes volumes;
    struct sync sync;
    char **command;
};

static const char help[] = /**/
    "usage: step05 [OPTION]... (--layer DIR... | --image LAYOUT[:TAG]) [COMMAND [ARGUMENT...]]\n"
    "       step05 unpack --help, step05 diff --help\n"
    "\n"
    "Run COMMAND (default: the image's, or /bin/sh) as PID 1 of namespaces of its own,\n"
    "on a copy-on-write root of layers.\n"
    "\n" JAIL_HELP NAMESPACES_HELP PIDNS_HELP CONTROL_HELP OVERLAY_HELP VOLUME_HELP COMMON_HELP;

static void parse(struct container *c, int argc, char *argv[])
{
    static const struct option options[] = {JAIL_OPTIONS,    NAMESPACES_OPTIONS, PIDNS_OPTIONS,
                                            CONTROL_OPTIONS, OVERLAY_OPTIONS,    VOLUME_OPTIONS,
                                            COMMON_OPTIONS};
    int option;

    while ((option = options_next(argc, argv, options, help)) != -1) {
        must(jail_option(&c->jail, option, optarg));
        must(namespaces_option(&c->namespaces, option, optarg));
        must(pidns_option(&c->pidns, option, optarg));
        must(control_option(&c->control, option, optarg));
        must(overlay_option(&c->overlay, option, optarg));
        must(volume_option(&c->volumes, option, optarg));
    }
    namespaces_choose(&c->namespaces);
    must(overlay_prepare(&c->overlay));
    c->command = launch_command(&c->overlay.image, argc, argv, optind);
}

/* Inside, up to execve. */
static _Noreturn void enter(struct container *c)
{
    must(sync_ask(&c->sync)); /* the parent prepares */
    must(namespaces_settle(&c->namespaces));
    must(pidns_nest(&c->pidns));
    must(rootfs_private());
    must(volumes_open(&c->volumes));
    must(overlay_stage(&c->overlay, c->namespaces.flags & CLONE_NEWUSER));
    must(jail_fill(&c->jail, "."));
    must(mounts_proc());
    must(mounts_dev());
    must(devices_bind(&c->control.devices));
    must(volumes_mount(&c->volumes));
    must(rootfs_pivot());
    must(launch_settle(&c->overlay.image));
    must(sync_die_with_parent(&c->sync)); /* a change of user disarmed it */
    process_exec(c->command);
}

/* Outside, while the child waits. */
static int prepare(struct container *c, pid_t child)
{
    if (control_join(&c->control, child) < 0)
        return -1;
    return c->namespaces.map_user ? idmap_write(child) : 0;
}

/* Outside, from the first process to the last: the exit status. */
static int supervise(struct container *c)
{
    pidns_hold_signals(&c->pidns);
    must(sync_open(&c->sync));
    if (control_begin(&c->control, &c->pidns) < 0)
        return -1;
    pid_t child = pidns_clone(&c->pidns, namespaces_clone_flags(&c->namespaces));
    if (child < 0)
        return namespaces_fail(&c->namespaces, c->pidns.cgroup ? "clone3 into a cgroup" : "clone3");
    if (child == 0)
        enter(c);
    if (sync_await(&c->sync) == 0 && (prepare(c, child) < 0 || sync_release(&c->sync) < 0))
        sync_abandon(&c->sync);
    return pidns_wait(&c->pidns);
}

int main(int argc, char *argv[])
{
    struct container c = {0};

    verbs_run(argc, argv);
    parse(&c, argc, argv);
    int status = report(supervise(&c));
    control_end(&c.control);
    return status;
}
