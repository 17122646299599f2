/* What admitted authority entries leave in tables, and the look-ups in them; declared in
 * authority.h. */

#include <string.h>

#include "authority.h"
#include "cuts.h"
#include "evidence.h"
#include "schema.h"

/* ---- admitting ----------------------------------------------------------------------------- */

static enum cairn_status ref_put(struct cairn_context *ctx, const struct cairn_key *key,
                                 const struct cairn_ref *ref)
{
    struct cairn_writer writer;
    uint8_t bytes[80];

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_ref_write(&writer, ref);
    return cairn_kv_put(ctx, key, cairn_writer_bytes(&writer));
}

/* A row of a table in which several entries may say something of one thing: whose word holds is
 * asked when it is looked up, as the cuts that are known then decide. */
static enum cairn_status saying_put(struct cairn_context *ctx, struct cairn_key key,
                                    const struct cairn_ref *ref)
{
    cairn_key_ref(&key, ref);
    return cairn_kv_put(ctx, &key, (struct cairn_bytes){NULL, 0});
}

static struct cairn_key device_key(enum cairn_table table, const uint8_t key_bytes[static 32])
{
    struct cairn_key key = cairn_key(table);
    struct cairn_hash hash;

    memcpy(hash.bytes, key_bytes, sizeof hash.bytes);
    cairn_key_hash(&key, &hash);
    return key;
}

static enum cairn_status ref_get(struct cairn_context *ctx, const struct cairn_key *key,
                                 struct cairn_ref *out_ref)
{
    struct cairn_bytes value;
    struct cairn_reader reader;

    CAIRN_TRY(cairn_kv_get(ctx, key, &value));
    cairn_reader_init(&reader, value);
    struct cairn_ref ref = cairn_ref_read(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return CAIRN_CORRUPT;
    *out_ref = ref;
    return CAIRN_OK;
}

static struct cairn_key sequencer_key(struct cairn_scope scope)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_SEQUENCER);

    cairn_key_scope(&key, scope);
    return key;
}

static struct cairn_key revoked_key(const struct cairn_ref *grant, const struct cairn_ref *by)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_REVOKED);

    cairn_key_ref(&key, grant);
    cairn_key_hash(&key, &by->log);
    cairn_key_u32(&key, by->index);
    return key;
}

static struct cairn_key adopted_key(const struct cairn_adopt *adopt, const struct cairn_ref *by)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_ADOPTED);

    cairn_key_hash(&key, &adopt->log);
    cairn_key_u32(&key, adopt->from);
    cairn_key_hash(&key, &by->log);
    cairn_key_u32(&key, by->index);
    return key;
}

static enum cairn_status revocation_admit(struct cairn_context *ctx, const struct cairn_ref *ref,
                                          const struct cairn_revocation *revocation)
{
    struct cairn_key key = revoked_key(&revocation->grant, ref);
    struct cairn_items cuts = revocation->cuts;
    struct cairn_head cut;

    CAIRN_TRY(cairn_kv_put(ctx, &key, (struct cairn_bytes){NULL, 0}));
    while (cairn_cut_next(&cuts, &cut))
        CAIRN_TRY(cairn_cut_put(ctx, ref, &revocation->grant, &cut));
    uint64_t count;
    return cairn_meta_next(ctx, "cuts", &count);
}

static enum cairn_status close_admit(struct cairn_context *ctx, const struct cairn_ref *ref,
                                     const struct cairn_close *close)
{
    struct cairn_log log;
    uint64_t count;

    CAIRN_TRY(cairn_log_find(ctx, &close->cut.log, &log)); /* it was judged by its grant */
    CAIRN_TRY(cairn_cut_put(ctx, ref, &log.under.grant, &close->cut));
    return cairn_meta_next(ctx, "cuts", &count);
}

static enum cairn_status adopt_admit(struct cairn_context *ctx, const struct cairn_ref *ref,
                                     const struct cairn_adopt *adopt)
{
    struct cairn_key key = adopted_key(adopt, ref);
    struct cairn_writer writer;
    uint8_t bytes[40];

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_u32be(&writer, adopt->to);
    cairn_write_bytes(&writer, adopt->root.bytes, 32);
    CAIRN_TRY(cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer)));
    uint64_t count;
    return cairn_meta_next(ctx, "cuts", &count);
}

static enum cairn_status schema_admit(struct cairn_context *ctx, const struct cairn_ref *ref,
                                      const struct cairn_schema_entry *schema)
{
    struct cairn_key key = cairn_key_meta("schema-ref");

    CAIRN_TRY(cairn_schema_admit(ctx, schema->version, &schema->previous, schema->table));
    cairn_key_u32(&key, (uint32_t)schema->version);
    return ref_put(ctx, &key, ref);
}

enum cairn_status cairn_schema_ref(struct cairn_context *ctx, uint64_t version,
                                   struct cairn_ref *out_ref)
{
    struct cairn_key key = cairn_key_meta("schema-ref");

    cairn_key_u32(&key, (uint32_t)version);
    return ref_get(ctx, &key, out_ref);
}

enum cairn_status cairn_authority_admit(struct cairn_context *ctx, const struct cairn_ref *ref,
                                        const struct cairn_link *link,
                                        const struct cairn_entry *entry, bool *out_moves_force)
{
    struct cairn_grant grant;
    struct cairn_standing author;
    struct cairn_sequencer sequencer;
    struct cairn_revocation revocation;
    struct cairn_close close;
    struct cairn_adopt adopt;
    struct cairn_schema_entry schema;
    unsigned depth = 0;

    if (cairn_grant_read(entry, &grant)) {
        CAIRN_TRY(cairn_standing_get(ctx, &grant.under, &author));
        depth = author.depth + 1;
        CAIRN_TRY(saying_put(ctx, device_key(CAIRN_TABLE_NOISE, grant.keys.noise.bytes), ref));
        CAIRN_TRY(saying_put(ctx, device_key(CAIRN_TABLE_SEAL_KEY, grant.keys.seal.bytes), ref));
    }
    CAIRN_TRY(cairn_evidence_put(ctx, ref, depth, link));
    if (cairn_sequencer_read(entry, &sequencer))
        CAIRN_TRY(saying_put(ctx, sequencer_key(sequencer.scope), ref));
    if (cairn_schema_entry_read(entry, &schema))
        CAIRN_TRY(schema_admit(ctx, ref, &schema));
    if (cairn_revocation_read(entry, &revocation)) {
        CAIRN_TRY(revocation_admit(ctx, ref, &revocation));
        *out_moves_force = true;
    }
    if (cairn_close_read(entry, &close)) {
        CAIRN_TRY(close_admit(ctx, ref, &close));
        *out_moves_force = true;
    }
    if (cairn_adopt_read(entry, &adopt)) {
        CAIRN_TRY(adopt_admit(ctx, ref, &adopt));
        *out_moves_force = true;
    }
    return CAIRN_OK;
}

enum cairn_status cairn_authority_forget(struct cairn_context *ctx, const struct cairn_ref *ref,
                                         const struct cairn_entry *entry)
{
    struct cairn_revocation revocation;
    struct cairn_close close;
    struct cairn_adopt adopt;

    if (cairn_revocation_read(entry, &revocation)) {
        struct cairn_key key = revoked_key(&revocation.grant, ref);
        struct cairn_head cut;
        CAIRN_TRY(cairn_kv_del(ctx, &key));
        while (cairn_cut_next(&revocation.cuts, &cut))
            CAIRN_TRY(cairn_cut_drop(ctx, ref, &cut.log));
    }
    if (cairn_close_read(entry, &close))
        CAIRN_TRY(cairn_cut_drop(ctx, ref, &close.cut.log));
    if (cairn_adopt_read(entry, &adopt)) {
        struct cairn_key key = adopted_key(&adopt, ref);
        CAIRN_TRY(cairn_kv_del(ctx, &key));
    }
    return CAIRN_OK;
}

/* ---- look-ups ------------------------------------------------------------------------------ */

/* Visit the entries that say something of what `prefix` names, in order of (log, index); NOT_FOUND
 * from `visit` is passed over. */
typedef enum cairn_status saying_fn(void *context, struct cairn_context *ctx,
                                    const struct cairn_ref *ref);

static enum cairn_status sayings_visit(struct cairn_context *ctx, const struct cairn_key *prefix,
                                       saying_fn *visit, void *context)
{
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(ctx, prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_ref ref = {.log = cairn_read_hash(&walk.key)};
        ref.index = cairn_read_u32be(&walk.key);
        ref.leaf = cairn_read_hash(&walk.key);
        status = walk.key.failed ? CAIRN_CORRUPT : visit(context, ctx, &ref);
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

struct best_grant {
    struct cairn_ref ref;
    bool is_found, in_force;
};

static enum cairn_status grant_compare(void *context, struct cairn_context *ctx,
                                       const struct cairn_ref *ref)
{
    struct best_grant *best = context;
    bool in_force;

    CAIRN_TRY(cairn_standing_in_force(ctx, &(struct cairn_under){.grant = *ref}, &in_force));
    bool is_later = cairn_hash_equal(&ref->log, &best->ref.log)
                        ? ref->index > best->ref.index
                        : cairn_hash_compare(&ref->leaf, &best->ref.leaf) > 0;
    if (!best->is_found || (in_force == best->in_force ? is_later : in_force))
        *best = (struct best_grant){.ref = *ref, .is_found = true, .in_force = in_force};
    return CAIRN_OK;
}

/* Of several grants one in force; of those the office's last, and of two offices' the greater leaf.
 */
static enum cairn_status grant_of_key(struct cairn_context *ctx, enum cairn_table table,
                                      const uint8_t key_bytes[static 32], struct cairn_ref *out_ref)
{
    struct cairn_key prefix = device_key(table, key_bytes);
    struct best_grant best = {.is_found = false};

    CAIRN_TRY(sayings_visit(ctx, &prefix, grant_compare, &best));
    if (!best.is_found)
        return CAIRN_NOT_FOUND;
    *out_ref = best.ref;
    return CAIRN_OK;
}

enum cairn_status cairn_grant_of_noise_key(struct cairn_context *ctx,
                                           const struct cairn_noise_key *key,
                                           struct cairn_ref *out_ref)
{
    return grant_of_key(ctx, CAIRN_TABLE_NOISE, key->bytes, out_ref);
}

enum cairn_status cairn_grant_of_seal_key(struct cairn_context *ctx,
                                          const struct cairn_sign_public *key,
                                          struct cairn_ref *out_ref)
{
    return grant_of_key(ctx, CAIRN_TABLE_SEAL_KEY, key->bytes, out_ref);
}

struct best_sequencer {
    struct cairn_ref ref;
    struct cairn_sequencer sequencer;
    bool is_found;
};

static enum cairn_status sequencer_compare(void *context, struct cairn_context *ctx,
                                           const struct cairn_ref *ref)
{
    struct best_sequencer *best = context;
    struct cairn_evidence evidence;
    struct cairn_sequencer sequencer;
    bool stands;

    CAIRN_TRY(cairn_evidence_get(ctx, ref, &evidence));
    if (!cairn_sequencer_read(&evidence.entry, &sequencer))
        return CAIRN_CORRUPT;
    CAIRN_TRY(cairn_evidence_stands(ctx, ref, &sequencer.under, &stands));
    if (!stands)
        return CAIRN_OK;
    bool is_greater = sequencer.epoch == best->sequencer.epoch
                          ? cairn_hash_compare(&ref->leaf, &best->ref.leaf) > 0
                          : sequencer.epoch > best->sequencer.epoch;
    if (!best->is_found || is_greater)
        *best = (struct best_sequencer){*ref, sequencer, true};
    return CAIRN_OK;
}

/* The greatest epoch of those that no cut takes back; of two with one epoch the greater leaf. */
enum cairn_status cairn_sequencer_for(struct cairn_context *ctx, struct cairn_scope scope,
                                      struct cairn_sequencer_info *out_info)
{
    struct best_sequencer best = {.is_found = false};
    struct cairn_sequencer_info info;

    for (info.scope = scope;; info.scope = cairn_scope_parent(info.scope)) {
        struct cairn_key key = sequencer_key(info.scope);
        CAIRN_TRY(sayings_visit(ctx, &key, sequencer_compare, &best));
        if (best.is_found || info.scope.code == 0)
            break;
    }
    if (!best.is_found)
        return CAIRN_NOT_FOUND;
    info.ref = best.ref;
    info.epoch = best.sequencer.epoch;
    info.server = best.sequencer.server;
    memcpy(info.address, best.sequencer.address.data, best.sequencer.address.size);
    info.address[best.sequencer.address.size] = '\0';
    CAIRN_TRY(cairn_standing_get(ctx, &(struct cairn_under){.grant = info.server}, &info.standing));
    *out_info = info;
    return CAIRN_OK;
}

enum cairn_status cairn_grants_visit(struct cairn_context *ctx, cairn_grant_fn *visit,
                                     void *context)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_EVIDENCE);
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_evidence evidence;
        struct cairn_grant grant;
        struct cairn_ref ref;
        ref.log = cairn_read_hash(&walk.key);
        ref.index = cairn_read_u32be(&walk.key);
        ref.leaf = cairn_read_hash(&walk.key);
        status =
            walk.key.failed ? CAIRN_CORRUPT : cairn_evidence_decode(ctx, walk.value, &evidence);
        if (status != CAIRN_OK)
            break;
        if (cairn_grant_read(&evidence.entry, &grant))
            status = visit(context, ctx, &ref, &grant);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}
