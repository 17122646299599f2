/*
 * serve.h: the server's side of an exchange in this process, in group commits, with its processor
 * time measured: what cairn-server does between taking a message from its socket and giving the
 * reply back to it.
 *
 * Memory:  requests and replies are borrowed, as serve_group says.
 * Threads: one.
 */

#ifndef CAIRN_BENCH_SERVE_H
#define CAIRN_BENCH_SERVE_H

#include "device.h"

enum { SERVE_GROUP_MAX = 20 };

struct serve_meter {
    double cpu_s; /* user and system, in the server's calls alone */
    uint64_t entry_count;
    uint64_t request_count;
    uint64_t commit_count;
};

struct serve_item {
    struct cairn_bytes request;
    struct cairn_serve *serve;
    struct cairn_bytes reply; /* borrowed until serve_release */
};
/* Serve `count` (at most SERVE_GROUP_MAX) requests in one commit. Release them whatever
 * the answer. */
CAIRN_NODISCARD
enum cairn_status serve_group(struct cairn_replica *server, struct serve_item *items, size_t count,
                              struct serve_meter *meter, struct cairn_err *err);
void serve_release(struct serve_item *items, size_t count, struct serve_meter *meter);

/* Every station syncs until nothing more waits. */
CAIRN_NODISCARD
enum cairn_status serve_stations(struct cairn_replica *server, struct device *stations,
                                 size_t count, struct serve_meter *meter, struct cairn_err *err);

#endif
