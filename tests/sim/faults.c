#include "faults.h"

#include "couriers.h"
#include "decrees.h"
#include "links.h"
#include "malice.h"
#include "people_internal.h"
#include "schemas.h"
#include "twins.h"

#define CALLS_MAX 400 /* of the store, before an armed fault strikes */

static bool has_disk_faults(const struct traits *traits)
{
    return traits->has_disk_faults;
}

static bool has_clock_faults(const struct traits *traits)
{
    return traits->has_clock_faults;
}

static bool has_restores(const struct traits *traits)
{
    return traits->has_restores;
}

static bool has_clones(const struct traits *traits)
{
    return traits->has_clones;
}

static bool has_decrees(const struct traits *traits)
{
    return traits->has_decrees;
}

static bool has_malice(const struct traits *traits)
{
    return traits->has_malice;
}

static struct node *pick_open_station(struct world *world, struct dice *dice)
{
    struct node *node = world_pick_station(world, dice);

    return node->replica == NULL ? NULL : node;
}

/* ---- disks --------------------------------------------------------------------------------- */

static bool disk_fails_once(struct world *world, struct dice *dice)
{
    static const enum cairn_status statuses[] = {CAIRN_IO, CAIRN_NO_SPACE};
    struct node *node = pick_open_station(world, dice);

    if (node == NULL || node->disk.calls_until_fault >= 0)
        return false;
    disk_arm(&node->disk, dice_below(dice, CALLS_MAX), statuses[dice_below(dice, 2)]);
    trace_line(&world->trace, "#%llu the disk of %s will fail once",
               (unsigned long long)world->step, node->tag);
    return true;
}

/* The store asks for the whole transaction again, as LMDB does when its map grows. */
static bool disk_conflicts(struct world *world, struct dice *dice)
{
    struct node *node = pick_open_station(world, dice);

    if (node == NULL || node->disk.calls_until_fault >= 0)
        return false;
    disk_arm_conflict(&node->disk, dice_below(dice, CALLS_MAX));
    trace_line(&world->trace, "#%llu the disk of %s will ask for a transaction again",
               (unsigned long long)world->step, node->tag);
    return true;
}

static bool disk_is_full_a_while(struct world *world, struct dice *dice)
{
    struct node *node = pick_open_station(world, dice);

    if (node == NULL)
        return false;
    node->disk.is_full = !node->disk.is_full;
    trace_line(&world->trace, "#%llu the disk of %s is %s", (unsigned long long)world->step,
               node->tag, node->disk.is_full ? "full" : "free again");
    return true;
}

static bool power_goes(struct world *world, struct dice *dice)
{
    struct node *node = pick_open_station(world, dice);

    if (node == NULL)
        return false;
    if (dice_one_in(dice, 3))
        node->disk.dies_behind_commit = true;
    else
        disk_arm_power_cut(&node->disk, dice_below(dice, CALLS_MAX));
    trace_line(&world->trace, "#%llu the power of %s will go", (unsigned long long)world->step,
               node->tag);
    return true;
}

static bool mark_fails(struct world *world, struct dice *dice)
{
    struct node *node = pick_open_station(world, dice);

    if (node == NULL)
        return false;
    node->machine.mark_fails = true;
    return true;
}

static bool server_disk_fails(struct world *world, struct dice *dice)
{
    struct node *server = &world->nodes[world->server];

    if (dice_one_in(dice, 2))
        disk_arm(&server->disk, dice_below(dice, 4 * CALLS_MAX), CAIRN_IO);
    else
        server->disk.is_full = !server->disk.is_full;
    trace_line(&world->trace, "#%llu the server's disk %s", (unsigned long long)world->step,
               server->disk.is_full ? "is full" : "will fail once");
    return true;
}

static bool server_restarts(struct world *world, struct dice *dice)
{
    trace_line(&world->trace, "#%llu the server is restarted", (unsigned long long)world->step);
    node_power_on(world, &world->nodes[world->server], dice_one_in(dice, 2));
    return true;
}

/* ---- clocks -------------------------------------------------------------------------------- */

static bool clock_jumps(struct world *world, struct dice *dice)
{
    struct node *node =
        dice_one_in(dice, 6) ? &world->nodes[world->server] : world_pick_station(world, dice);
    uint64_t now = machine_now_s(&node->machine);

    switch (dice_below(dice, 5)) {
    case 0:
        now = dice_below(dice, 1000); /* the battery is empty: 1970 */
        break;
    case 1:
        now = world->now_s + 6u * 365 * 86400;
        break;
    case 2:
        now += dice_below(dice, 86400 * 30);
        break;
    case 3:
        now -= now < 86400 * 30 ? now : dice_below(dice, 86400 * 30);
        break;
    default:
        now = world->now_s;
        break;
    }
    machine_set_clock(&node->machine, now);
    trace_line(&world->trace, "#%llu the clock of %s stands at %llu",
               (unsigned long long)world->step, node->tag, (unsigned long long)now);
    return true;
}

/* ---- old copies ---------------------------------------------------------------------------- */

/* There must be room for the logs of a new incarnation. */
static bool may_go_back(const struct world *world)
{
    return world->model.log_count + 8 <= MODEL_LOGS_MAX;
}

/* A station, or now and then the office. */
static struct node *pick_restorable(struct world *world, struct dice *dice)
{
    struct node *office = &world->nodes[world->office];
    bool is_office = dice_one_in(dice, 4);

    if (is_office)
        return office->replica == NULL ? NULL : office;
    return pick_open_station(world, dice);
}

static bool backup_is_made(struct world *world, struct dice *dice)
{
    struct node *node = pick_restorable(world, dice);

    if (node == NULL)
        return false;
    node_backup(world, node);
    trace_line(&world->trace, "#%llu a backup of %s", (unsigned long long)world->step, node->tag);
    return true;
}

static bool backup_is_put_back(struct world *world, struct dice *dice)
{
    struct node *node = pick_restorable(world, dice);

    if (node == NULL || node->backup.txn == NULL || !may_go_back(world))
        return false;
    trace_line(&world->trace, "#%llu %s is restored from its backup",
               (unsigned long long)world->step, node->tag);
    /* With the power the mark may have gone back too, as far as it was not synced. */
    machine_power_cut(&node->machine, dice_one_in(dice, 2));
    node_go_back(world, node, &node->backup);
    world_mark_lost(world);
    return true;
}

static bool folder_is_moved(struct world *world, struct dice *dice)
{
    struct node *node = pick_restorable(world, dice);

    if (node == NULL || !may_go_back(world))
        return false;
    trace_line(&world->trace, "#%llu the folder of %s is moved", (unsigned long long)world->step,
               node->tag);
    disk_power_on(&node->disk);
    machine_move(&node->machine, ++world->places);
    node_go_back(world, node, NULL);
    world_mark_lost(world);
    return true;
}

/* A copy of the folder is put on a second machine, and both go on. */
static bool device_is_cloned(struct world *world, struct dice *dice)
{
    struct node *node = pick_open_station(world, dice);
    struct disk_copy copy;

    if (node == NULL || node->is_revoked || world->node_count + 2 > WORLD_NODES_MAX ||
        !may_go_back(world))
        return false;
    struct node *clone = world_node_add(world, NODE_STATION, node->village, node->tag);
    if (clone == NULL || !WORLD_MUST(world, disk_copy_take(&node->disk, &copy)))
        return false;
    trace_line(&world->trace, "#%llu %s is copied to a second machine",
               (unsigned long long)world->step, node->tag);
    WORLD_MUST(world, disk_copy_put(&copy, &clone->disk));
    disk_copy_drop(&copy);
    clone->machine.key = node->machine.key;
    clone->grant = node->grant;
    clone->is_joined = true;
    node_go_back(world, clone, NULL);
    return true;
}

/* ---- devices that come, bundles that go ---------------------------------------------------- */

static bool station_joins(struct world *world, struct dice *dice)
{
    struct node *office = &world->nodes[world->office];

    if (office->replica == NULL || world->node_count + 2 > WORLD_NODES_MAX ||
        world->node_count > world->config.stations + 8)
        return false;
    struct node *node =
        world_join(world, NODE_STATION, dice_below(dice, world->village_count), office);
    if (node != NULL)
        trace_line(&world->trace, "#%llu %s joins", (unsigned long long)world->step, node->tag);
    return node != NULL;
}

static bool stick_is_lost(struct world *world, struct dice *dice)
{
    trace_line(&world->trace, "#%llu a stick is lost", (unsigned long long)world->step);
    couriers_lose(world, dice);
    return true;
}

static bool server_reads_a_bundle(struct world *world, struct dice *dice)
{
    struct node *server = &world->nodes[world->server];

    if (server->replica == NULL)
        return false;
    trace_line(&world->trace, "#%llu the server is given a bundle",
               (unsigned long long)world->step);
    couriers_read(world, server, dice, false);
    return true;
}

static bool office_works(struct world *world, struct dice *dice)
{
    people_act(world, &world->nodes[world->office], dice);
    return true;
}

static bool township_works(struct world *world, struct dice *dice)
{
    people_act(world, &world->nodes[world->township], dice);
    return true;
}

#define SITTING_STEPS 5

/* An office hears what is new, goes on with moves that wait for it, and sends that out. */
static void office_sits(struct world *world, struct node *office, struct dice *dice)
{
    if (!world_is_well(world) || office->replica == NULL || disk_has_failed(&office->disk) ||
        links_sync(world, office, dice, false) != LINK_DONE)
        return;
    for (unsigned i = 0; i < SITTING_STEPS && world_is_well(world); i++)
        kinds_step(world, office, dice);
    if (world_is_well(world))
        links_sync(world, office, dice, false);
}

static bool offices_sit(struct world *world, struct dice *dice)
{
    trace_line(&world->trace, "#%llu the offices sit", (unsigned long long)world->step);
    office_sits(world, &world->nodes[world->township], dice);
    office_sits(world, &world->nodes[world->office], dice);
    return true;
}

static bool auditor_syncs(struct world *world, struct dice *dice)
{
    struct node *auditor = &world->nodes[world->auditor];
    struct node *root = &world->nodes[world->root];

    if (dice_one_in(dice, 4) && links_sync(world, root, dice, true) != LINK_NO_SERVER)
        world_fail(world, "sync-refused", "the root, which no server serves, syncs");
    enum link_end end = links_sync(world, auditor, dice, false);
    if (end == LINK_REFUSED || end == LINK_FORKED)
        world_fail(world, "sync-refused", "an exchange of the auditor: %s", world->err.text);
    return true;
}

const struct sim_fault sim_faults[] = {
    {"office works", 30, NULL, office_works},
    {"township works", 20, NULL, township_works},
    {"offices sit", 12, NULL, offices_sit},
    {"auditor syncs", 5, NULL, auditor_syncs},
    {"station joins", 2, NULL, station_joins},
    {"schema is published", 2, NULL, schemas_publish},
    {"stick is lost", 3, NULL, stick_is_lost},
    {"server reads a bundle", 4, NULL, server_reads_a_bundle},
    {"server restarts", 2, NULL, server_restarts},
    {"disk fails once", 10, has_disk_faults, disk_fails_once},
    {"disk asks again", 10, has_disk_faults, disk_conflicts},
    {"disk is full or free", 5, has_disk_faults, disk_is_full_a_while},
    {"power goes", 10, has_disk_faults, power_goes},
    {"mark fails", 4, has_disk_faults, mark_fails},
    {"server's disk fails", 3, has_disk_faults, server_disk_fails},
    {"clock jumps", 8, has_clock_faults, clock_jumps},
    {"backup is made", 6, has_restores, backup_is_made},
    {"backup is put back", 6, has_restores, backup_is_put_back},
    {"folder is moved", 3, has_restores, folder_is_moved},
    {"server is behind", 2, has_restores, malice_server_is_behind},
    {"device is cloned", 3, has_clones, device_is_cloned},
    {"device is revoked", 3, has_decrees, decrees_revoke},
    {"range is adopted", 8, has_decrees, decrees_adopt},
    {"grant beyond its scope", 2, has_malice, malice_grants},
    {"random request", 3, has_malice, malice_random_request},
    {"stranger's request", 3, has_malice, malice_stranger},
    {"random answer", 3, has_malice, malice_random_reply},
    {"forged log", 10, has_malice, malice_forges},
    {"copied key and mark", 4, has_malice, twins_fork},
};
const unsigned sim_fault_count = sizeof sim_faults / sizeof sim_faults[0];

static bool is_drawn(const struct world *world, unsigned i)
{
    return sim_faults[i].is_drawn == NULL || sim_faults[i].is_drawn(&world->traits);
}

void faults_strike(struct world *world, struct dice *dice)
{
    unsigned sum = 0, which = 0;

    for (unsigned i = 0; i < sim_fault_count; i++)
        sum += is_drawn(world, i) ? sim_faults[i].weight : 0;
    uint32_t left = dice_below(dice, sum);
    for (;; which++) {
        unsigned weight = is_drawn(world, which) ? sim_faults[which].weight : 0;
        if (left < weight)
            break;
        left -= weight;
    }
    if (sim_faults[which].strike(world, dice))
        world->tally.faults[which]++;
}
