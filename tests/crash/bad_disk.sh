#!/bin/sh
# Disks that let a command down: full at every allocation, and bundle files cut at every 64th byte. The
# command says so and changes nothing; with a good disk again it is done.
#   CAIRN_BIN=... CAIRN_ENOSPC_SHIM=.../libenospc.so sh tests/crash/bad_disk.sh [STEP]
# STEP: by how many bytes the room of the full disk grows from try to try (512; the long version 32).
CAIRN_ENOSPC_SHIM=$(realpath -- "${CAIRN_ENOSPC_SHIM:?the preloaded library, for example build/release/tests/store/libenospc.so}")
. "$(dirname -- "$0")/../e2e/lib.sh"

step=${1:-512}
shim_options=verify_asan_link_order=0

# ---- a full disk ------------------------------------------------------------------------------------

# with_room BYTES STORE ARGUMENT...: files may grow by so much and no more. True when it was enough.
with_room()
{
    lib_room=$1
    shift
    lib_store=$1
    lib_command="$*   ($lib_room bytes of room)"
    shift
    LD_PRELOAD=$CAIRN_ENOSPC_SHIM CAIRN_ENOSPC_AFTER=$lib_room ASAN_OPTIONS=$shim_options \
        "$CAIRN_BIN/cairn" --store "$work/$lib_store" "$@" >out 2>err </dev/null &&
        lib_got=0 || lib_got=$?
    [ "$lib_got" -eq 0 ] && return
    [ "$lib_got" -eq 3 ] || fail_with "ended with $lib_got, not 3"
    grep -Eqi 'disk is full|no space' err || fail_with "does not say that the disk is full"
    return 1
}

# fill NAME COMMAND [ARGUMENT...]: more and more room, until COMMAND gets through.
fill()
{
    name=$1
    shift
    room=0
    refused=0
    until "$@" "$room"; do
        room=$((room + step))
        refused=$((refused + 1))
        [ "$room" -lt 4000000 ] || fail "$name never has room enough"
    done
    [ "$refused" -gt 0 ] || fail "$name was never refused"
    echo "full disk: $name refused $refused times, then done with $room bytes"
}

fill_import()
{
    before=$(count_households a7) || exit 1
    if with_room "$1" a7 import household rows.csv; then
        [ "$(count_households a7)" -eq $((before + 300)) ] || fail "imported, and not there"
        return
    fi
    [ "$(count_households a7)" -eq "$before" ] || fail "refused, and something is there"
    return 1
}

fill_bundle_write()
{
    rm -f full.bundle
    if with_room "$1" a7 bundle write full.bundle; then
        return
    fi
    [ ! -e full.bundle ] || fail "half a bundle lies under its name"
    return 1
}

fill_bundle_read()
{
    before=$(count_households office) || exit 1
    if with_room "$1" office bundle read full.bundle; then
        [ "$(count_households office)" -gt "$before" ] || fail "read, and not there"
        return
    fi
    [ "$(count_households office)" -eq "$before" ] || fail "refused, and something is there"
    return 1
}

fill_init()
{
    rm -rf small
    if with_room "$1" small init --no-passphrase --root 51 --tag R "Small disk"; then
        try 0 small audit
        return
    fi
    # Done but for a file beside it, or to be done again.
    if in_store small status; then
        try 0 small audit
    else
        try 0 small init --no-passphrase --root 51 --tag R "Small disk"
    fi
    return 1
}

full_disk()
{
    awk 'BEGIN { print "head,members"; for (i = 0; i < 300; i++) print "F" i "," i % 9 + 1 }' >rows.csv
    fill "init" fill_init
    fill "import of 300" fill_import
    try 0 a7 audit
    fill "bundle write" fill_bundle_write
    fill "bundle read" fill_bundle_read
    try 0 office audit
}

# ---- a torn bundle ----------------------------------------------------------------------------------

torn_bundle()
{
    size=$(wc -c <full.bundle)
    before=$(count_households office) || exit 1
    at=0
    while [ "$at" -lt "$size" ]; do
        head -c "$at" full.bundle >torn.bundle
        try 2 office bundle read torn.bundle
        [ -s err ] || fail_with "cut at byte $at, it is refused without a word"
        at=$((at + 64))
    done
    [ "$(count_households office)" -eq "$before" ] || fail "a torn bundle left something"
    echo "torn bundle: refused at every 64th of $size bytes"
}

network
full_disk
torn_bundle
try 0 office audit
