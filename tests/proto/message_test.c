/* Links, runs, groups, requests, replies, invitations and bundles come back as they were sent. */

#include "cairn/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cairn/cbor.h"
#include "message_sample.h"

struct sample {
    uint8_t data[SAMPLE_BYTES_MAX];
    struct cairn_bytes bytes;
};

static void sample_init(struct sample *sample, enum message_kind kind)
{
    struct cairn_writer writer;

    cairn_writer_init(&writer, sample->data, sizeof(sample->data));
    sample_write(&writer, kind);
    assert_false(writer.overflowed);
    sample->bytes = cairn_writer_bytes(&writer);
}

static void assert_filled(const void *data, uint8_t filler, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], filler);
}

static void assert_sample_entry(struct cairn_bytes entry, uint8_t value)
{
    uint8_t buffer[64];
    struct cairn_writer writer;

    cairn_writer_init(&writer, buffer, sizeof(buffer));
    sample_entry_write(&writer, value);
    assert_int_equal(entry.size, writer.size);
    assert_memory_equal(entry.data, buffer, writer.size);
}

static void assert_sample_link(const struct cairn_link *link, uint32_t index, size_t path_count)
{
    assert_filled(link->blinding.bytes, 0xb1, 32);
    assert_filled(link->incarnation.bytes, 0x1c, 16);
    assert_int_equal(link->index, index);
    assert_int_equal(link->path_count, path_count);
    for (size_t i = 0; i < path_count; i++)
        assert_filled(link->path[i].bytes, (uint8_t)(0xa0 + i), 32);
    assert_filled(link->seal.bytes, 0x5e, 64);
}

static void assert_sample_links(struct cairn_list links)
{
    struct cairn_link link;

    assert_int_equal(links.left, 2);
    assert_true(cairn_link_next(&links, &link));
    assert_sample_entry(link.entry, 9);
    assert_sample_link(&link, 0, 0);
    assert_true(cairn_link_next(&links, &link));
    assert_sample_entry(link.entry, 9);
    assert_sample_link(&link, 5, 2);
    assert_false(cairn_link_next(&links, &link));
}

static void assert_sample_run(const struct cairn_run *run, uint32_t first, uint32_t entry_count,
                              enum cairn_run_secret secret_kind)
{
    struct cairn_reader entries;
    struct cairn_bytes entry;

    assert_int_equal(run->first, first);
    assert_int_equal(run->entry_count, entry_count);
    assert_int_equal(run->secret_kind, secret_kind);
    assert_filled(run->seal.bytes, 0x5e, 64);
    assert_filled(run->secret.bytes, secret_kind == CAIRN_RUN_NO_SECRET ? 0 : 0x5c, 32);
    cairn_reader_init(&entries, run->entries);
    for (uint32_t i = 0; i < entry_count; i++) {
        assert_true(cairn_run_entry_next(&entries, &entry));
        assert_sample_entry(entry, (uint8_t)(first + i));
    }
    assert_false(cairn_run_entry_next(&entries, &entry));
}

static void assert_log_numbered(const struct cairn_log_name *log, uint32_t log_number)
{
    assert_true(log->is_numbered);
    assert_int_equal(log->log_number, log_number);
}

static void assert_log_in_full(const struct cairn_log_name *log)
{
    assert_false(log->is_numbered);
    assert_filled(log->device.bytes, 0xde, 32);
    assert_filled(log->incarnation.bytes, 0x1c, 16);
}

static void assert_runs_group(struct cairn_group *group, uint64_t scope)
{
    struct cairn_run run;

    assert_int_equal(group->scope.code, scope);
    assert_int_equal(group->channel, CAIRN_CHANNEL_RECORDS);
    assert_int_equal(group->epoch, 2);
    assert_int_equal(group->leaves.left, 0);
    assert_int_equal(group->time_s, 0);
    assert_false(group->has_checkpoint);
    assert_false(group->is_explicit);
    assert_int_equal(group->runs.left, 2);

    assert_true(cairn_run_next(&group->runs, &run));
    assert_log_numbered(&run.log, 300);
    assert_sample_run(&run, 41, 2, CAIRN_RUN_NO_SECRET);
    assert_true(cairn_run_next(&group->runs, &run));
    assert_log_in_full(&run.log);
    assert_sample_run(&run, 0, 1, CAIRN_RUN_SECRET);
    assert_false(cairn_run_next(&group->runs, &run));
}

/* A leaf of a log that has a number, the first of a new log, and the next of that log. */
static void assert_sample_leaves(struct cairn_list leaves)
{
    struct cairn_scope_leaf leaf;

    assert_int_equal(leaves.left, 3);
    assert_true(cairn_scope_leaf_next(&leaves, &leaf));
    assert_log_numbered(&leaf.log, 0);
    assert_int_equal(leaf.size, 7);
    assert_true(cairn_scope_leaf_next(&leaves, &leaf));
    assert_log_in_full(&leaf.log);
    assert_int_equal(leaf.size, 1);
    assert_true(cairn_scope_leaf_next(&leaves, &leaf));
    assert_log_numbered(&leaf.log, 1);
    assert_int_equal(leaf.size, 70000);
    assert_false(cairn_scope_leaf_next(&leaves, &leaf));
}

static void assert_checkpoint_group(struct cairn_group *group, bool is_explicit)
{
    struct cairn_run run;

    assert_int_equal(group->scope.code, 330102);
    assert_int_equal(group->channel, CAIRN_CHANNEL_AUTHORITY);
    assert_int_equal(group->first_leaf, 1000);
    assert_sample_leaves(group->leaves);
    assert_true(cairn_run_next(&group->runs, &run));
    assert_log_numbered(&run.log, 1);
    assert_sample_run(&run, 0, 1, CAIRN_RUN_BLIND_SEED);
    assert_false(cairn_run_next(&group->runs, &run));
    assert_int_equal(group->time_s, 1700000100);
    assert_true(group->has_checkpoint);
    assert_filled(group->signature.bytes, 0xc9, 64);
    assert_int_equal(group->is_explicit, is_explicit);
    assert_int_equal(group->held_count, is_explicit ? 2 : 0);
    assert_filled(group->root.bytes, is_explicit ? 0x40 : 0, 32);
    assert_filled(group->digest.bytes, is_explicit ? 0xd1 : 0, 32);
    if (!is_explicit)
        return;
    assert_filled(group->held[0].log.bytes, 0x01, 32);
    assert_int_equal(group->held[0].size, 3);
    assert_filled(group->held[1].log.bytes, 0x02, 32);
    assert_int_equal(group->held[1].size, 400);
}

static void assert_answer_groups(struct cairn_list groups)
{
    struct cairn_group group;

    assert_int_equal(groups.left, 3);
    assert_true(cairn_group_next(&groups, &group));
    assert_checkpoint_group(&group, true);
    assert_true(cairn_group_next(&groups, &group));
    assert_checkpoint_group(&group, false);
    assert_true(cairn_group_next(&groups, &group));
    assert_runs_group(&group, 0);
    assert_false(cairn_group_next(&groups, &group));
}

static void assert_scope_size(struct cairn_list *scopes, struct cairn_scope_size expected)
{
    struct cairn_scope_size scope_size;

    assert_true(cairn_scope_size_next(scopes, &scope_size));
    assert_int_equal(scope_size.scope.code, expected.scope.code);
    assert_int_equal(scope_size.channel, expected.channel);
    assert_int_equal(scope_size.epoch, expected.epoch);
    assert_int_equal(scope_size.size, expected.size);
}

static void a_request_is_read_as_it_was_written(void **state)
{
    struct sample sample;
    struct cairn_request request;
    struct cairn_scope_size scope_size;
    struct cairn_group group;
    struct cairn_held held;
    struct cairn_hash root;

    (void)state;
    sample_init(&sample, MESSAGE_REQUEST);
    assert_int_equal(cairn_request_read(sample.bytes, &request), CAIRN_OK);
    assert_int_equal(request.flags, CAIRN_REQUEST_ROOTS | CAIRN_REQUEST_HEADS);
    assert_int_equal(request.scopes.left, 3);
    assert_scope_size(&request.scopes, (struct cairn_scope_size){{33}, 0, 1, 12});
    assert_scope_size(&request.scopes, (struct cairn_scope_size){{33}, 1, 1, 70000});
    assert_scope_size(&request.scopes, (struct cairn_scope_size){{330102}, 1, 2, 0});
    assert_false(cairn_scope_size_next(&request.scopes, &scope_size));
    for (uint8_t i = 0; i < 3; i++) {
        assert_true(cairn_hash_next(&request.roots, &root));
        assert_filled(root.bytes, i, 32);
        assert_true(cairn_held_next(&request.heads, &held));
        assert_filled(held.log.bytes, i, 32);
        assert_int_equal(held.size, i + 1);
    }
    assert_false(cairn_hash_next(&request.roots, &root));
    assert_false(cairn_held_next(&request.heads, &held));
    assert_true(cairn_group_next(&request.groups, &group));
    assert_runs_group(&group, 33);
    assert_true(cairn_group_next(&request.groups, &group));
    assert_runs_group(&group, 330102);
    assert_false(cairn_group_next(&request.groups, &group));
    assert_sample_links(request.links);
}

static void a_request_without_lists_carries_digests(void **state)
{
    static const uint8_t roots[16] = {1, 2, 3};
    static const uint8_t heads[8] = {4, 5, 6};
    uint8_t buffer[128];
    struct cairn_writer writer;
    struct cairn_request request;
    struct cairn_request_parts parts = {.flags = CAIRN_REQUEST_EXPLICIT,
                                        .roots = {roots, sizeof(roots)}};

    (void)state;
    for (size_t size = 0; size <= sizeof(heads); size += sizeof(heads)) {
        parts.heads = (struct cairn_bytes){heads, size};
        cairn_writer_init(&writer, buffer, sizeof(buffer));
        cairn_request_write(&writer, &parts);
        assert_int_equal(cairn_request_read(cairn_writer_bytes(&writer), &request), CAIRN_OK);
        assert_int_equal(request.flags, CAIRN_REQUEST_EXPLICIT);
        assert_true(cairn_bytes_equal(request.roots_digest, parts.roots));
        assert_true(cairn_bytes_equal(request.heads_digest, parts.heads));
        assert_int_equal(request.roots.left, 0);
        assert_int_equal(request.heads.left, 0);
    }
}

static void a_reply_is_read_as_it_was_written(void **state)
{
    struct sample sample;
    struct cairn_reply reply;
    struct cairn_refusal refusal;

    (void)state;
    sample_init(&sample, MESSAGE_REPLY);
    assert_int_equal(cairn_reply_read(sample.bytes, &reply), CAIRN_OK);
    assert_int_equal(reply.code, CAIRN_REPLY_REFUSED);
    assert_int_equal(reply.flags, CAIRN_REPLY_MORE);
    assert_answer_groups(reply.groups);
    assert_sample_links(reply.links);
    assert_true(cairn_refusal_next(&reply.refusals, &refusal));
    assert_filled(refusal.log.bytes, 0x10, 32);
    assert_int_equal(refusal.index, UINT32_MAX);
    assert_int_equal(refusal.reason, 12);
    assert_true(cairn_refusal_next(&reply.refusals, &refusal));
    assert_int_equal(refusal.index, 7);
    assert_false(cairn_refusal_next(&reply.refusals, &refusal));
    assert_true(cairn_bytes_equal(reply.text, cairn_bytes_of_text("no grant covers this")));
}

static void a_reply_may_say_nothing_at_all(void **state)
{
    uint8_t buffer[16];
    struct cairn_writer writer;
    struct cairn_reply reply;

    (void)state;
    cairn_writer_init(&writer, buffer, sizeof(buffer));
    cairn_reply_write(&writer, &(struct cairn_reply_parts){.code = CAIRN_REPLY_DONE});
    assert_int_equal(cairn_reply_read(cairn_writer_bytes(&writer), &reply), CAIRN_OK);
    assert_int_equal(reply.groups.left + reply.links.left + reply.refusals.left, 0);
    assert_int_equal(reply.text.size, 0);
}

static void a_link_is_read_as_it_was_written(void **state)
{
    struct sample sample;
    struct cairn_link link;

    (void)state;
    sample_init(&sample, MESSAGE_LINK);
    assert_int_equal(cairn_link_read(sample.bytes, &link), CAIRN_OK);
    assert_sample_entry(link.entry, 1);
    assert_sample_link(&link, 6, 3);
}

/* Whether it may have as many as that is for cairn_entry_read(), which counts its closed slots. */
static void the_entry_of_a_link_has_at_most_the_bytes_of_the_greatest_closed_one(void **state)
{
    static const uint8_t zeros[CAIRN_ENTRY_CLOSED_MAX];
    static uint8_t entry[CAIRN_ENTRY_CLOSED_MAX + 1], data[sizeof(entry) + 256];

    (void)state;
    for (size_t size = CAIRN_ENTRY_CLOSED_MAX; size <= sizeof(entry); size++) {
        struct cairn_writer writer;
        struct cairn_link link;

        cairn_writer_init(&writer, entry, sizeof(entry));
        cairn_cbor_write_array(&writer, 1);
        cairn_cbor_write_bytes(&writer, zeros, size - 4); /* heads: 1 and 3 bytes */
        assert_int_equal(writer.size, size);
        cairn_writer_init(&writer, data, sizeof(data));
        cairn_cbor_write_array(&writer, 6);
        cairn_cbor_write_bytes(&writer, entry, size);
        cairn_cbor_write_bytes(&writer, zeros, 32);
        cairn_cbor_write_bytes(&writer, zeros, 16);
        cairn_cbor_write_uint(&writer, 0);
        cairn_cbor_write_bytes(&writer, zeros, 0);
        cairn_cbor_write_bytes(&writer, zeros, 64);
        assert_int_equal(cairn_link_read(cairn_writer_bytes(&writer), &link),
                         size == CAIRN_ENTRY_CLOSED_MAX ? CAIRN_OK : CAIRN_MALFORMED);
    }
}

static void an_invitation_is_read_as_it_was_written(void **state)
{
    struct sample sample;
    struct cairn_invitation invitation;

    (void)state;
    sample_init(&sample, MESSAGE_INVITATION);
    assert_int_equal(cairn_invitation_read(sample.bytes, &invitation), CAIRN_OK);
    assert_true(
        cairn_bytes_equal(invitation.root_statement, cairn_bytes_of_text("a root statement")));
    assert_sample_links(invitation.links);
    assert_filled(invitation.grant.log.bytes, 0x10, 32);
    assert_int_equal(invitation.grant.index, 5);
    assert_filled(invitation.grant.leaf.bytes, 0x1f, 32);
}

static void an_invitation_file_holds_one_sealed_box(void **state)
{
    struct sample sample;
    struct cairn_bytes sealed;

    (void)state;
    sample_init(&sample, MESSAGE_INVITATION_FILE);
    assert_int_equal(cairn_invitation_file_read(sample.bytes, &sealed), CAIRN_OK);
    assert_int_equal(sealed.size, 64);
    assert_filled(sealed.data, 0x5b, sealed.size);
}

static void a_bundle_header_says_where_the_parts_begin(void **state)
{
    struct sample sample;
    struct cairn_bundle_header header;
    struct cairn_bundle_reader reader;

    (void)state;
    sample_init(&sample, MESSAGE_HEADER);
    /* What follows in the sample's buffer stands for the parts. */
    assert_int_equal(cairn_bundle_header_read(
                         (struct cairn_bytes){sample.data, sample.bytes.size + 40}, &header),
                     CAIRN_OK);
    assert_int_equal(header.header_bytes, sample.bytes.size);
    assert_int_equal(header.kind, CAIRN_BUNDLE_SEALED);
    assert_true(cairn_bytes_equal(header.root_statement, cairn_bytes_of_text("a root statement")));
    for (uint8_t i = 1; i <= 2; i++) {
        assert_true(cairn_bundle_reader_next(&header.readers, &reader));
        assert_filled(reader.bundle_key.bytes, i, 32);
        assert_int_equal(reader.sealed_key.size, 80);
        assert_filled(reader.sealed_key.data, 0xb0, 80);
    }
    assert_false(cairn_bundle_reader_next(&header.readers, &reader));
}

static void a_full_bundle_has_no_readers(void **state)
{
    uint8_t buffer[64];
    struct cairn_writer writer;
    struct cairn_bundle_header header;

    (void)state;
    cairn_writer_init(&writer, buffer, sizeof(buffer));
    cairn_bundle_header_write(&writer, cairn_bytes_of_text("statement"), CAIRN_BUNDLE_FULL,
                              (struct cairn_bytes){NULL, 0}, 0);
    assert_int_equal(cairn_bundle_header_read(cairn_writer_bytes(&writer), &header), CAIRN_OK);
    assert_int_equal(header.kind, CAIRN_BUNDLE_FULL);
    assert_int_equal(header.readers.left, 0);
}

static void a_bundle_part_is_read_as_it_was_written(void **state)
{
    struct sample sample;
    struct cairn_bundle_part part;

    (void)state;
    sample_init(&sample, MESSAGE_PART);
    assert_int_equal(cairn_bundle_part_read(sample.bytes, &part), CAIRN_OK);
    assert_sample_links(part.links);
    assert_answer_groups(part.groups);
}

/* Every copy that is read stands alone on the heap, so that a sanitizer sees one byte too many. */
static void a_message_cut_at_any_byte_is_malformed(void **state)
{
    (void)state;
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct sample sample;

        sample_init(&sample, (enum message_kind)kind);
        for (size_t size = 0; size < sample.bytes.size; size++) {
            uint8_t *copy = malloc(size + (size == 0));

            assert_non_null(copy);
            memcpy(copy, sample.data, size);
            assert_int_equal(
                message_read((enum message_kind)kind, (struct cairn_bytes){copy, size}),
                CAIRN_MALFORMED);
            free(copy);
        }
        assert_int_equal(message_read((enum message_kind)kind, sample.bytes), CAIRN_OK);
    }
}

static void a_byte_too_many_is_malformed(void **state)
{
    (void)state;
    for (int kind = 0; kind < MESSAGE_KIND_COUNT; kind++) {
        struct sample sample;

        if (kind == MESSAGE_HEADER) /* parts follow it */
            continue;
        sample_init(&sample, (enum message_kind)kind);
        assert_true(sample.bytes.size < sizeof(sample.data));
        sample.data[sample.bytes.size] = 0x80;
        sample.bytes.size++;
        assert_int_equal(message_read((enum message_kind)kind, sample.bytes), CAIRN_MALFORMED);
    }
}

/* What is read is written again byte for byte: there is no second encoding of anything. */
static void check_changed(enum message_kind kind, struct cairn_bytes bytes)
{
    uint8_t rewritten[SAMPLE_BYTES_MAX];
    struct cairn_writer writer;
    enum cairn_status status;

    cairn_writer_init(&writer, rewritten, bytes.size);
    status = message_rewrite(kind, bytes, &writer);
    if (status == CAIRN_MALFORMED)
        return;
    assert_int_equal(status, CAIRN_OK);
    assert_false(writer.overflowed);
    assert_memory_equal(rewritten, bytes.data, writer.size);
    assert_true(kind == MESSAGE_HEADER || writer.size == bytes.size);
}

static void check_read(enum message_kind kind, struct cairn_bytes bytes)
{
    enum cairn_status status = message_read(kind, bytes);

    assert_true(status == CAIRN_OK || status == CAIRN_MALFORMED);
}

static void change_every_byte(enum message_kind kind)
{
    struct sample sample;
    uint8_t *copy;

    sample_init(&sample, kind);
    copy = malloc(sample.bytes.size);
    assert_non_null(copy);
    memcpy(copy, sample.data, sample.bytes.size);
    for (size_t i = 0; i < sample.bytes.size; i++) {
        for (unsigned change = 1; change < 256; change++) {
            copy[i] = (uint8_t)(sample.data[i] ^ change);
            /* Walking all of it costs most of the time: done for changes of one bit. */
            if ((change & (change - 1)) == 0)
                check_changed(kind, (struct cairn_bytes){copy, sample.bytes.size});
            else
                check_read(kind, (struct cairn_bytes){copy, sample.bytes.size});
        }
        copy[i] = sample.data[i];
    }
    free(copy);
}

static void a_request_with_any_byte_changed_is_malformed_or_another_request(void **state)
{
    (void)state;
    change_every_byte(MESSAGE_REQUEST);
}

static void a_reply_with_any_byte_changed_is_malformed_or_another_reply(void **state)
{
    (void)state;
    change_every_byte(MESSAGE_REPLY);
}

static void a_smaller_message_with_any_byte_changed_is_malformed_or_another(void **state)
{
    (void)state;
    change_every_byte(MESSAGE_INVITATION);
    change_every_byte(MESSAGE_INVITATION_FILE);
    change_every_byte(MESSAGE_HEADER);
    change_every_byte(MESSAGE_LINK);
}

static void a_refused_message_leaves_the_output_untouched(void **state)
{
    struct cairn_request request = {.flags = 77};
    struct cairn_reply reply = {.code = 77};
    struct cairn_link link = {.index = 77};
    struct cairn_bytes nothing = {NULL, 0};

    (void)state;
    assert_int_equal(cairn_request_read(nothing, &request), CAIRN_MALFORMED);
    assert_int_equal(cairn_reply_read(nothing, &reply), CAIRN_MALFORMED);
    assert_int_equal(cairn_link_read(nothing, &link), CAIRN_MALFORMED);
    assert_int_equal(request.flags, 77);
    assert_int_equal(reply.code, 77);
    assert_int_equal(link.index, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_as_it_was_written),
        cmocka_unit_test(a_request_without_lists_carries_digests),
        cmocka_unit_test(a_reply_is_read_as_it_was_written),
        cmocka_unit_test(a_reply_may_say_nothing_at_all),
        cmocka_unit_test(a_link_is_read_as_it_was_written),
        cmocka_unit_test(the_entry_of_a_link_has_at_most_the_bytes_of_the_greatest_closed_one),
        cmocka_unit_test(an_invitation_is_read_as_it_was_written),
        cmocka_unit_test(an_invitation_file_holds_one_sealed_box),
        cmocka_unit_test(a_bundle_header_says_where_the_parts_begin),
        cmocka_unit_test(a_full_bundle_has_no_readers),
        cmocka_unit_test(a_bundle_part_is_read_as_it_was_written),
        cmocka_unit_test(a_message_cut_at_any_byte_is_malformed),
        cmocka_unit_test(a_byte_too_many_is_malformed),
        cmocka_unit_test(a_request_with_any_byte_changed_is_malformed_or_another_request),
        cmocka_unit_test(a_reply_with_any_byte_changed_is_malformed_or_another_reply),
        cmocka_unit_test(a_smaller_message_with_any_byte_changed_is_malformed_or_another),
        cmocka_unit_test(a_refused_message_leaves_the_output_untouched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
