#!/bin/sh
# The manual and the completion say what the programs say.
. "$(dirname -- "$0")/lib.sh"

cli=$CAIRN_SOURCE/client-cli
manual=$cli/man/cairn.1

# plain FILE: a manual page without its markup.
plain()
{
    sed -e 's/^\.[A-Z]* *//' -e 's/\\-/-/g' -e 's/\\f.//g' -e 's/"//g' "$1"
}

# The commands as `cairn` lists them, one "NAME SUMMARY" a line.
"$CAIRN_BIN/cairn" | sed -n 's/^  \([a-z][a-z]*\)  */\1 /p' >commands
[ "$(wc -l <commands)" -ge 16 ] || fail "\`cairn\` lists too few commands"

plain "$manual" >manual
while read -r name summary; do
    grep -qx "$name" manual && grep -qxF "$summary" manual || fail "cairn.1 lacks: $name, $summary"
    grep -qF "cairn-$name (1)" manual || fail "cairn.1 does not refer to cairn-$name(1)"
    page=$CAIRN_BUILD/man/man1/cairn-$name.1
    [ -s "$page" ] && [ -s "$CAIRN_BUILD/man/zh_CN/man1/cairn-$name.1" ] ||
        fail "there is no page of $name: add it to client-cli/man/CMakeLists.txt"
    plain "$page" >page
    "$CAIRN_BIN/cairn" help "$name" | sed -n 's/^  \(--[a-z-]*\).*/\1/p' >options
    grep -q . options || fail "cairn help $name lists no options"
    while read -r option; do
        grep -q -- "^$option" page || fail "cairn-$name.1 lacks $option"
    done <options
done <commands

# The stable codes of errors.
sed -n 's/^    X(\([A-Z_]*\), [A-Z]*, "\(.*\)").*/\1 \2/p' "$CAIRN_SOURCE/proto/include/cairn/base.h" |
    grep -v '^OK ' >codes
[ "$(wc -l <codes)" -ge 19 ] || fail "base.h lists too few codes"
while read -r code text; do
    grep -qx "$code" manual && grep -qxF "$text" manual || fail "cairn.1 lacks: $code, $text"
done <codes

plain "$CAIRN_SOURCE/sync-server/man/cairn-server.8" >server
"$CAIRN_BIN/cairn-server" --help | grep -oE -- '--[a-z-]+' | sort -u >options
grep -q . options || fail "cairn-server --help lists no options"
while read -r option; do
    grep -q -- "$option" server || fail "cairn-server.8 lacks $option"
done <options

command -v groff >/dev/null || fail "there is no groff: sh client-cli/install-packages.sh test"
for page in "$manual" "$CAIRN_SOURCE/sync-server/man/cairn-server.8" "$CAIRN_BUILD"/man/man1/*.1; do
    groff -man -ww -Kutf8 -Tutf8 -z "$page" 2>notes
    [ ! -s notes ] || fail "$(cat notes)"
done

try 0 types init --no-passphrase --root 51 --tag R "Root of the tests"
# What bash completes: all commands, and the options that the command has.
PATH=$CAIRN_BIN:$PATH bash -eu -c '
    . "$1"
    complete_line()
    {
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _cairn
        printf "%s\n" "${COMPREPLY[@]}"
    }
    complete_line cairn "" >completed.commands
    complete_line cairn --store x grant --r >completed.grant
    complete_line cairn grant a.request --role s >completed.role
    complete_line cairn --ver >completed.version
    complete_line cairn bundle w >completed.bundle
    complete_line cairn --store "$2" put ho >completed.type
    complete_line cairn --store "$2" schema show mem >completed.shown
    complete_line cairn --store no-such put "" >completed.none
' bash "$cli/completion/cairn.bash" "$work/types"
sed 's/ .*//' commands | sort >names
sort completed.commands | diff names - >&2 || fail "the completion knows other commands"
[ "$(cat completed.grant)" = --role ] || fail "--r of grant completes to $(cat completed.grant)"
[ "$(tr '\n' ' ' <completed.role)" = "station server " ] || fail "roles: $(cat completed.role)"
[ "$(cat completed.version)" = --version ] || fail "--ver completes to $(cat completed.version)"
[ "$(cat completed.bundle)" = write ] || fail "bundle w completes to $(cat completed.bundle)"
[ "$(cat completed.type)" = household ] || fail "put ho completes to $(cat completed.type)"
[ "$(cat completed.shown)" = member ] || fail "schema show mem completes to $(cat completed.shown)"
[ -z "$(cat completed.none)" ] || fail "without a store there are types: $(cat completed.none)"
