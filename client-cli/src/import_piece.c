#include "import_piece.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formula.h"
#include "i18n.h"
#include "text.h"

struct import_piece *import_piece_new(void)
{
    return calloc(1, sizeof(struct import_piece));
}

static void clear(struct import_piece *piece)
{
    for (size_t i = 0; i < piece->row_count; i++) {
        free(piece->rows[i].text);
        free(piece->rows[i].problem);
    }
    piece->row_count = piece->bad_count = piece->put_count = 0;
}

void import_piece_free(struct import_piece *piece)
{
    if (piece == NULL)
        return;
    clear(piece);
    free(piece);
}

/* ---- rows ---- */

static enum cairn_status mark_bad(struct import_piece *piece, struct import_row *row, size_t column,
                                  const char *text, struct cairn_err *err)
{
    row->problem = strndup(text, text_length_without_stop(text));
    if (row->problem == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory"));
    row->column = column;
    piece->bad_count++;
    return CAIRN_OK;
}

static enum cairn_status mark_ragged(struct import_piece *piece, struct import_row *row,
                                     size_t cell_count, size_t column_count, struct cairn_err *err)
{
    char text[256];

    snprintf(text, sizeof text,
             ngettext("this row has %zu field, the first line names %zu",
                      "this row has %zu fields, the first line names %zu", cell_count),
             cell_count, column_count);
    return mark_bad(piece, row, 0, text, err);
}

/* Spreadsheets write rows of commas alone behind the last one. */
static bool is_blank(const struct csv_row *cells)
{
    for (size_t i = 0; i < cells->field_count; i++)
        if (cells->fields[i][0] != '\0')
            return false;
    return true;
}

/* Empty cells say nothing: a record without that field. */
static enum cairn_status fill_row(struct import_piece *piece, struct import_row *row,
                                  const struct csv_row *cells, const struct import_how *how,
                                  struct cairn_err *err)
{
    if (cells->field_count != how->map->count)
        return mark_ragged(piece, row, cells->field_count, how->map->count, err);
    for (size_t i = 0; i < cells->field_count; i++) {
        const struct import_column *column = &how->map->columns[i];
        const char *value = formula_unguarded(cells->fields[i]);
        if (value[0] == '\0' || column->role == IMPORT_IS_NOTHING)
            continue;
        if (column->role == IMPORT_IS_VILLAGE)
            row->scope = value;
        else if (column->role == IMPORT_IS_FIELD)
            row->fields[row->field_count++] = (struct cairn_field_value){column->field, value};
        else if (how->updates)
            row->id = value;
        else
            return mark_bad(piece, row, i + 1,
                            _("the row names a record that exists: give --update to change it, or "
                              "leave the column out to make a new one"),
                            err);
    }
    return CAIRN_OK;
}

static void add_put(struct import_piece *piece, size_t row_index, const struct import_how *how)
{
    const struct import_row *row = &piece->rows[row_index];

    piece->put_rows[piece->put_count] = row_index;
    piece->puts[piece->put_count++] = (struct cairn_put){
        .type = how->type,
        .id = row->id,
        .scope = row->scope,
        .fields = row->fields,
        .field_count = row->field_count,
        .reason = how->reason,
        .upserts = how->updates,
    };
}

/* The next row; one without any value is passed over. */
static enum cairn_status add_row(struct import_piece *piece, struct csv_file *file,
                                 const struct import_how *how, size_t *out_bytes,
                                 struct cairn_err *err)
{
    struct import_row *row = &piece->rows[piece->row_count];
    struct cairn_err reason = {.translate = i18n_translate};
    struct csv_row cells;
    uint64_t begun = file->offset;
    char *text;

    enum cairn_status status = csv_file_next(file, &text, &cells, &reason);
    if (status != CAIRN_OK && status != CAIRN_BAD_INPUT) {
        *err = reason;
        return status;
    }
    *out_bytes = (size_t)(file->offset - begun);
    if (status == CAIRN_OK && is_blank(&cells)) {
        free(text);
        return CAIRN_OK;
    }
    row->line = cells.line;
    row->text = text;
    row->problem = NULL;
    row->column = 0;
    row->scope = row->id = NULL;
    row->field_count = 0;
    piece->row_count++;
    if (status == CAIRN_BAD_INPUT)
        return mark_bad(piece, row, 0, reason.text, err);
    status = fill_row(piece, row, &cells, how, err);
    if (status == CAIRN_OK && row->problem == NULL)
        add_put(piece, piece->row_count - 1, how);
    return status;
}

enum cairn_status import_piece_read(struct import_piece *piece, struct csv_file *file,
                                    const struct import_how *how, struct cairn_err *err)
{
    size_t bytes = 0;
    enum cairn_status status = CAIRN_OK;

    clear(piece);
    /* A piece without rows would be taken for the end of the file. */
    while (status == CAIRN_OK && piece->row_count < IMPORT_ROWS_MAX &&
           (bytes < IMPORT_PIECE_BYTES || piece->row_count == 0)) {
        size_t row_bytes = 0;
        status = add_row(piece, file, how, &row_bytes, err);
        bytes += row_bytes;
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

const struct import_row *import_piece_bad(const struct import_piece *piece)
{
    for (size_t i = 0; i < piece->row_count; i++)
        if (piece->rows[i].problem != NULL)
            return &piece->rows[i];
    return NULL;
}

/* ---- checking ---- */

static bool begins_with_word(const char *text, const char *word)
{
    size_t size = strlen(word);
    char next = text[0] == '\0' || strncmp(text, word, size) != 0 ? 'x' : text[size];

    return next != '_' && !(next >= 'a' && next <= 'z') && !(next >= '0' && next <= '9');
}

/* Which column a sentence of core speaks of: it begins with the field's name, or quotes the
 * village's code. */
static size_t column_of(const struct import_row *row, const char *text,
                        const struct import_map *map)
{
    for (size_t i = 0; i < map->count; i++)
        if (map->columns[i].role == IMPORT_IS_FIELD &&
            begins_with_word(text, map->columns[i].field))
            return i + 1;
    for (size_t i = 0; i < map->count; i++)
        if (map->columns[i].role == IMPORT_IS_VILLAGE && row->scope != NULL &&
            strstr(text, row->scope) != NULL)
            return i + 1;
    return 0;
}

enum cairn_status import_piece_mark(struct import_piece *piece, size_t put_index, const char *text,
                                    const struct import_map *map, struct cairn_err *err)
{
    struct import_row *row = &piece->rows[piece->put_rows[put_index]];

    if (row->problem != NULL)
        return CAIRN_OK;
    return mark_bad(piece, row, column_of(row, text, map), text, err);
}

struct check {
    struct import_piece *piece;
    const struct import_map *map;
    enum cairn_status status; /* of marking */
    struct cairn_err *err;
};

static void visit_bad(void *context, size_t put_index, enum cairn_status status, const char *text)
{
    struct check *check = context;

    (void)status; /* whatever it is, the row is what must be corrected */
    if (check->status == CAIRN_OK)
        check->status = import_piece_mark(check->piece, put_index, text, check->map, check->err);
}

static void drop_bad_puts(struct import_piece *piece)
{
    size_t kept = 0;

    for (size_t i = 0; i < piece->put_count; i++) {
        if (piece->rows[piece->put_rows[i]].problem != NULL)
            continue;
        piece->put_rows[kept] = piece->put_rows[i];
        piece->puts[kept++] = piece->puts[i];
    }
    piece->put_count = kept;
}

enum cairn_status import_piece_check(struct import_piece *piece, struct cairn_replica *replica,
                                     const struct import_how *how, struct cairn_err *err)
{
    struct check check = {.piece = piece, .map = how->map, .err = err};
    size_t known_bad = piece->bad_count;

    enum cairn_status status =
        cairn_put_check(replica, piece->puts, piece->put_count, visit_bad, &check, err);
    if (check.status != CAIRN_OK)
        return check.status;
    drop_bad_puts(piece);
    /* Bad rows are told row by row, whatever the call as a whole says of them. */
    return piece->bad_count > known_bad ? CAIRN_OK : status;
}
