#!/bin/sh
# The manual and the completion say what the programs say.
. "$(dirname -- "$0")/lib.sh"

cli=$CAIRN_SOURCE/client-cli
served=$CAIRN_SOURCE/sync-server/man

# plain FILE: a manual page without its markup.
plain()
{
    sed -e 's/^\.[A-Z]* *//' -e 's/\\-/-/g' -e 's/\\f.//g' -e 's/"//g' "$1"
}

# manual_lists MANUAL: the commands as `cairn` lists them in this language, the stable codes of errors.
manual_lists()
{
    "$CAIRN_BIN/cairn" | sed -n 's/^  \([a-z][a-z]*\)  */\1 /p' >commands
    [ "$(wc -l <commands)" -ge 16 ] || fail "\`cairn\` lists too few commands"
    plain "$1" >manual
    while read -r name summary; do
        grep -qx "$name" manual && grep -qxF "$summary" manual || fail "$1 lacks: $name, $summary"
        grep -qF "cairn-$name (1)" manual || fail "$1 does not refer to cairn-$name(1)"
    done <commands
    while read -r code text; do
        [ "$LANG" = C ] || text=$(LANGUAGE=zh_CN LC_ALL=C.UTF-8 TEXTDOMAINDIR=$CAIRN_BUILD/locale gettext cairn "$text")
        grep -qx "$code" manual && grep -qxF "$text" manual || fail "$1 lacks: $code, $text"
    done <codes
}
sed -n 's/^    X(\([A-Z_]*\), [A-Z]*, "\(.*\)").*/\1 \2/p' "$CAIRN_SOURCE/proto/include/cairn/base.h" |
    grep -v '^OK ' >codes
[ "$(wc -l <codes)" -ge 19 ] || fail "base.h lists too few codes"
LANG=zh_CN.UTF-8
manual_lists "$cli/man/zh_CN/cairn.1"
LANG=C
manual_lists "$cli/man/cairn.1"

while read -r name summary; do
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

"$CAIRN_BIN/cairn-server" --help | grep -oE -- '--[a-z-]+' | sort -u >options
grep -q . options || fail "cairn-server --help lists no options"
for page in "$served/cairn-server.8" "$served/zh_CN/cairn-server.8"; do
    plain "$page" >server
    while read -r option; do
        grep -q -- "$option" server || fail "$page lacks $option"
    done <options
done

command -v groff >/dev/null || fail "there is no groff: sh client-cli/install-packages.sh test"
for page in "$cli/man/cairn.1" "$cli/man/zh_CN/cairn.1" "$served/cairn-server.8" "$served/zh_CN/cairn-server.8" \
    "$CAIRN_BUILD"/man/man1/*.1 "$CAIRN_BUILD"/man/zh_CN/man1/*.1; do
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
