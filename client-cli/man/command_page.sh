#!/bin/sh
# Writes the manual page of one command from what the program itself says of it:
#   sh command_page.sh CAIRN COMMAND [zh_CN] >cairn-COMMAND.1
set -eu

cairn=$1
command=$2
language=${3-}

if [ "$language" = zh_CN ]; then
    titles="名称|概要|描述|选项|示例|退出码|另见|见"
else
    titles="NAME|SYNOPSIS|DESCRIPTION|OPTIONS|EXAMPLES|EXIT STATUS|SEE ALSO|See"
fi
help_of()
{
    env -u LC_ALL -u LC_MESSAGES -u LANGUAGE COLUMNS=70 LANG="${language:-C}${language:+.UTF-8}" "$cairn" "$@"
}

help_of help "$command" | awk -v command="$command" -v titles="$titles" -v keeps_lines="$language" \
    -v version="$(help_of --version | head -n 1)" '
    function roff(text) {
        gsub(/\\/, "\\e", text)
        gsub(/-/, "\\-", text)
        sub(/^[.'"'"']/, "\\\\\\&&", text)
        return text
    }
    # A gap is only printed before a line that follows it.
    function about(text) {
        if (text == "") {
            gap = seen
            return
        }
        # Chinese has no blanks that a line may be filled with.
        if (!seen && keeps_lines) print ".nf"
        if (gap) print (keeps_lines ? ".sp" : ".PP")
        gap = 0
        seen = 1
        print roff(text)
    }
    function section(number) { print ".SH \"" title[number] "\"" }
    BEGIN { split(titles, title, "|") }
    NR == 1 { usage = $0; next }
    !has_name && /^        / { sub(/^ +/, ""); usage = usage " " $0; next }
    !has_name {
        has_name = 1
        sub(/^ +/, "")
        print ".TH CAIRN\\-" toupper(command) " 1 \"\" \"" version "\" \"Cairn\""
        section(1)
        print "cairn\\-" command " \\- " roff($0)
        section(2)
        print ".ad l\n.nh\n.B \"" roff(usage) "\"" (keeps_lines ? "" : "\n.ad b\n.hy")
        section(3)
        part = "about"
        next
    }
    # What stands before the first option is the heading of the options, the next heading that of
    # the examples.
    part == "about" && /^[^ ]+$/ { if (held != "") about(held); held = $0; next }
    held != "" && /^  --/ { if (keeps_lines) print ".fi"; section(4); part = "options"; held = "" }
    held != "" { about(held); held = "" }
    part == "options" && /^[^ ]+$/ { section(5); print ".nf"; part = "examples"; next }
    part == "options" && /^  --/ {
        name = substr($0, 3)
        text = name
        sub(/   .*/, "", name)
        text = substr(text, length(name) + 1)
        sub(/^ +/, "", text)
        print ".TP\n.B \"" roff(name) "\"\n" roff(text)
        next
    }
    part == "options" && $0 != "" {
        sub(/^ +/, "")
        print (keeps_lines ? ".br\n" : "") roff($0)
        next
    }
    part == "examples" { sub(/^  /, ""); print roff($0); next }
    part == "about" { about($0) }
    END {
        print ".fi"
        section(6)
        print title[8] "\n.BR cairn (1)."
        section(7)
        print ".BR cairn (1),\n.BR cairn\\-server (8)"
    }'
