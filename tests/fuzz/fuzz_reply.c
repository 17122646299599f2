/*
 * A lying server: the input is what it says inside an encrypted reply to an honest request, from
 * the byte on that says whether it is packed. The station takes it or refuses it, and loses
 * nothing: its own edits are still there, and the true server still covers them.
 */

#include <stdlib.h>
#include <string.h>

#include "fuzz_net.h"
#include "serve_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAYLOAD_MAX 60001u /* what one Noise message holds */

static struct net_bytes lie(struct net_node *server, struct net_bytes request,
                            struct cairn_bytes payload)
{
    struct cairn_serve *serve = NULL;
    uint8_t *message = malloc(payload.size + 256);
    struct cairn_writer writer;

    CAIRN_ASSERT(message != NULL);
    net_must(cairn_serve_open(server->replica, net_bytes(request), &serve, &net_err));
    cairn_writer_init(&writer, message, payload.size + 256);
    net_must(cairn_noise_write(&serve->noise, payload, &writer));
    cairn_serve_free(serve);
    return (struct net_bytes){message, writer.size};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fuzz_net *start = fuzz_net();
    struct net_node server, station;
    bool again = false;

    if (size > PAYLOAD_MAX)
        return 0;
    fuzz_node_copy(&start->net.server, &server);
    fuzz_node_copy(&start->stations[0], &station);
    net_must(cairn_sync_begin(station.replica, &net_err));
    struct net_bytes request = net_request(&station);
    struct net_bytes reply = lie(&server, request, (struct cairn_bytes){data, size});
    enum cairn_status status =
        cairn_sync_reply(station.replica, net_bytes(reply), &again, &net_err);
    CAIRN_ASSERT(status == CAIRN_OK || cairn_status_actor(status) == CAIRN_ACTOR_PEER ||
                 net_err.text[0] != '\0');
    CAIRN_ASSERT(net_status(&station).record_count >= 1);
    CAIRN_ASSERT(strcmp(net_value(&station, start->record_id, "head", NULL), "扎西") == 0);
    free(request.data);
    free(reply.data);
    /* The input cannot sign in the server's name, so nothing that it said holds. */
    net_sync(&station, &server);
    CAIRN_ASSERT(net_status(&station).unreceived_count == 0);
    net_node_close(&station);
    net_node_close(&server);
    return 0;
}
