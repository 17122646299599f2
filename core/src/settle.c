/* Deleting records and settling conflicts: with put.c, the writing half of cairn/replica.h's
 * records. */

#include <string.h>

#include "judge.h"
#include "put_internal.h"
#include "rebuild.h"

struct settle_work {
    const char *id, *type, *field, *value, *reason;
    unsigned keep;
    const char *out_value;
};

static enum cairn_status entry_write(struct cairn_replica *replica, struct cairn_composer *composer,
                                     const char *reason)
{
    struct cairn_author author = cairn_replica_author(replica);
    struct cairn_log log;
    uint32_t index;

    if (reason != NULL)
        cairn_compose_reason(composer, reason);
    CAIRN_TRY(cairn_compose_end(composer, &index));
    CAIRN_TRY(cairn_log_load(&replica->ctx, composer->log.no, &log));
    return cairn_apply_own(&replica->ctx, &author, &log, cairn_buffer_bytes(&composer->entries),
                           composer->entry_count);
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

/* Bring a deleted record back: its existence, and of each field the last value before the
 * deletion. */
static enum cairn_status restore_compose(struct cairn_replica *replica,
                                         struct cairn_composer *composer,
                                         const struct cairn_record_state *state)
{
    static const struct cairn_value alive = {.kind = CAIRN_VALUE_INTEGER, .integer = 1};
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_dot *dots, deletions[16];
    size_t count, deletion_count = 0, restored = 0;
    uint64_t seen[CAIRN_WRITES_MAX];
    const size_t seen_max = sizeof seen / sizeof seen[0] - 1;

    for (size_t i = 0; i < state->live_count; i++)
        if (state->live[i].field == CAIRN_FIELD_EXISTENCE && deletion_count < 16 &&
            state->live[i].dot.log != composer->log.no)
            deletions[deletion_count++] = state->live[i].dot;
    CAIRN_TRY(cairn_compose_write(composer, CAIRN_ITEM_SETTLE, state->id, CAIRN_FIELD_EXISTENCE,
                                  &alive, deletions, deletion_count));
    for (size_t i = 0; i < state->live_count && restored < seen_max; i++)
        seen[restored++] = state->live[i].field;
    CAIRN_TRY(cairn_record_chain(ctx, state, &dots, &count));
    for (size_t i = count; i-- > 0;) {
        struct cairn_log log;
        struct cairn_entry entry;
        struct cairn_hash *commitments;
        struct cairn_judged_change *change = cairn_arena_get(&ctx->arena, sizeof *change);
        if (change == NULL)
            return CAIRN_NO_MEMORY;
        CAIRN_TRY(cairn_log_load(ctx, dots[i].log, &log));
        CAIRN_TRY(cairn_entry_load(ctx, &log, dots[i].index, &entry, &commitments, NULL));
        CAIRN_TRY(cairn_change_resolve(ctx, &log, dots[i].index, &entry, commitments, change));
        for (size_t w = change->write_count; w-- > 0;) {
            const struct cairn_change_write *write = &change->writes[w];
            bool is_seen =
                write->number == CAIRN_ITEM_DELETE || write->field == CAIRN_FIELD_EXISTENCE;
            for (size_t k = 0; k < restored; k++)
                is_seen = is_seen || seen[k] == write->field;
            if (is_seen || restored == seen_max || write->value.kind == CAIRN_VALUE_CLOSED)
                continue;
            seen[restored++] = write->field;
            CAIRN_TRY(cairn_compose_write(composer, CAIRN_ITEM_SET, state->id, write->field,
                                          &write->value, NULL, 0));
        }
    }
    return CAIRN_OK;
}

static enum cairn_status record_open(struct cairn_replica *replica, const char *id,
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

    CAIRN_TRY(record_open(replica, work->id, &state, &composer));
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
        status = entry_write(replica, &composer, work->reason);
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
    const struct cairn_live *order[CAIRN_WRITES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < state->live_count && count < CAIRN_WRITES_MAX; i++) {
        size_t at = count;
        if (state->live[i].field != field)
            continue;
        for (; at > 0; at--) {
            bool wins;
            CAIRN_TRY(cairn_live_wins(&replica->ctx, &state->live[i], order[at - 1], &wins));
            if (!wins)
                break;
            order[at] = order[at - 1];
        }
        order[at] = &state->live[i];
        count++;
    }
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
    struct cairn_reader reader;
    struct cairn_dot *named = cairn_arena_get(&ctx->arena, (state->live_count + 1) * sizeof *named);
    size_t named_count, count;

    if (named == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    const struct cairn_type *type = cairn_schema_type(schema, state->type);
    const struct cairn_field *field =
        type == NULL ? NULL : cairn_type_field_named(type, work->field);
    if (field == NULL)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s has no field %s.", work->id, work->field);
    CAIRN_TRY(kept_version(replica, work, state, field->number, &kept));
    if (work->keep == 0) {
        CAIRN_TRY(cairn_field_parse(field, work->value, &value, ctx->err));
    } else {
        cairn_reader_init(&reader, kept->cbor);
        if (kept->is_closed || !cairn_value_read(&reader, &value))
            return CAIRN_CORRUPT;
        value.is_slot = kept->is_personal;
    }
    CAIRN_TRY(cairn_field_live(ctx, state, field->number, composer->log.no, &shown, named,
                               &named_count, &count));
    work->out_value = cairn_field_format(field, &value, &replica->results);
    return cairn_compose_write(composer, CAIRN_ITEM_SETTLE, state->id, field->number, &value, named,
                               named_count);
}

static enum cairn_status settle_deletion(struct cairn_replica *replica, struct settle_work *work,
                                         const struct cairn_record_state *state,
                                         struct cairn_composer *composer)
{
    bool is_contested = cairn_record_has_conflict(state) &&
                        state->live[0].field == CAIRN_FIELD_EXISTENCE &&
                        state->live[0].cbor.size == 1 && state->live[0].cbor.data[0] == 0;

    if (!is_contested || work->keep < 1 || work->keep > 2)
        return cairn_fail(
            replica->ctx.err, CAIRN_BAD_INPUT,
            "%s has no deletion in conflict with edits; with one, --keep 1 deletes and "
            "--keep 2 restores. Nothing was written.",
            work->id);
    work->out_value = work->keep == 1 ? "deleted" : "restored";
    return work->keep == 1 ? delete_compose(composer, state)
                           : restore_compose(replica, composer, state);
}

static enum cairn_status settle_apply(struct cairn_replica *replica, void *context)
{
    struct settle_work *work = context;
    struct cairn_record_state state;
    struct cairn_composer composer;

    CAIRN_TRY(record_open(replica, work->id, &state, &composer));
    enum cairn_status status = strcmp(work->field, "deleted") == 0
                                   ? settle_deletion(replica, work, &state, &composer)
                                   : settle_field(replica, work, &state, &composer);
    if (status == CAIRN_OK)
        status = entry_write(replica, &composer, work->reason);
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
