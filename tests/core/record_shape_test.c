/* Changes that no program of ours writes: accepted and kept, as every entry that can be read is,
 * and without effect, whatever comes first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "holder.h"
#include "judge.h"
#include "kinds_table.h"
#include "schema.h"

static struct land land;
static struct pen a, b;
static const struct cairn_local_dot own = {0, 1}, other = {0, 2}; /* two households of a's log */

static void begin(land_table_fn *table_write)
{
    land_init_with(&land, table_write);
    land_station_pen(&land, &a, 0);
    for (uint32_t counter = 1; counter <= 2; counter++)
        pen_create(&a, counter, KIND_MEMBERS, 4);
    land_station_pen(&land, &b, 1);
}

static int setup(void **state)
{
    (void)state;
    begin(kinds_table_write);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    land_free(&land);
    return 0;
}

static void expect_last(const struct pen *pen, enum cairn_validity validity,
                        enum cairn_reason reason)
{
    struct holder holder;

    holder_open_either_way(&holder, &land);
    holder_expect(&holder, pen, pen_size(pen) - 1, validity, reason, "the last entry");
    holder_close(&holder);
}

/* ---- shapes -------------------------------------------------------------------------------- */

static void set_members(struct draft *draft, struct cairn_local_dot record)
{
    draft_item(draft, CAIRN_ITEM_SET, record, KIND_MEMBERS, 5, NULL, 0);
}

/* An item's head; the caller writes its arguments. */
static void raw_item(struct draft *draft, uint64_t number, size_t arg_count)
{
    cairn_cbor_write_array(&draft->writer, 1 + arg_count);
    cairn_cbor_write_uint(&draft->writer, number);
}

static void raw_numbers(struct draft *draft, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cairn_cbor_write_uint(&draft->writer, numbers[i]);
}

static void two_creations(struct draft *draft)
{
    draft_create(draft, KIND_HOUSEHOLD, 7, KIND_MEMBERS, 5);
    draft_create(draft, KIND_HOUSEHOLD, 8, KIND_MEMBERS, 5);
}

static void a_creation_behind_a_write(struct draft *draft)
{
    set_members(draft, own);
    draft_create(draft, KIND_HOUSEHOLD, 7, KIND_MEMBERS, 5);
}

static void a_creation_of_its_own_existence(struct draft *draft)
{
    draft_create(draft, KIND_HOUSEHOLD, 7, CAIRN_FIELD_EXISTENCE, 1);
}

static void a_creation_with_half_a_pair(struct draft *draft)
{
    raw_item(draft, CAIRN_ITEM_CREATE, 3);
    raw_numbers(draft, (const uint64_t[]){KIND_HOUSEHOLD, 7, KIND_MEMBERS}, 3);
}

static void a_creation_with_a_field_that_is_no_number(struct draft *draft)
{
    raw_item(draft, CAIRN_ITEM_CREATE, 4);
    raw_numbers(draft, (const uint64_t[]){KIND_HOUSEHOLD, 7}, 2);
    cairn_cbor_write_text(&draft->writer, "x", 1);
    cairn_cbor_write_uint(&draft->writer, 5);
}

static void writes_on_two_records(struct draft *draft)
{
    set_members(draft, own);
    draft_item(draft, CAIRN_ITEM_SET, other, KIND_INCOME, 5, NULL, 0);
}

static void a_write_on_a_record_that_it_creates(struct draft *draft)
{
    draft_create(draft, KIND_HOUSEHOLD, 7, KIND_MEMBERS, 5);
    draft_item(draft, CAIRN_ITEM_SET, own, KIND_INCOME, 5, NULL, 0);
}

static void more_writes_than_an_entry_may_hold(struct draft *draft)
{
    for (uint64_t i = 0; i <= CAIRN_WRITES_MAX; i++)
        draft_item(draft, CAIRN_ITEM_SET, own, 100 + i, 5, NULL, 0);
}

static void a_reference_beyond_the_writes_of_an_entry(struct draft *draft)
{
    const struct cairn_value reference = {.kind = CAIRN_VALUE_DOT, .dot = own};

    raw_item(draft, CAIRN_ITEM_CREATE, 2 + 2 * CAIRN_WRITES_MAX);
    raw_numbers(draft, (const uint64_t[]){KIND_HOUSEHOLD, 7}, 2);
    for (uint64_t i = 0; i < CAIRN_WRITES_MAX; i++) {
        cairn_cbor_write_uint(&draft->writer, 100 + i);
        cairn_value_write(&draft->writer, &reference);
    }
}

static void more_names_than_an_entry_may_hold(struct draft *draft)
{
    struct cairn_local_dot named[CAIRN_NAMED_MAX + 1];

    for (size_t i = 0; i < CAIRN_NAMED_MAX + 1; i++)
        named[i] = own;
    draft_item(draft, CAIRN_ITEM_SET, own, KIND_MEMBERS, 5, named, CAIRN_NAMED_MAX + 1);
}

static void a_name_that_is_no_number(struct draft *draft)
{
    raw_item(draft, CAIRN_ITEM_SET, 6);
    raw_numbers(draft, (const uint64_t[]){0, 1, KIND_MEMBERS, 5}, 4);
    cairn_cbor_write_text(&draft->writer, "x", 1);
    cairn_cbor_write_uint(&draft->writer, 1);
}

static void an_operation_behind_a_reason(struct draft *draft)
{
    draft_reason(draft);
    set_members(draft, own);
}

static void an_operation_without_its_arguments(struct draft *draft)
{
    raw_item(draft, CAIRN_ITEM_SET, 1);
    cairn_cbor_write_uint(&draft->writer, 0);
}

static void two_reasons(struct draft *draft)
{
    set_members(draft, own);
    draft_reason(draft);
    draft_reason(draft);
}

static void a_reason_that_is_no_text(struct draft *draft)
{
    set_members(draft, own);
    raw_item(draft, CAIRN_ITEM_REASON, 1);
    cairn_cbor_write_uint(&draft->writer, 5);
}

static void a_person_that_is_no_text(struct draft *draft)
{
    set_members(draft, own);
    raw_item(draft, CAIRN_ITEM_PERSON, 1);
    cairn_cbor_write_uint(&draft->writer, 5);
}

static void a_repetition_of_nothing(struct draft *draft)
{
    set_members(draft, own);
    raw_item(draft, CAIRN_ITEM_REPEATS, 1);
    cairn_cbor_write_uint(&draft->writer, 5);
}

static void two_repetitions(struct draft *draft)
{
    const struct cairn_ref ref = {.log = b.id, .index = 1};

    set_members(draft, own);
    cairn_repeats_write(&draft->writer, &ref);
    cairn_repeats_write(&draft->writer, &ref);
}

static void an_announcement_behind_a_note(struct draft *draft)
{
    const struct cairn_head head = pen_head(&b);

    draft_reason(draft);
    draft_announce_first(draft, &head);
}

static void an_announcement_of_nothing(struct draft *draft)
{
    raw_item(draft, CAIRN_ITEM_ANNOUNCE, 1);
    cairn_cbor_write_uint(&draft->writer, 5);
    set_members(draft, own);
}

static void something_that_is_no_item(struct draft *draft)
{
    set_members(draft, own);
    cairn_cbor_write_uint(&draft->writer, 5);
}

static void a_change_of_another_shape_has_no_effect(void **state)
{
#define SHAPE(name, item_count) \
    {                           \
#name, name, item_count \
    }
    static const struct {
        const char *what;
        void (*write)(struct draft *draft);
        size_t item_count;
    } cases[] = {
        SHAPE(two_creations, 2),
        SHAPE(a_creation_behind_a_write, 2),
        SHAPE(a_creation_of_its_own_existence, 1),
        SHAPE(a_creation_with_half_a_pair, 1),
        SHAPE(a_creation_with_a_field_that_is_no_number, 1),
        SHAPE(writes_on_two_records, 2),
        SHAPE(a_write_on_a_record_that_it_creates, 2),
        SHAPE(more_writes_than_an_entry_may_hold, CAIRN_WRITES_MAX + 1),
        SHAPE(a_reference_beyond_the_writes_of_an_entry, 1),
        SHAPE(more_names_than_an_entry_may_hold, 1),
        SHAPE(a_name_that_is_no_number, 1),
        SHAPE(an_operation_behind_a_reason, 2),
        SHAPE(an_operation_without_its_arguments, 1),
        SHAPE(two_reasons, 3),
        SHAPE(a_reason_that_is_no_text, 2),
        SHAPE(a_person_that_is_no_text, 2),
        SHAPE(a_repetition_of_nothing, 2),
        SHAPE(two_repetitions, 3),
        SHAPE(an_announcement_behind_a_note, 2),
        SHAPE(an_announcement_of_nothing, 2),
        SHAPE(something_that_is_no_item, 2),
    };
    uint32_t first = pen_size(&a);
    struct holder holder;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct draft draft;
        draft_change(&draft, &a, cases[i].item_count);
        cases[i].write(&draft);
        draft_write(&draft, &a);
    }
    holder_open_either_way(&holder, &land);
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        holder_expect(&holder, &a, first + i, CAIRN_INVALID, CAIRN_WHY_SHAPE, cases[i].what);
    assert_int_equal(holder_live(&holder, &a.id, own.index, KIND_MEMBERS), 1);
    assert_int_equal(holder_live(&holder, &a.id, other.index, KIND_INCOME), 0);
    for (uint32_t i = first; i < pen_size(&a); i++)
        assert_int_equal(holder_live(&holder, &a.id, i, CAIRN_FIELD_EXISTENCE), 0);
    holder_close(&holder);
}

static void an_entry_may_name_so_many_versions_and_no_more(void **state)
{
    struct cairn_local_dot named[CAIRN_NAMED_MAX];
    struct draft draft;

    (void)state;
    for (size_t i = 0; i < CAIRN_NAMED_MAX; i++)
        named[i] = own;
    draft_change(&draft, &a, 1);
    draft_item(&draft, CAIRN_ITEM_SET, own, KIND_MEMBERS, 5, named, CAIRN_NAMED_MAX);
    draft_write(&draft, &a);
    expect_last(&a, CAIRN_VALID, CAIRN_WHY_NONE);
}

static void a_settlement_may_say_who_decided_and_why_in_any_order(void **state)
{
    struct draft draft;

    (void)state;
    for (unsigned reason_at = 0; reason_at < 3; reason_at++) {
        draft_change(&draft, &a, 4);
        draft_item(&draft, CAIRN_ITEM_SETTLE, own, KIND_MEMBERS, 5, NULL, 0);
        for (unsigned i = 0; i < 3; i++)
            cairn_note_item_write(&draft.writer,
                                  i == reason_at ? CAIRN_ITEM_REASON : CAIRN_ITEM_PERSON,
                                  cairn_bytes_of_text("Dolma"));
        draft_write(&draft, &a);
        expect_last(&a, CAIRN_VALID, CAIRN_WHY_NONE);
    }
}

/* ---- values and places --------------------------------------------------------------------- */

static void existence_is_a_bare_number_and_nothing_else(void **state)
{
    static const struct cairn_value values[] = {
        {.kind = CAIRN_VALUE_TEXT, .text = {(const uint8_t *)"1", 1}},
        {.kind = CAIRN_VALUE_INTEGER, .is_slot = true, .integer = 1},
        {.kind = CAIRN_VALUE_INTEGER, .integer = 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const struct cairn_operation op = {
            .number = CAIRN_ITEM_SET, .record = own, .value = values[i]};
        struct draft draft;
        draft_change(&draft, &a, 1);
        cairn_write_begin(&draft.writer, &op, 0);
        draft_write(&draft, &a);
        expect_last(&a, CAIRN_INVALID, CAIRN_WHY_WRONG_VALUE);
    }
}

static void a_log_announced_under_a_number_that_it_never_had_is_refused(void **state)
{
    static const uint32_t numbers[] = {0, 2, 4000000000u};
    const struct cairn_head head = pen_head(&a);

    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct draft draft;
        draft_change(&draft, &b, 2);
        draft_announce(&draft, numbers[i], &head);
        draft_create(&draft, KIND_HOUSEHOLD, (uint32_t)i + 1, KIND_MEMBERS, 4);
        draft_write(&draft, &b);
        expect_last(&b, CAIRN_INVALID, CAIRN_WHY_ANNOUNCED_LESS);
    }
}

static void an_entry_of_an_authority_log_is_no_record(void **state)
{
    struct cairn_keys keys;
    struct pen authority, records;
    struct draft draft;

    (void)state;
    land_keys(&keys, "both", 60);
    struct cairn_under under = land_grant(&land.office_pen, &keys, VILLAGE, CAIRN_ROLE_STATION,
                                          CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS, 0, "B");
    pen_begin(&authority, &keys, &land.network, VILLAGE, CAIRN_CHANNEL_AUTHORITY, &under, 1, 60,
              &land.pieces);
    pen_begin(&records, &keys, &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS, &under, 1, 61,
              &land.pieces);
    const struct cairn_head head = pen_head(&authority);
    draft_change(&draft, &records, 2);
    draft_announce_first(&draft, &head);
    set_members(&draft, (struct cairn_local_dot){1, 0});
    draft_write(&draft, &records);
    expect_last(&records, CAIRN_INVALID, CAIRN_WHY_OTHER_SCOPE);
}

/* A step of a's log on its record, behind `before` where that is not 0. */
static void step(struct cairn_local_dot record, struct cairn_position to, uint32_t before)
{
    const struct cairn_operation op = {.number = CAIRN_ITEM_STEP,
                                       .record = record,
                                       .field = KIND_STATUS,
                                       .value = {.kind = CAIRN_VALUE_POSITION, .position = to}};
    struct draft draft;

    draft_change(&draft, &a, 1);
    cairn_write_begin(&draft.writer, &op, before > 0);
    if (before > 0)
        cairn_local_dot_write(&draft.writer, (struct cairn_local_dot){0, before});
    draft_write(&draft, &a);
}

static void what_is_given_up_begins_again_where_it_stood(void **state)
{
    static const struct cairn_position begun = {KIND_IDENTIFIED, KIND_REGISTER, 0};

    (void)state;
    step(own, begun, 0);
    uint32_t at = pen_size(&a) - 1;
    step(own, (struct cairn_position){KIND_IDENTIFIED, 0, 1}, at);
    expect_last(&a, CAIRN_INVALID, CAIRN_WHY_STEP_ORDER);
    step(own, (struct cairn_position){KIND_REGISTERED, 0, 0}, at);
    expect_last(&a, CAIRN_INVALID, CAIRN_WHY_STEP_ORDER);
    step(own, (struct cairn_position){KIND_IDENTIFIED, 0, 0}, 0);
    expect_last(&a, CAIRN_INVALID, CAIRN_WHY_STEP_ORDER); /* nothing is under way there */
    step(own, (struct cairn_position){KIND_IDENTIFIED, 0, 0}, at);
    expect_last(&a, CAIRN_VALID, CAIRN_WHY_NONE);
}

static void a_step_follows_no_step_of_another_record(void **state)
{
    (void)state;
    step(own, (struct cairn_position){KIND_IDENTIFIED, KIND_REGISTER, 0}, 0);
    step(other, (struct cairn_position){KIND_IDENTIFIED, 0, 0}, pen_size(&a) - 1);
    expect_last(&a, CAIRN_INVALID, CAIRN_WHY_STEP_BEFORE);
}

/* ---- tables of a newer version ------------------------------------------------------------- */

/* The small table, but members merge and income is written in ways that nobody here knows. */
static void table_newer_write(struct cairn_writer *out)
{
    static uint8_t bytes[CAIRN_SCHEMA_TABLE_MAX];
    struct cairn_field fields[KIND_CADRE_OF];
    struct cairn_writer writer;
    struct cairn_schema *schema;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    kinds_table_write(&writer);
    assert_int_equal(cairn_schema_read(cairn_writer_bytes(&writer), &schema), CAIRN_OK);
    struct cairn_type types[8];
    assert_true(schema->type_count <= 8);
    memcpy(types, schema->types, schema->type_count * sizeof *types);
    assert_int_equal(types[0].field_count, KIND_CADRE_OF);
    memcpy(fields, types[0].fields, sizeof fields);
    types[0].fields = fields;
    for (size_t i = 0; i < types[0].field_count; i++) {
        if (fields[i].number == KIND_HEAD)
            fields[i].merge = CAIRN_MERGE_COUNT;
        if (fields[i].number == KIND_INCOME)
            fields[i].wire = CAIRN_WIRE_COUNT;
    }
    const struct cairn_schema newer = {
        .version = 1, .types = types, .type_count = schema->type_count};
    cairn_schema_write(out, &newer);
    cairn_schema_free(schema);
}

static void a_field_of_a_kind_that_this_version_does_not_know_waits(void **state)
{
    static const uint64_t fields[] = {KIND_HEAD, KIND_INCOME};
    struct draft draft;

    (void)state;
    begin(table_newer_write);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        draft_change(&draft, &a, 1);
        draft_item(&draft, CAIRN_ITEM_SET, own, fields[i], 5, NULL, 0);
        draft_write(&draft, &a);
        expect_last(&a, CAIRN_WAITING, CAIRN_WHY_NEWER);
    }
    draft_change(&draft, &a, 1);
    set_members(&draft, own);
    draft_write(&draft, &a);
    expect_last(&a, CAIRN_VALID, CAIRN_WHY_NONE);
    land_free(&land);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_change_of_another_shape_has_no_effect),
        T(an_entry_may_name_so_many_versions_and_no_more),
        T(a_settlement_may_say_who_decided_and_why_in_any_order),
        T(existence_is_a_bare_number_and_nothing_else),
        T(a_log_announced_under_a_number_that_it_never_had_is_refused),
        T(an_entry_of_an_authority_log_is_no_record),
        T(what_is_given_up_begins_again_where_it_stood),
        T(a_step_follows_no_step_of_another_record),
        cmocka_unit_test(a_field_of_a_kind_that_this_version_does_not_know_waits),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
