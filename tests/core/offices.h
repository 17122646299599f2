/*
 * offices.h: the land of pen.h where two stations have written records, for tests of what offices
 * grant and cut.
 *
 * Effects: fails the running cmocka test.
 */

#ifndef CAIRN_TESTS_OFFICES_H
#define CAIRN_TESTS_OFFICES_H

#include "holder.h"

extern struct land land;
extern struct pen a, b; /* records of stations 0 and 1; a has records 1 and 2, and 3 edits on 1 */

int offices_setup(void **state);
int offices_teardown(void **state);

/* The last entry of `pen` has this verdict when all has arrived, and every order of arrival gives
 * one state. */
void expect_last(const struct pen *pen, enum cairn_validity validity, enum cairn_reason reason);
/* So much of the log is in force when all has arrived; the orders likewise. */
void expect_in_force(const struct pen *pen, uint32_t size);

#endif
