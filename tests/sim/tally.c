#include "tally.h"

#include <inttypes.h>
#include <stdio.h>

#include "faults.h"
#include "invariants.h"
#include "people.h"

const char *tally_seen_text(enum tally_seen seen)
{
#define TALLY_SEEN_TEXT(name, text) text,
    static const char *const texts[] = {TALLY_SEEN_MAP(TALLY_SEEN_TEXT)};

    return texts[seen];
}

void tally_add(struct tally *sum, const struct tally *more)
{
    for (unsigned i = 0; i < TALLY_TABLE_MAX; i++) {
        sum->operations[i] += more->operations[i];
        sum->faults[i] += more->faults[i];
        sum->invariants[i] += more->invariants[i];
    }
    for (unsigned i = 0; i < SEEN_COUNT; i++)
        sum->seen[i] += more->seen[i];
    sum->runs += more->runs;
    sum->steps += more->steps;
    sum->actions += more->actions;
    sum->station_days += more->station_days;
    sum->edits += more->edits;
}

enum lines { LINES_ALL, LINES_AT_ZERO };

static unsigned line(enum lines lines, uint64_t count, const char *name)
{
    if (lines == LINES_ALL || count == 0)
        printf("  %12" PRIu64 "  %s%s\n", count, name, count == 0 ? "   <- never" : "");
    return count == 0;
}

static void heading(enum lines lines, const char *text)
{
    if (lines == LINES_ALL)
        puts(text);
}

static unsigned table_print(const struct tally *tally, enum lines lines)
{
    unsigned zeros = 0;

    heading(lines, "operations");
    for (unsigned i = 0; i < sim_operation_count; i++)
        zeros += line(lines, tally->operations[i], sim_operations[i].name);
    heading(lines, "faults and events");
    for (unsigned i = 0; i < sim_fault_count; i++)
        zeros += line(lines, tally->faults[i], sim_faults[i].name);
    heading(lines, "outcomes");
    for (unsigned i = 0; i < SEEN_COUNT; i++)
        zeros += line(lines, tally->seen[i], tally_seen_text((enum tally_seen)i));
    heading(lines, "invariants, times checked");
    for (unsigned i = 0; i < sim_invariant_count; i++)
        zeros += line(lines, tally->invariants[i], sim_invariants[i].name);
    return zeros;
}

unsigned tally_print(const struct tally *tally)
{
    return table_print(tally, LINES_ALL);
}

unsigned tally_print_zeros(const struct tally *tally)
{
    return table_print(tally, LINES_AT_ZERO);
}
