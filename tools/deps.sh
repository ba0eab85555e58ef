#!/bin/bash
# deps.sh - install what building and testing need.
#
# Says what is missing and installs just that; does nothing if all is there.
# Without root it prints the command to type, and ends with 1.
# PRINT=1 only prints that command.
set -euo pipefail

# What each thing is called by apt, dnf, pacman and apk; "-" where a system has no
# such package, or has it in another one of the list.
#
#   what for                          apt              dnf                  pacman          apk
packages='
    a C compiler                    | gcc              gcc                  gcc             gcc
    another one                     | clang            clang                clang           clang
    the C library                   | libc6-dev        glibc-devel          glibc           musl-dev
    ... to link statically          | libc6-dev        glibc-static         glibc           musl-dev
    the kernel interface            | linux-libc-dev   kernel-headers       linux-api-headers linux-headers
    make                            | make             make                 make            make
    bash, which scripts are for     | bash             bash                 bash            bash
    GNU tar, find, xargs            | tar              tar                  tar             tar
    JSON (step 5)                   | libjson-c-dev    json-c-devel         json-c          json-c-dev
    archives (step 5)               | libarchive-dev   libarchive-devel     libarchive      libarchive-dev
    SHA-256 (step 5)                | nettle-dev       nettle-devel         nettle          nettle-dev
    compressed layers               | zstd             zstd                 zstd            zstd
    the tests                       | check            check-devel          check           check-dev
    the flags of Check              | pkg-config       pkgconf-pkg-config   pkgconf         pkgconf
    containers of one program       | busybox-static   busybox              busybox         busybox-static
    OCI images                      | umoci            umoci                umoci           umoci
    ... copied by others            | skopeo           skopeo               skopeo          skopeo
    what a program really does      | strace           strace               strace          strace
    subordinate ids                 | uidmap           shadow-utils         shadow          shadow-uidmap
    ip, ss                          | iproute2         iproute              iproute2        iproute2
    ps                              | procps           procps-ng            procps-ng       procps
    unshare, nsenter, setpriv       | util-linux       util-linux           util-linux      util-linux
    diff, for the lessons           | diffutils        diffutils            diffutils       diffutils
    lengths of functions            | universal-ctags  ctags                ctags           ctags
    lines of code                   | cloc             cloc                 cloc            cloc
    formatting                      | clang-format     clang-tools-extra    clang           clang-extra-tools
    scripts                         | shellcheck       ShellCheck           shellcheck      shellcheck
'

case $(command -v apt-get dnf pacman apk | head -n 1) in
    */apt-get) column=1 install='apt-get install -y --no-install-recommends' ;;
    */dnf)     column=2 install='dnf install -y --setopt=install_weak_deps=False' ;;
    */pacman)  column=3 install='pacman -S --needed --noconfirm' ;;
    */apk)     column=4 install='apk add' ;;
    *) echo "deps: neither apt, dnf, pacman nor apk is here; what is needed:$packages" >&2; exit 1 ;;
esac

is_installed() {
    # shellcheck disable=SC2016 # that is dpkg's variable, not ours
    case $column in
        # A removed package is still known: "ii" means that it is there.
        1) [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == *ii* ]] ;;
        2) rpm -q --whatprovides "$1" >/dev/null 2>&1 ;;
        3) pacman -Qq "$1" >/dev/null 2>&1 ;;
        4) apk info -e "$1" >/dev/null 2>&1 ;;
    esac
}

missing=()
while IFS='|' read -r _ names; do
    read -r -a names <<<"$names"
    [ ${#names[@]} = 4 ] || continue
    name=${names[column - 1]}
    if [ "$name" != - ] && [[ " ${missing[*]} " != *" $name "* ]] && ! is_installed "$name"; then
        missing+=("$name")
    fi
done <<<"$packages"

if [ ${#missing[@]} = 0 ]; then
    echo "deps: all that is needed is installed"
    exit 0
fi
echo "deps: missing: ${missing[*]}"
if [ -n "${PRINT:-}" ]; then
    echo "$install ${missing[*]}"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "deps: that takes root; type: sudo $install ${missing[*]}" >&2
    exit 1
fi
if [ "$column" = 1 ]; then
    export DEBIAN_FRONTEND=noninteractive
    # A fresh system has no lists yet, an old one has lists of packages that are gone.
    apt-get update -qq
fi
# shellcheck disable=SC2086 # $install is a command with its options
$install "${missing[@]}"
