/*
 * scope_log.h: the log of accepted batches that a sequencer keeps of one (scope, channel), and its
 * checkpoints (SPEC.md section 6). A server covers; everybody else follows and verifies.
 */

#ifndef CAIRN_SCOPE_LOG_H
#define CAIRN_SCOPE_LOG_H

#include "authority.h"
#include "cairn/checkpoint.h"
#include "cairn/keys.h"

struct cairn_scope_log {
    struct cairn_scope scope;
    enum cairn_channel channel;
    uint64_t epoch;
    uint32_t log_count; /* distinct logs so far: the next ordinal */
    struct cairn_tree tree;
};

/* An empty one (epoch 0) where there is none yet. */
CAIRN_NODISCARD
enum cairn_status cairn_scope_log_load(struct cairn_context *ctx, struct cairn_scope scope,
                                       enum cairn_channel channel, struct cairn_scope_log *out_log);
CAIRN_NODISCARD
enum cairn_status cairn_scope_log_save(struct cairn_context *ctx,
                                       const struct cairn_scope_log *scope_log);

struct cairn_covered_leaf {
    uint32_t log;           /* no */
    uint32_t from, size;    /* the entries that it covers: [from, size) */
    struct cairn_hash root; /* of the scope log with this leaf */
    uint64_t time_s;        /* of the checkpoint that it came under */
};
CAIRN_NODISCARD
enum cairn_status cairn_scope_leaf_get(struct cairn_context *ctx,
                                       const struct cairn_scope_log *scope_log, uint64_t index,
                                       struct cairn_covered_leaf *out_leaf);
/* The root when the scope log had `size` leaves. NOT_FOUND beyond. */
CAIRN_NODISCARD
enum cairn_status cairn_scope_root_at(struct cairn_context *ctx,
                                      const struct cairn_scope_log *scope_log, uint64_t size,
                                      struct cairn_hash *out_root);
/*
 * Append the leaf (log, size): `log` has that many entries here, and more than are covered. The log
 * and the scope log are changed; both are saved here.
 */
CAIRN_NODISCARD
enum cairn_status cairn_scope_cover(struct cairn_context *ctx, struct cairn_scope_log *scope_log,
                                    struct cairn_log *log, uint32_t size, uint64_t time_s);

/* The number of a log in the scope log, and the other way. NOT_FOUND. */
CAIRN_NODISCARD
enum cairn_status cairn_scope_ordinal(struct cairn_context *ctx,
                                      const struct cairn_scope_log *scope_log, uint32_t log,
                                      uint32_t *out_ordinal);
CAIRN_NODISCARD
enum cairn_status cairn_scope_log_of(struct cairn_context *ctx,
                                     const struct cairn_scope_log *scope_log, uint32_t ordinal,
                                     uint32_t *out_log);

/*
 * What a checkpoint of the scope log's present head says, derived from what is held here.
 * out->time_s is given. *out_is_comparable: see digest.h.
 */
CAIRN_NODISCARD
enum cairn_status cairn_checkpoint_derive(struct cairn_context *ctx,
                                          const struct cairn_scope_log *scope_log, uint64_t time_s,
                                          struct cairn_checkpoint *out_checkpoint,
                                          bool *out_is_comparable);
/* Only its list of authority logs held; and are two such lists the same? */
CAIRN_NODISCARD
enum cairn_status cairn_checkpoint_held(struct cairn_context *ctx, struct cairn_scope scope,
                                        struct cairn_checkpoint *out_checkpoint);
bool cairn_held_equal(const struct cairn_checkpoint *a, const struct cairn_checkpoint *b);
/* Keep a checkpoint that was signed here or verified; its size is where the scope log stands. */
CAIRN_NODISCARD
enum cairn_status cairn_checkpoint_put(struct cairn_context *ctx,
                                       const struct cairn_checkpoint *checkpoint,
                                       const struct cairn_signature *signature);
/* The newest checkpoint of at most `size_max` leaves and more than `size_min`. NOT_FOUND. */
CAIRN_NODISCARD
enum cairn_status cairn_checkpoint_get(struct cairn_context *ctx, struct cairn_scope scope,
                                       enum cairn_channel channel, uint64_t size_min,
                                       uint64_t size_max, struct cairn_checkpoint *out_checkpoint,
                                       struct cairn_signature *out_signature);
/* The oldest checkpoint of more than `size_min` leaves. NOT_FOUND. */
CAIRN_NODISCARD
enum cairn_status cairn_checkpoint_after(struct cairn_context *ctx, struct cairn_scope scope,
                                         enum cairn_channel channel, uint64_t size_min,
                                         struct cairn_checkpoint *out_checkpoint,
                                         struct cairn_signature *out_signature);

/* Scope logs held, in order of (scope, channel): the first after `*scope_log` (zeroed:
 * the first). */
CAIRN_NODISCARD
enum cairn_status cairn_scope_log_next(struct cairn_context *ctx, struct cairn_scope_log *scope_log,
                                       bool is_first);

/*
 * Take in a group of a reply or bundle: its runs, and when it has a checkpoint its leaves, proven.
 *   GAP            a leaf names entries that are neither held nor brought
 *   BAD_SIGNATURE  the checkpoint does not verify as derived; ask for it in full (or it is false)
 *   FORKED         the server's history is not the one held here
 *   REFUSED        no sequencer is known for the scope
 * On failure the unit of work must be given up.
 */
struct cairn_follow {
    bool state_is_equal; /* out: the state worked out here has the signed digest */
    /* out: everything held equal, yet another digest: somebody computes wrongly */
    bool state_differs;
    uint64_t entry_count; /* out: entries that came in (bases not counted) */
};
CAIRN_NODISCARD
enum cairn_status cairn_group_follow(struct cairn_context *ctx, const struct cairn_group *group,
                                     struct cairn_follow *out_follow);

#endif
