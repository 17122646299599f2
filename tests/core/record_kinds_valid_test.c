/* One test for every reason why an element, a difference or a step has no effect, and for what
 * waits: it is accepted, kept and passed on, changes nothing, and the verdict is the same when it
 * comes before what it names. */

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

static struct land land;
static struct cairn_keys township_keys;
static struct pen a, b, township, county;
static const struct cairn_local_dot own = {0, 1}; /* the record, as a's log names it */
static const struct cairn_position registering[] = {
    {KIND_IDENTIFIED, KIND_REGISTER, 0},
    {KIND_IDENTIFIED, KIND_REGISTER, 1},
    {KIND_REGISTERED, KIND_REGISTER, 2},
};

static int setup(void **state)
{
    (void)state;
    land_init_with(&land, kinds_table_write);
    land_keys(&township_keys, "T", 20);
    struct cairn_under grant = land_grant(&land.office_pen, &township_keys, VILLAGE / 1000,
                                          CAIRN_ROLE_TOWNSHIP, CAIRN_BIT_RECORDS, 0, "T");
    land_station_pen(&land, &a, 0);
    land_station_pen(&land, &b, 1);
    pen_begin(&township, &township_keys, &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS, &grant, 1,
              120, &land.pieces);
    pen_begin(&county, &land.office_keys, &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &land.office, 1, 121, &land.pieces);
    pen_create(&a, 1, KIND_MEMBERS, 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    land_free(&land);
    return 0;
}

/* The last entry of `pen` has this verdict in the order written and backwards, and both orders end
 * in one state. */
static void expect(const struct pen *pen, enum cairn_validity validity, enum cairn_reason reason)
{
    struct holder forward;

    holder_open_either_way(&forward, &land);
    struct cairn_verdict verdict = holder_verdict(&forward, &pen->id, pen_size(pen) - 1);
    assert_int_equal(verdict.validity, validity);
    assert_int_equal(verdict.reason, reason);
    struct cairn_log held = holder_log(&forward, &pen->id);
    assert_int_equal(cairn_log_size(&held), pen_size(pen));
    holder_close(&forward);
}

/* How many versions of a field are live when all is taken in. */
static size_t live(uint64_t field)
{
    struct holder holder;

    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    size_t count = holder_live(&holder, &a.id, own.index, field);
    holder_close(&holder);
    return count;
}

static void expect_invalid(const struct pen *pen, uint64_t field, enum cairn_reason reason)
{
    expect(pen, CAIRN_INVALID, reason);
    assert_int_equal(live(field), 0);
}

/* One operation by a's log on its record, with any value. */
static void item(struct draft *draft, uint64_t number, struct cairn_local_dot record,
                 uint64_t field, const struct cairn_value *value,
                 const struct cairn_local_dot *named, size_t named_count)
{
    const struct cairn_operation op = {
        .number = number, .record = record, .field = field, .value = *value};

    cairn_write_begin(&draft->writer, &op, named_count);
    for (size_t i = 0; i < named_count; i++)
        cairn_local_dot_write(&draft->writer, named[i]);
}

static void write_own(uint64_t number, uint64_t field, const struct cairn_value *value,
                      const struct cairn_local_dot *named, size_t named_count)
{
    struct draft draft;
    bool settles = number == CAIRN_ITEM_SETTLE;

    draft_change(&draft, &a, settles ? 2 : 1);
    item(&draft, number, own, field, value, named, named_count);
    if (settles)
        draft_reason(&draft);
    draft_write(&draft, &a);
}

static struct cairn_value integer(int64_t number)
{
    return (struct cairn_value){.kind = CAIRN_VALUE_INTEGER, .integer = number};
}

static struct cairn_value record_at(uint32_t log_number, uint32_t index)
{
    return (struct cairn_value){.kind = CAIRN_VALUE_DOT, .dot = {log_number, index}};
}

/* A step by `pen` that follows `before` of the log that `of` is at (NULL: none). Where the log is
 * another's, it and a's are announced first. */
static void step(struct pen *pen, struct cairn_position to, const struct pen *of, uint32_t before)
{
    const struct cairn_value value = {.kind = CAIRN_VALUE_POSITION, .position = to};
    struct cairn_local_dot record = own, named = {0, before};
    struct cairn_head first = pen_head(&a);
    struct draft draft;
    bool names_a = pen != &a, names_of = of != NULL && of != pen && of != &a;

    draft_change(&draft, pen, 1u + names_a + names_of);
    if (names_a)
        draft_announce_first(&draft, &first);
    if (names_of) {
        struct cairn_head head = pen_head(of);
        draft_announce_first(&draft, &head);
    }
    record.log_number = names_a;
    named.log_number = of == pen ? 0 : of == &a ? 1 : 2;
    item(&draft, CAIRN_ITEM_STEP, record, KIND_STATUS, &value, &named, of != NULL);
    draft_write(&draft, pen);
}

/* ---- elements and differences -------------------------------------------------------------- */

static void an_element_a_difference_and_what_takes_them_away_are_valid(void **state)
{
    struct cairn_value one = integer(1);
    const struct cairn_local_dot added = {0, 2}, counted = {0, 3};

    (void)state;
    write_own(CAIRN_ITEM_ADD, KIND_NEEDS, &one, NULL, 0);
    expect(&a, CAIRN_VALID, CAIRN_WHY_NONE);
    assert_int_equal(live(KIND_NEEDS), 1);
    write_own(CAIRN_ITEM_COUNT, KIND_POINTS, &one, NULL, 0);
    expect(&a, CAIRN_VALID, CAIRN_WHY_NONE);
    write_own(CAIRN_ITEM_COUNT, KIND_POINTS, &one, &counted, 1); /* gathers */
    expect(&a, CAIRN_VALID, CAIRN_WHY_NONE);
    assert_int_equal(live(KIND_POINTS), 1);
    write_own(CAIRN_ITEM_REMOVE, KIND_NEEDS, &one, &added, 1);
    expect(&a, CAIRN_VALID, CAIRN_WHY_NONE);
    assert_int_equal(live(KIND_NEEDS), 0);
}

static void two_elements_and_two_differences_are_no_conflict(void **state)
{
    struct cairn_value one = integer(1);
    struct holder holder;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        write_own(CAIRN_ITEM_ADD, KIND_NEEDS, &one, NULL, 0);
        write_own(CAIRN_ITEM_COUNT, KIND_POINTS, &one, NULL, 0);
    }
    assert_int_equal(live(KIND_NEEDS), 2);
    assert_int_equal(live(KIND_POINTS), 2);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    assert_false(holder_has_conflict(&holder, &a.id, own.index));
    holder_close(&holder);
}

static void an_element_that_names_something_has_the_wrong_shape(void **state)
{
    struct cairn_value one = integer(1);

    (void)state;
    write_own(CAIRN_ITEM_ADD, KIND_NEEDS, &one, &own, 1);
    expect_invalid(&a, KIND_NEEDS, CAIRN_WHY_SHAPE);
}

static void a_removal_that_names_nothing_has_the_wrong_shape(void **state)
{
    struct cairn_value one = integer(1);

    (void)state;
    write_own(CAIRN_ITEM_REMOVE, KIND_NEEDS, &one, NULL, 0);
    expect_invalid(&a, KIND_NEEDS, CAIRN_WHY_SHAPE);
}

static void a_create_holds_registers_only(void **state)
{
    static const uint64_t fields[] = {KIND_NEEDS, KIND_POINTS, KIND_STATUS};

    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        pen_create(&a, 2, fields[i], 1);
        expect_invalid(&a, fields[i], CAIRN_WHY_OPERATION);
    }
}

static void no_field_takes_the_operation_of_another_kind(void **state)
{
    static const struct {
        uint64_t number, field;
    } cases[] = {
        {CAIRN_ITEM_SET, KIND_NEEDS},     {CAIRN_ITEM_SETTLE, KIND_NEEDS},
        {CAIRN_ITEM_COUNT, KIND_NEEDS},   {CAIRN_ITEM_STEP, KIND_NEEDS},
        {CAIRN_ITEM_SET, KIND_POINTS},    {CAIRN_ITEM_SETTLE, KIND_POINTS},
        {CAIRN_ITEM_ADD, KIND_POINTS},    {CAIRN_ITEM_STEP, KIND_POINTS},
        {CAIRN_ITEM_SET, KIND_STATUS},    {CAIRN_ITEM_SETTLE, KIND_STATUS},
        {CAIRN_ITEM_ADD, KIND_STATUS},    {CAIRN_ITEM_COUNT, KIND_STATUS},
        {CAIRN_ITEM_REMOVE, KIND_STATUS}, {CAIRN_ITEM_ADD, KIND_INCOME},
        {CAIRN_ITEM_COUNT, KIND_INCOME},  {CAIRN_ITEM_STEP, KIND_INCOME},
        {CAIRN_ITEM_REMOVE, KIND_INCOME},
    };
    const struct cairn_value position = {.kind = CAIRN_VALUE_POSITION, .position = registering[0]};
    const struct cairn_value one = integer(1);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool removes = cases[i].number == CAIRN_ITEM_REMOVE;
        write_own(cases[i].number, cases[i].field,
                  cases[i].number == CAIRN_ITEM_STEP ? &position : &one, &own, removes);
        expect_invalid(&a, cases[i].field, CAIRN_WHY_OPERATION);
    }
}

static void existence_takes_no_element_difference_or_removal(void **state)
{
    static const uint64_t numbers[] = {CAIRN_ITEM_ADD, CAIRN_ITEM_REMOVE, CAIRN_ITEM_COUNT};
    struct cairn_value one = integer(1);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        write_own(numbers[i], 0, &one, &own, numbers[i] == CAIRN_ITEM_REMOVE);
        expect(&a, CAIRN_INVALID, CAIRN_WHY_OPERATION);
        assert_int_equal(live(0), 1);
    }
}

static void a_difference_of_another_wire_is_refused(void **state)
{
    struct cairn_value text = {.kind = CAIRN_VALUE_TEXT, .text = cairn_bytes_of_text("x")};

    (void)state;
    write_own(CAIRN_ITEM_COUNT, KIND_POINTS, &text, NULL, 0);
    expect_invalid(&a, KIND_POINTS, CAIRN_WHY_WRONG_VALUE);
    write_own(CAIRN_ITEM_ADD, KIND_NEEDS, &text, NULL, 0);
    expect_invalid(&a, KIND_NEEDS, CAIRN_WHY_WRONG_VALUE);
}

static void one_entry_adds_one_element_to_a_set(void **state)
{
    struct cairn_value one = integer(1), two = integer(2);
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 2);
    item(&draft, CAIRN_ITEM_ADD, own, KIND_NEEDS, &one, NULL, 0);
    item(&draft, CAIRN_ITEM_ADD, own, KIND_NEEDS, &two, NULL, 0);
    draft_write(&draft, &a);
    expect_invalid(&a, KIND_NEEDS, CAIRN_WHY_TWICE);
}

/* ---- references ---------------------------------------------------------------------------- */

static void a_reference_to_an_earlier_record_of_the_log_is_valid(void **state)
{
    struct cairn_value itself = record_at(0, 1);

    (void)state;
    write_own(CAIRN_ITEM_ADD, KIND_SAME, &itself, NULL, 0);
    expect(&a, CAIRN_VALID, CAIRN_WHY_NONE);
    assert_int_equal(live(KIND_SAME), 1);
}

static void a_reference_to_what_was_not_announced_is_refused(void **state)
{
    struct cairn_value unknown = record_at(1, 1), later = record_at(0, 50);

    (void)state;
    write_own(CAIRN_ITEM_ADD, KIND_SAME, &unknown, NULL, 0);
    expect_invalid(&a, KIND_SAME, CAIRN_WHY_NOT_ANNOUNCED);
    write_own(CAIRN_ITEM_SET, KIND_CADRE_OF, &later, NULL, 0);
    expect_invalid(&a, KIND_CADRE_OF, CAIRN_WHY_NOT_ANNOUNCED);
}

static void a_reference_stands_only_where_the_table_says(void **state)
{
    struct cairn_value itself = record_at(0, 1), one = integer(1);

    (void)state;
    write_own(CAIRN_ITEM_SET, KIND_INCOME, &itself, NULL, 0);
    expect_invalid(&a, KIND_INCOME, CAIRN_WHY_WRONG_VALUE);
    write_own(CAIRN_ITEM_ADD, KIND_SAME, &one, NULL, 0);
    expect_invalid(&a, KIND_SAME, CAIRN_WHY_WRONG_VALUE);
}

static void a_reference_in_a_slot_is_refused(void **state)
{
    struct cairn_value slot = integer(1);

    (void)state;
    slot.is_slot = true;
    write_own(CAIRN_ITEM_ADD, KIND_SAME, &slot, NULL, 0);
    expect_invalid(&a, KIND_SAME, CAIRN_WHY_WRONG_VALUE);
}

/* ---- steps --------------------------------------------------------------------------------- */

static void three_offices_in_order_move_a_record(void **state)
{
    (void)state;
    step(&a, registering[0], NULL, 0);
    expect(&a, CAIRN_VALID, CAIRN_WHY_NONE);
    step(&township, registering[1], &a, pen_size(&a) - 1);
    expect(&township, CAIRN_VALID, CAIRN_WHY_NONE);
    step(&county, registering[2], &township, pen_size(&township) - 1);
    expect(&county, CAIRN_VALID, CAIRN_WHY_NONE);
    assert_int_equal(live(KIND_STATUS), 1);
}

static void two_steps_unseen_are_a_conflict(void **state)
{
    struct holder holder;

    (void)state;
    step(&a, registering[0], NULL, 0);
    step(&b, registering[0], NULL, 0);
    expect(&b, CAIRN_VALID, CAIRN_WHY_NONE);
    assert_int_equal(live(KIND_STATUS), 2);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    assert_true(holder_has_conflict(&holder, &a.id, own.index));
    holder_close(&holder);
}

static void a_step_that_skips_one_has_no_effect(void **state)
{
    (void)state;
    step(&a, registering[0], NULL, 0);
    step(&county, registering[2], &a, pen_size(&a) - 1);
    expect(&county, CAIRN_INVALID, CAIRN_WHY_STEP_ORDER);
    assert_int_equal(live(KIND_STATUS), 1);
}

static void the_first_step_of_a_move_must_begin_where_the_record_stands(void **state)
{
    (void)state;
    step(&a, (struct cairn_position){KIND_REGISTERED, KIND_EXIT, 0}, NULL, 0);
    expect_invalid(&a, KIND_STATUS, CAIRN_WHY_STEP_ORDER);
    step(&township, registering[1], NULL, 0);
    expect_invalid(&township, KIND_STATUS, CAIRN_WHY_STEP_ORDER);
}

static void a_step_that_states_the_wrong_state_or_stage_has_no_effect(void **state)
{
    static const struct cairn_position wrong[] = {
        {KIND_REGISTERED, KIND_REGISTER, 0}, /* arrives too early */
        {KIND_EXITED, KIND_REGISTER, 0},
        {KIND_IDENTIFIED, KIND_REGISTER, 3}, /* the move has no such stage */
        {77, KIND_REGISTER, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        step(&a, wrong[i], NULL, 0);
        expect_invalid(&a, KIND_STATUS, CAIRN_WHY_STEP_ORDER);
    }
}

static void another_move_cannot_begin_while_one_is_under_way(void **state)
{
    (void)state;
    step(&a, registering[0], NULL, 0);
    step(&a, registering[0], &a, pen_size(&a) - 1);
    expect(&a, CAIRN_INVALID, CAIRN_WHY_STEP_ORDER);
    step(&a, (struct cairn_position){KIND_IDENTIFIED, KIND_EXIT, 0}, &a, pen_size(&a) - 2);
    expect(&a, CAIRN_INVALID, CAIRN_WHY_STEP_ORDER);
    assert_int_equal(live(KIND_STATUS), 1);
}

static void a_step_of_another_office_has_no_effect(void **state)
{
    (void)state;
    step(&township, registering[0], NULL, 0);
    expect_invalid(&township, KIND_STATUS, CAIRN_WHY_STEP_ROLE);
    step(&a, registering[0], NULL, 0);
    step(&b, registering[1], &a, pen_size(&a) - 1);
    expect(&b, CAIRN_INVALID, CAIRN_WHY_STEP_ROLE);
    assert_int_equal(live(KIND_STATUS), 1);
}

static void a_move_that_the_table_does_not_know_waits_for_a_newer_one(void **state)
{
    (void)state;
    step(&a, (struct cairn_position){KIND_IDENTIFIED, 9, 0}, NULL, 0);
    expect(&a, CAIRN_WAITING, CAIRN_WHY_NEWER);
    assert_int_equal(live(KIND_STATUS), 0);
}

static void a_step_that_follows_a_waiting_one_waits(void **state)
{
    (void)state;
    step(&a, (struct cairn_position){KIND_IDENTIFIED, 9, 0}, NULL, 0);
    step(&township, registering[1], &a, pen_size(&a) - 1);
    expect(&township, CAIRN_WAITING, CAIRN_WHY_NEWER);
    assert_int_equal(live(KIND_STATUS), 0);
}

static void a_step_that_follows_one_without_effect_has_none(void **state)
{
    (void)state;
    step(&a, (struct cairn_position){KIND_REGISTERED, KIND_EXIT, 0}, NULL, 0);
    step(&township, registering[1], &a, pen_size(&a) - 1);
    expect_invalid(&township, KIND_STATUS, CAIRN_WHY_STEP_BEFORE);
}

static void a_step_that_follows_what_is_no_step_of_the_record_has_none(void **state)
{
    struct draft draft;
    const struct cairn_value value = {.kind = CAIRN_VALUE_POSITION, .position = registering[0]};
    const struct cairn_local_dot other = {0, 2}, others_step = {0, 3};

    (void)state;
    pen_create(&a, 2, KIND_MEMBERS, 4);
    draft_change(&draft, &a, 1);
    item(&draft, CAIRN_ITEM_STEP, other, KIND_STATUS, &value, NULL, 0);
    draft_write(&draft, &a);
    write_own(CAIRN_ITEM_STEP, KIND_STATUS, &value, &others_step, 1);
    expect_invalid(&a, KIND_STATUS, CAIRN_WHY_STEP_BEFORE);
    write_own(CAIRN_ITEM_STEP, KIND_STATUS, &value, &own, 1); /* the create */
    expect_invalid(&a, KIND_STATUS, CAIRN_WHY_STEP_BEFORE);
}

static void a_step_whose_predecessor_is_not_here_waits_for_it(void **state)
{
    struct holder holder;

    (void)state;
    step(&b, registering[0], NULL, 0);
    step(&township, registering[1], &b, pen_size(&b) - 1);
    holder_open(&holder, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        if (!cairn_hash_equal(&land.pieces.list[i].log, &b.id))
            holder_take(&holder, &land.pieces.list[i]);
    struct cairn_verdict verdict = holder_verdict(&holder, &township.id, pen_size(&township) - 1);
    assert_int_equal(verdict.validity, CAIRN_WAITING);
    assert_int_equal(verdict.reason, CAIRN_WHY_NOT_HERE_YET);
    assert_int_equal(holder_live(&holder, &a.id, own.index, KIND_STATUS), 0);
    holder_close(&holder);
    expect(&township, CAIRN_VALID, CAIRN_WHY_NONE);
}

/* N follows M, and M waits for two logs, one after the other: N must not be forgotten. */
static void who_waits_for_a_waiting_step_follows_it_to_the_second_log(void **state)
{
    (void)state;
    step(&b, registering[0], NULL, 0);
    step(&township, registering[1], &b, pen_size(&b) - 1);
    step(&county, registering[2], &township, pen_size(&township) - 1);

    const struct cairn_hash *last[] = {&county.id, &township.id, &a.id, &b.id};
    struct holder holder;
    holder_open(&holder, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        if (land.pieces.list[i].channel == CAIRN_CHANNEL_AUTHORITY)
            holder_take(&holder, &land.pieces.list[i]);
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < land.pieces.count; i++)
            if (cairn_hash_equal(&land.pieces.list[i].log, last[k]))
                holder_take(&holder, &land.pieces.list[i]);
    struct cairn_verdict verdict = holder_verdict(&holder, &county.id, pen_size(&county) - 1);
    assert_int_equal(verdict.validity, CAIRN_VALID);
    assert_int_equal(holder_live(&holder, &a.id, own.index, KIND_STATUS), 1);
    holder_close(&holder);
}

static void whoever_has_a_part_may_give_up_what_is_under_way(void **state)
{
    (void)state;
    step(&a, registering[0], NULL, 0);
    step(&county, (struct cairn_position){KIND_IDENTIFIED, 0, 0}, &a, pen_size(&a) - 1);
    expect(&county, CAIRN_VALID, CAIRN_WHY_NONE);
    step(&township, (struct cairn_position){KIND_IDENTIFIED, 0, 0}, &county, pen_size(&county) - 1);
    expect(&township, CAIRN_INVALID, CAIRN_WHY_STEP_ORDER); /* nothing is under way */
    assert_int_equal(live(KIND_STATUS), 1);
}

static void whoever_has_no_part_may_not_give_it_up(void **state)
{
    static const uint64_t from[] = {1}, roles[] = {CAIRN_ROLE_STATION, CAIRN_ROLE_COUNTY};
    static const struct cairn_workflow_state states[] = {{.number = 1}, {.number = 2}};
    static const struct cairn_move move = {
        .number = 1, .from = from, .from_count = 1, .to = 2, .roles = roles, .step_count = 2};
    static const struct cairn_type type = {
        .states = states, .state_count = 2, .moves = &move, .move_count = 1};
    const struct cairn_position under_way = {.state = 1, .move = 1}, given_up = {.state = 1};

    (void)state;
    assert_int_equal(cairn_step_judge(&type, CAIRN_ROLE_COUNTY, &under_way, &given_up),
                     CAIRN_WHY_NONE);
    assert_int_equal(cairn_step_judge(&type, CAIRN_ROLE_TOWNSHIP, &under_way, &given_up),
                     CAIRN_WHY_STEP_ROLE);
}

static void a_deletion_leaves_steps_and_takes_the_rest(void **state)
{
    struct cairn_value one = integer(1);
    struct holder holder;

    (void)state;
    write_own(CAIRN_ITEM_ADD, KIND_NEEDS, &one, NULL, 0);
    write_own(CAIRN_ITEM_COUNT, KIND_POINTS, &one, NULL, 0);
    step(&a, registering[0], NULL, 0);
    step(&b, registering[0], NULL, 0);
    write_own(CAIRN_ITEM_DELETE, 0, &one, NULL, 0);
    expect(&a, CAIRN_VALID, CAIRN_WHY_NONE);
    assert_int_equal(live(KIND_NEEDS), 0);
    assert_int_equal(live(KIND_POINTS), 0);
    assert_int_equal(live(KIND_MEMBERS), 0);
    assert_int_equal(live(KIND_STATUS), 2);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    assert_false(holder_has_conflict(&holder, &a.id, own.index)); /* the deletion stands */
    holder_close(&holder);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_element_a_difference_and_what_takes_them_away_are_valid),
        T(two_elements_and_two_differences_are_no_conflict),
        T(an_element_that_names_something_has_the_wrong_shape),
        T(a_removal_that_names_nothing_has_the_wrong_shape),
        T(a_create_holds_registers_only),
        T(no_field_takes_the_operation_of_another_kind),
        T(existence_takes_no_element_difference_or_removal),
        T(a_difference_of_another_wire_is_refused),
        T(one_entry_adds_one_element_to_a_set),
        T(a_reference_to_an_earlier_record_of_the_log_is_valid),
        T(a_reference_to_what_was_not_announced_is_refused),
        T(a_reference_stands_only_where_the_table_says),
        T(a_reference_in_a_slot_is_refused),
        T(three_offices_in_order_move_a_record),
        T(two_steps_unseen_are_a_conflict),
        T(a_step_that_skips_one_has_no_effect),
        T(the_first_step_of_a_move_must_begin_where_the_record_stands),
        T(a_step_that_states_the_wrong_state_or_stage_has_no_effect),
        T(another_move_cannot_begin_while_one_is_under_way),
        T(a_step_of_another_office_has_no_effect),
        T(a_move_that_the_table_does_not_know_waits_for_a_newer_one),
        T(a_step_that_follows_a_waiting_one_waits),
        T(a_step_that_follows_one_without_effect_has_none),
        T(a_step_that_follows_what_is_no_step_of_the_record_has_none),
        T(a_step_whose_predecessor_is_not_here_waits_for_it),
        T(who_waits_for_a_waiting_step_follows_it_to_the_second_log),
        T(whoever_has_a_part_may_give_up_what_is_under_way),
        T(whoever_has_no_part_may_not_give_it_up),
        T(a_deletion_leaves_steps_and_takes_the_rest),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
