#include "scope_log.h"

#include <string.h>

#include "digest.h"
#include "force.h"

static struct cairn_key scope_key(enum cairn_table table, const struct cairn_scope_log *scope_log)
{
    return cairn_key_scope_channel(table, scope_log->scope, scope_log->channel);
}

static enum cairn_status scope_log_decode(struct cairn_bytes value,
                                          struct cairn_scope_log *scope_log)
{
    struct cairn_reader reader;

    cairn_reader_init(&reader, value);
    scope_log->epoch = cairn_read_varint(&reader);
    scope_log->log_count = (uint32_t)cairn_read_varint(&reader);
    cairn_tree_init(&scope_log->tree);
    scope_log->tree.size = cairn_read_varint(&reader);
    if (scope_log->tree.size >> CAIRN_TREE_LEVELS != 0)
        return CAIRN_CORRUPT;
    for (unsigned i = 0; i < cairn_tree_peak_count(&scope_log->tree); i++)
        scope_log->tree.peaks[i] = cairn_read_hash(&reader);
    return cairn_reader_end(&reader) == CAIRN_OK ? CAIRN_OK : CAIRN_CORRUPT;
}

enum cairn_status cairn_scope_log_load(struct cairn_context *ctx, struct cairn_scope scope,
                                       enum cairn_channel channel, struct cairn_scope_log *out_log)
{
    struct cairn_scope_log scope_log = {.scope = scope, .channel = channel};
    struct cairn_key key = scope_key(CAIRN_TABLE_SCOPE, &scope_log);
    struct cairn_bytes value;

    cairn_tree_init(&scope_log.tree);
    enum cairn_status status = cairn_kv_get(ctx, &key, &value);
    if (status == CAIRN_OK)
        status = scope_log_decode(value, &scope_log);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    *out_log = scope_log;
    return CAIRN_OK;
}

enum cairn_status cairn_scope_log_save(struct cairn_context *ctx,
                                       const struct cairn_scope_log *scope_log)
{
    struct cairn_key key = scope_key(CAIRN_TABLE_SCOPE, scope_log);
    uint8_t bytes[32 + 32 * CAIRN_TREE_LEVELS];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_varint(&writer, scope_log->epoch);
    cairn_write_varint(&writer, scope_log->log_count);
    cairn_write_varint(&writer, scope_log->tree.size);
    cairn_write_bytes(&writer, scope_log->tree.peaks,
                      32 * (size_t)cairn_tree_peak_count(&scope_log->tree));
    return cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer));
}

/* ---- leaves -------------------------------------------------------------------------------- */

enum cairn_status cairn_scope_leaf_get(struct cairn_context *ctx,
                                       const struct cairn_scope_log *scope_log, uint64_t index,
                                       struct cairn_covered_leaf *out_leaf)
{
    struct cairn_key key = scope_key(CAIRN_TABLE_SCOPE_LEAF, scope_log);
    struct cairn_covered_leaf leaf;
    struct cairn_bytes value;
    struct cairn_reader reader;

    cairn_key_u32(&key, (uint32_t)index);
    CAIRN_TRY(cairn_kv_get(ctx, &key, &value));
    cairn_reader_init(&reader, value);
    leaf.log = (uint32_t)cairn_read_varint(&reader);
    leaf.from = (uint32_t)cairn_read_varint(&reader);
    leaf.size = (uint32_t)cairn_read_varint(&reader);
    leaf.time_s = cairn_read_varint(&reader);
    leaf.root = cairn_read_hash(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return CAIRN_CORRUPT;
    *out_leaf = leaf;
    return CAIRN_OK;
}

enum cairn_status cairn_scope_root_at(struct cairn_context *ctx,
                                      const struct cairn_scope_log *scope_log, uint64_t size,
                                      struct cairn_hash *out_root)
{
    struct cairn_covered_leaf leaf;
    struct cairn_tree empty;

    if (size > scope_log->tree.size)
        return CAIRN_NOT_FOUND;
    if (size == 0) {
        cairn_tree_init(&empty);
        *out_root = cairn_tree_root(&empty);
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_scope_leaf_get(ctx, scope_log, size - 1, &leaf));
    *out_root = leaf.root;
    return CAIRN_OK;
}

static enum cairn_status u32_put(struct cairn_context *ctx, const struct cairn_key *key,
                                 uint32_t number)
{
    uint8_t bytes[4];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_u32be(&writer, number);
    return cairn_kv_put(ctx, key, cairn_writer_bytes(&writer));
}

enum cairn_status cairn_scope_ordinal(struct cairn_context *ctx,
                                      const struct cairn_scope_log *scope_log, uint32_t log,
                                      uint32_t *out_ordinal)
{
    struct cairn_key key = scope_key(CAIRN_TABLE_ORDINAL_OF, scope_log);

    cairn_key_u32(&key, log);
    return cairn_u32_get(ctx, &key, out_ordinal);
}

enum cairn_status cairn_scope_log_of(struct cairn_context *ctx,
                                     const struct cairn_scope_log *scope_log, uint32_t ordinal,
                                     uint32_t *out_log)
{
    struct cairn_key key = scope_key(CAIRN_TABLE_ORDINAL, scope_log);

    cairn_key_u32(&key, ordinal);
    return cairn_u32_get(ctx, &key, out_log);
}

static enum cairn_status ordinal_give(struct cairn_context *ctx, struct cairn_scope_log *scope_log,
                                      uint32_t log)
{
    uint32_t ordinal;
    enum cairn_status status = cairn_scope_ordinal(ctx, scope_log, log, &ordinal);

    if (status != CAIRN_NOT_FOUND)
        return status;
    struct cairn_key key = scope_key(CAIRN_TABLE_ORDINAL_OF, scope_log);
    cairn_key_u32(&key, log);
    CAIRN_TRY(u32_put(ctx, &key, scope_log->log_count));
    key = scope_key(CAIRN_TABLE_ORDINAL, scope_log);
    cairn_key_u32(&key, scope_log->log_count);
    scope_log->log_count++;
    return u32_put(ctx, &key, log);
}

static struct cairn_hash leaf_hash(const struct cairn_log *log, uint32_t size,
                                   const struct cairn_hash *root)
{
    uint8_t bytes[96];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_cbor_write_array(&writer, 4);
    cairn_cbor_write_uint(&writer, 0);
    cairn_cbor_write_hash(&writer, &log->id);
    cairn_cbor_write_uint(&writer, size);
    cairn_cbor_write_hash(&writer, root);
    return cairn_merkle_leaf(cairn_writer_bytes(&writer));
}

enum cairn_status cairn_scope_cover(struct cairn_context *ctx, struct cairn_scope_log *scope_log,
                                    struct cairn_log *log, uint32_t size, uint64_t time_s)
{
    struct cairn_key key = scope_key(CAIRN_TABLE_SCOPE_LEAF, scope_log);
    struct cairn_hash root;
    uint8_t bytes[80];
    struct cairn_writer writer;

    CAIRN_ASSERT(size > log->covered && size <= cairn_log_size(log));
    CAIRN_TRY(cairn_log_root_at(ctx, log, size, &root));
    CAIRN_TRY(ordinal_give(ctx, scope_log, log->no));
    struct cairn_hash leaf = leaf_hash(log, size, &root);
    cairn_key_u32(&key, (uint32_t)scope_log->tree.size);
    cairn_tree_append(&scope_log->tree, &leaf);
    struct cairn_hash head = cairn_tree_root(&scope_log->tree);

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_varint(&writer, log->no);
    cairn_write_varint(&writer, log->covered);
    cairn_write_varint(&writer, size);
    cairn_write_varint(&writer, time_s);
    cairn_write_bytes(&writer, head.bytes, sizeof head.bytes);
    CAIRN_TRY(cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer)));
    log->covered = size;
    CAIRN_TRY(cairn_log_save(ctx, log));
    return cairn_scope_log_save(ctx, scope_log);
}

/* The next scope log in key order. */
enum cairn_status cairn_scope_log_next(struct cairn_context *ctx, struct cairn_scope_log *scope_log,
                                       bool is_first)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_SCOPE);
    struct cairn_key from = {.size = 0};
    struct cairn_scope_log next;
    struct cairn_walk walk;

    if (!is_first) {
        cairn_key_scope(&from, scope_log->scope);
        cairn_key_u8(&from, (uint8_t)scope_log->channel);
        cairn_key_u8(&from, 0);
    }
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(&from), CAIRN_ASCENDING, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    if (status == CAIRN_OK) {
        next.scope.code = cairn_read_u64be(&walk.key);
        next.channel = (enum cairn_channel)cairn_read_u8(&walk.key);
        status = scope_log_decode(walk.value, &next);
    }
    cairn_walk_close(&walk);
    if (status == CAIRN_OK)
        *scope_log = next;
    return status;
}

/* ---- checkpoints --------------------------------------------------------------------------- */

/* Does anything of the log count? What is cut whole says nothing, however many there are. */
static enum cairn_status is_of_use(struct cairn_context *ctx, const struct cairn_log *log,
                                   bool *out_is_of_use)
{
    uint32_t adopted = 0;

    if (log->force_end == 0)
        CAIRN_TRY(cairn_force_adopted(ctx, log, &adopted));
    *out_is_of_use = cairn_log_size(log) > 0 && (log->force_end > 0 || adopted > 0);
    return CAIRN_OK;
}

/* Authority logs held of one scope, into the list by log id. */
static enum cairn_status held_collect(struct cairn_context *ctx, struct cairn_scope scope,
                                      struct cairn_checkpoint *checkpoint)
{
    struct cairn_key prefix =
        cairn_key_scope_channel(CAIRN_TABLE_SCOPE_LOGS, scope, CAIRN_CHANNEL_AUTHORITY);
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_log log;
        size_t at = checkpoint->held_count;
        bool counts = false;
        status = cairn_log_load(ctx, cairn_read_u32be(&walk.key), &log);
        if (status == CAIRN_OK)
            status = is_of_use(ctx, &log, &counts);
        if (status == CAIRN_OK && counts && at == CAIRN_HELD_MAX)
            status = CAIRN_LIMIT;
        if (status != CAIRN_OK)
            break;
        if (!counts)
            continue;
        for (; at > 0 && cairn_hash_compare(&checkpoint->held[at - 1].log, &log.id) > 0; at--)
            checkpoint->held[at] = checkpoint->held[at - 1];
        checkpoint->held[at] = (struct cairn_held){log.id, cairn_log_size(&log)};
        checkpoint->held_count++;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

bool cairn_held_equal(const struct cairn_checkpoint *a, const struct cairn_checkpoint *b)
{
    if (a->held_count != b->held_count)
        return false;
    for (size_t i = 0; i < a->held_count; i++)
        if (!cairn_hash_equal(&a->held[i].log, &b->held[i].log) ||
            a->held[i].size != b->held[i].size)
            return false;
    return true;
}

enum cairn_status cairn_checkpoint_held(struct cairn_context *ctx, struct cairn_scope scope,
                                        struct cairn_checkpoint *out_checkpoint)
{
    out_checkpoint->held_count = 0;
    for (;; scope = cairn_scope_parent(scope)) {
        CAIRN_TRY(held_collect(ctx, scope, out_checkpoint));
        if (scope.code == 0)
            return CAIRN_OK;
    }
}

enum cairn_status cairn_checkpoint_derive(struct cairn_context *ctx,
                                          const struct cairn_scope_log *scope_log, uint64_t time_s,
                                          struct cairn_checkpoint *out_checkpoint,
                                          bool *out_is_comparable)
{
    out_checkpoint->network = ctx->network;
    out_checkpoint->scope = scope_log->scope;
    out_checkpoint->channel = scope_log->channel;
    out_checkpoint->epoch = scope_log->epoch;
    out_checkpoint->size = scope_log->tree.size;
    out_checkpoint->root = cairn_tree_root(&scope_log->tree);
    out_checkpoint->time_s = time_s;
    CAIRN_TRY(cairn_checkpoint_held(ctx, scope_log->scope, out_checkpoint));
    return cairn_digest(ctx, scope_log->scope, scope_log->channel, &out_checkpoint->digest,
                        out_is_comparable);
}

enum cairn_status cairn_checkpoint_put(struct cairn_context *ctx,
                                       const struct cairn_checkpoint *checkpoint,
                                       const struct cairn_signature *signature)
{
    struct cairn_key key =
        cairn_key_scope_channel(CAIRN_TABLE_CHECKPOINT, checkpoint->scope, checkpoint->channel);
    uint8_t bytes[160 + CAIRN_HELD_MAX * 36];
    struct cairn_writer writer;

    cairn_key_u32(&key, (uint32_t)checkpoint->size);
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_varint(&writer, checkpoint->epoch);
    cairn_write_varint(&writer, checkpoint->time_s);
    cairn_write_bytes(&writer, signature->bytes, 64);
    cairn_write_bytes(&writer, checkpoint->digest.bytes, 32);
    for (size_t i = 0; i < checkpoint->held_count; i++) {
        cairn_write_bytes(&writer, checkpoint->held[i].log.bytes, 32);
        cairn_write_u32be(&writer, checkpoint->held[i].size);
    }
    CAIRN_ASSERT(!writer.overflowed);
    return cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer));
}

static enum cairn_status checkpoint_decode(struct cairn_context *ctx, struct cairn_walk *walk,
                                           struct cairn_scope scope, enum cairn_channel channel,
                                           struct cairn_checkpoint *out_checkpoint,
                                           struct cairn_signature *out_signature)
{
    struct cairn_checkpoint *checkpoint = out_checkpoint;
    struct cairn_scope_log scope_log;
    struct cairn_reader reader;

    checkpoint->network = ctx->network;
    checkpoint->scope = scope;
    checkpoint->channel = channel;
    checkpoint->size = cairn_read_u32be(&walk->key);
    cairn_reader_init(&reader, walk->value);
    checkpoint->epoch = cairn_read_varint(&reader);
    checkpoint->time_s = cairn_read_varint(&reader);
    struct cairn_bytes signature = cairn_read_bytes(&reader, 64);
    checkpoint->digest = cairn_read_hash(&reader);
    for (checkpoint->held_count = 0;
         cairn_reader_left(&reader) > 0 && checkpoint->held_count < CAIRN_HELD_MAX;
         checkpoint->held_count++) {
        checkpoint->held[checkpoint->held_count].log = cairn_read_hash(&reader);
        checkpoint->held[checkpoint->held_count].size = cairn_read_u32be(&reader);
    }
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return CAIRN_CORRUPT;
    memcpy(out_signature->bytes, signature.data, 64);
    CAIRN_TRY(cairn_scope_log_load(ctx, scope, channel, &scope_log));
    return cairn_scope_root_at(ctx, &scope_log, checkpoint->size, &checkpoint->root);
}

static enum cairn_status checkpoint_near(struct cairn_context *ctx, struct cairn_scope scope,
                                         enum cairn_channel channel, uint64_t from,
                                         enum cairn_range_order order,
                                         struct cairn_checkpoint *out_checkpoint,
                                         struct cairn_signature *out_signature)
{
    struct cairn_key prefix = cairn_key_scope_channel(CAIRN_TABLE_CHECKPOINT, scope, channel);
    struct cairn_key start = {.size = 0};
    struct cairn_walk walk;

    if (from > UINT32_MAX)
        return CAIRN_NOT_FOUND;
    cairn_key_u32(&start, (uint32_t)from);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(&start), order, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    if (status == CAIRN_OK)
        status = checkpoint_decode(ctx, &walk, scope, channel, out_checkpoint, out_signature);
    cairn_walk_close(&walk);
    return status;
}

enum cairn_status cairn_checkpoint_get(struct cairn_context *ctx, struct cairn_scope scope,
                                       enum cairn_channel channel, uint64_t size_min,
                                       uint64_t size_max, struct cairn_checkpoint *out_checkpoint,
                                       struct cairn_signature *out_signature)
{
    CAIRN_TRY(checkpoint_near(ctx, scope, channel, size_max, CAIRN_DESCENDING, out_checkpoint,
                              out_signature));
    return out_checkpoint->size > size_min ? CAIRN_OK : CAIRN_NOT_FOUND;
}

enum cairn_status cairn_checkpoint_after(struct cairn_context *ctx, struct cairn_scope scope,
                                         enum cairn_channel channel, uint64_t size_min,
                                         struct cairn_checkpoint *out_checkpoint,
                                         struct cairn_signature *out_signature)
{
    return checkpoint_near(ctx, scope, channel, size_min + 1, CAIRN_ASCENDING, out_checkpoint,
                           out_signature);
}
