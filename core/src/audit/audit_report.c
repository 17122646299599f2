/* What an audit tells of what it took in; declared in audit_internal.h. */

#include <sodium.h>
#include <string.h>

#include "audit_internal.h"
#include "digest.h"
#include "force.h"
#include "judge.h"
#include "schema.h"

/* Does this change settle something, and why? *out_settles false for everything else. */
static enum cairn_status entry_settles(struct cairn_auditor *audit, const struct cairn_entry *entry,
                                       bool *out_settles, const char **out_reason)
{
    struct cairn_items items;
    struct cairn_item item;
    struct cairn_value reason;

    *out_settles = false;
    *out_reason = NULL;
    if (entry->kind != CAIRN_KIND_CHANGE)
        return CAIRN_OK;
    cairn_items_init(&items, entry);
    while (cairn_item_next(&items, &item)) {
        *out_settles = *out_settles || item.number == CAIRN_ITEM_SETTLE;
        if (item.number != CAIRN_ITEM_REASON || !cairn_note_item_read(&item, &reason))
            continue;
        *out_reason = cairn_field_format(NULL, &reason, &audit->ctx.arena);
        if (*out_reason == NULL)
            return CAIRN_NO_MEMORY;
    }
    return CAIRN_OK;
}

/* Tell of one settlement: who decided what, and why. */
static enum cairn_status settled_report(struct cairn_auditor *audit, const struct cairn_log *log,
                                        uint32_t index, const struct cairn_entry *entry,
                                        const char *reason)
{
    struct cairn_context *ctx = &audit->ctx;
    struct cairn_audit_settled settled = {.reason = reason};
    struct cairn_judged_change *change = cairn_arena_get(&ctx->arena, sizeof *change);
    struct cairn_log creator;
    struct cairn_record_state state;
    struct cairn_verdict verdict;
    const struct cairn_schema *schema;
    bool in_force;

    if (change == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_verdict_get(ctx, log->no, index, &verdict));
    if (verdict.validity != CAIRN_VALID)
        return CAIRN_OK; /* it settled nothing */
    CAIRN_TRY(cairn_change_resolve(ctx, log, index, entry, NULL, change));
    CAIRN_TRY(
        cairn_in_force(ctx, log, index, change->has_repeats ? &change->repeats : NULL, &in_force));
    if (!in_force)
        return CAIRN_OK;
    CAIRN_TRY(cairn_log_load(ctx, change->record.log, &creator));
    CAIRN_TRY(cairn_record_load(ctx, &creator, change->record.index, &state));
    CAIRN_TRY(cairn_label_format(ctx, &creator, &state, settled.id));
    CAIRN_TRY(cairn_log_tag(ctx, log, settled.tag));
    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    const struct cairn_type *type = cairn_schema_type(schema, state.type);
    const struct cairn_field *field =
        type == NULL ? NULL : cairn_type_field(type, change->writes[0].field);
    settled.field = field == NULL ? "deleted" : field->name;
    audit->report.settled_count++;
    if (audit->visitor->settled != NULL)
        audit->visitor->settled(audit->visitor->context, &settled);
    return CAIRN_OK;
}

static enum cairn_status blob_report(struct cairn_auditor *audit, const struct cairn_log *log,
                                     const struct cairn_blob *blob)
{
    struct cairn_reader reader;

    cairn_reader_init(&reader, blob->entries);
    for (uint32_t i = 0; i < blob->count; i++) {
        struct cairn_entry entry;
        const char *reason;
        bool settles;
        if (cairn_entry_next(&reader, &entry) != CAIRN_OK)
            return CAIRN_CORRUPT;
        CAIRN_TRY(entry_settles(audit, &entry, &settles, &reason));
        if (settles)
            CAIRN_TRY(settled_report(audit, log, blob->first + i, &entry, reason));
    }
    return CAIRN_OK;
}

static enum cairn_status log_report(struct cairn_auditor *audit, const struct cairn_log *log)
{
    struct cairn_audit_report *report = &audit->report;
    uint32_t at = 0;

    if (cairn_log_size(log) == 0)
        return CAIRN_OK; /* known by name only: all of it was left out */
    report->log_count++;
    report->entry_count += cairn_log_size(log) - 1;
    report->covered_count += log->covered > 0 ? log->covered - 1 : 0;
    while (log->channel == CAIRN_CHANNEL_RECORDS && at < cairn_log_size(log)) {
        struct cairn_arena_mark mark = cairn_arena_mark(&audit->ctx.arena);
        struct cairn_blob blob;
        CAIRN_TRY(cairn_blob_at(&audit->ctx, log->no, at, &blob));
        CAIRN_TRY(blob_report(audit, log, &blob));
        at = blob.first + blob.count;
        cairn_arena_rewind(&audit->ctx.arena, mark);
    }
    return CAIRN_OK;
}

static enum cairn_status device_report(void *context, struct cairn_context *ctx,
                                       const struct cairn_ref *ref, const struct cairn_grant *grant)
{
    struct cairn_auditor *audit = context;
    struct cairn_log log;
    enum cairn_status status;
    uint64_t last_s = 0;
    char tag[CAIRN_TAG_MAX + 1];

    (void)ref;
    audit->report.grant_count++;
    audit->report.device_count++;
    for (status = cairn_log_next(ctx, &log, true); status == CAIRN_OK;
         status = cairn_log_next(ctx, &log, false))
        if (memcmp(log.device.bytes, grant->keys.seal.bytes, 32) == 0 && log.last_time_s > last_s)
            last_s = log.last_time_s;
    cairn_text_copy(tag, sizeof tag, grant->tag);
    if (grant->role == CAIRN_ROLE_SERVER && audit->report.server_tag[0] == '\0')
        cairn_text_copy(audit->report.server_tag, sizeof audit->report.server_tag, grant->tag);
    if (audit->visitor->device != NULL)
        audit->visitor->device(audit->visitor->context, tag, last_s);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status conflict_count(void *context, struct cairn_context *ctx,
                                        const struct cairn_log *log,
                                        const struct cairn_record_state *state)
{
    struct cairn_auditor *audit = context;

    (void)ctx;
    (void)log;
    audit->report.conflict_count += cairn_record_has_conflict(state);
    return CAIRN_OK;
}

/* Entries that wait: for a newer program, or for others that are not at hand. */
static enum cairn_status waiting_count(struct cairn_auditor *audit)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_VERDICT);
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(&audit->ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING,
                              &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        uint32_t log = cairn_read_u32be(&walk.key), index = cairn_read_u32be(&walk.key);
        struct cairn_verdict verdict;
        status = cairn_verdict_get(&audit->ctx, log, index, &verdict);
        if (status != CAIRN_OK)
            break;
        bool waits = verdict.validity == CAIRN_WAITING;
        audit->report.newer_count += waits && verdict.reason == CAIRN_WHY_NEWER;
        audit->report.awaiting_count += waits && verdict.reason != CAIRN_WHY_NEWER;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* Runs that still wait for earlier entries of their log: those were left out of what was handed
 * over. What waits behind a cut is as it should be. */
static enum cairn_status gaps_report(struct cairn_auditor *audit)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_PARKED);
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_parked_retry(&audit->ctx));
    CAIRN_TRY(cairn_walk_open(&audit->ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING,
                              &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_hash id = cairn_read_hash(&walk.key);
        uint32_t first = cairn_read_u32be(&walk.key);
        char scope[CAIRN_SCOPE_TEXT_BYTES];
        struct cairn_reader value;
        struct cairn_log log;
        cairn_reader_init(&value, walk.value);
        cairn_scope_text((struct cairn_scope){cairn_read_u64be(&value)}, scope);
        status = cairn_log_find(&audit->ctx, &id, &log);
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            break;
        if (status == CAIRN_NOT_FOUND || !log.is_known || first > cairn_log_size(&log))
            FINDING(audit, scope, "Entries of %s rest on something that was not handed over.",
                    scope);
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

struct signed_checkpoint {
    const struct cairn_verifier *verifier;
    struct cairn_checkpoint checkpoint;
    struct cairn_signature signature;
};

static bool has_signed(const void *context, const struct cairn_sign_public *key)
{
    const struct signed_checkpoint *of = context;

    return cairn_checkpoint_verify(of->verifier, key, &of->checkpoint, &of->signature);
}

/* The note of the newest checkpoint, under the key that signed it: another server may have the
 * scope by now. Nothing where no server has signed the scope as it stands here. */
static enum cairn_status note_add(struct cairn_auditor *audit,
                                  const struct cairn_scope_log *scope_log,
                                  struct cairn_buffer *notes)
{
    struct signed_checkpoint of = {.verifier = audit->ctx.verifier};
    struct cairn_sign_public key;

    enum cairn_status status =
        cairn_checkpoint_get(&audit->ctx, scope_log->scope, scope_log->channel, 0,
                             scope_log->tree.size, &of.checkpoint, &of.signature);
    if (status == CAIRN_OK)
        status = cairn_audit_server_key(&audit->ctx, scope_log->scope, of.checkpoint.epoch,
                                        has_signed, &of, &key);
    if (status == CAIRN_NOT_FOUND)
        return CAIRN_OK;
    CAIRN_TRY(status);
    struct cairn_writer room = cairn_buffer_room(notes, CAIRN_NOTE_MAX);
    cairn_note_write(&room, &of.checkpoint, &key, &of.signature);
    cairn_write_u8(&room, '\n');
    cairn_buffer_take(notes, &room);
    return CAIRN_OK;
}

/* The digests of all scopes, and their checkpoints as notes. */
static enum cairn_status scopes_report(struct cairn_auditor *audit, struct cairn_buffer *notes)
{
    struct cairn_context *ctx = &audit->ctx;
    crypto_hash_sha256_state state;
    struct cairn_scope_log scope_log;
    struct cairn_hash digest;
    enum cairn_status status;

    crypto_hash_sha256_init(&state);
    for (status = cairn_scope_log_next(ctx, &scope_log, true); status == CAIRN_OK;
         status = cairn_scope_log_next(ctx, &scope_log, false)) {
        bool is_comparable;
        CAIRN_TRY(cairn_digest(ctx, scope_log.scope, scope_log.channel, &digest, &is_comparable));
        crypto_hash_sha256_update(&state, digest.bytes, sizeof digest.bytes);
        CAIRN_TRY(note_add(audit, &scope_log, notes));
    }
    if (status != CAIRN_NOT_FOUND)
        return status;
    crypto_hash_sha256_final(&state, digest.bytes);
    sodium_bin2hex(audit->report.digest, sizeof audit->report.digest, digest.bytes,
                   sizeof digest.bytes);
    return cairn_buffer_status(notes);
}

enum cairn_status cairn_audit_report_gather(struct cairn_auditor *audit, struct cairn_buffer *notes)
{
    struct cairn_context *ctx = &audit->ctx;
    struct cairn_log log;
    enum cairn_status status;

    CAIRN_TRY(cairn_context_begin(ctx, CAIRN_TXN_WRITE)); /* digests keep what they work out */
    cairn_fingerprint(&ctx->network, audit->report.root_fingerprint);
    status = gaps_report(audit);
    if (status == CAIRN_OK)
        status = cairn_audit_rests_report(audit);
    if (status == CAIRN_OK)
        status = cairn_grants_visit(ctx, device_report, audit);
    if (status == CAIRN_OK) {
        for (status = cairn_log_next(ctx, &log, true); status == CAIRN_OK;
             status = cairn_log_next(ctx, &log, false)) {
            status = log_report(audit, &log);
            if (status != CAIRN_OK)
                break;
        }
        status = status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
    }
    if (status == CAIRN_OK)
        status = waiting_count(audit);
    if (status == CAIRN_OK)
        status = cairn_audit_forks_report(audit);
    if (status == CAIRN_OK)
        status = scopes_report(audit, notes);
    if (status == CAIRN_OK)
        status = cairn_states_visit(ctx, conflict_count, audit);
    cairn_context_abort(ctx);
    return status;
}
