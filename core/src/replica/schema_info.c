/* The schema held: for the facade (replica_internal.h), and what programs may know of it:
 * cairn_schema_types, cairn_schema_fields. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "replica_internal.h"
#include "schema_yaml.h"

enum cairn_status cairn_schema_now(struct cairn_context *ctx,
                                   const struct cairn_schema **out_schema)
{
    uint64_t version;

    CAIRN_TRY(cairn_schema_newest(ctx, &version));
    return cairn_schema_get(ctx, version, out_schema);
}

enum cairn_status cairn_type_now(struct cairn_context *ctx, const char *name,
                                 const struct cairn_schema **out_schema,
                                 const struct cairn_type **out_type)
{
    CAIRN_TRY(cairn_schema_now(ctx, out_schema));
    *out_type = cairn_schema_type_named(*out_schema, name);
    if (*out_type != NULL)
        return CAIRN_OK;
    if ((*out_schema)->type_count == 0)
        return cairn_fail(ctx->err, CAIRN_NO_RIGHT,
                          "This device has no grant yet, so it knows no record types. Send its "
                          "request to the office above, then join.");
    return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "There is no record type %s.", name);
}

/* ---- what is handed out -------------------------------------------------------------------- */

/* What is handed out lies in `arena`; short memory is noted and answered once. */
struct describing {
    struct cairn_arena *arena;
    bool is_short;
};

static void *room(struct describing *d, size_t count, size_t item_bytes)
{
    void *memory = cairn_arena_get(d->arena, count * item_bytes + 1);

    d->is_short = d->is_short || memory == NULL;
    return memory;
}

static const char *value_text(struct describing *d, const struct cairn_field *field,
                              int64_t integer)
{
    const struct cairn_value value = {.kind = CAIRN_VALUE_INTEGER, .integer = integer};
    const char *text = cairn_field_format(field, &value, d->arena);

    d->is_short = d->is_short || text == NULL;
    return text;
}

/* Append `word` to a list "a, b". */
static const char *joined(struct describing *d, const char *list, const char *word)
{
    size_t size = strlen(list) + strlen(word) + 3;
    char *text = room(d, size, 1);

    if (text == NULL)
        return "";
    snprintf(text, size, "%s%s%s", list, list[0] == '\0' ? "" : ", ", word);
    return text;
}

/* ---- fields -------------------------------------------------------------------------------- */

static void field_describe(struct describing *d, const struct cairn_schema *schema,
                           const struct cairn_field *field, struct cairn_field_info *info)
{
    const struct cairn_type *target = cairn_schema_type(schema, field->target);
    struct cairn_choice_info *choices = room(d, field->choice_count, sizeof *choices);

    for (size_t i = 0; choices != NULL && i < field->choice_count; i++)
        choices[i] = (struct cairn_choice_info){field->choices[i].text, field->choices[i].label_en};
    *info = (struct cairn_field_info){
        .name = field->name,
        .label_zh = field->label_zh,
        .label_en = field->label_en,
        .is_integer = field->wire == CAIRN_WIRE_INTEGER && field->merge != CAIRN_MERGE_WORKFLOW,
        .is_personal = field->is_personal,
        .is_required = field->is_required,
        .is_indexed = field->is_indexed,
        .is_alias = field->is_alias,
        .is_retired = field->is_retired,
        .is_open = field->is_open,
        .type = cairn_field_type_word(field),
        .merge = cairn_field_merge_word(field),
        .unit = field->unit,
        .target = target == NULL ? "" : target->name,
        .lowest = field->has_lowest ? value_text(d, field, field->lowest) : NULL,
        .highest = field->has_highest ? value_text(d, field, field->highest) : NULL,
        .choices = choices,
        .choice_count = field->choice_count};
}

enum cairn_status cairn_schema_fields(struct cairn_replica *replica, const char *type,
                                      const struct cairn_field_info **out_fields, size_t *out_count,
                                      struct cairn_err *err)
{
    struct describing d = {.arena = &replica->results};
    const struct cairn_schema *schema;
    const struct cairn_type *found;

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    CAIRN_TRY(
        cairn_replica_done(replica, cairn_type_now(&replica->ctx, type, &schema, &found), err));
    struct cairn_field_info *fields = room(&d, found->field_count, sizeof *fields);
    for (size_t i = 0; fields != NULL && i < found->field_count; i++)
        field_describe(&d, schema, &found->fields[i], &fields[i]);
    if (d.is_short)
        return cairn_explain(err, CAIRN_NO_MEMORY);
    *out_fields = fields;
    *out_count = found->field_count;
    return CAIRN_OK;
}

/* ---- types --------------------------------------------------------------------------------- */

static const char *state_name(const struct cairn_type *type, uint64_t number)
{
    const struct cairn_workflow_state *state = cairn_type_state(type, number);

    return state == NULL ? "?" : state->name;
}

static void moves_describe(struct describing *d, const struct cairn_type *type,
                           struct cairn_type_info *info)
{
    struct cairn_move_info *moves = room(d, type->move_count, sizeof *moves);

    for (size_t i = 0; moves != NULL && i < type->move_count; i++) {
        const struct cairn_move *move = &type->moves[i];
        const char *from = "", *steps = "";
        for (size_t j = 0; j < move->from_count; j++)
            from = joined(d, from, state_name(type, move->from[j]));
        for (size_t j = 0; j < move->step_count; j++)
            steps = joined(d, steps, cairn_step_role_word(move->roles[j]));
        moves[i] = (struct cairn_move_info){
            move->name, move->label_zh,  move->label_en, from, state_name(type, move->to),
            steps,      move->is_retired};
    }
    info->moves = moves;
    info->move_count = type->move_count;
}

static void indicators_describe(struct describing *d, const struct cairn_type *type,
                                struct cairn_type_info *info)
{
    static const struct cairn_field number = {.name = "", .wire = CAIRN_WIRE_INTEGER};
    struct cairn_indicator_info *indicators = room(d, type->indicator_count, sizeof *indicators);

    for (size_t i = 0; indicators != NULL && i < type->indicator_count; i++) {
        const struct cairn_indicator *from = &type->indicators[i];
        const struct cairn_field *field = cairn_type_field(type, from->field);
        bool is_flag = from->test == CAIRN_TEST_FLAG;
        indicators[i] = (struct cairn_indicator_info){
            from->name,
            from->label_zh,
            from->label_en,
            field->name,
            cairn_indicator_test_word(from->test),
            value_text(d, is_flag ? &number : field, from->threshold)};
    }
    info->indicators = indicators;
    info->indicator_count = type->indicator_count;
}

static void type_describe(struct describing *d, const struct cairn_type *type,
                          struct cairn_type_info *info)
{
    struct cairn_state_info *states = room(d, type->state_count, sizeof *states);

    *info = (struct cairn_type_info){.name = type->name,
                                     .label_zh = type->label_zh,
                                     .label_en = type->label_en,
                                     .is_retired = type->is_retired,
                                     .field_count = type->field_count,
                                     .states = states,
                                     .state_count = type->state_count};
    for (size_t i = 0; states != NULL && i < type->state_count; i++)
        states[i] = (struct cairn_state_info){type->states[i].name, type->states[i].label_zh,
                                              type->states[i].label_en};
    moves_describe(d, type, info);
    indicators_describe(d, type, info);
}

enum cairn_status cairn_schema_types(struct cairn_replica *replica, uint64_t *out_version,
                                     const struct cairn_type_info **out_types, size_t *out_count,
                                     struct cairn_err *err)
{
    struct describing d = {.arena = &replica->results};
    const struct cairn_schema *schema;

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    CAIRN_TRY(cairn_replica_done(replica, cairn_schema_now(&replica->ctx, &schema), err));
    struct cairn_type_info *types = room(&d, schema->type_count, sizeof *types);
    for (size_t i = 0; types != NULL && i < schema->type_count; i++)
        type_describe(&d, &schema->types[i], &types[i]);
    if (d.is_short)
        return cairn_explain(err, CAIRN_NO_MEMORY);
    *out_version = schema->version;
    *out_types = types;
    *out_count = schema->type_count;
    return CAIRN_OK;
}
