/* Entries leave a log, and what rested on them waits once more: cairn_log_cut_back and
 * cairn_followers_wait of rebuild.h. */

#include "announce.h"
#include "authority.h"
#include "basis.h"
#include "digest.h"
#include "force.h"
#include "index.h"
#include "rebuild_internal.h"
#include "reopen.h"

/* Hang the record's chain together again without the entries of `log` from `from` on, and without
 * those that wait once more; without any where the record goes too. */
static enum cairn_status record_relink(struct cairn_context *ctx, const struct cairn_log *log,
                                       uint32_t from, struct cairn_dot record)
{
    struct cairn_log creator = *log;
    struct cairn_record_state state;
    struct cairn_dot *dots;
    size_t count;
    struct cairn_dot before = {0, 0};

    if (record.log != log->no)
        CAIRN_TRY(cairn_log_load(ctx, record.log, &creator));
    enum cairn_status status = cairn_record_load(ctx, &creator, record.index, &state);
    if (status == CAIRN_NOT_FOUND)
        return CAIRN_OK; /* relinked and dropped already */
    CAIRN_TRY(status);
    CAIRN_TRY(cairn_record_chain(ctx, &state, &dots, &count));
    bool is_gone = record.log == log->no && record.index >= from;
    for (size_t i = 0; i < count; i++) {
        struct cairn_verdict verdict;
        if (dots[i].log == log->no && dots[i].index >= from)
            continue;
        CAIRN_TRY(cairn_verdict_get(ctx, dots[i].log, dots[i].index, &verdict));
        bool is_out = verdict.validity != CAIRN_VALID;
        CAIRN_ASSERT(is_out || !is_gone);
        CAIRN_TRY(cairn_chain_set(ctx, dots[i], is_out ? (struct cairn_dot){0, 0} : before));
        before = is_out ? before : dots[i];
    }
    state.chain = before;
    state.live_count = 0;
    state.tomb_count = 0;
    return cairn_record_save(ctx, &creator, &state);
}

/* The last blob that is left keeps what is before `from`, without a seal. */
static enum cairn_status blob_cut(struct cairn_context *ctx, const struct cairn_log *log,
                                  uint32_t from)
{
    struct cairn_blob blob;
    struct cairn_reader entries, chain;
    struct cairn_hash root;

    if (from == 0)
        return CAIRN_OK;
    CAIRN_TRY(cairn_log_root_at(ctx, log, from, &root));
    CAIRN_TRY(cairn_blob_at(ctx, log->no, from - 1, &blob));
    if (blob.first + blob.count == from)
        return CAIRN_OK;
    cairn_reader_init(&entries, blob.entries);
    cairn_reader_init(&chain, blob.chain);
    for (uint32_t i = blob.first; i < from; i++) {
        cairn_cbor_skip(&entries);
        if (cairn_read_varint(&chain) != 0)
            cairn_read_varint(&chain);
    }
    blob.count = from - blob.first;
    blob.has_seal = false;
    blob.root = root;
    blob.entries.size = entries.pos;
    blob.chain.size = chain.pos;
    return cairn_blob_put(ctx, log->no, &blob);
}

static enum cairn_status blobs_drop(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t from)
{
    for (uint32_t at = cairn_log_size(log); at > from;) {
        struct cairn_blob blob;
        CAIRN_TRY(cairn_blob_at(ctx, log->no, at - 1, &blob));
        if (blob.first < from)
            break;
        struct cairn_key key = cairn_key_log_index(CAIRN_TABLE_BLOB, log->no, blob.first);
        CAIRN_TRY(cairn_kv_del(ctx, &key));
        at = blob.first;
    }
    return CAIRN_OK;
}

static enum cairn_status entry_forget(struct cairn_context *ctx, const struct cairn_log *log,
                                      uint32_t index, struct cairn_dot record)
{
    struct cairn_verdict valid = {.validity = CAIRN_VALID};

    CAIRN_TRY(cairn_verdict_put(ctx, log->no, index, &valid));
    CAIRN_TRY(cairn_step_forget(ctx, (struct cairn_dot){log->no, index}));
    if (record.log != log->no || record.index != index)
        return CAIRN_OK;
    /* It created its record: that goes with it. */
    struct cairn_record_state state;
    CAIRN_TRY(cairn_record_load(ctx, log, index, &state));
    struct cairn_hash id = cairn_record_id_hash(log, index);
    struct cairn_key key = cairn_counter_key(state.counter, id.bytes[0], record);
    CAIRN_TRY(cairn_kv_del(ctx, &key));
    key = cairn_counter_key_before(state.counter, record);
    CAIRN_TRY(cairn_kv_del(ctx, &key));
    CAIRN_TRY(cairn_index_forget(ctx, log, &state));
    CAIRN_TRY(cairn_digest_touch(ctx, log->scope, id.bytes[0]));
    key = cairn_key(CAIRN_TABLE_RECORD);
    cairn_key_scope(&key, log->scope);
    cairn_key_u8(&key, id.bytes[0]);
    cairn_key_u32(&key, log->no);
    cairn_key_u32(&key, index);
    return cairn_kv_del(ctx, &key);
}

/* Those that are still there. */
static enum cairn_status records_rebuild(struct cairn_context *ctx, const struct cairn_log *log,
                                         uint32_t from, const struct cairn_dot *records,
                                         size_t count)
{
    struct cairn_record_state state;

    for (size_t i = 0; i < count; i++) {
        struct cairn_log creator = *log;
        if (records[i].log == 0 || (records[i].log == log->no && records[i].index >= from))
            continue;
        if (records[i].log != log->no)
            CAIRN_TRY(cairn_log_load(ctx, records[i].log, &creator));
        enum cairn_status status = cairn_record_load(ctx, &creator, records[i].index, &state);
        if (status == CAIRN_OK)
            status = cairn_record_rebuild(ctx, records[i]);
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            return status;
    }
    return CAIRN_OK;
}

enum cairn_status cairn_followers_wait(struct cairn_context *ctx, const struct cairn_log *log,
                                       uint32_t from, uint32_t to)
{
    struct cairn_dot *records;
    size_t count;
    uint32_t size = cairn_log_size(log);

    CAIRN_TRY(cairn_steps_reopen(ctx, log, from, to, &records, &count));
    for (size_t i = 0; i < count; i++)
        CAIRN_TRY(record_relink(ctx, log, size, records[i]));
    return records_rebuild(ctx, log, size, records, count);
}

/* What the entries of an authority log said of other logs, while they are still here. */
static enum cairn_status authority_forget(struct cairn_context *ctx, const struct cairn_log *log,
                                          uint32_t from)
{
    for (uint32_t i = from; i < cairn_log_size(log); i++) {
        struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
        struct cairn_ref ref = {.log = log->id, .index = i};
        struct cairn_bytes bytes;
        struct cairn_entry entry;
        CAIRN_TRY(cairn_log_entry(ctx, log->no, i, &bytes, NULL));
        if (cairn_entry_read(bytes, &entry) != CAIRN_OK)
            return CAIRN_CORRUPT;
        CAIRN_TRY(cairn_authority_forget(ctx, &ref, &entry));
        cairn_arena_rewind(&ctx->arena, mark);
    }
    return CAIRN_OK;
}

/* An adopted range that ended among the entries that went is not whole any more, and what of it is
 * left counts only as far as the log itself does. */
static enum cairn_status adopted_leave(struct cairn_context *ctx, const struct cairn_log *log,
                                       uint32_t from, uint32_t *out_from)
{
    uint32_t adopted;

    *out_from = from;
    CAIRN_TRY(cairn_force_adopted(ctx, log, &adopted));
    if (adopted <= from || log->force_end >= from)
        return CAIRN_OK;
    *out_from = log->force_end;
    return cairn_rebuild_touched(ctx, log, log->force_end, from);
}

enum cairn_status cairn_log_cut_back(struct cairn_context *ctx, struct cairn_log *log,
                                     uint32_t from)
{
    uint32_t size = cairn_log_size(log);
    CAIRN_ASSERT(from < size);
    size_t count = size - from;
    struct cairn_dot *records = cairn_arena_get(&ctx->arena, count * sizeof *records);
    struct cairn_judged_change *change = cairn_arena_get(&ctx->arena, sizeof *change);
    struct cairn_announced_span *reopened;
    struct cairn_dot *followed;
    size_t reopened_count, followed_count;

    if (records == NULL || change == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_followers_reopen(ctx, log, from, &followed, &followed_count));
    for (size_t i = 0; i < count; i++) {
        struct cairn_dot dot = {log->no, from + (uint32_t)i};
        CAIRN_TRY(cairn_entry_change(ctx, log, dot.index, change));
        records[i] = change->record;
        if (records[i].log != 0)
            CAIRN_TRY(cairn_repeat_forget(ctx, dot, change));
    }
    for (size_t i = 0; i < count; i++)
        if (records[i].log != 0)
            CAIRN_TRY(record_relink(ctx, log, from, records[i]));
    for (size_t i = 0; i < followed_count; i++)
        CAIRN_TRY(record_relink(ctx, log, from, followed[i]));
    if (log->channel == CAIRN_CHANNEL_AUTHORITY)
        CAIRN_TRY(authority_forget(ctx, log, from));
    CAIRN_TRY(blobs_drop(ctx, log, from));
    CAIRN_TRY(blob_cut(ctx, log, from));
    for (size_t i = 0; i < count; i++)
        CAIRN_TRY(entry_forget(ctx, log, from + (uint32_t)i, records[i]));
    CAIRN_TRY(cairn_tree_at(ctx, log, from, &log->tree));
    CAIRN_TRY(cairn_basis_cut_back(ctx, log, from));
    CAIRN_TRY(cairn_announcements_forget(ctx, log, from));
    CAIRN_TRY(cairn_log_save(ctx, log));
    if (from == 0)
        CAIRN_TRY(cairn_adoptions_wait(ctx, log));
    CAIRN_TRY(records_rebuild(ctx, log, from, records, count));
    CAIRN_TRY(records_rebuild(ctx, log, from, followed, followed_count));
    CAIRN_TRY(cairn_announcements_reopen(ctx, log->no, from, &reopened, &reopened_count));
    for (size_t i = 0; i < reopened_count; i++) {
        struct cairn_log other;
        CAIRN_TRY(cairn_log_load(ctx, reopened[i].no, &other));
        CAIRN_TRY(cairn_rebuild_touched(ctx, &other, reopened[i].from, reopened[i].to));
    }
    CAIRN_TRY(adopted_leave(ctx, log, from, &from));
    /* What repeats one of those that went counts again. */
    CAIRN_TRY(cairn_repeats_rebuild(ctx, log, from));
    if (log->channel == CAIRN_CHANNEL_AUTHORITY)
        CAIRN_TRY(cairn_force_move(ctx));
    return cairn_digest_flush(ctx);
}
