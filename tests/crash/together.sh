#!/bin/sh
# Several processes at one store: two who write, readers while the map grows, a server and a command,
# a copy that is taken while somebody writes.
#   CAIRN_BIN=... sh tests/crash/together.sh [ROUNDS]
. "$(dirname -- "$0")/../e2e/lib.sh"

rounds=${1:-20}

# One who puts again and again, and tells what was saved: puts NAME COUNT
puts()
{
    i=0
    while [ "$i" -lt "$2" ]; do
        i=$((i + 1))
        "$CAIRN_BIN/cairn" --store a7 put household "head=$1$i" >>"saved.$1" 2>>"refused.$1" </dev/null ||
            [ $? -eq 3 ] || echo "a put ended badly" >>broken
    done
}

# Each put is saved or refused because the other holds the lock; nothing between. Until one was refused.
two_writers()
{
    put_count=0
    refused=0
    while [ "$refused" -eq 0 ]; do
        puts L "$rounds" &
        one=$!
        puts R "$rounds" &
        two=$!
        wait "$one"
        wait "$two"
        put_count=$((put_count + 2 * rounds))
        refused=$(cat refused.L refused.R | grep -c 'in use by' || true)
        [ "$put_count" -lt $((100 * rounds)) ] || fail "no put met another in $put_count"
    done
    [ ! -e broken ] || fail "$(cat broken)"
    saved=$(cat saved.L saved.R | grep -c '^Saved' || true)
    [ "$saved" -gt 0 ] || fail "nothing was saved"
    [ "$(count_households a7)" -eq "$saved" ] || fail "$saved were saved, $(count_households a7) are there"
    [ $((saved + refused)) -eq "$put_count" ] || fail "$saved saved and $refused refused of $put_count"
    try 0 a7 audit
    echo "two writers: $saved saved, $refused refused, nothing lost"
}

# Imports that make the map grow, while others read: each reader sees whole commits, of a thousand rows.
growth_under_readers()
{
    awk 'BEGIN { print "head,members,plan"; for (i = 0; i < 2000; i++)
        printf "G%d,%d,%0400d\n", i, i % 9 + 1, i }' >many.csv
    before=$(count_households a8)
    size_before=$(wc -c <a8/data.mdb)
    rm -f growing
    (
        trap ': >growing' EXIT # however it ends, so that the readers do
        i=0
        while [ "$i" -lt 3 ]; do
            i=$((i + 1))
            cp many.csv "many$i.csv" # one file is imported once
            "$CAIRN_BIN/cairn" --store a8 import household "many$i.csv" >/dev/null 2>>grow.err || echo "import $?" >>broken
        done
    ) &
    growing=$!
    seen=0
    while [ ! -e growing ]; do
        now=$(count_households a8)
        [ $(((now - before) % 1000)) -eq 0 ] || fail "a reader sees $((now - before)) of whole commits of 1,000"
        seen=$((seen + 1))
    done
    wait "$growing"
    [ "$seen" -gt 0 ] || fail "nobody read while the map grew"
    [ ! -e broken ] || fail "$(cat broken grow.err)"
    [ "$(count_households a8)" -eq $((before + 6000)) ] || fail "imports were lost"
    size_after=$(wc -c <a8/data.mdb)
    [ "$size_after" -gt "$size_before" ] || fail "the map did not grow"
    try 0 a8 audit
    echo "growth under readers: from $size_before to $size_after bytes, $seen readings"
}

# The server's store is the server's: a command may read it and is told who holds it.
server_and_command()
{
    lib_command="the store of a running server"
    try 3 server put household head=X
    complains "*in use by*"
    try 0 server status
    echo "server and command: one writes, the other reads"
}

# A copy taken in the middle of writes is a store, whole, or is refused, and the original does not
# notice. The last one that is whole stays as `copied`: it wrote, under another name.
copy_in_use()
{
    opened=0
    i=0
    before=$(count_households a7)
    puts C $((rounds * 10)) &
    writer=$!
    while [ "$i" -lt "$rounds" ]; do
        i=$((i + 1))
        rm -rf copy
        cp -R a7 copy
        in_store copy status && result=0 || result=$?
        [ "$result" -le 3 ] || fail_with "a copy ended the program with $result"
        in_store copy audit && audit=0 || audit=$?
        [ "$audit" -le 3 ] || fail_with "the audit of a copy ended with $audit"
        if [ "$result" -eq 0 ] && [ "$audit" -eq 0 ]; then
            opened=$((opened + 1))
            try 0 copy put household head="copy$i"
            copied=$i
            rm -rf copied
            mv copy copied
        fi
    done
    wait "$writer"
    [ ! -e broken ] || fail "$(cat broken refused.C)"
    saved=$(grep -c '^Saved' saved.C || true)
    [ "$saved" -gt 0 ] || fail "nothing was saved while it was copied"
    after=$(count_households a7)
    [ "$after" -eq $((before + saved)) ] || fail "$before households and $saved saved, $after are there"
    try 0 a7 audit
    [ "$opened" -gt 0 ] || fail "no copy could be opened"
    echo "copies in use: $opened of $rounds whole, the others refused"
}

network
two_writers
growth_under_readers
copy_in_use
server_start
for store in office a7 a8; do
    try 0 "$store" sync --server "$server"
done
# The copy went on in a log of its own: it syncs, both hold what either wrote, and no history is double.
wanted=$(($(count_households a7) + 1))
try 0 copied sync --server "$server"
try 0 a7 sync --server "$server"
[ "$(count_households a7)" -ge "$wanted" ] || fail "the copy took something from the original"
try 0 a7 list household --json
grep -q "\"copy$copied\"" out || fail "what the copy wrote did not come round"
try 0 a7 audit
try 0 copied audit
server_and_command
server_stop
try 0 server audit
