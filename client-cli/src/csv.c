#include "csv.h"

#include <string.h>

#include "cairn/utf8.h"
#include "i18n.h"

/* ---- where a row ends ---- */

static enum csv_place place_behind(enum csv_place place, char byte)
{
    switch (place) {
    case CSV_AT_FIELD:
        if (byte == '"')
            return CSV_IN_QUOTED;
        return byte == ',' ? CSV_AT_FIELD : CSV_IN_PLAIN;
    case CSV_IN_PLAIN:
        return byte == ',' ? CSV_AT_FIELD : CSV_IN_PLAIN;
    case CSV_IN_QUOTED:
        return byte == '"' ? CSV_AT_QUOTE : CSV_IN_QUOTED;
    case CSV_AT_QUOTE:
        if (byte == '"')
            return CSV_IN_QUOTED; /* a doubled one */
        return byte == ',' ? CSV_AT_FIELD : CSV_IN_PLAIN;
    }
    return place;
}

bool csv_scan_row(struct csv_scan *scan, const char *bytes, size_t size, size_t *out_size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            scan->line_count++;
            if (scan->place != CSV_IN_QUOTED) {
                *out_size = i + 1;
                return true;
            }
        }
        scan->place = place_behind(scan->place, bytes[i]);
    }
    return false;
}

size_t csv_line_end(const char *bytes, size_t size)
{
    if (size == 0 || bytes[size - 1] != '\n')
        return 0;
    return size > 1 && bytes[size - 2] == '\r' ? 2 : 1;
}

/* ---- the fields of a row ---- */

/* Take the quoted field at *at, its quotes off and doubled ones single. The unescaped text is never
 * longer than what it came from, so it is written over it. */
static enum cairn_status read_quoted(char *text, size_t size, size_t *at, size_t *out_size,
                                     struct cairn_err *err)
{
    size_t to = *at;
    size_t from = *at + 1;

    for (;;) {
        if (from >= size)
            return cairn_fail(err, CAIRN_BAD_INPUT,
                              N_("a field begins with a double quote that is never closed"));
        if (text[from] == '"') {
            if (from + 1 >= size || text[from + 1] != '"')
                break;
            from++;
        }
        text[to++] = text[from++];
    }
    *out_size = to - *at;
    *at = from + 1;
    if (*at < size && text[*at] != ',')
        return cairn_fail(
            err, CAIRN_BAD_INPUT,
            N_("after a closing double quote comes neither a comma nor the line's end"));
    return CAIRN_OK;
}

static enum cairn_status read_plain(const char *text, size_t size, size_t *at, size_t *out_size,
                                    struct cairn_err *err)
{
    const char *comma = memchr(text + *at, ',', size - *at);
    size_t end = comma == NULL ? size : (size_t)(comma - text);

    if (memchr(text + *at, '"', end - *at) != NULL)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("a double quote stands inside a field that does not begin with one"));
    *out_size = end - *at;
    *at = end;
    return CAIRN_OK;
}

/* Only whole rows are known to be text: what is no UTF-8 is most often the old Chinese encoding. */
static enum cairn_status check_text(const char *text, size_t size, struct cairn_err *err)
{
    size_t bad = 0;
    const char *zero = memchr(text, '\0', size);

    if (zero != NULL)
        bad = (size_t)(zero - text);
    else if (cairn_utf8_check((struct cairn_bytes){(const uint8_t *)text, size}, &bad))
        return CAIRN_OK;
    return cairn_fail(err, CAIRN_BAD_INPUT,
                      N_("byte %zu of this row is not UTF-8: try --encoding gb18030, or save the "
                         "file as \"CSV UTF-8\""),
                      bad + 1);
}

enum cairn_status csv_split(char *text, size_t size, struct csv_row *out_row, struct cairn_err *err)
{
    size_t at = 0;
    enum cairn_status status = check_text(text, size, err);

    out_row->field_count = 0;
    while (status == CAIRN_OK) {
        size_t start = at, field_size = 0;
        if (out_row->field_count == CSV_FIELDS_MAX)
            return cairn_fail(err, CAIRN_BAD_INPUT, N_("this line has more than %d fields"),
                              CSV_FIELDS_MAX);
        status = start < size && text[start] == '"' ? read_quoted(text, size, &at, &field_size, err)
                                                    : read_plain(text, size, &at, &field_size, err);
        if (status != CAIRN_OK)
            break;
        bool is_last = at >= size;
        text[start + field_size] = '\0';
        out_row->fields[out_row->field_count++] = text + start;
        if (is_last)
            break;
        at++; /* the comma */
    }
    return status;
}

/* ---- a whole text ---- */

void csv_init(struct csv_reader *reader, char *text, size_t size)
{
    static const char mark[] = "\xef\xbb\xbf";

    *reader = (struct csv_reader){.text = text, .size = size, .line = 1};
    if (size >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0)
        reader->pos = sizeof mark - 1;
    text[size] = '\0';
}

enum cairn_status csv_next(struct csv_reader *reader, struct csv_row *out_row,
                           struct cairn_err *err)
{
    out_row->field_count = 0;
    while (reader->pos < reader->size) {
        struct csv_scan scan = {CSV_AT_FIELD, 0};
        char *row = reader->text + reader->pos;
        size_t size = reader->size - reader->pos;

        (void)csv_scan_row(&scan, row, size, &size);
        size_t text_size = size - csv_line_end(row, size);
        out_row->line = reader->line;
        reader->pos += size;
        reader->line += scan.line_count;
        if (text_size > 0)
            return csv_split(row, text_size, out_row, err);
    }
    out_row->line = reader->line;
    return CAIRN_NOT_FOUND;
}
