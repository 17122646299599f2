/* Reading records: the reading half of cairn/replica.h's records. */

#include <stdlib.h>
#include <string.h>

#include "replica_internal.h"
#include "schema.h"

enum cairn_status cairn_get(struct cairn_replica *replica, const char *id,
                            const struct cairn_record **out_record, struct cairn_err *err)
{
    struct cairn_log log;
    struct cairn_record_state state;

    cairn_replica_fresh(replica, err);
    struct cairn_record *record = cairn_arena_get(&replica->results, sizeof *record);
    if (record == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = cairn_label_find(&replica->ctx, id, &log, &state);
    if (status == CAIRN_OK)
        status = cairn_record_view(replica, &replica->ctx, &log, &state, record);
    if (status == CAIRN_OK)
        status = cairn_group_view(replica, &state, record);
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
    bool wants_parallel;
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

    if (work->wants_parallel) {
        struct cairn_dot *dots;
        size_t count = 0;
        if (!cairn_record_is_deleted(state))
            CAIRN_TRY(cairn_record_parallel(ctx, state, &dots, &count));
        return count > 0 ? list_add(work, ctx, log, state) : CAIRN_OK;
    }
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

    if (work->wants_conflicts || work->wants_parallel)
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

enum cairn_status cairn_parallels(struct cairn_replica *replica, cairn_record_fn *visit,
                                  void *context, struct cairn_err *err)
{
    struct list_work work = {.replica = replica, .wants_parallel = true};

    return list_run(&work, NULL, visit, context, err);
}
