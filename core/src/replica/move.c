/* Steps of a record's workflow: cairn_step of cairn/replica.h. What a step may do is step.c's. */

#include <string.h>

#include "judge.h"
#include "put_internal.h"

/* The live steps of a record, the shown one first. */
struct standing {
    const struct cairn_type *type;
    const struct cairn_field *field;
    size_t count;
    const struct cairn_live **steps; /* in the arena */
};

static enum cairn_status standing_find(struct cairn_context *ctx,
                                       const struct cairn_record_state *state, struct standing *out)
{
    const struct cairn_schema *schema;
    struct standing standing = {.count = 0};

    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    standing.type = cairn_schema_type(schema, state->type);
    standing.field = standing.type == NULL ? NULL : cairn_type_workflow(standing.type);
    if (standing.field != NULL)
        CAIRN_TRY(cairn_versions_order(ctx, state, standing.field->number, &ctx->arena,
                                       &standing.steps, &standing.count));
    *out = standing;
    return CAIRN_OK;
}

static const char *state_name(const struct cairn_type *type, uint64_t number)
{
    const struct cairn_workflow_state *state = cairn_type_state(type, number);

    return state == NULL ? "?" : state->name;
}

/* The position that one more step of `move` (NULL: giving up) leads to. */
static enum cairn_status next_position(struct cairn_context *ctx, const struct cairn_step *step,
                                       const struct cairn_type *type,
                                       const struct cairn_position *from,
                                       struct cairn_position *out)
{
    const struct cairn_move *move =
        step->move == NULL ? NULL : cairn_type_move_named(type, step->move);
    bool is_still = cairn_position_is_still(type, from);

    *out = (struct cairn_position){.state = from->state};
    if (step->move == NULL)
        return !is_still ? CAIRN_OK
                         : cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                                      "No move of %s is under way: there is nothing to give up. "
                                      "Nothing was written.",
                                      step->id);
    if (move == NULL || (move->is_retired && is_still))
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s has no move %s. Nothing was written.",
                          type->name, step->move);
    out->move = move->number;
    out->stage = is_still ? 0 : from->stage + 1;
    if (out->stage + 1 == move->step_count)
        out->state = move->to;
    return CAIRN_OK;
}

/* A role in the reader's language. */
static const char *role_word(const struct cairn_context *ctx, uint64_t role)
{
    const char *name = cairn_role_name(role);

    return ctx->err == NULL || ctx->err->translate == NULL ? name : ctx->err->translate(name);
}

/* Why the step cannot be taken, in words. */
static enum cairn_status step_refuse(struct cairn_context *ctx, const struct cairn_step *step,
                                     const struct cairn_type *type, enum cairn_reason reason,
                                     const struct cairn_position *from,
                                     const struct cairn_position *to)
{
    const struct cairn_move *under_way = cairn_type_move(type, from->move);
    const struct cairn_move *move = cairn_type_move(type, to->move);

    if (reason == CAIRN_WHY_NEWER)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s: a step of a newer schema was taken there. Take in that schema "
                          "first: cairn sync. Nothing was written.",
                          step->id);
    if (reason == CAIRN_WHY_STEP_ROLE && move == NULL)
        return cairn_fail(
            ctx->err, CAIRN_NO_RIGHT,
            "Only an office that has a part in %s can give it up. Nothing was written.",
            under_way->name);
    if (reason == CAIRN_WHY_STEP_ROLE)
        return cairn_fail(ctx->err, CAIRN_NO_RIGHT,
                          "%s: step %u of %u of %s is for a %s to take. Nothing was written.",
                          step->id, (unsigned)to->stage + 1, (unsigned)move->step_count, move->name,
                          role_word(ctx, move->roles[to->stage]));
    if (!cairn_position_is_still(type, from))
        return cairn_fail(
            ctx->err, CAIRN_BAD_INPUT,
            "%s: %s is under way; finish it, or give it up with --give-up. Nothing was "
            "written.",
            step->id, under_way->name);
    return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                      "%s stands at %s: %s does not begin there. Nothing was written.", step->id,
                      state_name(type, from->state), step->move);
}

static enum cairn_status step_compose(struct cairn_replica *replica, const struct cairn_step *step,
                                      const struct cairn_record_state *state,
                                      struct cairn_composer *composer)
{
    struct cairn_context *ctx = &replica->ctx;
    struct standing standing;
    struct cairn_position from, to;
    struct cairn_value value;
    struct cairn_hash seen;
    struct cairn_log creator;

    CAIRN_TRY(standing_find(ctx, state, &standing));
    if (standing.field == NULL)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s has no workflow: its type knows no states. Nothing was written.",
                          step->id);
    if (step->keep > standing.count)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s has %zu values of %s, not %u. Nothing was written.", step->id,
                          standing.count, standing.field->name, step->keep);
    size_t kept = step->keep == 0 ? 0 : step->keep - 1;
    struct cairn_dot *named = cairn_arena_get(&ctx->arena, (standing.count + 1) * sizeof *named);
    if (named == NULL)
        return CAIRN_NO_MEMORY;
    from = cairn_position_first(standing.type);
    for (size_t i = 0; i < standing.count; i++)
        named[i] = standing.steps[i == 0 ? kept : i <= kept ? i - 1 : i]->dot;
    if (standing.count > 0) {
        CAIRN_TRY(cairn_live_value(ctx, standing.steps[kept], &value));
        from = value.position;
    }
    CAIRN_TRY(next_position(ctx, step, standing.type, &from, &to));
    enum cairn_reason reason = cairn_step_judge(standing.type, composer->log.role, &from, &to);
    if (reason != CAIRN_WHY_NONE)
        return step_refuse(ctx, step, standing.type, reason, &from, &to);
    CAIRN_TRY(cairn_log_load(ctx, state->id.log, &creator));
    CAIRN_TRY(cairn_record_hash(ctx, &creator, state, &seen));
    return cairn_compose_step(composer, state->id, standing.field->number, &to, seen.bytes, named,
                              standing.count);
}

struct step_work {
    const struct cairn_step *step;
    const struct cairn_version *standing;
};

static const struct cairn_version *standing_version(const struct cairn_record *record)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].kind == CAIRN_FIELD_WORKFLOW)
            return &record->fields[i].versions[0];
    return NULL;
}

/* Looked up before the commit: a step that stands must not be told as one that failed. */
static enum cairn_status standing_view(struct cairn_replica *replica, struct step_work *work)
{
    struct cairn_index_row row;
    struct cairn_record_state state;
    struct cairn_record record;

    CAIRN_TRY(cairn_label_locate(&replica->ctx, work->step->id, &row));
    CAIRN_TRY(cairn_row_load(&replica->ctx, &row, &state));
    CAIRN_TRY(cairn_row_view(replica, &replica->ctx, &row, &state, &record));
    work->standing = standing_version(&record);
    return CAIRN_OK;
}

static enum cairn_status step_apply(struct cairn_replica *replica, void *context)
{
    struct step_work *work = context;
    struct cairn_record_state state;
    struct cairn_composer composer;

    CAIRN_TRY(cairn_record_open(replica, work->step->id, &state, &composer));
    enum cairn_status status = CAIRN_OK;
    if (cairn_record_is_deleted(&state))
        status = cairn_fail(replica->ctx.err, CAIRN_BAD_INPUT,
                            "%s was deleted. Nothing was written.", work->step->id);
    if (status == CAIRN_OK)
        status = step_compose(replica, work->step, &state, &composer);
    if (status == CAIRN_OK)
        status = cairn_entry_end(&composer, work->step->reason);
    if (status == CAIRN_OK)
        status = cairn_entries_write(replica, &composer);
    if (status == CAIRN_OK)
        status = standing_view(replica, work);
    cairn_composer_release(&composer);
    return status;
}

enum cairn_status cairn_step(struct cairn_replica *replica, const struct cairn_step *step,
                             const struct cairn_version **out_standing, struct cairn_err *err)
{
    struct step_work work = {.step = step};

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_write(replica, step_apply, &work, err));
    *out_standing = work.standing;
    return CAIRN_OK;
}

/* ---- what can come next -------------------------------------------------------------------- */

static struct cairn_next_step next_step(const struct cairn_type *type,
                                        const struct cairn_move *move, uint64_t stage,
                                        uint64_t own_role)
{
    const struct cairn_workflow_state *to = cairn_type_state(type, move->to);
    struct cairn_next_step next = {.move = move->name,
                                   .label_zh = move->label_zh,
                                   .label_en = move->label_en,
                                   .to = state_name(type, move->to),
                                   .number = (unsigned)stage + 1,
                                   .step_count = (unsigned)move->step_count,
                                   .role = cairn_role_name(move->roles[stage]),
                                   .is_own = move->roles[stage] == own_role};

    if (to != NULL)
        next.to_label = (struct cairn_label){to->label_zh, to->label_en};
    return next;
}

static enum cairn_status next_find(struct cairn_replica *replica, const struct standing *standing,
                                   struct cairn_workflow *out)
{
    const struct cairn_type *type = standing->type;
    struct cairn_position at = cairn_position_first(type);
    struct cairn_standing self = {.role = UINT64_MAX};
    struct cairn_value value;
    struct cairn_next_step *next =
        cairn_arena_get(&replica->results, (type->move_count + 1) * sizeof *next);

    if (next == NULL)
        return CAIRN_NO_MEMORY;
    if (replica->is_joined)
        CAIRN_TRY(cairn_standing_get(&replica->ctx, &replica->under, &self));
    if (standing->count > 0) {
        CAIRN_TRY(cairn_live_value(&replica->ctx, standing->steps[0], &value));
        at = value.position;
    }
    bool is_still = cairn_position_is_still(type, &at);
    out->next = next;
    for (size_t i = 0; i < type->move_count; i++) {
        const struct cairn_move *move = &type->moves[i];
        if (is_still ? !move->is_retired && cairn_move_begins(move, at.state)
                     : move->number == at.move)
            next[out->next_count++] = next_step(type, move, is_still ? 0 : at.stage + 1, self.role);
    }
    return CAIRN_OK;
}

static enum cairn_status workflow_find(struct cairn_replica *replica, const char *id,
                                       struct cairn_workflow *out)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_index_row row;
    struct cairn_record_state state;
    struct cairn_record record;
    struct standing standing;

    CAIRN_TRY(cairn_label_locate(ctx, id, &row));
    CAIRN_TRY(cairn_row_load(ctx, &row, &state));
    CAIRN_TRY(standing_find(ctx, &state, &standing));
    if (standing.field == NULL)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s has no workflow: its type knows no states.", id);
    CAIRN_TRY(cairn_row_view(replica, ctx, &row, &state, &record));
    memcpy(out->id, record.id, sizeof out->id);
    for (size_t i = 0; i < record.field_count; i++) {
        if (record.fields[i].kind != CAIRN_FIELD_WORKFLOW)
            continue;
        out->versions = record.fields[i].versions;
        out->version_count = record.fields[i].version_count;
    }
    return next_find(replica, &standing, out);
}

enum cairn_status cairn_workflow_get(struct cairn_replica *replica, const char *id,
                                     struct cairn_workflow *out_workflow, struct cairn_err *err)
{
    struct cairn_workflow workflow = {.version_count = 0};

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    CAIRN_TRY(cairn_replica_done(replica, workflow_find(replica, id, &workflow), err));
    *out_workflow = workflow;
    return CAIRN_OK;
}
