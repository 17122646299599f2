/*
 * fuzz_net.h: what the targets that work on whole replicas share: a small network made once (two
 * stations, their server, an office), of which each run takes copies.
 *
 * Memory: nodes are closed with net_node_close. Threads: one at a time.
 */

#ifndef CAIRN_FUZZ_NET_H
#define CAIRN_FUZZ_NET_H

#include "net.h"

struct fuzz_net {
    struct net net;
    struct net_node stations[2];
    struct net_bytes root_statement;
    char record_id[32]; /* a household that both stations and the server hold */
};

/* Made at the first call; nobody may change it. */
const struct fuzz_net *fuzz_net(void);
/* A copy of one of its nodes, open. */
void fuzz_node_copy(const struct net_node *from, struct net_node *to);

#endif
