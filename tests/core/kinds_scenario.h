/*
 * kinds_scenario.h: random histories with every merge kind, written by two stations, a township and
 * a county that meet now and then; and a model that says what any set of their entries means.
 *
 * Memory:  land_free(&kinds.land) takes the history back; texts are the caller's to free.
 * Effects: fails the running cmocka test.
 */

#ifndef CAIRN_TESTS_KINDS_SCENARIO_H
#define CAIRN_TESTS_KINDS_SCENARIO_H

#include "holder.h"

#define KINDS_WRITERS 4 /* two stations, a township, a county */
#define KINDS_VERSIONS_MAX 400
#define KINDS_RECORDS_MAX 16
#define KINDS_NAMED_MAX 24
#define KINDS_NEVER UINT32_MAX

/* The entry `index` of a writer's log. */
struct kinds_at {
    unsigned writer;
    uint32_t index;
};

enum kinds_what { VALUE, ELEMENT, DIFFERENCE, STEP, TAKES_AWAY, DELETION };

/* One write of an entry. */
struct kinds_version {
    struct kinds_at at;
    unsigned record;
    uint64_t field, time_s;
    enum kinds_what what;
    int reason; /* why it is invalid; 0: it is valid */
    int64_t integer;
    bool is_record; /* the value is a record, written so: */
    struct cairn_local_dot dot;
    struct cairn_position position;
    size_t named_count;
    struct kinds_at named[KINDS_NAMED_MAX];
};

struct kinds_scenario {
    struct land land;
    struct cairn_keys township_keys;
    struct cairn_under township;
    uint64_t state; /* of the random numbers */
    struct pen pen[KINDS_WRITERS];
    uint64_t role[KINDS_WRITERS];
    uint32_t cut[KINDS_WRITERS];                   /* what counts of the log */
    uint32_t seen[KINDS_WRITERS][KINDS_WRITERS];   /* how much of a log a writer holds */
    unsigned number[KINDS_WRITERS][KINDS_WRITERS]; /* announced under this; 0: not yet */
    uint32_t announced[KINDS_WRITERS][KINDS_WRITERS];
    unsigned announced_count[KINDS_WRITERS];
    struct cairn_head heads[KINDS_WRITERS][KINDS_VERSIONS_MAX]; /* by size */
    struct pen fork[KINDS_WRITERS][KINDS_VERSIONS_MAX];         /* as it was at that size */
    struct kinds_version versions[KINDS_VERSIONS_MAX];
    size_t version_count;
    struct kinds_at records[KINDS_RECORDS_MAX];
    unsigned record_count;
};

extern struct kinds_scenario kinds;

/* The history of a seed. */
void kinds_make(uint64_t seed, unsigned acts);
/* A random number of it, less than `bound`. */
unsigned kinds_below(size_t bound);
/* The lines "conflict", "live", "value" and "verdict" as holder_describe writes them; and those of
 * a description. */
char *kinds_model(void);
char *kinds_of_the_model(const char *description);

#endif
