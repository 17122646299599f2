/*
 * workers.h: requests on their way through the server.
 *
 *   submit -> [arrived] -> a worker decrypts and decodes -> read-only: answered at once
 *                                      |
 *                                      v
 *                                  [waiting] -> the writer commits up to 64 at a time
 *                                                                |
 *                 answered by a worker <- [committed] <----------'
 *
 * Every queue has a limit. A full [arrived] makes submit say no, so that senders wait; a full
 * [waiting] drops the request, so that a slow disk does not keep readers waiting: devices ask
 * again. One device has only a share of [waiting], so that it cannot keep out the others.
 *
 * Durable, then said: nothing that was brought is answered before the commit that holds it is on
 * disk.
 *
 * Memory:  at most (ARRIVED + WAITING + COMMITTED + 64) messages of 64 KiB and their decoded forms.
 * Threads: worker_count + 1 of its own; submit from one thread.
 */

#ifndef CAIRN_SERVER_WORKERS_H
#define CAIRN_SERVER_WORKERS_H

#include "cairn/replica.h"
#include "counters.h"
#include "listener.h"
#include "log.h"

enum {
    WORKERS_MAX = 64,
    WORKERS_ARRIVED_MAX = 256,
    WORKERS_WAITING_MAX = 256,
    WORKERS_COMMITTED_MAX = 128,
    WORKERS_SHARE_MAX = 4,  /* of [waiting] a device: an honest one sends a request three times */
    WORKERS_GROUP_MAX = 64, /* requests in one commit: an fsync is shared, latency stays small */
};

/* Where requests go when they are done. Called from any of the threads. */
struct workers_outlet {
    /* These two release the message. */
    bool (*reply)(void *context, const struct listener_message *message, struct cairn_bytes reply);
    void (*drop)(void *context, const struct listener_message *message);
    /* There is room again after submit said no. */
    void (*resume)(void *context);
    /* The store cannot be used any more (IO, CORRUPT); it has been logged, nothing is answered from
     * here on. */
    void (*fail)(void *context, enum cairn_status status);
    void *context;
};

struct workers_config {
    struct cairn_replica *replica;
    struct counters *counters;
    struct log *log;
    unsigned worker_count; /* 1 to WORKERS_MAX */
    unsigned retry_ms;     /* pause before a full disk is tried again */
    struct workers_outlet outlet;
};

struct workers;

/* Start the threads. What config points to is borrowed until workers_stop returns. NO_MEMORY. */
CAIRN_NODISCARD
enum cairn_status workers_start(const struct workers_config *config, struct workers **out_workers,
                                struct cairn_err *err);
/* True: the message is theirs. False: no room, offer it again after `resume`. */
bool workers_submit(struct workers *workers, const struct listener_message *message);
/* Drop what no worker has begun, finish and answer the rest, end the threads. NULL is allowed. */
void workers_stop(struct workers *workers);

#endif
