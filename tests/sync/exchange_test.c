/* The exchange between an honest station and an honest server, over a link that loses, repeats and
 * reorders. */

#include "cmocka_all.h"
#include "net.h"

#include <stdlib.h>
#include <string.h>

static struct net net;
static struct net_node a7, a8;

static int setup(void **state)
{
    (void)state;
    net_open(&net, 1);
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &a8, &net.office, "station", NET_VILLAGE, "A8");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_node_close(&a7);
    net_node_close(&a8);
    net_close(&net);
    return 0;
}

/* Where the exchange ends, everybody holds the same. */
static void assert_all_agree(void)
{
    net_agree(&a7, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
    net_agree(&a8, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
    net_agree(&net.office, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
}

static void first_contact_shows_the_chain_and_nobody_need_sync_before(void **state)
{
    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    assert_in_range(net_sync(&a7, &net.server), 1, 2);
    const struct cairn_sync_report *report = cairn_sync_report(a7.replica);
    assert_int_equal(report->sent_count, 1);
    assert_int_equal(report->received_count, 1);
    assert_int_equal(report->waiting_count, 0);
    assert_int_equal(net_status(&net.server).record_count, 1);
    net_agree(&a7, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);

    net_sync(&net.office, &net.server);
    net_sync(&a8, &net.server);
    assert_int_equal(net_status(&net.office).record_count, 1);
    assert_int_equal(net_status(&a8).record_count, 1);
    assert_all_agree();
}

static void edits_need_one_round_trip_however_many_they_are(void **state)
{
    char id[32];

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", id);
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);

    assert_int_equal(net_sync(&a7, &net.server), 1);
    assert_int_equal(cairn_sync_report(a7.replica)->sent_count, 0);
    assert_int_equal(cairn_sync_report(a7.replica)->got_count, 0);
    net_set(&a7, id, "income", "4390");
    assert_int_equal(net_sync(&a7, &net.server), 1);
    assert_int_equal(cairn_sync_report(a7.replica)->sent_count, 1);
    assert_int_equal(cairn_sync_report(a7.replica)->received_count, 1);
    for (int i = 0; i < 50; i++)
        net_set(&a7, id, "income", i % 2 == 0 ? "4400" : "4410");
    assert_int_equal(net_sync(&a7, &net.server), 1);
    assert_int_equal(cairn_sync_report(a7.replica)->sent_count, 50);
    assert_int_equal(cairn_sync_report(a7.replica)->received_count, 50);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    net_agree(&a7, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 3);
}

static void an_edit_is_received_only_when_a_checkpoint_covers_it(void **state)
{
    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    assert_int_equal(net_status(&a7).unreceived_count, 1);
    net_must(cairn_sync_begin(a7.replica, &net_err));
    struct net_bytes request = net_request(&a7);
    struct net_bytes reply = net_answer(&net.server, request);
    assert_int_equal(net_status(&a7).unreceived_count, 1);
    net_put(&a7, NET_VILLAGE, "次仁", NULL); /* written while the answer is on its way */
    while (
        net_take(&a7, reply)) { /* the state here is ahead of what was signed: asked for in full */
        assert_int_equal(net_status(&a7).unreceived_count, 2);
        free(request.data);
        free(reply.data);
        request = net_request(&a7);
        reply = net_answer(&net.server, request);
    }
    free(request.data);
    free(reply.data);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    assert_int_equal(net_status(&net.server).record_count, 2);
}

static void a_lost_request_is_harmless(void **state)
{
    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_must(cairn_sync_begin(a7.replica, &net_err));
    struct net_bytes lost = net_request(&a7);
    free(lost.data);
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    net_sync(&a7, &net.server);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    net_agree(&a7, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
}

static void a_lost_reply_is_harmless(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        net_put(&a7, NET_VILLAGE, "扎西", NULL);
        net_must(cairn_sync_begin(a7.replica, &net_err));
        struct net_bytes request = net_request(&a7);
        struct net_bytes lost = net_answer(&net.server, request);
        free(request.data);
        free(lost.data);
    }
    assert_int_equal(net_status(&a7).unreceived_count, 3);
    net_sync(&a7, &net.server);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    assert_int_equal(net_status(&net.server).record_count, 3);
    net_agree(&a7, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 3);
}

static void a_repeated_request_is_answered_and_changes_nothing(void **state)
{
    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_must(cairn_sync_begin(a7.replica, &net_err));
    struct net_bytes request = net_request(&a7);
    struct net_bytes first = net_answer(&net.server, request);
    uint64_t size = net_scope_size(&net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS);
    struct net_bytes second = net_answer(&net.server, request);
    assert_int_equal(net_scope_size(&net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS), size);
    assert_int_equal(net_status(&net.server).record_count, 1);
    (void)net_take(&a7, second); /* either answer will do */
    net_agree(&a7, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);

    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    net_sync(&a7, &net.server);
    struct net_bytes late =
        net_answer(&net.server, request); /* an old request, played again later */
    assert_int_equal(net_status(&net.server).record_count, 2);
    net_sync(&a7, &net.server);
    net_agree(&a7, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 2);
    free(request.data);
    free(first.data);
    free(second.data);
    free(late.data);
}

static void an_answer_to_another_request_is_refused_and_the_true_one_still_taken(void **state)
{
    bool again;

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_must(cairn_sync_begin(a7.replica, &net_err));
    struct net_bytes given_up = net_request(&a7);
    struct net_bytes stale = net_answer(&net.server, given_up);
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    struct net_bytes request = net_request(&a7);
    struct net_bytes reply = net_answer(&net.server, request);
    net_expect(cairn_sync_reply(a7.replica, net_bytes(stale), &again, &net_err),
               CAIRN_BAD_SIGNATURE);
    assert_string_not_equal(net_err.text, "");
    assert_int_equal(net_status(&a7).unreceived_count, 2);
    (void)net_take(&a7, reply);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    free(given_up.data);
    free(stale.data);
    free(request.data);
    free(reply.data);
}

static void an_answer_that_nobody_waits_for_is_refused(void **state)
{
    bool again;

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_must(cairn_sync_begin(a7.replica, &net_err));
    struct net_bytes request = net_request(&a7);
    struct net_bytes reply = net_answer(&net.server, request);
    (void)net_take(&a7, reply);
    net_err.text[0] = '\0';
    net_expect(cairn_sync_reply(a7.replica, net_bytes(reply), &again, &net_err), CAIRN_NO_ANSWER);
    assert_string_not_equal(net_err.text, "");
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    free(request.data);
    free(reply.data);
}

static void requests_that_arrive_in_the_wrong_order_end_in_the_same_state(void **state)
{
    (void)state;
    net_sync(&a7, &net.server);
    net_must(cairn_sync_begin(a7.replica, &net_err));
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    struct net_bytes first = net_request(&a7);
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    struct net_bytes second = net_request(&a7);
    struct net_bytes answers[] = {net_answer(&net.server, second), net_answer(&net.server, first)};
    (void)net_take(&a7, answers[0]);
    net_sync(&a7, &net.server);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    assert_int_equal(net_status(&net.server).record_count, 2);
    net_agree(&a7, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
    free(first.data);
    free(second.data);
    free(answers[0].data);
    free(answers[1].data);
}

static void two_stations_that_edit_different_fields_converge_without_a_conflict(void **state)
{
    char id[32];

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", id);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_set(&a7, id, "income", "4390");
    net_set(&a8, id, "members", "5");
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_sync(&a7, &net.server);
    net_sync(&net.office, &net.server);
    assert_all_agree();
    struct net_node *all[] = {&a7, &a8, &net.office, &net.server};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_string_equal(net_value(all[i], id, "income", NULL), "4390");
        assert_string_equal(net_value(all[i], id, "members", NULL), "5");
        assert_int_equal(net_conflict_count(all[i]), 0);
    }
}

static void two_stations_that_edit_one_field_list_the_same_conflict_until_one_settles(void **state)
{
    struct net_node *all[] = {&a7, &a8, &net.office, &net.server};
    const char *value;
    char id[32], shown[32];
    size_t versions;

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", id);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_set(&a7, id, "income", "4390");
    net_set(&a8, id, "income", "4410");
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    assert_int_equal(cairn_sync_report(a8.replica)->conflict_count, 1);
    net_sync(&a7, &net.server);
    net_sync(&net.office, &net.server);
    assert_all_agree();
    strcpy(shown, net_value(&a7, id, "income", NULL));
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(net_conflict_count(all[i]), 1);
        assert_string_equal(net_value(all[i], id, "income", &versions), shown);
        assert_int_equal(versions, 2);
    }
    net_must(cairn_settle(a8.replica, id, "income", 2, NULL, "receipt seen", &value, &net_err));
    net_sync(&a8, &net.server);
    net_sync(&a7, &net.server);
    net_sync(&net.office, &net.server);
    assert_all_agree();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        assert_int_equal(net_conflict_count(all[i]), 0);
        assert_string_not_equal(net_value(all[i], id, "income", &versions), shown);
        assert_int_equal(versions, 1);
    }
}

static void a_courier_uploads_what_a_bundle_brought_and_the_author_gets_the_receipt(void **state)
{
    (void)state;
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    struct net_bytes bundle = net_bundle(&a7, false);
    net_bundle_read(&a8, bundle);
    assert_int_equal(net_status(&a8).record_count, 1);
    net_sync(&a8, &net.server);
    assert_int_equal(net_status(&net.server).record_count, 1);
    assert_int_equal(cairn_sync_report(a8.replica)->sent_count, 0); /* it counts what is its own */
    net_sync(&a7, &net.server);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    assert_int_equal(cairn_sync_report(a7.replica)->received_count, 1);
    net_sync(&net.office, &net.server);
    assert_all_agree();
    free(bundle.data);
}

static void what_the_server_read_from_a_bundle_is_covered_when_its_author_syncs(void **state)
{
    (void)state;
    net_sync(&a7, &net.server);
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    struct net_bytes bundle = net_bundle(&a7, false);
    net_bundle_read(&net.server, bundle);
    assert_int_equal(net_status(&net.server).record_count, 1);
    net_sync(&a7, &net.server);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    net_agree(&a7, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
    free(bundle.data);
}

static void the_roots_log_read_by_the_office_reaches_the_server_and_the_stations(void **state)
{
    struct net_node other;

    (void)state;
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);
    uint64_t before = net_status(&a7).grant_count;
    net_join(&net, &other, &net.root, "county", "513333", "D");
    struct net_bytes bundle = net_bundle(&net.root, false);
    net_bundle_read(&net.office, bundle);
    uint64_t known = net_status(&net.office).grant_count;
    assert_true(known > before);
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);
    assert_int_equal(net_status(&net.server).grant_count, known);
    assert_int_equal(net_status(&a7).grant_count, known);
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    net_sync(&net.office, &net.server);
    net_agree(&net.office, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
    net_node_close(&other);
    free(bundle.data);
}

static void who_is_shut_out_learns_of_it_and_gets_no_more_records(void **state)
{
    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_sync(&net.office, &net.server);
    net_revoke(&net.office, &a8);
    net_sync(&net.office, &net.server);
    net_put(&a7, NET_VILLAGE, "卓玛", NULL);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    assert_int_equal(net_status(&a8).revocation_count, 1);
    assert_int_equal(net_status(&a8).record_count, 1);
    assert_int_equal(net_status(&net.server).record_count, 2);
    net_sync(&net.office, &net.server);
    net_agree(&net.office, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(first_contact_shows_the_chain_and_nobody_need_sync_before),
        TEST(edits_need_one_round_trip_however_many_they_are),
        TEST(an_edit_is_received_only_when_a_checkpoint_covers_it),
        TEST(a_lost_request_is_harmless),
        TEST(a_lost_reply_is_harmless),
        TEST(a_repeated_request_is_answered_and_changes_nothing),
        TEST(an_answer_to_another_request_is_refused_and_the_true_one_still_taken),
        TEST(an_answer_that_nobody_waits_for_is_refused),
        TEST(requests_that_arrive_in_the_wrong_order_end_in_the_same_state),
        TEST(two_stations_that_edit_different_fields_converge_without_a_conflict),
        TEST(two_stations_that_edit_one_field_list_the_same_conflict_until_one_settles),
        TEST(a_courier_uploads_what_a_bundle_brought_and_the_author_gets_the_receipt),
        TEST(what_the_server_read_from_a_bundle_is_covered_when_its_author_syncs),
        TEST(who_is_shut_out_learns_of_it_and_gets_no_more_records),
        TEST(the_roots_log_read_by_the_office_reaches_the_server_and_the_stations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
