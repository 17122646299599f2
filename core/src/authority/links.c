#include "links.h"

#include "cairn/seal.h"
#include "evidence.h"

/* The head that a link's seal must sign, from the statement or grant it is written under. */
static enum cairn_status link_head(struct cairn_context *ctx, const struct cairn_link *link,
                                   const struct cairn_standing *author, struct cairn_head *out_head,
                                   struct cairn_hash *out_leaf)
{
    struct cairn_hash leaf = cairn_leaf_closed(&link->blinding, link->entry);

    out_head->log = cairn_log_id(&ctx->network, &author->seal_key, author->scope,
                                 CAIRN_CHANNEL_AUTHORITY, &link->incarnation);
    out_head->size = link->index + 1;
    *out_leaf = leaf;
    return cairn_merkle_path_root(link->index, (uint64_t)link->index + 1, &leaf, link->path,
                                  link->path_count, &out_head->root);
}

/* Somebody may wait for this entry in its log. */
static enum cairn_status linked_note(struct cairn_context *ctx, const struct cairn_ref *ref)
{
    struct cairn_log log;
    enum cairn_status status = cairn_log_find(ctx, &ref->log, &log);

    if (status != CAIRN_OK)
        return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
    struct cairn_grown linked = {log.no, ref->index + 1};
    cairn_buffer_add(&ctx->linked, &linked, sizeof linked);
    return cairn_buffer_status(&ctx->linked);
}

enum cairn_status cairn_link_admit(struct cairn_context *ctx, const struct cairn_link *link)
{
    struct cairn_entry entry;
    struct cairn_standing author;
    struct cairn_head head;
    struct cairn_ref ref = {.index = link->index};
    struct cairn_evidence held;
    struct cairn_verdict verdict;
    bool moves_force = false;

    CAIRN_TRY(cairn_entry_read(link->entry, &entry));
    struct cairn_reader reader = entry.body;
    struct cairn_under under = cairn_under_read(&reader);
    if (reader.failed || entry.kind < CAIRN_KIND_GRANT || entry.kind > CAIRN_KIND_REDACTION)
        return CAIRN_MALFORMED;
    CAIRN_TRY(cairn_standing_get(ctx, &under, &author));
    CAIRN_TRY(link_head(ctx, link, &author, &head, &ref.leaf));
    ref.log = head.log;
    enum cairn_status status = cairn_evidence_get(ctx, &ref, &held);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    if (status == CAIRN_NOT_FOUND) {
        if (!cairn_seal_verify(ctx->verifier, &author.seal_key, &head, &link->seal))
            return CAIRN_BAD_SIGNATURE;
        CAIRN_TRY(cairn_authority_judge(ctx, author.scope, &author.seal_key, &entry, &verdict));
        bool is_schema = entry.kind == CAIRN_KIND_SCHEMA;
        /* Its log brings it again; what rests on it parks till then. */
        if (verdict.validity == CAIRN_WAITING && !is_schema)
            return CAIRN_NOT_FOUND;
        if (verdict.validity == CAIRN_INVALID && !is_schema)
            return CAIRN_REFUSED;
        /* What cuts or adopts works from its log alone: there its own place in force is known. */
        bool is_basis_of_others = entry.kind == CAIRN_KIND_GRANT ||
                                  entry.kind == CAIRN_KIND_SEQUENCER ||
                                  entry.kind == CAIRN_KIND_SCHEMA;
        if (is_basis_of_others && verdict.validity == CAIRN_VALID) {
            CAIRN_TRY(cairn_authority_admit(ctx, &ref, link, &entry, &moves_force));
            CAIRN_TRY(linked_note(ctx, &ref));
        }
    }
    return CAIRN_OK;
}

enum cairn_status cairn_links_admit(struct cairn_context *ctx, struct cairn_list links)
{
    struct cairn_link link;

    while (cairn_link_next(&links, &link))
        CAIRN_TRY(cairn_link_admit(ctx, &link));
    return CAIRN_OK;
}

void cairn_link_set_init(struct cairn_link_set *set)
{
    cairn_buffer_init(&set->bytes, CAIRN_MESSAGE_UNPACKED_MAX);
    set->count = 0;
    set->ref_count = 0;
}

void cairn_link_set_release(struct cairn_link_set *set)
{
    cairn_buffer_release(&set->bytes);
}

static bool link_set_has(const struct cairn_link_set *set, const struct cairn_ref *ref)
{
    for (size_t i = 0; i < set->ref_count; i++)
        if (cairn_ref_equal(&set->refs[i], ref))
            return true;
    return false;
}

static enum cairn_status link_set_add(struct cairn_link_set *set, const struct cairn_ref *ref,
                                      struct cairn_bytes link_bytes)
{
    if (set->ref_count == CAIRN_LINKS_MAX)
        return CAIRN_LIMIT;
    set->refs[set->ref_count++] = *ref;
    cairn_buffer_add(&set->bytes, link_bytes.data, link_bytes.size);
    set->count++;
    return cairn_buffer_status(&set->bytes);
}

enum cairn_status cairn_link_set_chain(struct cairn_context *ctx, struct cairn_link_set *set,
                                       const struct cairn_under *under)
{
    struct cairn_ref chain[CAIRN_CHAIN_MAX];
    struct cairn_under at = *under;
    unsigned depth = 0;

    while (!at.is_root && !link_set_has(set, &at.grant)) {
        struct cairn_standing standing;
        if (depth == CAIRN_CHAIN_MAX)
            return CAIRN_LIMIT;
        CAIRN_TRY(cairn_standing_get(ctx, &at, &standing));
        chain[depth++] = at.grant;
        at = standing.grant.under;
    }
    while (depth-- > 0) {
        struct cairn_evidence evidence;
        CAIRN_TRY(cairn_evidence_get(ctx, &chain[depth], &evidence));
        CAIRN_TRY(link_set_add(set, &chain[depth], evidence.link_bytes));
    }
    return CAIRN_OK;
}

enum cairn_status cairn_link_set_entry(struct cairn_context *ctx, struct cairn_link_set *set,
                                       const struct cairn_ref *ref)
{
    struct cairn_evidence evidence;

    if (link_set_has(set, ref))
        return CAIRN_OK;
    CAIRN_TRY(cairn_evidence_get(ctx, ref, &evidence));
    struct cairn_reader reader = evidence.entry.body;
    struct cairn_under under = cairn_under_read(&reader);
    CAIRN_TRY(cairn_link_set_chain(ctx, set, &under));
    return link_set_add(set, ref, evidence.link_bytes);
}
