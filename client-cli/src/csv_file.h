/*
 * csv_file.h: a CSV file of any size, read in pieces: one row at a time in UTF-8, with the place in
 * the file behind it and a digest of all that stands before that place. The import remembers both.
 *
 * GB18030 (GBK and GB2312 are parts of it) is converted row by row: a byte below 0x30 is never the
 * second half of a character there, so quotes, commas and line ends are found without converting.
 *
 * Memory:  one buffer of CSV_ROW_BYTES_MAX; a row's text is handed over. Threads: one at a time.
 * Effects: reads the file.
 */

#ifndef CLI_CSV_FILE_H
#define CLI_CSV_FILE_H

#include <iconv.h>
#include <sodium.h>
#include <stdio.h>

#include "csv.h"

/* 64 fields of the longest text, all quotes doubled; more is a quote that was never closed. */
#define CSV_ROW_BYTES_MAX ((size_t)1 << 20)
#define CSV_DIGEST_BYTES 16

enum csv_encoding { CSV_UTF_8, CSV_GB18030 };

struct csv_file {
    FILE *stream; /* NULL: not open */
    uint64_t size_bytes;
    uint64_t offset; /* of the next row */
    size_t line;     /* of the next row, from 1 */
    size_t piece_bytes;
    char *buffer;
    size_t start, end; /* what was read and not consumed */
    bool is_ended;
    enum csv_encoding encoding;
    bool converts;
    iconv_t converter;               /* when it converts */
    crypto_generichash_state digest; /* of the bytes before offset */
};

/* False: there is no encoding of that name. */
bool csv_encoding_named(const char *name, enum csv_encoding *out_encoding);

/* BAD_INPUT: no such file, or no regular one (it is read more than once); NO_MEMORY. Then nothing
 * needs to be closed. */
CAIRN_NODISCARD
enum cairn_status csv_file_open(struct csv_file *file, const char *path, enum csv_encoding encoding,
                                struct cairn_err *err);
void csv_file_close(struct csv_file *file);
/*
 * The next row; *out_text holds its fields and is freed by the caller with free(). NOT_FOUND at the
 * end. BAD_INPUT: err says why without a full stop, the line is in row->line, and the next call
 * reads the row behind it; IO, NO_MEMORY.
 */
CAIRN_NODISCARD
enum cairn_status csv_file_next(struct csv_file *file, char **out_text, struct csv_row *out_row,
                                struct cairn_err *err);
/* Pass over rows up to `offset`. NOT_FOUND: no row begins there. */
CAIRN_NODISCARD
enum cairn_status csv_file_skip_to(struct csv_file *file, uint64_t offset, struct cairn_err *err);
/* Digest of all bytes before file->offset. */
void csv_file_digest(const struct csv_file *file, uint8_t out_digest[static CSV_DIGEST_BYTES]);

#endif
