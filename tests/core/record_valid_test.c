/* One test for every reason why an entry has no effect, and for what waits: it is accepted, kept
 * and passed on, changes nothing, and the verdict is the same when it comes before what it names.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "holder.h"

static struct land land;
static struct pen a, b;            /* two stations of the village */
static struct cairn_local_dot own; /* the record that both logs know: (0, 1) in a's */

static int setup(void **state)
{
    (void)state;
    land_init(&land);
    land_station_pen(&land, &a, 0);
    pen_create(&a, 1, 3, 4);
    land_station_pen(&land, &b, 1);
    own = (struct cairn_local_dot){0, 1};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    land_free(&land);
    return 0;
}

/* Everything in the order written, and with a's and b's logs the other way round: the last entry of
 * `pen` has this verdict, what came before it stands, and it is held. */
static void expect(const struct pen *pen, enum cairn_validity validity, enum cairn_reason reason)
{
    struct holder forward;

    holder_open_either_way(&forward, &land);
    struct cairn_verdict verdict = holder_verdict(&forward, &pen->id, pen_size(pen) - 1);
    assert_int_equal(verdict.validity, validity);
    assert_int_equal(verdict.reason, reason);
    struct cairn_log held = holder_log(&forward, &pen->id);
    assert_int_equal(cairn_log_size(&held), pen_size(pen));
    if (validity != CAIRN_VALID) {
        assert_int_equal(holder_live(&forward, &a.id, 1, 0), 1);
        assert_int_equal(holder_live(&forward, &a.id, 1, 3), 1);
        assert_int_equal(holder_live(&forward, &a.id, 1, 6), 0);
        assert_false(holder_has_conflict(&forward, &a.id, 1));
    }
    holder_close(&forward);
}

static void expect_invalid(const struct pen *pen, enum cairn_reason reason)
{
    expect(pen, CAIRN_INVALID, reason);
}

static void an_edit_of_the_own_record_is_valid(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 1);
    draft_item(&draft, CAIRN_ITEM_SET, own, 6, 4150, NULL, 0);
    draft_write(&draft, &a);
    expect(&a, CAIRN_VALID, CAIRN_WHY_NONE);
}

static void an_entry_without_an_operation_has_the_wrong_shape(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 1);
    draft_reason(&draft);
    draft_write(&draft, &a);
    expect_invalid(&a, CAIRN_WHY_SHAPE);
}

static void an_announcement_behind_an_operation_has_the_wrong_shape(void **state)
{
    struct draft draft;
    struct cairn_head head = pen_head(&b);

    (void)state;
    draft_change(&draft, &a, 2);
    draft_item(&draft, CAIRN_ITEM_SET, own, 6, 4150, NULL, 0);
    draft_announce_first(&draft, &head);
    draft_write(&draft, &a);
    expect_invalid(&a, CAIRN_WHY_SHAPE);
}

static void one_entry_about_two_records_has_the_wrong_shape(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 2);
    draft_create(&draft, TYPE_HOUSEHOLD, 2, 3, 4);
    draft_item(&draft, CAIRN_ITEM_SET, own, 6, 4150, NULL, 0);
    draft_write(&draft, &a);
    expect_invalid(&a, CAIRN_WHY_SHAPE);
}

static void a_record_that_no_entry_created_is_not_there(void **state)
{
    (void)state;
    pen_set(&a, 0, 6, 4150);
    expect_invalid(&a, CAIRN_WHY_NO_RECORD);
}

static void a_record_of_another_log_that_no_entry_created_is_not_there(void **state)
{
    struct draft draft;
    struct cairn_head head = pen_head(&a);

    (void)state;
    draft_change(&draft, &b, 2);
    draft_announce_first(&draft, &head);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 0}, 6, 4150, NULL, 0);
    draft_write(&draft, &b);
    expect_invalid(&b, CAIRN_WHY_NO_RECORD);
}

static void a_record_of_another_village_is_refused(void **state)
{
    struct draft draft;
    struct pen office;
    struct cairn_head head = pen_head(&a);

    (void)state;
    pen_begin(&office, &land.office_keys, &land.network, OTHER_VILLAGE, CAIRN_CHANNEL_RECORDS,
              &land.office, 1, 50, &land.pieces);
    draft_change(&draft, &office, 2);
    draft_announce_first(&draft, &head);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, 6, 4150, NULL, 0);
    draft_write(&draft, &office);
    expect_invalid(&office, CAIRN_WHY_OTHER_SCOPE);
}

static void a_number_that_was_not_announced_is_refused(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &b, 1);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, 6, 4150, NULL, 0);
    draft_write(&draft, &b);
    expect_invalid(&b, CAIRN_WHY_NOT_ANNOUNCED);
}

static void an_index_at_the_announced_size_is_refused(void **state)
{
    struct draft draft;
    struct cairn_head head = pen_head(&a);
    const struct cairn_local_dot beyond = {1, head.size};

    (void)state;
    draft_change(&draft, &a, 1);
    draft_item(&draft, CAIRN_ITEM_SET, own, 3, 5, NULL, 0);
    draft_write(&draft, &a);
    draft_change(&draft, &b, 2);
    draft_announce_first(&draft, &head);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, 3, 6, &beyond, 1);
    draft_write(&draft, &b);
    expect_invalid(&b, CAIRN_WHY_NOT_ANNOUNCED);
}

static void an_entry_cannot_name_itself_or_a_later_one_of_its_log(void **state)
{
    struct draft draft;
    const struct cairn_local_dot itself = {0, pen_size(&a)};

    (void)state;
    draft_change(&draft, &a, 1);
    draft_item(&draft, CAIRN_ITEM_SET, own, 6, 1, &itself, 1);
    draft_write(&draft, &a);
    expect_invalid(&a, CAIRN_WHY_NOT_ANNOUNCED);
}

static void an_announcement_that_goes_back_is_refused(void **state)
{
    struct draft draft;
    struct cairn_head head = pen_head(&a), less = head;

    (void)state;
    less.size--;
    draft_change(&draft, &b, 2);
    draft_announce_first(&draft, &head);
    draft_create(&draft, TYPE_HOUSEHOLD, 1, 3, 4);
    draft_write(&draft, &b);
    draft_change(&draft, &b, 2);
    draft_announce(&draft, 1, &less);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, 6, 1, NULL, 0);
    draft_write(&draft, &b);
    expect_invalid(&b, CAIRN_WHY_ANNOUNCED_LESS);
}

static void a_value_of_another_type_is_refused(void **state)
{
    struct draft draft;
    const struct cairn_operation op = {
        .number = CAIRN_ITEM_SET,
        .record = own,
        .field = 6,
        .value = {.kind = CAIRN_VALUE_TEXT, .text = cairn_bytes_of_text("much")}};

    (void)state;
    draft_change(&draft, &a, 1);
    cairn_write_begin(&draft.writer, &op, 0);
    draft_write(&draft, &a);
    expect_invalid(&a, CAIRN_WHY_WRONG_VALUE);
}

static void a_bare_value_in_a_personal_field_is_refused(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 1);
    draft_item(&draft, CAIRN_ITEM_SET, own, 2, 1, NULL, 0);
    draft_write(&draft, &a);
    expect_invalid(&a, CAIRN_WHY_WRONG_VALUE);
}

static void an_existence_other_than_one_is_refused(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 1);
    draft_item(&draft, CAIRN_ITEM_SET, own, 0, 0, NULL, 0);
    draft_write(&draft, &a);
    expect_invalid(&a, CAIRN_WHY_WRONG_VALUE);
}

static void a_field_written_twice_in_one_entry_is_refused(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 2);
    draft_item(&draft, CAIRN_ITEM_SET, own, 6, 1, NULL, 0);
    draft_item(&draft, CAIRN_ITEM_SET, own, 6, 2, NULL, 0);
    draft_write(&draft, &a);
    expect_invalid(&a, CAIRN_WHY_TWICE);
}

static void a_write_beside_a_deletion_in_one_entry_is_a_conflict_either_way_round(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct holder holder;
        struct draft draft;
        draft_change(&draft, &a, 2);
        for (unsigned i = 0; i < 2; i++)
            draft_item(&draft, i == first ? CAIRN_ITEM_DELETE : CAIRN_ITEM_SET, own, 6, 2, NULL, 0);
        draft_write(&draft, &a);
        expect(&a, CAIRN_VALID, CAIRN_WHY_NONE);
        holder_open(&holder, land.statement);
        holder_take_all(&holder, &land.pieces);
        assert_true(holder_has_conflict(&holder, &a.id, 1));
        assert_int_equal(holder_live(&holder, &a.id, 1, 3), 0);
        holder_close(&holder);
    }
}

static void a_settlement_without_a_reason_is_refused(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 1);
    draft_item(&draft, CAIRN_ITEM_SETTLE, own, 6, 1, NULL, 0);
    draft_write(&draft, &a);
    expect_invalid(&a, CAIRN_WHY_NO_REASON);
}

static void a_basis_with_an_older_schema_is_refused(void **state)
{
    (void)state;
    pen_basis(&a, &land.station[0], 0);
    expect_invalid(&a, CAIRN_WHY_VERSION_BACK);
}

static void what_hangs_on_an_invalid_creation_is_not_there(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 1);
    cairn_create_begin(&draft.writer, TYPE_HOUSEHOLD, 2, 2);
    for (unsigned i = 0; i < 2; i++) {
        cairn_cbor_write_uint(&draft.writer, 3);
        cairn_cbor_write_uint(&draft.writer, 3);
    }
    draft_write(&draft, &a);
    pen_set(&a, 2, 6, 4150);
    expect_invalid(&a, CAIRN_WHY_NO_RECORD);
}

/* ---- what waits ---- */

static void an_unknown_kind_waits(void **state)
{
    struct draft draft;

    (void)state;
    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_entry_begin(&draft.writer, 15, a.time_s, 1);
    cairn_cbor_write_uint(&draft.writer, 7);
    draft_write(&draft, &a);
    expect(&a, CAIRN_WAITING, CAIRN_WHY_NEWER);
}

static void an_unknown_item_waits(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 2);
    draft_item(&draft, CAIRN_ITEM_SET, own, 6, 4150, NULL, 0);
    cairn_cbor_write_array(&draft.writer, 2);
    cairn_cbor_write_uint(&draft.writer, 99);
    cairn_cbor_write_uint(&draft.writer, 1);
    draft_write(&draft, &a);
    expect(&a, CAIRN_WAITING, CAIRN_WHY_NEWER);
}

static void an_unknown_field_waits(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 1);
    draft_item(&draft, CAIRN_ITEM_SET, own, 900, 1, NULL, 0);
    draft_write(&draft, &a);
    expect(&a, CAIRN_WAITING, CAIRN_WHY_NEWER);
}

static void what_is_written_on_a_record_of_an_unknown_type_waits_with_it(void **state)
{
    struct draft draft;

    (void)state;
    draft_change(&draft, &a, 1);
    draft_create(&draft, 77, 2, 1, 4);
    draft_write(&draft, &a);
    pen_set(&a, 2, 6, 1);
    expect(&a, CAIRN_WAITING, CAIRN_WHY_NEWER);
}

static void a_scope_with_a_waiting_entry_is_not_compared(void **state)
{
    struct holder holder;

    an_unknown_item_waits(state);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    char *text = holder_describe(&holder);
    assert_non_null(strstr(text, "not comparable"));
    free(text);
    holder_close(&holder);
}

static void an_edit_of_a_record_that_is_not_here_waits_for_it(void **state)
{
    struct draft draft;
    struct holder holder;
    struct cairn_head head = pen_head(&a);

    (void)state;
    draft_change(&draft, &b, 2);
    draft_announce_first(&draft, &head);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, 6, 4150, NULL, 0);
    draft_write(&draft, &b);
    holder_open(&holder, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        if (!cairn_hash_equal(&land.pieces.list[i].log, &a.id))
            holder_take(&holder, &land.pieces.list[i]);
    struct cairn_verdict verdict = holder_verdict(&holder, &b.id, 1);
    assert_int_equal(verdict.validity, CAIRN_WAITING);
    assert_int_equal(verdict.reason, CAIRN_WHY_NOT_HERE_YET);
    holder_take_all(&holder, &land.pieces);
    assert_int_equal(holder_verdict(&holder, &b.id, 1).validity, CAIRN_VALID);
    assert_int_equal(holder_live(&holder, &a.id, 1, 6), 1);
    holder_close(&holder);
}

/* ---- repetitions ---- */

static struct cairn_ref edit(struct pen *pen, const struct cairn_ref *repeats)
{
    struct draft draft;
    struct cairn_head head = pen_head(&a);

    draft_change(&draft, pen, repeats == NULL ? 2 : 3);
    if (pen == &a)
        draft_reason(&draft);
    draft_announce_first(&draft, &head);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, 6, 4150, NULL, 0);
    if (repeats != NULL)
        cairn_repeats_write(&draft.writer, repeats);
    return draft_write(&draft, pen);
}

static void a_repetition_counts_only_while_the_repeated_entry_does_not(void **state)
{
    struct pen c;
    struct holder holder;

    (void)state;
    struct cairn_ref first = edit(&b, NULL);
    land_station_pen(&land, &c, 2);
    edit(&c, &first);
    expect(&c, CAIRN_VALID, CAIRN_WHY_NONE);
    holder_open(&holder, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        if (!cairn_hash_equal(&land.pieces.list[i].log, &b.id))
            holder_take(&holder, &land.pieces.list[i]);
    assert_int_equal(holder_live(&holder, &a.id, 1, 6), 1);
    assert_false(holder_has_conflict(&holder, &a.id, 1));
    holder_take_all(&holder, &land.pieces);
    assert_int_equal(holder_live(&holder, &a.id, 1, 6), 1);
    assert_false(holder_has_conflict(&holder, &a.id, 1));
    holder_close(&holder);
}

static void a_repetition_ends_when_the_repeated_entry_no_longer_waits(void **state)
{
    struct pen c;
    struct holder holder;
    struct draft draft;

    (void)state;
    /* The repeated entry is on a record of a's that arrives last; so is the repetition's own. */
    struct cairn_ref first = edit(&b, NULL);
    land_station_pen(&land, &c, 2);
    pen_create(&c, 5, 3, 4);
    draft_change(&draft, &c, 2);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){0, 1}, 6, 4150, NULL, 0);
    cairn_repeats_write(&draft.writer, &first);
    draft_write(&draft, &c);
    holder_open(&holder, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        if (!cairn_hash_equal(&land.pieces.list[i].log, &a.id))
            holder_take(&holder, &land.pieces.list[i]);
    assert_int_equal(holder_live(&holder, &c.id, 1, 6), 1);
    holder_take_all(&holder, &land.pieces);
    assert_int_equal(holder_live(&holder, &a.id, 1, 6), 1);
    assert_int_equal(holder_live(&holder, &c.id, 1, 6), 0);
    holder_close(&holder);
    expect(&c, CAIRN_VALID, CAIRN_WHY_NONE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_edit_of_the_own_record_is_valid),
        T(an_entry_without_an_operation_has_the_wrong_shape),
        T(an_announcement_behind_an_operation_has_the_wrong_shape),
        T(one_entry_about_two_records_has_the_wrong_shape),
        T(a_record_that_no_entry_created_is_not_there),
        T(a_record_of_another_log_that_no_entry_created_is_not_there),
        T(a_record_of_another_village_is_refused),
        T(a_number_that_was_not_announced_is_refused),
        T(an_index_at_the_announced_size_is_refused),
        T(an_entry_cannot_name_itself_or_a_later_one_of_its_log),
        T(an_announcement_that_goes_back_is_refused),
        T(a_value_of_another_type_is_refused),
        T(a_bare_value_in_a_personal_field_is_refused),
        T(an_existence_other_than_one_is_refused),
        T(a_field_written_twice_in_one_entry_is_refused),
        T(a_write_beside_a_deletion_in_one_entry_is_a_conflict_either_way_round),
        T(a_settlement_without_a_reason_is_refused),
        T(a_basis_with_an_older_schema_is_refused),
        T(what_hangs_on_an_invalid_creation_is_not_there),
        T(an_unknown_kind_waits),
        T(an_unknown_item_waits),
        T(an_unknown_field_waits),
        T(what_is_written_on_a_record_of_an_unknown_type_waits_with_it),
        T(a_scope_with_a_waiting_entry_is_not_compared),
        T(an_edit_of_a_record_that_is_not_here_waits_for_it),
        T(a_repetition_counts_only_while_the_repeated_entry_does_not),
        T(a_repetition_ends_when_the_repeated_entry_no_longer_waits),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
