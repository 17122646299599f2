/* Writing again what was not synced when a new generation begins: cairn_unsynced_repeat of
 * restore.h. */

#include <string.h>

#include "compose.h"
#include "force.h"
#include "judge.h"
#include "rebuild.h"
#include "restore.h"
#include "verdict.h"

/* ---- what there is ------------------------------------------------------------------------- */

/* One unsynced change, kept in the arena while its log is cut back. */
struct kept_change {
    uint32_t index;
    uint64_t time_s;
    struct cairn_hash leaf;
    const char *reason;
    struct cairn_judged_change *change;
};

/* What one own log of an older generation has unsynced; lists in the arena. */
struct tail {
    struct cairn_log log;
    uint32_t first, end; /* entries of the log */
    struct kept_change *kept;
    size_t count, next;       /* next: to be written again */
    struct cairn_dot *became; /* by entry: what stands for it from now on; log 0: nothing yet */
    size_t back_count;        /* entries that repeat an edit that came back */
};

struct repeating {
    struct cairn_context *ctx;
    struct cairn_author author;
    struct tail *tails; /* by log number, so those of a scope by age */
    size_t tail_count;
};

static struct tail *tail_of(const struct repeating *r, struct cairn_dot dot)
{
    for (size_t i = 0; i < r->tail_count; i++) {
        struct tail *tail = &r->tails[i];
        if (tail->log.no == dot.log)
            return dot.index >= tail->first && dot.index < tail->end ? tail : NULL;
    }
    return NULL;
}

/* What stands for an entry now. Two steps at most: what repeats an edit that came back became that
 * one, which may have been written again itself. */
static struct cairn_dot dot_now(const struct repeating *r, struct cairn_dot dot)
{
    for (unsigned step = 0; step < 2; step++) {
        const struct tail *tail = tail_of(r, dot);
        if (tail == NULL || tail->became[dot.index - tail->first].log == 0)
            break;
        dot = tail->became[dot.index - tail->first];
    }
    return dot;
}

static const char *reason_of(struct cairn_context *ctx, const struct cairn_entry *entry)
{
    struct cairn_items items;
    struct cairn_item item;
    struct cairn_value text;

    cairn_items_init(&items, entry);
    while (cairn_item_next(&items, &item))
        if (item.number == CAIRN_ITEM_REASON && cairn_note_item_read(&item, &text) &&
            text.kind == CAIRN_VALUE_TEXT)
            return (const char *)cairn_arena_copy(&ctx->arena, text.text).data;
    return NULL;
}

/* Does the entry repeat an edit that came back? That one is covered, or is in a tail itself. */
static enum cairn_status came_back(struct cairn_context *ctx,
                                   const struct cairn_judged_change *change,
                                   struct cairn_dot *out_became)
{
    struct cairn_log original;
    bool counts;

    *out_became = (struct cairn_dot){0, 0};
    if (!change->has_repeats)
        return CAIRN_OK;
    CAIRN_TRY(cairn_original_in_force(ctx, &change->repeats, &counts));
    if (!counts)
        return CAIRN_OK;
    CAIRN_TRY(cairn_log_find(ctx, &change->repeats.log, &original));
    *out_became = (struct cairn_dot){original.no, change->repeats.index};
    return CAIRN_OK;
}

static enum cairn_status entry_keep(struct cairn_context *ctx, struct tail *tail, uint32_t index)
{
    struct kept_change *kept = &tail->kept[tail->count];
    struct cairn_dot *became = &tail->became[index - tail->first];
    struct cairn_entry entry;
    struct cairn_hash *commitments;
    struct cairn_verdict verdict;

    *became = (struct cairn_dot){0, 0};
    CAIRN_TRY(cairn_verdict_get(ctx, tail->log.no, index, &verdict));
    CAIRN_TRY(cairn_entry_load(ctx, &tail->log, index, &entry, &commitments, &kept->leaf));
    if (entry.kind != CAIRN_KIND_CHANGE || verdict.validity != CAIRN_VALID)
        return CAIRN_OK;
    kept->change = cairn_arena_get(&ctx->arena, sizeof *kept->change);
    if (kept->change == NULL)
        return CAIRN_NO_MEMORY;
    kept->index = index;
    kept->time_s = entry.time_s;
    kept->reason = reason_of(ctx, &entry);
    CAIRN_TRY(cairn_change_resolve(ctx, &tail->log, index, &entry, commitments, kept->change));
    CAIRN_TRY(came_back(ctx, kept->change, became));
    if (became->log == 0)
        tail->count++;
    else
        tail->back_count++;
    return CAIRN_OK;
}

static enum cairn_status tail_keep(struct cairn_context *ctx, struct tail *tail)
{
    size_t room = tail->end - tail->first;

    tail->kept = cairn_arena_get(&ctx->arena, room * sizeof *tail->kept);
    tail->became = cairn_arena_get(&ctx->arena, room * sizeof *tail->became);
    if (tail->kept == NULL || tail->became == NULL)
        return CAIRN_NO_MEMORY;
    for (uint32_t i = tail->first; i < tail->end; i++)
        CAIRN_TRY(entry_keep(ctx, tail, i));
    return CAIRN_OK;
}

/* Grants of an older generation stand by their evidence; new ones come in the new log. */
static bool has_tail(const struct cairn_log *log, uint64_t generation)
{
    return log->is_known && log->own_generation != 0 && log->own_generation < generation &&
           log->covered < cairn_log_size(log) && log->channel == CAIRN_CHANNEL_RECORDS;
}

static enum cairn_status tails_keep(struct repeating *r)
{
    struct cairn_context *ctx = r->ctx;
    uint64_t logs;

    CAIRN_TRY(cairn_meta_number(ctx, "logs", &logs));
    r->tails = cairn_arena_get(&ctx->arena, (size_t)logs * sizeof *r->tails + 1);
    if (r->tails == NULL)
        return CAIRN_NO_MEMORY;
    for (uint32_t no = 1; no <= logs; no++) {
        struct tail *tail = &r->tails[r->tail_count];
        *tail = (struct tail){.count = 0};
        CAIRN_TRY(cairn_log_load(ctx, no, &tail->log));
        if (!has_tail(&tail->log, r->author.generation))
            continue;
        tail->first = tail->log.covered;
        tail->end = cairn_log_size(&tail->log);
        CAIRN_TRY(tail_keep(ctx, tail));
        r->tail_count++;
    }
    return CAIRN_OK;
}

static enum cairn_status tails_abandon(struct repeating *r)
{
    for (size_t i = 0; i < r->tail_count; i++) {
        struct cairn_log *log = &r->tails[i].log;
        CAIRN_TRY(cairn_log_load(r->ctx, log->no, log));
        CAIRN_TRY(cairn_abandon_tail(r->ctx, log, r->tails[i].first));
    }
    return CAIRN_OK;
}

/* ---- writing it again ---------------------------------------------------------------------- */

/* A value that is a record of a tail is the record that it became. */
static struct cairn_value value_again(const struct repeating *r,
                                      const struct cairn_change_write *write)
{
    struct cairn_dot reference = dot_now(r, write->reference);
    struct cairn_value value = write->value;

    value.dot = (struct cairn_local_dot){reference.log, reference.index};
    return value;
}

static enum cairn_status create_again(struct cairn_composer *composer, const struct repeating *r,
                                      const struct cairn_judged_change *change)
{
    struct cairn_value *values =
        cairn_arena_get(&composer->ctx->arena, (change->write_count + 1) * sizeof *values);
    size_t size = 64;

    if (values == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 1; i < change->write_count; i++) {
        struct cairn_value value = value_again(r, &change->writes[i]);
        CAIRN_TRY(cairn_compose_value(composer, &value, &values[i]));
        size += 32 + value.text.size;
    }
    struct cairn_writer room = cairn_compose_item(composer, size);
    cairn_create_begin(&room, change->type, change->counter, change->write_count - 1);
    for (size_t i = 1; i < change->write_count; i++) {
        cairn_cbor_write_uint(&room, change->writes[i].field);
        cairn_value_write(&room, &values[i]);
    }
    cairn_compose_item_end(composer, &room);
    return CAIRN_OK;
}

/* Is a version the old log's own, or what a came-back entry of it became? */
static bool is_own(const struct repeating *r, const struct tail *tail, struct cairn_dot dot)
{
    if (dot.log == tail->log.no)
        return true;
    for (uint32_t i = 0; tail->back_count > 0 && i < tail->end - tail->first; i++) {
        struct cairn_dot now = dot_now(r, (struct cairn_dot){tail->log.no, tail->first + i});
        if (now.log == dot.log && now.index == dot.index)
            return true;
    }
    return false;
}

static enum cairn_status record_now(struct cairn_context *ctx, struct cairn_dot record,
                                    struct cairn_record_state *out_state)
{
    struct cairn_log creator;

    CAIRN_TRY(cairn_log_load(ctx, record.log, &creator));
    return cairn_record_load(ctx, &creator, record.index, out_state);
}

/* In its old log the write replaced that log's earlier versions without a word; in the new one they
 * are another log's, and must be named. `named` has room for all live versions. */
static void own_name(const struct repeating *r, const struct tail *tail,
                     const struct cairn_record_state *state, const struct cairn_change_write *write,
                     struct cairn_dot *named, size_t *named_count)
{
    bool deletes = write->number == CAIRN_ITEM_DELETE;

    for (size_t i = 0; i < state->live_count; i++) {
        const struct cairn_live *live = &state->live[i];
        bool is_named = (!deletes && live->field != write->field) || !is_own(r, tail, live->dot);
        for (size_t n = 0; n < *named_count && !is_named; n++)
            is_named = named[n].log == live->dot.log && named[n].index == live->dot.index;
        if (!is_named)
            named[(*named_count)++] = live->dot;
    }
}

static bool replaces_own(const struct cairn_change_write *write)
{
    return write->number == CAIRN_ITEM_SET || write->number == CAIRN_ITEM_SETTLE ||
           write->number == CAIRN_ITEM_DELETE;
}

static enum cairn_status write_again(const struct repeating *r, const struct tail *tail,
                                     const struct cairn_judged_change *change,
                                     const struct cairn_change_write *write,
                                     struct cairn_composer *composer)
{
    bool has_value = write->number != CAIRN_ITEM_DELETE && write->number != CAIRN_ITEM_REMOVE;
    struct cairn_dot record = dot_now(r, change->record);
    struct cairn_value value = value_again(r, write);
    /* A record of the tail itself has no versions but those written again before. */
    bool names_own = replaces_own(write) && record.log != composer->log.no;
    struct cairn_record_state state = {.live_count = 0};
    size_t named_count = write->named_count;

    if (names_own)
        CAIRN_TRY(record_now(r->ctx, record, &state));
    struct cairn_dot *named =
        cairn_arena_get(&r->ctx->arena, (named_count + state.live_count + 1) * sizeof *named);
    if (named == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t n = 0; n < write->named_count; n++)
        named[n] = dot_now(r, change->named[write->named_first + n]);
    own_name(r, tail, &state, write, named, &named_count);
    if (write->number == CAIRN_ITEM_STEP)
        return cairn_compose_step(composer, record, write->field, &value.position, write->seen,
                                  named, named_count);
    return cairn_compose_write(composer, write->number, record, write->field,
                               has_value ? &value : NULL, named, named_count);
}

static enum cairn_status change_again(const struct repeating *r, const struct tail *tail,
                                      const struct cairn_judged_change *change,
                                      struct cairn_composer *composer)
{
    if (change->creates)
        return create_again(composer, r, change);
    for (size_t i = 0; i < change->write_count; i++)
        CAIRN_TRY(write_again(r, tail, change, &change->writes[i], composer));
    return CAIRN_OK;
}

/* The tail's next change, as an entry of the composer's log. */
static enum cairn_status next_write(const struct repeating *r, struct tail *tail,
                                    struct cairn_composer *composer)
{
    const struct kept_change *kept = &tail->kept[tail->next++];
    struct cairn_ref repeats = {tail->log.id, kept->index, kept->leaf};
    uint32_t index;

    composer->now_s = kept->time_s;
    cairn_compose_begin(composer);
    CAIRN_TRY(change_again(r, tail, kept->change, composer));
    if (kept->reason != NULL)
        cairn_compose_reason(composer, kept->reason);
    struct cairn_writer room = cairn_compose_item(composer, 96);
    cairn_repeats_write(&room, &repeats);
    cairn_compose_item_end(composer, &room);
    CAIRN_TRY(cairn_compose_end(composer, &index));
    tail->became[kept->index - tail->first] = (struct cairn_dot){composer->log.no, index};
    return CAIRN_OK;
}

/* Does `dot` lie in another tail, in an entry that is still to be written again? */
static bool is_due(const struct repeating *r, const struct tail *own, struct cairn_dot dot)
{
    struct cairn_dot now = dot_now(r, dot);
    const struct tail *tail = tail_of(r, now);

    return tail != NULL && tail != own && tail->next < tail->count &&
           now.index >= tail->kept[tail->next].index;
}

/* Does the tail's next change rest on one of another tail that is still to be written again? */
static bool must_wait(const struct repeating *r, const struct tail *tail)
{
    const struct cairn_judged_change *change = tail->kept[tail->next].change;

    for (size_t i = 0; i < change->write_count; i++) {
        const struct cairn_change_write *write = &change->writes[i];
        if (is_due(r, tail, write->reference))
            return true;
        for (size_t n = 0; n < write->named_count; n++)
            if (is_due(r, tail, change->named[write->named_first + n]))
                return true;
    }
    return is_due(r, tail, change->record);
}

/* Is there an elder tail that goes to the same log? It comes first. */
static bool has_elder(const struct repeating *r, const struct tail *tail)
{
    for (const struct tail *elder = r->tails; elder < tail; elder++)
        if (elder->next < elder->count && elder->log.scope.code == tail->log.scope.code)
            return true;
    return false;
}

/* Write again what can be of one tail, in one batch. */
static enum cairn_status tail_write(const struct repeating *r, struct tail *tail)
{
    struct cairn_composer composer;
    struct cairn_log fresh;
    enum cairn_status status = CAIRN_OK;

    CAIRN_TRY(cairn_own_log(r->ctx, &r->author, tail->log.scope, tail->log.channel, &fresh));
    cairn_composer_init(&composer, r->ctx, &fresh, r->author.now_s);
    while (status == CAIRN_OK && tail->next < tail->count && !must_wait(r, tail))
        status = next_write(r, tail, &composer);
    if (status == CAIRN_OK)
        status = cairn_apply_own(r->ctx, &r->author, &fresh, cairn_buffer_bytes(&composer.entries),
                                 composer.entry_count);
    cairn_composer_release(&composer);
    return status;
}

/* All of it is read before any of it goes, as entries of one log rest on entries of another. */
enum cairn_status cairn_unsynced_repeat(struct cairn_replica *replica)
{
    struct repeating r = {.ctx = &replica->ctx, .author = cairn_replica_author(replica)};
    size_t left = 0, before;

    CAIRN_TRY(tails_keep(&r));
    CAIRN_TRY(tails_abandon(&r));
    for (size_t i = 0; i < r.tail_count; i++)
        left += r.tails[i].count;
    while (left > 0) {
        before = left;
        left = 0;
        for (size_t i = 0; i < r.tail_count; i++) {
            struct tail *tail = &r.tails[i];
            if (tail->next < tail->count && !has_elder(&r, tail) && !must_wait(&r, tail))
                CAIRN_TRY(tail_write(&r, tail));
            left += tail->count - tail->next;
        }
        CAIRN_ASSERT(left < before); /* the eldest change left rests on no other */
    }
    return CAIRN_OK;
}
