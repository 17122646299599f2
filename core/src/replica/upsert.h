/* upsert.h: rows that name their record by an alias: which record each means, and which rows of one
 * call mean the same. For put.c. */

#ifndef CAIRN_UPSERT_H
#define CAIRN_UPSERT_H

#include "replica_internal.h"
#include "schema.h"

/*
 * Look the rows over: rows that upsert and have the same type, scope and alias become one, the
 * first of them, with the fields of all. The puts to do stand in *out_puts, as many as were given,
 * those merged into an earlier one with type NULL and its number in out_first. In the arena.
 * `scope` is the device's own.
 */
CAIRN_NODISCARD
enum cairn_status cairn_upserts_merge(struct cairn_context *ctx, struct cairn_scope scope,
                                      const struct cairn_put *puts, size_t count,
                                      const struct cairn_put **out_puts, size_t **out_first);
/* The live record of `scope` that an upserting row means. NOT_FOUND: none, or the row has no alias;
 * AMBIGUOUS with a sentence. */
CAIRN_NODISCARD
enum cairn_status cairn_upsert_find(struct cairn_context *ctx, const struct cairn_type *type,
                                    struct cairn_scope scope, const struct cairn_put *put,
                                    struct cairn_log *out_log,
                                    struct cairn_record_state *out_state);

#endif
