#include "common/options.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/version.h"

static _Noreturn void print_and_exit(const char *text)
{
    fputs(text, stdout);
    if (fflush(stdout) == 0)
        exit(0);
    fail("write to standard output");
    die(STATUS_FAILED);
}

int options_next(int argc, char *argv[], const struct option *table, const char *help)
{
    opterr = 0; /* the messages are ours */
    int first = optind;
    int option = getopt_long(argc, argv, "+:", table, NULL);
    const char *word = argv[optind > first ? optind - 1 : first];

    if (option == OPTION_HELP)
        print_and_exit(help);
    if (option == OPTION_VERSION) {
        printf("%s (Nine Steps to a Container) %s\n", program_invocation_short_name, VERSION);
        print_and_exit("");
    }
    if (option != '?' && option != ':')
        return option;
    if (option == ':')
        refuse("%s: needs a value (see %s --help)", word, program_invocation_short_name);
    else
        refuse("%s: %s (see %s --help)", word,
               optopt && word[1] == '-' ? "takes no value" : "unknown or ambiguous option",
               program_invocation_short_name);
    die(STATUS_FAILED);
}

char **options_command(int argc, char *argv[], int first)
{
    static char *shell[] = {"/bin/sh", NULL};
    return first < argc ? &argv[first] : shell;
}

void strings_add(struct strings *list, char *item)
{
    list->items = realloc(list->items, (list->count + 2) * sizeof(*list->items));
    if (!list->items)
        must(fail("allocate memory"));
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
}

/* strtoll(3), which skips blanks and a sign that we don't want, made strict. */
static int parse_digits(const char *text, char **end, long long *number)
{
    *end = (char *)text;
    if (strspn(text + (*text == '-'), "0123456789") == 0)
        return -1;
    errno = 0;
    *number = strtoll(text, end, 10);
    return errno ? -1 : 0;
}

int parse_number(const char *name, const char *text, long long low, long long high, long long *out)
{
    char *end;
    if (parse_digits(text, &end, out) < 0 || *end || *out < low || *out > high)
        return refuse("%s: \"%s\" is not a whole number from %lld to %lld", name, text, low, high);
    return 0;
}

int parse_size(const char *name, const char *text, long long *bytes)
{
    static const char units[] = "KMGT";
    char *end;
    long long factor = 1;
    int bad = parse_digits(text, &end, bytes) < 0 || *bytes < 0;
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;

    if (unit)
        factor = 1LL << (10 * (unit - units + 1));
    if (bad || (*end && (!unit || end[1])) || *bytes > LLONG_MAX / factor)
        return refuse("%s: \"%s\" is not a size (such as 512K, 64M or 2G)", name, text);
    *bytes *= factor;
    return 0;
}
