#!/bin/bash
# setup.sh - from a fresh clone to a running container: installs what is missing
# (as root; else it says what to type), builds everything and runs the lab of step 5.
set -euo pipefail
cd "$(dirname "$0")"
tools/deps.sh
make -j"$(nproc)" all
make step05
