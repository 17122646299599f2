#include "malice.h"

#include <stdlib.h>
#include <string.h>

#include "couriers.h"
#include "forge.h"
#include "heal.h"
#include "inspect.h"
#include "links.h"
#include "people_internal.h"
#include "twins.h"

/* The device in hostile hands: it has a grant for the first village. */
static struct node *hostile_node(struct world *world)
{
    for (unsigned i = 0; i < world->node_count; i++)
        if (world->nodes[i].is_hostile && world->nodes[i].kind == NODE_STATION)
            return &world->nodes[i];
    if (world->nodes[world->office].replica == NULL || world->node_count == WORLD_NODES_MAX)
        return NULL;
    struct node *node = world_join(world, NODE_STATION, 0, &world->nodes[world->office]);
    if (node != NULL)
        node->is_hostile = true;
    return node;
}

/* ---- what must be refused ------------------------------------------------------------------ */

bool malice_grants(struct world *world, struct dice *dice)
{
    struct node *node = world_pick_ready(world, dice);
    struct node *granter = dice_one_in(dice, 2) ? &world->nodes[world->office] : node;
    uint8_t bytes[1100];
    struct cairn_writer request;
    struct cairn_bytes invitation;
    struct cairn_device device;

    if (node == NULL || granter->replica == NULL)
        return false;
    cairn_writer_init(&request, bytes, sizeof bytes);
    if (!WORLD_MUST(world, cairn_request_export(node->replica, &request, &world->err)))
        return false;
    const struct cairn_grant_input input = {.request = cairn_writer_bytes(&request),
                                            .role = "county",
                                            .scope = granter == node ? world_village(node->village)
                                                                     : "51",
                                            .tag = "X"};
    enum cairn_status status =
        cairn_grant_device(granter->replica, &input, &invitation, &device, &world->err);
    if (status == CAIRN_NO_RIGHT)
        world_saw(world, SEEN_GRANT_REFUSED);
    else
        world_fail(world, "grant", "%s grants what it may not: %s", granter->tag,
                   cairn_status_name(status));
    return true;
}

bool malice_random_request(struct world *world, struct dice *dice)
{
    struct node *node = world_pick_ready(world, dice);
    struct cairn_bytes request;
    uint8_t noise[600];

    if (node == NULL)
        return false;
    dice_fill(dice, noise, sizeof noise);
    struct link_bytes reply =
        links_answer(world, (struct cairn_bytes){noise, dice_below(dice, sizeof noise)}, false);
    if (reply.data != NULL)
        world_fail(world, "random-request", "the server answers noise");
    free(reply.data);
    if (!WORLD_MUST(world, cairn_sync_begin(node->replica, &world->err)) ||
        !WORLD_MUST(world, cairn_sync_request(node->replica, &request, &world->err)))
        return false;
    node->awaits_reply = false;
    struct link_bytes copy = link_copy(request);
    links_damage(world, &copy, dice);
    bool is_same = copy.size == request.size && memcmp(copy.data, request.data, copy.size) == 0;
    reply = links_answer(world, link_bytes(copy), false);
    if (reply.data != NULL && !is_same)
        world_fail(world, "random-request", "the server answers a damaged request");
    free(copy.data);
    free(reply.data);
    return true;
}

bool malice_stranger(struct world *world, struct dice *dice)
{
    struct node *node = world_pick_ready(world, dice);
    uint8_t noise[300];
    uint32_t size = 1 + dice_below(dice, sizeof noise);

    if (node == NULL)
        return false;
    dice_fill(dice, noise, sizeof noise);
    static const uint8_t empty_request[] = {0x87, 0x01, 0x00, 0x80, 0x50, 0,    0,    0,
                                            0,    0,    0,    0,    0,    0,    0,    0,
                                            0,    0,    0,    0,    0,    0x40, 0x80, 0x80};
    bool is_noise = dice_one_in(dice, 2);
    struct cairn_bytes plain = is_noise ? (struct cairn_bytes){noise, size}
                                        : (struct cairn_bytes){empty_request, sizeof empty_request};
    struct link_bytes message = forge_message(world, node, true, plain, dice);
    struct link_bytes reply = links_answer(world, link_bytes(message), false);
    if (reply.data != NULL)
        world_fail(world, "stranger", "the server answers a stranger");
    free(message.data);
    free(reply.data);
    return true;
}

/* Noise must not end an exchange: the true answer is still taken. */
bool malice_random_reply(struct world *world, struct dice *dice)
{
    struct node *node = world_pick_ready(world, dice);
    struct cairn_bytes request;
    uint8_t noise[400];
    bool again;

    if (node == NULL || !WORLD_MUST(world, cairn_sync_begin(node->replica, &world->err)) ||
        !WORLD_MUST(world, cairn_sync_request(node->replica, &request, &world->err)))
        return false;
    struct link_bytes reply = links_answer(world, request, true);
    dice_fill(dice, noise, sizeof noise);
    enum cairn_status status =
        cairn_sync_reply(node->replica, (struct cairn_bytes){noise, dice_below(dice, sizeof noise)},
                         &again, &world->err);
    if (status != CAIRN_BAD_SIGNATURE && status != CAIRN_MALFORMED)
        world_fail(world, "random-reply", "%s answers noise with %s", node->tag,
                   cairn_status_name(status));
    world_saw(world, SEEN_REPLY_DAMAGED);
    node->held_is_stale = true;
    node->awaits_reply = false;
    if (reply.data != NULL)
        WORLD_MUST(world, cairn_sync_reply(node->replica, link_bytes(reply), &again, &world->err));
    free(reply.data);
    return true;
}

bool malice_forges(struct world *world, struct dice *dice)
{
    struct node *node = hostile_node(world);
    enum forge_kind kind = (enum forge_kind)dice_below(dice, FORGE_KIND_COUNT);

    if (node == NULL || node->replica == NULL || world_pick_ready(world, dice) == NULL ||
        world->nodes[world->office].replica == NULL || world->model.log_count + 8 > MODEL_LOGS_MAX)
        return false;
    inspect_holdings(world, &world->nodes[world->server]);
    trace_line(&world->trace, "#%llu %s sends a forged log of kind %d",
               (unsigned long long)world->step, node->tag, (int)kind);
    struct link_bytes message = forge_request(world, node, kind, dice);
    struct link_bytes reply = links_answer(world, link_bytes(message), false);
    free(message.data);
    free(reply.data);
    uint32_t before = world->model.log_count;
    inspect_holdings(world, &world->nodes[world->server]);
    if (world->model.log_count > before && kind == FORGE_INVALID)
        world_saw(world, SEEN_SERVER_KEPT_INVALID);
    else if (world->model.log_count > before)
        world_fail(world, "forged-log", "the server took a forged log of kind %d", (int)kind);
    return true;
}

/* ---- a server with two histories ----------------------------------------------------------- */

/* The server's disk becomes what it was at `copy`; what it was goes to `out_kept`. */
static bool server_swap(struct world *world, const struct disk_copy *copy,
                        struct cairn_store **out_kept)
{
    struct node *server = &world->nodes[world->server];
    struct disk fresh;

    node_close(server);
    if (!WORLD_MUST(world, disk_open(&fresh)) || !WORLD_MUST(world, disk_copy_put(copy, &fresh)))
        return false;
    *out_kept = server->disk.inner;
    server->disk.inner = fresh.inner;
    return node_open(world, server) == CAIRN_OK;
}

/* One exchange with the old copy: what it lost is given back, and then it takes what is new. A
 * device that it does not know shows its grants when it asks again. */
static void behind_play(struct world *world, struct node *node, struct dice *dice)
{
    struct node *server = &world->nodes[world->server];
    uint64_t size = inspect_scope_size(world, node, node->village);

    trace_line(&world->trace, "#%llu the server is an old copy of itself",
               (unsigned long long)world->step);
    enum link_end end = links_sync_stranger(world, node, dice);
    if (end == LINK_NO_ANSWER)
        end = links_sync(world, node, dice, true);
    if (end != LINK_DONE)
        world_fail(world, "server-behind", "%s cannot sync with a server that went back: %s",
                   node->tag, world->err.text);
    else if (inspect_scope_size(world, server, node->village) <= size)
        world_fail(world, "server-behind", "%s does not give back to the server what it lost",
                   node->tag);
    else
        world_saw(world, SEEN_SERVER_BEHIND);
}

/* The server goes back while everybody holds the same: had it covered more, whoever holds most
 * would have to come first, or there would be two histories. */
bool malice_server_is_behind(struct world *world, struct dice *dice)
{
    struct node *node = world_pick_ready(world, dice), *server = &world->nodes[world->server];
    struct cairn_store *kept;

    if (node == NULL)
        return false;
    if (server->backup.txn == NULL) {
        node_backup(world, server);
        return true;
    }
    heal(world);
    if (!world_is_well(world) || world_pick_ready(world, dice) == NULL)
        return false;
    puts_create(world, node, dice); /* so that it brings something */
    if (!world_is_well(world) || !server_swap(world, &server->backup, &kept))
        return false;
    disk_copy_drop(&server->backup); /* it is a look at what is closed next */
    kept->ops->close(kept);
    bool is_behind = inspect_scope_size(world, server, node->village) <
                     inspect_scope_size(world, node, node->village);
    if (is_behind && world_is_well(world) && !node->is_revoked)
        behind_play(world, node, dice);
    if (world_is_well(world))
        heal(world);
    return is_behind;
}

/* Two stations of one village with a synced state, and the server between them. */
static struct node *second_station(struct world *world, const struct node *first)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        struct node *node = &world->nodes[i];
        if (node != first && node->kind == NODE_STATION && node->village == first->village &&
            !node->is_revoked && !node->is_hostile && node->replica != NULL &&
            node->grant != first->grant)
            return node;
    }
    return NULL;
}

/* The first edit goes to one history of the server, the second to another of the same length. */
void malice_server_forks(struct world *world)
{
    struct dice dice;
    struct node *server = &world->nodes[world->server];
    struct disk_copy before;
    struct cairn_store *kept;

    dice_init(&dice, world->config.seed, UINT64_MAX - 1);
    struct node *first = world_pick_ready(world, &dice);
    struct node *second = first == NULL ? NULL : second_station(world, first);
    if (second == NULL || first->is_revoked || first->is_hostile ||
        !WORLD_MUST(world, disk_copy_take(&server->disk, &before)))
        return;
    trace_line(&world->trace, "#%llu the server signs two histories",
               (unsigned long long)world->step);
    puts_create(world, first, &dice);
    links_sync(world, first, &dice, true);
    struct bundle one = couriers_bundle(world, first, true);
    bool is_swapped = world_is_well(world) && server_swap(world, &before, &kept);
    disk_copy_drop(&before);
    if (is_swapped) {
        disk_copy_drop(&server->backup);
        puts_create(world, second, &dice);
        links_sync(world, second, &dice, true);
        struct bundle two = couriers_bundle(world, second, true);
        if (links_sync(world, first, &dice, true) != LINK_FORKED)
            world_fail(world, "server-fork", "%s does not see the server's other history",
                       first->tag);
        else
            world_saw(world, SEEN_SERVER_FORK_FOUND);
        if (world_is_well(world) && one.is_there && two.is_there)
            audited_together(world, &one, &two, "not the one its server signed elsewhere");
        free(two.data);
        kept->ops->close(kept);
    }
    free(one.data);
}
