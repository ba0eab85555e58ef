/* idmap.h - who is who in a user namespace: uid_map, setgroups, gid_map.
 *
 * In a new user namespace nobody is anybody: every id shows as 65534 until the maps
 * say which ids outside the ids inside are.  See user_namespaces(7). */
#ifndef STEP02_IDMAP_H
#define STEP02_IDMAP_H

#include <sys/types.h>

/* In the parent, while CHILD waits in its new user namespace: make the caller's
 * user and group root inside, and the subordinate ids that /etc/subuid and
 * /etc/subgid grant it the users and groups from 1 on.  Without any, or without
 * newuidmap(1), it is root alone. */
int idmap_write(pid_t child);

/* In the child, once it has its maps: be the root of the namespace. */
int idmap_become_root(void);

#endif
