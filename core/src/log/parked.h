/*
 * parked.h: runs that are kept beside their logs, each whole enough to stand alone: parked ones,
 * which wait for what they rest on, and the branches of proven forks, which are evidence. When a
 * parked run is tried again is for apply.h to say.
 */

#ifndef CAIRN_PARKED_H
#define CAIRN_PARKED_H

#include "log.h"

/*
 * Park a run of `log` in (scope, channel), where the log need not be known yet; again is fine.
 * LIMIT: parking is full, or this log has its share of it.
 */
CAIRN_NODISCARD
enum cairn_status cairn_run_park(struct cairn_context *ctx, struct cairn_scope scope,
                                 enum cairn_channel channel, const struct cairn_log *log,
                                 const struct cairn_run *given);
/*
 * The first parked run at or after `*from` (empty: of all), in the arena; `*from` is moved behind
 * it, and *out_key is where it lies. NOT_FOUND at the end.
 */
CAIRN_NODISCARD
enum cairn_status cairn_parked_next(struct cairn_context *ctx, struct cairn_key *from,
                                    struct cairn_scope *out_scope, enum cairn_channel *out_channel,
                                    struct cairn_run *out_run, struct cairn_key *out_key);

/* Take the parked run at `key` away; absent is fine. */
CAIRN_NODISCARD
enum cairn_status cairn_parked_drop(struct cairn_context *ctx, const struct cairn_key *key);

/* Take all of them away: whoever sent them brings them again. */
CAIRN_NODISCARD enum cairn_status cairn_parked_forget(struct cairn_context *ctx);

/* Keep a run that left the history of `log` held here at entry `common`; `root` is where
 * it ends. */
CAIRN_NODISCARD
enum cairn_status cairn_fork_keep(struct cairn_context *ctx, const struct cairn_log *log,
                                  uint32_t common, const struct cairn_run *run,
                                  const struct cairn_hash *root);
/* That of a value of table F, borrowed from it. CORRUPT. */
CAIRN_NODISCARD
enum cairn_status cairn_fork_read(struct cairn_bytes value, uint32_t *out_common,
                                  struct cairn_run *out_run);
/* Does a kept run say something else than the log held here where both have an entry? What was
 * given up here and came again from a peer does not. */
CAIRN_NODISCARD
enum cairn_status cairn_fork_contradicts(struct cairn_context *ctx, const struct cairn_log *log,
                                         const struct cairn_run *branch, bool *out_contradicts);
/* The least entry at or behind `from` at which a proven fork leaves the log; CAIRN_NO_END: none
 * does. */
CAIRN_NODISCARD
enum cairn_status cairn_fork_least(struct cairn_context *ctx, const struct cairn_log *log,
                                   uint32_t from, uint32_t *out_least);
/* The first run kept so at or after `*from` (empty: of all), in the arena, and its log here;
 * `*from` is moved behind it. NOT_FOUND at the end. */
CAIRN_NODISCARD
enum cairn_status cairn_fork_next(struct cairn_context *ctx, struct cairn_key *from,
                                  uint32_t *out_log, struct cairn_run *out_run);

#endif
