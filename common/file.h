/* file.h - small files, such as those of /proc and /sys, in one call. */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stddef.h>

/* Both take PATH relative to the directory DIRFD (or AT_FDCWD), as openat(2) does. */

/* All of a text file as a string that the caller frees; NULL with a message on
 * failure. */
char *file_read(int dirfd, const char *path);

/* Write TEXT in a single write(2), which kernel files require.  Never creates.
 * Returns -1 with a message and errno, for callers that expect some errors. */
int file_write(int dirfd, const char *path, const char *text);

/* printf into a new string; never NULL (the program ends if there is no memory). */
char *format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* calloc(3) that ends the program if there is no memory. */
void *allocate(size_t count, size_t size);

#endif
