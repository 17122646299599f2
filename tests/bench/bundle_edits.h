/*
 * bundle_edits.h: how many bytes a replica's edits have as leaves, before any packing: read from
 * its own full bundle, whose parts are neither sealed nor mixed with anybody's state.
 *
 * In a full bundle a personal value stands as its commitment; as the value's bytes are taken away
 * from the leaf's, what is left is the same.
 *
 * Memory:  nothing is kept. Threads: one.
 */

#ifndef CAIRN_BENCH_BUNDLE_EDITS_H
#define CAIRN_BENCH_BUNDLE_EDITS_H

#include "cairn/replica.h"

struct bundle_edits {
    size_t count;         /* entries that set one field */
    uint64_t leaf_bytes;  /* of those entries */
    uint64_t value_bytes; /* of the values in them, as CBOR */
};
/* Add up the first `count` edits of the replica's log. CORRUPT when there are fewer. */
CAIRN_NODISCARD
enum cairn_status bundle_edits_read(struct cairn_replica *replica, size_t count,
                                    struct bundle_edits *out_edits, struct cairn_err *err);

#endif
