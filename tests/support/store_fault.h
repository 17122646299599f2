/*
 * A store that passes everything on to another one and makes one chosen call fail, once; and counts
 * what is asked of it.
 *
 * Once, because a store that kept failing would hide a caller who ignored the first no. A failed
 * commit aborts the inner transaction, as the port promises; nothing else reaches the inner store.
 * Calls are counted in the order in which they come: begin, get, get_many, put, del, range_open,
 * range_next, commit and stat (abort, range_close and close cannot fail and are not counted).
 *
 * Usage: for (n = 0;; n++) { store_fault_arm(&fault, n, CAIRN_IO); run; if it was OK: stop; }
 *
 * Memory:  the struct is the caller's; closing it through ops->close closes the inner store too.
 * Threads: as the inner store; arm it while nobody uses it.
 */

#ifndef CAIRN_STORE_FAULT_H
#define CAIRN_STORE_FAULT_H

#include "cairn/store.h"

#include <stdatomic.h>

struct store_fault {
    struct cairn_store base; /* first: the store port points here */
    struct cairn_store *inner;
    atomic_long calls_until_fault; /* negative: never */
    enum cairn_status fault_with;
    bool spares_readers;    /* calls in transactions that only read pass uncounted */
    atomic_long call_count; /* since init or arm */
    atomic_long byte_count; /* of the values handed out since */
    atomic_long txns_open;
    atomic_long ranges_open;
};

void store_fault_init(struct store_fault *store, struct cairn_store *inner);

/* Let `calls_before` calls pass, fail the next one with `status`, then pass everything again. A
 * negative number disarms. Counting starts anew. */
void store_fault_arm(struct store_fault *store, long calls_before, enum cairn_status status);

/* The same, of calls in writing transactions only: a CONFLICT has another writer as its cause. */
void store_fault_arm_writing(struct store_fault *store, long calls_before,
                             enum cairn_status status);

/* Whether an armed fault is still to come. */
bool store_fault_is_armed(const struct store_fault *store);

#endif
