/* What a new version of a schema may change of the one before; declared in schema.h. */

#include <inttypes.h>
#include <string.h>

#include "schema.h"

static bool numbers_equal(const uint64_t *a, size_t a_count, const uint64_t *b, size_t b_count)
{
    return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * sizeof *a) == 0);
}

static const struct cairn_choice *choice_find(const struct cairn_field *field, uint64_t number)
{
    for (size_t i = 0; i < field->choice_count; i++)
        if (field->choices[i].number == number)
            return &field->choices[i];
    return NULL;
}

static enum cairn_status choices_follow(const struct cairn_type *type,
                                        const struct cairn_field *before,
                                        const struct cairn_field *next, struct cairn_err *err)
{
    for (size_t i = 0; i < before->choice_count; i++) {
        const struct cairn_choice *choice = choice_find(next, before->choices[i].number);
        if (choice == NULL || strcmp(choice->text, before->choices[i].text) != 0)
            return cairn_fail(err, CAIRN_BAD_INPUT,
                              "%s.%s: choice %" PRIu64 " was \"%s\" and must stay so; add a new "
                              "number instead.",
                              type->name, before->name, before->choices[i].number,
                              before->choices[i].text);
    }
    return CAIRN_OK;
}

static enum cairn_status field_follows(const struct cairn_type *type,
                                       const struct cairn_field *before,
                                       const struct cairn_field *next, struct cairn_err *err)
{
    if (next == NULL)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s.%s: field %" PRIu64
                          " is gone; old entries need it: keep it, retired.",
                          type->name, before->name, before->number);
    if (strcmp(before->name, next->name) != 0)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s.%s: field %" PRIu64 " was called %s; a number keeps its name.",
                          type->name, next->name, before->number, before->name);
    if (before->wire != next->wire || before->merge != next->merge)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s.%s: a field keeps its type and its merge kind; retire it and add "
                          "another.",
                          type->name, before->name);
    if (before->is_personal != next->is_personal || before->is_same != next->is_same)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s.%s: whether a field is personal stays for ever; retire it and add "
                          "another.",
                          type->name, before->name);
    return choices_follow(type, before, next, err);
}

static enum cairn_status states_follow(const struct cairn_type *before,
                                       const struct cairn_type *next, struct cairn_err *err)
{
    for (size_t i = 0; i < before->state_count; i++) {
        const struct cairn_workflow_state *state = cairn_type_state(next, before->states[i].number);
        if (state == NULL || strcmp(state->name, before->states[i].name) != 0)
            return cairn_fail(err, CAIRN_BAD_INPUT,
                              "%s: state %" PRIu64 " was %s and must stay so.", before->name,
                              before->states[i].number, before->states[i].name);
    }
    if (before->state_count > 0 && next->states[0].number != before->states[0].number)
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s: new records begin in state %s, as before.",
                          before->name, before->states[0].name);
    return CAIRN_OK;
}

static enum cairn_status moves_follow(const struct cairn_type *before,
                                      const struct cairn_type *next, struct cairn_err *err)
{
    for (size_t i = 0; i < before->move_count; i++) {
        const struct cairn_move *old = &before->moves[i];
        const struct cairn_move *move = cairn_type_move(next, old->number);
        if (move == NULL || strcmp(move->name, old->name) != 0 || move->to != old->to ||
            !numbers_equal(move->from, move->from_count, old->from, old->from_count) ||
            !numbers_equal(move->roles, move->step_count, old->roles, old->step_count))
            return cairn_fail(err, CAIRN_BAD_INPUT,
                              "%s: move %" PRIu64 " (%s) keeps its states and steps; retire it and "
                              "add another.",
                              before->name, old->number, old->name);
    }
    return CAIRN_OK;
}

static enum cairn_status type_follows(const struct cairn_type *before,
                                      const struct cairn_type *next, struct cairn_err *err)
{
    if (next == NULL)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s: type %" PRIu64 " is gone; old entries need it: keep it, retired.",
                          before->name, before->number);
    if (strcmp(before->name, next->name) != 0)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "%s: type %" PRIu64 " was called %s; a number keeps its name.",
                          next->name, before->number, before->name);
    for (size_t i = 0; i < before->field_count; i++) {
        const struct cairn_field *field = &before->fields[i];
        enum cairn_status status =
            field_follows(before, field, cairn_type_field(next, field->number), err);
        if (status != CAIRN_OK)
            return status;
    }
    enum cairn_status status = states_follow(before, next, err);
    return status == CAIRN_OK ? moves_follow(before, next, err) : status;
}

enum cairn_status cairn_schema_follows(const struct cairn_schema *before,
                                       const struct cairn_schema *next, struct cairn_err *err)
{
    if (next->version != before->version + 1)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "version %" PRIu64 " cannot follow version %" PRIu64 ".", next->version,
                          before->version);
    for (size_t i = 0; i < before->type_count; i++) {
        enum cairn_status status =
            type_follows(&before->types[i], cairn_schema_type(next, before->types[i].number), err);
        if (status != CAIRN_OK)
            return status;
    }
    return CAIRN_OK;
}
