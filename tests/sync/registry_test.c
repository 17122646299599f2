/* The registry as people use it: sets, counters, steps of three offices and records that are one
 * household, written by stations and offices that do not see each other for a while. */

#include "registry_net.h"

/* ---- sets and counters --------------------------------------------------------------------- */

static void what_two_stations_add_and_count_offline_is_all_there(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_sync_all();
    registry_add(&station, id, "causes", "病");
    registry_add(&station, id, "causes", "学");
    registry_add(&peer, id, "causes", "学"); /* the same, unseen */
    registry_add(&peer, id, "causes", "灾");
    registry_add(&station, id, "points", "5");
    registry_add(&peer, id, "points", "7");
    registry_take(&peer, id, "points", "2");
    registry_sync_all();
    registry_expect_everywhere(id, "causes", "学|灾|病");
    registry_expect_everywhere(id, "points", "10");
    assert_int_equal(net_conflict_count(&station), 0);
    registry_take(&station, id, "causes", "学"); /* both, now that it sees both */
    net_must(registry_change(&peer, id, "points", "3", CAIRN_PUT_SET));
    registry_sync_all();
    registry_expect_everywhere(id, "causes", "灾|病");
    registry_expect_everywhere(id, "points", "3");
}

struct told {
    char text[256];
};

static bool income_told(void *context, const struct cairn_history_item *item)
{
    struct told *told = context;
    size_t size = strlen(told->text);

    if (item->field != NULL && strcmp(item->field, "income") == 0)
        snprintf(told->text + size, sizeof told->text - size, "%s %s>%s ", item->tag,
                 item->old_value == NULL ? "" : item->old_value, item->new_value);
    return true;
}

/* Nobody is said to have overwritten what came unseen. */
static void a_history_shows_the_values_that_the_writer_had_before_the_eyes(void **state)
{
    struct told told = {""};
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    net_set(&station, id, "income", "1000");
    registry_sync_all();
    net_set(&station, id, "income", "2000");
    net_set(&peer, id, "income", "3000");
    registry_sync_all();
    net_must(cairn_history(station.replica, id, income_told, &told, &net_err));
    assert_non_null(strstr(told.text, "A7 >1000 "));
    assert_non_null(strstr(told.text, "A7 1000>2000 "));
    assert_non_null(strstr(told.text, "A8 1000>3000 "));
}

static void an_element_added_again_unseen_outlives_its_removal(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_add(&station, id, "causes", "病");
    registry_sync_all();
    registry_take(&station, id, "causes", "病");
    registry_take(&peer, id, "causes", "病");
    registry_add(&peer, id, "causes", "病");
    registry_sync_all();
    registry_expect_everywhere(id, "causes", "病");
    registry_expect_refused(registry_change(&station, id, "causes", "水", CAIRN_PUT_REMOVE),
                            CAIRN_BAD_INPUT);
}

static void an_element_added_twice_unseen_is_taken_away_once(void **state)
{
    const struct cairn_field_value fields[] = {{"causes", "病"}};
    struct cairn_put put = {.type = "household", .fields = fields, .field_count = 1};
    struct cairn_put_result result;
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_sync_all();
    registry_add(&station, id, "causes", "水");
    registry_add(&peer, id, "causes", "水");
    registry_sync_all();
    put.id = id;
    net_must(cairn_put_many(station.replica, &put, 1, &result, NULL, &net_err));
    assert_int_equal(result.change_count, 2);
    assert_string_equal(result.changes[0].new_value, "病");
    assert_string_equal(result.changes[1].old_value, "水");
    registry_sync_all();
    registry_expect_everywhere(id, "causes", "病");
}

static void a_set_that_is_set_holds_exactly_what_is_given(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "causes", "病|学", id); /* a create with elements */
    registry_expect_shown(&station, id, "causes", "学|病");
    net_must(registry_change(&station, id, "causes", "病|灾", CAIRN_PUT_SET));
    registry_sync_all();
    registry_expect_everywhere(id, "causes", "灾|病");
}

static void many_counts_of_one_device_are_gathered_and_none_is_lost(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "points", "1", id);
    registry_count_up(&station, id, 50);
    registry_carry(&station, &peer);
    registry_add(&peer, id, "points", "100");
    for (unsigned i = 0; i < 20; i++)
        registry_take(&station, id, "points", "1");
    registry_sync_all();
    registry_expect_everywhere(id, "points", "131");
}

static void two_who_gather_unseen_count_nothing_twice(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "points", "1", id);
    registry_count_up(&station, id, 10);
    registry_sync_all();
    registry_count_up(&peer, id, 20);
    registry_count_up(&station, id, 20);
    registry_sync_all();
    registry_expect_everywhere(id, "points", "51");
}

static void counts_too_large_together_leave_a_record_that_can_be_read_and_mended(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "points", "1", id);
    registry_sync_all();
    for (unsigned i = 0; i < 9; i++) {
        registry_add(&station, id, "points", "999999999999999999");
        registry_add(&peer, id, "points", "999999999999999999");
    }
    registry_sync_all();
    registry_expect_everywhere(id, "points", "-446744073709551633"); /* nobody's honest count */
    net_must(registry_change(&station, id, "income", "4100", CAIRN_PUT_SET));
    net_must(registry_change(&station, id, "points", "5", CAIRN_PUT_SET));
    registry_sync_all();
    registry_expect_everywhere(id, "points", "5");
}

/* ---- steps --------------------------------------------------------------------------------- */

static void village_township_and_county_move_a_household_in_that_order(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_expect_shown(&station, id, "status", "identified"); /* without a step */
    registry_step_to(&station, id, "register", "identified", "township");
    registry_sync_all();
    registry_step_to(&township, id, "register", "identified", "county");
    registry_sync_all();
    registry_step_to(&net.office, id, "register", "registered", NULL);
    registry_sync_all();
    registry_expect_everywhere(id, "status", "registered");
    registry_step_to(&peer, id, "exit", "registered", "township");
    registry_sync_all();
    registry_expect_everywhere(id, "status", "registered");
    assert_int_equal(net_conflict_count(&net.server), 0);
}

static void a_skipped_or_foreign_step_is_refused_in_words(void **state)
{
    struct cairn_version standing;
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_sync_all();
    registry_expect_refused(registry_step(&township, id, "register", 0, &standing), CAIRN_NO_RIGHT);
    registry_expect_refused(registry_step(&station, id, "exit", 0, &standing), CAIRN_BAD_INPUT);
    registry_expect_refused(registry_step(&station, id, "promote", 0, &standing), CAIRN_BAD_INPUT);
    registry_expect_refused(registry_step(&station, id, NULL, 0, &standing), CAIRN_BAD_INPUT);
    registry_step_to(&station, id, "register", "identified", "township");
    registry_sync_all();
    registry_expect_refused(registry_step(&net.office, id, "register", 0, &standing),
                            CAIRN_NO_RIGHT);
    registry_expect_refused(registry_step(&peer, id, "register", 0, &standing), CAIRN_NO_RIGHT);
    registry_expect_refused(registry_step(&township, id, "exit", 0, &standing), CAIRN_BAD_INPUT);
    net_expect(registry_change(&station, id, "status", "registered", CAIRN_PUT_SET),
               CAIRN_BAD_INPUT);
    registry_expect_everywhere(id, "status", "identified");
}

static void a_move_under_way_is_given_up_and_begun_anew(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_step_to(&station, id, "register", "identified", "township");
    registry_sync_all();
    registry_step_to(&township, id, NULL, "identified", NULL);
    registry_sync_all();
    registry_step_to(&station, id, "register", "identified", "township");
    registry_sync_all();
    registry_expect_everywhere(id, "status", "identified");
    assert_string_equal(registry_field_get(&net.office, id, "status")->versions[0].under_way.role,
                        "township");
}

static void two_steps_taken_unseen_are_a_conflict_that_the_next_step_settles(void **state)
{
    struct cairn_version standing;
    const char *value;
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_sync_all();
    registry_step_to(&station, id, "register", "identified", "township");
    registry_step_to(&peer, id, "register", "identified", "township");
    registry_sync_all();
    assert_int_equal(net_conflict_count(&township), 1);
    assert_int_equal(registry_field_get(&township, id, "status")->version_count, 2);
    net_expect(cairn_settle(township.replica, id, "status", 1, NULL, "as agreed", &value, &net_err),
               CAIRN_BAD_INPUT);
    registry_expect_refused(registry_step(&township, id, "register", 3, &standing),
                            CAIRN_BAD_INPUT);
    net_must(registry_step(&township, id, "register", 2, &standing));
    registry_sync_all();
    assert_int_equal(net_conflict_count(&station), 0);
    assert_int_equal(registry_field_get(&peer, id, "status")->version_count, 1);
    registry_expect_everywhere(id, "status", "identified");
}

/* ---- one household ------------------------------------------------------------------------- */

static void a_merge_said_on_both_sides_and_taken_back_converges(void **state)
{
    char one[32], two[32], expected[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", one);
    registry_create(&peer, "household", "head", "扎西", two);
    registry_sync_all();
    net_must(cairn_same(station.replica, one, two, "one family", &net_err));
    net_must(cairn_same(peer.replica, one, two, "one family", &net_err));
    registry_expect_refused(cairn_same(station.replica, one, two, NULL, &net_err), CAIRN_BAD_INPUT);
    registry_sync_all();
    snprintf(expected, sizeof expected, "%s", two);
    registry_expect_everywhere(one, "same", expected);
    net_must(cairn_apart(peer.replica, two, one, "two families", &net_err)); /* from either side */
    registry_sync_all();
    registry_expect_everywhere(one, "same", "");
    registry_expect_refused(cairn_apart(station.replica, one, two, NULL, &net_err),
                            CAIRN_BAD_INPUT);
}

static void a_merge_and_its_undoing_unseen_end_the_same_everywhere(void **state)
{
    char one[32], two[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", one);
    registry_create(&peer, "household", "head", "扎西", two);
    registry_sync_all();
    net_must(cairn_same(station.replica, one, two, NULL, &net_err));
    registry_sync_all();
    net_must(cairn_apart(station.replica, one, two, NULL, &net_err));
    net_must(cairn_apart(peer.replica, one, two, NULL, &net_err));
    net_must(cairn_same(peer.replica, two, one, NULL, &net_err)); /* said again, the other way */
    registry_sync_all();
    registry_expect_everywhere(one, "same", "");
    registry_expect_everywhere(two, "same", one);
    registry_expect_refused(cairn_same(station.replica, one, one, NULL, &net_err), CAIRN_BAD_INPUT);
}

static void a_merge_is_of_records_of_one_type_that_has_the_relation(void **state)
{
    char household[32], cadre[32], other[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", household);
    registry_create(&station, "cadre", "name", "卓玛", cadre);
    registry_create(&station, "cadre", "name", "达娃", other);
    registry_expect_refused(cairn_same(station.replica, household, cadre, NULL, &net_err),
                            CAIRN_BAD_INPUT);
    registry_expect_refused(cairn_same(station.replica, cadre, other, NULL, &net_err),
                            CAIRN_BAD_INPUT);
    registry_expect_refused(registry_change(&station, household, "cadre", household, CAIRN_PUT_SET),
                            CAIRN_BAD_INPUT);
    net_must(registry_change(&station, household, "cadre", cadre, CAIRN_PUT_SET));
    registry_sync_all();
    registry_expect_everywhere(household, "cadre", cadre);
}

/* ---- two grades ---------------------------------------------------------------------------- */

static void different_fields_written_unseen_are_parallel_and_merged(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_sync_all();
    net_must(registry_change(&station, id, "income", "4100", CAIRN_PUT_SET));
    net_must(registry_change(&peer, id, "members", "5", CAIRN_PUT_SET));
    assert_false(registry_get(&station, id)->is_parallel);
    registry_sync_all();
    assert_true(registry_get(&station, id)->is_parallel);
    assert_false(registry_get(&station, id)->has_conflict);
    assert_true(registry_field_get(&township, id, "income")->is_parallel);
    assert_true(registry_field_get(&township, id, "members")->is_parallel);
    registry_expect_everywhere(id, "income", "4100");
    registry_expect_everywhere(id, "members", "5");
    assert_int_equal(net_conflict_count(&station), 0);
    net_must(registry_change(&peer, id, "members", "6", CAIRN_PUT_SET)); /* who has seen both */
    registry_sync_all();
    assert_false(registry_get(&station, id)->is_parallel);
}

static bool keep_in_a_row(void *context, const struct cairn_record *record)
{
    char(*ids)[32] = context;

    while (ids[0][0] != '\0')
        ids++;
    snprintf(ids[0], sizeof ids[0], "%s", record->id);
    return true;
}

static void parallels_are_listed_by_their_ids(void **state)
{
    char ids[3][32], listed[4][32] = {{0}};

    (void)state;
    for (size_t i = 0; i < 3; i++) /* those of the peer, A8, are heard of first */
        registry_create(i == 2 ? &station : &peer, "household", "head", "扎西", ids[i]);
    registry_sync_all();
    for (size_t i = 0; i < 3; i++) {
        net_must(registry_change(&station, ids[i], "income", "4100", CAIRN_PUT_SET));
        net_must(registry_change(&peer, ids[i], "members", "5", CAIRN_PUT_SET));
    }
    registry_sync_all();
    net_must(cairn_parallels(township.replica, keep_in_a_row, listed, &net_err));
    assert_string_equal(listed[0], ids[2]);
    assert_string_equal(listed[1], ids[0]);
    assert_string_equal(listed[2], ids[1]);
    assert_string_equal(listed[3], "");
}

static void one_field_written_unseen_is_a_conflict_and_not_parallel(void **state)
{
    char id[32];
    const char *value;

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_sync_all();
    net_must(registry_change(&station, id, "income", "4100", CAIRN_PUT_SET));
    net_must(registry_change(&peer, id, "income", "4200", CAIRN_PUT_SET));
    registry_sync_all();
    assert_true(registry_get(&township, id)->has_conflict);
    assert_false(registry_get(&township, id)->is_parallel);
    net_must(cairn_settle(station.replica, id, "income", 2, NULL, "as visited", &value, &net_err));
    registry_sync_all();
    assert_int_equal(net_conflict_count(&township), 0);
    registry_expect_refused(
        cairn_settle(station.replica, id, "causes", 1, NULL, "as visited", &value, &net_err),
        CAIRN_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(what_two_stations_add_and_count_offline_is_all_there),
        REGISTRY_TEST(a_history_shows_the_values_that_the_writer_had_before_the_eyes),
        REGISTRY_TEST(an_element_added_again_unseen_outlives_its_removal),
        REGISTRY_TEST(an_element_added_twice_unseen_is_taken_away_once),
        REGISTRY_TEST(a_set_that_is_set_holds_exactly_what_is_given),
        REGISTRY_TEST(many_counts_of_one_device_are_gathered_and_none_is_lost),
        REGISTRY_TEST(two_who_gather_unseen_count_nothing_twice),
        REGISTRY_TEST(counts_too_large_together_leave_a_record_that_can_be_read_and_mended),
        REGISTRY_TEST(village_township_and_county_move_a_household_in_that_order),
        REGISTRY_TEST(a_skipped_or_foreign_step_is_refused_in_words),
        REGISTRY_TEST(a_move_under_way_is_given_up_and_begun_anew),
        REGISTRY_TEST(two_steps_taken_unseen_are_a_conflict_that_the_next_step_settles),
        REGISTRY_TEST(a_merge_said_on_both_sides_and_taken_back_converges),
        REGISTRY_TEST(a_merge_and_its_undoing_unseen_end_the_same_everywhere),
        REGISTRY_TEST(a_merge_is_of_records_of_one_type_that_has_the_relation),
        REGISTRY_TEST(different_fields_written_unseen_are_parallel_and_merged),
        REGISTRY_TEST(parallels_are_listed_by_their_ids),
        REGISTRY_TEST(one_field_written_unseen_is_a_conflict_and_not_parallel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
