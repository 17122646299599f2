/*
 * shrink.h: from a run that fails to one that fails with as little as can be: steps are left out
 * (delta debugging; Zeller and Hildebrandt, Simplifying and isolating failure-inducing input,
 * 2002). Every step has dice of its own, so leaving one out changes no other's.
 *
 * Effects: runs in processes of their own; stops after `tries_max` of them.
 */

#ifndef CAIRN_SIM_SHRINK_H
#define CAIRN_SIM_SHRINK_H

#include "run.h"

#define SHRINK_LINES_MAX 60

struct shrunk {
    uint8_t *skipped; /* a bit a step; freed with free() */
    uint64_t steps_max, left_count;
    unsigned try_count;
    struct run_result result;
};
/* `config` fails as `failure` says. */
void shrink(const struct run_config *config, const struct failure *failure, unsigned tries_max,
            struct shrunk *out_shrunk);
/* The trace of what is left, its last SHRINK_LINES_MAX lines. */
void shrunk_print(const struct run_config *config, const struct shrunk *shrunk);

#endif
