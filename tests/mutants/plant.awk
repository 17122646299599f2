# plant.awk -v list=FILE -v name=NAME TARGET: prints TARGET with one planted bug. Text is compared with
# every run of blanks and line ends as one blank, so that a formatter may move it. Fails (1) unless it
# stands there exactly once.
function flat(text)
{
    gsub(/[ \t\n]+/, " ", text)
    return text
}
BEGIN {
    while ((getline line <list) > 0) {
        if (line ~ /^== /) {
            mine = index(line, "== " name ":") == 1
        } else if (mine && line ~ /^from /) {
            from = flat(substr(line, 6))
        } else if (mine && line ~ /^to /) {
            to = flat(substr(line, 4))
        }
    }
    while ((getline line <target) > 0)
        whole = whole line "\n"
    count = split(whole, character, "")
    # The flat text, and where in the whole each of its characters stands.
    for (i = 1; i <= count; i++) {
        c = character[i]
        if (c == " " || c == "\t" || c == "\n") {
            if (was_blank)
                continue
            c = " "
            was_blank = 1
        } else {
            was_blank = 0
        }
        flattened = flattened c
        place[++size] = i
    }
    at = index(flattened, from)
    if (from == "" || at == 0 || index(substr(flattened, at + 1), from) != 0)
        exit 1
    printf "%s%s%s", substr(whole, 1, place[at] - 1), to, substr(whole, place[at + length(from) - 1] + 1)
}
