/* The audit: a clean store passes, open or closed, and every kind of tampering is found. */

#include "audited.h"
#include "bundle_edit.h"
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
    village_open(4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    village_close();
    return 0;
}

static struct cairn_audit_report audit_of(struct net_bytes bundle)
{
    return audited(root_statement, bundle, (struct net_bytes){NULL, 0});
}

static struct cairn_audit_report audit_node(struct net_node *node)
{
    struct cairn_audit_report report;

    audited_finding[0] = '\0';
    net_must(cairn_audit_replica(node->replica, NULL, &audited_visitor, &report, NULL, &net_err));
    return report;
}

/* A village's work: two stations, a conflict settled and one left. */
static void village_work(char settled_id[32])
{
    char open_id[32];
    const char *value;

    net_put(&a7, NET_VILLAGE, "扎西", settled_id);
    net_put(&a7, NET_VILLAGE, "次仁", open_id);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_set(&a7, settled_id, "income", "4390");
    net_set(&a8, settled_id, "income", "4410");
    net_set(&a7, open_id, "members", "3");
    net_set(&a8, open_id, "members", "4");
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_sync(&a7, &net.server);
    net_must(
        cairn_settle(a7.replica, settled_id, "income", 1, NULL, "receipt seen", &value, &net_err));
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_sync(&net.office, &net.server);
}

static void a_clean_store_passes_and_its_state_is_compared(void **state)
{
    char id[32];

    (void)state;
    village_work(id);
    struct net_bytes bundle = net_bundle(&net.office, true);
    struct cairn_audit_report report = audit_of(bundle);
    audited_clean(&report);
    assert_int_equal(report.device_count, 4);
    assert_int_equal(report.conflict_count, 1);
    assert_int_equal(report.settled_count, 1);
    assert_string_equal(audited_settled.id, id);
    assert_string_equal(audited_field, "income");
    assert_string_equal(audited_settled.tag, "A7");
    assert_string_equal(audited_reason, "receipt seen");
    assert_true(report.compared_count > 0);
    assert_true(report.covered_count > 0);
    assert_string_equal(report.server_tag, "S");
    free(bundle.data);
}

static void closed_entries_give_the_same_audit_as_open_ones(void **state)
{
    struct net_node *nodes[] = {&net.office, &net.server, &a7, &a8};
    char id[32];

    (void)state;
    village_work(id);
    net_sync(&a7, &net.server);
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        struct cairn_audit_report report =
            audit_node(nodes[i]); /* compares with the open store's digest */
        audited_clean(&report);
        assert_int_equal(report.conflict_count, 1);
        assert_int_equal(report.conflict_count, net_conflict_count(nodes[i]));
        assert_int_equal(report.settled_count, 1);
    }
}

/* It counts for nothing, but what others wrote on top of it does. */
static void a_store_that_took_entries_before_it_knew_of_their_cut_is_sound(void **state)
{
    char id[32];

    (void)state;
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_sync(&a7, &net.server); /* the grants get round, so that the bundle finds its reader */
    net_put(&a8, NET_VILLAGE, "扎西", id);
    struct net_bytes carried = net_bundle(&a8, false);
    net_bundle_read(&a7, carried);
    net_set(&a7, id, "income", "4390");
    net_revoke(&net.office, &a8);
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);
    assert_int_equal(net_status(&a7).revocation_count, 1);
    struct cairn_audit_report report = audit_node(&a7);
    audited_clean(&report);
    free(carried.data);
}

static void twenty_thousand_entries_pass(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        net_put_many(&a7, NET_VILLAGE, 2000);
        net_sync(&a7, &net.server);
    }
    struct net_bytes bundle = net_bundle(&a7, true);
    struct cairn_audit_report report = audit_of(bundle);
    audited_clean(&report);
    assert_true(report.entry_count >= 20000);
    assert_true(report.covered_count >= 20000);
    assert_true(report.compared_count > 0);
    free(bundle.data);
}

/* ---- tampering with what is handed over ---- */

static bool is_records(const struct cairn_group *group)
{
    return group->channel == RECORDS;
}

static bool entry_alter(void *context, const struct cairn_group *group, struct cairn_run *run)
{
    unsigned *count = context;

    if (is_records(group) && (*count)++ == 0) {
        uint8_t *bytes = (uint8_t *)(uintptr_t)run->entries.data;
        bytes[run->entries.size - 1] ^= 1; /* the last digit of an income */
    }
    return true;
}

static bool run_drop(void *context, const struct cairn_group *group, struct cairn_run *run)
{
    unsigned *count = context;

    (void)run;
    return !is_records(group) || (*count)++ != 0;
}

static bool seal_spoil(void *context, const struct cairn_group *group, struct cairn_run *run)
{
    unsigned *count = context;

    if (is_records(group) && (*count)++ == 0)
        run->seal.bytes[3] ^= 1;
    return true;
}

static bool checkpoint_spoil(void *context, struct cairn_group *group)
{
    unsigned *count = context;

    if (is_records(group) && (*count)++ == 0)
        group->signature.bytes[3] ^= 1;
    return true;
}

static bool checkpoint_root_spoil(void *context, struct cairn_group *group)
{
    unsigned *count = context;

    if (is_records(group) && (*count)++ == 0)
        group->root.bytes[3] ^= 1;
    return true;
}

static bool checkpoint_digest_spoil(void *context, struct cairn_group *group)
{
    unsigned *count = context;

    if (is_records(group) && (*count)++ == 0)
        group->digest.bytes[3] ^= 1;
    return true;
}

static bool link_spoil(void *context, struct cairn_link *link)
{
    unsigned *count = context;

    if ((*count)++ == 0)
        link->seal.bytes[3] ^= 1;
    return true;
}

static void every_edit_of_a_bundle_is_found(void **state)
{
    unsigned count;
    const struct {
        struct bundle_edit edit;
        const char *words;
    } cases[] = {
        {{&count, entry_alter, NULL, NULL}, "do not match the seal"},
        {{&count, run_drop, NULL, NULL}, "rests on something"},
        {{&count, seal_spoil, NULL, NULL}, "do not match the seal"},
        {{&count, NULL, checkpoint_spoil, NULL}, "not signed by its server"},
        {{&count, NULL, checkpoint_root_spoil, NULL}, "not signed by its server"},
        {{&count, NULL, checkpoint_digest_spoil, NULL}, "not signed by its server"},
        {{&count, NULL, NULL, link_spoil}, "does not lead to the root key"},
    };
    const struct bundle_edit nothing = {NULL, NULL, NULL, NULL};
    char id[32];

    (void)state;
    village_work(id);
    struct net_bytes bundle = net_bundle(&net.office, true);
    struct net_bytes same = bundle_edited(bundle, &nothing);
    struct cairn_audit_report report = audit_of(same);
    audited_clean(&report);
    free(same.data);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        count = 0;
        struct net_bytes edited = bundle_edited(bundle, &cases[i].edit);
        assert_true(count > 0);
        report = audit_of(edited);
        print_message("%zu: %s %s\n", i, audited_first_finding, audited_first_affects);
        assert_true(report.finding_count > 0);
        assert_non_null(strstr(audited_first_finding, cases[i].words));
        free(edited.data);
    }
    free(bundle.data);
}

/* An end of a log that its device sealed once, before it went on. */
struct end {
    struct cairn_run run;
    uint8_t entries[4096];
    unsigned count;
};

static bool end_keep(void *context, const struct cairn_group *group, struct cairn_run *run)
{
    struct end *end = context;

    if (is_records(group) && end->count++ == 0) {
        assert_true(run->entries.size <= sizeof end->entries);
        memcpy(end->entries, run->entries.data, run->entries.size);
        end->run = *run;
        end->run.entries.data = end->entries;
    }
    return true;
}

static bool end_put(void *context, const struct cairn_group *group, struct cairn_run *run)
{
    struct end *end = context;

    if (is_records(group)) {
        assert_int_equal(end->count++, 1);
        assert_true(end->run.first == run->first && end->run.entry_count < run->entry_count);
        run->entries = end->run.entries;
        run->entry_count = end->run.entry_count;
        run->seal = end->run.seal;
    }
    return true;
}

/* Every seal that is left is good, and nothing that is left rests on what is gone. */
static void a_log_cut_at_its_end_is_found_by_its_checkpoint(void **state)
{
    struct end end = {.count = 0};
    const struct bundle_edit keep = {&end, end_keep, NULL, NULL};
    const struct bundle_edit edits[] = {{&end, end_put, NULL, NULL},
                                        {&end.count, run_drop, NULL, NULL}};
    char id[32];

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", id);
    net_sync(&a7, &net.server);
    struct net_bytes earlier = net_bundle(&a7, true);
    struct net_bytes same = bundle_edited(earlier, &keep);
    net_set(&a7, id, "income", "4390");
    net_sync(&a7, &net.server);
    struct net_bytes bundle = net_bundle(&a7, true);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        end.count = i == 0;
        struct net_bytes cut = bundle_edited(bundle, &edits[i]);
        assert_int_equal(end.count, i == 0 ? 2 : 1);
        struct cairn_audit_report report = audit_of(cut);
        audited_found(&report, "rests on something that the bundle does not hold");
        assert_string_equal(audited_affects, NET_VILLAGE);
        assert_int_equal(report.finding_count, 1);
        free(cut.data);
    }
    free(same.data);
    free(earlier.data);
    free(bundle.data);
}

static bool village_drop(void *context, struct cairn_group *group)
{
    return !is_records(group) || !group->has_checkpoint || (*(unsigned *)context)++ != 0;
}

static void a_covered_part_left_out_is_found(void **state)
{
    unsigned count = 0;
    const struct bundle_edit edit = {&count, NULL, village_drop, NULL};

    (void)state;
    net_put_many(&a7, NET_VILLAGE, 3);
    net_sync(&a7, &net.server);
    net_put_many(&a7, NET_VILLAGE,
                 3); /* what follows rests on it, and no checkpoint covers it yet */
    struct net_bytes bundle = net_bundle(&a7, true);
    struct net_bytes cut = bundle_edited(bundle, &edit);
    assert_int_equal(count, 1);
    struct cairn_audit_report report = audit_of(cut);
    audited_found(&report, "rest on something that was not handed over");
    assert_string_equal(audited_affects, NET_VILLAGE);
    free(bundle.data);
    free(cut.data);
}

static void another_root_key_is_refused(void **state)
{
    struct net other;
    struct cairn_audit_report report;
    const char *const name = "one.cairn";

    (void)state;
    net_open(&other, 99);
    struct net_bytes wrong = net_root_statement(&other);
    struct net_bytes bundle = net_bundle(&net.office, true);
    struct cairn_bytes file = net_bytes(bundle);
    const struct cairn_audit_given given = {
        .root_statement = net_bytes(wrong), .files = &file, .file_names = &name, .file_count = 1};
    net_expect(cairn_audit_files(&given, &audited_visitor, &report, NULL, &net_err), CAIRN_REFUSED);
    assert_non_null(strstr(net_err.text, "another network"));
    free(wrong.data);
    free(bundle.data);
    net_close(&other);
}

/* ---- those who sign two histories ---- */

static void a_device_that_signed_two_histories_is_found_in_two_bundles(void **state)
{
    struct cairn_store *older;

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    older = store_copy(a7.store);
    struct fake_ports ports = a7.ports;
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    struct net_bytes one = net_bundle(&a7, true);
    a7.ports = ports; /* the mark goes back with the store: a cloned card */
    net_node_restore(&a7, older);
    net_put(&a7, NET_VILLAGE, "卓玛", NULL);
    struct net_bytes two = net_bundle(&a7, true);
    struct cairn_audit_report report = audited(root_statement, one, two);
    audited_found(&report, "signed two different histories");
    assert_non_null(strstr(audited_finding, "A7"));
    assert_int_equal(report.fork_count, 1);
    free(one.data);
    free(two.data);
}

/* Whoever holds both branches is no liar for it: its state is the one that both give. */
static void a_store_that_holds_two_histories_of_a_device_says_whose_and_is_sound(void **state)
{
    struct cairn_store *older;

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_sync(&a7, &net.server); /* the grants get round, so that bundles find their readers */
    older = store_copy(a7.store);
    struct fake_ports ports = a7.ports;
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    struct net_bytes one = net_bundle(&a7, false);
    a7.ports = ports; /* the mark goes back with the store: a cloned card */
    net_node_restore(&a7, older);
    net_put(&a7, NET_VILLAGE, "卓玛", NULL);
    struct net_bytes two = net_bundle(&a7, false);
    net_bundle_read(&a8, one);
    net_bundle_read(&a8, two);
    struct cairn_audit_report report = audit_node(&a8);
    audited_found(&report, "signed two different histories");
    assert_int_equal(report.finding_count, 1);
    assert_int_equal(report.fork_count, 1);
    net_sync(&a8, &net.server); /* one of the two is covered */
    report = audit_node(&a8);
    assert_int_equal(report.finding_count, 1);
    assert_int_equal(report.fork_count, 1);
    struct net_bytes full = net_bundle(&a8, true);
    report = audited(root_statement, full, (struct net_bytes){NULL, 0});
    assert_int_equal(report.fork_count, 1);
    free(full.data);
    free(one.data);
    free(two.data);
}

/* The office signs two grants for one place of its log, each shown to another station, which hands
 * on no log of the office. */
static void
an_office_that_signed_two_grants_for_one_place_is_found_by_the_grants_alone(void **state)
{
    struct net_bytes carried[2];
    struct net_node twins[2];
    struct cairn_store *older;

    (void)state;
    older = store_copy(net.office.store);
    struct fake_ports ports = net.office.ports;
    net_join(&net, &twins[0], &net.office, "station", NET_VILLAGE, "B1");
    net.office.ports = ports; /* the mark goes back with the store: a cloned card */
    net_node_restore(&net.office, older);
    net_join(&net, &twins[1], &net.office, "station", NET_VILLAGE, "B2");
    for (size_t i = 0; i < 2; i++) {
        net_put(&twins[i], NET_VILLAGE, "扎西", NULL);
        carried[i] = net_bundle(&twins[i], true);
        struct cairn_audit_report report = audit_of(carried[i]);
        audited_clean(&report);
    }
    struct cairn_audit_report report = audited(root_statement, carried[0], carried[1]);
    print_message("%s\n%s\n", audited_finding, audited_affects);
    audited_found(&report, "C signed two different histories: its authority log has two entries");
    assert_non_null(strstr(audited_affects, "those above C"));
    assert_int_equal(report.finding_count, 1);
    assert_int_equal(report.fork_count, 1);
    struct net_bytes office = net_bundle(&net.office, true); /* with the log, and B2's entry */
    report = audit_of(office);
    audited_clean(&report);
    report = audited(root_statement, office, carried[1]); /* twice the same entry */
    audited_clean(&report);
    report = audited(root_statement, office, carried[0]);
    audited_found(&report, "C signed two different histories: its authority log has two entries");
    assert_int_equal(report.fork_count, 1);
    free(office.data);
    for (size_t i = 0; i < 2; i++) {
        free(carried[i].data);
        net_node_close(&twins[i]);
    }
}

static void a_server_that_signed_two_checkpoints_of_one_size_is_found_in_two_bundles(void **state)
{
    struct cairn_store *older;

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    older = store_copy(net.server.store);
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    net_sync(&a7, &net.server);
    net_node_restore(&net.server, older);
    net_put(&a8, NET_VILLAGE, "卓玛", NULL);
    net_sync(&a8, &net.server);
    struct net_bytes one = net_bundle(&a7, true);
    struct net_bytes two = net_bundle(&a8, true);
    struct cairn_audit_report report = audited(root_statement, one, two);
    audited_found(&report, "a history that is not the one its server signed elsewhere");
    report = audited(root_statement, two, one);
    audited_found(&report, "a history that is not the one its server signed elsewhere");
    report = audited(root_statement, one, one);
    audited_clean(&report);
    free(one.data);
    free(two.data);
}

static void a_checkpoint_over_another_state_is_found(void **state)
{
    struct cairn_key key =
        cairn_key_scope_channel(CAIRN_TABLE_DIGEST, (struct cairn_scope){513332100201}, RECORDS);

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    for (size_t bucket = 0; bucket < 256; bucket++)
        net_flip(&net.server, &key, 1 + bucket * 32);
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    net_sync_ends(&a7, &net.server, CAIRN_CORRUPT); /* the station is told too */
    struct net_bytes bundle = net_bundle(&a7, true);
    struct cairn_audit_report report = audit_of(bundle);
    audited_found(&report, "is not the one its server signed");
    free(bundle.data);
}

/* The state altered in the store itself, by somebody with access to the disk. */
static void a_state_that_the_logs_do_not_give_is_found(void **state)
{
    struct cairn_store *store = a7.store;
    struct cairn_bytes key, value;
    struct cairn_range *range;
    struct cairn_txn *txn;
    uint8_t first = 'R', key_copy[CAIRN_STORE_KEY_MAX], copy[1024];

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_must(store->ops->begin(store, CAIRN_TXN_WRITE, &txn));
    net_must(store->ops->range_open(txn, (struct cairn_bytes){&first, 1},
                                    (struct cairn_bytes){(const uint8_t *)"S", 1}, CAIRN_ASCENDING,
                                    &range));
    net_must(store->ops->range_next(range, &key, &value));
    size_t key_size = key.size, size = value.size;
    memcpy(key_copy, key.data, key_size);
    memcpy(copy, value.data, size);
    store->ops->range_close(range);
    for (size_t i = 0; i + 1 < size; i++)
        if (copy[i] == 0x10 && copy[i + 1] == 0x36) /* 4150 */
            copy[i + 1] = 0x37;
    net_must(store->ops->put(txn, (struct cairn_bytes){key_copy, key_size},
                             (struct cairn_bytes){copy, size}));
    net_must(store->ops->commit(txn));
    struct cairn_audit_report report = audit_node(&a7);
    audited_found(&report, "The state in this store is not the one that its logs give");
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_clean_store_passes_and_its_state_is_compared),
        TEST(closed_entries_give_the_same_audit_as_open_ones),
        TEST(a_store_that_took_entries_before_it_knew_of_their_cut_is_sound),
        TEST(twenty_thousand_entries_pass),
        TEST(every_edit_of_a_bundle_is_found),
        TEST(a_log_cut_at_its_end_is_found_by_its_checkpoint),
        TEST(a_covered_part_left_out_is_found),
        TEST(another_root_key_is_refused),
        TEST(a_device_that_signed_two_histories_is_found_in_two_bundles),
        TEST(a_store_that_holds_two_histories_of_a_device_says_whose_and_is_sound),
        TEST(an_office_that_signed_two_grants_for_one_place_is_found_by_the_grants_alone),
        TEST(a_server_that_signed_two_checkpoints_of_one_size_is_found_in_two_bundles),
        TEST(a_checkpoint_over_another_state_is_found),
        TEST(a_state_that_the_logs_do_not_give_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
