/* error.h - one message a failure, and who prints it.
 *
 * A function that fails says why, once, where it knows most, and returns -1:
 *
 *     return fail("open %s", path);            open /x: Permission denied
 *     return fail_hint("is it mounted?", ...)  ...: No such device (is it mounted?)
 *     return refuse("--pids: not a number");   bad input, no errno in it
 *
 * Its callers pass the -1 on.  Only main and the container's child end the
 * program, with die() or must().  docs/architecture.md has the whole contract. */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include <errno.h>
#include <stddef.h>

/* Exit statuses by the convention of env(1), docker(1) and podman(1). */
enum { STATUS_FAILED = 125, STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

#define PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Remember the message with strerror(errno) behind it; errno stays.  Always -1. */
#define fail(...) error_set(errno, NULL, __VA_ARGS__)

/* The same with a hint: the cause or the remedy, where errno misleads. */
#define fail_hint(hint, ...) error_set(errno, hint, __VA_ARGS__)

/* Remember a message about bad input; errno becomes EINVAL.  Always -1. */
#define refuse(...) error_set(0, NULL, __VA_ARGS__)

/* Put "WHERE: " before the message that a callee remembered.  Always -1. */
int fail_in(const char *where);

/* What the macros call. */
int error_set(int error, const char *hint, const char *format, ...) PRINTF(3, 4);

/* What was remembered last; "" before the first. */
const char *error_message(void);

/* Print "PROGRAM: message" on stderr, at once in one write. */
void warn(const char *format, ...) PRINTF(1, 2);

/* Print the remembered message and end with STATUS. */
_Noreturn void die(int status);

/* For main and the child: die(STATUS_FAILED) if RESULT is negative, else pass it on. */
int must(int result);

/* For main: where something remains to be cleaned up, print the message if RESULT
 * is negative, and make it STATUS_FAILED; else pass it on. */
int report(int result);

#endif
