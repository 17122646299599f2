/* Schema tables as bytes (SPEC.md section 4.2): what reads, what is malformed, what is passed over
 * because a later version wrote it, and which versions a store keeps. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"
#include "replica_internal.h"
#include "schema.h"

/* A table with something in each of its lists, open to change. */
struct table {
    struct cairn_schema schema;
    struct cairn_type types[2];
    struct cairn_field fields[4], other_field;
    struct cairn_choice choices[2];
    int64_t bands[3];
    struct cairn_workflow_state states[2];
    struct cairn_move moves[2];
    uint64_t from[2000], roles[CAIRN_MOVE_STEPS_MAX + 1];
    struct cairn_indicator indicators[2];
    struct cairn_schema *read;
    uint8_t bytes[2 * CAIRN_SCHEMA_TABLE_MAX], edited[2 * CAIRN_SCHEMA_TABLE_MAX];
};
static struct table table;

#define NAMED(n, text) .number = (n), .name = (text), .label_zh = "标", .label_en = "label"
#define FIELD(n, text, wire_, merge_) \
    NAMED(n, text), .unit = "", .wire = CAIRN_WIRE_##wire_, .merge = CAIRN_MERGE_##merge_

static void lists_fill(struct table *t)
{
    t->fields[0] = (struct cairn_field){FIELD(1, "head", TEXT, REGISTER),
                                        .is_personal = true,
                                        .is_required = true,
                                        .is_indexed = true,
                                        .is_alias = true,
                                        .check = 3,
                                        .target = 9};
    t->fields[1] = (struct cairn_field){FIELD(2, "cause", CHOICE, REGISTER), .choices = t->choices,
                                        .choice_count = 2};
    t->fields[2] = (struct cairn_field){FIELD(5, "income", INTEGER, REGISTER), .has_lowest = true,
                                        .lowest = -3, .bands = t->bands, .band_count = 3};
    t->fields[3] = (struct cairn_field){FIELD(6, "at", INTEGER, WORKFLOW)};
    t->other_field =
        (struct cairn_field){FIELD(1, "name", TEXT, REGISTER), .is_same = true, .is_retired = true};
    t->choices[0] = (struct cairn_choice){2, "因病", "illness"};
    t->choices[1] = (struct cairn_choice){7, "因学", ""};
    for (int i = 0; i < 3; i++)
        t->bands[i] = i - 1;
    t->states[0] = (struct cairn_workflow_state){NAMED(1, "open")};
    t->states[1] = (struct cairn_workflow_state){NAMED(2, "shut")};
    for (int i = 0; i < 2000; i++)
        t->from[i] = 1;
    for (size_t i = 0; i <= CAIRN_MOVE_STEPS_MAX; i++)
        t->roles[i] = CAIRN_ROLE_STATION;
    t->moves[0] = (struct cairn_move){NAMED(1, "close"), .from = t->from,   .from_count = 1,
                                      .to = 2,           .roles = t->roles, .step_count = 1};
    t->moves[1] = t->moves[0];
    t->moves[1].number = 2;
    t->moves[1].step_count = CAIRN_MOVE_STEPS_MAX;
    t->indicators[0] =
        (struct cairn_indicator){NAMED(1, "high"), .field = 5, .test = 0, .threshold = -9};
    t->indicators[1] = t->indicators[0];
    t->indicators[1].number = 2;
}

static void table_init(struct table *t)
{
    lists_fill(t);
    t->types[0] = (struct cairn_type){
        NAMED(1, "household"), .fields = t->fields, .field_count = 4, .states = t->states,
        .state_count = 2,      .moves = t->moves,   .move_count = 2,  .indicators = t->indicators,
        .indicator_count = 2};
    t->types[1] = (struct cairn_type){NAMED(2, "cadre"), .fields = &t->other_field,
                                      .field_count = 1, .is_retired = true};
    t->schema = (struct cairn_schema){.version = 1, .types = t->types, .type_count = 2};
    t->read = NULL;
}

static struct cairn_bytes table_bytes(struct table *t)
{
    struct cairn_writer writer;

    cairn_writer_init(&writer, t->bytes, sizeof t->bytes);
    cairn_schema_write(&writer, &t->schema);
    assert_false(writer.overflowed);
    return cairn_writer_bytes(&writer);
}

static enum cairn_status table_read(struct table *t, struct cairn_bytes bytes)
{
    enum cairn_status status = cairn_schema_read(bytes, &t->read);

    if (status == CAIRN_OK)
        cairn_schema_free(t->read);
    return status;
}

/* ---- rules --------------------------------------------------------------------------------- */

#define BREAK(what, change)           \
    static void what(struct table *t) \
    {                                 \
        change;                       \
    }

BREAK(a_type_numbered_0, t->types[0].number = 0)
BREAK(two_types_of_one_number, t->types[1].number = 1)
BREAK(a_field_numbered_0, t->fields[0].number = 0)
BREAK(fields_out_of_order, t->fields[1].number = 7)
BREAK(two_fields_of_one_name, t->fields[2].name = "head")
BREAK(two_workflows, t->fields[0].merge = CAIRN_MERGE_WORKFLOW)
BREAK(a_workflow_without_states, t->types[0].state_count = t->types[0].move_count = 0)
BREAK(bands_that_do_not_rise, t->bands[1] = t->bands[0])
BREAK(two_choices_of_one_number, t->choices[1].number = 2)
BREAK(a_state_numbered_0, t->states[0].number = 0)
BREAK(two_states_of_one_number, t->states[1].number = 1)
BREAK(a_move_numbered_0, t->moves[0].number = 0)
BREAK(moves_out_of_order, t->moves[0].number = 3)
BREAK(a_move_to_no_state, t->moves[0].to = 3)
BREAK(a_move_from_nowhere, t->moves[0].from_count = 0)
BREAK(a_move_from_no_state, t->from[0] = 9)
BREAK(a_move_from_a_state_to_itself, t->from[0] = 2)
BREAK(a_move_without_steps, t->moves[0].step_count = 0)
BREAK(a_move_of_nine_steps, t->moves[0].step_count = CAIRN_MOVE_STEPS_MAX + 1)
BREAK(an_indicator_numbered_0, t->indicators[0].number = 0)
BREAK(two_indicators_of_one_number, t->indicators[1].number = 1)
BREAK(an_indicator_of_no_field, t->indicators[0].field = 3)
BREAK(a_list_of_more_than_1024, t->moves[0].from_count = 1025)

static void a_table_that_breaks_a_rule_is_malformed(void **state)
{
    (void)state;
#define CASE(what)  \
    {               \
#what, what \
    }
    static const struct {
        const char *what;
        void (*change)(struct table *t);
    } cases[] = {
        CASE(a_type_numbered_0),
        CASE(two_types_of_one_number),
        CASE(a_field_numbered_0),
        CASE(fields_out_of_order),
        CASE(two_fields_of_one_name),
        CASE(two_workflows),
        CASE(a_workflow_without_states),
        CASE(bands_that_do_not_rise),
        CASE(two_choices_of_one_number),
        CASE(a_state_numbered_0),
        CASE(two_states_of_one_number),
        CASE(a_move_numbered_0),
        CASE(moves_out_of_order),
        CASE(a_move_to_no_state),
        CASE(a_move_from_nowhere),
        CASE(a_move_from_no_state),
        CASE(a_move_from_a_state_to_itself),
        CASE(a_move_without_steps),
        CASE(a_move_of_nine_steps),
        CASE(an_indicator_numbered_0),
        CASE(two_indicators_of_one_number),
        CASE(an_indicator_of_no_field),
        CASE(a_list_of_more_than_1024),
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        table_init(&table);
        assert_int_equal(table_read(&table, table_bytes(&table)), CAIRN_OK);
        cases[i].change(&table);
        if (table_read(&table, table_bytes(&table)) != CAIRN_MALFORMED)
            fail_msg("%s is taken", cases[i].what);
    }
}

static void a_list_of_1024_and_a_table_of_15360_bytes_are_taken_and_no_more(void **state)
{
    (void)state;
    static char label[CAIRN_SCHEMA_TABLE_MAX];

    table_init(&table);
    table.moves[0].from_count = 1024;
    assert_int_equal(table_read(&table, table_bytes(&table)), CAIRN_OK);
    memset(label, 'a', 10000);
    table.types[0].label_en = label;
    size_t missing = CAIRN_SCHEMA_TABLE_MAX - table_bytes(&table).size;
    memset(label, 'a', 10000 + missing);
    assert_int_equal(table_bytes(&table).size, CAIRN_SCHEMA_TABLE_MAX);
    assert_int_equal(table_read(&table, table_bytes(&table)), CAIRN_OK);
    label[10000 + missing] = 'a';
    assert_int_equal(table_read(&table, table_bytes(&table)), CAIRN_MALFORMED);
}

/* ---- bytes --------------------------------------------------------------------------------- */

/* A copy of a table in which something is different. */
struct edit {
    bool appends; /* an item behind those known, in every array that later versions may extend */
    size_t
        shortened;   /* the array that loses its last item, counted with all items from the first */
    size_t replaced; /* the item that a byte string takes the place of */
    const char *bound;   /* in the place of every empty text */
    bool breaks_choices; /* the list of two choices loses a label */
    size_t count;
    bool is_done;
};
#define NONE SIZE_MAX

/* Depths: the table, its types, their lists, the items of those, and the lists in them. */
static void item_copy(struct edit *edit, struct cairn_reader *reader, struct cairn_writer *writer,
                      unsigned depth)
{
    size_t at = edit->count++;
    bool may_grow = depth == 1 || depth == 3;

    if (at == edit->replaced || cairn_cbor_peek(reader) != CAIRN_CBOR_ARRAY) {
        struct cairn_bytes item = cairn_cbor_skip(reader);
        if (at == edit->replaced)
            cairn_cbor_write_bytes(writer, "", 0);
        else if (edit->bound != NULL && item.size == 1 && item.data[0] == 0x60)
            cairn_cbor_write_text(writer, edit->bound, strlen(edit->bound));
        else
            cairn_write_bytes(writer, item.data, item.size);
        edit->is_done = edit->is_done || at == edit->replaced;
        return;
    }
    size_t count = cairn_cbor_read_array(reader);
    bool is_shortened =
        edit->breaks_choices ? depth == 4 && count == 6 : at == edit->shortened && may_grow;
    cairn_cbor_write_array(writer, count - is_shortened + (edit->appends && may_grow));
    for (size_t i = 0; i < count - is_shortened; i++)
        item_copy(edit, reader, writer, depth + 1);
    if (is_shortened)
        (void)cairn_cbor_skip(reader);
    if (edit->appends && may_grow) {
        cairn_cbor_write_array(writer, 1);
        cairn_cbor_write_text(writer, "newer", 5);
    }
    edit->is_done = edit->is_done || is_shortened;
}

/* What the edited copy of the table reads as; false when there was nothing to edit. */
static bool edited_read(struct table *t, struct edit edit, enum cairn_status *out_status)
{
    struct cairn_reader reader;
    struct cairn_writer writer;

    cairn_reader_init(&reader, table_bytes(t));
    cairn_writer_init(&writer, t->edited, sizeof t->edited);
    item_copy(&edit, &reader, &writer, 0);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
    *out_status = cairn_schema_read(cairn_writer_bytes(&writer), &t->read);
    return edit.is_done;
}

static void what_a_later_version_appends_to_an_array_is_passed_over(void **state)
{
    (void)state;
    struct cairn_writer writer;
    enum cairn_status status;

    table_init(&table);
    size_t size = table_bytes(&table).size;
    edited_read(&table, (struct edit){.appends = true, .shortened = NONE, .replaced = NONE},
                &status);
    assert_int_equal(status, CAIRN_OK);
    assert_memory_not_equal(table.edited, table.bytes, size);
    cairn_writer_init(&writer, table.edited, sizeof table.edited);
    cairn_schema_write(&writer, table.read);
    assert_int_equal(writer.size, size);
    assert_memory_equal(table.edited, table.bytes, size);
    cairn_schema_free(table.read);
}

static void an_array_that_lacks_an_item_is_malformed(void **state)
{
    (void)state;
    size_t count = 0;

    table_init(&table);
    for (size_t at = 0; at < 200; at++) {
        enum cairn_status status;
        if (edited_read(&table, (struct edit){.shortened = at, .replaced = NONE}, &status)) {
            assert_int_equal(status, CAIRN_MALFORMED);
            count++;
        } else {
            cairn_schema_free(table.read);
        }
    }
    assert_int_equal(count, 2 + 5 + 2 + 2 + 2);
}

static void choices_stand_in_threes(void **state)
{
    (void)state;
    enum cairn_status status;

    table_init(&table);
    assert_true(edited_read(
        &table, (struct edit){.breaks_choices = true, .shortened = NONE, .replaced = NONE},
        &status));
    assert_int_equal(status, CAIRN_MALFORMED);
}

static void an_item_of_another_kind_is_malformed_wherever_it_stands(void **state)
{
    (void)state;

    table_init(&table);
    for (int appends = 0; appends < 2; appends++) {
        struct edit edit = {.appends = appends != 0, .shortened = NONE, .replaced = 0};
        enum cairn_status status;
        for (; edited_read(&table, edit, &status); edit.replaced++)
            if (status != CAIRN_MALFORMED)
                fail_msg("item %zu may be a byte string", edit.replaced);
        cairn_schema_free(table.read);
        assert_true(edit.replaced > 100);
    }
}

/* No other text than the empty one may stand where a bound does: who read it as none would show
 * and check otherwise than who did not. */
static void a_bound_is_an_integer_or_the_empty_text(void **state)
{
    (void)state;
    struct edit edit = {.shortened = NONE, .replaced = NONE, .bound = "x"};
    enum cairn_status status;

    table_init(&table);
    table.choices[1].label_en = "study";
    for (int i = 0; i < 4; i++) {
        table.fields[i].unit = "yuan";
        table.fields[i].has_lowest = table.fields[i].has_highest = true;
    }
    table.other_field.unit = "yuan";
    table.other_field.has_lowest = table.other_field.has_highest = true;
    edited_read(&table, edit, &status);
    assert_int_equal(status, CAIRN_OK);
    cairn_schema_free(table.read);
    table.fields[2].has_highest = false;
    edited_read(&table, edit, &status);
    assert_int_equal(status, CAIRN_MALFORMED);
}

static void a_table_that_is_cut_anywhere_is_malformed(void **state)
{
    (void)state;
    static uint8_t bytes[CAIRN_SCHEMA_TABLE_MAX];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_schema_default_write(&writer);
    for (size_t size = 0; size < writer.size; size++)
        assert_int_equal(table_read(&table, (struct cairn_bytes){bytes, size}), CAIRN_MALFORMED);
}

static void what_is_no_table_at_all_is_malformed(void **state)
{
    (void)state;
    static const uint8_t no_version[] = {0x80}, number[] = {0x01}, text[] = {0x81, 0x61, 'a'},
                         two[] = {0x81, 0x00, 0x81, 0x00};

    assert_int_equal(table_read(&table, (struct cairn_bytes){no_version, 1}), CAIRN_MALFORMED);
    assert_int_equal(table_read(&table, (struct cairn_bytes){number, 1}), CAIRN_MALFORMED);
    assert_int_equal(table_read(&table, (struct cairn_bytes){text, 3}), CAIRN_MALFORMED);
    assert_int_equal(table_read(&table, (struct cairn_bytes){two, 4}), CAIRN_MALFORMED);
    assert_int_equal(table_read(&table, (struct cairn_bytes){two, 2}), CAIRN_OK);
}

/* ---- looking up ---------------------------------------------------------------------------- */

static void what_is_not_in_a_schema_is_not_found(void **state)
{
    (void)state;
    const struct cairn_type *type = &table.types[0];

    table_init(&table);
    assert_null(cairn_schema_type(&table.schema, 3));
    assert_null(cairn_schema_type_named(&table.schema, "visit"));
    assert_null(cairn_type_field(type, 0));
    assert_null(cairn_type_field(type, 3));
    assert_null(cairn_type_field_named(type, "house"));
    assert_null(cairn_type_move(type, 3));
    assert_null(cairn_type_move_named(type, "open"));
    assert_null(cairn_type_state(type, 3));
    assert_null(cairn_type_same(type));
    assert_null(cairn_type_workflow(&table.types[1]));
    cairn_schema_free(NULL);
}

static void a_choice_is_found_by_its_number_wherever_it_stands(void **state)
{
    (void)state;
    static const struct cairn_choice choices[] = {{0, "a", ""},
                                                  {1, "b", ""},
                                                  {2, "c", ""},
                                                  {9, "d", ""},
                                                  {12, "e", ""}},
                                     from_1[] = {{1, "b", ""}, {2, "c", ""}};
    const struct cairn_field field = {.choices = choices, .choice_count = 5},
                             plain = {.choices = from_1, .choice_count = 2}, none = {.unit = ""};

    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(cairn_field_choice(&field, choices[i].number), &choices[i]);
    assert_ptr_equal(cairn_field_choice(&plain, 2), &from_1[1]);
    for (uint64_t number = 3; number < 20; number++)
        if (number != 9 && number != 12)
            assert_null(cairn_field_choice(&field, number));
    assert_null(cairn_field_choice(&plain, 0));
    assert_null(cairn_field_choice(&plain, UINT64_MAX));
    assert_null(cairn_field_choice(&none, 1));
}

/* ---- versions of a store -------------------------------------------------------------------- */

static enum cairn_status versions_try(struct cairn_replica *replica, void *context)
{
    static const uint64_t never[] = {0, UINT16_MAX, UINT64_MAX};
    struct cairn_context *ctx = &replica->ctx;
    const struct cairn_schema *schema;
    struct cairn_hash hash, none = {{0}};
    struct table *t = context;

    for (size_t i = 0; i < 3; i++) {
        t->schema.version = never[i];
        assert_int_equal(cairn_schema_admit(ctx, never[i], &none, table_bytes(t)), CAIRN_MALFORMED);
        if (i == 0)
            continue;
        assert_int_equal(cairn_schema_get(ctx, never[i], &schema), CAIRN_NOT_FOUND);
        assert_int_equal(cairn_schema_hash(ctx, never[i], &hash), CAIRN_NOT_FOUND);
    }
    t->schema.version = 1;
    assert_int_equal(cairn_schema_admit(ctx, 2, &none, table_bytes(t)), CAIRN_MALFORMED);
    assert_int_equal(cairn_schema_admit(ctx, 1, &none, table_bytes(t)), CAIRN_OK);
    assert_int_equal(cairn_schema_admit(ctx, 1, &none, table_bytes(t)), CAIRN_OK);
    assert_int_equal(cairn_schema_hash(ctx, 1, &hash), CAIRN_OK);
    t->schema.version = 3;
    assert_int_equal(cairn_schema_admit(ctx, 3, &hash, table_bytes(t)), CAIRN_NOT_FOUND);
    t->schema.version = 1;
    t->types[0].label_en = "other";
    assert_int_equal(cairn_schema_admit(ctx, 1, &none, table_bytes(t)), CAIRN_FORKED);
    return CAIRN_OK;
}

static void a_store_keeps_each_version_once_and_after_the_one_before_it(void **state)
{
    (void)state;
    struct machine machine;

    table_init(&table);
    machine_init(&machine, 7, "station", NULL);
    machine_must(&machine,
                 cairn_replica_write(machine.replica, versions_try, &table, &machine.err));
    machine_free(&machine);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_table_that_breaks_a_rule_is_malformed),
        T(a_list_of_1024_and_a_table_of_15360_bytes_are_taken_and_no_more),
        T(what_a_later_version_appends_to_an_array_is_passed_over),
        T(an_array_that_lacks_an_item_is_malformed),
        T(choices_stand_in_threes),
        T(an_item_of_another_kind_is_malformed_wherever_it_stands),
        T(a_bound_is_an_integer_or_the_empty_text),
        T(a_table_that_is_cut_anywhere_is_malformed),
        T(what_is_no_table_at_all_is_malformed),
        T(what_is_not_in_a_schema_is_not_found),
        T(a_choice_is_found_by_its_number_wherever_it_stands),
        T(a_store_keeps_each_version_once_and_after_the_one_before_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
