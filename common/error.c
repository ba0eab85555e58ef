#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char message[1024];

int error_set(int error, const char *hint, const char *format, ...)
{
    char text[sizeof(message) / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    snprintf(message, sizeof(message), "%s%s%s%s%s%s", text, error ? ": " : "",
             error ? strerror(error) : "", hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
    errno = error ? error : EINVAL;
    return -1;
}

int fail_in(const char *where)
{
    int error = errno;
    char text[sizeof(message)];
    memcpy(text, message, sizeof(text));
    snprintf(message, sizeof(message), "%.128s: %.800s", where, text);
    errno = error;
    return -1;
}

const char *error_message(void)
{
    return message;
}

void warn(const char *format, ...)
{
    char text[sizeof(message)];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    /* Strangers' names may be in it: they have no business with the terminal. */
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    dprintf(2, "%s: %s\n", program_invocation_short_name, text);
}

void die(int status)
{
    warn("%s", message);
    exit(status);
}

int must(int result)
{
    if (result < 0)
        die(STATUS_FAILED);
    return result;
}

int report(int result)
{
    if (result < 0)
        warn("%s", message);
    return result < 0 ? STATUS_FAILED : result;
}
