#include "measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double clock_s(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double measure_cpu_s(void)
{
    return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

double measure_wall_s(void)
{
    return clock_s(CLOCK_MONOTONIC);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

double measure_median(double *values, size_t count)
{
    CAIRN_ASSERT(count > 0);
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

enum cairn_status measure_anon_kib(uint64_t *out_kib, struct cairn_err *err)
{
    static const char name[] = "RssAnon:";
    char line[256];
    bool is_found = false;
    FILE *file = fopen("/proc/self/status", "re");

    while (file != NULL && !is_found && fgets(line, sizeof line, file) != NULL)
        is_found = strncmp(line, name, sizeof name - 1) == 0;
    if (file != NULL)
        fclose(file);
    if (!is_found)
        return cairn_fail(err, CAIRN_IO, "/proc/self/status does not tell RssAnon");
    *out_kib = strtoull(line + sizeof name - 1, NULL, 10);
    return CAIRN_OK;
}
