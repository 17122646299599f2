/* put_internal.h: what putting and settling have in common; put.c holds it. */

#ifndef CAIRN_PUT_INTERNAL_H
#define CAIRN_PUT_INTERNAL_H

#include "compose.h"
#include "replica_internal.h"
#include "schema.h"

/* May this device write records now? NO_RIGHT, NO_KEY, with a sentence. */
CAIRN_NODISCARD
enum cairn_status cairn_writer_check(struct cairn_replica *replica,
                                     struct cairn_standing *out_standing);
/*
 * Live versions of a field: the shown one, and those of other logs, which a write must name;
 * out_named has room for all live versions of the record.
 */
CAIRN_NODISCARD
enum cairn_status cairn_field_live(struct cairn_context *ctx,
                                   const struct cairn_record_state *state, uint64_t field,
                                   uint32_t own_log, const struct cairn_live **out_shown,
                                   struct cairn_dot *out_named, size_t *out_named_count,
                                   size_t *out_count);
/*
 * Begin to write on a record: find it by what people call it, check the right, ready a composer
 * with an entry begun; release it whatever comes after OK. NOT_FOUND, AMBIGUOUS, NO_RIGHT, NO_KEY.
 */
CAIRN_NODISCARD
enum cairn_status cairn_record_open(struct cairn_replica *replica, const char *id,
                                    struct cairn_record_state *out_state,
                                    struct cairn_composer *out_composer);
/* End the entry begun, with its reason, which may be NULL. */
CAIRN_NODISCARD
enum cairn_status cairn_entry_end(struct cairn_composer *composer, const char *reason);
/* Seal and apply the entries composed. */
CAIRN_NODISCARD
enum cairn_status cairn_entries_write(struct cairn_replica *replica,
                                      struct cairn_composer *composer);
/* Of two values as edits and views hold them; closed ones equal nothing. */
bool cairn_value_equal(const struct cairn_value *a, const struct cairn_value *b);

#endif
