# shellcheck shell=bash
# lab.sh - the words that labs are written in.  A lab is a script that shows commands,
# runs them and says what was seen; it fails as soon as one doesn't do as told.
#
#     source "$(dirname "$0")/../tools/lab.sh"
#     mini_root root
#     say "The container has a hostname of its own."
#     run step02 --hostname mini root hostname
#     expect mini
#     run_expect 127 step02 root no-such-command
#
# The lab's working directory is $LAB, an empty one that is removed at the end,
# whatever happens; the programs in build/ are in $PATH.
#
#   say TEXT               one sentence, on what was seen or what comes
#   run COMMAND...         show "$ COMMAND", run it; it must succeed.  A single word
#                          with spaces or the like is given to bash: run 'ps | wc -l'
#   run_expect N COMMAND   the same for a command that must end with status N
#   background COMMAND...  the same without waiting; its pid is in $!, and at the end
#                          of the lab it is killed.  What it prints is in $LAB/background
#   child_of PID           the process that the program PID, in the background, has started
#   stop PID               end a program in the background, without a word from bash
#   expect TEXT            the last command's output, $OUTPUT, must contain TEXT
#   possible "REASON" TEST...   for "if": run the TEST; if it fails, say that a passage
#                          is skipped because of REASON
#   mini_root DIR          make a root file system of busybox
#   is_root                a TEST
#
# PAUSE=1 waits for Enter before each command is run.
set -euo pipefail
export LC_ALL=C

TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$(cd "$TREE" && realpath "${BUILD:-build}")
PATH=$BUILD:$PATH:/usr/sbin:/sbin
# In a chroot the kernel refuses what labs show: leave it, if we may.
if [ -z "${UNCHROOT:-}" ] && [ -x "$BUILD/unchroot" ]; then
    export BUILD
    UNCHROOT=1 exec "$BUILD/unchroot" bash "$(realpath "$0")" "$@"
fi
LAB=$(mktemp -d /tmp/nine-lab-XXXXXX)
chmod 755 "$LAB"
RECORD=$(mktemp /tmp/nine-lab-XXXXXX) # what the last command printed
OUTPUT='' STATUS=0

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' green=$'\e[32m' plain=$'\e[0m'; else bold='' green='' plain=''; fi

tidy_up() {
    local pid
    for pid in $(jobs -p); do kill -KILL "$pid" 2>/dev/null || true; done
    wait 2>/dev/null
    cd /
    rm -rf --one-file-system "$LAB" "$RECORD"
}
trap tidy_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '%s\n\n' "$green$*$plain" | fold -s -w 100; }

# Words as one would type them.
quoted() {
    local word line=''
    for word; do
        [[ $word =~ ^[][A-Za-z0-9_./:=,@%+^-]+$ ]] || word="'${word//\'/\'\\\'\'}'"
        line+="$word "
    done
    printf '%s' "${line% }"
}

show() {
    local line
    if [ $# = 1 ]; then line=$1; else line=$(quoted "$@"); fi
    printf '%s\n' "$bold\$ $line$plain"
    if [ -n "${PAUSE:-}" ]; then read -r -s </dev/tty; fi
}

run_expect() {
    local expected=$1
    shift
    show "$@"
    if [ $# = 1 ]; then set -- bash -c "$1"; fi
    STATUS=0
    "$@" </dev/null 2>&1 | tee "$RECORD" || STATUS=${PIPESTATUS[0]}
    OUTPUT=$(<"$RECORD")
    [ "$STATUS" = "$expected" ] || fail_lab "it ended with status $STATUS, not $expected"
}

run() { run_expect 0 "$@"; }

background() {
    local tries
    show "$(quoted "$@") &"
    "$@" </dev/null >"$LAB/background" 2>&1 &
    # Until it is the command: a signal that came before would be lost in our copy.
    for ((tries = 0; tries < 100; tries++)); do
        [ "$(cat /proc/$!/comm 2>/dev/null)" = "$(cat /proc/$$/comm)" ] || break
        sleep 0.01
    done
}

child_of() {
    until pgrep -P "$1"; do
        kill -0 "$1" || fail_lab "$(cat "$LAB/background")"
        sleep 0.1
    done
}

stop() { { kill -KILL "$1"; wait "$1"; } 2>/dev/null || true; }

expect() {
    [[ $OUTPUT == *"$1"* ]] || fail_lab "its output should have contained: $1"
}

fail_lab() {
    echo "${0#"$TREE"/}: $*" >&2
    exit 1
}

possible() {
    local reason=$1
    shift
    "$@" >/dev/null 2>&1 || { say "(Skipped here: $reason.)"; return 1; }
}

is_root() { [ "$(id -u)" = 0 ]; }

mini_root() {
    local name
    (cd "$LAB" && mkdir -p "$1" && cd "$1" &&
        mkdir -p bin dev etc home mnt proc root run sys tmp usr var && chmod 1777 tmp &&
        ln -s bin sbin && ln -s ../bin usr/bin &&
        cp "$(command -v busybox)" bin/busybox &&
        for name in $(busybox --list); do [ -e "bin/$name" ] || ln -s busybox "bin/$name"; done &&
        echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd && echo 'root:x:0:' >etc/group)
}

cd "$LAB"
