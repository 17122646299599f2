/*
 * outgoing.h: what is being gathered for a message or a part of a bundle: groups, and the evidence
 * that their logs rest on.
 */

#ifndef CAIRN_OUTGOING_H
#define CAIRN_OUTGOING_H

#include "links.h"
#include "scope_log.h"

/* Raw bytes that surely fit a message together with its heads, compressed or not. */
#define CAIRN_OUTGOING_BYTES CAIRN_RUN_BYTES_MAX

struct cairn_outgoing {
    size_t bytes_max; /* stop adding behind this */
    bool is_closed;   /* entries closed, blind seeds instead of secrets */
    bool is_explicit; /* checkpoints in full */
    bool has_skip;    /* leave out the runs of one device: it has them */
    struct cairn_sign_public skip;
    struct cairn_buffer groups;
    size_t group_count;
    /* Runs of the (scope, channel) that is being brought, not a group yet. */
    struct cairn_scope pending_scope;
    enum cairn_channel pending_channel;
    struct cairn_buffer pending_runs;
    size_t pending_count;
    uint64_t entry_count; /* bases not counted */
    uint64_t own_count;   /* ... of logs of our own */
    uint64_t checkpoint_count;
    struct cairn_link_set links;
};
void cairn_outgoing_init(struct cairn_outgoing *out, size_t bytes_max);
void cairn_outgoing_release(struct cairn_outgoing *out);
void cairn_outgoing_reset(struct cairn_outgoing *out);
bool cairn_outgoing_is_full(const struct cairn_outgoing *out);

/*
 * The scope log from leaf `from` on, up to a checkpoint that still fits, a message too: whoever
 * reads it may have to give it back. *out_next is the leaf behind the last that went in (from:
 * nothing did).
 */
CAIRN_NODISCARD
enum cairn_status cairn_outgoing_covered(struct cairn_context *ctx, struct cairn_outgoing *out,
                                         const struct cairn_scope_log *scope_log, uint64_t from,
                                         uint64_t *out_next);
/* Only how long the scope log is here: a group with neither leaves nor runs. LIMIT. */
CAIRN_NODISCARD
enum cairn_status cairn_outgoing_size(struct cairn_outgoing *out,
                                      const struct cairn_scope_log *scope_log);
/*
 * Runs of `log` from entry `from` on. *out_next is the entry behind the last that went in. The
 * caller brings all logs of one (scope, channel) one after the other: they become one group, or in
 * a bundle several of about CAIRN_OUTGOING_BYTES, the last by cairn_outgoing_flush.
 */
CAIRN_NODISCARD
enum cairn_status cairn_outgoing_log(struct cairn_context *ctx, struct cairn_outgoing *out,
                                     const struct cairn_log *log, uint32_t from,
                                     uint32_t *out_next);
/* A branch of `log` that is kept as evidence, as a group of its own. */
CAIRN_NODISCARD
enum cairn_status cairn_outgoing_branch(struct cairn_context *ctx, struct cairn_outgoing *out,
                                        const struct cairn_log *log, const struct cairn_run *run);
CAIRN_NODISCARD enum cairn_status cairn_outgoing_flush(struct cairn_outgoing *out);
/* Logs held, in order of (scope, channel, no): the first after *log. NOT_FOUND at the end. */
CAIRN_NODISCARD
enum cairn_status cairn_log_next(struct cairn_context *ctx, struct cairn_log *log, bool is_first);

#endif
