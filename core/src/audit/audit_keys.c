/* Whose checkpoint key was it? Declared in audit_internal.h. */

#include "audit_internal.h"
#include "evidence.h"

struct wanted {
    uint64_t epoch;
    cairn_audit_key_fn *fits;
    const void *context;
};

/* The checkpoint key of the server that one sequencer entry names, where it is the one that is
 * wanted; NOT_FOUND. */
static enum cairn_status key_of_entry(struct cairn_context *ctx, const struct cairn_ref *ref,
                                      const struct wanted *wanted,
                                      struct cairn_sign_public *out_key)
{
    struct cairn_evidence evidence;
    struct cairn_sequencer sequencer;
    struct cairn_standing server;

    CAIRN_TRY(cairn_evidence_get(ctx, ref, &evidence));
    if (!cairn_sequencer_read(&evidence.entry, &sequencer))
        return CAIRN_CORRUPT;
    if (sequencer.epoch != wanted->epoch)
        return CAIRN_NOT_FOUND;
    CAIRN_TRY(cairn_standing_get(ctx, &(struct cairn_under){.grant = sequencer.server}, &server));
    if (!wanted->fits(wanted->context, &server.grant.keys.checkpoint))
        return CAIRN_NOT_FOUND;
    *out_key = server.grant.keys.checkpoint;
    return CAIRN_OK;
}

static enum cairn_status key_at_scope(struct cairn_context *ctx, struct cairn_scope scope,
                                      const struct wanted *wanted,
                                      struct cairn_sign_public *out_key)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_SEQUENCER);
    enum cairn_status status, found = CAIRN_NOT_FOUND;
    struct cairn_walk walk;

    cairn_key_scope(&prefix, scope);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while (found == CAIRN_NOT_FOUND && (status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_ref ref = {.log = cairn_read_hash(&walk.key)};
        ref.index = cairn_read_u32be(&walk.key);
        ref.leaf = cairn_read_hash(&walk.key);
        found = walk.key.failed ? CAIRN_CORRUPT : key_of_entry(ctx, &ref, wanted, out_key);
    }
    cairn_walk_close(&walk);
    return found == CAIRN_NOT_FOUND ? status : found;
}

enum cairn_status cairn_audit_server_key(struct cairn_context *ctx, struct cairn_scope scope,
                                         uint64_t epoch, cairn_audit_key_fn *fits,
                                         const void *context, struct cairn_sign_public *out_key)
{
    const struct wanted wanted = {epoch, fits, context};
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);

    if (!cairn_scope_is_valid(scope))
        return CAIRN_NOT_FOUND;
    for (;; scope = cairn_scope_parent(scope)) {
        enum cairn_status status = key_at_scope(ctx, scope, &wanted, out_key);
        cairn_arena_rewind(&ctx->arena, mark);
        if (status != CAIRN_NOT_FOUND || scope.code == 0)
            return status;
    }
}
