/*
 * sequence.h: what a sequencer does with what was accepted: cover it, a leaf a log, and sign the
 * new heads (SPEC.md section 6). Whoever is no sequencer does nothing here.
 */

#ifndef CAIRN_SEQUENCE_H
#define CAIRN_SEQUENCE_H

#include "replica_internal.h"
#include "scope_log.h"

struct cairn_sequencing {
    struct cairn_replica *replica;
    size_t grown_done; /* bytes of ctx->grown that were looked at */
    size_t bytes;      /* of runs since the last signing, with what goes beside them */
    size_t touched_count, touched_capacity;
    struct cairn_scope_log *touched; /* in the arena, within one call: scope and channel only */
    uint64_t checkpoint_count;       /* out: signed so far */
};
/*
 * At the beginning of a unit of work. From here on what one checkpoint covers is signed before it
 * comes to more than a reply can carry: between the runs that go in. `work` lives as long as the
 * unit of work.
 */
void cairn_sequencing_init(struct cairn_sequencing *work, struct cairn_replica *replica);
/*
 * Cover what grew since the last call, in the scopes that this device is the sequencer of, and sign
 * their heads. The state that is signed is that of whole logs: what lay uncovered in such a scope,
 * brought by a bundle before this was its sequencer, is covered too. In a write transaction.
 */
CAIRN_NODISCARD
enum cairn_status cairn_sequence(struct cairn_sequencing *work);

#endif
