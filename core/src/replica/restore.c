#include "restore.h"

#include <string.h>

#include "compose.h"
#include "force.h"
#include "judge.h"
#include "rebuild.h"
#include "verdict.h"

#define COUNTER_BLOCK 1000

enum cairn_status cairn_mark_save(struct cairn_replica *replica, bool sync)
{
    uint8_t bytes[80];
    struct cairn_writer writer;
    uint64_t count;

    CAIRN_TRY(cairn_replica_read(replica, NULL));
    enum cairn_status status = cairn_meta_number(&replica->ctx, "own-entries", &count);
    cairn_context_abort(&replica->ctx);
    CAIRN_TRY(status);
    if (count == replica->marked_count && (!sync || replica->mark_is_synced))
        return CAIRN_OK;
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_bytes(&writer, replica->keys.open.seal.bytes, 32);
    cairn_write_u64be(&writer, count);
    CAIRN_TRY(replica->ports->ops->mark_save(replica->ports, cairn_writer_bytes(&writer), sync));
    replica->marked_count = count;
    replica->mark_is_synced = sync;
    return CAIRN_OK;
}

/* Is the mark outside ahead of the store, and where does it stand? An empty or foreign one says
 * nothing, and stands at 0. */
static enum cairn_status mark_is_ahead(struct cairn_replica *replica, bool *out_is_ahead,
                                       uint64_t *out_marked)
{
    uint8_t bytes[CAIRN_MARK_MAX];
    struct cairn_writer writer;
    struct cairn_reader reader;
    uint64_t count;

    *out_is_ahead = false;
    *out_marked = 0;
    cairn_writer_init(&writer, bytes, sizeof bytes);
    enum cairn_status status = replica->ports->ops->mark_load(replica->ports, &writer);
    if (status == CAIRN_NOT_FOUND || (status == CAIRN_OK && writer.size == 0))
        return CAIRN_OK;
    CAIRN_TRY(status);
    cairn_reader_init(&reader, cairn_writer_bytes(&writer));
    struct cairn_bytes device = cairn_read_bytes(&reader, 32);
    uint64_t marked = cairn_read_u64be(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK ||
        memcmp(device.data, replica->keys.open.seal.bytes, 32) != 0)
        return CAIRN_OK;
    CAIRN_TRY(cairn_meta_number(&replica->ctx, "own-entries", &count));
    *out_is_ahead = marked > count;
    *out_marked = marked;
    return CAIRN_OK;
}

static enum cairn_status place_differs(struct cairn_replica *replica, bool *out_differs)
{
    struct cairn_key key = cairn_key_meta("place");
    uint8_t bytes[CAIRN_PLACE_MAX];
    struct cairn_writer writer;
    struct cairn_bytes held;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    CAIRN_TRY(replica->ports->ops->place(replica->ports, &writer));
    enum cairn_status status = cairn_kv_get(&replica->ctx, &key, &held);
    *out_differs = status == CAIRN_OK && !cairn_bytes_equal(held, cairn_writer_bytes(&writer));
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* ---- writing again ------------------------------------------------------------------------- */

/* Old entries and what they became: references inside the tail follow. */
struct repeat_map {
    size_t count, capacity;
    struct {
        struct cairn_dot from, to;
    } * pairs;
};

static enum cairn_status map_add(struct cairn_context *ctx, struct repeat_map *map,
                                 struct cairn_dot from, struct cairn_dot to)
{
    if (map->count == map->capacity) {
        size_t capacity = map->capacity * 2 + 64;
        void *grown = cairn_arena_get(&ctx->arena, capacity * sizeof *map->pairs);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        if (map->count > 0)
            memcpy(grown, map->pairs, map->count * sizeof *map->pairs);
        map->pairs = grown;
        map->capacity = capacity;
    }
    map->pairs[map->count].from = from;
    map->pairs[map->count].to = to;
    map->count++;
    return CAIRN_OK;
}

static struct cairn_dot map_find(const struct repeat_map *map, struct cairn_dot dot)
{
    for (size_t i = 0; i < map->count; i++)
        if (map->pairs[i].from.log == dot.log && map->pairs[i].from.index == dot.index)
            return map->pairs[i].to;
    return dot;
}

/* One change of the tail, kept in the arena while its log is cut back. */
struct kept_change {
    uint32_t index;
    uint64_t time_s;
    struct cairn_hash leaf;
    const char *reason;
    struct cairn_judged_change *change;
};

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

/* What one own log of an older generation has unsynced. */
struct tail {
    struct cairn_log log;
    struct kept_change *kept; /* in the arena */
    size_t count, next;       /* next: to be written again */
};

static enum cairn_status change_keep(struct cairn_context *ctx, const struct cairn_log *log,
                                     uint32_t index, struct kept_change *out_kept,
                                     bool *out_is_kept)
{
    struct cairn_entry entry;
    struct cairn_hash *commitments;
    struct cairn_verdict verdict;
    struct cairn_judged_change *change = cairn_arena_get(&ctx->arena, sizeof *change);
    enum cairn_reason why = CAIRN_WHY_NONE;

    if (change == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_verdict_get(ctx, log->no, index, &verdict));
    CAIRN_TRY(cairn_entry_load(ctx, log, index, &entry, &commitments, &out_kept->leaf));
    *out_is_kept = entry.kind == CAIRN_KIND_CHANGE && verdict.validity == CAIRN_VALID;
    if (!*out_is_kept)
        return CAIRN_OK;
    out_kept->change = change;
    out_kept->index = index;
    out_kept->time_s = entry.time_s;
    out_kept->reason = reason_of(ctx, &entry);
    CAIRN_TRY(cairn_change_resolve(ctx, log, index, &entry, commitments, change));
    /* The edit that it repeats came back: that one is covered, or is in a tail itself. */
    if (change->has_repeats)
        CAIRN_TRY(cairn_force_why(ctx, log, index, &change->repeats, &why));
    *out_is_kept = why != CAIRN_WHY_REPEATED;
    return CAIRN_OK;
}

static enum cairn_status tail_keep(struct cairn_context *ctx, struct tail *tail)
{
    const struct cairn_log *log = &tail->log;
    size_t room = cairn_log_size(log) - log->covered;

    tail->kept = cairn_arena_get(&ctx->arena, room * sizeof *tail->kept);
    if (tail->kept == NULL)
        return CAIRN_NO_MEMORY;
    for (uint32_t i = log->covered; i < cairn_log_size(log); i++) {
        bool is_kept;
        CAIRN_TRY(change_keep(ctx, log, i, &tail->kept[tail->count], &is_kept));
        tail->count += is_kept;
    }
    return CAIRN_OK;
}

/* A value that is a record of the tail is the record that it became. */
static struct cairn_value value_again(const struct repeat_map *map,
                                      const struct cairn_change_write *write)
{
    struct cairn_dot reference = map_find(map, write->reference);
    struct cairn_value value = write->value;

    value.dot = (struct cairn_local_dot){reference.log, reference.index};
    return value;
}

static enum cairn_status create_again(struct cairn_composer *composer, const struct repeat_map *map,
                                      const struct cairn_judged_change *change)
{
    struct cairn_value *values =
        cairn_arena_get(&composer->ctx->arena, (change->write_count + 1) * sizeof *values);
    size_t size = 64;

    if (values == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 1; i < change->write_count; i++) {
        struct cairn_value value = value_again(map, &change->writes[i]);
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

/* In its old log the write replaced that log's earlier versions without a word; in the new one they
 * are another log's, and must be named. `named` has room for all live versions of the record. */
static enum cairn_status own_name(struct cairn_context *ctx, const struct cairn_log *old,
                                  struct cairn_dot record, const struct cairn_change_write *write,
                                  struct cairn_dot *named, size_t *named_count)
{
    struct cairn_record_state state;
    struct cairn_log creator;
    bool deletes = write->number == CAIRN_ITEM_DELETE;

    CAIRN_TRY(cairn_log_load(ctx, record.log, &creator));
    CAIRN_TRY(cairn_record_load(ctx, &creator, record.index, &state));
    for (size_t i = 0; i < state.live_count; i++) {
        const struct cairn_live *live = &state.live[i];
        bool is_named = live->dot.log != old->no || (!deletes && live->field != write->field);
        for (size_t n = 0; n < *named_count && !is_named; n++)
            is_named = named[n].log == live->dot.log && named[n].index == live->dot.index;
        if (!is_named)
            named[(*named_count)++] = live->dot;
    }
    return CAIRN_OK;
}

static bool replaces_own(const struct cairn_change_write *write)
{
    return write->number == CAIRN_ITEM_SET || write->number == CAIRN_ITEM_SETTLE ||
           write->number == CAIRN_ITEM_DELETE;
}

static enum cairn_status write_again(struct cairn_composer *composer, const struct cairn_log *old,
                                     const struct repeat_map *map,
                                     const struct cairn_judged_change *change,
                                     const struct cairn_change_write *write)
{
    bool has_value = write->number != CAIRN_ITEM_DELETE && write->number != CAIRN_ITEM_REMOVE;
    struct cairn_dot record = map_find(map, change->record);
    struct cairn_value value = value_again(map, write);
    size_t named_count = write->named_count;
    struct cairn_dot *named =
        cairn_arena_get(&composer->ctx->arena, (named_count + CAIRN_LIVE_MAX) * sizeof *named);

    if (named == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t n = 0; n < write->named_count; n++)
        named[n] = map_find(map, change->named[write->named_first + n]);
    /* A record of the tail itself has no versions but those written again before. */
    if (replaces_own(write) && record.log != composer->log.no)
        CAIRN_TRY(own_name(composer->ctx, old, record, write, named, &named_count));
    if (write->number == CAIRN_ITEM_STEP)
        return cairn_compose_step(composer, record, write->field, &value.position, write->seen,
                                  named, named_count);
    return cairn_compose_write(composer, write->number, record, write->field,
                               has_value ? &value : NULL, named, named_count);
}

static enum cairn_status change_again(struct cairn_composer *composer, const struct cairn_log *old,
                                      const struct repeat_map *map,
                                      const struct cairn_judged_change *change)
{
    if (change->creates)
        return create_again(composer, map, change);
    for (size_t i = 0; i < change->write_count; i++)
        CAIRN_TRY(write_again(composer, old, map, change, &change->writes[i]));
    return CAIRN_OK;
}

static enum cairn_status kept_write(struct cairn_composer *composer, const struct cairn_log *old,
                                    struct repeat_map *map, const struct kept_change *kept)
{
    struct cairn_ref repeats = {old->id, kept->index, kept->leaf};
    uint32_t index;

    composer->now_s = kept->time_s;
    cairn_compose_begin(composer);
    CAIRN_TRY(change_again(composer, old, map, kept->change));
    if (kept->reason != NULL)
        cairn_compose_reason(composer, kept->reason);
    struct cairn_writer room = cairn_compose_item(composer, 96);
    cairn_repeats_write(&room, &repeats);
    cairn_compose_item_end(composer, &room);
    CAIRN_TRY(cairn_compose_end(composer, &index));
    return map_add(composer->ctx, map, (struct cairn_dot){old->no, kept->index},
                   (struct cairn_dot){composer->log.no, index});
}

/* All that is written again: tails, and what their entries became. */
struct repeating {
    struct cairn_context *ctx;
    struct cairn_author author;
    struct tail *tails; /* in the arena */
    size_t tail_count;
    struct repeat_map map;
};

/* Own logs of older generations that have something unsynced. Grants of such a log stand by their
 * evidence; new ones come in the new log. */
static enum cairn_status tails_keep(struct repeating *r, uint64_t generation)
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
        if (!tail->log.is_known || tail->log.own_generation == 0 ||
            tail->log.own_generation >= generation ||
            tail->log.covered == cairn_log_size(&tail->log) ||
            tail->log.channel == CAIRN_CHANNEL_AUTHORITY)
            continue;
        if (tail->log.channel == CAIRN_CHANNEL_RECORDS)
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
        CAIRN_TRY(cairn_abandon_tail(r->ctx, log, log->covered));
    }
    return CAIRN_OK;
}

/* Does `dot` lie in a tail, in an entry that is still to be written again? */
static bool is_due(const struct repeating *r, struct cairn_dot dot)
{
    for (size_t i = 0; i < r->tail_count; i++) {
        const struct tail *tail = &r->tails[i];
        if (tail->log.no == dot.log && tail->next < tail->count)
            return dot.index >= tail->kept[tail->next].index;
    }
    return false;
}

/* Does the tail's next change rest on one of another tail that is still to be written again? */
static bool must_wait(const struct repeating *r, const struct tail *tail)
{
    const struct cairn_judged_change *change = tail->kept[tail->next].change;
    struct cairn_dot own = {tail->log.no, 0};

    for (size_t i = 0; i < change->write_count; i++) {
        const struct cairn_change_write *write = &change->writes[i];
        if (write->reference.log != own.log && is_due(r, write->reference))
            return true;
        for (size_t n = 0; n < write->named_count; n++) {
            struct cairn_dot named = change->named[write->named_first + n];
            if (named.log != own.log && is_due(r, named))
                return true;
        }
    }
    return change->record.log != own.log && is_due(r, change->record);
}

/* Is there an elder tail that goes to the same log? It comes first. */
static bool has_elder(const struct repeating *r, const struct tail *tail)
{
    for (const struct tail *elder = r->tails; elder < tail; elder++)
        if (elder->next < elder->count && elder->log.scope.code == tail->log.scope.code &&
            elder->log.channel == tail->log.channel)
            return true;
    return false;
}

/* Write again what can be of one tail, in one batch. */
static enum cairn_status tail_write(struct repeating *r, struct tail *tail)
{
    struct cairn_composer composer;
    struct cairn_log fresh;
    enum cairn_status status = CAIRN_OK;

    CAIRN_TRY(cairn_own_log(r->ctx, &r->author, tail->log.scope, tail->log.channel, &fresh));
    cairn_composer_init(&composer, r->ctx, &fresh, r->author.now_s);
    while (status == CAIRN_OK && tail->next < tail->count && !must_wait(r, tail)) {
        status = kept_write(&composer, &tail->log, &r->map, &tail->kept[tail->next]);
        tail->next++;
    }
    if (status == CAIRN_OK)
        status = cairn_apply_own(r->ctx, &r->author, &fresh, cairn_buffer_bytes(&composer.entries),
                                 composer.entry_count);
    cairn_composer_release(&composer);
    return status;
}

/* What nobody has from us yet leaves its old logs and comes again in new ones; all of it is read
 * before any of it goes, as entries of one log rest on entries of another. */
static enum cairn_status unsynced_repeat(struct cairn_replica *replica)
{
    struct repeating r = {.ctx = &replica->ctx, .author = cairn_replica_author(replica)};
    size_t left = 0, before = 0;

    CAIRN_TRY(tails_keep(&r, replica->generation));
    CAIRN_TRY(tails_abandon(&r));
    do {
        CAIRN_ASSERT(before == 0 || left < before); /* the eldest rests on none of the others */
        before = left;
        left = 0;
        for (size_t i = 0; i < r.tail_count; i++) {
            struct tail *tail = &r.tails[i];
            if (tail->next < tail->count && !must_wait(&r, tail) && !has_elder(&r, tail))
                CAIRN_TRY(tail_write(&r, tail));
            left += tail->count - tail->next;
        }
    } while (left > 0);
    return CAIRN_OK;
}

/* The count goes on above the mark: a copy taken before, whichever, lies below the mark and is
 * found as well, and a mark that a power cut brings back is not ahead. */
static enum cairn_status count_raise(struct cairn_context *ctx, uint64_t marked)
{
    uint64_t count;

    CAIRN_TRY(cairn_meta_number(ctx, "own-entries", &count));
    return cairn_meta_number_put(ctx, "own-entries", (count > marked ? count : marked) + 1);
}

static enum cairn_status generation_begin(struct cairn_replica *replica, uint64_t marked)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_key key = cairn_key_meta("place");
    uint8_t place[CAIRN_PLACE_MAX];
    struct cairn_writer writer;
    uint64_t counter;

    CAIRN_TRY(count_raise(ctx, marked));
    CAIRN_TRY(cairn_meta_next(ctx, "generation", &replica->generation));
    CAIRN_TRY(cairn_meta_number(ctx, "counter", &counter));
    CAIRN_TRY(cairn_meta_number_put(ctx, "counter", (counter / COUNTER_BLOCK + 1) * COUNTER_BLOCK));
    cairn_writer_init(&writer, place, sizeof place);
    CAIRN_TRY(replica->ports->ops->place(replica->ports, &writer));
    CAIRN_TRY(cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer)));
    return unsynced_repeat(replica);
}

struct restore_work {
    bool is_restored;
};

static enum cairn_status restore_apply(struct cairn_replica *replica, void *context)
{
    struct restore_work *work = context;
    bool is_ahead, differs;
    uint64_t marked;

    CAIRN_TRY(mark_is_ahead(replica, &is_ahead, &marked));
    CAIRN_TRY(place_differs(replica, &differs));
    work->is_restored = is_ahead || differs;
    return work->is_restored ? generation_begin(replica, marked) : CAIRN_OK;
}

enum cairn_status cairn_restore_check(struct cairn_replica *replica, struct cairn_err *err)
{
    struct restore_work work = {false};
    bool is_ahead = false, differs = false;
    uint64_t marked;

    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = mark_is_ahead(replica, &is_ahead, &marked);
    if (status == CAIRN_OK)
        status = place_differs(replica, &differs);
    CAIRN_TRY(cairn_replica_done(replica, status, err));
    if (!is_ahead && !differs)
        return CAIRN_OK;
    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_write(replica, restore_apply, &work, err));
    replica->was_restored = work.is_restored;
    /* On disk as early as can be; if it cannot be, the next commit saves it. */
    if (work.is_restored && cairn_mark_save(replica, true) != CAIRN_OK)
        replica->mark_is_synced = false;
    return CAIRN_OK;
}
