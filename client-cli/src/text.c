#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "i18n.h"

/* Of a 64-bit integer; with its separators it fits into I18N_NUMBER_BYTES. */
#define TEXT_INTEGER_DIGITS_MAX 19
#define TEXT_WORD_MAX 31

const char *text_integer(const char *value, char buffer[static I18N_NUMBER_BYTES])
{
    const char *digits = value[0] == '-' ? value + 1 : value;
    size_t count = strspn(digits, "0123456789");

    if (digits[count] != '\0' || count < 4 || count > TEXT_INTEGER_DIGITS_MAX)
        return value;
    buffer[0] = '-';
    i18n_group(digits, count, buffer + (digits - value));
    return buffer;
}

static struct text_time format_time(uint64_t time_s, const char *format, bool is_local)
{
    struct text_time out = {""};
    time_t seconds = (time_t)time_s;
    struct tm parts;

    if (time_s == 0 || time_s > INT64_MAX)
        return out;
    if ((is_local ? localtime_r(&seconds, &parts) : gmtime_r(&seconds, &parts)) == NULL)
        return out;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (strftime(out.text, sizeof out.text, format, &parts) == 0)
        out.text[0] = '\0';
#pragma GCC diagnostic pop
    return out;
}

struct text_time text_minute(uint64_t time_s)
{
    return format_time(time_s, "%Y-%m-%d %H:%M", true);
}

struct text_time text_day(uint64_t time_s)
{
    return format_time(time_s, "%Y-%m-%d", true);
}

struct text_time text_iso(uint64_t time_s)
{
    return format_time(time_s, "%Y-%m-%dT%H:%M:%SZ", false);
}

size_t text_width(const char *text)
{
    mbstate_t state = {0};
    size_t left = strlen(text);
    size_t columns = 0;

    while (left > 0) {
        wchar_t letter;
        size_t bytes = mbrtowc(&letter, text, left, &state);

        if (bytes == 0 || bytes > left)
            return columns + left;
        int width = wcwidth(letter);
        columns += width > 0 ? (size_t)width : 0;
        text += bytes;
        left -= bytes;
    }
    return columns;
}

/* ---- lines ---- */

/* A letter and the columns it takes; what is no letter is one byte wide and one long. */
struct letter {
    wchar_t code;
    size_t bytes, columns;
};

static struct letter read_letter(const char *text)
{
    struct letter letter = {.code = (unsigned char)text[0], .bytes = 1, .columns = 1};
    mbstate_t state = {0};
    wchar_t code;
    size_t bytes = mbrtowc(&code, text, strlen(text), &state);

    if (bytes == 0 || bytes > strlen(text))
        return letter;
    int width = wcwidth(code);
    return (struct letter){code, bytes, width > 0 ? (size_t)width : 0};
}

/* May a line end between these two? */
static bool may_break(struct letter before, struct letter after)
{
    static const wchar_t closing[] = L"。，、；：？！）》】”’…,.;:?!)]}\"'";
    static const wchar_t opening[] = L"（《【“‘([{\"'";

    if (before.code == L' ' || after.code == L' ')
        return before.code != L' ';
    return (before.columns == 2 || after.columns == 2) && wcschr(closing, after.code) == NULL &&
           wcschr(opening, before.code) == NULL;
}

size_t text_line(const char *text, size_t columns, size_t *out_next)
{
    struct letter before = {.code = L' '};
    size_t used = 0, at = 0;
    size_t end = 0; /* the last place where the line may end; 0: none yet */

    while (text[at] != '\0' && text[at] != '\n') {
        struct letter letter = read_letter(text + at);
        if (may_break(before, letter))
            end = at;
        if (used + letter.columns > columns && end > 0) {
            *out_next = end + strspn(text + end, " ");
            return end;
        }
        used += letter.columns;
        at += letter.bytes;
        before = letter;
    }
    *out_next = at;
    return at;
}

char *text_paragraphs(const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    struct letter before = {.code = 0};
    size_t size = 0;

    if (copy == NULL)
        return NULL;
    for (size_t at = 0; text[at] != '\0';) {
        struct letter letter = read_letter(text + at);
        bool is_alone = text[at] == '\n' && text[at + 1] != '\n' && before.code != L'\n';
        bool is_wide = before.columns == 2 && read_letter(text + at + 1).columns == 2;
        if (is_alone && !is_wide)
            copy[size++] = ' ';
        for (size_t i = 0; !is_alone && i < letter.bytes; i++)
            copy[size++] = text[at + i];
        at += letter.bytes;
        before = letter;
    }
    copy[size] = '\0';
    return copy;
}

void text_slug(const char *name, char out_slug[static TEXT_SLUG_BYTES])
{
    size_t at = 0;

    for (; *name != '\0' && at + 2 < TEXT_SLUG_BYTES; name++) {
        unsigned char byte = (unsigned char)*name;

        if (byte >= 0x80 || isalnum(byte))
            out_slug[at++] = byte < 0x80 ? (char)tolower(byte) : (char)byte;
        else if (at > 0 && out_slug[at - 1] != '-')
            out_slug[at++] = '-';
    }
    while (at > 0 && out_slug[at - 1] == '-')
        at--;
    out_slug[at] = '\0';
    if (at == 0)
        memcpy(out_slug, "device", sizeof "device");
}

char *text_clean(const char *text, bool keeps_lines)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return NULL;
    for (unsigned char *at = (unsigned char *)copy; *at != '\0'; at++) {
        if ((*at < 0x20 && !(keeps_lines && *at == '\n')) || *at == 0x7f)
            *at = '?';
        /* U+0080 to U+009F are C2 80 to C2 9F: one of them begins an escape sequence as ESC [ does.
         */
        if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
            at[0] = at[1] = '?';
    }
    return copy;
}

size_t text_length_without_stop(const char *text)
{
    static const char cjk_stop[] = "。";
    size_t length = strlen(text);

    if (length > 0 && text[length - 1] == '.')
        return length - 1;
    if (length >= sizeof cjk_stop - 1 &&
        strcmp(text + length - (sizeof cjk_stop - 1), cjk_stop) == 0)
        return length - (sizeof cjk_stop - 1);
    return length;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned text_distance(const char *a, const char *b)
{
    unsigned steps[TEXT_WORD_MAX + 1][TEXT_WORD_MAX + 1];
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);

    if (a_size > TEXT_WORD_MAX || b_size > TEXT_WORD_MAX)
        return UINT16_MAX;
    for (size_t i = 0; i <= a_size; i++)
        for (size_t j = 0; j <= b_size; j++) {
            if (i == 0 || j == 0) {
                steps[i][j] = (unsigned)(i + j);
                continue;
            }
            unsigned best = steps[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = least(best, least(steps[i - 1][j], steps[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, steps[i - 2][j - 2] + 1);
            steps[i][j] = best;
        }
    return steps[a_size][b_size];
}
