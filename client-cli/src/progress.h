/*
 * progress.h: one line on a terminal while a long task runs: how much is done, how fast, how long
 * it will still take.
 *
 * Effects: reads a clock. Printing is output.h's.
 */

#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <time.h>

#include "text.h"

struct progress {
    struct timespec begun;
    uint64_t begun_at; /* bytes that were done before */
};

void progress_begin(struct progress *progress, uint64_t at_bytes);
/* For people: rows, rows a second, and the time left ("2:05"). */
struct progress_texts {
    struct i18n_number rows, rate;
    struct text_time left;
};
struct progress_texts progress_measure(const struct progress *progress, uint64_t rows,
                                       uint64_t at_bytes, uint64_t size_bytes);

#endif
