#!/bin/bash
# doctor.sh - what this machine allows of what the steps need.
#
# A line for each thing: ok, warn (some step or some way of running it won't work)
# or MISSING (essential), and the remedy.  Only looks, never changes anything.
# Ends with 1 if something essential is missing.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
missing=0

ok()      { printf 'ok       %s\n' "$1"; }
warn()    { printf 'warn     %s\n         -> %s\n' "$1" "$2"; }
missing() { printf 'MISSING  %s\n         -> %s\n' "$1" "$2"; missing=1; }
title()   { printf '\n%s\n' "$*"; }
value()   { cat "$1" 2>/dev/null || true; } # of a kernel file that may not be there

check_kernel() {
    local release major minor name
    release=$(uname -r)
    IFS=.- read -r major minor _ <<<"$release"
    title "Kernel $release ($(uname -m))"
    if ((major > 5 || (major == 5 && minor >= 11))); then
        ok "5.11 or newer: clone3, openat2, pidfd, CLONE_INTO_CGROUP, overlay in user namespaces"
    elif ((major == 5 && minor >= 7)); then
        warn "older than 5.11: no overlay in user namespaces" "as root all steps work; a newer kernel does the rest"
    else
        missing "older than 5.7: clone3, openat2 or CLONE_INTO_CGROUP is not there" "use a newer kernel, or a virtual machine (make vm-test shows how)"
    fi
    for name in mnt uts ipc net pid user cgroup time; do
        if [ -e "/proc/self/ns/$name" ]; then continue; fi
        case $name in
            user | time | cgroup) warn "no $name namespace" "the kernel was built without it: its options of step 2 will fail" ;;
            *) missing "no $name namespace" "the kernel was built without it: use a distribution's kernel" ;;
        esac
    done
    [ ! -e /proc/self/ns/user ] || [ ! -e /proc/self/ns/time ] || ok "namespaces: $(echo /proc/self/ns/* | sed 's,/proc/self/ns/,,g')"
    if grep -qw overlay /proc/filesystems; then
        ok "overlay file system"
    elif modprobe -n overlay 2>/dev/null; then
        ok "overlay file system (a module, loaded at the first mount)"
    else
        warn "no overlay file system" "step 5 needs it: modprobe overlay, or another kernel"
    fi
}

check_place() {
    title "Where we are"
    case $(id -u) in
        0) ok "root" ;;
        *) warn "an ordinary user" "steps 2 to 5 work with --map-user; step 1 and most cgroups need sudo" ;;
    esac
    # A chroot's root directory is no mount, or the kernel refuses root a user namespace.
    if ! awk '$5 == "/" {found = 1} END {exit !found}' /proc/self/mountinfo ||
        { [ "$(id -u)" = 0 ] && [[ $(unshare --user true 2>&1) == *"not permitted"* ]]; }; then
        warn "inside a chroot: no pivot_root, no user namespaces" "tools/unchroot COMMAND steps out of it; labs and tests do so by themselves"
    fi
    if [ "$(id -u)" = 0 ]; then
        if unshare --mount --propagation unchanged --uts --pid --fork true 2>/dev/null; then
            ok "namespaces can be made"
        else
            missing "root may not make namespaces: is this a container?" "run it with --privileged, or use a virtual machine"
        fi
    fi
    mountpoint -q /proc || missing "/proc is not mounted" "mount -t proc proc /proc"
}

check_userns() {
    local max
    title "User namespaces (steps 2 to 5 without root)"
    max=$(value /proc/sys/user/max_user_namespaces)
    [ "${max:-1}" != 0 ] || warn "user.max_user_namespaces is 0" "sysctl user.max_user_namespaces=15000"
    [ "$(value /proc/sys/kernel/unprivileged_userns_clone)" != 0 ] ||
        warn "kernel.unprivileged_userns_clone is 0: for root only" "sysctl kernel.unprivileged_userns_clone=1"
    [ "$(value /proc/sys/kernel/apparmor_restrict_unprivileged_userns)" != 1 ] ||
        warn "AppArmor restricts user namespaces of ordinary users (Ubuntu 23.10 and later)" \
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile with \"userns,\" for build/step*"
    if unprivileged unshare --user --map-root-user --uts hostname x 2>/dev/null; then
        ok "an ordinary user can make one and act in it"
    else
        warn "an ordinary user can't use them" "see above; as root all works but --map-user"
    fi
    if command -v newuidmap >/dev/null && grep -qs "^$(id -un):" /etc/subuid; then
        ok "subordinate ids: $(grep "^$(id -un):" /etc/subuid | head -n 1)"
    elif ! command -v newuidmap >/dev/null; then
        warn "no newuidmap: one user id only in user namespaces" "make deps (apt: uidmap)"
    elif [ "$(id -u)" != 0 ]; then
        warn "no line for $(id -un) in /etc/subuid: one user id only" "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)"
    fi
}

# Run a command as an ordinary user: as nobody if we are root.
unprivileged() {
    if [ "$(id -u)" != 0 ]; then "$@"; else setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; fi
}

check_cgroups() {
    local v1 v2 own dir
    title "Control groups (step 4)"
    v2=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/self/mounts)
    v1=$(awk '$3 == "cgroup" {n = split($4, o, ","); s = ""; for (i = 1; i <= n; i++) if (o[i] !~ /^(rw|ro|relatime|nosuid|nodev|noexec|xattr)$/ && o[i] !~ /=/) s = s o[i] " "; printf "%s", s}' /proc/self/mounts)
    case ${v1:+1}${v2:+2} in
        12) ok "hybrid: v1 has ${v1}and v2 ($v2) has $(value "$v2/cgroup.controllers")" ;;
        2) ok "v2, at $v2, with $(value "$v2/cgroup.controllers")" ;;
        1) ok "v1: $v1" ;;
        *) warn "no cgroup file system is mounted" "mount -t cgroup2 cgroup2 /sys/fs/cgroup" && return ;;
    esac
    for dir in memory cpu pids cpuset io freezer; do
        case " $v1 $(value "$v2/cgroup.controllers" 2>/dev/null) " in
            *" $dir "*) ;;
            *) case $dir:$v1 in
                io:*blkio*) ;;
                freezer:) ;; # part of every v2 group
                *) warn "no $dir controller" "it may be off on the kernel's command line (cgroup_disable=, cgroup_enable=memory)" ;;
            esac ;;
        esac
    done
    own=$(sed -n 's/^0:://p' /proc/self/cgroup)
    if [ "$(id -u)" = 0 ]; then
        awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/self/mounts | while read -r dir; do
            [ -w "$dir" ] || warn "$dir is read-only" "in a container: run it with --privileged or --cgroupns"
        done
    elif [ -n "$v2" ] && [ -w "$v2$own/cgroup.procs" ]; then
        ok "delegated to you: $own with $(value "$v2$own/cgroup.controllers")"
    elif [ -n "$v2" ] && [ -w "$(dirname "$v2$own")/cgroup.procs" ]; then
        ok "delegated to you: $(dirname "$own") with $(value "$(dirname "$v2$own")/cgroup.controllers")"
    else
        warn "no cgroup is delegated to you ($own): no limits without root" "systemd-run --user --scope -p Delegate=yes $SHELL"
    fi
}

check_network() {
    local policy=''
    title "Network (step 7)"
    if command -v ip >/dev/null; then ok "ip"; else warn "no ip command" "make deps (iproute2)"; fi
    if command -v nft >/dev/null; then ok "nft"; else warn "no nft command: no NAT in step 7" "install nftables"; fi
    [ "$(value /proc/sys/net/ipv4/ip_forward)" = 1 ] || warn "net.ipv4.ip_forward is 0: containers reach this host only" "sysctl net.ipv4.ip_forward=1 (step 7 says when)"
    if [ "$(id -u)" = 0 ]; then
        policy=$({ iptables -S FORWARD || nft list chain ip filter FORWARD; } 2>/dev/null | grep -iE -m 1 'policy|-P' || true)
        case ${policy^^} in
            *DROP*) warn "the FORWARD chain drops by default (Docker does that)" "iptables -I DOCKER-USER -i nine0 -j ACCEPT, or a rule of your own" ;;
            *) ok "FORWARD policy: ${policy:-no such chain, nothing is dropped}" ;;
        esac
    fi
}

check_programs() {
    local result
    title "Programs"
    if result=$(PRINT=1 "$(dirname "$0")/deps.sh" 2>&1) && [[ $result == *"all that is needed"* ]]; then
        ok "packages: all that is needed is installed"
    else
        case " $result " in
            *" make "* | *" gcc "* | *" libc6-dev "*) missing "packages: $(head -n 1 <<<"$result")" "make deps" ;;
            *) warn "packages: $(head -n 1 <<<"$result")" "make deps" ;;
        esac
    fi
    if ! command -v busybox >/dev/null; then
        missing "no busybox" "make deps (busybox-static)"
    elif ldd "$(command -v busybox)" >/dev/null 2>&1; then
        missing "busybox needs libraries, which the containers don't have" "install busybox-static in its place"
    else
        ok "busybox is static"
    fi
}

check_kernel
check_place
check_userns
check_cgroups
check_network
check_programs
[ "$missing" = 0 ]
