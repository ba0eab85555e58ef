#!/bin/bash
# stress.sh - many runs, many at a time, many killed: nothing may be left.
#
#   make stress                     as root; RUNS=200 KILLS=100 are the defaults
#   tests/stress.sh [STEP]...       default: 01 02 03 04 05
#
# For each step three checks: RUNS runs in a row, RUNS runs 20 at a time, KILLS runs
# whose program gets SIGKILL after 0 to 30 ms.  After the first two there must be no
# cgroup, mount, process or file that wasn't there before.  After the third the
# kernel must have ended the processes and removed the mounts by itself; the cgroups
# and half-unpacked layers that it can't remove are counted, and must be gone after
# tools/clean-host.sh.  What was asked to be kept stays: --upper, whole layers and
# their lock files.
#
# Without a pid namespace (step 2) the grandchildren of a killed program live on, so the
# killed runs have none: their command is "sleep" itself.
set -euo pipefail
export LC_ALL=C

: "${RUNS:=200}" "${KILLS:=100}"
tree=$(cd "$(dirname "$0")/.." && pwd)
BUILD=$(cd "$tree" && realpath "${BUILD:-build}")
export BUILD
# In a chroot the kernel refuses what steps 2 to 5 do: leave it, if we may.
if [ -z "${UNCHROOT:-}" ] && [ -x "$BUILD/unchroot" ]; then
    UNCHROOT=1 exec "$BUILD/unchroot" bash "$tree/tests/stress.sh" "$@"
fi
[ $# != 0 ] || set -- 01 02 03 04 05
passed=0 failed=0

finish() { echo "stress: $passed passed, $failed failed, $1 skipped"; }

if [ "$(id -u)" != 0 ]; then
    echo "stress: skipped (root: step01 needs it, and the others' cgroups)"
    finish $((3 * $#))
    exit 0
fi

work=$(mktemp -d /tmp/nine-stress-XXXXXX)
marker=$(printf '9%08d' $$) # whoever has this among its arguments is ours
tidy_up() {
    cd /
    rm -rf --one-file-system "$work"
}
trap tidy_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$work"

# ---- what to run -------------------------------------------------------------

make_root() {
    local name
    mkdir -p root/bin root/dev root/etc root/proc root/sys root/tmp
    cp "$(command -v busybox)" root/bin/busybox
    for name in sh sleep true; do ln -s busybox "root/bin/$name"; done
    echo 'root:x:0:0:root:/root:/bin/sh' >root/etc/passwd
}

make_image() {
    tar -C root -cf root.tar .
    "$tree/tests/layout.sh" "$work/image" root.tar
}

# The command line of a step, in $command; $2 is the number of the run.
choose() {
    local program=STEP$1
    program=$(realpath "${!program:-$BUILD/step$1}")
    command=("$program" "$work/root")
    [ "$1" = 05 ] || return 0
    case $(($2 % 4)) in
        0) command=("$program" --store "$work/store" --image "$work/image") ;;
        1) command=("$program" --layer "$work/root" --upper "$work/upper") ;;
        *) command=("$program" --layer "$work/root" --tmpfs /tmp --volume "$work:/mnt:ro") ;;
    esac
}

# ---- what is there -------------------------------------------------------------

# A group's name tells which program made it: one of those that we started?
list_cgroups() {
    find /sys/fs/cgroup -type d -name 'nine-*' 2>/dev/null | grep -F -f pids | sed 's/^/cgroup /' || true
}

# The container's command, or a program of ours on its way to it.
list_processes() {
    # shellcheck disable=SC2062 # it is the files that have a pattern
    grep -laF -f - /proc/[0-9]*/cmdline 2>/dev/null <<<"$work"$'\n'"$marker" | sed 's/^/process /' || true
}

# Names that others use too (suites, labs) are theirs.
list_files() {
    find /tmp -maxdepth 1 -name 'nine-*' ! -name 'nine-test-*' ! -name 'nine-lab-*' -printf 'file %p\n'
    find "$work/root" -printf 'file %p %s %T@\n'
    [ ! -e store ] || find store -name '.new-*' -prune -printf 'file %p\n'
}

list_all() {
    {
        sed 's/^/mount /' /proc/self/mountinfo
        list_cgroups
        list_processes
        list_files
    } | sort
}

# What is there now and wasn't in the beginning, or the other way round.
changes() { comm -3 before <(list_all); }

# Processes and groups on their way out get a moment.
settle() {
    local tries=50
    while ((tries-- > 0)); do
        changes >left
        [ -s left ] || return 0
        grep -q "$1" left || return 0
        sleep 0.1
    done
}

# verdict STEP WHAT: nothing may be left, and nothing may have gone wrong.
verdict() {
    if [ -s left ] || [ -s errors ]; then
        failed=$((failed + 1))
        echo "step$1: $2: FAILED"
        head -n 5 left errors log | cut -c 1-200
    else
        passed=$((passed + 1))
    fi
}

# ---- the three checks ------------------------------------------------------------

# Start run number $2 of a step with the command "${@:3}"; its process is $pid.
start() {
    choose "$1" "$2"
    "${command[@]}" "${@:3}" </dev/null >/dev/null 2>>log &
    pid=$!
    echo "/nine-$pid-" >>pids
}

end() {
    wait "$1" || echo "a run ended with status $?" >>errors
}

in_a_row() {
    local i
    for ((i = 0; i < RUNS; i++)); do
        start "$1" "$i" true
        end "$pid"
    done
    settle .
    verdict "$1" "$RUNS runs in a row"
}

at_a_time() {
    local i job jobs=()
    rm -rf store # so that the first ones unpack the image at the same time
    for ((i = 0; i < RUNS; i++)); do
        start "$1" 0 true
        jobs+=("$pid")
        [ ${#jobs[@]} = 20 ] || continue
        for job in "${jobs[@]}"; do end "$job"; done
        jobs=()
    done
    for job in "${jobs[@]}"; do end "$job"; done
    settle .
    verdict "$1" "$RUNS runs, 20 at a time"
}

count() { grep -c "^[[:blank:]]*$1" left || true; }

killed() {
    local i
    for ((i = 0; i < KILLS; i++)); do
        ((i % 8)) || rm -rf store # and so some are killed while they unpack
        start "$1" "$i" sleep "$marker"
        sleep "$(printf '0.%03d' $((RANDOM % 31)))"
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null || true
    done
    settle '^[[:blank:]]*\(process\|mount\)'
    remains="$(count cgroup) cgroups and $(count file) half-unpacked layers"
    grep '^[[:blank:]]*\(process\|mount\)' left >>errors || true
    STORE=$work/store "$tree/tools/clean-host.sh" >clean.log 2>&1 || cat clean.log >>errors
    settle .
    verdict "$1" "$KILLS killed runs"
}

make_root
make_image
for step; do
    rm -rf store upper
    : >errors
    : >log
    echo "/nine-none" >pids
    list_all >before
    at=$failed
    in_a_row "$step"
    at_a_time "$step"
    killed "$step"
    [ "$failed" != "$at" ] || echo "step$step: $RUNS runs in a row and $RUNS runs 20 at a time left nothing;" \
        "$KILLS killed ones left $remains, and nothing after clean-host"
done
finish 0
[ "$failed" = 0 ]
