#!/bin/sh
# What five people type and see, from the root authority to the auditor:
#   first_run.sh C            first_run.sh zh_CN
# The system needs no Chinese locale for it.
. "$(dirname -- "$0")/lib.sh"

speak "${1:-C}"

echo "six words that nobody guesses easily" >passphrase
export CAIRN_PASSPHRASE_FILE="$work/passphrase"

# ---- root authority ---------------------------------------------------------------------------------

try 0 root init --root 51 --tag R "Sichuan root authority"
reads "Root authority for 51* is in $work/root" "51*的根机构在 $work/root"
reads "  fingerprint  ????-????-????-????      root key for auditors  $work/root/root.pub" \
    "  指纹  ????-????-????-????      给审计员的根公钥  $work/root/root.pub"
reads "Keep this machine off the network. Do not copy the folder: *" "这台机器不要接网络。不要复制这个文件夹*"
reads "Next: cairn grant REQUEST --role county *" "下一步：cairn grant REQUEST --role county *"
root_fingerprint=$(fingerprint_in_out)
[ "$(stat -c %a root)" = 700 ] || fail "the store's folder has mode $(stat -c %a root)"
[ "$(stat -c %a root/key)" = 600 ] || fail "the key has mode $(stat -c %a root/key)"

try 2 root init "Another"
objects "*Nothing was made." "*什么都没有建立。"
# Killed before it wrote what is handed out, an init is finished by the same words, and no others.
cp root/root.pub first.pub
rm root/root.pub
try 2 root init "Another"
try 2 root init --root 51 --tag R "Another"
try 0 root init --root 51 --tag R "Sichuan root authority"
cmp first.pub root/root.pub || fail "another root.pub was written"
try 2 root init --root 51 --tag R "Sichuan root authority"

try 0 office init "Shiqu county office"
reads "Request written: shiqu-county-office.request       fingerprint ????-????-????-????  (read it to whoever grants)" \
    "已写出申请文件：shiqu-county-office.request       指纹 ????-????-????-????  （请念给授权的人听）"
office_fingerprint=$(fingerprint_in_out)

# Nobody sits at a terminal here: the program says what it would have asked.
try 2 root grant shiqu-county-office.request --role county --scope 513332 --tag C --out shiqu.invite
objects "the request of \"Shiqu county office\" has the fingerprint $office_fingerprint.*--fingerprint*" \
    "“Shiqu county office”的申请文件指纹是 $office_fingerprint。*--fingerprint*"
try 2 root grant shiqu-county-office.request --role county --scope 513332 --tag C --out shiqu.invite \
    --fingerprint 0000-0000-0000-0000
objects "*has the fingerprint $office_fingerprint, not 0000-0000-0000-0000. Nothing was written." \
    "*指纹是 $office_fingerprint，不是 0000-0000-0000-0000。什么都没有写。"
[ ! -e shiqu.invite ] || fail "an invitation was written all the same"

try 3 root grant shiqu-county-office.request --role county --scope 52 --tag D --out x.invite --yes
objects "*52*51*" "*52*51*"
[ ! -e x.invite ] || fail "an invitation was written all the same"

try 0 root grant shiqu-county-office.request --role county --scope 513332 --tag C --out shiqu.invite \
    --fingerprint "$office_fingerprint"
reads "Granted C \"Shiqu county office\": county, 513332 石渠县, records funds authority, may delegate" \
    "已授权 C “Shiqu county office”：县级，513332 石渠县；通道 记录 资金 授权，可以再授权"
reads "Invitation: shiqu.invite, * bytes, opens on that device only." \
    "邀请文件：shiqu.invite，* 字节，只有那台设备能打开。"
try 0 root status
reads "R  root authority, 51 四川省   1 grant, 0 revocations   no server: *" \
    "R  根机构，51 四川省   1 项授权，0 项撤销   没有服务器：*"

# ---- county office ------------------------------------------------------------------------------------

try 3 office put household head=扎西
objects "this device may not write yet: it has no grant. Send shiqu-county-office.request to *cairn join FILE" \
    "本设备还不能写入：还没有授权。请把 shiqu-county-office.request 交给上级*cairn join FILE"
for words in "list household" "count household" "schema show household" audit; do
    # shellcheck disable=SC2086 # words
    try 3 office $words
    objects "This device has no grant yet, so it knows no *" "本设备还没有授权，因此不知道*"
done
try 2 office join shiqu.invite
objects "the invitation is from the root \"Sichuan root authority\" $root_fingerprint.*--root-fingerprint*" \
    "邀请文件来自根机构“Sichuan root authority” $root_fingerprint。*--root-fingerprint*"
try 0 office join shiqu.invite --root-fingerprint "$(echo "$root_fingerprint" | tr 'A-Z' 'a-z' | tr -d -)"
reads "Joined as C: county, 513332 石渠县. No server yet: grant one with --role server." \
    "已加入，标签 C：县级，513332 石渠县。还没有服务器：请用 --role server 授权一台。"

# ---- server operator ------------------------------------------------------------------------------------

try 0 server init "Shiqu server"
server_fingerprint=$(fingerprint_in_out)
if server_try; then fail "a server without a grant listens"; fi
[ "$server_result" -eq 3 ] || fail "a server without a grant ended with $server_result"
grep -qF "cairn --store $work/server join FILE" server.log || fail "it does not say how to join"

try 0 office grant shiqu-server.request --role server --scope 513332 --tag S \
    --address tcp://127.0.0.1:9 --out server.invite --fingerprint "$server_fingerprint"
try 0 server join server.invite --root-fingerprint "$root_fingerprint"
reads "Joined as S: server, 513332 石渠县, tcp://127.0.0.1:9" \
    "已加入，标签 S：服务器，513332 石渠县，tcp://127.0.0.1:9"
if server_try tcp://localhost:7340; then fail "it listens on a name"; fi
[ "$server_result" -eq 2 ] || fail "--listen tcp://localhost:7340 ended with $server_result"
grep -qF "tcp://127.0.0.1:7340" server.log || fail "it does not say which address to try"
server_start
wait_until 10 grep -qF "$server" server.log || fail "the server does not say where it listens"

# ---- import -----------------------------------------------------------------------------------------------

{
    echo village,head,members,income
    i=0
    while [ "$i" -lt 40 ]; do
        i=$((i + 1))
        echo "51333210020$((i % 2 + 1)),扎西$i,$((i % 7 + 1)),$((3000 + i))"
    done
} >shiqu.csv
sed '17s/^513332100201/51333210020/' shiqu.csv >bad.csv
try 2 office import household bad.csv --dry-run
reads "bad.csv: 40 rows, 39 good." "bad.csv：40 行，其中 39 行没有问题。"
reads "Line 17: *51333210020*11*12*" "第 17 行：*51333210020*11*12*"
try 2 office import household bad.csv
objects "bad.csv:17: *51333210020*11*12*. Nothing was imported;*--dry-run*" \
    "bad.csv:17：*51333210020*11*12*。什么都没有导入；*--dry-run*"
try 0 office list household
[ ! -s out ] || fail_with "bad rows were imported"
try 0 office import household shiqu.csv --dry-run
reads "shiqu.csv: 40 rows, 40 good." "shiqu.csv：40 行，其中 40 行没有问题。"
try 0 office import household shiqu.csv
reads "Saved 40 records of type household (C-0001-? to C-0040-?) in 2 villages, 1 commit" \
    "已保存 40 条 household 记录（C-0001-? 到 C-0040-?），分属 2 个村，一次写入"
try 0 office sync --server "$server"
reads "S  sent 4? entries, got *   received by S: 4? of 4?   * checkpoints   * B up, * B down, * s" \
    "S  送出 4? 条，收进 *   S 已收到：4? / 4?   * 个检查点   上行 * 字节，下行 * 字节，*秒"

# ---- village stations ---------------------------------------------------------------------------------------

# station STORE TAG NAME SCOPE PLACE
station()
{
    try 0 "$1" init "$3"
    station_fingerprint=$(fingerprint_in_out)
    try 0 office grant "$1"/*.request --role station --scope "$4" --tag "$2" --out "$1.invite" \
        --fingerprint "$station_fingerprint"
    try 0 "$1" join "$1.invite" --root-fingerprint "$root_fingerprint"
    reads "Joined as $2: station, $4 $5. Server S tcp://127.0.0.1:9. Works without network from now on." \
        "已加入，标签 $2：村站，$4 $5。服务器 S tcp://127.0.0.1:9。从现在起没有网络也能工作。"
}
station a7 A7 "Shama village 1" "$shama" 沙马村
station a8 A8 "Shama village 2" "$shama" 沙马村
try 0 a8 sync --server "$server"
server_stop

try 0 a7 put household "village=$shama" head=扎西 members=4 income=4150
reads "Saved A7-0001-?" "已保存 A7-0001-?"
saved=$(id_in_out)
try 0 a7 put household "$saved" income=4300 --reason "yak sold"
reads "Saved $saved income 4,150 → 4,300" "已保存 $saved income 4,150 → 4,300"
try 0 a7 status
reads "A7 沙马村   2 edits saved here, not yet received by S   last contact: never   conflicts 0   without effect 0" \
    "A7 沙马村   2 处修改已保存在本机，S 还没有收到   上次联系：从未   冲突 0   没有生效 0"
if [ "$language" = C ]; then # half a minute of silence: once is enough
    try 3 a7 sync
    complains "cairn: no answer from S tcp://127.0.0.1:9 in 30 s without a byte. 2 edits wait, nothing is lost. *"
fi
try 2 a7 put household "$saved" village=513332100202 income=1
try 2 a7 put household "$saved" incom=1
objects "*incom*" "*incom*"
try 2 a7 put household "village+=$shama" head=扎西
objects "village_name has one value: nothing can be added*" "village_name 只有一个值，不能添加*"
try 3 a7 put household village=$adi head=扎西
objects "village $adi is not inside $shama, *" "*$adi*$shama*"

server_start
try 0 a7 sync --server "$server"
reads "S  sent 2 entries, got *   received by S: 2 of 2   *checkpoint*   * B up, * B down, * round trip*" \
    "S  送出 2 条，收进 *   S 已收到：2 / 2   *检查点*   上行 * 字节，下行 * 字节，往返 *"
try 0 a7 status
reads "A7 沙马村   no edit waits to be received by S   last contact: 20*" \
    "A7 沙马村   没有等待 S 收到的修改   上次联系：20*"
try 0 a7 list household "village=$shama" head=扎西2
contested=$(id_in_out)
server_stop

# ---- a conflict -------------------------------------------------------------------------------------------------

try 0 a7 put household "$contested" income=4390
try 0 a8 put household "$contested" income=4410
server_start
try 0 a8 sync --server "$server"
try 0 a7 sync --server "$server"
reads "1 conflict came in: cairn conflicts" "收进 1 处冲突，请看：cairn conflicts"
try 1 a7 conflicts
reads "$contested   income   1) 4,??0  A? 20* (shown)   2) 4,??0  A? 20*" \
    "$contested   income   1) 4,??0  A? 20*（当前显示）   2) 4,??0  A? 20*"
says "*4,390  A7*"
says "*4,410  A8*"
try 1 a7 status --check
try 2 a7 settle "$contested" income --keep 1
objects "*--reason TEXT*" "*--reason TEXT*"
try 2 a7 settle "$contested" income --keep 7 --reason "a slip"
try 0 a7 settle "$contested" income --keep 2 --reason "receipt seen"
reads "Settled $contested income = 4,??0; goes out with the next sync" \
    "已裁定 $contested income = 4,??0；下次同步时送出"
try 0 a7 conflicts
[ ! -s out ] || fail_with "the settled conflict is still listed"
try 0 a7 sync --server "$server"
try 0 a8 sync --server "$server"
try 0 a8 conflicts
try 0 a8 history "$contested"
reads "*A7*settled*4,??0*\"receipt seen\"" "*A7*裁定*4,??0*receipt seen*"
try 1 a7 get A7-9999-0
objects "*A7-9999-0*" "*A7-9999-0*"

# ---- auditor ------------------------------------------------------------------------------------------------------

try 0 office bundle write early.cairn --full
try 0 office sync --server "$server"
try 0 office bundle write shiqu.cairn --full
reads "Written * entries, * devices, * checkpoints: * bytes" "已写出 * 条，* 台设备，* 个检查点：* 字节"
mkdir auditor
cp root/root.pub shiqu.cairn auditor
try 2 auditor/store audit auditor/shiqu.cairn
objects "no root key: give --root FILE, from somebody other *" "没有根公钥：请给出 --root FILE*"
try 0 auditor/store audit --root auditor/root.pub auditor/shiqu.cairn --save-checkpoint auditor/shiqu.ckpt
reads "root * $root_fingerprint   matches auditor/root.pub" "根机构 * $root_fingerprint   与 auditor/root.pub 一致"
reads "devices * 4: *   4 grants lead to the root" "设备 * 4 台：*   4 项授权都能追溯到根机构"
for tag in C S A7 A8; do
    reads "devices*[ ]$tag *" "设备*[ ：]$tag *"
done
reads "logs * entries   every entry sealed, no gap, no fork" "日志 * 条   每一条都有签封，没有缺漏，没有分叉"
reads "checkpoints * by S *state rebuilt and equal (digest *)" "检查点 *由 S 签发*状态一致（摘要 *）"
reads "settled * $contested income, by A7, \"receipt seen\"" "已裁定 * $contested income，由 A7 裁定，“receipt seen”"
reads "Nothing wrong found in * entries.*" "检查了 * 条，没有发现问题。*"
try 3 server put household head=扎西
objects "The folder $work/server is in use by cairn-server, process *. Nothing was written; stop it first, or use another device's store." \
    "*$work/server*cairn-server*。什么都没有写。请先停掉它，或用别的设备的存储。"
[ -s auditor/shiqu.ckpt ] || fail "no checkpoint was saved"
try 0 auditor/store audit --root auditor/root.pub auditor/shiqu.cairn --checkpoint auditor/shiqu.ckpt \
    --checkpoint auditor/shiqu.ckpt --save-checkpoint auditor/again.ckpt
reads "earlier * checkpoints that were kept are part of this history" "先前 * 个保留的检查点属于这段历史"
cmp -s auditor/shiqu.ckpt auditor/again.ckpt || fail "the same bundle gave another checkpoint"
try 1 auditor/store audit --root auditor/root.pub early.cairn --checkpoint auditor/shiqu.ckpt
reads "FINDING *  auditor/shiqu.ckpt: the server signed */records at size *; here it ends at size *." \
    "问题 *  auditor/shiqu.ckpt：服务器签名过 */records 大小 *；这里到大小 * 为止。"
sed '2s/.*/1000/' auditor/shiqu.ckpt >altered.ckpt
try 2 auditor/store audit --root auditor/root.pub auditor/shiqu.cairn --checkpoint altered.ckpt
objects "altered.ckpt: the signature under a checkpoint does not hold*" "altered.ckpt：*签名*"
try 2 auditor/store audit --root auditor/root.pub auditor/shiqu.cairn --checkpoint shiqu.cairn
objects "shiqu.cairn is not a file of checkpoints*" "shiqu.cairn *检查点*"
# What A8 has not sent yet is more than the server held when it signed for A7: two scopes, four checkpoints.
try 0 a8 put household head=德吉 income=3010
try 0 a8 bundle write ahead.cairn --full
try 0 a7 put household head=卓玛 income=3020
try 0 a7 sync --server "$server"
try 0 office sync --server "$server"
try 0 office bundle write later.cairn --full
try 0 auditor/store audit --root auditor/root.pub ahead.cairn later.cairn
reads "checkpoints * by S *; state equal at * of them" "检查点 *由 S 签发*；其中 * 个的状态重新算出，一致"
reads "State at * checkpoint* not compared: the server held more or less then." \
    "有 * 个检查点的状态没有比对：*"
! grep -q 扎西 shiqu.cairn || fail "a personal value stands in the auditor's bundle"
server_stop

# ---- what scripts rely on ---------------------------------------------------------------------------------------

try 0 office
reads "Usage: cairn*" "用法：cairn*"
try 0 office help put
try 2 office lst household
objects "*Did you mean: cairn list?" "*您是不是要：cairn list？"
try 2 office list household --jsn
objects "*--json?" "*--json？"
try 0 office --version
says "cairn *"
says "*libsodium*"
try 3 nowhere status --json
complains '{"error":{"code":"*","message":"*","exit":3}}'
