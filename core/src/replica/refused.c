/* Own entries without effect, for whoever mends them: cairn_refused of cairn/replica.h. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "history_internal.h"
#include "judge.h"
#include "rebuild.h"
#include "said.h"
#include "schema.h"
#include "verdict.h"

struct refused_work {
    struct cairn_replica *replica;
    bool takes_answered;
    cairn_refused_fn *visit; /* NULL: only counts */
    void *context;
    struct cairn_sign_public key; /* this device's */
    unsigned log_number;          /* of the log at hand among this device's own, from 1 */
    uint64_t unanswered_count;
    bool goes_on;
};

static bool is_own(const struct refused_work *work, const struct cairn_log *log)
{
    return log->is_known && (log->own_generation != 0 || memcmp(log->device.bytes, work->key.bytes,
                                                                sizeof work->key.bytes) == 0);
}

/* ---- answered? ----------------------------------------------------------------------------- */

static enum cairn_status counts(struct refused_work *work, const struct cairn_log *log,
                                uint32_t index, bool *out_counts)
{
    struct cairn_said said;
    struct cairn_effect effect;

    CAIRN_TRY(cairn_said_read(work->replica, log, index, &said));
    CAIRN_TRY(cairn_said_effect(&work->replica->ctx, &said, &effect));
    *out_counts = effect.reason == CAIRN_WHY_NONE;
    return CAIRN_OK;
}

/* An entry that counts repeats this one. */
static enum cairn_status is_repeated(struct refused_work *work, const struct cairn_said *said,
                                     bool *out_is_repeated)
{
    struct cairn_key prefix =
        cairn_key_log_index(CAIRN_TABLE_REPEAT, said->dot.log, said->dot.index);
    struct cairn_context *ctx = &work->replica->ctx;
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while (!*out_is_repeated && (status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_log log;
        uint32_t no = cairn_read_u32be(&walk.key);
        uint32_t index = cairn_read_u32be(&walk.key);
        status = cairn_log_load(ctx, no, &log);
        if (status == CAIRN_OK)
            status = counts(work, &log, index, out_is_repeated);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return *out_is_repeated || status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* Did this device write `dot` after `said`? Later incarnations come after earlier ones. */
static enum cairn_status is_later_own(struct refused_work *work, const struct cairn_said *said,
                                      struct cairn_dot dot, bool *out_is_later)
{
    struct cairn_log log;

    *out_is_later = false;
    if (dot.log == said->dot.log) {
        *out_is_later = dot.index > said->dot.index;
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_log_load(&work->replica->ctx, dot.log, &log));
    *out_is_later = is_own(work, &log) && log.own_generation > said->log.own_generation;
    return CAIRN_OK;
}

/* The device wrote on the record again, and that counts. */
static enum cairn_status is_written_again(struct refused_work *work, const struct cairn_said *said,
                                          const struct cairn_record_state *state, bool *out_is)
{
    struct cairn_dot *dots;
    size_t count;

    CAIRN_TRY(cairn_record_chain(&work->replica->ctx, state, &dots, &count));
    for (size_t i = 0; i < count && !*out_is; i++) {
        struct cairn_log log;
        bool is_later;
        CAIRN_TRY(is_later_own(work, said, dots[i], &is_later));
        if (!is_later)
            continue;
        CAIRN_TRY(cairn_log_load(&work->replica->ctx, dots[i].log, &log));
        CAIRN_TRY(counts(work, &log, dots[i].index, out_is));
    }
    return CAIRN_OK;
}

/* ---- in words ------------------------------------------------------------------------------ */

/* The record that the entry names. NOT_FOUND: none, or it is not here. */
static enum cairn_status record_find(struct refused_work *work, const struct cairn_said *said,
                                     struct cairn_log *out_log,
                                     struct cairn_record_state *out_state)
{
    struct cairn_context *ctx = &work->replica->ctx;

    if (said->record.log == 0)
        return CAIRN_NOT_FOUND;
    CAIRN_TRY(cairn_log_load(ctx, said->record.log, out_log));
    return !out_log->is_known ? CAIRN_NOT_FOUND
                              : cairn_record_load(ctx, out_log, said->record.index, out_state);
}

static enum cairn_status changes_describe(struct refused_work *work, const struct cairn_said *said,
                                          const struct cairn_type *type,
                                          struct cairn_refused_item *item)
{
    size_t count = said->count == 0 ? 1 : said->count;
    struct cairn_history_item *changes =
        cairn_arena_get(&work->replica->results, count * sizeof *changes);

    if (changes == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        changes[i] = (struct cairn_history_item){
            .time_s = said->time_s, .is_local = true, .state = CAIRN_HISTORY_REFUSED};
        CAIRN_TRY(cairn_saying_describe(work->replica, type,
                                        said->count == 0 ? NULL : &said->sayings[i], &changes[i]));
        if (said->log.channel == CAIRN_CHANNEL_AUTHORITY)
            changes[i].operation = "authority";
    }
    item->changes = changes;
    item->change_count = count;
    return CAIRN_OK;
}

/* "A7.14", or "A7.2.14" in the second of this device's logs: it never changes in this store. */
static enum cairn_status number_format(struct refused_work *work, const struct cairn_said *said,
                                       char *out_number, size_t size)
{
    struct cairn_standing standing;

    CAIRN_TRY(cairn_entry_standing(&work->replica->ctx, &said->log, said->dot.index, &standing));
    if (work->log_number == 1)
        snprintf(out_number, size, "%s.%" PRIu32, standing.tag, said->dot.index);
    else
        snprintf(out_number, size, "%s.%u.%" PRIu32, standing.tag, work->log_number,
                 said->dot.index);
    return CAIRN_OK;
}

static enum cairn_status item_describe(struct refused_work *work, const struct cairn_said *said,
                                       const struct cairn_record_state *state,
                                       const struct cairn_log *creator,
                                       struct cairn_refused_item *item)
{
    struct cairn_context *ctx = &work->replica->ctx;
    const struct cairn_schema *schema;
    uint64_t type_number = state != NULL ? state->type : said->type; /* 0: not known */

    CAIRN_TRY(number_format(work, said, item->number, sizeof item->number));
    if (state != NULL)
        CAIRN_TRY(cairn_label_format(ctx, creator, state, item->id));
    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    const struct cairn_type *type = cairn_schema_type(schema, type_number);
    item->type = type == NULL ? NULL : type->name;
    CAIRN_TRY(cairn_received_time(ctx, &said->log, said->dot.index, &item->received_s));
    return changes_describe(work, said, type, item);
}

/* ---- the walk ------------------------------------------------------------------------------ */

static enum cairn_status entry_look(struct refused_work *work, const struct cairn_log *log,
                                    uint32_t index)
{
    struct cairn_record_state state;
    struct cairn_log creator;
    struct cairn_said said;
    struct cairn_effect effect;

    CAIRN_TRY(cairn_said_read(work->replica, log, index, &said));
    if (said.kind == CAIRN_KIND_BASIS)
        return CAIRN_OK;
    CAIRN_TRY(cairn_said_effect(&work->replica->ctx, &said, &effect));
    if (effect.reason == CAIRN_WHY_NONE || effect.validity == CAIRN_WAITING)
        return CAIRN_OK;
    struct cairn_refused_item item = {.channel = cairn_channel_name(log->channel),
                                      .time_s = said.time_s,
                                      .reason = said.reason,
                                      .why_not = cairn_reason_text(effect.reason),
                                      .is_answered = effect.reason == CAIRN_WHY_REPEATED};
    enum cairn_status status = record_find(work, &said, &creator, &state);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    if (!item.is_answered)
        CAIRN_TRY(is_repeated(work, &said, &item.is_answered));
    if (!item.is_answered && status == CAIRN_OK)
        CAIRN_TRY(is_written_again(work, &said, &state, &item.is_answered));
    work->unanswered_count += !item.is_answered;
    if (work->visit == NULL || (item.is_answered && !work->takes_answered))
        return CAIRN_OK;
    CAIRN_TRY(item_describe(work, &said, status == CAIRN_OK ? &state : NULL, &creator, &item));
    work->goes_on = work->visit(work->context, &item);
    return CAIRN_OK;
}

/* [from, to) of the log; nothing of what looking took stays in memory. */
static enum cairn_status range_look(struct refused_work *work, const struct cairn_log *log,
                                    uint32_t from, uint32_t to)
{
    struct cairn_arena *arena = &work->replica->ctx.arena;

    for (uint32_t index = from; index < to && work->goes_on; index++) {
        struct cairn_arena_mark mark = cairn_arena_mark(arena);
        CAIRN_TRY(entry_look(work, log, index));
        cairn_arena_rewind(arena, mark);
    }
    return CAIRN_OK;
}

/* Invalid entries below `end`: the table of verdicts has them. */
static enum cairn_status invalid_look(struct refused_work *work, const struct cairn_log *log,
                                      uint32_t end)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_VERDICT);
    struct cairn_walk walk;
    enum cairn_status status = CAIRN_OK;

    cairn_key_u32(&prefix, log->no);
    CAIRN_TRY(cairn_walk_open(&work->replica->ctx, &prefix, (struct cairn_bytes){NULL, 0},
                              CAIRN_ASCENDING, &walk));
    while (work->goes_on && (status = cairn_walk_next(&walk)) == CAIRN_OK) {
        uint32_t index = cairn_read_u32be(&walk.key);
        if (index >= end)
            break;
        status = range_look(work, log, index, index + 1);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* Behind the end of its log an entry counts for nothing though it is valid. What repeats another
 * that counts is answered by that one: it is looked for only where all are asked for. */
static enum cairn_status log_look(struct refused_work *work, const struct cairn_log *log,
                                  bool has_repeats)
{
    uint32_t size = cairn_log_size(log);
    uint32_t end = log->force_end < size ? log->force_end : size;

    if (has_repeats && work->takes_answered)
        return range_look(work, log, 0, size);
    CAIRN_TRY(invalid_look(work, log, end));
    return range_look(work, log, end, size);
}

static enum cairn_status logs_look(struct refused_work *work)
{
    struct cairn_context *ctx = &work->replica->ctx;
    struct cairn_standing standing;
    uint64_t count, repeats;

    if (!work->replica->is_joined)
        return CAIRN_OK;
    CAIRN_TRY(cairn_standing_get(ctx, &work->replica->under, &standing));
    work->key = standing.seal_key;
    CAIRN_TRY(cairn_meta_number(ctx, "logs", &count));
    CAIRN_TRY(cairn_meta_number(ctx, "repeats", &repeats));
    for (uint32_t no = 1; no <= count && work->goes_on; no++) {
        struct cairn_log log;
        CAIRN_TRY(cairn_log_load(ctx, no, &log));
        if (!is_own(work, &log))
            continue;
        work->log_number++;
        CAIRN_TRY(log_look(work, &log, repeats > 0));
    }
    return CAIRN_OK;
}

enum cairn_status cairn_refused_count(struct cairn_replica *replica, uint64_t *out_count)
{
    struct refused_work work = {.replica = replica, .goes_on = true};

    CAIRN_TRY(logs_look(&work));
    *out_count = work.unanswered_count;
    return CAIRN_OK;
}

enum cairn_status cairn_refused(struct cairn_replica *replica, bool takes_answered,
                                cairn_refused_fn *visit, void *context, struct cairn_err *err)
{
    struct refused_work work = {.replica = replica,
                                .takes_answered = takes_answered,
                                .visit = visit,
                                .context = context,
                                .goes_on = true};

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    return cairn_replica_done(replica, logs_look(&work), err);
}
