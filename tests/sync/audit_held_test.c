/* What a checkpoint rests on must be here: a bundle without the authority logs that its checkpoints
 * name is no clean bundle. */

#include "audited.h"
#include "bundle_edit.h"
#include "cmocka_all.h"
#include "village.h"

#include <stdlib.h>
#include <string.h>

#include "replica_internal.h"

static const struct net_bytes none = {NULL, 0};

static int setup(void **state)
{
    (void)state;
    village_open(31);
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_put(&a8, NET_VILLAGE, "次仁", NULL);
    net_sync(&a8, &net.server);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    village_close();
    return 0;
}

/* A8 is shut out, and the village goes on without it. */
static void a8_is_revoked(void)
{
    net_revoke(&net.office, &a8);
    net_sync(&net.office, &net.server);
    net_put(&a7, NET_VILLAGE, "卓玛", NULL);
    net_sync(&a7, &net.server);
    net_sync(&net.office, &net.server);
}

static bool authority_drop(void *context, struct cairn_group *group)
{
    bool is_dropped = group->channel == CAIRN_CHANNEL_AUTHORITY;

    *(unsigned *)context += is_dropped;
    return !is_dropped;
}

static struct net_bytes without_authority(struct net_bytes bundle)
{
    unsigned count = 0;
    const struct bundle_edit edit = {.context = &count, .group = authority_drop};
    struct net_bytes edited = bundle_edited(bundle, &edit);

    assert_true(count > 0);
    return edited;
}

/* ---- left out on purpose ---- */

static void a_courier_who_drops_a_revocation_is_found(void **state)
{
    (void)state;
    a8_is_revoked();
    net_put(&a8, NET_VILLAGE, "德吉", NULL); /* which knows nothing of it, or does not care */
    struct net_bytes whole = net_bundle(&net.office, true), later = net_bundle(&a8, true);
    struct net_bytes cut = without_authority(whole), carried = without_authority(later);
    struct cairn_audit_report report = audited(root_statement, whole, none);
    audited_clean(&report);
    report = audited(root_statement, cut, carried);
    audited_found(&report, "authority log");
    audited_found(&report, "only 0 of the 6 entries");
    assert_int_equal(report.finding_count, 1);
    assert_non_null(strstr(audited_affects, "revocation"));
    assert_non_null(strstr(audited_affects, "full bundle"));
    report = audited(root_statement, cut, whole); /* all of it is somewhere */
    audited_clean(&report);
    free(whole.data);
    free(later.data);
    free(cut.data);
    free(carried.data);
}

struct keeping {
    unsigned groups, kept; /* of the office's authority channel; so many of them are kept */
};

static bool authority_shorten(void *context, struct cairn_group *group)
{
    struct keeping *keeping = context;

    if (group->channel != CAIRN_CHANNEL_AUTHORITY || group->scope.code != 513332)
        return true;
    return keeping->groups++ < keeping->kept;
}

static void an_authority_log_without_its_end_is_named_with_both_sizes(void **state)
{
    struct keeping keeping = {.kept = 1};
    const struct bundle_edit edit = {.context = &keeping, .group = authority_shorten};

    (void)state;
    struct net_bytes early = net_bundle(&net.office, true);
    a8_is_revoked();
    struct net_bytes whole = net_bundle(&a7, true);
    keeping.kept = 0;
    struct net_bytes cut = bundle_edited(whole, &edit);
    struct cairn_audit_report report = audited(root_statement, cut, early);
    print_message("%s\n%s\n", audited_finding, audited_affects);
    assert_int_equal(report.finding_count, 1);
    audited_found(&report, "5 of the 6 entries"); /* basis, S, its work, A7, A8; the revocation */
    audited_found(&report, "authority log of C");
    audited_found(&report, NET_VILLAGE " at size 3");
    free(early.data);
    free(whole.data);
    free(cut.data);
}

/* ---- honest ---- */

/* What stands above the county gets to the server by way of the office. */
static void above_comes(struct net_node *from)
{
    struct net_bytes carried = net_bundle(from, false);

    net_bundle_read(&net.office, carried);
    net_sync(&net.office, &net.server);
    free(carried.data);
}

/* Message by message: a checkpoint is not kept before what it rests on. */
static void a_station_cut_off_in_its_exchange_lacks_nothing(void **state)
{
    struct net_node prefecture;
    unsigned count = 0;
    bool again = true;

    (void)state;
    above_comes(&net.root);
    net_sync(&a7, &net.server);
    net_join(&net, &prefecture, &net.root, "prefecture", "5133", "P");
    above_comes(&net.root);
    net_revoke(&net.office, &a8);
    net_put(&net.office, NET_VILLAGE, "德吉", NULL);
    net_sync(&net.office, &net.server);
    net_must(cairn_sync_begin(a7.replica, &net_err));
    while (again) {
        struct net_bytes request = net_request(&a7), reply = net_answer(&net.server, request);
        again = net_take(&a7, reply);
        struct net_bytes bundle = net_bundle(&a7, true);
        struct cairn_audit_report report = audited(root_statement, bundle, none);
        audited_clean(&report);
        count++;
        free(bundle.data);
        free(request.data);
        free(reply.data);
    }
    assert_true(count > 1);
    net_node_close(&prefecture);
}

struct leaving {
    struct cairn_sign_public device; /* of whose authority log the runs are left out */
    uint32_t from;                   /* this entry on */
    unsigned count;
};

static bool device_leave_out(void *context, const struct cairn_group *group, struct cairn_run *run)
{
    struct leaving *leaving = context;
    bool is_left = group->channel == CAIRN_CHANNEL_AUTHORITY && !run->log.is_numbered &&
                   memcmp(run->log.device.bytes, leaving->device.bytes, 32) == 0 &&
                   run->first >= leaving->from;

    leaving->count += is_left;
    return !is_left;
}

/* The server took it before it knew of the cut; whoever knew of the cut first never takes it. */
static void what_lies_behind_a_cut_is_not_missed(void **state)
{
    struct net_node prefecture, other;

    (void)state;
    net_join(&net, &prefecture, &net.root, "prefecture", "5133", "P");
    struct net_bytes named = net_bundle(&net.root, false);
    net_bundle_read(&prefecture, named);
    net_join(&net, &other, &prefecture, "county", "513333", "D");
    above_comes(&net.root);
    above_comes(&prefecture);
    net_put(&a8, NET_VILLAGE, "德吉", NULL);
    net_sync(&a8, &net.server); /* under a checkpoint that rests on the grant of D */
    net_sync(&net.office, &net.server);
    struct net_bytes before = net_bundle(&net.office, true);
    net_revoke(&net.root, &prefecture);
    above_comes(&net.root);
    struct net_bytes after = net_bundle(&net.office, true);
    for (uint32_t from = 0; from < 2; from++) {
        struct leaving leaving = {.device = prefecture.replica->keys.open.seal, .from = from};
        const struct bundle_edit edit = {.context = &leaving, .run = device_leave_out};
        struct net_bytes missed = bundle_edited(before, &edit),
                         not_missed = bundle_edited(after, &edit);
        assert_true(leaving.count > 0);
        struct cairn_audit_report report = audited(root_statement, missed, none);
        audited_found(&report, "authority log of P");
        report = audited(root_statement, not_missed, none);
        audited_clean(&report);
        free(missed.data);
        free(not_missed.data);
    }
    free(named.data);
    free(before.data);
    free(after.data);
    net_node_close(&other);
    net_node_close(&prefecture);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_courier_who_drops_a_revocation_is_found),
        TEST(an_authority_log_without_its_end_is_named_with_both_sizes),
        TEST(a_station_cut_off_in_its_exchange_lacks_nothing),
        TEST(what_lies_behind_a_cut_is_not_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
