/* Following a scope log that somebody else keeps; declared in scope_log.h. */

#include <string.h>

#include "apply.h"
#include "force.h"
#include "scope_log.h"

/* A group being taken in. Logs of the scope log by number: those held, then those it
 * names first. */
struct following {
    struct cairn_context *ctx;
    const struct cairn_group *group;
    struct cairn_scope_log scope_log;
    uint32_t known_count; /* logs numbered before this group */
    size_t new_count;
    struct cairn_log_name *new_names; /* of the numbers from known_count on */
    struct cairn_hash *new_ids;
    size_t leaf_count;
    struct cairn_scope_leaf *leaves; /* new ones only */
    uint32_t *splits;                /* room for one log's sizes */
    bool is_other_history;           /* a leaf that is held here is another one there */
};

/* Is the leaf that stands at `index` here the same one? Names what we hold already by
 * its number. */
static enum cairn_status leaf_compare(struct following *f, uint64_t index,
                                      const struct cairn_scope_leaf *leaf)
{
    struct cairn_covered_leaf held;
    struct cairn_log log;
    uint32_t no = 0;

    CAIRN_TRY(cairn_scope_leaf_get(f->ctx, &f->scope_log, index, &held));
    CAIRN_TRY(cairn_log_load(f->ctx, held.log, &log));
    bool is_same = held.size == leaf->size;
    if (leaf->log.is_numbered) {
        enum cairn_status status =
            cairn_scope_log_of(f->ctx, &f->scope_log, leaf->log.log_number, &no);
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            return status;
        is_same = is_same && no == held.log;
    } else {
        struct cairn_hash id = cairn_log_id(&f->ctx->network, &leaf->log.device, f->group->scope,
                                            f->group->channel, &leaf->log.incarnation);
        is_same = is_same && cairn_hash_equal(&id, &log.id);
    }
    f->is_other_history = f->is_other_history || !is_same;
    return CAIRN_OK;
}

/* Collect the leaves behind our head, numbering the logs that they name for the first time. */
static enum cairn_status leaves_collect(struct following *f)
{
    struct cairn_list list = f->group->leaves;
    uint64_t held = f->scope_log.tree.size;
    uint64_t index = f->group->first_leaf;
    size_t room = list.left + 1;
    struct cairn_scope_leaf leaf;

    if (index > held)
        return CAIRN_GAP;
    f->leaves = cairn_arena_get(&f->ctx->arena, room * sizeof *f->leaves);
    f->splits = cairn_arena_get(&f->ctx->arena, room * sizeof *f->splits);
    f->new_names = cairn_arena_get(&f->ctx->arena, room * sizeof *f->new_names);
    f->new_ids = cairn_arena_get(&f->ctx->arena, room * sizeof *f->new_ids);
    if (f->leaves == NULL || f->splits == NULL || f->new_names == NULL || f->new_ids == NULL)
        return CAIRN_NO_MEMORY;
    for (; cairn_scope_leaf_next(&list, &leaf); index++) {
        if (index < held) {
            CAIRN_TRY(leaf_compare(f, index, &leaf));
            continue;
        }
        if (!leaf.log.is_numbered) {
            f->new_names[f->new_count] = leaf.log;
            f->new_ids[f->new_count] =
                cairn_log_id(&f->ctx->network, &leaf.log.device, f->group->scope, f->group->channel,
                             &leaf.log.incarnation);
            leaf.log.log_number = f->known_count + (uint32_t)f->new_count++;
            leaf.log.is_numbered = true;
        }
        if (leaf.log.log_number >= f->known_count + f->new_count)
            return CAIRN_MALFORMED;
        f->leaves[f->leaf_count++] = leaf;
    }
    return CAIRN_OK;
}

/* The log behind a number. NOT_FOUND: named for the first time and not held yet. */
static enum cairn_status numbered_log(struct following *f, uint32_t number,
                                      struct cairn_log *out_log)
{
    uint32_t no;

    if (number >= f->known_count) {
        size_t at = number - f->known_count;
        if (at >= f->new_count)
            return CAIRN_MALFORMED;
        return cairn_log_find(f->ctx, &f->new_ids[at], out_log);
    }
    CAIRN_TRY(cairn_scope_log_of(f->ctx, &f->scope_log, number, &no));
    return cairn_log_load(f->ctx, no, out_log);
}

static enum cairn_status run_take(struct following *f, struct cairn_run *run,
                                  struct cairn_follow *out_follow)
{
    struct cairn_apply_input input = {
        .scope = f->group->scope, .channel = f->group->channel, .run = run, .splits = f->splits};
    enum cairn_outcome outcome;
    uint32_t no;
    uint64_t before = f->ctx->tally.entries;

    if (run->log.is_numbered) {
        uint32_t number = run->log.log_number;
        struct cairn_log log;
        for (size_t i = 0; i < f->leaf_count; i++)
            if (f->leaves[i].log.log_number == number) {
                f->splits[input.split_count++] = f->leaves[i].size;
                input.covered_to = f->leaves[i].size;
            }
        enum cairn_status status = numbered_log(f, number, &log);
        if (status == CAIRN_OK && log.is_known) {
            input.log = log.no;
        } else if (status == CAIRN_OK || status == CAIRN_NOT_FOUND) {
            if (number < f->known_count)
                return CAIRN_CORRUPT;
            run->log = f->new_names[number - f->known_count];
        } else {
            return status;
        }
    }
    if (!f->group->has_checkpoint)
        CAIRN_TRY(cairn_apply_ahead(f->ctx, run));
    CAIRN_TRY(cairn_apply_run(f->ctx, &input, &outcome, &no));
    out_follow->entry_count += f->ctx->tally.entries - before;
    return outcome == CAIRN_OUTCOME_PARKED && input.covered_to != 0 ? CAIRN_GAP : CAIRN_OK;
}

static enum cairn_status leaf_take(struct following *f, const struct cairn_scope_leaf *leaf)
{
    struct cairn_log log;
    enum cairn_status status = numbered_log(f, leaf->log.log_number, &log);

    if (status == CAIRN_NOT_FOUND || (status == CAIRN_OK && cairn_log_size(&log) < leaf->size))
        return CAIRN_GAP;
    CAIRN_TRY(status);
    if (leaf->size <= log.covered)
        return CAIRN_FORKED; /* a sequencer covers each entry once */
    CAIRN_TRY(cairn_scope_cover(f->ctx, &f->scope_log, &log, leaf->size, f->group->time_s));
    /* A fork that stopped this log ends where one branch is covered. */
    uint32_t end;
    CAIRN_TRY(cairn_force_end(f->ctx, &log, &end));
    return end == log.force_end ? CAIRN_OK : cairn_force_move(f->ctx);
}

/* Does every log of the scope end here where it is covered? Only then must the states be equal. */
static enum cairn_status scope_is_exact(struct cairn_context *ctx,
                                        const struct cairn_scope_log *scope_log, bool *out_is_exact)
{
    struct cairn_key prefix =
        cairn_key_scope_channel(CAIRN_TABLE_SCOPE_LOGS, scope_log->scope, scope_log->channel);
    struct cairn_walk walk;
    enum cairn_status status;

    *out_is_exact = true;
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_log log;
        status = cairn_log_load(ctx, cairn_read_u32be(&walk.key), &log);
        if (status != CAIRN_OK)
            break;
        *out_is_exact = *out_is_exact && log.covered == cairn_log_size(&log);
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status checkpoint_take(struct following *f, struct cairn_follow *out_follow)
{
    const struct cairn_group *group = f->group;
    struct cairn_sequencer_info sequencer;
    struct cairn_checkpoint derived, stated;
    bool is_comparable;

    enum cairn_status status = cairn_sequencer_for(f->ctx, group->scope, &sequencer);
    if (status == CAIRN_NOT_FOUND)
        return cairn_fail(f->ctx->err, CAIRN_REFUSED, "No server is known for these checkpoints.");
    CAIRN_TRY(status);
    if (group->epoch != sequencer.epoch)
        return CAIRN_GAP;
    f->scope_log.epoch = group->epoch;
    CAIRN_TRY(cairn_scope_log_save(f->ctx, &f->scope_log));
    CAIRN_TRY(
        cairn_checkpoint_derive(f->ctx, &f->scope_log, group->time_s, &derived, &is_comparable));
    stated = derived;
    if (group->is_explicit) {
        stated.root = group->root;
        stated.digest = group->digest;
        stated.held_count = group->held_count;
        memcpy(stated.held, group->held, group->held_count * sizeof stated.held[0]);
    }
    if (!cairn_checkpoint_verify(f->ctx->verifier, &sequencer.standing.grant.keys.checkpoint,
                                 &stated, &group->signature))
        return CAIRN_BAD_SIGNATURE;
    if (!cairn_hash_equal(&stated.root, &derived.root))
        return CAIRN_FORKED;
    bool is_exact;
    CAIRN_TRY(scope_is_exact(f->ctx, &f->scope_log, &is_exact));
    bool is_same_digest = cairn_hash_equal(&stated.digest, &derived.digest);
    out_follow->state_is_equal = is_same_digest;
    out_follow->state_differs =
        is_comparable && is_exact && !is_same_digest && cairn_held_equal(&stated, &derived);
    return cairn_checkpoint_put(f->ctx, &stated, &group->signature);
}

/* What is held already, in a checkpoint that is given in full: is it the same history, under a good
 * signature? */
static enum cairn_status held_take(struct following *f, uint64_t leaf_count)
{
    const struct cairn_group *group = f->group;
    struct cairn_sequencer_info sequencer;
    struct cairn_checkpoint stated = {.network = f->ctx->network,
                                      .scope = group->scope,
                                      .channel = group->channel,
                                      .epoch = group->epoch,
                                      .size = group->first_leaf + leaf_count,
                                      .root = group->root,
                                      .time_s = group->time_s,
                                      .digest = group->digest,
                                      .held_count = group->held_count};
    struct cairn_hash root = group->root;

    if (!group->is_explicit)
        return f->is_other_history ? CAIRN_BAD_SIGNATURE : CAIRN_OK;
    memcpy(stated.held, group->held, group->held_count * sizeof stated.held[0]);
    enum cairn_status status = cairn_sequencer_for(f->ctx, group->scope, &sequencer);
    if (status == CAIRN_NOT_FOUND)
        return CAIRN_REFUSED;
    CAIRN_TRY(status);
    if (!cairn_checkpoint_verify(f->ctx->verifier, &sequencer.standing.grant.keys.checkpoint,
                                 &stated, &group->signature))
        return CAIRN_BAD_SIGNATURE;
    if (f->leaf_count == 0)
        CAIRN_TRY(cairn_scope_root_at(f->ctx, &f->scope_log, stated.size, &root));
    return f->is_other_history || !cairn_hash_equal(&root, &group->root) ? CAIRN_FORKED : CAIRN_OK;
}

enum cairn_status cairn_group_follow(struct cairn_context *ctx, const struct cairn_group *group,
                                     struct cairn_follow *out_follow)
{
    struct following f = {.ctx = ctx, .group = group};
    struct cairn_list runs = group->runs;
    struct cairn_run run;

    *out_follow = (struct cairn_follow){0};
    CAIRN_TRY(cairn_scope_log_load(ctx, group->scope, group->channel, &f.scope_log));
    f.known_count = f.scope_log.log_count;
    CAIRN_TRY(leaves_collect(&f));
    bool is_held = f.leaf_count == 0 && group->leaves.left > 0;
    if (group->has_checkpoint && (is_held || f.is_other_history))
        CAIRN_TRY(held_take(&f, group->leaves.left));
    while (cairn_run_next(&runs, &run))
        CAIRN_TRY(run_take(&f, &run, out_follow));
    if (!group->has_checkpoint || is_held)
        return CAIRN_OK; /* only runs, or all of it is held already */
    for (size_t i = 0; i < f.leaf_count; i++)
        CAIRN_TRY(leaf_take(&f, &f.leaves[i]));
    return checkpoint_take(&f, out_follow);
}
