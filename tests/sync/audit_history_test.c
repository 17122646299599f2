/* What a server signed is one history: a bundle that tells it otherwise is found, whether the rest
 * of it is right or not; and files that are no bundles are said to be none. */

#include "audited.h"
#include "bundle_edit.h"
#include "cmocka_all.h"
#include "forge.h"
#include "village.h"

#include <stdlib.h>
#include <string.h>

#include "replica_internal.h"

#define RECORDS CAIRN_CHANNEL_RECORDS

static struct net_bytes bundle; /* the office's, in full */

static int setup(void **state)
{
    (void)state;
    village_open(21);
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_put(&a8, NET_VILLAGE, "次仁", NULL);
    net_sync(&a8, &net.server);
    net_put(&a7, NET_VILLAGE, "卓玛", NULL);
    net_sync(&a7, &net.server);
    net_sync(&net.office, &net.server);
    bundle = net_bundle(&net.office, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(bundle.data);
    village_close();
    return 0;
}

/* ---- edits of the village's first group with leaves ---- */

/* Leaves that are written in the place of those that are there. */
struct leaves {
    uint8_t bytes[4096];
    struct cairn_writer writer;
    size_t count;
};

static struct leaves leaves;

static void leaves_begin(void)
{
    cairn_writer_init(&leaves.writer, leaves.bytes, sizeof leaves.bytes);
    leaves.count = 0;
}

static void leaf_write(const struct cairn_scope_leaf *leaf)
{
    cairn_scope_leaf_write(&leaves.writer, leaf);
    leaves.count++;
}

static void leaves_end(struct cairn_group *group)
{
    assert_false(leaves.writer.overflowed);
    cairn_reader_init(&group->leaves.reader, cairn_writer_bytes(&leaves.writer));
    group->leaves.left = leaves.count;
}

static bool is_edited(const struct cairn_group *group)
{
    return group->channel == RECORDS && group->has_checkpoint;
}

typedef void leaf_fn(struct cairn_scope_leaf *leaf, size_t index);

static void leaves_edit(struct cairn_group *group, leaf_fn *edit)
{
    struct cairn_list list = group->leaves;
    struct cairn_scope_leaf leaf;

    leaves_begin();
    for (size_t i = 0; cairn_scope_leaf_next(&list, &leaf); i++) {
        edit(&leaf, i);
        leaf_write(&leaf);
    }
    leaves_end(group);
}

static void leaf_less(struct cairn_scope_leaf *leaf, size_t index)
{
    if (index == 0)
        leaf->size--;
}

static void leaf_more(struct cairn_scope_leaf *leaf, size_t index)
{
    if (index == 0)
        leaf->size += 100;
}

static void leaf_of_no_number(struct cairn_scope_leaf *leaf, size_t index)
{
    if (index > 0)
        leaf->log = (struct cairn_log_name){.is_numbered = true, .log_number = 4000000000u};
}

static void leaf_of_the_other_number(struct cairn_scope_leaf *leaf, size_t index)
{
    (void)index;
    if (leaf->log.is_numbered)
        leaf->log.log_number = 1;
}

static void leaf_of_another_incarnation(struct cairn_scope_leaf *leaf, size_t index)
{
    (void)index;
    if (!leaf->log.is_numbered)
        leaf->log.incarnation.bytes[0] ^= 1;
}

static bool edit_leaf_less(void *context, struct cairn_group *group)
{
    (void)context;
    if (is_edited(group))
        leaves_edit(group, leaf_less);
    return true;
}

static bool edit_leaf_more(void *context, struct cairn_group *group)
{
    (void)context;
    if (is_edited(group))
        leaves_edit(group, leaf_more);
    return true;
}

static bool edit_leaf_of_no_number(void *context, struct cairn_group *group)
{
    (void)context;
    if (is_edited(group))
        leaves_edit(group, leaf_of_no_number);
    return true;
}

static bool edit_leaf_of_the_other_number(void *context, struct cairn_group *group)
{
    (void)context;
    if (is_edited(group))
        leaves_edit(group, leaf_of_the_other_number);
    return true;
}

static bool edit_leaf_of_another_incarnation(void *context, struct cairn_group *group)
{
    (void)context;
    if (is_edited(group))
        leaves_edit(group, leaf_of_another_incarnation);
    return true;
}

static bool edit_leaf_twice(void *context, struct cairn_group *group)
{
    struct cairn_list list = group->leaves;
    struct cairn_scope_leaf leaf, last = {.size = 0};

    (void)context;
    if (!is_edited(group))
        return true;
    leaves_begin();
    while (cairn_scope_leaf_next(&list, &leaf)) {
        leaf_write(&leaf);
        last = leaf;
    }
    leaf_write(&last);
    leaves_end(group);
    return true;
}

static bool edit_epoch(void *context, struct cairn_group *group)
{
    (void)context;
    if (is_edited(group))
        group->epoch++;
    return true;
}

static bool edit_first_leaf(void *context, struct cairn_group *group)
{
    (void)context;
    if (is_edited(group))
        group->first_leaf += 10;
    return true;
}

static bool edit_not_explicit(void *context, struct cairn_group *group)
{
    (void)context;
    group->is_explicit = false;
    return true;
}

static bool edit_not_explicit_and_less(void *context, struct cairn_group *group)
{
    return edit_not_explicit(context, group) && edit_leaf_less(context, group);
}

static bool edit_signature(void *context, struct cairn_group *group)
{
    (void)context;
    if (is_edited(group))
        group->signature.bytes[3] ^= 1;
    return true;
}

#define OTHER_HISTORY "a history that is not the one its server signed"
#define NOT_SIGNED "is not signed by its server"
#define RESTS_ON "rests on something"
#define NOT_SEALED "do not match the seal"

/* The words of what is found, NULL where nothing is: alone, and behind the bundle as it was. */
static const struct {
    const char *what;
    bool (*group)(void *context, struct cairn_group *group);
    const char *alone, *behind;
} cases[] = {
    {"a leaf of less", edit_leaf_less, OTHER_HISTORY, OTHER_HISTORY},
    {"a leaf of more", edit_leaf_more, RESTS_ON, OTHER_HISTORY},
    {"a number that nobody has", edit_leaf_of_no_number, NOT_SEALED, OTHER_HISTORY},
    {"the number of another log", edit_leaf_of_the_other_number, RESTS_ON, OTHER_HISTORY},
    {"another incarnation", edit_leaf_of_another_incarnation, NOT_SEALED, OTHER_HISTORY},
    {"a leaf twice", edit_leaf_twice, OTHER_HISTORY, OTHER_HISTORY},
    {"another epoch", edit_epoch, RESTS_ON, NOT_SIGNED},
    {"leaves that begin too late", edit_first_leaf, RESTS_ON, RESTS_ON},
    {"not in full", edit_not_explicit, NULL, NULL},
    {"not in full, a leaf of less", edit_not_explicit_and_less, NOT_SIGNED, NOT_SIGNED},
    {"another signature", edit_signature, NOT_SIGNED, NOT_SIGNED},
};

static void expect_words(const char *what, struct cairn_audit_report report, const char *words)
{
    print_message("%s: %s\n", what, audited_finding);
    if (words == NULL)
        audited_clean(&report);
    else
        audited_found(&report, words);
}

static void a_history_told_otherwise_is_found_alone_and_beside_the_true_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct bundle_edit edit = {.group = cases[i].group};
        struct net_bytes edited = bundle_edited(bundle, &edit);
        struct net_bytes none = {NULL, 0};
        expect_words(cases[i].what, audited(root_statement, edited, none), cases[i].alone);
        expect_words(cases[i].what, audited(root_statement, bundle, edited), cases[i].behind);
        free(edited.data);
    }
}

/* ---- files and ears ---- */

static void an_audit_that_nobody_listens_to_counts_the_same(void **state)
{
    const struct cairn_audit_visitor nobody = {.context = NULL};
    const struct bundle_edit edit = {.group = edit_signature};
    const char *const name = "one.cairn";
    struct cairn_audit_report report;

    (void)state;
    struct net_bytes edited = bundle_edited(bundle, &edit);
    struct cairn_bytes file = net_bytes(edited);
    struct cairn_audit_report heard = audited(root_statement, edited, (struct net_bytes){NULL, 0});
    const struct cairn_audit_given given = {.root_statement = net_bytes(root_statement),
                                            .files = &file,
                                            .file_names = &name,
                                            .file_count = 1};
    net_must(cairn_audit_files(&given, &nobody, &report, NULL, NULL));
    assert_true(report.finding_count > 0);
    assert_int_equal(report.finding_count, heard.finding_count);
    assert_string_equal(report.digest, heard.digest);
    net_must(cairn_audit_replica(a7.replica, NULL, &nobody, &report, NULL, NULL));
    assert_int_equal(report.finding_count, 0);
    free(edited.data);
}

static void expect_not_audited(struct cairn_bytes root, struct cairn_bytes file,
                               enum cairn_status expected, const char *sentence)
{
    const char *const name = "one.cairn";
    struct cairn_audit_report report = {.finding_count = 77};
    const struct cairn_audit_given given = {
        .root_statement = root, .files = &file, .file_names = &name, .file_count = 1};

    net_expect(cairn_audit_files(&given, &audited_visitor, &report, NULL, &net_err), expected);
    assert_string_equal(net_err.text, sentence);
    assert_int_equal(report.finding_count, 77);
    net_expect(cairn_audit_files(&given, &audited_visitor, &report, NULL, NULL), expected);
}

static void what_cannot_be_audited_is_said(void **state)
{
    struct cairn_root_statement two = {.scope = {51}, .threshold = 1, .key_count = 2};
    struct cairn_root_statement root;
    uint8_t bytes[CAIRN_STATEMENT_MAX];
    struct cairn_writer writer;

    (void)state;
    struct net_bytes sealed = net_bundle(&a7, false);
    struct cairn_bytes good = net_bytes(root_statement), full = net_bytes(bundle);
    expect_not_audited(good, net_bytes(sealed), CAIRN_BAD_INPUT,
                       "one.cairn is sealed for its readers. Ask for one written with: cairn "
                       "bundle write FILE --full");
    expect_not_audited(good, (struct cairn_bytes){full.data, 20}, CAIRN_MALFORMED,
                       "one.cairn is not a bundle, or its beginning is damaged.");
    expect_not_audited((struct cairn_bytes){good.data, good.size - 1}, full, CAIRN_BAD_INPUT,
                       "The root key file is not one, or it is damaged.");

    net_must(cairn_root_statement_read(good, &root));
    two.keys[0] = root.keys[0];
    two.keys[1] = a7.replica->keys.open.seal;
    two.name = root.name;
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_root_statement_write(&writer, &two);
    expect_not_audited(cairn_writer_bytes(&writer), full, CAIRN_REFUSED,
                       "The root statement names 2 keys; this version acts for one key only.");
    free(sealed.data);
}

/* ---- whom to ask ---- */

static bool last_byte_alter(void *context, const struct cairn_group *group, struct cairn_run *run)
{
    (void)context;
    if (group->channel == RECORDS && run->entries.size > 0) {
        uint8_t *bytes = (uint8_t *)(uintptr_t)run->entries.data;
        bytes[run->entries.size - 1] ^= 1; /* the last digit of an income */
    }
    return true;
}

static void what_was_altered_names_its_device_whether_its_log_is_known_or_not(void **state)
{
    const struct bundle_edit edit = {.run = last_byte_alter};
    const struct net_bytes none = {NULL, 0};

    (void)state;
    net_put(&a7, NET_VILLAGE, "德吉", NULL);
    net_sync(&a7, &net.server);
    net_sync(&net.office, &net.server);
    struct net_bytes later = net_bundle(&net.office, true), edited = bundle_edited(later, &edit);
    struct cairn_audit_report report = audited(root_statement, edited, none);
    audited_found(&report, "do not match the seal");
    assert_non_null(strstr(audited_affects, "of A7 in " NET_VILLAGE));
    report = audited(root_statement, bundle, edited);
    audited_found(&report, "two.cairn: ");
    assert_non_null(strstr(audited_affects, "of A7 in " NET_VILLAGE));
    free(later.data);
    free(edited.data);
}

/* The first run of the second group of records: that of a log which came second. */
static bool second_alter(void *context, const struct cairn_group *group, struct cairn_run *run)
{
    unsigned *count = context;

    if (group->channel == RECORDS && run->entries.size > 0 && ++*count == 2) {
        uint8_t *bytes = (uint8_t *)(uintptr_t)run->entries.data;
        bytes[run->entries.size - 1] ^= 1;
    }
    return true;
}

static void what_was_altered_in_a_log_that_came_second_names_its_device(void **state)
{
    unsigned count = 0;
    const struct bundle_edit edit = {.context = &count, .run = second_alter};

    (void)state;
    struct net_bytes edited = bundle_edited(bundle, &edit);
    assert_true(count >= 2);
    struct cairn_audit_report report = audited(root_statement, edited, (struct net_bytes){NULL, 0});
    assert_true(report.finding_count > 0);
    assert_non_null(strstr(audited_first_affects, "of A8 in " NET_VILLAGE));
    free(edited.data);
}

static bool link_drop(void *context, struct cairn_link *link)
{
    (void)link;
    ++*(unsigned *)context;
    return false;
}

static void entries_whose_grant_was_left_out_are_found(void **state)
{
    unsigned count = 0;
    const struct bundle_edit edit = {.context = &count, .link = link_drop};
    struct net_node fresh;

    (void)state;
    net_join(&net, &fresh, &net.office, "station", NET_VILLAGE, "A9"); /* no server knows of it */
    net_put(&fresh, NET_VILLAGE, "达娃", NULL);
    struct net_bytes whole = net_bundle(&fresh, true), edited = bundle_edited(whole, &edit);
    assert_true(count > 0);
    struct cairn_audit_report report = audited(root_statement, whole, (struct net_bytes){NULL, 0});
    audited_clean(&report);
    report = audited(root_statement, edited, (struct net_bytes){NULL, 0});
    audited_found(&report, "rest on something that was not handed over");
    assert_string_equal(audited_affects, NET_VILLAGE);
    free(whole.data);
    free(edited.data);
    net_node_close(&fresh);
}

static void an_audit_of_two_servers_names_the_first(void **state)
{
    struct net_node second;

    (void)state;
    net_join(&net, &second, &net.office, "server", "513332100", "S2");
    struct net_bytes both = net_bundle(&net.office, true);
    struct cairn_audit_report report = audited(root_statement, both, (struct net_bytes){NULL, 0});
    assert_int_equal(report.device_count, 5);
    assert_string_equal(report.server_tag, "S");
    free(both.data);
    net_node_close(&second);
}

/* ---- what waits ---- */

struct dropping {
    const struct net_node *node; /* whose runs of records are left out */
    unsigned count;
};

static bool run_of_node_drop(void *context, const struct cairn_group *group, struct cairn_run *run)
{
    struct dropping *dropping = context;
    const struct cairn_sign_public *key = &dropping->node->replica->keys.open.seal;
    bool is_dropped =
        group->channel == RECORDS && memcmp(run->log.device.bytes, key->bytes, 32) == 0;

    dropping->count += is_dropped;
    return !is_dropped;
}

static void an_entry_that_waits_for_another_is_not_called_newer(void **state)
{
    const struct net_bytes none = {NULL, 0};
    struct net_node fresh;
    struct dropping dropping = {.node = &fresh};
    const struct bundle_edit edit = {.context = &dropping, .run = run_of_node_drop};
    char id[32];

    (void)state;
    net_join(&net, &fresh, &net.office, "station", NET_VILLAGE, "A9");
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);
    net_sync(&fresh, &net.server); /* the grants get round, so that the bundle finds its reader */
    net_put(&fresh, NET_VILLAGE, "德吉", id);
    struct net_bytes carried = net_bundle(&fresh, false);
    net_bundle_read(&a7, carried);
    net_set(&a7, id, "income", "4390");
    struct net_bytes whole = net_bundle(&a7, true), edited = bundle_edited(whole, &edit);
    assert_int_equal(dropping.count, 1);
    struct cairn_audit_report report = audited(root_statement, whole, none);
    assert_int_equal(report.awaiting_count, 0);
    report = audited(root_statement, edited, none);
    assert_int_equal(report.newer_count, 0);
    assert_int_equal(report.awaiting_count, 1);
    free(carried.data);
    free(whole.data);
    free(edited.data);
    net_node_close(&fresh);
}

/* ---- what its grant does not cover ---- */

static bool uncovered_move(void *context, struct cairn_group *group)
{
    const struct forged_log *forged = context;

    if (group->channel == RECORDS && !group->has_checkpoint)
        group->scope = forged->scope;
    return true;
}

static bool run_exchange(void *context, const struct cairn_group *group, struct cairn_run *run)
{
    const struct forged_log *forged = context;

    if (group->channel == RECORDS && !group->has_checkpoint)
        *run = forged->run;
    return true;
}

static void
a_device_that_writes_outside_its_grant_is_named_and_nothing_is_called_missing(void **state)
{
    struct forged_log *forged = malloc(sizeof *forged);
    const struct bundle_edit edit = {
        .context = forged, .group = uncovered_move, .run = run_exchange};
    const struct net_bytes none = {NULL, 0};
    struct cairn_scope scope;

    (void)state;
    assert_non_null(forged);
    assert_true(cairn_scope_parse(NET_OTHER_VILLAGE, &scope));
    forge_log(&a7, scope, 2, CAIRN_RUN_SECRET, forged);
    net_put(&a7, NET_VILLAGE, "德吉", NULL);
    struct net_bytes whole = net_bundle(&a7, true), edited = bundle_edited(whole, &edit);
    struct cairn_audit_report report = audited(root_statement, edited, none);
    print_message("%s\n%s\n", audited_finding, audited_affects);
    audited_found(&report, "one.cairn: ");
    audited_found(&report, "The grant of A7 does not cover the log it writes.");
    assert_string_equal(audited_affects, NET_OTHER_VILLAGE);
    assert_int_equal(report.finding_count, 1);
    free(whole.data);
    free(edited.data);
    free(forged);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_history_told_otherwise_is_found_alone_and_beside_the_true_one),
        TEST(an_audit_that_nobody_listens_to_counts_the_same),
        TEST(what_cannot_be_audited_is_said),
        TEST(what_was_altered_names_its_device_whether_its_log_is_known_or_not),
        TEST(what_was_altered_in_a_log_that_came_second_names_its_device),
        TEST(entries_whose_grant_was_left_out_are_found),
        TEST(an_audit_of_two_servers_names_the_first),
        TEST(an_entry_that_waits_for_another_is_not_called_newer),
        TEST(a_device_that_writes_outside_its_grant_is_named_and_nothing_is_called_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
