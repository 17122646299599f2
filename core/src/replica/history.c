/* What happened to a record, as people see it: cairn_history of cairn/replica.h. */

#include <stdlib.h>
#include <string.h>

#include "history_internal.h"

#include "judge.h"
#include "rebuild.h"
#include "said.h"
#include "schema.h"
#include "scope_log.h"
#include "verdict.h"

/* An entry that names the record, with what a person wants to know of it. */
struct happened {
    struct cairn_said said;
    struct cairn_effect effect;
    uint64_t received_s;
    /* Where it stands among the others: not before what it follows, whatever the clocks say. */
    uint64_t order_s;
    size_t depth;
};

struct history_work {
    struct cairn_replica *replica;
    cairn_history_fn *visit;
    void *context;
    struct cairn_dot record;
    const struct cairn_type *type;
    struct happened *happened;
    size_t count, capacity;
};

/* ---- when ---------------------------------------------------------------------------------- */

enum cairn_status cairn_received_time(struct cairn_context *ctx, const struct cairn_log *log,
                                      uint32_t index, uint64_t *out_time_s)
{
    struct cairn_scope_log scope_log;

    *out_time_s = 0;
    if (index >= log->covered)
        return CAIRN_OK;
    CAIRN_TRY(cairn_scope_log_load(ctx, log->scope, log->channel, &scope_log));
    for (uint64_t i = scope_log.tree.size; i-- > 0;) {
        struct cairn_covered_leaf leaf;
        CAIRN_TRY(cairn_scope_leaf_get(ctx, &scope_log, i, &leaf));
        if (leaf.log == log->no && leaf.from <= index && index < leaf.size) {
            *out_time_s = leaf.time_s;
            break;
        }
    }
    return CAIRN_OK;
}

/* Nothing of ours was written before 2020-01-01. */
#define TIME_FIRST_S 1577836800
#define DAY_S 86400

/* Clocks decide nothing; a person who reads them must know which to doubt. */
static enum cairn_status time_is_odd(struct cairn_context *ctx, const struct happened *one,
                                     bool *out_is_odd)
{
    uint64_t time_s = one->said.time_s, before_s = 0;
    struct cairn_entry before;
    struct cairn_hash *commitments;

    if (one->said.dot.index > 0) {
        CAIRN_TRY(cairn_entry_load(ctx, &one->said.log, one->said.dot.index - 1, &before,
                                   &commitments, NULL));
        before_s = before.time_s;
    }
    *out_is_odd = time_s < TIME_FIRST_S || time_s < before_s ||
                  (one->received_s != 0 && time_s > one->received_s + DAY_S);
    return CAIRN_OK;
}

/* ---- gathering ----------------------------------------------------------------------------- */

static enum cairn_status happened_add(struct history_work *work, const struct cairn_said *said)
{
    struct cairn_context *ctx = &work->replica->ctx;
    struct happened one = {.said = *said};

    CAIRN_TRY(cairn_said_effect(ctx, said, &one.effect));
    CAIRN_TRY(cairn_received_time(ctx, &said->log, said->dot.index, &one.received_s));
    if (work->count == work->capacity) {
        size_t capacity = work->capacity * 2 + 32;
        struct happened *grown = cairn_arena_get(&ctx->arena, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        if (work->count > 0)
            memcpy(grown, work->happened, work->count * sizeof *grown);
        work->happened = grown;
        work->capacity = capacity;
    }
    work->happened[work->count++] = one;
    return CAIRN_OK;
}

static enum cairn_status chain_gather(struct history_work *work,
                                      const struct cairn_record_state *state)
{
    struct cairn_context *ctx = &work->replica->ctx;
    struct cairn_dot *dots;
    size_t count;

    CAIRN_TRY(cairn_record_chain(ctx, state, &dots, &count));
    for (size_t i = 0; i < count; i++) {
        struct cairn_said said;
        struct cairn_log log;
        CAIRN_TRY(cairn_log_load(ctx, dots[i].log, &log));
        CAIRN_TRY(cairn_said_read(work->replica, &log, dots[i].index, &said));
        CAIRN_TRY(happened_add(work, &said));
    }
    return CAIRN_OK;
}

/* Entries that no chain holds, as they have no effect: the table of verdicts lists them, and they
 * are few. */
static enum cairn_status refused_gather(void *context, struct cairn_replica *replica,
                                        const struct cairn_log *log, uint32_t index)
{
    struct history_work *work = context;
    struct cairn_said said;

    if (log->channel != CAIRN_CHANNEL_RECORDS)
        return CAIRN_OK;
    CAIRN_TRY(cairn_said_read(replica, log, index, &said));
    if (said.record.log != work->record.log || said.record.index != work->record.index)
        return CAIRN_OK;
    return happened_add(work, &said);
}

enum cairn_status cairn_verdicts_visit(struct cairn_replica *replica, cairn_verdict_fn *visit,
                                       void *context)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_VERDICT);
    struct cairn_walk walk;
    struct cairn_log log = {.no = 0};
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(&replica->ctx, &prefix, (struct cairn_bytes){NULL, 0},
                              CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        uint32_t no = cairn_read_u32be(&walk.key);
        uint32_t index = cairn_read_u32be(&walk.key);
        if (log.no != no)
            status = cairn_log_load(&replica->ctx, no, &log);
        if (status == CAIRN_OK)
            status = visit(context, replica, &log, index);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static bool is_named(const struct cairn_saying *saying, struct cairn_dot dot)
{
    for (size_t n = 0; n < saying->named_count; n++)
        if (saying->named[n].log == dot.log && saying->named[n].index == dot.index)
            return true;
    return false;
}

/* Does `one` follow `other`: it stands later in the same log, or names it? */
static bool follows(const struct cairn_said *one, const struct cairn_said *other)
{
    if (one->dot.log == other->dot.log)
        return one->dot.index > other->dot.index;
    if (other->creates && one->record.log == other->dot.log)
        return one->record.index == other->dot.index;
    for (size_t i = 0; i < one->count; i++)
        if (is_named(&one->sayings[i], other->dot))
            return true;
    return false;
}

/* Put `one` behind `other`; true when it was not there yet. */
static bool put_behind(struct happened *one, const struct happened *other)
{
    if (one->order_s > other->order_s ||
        (one->order_s == other->order_s && one->depth > other->depth))
        return false;
    one->order_s = other->order_s;
    one->depth = other->depth + 1;
    return true;
}

/* Names only lead back, so this ends: at most a round for each entry of the longest chain. */
static void happened_order(struct happened *happened, size_t count)
{
    bool moved = true;

    for (size_t i = 0; i < count; i++)
        happened[i].order_s = happened[i].said.time_s;
    for (size_t round = 0; moved && round <= count; round++) {
        moved = false;
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < count; k++)
                if (i != k && follows(&happened[i].said, &happened[k].said))
                    moved = put_behind(&happened[i], &happened[k]) || moved;
    }
}

static int happened_compare(const void *a, const void *b)
{
    const struct happened *one = a, *other = b;
    const struct cairn_said *x = &one->said, *y = &other->said;

    if (one->order_s != other->order_s)
        return one->order_s < other->order_s ? -1 : 1;
    if (one->depth != other->depth)
        return one->depth < other->depth ? -1 : 1;
    if (x->creates != y->creates)
        return x->creates ? -1 : 1; /* nothing happened to it before */
    if (x->dot.log != y->dot.log)
        return cairn_hash_compare(&x->log.id, &y->log.id);
    return x->dot.index < y->dot.index ? -1 : x->dot.index > y->dot.index;
}

/* ---- in words ------------------------------------------------------------------------------ */

/* Had the writer of entry `i` what `before` says of the field? It is the writer's own, or named; of
 * what repeats an entry that went with its device the name is another. */
static bool had_before_it(const struct history_work *work, size_t i,
                          const struct cairn_saying *saying, size_t before)
{
    const struct happened *earlier = &work->happened[before];

    return earlier->said.dot.log == work->happened[i].said.dot.log ||
           is_named(saying, earlier->said.dot) ||
           (earlier->said.has_repeats && saying->named_count > 0);
}

/* The value of a field before operation `now` of entry `i`: the last in this history that its
 * writer had seen. */
static enum cairn_status value_before(struct history_work *work, size_t i,
                                      const struct cairn_saying *now,
                                      const struct cairn_field *field,
                                      struct cairn_history_item *item)
{
    for (size_t before = i; before-- > 0;) {
        const struct cairn_said *said = &work->happened[before].said;
        if (work->happened[before].effect.reason != CAIRN_WHY_NONE ||
            !had_before_it(work, i, now, before))
            continue;
        for (size_t w = 0; w < said->count; w++) {
            const struct cairn_saying *saying = &said->sayings[w];
            if (saying->field != field->number || !saying->has_value)
                continue;
            cairn_value_label(work->type, field, &saying->value, &item->old_label);
            return cairn_value_text(&work->replica->ctx, work->type, field, &saying->value,
                                    &work->replica->results, &item->old_value);
        }
    }
    if (field->merge != CAIRN_MERGE_WORKFLOW)
        return CAIRN_OK;
    struct cairn_value first = {.kind = CAIRN_VALUE_POSITION,
                                .position = cairn_position_first(work->type)};
    cairn_value_label(work->type, field, &first, &item->old_label);
    return cairn_value_text(&work->replica->ctx, work->type, field, &first, &work->replica->results,
                            &item->old_value);
}

static enum cairn_history_state state_of(const struct happened *one)
{
    if (one->effect.validity == CAIRN_WAITING)
        return CAIRN_HISTORY_WAITING;
    if (one->effect.reason != CAIRN_WHY_NONE)
        return CAIRN_HISTORY_REFUSED;
    return one->said.dot.index < one->said.log.covered ? CAIRN_HISTORY_RECEIVED
                                                       : CAIRN_HISTORY_LOCAL;
}

/* What is said of an entry, whatever its operations. */
static enum cairn_status entry_describe(struct history_work *work, const struct happened *one,
                                        struct cairn_history_item *item)
{
    struct cairn_context *ctx = &work->replica->ctx;
    struct cairn_standing standing;

    *item = (struct cairn_history_item){.time_s = one->said.time_s,
                                        .received_s = one->received_s,
                                        .reason = one->said.reason,
                                        .is_local = one->said.log.own_generation != 0,
                                        .is_in_force = one->effect.reason == CAIRN_WHY_NONE,
                                        .state = state_of(one)};
    CAIRN_TRY(cairn_entry_standing(ctx, &one->said.log, one->said.dot.index, &standing));
    cairn_text_copy(item->tag, sizeof item->tag, cairn_bytes_of_text(standing.tag));
    item->role = cairn_role_name(standing.role);
    if (!item->is_in_force)
        item->why_not = cairn_reason_text(one->effect.reason);
    return time_is_odd(ctx, one, &item->is_time_odd);
}

static bool has_value_before(const struct cairn_field *field)
{
    return field != NULL &&
           (field->merge == CAIRN_MERGE_REGISTER || field->merge == CAIRN_MERGE_WORKFLOW);
}

static enum cairn_status happened_visit(struct history_work *work, size_t i, bool *out_goes_on)
{
    const struct cairn_said *said = &work->happened[i].said;
    struct cairn_history_item entry;
    size_t w = 0;

    CAIRN_TRY(entry_describe(work, &work->happened[i], &entry));
    do {
        const struct cairn_saying *saying = w < said->count ? &said->sayings[w] : NULL;
        struct cairn_history_item item = entry;
        CAIRN_TRY(cairn_saying_describe(work->replica, work->type, saying, &item));
        const struct cairn_field *field = saying == NULL || work->type == NULL
                                              ? NULL
                                              : cairn_type_field(work->type, saying->field);
        if (has_value_before(field))
            CAIRN_TRY(value_before(work, i, saying, field, &item));
        *out_goes_on = work->visit(work->context, &item);
    } while (*out_goes_on && ++w < said->count);
    return CAIRN_OK;
}

static enum cairn_status history_visit(struct history_work *work)
{
    bool goes_on = true;

    happened_order(work->happened, work->count);
    if (work->count > 1)
        qsort(work->happened, work->count, sizeof *work->happened, happened_compare);
    for (size_t i = 0; i < work->count && goes_on; i++)
        CAIRN_TRY(happened_visit(work, i, &goes_on));
    return CAIRN_OK;
}

static enum cairn_status history_gather(struct history_work *work, const char *id)
{
    struct cairn_context *ctx = &work->replica->ctx;
    struct cairn_log log;
    struct cairn_record_state state;
    const struct cairn_schema *schema;

    CAIRN_TRY(cairn_label_find(ctx, id, &log, &state));
    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    work->type = cairn_schema_type(schema, state.type);
    work->record = state.id;
    CAIRN_TRY(chain_gather(work, &state));
    CAIRN_TRY(cairn_verdicts_visit(work->replica, refused_gather, work));
    return history_visit(work);
}

enum cairn_status cairn_history(struct cairn_replica *replica, const char *id,
                                cairn_history_fn *visit, void *context, struct cairn_err *err)
{
    struct history_work work = {.replica = replica, .visit = visit, .context = context};

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    return cairn_replica_done(replica, history_gather(&work, id), err);
}
