/* What came from a device before its revocation was known is judged by an auditor as well: it
 * counts for nothing, but what others wrote on top of it does. */

#include "audited.h"
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

static struct net net;
static struct net_node a7, a8;

static int setup(void **state)
{
    (void)state;
    net_open(&net, 61);
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &a8, &net.office, "station", NET_VILLAGE, "A8");
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_sync(&a7, &net.server); /* the grants get round, so that bundles find their readers */
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

static void a_store_that_took_entries_before_it_knew_of_their_cut_is_sound(void **state)
{
    struct cairn_audit_report report;
    char id[32];

    (void)state;
    net_put(&a8, NET_VILLAGE, "扎西", id);
    struct net_bytes carried = net_bundle(&a8, false);
    net_bundle_read(&a7, carried);
    net_set(&a7, id, "income", "4390");
    net_revoke(&net, &a8);
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);
    assert_int_equal(net_status(&a7).revocation_count, 1);
    net_must(cairn_audit_replica(a7.replica, &audited_visitor, &report, NULL, &net_err));
    audited_clean(&report);
    free(carried.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_store_that_took_entries_before_it_knew_of_their_cut_is_sound, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
