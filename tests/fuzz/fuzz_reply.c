/*
 * A lying server: the input is what it says inside an encrypted reply to an honest request, from
 * the byte on that says whether it is packed. The station takes it or refuses it, and loses
 * nothing: its own edits are still there, and the true server still covers them.
 */

#include <stdlib.h>
#include <string.h>

#include "forge.h"
#include "fuzz_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAYLOAD_MAX 60001u /* what one Noise message holds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fuzz_net *start = fuzz_net();
    struct net_node server, station;
    bool again = false;
    size_t version_count;

    if (size > PAYLOAD_MAX)
        return 0;
    fuzz_node_copy(&start->net.server, &server);
    fuzz_node_copy(&start->stations[0], &station);
    net_must(cairn_sync_begin(station.replica, &net_err));
    struct net_bytes request = net_request(&station);
    struct net_bytes reply = forge_answer(&server, request, (struct cairn_bytes){data, size});
    enum cairn_status status =
        cairn_sync_reply(station.replica, net_bytes(reply), &again, &net_err);
    CAIRN_ASSERT(status == CAIRN_OK || cairn_status_actor(status) == CAIRN_ACTOR_PEER ||
                 net_err.text[0] != '\0');
    /* Nothing that it said can sign in the server's name: the unsent edit is there, and waits. */
    CAIRN_ASSERT(net_status(&station).unreceived_count == 1);
    CAIRN_ASSERT(strcmp(net_value(&station, start->record_id, "head", NULL), "扎西") == 0);
    free(request.data);
    free(reply.data);
    net_sync(&station, &server);
    CAIRN_ASSERT(net_status(&station).unreceived_count == 0);
    net_value(&server, start->record_id, "income", &version_count);
    CAIRN_ASSERT(version_count == 2); /* beside the other station's */
    net_node_close(&station);
    net_node_close(&server);
    return 0;
}
