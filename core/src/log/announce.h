/*
 * announce.h: what a log has announced of other logs (SPEC.md section 5): only that may it name,
 * and only if the other log's history here is the announced one.
 */

#ifndef CAIRN_ANNOUNCE_H
#define CAIRN_ANNOUNCE_H

#include "log.h"

/*
 * Let the announcements of entry `index` take effect; log->announced_count is raised, the caller
 * saves the log. *out_is_good is false when one of them takes something back or numbers a log that
 * is not there: then the entry is invalid.
 */
CAIRN_NODISCARD
enum cairn_status cairn_announcements_apply(struct cairn_context *ctx, struct cairn_log *log,
                                            uint32_t index, const struct cairn_entry *entry,
                                            bool *out_is_good);

struct cairn_announced {
    uint32_t log; /* no */
    uint32_t size;
    bool root_differs; /* our branch of that log is another one: names under it have no effect */
};
/* The announcement of log `number` that is in effect at entry `index` of log `no`. NOT_FOUND. */
CAIRN_NODISCARD
enum cairn_status cairn_announced_at(struct cairn_context *ctx, uint32_t no, uint32_t number,
                                     uint32_t index, struct cairn_announced *out_announced);
/* The number under which log `no` has announced `other`, and the newest size; NOT_FOUND. */
CAIRN_NODISCARD
enum cairn_status cairn_announced_number(struct cairn_context *ctx, const struct cairn_log *log,
                                         uint32_t other, uint32_t *out_number, uint32_t *out_size);

/* Entries [from, to) of log `no`: those for which some announcement of theirs is in effect. */
struct cairn_announced_span {
    uint32_t no;
    uint32_t from, to; /* may reach beyond the log's end */
};
/*
 * `target` has grown: check the announcements of it that could not be checked before. `differs` is
 * called once for each log that announced another history, with all entries that this concerns.
 */
typedef enum cairn_status cairn_announce_differs_fn(struct cairn_context *ctx,
                                                    const struct cairn_announced_span *span);
CAIRN_NODISCARD
enum cairn_status cairn_announcements_check(struct cairn_context *ctx,
                                            const struct cairn_log *target,
                                            cairn_announce_differs_fn *differs);
/* Entries of `log` from `from` on leave it, and with them what they announced; log->announced_count
 * goes back, the caller saves it. */
CAIRN_NODISCARD
enum cairn_status cairn_announcements_forget(struct cairn_context *ctx, struct cairn_log *log,
                                             uint32_t from);
/*
 * `target` goes back to `size`: announcements above it wait to be checked again. *out_spans are,
 * log by log, the entries whose announcement had named another history, and for now has effect
 * again; in the arena.
 */
CAIRN_NODISCARD
enum cairn_status cairn_announcements_reopen(struct cairn_context *ctx, uint32_t target,
                                             uint32_t size, struct cairn_announced_span **out_spans,
                                             size_t *out_count);

#endif
