/* A store that went back, moved or was copied: it must not go on in a log that others may hold
 * longer. It says so, begins a new incarnation, and what was not synced is written again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "holder.h"
#include "machine.h"
#include "replica_internal.h"

static struct machine root, office, server, station, peer; /* peer: of the same village */

static int setup(void **state)
{
    (void)state;
    machine_init(&root, 1, "root", "51");
    machine_init(&office, 2, "office", NULL);
    machine_init(&server, 3, "server", NULL);
    machine_init(&station, 4, "station", NULL);
    machine_join(&office, &root, "county", "513332", "C");
    machine_join(&server, &office, "server", "513332", "S");
    machine_init(&peer, 5, "peer", NULL);
    machine_join(&station, &office, "station", "513332100201", "A7");
    machine_join(&peer, &office, "station", "513332100201", "A8");
    machine_sync(&office, &server); /* the grants get round, so that bundles find their readers */
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

static void carry(struct machine *from, struct machine *to)
{
    struct block bundle = machine_bundle(from);

    machine_must(to, machine_read(to, bundle));
    free(bundle.data);
}

static void expect_same_records(struct machine *one, struct machine *other)
{
    struct cairn_hash digest[2];
    struct machine *both[2] = {one, other};
    bool is_comparable;

    for (unsigned i = 0; i < 2; i++) {
        struct cairn_context *ctx = &both[i]->replica->ctx;
        machine_must(both[i], cairn_context_begin(ctx, CAIRN_TXN_READ));
        machine_must(both[i], cairn_digest(ctx, (struct cairn_scope){VILLAGE},
                                           CAIRN_CHANNEL_RECORDS, &digest[i], &is_comparable));
        cairn_context_abort(ctx);
    }
    assert_memory_equal(digest[0].bytes, digest[1].bytes, 32);
}

static bool income_keep(void *context, const struct cairn_record *record)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, "income") == 0)
            snprintf(context, 32, "%s", record->fields[i].versions[0].value);
    return true;
}

/* Of the household that is listed last; kept until the next call. */
static const char *shown_income(struct machine *machine)
{
    static char income[32];

    income[0] = '\0';
    machine_must(machine, cairn_list(machine->replica, "household", NULL, 0, income_keep, income,
                                     &machine->err));
    return income;
}

static void a_store_that_is_as_it_was_left_goes_on(void **state)
{
    char id[32];

    (void)state;
    machine_must(&station, machine_create(&station, "扎西", id));
    machine_off(&station);
    machine_must(&station, machine_on(&station));
    assert_false(cairn_replica_was_restored(station.replica));
    assert_int_equal(machine_status(&station).record_count, 1);
}

static void a_store_that_went_back_begins_anew_and_agrees_with_who_holds_the_rest(void **state)
{
    char id[32], lost[32], next[32];

    (void)state;
    machine_must(&station, machine_create(&station, "扎西", id));
    struct cairn_store *old = machine_disk_copy(&station);
    machine_must(&station, machine_create(&station, "卓玛", lost));
    carry(&station, &peer); /* both records, by hand: no receipt */
    machine_off(&station);
    machine_disk_put(&station, old);
    machine_must(&station, machine_on(&station));
    assert_true(cairn_replica_was_restored(station.replica));
    assert_true(machine_status(&station).was_restored);
    assert_int_equal(machine_status(&station).record_count, 1);
    machine_must(&station, machine_create(&station, "达娃", next));
    assert_memory_equal(next, "A7-1", 4); /* a fresh block of numbers */

    carry(&peer, &station);
    carry(&station, &peer);
    assert_int_equal(machine_status(&station).record_count, 3);
    assert_int_equal(machine_status(&peer).record_count, 3);
    expect_same_records(&station, &peer);
    machine_sync(&station, &server);
    machine_sync(&peer, &server);
    machine_sync(&station, &server);
    expect_same_records(&station, &peer);
    expect_same_records(&station, &server);
    assert_int_equal(machine_status(&station).unreceived_count, 0);
}

/* Else a power cut leaves a mark that is older than what others hold, and the log forks. */
static void the_mark_is_on_disk_before_anything_leaves(void **state)
{
    unsigned long syncs = station.ports.mark_syncs;
    struct cairn_bytes request;
    struct machine guest;
    char id[32];

    (void)state;
    machine_must(&station, machine_create(&station, "扎西", id));
    assert_int_equal(station.ports.mark_syncs, syncs);
    struct block out = machine_bundle(&station);
    assert_int_equal(station.ports.mark_syncs, syncs + 1);
    free(out.data);

    machine_must(&station, machine_create(&station, "卓玛", id));
    machine_must(&station, cairn_sync_begin(station.replica, &station.err));
    machine_must(&station, cairn_sync_request(station.replica, &request, &station.err));
    assert_int_equal(station.ports.mark_syncs, syncs + 2);

    syncs = office.ports.mark_syncs;
    machine_init(&guest, 6, "guest", NULL);
    machine_must(&office, machine_invite(&guest, &office, "station", "513332100201", "A9", &out));
    assert_int_equal(office.ports.mark_syncs, syncs + 1);
    free(out.data);
    machine_free(&guest);
}

static void what_was_edited_by_others_survives_a_restore(void **state)
{
    char id[32];

    (void)state;
    machine_must(&station, machine_create(&station, "扎西", id));
    carry(&station, &peer);
    machine_must(&peer, machine_set(&peer, id, "income", "4390"));
    carry(&peer, &station);
    struct cairn_store *old = machine_disk_copy(&station);
    machine_must(&station, machine_set(&station, id, "members", "5"));
    machine_off(&station);
    machine_disk_put(&station, old);
    machine_must(&station, machine_on(&station));
    assert_true(cairn_replica_was_restored(station.replica));
    carry(&peer, &station);
    carry(&station, &peer);
    assert_int_equal(machine_status(&station).record_count, 1);
    assert_string_equal(shown_income(&station), "4390");
    assert_string_equal(shown_income(&peer), "4390");
    expect_same_records(&station, &peer);
}

static void a_store_that_went_back_after_sync_only_begins_anew(void **state)
{
    char id[32];

    (void)state;
    machine_must(&station, machine_create(&station, "扎西", id));
    machine_sync(&station, &server);
    machine_sync(&station, &server);
    struct cairn_store *old = machine_disk_copy(&station);
    machine_must(&station, machine_set(&station, id, "members", "5"));
    machine_sync(&station, &server);
    machine_off(&station);
    machine_disk_put(&station, old);
    machine_must(&station, machine_on(&station));
    assert_true(cairn_replica_was_restored(station.replica));
    machine_must(&station, machine_set(&station, id, "members", "6"));
    machine_sync(&station, &server);
    machine_sync(&station, &server);
    expect_same_records(&station, &server);
    assert_int_equal(machine_status(&station).conflict_count, 1); /* neither knew of the other */
}

static void a_store_in_another_place_begins_anew_once(void **state)
{
    char id[32];

    (void)state;
    machine_must(&station, machine_create(&station, "扎西", id));
    machine_off(&station);
    fake_ports_move(&station.ports, 99);
    machine_must(&station, machine_on(&station));
    assert_true(cairn_replica_was_restored(station.replica));
    assert_int_equal(machine_status(&station).record_count, 1);
    assert_int_equal(machine_status(&station).unreceived_count, 1); /* the old log is empty now */
    machine_off(&station);
    machine_must(&station, machine_on(&station));
    assert_false(cairn_replica_was_restored(station.replica));
}

/* The station's folder on a second machine; both are on afterwards. */
static void copy_begin(struct machine *copy)
{
    *copy = (struct machine){.ports = station.ports};
    machine_off(&station);
    fake_ports_move(&copy->ports, 77);
    copy->ports.seed[9] = 7;
    store_fault_init(&copy->store, machine_disk_copy(&station));
    machine_must(copy, machine_on(copy));
    machine_must(&station, machine_on(&station));
    assert_true(cairn_replica_was_restored(copy->replica));
    assert_false(cairn_replica_was_restored(station.replica));
}

static void a_copied_folder_and_its_original_do_not_fork(void **state)
{
    struct machine copy;
    char id[32], other[32];

    (void)state;
    machine_must(&station, machine_create(&station, "扎西", id));
    copy_begin(&copy);
    machine_must(&station, machine_create(&station, "卓玛", id));
    machine_must(&copy, machine_create(&copy, "达娃", other));
    machine_sync(&station, &server);
    machine_sync(&copy, &server);
    machine_sync(&station, &server);
    machine_sync(&copy, &server);
    assert_int_equal(machine_status(&server).record_count, 3);
    expect_same_records(&station, &server);
    expect_same_records(&copy, &server);
    machine_free(&copy);
}

/* The folder on another machine: what nobody has yet is written again in a new incarnation. */
static void move(struct machine *machine, uint64_t place)
{
    machine_off(machine);
    fake_ports_move(&machine->ports, place);
    machine_must(machine, machine_on(machine));
    assert_true(cairn_replica_was_restored(machine->replica));
}

static bool id_keep(void *context, const struct cairn_record *record)
{
    memcpy(context, record->id, sizeof record->id);
    return true;
}

/* Of the only household. */
static void shown_id(struct machine *machine, char out_id[static 32])
{
    machine_must(machine, cairn_list(machine->replica, "household", NULL, 0, id_keep, out_id,
                                     &machine->err));
}

struct references {
    struct machine *machine;
    const char *field;
    unsigned count;
};

static bool reference_add(void *context, const struct cairn_record *record)
{
    struct references *references = context;

    for (size_t i = 0; i < record->field_count; i++)
        references->count += strcmp(record->fields[i].name, references->field) == 0 &&
                             strcmp(record->fields[i].versions[0].value, "(not here)") != 0;
    return true;
}

/* How many records of the type name one that is here. */
static unsigned reference_count(struct machine *machine, const char *type, const char *field)
{
    struct references references = {machine, field, 0};

    machine_must(machine, cairn_list(machine->replica, type, NULL, 0, reference_add, &references,
                                     &machine->err));
    return references.count;
}

static void what_was_written_after_one_restore_comes_along_at_the_next(void **state)
{
    char id[32];

    (void)state;
    machine_must(&station, machine_create(&station, "扎西", id));
    carry(&station, &peer);
    move(&station, 99);
    carry(&peer, &station); /* the first edit is back, and what repeats it counts no more */
    assert_int_equal(machine_status(&station).record_count, 1);
    machine_must(&station, machine_set(&station, id, "income", "4390"));
    move(&station, 100); /* an edit of the second incarnation rests on one of the first */
    assert_int_equal(machine_status(&station).record_count, 1);
    machine_sync(&station, &server);
    machine_sync(&peer, &server); /* it still holds the first edit, which comes to the server now */
    machine_sync(&station, &server);
    machine_sync(&peer, &server);
    assert_int_equal(machine_status(&peer).unreceived_count, 0);
    expect_same_records(&station, &peer);
    expect_same_records(&station, &server);
    assert_string_equal(shown_income(&station), "4390");
}

static void what_repeats_an_edit_counts_again_when_that_one_is_given_up(void **state)
{
    struct machine copy;
    char id[32];

    (void)state;
    machine_must(&station, machine_create(&station, "扎西", id));
    copy_begin(&copy); /* it writes the edit again */
    carry(&copy, &station);
    assert_int_equal(machine_status(&station).record_count, 1);
    move(&station, 99); /* and so does the first, which gives up the one that both repeat */
    assert_int_equal(machine_status(&station).record_count, 2);
    carry(&station, &copy);
    carry(&copy, &peer);
    carry(&station, &peer);
    expect_same_records(&station, &peer);
    machine_free(&copy);
}

static void edits_of_what_repeats_an_edit_go_on_with_that_one_when_it_is_back(void **state)
{
    char id[32], again[32];

    (void)state;
    machine_must(&station, machine_create(&station, "扎西", id));
    carry(&station, &peer);
    move(&station, 99);
    shown_id(&station, again);
    machine_must(&station, machine_set(&station, again, "income", "4390"));
    carry(&peer, &station); /* the edit stands alone: what created its record counts no more */
    assert_int_equal(machine_status(&station).record_count, 2);
    move(&station, 100);
    assert_int_equal(machine_status(&station).record_count, 1);
    assert_int_equal(machine_status(&station).conflict_count, 0);
    assert_string_equal(shown_income(&station), "4390");
    machine_sync(&station, &server);
    machine_sync(&peer, &server); /* it still holds the first edit, which comes to all now */
    machine_sync(&station, &server);
    machine_sync(&peer, &server);
    assert_int_equal(machine_status(&station).conflict_count, 0);
    assert_string_equal(shown_income(&station), "4390");
    expect_same_records(&station, &peer);
    expect_same_records(&station, &server);
}

/* A new household of the office's, and a member of another household. */
static void put_in(const char *village, const char *type, const char *field, const char *value,
                   char out_id[static 32])
{
    const struct cairn_field_value fields[] = {{field, value}, {"name", "次仁"}};
    const struct cairn_put put = {.type = type,
                                  .scope = village,
                                  .fields = fields,
                                  .field_count = strcmp(type, "member") == 0 ? 2 : 1};
    struct cairn_put_result result;

    machine_must(&office, cairn_put_many(office.replica, &put, 1, &result, NULL, &office.err));
    memcpy(out_id, result.id, 32);
}

static void edits_of_several_villages_that_rest_on_each_other_come_along(void **state)
{
    static const char one[] = "513332100201", two[] = "513332100202";
    char household[2][32], member[2][32];

    (void)state;
    put_in(one, "household", "head", "扎西", household[0]);
    put_in(two, "member", "household", household[0], member[0]);
    put_in(two, "household", "head", "卓玛", household[1]);
    put_in(one, "member", "household", household[1], member[1]);
    move(&office, 99);
    assert_int_equal(machine_status(&office).record_count, 4);
    machine_sync(&office, &server);
    expect_same_records(&office, &server);
    assert_int_equal(machine_status(&office).refused_count, 0);
    assert_int_equal(machine_status(&office).unreceived_count, 0);
    assert_int_equal(reference_count(&office, "member", "household"), 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_store_that_is_as_it_was_left_goes_on),
        T(a_store_that_went_back_begins_anew_and_agrees_with_who_holds_the_rest),
        T(the_mark_is_on_disk_before_anything_leaves),
        T(what_was_edited_by_others_survives_a_restore),
        T(a_store_that_went_back_after_sync_only_begins_anew),
        T(a_store_in_another_place_begins_anew_once),
        T(a_copied_folder_and_its_original_do_not_fork),
        T(what_was_written_after_one_restore_comes_along_at_the_next),
        T(what_repeats_an_edit_counts_again_when_that_one_is_given_up),
        T(edits_of_what_repeats_an_edit_go_on_with_that_one_when_it_is_back),
        T(edits_of_several_villages_that_rest_on_each_other_come_along),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
