/*
 * The contract of cairn/store.h in executable form. A back end passes it or is not one.
 *
 * A test program describes how its stores are made and calls store_suite_run(); the tests that
 * only it has follow in its own file.
 */

#ifndef CAIRN_STORE_SUITE_H
#define CAIRN_STORE_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/store.h"

struct store_backend {
    const char *name;
    /* A new empty store; *out_home is whatever reopen and destroy need. */
    struct cairn_store *(*create)(void **out_home);
    /* Close `store` and open it again from the same place. NULL: nothing outlives the process. */
    struct cairn_store *(*reopen)(void *home, struct cairn_store *store);
    void (*destroy)(void *home, struct cairn_store *store);
};

/* Run every test on a store of its own; returns the number of failures. */
int store_suite_run(const struct store_backend *backend);

/* Remove a store, its folder from temp_folder_new(), where nothing else may be left, and the name.
 */
void store_folder_remove(char *path);

/* Statuses compared by name, so that a failure reads without the header. */
#define CHECK_STATUS(got, want) assert_string_equal(cairn_status_name(got), cairn_status_name(want))

void store_check_bytes(struct cairn_bytes got, struct cairn_bytes want);

/* Twenty thousand random operations; prints the seed, takes another from CAIRN_SEED. */
void store_model_run(struct cairn_store *store);

/* The key of entry `number`; they are ordered as their numbers, from "n" to "o". */
struct cairn_bytes store_numbered_key(uint32_t number, char out_key[static 16]);

/* One whole transaction each; they run again on CONFLICT and fail the test on anything else. */
void store_put_one(struct cairn_store *store, struct cairn_bytes key, struct cairn_bytes value);
/* Put `count` entries numbered from `first`, each `value_bytes` long. */
void store_put_numbered(struct cairn_store *store, uint32_t first, uint32_t count,
                        size_t value_bytes);
enum cairn_status store_try_numbered(struct cairn_store *store, uint32_t first, uint32_t count,
                                     size_t value_bytes);
/* Check that entries 0 to count-1 are there and no other; `value_bytes` as they were put. */
void store_check_numbered(struct cairn_store *store, uint32_t count, size_t value_bytes);

#endif
