#include "cairn/cbor.h"

#include <string.h>

#include "cairn/utf8.h"

/*
 * A head is one byte, the major type in its upper three bits, and an argument: in the lower five
 * bits up to 23, else in the 1, 2, 4 or 8 bytes that 24 to 27 announce (RFC 8949 section 3).
 *
 * Every read tries on a copy of the reader and moves the real one only when all is well, so that
 * a failed reader stands on the first byte of the item at fault.
 */
enum { INFO_DIRECT_MAX = 23, INFO_U8 = 24, INFO_U16 = 25, INFO_U32 = 26, INFO_U64 = 27 };

enum cairn_cbor_type cairn_cbor_peek(const struct cairn_reader *reader)
{
    uint8_t initial;

    if (cairn_reader_left(reader) == 0)
        return CAIRN_CBOR_NONE;
    initial = reader->data[reader->pos];
    if (initial >> 5 > CAIRN_CBOR_ARRAY || (initial & 0x1f) > INFO_U64)
        return CAIRN_CBOR_NONE;
    return (enum cairn_cbor_type)(initial >> 5);
}

/* The least argument that needs the head form `info`; a smaller one has a shorter encoding. */
static uint64_t form_min(uint8_t info)
{
    if (info <= INFO_DIRECT_MAX)
        return 0;
    if (info == INFO_U8)
        return INFO_DIRECT_MAX + 1;
    if (info == INFO_U16)
        return (uint64_t)UINT8_MAX + 1;
    if (info == INFO_U32)
        return (uint64_t)UINT16_MAX + 1;
    return (uint64_t)UINT32_MAX + 1;
}

/* The argument of a head that must be of `type` and in its shortest form. */
static uint64_t read_head(struct cairn_reader *reader, enum cairn_cbor_type type)
{
    struct cairn_reader ahead = *reader;
    uint64_t argument;
    uint8_t info;

    /* Most heads are one byte. */
    if (!reader->failed && reader->pos < reader->size) {
        uint8_t initial = reader->data[reader->pos];
        if (initial >> 5 == (uint8_t)type && (initial & 0x1f) <= INFO_DIRECT_MAX) {
            reader->pos++;
            return initial & 0x1f;
        }
    }
    if (cairn_cbor_peek(reader) != type) {
        cairn_reader_fail(reader);
        return 0;
    }
    info = cairn_read_u8(&ahead) & 0x1f;
    if (info <= INFO_DIRECT_MAX)
        argument = info;
    else if (info == INFO_U8)
        argument = cairn_read_u8(&ahead);
    else if (info == INFO_U16)
        argument = cairn_read_u16be(&ahead);
    else if (info == INFO_U32)
        argument = cairn_read_u32be(&ahead);
    else
        argument = cairn_read_u64be(&ahead);

    if (ahead.failed || argument < form_min(info)) {
        cairn_reader_fail(reader);
        return 0;
    }
    *reader = ahead;
    return argument;
}

uint64_t cairn_cbor_read_uint(struct cairn_reader *reader)
{
    return read_head(reader, CAIRN_CBOR_UINT);
}

uint64_t cairn_cbor_read_uint_max(struct cairn_reader *reader, uint64_t max)
{
    struct cairn_reader ahead = *reader;
    uint64_t value = read_head(&ahead, CAIRN_CBOR_UINT);

    if (ahead.failed || value > max) {
        cairn_reader_fail(reader);
        return 0;
    }
    *reader = ahead;
    return value;
}

int64_t cairn_cbor_read_int(struct cairn_reader *reader)
{
    struct cairn_reader ahead = *reader;
    bool is_negative = cairn_cbor_peek(reader) == CAIRN_CBOR_NEGATIVE;
    uint64_t argument = read_head(&ahead, is_negative ? CAIRN_CBOR_NEGATIVE : CAIRN_CBOR_UINT);

    if (ahead.failed || argument > INT64_MAX) {
        cairn_reader_fail(reader);
        return 0;
    }
    *reader = ahead;
    return is_negative ? -1 - (int64_t)argument : (int64_t)argument;
}

static struct cairn_bytes read_string(struct cairn_reader *reader, enum cairn_cbor_type type)
{
    size_t start = reader->pos;
    uint64_t size = read_head(reader, type);

    if (reader->failed)
        return (struct cairn_bytes){NULL, 0};
    struct cairn_bytes bytes = {reader->data + reader->pos, (size_t)size};
    /* Compared before it is narrowed: size_t may be smaller than the argument. */
    if (size > reader->size - reader->pos ||
        (type == CAIRN_CBOR_TEXT && !cairn_utf8_check(bytes, NULL))) {
        reader->pos = start;
        cairn_reader_fail(reader);
        return (struct cairn_bytes){NULL, 0};
    }
    reader->pos += bytes.size;
    return bytes;
}

struct cairn_bytes cairn_cbor_read_bytes(struct cairn_reader *reader)
{
    return read_string(reader, CAIRN_CBOR_BYTES);
}

struct cairn_bytes cairn_cbor_read_bytes_of(struct cairn_reader *reader, size_t size)
{
    struct cairn_reader ahead = *reader;
    struct cairn_bytes bytes = cairn_cbor_read_bytes(&ahead);

    if (ahead.failed || bytes.size != size) {
        cairn_reader_fail(reader);
        return (struct cairn_bytes){NULL, 0};
    }
    *reader = ahead;
    return bytes;
}

struct cairn_hash cairn_cbor_read_hash(struct cairn_reader *reader)
{
    struct cairn_hash hash = {{0}};
    struct cairn_bytes bytes = cairn_cbor_read_bytes_of(reader, sizeof(hash.bytes));

    if (bytes.size != 0)
        memcpy(hash.bytes, bytes.data, bytes.size);
    return hash;
}

struct cairn_bytes cairn_cbor_read_text(struct cairn_reader *reader)
{
    return read_string(reader, CAIRN_CBOR_TEXT);
}

void cairn_cbor_expect_text(struct cairn_reader *reader, const char *expected)
{
    struct cairn_reader ahead = *reader;
    struct cairn_bytes text = cairn_cbor_read_text(&ahead);

    if (ahead.failed || !cairn_bytes_equal(text, cairn_bytes_of_text(expected)))
        cairn_reader_fail(reader);
    else
        *reader = ahead;
}

size_t cairn_cbor_read_array(struct cairn_reader *reader)
{
    struct cairn_reader ahead = *reader;
    uint64_t count = read_head(&ahead, CAIRN_CBOR_ARRAY);

    /* An item takes at least a byte: a count beyond the bytes left is a lie about the work. */
    if (ahead.failed || count > cairn_reader_left(&ahead)) {
        cairn_reader_fail(reader);
        return 0;
    }
    *reader = ahead;
    return (size_t)count;
}

void cairn_cbor_expect_array(struct cairn_reader *reader, size_t count)
{
    struct cairn_reader ahead = *reader;
    size_t found = cairn_cbor_read_array(&ahead);

    if (ahead.failed || found != count)
        cairn_reader_fail(reader);
    else
        *reader = ahead;
}

/* Move over one head and, of a string, its content; gives the number of items that belong to it. */
static size_t skip_one(struct cairn_reader *reader)
{
    switch (cairn_cbor_peek(reader)) {
    case CAIRN_CBOR_UINT:
        cairn_cbor_read_uint(reader);
        return 0;
    case CAIRN_CBOR_NEGATIVE:
        cairn_cbor_read_int(reader);
        return 0;
    case CAIRN_CBOR_BYTES:
        cairn_cbor_read_bytes(reader);
        return 0;
    case CAIRN_CBOR_TEXT:
        cairn_cbor_read_text(reader);
        return 0;
    case CAIRN_CBOR_ARRAY:
        return cairn_cbor_read_array(reader);
    case CAIRN_CBOR_NONE:
        break;
    }
    cairn_reader_fail(reader);
    return 0;
}

struct cairn_bytes cairn_cbor_skip(struct cairn_reader *reader)
{
    size_t items_left[CAIRN_CBOR_DEPTH_MAX]; /* in each array that is open, outermost first */
    size_t depth = 0;
    size_t start = reader->pos;

    for (;;) {
        bool is_array = cairn_cbor_peek(reader) == CAIRN_CBOR_ARRAY;
        size_t count;

        if (is_array && depth == CAIRN_CBOR_DEPTH_MAX)
            cairn_reader_fail(reader);
        count = skip_one(reader);
        if (reader->failed)
            return (struct cairn_bytes){NULL, 0};
        if (is_array)
            items_left[depth++] = count;
        while (depth > 0 && items_left[depth - 1] == 0)
            depth--;
        if (depth == 0)
            return (struct cairn_bytes){reader->data + start, reader->pos - start};
        items_left[depth - 1]--;
    }
}

enum cairn_status cairn_cbor_check(struct cairn_bytes input, size_t *out_bad_offset)
{
    struct cairn_reader reader;
    enum cairn_status status;

    cairn_reader_init(&reader, input);
    cairn_cbor_skip(&reader);
    status = cairn_reader_end(&reader);
    if (status != CAIRN_OK && out_bad_offset != NULL)
        *out_bad_offset = reader.pos;
    return status;
}

static void write_head(struct cairn_writer *writer, enum cairn_cbor_type type, uint64_t argument)
{
    uint8_t major = (uint8_t)(type << 5);

    if (argument <= INFO_DIRECT_MAX) {
        cairn_write_u8(writer, (uint8_t)(major | argument));
    } else if (argument <= UINT8_MAX) {
        cairn_write_u8(writer, major | INFO_U8);
        cairn_write_u8(writer, (uint8_t)argument);
    } else if (argument <= UINT16_MAX) {
        cairn_write_u8(writer, major | INFO_U16);
        cairn_write_u16be(writer, (uint16_t)argument);
    } else if (argument <= UINT32_MAX) {
        cairn_write_u8(writer, major | INFO_U32);
        cairn_write_u32be(writer, (uint32_t)argument);
    } else {
        cairn_write_u8(writer, major | INFO_U64);
        cairn_write_u64be(writer, argument);
    }
}

void cairn_cbor_write_uint(struct cairn_writer *writer, uint64_t value)
{
    write_head(writer, CAIRN_CBOR_UINT, value);
}

void cairn_cbor_write_int(struct cairn_writer *writer, int64_t value)
{
    /* -1 - value cannot overflow; -value could. */
    if (value < 0)
        write_head(writer, CAIRN_CBOR_NEGATIVE, (uint64_t)(-1 - value));
    else
        write_head(writer, CAIRN_CBOR_UINT, (uint64_t)value);
}

void cairn_cbor_write_bytes(struct cairn_writer *writer, const void *data, size_t size)
{
    write_head(writer, CAIRN_CBOR_BYTES, size);
    cairn_write_bytes(writer, data, size);
}

void cairn_cbor_write_hash(struct cairn_writer *writer, const struct cairn_hash *hash)
{
    cairn_cbor_write_bytes(writer, hash->bytes, sizeof(hash->bytes));
}

void cairn_cbor_write_text(struct cairn_writer *writer, const char *data, size_t size)
{
    CAIRN_ASSERT(cairn_utf8_check((struct cairn_bytes){(const uint8_t *)data, size}, NULL));
    write_head(writer, CAIRN_CBOR_TEXT, size);
    cairn_write_bytes(writer, data, size);
}

void cairn_cbor_write_array(struct cairn_writer *writer, size_t count)
{
    write_head(writer, CAIRN_CBOR_ARRAY, count);
}
