#include "authority.h"

#include <string.h>

#include "cuts.h"
#include "evidence.h"
#include "schema.h"

/* ---- the root ------------------------------------------------------------------------------ */

enum cairn_status cairn_root_get(struct cairn_context *ctx, struct cairn_root_statement *out_root,
                                 struct cairn_bytes *out_bytes)
{
    struct cairn_key key = cairn_key_meta("root");
    struct cairn_bytes bytes;

    CAIRN_TRY(cairn_kv_copy(ctx, &key, &bytes));
    if (cairn_root_statement_read(bytes, out_root) != CAIRN_OK)
        return CAIRN_CORRUPT;
    if (out_bytes != NULL)
        *out_bytes = bytes;
    return CAIRN_OK;
}

/* What standing needs of the root, kept apart: its key was checked once and need not be again. */
static enum cairn_status root_key_put(struct cairn_context *ctx,
                                      const struct cairn_root_statement *root)
{
    struct cairn_key key = cairn_key_meta("root-key");
    uint8_t bytes[40];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_u64be(&writer, root->scope.code);
    cairn_write_bytes(&writer, root->keys[0].bytes, 32);
    return cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer));
}

enum cairn_status cairn_root_put(struct cairn_context *ctx, struct cairn_bytes statement)
{
    struct cairn_key key = cairn_key_meta("root");
    struct cairn_root_statement root;

    CAIRN_TRY(cairn_root_statement_read(statement, &root));
    if (root.key_count != 1)
        return cairn_fail(ctx->err, CAIRN_REFUSED,
                          "The root statement names %u keys; this version acts for one key only.",
                          root.key_count);
    ctx->network = root.network;
    CAIRN_TRY(root_key_put(ctx, &root));
    return cairn_kv_put(ctx, &key, statement);
}

/* ---- standing ------------------------------------------------------------------------------ */

static enum cairn_status root_standing(struct cairn_context *ctx,
                                       struct cairn_standing *out_standing)
{
    struct cairn_standing standing = {.is_root = true};
    struct cairn_key key = cairn_key_meta("root-tag"), root_key = cairn_key_meta("root-key");
    struct cairn_bytes tag, root;
    struct cairn_reader reader;

    CAIRN_TRY(cairn_kv_get(ctx, &root_key, &root));
    cairn_reader_init(&reader, root);
    standing.scope.code = cairn_read_u64be(&reader);
    struct cairn_hash seal_key = cairn_read_hash(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return CAIRN_CORRUPT;
    memcpy(standing.seal_key.bytes, seal_key.bytes, sizeof seal_key.bytes);
    standing.channels = CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS | CAIRN_BIT_FUNDS;
    standing.rights = CAIRN_RIGHT_DELEGATE;
    enum cairn_status status = cairn_kv_get(ctx, &key, &tag);
    if (status == CAIRN_OK && tag.size <= CAIRN_TAG_MAX)
        memcpy(standing.tag, tag.data, tag.size);
    else
        standing.tag[0] = 'R'; /* a label only: other replicas do not learn the root's */
    *out_standing = standing;
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static void standing_of_grant(const struct cairn_grant *grant, unsigned depth,
                              struct cairn_standing *out_standing)
{
    struct cairn_standing standing = {.seal_key = grant->keys.seal,
                                      .scope = grant->scope,
                                      .role = grant->role,
                                      .channels = grant->channels,
                                      .rights = grant->rights,
                                      .depth = depth,
                                      .grant = *grant};

    memcpy(standing.tag, grant->tag.data, grant->tag.size);
    *out_standing = standing;
}

enum cairn_status cairn_standing_get(struct cairn_context *ctx, const struct cairn_under *under,
                                     struct cairn_standing *out_standing)
{
    struct cairn_evidence evidence;
    struct cairn_grant grant;

    if (under->is_root)
        return cairn_hash_equal(&under->network, &ctx->network) ? root_standing(ctx, out_standing)
                                                                : CAIRN_NOT_FOUND;
    CAIRN_TRY(cairn_evidence_get(ctx, &under->grant, &evidence));
    if (!cairn_grant_read(&evidence.entry, &grant))
        return CAIRN_NOT_FOUND;
    standing_of_grant(&grant, evidence.depth, out_standing);
    return CAIRN_OK;
}

enum cairn_status cairn_author_counts(struct cairn_context *ctx, const struct cairn_hash *log_id,
                                      uint32_t index, bool *out_counts)
{
    struct cairn_log log;
    enum cairn_status status = cairn_log_find(ctx, log_id, &log);

    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    *out_counts = status == CAIRN_NOT_FOUND || !log.is_known || index >= cairn_log_size(&log) ||
                  index < log.force_end;
    return CAIRN_OK;
}

enum cairn_status cairn_revocations_visit(struct cairn_context *ctx, const struct cairn_ref *grant,
                                          cairn_revocation_fn *visit, void *context)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_REVOKED);
    struct cairn_walk walk;
    enum cairn_status status;

    cairn_key_ref(&prefix, grant);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_hash by_log = cairn_read_hash(&walk.key);
        uint32_t by_index = cairn_read_u32be(&walk.key);
        bool counts;
        status =
            walk.key.failed ? CAIRN_CORRUPT : cairn_author_counts(ctx, &by_log, by_index, &counts);
        if (status == CAIRN_OK && counts)
            status = visit(context, ctx, &by_log, by_index);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status note_revoked(void *context, struct cairn_context *ctx,
                                      const struct cairn_hash *by_log, uint32_t by_index)
{
    (void)ctx;
    (void)by_log;
    (void)by_index;
    *(bool *)context = true;
    return CAIRN_OK;
}

enum cairn_status cairn_grant_is_revoked(struct cairn_context *ctx, const struct cairn_ref *grant,
                                         bool *out_is_revoked)
{
    *out_is_revoked = false;
    return cairn_revocations_visit(ctx, grant, note_revoked, out_is_revoked);
}

/* Where the log ends that evidence at (log, index) stands in, written under `under`: as held, when
 * it reaches that far; else as the cuts leave it, as nobody who knows them takes the rest of it. */
static enum cairn_status evidence_end(struct cairn_context *ctx, const struct cairn_ref *ref,
                                      const struct cairn_under *under, uint32_t *out_end)
{
    struct cairn_log log;
    enum cairn_status status = cairn_log_find(ctx, &ref->log, &log);

    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    if (status == CAIRN_OK && log.is_known && ref->index < cairn_log_size(&log)) {
        *out_end = log.force_end;
        return CAIRN_OK;
    }
    if (status == CAIRN_NOT_FOUND || !log.is_known)
        log = (struct cairn_log){.id = ref->log};
    log.under = *under;
    return cairn_cuts_end(ctx, &log, out_end);
}

enum cairn_status cairn_under_stands(struct cairn_context *ctx, const struct cairn_under *under,
                                     bool *out_stands)
{
    struct cairn_under at = *under;

    *out_stands = true;
    for (unsigned depth = 0; *out_stands && !at.is_root; depth++) {
        struct cairn_standing standing;
        uint32_t end;
        if (depth == CAIRN_CHAIN_MAX)
            return CAIRN_CORRUPT;
        CAIRN_TRY(cairn_standing_get(ctx, &at, &standing));
        CAIRN_TRY(evidence_end(ctx, &at.grant, &standing.grant.under, &end));
        *out_stands = at.grant.index < end;
        at = standing.grant.under;
    }
    return CAIRN_OK;
}

enum cairn_status cairn_evidence_stands(struct cairn_context *ctx, const struct cairn_ref *ref,
                                        const struct cairn_under *under, bool *out_stands)
{
    uint32_t end;

    CAIRN_TRY(evidence_end(ctx, ref, under, &end));
    *out_stands = ref->index < end;
    return *out_stands ? cairn_under_stands(ctx, under, out_stands) : CAIRN_OK;
}

enum cairn_status cairn_standing_in_force(struct cairn_context *ctx,
                                          const struct cairn_under *under, bool *out_in_force)
{
    bool is_revoked = false;

    if (!under->is_root)
        CAIRN_TRY(cairn_grant_is_revoked(ctx, &under->grant, &is_revoked));
    *out_in_force = false;
    return is_revoked ? CAIRN_OK : cairn_under_stands(ctx, under, out_in_force);
}

/* ---- judging ------------------------------------------------------------------------------- */

static struct cairn_verdict verdict_of(enum cairn_validity validity, enum cairn_reason reason)
{
    return (struct cairn_verdict){.validity = validity, .reason = reason};
}

bool cairn_standing_may_make(const struct cairn_standing *author, uint64_t role)
{
    bool is_office = author->role <= CAIRN_ROLE_STATION;

    return author->is_root || role > CAIRN_ROLE_STATION || (is_office && role >= author->role);
}

/* Is the holder of `under` a proper ancestor of the holder of `below`? */
static enum cairn_status is_above(struct cairn_context *ctx, const struct cairn_under *under,
                                  struct cairn_under below, bool *out_is_above)
{
    *out_is_above = false;
    for (unsigned depth = 0; depth <= CAIRN_CHAIN_MAX && !below.is_root; depth++) {
        struct cairn_standing standing;
        CAIRN_TRY(cairn_standing_get(ctx, &below, &standing));
        below = standing.grant.under;
        if (cairn_under_equal(&below, under)) {
            *out_is_above = true;
            return CAIRN_OK;
        }
    }
    return CAIRN_OK;
}

static struct cairn_verdict grant_judge(const struct cairn_standing *author,
                                        const struct cairn_grant *grant)
{
    if (author->depth + 1 > CAIRN_CHAIN_MAX)
        return verdict_of(CAIRN_INVALID, CAIRN_WHY_DEPTH);
    bool is_wider =
        (grant->channels & ~author->channels) != 0 || (grant->rights & ~author->rights) != 0;
    if ((author->rights & CAIRN_RIGHT_DELEGATE) == 0 || is_wider ||
        !cairn_standing_may_make(author, grant->role) ||
        !cairn_scope_contains(author->scope, grant->scope) ||
        cairn_sign_key_check(&grant->keys.seal) != CAIRN_OK ||
        cairn_noise_key_check(&grant->keys.noise) != CAIRN_OK ||
        cairn_noise_key_check(&grant->keys.bundle) != CAIRN_OK ||
        (grant->has_checkpoint_key && cairn_sign_key_check(&grant->keys.checkpoint) != CAIRN_OK))
        return verdict_of(CAIRN_INVALID, CAIRN_WHY_NO_RIGHT);
    return verdict_of(CAIRN_VALID, CAIRN_WHY_NONE);
}

/* Judged again when the log has the entry that `ref` names. */
static enum cairn_status wait_for(struct cairn_context *ctx, const struct cairn_ref *ref,
                                  struct cairn_verdict *out_verdict)
{
    struct cairn_log log;

    CAIRN_TRY(cairn_log_mention(ctx, &ref->log, &log));
    *out_verdict = verdict_of(CAIRN_WAITING, CAIRN_WHY_NOT_HERE_YET);
    out_verdict->waits_for_log = log.no;
    out_verdict->waits_for_size = ref->index + 1;
    return CAIRN_OK;
}

static enum cairn_status sequencer_judge(struct cairn_context *ctx,
                                         const struct cairn_standing *author,
                                         const struct cairn_sequencer *sequencer,
                                         struct cairn_verdict *out_verdict)
{
    struct cairn_under server = {.grant = sequencer->server};
    struct cairn_standing standing;

    enum cairn_status status = cairn_standing_get(ctx, &server, &standing);
    if (status == CAIRN_NOT_FOUND)
        return wait_for(ctx, &server.grant, out_verdict);
    CAIRN_TRY(status);
    bool is_good = (author->rights & CAIRN_RIGHT_DELEGATE) != 0 &&
                   cairn_scope_contains(author->scope, sequencer->scope) &&
                   standing.grant.has_checkpoint_key && standing.role == CAIRN_ROLE_SERVER;
    *out_verdict = verdict_of(is_good ? CAIRN_VALID : CAIRN_INVALID,
                              is_good ? CAIRN_WHY_NONE : CAIRN_WHY_NO_RIGHT);
    return CAIRN_OK;
}

static enum cairn_status above_judge(struct cairn_context *ctx, const struct cairn_under *under,
                                     const struct cairn_under *below,
                                     struct cairn_verdict *out_verdict)
{
    bool above;
    enum cairn_status status = is_above(ctx, under, *below, &above);

    if (status == CAIRN_NOT_FOUND)
        return wait_for(ctx, &below->grant, out_verdict);
    CAIRN_TRY(status);
    *out_verdict = verdict_of(above ? CAIRN_VALID : CAIRN_INVALID,
                              above ? CAIRN_WHY_NONE : CAIRN_WHY_NOT_ABOVE);
    return CAIRN_OK;
}

/* The grant under which a log that a cut or adoption names is written. */
static enum cairn_status log_judge(struct cairn_context *ctx, const struct cairn_under *under,
                                   const struct cairn_hash *log_id,
                                   struct cairn_verdict *out_verdict)
{
    struct cairn_log log;

    CAIRN_TRY(cairn_log_mention(ctx, log_id, &log));
    /* Of a log that its device gave up to the last entry nothing is handed on. */
    if (!log.is_known || cairn_log_size(&log) == 0) {
        *out_verdict = verdict_of(CAIRN_WAITING, CAIRN_WHY_NOT_HERE_YET);
        out_verdict->waits_for_log = log.no;
        out_verdict->waits_for_size = 1;
        return CAIRN_OK;
    }
    return above_judge(ctx, under, &log.under, out_verdict);
}

/* A table is judged by its content and by the version before, which it names by its hash. */
static enum cairn_status schema_judge(struct cairn_context *ctx,
                                      const struct cairn_standing *author,
                                      const struct cairn_schema_entry *schema,
                                      struct cairn_verdict *out_verdict)
{
    if (!author->is_root) {
        *out_verdict = verdict_of(CAIRN_INVALID, CAIRN_WHY_NO_RIGHT);
        return CAIRN_OK;
    }
    enum cairn_status status =
        cairn_schema_admissible(ctx, schema->version, &schema->previous, schema->table);
    if (status == CAIRN_NOT_FOUND) {
        *out_verdict = verdict_of(CAIRN_WAITING, CAIRN_WHY_NOT_HERE_YET);
        out_verdict->waits_for_log = CAIRN_WAITS_FOR_SCHEMA;
        out_verdict->waits_for_size = (uint32_t)schema->version - 1;
        return CAIRN_OK;
    }
    if (status == CAIRN_MALFORMED)
        *out_verdict = verdict_of(CAIRN_INVALID, CAIRN_WHY_BAD_SCHEMA);
    else if (status == CAIRN_FORKED)
        *out_verdict = verdict_of(CAIRN_INVALID, CAIRN_WHY_OTHER_SCHEMA);
    else if (status == CAIRN_OK)
        *out_verdict = verdict_of(CAIRN_VALID, CAIRN_WHY_NONE);
    else
        return status;
    return CAIRN_OK;
}

static enum cairn_status kind_judge(struct cairn_context *ctx, const struct cairn_standing *author,
                                    const struct cairn_under *under,
                                    const struct cairn_entry *entry,
                                    struct cairn_verdict *out_verdict)
{
    struct cairn_grant grant;
    struct cairn_sequencer sequencer;
    struct cairn_revocation revocation;
    struct cairn_close close;
    struct cairn_adopt adopt;
    struct cairn_schema_entry schema;
    struct cairn_redaction redaction;

    *out_verdict = verdict_of(CAIRN_INVALID, CAIRN_WHY_SHAPE);
    switch (entry->kind) {
    case CAIRN_KIND_GRANT:
        if (cairn_grant_read(entry, &grant))
            *out_verdict = grant_judge(author, &grant);
        return CAIRN_OK;
    case CAIRN_KIND_SEQUENCER:
        return cairn_sequencer_read(entry, &sequencer)
                   ? sequencer_judge(ctx, author, &sequencer, out_verdict)
                   : CAIRN_OK;
    case CAIRN_KIND_REVOCATION:
        return cairn_revocation_read(entry, &revocation)
                   ? above_judge(ctx, under, &(struct cairn_under){.grant = revocation.grant},
                                 out_verdict)
                   : CAIRN_OK;
    case CAIRN_KIND_CLOSE:
        return cairn_close_read(entry, &close) ? log_judge(ctx, under, &close.cut.log, out_verdict)
                                               : CAIRN_OK;
    case CAIRN_KIND_ADOPT:
        return cairn_adopt_read(entry, &adopt) ? log_judge(ctx, under, &adopt.log, out_verdict)
                                               : CAIRN_OK;
    case CAIRN_KIND_SCHEMA:
        return cairn_schema_entry_read(entry, &schema)
                   ? schema_judge(ctx, author, &schema, out_verdict)
                   : CAIRN_OK;
    case CAIRN_KIND_REDACTION:
        if (cairn_redaction_read(entry, &redaction))
            *out_verdict = verdict_of(CAIRN_WAITING, CAIRN_WHY_NEWER);
        return CAIRN_OK;
    default:
        *out_verdict = verdict_of(CAIRN_WAITING, CAIRN_WHY_NEWER);
        return CAIRN_OK;
    }
}

enum cairn_status cairn_authority_judge(struct cairn_context *ctx, struct cairn_scope log_scope,
                                        const struct cairn_sign_public *device,
                                        const struct cairn_entry *entry,
                                        struct cairn_verdict *out_verdict)
{
    struct cairn_reader reader = entry->body;
    struct cairn_standing author;

    if (entry->kind < CAIRN_KIND_GRANT || entry->kind > CAIRN_KIND_REDACTION) {
        *out_verdict = verdict_of(CAIRN_WAITING, CAIRN_WHY_NEWER);
        return CAIRN_OK;
    }
    struct cairn_under under = cairn_under_read(&reader);
    if (reader.failed) {
        *out_verdict = verdict_of(CAIRN_INVALID, CAIRN_WHY_SHAPE);
        return CAIRN_OK;
    }
    enum cairn_status status = cairn_standing_get(ctx, &under, &author);
    if (status == CAIRN_NOT_FOUND && !under.is_root)
        return wait_for(ctx, &under.grant, out_verdict);
    if (status == CAIRN_NOT_FOUND) { /* the root of another network */
        *out_verdict = verdict_of(CAIRN_INVALID, CAIRN_WHY_OTHER_BASIS);
        return CAIRN_OK;
    }
    CAIRN_TRY(status);
    /* Whoever writes, where and under what must be one: else a grant could be borrowed. */
    if (memcmp(author.seal_key.bytes, device->bytes, sizeof device->bytes) != 0 ||
        author.scope.code != log_scope.code || (author.channels & CAIRN_BIT_AUTHORITY) == 0) {
        *out_verdict = verdict_of(CAIRN_INVALID, CAIRN_WHY_OTHER_BASIS);
        return CAIRN_OK;
    }
    return kind_judge(ctx, &author, &under, entry, out_verdict);
}
