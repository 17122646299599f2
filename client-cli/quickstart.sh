#!/bin/sh
# Installs what is missing, builds, and runs the main job of Cairn on the villages of Shiqu county
# (石渠县, 513332): offices and stations edit without a network, a server merges, a conflict is
# settled, a file is carried, and an auditor checks all of it from the root key alone.
#
#   sh client-cli/quickstart.sh
#
# From any folder and at any time; the stores of the last run stay under build/quickstart/. The
# villages are real (client-cli/data), the households are invented.
#   CAIRN_BIN          use the programs in this folder, build nothing
#   CAIRN_QUICKSTART   another folder for the stores; what a run left there is replaced
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
work=${CAIRN_QUICKSTART:-$root/build/quickstart}
data=$root/client-cli/data
shama=513332100201 # 沙马村
adi=513332100202   # 阿弟村
server_pid=
language=${LC_ALL:-${LC_MESSAGES:-${LANG-}}}
case $language in
'' | C | POSIX) ;;
*) language=${LANGUAGE:-$language} ;;
esac

# ---- what a run is made of ----------------------------------------------------------------------

stop_server()
{
    [ -n "$server_pid" ] || return 0
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
}

finish()
{
    result=$?
    stop_server
    if [ "$result" -ne 0 ] && [ -s "$work/err" ]; then
        cat "$work/err" >&2
        in_words "quickstart: stopped here; the stores are in $work" \
            "quickstart：停在这里；各存储在 $work" >&2
    fi
}

fail()
{
    echo "quickstart: $*" >&2
    exit 1
}

# in_words ENGLISH CHINESE: in the language that the programs speak.
in_words()
{
    case $language in
    zh*) printf '%s\n' "$2" ;;
    *) printf '%s\n' "$1" ;;
    esac
}

step()
{
    echo
    in_words "$@"
}

# in_store STORE ARGUMENT...: results into the file out, all else into the file err.
in_store()
{
    store=$1
    shift
    "$CAIRN_BIN/cairn" --store "$work/$store" "$@" >"$work/out" 2>"$work/err"
}

# on STORE ARGUMENT...: the same, shown as its owner sees it. `conflicts` ends with 1 when there are any.
on()
{
    printf '  %s$ cairn' "$1"
    (
        shift
        for word; do
            case $word in
            *' '*) printf ' "%s"' "$word" ;;
            *) printf ' %s' "$word" ;;
            esac
        done
        echo
    )
    result=0
    in_store "$@" || result=$?
    if [ "$result" -ne 0 ] && { [ "$result" -ne 1 ] || [ "$2" != conflicts ]; }; then
        exit "$result"
    fi
    sed 's/^/      /' "$work/out"
}

# The first record's id, or the fingerprint, in the last output.
id_in_out()
{
    grep -oE '[0-9A-Za-z]{1,4}-[0-9]{4,}-[0-9A-Z]' "$work/out" | head -n 1
}
fingerprint_in_out()
{
    grep -oE '[0-9A-Z]{4}(-[0-9A-Z]{4}){3}' "$work/out" | head -n 1
}

# device STORE GRANTER ROLE SCOPE TAG NAME [ADDRESS]: a device asks, GRANTER grants, it joins.
device()
{
    in_store "$1" init "$6"
    asked=$(fingerprint_in_out)
    in_store "$2" grant "$1"/*.request --fingerprint "$asked" \
        --role "$3" --scope "$4" --tag "$5" ${7:+--address "$7"} --out "$1.invite"
    in_store "$1" join "$1.invite" --root-fingerprint "$root_fingerprint"
    sed 's/^/      /' "$work/out"
}

# A port that nobody listens on, below those that the kernel hands out by itself.
free_port()
{
    port=$((20000 + $$ % 10000))
    while grep -qs "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$port") " /proc/net/tcp /proc/net/tcp6; do
        port=$((port + 1))
    done
    echo "$port"
}

# listen ADDRESS: start the server; false when it ended before it listened.
listen()
{
    rm -f ready
    "$CAIRN_BIN/cairn-server" --store "$work/server" --listen "$1" --ready-file "$work/ready" \
        >>server.log 2>&1 &
    server_pid=$!
    tries=0
    until [ -s ready ]; do
        tries=$((tries + 1))
        kill -0 "$server_pid" 2>/dev/null && [ "$tries" -lt 300 ] || return 1
        sleep 0.1
    done
}

# Somebody may have taken the port since: then any other, which the devices are told.
start_server()
{
    if ! listen "$address"; then
        stop_server
        listen tcp://127.0.0.1:0 || fail "the server does not start; see $work/server.log"
        to="--server $(cat ready)"
    fi
}

# Four households for each village of the county, the same at each run.
invent_households()
{
    awk -F, '
        function next_of(count) { seed = seed * 16807 % 2147483647; return seed % count + 1 }
        BEGIN {
            seed = 513332
            names = split("扎西 卓玛 次仁 达娃 尼玛 白玛 多吉 央金 格桑 洛桑 仁青 德吉 丹增 拉姆 索朗 平措 旺堆 顿珠 曲珍 泽仁", name, " ")
            causes = split("因病 因残 因学 因灾 缺土地 缺水 缺技术 缺劳力 缺资金 交通落后", cause, " ")
            states = split("贫困户 已脱贫 已脱贫 已脱贫 边缘户 脱贫不稳定户", state, " ")
            print "village,town_name,village_name,head,members,income,cause,status,cadre"
        }
        length($1) == 9 { town = $2 }
        length($1) == 12 {
            village = $2
            sub(/(民|居民)委员会$/, "", village)
            cadre = name[next_of(names)] name[next_of(names)]
            for (i = 0; i < 4; i++)
                print $1, town, village, name[next_of(names)] name[next_of(names)], next_of(7), \
                    2800 + 10 * next_of(420), cause[next_of(causes)], state[next_of(states)], cadre
        }' OFS=, "$data/regions.csv"
}

# ---- before the first step ----------------------------------------------------------------------

if [ -z "${CAIRN_BIN-}" ]; then
    sh "$root/client-cli/build.sh" release cairn cairn-server
    CAIRN_BIN=$root/build/release/bin
fi

# The mark is the first thing in the folder and stays, so that an interrupted run can be run again.
if [ -e "$work" ] && [ ! -f "$work/.cairn-quickstart" ]; then
    fail "$work is there and not from a run of mine: give another folder as CAIRN_QUICKSTART"
fi
mkdir -p "$work"
: >"$work/.cairn-quickstart"
cd "$work"
find . -mindepth 1 -maxdepth 1 ! -name .cairn-quickstart -exec rm -rf {} +
mkdir auditor
work=$(pwd -P)

# What stands outside the stores: the passphrase of all keys, and where the programs keep their marks.
(umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >passphrase)
cat >environment <<END
export PATH="$CAIRN_BIN:\$PATH" XDG_STATE_HOME="$work/state" CAIRN_PASSPHRASE_FILE="$work/passphrase"
cd "$work"
END
export XDG_STATE_HOME="$work/state" CAIRN_PASSPHRASE_FILE="$work/passphrase"
unset CAIRN_STORE

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

address=tcp://127.0.0.1:$(free_port)
to=

# ---- the main job ---------------------------------------------------------------------------------

step "1. A root authority for Sichuan; below it an office, a server, three stations of two villages." \
    "1. 四川省的根机构；下面是一个县办公室、一台服务器、两个村的三个村站。"
in_store root init --root 51 --tag R "Sichuan root authority"
root_fingerprint=$(fingerprint_in_out)
device office root county 513332 C "Shiqu county office"
device server office server 513332 S "Shiqu server" "$address"
device a7 office station "$shama" A7 "Shama village 1"
device a8 office station "$shama" A8 "Shama village 2"
device b1 office station "$adi" B1 "Adi village"

step "2. The office loads the households of all villages; the stations get those of theirs." \
    "2. 县办公室导入各村的户；村站收到本村的。"
start_server
invent_households >households.csv
on office import household households.csv
# shellcheck disable=SC2086 # $to is nothing, or two words
{
    on office sync $to
    on a7 sync $to
    on a8 sync $to
    on b1 sync $to
}

step "3. The server is stopped. All stations go on; A7 and A8 change the same field of one household." \
    "3. 服务器停了。各村站照常工作；A7 和 A8 改了同一户的同一个字段。"
stop_server
in_store a7 list household "village=$shama"
household=$(id_in_out)
on a7 put household "$household" income=4390 --reason "yak sold"
on a8 put household "$household" income=4410
on a7 put household head=扎西顿珠 members=4 income=4150
on b1 put household head=央金卓玛 members=6 income=3980
on a7 status

step "4. The server is back. Each station syncs; A7 once more, for what A8 sent after it." \
    "4. 服务器恢复了。各村站同步；A7 再同步一次，收进 A8 后来送出的内容。"
start_server
# shellcheck disable=SC2086
{
    on a7 sync $to
    on a8 sync $to
    on b1 sync $to
    on a7 sync $to
    in_store office sync $to
}
for store in a7 a8 office; do
    in_store $store list household "village=$shama"
    mv out "$store.list"
done
if ! cmp a7.list a8.list || ! cmp a7.list office.list; then
    fail "the lists of Shama village differ"
fi
in_words "  A7, A8 and the office list the same households of Shama village, field by field." \
    "  A7、A8 和县办公室列出的沙马村各户，每个字段都相同。"

step "5. Both values are kept and listed until somebody decides." "5. 两个值都保留着、列着，直到有人裁定。"
on a7 conflicts
on a7 settle "$household" income --keep 2 --reason "receipt seen"
# shellcheck disable=SC2086
{
    on a7 sync $to
    in_store a8 sync $to
}
in_store a8 conflicts || fail "the settled conflict is still listed at A8"
in_store a8 get "$household"
in_words "  A8 has the decision:" "  A8 已有这个裁定："
grep '^income' "$work/out" | sed 's/^/      /'

step "6. A8 has no network any more: a file takes its change to A7, and a file brings the receipt back." \
    "6. A8 没有网络了：用文件把它的修改带给 A7，再用文件把回执带回来。"
on a8 put household "$household" members=6 --reason "a child was born"
on a8 bundle write a8.cairn
on a7 bundle read a8.cairn
# shellcheck disable=SC2086
on a7 sync $to
on a7 bundle write a7.cairn
on a8 bundle read a7.cairn
on a8 status

step "7. An auditor who has root.pub and one file, and nothing else." \
    "7. 审计员手里只有 root.pub 和一个文件。"
# shellcheck disable=SC2086
in_store office sync $to
in_store office bundle write shiqu.cairn --full
cp root/root.pub shiqu.cairn auditor/
on auditor/store audit --root auditor/root.pub auditor/shiqu.cairn
stop_server

step "Look around:" "自己看看："
cat <<END
  . "$work/environment"
  cairn --store a7 list household      # $(in_words "other stores here:" "这里的其他存储：") root office server a8 b1
  cairn --store a7 history $household
  cairn help                           # $(in_words "in Chinese with LANG=zh_CN.UTF-8" "英文：LANG=C cairn help")
END
