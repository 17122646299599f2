/*
 * import_place.h: how far the import of a file has come. The place stands in the store as a memo of
 * its own, kept in the commit of the rows before it, so that both are there or neither.
 *
 * A memo is found by record type and file name (without folders: a stick is mounted anywhere), and
 * says of which bytes it speaks: a file that has changed is not taken for the same.
 *
 * Memory: the caller's structs. Threads: one at a time.
 */

#ifndef CLI_IMPORT_PLACE_H
#define CLI_IMPORT_PLACE_H

#include "cairn/replica.h"
#include "csv_file.h"

struct import_place {
    bool is_done;                     /* nothing is left */
    uint64_t size_bytes;              /* of the file */
    uint64_t offset;                  /* of the first row that is not done */
    uint64_t saved;                   /* records so far, over all runs */
    uint8_t digest[CSV_DIGEST_BYTES]; /* of the bytes before offset */
};

#define IMPORT_PLACE_BYTES 64
/* A place as a memo; it points into itself. */
struct import_memo {
    char name[CAIRN_MEMO_NAME_MAX + 1];
    uint8_t bytes[IMPORT_PLACE_BYTES];
    struct cairn_memo memo;
};

/* The place that `file` stands at. */
struct import_place import_place_of(const struct csv_file *file, uint64_t saved);
void import_memo_init(struct import_memo *memo, const char *type, const char *path);
void import_memo_set(struct import_memo *memo, const struct import_place *place);
/* The place kept last. NOT_FOUND; CORRUPT. */
CAIRN_NODISCARD
enum cairn_status import_place_get(struct cairn_replica *replica, const struct import_memo *memo,
                                   struct import_place *out_place, struct cairn_err *err);
/*
 * Take `file`, which stands behind its first row, to the place. NOT_FOUND: it is not the file that
 * the place speaks of.
 */
CAIRN_NODISCARD
enum cairn_status import_place_seek(const struct import_place *place, struct csv_file *file,
                                    struct cairn_err *err);

#endif
