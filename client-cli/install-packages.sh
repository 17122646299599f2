#!/bin/sh
# Installs the Debian packages that building and testing need, those that are missing and no others:
#   sh client-cli/install-packages.sh        to build the programs and their tests
#   sh client-cli/install-packages.sh test   besides those, what the tests run: tests/run
#   sh client-cli/install-packages.sh prove  besides those, what .ci/run and tests/prove need
# Where nothing is missing, nothing is asked of the network, of sudo or of apt-get.
set -eu

missing=

# want PACKAGE COMMAND...: the package is missing when the command fails.
want()
{
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}

has_headers()
{
    printf '#include <stdio.h>\n' | gcc -fsyntax-only -x c -
}

# A sanitizer is a library of its own, which the compiler's package does not always bring.
clang_sanitizes()
{
    program=$(mktemp) || return 1
    printf 'int main(void) { return 0; }\n' |
        clang -x c - -fsanitize=address,undefined -o "$program"
    result=$?
    rm -f "$program"
    return $result
}

want gcc command -v gcc
want libc6-dev has_headers
want make command -v make
want cmake command -v cmake
want gettext command -v xgettext
want pkg-config command -v pkg-config
want liblmdb-dev pkg-config --exists lmdb
want libsodium-dev pkg-config --exists libsodium
want libnanomsg-dev pkg-config --exists nanomsg
want libzstd-dev pkg-config --exists libzstd
want libyaml-dev pkg-config --exists yaml-0.1
want libjansson-dev pkg-config --exists jansson
want libxlsxwriter-dev pkg-config --exists xlsxwriter
want libcmocka-dev pkg-config --exists cmocka
want libsqlite3-dev pkg-config --exists sqlite3
case ${1-} in
test | prove)
    want groff-base command -v groff
    want libcbor-dev pkg-config --exists libcbor
    want spin command -v spin
    want time test -x /usr/bin/time
    want unzip command -v unzip
    want valgrind command -v valgrind
    ;;
esac
case ${1-} in
prove)
    want clang command -v clang
    want libclang-rt-dev clang_sanitizes
    want clang-format command -v clang-format
    want git command -v git
    want lcov command -v lcov
    want ninja-build command -v ninja
    ;;
esac
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root=sudo
fi
if ! command -v apt-get >/dev/null || { [ -n "$as_root" ] && ! command -v sudo >/dev/null; }; then
    echo "These packages are missing (their names in Debian 12):$missing" >&2
    echo "Install them and start again; nothing was changed." >&2
    exit 1
fi
echo "Installing:$missing"
$as_root apt-get -q update >&2
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q install -y --no-install-recommends $missing >&2
