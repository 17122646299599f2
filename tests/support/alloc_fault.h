/*
 * alloc_fault.h: memory that runs out, once. Counts the allocations of our own code and makes the
 * chosen one answer NULL; the one after it succeeds again, for the reason given in store_fault.h.
 *
 * It stands in the place of malloc, calloc, realloc, realpath and the two constructors of zstd
 * contexts, by the linker's --wrap: what is linked statically (proto, core, the test) is seen, the
 * inside of shared libraries is not. Sanitizers see every block as before. A target asks for it
 * with the library cairn_alloc_fault.
 *
 * Threads: any; arm it while nobody allocates.
 */

#ifndef CAIRN_ALLOC_FAULT_H
#define CAIRN_ALLOC_FAULT_H

#include <stdbool.h>

/* Let `calls_before` allocations pass, fail the next, then pass all again. Negative: disarm. */
void alloc_fault_arm(long calls_before);

/* Whether an armed fault is still to come. */
bool alloc_fault_is_armed(void);

/* Blocks got and not given back, of those that were counted here. */
long alloc_fault_blocks(void);

#endif
