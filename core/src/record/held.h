/*
 * held.h: the records that a batch writes, kept open between its entries, so that a thousand writes
 * to one record load and save it once. What is held is ahead of the store, and loading a record
 * gives it; whoever reads records otherwise saves what is held first.
 *
 * Memory: each record in an arena of its own, together some 30 MiB at most.
 */

#ifndef CAIRN_HELD_H
#define CAIRN_HELD_H

#include "record.h"

/* Those taken longest ago make place for the next: a run that goes round more records than these,
 * or more versions, saves them at each turn. */
#define CAIRN_HELD_RECORDS 32
#define CAIRN_HELD_VERSIONS (2 * CAIRN_LIVE_MAX)

struct cairn_held_record {
    struct cairn_arena arena; /* of the state */
    struct cairn_log creator;
    struct cairn_record_state state; /* id.log 0: none */
};
struct cairn_held_records {
    struct cairn_held_record records[CAIRN_HELD_RECORDS];
    size_t oldest;
};

/* From now on the context holds records. */
void cairn_held_records_begin(struct cairn_held_records *held, struct cairn_context *ctx);
/* It holds none any more; what was not saved is lost. */
void cairn_held_records_end(struct cairn_context *ctx);
/* The state of a record as held; NULL when it is not. */
const struct cairn_record_state *cairn_held_record_state(const struct cairn_context *ctx,
                                                         struct cairn_dot id);
/* Save them all; they stay held no longer. */
CAIRN_NODISCARD enum cairn_status cairn_held_records_save(struct cairn_context *ctx);
/* Hold a record as it was loaded, or as it begins; held already, it is as it was left. May save
 * others. */
CAIRN_NODISCARD
enum cairn_status cairn_held_record_take(struct cairn_context *ctx, const struct cairn_log *creator,
                                         const struct cairn_record_state *state,
                                         struct cairn_held_record **out_record);

#endif
