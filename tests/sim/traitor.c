#include "traitor.h"

#include <string.h>

#include "decrees.h"
#include "forge.h"
#include "inspect.h"
#include "links.h"

/* All logs but the device's own, cut in half: the county's, the root's, other stations'. */
static bool all_others(void *context, const struct cairn_log *log, uint32_t *out_size)
{
    *out_size = cairn_log_size(log) / 2;
    return log->is_known && cairn_log_size(log) > 0 && !decree_is_of(context, log);
}

static bool its_own(void *context, const struct cairn_log *log, uint32_t *out_size)
{
    *out_size = cairn_log_size(log);
    return *out_size > 0 && decree_is_of(context, log);
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

/* It revokes a device of its own, and lists everybody else's logs, cut in half. */
static bool cuts_all(struct world *world, struct node *traitor, struct node *creature,
                     const struct cairn_hash *before, struct dice *dice)
{
    struct decree_revocation revocation = {
        .node = creature, .scope = WORLD_TOWNSHIP, .lists = all_others, .context = creature};

    if (!WORLD_MUST(world, decree_revoke(world, traitor, &revocation)) ||
        !sync_well(world, traitor, dice) || !village_is(world, 0, before, "its revocation"))
        return false;
    world_saw(world, SEEN_TRAITOR_VAIN);
    return true;
}

/* The county shuts it out; it has not heard of it, or does not care, and grants on. */
static void grants_on(struct world *world, struct node *traitor, const struct cairn_hash *before,
                      struct dice *dice)
{
    struct node *office = &world->nodes[world->office];
    struct decree_revocation revocation = {
        .node = traitor, .scope = WORLD_COUNTY, .lists = its_own, .context = traitor};

    if (!sync_well(world, office, dice) ||
        !WORLD_MUST(world, decree_revoke(world, office, &revocation)) ||
        !sync_well(world, office, dice))
        return;
    struct node *late = world_join(world, NODE_STATION, 0, traitor);
    if (late == NULL)
        return;
    late->is_hostile = true;
    if (!forge_create(world, late, "nobody"))
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
