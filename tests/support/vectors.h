/*
 * vectors.h: test tables in JSON, read for the tests that walk them.
 *
 * A table is an object with "fmt" (what its columns mean) and, as a rule, an array "cases". A
 * column that is missing or of the wrong kind fails the running test: a table that cannot be
 * read must never look like a table that passed.
 *
 * Memory:  vectors_load() gives a table that vectors_free() takes back; texts and rows borrowed
 *          from it live as long as it does; decoded hex is the caller's, given back by
 *          vectors_bytes_free().
 * Effects: reads files below CAIRN_VECTORS; fails the running cmocka test.
 */

#ifndef CAIRN_TEST_VECTORS_H
#define CAIRN_TEST_VECTORS_H

#include <jansson.h>

#include "cairn/bytes.h"

/* The whole table, e.g. vectors_load("/cbor/malformed.json"). */
json_t *vectors_load(const char *path_below_vectors);
/* The same for a file anywhere, by its whole path. */
json_t *vectors_load_file(const char *path);
void vectors_free(json_t *table);

/* The rows of the table: its array "cases", which must not be empty. Borrowed. */
json_t *vectors_cases(const json_t *table);
/* Over the rows; inside, `row` is a const json_t * and `i` its number. `continue` goes to the next
 * row, and so does `break`: there are two loops. */
#define VECTORS_EACH(table, i, row)                                    \
    for (size_t i = 0; i < json_array_size(vectors_cases(table)); i++) \
        for (const json_t *row = json_array_get(vectors_cases(table), i); row != NULL; row = NULL)

/* The row's "id", or "?" where it has none; for messages. */
const char *vectors_id(const json_t *row);
bool vectors_has(const json_t *row, const char *key);
const char *vectors_text(const json_t *row, const char *key);
int64_t vectors_int(const json_t *row, const char *key);
/* For columns that go up to 2^64 - 1. Numbers beyond int64 are loaded as texts of their digits. */
uint64_t vectors_u64(const json_t *row, const char *key);
bool vectors_bool(const json_t *row, const char *key);
/* False as well where the column is missing. */
bool vectors_flag(const json_t *row, const char *key);
json_t *vectors_array(const json_t *row, const char *key);

/* Hex of either case in a fresh block of exactly that size, for vectors_bytes_free(); {NULL, 0} for
 * "". Anything but pairs of hex digits fails the test. */
struct cairn_bytes vectors_unhex(const char *hex);
struct cairn_bytes vectors_hex(const json_t *row, const char *key);
void vectors_bytes_free(struct cairn_bytes bytes);
/* Decode into a block of a fixed size: true only when the hex is exactly that many bytes. */
bool vectors_unhex_into(const char *hex, void *out, size_t size);
bool vectors_hex_into(const json_t *row, const char *key, void *out, size_t size);

/* Fail the running test, naming the row, unless both are the same bytes. Prints both in hex. */
void vectors_expect_bytes(const json_t *row, struct cairn_bytes got, struct cairn_bytes want);

#endif
