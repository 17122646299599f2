#!/bin/sh
# Every message of the programs and their layers has its Chinese, and the formats fit.
. "$(dirname -- "$0")/lib.sh"

po=$CAIRN_SOURCE/client-cli/po
sh "$po/extract.sh" "$work/cairn.pot"
messages=$(grep -c '^msgid ' cairn.pot)
[ "$messages" -gt 300 ] || fail "only $messages messages were found: extract.sh lost some"

# Says which message is missing, untranslated or fuzzy.
msgcmp "$po/zh_CN.po" cairn.pot || fail "bring zh_CN.po up to date: msgmerge -N -U zh_CN.po cairn.pot"
# Says where the arguments of a format differ.
msgfmt --check -o cairn.mo "$po/zh_CN.po" || fail "zh_CN.po does not pass msgfmt --check"

# Messages that nothing uses any more would only mislead whoever translates.
msgcomm --more-than=1 --no-location -o both.po "$po/zh_CN.po" cairn.pot
[ "$(grep -c '^msgid ' both.po)" -eq "$(grep -c '^msgid ' "$po/zh_CN.po")" ] ||
    fail "zh_CN.po has messages that no source has: remove them"

# Sentences and labels are of one language, however Chinese is asked for.
# speaks LANGUAGE NAME=VALUE...: zh or en, in that environment.
speaks()
{
    lib_wanted=$1
    shift
    env "$@" "$CAIRN_BIN/cairn" --store "$work/one" schema show household >out
    env "$@" "$CAIRN_BIN/cairn-server" --help >>out
    case $lib_wanted in
    zh) grep -q '^字段' out && grep -q 户主 out && grep -q '^用法' out && ! grep -q '^field\|^Usage' out ;;
    en) ! grep -q '字段\|用法\|户主' out && grep -q '^field' out && grep -q '^Usage' out ;;
    esac || fail "$* is not $lib_wanted: $(cat out)"
}
try 0 one init --no-passphrase --root 51 --tag R "Root of the tests"
for locale in zh_CN.UTF-8 zh_CN zh_TW.UTF-8 zh_SG zh_Hans_CN zh; do
    speaks zh LANG=$locale
    speaks zh LANG=$locale LANGUAGE=
    speaks zh LANG=en_US.UTF-8 LC_MESSAGES=$locale
done
speaks zh LANG=en_US.UTF-8 LANGUAGE=zh_TW
speaks zh LANG=C.UTF-8 LANGUAGE=de:zh_CN
speaks en LANG=zh_CN.UTF-8 LANGUAGE=en:zh_CN
speaks en LANG=zh_CN.UTF-8 LC_ALL=C
speaks en LANG=C LANGUAGE=zh_CN
speaks en LANG=de_DE.UTF-8

# Help fits a window of 80 columns, a wide letter being two, in both languages.
# fits COMMAND...: what it prints.
fits()
{
    "$@" >out
    [ "$(LC_ALL=C.UTF-8 wc -L <out)" -le 80 ] ||
        fail "$* ($LANG) is wider than 80 columns: $(LC_ALL=C.UTF-8 wc -L <out)"
}
for LANG in C zh_CN.UTF-8; do
    fits "$CAIRN_BIN/cairn"
    sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' out >commands
    [ "$(wc -l <commands)" -ge 16 ] || fail "\`cairn\` lists too few commands"
    while read -r name; do
        fits "$CAIRN_BIN/cairn" help "$name"
    done <commands
    fits "$CAIRN_BIN/cairn-server" --help
done

echo "$messages messages"
