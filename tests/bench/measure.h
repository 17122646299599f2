/*
 * measure.h: clocks and memory of this process, and the median of what they gave.
 *
 * Memory:  nothing is kept. Threads: any. Effects: reads clocks and /proc/self/status.
 */

#ifndef CAIRN_BENCH_MEASURE_H
#define CAIRN_BENCH_MEASURE_H

#include "cairn/base.h"

/* User and system seconds of this process, all its threads. */
double measure_cpu_s(void);
/* Seconds of a clock that nobody sets. */
double measure_wall_s(void);
/* The middle of `count` values (at least 1), which are put in order. */
double measure_median(double *values, size_t count);
/* Anonymous memory in use (RssAnon), in KiB. IO when the kernel does not tell. */
CAIRN_NODISCARD enum cairn_status measure_anon_kib(uint64_t *out_kib, struct cairn_err *err);

#endif
