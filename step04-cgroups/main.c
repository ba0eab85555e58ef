/* step04 - limits.  The chapter is docs/step04-cgroups.md. */
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

struct container {
    struct jail jail;
    struct namespaces namespaces;
    struct pidns pidns;
    struct control control;
    struct sync sync;
    const char *root;
    char **command;
};

static const char help[] = /**/
    "usage: step04 [OPTION]... ROOT [COMMAND [ARGUMENT...]]\n"
    "\n"
    "Run COMMAND (default: /bin/sh) with the directory ROOT as its root directory,\n"
    "as PID 1 of namespaces of its own, within limits.\n"
    "\n" JAIL_HELP NAMESPACES_HELP PIDNS_HELP CONTROL_HELP COMMON_HELP;

static void parse(struct container *c, int argc, char *argv[])
{
    static const struct option options[] = {JAIL_OPTIONS, NAMESPACES_OPTIONS, PIDNS_OPTIONS,
                                            CONTROL_OPTIONS, COMMON_OPTIONS};
    int option;

    while ((option = options_next(argc, argv, options, help)) != -1) {
        must(jail_option(&c->jail, option, optarg));
        must(namespaces_option(&c->namespaces, option, optarg));
        must(pidns_option(&c->pidns, option, optarg));
        must(control_option(&c->control, option, optarg));
    }
    namespaces_choose(&c->namespaces);
    if (optind == argc)
        must(refuse("no root directory named (see --help)"));
    c->root = argv[optind];
    c->command = options_command(argc, argv, optind + 1);
}

/* Inside, up to execve. */
static _Noreturn void enter(struct container *c)
{
    must(sync_ask(&c->sync)); /* the parent prepares */
    must(namespaces_settle(&c->namespaces));
    must(pidns_nest(&c->pidns));
    must(rootfs_private());
    must(jail_fill(&c->jail, c->root));
    must(rootfs_stage(c->root));
    must(mounts_proc());
    must(mounts_dev());
    must(devices_bind(&c->control.devices));
    must(rootfs_pivot());
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

    parse(&c, argc, argv);
    int status = report(supervise(&c));
    control_end(&c.control);
    return status;
}
