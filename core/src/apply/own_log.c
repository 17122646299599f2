#include "own_log.h"

#include <sodium.h>
#include <string.h>

#include "apply.h"
#include "basis.h"
#include "cairn/seal.h"
#include "force.h"
#include "schema.h"
#include "verdict.h"

/* What this device seals at once: so small that many fit a message, whatever stands beside it. */
#define OWN_BATCH_BYTES_MAX 8192
#define OWN_BATCH_ENTRIES_MAX 1024

static struct cairn_key own_key(const struct cairn_author *author, struct cairn_scope scope,
                                enum cairn_channel channel)
{
    struct cairn_key key = cairn_key_meta("own");

    cairn_key_u32(&key, (uint32_t)author->generation);
    cairn_key_scope(&key, scope);
    cairn_key_u8(&key, (uint8_t)channel);
    return key;
}

enum cairn_status cairn_own_log_find(struct cairn_context *ctx, const struct cairn_author *author,
                                     struct cairn_scope scope, enum cairn_channel channel,
                                     struct cairn_log *out_log)
{
    struct cairn_key key = own_key(author, scope, channel);
    uint32_t no;

    CAIRN_TRY(cairn_u32_get(ctx, &key, &no));
    return cairn_log_load(ctx, no, out_log);
}

/* The head of this device's log of an earlier generation, if there is one. */
static enum cairn_status predecessor_find(struct cairn_context *ctx,
                                          const struct cairn_author *author,
                                          struct cairn_scope scope, enum cairn_channel channel,
                                          struct cairn_basis *basis)
{
    for (uint64_t generation = author->generation; generation-- > 1;) {
        struct cairn_author before = {.generation = generation};
        struct cairn_log log;
        enum cairn_status status = cairn_own_log_find(ctx, &before, scope, channel, &log);
        if (status == CAIRN_NOT_FOUND)
            continue;
        CAIRN_TRY(status);
        basis->has_predecessor = true;
        basis->predecessor =
            (struct cairn_head){log.id, cairn_log_size(&log), cairn_log_root(&log)};
        return CAIRN_OK;
    }
    return CAIRN_OK;
}

static enum cairn_status own_log_begin(struct cairn_context *ctx, const struct cairn_author *author,
                                       struct cairn_scope scope, enum cairn_channel channel,
                                       struct cairn_log *out_log)
{
    struct cairn_log log = {.device = author->keys->open.seal,
                            .scope = scope,
                            .channel = channel,
                            .own_generation = author->generation,
                            .secret_kind = CAIRN_RUN_SECRET,
                            .under = author->under,
                            .force_end = CAIRN_NO_END};
    struct cairn_basis basis = {.under = author->under};
    struct cairn_secret secret;
    struct cairn_writer writer;
    uint8_t bytes[512], no_bytes[4];
    struct cairn_key key = own_key(author, scope, channel);

    author->ports->ops->random(author->ports, log.incarnation.bytes, sizeof log.incarnation.bytes);
    author->ports->ops->random(author->ports, log.secret.bytes, sizeof log.secret.bytes);
    log.id = cairn_log_id(&ctx->network, &log.device, scope, channel, &log.incarnation);
    cairn_tree_init(&log.tree);
    CAIRN_TRY(cairn_schema_newest(ctx, &basis.schema_version));
    memcpy(secret.bytes, log.secret.bytes, sizeof secret.bytes);
    basis.secret_hash = cairn_secret_hash(&secret);
    sodium_memzero(&secret, sizeof secret);
    CAIRN_TRY(predecessor_find(ctx, author, scope, channel, &basis));
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_basis_write(&writer, author->now_s, &basis);
    CAIRN_ASSERT(!writer.overflowed);
    CAIRN_TRY(cairn_log_begin(ctx, &log));
    /* A revocation held here may not list it. */
    CAIRN_TRY(cairn_force_end(ctx, &log, &log.force_end));
    CAIRN_TRY(cairn_apply_own(ctx, author, &log, cairn_writer_bytes(&writer), 1));
    cairn_writer_init(&writer, no_bytes, sizeof no_bytes);
    cairn_write_u32be(&writer, log.no);
    CAIRN_TRY(cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer)));
    *out_log = log;
    return CAIRN_OK;
}

/* What this device writes from here on is judged by the newest schema: its own forms show that. */
static enum cairn_status own_log_renew(struct cairn_context *ctx, const struct cairn_author *author,
                                       struct cairn_log *log)
{
    struct cairn_basis basis = {.under = log->under};
    struct cairn_secret secret;
    struct cairn_writer writer;
    uint8_t bytes[512];

    CAIRN_TRY(cairn_schema_newest(ctx, &basis.schema_version));
    /* Authority entries do not rest on a schema. */
    if (log->channel == CAIRN_CHANNEL_AUTHORITY || basis.schema_version <= log->schema_version)
        return CAIRN_OK;
    memcpy(secret.bytes, log->secret.bytes, sizeof secret.bytes);
    basis.secret_hash = cairn_secret_hash(&secret);
    sodium_memzero(&secret, sizeof secret);
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_basis_write(&writer, author->now_s, &basis);
    CAIRN_ASSERT(!writer.overflowed);
    return cairn_apply_own(ctx, author, log, cairn_writer_bytes(&writer), 1);
}

enum cairn_status cairn_own_log(struct cairn_context *ctx, const struct cairn_author *author,
                                struct cairn_scope scope, enum cairn_channel channel,
                                struct cairn_log *out_log)
{
    enum cairn_status status = cairn_own_log_find(ctx, author, scope, channel, out_log);

    if (status == CAIRN_NOT_FOUND)
        return own_log_begin(ctx, author, scope, channel, out_log);
    CAIRN_TRY(status);
    return own_log_renew(ctx, author, out_log);
}

static const char *reason_word(const struct cairn_context *ctx, enum cairn_reason reason)
{
    const char *text = cairn_reason_text(reason);

    return ctx->err == NULL || ctx->err->translate == NULL ? text : ctx->err->translate(text);
}

/* Entries that fit one run of a message, under one seal. */
static enum cairn_status own_batch(struct cairn_context *ctx, const struct cairn_author *author,
                                   struct cairn_log *log, struct cairn_bytes entries,
                                   uint32_t count)
{
    struct cairn_batch batch;
    struct cairn_signature seal;
    uint32_t from = cairn_log_size(log);
    uint64_t refused = ctx->tally.without_effect;
    bool moves_force = false;

    CAIRN_ASSERT(log->channel == CAIRN_CHANNEL_RECORDS || count == 1);
    CAIRN_TRY(cairn_batch_hash(ctx, log, &log->tree, entries, count, &batch));
    CAIRN_TRY(cairn_bases_check(ctx, log, &batch));
    struct cairn_head head = {log->id, (uint32_t)batch.tree.size, cairn_tree_root(&batch.tree)};
    cairn_seal_sign(&author->keys->seal, &head, &seal);
    CAIRN_TRY(cairn_batch_apply(ctx, log, &batch, &seal, NULL, 0, &moves_force));
    if (ctx->tally.without_effect != refused) {
        struct cairn_verdict verdict = {.reason = CAIRN_WHY_NONE};
        for (uint32_t i = from; i < cairn_log_size(log) && verdict.reason == CAIRN_WHY_NONE; i++)
            CAIRN_TRY(cairn_verdict_get(ctx, log->no, i, &verdict));
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "This cannot be written: %s.",
                          reason_word(ctx, verdict.reason));
    }
    /* Never goes back, whatever is abandoned: the high-water mark (restore.h) is compared
     * with it. */
    uint64_t own;
    CAIRN_TRY(cairn_meta_number(ctx, "own-entries", &own));
    CAIRN_TRY(cairn_meta_number_put(ctx, "own-entries", own + count));
    return cairn_log_has_grown(ctx, log, from, moves_force);
}

enum cairn_status cairn_apply_own(struct cairn_context *ctx, const struct cairn_author *author,
                                  struct cairn_log *log, struct cairn_bytes entries, uint32_t count)
{
    struct cairn_reader reader;

    /* A log travels from seal to seal: what one seal covers must fit a message. */
    cairn_reader_init(&reader, entries);
    while (count > 0) {
        size_t begin = reader.pos, end = begin;
        uint32_t taken = 0;
        while (taken < count && taken < OWN_BATCH_ENTRIES_MAX) {
            cairn_cbor_skip(&reader);
            if (taken > 0 && reader.pos - begin > OWN_BATCH_BYTES_MAX)
                break;
            end = reader.pos;
            taken++;
        }
        reader.pos = end;
        CAIRN_TRY(own_batch(ctx, author, log,
                            (struct cairn_bytes){entries.data + begin, end - begin}, taken));
        count -= taken;
    }
    return CAIRN_OK;
}
