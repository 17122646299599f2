/* Every call of the store fails once, in every operation that changes something: the operation says
 * so, nothing is half changed, no transaction stays open, and done again it succeeds. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "holder.h"
#include "machine.h"
#include "replica_internal.h"

static struct machine root, office, server, station, peer, guest;
static char household[32];
static struct block message; /* what the operation takes in */

static int setup(void **state)
{
    (void)state;
    machine_init(&root, 1, "root", "51");
    machine_init(&office, 2, "office", NULL);
    machine_init(&server, 3, "server", NULL);
    machine_init(&station, 4, "station", NULL);
    machine_init(&peer, 5, "peer", NULL);
    machine_init(&guest, 6, "guest", NULL);
    machine_join(&office, &root, "county", "513332", "C");
    machine_join(&server, &office, "server", "513332", "S");
    machine_join(&station, &office, "station", "513332100201", "A7");
    machine_join(&peer, &office, "station", "513332100201", "A8");
    machine_must(&station, machine_create(&station, "扎西", household));
    machine_sync(&office, &server);
    machine_sync(&station, &server);
    machine_sync(&peer, &server);
    machine_sync(&station, &server);
    message = (struct block){NULL, 0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(message.data);
    machine_free(&guest);
    machine_free(&peer);
    machine_free(&station);
    machine_free(&server);
    machine_free(&office);
    machine_free(&root);
    return 0;
}

/* ---- the loop ---- */

static char *describe(struct machine *machine)
{
    struct cairn_context *ctx = &machine->replica->ctx;

    ctx->err = NULL;
    return context_describe(ctx);
}

typedef enum cairn_status operation(void);

static void expect_nothing_open(struct machine *machine, long n)
{
    if (machine->store.txns_open != 0 || machine->store.ranges_open != 0)
        fail_msg("call %ld: %ld transactions and %ld ranges stay open", n, machine->store.txns_open,
                 machine->store.ranges_open);
}

/* `act` changes `machine`; when it fails it is done again with the next call failing. */
static void fail_each_call(struct machine *machine, operation *act)
{
    char *before = describe(machine);
    struct cairn_status_report was = machine_status(machine);
    bool is_done = false;

    for (long n = 0; !is_done; n++) {
        assert_true(n < 20000);
        store_fault_arm(&machine->store, n, CAIRN_IO);
        machine->err.text[0] = '\0';
        enum cairn_status status = act();
        bool was_reached = !store_fault_is_armed(&machine->store);
        store_fault_arm(&machine->store, -1, CAIRN_OK);
        expect_nothing_open(machine, n);
        is_done = status == CAIRN_OK;
        if (is_done)
            continue;
        if (!was_reached || status != CAIRN_IO || machine->err.text[0] == '\0')
            fail_msg("call %ld: %s \"%s\"", n, cairn_status_name(status), machine->err.text);
        char *after = describe(machine);
        struct cairn_status_report now = machine_status(machine);
        expect_same_text(after, before, "it failed and something is changed");
        assert_int_equal(now.record_count, was.record_count);
        assert_int_equal(now.unreceived_count, was.unreceived_count);
        assert_int_equal(now.grant_count, was.grant_count);
        assert_int_equal(now.is_joined, was.is_joined);
        assert_int_equal(now.conflict_count, was.conflict_count);
        free(after);
    }
    free(before);
}

/* ---- operations ---- */

static enum cairn_status act_create(void)
{
    char id[32];

    return machine_create(&station, "卓玛", id);
}

static void creating_a_record_is_whole_or_nothing(void **state)
{
    (void)state;
    fail_each_call(&station, act_create);
    assert_int_equal(machine_status(&station).record_count, 2);
    assert_int_equal(machine_status(&station).unreceived_count, 1);
}

static enum cairn_status act_set(void)
{
    return machine_set(&station, household, "income", "5000");
}

static void changing_a_record_is_whole_or_nothing(void **state)
{
    (void)state;
    fail_each_call(&station, act_set);
    assert_int_equal(machine_status(&station).unreceived_count, 1);
}

static enum cairn_status act_settle(void)
{
    const char *value;

    return cairn_settle(station.replica, household, "income", 1, NULL, "receipt seen", &value,
                        &station.err);
}

static void settling_a_conflict_is_whole_or_nothing(void **state)
{
    (void)state;
    machine_must(&station, machine_set(&station, household, "income", "1"));
    machine_must(&peer, machine_set(&peer, household, "income", "2"));
    machine_sync(&peer, &server);
    machine_sync(&station, &server);
    assert_int_equal(machine_status(&station).conflict_count, 1);
    fail_each_call(&station, act_settle);
    assert_int_equal(machine_status(&station).conflict_count, 0);
}

static enum cairn_status act_read(void)
{
    return machine_read(&station, message);
}

static void reading_a_bundle_is_whole_or_nothing(void **state)
{
    char id[32];

    (void)state;
    machine_must(&peer, machine_create(&peer, "次仁", id));
    machine_must(&peer, machine_set(&peer, household, "income", "7"));
    message = machine_bundle(&peer);
    fail_each_call(&station, act_read);
    assert_int_equal(machine_status(&station).record_count, 2);
}

static enum cairn_status act_join(void)
{
    struct cairn_join_report report;
    const struct cairn_bytes invitation = {message.data, message.size};

    return cairn_join(guest.replica, invitation, &report, &guest.err);
}

static void joining_is_whole_or_nothing(void **state)
{
    (void)state;
    machine_must(&office,
                 machine_invite(&guest, &office, "station", "513332100201", "A9", &message));
    fail_each_call(&guest, act_join);
    assert_true(machine_status(&guest).is_joined);
}

static enum cairn_status act_grant(void)
{
    return machine_invite(&guest, &office, "station", "513332100201", "A9", &message);
}

static void granting_is_whole_or_nothing(void **state)
{
    (void)state;
    uint64_t grants = machine_status(&office).grant_count;
    fail_each_call(&office, act_grant);
    assert_int_equal(machine_status(&office).grant_count, grants + 1);
}

/* An exchange that failed is begun again, as the programs do. */
static enum cairn_status act_exchange(void)
{
    struct cairn_bytes request;
    bool again;

    enum cairn_status status = cairn_sync_begin(station.replica, &station.err);
    if (status == CAIRN_OK)
        status = cairn_sync_request(station.replica, &request, &station.err);
    if (status != CAIRN_OK)
        return status;
    struct block reply = machine_answer(&server, request);
    status = cairn_sync_reply(station.replica, (struct cairn_bytes){reply.data, reply.size}, &again,
                              &station.err);
    free(reply.data);
    return status;
}

static void an_exchange_is_whole_or_nothing(void **state)
{
    (void)state;
    machine_must(&peer, machine_set(&peer, household, "income", "7"));
    machine_sync(&peer, &server);
    machine_must(&station, machine_set(&station, household, "members", "7"));
    fail_each_call(&station, act_exchange);
    assert_int_equal(machine_status(&station).unreceived_count, 0);
}

static struct cairn_serve *serve;

static enum cairn_status act_serve(void)
{
    struct cairn_serve_commit commit;

    return cairn_serve_commit(server.replica, &serve, 1, &commit, &server.err);
}

static void a_servers_commit_is_whole_or_nothing(void **state)
{
    struct cairn_bytes request, reply;
    bool again;

    (void)state;
    machine_must(&station, machine_set(&station, household, "members", "7"));
    machine_must(&station, cairn_sync_begin(station.replica, &station.err));
    machine_must(&station, cairn_sync_request(station.replica, &request, &station.err));
    machine_must(&server, cairn_serve_open(server.replica, request, &serve, &server.err));
    fail_each_call(&server, act_serve);
    machine_must(&server, cairn_serve_reply(server.replica, serve, &reply, &server.err));
    machine_must(&station, cairn_sync_reply(station.replica, reply, &again, &station.err));
    assert_int_equal(machine_status(&station).unreceived_count, 0);
    cairn_serve_free(serve);
}

static void opening_a_store_that_was_restored_is_whole_or_nothing(void **state)
{
    enum cairn_status status = CAIRN_IO;

    (void)state;
    machine_must(&station, machine_set(&station, household, "members", "7"));
    machine_off(&station);
    fake_ports_move(&station.ports, 99);
    for (long n = 0; status != CAIRN_OK; n++) {
        assert_true(n < 20000);
        store_fault_arm(&station.store, n, CAIRN_IO);
        status = machine_on(&station);
        if (status != CAIRN_OK)
            assert_int_equal(status, CAIRN_IO);
        expect_nothing_open(&station, n);
    }
    store_fault_arm(&station.store, -1, CAIRN_OK);
    assert_true(cairn_replica_was_restored(station.replica));
    assert_int_equal(machine_status(&station).unreceived_count, 1);
    machine_sync(&station, &server);
    machine_sync(&station, &server);
    assert_int_equal(machine_status(&station).unreceived_count, 0);
    assert_int_equal(machine_status(&station).conflict_count, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(creating_a_record_is_whole_or_nothing),
        T(changing_a_record_is_whole_or_nothing),
        T(settling_a_conflict_is_whole_or_nothing),
        T(reading_a_bundle_is_whole_or_nothing),
        T(joining_is_whole_or_nothing),
        T(granting_is_whole_or_nothing),
        T(an_exchange_is_whole_or_nothing),
        T(a_servers_commit_is_whole_or_nothing),
        T(opening_a_store_that_was_restored_is_whole_or_nothing),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
