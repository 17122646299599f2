#!/bin/sh
# cairn schema: an office starts from what is held, is told every mistake with its line, publishes,
# and the stations write the new field.
. "$(dirname -- "$0")/lib.sh"

network
server_start
try 0 office sync --server "$server"
try 0 a7 sync --server "$server"
try 0 a7 put household head=扎西 members=4 income=4150 housing="D unsafe"
id=$(id_in_out)

# ---- show -----------------------------------------------------------------------------------------------

try 0 a7 schema show
says "*household*household*24*"
says "*Version 1.*"
try 0 a7 schema show household
says "*income per head (yuan)*integer 0.. yuan*indexed*"
says "*exit*registered, returned*exited*station, township, county*"
says "*line*above the line*income*at-least 4200*"
try 0 a7 schema show task --json
says '*"name":"title"*'
try 2 a7 schema show houshold
complains "*There is no record type houshold.*"
try 2 a7 schema shw
complains "*none of: cairn schema show*"

# ---- check ----------------------------------------------------------------------------------------------

try 0 office schema export
cp out held.yaml
try 2 office schema check held.yaml
says "held.yaml:1: version 1 cannot follow version 1: write version: 2.*"
complains "*The schema has 1 mistake. Nothing was changed*"
# line_of TEXT: the line of bad.yaml that has it.
line_of()
{
    grep -n -F -e "$1" bad.yaml | cut -d: -f1
}
sed -e 's/^version: 1/version: 2/' -e 's/{number: 18, name: land,/{number: 18, nmae: land,/' \
    -e 's/{number: 24, name: six,/{number: 24, nmae: six,/' held.yaml >bad.yaml
try 2 office schema check bad.yaml
says "bad.yaml:$(line_of 'nmae: land'): unknown key \"nmae\"; did you mean \"name\"?"
says "bad.yaml:$(line_of 'nmae: six'): unknown key \"nmae\"; did you mean \"name\"?"
sed -e 's/^version: 1/version: 2/' -e 's/name: land, zh/name: soil, zh/' held.yaml >bad.yaml
try 2 office schema check bad.yaml
says "bad.yaml:$(line_of 'name: soil'): household.soil: field 18 was called land; a number keeps its name."
try 2 office schema check bad.yaml --json
says "{\"file\":\"bad.yaml\",\"line\":$(line_of 'name: soil'),\"problem\":\"household.soil: *\"}"
sed -e 's/^version: 1/version: 2/' -e 's/^      - {number: 24, name: six,.*/&\
      - {number: 25, name: roof, zh: 屋顶, en: roof, type: integer, max: 9}/' held.yaml >good.yaml
try 0 office schema check good.yaml
says "No mistakes. Version 2: 12 types, 91 fields*"

# ---- publish --------------------------------------------------------------------------------------------

try 3 office schema publish good.yaml
complains "*Only the root authority publishes a schema*"
try 2 root schema publish bad.yaml
try 0 root schema publish good.yaml
says "Published version 2*"
try 0 root bundle write root.cairn
try 0 office bundle read root.cairn
try 0 office sync --server "$server"
try 0 a7 sync --server "$server"
try 0 a7 schema show household
says "*roof*"
try 0 a7 put household "$id" roof=3
try 2 a7 put household "$id" roof=10
complains "*roof: 10 is too large, at most 9 is allowed.*"
try 2 a7 put household "$id" housing=E级
complains "*is not among its choices: A级, B级, C级, D级.*"
try 0 a7 sync --server "$server"
try 0 office sync --server "$server"
try 0 office get "$id"
says "*roof*3*"
try 0 a7 schema export --version 1
cmp out held.yaml || fail "version 1 is another one now"

# ---- an auditor, who was not there, comes to the same ---------------------------------------------------

try 0 office bundle write all.cairn --full
mkdir auditor
cp root/root.pub all.cairn auditor
try 0 auditor/store audit --root auditor/root.pub auditor/all.cairn
