/*
 * inspect.h: looking into a replica without touching it: which logs it holds and how far, and the
 * live versions of its records. The one file that reads core's private headers for the invariants;
 * faults of the disk are off meanwhile.
 *
 * Threads: one. Failures go to world_fail.
 */

#ifndef CAIRN_SIM_INSPECT_H
#define CAIRN_SIM_INSPECT_H

#include "world.h"

/* Bring node->held up to date, if something may have come in. */
void inspect_holdings(struct world *world, struct node *node);

/* The own records log of this generation in a village; false: none yet. */
bool inspect_own_log(struct world *world, struct node *node, unsigned village,
                     struct cairn_hash *out_id, uint32_t *out_size);
/* Is entry `index` of a log held here a basis? */
bool inspect_is_basis(struct world *world, struct node *node, const struct cairn_hash *log,
                      uint32_t index);
/* The newest version of the schema here. */
unsigned inspect_schema(struct world *world, struct node *node);

/* Does an entry repeat one that counts? */
bool inspect_is_repeated(struct world *world, struct node *node, const struct cairn_hash *log,
                         uint32_t index);
/* The one that an open device writes in; it may have no log yet. */
uint64_t inspect_generation(const struct node *node);

struct own_log {
    uint32_t log; /* of the model */
    uint32_t size, covered;
    uint64_t generation;
};
/* Own records logs, of all generations, in the order in which core numbers them. */
unsigned inspect_own_logs(struct world *world, struct node *node, struct own_log *out_logs,
                          unsigned max);

struct seen_live {
    uint64_t field;
    uint32_t log, index; /* of the model; log MODEL_NONE: not in the book */
    uint32_t token;      /* inspect_values() only */
};
struct seen_record {
    uint32_t log, index; /* the creating entry; log MODEL_NONE: not in the book */
    const char *label;
    bool has_conflict, is_deleted;
    size_t live_count;
    const struct seen_live *live;
};
typedef void inspect_record_fn(void *context, struct world *world, struct node *node,
                               const struct seen_record *record);
/* Every record that has a live version. */
void inspect_records(struct world *world, struct node *node, inspect_record_fn *visit,
                     void *context);

/* The same, with the values of what is live. */
void inspect_values(struct world *world, struct node *node, inspect_record_fn *visit,
                    void *context);

/* State digest of a village's records; false: it is not comparable (something waits). */
bool inspect_digest(struct world *world, struct node *node, unsigned village,
                    struct cairn_hash *out_digest);
/* Forks kept as evidence. */
uint64_t inspect_fork_count(struct world *world, struct node *node);
/* Leaves of the village's records scope log. */
uint64_t inspect_scope_size(struct world *world, struct node *node, unsigned village);

#endif
