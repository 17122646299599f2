/* The words of a put, read into edits. */

#include "edit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "put_internal.h"

#define ELEMENT_SEPARATOR '|'

/* One field of a put. */
struct given {
    const char *name, *value;
    enum cairn_put_operation operation;
};

static enum cairn_status edit_add(struct cairn_context *ctx, struct cairn_edits *edits,
                                  const struct cairn_edit *edit)
{
    if (edits->count == edits->capacity) {
        size_t capacity = edits->capacity * 2 + 16;
        struct cairn_edit *grown = cairn_arena_get(&ctx->arena, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        if (edits->count > 0)
            memcpy(grown, edits->items, edits->count * sizeof *grown);
        edits->items = grown;
        edits->capacity = capacity;
    }
    edits->items[edits->count++] = *edit;
    return CAIRN_OK;
}

enum cairn_status cairn_edit_value(struct cairn_context *ctx, const struct cairn_field *field,
                                   const char *text, struct cairn_value *out_value)
{
    struct cairn_log log;
    struct cairn_record_state target;

    if (field->wire != CAIRN_WIRE_REFERENCE)
        return cairn_field_parse(field, text, out_value, ctx->err);
    CAIRN_TRY(cairn_label_find(ctx, text, &log, &target));
    if (field->target != 0 && target.type != field->target)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s: %s is a record of another type. Nothing was written.", field->name,
                          text);
    *out_value =
        (struct cairn_value){.kind = CAIRN_VALUE_DOT, .dot = {target.id.log, target.id.index}};
    return CAIRN_OK;
}

/* Where the edit that adds or takes away this element stands; edits->count: nowhere. */
static size_t element_find(const struct cairn_edits *edits, const struct cairn_field *field,
                           uint64_t number, const struct cairn_value *value)
{
    size_t at = 0;

    while (at < edits->count &&
           (edits->items[at].field != field || edits->items[at].number != number ||
            !cairn_value_equal(&edits->items[at].value, value)))
        at++;
    return at;
}

/* One element of a set, from the text between two separators. */
static enum cairn_status element_read(struct cairn_context *ctx, const struct cairn_field *field,
                                      uint64_t number, const char *text, size_t size,
                                      struct cairn_edits *edits)
{
    struct cairn_bytes copy =
        cairn_arena_copy(&ctx->arena, (struct cairn_bytes){(const uint8_t *)text, size});
    struct cairn_edit edit = {.field = field, .number = number};

    if (copy.data == NULL)
        return CAIRN_NO_MEMORY;
    edit.text = (const char *)copy.data;
    CAIRN_TRY(cairn_edit_value(ctx, field, edit.text, &edit.value));
    if (element_find(edits, field, number, &edit.value) < edits->count)
        return CAIRN_OK;
    /* What is added is not taken away, whatever the same put said before. */
    size_t removal = element_find(edits, field, CAIRN_ITEM_REMOVE, &edit.value);
    if (removal == edits->count)
        return edit_add(ctx, edits, &edit);
    edits->items[removal] = edit;
    return CAIRN_OK;
}

/* Exactly these elements: what else is live goes. */
static enum cairn_status others_remove(struct cairn_context *ctx, const struct cairn_field *field,
                                       const struct cairn_record_state *state,
                                       struct cairn_edits *edits)
{
    for (size_t i = 0; state != NULL && i < state->live_count; i++) {
        struct cairn_edit edit = {.field = field, .number = CAIRN_ITEM_REMOVE};
        if (state->live[i].field != field->number || state->live[i].is_closed)
            continue;
        CAIRN_TRY(cairn_live_value(ctx, &state->live[i], &edit.value));
        if (element_find(edits, field, CAIRN_ITEM_ADD, &edit.value) < edits->count ||
            element_find(edits, field, CAIRN_ITEM_REMOVE, &edit.value) < edits->count)
            continue;
        CAIRN_TRY(cairn_value_text(ctx, NULL, field, &edit.value, &ctx->arena, &edit.text));
        CAIRN_TRY(edit_add(ctx, edits, &edit));
    }
    return CAIRN_OK;
}

static enum cairn_status set_read(struct cairn_context *ctx, const struct given *given,
                                  const struct cairn_field *field,
                                  const struct cairn_record_state *state, struct cairn_edits *edits)
{
    uint64_t number = given->operation == CAIRN_PUT_REMOVE ? CAIRN_ITEM_REMOVE : CAIRN_ITEM_ADD;
    const char *text = given->value;

    if (given->operation != CAIRN_PUT_SET)
        return element_read(ctx, field, number, text, strlen(text), edits);
    while (text[0] != '\0') {
        size_t size = strcspn(text, (const char[]){ELEMENT_SEPARATOR, '\0'});
        if (size > 0)
            CAIRN_TRY(element_read(ctx, field, number, text, size, edits));
        text += size + (text[size] != '\0');
    }
    return others_remove(ctx, field, state, edits);
}

/* Where the edit that counts this field stands; edits->count: nowhere. */
static size_t count_find(const struct cairn_edits *edits, const struct cairn_field *field)
{
    size_t at = 0;

    while (at < edits->count &&
           (edits->items[at].field != field || edits->items[at].number != CAIRN_ITEM_COUNT))
        at++;
    return at;
}

/* What is added to a sum of `sum` by what is given; false: beyond 63 bits. */
static bool count_difference(enum cairn_put_operation operation, int64_t given, int64_t sum,
                             int64_t *out_difference)
{
    int64_t total;

    if (operation == CAIRN_PUT_SET)
        return !__builtin_sub_overflow(given, sum, out_difference);
    if (operation == CAIRN_PUT_REMOVE)
        return !__builtin_sub_overflow(0, given, out_difference) &&
               !__builtin_sub_overflow(sum, given, &total);
    *out_difference = given;
    return !__builtin_add_overflow(sum, given, &total);
}

/* All that a put counts is one difference: thus it is told, and checked, as a whole. */
static enum cairn_status counter_read(struct cairn_context *ctx, const struct given *given,
                                      const struct cairn_field *field,
                                      const struct cairn_record_state *state,
                                      struct cairn_edits *edits)
{
    struct cairn_edit edit = {.field = field, .number = CAIRN_ITEM_COUNT, .text = given->value};
    size_t at = count_find(edits, field);
    int64_t before = at < edits->count ? edits->items[at].value.integer : 0;
    int64_t sum = cairn_counter_sum(state, field->number) + before;
    int64_t difference;

    CAIRN_TRY(cairn_edit_value(ctx, field, given->value, &edit.value));
    if (!count_difference(given->operation, edit.value.integer, sum, &difference) ||
        __builtin_add_overflow(before, difference, &edit.value.integer))
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s: %s is too large.", field->name,
                          given->value);
    if (at == edits->count)
        return difference == 0 ? CAIRN_OK : edit_add(ctx, edits, &edit);
    if (edit.value.integer != 0)
        edits->items[at] = edit;
    else
        edits->items[at] = edits->items[--edits->count];
    return CAIRN_OK;
}

static enum cairn_status register_read(struct cairn_context *ctx, const struct given *given,
                                       const struct cairn_field *field, struct cairn_edits *edits)
{
    struct cairn_edit edit = {.field = field, .number = CAIRN_ITEM_SET, .text = given->value};

    if (given->operation != CAIRN_PUT_SET)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s has one value: nothing can be added or taken away; write %s=VALUE.",
                          field->name, field->name);
    CAIRN_TRY(cairn_edit_value(ctx, field, given->value, &edit.value));
    return edit_add(ctx, edits, &edit);
}

static enum cairn_status given_read(struct cairn_context *ctx, const struct cairn_put *put,
                                    const struct given *given, const struct cairn_type *type,
                                    const struct cairn_record_state *state,
                                    struct cairn_edits *edits)
{
    const struct cairn_field *field = cairn_type_field_called(type, given->name);

    if (field == NULL)
        return cairn_field_missing(ctx->err, put->type, given->name);
    if (field->is_retired)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s is not used any more: old values are shown, new ones are not taken.",
                          given->name);
    if ((state == NULL || put->upserts) && given->value[0] == '\0')
        return CAIRN_OK; /* an empty cell of a table says nothing */
    /* An entry with a value of an unknown type would wait for a newer version, unseen. */
    uint64_t merge = field->wire < CAIRN_WIRE_COUNT ? field->merge : CAIRN_MERGE_COUNT;
    switch ((enum cairn_merge_kind)merge) {
    case CAIRN_MERGE_REGISTER:
        return register_read(ctx, given, field, edits);
    case CAIRN_MERGE_SET:
        return set_read(ctx, given, field, state, edits);
    case CAIRN_MERGE_COUNTER:
        return counter_read(ctx, given, field, state, edits);
    case CAIRN_MERGE_WORKFLOW:
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s is not written but moved, step by step: cairn step ID MOVE.",
                          given->name);
    case CAIRN_MERGE_COUNT:
        break;
    }
    return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s is a field of a newer version.", given->name);
}

static struct given given_at(const struct cairn_put *put, size_t i)
{
    return (struct given){put->fields[i].name, put->fields[i].value,
                          put->operations == NULL ? CAIRN_PUT_SET : put->operations[i]};
}

enum cairn_status cairn_edits_read(struct cairn_replica *replica, const struct cairn_put *put,
                                   const struct cairn_type *type,
                                   const struct cairn_record_state *state,
                                   struct cairn_edits *out_edits)
{
    struct cairn_edits edits = {.count = 0};

    for (size_t i = 0; i < put->field_count; i++) {
        struct given given = given_at(put, i);
        for (size_t k = 0; k < i; k++)
            if (given.operation == CAIRN_PUT_SET && strcmp(put->fields[k].name, given.name) == 0)
                return cairn_fail(replica->ctx.err, CAIRN_BAD_INPUT, "%s is given twice.",
                                  given.name);
        CAIRN_TRY(given_read(&replica->ctx, put, &given, type, state, &edits));
    }
    *out_edits = edits;
    return CAIRN_OK;
}

static enum cairn_status shown_value(struct cairn_context *ctx, const struct cairn_field *field,
                                     const struct cairn_record_state *state,
                                     struct cairn_value *out_value)
{
    const struct cairn_live *shown = NULL;

    for (size_t i = 0; i < state->live_count; i++) {
        bool wins = true;
        if (state->live[i].field != field->number || state->live[i].is_closed)
            continue;
        if (shown != NULL)
            CAIRN_TRY(cairn_live_wins(ctx, &state->live[i], shown, &wins));
        shown = wins ? &state->live[i] : shown;
    }
    return shown == NULL ? CAIRN_NOT_FOUND : cairn_live_value(ctx, shown, out_value);
}

static bool field_is_live(const struct cairn_record_state *state, const struct cairn_field *field)
{
    for (size_t i = 0; i < state->live_count; i++)
        if (state->live[i].field == field->number)
            return true;
    return false;
}

/* What the deletion took from the counter; what was counted unseen is there still. */
static enum cairn_status counter_restore(struct cairn_context *ctx, const struct cairn_field *field,
                                         const struct cairn_record_state *state,
                                         const struct cairn_record_state *undeleted,
                                         int64_t *out_difference)
{
    int64_t before = cairn_counter_sum(undeleted, field->number);
    int64_t now = cairn_counter_sum(state, field->number);

    if (__builtin_sub_overflow(before, now, out_difference))
        return cairn_fail(
            ctx->err, CAIRN_LIMIT,
            "%s: the sums before and after the deletion are too far apart. Nothing was written.",
            field->name);
    return CAIRN_OK;
}

enum cairn_status cairn_edits_restore(struct cairn_context *ctx, const struct cairn_field *field,
                                      const struct cairn_record_state *state,
                                      const struct cairn_record_state *undeleted,
                                      const struct cairn_live *live, struct cairn_edits *edits)
{
    struct cairn_edit edit = {.field = field, .number = CAIRN_ITEM_SET, .text = ""};

    switch ((enum cairn_merge_kind)field->merge) {
    case CAIRN_MERGE_REGISTER:
        if (field_is_live(state, field))
            return CAIRN_OK;
        CAIRN_TRY(shown_value(ctx, field, undeleted, &edit.value));
        break;
    case CAIRN_MERGE_SET:
        edit.number = CAIRN_ITEM_ADD;
        CAIRN_TRY(cairn_live_value(ctx, live, &edit.value));
        break;
    case CAIRN_MERGE_COUNTER:
        edit.number = CAIRN_ITEM_COUNT;
        CAIRN_TRY(counter_restore(ctx, field, state, undeleted, &edit.value.integer));
        if (edit.value.integer == 0)
            return CAIRN_OK;
        break;
    case CAIRN_MERGE_WORKFLOW:
    case CAIRN_MERGE_COUNT:
        return CAIRN_OK;
    }
    for (size_t i = 0; i < edits->count; i++)
        if (edits->items[i].field == field &&
            (edit.number != CAIRN_ITEM_ADD ||
             cairn_value_equal(&edits->items[i].value, &edit.value)))
            return CAIRN_OK;
    return edit_add(ctx, edits, &edit);
}
