/*
 * force.h: which valid entries count (SPEC.md section 5.2): inside every cut, on the branch that
 * counts, under a grant that stands, not repeating one that counts.
 */

#ifndef CAIRN_FORCE_H
#define CAIRN_FORCE_H

#include "log.h"
#include "verdict.h"

/* From which entry on `log` is out of force by cuts, closes, revocations and forks: CAIRN_NO_END
 * when none says so. */
CAIRN_NODISCARD
enum cairn_status cairn_force_end(struct cairn_context *ctx, const struct cairn_log *log,
                                  uint32_t *out_end);
/* Is this valid entry in force? `repeats` is the entry that it repeats, or NULL. */
CAIRN_NODISCARD
enum cairn_status cairn_in_force(struct cairn_context *ctx, const struct cairn_log *log,
                                 uint32_t index, const struct cairn_ref *repeats,
                                 bool *out_in_force);
/* Is the entry that a repeated one names held, valid and in force? Whether that one repeats another
 * in turn makes no difference: the later of two repetitions never counts beside the one it names.
 */
CAIRN_NODISCARD
enum cairn_status cairn_original_in_force(struct cairn_context *ctx, const struct cairn_ref *ref,
                                          bool *out_in_force);
/* Why a valid entry does not count: CAIRN_WHY_CUT, FORK or REPEATED; NONE when it counts. */
CAIRN_NODISCARD
enum cairn_status cairn_force_why(struct cairn_context *ctx, const struct cairn_log *log,
                                  uint32_t index, const struct cairn_ref *repeats,
                                  enum cairn_reason *out_why);
/*
 * What a run must begin below to be accepted into `log`: the least size that the cuts held here
 * allow, or where a range ends that was adopted above it (CAIRN_NO_END: there is no cut). A run
 * that crosses it comes whole: it stands under one seal, and where it stops to count is for
 * cairn_force_end to say.
 */
CAIRN_NODISCARD
enum cairn_status cairn_force_limit(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t *out_limit);
/* Nothing is left of `log`: what adopts entries of it waits for it again. */
CAIRN_NODISCARD
enum cairn_status cairn_adoptions_wait(struct cairn_context *ctx, const struct cairn_log *log);
/* Where the last adopted range of `log` ends; 0: none was. */
CAIRN_NODISCARD
enum cairn_status cairn_force_adopted(struct cairn_context *ctx, const struct cairn_log *log,
                                      uint32_t *out_to);
/*
 * Something moved: work out every log's end anew until nothing moves any more, and rebuild the
 * records that entries between the old and the new end touch, or that were adopted beyond it, and
 * those of entries that repeat one of them. What did not move costs nothing.
 */
CAIRN_NODISCARD enum cairn_status cairn_force_move(struct cairn_context *ctx);

#endif
