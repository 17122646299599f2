/*
 * The exchange as a state machine: the input says who edits, asks, delivers, loses, repeats and
 * damages what. Two stations and their server in memory. Nothing may stop them; and when the link
 * is honest again for two rounds, all hold the same state.
 *
 * Each step is two bytes: what, and an argument whose lowest bit is the station.
 */

#include "fuzz_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 200

struct station {
    struct net_node node;
    struct net_bytes request, reply;
    bool awaits_reply;
};

struct session {
    struct net net;
    struct station stations[2];
};

/* What every run begins with: made once. */
static struct session start;
static char record_id[32];

static void start_make(void)
{
    net_open(&start.net, 1);
    net_join(&start.net, &start.stations[0].node, &start.net.office, "station", NET_VILLAGE, "A7");
    net_join(&start.net, &start.stations[1].node, &start.net.office, "station", NET_VILLAGE, "A8");
    net_put(&start.stations[0].node, NET_VILLAGE, "扎西", record_id);
    net_sync(&start.stations[0].node, &start.net.server);
    net_sync(&start.stations[1].node, &start.net.server);
}

static void bytes_drop(struct net_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct net_bytes){NULL, 0};
}

/* ---- steps ---- */

static void edit(struct station *station, uint8_t argument)
{
    char income[16];

    snprintf(income, sizeof income, "%u", 4000u + argument);
    if (argument % 4 < 2)
        net_put(&station->node, NET_VILLAGE, "次仁", NULL);
    else
        net_set(&station->node, record_id, "income", income);
}

static void settle(struct station *station)
{
    const char *value;
    enum cairn_status status = cairn_settle(station->node.replica, record_id, "income", 1, NULL,
                                            "receipt seen", &value, &net_err);

    if (status != CAIRN_OK)
        net_expect(status, CAIRN_BAD_INPUT); /* no conflict there */
}

static void ask(struct station *station, uint8_t argument)
{
    bytes_drop(&station->request);
    if (!station->awaits_reply || argument % 4 < 2)
        net_must(cairn_sync_begin(station->node.replica, &net_err));
    station->request = net_request(&station->node);
    station->awaits_reply = true;
}

/* A damaged request is not opened; one delivered again is answered again. */
static void deliver(struct session *session, struct station *station)
{
    struct cairn_replica *server = session->net.server.replica;
    struct cairn_serve *serve = NULL;
    struct cairn_serve_commit commit;
    struct cairn_bytes reply;

    if (station->request.data == NULL ||
        cairn_serve_open(server, net_bytes(station->request), &serve, &net_err) != CAIRN_OK)
        return;
    net_must(cairn_serve_commit(server, &serve, 1, &commit, &net_err));
    if (commit.refused_count > 0)
        abort(); /* nobody here says anything that does not hold */
    net_must(cairn_serve_reply(server, serve, &reply, &net_err));
    bytes_drop(&station->reply);
    station->reply = net_copy(reply);
    cairn_serve_free(serve);
}

static void take(struct station *station)
{
    bool again = false;

    if (station->reply.data == NULL || !station->awaits_reply)
        return;
    enum cairn_status status =
        cairn_sync_reply(station->node.replica, net_bytes(station->reply), &again, &net_err);
    if (status == CAIRN_OK)
        station->awaits_reply = false;
    else if (status != CAIRN_BAD_SIGNATURE && status != CAIRN_MALFORMED)
        net_must(status); /* damaged, or the answer to another request: nothing else may happen */
}

static void damage(struct net_bytes *message, uint8_t argument)
{
    if (message->data == NULL || message->size == 0)
        return;
    if (argument % 8 == 7)
        message->size = message->size * argument / 256;
    else
        message->data[message->size * argument / 256] ^= (uint8_t)(1u << argument % 8);
}

static void step(struct session *session, uint8_t what, uint8_t argument)
{
    struct station *station = &session->stations[argument & 1];

    switch (what % 10) {
    case 0:
        edit(station, argument >> 1);
        break;
    case 1:
        settle(station);
        break;
    case 2:
        ask(station, argument >> 1);
        break;
    case 3:
        deliver(session, station);
        break;
    case 4:
        take(station);
        break;
    case 5:
        bytes_drop(&station->request);
        break;
    case 6:
        bytes_drop(&station->reply);
        break;
    case 7:
        damage(&station->request, argument);
        break;
    case 8:
        damage(&station->reply, argument);
        break;
    default: /* all that goes well */
        ask(station, 0);
        deliver(session, station);
        take(station);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session *session = calloc(1, sizeof *session);

    if (session == NULL)
        return 0;
    if (start.net.server.replica == NULL)
        start_make();
    fuzz_node_copy(&start.net.server, &session->net.server);
    for (int i = 0; i < 2; i++)
        fuzz_node_copy(&start.stations[i].node, &session->stations[i].node);
    for (size_t i = 0; i + 1 < size && i < 2 * STEPS_MAX; i += 2)
        step(session, data[i], data[i + 1]);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 2; i++)
            net_sync(&session->stations[i].node, &session->net.server);
    for (int i = 0; i < 2; i++) {
        struct station *station = &session->stations[i];
        if (net_status(&station->node).unreceived_count > 0)
            abort();
        net_agree(&station->node, &session->net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
        bytes_drop(&station->request);
        bytes_drop(&station->reply);
        net_node_close(&station->node);
    }
    net_node_close(&session->net.server);
    free(session);
    return 0;
}
