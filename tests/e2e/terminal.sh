#!/bin/sh
# At a terminal the questions are asked: passphrases without echo, fingerprints with a plain No as the
# answer that everything else means.
. "$(dirname -- "$0")/lib.sh"

command -v script >/dev/null || fail "script(1) is missing: package bsdutils"
mkfifo keys

# begin ARGUMENT...: run `cairn ARGUMENT...` (one string of sh) at a terminal; the screen is a file.
begin()
{
    : >screen
    script -qefc "'$CAIRN_BIN/cairn' --store $*" screen <keys >/dev/null 2>&1 &
    terminal=$!
    exec 3>keys
}
# answer QUESTION TEXT: wait until the question stands on the screen, then type.
answer()
{
    wait_until 30 grep -qF -- "$1" screen || fail "not asked: $1; the screen: $(cat screen)"
    printf '%s\n' "$2" >&3
}
# end CODE
end()
{
    wait "$terminal" && lib_got=0 || lib_got=$?
    exec 3>&-
    [ "$lib_got" -eq "$1" ] || fail "ended with $lib_got, not $1; the screen: $(cat screen)"
}

begin root init --root 51 --tag R Root
answer "Passphrase for this device's key:" "four words and one"
answer "Again:" "four words and two"
end 2
grep -qF "the two passphrases differ" screen || fail "$(cat screen)"
[ ! -e root/key ] || fail "a key was made all the same"

begin root init --root 51 --tag R Root
answer "Passphrase for this device's key:" "four words and one"
answer "Again:" "four words and one"
end 0
! grep -q "four words" screen || fail "the passphrase was shown"
root_fingerprint=$(grep -oE '[0-9A-Z]{4}(-[0-9A-Z]{4}){3}' screen | head -n 1)

try 0 office init --no-passphrase Office
for word in n '' yes; do
    begin root grant office.request --role county --scope 513332 --tag C --out office.invite
    answer "Passphrase for this device's key:" "four words and one"
    answer "[y/N]" "$word"
    if [ "$word" = yes ]; then
        end 0
    else
        end 2
        [ ! -e office.invite ] || fail "\"$word\" was taken for yes"
    fi
done
begin office join office.invite
answer "$root_fingerprint" y
end 0
grep -qF "Joined as C" screen || fail "$(cat screen)"
