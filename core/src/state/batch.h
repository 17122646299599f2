/*
 * batch.h: consecutive entries on their way into a log. First all are hashed, so that the seal can
 * be checked before anything is written; then each is judged and merged, and the blobs are written.
 */

#ifndef CAIRN_BATCH_H
#define CAIRN_BATCH_H

#include "log.h"

struct cairn_batch {
    uint32_t first, count;
    struct cairn_entry *entries;
    struct cairn_hash *leaves;
    struct cairn_hash **commitments; /* per entry, in slot order */
    struct cairn_tree tree;          /* after the last entry */
};
/*
 * Read and hash `count` entries from `bytes` as entries [first, ...) of `log`, on top of `tree`.
 * All in the arena. MALFORMED, also where an open entry stands in a log whose salts are not held.
 */
CAIRN_NODISCARD
enum cairn_status cairn_batch_hash(struct cairn_context *ctx, const struct cairn_log *log,
                                   const struct cairn_tree *tree, struct cairn_bytes bytes,
                                   uint32_t count, struct cairn_batch *out_batch);
/*
 * Judge, merge and write. `log` is the head before; it is moved and saved. *out_moves_force is set
 * when an authority entry changed what is in force.
 */
CAIRN_NODISCARD
enum cairn_status cairn_batch_apply(struct cairn_context *ctx, struct cairn_log *log,
                                    const struct cairn_batch *batch,
                                    const struct cairn_signature *seal, const uint32_t *splits,
                                    size_t split_count, bool *out_moves_force);
/* Judge again what waited for `log` to grow. */
CAIRN_NODISCARD
enum cairn_status cairn_waiting_release(struct cairn_context *ctx, const struct cairn_log *log);
/* Judge again the schemas that waited for the version before theirs. */
CAIRN_NODISCARD
enum cairn_status cairn_waiting_schemas_release(struct cairn_context *ctx);
/* Judge again what waited for entries that came alone since (links.h). */
CAIRN_NODISCARD
enum cairn_status cairn_waiting_links_release(struct cairn_context *ctx);

#endif
