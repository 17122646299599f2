/*
 * reopen.h: entries of other logs that were judged by an entry that goes: a fork went the other
 * way, or a tail was abandoned. They wait once more, so that whoever held the other history ends
 * like whoever never did.
 */

#ifndef CAIRN_REOPEN_H
#define CAIRN_REOPEN_H

#include "judge.h"

/*
 * Entries `from` and later of `log` are about to go, or to be another history than the one
 * announced. Of the other logs of its scope, whatever is written on a record that they created or
 * follows a step among them waits, and so on along the chains of steps. What waits is out of force:
 * the caller relinks and rebuilds the records (*out_records, may name one twice).
 */
CAIRN_NODISCARD
enum cairn_status cairn_followers_reopen(struct cairn_context *ctx, const struct cairn_log *log,
                                         uint32_t from, struct cairn_dot **out_records,
                                         size_t *out_count);
/*
 * What entries [from, to) of `log` announced turned out to be another history: steps of theirs that
 * follow an entry of that one wait, and along the chains of steps others, as above.
 */
CAIRN_NODISCARD
enum cairn_status cairn_steps_reopen(struct cairn_context *ctx, const struct cairn_log *log,
                                     uint32_t from, uint32_t to, struct cairn_dot **out_records,
                                     size_t *out_count);

#endif
