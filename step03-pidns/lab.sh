#!/bin/bash
# lab.sh - a process tree of its own, and what PID 1 means.  The chapter is docs/step03-pidns.md.
# shellcheck disable=SC2016 # what is in single quotes is for the shell that is shown
# shellcheck source=tools/lab.sh
source "$(dirname "$0")/../tools/lab.sh"
mini_root root

me=() raw=(unshare)
if ! is_root; then
    me=(--map-user) raw=(unshare --map-root-user)
    possible "an ordinary user may not make user namespaces here; \"make doctor\" tells the remedy" \
        step03 --map-user root true || exit 0
    say "You are not root: each command has --map-user."
fi

# Wait until the program in the background has printed TEXT.
printed() {
    local tries=100
    until grep -qs -e "$1" background; do
        ((tries-- > 0)) || fail_lab "it should have printed \"$1\": $(cat background)"
        sleep 0.1
    done
}

# Wait for the program PID, which must end with STATUS.
ends_with() {
    local status=0
    wait "$2" 2>/dev/null || status=$?
    show "wait $2; echo \$?"
    echo "$status"
    [ "$status" = "$1" ] || fail_lab "it ended with status $status, not $1"
}

say "1. The handmade container."
run step03 "${me[@]}" --hostname mini root /bin/sh -c 'echo "Hello from $(hostname)"; ps; sleep 1'
expect "Hello from mini"
[ "$(grep -c 'sh -c' <<<"$OUTPUT")" = 2 ] || fail_lab "ps should have shown two processes"
say "Two processes: the shell is PID 1, ps is the other.  ({ps}: busybox's shell runs ps without an exec, so that it" \
    "still has the shell's arguments.)"

say "2. The same from the shell, with unshare and chroot."
run "${raw[@]}" --fork --kill-child --pid --mount --uts --ipc --net bash -c '
  hostname mini
  mount -t proc proc "$1/proc"
  exec chroot "$1" /bin/sh -c "echo \"Hello from \$(hostname)\"; ps; sleep 1"
' lab root
expect "Hello from mini"
say "It looks the same.  But chroot is no wall:"
run 'cp "$(command -v escape)" root/bin/'
run "${raw[@]}" --fork --kill-child --pid --mount chroot root escape true
expect escaped
run_expect 1 step03 "${me[@]}" root escape
expect held
say "Namespaces hide what is outside; pivot_root takes it away."

say "3. The host's processes are out of reach."
background sleep 4711
sleeper=$!
run_expect 1 step03 "${me[@]}" root kill -TERM "$sleeper"
run_expect 1 step03 "${me[@]}" root ls -d "/proc/$sleeper/root"
run ps -o pid,args -p "$sleeper"
say "Inside, this number is nobody's, and /proc doesn't have it.  The host's \"sleep\" lives."
stop "$sleeper"

say "4. One process, several numbers."
background step03 "${me[@]}" root sleep 1000
program=$!
child=$(child_of "$program")
until grep -q sleep "/proc/$child/comm"; do sleep 0.1; done
run grep -E '^(Name|Pid|NSpid)' "/proc/$child/status"
say "The host sees what is inside, under a number of its own: the first of NSpid.  The last is the innermost's."

say "5. PID 1 gets no signal that it has no handler for."
run kill -TERM "$program"
printed "no handler"
run cat background
run ps -o pid,args -p "$child"
say "step03 passed SIGTERM on.  PID 1 is \"sleep\", which has no handler, so the kernel dropped the signal.  A second one" \
    "step03 takes as meant, and sends SIGKILL, which comes from outside and which not even PID 1 survives:"
run kill -TERM "$program"
ends_with 137 "$program"

background step03 "${me[@]}" root sh -c 'trap "echo bye; exit 3" TERM; echo ready; sleep 1000 & wait'
program=$!
printed ready
run kill -TERM "$program"
ends_with 3 "$program"
run cat background
say "With a handler, all is as usual, and the exit status comes back."

say "6. PID 1 is the parent of all orphans."
run step03 "${me[@]}" root sh -c '(sleep 1000 &); sleep 1; ps -o pid,ppid,args'
expect "1 sleep 1000"
say "The subshell that started \"sleep\" is gone; PID 1 has inherited it."
background step03 "${me[@]}" root sh -c '(sleep 1; echo gone) & exec sleep 1000'
program=$!
child=$(child_of "$program")
printed gone
sleep 0.2
run ps -o pid,stat,args --ppid "$child"
expect defunct
stop "$program"
say "And if PID 1 doesn't wait for its children, as \"sleep\" doesn't, they stay as zombies.  Step 9 has an init for that."

say "7. With PID 1 everything ends."
nap=$((10000 + $$))
run step03 "${me[@]}" root sh -c "sleep $nap & ps -o pid,args; exit 0"
expect "sleep $nap"
run_expect 1 pgrep -f -x "sleep $nap"
say "PID 1 ended, the kernel killed the rest, and step03 returned only after that."

say "8. Namespaces in namespaces."
run step03 "${me[@]}" --nest 3 root ps
background step03 "${me[@]}" --nest 3 root sleep 1000
program=$!
one=$(child_of "$program") two=$(child_of "$one") three=$(child_of "$two")
until grep -q sleep "/proc/$three/comm"; do sleep 0.1; done
run grep NSpid "/proc/$one/status" "/proc/$two/status" "/proc/$three/status"
stop "$program"
say "Read a line from left to right, from the host inwards: a process has a number in its own namespace and in each one" \
    "around it, and none further in."
