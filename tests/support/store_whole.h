/*
 * store_whole.h: everything in a store, of any kind, at once.
 *
 * Memory:  a copy is the caller's, who closes it.
 * Effects: fails the running cmocka test.
 */

#ifndef CAIRN_STORE_WHOLE_H
#define CAIRN_STORE_WHOLE_H

#include "cairn/identity.h"
#include "cairn/store.h"

/* Into a store in memory. */
struct cairn_store *store_copy(struct cairn_store *store);
/* SHA-256 over all keys and values. */
struct cairn_hash store_hash(struct cairn_store *store);

#endif
