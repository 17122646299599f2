#include "export_writer.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export_internal.h"
#include "formula.h"
#include "i18n.h"

/* What is refused, standard output and the file remember until export_close(). */
static void put_bytes(struct export_writer *writer, const char *bytes, size_t size)
{
    if (writer->is_printed)
        (void)fwrite(bytes, 1, size, stdout);
    else
        (void)file_writer_add(&writer->file, (struct cairn_bytes){(const uint8_t *)bytes, size});
}

static void put_text(struct export_writer *writer, const char *text)
{
    put_bytes(writer, text, strlen(text));
}

/* ---- CSV ---- */

static void write_cell(struct export_writer *writer, const char *text, bool is_text)
{
    const char *guard = is_text && formula_needs_guard(text) ? "'" : "";
    const char *quote;

    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        put_text(writer, guard);
        put_text(writer, text);
        return;
    }
    put_text(writer, "\"");
    put_text(writer, guard);
    for (; (quote = strchr(text, '"')) != NULL; text = quote + 1) {
        put_bytes(writer, text, (size_t)(quote + 1 - text));
        put_text(writer, "\"");
    }
    put_text(writer, text);
    put_text(writer, "\"");
}

/* What is no number by its kind may be anything that somebody typed. */
static bool is_text_kind(enum cell_kind kind)
{
    return kind != CELL_INTEGER && kind != CELL_MONEY && kind != CELL_DATE;
}

void export_csv_row(struct export_writer *writer, const char *const *values)
{
    for (size_t i = 0; i < writer->config.column_count; i++) {
        if (i > 0)
            put_text(writer, ",");
        if (values[i] != NULL)
            write_cell(writer, values[i], is_text_kind(writer->config.columns[i].kind));
    }
    put_text(writer, "\r\n");
}

void export_csv_header(struct export_writer *writer)
{
    const char *names[EXPORT_COLUMNS_MAX];

    if (writer->config.has_mark)
        put_text(writer, "\xef\xbb\xbf");
    for (size_t i = 0; i < writer->config.column_count; i++)
        names[i] = writer->config.columns[i].name;
    export_csv_row(writer, names);
}

/* ---- JSON lines ---- */

/* Whole numbers are JSON numbers; amounts stay texts, as a reader would make doubles of them. */
static json_t *value_json(const struct export_column *column, const char *value)
{
    char *end;

    if (column->kind == CELL_INTEGER) {
        long long number = strtoll(value, &end, 10);
        if (end != value && *end == '\0')
            return json_integer(number);
    }
    return json_string(value);
}

enum cairn_status export_jsonl_row(struct export_writer *writer, const char *const *values,
                                   struct cairn_err *err)
{
    json_t *object = json_object();

    for (size_t i = 0; i < writer->config.column_count; i++)
        if (values[i] != NULL)
            json_object_set_new(object, writer->config.columns[i].name,
                                value_json(&writer->config.columns[i], values[i]));
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory for %s"), writer->config.path);
    put_text(writer, text);
    put_text(writer, "\n");
    free(text);
    return CAIRN_OK;
}

/* ---- the writer ---- */

static enum cairn_status open_file(struct export_writer *writer, struct cairn_err *err)
{
    writer->is_printed = strcmp(writer->config.path, "-") == 0;
    return writer->is_printed ? CAIRN_OK
                              : file_writer_open(&writer->file, writer->config.path, err);
}

enum cairn_status export_open(const struct export_config *config, struct export_writer **out_writer,
                              struct cairn_err *err)
{
    struct export_writer *writer = calloc(1, sizeof *writer);

    CAIRN_ASSERT(config->column_count <= EXPORT_COLUMNS_MAX);
    if (writer == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory for %s"), config->path);
    writer->config = *config;
    enum cairn_status status = open_file(writer, err);
    if (status == CAIRN_OK && config->format == EXPORT_CSV)
        export_csv_header(writer);
    if (status == CAIRN_OK && config->format == EXPORT_XLSX)
        status = export_xlsx_open(writer, err);
    if (status != CAIRN_OK) {
        export_abort(writer);
        return status;
    }
    *out_writer = writer;
    return CAIRN_OK;
}

enum cairn_status export_row(struct export_writer *writer, const char *const *values,
                             struct cairn_err *err)
{
    writer->row_count++;
    switch (writer->config.format) {
    case EXPORT_CSV:
        export_csv_row(writer, values);
        return CAIRN_OK;
    case EXPORT_JSONL:
        return export_jsonl_row(writer, values, err);
    case EXPORT_XLSX:
        return export_xlsx_row(writer, values, err);
    }
    return CAIRN_OK;
}

enum cairn_status export_close(struct export_writer *writer, struct cairn_err *err)
{
    enum cairn_status status = CAIRN_OK;

    if (writer->workbook != NULL && !export_xlsx_close(writer))
        status = cairn_fail(err, CAIRN_IO, N_("cannot write %s: is the disk full?"),
                            writer->config.path);
    if (status == CAIRN_OK && !writer->is_printed)
        status = file_writer_commit(&writer->file, err);
    else if (status == CAIRN_OK && fflush(stdout) != 0)
        status = cairn_fail(err, CAIRN_IO, N_("not everything could be printed"));
    export_abort(writer);
    return status;
}

void export_abort(struct export_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->workbook != NULL)
        (void)export_xlsx_close(writer);
    file_writer_abort(&writer->file);
    free(writer);
}
