/*
 * one_log.h: one station's log, and a holder that has heard who may write it but nothing of it yet.
 *
 * Effects: fails the running cmocka test.
 */

#ifndef CAIRN_TESTS_ONE_LOG_H
#define CAIRN_TESTS_ONE_LOG_H

#include "holder.h"

extern struct land land;
extern struct pen a; /* record 1 and one edit of it: size 3 */
extern struct holder holder;

int one_log_setup(void **state);
int one_log_teardown(void **state);

/* The piece of the log that begins at `first`, of the `nth` written so. */
const struct piece *one_log_piece(uint32_t first, unsigned nth);
/* The holder takes the first `count` pieces in. */
void one_log_take(uint32_t count);
/* What the holder has of it: entries, those in force, and runs that wait (of any log). */
uint32_t one_log_size(void);
uint32_t one_log_in_force(void);
uint64_t one_log_parked(void);

#endif
