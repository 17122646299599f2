/* What the client asks and brings (SPEC.md section 9): cairn_sync_request of cairn/replica.h. */

#include <sodium.h>
#include <string.h>

#include "pack.h"
#include "sync_internal.h"

#define ROUNDS_MAX 100000 /* a server that never stops asking is not one */

static bool same_server(const struct cairn_sequencer_info *a, const struct cairn_sequencer_info *b)
{
    return cairn_ref_equal(&a->server, &b->server);
}

struct request_parts {
    struct cairn_buffer scopes, roots;
    size_t count;
    struct cairn_hash *root_list;
};

/* Scope logs held that this server keeps, with their roots. */
static enum cairn_status scopes_gather(struct cairn_context *ctx, struct cairn_exchange *exchange,
                                       struct request_parts *parts)
{
    struct cairn_scope_log scope_log;
    enum cairn_status status;
    size_t capacity = 0;

    for (status = cairn_scope_log_next(ctx, &scope_log, true); status == CAIRN_OK;
         status = cairn_scope_log_next(ctx, &scope_log, false)) {
        struct cairn_sequencer_info sequencer;
        status = cairn_sequencer_for(ctx, scope_log.scope, &sequencer);
        if (status == CAIRN_NOT_FOUND)
            continue;
        CAIRN_TRY(status);
        if (!same_server(&sequencer, &exchange->server))
            continue;
        if (parts->count == capacity) {
            size_t grown_capacity = capacity * 2 + 16;
            struct cairn_hash *grown = cairn_arena_get(&ctx->arena, grown_capacity * sizeof *grown);
            if (grown == NULL)
                return CAIRN_NO_MEMORY;
            if (parts->count > 0)
                memcpy(grown, parts->root_list, parts->count * sizeof *grown);
            parts->root_list = grown;
            capacity = grown_capacity;
        }
        struct cairn_scope_size size = {scope_log.scope, scope_log.channel, scope_log.epoch,
                                        scope_log.tree.size};
        struct cairn_writer room = cairn_buffer_room(&parts->scopes, 48);
        cairn_scope_size_write(&room, &size);
        cairn_buffer_take(&parts->scopes, &room);
        parts->root_list[parts->count++] = cairn_tree_root(&scope_log.tree);
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static void roots_write(const struct cairn_exchange *exchange, struct request_parts *parts)
{
    uint8_t digest[16];

    if (!exchange->sends_roots) {
        cairn_roots_digest(parts->root_list, parts->count, digest);
        cairn_buffer_add(&parts->roots, digest, sizeof digest);
        return;
    }
    for (size_t i = 0; i < parts->count; i++) {
        struct cairn_writer room = cairn_buffer_room(&parts->roots, 40);
        cairn_cbor_write_hash(&room, &parts->root_list[i]);
        cairn_buffer_take(&parts->roots, &room);
    }
}

struct uncovered {
    uint32_t from; /* the log's size: nothing of it goes */
    bool is_head;  /* goes whole, because the server asked for heads */
};

static enum cairn_status uncovered_of(struct cairn_context *ctx, struct cairn_exchange *exchange,
                                      const struct cairn_log *log, bool *is_resumed,
                                      struct uncovered *out_part)
{
    struct cairn_sequencer_info sequencer;
    enum cairn_status status = cairn_sequencer_for(ctx, log->scope, &sequencer);

    *out_part = (struct uncovered){.from = cairn_log_size(log)};
    if (status == CAIRN_OK && same_server(&sequencer, &exchange->server))
        out_part->from = log->covered;
    if (status != CAIRN_NOT_FOUND)
        return status;
    if (log->channel != CAIRN_CHANNEL_AUTHORITY || !exchange->sends_heads)
        return CAIRN_OK;
    out_part->is_head = true;
    if (*is_resumed)
        out_part->from = 0;
    else if (log->no == exchange->heads_at.log)
        out_part->from = exchange->heads_at.index;
    *is_resumed = *is_resumed || log->no == exchange->heads_at.log;
    return CAIRN_OK;
}

/* Runs that no checkpoint covers, of every log whose scope this server keeps; and when heads go,
 * the authority logs that no sequencer covers, or only those. */
static enum cairn_status uncovered_gather(struct cairn_context *ctx,
                                          struct cairn_exchange *exchange, bool only_heads)
{
    struct cairn_outgoing *out = &exchange->outgoing;
    struct cairn_log log;
    enum cairn_status status;
    bool is_resumed = exchange->heads_at.log == 0;

    exchange->has_more = false;
    exchange->heads_behind = (struct cairn_dot){0, 0};
    for (status = cairn_log_next(ctx, &log, true); status == CAIRN_OK;
         status = cairn_log_next(ctx, &log, false)) {
        struct uncovered part;
        if (log.covered == cairn_log_size(&log))
            continue;
        CAIRN_TRY(uncovered_of(ctx, exchange, &log, &is_resumed, &part));
        if (only_heads && !part.is_head)
            continue;
        uint32_t next = part.from;
        if (next < cairn_log_size(&log))
            CAIRN_TRY(cairn_outgoing_log(ctx, out, &log, next, &next));
        if (next == cairn_log_size(&log))
            continue;
        exchange->has_more = true;
        if (part.is_head && exchange->heads_behind.log == 0)
            exchange->heads_behind = (struct cairn_dot){log.no, next};
    }
    return status == CAIRN_NOT_FOUND ? cairn_outgoing_flush(out) : status;
}

static enum cairn_status heads_gather(struct cairn_replica *replica, struct cairn_scope scope,
                                      struct cairn_exchange *exchange,
                                      struct cairn_request_parts *request, struct cairn_buffer *out)
{
    struct cairn_head *heads;
    size_t count;
    uint8_t digest[8];

    CAIRN_TRY(cairn_heads_collect(&replica->ctx, scope, &heads, &count));
    if (exchange->sends_heads) {
        for (size_t i = 0; i < count; i++) {
            struct cairn_writer room = cairn_buffer_room(out, 48);
            cairn_cbor_write_hash(&room, &heads[i].log);
            cairn_cbor_write_uint(&room, heads[i].size);
            cairn_buffer_take(out, &room);
        }
        request->head_count = count;
    } else if (count > 0) {
        cairn_heads_digest(heads, count, digest);
        cairn_buffer_add(out, digest, sizeof digest);
    }
    request->heads = cairn_buffer_bytes(out);
    return CAIRN_OK;
}

/* What the server lost, as far as it fits; first the grants and schemas that the rest rests on. */
static enum cairn_status lost_gather(struct cairn_context *ctx, struct cairn_exchange *exchange)
{
    struct cairn_outgoing *out = &exchange->outgoing;

    CAIRN_TRY(uncovered_gather(ctx, exchange, true));
    out->is_explicit = true;
    for (size_t i = 0; i < exchange->lost_count && !cairn_outgoing_is_full(out); i++) {
        const struct cairn_scope_size *lost = &exchange->lost[i];
        struct cairn_scope_log scope_log;
        uint64_t next;
        CAIRN_TRY(cairn_scope_log_load(ctx, lost->scope, lost->channel, &scope_log));
        CAIRN_TRY(cairn_outgoing_covered(ctx, out, &scope_log, lost->size, &next));
    }
    return CAIRN_OK;
}

static enum cairn_status request_gather(struct cairn_replica *replica,
                                        struct cairn_exchange *exchange,
                                        struct request_parts *parts, struct cairn_buffer *heads)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_request_parts request = {0};
    struct cairn_standing standing;

    CAIRN_TRY(cairn_standing_get(ctx, &replica->under, &standing));
    cairn_outgoing_reset(&exchange->outgoing);
    if (exchange->sends_links)
        CAIRN_TRY(cairn_link_set_chain(ctx, &exchange->outgoing.links, &replica->under));
    CAIRN_TRY(scopes_gather(ctx, exchange, parts));
    roots_write(exchange, parts);
    CAIRN_TRY(heads_gather(replica, standing.scope, exchange, &request, heads));
    CAIRN_TRY(cairn_buffer_status(&parts->scopes));
    CAIRN_TRY(cairn_buffer_status(&parts->roots));
    CAIRN_TRY(cairn_buffer_status(heads));
    bool gives_back = exchange->lost_count > 0;
    exchange->outgoing.is_explicit = false;
    CAIRN_TRY(gives_back ? lost_gather(ctx, exchange) : uncovered_gather(ctx, exchange, false));
    request.flags = (gives_back ? CAIRN_REQUEST_GIVES_BACK : 0u) |
                    (exchange->wants_explicit ? CAIRN_REQUEST_EXPLICIT : 0u) |
                    (exchange->sends_roots ? CAIRN_REQUEST_ROOTS : 0u) |
                    (exchange->sends_heads ? CAIRN_REQUEST_HEADS : 0u);
    request.scopes = cairn_buffer_bytes(&parts->scopes);
    request.scope_count = parts->count;
    request.roots = cairn_buffer_bytes(&parts->roots);
    request.groups = cairn_buffer_bytes(&exchange->outgoing.groups);
    request.group_count = exchange->outgoing.group_count;
    request.links = cairn_buffer_bytes(&exchange->outgoing.links.bytes);
    request.link_count = exchange->outgoing.links.count;

    cairn_buffer_reset(&exchange->plain);
    size_t size = request.scopes.size + request.roots.size + request.heads.size +
                  request.groups.size + request.links.size + 128;
    struct cairn_writer room = cairn_buffer_room(&exchange->plain, size);
    cairn_request_write(&room, &request);
    cairn_buffer_take(&exchange->plain, &room);
    return cairn_buffer_status(&exchange->plain);
}

static enum cairn_status request_encrypt(struct cairn_replica *replica,
                                         struct cairn_exchange *exchange)
{
    uint8_t prologue[CAIRN_PROLOGUE_BYTES];
    struct cairn_noise_key ephemeral;
    struct cairn_noise_config config = {.pattern = CAIRN_NOISE_IK,
                                        .is_initiator = true,
                                        .prologue = {prologue, sizeof prologue},
                                        .static_secret = &replica->keys.noise,
                                        .remote_static =
                                            &exchange->server.standing.grant.keys.noise,
                                        .ephemeral_secret = &ephemeral};

    cairn_buffer_reset(&exchange->packed);
    CAIRN_TRY(cairn_payload_pack(replica->ctx.packer, CAIRN_PAYLOAD_TRAVELS,
                                 cairn_buffer_bytes(&exchange->plain), &exchange->packed));
    cairn_prologue(&replica->ctx.network, prologue);
    replica->ports->ops->random(replica->ports, &ephemeral, sizeof ephemeral);
    cairn_noise_init(&exchange->noise, &config);
    sodium_memzero(&ephemeral, sizeof ephemeral);
    cairn_buffer_reset(&exchange->message);
    struct cairn_writer room = cairn_buffer_room(&exchange->message, CAIRN_NOISE_MESSAGE_MAX);
    CAIRN_TRY(cairn_buffer_status(&exchange->message));
    CAIRN_TRY(cairn_noise_write(&exchange->noise, cairn_buffer_bytes(&exchange->packed), &room));
    cairn_buffer_take(&exchange->message, &room);
    return CAIRN_OK;
}

enum cairn_status cairn_sync_request(struct cairn_replica *replica, struct cairn_bytes *out_message,
                                     struct cairn_err *err)
{
    struct cairn_exchange *exchange = replica->exchange;
    struct request_parts parts = {.count = 0};
    struct cairn_buffer heads;

    CAIRN_ASSERT(exchange != NULL); /* a request not answered yet is given up */
    cairn_replica_fresh(replica, err);
    exchange->sends_links = exchange->sends_links || exchange->awaits_reply;
    if (replica->sync.round_trips >= ROUNDS_MAX)
        return cairn_fail(err, CAIRN_REFUSED,
                          "The server asked too often. Nothing is lost; try again.");
    CAIRN_TRY(cairn_replica_mark(replica, true, err));
    CAIRN_TRY(cairn_replica_read(replica, err));
    cairn_buffer_init(&parts.scopes, CAIRN_MESSAGE_UNPACKED_MAX);
    cairn_buffer_init(&parts.roots, CAIRN_MESSAGE_UNPACKED_MAX);
    cairn_buffer_init(&heads, CAIRN_MESSAGE_UNPACKED_MAX);
    uint64_t own_before = exchange->outgoing.own_count;
    enum cairn_status status = request_gather(replica, exchange, &parts, &heads);
    if (status == CAIRN_OK)
        status = request_encrypt(replica, exchange);
    cairn_buffer_release(&parts.scopes);
    cairn_buffer_release(&parts.roots);
    cairn_buffer_release(&heads);
    status = cairn_replica_done(replica, status, err);
    if (status != CAIRN_OK)
        return status;
    exchange->awaits_reply = true;
    if (exchange->lost_count == 0)
        replica->sync.sent_count += exchange->outgoing.own_count - own_before;
    replica->sync.up_bytes += exchange->message.size;
    *out_message = cairn_buffer_bytes(&exchange->message);
    return CAIRN_OK;
}
