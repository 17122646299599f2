/* Values of fields as they stand in entries. */

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cairn/entry.h"
#include "vectors.h"

#define HASH "58200101010101010101010101010101010101010101010101010101010101010101"
#define SHORT_SLOT "81581f01010101010101010101010101010101010101010101010101010101010101"

static void expect_value_back(struct cairn_value value)
{
    uint8_t buf[CAIRN_TEXT_MAX + 64];
    struct cairn_writer writer;
    struct cairn_reader reader;
    struct cairn_value again;
    size_t slot_bytes = value.is_slot ? 1 : 0;

    cairn_writer_init(&writer, buf, sizeof buf);
    cairn_value_write(&writer, &value);
    assert_false(writer.overflowed);
    cairn_reader_init(&reader, cairn_writer_bytes(&writer));
    assert_true(cairn_value_read(&reader, &again));
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
    assert_int_equal(again.kind, value.kind);
    assert_int_equal(again.is_slot, value.is_slot);
    assert_true(again.integer == value.integer);
    assert_true(cairn_bytes_equal(again.text, value.text));
    assert_true(cairn_hash_equal(&again.commitment, &value.commitment));
    assert_int_equal(again.dot.log_number, value.dot.log_number);
    assert_int_equal(again.dot.index, value.dot.index);
    assert_memory_equal(&again.position, &value.position, sizeof value.position);
    assert_ptr_equal(again.cbor.data, buf + slot_bytes);
    assert_int_equal(again.cbor.size, writer.size - slot_bytes);
}

static void a_value_comes_back_bare_and_in_a_slot(void **state)
{
    static const int64_t integers[] = {0, 1, -1, 23, 24, INT64_MAX, INT64_MIN};
    static char text[CAIRN_TEXT_MAX];
    struct cairn_hash commitment;

    (void)state;
    memset(text, 'x', sizeof text);
    memset(commitment.bytes, 9, sizeof commitment.bytes);
    for (int slot = 0; slot < 2; slot++) {
        for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++)
            expect_value_back((struct cairn_value){
                .kind = CAIRN_VALUE_INTEGER, .is_slot = slot, .integer = integers[i]});
        expect_value_back((struct cairn_value){
            .kind = CAIRN_VALUE_TEXT, .is_slot = slot, .text = cairn_bytes_of_text("")});
        expect_value_back((struct cairn_value){.kind = CAIRN_VALUE_TEXT,
                                               .is_slot = slot,
                                               .text = {(const uint8_t *)text, sizeof text}});
    }
    expect_value_back((struct cairn_value){
        .kind = CAIRN_VALUE_CLOSED, .is_slot = true, .commitment = commitment});
    expect_value_back((struct cairn_value){.kind = CAIRN_VALUE_DOT, .dot = {3, UINT32_MAX}});
    expect_value_back(
        (struct cairn_value){.kind = CAIRN_VALUE_POSITION, .position = {1, UINT64_MAX, 3}});
}

static void what_is_no_value_is_answered_with_false(void **state)
{
    static const char *const cases[] = {
        "",
        "80",
        "8401020304",
        "820120",
        "83010261",
        "818101",
        "8140",
        SHORT_SLOT, /* arrays that are no slots */
        HASH,
        "40", /* bare bytes */
        "1b8000000000000000",
        "811b8000000000000000", /* above 2^63 - 1 */
        "61ff",
        "a0",
        "f5",
        "18",
    };
    struct cairn_value value;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cairn_bytes bytes = vectors_unhex(cases[i]);
        struct cairn_reader reader;

        cairn_reader_init(&reader, bytes);
        if (cairn_value_read(&reader, &value))
            fail_msg("%s was taken for a value", cases[i]);
        vectors_bytes_free(bytes);
    }
}

static void a_text_of_more_than_4096_bytes_is_no_value(void **state)
{
    static char text[CAIRN_TEXT_MAX + 1];
    uint8_t buf[sizeof text + 8];
    struct cairn_value value;

    (void)state;
    memset(text, 'x', sizeof text);
    for (int slot = 0; slot < 2; slot++) {
        struct cairn_writer writer;
        struct cairn_reader reader;

        cairn_writer_init(&writer, buf, sizeof buf);
        if (slot == 1)
            cairn_cbor_write_array(&writer, 1);
        cairn_cbor_write_text(&writer, text, sizeof text);
        cairn_reader_init(&reader, cairn_writer_bytes(&writer));
        assert_false(cairn_value_read(&reader, &value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_comes_back_bare_and_in_a_slot),
        cmocka_unit_test(what_is_no_value_is_answered_with_false),
        cmocka_unit_test(a_text_of_more_than_4096_bytes_is_no_value),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
