/* Byte ranges, the reader that remembers its first failure, the writer with a capacity. */

#include "cairn/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t counting[40] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
                                     0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14,
                                     0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e,
                                     0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28};

static struct cairn_reader reader_over(size_t size)
{
    struct cairn_reader reader;

    assert_true(size <= sizeof(counting));
    cairn_reader_init(&reader, (struct cairn_bytes){counting, size});
    return reader;
}

static void hashes_compare_as_bytes(void **state)
{
    struct cairn_hash a = {{1, 2, 3}};
    struct cairn_hash b = a;

    (void)state;
    assert_true(cairn_hash_equal(&a, &b));
    assert_int_equal(cairn_hash_compare(&a, &b), 0);
    b.bytes[31] = 0x80;
    assert_false(cairn_hash_equal(&a, &b));
    assert_true(cairn_hash_compare(&a, &b) < 0);
    assert_true(cairn_hash_compare(&b, &a) > 0);
    a.bytes[0] = 2;
    assert_true(cairn_hash_compare(&a, &b) > 0);
}

static void byte_ranges_are_equal_by_size_and_content(void **state)
{
    const struct cairn_bytes none = {NULL, 0};
    const struct cairn_bytes empty = {counting, 0};

    (void)state;
    assert_true(cairn_bytes_equal(none, empty));
    assert_true(cairn_bytes_equal(cairn_bytes_of_text("cairn"), cairn_bytes_of_text("cairn")));
    assert_false(cairn_bytes_equal(cairn_bytes_of_text("cairn"), cairn_bytes_of_text("cairm")));
    assert_false(cairn_bytes_equal(cairn_bytes_of_text("cairn"), cairn_bytes_of_text("cair")));
    assert_false(cairn_bytes_equal(cairn_bytes_of_text("cairn"), none));
    assert_int_equal(cairn_bytes_of_text("").size, 0);
}

static void integers_are_read_in_network_order(void **state)
{
    struct cairn_reader reader = reader_over(15);

    (void)state;
    assert_int_equal(cairn_read_u8(&reader), 0x01);
    assert_int_equal(cairn_read_u16be(&reader), 0x0203);
    assert_int_equal(cairn_read_u32be(&reader), 0x04050607);
    assert_int_equal(cairn_reader_left(&reader), 8);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_MALFORMED);
    assert_int_equal(cairn_read_u64be(&reader), 0x08090a0b0c0d0e0f);
    assert_int_equal(cairn_reader_left(&reader), 0);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
}

static void the_highest_bit_survives_reading(void **state)
{
    static const uint8_t ones[15] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct cairn_reader reader;

    (void)state;
    cairn_reader_init(&reader, (struct cairn_bytes){ones, sizeof(ones)});
    assert_int_equal(cairn_read_u8(&reader), UINT8_MAX);
    assert_int_equal(cairn_read_u16be(&reader), UINT16_MAX);
    assert_int_equal(cairn_read_u32be(&reader), UINT32_MAX);
    assert_int_equal(cairn_read_u64be(&reader), UINT64_MAX);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
}

static void bytes_are_borrowed_from_the_input(void **state)
{
    struct cairn_reader reader = reader_over(40);
    struct cairn_bytes bytes = cairn_read_bytes(&reader, 8);
    struct cairn_bytes nothing = cairn_read_bytes(&reader, 0);
    struct cairn_hash hash = cairn_read_hash(&reader);

    (void)state;
    assert_ptr_equal(bytes.data, counting);
    assert_int_equal(bytes.size, 8);
    assert_int_equal(nothing.size, 0);
    assert_memory_equal(hash.bytes, counting + 8, 32);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
}

static uint64_t read_of_size(struct cairn_reader *reader, size_t size)
{
    switch (size) {
    case 1:
        return cairn_read_u8(reader);
    case 2:
        return cairn_read_u16be(reader);
    case 4:
        return cairn_read_u32be(reader);
    case 8:
        return cairn_read_u64be(reader);
    default:
        return cairn_read_hash(reader).bytes[0];
    }
}

static void a_read_past_the_end_gives_zero_and_stays_where_it_failed(void **state)
{
    static const size_t sizes[] = {1, 2, 4, 8, 32};

    (void)state;
    for (size_t s = 0; s < 5; s++)
        for (size_t missing = 1; missing <= sizes[s]; missing++) {
            size_t given = sizes[s] - missing;
            struct cairn_reader reader = reader_over(3 + given);

            cairn_read_bytes(&reader, 3);
            assert_int_equal(read_of_size(&reader, sizes[s]), 0);
            assert_true(reader.failed);
            assert_int_equal(reader.pos, 3);
            assert_int_equal(cairn_reader_end(&reader), CAIRN_MALFORMED);
        }
}

static void a_failed_reader_gives_nothing_more(void **state)
{
    struct cairn_reader reader = reader_over(10);
    struct cairn_bytes bytes;

    (void)state;
    cairn_read_u16be(&reader);
    bytes = cairn_read_bytes(&reader, 9);
    assert_null(bytes.data);
    assert_int_equal(bytes.size, 0);
    /* Eight bytes are there, and a failed reader gives none of them. */
    assert_int_equal(cairn_reader_left(&reader), 0);
    assert_int_equal(cairn_read_u8(&reader), 0);
    assert_int_equal(cairn_read_u64be(&reader), 0);
    assert_null(cairn_read_bytes(&reader, 0).data);
    assert_int_equal(reader.pos, 2);
}

static void the_first_failure_wins(void **state)
{
    struct cairn_reader reader = reader_over(10);

    (void)state;
    cairn_read_u32be(&reader);
    cairn_reader_fail(&reader);
    cairn_read_u8(&reader);
    cairn_reader_fail(&reader);
    assert_int_equal(reader.pos, 4);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_MALFORMED);
}

static void a_reader_that_failed_at_the_very_end_is_not_well(void **state)
{
    struct cairn_reader reader = reader_over(1);

    (void)state;
    cairn_read_u8(&reader);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
    cairn_reader_fail(&reader);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_MALFORMED);
}

static void the_largest_size_does_not_wrap_around(void **state)
{
    struct cairn_reader reader = reader_over(10);

    (void)state;
    cairn_read_u8(&reader);
    assert_null(cairn_read_bytes(&reader, SIZE_MAX).data);
    assert_true(reader.failed);
}

static void an_empty_input_is_read_without_being_touched(void **state)
{
    struct cairn_reader reader;

    (void)state;
    cairn_reader_init(&reader, (struct cairn_bytes){NULL, 0});
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
    assert_int_equal(cairn_read_bytes(&reader, 0).size, 0);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
    assert_int_equal(cairn_read_u8(&reader), 0);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_MALFORMED);
}

static void write_counting(struct cairn_writer *writer)
{
    cairn_write_u8(writer, 0x01);
    cairn_write_u16be(writer, 0x0203);
    cairn_write_u32be(writer, 0x04050607);
    cairn_write_u64be(writer, 0x08090a0b0c0d0e0f);
    cairn_write_bytes(writer, counting + 15, 5);
}

static void what_is_written_is_what_is_read(void **state)
{
    uint8_t buffer[20];
    struct cairn_writer writer;
    struct cairn_bytes written;

    (void)state;
    cairn_writer_init(&writer, buffer, sizeof(buffer));
    write_counting(&writer);
    assert_false(writer.overflowed);
    written = cairn_writer_bytes(&writer);
    assert_ptr_equal(written.data, buffer);
    assert_int_equal(written.size, 20);
    assert_memory_equal(written.data, counting, 20);
}

static void a_writer_never_writes_past_its_capacity(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity < 20; capacity++) {
        uint8_t buffer[24];
        struct cairn_writer writer;

        memset(buffer, 0xee, sizeof(buffer));
        cairn_writer_init(&writer, buffer, capacity);
        write_counting(&writer);
        assert_true(writer.overflowed);
        for (size_t i = capacity; i < sizeof(buffer); i++)
            assert_int_equal(buffer[i], 0xee);
    }
}

static void after_an_overflow_nothing_is_written_that_would_still_fit(void **state)
{
    uint8_t buffer[4] = {0xee, 0xee, 0xee, 0xee};
    struct cairn_writer writer;

    (void)state;
    cairn_writer_init(&writer, buffer, sizeof(buffer));
    cairn_write_u64be(&writer, 1);
    cairn_write_u8(&writer, 2);
    assert_true(writer.overflowed);
    assert_int_equal(buffer[0], 0xee);
}

static void an_overflowed_writer_gives_no_torn_bytes(void **state)
{
    uint8_t buffer[4];
    struct cairn_writer writer;

    (void)state;
    cairn_writer_init(&writer, buffer, sizeof(buffer));
    cairn_write_u32be(&writer, 1);
    cairn_write_u8(&writer, 2);
    assert_int_equal(cairn_writer_bytes(&writer).size, 0);
    assert_null(cairn_writer_bytes(&writer).data);
}

static void the_largest_size_does_not_wrap_the_writer(void **state)
{
    uint8_t buffer[4];
    struct cairn_writer writer;

    (void)state;
    cairn_writer_init(&writer, buffer, sizeof(buffer));
    cairn_write_u8(&writer, 1);
    cairn_write_bytes(&writer, counting, SIZE_MAX);
    assert_true(writer.overflowed);
}

static void nothing_fits_into_a_writer_without_room(void **state)
{
    struct cairn_writer writer;

    (void)state;
    cairn_writer_init(&writer, NULL, 0);
    cairn_write_bytes(&writer, NULL, 0);
    assert_false(writer.overflowed);
    assert_int_equal(cairn_writer_bytes(&writer).size, 0);
    cairn_write_u8(&writer, 0);
    assert_true(writer.overflowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_compare_as_bytes),
        cmocka_unit_test(byte_ranges_are_equal_by_size_and_content),
        cmocka_unit_test(integers_are_read_in_network_order),
        cmocka_unit_test(the_highest_bit_survives_reading),
        cmocka_unit_test(bytes_are_borrowed_from_the_input),
        cmocka_unit_test(a_read_past_the_end_gives_zero_and_stays_where_it_failed),
        cmocka_unit_test(a_failed_reader_gives_nothing_more),
        cmocka_unit_test(the_first_failure_wins),
        cmocka_unit_test(a_reader_that_failed_at_the_very_end_is_not_well),
        cmocka_unit_test(the_largest_size_does_not_wrap_around),
        cmocka_unit_test(an_empty_input_is_read_without_being_touched),
        cmocka_unit_test(what_is_written_is_what_is_read),
        cmocka_unit_test(a_writer_never_writes_past_its_capacity),
        cmocka_unit_test(after_an_overflow_nothing_is_written_that_would_still_fit),
        cmocka_unit_test(an_overflowed_writer_gives_no_torn_bytes),
        cmocka_unit_test(the_largest_size_does_not_wrap_the_writer),
        cmocka_unit_test(nothing_fits_into_a_writer_without_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
