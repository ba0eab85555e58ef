/* support_process.c - run programs, and look at running ones. */
#include "tests/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t unfinished[256];
static size_t unfinished_count;

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- start ------------------------------------------------------------------------- */

bool user_reaches(const char *path)
{
    int wait_status;
    pid_t pid = fork();
    if (pid == 0) {
        become_user();
        _exit(access(path, X_OK) == 0 ? 0 : 1);
    }
    return waitpid(pid, &wait_status, 0) == pid && wait_status == 0;
}

/* A path of the program that the ordinary user reaches: its own, or that of a copy.
 * Its helpers (step05-unpack beside step05) come along. */
static const char *reachable(const char *path)
{
    if (!strchr(path, '/') || user_reaches(path))
        return path;
    const char *dir = scratch_dir();
    glob_t found;
    ck_assert_int_eq(glob(text("%s*", path), 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct stat st;
        if (stat(found.gl_pathv[i], &st) == 0 && S_ISREG(st.st_mode))
            ck_status(run("cp", found.gl_pathv[i], dir), 0);
    }
    return text("%s/%s", dir, basename(path));
}

static _Noreturn void execute(struct how how, const char *const argv[], const int fds[3])
{
    for (int i = 0; i < 3; i++)
        dup2(fds[i], i); /* the copies have no O_CLOEXEC */
    signal(SIGPIPE, SIG_DFL);
    if (how.as_user)
        become_user();
    if (how.dir && chdir(how.dir) < 0)
        perror(how.dir);
    else
        execvp(argv[0], (char *const *)argv);
    perror(argv[0]);
    _exit(127);
}

struct running start_argv(struct how how, const char *const argv[])
{
    int in[2], out[2], err[2];
    const char *words[256] = {how.as_user ? reachable(argv[0]) : argv[0]};
    for (size_t i = 1; i < 255 && argv[i]; i++)
        words[i] = argv[i];
    signal(SIGPIPE, SIG_IGN);
    ck_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
              pipe2(err, O_CLOEXEC) == 0);

    pid_t pid = fork();
    ck_assert_msg(pid >= 0, "fork: %m");
    if (pid == 0)
        execute(how, words, (int[]){in[0], out[1], err[1]});
    close(in[0]);
    close(out[1]);
    close(err[1]);
    ck_assert_uint_lt(unfinished_count, sizeof(unfinished) / sizeof(unfinished[0]));
    unfinished[unfinished_count++] = pid;
    double patience = (how.timeout ? how.timeout : 20) * timeout_multiplier();
    struct running running = {pid, in[1], out[0], err[0], seconds_now() + patience};
    if (how.input)
        type(&running, how.input);
    return running;
}

void type(struct running *running, const char *line)
{
    size_t length = strlen(line);
    ssize_t written = write(running->in, line, length);
    ck_assert_msg(written == (ssize_t)length || errno == EPIPE, "write to the program: %m");
}

/* ---- collect -------------------------------------------------------------------------- */

/* Wait until there is something to read, or the end; false if neither comes in time. */
static bool readable(int fd, double deadline)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    double left = deadline - seconds_now();
    return poll(&wanted, 1, left > 0 ? (int)(left * 1000) + 1 : 0) > 0;
}

char *read_line(struct running *running)
{
    char *line = NULL, byte;
    size_t size = 0;
    bool any = false;
    FILE *memory = open_memstream(&line, &size);
    for (;;) {
        ck_assert_msg(readable(running->out, running->deadline), "no line came; so far: %s",
                      (fflush(memory), line));
        if (read(running->out, &byte, 1) != 1 || ((any = true), byte == '\n'))
            break;
        fputc(byte, memory);
    }
    fclose(memory);
    return any ? line : NULL;
}

/* Move what is there from *FD to MEMORY; at its end close *FD. */
static void drain(int *fd, FILE *memory)
{
    char buffer[65536];
    ssize_t n = read(*fd, buffer, sizeof(buffer));
    if (n > 0)
        fwrite(buffer, 1, (size_t)n, memory);
    else if (n == 0 || errno != EINTR)
        close_fd(fd);
}

/* Both streams to their ends.  Once the process is gone somebody that it left
 * behind may still hold them open: then a second more, no longer. */
static void collect(struct running *running, FILE *out, FILE *err)
{
    int pidfd = (int)syscall(SYS_pidfd_open, running->pid, 0);
    double deadline = running->deadline;
    while ((running->out >= 0 || running->err >= 0) && seconds_now() < deadline) {
        struct pollfd fds[] = {
            {running->out, POLLIN, 0}, {running->err, POLLIN, 0}, {pidfd, POLLIN, 0}};
        poll(fds, 3, 100);
        if (fds[0].revents)
            drain(&running->out, out);
        if (fds[1].revents)
            drain(&running->err, err);
        if (fds[2].revents) {
            close_fd(&pidfd);
            deadline = seconds_now() + 1;
        }
    }
    close_fd(&pidfd);
}

/* Its wait status; killed if it doesn't end in time. */
static int reap(struct running *running, bool *in_time)
{
    int wait_status = 0;
    pid_t ended;
    while ((ended = waitpid(running->pid, &wait_status, WNOHANG)) == 0 &&
           seconds_now() < running->deadline)
        pause_briefly();
    *in_time = ended != 0;
    if (!*in_time) {
        kill(running->pid, SIGKILL);
        waitpid(running->pid, &wait_status, 0);
    }
    for (size_t i = 0; i < unfinished_count; i++)
        if (unfinished[i] == running->pid)
            unfinished[i] = unfinished[--unfinished_count];
    return wait_status;
}

struct result finish(struct running *running)
{
    struct result result = {0};
    size_t err_length;
    bool in_time;
    FILE *out = open_memstream(&result.out, &result.out_length);
    FILE *err = open_memstream(&result.err, &err_length);
    close_fd(&running->in);
    collect(running, out, err);
    int wait_status = reap(running, &in_time);
    close_fd(&running->out);
    close_fd(&running->err);
    fclose(out);
    fclose(err);
    result.status =
        WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    ck_assert_msg(in_time, "did not end in time\nout: %s\nerr: %s", result.out, result.err);
    return result;
}

struct result run_argv(struct how how, const char *const argv[])
{
    struct running running = start_argv(how, argv);
    return finish(&running);
}

void kill_unfinished(void)
{
    while (unfinished_count) {
        pid_t pid = unfinished[--unfinished_count];
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

void kill_children(void)
{
    pid_t child;
    while ((child = child_of(getpid())) > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
}

/* ---- look ------------------------------------------------------------------------------- */

/* Parent, state and name of a process; see proc_pid_stat(5).  The name may hold
 * anything, a ")" as well: it ends at the last one. */
static pid_t parent_of(pid_t pid, char *state, char comm[32])
{
    char *stat = read_file(text("/proc/%d/stat", pid));
    char *open = strchr(stat, '('), *end = strrchr(stat, ')');
    pid_t parent = -1;
    if (open && end) {
        snprintf(comm, 32, "%.*s", (int)(end - open - 1), open + 1);
        sscanf(end, ") %c %d", state, &parent);
    }
    free(stat);
    return parent;
}

static bool is_below(pid_t pid, pid_t top)
{
    char state, comm[32];
    for (int depth = 0; pid > 1 && depth < 64; depth++)
        if ((pid = parent_of(pid, &state, comm)) == top)
            return true;
    return false;
}

/* The first process below TOP with that name; NULL for any child that isn't a zombie. */
static pid_t find_process(pid_t top, const char *wanted)
{
    struct dirent *entry;
    pid_t found = 0;
    DIR *proc = opendir("/proc");
    while (proc && !found && (entry = readdir(proc))) {
        char state = 'Z', comm[32] = "";
        pid_t pid = atoi(entry->d_name);
        pid_t parent = pid > 0 ? parent_of(pid, &state, comm) : -1;
        if (parent < 0 || state == 'Z')
            continue;
        if (wanted ? strcmp(comm, wanted) == 0 && is_below(pid, top) : parent == top)
            found = pid;
    }
    if (proc)
        closedir(proc);
    return found;
}

pid_t await_process(pid_t top, const char *comm)
{
    pid_t found;
    ck_assert_msg(await((found = find_process(top, comm)) > 0), "no process %s below %d", comm,
                  top);
    return found;
}

pid_t child_of(pid_t pid)
{
    return find_process(pid, NULL);
}

bool is_alive(pid_t pid)
{
    char state = 'Z', comm[32];
    return parent_of(pid, &state, comm) >= 0 && state != 'Z';
}

ino_t ns_inode(pid_t pid, const char *name)
{
    struct stat st;
    const char *path = text("/proc/%d/ns/%s", pid, name);
    ck_assert_msg(stat(path, &st) == 0, "%s: %m", path);
    return st.st_ino;
}

/* ---- as root, and as the ordinary user ------------------------------------------------- */

struct running start_words(bool as_user, const char *const arguments[])
{
    struct how how = {.as_user = as_user};
    const char *words[32] = {program(), as_user ? "--map-user" : NULL};
    for (size_t i = 0, n = as_user ? 2 : 1; arguments[i]; i++)
        words[n++] = arguments[i];
    return start_argv(how, words);
}

struct result run_words(bool as_user, const char *const arguments[])
{
    struct running running = start_words(as_user, arguments);
    return finish(&running);
}
