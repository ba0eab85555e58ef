#!/usr/bin/env bash
# layout.sh - make an OCI image layout by hand, from tar archives, with sha256sum alone.
#
#     tests/layout.sh OUT [OPTION]... LAYER.tar...
#
# OUT becomes the layout directory; if it is one already, the image is added to it.
# The layers are given bottom first, as plain tar archives.
#
#     --tag TAG            org.opencontainers.image.ref.name (default: latest; "" for none)
#     --compress HOW       gzip (default), zstd or none
#     --config JSON        the config's "config" object (default: {"Cmd":["/bin/sh"]})
#     --arch ARCH          default: this machine's
#     --os OS              default: linux
#     --docker             Docker's media types instead of OCI's
#     --index              put an index of two platforms between index.json and the manifest
#     --diff-id N=DIGEST   a wrong diff_id for layer N (from 0)
#     --layer-digest N=D   a wrong digest for layer N in the manifest
#     --layer-size N=SIZE  a wrong size for layer N in the manifest
#     --drop-diff-id       one diff_id too few
#
# The last ones make what no honest tool makes.  It is also the shortest description
# of the format: everything is a file named by its own sha256, and a JSON text
# that says so.
set -euo pipefail

die() {
    echo "layout.sh: $*" >&2
    exit 1
}

[ $# -ge 1 ] || die "usage: layout.sh OUT [OPTION]... LAYER.tar..."
out=$1
shift
tag=latest compress=gzip config='{"Cmd":["/bin/sh"]}' os=linux docker='' index='' drop=''
case $(uname -m) in
x86_64) arch=amd64 ;;
aarch64) arch=arm64 ;;
*) arch=$(uname -m) ;;
esac
declare -A diff_id_of=() digest_of=() size_of=()
while [ $# -gt 0 ]; do
    case $1 in
    --tag) tag=$2 ;;
    --compress) compress=$2 ;;
    --config) config=$2 ;;
    --arch) arch=$2 ;;
    --os) os=$2 ;;
    --diff-id) diff_id_of[${2%%=*}]=${2#*=} ;;
    --layer-digest) digest_of[${2%%=*}]=${2#*=} ;;
    --layer-size) size_of[${2%%=*}]=${2#*=} ;;
    --docker) docker=1 && shift && continue ;;
    --index) index=1 && shift && continue ;;
    --drop-diff-id) drop=1 && shift && continue ;;
    --*) die "$1: unknown option" ;;
    *) break ;;
    esac
    shift 2
done

if [ -n "$docker" ]; then
    manifest_type=application/vnd.docker.distribution.manifest.v2+json
    index_type=application/vnd.docker.distribution.manifest.list.v2+json
    config_type=application/vnd.docker.container.image.v1+json
    layer_type=application/vnd.docker.image.rootfs.diff.tar.gzip
else
    manifest_type=application/vnd.oci.image.manifest.v1+json
    index_type=application/vnd.oci.image.index.v1+json
    config_type=application/vnd.oci.image.config.v1+json
    layer_type=application/vnd.oci.image.layer.v1.tar
    [ "$compress" = none ] || layer_type+=+$compress
fi

# Move FILE to its place among the blobs; prints "DIGITS SIZE".
blob() {
    local digits size
    digits=$(sha256sum <"$1")
    digits=${digits%% *}
    size=$(stat -c %s "$1")
    mv "$1" "$out/blobs/sha256/$digits"
    echo "$digits $size"
}

# descriptor TYPE DIGITS SIZE [MORE]
descriptor() {
    printf '{"mediaType":"%s","digest":"sha256:%s","size":%s%s}' "$1" "$2" "$3" "${4-}"
}

mkdir -p "$out/blobs/sha256"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

layers='' diff_ids='' number=0
for layer in "$@"; do
    diff_id=$(sha256sum <"$layer")
    diff_id=sha256:${diff_id%% *}
    case $compress in
    gzip) gzip -nc "$layer" ;;
    zstd) zstd -qc "$layer" ;;
    none) cat "$layer" ;;
    *) die "--compress $compress: gzip, zstd or none" ;;
    esac >"$work/layer"
    read -r digits size < <(blob "$work/layer")
    entry=$(descriptor "$layer_type" "$digits" "${size_of[$number]-$size}")
    [ -z "${digest_of[$number]-}" ] || entry=${entry/sha256:$digits/${digest_of[$number]}}
    layers+="${layers:+,}$entry"
    if [ -z "$drop" ] || [ "$number" -gt 0 ]; then
        diff_ids+="${diff_ids:+,}\"${diff_id_of[$number]-$diff_id}\""
    fi
    number=$((number + 1))
done

printf '{"architecture":"%s","os":"%s","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]}}' \
    "$arch" "$os" "$config" "$diff_ids" >"$work/config"
read -r digits size < <(blob "$work/config")
printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}' "$manifest_type" \
    "$(descriptor $config_type "$digits" "$size")" "$layers" >"$work/manifest"
read -r digits size < <(blob "$work/manifest")
type=$manifest_type
if [ -n "$index" ]; then
    other=$(descriptor "$manifest_type" "$(printf '%064d' 0)" 7 \
        ',"platform":{"os":"linux","architecture":"pdp11"}')
    ours=$(descriptor "$manifest_type" "$digits" "$size" \
        ",\"platform\":{\"os\":\"$os\",\"architecture\":\"$arch\"}")
    printf '{"schemaVersion":2,"manifests":[%s,%s]}' "$other" "$ours" >"$work/index"
    read -r digits size < <(blob "$work/index")
    type=$index_type
fi

name=''
[ -z "$tag" ] || name=",\"annotations\":{\"org.opencontainers.image.ref.name\":\"$tag\"}"
entries=''
if [ -f "$out/index.json" ]; then
    entries=$(sed 's/.*"manifests":\[\(.*\)\]}$/\1,/' "$out/index.json")
fi
printf '{"schemaVersion":2,"manifests":[%s%s]}' "$entries" \
    "$(descriptor "$type" "$digits" "$size" "$name")" >"$work/index.json"
mv "$work/index.json" "$out/index.json"
printf '{"imageLayoutVersion":"1.0.0"}' >"$out/oci-layout"
