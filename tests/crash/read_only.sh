#!/bin/sh
# A disk that is read-only: put, import and bundle read end with 3 and a sentence.
#   CAIRN_BIN=... sh tests/crash/read_only.sh
# A file system of its own, remounted, where this user may mount one; else a folder without the right to
# write. That means nothing to root: where neither can be had, it ends with 77, not tried.
. "$(dirname -- "$0")/../e2e/lib.sh"

# shellcheck disable=SC2016 # its own shell expands it
checks='
    for command in "put household head=X" "import household rows.csv" "bundle read full.bundle"; do
        "$2" --store "$1/ro/a8" $command >"$1/out" 2>"$1/err" && result=0 || result=$?
        [ $result -eq 3 ] || { echo "FAILED: read-only: $command ended with $result"; cat "$1/err"; exit 1; }
        [ -s "$1/err" ] || { echo "FAILED: read-only: $command says nothing"; exit 1; }
    done'

network
mkdir ro
echo "head,members
F,1" >rows.csv
try 0 a7 put household head=F
try 0 a7 bundle write full.bundle
if unshare -m sh -c 'mount -t tmpfs tmpfs "$1/ro"' sh "$work" 2>/dev/null; then
    kind="a tmpfs remounted read-only"
    unshare -m sh -euc '
        mount -t tmpfs tmpfs "$1/ro" -o mode=700
        cp -R "$1/a8" "$1/state" "$1/ro/"
        XDG_STATE_HOME=$1/ro/state; export XDG_STATE_HOME
        "$2" --store "$1/ro/a8" put household head=RO >/dev/null
        mount -o remount,ro "$1/ro"
        sh -c "$3" sh "$1" "$2"' sh "$work" "$CAIRN_BIN/cairn" "$checks"
elif [ "$(id -u)" -ne 0 ]; then
    kind="a folder without the right to write"
    cp -R a8 state ro/
    chmod -R a-w ro
    XDG_STATE_HOME=$work/ro/state sh -c "$checks" sh "$work" "$CAIRN_BIN/cairn" || result=$?
    chmod -R u+w ro
    [ "${result:-0}" -eq 0 ]
else
    echo "read-only disk: not tried: no mounts, and root may write anywhere"
    exit 77
fi
echo "read-only disk: $kind"
