/*
 * run.h: one run: a world made from a seed, and its steps one after the other. A step is one slot
 * of one station's day, or one of what befalls them meanwhile. Each may be left out without
 * changing the dice of another.
 */

#ifndef CAIRN_SIM_RUN_H
#define CAIRN_SIM_RUN_H

#include "world.h"

#define RUN_STEPS_MAX (1u << 18)

struct run_config {
    struct world_config world;
    uint64_t steps_max;     /* 0: all of them */
    const uint8_t *skipped; /* a bit a step, or NULL: those are left out */
    FILE *trace_out;
};
/* What came of it; flat, so that it may pass between processes. */
struct run_result {
    struct failure failure;
    uint64_t hash;
    uint64_t step; /* the last one begun */
    struct tally tally;
};

uint64_t run_step_count(const struct world_config *config);
/* `progress` is written as the run goes, so that whoever watches knows where it died. */
void run_world(const struct run_config *config, struct run_result *progress);

/* The same in a process of its own: a run that dies is a failure like any other. */
struct run_apart {
    int process;
    struct run_result *shared;
};
void run_start(const struct run_config *config, struct run_apart *out_apart);
/* `how` is what waitpid() said. */
void run_finish(struct run_apart *apart, int how, struct run_result *out_result);
/* Start, wait and finish. */
void run_alone(const struct run_config *config, struct run_result *out_result);

#endif
