/*
 * apply.h: the only door for changes. A run of entries comes in, from a peer or from this device's
 * own hand; it is checked against its log (accepted), judged, merged into state and written, in the
 * caller's transaction. Nothing is written for a run that is not accepted, but evidence.
 */

#ifndef CAIRN_APPLY_H
#define CAIRN_APPLY_H

#include "log.h"

enum cairn_outcome {
    CAIRN_OUTCOME_ACCEPTED,
    CAIRN_OUTCOME_KNOWN,  /* held already */
    CAIRN_OUTCOME_PARKED, /* waits for a grant, a schema or a gap; kept under a quota */
    CAIRN_OUTCOME_FORKED, /* contradicts what is held: kept as evidence */
    CAIRN_OUTCOME_CUT /* beyond a cut held here: kept as evidence, parked under the same quota */
};

struct cairn_apply_input {
    struct cairn_scope scope;
    enum cairn_channel channel;
    const struct cairn_run *run;
    uint32_t log; /* no, when run->log is a number that the caller resolved */
    /* Ascending sizes at which the scope log has leaves: heads kept there. */
    const uint32_t *splits;
    size_t split_count;
    /* How far the leaves of a checkpoint cover it that is verified before anything is kept; 0: none
     * does. What begins below comes whole, though under a cut, and wins over an uncovered tail. */
    uint32_t covered_to;
};
/* Before a run that comes under no checkpoint: a sequencer signs what came before it. */
CAIRN_NODISCARD
enum cairn_status cairn_apply_ahead(struct cairn_context *ctx, const struct cairn_run *run);
/*
 * MALFORMED, BAD_SIGNATURE, REFUSED (the grant does not cover this log): the run is no good.
 * LIMIT: a record is full, parking is full, or the run is longer than CAIRN_RUN_BYTES_MAX and under
 * no checkpoint: it could never go on. Where ctx->write_count has moved, a half of it is written,
 * and the caller gives up the unit of work. The log's no goes to *out_log.
 */
CAIRN_NODISCARD
enum cairn_status cairn_apply_run(struct cairn_context *ctx, const struct cairn_apply_input *input,
                                  enum cairn_outcome *out_outcome, uint32_t *out_log);

/* What follows whenever a log has grown from entry `from` on: what waited is judged again. */
CAIRN_NODISCARD
enum cairn_status cairn_log_has_grown(struct cairn_context *ctx, const struct cairn_log *log,
                                      uint32_t from, bool moves_force);

/* Try parked runs again, after grants, schemas or earlier entries came in. A failure with
 * ctx->has_spoilt: the caller gives up the unit of work, drops that run and begins anew. */
CAIRN_NODISCARD enum cairn_status cairn_parked_retry(struct cairn_context *ctx);

/* Take the entries from `from` on, none of them covered, out of a log, keeping them as evidence:
 * another branch was covered, or an own log is taken up anew (restore). */
CAIRN_NODISCARD
enum cairn_status cairn_abandon_tail(struct cairn_context *ctx, struct cairn_log *log,
                                     uint32_t from);

#endif
