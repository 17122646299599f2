#include "parked.h"

#include <string.h>

/* A stranger can fill at most this much of our disk with what we cannot check yet, and one log,
 * whose runs may be anybody's as long as they wait, a share of it: a few messages. */
#define PARKED_MAX 4096
#define PARKED_BYTES_MAX (64u << 20)
#define PARKED_LOG_BYTES_MAX (256u << 10)

/* A run with the names that it needs to stand alone, as a value. */
static enum cairn_status run_value(struct cairn_context *ctx, struct cairn_scope scope,
                                   enum cairn_channel channel, const struct cairn_run *run,
                                   struct cairn_bytes *out_value)
{
    size_t capacity = 512 + run->entries.size;
    uint8_t *bytes = cairn_arena_get(&ctx->arena, capacity);
    struct cairn_writer writer;

    if (bytes == NULL)
        return CAIRN_NO_MEMORY;
    cairn_writer_init(&writer, bytes, capacity);
    cairn_write_u64be(&writer, scope.code);
    cairn_write_u8(&writer, (uint8_t)channel);
    cairn_write_bytes(&writer, run->log.device.bytes, 32);
    cairn_write_bytes(&writer, run->log.incarnation.bytes, 16);
    cairn_write_u32be(&writer, run->first);
    cairn_write_u32be(&writer, run->entry_count);
    cairn_write_bytes(&writer, run->seal.bytes, 64);
    cairn_write_u8(&writer, (uint8_t)run->secret_kind);
    cairn_write_bytes(&writer, run->secret.bytes, 32);
    cairn_write_bytes(&writer, run->entries.data, run->entries.size);
    CAIRN_ASSERT(!writer.overflowed);
    *out_value = cairn_writer_bytes(&writer);
    return CAIRN_OK;
}

static enum cairn_status run_of_value(struct cairn_reader *reader, struct cairn_scope *out_scope,
                                      enum cairn_channel *out_channel, struct cairn_run *out_run)
{
    struct cairn_run run = {.log.is_numbered = false};

    out_scope->code = cairn_read_u64be(reader);
    *out_channel = (enum cairn_channel)cairn_read_u8(reader);
    struct cairn_hash device = cairn_read_hash(reader);
    memcpy(run.log.device.bytes, device.bytes, 32);
    struct cairn_bytes incarnation = cairn_read_bytes(reader, 16);
    run.first = cairn_read_u32be(reader);
    run.entry_count = cairn_read_u32be(reader);
    struct cairn_bytes seal = cairn_read_bytes(reader, 64);
    run.secret_kind = (enum cairn_run_secret)cairn_read_u8(reader);
    run.secret = cairn_read_hash(reader);
    run.entries = cairn_read_bytes(reader, cairn_reader_left(reader));
    if (reader->failed)
        return CAIRN_CORRUPT;
    memcpy(run.log.incarnation.bytes, incarnation.data, 16);
    memcpy(run.seal.bytes, seal.data, 64);
    *out_run = run;
    return CAIRN_OK;
}

#define SEAL_START_BYTES 8

static void seal_start_key(struct cairn_key *key, const uint8_t *seal)
{
    for (size_t i = 0; i < SEAL_START_BYTES; i++)
        cairn_key_u8(key, seal[i]);
}

/* What is parked of one log. */
static enum cairn_status log_bytes(struct cairn_context *ctx, const struct cairn_hash *log,
                                   uint64_t *out_bytes)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_PARKED);
    struct cairn_walk walk;
    enum cairn_status status;

    *out_bytes = 0;
    cairn_key_hash(&prefix, log);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK)
        *out_bytes += walk.value.size;
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_run_park(struct cairn_context *ctx, struct cairn_scope scope,
                                 enum cairn_channel channel, const struct cairn_log *log,
                                 const struct cairn_run *given)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_PARKED);
    struct cairn_run run = *given; /* its number may not mean anything any more later */
    struct cairn_bytes value;
    uint64_t count, bytes, own_bytes;
    bool is_parked;

    run.log = (struct cairn_log_name){.device = log->device, .incarnation = log->incarnation};
    cairn_key_hash(&key, &log->id);
    cairn_key_u32(&key, run.first);
    seal_start_key(&key, given->seal.bytes); /* a longer run, or a fork, begins there too */
    CAIRN_TRY(cairn_kv_has(ctx, &key, &is_parked));
    if (is_parked)
        return CAIRN_OK;
    CAIRN_TRY(run_value(ctx, scope, channel, &run, &value));
    CAIRN_TRY(cairn_meta_number(ctx, "parked", &count));
    CAIRN_TRY(cairn_meta_number(ctx, "parked-bytes", &bytes));
    CAIRN_TRY(log_bytes(ctx, &log->id, &own_bytes));
    if (count >= PARKED_MAX || bytes + value.size > PARKED_BYTES_MAX ||
        own_bytes + value.size > PARKED_LOG_BYTES_MAX)
        return CAIRN_LIMIT;
    CAIRN_TRY(cairn_meta_number_put(ctx, "parked", count + 1));
    CAIRN_TRY(cairn_meta_number_put(ctx, "parked-bytes", bytes + value.size));
    return cairn_kv_put(ctx, &key, value);
}

enum cairn_status cairn_parked_drop(struct cairn_context *ctx, const struct cairn_key *key)
{
    struct cairn_bytes value;
    uint64_t count, bytes;

    enum cairn_status status = cairn_kv_get(ctx, key, &value);
    if (status == CAIRN_NOT_FOUND)
        return CAIRN_OK;
    CAIRN_TRY(status);
    size_t size = value.size;
    CAIRN_TRY(cairn_meta_number(ctx, "parked", &count));
    CAIRN_TRY(cairn_meta_number(ctx, "parked-bytes", &bytes));
    if (count == 0)
        return CAIRN_CORRUPT;
    CAIRN_TRY(cairn_kv_del(ctx, key));
    CAIRN_TRY(cairn_meta_number_put(ctx, "parked-bytes", bytes < size ? 0 : bytes - size));
    return cairn_meta_number_put(ctx, "parked", count - 1);
}

enum cairn_status cairn_fork_keep(struct cairn_context *ctx, const struct cairn_log *log,
                                  uint32_t common, const struct cairn_run *run,
                                  const struct cairn_hash *root)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_FORK);
    struct cairn_bytes value;

    cairn_key_u32(&key, log->no);
    cairn_key_hash(&key, root);
    CAIRN_TRY(run_value(ctx, log->scope, log->channel, run, &value));
    uint8_t *bytes = cairn_arena_get(&ctx->arena, value.size + 4);
    if (bytes == NULL)
        return CAIRN_NO_MEMORY;
    bytes[0] = (uint8_t)(common >> 24);
    bytes[1] = (uint8_t)(common >> 16);
    bytes[2] = (uint8_t)(common >> 8);
    bytes[3] = (uint8_t)common;
    memcpy(bytes + 4, value.data, value.size);
    return cairn_kv_put(ctx, &key, (struct cairn_bytes){bytes, value.size + 4});
}

enum cairn_status cairn_fork_read(struct cairn_bytes value, uint32_t *out_common,
                                  struct cairn_run *out_run)
{
    struct cairn_reader reader;
    struct cairn_scope scope;
    enum cairn_channel channel;

    cairn_reader_init(&reader, value);
    *out_common = cairn_read_u32be(&reader);
    return run_of_value(&reader, &scope, &channel, out_run);
}

enum cairn_status cairn_fork_contradicts(struct cairn_context *ctx, const struct cairn_log *log,
                                         const struct cairn_run *branch, bool *out_contradicts)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_reader reader;

    *out_contradicts = false;
    cairn_reader_init(&reader, branch->entries);
    for (uint32_t i = branch->first;
         i - branch->first < branch->entry_count && i < cairn_log_size(log) && !*out_contradicts;
         i++) {
        struct cairn_bytes held;
        CAIRN_TRY(cairn_log_entry(ctx, log->no, i, &held, NULL));
        *out_contradicts = !cairn_bytes_equal(held, cairn_cbor_skip(&reader));
        cairn_arena_rewind(&ctx->arena, mark);
    }
    return reader.failed ? CAIRN_CORRUPT : CAIRN_OK;
}

enum cairn_status cairn_fork_least(struct cairn_context *ctx, const struct cairn_log *log,
                                   uint32_t from, uint32_t *out_least)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_FORK);
    struct cairn_walk walk;
    enum cairn_status status;
    uint32_t least = CAIRN_NO_END;

    cairn_key_u32(&prefix, log->no);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_run branch;
        uint32_t common;
        bool is_fork;
        status = cairn_fork_read(walk.value, &common, &branch);
        if (status != CAIRN_OK)
            break;
        if (common < from || common >= least)
            continue;
        status = cairn_fork_contradicts(ctx, log, &branch, &is_fork);
        if (status != CAIRN_OK)
            break;
        if (is_fork)
            least = common;
    }
    cairn_walk_close(&walk);
    if (status != CAIRN_NOT_FOUND)
        return status;
    *out_least = least;
    return CAIRN_OK;
}

enum cairn_status cairn_fork_next(struct cairn_context *ctx, struct cairn_key *from,
                                  uint32_t *out_log, struct cairn_run *out_run)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_FORK);
    struct cairn_walk walk;
    uint32_t common;

    CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(from), CAIRN_ASCENDING, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    if (status == CAIRN_OK) {
        uint32_t log = cairn_read_u32be(&walk.key);
        struct cairn_hash root = cairn_read_hash(&walk.key);
        struct cairn_bytes copy = cairn_arena_copy(&ctx->arena, walk.value);
        from->size = 0;
        cairn_key_u32(from, log);
        cairn_key_hash(from, &root);
        cairn_key_u8(from, 0);
        *out_log = log;
        status = copy.data == NULL ? CAIRN_NO_MEMORY : cairn_fork_read(copy, &common, out_run);
    }
    cairn_walk_close(&walk);
    return status;
}

enum cairn_status cairn_parked_next(struct cairn_context *ctx, struct cairn_key *from,
                                    struct cairn_scope *out_scope, enum cairn_channel *out_channel,
                                    struct cairn_run *out_run, struct cairn_key *out_key)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_PARKED);
    struct cairn_walk walk;

    CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(from), CAIRN_ASCENDING, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    if (status == CAIRN_OK) {
        struct cairn_hash id = cairn_read_hash(&walk.key);
        uint32_t first = cairn_read_u32be(&walk.key);
        struct cairn_bytes seal = cairn_read_bytes(&walk.key, SEAL_START_BYTES);
        struct cairn_bytes copy = cairn_arena_copy(&ctx->arena, walk.value);
        struct cairn_reader reader;
        if (seal.size != SEAL_START_BYTES || copy.data == NULL) {
            cairn_walk_close(&walk);
            return copy.data == NULL ? CAIRN_NO_MEMORY : CAIRN_CORRUPT;
        }
        from->size = 0;
        cairn_key_hash(from, &id);
        cairn_key_u32(from, first);
        seal_start_key(from, seal.data);
        *out_key = prefix;
        cairn_key_hash(out_key, &id);
        cairn_key_u32(out_key, first);
        seal_start_key(out_key, seal.data);
        cairn_key_u8(from, 0);
        cairn_reader_init(&reader, copy);
        status = run_of_value(&reader, out_scope, out_channel, out_run);
    }
    cairn_walk_close(&walk);
    return status;
}

enum cairn_status cairn_parked_forget(struct cairn_context *ctx)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_key from = {.size = 0}, key;
    struct cairn_scope scope;
    enum cairn_channel channel;
    struct cairn_run run;
    enum cairn_status status;

    while ((status = cairn_parked_next(ctx, &from, &scope, &channel, &run, &key)) == CAIRN_OK) {
        CAIRN_TRY(cairn_parked_drop(ctx, &key));
        cairn_arena_rewind(&ctx->arena, mark);
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}
