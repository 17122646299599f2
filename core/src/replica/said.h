/*
 * said.h: what an entry of a records log says, read for people, whether it has effect or not: what
 * was refused is shown as far as it can be made out. Judges nothing.
 *
 * Memory: everything lies in the context's arena, texts in the replica's results.
 */

#ifndef CAIRN_SAID_H
#define CAIRN_SAID_H

#include "replica_internal.h"
#include "schema.h"

/* One operation on one field. */
struct cairn_saying {
    uint64_t number; /* CAIRN_ITEM_* */
    uint64_t field;  /* CAIRN_FIELD_EXISTENCE: of the record itself */
    bool has_value;
    /* A record stands as (log, index) of this store; log 0: it cannot be made out. */
    struct cairn_value value;
    struct cairn_dot *named; /* versions that it replaces */
    size_t named_count;
};
struct cairn_said {
    struct cairn_dot dot;
    struct cairn_log log;
    uint64_t kind;
    uint64_t time_s;
    const char *reason; /* NULL: none; "(closed)" where withheld */
    bool creates;
    uint64_t type;           /* when it creates */
    struct cairn_dot record; /* log 0: it names none that can be made out */
    bool has_repeats;
    struct cairn_ref repeats;
    struct cairn_saying *sayings; /* none: an operation of a newer version, or none at all */
    size_t count;
};

/* Read entry `index` of `log`. */
CAIRN_NODISCARD
enum cairn_status cairn_said_read(struct cairn_replica *replica, const struct cairn_log *log,
                                  uint32_t index, struct cairn_said *out_said);
/*
 * What one operation says: operation, field, new value, step; of a removal the elements taken away
 * as the old value. `type` is NULL where the record's is not known, `saying` where none can be
 * read.
 */
CAIRN_NODISCARD
enum cairn_status cairn_saying_describe(struct cairn_replica *replica,
                                        const struct cairn_type *type,
                                        const struct cairn_saying *saying,
                                        struct cairn_history_item *item);
/*
 * Does the entry count, and if not, why: its verdict, else what took it out of force.
 * CAIRN_WHY_NONE: it counts.
 */
struct cairn_effect {
    enum cairn_validity validity;
    enum cairn_reason reason;
};
CAIRN_NODISCARD
enum cairn_status cairn_said_effect(struct cairn_context *ctx, const struct cairn_said *said,
                                    struct cairn_effect *out_effect);
/* Who wrote entry `index`: the grant that its log stood under there. A role of UINT64_MAX where
 * that grant is not held. */
CAIRN_NODISCARD
enum cairn_status cairn_entry_standing(struct cairn_context *ctx, const struct cairn_log *log,
                                       uint32_t index, struct cairn_standing *out_standing);

#endif
