/* A schema as the YAML that the compiler reads; declared in schema_yaml.h. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "schema_yaml.h"

struct writing {
    struct cairn_buffer *out;
    struct cairn_arena arena;
    const char *between; /* what stands between two keys of an item */
    bool has_key;        /* of the item: one was written */
};

static void put(struct writing *w, const char *text)
{
    cairn_buffer_add(w->out, text, strlen(text));
}

/* Letters, digits and what is not ASCII need no quotes anywhere in YAML. */
static bool is_plain(const char *text)
{
    size_t size = strlen(text);
    bool plain = size > 0 && text[0] != ' ' && text[0] != '-' && text[size - 1] != ' ';

    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        plain = plain && (byte >= 0x80 || (byte >= '0' && byte <= '9') ||
                          (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                          byte == ' ' || byte == '_' || byte == '-' || byte == '.');
    }
    return plain;
}

static void put_text(struct writing *w, const char *text)
{
    char escaped[8];

    if (is_plain(text)) {
        put(w, text);
        return;
    }
    put(w, "\"");
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            snprintf(escaped, sizeof escaped, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            snprintf(escaped, sizeof escaped, "\\x%02x", byte);
        else
            snprintf(escaped, sizeof escaped, "%c", byte);
        put(w, escaped);
    }
    put(w, "\"");
}

/* ---- items --------------------------------------------------------------------------------- */

static void item_begin(struct writing *w, const char *begin, const char *between)
{
    put(w, begin);
    w->between = between;
    w->has_key = false;
}

static void key(struct writing *w, const char *name)
{
    if (w->has_key)
        put(w, w->between);
    w->has_key = true;
    put(w, name);
    put(w, ": ");
}

static void key_number(struct writing *w, const char *name, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, number);
    key(w, name);
    put(w, text);
}

static void key_text(struct writing *w, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    key(w, name);
    put_text(w, text);
}

static void key_yes(struct writing *w, const char *name, bool is_so)
{
    if (is_so)
        key_text(w, name, "yes");
}

static void key_value(struct writing *w, const char *name, const struct cairn_field *field,
                      int64_t integer)
{
    const struct cairn_value value = {.kind = CAIRN_VALUE_INTEGER, .integer = integer};
    const char *text = cairn_field_format(field, &value, &w->arena);

    if (text == NULL)
        w->out->failed = true;
    else if (name == NULL)
        put(w, text);
    else
        key_text(w, name, text);
}

static void labels(struct writing *w, uint64_t number, const char *name, const char *zh,
                   const char *en)
{
    key_number(w, "number", number);
    key_text(w, "name", name);
    key_text(w, "zh", zh);
    key_text(w, "en", en);
}

/* ---- fields -------------------------------------------------------------------------------- */

static void bands_write(struct writing *w, const struct cairn_field *field)
{
    if (field->band_count == 0)
        return;
    key(w, "bands");
    for (size_t i = 0; i < field->band_count; i++) {
        put(w, i == 0 ? "[" : ", ");
        key_value(w, NULL, field, field->bands[i]);
    }
    put(w, "]");
}

static void choices_write(struct writing *w, const struct cairn_field *field)
{
    if (field->choice_count == 0)
        return;
    put(w, "\n        choices:");
    for (size_t i = 0; i < field->choice_count; i++) {
        item_begin(w, "\n          - {", ", ");
        key_number(w, "number", field->choices[i].number);
        key_text(w, "text", field->choices[i].text);
        key_text(w, "en", field->choices[i].label_en);
        put(w, "}");
    }
}

static bool merge_is_default(const struct cairn_field *field)
{
    const char *word = cairn_field_type_word(field);

    if (strcmp(word, "choices") == 0 || strcmp(word, "references") == 0)
        return field->merge == CAIRN_MERGE_SET;
    return field->merge == CAIRN_MERGE_REGISTER || field->merge == CAIRN_MERGE_WORKFLOW;
}

static void field_write(struct writing *w, const struct cairn_schema *schema,
                        const struct cairn_field *field)
{
    bool is_block = field->choice_count > 0;
    const struct cairn_type *target = cairn_schema_type(schema, field->target);

    item_begin(w, is_block ? "      - " : "      - {", is_block ? "\n        " : ", ");
    labels(w, field->number, field->name, field->label_zh, field->label_en);
    key_text(w, "type", cairn_field_type_word(field));
    if (!merge_is_default(field))
        key_text(w, "merge", cairn_field_merge_word(field));
    if (target != NULL)
        key_text(w, "to", target->name);
    key_text(w, "unit", field->unit);
    if (field->has_lowest)
        key_value(w, "min", field, field->lowest);
    if (field->has_highest)
        key_value(w, "max", field, field->highest);
    bands_write(w, field);
    key_yes(w, "required", field->is_required);
    key_yes(w, "personal", field->is_personal);
    key_yes(w, "indexed", field->is_indexed);
    key_yes(w, "alias", field->is_alias);
    key_yes(w, "same", field->is_same);
    key_yes(w, "open", field->is_open);
    key_yes(w, "retired", field->is_retired);
    choices_write(w, field);
    put(w, is_block ? "\n" : "}\n");
}

/* ---- states, moves, indicators ------------------------------------------------------------- */

static void states_write(struct writing *w, const struct cairn_type *type)
{
    put(w, type->state_count > 0 ? "    states:\n" : "");
    for (size_t i = 0; i < type->state_count; i++) {
        const struct cairn_workflow_state *state = &type->states[i];
        item_begin(w, "      - {", ", ");
        labels(w, state->number, state->name, state->label_zh, state->label_en);
        put(w, "}\n");
    }
}

static const char *state_name(const struct cairn_type *type, uint64_t number)
{
    const struct cairn_workflow_state *state = cairn_type_state(type, number);

    return state == NULL ? "?" : state->name;
}

static void moves_write(struct writing *w, const struct cairn_type *type)
{
    put(w, type->move_count > 0 ? "    moves:\n" : "");
    for (size_t i = 0; i < type->move_count; i++) {
        const struct cairn_move *move = &type->moves[i];
        item_begin(w, "      - {", ", ");
        labels(w, move->number, move->name, move->label_zh, move->label_en);
        key(w, "from");
        for (size_t j = 0; j < move->from_count; j++) {
            put(w, j == 0 ? "[" : ", ");
            put_text(w, state_name(type, move->from[j]));
        }
        put(w, "]");
        key_text(w, "to", state_name(type, move->to));
        key(w, "steps");
        for (size_t j = 0; j < move->step_count; j++) {
            put(w, j == 0 ? "[" : ", ");
            put_text(w, cairn_step_role_word(move->roles[j]));
        }
        put(w, "]");
        key_yes(w, "retired", move->is_retired);
        put(w, "}\n");
    }
}

static void indicators_write(struct writing *w, const struct cairn_type *type)
{
    static const struct cairn_field number = {.name = "", .wire = CAIRN_WIRE_INTEGER};

    put(w, type->indicator_count > 0 ? "    indicators:\n" : "");
    for (size_t i = 0; i < type->indicator_count; i++) {
        const struct cairn_indicator *indicator = &type->indicators[i];
        const struct cairn_field *field = cairn_type_field(type, indicator->field);
        item_begin(w, "      - {", ", ");
        labels(w, indicator->number, indicator->name, indicator->label_zh, indicator->label_en);
        key_text(w, "field", field->name);
        key_text(w, "test", cairn_indicator_test_word(indicator->test));
        key_value(w, "threshold", indicator->test == CAIRN_TEST_FLAG ? &number : field,
                  indicator->threshold);
        put(w, "}\n");
    }
}

void cairn_schema_yaml_write(struct cairn_buffer *out, const struct cairn_schema *schema)
{
    struct writing w = {.out = out, .between = "\n"};

    cairn_arena_init(&w.arena);
    item_begin(&w, "", "\n");
    key_number(&w, "version", schema->version);
    put(&w, "\ntypes:\n");
    for (size_t i = 0; i < schema->type_count; i++) {
        const struct cairn_type *type = &schema->types[i];
        item_begin(&w, "  - ", "\n    ");
        labels(&w, type->number, type->name, type->label_zh, type->label_en);
        key_yes(&w, "retired", type->is_retired);
        put(&w, "\n    fields:\n");
        for (size_t j = 0; j < type->field_count; j++)
            field_write(&w, schema, &type->fields[j]);
        states_write(&w, type);
        moves_write(&w, type);
        indicators_write(&w, type);
    }
    cairn_arena_release(&w.arena);
}
