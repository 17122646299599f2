/*
 * fake_ports.h: a machine in memory for one replica. The clock stands until it is set, the random
 * bytes follow from a seed, and key file, high-water mark and place are plain bytes that a test
 * may read, copy and overwrite: giving one machine's store to another `place`, or keeping a mark
 * while the store goes back, is how a copied or restored folder looks to core.
 *
 * Memory:  the struct is the caller's and holds no other; ops->free does nothing.
 * Threads: one at a time.
 */

#ifndef CAIRN_FAKE_PORTS_H
#define CAIRN_FAKE_PORTS_H

#include "cairn/ports.h"

struct fake_bytes {
    uint8_t data[CAIRN_MARK_MAX];
    size_t size;
    bool is_there;
};

struct fake_ports {
    struct cairn_ports base; /* first: the ports point here */
    uint64_t now_s;
    uint8_t seed[32]; /* random bytes: the stream of (seed, count of calls) */
    uint64_t random_calls;
    struct fake_bytes key;
    struct fake_bytes mark;
    struct fake_bytes place;
    unsigned long mark_syncs; /* saves of the mark that had to be on disk */
    /* As store_fault.h has it: so many calls of load, save and place pass, the next one fails. */
    long calls_until_fault; /* negative: never */
    enum cairn_status fault_with;
};

/* A machine with an empty disk at 2023-11-14; the place is named after the seed. */
void fake_ports_init(struct fake_ports *ports, uint64_t seed);
/* Move to another place: another machine, or another folder. */
void fake_ports_move(struct fake_ports *ports, uint64_t place);

#endif
