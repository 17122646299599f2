#!/bin/sh
# The household registry in two villages of Shiqu, through the command line: root, county, township and
# three village stations; households with members, income and visits, their status moved level by level,
# edits side by side, one household written down twice, and what had no effect:
#   registry.sh C            registry.sh zh_CN
. "$(dirname -- "$0")/lib.sh"

speak "${1:-C}"

# to_server STORE...: each exchanges with the server.
to_server()
{
    for lib_device in "$@"; do
        try 0 "$lib_device" sync --server "$server"
    done
}
# create STORE TYPE FIELD=VALUE...: the id goes to $created.
create()
{
    lib_device=$1
    shift
    try 0 "$lib_device" put "$@"
    created=$(id_in_out)
    [ -n "$created" ] || fail_with "no id was printed"
}

# ---- the offices --------------------------------------------------------------------------------------

# The first township of the county and its villages, as the official list names them.
township=513332100 # 尼呷镇
try 0 root init --no-passphrase --root 51 --tag R "Sichuan root authority"
root_fingerprint=$(fingerprint_in_out)
device office root county 513332 C
device server office server 513332 S tcp://127.0.0.1:7340
device town office township "$township" T
device a7 office station "$shama" A7
device a8 office station "$shama" A8
device b1 office station "$adi" B1
server_start

# ---- households, their members, income, visits --------------------------------------------------------

create a7 household head=扎西 members=4 income=4150 cause=因病 housing=D级 six=110111 'measures=生产就业|易地搬迁' points=5
household=$created
create a7 member "household=$household" name=扎西 relation=户主 sex=男 born=1975-03-08 health=慢性病 insured=yes
member=$created
create a7 member "household=$household" name=卓玛 relation=配偶 sex=女
create a7 income "household=$household" year=2026 source=工资性收入 amount=8200.00
create a7 visit "household=$household" day=2026-11-02 visitor=罗布 found=屋顶漏雨 "done=报乡镇危房改造"
visit=$created
try 0 a7 get "$visit"
says "*2026-11-02*"
says "*$household*"
create b1 household head=拉姆 members=3 income=4600
neighbour=$created

try 2 a7 put member "household=$household" name=次仁 id_number=513332197503080011
objects "*id_number*513332197503080011*" "*id_number*513332197503080011*"
try 2 a7 put household "$household" housing=E级
objects "*housing*E级*" "*housing*E级*"
try 2 a7 put household "$household" listing=exited
objects "listing is not written but moved, step by step: cairn step ID MOVE." \
    "listing 不能直接写，要一步一步走：cairn step ID MOVE。"

try 0 a7 get "$household"
reads "housing * D unsafe *A7*" "housing * D级 *A7*"
reads "measures *relocation|production and jobs*" "measures *易地搬迁|生产就业*"
reads "indicators: 5 of 19 met, 12 not recorded" "指标：5 项达标（共 19 项），12 项没有记录"
reads "not met: above the line, has safe housing" "未达标：收入达线, 有安全住房"
try 0 a7 get "$household" --json
says '*"not_met":\["line","has-house"\],"not_recorded":\["*'
[ "$(sed 's/.*"not_recorded":\[\([^]]*\)\].*/\1/' out | tr ',' '\n' | wc -l)" -eq 12 ] || fail_with "not 12 are unknown"

# The village stands in a column already; another that only says it again tells nothing.
create b1 household head=次仁 village_name=阿弟村
try 0 b1 list household
reads "ID * village * head of household *" "编号 * 村 * 户主 *"
[ "$(head -n 1 out | grep -o '村\|village' | wc -l)" -eq 1 ] || fail_with "the village twice"
try 0 b1 list household --fields head,village_name
[ "$(head -n 1 out | grep -o '村\|village' | wc -l)" -eq 2 ] || fail_with "village_name was asked for"
try 0 b1 list household --fields 户主,sheep
reads "ID * village * head of household * sheep*" "编号 * 村 * 户主 * 羊*"
says "$created * 次仁"
try 0 b1 put household "$created" village_name=阿弟
try 0 b1 list household
[ "$(head -n 1 out | grep -o '村\|village' | wc -l)" -eq 2 ] || fail_with "what differs must be seen"

# ---- status: village, township, county ----------------------------------------------------------------

try 0 a7 step "$household"
reads "$household   identified" "$household   已识别"
reads "*cairn step $household register*→ registered*step 1 of 3: the station (this device)" \
    "*cairn step $household register*→ 建档立卡*第 1 步（共 3 步）：村站（本设备）"
! grep -q "step $household exit" out || fail_with "an exit begins before the registration"
try 2 a7 step "$household" exit
objects "$household stands at identified: exit does not begin there. Nothing was written." \
    "$household 的状态是 已识别，exit 不能从这里开始。什么都没有写。"
try 2 a7 step "$household" promote
objects "household has no move promote. *" "household 没有名为 promote 的变更。*"
try 2 a7 step "$household" --reason "seen by the team"
objects "--keep and --reason go with a move *" "--keep 和 --reason 要和一个变更*"
try 2 a7 step "$household" --keep 1
objects "--keep and --reason go with a move *" "--keep 和 --reason 要和一个变更*"
create a7 household head=误录
try 0 a7 delete household "$created" --reason "a slip"
try 2 a7 step "$created"
objects "$created was deleted: *" "$created 已被删除：*"
says_nothing
try 0 a7 step "$household" register --reason "seen by the team"
reads "$household register: step 1 of 3 taken, next the township" \
    "$household 纳入建档：已走第 1 步（共 3 步），下一步：乡镇"
try 3 a7 step "$household" register
objects "$household: step 2 of 3 of register is for a township to take. Nothing was written." \
    "$household：register 的第 2 步（共 3 步）应由乡镇来走。什么都没有写。"
to_server a7 town office

try 3 office step "$household" register # the township may not be skipped
objects "$household: step 2 of 3 of register is for a township to take. Nothing was written." \
    "$household：register 的第 2 步（共 3 步）应由乡镇来走。什么都没有写。"
try 0 town step "$household" register --reason "papers complete"
reads "$household register: step 2 of 3 taken, next the county" \
    "$household 纳入建档：已走第 2 步（共 3 步），下一步：县级"
to_server town office
try 0 office step "$household" register
reads "$household is now registered" "$household 现在是：建档立卡"
to_server office a7 a8
try 0 a7 get "$household"
reads "listing * registered  C 20*" "listing * 建档立卡  C 20*"

# An exit that the village began and took back.
try 0 a7 step "$household" exit
try 0 a7 get "$household"
reads "*exit: step 1 of 3 taken, next the township" "*脱贫退出：已走第 1 步（共 3 步），下一步：乡镇"
try 2 a7 step "$household" --give-up
objects "*--reason TEXT*" "*--reason TEXT*"
try 2 a7 step "$household" return
objects "$household: exit is under way; *--give-up*" "$household：exit 正在进行；*--give-up*"
try 0 a7 step "$household" --give-up --reason "income not proven"
reads "$household: the move was given up; it stays registered" "$household：变更已放弃；状态仍是建档立卡"
try 2 a7 step "$household" --give-up --reason again
objects "No move of $household is under way: *" "$household 没有正在进行的变更*"

# ---- side by side ---------------------------------------------------------------------------------------

# Both know the same; then each writes without the other: other fields, a set, a counter. Nobody must decide.
to_server a7 a8
try 0 a7 put household "$household" points+=3 measures+=低保兜底 yaks=40
reads "Saved $household measures with 低保兜底" "已保存 $household measures，加上 低保兜底"
reads "Saved $household points 5 → 8" "已保存 $household points 5 → 8"
try 0 a8 put household "$household" points-=1 measures-=易地搬迁 phone=13908361234
reads "Saved $household measures without 易地搬迁" "已保存 $household measures，去掉 易地搬迁"
to_server a8 a7 a8
for device in a7 a8; do
    try 0 "$device" get "$household"
    reads "points * 7 *" "points * 7 *"
    reads "measures *minimum allowance|production and jobs*" "measures *低保兜底|生产就业*"
    try 0 "$device" list household --fields measures
    reads "$household * minimum allowance|production and jobs" "$household * 低保兜底|生产就业"
    try 0 "$device" count household --by state --sum income
    reads "listing * income per head (yuan)" "建档状态 * 人均纯收入（元）"
    reads "registered * 1 *" "建档立卡 * 1 *"
    try 0 "$device" schema show household
    reads "exit * registered, returned * exited * station, township, county" "exit * 建档立卡, 返贫 * 脱贫 * 村站, 乡镇, 县级"
    reads "income * integer 0.. yuan * indexed" "income * 整数 0.. 元 * 可检索"
    reads "line * above the line * at-least 4200" "line * 收入达线 * 不低于 4200"
    try 2 "$device" count household --by measures
    objects "measures holds several values a record*measures=VALUE" "measures *不能按它分组*measures=值"
    try 2 "$device" count household --by 五个一批
    objects "五个一批 holds several values a record*" "五个一批 *不能按它分组*"
    try 0 "$device" count household --by 建档状态 --sum 人均纯收入（元）
    reads "listing * income per head (yuan)" "建档状态 * 人均纯收入（元）"
    reads "registered * 1 *" "建档立卡 * 1 *"
    try 0 "$device" get "$household"
    says "yaks * 40 *A7*"
    says "phone * 13908361234 *A8*"
    reads "merged: written by A?, A? without seeing each other" "已合并：A?, A? 互相没有看到对方的修改"
    try 0 "$device" conflicts --parallel
    reads "$household   yaks *40*merged" "$household   yaks *40*已合并"
    try 0 "$device" conflicts
done
# One field twice: somebody must.
try 0 a7 put household "$household" income=4390
try 0 a8 put household "$household" income=4410
to_server a8 a7 a8
for device in a7 a8; do
    try 1 "$device" conflicts
    says "$household   income   1) 4,??0 *2) 4,??0 *"
    [ "$(grep -c "$household" out)" -eq 1 ] || fail_with "more than the income is in conflict"
    try 0 "$device" conflicts --parallel
    ! grep -q "$household   income" out || fail_with "what is in conflict is not merged"
done
try 2 a8 settle "$household" measures --keep 1 --reason "no conflict"
try 0 a8 settle "$household" income --value 4400 --reason "counted again"
to_server a8 a7
try 0 a7 conflicts
try 0 a7 get "$household"
says "income * 4,400 *A8*"

# A deletion against an edit: what to type is said, and nobody was merged with anybody.
create a8 household head=白玛 members=2
moved=$created
to_server a8 a7
try 0 a7 delete household "$moved" --reason "moved away"
try 0 a8 put household "$moved" members=3
to_server a8 a7 a8
for device in a7 a8; do
    try 0 "$device" get "$moved"
    reads "deleted by A7, edited by A8: cairn settle $moved deleted --keep 1 (stays deleted) or --keep 2 (all fields come back) --reason TEXT" \
        "A7 已删除，A8 又修改：cairn settle $moved deleted --keep 1（仍删除）或 --keep 2（各字段恢复）--reason TEXT"
    ! grep -q "^merged\|^已合并\|FIELD" out || fail_with "says what does not fit"
    try 0 "$device" conflicts --parallel
    ! grep -q "$moved" out || fail_with "one writer alone is merged with nobody"
done
try 0 a8 settle "$moved" deleted --keep 2 --reason "they came back"
to_server a8 a7
try 0 a7 get "$moved"
says "members * 3 *"
try 0 a7 conflicts

# Two stations begin two moves: the next step says which one is followed.
create a8 household head=曲珍 members=2 income=4300
contested=$created
to_server a8 a7
try 0 a7 step "$contested" register
try 0 a8 step "$contested" watch
to_server a8 a7 town
try 1 town conflicts
reads "$contested   listing   1) identified  *: step 1 of 3 taken, next the township  A? 20*" \
    "$contested   listing   1) 已识别  *：已走第 1 步（共 3 步），下一步：乡镇  A? 20*"
try 0 town get "$contested"
reads "in conflict: cairn step $contested MOVE --keep N --reason TEXT" \
    "有冲突：cairn step $contested MOVE --keep N --reason TEXT"
try 0 town step "$contested"
reads "*--keep N*" "*--keep N*"
kept=$(grep -n "register:\|纳入建档" out | head -n 1 | cut -d: -f1)
try 2 town settle "$contested" listing --keep "$kept" --reason "the village agrees"
objects "listing is settled by the next step: *" "listing 由下一步来裁定*"
try 0 town step "$contested" register --keep "$kept" --reason "the village agrees"
reads "$contested register: step 2 of 3 taken, next the county" \
    "$contested 纳入建档：已走第 2 步（共 3 步），下一步：县级"
to_server town a7
try 0 a7 conflicts

# ---- one household, written down twice ------------------------------------------------------------------

create a8 household head=扎西 members=5
twin=$created
to_server a8 a7
try 2 a7 merge "$household" "$twin"
try 2 a7 merge "$household" "$twin" --reason ""
objects "say why with --reason TEXT: *" "请用 --reason TEXT 写明原因*"
try 2 a7 list household --limit 0
objects "--limit: 1 is the least, not 0." "--limit：最少是 1，不能是 0。"
try 0 a7 list household --limit 1 --offset 0
try 2 a7 merge "$household" "$household" --reason "a slip"
objects "$household and $household are one record already. *" "$household 和 $household 本来就是同一条记录。*"
try 2 a7 merge "$household" "$visit" --reason "a slip"
try 2 a7 unmerge "$household" "$twin" --reason "a slip"
objects "Nobody said that $household and $twin are one household. *" "没有人认定过 $household 和 $twin 是同一户。*"
# Offline, on both sides, in both directions.
try 0 a7 merge "$household" "$twin" --reason "one house, two books"
reads "$household and $twin are one household from now on; both records stay" \
    "从现在起 $household 和 $twin 是同一户；两条记录都保留"
try 0 a8 merge "$twin" "$household" --reason "the same family"
to_server a7 a8 a7
for device in a7 a8; do
    try 0 "$device" get "$household"
    reads "same household as $twin" "与 $twin 是同一户"
    try 0 "$device" get "$twin"
    reads "same household as $household" "与 $household 是同一户"
done
try 0 a8 unmerge "$household" "$twin" --reason "brothers, two houses"
reads "$household and $twin are two households again" "$household 和 $twin 又分为两户"
to_server a8 a7
for device in a7 a8; do
    try 0 "$device" get "$household"
    ! grep -q "$twin" out || fail_with "still one household"
done

# ---- history ----------------------------------------------------------------------------------------------

try 0 a8 history "$household"
reads "20* A7 * station * created * income = 4,150 * received 20*" "20* A7 * 村站 * 新建 * income = 4,150 * 已收到 20*"
reads "* T * township * step taken * register: step 2 of 3 taken, next the county * \"papers complete\"" \
    "* T * 乡镇 * 走了一步 * 纳入建档：已走第 2 步（共 3 步），下一步：县级 *papers complete*"
reads "* C * county * step taken * listing identified → registered *" "* C * 县级 * 走了一步 * listing 已识别 → 建档立卡 *"
reads "* A7 * move given up * \"income not proven\"" "* A7 * 放弃变更 *income not proven*"
reads "* A7 * counted * points +3 *" "* A7 * 已计数 * points +3 *"
reads "* A8 * counted * points -1 *" "* A8 * 已计数 * points -1 *"
reads "* A8 * taken away * measures − relocation *" "* A8 * 已去掉 * measures − 易地搬迁 *"
reads "* A7 * added * measures + minimum allowance *" "* A7 * 已添加 * measures + 低保兜底 *"
reads "* A8 * settled * income * 4,400 * \"counted again\"" "* A8 * 已裁定 * income * 4,400 *counted again*"
reads "* A7 * added * same + $twin * \"one house, two books\"" "* A7 * 已添加 * same + $twin *one house, two books*"
reads "* A8 * taken away * same − $twin * \"brothers, two houses\"" "* A8 * 已去掉 * same − $twin *brothers, two houses*"
# What is only here says so.
try 0 b1 put household "$neighbour" yaks=12
try 0 b1 history "$neighbour"
reads "* B1 * changed * yaks = 12 * not yet received" "* B1 * 修改 * yaks = 12 *"
try 0 b1 history "$neighbour" --json
says '{"operation":"create","field":"head",*"time_odd":false,"received":null,"tag":"B1","role":"station",*"state":"local",*'

# ---- what has no effect -----------------------------------------------------------------------------------

try 0 a7 refused
says_nothing
# A store put back from yesterday writes again what it thinks nobody had; the server had it: the second
# one counts for nothing, is kept, and is answered by the first.
to_server b1
try 0 b1 put household "$neighbour" sheep=30
cp -a b1 yesterday
to_server b1
rm -rf b1
mv yesterday b1
try 0 b1 put household "$neighbour" income=4700
to_server b1 b1
try 0 b1 refused
says_nothing
try 0 b1 status
reads "B1 * without effect 0" "B1 * 没有生效 0"
try 0 b1 refused --all
says "B1.* $neighbour *sheep = 30"
reads "    without effect: it repeats an entry that counts" "    没有生效：*"
reads "    answered: *" "    已处理：*"
try 0 b1 get "$neighbour"
says "sheep * 30 *"
says "income * 4,700 *"

# ---- what the others read ---------------------------------------------------------------------------------

try 0 office sync --server "$server"
try 0 office list household "village=$township"
says "$household*"
says "$neighbour*"
try 0 office bundle write shiqu.cairn --full
try 0 auditor audit --root root/root.pub shiqu.cairn
server_stop
