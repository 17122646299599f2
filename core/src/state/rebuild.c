#include "rebuild_internal.h"

#include <stdlib.h>
#include <string.h>

#include "announce.h"
#include "basis.h"
#include "digest.h"
#include "force.h"
#include "index.h"

enum cairn_status cairn_entry_load(struct cairn_context *ctx, const struct cairn_log *log,
                                   uint32_t index, struct cairn_entry *out_entry,
                                   struct cairn_hash **out_commitments, struct cairn_hash *out_leaf)
{
    struct cairn_bytes bytes;
    struct cairn_blinder blinder;
    struct cairn_hash leaf;

    CAIRN_TRY(cairn_log_entry(ctx, log->no, index, &bytes, NULL));
    if (cairn_entry_read(bytes, out_entry) != CAIRN_OK)
        return CAIRN_CORRUPT;
    *out_commitments = cairn_arena_get(&ctx->arena, 32 * out_entry->slot_count + 1);
    if (*out_commitments == NULL)
        return CAIRN_NO_MEMORY;
    if (out_leaf == NULL && out_entry->slot_count == 0)
        return CAIRN_OK;
    cairn_log_blinder(log, &blinder);
    enum cairn_status status = cairn_leaf(&blinder, index, out_entry, &leaf, *out_commitments);
    cairn_blinder_release(&blinder);
    if (status == CAIRN_OK && out_leaf != NULL)
        *out_leaf = leaf;
    return status == CAIRN_OK ? CAIRN_OK : CAIRN_CORRUPT;
}

/* Held entries have been merged, or never will be unless a rebuild does it: no tomb is needed. */
static enum cairn_status entry_is_here(struct cairn_context *ctx, struct cairn_dot dot,
                                       bool *out_is_here)
{
    struct cairn_log log;

    if (dot.log == ctx->growing_log) {
        *out_is_here = dot.index < ctx->growing_size;
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_log_load(ctx, dot.log, &log));
    *out_is_here = log.is_known && dot.index < cairn_log_size(&log);
    return CAIRN_OK;
}

/* The value's bytes outlive the entry's: records are saved from them. */
static void live_of_write(const struct cairn_change_write *write, struct cairn_dot dot,
                          uint64_t time_s, struct cairn_live *out_live)
{
    static const uint8_t deleted = 0x00, alive = 0x01;
    struct cairn_live live = {.field = write->field, .dot = dot, .time_s = time_s};

    if (write->number == CAIRN_ITEM_DELETE) {
        live.cbor = (struct cairn_bytes){&deleted, 1};
    } else if (write->field == CAIRN_FIELD_EXISTENCE) {
        live.cbor = (struct cairn_bytes){&alive, 1};
    } else {
        live.is_personal = write->value.is_slot;
        live.is_closed = write->value.kind == CAIRN_VALUE_CLOSED;
        live.is_shared = write->number == CAIRN_ITEM_ADD || write->number == CAIRN_ITEM_COUNT;
        live.cbor = live.is_closed ? (struct cairn_bytes){NULL, 0} : write->value.cbor;
        live.commitment = write->commitment;
    }
    *out_live = live;
}

/* Elements, differences and steps go only when they are named. */
static bool replaces_own(uint64_t number)
{
    return number == CAIRN_ITEM_CREATE || number == CAIRN_ITEM_SET || number == CAIRN_ITEM_SETTLE ||
           number == CAIRN_ITEM_DELETE;
}

static enum cairn_status change_merge(struct cairn_context *ctx, struct cairn_record_state *state,
                                      struct cairn_dot dot, uint64_t time_s,
                                      const struct cairn_judged_change *change,
                                      cairn_is_here_fn *is_here)
{
    for (size_t i = 0; i < change->write_count; i++) {
        const struct cairn_change_write *from = &change->writes[i];
        struct cairn_dot *named = NULL;
        struct cairn_write write = {.deletes = from->number == CAIRN_ITEM_DELETE,
                                    .replaces_own = replaces_own(from->number),
                                    .only_removes = from->number == CAIRN_ITEM_REMOVE};

        live_of_write(from, dot, time_s, &write.live);
        if (from->named_count > 0) {
            named = cairn_arena_get(&ctx->arena, from->named_count * sizeof *named);
            if (named == NULL)
                return CAIRN_NO_MEMORY;
        }
        for (size_t n = 0; n < from->named_count; n++)
            if (change->named_counts[from->named_first + n])
                named[write.named_count++] = change->named[from->named_first + n];
        write.named = named;
        CAIRN_TRY(cairn_record_merge(ctx, state, &write, is_here));
    }
    return CAIRN_OK;
}

enum cairn_status cairn_change_merge(struct cairn_context *ctx, struct cairn_record_state *state,
                                     struct cairn_dot dot, uint64_t time_s,
                                     const struct cairn_judged_change *change)
{
    return change_merge(ctx, state, dot, time_s, change, entry_is_here);
}

static int dot_compare(const void *a, const void *b)
{
    const struct cairn_dot *x = a, *y = b;

    if (x->log != y->log)
        return x->log < y->log ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

enum cairn_status cairn_record_chain(struct cairn_context *ctx,
                                     const struct cairn_record_state *state,
                                     struct cairn_dot **out_dots, size_t *out_count)
{
    struct cairn_dot at = state->chain, passed = {0, 0};
    size_t count = 0, capacity = 0;
    struct cairn_dot *dots = NULL;

    while (at.log != 0) {
        struct cairn_bytes entry;
        struct cairn_local_dot before;
        if (count == capacity) {
            size_t grown_capacity = capacity * 2 + 32;
            struct cairn_dot *grown = cairn_arena_get(&ctx->arena, grown_capacity * sizeof *grown);
            if (grown == NULL)
                return CAIRN_NO_MEMORY;
            if (count > 0)
                memcpy(grown, dots, count * sizeof *grown);
            dots = grown;
            capacity = grown_capacity;
        }
        dots[count++] = at;
        if ((count & (count - 1)) == 0) /* Brent: whoever goes in a circle comes by again */
            passed = at;
        CAIRN_TRY(cairn_log_entry(ctx, at.log, at.index, &entry, &before));
        at = (struct cairn_dot){before.log_number, before.index};
        if (at.log != 0 && dot_compare(&at, &passed) == 0)
            return CAIRN_CORRUPT;
    }
    if (count > 1)
        qsort(dots, count, sizeof *dots, dot_compare);
    *out_dots = dots;
    *out_count = count;
    return CAIRN_OK;
}

/* While a record is merged anew nothing counts as here: what is named may come later in
 * the chain. */
static enum cairn_status nothing_is_here(struct cairn_context *ctx, struct cairn_dot dot,
                                         bool *out_is_here)
{
    (void)ctx;
    (void)dot;
    *out_is_here = false;
    return CAIRN_OK;
}

/* The chain is merged up to `merged`: tombs of entries that are held and stand there have done
 * their work. */
static enum cairn_status tombs_prune(struct cairn_context *ctx, struct cairn_record_state *state,
                                     struct cairn_dot merged)
{
    size_t kept = 0;

    for (size_t i = 0; i < state->tomb_count; i++) {
        bool is_done = false;
        if (dot_compare(&state->tombs[i].dot, &merged) <= 0)
            CAIRN_TRY(entry_is_here(ctx, state->tombs[i].dot, &is_done));
        if (!is_done)
            state->tombs[kept++] = state->tombs[i];
    }
    state->tomb_count = kept;
    return CAIRN_OK;
}

/* A change without its deletion: that write comes last or alone. */
static void deletions_drop(struct cairn_judged_change *change)
{
    size_t kept = 0;

    for (size_t i = 0; i < change->write_count; i++)
        if (change->writes[i].number != CAIRN_ITEM_DELETE)
            change->writes[kept++] = change->writes[i];
    change->write_count = kept;
}

/* Merge one entry of the chain if it is in force; `change` is room to read it into. */
static enum cairn_status chain_entry_merge(struct cairn_context *ctx,
                                           struct cairn_record_state *state, struct cairn_dot dot,
                                           bool takes_deletions, struct cairn_judged_change *change)
{
    struct cairn_log log;
    struct cairn_entry entry;
    struct cairn_hash *commitments;
    bool in_force;

    CAIRN_TRY(cairn_log_load(ctx, dot.log, &log));
    CAIRN_TRY(cairn_entry_load(ctx, &log, dot.index, &entry, &commitments, NULL));
    CAIRN_TRY(cairn_change_resolve(ctx, &log, dot.index, &entry, commitments, change));
    CAIRN_TRY(cairn_in_force(ctx, &log, dot.index, change->has_repeats ? &change->repeats : NULL,
                             &in_force));
    if (!takes_deletions)
        deletions_drop(change);
    return in_force ? change_merge(ctx, state, dot, entry.time_s, change, nothing_is_here)
                    : CAIRN_OK;
}

/* Merge the record's chain into `state`, which has neither versions nor tombs yet. */
static enum cairn_status chain_merge(struct cairn_context *ctx, struct cairn_record_state *state,
                                     bool takes_deletions)
{
    struct cairn_judged_change *change = cairn_arena_get(&ctx->arena, sizeof *change);
    struct cairn_dot *dots;
    size_t count;

    if (change == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_record_chain(ctx, state, &dots, &count));
    for (size_t i = 0; i < count; i++) {
        CAIRN_TRY(chain_entry_merge(ctx, state, dots[i], takes_deletions, change));
        CAIRN_TRY(tombs_prune(ctx, state, dots[i]));
    }
    return tombs_prune(ctx, state, (struct cairn_dot){UINT32_MAX, UINT32_MAX});
}

enum cairn_status cairn_record_undeleted(struct cairn_context *ctx,
                                         const struct cairn_record_state *state,
                                         struct cairn_record_state *out_state)
{
    struct cairn_record_state undeleted = {
        .id = state->id, .type = state->type, .counter = state->counter, .chain = state->chain};

    CAIRN_TRY(chain_merge(ctx, &undeleted, false));
    *out_state = undeleted;
    return CAIRN_OK;
}

enum cairn_status cairn_record_rebuild(struct cairn_context *ctx, struct cairn_dot record)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_log log;
    struct cairn_record_state state;

    CAIRN_TRY(cairn_log_load(ctx, record.log, &log));
    CAIRN_TRY(cairn_record_load(ctx, &log, record.index, &state));
    state.live_count = 0;
    state.tomb_count = 0;
    CAIRN_TRY(chain_merge(ctx, &state, true));
    CAIRN_TRY(
        cairn_digest_touch(ctx, log.scope, cairn_record_id_hash(&log, record.index).bytes[0]));
    CAIRN_TRY(cairn_digest_flush(ctx));
    CAIRN_TRY(cairn_record_save(ctx, &log, &state));
    cairn_arena_rewind(&ctx->arena, mark);
    return CAIRN_OK;
}

enum cairn_status cairn_entry_change(struct cairn_context *ctx, const struct cairn_log *log,
                                     uint32_t index, struct cairn_judged_change *change)
{
    struct cairn_entry entry;
    struct cairn_hash *commitments;
    struct cairn_verdict verdict;

    change->record = (struct cairn_dot){0, 0};
    CAIRN_TRY(cairn_verdict_get(ctx, log->no, index, &verdict));
    if (verdict.validity != CAIRN_VALID)
        return CAIRN_OK;
    CAIRN_TRY(cairn_entry_load(ctx, log, index, &entry, &commitments, NULL));
    if (entry.kind != CAIRN_KIND_CHANGE)
        return CAIRN_OK;
    return cairn_change_resolve(ctx, log, index, &entry, commitments, change);
}

/* The records that entries [from, to) of `log` touch, each once; room for all of them is there. */
static enum cairn_status touched_collect(struct cairn_context *ctx, const struct cairn_log *log,
                                         uint32_t from, uint32_t to, struct cairn_dot *records,
                                         size_t *out_count)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    size_t count = 0, kept = 0;

    for (uint32_t index = from; index < to; index++) {
        struct cairn_judged_change *change = cairn_arena_get(&ctx->arena, sizeof *change);
        if (change == NULL)
            return CAIRN_NO_MEMORY;
        CAIRN_TRY(cairn_entry_change(ctx, log, index, change));
        if (change->record.log != 0)
            records[count++] = change->record;
        cairn_arena_rewind(&ctx->arena, mark);
    }
    if (count > 1)
        qsort(records, count, sizeof *records, dot_compare);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || dot_compare(&records[i], &records[kept - 1]) != 0)
            records[kept++] = records[i];
    *out_count = kept;
    return CAIRN_OK;
}

/* So many entries at a time, which is more than a message brings. */
#define TOUCHED_MAX 65536

enum cairn_status cairn_rebuild_touched(struct cairn_context *ctx, const struct cairn_log *log,
                                        uint32_t from, uint32_t to)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    uint32_t end = to < cairn_log_size(log) ? to : cairn_log_size(log);

    if (log->channel != CAIRN_CHANNEL_RECORDS)
        return CAIRN_OK;
    while (from < end) {
        uint32_t next = end - from > TOUCHED_MAX ? from + TOUCHED_MAX : end;
        struct cairn_dot *records = cairn_arena_get(&ctx->arena, (next - from) * sizeof *records);
        size_t count;
        if (records == NULL)
            return CAIRN_NO_MEMORY;
        CAIRN_TRY(touched_collect(ctx, log, from, next, records, &count));
        for (size_t i = 0; i < count; i++)
            CAIRN_TRY(cairn_record_rebuild(ctx, records[i]));
        cairn_arena_rewind(&ctx->arena, mark);
        from = next;
    }
    return CAIRN_OK;
}

static struct cairn_key repeat_key(uint32_t original, const struct cairn_judged_change *change,
                                   struct cairn_dot dot)
{
    struct cairn_key key = cairn_key_log_index(CAIRN_TABLE_REPEAT, original, change->repeats.index);

    cairn_key_u32(&key, dot.log);
    cairn_key_u32(&key, dot.index);
    return key;
}

enum cairn_status cairn_repeat_keep(struct cairn_context *ctx, struct cairn_dot dot,
                                    const struct cairn_judged_change *change)
{
    struct cairn_log original;
    uint64_t count;

    if (!change->has_repeats)
        return CAIRN_OK;
    CAIRN_TRY(cairn_log_mention(ctx, &change->repeats.log, &original));
    struct cairn_key key = repeat_key(original.no, change, dot);
    CAIRN_TRY(cairn_kv_put(ctx, &key, (struct cairn_bytes){NULL, 0}));
    return cairn_meta_next(ctx, "repeats", &count);
}

enum cairn_status cairn_repeat_forget(struct cairn_context *ctx, struct cairn_dot dot,
                                      const struct cairn_judged_change *change)
{
    struct cairn_log original;

    if (!change->has_repeats)
        return CAIRN_OK;
    CAIRN_TRY(cairn_log_mention(ctx, &change->repeats.log, &original));
    struct cairn_key key = repeat_key(original.no, change, dot);
    return cairn_kv_del(ctx, &key);
}

enum cairn_status cairn_repeats_rebuild(struct cairn_context *ctx, const struct cairn_log *log,
                                        uint32_t from)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_REPEAT);
    struct cairn_key start = {.size = 0};
    struct cairn_dot dots[64];
    size_t count = 0;
    struct cairn_walk walk;
    uint64_t any;

    CAIRN_TRY(cairn_meta_number(ctx, "repeats", &any));
    if (any == 0)
        return CAIRN_OK;
    cairn_key_u32(&prefix, log->no);
    cairn_key_u32(&start, from);
    for (;;) {
        enum cairn_status status = CAIRN_OK;
        count = 0;
        CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(&start), CAIRN_ASCENDING, &walk));
        while (count < 64 && (status = cairn_walk_next(&walk)) == CAIRN_OK) {
            start.size = 0;
            cairn_key_u32(&start, cairn_read_u32be(&walk.key));
            dots[count].log = cairn_read_u32be(&walk.key);
            dots[count].index = cairn_read_u32be(&walk.key);
            cairn_key_u32(&start, dots[count].log);
            cairn_key_u32(&start, dots[count].index);
            cairn_key_u8(&start, 0);
            count++;
        }
        cairn_walk_close(&walk);
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            return status;
        for (size_t i = 0; i < count; i++) {
            struct cairn_log other;
            CAIRN_TRY(cairn_log_load(ctx, dots[i].log, &other));
            CAIRN_TRY(cairn_rebuild_touched(ctx, &other, dots[i].index, dots[i].index + 1));
        }
        if (count < 64)
            return CAIRN_OK;
    }
}

enum cairn_status cairn_chain_set(struct cairn_context *ctx, struct cairn_dot at,
                                  struct cairn_dot before)
{
    struct cairn_blob blob;
    struct cairn_reader reader;
    struct cairn_writer writer;

    CAIRN_TRY(cairn_blob_at(ctx, at.log, at.index, &blob));
    size_t capacity = blob.chain.size + 20;
    uint8_t *chain = cairn_arena_get(&ctx->arena, capacity);
    if (chain == NULL)
        return CAIRN_NO_MEMORY;
    cairn_reader_init(&reader, blob.chain);
    cairn_writer_init(&writer, chain, capacity);
    for (uint32_t i = 0; i < blob.count; i++) {
        struct cairn_dot dot = {.log = (uint32_t)cairn_read_varint(&reader)};
        if (dot.log != 0)
            dot.index = (uint32_t)cairn_read_varint(&reader);
        if (blob.first + i == at.index)
            dot = before;
        cairn_write_varint(&writer, dot.log);
        if (dot.log != 0)
            cairn_write_varint(&writer, dot.index);
    }
    if (reader.failed)
        return CAIRN_CORRUPT;
    CAIRN_ASSERT(!writer.overflowed);
    blob.chain = cairn_writer_bytes(&writer);
    return cairn_blob_put(ctx, at.log, &blob);
}

enum cairn_status cairn_record_adopt_entry(struct cairn_context *ctx, const struct cairn_log *log,
                                           uint32_t index, const struct cairn_judged_change *change)
{
    struct cairn_log creator = *log;
    struct cairn_dot dot = {log->no, index};
    struct cairn_record_state state = {.id = change->record};

    if (change->record.log != log->no)
        CAIRN_TRY(cairn_log_load(ctx, change->record.log, &creator));
    if (change->creates) {
        state.type = change->type;
        state.counter = change->counter;
        CAIRN_TRY(cairn_counter_put(ctx, log, change->counter, index));
    } else {
        CAIRN_TRY(cairn_record_load(ctx, &creator, change->record.index, &state));
    }
    CAIRN_TRY(cairn_step_keep(ctx, dot, change));
    CAIRN_TRY(cairn_repeat_keep(ctx, dot, change));
    CAIRN_TRY(cairn_chain_set(ctx, dot, state.chain));
    state.chain = dot;
    CAIRN_TRY(cairn_record_save(ctx, &creator, &state));
    return cairn_record_rebuild(ctx, change->record);
}
