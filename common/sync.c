#include "common/sync.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/error.h"

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static ssize_t receive(int fd, int flags)
{
    char word;
    ssize_t n;
    do
        n = recv(fd, &word, 1, flags);
    while (n < 0 && errno == EINTR);
    return n;
}

int sync_open(struct sync *sync)
{
    int ends[2];
    signal(SIGCHLD, SIG_DFL); /* ignored, as we may have inherited it, no child leaves a status */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return fail("make a socket pair");
    *sync = (struct sync){.parent = ends[0], .child = ends[1]};
    return 0;
}

int sync_die_with_parent(struct sync *sync)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return fail("prctl PR_SET_PDEATHSIG");
    /* If the parent died before that, no signal comes; but its end is closed. */
    if (receive(sync->child, MSG_PEEK | MSG_DONTWAIT) == 0)
        _exit(STATUS_FAILED);
    return 0;
}

int sync_ask(struct sync *sync)
{
    close_end(&sync->parent);
    if (sync_die_with_parent(sync) < 0)
        return -1;
    if (send(sync->child, "?", 1, MSG_NOSIGNAL) < 0 || receive(sync->child, 0) <= 0)
        _exit(STATUS_FAILED);
    return 0;
}

int sync_await(struct sync *sync)
{
    close_end(&sync->child); /* else our own copy would hide the child's death */
    return receive(sync->parent, 0) == 1 ? 0 : -1;
}

int sync_release(struct sync *sync)
{
    if (send(sync->parent, "!", 1, MSG_NOSIGNAL) < 0)
        return fail("release the child");
    return 0;
}

void sync_abandon(struct sync *sync)
{
    warn("%s", error_message());
    close_end(&sync->parent);
}
