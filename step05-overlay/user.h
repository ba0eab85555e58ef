/* user.h - from root to the user that an image asks for. */
#ifndef STEP05_USER_H
#define STEP05_USER_H

/* Become the user SPEC: USER, USER:GROUP, or "" for root; each a name of the
 * container's own /etc/passwd and /etc/group, or a number, which needn't be there.
 * To be called inside the container, after pivot_root.  Without a GROUP the user's
 * own ones are taken, with one they alone count (see "User" in the OCI image spec's
 * config.md).  $HOME is set unless it is already. */
int user_become(const char *spec);

#endif
