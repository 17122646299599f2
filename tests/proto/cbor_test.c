/* The CBOR subset: the published tables, then each function at its limits. */

#include "cairn/cbor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aborts.h"
#include "vectors.h"

/*
 * What the table says about a row: deterministic by RFC 8949 (all tables but dcbor.json have it
 * in one column, malformed.json has none because none of its rows is even well-formed).
 */
static bool is_deterministic(const json_t *row)
{
    if (vectors_has(row, "rfc8949_deterministic"))
        return strcmp(vectors_text(row, "rfc8949_deterministic"), "yes") == 0;
    if (!vectors_bool(row, "well_formed"))
        return false;
    return vectors_bool(row, "valid") && strcmp(vectors_text(row, "deterministic"), "yes") == 0;
}

/*
 * Is the item at *pos of the subset? Knows nothing of the module under test and trusts the bytes,
 * because the table has vouched for them. Recursion ends at the depth that is too deep.
 */
static bool walk_subset(struct cairn_bytes input, size_t *pos, unsigned depth)
{
    uint8_t major = input.data[*pos] >> 5;
    uint64_t argument = input.data[*pos] & 0x1f;
    size_t extra = argument < 24 ? 0 : (size_t)1 << (argument - 24);

    if (major > 4 || (major == 4 && depth == 8))
        return false;
    if (extra > 0)
        argument = 0;
    for (size_t i = 1; i <= extra; i++)
        argument = argument << 8 | input.data[*pos + i];
    *pos += 1 + extra;
    if (major == 1)
        return argument < UINT64_C(1) << 63;
    if (major == 2 || major == 3)
        *pos += argument;
    if (major == 4)
        for (uint64_t i = 0; i < argument; i++)
            if (!walk_subset(input, pos, depth + 1))
                return false;
    return true;
}

static bool is_in_subset(const json_t *row, struct cairn_bytes input)
{
    size_t pos = 0;

    if (!is_deterministic(row) || !walk_subset(input, &pos, 0))
        return false;
    assert_int_equal(pos, input.size);
    return true;
}

/* Read one item with the typed functions and write it again. */
static void copy_item(struct cairn_reader *reader, struct cairn_writer *writer)
{
    struct cairn_bytes bytes;

    switch (cairn_cbor_peek(reader)) {
    case CAIRN_CBOR_UINT:
        cairn_cbor_write_uint(writer, cairn_cbor_read_uint(reader));
        return;
    case CAIRN_CBOR_NEGATIVE:
        cairn_cbor_write_int(writer, cairn_cbor_read_int(reader));
        return;
    case CAIRN_CBOR_BYTES:
        bytes = cairn_cbor_read_bytes(reader);
        cairn_cbor_write_bytes(writer, bytes.data, bytes.size);
        return;
    case CAIRN_CBOR_TEXT:
        bytes = cairn_cbor_read_text(reader);
        cairn_cbor_write_text(writer, (const char *)bytes.data, bytes.size);
        return;
    case CAIRN_CBOR_ARRAY:
        cairn_cbor_write_array(writer, cairn_cbor_read_array(reader));
        return;
    case CAIRN_CBOR_NONE:
        cairn_reader_fail(reader);
        return;
    }
}

static void expect_same_bytes_again(const json_t *row, struct cairn_bytes input)
{
    uint8_t buffer[8192];
    struct cairn_reader reader;
    struct cairn_writer writer;

    cairn_reader_init(&reader, input);
    cairn_writer_init(&writer, buffer, sizeof(buffer));
    while (cairn_reader_left(&reader) > 0)
        copy_item(&reader, &writer);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
    assert_false(writer.overflowed);
    vectors_expect_bytes(row, cairn_writer_bytes(&writer), input);
}

/* No beginning of an item is an item, and nothing may follow one. */
static void expect_refused_when_cut_or_followed(const json_t *row, struct cairn_bytes input)
{
    for (size_t size = 0; size <= input.size + 1; size++) {
        /* A block of exactly this size, for the address sanitizer. */
        uint8_t *block = calloc(size + (size == 0), 1);
        size_t copied = size < input.size ? size : input.size;
        enum cairn_status want = size == input.size ? CAIRN_OK : CAIRN_MALFORMED;

        assert_non_null(block);
        memcpy(block, input.data, copied);
        if (cairn_cbor_check((struct cairn_bytes){block, size}, NULL) != want)
            fail_msg("row %s, %zu of %zu bytes", vectors_id(row), size, input.size);
        free(block);
    }
}

static void run_table(const char *path, bool has_accepted)
{
    json_t *table = vectors_load(path);
    unsigned accepted = 0;
    unsigned refused = 0;

    VECTORS_EACH(table, i, row)
    {
        struct cairn_bytes input = vectors_hex(row, "hex");
        bool want = is_in_subset(row, input);
        size_t bad_offset = SIZE_MAX;
        enum cairn_status status = cairn_cbor_check(input, &bad_offset);

        if (status != (want ? CAIRN_OK : CAIRN_MALFORMED))
            fail_msg("%s row %s: got %s", path, vectors_id(row), cairn_status_name(status));
        if (want) {
            assert_int_equal(bad_offset, SIZE_MAX);
            expect_same_bytes_again(row, input);
            expect_refused_when_cut_or_followed(row, input);
            accepted++;
        } else {
            assert_true(bad_offset <= input.size);
            refused++;
        }
        vectors_bytes_free(input);
    }
    print_message("%s: %u accepted, %u refused\n", path, accepted, refused);
    assert_int_equal(accepted > 0, has_accepted);
    assert_true(refused > 0);
    vectors_free(table);
}

static void appendix_a_is_accepted_where_it_is_of_the_subset(void **state)
{
    (void)state;
    run_table("/cbor/appendix_a.json", true);
}

static void dagcbor_fixtures_are_accepted_where_they_are_of_the_subset(void **state)
{
    (void)state;
    run_table("/cbor/dagcbor_fixtures.json", true);
}

static void dcbor_vectors_are_accepted_where_they_are_of_the_subset(void **state)
{
    (void)state;
    run_table("/cbor/dcbor.json", true);
}

static void only_the_one_deterministic_encoding_is_accepted(void **state)
{
    (void)state;
    run_table("/cbor/determinism.json", true);
}

static void everything_malformed_is_refused(void **state)
{
    (void)state;
    run_table("/cbor/malformed.json", false);
}

/* A reader over the bytes of a hex text; `input` is to be freed. */
static struct cairn_reader reader_of(const char *hex, struct cairn_bytes *out_input)
{
    struct cairn_reader reader;

    *out_input = vectors_unhex(hex);
    cairn_reader_init(&reader, *out_input);
    return reader;
}

static enum cairn_status check_hex(const char *hex, size_t *out_bad_offset)
{
    struct cairn_bytes input = vectors_unhex(hex);
    enum cairn_status status = cairn_cbor_check(input, out_bad_offset);

    vectors_bytes_free(input);
    return status;
}

/* One call to a reading function, for tables of calls. */
typedef void read_fn(struct cairn_reader *reader);

static void read_uint(struct cairn_reader *reader)
{
    assert_int_equal(cairn_cbor_read_uint(reader), 0);
}

static void read_uint_max_100(struct cairn_reader *reader)
{
    assert_int_equal(cairn_cbor_read_uint_max(reader, 100), 0);
}

static void read_int(struct cairn_reader *reader)
{
    assert_int_equal(cairn_cbor_read_int(reader), 0);
}

static void read_bytes(struct cairn_reader *reader)
{
    assert_null(cairn_cbor_read_bytes(reader).data);
}

static void read_bytes_of_3(struct cairn_reader *reader)
{
    assert_null(cairn_cbor_read_bytes_of(reader, 3).data);
}

static void read_hash(struct cairn_reader *reader)
{
    struct cairn_hash zero = {{0}};
    struct cairn_hash hash = cairn_cbor_read_hash(reader);

    assert_memory_equal(&hash, &zero, sizeof(zero));
}

static void read_text(struct cairn_reader *reader)
{
    assert_null(cairn_cbor_read_text(reader).data);
}

static void expect_text_abc(struct cairn_reader *reader)
{
    cairn_cbor_expect_text(reader, "abc");
}

static void read_array(struct cairn_reader *reader)
{
    assert_int_equal(cairn_cbor_read_array(reader), 0);
}

static void expect_array_2(struct cairn_reader *reader)
{
    cairn_cbor_expect_array(reader, 2);
}

static void skip_item(struct cairn_reader *reader)
{
    assert_null(cairn_cbor_skip(reader).data);
}

/* For each reader what it refuses, as texts of hex. */
static const struct {
    read_fn *read;
    const char *hexes[12];
} refusals[] = {
    {read_uint,
     {"", "20", "4101", "1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "1bffffffffffffff",
      "1c", "1f"}},
    {read_uint_max_100, {"1865", "1bffffffffffffffff", "20"}},
    {read_int, {"1b8000000000000000", "3b8000000000000000", "3bffffffffffffffff", "40", "3817"}},
    {read_bytes, {"60", "4201", "5bffffffffffffffff00", "5f4101ff", "580101"}},
    {read_bytes_of_3, {"420102", "4401020304", "63616263"}},
    {read_hash, {"43010203", "00"}},
    {read_text, {"43616263", "62c328", "61c3", "6261", "63eda080", "7f6161ff"}},
    {expect_text_abc, {"63616264", "626162", "6461626364", "43616263"}},
    {read_array, {"81", "8200", "9bffffffffffffffff00", "9fff", "a0"}},
    {expect_array_2, {"8100", "83000000", "420000"}},
    {skip_item, {"", "a0", "c000", "f4", "f93c00", "ff"}},
};

static void expect_refused(read_fn *read, const char *refused)
{
    char hex[64];
    struct cairn_bytes input;
    struct cairn_reader reader;

    snprintf(hex, sizeof(hex), "00%s", refused);
    reader = reader_of(hex, &input);
    assert_int_equal(cairn_read_u8(&reader), 0);
    read(&reader);
    if (!reader.failed || reader.pos != 1)
        fail_msg("%s: failed %d at %zu", hex, reader.failed, reader.pos);
    /* And nothing more comes out of it, through whatever function. */
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        refusals[i].read(&reader);
    assert_int_equal(cairn_cbor_peek(&reader), CAIRN_CBOR_NONE);
    assert_int_equal(reader.pos, 1);
    vectors_bytes_free(input);
}

static void each_reader_refuses_what_is_not_its_own_and_stays_before_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        for (size_t k = 0; refusals[i].hexes[k] != NULL; k++)
            expect_refused(refusals[i].read, refusals[i].hexes[k]);
}

static void each_reader_takes_its_own(void **state)
{
    struct cairn_bytes input;
    struct cairn_reader reader =
        reader_of("8963616263820000"
                  "186443010203"
                  "5820000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                  "203b7fffffffffffffff1b7fffffffffffffff1bffffffffffffffff63e69d91",
                  &input);
    struct cairn_hash hash;
    struct cairn_bytes bytes;

    (void)state;
    assert_int_equal(cairn_cbor_read_array(&reader), 9);
    cairn_cbor_expect_text(&reader, "abc");
    cairn_cbor_expect_array(&reader, 2);
    assert_int_equal(cairn_cbor_read_uint_max(&reader, 0), 0);
    bytes = cairn_cbor_skip(&reader);
    assert_int_equal(bytes.size, 1);
    assert_int_equal(cairn_cbor_read_uint_max(&reader, 100), 100);
    bytes = cairn_cbor_read_bytes_of(&reader, 3);
    assert_memory_equal(bytes.data, "\x01\x02\x03", 3);
    hash = cairn_cbor_read_hash(&reader);
    assert_int_equal(hash.bytes[31], 0x1f);
    assert_int_equal(cairn_cbor_read_int(&reader), -1);
    assert_true(cairn_cbor_read_int(&reader) == INT64_MIN);
    assert_true(cairn_cbor_read_int(&reader) == INT64_MAX);
    assert_true(cairn_cbor_read_uint(&reader) == UINT64_MAX);
    bytes = cairn_cbor_read_text(&reader);
    assert_true(cairn_bytes_equal(bytes, cairn_bytes_of_text("\u6751")));
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
    vectors_bytes_free(input);
}

static void peek_tells_the_type_from_the_first_byte_without_moving(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        uint8_t byte = (uint8_t)first;
        struct cairn_reader reader;
        bool is_subset = first < 0xa0 && (first & 0x1f) < 28;

        cairn_reader_init(&reader, (struct cairn_bytes){&byte, 1});
        assert_int_equal(cairn_cbor_peek(&reader), is_subset ? first >> 5 : CAIRN_CBOR_NONE);
        assert_int_equal(reader.pos, 0);
        assert_false(reader.failed);
    }
}

static void every_integer_is_written_in_its_shortest_form(void **state)
{
    static const struct {
        uint64_t value;
        size_t size;
    } rows[] = {{0, 1},
                {23, 1},
                {24, 2},
                {UINT8_MAX, 2},
                {UINT8_MAX + 1, 3},
                {UINT16_MAX, 3},
                {(uint64_t)UINT16_MAX + 1, 5},
                {UINT32_MAX, 5},
                {(uint64_t)UINT32_MAX + 1, 9},
                {INT64_MAX, 9}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t buffer[64];
        int64_t value = (int64_t)rows[i].value;
        struct cairn_writer writer;
        struct cairn_reader reader;

        cairn_writer_init(&writer, buffer, sizeof(buffer));
        cairn_cbor_write_uint(&writer, rows[i].value);
        assert_int_equal(writer.size, rows[i].size);
        cairn_cbor_write_int(&writer, value);
        assert_int_equal(writer.size, 2 * rows[i].size);
        cairn_cbor_write_int(&writer, -1 - value);
        assert_int_equal(writer.size, 3 * rows[i].size);
        cairn_cbor_write_array(&writer, (size_t)rows[i].value);
        assert_int_equal(writer.size, 4 * rows[i].size);

        cairn_reader_init(&reader, cairn_writer_bytes(&writer));
        assert_true(cairn_cbor_read_uint(&reader) == rows[i].value);
        assert_true(cairn_cbor_read_int(&reader) == value);
        assert_true(cairn_cbor_read_int(&reader) == -1 - value);
        assert_int_equal(cairn_cbor_peek(&reader), CAIRN_CBOR_ARRAY);
    }
}

static void write_some_of_each(struct cairn_writer *writer)
{
    static const struct cairn_hash hash = {{1, 2, 3}};

    cairn_cbor_write_array(writer, 6);
    cairn_cbor_write_uint(writer, 100000);
    cairn_cbor_write_int(writer, -300);
    cairn_cbor_write_bytes(writer, "\x00\xff", 2);
    cairn_cbor_write_hash(writer, &hash);
    cairn_cbor_write_text(writer, "\u6751", 3);
    cairn_cbor_write_bytes(writer, NULL, 0);
}

static void a_writer_that_is_too_small_by_any_number_of_bytes_overflows(void **state)
{
    uint8_t buffer[128];
    struct cairn_writer writer;
    size_t size;

    (void)state;
    cairn_writer_init(&writer, buffer, sizeof(buffer));
    write_some_of_each(&writer);
    assert_false(writer.overflowed);
    size = writer.size;
    assert_int_equal(cairn_cbor_check(cairn_writer_bytes(&writer), NULL), CAIRN_OK);
    for (size_t capacity = 0; capacity < size; capacity++) {
        memset(buffer, 0xee, sizeof(buffer));
        cairn_writer_init(&writer, buffer, capacity);
        write_some_of_each(&writer);
        assert_true(writer.overflowed);
        assert_int_equal(buffer[capacity], 0xee);
    }
    cairn_writer_init(&writer, buffer, size);
    write_some_of_each(&writer);
    assert_false(writer.overflowed);
}

/* `depth` arrays in each other, the innermost empty. */
static size_t nest(uint8_t *out, size_t depth)
{
    memset(out, 0x81, depth - 1);
    out[depth - 1] = 0x80;
    return depth;
}

static void eight_nested_arrays_are_fine_and_the_ninth_is_refused(void **state)
{
    uint8_t buffer[64];
    size_t bad_offset = SIZE_MAX;

    (void)state;
    nest(buffer, 8);
    assert_int_equal(cairn_cbor_check((struct cairn_bytes){buffer, 8}, NULL), CAIRN_OK);
    nest(buffer, 9);
    assert_int_equal(cairn_cbor_check((struct cairn_bytes){buffer, 9}, &bad_offset),
                     CAIRN_MALFORMED);
    assert_int_equal(bad_offset, 8);
    assert_int_equal(check_hex("818181818181818100", NULL), CAIRN_OK);
    assert_int_equal(check_hex("81818181818181818100", NULL), CAIRN_MALFORMED);
    nest(buffer, sizeof(buffer));
    assert_int_equal(cairn_cbor_check((struct cairn_bytes){buffer, sizeof(buffer)}, NULL),
                     CAIRN_MALFORMED);
}

static void arrays_beside_each_other_do_not_add_to_the_depth(void **state)
{
    (void)state;
    /* Eight deep, twice; then an array of twelve empty ones. */
    assert_int_equal(check_hex("828181818181818081818181818180", NULL), CAIRN_OK);
    assert_int_equal(check_hex("8c808080808080808080808080", NULL), CAIRN_OK);
    /* The array that closes last at depth 8 frees its place for the next. */
    assert_int_equal(check_hex("818181818181828080", NULL), CAIRN_OK);
}

static void a_nested_item_cut_anywhere_is_refused(void **state)
{
    struct cairn_bytes input = vectors_unhex("8501820218ff8363e69d9143010203193e80"
                                             "828080821b0000000100000000391000");

    (void)state;
    expect_refused_when_cut_or_followed(NULL, input);
    vectors_bytes_free(input);
}

static void skip_gives_the_bytes_of_the_item_and_stands_after_it(void **state)
{
    struct cairn_bytes input;
    struct cairn_reader reader = reader_of("8201820203"
                                           "6161"
                                           "8080",
                                           &input);
    struct cairn_bytes item = cairn_cbor_skip(&reader);

    (void)state;
    assert_ptr_equal(item.data, input.data);
    assert_int_equal(item.size, 5);
    cairn_cbor_expect_text(&reader, "a");
    item = cairn_cbor_skip(&reader);
    assert_ptr_equal(item.data, input.data + 7);
    assert_int_equal(item.size, 1);
    assert_int_equal(cairn_reader_left(&reader), 1);
    vectors_bytes_free(input);
}

static void check_tells_where_the_first_fault_was_met(void **state)
{
    static const struct {
        const char *hex;
        size_t bad_offset;
    } rows[] = {
        {"", 0},         {"a0", 0},         {"1800", 0},       {"8301021800", 3},
        {"820100ff", 3}, {"83018102f6", 4}, {"820161c3", 2},   {"8201", 0},
        {"820181", 2},   {"0000", 1},       {"82820102f4", 4}, {"8201820203ff", 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t bad_offset = SIZE_MAX;

        assert_int_equal(check_hex(rows[i].hex, &bad_offset), CAIRN_MALFORMED);
        if (bad_offset != rows[i].bad_offset)
            fail_msg("%s: got %zu, want %zu", rows[i].hex, bad_offset, rows[i].bad_offset);
        assert_int_equal(check_hex(rows[i].hex, NULL), CAIRN_MALFORMED);
    }
}

static void a_loop_over_any_claimed_array_ends_soon(void **state)
{
    static const char *const claims[] = {"9a7fffffff00", "9bffffffffffffffff00", "98ff00", "8200"};

    (void)state;
    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        struct cairn_bytes input;
        struct cairn_reader reader = reader_of(claims[i], &input);

        assert_int_equal(cairn_cbor_read_array(&reader), 0);
        assert_true(reader.failed);
        vectors_bytes_free(input);
    }
}

static void write_half_a_character(void)
{
    uint8_t buffer[8];
    struct cairn_writer writer;

    cairn_writer_init(&writer, buffer, sizeof(buffer));
    cairn_cbor_write_text(&writer, "\xc3", 1);
}

static void writing_text_that_is_not_utf8_is_our_own_mistake(void **state)
{
    (void)state;
    assert_true(aborts(write_half_a_character));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appendix_a_is_accepted_where_it_is_of_the_subset),
        cmocka_unit_test(dagcbor_fixtures_are_accepted_where_they_are_of_the_subset),
        cmocka_unit_test(dcbor_vectors_are_accepted_where_they_are_of_the_subset),
        cmocka_unit_test(only_the_one_deterministic_encoding_is_accepted),
        cmocka_unit_test(everything_malformed_is_refused),
        cmocka_unit_test(each_reader_refuses_what_is_not_its_own_and_stays_before_it),
        cmocka_unit_test(each_reader_takes_its_own),
        cmocka_unit_test(peek_tells_the_type_from_the_first_byte_without_moving),
        cmocka_unit_test(every_integer_is_written_in_its_shortest_form),
        cmocka_unit_test(a_writer_that_is_too_small_by_any_number_of_bytes_overflows),
        cmocka_unit_test(eight_nested_arrays_are_fine_and_the_ninth_is_refused),
        cmocka_unit_test(arrays_beside_each_other_do_not_add_to_the_depth),
        cmocka_unit_test(a_nested_item_cut_anywhere_is_refused),
        cmocka_unit_test(skip_gives_the_bytes_of_the_item_and_stands_after_it),
        cmocka_unit_test(check_tells_where_the_first_fault_was_met),
        cmocka_unit_test(a_loop_over_any_claimed_array_ends_soon),
        cmocka_unit_test(writing_text_that_is_not_utf8_is_our_own_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
