#include "step03-pidns/pidns.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"
#include "common/process.h"
#include "common/syscalls.h"

int pidns_option(struct pidns *pidns, int option, char *value)
{
    /* The kernel nests 32 levels below the host's (MAX_PID_NS_LEVEL), and one may be ours. */
    return option == OPTION_NEST ? parse_number("--nest", value, 1, 31, &pidns->nest) : 0;
}

/* Every signal that somebody may send us, for the container.  Not those that are
 * about ourselves: faults, children, and the terminal's stop and continue. */
static sigset_t forwarded(const struct pidns *pidns)
{
    static const int ours[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGABRT,
                               SIGSYS,  SIGCHLD, SIGCONT, SIGTTIN, SIGTTOU, SIGPIPE};
    sigset_t set;
    sigfillset(&set);
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        sigdelset(&set, ours[i]);
    if (!pidns->intercept)
        sigdelset(&set, SIGTSTP);
    return set;
}

void pidns_hold_signals(const struct pidns *pidns)
{
    sigset_t set = forwarded(pidns);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

pid_t pidns_clone(struct pidns *pidns, unsigned long long flags)
{
    struct clone_args arguments = {
        .flags = flags | CLONE_NEWPID | CLONE_PIDFD | (pidns->cgroup ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uintptr_t)&pidns->pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)pidns->cgroup,
    };
    pidns->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return pidns->child = sys_clone3(&arguments);
}

int pidns_nest(const struct pidns *pidns)
{
    for (long long level = 1; level < pidns->nest; level++) {
        struct pidns inner = {0};
        if (pidns_clone(&inner, 0) < 0)
            return fail("clone3 into pid namespace %lld", level + 1);
        if (inner.child > 0)
            _exit(pidns_wait(&inner));
    }
    return 0;
}

/* --- waiting ------------------------------------------------------------------ */

/* A line of /proc/self/fdinfo/PIDFD tells the PID in terms of the /proc that it is
 * read from, which may be another namespace's than ours. */
static char *read_status(const struct pidns *pidns)
{
    cleanup_free char *path = format("self/fdinfo/%d", pidns->pidfd);
    cleanup_free char *info = file_read(pidns->proc, path);
    const char *line = info ? strstr(info, "\nPid:") : NULL;
    int pid = -1;
    if (!line || sscanf(line, "\nPid: %d", &pid) != 1)
        return NULL;
    cleanup_free char *status = format("%d/status", pid);
    return file_read(pidns->proc, status);
}

/* Would PID 1 notice this signal: does it catch it, or keep it blocked for later? */
static int is_noticed(const struct pidns *pidns, int signal)
{
    cleanup_free char *status = read_status(pidns);
    const char *blocked = status ? strstr(status, "\nSigBlk:") : NULL;
    const char *caught = status ? strstr(status, "\nSigCgt:") : NULL;
    unsigned long long masks[2] = {0, 0};
    if (!blocked || !caught)
        return 1;
    sscanf(blocked, "\nSigBlk: %llx", &masks[0]);
    sscanf(caught, "\nSigCgt: %llx", &masks[1]);
    return ((masks[0] | masks[1]) >> (signal - 1)) & 1;
}

/* "sleep" as PID 1 has no handler for Ctrl-C, so the kernel drops it, and people
 * wonder.  Say so; and take the second one as "I mean it". */
static void insist(const struct pidns *pidns, int signal)
{
    static int asked;
    if ((signal != SIGINT && signal != SIGTERM && signal != SIGQUIT && signal != SIGHUP) ||
        is_noticed(pidns, signal))
        return;
    if (asked++)
        sys_pidfd_send_signal(pidns->pidfd, SIGKILL);
    else
        warn("PID 1 has no handler for signal %d (%s), so the kernel drops it; "
             "send it again to kill the container",
             signal, strsignal(signal));
}

static void forward(const struct pidns *pidns, int signals)
{
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof(info)) != sizeof(info))
        return;
    int signal = (int)info.ssi_signo;
    if (pidns->intercept && pidns->intercept(signal, pidns->context))
        return;
    /* The terminal's Ctrl-C (from the kernel) went to the whole process group. */
    if (info.ssi_code != SI_KERNEL)
        sys_pidfd_send_signal(pidns->pidfd, signal);
    insist(pidns, signal);
}

int pidns_wait(const struct pidns *pidns)
{
    sigset_t set = forwarded(pidns);
    cleanup_fd int signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (signals < 0)
        return fail("signalfd");
    /* A pidfd becomes readable when its process has ended; see pidfd_open(2). */
    struct pollfd events[] = {{.fd = pidns->pidfd, .events = POLLIN},
                              {.fd = signals, .events = POLLIN}};
    while (!(events[0].revents & POLLIN)) {
        if (poll(events, 2, -1) < 0 && errno != EINTR)
            return fail("wait for PID 1");
        if (events[1].revents & POLLIN)
            forward(pidns, signals);
    }
    int status;
    if (waitpid(pidns->child, &status, 0) < 0)
        return fail("wait for PID 1");
    return process_status(status);
}
