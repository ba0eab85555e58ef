/* sync.h - the handshake between a parent and its new container.
 *
 *     child                           parent
 *     sync_ask()  ------------------> sync_await()
 *        (waits)                      ... works: id maps, cgroups, networks ...
 *     goes on     <------------------ sync_release()
 *
 * The child can't do this work itself: inside its namespaces it no longer has
 * the right to, or no longer sees what to work on. */
#ifndef COMMON_SYNC_H
#define COMMON_SYNC_H

struct sync {
    int parent, child; /* the two ends of a socket pair */
};

/* Before the fork: make the pair. */
int sync_open(struct sync *sync);

/* In the child: wait until the parent has done its work.  From here on the
 * child dies if the parent does (PR_SET_PDEATHSIG), however that is killed.
 * Ends the child if the parent gave up: the parent has said why. */
int sync_ask(struct sync *sync);

/* In the child: arm PR_SET_PDEATHSIG again.  A change of user clears it. */
int sync_die_with_parent(struct sync *sync);

/* In the parent: wait until the child asks.  Returns -1, without a message,
 * if the child ended instead: the child has said why. */
int sync_await(struct sync *sync);

/* In the parent: let the child go on. */
int sync_release(struct sync *sync);

/* In the parent: print why we give up; the waiting child ends. */
void sync_abandon(struct sync *sync);

#endif
