#include "common/file.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"

char *file_read(int dirfd, const char *path)
{
    cleanup_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
    cleanup_file FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    cleanup_free char *text = NULL;
    size_t size = 0;

    if (!file) {
        fail("open %s", path);
        return NULL;
    }
    take_fd(&fd); /* now the FILE's */
    if (getdelim(&text, &size, '\0', file) < 0) {
        if (ferror(file)) {
            fail("read %s", path);
            return NULL;
        }
        return format("%s", ""); /* an empty file */
    }
    return take_ptr(&text);
}

int file_write(int dirfd, const char *path, const char *text)
{
    cleanup_fd int fd = openat(dirfd, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0)
        return fail("open %s", path);
    if (write(fd, text, strlen(text)) < 0)
        return fail("write \"%s\" to %s", text, path);
    return 0;
}

char *format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        must(fail("allocate memory"));
    return text;
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        must(fail("allocate memory"));
    return memory;
}
