#define _GNU_SOURCE

#include "shrink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct shrinking {
    const struct run_config *config;
    const char *invariant;
    struct shrunk *best;
    unsigned tries_max;
    size_t bytes; /* of a bit set */
};

static bool bit_get(const uint8_t *bits, uint64_t i)
{
    return (bits[i / 8] >> i % 8 & 1) != 0;
}

static uint64_t left_count(const uint8_t *skipped, uint64_t steps)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < steps; i++)
        count += !bit_get(skipped, i);
    return count;
}

/* Does it still fail in the same way? Then that is the best so far. */
static bool try_without(struct shrinking *s, const uint8_t *skipped)
{
    struct run_config config = *s->config;
    struct run_result result;

    config.skipped = skipped;
    config.steps_max = s->best->steps_max;
    config.trace_out = NULL;
    s->best->try_count++;
    run_alone(&config, &result);
    if (strcmp(result.failure.invariant, s->invariant) != 0)
        return false;
    memcpy(s->best->skipped, skipped, s->bytes);
    s->best->result = result;
    if (result.failure.step + 1 < s->best->steps_max)
        s->best->steps_max = result.failure.step + 1;
    s->best->left_count = left_count(skipped, s->best->steps_max);
    return true;
}

/* Leave out the steps still in, from the `first`-th of them, `count` of them. */
static void leave_out(const struct shrunk *best, uint8_t *skipped, uint64_t first, uint64_t count)
{
    uint64_t seen = 0;

    for (uint64_t i = 0; i < best->steps_max; i++) {
        if (bit_get(best->skipped, i))
            continue;
        if (seen >= first && seen < first + count)
            skipped[i / 8] |= (uint8_t)(1u << i % 8);
        seen++;
    }
}

/* One pass with pieces of `size` steps; true when any could go. */
static bool pass(struct shrinking *s, uint64_t size, uint8_t *skipped)
{
    bool has_shrunk = false;

    for (uint64_t first = 0; first < s->best->left_count && s->best->try_count < s->tries_max;) {
        memcpy(skipped, s->best->skipped, s->bytes);
        leave_out(s->best, skipped, first, size);
        if (try_without(s, skipped))
            has_shrunk = true; /* what stood behind the piece stands here now */
        else
            first += size;
    }
    return has_shrunk;
}

void shrink(const struct run_config *config, const struct failure *failure, unsigned tries_max,
            struct shrunk *out_shrunk)
{
    uint64_t steps = run_step_count(&config->world);
    struct shrinking s = {.config = config,
                          .invariant = failure->invariant,
                          .best = out_shrunk,
                          .tries_max = tries_max,
                          .bytes = (size_t)steps / 8 + 1};
    uint8_t *skipped = calloc(2, s.bytes);

    CAIRN_ASSERT(skipped != NULL);
    *out_shrunk = (struct shrunk){.skipped = skipped, .steps_max = failure->step + 1};
    out_shrunk->result.failure = *failure;
    out_shrunk->left_count = out_shrunk->steps_max;
    uint64_t size = out_shrunk->left_count / 2 + 1;
    while (size > 0 && out_shrunk->try_count < tries_max) {
        bool has_shrunk = pass(&s, size, skipped + s.bytes);
        if (!has_shrunk || size > out_shrunk->left_count)
            size = size > 1 ? (size > 8 ? size / 4 : size / 2) : 0;
    }
}

void shrunk_print(const struct run_config *config, const struct shrunk *shrunk)
{
    struct run_config last = *config;
    struct run_result result;
    FILE *trace = tmpfile();
    size_t lines = 0;
    int c;

    CAIRN_ASSERT(trace != NULL && setvbuf(trace, NULL, _IOLBF, BUFSIZ) == 0);
    last.skipped = shrunk->skipped;
    last.steps_max = shrunk->steps_max;
    last.trace_out = trace;
    run_alone(&last, &result); /* which may die */
    rewind(trace);
    while ((c = getc(trace)) != EOF)
        lines += c == '\n';
    printf("%" PRIu64 " of %" PRIu64 " steps are left after %u tries%s:\n", shrunk->left_count,
           shrunk->steps_max, shrunk->try_count,
           lines > SHRINK_LINES_MAX ? "; the last 60 lines of their trace" : "; their trace");
    rewind(trace);
    while ((c = getc(trace)) != EOF) {
        if (lines <= SHRINK_LINES_MAX)
            putchar(c);
        lines -= c == '\n';
    }
    fclose(trace);
}
