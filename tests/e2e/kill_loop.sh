#!/bin/sh
# A station puts, imports and syncs; after a random delay kill -9 meets it, or the server. Nothing that
# was acknowledged may be lost: a put that said Saved, an import that said Saved (all of its rows, and
# of one that did not, none or all), a sync that said received.
#   CAIRN_BIN=build/release/bin sh tests/e2e/kill_loop.sh [ROUNDS [SEED]]        200 rounds: 10 minutes
. "$(dirname -- "$0")/lib.sh"

here=$CAIRN_SOURCE/tests/e2e
rounds=${1:-20}
seed=${2:-1}
echo "$rounds rounds, seed $seed"

# below N: the next number of the seed's row, from 0 to N-1.
below()
{
    seed=$(((seed * 1103515245 + 12345) & 2147483647))
    drawn=$((seed / 65536 % $1))
}
rest()
{
    below "$1"
    sleep "$(printf '%d.%03d' $((drawn / 1000)) $((drawn % 1000)))"
}

network
server_start
address=$server
try 0 a7 put household head=M income=0
moving=$(id_in_out)
: >promises

# At the old address, so that a sync under way finds it again; at another one when somebody has taken it.
server_again()
{
    server_try "$address" || server_try || fail "the server does not start after kill -9"
    address=$(cat ready)
}

# ids STORE: "ID UNRECEIVED HEAD INCOME" of every household.
ids()
{
    try 0 "$1" list household --json
    sed -E 's/.*"id":"([^"]*)".*"unreceived":([0-9]+).*"head":"([^"]*)".*/\1 \2 \3 &/
        s/ \{.*"income":"([0-9]+)".*/ \1/; s/ \{.*/ -/' out
}

# What was promised so far against what the station and the office hold now.
check()
{
    ids a7 >held
    try 0 office sync --server "$address"
    ids office >arrived
    awk -v moving="$moving" '
        function wrong(text) { print "LOST: " text; failed = 1 }
        FILENAME == "held" {
            head[$1] = $3; unreceived[$1] = $2; count[$3]++; income[$1] = $4
            if ($3 ~ /^I/) { import = $3; sub(/-[123]$/, "", import); rows[import]++ }
            next
        }
        FILENAME == "arrived" { arrived[$1] = $3 " " $4; next }
        $1 == "try" { trying = $2; next }
        $1 == "Saved" && trying ~ /^P/ {
            if (head[$2] != trying) wrong($2 " " trying " was saved")
            saved[$2] = 1
        }
        $1 == "Saved" && trying ~ /^M/ && substr(trying, 2) + 0 > most { most = substr(trying, 2) + 0 }
        $1 == "Saved" && trying ~ /^I/ {
            if (rows[trying] != 3) wrong(trying " was imported")
            imported[trying] = 1
        }
        $1 == "synced" {
            for (id in saved) received[id] = 1
            for (name in imported) received_import[name] = 1
        }
        END {
            for (import in rows) if (rows[import] != 3) wrong("half of " import)
            for (name in count) if (count[name] != 1) wrong("one of two " name)
            if (income[moving] + 0 < most) wrong("income " most ", it is " income[moving])
            for (id in received) if (unreceived[id] != 0) wrong("the receipt of " id)
            for (id in head) {
                import = head[id]; sub(/-[123]$/, "", import)
                if (import in received_import && unreceived[id] != 0) wrong("the receipt of " head[id])
                if (unreceived[id] == 0 && arrived[id] != head[id] " " income[id])
                    wrong(id " received, not at the office")
            }
            exit failed
        }' held arrived promises || fail "round $round (replay: kill_loop.sh $rounds SEED, as above)"
}

worker_is_apart()
{
    kill -s 0 -- "-$worker" 2>/dev/null
}

round=0
while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    # A process group of its own, so that one signal meets whatever it runs.
    setsid sh "$here/kill_worker.sh" "$CAIRN_BIN/cairn" "$work" "$round" "$moving" $$ \
        >>promises 2>>worker.err </dev/null &
    worker=$!
    wait_until 10 worker_is_apart || fail "the worker does not begin"
    rest 2000
    below 2
    if [ "$drawn" -eq 1 ]; then
        server_kill KILL
        [ "$server_result" -eq 137 ] || fail "the server ended with $server_result: $(tail -n 20 server.log)"
        server_again
        rest 1000
    fi
    kill -s KILL -- "-$worker"
    wait "$worker" 2>/dev/null || true
    worker=
    check
done

try 0 a7 sync --server "$address"
ids a7 >held
! awk '$2 != 0' held | grep . || fail "entries still wait after the last sync"
try 0 a7 audit
server_stop
try 0 server audit
try 0 a7 status
says "*without effect 0*"
! grep -E 'Aborted|Segmentation|Bus error|runtime error|Sanitizer' worker.err server.log ||
    fail "a program ended by itself"
saved=$(grep -c ^Saved promises || true)
[ "$saved" -gt 0 ] || fail "in $rounds rounds nothing was promised: $(tail -n 20 worker.err)"
grep -q "^Saved 3 " promises || fail "in $rounds rounds nothing was imported: $(tail -n 20 worker.err)"
synced=$(grep -c ^synced promises || true)
[ "$synced" -gt 0 ] || fail "in $rounds rounds nothing was received: $(tail -n 20 worker.err)"
echo "kept: $saved promises, $synced syncs, $(wc -l <held) households"
