#include "log.h"

#include <sodium.h>
#include <string.h>

#include "pack.h"

#define LOG_VALUE_MAX (512 + 32 * CAIRN_TREE_LEVELS)

enum log_flag { LOG_KNOWN = 1 };

static struct cairn_key log_key(uint32_t no)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_LOG);

    cairn_key_u32(&key, no);
    return key;
}

static struct cairn_key log_id_key(const struct cairn_hash *id)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_LOG_ID);

    cairn_key_hash(&key, id);
    return key;
}

static void tree_write(struct cairn_writer *writer, const struct cairn_tree *tree)
{
    cairn_write_u32be(writer, (uint32_t)tree->size);
    cairn_write_bytes(writer, tree->peaks, 32 * (size_t)cairn_tree_peak_count(tree));
}

static void tree_read(struct cairn_reader *reader, struct cairn_tree *tree)
{
    cairn_tree_init(tree);
    tree->size = cairn_read_u32be(reader);
    for (unsigned i = 0; i < cairn_tree_peak_count(tree); i++)
        tree->peaks[i] = cairn_read_hash(reader);
}

enum cairn_status cairn_log_save(struct cairn_context *ctx, const struct cairn_log *log)
{
    uint8_t bytes[LOG_VALUE_MAX];
    struct cairn_writer writer;
    struct cairn_key key = log_key(log->no);

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_bytes(&writer, log->id.bytes, 32);
    cairn_write_u8(&writer, log->is_known ? LOG_KNOWN : 0);
    if (log->is_known) {
        cairn_write_bytes(&writer, log->device.bytes, 32);
        cairn_write_u64be(&writer, log->scope.code);
        cairn_write_u8(&writer, (uint8_t)log->channel);
        cairn_write_bytes(&writer, log->incarnation.bytes, 16);
        cairn_write_varint(&writer, log->own_generation);
        cairn_write_u8(&writer, (uint8_t)log->secret_kind);
        cairn_write_bytes(&writer, log->secret.bytes, 32);
        cairn_under_write(&writer, &log->under);
        cairn_write_varint(&writer, log->schema_version);
        cairn_write_varint(&writer, log->role);
        cairn_write_varint(&writer, log->basis_index);
        cairn_write_u32be(&writer, log->covered);
        cairn_write_u32be(&writer, log->force_end);
        cairn_write_varint(&writer, log->announced_count);
        cairn_write_varint(&writer, log->last_time_s);
        tree_write(&writer, &log->tree);
    }
    CAIRN_ASSERT(!writer.overflowed);
    return cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer));
}

static enum cairn_status log_decode(struct cairn_bytes value, uint32_t no,
                                    struct cairn_log *out_log)
{
    struct cairn_log log = {.no = no};
    struct cairn_reader reader;

    cairn_reader_init(&reader, value);
    log.id = cairn_read_hash(&reader);
    log.is_known = cairn_read_u8(&reader) == LOG_KNOWN;
    cairn_tree_init(&log.tree);
    if (log.is_known) {
        struct cairn_hash device = cairn_read_hash(&reader);
        memcpy(log.device.bytes, device.bytes, 32);
        log.scope.code = cairn_read_u64be(&reader);
        log.channel = (enum cairn_channel)cairn_read_u8(&reader);
        struct cairn_bytes incarnation = cairn_read_bytes(&reader, 16);
        if (incarnation.size == 16)
            memcpy(log.incarnation.bytes, incarnation.data, 16);
        log.own_generation = cairn_read_varint(&reader);
        log.secret_kind = (enum cairn_run_secret)cairn_read_u8(&reader);
        log.secret = cairn_read_hash(&reader);
        log.under = cairn_under_read(&reader);
        log.schema_version = cairn_read_varint(&reader);
        log.role = cairn_read_varint(&reader);
        log.basis_index = (uint32_t)cairn_read_varint(&reader);
        log.covered = cairn_read_u32be(&reader);
        log.force_end = cairn_read_u32be(&reader);
        log.announced_count = (uint32_t)cairn_read_varint(&reader);
        log.last_time_s = cairn_read_varint(&reader);
        tree_read(&reader, &log.tree);
    }
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return CAIRN_CORRUPT;
    *out_log = log;
    return CAIRN_OK;
}

enum cairn_status cairn_log_load(struct cairn_context *ctx, uint32_t no, struct cairn_log *out_log)
{
    struct cairn_key key = log_key(no);
    struct cairn_bytes value;

    CAIRN_TRY(cairn_kv_get(ctx, &key, &value));
    return log_decode(value, no, out_log);
}

enum cairn_status cairn_log_find(struct cairn_context *ctx, const struct cairn_hash *id,
                                 struct cairn_log *out_log)
{
    struct cairn_key key = log_id_key(id);
    uint32_t no;

    CAIRN_TRY(cairn_u32_get(ctx, &key, &no));
    return cairn_log_load(ctx, no, out_log);
}

enum cairn_status cairn_log_mention(struct cairn_context *ctx, const struct cairn_hash *id,
                                    struct cairn_log *out_log)
{
    enum cairn_status status = cairn_log_find(ctx, id, out_log);
    struct cairn_key key = log_id_key(id);
    struct cairn_log log = {.id = *id};
    struct cairn_writer writer;
    uint8_t bytes[4];
    uint64_t no;

    if (status != CAIRN_NOT_FOUND)
        return status;
    CAIRN_TRY(cairn_meta_next(ctx, "logs", &no));
    log.no = (uint32_t)no;
    cairn_tree_init(&log.tree);
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_u32be(&writer, log.no);
    CAIRN_TRY(cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer)));
    CAIRN_TRY(cairn_log_save(ctx, &log));
    *out_log = log;
    return CAIRN_OK;
}

enum cairn_status cairn_log_enlist(struct cairn_context *ctx, struct cairn_log *log)
{
    struct cairn_key key =
        cairn_key_scope_channel(CAIRN_TABLE_SCOPE_LOGS, log->scope, log->channel);

    log->is_known = true;
    cairn_key_u32(&key, log->no);
    return cairn_kv_put(ctx, &key, (struct cairn_bytes){NULL, 0});
}

enum cairn_status cairn_log_begin(struct cairn_context *ctx, struct cairn_log *log)
{
    if (log->no == 0) {
        struct cairn_log mentioned;
        CAIRN_TRY(cairn_log_mention(ctx, &log->id, &mentioned));
        log->no = mentioned.no;
    }
    return cairn_log_enlist(ctx, log);
}

struct cairn_hash cairn_log_root(const struct cairn_log *log)
{
    return cairn_tree_root(&log->tree);
}

void cairn_log_blinder(const struct cairn_log *log, struct cairn_blinder *out_blinder)
{
    if (log->secret_kind == CAIRN_RUN_SECRET) {
        struct cairn_secret secret;
        memcpy(secret.bytes, log->secret.bytes, sizeof secret.bytes);
        cairn_blinder_init(out_blinder, &secret);
        sodium_memzero(&secret, sizeof secret);
    } else {
        cairn_blinder_init_closed(out_blinder, &log->secret);
    }
}

/* ---- blobs --------------------------------------------------------------------------------- */

#define BLOB_LEVEL 1
#define BLOB_PACK_BYTES 256 /* smaller ones do not win from zstd */

enum blob_flag { BLOB_PACKED = 1, BLOB_SEALED = 2 };

enum cairn_status cairn_blob_put(struct cairn_context *ctx, uint32_t no,
                                 const struct cairn_blob *blob)
{
    struct cairn_key key = cairn_key_log_index(CAIRN_TABLE_BLOB, no, blob->first);
    struct cairn_buffer plain, value;
    bool is_packed = false;
    enum cairn_status status = CAIRN_OK;

    cairn_buffer_init(&plain, CAIRN_VALUE_MAX);
    cairn_buffer_init(&value, CAIRN_VALUE_MAX);
    cairn_buffer_add(&plain, blob->entries.data, blob->entries.size);
    cairn_buffer_add(&plain, blob->chain.data, blob->chain.size);

    struct cairn_writer head = cairn_buffer_room(&value, 128);
    cairn_write_u8(&head, blob->has_seal ? BLOB_SEALED : 0);
    cairn_write_varint(&head, blob->count);
    cairn_write_varint(&head, blob->entries.size);
    cairn_write_varint(&head, blob->chain.size);
    cairn_write_bytes(&head, blob->root.bytes, 32);
    if (blob->has_seal)
        cairn_write_bytes(&head, blob->seal.bytes, 64);
    cairn_buffer_take(&value, &head);
    if (plain.size >= BLOB_PACK_BYTES && !plain.failed)
        status =
            cairn_pack(ctx->packer, BLOB_LEVEL, cairn_buffer_bytes(&plain), &value, &is_packed);
    else
        cairn_buffer_add(&value, plain.data, plain.size);
    if (status == CAIRN_OK)
        status = cairn_buffer_status(plain.failed ? &plain : &value);
    if (status == CAIRN_OK) {
        value.data[0] |= is_packed ? BLOB_PACKED : 0;
        status = cairn_kv_put(ctx, &key, cairn_buffer_bytes(&value));
    }
    cairn_buffer_release(&plain);
    cairn_buffer_release(&value);
    return status;
}

/* A blob's value: its head, and its entries and chain as they are kept. */
struct blob_value {
    struct cairn_blob blob; /* of entries and chain the sizes alone */
    bool is_packed;
    struct cairn_bytes payload;
};

static enum cairn_status blob_value_read(struct cairn_bytes value, struct blob_value *out)
{
    struct cairn_blob *blob = &out->blob;
    struct cairn_reader reader;

    cairn_reader_init(&reader, value);
    uint8_t flags = cairn_read_u8(&reader);
    out->is_packed = (flags & BLOB_PACKED) != 0;
    blob->has_seal = (flags & BLOB_SEALED) != 0;
    blob->count = (uint32_t)cairn_read_varint(&reader);
    blob->entries.size = (size_t)cairn_read_varint(&reader);
    blob->chain.size = (size_t)cairn_read_varint(&reader);
    blob->root = cairn_read_hash(&reader);
    struct cairn_bytes seal = {NULL, 0};
    if (blob->has_seal)
        seal = cairn_read_bytes(&reader, 64);
    if (seal.size == 64)
        memcpy(blob->seal.bytes, seal.data, 64);
    out->payload = cairn_read_bytes(&reader, cairn_reader_left(&reader));
    return reader.failed || blob->entries.size > CAIRN_VALUE_MAX ||
                   blob->chain.size > CAIRN_VALUE_MAX
               ? CAIRN_CORRUPT
               : CAIRN_OK;
}

/* Entries and chain into `plain`, which is large enough. */
static enum cairn_status blob_open(struct cairn_context *ctx, struct blob_value *value,
                                   uint8_t *plain)
{
    size_t plain_size = value->blob.entries.size + value->blob.chain.size;

    if (value->is_packed) {
        if (cairn_unpack(ctx->packer, value->payload, plain, plain_size) != CAIRN_OK)
            return CAIRN_CORRUPT;
    } else {
        if (value->payload.size != plain_size)
            return CAIRN_CORRUPT;
        memcpy(plain, value->payload.data, plain_size);
    }
    value->blob.entries.data = plain;
    value->blob.chain.data = plain + value->blob.entries.size;
    return CAIRN_OK;
}

/* The value of the blob that holds entry `index`, borrowed while the walk is open; the caller
 * closes that whatever the answer. */
static enum cairn_status blob_find(struct cairn_context *ctx, uint32_t no, uint32_t index,
                                   struct cairn_walk *walk, struct blob_value *out)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_BLOB);
    struct cairn_key from = {.size = 0};

    *walk = (struct cairn_walk){.range = NULL};
    *out = (struct blob_value){.is_packed = false};
    cairn_key_u32(&prefix, no);
    cairn_key_u32(&from, index);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(&from), CAIRN_DESCENDING, walk));
    CAIRN_TRY(cairn_walk_next(walk));
    out->blob.first = cairn_read_u32be(&walk->key);
    CAIRN_TRY(blob_value_read(walk->value, out));
    return index - out->blob.first < out->blob.count ? CAIRN_OK : CAIRN_NOT_FOUND;
}

enum cairn_status cairn_blob_at(struct cairn_context *ctx, uint32_t no, uint32_t index,
                                struct cairn_blob *out_blob)
{
    struct cairn_walk walk;
    struct blob_value value;
    enum cairn_status status = blob_find(ctx, no, index, &walk, &value);

    if (status == CAIRN_OK) {
        uint8_t *plain =
            cairn_arena_get(&ctx->arena, value.blob.entries.size + value.blob.chain.size + 1);
        status = plain == NULL ? CAIRN_NO_MEMORY : blob_open(ctx, &value, plain);
    }
    cairn_walk_close(&walk);
    if (status == CAIRN_OK)
        *out_blob = value.blob;
    return status;
}

enum cairn_status cairn_blob_head_at(struct cairn_context *ctx, uint32_t no, uint32_t index,
                                     struct cairn_blob *out_blob)
{
    struct cairn_walk walk;
    struct blob_value value;
    enum cairn_status status = blob_find(ctx, no, index, &walk, &value);

    cairn_walk_close(&walk);
    CAIRN_TRY(status);
    value.blob.entries.size = value.blob.chain.size = 0;
    *out_blob = value.blob;
    return CAIRN_OK;
}

/* Where an entry, and what its chain says of it, end in their parts of a blob. */
struct entry_end {
    uint32_t entry, chain;
};

/* Make ctx->read_blob the one that holds entry `index`. */
static enum cairn_status read_blob_turn(struct cairn_context *ctx, uint32_t no, uint32_t index)
{
    struct cairn_read_blob *read = &ctx->read_blob;
    struct cairn_walk walk;
    struct blob_value value;

    if (read->log == no && index >= read->first && index - read->first < read->count)
        return CAIRN_OK;
    read->log = 0;
    cairn_buffer_reset(&read->plain);
    cairn_buffer_reset(&read->ends);
    enum cairn_status status = blob_find(ctx, no, index, &walk, &value);
    if (status == CAIRN_OK) {
        cairn_buffer_room(&read->plain, value.blob.entries.size + value.blob.chain.size + 1);
        status = cairn_buffer_status(&read->plain);
    }
    if (status == CAIRN_OK)
        status = blob_open(ctx, &value, read->plain.data);
    cairn_walk_close(&walk);
    CAIRN_TRY(status);
    read->log = no;
    read->first = value.blob.first;
    read->count = value.blob.count;
    read->entries_size = value.blob.entries.size;
    read->chain_size = value.blob.chain.size;
    return CAIRN_OK;
}

/* Entry `i` of the blob that was read last, as it lies there. */
static enum cairn_status read_blob_entry(struct cairn_read_blob *read, uint32_t i,
                                         struct cairn_bytes *out_entry,
                                         struct cairn_local_dot *out_chain)
{
    struct cairn_reader entries, chain;
    struct entry_end end = {0, 0};
    uint32_t known = (uint32_t)(read->ends.size / sizeof end);
    uint32_t at = i < known ? i : known;

    cairn_reader_init(&entries, (struct cairn_bytes){read->plain.data, read->entries_size});
    cairn_reader_init(
        &chain, (struct cairn_bytes){read->plain.data + read->entries_size, read->chain_size});
    if (at > 0)
        memcpy(&end, read->ends.data + (at - 1) * sizeof end, sizeof end);
    entries.pos = end.entry;
    chain.pos = end.chain;
    for (; at <= i; at++) {
        *out_entry = cairn_cbor_skip(&entries);
        uint64_t chain_no = cairn_read_varint(&chain);
        out_chain->log_number = (uint32_t)chain_no;
        out_chain->index = chain_no == 0 ? 0 : (uint32_t)cairn_read_varint(&chain);
        if (entries.failed || chain.failed)
            return CAIRN_CORRUPT;
        end = (struct entry_end){(uint32_t)entries.pos, (uint32_t)chain.pos};
        if (at >= known)
            cairn_buffer_add(&read->ends, &end, sizeof end);
    }
    return cairn_buffer_status(&read->ends);
}

enum cairn_status cairn_log_entry(struct cairn_context *ctx, uint32_t no, uint32_t index,
                                  struct cairn_bytes *out_entry, struct cairn_local_dot *out_chain)
{
    struct cairn_local_dot dot;
    struct cairn_bytes entry;

    CAIRN_TRY(read_blob_turn(ctx, no, index));
    enum cairn_status status =
        read_blob_entry(&ctx->read_blob, index - ctx->read_blob.first, &entry, &dot);
    if (status != CAIRN_OK) {
        ctx->read_blob.log = 0;
        return status;
    }
    entry = cairn_arena_copy(&ctx->arena, entry); /* the next blob takes its place */
    if (entry.data == NULL)
        return CAIRN_NO_MEMORY;
    *out_entry = entry;
    if (out_chain != NULL)
        *out_chain = dot;
    return CAIRN_OK;
}

static void run_describe(const struct cairn_log *log, struct cairn_run *run)
{
    run->log = (struct cairn_log_name){.device = log->device, .incarnation = log->incarnation};
    if (run->first == 0) {
        run->secret_kind = log->secret_kind;
        run->secret = log->secret;
    }
}

/* Leave out the entries before `first`, which lies in the blob. The chain is not adjusted. */
static void blob_drop_before(struct cairn_blob *blob, uint32_t first)
{
    struct cairn_reader entries;

    cairn_reader_init(&entries, blob->entries);
    for (uint32_t i = blob->first; i < first; i++)
        cairn_cbor_skip(&entries);
    blob->entries.data += entries.pos;
    blob->entries.size -= entries.pos;
    blob->count -= first - blob->first;
    blob->first = first;
}

enum cairn_status cairn_log_run(struct cairn_context *ctx, const struct cairn_log *log,
                                uint32_t first, uint32_t end, size_t bytes_max,
                                struct cairn_run *out_run)
{
    struct cairn_run run = {.first = first};
    struct cairn_buffer entries;
    size_t sealed_size = 0;
    uint32_t at = first;
    enum cairn_status status = CAIRN_OK;
    bool is_single = log->channel != CAIRN_CHANNEL_RECORDS; /* each entry's own seal travels */

    cairn_buffer_init(&entries, CAIRN_VALUE_MAX);
    while (at < (run.entry_count > 0 ? end : cairn_log_size(log)) && status == CAIRN_OK) {
        struct cairn_blob blob;
        status = cairn_blob_at(ctx, log->no, at, &blob);
        if (status != CAIRN_OK)
            break;
        blob_drop_before(&blob, at); /* somebody may hold only a part of what came under one seal */
        if ((run.entry_count > 0 &&
             (blob.first + blob.count > end || entries.size + blob.entries.size > bytes_max)) ||
            at - first + blob.count > CAIRN_RUN_ENTRIES_MAX)
            break;
        cairn_buffer_add(&entries, blob.entries.data, blob.entries.size);
        at += blob.count;
        if (blob.has_seal) {
            run.seal = blob.seal;
            run.entry_count = at - first;
            sealed_size = entries.size;
            if (is_single)
                break;
        }
    }
    if (status == CAIRN_OK)
        status = cairn_buffer_status(&entries);
    if (status == CAIRN_OK && run.entry_count == 0)
        status = CAIRN_GAP;
    if (status == CAIRN_OK) {
        run.entries =
            cairn_arena_copy(&ctx->arena, (struct cairn_bytes){entries.data, sealed_size});
        run_describe(log, &run);
        status = run.entries.data == NULL ? CAIRN_NO_MEMORY : CAIRN_OK;
    }
    cairn_buffer_release(&entries);
    if (status == CAIRN_OK)
        *out_run = run;
    return status;
}
