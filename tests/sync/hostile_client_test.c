/* Requests that no honest client writes: what does not hold is counted as refused, and neither the
 * rest of the request nor the others of its commit suffer. */

#include "cmocka_all.h"
#include "forge.h"
#include "village.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "serve_internal.h"

static const struct cairn_scope village = {513332100201}, other_village = {513332100202};

static int setup(void **state)
{
    (void)state;
    village_open(5);
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

/* Commit the forged request together with an honest one of A8; the honest one is received. */
static bool was_not_ours; /* the server took what the last one gave back for nothing of its own */

static struct cairn_serve_commit commit_beside_an_honest_one(struct net_bytes forged)
{
    struct cairn_serve *serves[2] = {NULL, NULL};
    struct cairn_serve_commit commit;
    struct cairn_bytes reply;
    bool again = true;

    net_put(&a8, NET_VILLAGE, "卓玛", NULL);
    net_must(cairn_sync_begin(a8.replica, &net_err));
    struct net_bytes honest = net_request(&a8);
    net_must(cairn_serve_open(net.server.replica, net_bytes(forged), &serves[0], &net_err));
    net_must(cairn_serve_open(net.server.replica, net_bytes(honest), &serves[1], &net_err));
    net_must(cairn_serve_commit(net.server.replica, serves, 2, &commit, &net_err));
    net_must(cairn_serve_reply(net.server.replica, serves[0], &reply, &net_err));
    net_must(cairn_serve_reply(net.server.replica, serves[1], &reply, &net_err));
    net_must(cairn_sync_reply(a8.replica, reply, &again, &net_err));
    assert_int_equal(net_status(&a8).unreceived_count, 0);
    assert_int_equal(cairn_serve_entry_count(serves[1]), 1);
    was_not_ours = serves[0]->is_not_ours;
    cairn_serve_free(serves[0]);
    cairn_serve_free(serves[1]);
    free(honest.data);
    free(forged.data);
    net_agree(&a8, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
    return commit;
}

static struct cairn_serve_commit commit_logs(const struct forged_log *const *logs, size_t count)
{
    return commit_beside_an_honest_one(forge_request(&a7, &net.server, logs, count, false));
}

/* `bad` is refused, and a good log in the group behind it is taken. */
static void assert_refused(struct forged_log *bad)
{
    static struct forged_log good;
    const struct forged_log *logs[] = {bad, &good};

    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &good);
    /* Groups stand in order of their scope: both are brought in one, one after the other. */
    uint64_t before = net_status(&net.server).record_count;
    struct cairn_serve_commit first = commit_logs(logs, 1);
    assert_int_equal(first.refused_count, 1);
    assert_int_equal(net_status(&net.server).record_count, before + 1);
    struct cairn_serve_commit second = commit_logs(logs + 1, 1);
    assert_int_equal(second.refused_count, 0);
    assert_int_equal(second.entry_count, 3);
    assert_int_equal(net_status(&net.server).record_count, before + 4);
}

static void a_forged_request_that_holds_is_taken(void **state)
{
    static struct forged_log log;
    const struct forged_log *logs[] = {&log};

    (void)state;
    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &log);
    struct cairn_serve_commit commit = commit_logs(logs, 1);
    assert_int_equal(commit.refused_count, 0);
    assert_int_equal(commit.entry_count, 3);
    assert_int_equal(net_status(&net.server).record_count, 3);
}

static void a_run_with_a_bad_seal_is_refused(void **state)
{
    static struct forged_log log;

    (void)state;
    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &log);
    log.run.seal.bytes[7] ^= 1;
    assert_refused(&log);
}

static void a_run_with_an_altered_entry_is_refused(void **state)
{
    static struct forged_log log;

    (void)state;
    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &log);
    log.entries[log.run.entries.size - 1] ^= 1;
    assert_refused(&log);
}

static void a_run_of_a_log_number_that_nobody_gave_is_refused(void **state)
{
    static struct forged_log log;

    (void)state;
    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &log);
    log.run.log.is_numbered = true;
    log.run.log.log_number = 4000000000u;
    assert_refused(&log);
}

static void a_run_in_a_scope_of_another_village_is_refused(void **state)
{
    static struct forged_log log;

    (void)state;
    forge_log(&a7, other_village, 2, CAIRN_RUN_SECRET, &log);
    assert_refused(&log);
}

static void a_run_in_the_name_of_another_device_is_refused(void **state)
{
    static struct forged_log log;

    (void)state;
    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &log);
    log.run.log.device = a8.replica->keys.open.seal;
    assert_refused(&log);
}

static void a_run_that_does_not_begin_with_a_basis_is_refused(void **state)
{
    static struct forged_log log;
    struct cairn_reader reader;

    (void)state;
    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &log);
    cairn_reader_init(&reader, log.run.entries);
    struct cairn_bytes basis = cairn_cbor_skip(&reader);
    log.run.entries.data += basis.size;
    log.run.entries.size -= basis.size;
    log.run.entry_count--;
    assert_refused(&log);
}

/* With the blind seed in the place of the secret nobody could ever open what it brings. */
static void a_run_with_a_blind_seed_is_refused(void **state)
{
    static struct forged_log log;

    (void)state;
    forge_log(&a7, village, 2, CAIRN_RUN_BLIND_SEED, &log);
    assert_refused(&log);
}

static void a_run_with_the_secret_of_another_log_is_refused(void **state)
{
    static struct forged_log log;

    (void)state;
    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &log);
    log.run.secret.bytes[0] ^= 1;
    assert_refused(&log);
}

static void a_run_that_comes_too_early_waits_until_the_gap_is_filled(void **state)
{
    static struct forged_log early, whole;
    const struct forged_log *logs[] = {&early};
    struct cairn_reader reader;

    (void)state;
    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &whole);
    early = whole;
    cairn_reader_init(&reader, whole.run.entries);
    struct cairn_bytes basis = cairn_cbor_skip(&reader);
    early.run.entries.data += basis.size;
    early.run.entries.size -= basis.size;
    early.run.entry_count--;
    early.run.first = 1;
    early.run.secret_kind = CAIRN_RUN_NO_SECRET;
    struct cairn_serve_commit commit = commit_logs(logs, 1);
    assert_int_equal(commit.entry_count, 1); /* the honest one's */
    assert_int_equal(net_status(&net.server).parked_count, 1);
    logs[0] = &whole;
    commit = commit_logs(logs, 1);
    assert_int_equal(commit.refused_count, 0);
    assert_int_equal(net_status(&net.server).parked_count, 0);
    assert_int_equal(net_status(&net.server).record_count, 4);
}

/* ---- more than goes on to others ---- */

/* However little it packs, what was covered goes on to those who follow. */
static void what_one_request_brings_still_fits_a_reply(void **state)
{
    static struct forged_log one, other;
    const struct forged_log *logs[] = {&one, &other};

    (void)state;
    forge_noise_log(&a7, village, 32000, 1, &one);
    forge_noise_log(&a7, village, 32000, 2, &other);
    struct net_bytes request = forge_request(&a7, &net.server, logs, 2, false);
    struct net_bytes reply = net_answer(&net.server, request);
    net_sync(&a8, &net.server);
    assert_int_equal(net_status(&a8).record_count, 16);
    net_agree(&a8, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 2);
    free(request.data);
    free(reply.data);
}

static void a_run_that_fits_no_message_is_refused(void **state)
{
    static struct forged_log log;
    const struct forged_log *logs[] = {&log};

    (void)state;
    forge_noise_log(&a7, village, 60000, 3, &log);
    struct cairn_serve_commit commit = commit_logs(logs, 1);
    assert_int_equal(commit.refused_count, 1);
    assert_int_equal(commit.entry_count, 1); /* the honest one's */
}

/* ---- what was never signed ---- */

/* A7 gives back this group, with one leaf where `leaf` is given. */
static void expect_not_given_back(const char *what, const struct cairn_group *group,
                                  const struct cairn_scope_leaf *leaf)
{
    uint8_t bytes[1024], leaf_bytes[128], roots[16];
    struct cairn_writer writer, leaves;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_writer_init(&leaves, leaf_bytes, sizeof leaf_bytes);
    if (leaf != NULL)
        cairn_scope_leaf_write(&leaves, leaf);
    const struct cairn_group_parts parts = {.leaves = cairn_writer_bytes(&leaves),
                                            .leaf_count = leaf != NULL};
    cairn_group_write(&writer, group, &parts);
    cairn_roots_digest(NULL, 0, roots);
    const struct cairn_request_parts request = {.flags = CAIRN_REQUEST_GIVES_BACK,
                                                .roots = {roots, sizeof roots},
                                                .groups = cairn_writer_bytes(&writer),
                                                .group_count = 1};
    uint64_t size = net_scope_size(&net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS);
    print_message("%s\n", what);
    commit_beside_an_honest_one(forge_request_parts(&a7, &net.server, &request));
    assert_true(was_not_ours);
    assert_int_equal(net_scope_size(&net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS), size + 1);
}

static void what_the_server_never_signed_cannot_be_given_back(void **state)
{
    const struct cairn_log_name stranger = {.device = a7.replica->keys.open.seal};
    const struct cairn_scope_leaf nobodys = {.log = {.is_numbered = true, .log_number = 4000},
                                             .size = 1},
                                  covered = {.log = {.is_numbered = true}, .size = 1},
                                  missing = {.log = stranger, .size = 3};
    struct cairn_group group = {.scope = village,
                                .channel = CAIRN_CHANNEL_RECORDS,
                                .time_s = 1700000000,
                                .has_checkpoint = true,
                                .signature = {{1}},
                                .is_explicit = true};

    (void)state;
    net_put(&a8, NET_VILLAGE, "达娃", NULL);
    net_sync(&a8, &net.server);
    struct cairn_group elsewhere = group, later = group;
    elsewhere.scope.code = 44;
    later.first_leaf = 1000;
    expect_not_given_back("where no server signs", &elsewhere, NULL);
    expect_not_given_back("behind what is held", &later, &covered);
    expect_not_given_back("of another epoch", &group, NULL);
    group.epoch = 1;
    expect_not_given_back("under no good signature", &group, NULL);
    group.first_leaf = net_scope_size(&net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS);
    expect_not_given_back("of a number that nobody gave", &group, &nobodys);
    group.first_leaf++;
    expect_not_given_back("of what is covered", &group, &covered);
    group.first_leaf++;
    expect_not_given_back("of a log that is not here", &group, &missing);
    const struct cairn_group unsigned_group = {.scope.code = 513332,
                                               .channel = CAIRN_CHANNEL_AUTHORITY};
    expect_not_given_back("under no signature, where a server signs", &unsigned_group, NULL);
}

#define NAMED_SCOPES (CAIRN_MESSAGE_ITEMS_MAX + 100)

/* More than one answer can name as longer there than here. */
static void a_request_that_knows_of_everything_is_answered(void **state)
{
    static uint8_t bytes[CAIRN_NOISE_MESSAGE_MAX];
    struct cairn_writer scopes;
    uint8_t roots[16] = {1};

    (void)state;
    cairn_writer_init(&scopes, bytes, sizeof bytes);
    for (unsigned i = 0; i < NAMED_SCOPES; i++)
        cairn_scope_size_write(
            &scopes,
            &(struct cairn_scope_size){.scope.code = 600000000000u + i, .channel = 1, .size = 1});
    assert_false(scopes.overflowed);
    const struct cairn_request_parts request = {.scopes = cairn_writer_bytes(&scopes),
                                                .scope_count = NAMED_SCOPES,
                                                .roots = {roots, sizeof roots}};
    struct net_bytes message = forge_request_parts(&a7, &net.server, &request);
    struct net_bytes reply = net_answer(&net.server, message);
    assert_true(reply.size > 0);
    free(message.data);
    free(reply.data);
}

/* ---- what has no effect ---- */

static void of_many_entries_without_effect_the_author_is_told_some(void **state)
{
    static struct forged_log log;
    const struct forged_log *logs[] = {&log};
    struct cairn_serve *serve = NULL;
    struct cairn_serve_commit commit;

    (void)state;
    forge_idle_log(&a7, village, CAIRN_SERVE_REFUSALS_MAX + 6, &log);
    struct net_bytes request = forge_request(&a7, &net.server, logs, 1, false);
    net_must(cairn_serve_open(net.server.replica, net_bytes(request), &serve, &net_err));
    net_must(cairn_serve_commit(net.server.replica, &serve, 1, &commit, &net_err));
    assert_int_equal(commit.entry_count, CAIRN_SERVE_REFUSALS_MAX + 6);
    assert_int_equal(commit.refused_count, 0);
    assert_int_equal(serve->refusal_count, CAIRN_SERVE_REFUSALS_MAX);
    for (uint32_t i = 0; i < CAIRN_SERVE_REFUSALS_MAX; i++)
        assert_int_equal(serve->refusals[i].index, i + 1);
    cairn_serve_free(serve);
    free(request.data);
}

static void grants_that_lead_nowhere_do_not_spoil_what_comes_with_them(void **state)
{
    static struct forged_log log;
    struct cairn_link_set *links = malloc(sizeof *links);
    static uint8_t run_bytes[9000], group_bytes[9500];
    struct cairn_writer run, groups;
    struct net other;
    uint8_t roots[16];

    (void)state;
    assert_non_null(links);
    net_open(&other, 78);
    struct cairn_context *ctx = &other.office.replica->ctx;
    cairn_link_set_init(links);
    net_must(cairn_context_begin(ctx, CAIRN_TXN_READ));
    net_must(cairn_link_set_chain(ctx, links, &other.server.replica->under));
    cairn_context_abort(ctx);
    cairn_roots_digest(NULL, 0, roots);
    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &log);
    cairn_writer_init(&run, run_bytes, sizeof run_bytes);
    cairn_run_write(&run, &log.run);
    const struct cairn_group group = {.scope = log.scope, .channel = log.channel};
    const struct cairn_group_parts parts = {.runs = cairn_writer_bytes(&run), .run_count = 1};
    cairn_writer_init(&groups, group_bytes, sizeof group_bytes);
    cairn_group_write(&groups, &group, &parts);
    const struct cairn_request_parts request = {.roots = {roots, sizeof roots},
                                                .groups = cairn_writer_bytes(&groups),
                                                .group_count = 1,
                                                .links = cairn_buffer_bytes(&links->bytes),
                                                .link_count = links->count};
    struct cairn_serve_commit commit =
        commit_beside_an_honest_one(forge_request_parts(&a7, &net.server, &request));
    assert_int_equal(commit.refused_count, 0);
    assert_int_equal(commit.entry_count, 3);
    cairn_link_set_release(links);
    free(links);
    net_close(&other);
}

/* ---- before the write lock --- */

static void expect_not_opened(struct net_bytes message, enum cairn_status expected)
{
    struct cairn_serve *serve = NULL;

    net_err.text[0] = '\0';
    net_expect(cairn_serve_open(net.server.replica, net_bytes(message), &serve, &net_err),
               expected);
    assert_null(serve);
    assert_string_not_equal(net_err.text, "");
    free(message.data);
}

static void an_unknown_device_without_a_chain_is_refused_before_the_write_lock(void **state)
{
    struct net_node stranger;
    struct net other;

    (void)state;
    net_open(&other, 77);
    net_join(&net, &stranger, &net.office, "station", NET_VILLAGE, "A9");
    expect_not_opened(forge_request(&stranger, &net.server, NULL, 0, false), CAIRN_REFUSED);
    /* The chain of somebody else does not help. */
    struct cairn_keys keys = stranger.replica->keys;
    stranger.replica->keys = other.office.replica->keys;
    expect_not_opened(forge_request(&stranger, &net.server, NULL, 0, true), CAIRN_REFUSED);
    stranger.replica->keys = keys;
    /* Nor does one that leads to another root. */
    other.office.replica->ctx.network = net.office.replica->ctx.network;
    expect_not_opened(forge_request(&other.office, &net.server, NULL, 0, true), CAIRN_REFUSED);

    net_sync(&stranger, &net.server); /* with its own chain it is welcome */
    net_node_close(&stranger);
    net_close(&other);
}

static void counts_beyond_every_limit_are_malformed(void **state)
{
    static const uint8_t many_scopes[] = {0x87, 0x01, 0x00, 0x9b, 0xff, 0xff,
                                          0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t many_bytes[] = {0x87, 0x01, 0x00, 0x80, 0x5b, 0x7f, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const struct cairn_bytes plains[] = {
        {many_scopes, sizeof many_scopes}, {many_bytes, sizeof many_bytes}, {NULL, 0}};

    (void)state;
    for (size_t i = 0; i < 2; i++)
        expect_not_opened(forge_message(&a7, &a7.replica->keys, &net.server, plains[i]),
                          CAIRN_MALFORMED);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_forged_request_that_holds_is_taken),
        TEST(a_run_with_a_bad_seal_is_refused),
        TEST(a_run_with_an_altered_entry_is_refused),
        TEST(a_run_of_a_log_number_that_nobody_gave_is_refused),
        TEST(a_run_in_a_scope_of_another_village_is_refused),
        TEST(a_run_in_the_name_of_another_device_is_refused),
        TEST(a_run_that_does_not_begin_with_a_basis_is_refused),
        TEST(a_run_with_a_blind_seed_is_refused),
        TEST(a_run_with_the_secret_of_another_log_is_refused),
        TEST(a_run_that_comes_too_early_waits_until_the_gap_is_filled),
        TEST(what_one_request_brings_still_fits_a_reply),
        TEST(a_run_that_fits_no_message_is_refused),
        TEST(what_the_server_never_signed_cannot_be_given_back),
        TEST(a_request_that_knows_of_everything_is_answered),
        TEST(of_many_entries_without_effect_the_author_is_told_some),
        TEST(grants_that_lead_nowhere_do_not_spoil_what_comes_with_them),
        TEST(an_unknown_device_without_a_chain_is_refused_before_the_write_lock),
        TEST(counts_beyond_every_limit_are_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
