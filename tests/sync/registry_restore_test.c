/* What the registry holds after a deletion is taken back, or a store comes out of a backup: every
 * kind of field as it was, and nothing counted twice. */

#include "registry_net.h"

/* ---- deleted and restored ------------------------------------------------------------------ */

/* A household with every kind of field, known to all. */
static void household(char out_id[32])
{
    registry_create(&station, "household", "head", "扎西", out_id);
    registry_add(&station, out_id, "causes", "病");
    registry_add(&station, out_id, "points", "4");
    registry_sync_all();
    registry_add(&peer, out_id, "causes", "学");
    registry_add(&peer, out_id, "points", "6");
    net_must(registry_change(&peer, out_id, "phone", "13800000000", CAIRN_PUT_SET));
    registry_step_to(&peer, out_id, "register", "identified", "township");
    registry_sync_all();
}

static void a_deleted_record_comes_back_with_every_kind_of_field(void **state)
{
    char id[32];
    const char *value;

    (void)state;
    household(id);
    net_must(cairn_delete(station.replica, "household", id, "twice", &net_err));
    registry_add(&peer, id, "causes", "水"); /* who had not seen it */
    registry_add(&peer, id, "points", "3");
    registry_sync_all();
    assert_true(registry_get(&township, id)->has_conflict);
    registry_expect_shown(&township, id, "causes", "水");
    registry_expect_shown(&township, id, "points", "3");
    net_must(cairn_settle(station.replica, id, "deleted", 2, NULL, "not twice", &value, &net_err));
    registry_sync_all();
    assert_false(registry_get(&township, id)->is_deleted);
    assert_false(registry_get(&township, id)->has_conflict);
    registry_expect_everywhere(id, "head", "扎西");
    registry_expect_everywhere(id, "phone", "13800000000");
    registry_expect_everywhere(id, "points", "13");
    registry_expect_everywhere(id, "causes", "学|水|病");
    registry_expect_everywhere(id, "status", "identified");
    registry_step_to(&township, id, "register", "identified", "county");
}

static void a_deletion_stands_beside_two_steps_taken_unseen(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_sync_all();
    registry_step_to(&station, id, "register", "identified", "township");
    registry_step_to(&peer, id, "register", "identified", "township");
    registry_sync_all();
    net_must(cairn_delete(station.replica, "household", id, "twice", &net_err));
    registry_sync_all();
    assert_true(registry_get(&township, id)->is_deleted);
    assert_int_equal(net_conflict_count(&township), 0);
}

/* ---- a store that went back ---------------------------------------------------------------- */

static void unsynced_work_of_a_restored_store_counts_once(void **state)
{
    char id[32], other[32], cadre[32];

    (void)state;
    household(id);
    registry_create(&station, "household", "head", "卓玛", other); /* from here on: not synced */
    registry_create(&station, "cadre", "name", "达娃", cadre);
    registry_add(&station, id, "causes", "灾");
    registry_take(&station, id, "causes", "学");
    registry_add(&station, id, "points", "5");
    registry_take(&station, id, "points", "1");
    net_must(registry_change(&station, id, "cadre", cadre, CAIRN_PUT_SET));
    net_must(cairn_same(station.replica, id, other, NULL, &net_err));
    registry_step_to(&station, other, "register", "identified", "township");
    registry_carry(&station, &peer); /* the originals, by hand */
    struct cairn_store *old = store_copy(station.store);
    registry_add(&station, id, "points", "1000"); /* lost: nobody else has it */
    net_node_restore(&station, old);
    assert_true(cairn_replica_was_restored(station.replica));
    for (unsigned round = 0; round < 2; round++) {
        char now[32];
        registry_expect_shown(&station, id, "causes", "灾|病");
        registry_expect_shown(&station, id, "points", "14");
        /* What was created in the tail has another name until the originals return. */
        snprintf(now, sizeof now, "%s",
                 registry_field_get(&station, id, "same")->versions[0].value);
        assert_int_equal(registry_field_get(&station, id, "same")->version_count, 1);
        registry_expect_shown(&station, now, "head", "卓玛");
        assert_int_equal(strcmp(now, other) == 0, round == 1);
        assert_string_equal(registry_field_get(&station, now, "status")->versions[0].under_way.role,
                            "township");
        assert_int_equal(registry_field_get(&station, now, "status")->version_count, 1);
        registry_carry(&peer, &station); /* the originals return */
    }
    registry_sync_all();
    registry_expect_everywhere(id, "causes", "灾|病");
    registry_expect_everywhere(id, "points", "14");
    registry_expect_everywhere(id, "cadre", cadre);
    assert_int_equal(net_conflict_count(&township), 0);
    registry_add(&station, id, "points", "1");
    registry_add(&peer, id, "points", "1");
    registry_sync_all();
    registry_expect_everywhere(id, "points", "16");
}

static void gathered_counts_of_a_restored_store_count_once(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_count_up(&station, id, 10);
    registry_sync_all();
    registry_count_up(&station, id, 25);
    registry_carry(&station, &peer);
    struct cairn_store *old = store_copy(station.store);
    registry_add(&station, id, "points", "1000");
    net_node_restore(&station, old);
    assert_true(cairn_replica_was_restored(station.replica));
    registry_expect_shown(&station, id, "points", "35");
    registry_add(&station, id, "points", "1");
    registry_carry(&peer, &station);
    registry_sync_all();
    registry_expect_everywhere(id, "points", "36");
    registry_count_up(&station, id, 20);
    registry_sync_all();
    registry_expect_everywhere(id, "points", "56");
}

static void counts_after_a_restore_are_no_others_when_the_originals_return(void **state)
{
    char id[32];

    (void)state;
    registry_create(&station, "household", "head", "扎西", id);
    registry_sync_all();
    registry_count_up(&station, id, 20);
    registry_carry(&station, &peer);
    struct cairn_store *old = store_copy(station.store);
    registry_add(&station, id, "points", "1000");
    net_node_restore(&station, old);
    registry_count_up(&station, id, 40); /* on top of what was written again */
    registry_expect_shown(&station, id, "points", "60");
    registry_carry(&peer, &station); /* the originals return */
    registry_expect_shown(&station, id, "points", "60");
    registry_sync_all();
    registry_expect_everywhere(id, "points", "60");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(a_deleted_record_comes_back_with_every_kind_of_field),
        REGISTRY_TEST(a_deletion_stands_beside_two_steps_taken_unseen),
        REGISTRY_TEST(unsynced_work_of_a_restored_store_counts_once),
        REGISTRY_TEST(gathered_counts_of_a_restored_store_count_once),
        REGISTRY_TEST(counts_after_a_restore_are_no_others_when_the_originals_return),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
