#!/bin/bash
# lab.sh - a limit on memory, processes, CPU and devices.  The chapter is docs/step04-cgroups.md.
# shellcheck disable=SC2016 # what is in single quotes is for the shell that is shown
# shellcheck source=tools/lab.sh
source "$(dirname "$0")/../tools/lab.sh"
mini_root root

me=()
if ! is_root; then
    me=(--map-user)
    possible "an ordinary user may not make user namespaces here; \"make doctor\" tells the remedy" \
        step03 --map-user root true || exit 0
fi

# Does a container start with these options?
works() { step04 "${me[@]}" "$@" root true; }

# The groups of the container of the program PID, once it runs COMMAND.
groups_of() {
    until grep -qsxF "$2" "/proc/$(pgrep -P "$1")/comm"; do
        kill -0 "$1" || fail_lab "$(cat background)"
        sleep 0.1
    done
    find /sys/fs/cgroup -name "nine-$1-*" || true
}

# Whatever happens: a frozen container can't be killed, and a group in use not removed.
parents=()
leave() {
    local pid
    for pid in $(jobs -p); do
        kill -CONT "$pid" || continue
        pkill -KILL -P "$pid" || true
        wait "$pid" || true
    done 2>/dev/null
    [ ${#parents[@]} = 0 ] || rmdir "${parents[@]}" || true
    tidy_up
}
trap leave EXIT

say "1. What step 3 leaves open.  A container in namespaces takes as much memory as it likes:"
run step03 "${me[@]}" root sh -c 'head -c 100m /dev/zero | tail -c 100m | wc -c'
say "tail kept 100 MiB, and nobody minded.  Step 4 puts the container into a control group, which is a directory:"
if possible "no cgroup file system is mounted; as root: mount -t cgroup2 cgroup2 /sys/fs/cgroup" \
    grep cgroup /proc/self/mounts; then
    run 'grep cgroup /proc/self/mounts'
fi
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    say "This host has cgroup v2 alone: one tree with all controllers."
    run cat /sys/fs/cgroup/cgroup.controllers
elif [ -e /sys/fs/cgroup/memory ]; then
    say "This host has cgroup v1, a tree for each controller (and beside them perhaps a v2 tree with what is left)."
fi

if possible "no memory controller for us" works --memory 64M; then
    say "2. Memory.  \"tail /dev/zero\" looks for the end of a line that has none, and remembers all of it."
    run_expect 137 step04 "${me[@]}" --memory 32M --stats root tail /dev/zero
    [[ $OUTPUT =~ memory.oom_kills\ +[1-9] ]] || fail_lab "no OOM kill was counted"
    expect 33554432
    say "At 32 MiB the kernel found nothing in the group to give back, and killed: 137 is 128 + 9, SIGKILL."

    say "The same seen from the host, while a container runs:"
    background step04 "${me[@]}" --memory 64M root sleep 1000
    program=$!
    groups=$(groups_of "$program" sleep)
    run "find /sys/fs/cgroup -name 'nine-$program-*'"
    group=$(grep -m 1 /memory/ <<<"$groups") || group=$(head -n 1 <<<"$groups")
    memory=1 limit=memory.limit_in_bytes used=memory.usage_in_bytes
    if [ -e "$group/memory.max" ]; then memory=2 limit=memory.max used=memory.current; fi
    run "cd $group && cat $limit $used cgroup.procs"
    expect 67108864
    child=$(pgrep -P "$program")
    say "That is all: mkdir made the group, \"echo 67108864 > $limit\" set the limit, the process was put in, and" \
        "rmdir will remove it.  The process is $child here, and it knows its group:"
    run cat "/proc/$child/cgroup"
    run kill -KILL "$child"
    wait "$program" || true
    run_expect 2 ls "$group"
    say "The container ended, and its group is gone."

    say "3. Which process dies?  The one that the kernel thinks largest, here a child of PID 1:"
    run step04 "${me[@]}" --memory 32M root sh -c 'tail /dev/zero; echo "tail ended with $?, and I am still here"'
    expect "still here"
    if [ $memory = 2 ]; then
        run_expect 137 step04 "${me[@]}" --memory 32M --oom-group root sh -c 'tail /dev/zero; echo "still here"'
        say "With --oom-group (memory.oom.group) all of the container goes at once, and nothing half dead is left over."
    else
        run_expect 125 step04 "${me[@]}" --memory 32M --oom-group root sh -c 'tail /dev/zero; echo "still here"'
        say "All of the container at once: only cgroup v2 can do that, with memory.oom.group."
    fi
else
    run_expect 125 step04 "${me[@]}" --memory 64M root true
fi

if possible "no pids controller for us" works --pids 16; then
    say "4. Processes.  A bomb of 100 forks, and 16 is the limit:"
    run_expect 2 step04 "${me[@]}" --pids 16 --stats root sh -c 'for i in $(seq 100); do sleep 1000 & done'
    expect "can't fork"
    say "The 17th fork failed with EAGAIN, here and nowhere else on the host.  The shell gave up, and as it was PID 1," \
        "the 15 others went with it."
fi

if possible "no cpu controller for us" works --cpus 0.5; then
    say "5. CPU time.  An endless loop for two seconds, on a quarter of a CPU:"
    run step04 "${me[@]}" --cpus 0.25 --stats root sh -c 'while :; do :; done & sleep 2'
    [[ $OUTPUT =~ cpu.throttled_periods\ +[1-9] ]] || fail_lab "it was not throttled"
    say "In each period of 100 ms it may run for 25 ms; after that it stands still until the next (\"throttled\")."
fi

cpu=$(sed -n 's/^Cpus_allowed_list:\s*\([0-9]*\).*/\1/p' /proc/self/status)
if possible "no cpuset controller for us" works --cpuset-cpus "$cpu"; then
    say "6. Which CPUs."
    run grep Cpus_allowed_list /proc/self/status
    run step04 "${me[@]}" --cpuset-cpus "$cpu" root grep Cpus_allowed_list /proc/self/status
    run_expect 125 step04 "${me[@]}" --cpuset-cpus 4095 root true
    say "What this machine doesn't have, or our own group doesn't, is refused before anything runs."
fi

say "7. Devices."
steal='mknod /dev/log0 c 1 11 && head -n 1 /dev/log0'
shut() { ! step04 root sh -c "$steal"; }
if possible "only root can make device nodes, so there is nothing to shut" is_root &&
    possible "the kernel's log can't be read here in any way" step03 root sh -c "$steal" &&
    possible "neither a devices controller nor BPF programs for cgroups" shut; then
    say "Root in a container of step 3 makes a node with the numbers of any device, and has the device.  Here it is" \
        "the kernel's log; 8:0 would be a disk."
    run step03 root sh -c "$steal"
    run_expect 1 step04 root sh -c "$steal"
    expect "Operation not permitted"
    say "In step 4 mknod still works, for archives hold such nodes; to open one is refused, whatever its name."
    if [ -c /dev/kmsg ]; then
        run step04 --device /dev/kmsg:r root head -n 1 /dev/kmsg
        run_expect 1 step04 --device /dev/kmsg:r root sh -c 'echo hello >/dev/kmsg'
        say "--device makes an exception, here for reading only."
    fi
fi

say "8. Freezing.  It counts to 1000, ten steps a second, until it is stopped as by Ctrl-Z:"
background step04 "${me[@]}" --freeze root sh -c 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo $i; sleep 0.1; done'
program=$!
groups=$(groups_of "$program" sh)
state=$(grep -m 1 /freezer/ <<<"$groups")/freezer.state || state=$(head -n 1 <<<"$groups")/cgroup.events
if possible "it got no group that could be frozen" test -e "$state"; then
    sleep 1
    run kill -TSTP "$program"
    until grep -qs -e FROZEN -e 'frozen 1' "$state"; do
        kill -0 "$program" || fail_lab "$(cat background)"
        sleep 0.1
    done
    run cat "$state"
    run 'tail -n 1 background; sleep 1; tail -n 1 background'
    [ "${OUTPUT%$'\n'*}" = "${OUTPUT#*$'\n'}" ] || fail_lab "it went on counting"
    say "It stands still.  A process can ignore SIGTSTP, and its parent hears of SIGSTOP; of this nobody inside hears."
    run kill -CONT "$program"
    before=$(wc -l <background)
    until [ "$(wc -l <background)" -gt "$before" ]; do sleep 0.1; done
    run tail -n 1 background
    say "And on it goes."
fi
pkill -KILL -P "$program"
wait "$program" || true

say "9. The cgroup namespace: the group that a process is in when it makes one is the top of the tree to it."
run cat /proc/self/cgroup
run step04 "${me[@]}" root cat /proc/self/cgroup
expect "0::/"
say "The container can't see in which group of the host it is, nor what else there is."

# In which trees the hierarchy is made by hand: the real root of each, so that one path fits all.
name=nine-$$-lab
above=(/sys/fs/cgroup/"$name") set=memory.max hits=memory.events.local
if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    # --cgroup-parent is looked up in every tree; a tree without it has no limits to offer.
    above=(/sys/fs/cgroup/{memory,devices}/"$name") set=memory.limit_in_bytes hits=memory.failcnt
fi
nests() {
    is_root || return 1
    parents=("${above[@]}")
    mkdir "${above[@]}" && step04 --cgroup-parent "$name" --memory 16M root true && rmdir "${above[@]}"
}
if possible "no group can be made at the top of the tree" nests; then
    say "10. The hierarchy.  A group by hand, limited to 32 MiB, and two containers below it:"
    run mkdir "${above[@]}"
    run "echo 32M > ${above[0]}/$set"
    run_expect 137 step04 --cgroup-parent "$name" --memory 16M --stats root tail /dev/zero
    expect 16777216
    run_expect 137 step04 --cgroup-parent "$name" --memory 64M --stats root tail /dev/zero
    [[ $OUTPUT =~ memory.peak\ +33[5-9] ]] || fail_lab "it was not held at 32 MiB"
    run "cat ${above[0]}/$hits"
    say "The first died at its own 16 MiB; the second was promised 64, and died at its parent's 32, whose count of hits" \
        "tells so.  A page counts for the group and for all above it, and the first that is full decides."
    run rmdir "${above[@]}"
fi
parents=()

if [ ! -e /sys/fs/cgroup ]; then exit 0; fi
run "find /sys/fs/cgroup -name 'nine-$$-*' -o -name 'nine-$program-*'"
[ -z "$OUTPUT" ] || fail_lab "groups were left behind"
say "Nothing is left.  (Had step04 been killed itself, \"make clean-host\" would remove its group.)"
