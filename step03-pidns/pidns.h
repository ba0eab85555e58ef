/* pidns.h - a process tree of its own, whose first process is PID 1.
 *
 * See pid_namespaces(7).  PID 1 is special to the kernel: signals that it has no
 * handler for are dropped, orphans become its children, and when it ends every
 * process of the namespace is killed.  So the one process that we start is all
 * that we need to hold on to. */
#ifndef STEP03_PIDNS_H
#define STEP03_PIDNS_H

#include <sys/types.h>

#include "common/options.h"

struct pidns {
    long long nest; /* namespaces one inside the other; 0 counts as 1 */
    int cgroup;     /* a cgroup v2 directory to start in, or 0 for the caller's; see step 4 */
    pid_t child;    /* PID 1, as its parent sees it ... */
    int pidfd;      /* ... and a descriptor that can't come to mean another process */
    int proc;       /* /proc as it was then: pivot_root moves nested waiters' root along */
    /* Called for a signal before it is forwarded; 1 if that was all there is to do. */
    int (*intercept)(int signal, void *context);
    void *context;
};

enum { OPTION_NEST = OPTIONS_PIDNS };

#define PIDNS_OPTIONS                                \
    {                                                \
        "nest", required_argument, NULL, OPTION_NEST \
    }
#define PIDNS_HELP \
    "      --nest N              N pid namespaces, one inside the other (default 1, at most 31)\n"

int pidns_option(struct pidns *pidns, int option, char *value);

/* From here on the signals that pidns_wait() forwards wait for it.  Comes before
 * anything is made that has to be removed: one that ends us could come between. */
void pidns_hold_signals(const struct pidns *pidns);

/* clone3(2) a child into a new pid namespace and those of FLAGS (CLONE_NEW*).
 * Returns as fork(2) does: 0 in the child. */
pid_t pidns_clone(struct pidns *pidns, unsigned long long flags);

/* In the child: go on in the innermost of pidns->nest namespaces; the others
 * each keep a process that only waits. */
int pidns_nest(const struct pidns *pidns);

/* Forward signals to PID 1 until it ends; its exit status (128+N for signal N). */
int pidns_wait(const struct pidns *pidns);

#endif
