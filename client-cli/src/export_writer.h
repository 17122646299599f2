/*
 * export_writer.h: records as rows of a file, in one of three forms. CSV has rows that end in CR LF
 * (RFC 4180) and field names as header, so that it can be imported again; JSON lines have one
 * object a record with its keys in schema order; XLSX has numbers and dates as such, and a header
 * of labels that stays in sight.
 *
 * Memory:  one row; XLSX too is written as it goes (its rows wait in a temporary file).
 * Effects: writes a temporary file beside the target, which gets its name when all is on disk.
 */

#ifndef CLI_EXPORT_WRITER_H
#define CLI_EXPORT_WRITER_H

#include "cells.h"

enum export_format { EXPORT_CSV, EXPORT_JSONL, EXPORT_XLSX };

#define EXPORT_COLUMNS_MAX 72

struct export_column {
    const char *name;  /* of the field */
    const char *label; /* in the reader's language */
    enum cell_kind kind;
};
struct export_config {
    const char *path; /* "-": standard output, not for XLSX */
    enum export_format format;
    bool has_mark; /* a byte order mark, which some spreadsheets want before UTF-8; CSV only */
    const struct export_column *columns; /* borrowed until the writer is closed */
    size_t column_count;
};

struct export_writer;

/* BAD_INPUT: the file cannot be written; NO_MEMORY. */
CAIRN_NODISCARD
enum cairn_status export_open(const struct export_config *config, struct export_writer **out_writer,
                              struct cairn_err *err);
/* One record: a value for each column, NULL where it has none. LIMIT: an XLSX sheet is full. What
 * the disk refuses is told by export_close(). */
CAIRN_NODISCARD
enum cairn_status export_row(struct export_writer *writer, const char *const *values,
                             struct cairn_err *err);
/* Give the file its name and free the writer. NO_SPACE, IO: there is no file. */
CAIRN_NODISCARD
enum cairn_status export_close(struct export_writer *writer, struct cairn_err *err);
/* Free the writer; nothing is left of the file. NULL is allowed. */
void export_abort(struct export_writer *writer);

#endif
