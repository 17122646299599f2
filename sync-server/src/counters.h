/*
 * counters.h: what the server did since it started, printed on SIGUSR1.
 *
 * Memory:  fixed; device tags are remembered up to COUNTERS_DEVICES_MAX, then no longer told apart.
 * Threads: any.
 */

#ifndef CAIRN_SERVER_COUNTERS_H
#define CAIRN_SERVER_COUNTERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { COUNTERS_DEVICES_MAX = 4096, COUNTERS_TAG_BYTES = 8, COUNTERS_TEXT_BYTES = 512 };

struct counters {
    atomic_uint_fast64_t requests;   /* messages that came in, whatever they were */
    atomic_uint_fast64_t refused;    /* ... of strangers, broken, or over a limit */
    atomic_uint_fast64_t unanswered; /* ... dropped: no room, no memory, no disk */
    atomic_uint_fast64_t commits;
    atomic_uint_fast64_t entries; /* accepted */
    pthread_mutex_t devices_mutex;
    size_t device_count;
    char devices[2 * COUNTERS_DEVICES_MAX][COUNTERS_TAG_BYTES]; /* open addressing; "": free */
};

void counters_init(struct counters *counters);
void counters_release(struct counters *counters);
/* A granted device has asked; "" (not known) does not count. */
void counters_note_device(struct counters *counters, const char *tag);
/* "requests 3  refused 1  commits 1 ..." with the guard's figures and the memory in use. */
void counters_print(struct counters *counters, char out_text[static COUNTERS_TEXT_BYTES]);

#endif
