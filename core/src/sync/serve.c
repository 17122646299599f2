/* The server's side of an exchange (SPEC.md section 9): requests opened and committed. */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"
#include "parked.h"
#include "sequence.h"
#include "serve_internal.h"
#include "taking.h"
#include "verdict.h"

#define LEFT_OUT_MAX 4 /* runs of a request, each of which costs another try; then all behind */

/* ---- contexts of serving threads ----------------------------------------------------------- */

struct cairn_context *cairn_serve_context_take(struct cairn_replica *replica)
{
    struct cairn_context *ctx = NULL;

    pthread_mutex_lock(&replica->pool_mutex);
    if (replica->pool_count > 0)
        ctx = replica->pool[--replica->pool_count];
    pthread_mutex_unlock(&replica->pool_mutex);
    if (ctx == NULL) {
        ctx = malloc(sizeof *ctx);
        if (ctx != NULL &&
            cairn_context_init(ctx, replica->store, &replica->verifier) != CAIRN_OK) {
            free(ctx);
            ctx = NULL;
        }
    }
    if (ctx != NULL)
        ctx->network = replica->ctx.network;
    return ctx;
}

void cairn_serve_context_give(struct cairn_replica *replica, struct cairn_context *ctx)
{
    cairn_context_abort(ctx);
    cairn_context_fresh(ctx);
    ctx->err = NULL;
    pthread_mutex_lock(&replica->pool_mutex);
    bool kept = replica->pool_count < CAIRN_IDLE_CONTEXTS_MAX;
    if (kept)
        replica->pool[replica->pool_count++] = ctx;
    pthread_mutex_unlock(&replica->pool_mutex);
    if (!kept) {
        cairn_context_release(ctx);
        free(ctx);
    }
}

/* ---- opening ------------------------------------------------------------------------------- */

void cairn_serve_free(struct cairn_serve *serve)
{
    if (serve == NULL)
        return;
    cairn_noise_release(&serve->noise);
    cairn_arena_release(&serve->memory);
    cairn_buffer_release(&serve->message);
    free(serve);
}

static enum cairn_status request_decrypt(struct cairn_replica *replica, struct cairn_context *ctx,
                                         struct cairn_serve *serve, struct cairn_bytes message,
                                         struct cairn_err *err)
{
    uint8_t prologue[CAIRN_PROLOGUE_BYTES];
    struct cairn_noise_key ephemeral;
    struct cairn_noise_config config = {.pattern = CAIRN_NOISE_IK,
                                        .prologue = {prologue, sizeof prologue},
                                        .static_secret = &replica->keys.noise,
                                        .ephemeral_secret = &ephemeral};
    uint8_t *payload = cairn_arena_get(&serve->memory, message.size + 1);
    struct cairn_writer writer;
    struct cairn_bytes plain;

    if (payload == NULL)
        return CAIRN_NO_MEMORY;
    cairn_prologue(&replica->ctx.network, prologue);
    replica->ports->ops->random(replica->ports, &ephemeral, sizeof ephemeral);
    cairn_noise_init(&serve->noise, &config);
    sodium_memzero(&ephemeral, sizeof ephemeral);
    cairn_writer_init(&writer, payload, message.size + 1);
    enum cairn_status status = cairn_noise_read(&serve->noise, message, &writer);
    if (status != CAIRN_OK)
        return cairn_fail(err, status, "refused handshake: not for this server, or damaged");
    serve->device = cairn_noise_remote_static(&serve->noise);
    status = cairn_payload_unpack(ctx->packer, &serve->memory, cairn_writer_bytes(&writer), &plain);
    if (status == CAIRN_OK)
        status = cairn_request_read(plain, &serve->request);
    if (status != CAIRN_OK && status != CAIRN_NO_MEMORY)
        return cairn_fail(err, status, "refused a malformed request");
    return status;
}

enum cairn_status cairn_serve_standing(struct cairn_context *ctx, const struct cairn_noise_key *key,
                                       struct cairn_standing *out_standing)
{
    struct cairn_under under = {.is_root = false};

    CAIRN_TRY(cairn_grant_of_noise_key(ctx, key, &under.grant));
    return cairn_standing_get(ctx, &under, out_standing);
}

static void device_note(struct cairn_serve *serve, const struct cairn_standing *standing)
{
    serve->has_device = true;
    memcpy(serve->tag, standing->tag, sizeof standing->tag);
}

/*
 * A stranger's chain is checked in a store of its own in memory: what it shows costs us neither the
 * write lock nor disk before it proves to lead to our root and to its own key.
 */
static enum cairn_status stranger_check(struct cairn_replica *replica, struct cairn_context *ctx,
                                        struct cairn_serve *serve)
{
    struct cairn_store *store;
    struct cairn_context alone;
    struct cairn_root_statement root;
    struct cairn_bytes statement;
    struct cairn_standing standing;

    if (serve->request.links.left == 0)
        return CAIRN_REFUSED;
    CAIRN_TRY(cairn_root_get(ctx, &root, &statement));
    CAIRN_TRY(cairn_store_memory_new(&store));
    enum cairn_status status = cairn_context_init(&alone, store, &replica->verifier);
    if (status == CAIRN_OK) {
        status = cairn_context_begin(&alone, CAIRN_TXN_WRITE);
        if (status == CAIRN_OK)
            status = cairn_root_put(&alone, statement);
        if (status == CAIRN_OK)
            status = cairn_links_admit(&alone, serve->request.links);
        if (status == CAIRN_OK)
            status = cairn_serve_standing(&alone, &serve->device, &standing);
        if (status == CAIRN_OK)
            memcpy(serve->tag, standing.tag, sizeof standing.tag);
        cairn_context_abort(&alone);
        cairn_context_release(&alone);
    }
    store->ops->close(store);
    return status == CAIRN_OK || status == CAIRN_NO_MEMORY ? status : CAIRN_REFUSED;
}

static enum cairn_status serve_identify(struct cairn_replica *replica, struct cairn_context *ctx,
                                        struct cairn_serve *serve, struct cairn_err *err)
{
    struct cairn_standing standing;

    CAIRN_TRY(cairn_context_begin(ctx, CAIRN_TXN_READ));
    enum cairn_status status = cairn_serve_standing(ctx, &serve->device, &standing);
    if (status == CAIRN_OK)
        device_note(serve, &standing);
    else if (status == CAIRN_NOT_FOUND)
        status = stranger_check(replica, ctx, serve);
    cairn_context_abort(ctx);
    if (status == CAIRN_REFUSED)
        return cairn_fail(err, status,
                          "refused handshake from an unknown key: no grant chain to this root");
    return status;
}

enum cairn_status cairn_serve_open(struct cairn_replica *replica, struct cairn_bytes message,
                                   struct cairn_serve **out_serve, struct cairn_err *err)
{
    struct cairn_context *ctx = cairn_serve_context_take(replica);
    struct cairn_serve *serve = calloc(1, sizeof *serve);
    enum cairn_status status = CAIRN_NO_MEMORY;

    if (ctx != NULL && serve != NULL) {
        serve->replica = replica;
        serve->runs_max = CAIRN_MESSAGE_ITEMS_MAX;
        cairn_arena_init(&serve->memory);
        cairn_buffer_init(&serve->message, CAIRN_NOISE_MESSAGE_MAX);
        status = request_decrypt(replica, ctx, serve, message, err);
        if (status == CAIRN_OK)
            status = serve_identify(replica, ctx, serve, err);
    }
    if (ctx != NULL)
        cairn_serve_context_give(replica, ctx);
    if (status != CAIRN_OK) {
        cairn_serve_free(serve);
        return cairn_explain(err, status);
    }
    *out_serve = serve;
    return CAIRN_OK;
}

bool cairn_serve_is_read_only(const struct cairn_serve *serve)
{
    return serve->has_device && serve->request.groups.left == 0 && serve->request.links.left == 0;
}

const char *cairn_serve_tag(const struct cairn_serve *serve)
{
    return serve->tag;
}

uint64_t cairn_serve_entry_count(const struct cairn_serve *serve)
{
    return serve->entry_count;
}

/* ---- committing ---------------------------------------------------------------------------- */

struct commit_work {
    struct cairn_serve **serves;
    size_t count;
    struct cairn_serve_commit commit;
    struct cairn_sequencing sequencing;
};

/* What the author is told early: entries of this run that have no effect. */
static enum cairn_status refusals_note(struct cairn_context *ctx, struct cairn_serve *serve,
                                       const struct cairn_log *log, uint32_t from)
{
    for (uint32_t i = from;
         i < cairn_log_size(log) && serve->refusal_count < CAIRN_SERVE_REFUSALS_MAX; i++) {
        struct cairn_verdict verdict;
        CAIRN_TRY(cairn_verdict_get(ctx, log->no, i, &verdict));
        if (verdict.validity == CAIRN_INVALID)
            serve->refusals[serve->refusal_count++] =
                (struct cairn_refusal){log->id, i, (uint64_t)verdict.reason};
    }
    return CAIRN_OK;
}

/* What lies here uncovered, from before this was its sequencer, is covered when it is offered. */
static enum cairn_status known_cover(struct cairn_context *ctx, uint32_t no)
{
    struct cairn_log log;

    CAIRN_TRY(cairn_log_load(ctx, no, &log));
    struct cairn_grown grown = {no, cairn_log_size(&log)};
    if (log.covered < grown.size)
        cairn_buffer_add(&ctx->grown, &grown, sizeof grown);
    return cairn_buffer_status(&ctx->grown);
}

static enum cairn_status run_commit(struct cairn_context *ctx, struct cairn_serve *serve,
                                    const struct cairn_group *group, const struct cairn_run *run)
{
    struct cairn_apply_input input = {.scope = group->scope, .channel = group->channel, .run = run};
    enum cairn_outcome outcome;
    struct cairn_log log;
    uint64_t without_effect = ctx->tally.without_effect;
    uint64_t entries = ctx->tally.entries;
    uint32_t no;

    if (run->log.is_numbered) {
        struct cairn_scope_log scope_log;
        CAIRN_TRY(cairn_scope_log_load(ctx, group->scope, group->channel, &scope_log));
        enum cairn_status status =
            cairn_scope_log_of(ctx, &scope_log, run->log.log_number, &input.log);
        if (status != CAIRN_OK)
            return status == CAIRN_NOT_FOUND ? CAIRN_MALFORMED : status;
    }
    CAIRN_TRY(cairn_apply_run(ctx, &input, &outcome, &no));
    if (outcome == CAIRN_OUTCOME_KNOWN)
        return known_cover(ctx, no);
    serve->entry_count += ctx->tally.entries - entries;
    if (ctx->tally.without_effect == without_effect || no == 0)
        return CAIRN_OK;
    CAIRN_TRY(cairn_log_load(ctx, no, &log));
    return refusals_note(ctx, serve, &log, run->first);
}

/*
 * Does the requester hold more of a scope log than we do? Then we were restored from an older copy,
 * and to cover what it brings would be to sign a second history of the same sizes.
 */
static enum cairn_status is_behind(struct cairn_context *ctx, const struct cairn_request *request,
                                   bool *out_is_behind)
{
    struct cairn_list scopes = request->scopes;
    struct cairn_scope_size size;

    *out_is_behind = false;
    while (!*out_is_behind && cairn_scope_size_next(&scopes, &size)) {
        struct cairn_scope_log scope_log;
        CAIRN_TRY(cairn_scope_log_load(ctx, size.scope, size.channel, &scope_log));
        *out_is_behind = size.size > scope_log.tree.size;
    }
    return CAIRN_OK;
}

/* Logs that a sequencer covers are given back under its signature. REFUSED. */
static enum cairn_status is_unsequenced(struct cairn_context *ctx, struct cairn_scope scope)
{
    struct cairn_sequencer_info sequencer;
    enum cairn_status status = cairn_sequencer_for(ctx, scope, &sequencer);

    if (status == CAIRN_OK)
        return CAIRN_REFUSED;
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/*
 * This server was restored from an older copy, and is shown what it signed since: its own signature
 * is proof enough. What does not hold spoils the whole unit of work, so it is done without it.
 */
static enum cairn_status history_take_back(struct cairn_context *ctx, struct cairn_serve *serve)
{
    struct cairn_list groups = serve->request.groups;
    struct cairn_group *group = cairn_arena_get(&ctx->arena, sizeof *group);
    struct cairn_follow follow;

    if (group == NULL)
        return CAIRN_NO_MEMORY;
    bool was_longer = false;
    while (!serve->is_not_ours && cairn_group_next(&groups, group)) {
        struct cairn_scope_log here;
        enum cairn_status status = cairn_scope_log_load(ctx, group->scope, group->channel, &here);
        was_longer = was_longer || (group->has_checkpoint && status == CAIRN_OK &&
                                    group->first_leaf + group->leaves.left > here.tree.size);
        if (status == CAIRN_OK && !group->has_checkpoint)
            status = is_unsequenced(ctx, group->scope);
        if (status == CAIRN_OK)
            status = cairn_group_follow(ctx, group, &follow);
        serve->is_not_ours = status != CAIRN_OK && (status == CAIRN_GAP || status == CAIRN_FORKED ||
                                                    cairn_status_actor(status) == CAIRN_ACTOR_PEER);
        CAIRN_TRY(status);
    }
    /* What was parked in the older copy may have been covered since, and must not be once more. */
    return was_longer ? cairn_parked_forget(ctx) : CAIRN_OK;
}

static bool is_left_out(const struct cairn_serve *serve, size_t at)
{
    return at >= serve->runs_max || (serve->left_out[at / 8] >> at % 8 & 1) != 0;
}

static void run_leave_out(struct cairn_serve *serve, size_t at)
{
    serve->left_out[at / 8] |= (uint8_t)(1u << at % 8);
    if (++serve->left_out_count == LEFT_OUT_MAX)
        serve->runs_max = at;
}

/* The runs of one group, from number `*at` of the request on. One that does not hold is counted and
 * left out: at once, or when a half of it is written, of the next try. */
static enum cairn_status group_commit(struct cairn_context *ctx, struct cairn_serve *serve,
                                      const struct cairn_group *group, size_t *at)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_list runs = group->runs;
    struct cairn_run run;

    for (; cairn_run_next(&runs, &run); ++*at) {
        cairn_arena_rewind(&ctx->arena, mark);
        if (is_left_out(serve, *at)) {
            serve->refused_count++;
            continue;
        }
        CAIRN_TRY(cairn_apply_ahead(ctx, &run));
        uint64_t written = ctx->write_count;
        enum cairn_status status = run_commit(ctx, serve, group, &run);
        if (status == CAIRN_OK)
            continue;
        if (status != CAIRN_GAP && cairn_status_actor(status) != CAIRN_ACTOR_PEER)
            return status;
        if (ctx->write_count != written) {
            run_leave_out(serve, *at);
            return status;
        }
        serve->refused_count++;
    }
    return CAIRN_OK;
}

/* What does not hold is left out; the store being unwell stops everything. */
static enum cairn_status serve_commit(struct cairn_replica *replica, struct cairn_serve *serve)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_list groups = serve->request.groups;
    struct cairn_group *group = cairn_arena_get(&ctx->arena, sizeof *group);
    struct cairn_standing standing;
    size_t at = 0;

    if (group == NULL)
        return CAIRN_NO_MEMORY;
    serve->entry_count = 0;
    serve->refused_count = 0;
    serve->refusal_count = 0;
    enum cairn_status status = cairn_links_admit(ctx, serve->request.links);
    if (status != CAIRN_OK && cairn_status_actor(status) != CAIRN_ACTOR_PEER &&
        status != CAIRN_NOT_FOUND)
        return status;
    status = cairn_serve_standing(ctx, &serve->device, &standing);
    if (status == CAIRN_NOT_FOUND)
        return CAIRN_OK;
    CAIRN_TRY(status);
    device_note(serve, &standing);
    if ((serve->request.flags & CAIRN_REQUEST_GIVES_BACK) != 0)
        return history_take_back(ctx, serve);
    bool behind;
    CAIRN_TRY(is_behind(ctx, &serve->request, &behind));
    if (behind)
        return CAIRN_OK; /* the reply says so */
    while (cairn_group_next(&groups, group))
        CAIRN_TRY(group_commit(ctx, serve, group, &at));
    return CAIRN_OK;
}

static enum cairn_status commit_apply(struct cairn_replica *replica, void *context)
{
    struct commit_work *work = context;
    work->commit = (struct cairn_serve_commit){0};
    cairn_sequencing_init(&work->sequencing, replica);
    for (size_t i = 0; i < work->count; i++) {
        CAIRN_TRY(serve_commit(replica, work->serves[i]));
        work->commit.entry_count += work->serves[i]->entry_count;
        work->commit.refused_count += work->serves[i]->refused_count;
    }
    CAIRN_TRY(cairn_parked_retry(&replica->ctx));
    CAIRN_TRY(cairn_sequence(&work->sequencing));
    work->commit.checkpoint_count = work->sequencing.checkpoint_count;
    return CAIRN_OK;
}

static size_t left_out_count(const struct commit_work *work)
{
    size_t count = 0;

    for (size_t i = 0; i < work->count; i++)
        count += work->serves[i]->is_not_ours + work->serves[i]->left_out_count;
    return count;
}

enum cairn_status cairn_serve_commit(struct cairn_replica *replica, struct cairn_serve **serves,
                                     size_t count, struct cairn_serve_commit *out_commit,
                                     struct cairn_err *err)
{
    struct commit_work work = {.serves = serves, .count = count};

    enum cairn_status status = CAIRN_OK;
    size_t left_out;

    /* Each round leaves one more request, or run, out, so this ends. */
    do {
        cairn_replica_fresh(replica, err);
        left_out = left_out_count(&work);
        status = cairn_taking_write(replica, commit_apply, &work, err);
    } while (status != CAIRN_OK && left_out_count(&work) != left_out);
    if (status == CAIRN_OK)
        *out_commit = work.commit;
    return status;
}
