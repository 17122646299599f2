/* Schema tables as bytes (SPEC.md section 4.2); declared in schema.h. Reader and writer of a thing
 * stand side by side. */

#include <stdlib.h>
#include <string.h>

#include "schema.h"

#define LIST_MAX 1024 /* fields, states, choices...: more than an entry has room for */

enum type_flag { TYPE_RETIRED = 1 };
enum field_flag {
    FIELD_PERSONAL = 1,
    FIELD_REQUIRED = 2,
    FIELD_INDEXED = 4,
    FIELD_ALIAS = 8,
    FIELD_SAME = 16,
    FIELD_RETIRED = 32,
    FIELD_OPEN = 64
};
enum move_flag { MOVE_RETIRED = 1 };

/* The number of items that each array has in this version. Later versions may append. */
enum { TYPE_ITEMS = 9, FIELD_ITEMS = 14, STATE_ITEMS = 4, MOVE_ITEMS = 8, INDICATOR_ITEMS = 7 };

/* Where what is read goes. A table that memory is short for is not malformed: verdicts on it stand
 * for ever. */
struct table_memory {
    struct cairn_arena *arena;
    bool is_short;
};

static void text_write(struct cairn_writer *writer, const char *text)
{
    cairn_cbor_write_text(writer, text, strlen(text));
}

static const char *text_read(struct cairn_reader *reader, struct table_memory *memory)
{
    struct cairn_bytes copy = cairn_arena_copy(memory->arena, cairn_cbor_read_text(reader));

    if (copy.data == NULL) {
        memory->is_short = true;
        cairn_reader_fail(reader);
        return "";
    }
    return (const char *)copy.data;
}

/* Begin an array of at least `known` items; what stands behind them is passed over at its end. */
static size_t array_begin(struct cairn_reader *reader, size_t known)
{
    size_t count = cairn_cbor_read_array(reader);

    if (count < known) {
        cairn_reader_fail(reader);
        return 0;
    }
    return count - known;
}

static void array_end(struct cairn_reader *reader, size_t more)
{
    for (size_t i = 0; i < more && !reader->failed; i++)
        cairn_cbor_skip(reader);
}

/* Room for the items of a list that begins here. */
static void *list_begin(struct cairn_reader *reader, struct table_memory *memory, size_t item_bytes,
                        size_t *out_count)
{
    size_t count = cairn_cbor_read_array(reader);
    bool fits = count <= LIST_MAX;
    void *items = fits ? cairn_arena_get(memory->arena, count * item_bytes + 1) : NULL;

    memory->is_short = memory->is_short || (fits && items == NULL);
    if (items == NULL)
        cairn_reader_fail(reader);
    *out_count = items == NULL ? 0 : count;
    return items;
}

static void numbers_write(struct cairn_writer *writer, const uint64_t *numbers, size_t count)
{
    cairn_cbor_write_array(writer, count);
    for (size_t i = 0; i < count; i++)
        cairn_cbor_write_uint(writer, numbers[i]);
}

static const uint64_t *numbers_read(struct cairn_reader *reader, struct table_memory *memory,
                                    size_t *out_count)
{
    uint64_t *numbers = list_begin(reader, memory, sizeof *numbers, out_count);

    for (size_t i = 0; i < *out_count; i++)
        numbers[i] = cairn_cbor_read_uint(reader);
    return numbers;
}

/* ---- fields -------------------------------------------------------------------------------- */

/* A bound is an integer, or the empty text where there is none. */
static void bound_write(struct cairn_writer *writer, bool has, int64_t bound)
{
    if (has)
        cairn_cbor_write_int(writer, bound);
    else
        text_write(writer, "");
}

static int64_t bound_read(struct cairn_reader *reader, bool *out_has)
{
    *out_has = cairn_cbor_peek(reader) != CAIRN_CBOR_TEXT;
    if (*out_has)
        return cairn_cbor_read_int(reader);
    if (cairn_cbor_read_text(reader).size != 0)
        cairn_reader_fail(reader);
    return 0;
}

static void bands_write(struct cairn_writer *writer, const struct cairn_field *field)
{
    cairn_cbor_write_array(writer, field->band_count);
    for (size_t i = 0; i < field->band_count; i++)
        cairn_cbor_write_int(writer, field->bands[i]);
}

static void bands_read(struct cairn_reader *reader, struct table_memory *memory,
                       struct cairn_field *field)
{
    int64_t *bands = list_begin(reader, memory, sizeof *bands, &field->band_count);

    for (size_t i = 0; i < field->band_count; i++) {
        bands[i] = cairn_cbor_read_int(reader);
        if (i > 0 && bands[i] <= bands[i - 1])
            cairn_reader_fail(reader);
    }
    field->bands = bands;
}

/* Choices stand flat: number, text, English label, again and again. */
static void choices_write(struct cairn_writer *writer, const struct cairn_field *field)
{
    cairn_cbor_write_array(writer, 3 * field->choice_count);
    for (size_t i = 0; i < field->choice_count; i++) {
        cairn_cbor_write_uint(writer, field->choices[i].number);
        text_write(writer, field->choices[i].text);
        text_write(writer, field->choices[i].label_en);
    }
}

static void choices_read(struct cairn_reader *reader, struct table_memory *memory,
                         struct cairn_field *field)
{
    size_t items;
    struct cairn_choice *choices = list_begin(reader, memory, sizeof *choices, &items);

    field->choice_count = items / 3;
    if (items % 3 != 0)
        cairn_reader_fail(reader);
    for (size_t i = 0; i < field->choice_count && !reader->failed; i++) {
        choices[i].number = cairn_cbor_read_uint(reader);
        choices[i].text = text_read(reader, memory);
        choices[i].label_en = text_read(reader, memory);
        if (i > 0 && choices[i].number <= choices[i - 1].number)
            cairn_reader_fail(reader);
    }
    field->choices = choices;
}

static void field_write(struct cairn_writer *writer, const struct cairn_field *field)
{
    cairn_cbor_write_array(writer, FIELD_ITEMS);
    cairn_cbor_write_uint(writer, field->number);
    text_write(writer, field->name);
    cairn_cbor_write_uint(writer, field->wire);
    cairn_cbor_write_uint(writer, field->merge);
    cairn_cbor_write_uint(
        writer, (field->is_personal ? FIELD_PERSONAL : 0u) |
                    (field->is_required ? FIELD_REQUIRED : 0u) |
                    (field->is_indexed ? FIELD_INDEXED : 0u) |
                    (field->is_alias ? FIELD_ALIAS : 0u) | (field->is_same ? FIELD_SAME : 0u) |
                    (field->is_retired ? FIELD_RETIRED : 0u) | (field->is_open ? FIELD_OPEN : 0u));
    text_write(writer, field->label_zh);
    text_write(writer, field->label_en);
    text_write(writer, field->unit);
    bound_write(writer, field->has_lowest, field->lowest);
    bound_write(writer, field->has_highest, field->highest);
    cairn_cbor_write_uint(writer, field->check);
    cairn_cbor_write_uint(writer, field->target);
    bands_write(writer, field);
    choices_write(writer, field);
}

static void field_read(struct cairn_reader *reader, struct table_memory *memory,
                       struct cairn_field *field)
{
    size_t more = array_begin(reader, FIELD_ITEMS);

    field->number = cairn_cbor_read_uint(reader);
    field->name = text_read(reader, memory);
    field->wire = cairn_cbor_read_uint(reader);
    field->merge = cairn_cbor_read_uint(reader);
    uint64_t flags = cairn_cbor_read_uint(reader);
    field->is_personal = (flags & FIELD_PERSONAL) != 0;
    field->is_required = (flags & FIELD_REQUIRED) != 0;
    field->is_indexed = (flags & FIELD_INDEXED) != 0;
    field->is_alias = (flags & FIELD_ALIAS) != 0;
    field->is_same = (flags & FIELD_SAME) != 0;
    field->is_retired = (flags & FIELD_RETIRED) != 0;
    field->is_open = (flags & FIELD_OPEN) != 0;
    field->label_zh = text_read(reader, memory);
    field->label_en = text_read(reader, memory);
    field->unit = text_read(reader, memory);
    field->lowest = bound_read(reader, &field->has_lowest);
    field->highest = bound_read(reader, &field->has_highest);
    field->check = cairn_cbor_read_uint(reader);
    field->target = cairn_cbor_read_uint(reader);
    bands_read(reader, memory, field);
    choices_read(reader, memory, field);
    array_end(reader, more);
}

static void fields_write(struct cairn_writer *writer, const struct cairn_type *type)
{
    cairn_cbor_write_array(writer, type->field_count);
    for (size_t i = 0; i < type->field_count; i++)
        field_write(writer, &type->fields[i]);
}

/* People name a field, entries its number: two of one name and the second is out of reach. */
static bool is_name_taken(const struct cairn_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return true;
    return false;
}

static void fields_read(struct cairn_reader *reader, struct table_memory *memory,
                        struct cairn_type *type)
{
    struct cairn_field *fields = list_begin(reader, memory, sizeof *fields, &type->field_count);
    unsigned workflows = 0;

    for (size_t i = 0; i < type->field_count && !reader->failed; i++) {
        field_read(reader, memory, &fields[i]);
        workflows += fields[i].merge == CAIRN_MERGE_WORKFLOW;
        if (fields[i].number <= (i == 0 ? 0 : fields[i - 1].number) || workflows > 1 ||
            is_name_taken(fields, i, fields[i].name))
            cairn_reader_fail(reader);
    }
    type->fields = fields;
}

/* ---- states and moves ---------------------------------------------------------------------- */

static void states_write(struct cairn_writer *writer, const struct cairn_type *type)
{
    cairn_cbor_write_array(writer, type->state_count);
    for (size_t i = 0; i < type->state_count; i++) {
        cairn_cbor_write_array(writer, STATE_ITEMS);
        cairn_cbor_write_uint(writer, type->states[i].number);
        text_write(writer, type->states[i].name);
        text_write(writer, type->states[i].label_zh);
        text_write(writer, type->states[i].label_en);
    }
}

static void states_read(struct cairn_reader *reader, struct table_memory *memory,
                        struct cairn_type *type)
{
    struct cairn_workflow_state *states =
        list_begin(reader, memory, sizeof *states, &type->state_count);

    for (size_t i = 0; i < type->state_count && !reader->failed; i++) {
        size_t more = array_begin(reader, STATE_ITEMS);
        states[i].number = cairn_cbor_read_uint(reader);
        states[i].name = text_read(reader, memory);
        states[i].label_zh = text_read(reader, memory);
        states[i].label_en = text_read(reader, memory);
        array_end(reader, more);
        if (states[i].number <= (i == 0 ? 0 : states[i - 1].number))
            cairn_reader_fail(reader);
    }
    type->states = states;
}

static void moves_write(struct cairn_writer *writer, const struct cairn_type *type)
{
    cairn_cbor_write_array(writer, type->move_count);
    for (size_t i = 0; i < type->move_count; i++) {
        const struct cairn_move *move = &type->moves[i];
        cairn_cbor_write_array(writer, MOVE_ITEMS);
        cairn_cbor_write_uint(writer, move->number);
        text_write(writer, move->name);
        text_write(writer, move->label_zh);
        text_write(writer, move->label_en);
        cairn_cbor_write_uint(writer, move->is_retired ? MOVE_RETIRED : 0);
        numbers_write(writer, move->from, move->from_count);
        cairn_cbor_write_uint(writer, move->to);
        numbers_write(writer, move->roles, move->step_count);
    }
}

/* A move that comes back to where it began could follow itself: its steps could not be told
 * apart. */
static bool move_is_good(const struct cairn_type *type, const struct cairn_move *move)
{
    bool is_good = cairn_type_state(type, move->to) != NULL && move->from_count > 0 &&
                   move->step_count > 0 && move->step_count <= CAIRN_MOVE_STEPS_MAX;

    for (size_t i = 0; i < move->from_count; i++)
        is_good =
            is_good && cairn_type_state(type, move->from[i]) != NULL && move->from[i] != move->to;
    return is_good;
}

static void moves_read(struct cairn_reader *reader, struct table_memory *memory,
                       struct cairn_type *type)
{
    struct cairn_move *moves = list_begin(reader, memory, sizeof *moves, &type->move_count);

    for (size_t i = 0; i < type->move_count && !reader->failed; i++) {
        struct cairn_move *move = &moves[i];
        size_t more = array_begin(reader, MOVE_ITEMS);
        move->number = cairn_cbor_read_uint(reader);
        move->name = text_read(reader, memory);
        move->label_zh = text_read(reader, memory);
        move->label_en = text_read(reader, memory);
        move->is_retired = (cairn_cbor_read_uint(reader) & MOVE_RETIRED) != 0;
        move->from = numbers_read(reader, memory, &move->from_count);
        move->to = cairn_cbor_read_uint(reader);
        move->roles = numbers_read(reader, memory, &move->step_count);
        array_end(reader, more);
        if (reader->failed || move->number <= (i == 0 ? 0 : moves[i - 1].number) ||
            !move_is_good(type, move))
            cairn_reader_fail(reader);
    }
    type->moves = moves;
}

/* ---- indicators ---------------------------------------------------------------------------- */

static void indicators_write(struct cairn_writer *writer, const struct cairn_type *type)
{
    cairn_cbor_write_array(writer, type->indicator_count);
    for (size_t i = 0; i < type->indicator_count; i++) {
        const struct cairn_indicator *indicator = &type->indicators[i];
        cairn_cbor_write_array(writer, INDICATOR_ITEMS);
        cairn_cbor_write_uint(writer, indicator->number);
        text_write(writer, indicator->name);
        text_write(writer, indicator->label_zh);
        text_write(writer, indicator->label_en);
        cairn_cbor_write_uint(writer, indicator->field);
        cairn_cbor_write_uint(writer, indicator->test);
        cairn_cbor_write_int(writer, indicator->threshold);
    }
}

static void indicators_read(struct cairn_reader *reader, struct table_memory *memory,
                            struct cairn_type *type)
{
    struct cairn_indicator *indicators =
        list_begin(reader, memory, sizeof *indicators, &type->indicator_count);

    for (size_t i = 0; i < type->indicator_count && !reader->failed; i++) {
        struct cairn_indicator *indicator = &indicators[i];
        size_t more = array_begin(reader, INDICATOR_ITEMS);
        indicator->number = cairn_cbor_read_uint(reader);
        indicator->name = text_read(reader, memory);
        indicator->label_zh = text_read(reader, memory);
        indicator->label_en = text_read(reader, memory);
        indicator->field = cairn_cbor_read_uint(reader);
        indicator->test = cairn_cbor_read_uint(reader);
        indicator->threshold = cairn_cbor_read_int(reader);
        array_end(reader, more);
        if (indicator->number <= (i == 0 ? 0 : indicators[i - 1].number) ||
            cairn_type_field(type, indicator->field) == NULL)
            cairn_reader_fail(reader);
    }
    type->indicators = indicators;
}

/* ---- types and the table ------------------------------------------------------------------- */

static void type_write(struct cairn_writer *writer, const struct cairn_type *type)
{
    cairn_cbor_write_array(writer, TYPE_ITEMS);
    cairn_cbor_write_uint(writer, type->number);
    text_write(writer, type->name);
    text_write(writer, type->label_zh);
    text_write(writer, type->label_en);
    cairn_cbor_write_uint(writer, type->is_retired ? TYPE_RETIRED : 0);
    fields_write(writer, type);
    states_write(writer, type);
    moves_write(writer, type);
    indicators_write(writer, type);
}

static void type_read(struct cairn_reader *reader, struct table_memory *memory,
                      struct cairn_type *type)
{
    size_t more = array_begin(reader, TYPE_ITEMS);

    type->number = cairn_cbor_read_uint(reader);
    type->name = text_read(reader, memory);
    type->label_zh = text_read(reader, memory);
    type->label_en = text_read(reader, memory);
    type->is_retired = (cairn_cbor_read_uint(reader) & TYPE_RETIRED) != 0;
    fields_read(reader, memory, type);
    states_read(reader, memory, type);
    if (!reader->failed && cairn_type_workflow(type) != NULL && type->state_count == 0)
        cairn_reader_fail(reader);
    moves_read(reader, memory, type);
    indicators_read(reader, memory, type);
    array_end(reader, more);
}

void cairn_schema_write(struct cairn_writer *writer, const struct cairn_schema *schema)
{
    cairn_cbor_write_array(writer, 1 + schema->type_count);
    cairn_cbor_write_uint(writer, schema->version);
    for (size_t i = 0; i < schema->type_count; i++)
        type_write(writer, &schema->types[i]);
}

static enum cairn_status table_read(struct cairn_reader *reader, struct cairn_schema *schema)
{
    struct table_memory memory = {.arena = &schema->memory};
    size_t count = array_begin(reader, 1);
    struct cairn_type *types = cairn_arena_get(&schema->memory, count * sizeof *types + 1);

    schema->version = cairn_cbor_read_uint(reader);
    if (types == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < count && !reader->failed; i++) {
        type_read(reader, &memory, &types[i]);
        if (types[i].number <= (i == 0 ? 0 : types[i - 1].number))
            cairn_reader_fail(reader);
    }
    schema->types = types;
    schema->type_count = count;
    return memory.is_short ? CAIRN_NO_MEMORY : cairn_reader_end(reader);
}

enum cairn_status cairn_schema_read(struct cairn_bytes table, struct cairn_schema **out_schema)
{
    struct cairn_reader reader;
    enum cairn_status status =
        table.size > CAIRN_SCHEMA_TABLE_MAX ? CAIRN_MALFORMED : cairn_cbor_check(table, NULL);

    if (status != CAIRN_OK)
        return status;
    struct cairn_schema *schema = calloc(1, sizeof *schema);
    if (schema == NULL)
        return CAIRN_NO_MEMORY;
    cairn_arena_init(&schema->memory);
    cairn_reader_init(&reader, table);
    status = table_read(&reader, schema);
    if (status != CAIRN_OK) {
        cairn_schema_free(schema);
        return status;
    }
    *out_schema = schema;
    return CAIRN_OK;
}
