#!/bin/sh
# Whatever is wrong with what people and wires hand in: a clear error that names the place, the exit
# code that scripts rely on, and nothing lost or half written. (Every single byte: damaged_bytes_test.c.)
. "$(dirname -- "$0")/lib.sh"

network
server_start
cat >good.csv <<END
village,head,members,income,updated
$shama,扎西,4,4150,2020-12-03
$shama,"卓玛, 次仁",3,3980,
$adi,达娃,5,,2020-11-30
END
try 0 office import household good.csv
try 0 office sync --server "$server"
try 0 a7 sync --server "$server"
try 0 a7 put household head=尼玛 members=2 income=4000
mine=$(id_in_out)

# state STORE: all that its commands say of it.
state()
{
    try 0 "$1" status --json
    cat out
    try 0 "$1" list household --json
    cat out
}
state a7 >a7.before
state office >office.before

# ---- tables -------------------------------------------------------------------------------------------

# bad_table LINE PATTERN: the file table.csv must be refused at that line.
bad_table()
{
    try 2 office import household table.csv
    complains "cairn: table.csv:$1: $2*Nothing was imported*"
    try 2 office import household table.csv --dry-run
    try 2 office import household table.csv --json
    complains "{\"error\":{\"code\":\"BAD_INPUT\",\"message\":\"table.csv:$1: *\",\"exit\":2}}"
}
row="$shama,扎西,4,4150,2020-12-03"
table()
{
    printf '%s\n' village,head,members,income,updated "$@" >table.csv
}
table "$row" "51333210020,扎西,4,4150,"
bad_table 3 "*51333210020*11*12*"
table "5133321002010,扎西,4,4150,"
bad_table 2 "*5133321002010*"
table "51333210020x,扎西,4,4150,"
bad_table 2 "*51333210020x*"
table "$row" "$row" ",扎西,4,4150,"
bad_table 4 "*"
table "$row" "513401100201,扎西,4,4150," # of another county
bad_table 3 "*513401100201*"
table "$row" "$shama,,4,4150,"
bad_table 3 "*head*"
table "$shama,扎西,four,4150,"
bad_table 2 "members: \"four\"*"
table "$shama,扎西,4,99999999999999999999,"
bad_table 2 "income: *"
table "$shama,扎西,4,4150,2020-02-30"
bad_table 2 "updated: *"
table "$row" "$shama,扎西,4"
bad_table 3 "this row has 3 fields, the first line names 5"
table "$row" "$shama,\"扎西,4,4150,"
bad_table 3 "*double quote*"
table "$row" "$(printf '%s,\316\306\267\347,4,4150,' "$shama")" # a spreadsheet's GBK
bad_table 3 "*UTF-8*"
table "$(printf '%s,\355\240\200,4,4150,' "$shama")" # half a surrogate
bad_table 2 "*UTF-8*"
printf '%s\n' village,members "$shama,4" >table.csv # a required column is missing
bad_table 2 "*head*"
printf '%s\n' head,members "扎西,4" >table.csv # an office has no village of its own
bad_table 2 "*"
printf '%s\n' village,head,colour "$shama,扎西,red" >table.csv
try 2 office import household table.csv
complains "cairn: table.csv:*colour*"
printf '%s\n' village,head,head "$shama,扎西,扎西" >table.csv
bad_table 1 "columns 2 and 3 are both called \"head\""
: >table.csv
bad_table 1 "the file is empty; *"
printf 'village,head\n' >table.csv
try 2 office import household table.csv
complains "cairn: table.csv holds no rows. *"
try 2 office import household no-such.csv
complains "cairn: cannot read no-such.csv: *"
try 2 office import houshold good.csv
complains "*houshold*"

# ---- values ---------------------------------------------------------------------------------------------

try 2 a7 put household "$mine" income=much
complains "cairn: income: \"much\"*"
try 2 a7 put household "$mine" "head=$(printf '\377')"
complains "*UTF-8*"
try 2 a7 put household "$mine" "plan=$(head -c 5000 /dev/zero | tr '\0' x)"
complains "cairn: plan: *"
try 2 a7 put household "$mine"
try 2 a7 put household members=4
complains "*head*"
try 2 a7 put household "$mine" same=A7-9999-K
complains "cairn: There is no record A7-9999-K here."
try 1 a7 put household A7-9999-K members=4
try 2 a7 list household same=A7-9999-K
try 2 a7 schema export --version 9
try 1 a7 get A7-0001
try 1 a7 history nonsense
try 2 a7 settle "$mine" income --keep 1 --reason "there is no conflict"
try 2 a7 settle "$mine" nonsense --value 1 --reason "there is no such field"

# ---- keys -------------------------------------------------------------------------------------------------

echo right >right
echo wrong >wrong
try 0 sealed init --passphrase-file right "sealed"
try 3 sealed put household head=扎西 --passphrase-file wrong
complains "cairn: *"
try 3 sealed put household head=扎西
complains "cairn: the key in $work/sealed is sealed: *"
"$CAIRN_BIN/cairn-server" --store "$work/sealed" --listen tcp://127.0.0.1:0 2>err && server_result=0 || server_result=$?
[ "$server_result" -eq 3 ] || fail "the server with a sealed key ended with $server_result"
complains "cairn-server: the key in $work/sealed is sealed: *CAIRN_PASSPHRASE_FILE*"
try 2 sealed put household head=扎西 --passphrase-file no-such
try 0 other init --no-passphrase --root 51 --tag R "Another root"
other_fingerprint=$(fingerprint_in_out)
try 0 sealed status

# An invitation of somebody else, and one of another network.
try 3 sealed join a8.invite --passphrase-file right --root-fingerprint "$root_fingerprint"
complains "cairn: *"
try 2 a7 join a7.invite --root-fingerprint "$root_fingerprint"
try 0 other grant sealed.request --role county --scope 513332 --tag C --out other.invite --yes
try 2 sealed join other.invite --passphrase-file right --root-fingerprint "$root_fingerprint"
complains "*$other_fingerprint*$root_fingerprint*"
try 0 sealed join other.invite --passphrase-file right --root-fingerprint "$other_fingerprint"

state office | diff office.before - >&2 || fail "the office is not as it was"

# A bundle that is not for this station, and one of another network.
try 0 a7 bundle write a7.cairn
try 3 b1 bundle read a7.cairn
complains "cairn: *"
try 0 sealed bundle write sealed.cairn --passphrase-file right
try 2 a7 bundle read sealed.cairn
complains "cairn: *"
try 0 office bundle write full.cairn --full
try 2 x audit --root other/root.pub full.cairn
complains "cairn: *"
try 2 office audit --root other/root.pub
complains "cairn: other/root.pub is not the root key *"

# A server's store is held by the server.
try 3 server put household head=扎西
complains "cairn: *cairn*, process $server_pid*"

# ---- damaged files ------------------------------------------------------------------------------------------

# refused FILE COMMAND...: the command must refuse what is in FILE, whatever is wrong with it.
refused()
{
    lib_command="$* ($place)"
    in_store "$@" && lib_got=0 || lib_got=$?
    case $lib_got in
    1 | 2 | 3) ;;
    *) fail_with "ended with $lib_got" ;;
    esac
    [ -s err ] || grep -q '^FINDING' out || fail_with "said nothing"
}
flip() # FILE BYTE BIT >COPY
{
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    head -c "$2" "$1"
    # shellcheck disable=SC2059 # the escape of one byte
    printf "\\$(printf %03o $((byte ^ (1 << $3))))"
    tail -c "+$(($2 + 2))" "$1"
}
# damage FILE COMMAND...: the command, which names the file `damaged`, at twenty places of FILE.
damage()
{
    file=$1
    shift
    size=$(wc -c <"$file")
    step=0
    while [ "$step" -lt 20 ]; do
        at=$((step * size / 20))
        place="$file, flipped at $at"
        flip "$file" "$at" $((step % 8)) >damaged
        refused "$@"
        place="$file, cut at $at"
        head -c "$at" "$file" >damaged
        refused "$@"
        step=$((step + 1))
    done
}
try 0 fresh init --no-passphrase "fresh"
for address in server.example tcp://server.example:7340 tcp://10.0.0.1 tcp://0.0.0.0:7340 'tcp://[::]:1'; do
    try 2 office grant fresh.request --role server --scope 513332 --tag X --address "$address" --out x.invite --yes
    complains "cairn: *address*"
    [ ! -e x.invite ] || fail "a server that nobody can reach was granted"
done
damage fresh.request office grant damaged --role station --scope "$shama" --tag A9 --out a9.invite --yes
[ ! -e a9.invite ] || fail "a damaged request was granted"
try 0 office grant fresh.request --role station --scope "$shama" --tag A9 --out a9.invite --yes
damage a9.invite fresh join damaged --root-fingerprint "$root_fingerprint"
try 0 fresh join a9.invite --root-fingerprint "$root_fingerprint"
damage a7.cairn office bundle read damaged
try 0 office bundle read a7.cairn
damage root/root.pub x audit --root damaged full.cairn
damage full.cairn x audit --root root/root.pub damaged
[ ! -e x ] || fail "audit made a store"

# ---- half a store: nothing said here may cost the other half ---------------------------------------------------

try 0 half init --no-passphrase "half"
cp half/key half.key
rm half/data.mdb
try 3 half status
complains "cairn: *half holds the key of a device, and no records. Restore data.mdb from a backup*"
mkdir elsewhere
cd elsewhere
try 2 half init --no-passphrase "another"
complains "cairn: *the key of half, and no records. Nothing was changed*"
echo secret >passphrase
try 2 half init --passphrase-file passphrase "half"
complains "cairn: *which this passphrase does not open*"
try 0 half init --no-passphrase "half" # what an interrupted init is told to do
cd ..
cmp half/key half.key || fail "init has replaced a key"
rm half/key
try 3 half status
complains "cairn: *half holds records, and the key of their device is gone*"
try 2 half init --no-passphrase "half"
[ ! -e half/key ] || fail "init has made a second key beside the records"

cp -R root rootless
rm rootless/data.mdb
cp rootless/root.pub root.pub.before
try 2 tagged init --no-passphrase --root 51 --tag 中 "Sichuan"
complains "cairn: A root needs a tag of 1 to 4 letters or digits*"
try 2 rootless init --no-passphrase --root 51 --tag R "Sichuan"
complains "cairn: *rootless holds the key of a root authority, and no records*"
cmp rootless/root.pub root.pub.before || fail "init has replaced a root key"

# ---- no store, no folder -----------------------------------------------------------------------------------------

missing()
{
    HOME=$work/newcomer "$CAIRN_BIN/cairn" "$@" >out 2>err && lib_got=0 || lib_got=$?
    lib_command="$* (in a new home)"
}
mkdir newcomer
missing status
[ "$lib_got" -eq 3 ] || fail_with "ended with $lib_got"
complains "cairn: There is no store in $work/newcomer/.local/share/cairn. Make one with: cairn init NAME; *"
missing --store '' status
[ "$lib_got" -eq 2 ] || fail_with "ended with $lib_got"
complains "cairn: --store names no folder: *"
try 0 stranger init --no-passphrase "stranger"
try 3 stranger list household
cp err list.err
try 3 stranger schema show
cmp err list.err || fail_with "not what list says"

# ---- the server's options ------------------------------------------------------------------------------------------

lib_command="the server"
"$CAIRN_BIN/cairn-server" -h >out 2>err || fail_with "does not know -h"
says "Usage: cairn-server *"
"$CAIRN_BIN/cairn-server" --listen tcp://127.0.0.1:0 --listen tcp://127.0.0.1:0 2>err && fail_with "took two addresses"
complains "cairn-server: --listen is given twice"

# ---- streams that are closed or full ---------------------------------------------------------------------------------

# What is printed goes nowhere then, and never into the store.
# Signals end with more than 3.
cp a7/data.mdb a7.mdb
"$CAIRN_BIN/cairn" --store a7 put household "$mine" bogus=5 <&- >&- 2>&- && lib_got=0 || lib_got=$?
[ "$lib_got" -ge 1 ] && [ "$lib_got" -le 3 ] || fail "bogus ended with $lib_got"
cmp a7/data.mdb a7.mdb || fail "a message stands in the store"
"$CAIRN_BIN/cairn-server" --store stranger --listen tcp://127.0.0.1:0 <&- >&- 2>&- && lib_got=0 || lib_got=$?
[ "$lib_got" -ge 1 ] && [ "$lib_got" -le 3 ] || fail "a server without a grant ended with $lib_got"
"$CAIRN_BIN/cairn-server" --help >&- 2>err && lib_got=0 || lib_got=$?
[ "$lib_got" -le 3 ] || fail "help that nobody hears ended with $lib_got"
try 0 stranger status
# Done, and not told: nobody should give it again unseen.
try 0 root put household "village=$shama" head=扎西
printed=$(id_in_out)
unprinted()
{
    [ "$lib_got" -eq 3 ] || fail "what cannot be printed ends with $lib_got"
    complains "cairn: not everything could be printed. What the command writes is written: *"
}
for option in --help --version; do
    "$CAIRN_BIN/cairn-server" $option 2>err >/dev/full && lib_got=0 || lib_got=$?
    [ "$lib_got" -eq 3 ] || fail "cairn-server $option loses what it prints and ends with $lib_got"
done
"$CAIRN_BIN/cairn" --store root put household "$printed" members=7 2>err >/dev/full && lib_got=0 || lib_got=$?
unprinted
"$CAIRN_BIN/cairn" --store root put household "$printed" income=4000 2>err >&- && lib_got=0 || lib_got=$?
unprinted
try 0 root get "$printed"
says "members * 7 *"
says "income * 4,000 *"
# One byte that is no UTF-8 takes no other with it.
try 2 root list "house$(printf '\377')hold" --json
complains '{"error":{"code":"BAD_INPUT","message":"There is no record type house?hold.","exit":2}}'

# ---- and what is there is as it was -----------------------------------------------------------------------------

state a7 | diff a7.before - >&2 || fail "A7 is not as it was"
try 0 office sync --server "$server"
try 0 a7 sync --server "$server"
says "*received by S: 1 of 1*"
try 0 office get "$mine"
server_stop
try 0 x audit --root root/root.pub full.cairn
says "Nothing wrong found *"
