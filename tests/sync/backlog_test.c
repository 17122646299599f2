/* Much at once: what does not fit one message arrives whole, in order, and every stop is at a
 * checkpoint. */

#include "audited.h"
#include "cmocka_all.h"
#include "forge.h"
#include "net.h"
#include "replica_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BACKLOG 20000

static struct net net;

static int setup(void **state)
{
    (void)state;
    net_open(&net, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_close(&net);
    return 0;
}

/* One exchange after the other, and what is held after each of them ends at a stored checkpoint. */
static unsigned sync_in_steps(struct net_node *node, const char *village)
{
    bool again = true;
    unsigned rounds = 0;

    net_must(cairn_sync_begin(node->replica, &net_err));
    while (again) {
        struct net_bytes request = net_request(node);
        struct net_bytes reply = net_answer(&net.server, request);
        assert_in_range(request.size, 1, 65535);
        assert_in_range(reply.size, 1, 65535);
        again = net_take(node, reply);
        assert_true(net_ends_at_checkpoint(node, village, CAIRN_CHANNEL_RECORDS));
        free(request.data);
        free(reply.data);
        assert_in_range(++rounds, 1, 1000);
    }
    return rounds;
}

static void twenty_thousand_entries_go_up_and_come_down_whole(void **state)
{
    struct net_node a7, a8;

    (void)state;
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &a8, &net.office, "station", NET_VILLAGE, "A8");
    for (int i = 0; i < BACKLOG / 500; i++)
        net_put_many(&a7, NET_VILLAGE, 500);
    assert_int_equal(net_status(&a7).unreceived_count, BACKLOG);
    unsigned up = sync_in_steps(&a7, NET_VILLAGE);
    assert_in_range(up, 5, 60);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    assert_int_equal(net_status(&net.server).record_count, BACKLOG);
    net_agree(&a7, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 2);

    unsigned down = sync_in_steps(&a8, NET_VILLAGE);
    assert_in_range(down, 5, 60);
    assert_int_equal(net_status(&a8).record_count, BACKLOG);
    net_agree(&a8, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 2);
    assert_int_equal(net_sync(&a8, &net.server), 1);
    net_node_close(&a7);
    net_node_close(&a8);
}

/* Texts that cannot be packed: what came in two requests of one commit must still fit one reply. */
static void put_noise(struct net_node *node, uint64_t *seed, size_t count)
{
    char text[1001];

    for (size_t n = 0; n < count; n++) {
        for (size_t i = 0; i + 1 < sizeof text; i++) {
            *seed = *seed * 6364136223846793005u + 1442695040888963407u;
            text[i] = (char)('!' + (*seed >> 33) % 94);
        }
        text[sizeof text - 1] = '\0';
        net_put(node, NET_VILLAGE, text, NULL);
    }
}

static void what_two_stations_bring_in_one_commit_still_fits_a_reply(void **state)
{
    struct net_node a7, a8, a9;
    struct cairn_serve *serves[2];
    struct cairn_serve_commit commit;
    uint64_t seed = 7;

    (void)state;
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &a8, &net.office, "station", NET_VILLAGE, "A8");
    net_join(&net, &a9, &net.office, "station", NET_VILLAGE, "A9");
    put_noise(&a7, &seed, 20);
    put_noise(&a8, &seed, 56);
    struct net_node *stations[] = {&a7, &a8};
    for (int i = 0; i < 2; i++) {
        net_must(cairn_sync_begin(stations[i]->replica, &net_err));
        struct net_bytes request = net_request(stations[i]);
        net_must(cairn_serve_open(net.server.replica, net_bytes(request), &serves[i], &net_err));
        free(request.data);
    }
    net_must(cairn_serve_commit(net.server.replica, serves, 2, &commit, &net_err));
    assert_int_equal(commit.refused_count, 0);
    cairn_serve_free(serves[0]);
    cairn_serve_free(serves[1]);
    sync_in_steps(&a9, NET_VILLAGE);
    sync_in_steps(&a7, NET_VILLAGE);
    sync_in_steps(&a8, NET_VILLAGE);
    assert_int_equal(net_status(&a9).record_count, net_status(&net.server).record_count);
    sync_in_steps(&a9, NET_VILLAGE);
    assert_int_equal(net_status(&a9).record_count, 76);
    net_agree(&a9, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 2);
    net_node_close(&a7);
    net_node_close(&a8);
    net_node_close(&a9);
}

static void what_a_bundle_brings_to_a_server_still_fits_its_replies(void **state)
{
    struct net_node a7, a8;
    uint64_t seed = 9;

    (void)state;
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &a8, &net.office, "station", NET_VILLAGE, "A8");
    put_noise(&a7, &seed, 300);
    struct net_bytes bundle = net_bundle(&a7, false);
    net_bundle_read(&net.server, bundle);
    sync_in_steps(&a8, NET_VILLAGE);
    assert_int_equal(net_status(&a8).record_count, 300);
    net_agree(&a8, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 6);
    net_node_close(&a7);
    net_node_close(&a8);
    free(bundle.data);
}

/* A8 holds what the server lost, and has it from a bundle alone. */
static void what_a_bundle_brought_can_be_given_back(void **state)
{
    struct net_node a7, a8;
    uint64_t seed = 10;

    (void)state;
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &a8, &net.office, "station", NET_VILLAGE, "A8");
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    struct cairn_store *older = store_copy(net.server.store);
    put_noise(&a7, &seed, 300);
    sync_in_steps(&a7, NET_VILLAGE);
    struct net_bytes bundle = net_bundle(&a7, false);
    net_bundle_read(&a8, bundle);
    net_node_restore(&net.server, older);
    sync_in_steps(&a8, NET_VILLAGE);
    assert_int_equal(net_status(&net.server).record_count, 300);
    net_agree(&a8, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 6);
    net_node_close(&a7);
    net_node_close(&a8);
    free(bundle.data);
}

static void one_commit_of_six_thousand_households_goes_up_in_several_messages(void **state)
{
    struct net_node a7;

    (void)state;
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_put_many(&a7, NET_VILLAGE, 6000);
    assert_in_range(sync_in_steps(&a7, NET_VILLAGE), 2, 20);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    assert_int_equal(net_status(&net.server).record_count, 6000);
    net_sync(&net.office, &net.server);
    net_agree(&net.office, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 2);
    net_node_close(&a7);
}

#define VILLAGES 165

static void an_office_follows_all_its_villages(void **state)
{
    struct net_node *stations = calloc(VILLAGES, sizeof *stations);
    struct net_node other;
    char scope[16], tag[8];

    (void)state;
    assert_non_null(stations);
    for (int i = 0; i < VILLAGES; i++) {
        snprintf(scope, sizeof scope, "513332100%03d", i + 1);
        snprintf(tag, sizeof tag, "V%d", i);
        net_join(&net, &stations[i], &net.office, "station", scope, tag);
        net_put_many(&stations[i], scope, 20);
        net_sync(&stations[i], &net.server);
    }
    unsigned rounds = net_sync(&net.office, &net.server);
    assert_in_range(rounds, 2, 20);
    assert_int_equal(net_status(&net.office).record_count, VILLAGES * 20);
    assert_int_equal(net_sync(&net.office, &net.server), 1);

    /* All of them move, and the office holds more of the root than the server did when
     * it signed. */
    for (int i = 0; i < VILLAGES; i++) {
        snprintf(scope, sizeof scope, "513332100%03d", i + 1);
        net_put_many(&stations[i], scope, 1);
        net_sync(&stations[i], &net.server);
    }
    net_join(&net, &other, &net.root, "county", "513333", "D");
    struct net_bytes bundle = net_bundle(&net.root, false);
    net_bundle_read(&net.office, bundle);
    rounds = net_sync(&net.office, &net.server);
    assert_in_range(rounds, 2, 8);
    assert_int_equal(net_status(&net.office).record_count, VILLAGES * 21);
    for (int i = 0; i < VILLAGES; i++) {
        snprintf(scope, sizeof scope, "513332100%03d", i + 1);
        net_agree(&net.office, &net.server, scope, CAIRN_CHANNEL_RECORDS, 2);
        net_node_close(&stations[i]);
    }
    net_node_close(&other);
    free(bundle.data);
    free(stations);
}

/* An authority log that no sequencer covers and that does not fit one message. */
static void a_long_log_of_the_root_reaches_the_server_in_several_messages(void **state)
{
    struct net_node a7, device;
    char scope[16], tag[8];

    (void)state;
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_sync(&net.office, &net.server);
    for (int i = 0; i < 300; i++) {
        snprintf(scope, sizeof scope, "5134%02d", i % 90 + 10);
        snprintf(tag, sizeof tag, "D%d", i);
        net_join(&net, &device, &net.root, "county", scope, tag);
        net_node_close(&device);
    }
    struct net_bytes bundle = net_bundle(&net.root, false);
    net_bundle_read(&net.office, bundle);
    uint64_t known = net_status(&net.office).grant_count;
    assert_true(known > 300);
    assert_in_range(net_sync(&net.office, &net.server), 2, 20);
    assert_int_equal(net_status(&net.server).grant_count, known);
    assert_in_range(net_sync(&a7, &net.server), 2, 20);
    assert_int_equal(net_status(&a7).grant_count, known);
    assert_int_equal(net_sync(&net.office, &net.server), 1);
    net_node_close(&a7);
    free(bundle.data);
}

/* Of the grants a part shows some 460, and the next part the rest, which it remembers to have
 * shown; what fills it up besides are logs of the root. Then come the logs of the first. */
#define GRANTS 718
#define HOUSEHOLDS 1180
#define WRITERS 330

/* A log of `node` with nothing but its basis goes to `other`, past the exchange. */
static void basis_hand_over(struct net_node *node, struct net_node *other)
{
    static struct forged_log log;
    struct cairn_context *ctx = &other->replica->ctx;
    enum cairn_outcome outcome;
    uint32_t no;

    forge_log(node, (struct cairn_scope){513332100201}, 0, CAIRN_RUN_SECRET, &log);
    const struct cairn_apply_input input = {
        .scope = log.scope, .channel = log.channel, .run = &log.run};
    cairn_replica_fresh(other->replica, &net_err);
    net_must(cairn_context_begin(ctx, CAIRN_TXN_WRITE));
    net_must(cairn_apply_run(ctx, &input, &outcome, &no));
    net_must(cairn_context_commit(ctx));
    assert_int_equal(outcome, CAIRN_OUTCOME_ACCEPTED);
}

static void a_bundle_of_many_devices_is_written_whole(void **state)
{
    char tag[8];

    (void)state;
    for (int i = 0; i < GRANTS; i++) {
        struct net_node device;
        snprintf(tag, sizeof tag, "D%d", i);
        net_join(&net, &device, &net.root, "station", NET_VILLAGE, tag);
        if (i < WRITERS)
            basis_hand_over(&device, &net.root);
        net_node_close(&device);
    }
    net_put_many(&net.root, "513332100101", HOUSEHOLDS);
    struct net_bytes bundle = net_bundle(&net.root, true);
    assert_true(bundle.size > 400000); /* several parts, one full of links */
    struct net_bytes statement = net_root_statement(&net), none = {NULL, 0};
    struct cairn_audit_report report = audited(statement, bundle, none);
    audited_clean(&report);
    assert_true(report.grant_count >= GRANTS);
    assert_true(report.log_count > WRITERS);
    assert_true(report.entry_count >= HOUSEHOLDS + WRITERS);
    free(statement.data);
    free(bundle.data);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(twenty_thousand_entries_go_up_and_come_down_whole),
        TEST(what_two_stations_bring_in_one_commit_still_fits_a_reply),
        TEST(what_a_bundle_brings_to_a_server_still_fits_its_replies),
        TEST(what_a_bundle_brought_can_be_given_back),
        TEST(one_commit_of_six_thousand_households_goes_up_in_several_messages),
        TEST(an_office_follows_all_its_villages),
        TEST(a_bundle_of_many_devices_is_written_whole),
        TEST(a_long_log_of_the_root_reaches_the_server_in_several_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
