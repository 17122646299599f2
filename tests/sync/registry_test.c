/* The registry as people use it: sets, counters, steps of three offices and records that are one
 * household, written by stations and offices that do not see each other for a while. */

#include "cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds_table.h"
#include "net.h"

static struct net net;
static struct net_node station, peer, township;
static uint8_t table_bytes[4096];

static void sync_all(void)
{
    struct net_node *all[] = {&station, &peer, &township, &net.office};

    for (unsigned round = 0; round < 2; round++)
        for (size_t i = 0; i < 4; i++)
            net_sync(all[i], &net.server);
}

static int setup(void **state)
{
    struct cairn_writer table;

    (void)state;
    cairn_writer_init(&table, table_bytes, sizeof table_bytes);
    kinds_table_write(&table);
    assert_false(table.overflowed);
    net_open_with(&net, 17, cairn_writer_bytes(&table));
    net_sync(&net.office, &net.server);
    net_join(&net, &station, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &peer, &net.office, "station", NET_VILLAGE, "A8");
    net_join(&net, &township, &net.office, "township", "513332100", "T");
    sync_all();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_node_close(&township);
    net_node_close(&peer);
    net_node_close(&station);
    net_close(&net);
    return 0;
}

/* ---- writing and reading ------------------------------------------------------------------- */

static void create(struct net_node *node, const char *type, const char *field, const char *value,
                   char out_id[32])
{
    const struct cairn_field_value fields[] = {{field, value}};
    const struct cairn_put put = {
        .type = type, .scope = NET_VILLAGE, .fields = fields, .field_count = 1};
    struct cairn_put_result result;

    net_must(cairn_put_many(node->replica, &put, 1, &result, NULL, &net_err));
    memcpy(out_id, result.id, 32);
}

static enum cairn_status change(struct net_node *node, const char *id, const char *field,
                                const char *value, enum cairn_put_operation operation)
{
    const struct cairn_field_value fields[] = {{field, value}};
    const struct cairn_put put = {.type = "household",
                                  .id = id,
                                  .fields = fields,
                                  .field_count = 1,
                                  .operations = &operation};
    struct cairn_put_result result;

    return cairn_put_many(node->replica, &put, 1, &result, NULL, &net_err);
}

static void add(struct net_node *node, const char *id, const char *field, const char *value)
{
    net_must(change(node, id, field, value, CAIRN_PUT_ADD));
}

static void take(struct net_node *node, const char *id, const char *field, const char *value)
{
    net_must(change(node, id, field, value, CAIRN_PUT_REMOVE));
}

static const struct cairn_field_state *field_get(struct net_node *node, const char *id,
                                                 const char *field)
{
    const struct cairn_record *record;

    net_must(cairn_get(node->replica, id, &record, &net_err));
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, field) == 0)
            return &record->fields[i];
    return NULL;
}

static int text_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The elements of a set in order, with a bar between them; of another field the shown value. */
static void expect_shown(struct net_node *node, const char *id, const char *field,
                         const char *expected)
{
    const struct cairn_field_state *found = field_get(node, id, field);
    const char *values[64];
    char text[512] = "";
    size_t count = found == NULL ? 0 : found->kind == CAIRN_FIELD_SET ? found->version_count : 1;

    assert_in_range(count, 0, 64);
    for (size_t i = 0; i < count; i++)
        values[i] = found->versions[i].value;
    qsort(values, count, sizeof values[0], text_compare);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(text);
        snprintf(text + size, sizeof text - size, "%s%s", i > 0 ? "|" : "", values[i]);
    }
    assert_string_equal(text, expected);
}

static void expect_everywhere(const char *id, const char *field, const char *expected)
{
    struct net_node *all[] = {&station, &peer, &township, &net.office, &net.server};

    for (size_t i = 0; i < 5; i++)
        expect_shown(all[i], id, field, expected);
    for (size_t i = 0; i < 4; i++)
        net_agree(all[i], &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
}

static enum cairn_status step(struct net_node *node, const char *id, const char *move,
                              unsigned keep, struct cairn_version *out_standing)
{
    const struct cairn_step one = {.id = id, .move = move, .keep = keep};
    const struct cairn_version *standing;
    enum cairn_status status = cairn_step(node->replica, &one, &standing, &net_err);

    if (status == CAIRN_OK)
        *out_standing = *standing;
    return status;
}

static void step_to(struct net_node *node, const char *id, const char *move, const char *state,
                    const char *next_role)
{
    struct cairn_version standing;

    net_must(step(node, id, move, 0, &standing));
    assert_string_equal(standing.value, state);
    if (next_role == NULL)
        assert_null(standing.under_way.move);
    else
        assert_string_equal(standing.under_way.role, next_role);
}

static void expect_refused(enum cairn_status status, enum cairn_status expected)
{
    net_expect(status, expected);
    assert_non_null(strstr(net_err.text, "Nothing was written."));
}

static void carry(struct net_node *from, struct net_node *to)
{
    struct net_bytes bundle = net_bundle(from, false);

    net_bundle_read(to, bundle);
    free(bundle.data);
}

/* ---- sets and counters --------------------------------------------------------------------- */

static void what_two_stations_add_and_count_offline_is_all_there(void **state)
{
    char id[32];

    (void)state;
    create(&station, "household", "head", "扎西", id);
    sync_all();
    add(&station, id, "causes", "病");
    add(&station, id, "causes", "学");
    add(&peer, id, "causes", "学"); /* the same, unseen */
    add(&peer, id, "causes", "灾");
    add(&station, id, "points", "5");
    add(&peer, id, "points", "7");
    take(&peer, id, "points", "2");
    sync_all();
    expect_everywhere(id, "causes", "学|灾|病");
    expect_everywhere(id, "points", "10");
    assert_int_equal(net_conflict_count(&station), 0);
    take(&station, id, "causes", "学"); /* both, now that it sees both */
    net_must(change(&peer, id, "points", "3", CAIRN_PUT_SET));
    sync_all();
    expect_everywhere(id, "causes", "灾|病");
    expect_everywhere(id, "points", "3");
}

static void an_element_added_again_unseen_outlives_its_removal(void **state)
{
    char id[32];

    (void)state;
    create(&station, "household", "head", "扎西", id);
    add(&station, id, "causes", "病");
    sync_all();
    take(&station, id, "causes", "病");
    take(&peer, id, "causes", "病");
    add(&peer, id, "causes", "病");
    sync_all();
    expect_everywhere(id, "causes", "病");
    expect_refused(change(&station, id, "causes", "水", CAIRN_PUT_REMOVE), CAIRN_BAD_INPUT);
}

static void a_set_that_is_set_holds_exactly_what_is_given(void **state)
{
    char id[32];

    (void)state;
    create(&station, "household", "causes", "病|学", id); /* a create with elements */
    expect_shown(&station, id, "causes", "学|病");
    net_must(change(&station, id, "causes", "病|灾", CAIRN_PUT_SET));
    sync_all();
    expect_everywhere(id, "causes", "灾|病");
}

static void many_counts_of_one_device_are_gathered_and_none_is_lost(void **state)
{
    char id[32];

    (void)state;
    create(&station, "household", "points", "1", id);
    for (unsigned i = 0; i < 50; i++)
        add(&station, id, "points", "1");
    carry(&station, &peer);
    add(&peer, id, "points", "100");
    for (unsigned i = 0; i < 20; i++)
        take(&station, id, "points", "1");
    sync_all();
    expect_everywhere(id, "points", "131");
}

/* ---- steps --------------------------------------------------------------------------------- */

static void village_township_and_county_move_a_household_in_that_order(void **state)
{
    char id[32];

    (void)state;
    create(&station, "household", "head", "扎西", id);
    expect_shown(&station, id, "status", "identified"); /* without a step */
    step_to(&station, id, "register", "identified", "township");
    sync_all();
    step_to(&township, id, "register", "identified", "county");
    sync_all();
    step_to(&net.office, id, "register", "registered", NULL);
    sync_all();
    expect_everywhere(id, "status", "registered");
    step_to(&peer, id, "exit", "registered", "township");
    sync_all();
    expect_everywhere(id, "status", "registered");
    assert_int_equal(net_conflict_count(&net.server), 0);
}

static void a_skipped_or_foreign_step_is_refused_in_words(void **state)
{
    struct cairn_version standing;
    char id[32];

    (void)state;
    create(&station, "household", "head", "扎西", id);
    sync_all();
    expect_refused(step(&township, id, "register", 0, &standing), CAIRN_NO_RIGHT);
    expect_refused(step(&station, id, "exit", 0, &standing), CAIRN_BAD_INPUT);
    expect_refused(step(&station, id, "promote", 0, &standing), CAIRN_BAD_INPUT);
    expect_refused(step(&station, id, NULL, 0, &standing), CAIRN_BAD_INPUT);
    step_to(&station, id, "register", "identified", "township");
    sync_all();
    expect_refused(step(&net.office, id, "register", 0, &standing), CAIRN_NO_RIGHT);
    expect_refused(step(&peer, id, "register", 0, &standing), CAIRN_NO_RIGHT);
    expect_refused(step(&township, id, "exit", 0, &standing), CAIRN_BAD_INPUT);
    net_expect(change(&station, id, "status", "registered", CAIRN_PUT_SET), CAIRN_BAD_INPUT);
    expect_everywhere(id, "status", "identified");
}

static void a_move_under_way_is_given_up_and_begun_anew(void **state)
{
    char id[32];

    (void)state;
    create(&station, "household", "head", "扎西", id);
    step_to(&station, id, "register", "identified", "township");
    sync_all();
    step_to(&township, id, NULL, "identified", NULL);
    sync_all();
    step_to(&station, id, "register", "identified", "township");
    sync_all();
    expect_everywhere(id, "status", "identified");
    assert_string_equal(field_get(&net.office, id, "status")->versions[0].under_way.role,
                        "township");
}

static void two_steps_taken_unseen_are_a_conflict_that_the_next_step_settles(void **state)
{
    struct cairn_version standing;
    const char *value;
    char id[32];

    (void)state;
    create(&station, "household", "head", "扎西", id);
    sync_all();
    step_to(&station, id, "register", "identified", "township");
    step_to(&peer, id, "register", "identified", "township");
    sync_all();
    assert_int_equal(net_conflict_count(&township), 1);
    assert_int_equal(field_get(&township, id, "status")->version_count, 2);
    net_expect(cairn_settle(township.replica, id, "status", 1, NULL, "as agreed", &value, &net_err),
               CAIRN_BAD_INPUT);
    expect_refused(step(&township, id, "register", 3, &standing), CAIRN_BAD_INPUT);
    net_must(step(&township, id, "register", 2, &standing));
    sync_all();
    assert_int_equal(net_conflict_count(&station), 0);
    assert_int_equal(field_get(&peer, id, "status")->version_count, 1);
    expect_everywhere(id, "status", "identified");
}

/* ---- one household ------------------------------------------------------------------------- */

static void a_merge_said_on_both_sides_and_taken_back_converges(void **state)
{
    char one[32], two[32], expected[32];

    (void)state;
    create(&station, "household", "head", "扎西", one);
    create(&peer, "household", "head", "扎西", two);
    sync_all();
    net_must(cairn_same(station.replica, one, two, "one family", &net_err));
    net_must(cairn_same(peer.replica, one, two, "one family", &net_err));
    expect_refused(cairn_same(station.replica, one, two, NULL, &net_err), CAIRN_BAD_INPUT);
    sync_all();
    snprintf(expected, sizeof expected, "%s", two);
    expect_everywhere(one, "same", expected);
    net_must(cairn_apart(peer.replica, two, one, "two families", &net_err)); /* from either side */
    sync_all();
    expect_everywhere(one, "same", "");
    expect_refused(cairn_apart(station.replica, one, two, NULL, &net_err), CAIRN_BAD_INPUT);
}

static void a_merge_and_its_undoing_unseen_end_the_same_everywhere(void **state)
{
    char one[32], two[32];

    (void)state;
    create(&station, "household", "head", "扎西", one);
    create(&peer, "household", "head", "扎西", two);
    sync_all();
    net_must(cairn_same(station.replica, one, two, NULL, &net_err));
    sync_all();
    net_must(cairn_apart(station.replica, one, two, NULL, &net_err));
    net_must(cairn_apart(peer.replica, one, two, NULL, &net_err));
    net_must(cairn_same(peer.replica, two, one, NULL, &net_err)); /* said again, the other way */
    sync_all();
    expect_everywhere(one, "same", "");
    expect_everywhere(two, "same", one);
    expect_refused(cairn_same(station.replica, one, one, NULL, &net_err), CAIRN_BAD_INPUT);
}

static void a_merge_is_of_records_of_one_type_that_has_the_relation(void **state)
{
    char household[32], cadre[32], other[32];

    (void)state;
    create(&station, "household", "head", "扎西", household);
    create(&station, "cadre", "name", "卓玛", cadre);
    create(&station, "cadre", "name", "达娃", other);
    expect_refused(cairn_same(station.replica, household, cadre, NULL, &net_err), CAIRN_BAD_INPUT);
    expect_refused(cairn_same(station.replica, cadre, other, NULL, &net_err), CAIRN_BAD_INPUT);
    expect_refused(change(&station, household, "cadre", household, CAIRN_PUT_SET), CAIRN_BAD_INPUT);
    net_must(change(&station, household, "cadre", cadre, CAIRN_PUT_SET));
    sync_all();
    expect_everywhere(household, "cadre", cadre);
}

/* ---- two grades ---------------------------------------------------------------------------- */

static const struct cairn_record *get(struct net_node *node, const char *id)
{
    const struct cairn_record *record;

    net_must(cairn_get(node->replica, id, &record, &net_err));
    return record;
}

static void different_fields_written_unseen_are_parallel_and_merged(void **state)
{
    char id[32];

    (void)state;
    create(&station, "household", "head", "扎西", id);
    sync_all();
    net_must(change(&station, id, "income", "4100", CAIRN_PUT_SET));
    net_must(change(&peer, id, "members", "5", CAIRN_PUT_SET));
    assert_false(get(&station, id)->is_parallel);
    sync_all();
    assert_true(get(&station, id)->is_parallel);
    assert_false(get(&station, id)->has_conflict);
    assert_true(field_get(&township, id, "income")->is_parallel);
    assert_true(field_get(&township, id, "members")->is_parallel);
    expect_everywhere(id, "income", "4100");
    expect_everywhere(id, "members", "5");
    assert_int_equal(net_conflict_count(&station), 0);
    net_must(change(&peer, id, "members", "6", CAIRN_PUT_SET)); /* who has seen both */
    sync_all();
    assert_false(get(&station, id)->is_parallel);
}

static void one_field_written_unseen_is_a_conflict_and_not_parallel(void **state)
{
    char id[32];
    const char *value;

    (void)state;
    create(&station, "household", "head", "扎西", id);
    sync_all();
    net_must(change(&station, id, "income", "4100", CAIRN_PUT_SET));
    net_must(change(&peer, id, "income", "4200", CAIRN_PUT_SET));
    sync_all();
    assert_true(get(&township, id)->has_conflict);
    assert_false(get(&township, id)->is_parallel);
    net_must(cairn_settle(station.replica, id, "income", 2, NULL, "as visited", &value, &net_err));
    sync_all();
    assert_int_equal(net_conflict_count(&township), 0);
    expect_refused(
        cairn_settle(station.replica, id, "causes", 1, NULL, "as visited", &value, &net_err),
        CAIRN_BAD_INPUT);
}

/* ---- deleted and restored ------------------------------------------------------------------ */

/* A household with every kind of field, known to all. */
static void household(char out_id[32])
{
    create(&station, "household", "head", "扎西", out_id);
    add(&station, out_id, "causes", "病");
    add(&station, out_id, "points", "4");
    sync_all();
    add(&peer, out_id, "causes", "学");
    add(&peer, out_id, "points", "6");
    net_must(change(&peer, out_id, "phone", "13800000000", CAIRN_PUT_SET));
    step_to(&peer, out_id, "register", "identified", "township");
    sync_all();
}

static void a_deleted_record_comes_back_with_every_kind_of_field(void **state)
{
    char id[32];
    const char *value;

    (void)state;
    household(id);
    net_must(cairn_delete(station.replica, "household", id, "twice", &net_err));
    add(&peer, id, "causes", "水"); /* who had not seen it */
    add(&peer, id, "points", "3");
    sync_all();
    assert_true(get(&township, id)->has_conflict);
    expect_shown(&township, id, "causes", "水");
    expect_shown(&township, id, "points", "3");
    net_must(cairn_settle(station.replica, id, "deleted", 2, NULL, "not twice", &value, &net_err));
    sync_all();
    assert_false(get(&township, id)->is_deleted);
    assert_false(get(&township, id)->has_conflict);
    expect_everywhere(id, "head", "扎西");
    expect_everywhere(id, "phone", "13800000000");
    expect_everywhere(id, "points", "13");
    expect_everywhere(id, "causes", "学|水|病");
    expect_everywhere(id, "status", "identified");
    step_to(&township, id, "register", "identified", "county");
}

static void a_deletion_stands_beside_two_steps_taken_unseen(void **state)
{
    char id[32];

    (void)state;
    create(&station, "household", "head", "扎西", id);
    sync_all();
    step_to(&station, id, "register", "identified", "township");
    step_to(&peer, id, "register", "identified", "township");
    sync_all();
    net_must(cairn_delete(station.replica, "household", id, "twice", &net_err));
    sync_all();
    assert_true(get(&township, id)->is_deleted);
    assert_int_equal(net_conflict_count(&township), 0);
}

/* ---- a store that went back ---------------------------------------------------------------- */

static void unsynced_work_of_a_restored_store_counts_once(void **state)
{
    char id[32], other[32], cadre[32];

    (void)state;
    household(id);
    create(&station, "household", "head", "卓玛", other); /* from here on: not synced */
    create(&station, "cadre", "name", "达娃", cadre);
    add(&station, id, "causes", "灾");
    take(&station, id, "causes", "学");
    add(&station, id, "points", "5");
    take(&station, id, "points", "1");
    net_must(change(&station, id, "cadre", cadre, CAIRN_PUT_SET));
    net_must(cairn_same(station.replica, id, other, NULL, &net_err));
    step_to(&station, other, "register", "identified", "township");
    carry(&station, &peer); /* the originals, by hand */
    struct cairn_store *old = net_store_copy(station.store);
    add(&station, id, "points", "1000"); /* lost: nobody else has it */
    net_node_restore(&station, old);
    assert_true(cairn_replica_was_restored(station.replica));
    for (unsigned round = 0; round < 2; round++) {
        char now[32];
        expect_shown(&station, id, "causes", "灾|病");
        expect_shown(&station, id, "points", "14");
        /* What was created in the tail has another name until the originals return. */
        snprintf(now, sizeof now, "%s", field_get(&station, id, "same")->versions[0].value);
        assert_int_equal(field_get(&station, id, "same")->version_count, 1);
        expect_shown(&station, now, "head", "卓玛");
        assert_int_equal(strcmp(now, other) == 0, round == 1);
        assert_string_equal(field_get(&station, now, "status")->versions[0].under_way.role,
                            "township");
        assert_int_equal(field_get(&station, now, "status")->version_count, 1);
        carry(&peer, &station); /* the originals return */
    }
    sync_all();
    expect_everywhere(id, "causes", "灾|病");
    expect_everywhere(id, "points", "14");
    expect_everywhere(id, "cadre", cadre);
    assert_int_equal(net_conflict_count(&township), 0);
    add(&station, id, "points", "1");
    add(&peer, id, "points", "1");
    sync_all();
    expect_everywhere(id, "points", "16");
}

static void gathered_counts_of_a_restored_store_count_once(void **state)
{
    char id[32];

    (void)state;
    create(&station, "household", "head", "扎西", id);
    for (unsigned i = 0; i < 10; i++)
        add(&station, id, "points", "1");
    sync_all();
    for (unsigned i = 0; i < 25; i++)
        add(&station, id, "points", "1");
    carry(&station, &peer);
    struct cairn_store *old = net_store_copy(station.store);
    add(&station, id, "points", "1000");
    net_node_restore(&station, old);
    assert_true(cairn_replica_was_restored(station.replica));
    expect_shown(&station, id, "points", "35");
    add(&station, id, "points", "1");
    carry(&peer, &station);
    sync_all();
    expect_everywhere(id, "points", "36");
    for (unsigned i = 0; i < 20; i++)
        add(&station, id, "points", "1");
    sync_all();
    expect_everywhere(id, "points", "56");
}

static void counts_after_a_restore_are_no_others_when_the_originals_return(void **state)
{
    char id[32];

    (void)state;
    create(&station, "household", "head", "扎西", id);
    sync_all();
    for (unsigned i = 0; i < 20; i++)
        add(&station, id, "points", "1");
    carry(&station, &peer);
    struct cairn_store *old = net_store_copy(station.store);
    add(&station, id, "points", "1000");
    net_node_restore(&station, old);
    for (unsigned i = 0; i < 40; i++)
        add(&station, id, "points", "1"); /* on top of what was written again */
    expect_shown(&station, id, "points", "60");
    carry(&peer, &station); /* the originals return */
    expect_shown(&station, id, "points", "60");
    sync_all();
    expect_everywhere(id, "points", "60");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_two_stations_add_and_count_offline_is_all_there),
        T(an_element_added_again_unseen_outlives_its_removal),
        T(a_set_that_is_set_holds_exactly_what_is_given),
        T(many_counts_of_one_device_are_gathered_and_none_is_lost),
        T(village_township_and_county_move_a_household_in_that_order),
        T(a_skipped_or_foreign_step_is_refused_in_words),
        T(a_move_under_way_is_given_up_and_begun_anew),
        T(two_steps_taken_unseen_are_a_conflict_that_the_next_step_settles),
        T(a_merge_said_on_both_sides_and_taken_back_converges),
        T(a_merge_and_its_undoing_unseen_end_the_same_everywhere),
        T(a_merge_is_of_records_of_one_type_that_has_the_relation),
        T(different_fields_written_unseen_are_parallel_and_merged),
        T(one_field_written_unseen_is_a_conflict_and_not_parallel),
        T(a_deleted_record_comes_back_with_every_kind_of_field),
        T(a_deletion_stands_beside_two_steps_taken_unseen),
        T(unsynced_work_of_a_restored_store_counts_once),
        T(gathered_counts_of_a_restored_store_count_once),
        T(counts_after_a_restore_are_no_others_when_the_originals_return),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
