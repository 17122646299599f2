#include "traitor.h"

#include <string.h>

#include "cairn/grant.h"
#include "decrees.h"
#include "inspect.h"
#include "links.h"
#include "replica_internal.h"

#define CUTS_MAX 64

/* A revocation by `author`, that lists logs held. */
struct revoking {
    const struct node *node; /* whose grant */
    const char *scope;       /* of the author */
    bool (*lists)(const struct revoking *revoking, const struct cairn_log *log);
    bool takes_back; /* lists sizes below what is there */
};

static enum cairn_status cuts_gather(struct cairn_context *ctx, const struct revoking *revoking,
                                     struct cairn_head cuts[static CUTS_MAX], size_t *out_count)
{
    struct cairn_log log;
    enum cairn_status status;

    *out_count = 0;
    for (status = cairn_log_next(ctx, &log, true); status == CAIRN_OK && *out_count < CUTS_MAX;
         status = cairn_log_next(ctx, &log, false)) {
        uint32_t size = cairn_log_size(&log);
        if (!log.is_known || size == 0 || !revoking->lists(revoking, &log))
            continue;
        struct cairn_head *cut = &cuts[(*out_count)++];
        *cut = (struct cairn_head){.log = log.id, .size = revoking->takes_back ? size / 2 : size};
        if (cut->size > 0)
            CAIRN_TRY(cairn_log_root_at(ctx, &log, cut->size, &cut->root));
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status revoke(struct cairn_replica *author, void *context)
{
    const struct revoking *revoking = context;
    struct cairn_head cuts[CUTS_MAX];
    uint8_t bytes[8192];
    struct cairn_writer writer;
    struct cairn_ref grant;
    struct cairn_log log;
    size_t count;

    CAIRN_TRY(
        cairn_grant_of_seal_key(&author->ctx, &revoking->node->replica->keys.open.seal, &grant));
    CAIRN_TRY(cuts_gather(&author->ctx, revoking, cuts, &count));
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_revocation_write(&writer, author->ports->ops->now_s(author->ports), &author->under,
                           &grant, cuts, count);
    return decree_append(author, revoking->scope, &writer, &log);
}

/* All but its own: the county's, the root's, other stations'. */
static bool is_of_others(const struct revoking *revoking, const struct cairn_log *log)
{
    return memcmp(log->device.bytes, revoking->node->replica->keys.open.seal.bytes, 32) != 0;
}

static bool is_of_node(const struct revoking *revoking, const struct cairn_log *log)
{
    return !is_of_others(revoking, log);
}

static bool revocation_write(struct world *world, struct node *author, struct revoking *revoking)
{
    author->held_is_stale = true;
    return WORLD_MUST(world, cairn_replica_write(author->replica, revoke, revoking, &world->err));
}

static bool sync_well(struct world *world, struct node *node, struct dice *dice)
{
    enum link_end end = links_sync(world, node, dice, true);

    if (end != LINK_DONE)
        world_fail(world, "traitor", "%s cannot sync beside an office that turned: %s", node->tag,
                   world->err.text);
    return end == LINK_DONE;
}

/* At the server the village is as it was. */
static bool village_is(struct world *world, unsigned village, const struct cairn_hash *before,
                       const char *deed)
{
    struct cairn_hash now;

    if (!inspect_digest(world, &world->nodes[world->server], village, &now))
        world_fail(world, "traitor", "the village waits for something after %s", deed);
    else if (memcmp(now.bytes, before->bytes, sizeof now.bytes) != 0)
        world_fail(world, "traitor", "the village is not what it was before %s", deed);
    return world_is_well(world);
}

static bool record_write(struct world *world, struct node *node)
{
    static const struct cairn_field_value field = {"head", "nobody"};
    const struct cairn_put put = {.type = "household",
                                  .scope = world_village(node->village),
                                  .fields = &field,
                                  .field_count = 1};
    struct cairn_put_result result;

    return WORLD_MUST(world, cairn_put_many(node->replica, &put, 1, &result, NULL, &world->err));
}

/* It revokes a device of its own, and lists everybody else's logs, cut in half. */
static bool cuts_all(struct world *world, struct node *traitor, struct node *creature,
                     const struct cairn_hash *before, struct dice *dice)
{
    struct revoking revoking = {
        .node = creature, .scope = WORLD_TOWNSHIP, .lists = is_of_others, .takes_back = true};

    if (!revocation_write(world, traitor, &revoking) || !sync_well(world, traitor, dice) ||
        !village_is(world, 0, before, "its revocation"))
        return false;
    world_saw(world, SEEN_TRAITOR_VAIN);
    return true;
}

/* The county shuts it out; it has not heard of it, or does not care, and grants on. */
static void grants_on(struct world *world, struct node *traitor, const struct cairn_hash *before,
                      struct dice *dice)
{
    struct node *office = &world->nodes[world->office];
    struct revoking revoking = {.node = traitor, .scope = WORLD_COUNTY, .lists = is_of_node};

    if (!sync_well(world, office, dice) || !revocation_write(world, office, &revoking) ||
        !sync_well(world, office, dice))
        return;
    struct node *late = world_join(world, NODE_STATION, 0, traitor);
    if (late == NULL)
        return;
    late->is_hostile = true;
    if (!record_write(world, late))
        return;
    links_sync_stranger(world, late, dice);
    if (village_is(world, 0, before, "a grant of an office that was shut out"))
        world_saw(world, SEEN_TRAITOR_SHUT_OUT);
}

void traitor_turns(struct world *world)
{
    struct node *traitor = &world->nodes[world->township], *server = &world->nodes[world->server];
    struct cairn_hash before;
    struct dice dice;

    dice_init(&dice, world->config.seed, UINT64_MAX - 3);
    if (traitor->replica == NULL || server->replica == NULL ||
        world->node_count + 2 > WORLD_NODES_MAX || world->nodes[world->office].replica == NULL ||
        !inspect_digest(world, server, 0, &before))
        return;
    trace_line(&world->trace, "#%llu the township turns", (unsigned long long)world->step);
    struct node *creature = world_join(world, NODE_STATION, 0, traitor);
    if (creature == NULL)
        return;
    creature->is_hostile = true;
    if (cuts_all(world, traitor, creature, &before, &dice))
        grants_on(world, traitor, &before, &dice);
}
