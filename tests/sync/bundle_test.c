/* Bundles: everything held, in a file that a rider can carry, to those who may read it. */

#include "bundle_edit.h"
#include "cmocka_all.h"
#include "village.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS CAIRN_CHANNEL_RECORDS

static struct net_node elsewhere;

static int setup(void **state)
{
    (void)state;
    village_open(8);
    net_join(&net, &elsewhere, &net.office, "station", NET_OTHER_VILLAGE, "B1");
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_sync(&elsewhere, &net.server);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_node_close(&elsewhere);
    village_close();
    return 0;
}

static void expect_unread(struct net_node *node, struct net_bytes bundle,
                          enum cairn_status expected)
{
    struct cairn_bundle_report report;
    struct cairn_hash before = store_hash(node->store);

    net_expect(cairn_bundle_read(node->replica, net_bytes(bundle), &report, &net_err), expected);
    assert_string_not_equal(net_err.text, "");
    struct cairn_hash after = store_hash(node->store);
    assert_memory_equal(after.bytes, before.bytes, sizeof after.bytes);
}

static void every_reader_of_the_village_can_open_it_and_nobody_else(void **state)
{
    struct net_node *readers[] = {&a8, &net.office, &net.server};
    struct net other;

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    struct net_bytes bundle = net_bundle(&a7, false);
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        struct cairn_bundle_report report = net_bundle_read(readers[i], bundle);
        assert_int_equal(report.byte_count, bundle.size);
        assert_int_equal(net_status(readers[i]).record_count, 2);
    }
    expect_unread(&elsewhere, bundle, CAIRN_NO_KEY);
    net_open(&other, 88);
    expect_unread(&other.office, bundle, CAIRN_REFUSED);
    net_close(&other);
    free(bundle.data);
}

static void a_full_bundle_is_for_auditors_only(void **state)
{
    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    struct net_bytes bundle = net_bundle(&a7, true);
    expect_unread(&a8, bundle, CAIRN_REFUSED);
    const struct bundle_edit nothing = {.context = NULL};
    struct net_bytes unpacked = bundle_edited(bundle, &nothing);
    assert_true(unpacked.size > bundle.size);
    assert_null(memmem(unpacked.data, unpacked.size, "扎西", strlen("扎西")));
    free(unpacked.data);
    free(bundle.data);
}

static void reading_twice_changes_nothing(void **state)
{
    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    struct net_bytes bundle = net_bundle(&a7, false);
    net_bundle_read(&a8, bundle);
    assert_int_equal(net_bundle_read(&a8, bundle).entry_count, 0);
    assert_int_equal(net_status(&a8).record_count, 2);
    net_agree(&a7, &a8, NET_VILLAGE, RECORDS, 1);
    assert_int_equal(net_bundle_read(&a7, bundle).entry_count, 0); /* its own comes back */
    assert_int_equal(net_status(&a7).record_count, 2);
    free(bundle.data);
}

static void an_old_bundle_after_a_newer_one_changes_nothing(void **state)
{
    char id[32];

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", id);
    net_sync(&a7, &net.server);
    struct net_bytes old = net_bundle(&a7, false);
    net_set(&a7, id, "income", "4390");
    net_sync(&a7, &net.server);
    net_set(&a7, id, "members", "4");
    struct net_bytes newer = net_bundle(&a7, false);
    net_bundle_read(&a8, newer);
    net_bundle_read(&a8, old);
    assert_string_equal(net_value(&a8, id, "income", NULL), "4390");
    assert_string_equal(net_value(&a8, id, "members", NULL), "4");
    net_agree(&a7, &a8, NET_VILLAGE, RECORDS, 2);
    free(old.data);
    free(newer.data);
}

/* A7's card was copied: what A8 read of one copy, in one piece, is not what the server covered. */
static void a_branch_read_in_one_bundle_gives_way_to_the_one_that_the_server_covered(void **state)
{
    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    struct cairn_store *older = store_copy(a7.store);
    struct fake_ports ports = a7.ports;
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    struct net_bytes bundle = net_bundle(&a7, false);
    net_bundle_read(&a8, bundle);
    assert_int_equal(net_status(&a8).record_count, 2);
    a7.ports = ports; /* the mark goes back with the store */
    net_node_restore(&a7, older);
    net_put(&a7, NET_VILLAGE, "卓玛", NULL);
    net_put(&a7, NET_VILLAGE, "达娃", NULL);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    assert_int_equal(net_status(&a8).record_count, 3);
    net_agree(&a8, &net.server, NET_VILLAGE, RECORDS, 1);
    free(bundle.data);
}

static bool piece_add(void *context, struct cairn_bytes piece)
{
    (void)piece;
    return ++*(int *)context < 2;
}

static void a_writer_that_fails_is_said(void **state)
{
    struct cairn_bundle_report report;
    int pieces = 0;

    (void)state;
    net_expect(cairn_bundle_write(a7.replica, false, piece_add, &pieces, &report, &net_err),
               CAIRN_IO);
    assert_int_equal(pieces, 2);
}

static void several_megabytes_travel_in_many_parts(void **state)
{
    char text[1001];
    uint64_t seed = 3;

    (void)state;
    for (int n = 0; n < 3000; n++) {
        for (size_t i = 0; i + 1 < sizeof text; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[i] = (char)('!' + (seed >> 33) % 94);
        }
        text[sizeof text - 1] = '\0';
        net_put(&a7, NET_VILLAGE, text, NULL);
        if (n == 1000)
            net_sync(&a7, &net.server);
    }
    struct net_bytes bundle = net_bundle(&a7, false);
    assert_true(bundle.size > 2000000);
    net_bundle_read(&net.office, bundle);
    assert_int_equal(net_status(&net.office).record_count, 3000);
    net_agree(&a7, &net.office, NET_VILLAGE, RECORDS, 2);
    struct net_bytes cut = {bundle.data, bundle.size - 1};
    expect_unread(&a8, cut, CAIRN_MALFORMED);
    net_bundle_read(&a8, bundle);
    assert_int_equal(net_status(&a8).record_count, 3000);
    free(bundle.data);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_reader_of_the_village_can_open_it_and_nobody_else),
        TEST(a_full_bundle_is_for_auditors_only),
        TEST(reading_twice_changes_nothing),
        TEST(an_old_bundle_after_a_newer_one_changes_nothing),
        TEST(a_branch_read_in_one_bundle_gives_way_to_the_one_that_the_server_covered),
        TEST(a_writer_that_fails_is_said),
        TEST(several_megabytes_travel_in_many_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
