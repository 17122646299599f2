#include "apply.h"

#include "announce.h"
#include "basis.h"
#include "batch.h"
#include "cairn/seal.h"
#include "force.h"
#include "parked.h"
#include "rebuild.h"

/* ---- accepting ----------------------------------------------------------------------------- */

/* The log a run belongs to, as held, or as the run describes it. */
static enum cairn_status run_log(struct cairn_context *ctx, const struct cairn_apply_input *input,
                                 struct cairn_log *out_log)
{
    const struct cairn_run *run = input->run;

    if (run->log.is_numbered)
        return cairn_log_load(ctx, input->log, out_log);
    struct cairn_hash id = cairn_log_id(&ctx->network, &run->log.device, input->scope,
                                        input->channel, &run->log.incarnation);
    enum cairn_status status = cairn_log_find(ctx, &id, out_log);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    if (status == CAIRN_OK && out_log->is_known)
        return CAIRN_OK;
    uint32_t no = status == CAIRN_OK ? out_log->no : 0;
    *out_log = (struct cairn_log){.no = no,
                                  .id = id,
                                  .device = run->log.device,
                                  .scope = input->scope,
                                  .channel = input->channel,
                                  .incarnation = run->log.incarnation,
                                  .secret_kind = run->secret_kind,
                                  .secret = run->secret,
                                  .force_end = CAIRN_NO_END};
    cairn_tree_init(&out_log->tree);
    return CAIRN_OK;
}

static bool seal_is_good(struct cairn_context *ctx, const struct cairn_log *log,
                         const struct cairn_tree *tree, const struct cairn_signature *seal)
{
    struct cairn_head head = {log->id, (uint32_t)tree->size, cairn_tree_root(tree)};

    return cairn_seal_verify(ctx->verifier, &log->device, &head, seal);
}

/* Are both entries `at` of the log? One of them may be the closed form of the other: the leaf
 * decides. */
static enum cairn_status leaf_is_same(struct cairn_context *ctx, const struct cairn_log *log,
                                      uint32_t at, struct cairn_bytes given, bool *out_is_same)
{
    struct cairn_entry entry;
    struct cairn_hash *commitments;
    struct cairn_hash held_leaf, leaf;
    struct cairn_blinder blinder;

    CAIRN_TRY(cairn_entry_load(ctx, log, at, &entry, &commitments, &held_leaf));
    CAIRN_TRY(cairn_entry_read(given, &entry));
    cairn_log_blinder(log, &blinder);
    enum cairn_status status = cairn_leaf(&blinder, at, &entry, &leaf, NULL);
    cairn_blinder_release(&blinder);
    CAIRN_TRY(status);
    *out_is_same = cairn_hash_equal(&held_leaf, &leaf);
    return CAIRN_OK;
}

/* How far the run agrees with what is held: the first index at which it does not, or where
 * it ends. */
static enum cairn_status run_common(struct cairn_context *ctx, const struct cairn_log *log,
                                    const struct cairn_run *run, uint32_t *out_common,
                                    size_t *out_offset)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_reader reader;
    uint32_t at = run->first;
    uint32_t end = run->first + run->entry_count;
    size_t offset = 0;

    cairn_reader_init(&reader, run->entries);
    for (; at < end && at < cairn_log_size(log); at++) {
        struct cairn_bytes held;
        struct cairn_bytes given = cairn_cbor_skip(&reader);
        CAIRN_TRY(cairn_log_entry(ctx, log->no, at, &held, NULL));
        bool is_same = cairn_bytes_equal(held, given);
        if (!is_same)
            CAIRN_TRY(leaf_is_same(ctx, log, at, given, &is_same));
        cairn_arena_rewind(&ctx->arena, mark);
        if (!is_same)
            break;
        offset = reader.pos;
    }
    *out_common = at;
    *out_offset = offset;
    return CAIRN_OK;
}

/* `bytes` continue the log at its head: check the seal, then write. */
static enum cairn_status run_append(struct cairn_context *ctx,
                                    const struct cairn_apply_input *input, struct cairn_log *log,
                                    struct cairn_bytes bytes, uint32_t count,
                                    enum cairn_outcome *out_outcome)
{
    struct cairn_batch batch;
    uint32_t from = cairn_log_size(log);
    uint32_t limit, adopted;
    bool moves_force = false;

    CAIRN_TRY(cairn_batch_hash(ctx, log, &log->tree, bytes, count, &batch));
    if (!seal_is_good(ctx, log, &batch.tree, &input->run->seal))
        return cairn_fail(ctx->err, CAIRN_BAD_SIGNATURE,
                          "Entries %u to %u of a log do not match the seal over them.", from,
                          from + count - 1);
    enum cairn_status status = cairn_bases_check(ctx, log, &batch);
    if (status == CAIRN_NOT_FOUND) {
        *out_outcome = CAIRN_OUTCOME_PARKED;
        return cairn_run_park(ctx, input->scope, input->channel, log, input->run);
    }
    CAIRN_TRY(status);
    bool is_new = !log->is_known;
    if (is_new) {
        struct cairn_basis basis;
        if (!cairn_basis_read(&batch.entries[0], &basis))
            return CAIRN_MALFORMED;
        log->under = basis.under; /* what cuts it may be known already */
        CAIRN_TRY(cairn_log_begin(ctx, log));
    }
    CAIRN_TRY(cairn_force_limit(ctx, log, &limit));
    /* An auditor judges what others took before they knew of the cut. */
    if (from >= limit && from >= input->covered_to && !ctx->is_auditor) {
        *out_outcome = CAIRN_OUTCOME_CUT;
        CAIRN_TRY(cairn_log_save(ctx, log));
        /* Evidence under a quota; tried again, as the cut itself may turn out to lie behind
         * another. */
        status = cairn_run_park(ctx, input->scope, input->channel, log, input->run);
        return status == CAIRN_LIMIT ? CAIRN_OK : status;
    }
    CAIRN_TRY(cairn_force_end(ctx, log, &log->force_end));
    CAIRN_TRY(cairn_batch_apply(ctx, log, &batch, &input->run->seal, input->splits,
                                input->split_count, &moves_force));
    *out_outcome = CAIRN_OUTCOME_ACCEPTED;
    /* The log may have reached a cut that names another history, or the end of an adopted range, or
     * gone on where evidence says otherwise. */
    uint32_t end;
    CAIRN_TRY(cairn_force_end(ctx, log, &end));
    CAIRN_TRY(cairn_force_adopted(ctx, log, &adopted));
    moves_force = moves_force || end != log->force_end || adopted > from;
    return cairn_log_has_grown(ctx, log, from, moves_force);
}

/* A log's id says nothing of its secret: who leaves it at its basis may have another, and another
 * grant. */
static void basis_forget(struct cairn_log *log, const struct cairn_run *run)
{
    log->is_known = false;
    log->secret_kind = run->secret_kind;
    log->secret = run->secret;
}

/* The run agrees up to `common` and then says something else under a good seal: a proven fork. */
static enum cairn_status run_forked(struct cairn_context *ctx,
                                    const struct cairn_apply_input *input, struct cairn_log *log,
                                    uint32_t common, size_t offset, enum cairn_outcome *out_outcome)
{
    const struct cairn_run *run = input->run;
    struct cairn_log branch = *log;
    struct cairn_tree tree;
    struct cairn_batch batch;
    struct cairn_bytes rest = {run->entries.data + offset, run->entries.size - offset};
    uint32_t count = run->entry_count - (common - run->first);

    if (common == 0)
        basis_forget(&branch, run);
    CAIRN_TRY(cairn_tree_at(ctx, log, common, &tree));
    CAIRN_TRY(cairn_batch_hash(ctx, &branch, &tree, rest, count, &batch));
    if (!seal_is_good(ctx, log, &batch.tree, &run->seal))
        return cairn_fail(ctx->err, CAIRN_BAD_SIGNATURE,
                          "Entries %u to %u of a log do not match the seal over them.", common,
                          common + count - 1);
    ctx->tally.forks++;
    if (common < input->covered_to && log->covered <= common) {
        CAIRN_TRY(cairn_abandon_tail(ctx, log, common));
        if (common == 0)
            basis_forget(log, run);
        return run_append(ctx, input, log, rest, count, out_outcome);
    }
    struct cairn_run alone = *run;
    struct cairn_hash root = cairn_tree_root(&batch.tree);
    alone.log = (struct cairn_log_name){.device = log->device, .incarnation = log->incarnation};
    CAIRN_TRY(cairn_fork_keep(ctx, log, common, &alone, &root));
    *out_outcome = CAIRN_OUTCOME_FORKED;
    uint32_t end;
    CAIRN_TRY(cairn_force_end(ctx, log, &end));
    return end == log->force_end ? CAIRN_OK : cairn_force_move(ctx);
}

/* What a run takes of a message beside its entries, with its leaf; and the grant of its device,
 * where it brings a basis. */
#define RUN_HEAD_BYTES 256
#define RUN_GRANT_BYTES 1024

enum cairn_status cairn_apply_ahead(struct cairn_context *ctx, const struct cairn_run *run)
{
    size_t beside = run->first == 0 ? RUN_HEAD_BYTES + RUN_GRANT_BYTES : RUN_HEAD_BYTES;

    if (ctx->before_run == NULL)
        return CAIRN_OK;
    return ctx->before_run(ctx->before_run_context, run->entries.size + beside);
}

enum cairn_status cairn_apply_run(struct cairn_context *ctx, const struct cairn_apply_input *input,
                                  enum cairn_outcome *out_outcome, uint32_t *out_log)
{
    const struct cairn_run *run = input->run;
    struct cairn_log log;
    uint32_t common;
    size_t offset;
    /* An auditor's are closed, and longer for it. */
    bool is_too_long =
        run->entries.size > CAIRN_RUN_BYTES_MAX && input->covered_to == 0 && !ctx->is_auditor;

    /* Without the secret nobody could ever open it: only an auditor reads closed bundles. */
    if (run->secret_kind == CAIRN_RUN_BLIND_SEED && !ctx->is_auditor)
        return CAIRN_MALFORMED;
    CAIRN_TRY(run_log(ctx, input, &log));
    if (run->first > cairn_log_size(&log)) {
        *out_outcome = CAIRN_OUTCOME_PARKED;
        *out_log = log.no;
        return is_too_long ? CAIRN_LIMIT
                           : cairn_run_park(ctx, input->scope, input->channel, &log, run);
    }
    CAIRN_TRY(run_common(ctx, &log, run, &common, &offset));
    *out_log = log.no;
    if (common == run->first + run->entry_count) {
        *out_outcome = CAIRN_OUTCOME_KNOWN;
        return CAIRN_OK;
    }
    if (is_too_long)
        return CAIRN_LIMIT;
    if (common < cairn_log_size(&log))
        return run_forked(ctx, input, &log, common, offset, out_outcome);
    struct cairn_bytes rest = {run->entries.data + offset, run->entries.size - offset};
    CAIRN_TRY(
        run_append(ctx, input, &log, rest, run->entry_count - (common - run->first), out_outcome));
    *out_log = log.no;
    return CAIRN_OK;
}

/* ---- what follows -------------------------------------------------------------------------- */

static enum cairn_status announcer_rebuild(struct cairn_context *ctx,
                                           const struct cairn_announced_span *span)
{
    struct cairn_log log;

    CAIRN_TRY(cairn_log_load(ctx, span->no, &log));
    CAIRN_TRY(cairn_followers_wait(ctx, &log, span->from, span->to));
    return cairn_rebuild_touched(ctx, &log, span->from, span->to);
}

enum cairn_status cairn_log_has_grown(struct cairn_context *ctx, const struct cairn_log *log,
                                      uint32_t from, bool moves_force)
{
    CAIRN_TRY(cairn_announcements_check(ctx, log, announcer_rebuild));
    CAIRN_TRY(cairn_waiting_release(ctx, log));
    if (log->channel == CAIRN_CHANNEL_AUTHORITY)
        CAIRN_TRY(cairn_waiting_schemas_release(ctx));
    CAIRN_TRY(cairn_repeats_rebuild(ctx, log, from));
    return moves_force ? cairn_force_move(ctx) : CAIRN_OK;
}

/* Try the parked run that lies at `key`. */
static enum cairn_status parked_try(struct cairn_context *ctx,
                                    const struct cairn_apply_input *input,
                                    const struct cairn_key *key, bool *out_moved)
{
    enum cairn_outcome outcome;
    uint32_t no;

    CAIRN_TRY(cairn_apply_ahead(ctx, input->run));
    uint64_t written = ctx->write_count;
    enum cairn_status status = cairn_apply_run(ctx, input, &outcome, &no);
    if (status == CAIRN_OK && (outcome == CAIRN_OUTCOME_PARKED || outcome == CAIRN_OUTCOME_CUT))
        return CAIRN_OK;
    /* Taken in, or found to be no good: either way it is parked no more. */
    if (status != CAIRN_OK && cairn_status_actor(status) != CAIRN_ACTOR_PEER)
        return status;
    if (status != CAIRN_OK && ctx->write_count != written) {
        ctx->has_spoilt = true;
        ctx->spoilt = *key;
        return status;
    }
    *out_moved = true;
    return cairn_parked_drop(ctx, key);
}

enum cairn_status cairn_parked_retry(struct cairn_context *ctx)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    uint64_t count;
    bool moved = true;

    CAIRN_TRY(cairn_waiting_links_release(ctx));
    CAIRN_TRY(cairn_waiting_schemas_release(ctx)); /* a link may have brought the one before */
    CAIRN_TRY(cairn_meta_number(ctx, "parked", &count));
    while (count > 0 && moved) {
        struct cairn_key from = {.size = 0}, key;
        struct cairn_run run;
        struct cairn_apply_input input = {.run = &run};
        enum cairn_status status;
        moved = false;
        while ((status = cairn_parked_next(ctx, &from, &input.scope, &input.channel, &run, &key)) ==
               CAIRN_OK) {
            CAIRN_TRY(parked_try(ctx, &input, &key, &moved));
            cairn_arena_rewind(&ctx->arena, mark);
        }
        if (status != CAIRN_NOT_FOUND)
            return status;
        CAIRN_TRY(cairn_meta_number(ctx, "parked", &count));
    }
    return CAIRN_OK;
}

enum cairn_status cairn_abandon_tail(struct cairn_context *ctx, struct cairn_log *log,
                                     uint32_t from)
{
    struct cairn_run run;
    uint32_t size = cairn_log_size(log);
    uint32_t at = from;

    CAIRN_ASSERT(from >= log->covered);
    /* Kept as a fork of its own log: seal by seal, so that nothing that was signed is lost. */
    while (at < size) {
        struct cairn_hash root;
        enum cairn_status status = cairn_log_run(ctx, log, at, size, CAIRN_RUN_BYTES_MAX, &run);
        if (status == CAIRN_GAP)
            break;
        CAIRN_TRY(status);
        CAIRN_TRY(cairn_log_root_at(ctx, log, at + run.entry_count, &root));
        CAIRN_TRY(cairn_fork_keep(ctx, log, from, &run, &root));
        at += run.entry_count;
    }
    return size > from ? cairn_log_cut_back(ctx, log, from) : CAIRN_OK;
}
