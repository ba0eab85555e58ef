#include "common/process.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.h"
#include "common/syscalls.h"

extern char **environ;

pid_t process_fork(void)
{
    pid_t child = fork();
    return child < 0 ? fail("fork") : child;
}

static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int signal = 1; signal < NSIG; signal++)
        if (signal != SIGKILL && signal != SIGSTOP)
            sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

void process_exec(char *argv[])
{
    reset_signals();
    /* What our caller left open leads out of any root: "sh 5</" and fchdir(5), or
     * CVE-2024-21626, where it was the runtime's own. */
    if (sys_close_range(3) < 0)
        must(fail_hint("it takes Linux 5.9", "close_range"));
    execvp(argv[0], argv);
    if (errno == ENOENT && strchr(argv[0], '/') && access(argv[0], F_OK) == 0)
        fail_hint("the file is there: its loader or interpreter is missing, see --copy", "%s",
                  argv[0]);
    else
        fail("%s", argv[0]);
    die(errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

int process_status(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int process_wait(pid_t pid)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    int wait_status, result;
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    do
        result = waitpid(pid, &wait_status, 0);
    while (result < 0 && errno == EINTR);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    return result < 0 ? fail("wait for the child") : process_status(wait_status);
}

int process_run(char *argv[])
{
    pid_t pid;
    signal(SIGCHLD, SIG_DFL); /* if ignored, no child leaves a status */
    errno = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    if (errno)
        return fail("%s", argv[0]);
    int status = process_wait(pid);
    return status == 0 ? 0 : refuse("%s ended with status %d", argv[0], status);
}
