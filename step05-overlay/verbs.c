#include "step05-overlay/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "step05-overlay/changes.h"
#include "step05-overlay/overlay.h"

static const char unpack_help[] =
    "usage: step05 unpack [OPTION]... LAYOUT[:TAG]\n"
    "\n"
    "Unpack the layers of an OCI image into the store, and print their directories,\n"
    "the bottom one first.\n"
    "\n" IMAGE_HELP COMMON_HELP;

static const char diff_help[] =
    "usage: step05 diff --upper DIR (--layer DIR... | --image LAYOUT[:TAG])\n"
    "\n"
    "List what a container changed: A (added), C (changed), D (deleted) and the path.\n"
    "\n" OVERLAY_HELP COMMON_HELP;

/* The options of either verb; returns the index of the first operand. */
static int parse(struct overlay *overlay, int argc, char *argv[], const char *help)
{
    static const struct option options[] = {OVERLAY_OPTIONS, COMMON_OPTIONS};
    int option;
    while ((option = options_next(argc, argv, options, help)) != -1)
        must(overlay_option(overlay, option, optarg));
    return optind;
}

static int unpack(int argc, char *argv[])
{
    struct overlay overlay = {0};
    int first = parse(&overlay, argc, argv, unpack_help);
    if (argc != first + 1 || overlay.reference || overlay.layers.count || overlay.upper)
        return refuse("unpack takes one image and no other options (see unpack --help)");
    overlay.reference = argv[first];
    if (overlay_prepare(&overlay) < 0)
        return -1;
    for (size_t i = 0; i < overlay.layers.count; i++)
        printf("%s\n", overlay.layers.items[i]);
    return 0;
}

static int diff(int argc, char *argv[])
{
    struct overlay overlay = {0};
    int first = parse(&overlay, argc, argv, diff_help);
    if (first != argc || !overlay.upper)
        return refuse("diff needs --upper, and takes options only (see diff --help)");
    cleanup_free char *upper = format("%s/upper", overlay.upper);
    overlay.upper = NULL; /* to look needs no lock */
    if (overlay_prepare(&overlay) < 0)
        return -1;
    return changes_print(&overlay.layers, upper, stdout);
}

void verbs_run(int argc, char *argv[])
{
    int (*verb)(int, char **) = NULL;
    if (argc > 1 && strcmp(argv[1], "unpack") == 0)
        verb = unpack;
    if (argc > 1 && strcmp(argv[1], "diff") == 0)
        verb = diff;
    if (verb)
        exit(report(verb(argc - 1, argv + 1)));
}
