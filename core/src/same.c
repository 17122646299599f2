/* Records that are one household: cairn_same and cairn_apart of cairn/replica.h. The relation is a
 * set field of references that the schema marks; the group is what its elements connect. */

#include <string.h>

#include "edit.h"
#include "put_internal.h"

struct same_work {
    const char *id, *other, *reason;
    bool takes_back;
};

static enum cairn_status same_field(struct cairn_context *ctx, const struct same_work *work,
                                    const struct cairn_record_state *a,
                                    const struct cairn_record_state *b,
                                    const struct cairn_field **out_field)
{
    const struct cairn_schema *schema;

    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    const struct cairn_type *type = cairn_schema_type(schema, a->type);
    const struct cairn_field *field = type == NULL ? NULL : cairn_type_same(type);
    if (field == NULL || a->type != b->type)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s and %s cannot be one: only two records of a type with that relation "
                          "can. Nothing was written.",
                          work->id, work->other);
    if (a->id.log == b->id.log && a->id.index == b->id.index)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s and %s are one record already. Nothing was written.", work->id,
                          work->other);
    *out_field = field;
    return CAIRN_OK;
}

/* One operation on the record that holds the relation; either of the two may. */
static enum cairn_status
relation_compose(struct cairn_replica *replica, struct cairn_composer *composer,
                 const struct cairn_field *field, const struct cairn_record_state *on,
                 const struct cairn_record_state *to, const struct same_work *work, bool *out_wrote)
{
    struct cairn_edit edit = {.field = field,
                              .number = work->takes_back ? CAIRN_ITEM_REMOVE : CAIRN_ITEM_ADD,
                              .value = {.kind = CAIRN_VALUE_DOT, .dot = {to->id.log, to->id.index}},
                              .text = work->other};
    struct cairn_edits edits = {.items = &edit, .count = 1};
    const struct cairn_change *changes;
    size_t change_count;
    bool holds = false;

    for (size_t i = 0; i < on->live_count; i++) {
        struct cairn_value value;
        if (on->live[i].field != field->number)
            continue;
        CAIRN_TRY(cairn_live_value(&replica->ctx, &on->live[i], &value));
        holds = holds || cairn_value_equal(&value, &edit.value);
    }
    *out_wrote = holds == work->takes_back;
    return !*out_wrote ? CAIRN_OK
                       : cairn_edits_compose(replica, composer, on, &edits, work->reason, &changes,
                                             &change_count);
}

static enum cairn_status relation_write(struct cairn_replica *replica, const struct same_work *work,
                                        const char *on_id, const char *to_id, bool *out_wrote)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_record_state on, to;
    struct cairn_log log;
    struct cairn_composer composer;
    const struct cairn_field *field = NULL;

    *out_wrote = false;
    CAIRN_TRY(cairn_label_find(ctx, to_id, &log, &to));
    CAIRN_TRY(cairn_record_open(replica, on_id, &on, &composer));
    enum cairn_status status = same_field(ctx, work, &on, &to, &field);
    if (status == CAIRN_OK)
        status = relation_compose(replica, &composer, field, &on, &to, work, out_wrote);
    if (status == CAIRN_OK && *out_wrote)
        status = cairn_entries_write(replica, &composer);
    cairn_composer_release(&composer);
    return status;
}

static enum cairn_status same_apply(struct cairn_replica *replica, void *context)
{
    const struct same_work *work = context;
    bool wrote, wrote_back = false;

    CAIRN_TRY(relation_write(replica, work, work->id, work->other, &wrote));
    if (!work->takes_back)
        return wrote ? CAIRN_OK
                     : cairn_fail(replica->ctx.err, CAIRN_BAD_INPUT,
                                  "%s and %s are one household already. Nothing was written.",
                                  work->id, work->other);
    /* It may have been said on either side, or on both. */
    CAIRN_TRY(relation_write(replica, work, work->other, work->id, &wrote_back));
    return wrote || wrote_back
               ? CAIRN_OK
               : cairn_fail(replica->ctx.err, CAIRN_BAD_INPUT,
                            "Nobody said that %s and %s are one household. Nothing was written.",
                            work->id, work->other);
}

enum cairn_status cairn_same(struct cairn_replica *replica, const char *id, const char *other,
                             const char *reason, struct cairn_err *err)
{
    struct same_work work = {.id = id, .other = other, .reason = reason};

    cairn_replica_fresh(replica, err);
    return cairn_replica_write(replica, same_apply, &work, err);
}

enum cairn_status cairn_apart(struct cairn_replica *replica, const char *id, const char *other,
                              const char *reason, struct cairn_err *err)
{
    struct same_work work = {.id = id, .other = other, .reason = reason, .takes_back = true};

    cairn_replica_fresh(replica, err);
    return cairn_replica_write(replica, same_apply, &work, err);
}
