/*
 * A store that passes everything on to another one and gives back one thing that it reads, once,
 * otherwise than it lies there: what a disk that decays does. What lies in the inner store stays.
 *
 * Counted are values found by get and get_many and steps of a range, in the order in which they
 * come.
 *
 * Memory:  the struct is the caller's; closing it through ops->close closes the inner store too.
 * Threads: one at a time.
 */

#ifndef CAIRN_STORE_DAMAGE_H
#define CAIRN_STORE_DAMAGE_H

#include "cairn/store.h"

enum store_damage_kind {
    DAMAGE_EMPTY,  /* a value without bytes */
    DAMAGE_HALF,   /* the first half of a value */
    DAMAGE_CUT,    /* a value without its last byte */
    DAMAGE_LONGER, /* a value with a byte more */
    DAMAGE_FORM,   /* a value whose first byte is another */
    DAMAGE_KEY,    /* a range's key without its last byte */
    DAMAGE_KIND_COUNT
};

struct store_damage {
    struct cairn_store base; /* first: the store port points here */
    struct cairn_store *inner;
    long reads_until_damage; /* negative: none to come */
    enum store_damage_kind kind;
    uint8_t *kept; /* the value given back */
};

void store_damage_init(struct store_damage *store, struct cairn_store *inner);
/* Let `reads_before` pass, damage the next one, then pass everything again. Negative: disarm. */
void store_damage_arm(struct store_damage *store, long reads_before, enum store_damage_kind kind);

#endif
