#!/bin/bash
# clean-host.sh - remove what runs that were killed may have left on this machine.
# DRY_RUN=1 only lists it; STORE=DIR names one more store to look at.
#
# Mounts and namespaces go by themselves with the last process in them, and the
# processes go with their parent (PR_SET_PDEATHSIG).  What stays has a name that
# tells whose it is:
#
#   cgroups       nine-PID-HEX, PID being the program that made it
#   store         layers/.new-*, a layer that was being unpacked; locked while it is
#   scratch       /tmp/nine-*, of tests and labs; in use while a process or mount is there
#
# What belongs to a process that lives is left alone.
set -euo pipefail
shopt -s nullglob dotglob
found=0

# Say what is done, and do it.
act() {
    found=$((found + 1))
    if [ -n "${DRY_RUN:-}" ]; then
        echo "would $1"
    else
        echo "$1"
        "${@:2}" || echo "  that failed: $1" >&2
    fi
}

# Whether PID is one of our programs (build/step05, nine) or can't be looked at.
is_ours() {
    local exe
    [ -e "/proc/$1" ] || return 1
    exe=$(readlink "/proc/$1/exe" 2>/dev/null) || return 0
    case ${exe##*/} in
        step0[1-9]* | test_* | nine*) return 0 ;;
        *) return 1 ;;
    esac
}

# Every group below DIR, and DIR last: children before parents, as rmdir wants it.
groups_of() { find "$1" -depth -type d; }

# On v1 a frozen process doesn't die of SIGKILL until it is thawed.
thaw() {
    local group
    for group in $(groups_of "$1"); do
        [ ! -e "$group/freezer.state" ] || echo THAWED >"$group/freezer.state"
        [ ! -e "$group/cgroup.freeze" ] || echo 0 >"$group/cgroup.freeze"
    done
}

remove_cgroup() {
    local group pid tries=50
    while [ -e "$1" ] && ((tries-- > 0)); do
        for group in $(groups_of "$1"); do
            while read -r pid; do
                [ "$pid" = 0 ] || kill -KILL "$pid" 2>/dev/null || true
            done <"$group/cgroup.procs"
            # EBUSY while the dead leave: then once more.
            rmdir "$group" 2>/dev/null || true
        done
        [ ! -e "$1" ] || sleep 0.1
    done
    [ ! -e "$1" ]
}

# On v1 a container has a group in each of several trees: all are thawed first.
clean_cgroups() {
    local root group pid abandoned=()
    while read -r root; do
        while read -r group; do
            pid=${group##*/nine-} pid=${pid%%-*}
            [[ ! $pid =~ ^[0-9]+$ ]] || is_ours "$pid" || abandoned+=("$group")
        done < <(find "$root" -type d -name 'nine-[0-9]*-*' -prune 2>/dev/null)
    done < <(awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/self/mounts)
    for group in "${abandoned[@]}"; do
        [ -n "${DRY_RUN:-}" ] || thaw "$group"
    done
    for group in "${abandoned[@]}"; do
        act "remove the cgroup $group" remove_cgroup "$group"
    done
}

# Who unpacks a layer holds a lock on the file beside it; see step05-overlay/store.h.
is_locked() { [ -e "$1" ] && ! flock --nonblock "$1" true; }

clean_stores() {
    local store new
    for store in "${STORE:-}" /var/lib/nine "${XDG_DATA_HOME:-$HOME/.local/share}/nine"; do
        for new in "$store"/layers/.new-*; do
            is_locked "${new/\/.new-//.lock-}" || act "remove the half-unpacked layer $new" remove_tree "$new"
        done
    done
}

# Whether a process has its root, its directory or an open file in PATH, or something is mounted there.
is_in_use() {
    local link target
    grep -qF " $1" /proc/self/mountinfo && return 0
    for link in /proc/[0-9]*/{cwd,root} /proc/[0-9]*/fd/*; do
        target=$(readlink "$link" 2>/dev/null) || continue
        case $target in "$1" | "$1"/*) return 0 ;; esac
    done
    return 1
}

# The suite or lab whose scratch directory it is may have nothing open there right now.
is_young() { [ -n "$(find "$1" -maxdepth 0 -mmin -2)" ]; }

remove_tree() {
    chmod -R u+rwX "$1" 2>/dev/null || true
    rm -rf --one-file-system "$1"
}

clean_scratch() {
    local path
    for path in /tmp/nine-*; do
        [ -O "$path" ] || [ "$(id -u)" = 0 ] || continue
        is_in_use "$path" || is_young "$path" || act "remove $path" remove_tree "$path"
    done
}

clean_cgroups
clean_stores
clean_scratch
[ "$found" != 0 ] || echo "clean-host: nothing was left"
