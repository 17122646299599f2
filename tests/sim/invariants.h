/*
 * invariants.h: what must be true: the table of invariants, the cheap ones looked at after each
 * step on the replica that it touched, all of them on all replicas now and then and when a run is
 * healed. How to add one: README.md.
 *
 * Each reports through world_fail under its own name.
 */

#ifndef CAIRN_SIM_INVARIANTS_H
#define CAIRN_SIM_INVARIANTS_H

#include "world.h"

enum invariant_when {
    INVARIANT_CHEAP, /* after each step on the replica touched; with the full ones on all */
    INVARIANT_FULL,  /* on every open replica, at every 100th step and when healed */
    INVARIANT_SLOW,  /* at every 500th step on one replica, on two when healed, on all at the end */
    INVARIANT_HEALED /* on every replica, when all links are good and nothing waits any more */
};

/* False: there was nothing to compare, and it is not counted. */
typedef bool invariant_fn(struct world *world, struct node *node);

struct sim_invariant {
    const char *name;
    enum invariant_when when;
    invariant_fn *check;
};
extern const struct sim_invariant sim_invariants[];
extern const unsigned sim_invariant_count;

/* ---- in files of their own ---- */

/* What a device is told of its own that has no effect is what the book says. */
invariant_fn invariant_refused;

/* ---- running them ---- */

void invariants_cheap(struct world *world, struct node *node);
void invariants_full(struct world *world);
void invariants_healed(struct world *world);
/* Those that are slow, on every replica. */
void invariants_end(struct world *world);

/* ---- those that an operation looks at by itself ---- */

/* What the facade shows of the record with that label is what the book says. */
void invariant_shown(struct world *world, struct node *node, const char *label);
/* The history has every edit of the record that the node holds. */
void invariant_history(struct world *world, struct node *node, uint32_t record, uint64_t count);
/* What an exchange reports as still waiting is what no checkpoint covers. */
void invariant_waiting(struct world *world, struct node *node, uint64_t reported);
void invariant_counts(struct world *world, struct node *node);
void invariant_audit(struct world *world, struct node *node);

#endif
