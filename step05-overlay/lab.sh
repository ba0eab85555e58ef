#!/bin/bash
# lab.sh - layers, what is written on them, and an image of them.  The chapter is docs/step05-overlay.md.
# shellcheck disable=SC2016 # what is in single quotes is for the shell that is shown
# shellcheck source=tools/lab.sh
source "$(dirname "$0")/../tools/lab.sh"
mini_root base

# Overlay leaves work/work behind with mode 000, which keeps an ordinary user's rm out.
trap 'chmod -R u+rwX "$LAB"/*/work 2>/dev/null || true; tidy_up' EXIT

me=()
if ! is_root; then
    me=(--map-user)
    possible "an ordinary user may not make user namespaces here; \"make doctor\" tells the remedy" \
        step05 --map-user --layer base true || exit 0
fi

# Does a container start with these options?
works() { step05 "${me[@]}" "$@" --layer base true; }

say "1. What step 4 leaves open: the container's root is a directory of the host, and what is written there stays."
run step04 "${me[@]}" base sh -c 'echo "I was here" >/etc/motd'
run cat base/etc/motd
rm base/etc/motd
say "A second container would find it, or find missing what this one deleted."

say "2. Layers.  The same directory as a layer, and a small one on top:"
run 'mkdir -p app/etc app/srv/data && echo "This is of app." >app/etc/motd && echo 1 >app/srv/data/one'
run step05 "${me[@]}" --layer base --layer app sh -c 'ls /; cat /etc/motd'
expect "This is of app."
run step05 "${me[@]}" --layer base --layer app sh -c 'rm -r /bin /etc/motd; echo "I was here" >/etc/issue; echo /etc/*'
run 'ls base/bin | wc -l; ls base/etc app/etc'
say "The container deleted and wrote at will, and the layers are as before.  What it wrote went into a third directory," \
    "in memory, and is gone."

say "3. That third directory, kept."
if possible "an upper directory can't be in $LAB: on an overlay, NFS or FAT" works --upper mine; then
    run step05 "${me[@]}" --layer base --layer app --upper mine \
        sh -c 'echo "And this was added." >>/etc/motd; touch /bin/busybox; rm /etc/group; echo new >/root/notes'
    run 'cd mine/upper && find . -type f -size +100k -exec ls -s {} + ; ls -l etc root; cat etc/motd'
    expect "This is of app."
    expect "And this was added."
    say "This is copy-up: before its first change a file is copied from below, whole.  The touch alone cost all of busybox." \
        "The deleted file left a character device 0, 0, a whiteout: it hides what is below."
    run step05 diff --layer base --layer app --upper mine
    expect "D /etc/group"
    say "So the difference can be told from upper alone.  A as added, C as changed, D as deleted: what \"docker diff\" prints."
    run step05 "${me[@]}" --layer base --layer app --upper mine cat /root/notes
    say "The next container with the same --upper goes on from there."

    say "4. A directory that is removed and made anew must not show its old files again:"
    run step05 "${me[@]}" --layer base --layer app --upper mine \
        sh -c 'rm -r /srv/data; mkdir /srv/data; echo 2 >/srv/data/two; ls /srv/data'
    run ls mine/upper/srv/data
    run step05 diff --layer base --layer app --upper mine
    expect "D /srv/data/one"
    say "No whiteout here, and \"one\" is hidden all the same: the new directory is marked as opaque."
    if possible "getfattr (package attr) is not installed" command -v getfattr; then
        run getfattr -d -m overlay mine/upper/srv/data
        expect opaque
    fi
fi

say "5. A layer can be made of such marks, too: this one deletes motd."
run mkdir -p less/etc
if possible "an ordinary user makes whiteouts since Linux 5.8 only" mknod less/etc/motd c 0 0; then
    rm less/etc/motd
    run mknod less/etc/motd c 0 0
    run_expect 1 step05 "${me[@]}" --layer base --layer app --layer less cat /etc/motd
    expect "No such file"
fi

say "6. Volumes: directories of the host, past all layers."
run 'mkdir shared && echo "from the host" >shared/file'
run step05 "${me[@]}" --layer base --volume shared:/data sh -c 'cat /data/file; echo "from inside" >>/data/file'
run cat shared/file
expect "from inside"
run_expect 1 step05 "${me[@]}" --layer base --volume shared:/data:ro sh -c 'cat /data/file; echo again >>/data/file'
expect "Read-only file system"

say "7. A tmpfs, and nothing else to write on:"
run step05 "${me[@]}" --layer base --read-only --tmpfs /scratch:size=1m \
    sh -c 'touch /etc/new; dd if=/dev/zero of=/scratch/big bs=512k; ls -s /scratch'
expect "Read-only file system"
expect "No space left on device"

on_disk() { [ "$(stat -f -c %T .)" != tmpfs ]; }
if possible "no memory controller for us" works --memory 32M; then
    say "8. What is thrown away is in memory until then, and counts as the container's:"
    run_expect 137 step05 "${me[@]}" --memory 32M --layer base dd if=/dev/zero of=/big bs=1M count=64
    if possible "$LAB is not on a disk" on_disk && works --upper big; then
        run step05 "${me[@]}" --memory 32M --layer base --upper big dd if=/dev/zero of=/big bs=1M count=64
        run ls -s big/upper
        say "On a disk the same file is cache, which the kernel can write out and forget."
    fi
fi

say "9. An image.  \"make image\" made one of busybox; it is a directory in the OCI's layout:"
cp -r "$BUILD/busybox" image
run 'cd image && ls * blobs/sha256'
run cat image/index.json
echo
digest='sha256:[0-9a-f]{64}'
digests_in() { grep -oE "$digest" "$1" | sed 's,:,/,'; }
manifest=$(digests_in image/index.json)
run "grep -oE '\"(config|layers)\"|$digest' image/blobs/$manifest"
config=$(digests_in "image/blobs/$manifest" | head -n 1)
run "head -c 300 image/blobs/$config"
echo
top=$(digests_in "image/blobs/$manifest" | tail -n 1)
run "tar -tf image/blobs/$top"
expect etc/.wh.first-only
say "The index names a manifest, that names a config and three layers; the config says what to run.  Each name is the" \
    "SHA-256 of the file, so all hangs on the index.  In a layer's archive a whiteout is an empty file, .wh.NAME."

say "10. Unpacked: a directory for each layer, in the store."
run step05 unpack --store store image:latest
run 'ls -l store/layers/*/etc'
say "They are named after the digests of the bare archives: two images that share a layer share its directory.  In the" \
    "third, .wh.first-only has become overlay's whiteout."

say "11. And so all five steps together: an image, namespaces, processes, limits, and a root to write on."
limits=()
for limit in '--memory 64M' '--pids 32' '--cpus 0.5'; do
    read -ra words <<<"$limit"
    if possible "no controller for us that could do ${words[0]}, so it is left out" works "${words[@]}"; then
        limits+=("${words[@]}")
    fi
done
run step05 "${me[@]}" --store store --image image:latest --hostname nine "${limits[@]}" --stats \
    sh -c 'hostname; id -u; ps; cat /etc/motd; ls /etc; rm /etc/motd; df -h / | tail -n 1'
expect $'nine\n0\n'
expect "Nine Steps to a Container"
if [[ $OUTPUT == *first-only* ]]; then fail_lab "a deleted file is there"; fi
run step05 "${me[@]}" --store store --image image:latest cat /etc/motd
say "A container, from an image, with nothing left of it.  Without a command it would have run the image's own, /bin/sh."

say "12. A blob that isn't what its name says.  One byte of the first layer is another:"
bottom=$(digests_in "image/blobs/$manifest" | sed -n 2p)
run "cp -r image tampered && printf X | dd of=tampered/blobs/$bottom bs=1 seek=5000 conv=notrunc status=none"
run_expect 125 step05 "${me[@]}" --store store2 --image tampered:latest true
run ls -A store2/layers
say "Nothing of it is kept.  (Another store, since in ours the layer is there already, and nobody looks at the blob.)"

if is_root; then
    say "13. The same as an ordinary user: no root anywhere."
    cp "$(command -v step05)" "$(command -v step05-unpack)" . # below the home of root nobody can execute them
    PATH=$PWD:$PATH
    nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    mkdir -m 700 theirs && chown 65534:65534 theirs
    if possible "an ordinary user may not make user namespaces or overlays here; \"make doctor\" tells the remedy" \
        "${nobody[@]}" step05 --map-user --layer base true; then
        run "${nobody[@]}" step05 --map-user --store theirs --image image:latest sh -c 'id; cat /etc/motd; touch /etc/x'
        expect "uid=0(root)"
        run 'ls -ln theirs/layers'
        say "Root inside, an ordinary user outside; the store is theirs, and so is each file in it."
    fi
fi
