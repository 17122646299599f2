/*
 * import_piece.h: so many rows of a table as are checked and saved at once, as puts.
 *
 * Memory:  bounded by IMPORT_ROWS_MAX rows and IMPORT_PIECE_BYTES, whatever the file. Rows, their
 * texts and problems are the piece's until it is read again or released. Threads: one at a time.
 */

#ifndef CLI_IMPORT_PIECE_H
#define CLI_IMPORT_PIECE_H

#include "cairn/replica.h"
#include "csv_file.h"
#include "import_map.h"

/* A commit: what a power cut takes is entered again in a second, and the journal stays small. */
#define IMPORT_ROWS_MAX 1000
#define IMPORT_PIECE_BYTES ((size_t)4 << 20)

struct import_row {
    size_t line;
    char *text;    /* that the values point into; NULL: it could not be read */
    char *problem; /* without full stop; NULL: good as far as is known */
    size_t column; /* of the problem, from 1; 0: not known, or the whole row */
    const char *scope, *id;
    struct cairn_field_value fields[CSV_FIELDS_MAX];
    size_t field_count;
};
struct import_piece {
    struct import_row rows[IMPORT_ROWS_MAX];
    size_t row_count, bad_count;
    struct cairn_put puts[IMPORT_ROWS_MAX]; /* of the rows without a problem */
    size_t put_rows[IMPORT_ROWS_MAX];       /* which row each is */
    size_t put_count;
    struct cairn_put_result results[IMPORT_ROWS_MAX];
};

struct import_how {
    const char *type, *reason; /* reason may be NULL */
    bool updates;
    const struct import_map *map;
};

/* NULL when out of memory. */
struct import_piece *import_piece_new(void);
void import_piece_free(struct import_piece *piece); /* NULL is allowed */
/* Read the next rows, none at the end of the file, and make their puts. NO_MEMORY, IO. */
CAIRN_NODISCARD
enum cairn_status import_piece_read(struct import_piece *piece, struct csv_file *file,
                                    const struct import_how *how, struct cairn_err *err);
/* Ask the replica: bad rows are marked, and their puts taken out. */
CAIRN_NODISCARD
enum cairn_status import_piece_check(struct import_piece *piece, struct cairn_replica *replica,
                                     const struct import_how *how, struct cairn_err *err);
/* Mark the row of a put as bad, for the reason that core gave. NO_MEMORY. */
CAIRN_NODISCARD
enum cairn_status import_piece_mark(struct import_piece *piece, size_t put_index, const char *text,
                                    const struct import_map *map, struct cairn_err *err);
/* The first row with a problem, NULL: none. */
const struct import_row *import_piece_bad(const struct import_piece *piece);

#endif
