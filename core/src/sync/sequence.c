#include "sequence.h"

#include <string.h>

/* Sign when this much came in, so that a reply can end at a checkpoint that fits. */
#define SIGN_BYTES 24000

static enum cairn_status touched_note(struct cairn_context *ctx, struct cairn_sequencing *work,
                                      struct cairn_scope scope, enum cairn_channel channel)
{
    for (size_t i = 0; i < work->touched_count; i++)
        if (work->touched[i].scope.code == scope.code && work->touched[i].channel == channel)
            return CAIRN_OK;
    if (work->touched_count == work->touched_capacity) {
        size_t capacity = work->touched_capacity * 2 + 16;
        struct cairn_scope_log *grown = cairn_arena_get(&ctx->arena, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        if (work->touched_count > 0)
            memcpy(grown, work->touched, work->touched_count * sizeof *grown);
        work->touched = grown;
        work->touched_capacity = capacity;
    }
    work->touched[work->touched_count++] =
        (struct cairn_scope_log){.scope = scope, .channel = channel};
    return CAIRN_OK;
}

/* Is this device the sequencer of the scope, and in which epoch? */
static enum cairn_status is_sequencer(struct cairn_replica *replica, struct cairn_scope scope,
                                      bool *out_is_sequencer, uint64_t *out_epoch)
{
    struct cairn_sequencer_info sequencer;

    *out_is_sequencer = false;
    enum cairn_status status = cairn_sequencer_for(&replica->ctx, scope, &sequencer);
    if (status == CAIRN_NOT_FOUND || replica->under.is_root)
        return CAIRN_OK;
    CAIRN_TRY(status);
    *out_is_sequencer = cairn_ref_equal(&sequencer.server, &replica->under.grant);
    *out_epoch = sequencer.epoch;
    return CAIRN_OK;
}

/* One log that grew: a leaf of its scope log. */
static enum cairn_status grown_cover(struct cairn_replica *replica, struct cairn_sequencing *work,
                                     uint32_t no, uint64_t now_s)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_scope_log scope_log;
    struct cairn_log log;
    bool covers;
    uint64_t epoch;

    CAIRN_TRY(cairn_log_load(ctx, no, &log));
    if (!log.is_known || cairn_log_size(&log) <= log.covered)
        return CAIRN_OK;
    CAIRN_TRY(is_sequencer(replica, log.scope, &covers, &epoch));
    if (!covers)
        return CAIRN_OK;
    CAIRN_TRY(cairn_scope_log_load(ctx, log.scope, log.channel, &scope_log));
    if (scope_log.epoch == 0)
        scope_log.epoch = epoch;
    CAIRN_TRY(cairn_scope_cover(ctx, &scope_log, &log, cairn_log_size(&log), now_s));
    return touched_note(ctx, work, log.scope, log.channel);
}

/* The next log of the scope behind `*from` that is not covered whole. NOT_FOUND at the end. */
static enum cairn_status uncovered_next(struct cairn_context *ctx,
                                        const struct cairn_scope_log *scope_log, uint32_t *from)
{
    struct cairn_key prefix =
        cairn_key_scope_channel(CAIRN_TABLE_SCOPE_LOGS, scope_log->scope, scope_log->channel);
    struct cairn_key start = {.size = 0};
    struct cairn_walk walk;
    enum cairn_status status;

    cairn_key_u32(&start, *from + 1);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(&start), CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_log log;
        *from = cairn_read_u32be(&walk.key);
        status = cairn_log_load(ctx, *from, &log);
        if (status != CAIRN_OK || (log.is_known && log.covered < cairn_log_size(&log)))
            break;
    }
    cairn_walk_close(&walk);
    return status;
}

static enum cairn_status scope_sign(struct cairn_replica *replica, struct cairn_sequencing *work,
                                    const struct cairn_scope_log *touched, uint64_t now_s)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_scope_log scope_log;
    struct cairn_checkpoint checkpoint;
    struct cairn_signature signature;
    enum cairn_status status;
    bool is_comparable;
    uint32_t no = 0;

    while ((status = uncovered_next(ctx, touched, &no)) == CAIRN_OK)
        CAIRN_TRY(grown_cover(replica, work, no, now_s));
    if (status != CAIRN_NOT_FOUND)
        return status;
    CAIRN_TRY(cairn_scope_log_load(ctx, touched->scope, touched->channel, &scope_log));
    CAIRN_TRY(cairn_checkpoint_derive(ctx, &scope_log, now_s, &checkpoint, &is_comparable));
    cairn_checkpoint_sign(&replica->keys.checkpoint, &checkpoint, &signature);
    CAIRN_TRY(cairn_checkpoint_put(ctx, &checkpoint, &signature));
    work->checkpoint_count++;
    return CAIRN_OK;
}

enum cairn_status cairn_sequence(struct cairn_sequencing *work)
{
    struct cairn_replica *replica = work->replica;
    struct cairn_context *ctx = &replica->ctx;
    uint64_t now_s = replica->ports->ops->now_s(replica->ports);
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);

    work->bytes = 0;
    for (; work->grown_done < ctx->grown.size; work->grown_done += sizeof(struct cairn_grown)) {
        struct cairn_grown grown;
        memcpy(&grown, ctx->grown.data + work->grown_done, sizeof grown);
        CAIRN_TRY(grown_cover(replica, work, grown.log, now_s));
    }
    for (size_t i = 0; i < work->touched_count; i++) {
        struct cairn_scope_log touched = work->touched[i];
        CAIRN_TRY(scope_sign(replica, work, &touched, now_s));
    }
    work->touched = NULL;
    work->touched_count = work->touched_capacity = 0;
    cairn_arena_rewind(&ctx->arena, mark);
    return CAIRN_OK;
}

static enum cairn_status run_is_next(void *context, size_t bytes)
{
    struct cairn_sequencing *work = context;

    if (work->bytes > 0 && work->bytes + bytes > SIGN_BYTES)
        CAIRN_TRY(cairn_sequence(work));
    work->bytes += bytes;
    return CAIRN_OK;
}

void cairn_sequencing_init(struct cairn_sequencing *work, struct cairn_replica *replica)
{
    *work = (struct cairn_sequencing){.replica = replica};
    replica->ctx.before_run = run_is_next;
    replica->ctx.before_run_context = work;
}
