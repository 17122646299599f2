/* Building indexes anew; declared in index.h. */

#include <string.h>

#include "index.h"

/* How far the building is; under M "index". */
enum phase { PHASE_DONE = 0, PHASE_DROP = 1, PHASE_FILL = 2 };

#define FORMAT 2 /* of the rows: another number means that they are written anew */
#define STEP_DROPS 4000
#define STEP_FILLS 1000

struct progress {
    uint64_t signature;
    enum phase phase;
    struct cairn_key place; /* FILL: the part of the last key filled that follows the table */
};

static enum cairn_status progress_load(struct cairn_context *ctx, struct progress *out_progress)
{
    struct cairn_key key = cairn_key_meta("index");
    struct cairn_bytes value;
    struct cairn_reader reader;

    *out_progress = (struct progress){.phase = PHASE_DROP};
    enum cairn_status status = cairn_kv_get(ctx, &key, &value);
    if (status != CAIRN_OK)
        return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
    cairn_reader_init(&reader, value);
    uint8_t format = cairn_read_u8(&reader);
    uint8_t phase = cairn_read_u8(&reader);
    uint64_t signature = cairn_read_u64be(&reader);
    struct cairn_bytes place = cairn_read_bytes(&reader, cairn_reader_left(&reader));
    if (reader.failed || place.size > sizeof out_progress->place.bytes || phase > PHASE_FILL)
        return CAIRN_CORRUPT;
    if (format != FORMAT)
        return CAIRN_OK;
    out_progress->phase = (enum phase)phase;
    out_progress->signature = signature;
    out_progress->place.size = place.size;
    if (place.size > 0)
        memcpy(out_progress->place.bytes, place.data, place.size);
    return CAIRN_OK;
}

static enum cairn_status progress_save(struct cairn_context *ctx, const struct progress *progress)
{
    struct cairn_key key = cairn_key_meta("index");
    uint8_t bytes[10 + sizeof progress->place.bytes];
    struct cairn_writer writer;

    ctx->indexing.has_readiness = false;
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_u8(&writer, FORMAT);
    cairn_write_u8(&writer, (uint8_t)progress->phase);
    cairn_write_u64be(&writer, progress->signature);
    cairn_write_bytes(&writer, progress->place.bytes, progress->place.size);
    return cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer));
}

enum cairn_status cairn_index_is_ready(struct cairn_context *ctx, bool *out_is_ready)
{
    struct cairn_indexing *indexing = &ctx->indexing;
    struct progress progress;

    CAIRN_TRY(cairn_indexing_load(ctx));
    if (!indexing->has_readiness) {
        CAIRN_TRY(progress_load(ctx, &progress));
        indexing->is_ready =
            progress.phase == PHASE_DONE && progress.signature == indexing->signature;
        indexing->has_readiness = true;
    }
    *out_is_ready = indexing->is_ready;
    return CAIRN_OK;
}

/* Delete up to *room rows of a table. */
static enum cairn_status table_drop(struct cairn_context *ctx, enum cairn_table table, size_t *room)
{
    struct cairn_key prefix = cairn_key(table);
    struct cairn_key keys[64];
    size_t count = 64;

    while (*room > 0 && count == 64) {
        struct cairn_walk walk;
        enum cairn_status status = CAIRN_OK;
        count = 0;
        CAIRN_TRY(
            cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
        while (count < 64 && count < *room && (status = cairn_walk_next(&walk)) == CAIRN_OK) {
            keys[count] = prefix;
            while (cairn_reader_left(&walk.key) > 0)
                cairn_key_u8(&keys[count], cairn_read_u8(&walk.key));
            count++;
        }
        cairn_walk_close(&walk);
        if (count < 64 && count < *room && status != CAIRN_NOT_FOUND)
            return status;
        for (size_t i = 0; i < count; i++)
            CAIRN_TRY(cairn_kv_del(ctx, &keys[i]));
        *room -= count;
    }
    return CAIRN_OK;
}

/* The row of an earlier version goes with the writing of the one that takes its place, so that a
 * record can be found by its label all the time. */
static enum cairn_status counter_fill(struct cairn_context *ctx, uint8_t bucket,
                                      const struct cairn_record_state *state)
{
    struct cairn_key before = cairn_counter_key_before(state->counter, state->id);
    struct cairn_key key = cairn_counter_key(state->counter, bucket, state->id);
    bool is_old;

    CAIRN_TRY(cairn_kv_has(ctx, &before, &is_old));
    if (!is_old)
        return CAIRN_OK;
    CAIRN_TRY(cairn_kv_del(ctx, &before));
    return cairn_kv_put(ctx, &key, (struct cairn_bytes){&bucket, 1});
}

static enum cairn_status record_fill(struct cairn_context *ctx, struct cairn_walk *walk)
{
    struct cairn_record_state state;
    struct cairn_scope scope = {cairn_read_u64be(&walk->key)};
    uint8_t bucket = cairn_read_u8(&walk->key);
    struct cairn_dot id;

    id.log = cairn_read_u32be(&walk->key);
    id.index = cairn_read_u32be(&walk->key);
    if (walk->key.failed)
        return CAIRN_CORRUPT;
    /* A copy: the rows are written while the state is still read. */
    CAIRN_TRY(cairn_record_decode(ctx, walk->value, id, &state));
    CAIRN_TRY(counter_fill(ctx, bucket, &state));
    return cairn_index_fill(ctx, scope, bucket, &state);
}

/* Write the rows of the next records; the walk goes on behind what is written. */
static enum cairn_status records_fill(struct cairn_context *ctx, struct progress *progress)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_RECORD);
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_walk walk;
    enum cairn_status status = CAIRN_OK;

    CAIRN_TRY(
        cairn_walk_open(ctx, &prefix, cairn_key_bytes(&progress->place), CAIRN_ASCENDING, &walk));
    for (size_t i = 0; i < STEP_FILLS && status == CAIRN_OK; i++) {
        status = cairn_walk_next(&walk);
        if (status != CAIRN_OK)
            break;
        progress->place.size = 0;
        for (struct cairn_reader key = walk.key; cairn_reader_left(&key) > 0;)
            cairn_key_u8(&progress->place, cairn_read_u8(&key));
        cairn_key_u8(&progress->place, 0); /* behind this one */
        status = record_fill(ctx, &walk);
        cairn_arena_rewind(&ctx->arena, mark);
    }
    cairn_walk_close(&walk);
    if (status == CAIRN_NOT_FOUND) {
        progress->phase = PHASE_DONE;
        progress->place.size = 0;
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status key_make(struct cairn_context *ctx, const uint8_t entropy[static 32])
{
    struct cairn_key key = cairn_key_meta("index-key");

    if (ctx->indexing.has_key)
        return CAIRN_OK;
    CAIRN_TRY(cairn_kv_put(ctx, &key, (struct cairn_bytes){entropy, 32}));
    ctx->indexing.is_known = false;
    return cairn_indexing_load(ctx);
}

enum cairn_status cairn_index_build(struct cairn_context *ctx, const uint8_t entropy[static 32],
                                    bool *out_is_done)
{
    struct progress progress;
    size_t room = STEP_DROPS;

    CAIRN_TRY(cairn_indexing_load(ctx));
    CAIRN_TRY(key_make(ctx, entropy));
    CAIRN_TRY(progress_load(ctx, &progress));
    if (progress.signature != ctx->indexing.signature)
        progress = (struct progress){.signature = ctx->indexing.signature, .phase = PHASE_DROP};
    if (progress.phase == PHASE_DROP) {
        CAIRN_TRY(table_drop(ctx, CAIRN_TABLE_INDEX, &room));
        CAIRN_TRY(table_drop(ctx, CAIRN_TABLE_FLAG, &room));
        if (room > 0)
            progress.phase = PHASE_FILL;
    }
    if (progress.phase == PHASE_FILL)
        CAIRN_TRY(records_fill(ctx, &progress));
    *out_is_done = progress.phase == PHASE_DONE;
    return progress_save(ctx, &progress);
}
