/* Deleting a record, and settling a deletion against edits that did not know of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "machine.h"

#define VILLAGE_TEXT "513332100201"

static struct machine root, office, server, station, peer;
static char household[32];

static int setup(void **state)
{
    (void)state;
    machine_init(&root, 1, "root", "51");
    machine_init(&office, 2, "office", NULL);
    machine_init(&server, 3, "server", NULL);
    machine_init(&station, 4, "station", NULL);
    machine_init(&peer, 5, "peer", NULL);
    machine_join(&office, &root, "county", "513332", "C");
    machine_join(&server, &office, "server", "513332", "S");
    machine_join(&station, &office, "station", VILLAGE_TEXT, "A7");
    machine_join(&peer, &office, "station", VILLAGE_TEXT, "A8");
    machine_must(&station, machine_create(&station, "扎西", household));
    machine_must(&station, machine_set(&station, household, "members", "4"));
    machine_sync(&office, &server);
    machine_sync(&station, &server);
    machine_sync(&peer, &server);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_free(&peer);
    machine_free(&station);
    machine_free(&server);
    machine_free(&office);
    machine_free(&root);
    return 0;
}

static enum cairn_status delete_at(struct machine *machine)
{
    return cairn_delete(machine->replica, "household", household, "moved away", &machine->err);
}

static enum cairn_status settle_at(struct machine *machine, unsigned keep, const char **out_value)
{
    return cairn_settle(machine->replica, household, "deleted", keep, NULL, "asked the village",
                        out_value, &machine->err);
}

static const char *value_at(struct machine *machine, const char *name)
{
    const struct cairn_record *record;

    machine_must(machine, cairn_get(machine->replica, household, &record, &machine->err));
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return record->fields[i].versions[0].value;
    return "(none)";
}

static void sync_both(void)
{
    machine_sync(&station, &server);
    machine_sync(&peer, &server);
    machine_sync(&station, &server);
}

static void expect_counts(struct machine *machine, uint64_t records, uint64_t conflicts)
{
    struct cairn_status_report report = machine_status(machine);

    assert_int_equal(report.record_count, records);
    assert_int_equal(report.conflict_count, conflicts);
}

/* The station deletes, the peer edits, neither knows of the other. */
static void contest(void)
{
    machine_must(&station, delete_at(&station));
    machine_must(&peer, machine_set(&peer, household, "income", "5000"));
    machine_sync(&peer, &server);
    sync_both();
    expect_counts(&station, 1, 1); /* an edit nobody saw keeps it: nothing is lost in silence */
    expect_counts(&peer, 1, 1);
}

static void a_deleted_record_is_listed_no_more_and_deleted_once(void **state)
{
    (void)state;
    machine_must(&station, delete_at(&station));
    expect_counts(&station, 0, 0);
    assert_int_equal(delete_at(&station), CAIRN_BAD_INPUT);
    assert_string_not_equal(station.err.text, "");
    sync_both();
    expect_counts(&peer, 0, 0);
}

static void a_deletion_of_another_type_is_bad_input(void **state)
{
    (void)state;
    assert_int_equal(cairn_delete(station.replica, "no such type", household, NULL, &station.err),
                     CAIRN_BAD_INPUT);
    expect_counts(&station, 1, 0);
}

static void a_contested_deletion_that_is_kept_deletes(void **state)
{
    const char *value;

    (void)state;
    contest();
    machine_must(&peer, settle_at(&peer, 1, &value));
    assert_string_equal(value, "deleted");
    sync_both();
    expect_counts(&peer, 0, 0);
    expect_counts(&station, 0, 0);
}

static void a_contested_deletion_that_is_not_kept_brings_the_record_back(void **state)
{
    const char *value;

    (void)state;
    contest();
    machine_must(&station, settle_at(&station, 2, &value));
    assert_string_equal(value, "restored");
    sync_both();
    machine_sync(&peer, &server);
    struct machine *both[] = {&station, &peer};
    for (size_t i = 0; i < 2; i++) {
        expect_counts(both[i], 1, 0);
        assert_string_equal(value_at(both[i], "income"), "5000"); /* the edit */
        assert_string_equal(value_at(both[i], "head"), "扎西");   /* and what was deleted */
        assert_string_equal(value_at(both[i], "members"), "4");
    }
}

static void without_a_contest_there_is_nothing_to_settle(void **state)
{
    const char *value;

    (void)state;
    assert_int_equal(settle_at(&station, 1, &value), CAIRN_BAD_INPUT);
    contest();
    assert_int_equal(settle_at(&station, 3, &value), CAIRN_BAD_INPUT);
    expect_counts(&station, 1, 1);
}

static void what_settling_needs_is_asked_for(void **state)
{
    const char *value;
    struct cairn_replica *replica = station.replica;

    (void)state;
    assert_int_equal(cairn_settle(replica, household, "income", 1, NULL, "", &value, &station.err),
                     CAIRN_BAD_INPUT);
    assert_int_equal(cairn_settle(replica, household, "income", 0, NULL, "x", &value, &station.err),
                     CAIRN_BAD_INPUT);
    assert_int_equal(cairn_settle(replica, household, "income", 1, NULL, "x", &value, &station.err),
                     CAIRN_BAD_INPUT);
    assert_int_equal(
        cairn_settle(replica, household, "nothing", 1, NULL, "x", &value, &station.err),
        CAIRN_BAD_INPUT);
    machine_must(&station, machine_set(&station, household, "income", "1"));
    machine_must(&peer, machine_set(&peer, household, "income", "2"));
    machine_sync(&peer, &server);
    sync_both();
    assert_int_equal(cairn_settle(replica, household, "income", 3, NULL, "x", &value, &station.err),
                     CAIRN_BAD_INPUT);
    assert_int_equal(
        cairn_settle(replica, household, "income", 0, "much", "x", &value, &station.err),
        CAIRN_BAD_INPUT);
    expect_counts(&station, 1, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_deleted_record_is_listed_no_more_and_deleted_once),
        T(a_deletion_of_another_type_is_bad_input),
        T(a_contested_deletion_that_is_kept_deletes),
        T(a_contested_deletion_that_is_not_kept_brings_the_record_back),
        T(without_a_contest_there_is_nothing_to_settle),
        T(what_settling_needs_is_asked_for),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
