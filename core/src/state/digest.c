#include "digest.h"

#include <sodium.h>
#include <string.h>

#include "force.h"
#include "verdict.h"

#define BUCKETS 256

static struct cairn_key dirty_key(struct cairn_scope scope)
{
    return cairn_key_scope_channel(CAIRN_TABLE_DIRTY, scope, CAIRN_CHANNEL_RECORDS);
}

static enum cairn_status dirty_load(struct cairn_context *ctx, struct cairn_scope scope,
                                    uint8_t out_bits[static 32])
{
    struct cairn_key key = dirty_key(scope);
    struct cairn_bytes value;

    memset(out_bits, 0, 32);
    enum cairn_status status = cairn_kv_get(ctx, &key, &value);
    if (status == CAIRN_OK && value.size != 32)
        return CAIRN_CORRUPT;
    if (status == CAIRN_OK)
        memcpy(out_bits, value.data, 32);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_digest_flush(struct cairn_context *ctx)
{
    struct cairn_scope scope = {ctx->dirty_scope};
    uint8_t held[32], merged[32];

    if (!ctx->has_dirty)
        return CAIRN_OK;
    ctx->has_dirty = false;
    CAIRN_TRY(dirty_load(ctx, scope, held));
    for (size_t i = 0; i < sizeof merged; i++)
        merged[i] = held[i] | ctx->dirty[i];
    memset(ctx->dirty, 0, sizeof ctx->dirty);
    if (memcmp(held, merged, sizeof held) == 0)
        return CAIRN_OK;
    struct cairn_key key = dirty_key(scope);
    return cairn_kv_put(ctx, &key, (struct cairn_bytes){merged, sizeof merged});
}

enum cairn_status cairn_digest_touch(struct cairn_context *ctx, struct cairn_scope scope,
                                     uint8_t bucket)
{
    if (ctx->has_dirty && ctx->dirty_scope != scope.code)
        CAIRN_TRY(cairn_digest_flush(ctx));
    if (!ctx->has_dirty)
        memset(ctx->dirty, 0, sizeof ctx->dirty);
    ctx->has_dirty = true;
    ctx->dirty_scope = scope.code;
    ctx->dirty[bucket / 8] |= (uint8_t)(1u << bucket % 8);
    return CAIRN_OK;
}

/* ---- records ------------------------------------------------------------------------------- */

struct bucket_item {
    struct cairn_hash log;
    uint32_t index;
    struct cairn_hash hash;
};

#define BUCKET_ITEMS_MAX 65536

struct bucket {
    struct bucket_item *items; /* ascending by (log id, index) */
    size_t count, capacity;
};

static enum cairn_status bucket_add(struct cairn_context *ctx, struct bucket *bucket,
                                    const struct bucket_item *item)
{
    size_t at = bucket->count;

    if (bucket->count == BUCKET_ITEMS_MAX)
        return CAIRN_LIMIT;
    if (bucket->count == bucket->capacity) {
        size_t capacity = bucket->capacity * 2 + 16;
        struct bucket_item *grown = cairn_arena_get(&ctx->arena, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        if (bucket->count > 0)
            memcpy(grown, bucket->items, bucket->count * sizeof *grown);
        bucket->items = grown;
        bucket->capacity = capacity;
    }
    for (; at > 0; at--) {
        int order = cairn_hash_compare(&bucket->items[at - 1].log, &item->log);
        if (order < 0 || (order == 0 && bucket->items[at - 1].index < item->index))
            break;
        bucket->items[at] = bucket->items[at - 1];
    }
    bucket->items[at] = *item;
    bucket->count++;
    return CAIRN_OK;
}

static struct cairn_hash bucket_hash(const struct bucket *bucket)
{
    crypto_hash_sha256_state state;
    struct cairn_hash hash;

    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < bucket->count; i++)
        crypto_hash_sha256_update(&state, bucket->items[i].hash.bytes, 32);
    crypto_hash_sha256_final(&state, hash.bytes);
    return hash;
}

/* A record of the walk: its log is mostly that of the one before. */
static enum cairn_status record_item(struct cairn_context *ctx, struct cairn_walk *walk,
                                     bool is_anew, struct cairn_log *log, struct bucket *bucket)
{
    struct bucket_item item;
    struct cairn_record_state state;
    struct cairn_dot id;

    id.log = cairn_read_u32be(&walk->key);
    id.index = cairn_read_u32be(&walk->key);
    if (log->no != id.log)
        CAIRN_TRY(cairn_log_load(ctx, id.log, log));
    enum cairn_status status = is_anew ? cairn_record_decode(ctx, walk->value, id, &state)
                                       : cairn_record_saved_hash(walk->value, &item.hash);
    if (is_anew && status == CAIRN_OK)
        status = cairn_record_hash(ctx, log, &state, &item.hash);
    if (status != CAIRN_OK)
        return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
    item.log = log->id;
    item.index = id.index;
    return bucket_add(ctx, bucket, &item);
}

static enum cairn_status bucket_compute(struct cairn_context *ctx, struct cairn_scope scope,
                                        uint8_t number, bool is_anew, struct cairn_log *log,
                                        struct cairn_hash *out_hash)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_RECORD);
    struct bucket bucket = {0};
    struct cairn_walk walk;
    enum cairn_status status;

    cairn_key_scope(&prefix, scope);
    cairn_key_u8(&prefix, number);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        status = record_item(ctx, &walk, is_anew, log, &bucket);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    if (status != CAIRN_NOT_FOUND)
        return status;
    *out_hash = bucket_hash(&bucket);
    return CAIRN_OK;
}

static enum cairn_status buckets_load(struct cairn_context *ctx, const struct cairn_key *key,
                                      struct cairn_hash *out_buckets)
{
    struct cairn_bytes value;
    enum cairn_status status = cairn_kv_get(ctx, key, &value);

    if (status == CAIRN_OK && value.size != BUCKETS * sizeof *out_buckets)
        return CAIRN_CORRUPT;
    if (status == CAIRN_OK) {
        memcpy(out_buckets, value.data, value.size);
        return CAIRN_OK;
    }
    if (status != CAIRN_NOT_FOUND)
        return status;
    struct cairn_hash empty = bucket_hash(&(struct bucket){0});
    for (size_t i = 0; i < BUCKETS; i++)
        out_buckets[i] = empty;
    return CAIRN_OK;
}

static enum cairn_status records_digest(struct cairn_context *ctx, struct cairn_scope scope,
                                        bool is_anew, struct cairn_hash *out_digest)
{
    struct cairn_key key =
        cairn_key_scope_channel(CAIRN_TABLE_DIGEST, scope, CAIRN_CHANNEL_RECORDS);
    struct cairn_hash *buckets = cairn_arena_get(&ctx->arena, BUCKETS * sizeof *buckets);
    struct cairn_log log = {.no = 0};
    uint8_t dirty[32];
    bool is_stale = false;

    if (buckets == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_digest_flush(ctx));
    CAIRN_TRY(dirty_load(ctx, scope, dirty));
    CAIRN_TRY(buckets_load(ctx, &key, buckets));
    if (is_anew)
        memset(dirty, 0xff, sizeof dirty);
    for (unsigned i = 0; i < BUCKETS; i++) {
        if ((dirty[i / 8] >> i % 8 & 1) == 0)
            continue;
        is_stale = true;
        struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
        CAIRN_TRY(bucket_compute(ctx, scope, (uint8_t)i, is_anew, &log, &buckets[i]));
        cairn_arena_rewind(&ctx->arena, mark);
    }
    if (is_stale && ctx->is_writing) {
        struct cairn_key stale = dirty_key(scope);
        CAIRN_TRY(cairn_kv_put(ctx, &key, (struct cairn_bytes){buckets[0].bytes, BUCKETS * 32}));
        CAIRN_TRY(cairn_kv_del(ctx, &stale));
    }
    crypto_hash_sha256(out_digest->bytes, buckets[0].bytes, BUCKETS * 32);
    return CAIRN_OK;
}

/* ---- authority ----------------------------------------------------------------------------- */

static enum cairn_status authority_item(struct cairn_context *ctx, const struct cairn_log *log,
                                        uint32_t index, struct cairn_blinder *blinder,
                                        struct bucket *buckets)
{
    struct cairn_bytes bytes;
    struct cairn_entry entry;
    struct cairn_verdict verdict;
    struct bucket_item item = {.log = log->id, .index = index};
    struct cairn_hash leaf;
    uint8_t plain[96];
    struct cairn_writer writer;
    bool in_force;

    CAIRN_TRY(cairn_verdict_get(ctx, log->no, index, &verdict));
    CAIRN_TRY(cairn_in_force(ctx, log, index, NULL, &in_force));
    if (verdict.validity != CAIRN_VALID || !in_force)
        return CAIRN_OK;
    CAIRN_TRY(cairn_log_entry(ctx, log->no, index, &bytes, NULL));
    if (cairn_entry_read(bytes, &entry) != CAIRN_OK ||
        cairn_leaf(blinder, index, &entry, &leaf, NULL) != CAIRN_OK)
        return CAIRN_CORRUPT;
    cairn_writer_init(&writer, plain, sizeof plain);
    cairn_cbor_write_array(&writer, 3);
    cairn_cbor_write_hash(&writer, &log->id);
    cairn_cbor_write_uint(&writer, index);
    cairn_cbor_write_hash(&writer, &leaf);
    crypto_hash_sha256(item.hash.bytes, plain, writer.size);
    struct cairn_hash id = cairn_record_id_hash(log, index);
    return bucket_add(ctx, &buckets[id.bytes[0]], &item);
}

static enum cairn_status authority_log(struct cairn_context *ctx, uint32_t no,
                                       struct bucket *buckets)
{
    struct cairn_log log;
    struct cairn_blinder blinder;
    enum cairn_status status = CAIRN_OK;

    CAIRN_TRY(cairn_log_load(ctx, no, &log));
    cairn_log_blinder(&log, &blinder);
    for (uint32_t i = 0; i < cairn_log_size(&log) && status == CAIRN_OK; i++)
        status = authority_item(ctx, &log, i, &blinder, buckets);
    cairn_blinder_release(&blinder);
    return status;
}

static enum cairn_status authority_digest(struct cairn_context *ctx, struct cairn_scope scope,
                                          struct cairn_hash *out_digest)
{
    struct cairn_key prefix =
        cairn_key_scope_channel(CAIRN_TABLE_SCOPE_LOGS, scope, CAIRN_CHANNEL_AUTHORITY);
    struct bucket *buckets = cairn_arena_get(&ctx->arena, BUCKETS * sizeof *buckets);
    crypto_hash_sha256_state state;
    struct cairn_walk walk;
    enum cairn_status status;

    if (buckets == NULL)
        return CAIRN_NO_MEMORY;
    memset(buckets, 0, BUCKETS * sizeof *buckets);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        status = authority_log(ctx, cairn_read_u32be(&walk.key), buckets);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    if (status != CAIRN_NOT_FOUND)
        return status;
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < BUCKETS; i++) {
        struct cairn_hash hash = bucket_hash(&buckets[i]);
        crypto_hash_sha256_update(&state, hash.bytes, sizeof hash.bytes);
    }
    crypto_hash_sha256_final(&state, out_digest->bytes);
    return CAIRN_OK;
}

/* ---- both ---------------------------------------------------------------------------------- */

static enum cairn_status scope_waits(struct cairn_context *ctx, struct cairn_scope scope,
                                     enum cairn_channel channel, bool *out_waits)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_VERDICT);
    struct cairn_walk walk;
    uint64_t waiting;
    enum cairn_status status;

    *out_waits = channel == CAIRN_CHANNEL_FUNDS; /* all of it waits for the fund ledger */
    CAIRN_TRY(cairn_meta_number(ctx, "waiting", &waiting));
    if (waiting == 0)
        return CAIRN_OK;
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while (!*out_waits && (status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_log log;
        bool waits = walk.value.size > 0 && walk.value.data[0] == CAIRN_WAITING;
        status = cairn_log_load(ctx, cairn_read_u32be(&walk.key), &log);
        if (status != CAIRN_OK)
            break;
        *out_waits = waits && log.scope.code == scope.code && log.channel == channel;
    }
    cairn_walk_close(&walk);
    return *out_waits || status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_digest(struct cairn_context *ctx, struct cairn_scope scope,
                               enum cairn_channel channel, struct cairn_hash *out_digest,
                               bool *out_is_comparable)
{
    bool waits = false;

    CAIRN_TRY(scope_waits(ctx, scope, channel, &waits));
    *out_is_comparable = !waits;
    return channel == CAIRN_CHANNEL_AUTHORITY ? authority_digest(ctx, scope, out_digest)
                                              : records_digest(ctx, scope, false, out_digest);
}

enum cairn_status cairn_digest_anew(struct cairn_context *ctx, struct cairn_scope scope,
                                    enum cairn_channel channel, struct cairn_hash *out_digest)
{
    return channel == CAIRN_CHANNEL_AUTHORITY ? authority_digest(ctx, scope, out_digest)
                                              : records_digest(ctx, scope, true, out_digest);
}
