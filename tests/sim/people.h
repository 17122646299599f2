/*
 * people.h: what people do at a station or in the office, through the facade alone: the table of
 * operations. How to add one: README.md.
 */

#ifndef CAIRN_SIM_PEOPLE_H
#define CAIRN_SIM_PEOPLE_H

#include "world.h"

struct sim_operation {
    const char *name;
    unsigned weight; /* of the sum of all */
    void (*act)(struct world *world, struct node *node, struct dice *dice);
};
extern const struct sim_operation sim_operations[];
extern const unsigned sim_operation_count;

/* One action of one person, drawn by weight. */
void people_act(struct world *world, struct node *node, struct dice *dice);

#endif
