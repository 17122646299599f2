#include "couriers.h"

#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "links.h"
#include "people_internal.h"

struct bundle_pieces {
    uint8_t *data;
    size_t size, capacity;
};

static bool piece_add(void *context, struct cairn_bytes piece)
{
    struct bundle_pieces *pieces = context;

    if (pieces->size + piece.size > pieces->capacity) {
        pieces->capacity = (pieces->size + piece.size) * 2 + 4096;
        pieces->data = realloc(pieces->data, pieces->capacity);
        CAIRN_ASSERT(pieces->data != NULL);
    }
    memcpy(pieces->data + pieces->size, piece.data, piece.size);
    pieces->size += piece.size;
    return true;
}

struct bundle couriers_bundle(struct world *world, struct node *node, bool is_full)
{
    struct bundle_pieces pieces = {NULL, 0, 0};
    struct cairn_bundle_report report;
    struct bundle bundle = {.is_full = is_full};

    enum cairn_status status =
        cairn_bundle_write(node->replica, is_full, piece_add, &pieces, &report, &world->err);
    if (status != CAIRN_OK) {
        free(pieces.data);
        if (node_has_failed(node, status))
            world_saw(world, SEEN_BUNDLE_DISK);
        else if (!(status == CAIRN_NO_RIGHT && !is_full)) /* nobody that it knows could open it */
            world_fail(world, "bundle-status", "a bundle of %s: %s: %s", node->tag,
                       cairn_status_name(status), world->err.text);
        return bundle;
    }
    inspect_holdings(world, node);
    bundle.held = node->held;
    bundle.data = pieces.data;
    bundle.size = pieces.size;
    bundle.is_there = true;
    trace_bytes(&world->trace, (struct cairn_bytes){bundle.data, bundle.size});
    return bundle;
}

bool couriers_write(struct world *world, struct node *node, bool is_full, struct dice *dice)
{
    struct bundle bundle = couriers_bundle(world, node, is_full);
    struct bundle *place = &world->bundles[dice_below(dice, WORLD_BUNDLES_MAX)];

    if (!bundle.is_there)
        return false;
    for (size_t i = 0; i < WORLD_BUNDLES_MAX; i++)
        if (!world->bundles[i].is_there)
            place = &world->bundles[i];
    bool is_lost = place->is_there;
    free(place->data);
    *place = bundle;
    if (is_lost)
        world_mark_lost(world);
    return true;
}

void couriers_lose(struct world *world, struct dice *dice)
{
    struct bundle *bundle = &world->bundles[dice_below(dice, WORLD_BUNDLES_MAX)];

    if (!bundle->is_there)
        return;
    free(bundle->data);
    *bundle = (struct bundle){.is_there = false};
    world_mark_lost(world);
}

static void read_count(struct world *world, struct node *node, enum cairn_status status,
                       const struct cairn_bundle_report *report)
{
    if (status == CAIRN_OK)
        world_saw(world, report->entry_count > 0 ? SEEN_BUNDLE_TAKEN : SEEN_BUNDLE_OLD);
    else if (status == CAIRN_NO_KEY)
        world_saw(world, SEEN_BUNDLE_SEALED);
    else if (node_has_failed(node, status))
        world_saw(world, SEEN_BUNDLE_DISK);
    else
        world_fail(world, "bundle-status", "%s reads a bundle: %s: %s", node->tag,
                   cairn_status_name(status), world->err.text);
}

enum cairn_status couriers_read_one(struct world *world, struct node *node,
                                    const struct bundle *bundle)
{
    struct cairn_bundle_report report = {0};
    struct cairn_bytes file = {bundle->data, bundle->size};

    node->held_is_stale = true;
    enum cairn_status status = cairn_bundle_read(node->replica, file, &report, &world->err);
    if (bundle->is_full && status == CAIRN_REFUSED)
        world_saw(world, SEEN_BUNDLE_FULL);
    else
        read_count(world, node, status, &report);
    return status;
}

static void read_damaged(struct world *world, struct node *node, const struct bundle *bundle,
                         struct dice *dice)
{
    struct link_bytes copy = link_copy((struct cairn_bytes){bundle->data, bundle->size});
    struct cairn_bundle_report report;

    links_damage(world, &copy, dice);
    node->held_is_stale = true;
    enum cairn_status status =
        cairn_bundle_read(node->replica, link_bytes(copy), &report, &world->err);
    bool is_same = copy.size == bundle->size && memcmp(copy.data, bundle->data, copy.size) == 0;
    free(copy.data);
    if (is_same) /* two flips of one bit */
        return;
    if (cairn_status_actor(status) == CAIRN_ACTOR_PEER || status == CAIRN_NO_KEY)
        world_saw(world, SEEN_BUNDLE_DAMAGED);
    else if (!people_failed_with_disk(world, node, status))
        world_fail(world, "damaged-bundle", "%s answers a damaged bundle with %s", node->tag,
                   cairn_status_name(status));
}

void couriers_read(struct world *world, struct node *node, struct dice *dice, bool damages)
{
    uint32_t first = dice_below(dice, WORLD_BUNDLES_MAX);

    for (uint32_t i = 0; i < WORLD_BUNDLES_MAX; i++) {
        const struct bundle *bundle = &world->bundles[(first + i) % WORLD_BUNDLES_MAX];
        if (!bundle->is_there)
            continue;
        if (damages)
            read_damaged(world, node, bundle, dice);
        else
            couriers_read_one(world, node, bundle);
        return;
    }
}
