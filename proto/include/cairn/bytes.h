/*
 * cairn/bytes.h: borrowed byte ranges, a bounds-checked reader and a writer with a capacity.
 *
 * Both remember their first failure and go on harmlessly (a failed reader gives zeros, a full
 * writer writes nothing), so that code reads straight through and asks once at the end.
 *
 * Memory:  all borrowed; nothing here allocates.
 * Threads: one thread at a time per object.
 */

#ifndef CAIRN_BYTES_H
#define CAIRN_BYTES_H

#include "cairn/base.h"

struct cairn_bytes {
    const uint8_t *data; /* may be NULL when size is 0 */
    size_t size;
};

/* SHA-256 output; log ids, leaf hashes and roots are all of this type. */
struct cairn_hash {
    uint8_t bytes[32];
};

bool cairn_hash_equal(const struct cairn_hash *a, const struct cairn_hash *b);
/* Byte order, as memcmp. */
int cairn_hash_compare(const struct cairn_hash *a, const struct cairn_hash *b);
bool cairn_bytes_equal(struct cairn_bytes a, struct cairn_bytes b);
struct cairn_bytes cairn_bytes_of_text(const char *text);

/* Treat the members as private but for `pos`. */
struct cairn_reader {
    const uint8_t *data;
    size_t size;
    size_t pos; /* next byte; after a failure the place of the first failure */
    bool failed;
};

void cairn_reader_init(struct cairn_reader *reader, struct cairn_bytes input);
/* Mark the reader failed at its present place; later reads give zeros. First failure wins. */
void cairn_reader_fail(struct cairn_reader *reader);
/* Bytes not yet read; 0 for a failed reader, so that a loop "while something is left" ends. */
size_t cairn_reader_left(const struct cairn_reader *reader);
uint8_t cairn_read_u8(struct cairn_reader *reader);
uint16_t cairn_read_u16be(struct cairn_reader *reader);
uint32_t cairn_read_u32be(struct cairn_reader *reader);
uint64_t cairn_read_u64be(struct cairn_reader *reader);
/* Borrow the next `size` bytes; {NULL, 0} and a failed reader when they are not there. */
struct cairn_bytes cairn_read_bytes(struct cairn_reader *reader, size_t size);
struct cairn_hash cairn_read_hash(struct cairn_reader *reader);
/* OK when nothing failed and nothing is left over; else CAIRN_MALFORMED. */
CAIRN_NODISCARD enum cairn_status cairn_reader_end(const struct cairn_reader *reader);

/* Treat the members as private but for `data` and `size`. */
struct cairn_writer {
    uint8_t *data;
    size_t capacity;
    size_t size;
    bool overflowed; /* something did not fit: `size` is then of no use */
};

void cairn_writer_init(struct cairn_writer *writer, void *data, size_t capacity);
void cairn_write_u8(struct cairn_writer *writer, uint8_t value);
void cairn_write_u16be(struct cairn_writer *writer, uint16_t value);
void cairn_write_u32be(struct cairn_writer *writer, uint32_t value);
void cairn_write_u64be(struct cairn_writer *writer, uint64_t value);
void cairn_write_bytes(struct cairn_writer *writer, const void *data, size_t size);
/* What was written, borrowed; {NULL, 0} when the writer overflowed: nothing torn gets out. */
struct cairn_bytes cairn_writer_bytes(const struct cairn_writer *writer);

#endif
