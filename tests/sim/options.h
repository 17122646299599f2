/* options.h: what the command line of cairn-sim asks for. */

#ifndef CAIRN_SIM_OPTIONS_H
#define CAIRN_SIM_OPTIONS_H

#include "run.h"

struct options {
    struct run_config run; /* of the first seed */
    uint64_t seed_first, seed_last;
    uint64_t station_days_goal; /* 0: the seeds decide */
    unsigned jobs;
    uint64_t seconds; /* begin no run after that; 0: no limit */
    bool shrinks, is_strict, prints_tally;
};

/* -1: go on; else the program's exit code. */
int options_read(int argc, char **argv, struct options *out_options);

#endif
