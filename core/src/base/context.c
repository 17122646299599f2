#include "context.h"

#include <stdlib.h>
#include <string.h>

#include "pack.h"

#define FORMAT_PLAIN 0

#define GROWN_BYTES_MAX (1u << 24)

enum cairn_status cairn_context_init(struct cairn_context *ctx, struct cairn_store *store,
                                     const struct cairn_verifier *verifier)
{
    *ctx = (struct cairn_context){.store = store, .verifier = verifier};
    cairn_arena_init(&ctx->arena);
    cairn_buffer_init(&ctx->grown, GROWN_BYTES_MAX);
    cairn_buffer_init(&ctx->linked, GROWN_BYTES_MAX);
    cairn_buffer_init(&ctx->read_blob.plain, 2 * CAIRN_VALUE_MAX + 1);
    cairn_buffer_init(&ctx->read_blob.ends, SIZE_MAX);
    ctx->schemas = cairn_schema_cache_new();
    ctx->packer = cairn_packer_new();
    if (ctx->schemas != NULL && ctx->packer != NULL)
        return CAIRN_OK;
    cairn_context_release(ctx);
    return CAIRN_NO_MEMORY;
}

void cairn_context_release(struct cairn_context *ctx)
{
    cairn_context_abort(ctx);
    cairn_arena_release(&ctx->arena);
    cairn_buffer_release(&ctx->grown);
    cairn_buffer_release(&ctx->linked);
    cairn_schema_cache_free(ctx->schemas);
    cairn_packer_free(ctx->packer);
    free(ctx->seen);
    ctx->seen = NULL;
    ctx->schemas = NULL;
    ctx->packer = NULL;
}

void cairn_context_fresh(struct cairn_context *ctx)
{
    ctx->tally = (struct cairn_tally){0};
    cairn_buffer_reset(&ctx->grown);
    cairn_buffer_reset(&ctx->linked);
    ctx->has_dirty = false;
    ctx->is_void = false;
    ctx->before_run = NULL;
    ctx->has_spoilt = false;
    ctx->growing_log = 0;
}

enum cairn_status cairn_context_begin(struct cairn_context *ctx, enum cairn_txn_mode mode)
{
    CAIRN_ASSERT(ctx->txn == NULL);
    bool was_reading = !ctx->is_writing;
    ctx->is_writing = mode == CAIRN_TXN_WRITE;
    if (ctx->is_writing || !was_reading)
        ctx->indexing.is_known = false;
    CAIRN_TRY(ctx->store->ops->begin(ctx->store, mode, &ctx->txn));
    if (ctx->is_writing)
        return CAIRN_OK;
    uint64_t snapshot = ctx->store->ops->snapshot(ctx->txn);
    if (snapshot != ctx->snapshot)
        ctx->indexing.is_known = false;
    ctx->snapshot = snapshot;
    return CAIRN_OK;
}

/* What was kept of the store for one transaction. */
static void context_forget(struct cairn_context *ctx)
{
    ctx->read_blob.log = 0;
    cairn_buffer_release(&ctx->read_blob.plain);
    cairn_buffer_release(&ctx->read_blob.ends);
    cairn_roots_free(ctx->roots);
    ctx->roots = NULL;
    cairn_arena_reset(&ctx->arena);
}

enum cairn_status cairn_context_commit(struct cairn_context *ctx)
{
    struct cairn_txn *txn = ctx->txn;

    CAIRN_ASSERT(txn != NULL);
    ctx->txn = NULL;
    context_forget(ctx);
    enum cairn_status status = ctx->store->ops->commit(txn);
    if (status != CAIRN_OK && ctx->is_writing)
        cairn_schema_cache_reset(ctx->schemas);
    return status;
}

void cairn_context_abort(struct cairn_context *ctx)
{
    if (ctx->txn != NULL)
        ctx->store->ops->abort(ctx->txn);
    if (ctx->txn != NULL && ctx->is_writing)
        cairn_schema_cache_reset(ctx->schemas);
    ctx->txn = NULL;
    ctx->has_dirty = false; /* the buckets that changed are as they were */
    ctx->growing_log = 0;
    context_forget(ctx);
}

static enum cairn_status value_strip(struct cairn_bytes stored, struct cairn_bytes *out_value)
{
    if (stored.size < 1 || stored.data[0] != FORMAT_PLAIN)
        return CAIRN_CORRUPT;
    *out_value = (struct cairn_bytes){stored.data + 1, stored.size - 1};
    return CAIRN_OK;
}

enum cairn_status cairn_kv_get(struct cairn_context *ctx, const struct cairn_key *key,
                               struct cairn_bytes *out_value)
{
    struct cairn_bytes stored;

    CAIRN_TRY(ctx->store->ops->get(ctx->txn, cairn_key_bytes(key), &stored));
    return value_strip(stored, out_value);
}

enum cairn_status cairn_kv_copy(struct cairn_context *ctx, const struct cairn_key *key,
                                struct cairn_bytes *out_value)
{
    struct cairn_bytes value;

    CAIRN_TRY(cairn_kv_get(ctx, key, &value));
    value = cairn_arena_copy(&ctx->arena, value);
    if (value.data == NULL)
        return CAIRN_NO_MEMORY;
    *out_value = value;
    return CAIRN_OK;
}

enum cairn_status cairn_u32_get(struct cairn_context *ctx, const struct cairn_key *key,
                                uint32_t *out_number)
{
    struct cairn_bytes value;
    struct cairn_reader reader;

    CAIRN_TRY(cairn_kv_get(ctx, key, &value));
    cairn_reader_init(&reader, value);
    uint32_t number = cairn_read_u32be(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return CAIRN_CORRUPT;
    *out_number = number;
    return CAIRN_OK;
}

enum cairn_status cairn_kv_has(struct cairn_context *ctx, const struct cairn_key *key,
                               bool *out_has)
{
    struct cairn_bytes stored;
    enum cairn_status status = ctx->store->ops->get(ctx->txn, cairn_key_bytes(key), &stored);

    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    *out_has = status == CAIRN_OK;
    return CAIRN_OK;
}

/* Before a key is put or deleted. */
static void write_begin(struct cairn_context *ctx, const struct cairn_key *key)
{
    ctx->write_count++;
    if (key->bytes[0] != CAIRN_TABLE_BLOB)
        return;
    ctx->read_blob.log = 0;
    cairn_roots_forget(ctx->roots, key);
}

enum cairn_status cairn_kv_put(struct cairn_context *ctx, const struct cairn_key *key,
                               struct cairn_bytes value)
{
    uint8_t small[1024];
    uint8_t *stored = small;

    CAIRN_ASSERT(value.size <= CAIRN_VALUE_MAX);
    write_begin(ctx, key);
    if (value.size + 1 > sizeof small) {
        stored = cairn_arena_get(&ctx->arena, value.size + 1);
        if (stored == NULL)
            return CAIRN_NO_MEMORY;
    }
    stored[0] = FORMAT_PLAIN;
    if (value.size > 0)
        memcpy(stored + 1, value.data, value.size);
    return ctx->store->ops->put(ctx->txn, cairn_key_bytes(key),
                                (struct cairn_bytes){stored, value.size + 1});
}

enum cairn_status cairn_kv_del(struct cairn_context *ctx, const struct cairn_key *key)
{
    write_begin(ctx, key);
    enum cairn_status status = ctx->store->ops->del(ctx->txn, cairn_key_bytes(key));

    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_meta_number(struct cairn_context *ctx, const char *name,
                                    uint64_t *out_number)
{
    struct cairn_key key = cairn_key_meta(name);
    struct cairn_reader reader;
    struct cairn_bytes value;

    enum cairn_status status = cairn_kv_get(ctx, &key, &value);
    if (status == CAIRN_NOT_FOUND) {
        *out_number = 0;
        return CAIRN_OK;
    }
    CAIRN_TRY(status);
    cairn_reader_init(&reader, value);
    uint64_t number = cairn_read_u64be(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return CAIRN_CORRUPT;
    *out_number = number;
    return CAIRN_OK;
}

enum cairn_status cairn_meta_number_put(struct cairn_context *ctx, const char *name,
                                        uint64_t number)
{
    struct cairn_key key = cairn_key_meta(name);
    struct cairn_writer writer;
    uint8_t bytes[8];

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_u64be(&writer, number);
    return cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer));
}

enum cairn_status cairn_meta_next(struct cairn_context *ctx, const char *name, uint64_t *out_number)
{
    uint64_t number;

    CAIRN_TRY(cairn_meta_number(ctx, name, &number));
    CAIRN_TRY(cairn_meta_number_put(ctx, name, number + 1));
    *out_number = number + 1;
    return CAIRN_OK;
}

enum cairn_status cairn_walk_open(struct cairn_context *ctx, const struct cairn_key *prefix,
                                  struct cairn_bytes from, enum cairn_range_order order,
                                  struct cairn_walk *out_walk)
{
    uint8_t edge[CAIRN_STORE_KEY_MAX];
    struct cairn_walk walk = {.ctx = ctx, .prefix_size = prefix->size};
    struct cairn_bytes near = {edge, prefix->size + from.size};
    struct cairn_bytes far = cairn_key_bytes(prefix);
    uint8_t top[CAIRN_STORE_KEY_MAX];

    CAIRN_ASSERT(near.size <= sizeof edge);
    memcpy(edge, prefix->bytes, prefix->size);
    if (from.size > 0)
        memcpy(edge + prefix->size, from.data, from.size);
    /* Behind every key with this prefix: no key part of ours is 255 bytes of 0xff. */
    memset(top, 0xff, sizeof top);
    memcpy(top, prefix->bytes, prefix->size);
    const struct cairn_bytes ceiling = {top, sizeof top};

    if (order == CAIRN_ASCENDING)
        far = ceiling;
    else if (from.size == 0)
        near = ceiling;
    CAIRN_TRY(order == CAIRN_ASCENDING
                  ? ctx->store->ops->range_open(ctx->txn, near, far, order, &walk.range)
                  : ctx->store->ops->range_open(ctx->txn, far, near, order, &walk.range));
    *out_walk = walk;
    return CAIRN_OK;
}

enum cairn_status cairn_walk_next(struct cairn_walk *walk)
{
    struct cairn_bytes key, stored;

    CAIRN_TRY(walk->ctx->store->ops->range_next(walk->range, &key, &stored));
    CAIRN_TRY(value_strip(stored, &walk->value));
    cairn_reader_init(&walk->key, (struct cairn_bytes){key.data + walk->prefix_size,
                                                       key.size - walk->prefix_size});
    return CAIRN_OK;
}

void cairn_walk_close(struct cairn_walk *walk)
{
    if (walk->range != NULL)
        walk->ctx->store->ops->range_close(walk->range);
    walk->range = NULL;
}

enum cairn_status cairn_keys_count(struct cairn_context *ctx, const struct cairn_key *prefix,
                                   uint64_t *out_count)
{
    struct cairn_walk walk;
    enum cairn_status status;
    uint64_t count = 0;

    CAIRN_TRY(cairn_walk_open(ctx, prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK)
        count++;
    cairn_walk_close(&walk);
    if (status != CAIRN_NOT_FOUND)
        return status;
    *out_count = count;
    return CAIRN_OK;
}

void cairn_write_varint(struct cairn_writer *writer, uint64_t value)
{
    while (value >= 0x80) {
        cairn_write_u8(writer, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    cairn_write_u8(writer, (uint8_t)value);
}

uint64_t cairn_read_varint(struct cairn_reader *reader)
{
    uint64_t value = 0;

    /* Most are one byte long. */
    if (!reader->failed && reader->pos < reader->size && reader->data[reader->pos] < 0x80)
        return reader->data[reader->pos++];
    size_t pos = reader->pos;
    for (unsigned shift = 0; shift < 64 && !reader->failed && pos < reader->size; shift += 7) {
        uint8_t byte = reader->data[pos++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            reader->pos = pos;
            return value;
        }
    }
    cairn_reader_fail(reader);
    return 0;
}
