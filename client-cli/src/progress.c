#include "progress.h"

#include <stdio.h>

/* "2:05" of 125 seconds. */
static struct text_time span(double seconds)
{
    struct text_time text = {""};
    unsigned long whole = seconds < 0 || seconds > 1e9 ? 0 : (unsigned long)(seconds + 0.5);

    snprintf(text.text, sizeof text.text, "%lu:%02lu", whole / 60, whole % 60);
    return text;
}

void progress_begin(struct progress *progress, uint64_t at_bytes)
{
    progress->begun_at = at_bytes;
    clock_gettime(CLOCK_MONOTONIC, &progress->begun);
}

struct progress_texts progress_measure(const struct progress *progress, uint64_t rows,
                                       uint64_t at_bytes, uint64_t size_bytes)
{
    struct timespec now = progress->begun;

    clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds = (double)(now.tv_sec - progress->begun.tv_sec) +
                     (double)(now.tv_nsec - progress->begun.tv_nsec) / 1e9;
    double done = (double)(at_bytes - progress->begun_at);
    double left = done > 0 ? seconds * (double)(size_bytes - at_bytes) / done : 0;
    uint64_t rate = seconds > 0 ? (uint64_t)((double)rows / seconds) : 0;
    return (struct progress_texts){i18n_number(rows), i18n_number(rate), span(left)};
}
