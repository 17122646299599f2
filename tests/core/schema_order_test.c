/* New versions of the schema and the entries that rest on them, in any order of arrival: every
 * replica comes to the same verdicts and the same state. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "holder.h"
#include "schema.h"

#define NEW_FIELD 60u /* of a household, from version 2 on */
#define NEWER_FIELD 61u
#define ORDERS 24

static struct land land;
static struct pen a, b;

/* The registry with the household's fields up to `last_field` added, as version `version`. */
static struct cairn_bytes table_make(uint64_t version, uint64_t last_field)
{
    static uint8_t first[CAIRN_SCHEMA_TABLE_MAX], bytes[4][CAIRN_SCHEMA_TABLE_MAX];
    static unsigned turn;
    struct cairn_writer writer;
    struct cairn_schema *schema;

    cairn_writer_init(&writer, first, sizeof first);
    cairn_schema_default_write(&writer);
    assert_int_equal(cairn_schema_read(cairn_writer_bytes(&writer), &schema), CAIRN_OK);
    struct cairn_type types[32];
    struct cairn_field fields[64];
    assert_true(schema->type_count <= 32);
    memcpy(types, schema->types, schema->type_count * sizeof *types);
    size_t count = types[0].field_count;
    memcpy(fields, types[0].fields, count * sizeof *fields);
    for (uint64_t number = NEW_FIELD; number <= last_field; number++)
        fields[count++] = (struct cairn_field){.number = number,
                                               .name = number == NEW_FIELD ? "roof" : "well",
                                               .label_zh = "",
                                               .label_en = "",
                                               .unit = "",
                                               .wire = CAIRN_WIRE_INTEGER};
    types[0].fields = fields;
    types[0].field_count = count;
    struct cairn_schema next = {
        .version = version, .types = types, .type_count = schema->type_count};
    turn = (turn + 1) % 4;
    cairn_writer_init(&writer, bytes[turn], sizeof bytes[turn]);
    cairn_schema_write(&writer, &next);
    assert_false(writer.overflowed);
    cairn_schema_free(schema);
    return cairn_writer_bytes(&writer);
}

static struct cairn_hash hash_of(struct cairn_bytes table)
{
    struct cairn_hash hash;

    crypto_hash_sha256(hash.bytes, table.data, table.size);
    return hash;
}

/* `table` as version `version` after `before`, into a log of the root. */
static void publish(struct pen *pen, uint64_t version, struct cairn_bytes before,
                    struct cairn_bytes table)
{
    const struct cairn_schema_entry entry = {
        .under = pen->under, .version = version, .previous = hash_of(before), .table = table};
    struct draft draft;

    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_schema_entry_write(&draft.writer, pen->time_s++, &entry);
    draft_write(&draft, pen);
}

static void set_field(struct pen *pen, struct cairn_local_dot record, uint64_t field, int64_t value)
{
    struct draft draft;

    draft_change(&draft, pen, 1);
    draft_item(&draft, CAIRN_ITEM_SET, record, field, value, NULL, 0);
    draft_write(&draft, pen);
}

static int setup(void **state)
{
    (void)state;
    land_init_with(&land, cairn_schema_default_write);
    land_station_pen(&land, &a, 0);
    pen_create(&a, 1, 3, 4);
    land_station_pen(&land, &b, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    land_free(&land);
    return 0;
}

static void order_check(const size_t *order, const char *want, const char *what)
{
    struct holder holder;

    holder_open(&holder, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        holder_take(&holder, &land.pieces.list[order[i]]);
    char *got = holder_describe(&holder);
    expect_same_text(got, want, what);
    free(got);
    holder_close(&holder);
}

/* All pieces as written, backwards, and in shuffled orders give the same. `holder` took them as
 * written, and is open. */
static void expect_any_order(struct holder *holder)
{
    size_t order[256];
    uint32_t seed = 20201;

    holder_open(holder, land.statement);
    holder_take_all(holder, &land.pieces);
    char *want = holder_describe(holder);
    assert_true(land.pieces.count <= 256);
    for (size_t i = 0; i < land.pieces.count; i++)
        order[i] = land.pieces.count - 1 - i;
    order_check(order, want, "backwards gives another state");
    for (unsigned n = 0; n < ORDERS; n++) {
        for (size_t i = land.pieces.count - 1; i > 0; i--) {
            seed = seed * 1664525u + 1013904223u;
            size_t k = (seed >> 8) % (i + 1), swapped = order[i];
            order[i] = order[k];
            order[k] = swapped;
        }
        order_check(order, want, "a shuffled order gives another state");
    }
    free(want);
}

static void expect_verdict(struct holder *holder, const struct pen *pen, uint32_t index,
                           enum cairn_validity validity, enum cairn_reason reason)
{
    struct cairn_verdict verdict = holder_verdict(holder, &pen->id, index);

    assert_int_equal(verdict.validity, validity);
    assert_int_equal(verdict.reason, reason);
}

/* Station a writes under 1 and then under 2; b, who knows a's record, does the same. What b wrote
 * under 1 may come to be judged long after b's log has gone over to 2. */
static void each_entry_is_judged_under_the_version_in_effect_at_its_place(void **state)
{
    struct cairn_bytes first = table_make(1, 0), second = table_make(2, NEW_FIELD);
    struct cairn_head head = pen_head(&a);
    struct cairn_local_dot of_a = {1, 1};
    struct draft draft;
    struct holder holder;

    (void)state;
    publish(&land.root_pen, 2, first, second);
    set_field(&a, (struct cairn_local_dot){0, 1}, NEW_FIELD, 7);
    uint32_t a_early = pen_size(&a) - 1;
    pen_basis(&a, &land.station[0], 2);
    set_field(&a, (struct cairn_local_dot){0, 1}, NEW_FIELD, 8);
    uint32_t a_late = pen_size(&a) - 1;
    draft_change(&draft, &b, 2);
    draft_announce_first(&draft, &head);
    draft_item(&draft, CAIRN_ITEM_SET, of_a, NEW_FIELD, 9, NULL, 0);
    draft_write(&draft, &b);
    uint32_t b_early = pen_size(&b) - 1;
    pen_basis(&b, &land.station[1], 2);
    set_field(&b, of_a, NEW_FIELD, 10);
    expect_any_order(&holder);
    expect_verdict(&holder, &a, a_early, CAIRN_WAITING, CAIRN_WHY_NEWER);
    expect_verdict(&holder, &a, a_late, CAIRN_VALID, CAIRN_WHY_NONE);
    expect_verdict(&holder, &b, b_early, CAIRN_WAITING, CAIRN_WHY_NEWER);
    assert_int_equal(holder_live(&holder, &a.id, 1, NEW_FIELD), 2);
    holder_close(&holder);
}

static void a_log_under_a_version_not_held_waits_whole_and_the_rest_is_shown(void **state)
{
    struct cairn_bytes first = table_make(1, 0), second = table_make(2, NEW_FIELD);
    struct holder holder;
    size_t before = land.pieces.count;

    (void)state;
    pen_basis(&a, &land.station[0], 2);
    set_field(&a, (struct cairn_local_dot){0, 1}, NEW_FIELD, 8);
    holder_open(&holder, land.statement);
    for (size_t i = 0; i < before; i++)
        holder_take(&holder, &land.pieces.list[i]);
    for (size_t i = before; i < land.pieces.count; i++)
        assert_int_equal(holder_take(&holder, &land.pieces.list[i]), CAIRN_OUTCOME_PARKED);
    assert_int_equal(holder_live(&holder, &a.id, 1, 3), 1);
    assert_int_equal(holder_live(&holder, &a.id, 1, NEW_FIELD), 0);
    publish(&land.root_pen, 2, first, second);
    holder_take(&holder, &land.pieces.list[land.pieces.count - 1]);
    assert_int_equal(holder_live(&holder, &a.id, 1, NEW_FIELD), 1);
    holder_close(&holder);
}

static void what_is_no_schema_or_may_not_follow_has_no_effect(void **state)
{
    struct cairn_bytes first = table_make(1, 0), second = table_make(2, NEW_FIELD);
    struct holder holder;

    (void)state;
    publish(&land.root_pen, 2, first, cairn_bytes_of_text("table"));
    uint32_t no_table = pen_size(&land.root_pen) - 1;
    publish(&land.root_pen, 2, second, second);
    uint32_t other_before = pen_size(&land.root_pen) - 1;
    publish(&land.root_pen, 2, first, second);
    uint32_t good = pen_size(&land.root_pen) - 1;
    publish(&land.root_pen, 2, first, table_make(2, NEWER_FIELD));
    uint32_t second_2 = pen_size(&land.root_pen) - 1;
    publish(&land.root_pen, 3, second, table_make(3, 0));
    uint32_t field_gone = pen_size(&land.root_pen) - 1;
    publish(&land.office_pen, 3, second, table_make(3, NEWER_FIELD));
    expect_any_order(&holder);
    expect_verdict(&holder, &land.root_pen, no_table, CAIRN_INVALID, CAIRN_WHY_BAD_SCHEMA);
    expect_verdict(&holder, &land.root_pen, other_before, CAIRN_INVALID, CAIRN_WHY_BAD_SCHEMA);
    expect_verdict(&holder, &land.root_pen, good, CAIRN_VALID, CAIRN_WHY_NONE);
    expect_verdict(&holder, &land.root_pen, second_2, CAIRN_INVALID, CAIRN_WHY_OTHER_SCHEMA);
    expect_verdict(&holder, &land.root_pen, field_gone, CAIRN_INVALID, CAIRN_WHY_BAD_SCHEMA);
    expect_verdict(&holder, &land.office_pen, pen_size(&land.office_pen) - 1, CAIRN_INVALID,
                   CAIRN_WHY_NO_RIGHT);
    holder_close(&holder);
}

/* A root that lost its store goes on in a new log, which may come before the old one. */
static void a_version_that_comes_before_the_one_before_it_waits_for_that(void **state)
{
    struct cairn_bytes first = table_make(1, 0), second = table_make(2, NEW_FIELD),
                       third = table_make(3, NEWER_FIELD);
    struct pen again;
    struct holder holder;

    (void)state;
    pen_begin(&again, &land.root_keys, &land.network, ROOT_SCOPE, CAIRN_CHANNEL_AUTHORITY,
              &land.root, 0, 77, &land.pieces);
    publish(&again, 3, second, third);
    pen_basis(&a, &land.station[0], 3);
    set_field(&a, (struct cairn_local_dot){0, 1}, NEWER_FIELD, 8);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    expect_verdict(&holder, &again, 1, CAIRN_WAITING, CAIRN_WHY_NOT_HERE_YET);
    assert_int_equal(holder_live(&holder, &a.id, 1, NEWER_FIELD), 0);
    holder_close(&holder);
    publish(&land.root_pen, 2, first, second);
    expect_any_order(&holder);
    expect_verdict(&holder, &again, 1, CAIRN_VALID, CAIRN_WHY_NONE);
    assert_int_equal(holder_live(&holder, &a.id, 1, NEWER_FIELD), 1);
    holder_close(&holder);
}

/* Another branch of the log that goes over to version 2 is covered: the basis goes with the tail.
 */
static void a_basis_that_leaves_the_log_takes_its_version_with_it(void **state)
{
    struct cairn_bytes first = table_make(1, 0), second = table_make(2, NEW_FIELD);
    struct pen fork = a;
    struct holder holder;
    enum cairn_outcome outcome;

    (void)state;
    publish(&land.root_pen, 2, first, second);
    pen_basis(&a, &land.station[0], 2);
    set_field(&a, (struct cairn_local_dot){0, 1}, NEW_FIELD, 8);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    struct cairn_log held = holder_log(&holder, &a.id);
    assert_int_equal(held.schema_version, 2);
    set_field(&fork, (struct cairn_local_dot){0, 1}, NEW_FIELD, 9);
    assert_int_equal(holder_try(&holder, &land.pieces.list[land.pieces.count - 1], true, &outcome),
                     CAIRN_OK);
    assert_int_equal(outcome, CAIRN_OUTCOME_ACCEPTED);
    held = holder_log(&holder, &a.id);
    assert_int_equal(held.schema_version, 1);
    assert_int_equal(held.basis_index, 0);
    expect_verdict(&holder, &fork, 2, CAIRN_WAITING, CAIRN_WHY_NEWER);
    holder_close(&holder);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_entry_is_judged_under_the_version_in_effect_at_its_place),
        T(a_log_under_a_version_not_held_waits_whole_and_the_rest_is_shown),
        T(what_is_no_schema_or_may_not_follow_has_no_effect),
        T(a_version_that_comes_before_the_one_before_it_waits_for_that),
        T(a_basis_that_leaves_the_log_takes_its_version_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
