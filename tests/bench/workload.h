/*
 * workload.h: the operations of workload W, from its files (W1, W2, W4, W5) or made here (W6).
 *
 * W6 comes from the same generator as the files, mulberry32, and the same seed gives the same
 * numbers everywhere: whoever makes the lines with another program measures the same edits.
 *
 * Memory:  a loaded workload is released by its owner; generators live in the caller's structs.
 * Threads: one at a time per object.
 */

#ifndef CAIRN_BENCH_WORKLOAD_H
#define CAIRN_BENCH_WORKLOAD_H

#include "cairn/base.h"

enum {
    WORKLOAD_FIELDS_MAX = 14,
    WORKLOAD_VALUE_BYTES = 160,
    WORKLOAD_HOUSEHOLD_BYTES = 20,
    WORKLOAD_SCOPE_BYTES = 20,
    VILLAGE_HOUSEHOLDS = 200,
    WORKLOAD_SEED = 1, /* of the files beside this one */
};
/* When the edits of W2 begin; what is there before them was written earlier. */
#define WORKLOAD_START_S ((uint64_t)1591920000)

/* One line: a new household with all its fields, or an edit of one field. */
struct operation {
    unsigned station;
    bool is_new;
    bool is_same; /* W5: both stations set this field */
    char household[WORKLOAD_HOUSEHOLD_BYTES];
    uint64_t time_s; /* 0 for a new household: the files give it none */
    size_t field_count;
    struct operation_field {
        const char *name; /* as in the schema */
        char value[WORKLOAD_VALUE_BYTES];
    } fields[WORKLOAD_FIELDS_MAX];
};

struct workload {
    struct operation *operations;
    size_t count;
};
/* Read FOLDER/name. BAD_INPUT: err says which line; IO, NO_MEMORY. */
CAIRN_NODISCARD
enum cairn_status workload_load(const char *folder, const char *name, struct workload *out_workload,
                                struct cairn_err *err);
void workload_release(struct workload *workload);

/* The code of village `number`, 12 digits. */
void workload_scope(unsigned number, char out_scope[static WORKLOAD_SCOPE_BYTES]);

/* The first `count` households of a village; as many as wanted, W has VILLAGE_HOUSEHOLDS. */
void workload_village(unsigned number, struct operation *out_operations, size_t count);

/* A village's edits of W6, one after the other without end: in a round of VILLAGE_HOUSEHOLDS each
 * household is set once. */
struct workload_edits {
    unsigned village;
    uint32_t random;
    uint64_t count; /* made so far */
    unsigned order[VILLAGE_HOUSEHOLDS];
};
void workload_edits_init(struct workload_edits *edits, unsigned village);
void workload_edits_next(struct workload_edits *edits, struct operation *out_operation);

#endif
