#!/bin/bash
# fresh.sh - try the README's two commands on a system where nothing is installed.
#
#   tools/fresh.sh DIRECTORY
#
# DIRECTORY holds such a system, with git in it, made for example by
#
#   debootstrap --include=git,ca-certificates bookworm /var/tmp/fresh/bookworm
#
# It is not touched: a copy beside it is used and removed.  All mounts are made in
# a mount namespace of our own, so that none can be left on this machine.
set -euo pipefail
system=$(realpath "${1:?usage: tools/fresh.sh DIRECTORY}")
tree=$(cd "$(dirname "$0")/.." && pwd)

if [ -z "${IN_NAMESPACE:-}" ]; then
    copy=$(mktemp -d "$(dirname "$system")/work-XXXXXX")
    trap 'rm -rf --one-file-system "$copy"' EXIT
    cp -a "$system/." "$copy/"
    WORK=$copy IN_NAMESPACE=1 unshare --mount --propagation private "$0" "$system"
    exit
fi

cp /etc/resolv.conf "$WORK/etc/resolv.conf"
git clone --quiet "$tree" "$WORK/root/nine-steps"
mount -t proc proc "$WORK/proc"
mount --rbind /sys "$WORK/sys"
mount --rbind /dev "$WORK/dev"

# As printed in the README, in a shell that knows nothing of this one.
in_copy() {
    echo "fresh: \$ $*"
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
        ${MUST:+MUST="$MUST"} chroot "$WORK" bash -c "cd /root/nine-steps && $*" </dev/null
}
in_copy ./setup.sh
in_copy make test
echo "fresh: both commands succeeded in a copy of $system"
