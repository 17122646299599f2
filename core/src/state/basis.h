/*
 * basis.h: what a log rests on: the grant, schema and secret that its bases state. Says whether
 * they cover the log; whether single entries are valid is for judge.h and authority.h to say.
 */

#ifndef CAIRN_BASIS_H
#define CAIRN_BASIS_H

#include "batch.h"
#include "verdict.h"

/*
 * Every basis in the batch; entry 0 of a log must be one, made for its secret. NOT_FOUND: chain or
 * schema not held, to be tried again; REFUSED: the grant does not cover the log; MALFORMED.
 */
CAIRN_NODISCARD
enum cairn_status cairn_bases_check(struct cairn_context *ctx, const struct cairn_log *log,
                                    const struct cairn_batch *batch);

/* Let a basis at `index` take effect: judged, then noted in `log`, which the caller saves. */
CAIRN_NODISCARD
enum cairn_status cairn_basis_apply(struct cairn_context *ctx, struct cairn_log *log,
                                    uint32_t index, const struct cairn_entry *entry,
                                    struct cairn_verdict *out_verdict);
/* Set what `log` says of its last basis to the one in effect at entry `index`: each entry is judged
 * under that and no other, however late. */
CAIRN_NODISCARD
enum cairn_status cairn_basis_at(struct cairn_context *ctx, struct cairn_log *log, uint32_t index);
/* The same when entries from `from` on leave the log. The caller saves it. */
CAIRN_NODISCARD
enum cairn_status cairn_basis_cut_back(struct cairn_context *ctx, struct cairn_log *log,
                                       uint32_t from);
/* How many bases stand at entry `from` or behind it. */
CAIRN_NODISCARD
enum cairn_status cairn_bases_count(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t from, uint32_t *out_count);

#endif
