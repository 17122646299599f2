#include "heal.h"

#include <stdlib.h>

#include "couriers.h"
#include "invariants.h"
#include "links.h"

#define ROUNDS_MAX 12

static void machines_mend(struct world *world)
{
    for (unsigned i = 0; i < world->node_count && world_is_well(world); i++) {
        struct node *node = &world->nodes[i];
        if (!node->is_joined)
            continue; /* a twin that is not heard of any more */
        if (node->replica == NULL || node->disk.is_dead)
            node_power_on(world, node, false);
        disk_power_on(&node->disk);
        node->disk.fault_count = 0;
        node->machine.mark_fails = false;
    }
}

/* What a bag holds goes to the office, which may read all of the county, and then from the bag. */
static void bags_empty(struct world *world)
{
    struct node *office = &world->nodes[world->office];

    for (unsigned i = 0; i < WORLD_BUNDLES_MAX && world_is_well(world); i++) {
        struct bundle *bundle = &world->bundles[i];
        if (!bundle->is_there || bundle->is_full)
            continue;
        couriers_read_one(world, office, bundle);
    }
}

static void bags_drop(struct world *world)
{
    for (unsigned i = 0; i < WORLD_BUNDLES_MAX; i++) {
        free(world->bundles[i].data);
        world->bundles[i] = (struct bundle){.is_there = false};
    }
}

/* One round of everybody; true when something moved. */
static bool round_of_all(struct world *world, struct dice *dice)
{
    bool has_moved = false;

    for (unsigned i = 0; i < world->node_count && world_is_well(world); i++) {
        struct node *node = &world->nodes[i];
        if (node->kind == NODE_ROOT || node->kind == NODE_SERVER || !node->is_joined)
            continue;
        enum link_end end = links_sync(world, node, dice, true);
        if (end != LINK_DONE && !node->is_hostile) {
            world_fail(world, "heals", "%s cannot sync over a good link: %s", node->tag,
                       world->err.text);
            return false;
        }
        const struct cairn_sync_report *report = cairn_sync_report(node->replica);
        has_moved = has_moved || report->received_count > 0 || report->got_count > 0 ||
                    report->checkpoint_count > 0;
    }
    return has_moved;
}

static void until_quiet(struct world *world, struct dice *dice)
{
    for (unsigned round = 0; round_of_all(world, dice); round++)
        if (round == ROUNDS_MAX) {
            world_fail(world, "quiet", "after %d rounds there is still something new", ROUNDS_MAX);
            return;
        }
}

/* The root has no server above it: a rider brings what it published. */
static void root_visit(struct world *world)
{
    struct node *root = &world->nodes[world->root], *office = &world->nodes[world->office];
    struct bundle bundle = couriers_bundle(world, root, false);

    if (world_is_well(world) && bundle.is_there)
        couriers_read_one(world, office, &bundle);
    free(bundle.data);
}

void heal(struct world *world)
{
    struct dice dice;

    dice_init(&dice, world->config.seed, world->step ^ 0x6865616cu);
    trace_line(&world->trace, "#%llu all is mended, everybody syncs",
               (unsigned long long)world->step);
    machines_mend(world);
    links_drop_all(world);
    root_visit(world);
    until_quiet(world, &dice);
    for (unsigned i = 0; i < 2 && world_is_well(world); i++) {
        bags_empty(world);
        until_quiet(world, &dice);
    }
    if (world_is_well(world))
        invariants_healed(world);
    bags_drop(world);
    if (world_is_well(world))
        world_mark_lost(world);
}
