/* history_internal.h: what history and the list of refused entries have in common; history.c holds
 * it. */

#ifndef CAIRN_HISTORY_INTERNAL_H
#define CAIRN_HISTORY_INTERNAL_H

#include "replica_internal.h"

/* When the first checkpoint held came that covers the entry; 0: none does. */
CAIRN_NODISCARD
enum cairn_status cairn_received_time(struct cairn_context *ctx, const struct cairn_log *log,
                                      uint32_t index, uint64_t *out_time_s);
/* Visit every entry that is invalid or waits; return other than OK to stop. */
typedef enum cairn_status cairn_verdict_fn(void *context, struct cairn_replica *replica,
                                           const struct cairn_log *log, uint32_t index);
CAIRN_NODISCARD
enum cairn_status cairn_verdicts_visit(struct cairn_replica *replica, cairn_verdict_fn *visit,
                                       void *context);
/* Own entries without effect that nothing answers. */
CAIRN_NODISCARD
enum cairn_status cairn_refused_count(struct cairn_replica *replica, uint64_t *out_count);

#endif
