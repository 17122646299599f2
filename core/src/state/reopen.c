#include "reopen.h"

#include "announce.h"
#include "rebuild.h"

struct reopening {
    struct cairn_context *ctx;
    const struct cairn_log *log;
    uint32_t from;
    struct cairn_dot *records; /* in the arena */
    size_t count, capacity;
    bool moved;
};

/* What an entry rests on: its record, and the step that its step follows. */
struct rests_on {
    struct cairn_dot record, step; /* log 0: none */
    bool step_differs;             /* named on another branch than ours */
};

static enum cairn_status local_resolve(struct cairn_context *ctx, const struct cairn_log *log,
                                       uint32_t index, struct cairn_local_dot local,
                                       struct cairn_dot *out_dot, bool *out_differs)
{
    struct cairn_announced announced = {.log = log->no};
    enum cairn_status status = CAIRN_OK;

    if (local.log_number != 0)
        status = cairn_announced_at(ctx, log->no, local.log_number, index, &announced);
    if (status == CAIRN_NOT_FOUND)
        return CAIRN_OK; /* invalid for that, whatever goes */
    CAIRN_TRY(status);
    *out_dot = (struct cairn_dot){announced.log, local.index};
    *out_differs = announced.root_differs;
    return CAIRN_OK;
}

static enum cairn_status rests_find(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t index, struct rests_on *out)
{
    struct cairn_bytes bytes;
    struct cairn_entry entry;
    struct cairn_items items;
    struct cairn_item item;
    struct cairn_operation op;
    struct cairn_local_dot before;
    bool differs;

    *out = (struct rests_on){.step_differs = false};
    CAIRN_TRY(cairn_log_entry(ctx, log->no, index, &bytes, NULL));
    if (cairn_entry_read(bytes, &entry) != CAIRN_OK)
        return CAIRN_CORRUPT;
    if (entry.kind != CAIRN_KIND_CHANGE)
        return CAIRN_OK;
    cairn_items_init(&items, &entry);
    while (cairn_item_next(&items, &item)) {
        if (item.number == CAIRN_ITEM_CREATE || item.number == CAIRN_ITEM_ANNOUNCE ||
            item.number >= CAIRN_ITEM_REASON || !cairn_operation_read(&item, &op))
            continue;
        CAIRN_TRY(local_resolve(ctx, log, index, op.record, &out->record, &differs));
        if (op.number == CAIRN_ITEM_STEP && cairn_named_next(&op.rest, &before))
            CAIRN_TRY(local_resolve(ctx, log, index, before, &out->step, &out->step_differs));
    }
    return CAIRN_OK;
}

/* Could the verdict be another one when the record, or the step before, is? */
static bool hangs_on_record(const struct cairn_verdict *verdict)
{
    return verdict->validity == CAIRN_VALID || verdict->reason == CAIRN_WHY_NO_RECORD ||
           verdict->reason == CAIRN_WHY_OTHER_SCOPE || verdict->reason == CAIRN_WHY_OPERATION ||
           verdict->reason == CAIRN_WHY_WRONG_VALUE;
}

static bool hangs_on_step(const struct cairn_verdict *verdict)
{
    return verdict->validity == CAIRN_VALID || verdict->reason == CAIRN_WHY_STEP_ORDER ||
           verdict->reason == CAIRN_WHY_STEP_ROLE || verdict->reason == CAIRN_WHY_STEP_BEFORE;
}

static enum cairn_status record_note(struct reopening *r, struct cairn_dot record)
{
    if (r->count == r->capacity) {
        size_t capacity = r->capacity * 2 + 16;
        struct cairn_dot *grown =
            cairn_arena_get(&r->ctx->arena, capacity * sizeof(struct cairn_dot));
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        for (size_t i = 0; i < r->count; i++)
            grown[i] = r->records[i];
        r->records = grown;
        r->capacity = capacity;
    }
    r->records[r->count++] = record;
    return CAIRN_OK;
}

static bool goes(const struct reopening *r, struct cairn_dot dot)
{
    return dot.log == r->log->no && dot.index >= r->from;
}

static enum cairn_status entry_reopen(struct reopening *r, const struct cairn_log *log,
                                      uint32_t index)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&r->ctx->arena);
    struct cairn_verdict verdict, before = {.validity = CAIRN_VALID};
    struct rests_on rests;

    CAIRN_TRY(cairn_verdict_get(r->ctx, log->no, index, &verdict));
    bool by_record = hangs_on_record(&verdict), by_step = hangs_on_step(&verdict);
    if (verdict.validity == CAIRN_WAITING || (!by_record && !by_step))
        return CAIRN_OK;
    CAIRN_TRY(rests_find(r->ctx, log, index, &rests));
    cairn_arena_rewind(&r->ctx->arena, mark);
    if (rests.step.log != 0)
        CAIRN_TRY(cairn_verdict_get(r->ctx, rests.step.log, rests.step.index, &before));
    if ((by_record || by_step) && goes(r, rests.record))
        verdict = (struct cairn_verdict){CAIRN_WAITING, CAIRN_WHY_NOT_HERE_YET, r->log->no,
                                         rests.record.index + 1};
    else if (by_step && rests.step.log != 0 && (goes(r, rests.step) || rests.step_differs))
        verdict = (struct cairn_verdict){CAIRN_WAITING, CAIRN_WHY_NOT_HERE_YET, rests.step.log,
                                         rests.step.index + 1};
    else if (by_step && before.validity == CAIRN_WAITING)
        verdict = before;
    else
        return CAIRN_OK;
    r->moved = true;
    CAIRN_TRY(cairn_step_forget(r->ctx, (struct cairn_dot){log->no, index}));
    CAIRN_TRY(cairn_verdict_put(r->ctx, log->no, index, &verdict));
    return record_note(r, rests.record);
}

/* Every log of the scope, until nothing moves any more. */
static enum cairn_status scope_reopen(struct reopening *r)
{
    uint64_t count;

    CAIRN_TRY(cairn_meta_number(r->ctx, "logs", &count));
    while (r->moved) {
        r->moved = false;
        for (uint32_t no = 1; no <= count; no++) {
            struct cairn_log other;
            CAIRN_TRY(cairn_log_load(r->ctx, no, &other));
            if (!other.is_known || other.channel != CAIRN_CHANNEL_RECORDS ||
                other.scope.code != r->log->scope.code)
                continue;
            uint32_t size = no == r->log->no ? r->from : cairn_log_size(&other);
            for (uint32_t index = 0; index < size && index < cairn_log_size(&other); index++)
                CAIRN_TRY(entry_reopen(r, &other, index));
        }
    }
    return CAIRN_OK;
}

enum cairn_status cairn_followers_reopen(struct cairn_context *ctx, const struct cairn_log *log,
                                         uint32_t from, struct cairn_dot **out_records,
                                         size_t *out_count)
{
    struct reopening r = {.ctx = ctx, .log = log, .from = from, .moved = true};

    if (log->channel == CAIRN_CHANNEL_RECORDS)
        CAIRN_TRY(scope_reopen(&r));
    *out_records = r.records;
    *out_count = r.count;
    return CAIRN_OK;
}

enum cairn_status cairn_steps_reopen(struct cairn_context *ctx, const struct cairn_log *log,
                                     uint32_t from, uint32_t to, struct cairn_dot **out_records,
                                     size_t *out_count)
{
    struct reopening r = {.ctx = ctx, .log = log, .from = cairn_log_size(log)};

    /* Only these follow what was announced: where none of them moves, nothing does. */
    for (uint32_t index = from; index < to && index < cairn_log_size(log); index++)
        CAIRN_TRY(entry_reopen(&r, log, index));
    CAIRN_TRY(scope_reopen(&r));
    *out_records = r.records;
    *out_count = r.count;
    return CAIRN_OK;
}
