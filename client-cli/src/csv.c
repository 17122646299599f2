#include "csv.h"

#include <string.h>

#include "cairn/utf8.h"
#include "i18n.h"

void csv_init(struct csv_reader *reader, char *text, size_t size)
{
    static const char mark[] = "\xef\xbb\xbf";

    *reader = (struct csv_reader){.text = text, .size = size, .line = 1};
    if (size >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0)
        reader->pos = sizeof mark - 1;
    text[size] = '\0';
}

/* Bytes of the line end at `pos`: 0 where there is none. The end of the text is no line end. */
static size_t line_end_size(const struct csv_reader *reader, size_t pos)
{
    if (pos < reader->size && reader->text[pos] == '\n')
        return 1;
    if (pos + 1 < reader->size && reader->text[pos] == '\r' && reader->text[pos + 1] == '\n')
        return 2;
    return 0;
}

/* Take the quoted field at reader->pos, its quotes off and doubled ones single. The unescaped text
 * is never longer than what it came from, so it is written over it. */
static enum cairn_status read_quoted(struct csv_reader *reader, size_t *out_size,
                                     struct cairn_err *err)
{
    size_t to = reader->pos;
    size_t from = reader->pos + 1;

    for (;;) {
        if (from >= reader->size)
            return cairn_fail(err, CAIRN_BAD_INPUT,
                              N_("a field begins with a double quote that is never closed"));
        if (reader->text[from] == '"') {
            if (from + 1 >= reader->size || reader->text[from + 1] != '"')
                break;
            from++;
        }
        if (reader->text[from] == '\n')
            reader->line++;
        reader->text[to++] = reader->text[from++];
    }
    *out_size = to - reader->pos;
    reader->pos = from + 1;
    if (reader->pos < reader->size && reader->text[reader->pos] != ',' &&
        line_end_size(reader, reader->pos) == 0)
        return cairn_fail(
            err, CAIRN_BAD_INPUT,
            N_("after a closing double quote comes neither a comma nor the line's end"));
    return CAIRN_OK;
}

static enum cairn_status read_plain(struct csv_reader *reader, size_t *out_size,
                                    struct cairn_err *err)
{
    size_t start = reader->pos;

    while (reader->pos < reader->size && reader->text[reader->pos] != ',' &&
           line_end_size(reader, reader->pos) == 0) {
        if (reader->text[reader->pos] == '"')
            return cairn_fail(
                err, CAIRN_BAD_INPUT,
                N_("a double quote stands inside a field that does not begin with one"));
        reader->pos++;
    }
    *out_size = reader->pos - start;
    return CAIRN_OK;
}

/* Read one field and end it with a NUL. *out_is_last: the row ends behind it. */
static enum cairn_status read_field(struct csv_reader *reader, const char **out_field,
                                    bool *out_is_last, struct cairn_err *err)
{
    char *start = reader->text + reader->pos;
    size_t size = 0;
    enum cairn_status status = reader->pos < reader->size && start[0] == '"'
                                   ? read_quoted(reader, &size, err)
                                   : read_plain(reader, &size, err);

    if (status != CAIRN_OK)
        return status;
    if (memchr(start, '\0', size) != NULL ||
        !cairn_utf8_check((struct cairn_bytes){(const uint8_t *)start, size}, NULL))
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("this line is not UTF-8 text; save the file as \"CSV UTF-8\""));

    size_t end_size = line_end_size(reader, reader->pos);
    *out_is_last = end_size > 0 || reader->pos >= reader->size;
    if (end_size > 0)
        reader->line++;
    reader->pos += end_size > 0 ? end_size : 1;
    start[size] = '\0';
    *out_field = start;
    return CAIRN_OK;
}

enum cairn_status csv_next(struct csv_reader *reader, struct csv_row *out_row,
                           struct cairn_err *err)
{
    size_t end_size;
    bool is_last = false;

    while ((end_size = line_end_size(reader, reader->pos)) > 0) {
        reader->pos += end_size;
        reader->line++;
    }
    out_row->line = reader->line;
    out_row->field_count = 0;
    if (reader->pos >= reader->size)
        return CAIRN_NOT_FOUND;

    while (!is_last) {
        if (out_row->field_count == CSV_FIELDS_MAX)
            return cairn_fail(err, CAIRN_BAD_INPUT, N_("this line has more than %d fields"),
                              CSV_FIELDS_MAX);
        enum cairn_status status =
            read_field(reader, &out_row->fields[out_row->field_count], &is_last, err);
        if (status != CAIRN_OK)
            return status;
        out_row->field_count++;
    }
    return CAIRN_OK;
}
