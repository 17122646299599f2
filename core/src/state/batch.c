#include "batch.h"

#include <string.h>

#include "announce.h"
#include "authority.h"
#include "basis.h"
#include "digest.h"
#include "force.h"
#include "held.h"
#include "rebuild.h"
#include "schema.h"

/* ---- hashing ------------------------------------------------------------------------------- */

static enum cairn_status entry_hash(struct cairn_context *ctx, struct cairn_blinder *blinder,
                                    uint32_t index, struct cairn_reader *entries,
                                    struct cairn_batch *batch, uint32_t i)
{
    struct cairn_entry *entry = &batch->entries[i];

    CAIRN_TRY(cairn_entry_next(entries, entry));
    /* Who can make a commitment takes none in the place of a value: what was closed on its way
     * would be closed to all that have it from here. */
    if (blinder->has_salts && entry->closed_count > 0)
        return CAIRN_MALFORMED;
    batch->commitments[i] = NULL;
    if (entry->slot_count > 0) {
        batch->commitments[i] = cairn_arena_get(&ctx->arena, 32 * entry->slot_count);
        if (batch->commitments[i] == NULL)
            return CAIRN_NO_MEMORY;
    }
    CAIRN_TRY(cairn_leaf(blinder, index, entry, &batch->leaves[i], batch->commitments[i]));
    cairn_tree_append(&batch->tree, &batch->leaves[i]);
    return CAIRN_OK;
}

enum cairn_status cairn_batch_hash(struct cairn_context *ctx, const struct cairn_log *log,
                                   const struct cairn_tree *tree, struct cairn_bytes bytes,
                                   uint32_t count, struct cairn_batch *out_batch)
{
    struct cairn_batch batch = {.first = (uint32_t)tree->size, .count = count, .tree = *tree};
    struct cairn_blinder blinder;
    struct cairn_reader reader;
    enum cairn_status status = CAIRN_OK;

    if (count > UINT32_MAX - batch.first)
        return CAIRN_MALFORMED;
    batch.entries = cairn_arena_get(&ctx->arena, count * sizeof *batch.entries + 1);
    batch.leaves = cairn_arena_get(&ctx->arena, count * sizeof *batch.leaves + 1);
    batch.commitments = cairn_arena_get(&ctx->arena, count * sizeof(struct cairn_hash *) + 1);
    if (batch.entries == NULL || batch.leaves == NULL || batch.commitments == NULL)
        return CAIRN_NO_MEMORY;
    cairn_log_blinder(log, &blinder);
    cairn_reader_init(&reader, bytes);
    for (uint32_t i = 0; i < count && status == CAIRN_OK; i++)
        status = entry_hash(ctx, &blinder, batch.first + i, &reader, &batch, i);
    cairn_blinder_release(&blinder);
    if (status == CAIRN_OK)
        status = cairn_reader_end(&reader);
    if (status == CAIRN_OK)
        *out_batch = batch;
    return status;
}

/* ---- one entry ----------------------------------------------------------------------------- */

/* The log's head while a batch goes in, and what the blob being filled will hold. */
struct applying {
    struct cairn_context *ctx;
    struct cairn_log *log;
    const struct cairn_batch *batch;
    const struct cairn_signature *seal;
    struct cairn_judged_change *change;
    struct cairn_buffer chain;
    bool moves_force;
};

/* The path of the last leaf of a tree: the peaks before it was appended, smallest first. */
static void link_of_entry(const struct applying *a, const struct cairn_entry *entry, uint32_t index,
                          struct cairn_link *out_link)
{
    struct cairn_blinder blinder;
    unsigned peaks = cairn_tree_peak_count(&a->log->tree);

    memset(out_link, 0, sizeof *out_link);
    cairn_log_blinder(a->log, &blinder);
    out_link->blinding = cairn_blinding(&blinder, index);
    cairn_blinder_release(&blinder);
    out_link->entry = entry->bytes;
    out_link->incarnation = a->log->incarnation;
    out_link->index = index;
    out_link->path_count = peaks;
    for (unsigned i = 0; i < peaks; i++)
        out_link->path[i] = a->log->tree.peaks[peaks - 1 - i];
    out_link->seal = *a->seal;
}

static enum cairn_status authority_apply(struct applying *a, const struct cairn_entry *entry,
                                         uint32_t index, const struct cairn_hash *leaf,
                                         struct cairn_verdict *out_verdict)
{
    struct cairn_ref ref = {a->log->id, index, *leaf};
    struct cairn_link link;
    struct cairn_reader reader = entry->body;

    struct cairn_under under = cairn_under_read(&reader);
    bool is_known = entry->kind >= CAIRN_KIND_GRANT && entry->kind <= CAIRN_KIND_REDACTION;
    /* Decided here, by the log's own prefix, whether the chain is held or not. */
    if (is_known && !reader.failed && !cairn_under_equal(&under, &a->log->under)) {
        *out_verdict = (struct cairn_verdict){CAIRN_INVALID, CAIRN_WHY_OTHER_BASIS, 0, 0};
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_authority_judge(a->ctx, a->log->scope, &a->log->device, entry, out_verdict));
    if (out_verdict->validity != CAIRN_VALID)
        return CAIRN_OK;
    link_of_entry(a, entry, index, &link);
    return cairn_authority_admit(a->ctx, &ref, &link, entry, &a->moves_force);
}

/* The record's state grows in its own arena. */
static enum cairn_status held_merge(struct applying *a, const struct cairn_entry *entry,
                                    struct cairn_dot dot, struct cairn_held_record *record)
{
    struct cairn_context *ctx = a->ctx;
    bool had_conflict = cairn_record_has_conflict(&record->state);

    cairn_arena_swap(&ctx->arena, &record->arena);
    enum cairn_status status =
        cairn_change_merge(ctx, &record->state, dot, entry->time_s, a->change);
    cairn_arena_swap(&ctx->arena, &record->arena);
    if (!had_conflict && cairn_record_has_conflict(&record->state))
        ctx->tally.conflicts++;
    return status;
}

/* Merge a valid change into its record; *out_before is what its chain says came before. */
static enum cairn_status change_merge(struct applying *a, const struct cairn_entry *entry,
                                      uint32_t index, struct cairn_dot *out_before)
{
    struct cairn_judged_change *change = a->change;
    struct cairn_dot dot = {a->log->no, index};
    struct cairn_log other;
    const struct cairn_log *creator = a->log;
    struct cairn_record_state state = {.id = change->record};
    struct cairn_held_record *record;
    bool in_force;

    if (change->record.log != a->log->no) {
        CAIRN_TRY(cairn_log_load(a->ctx, change->record.log, &other));
        creator = &other;
    }
    if (change->creates) {
        state.type = change->type;
        state.counter = change->counter;
        CAIRN_TRY(cairn_counter_put(a->ctx, a->log, change->counter, index));
    } else {
        CAIRN_ASSERT(change->has_state);
        state = change->state;
    }
    CAIRN_TRY(cairn_repeat_keep(a->ctx, dot, change));
    CAIRN_TRY(cairn_step_keep(a->ctx, dot, change));
    CAIRN_TRY(cairn_in_force(a->ctx, a->log, index, change->has_repeats ? &change->repeats : NULL,
                             &in_force));
    CAIRN_TRY(cairn_held_record_take(a->ctx, creator, &state, &record));
    if (in_force)
        CAIRN_TRY(held_merge(a, entry, dot, record));
    *out_before = record->state.chain;
    record->state.chain = dot;
    struct cairn_hash id = cairn_record_id_hash(creator, change->record.index);
    return cairn_digest_touch(a->ctx, creator->scope, id.bytes[0]);
}

static enum cairn_status change_apply(struct applying *a, const struct cairn_entry *entry,
                                      uint32_t index, const struct cairn_hash *commitments,
                                      struct cairn_verdict *out_verdict,
                                      struct cairn_dot *out_before)
{
    bool announced_is_good;

    CAIRN_TRY(cairn_announcements_apply(a->ctx, a->log, index, entry, &announced_is_good));
    CAIRN_TRY(cairn_judge_change(a->ctx, a->log, index, entry, announced_is_good, commitments,
                                 a->change, out_verdict));
    return out_verdict->validity == CAIRN_VALID ? change_merge(a, entry, index, out_before)
                                                : CAIRN_OK;
}

static enum cairn_status entry_apply(struct applying *a, uint32_t i)
{
    const struct cairn_entry *entry = &a->batch->entries[i];
    uint32_t index = a->batch->first + i;
    struct cairn_verdict verdict = {.validity = CAIRN_VALID};
    struct cairn_dot before = {0, 0};
    struct cairn_writer room;

    a->ctx->growing_size = index;
    if (entry->kind == CAIRN_KIND_BASIS)
        CAIRN_TRY(cairn_basis_apply(a->ctx, a->log, index, entry, &verdict));
    else if (a->log->channel == CAIRN_CHANNEL_AUTHORITY)
        CAIRN_TRY(authority_apply(a, entry, index, &a->batch->leaves[i], &verdict));
    else if (a->log->channel == CAIRN_CHANNEL_RECORDS && entry->kind == CAIRN_KIND_CHANGE)
        CAIRN_TRY(change_apply(a, entry, index, a->batch->commitments[i], &verdict, &before));
    else
        verdict = (struct cairn_verdict){CAIRN_WAITING, CAIRN_WHY_NEWER, 0, 0};
    if (verdict.validity != CAIRN_VALID)
        CAIRN_TRY(cairn_verdict_put(a->ctx, a->log->no, index, &verdict));
    a->ctx->tally.without_effect += verdict.validity == CAIRN_INVALID;
    a->ctx->tally.entries += entry->kind != CAIRN_KIND_BASIS;
    if (entry->time_s > a->log->last_time_s)
        a->log->last_time_s = entry->time_s;

    room = cairn_buffer_room(&a->chain, 20);
    cairn_write_varint(&room, before.log);
    if (before.log != 0)
        cairn_write_varint(&room, before.index);
    cairn_buffer_take(&a->chain, &room);
    cairn_tree_append(&a->log->tree, &a->batch->leaves[i]);
    return cairn_buffer_status(&a->chain);
}

/* ---- the batch ----------------------------------------------------------------------------- */

/* Entries [from, to) of the batch, counted from its first, as a blob. */
static enum cairn_status blob_write(struct applying *a, uint32_t from, uint32_t to, bool is_last)
{
    const struct cairn_entry *entries = a->batch->entries;
    struct cairn_blob blob = {.first = a->batch->first + from, .count = to - from};

    blob.has_seal = is_last;
    blob.seal = *a->seal;
    blob.root = cairn_tree_root(&a->log->tree);
    blob.entries.data = entries[from].bytes.data;
    blob.entries.size =
        (size_t)(entries[to - 1].bytes.data - blob.entries.data) + entries[to - 1].bytes.size;
    blob.chain = cairn_buffer_bytes(&a->chain);
    CAIRN_TRY(cairn_blob_put(a->ctx, a->log->no, &blob));
    cairn_buffer_reset(&a->chain);
    return CAIRN_OK;
}

static enum cairn_status entries_apply(struct applying *a, const uint32_t *splits,
                                       size_t split_count)
{
    uint32_t from = 0;

    for (uint32_t i = 0; i < a->batch->count; i++) {
        uint32_t size = a->batch->first + i + 1;
        bool is_last = i + 1 == a->batch->count;
        bool is_split = is_last;
        struct cairn_arena_mark mark = cairn_arena_mark(&a->ctx->arena);
        CAIRN_TRY(entry_apply(a, i));
        cairn_arena_rewind(&a->ctx->arena, mark);
        for (size_t s = 0; s < split_count; s++)
            is_split = is_split || splits[s] == size;
        if (is_split) {
            CAIRN_TRY(blob_write(a, from, i + 1, is_last));
            from = i + 1;
        }
    }
    return CAIRN_OK;
}

enum cairn_status cairn_batch_apply(struct cairn_context *ctx, struct cairn_log *log,
                                    const struct cairn_batch *batch,
                                    const struct cairn_signature *seal, const uint32_t *splits,
                                    size_t split_count, bool *out_moves_force)
{
    struct applying a = {.ctx = ctx, .log = log, .batch = batch, .seal = seal};
    struct cairn_held_records *held = cairn_arena_get(&ctx->arena, sizeof *held);

    a.change = cairn_arena_get(&ctx->arena, sizeof *a.change);
    if (a.change == NULL || held == NULL)
        return CAIRN_NO_MEMORY;
    cairn_buffer_init(&a.chain, CAIRN_VALUE_MAX);
    ctx->growing_log = log->no;
    cairn_held_records_begin(held, ctx);
    enum cairn_status status = entries_apply(&a, splits, split_count);
    if (status == CAIRN_OK)
        status = cairn_held_records_save(ctx);
    cairn_held_records_end(ctx);
    ctx->growing_log = 0;
    cairn_buffer_release(&a.chain);
    if (status == CAIRN_OK)
        status = cairn_log_save(ctx, log);
    if (status == CAIRN_OK)
        status = cairn_digest_flush(ctx);
    if (status == CAIRN_OK && a.moves_force)
        *out_moves_force = true;
    struct cairn_grown grown = {log->no, cairn_log_size(log)};
    cairn_buffer_add(&ctx->grown, &grown, sizeof grown);
    return status == CAIRN_OK ? cairn_buffer_status(&ctx->grown) : status;
}

/* ---- what waited --------------------------------------------------------------------------- */

/* The evidence of an authority entry that lies in its log already. */
static enum cairn_status link_of_stored(struct cairn_context *ctx, const struct cairn_log *log,
                                        uint32_t index, const struct cairn_entry *entry,
                                        struct cairn_link *out_link)
{
    struct cairn_hash *leaves = cairn_arena_get(&ctx->arena, ((size_t)index + 1) * sizeof *leaves);
    struct cairn_blinder blinder;
    struct cairn_blob blob;

    if (leaves == NULL)
        return CAIRN_NO_MEMORY;
    for (uint32_t i = 0; i <= index; i++) {
        struct cairn_entry other;
        struct cairn_hash *commitments;
        CAIRN_TRY(cairn_entry_load(ctx, log, i, &other, &commitments, &leaves[i]));
    }
    CAIRN_TRY(cairn_blob_at(ctx, log->no, index, &blob));
    memset(out_link, 0, sizeof *out_link);
    cairn_log_blinder(log, &blinder);
    out_link->blinding = cairn_blinding(&blinder, index);
    cairn_blinder_release(&blinder);
    out_link->entry = entry->bytes;
    out_link->incarnation = log->incarnation;
    out_link->index = index;
    out_link->path_count = cairn_merkle_path(leaves, (size_t)index + 1, index, out_link->path);
    out_link->seal = blob.seal;
    return CAIRN_OK;
}

static enum cairn_status waiting_judge(struct cairn_context *ctx, struct cairn_dot dot,
                                       struct cairn_verdict *out_verdict)
{
    struct cairn_log log;
    struct cairn_entry entry;
    struct cairn_hash *commitments;
    struct cairn_hash leaf;
    struct cairn_judged_change *change = cairn_arena_get(&ctx->arena, sizeof *change);

    if (change == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_log_load(ctx, dot.log, &log));
    CAIRN_TRY(cairn_basis_at(ctx, &log, dot.index));
    CAIRN_TRY(cairn_entry_load(ctx, &log, dot.index, &entry, &commitments, &leaf));
    if (log.channel == CAIRN_CHANNEL_AUTHORITY) {
        CAIRN_TRY(cairn_authority_judge(ctx, log.scope, &log.device, &entry, out_verdict));
        if (out_verdict->validity != CAIRN_VALID)
            return CAIRN_OK;
        struct cairn_ref ref = {log.id, dot.index, leaf};
        struct cairn_link link;
        bool moves_force = false;
        CAIRN_TRY(link_of_stored(ctx, &log, dot.index, &entry, &link));
        CAIRN_TRY(cairn_authority_admit(ctx, &ref, &link, &entry, &moves_force));
        return moves_force ? cairn_force_move(ctx) : CAIRN_OK;
    }
    CAIRN_TRY(
        cairn_judge_change(ctx, &log, dot.index, &entry, true, commitments, change, out_verdict));
    if (out_verdict->validity != CAIRN_VALID)
        return CAIRN_OK;
    CAIRN_TRY(cairn_verdict_put(ctx, dot.log, dot.index, out_verdict));
    CAIRN_TRY(cairn_record_adopt_entry(ctx, &log, dot.index, change));
    return cairn_repeats_rebuild(ctx, &log, dot.index);
}

/* The first entry after (`size`, `after`) that waits for the log at a size it has reached. */
static enum cairn_status waiting_next(struct cairn_context *ctx, const struct cairn_log *log,
                                      struct cairn_key *from, struct cairn_dot *out_dot)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_WAITING);
    struct cairn_walk walk;

    cairn_key_u32(&prefix, log->no);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(from), CAIRN_ASCENDING, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    if (status == CAIRN_OK) {
        uint32_t size = cairn_read_u32be(&walk.key);
        out_dot->log = cairn_read_u32be(&walk.key);
        out_dot->index = cairn_read_u32be(&walk.key);
        if (size > cairn_log_size(log))
            status = CAIRN_NOT_FOUND;
        from->size = 0;
        cairn_key_u32(from, size);
        cairn_key_u32(from, out_dot->log);
        cairn_key_u32(from, out_dot->index);
        cairn_key_u8(from, 0); /* behind this one */
    }
    cairn_walk_close(&walk);
    return status;
}

static enum cairn_status waiting_pass(struct cairn_context *ctx, const struct cairn_log *log,
                                      bool *out_released)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_key from = {.size = 0};
    struct cairn_dot dot;
    enum cairn_status status;

    *out_released = false;
    while ((status = waiting_next(ctx, log, &from, &dot)) == CAIRN_OK) {
        struct cairn_verdict before, verdict;
        CAIRN_TRY(cairn_verdict_get(ctx, dot.log, dot.index, &before));
        CAIRN_TRY(waiting_judge(ctx, dot, &verdict));
        CAIRN_TRY(cairn_verdict_put(ctx, dot.log, dot.index, &verdict));
        /* Whoever waits for what it waits for must learn that this is something else now. */
        *out_released = *out_released || verdict.validity != CAIRN_WAITING ||
                        verdict.waits_for_log != before.waits_for_log ||
                        verdict.waits_for_size != before.waits_for_size;
        cairn_arena_rewind(&ctx->arena, mark);
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_waiting_release(struct cairn_context *ctx, const struct cairn_log *log)
{
    uint64_t waiting;
    bool released = true;

    CAIRN_TRY(cairn_meta_number(ctx, "waiting", &waiting));
    /* One that is released may be what another waits for under the same key. */
    while (waiting > 0 && released)
        CAIRN_TRY(waiting_pass(ctx, log, &released));
    return CAIRN_OK;
}

enum cairn_status cairn_waiting_schemas_release(struct cairn_context *ctx)
{
    uint64_t before, newest;

    CAIRN_TRY(cairn_schema_newest(ctx, &newest));
    do {
        struct cairn_log held = {.no = CAIRN_WAITS_FOR_SCHEMA, .tree = {.size = newest}};
        before = newest;
        CAIRN_TRY(cairn_waiting_release(ctx, &held));
        CAIRN_TRY(cairn_schema_newest(ctx, &newest));
    } while (newest != before);
    return CAIRN_OK;
}

enum cairn_status cairn_waiting_links_release(struct cairn_context *ctx)
{
    for (size_t at = 0; at < ctx->linked.size; at += sizeof(struct cairn_grown)) {
        struct cairn_grown linked;
        memcpy(&linked, ctx->linked.data + at, sizeof linked);
        struct cairn_log until = {.no = linked.log, .tree = {.size = linked.size}};
        CAIRN_TRY(cairn_waiting_release(ctx, &until));
    }
    cairn_buffer_reset(&ctx->linked);
    return CAIRN_OK;
}
