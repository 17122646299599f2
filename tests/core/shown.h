/*
 * shown.h: what a holder shows of one field of a record, for tests that compare it with what other
 * programs say; and logs in the order of their ids, which decides between equal times.
 *
 * Memory:  the land's; land_free(&shown_land) takes it back.
 * Effects: fails the running cmocka test.
 */

#ifndef CAIRN_TESTS_SHOWN_H
#define CAIRN_TESTS_SHOWN_H

#include "holder.h"

#define SHOWN_MAX 600

/* The network, and the log whose entries 1, 2, ... created its records. */
extern struct land shown_land;
extern struct pen shown_creator;

void shown_begin(unsigned record_count);
/* `count` logs by ascending id: equal times are decided by it. */
void shown_pens_begin(struct pen *pens, size_t count);

struct shown {
    size_t count; /* live versions, the shown one first */
    int64_t values[SHOWN_MAX];
    struct cairn_hash logs[SHOWN_MAX];
    uint32_t indices[SHOWN_MAX];
    bool has_conflict, is_deleted;
};
struct shown shown_get(struct holder *holder, uint32_t record, uint64_t field);

struct shown_tally {
    unsigned same, on_purpose, not_applicable;
};
/* Says and checks how many rows of a table ended how. */
void shown_expect_tally(const char *table, const struct shown_tally *got,
                        const struct shown_tally *want);

#endif
