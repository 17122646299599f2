#include "cairn/bytes.h"

#include <string.h>

/* Hashes are public: memcmp may stop early without telling anyone a secret. */
bool cairn_hash_equal(const struct cairn_hash *a, const struct cairn_hash *b)
{
    return cairn_hash_compare(a, b) == 0;
}

int cairn_hash_compare(const struct cairn_hash *a, const struct cairn_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool cairn_bytes_equal(struct cairn_bytes a, struct cairn_bytes b)
{
    /* memcmp must not be given NULL, not even with a size of 0. */
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

struct cairn_bytes cairn_bytes_of_text(const char *text)
{
    return (struct cairn_bytes){(const uint8_t *)text, strlen(text)};
}

void cairn_reader_init(struct cairn_reader *reader, struct cairn_bytes input)
{
    CAIRN_ASSERT(input.data != NULL || input.size == 0);
    *reader = (struct cairn_reader){.data = input.data, .size = input.size};
}

void cairn_reader_fail(struct cairn_reader *reader)
{
    /* `pos` stays where it is from here on: nothing moves a failed reader. */
    reader->failed = true;
}

size_t cairn_reader_left(const struct cairn_reader *reader)
{
    /* None for a failed one, so that a loop "while something is left" ends. */
    return reader->failed ? 0 : reader->size - reader->pos;
}

struct cairn_bytes cairn_read_bytes(struct cairn_reader *reader, size_t size)
{
    struct cairn_bytes bytes;

    if (reader->failed || size > cairn_reader_left(reader)) {
        cairn_reader_fail(reader);
        return (struct cairn_bytes){NULL, 0};
    }
    if (reader->data == NULL) /* an empty input: NULL must not be added to */
        return (struct cairn_bytes){NULL, 0};
    bytes = (struct cairn_bytes){reader->data + reader->pos, size};
    reader->pos += size;
    return bytes;
}

static uint64_t read_be(struct cairn_reader *reader, size_t size)
{
    struct cairn_bytes bytes = cairn_read_bytes(reader, size);
    uint64_t value = 0;

    for (size_t i = 0; i < bytes.size; i++)
        value = value << 8 | bytes.data[i];
    return value;
}

uint8_t cairn_read_u8(struct cairn_reader *reader)
{
    return (uint8_t)read_be(reader, 1);
}

uint16_t cairn_read_u16be(struct cairn_reader *reader)
{
    return (uint16_t)read_be(reader, 2);
}

uint32_t cairn_read_u32be(struct cairn_reader *reader)
{
    return (uint32_t)read_be(reader, 4);
}

uint64_t cairn_read_u64be(struct cairn_reader *reader)
{
    return read_be(reader, 8);
}

struct cairn_hash cairn_read_hash(struct cairn_reader *reader)
{
    struct cairn_hash hash = {{0}};
    struct cairn_bytes bytes = cairn_read_bytes(reader, sizeof(hash.bytes));

    if (bytes.size != 0)
        memcpy(hash.bytes, bytes.data, bytes.size);
    return hash;
}

enum cairn_status cairn_reader_end(const struct cairn_reader *reader)
{
    return reader->failed || reader->pos != reader->size ? CAIRN_MALFORMED : CAIRN_OK;
}

void cairn_writer_init(struct cairn_writer *writer, void *data, size_t capacity)
{
    CAIRN_ASSERT(data != NULL || capacity == 0);
    *writer = (struct cairn_writer){.data = data, .capacity = capacity};
}

void cairn_write_bytes(struct cairn_writer *writer, const void *data, size_t size)
{
    /* Once something is missing, what would still fit must not close the hole. */
    if (writer->overflowed || size > writer->capacity - writer->size) {
        writer->overflowed = true;
        return;
    }
    if (size == 0)
        return;
    memcpy(writer->data + writer->size, data, size);
    writer->size += size;
}

static void write_be(struct cairn_writer *writer, uint64_t value, size_t size)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    cairn_write_bytes(writer, bytes, size);
}

void cairn_write_u8(struct cairn_writer *writer, uint8_t value)
{
    write_be(writer, value, 1);
}

void cairn_write_u16be(struct cairn_writer *writer, uint16_t value)
{
    write_be(writer, value, 2);
}

void cairn_write_u32be(struct cairn_writer *writer, uint32_t value)
{
    write_be(writer, value, 4);
}

void cairn_write_u64be(struct cairn_writer *writer, uint64_t value)
{
    write_be(writer, value, 8);
}

struct cairn_bytes cairn_writer_bytes(const struct cairn_writer *writer)
{
    /* A torn message must not leave the house because somebody forgot to ask. */
    if (writer->overflowed)
        return (struct cairn_bytes){NULL, 0};
    return (struct cairn_bytes){writer->data, writer->size};
}
