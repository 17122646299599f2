#include "held.h"

void cairn_held_records_begin(struct cairn_held_records *held, struct cairn_context *ctx)
{
    held->oldest = 0;
    for (size_t i = 0; i < CAIRN_HELD_RECORDS; i++) {
        cairn_arena_init(&held->records[i].arena);
        held->records[i].state = (struct cairn_record_state){.id = {0, 0}};
    }
    ctx->held = held;
}

void cairn_held_records_end(struct cairn_context *ctx)
{
    for (size_t i = 0; i < CAIRN_HELD_RECORDS; i++)
        cairn_arena_release(&ctx->held->records[i].arena);
    ctx->held = NULL;
}

static struct cairn_held_record *held_find(struct cairn_held_records *held, struct cairn_dot id)
{
    for (size_t i = 0; i < CAIRN_HELD_RECORDS; i++)
        if (held->records[i].state.id.log == id.log && held->records[i].state.id.index == id.index)
            return &held->records[i];
    return NULL;
}

const struct cairn_record_state *cairn_held_record_state(const struct cairn_context *ctx,
                                                         struct cairn_dot id)
{
    const struct cairn_held_record *record = ctx->held == NULL ? NULL : held_find(ctx->held, id);

    return record == NULL ? NULL : &record->state;
}

static enum cairn_status record_close(struct cairn_context *ctx, struct cairn_held_record *record)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);

    if (record->state.id.log == 0)
        return CAIRN_OK;
    CAIRN_TRY(cairn_record_save(ctx, &record->creator, &record->state));
    cairn_arena_rewind(&ctx->arena, mark);
    record->state.id.log = 0;
    cairn_arena_reset(&record->arena);
    return CAIRN_OK;
}

enum cairn_status cairn_held_records_save(struct cairn_context *ctx)
{
    for (size_t i = 0; i < CAIRN_HELD_RECORDS; i++)
        CAIRN_TRY(record_close(ctx, &ctx->held->records[i]));
    return CAIRN_OK;
}

/* The state again, with its memory in the record's arena. */
static enum cairn_status record_open(struct cairn_context *ctx,
                                     const struct cairn_record_state *state,
                                     struct cairn_held_record *record)
{
    struct cairn_record_state opened = *state;

    if (state->stored.data != NULL) {
        cairn_arena_swap(&ctx->arena, &record->arena);
        enum cairn_status status = cairn_record_decode(ctx, state->stored, state->id, &opened);
        cairn_arena_swap(&ctx->arena, &record->arena);
        CAIRN_TRY(status);
    }
    opened.has_bucket = state->has_bucket;
    opened.bucket = state->bucket;
    record->state = opened;
    return CAIRN_OK;
}

static size_t versions_held(const struct cairn_held_records *held)
{
    size_t count = 0;

    for (size_t i = 0; i < CAIRN_HELD_RECORDS; i++)
        if (held->records[i].state.id.log != 0)
            count += held->records[i].state.live_count + held->records[i].state.tomb_count;
    return count;
}

enum cairn_status cairn_held_record_take(struct cairn_context *ctx, const struct cairn_log *creator,
                                         const struct cairn_record_state *state,
                                         struct cairn_held_record **out_record)
{
    struct cairn_held_records *held = ctx->held;
    struct cairn_held_record *record = held_find(held, state->id);
    size_t others_max = CAIRN_HELD_VERSIONS - (state->live_count + state->tomb_count);

    if (record != NULL) {
        *out_record = record;
        return CAIRN_OK;
    }
    do {
        record = &held->records[held->oldest];
        held->oldest = (held->oldest + 1) % CAIRN_HELD_RECORDS;
        CAIRN_TRY(record_close(ctx, record));
    } while (versions_held(held) > others_max);
    CAIRN_TRY(record_open(ctx, state, record));
    record->creator = *creator;
    *out_record = record;
    return CAIRN_OK;
}
