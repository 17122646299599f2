#!/bin/sh
# One station at work until it is killed: kill_worker.sh CAIRN FOLDER ROUND RECORD PARENT
# It ends with its parent too, should that be killed before it could kill this one.
# Its output is what it was promised: `try X` before, the program's own words, `synced` after a sync
# that said "received" of everything.
cairn=$1
cd "$2" || exit 1
round=$3
record=$4
turn=0
while kill -0 "$5" 2>/dev/null; do
    turn=$((turn + 1))
    name=$round-$turn
    echo "try P$name"
    "$cairn" --store a7 put household "head=P$name" income="$turn"
    echo "try M$((round * 10000 + turn))"
    "$cairn" --store a7 put household "$record" income=$((round * 10000 + turn))
    printf 'head,members\nI%s-1,1\nI%s-2,2\nI%s-3,3\n' "$name" "$name" "$name" >"$name.csv"
    echo "try I$name"
    "$cairn" --store a7 import household "$name.csv"
    rm -f "$name.csv"
    "$cairn" --store a7 sync --server "$(cat ready)" && echo synced
done
