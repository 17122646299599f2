#include "basis.h"

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
            if (!cairn_hash_equal(&hash, &basis.secret_hash))
                return CAIRN_MALFORMED;
        }
        CAIRN_TRY(basis_check(ctx, &named, &basis));
        named.is_known = true;
        named.under = basis.under;
    }
    return CAIRN_OK;
}
