/* people_internal.h: what the operations of people share; see people.h. */

#ifndef CAIRN_SIM_PEOPLE_INTERNAL_H
#define CAIRN_SIM_PEOPLE_INTERNAL_H

#include "people.h"

/* Was the disk of this node why a call failed? Then it is counted. */
bool people_failed_with_disk(struct world *world, struct node *node, enum cairn_status status);
/* A write on `record` (MODEL_NONE: none yet) was refused with `status`: is that right? */
void people_refused(struct world *world, struct node *node, uint32_t record,
                    enum cairn_status status, const char *what);
/* A write was acknowledged. */
void people_written(struct world *world, struct node *node);

/* A village in which this node may write. */
unsigned people_village(struct world *world, const struct node *node, struct dice *dice);

/* puts.c */
void puts_create(struct world *world, struct node *node, struct dice *dice);
void puts_set(struct world *world, struct node *node, struct dice *dice);
void puts_many(struct world *world, struct node *node, struct dice *dice);
void puts_checked(struct world *world, struct node *node, struct dice *dice);
void puts_import(struct world *world, struct node *node, struct dice *dice);
void puts_delete(struct world *world, struct node *node, struct dice *dice);
void puts_bad(struct world *world, struct node *node, struct dice *dice);

/* kinds.c: sets, counters, steps, records that are one, upserts */
void kinds_element(struct world *world, struct node *node, struct dice *dice);
void kinds_count(struct world *world, struct node *node, struct dice *dice);
void kinds_step(struct world *world, struct node *node, struct dice *dice);
void kinds_same(struct world *world, struct node *node, struct dice *dice);
void kinds_upsert(struct world *world, struct node *node, struct dice *dice);

/* asking.c */
void people_query(struct world *world, struct node *node, struct dice *dice);
void people_total(struct world *world, struct node *node, struct dice *dice);

/* settling.c */
void people_settle(struct world *world, struct node *node, struct dice *dice);

#endif
