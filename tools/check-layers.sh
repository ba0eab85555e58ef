#!/bin/bash
# check-layers.sh - prove that no step needs a later one, and common none at all.
#
# Every step is exported as "make dist-step03" does it, unpacked in a directory
# where nothing else is, and built there with its tests.  A step that includes,
# calls or links anything from above does not build.
set -euo pipefail
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}

if grep -nE '#include "step[0-9]' common/*.[ch]; then
    echo "check-layers: common/ must not include what a lesson is about" >&2
    exit 1
fi

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for main in step*/main.c; do
    step=${main%%-*}
    make --no-print-directory -s "dist-$step" BUILD="$BUILD"
    tar -xzf "$BUILD/dist/$step.tar.gz" -C "$place"
    if ! make -s -j"$(nproc)" -C "$place/$step" suites CFLAGS=-O0 BUILD=build >"$place/log" 2>&1; then
        cat "$place/log"
        echo "check-layers: $step does not build with what is below it" >&2
        exit 1
    fi
    echo "check-layers: $step builds alone, with its tests"
    rm -rf "${place:?}/$step"
done
