/* step01 - a root directory of its own.  The chapter is docs/step01-chroot.md. */
#include "common/error.h"
#include "common/options.h"
#include "common/process.h"
#include "step01-chroot/jail.h"

struct container {
    struct jail jail;
    const char *root;
    char **command;
};

static const char help[] = /**/
    "usage: step01 [OPTION]... ROOT [COMMAND [ARGUMENT...]]\n"
    "\n"
    "Run COMMAND (default: /bin/sh) with the directory ROOT as its root directory,\n"
    "and nothing else of its own.\n"
    "\n" JAIL_HELP COMMON_HELP;

static void parse(struct container *c, int argc, char *argv[])
{
    static const struct option options[] = {JAIL_OPTIONS, COMMON_OPTIONS};
    int option;

    while ((option = options_next(argc, argv, options, help)) != -1) {
        must(jail_option(&c->jail, option, optarg));
    }
    if (optind == argc)
        must(refuse("no root directory named (see --help)"));
    c->root = argv[optind];
    c->command = options_command(argc, argv, optind + 1);
}

/* Inside, up to execve. */
static _Noreturn void enter(struct container *c)
{
    must(jail_fill(&c->jail, c->root));
    must(jail_enter(c->root));
    process_exec(c->command);
}

int main(int argc, char *argv[])
{
    struct container c = {0};

    parse(&c, argc, argv);
    enter(&c);
}
