/*
 * index.h: secondary indexes: records by the values of the fields that the schema marks (indexed,
 * alias; references and workflows always), and records with a flag. Rows are written in the
 * transaction that writes the record, and say where it lies; whoever reads one looks at the record
 * before he believes it, as texts are cut and personal values stand as keyed hashes.
 *
 * Only what is shown is indexed: of a register the shown value, of a set each element, of a counter
 * the sum, of a workflow the state. A field without a value, or with a closed one, has no row.
 *
 * When a schema changes what is indexed, all rows are dropped and written anew, a bounded number a
 * transaction; from then on every save keeps them, so a build may stop anywhere and go on later.
 * Until it is done cairn_index_is_ready says no, and queries scan.
 */

#ifndef CAIRN_INDEX_H
#define CAIRN_INDEX_H

#include "record.h"

/* Numbers stand in keys: append-only. */
enum cairn_record_flag {
    CAIRN_FLAG_CONFLICT = 1, /* a conflict that a person must settle */
    CAIRN_FLAG_HIDDEN = 2    /* deleted, or nothing of it in force: no list shows it */
};

/* Bytes of a value in a key, ordered as the values are: numbers, then texts. */
#define CAIRN_INDEX_VALUE_BYTES 64
struct cairn_index_value {
    uint8_t bytes[CAIRN_INDEX_VALUE_BYTES];
    size_t size;
    bool is_exact; /* equal bytes mean equal values */
};
bool cairn_field_is_indexed(const struct cairn_field *field);
void cairn_index_integer(int64_t integer, struct cairn_index_value *out_value);
/* A value as a person or an entry gives it; a reference is `dot`, resolved. */
void cairn_index_value(const struct cairn_context *ctx, const struct cairn_field *field,
                       const struct cairn_value *value, struct cairn_dot dot,
                       struct cairn_index_value *out_value);

/*
 * What a field of a record shows: of a set one of its elements (`element` counts from 0), else the
 * one value. NOT_FOUND: none (left), or it is closed. `value->text` is borrowed from the state; a
 * workflow gives its state's number; a reference *out_dot, where it can be resolved.
 */
CAIRN_NODISCARD
enum cairn_status cairn_field_shown(struct cairn_context *ctx,
                                    const struct cairn_record_state *state,
                                    const struct cairn_field *field, size_t element,
                                    struct cairn_value *out_value, struct cairn_dot *out_dot);

/* Bring the rows of a record from what state->stored holds to what `state` holds. */
CAIRN_NODISCARD
enum cairn_status cairn_index_update(struct cairn_context *ctx, const struct cairn_log *log,
                                     uint8_t bucket, const struct cairn_record_state *state);
/* The record is gone: so are its rows. `state` as loaded last. */
CAIRN_NODISCARD
enum cairn_status cairn_index_forget(struct cairn_context *ctx, const struct cairn_log *log,
                                     const struct cairn_record_state *state);

/* Keys up to the value, or up to the scope where the value follows it. */
struct cairn_key cairn_index_prefix(const struct cairn_type *type, const struct cairn_field *field);
struct cairn_key cairn_flag_prefix(enum cairn_record_flag flag);
/* What stands in a row. */
struct cairn_index_row {
    struct cairn_scope scope;
    struct cairn_dot id;
    uint8_t bucket;
    uint32_t counter;
    struct cairn_bytes value; /* as in its key; borrowed */
};
/* `key` begins behind the prefix. CORRUPT. */
CAIRN_NODISCARD
enum cairn_status cairn_index_row_read(const struct cairn_field *field, struct cairn_reader key,
                                       struct cairn_bytes value, struct cairn_index_row *out_row);
/* The end of any row: id from its key, bucket and counter from its value. */
CAIRN_NODISCARD
enum cairn_status cairn_index_row_end(struct cairn_reader *key, struct cairn_bytes value,
                                      struct cairn_index_row *row);
/* As index_row_read, of a flag. */
CAIRN_NODISCARD
enum cairn_status cairn_flag_row_read(struct cairn_reader key, struct cairn_bytes value,
                                      struct cairn_index_row *out_row);

/* Do the rows say all there is, for the newest schema? */
CAIRN_NODISCARD
enum cairn_status cairn_index_is_ready(struct cairn_context *ctx, bool *out_is_ready);
/*
 * One step of the building, in the caller's write transaction; *out_is_done when nothing is left.
 * `entropy` becomes the key of the hashes where the store has none yet.
 */
CAIRN_NODISCARD
enum cairn_status cairn_index_build(struct cairn_context *ctx, const uint8_t entropy[static 32],
                                    bool *out_is_done);
/* For the building: the rows of a record that may lack some. */
CAIRN_NODISCARD
enum cairn_status cairn_index_fill(struct cairn_context *ctx, struct cairn_scope scope,
                                   uint8_t bucket, const struct cairn_record_state *state);
/* What is indexed now, into ctx->indexing. */
CAIRN_NODISCARD enum cairn_status cairn_indexing_load(struct cairn_context *ctx);

#endif
