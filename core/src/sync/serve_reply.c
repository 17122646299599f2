/* The server's side of an exchange (SPEC.md section 9): what it replies. */

#include <string.h>

#include "pack.h"
#include "serve_internal.h"

struct replying {
    struct cairn_serve *serve;
    struct cairn_context *ctx;
    struct cairn_standing standing;
    bool in_force; /* the grant; else it was revoked */
    struct cairn_outgoing out;
    uint64_t code, flags;
    const char *text;
};

/* Say how long each scope log is here that is longer there: its holder gives back the rest, and is
 * told of what this message has no room for when it asks again. */
static enum cairn_status behind_gather(struct replying *r)
{
    struct cairn_list scopes = r->serve->request.scopes;
    struct cairn_scope_size size;

    while (r->out.group_count < CAIRN_MESSAGE_ITEMS_MAX && cairn_scope_size_next(&scopes, &size)) {
        struct cairn_scope_log scope_log;
        CAIRN_TRY(cairn_scope_log_load(r->ctx, size.scope, size.channel, &scope_log));
        if (size.size > scope_log.tree.size)
            CAIRN_TRY(cairn_outgoing_size(&r->out, &scope_log));
    }
    return CAIRN_OK;
}

/* Compare the requester's roots with ours at its sizes. */
static enum cairn_status roots_compare(struct replying *r)
{
    const struct cairn_request *request = &r->serve->request;
    struct cairn_list scopes = request->scopes, roots = request->roots;
    struct cairn_hash *ours = cairn_arena_get(&r->ctx->arena, (scopes.left + 1) * sizeof *ours);
    struct cairn_scope_size size;
    size_t count = 0;
    uint8_t digest[16];

    if (ours == NULL)
        return CAIRN_NO_MEMORY;
    while (cairn_scope_size_next(&scopes, &size)) {
        struct cairn_scope_log scope_log;
        struct cairn_hash stated;
        CAIRN_TRY(cairn_scope_log_load(r->ctx, size.scope, size.channel, &scope_log));
        enum cairn_status status = cairn_scope_root_at(r->ctx, &scope_log, size.size, &ours[count]);
        if (status == CAIRN_NOT_FOUND) {
            r->code = CAIRN_REPLY_BEHIND;
            r->text = "a scope log is longer there than here";
            return behind_gather(r);
        }
        CAIRN_TRY(status);
        if ((request->flags & CAIRN_REQUEST_ROOTS) != 0 && cairn_hash_next(&roots, &stated) &&
            !cairn_hash_equal(&stated, &ours[count])) {
            r->code = CAIRN_REPLY_ROOTS_DIFFER;
            r->text = "a scope log has another history there than here";
            return CAIRN_OK;
        }
        count++;
    }
    cairn_roots_digest(ours, count, digest);
    if ((request->flags & CAIRN_REQUEST_ROOTS) == 0 &&
        memcmp(digest, request->roots_digest.data, sizeof digest) != 0)
        r->flags |= CAIRN_REPLY_SEND_ROOTS;
    return CAIRN_OK;
}

/* Where the requester stands in one scope log: 0 where it does not name it. */
static uint64_t requester_size(const struct cairn_request *request,
                               const struct cairn_scope_log *scope_log)
{
    struct cairn_list scopes = request->scopes;
    struct cairn_scope_size size;

    while (cairn_scope_size_next(&scopes, &size))
        if (size.scope.code == scope_log->scope.code && size.channel == scope_log->channel)
            return size.size;
    return 0;
}

static enum cairn_status scope_reply(struct replying *r, const struct cairn_scope_log *scope_log)
{
    uint64_t from = requester_size(&r->serve->request, scope_log);
    uint64_t next;

    if (from >= scope_log->tree.size)
        return CAIRN_OK;
    if (cairn_outgoing_is_full(&r->out)) {
        r->flags |= CAIRN_REPLY_MORE;
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_outgoing_covered(r->ctx, &r->out, scope_log, from, &next));
    if (next < scope_log->tree.size)
        r->flags |= CAIRN_REPLY_MORE;
    return CAIRN_OK;
}

/* May the asking device follow this scope log? Whoever was shut out learns of it, and no more. */
static bool is_followed(const struct replying *r, const struct cairn_scope_log *scope_log)
{
    if (scope_log->channel == CAIRN_CHANNEL_AUTHORITY &&
        cairn_scope_contains(scope_log->scope, r->standing.scope))
        return true;
    return cairn_scope_contains(r->standing.scope, scope_log->scope) &&
           (r->in_force || scope_log->channel == CAIRN_CHANNEL_AUTHORITY);
}

#define SCOPE_DEPTH_MAX 8

/* A village has twelve digits: nothing lies below it. */
static bool is_village(struct cairn_scope scope)
{
    return scope.code >= UINT64_C(110000000000);
}

/* The scope and those above it, from the highest on. */
static enum cairn_status chain_reply(struct replying *r, struct cairn_scope scope)
{
    struct cairn_scope chain[SCOPE_DEPTH_MAX];
    struct cairn_scope_log scope_log;
    size_t depth = 0;

    for (;; scope = cairn_scope_parent(scope)) {
        CAIRN_ASSERT(depth < SCOPE_DEPTH_MAX);
        chain[depth++] = scope;
        if (scope.code == 0)
            break;
    }
    while (depth-- > 0)
        for (int channel = 0; channel < CAIRN_CHANNEL_COUNT; channel++) {
            CAIRN_TRY(cairn_scope_log_load(r->ctx, chain[depth], (enum cairn_channel)channel,
                                           &scope_log));
            if (scope_log.tree.size > 0 && is_followed(r, &scope_log))
                CAIRN_TRY(scope_reply(r, &scope_log));
        }
    return CAIRN_OK;
}

static enum cairn_status scopes_reply(struct replying *r)
{
    struct cairn_scope_log scope_log;
    enum cairn_status status;

    if (is_village(r->standing.scope)) /* without a walk over all */
        return chain_reply(r, r->standing.scope);
    for (status = cairn_scope_log_next(r->ctx, &scope_log, true); status == CAIRN_OK;
         status = cairn_scope_log_next(r->ctx, &scope_log, false))
        if (is_followed(r, &scope_log))
            CAIRN_TRY(scope_reply(r, &scope_log));
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static uint32_t head_held(struct cairn_list heads, const struct cairn_hash *log)
{
    struct cairn_held held;

    while (cairn_held_next(&heads, &held))
        if (cairn_hash_equal(&held.log, log))
            return held.size;
    return 0;
}

/* Authority logs without a scope log travel whole, by their heads. */
static enum cairn_status heads_reply(struct replying *r)
{
    const struct cairn_request *request = &r->serve->request;
    bool is_list = (request->flags & CAIRN_REQUEST_HEADS) != 0;
    struct cairn_head *heads;
    size_t count;
    uint8_t digest[8];

    CAIRN_TRY(cairn_heads_collect(r->ctx, r->standing.scope, &heads, &count));
    if (!is_list && request->heads_digest.size == 8) {
        cairn_heads_digest(heads, count, digest);
        if (memcmp(digest, request->heads_digest.data, sizeof digest) != 0)
            r->flags |= CAIRN_REPLY_SEND_HEADS;
        return CAIRN_OK;
    }
    for (size_t i = 0; i < count; i++) {
        struct cairn_log log;
        uint32_t from = is_list ? head_held(request->heads, &heads[i].log) : 0;
        if (from >= heads[i].size)
            continue;
        CAIRN_TRY(cairn_log_find(r->ctx, &heads[i].log, &log));
        CAIRN_TRY(cairn_outgoing_log(r->ctx, &r->out, &log, from, &from));
        if (from < heads[i].size)
            r->flags |= CAIRN_REPLY_MORE;
    }
    return cairn_outgoing_flush(&r->out);
}

static enum cairn_status reply_gather(struct replying *r)
{
    struct cairn_under under = {.is_root = false};
    enum cairn_status status = cairn_serve_standing(r->ctx, &r->serve->device, &r->standing);

    if (status == CAIRN_NOT_FOUND) {
        r->code = CAIRN_REPLY_UNKNOWN_DEVICE;
        r->text = "no grant chain to this root";
        return CAIRN_OK;
    }
    CAIRN_TRY(status);
    CAIRN_TRY(cairn_grant_of_noise_key(r->ctx, &r->serve->device, &under.grant));
    CAIRN_TRY(cairn_standing_in_force(r->ctx, &under, &r->in_force));
    r->out.has_skip = (r->serve->request.flags & CAIRN_REQUEST_EXPLICIT) == 0;
    r->out.is_explicit = !r->out.has_skip;
    r->out.skip = r->standing.seal_key;
    CAIRN_TRY(roots_compare(r));
    if (r->code != CAIRN_REPLY_DONE || (r->flags & CAIRN_REPLY_SEND_ROOTS) != 0)
        return CAIRN_OK;
    CAIRN_TRY(heads_reply(r));
    /* What was signed rests on authority logs: it comes with them or behind them. */
    bool is_up_to_date = (r->flags & (CAIRN_REPLY_SEND_HEADS | CAIRN_REPLY_MORE)) == 0;
    return is_up_to_date ? scopes_reply(r) : CAIRN_OK;
}

static enum cairn_status reply_write(struct replying *r, struct cairn_buffer *plain)
{
    struct cairn_serve *serve = r->serve;
    uint8_t refusal_bytes[CAIRN_SERVE_REFUSALS_MAX * 48];
    struct cairn_writer refusals;
    struct cairn_reply_parts parts = {.code = r->code, .flags = r->flags};

    cairn_writer_init(&refusals, refusal_bytes, sizeof refusal_bytes);
    for (size_t i = 0; i < serve->refusal_count; i++)
        cairn_refusal_write(&refusals, &serve->refusals[i]);
    parts.groups = cairn_buffer_bytes(&r->out.groups);
    parts.group_count = r->out.group_count;
    parts.links = cairn_buffer_bytes(&r->out.links.bytes);
    parts.link_count = r->out.links.count;
    parts.refusals = cairn_writer_bytes(&refusals);
    parts.refusal_count = serve->refusal_count;
    parts.text = cairn_bytes_of_text(r->text);
    struct cairn_writer room = cairn_buffer_room(
        plain, parts.groups.size + parts.links.size + parts.refusals.size + parts.text.size + 128);
    cairn_reply_write(&room, &parts);
    cairn_buffer_take(plain, &room);
    return cairn_buffer_status(plain);
}

static enum cairn_status reply_seal(struct replying *r)
{
    struct cairn_buffer plain, packed;
    enum cairn_status status;

    cairn_buffer_init(&plain, CAIRN_MESSAGE_UNPACKED_MAX);
    cairn_buffer_init(&packed, CAIRN_MESSAGE_UNPACKED_MAX * 2);
    status = reply_write(r, &plain);
    if (status == CAIRN_OK)
        status = cairn_payload_pack(r->ctx->packer, CAIRN_PAYLOAD_TRAVELS,
                                    cairn_buffer_bytes(&plain), &packed);
    cairn_buffer_reset(&r->serve->message); /* an earlier try may have found no memory */
    struct cairn_writer room = cairn_buffer_room(&r->serve->message, CAIRN_NOISE_MESSAGE_MAX);
    if (status == CAIRN_OK)
        status = cairn_buffer_status(&r->serve->message);
    if (status == CAIRN_OK)
        status = cairn_noise_write(&r->serve->noise, cairn_buffer_bytes(&packed), &room);
    if (status == CAIRN_OK)
        cairn_buffer_take(&r->serve->message, &room);
    cairn_buffer_release(&plain);
    cairn_buffer_release(&packed);
    return status;
}

enum cairn_status cairn_serve_reply(struct cairn_replica *replica, struct cairn_serve *serve,
                                    struct cairn_bytes *out_message, struct cairn_err *err)
{
    struct replying r = {.serve = serve, .ctx = cairn_serve_context_take(replica), .text = ""};

    if (r.ctx == NULL)
        return cairn_explain(err, CAIRN_NO_MEMORY);
    r.ctx->err = err;
    cairn_outgoing_init(&r.out, CAIRN_OUTGOING_BYTES);
    enum cairn_status status = cairn_context_begin(r.ctx, CAIRN_TXN_READ);
    if (status == CAIRN_OK)
        status = reply_gather(&r);
    if (status == CAIRN_OK)
        status = reply_seal(&r);
    cairn_outgoing_release(&r.out);
    cairn_serve_context_give(replica, r.ctx);
    if (status != CAIRN_OK)
        return cairn_explain(err, status);
    *out_message = cairn_buffer_bytes(&serve->message);
    return CAIRN_OK;
}
