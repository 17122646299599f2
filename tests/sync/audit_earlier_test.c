/* Checkpoints that an auditor kept: a server that cuts its history, or signs another, is found by
 * them, however clean its bundle is. */

#include "audited.h"
#include "cmocka_all.h"
#include "village.h"

#include <stdlib.h>
#include <string.h>

#include "replica_internal.h"

static int setup(void **state)
{
    (void)state;
    village_open(41);
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    net_sync(&net.office, &net.server);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    village_close();
    return 0;
}

static void village_goes_on(struct net_node *station)
{
    net_put(station, NET_VILLAGE, "次仁", NULL);
    net_sync(station, &net.server);
}

/* An audit of one bundle beside what was kept, which may be empty. */
static enum cairn_status audit_against(struct net_bytes bundle, struct net_bytes kept,
                                       struct cairn_audit_report *out_report,
                                       struct cairn_bytes *out_checkpoints)
{
    static const char *const bundle_name = "now.cairn", *const kept_name = "kept.ckpt";
    const struct cairn_bytes file = net_bytes(bundle), notes = net_bytes(kept);
    const struct cairn_audit_given given = {
        .root_statement = net_bytes(root_statement),
        .files = &file,
        .file_names = &bundle_name,
        .file_count = 1,
        .earlier = {.files = &notes, .names = &kept_name, .count = kept.data == NULL ? 0 : 1}};

    audited_finding[0] = audited_affects[0] = '\0';
    return cairn_audit_files(&given, &audited_visitor, out_report, out_checkpoints, &net_err);
}

static struct cairn_audit_report against(struct net_bytes bundle, struct net_bytes kept)
{
    struct cairn_audit_report report;

    net_must(audit_against(bundle, kept, &report, NULL));
    print_message("%s\n%s\n", audited_finding, audited_affects);
    return report;
}

/* What an audit of the bundle saves. */
static struct net_bytes kept_of(struct net_bytes bundle)
{
    struct cairn_audit_report report;
    struct cairn_bytes notes;

    net_must(audit_against(bundle, (struct net_bytes){NULL, 0}, &report, &notes));
    audited_clean(&report);
    assert_true(notes.size > 0);
    struct net_bytes copy = net_copy(notes);
    cairn_bytes_free(notes);
    return copy;
}

static unsigned note_count(struct net_bytes kept)
{
    unsigned count = 0;

    for (size_t i = 0; i + 6 <= kept.size; i++)
        count += memcmp(kept.data + i, "\ntime ", 6) == 0;
    return count;
}

static void a_history_that_went_on_fits_what_was_kept(void **state)
{
    (void)state;
    struct net_bytes early = net_bundle(&net.office, true), kept = kept_of(early);
    village_goes_on(&a8);
    village_goes_on(&a7);
    net_sync(&net.office, &net.server);
    struct net_bytes late = net_bundle(&net.office, true);
    struct cairn_audit_report report = against(late, kept);
    audited_clean(&report);
    assert_int_equal(note_count(kept), 2); /* authority of the county, records of the village */
    assert_int_equal(report.earlier_count, 2);
    report = against(early, kept);
    audited_clean(&report);
    assert_int_equal(report.earlier_count, 2);
    report = against(late, (struct net_bytes){NULL, 0});
    assert_int_equal(report.earlier_count, 0);

    const struct cairn_bytes notes = net_bytes(kept);
    const char *const name = "kept.ckpt";
    const struct cairn_audit_earlier earlier = {&notes, &name, 1};
    net_must(cairn_audit_replica(net.office.replica, &earlier, &audited_visitor, &report, NULL,
                                 &net_err));
    audited_clean(&report);
    assert_int_equal(report.earlier_count, 2);
    free(early.data);
    free(late.data);
    free(kept.data);
}

static void a_history_that_is_shorter_than_what_was_kept_is_found(void **state)
{
    (void)state;
    struct net_bytes early = net_bundle(&net.office, true);
    net_revoke(&net.office, &a8);
    village_goes_on(&a7);
    net_sync(&net.office, &net.server);
    village_goes_on(&a7);
    net_sync(&net.office, &net.server);
    struct net_bytes late = net_bundle(&net.office, true), kept = kept_of(late);
    struct cairn_audit_report report = against(early, kept);
    /* Both scope logs, and the authority log with the revocation. */
    assert_int_equal(report.finding_count, 3);
    assert_int_equal(report.earlier_count, 0);
    audited_found(&report, "authority log of C");
    free(early.data);
    free(late.data);
    free(kept.data);
}

static void a_village_cut_at_its_end_is_named_with_both_sizes(void **state)
{
    (void)state;
    struct net_bytes early = net_bundle(&net.office, true);
    village_goes_on(&a7);
    net_sync(&net.office, &net.server);
    struct net_bytes late = net_bundle(&net.office, true), kept = kept_of(late);
    struct cairn_audit_report report = against(early, kept);
    assert_int_equal(report.finding_count, 1);
    assert_int_equal(report.earlier_count, 1);
    audited_found(&report, "kept.ckpt: ");
    audited_found(&report, NET_VILLAGE "/records at size 2; here it ends at size 1");
    assert_non_null(strstr(audited_affects, "full bundle"));
    free(early.data);
    free(late.data);
    free(kept.data);
}

/* The server forgets what it took, and takes something else in its place. */
static void a_server_that_signs_another_history_is_found(void **state)
{
    (void)state;
    struct cairn_store *older = store_copy(net.server.store);
    village_goes_on(&a7);
    struct net_bytes first = net_bundle(&a7, true), kept = kept_of(first);
    net_node_restore(&net.server, older);
    village_goes_on(&a8);
    for (int i = 0; i < 2; i++) { /* of the size that was kept, and beyond it */
        struct net_bytes second = net_bundle(&a8, true);
        struct cairn_audit_report report = against(second, (struct net_bytes){NULL, 0});
        audited_clean(&report);
        report = against(second, kept);
        assert_int_equal(report.finding_count, 1);
        audited_found(&report, "signed two histories of " NET_VILLAGE "/records: at size 2");
        audited_found(&report, i == 0 ? "here at size 2" : "here at size 3");
        assert_non_null(strstr(audited_affects, "kept.ckpt"));
        village_goes_on(&a8);
        free(second.data);
    }
    free(first.data);
    free(kept.data);
}

/* A township gets a server of its own: what the county's signed of its villages stays of this
 * history, and is saved under the key that signed it. */
static void what_an_earlier_server_signed_is_saved_and_checked_by_its_own_key(void **state)
{
    struct net_node second;

    (void)state;
    struct net_bytes early = net_bundle(&net.office, true), kept = kept_of(early);
    net_join(&net, &second, &net.office, "server", "513332100", "S2");
    struct net_bytes late = net_bundle(&net.office, true), kept_later = kept_of(late);
    assert_int_equal(note_count(kept_later), 2);
    struct cairn_audit_report report = against(late, kept);
    audited_clean(&report);
    assert_int_equal(report.earlier_count, 2);
    report = against(late, kept_later);
    audited_clean(&report);
    assert_int_equal(report.earlier_count, 2);
    report = against(early, kept_later); /* what the county signed does not rest on the new one */
    audited_clean(&report);
    free(early.data);
    free(late.data);
    free(kept.data);
    free(kept_later.data);
    net_node_close(&second);
}

/* ---- files that are not what they were ---- */

static void expect_refused(struct net_bytes bundle, struct net_bytes kept,
                           enum cairn_status expected, const char *words)
{
    struct cairn_audit_report report = {.finding_count = 77};

    net_expect(audit_against(bundle, kept, &report, NULL), expected);
    print_message("%s\n", net_err.text);
    assert_non_null(strstr(net_err.text, words));
    assert_non_null(strstr(net_err.text, "kept.ckpt"));
    assert_int_equal(report.finding_count, 77);
}

static void what_is_no_checkpoint_of_this_network_is_refused_by_its_name(void **state)
{
    uint8_t empty = '\n';
    struct net other;

    (void)state;
    struct net_bytes bundle = net_bundle(&net.office, true), kept = kept_of(bundle);
    expect_refused(bundle, (struct net_bytes){&empty, 1}, CAIRN_BAD_INPUT, "holds no checkpoint");
    expect_refused(bundle, (struct net_bytes){kept.data, kept.size - 2}, CAIRN_MALFORMED,
                   "not a file of checkpoints");
    expect_refused(bundle, root_statement, CAIRN_MALFORMED, "not a file of checkpoints");
    net_open(&other, 42);
    net_sync(&other.office, &other.server);
    struct net_bytes theirs = net_bundle(&other.office, true), own = root_statement;
    root_statement = net_root_statement(&other);
    struct net_bytes their_kept = kept_of(theirs);
    free(root_statement.data);
    root_statement = own;
    expect_refused(bundle, their_kept, CAIRN_REFUSED, "another network");
    net_close(&other);
    free(theirs.data);
    free(their_kept.data);
    free(bundle.data);
    free(kept.data);
}

/* The first signature of the base64 text, not the key id before it. */
static void an_altered_signature_is_refused_and_an_unknown_signer_found(void **state)
{
    (void)state;
    struct net_bytes bundle = net_bundle(&net.office, true), kept = kept_of(bundle);
    size_t end = 0;
    while (memcmp(kept.data + end, "\n\n\xe2\x80\x94 ", 6) != 0)
        end++;
    end += 6;
    while (kept.data[end] != ' ')
        end++;
    uint8_t *key_id = kept.data + end + 1, *signature = key_id + 20;
    uint8_t before = *signature;
    *signature = before == 'A' ? 'B' : 'A';
    expect_refused(bundle, kept, CAIRN_BAD_SIGNATURE, "signature");
    *signature = before;
    *key_id = *key_id == 'A' ? 'B' : 'A';
    struct cairn_audit_report report = against(bundle, kept);
    assert_int_equal(report.finding_count, 1);
    assert_int_equal(report.earlier_count, 1);
    audited_found(&report, "nothing here says that who signed it was its server");
    free(bundle.data);
    free(kept.data);
}

static void no_byte_of_what_was_kept_can_change_unseen(void **state)
{
    unsigned found = 0, refused = 0;

    (void)state;
    struct net_bytes bundle = net_bundle(&a7, true), kept = kept_of(bundle);
    for (size_t at = 0; at < kept.size; at++) {
        struct cairn_audit_report report = {.finding_count = 0};
        kept.data[at] ^= 1;
        enum cairn_status status = audit_against(bundle, kept, &report, NULL);
        kept.data[at] ^= 1;
        if (status == CAIRN_OK && report.finding_count == 0)
            fail_msg("a change of byte %zu is not seen", at);
        found += status == CAIRN_OK;
        refused += status != CAIRN_OK;
    }
    print_message("%u found, %u refused\n", found, refused);
    assert_true(found > 0 && refused > found);
    free(bundle.data);
    free(kept.data);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_history_that_went_on_fits_what_was_kept),
        TEST(a_history_that_is_shorter_than_what_was_kept_is_found),
        TEST(a_village_cut_at_its_end_is_named_with_both_sizes),
        TEST(a_server_that_signs_another_history_is_found),
        TEST(what_an_earlier_server_signed_is_saved_and_checked_by_its_own_key),
        TEST(what_is_no_checkpoint_of_this_network_is_refused_by_its_name),
        TEST(an_altered_signature_is_refused_and_an_unknown_signer_found),
        TEST(no_byte_of_what_was_kept_can_change_unseen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
