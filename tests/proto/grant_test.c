/* The bodies of authority entries: each comes back as it was written, and no other body is read. */

#include "cairn/grant.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_up.h"

#define ENTRY_BYTES 1024

static struct cairn_ref ref_of(uint8_t byte)
{
    return (struct cairn_ref){hash_of(byte), byte, hash_of((uint8_t)(byte + 100))};
}

static const struct cairn_under *under_of(bool is_root)
{
    static struct cairn_under unders[2];

    unders[1] = (struct cairn_under){.is_root = true, .network = hash_of(1)};
    unders[0] = (struct cairn_under){.is_root = false, .grant = ref_of(2)};
    return &unders[is_root];
}

static struct cairn_grant sample_grant(bool is_root)
{
    struct cairn_grant grant = {.under = *under_of(is_root),
                                .scope = {513435},
                                .role = CAIRN_ROLE_SERVER,
                                .channels = CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS,
                                .rights = CAIRN_RIGHT_DELEGATE,
                                .tag = cairn_bytes_of_text("aZ09"),
                                .name = cairn_bytes_of_text("Shama village 1"),
                                .has_checkpoint_key = true,
                                .least_version = 4};

    memset(&grant.keys.seal, 0x11, 32);
    memset(&grant.keys.noise, 0x22, 32);
    memset(&grant.keys.bundle, 0x33, 32);
    memset(&grant.keys.checkpoint, 0x44, 32);
    return grant;
}

static const struct cairn_start starts[2] = {
    {{51}, CAIRN_CHANNEL_AUTHORITY, 1, {{1}}},
    {{513435102201}, CAIRN_CHANNEL_FUNDS, UINT64_C(1) << 40, {{2}}},
};

/* Every kind of body, written by its writer; `variant` changes what may stand there or not. */
enum body { GRANT, REVOCATION, CLOSE, ADOPT, SEQUENCER, SCHEMA, REDACTION, BODY_COUNT };

static const enum cairn_kind kind_of[BODY_COUNT] = {
    CAIRN_KIND_GRANT,     CAIRN_KIND_REVOCATION, CAIRN_KIND_CLOSE,    CAIRN_KIND_ADOPT,
    CAIRN_KIND_SEQUENCER, CAIRN_KIND_SCHEMA,     CAIRN_KIND_REDACTION};

static void body_write(struct cairn_writer *writer, enum body body, bool variant)
{
    const struct cairn_head cuts[2] = {{hash_of(5), 0, hash_of(6)},
                                       {hash_of(7), UINT32_MAX, hash_of(8)}};
    const struct cairn_under *under = under_of(variant);
    struct cairn_grant grant = sample_grant(variant);
    const struct cairn_ref ref = ref_of(9);

    switch (body) {
    case GRANT:
        grant.has_checkpoint_key = variant;
        cairn_grant_write(writer, 7, &grant);
        break;
    case REVOCATION:
        cairn_revocation_write(writer, 7, under, &ref, cuts, variant ? 2 : 0);
        break;
    case CLOSE:
        cairn_close_write(writer, 7, &(struct cairn_close){*under, cuts[1]});
        break;
    case ADOPT:
        cairn_adopt_write(writer, 7,
                          &(struct cairn_adopt){*under, hash_of(3), 0, UINT32_MAX, hash_of(4)});
        break;
    case SEQUENCER:
        cairn_sequencer_write(writer, 7,
                              &(struct cairn_sequencer){.under = *under,
                                                        .scope = {51},
                                                        .epoch = variant ? 2 : 1,
                                                        .server = ref,
                                                        .address = cairn_bytes_of_text(
                                                            variant ? "tcp://10.0.0.1:7" : "")},
                              starts, variant ? 2 : 0);
        break;
    case SCHEMA:
        cairn_schema_entry_write(
            writer, 7,
            &(struct cairn_schema_entry){*under, 1, hash_of(0), cairn_bytes_of_text("table")});
        break;
    case REDACTION:
        cairn_redaction_write(
            writer, 7,
            &(struct cairn_redaction){*under, hash_of(3), UINT32_MAX, CAIRN_SLOTS_MAX - 1});
        break;
    case BODY_COUNT:
        fail();
    }
    assert_false(writer->overflowed);
}

static bool body_is_read(enum body body, const struct cairn_entry *entry)
{
    union {
        struct cairn_grant grant;
        struct cairn_revocation revocation;
        struct cairn_close close;
        struct cairn_adopt adopt;
        struct cairn_sequencer sequencer;
        struct cairn_schema_entry schema;
        struct cairn_redaction redaction;
    } out;

    switch (body) {
    case GRANT:
        return cairn_grant_read(entry, &out.grant);
    case REVOCATION:
        return cairn_revocation_read(entry, &out.revocation);
    case CLOSE:
        return cairn_close_read(entry, &out.close);
    case ADOPT:
        return cairn_adopt_read(entry, &out.adopt);
    case SEQUENCER:
        return cairn_sequencer_read(entry, &out.sequencer);
    case SCHEMA:
        return cairn_schema_entry_read(entry, &out.schema);
    case REDACTION:
        return cairn_redaction_read(entry, &out.redaction);
    case BODY_COUNT:
        break;
    }
    fail();
    return false;
}

static struct cairn_entry written(uint8_t buf[static ENTRY_BYTES], enum body body, bool variant)
{
    struct cairn_writer writer;
    struct cairn_entry entry;

    cairn_writer_init(&writer, buf, ENTRY_BYTES);
    body_write(&writer, body, variant);
    assert_int_equal(cairn_entry_read(cairn_writer_bytes(&writer), &entry), CAIRN_OK);
    assert_int_equal(entry.kind, kind_of[body]);
    assert_int_equal(entry.time_s, 7);
    return entry;
}

/* ---- round trips ---- */

static void a_grant_comes_back_as_it_was_written(void **state)
{
    (void)state;
    for (int variant = 0; variant < 2; variant++) {
        uint8_t buf[ENTRY_BYTES];
        struct cairn_entry entry = written(buf, GRANT, variant);
        struct cairn_grant want = sample_grant(variant), got;

        assert_true(cairn_grant_read(&entry, &got));
        assert_true(cairn_under_equal(&got.under, &want.under));
        assert_int_equal(got.scope.code, want.scope.code);
        assert_int_equal(got.role, want.role);
        assert_int_equal(got.channels, want.channels);
        assert_int_equal(got.rights, want.rights);
        assert_true(cairn_bytes_equal(got.tag, want.tag));
        assert_true(cairn_bytes_equal(got.name, want.name));
        assert_memory_equal(&got.keys.seal, &want.keys.seal, 32);
        assert_memory_equal(&got.keys.noise, &want.keys.noise, 32);
        assert_memory_equal(&got.keys.bundle, &want.keys.bundle, 32);
        assert_int_equal(got.has_checkpoint_key, variant);
        if (variant)
            assert_memory_equal(&got.keys.checkpoint, &want.keys.checkpoint, 32);
        assert_int_equal(got.least_version, want.least_version);
    }
}

static void a_revocation_comes_back_with_its_cuts(void **state)
{
    (void)state;
    for (int variant = 0; variant < 2; variant++) {
        uint8_t buf[ENTRY_BYTES];
        struct cairn_entry entry = written(buf, REVOCATION, variant);
        const struct cairn_ref ref = ref_of(9);
        struct cairn_revocation got;
        struct cairn_head cut;

        assert_true(cairn_revocation_read(&entry, &got));
        assert_true(cairn_under_equal(&got.under, under_of(variant)));
        assert_true(cairn_ref_equal(&got.grant, &ref));
        assert_int_equal(got.cuts.left, variant ? 2 : 0);
        if (variant) {
            assert_true(cairn_cut_next(&got.cuts, &cut));
            assert_int_equal(cut.log.bytes[0], 5);
            assert_int_equal(cut.size, 0);
            assert_true(cairn_cut_next(&got.cuts, &cut));
            assert_int_equal(cut.root.bytes[31], 8);
            assert_true(cut.size == UINT32_MAX);
        }
        assert_false(cairn_cut_next(&got.cuts, &cut));
    }
}

static void a_sequencer_comes_back_with_its_starts(void **state)
{
    (void)state;
    for (int variant = 0; variant < 2; variant++) {
        uint8_t buf[ENTRY_BYTES];
        struct cairn_entry entry = written(buf, SEQUENCER, variant);
        const struct cairn_ref ref = ref_of(9);
        struct cairn_sequencer got;
        struct cairn_start start;

        assert_true(cairn_sequencer_read(&entry, &got));
        assert_true(cairn_under_equal(&got.under, under_of(variant)));
        assert_int_equal(got.scope.code, 51);
        assert_int_equal(got.epoch, variant ? 2 : 1);
        assert_true(cairn_ref_equal(&got.server, &ref));
        assert_int_equal(got.address.size, variant ? 16 : 0);
        assert_int_equal(got.starts.left, variant ? 2 : 0);
        for (int i = 0; variant && i < 2; i++) {
            assert_true(cairn_start_next(&got.starts, &start));
            assert_true(start.scope.code == starts[i].scope.code);
            assert_int_equal(start.channel, starts[i].channel);
            assert_true(start.size == starts[i].size);
            assert_memory_equal(start.root.bytes, starts[i].root.bytes, 32);
        }
        assert_false(cairn_start_next(&got.starts, &start));
    }
}

static void close_adopt_schema_and_redaction_come_back_as_they_were_written(void **state)
{
    (void)state;
    for (int variant = 0; variant < 2; variant++) {
        uint8_t buf[ENTRY_BYTES];
        struct cairn_close close;
        struct cairn_adopt adopt;
        struct cairn_schema_entry schema;
        struct cairn_redaction redaction;

        struct cairn_entry entry = written(buf, CLOSE, variant);
        assert_true(cairn_close_read(&entry, &close));
        assert_true(cairn_under_equal(&close.under, under_of(variant)));
        assert_int_equal(close.cut.log.bytes[0], 7);
        assert_true(close.cut.size == UINT32_MAX);
        assert_int_equal(close.cut.root.bytes[0], 8);

        entry = written(buf, ADOPT, variant);
        assert_true(cairn_adopt_read(&entry, &adopt));
        assert_true(cairn_under_equal(&adopt.under, under_of(variant)));
        assert_int_equal(adopt.log.bytes[0], 3);
        assert_int_equal(adopt.from, 0);
        assert_true(adopt.to == UINT32_MAX);
        assert_int_equal(adopt.root.bytes[0], 4);

        entry = written(buf, SCHEMA, variant);
        assert_true(cairn_schema_entry_read(&entry, &schema));
        assert_true(cairn_under_equal(&schema.under, under_of(variant)));
        assert_int_equal(schema.version, 1);
        assert_true(sodium_is_zero(schema.previous.bytes, 32));
        assert_true(cairn_bytes_equal(schema.table, cairn_bytes_of_text("table")));

        entry = written(buf, REDACTION, variant);
        assert_true(cairn_redaction_read(&entry, &redaction));
        assert_true(cairn_under_equal(&redaction.under, under_of(variant)));
        assert_int_equal(redaction.log.bytes[0], 3);
        assert_true(redaction.index == UINT32_MAX);
        assert_int_equal(redaction.slot, CAIRN_SLOTS_MAX - 1);
    }
}

/* ---- other bodies ---- */

static void no_body_is_read_as_another_kind(void **state)
{
    (void)state;
    for (unsigned body = 0; body < BODY_COUNT; body++)
        for (unsigned reader = 0; reader < BODY_COUNT; reader++) {
            uint8_t buf[ENTRY_BYTES];
            struct cairn_entry entry = written(buf, (enum body)body, true);

            assert_int_equal(body_is_read((enum body)reader, &entry), body == reader);
        }
}

static void a_body_cut_short_is_refused_at_every_length(void **state)
{
    (void)state;
    for (unsigned body = 0; body < BODY_COUNT; body++) {
        uint8_t buf[ENTRY_BYTES];
        struct cairn_entry entry = written(buf, (enum body)body, true);

        for (size_t size = 0; size < entry.bytes.size; size++) {
            uint8_t *block = malloc(size > 0 ? size : 1);
            struct cairn_entry again;

            assert_non_null(block);
            memcpy(block, buf, size);
            assert_int_equal(cairn_entry_read((struct cairn_bytes){block, size}, &again),
                             CAIRN_MALFORMED);
            free(block);
        }
    }
}

/* Body items of `entry` with item `changed` replaced by `item` (left out where it is empty) and
 * `extra` zeros behind them. */
static struct cairn_entry rewritten(uint8_t out[static 2 * ENTRY_BYTES], struct cairn_entry entry,
                                    size_t changed, struct cairn_bytes item, size_t extra)
{
    struct cairn_reader body = entry.body;
    struct cairn_writer writer;
    struct cairn_entry again;
    size_t count = entry.body_count - (item.size == 0 && changed < entry.body_count) + extra;

    cairn_writer_init(&writer, out, 2 * ENTRY_BYTES);
    cairn_entry_begin(&writer, entry.kind, entry.time_s, count);
    for (size_t i = 0; i < entry.body_count; i++) {
        struct cairn_bytes old = cairn_cbor_skip(&body);
        struct cairn_bytes now = i == changed ? item : old;
        cairn_write_bytes(&writer, now.data, now.size);
    }
    for (size_t i = 0; i < extra; i++)
        cairn_cbor_write_uint(&writer, 0);
    assert_false(writer.overflowed);
    assert_int_equal(cairn_entry_read(cairn_writer_bytes(&writer), &again), CAIRN_OK);
    return again;
}

static void every_item_of_a_body_must_have_its_type(void **state)
{
    static const uint8_t negative = 0x20, empty_array = 0x80;

    (void)state;
    for (unsigned body = 0; body < BODY_COUNT; body++) {
        uint8_t buf[ENTRY_BYTES], out[2 * ENTRY_BYTES];
        struct cairn_entry entry = written(buf, (enum body)body, true);

        for (size_t i = 0; i < entry.body_count; i++) {
            struct cairn_entry bad =
                rewritten(out, entry, i, (struct cairn_bytes){&negative, 1}, 0);
            if (body_is_read((enum body)body, &bad))
                fail_msg("body %u with a negative item %zu was read", body, i);
            bad = rewritten(out, entry, i, (struct cairn_bytes){&empty_array, 1}, 0);
            if (body_is_read((enum body)body, &bad))
                fail_msg("body %u with an array as item %zu was read", body, i);
        }
    }
}

static void a_body_has_as_many_items_as_its_kind(void **state)
{
    static const bool may_be_longer[BODY_COUNT] = {[CLOSE] = true}; /* funds add to a close */
    const struct cairn_bytes none = {NULL, 0};

    (void)state;
    for (unsigned body = 0; body < BODY_COUNT; body++) {
        uint8_t buf[ENTRY_BYTES], out[2 * ENTRY_BYTES];
        struct cairn_entry entry = written(buf, (enum body)body, false);
        struct cairn_entry other = rewritten(out, entry, entry.body_count - 1, none, 0);

        assert_false(body_is_read((enum body)body, &other));
        other = rewritten(out, entry, entry.body_count, none, 1);
        assert_int_equal(body_is_read((enum body)body, &other), may_be_longer[body]);
    }
}

/* Replace item `changed` of the sample by the CBOR text `item`. */
static void expect_refused(enum body body, size_t changed, const char *item, size_t item_bytes)
{
    uint8_t buf[ENTRY_BYTES], out[2 * ENTRY_BYTES];
    struct cairn_entry bad = rewritten(out, written(buf, body, true), changed,
                                       (struct cairn_bytes){(const uint8_t *)item, item_bytes}, 0);

    if (body_is_read(body, &bad))
        fail_msg("body %d with another item %zu was read", (int)body, changed);
}

static void values_out_of_their_range_are_refused(void **state)
{
    (void)state;
    expect_refused(GRANT, 1, "\x18\x64", 2); /* a scope of three digits */
    expect_refused(GRANT, 5, "\x60", 1);     /* no tag */
    expect_refused(GRANT, 5,
                   "\x65"
                   "abcde",
                   6); /* a tag of five */
    expect_refused(GRANT, 5,
                   "\x62"
                   "a-",
                   3);                                       /* a sign in a tag */
    expect_refused(GRANT, 5, "\x62\xc3\xa9", 3);             /* a letter that is not ASCII */
    expect_refused(GRANT, 7, "\x41\x01", 2);                 /* a key of one byte */
    expect_refused(GRANT, 10, "\x41\x01", 2);                /* a checkpoint key of one byte */
    expect_refused(GRANT, 10, "\x60", 1);                    /* an empty text for it */
    expect_refused(REVOCATION, 3, "\x83\x00\x00\x00", 4);    /* a cut of another form */
    expect_refused(ADOPT, 2, "\x1a\xff\xff\xff\xff", 5);     /* from is not below to */
    expect_refused(ADOPT, 3, "\x1b\0\0\0\1\0\0\0\0", 9);     /* beyond 32 bits */
    expect_refused(SEQUENCER, 2, "\x00", 1);                 /* epochs are from 1 */
    expect_refused(SEQUENCER, 6, "\x84\x00\x03\x00\x00", 5); /* a start of another form */
    expect_refused(SCHEMA, 1, "\x00", 1);                    /* versions are from 1 */
    expect_refused(REDACTION, 3, "\x18\x40", 2);             /* slot 64 */
    expect_refused(REDACTION, 2, "\x1b\0\0\0\1\0\0\0\0", 9); /* beyond 32 bits */
}

static void a_text_over_its_limit_is_refused(void **state)
{
    char item[2 + CAIRN_NAME_MAX + 1];

    (void)state;
    _Static_assert(CAIRN_NAME_MAX == CAIRN_ADDRESS_MAX, "one item serves both");
    memset(item, 'x', sizeof item);
    item[0] = 0x78;
    item[1] = (char)(CAIRN_NAME_MAX + 1);
    expect_refused(GRANT, 6, item, sizeof item);
    expect_refused(SEQUENCER, 4, item, sizeof item);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_comes_back_as_it_was_written),
        cmocka_unit_test(a_revocation_comes_back_with_its_cuts),
        cmocka_unit_test(a_sequencer_comes_back_with_its_starts),
        cmocka_unit_test(close_adopt_schema_and_redaction_come_back_as_they_were_written),
        cmocka_unit_test(no_body_is_read_as_another_kind),
        cmocka_unit_test(a_body_cut_short_is_refused_at_every_length),
        cmocka_unit_test(every_item_of_a_body_must_have_its_type),
        cmocka_unit_test(a_body_has_as_many_items_as_its_kind),
        cmocka_unit_test(values_out_of_their_range_are_refused),
        cmocka_unit_test(a_text_over_its_limit_is_refused),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("grant", tests, NULL, NULL);
}
