/* cleanup.h - variables that tidy up after themselves when they go out of scope.
 *
 *     cleanup_fd int fd = open(...);      closed on every way out
 *     cleanup_free char *text = ...;      freed on every way out
 *
 * To hand one on to the caller, return take_fd(&fd) or take_ptr(&text).  errno
 * survives, so that "return fail(...)" may be followed by any number of them. */
#ifndef COMMON_CLEANUP_H
#define COMMON_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup_fd   __attribute__((cleanup(cleanup_close)))
#define cleanup_free __attribute__((cleanup(cleanup_release)))
#define cleanup_file __attribute__((cleanup(cleanup_fclose)))
#define cleanup_dir  __attribute__((cleanup(cleanup_closedir)))

static inline void cleanup_close(int *fd)
{
    int error = errno;
    if (*fd >= 0)
        close(*fd);
    errno = error;
}

static inline void cleanup_release(void *pointer)
{
    free(*(void **)pointer); /* free(3) keeps errno since glibc 2.33; musl's does too */
}

static inline void cleanup_fclose(FILE **file)
{
    int error = errno;
    if (*file)
        fclose(*file);
    errno = error;
}

static inline void cleanup_closedir(DIR **dir)
{
    int error = errno;
    if (*dir)
        closedir(*dir);
    errno = error;
}

static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

static inline void *take_ptr(void *pointer)
{
    void *taken = *(void **)pointer;
    *(void **)pointer = NULL;
    return taken;
}

#endif
