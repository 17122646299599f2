/* The client's side of an exchange (SPEC.md section 9): a state machine over byte buffers. */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"
#include "sync_internal.h"
#include "taking.h"
#include "verdict.h"

#define FAILED_GROUPS_MAX 4 /* tried one by one, of a reply whose checkpoints are not in full */

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

/* Until a server has answered once it may never have heard of us, whatever we hold of it. */
static enum cairn_status never_answered(struct cairn_context *ctx,
                                        const struct cairn_exchange *exchange, bool *out_never)
{
    struct cairn_key key = cairn_key_meta("answered");
    struct cairn_bytes value;
    const struct cairn_hash *server = &exchange->server.server.leaf;

    enum cairn_status status = cairn_kv_get(ctx, &key, &value);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    *out_never = status == CAIRN_NOT_FOUND ||
                 !cairn_bytes_equal(value, (struct cairn_bytes){server->bytes, 32});
    return CAIRN_OK;
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
    return never_answered(ctx, exchange, &exchange->sends_links);
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
    /* A server restored from a copy older than the grant does not answer: it gets the grants. */
    bool was_unanswered = replica->exchange != NULL && replica->exchange->awaits_reply;
    cairn_exchange_free(replica->exchange);
    replica->exchange = exchange;
    CAIRN_TRY(cairn_replica_read(replica, err));
    CAIRN_TRY(cairn_replica_done(replica, exchange_begin(replica, exchange), err));
    exchange->sends_links = exchange->sends_links || was_unanswered;
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
    const struct cairn_hash *server = &work->exchange->server.server.leaf;
    struct cairn_key answered = cairn_key_meta("answered");

    work->entry_count = 0;
    work->checkpoint_count = 0;
    work->failed_group = SIZE_MAX;
    CAIRN_TRY(cairn_links_admit(&replica->ctx, work->reply->links));
    CAIRN_TRY(groups_take(replica, work));
    CAIRN_TRY(cairn_parked_retry(&replica->ctx));
    CAIRN_TRY(cairn_kv_put(&replica->ctx, &answered, (struct cairn_bytes){server->bytes, 32}));
    return cairn_meta_number_put(&replica->ctx, "contact",
                                 replica->ports->ops->now_s(replica->ports));
}

/* A group that fails alone does not hold up the others. */
static enum cairn_status reply_take(struct cairn_replica *replica, struct reply_work *work,
                                    struct cairn_err *err, enum cairn_status *out_group_status)
{
    *out_group_status = CAIRN_OK;
    for (;;) {
        enum cairn_status status = cairn_taking_write(replica, reply_apply, work, err);
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

/* Note what the server lost. False: it says nothing, or took nothing of what it was given. */
static bool lost_note(struct cairn_exchange *exchange, const struct cairn_reply *reply)
{
    struct cairn_list groups = reply->groups;
    struct cairn_group group;
    size_t count = 0;
    bool is_new = false;

    while (count < CAIRN_LOST_MAX && cairn_group_next(&groups, &group)) {
        struct cairn_scope_size lost = {group.scope, group.channel, group.epoch, group.first_leaf};
        const struct cairn_scope_size *before = &exchange->lost[count];
        is_new = is_new || count >= exchange->lost_count || before->scope.code != lost.scope.code ||
                 before->channel != lost.channel || before->size < lost.size;
        exchange->lost[count++] = lost;
    }
    exchange->lost_count = count;
    return is_new;
}

/* Is there another request to make with what the server lost? The first, and those behind it while
 * they do not hold all, bring the authority logs too that the rest needs. */
static bool gives_more_back(struct cairn_exchange *exchange, const struct cairn_reply *reply)
{
    struct cairn_dot at = exchange->heads_at, behind = exchange->heads_behind;
    bool gave_back = exchange->lost_count > 0;
    bool heads_go_on =
        gave_back && behind.log != 0 && (behind.log != at.log || behind.index != at.index);

    if (!lost_note(exchange, reply) && !heads_go_on)
        return false;
    exchange->heads_at = heads_go_on ? behind : (struct cairn_dot){0, 0};
    exchange->sends_heads = heads_go_on || !gave_back;
    return true;
}

static enum cairn_status reply_code_check(struct cairn_replica *replica,
                                          const struct cairn_reply *reply, bool *out_again,
                                          struct cairn_err *err)
{
    struct cairn_exchange *exchange = replica->exchange;
    const char *tag = exchange->server.standing.tag;
    bool gave_back = exchange->lost_count > 0;

    switch (reply->code) {
    case CAIRN_REPLY_DONE:
        exchange->lost_count = 0;
        *out_again = gave_back; /* what waits here was left aside for that */
        exchange->sends_heads = exchange->sends_heads && !gave_back;
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
        *out_again = gives_more_back(exchange, reply);
        if (*out_again)
            return CAIRN_OK;
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

/* The bytes inside, once they are known to be the server's. */
static enum cairn_status reply_unseal(struct cairn_exchange *exchange, struct cairn_bytes message,
                                      struct cairn_writer *out, struct cairn_err *err)
{
    struct cairn_noise waiting = exchange->noise;

    enum cairn_status status = cairn_noise_read(&exchange->noise, message, out);
    /* Whoever sends us noise must not be able to end the exchange: the true answer may
     * still come. */
    if (status != CAIRN_OK)
        exchange->noise = waiting;
    exchange->awaits_reply = status != CAIRN_OK;
    cairn_noise_release(&waiting);
    if (status == CAIRN_OK || status == CAIRN_NO_MEMORY)
        return cairn_explain(err, status);
    return cairn_fail(
        err, status,
        "The answer is not from %s, or was damaged on the way. Nothing of it was kept; "
        "try again: cairn sync",
        exchange->server.standing.tag);
}

static enum cairn_status reply_decrypt(struct cairn_replica *replica, struct cairn_bytes message,
                                       struct cairn_reply *out_reply, struct cairn_err *err)
{
    struct cairn_exchange *exchange = replica->exchange;
    uint8_t *payload = cairn_arena_get(&replica->results, message.size + 1);
    struct cairn_writer writer;
    struct cairn_bytes plain;

    if (payload == NULL)
        return cairn_explain(err, CAIRN_NO_MEMORY);
    cairn_writer_init(&writer, payload, message.size + 1);
    CAIRN_TRY(reply_unseal(exchange, message, &writer, err));
    enum cairn_status status = cairn_payload_unpack(replica->ctx.packer, &replica->results,
                                                    cairn_writer_bytes(&writer), &plain);
    if (status == CAIRN_OK)
        status = cairn_reply_read(plain, out_reply);
    if (status == CAIRN_OK || status == CAIRN_NO_MEMORY)
        return cairn_explain(err, status);
    return cairn_fail(err, status,
                      "The answer of %s is in a form that this program does not know. Nothing is "
                      "lost; install the newer cairn.",
                      exchange->server.standing.tag);
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

/* Groups that did not hold in full either. */
static enum cairn_status groups_fail(const struct cairn_exchange *exchange,
                                     enum cairn_status group_status, struct cairn_err *err)
{
    const char *tag = exchange->server.standing.tag;

    if (group_status == CAIRN_FORKED)
        return cairn_fail(
            err, group_status,
            "%s signed a history that is not the one held here. Nothing here is lost. "
            "Tell the county office and an auditor; do not delete this store.",
            tag);
    if (group_status == CAIRN_GAP)
        return cairn_fail(err, group_status,
                          "%s sent a checkpoint whose entries did not all come. Nothing here is "
                          "lost; try again: cairn sync",
                          tag);
    return cairn_fail(err, group_status,
                      "A checkpoint of %s does not verify. Nothing of it was kept, and nothing "
                      "here is lost. Tell the county office; do not delete this store.",
                      tag);
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
        return groups_fail(exchange, group_status, err);
    *out_again = *out_again || (reply->flags & CAIRN_REPLY_MORE) != 0 || exchange->has_more ||
                 needs_explicit || (asks_roots && !exchange->sends_roots) ||
                 (asks_heads && !exchange->sends_heads);
    exchange->wants_explicit = exchange->wants_explicit || needs_explicit;
    exchange->sends_roots = asks_roots;
    exchange->heads_at = exchange->heads_behind;
    exchange->sends_heads = asks_heads || exchange->heads_at.log != 0;
    return CAIRN_OK;
}

/* The server says early which of our entries have no effect; the list of refused entries is worked
 * out here, by the same rules. */
static void refusals_note(struct cairn_replica *replica, const struct cairn_reply *reply)
{
    struct cairn_list refusals = reply->refusals;
    struct cairn_refusal refusal;

    replica->sync.refused_count += refusals.left;
    if (replica->sync.refused_why != NULL || !cairn_refusal_next(&refusals, &refusal))
        return;
    enum cairn_reason reason =
        refusal.reason < CAIRN_REASON_COUNT ? (enum cairn_reason)refusal.reason : CAIRN_WHY_NEWER;
    replica->sync.refused_why = cairn_reason_text(reason);
}

enum cairn_status cairn_sync_reply(struct cairn_replica *replica, struct cairn_bytes message,
                                   bool *out_again, struct cairn_err *err)
{
    struct cairn_exchange *exchange = replica->exchange;
    struct cairn_reply reply;
    struct reply_work work = {.exchange = exchange, .reply = &reply, .groups_max = SIZE_MAX};
    enum cairn_status group_status;
    bool again = false;

    cairn_replica_fresh(replica, err);
    if (exchange == NULL || !exchange->awaits_reply)
        return cairn_fail(err, CAIRN_NO_ANSWER,
                          "No answer is waited for: this exchange ended with a failure. Nothing is "
                          "lost; try again: cairn sync");
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
    refusals_note(replica, &reply);
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
