/*
 * A hostile client with a grant: the input is what it says inside an encrypted request, from the
 * byte on that says whether it is packed. The server takes it or refuses it and answers; nothing
 * that a peer says makes a commit fail; and an honest station is served afterwards as before.
 */

#include <stdlib.h>

#include "forge.h"
#include "fuzz_net.h"
#include "replica_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAYLOAD_MAX 60001u /* what one Noise message holds */

static void serve(struct net_node *server, struct net_bytes request)
{
    struct cairn_serve *serve = NULL;
    struct cairn_serve_commit commit;
    struct cairn_bytes reply;

    if (cairn_serve_open(server->replica, net_bytes(request), &serve, &net_err) != CAIRN_OK)
        return;
    net_must(cairn_serve_commit(server->replica, &serve, 1, &commit, &net_err));
    net_must(cairn_serve_reply(server->replica, serve, &reply, &net_err));
    cairn_serve_free(serve);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct fuzz_net *start = fuzz_net();
    struct net_node server, hostile, honest;

    if (size > PAYLOAD_MAX)
        return 0;
    fuzz_node_copy(&start->net.server, &server);
    fuzz_node_copy(&start->stations[0], &hostile);
    fuzz_node_copy(&start->stations[1], &honest);
    struct net_bytes request =
        forge_payload(&hostile, &hostile.replica->keys, &server, (struct cairn_bytes){data, size});
    serve(&server, request);
    free(request.data);
    net_set(&honest, start->record_id, "members", "5");
    net_sync(&honest, &server);
    CAIRN_ASSERT(net_status(&honest).unreceived_count == 0);
    net_node_close(&honest);
    net_node_close(&hostile);
    net_node_close(&server);
    return 0;
}
