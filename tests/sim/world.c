#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"
#include "restore_book.h"

#define WORLD_BEGIN_S 1583020800u /* 2020-03-01 */

/* ---- what went wrong ----------------------------------------------------------------------- */

bool world_is_well(const struct world *world)
{
    return world->failure.invariant[0] == '\0';
}

void world_fail(struct world *world, const char *invariant, const char *format, ...)
{
    va_list args;

    if (!world_is_well(world))
        return;
    snprintf(world->failure.invariant, sizeof world->failure.invariant, "%s", invariant);
    va_start(args, format);
    vsnprintf(world->failure.text, sizeof world->failure.text, format, args);
    va_end(args);
    world->failure.step = world->step;
    trace_line(&world->trace, "FAILED %s: %s", invariant, world->failure.text);
}

bool world_must(struct world *world, enum cairn_status status, const char *call)
{
    if (status == CAIRN_OK)
        return true;
    world_fail(world, "must-succeed", "%.120s: %s: %s", call, cairn_status_name(status),
               world->err.text);
    return false;
}

void world_saw(struct world *world, enum tally_seen seen)
{
    world->tally.seen[seen]++;
}

/* ---- nodes --------------------------------------------------------------------------------- */

const char *world_village(unsigned village)
{
    static const char *const codes[WORLD_VILLAGES_MAX] = {
        "513332100201", "513332100202", "513332101201", "513332101202", "513332102201"};

    return codes[village % WORLD_VILLAGES_MAX];
}

unsigned node_number(const struct world *world, const struct node *node)
{
    return (unsigned)(node - world->nodes);
}

struct node *world_pick_station(struct world *world, struct dice *dice)
{
    unsigned first = dice_below(dice, world->node_count);

    for (unsigned i = 0; i < world->node_count; i++) {
        struct node *node = &world->nodes[(first + i) % world->node_count];
        if (node->kind == NODE_STATION && !node->is_hostile)
            return node;
    }
    return &world->nodes[world->office];
}

struct node *world_pick_ready(struct world *world, struct dice *dice)
{
    struct node *node = world_pick_station(world, dice);
    struct node *server = &world->nodes[world->server];
    bool is_ready = node->replica != NULL && server->replica != NULL && !node_may_fail(node) &&
                    !node_may_fail(server);

    return is_ready && node->kind == NODE_STATION ? node : NULL;
}

struct node *world_node_add(struct world *world, enum node_kind kind, unsigned village,
                            const char *tag)
{
    if (world->node_count == WORLD_NODES_MAX)
        return NULL;
    struct node *node = &world->nodes[world->node_count];
    uint64_t seed = world->config.seed * 1000003u + world->node_count;
    memset(node, 0, sizeof *node);
    node->kind = kind;
    node->village = village;
    node->grant = world->grant_count++;
    snprintf(node->tag, sizeof node->tag, "%s", tag);
    machine_init(&node->machine, &world->now_s, seed);
    node->machine.place = ++world->places;
    if (!WORLD_MUST(world, disk_open(&node->disk)))
        return NULL;
    world->node_count++;
    return node;
}

/* How much of a log is somewhere: in a replica, or in a bag. */
static uint32_t log_saved(const struct world *world, uint32_t log)
{
    uint32_t size = 0;

    for (unsigned i = 0; i < world->node_count; i++)
        if (world->nodes[i].held.size[log] > size)
            size = world->nodes[i].held.size[log];
    for (unsigned i = 0; i < WORLD_BUNDLES_MAX; i++)
        if (world->bundles[i].is_there && !world->bundles[i].is_full && /* nobody takes those in */
            world->bundles[i].held.size[log] > size)
            size = world->bundles[i].held.size[log];
    return size;
}

static struct cairn_replica_config node_config(struct node *node, bool is_writer)
{
    return (struct cairn_replica_config){
        .is_writer = is_writer, .store = &node->disk.base, .ports = &node->machine.base};
}

void node_close(struct node *node)
{
    cairn_replica_close(node->replica);
    node->replica = NULL;
    node->awaits_reply = false;
}

enum cairn_status node_open(struct world *world, struct node *node)
{
    const struct cairn_replica_config config = node_config(node, true);

    node->held_is_stale = true;
    enum cairn_status status = cairn_replica_open(&config, &node->replica, &world->err);
    if (status != CAIRN_OK)
        node->replica = NULL;
    else if (cairn_replica_was_restored(node->replica))
        world_fail(world, "restored-without-cause", "%s says that its store went back", node->tag);
    return status;
}

void node_power_on(struct world *world, struct node *node, bool loses_unsynced_mark)
{
    node_close(node);
    disk_power_on(&node->disk);
    machine_power_cut(&node->machine, loses_unsynced_mark);
    WORLD_MUST(world, node_open(world, node));
}

bool node_has_failed(const struct node *node, enum cairn_status status)
{
    bool is_disk = disk_has_failed(&node->disk) && status == CAIRN_NO_SPACE;
    bool is_io = (disk_has_failed(&node->disk) || node->machine.has_failed) && status == CAIRN_IO;

    return is_disk || is_io;
}

bool node_may_fail(const struct node *node)
{
    return disk_has_failed(&node->disk) || node->disk.calls_until_fault >= 0 ||
           node->disk.dies_behind_commit || node->machine.mark_fails;
}

void node_backup(struct world *world, struct node *node)
{
    disk_copy_drop(&node->backup);
    WORLD_MUST(world, disk_copy_take(&node->disk, &node->backup));
}

/* It does not know that it went back: right only if nothing of what is missing ever left it. */
static void unseen_return(struct world *world, struct node *node, const struct own_log *logs,
                          unsigned count)
{
    uint64_t generation = inspect_generation(node); /* others may hold more of older ones */

    for (unsigned i = 0; i < count && world_is_well(world); i++) {
        uint32_t log = logs[i].log, size = logs[i].size;
        if (world->model.logs[log].entry_count <= size || logs[i].generation != generation)
            continue;
        inspect_holdings(world, node);
        if (log_saved(world, log) > size)
            world_fail(world, "went-back-unseen", "%s goes on in a log that others hold longer",
                       node->tag);
        model_log_cut(&world->model, log, size);
    }
}

static bool is_revoked(const struct model *model, unsigned grant)
{
    for (uint32_t i = 0; i < model->decree_count; i++)
        if (!model->decrees[i].adopts && model->decrees[i].grant == grant)
            return true;
    return false;
}

/* A request that is still on its way is lost with the disk: whether it would have come through, and
 * a decree with it, cannot be foretold. */
static void requests_lose(struct world *world, unsigned node)
{
    for (unsigned i = 0; i < WORLD_LETTERS_MAX; i++) {
        struct letter *letter = &world->letters[i];
        if (!letter->is_there || letter->is_reply || letter->node != node)
            continue;
        free(letter->data);
        *letter = (struct letter){.is_there = false};
    }
}

/* A decree that had left nobody's hands went with the office's disk: its place in the log may be
 * given to another. */
static void decrees_lose(struct world *world)
{
    struct model *model = &world->model;
    uint32_t kept = 0;

    requests_lose(world, world->office);
    for (unsigned i = 0; i < world->node_count; i++)
        inspect_holdings(world, &world->nodes[i]);
    for (uint32_t i = 0; i < model->decree_count; i++)
        if (log_saved(world, model->decrees[i].by_log) > model->decrees[i].by_index)
            model->decrees[kept++] = model->decrees[i];
    if (kept == model->decree_count)
        return;
    model->decree_count = kept;
    for (unsigned i = 0; i < world->node_count; i++)
        world->nodes[i].is_revoked = is_revoked(model, world->nodes[i].grant);
    world_saw(world, SEEN_DECREE_LOST);
}

void node_go_back(struct world *world, struct node *node, struct disk_copy *backup)
{
    const struct cairn_replica_config reading = node_config(node, false);
    const struct cairn_replica_config writing = node_config(node, true);
    struct own_log logs[MODEL_LOGS_MAX];

    node_close(node);
    if (backup != NULL && !WORLD_MUST(world, disk_go_back(&node->disk, backup)))
        return;
    node->held_is_stale = true;
    if (!WORLD_MUST(world, cairn_replica_open(&reading, &node->replica, &world->err)))
        return;
    unsigned count = inspect_own_logs(world, node, logs, MODEL_LOGS_MAX);
    restore_book_before(world, node, logs, count);
    node->held_is_stale = true;
    node_close(node);
    if (!WORLD_MUST(world, cairn_replica_open(&writing, &node->replica, &world->err)))
        return;
    node->memo_is_unknown = !cairn_replica_was_restored(node->replica);
    node->memo = 0;
    if (node->memo_is_unknown) {
        unseen_return(world, node, logs, count);
    } else {
        world_saw(world, SEEN_RESTORED);
        restore_book(world, node, logs, count);
    }
    if (world_is_well(world) && node_number(world, node) == world->office)
        decrees_lose(world);
    inspect_holdings(world, node);
}

/* ---- what is lost -------------------------------------------------------------------------- */

void world_mark_lost(struct world *world)
{
    uint32_t saved[MODEL_LOGS_MAX];

    for (unsigned i = 0; i < world->node_count; i++)
        inspect_holdings(world, &world->nodes[i]);
    for (uint32_t log = 0; log < world->model.log_count; log++)
        saved[log] = log_saved(world, log);
    for (uint32_t v = 0; v < world->model.version_count; v++) {
        struct model_version *version = &world->model.versions[v];
        if (version->is_lost || version->index < saved[version->log])
            continue;
        version->is_lost = true;
        world_saw(world, SEEN_LOST_WITH_DEVICE);
    }
}

/* ---- making the county --------------------------------------------------------------------- */

static bool node_init(struct world *world, struct node *node, const char *root_scope)
{
    const struct cairn_replica_config config = node_config(node, true);
    const struct cairn_init init = {.name = node->tag,
                                    .root_scope = root_scope,
                                    .root_tag = root_scope == NULL ? NULL : node->tag};

    node->held_is_stale = true;
    return WORLD_MUST(world, cairn_replica_init(&config, &init, &node->replica, &world->err));
}

static const char *role_of(enum node_kind kind)
{
    switch (kind) {
    case NODE_ROOT:
        return "root";
    case NODE_OFFICE:
        return "county";
    case NODE_SERVER:
        return "server";
    case NODE_AUDITOR:
        return "auditor";
    case NODE_TOWNSHIP:
        return "township";
    case NODE_STATION:
        return "station";
    }
    return "";
}

static bool node_join(struct world *world, struct node *node, struct node *above)
{
    uint8_t bytes[1100];
    struct cairn_writer request;
    struct cairn_bytes invitation;
    struct cairn_device device;
    struct cairn_join_report report;

    cairn_writer_init(&request, bytes, sizeof bytes);
    if (!WORLD_MUST(world, cairn_request_export(node->replica, &request, &world->err)))
        return false;
    const struct cairn_grant_input input = {
        .request = cairn_writer_bytes(&request),
        .role = role_of(node->kind),
        .scope = node->kind == NODE_STATION    ? world_village(node->village)
                 : node->kind == NODE_TOWNSHIP ? WORLD_TOWNSHIP
                                               : WORLD_COUNTY,
        .tag = node->tag,
        .address = node->kind == NODE_SERVER ? "tcp://127.0.0.1:7340" : NULL};
    above->held_is_stale = true;
    if (!WORLD_MUST(world,
                    cairn_grant_device(above->replica, &input, &invitation, &device, &world->err)))
        return false;
    node->is_joined =
        WORLD_MUST(world, cairn_join(node->replica, invitation, &report, &world->err));
    cairn_bytes_free(invitation);
    return node->is_joined;
}

struct node *world_join(struct world *world, enum node_kind kind, unsigned village,
                        struct node *above)
{
    static const char *const tags[] = {"R", "C", "S", "U", "T"};
    char tag[8];

    if (kind == NODE_STATION)
        snprintf(tag, sizeof tag, "%c%u", (int)('A' + village), world->node_count);
    else
        snprintf(tag, sizeof tag, "%s", tags[kind]);
    struct node *node = world_node_add(world, kind, village, tag);
    if (node == NULL || !node_init(world, node, kind == NODE_ROOT ? "51" : NULL))
        return NULL;
    if (kind == NODE_ROOT)
        node->is_joined = true;
    else if (!node_join(world, node, above))
        return NULL;
    inspect_holdings(world, node);
    return node;
}

static void traits_draw(struct world *world)
{
    struct dice dice;
    struct traits *traits = &world->traits;

    dice_init(&dice, world->config.seed, UINT64_MAX);
    traits->has_link_faults = !dice_one_in(&dice, 5);
    traits->has_disk_faults = !dice_one_in(&dice, 4);
    traits->has_clock_faults = !dice_one_in(&dice, 4);
    traits->has_restores = dice_one_in(&dice, 2);
    traits->has_clones = dice_one_in(&dice, 3);
    traits->has_decrees = dice_one_in(&dice, 3);
    traits->has_malice = dice_one_in(&dice, 3);
    traits->has_server_fork = dice_one_in(&dice, 8);
    traits->link_quality = 3 + dice_below(&dice, 30);
    world->village_count = 1 + dice_below(&dice, WORLD_VILLAGES_MAX);
    if (world->config.stations < world->village_count)
        world->village_count = world->config.stations;
    traits->has_traitor = dice_one_in(&dice, 3);
    traits->has_twin_office = dice_one_in(&dice, 3);
}

static void stations_join(struct world *world)
{
    for (unsigned i = 0; i < world->config.stations && world_is_well(world); i++)
        world_join(world, NODE_STATION, i % world->village_count, &world->nodes[world->office]);
}

static void statement_keep(struct world *world)
{
    struct cairn_writer writer;

    cairn_writer_init(&writer, world->root_statement, sizeof world->root_statement);
    WORLD_MUST(world, cairn_root_export(world->nodes[world->root].replica, &writer, &world->err));
    world->root_statement_size = writer.size;
}

void world_open(struct world *world, const struct world_config *config, FILE *trace_out)
{
    memset(world, 0, sizeof *world);
    world->config = *config;
    world->now_s = WORLD_BEGIN_S;
    trace_init(&world->trace, trace_out);
    model_init(&world->model);
    machines_seed_libsodium(config->seed);
    traits_draw(world);
    world->office = 1;
    world->server = 2;
    world->auditor = 3;
    world->township = 4;
    struct node *root = world_join(world, NODE_ROOT, 0, NULL);
    struct node *office = root == NULL ? NULL : world_join(world, NODE_OFFICE, 0, root);
    if (office == NULL || world_join(world, NODE_SERVER, 0, office) == NULL ||
        world_join(world, NODE_AUDITOR, 0, office) == NULL ||
        world_join(world, NODE_TOWNSHIP, 0, office) == NULL)
        return;
    statement_keep(world);
    stations_join(world);
}

void world_close(struct world *world)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        node_close(&world->nodes[i]);
        disk_copy_drop(&world->nodes[i].backup);
        disk_close(&world->nodes[i].disk);
    }
    for (unsigned i = 0; i < WORLD_LETTERS_MAX; i++)
        free(world->letters[i].data);
    for (unsigned i = 0; i < WORLD_BUNDLES_MAX; i++)
        free(world->bundles[i].data);
    model_release(&world->model);
}
