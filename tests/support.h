/* support.h - what all test suites share, on top of Check (libcheck).
 *
 * A suite looks at programs from outside: it runs them, and looks at what they
 * print, how they end, and what the kernel shows of them meanwhile.
 *
 *     START_TEST(jail_is_the_root)
 *     {
 *         SKIP_UNLESS("root", have_root(), "chroot is for root only");
 *         struct result r = run_program(make_root(), "pwd");
 *         ck_status(r, 0);
 *         ck_assert_str_eq(r.out, "/\n");
 *     }
 *     END_TEST
 *
 *     Suite *make_suite(void)
 *     {
 *         Suite *suite = suite_create("step01");
 *         TCase *jail = add_case(suite, "jail");
 *         tcase_add_test(jail, jail_is_the_root);
 *         return suite;
 *     }
 *
 * support.c has the main function, which runs what make_suite() returns, every
 * test in a process of its own.  After each test of a case made by add_case()
 * it is checked that nothing is left: no mount, cgroup, interface or process. */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Every suite defines this. */
Suite *make_suite(void);

/* A test case whose tests have 30 seconds each and must leave nothing behind. */
TCase *add_case(Suite *suite, const char *name);

/* ---- what is tested ---------------------------------------------------------- */

/* The program of this suite's step: what $STEP05 names, or build/step05 where the
 * suite is build/tests/test_step05.  Always an absolute path. */
const char *program(void);

/* The program of another step, such as "01", in the same way. */
const char *step_program(const char *step);

/* Another product: the absolute path of build/NAME, such as "escape". */
const char *product(const char *name);

/* ---- running it ---------------------------------------------------------------- */

/* How a process ended and what it printed; strings live as long as the test. */
struct result {
    int status; /* its exit status, 128+N if signal N ended it */
    char *out, *err;
    size_t out_length; /* for output with zero bytes in it */
};

/* How to run one; all zero means: here, as ourselves, nothing on standard input. */
struct how {
    bool as_user;      /* as the ordinary user, with his $HOME; see user_id() */
    const char *dir;   /* working directory */
    const char *input; /* text for standard input */
    int timeout;       /* seconds until the test fails; 20 by default */
};

/* Run a command of the host and wait for its end.  The test fails at a timeout. */
struct result run_argv(struct how how, const char *const argv[]);
#define run_how(how, ...) run_argv(how, (const char *const[]){__VA_ARGS__, NULL})
#define run(...)          run_how(((struct how){0}), __VA_ARGS__)

/* The same for the program under test: run_program("--pids", "5", root, "true"). */
#define run_program(...)          run_how(((struct how){0}), program(), ##__VA_ARGS__)
#define run_program_how(how, ...) run_how(how, program(), ##__VA_ARGS__)
#define run_program_as_user(...)  run_how(((struct how){.as_user = true}), program(), ##__VA_ARGS__)

/* A process that runs while the test looks at it.  Its standard input is a pipe
 * that stays open until finish(): "cat" or "read x" wait there. */
struct running {
    pid_t pid;
    int in, out, err;
    double deadline; /* in seconds_now() */
};
struct running start_argv(struct how how, const char *const argv[]);
#define start(...)                  start_how(((struct how){0}), __VA_ARGS__)
#define start_how(how, ...)         start_argv(how, (const char *const[]){__VA_ARGS__, NULL})
#define start_program(...)          start_how(((struct how){0}), program(), ##__VA_ARGS__)
#define start_program_how(how, ...) start_how(how, program(), ##__VA_ARGS__)

/* The next line of its output, without the newline; NULL at the end.  The test
 * fails if none comes in time. */
char *read_line(struct running *running);

/* Write to its standard input, as if typed. */
void type(struct running *running, const char *text);

/* Close its input, wait for its end and collect the rest of what it printed.
 * A process that the test leaves unfinished is killed at the test's end. */
struct result finish(struct running *running);

/* For tests that run twice, see add_both(): as root (_i is 0), and as the ordinary
 * user (1), who adds --map-user and is to get the same. */
#define NEEDS_NAMESPACES                                     \
    SKIP_UNLESS("root", _i || (have_root() && !in_chroot()), \
                "for root only, and not in a chroot");       \
    SKIP_UNLESS("userns", !_i || have_userns(), "no user namespaces for ordinary users")
#define add_both(tcase, test) tcase_add_loop_test(tcase, test, 0, 2)
#define start_container(...)  start_words(_i, (const char *const[]){__VA_ARGS__, NULL})
#define run_container(...)    run_words(_i, (const char *const[]){__VA_ARGS__, NULL})
struct running start_words(bool as_user, const char *const arguments[]);
struct result run_words(bool as_user, const char *const arguments[]);

/* A root file system that belongs to whoever runs the container. */
const char *make_root_for(bool as_user);

/* Assertions that show what the program printed. */
#define ck_status(result, expected)                                                          \
    ck_assert_msg((result).status == (expected), "status %d, expected %d\nout: %s\nerr: %s", \
                  (result).status, (expected), (result).out, (result).err)
#define ck_contains(text, part) \
    ck_assert_msg(contains(text, part), "\"%s\" not found in: %s", part, text)
#define ck_lacks(text, part) ck_assert_msg(!contains(text, part), "\"%s\" found in: %s", part, text)
bool contains(const char *text, const char *part);

/* A refusal: status 125, nothing on stdout, and one line on stderr that starts
 * with the program's name and has PART in it. */
#define ck_refused(result, part)                                                                   \
    ck_assert_msg(is_refusal(result, part),                                                        \
                  "status %d, expected a refusal about \"%s\"\nout: %s\nerr: %s", (result).status, \
                  part, (result).out, (result).err)
bool is_refusal(struct result result, const char *part);

/* ---- waiting ------------------------------------------------------------------- */

/* Wait until CONDITION holds, looking again every few milliseconds: for at most
 * 10 seconds, times $CK_TIMEOUT_MULTIPLIER.  Its value is whether it did. */
#define await(condition)                                                  \
    __extension__({                                                       \
        double await_end = seconds_now() + 10 * timeout_multiplier();     \
        bool await_holds;                                                 \
        while (!(await_holds = (condition)) && seconds_now() < await_end) \
            pause_briefly();                                              \
        await_holds;                                                      \
    })
#define ck_await(condition) ck_assert_msg(await(condition), "waited in vain for: %s", #condition)
double seconds_now(void);
double timeout_multiplier(void);
void pause_briefly(void);

/* ---- files ----------------------------------------------------------------------- */

/* printf into a string that lives as long as the test. */
char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A new empty directory; removed when the suite ends. */
const char *scratch_dir(void);

/* A new root file system of busybox: /bin with its links, /etc/passwd and group
 * (root and nobody), /proc, /sys, /tmp and so on, /dev with null if we may. */
const char *make_root(void);

/* The whole file, "" and errno if it can't be read; the test fails if it can't be written. */
char *read_file(const char *path);
void write_file(const char *path, const char *text);
bool exists(const char *path);

/* Give a file or a whole tree to the ordinary user. */
void give_to_user(const char *path);

/* ---- looking at processes ---------------------------------------------------------- */

/* Wait for a process below the process TOP (a child, or a child's child, ...) whose
 * name is COMM, and return its pid as seen here.  The test fails if none appears. */
pid_t await_process(pid_t top, const char *comm);

/* A child of PID, 0 if it has none. */
pid_t child_of(pid_t pid);

/* Whether the process exists; a zombie doesn't. */
bool is_alive(pid_t pid);

/* The inode number of a namespace ("uts", "pid", "net" ...) of a process. */
ino_t ns_inode(pid_t pid, const char *name);

/* The lines of /proc/self/mountinfo. */
int mount_count(void);

/* ---- looking at the host (support_host.c) --------------------------------------------- */

/* Leave the test, counted as skipped with REASON, unless CONDITION holds.  If the
 * environment's MUST lists NAME (MUST=root,userns or MUST=all), it fails instead. */
#define SKIP_UNLESS(name, condition, reason)              \
    do {                                                  \
        if (!(condition) && skip(__func__, name, reason)) \
            return;                                       \
    } while (0)
bool skip(const char *test, const char *name, const char *reason);

/* The ordinary user of the tests: ourselves if we aren't root, else the user
 * number $TEST_UID, or 65534 (nobody).  His home is in the scratch directory. */
uid_t user_id(void);
const char *user_home(void);

bool have_root(void);                   /* uid 0 with CAP_SYS_ADMIN */
bool have_userns(void);                 /* the ordinary user may make one, and act in it */
bool have_subids(void);                 /* ... and has subordinate ids, and newuidmap */
bool have_overlay(void);                /* root may mount one */
bool have_user_overlay(void);           /* the ordinary user may, in his user namespace */
bool in_chroot(void);                   /* the kernel refuses user namespaces there */
bool have_controller(const char *name); /* a cgroup controller that we may use */
bool have_tool(const char *name);       /* a command in $PATH */

enum cgroup_mode { CGROUP_NONE, CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 };
enum cgroup_mode cgroup_mode(void);

/* What containers may leave on a host, as one text, a line for each thing. */
char *host_state(void);

/* Fail unless the host is again in the state BEFORE; processes and cgroups on
 * their way out get a moment.  add_case() does both around each test. */
void ck_nothing_left(const char *before);

/* ---- between support*.c -------------------------------------------------------------------- */

const char *suite_dir(void);         /* the parent of all scratch directories */
void become_user(void);              /* for a child, before it executes something */
bool user_reaches(const char *path); /* may the ordinary user execute, or enter, it? */
void kill_unfinished(void);          /* what start() started and finish() didn't see */
void kill_children(void);            /* every process below us, and reap them */

#endif
