#!/bin/bash
# lab.sh - one namespace after the other, and pivot_root.  The chapter is docs/step02-unshare.md.
# shellcheck disable=SC2016 # what is in single quotes is for the shell that is shown
# shellcheck source=tools/lab.sh
source "$(dirname "$0")/../tools/lab.sh"
mini_root root

# Root needs no user namespace; an ordinary user gets the right to all others from it.
me=()
if ! is_root; then
    me=(--map-user)
    possible "an ordinary user may not make user namespaces here; \"make doctor\" tells the remedy" \
        step02 --map-user root true || exit 0
    say "You are not root: each command has --map-user, see 7."
fi

say "1. A hostname of its own."
run step02 "${me[@]}" --hostname mini root hostname
expect mini
run uname -n
say "The host keeps its own."

say "2. Every namespace is a file in /proc/PID/ns: same inode number, same namespace."
run step02 "${me[@]}" --verbose root true
expect "uts"
say "What is not marked \"new\" is still the host's."
run step02 "${me[@]}" --verbose --uts root true
say "A flag names what to separate.  The mount namespace always comes along, for pivot_root needs it."

say "3. A network stack of its own: one interface, which is down, no address, no route."
run step02 "${me[@]}" root ip addr
expect "lo:"
if [[ $OUTPUT == *eth* ]]; then fail_lab "the host's interfaces are visible"; fi
run_expect 1 step02 "${me[@]}" root ping -c 1 127.0.0.1
run step02 "${me[@]}" root sh -c 'ip link set lo up; ping -c 1 127.0.0.1'
say "Not even localhost works before somebody sets it up.  A way out of the box comes in step 7."

say "4. Mounts of its own."
background step02 "${me[@]}" root sh -c 'mount -t tmpfs tmpfs /mnt; echo hello >/mnt/file; ls /mnt; sleep 1000'
program=$!
until grep -qs file background; do
    kill -0 "$program" || fail_lab "$(cat background)"
    sleep 0.1
done
run cat background
run ls -A root/mnt
run_expect 1 grep "$PWD/root/mnt" /proc/self/mounts
say "The same directory: a file for those inside, an empty directory and no mount for the host."
child=$(child_of "$program")
run cat "/proc/$child/root/mnt/file"
say "It is private, not secret: from outside the way leads through the process."
stop "$program"

if possible "ipcmk and ipcs are not installed" command -v ipcmk ipcs; then
    say "5. System V shared memory and POSIX message queues of its own."
    run step02 "${me[@]}" --copy ipcmk --copy ipcs root sh -c 'ipcmk --shmem 4711; ipcs --shmems'
    expect 4711
    run_expect 1 'ipcs --shmems | grep 4711'
    say "The segment was never the host's, and it went with its namespace."
fi

say "6. A clock of its own: the container has been up for a day more than the host."
run 'cat /proc/uptime'
run step02 "${me[@]}" --time=86400 root uptime
expect day
say "Only the clocks that count from the boot can be moved; the time of day is everybody's."

say "7. Users of its own.  A user namespace takes no right to make, and gives all rights inside."
nobody=()
if is_root; then
    cp "$(command -v step02)" . # what is below the home of root nobody can execute
    PATH=$PWD:$PATH
    nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
run_expect 125 "${nobody[@]}" step02 root true
expect --map-user
if possible "an ordinary user may not make user namespaces here; \"make doctor\" tells the remedy" \
    "${nobody[@]}" step02 --map-user root true; then
    run "${nobody[@]}" step02 --map-user root sh -c 'id; touch /tmp/mine; ls -l /tmp'
    expect "uid=0(root)"
    run ls -ln root/tmp
    say "Root inside, an ordinary user outside: the same file, two owners."
    background "${nobody[@]}" step02 --map-user root sleep 1000
    program=$!
    child=$(child_of "$program")
    until grep -q sleep "/proc/$child/comm"; do sleep 0.1; done
    run cat "/proc/$child/uid_map"
    run ps -o user,pid,args -p "$child"
    stop "$program"
    say "The map's line reads: from id 0 inside, from this id outside, so many ids."
fi

say "8. The breakout of step 1, once more."
run 'cp "$(command -v escape)" root/bin/'
run_expect 1 step02 "${me[@]}" root escape
expect held
say "It walks up as before and arrives at the jail's own root.  pivot_root put that at the top, and the host's root was" \
    "unmounted: there is no outside left."

say "9. What is still open."
background sleep 4711
sleeper=$!
run step02 "${me[@]}" root sh -c 'echo "I am process $$"'
if is_root; then
    run step02 root sh -c "mount -t proc proc /proc; ls -d /proc/$sleeper/root$LAB"
    expect "$LAB"
    say "A host's process, seen through /proc, has the host's root below its \"root\": the way out is back."
fi
run step02 "${me[@]}" root kill -TERM "$sleeper"
if wait "$sleeper" 2>/dev/null; then fail_lab "the host's process was not killed"; fi
say "The host's \"sleep\" is dead.  The process numbers are the host's, and so are the processes: step 3."
