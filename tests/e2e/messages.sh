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

echo "$messages messages"
