#!/bin/bash
# lab.sh - a jail by hand, what it hides and what it doesn't.  The chapter is docs/step01-chroot.md.
# shellcheck disable=SC2016 # what is in single quotes is for the shell that is shown
# shellcheck source=tools/lab.sh
source "$(dirname "$0")/../tools/lab.sh"

say "1. A root directory.  Busybox is a whole userland in one static file: it needs nothing around it."
run 'mkdir -p root/{bin,proc,sys,dev}'
run 'cp "$(command -v busybox)" root/bin/'

if ! is_root; then
    run_expect 125 step01 root /bin/busybox ls /
    say "chroot(2) is for root only, and so is the rest of this lab.  From step 2 on an ordinary user can do all" \
        "of it; to go on here, become root."
    exit 0
fi
run step01 root /bin/busybox --install -s /bin
run 'ls root/bin | wc -l'
say "Each of these names is a link to /bin/busybox, made by the busybox inside the jail."
run step01 root /bin/sh -c 'pwd; ls /; cd ../../..; pwd; ls -d /..'
expect /
say "The directory root is now \"/\", and \"..\" stops there."

say "2. A program with libraries.  A copy of bash alone doesn't start:"
run cp /bin/bash root/bin/
run_expect 127 step01 root /bin/bash
expect loader
say "\"No such file\" is not about bash, which is there.  It is about the loader that bash names, and behind the loader" \
    "wait the libraries:"
run ldd /bin/bash
run 'step01 --copy /bin/bash root /bin/bash -c '\''echo "this is bash $BASH_VERSION"'\'
expect "this is bash"
run 'find root -path root/bin -prune -o -type f -print'
expect root/lib
say "--copy brought what ldd lists, each file under the path where the loader looks for it, and the loader's index." \
    "(linux-vdso is no file: the kernel brings it.)"

say "3. What chroot doesn't hide.  The hostname is the host's, and it is not only there to be read.  (A copy of it," \
    "made by unshare --uts, stands in for the host's here.)"
run 'uname -n; step01 root uname -n'
if possible "unshare --uts is not permitted" unshare --uts true; then
    run unshare --uts sh -c 'step01 root hostname owned; uname -n'
    expect owned
fi

say "The network interfaces are the host's:"
run 'step01 root ip -o link | cut -d: -f2'
expect lo

say "The processes are the host's.  Root in the jail can kill them, and needs no /proc for that:"
background sleep 4711
sleeper=$!
run step01 root kill -TERM "$sleeper"
if wait "$sleeper" 2>/dev/null; then fail_lab "the host's process was not killed"; fi
say "The host's \"sleep\" is dead."

background sleep 4711
sleeper=$!
if possible "mounting /proc is not permitted" unshare --mount mount -t proc proc root/proc; then
    say "Once /proc is mounted, the jail also sees them.  (In a mount namespace, so that the mount goes away by itself.)"
    run unshare --mount sh -c "mount -t proc proc root/proc; step01 root ps | grep '[4]711'"
    expect "sleep 4711"
    run unshare --mount sh -c 'mount -t proc proc root/proc; step01 root wc -l /proc/self/mounts /proc/1/mounts'
    say "Its own list of mounts is short, for it leaves out what can't be reached from its root.  PID 1's has them all."
fi

say "4. What chroot doesn't hold: root.  escape.c moves its root below its working directory and walks up."
run 'cp "$(command -v escape)" root/bin/'
run 'ls -d "$PWD/root"'
run 'step01 root escape ls -d "$PWD/root"'
expect escaped
expect "$LAB/root"
say "That path exists only outside: the jail is open."
run_expect 1 chroot --userspec=65534:65534 root escape
expect held
say "It takes root to call chroot a second time.  That is why a daemon that jails itself must drop root right after." \
    "A container's root is to stay root, so it needs something better: step 2."
