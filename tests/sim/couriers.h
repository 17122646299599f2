/*
 * couriers.h: riders with bundles in their bags: any order, days late, twice, a stick that cannot
 * be read. A bundle that is in a bag keeps what it holds from being lost.
 */

#ifndef CAIRN_SIM_COURIERS_H
#define CAIRN_SIM_COURIERS_H

#include "world.h"

/* Write a bundle into a bag, in the place of another when all are full. False: not written. */
bool couriers_write(struct world *world, struct node *node, bool is_full, struct dice *dice);
/* Read one from a bag; `damages`: the reader of the stick fails. */
void couriers_read(struct world *world, struct node *node, struct dice *dice, bool damages);
/* Read that one; what core answered. */
enum cairn_status couriers_read_one(struct world *world, struct node *node,
                                    const struct bundle *bundle);
/* A stick is lost on the way. */
void couriers_lose(struct world *world, struct dice *dice);
/* A bundle of `node` in memory, freed with free(); data NULL: it could not be written. */
struct bundle couriers_bundle(struct world *world, struct node *node, bool is_full);

#endif
