/* limits.h - limits on memory, CPU, processes and I/O: what is written into a cgroup.
 *
 * Every limit has two spellings, v2's and v1's, and the tree that has the
 * controller decides which is written.  See the kernel's
 * Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/ beside it. */
#ifndef STEP04_LIMITS_H
#define STEP04_LIMITS_H

#include "common/options.h"
#include "step04-cgroups/cgroup.h"

struct limit {
    const char *option;     /* for messages: "--memory" */
    const char *controller; /* by its v2 name */
    struct {
        const char *file; /* NULL: this version of cgroups has no such limit */
        const char *text;
    } v2, v1;
    int optional; /* no failure where the kernel has no such file */
};

/* In the order in which they are written. */
struct limits {
    struct limit *items;
    size_t count;
    long long memory; /* bytes; --memory-swap counts from there */
};

enum { OPTION_MEMORY = OPTIONS_CGROUP, OPTION_MEMORY_SWAP, OPTION_OOM_GROUP, OPTION_CPUS };
enum { OPTION_CPU_WEIGHT = OPTION_CPUS + 1, OPTION_CPUSET, OPTION_PIDS, OPTION_IO_MAX };
enum { OPTION_HUGETLB = OPTION_IO_MAX + 1 };

#define LIMITS_OPTIONS                                                \
    {"memory", required_argument, NULL, OPTION_MEMORY},               \
        {"memory-swap", required_argument, NULL, OPTION_MEMORY_SWAP}, \
        {"oom-group", no_argument, NULL, OPTION_OOM_GROUP},           \
        {"cpus", required_argument, NULL, OPTION_CPUS},               \
        {"cpu-weight", required_argument, NULL, OPTION_CPU_WEIGHT},   \
        {"cpuset-cpus", required_argument, NULL, OPTION_CPUSET},      \
        {"pids", required_argument, NULL, OPTION_PIDS},               \
        {"io-max", required_argument, NULL, OPTION_IO_MAX},           \
    {                                                                 \
        "hugetlb", required_argument, NULL, OPTION_HUGETLB            \
    }
#define LIMITS_HELP                                                                           \
    "      --memory SIZE         memory at most, and no swap besides (as 512K, 64M, 2G)\n"    \
    "      --memory-swap SIZE    memory and swap together at most; after --memory\n"          \
    "      --oom-group           out of memory kills the whole container, not one process\n"  \
    "      --cpus N              CPU time at most, as 0.5 or 2\n"                             \
    "      --cpu-weight N        share of a contended CPU, 1 to 10000 (default 100)\n"        \
    "      --cpuset-cpus LIST    run on these CPUs only, as 0-1,3\n"                          \
    "      --pids N              processes and threads at most\n"                             \
    "      --io-max DEVICE,KEY=N[,...]   rbps, wbps (bytes), riops, wiops a second at most\n" \
    "      --hugetlb PAGE:SIZE   huge pages of size PAGE at most, as 2M:64M\n"

/* Bad values are refused here, before anything is made. */
int limits_option(struct limits *limits, int option, char *value);

/* Append one limit.  All texts are borrowed. */
struct limit *limits_add(struct limits *limits, const char *option, const char *controller,
                         const char *v2_file, const char *v2_text, const char *v1_file,
                         const char *v1_text);

/* The v2 controllers that the limits need, for cgroup_create(). */
const char **limits_controllers(const struct limits *limits);

/* Write the limits into the group.  Before anybody is in it: a limit that comes
 * after the process comes too late. */
int limits_apply(const struct limits *limits, const struct cgroup *cgroup);

#endif
