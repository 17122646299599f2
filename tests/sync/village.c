#include "village.h"

#include <stdlib.h>

struct net net;
struct net_node a7, a8;
struct net_bytes root_statement;

void village_open(uint64_t seed)
{
    net_open(&net, seed);
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &a8, &net.office, "station", NET_VILLAGE, "A8");
    net_sync(&net.office, &net.server);
    root_statement = net_root_statement(&net);
}

void village_close(void)
{
    free(root_statement.data);
    net_node_close(&a7);
    net_node_close(&a8);
    net_close(&net);
}
