/* What both sides of an exchange compute alike (SPEC.md section 9); declared in
 * replica_internal.h. */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "basis.h"
#include "replica_internal.h"

void cairn_prologue(const struct cairn_hash *network,
                    uint8_t out_prologue[static CAIRN_PROLOGUE_BYTES])
{
    memcpy(out_prologue, "cairn-sync-1", 12);
    memcpy(out_prologue + 12, network->bytes, 32);
}

enum cairn_status cairn_unreceived_count(struct cairn_context *ctx, uint64_t *out_count)
{
    struct cairn_log log;
    enum cairn_status status;
    uint64_t count = 0;

    for (status = cairn_log_next(ctx, &log, true); status == CAIRN_OK;
         status = cairn_log_next(ctx, &log, false)) {
        uint32_t bases;
        if (log.own_generation == 0 || cairn_log_size(&log) <= log.covered)
            continue;
        CAIRN_TRY(cairn_bases_count(ctx, &log, log.covered, &bases));
        count += cairn_log_size(&log) - log.covered - bases;
    }
    *out_count = count;
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

void cairn_roots_digest(const struct cairn_hash *roots, size_t count, uint8_t out_digest[static 16])
{
    crypto_hash_sha256_state state;
    uint8_t head[16], full[32];
    struct cairn_writer writer;

    crypto_hash_sha256_init(&state);
    cairn_writer_init(&writer, head, sizeof head);
    cairn_cbor_write_array(&writer, count);
    crypto_hash_sha256_update(&state, head, writer.size);
    for (size_t i = 0; i < count; i++) {
        uint8_t item[34] = {0x58, 0x20};
        memcpy(item + 2, roots[i].bytes, 32);
        crypto_hash_sha256_update(&state, item, sizeof item);
    }
    crypto_hash_sha256_final(&state, full);
    memcpy(out_digest, full, 16);
}

void cairn_heads_digest(const struct cairn_head *heads, size_t count, uint8_t out_digest[static 8])
{
    crypto_hash_sha256_state state;
    uint8_t bytes[96], full[32];
    struct cairn_writer writer;

    crypto_hash_sha256_init(&state);
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_cbor_write_array(&writer, count);
    crypto_hash_sha256_update(&state, bytes, writer.size);
    for (size_t i = 0; i < count; i++) {
        cairn_writer_init(&writer, bytes, sizeof bytes);
        cairn_head_write(&writer, &heads[i]);
        crypto_hash_sha256_update(&state, bytes, writer.size);
    }
    crypto_hash_sha256_final(&state, full);
    memcpy(out_digest, full, 8);
}

static int head_compare(const void *a, const void *b)
{
    return cairn_hash_compare(&((const struct cairn_head *)a)->log,
                              &((const struct cairn_head *)b)->log);
}

#define HEADS_MAX 1024

/* The authority logs of one scope, unless a sequencer covers it. */
static enum cairn_status heads_of_scope(struct cairn_context *ctx, struct cairn_scope scope,
                                        struct cairn_head *heads, size_t *count)
{
    struct cairn_key prefix =
        cairn_key_scope_channel(CAIRN_TABLE_SCOPE_LOGS, scope, CAIRN_CHANNEL_AUTHORITY);
    struct cairn_sequencer_info sequencer;
    struct cairn_walk walk;

    enum cairn_status status = cairn_sequencer_for(ctx, scope, &sequencer);
    if (status != CAIRN_NOT_FOUND)
        return status;
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK && *count < HEADS_MAX) {
        struct cairn_log log;
        status = cairn_log_load(ctx, cairn_read_u32be(&walk.key), &log);
        if (status != CAIRN_OK)
            break;
        if (cairn_log_size(&log) > 0)
            heads[(*count)++] =
                (struct cairn_head){log.id, cairn_log_size(&log), cairn_log_root(&log)};
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_heads_collect(struct cairn_context *ctx, struct cairn_scope scope,
                                      struct cairn_head **out_heads, size_t *out_count)
{
    struct cairn_head *heads = cairn_arena_get(&ctx->arena, HEADS_MAX * sizeof *heads);
    size_t count = 0;

    if (heads == NULL)
        return CAIRN_NO_MEMORY;
    for (;; scope = cairn_scope_parent(scope)) {
        CAIRN_TRY(heads_of_scope(ctx, scope, heads, &count));
        if (scope.code == 0)
            break;
    }
    qsort(heads, count, sizeof *heads, head_compare);
    *out_heads = heads;
    *out_count = count;
    return CAIRN_OK;
}
