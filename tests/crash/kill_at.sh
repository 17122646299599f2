#!/bin/sh
# kill -9 at every system call that changes a file, the first, the second, the n-th, in the commands
# below and in the server's commit: after each kill what was acknowledged is there, the store opens,
# the command can be given again, and the audit is clean. (step, merge, unmerge and delete write as put
# does.)
#   CAIRN_BIN=build/release/bin CAIRN_KILL_SHIM=.../libkill_shim.so sh tests/crash/kill_at.sh [COMMAND...]
# Commands: init grant join put settle import export schema-publish sync bundle-read bundle-write server;
# none: all of them.
# With CAIRN_KILL_TORN=1 the call at which the process dies writes the first half of its bytes.
CAIRN_KILL_SHIM=$(realpath -- "${CAIRN_KILL_SHIM:?the preloaded library, for example build/release/tests/libkill_shim.so}")
. "$(dirname -- "$0")/../e2e/lib.sh"

torn=${CAIRN_KILL_TORN-}
unset CAIRN_KILL_TORN
calls_max=2000
tally=

# killed_at N STORE ARGUMENT...: run the command; it dies at its N-th call. True when it lived.
killed_at()
{
    lib_n=$1
    shift
    lib_command="$*   (call $lib_n)"
    lib_store=$1
    shift
    rm -f calls
    # In a shell of its own, which keeps the word "Killed" to itself.
    (
        set +e
        LD_PRELOAD=$CAIRN_KILL_SHIM CAIRN_KILL_AT=$lib_n CAIRN_KILL_LOG=$work/calls \
            ASAN_OPTIONS=verify_asan_link_order=0 \
            ${torn:+env CAIRN_KILL_TORN=1} "$CAIRN_BIN/cairn" --store "$work/$lib_store" "$@" \
            >"$work/out" 2>"$work/err" </dev/null
        exit $?
    ) 2>/dev/null && lib_got=0 || lib_got=$?
    [ "$lib_got" -eq 0 ] && return
    [ "$lib_got" -eq 137 ] || fail_with "ended with $lib_got, neither done nor killed"
    return 1
}

# Every call in turn: each COMMAND [ARGUMENT...] is given N and says whether the command got through.
each_call()
{
    lib_name=${1#try_}
    n=1
    until "$@" "$n"; do
        n=$((n + 1))
        [ "$n" -le "$calls_max" ] || fail "$lib_name does not end"
    done
    [ "$n" -gt 1 ] || fail "$lib_name: the shim saw no call"
    tally="$tally $lib_name $((n - 1)),"
}

# The last command gave a file its name behind a write and an fsync that were counted: so kills met them.
written_before_named()
{
    awk '$0 == "rename" { named++; if (write != "write" || sync != "fsync") wrong = 1 }
        { write = sync; sync = $0 }
        END { exit wrong || !named }' calls || fail "$lib_name: not written, synced, named: $(tr '\n' ' ' <calls)"
}

# field STORE ID NAME: the shown value.
field()
{
    try 0 "$1" get "$2" --json
    sed -nE 's/.*"'"$3"'":"([^"]*)".*/\1/p' out | head -n 1
}

# ---- the commands -----------------------------------------------------------------------------------

try_init()
{
    rm -rf fresh
    if killed_at "$1" fresh init --no-passphrase --root 51 --tag R "Fresh root"; then
        try 0 fresh status
        return
    fi
    # Done before it died, or to be done again: never a folder that is good for nothing.
    if in_store fresh status; then
        try 0 fresh audit
        [ -e fresh/root.pub ] || try 0 fresh init --no-passphrase --root 51 --tag R "Fresh root"
    elif [ -e fresh/root.pub ]; then
        fail_with "init at call $1: the root's public key is there, and no store that opens"
    elif in_store fresh init --no-passphrase --root 51 --tag R "Fresh root"; then
        try 0 fresh audit
    elif [ -n "$torn" ] && [ ! -e fresh/key ]; then
        # Half of the very first write: refused as damaged. There was no key yet, so nothing is lost.
        complains "*is not a store*"
        return 1
    else
        fail_with "init at call $1: it cannot be done again"
    fi
    [ -s fresh/root.pub ] || fail "nothing writes root.pub any more"
    return 1
}

try_join()
{
    rm -rf guest device-guest.request
    device_request guest
    if killed_at "$1" guest join guest.invite --root-fingerprint "$root_fingerprint"; then
        try 0 guest audit
        return
    fi
    in_store guest status
    if grep -q "no grant yet" out; then
        try 0 guest join guest.invite --root-fingerprint "$root_fingerprint"
    fi
    try 0 guest audit
    return 1
}

# device_request STORE: initialized and granted, not joined; each a device of its own.
guests=0
device_request()
{
    guests=$((guests + 1))
    try 0 "$1" init --no-passphrase "device $1"
    lib_fingerprint=$(fingerprint_in_out)
    rm -f "$1.invite"
    try 0 office grant "$1/device-$1.request" --fingerprint "$lib_fingerprint" --role station \
        --scope "$shama" --tag "G$guests" --out "$1.invite"
}

# grant_asker FUNCTION ARGUMENT...: the function is given the grant of the device that asks.
grant_asker()
{
    "$@" office grant asker/device-asker.request --fingerprint "$asking" --role station --scope "$shama" \
        --tag "H$n" --out asker.invite
}
try_grant()
{
    rm -rf asker device-asker.request asker.invite first.invite
    try 0 asker init --no-passphrase "device asker"
    asking=$(fingerprint_in_out)
    if grant_asker killed_at "$1"; then
        written_before_named
        try 0 asker join asker.invite --root-fingerprint "$root_fingerprint"
        return
    fi
    # Whole or not there; and asked again, it is the same grant.
    [ ! -e asker.invite ] || mv asker.invite first.invite
    try 0 office audit
    grant_asker try 0
    [ ! -e first.invite ] || mv first.invite asker.invite
    try 0 asker join asker.invite --root-fingerprint "$root_fingerprint"
    try 0 asker audit
    return 1
}

try_put()
{
    before=$(field a7 "$moving" income) || exit 1
    if killed_at "$1" a7 put household "$moving" income="$((100000 + $1))"; then
        says "Saved*"
        [ "$(field a7 "$moving" income)" = "$((100000 + $1))" ] || fail "saved, and not there"
        return
    fi
    acknowledged=no
    grep -q '^Saved' out && acknowledged=yes
    after=$(field a7 "$moving" income) || exit 1
    [ "$after" = "$((100000 + $1))" ] || { [ "$after" = "$before" ] && [ $acknowledged = no ]; } ||
        fail "put at call $1: income was $before, is $after, acknowledged: $acknowledged"
    try 0 a7 audit
    return 1
}

# Is the one conflict of a7 still open?
is_open()
{
    in_store a7 conflicts && lib_got=0 || lib_got=$?
    [ "$lib_got" -le 1 ] || fail "conflicts ended with $lib_got: $(cat err)"
    [ "$lib_got" -eq 1 ]
}
try_settle()
{
    try 0 a7 sync --server "$server"
    try 0 a8 sync --server "$server"
    try 0 a7 put household "$moving" income="$((200000 + $1))"
    try 0 a8 put household "$moving" income="$((300000 + $1))"
    try 0 a8 sync --server "$server"
    try 0 a7 sync --server "$server"
    is_open || fail "no conflict to settle"
    if killed_at "$1" a7 settle "$moving" income --value "$((400000 + $1))" --reason "counted"; then
        ! is_open || fail "settled, and still open"
        try 0 a7 sync --server "$server"
        return
    fi
    acknowledged=no
    [ ! -s out ] || acknowledged=yes
    if is_open; then
        [ $acknowledged = no ] || fail "settle at call $1: acknowledged, and still open"
        try 0 a7 settle "$moving" income --value "$((400000 + $1))" --reason "counted"
    fi
    after=$(field a7 "$moving" income) || exit 1
    [ "$after" = "$((400000 + $1))" ] || fail "settle at call $1: income is $after"
    try 0 a7 audit
    try 0 a7 sync --server "$server"
    return 1
}

# The version of the schema that the root holds.
schema_version()
{
    try 0 root schema export
    sed -n 's/^version: //p' out
}
try_schema_publish()
{
    before=$(schema_version) || exit 1
    sed -e "s/^version: .*/version: $((before + 1))/" -e "s/^      - {number: $((before + 23)), .*/&\\
      - {number: $((before + 24)), name: new$before, zh: 新$before, en: new $before, type: integer}/" out >next.yaml
    if killed_at "$1" root schema publish next.yaml; then
        after=$(schema_version) || exit 1
        [ "$after" -eq $((before + 1)) ] || fail "published, and version $after is there"
        return
    fi
    acknowledged=no
    [ ! -s out ] || acknowledged=yes
    after=$(schema_version) || exit 1
    [ "$after" -eq $((before + 1)) ] || { [ "$after" -eq "$before" ] && [ $acknowledged = no ]; } ||
        fail "publish at call $1: version was $before, is $after, acknowledged: $acknowledged"
    [ "$after" -gt "$before" ] || try 0 root schema publish next.yaml
    try 0 root audit
    return 1
}

try_import()
{
    before=$(count_households a7) || exit 1
    printf 'head,members\nI%s-1,1\nI%s-2,2\nI%s-3,3\n' "$1" "$1" "$1" >"rows$1.csv"
    if killed_at "$1" a7 import household "rows$1.csv"; then
        [ "$(count_households a7)" -eq $((before + 3)) ] || fail "imported, and not there"
        return
    fi
    acknowledged=no
    ! grep -q '^Saved' out || acknowledged=yes
    after=$(count_households a7) || exit 1
    [ "$after" -eq $((before + 3)) ] || { [ "$after" -eq "$before" ] && [ $acknowledged = no ]; } ||
        fail "import at call $1: $before households, then $after, acknowledged: $acknowledged"
    try 0 a7 audit
    return 1
}

try_export()
{
    rm -f out.csv
    try 0 a7 export household whole.csv
    if killed_at "$1" a7 export household out.csv; then
        written_before_named
        cmp whole.csv out.csv || fail "exported, and something else is there"
        return
    fi
    if [ -e out.csv ]; then
        cmp whole.csv out.csv || fail "export at call $1: not whole"
    fi
    return 1
}

try_sync()
{
    try 0 a7 put household head="S$1" income=1
    try 0 a8 put household head="T$1" income=1
    try 0 a8 sync --server "$server"
    if killed_at "$1" a7 sync --server "$server"; then
        [ "$(unreceived a7)" -eq 0 ] || fail "sync said done, and something waits"
        return
    fi
    try 0 a7 sync --server "$server"
    [ "$(unreceived a7)" -eq 0 ] || fail "sync killed at call $1: something still waits"
    try 0 a7 audit
    return 1
}

# How many entries no receipt covers.
unreceived()
{
    try 0 "$1" list household --json
    sed -nE 's/.*"unreceived":([0-9]+).*/\1/p' out | awk '{ n += $1 } END { print n + 0 }'
}

try_bundle_write()
{
    rm -f out.bundle
    try 0 a7 put household head="W$1" income=1
    if killed_at "$1" a7 bundle write out.bundle; then
        written_before_named
        try 0 a8 bundle read out.bundle
        return
    fi
    # Whole or not there: what lies under the name can be read.
    if [ -e out.bundle ]; then
        try 0 a8 bundle read out.bundle
    fi
    try 0 a7 bundle write again.bundle
    rm -f again.bundle
    try 0 a7 audit
    return 1
}

try_bundle_read()
{
    try 0 a8 put household head="R$1" income=1
    rm -f in.bundle
    try 0 a8 bundle write in.bundle
    before=$(count_households a7) || exit 1
    if killed_at "$1" a7 bundle read in.bundle; then
        [ "$(count_households a7)" -gt "$before" ] || fail "read, and not there"
        return
    fi
    after=$(count_households a7) || exit 1
    [ "$after" -ge "$before" ] || fail "bundle read at call $1: $before households, then $after"
    try 0 a7 audit
    try 0 a7 bundle read in.bundle
    [ "$(count_households a7)" -gt "$before" ] || fail "read again, and not there"
    return 1
}

# The client would go on asking a server that is gone.
one_has_ended()
{
    ! kill -0 "$server_pid" 2>/dev/null || ! kill -0 "$client" 2>/dev/null
}

# The server under the shim from its start: it dies at the N-th call, before it listens, in the commit
# of a7's upload, or while it signs.
try_server()
{
    try 0 a7 put household head="V$1" income=1
    rm -f ready
    LD_PRELOAD=$CAIRN_KILL_SHIM CAIRN_KILL_AT=$1 ASAN_OPTIONS=verify_asan_link_order=0 \
        ${torn:+env CAIRN_KILL_TORN=1} "$CAIRN_BIN/cairn-server" --store "$work/server" \
        --listen tcp://127.0.0.1:0 --ready-file "$work/ready" >>server.log 2>&1 </dev/null &
    server_pid=$!
    wait_until 60 server_is_ready || fail "the server neither listens nor ends"
    received=no
    if [ -s ready ]; then
        "$CAIRN_BIN/cairn" --store a7 sync --server "$(cat ready)" >out 2>err </dev/null &
        client=$!
        wait_until 60 one_has_ended || fail "neither server nor client ends"
        kill -s KILL "$client" 2>/dev/null || true
        wait "$client" 2>/dev/null && client_result=0 || client_result=$?
        case $client_result in
        0 | 3 | 137) ;;
        *) fail "call $1: the client ended with $client_result: $(cat err)" ;;
        esac
        waiting=$(unreceived a7) || exit 1
        [ "$waiting" -ne 0 ] || received=yes
        [ "$client_result" -ne 0 ] || [ $received = yes ] || fail "call $1: sync said done, and something waits"
    fi
    lived=no
    if kill -0 "$server_pid" 2>/dev/null; then
        lived=yes
    fi
    server_kill KILL
    [ "$server_result" -eq 137 ] || fail "call $1: the server ended with $server_result: $(tail -n 20 server.log)"
    server_start
    try 0 office sync --server "$server"
    if [ "$received" = yes ]; then
        try 0 office list household --json
        grep -q "\"V$1\"" out || fail "call $1: a7 has a receipt, and the office does not have it"
    fi
    try 0 a7 sync --server "$server"
    [ "$(unreceived a7)" -eq 0 ] || fail "server killed at call $1: something still waits"
    server_kill KILL
    try 0 server audit
    [ "$lived" = yes ] && [ "$received" = yes ]
}

# ---- all of it ----------------------------------------------------------------------------------------

[ $# -gt 0 ] || set -- init grant join put settle import export schema-publish bundle-write bundle-read sync server
network
server_start
for store in office a7 a8; do
    try 0 "$store" sync --server "$server"
done
try 0 a7 put household head=M income=0
moving=$(id_in_out)
for command; do
    case $command in
    init | grant | join | put | settle | import | export | sync) each_call "try_$command" ;;
    schema-publish) each_call try_schema_publish ;;
    bundle-write) each_call try_bundle_write ;;
    bundle-read) each_call try_bundle_read ;;
    server)
        server_kill KILL
        each_call try_server
        server_start
        ;;
    *) fail "there is no command $command here" ;;
    esac
done
try 0 a7 sync --server "$server"
try 0 a7 audit
server_stop
try 0 server audit
echo "killed at every call:$tally each survived${torn:+, with torn writes}" | tr -s ' '
