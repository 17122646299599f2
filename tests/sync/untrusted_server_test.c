/* A server that is not what it should be: restored from an older copy, it takes back what it
 * signed; with another history, or signing what is not so, nothing of it is kept, it is said, and
 * nothing here is lost. */

#include "cmocka_all.h"
#include "village.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "replica_internal.h"

#define RECORDS CAIRN_CHANNEL_RECORDS

static int setup(void **state)
{
    (void)state;
    village_open(3);
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    village_close();
    return 0;
}

static void a_server_restored_from_an_older_copy_takes_back_what_it_signed(void **state)
{
    struct cairn_store *older;

    (void)state;
    net_put(&a8, NET_VILLAGE, "次仁", NULL);
    net_sync(&a8, &net.server);
    older = store_copy(net.server.store);
    net_put(&a8, NET_VILLAGE, "卓玛", NULL);
    net_sync(&a8, &net.server);
    net_sync(&a7, &net.server);
    net_put(&a7, NET_VILLAGE, "德吉", NULL);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    uint64_t size = net_scope_size(&a7, NET_VILLAGE, RECORDS);
    net_node_restore(&net.server, older);
    uint64_t size_behind = net_scope_size(&net.server, NET_VILLAGE, RECORDS);
    assert_true(size_behind < size);

    net_put(&a7, NET_VILLAGE, "达娃", NULL);
    net_put(&a8, NET_VILLAGE, "达瓦",
            NULL); /* a log of which the server knows all that was covered */
    struct net_node *stations[] = {&a7, &a8, &a7};
    for (int i = 0; i < 3; i++) {
        net_sync(stations[i], &net.server);
        assert_int_equal(net_status(stations[i]).unreceived_count, 0);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(net_status(stations[i]).record_count, 6);
    /* What it once signed is there again, and what is new stands behind it. */
    assert_int_equal(net_scope_size(&net.server, NET_VILLAGE, RECORDS), size + 2);
    assert_int_equal(net_scope_size(&a7, NET_VILLAGE, RECORDS), size + 2);
}

/* Also when the log that it is offered goes on exactly where its older copy ends. */
static void a_server_that_is_behind_covers_nothing_before_it_took_back(void **state)
{
    struct cairn_store *older;

    (void)state;
    net_put(&a8, NET_VILLAGE, "次仁", NULL);
    net_sync(&a8, &net.server);
    older = store_copy(net.server.store);
    net_put(&a7, NET_VILLAGE, "德吉", NULL);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    uint64_t size = net_scope_size(&a8, NET_VILLAGE, RECORDS);
    net_node_restore(&net.server, older);
    assert_true(net_scope_size(&net.server, NET_VILLAGE, RECORDS) < size);

    net_put(&a8, NET_VILLAGE, "达瓦", NULL);
    net_sync(&a8, &net.server);
    assert_int_equal(net_status(&a8).unreceived_count, 0);
    assert_int_equal(net_scope_size(&net.server, NET_VILLAGE, RECORDS), size + 1);
    net_sync(&a7, &net.server); /* and finds its own history there */
    assert_int_equal(net_status(&a7).record_count, 4);
}

/* The server goes back and covers something else at the same size. */
static void server_forks(void)
{
    struct cairn_store *older = store_copy(net.server.store);

    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    net_sync(&a7, &net.server);
    net_node_restore(&net.server, older);
    net_put(&a8, NET_VILLAGE, "卓玛", NULL);
    net_sync(&a8, &net.server);
    assert_int_equal(net_scope_size(&net.server, NET_VILLAGE, RECORDS),
                     net_scope_size(&a7, NET_VILLAGE, RECORDS));
}

static void a_server_with_another_history_is_found_by_its_roots(void **state)
{
    (void)state;
    server_forks();
    net_sync_ends(&a7, &net.server, CAIRN_FORKED);
    assert_non_null(strstr(net_err.text, "another history"));
    assert_int_equal(net_status(&a7).record_count, 2);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    net_sync_ends(&a7, &net.server, CAIRN_FORKED); /* and again the next time */
}

static void a_checkpoint_signed_with_another_key_is_not_kept(void **state)
{
    struct cairn_sign_secret good = net.server.replica->keys.checkpoint;

    (void)state;
    randombytes_buf(&net.server.replica->keys.checkpoint, 32);
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    uint64_t size = net_scope_size(&a7, NET_VILLAGE, RECORDS);
    net_sync_ends(&a7, &net.server, CAIRN_BAD_SIGNATURE);
    assert_non_null(strstr(net_err.text, "does not verify"));
    assert_int_equal(net_scope_size(&a7, NET_VILLAGE, RECORDS), size);
    assert_int_equal(net_status(&a7).unreceived_count, 1);
    assert_int_equal(net_status(&a7).record_count, 2);

    /* Once it signs again what it should, all is received. */
    net.server.replica->keys.checkpoint = good;
    net_put(&a8, NET_VILLAGE, "卓玛", NULL);
    net_sync(&a8, &net.server);
    net_sync(&a7, &net.server);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    net_agree(&a7, &net.server, NET_VILLAGE, RECORDS, 3);
}

/* ---- the server's store is altered under it ---- */

static struct cairn_key village_key(enum cairn_table table)
{
    return cairn_key_scope_channel(table, (struct cairn_scope){513332100201}, RECORDS);
}

static void a_checkpoint_over_another_root_is_not_kept(void **state)
{
    struct cairn_key key = village_key(CAIRN_TABLE_SCOPE);

    (void)state;
    net_flip(&net.server, &key, 20); /* in a peak of its tree */
    net_put(&a8, NET_VILLAGE, "卓玛", NULL);
    net_sync_ends(&a8, &net.server, CAIRN_FORKED);
    assert_non_null(strstr(net_err.text, "do not delete this store"));
    assert_int_equal(net_status(&a8).unreceived_count, 1);
    assert_int_equal(net_status(&a8).record_count, 2);
    assert_int_equal(net_scope_size(&a8, NET_VILLAGE, RECORDS), 1);
}

static void a_checkpoint_over_another_state_is_reported(void **state)
{
    struct cairn_key key = village_key(CAIRN_TABLE_DIGEST);

    (void)state;
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    net_sync(&a7, &net.server);
    for (size_t bucket = 0; bucket < 256; bucket++)
        net_flip(&net.server, &key, 1 + bucket * 32);
    net_put(&a7, NET_VILLAGE, "德吉", NULL);
    net_sync_ends(&a7, &net.server, CAIRN_CORRUPT);
    assert_non_null(strstr(net_err.text, "not the one that S signed"));
    assert_int_equal(net_status(&a7).record_count, 3);
}

/* What the server lists as held is signed too: without one of its authority logs the note is
 * another. */
static void a_checkpoint_over_other_authority_logs_is_asked_for_in_full(void **state)
{
    struct net_node other;

    (void)state;
    net_join(&net, &other, &net.root, "county", "513333", "D");
    struct net_bytes bundle = net_bundle(&net.root, false);
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    net_sync(&a7, &net.server);
    net_bundle_read(&net.office,
                    bundle); /* the office knows what the server did not when it signed */
    assert_in_range(net_sync(&net.office, &net.server), 2, 4);
    net_agree(&net.office, &net.server, NET_VILLAGE, RECORDS, 2);
    net_node_close(&other);
    free(bundle.data);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_server_restored_from_an_older_copy_takes_back_what_it_signed),
        TEST(a_server_that_is_behind_covers_nothing_before_it_took_back),
        TEST(a_server_with_another_history_is_found_by_its_roots),
        TEST(a_checkpoint_signed_with_another_key_is_not_kept),
        TEST(a_checkpoint_over_another_root_is_not_kept),
        TEST(a_checkpoint_over_another_state_is_reported),
        TEST(a_checkpoint_over_other_authority_logs_is_asked_for_in_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
