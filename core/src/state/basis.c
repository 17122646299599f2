#include "basis.h"

#include <sodium.h>
#include <string.h>

#include "authority.h"
#include "schema.h"

static unsigned channel_bit(enum cairn_channel channel)
{
    return channel == CAIRN_CHANNEL_AUTHORITY ? CAIRN_BIT_AUTHORITY
           : channel == CAIRN_CHANNEL_RECORDS ? CAIRN_BIT_RECORDS
                                              : CAIRN_BIT_FUNDS;
}

/* OK, NOT_FOUND (chain or schema not held: park), REFUSED. */
static enum cairn_status basis_check(struct cairn_context *ctx, const struct cairn_log *log,
                                     const struct cairn_basis *basis)
{
    struct cairn_standing standing;
    const struct cairn_schema *schema;

    /* Cuts are of grants and of logs: a log that changed its grant would lie under two. */
    if (log->is_known && !cairn_under_equal(&basis->under, &log->under))
        return cairn_fail(
            ctx->err, CAIRN_REFUSED,
            "A log stays under the grant it began with; another one needs a new log.");
    CAIRN_TRY(cairn_standing_get(ctx, &basis->under, &standing));
    bool is_inside = log->channel == CAIRN_CHANNEL_AUTHORITY
                         ? standing.scope.code == log->scope.code
                         : cairn_scope_contains(standing.scope, log->scope);
    if (memcmp(standing.seal_key.bytes, log->device.bytes, 32) != 0 || !is_inside ||
        (standing.channels & channel_bit(log->channel)) == 0)
        return cairn_fail(ctx->err, CAIRN_REFUSED,
                          "The grant of %s does not cover the log it writes.", standing.tag);
    if (!standing.is_root && basis->schema_version < standing.grant.least_version)
        return cairn_fail(ctx->err, CAIRN_REFUSED,
                          "%s writes under a schema older than its grant allows.", standing.tag);
    return cairn_schema_get(ctx, basis->schema_version, &schema);
}

enum cairn_status cairn_bases_check(struct cairn_context *ctx, const struct cairn_log *log,
                                    const struct cairn_batch *batch)
{
    struct cairn_log named = *log; /* by its first basis, where that comes only now */

    for (uint32_t i = 0; i < batch->count; i++) {
        const struct cairn_entry *entry = &batch->entries[i];
        struct cairn_basis basis;
        bool is_first = batch->first + i == 0;
        if (entry->kind != CAIRN_KIND_BASIS) {
            if (is_first)
                return CAIRN_MALFORMED;
            continue;
        }
        if (!cairn_basis_read(entry, &basis))
            return is_first ? CAIRN_MALFORMED : CAIRN_REFUSED;
        if (is_first && log->secret_kind == CAIRN_RUN_SECRET) {
            struct cairn_secret secret;
            memcpy(secret.bytes, log->secret.bytes, 32);
            struct cairn_hash hash = cairn_secret_hash(&secret);
            sodium_memzero(&secret, sizeof secret);
            if (!cairn_hash_equal(&hash, &basis.secret_hash))
                return CAIRN_MALFORMED;
        }
        CAIRN_TRY(basis_check(ctx, &named, &basis));
        named.is_known = true;
        named.under = basis.under;
    }
    return CAIRN_OK;
}

/* ---- which basis is in effect -------------------------------------------------------------- */

/* Keep the last basis before another takes its place: most logs have one and keep nothing. */
static enum cairn_status basis_keep(struct cairn_context *ctx, const struct cairn_log *log)
{
    struct cairn_key key = cairn_key_log_index(CAIRN_TABLE_BASIS, log->no, log->basis_index);
    struct cairn_writer writer;
    uint8_t bytes[128];

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_varint(&writer, log->schema_version);
    cairn_under_write(&writer, &log->under);
    return cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer));
}

enum cairn_status cairn_basis_apply(struct cairn_context *ctx, struct cairn_log *log,
                                    uint32_t index, const struct cairn_entry *entry,
                                    struct cairn_verdict *out_verdict)
{
    struct cairn_basis basis;
    struct cairn_standing standing;

    bool is_basis = cairn_basis_read(entry, &basis);
    CAIRN_ASSERT(is_basis); /* cairn_bases_check took it */
    if (index > 0 && basis.schema_version < log->schema_version) {
        *out_verdict = (struct cairn_verdict){CAIRN_INVALID, CAIRN_WHY_VERSION_BACK, 0, 0};
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_standing_get(ctx, &basis.under, &standing));
    if (index > 0)
        CAIRN_TRY(basis_keep(ctx, log));
    log->role = standing.role; /* like the grant, the same for the whole log */
    log->under = basis.under;
    log->schema_version = basis.schema_version;
    log->basis_index = index;
    return CAIRN_OK;
}

enum cairn_status cairn_basis_at(struct cairn_context *ctx, struct cairn_log *log, uint32_t index)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_BASIS);
    struct cairn_key from = {.size = 0};
    struct cairn_walk walk;

    if (index >= log->basis_index)
        return CAIRN_OK;
    cairn_key_u32(&prefix, log->no);
    cairn_key_u32(&from, index);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(&from), CAIRN_DESCENDING, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    if (status == CAIRN_OK) {
        struct cairn_reader reader;
        log->basis_index = cairn_read_u32be(&walk.key);
        cairn_reader_init(&reader, walk.value);
        log->schema_version = cairn_read_varint(&reader);
        log->under = cairn_under_read(&reader);
        status = walk.key.failed ? CAIRN_CORRUPT : cairn_reader_end(&reader);
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND || status == CAIRN_MALFORMED ? CAIRN_CORRUPT : status;
}

enum cairn_status cairn_basis_cut_back(struct cairn_context *ctx, struct cairn_log *log,
                                       uint32_t from)
{
    while (log->basis_index >= from && log->basis_index > 0) {
        CAIRN_TRY(cairn_basis_at(ctx, log, log->basis_index - 1));
        /* It is the last one again, and stands in the log's row. */
        struct cairn_key key = cairn_key_log_index(CAIRN_TABLE_BASIS, log->no, log->basis_index);
        CAIRN_TRY(cairn_kv_del(ctx, &key));
    }
    return CAIRN_OK;
}

enum cairn_status cairn_bases_count(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t from, uint32_t *out_count)
{
    struct cairn_log at = *log;

    *out_count = at.basis_index >= from;
    while (at.basis_index >= from && at.basis_index > 0) {
        CAIRN_TRY(cairn_basis_at(ctx, &at, at.basis_index - 1));
        *out_count += at.basis_index >= from;
    }
    return CAIRN_OK;
}
