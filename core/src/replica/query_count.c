/* Counting records in groups: cairn/query.h. */

#include <stdlib.h>
#include <string.h>

#include "query_internal.h"

struct group {
    int64_t number; /* what groups are ordered by first */
    const char *text;
    uint64_t count;
    int64_t sums[CAIRN_SUMS_MAX];
};

struct counting {
    struct cairn_asking asking;
    enum { BY_NOTHING, BY_SCOPE, BY_FIELD, BY_BAND } by;
    unsigned digits; /* of a code, BY_SCOPE */
    const struct cairn_field *field;
    const struct cairn_field *sums[CAIRN_SUMS_MAX];
    size_t sum_count;
    struct group *groups;
    size_t group_count, group_capacity;
    uint32_t *table; /* of places in groups, from 1; 0: empty */
    size_t table_size;
};

static size_t group_hash(int64_t number, const char *text)
{
    uint64_t hash = (uint64_t)number * UINT64_C(0x9E3779B97F4A7C15);

    for (; text != NULL && *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 29);
}

static bool group_is(const struct group *group, int64_t number, const char *text)
{
    if (group->number != number || (group->text == NULL) != (text == NULL))
        return false;
    return text == NULL || strcmp(group->text, text) == 0;
}

static size_t slot_find(const struct counting *counting, int64_t number, const char *text)
{
    size_t slot = group_hash(number, text) & (counting->table_size - 1);

    while (counting->table[slot] != 0 &&
           !group_is(&counting->groups[counting->table[slot] - 1], number, text))
        slot = (slot + 1) & (counting->table_size - 1);
    return slot;
}

/* Twice the room: the table is never more than half full. */
static enum cairn_status groups_grow(struct counting *counting)
{
    size_t capacity = counting->group_capacity * 2 + 16;
    size_t table_size = 64;

    while (table_size < 2 * capacity)
        table_size *= 2;
    struct group *groups = realloc(counting->groups, capacity * sizeof *groups);
    if (groups == NULL)
        return CAIRN_NO_MEMORY;
    counting->groups = groups;
    counting->group_capacity = capacity;
    uint32_t *table = calloc(table_size, sizeof *table);
    if (table == NULL)
        return CAIRN_NO_MEMORY;
    free(counting->table);
    counting->table = table;
    counting->table_size = table_size;
    for (size_t i = 0; i < counting->group_count; i++)
        table[slot_find(counting, groups[i].number, groups[i].text)] = (uint32_t)i + 1;
    return CAIRN_OK;
}

static enum cairn_status group_get(struct counting *counting, int64_t number, const char *text,
                                   struct group **out_group)
{
    if (counting->group_count == counting->group_capacity)
        CAIRN_TRY(groups_grow(counting));
    size_t slot = slot_find(counting, number, text);
    if (counting->table[slot] == 0) {
        if (counting->group_count == CAIRN_GROUPS_MAX)
            return cairn_fail(counting->asking.ctx->err, CAIRN_LIMIT,
                              "These are more than %d groups.", CAIRN_GROUPS_MAX);
        struct group *group = &counting->groups[counting->group_count++];
        *group = (struct group){.number = number};
        if (text != NULL) {
            group->text =
                (const char *)cairn_arena_copy(&counting->asking.memory, cairn_bytes_of_text(text))
                    .data;
            if (group->text == NULL)
                return CAIRN_NO_MEMORY;
        }
        counting->table[slot] = (uint32_t)counting->group_count;
    }
    *out_group = &counting->groups[counting->table[slot] - 1];
    return CAIRN_OK;
}

/* ---- which group --------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned digits;
} levels[] = {{"province", 2}, {"prefecture", 4}, {"county", 6}, {"township", 9}, {"village", 12}};

static int64_t code_cut(uint64_t code, unsigned digits)
{
    uint64_t limit = 1;

    while (digits-- > 0)
        limit *= 10;
    while (code >= limit)
        code /= 10;
    return (int64_t)code;
}

const char *cairn_state_or_value_text(const struct cairn_type *type,
                                      const struct cairn_field *field,
                                      const struct cairn_value *value, struct cairn_arena *arena)
{
    const struct cairn_workflow_state *state =
        field->merge == CAIRN_MERGE_WORKFLOW ? cairn_type_state(type, (uint64_t)value->integer)
                                             : NULL;

    return state != NULL ? state->name : cairn_field_format(field, value, arena);
}

/* Records without a value stand in one group, the last. */
static enum cairn_status value_group(struct counting *counting,
                                     const struct cairn_record_state *state,
                                     struct group **out_group)
{
    struct cairn_context *ctx = counting->asking.ctx;
    const struct cairn_field *field = counting->field;
    struct cairn_value value;
    struct cairn_dot dot;

    enum cairn_status status = cairn_asked_shown(&counting->asking, state, field, 0, &value, &dot);
    if (status == CAIRN_NOT_FOUND || (status == CAIRN_OK && value.kind == CAIRN_VALUE_DOT))
        return group_get(counting, INT64_MAX, NULL, out_group);
    CAIRN_TRY(status);
    if (counting->by == BY_BAND)
        return value.kind == CAIRN_VALUE_INTEGER
                   ? group_get(counting, (int64_t)cairn_band_of(field, value.integer), "",
                               out_group)
                   : group_get(counting, INT64_MAX, NULL, out_group);
    const char *text = cairn_state_or_value_text(counting->asking.type, field, &value, &ctx->arena);
    if (text == NULL)
        return CAIRN_NO_MEMORY;
    return group_get(counting, value.kind == CAIRN_VALUE_INTEGER ? value.integer : INT64_MAX, text,
                     out_group);
}

static enum cairn_status count_fits(struct cairn_asking *asking, const struct cairn_index_row *row,
                                    const struct cairn_record_state *state)
{
    struct counting *counting = asking->context;
    struct group *group;

    if (counting->by == BY_NOTHING)
        CAIRN_TRY(group_get(counting, 0, NULL, &group));
    else if (counting->by == BY_SCOPE)
        CAIRN_TRY(group_get(counting, code_cut(row->scope.code, counting->digits), "", &group));
    else
        CAIRN_TRY(value_group(counting, state, &group));
    group->count++;
    for (size_t i = 0; i < counting->sum_count; i++) {
        struct cairn_value value;
        struct cairn_dot dot;
        enum cairn_status status =
            cairn_field_shown(asking->ctx, state, counting->sums[i], 0, &value, &dot);
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            return status;
        if (status == CAIRN_OK && value.kind == CAIRN_VALUE_INTEGER &&
            __builtin_add_overflow(group->sums[i], value.integer, &group->sums[i]))
            return cairn_fail(asking->ctx->err, CAIRN_LIMIT, "The sum of %s is too large.",
                              counting->sums[i]->name);
    }
    return CAIRN_OK;
}

/* ---- giving them out ----------------------------------------------------------------------- */

static int group_compare(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    if (x->text == NULL || y->text == NULL)
        return x->text == NULL ? y->text != NULL : -1;
    return strcmp(x->text, y->text);
}

static enum cairn_status group_give(struct counting *counting, const struct group *group,
                                    cairn_count_fn *visit, void *context, bool *out_goes_on)
{
    struct cairn_arena *results = &counting->asking.replica->results;
    char code[CAIRN_SCOPE_TEXT_BYTES], band[CAIRN_BAND_TEXT_BYTES];
    const char *sums[CAIRN_SUMS_MAX];
    struct cairn_count count = {.group = group->text, .count = group->count, .sums = sums};

    if (counting->by == BY_SCOPE) {
        cairn_scope_text((struct cairn_scope){(uint64_t)group->number}, code);
        count.group = code;
    } else if (counting->by == BY_BAND && group->text != NULL) {
        cairn_band_text(counting->field, (size_t)group->number, band);
        count.group = band;
    }
    for (size_t i = 0; i < counting->sum_count; i++) {
        const struct cairn_value sum = {.kind = CAIRN_VALUE_INTEGER, .integer = group->sums[i]};
        sums[i] = cairn_field_format(counting->sums[i], &sum, results);
        if (sums[i] == NULL)
            return CAIRN_NO_MEMORY;
    }
    *out_goes_on = visit(context, &count);
    cairn_arena_reset(results);
    return CAIRN_OK;
}

static enum cairn_status groups_give(struct counting *counting, cairn_count_fn *visit,
                                     void *context)
{
    struct group *none;
    bool goes_on = true;

    if (counting->by == BY_NOTHING)
        CAIRN_TRY(group_get(counting, 0, NULL, &none)); /* nothing fits: zero says so */
    if (counting->group_count > 1)
        qsort(counting->groups, counting->group_count, sizeof *counting->groups, group_compare);
    for (size_t i = 0; i < counting->group_count && goes_on; i++)
        CAIRN_TRY(group_give(counting, &counting->groups[i], visit, context, &goes_on));
    return CAIRN_OK;
}

/* ---- the call ------------------------------------------------------------------------------ */

static enum cairn_status by_prepare(struct counting *counting, const char *by)
{
    counting->by = BY_NOTHING;
    if (by == NULL)
        return CAIRN_OK;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(by, levels[i].name) == 0) {
            counting->by = BY_SCOPE;
            counting->digits = levels[i].digits;
            return CAIRN_OK;
        }
    counting->by = BY_FIELD;
    if (strcmp(by, "band") != 0 || cairn_type_field_named(counting->asking.type, by) != NULL)
        return cairn_asked_field(&counting->asking, by, &counting->field);
    counting->by = BY_BAND;
    return cairn_banded_field(&counting->asking, &counting->field);
}

static enum cairn_status sums_prepare(struct counting *counting, const char *const *sums,
                                      size_t sum_count)
{
    struct cairn_err *err = counting->asking.ctx->err;

    if (sum_count > CAIRN_SUMS_MAX)
        return cairn_fail(err, CAIRN_BAD_INPUT, "More than %d sums.", CAIRN_SUMS_MAX);
    for (size_t i = 0; i < sum_count; i++) {
        CAIRN_TRY(cairn_asked_field(&counting->asking, sums[i], &counting->sums[i]));
        const struct cairn_field *field = counting->sums[i];
        if (field->merge == CAIRN_MERGE_WORKFLOW || field->merge == CAIRN_MERGE_SET ||
            (field->wire != CAIRN_WIRE_INTEGER && field->wire != CAIRN_WIRE_MONEY))
            return cairn_fail(err, CAIRN_BAD_INPUT, "%s is neither a number nor an amount.",
                              sums[i]);
    }
    counting->sum_count = sum_count;
    return CAIRN_OK;
}

enum cairn_status cairn_query_count(struct cairn_replica *replica, const struct cairn_query *query,
                                    const char *by, const char *const *sums, size_t sum_count,
                                    cairn_count_fn *visit, void *context, struct cairn_err *err)
{
    struct counting counting = {
        .asking = {.replica = replica, .ctx = &replica->ctx, .fits = count_fits}};

    counting.asking.context = &counting;
    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    cairn_arena_init(&counting.asking.memory);
    enum cairn_status status = cairn_tests_prepare(&counting.asking, query);
    if (status == CAIRN_OK)
        status = by_prepare(&counting, by);
    if (status == CAIRN_OK)
        status = sums_prepare(&counting, sums, sum_count);
    counting.asking.wants_state =
        counting.sum_count > 0 || counting.by == BY_FIELD || counting.by == BY_BAND;
    if (status == CAIRN_OK)
        status = cairn_source_plan(&counting.asking);
    if (status == CAIRN_OK)
        status = cairn_source_run(&counting.asking);
    if (status == CAIRN_OK)
        status = groups_give(&counting, visit, context);
    free(counting.groups);
    free(counting.table);
    cairn_arena_release(&counting.asking.memory);
    return cairn_replica_done(replica, status, err);
}
