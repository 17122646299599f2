/* The client's side of an exchange (SPEC.md section 9): a state machine over byte buffers. */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"
#include "replica_internal.h"

#define FAILED_GROUPS_MAX 4 /* tried one by one, of a reply whose checkpoints are not in full */
#define ROUNDS_MAX 100000   /* a server that never stops asking is not one */

struct cairn_exchange {
    struct cairn_sequencer_info server;
    struct cairn_noise noise;
    bool awaits_reply;
    struct cairn_outgoing outgoing;
    struct cairn_buffer plain, packed, message;
    bool wants_explicit, sends_roots, sends_heads, sends_links;
    bool has_more; /* not everything that waits fitted the last request */
    /* Authority logs that go up whole: where the next request goes on (log 0: at the first). */
    struct cairn_dot heads_at, heads_behind;
    uint64_t waiting_at_begin;
};

void cairn_exchange_free(struct cairn_exchange *exchange)
{
    if (exchange == NULL)
        return;
    cairn_noise_release(&exchange->noise);
    cairn_outgoing_release(&exchange->outgoing);
    cairn_buffer_release(&exchange->plain);
    cairn_buffer_release(&exchange->packed);
    cairn_buffer_release(&exchange->message);
    free(exchange);
}

static struct cairn_exchange *exchange_new(void)
{
    struct cairn_exchange *exchange = calloc(1, sizeof *exchange);

    if (exchange == NULL)
        return NULL;
    cairn_outgoing_init(&exchange->outgoing, CAIRN_OUTGOING_BYTES);
    cairn_buffer_init(&exchange->plain, CAIRN_MESSAGE_UNPACKED_MAX);
    cairn_buffer_init(&exchange->packed, CAIRN_MESSAGE_UNPACKED_MAX * 2);
    cairn_buffer_init(&exchange->message, CAIRN_NOISE_MESSAGE_MAX);
    return exchange;
}

static bool same_server(const struct cairn_sequencer_info *a, const struct cairn_sequencer_info *b)
{
    return cairn_ref_equal(&a->server, &b->server);
}

static enum cairn_status exchange_begin(struct cairn_replica *replica,
                                        struct cairn_exchange *exchange)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_standing standing;
    struct cairn_sync_report *report = &replica->sync;

    CAIRN_TRY(cairn_standing_get(ctx, &replica->under, &standing));
    enum cairn_status status = cairn_sequencer_for(ctx, standing.scope, &exchange->server);
    if (status == CAIRN_NOT_FOUND)
        return cairn_fail(
            ctx->err, CAIRN_NO_RIGHT,
            "No server is known for this device yet. Its office grants one with --role "
            "server; a new invitation or a bundle brings it here.");
    CAIRN_TRY(status);
    CAIRN_TRY(cairn_unreceived_count(ctx, &exchange->waiting_at_begin));
    *report = (struct cairn_sync_report){.waiting_count = exchange->waiting_at_begin};
    memcpy(report->server_tag, exchange->server.standing.tag, sizeof exchange->server.standing.tag);
    /* While no checkpoint of this server is held it may never have heard of us. */
    struct cairn_scope_log scope_log;
    exchange->sends_links = true;
    for (status = cairn_scope_log_next(ctx, &scope_log, true); status == CAIRN_OK;
         status = cairn_scope_log_next(ctx, &scope_log, false))
        exchange->sends_links = false;
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_sync_begin(struct cairn_replica *replica, struct cairn_err *err)
{
    cairn_replica_fresh(replica, err);
    if (!replica->is_joined)
        return cairn_fail(err, CAIRN_NO_RIGHT,
                          "This device has no grant yet, so there is nobody to sync with.");
    if (!replica->has_keys)
        return cairn_fail(err, CAIRN_NO_KEY,
                          "The key of this device is locked: give its passphrase.");
    struct cairn_exchange *exchange = exchange_new();
    if (exchange == NULL)
        return cairn_explain(err, CAIRN_NO_MEMORY);
    cairn_exchange_free(replica->exchange);
    replica->exchange = exchange;
    CAIRN_TRY(cairn_replica_read(replica, err));
    return cairn_replica_done(replica, exchange_begin(replica, exchange), err);
}

/* ---- the request --------------------------------------------------------------------------- */

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

/* Runs that no checkpoint covers, of every log whose scope this server keeps; and when it asked for
 * heads, the authority logs that no sequencer covers. */
static enum cairn_status uncovered_gather(struct cairn_context *ctx,
                                          struct cairn_exchange *exchange)
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
    if (parts->scopes.failed || parts->roots.failed || heads->failed)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(uncovered_gather(ctx, exchange));
    request.flags = (exchange->wants_explicit ? CAIRN_REQUEST_EXPLICIT : 0u) |
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
    return exchange->plain.failed ? CAIRN_NO_MEMORY : CAIRN_OK;
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
    CAIRN_TRY(cairn_payload_pack(replica->ctx.packer, cairn_buffer_bytes(&exchange->plain),
                                 &exchange->packed));
    cairn_prologue(&replica->ctx.network, prologue);
    replica->ports->ops->random(replica->ports, &ephemeral, sizeof ephemeral);
    cairn_noise_init(&exchange->noise, &config);
    sodium_memzero(&ephemeral, sizeof ephemeral);
    cairn_buffer_reset(&exchange->message);
    struct cairn_writer room = cairn_buffer_room(&exchange->message, CAIRN_NOISE_MESSAGE_MAX);
    if (room.data == NULL)
        return CAIRN_NO_MEMORY;
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
    replica->sync.sent_count += exchange->outgoing.own_count - own_before;
    replica->sync.up_bytes += exchange->message.size;
    *out_message = cairn_buffer_bytes(&exchange->message);
    return CAIRN_OK;
}

/* ---- the reply ----------------------------------------------------------------------------- */

struct reply_work {
    struct cairn_exchange *exchange;
    const struct cairn_reply *reply;
    uint8_t skip[CAIRN_MESSAGE_ITEMS_MAX /
                 8]; /* bit set over the groups: left out, they failed alone */
    size_t failed_count;
    size_t groups_max;   /* those behind are left out too: the next reply brings them again */
    size_t failed_group; /* which group stopped the unit of work */
    uint64_t entry_count, checkpoint_count;
    bool state_differs;
};

static enum cairn_status groups_take(struct cairn_replica *replica, struct reply_work *work)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_list groups = work->reply->groups;
    struct cairn_group *group = cairn_arena_get(&ctx->arena, sizeof *group);

    if (group == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < work->groups_max && cairn_group_next(&groups, group); i++) {
        struct cairn_follow follow;
        if ((work->skip[i / 8] >> i % 8 & 1) != 0)
            continue;
        work->failed_group = i;
        CAIRN_TRY(cairn_group_follow(ctx, group, &follow));
        work->entry_count += follow.entry_count;
        work->checkpoint_count += group->has_checkpoint;
        work->state_differs = work->state_differs || follow.state_differs;
        if (group->has_checkpoint) {
            struct cairn_scope_log scope_log;
            CAIRN_TRY(cairn_scope_log_load(ctx, group->scope, group->channel, &scope_log));
            cairn_scope_text(group->scope, replica->sync.scope);
            replica->sync.scope_size = scope_log.tree.size;
            replica->sync.channel = cairn_channel_name(group->channel);
        }
    }
    work->failed_group = SIZE_MAX;
    return CAIRN_OK;
}

static enum cairn_status reply_apply(struct cairn_replica *replica, void *context)
{
    struct reply_work *work = context;

    work->entry_count = 0;
    work->checkpoint_count = 0;
    work->failed_group = SIZE_MAX;
    CAIRN_TRY(cairn_links_admit(&replica->ctx, work->reply->links));
    CAIRN_TRY(groups_take(replica, work));
    CAIRN_TRY(cairn_parked_retry(&replica->ctx));
    return cairn_meta_number_put(&replica->ctx, "contact",
                                 replica->ports->ops->now_s(replica->ports));
}

/* A group that fails alone does not hold up the others. */
static enum cairn_status reply_take(struct cairn_replica *replica, struct reply_work *work,
                                    struct cairn_err *err, enum cairn_status *out_group_status)
{
    *out_group_status = CAIRN_OK;
    for (;;) {
        enum cairn_status status = cairn_replica_write(replica, reply_apply, work, err);
        bool is_group =
            work->failed_group != SIZE_MAX &&
            (status == CAIRN_BAD_SIGNATURE || status == CAIRN_GAP || status == CAIRN_FORKED);
        if (status == CAIRN_OK || !is_group)
            return status;
        *out_group_status = status;
        work->skip[work->failed_group / 8] |= (uint8_t)(1u << work->failed_group % 8);
        /* Many fail together when we hold more of the authority logs than was signed: all will come
         * in full, and to try every one of them first would take long. */
        if (++work->failed_count >= FAILED_GROUPS_MAX && !work->exchange->wants_explicit)
            work->groups_max = work->failed_group;
    }
}

static enum cairn_status reply_code_check(struct cairn_replica *replica,
                                          const struct cairn_reply *reply, bool *out_again,
                                          struct cairn_err *err)
{
    struct cairn_exchange *exchange = replica->exchange;
    const char *tag = exchange->server.standing.tag;

    switch (reply->code) {
    case CAIRN_REPLY_DONE:
        return CAIRN_OK;
    case CAIRN_REPLY_UNKNOWN_DEVICE:
        if (exchange->sends_links)
            return cairn_fail(
                err, CAIRN_REFUSED,
                "%s does not know this device, nor the grant it showed. Nothing is lost.", tag);
        exchange->sends_links = true;
        *out_again = true;
        return CAIRN_OK;
    case CAIRN_REPLY_BUSY:
        return cairn_fail(err, CAIRN_NO_ANSWER,
                          "%s is busy. Nothing is lost; try again: cairn sync", tag);
    case CAIRN_REPLY_BEHIND:
        return cairn_fail(
            err, CAIRN_REFUSED,
            "%s knows less than it once signed: it was restored from an older copy. Nothing "
            "here is lost. Tell its operator; do not delete this store.",
            tag);
    case CAIRN_REPLY_ROOTS_DIFFER:
        return cairn_fail(
            err, CAIRN_FORKED,
            "%s has another history than the one it signed for this device. Nothing here is "
            "lost. Tell the county office and an auditor; do not delete this store.",
            tag);
    default:
        return cairn_fail(err, CAIRN_REFUSED, "%s refused: %.*s. Nothing is lost.", tag,
                          (int)reply->text.size, (const char *)reply->text.data);
    }
}

static enum cairn_status reply_decrypt(struct cairn_replica *replica, struct cairn_bytes message,
                                       struct cairn_reply *out_reply, struct cairn_err *err)
{
    struct cairn_exchange *exchange = replica->exchange;
    uint8_t *payload = cairn_arena_get(&replica->results, message.size + 1);
    struct cairn_noise waiting = exchange->noise;
    struct cairn_writer writer;
    struct cairn_bytes plain;

    if (payload == NULL)
        return cairn_explain(err, CAIRN_NO_MEMORY);
    cairn_writer_init(&writer, payload, message.size + 1);
    enum cairn_status status = cairn_noise_read(&exchange->noise, message, &writer);
    /* Whoever sends us noise must not be able to end the exchange: the true answer may
     * still come. */
    if (status != CAIRN_OK)
        exchange->noise = waiting;
    exchange->awaits_reply = status != CAIRN_OK;
    cairn_noise_release(&waiting);
    if (status == CAIRN_OK)
        status = cairn_payload_unpack(replica->ctx.packer, &replica->results,
                                      cairn_writer_bytes(&writer), &plain);
    if (status == CAIRN_OK)
        status = cairn_reply_read(plain, out_reply);
    if (status == CAIRN_NO_MEMORY)
        return cairn_explain(err, status);
    if (status != CAIRN_OK)
        return cairn_fail(
            err, status,
            "The answer is not from %s, or was damaged on the way. Nothing of it was kept; "
            "try again: cairn sync",
            exchange->server.standing.tag);
    return CAIRN_OK;
}

static enum cairn_status report_finish(struct cairn_replica *replica, struct cairn_err *err)
{
    struct cairn_sync_report *report = &replica->sync;
    uint64_t waiting;

    CAIRN_TRY(cairn_replica_read(replica, err));
    CAIRN_TRY(cairn_replica_done(replica, cairn_unreceived_count(&replica->ctx, &waiting), err));
    uint64_t begun = replica->exchange->waiting_at_begin;
    report->waiting_count = waiting;
    report->received_count = begun > waiting ? begun - waiting : 0;
    return CAIRN_OK;
}

/* What the reply asked for, and what failed, decide whether there is another round. */
static enum cairn_status next_round(struct cairn_replica *replica, const struct cairn_reply *reply,
                                    enum cairn_status group_status, bool *out_again,
                                    struct cairn_err *err)
{
    struct cairn_exchange *exchange = replica->exchange;
    bool asks_roots = (reply->flags & CAIRN_REPLY_SEND_ROOTS) != 0;
    bool asks_heads = (reply->flags & CAIRN_REPLY_SEND_HEADS) != 0;
    bool needs_explicit = group_status != CAIRN_OK;

    if (needs_explicit && exchange->wants_explicit)
        return group_status == CAIRN_FORKED
                   ? cairn_fail(
                         err, CAIRN_FORKED,
                         "%s signed a history that is not the one held here. Nothing here is lost. "
                         "Tell the county office and an auditor; do not delete this store.",
                         exchange->server.standing.tag)
                   : cairn_fail(err, group_status,
                                "A checkpoint of %s does not verify. Nothing of it was kept.",
                                exchange->server.standing.tag);
    *out_again = *out_again || (reply->flags & CAIRN_REPLY_MORE) != 0 || exchange->has_more ||
                 needs_explicit || (asks_roots && !exchange->sends_roots) ||
                 (asks_heads && !exchange->sends_heads);
    exchange->wants_explicit = exchange->wants_explicit || needs_explicit;
    exchange->sends_roots = asks_roots;
    exchange->heads_at = exchange->heads_behind;
    exchange->sends_heads = asks_heads || exchange->heads_at.log != 0;
    return CAIRN_OK;
}

enum cairn_status cairn_sync_reply(struct cairn_replica *replica, struct cairn_bytes message,
                                   bool *out_again, struct cairn_err *err)
{
    struct cairn_exchange *exchange = replica->exchange;
    struct cairn_reply reply;
    struct reply_work work = {.exchange = exchange, .reply = &reply, .groups_max = SIZE_MAX};
    enum cairn_status group_status;
    bool again = false;

    CAIRN_ASSERT(exchange != NULL && exchange->awaits_reply);
    cairn_replica_fresh(replica, err);
    CAIRN_TRY(reply_decrypt(replica, message, &reply, err));
    replica->sync.round_trips++;
    replica->sync.down_bytes += message.size;
    CAIRN_TRY(reply_code_check(replica, &reply, &again, err));
    if (again) {
        *out_again = true;
        return CAIRN_OK;
    }
    CAIRN_TRY(reply_take(replica, &work, err, &group_status));
    replica->sync.got_count += work.entry_count;
    replica->sync.checkpoint_count += work.checkpoint_count;
    replica->sync.conflict_count += replica->ctx.tally.conflicts;
    replica->sync.refused_count += reply.refusals.left;
    CAIRN_TRY(next_round(replica, &reply, group_status, &again, err));
    /* What came in is committed: a count that cannot be read now must not make it a failure. */
    if (report_finish(replica, NULL) != CAIRN_OK)
        replica->sync.waiting_count = 0;
    if (work.state_differs)
        return cairn_fail(err, CAIRN_CORRUPT,
                          "The state worked out here is not the one that %s signed, from the same "
                          "entries. Nothing is lost. Run: cairn audit",
                          exchange->server.standing.tag);
    *out_again = again;
    return CAIRN_OK;
}

const struct cairn_sync_report *cairn_sync_report(const struct cairn_replica *replica)
{
    return &replica->sync;
}
