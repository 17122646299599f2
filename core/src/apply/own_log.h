/*
 * own_log.h: the logs that this device writes, one a (scope, channel) and generation: begun, and
 * appended to under its seal. What its entries say is composed above (compose.h).
 */

#ifndef CAIRN_OWN_LOG_H
#define CAIRN_OWN_LOG_H

#include "cairn/keys.h"
#include "cairn/ports.h"
#include "log.h"

/* What this device writes with. */
struct cairn_author {
    const struct cairn_keys *keys;
    struct cairn_ports *ports;
    struct cairn_under under; /* its grant, or the root */
    uint64_t generation;      /* of this install; a restore begins a new one */
    uint64_t now_s;
};
/*
 * The log of this device in (scope, channel), begun with its basis when there is none of this
 * generation; where a newer schema is held than it states, a basis that names it is appended.
 */
CAIRN_NODISCARD
enum cairn_status cairn_own_log(struct cairn_context *ctx, const struct cairn_author *author,
                                struct cairn_scope scope, enum cairn_channel channel,
                                struct cairn_log *out_log);
/* Does it exist already? NOT_FOUND. */
CAIRN_NODISCARD
enum cairn_status cairn_own_log_find(struct cairn_context *ctx, const struct cairn_author *author,
                                     struct cairn_scope scope, enum cairn_channel channel,
                                     struct cairn_log *out_log);
/*
 * Append `count` entries (CBOR items in `entries`), sealed as one batch; in authority call it once
 * an entry. BAD_INPUT when one of them is not valid: the caller made it, so err says which rule.
 */
CAIRN_NODISCARD
enum cairn_status cairn_apply_own(struct cairn_context *ctx, const struct cairn_author *author,
                                  struct cairn_log *log, struct cairn_bytes entries,
                                  uint32_t count);

#endif
