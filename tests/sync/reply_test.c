/* What a server may answer: every code ends in a sentence or another round, nothing that does not
 * hold is kept, and what waits here goes on waiting. */

#include "cmocka_all.h"
#include "forge.h"

#include <stdlib.h>
#include <string.h>

#include "replica_internal.h"
#include "verdict.h"

static struct net net;
static struct net_node a7;

/* A station that has synced before, with one entry that waits. */
static int setup(void **state)
{
    (void)state;
    net_open(&net, 31);
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_must(cairn_sync_begin(a7.replica, &net_err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_node_close(&a7);
    net_close(&net);
    return 0;
}

static void take(struct net_bytes reply, enum cairn_status expected, bool *out_again)
{
    net_err.text[0] = '\0';
    assert_int_equal(net_status(&a7).unreceived_count, 1);
    net_expect(cairn_sync_reply(a7.replica, net_bytes(reply), out_again, &net_err), expected);
    free(reply.data);
}

/* The next request is answered so. True: another round is wanted. */
static bool answered(const struct cairn_reply_parts *parts, enum cairn_status expected)
{
    struct net_bytes request = net_request(&a7);
    bool again = false;

    take(forge_reply(&net.server, request, parts), expected, &again);
    free(request.data);
    return again;
}

static bool answered_code(uint64_t code, enum cairn_status expected)
{
    const struct cairn_reply_parts parts = {.code = code, .text = cairn_bytes_of_text("because")};

    return answered(&parts, expected);
}

/* The entry waits still, and the true server takes it. */
static void expect_nothing_lost(void)
{
    assert_int_equal(net_status(&a7).unreceived_count, 1);
    net_sync(&a7, &net.server);
    assert_int_equal(net_status(&a7).unreceived_count, 0);
}

/* ---- codes ---- */

static void a_code_that_ends_the_exchange_is_said_in_words(void **state)
{
    static const struct {
        uint64_t code;
        enum cairn_status status;
        const char *sentence;
    } cases[] = {
        {CAIRN_REPLY_BUSY, CAIRN_NO_ANSWER, "S is busy. Nothing is lost; try again: cairn sync"},
        {CAIRN_REPLY_MALFORMED, CAIRN_REFUSED, "S refused: because. Nothing is lost."},
        {CAIRN_REPLY_OTHER_NETWORK, CAIRN_REFUSED, "S refused: because. Nothing is lost."},
        {CAIRN_REPLY_REFUSED, CAIRN_REFUSED, "S refused: because. Nothing is lost."},
        {99, CAIRN_REFUSED, "S refused: because. Nothing is lost."},
        {CAIRN_REPLY_BEHIND, CAIRN_REFUSED,
         "S knows less than it once signed: it was restored from an older copy. Nothing here is "
         "lost. Tell its operator; do not delete this store."},
        {CAIRN_REPLY_ROOTS_DIFFER, CAIRN_FORKED,
         "S has another history than the one it signed for this device. Nothing here is lost. "
         "Tell the county office and an auditor; do not delete this store."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        net_must(cairn_sync_begin(a7.replica, &net_err));
        assert_false(answered_code(cases[i].code, cases[i].status));
        assert_string_equal(net_err.text, cases[i].sentence);
    }
    expect_nothing_lost();
}

static void a_server_that_does_not_know_us_is_shown_the_grant_once(void **state)
{
    (void)state;
    assert_true(answered_code(CAIRN_REPLY_UNKNOWN_DEVICE, CAIRN_OK));
    assert_false(answered_code(CAIRN_REPLY_UNKNOWN_DEVICE, CAIRN_REFUSED));
    assert_string_equal(net_err.text,
                        "S does not know this device, nor the grant it showed. Nothing is lost.");
    expect_nothing_lost();
}

/* A server that is behind says so with these sizes of a village's log. */
static bool answered_behind(uint64_t scope, enum cairn_channel channel, uint64_t size,
                            enum cairn_status expected)
{
    const struct cairn_group group = {.scope = {scope}, .channel = channel, .first_leaf = size};
    const struct cairn_group_parts none = {.leaf_count = 0};
    struct cairn_writer writer;
    uint8_t bytes[512];

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_group_write(&writer, &group, &none);
    const struct cairn_reply_parts parts = {
        .code = CAIRN_REPLY_BEHIND, .groups = cairn_writer_bytes(&writer), .group_count = 1};
    return answered(&parts, expected);
}

static void a_server_that_is_behind_is_given_back_only_while_it_gets_on(void **state)
{
    (void)state;
    assert_true(answered_behind(513332100201, CAIRN_CHANNEL_RECORDS, 0, CAIRN_OK));
    assert_true(answered_behind(513332100201, CAIRN_CHANNEL_RECORDS, 1, CAIRN_OK));
    assert_true(answered_behind(513332100201, CAIRN_CHANNEL_AUTHORITY, 1, CAIRN_OK));
    assert_true(answered_behind(513332, CAIRN_CHANNEL_AUTHORITY, 1, CAIRN_OK));
    assert_false(answered_behind(513332, CAIRN_CHANNEL_AUTHORITY, 1, CAIRN_REFUSED));
    assert_non_null(strstr(net_err.text, "restored from an older copy"));
    expect_nothing_lost();
}

/* ---- flags ---- */

static void what_a_server_asks_for_is_sent_once(void **state)
{
    static const uint64_t flags[] = {CAIRN_REPLY_SEND_ROOTS, CAIRN_REPLY_SEND_HEADS};

    (void)state;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        const struct cairn_reply_parts parts = {.flags = flags[i]};
        net_must(cairn_sync_begin(a7.replica, &net_err));
        assert_true(answered(&parts, CAIRN_OK));
        assert_false(answered(&parts, CAIRN_OK));
    }
    const struct cairn_reply_parts more = {.flags = CAIRN_REPLY_MORE};
    net_must(cairn_sync_begin(a7.replica, &net_err));
    assert_true(answered(&more, CAIRN_OK));
    assert_true(answered(&more, CAIRN_OK));
    expect_nothing_lost();
}

/* ---- refusals ---- */

static void refused_with(uint64_t first, uint64_t second, const char *why)
{
    struct cairn_refusal refusals[2] = {{.index = 1, .reason = first},
                                        {.index = 2, .reason = second}};
    struct cairn_reply_parts parts = {.refusal_count = 2};
    struct cairn_writer writer;
    uint8_t bytes[256];

    cairn_writer_init(&writer, bytes, sizeof bytes);
    for (size_t i = 0; i < 2; i++)
        cairn_refusal_write(&writer, &refusals[i]);
    parts.refusals = cairn_writer_bytes(&writer);
    net_must(cairn_sync_begin(a7.replica, &net_err));
    answered(&parts, CAIRN_OK);
    answered(&parts, CAIRN_OK);
    assert_int_equal(cairn_sync_report(a7.replica)->refused_count, 4);
    assert_string_equal(cairn_sync_report(a7.replica)->refused_why, why);
}

static void why_the_first_entry_has_no_effect_is_reported(void **state)
{
    (void)state;
    refused_with(CAIRN_WHY_NO_RECORD, CAIRN_WHY_SHAPE, cairn_reason_text(CAIRN_WHY_NO_RECORD));
    refused_with(5000, CAIRN_WHY_SHAPE, cairn_reason_text(CAIRN_WHY_NEWER));
}

/* ---- what does not hold ---- */

static void an_answer_that_is_no_reply_is_not_kept(void **state)
{
    static const uint8_t no_form[] = {9, 0x80}, no_reply[] = {0, 0x80}, no_frame[] = {1, 2, 3, 4};
    const struct cairn_bytes payloads[] = {{no_form, sizeof no_form},
                                           {no_reply, sizeof no_reply},
                                           {no_frame, sizeof no_frame},
                                           {no_form, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        bool again = false;
        net_must(cairn_sync_begin(a7.replica, &net_err));
        struct net_bytes request = net_request(&a7);
        take(forge_answer(&net.server, request, payloads[i]), CAIRN_MALFORMED, &again);
        assert_string_equal(net_err.text,
                            "The answer of S is in a form that this program does not know. Nothing "
                            "is lost; install the newer cairn.");
        free(request.data);
    }
    expect_nothing_lost();
}

static void noise_from_anybody_does_not_end_the_exchange(void **state)
{
    struct net_bytes noise = {calloc(1, 200), 200};
    bool again = false;

    (void)state;
    struct net_bytes request = net_request(&a7);
    take(noise, CAIRN_BAD_SIGNATURE, &again);
    assert_string_equal(net_err.text,
                        "The answer is not from S, or was damaged on the way. Nothing of it was "
                        "kept; try again: cairn sync");
    struct net_bytes reply = net_answer(&net.server, request);
    net_must(cairn_sync_reply(a7.replica, net_bytes(reply), &again, &net_err));
    assert_int_equal(net_status(&a7).unreceived_count, 0);
    net_expect(cairn_sync_reply(a7.replica, net_bytes(reply), &again, &net_err), CAIRN_NO_ANSWER);
    assert_string_equal(net_err.text,
                        "No answer is waited for: this exchange ended with a failure. Nothing is "
                        "lost; try again: cairn sync");
    free(request.data);
    free(reply.data);
}

/* Checkpoints of `count` villages, none of them signed, each from `first_leaf` on. */
static bool answered_unsigned(size_t count, uint64_t first_leaf, enum cairn_status expected)
{
    static uint8_t bytes[8192];
    const struct cairn_group_parts none = {.leaf_count = 0};
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    for (size_t i = 0; i < count; i++) {
        const struct cairn_group group = {.scope = {513332100201 + i},
                                          .channel = CAIRN_CHANNEL_RECORDS,
                                          .epoch = 1,
                                          .first_leaf = first_leaf,
                                          .time_s = 1700000000,
                                          .has_checkpoint = true,
                                          .signature = {{1}}};
        cairn_group_write(&writer, &group, &none);
    }
    const struct cairn_reply_parts parts = {.groups = cairn_writer_bytes(&writer),
                                            .group_count = count};
    return answered(&parts, expected);
}

static void checkpoints_that_do_not_verify_are_asked_for_in_full_and_not_kept(void **state)
{
    (void)state;
    assert_true(answered_unsigned(6, 0, CAIRN_OK));
    assert_false(answered_unsigned(6, 0, CAIRN_BAD_SIGNATURE));
    assert_string_equal(net_err.text,
                        "A checkpoint of S does not verify. Nothing of it was kept, and nothing "
                        "here is lost. Tell the county office; do not delete this store.");
    assert_int_equal(net_scope_size(&a7, NET_VILLAGE, CAIRN_CHANNEL_RECORDS), 0);
    expect_nothing_lost();
}

static void a_checkpoint_without_its_entries_is_asked_for_again(void **state)
{
    (void)state;
    assert_true(answered_unsigned(1, 7, CAIRN_OK));
    assert_false(answered_unsigned(1, 7, CAIRN_GAP));
    assert_string_equal(net_err.text,
                        "S sent a checkpoint whose entries did not all come. Nothing here is lost; "
                        "try again: cairn sync");
    expect_nothing_lost();
}

/* ---- who may begin ---- */

static void expect_not_begun(struct net_node *node, enum cairn_status expected,
                             const char *sentence)
{
    net_expect(cairn_sync_begin(node->replica, &net_err), expected);
    assert_string_equal(net_err.text, sentence);
}

static void who_cannot_sync_is_told_why(void **state)
{
    struct net_node nobody, alone;

    (void)state;
    net_join(&net, &alone, &net.root, "county", "513399", "N");
    expect_not_begun(&alone, CAIRN_NO_RIGHT,
                     "No server is known for this device yet. Its office grants one with --role "
                     "server; a new invitation or a bundle brings it here.");
    a7.replica->has_keys = false; /* as when its key file could not be opened */
    expect_not_begun(&a7, CAIRN_NO_KEY, "The key of this device is locked: give its passphrase.");
    a7.replica->has_keys = true;
    net_begin_unjoined(&net, &nobody, "nobody");
    expect_not_begun(&nobody, CAIRN_NO_RIGHT,
                     "This device has no grant yet, so there is nobody to sync with.");
    net_node_close(&nobody);
    net_node_close(&alone);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_code_that_ends_the_exchange_is_said_in_words),
        TEST(a_server_that_does_not_know_us_is_shown_the_grant_once),
        TEST(a_server_that_is_behind_is_given_back_only_while_it_gets_on),
        TEST(what_a_server_asks_for_is_sent_once),
        TEST(why_the_first_entry_has_no_effect_is_reported),
        TEST(an_answer_that_is_no_reply_is_not_kept),
        TEST(noise_from_anybody_does_not_end_the_exchange),
        TEST(checkpoints_that_do_not_verify_are_asked_for_in_full_and_not_kept),
        TEST(a_checkpoint_without_its_entries_is_asked_for_again),
        TEST(who_cannot_sync_is_told_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
