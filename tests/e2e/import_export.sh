#!/bin/sh
# Tables in and out: what is bad is named, what is good arrives once, whatever interrupts it, and what
# was written is read back the same.
. "$(dirname -- "$0")/lib.sh"

network
rows=20000

expect_count()
{
    held=$(count_households "$1")
    [ "$held" -eq "$2" ] || fail "$1 holds $held households, not $2"
}

# ---- columns ------------------------------------------------------------------------------------------

cat >labels.csv <<END
村代码,户主,家庭人口,income per head (yuan),备注
$shama,扎西,4,4150,x
END
try 2 office import household labels.csv
complains "cairn: labels.csv:1: column 5 \"备注\" is no field of household.*--map \"备注=-\"*"
try 0 office import household labels.csv --map 备注=plan --dry-run
says "labels.csv: 1 row, 1 good."
try 0 office import household labels.csv --map 备注=-
try 0 office list household --json
says "*\"head\":\"扎西\"*"
printf 'village,head,incom\n%s,扎西,1\n' "$shama" >slip.csv
try 2 office import household slip.csv
complains "*slip.csv:1: column 3 \"incom\"*Did you mean income?*"
try 2 office import household slip.csv --map incom=outcome
complains "*household has no field outcome*"
try 2 office import household slip.csv --map income=-
complains "*\"income\", which the first line has not*"
try 2 office import household slip.csv --map incom=head
complains "*are the same field*"
try 2 office import household slip.csv --map incom=income,incom=members
complains "*--map names the column \"incom\" twice*"
try 2 office import household slip.csv --map ""
complains "*--map names no column*"

# ---- bad rows -------------------------------------------------------------------------------------------

{
    echo village,head,members,income
    echo "$shama,good1,1,1"
    echo "$shama,bad,four,1"
    echo "$shama,ragged,1"
    echo "\"$shama\",\"two
lines\",2,2"
    printf '%s,\344\270,1,1\n' "$shama"
    echo "5133321002,short,1,1"
    echo "$shama,in\"side,1,1"
    echo "$shama,good2,1,1"
} >some.csv
try 2 office import household some.csv --dry-run
says "Line 3: members: \"four\" is not a whole number: half-width digits, no commas (column 3, members)."
says "Line 4: this row has 3 fields, the first line names 4."
says "Line 7: byte 14 of this row is not UTF-8*--encoding gb18030*"
says "Line 8: village code 5133321002 has 10 digits, 12 are needed (column 1, village)."
says "Line 9: a double quote stands inside a field*"
says "some.csv: 8 rows, 3 good."
try 2 office import household some.csv --dry-run --json
says '{"line":3,"column":3,"name":"members","message":"members: *"}'
says '{"file":"some.csv","rows":8,"good":3,"bad":5}'
try 2 office import household some.csv
complains "cairn: some.csv:3: members: *. Nothing was imported; *"
expect_count office 1
try 1 office import household some.csv --partial
says "Line 3: members: *"
says "Saved 3 records of type household *"
says "5 rows are bad and were left out"
expect_count office 4
try 0 office import household some.csv --partial --resume
says "some.csv: no row was left to import"
expect_count office 4

# ---- twice --------------------------------------------------------------------------------------------------

# What is in already would be there twice; another name is another import.
try 2 office import household some.csv --partial
complains "cairn: some.csv was imported already (records saved: 3). Nothing was imported now; *--update*rename*"
expect_count office 4
try 2 office import household some.csv --dry-run
says "some.csv: 8 rows, 3 good."
printf 'village,head\n%s,twice\n' "$shama" >twice.csv
try 0 a8 import household twice.csv
try 2 a8 import household twice.csv --json
complains '{"error":{"code":"BAD_INPUT","message":"twice.csv was imported already *","exit":2}}'
try 0 a8 import household twice.csv --resume
says "twice.csv: no row was left to import"
try 0 a8 import household twice.csv --dry-run
expect_count a8 1
printf '%s,thrice\n' "$shama" >>twice.csv
try 2 a8 import household twice.csv
complains "cairn: twice.csv was imported already (records saved: 1) and has changed since. *another name*"
expect_count a8 1
printf 'village,head\n%s,thrice\n%s,fourth\n' "$shama" "$shama" >rest.csv
try 0 a8 import household rest.csv
expect_count a8 3
try 0 a8 export household updated.csv
try 0 a8 import household updated.csv --update
try 0 a8 import household updated.csv --update
says "Records of type household: 0 new, 0 changed, 3 as they were*"
expect_count a8 3
# A row that goes into an earlier one of its record makes no record of its own.
tail -n 1 updated.csv >again
cat again >>updated.csv
try 0 a8 import household updated.csv --update
says "Records of type household: 0 new, 0 changed, 4 as they were*"
expect_count a8 3

# ---- rows without a value, as spreadsheets write them ----------------------------------------------------

printf 'village,head,members\n%s,blank1,1\n,,\n%s,blank2,2\n,,\n,,,,\n' "$shama" "$shama" >blank.csv
try 0 b1 import household blank.csv --map village=- --dry-run
says "blank.csv: 2 rows, 2 good."
printf 'village,head,members\n,,\n' >blank.csv
try 2 b1 import household blank.csv
complains "cairn: blank.csv holds no rows. *"
# Five megabytes of them, more than one piece, and a row behind.
{
    echo village,head,members
    yes ,, | head -n 1700000
    echo "$adi,behind,1"
} >blank.csv
try 0 b1 import household blank.csv
says "Saved 1 record of type household *"
printf 'head,members\nalone\n' >one.csv
try 2 b1 import household one.csv
complains "cairn: one.csv:2: this row has 1 field, the first line names 2. *"

# ---- encodings --------------------------------------------------------------------------------------------

printf 'village,户主,住址\r\n%s,卓玛,㐀村\r\n' "$shama" >utf8.csv
iconv -f UTF-8 -t GB18030 utf8.csv >gb.csv
try 2 office import household gb.csv
complains "cairn: gb.csv:1: byte 9 of this row is not UTF-8: try --encoding gb18030*"
try 2 office import household gb.csv --encoding latin-1
try 0 office import household gb.csv --encoding gb18030
try 0 office list household head=卓玛 --json
says '*"addr":"㐀村"*'
printf '\357\273\277"village",head\r\n%s,次仁\r\n' "$shama" >bom.csv
try 0 office import household bom.csv
printf 'village,head\n%s,\201\n' "$shama" >broken.csv
try 2 office import household broken.csv --encoding gb18030
complains "cairn: broken.csv:2: byte 14 of this row is not GB18030*"
try 2 office import household /dev/null
complains "*is no regular file*"
expect_count office 6

# ---- interrupted ----------------------------------------------------------------------------------------------

awk -v rows=$rows -v village="$shama" 'BEGIN {
    print "village,head,members,income,addr"
    for (i = 1; i <= rows; i++) printf "%s,\"H%d\",%d,%d,\"a, %d\"\n", village, i, i % 9, i, i
}' >many.csv
begun=$(date +%s%N)
try 0 a8 import household many.csv --dry-run
{ echo "village,head,members,income,addr" && sed -n '2,3001p' many.csv; } >first.csv
try 0 a8 import household first.csv
took_ms=$((($(date +%s%N) - begun) / 3000000 + 20))

try 2 a7 import household many.csv --resume
complains "*nothing to resume*"
seed=${CAIRN_SEED:-$(date +%s)}
echo "seed $seed" >&2
random=$seed
kills=0
resume=
while :; do
    random=$(((random * 1103515245 + 12345) % 2147483648))
    "$CAIRN_BIN/cairn" --store a7 import household many.csv $resume >run.out 2>run.err &
    worker=$!
    sleep "$(awk -v ms="$((random / 65536 % took_ms))" 'BEGIN { print ms / 1000 }')"
    kill -s KILL "$worker" 2>/dev/null || true
    wait "$worker" 2>/dev/null && ended=0 || ended=$?
    worker=
    [ "$ended" -ne 0 ] || break
    case $ended in
    137) kills=$((kills + 1)) ;;
    *) grep -q "nothing to resume" run.err && resume= && continue
        fail "ended with $ended: $(cat run.err) (seed $seed)" ;;
    esac
    resume=--resume
    # Once rows are in, beginning anew is refused: they would be there twice.
    held=$(count_households a7)
    [ $((held % 1000)) -eq 0 ] || fail "$held households after a kill: not whole commits (seed $seed)"
    if [ "$held" -gt 0 ] && [ "$held" -lt $rows ]; then
        try 2 a7 import household many.csv
        complains "*many.csv was interrupted behind line $((held + 1))*--resume*"
        cp many.csv kept
        tail -n 1 kept >>many.csv
        for again in "" --resume; do
            # shellcheck disable=SC2086 # none or one
            try 2 a7 import household many.csv $again
            complains "*is not the file whose import was interrupted*"
        done
        mv kept many.csv
    fi
    [ "$kills" -lt 15 ] || took_ms=$((took_ms * 2))
done
try 0 a7 export household - --format csv
cut -d, -f4 out | sort | uniq -d | grep . && fail "some came twice (seed $seed)"
expect_count a7 $rows
[ "$kills" -gt 0 ] || fail "the import was never killed (seed $seed)"
echo "$kills kills" >&2

# A file that has changed is not taken for the one that was begun.
sed 's/H7"/H8"/' many.csv >changed
cp changed many.csv
try 2 a7 import household many.csv --resume
complains "*many.csv was imported already*and has changed since*"
expect_count a7 $rows

# ---- memory: the same, however long the table ---------------------------------------------------------------------

[ -x /usr/bin/time ] || fail "there is no /usr/bin/time: sh client-cli/install-packages.sh test"
# Sanitizers keep shadows of all memory.
if ! grep -q __asan_ "$CAIRN_BIN/cairn"; then
    rss()
    {
        /usr/bin/time -f %M -o rss "$CAIRN_BIN/cairn" --store "$@" >/dev/null 2>&1 || fail "$*"
        cat rss
    }
    # What the store maps of its file counts too, so a dry run is what is measured.
    small=$(rss a8 import household first.csv --dry-run)
    large=$(rss a8 import household many.csv --dry-run)
    [ "$large" -lt $((small + 4096)) ] ||
        fail "$rows rows take $large KiB, 3000 take $small KiB"
    echo "memory: $small KiB for 3000 rows, $large KiB for $rows" >&2
fi

# ---- out, and in again -------------------------------------------------------------------------------------------

cat >odd.csv <<'END'
head,members,income,phone,plan,cause,addr,updated
扎西多吉,4,5,13808250001,"'=1+1",因病,"a ""b"", c",2020-12-03
卓玛,,,0836-6222555,"two
lines",因残,''=x,
@home,1,1,,-dash,,+1,
END
device c1 office station 513332100203 C1
device c2 office station 513332100203 C2
try 0 c1 import household odd.csv
try 0 c1 export household first.out.csv
says "Written first.out.csv: 3 records"
grep -q "^[^,]*,513332100203,,'@home,1," first.out.csv || fail "$(cat first.out.csv)"
[ "$(tail -c 2 first.out.csv | od -An -tx1 | tr -d ' ')" = 0d0a ] || fail "rows do not end in CR LF"
try 2 c2 import household first.out.csv
complains "*--update*"
try 0 c2 import household first.out.csv --map record=-
fields()
{
    try 0 "$1" export household - --format jsonl
    sed 's/"record":"[^"]*",//' out
}
fields c1 >c1.fields
fields c2 | diff c1.fields - >&2 || fail "what came back is not what went out"
grep -q '"plan":"=1+1"' c1.fields && grep -q "\"addr\":\"'=x\"" c1.fields || fail "$(cat c1.fields)"
grep -q '"income":5' c1.fields || fail "a number became a text"
# In the same store each row names its record: nothing changes, then one thing.
try 0 c1 import household first.out.csv --update
says "Records of type household: 0 new, 0 changed, 3 as they were*"
sed 's/,4,,,5,/,4,,,7,/' first.out.csv >edited.csv
try 0 c1 import household edited.csv --update
says "Records of type household: 0 new, 1 changed, 2 as they were*"
expect_count c1 3
try 0 c1 export household bom.out.csv head=卓玛 --bom
says "Written bom.out.csv: 1 record"
[ "$(head -c 3 bom.out.csv | od -An -tx1 | tr -d ' ')" = efbbbf ] || fail "no byte order mark"
try 0 c1 export household masked.csv --mask
! grep -q "扎西\|13808250001\|因病\|^record" masked.csv || fail "$(cat masked.csv)"
grep -q "扎\*.*138\*\*\*\*0001" masked.csv || fail "$(cat masked.csv)"
try 2 c1 export household table.ods
complains "*--format*"
try 2 c1 export household table.csv --format pdf
complains "cairn: --format is csv, jsonl or xlsx, not pdf. Nothing was written."
try 0 c1 export household - 'income>=4000' --format jsonl
[ "$(wc -l <out)" -eq "$("$CAIRN_BIN/cairn" --store "$work/c1" list household 'income>=4000' --json | wc -l)" ] ||
    fail_with "does not choose as list does"
try 2 c1 export household - colour --format csv
complains "cairn: \"colour\" is no condition: *"
try 2 c1 export household - --format xlsx
try 2 c1 export houshold a.csv
try 2 c1 export household a.csv colour=red
try 2 c1 export household no/such/folder.csv
[ -z "$(find . -name 'a.csv*')" ] || fail "a failed export left a file"
echo precious >kept.csv
try 2 c1 export household kept.csv colour=red
[ "$(cat kept.csv)" = precious ] || fail "a failed export took the file that was there"
# What is no regular file stays what it is, and a file of the user with a name like a temporary one too.
# (No device is tried: a program that fails here would take it from the whole machine.)
ln -s kept.csv link.csv
mkfifo pipe.csv
for target in link.csv pipe.csv a7; do
    try 2 c1 export household "$target" --format csv
    complains "cairn: $target is no regular file *. Nothing was written."
    try 2 c1 bundle write "$target"
    try 2 c1 audit --save-checkpoint "$target"
done
ln -s nowhere link.invite
try 2 office grant c1/device-c1.request --role station --scope 513332100203 --tag C9 --out link.invite --yes
[ -L link.csv ] && [ -p pipe.csv ] && [ ! -e nowhere ] || fail "what was there is gone"
echo precious >own.csv.tmp
(umask 027 && in_store c1 export household own.csv) || fail "$(cat err)"
[ "$(cat own.csv.tmp)" = precious ] || fail "an export took own.csv.tmp"
[ "$(stat -c %a own.csv)" = 640 ] || fail "own.csv has the mode $(stat -c %a own.csv)"

# ---- a disk that is full: files that grow no more ------------------------------------------------------------------

# limited BLOCKS CODE STORE ARGUMENT...: as try, with files of at most so many blocks of 512 bytes.
limited()
{
    lib_blocks=$1
    lib_code=$2
    shift 2
    lib_command=$*
    (trap '' XFSZ && ulimit -f "$lib_blocks" && in_store "$@") && lib_got=0 || lib_got=$?
    [ "$lib_got" -eq "$lib_code" ] || fail_with "ended with $lib_got, not $lib_code"
}
for form in csv jsonl xlsx; do
    echo precious >"full.$form"
    limited 16 3 a7 export household "full.$form"
    complains "cairn: *full.$form*"
    [ "$(cat "full.$form")" = precious ] || fail "a full disk took the file that was there"
    [ "$(find . -name "full.$form*")" = "./full.$form" ] || fail "a full disk left a half file"
done
device full office station 513332100204 F1
sed "s/$shama/513332100204/" many.csv >more.csv
limited 8192 3 full import household more.csv
complains "Saved before that, and kept: *000 records of more.csv.*--resume*"
held=$(count_households full)
[ $((held % 1000)) -eq 0 ] && [ "$held" -gt 0 ] && [ "$held" -lt $rows ] ||
    fail "$held households when the disk was full"
try 0 full import household more.csv --resume
says "Together with what was imported before: 20,000 records"
expect_count full $rows

# ---- XLSX ------------------------------------------------------------------------------------------------------------

LANG=zh_CN.UTF-8 "$CAIRN_BIN/cairn" --store c1 export household c1.xlsx >/dev/null 2>err || fail "$(cat err)"
command -v unzip >/dev/null || fail "there is no unzip: sh client-cli/install-packages.sh test"
sheet=$(unzip -p c1.xlsx xl/worksheets/sheet1.xml)
echo "$sheet" | grep -q 'state="frozen"' || fail "the header is not frozen"
echo "$sheet" | grep -q '户主' || fail "no Chinese labels: $sheet"
echo "$sheet" | grep -q '<v>44168</v>' || fail "the date is no date: $sheet"
echo "$sheet" | grep -q '<v>7</v>' || fail "the number is no number: $sheet"
echo "$sheet" | grep -q '已识别' && ! echo "$sheet" | grep -q identified || fail "the words of the schema: $sheet"
! echo "$sheet" | grep -q '<f>' || fail "there is a formula: $sheet"
