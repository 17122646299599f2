/*
 * seen.h: what a reading context has looked up of logs, kept while the store stays as it is. A
 * point read then costs no more than the record itself; after any commit everything is looked up
 * anew, so nothing here is ever stale.
 */

#ifndef CAIRN_SEEN_H
#define CAIRN_SEEN_H

#include "log.h"

/* Of a log what readers of records need. */
struct cairn_seen_log {
    uint32_t no;
    uint32_t covered;
    struct cairn_scope scope;
    struct cairn_hash id;
    char tag[8]; /* of the device that writes it */
};
/* Has the village of a log no relation of `type` between records (same.c)? Only what was said with
 * seen_alone in the same snapshot is known. */
bool cairn_seen_is_alone(const struct cairn_context *ctx, uint32_t no, uint64_t type);
void cairn_seen_alone(struct cairn_context *ctx, uint32_t no, uint64_t type);
/* Borrowed until the next call on the context. */
CAIRN_NODISCARD
enum cairn_status cairn_seen_log(struct cairn_context *ctx, uint32_t no,
                                 const struct cairn_seen_log **out_log);

#endif
