/*
 * twins.h: a device whose folder was copied whole, key, mark and place with it, so that nothing
 * tells the copy that it is one, and two hands write one log. Whoever holds both histories must be
 * able to show it.
 */

#ifndef CAIRN_SIM_TWINS_H
#define CAIRN_SIM_TWINS_H

#include "world.h"

/* The second of the two, open, its edits not foretold; NULL: there is no room, or it failed. */
struct node *twins_make(struct world *world, struct node *node);
/* It is never heard of again. */
void twins_retire(struct node *twin);
/* An auditor who has both bundles must find `what`, a part of the finding's sentence. */
void audited_together(struct world *world, const struct bundle *one, const struct bundle *two,
                      const char *what);
/* ... that this device signed two histories. */
void twins_audited(struct world *world, const struct node *node, const struct bundle *one,
                   const struct bundle *two);
/* A station and its twin write the same place of their log, and one syncs before the other. */
bool twins_fork(struct world *world, struct dice *dice);

#endif
