/* options.h - the command line: getopt_long(3), as unshare(1) and env(1) use it.
 *
 * Each step's module brings its options as a macro for the table, a text for
 * --help, and a function that takes one option.  main puts the modules in a row.
 * Options end at the first word that is none: the rest is the container's. */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <getopt.h>
#include <stddef.h>

/* Every module numbers its options from a base of its own. */
enum { OPTIONS_COMMON = 0x100, OPTIONS_JAIL = 0x200, OPTIONS_NAMESPACES = 0x300 };
enum { OPTIONS_PIDNS = 0x400, OPTIONS_CGROUP = 0x500, OPTIONS_OVERLAY = 0x600 };

enum { OPTION_HELP = OPTIONS_COMMON, OPTION_VERSION };

#define COMMON_OPTIONS                                                                        \
    {"help", no_argument, NULL, OPTION_HELP}, {"version", no_argument, NULL, OPTION_VERSION}, \
    {                                                                                         \
        0                                                                                     \
    }
#define COMMON_HELP                                                                   \
    "      --help                this text\n"                                         \
    "      --version             the version\n"                                       \
    "\n"                                                                              \
    "Exit status: the command's own, 128+N if signal N ended it, 127 if it was not\n" \
    "found, 126 if it could not be executed, 125 if anything failed before that.\n"

/* The next option, its value in optarg, or -1 when the options are over.  Answers
 * --help and --version itself; a wrong option ends the program with 125. */
int options_next(int argc, char *argv[], const struct option *table, const char *help);

/* The words from argv[FIRST] on, which are the container's command; a shell if there are none. */
char **options_command(int argc, char *argv[], int first);

/* A list of strings that grows; items are borrowed, the end is NULL. */
struct strings {
    char **items;
    size_t count;
};
void strings_add(struct strings *list, char *item);

/* The whole number TEXT, from LOW to HIGH.  NAME is for the message. */
int parse_number(const char *name, const char *text, long long low, long long high, long long *out);

/* Bytes: a number with an optional K, M, G or T (powers of 1024), as 64M. */
int parse_size(const char *name, const char *text, long long *bytes);

#endif
