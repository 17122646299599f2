/* rebuild_internal.h: what rebuild.c and cut_back.c share: entries in the chains of their records.
 */

#ifndef CAIRN_REBUILD_INTERNAL_H
#define CAIRN_REBUILD_INTERNAL_H

#include "rebuild.h"

/* A valid change, read again; its record has log 0 for any other entry (invalid, waiting, basis).
 */
CAIRN_NODISCARD
enum cairn_status cairn_entry_change(struct cairn_context *ctx, const struct cairn_log *log,
                                     uint32_t index, struct cairn_judged_change *change);
/* Rewrite what entry `at` says came before it in its record's chain. */
CAIRN_NODISCARD
enum cairn_status cairn_chain_set(struct cairn_context *ctx, struct cairn_dot at,
                                  struct cairn_dot before);
/* The valid entry at `dot` goes: it repeats nothing any more. */
CAIRN_NODISCARD
enum cairn_status cairn_repeat_forget(struct cairn_context *ctx, struct cairn_dot dot,
                                      const struct cairn_judged_change *change);

#endif
