/* usage.h - what a container used, as its cgroup counted it. */
#ifndef STEP04_USAGE_H
#define STEP04_USAGE_H

#include "step04-cgroups/cgroup.h"

/* Print a line a figure: peak memory (bytes), OOM kills, CPU time and throttling
 * (seconds), the peak of processes, and the pressure (seconds in which somebody
 * waited for CPU, memory or I/O; v2 with PSI only).  What this kernel doesn't count
 * is left out.  Before cgroup_destroy(). */
void usage_print(const struct cgroup *cgroup);

#endif
