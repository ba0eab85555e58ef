/* process.h - from a process to a command, and back to an exit status. */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <sys/types.h>

/* fork(2), with a message if it fails. */
pid_t process_fork(void);

/* Become the command ARGV, looked up in $PATH.  Descriptors above 2 are closed, and
 * the signal mask and the signals that we ignore are put back to their defaults:
 * all of that would survive execve(2).
 * Ends the program with 127 or 126 and a message if that fails. */
_Noreturn void process_exec(char *argv[]);

/* Wait for the child PID and return its exit status, 128+N after signal N.
 * Meanwhile Ctrl-C and Ctrl-\ are the child's business, as in system(3). */
int process_wait(pid_t pid);

/* Run a program of the host and wait: 0 if it succeeded, else -1 with a message.
 * No shell is involved. */
int process_run(char *argv[]);

/* An exit status from what waitpid(2) stored. */
int process_status(int wait_status);

#endif
