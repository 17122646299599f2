/*
 * evidence.h: authority entries held as evidence, by the place that a ref names: each with its
 * link, so that it can be shown to others without the log that it came in. Judges nothing
 * (authority.h does) and gathers nothing for a message (links.h does).
 */

#ifndef CAIRN_EVIDENCE_H
#define CAIRN_EVIDENCE_H

#include "cairn/grant.h"
#include "context.h"

struct cairn_evidence {
    unsigned depth; /* of the standing that a grant gives; 0 for other kinds */
    struct cairn_link link;
    struct cairn_entry entry;
    struct cairn_bytes link_bytes;
};

/* A value of table E; everything in the arena. */
CAIRN_NODISCARD
enum cairn_status cairn_evidence_decode(struct cairn_context *ctx, struct cairn_bytes value,
                                        struct cairn_evidence *out_evidence);
/* NOT_FOUND also where only another entry is held of that place: a device that signs two for one
 * place has each of them judged alone. */
CAIRN_NODISCARD
enum cairn_status cairn_evidence_get(struct cairn_context *ctx, const struct cairn_ref *ref,
                                     struct cairn_evidence *out_evidence);
CAIRN_NODISCARD
enum cairn_status cairn_evidence_put(struct cairn_context *ctx, const struct cairn_ref *ref,
                                     unsigned depth, const struct cairn_link *link);

#endif
