/* support.c - the main function of every suite, and small things for its tests. */
#include "tests/support.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Tests are processes of their own: what they have to tell the main process, the
 * skips, goes through memory that both share. */
static struct skips {
    int count;
    struct {
        char test[80], reason[200];
    } entries[1000];
} * skips;

static char base[] = "/tmp/nine-test-XXXXXX"; /* the parent of all scratch directories */
static char label[64];                        /* "step05" of build/tests/test_step05 */
static char build[PATH_MAX];                  /* "build" of the same, absolute */

/* ---- texts and files ------------------------------------------------------------- */

char *text(const char *format, ...)
{
    char *string;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&string, format, arguments) < 0)
        abort();
    va_end(arguments);
    return string;
}

bool contains(const char *string, const char *part)
{
    return strstr(string, part) != NULL;
}

char *read_file(const char *path)
{
    size_t size = 0;
    char *content = NULL, buffer[4096];
    FILE *file = fopen(path, "re"), *memory = open_memstream(&content, &size);
    size_t n;
    while (file && (n = fread(buffer, 1, sizeof(buffer), file)) > 0)
        fwrite(buffer, 1, n, memory);
    int error = errno;
    if (file)
        fclose(file);
    fclose(memory);
    errno = error;
    return content;
}

void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "we");
    ck_assert_msg(file != NULL, "open %s: %m", path);
    bool written = fputs(content, file) >= 0;
    ck_assert_msg((fclose(file) == 0) & written, "write %s: %m", path);
}

bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

const char *suite_dir(void)
{
    return base;
}

const char *scratch_dir(void)
{
    char *path = text("%s/XXXXXX", base);
    ck_assert_msg(mkdtemp(path) && chmod(path, 0755) == 0, "make %s: %m", path);
    return path;
}

const char *product(const char *name)
{
    return text("%s/%s", build, name);
}

const char *step_program(const char *step)
{
    const char *chosen = getenv(text("STEP%s", step));
    return chosen ? chosen : product(text("step%s", step));
}

const char *program(void)
{
    ck_assert_msg(strncmp(label, "step", 4) == 0, "%s: tests a module, not a program", label);
    return step_program(label + 4);
}

bool is_refusal(struct result result, const char *part)
{
    const char *start = text("%s: ", basename(program()));
    const char *newline = strchr(result.err, '\n');
    return result.status == 125 && !*result.out && strncmp(result.err, start, strlen(start)) == 0 &&
           newline && !newline[1] && contains(result.err, part);
}

/* ---- waiting ---------------------------------------------------------------------- */

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double timeout_multiplier(void)
{
    const char *factor = getenv("CK_TIMEOUT_MULTIPLIER");
    return factor && atof(factor) > 0 ? atof(factor) : 1;
}

void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5 * 1000 * 1000}, NULL);
}

/* ---- skips ------------------------------------------------------------------------- */

static bool is_listed(const char *list, const char *name)
{
    char *words = text("%s", list), *rest;
    for (char *word = strtok_r(words, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest))
        if (strcmp(word, name) == 0 || strcmp(word, "all") == 0)
            return true;
    return false;
}

bool skip(const char *test, const char *name, const char *reason)
{
    const char *must = getenv("MUST");
    if (must && is_listed(must, name))
        ck_abort_msg("MUST=%s forbids to skip this: %s", must, reason);
    int i = __atomic_fetch_add(&skips->count, 1, __ATOMIC_SEQ_CST);
    ck_assert_int_lt(i, (int)(sizeof(skips->entries) / sizeof(skips->entries[0])));
    /* Check names the function of START_TEST(name) "name_fn". */
    snprintf(skips->entries[i].test, sizeof(skips->entries[i].test), "%.*s",
             (int)strlen(test) - (int)strlen("_fn"), test);
    snprintf(skips->entries[i].reason, sizeof(skips->entries[i].reason), "%s: %s", name, reason);
    return true;
}

/* ---- cases -------------------------------------------------------------------------- */

static char *state_before;

static void before_each(void)
{
    /* Orphans come to the test, not to the machine's init: it will see them. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    state_before = host_state();
}

static void after_each(void)
{
    kill_unfinished();
    ck_nothing_left(state_before);
}

TCase *add_case(Suite *suite, const char *name)
{
    TCase *added = tcase_create(name);
    tcase_add_checked_fixture(added, before_each, after_each);
    suite_add_tcase(suite, added);
    return added;
}

/* ---- main ---------------------------------------------------------------------------- */

/* Where we are tells what we test: build/tests/test_step05. */
static void find_ourselves(void)
{
    char path[PATH_MAX] = "";
    if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
        abort();
    const char *name = strrchr(path, '/') + 1;
    snprintf(label, sizeof(label), "%s", strncmp(name, "test_", 5) == 0 ? name + 5 : name);
    snprintf(build, sizeof(build), "%.*s", (int)(name - path - (int)strlen("/tests/")), path);
}

/* Not run(): that can only be used in a test. */
static void run_quietly(char *argv[])
{
    pid_t pid;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) == 0)
        waitpid(pid, NULL, 0);
}

/* The tree may lie where the ordinary user of the tests can't reach it, below /root:
 * then everybody uses a copy of the products. */
static void make_reachable(void)
{
    if (user_reaches(build))
        return;
    const char *copy = text("%s/build", base);
    glob_t found;
    glob(text("%s/step0?*", build), 0, NULL, &found);
    glob(text("%s/escape", build), GLOB_APPEND, NULL, &found);
    mkdir(copy, 0755);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct stat st;
        if (stat(found.gl_pathv[i], &st) == 0 && S_ISREG(st.st_mode))
            run_quietly((char *[]){"cp", found.gl_pathv[i], (char *)copy, NULL});
    }
    snprintf(build, sizeof(build), "%s", copy);
}

/* Tests change their working directory: STEP05=./mine must mean the same in all. */
static void make_steps_absolute(void)
{
    char path[PATH_MAX];
    for (int step = 1; step <= 9; step++) {
        const char *name = text("STEP%02d", step), *value = getenv(name);
        if (value && realpath(value, path))
            setenv(name, path, 1);
    }
}

static void prepare(void)
{
    umask(022);
    setenv("LC_ALL", "C", 1);
    setenv("PATH", text("%s:/usr/sbin:/sbin", getenv("PATH")), 1);
    setenv("CK_DEFAULT_TIMEOUT", "30", 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    find_ourselves();
    make_steps_absolute();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    skips = mmap(NULL, sizeof(*skips), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (skips == MAP_FAILED || !mkdtemp(base) || chmod(base, 0755) < 0) {
        perror(base);
        exit(1);
    }
    make_reachable();
}

/* Trees of tests have directories without any permission: an overlay's work
 * directory, read-only layers.  Mounts that a failed test left are not entered. */
static void remove_base(void)
{
    if (geteuid() != 0)
        run_quietly((char *[]){"chmod", "-R", "u+rwX", base, NULL});
    run_quietly((char *[]){"rm", "-rf", "--one-file-system", base, NULL});
}

int main(void)
{
    prepare();
    SRunner *runner = srunner_create(make_suite());
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_NORMAL);

    int failed = srunner_ntests_failed(runner);
    int passed = srunner_ntests_run(runner) - failed - skips->count;
    srunner_free(runner);
    kill_children();
    remove_base();

    for (int i = 0; i < skips->count; i++)
        printf("%s: skipped %s (%s)\n", label, skips->entries[i].test, skips->entries[i].reason);
    printf("%s: %d passed, %d failed, %d skipped\n", label, passed, failed, skips->count);
    return failed ? 1 : 0;
}
