/*
 * edit.h: what a put does to the fields of one record: words of a person -> edits -> items of
 * entries. Knows merge kinds; put.c knows who may write where.
 */

#ifndef CAIRN_EDIT_H
#define CAIRN_EDIT_H

#include "compose.h"
#include "replica_internal.h"
#include "schema.h"

struct cairn_edit {
    const struct cairn_field *field;
    uint64_t number;          /* CAIRN_ITEM_SET, ADD, REMOVE, COUNT */
    struct cairn_value value; /* a record of this store stands as (log, index) of the store */
    const char *text;         /* the value as given */
    size_t entry;             /* that it went into, from 1; 0: waits */
};
#define CAIRN_EDIT_NEEDLESS SIZE_MAX /* in no entry: it changes nothing, or the create holds it */

struct cairn_edits {
    struct cairn_edit *items; /* in the arena */
    size_t count, capacity;
};

/*
 * Check the words of `put` against the type and read them; `state` NULL: the record is created.
 * BAD_INPUT with a sentence.
 */
CAIRN_NODISCARD
enum cairn_status cairn_edits_read(struct cairn_replica *replica, const struct cairn_put *put,
                                   const struct cairn_type *type,
                                   const struct cairn_record_state *state,
                                   struct cairn_edits *out_edits);
/* One value as a person wrote it; a reference is looked up. BAD_INPUT, NOT_FOUND, AMBIGUOUS. */
CAIRN_NODISCARD
enum cairn_status cairn_edit_value(struct cairn_context *ctx, const struct cairn_field *field,
                                   const char *text, struct cairn_value *out_value);
/* The edit that brings back version `live` of `undeleted`, not closed, into `state`: a register
 * that nobody wrote since, an element, of a counter what the deletion took; steps stand as they
 * are. */
CAIRN_NODISCARD
enum cairn_status cairn_edits_restore(struct cairn_context *ctx, const struct cairn_field *field,
                                      const struct cairn_record_state *state,
                                      const struct cairn_record_state *undeleted,
                                      const struct cairn_live *live, struct cairn_edits *edits);
/*
 * Compose the edits of a record into as many entries as they need: an entry writes a field once,
 * and CAIRN_WRITES_MAX fields.
 * What changes nothing is left out. *out_changes, in the replica's results, says what is new.
 */
CAIRN_NODISCARD
enum cairn_status cairn_edits_compose(struct cairn_replica *replica,
                                      struct cairn_composer *composer,
                                      const struct cairn_record_state *state,
                                      struct cairn_edits *edits, const char *reason,
                                      const struct cairn_change **out_changes,
                                      size_t *out_change_count);
/* A create item with the registers among the edits, as many as an entry holds, which then wait no
 * more. */
CAIRN_NODISCARD
enum cairn_status cairn_edits_create(struct cairn_composer *composer, uint64_t type,
                                     uint32_t counter, struct cairn_edits *edits);

#endif
