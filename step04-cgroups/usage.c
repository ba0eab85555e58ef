#include "step04-cgroups/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"

/* One figure: the number behind KEY in a file, in both versions. */
static const struct figure {
    const char *label, *unit;
    double scale; /* from the kernel's unit to ours */
    const char *controller, *v2_file, *v2_key, *v1_controller, *v1_file, *v1_key;
} figures[] = {
    {"memory.peak", "bytes", 1, "memory", "memory.peak", "", "memory", "memory.max_usage_in_bytes",
     ""},
    {"memory.oom_kills", "", 1, "memory", "memory.events", "oom_kill ", "memory",
     "memory.oom_control", "oom_kill "},
    {"memory.pressure", "s", 1e-6, "memory", "memory.pressure", "total=", NULL, NULL, NULL},
    {"cpu.time", "s", 1e-6, "cpu", "cpu.stat", "usage_usec ", NULL, NULL, NULL},
    {"cpu.time", "s", 1e-9, NULL, NULL, NULL, "cpuacct", "cpuacct.usage", ""},
    {"cpu.throttled_periods", "", 1, "cpu", "cpu.stat", "nr_throttled ", "cpu", "cpu.stat",
     "nr_throttled "},
    {"cpu.throttled", "s", 1e-6, "cpu", "cpu.stat", "throttled_usec ", NULL, NULL, NULL},
    {"cpu.throttled", "s", 1e-9, NULL, NULL, NULL, "cpu", "cpu.stat", "throttled_time "},
    {"cpu.pressure", "s", 1e-6, "cpu", "cpu.pressure", "total=", NULL, NULL, NULL},
    {"io.pressure", "s", 1e-6, "io", "io.pressure", "total=", NULL, NULL, NULL},
    {"pids.peak", "", 1, "pids", "pids.peak", "", "pids", "pids.peak", ""},
};

static void print_figure(const struct figure *figure, const struct cgroup *cgroup, int version)
{
    const char *controller = version == 2 ? figure->controller : figure->v1_controller;
    const char *file = version == 2 ? figure->v2_file : figure->v1_file;
    const char *key = version == 2 ? figure->v2_key : figure->v1_key;
    const struct group *group = file ? cgroup_group(cgroup, controller) : NULL;
    cleanup_free char *text =
        group && group->version == version ? file_read(group->dir, file) : NULL;
    const char *value = text ? strstr(text, key) : NULL;
    if (value)
        fprintf(stderr, "%-22s %.*f%s%s\n", figure->label, figure->scale < 1 ? 3 : 0,
                strtod(value + strlen(key), NULL) * figure->scale, *figure->unit ? " " : "",
                figure->unit);
}

void usage_print(const struct cgroup *cgroup)
{
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        for (int version = 1; version <= 2; version++)
            print_figure(&figures[i], cgroup, version);
}
