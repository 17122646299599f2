/*
 * Any bytes as one item of the CBOR subset. Every reader survives them; what passes the check is
 * read item by item with the typed readers and must be written again byte for byte.
 */

#include <stdlib.h>
#include <string.h>

#include "cairn/cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a reader gives, it must not have moved past the end. */
static void read_every_way(struct cairn_bytes input)
{
    for (int way = 0; way < 8; way++) {
        struct cairn_reader reader;

        cairn_reader_init(&reader, input);
        switch (way) {
        case 0:
            cairn_cbor_read_uint(&reader);
            break;
        case 1:
            cairn_cbor_read_uint_max(&reader, 1000);
            break;
        case 2:
            cairn_cbor_read_int(&reader);
            break;
        case 3:
            cairn_cbor_read_bytes(&reader);
            break;
        case 4:
            cairn_cbor_read_hash(&reader);
            break;
        case 5:
            cairn_cbor_read_text(&reader);
            break;
        case 6:
            cairn_cbor_read_array(&reader);
            break;
        case 7:
            cairn_cbor_expect_text(&reader, "cairn-log-1");
            break;
        }
        CAIRN_ASSERT(reader.pos <= input.size);
    }
}

/* One item, of an array only its head; gives the number of items that follow because of it. */
static size_t copy_one(struct cairn_reader *reader, struct cairn_writer *writer)
{
    struct cairn_bytes bytes;
    size_t item_count;

    switch (cairn_cbor_peek(reader)) {
    case CAIRN_CBOR_UINT:
        cairn_cbor_write_uint(writer, cairn_cbor_read_uint(reader));
        return 0;
    case CAIRN_CBOR_NEGATIVE:
        cairn_cbor_write_int(writer, cairn_cbor_read_int(reader));
        return 0;
    case CAIRN_CBOR_BYTES:
        bytes = cairn_cbor_read_bytes(reader);
        cairn_cbor_write_bytes(writer, bytes.data, bytes.size);
        return 0;
    case CAIRN_CBOR_TEXT:
        bytes = cairn_cbor_read_text(reader);
        cairn_cbor_write_text(writer, (const char *)bytes.data, bytes.size);
        return 0;
    case CAIRN_CBOR_ARRAY:
        item_count = cairn_cbor_read_array(reader);
        cairn_cbor_write_array(writer, item_count);
        return item_count;
    case CAIRN_CBOR_NONE:
        break;
    }
    cairn_assert_failed("an item that was checked", __FILE__, __LINE__);
}

static void copy_and_compare(struct cairn_bytes input)
{
    uint8_t *copy = malloc(input.size);
    struct cairn_reader reader;
    struct cairn_writer writer;

    CAIRN_ASSERT(copy != NULL);
    cairn_reader_init(&reader, input);
    cairn_writer_init(&writer, copy, input.size);
    for (size_t left = 1; left > 0; left--)
        left += copy_one(&reader, &writer);
    CAIRN_ASSERT(cairn_reader_end(&reader) == CAIRN_OK);
    CAIRN_ASSERT(cairn_bytes_equal(cairn_writer_bytes(&writer), input));
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_bytes input = {data, size};
    size_t bad_offset = 0;

    read_every_way(input);
    if (cairn_cbor_check(input, &bad_offset) == CAIRN_OK)
        copy_and_compare(input);
    else
        CAIRN_ASSERT(bad_offset <= size);
    return 0;
}
