#define _GNU_SOURCE

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sodium.h>

#include "run.h"

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 10) : first;
    struct tally sum = {.runs = 0};
    struct timespec t0, t1;
    if (sodium_init() < 0) return 1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    for (uint64_t seed = first; seed <= last; seed++) {
        struct run_config config = {.world = {seed, 20, 8}, .trace_out = getenv("TRACE") ? stdout : NULL};
        struct run_result r;
        if (getenv("NOFORK")) { memset(&r, 0, sizeof r); run_world(&config, &r); }
        else run_apart(&config, &r);
        tally_add(&sum, &r.tally);
        if (r.failure.invariant[0])
            printf("seed %" PRIu64 " step %" PRIu64 " %s: %s\n", seed, r.failure.step, r.failure.invariant, r.failure.text);
        fflush(stdout);
    }
    clock_gettime(CLOCK_MONOTONIC, &t1);
    double s = (double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec);
    if (getenv("TALLY")) tally_print(&sum);
    printf("%" PRIu64 " station-days, %" PRIu64 " edits in %.1f s: %.0f/s\n", sum.station_days, sum.edits, s, (double)sum.station_days / s);
    return 0;
}
