/*
 * guard.h: what nanomsg lacks against strangers: a limit on connections, in all and per address,
 * and an end to those that vanished or say nothing.
 *
 * How: guard.c defines accept4() and close(). A definition in the executable wins over libc's for
 * every library in the process, so nanomsg's own calls pass here. A connection over a limit is
 * reset and reported as ECONNABORTED, which nanomsg answers by waiting for the next one. Running
 * out of descriptors instead would make its thread spin. The price is one piece of global state,
 * since nobody hands accept4() a context.
 *
 * Memory:  one table of 24 bytes a connection, from guard_start to guard_stop.
 * Threads: any, after guard_start.
 * Effects: raises RLIMIT_NOFILE; TCP options on accepted sockets.
 */

#ifndef CAIRN_SERVER_GUARD_H
#define CAIRN_SERVER_GUARD_H

#include <stdint.h>

#include "cairn/base.h"

struct guard_limits {
    unsigned connections_max;
    unsigned per_address_max; /* of one subscriber, see guard_subscriber; 0: no limit */
    /* Seconds without a byte after which guard_sweep closes a connection; 0: never. Clients open it
     * again by themselves. */
    unsigned idle_max_s;
};

struct guard_counts {
    unsigned connections;     /* open now */
    uint64_t refused_total;   /* turned away: too many in all */
    uint64_t refused_address; /* ... from one subscriber */
    uint64_t swept;           /* closed because silent */
};

/*
 * Begin to guard, before the first listening socket. Lowers connections_max to what RLIMIT_NOFILE
 * allows and returns it through out_connections_max. IO: the limit leaves no room to serve anyone;
 * err says what to raise. NO_MEMORY.
 */
CAIRN_NODISCARD
enum cairn_status guard_start(const struct guard_limits *limits, unsigned *out_connections_max,
                              struct cairn_err *err);
/* After the last socket is closed. */
void guard_stop(void);

/* Shut down connections that have been silent for too long. Call it every few seconds. */
void guard_sweep(void);

void guard_count(struct guard_counts *out_counts);

/* As whom the connections of an IPv4 or IPv6 address are counted. IPv4: the address, in either
 * spelling. IPv6: its /64, since a subscriber gets all of one and has a new address for each
 * connection (RFC 6177). */
struct sockaddr_storage;
void guard_subscriber(const struct sockaddr_storage *peer, uint8_t out_subscriber[static 16]);

#endif
