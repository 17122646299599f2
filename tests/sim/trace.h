/*
 * trace.h: what happened, a line a step. Every line goes into a hash, printed or not: two runs of
 * one seed are the same run when their hashes are equal.
 *
 * Memory:  the caller's. Effects: prints to `out` when there is one.
 */

#ifndef CAIRN_SIM_TRACE_H
#define CAIRN_SIM_TRACE_H

#include <stdio.h>

#include "cairn/base.h"
#include "cairn/bytes.h"

struct trace {
    uint64_t hash;
    FILE *out; /* NULL: only hashed */
};

void trace_init(struct trace *trace, FILE *out);
/* One line, without its end. */
void trace_line(struct trace *trace, const char *format, ...) CAIRN_PRINTF(2, 3);
/* Bytes that went over a link or to a disk: hashed, never printed. */
void trace_bytes(struct trace *trace, struct cairn_bytes bytes);

#endif
