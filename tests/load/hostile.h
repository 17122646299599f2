/*
 * hostile.h: somebody who does to a listening socket, again and again until stopped, what strangers
 * do: wrong greetings, half frames, lengths that lie, broken routing, random bodies, floods that
 * are never read, storms of resets.
 *
 * Memory: one object each, freed by hostile_stop. Threads: each has its own.
 */

#ifndef CAIRN_TESTS_HOSTILE_H
#define CAIRN_TESTS_HOSTILE_H

#include <stdint.h>

struct hostile;

/* `seed` decides what it does and in which order. Ends the process when there is no thread. */
struct hostile *hostile_start(uint16_t port, unsigned seed);
/* How many connections it made. */
uint64_t hostile_stop(struct hostile *hostile);

#endif
