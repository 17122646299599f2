/*
 * faults.h: what befalls devices and links, and what hostile hands do: the table of faults. How to
 * add one: README.md.
 */

#ifndef CAIRN_SIM_FAULTS_H
#define CAIRN_SIM_FAULTS_H

#include "world.h"

struct sim_fault {
    const char *name;
    unsigned weight;
    /* Does it happen in a run with these traits? NULL: in every run. */
    bool (*is_drawn)(const struct traits *traits);
    /* True when it found something to befall. */
    bool (*strike)(struct world *world, struct dice *dice);
};
extern const struct sim_fault sim_faults[];
extern const unsigned sim_fault_count;

/* One fault of those that this run has, drawn by weight. */
void faults_strike(struct world *world, struct dice *dice);

#endif
