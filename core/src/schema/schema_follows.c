/* What a new version of a schema may change of the one before; declared in schema.h. */

#include <inttypes.h>
#include <string.h>

#include "schema.h"

struct comparing {
    const struct cairn_schema *next;
    cairn_schema_fault_fn *visit;
    void *context;
    struct cairn_err *err;
    struct cairn_schema_place place;
    size_t fault_count;
};

/* `told` is what cairn_fail() gave: the sentence stands in err. */
static void fault(struct comparing *c, enum cairn_schema_part part, size_t item,
                  enum cairn_status told)
{
    (void)told;
    c->place.part = part;
    c->place.item = item;
    c->fault_count++;
    if (c->visit != NULL)
        c->visit(c->context, &c->place, c->err->text);
}

static bool numbers_equal(const uint64_t *a, size_t a_count, const uint64_t *b, size_t b_count)
{
    return a_count == b_count && memcmp(a, b, a_count * sizeof *a) == 0;
}

static void choices_compare(struct comparing *c, const struct cairn_type *type,
                            const struct cairn_field *before, const struct cairn_field *next,
                            size_t item)
{
    for (size_t i = 0; i < before->choice_count; i++) {
        const struct cairn_choice *old = &before->choices[i];
        const struct cairn_choice *choice = cairn_field_choice(next, old->number);
        if (choice == NULL || strcmp(choice->text, old->text) != 0)
            fault(c, CAIRN_PART_FIELD, item,
                  cairn_fail(c->err, CAIRN_BAD_INPUT,
                             "%s.%s: choice %" PRIu64 " was \"%s\" and must stay so; add a new "
                             "number instead.",
                             type->name, before->name, old->number, old->text));
    }
}

static void field_compare(struct comparing *c, const struct cairn_type *type,
                          const struct cairn_field *before, const struct cairn_field *next)
{
    const struct cairn_type *next_type = &c->next->types[c->place.type];

    if (next == NULL) {
        fault(c, CAIRN_PART_TYPE, 0,
              cairn_fail(c->err, CAIRN_BAD_INPUT,
                         "%s.%s: field %" PRIu64 " is gone; old entries need it: keep it, retired.",
                         type->name, before->name, before->number));
        return;
    }
    size_t item = (size_t)(next - next_type->fields);
    if (strcmp(before->name, next->name) != 0)
        fault(c, CAIRN_PART_FIELD, item,
              cairn_fail(c->err, CAIRN_BAD_INPUT,
                         "%s.%s: field %" PRIu64 " was called %s; a number keeps its name.",
                         type->name, next->name, before->number, before->name));
    if (before->wire != next->wire || before->merge != next->merge)
        fault(c, CAIRN_PART_FIELD, item,
              cairn_fail(c->err, CAIRN_BAD_INPUT,
                         "%s.%s: a field keeps its type and its merge kind; retire it and add "
                         "another.",
                         type->name, before->name));
    if (before->is_personal != next->is_personal)
        fault(c, CAIRN_PART_FIELD, item,
              cairn_fail(c->err, CAIRN_BAD_INPUT,
                         "%s.%s: whether a field is personal stays for ever; retire it and add "
                         "another.",
                         type->name, before->name));
    if (before->is_same != next->is_same)
        fault(c, CAIRN_PART_FIELD, item,
              cairn_fail(c->err, CAIRN_BAD_INPUT,
                         "%s.%s: whether a field says \"same\" stays for ever; retire it and add "
                         "another.",
                         type->name, before->name));
    choices_compare(c, type, before, next, item);
}

static void states_compare(struct comparing *c, const struct cairn_type *before,
                           const struct cairn_type *next)
{
    for (size_t i = 0; i < before->state_count; i++) {
        const struct cairn_workflow_state *old = &before->states[i];
        const struct cairn_workflow_state *state = cairn_type_state(next, old->number);
        if (state == NULL || strcmp(state->name, old->name) != 0)
            fault(c, state == NULL ? CAIRN_PART_TYPE : CAIRN_PART_STATE,
                  state == NULL ? 0 : (size_t)(state - next->states),
                  cairn_fail(c->err, CAIRN_BAD_INPUT,
                             "%s: state %" PRIu64 " was %s and must stay so.", before->name,
                             old->number, old->name));
    }
    if (before->state_count > 0 && next->state_count > 0 &&
        next->states[0].number != before->states[0].number)
        fault(c, CAIRN_PART_STATE, 0,
              cairn_fail(c->err, CAIRN_BAD_INPUT, "%s: new records begin in state %s, as before.",
                         before->name, before->states[0].name));
}

static void moves_compare(struct comparing *c, const struct cairn_type *before,
                          const struct cairn_type *next)
{
    for (size_t i = 0; i < before->move_count; i++) {
        const struct cairn_move *old = &before->moves[i];
        const struct cairn_move *move = cairn_type_move(next, old->number);
        if (move != NULL && strcmp(move->name, old->name) == 0 && move->to == old->to &&
            numbers_equal(move->from, move->from_count, old->from, old->from_count) &&
            numbers_equal(move->roles, move->step_count, old->roles, old->step_count))
            continue;
        fault(c, move == NULL ? CAIRN_PART_TYPE : CAIRN_PART_MOVE,
              move == NULL ? 0 : (size_t)(move - next->moves),
              cairn_fail(c->err, CAIRN_BAD_INPUT,
                         "%s: move %" PRIu64 " (%s) keeps its states and steps; retire it and "
                         "add another.",
                         before->name, old->number, old->name));
    }
}

static void type_compare(struct comparing *c, const struct cairn_type *before)
{
    const struct cairn_type *next = cairn_schema_type(c->next, before->number);

    if (next == NULL) {
        fault(c, CAIRN_PART_WHOLE, 0,
              cairn_fail(c->err, CAIRN_BAD_INPUT,
                         "%s: type %" PRIu64 " is gone; old entries need it: keep it, retired.",
                         before->name, before->number));
        return;
    }
    c->place.type = (size_t)(next - c->next->types);
    if (strcmp(before->name, next->name) != 0)
        fault(c, CAIRN_PART_TYPE, 0,
              cairn_fail(c->err, CAIRN_BAD_INPUT,
                         "%s: type %" PRIu64 " was called %s; a number keeps its name.", next->name,
                         before->number, before->name));
    for (size_t i = 0; i < before->field_count; i++)
        field_compare(c, before, &before->fields[i],
                      cairn_type_field(next, before->fields[i].number));
    states_compare(c, before, next);
    moves_compare(c, before, next);
}

size_t cairn_schema_faults(const struct cairn_schema *before, const struct cairn_schema *next,
                           cairn_schema_fault_fn *visit, void *context, struct cairn_err *err)
{
    struct comparing c = {.next = next, .visit = visit, .context = context, .err = err};

    if (next->version != before->version + 1)
        fault(&c, CAIRN_PART_WHOLE, 0,
              cairn_fail(err, CAIRN_BAD_INPUT,
                         "version %" PRIu64 " cannot follow version %" PRIu64
                         ": write version: %" PRIu64 ".",
                         next->version, before->version, before->version + 1));
    for (size_t i = 0; i < before->type_count; i++)
        type_compare(&c, &before->types[i]);
    return c.fault_count;
}
