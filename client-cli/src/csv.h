/*
 * csv.h: reads comma-separated values as RFC 4180 has them: fields in double quotes may hold
 * commas, line ends and doubled quotes; lines end in CR LF or LF; a byte order mark at the start is
 * skipped; empty lines are skipped. Where a row ends is found without changing a byte, so that a
 * file of any size can be read in pieces (csv_file.h); then the row is taken apart in place.
 *
 * Memory:  works in place: the caller's bytes are changed, fields point into them. Threads: one at
 * a time.
 */

#ifndef CLI_CSV_H
#define CLI_CSV_H

#include <stddef.h>

#include "cairn/base.h"

#define CSV_FIELDS_MAX 64

struct csv_row {
    size_t line; /* that it begins on */
    size_t field_count;
    const char *fields[CSV_FIELDS_MAX]; /* NUL-terminated */
};

/* ---- a whole text in memory ---- */

struct csv_reader {
    char *text;
    size_t size;
    size_t pos;
    size_t line; /* of the next byte, from 1 */
};

/* `text` must have one writable byte behind its `size` bytes. */
void csv_init(struct csv_reader *reader, char *text, size_t size);
/*
 * The next row. NOT_FOUND at the end; BAD_INPUT: err says the reason without a full stop ("17:
 * ..." is the caller's), the line is in row->line, and the next call reads the row behind it.
 */
CAIRN_NODISCARD
enum cairn_status csv_next(struct csv_reader *reader, struct csv_row *out_row,
                           struct cairn_err *err);

/* ---- the parts ---- */

enum csv_place { CSV_AT_FIELD, CSV_IN_PLAIN, CSV_IN_QUOTED, CSV_AT_QUOTE };
/* Looks for the end of a row over as many pieces as it comes in; begin with zeros. */
struct csv_scan {
    enum csv_place place;
    size_t line_count; /* line ends met */
};
/*
 * Scan the next bytes of a row. True when it ends among them, with a line end: *out_size is how
 * many of them belong to it, the line end too. False: all of them belong to it.
 */
bool csv_scan_row(struct csv_scan *scan, const char *bytes, size_t size, size_t *out_size);
/* Bytes of the line end (0, 1 or 2) at the end of a row's bytes. */
size_t csv_line_end(const char *bytes, size_t size);
/*
 * Take apart the `size` bytes of one row, which end before its line end and have one writable byte
 * behind them. BAD_INPUT as csv_next() has it; row->line is the caller's.
 */
CAIRN_NODISCARD
enum cairn_status csv_split(char *text, size_t size, struct csv_row *out_row,
                            struct cairn_err *err);

#endif
