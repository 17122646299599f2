#!/bin/sh
# Writes the template of all messages of the programs and their layers: sh extract.sh OUT.pot
# A message is what stands in _(), N_(), ngettext(), as the format of cairn_fail(), CLI_FAIL(), FINDING(), TELL() or FAIL(), as the
# text given to translated(), or as the text of a row X(name, actor, "text") of a table in a header. Files are found
# by folder, so a file that is split or renamed loses no message.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
case $1 in
/*) out=$1 ;;
*) out=$PWD/$1 ;;
esac
cd "$root"
# The one warning that is meant: a row of a table may have no text.
find proto/include proto/src core/include core/src sync-server/src client-cli/src client-cli/common -name '*.[ch]' |
    LC_ALL=C sort |
    xgettext --files-from=- --output="$out" --language=C --from-code=UTF-8 --add-location=file \
        --package-name=cairn --add-comments=TRANSLATORS \
        --keyword --keyword=_ --keyword=N_ --keyword=gettext --keyword=ngettext:1,2 \
        --keyword=cairn_fail:3 --keyword=CLI_FAIL:3 --keyword=X:3 \
        --keyword=FINDING:3 --keyword=TELL:3 --keyword=FAIL:2 --keyword=translated:2 \
        --flag=cairn_fail:3:c-format --flag=CLI_FAIL:3:c-format --flag=FINDING:3:c-format --flag=TELL:3:c-format --flag=FAIL:2:c-format --flag=ngettext:1:pass-c-format --flag=ngettext:2:pass-c-format \
        --flag=_:1:pass-c-format --flag=N_:1:pass-c-format 2>"$out.notes" || {
    cat "$out.notes" >&2
    exit 1
}
rm -f "$out.notes"
