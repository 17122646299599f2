#!/bin/sh
# The quickstart does what it says, with programs that are built already; twice, as people do.
. "$(dirname -- "$0")/lib.sh"

export CAIRN_BIN CAIRN_QUICKSTART="$work/a run"
for LANG in C zh_CN.UTF-8; do
    export LANG
    sh "$CAIRN_SOURCE/client-cli/quickstart.sh" >"$work/run" 2>&1 || fail "$(cat "$work/run")"
    echo "$(wc -l <"$work/run") lines"
done
cat "$work/run"
grep -q "裁定" "$work/run" || fail "the second run was not Chinese"
! grep -q '^[0-9]\. [A-Z][a-z0-9]* [a-z]' "$work/run" || fail "a heading of the second run is not Chinese"

# What it tells to do afterwards works, and nothing is left running.
sh -euc '. "$CAIRN_QUICKSTART/environment" && cairn --store a7 list household' >list
grep -q 扎西顿珠 list || fail "the household that A7 made is not listed"
echo "$CAIRN_QUICKSTART" >pattern
! grep -lsF -f pattern /proc/[0-9]*/cmdline || fail "something is left running"
