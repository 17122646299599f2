/*
 * csv.h: reads comma-separated values as RFC 4180 has them: fields in double quotes may hold
 * commas, line ends and doubled quotes; lines end in CR LF or LF; a byte order mark at the start is
 * skipped; empty lines are skipped.
 *
 * Memory:  works in place: the caller's bytes are changed, fields point into them. Threads: one at
 * a time.
 */

#ifndef CLI_CSV_H
#define CLI_CSV_H

#include <stddef.h>

#include "cairn/base.h"

#define CSV_FIELDS_MAX 64

struct csv_reader {
    char *text;
    size_t size;
    size_t pos;
    size_t line; /* of the next byte, from 1 */
};

struct csv_row {
    size_t line; /* that it begins on */
    size_t field_count;
    const char *fields[CSV_FIELDS_MAX]; /* NUL-terminated */
};

/* `text` must have one writable byte behind its `size` bytes. */
void csv_init(struct csv_reader *reader, char *text, size_t size);
/*
 * The next row. NOT_FOUND at the end; BAD_INPUT: err says line and reason without a full stop ("17:
 * ..." is the caller's), the line is in row->line, and reading cannot go on.
 */
CAIRN_NODISCARD
enum cairn_status csv_next(struct csv_reader *reader, struct csv_row *out_row,
                           struct cairn_err *err);

#endif
