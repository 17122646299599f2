/*
 * log.h: device logs as they lie in the store: what names a log, its head, its entries in blobs.
 * Appends what others have checked; decides nothing (batch.h, judge.h do).
 *
 * Logs have short numbers of this store's own ("no"), never seen outside it.
 */

#ifndef CAIRN_LOG_H
#define CAIRN_LOG_H

#include "cairn/entry.h"
#include "cairn/leaf.h"
#include "cairn/merkle.h"
#include "context.h"

struct cairn_log {
    uint32_t no;
    struct cairn_hash id;
    bool is_known; /* false: only mentioned by an announcement; nothing below is set */
    struct cairn_sign_public device;
    struct cairn_scope scope;
    enum cairn_channel channel;
    struct cairn_incarnation incarnation;
    uint64_t own_generation; /* 0: not ours; else the generation of the install that wrote it */
    enum cairn_run_secret secret_kind;
    struct cairn_hash secret;
    struct cairn_under under; /* of the last basis */
    uint64_t schema_version;  /* that too */
    uint64_t role;            /* of that grant; 0: the root */
    uint32_t basis_index;     /* where that basis stands */
    uint32_t covered;         /* entries under a verified checkpoint */
    uint32_t force_end;       /* entries from here on are not in force */
    uint32_t announced_count; /* logs that this one announced */
    uint64_t last_time_s;
    struct cairn_tree tree;
};

#define CAIRN_NO_END UINT32_MAX /* of a log that nothing ends */

static inline uint32_t cairn_log_size(const struct cairn_log *log)
{
    return (uint32_t)log->tree.size;
}

/* NOT_FOUND. */
CAIRN_NODISCARD
enum cairn_status cairn_log_load(struct cairn_context *ctx, uint32_t no, struct cairn_log *out_log);
CAIRN_NODISCARD
enum cairn_status cairn_log_find(struct cairn_context *ctx, const struct cairn_hash *id,
                                 struct cairn_log *out_log);
CAIRN_NODISCARD
enum cairn_status cairn_log_save(struct cairn_context *ctx, const struct cairn_log *log);
/* Number a log id that may be new; a new one is saved as only mentioned. */
CAIRN_NODISCARD
enum cairn_status cairn_log_mention(struct cairn_context *ctx, const struct cairn_hash *id,
                                    struct cairn_log *out_log);
/* Fill in the parts of a mentioned log and list it in its scope. The caller saves it. */
CAIRN_NODISCARD
enum cairn_status cairn_log_enlist(struct cairn_context *ctx, struct cairn_log *log);
/* As enlist, numbering the log first where nobody mentioned it yet. */
CAIRN_NODISCARD
enum cairn_status cairn_log_begin(struct cairn_context *ctx, struct cairn_log *log);
struct cairn_hash cairn_log_root(const struct cairn_log *log);
/* Ready a blinder for this log. */
void cairn_log_blinder(const struct cairn_log *log, struct cairn_blinder *out_blinder);

/* What one run brings in open entries: under one seal it must fit a message, whatever stands beside
 * it there. */
#define CAIRN_RUN_BYTES_MAX 58000

/* Consecutive entries of a log, as stored. */
struct cairn_blob {
    uint32_t first;
    uint32_t count;
    bool has_seal; /* false: cut inside what arrived under one later seal */
    struct cairn_signature seal;
    struct cairn_hash root;     /* at first + count */
    struct cairn_bytes entries; /* CBOR items */
    struct cairn_bytes chain; /* for each entry a dot: varint log no, 0: none; else varint index */
};
CAIRN_NODISCARD
enum cairn_status cairn_blob_put(struct cairn_context *ctx, uint32_t no,
                                 const struct cairn_blob *blob);
/* The blob that holds entry `index`; bytes in the arena. NOT_FOUND beyond the head. */
CAIRN_NODISCARD
enum cairn_status cairn_blob_at(struct cairn_context *ctx, uint32_t no, uint32_t index,
                                struct cairn_blob *out_blob);
/* The same without entries and chain. */
CAIRN_NODISCARD
enum cairn_status cairn_blob_head_at(struct cairn_context *ctx, uint32_t no, uint32_t index,
                                     struct cairn_blob *out_blob);
/* Entry `index` and (may be NULL) its chain dot (no 0: none). */
CAIRN_NODISCARD
enum cairn_status cairn_log_entry(struct cairn_context *ctx, uint32_t no, uint32_t index,
                                  struct cairn_bytes *out_entry, struct cairn_local_dot *out_chain);
/*
 * Entries from `first` on that end in a seal, at most about `bytes_max` of them and not beyond
 * `end`; at least one seal's worth, though that may end beyond it: what came here under one seal
 * goes on under it. run->entries in the arena; log parts and secret are filled in, numbered false.
 * GAP when no seal stands after first.
 */
CAIRN_NODISCARD
enum cairn_status cairn_log_run(struct cairn_context *ctx, const struct cairn_log *log,
                                uint32_t first, uint32_t end, size_t bytes_max,
                                struct cairn_run *out_run);
/* The root when the log had `size` entries. NOT_FOUND beyond the head. */
CAIRN_NODISCARD
enum cairn_status cairn_log_root_at(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t size, struct cairn_hash *out_root);
/* The tree of the first `size` leaves of a log, which are stored. */
CAIRN_NODISCARD
enum cairn_status cairn_tree_at(struct cairn_context *ctx, const struct cairn_log *log,
                                uint32_t size, struct cairn_tree *out_tree);

#endif
