#!/bin/bash
# image.sh - make an OCI image of busybox: image.sh DIRECTORY
#
# Three layers, so that there is something to see in them: a whole userland, a
# file that is changed, and a file that is deleted (a whiteout).  As an image
# layout with the tag "latest"; needs no root.  Times are fixed, so that the same
# busybox gives the same layers.
set -euo pipefail
export LC_ALL=C
umask 022

target=${1:?usage: image.sh DIRECTORY}
new=$target.new
tree=$new.tree
changes=$new.changes
tar=$new.tar
created=2026-01-01T00:00:00Z

tidy_up() { rm -rf "$new" "$tree" "$changes" "$tar"; }
trap tidy_up EXIT
tidy_up
mkdir -p "$(dirname "$target")"

mkdir -p "$tree"/{bin,dev,etc,home,mnt,proc,root,run,sys,tmp,usr,var}
chmod 1777 "$tree/tmp"
ln -s bin "$tree/sbin"
ln -s ../bin "$tree/usr/bin"
cp "$(command -v busybox)" "$tree/bin/busybox"
for name in $(busybox --list); do
    [ -e "$tree/bin/$name" ] || ln -s busybox "$tree/bin/$name"
done
printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/home:/bin/sh >"$tree/etc/passwd"
printf '%s\n' root:x:0: nogroup:x:65534: >"$tree/etc/group"
echo 'This line is of the first layer.' >"$tree/etc/motd"
echo 'The third layer deletes this file.' >"$tree/etc/first-only"
mkdir -p "$changes/second/etc" "$changes/third/etc"
echo 'Nine Steps to a Container: this line is of the second layer.' >"$changes/second/etc/motd"
: >"$changes/third/etc/.wh.first-only"

umoci() { command umoci "$@" >/dev/null; }
# "umoci insert" would make the layers too, but leaves out the end of their tar archives.
layer() {
    tar -cf "$tar" -C "$1" --sort=name --mtime="$created" --owner=0 --group=0 --numeric-owner .
    umoci raw add-layer --image "$new:latest" --history.created "$created" --history.created_by tools/image.sh "$tar"
}
umoci init --layout "$new"
umoci new --image "$new:latest"
layer "$tree"
layer "$changes/second"
layer "$changes/third"
umoci config --image "$new:latest" --created "$created" --no-history --author tools/image.sh \
    --config.cmd /bin/sh --config.env PATH=/bin --config.workingdir / \
    --config.label org.opencontainers.image.title=busybox
umoci gc --layout "$new"

chmod -R a+rX "$new" # umoci keeps some files to itself
rm -rf "$target"
mv "$new" "$target"
echo "image: $target:latest"
