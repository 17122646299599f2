/*
 * proxy.h: a relay in front of the server that counts what passes, on a thread of its own.
 *
 * What is counted begins after the 8-byte greeting of SP in each direction, and is the rest of the
 * connection whole: SP's framing and the Noise handshake included. A byte is counted before it is
 * passed on, so whoever has an answer in hand finds all of it counted.
 *
 * Memory:  one object; proxy_stop frees it.
 * Threads: proxy_count from any.
 * Effects: sockets on the loopback device; one connection at a time, the next waits for its end.
 */

#ifndef CAIRN_BENCH_PROXY_H
#define CAIRN_BENCH_PROXY_H

#include "cairn/base.h"

struct proxy;

/* Since proxy_start, over all connections. */
struct proxy_count {
    uint64_t up_bytes; /* towards the server */
    uint64_t down_bytes;
    uint64_t turns; /* how often the server spoke after the client had: round trips */
};

CAIRN_NODISCARD
enum cairn_status proxy_start(uint16_t server_port, struct proxy **out_proxy,
                              struct cairn_err *err);
/* tcp://127.0.0.1:PORT; borrowed as long as the proxy. */
const char *proxy_address(const struct proxy *proxy);
struct proxy_count proxy_count(const struct proxy *proxy);
void proxy_stop(struct proxy *proxy); /* NULL is allowed */

#endif
