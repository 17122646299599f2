/* Reading records: the reading half of cairn/replica.h's records. */

#include <stdlib.h>
#include <string.h>

#include "force.h"
#include "judge.h"
#include "rebuild.h"
#include "replica_internal.h"
#include "schema.h"
#include "scope_log.h"
#include "verdict.h"

enum cairn_status cairn_schema_fields(struct cairn_replica *replica, const char *type,
                                      const struct cairn_field_info **out_fields, size_t *out_count,
                                      struct cairn_err *err)
{
    const struct cairn_schema *schema;
    const struct cairn_type *found = NULL;

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = cairn_schema_now(&replica->ctx, &schema);
    if (status == CAIRN_OK)
        found = cairn_schema_type_named(schema, type);
    if (status == CAIRN_OK && found == NULL)
        status = cairn_fail(err, CAIRN_NOT_FOUND, "There is no record type %s.", type);
    CAIRN_TRY(cairn_replica_done(replica, status, err));
    struct cairn_field_info *fields =
        cairn_arena_get(&replica->results, (found->field_count + 1) * sizeof *fields);
    if (fields == NULL)
        return cairn_explain(err, CAIRN_NO_MEMORY);
    for (size_t i = 0; i < found->field_count; i++) {
        const struct cairn_field *field = &found->fields[i];
        fields[i] = (struct cairn_field_info){field->name,        field->label_zh,
                                              field->label_en,    field->wire == CAIRN_WIRE_INTEGER,
                                              field->is_personal, field->is_required};
    }
    *out_fields = fields;
    *out_count = found->field_count;
    return CAIRN_OK;
}

enum cairn_status cairn_get(struct cairn_replica *replica, const char *id,
                            const struct cairn_record **out_record, struct cairn_err *err)
{
    struct cairn_log log;
    struct cairn_record_state state;

    cairn_replica_fresh(replica, err);
    struct cairn_record *record = cairn_arena_get(&replica->results, sizeof *record);
    if (record == NULL)
        return cairn_explain(err, CAIRN_NO_MEMORY);
    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = cairn_label_find(&replica->ctx, id, &log, &state);
    if (status == CAIRN_OK)
        status = cairn_record_view(replica, &replica->ctx, &log, &state, record);
    CAIRN_TRY(cairn_replica_done(replica, status, err));
    *out_record = record;
    return CAIRN_OK;
}

/* ---- lists --------------------------------------------------------------------------------- */

/* A record that goes into the list, and what it is ordered by. */
struct listed {
    uint64_t scope;
    char id[32];
    struct cairn_dot dot;
};

struct list_work {
    struct cairn_replica *replica;
    uint64_t type; /* 0: any */
    bool wants_conflicts;
    const struct cairn_field_value *filter;
    size_t filter_count;
    const struct cairn_type *schema_type;
    struct listed *listed;
    size_t count, capacity;
};

/* The shown value of the field equals the text. */
static enum cairn_status filter_matches(struct list_work *work, struct cairn_context *ctx,
                                        const struct cairn_record_state *state,
                                        const struct cairn_field *field, const char *text,
                                        bool *out_matches)
{
    const struct cairn_live *shown = NULL;
    struct cairn_value value;
    struct cairn_reader reader;

    *out_matches = false;
    for (size_t i = 0; i < state->live_count; i++) {
        bool wins = true;
        if (state->live[i].field != field->number)
            continue;
        if (shown != NULL)
            CAIRN_TRY(cairn_live_wins(ctx, &state->live[i], shown, &wins));
        if (wins)
            shown = &state->live[i];
    }
    if (shown == NULL || shown->is_closed)
        return CAIRN_OK;
    cairn_reader_init(&reader, shown->cbor);
    if (!cairn_value_read(&reader, &value))
        return CAIRN_OK;
    const char *shown_text = cairn_field_format(field, &value, &ctx->arena);
    (void)work;
    *out_matches = shown_text != NULL && strcmp(shown_text, text) == 0;
    return shown_text == NULL ? CAIRN_NO_MEMORY : CAIRN_OK;
}

static enum cairn_status filters_match(struct list_work *work, struct cairn_context *ctx,
                                       const struct cairn_log *log,
                                       const struct cairn_record_state *state, bool *out_matches)
{
    char scope[CAIRN_SCOPE_TEXT_BYTES];

    *out_matches = true;
    cairn_scope_text(log->scope, scope);
    for (size_t i = 0; i < work->filter_count && *out_matches; i++) {
        const struct cairn_field_value *filter = &work->filter[i];
        if (strcmp(filter->name, "village") == 0) {
            *out_matches = strncmp(scope, filter->value, strlen(filter->value)) == 0;
            continue;
        }
        CAIRN_TRY(filter_matches(work, ctx, state,
                                 cairn_type_field_named(work->schema_type, filter->name),
                                 filter->value, out_matches));
    }
    return CAIRN_OK;
}

static enum cairn_status list_add(struct list_work *work, struct cairn_context *ctx,
                                  const struct cairn_log *log,
                                  const struct cairn_record_state *state)
{
    if (work->count == work->capacity) {
        size_t capacity = work->capacity * 2 + 256;
        struct listed *grown = realloc(work->listed, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        work->listed = grown;
        work->capacity = capacity;
    }
    struct listed *one = &work->listed[work->count];
    one->scope = log->scope.code;
    one->dot = state->id;
    CAIRN_TRY(cairn_label_format(ctx, log, state, one->id));
    work->count++;
    return CAIRN_OK;
}

static enum cairn_status list_state(void *context, struct cairn_context *ctx,
                                    const struct cairn_log *log,
                                    const struct cairn_record_state *state)
{
    struct list_work *work = context;
    bool matches = true;

    if (work->wants_conflicts)
        return cairn_record_has_conflict(state) ? list_add(work, ctx, log, state) : CAIRN_OK;
    if (state->type != work->type || cairn_record_is_deleted(state))
        return CAIRN_OK;
    CAIRN_TRY(filters_match(work, ctx, log, state, &matches));
    return matches ? list_add(work, ctx, log, state) : CAIRN_OK;
}

static int listed_compare(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;

    if (x->scope != y->scope)
        return x->scope < y->scope ? -1 : 1;
    return strcmp(x->id, y->id);
}

static enum cairn_status list_visit(struct list_work *work, cairn_record_fn *visit, void *context)
{
    struct cairn_context *ctx = &work->replica->ctx;

    if (work->count > 1)
        qsort(work->listed, work->count, sizeof *work->listed, listed_compare);
    for (size_t i = 0; i < work->count; i++) {
        struct cairn_log log;
        struct cairn_record_state state;
        struct cairn_record record;
        CAIRN_TRY(cairn_log_load(ctx, work->listed[i].dot.log, &log));
        CAIRN_TRY(cairn_record_load(ctx, &log, work->listed[i].dot.index, &state));
        CAIRN_TRY(cairn_record_view(work->replica, ctx, &log, &state, &record));
        bool goes_on = visit(context, &record);
        cairn_arena_reset(&ctx->arena);
        cairn_arena_reset(&work->replica->results);
        if (!goes_on)
            break;
    }
    return CAIRN_OK;
}

static enum cairn_status list_prepare(struct list_work *work, const char *type)
{
    struct cairn_context *ctx = &work->replica->ctx;
    const struct cairn_schema *schema;

    if (work->wants_conflicts)
        return CAIRN_OK;
    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    work->schema_type = cairn_schema_type_named(schema, type);
    if (work->schema_type == NULL)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "There is no record type %s.", type);
    work->type = work->schema_type->number;
    for (size_t i = 0; i < work->filter_count; i++)
        if (strcmp(work->filter[i].name, "village") != 0 &&
            cairn_type_field_named(work->schema_type, work->filter[i].name) == NULL)
            return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s has no field %s.", type,
                              work->filter[i].name);
    return CAIRN_OK;
}

static enum cairn_status list_run(struct list_work *work, const char *type, cairn_record_fn *visit,
                                  void *context, struct cairn_err *err)
{
    cairn_replica_fresh(work->replica, err);
    CAIRN_TRY(cairn_replica_read(work->replica, err));
    enum cairn_status status = list_prepare(work, type);
    if (status == CAIRN_OK)
        status = cairn_states_visit(&work->replica->ctx, list_state, work);
    if (status == CAIRN_OK)
        status = list_visit(work, visit, context);
    free(work->listed);
    return cairn_replica_done(work->replica, status, err);
}

enum cairn_status cairn_list(struct cairn_replica *replica, const char *type,
                             const struct cairn_field_value *filter, size_t filter_count,
                             cairn_record_fn *visit, void *context, struct cairn_err *err)
{
    struct list_work work = {.replica = replica, .filter = filter, .filter_count = filter_count};

    return list_run(&work, type, visit, context, err);
}

enum cairn_status cairn_conflicts(struct cairn_replica *replica, cairn_record_fn *visit,
                                  void *context, struct cairn_err *err)
{
    struct list_work work = {.replica = replica, .wants_conflicts = true};

    return list_run(&work, NULL, visit, context, err);
}

/* ---- history ------------------------------------------------------------------------------- */

/* An entry of a record's chain, with what a person wants to know of it. */
struct happened {
    struct cairn_dot dot;
    uint64_t time_s;
    struct cairn_log log;
    struct cairn_judged_change *change;
    const char *reason;
    bool is_in_force;
    uint64_t received_s;
};

struct history_work {
    struct cairn_replica *replica;
    cairn_history_fn *visit;
    void *context;
    const struct cairn_type *type;
    struct happened *happened;
    size_t count;
};

/* When the first checkpoint held came that covers the entry. */
static enum cairn_status received_time(struct cairn_context *ctx, const struct happened *one,
                                       uint64_t *out_time_s)
{
    struct cairn_scope_log scope_log;

    *out_time_s = 0;
    if (one->dot.index >= one->log.covered)
        return CAIRN_OK;
    CAIRN_TRY(cairn_scope_log_load(ctx, one->log.scope, one->log.channel, &scope_log));
    for (uint64_t i = scope_log.tree.size; i-- > 0;) {
        struct cairn_covered_leaf leaf;
        CAIRN_TRY(cairn_scope_leaf_get(ctx, &scope_log, i, &leaf));
        if (leaf.log == one->dot.log && leaf.from <= one->dot.index && one->dot.index < leaf.size) {
            *out_time_s = leaf.time_s;
            break;
        }
    }
    return CAIRN_OK;
}

static const char *entry_reason(struct cairn_arena *arena, const struct cairn_entry *entry)
{
    struct cairn_items items;
    struct cairn_item item;
    struct cairn_value text;

    cairn_items_init(&items, entry);
    while (cairn_item_next(&items, &item))
        if (item.number == CAIRN_ITEM_REASON && cairn_note_item_read(&item, &text))
            return text.kind == CAIRN_VALUE_TEXT
                       ? (const char *)cairn_arena_copy(arena, text.text).data
                       : "(closed)";
    return NULL;
}

static enum cairn_status happened_load(struct history_work *work, struct cairn_dot dot,
                                       struct happened *out)
{
    struct cairn_context *ctx = &work->replica->ctx;
    struct cairn_entry entry;
    struct cairn_hash *commitments;

    *out = (struct happened){.dot = dot};
    out->change = cairn_arena_get(&ctx->arena, sizeof *out->change);
    if (out->change == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_log_load(ctx, dot.log, &out->log));
    CAIRN_TRY(cairn_entry_load(ctx, &out->log, dot.index, &entry, &commitments, NULL));
    CAIRN_TRY(cairn_change_resolve(ctx, &out->log, dot.index, &entry, commitments, out->change));
    CAIRN_TRY(cairn_in_force(ctx, &out->log, dot.index,
                             out->change->has_repeats ? &out->change->repeats : NULL,
                             &out->is_in_force));
    out->time_s = entry.time_s;
    out->reason = entry_reason(&work->replica->results, &entry);
    return received_time(ctx, out, &out->received_s);
}

static int happened_compare(const void *a, const void *b)
{
    const struct happened *x = a, *y = b;

    if (x->time_s != y->time_s)
        return x->time_s < y->time_s ? -1 : 1;
    if (x->change->creates != y->change->creates)
        return x->change->creates ? -1 : 1; /* nothing happened to it before */
    if (x->dot.log != y->dot.log)
        return cairn_hash_compare(&x->log.id, &y->log.id);
    return x->dot.index < y->dot.index ? -1 : x->dot.index > y->dot.index;
}

static const char *operation_name(uint64_t number)
{
    switch (number) {
    case CAIRN_ITEM_CREATE:
        return "create";
    case CAIRN_ITEM_SET:
        return "set";
    case CAIRN_ITEM_DELETE:
        return "delete";
    case CAIRN_ITEM_SETTLE:
        return "settle";
    default:
        return "newer";
    }
}

/* The value of a field before entry `i`, in the order of this history. */
static const char *value_before(struct history_work *work, size_t i,
                                const struct cairn_field *field)
{
    while (i-- > 0) {
        const struct happened *one = &work->happened[i];
        for (size_t w = 0; one->is_in_force && w < one->change->write_count; w++)
            if (one->change->writes[w].field == field->number &&
                one->change->writes[w].number != CAIRN_ITEM_DELETE)
                return cairn_field_format(field, &one->change->writes[w].value,
                                          &work->replica->results);
    }
    return NULL;
}

static enum cairn_status write_visit(struct history_work *work, size_t i,
                                     const struct cairn_change_write *write, bool *out_goes_on)
{
    const struct happened *one = &work->happened[i];
    struct cairn_context *ctx = &work->replica->ctx;
    struct cairn_standing standing = {.role = UINT64_MAX};
    bool deletes = write->number == CAIRN_ITEM_DELETE;
    struct cairn_history_item item = {.time_s = one->time_s,
                                      .received_s = one->received_s,
                                      .operation = operation_name(write->number),
                                      .reason = one->reason,
                                      .is_local = one->log.own_generation != 0,
                                      .is_in_force = one->is_in_force};

    CAIRN_TRY(cairn_log_tag(ctx, &one->log, item.tag));
    enum cairn_status status = cairn_standing_get(ctx, &one->log.under, &standing);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    item.role = cairn_role_name(standing.role);
    if (!one->is_in_force)
        item.why_not =
            cairn_reason_text(one->change->has_repeats ? CAIRN_WHY_REPEATED : CAIRN_WHY_CUT);
    const struct cairn_field *field =
        deletes || work->type == NULL ? NULL : cairn_type_field(work->type, write->field);
    if (field != NULL) {
        item.field = field->name;
        item.is_integer = field->wire == CAIRN_WIRE_INTEGER;
        item.old_value = value_before(work, i, field);
        item.new_value = cairn_field_format(field, &write->value, &work->replica->results);
    }
    *out_goes_on = work->visit(work->context, &item);
    return CAIRN_OK;
}

static enum cairn_status history_visit(struct history_work *work)
{
    bool goes_on = true;

    if (work->count > 1)
        qsort(work->happened, work->count, sizeof *work->happened, happened_compare);
    for (size_t i = 0; i < work->count && goes_on; i++) {
        const struct cairn_judged_change *change = work->happened[i].change;
        for (size_t w = 0; w < change->write_count && goes_on; w++) {
            bool is_existence = change->writes[w].field == CAIRN_FIELD_EXISTENCE &&
                                change->writes[w].number != CAIRN_ITEM_DELETE;
            if (!is_existence || change->write_count == 1)
                CAIRN_TRY(write_visit(work, i, &change->writes[w], &goes_on));
        }
    }
    return CAIRN_OK;
}

static enum cairn_status history_gather(struct history_work *work, const char *id)
{
    struct cairn_context *ctx = &work->replica->ctx;
    struct cairn_log log;
    struct cairn_record_state state;
    struct cairn_dot *dots;
    const struct cairn_schema *schema;

    CAIRN_TRY(cairn_label_find(ctx, id, &log, &state));
    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    work->type = cairn_schema_type(schema, state.type);
    CAIRN_TRY(cairn_record_chain(ctx, &state, &dots, &work->count));
    work->happened = cairn_arena_get(&ctx->arena, (work->count + 1) * sizeof *work->happened);
    if (work->happened == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < work->count; i++)
        CAIRN_TRY(happened_load(work, dots[i], &work->happened[i]));
    return history_visit(work);
}

enum cairn_status cairn_history(struct cairn_replica *replica, const char *id,
                                cairn_history_fn *visit, void *context, struct cairn_err *err)
{
    struct history_work work = {.replica = replica, .visit = visit, .context = context};

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    return cairn_replica_done(replica, history_gather(&work, id), err);
}
