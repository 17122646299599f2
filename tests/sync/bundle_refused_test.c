/* Bundles that do not hold: nothing of them is kept, whatever is right in them, and why is said;
 * and devices that may not read or write one. */

#include "cmocka_all.h"
#include "forge.h"
#include "village.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "replica_internal.h"

#define KEY_BYTES crypto_secretstream_xchacha20poly1305_KEYBYTES
#define STREAM_BYTES crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define SEALED_BYTES (KEY_BYTES + crypto_box_SEALBYTES)
#define LAST crypto_secretstream_xchacha20poly1305_TAG_FINAL

static const struct cairn_scope village = {513332100201}, other_village = {513332100202};

static int setup(void **state)
{
    (void)state;
    village_open(41);
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

static void expect_unread(struct net_node *node, struct cairn_bytes bundle,
                          enum cairn_status expected, const char *words)
{
    struct cairn_bundle_report report = {.entry_count = 77};
    struct cairn_hash before = store_hash(node->store);

    net_expect(cairn_bundle_read(node->replica, bundle, &report, &net_err), expected);
    if (strstr(net_err.text, words) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", net_err.text, words);
    net_expect(cairn_bundle_read(node->replica, bundle, &report, NULL), expected);
    assert_int_equal(report.entry_count, 77);
    struct cairn_hash after = store_hash(node->store);
    assert_memory_equal(after.bytes, before.bytes, sizeof after.bytes);
}

/* ---- bundles by hand, sealed for A8 ---- */

struct sealed {
    uint8_t bytes[1 << 16];
    struct cairn_writer writer;
    struct cairn_hash header_hash;
    crypto_secretstream_xchacha20poly1305_state stream;
};
static struct sealed sealed;

static void header_write(struct cairn_bytes sealed_key)
{
    const struct cairn_bundle_reader reader = {.bundle_key = a8.replica->keys.open.bundle,
                                               .sealed_key = sealed_key};
    struct cairn_writer readers;
    uint8_t bytes[256];

    cairn_writer_init(&readers, bytes, sizeof bytes);
    cairn_bundle_reader_write(&readers, &reader);
    cairn_writer_init(&sealed.writer, sealed.bytes, sizeof sealed.bytes);
    cairn_bundle_header_write(&sealed.writer, net_bytes(root_statement), CAIRN_BUNDLE_SEALED,
                              cairn_writer_bytes(&readers), 1);
    crypto_hash_sha256(sealed.header_hash.bytes, sealed.bytes, sealed.writer.size);
}

/* The header, and the head of the stream with `stream_bytes` of it. */
static void sealed_begin(size_t stream_bytes)
{
    uint8_t key[KEY_BYTES], stream[STREAM_BYTES], sealed_key[SEALED_BYTES];

    crypto_secretstream_xchacha20poly1305_keygen(key);
    assert_int_equal(
        crypto_box_seal(sealed_key, key, sizeof key, a8.replica->keys.open.bundle.bytes), 0);
    header_write((struct cairn_bytes){sealed_key, sizeof sealed_key});
    crypto_secretstream_xchacha20poly1305_init_push(&sealed.stream, stream, key);
    cairn_cbor_write_bytes(&sealed.writer, stream, stream_bytes);
}

static void block_write(struct cairn_bytes plain, uint8_t tag)
{
    uint8_t block[1 << 14];

    assert_true(plain.size + crypto_secretstream_xchacha20poly1305_ABYTES <= sizeof block);
    crypto_secretstream_xchacha20poly1305_push(&sealed.stream, block, NULL, plain.data, plain.size,
                                               sealed.header_hash.bytes,
                                               sizeof sealed.header_hash.bytes, tag);
    cairn_cbor_write_bytes(&sealed.writer, block,
                           plain.size + crypto_secretstream_xchacha20poly1305_ABYTES);
}

static void end_write(void)
{
    block_write((struct cairn_bytes){NULL, 0}, LAST);
}

/* A part with one link or one group of one log, where they are given. */
static void part_write(const struct cairn_link *link, const struct forged_log *log)
{
    static uint8_t runs[1 << 13], groups[1 << 13], links[1 << 12], part[1 << 14];
    struct cairn_writer run_writer, group_writer, link_writer, writer;

    cairn_writer_init(&run_writer, runs, sizeof runs);
    cairn_writer_init(&group_writer, groups, sizeof groups);
    cairn_writer_init(&link_writer, links, sizeof links);
    cairn_writer_init(&writer, part, sizeof part);
    if (log != NULL) {
        const struct cairn_group group = {.scope = log->scope, .channel = log->channel};
        cairn_run_write(&run_writer, &log->run);
        const struct cairn_group_parts parts = {.runs = cairn_writer_bytes(&run_writer),
                                                .run_count = 1};
        cairn_group_write(&group_writer, &group, &parts);
    }
    if (link != NULL)
        cairn_link_write(&link_writer, link);
    cairn_write_u8(&writer, 0); /* not packed */
    cairn_bundle_part_write(&writer, cairn_writer_bytes(&link_writer), link != NULL,
                            cairn_writer_bytes(&group_writer), log != NULL);
    assert_false(run_writer.overflowed || group_writer.overflowed || link_writer.overflowed ||
                 writer.overflowed);
    block_write(cairn_writer_bytes(&writer), 0);
}

static void expect_sealed_unread(enum cairn_status expected, const char *words)
{
    assert_false(sealed.writer.overflowed);
    expect_unread(&a8, cairn_writer_bytes(&sealed.writer), expected, words);
}

static void good_part_write(void)
{
    static struct forged_log log;

    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &log);
    part_write(NULL, &log);
}

static void a_bundle_written_by_hand_that_holds_is_read(void **state)
{
    (void)state;
    sealed_begin(STREAM_BYTES);
    good_part_write();
    end_write();
    struct net_bytes bundle = {sealed.bytes, sealed.writer.size};
    assert_int_equal(net_bundle_read(&a8, bundle).entry_count, 2);
    assert_int_equal(net_status(&a8).record_count, 2);
}

/* ---- the file ---- */

#define DAMAGED "The bundle is damaged or cut short at byte"

static void a_stream_that_is_not_whole_is_said_with_its_place(void **state)
{
    const struct cairn_bytes short_block = {(const uint8_t *)"short", 5},
                             no_part = {(const uint8_t *)"\0no part", 8},
                             no_form = {(const uint8_t *)"\7", 1};

    (void)state;
    sealed_begin(STREAM_BYTES - 1);
    expect_sealed_unread(CAIRN_MALFORMED, DAMAGED);

    sealed_begin(STREAM_BYTES);
    good_part_write();
    expect_sealed_unread(CAIRN_MALFORMED, DAMAGED); /* no end */
    cairn_cbor_write_bytes(&sealed.writer, short_block.data, short_block.size);
    expect_sealed_unread(CAIRN_MALFORMED, DAMAGED);

    sealed_begin(STREAM_BYTES);
    good_part_write();
    block_write(short_block, LAST); /* an end with something in it */
    expect_sealed_unread(CAIRN_MALFORMED, DAMAGED);

    sealed_begin(STREAM_BYTES);
    good_part_write();
    end_write();
    cairn_write_u8(&sealed.writer, 0); /* something behind the end */
    expect_sealed_unread(CAIRN_MALFORMED, DAMAGED);

    sealed_begin(STREAM_BYTES);
    good_part_write();
    block_write(no_part, 0);
    end_write();
    expect_sealed_unread(CAIRN_MALFORMED, DAMAGED);

    sealed_begin(STREAM_BYTES);
    block_write(no_form, 0);
    end_write();
    expect_sealed_unread(CAIRN_MALFORMED, DAMAGED);
}

static void a_bundle_whose_key_does_not_open_is_carried_on(void **state)
{
    static const uint8_t garbage[SEALED_BYTES] = {1};

    (void)state;
    header_write((struct cairn_bytes){garbage, sizeof garbage});
    expect_sealed_unread(CAIRN_NO_KEY, "sealed for other devices");
}

static void what_is_no_bundle_is_said_to_be_none(void **state)
{
    struct cairn_bytes text = cairn_bytes_of_text("not a bundle");

    (void)state;
    expect_unread(&a8, text, CAIRN_MALFORMED, "This is not a bundle");
    expect_unread(&a8, (struct cairn_bytes){NULL, 0}, CAIRN_MALFORMED, "This is not a bundle");
}

/* ---- what is in it ---- */

static void one_part_that_does_not_hold_spoils_all(void **state)
{
    static struct forged_log log;

    (void)state;
    sealed_begin(STREAM_BYTES);
    good_part_write();
    forge_log(&a7, village, 2, CAIRN_RUN_SECRET, &log);
    log.run.seal.bytes[7] ^= 1;
    part_write(NULL, &log);
    end_write();
    expect_sealed_unread(CAIRN_BAD_SIGNATURE,
                         "Entries 0 to 2 of a log do not match the seal over them.");

    sealed_begin(STREAM_BYTES);
    good_part_write();
    forge_log(&a7, other_village, 2, CAIRN_RUN_SECRET, &log);
    part_write(NULL, &log);
    end_write();
    expect_sealed_unread(CAIRN_REFUSED, "The grant of A7 does not cover the log it writes.");
}

static void a_grant_that_rests_on_nothing_here_spoils_all(void **state)
{
    struct cairn_context *ctx = &a7.replica->ctx;
    struct cairn_link_set *set = malloc(sizeof *set);
    struct cairn_link link;
    struct net other;

    (void)state;
    assert_non_null(set);
    net_open(&other, 42);
    ctx = &other.office.replica->ctx;
    cairn_link_set_init(set);
    net_must(cairn_context_begin(ctx, CAIRN_TXN_READ));
    net_must(cairn_link_set_chain(ctx, set, &other.office.replica->under));
    cairn_context_abort(ctx);
    assert_int_equal(set->count, 1);
    net_must(cairn_link_read(cairn_buffer_bytes(&set->bytes), &link));
    sealed_begin(STREAM_BYTES);
    good_part_write();
    part_write(&link, NULL);
    end_write();
    expect_sealed_unread(CAIRN_GAP, "rests on something earlier that has not arrived here yet");
    cairn_link_set_release(set);
    free(set);
    net_close(&other);
}

static void a_state_that_is_not_the_signed_one_spoils_all(void **state)
{
    struct cairn_key key =
        cairn_key_scope_channel(CAIRN_TABLE_DIGEST, village, CAIRN_CHANNEL_RECORDS);

    (void)state;
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    for (size_t bucket = 0; bucket < 256; bucket++)
        net_flip(&net.server, &key, 1 + bucket * 32);
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    net_sync_ends(&a7, &net.server, CAIRN_CORRUPT);
    struct net_bytes bundle = net_bundle(&a7, false);
    expect_unread(&a8, net_bytes(bundle), CAIRN_CORRUPT,
                  "The state worked out here is not the one that was signed");
    free(bundle.data);
}

/* Two bundles of one village whose server went back and signed another history at that size. */
static void a_second_history_of_the_server_is_not_kept(void **state)
{
    (void)state;
    struct cairn_store *older = store_copy(net.server.store);
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_node_restore(&net.server, older);
    net_put(&a8, NET_VILLAGE, "次仁", NULL);
    net_sync(&a8, &net.server);
    struct net_bytes bundle = net_bundle(&a7, false);
    expect_unread(&a8, net_bytes(bundle), CAIRN_FORKED,
                  "What the bundle holds does not match its signatures");
    free(bundle.data);
}

/* ---- what a checkpoint says nothing of ---- */

/* The records log of A7, as `node` holds it. */
static struct cairn_log log_of_a7(struct net_node *node)
{
    struct cairn_context *ctx = &node->replica->ctx;
    struct cairn_log log;
    enum cairn_status status;

    net_must(cairn_context_begin(ctx, CAIRN_TXN_READ));
    for (status = cairn_log_next(ctx, &log, true);
         status == CAIRN_OK && (log.channel != CAIRN_CHANNEL_RECORDS ||
                                memcmp(&log.device, &a7.replica->keys.open.seal, 32) != 0);
         status = cairn_log_next(ctx, &log, false))
        continue;
    cairn_context_abort(ctx);
    net_must(status);
    return log;
}

/* What A8 holds of A7's log does not change when it follows what the server says of the village
 * from leaf `from` on, with this run added. */
static void expect_not_sequenced(uint64_t from, struct cairn_run *added)
{
    static uint8_t bytes[1 << 14];
    struct cairn_context *theirs = &net.server.replica->ctx, *ours = &a8.replica->ctx;
    struct cairn_outgoing *out = malloc(sizeof *out);
    struct cairn_group *group = malloc(sizeof *group);
    struct cairn_scope_log scope_log;
    struct cairn_list groups = {.left = 1}, runs;
    struct cairn_follow follow;
    struct cairn_writer writer;
    struct cairn_run run;
    struct cairn_log before = log_of_a7(&a8), after;
    uint64_t next;

    assert_true(out != NULL && group != NULL);
    cairn_outgoing_init(out, CAIRN_OUTGOING_BYTES);
    net_must(cairn_context_begin(theirs, CAIRN_TXN_READ));
    net_must(cairn_scope_log_load(theirs, village, CAIRN_CHANNEL_RECORDS, &scope_log));
    net_must(cairn_outgoing_covered(theirs, out, &scope_log, from, &next));
    cairn_context_abort(theirs);
    cairn_reader_init(&groups.reader, cairn_buffer_bytes(&out->groups));
    assert_true(cairn_group_next(&groups, group));
    cairn_writer_init(&writer, bytes, sizeof bytes);
    for (runs = group->runs; cairn_run_next(&runs, &run);)
        cairn_run_write(&writer, &run);
    cairn_run_write(&writer, added);
    assert_false(writer.overflowed);
    cairn_reader_init(&group->runs.reader, cairn_writer_bytes(&writer));
    group->runs.left++;
    cairn_replica_fresh(a8.replica, &net_err);
    net_must(cairn_context_begin(ours, CAIRN_TXN_WRITE));
    net_must(cairn_group_follow(ours, group, &follow));
    net_must(cairn_log_load(ours, before.no, &after));
    cairn_context_abort(ours);
    assert_int_equal(cairn_log_size(&after), cairn_log_size(&before));
    assert_memory_equal(cairn_log_root(&after).bytes, cairn_log_root(&before).bytes, 32);
    cairn_outgoing_release(out);
    free(group);
    free(out);
}

/* A7's card was copied: A8 has read one branch, and is shown another beside checkpoints that do not
 * cover it. */
static void a_run_that_no_new_leaf_covers_takes_the_place_of_nothing(void **state)
{
    struct net_node a9;
    struct cairn_run run;

    (void)state;
    net_join(&net, &a9, &net.office, "station", NET_VILLAGE, "A9");
    net_sync(&net.office, &net.server);
    net_put(&a7, NET_VILLAGE, "扎西", NULL);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    struct cairn_store *older = store_copy(a7.store);
    struct fake_ports ports = a7.ports;
    net_put(&a7, NET_VILLAGE, "次仁", NULL);
    struct net_bytes bundle = net_bundle(&a7, false);
    net_bundle_read(&a8, bundle);
    a7.ports = ports; /* the mark goes back with the store */
    net_node_restore(&a7, older);
    net_put(&a7, NET_VILLAGE, "卓玛", NULL);

    uint64_t held = net_scope_size(&a8, NET_VILLAGE, CAIRN_CHANNEL_RECORDS);
    struct cairn_log log = log_of_a7(&a7);
    struct cairn_context *ctx = &a7.replica->ctx;
    net_must(cairn_context_begin(ctx, CAIRN_TXN_READ));
    net_must(cairn_log_run(ctx, &log, log.covered, cairn_log_size(&log), 1000, &run));
    struct net_bytes entries = net_copy(run.entries);
    cairn_context_abort(ctx);
    run.entries = net_bytes(entries);
    print_message("all leaves are held, and nobody looks at the signature\n");
    expect_not_sequenced(0, &run);
    net_put(&a9, NET_VILLAGE, "达娃", NULL);
    net_sync(&a9, &net.server);
    print_message("the new leaves are another log's\n");
    expect_not_sequenced(held, &run);
    net_node_close(&a9);
    free(entries.data);
    free(bundle.data);
}

/* ---- who may ---- */

static bool piece_drop(void *context, struct cairn_bytes piece)
{
    (void)piece;
    ++*(int *)context;
    return true;
}

static void expect_unwritten(struct net_node *node, enum cairn_status expected, const char *words)
{
    struct cairn_bundle_report report = {.entry_count = 77};
    int pieces = 0;

    net_expect(cairn_bundle_write(node->replica, false, piece_drop, &pieces, &report, &net_err),
               expected);
    if (strstr(net_err.text, words) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", net_err.text, words);
    assert_int_equal(pieces, 0);
    assert_int_equal(report.entry_count, 77);
}

static void a_device_without_a_grant_neither_reads_nor_writes_one(void **state)
{
    struct net_node nobody;

    (void)state;
    struct net_bytes bundle = net_bundle(&a7, false);
    net_begin_unjoined(&net, &nobody, "nobody");
    expect_unread(&nobody, net_bytes(bundle), CAIRN_NO_RIGHT, "join first, then read bundles");
    expect_unwritten(&nobody, CAIRN_NO_RIGHT, "there is nothing to carry");
    net_node_close(&nobody);
    free(bundle.data);
}

static void a_locked_key_opens_no_bundle(void **state)
{
    (void)state;
    struct net_bytes bundle = net_bundle(&a7, false);
    a8.replica->has_keys = false; /* as when its key file could not be opened */
    expect_unread(&a8, net_bytes(bundle), CAIRN_NO_KEY, "give its passphrase");
    a8.replica->has_keys = true;
    net_bundle_read(&a8, bundle);
    free(bundle.data);
}

static void a_root_that_granted_nothing_has_no_readers(void **state)
{
    struct net_node alone;

    (void)state;
    net_begin_root(&net, &alone, "alone");
    expect_unwritten(&alone, CAIRN_NO_RIGHT, "Nobody could open this bundle");
    struct net_bytes full = net_bundle(&alone, true);
    assert_true(full.size > 0);
    free(full.data);
    net_node_close(&alone);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_bundle_written_by_hand_that_holds_is_read),
        TEST(a_stream_that_is_not_whole_is_said_with_its_place),
        TEST(a_bundle_whose_key_does_not_open_is_carried_on),
        TEST(what_is_no_bundle_is_said_to_be_none),
        TEST(one_part_that_does_not_hold_spoils_all),
        TEST(a_grant_that_rests_on_nothing_here_spoils_all),
        TEST(a_state_that_is_not_the_signed_one_spoils_all),
        TEST(a_second_history_of_the_server_is_not_kept),
        TEST(a_run_that_no_new_leaf_covers_takes_the_place_of_nothing),
        TEST(a_device_without_a_grant_neither_reads_nor_writes_one),
        TEST(a_locked_key_opens_no_bundle),
        TEST(a_root_that_granted_nothing_has_no_readers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
