# shellcheck shell=sh
# lib.sh: sourced by the scripts of this folder. A folder of their own, the programs, and checks that
# show what they saw. CAIRN_BIN names the folder of the programs; with CAIRN_KEEP=1 the folder stays.
set -eu

# CAIRN_SOURCE, the checkout, is where this file came from unless a test says otherwise.
: "${CAIRN_SOURCE:=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)}"
: "${CAIRN_BIN:?the folder of cairn and cairn-server, for example build/release/bin}"
CAIRN_BIN=$(cd "$CAIRN_BIN" && pwd -P)
: "${CAIRN_BUILD:=$(dirname -- "$CAIRN_BIN")}"
work=$(mktemp -d "${TMPDIR:-/tmp}/cairn-e2e.XXXXXX")
work=$(cd "$work" && pwd -P)
server_pid= # of a server, and of a process group of other programs: ended with the script
worker=
export HOME="$work" XDG_STATE_HOME="$work/state" TZ=UTC
unset CAIRN_STORE CAIRN_PASSPHRASE_FILE XDG_DATA_HOME CAIRN_DATADIR LANGUAGE LC_ALL LC_MESSAGES
export LANG=C
cd "$work"

fail()
{
    echo "FAILED: $*" >&2
    exit 1
}

server_kill()
{
    [ -n "$server_pid" ] || return 0
    kill "-$1" "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null && server_result=0 || server_result=$?
    server_pid=
}

lib_finish()
{
    lib_result=$?
    server_kill KILL
    [ -z "$worker" ] || kill -s KILL -- "-$worker" 2>/dev/null || true
    if [ "${CAIRN_KEEP-}" = 1 ]; then
        echo "kept: $work" >&2
    else
        cd /
        rm -rf "$work"
    fi
    exit "$lib_result"
}
trap lib_finish EXIT
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM HUP

# wait_until SECONDS COMMAND...: true as soon as the command is; false after so many seconds.
wait_until()
{
    lib_ticks=$(($1 * 20))
    shift
    until "$@"; do
        lib_ticks=$((lib_ticks - 1))
        [ "$lib_ticks" -gt 0 ] || return 1
        sleep 0.05
    done
}

# ---- the command ----------------------------------------------------------------------------------

# in_store STORE ARGUMENT...: into the files out and err; the exit code is the program's.
in_store()
{
    lib_store=$1
    shift
    "$CAIRN_BIN/cairn" --store "$work/$lib_store" "$@" >"$work/out" 2>"$work/err" </dev/null
}

# try CODE STORE ARGUMENT...: the command must end with this exit code.
try()
{
    lib_code=$1
    shift
    lib_command=$*
    in_store "$@" && lib_got=0 || lib_got=$?
    [ "$lib_got" -eq "$lib_code" ] || fail_with "ended with $lib_got, not $lib_code"
}

fail_with()
{
    {
        echo "FAILED: cairn --store $lib_command"
        echo "  $*"
        echo "  -- its results:"
        cat "$work/out"
        echo "  -- and all else:"
        cat "$work/err"
        [ ! -s "$work/server.log" ] || { echo "  -- the server:" && tail -n 20 "$work/server.log"; }
    } >&2
    exit 1
}

# line_like FILE PATTERN: one line of the file fits the pattern, which is one of sh.
line_like()
{
    while IFS= read -r lib_line || [ -n "$lib_line" ]; do
        # shellcheck disable=SC2254 # it is a pattern
        case $lib_line in
        $2) return 0 ;;
        esac
    done <"$1"
    return 1
}

# says PATTERN, complains PATTERN: a line of the results, of all else.
says()
{
    line_like "$work/out" "$1" || fail_with "says nothing like: $1"
}
complains()
{
    line_like "$work/err" "$1" || fail_with "complains of nothing like: $1"
}
# speak LANGUAGE: C or zh_CN, for what follows. reads ENGLISH CHINESE, objects ENGLISH CHINESE: patterns of
# a line of the results, of all else.
speak()
{
    language=$1
    [ "$language" = C ] || export LANG="$language.UTF-8"
}
reads()
{
    if [ "$language" = C ]; then says "$1"; else says "$2"; fi
}
objects()
{
    if [ "$language" = C ]; then complains "cairn: $1"; else complains "cairn: $2"; fi
}
# says_nothing: no results.
says_nothing()
{
    [ ! -s "$work/out" ] || fail_with "should have had no results"
}

# count_households STORE: how many there are.
count_households()
{
    try 0 "$1" list household --json
    grep -c '"id"' "$work/out" || true
}

# What the last command printed.
id_in_out()
{
    grep -oE '[0-9A-Za-z]{1,4}-[0-9]{4,}-[0-9A-Z]' "$work/out" | head -n 1
}
fingerprint_in_out()
{
    grep -oE '[0-9A-Z]{4}(-[0-9A-Z]{4}){3}' "$work/out" | head -n 1
}

# ---- the server -----------------------------------------------------------------------------------

server_is_ready()
{
    [ -s "$work/ready" ] || ! kill -0 "$server_pid" 2>/dev/null
}

# server_try [ADDRESS]: start the store "server"; false when it ended before it listened. The file
# ready then holds its address.
server_try()
{
    rm -f "$work/ready"
    "$CAIRN_BIN/cairn-server" --store "$work/server" --listen "${1:-tcp://127.0.0.1:0}" \
        --ready-file "$work/ready" >>"$work/server.log" 2>&1 </dev/null &
    server_pid=$!
    wait_until 60 server_is_ready || fail "the server neither listens nor ends"
    [ -s "$work/ready" ] && return
    server_kill TERM
    return 1
}
server_start()
{
    lib_command="server"
    server_try "$@" || fail_with "the server does not start"
    server=$(cat "$work/ready")
}
# Ends as it does for an operator; must say 0.
server_stop()
{
    server_kill TERM
    [ "$server_result" -eq 0 ] || fail "the server ended with $server_result"
}

# ---- a network --------------------------------------------------------------------------------------

shama=513332100201 # 沙马村
adi=513332100202   # 阿弟村

# device STORE GRANTER ROLE SCOPE TAG [ADDRESS]: init, grant and join, keys not sealed.
device()
{
    try 0 "$1" init --no-passphrase "device $1"
    lib_fingerprint=$(fingerprint_in_out)
    try 0 "$2" grant "$1/device-$1.request" --fingerprint "$lib_fingerprint" --role "$3" \
        --scope "$4" --tag "$5" ${6:+--address "$6"} --out "$1.invite"
    try 0 "$1" join "$1.invite" --root-fingerprint "$root_fingerprint"
}

# A root, an office, a server, and stations A7 and A8 of one village, B1 of another.
network()
{
    try 0 root init --no-passphrase --root 51 --tag R "Root of the tests"
    root_fingerprint=$(fingerprint_in_out)
    device office root county 513332 C
    device server office server 513332 S tcp://127.0.0.1:7340
    device a7 office station "$shama" A7
    device a8 office station "$shama" A8
    device b1 office station "$adi" B1
}
