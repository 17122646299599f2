/*
 * cuts.h: what revocations and closes leave of a log (SPEC.md section 5.2), whether the log is held
 * here or not. Kept when an entry is admitted (authority.h); what counts is asked anew each time,
 * as one cut may lie behind another. What they move is for force.h.
 */

#ifndef CAIRN_CUTS_H
#define CAIRN_CUTS_H

#include "log.h"

/* Keep what the entry `by` says of a log under `grant`: the one revoked, or that of a closed log.
 */
CAIRN_NODISCARD
enum cairn_status cairn_cut_put(struct cairn_context *ctx, const struct cairn_ref *by,
                                const struct cairn_ref *grant, const struct cairn_head *cut);
/* What it said of that log is taken back; absent is fine. */
CAIRN_NODISCARD
enum cairn_status cairn_cut_drop(struct cairn_context *ctx, const struct cairn_ref *by,
                                 const struct cairn_hash *log_id);
/*
 * The least size that the cuts known here leave of `log`; CAIRN_NO_END: none names it. Of a log
 * that is not held its id and `under` are enough: then the sizes count as they are stated.
 */
CAIRN_NODISCARD
enum cairn_status cairn_cuts_end(struct cairn_context *ctx, const struct cairn_log *log,
                                 uint32_t *out_end);

#endif
