#!/bin/bash
# shell.sh - an interactive shell in the container of one step: shell.sh 05
set -euo pipefail
step=$1

# shellcheck source=tools/lab.sh
source "$(dirname "$0")/lab.sh"
mini_root root

options=()
case $step in
    01) ;;
    *) options+=(--hostname "step$step") ;;
esac
# From step 2 on it takes no root: a user namespace makes its owner root inside.
is_root || case $step in
    01) echo "step01 needs root: chroot is for root only" >&2; exit 1 ;;
    *) options+=(--map-user) ;;
esac
case $step in
    05) options+=(--layer root) ;;
    *) options+=(root) ;;
esac

echo "\$ step$step ${options[*]} /bin/sh      (\"exit\" leaves it)"
status=0
"step$step" "${options[@]}" /bin/sh || status=$?
echo "The shell ended with status $status."
