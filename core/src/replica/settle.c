/* Deleting records and settling conflicts: with put.c, the writing half of cairn/replica.h's
 * records. */

#include <string.h>

#include "edit.h"
#include "judge.h"
#include "put_internal.h"
#include "rebuild.h"

struct settle_work {
    const char *id, *type, *field, *value, *reason;
    unsigned keep;
    const char *out_value;
};

enum cairn_status cairn_entries_write(struct cairn_replica *replica,
                                      struct cairn_composer *composer)
{
    struct cairn_author author = cairn_replica_author(replica);
    struct cairn_log log;

    CAIRN_TRY(cairn_log_load(&replica->ctx, composer->log.no, &log));
    return cairn_apply_own(&replica->ctx, &author, &log, cairn_buffer_bytes(&composer->entries),
                           composer->entry_count);
}

enum cairn_status cairn_entry_end(struct cairn_composer *composer, const char *reason)
{
    uint32_t index;

    if (reason != NULL)
        cairn_compose_reason(composer, reason);
    return cairn_compose_end(composer, &index);
}

/* A deletion names every live version of other logs, so that it hides nothing that it did
 * not see. */
static enum cairn_status delete_compose(struct cairn_composer *composer,
                                        const struct cairn_record_state *state)
{
    struct cairn_dot *named =
        cairn_arena_get(&composer->ctx->arena, (state->live_count + 1) * sizeof *named);
    size_t count = 0;

    if (named == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < state->live_count; i++) {
        bool is_new = state->live[i].dot.log != composer->log.no;
        for (size_t k = 0; k < count; k++)
            is_new = is_new && (named[k].log != state->live[i].dot.log ||
                                named[k].index != state->live[i].dot.index);
        if (is_new)
            named[count++] = state->live[i].dot;
    }
    return cairn_compose_write(composer, CAIRN_ITEM_DELETE, state->id, 0, NULL, named, count);
}

/* Write again what a deletion took away: of a register the value that was shown, of a set each
 * element, of a counter the sum. */
static enum cairn_status undeleted_edits(struct cairn_replica *replica,
                                         const struct cairn_type *type,
                                         const struct cairn_record_state *state,
                                         struct cairn_edits *out_edits)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_record_state undeleted;

    CAIRN_TRY(cairn_record_undeleted(ctx, state, &undeleted));
    *out_edits = (struct cairn_edits){.count = 0};
    for (size_t i = 0; i < undeleted.live_count; i++) {
        const struct cairn_live *live = &undeleted.live[i];
        const struct cairn_field *field = type == NULL ? NULL : cairn_type_field(type, live->field);
        if (field == NULL || live->is_closed)
            continue;
        CAIRN_TRY(cairn_edits_restore(ctx, field, state, &undeleted, live, out_edits));
    }
    return CAIRN_OK;
}

/* Bring a deleted record back: its existence, then its fields. */
static enum cairn_status restore_compose(struct cairn_replica *replica,
                                         struct cairn_composer *composer,
                                         const struct cairn_record_state *state, const char *reason)
{
    static const struct cairn_value alive = {.kind = CAIRN_VALUE_INTEGER, .integer = 1};
    struct cairn_context *ctx = &replica->ctx;
    const struct cairn_schema *schema;
    struct cairn_edits edits;
    const struct cairn_change *changes;
    struct cairn_dot *deletions =
        cairn_arena_get(&ctx->arena, (state->live_count + 1) * sizeof *deletions);
    size_t deletion_count = 0, change_count;
    uint32_t index;

    if (deletions == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    CAIRN_TRY(undeleted_edits(replica, cairn_schema_type(schema, state->type), state, &edits));
    for (size_t i = 0; i < state->live_count; i++)
        if (state->live[i].field == CAIRN_FIELD_EXISTENCE &&
            state->live[i].dot.log != composer->log.no)
            deletions[deletion_count++] = state->live[i].dot;
    CAIRN_TRY(cairn_compose_write(composer, CAIRN_ITEM_SETTLE, state->id, CAIRN_FIELD_EXISTENCE,
                                  &alive, deletions, deletion_count));
    cairn_compose_reason(composer, reason);
    CAIRN_TRY(cairn_compose_end(composer, &index));
    return cairn_edits_compose(replica, composer, state, &edits, reason, &changes, &change_count);
}

enum cairn_status cairn_record_open(struct cairn_replica *replica, const char *id,
                                    struct cairn_record_state *out_state,
                                    struct cairn_composer *out_composer)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_author author = cairn_replica_author(replica);
    struct cairn_standing standing;
    struct cairn_log creator, own;
    char scope[CAIRN_SCOPE_TEXT_BYTES];

    CAIRN_TRY(cairn_writer_check(replica, &standing));
    CAIRN_TRY(cairn_label_find(ctx, id, &creator, out_state));
    cairn_scope_text(creator.scope, scope);
    if (!cairn_scope_contains(standing.scope, creator.scope))
        return cairn_fail(ctx->err, CAIRN_NO_RIGHT,
                          "%s lies in village %s, which the grant of %s does not cover.", id, scope,
                          standing.tag);
    CAIRN_TRY(cairn_own_log(ctx, &author, creator.scope, CAIRN_CHANNEL_RECORDS, &own));
    cairn_composer_init(out_composer, ctx, &own, author.now_s);
    cairn_compose_begin(out_composer);
    return CAIRN_OK;
}

static enum cairn_status delete_apply(struct cairn_replica *replica, void *context)
{
    struct settle_work *work = context;
    struct cairn_record_state state;
    struct cairn_composer composer;
    const struct cairn_schema *schema;

    CAIRN_TRY(cairn_record_open(replica, work->id, &state, &composer));
    enum cairn_status status = cairn_schema_now(&replica->ctx, &schema);
    const struct cairn_type *type =
        status == CAIRN_OK ? cairn_schema_type_named(schema, work->type) : NULL;
    if (status == CAIRN_OK && (type == NULL || type->number != state.type))
        status = cairn_fail(replica->ctx.err, CAIRN_BAD_INPUT,
                            "%s is not a %s. Nothing was written.", work->id, work->type);
    else if (status == CAIRN_OK && cairn_record_is_deleted(&state))
        status = cairn_fail(replica->ctx.err, CAIRN_BAD_INPUT,
                            "%s was deleted. Nothing was written.", work->id);
    if (status == CAIRN_OK)
        status = delete_compose(&composer, &state);
    if (status == CAIRN_OK)
        status = cairn_entry_end(&composer, work->reason);
    if (status == CAIRN_OK)
        status = cairn_entries_write(replica, &composer);
    cairn_composer_release(&composer);
    return status;
}

enum cairn_status cairn_delete(struct cairn_replica *replica, const char *type, const char *id,
                               const char *reason, struct cairn_err *err)
{
    struct settle_work work = {.id = id, .type = type, .reason = reason};

    cairn_replica_fresh(replica, err);
    return cairn_replica_write(replica, delete_apply, &work, err);
}

/* The version that a person chose, as it is listed. */
static enum cairn_status kept_version(struct cairn_replica *replica, const struct settle_work *work,
                                      const struct cairn_record_state *state, uint64_t field,
                                      const struct cairn_live **out_kept)
{
    struct cairn_context *ctx = &replica->ctx;
    const struct cairn_live **order;
    size_t count;

    CAIRN_TRY(cairn_versions_order(ctx, state, field, &ctx->arena, &order, &count));
    if (count < 2)
        return cairn_fail(
            replica->ctx.err, CAIRN_BAD_INPUT,
            "%s has no conflict in %s. Nothing was written; cairn conflicts lists them.", work->id,
            work->field);
    if (work->keep > count)
        return cairn_fail(replica->ctx.err, CAIRN_BAD_INPUT,
                          "%s has %zu values of %s, not %u. Nothing was written.", work->id, count,
                          work->field, work->keep);
    *out_kept = work->keep == 0 ? order[0] : order[work->keep - 1];
    return CAIRN_OK;
}

static enum cairn_status settle_field(struct cairn_replica *replica, struct settle_work *work,
                                      const struct cairn_record_state *state,
                                      struct cairn_composer *composer)
{
    struct cairn_context *ctx = &replica->ctx;
    const struct cairn_schema *schema;
    const struct cairn_live *kept = NULL, *shown;
    struct cairn_value value;
    struct cairn_dot *named = cairn_arena_get(&ctx->arena, (state->live_count + 1) * sizeof *named);
    size_t named_count, count;

    if (named == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    const struct cairn_type *type = cairn_schema_type(schema, state->type);
    const struct cairn_field *field =
        type == NULL ? NULL : cairn_type_field_called(type, work->field);
    if (field == NULL)
        return cairn_field_missing(ctx->err, type == NULL ? work->id : type->name, work->field);
    if (field->merge == CAIRN_MERGE_WORKFLOW)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s is settled by the next step: cairn step %s MOVE --keep N. Nothing "
                          "was written.",
                          work->field, work->id);
    if (field->merge != CAIRN_MERGE_REGISTER)
        return cairn_fail(
            ctx->err, CAIRN_BAD_INPUT,
            "%s holds what everybody added: it has no conflicts. Nothing was written.",
            work->field);
    CAIRN_TRY(kept_version(replica, work, state, field->number, &kept));
    if (work->keep == 0)
        CAIRN_TRY(cairn_edit_value(ctx, field, work->value, &value));
    else
        CAIRN_TRY(cairn_live_value(ctx, kept, &value));
    if (value.kind == CAIRN_VALUE_CLOSED)
        return CAIRN_CORRUPT;
    CAIRN_TRY(cairn_field_live(ctx, state, field->number, composer->log.no, &shown, named,
                               &named_count, &count));
    CAIRN_TRY(cairn_value_text(ctx, type, field, &value, &replica->results, &work->out_value));
    CAIRN_TRY(cairn_compose_write(composer, CAIRN_ITEM_SETTLE, state->id, field->number, &value,
                                  named, named_count));
    return cairn_entry_end(composer, work->reason);
}

static enum cairn_status settle_deletion(struct cairn_replica *replica, struct settle_work *work,
                                         const struct cairn_record_state *state,
                                         struct cairn_composer *composer)
{
    bool is_contested = cairn_record_has_conflict(state) && cairn_live_is_deletion(&state->live[0]);

    if (!is_contested || work->keep < 1 || work->keep > 2)
        return cairn_fail(
            replica->ctx.err, CAIRN_BAD_INPUT,
            "%s has no deletion in conflict with edits; with one, --keep 1 deletes and "
            "--keep 2 restores. Nothing was written.",
            work->id);
    work->out_value = work->keep == 1 ? "deleted" : "restored";
    if (work->keep == 2)
        return restore_compose(replica, composer, state, work->reason);
    CAIRN_TRY(delete_compose(composer, state));
    return cairn_entry_end(composer, work->reason);
}

static enum cairn_status settle_apply(struct cairn_replica *replica, void *context)
{
    struct settle_work *work = context;
    struct cairn_record_state state;
    struct cairn_composer composer;

    CAIRN_TRY(cairn_record_open(replica, work->id, &state, &composer));
    enum cairn_status status = strcmp(work->field, "deleted") == 0
                                   ? settle_deletion(replica, work, &state, &composer)
                                   : settle_field(replica, work, &state, &composer);
    if (status == CAIRN_OK)
        status = cairn_entries_write(replica, &composer);
    cairn_composer_release(&composer);
    return status;
}

enum cairn_status cairn_settle(struct cairn_replica *replica, const char *id, const char *field,
                               unsigned keep, const char *value, const char *reason,
                               const char **out_value, struct cairn_err *err)
{
    struct settle_work work = {
        .id = id, .field = field, .keep = keep, .value = value, .reason = reason};

    cairn_replica_fresh(replica, err);
    if (reason == NULL || reason[0] == '\0')
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "Settling needs a reason: --reason TEXT. Nothing was written.");
    if (keep == 0 && value == NULL)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "Say which value holds: --keep N or --value V. Nothing was written.");
    CAIRN_TRY(cairn_replica_write(replica, settle_apply, &work, err));
    *out_value = work.out_value;
    return CAIRN_OK;
}
