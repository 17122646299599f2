/*
 * digest.h: the state digest of a (scope, channel) (SPEC.md section 6.1). Records mark their bucket
 * stale as they change; the digest works out only what is stale.
 */

#ifndef CAIRN_DIGEST_H
#define CAIRN_DIGEST_H

#include "record.h"

/* The record whose id hashes to `bucket` changed. Written by cairn_digest_flush. */
CAIRN_NODISCARD
enum cairn_status cairn_digest_touch(struct cairn_context *ctx, struct cairn_scope scope,
                                     uint8_t bucket);
CAIRN_NODISCARD enum cairn_status cairn_digest_flush(struct cairn_context *ctx);

/*
 * The digest now; in a write transaction the buckets worked out are kept. *out_is_comparable is
 * false when an entry of that scope waits: then another replica may rightly have another digest.
 */
CAIRN_NODISCARD
enum cairn_status cairn_digest(struct cairn_context *ctx, struct cairn_scope scope,
                               enum cairn_channel channel, struct cairn_hash *out_digest,
                               bool *out_is_comparable);
/* The same from the records themselves, whatever was kept of earlier work: for an audit. */
CAIRN_NODISCARD
enum cairn_status cairn_digest_anew(struct cairn_context *ctx, struct cairn_scope scope,
                                    enum cairn_channel channel, struct cairn_hash *out_digest);

#endif
