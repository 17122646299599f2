/*
 * shuffled.h: pieces of logs in an order drawn from a seed, as many routes and repetitions would
 * bring them.
 *
 * Memory: the result is freed with pieces_free().
 */

#ifndef CAIRN_TESTS_SHUFFLED_H
#define CAIRN_TESTS_SHUFFLED_H

#include "pen.h"

/* splitmix64 (Steele, Lea, Flood 2014): a number below `bound`. */
unsigned random_below(uint64_t *state, size_t bound);
void pieces_shuffle(struct pieces *pieces, uint64_t *state);

/*
 * The authority logs among `all` as they were written; each of `logs` in runs of random length and
 * some of it once more, cut otherwise; everything in a random order.
 */
struct pieces pieces_shuffled(const struct pieces *all, const struct cairn_hash *const *logs,
                              size_t log_count, uint64_t *state);

#endif
