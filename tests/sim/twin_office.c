#include "twin_office.h"

#include <stdlib.h>
#include <string.h>

#include "couriers.h"
#include "decrees.h"
#include "forge.h"
#include "inspect.h"
#include "links.h"
#include "twins.h"

struct twin_play {
    struct world *world;
    struct dice dice;
    struct node *office;
    uint32_t common; /* size of the office's log of grants where the two part */
    struct cairn_hash before;
};

static bool play_fails(struct twin_play *play, const char *text, const struct node *node)
{
    world_fail(play->world, "twin-office", "%s %s", node->tag, text);
    return false;
}

static bool sync_well(struct twin_play *play, struct node *node)
{
    enum link_end end = links_sync_stranger(play->world, node, &play->dice);

    if (end != LINK_DONE)
        world_fail(play->world, "twin-office",
                   "%s cannot sync beside an office of two histories: %s", node->tag,
                   play->world->err.text);
    return end == LINK_DONE;
}

/* The village at the server. */
static bool village_now(struct twin_play *play, struct cairn_hash *out_digest)
{
    struct node *server = &play->world->nodes[play->world->server];

    return inspect_digest(play->world, server, 0, out_digest) ||
           play_fails(play, "waits for something in the village", server);
}

/* What a station writes counts at the server. */
static bool writes_well(struct twin_play *play, struct node *node)
{
    struct cairn_hash before, after;

    if (!village_now(play, &before) || !forge_create(play->world, node, "newcomer") ||
        !sync_well(play, node) || !village_now(play, &after))
        return false;
    return memcmp(before.bytes, after.bytes, sizeof before.bytes) != 0 ||
           play_fails(play, "writes in vain", node);
}

static struct node *station_joins(struct twin_play *play, struct node *above)
{
    struct node *node = world_join(play->world, NODE_STATION, 0, above);

    if (node == NULL)
        return NULL;
    node->is_hostile = true; /* the book foretells nothing of it */
    return writes_well(play, node) ? node : NULL;
}

/* Its grants so far: entries of the one log of authority in its scope. */
static uint32_t grants_size(struct world *world, struct node *office)
{
    const struct model *model = &world->model;

    inspect_holdings(world, office);
    for (uint32_t log = 0; log < model->log_count; log++)
        if (model->logs[log].channel == CAIRN_CHANNEL_AUTHORITY &&
            model->logs[log].scope.code == strtoull(WORLD_TOWNSHIP, NULL, 10))
            return office->held.size[log];
    return 0;
}

/* The county and the server hold the same village. */
static bool county_agrees(struct twin_play *play)
{
    struct node *county = &play->world->nodes[play->world->office];
    struct cairn_hash here, there;

    if (!sync_well(play, county) || !village_now(play, &there))
        return false;
    if (!inspect_digest(play->world, county, 0, &here))
        return play_fails(play, "waits for something in the village", county);
    return memcmp(here.bytes, there.bytes, sizeof here.bytes) == 0 ||
           play_fails(play, "holds another village than the server", county);
}

/* Each of the two grants a station at the same place of the log, and both stations write. Who comes
 * second goes on behind what the other wrote. */
static bool both_grant(struct twin_play *play, struct node *first, struct node *second)
{
    struct world *world = play->world;
    uint64_t forks = inspect_fork_count(world, &world->nodes[world->server]);

    if (station_joins(play, first) == NULL || !sync_well(play, first))
        return false;
    struct bundle one = couriers_bundle(world, first, true), two = {.is_there = false};
    if (station_joins(play, second) != NULL)
        two = couriers_bundle(world, second, true);
    if (world_is_well(world) && sync_well(play, second) && county_agrees(play) &&
        station_joins(play, second) != NULL && sync_well(play, second) && county_agrees(play)) {
        if (inspect_fork_count(world, &world->nodes[world->server]) == forks)
            play_fails(play, "has two histories, and the server kept no evidence", play->office);
        if (one.is_there && two.is_there)
            twins_audited(world, play->office, &one, &two);
    }
    free(one.data);
    free(two.data);
    return world_is_well(world);
}

/* Its grants are cut where the two histories part, all else is left. */
static bool until_they_part(void *context, const struct cairn_log *log, uint32_t *out_size)
{
    const struct twin_play *play = context;

    *out_size = log->channel == CAIRN_CHANNEL_AUTHORITY ? play->common : cairn_log_size(log);
    return *out_size > 0 && decree_is_of(play->office, log);
}

/* The county shuts out the office, and with it whoever was granted since. */
static bool county_revokes(struct twin_play *play)
{
    struct world *world = play->world;
    struct decree_revocation revocation = {
        .node = play->office, .scope = WORLD_COUNTY, .lists = until_they_part, .context = play};
    struct cairn_hash after;

    if (!WORLD_MUST(world, decree_revoke(world, &world->nodes[world->office], &revocation)) ||
        !county_agrees(play) || !village_now(play, &after))
        return false;
    return memcmp(play->before.bytes, after.bytes, sizeof after.bytes) == 0 ||
           play_fails(play, "was revoked, and the village is not what it was", play->office);
}

void twin_office_grants(struct world *world)
{
    struct node *county = &world->nodes[world->office];
    struct twin_play play = {.world = world, .office = &world->nodes[world->township]};

    dice_init(&play.dice, world->config.seed, UINT64_MAX - 4);
    if (play.office->replica == NULL || world->nodes[world->server].replica == NULL ||
        county->replica == NULL || world->node_count + 8 > WORLD_NODES_MAX)
        return;
    /* Who wrote on what lies behind a cut waits for it, before this and after. */
    if (!inspect_digest(world, &world->nodes[world->server], 0, &play.before))
        return;
    trace_line(&world->trace, "#%llu the folder of the township is used on two machines",
               (unsigned long long)world->step);
    struct node *earlier = station_joins(&play, play.office);
    if (earlier == NULL || !sync_well(&play, play.office) || !village_now(&play, &play.before))
        return;
    play.common = grants_size(world, play.office);
    struct node *twin = twins_make(world, play.office);
    if (twin == NULL)
        return;
    bool twin_is_first = dice_one_in(&play.dice, 2);
    if (!both_grant(&play, twin_is_first ? twin : play.office, twin_is_first ? play.office : twin))
        return;
    twins_retire(twin);
    if (!county_revokes(&play) || !writes_well(&play, earlier))
        return;
    struct node *next = world_join(world, NODE_TOWNSHIP, 0, county);
    if (next != NULL && station_joins(&play, next) != NULL && county_agrees(&play))
        world_saw(world, SEEN_TWIN_OFFICE);
}
