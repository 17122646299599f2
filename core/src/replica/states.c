/* All records in key order, and how many there are; declared in replica_internal.h. */

#include "replica_internal.h"

static enum cairn_status state_step(struct cairn_context *ctx, struct cairn_walk *walk,
                                    struct cairn_log *log, cairn_state_fn *visit, void *context)
{
    struct cairn_record_state state;
    struct cairn_dot id;

    cairn_read_bytes(&walk->key, 9); /* scope and bucket */
    id.log = cairn_read_u32be(&walk->key);
    id.index = cairn_read_u32be(&walk->key);
    if (log->no != id.log)
        CAIRN_TRY(cairn_log_load(ctx, id.log, log));
    CAIRN_TRY(cairn_record_decode(ctx, walk->value, id, &state));
    return state.live_count == 0 ? CAIRN_OK : visit(context, ctx, log, &state);
}

enum cairn_status cairn_states_visit(struct cairn_context *ctx, cairn_state_fn *visit,
                                     void *context)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_RECORD);
    struct cairn_log log = {.no = 0};
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    /* Each step leaves the arena as it was: a scan of any length needs little memory. */
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        status = state_step(ctx, &walk, &log, visit, context);
        cairn_arena_rewind(&ctx->arena, mark);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

struct states_count {
    uint64_t records, conflicts;
};

static enum cairn_status state_count(void *context, struct cairn_context *ctx,
                                     const struct cairn_log *log,
                                     const struct cairn_record_state *state)
{
    struct states_count *count = context;

    (void)ctx;
    (void)log;
    count->records += !cairn_record_is_deleted(state);
    count->conflicts += cairn_record_has_conflict(state);
    return CAIRN_OK;
}

enum cairn_status cairn_records_count(struct cairn_context *ctx, uint64_t *out_records,
                                      uint64_t *out_conflicts)
{
    const struct cairn_key all = cairn_key(CAIRN_TABLE_COUNTER);
    const struct cairn_key hidden = cairn_flag_prefix(CAIRN_FLAG_HIDDEN);
    const struct cairn_key conflicts = cairn_flag_prefix(CAIRN_FLAG_CONFLICT);
    struct states_count count = {0, 0};
    uint64_t hidden_count;
    bool is_ready;

    CAIRN_TRY(cairn_index_is_ready(ctx, &is_ready));
    if (is_ready) {
        CAIRN_TRY(cairn_keys_count(ctx, &all, &count.records));
        CAIRN_TRY(cairn_keys_count(ctx, &hidden, &hidden_count));
        CAIRN_TRY(cairn_keys_count(ctx, &conflicts, &count.conflicts));
        count.records -= hidden_count;
    } else {
        CAIRN_TRY(cairn_states_visit(ctx, state_count, &count));
    }
    *out_records = count.records;
    *out_conflicts = count.conflicts;
    return CAIRN_OK;
}
