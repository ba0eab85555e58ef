#include "step04-cgroups/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "common/file.h"

struct limit *limits_add(struct limits *limits, const char *option, const char *controller,
                         const char *v2_file, const char *v2_text, const char *v1_file,
                         const char *v1_text)
{
    size_t size = (limits->count + 1) * sizeof(*limits->items);
    limits->items = realloc(limits->items, size);
    if (!limits->items)
        must(fail("allocate memory"));
    struct limit *limit = &limits->items[limits->count++];
    *limit = (struct limit){.option = option,
                            .controller = controller,
                            .v2 = {v2_file, v2_text},
                            .v1 = {v1_file, v1_text}};
    return limit;
}

/* --- options: from what people type to what the kernel reads ------------------ */

static int add_memory(struct limits *limits, char *value)
{
    if (parse_size("--memory", value, &limits->memory) < 0)
        return -1;
    char *bytes = format("%lld", limits->memory);
    limits_add(limits, "--memory", "memory", "memory.max", bytes, "memory.limit_in_bytes", bytes);
    /* No swap besides, or a hog would swap instead of ending.  Kernels can be built without. */
    limits_add(limits, "--memory", "memory", "memory.swap.max", "0", "memory.memsw.limit_in_bytes",
               bytes)
        ->optional = 1;
    return 0;
}

/* v1 counts memory and swap together, v2 swap alone. */
static int add_memory_swap(struct limits *limits, char *value)
{
    long long both;
    if (parse_size("--memory-swap", value, &both) < 0)
        return -1;
    if (!limits->memory || both < limits->memory)
        return refuse("--memory-swap: is memory and swap together: it comes after --memory and "
                      "is no less");
    limits_add(limits, "--memory-swap", "memory", "memory.swap.max",
               format("%lld", both - limits->memory), "memory.memsw.limit_in_bytes",
               format("%lld", both));
    return 0;
}

/* "0.5" CPUs are 50,000 microseconds in every period, which is 100,000 by default. */
static int add_cpus(struct limits *limits, char *value)
{
    char *end;
    double cpus = strtod(value, &end);
    if (end == value || *end || !(cpus >= 0.01 && cpus <= 10000))
        return refuse("--cpus: \"%s\" is not a number of CPUs from 0.01 to 10000", value);
    long long quota = (long long)(cpus * 100000 + 0.5);
    limits_add(limits, "--cpus", "cpu", "cpu.max", format("%lld 100000", quota), "cpu.cfs_quota_us",
               format("%lld", quota));
    return 0;
}

/* v2's default weight of 100 is v1's default of 1024 shares; 2 is the kernel's least. */
static int add_cpu_weight(struct limits *limits, char *value)
{
    long long weight;
    if (parse_number("--cpu-weight", value, 1, 10000, &weight) < 0)
        return -1;
    long long shares = weight * 1024 / 100;
    limits_add(limits, "--cpu-weight", "cpu", "cpu.weight", format("%lld", weight), "cpu.shares",
               format("%lld", shares < 2 ? 2 : shares));
    return 0;
}

static int add_cpuset(struct limits *limits, char *value)
{
    if (strspn(value, "0123456789") == 0 || strspn(value, "0123456789,-") != strlen(value))
        return refuse("--cpuset-cpus: \"%s\" is not a list of CPUs (such as 0-1,3)", value);
    limits_add(limits, "--cpuset-cpus", "cpuset", "cpuset.cpus", value, "cpuset.cpus", value);
    return 0;
}

static int add_pids(struct limits *limits, char *value)
{
    long long number;
    if (parse_number("--pids", value, 1, 4194304, &number) < 0)
        return -1;
    const char *text = format("%lld", number);
    limits_add(limits, "--pids", "pids", "pids.max", text, "pids.max", text);
    return 0;
}

/* MAJOR:MINOR of a block device, from its path or as it is. */
static char *device_numbers(const char *device)
{
    struct stat status;
    if (strspn(device, "0123456789:") == strlen(device) && strchr(device, ':'))
        return format("%s", device);
    if (stat(device, &status) == 0 && S_ISBLK(status.st_mode))
        return format("%u:%u", major(status.st_rdev), minor(status.st_rdev));
    refuse("--io-max: %s is not a block device", device);
    return NULL;
}

/* "/dev/sda,rbps=1M,wiops=100": v2 has one file for all keys, v1 a file for each. */
static int add_io_max(struct limits *limits, char *value)
{
    static const char *const files[] = {
        "blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
        "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device"};
    static char *const keys[] = {"rbps", "wbps", "riops", "wiops", NULL};
    char *rest = strchr(value, ','), *number;
    cleanup_free char *device = format("%.*s", (int)strcspn(value, ","), value);
    cleanup_free char *numbers = device_numbers(device);
    long long n;

    if (!numbers)
        return -1;
    if (!rest || !rest[1])
        return refuse("--io-max: \"%s\" names no limit (such as %s,wbps=1M)", value, value);
    for (rest++; *rest;) {
        int key = getsubopt(&rest, keys, &number);
        if (key < 0 || !number)
            return refuse("--io-max: takes rbps=N, wbps=N, riops=N and wiops=N");
        if (parse_size("--io-max", number, &n) < 0)
            return -1;
        limits_add(limits, "--io-max", "io", "io.max", format("%s %s=%lld", numbers, keys[key], n),
                   files[key], format("%s %lld", numbers, n));
    }
    return 0;
}

/* The kernel's name for a page size: 2MB, 1GB, 64KB. */
static char *page_name(long long bytes)
{
    static const char units[][3] = {"B", "KB", "MB", "GB"};
    int unit = 0;
    for (; bytes >= 1024 && bytes % 1024 == 0 && unit < 3; unit++)
        bytes /= 1024;
    return format("%lld%s", bytes, units[unit]);
}

static int add_hugetlb(struct limits *limits, char *value)
{
    size_t length = strcspn(value, ":");
    cleanup_free char *size = format("%.*s", (int)length, value);
    long long page, limit;
    if (!value[length])
        return refuse("--hugetlb: \"%s\" is not PAGE:SIZE (such as 2M:64M)", value);
    if (parse_size("--hugetlb", size, &page) < 0 ||
        parse_size("--hugetlb", value + length + 1, &limit) < 0)
        return -1;
    cleanup_free char *name = page_name(page);
    char *bytes = format("%lld", limit);
    limits_add(limits, "--hugetlb", "hugetlb", format("hugetlb.%s.max", name), bytes,
               format("hugetlb.%s.limit_in_bytes", name), bytes);
    return 0;
}

static int add_oom_group(struct limits *limits, char *value)
{
    (void)value;
    limits_add(limits, "--oom-group", "memory", "memory.oom.group", "1", NULL, NULL);
    return 0;
}

int limits_option(struct limits *limits, int option, char *value)
{
    static int (*const add[])(struct limits *, char *) = {
        [OPTION_MEMORY - OPTIONS_CGROUP] = add_memory,
        [OPTION_MEMORY_SWAP - OPTIONS_CGROUP] = add_memory_swap,
        [OPTION_OOM_GROUP - OPTIONS_CGROUP] = add_oom_group,
        [OPTION_CPUS - OPTIONS_CGROUP] = add_cpus,
        [OPTION_CPU_WEIGHT - OPTIONS_CGROUP] = add_cpu_weight,
        [OPTION_CPUSET - OPTIONS_CGROUP] = add_cpuset,
        [OPTION_PIDS - OPTIONS_CGROUP] = add_pids,
        [OPTION_IO_MAX - OPTIONS_CGROUP] = add_io_max,
        [OPTION_HUGETLB - OPTIONS_CGROUP] = add_hugetlb,
    };
    int ours = option >= OPTION_MEMORY && option <= OPTION_HUGETLB;
    return ours ? add[option - OPTIONS_CGROUP](limits, value) : 0;
}

/* --- writing ------------------------------------------------------------------ */

const char **limits_controllers(const struct limits *limits)
{
    const char **wanted = allocate(limits->count + 1, sizeof(*wanted));
    for (size_t i = 0; i < limits->count; i++)
        wanted[i] = limits->items[i].controller;
    return wanted;
}

static int apply(const struct limit *limit, const struct cgroup *cgroup)
{
    const struct group *group = cgroup_group(cgroup, limit->controller);
    if (!group)
        return fail_in(limit->option);
    const char *file = group->version == 2 ? limit->v2.file : limit->v1.file;
    const char *text = group->version == 2 ? limit->v2.text : limit->v1.text;
    if (!file)
        return refuse("%s: cgroup v%d has no such limit", limit->option, group->version);
    if (file_write(group->dir, file, text) == 0)
        return 0;
    if (errno == ENOENT)
        return limit->optional ? 0 : refuse("%s: no %s in %s", limit->option, file, group->path);
    if (strcmp(limit->controller, "cpuset") == 0)
        return fail_hint("are these among our own? see Cpus_allowed_list in /proc/self/status",
                         "%s %s", limit->option, text);
    return fail_in(limit->option);
}

int limits_apply(const struct limits *limits, const struct cgroup *cgroup)
{
    for (size_t i = 0; i < limits->count; i++)
        if (apply(&limits->items[i], cgroup) < 0)
            return -1;
    return 0;
}
