/*
 * dice.h: the only source of chance in the simulator. Every step of a run throws dice of its own,
 * made from the run's seed and the step's number, so that leaving one step out changes no throw of
 * another.
 *
 * Memory:  the caller's. Threads: one at a time per object.
 */

#ifndef CAIRN_SIM_DICE_H
#define CAIRN_SIM_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

void dice_init(struct dice *dice, uint64_t seed, uint64_t stream);
uint64_t dice_next(struct dice *dice);
/* 0 <= n < bound; bound is at least 1. */
uint32_t dice_below(struct dice *dice, uint32_t bound);
/* True once in `count` throws. */
bool dice_one_in(struct dice *dice, uint32_t count);
void dice_fill(struct dice *dice, void *out, size_t size);

#endif
