/*
 * cairn/cbor.h: the subset of deterministic CBOR (RFC 8949 section 4.2.1) that Cairn hashes and
 * signs: unsigned and negative integers, byte strings, text strings, arrays. One encoding per
 * value: shortest heads, valid UTF-8, definite lengths; maps, tags, floats and simple values
 * are malformed. Negative integers below -2^63 are malformed too: no field needs them.
 *
 * All functions work on a reader or writer of cairn/bytes.h and fail through it.
 * Memory: borrowed. Threads: one at a time per object.
 */

#ifndef CAIRN_CBOR_H
#define CAIRN_CBOR_H

#include "cairn/bytes.h"

enum cairn_cbor_type {
    CAIRN_CBOR_UINT = 0,
    CAIRN_CBOR_NEGATIVE = 1,
    CAIRN_CBOR_BYTES = 2,
    CAIRN_CBOR_TEXT = 3,
    CAIRN_CBOR_ARRAY = 4,
    CAIRN_CBOR_NONE = 8 /* at the end of input, after a failure, or outside the subset */
};

#define CAIRN_CBOR_DEPTH_MAX 8

/* The type of the next item, without moving. Looks at its first byte only: whether the rest of the
 * head is there and in its shortest form, and the content, show when the item is read. */
enum cairn_cbor_type cairn_cbor_peek(const struct cairn_reader *reader);

/* Each reads one item of that type, or fails the reader and gives 0 / empty. */
uint64_t cairn_cbor_read_uint(struct cairn_reader *reader);
/* As read_uint, and fails above `max`. */
uint64_t cairn_cbor_read_uint_max(struct cairn_reader *reader, uint64_t max);
int64_t cairn_cbor_read_int(struct cairn_reader *reader);
struct cairn_bytes cairn_cbor_read_bytes(struct cairn_reader *reader);
/* A byte string of exactly `size` bytes. */
struct cairn_bytes cairn_cbor_read_bytes_of(struct cairn_reader *reader, size_t size);
struct cairn_hash cairn_cbor_read_hash(struct cairn_reader *reader);
/* Valid UTF-8, not NUL-terminated. */
struct cairn_bytes cairn_cbor_read_text(struct cairn_reader *reader);
/* A text that must equal `expected`. */
void cairn_cbor_expect_text(struct cairn_reader *reader, const char *expected);
/* The number of items that follow. Never more than the bytes left, so a loop over it ends. */
size_t cairn_cbor_read_array(struct cairn_reader *reader);
/* An array of exactly `count` items. */
void cairn_cbor_expect_array(struct cairn_reader *reader, size_t count);
/* Move over one item of any type, checking it whole; gives its bytes. Depth is limited to
 * CAIRN_CBOR_DEPTH_MAX arrays; no recursion. */
struct cairn_bytes cairn_cbor_skip(struct cairn_reader *reader);

/* OK when `input` is exactly one item of the subset; else CAIRN_MALFORMED, and
 * *out_bad_offset (may be NULL) is where the first fault was met. */
CAIRN_NODISCARD enum cairn_status cairn_cbor_check(struct cairn_bytes input,
                                                   size_t *out_bad_offset);

void cairn_cbor_write_uint(struct cairn_writer *writer, uint64_t value);
void cairn_cbor_write_int(struct cairn_writer *writer, int64_t value);
void cairn_cbor_write_bytes(struct cairn_writer *writer, const void *data, size_t size);
void cairn_cbor_write_hash(struct cairn_writer *writer, const struct cairn_hash *hash);
/* The caller vouches for valid UTF-8 (asserted). */
void cairn_cbor_write_text(struct cairn_writer *writer, const char *data, size_t size);
void cairn_cbor_write_array(struct cairn_writer *writer, size_t count);

#endif
