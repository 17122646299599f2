#!/bin/sh
# A server is put back from a copy that is older than the grant of a station: it does not know the
# station any more, and has lost what it signed for it. The station's next sync mends both.
. "$(dirname -- "$0")/lib.sh"

network
server_start
try 0 office sync --server "$server"
server_stop
cp -a server server.copy

server_start
try 0 a9 init --no-passphrase "device a9"
asked=$(fingerprint_in_out)
try 0 office grant a9/device-a9.request --fingerprint "$asked" --role station --scope "$shama" --tag A9 \
    --out a9.invite
try 0 a9 join a9.invite --root-fingerprint "$root_fingerprint"
try 0 a9 put household head=扎西 income=4150
try 0 a9 sync --server "$server"
server_stop

rm -rf server
mv server.copy server
server_start
try 0 a9 put household head=卓玛 income=3980
try 0 a9 sync --server "$server"
says "*received by S: 1 of 1*"
complains "*S is silent. Asking once more, with the grant of this device*"
try 0 office sync --server "$server"
try 0 office list household --json
[ "$(grep -c '"id"' out)" -eq 2 ] || fail "the office does not have both households again"
server_stop
try 0 server audit
echo "a server that went back has again what it signed, and who writes it"
