/* Strict UTF-8: verdicts, cutting, the order of texts, and texts through CBOR. */

#include "cairn/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cairn/cbor.h"
#include "cairn/store.h"
#include "vectors.h"

static void every_sequence_gets_its_verdict_and_the_place_of_the_first_fault(void **state)
{
    json_t *table = vectors_load("/utf8/sequences.json");
    unsigned well = 0;
    unsigned ill = 0;

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        struct cairn_bytes text = vectors_hex(row, "hex");
        size_t bad_offset = SIZE_MAX;
        bool is_well = cairn_utf8_check(text, &bad_offset);

        if (is_well != vectors_bool(row, "valid"))
            fail_msg("row %s: got %d", vectors_id(row), is_well);
        assert_int_equal(cairn_utf8_check(text, NULL), is_well);
        if (is_well)
            assert_int_equal(bad_offset, SIZE_MAX);
        else
            assert_int_equal(bad_offset, vectors_int(row, "first_bad_offset"));
        if (is_well)
            well++;
        else
            ill++;
        vectors_bytes_free(text);
    }
    print_message("sequences.json: %u well-formed, %u ill-formed\n", well, ill);
    assert_true(well > 0 && ill > 0);
    vectors_free(table);
}

/* The UTF-8 of any number below 2^21 in three or four bytes, well-formed or not. */
static struct cairn_bytes encode(uint32_t code, uint8_t out[static 4])
{
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code & 0x3f));
        return (struct cairn_bytes){out, 3};
    }
    out[0] = (uint8_t)(0xf0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code & 0x3f));
    return (struct cairn_bytes){out, 4};
}

static void every_number_up_to_2_to_the_21_is_judged_by_its_range(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < UINT32_C(1) << 21; code++) {
        uint8_t bytes[4];
        bool is_shortest = code >= 0x800; /* encode() uses three bytes at least */
        bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
        bool want = is_shortest && !is_surrogate && code <= 0x10ffff;

        if (cairn_utf8_check(encode(code, bytes), NULL) != want)
            fail_msg("U+%04X: want %d", (unsigned)code, want);
    }
}

static void every_pair_of_bytes_is_judged_by_its_form(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++) {
            uint8_t pair[2] = {(uint8_t)first, (uint8_t)second};
            bool is_ascii = first < 0x80 && second < 0x80;
            bool is_double = first >= 0xc2 && first <= 0xdf && second >= 0x80 && second <= 0xbf;

            if (cairn_utf8_check((struct cairn_bytes){pair, 2}, NULL) != (is_ascii || is_double))
                fail_msg("%02x %02x", first, second);
        }
}

static void the_empty_text_is_well_formed(void **state)
{
    (void)state;
    assert_true(cairn_utf8_check((struct cairn_bytes){NULL, 0}, NULL));
    assert_int_equal(cairn_utf8_cut((struct cairn_bytes){NULL, 0}, 5), 0);
}

static void texts_come_back_byte_for_byte_through_cbor(void **state)
{
    json_t *table = vectors_load("/utf8/texts.json");
    unsigned count = 0;

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        struct cairn_bytes text = vectors_hex(row, "utf8_hex");
        uint8_t buffer[4096];
        struct cairn_writer writer;
        struct cairn_reader reader;

        assert_int_equal(text.size, vectors_int(row, "bytes"));
        cairn_writer_init(&writer, buffer, sizeof(buffer));
        cairn_cbor_write_text(&writer, (const char *)text.data, text.size);
        assert_false(writer.overflowed);
        cairn_reader_init(&reader, cairn_writer_bytes(&writer));
        vectors_expect_bytes(row, cairn_cbor_read_text(&reader), text);
        assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
        vectors_bytes_free(text);
        count++;
    }
    print_message("texts.json: %u texts\n", count);
    assert_true(count > 0);
    vectors_free(table);
}

static void ill_formed_sequences_are_no_cbor_text(void **state)
{
    json_t *table = vectors_load("/utf8/sequences.json");
    unsigned refused = 0;

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        struct cairn_bytes text = vectors_hex(row, "hex");
        uint8_t buffer[4096];
        struct cairn_writer writer;
        enum cairn_status want = vectors_bool(row, "valid") ? CAIRN_OK : CAIRN_MALFORMED;

        /* A byte string has the same head but for bit 5. */
        cairn_writer_init(&writer, buffer, sizeof(buffer));
        cairn_cbor_write_bytes(&writer, text.data, text.size);
        assert_false(writer.overflowed);
        assert_int_equal(cairn_cbor_check(cairn_writer_bytes(&writer), NULL), CAIRN_OK);
        buffer[0] |= 0x20;
        assert_int_equal(cairn_cbor_check(cairn_writer_bytes(&writer), NULL), want);
        if (want != CAIRN_OK)
            refused++;
        vectors_bytes_free(text);
    }
    print_message("sequences.json as CBOR text: %u refused\n", refused);
    assert_true(refused > 0);
    vectors_free(table);
}

/* The text of a row of truncate.json: given, or a unit repeated. */
static struct cairn_bytes truncate_text(const json_t *row)
{
    const json_t *repeat = json_object_get(row, "repeat");
    struct cairn_bytes unit;
    size_t times;
    uint8_t *data;

    if (repeat == NULL)
        return vectors_hex(row, "utf8_hex");
    unit = vectors_hex(repeat, "unit_hex");
    times = (size_t)vectors_int(repeat, "times");
    data = malloc(unit.size * times);
    assert_non_null(data);
    for (size_t i = 0; i < times; i++)
        memcpy(data + i * unit.size, unit.data, unit.size);
    vectors_bytes_free(unit);
    return (struct cairn_bytes){data, unit.size * times};
}

static void a_text_is_cut_between_code_points(void **state)
{
    json_t *table = vectors_load("/utf8/truncate.json");
    unsigned shortened = 0;
    unsigned whole = 0;

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        struct cairn_bytes text = truncate_text(row);
        size_t keep = cairn_utf8_cut(text, (size_t)vectors_int(row, "limit"));

        assert_int_equal(text.size, vectors_int(row, "total_bytes"));
        if (keep != (size_t)vectors_int(row, "keep_bytes"))
            fail_msg("row %s: kept %zu bytes", vectors_id(row), keep);
        assert_true(cairn_utf8_check((struct cairn_bytes){text.data, keep}, NULL));
        if (keep < text.size)
            shortened++;
        else
            whole++;
        vectors_bytes_free(text);
    }
    print_message("truncate.json: %u cut, %u whole\n", shortened, whole);
    assert_true(shortened > 0 && whole > 0);
    vectors_free(table);
}

static void a_cut_keeps_as_much_as_the_limit_allows(void **state)
{
    const struct cairn_bytes text = cairn_bytes_of_text("a\u00e9\u6751\U00020bb7z");
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

    (void)state;
    for (size_t limit = 0; limit < sizeof(want) / sizeof(want[0]); limit++)
        assert_int_equal(cairn_utf8_cut(text, limit), want[limit]);
    assert_int_equal(cairn_utf8_cut(text, SIZE_MAX), 11);
}

static struct cairn_bytes key_of(struct cairn_bytes text, uint8_t room[static 64])
{
    assert_true(text.size < 63);
    room[0] = 't';
    if (text.size > 0)
        memcpy(room + 1, text.data, text.size);
    return (struct cairn_bytes){room, text.size + 1};
}

/* As keys in a store. */
static char store_order(struct cairn_bytes a, struct cairn_bytes b)
{
    const struct cairn_bytes sides[2] = {cairn_bytes_of_text("a"), cairn_bytes_of_text("b")};
    uint8_t a_room[64], b_room[64];
    struct cairn_bytes keys[2] = {key_of(a, a_room), key_of(b, b_room)}, key, value;
    struct cairn_range *range;
    struct cairn_store *store;
    struct cairn_txn *txn;
    size_t count = 0;
    char first = '\0';

    assert_int_equal(cairn_store_memory_new(&store), CAIRN_OK);
    assert_int_equal(store->ops->begin(store, CAIRN_TXN_WRITE, &txn), CAIRN_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(store->ops->put(txn, keys[i], sides[i]), CAIRN_OK);
    assert_int_equal(store->ops->range_open(txn, cairn_bytes_of_text("t"), cairn_bytes_of_text("u"),
                                            CAIRN_ASCENDING, &range),
                     CAIRN_OK);
    for (; store->ops->range_next(range, &key, &value) == CAIRN_OK; count++)
        first = count == 0 ? (char)value.data[0] : first;
    store->ops->range_close(range);
    store->ops->abort(txn);
    store->ops->close(store);
    return count == 1 ? '=' : first == 'a' ? '<' : '>';
}

static void texts_are_keys_in_the_order_of_their_bytes(void **state)
{
    json_t *table = vectors_load("/utf8/order.json");
    unsigned reversed_in_utf16 = 0;
    unsigned count = 0;

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        struct cairn_bytes a = vectors_hex(row, "a_hex");
        struct cairn_bytes b = vectors_hex(row, "b_hex");
        const char *want = vectors_text(row, "byte_order");

        assert_true(cairn_utf8_check(a, NULL) && cairn_utf8_check(b, NULL));
        if (store_order(a, b) != want[0])
            fail_msg("row %s: got %c, want %s", vectors_id(row), store_order(a, b), want);
        assert_int_equal(cairn_bytes_equal(a, b), want[0] == '=');
        if (strcmp(want, vectors_text(row, "utf16_order")) != 0)
            reversed_in_utf16++;
        count++;
        vectors_bytes_free(a);
        vectors_bytes_free(b);
    }
    print_message("order.json: %u pairs, %u the other way round in UTF-16\n", count,
                  reversed_in_utf16);
    assert_true(count > 0 && reversed_in_utf16 > 0);
    vectors_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sequence_gets_its_verdict_and_the_place_of_the_first_fault),
        cmocka_unit_test(every_number_up_to_2_to_the_21_is_judged_by_its_range),
        cmocka_unit_test(every_pair_of_bytes_is_judged_by_its_form),
        cmocka_unit_test(the_empty_text_is_well_formed),
        cmocka_unit_test(texts_come_back_byte_for_byte_through_cbor),
        cmocka_unit_test(ill_formed_sequences_are_no_cbor_text),
        cmocka_unit_test(a_text_is_cut_between_code_points),
        cmocka_unit_test(a_cut_keeps_as_much_as_the_limit_allows),
        cmocka_unit_test(texts_are_keys_in_the_order_of_their_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
