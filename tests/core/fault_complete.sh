#!/bin/sh
# Every function of the public headers that may fail has a case that makes it fail: those of
# cairn/replica.h, and of the headers that are parts of it, in fault_*.c; those that need a folder, its
# keys, ports and stores, in folder_fault_test.c. One that is added without a case is named here.
#
# usage: fault_complete.sh INCLUDE_FOLDER TEST_FOLDER
set -eu

include=$1
tests=$2
missing=0
CALLED='[^a-z_]@('

# The functions of a header whose status must not be ignored, one a line.
functions()
{
    tr '\n' ' ' < "$include/cairn/$1.h" | sed 's/CAIRN_NODISCARD/\n&/g' |
        sed -n 's/^CAIRN_NODISCARD *enum cairn_status *\(cairn_[a-z0-9_]*\)(.*/\1/p'
}

# has_case NAME PATTERN FILE...: the pattern, in which the name stands as @, is in a file.
has_case()
{
    name=$1
    pattern=$(echo "$2" | sed "s/@/$1/")
    shift 2
    grep -q "$pattern" "$@"
}

# check HEADER PATTERN FILE...: each of its functions has one.
check()
{
    header=$1
    count=0
    shift
    for function in $(functions "$header"); do
        count=$((count + 1))
        has_case "$function" "$@" || has_case "$function" "$CALLED" "$tests/folder_fault_test.c" || {
            echo "$function (cairn/$header.h) has no case" >&2
            missing=1
        }
    done
    marks=$(grep -c CAIRN_NODISCARD "$include/cairn/$header.h")
    [ "$count" -eq "$marks" ] || {
        echo "cairn/$header.h: $count functions were found, $marks are marked" >&2
        missing=1
    }
}

for part in replica history query schema_file workflow; do
    check $part '"@[",]' "$tests"/fault_*.c
done
for part in folder keys ports store; do
    check $part "$CALLED" "$tests/folder_fault_test.c"
done
exit $missing
