/* Records that are one household: cairn_same and cairn_apart of cairn/replica.h. The relation is a
 * set field of references that the schema marks; the group is what its elements connect. */

#include <string.h>

#include "edit.h"
#include "index.h"
#include "put_internal.h"
#include "seen.h"

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

/* ---- the group ----------------------------------------------------------------------------- */

/* Records that were said to be one, two by two; the group is what hangs together. */
struct group_work {
    struct cairn_replica *replica;
    const struct cairn_type *type;
    const struct cairn_field *field;
    struct edge {
        struct cairn_dot a, b;
    } * edges; /* in the results, as the members */
    size_t edge_count, edge_capacity;
    struct cairn_dot *members;
    size_t count;
};

static enum cairn_status edge_add(struct group_work *work, struct cairn_dot a, struct cairn_dot b)
{
    if (work->edge_count == work->edge_capacity) {
        size_t capacity = work->edge_capacity * 2 + 16;
        struct edge *grown = cairn_arena_get(&work->replica->results, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        if (work->edge_count > 0)
            memcpy(grown, work->edges, work->edge_count * sizeof *grown);
        work->edges = grown;
        work->edge_capacity = capacity;
    }
    work->edges[work->edge_count++] = (struct edge){a, b};
    return CAIRN_OK;
}

static enum cairn_status edges_of(struct group_work *work, const struct cairn_record_state *state)
{
    for (size_t i = 0; state->type == work->type->number && i < state->live_count; i++) {
        struct cairn_value value;
        if (state->live[i].field != work->field->number)
            continue;
        CAIRN_TRY(cairn_live_value(&work->replica->ctx, &state->live[i], &value));
        if (value.kind == CAIRN_VALUE_DOT)
            CAIRN_TRY(edge_add(work, state->id,
                               (struct cairn_dot){value.dot.log_number, value.dot.index}));
    }
    return CAIRN_OK;
}

/* Every relation that a record of the village holds, from the index of references: most villages
 * have none, and this costs one look. */
static enum cairn_status indexed_edges(struct group_work *work, struct cairn_scope scope)
{
    struct cairn_context *ctx = &work->replica->ctx;
    struct cairn_key prefix = cairn_index_prefix(work->type, work->field);
    struct cairn_walk walk;
    enum cairn_status status;

    cairn_key_scope(&prefix, scope);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_dot target, id;
        cairn_read_u8(&walk.key); /* the kind of value */
        target.log = cairn_read_u32be(&walk.key);
        target.index = cairn_read_u32be(&walk.key);
        id.log = cairn_read_u32be(&walk.key);
        id.index = cairn_read_u32be(&walk.key);
        status = walk.key.failed ? CAIRN_CORRUPT : edge_add(work, id, target);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* The same from the records, while the index is being built. */
static enum cairn_status edges_visit(void *context, struct cairn_context *ctx,
                                     const struct cairn_log *log,
                                     const struct cairn_record_state *state)
{
    (void)ctx;
    (void)log;
    return edges_of(context, state);
}

static enum cairn_status scope_edges(struct group_work *work, struct cairn_scope scope)
{
    struct cairn_context *ctx = &work->replica->ctx;
    bool is_ready;

    CAIRN_TRY(cairn_index_is_ready(ctx, &is_ready));
    if (is_ready)
        return indexed_edges(work, scope);
    return work->edge_count > 0 ? CAIRN_OK : cairn_states_visit(ctx, edges_visit, work);
}

static bool is_member(const struct group_work *work, struct cairn_dot dot)
{
    for (size_t i = 0; i < work->count; i++)
        if (work->members[i].log == dot.log && work->members[i].index == dot.index)
            return true;
    return false;
}

/* Take in who hangs together with a member, until nobody does. */
static enum cairn_status members_close(struct group_work *work)
{
    struct cairn_dot *members = cairn_arena_get(
        &work->replica->results, (work->count + 2 * work->edge_count) * sizeof *members);
    bool grew = true;

    if (members == NULL)
        return CAIRN_NO_MEMORY;
    memcpy(members, work->members, work->count * sizeof *members);
    work->members = members;
    while (grew) {
        grew = false;
        for (size_t i = 0; i < work->edge_count; i++) {
            bool has_a = is_member(work, work->edges[i].a),
                 has_b = is_member(work, work->edges[i].b);
            if (has_a == has_b)
                continue;
            members[work->count++] = has_a ? work->edges[i].b : work->edges[i].a;
            grew = true;
        }
    }
    return CAIRN_OK;
}

#define GROUP_SCOPES_MAX 16

/* Members may lie in other villages, and others there name them. */
static enum cairn_status members_find(struct group_work *work)
{
    struct cairn_scope seen[GROUP_SCOPES_MAX];
    size_t seen_count = 0;

    for (size_t i = 0; i < work->count; i++) {
        struct cairn_log log;
        bool is_seen = false;
        CAIRN_TRY(cairn_log_load(&work->replica->ctx, work->members[i].log, &log));
        for (size_t k = 0; k < seen_count; k++)
            is_seen = is_seen || seen[k].code == log.scope.code;
        if (is_seen || seen_count == GROUP_SCOPES_MAX)
            continue;
        seen[seen_count++] = log.scope;
        CAIRN_TRY(scope_edges(work, log.scope));
        CAIRN_TRY(members_close(work));
    }
    return CAIRN_OK;
}

/* Ids of the members but the first, which is the record itself. */
static enum cairn_status members_name(struct group_work *work, struct cairn_record *record)
{
    struct cairn_context *ctx = &work->replica->ctx;
    const char **ids = cairn_arena_get(&work->replica->results, work->count * sizeof(const char *));

    if (ids == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 1; i < work->count; i++) {
        struct cairn_value value = {.kind = CAIRN_VALUE_DOT,
                                    .dot = {work->members[i].log, work->members[i].index}};
        CAIRN_TRY(
            cairn_value_text(ctx, NULL, work->field, &value, &work->replica->results, &ids[i - 1]));
    }
    record->same = ids;
    record->same_count = work->count - 1;
    return CAIRN_OK;
}

enum cairn_status cairn_group_view(struct cairn_replica *replica,
                                   const struct cairn_record_state *state,
                                   struct cairn_record *record)
{
    struct cairn_dot id = state->id;
    struct group_work work = {.replica = replica, .members = &id, .count = 1};
    const struct cairn_schema *schema;

    CAIRN_TRY(cairn_schema_now(&replica->ctx, &schema));
    work.type = cairn_schema_type(schema, state->type);
    work.field = work.type == NULL ? NULL : cairn_type_same(work.type);
    if (work.field == NULL || cairn_seen_is_alone(&replica->ctx, state->id.log, state->type))
        return CAIRN_OK;
    CAIRN_TRY(members_find(&work));
    if (work.edge_count == 0) {
        cairn_seen_alone(&replica->ctx, state->id.log, state->type);
        return CAIRN_OK;
    }
    return members_name(&work, record);
}
