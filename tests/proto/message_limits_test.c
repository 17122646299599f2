/*
 * What a message may not be: shapes, numbers and sizes just inside and just outside.
 *
 * Messages are spelt as bytes: "87 01" is two bytes in hex, "#32" a byte string of 32 zeros,
 * "#32=07" one of 32 sevens.
 */

#include "cairn/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cairn/cbor.h"
#include "message_sample.h"

#define ANY_LINK "86 #1=80 #32 #16 00 #0 #64"
#define ANY_RUN "84 00 01 81 80 #64"
#define REQUEST(flags, scopes, roots, heads) "87 01 " flags " " scopes " " roots " " heads " 80 80"
#define REQUEST_OF(groups) "87 01 00 80 #16 #0 " groups " 80"
#define GIVEN_BACK(groups) "87 01 08 80 #16 #0 " groups " 80"
#define REPLY_OF(groups) "87 01 00 00 " groups " 80 80 60"
/* A group of channel 1 at scope 0: what it brings, and its time and signature. */
#define GROUP(leaves, runs, end) "88 00 01 00 00 " leaves " " runs " " end
#define RUNS_ONLY(runs) GROUP("80", runs, "00 #0")
#define RUN_IN_REPLY(run) REPLY_OF("81 " RUNS_ONLY("81 " run))
#define HELD_IN_REPLY(held) REPLY_OF("81 89 00 01 00 00 80 80 07 #64 83 #32 #32 " held)

static void bytes_spell(struct cairn_writer *writer, const char *spelt)
{
    uint8_t filled[2048];

    while (*spelt != '\0') {
        char *end = NULL;
        bool is_string = *spelt == '#';
        unsigned long value = strtoul(spelt + is_string, &end, is_string ? 10 : 16);
        unsigned long filler = 0;

        if (*end == '=')
            filler = strtoul(end + 1, &end, 16);
        assert_true(*end == ' ' || *end == '\0');
        if (is_string) {
            assert_true(value <= sizeof(filled));
            memset(filled, (int)filler, sizeof(filled));
            cairn_cbor_write_bytes(writer, filled, value);
        } else {
            assert_true(value <= 0xff);
            cairn_write_u8(writer, (uint8_t)value);
        }
        spelt = end + strspn(end, " ");
    }
    assert_false(writer->overflowed);
}

static void check(enum message_kind kind, const char *spelt, enum cairn_status expected)
{
    uint8_t data[8192];
    uint8_t again[sizeof(data)];
    struct cairn_writer writer;
    struct cairn_writer rewritten;
    enum cairn_status status;

    cairn_writer_init(&writer, data, sizeof(data));
    bytes_spell(&writer, spelt);
    cairn_writer_init(&rewritten, again, sizeof(again));
    status = message_rewrite(kind, cairn_writer_bytes(&writer), &rewritten);
    if (status != expected)
        fail_msg("%s: %s, expected %s", spelt, cairn_status_name(status),
                 cairn_status_name(expected));
    if (status == CAIRN_OK &&
        !cairn_bytes_equal(cairn_writer_bytes(&writer), cairn_writer_bytes(&rewritten)))
        fail_msg("%s: written differently", spelt);
}

static void accepts(enum message_kind kind, const char *spelt)
{
    check(kind, spelt, CAIRN_OK);
}

static void refuses(enum message_kind kind, const char *spelt)
{
    check(kind, spelt, CAIRN_MALFORMED);
}

static void a_request_has_seven_items_and_format_one(void **state)
{
    (void)state;
    accepts(MESSAGE_REQUEST, REQUEST("00", "80", "#16", "#0"));
    refuses(MESSAGE_REQUEST, "87 02 00 80 #16 #0 80 80");
    refuses(MESSAGE_REQUEST, "86 01 00 80 #16 #0 80");
    refuses(MESSAGE_REQUEST, "88 01 00 80 #16 #0 80 80 00");
    refuses(MESSAGE_REPLY, "87 02 00 00 80 80 80 60");
    refuses(MESSAGE_REPLY, "88 01 00 00 80 80 80 60 00");
    accepts(MESSAGE_REPLY, "87 01 18 63 00 80 80 80 60"); /* a code of a newer version */
}

static void flags_that_we_do_not_know_are_malformed(void **state)
{
    (void)state;
    accepts(MESSAGE_REQUEST, REQUEST("0f", "80", "80", "80"));
    refuses(MESSAGE_REQUEST, REQUEST("10", "80", "#16", "#0"));
    accepts(MESSAGE_REPLY, "87 01 00 07 80 80 80 60");
    refuses(MESSAGE_REPLY, "87 01 00 08 80 80 80 60");
}

static void integers_have_one_encoding(void **state)
{
    (void)state;
    refuses(MESSAGE_REQUEST, "87 18 01 00 80 #16 #0 80 80");
    refuses(MESSAGE_REQUEST, "98 07 01 00 80 #16 #0 80 80");
    refuses(MESSAGE_REQUEST, "87 01 00 80 58 00 #0 80 80");
    refuses(MESSAGE_REPLY, "87 01 19 00 63 00 80 80 80 60");
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 18 00 01 81 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 00 01 81 81 18 00 #64"));
    refuses(MESSAGE_REPLY, "9f 01 00 00 80 80 80 60 ff");
}

static void scope_logs_stand_in_strictly_ascending_order(void **state)
{
    (void)state;
    accepts(MESSAGE_REQUEST, REQUEST("00", "8c 0b 00 00 00 0b 01 00 00 0c 00 00 00", "#16", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("00", "88 0b 01 00 00 0b 01 00 00", "#16", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("00", "88 0b 01 00 00 0b 00 00 00", "#16", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("00", "88 0c 00 00 00 0b 01 00 00", "#16", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("00", "83 0b 00 00", "#16", "#0"));
}

static void a_scope_is_a_code_that_exists_and_a_channel_is_below_three(void **state)
{
    (void)state;
    accepts(MESSAGE_REQUEST, REQUEST("00", "84 00 02 00 00", "#16", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("00", "84 00 03 00 00", "#16", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("00", "84 18 7b 00 00 00", "#16", "#0")); /* 123 */
    refuses(MESSAGE_REQUEST, REQUEST("00", "84 01 00 00 00", "#16", "#0"));
    accepts(MESSAGE_REPLY, REPLY_OF("81 88 00 02 00 00 80 80 00 #0"));
    refuses(MESSAGE_REPLY, REPLY_OF("81 88 00 03 00 00 80 80 00 #0"));
    refuses(MESSAGE_REPLY, REPLY_OF("81 88 01 00 00 00 80 80 00 #0"));
}

static void roots_are_a_digest_or_one_for_each_scope_log(void **state)
{
    (void)state;
    accepts(MESSAGE_REQUEST, REQUEST("02", "84 00 00 00 00", "81 #32", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("02", "84 00 00 00 00", "80", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("02", "84 00 00 00 00", "82 #32 #32", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("02", "84 00 00 00 00", "81 #31", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("02", "84 00 00 00 00", "#16", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("00", "80", "80", "#0"));
    refuses(MESSAGE_REQUEST, REQUEST("00", "80", "#32", "#0"));
}

static void heads_are_a_digest_or_a_list_ordered_by_log_id(void **state)
{
    (void)state;
    accepts(MESSAGE_REQUEST, REQUEST("00", "80", "#16", "#8"));
    refuses(MESSAGE_REQUEST, REQUEST("00", "80", "#16", "#7"));
    refuses(MESSAGE_REQUEST, REQUEST("00", "80", "#16", "80"));
    accepts(MESSAGE_REQUEST, REQUEST("04", "80", "#16", "84 #32=01 01 #32=02 01"));
    refuses(MESSAGE_REQUEST, REQUEST("04", "80", "#16", "84 #32=01 01 #32=01 02"));
    refuses(MESSAGE_REQUEST, REQUEST("04", "80", "#16", "84 #32=02 01 #32=01 01"));
    refuses(MESSAGE_REQUEST, REQUEST("04", "80", "#16", "82 #32=01 00"));
    refuses(MESSAGE_REQUEST, REQUEST("04", "80", "#16", "81 #32=01"));
    refuses(MESSAGE_REQUEST, REQUEST("04", "80", "#16", "82 #32=01 1b 00 00 00 01 00 00 00 00"));
    refuses(MESSAGE_REQUEST, REQUEST("04", "80", "#16", "#0"));
}

static void groups_of_a_request_bring_only_runs_and_stand_in_order(void **state)
{
    (void)state;
    accepts(MESSAGE_REQUEST,
            REQUEST_OF("82 88 0b 01 00 00 80 80 00 #0 88 0c 00 00 00 80 80 00 #0"));
    refuses(MESSAGE_REQUEST,
            REQUEST_OF("82 88 0c 01 00 00 80 80 00 #0 88 0b 00 00 00 80 80 00 #0"));
    refuses(MESSAGE_REQUEST,
            REQUEST_OF("82 88 0b 01 00 00 80 80 00 #0 88 0b 01 00 00 80 80 00 #0"));
    refuses(MESSAGE_REQUEST, REQUEST_OF("81 " GROUP("80", "80", "07 #64")));
    accepts(MESSAGE_REPLY, REPLY_OF("81 " GROUP("80", "80", "07 #64")));
    /* Given back without a checkpoint is authority alone. */
    accepts(MESSAGE_REQUEST, GIVEN_BACK("81 88 0b 00 00 00 80 80 00 #0"));
    refuses(MESSAGE_REQUEST, GIVEN_BACK("81 88 0b 01 00 00 80 80 00 #0"));
    refuses(MESSAGE_REQUEST,
            GIVEN_BACK("82 88 0c 00 00 00 80 80 00 #0 88 0b 00 00 00 80 80 00 #0"));
    refuses(MESSAGE_REQUEST, GIVEN_BACK("81 " GROUP("80", "80", "07 #64"))); /* not in full */
}

static void a_group_without_signature_has_neither_leaves_nor_time(void **state)
{
    (void)state;
    accepts(MESSAGE_REPLY, REPLY_OF("81 " GROUP("82 00 01", "80", "07 #64")));
    accepts(MESSAGE_REPLY, REPLY_OF("81 " GROUP("80", "81 " ANY_RUN, "00 #0")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("82 00 01", "80", "00 #0")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("80", "80", "07 #0")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("80", "80", "07 #63")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("80", "80", "07 #65")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 89 00 01 00 00 80 80 00 #0 83 #32 #32 80"));
    refuses(MESSAGE_REPLY, REPLY_OF("81 87 00 01 00 00 80 80 00"));
    refuses(MESSAGE_REPLY, REPLY_OF("81 8a 00 01 00 00 80 80 07 #64 83 #32 #32 80 00"));
}

static void a_leaf_has_a_number_of_32_bits_and_a_size_above_zero(void **state)
{
    (void)state;
    accepts(MESSAGE_REPLY,
            REPLY_OF("81 " GROUP("82 1a ff ff ff ff 1a ff ff ff ff", "80", "07 #64")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("82 00 00", "80", "07 #64")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("81 00", "80", "07 #64")));
    refuses(MESSAGE_REPLY,
            REPLY_OF("81 " GROUP("82 1b 00 00 00 01 00 00 00 00 01", "80", "07 #64")));
    refuses(MESSAGE_REPLY,
            REPLY_OF("81 " GROUP("82 00 1b 00 00 00 01 00 00 00 00", "80", "07 #64")));
}

static void a_leaf_names_its_log_by_number_or_by_key_and_incarnation(void **state)
{
    (void)state;
    accepts(MESSAGE_REPLY, REPLY_OF("81 " GROUP("84 82 #32 #16 01 00 02", "80", "07 #64")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("82 82 #32 #16 00", "80", "07 #64")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("82 82 #32 #16 01", "80", "00 #0")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("82 82 #31 #16 01", "80", "07 #64")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("82 82 #32 #17 01", "80", "07 #64")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("82 83 #32 #16 00 01", "80", "07 #64")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("82 #32 01", "80", "07 #64")));
    refuses(MESSAGE_REPLY, REPLY_OF("81 " GROUP("83 #32 #16 01", "80", "07 #64")));
}

static void leaves_do_not_pass_the_largest_size_of_a_scope_log(void **state)
{
    (void)state;
    accepts(MESSAGE_REPLY,
            REPLY_OF("81 88 00 01 00 1b ff ff ff ff ff ff ff fe 82 00 01 80 07 #64"));
    refuses(MESSAGE_REPLY,
            REPLY_OF("81 88 00 01 00 1b ff ff ff ff ff ff ff ff 82 00 01 80 07 #64"));
}

static void held_is_ordered_by_log_id_and_has_no_empty_log(void **state)
{
    (void)state;
    accepts(MESSAGE_REPLY, HELD_IN_REPLY("84 #32=01 01 #32=02 1a ff ff ff ff"));
    refuses(MESSAGE_REPLY, HELD_IN_REPLY("84 #32=02 01 #32=01 01"));
    refuses(MESSAGE_REPLY, HELD_IN_REPLY("84 #32=01 01 #32=01 01"));
    refuses(MESSAGE_REPLY, HELD_IN_REPLY("82 #32=01 00"));
    refuses(MESSAGE_REPLY, HELD_IN_REPLY("83 #32=01 01 #32=02"));
}

static void a_run_brings_its_secret_exactly_when_it_begins_at_index_zero(void **state)
{
    (void)state;
    accepts(MESSAGE_REPLY, RUN_IN_REPLY("84 00 01 81 80 #64"));
    accepts(MESSAGE_REPLY, RUN_IN_REPLY("85 00 00 81 80 #64 #32"));
    accepts(MESSAGE_REPLY, RUN_IN_REPLY("85 00 00 81 80 #64 82 #32 00"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 00 00 81 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("85 00 01 81 80 #64 #32"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("85 00 00 81 80 #64 #31"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("85 00 00 81 80 #64 82 #32 01"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("85 00 00 81 80 #64 81 #32"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("86 00 00 81 80 #64 #32 00"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("83 00 01 81 80"));
}

static void a_run_names_its_log_by_number_or_by_key_and_incarnation(void **state)
{
    (void)state;
    accepts(MESSAGE_REPLY, RUN_IN_REPLY("84 1a ff ff ff ff 01 81 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 1b 00 00 00 01 00 00 00 00 01 81 80 #64"));
    accepts(MESSAGE_REPLY, RUN_IN_REPLY("84 82 #32 #16 01 81 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 82 #31 #16 01 81 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 82 #32 #17 01 81 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 83 #32 #16 00 01 81 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 #32 01 81 80 #64"));
}

static void a_run_has_entries_and_none_beyond_the_largest_size(void **state)
{
    (void)state;
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 00 01 80 #64"));
    accepts(MESSAGE_REPLY, RUN_IN_REPLY("84 00 1a ff ff ff fe 81 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 00 1a ff ff ff fe 82 80 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 00 1a ff ff ff ff 81 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 00 1b 00 00 00 01 00 00 00 00 81 80 #64"));
}

static void an_entry_is_one_array_of_the_subset(void **state)
{
    (void)state;
    accepts(MESSAGE_REPLY, RUN_IN_REPLY("84 00 01 81 81 81 81 81 81 81 81 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 00 01 81 81 81 81 81 81 81 81 81 80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 00 01 81 00 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 00 01 81 #1=80 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 00 01 81 81 f6 #64"));
    refuses(MESSAGE_REPLY, RUN_IN_REPLY("84 00 01 81 81 61 ff #64"));
}

static void outside_records_a_run_has_one_entry(void **state)
{
    (void)state;
    accepts(MESSAGE_REPLY, REPLY_OF("81 88 00 01 00 00 80 81 84 00 01 82 80 80 #64 00 #0"));
    accepts(MESSAGE_REPLY, REPLY_OF("81 88 00 00 00 00 80 81 84 00 01 81 80 #64 00 #0"));
    refuses(MESSAGE_REPLY, REPLY_OF("81 88 00 00 00 00 80 81 84 00 01 82 80 80 #64 00 #0"));
    refuses(MESSAGE_REPLY, REPLY_OF("81 88 00 02 00 00 80 81 84 00 01 82 80 80 #64 00 #0"));
}

static void a_link_holds_one_entry_and_a_path_of_at_most_32_hashes(void **state)
{
    (void)state;
    accepts(MESSAGE_LINK, ANY_LINK);
    accepts(MESSAGE_LINK, "86 #1=80 #32 #16 00 #1024 #64");
    refuses(MESSAGE_LINK, "86 #1=80 #32 #16 00 #1056 #64");
    refuses(MESSAGE_LINK, "86 #1=80 #32 #16 00 #33 #64");
    refuses(MESSAGE_LINK, "86 #0 #32 #16 00 #0 #64");
    refuses(MESSAGE_LINK, "86 #2=80 #32 #16 00 #0 #64");
    refuses(MESSAGE_LINK, "86 #1=00 #32 #16 00 #0 #64");
    refuses(MESSAGE_LINK, "86 80 #32 #16 00 #0 #64");
    accepts(MESSAGE_LINK, "86 #1=80 #32 #16 1a ff ff ff fe #0 #64");
    refuses(MESSAGE_LINK, "86 #1=80 #32 #16 1a ff ff ff ff #0 #64");
    refuses(MESSAGE_LINK, "86 #1=80 #31 #16 00 #0 #64");
    refuses(MESSAGE_LINK, "86 #1=80 #32 #15 00 #0 #64");
    refuses(MESSAGE_LINK, "86 #1=80 #32 #16 00 #0 #63");
}

static void a_refusal_names_an_entry_and_a_reason(void **state)
{
    (void)state;
    accepts(MESSAGE_REPLY, "87 01 00 00 80 80 81 83 #32 1a ff ff ff ff 00 60");
    refuses(MESSAGE_REPLY, "87 01 00 00 80 80 81 83 #32 1b 00 00 00 01 00 00 00 00 00 60");
    refuses(MESSAGE_REPLY, "87 01 00 00 80 80 81 82 #32 00 60");
    refuses(MESSAGE_REPLY, "87 01 00 00 80 80 81 83 #31 00 00 60");
}

#define INVITE "6e 63 61 69 72 6e 2d 69 6e 76 69 74 65 2d 31"
#define BUNDLE "6e 63 61 69 72 6e 2d 62 75 6e 64 6c 65 2d 31"

static void an_invitation_holds_a_statement_and_the_ref_of_a_grant(void **state)
{
    (void)state;
    accepts(MESSAGE_INVITATION, "83 #1 80 83 #32 00 #32");
    accepts(MESSAGE_INVITATION, "83 #1024 80 83 #32 00 #32");
    refuses(MESSAGE_INVITATION, "83 #1025 80 83 #32 00 #32");
    refuses(MESSAGE_INVITATION, "83 #0 80 83 #32 00 #32");
    refuses(MESSAGE_INVITATION, "83 #1 80 83 #32 00 #31");
    accepts(MESSAGE_INVITATION_FILE, "82 " INVITE " #49");
    refuses(MESSAGE_INVITATION_FILE, "82 " INVITE " #48");
    refuses(MESSAGE_INVITATION_FILE, "82 " BUNDLE " #49");
    refuses(MESSAGE_INVITATION_FILE, "83 " INVITE " #49 00");
}

static void a_sealed_bundle_has_readers_and_a_full_one_has_none(void **state)
{
    (void)state;
    accepts(MESSAGE_HEADER, "85 " BUNDLE " #1 00 #32 #80");
    refuses(MESSAGE_HEADER, "83 " BUNDLE " #1 00");
    accepts(MESSAGE_HEADER, "83 " BUNDLE " #1 01");
    refuses(MESSAGE_HEADER, "85 " BUNDLE " #1 01 #32 #80");
    refuses(MESSAGE_HEADER, "83 " BUNDLE " #1 02");
    refuses(MESSAGE_HEADER, "84 " BUNDLE " #1 00 #32");
    refuses(MESSAGE_HEADER, "85 " BUNDLE " #1 00 #32 #79");
    refuses(MESSAGE_HEADER, "85 " BUNDLE " #1 00 #31 #80");
    refuses(MESSAGE_HEADER, "85 " INVITE " #1 00 #32 #80");
    refuses(MESSAGE_HEADER, "83 " BUNDLE " #1025 01");
    refuses(MESSAGE_HEADER, "82 " BUNDLE " #1");
}

/* ---- Limits that take many bytes ---- */

/* A writer over memory of its own. */
struct big {
    struct cairn_writer writer;
};

static void big_init(struct big *big)
{
    size_t capacity = (size_t)2 << 20;
    void *data = malloc(capacity);

    assert_non_null(data);
    cairn_writer_init(&big->writer, data, capacity);
}

static void repeat(struct big *big, const char *spelt, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes_spell(&big->writer, spelt);
}

/* Read and let go. */
static void big_check(struct big *big, enum message_kind kind, enum cairn_status expected)
{
    assert_false(big->writer.overflowed);
    assert_int_equal(message_read(kind, cairn_writer_bytes(&big->writer)), expected);
    free(big->writer.data);
}

static void check_entry_bytes(size_t entry_bytes, enum cairn_status expected)
{
    static const uint8_t zeros[CAIRN_ENTRY_CLOSED_MAX];
    struct big big;

    big_init(&big);
    bytes_spell(&big.writer, "87 01 00 00 81 88 00 01 00 00 80 81 84 00 01 81 81");
    cairn_cbor_write_bytes(&big.writer, zeros, entry_bytes - 4); /* heads: 1 and 3 bytes */
    bytes_spell(&big.writer, "#64 00 #0 80 80 60");
    big_check(&big, MESSAGE_REPLY, expected);
}

/* Whether it may have as many as that is for cairn_entry_read(), which counts its closed slots. */
static void an_entry_has_at_most_the_bytes_of_the_greatest_closed_one(void **state)
{
    (void)state;
    check_entry_bytes(CAIRN_ENTRY_MAX + 1, CAIRN_OK);
    check_entry_bytes(CAIRN_ENTRY_CLOSED_MAX, CAIRN_OK);
    check_entry_bytes(CAIRN_ENTRY_CLOSED_MAX + 1, CAIRN_MALFORMED);
}

static void check_entry_count(size_t count, enum cairn_status expected)
{
    struct big big;

    big_init(&big);
    bytes_spell(&big.writer, "87 01 00 00 81 88 00 01 00 00 80 81 84 00 01");
    cairn_cbor_write_array(&big.writer, count);
    repeat(&big, "80", count);
    bytes_spell(&big.writer, "#64 00 #0 80 80 60");
    big_check(&big, MESSAGE_REPLY, expected);
}

static void a_run_has_at_most_4096_entries(void **state)
{
    (void)state;
    check_entry_count(CAIRN_RUN_ENTRIES_MAX, CAIRN_OK);
    check_entry_count(CAIRN_RUN_ENTRIES_MAX + 1, CAIRN_MALFORMED);
}

/* So many runs in each of two groups. */
static void check_run_counts(size_t first, size_t second, enum cairn_status expected)
{
    struct big big;

    big_init(&big);
    bytes_spell(&big.writer, "87 01 00 00 82 88 00 01 00 00 80");
    cairn_cbor_write_array(&big.writer, first);
    repeat(&big, ANY_RUN, first);
    bytes_spell(&big.writer, "00 #0 88 0b 01 00 00 80");
    cairn_cbor_write_array(&big.writer, second);
    repeat(&big, ANY_RUN, second);
    bytes_spell(&big.writer, "00 #0 80 80 60");
    big_check(&big, MESSAGE_REPLY, expected);
}

static void a_message_has_at_most_4096_runs(void **state)
{
    (void)state;
    check_run_counts(CAIRN_MESSAGE_ITEMS_MAX - 1, 1, CAIRN_OK);
    check_run_counts(CAIRN_MESSAGE_ITEMS_MAX, 1, CAIRN_MALFORMED);
    check_run_counts(CAIRN_MESSAGE_ITEMS_MAX + 1, 0, CAIRN_MALFORMED);
}

static void check_group_count(size_t count, enum cairn_status expected)
{
    struct big big;

    big_init(&big);
    bytes_spell(&big.writer, "82 80");
    cairn_cbor_write_array(&big.writer, count);
    repeat(&big, RUNS_ONLY("80"), count);
    big_check(&big, MESSAGE_PART, expected);
}

static void a_message_has_at_most_4096_groups(void **state)
{
    (void)state;
    check_group_count(CAIRN_MESSAGE_ITEMS_MAX, CAIRN_OK);
    check_group_count(CAIRN_MESSAGE_ITEMS_MAX + 1, CAIRN_MALFORMED);
}

static void check_link_count(size_t count, enum cairn_status expected)
{
    struct big big;

    big_init(&big);
    bytes_spell(&big.writer, "82");
    cairn_cbor_write_array(&big.writer, count);
    repeat(&big, ANY_LINK, count);
    bytes_spell(&big.writer, "80");
    big_check(&big, MESSAGE_PART, expected);
}

static void a_message_has_at_most_512_links(void **state)
{
    (void)state;
    check_link_count(CAIRN_LINKS_MAX, CAIRN_OK);
    check_link_count(CAIRN_LINKS_MAX + 1, CAIRN_MALFORMED);
}

static void check_held_count(size_t count, enum cairn_status expected)
{
    struct big big;

    big_init(&big);
    bytes_spell(&big.writer, "82 80 81 89 00 01 00 00 80 80 07 #64 83 #32 #32");
    cairn_cbor_write_array(&big.writer, 2 * count);
    for (size_t i = 0; i < count; i++) {
        struct cairn_hash log = sample_hash((uint8_t)i);

        cairn_cbor_write_hash(&big.writer, &log);
        cairn_cbor_write_uint(&big.writer, 1);
    }
    big_check(&big, MESSAGE_PART, expected);
}

static void a_checkpoint_names_at_most_64_held_logs(void **state)
{
    (void)state;
    check_held_count(CAIRN_HELD_MAX, CAIRN_OK);
    check_held_count(CAIRN_HELD_MAX + 1, CAIRN_MALFORMED);
}

static void check_text_bytes(size_t text_bytes, enum cairn_status expected)
{
    char text[CAIRN_REPLY_TEXT_MAX + 1];
    struct big big;

    memset(text, 'x', sizeof(text));
    big_init(&big);
    bytes_spell(&big.writer, "87 01 00 00 80 80 80");
    cairn_cbor_write_text(&big.writer, text, text_bytes);
    big_check(&big, MESSAGE_REPLY, expected);
}

static void the_text_of_a_reply_has_at_most_256_bytes(void **state)
{
    (void)state;
    check_text_bytes(CAIRN_REPLY_TEXT_MAX, CAIRN_OK);
    check_text_bytes(CAIRN_REPLY_TEXT_MAX + 1, CAIRN_MALFORMED);
}

/* A reply of refusals, filled up with the text to a size. */
static void check_message_bytes(size_t message_bytes, enum cairn_status expected)
{
    static const char text[CAIRN_REPLY_TEXT_MAX];
    size_t refusal_count = (message_bytes - 230) / 37; /* leaves 219 to 255 bytes of text */
    struct big big;

    big_init(&big);
    bytes_spell(&big.writer, "87 01 00 00 80 80");
    cairn_cbor_write_array(&big.writer, refusal_count);
    repeat(&big, "83 #32 00 00", refusal_count);
    cairn_cbor_write_text(&big.writer, text, message_bytes - big.writer.size - 2);
    assert_int_equal(big.writer.size, message_bytes);
    big_check(&big, MESSAGE_REPLY, expected);
}

static void a_message_has_at_most_one_mebibyte(void **state)
{
    (void)state;
    check_message_bytes(CAIRN_MESSAGE_UNPACKED_MAX, CAIRN_OK);
    check_message_bytes(CAIRN_MESSAGE_UNPACKED_MAX + 1, CAIRN_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_seven_items_and_format_one),
        cmocka_unit_test(flags_that_we_do_not_know_are_malformed),
        cmocka_unit_test(integers_have_one_encoding),
        cmocka_unit_test(scope_logs_stand_in_strictly_ascending_order),
        cmocka_unit_test(a_scope_is_a_code_that_exists_and_a_channel_is_below_three),
        cmocka_unit_test(roots_are_a_digest_or_one_for_each_scope_log),
        cmocka_unit_test(heads_are_a_digest_or_a_list_ordered_by_log_id),
        cmocka_unit_test(groups_of_a_request_bring_only_runs_and_stand_in_order),
        cmocka_unit_test(a_group_without_signature_has_neither_leaves_nor_time),
        cmocka_unit_test(a_leaf_has_a_number_of_32_bits_and_a_size_above_zero),
        cmocka_unit_test(a_leaf_names_its_log_by_number_or_by_key_and_incarnation),
        cmocka_unit_test(leaves_do_not_pass_the_largest_size_of_a_scope_log),
        cmocka_unit_test(held_is_ordered_by_log_id_and_has_no_empty_log),
        cmocka_unit_test(a_run_brings_its_secret_exactly_when_it_begins_at_index_zero),
        cmocka_unit_test(a_run_names_its_log_by_number_or_by_key_and_incarnation),
        cmocka_unit_test(a_run_has_entries_and_none_beyond_the_largest_size),
        cmocka_unit_test(an_entry_is_one_array_of_the_subset),
        cmocka_unit_test(outside_records_a_run_has_one_entry),
        cmocka_unit_test(a_link_holds_one_entry_and_a_path_of_at_most_32_hashes),
        cmocka_unit_test(a_refusal_names_an_entry_and_a_reason),
        cmocka_unit_test(an_invitation_holds_a_statement_and_the_ref_of_a_grant),
        cmocka_unit_test(a_sealed_bundle_has_readers_and_a_full_one_has_none),
        cmocka_unit_test(an_entry_has_at_most_the_bytes_of_the_greatest_closed_one),
        cmocka_unit_test(a_run_has_at_most_4096_entries),
        cmocka_unit_test(a_message_has_at_most_4096_runs),
        cmocka_unit_test(a_message_has_at_most_4096_groups),
        cmocka_unit_test(a_message_has_at_most_512_links),
        cmocka_unit_test(a_checkpoint_names_at_most_64_held_logs),
        cmocka_unit_test(the_text_of_a_reply_has_at_most_256_bytes),
        cmocka_unit_test(a_message_has_at_most_one_mebibyte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
