#include "fuzz_net.h"

#include <string.h>

const struct fuzz_net *fuzz_net(void)
{
    static struct fuzz_net made;

    if (made.net.server.replica != NULL)
        return &made;
    net_open(&made.net, 1);
    net_join(&made.net, &made.stations[0], &made.net.office, "station", NET_VILLAGE, "A7");
    net_join(&made.net, &made.stations[1], &made.net.office, "station", NET_VILLAGE, "A8");
    net_put(&made.stations[0], NET_VILLAGE, "扎西", made.record_id);
    net_sync(&made.net.office, &made.net.server);
    net_sync(&made.stations[0], &made.net.server);
    net_sync(&made.stations[1], &made.net.server);
    net_set(&made.stations[0], made.record_id, "income", "4200");
    net_set(&made.stations[1], made.record_id, "income", "4300");
    net_sync(&made.stations[1], &made.net.server);
    made.root_statement = net_root_statement(&made.net);
    return &made;
}

void fuzz_node_copy(const struct net_node *from, struct net_node *to)
{
    memset(to, 0, sizeof *to);
    to->ports = from->ports;
    memcpy(to->name, from->name, sizeof to->name);
    to->store = store_copy(from->store);
    net_node_reopen(to);
}
