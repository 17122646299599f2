#include "people.h"

#include <string.h>

#include "book.h"
#include "couriers.h"
#include "invariants.h"
#include "links.h"
#include "people_internal.h"

#define DRAWS_MAX 8 /* of an action, until there is something to do */

/* A failure that the disk explains. */
bool people_failed_with_disk(struct world *world, struct node *node, enum cairn_status status)
{
    if (!node_has_failed(node, status))
        return false;
    world_saw(world, node->disk.is_dead ? SEEN_PUT_LOST_POWER_CUT : SEEN_PUT_FAILED_DISK);
    return true;
}

unsigned people_village(struct world *world, const struct node *node, struct dice *dice)
{
    unsigned count = world->village_count;

    if (node->kind == NODE_TOWNSHIP && count > WORLD_TOWNSHIP_VILLAGES)
        count = WORLD_TOWNSHIP_VILLAGES;
    unsigned draw = dice_below(dice, count);
    return node->kind == NODE_STATION ? node->village : draw;
}

/* Why a write on a record may be refused, as the book has it. */
static bool refusal_is_right(struct world *world, struct node *node, uint32_t record,
                             enum cairn_status status)
{
    struct book_sight sight;

    if (status == CAIRN_NO_RIGHT &&
        (book_knows_revoked(world, node) || node->kind == NODE_AUDITOR)) {
        world_saw(world, SEEN_PUT_AFTER_REVOCATION);
        return true;
    }
    if (record == MODEL_NONE)
        return false;
    if (status == CAIRN_AMBIGUOUS &&
        book_may_share(world, node, world->model.records[record].label)) {
        world_saw(world, SEEN_LABEL_AMBIGUOUS);
        return true;
    }
    book_look(world, node, record, &sight);
    if (status == CAIRN_BAD_INPUT && (sight.is_deleted || model_is_vague(&world->model, record))) {
        world_saw(world, SEEN_PUT_ON_DELETED);
        return true;
    }
    return false;
}

void people_refused(struct world *world, struct node *node, uint32_t record,
                    enum cairn_status status, const char *what)
{
    if (!people_failed_with_disk(world, node, status) &&
        !refusal_is_right(world, node, record, status))
        world_fail(world, "write-status", "%s of %s: %s: %s", what, node->tag,
                   cairn_status_name(status), world->err.text);
}

void people_written(struct world *world, struct node *node)
{
    if (node->disk.is_dead)
        world_saw(world, SEEN_PUT_DURABLE_POWER_CUT);
}

/* ---- reading ------------------------------------------------------------------------------- */

static void read_failed(struct world *world, struct node *node, enum cairn_status status,
                        const char *what)
{
    if (!people_failed_with_disk(world, node, status))
        world_fail(world, "read-status", "%s of %s: %s: %s", what, node->tag,
                   cairn_status_name(status), world->err.text);
}

static void act_get(struct world *world, struct node *node, struct dice *dice)
{
    uint32_t record = book_pick(world, node, dice);

    if (record != MODEL_NONE)
        invariant_shown(world, node, world->model.records[record].label);
}

struct listing {
    uint64_t count;
    bool is_wrong;
    const char *village;
};

/* Records of a village that the book is sure of. */
static uint64_t listed_due(struct world *world, struct node *node, unsigned village)
{
    const struct model *model = &world->model;
    struct book_sight sight;
    uint64_t count = 0;

    inspect_holdings(world, node);
    for (uint32_t i = 0; i < model->record_count; i++) {
        const struct model_record *record = &model->records[i];
        if (book_village_of(record->scope) != village ||
            node->held.size[record->log] <= record->index || model_is_vague(model, i))
            continue;
        book_look(world, node, i, &sight);
        count += sight.count > 0 && !sight.is_deleted;
    }
    return count;
}

static bool listed(void *context, const struct cairn_record *record)
{
    struct listing *listing = context;

    listing->count++;
    listing->is_wrong = listing->is_wrong || record->is_deleted ||
                        (listing->village != NULL && strcmp(record->scope, listing->village) != 0);
    return true;
}

static void act_list(struct world *world, struct node *node, struct dice *dice)
{
    unsigned village = people_village(world, node, dice);
    struct listing listing = {.village = world_village(village)};
    const struct cairn_field_value filter = {"village", listing.village};

    enum cairn_status status =
        cairn_list(node->replica, "household", &filter, 1, listed, &listing, &world->err);
    if (status != CAIRN_OK)
        read_failed(world, node, status, "a list");
    else if (listing.is_wrong)
        world_fail(world, "list", "%s lists a deleted record or one of another village", node->tag);
    else if (listing.count < listed_due(world, node, village))
        world_fail(world, "list", "%s lists %llu records of %s, and leaves some out", node->tag,
                   (unsigned long long)listing.count, listing.village);
}

static bool happened(void *context, const struct cairn_history_item *item)
{
    (void)item;
    ++*(uint64_t *)context;
    return true;
}

static void act_history(struct world *world, struct node *node, struct dice *dice)
{
    uint32_t record = book_pick(world, node, dice);
    uint64_t count = 0;

    if (record == MODEL_NONE)
        return;
    const char *label = world->model.records[record].label;
    enum cairn_status status = cairn_history(node->replica, label, happened, &count, &world->err);
    if (status == CAIRN_AMBIGUOUS && book_may_share(world, node, label))
        world_saw(world, SEEN_LABEL_AMBIGUOUS);
    else if (status != CAIRN_OK)
        read_failed(world, node, status, "a history");
    else
        invariant_history(world, node, record, count);
}

static void act_status(struct world *world, struct node *node, struct dice *dice)
{
    (void)dice;
    invariant_counts(world, node);
}

/* ---- meeting others ------------------------------------------------------------------------ */

static void sync_failed(struct world *world, struct node *node, const char *what)
{
    if (!node->is_hostile)
        world_fail(world, "sync-refused", "%s of %s: %s", what, node->tag, world->err.text);
}

static void act_sync(struct world *world, struct node *node, struct dice *dice)
{
    enum link_end end = links_sync(world, node, dice, false);

    trace_line(&world->trace, "  %s syncs: %s", node->tag,
               end == LINK_DONE        ? "done"
               : end == LINK_NO_ANSWER ? "no answer"
                                       : "failed");
    if (end == LINK_REFUSED || end == LINK_FORKED)
        sync_failed(world, node, "an exchange");
    else if (end == LINK_DONE)
        invariant_waiting(world, node, cairn_sync_report(node->replica)->waiting_count);
}

static void act_ask(struct world *world, struct node *node, struct dice *dice)
{
    trace_line(&world->trace, "  %s sends a request by a slow link", node->tag);
    links_ask(world, node, dice);
}

static void act_bundle_write(struct world *world, struct node *node, struct dice *dice)
{
    bool is_written = couriers_write(world, node, dice_one_in(dice, 8), dice);

    trace_line(&world->trace, "  %s writes a bundle%s", node->tag, is_written ? "" : ": failed");
}

static void act_bundle_read(struct world *world, struct node *node, struct dice *dice)
{
    trace_line(&world->trace, "  %s reads a bundle", node->tag);
    couriers_read(world, node, dice, dice_one_in(dice, 6));
}

static void act_reopen(struct world *world, struct node *node, struct dice *dice)
{
    (void)dice;
    trace_line(&world->trace, "  %s is closed and opened", node->tag);
    node_close(node);
    enum cairn_status status = node_open(world, node);
    if (status != CAIRN_OK)
        read_failed(world, node, status, "opening");
}

static void act_audit(struct world *world, struct node *node, struct dice *dice)
{
    (void)dice;
    if (!node_may_fail(node))
        invariant_audit(world, node);
}

const struct sim_operation sim_operations[] = {
    {"create", 60, puts_create},
    {"set", 260, puts_set},
    {"put_many", 24, puts_many},
    {"put_check", 8, puts_checked},
    {"import", 12, puts_import},
    {"bad_put", 20, puts_bad},
    {"delete", 9, puts_delete},
    {"settle", 60, people_settle},
    {"element", 40, kinds_element},
    {"count", 40, kinds_count},
    {"step", 60, kinds_step},
    {"same", 12, kinds_same},
    {"upsert", 24, kinds_upsert},
    {"query", 10, people_query},
    {"total", 5, people_total},
    {"get", 60, act_get},
    {"list", 10, act_list},
    {"history", 12, act_history},
    {"status", 8, act_status},
    {"sync", 36, act_sync},
    {"ask", 8, act_ask},
    {"bundle_write", 3, act_bundle_write},
    {"bundle_read", 6, act_bundle_read},
    {"reopen", 5, act_reopen},
    {"audit", 1, act_audit},
};
const unsigned sim_operation_count = sizeof sim_operations / sizeof sim_operations[0];

static unsigned operation_draw(struct dice *dice)
{
    unsigned sum = 0, i = 0;

    for (unsigned k = 0; k < sim_operation_count; k++)
        sum += sim_operations[k].weight;
    for (uint32_t left = dice_below(dice, sum); left >= sim_operations[i].weight; i++)
        left -= sim_operations[i].weight;
    return i;
}

/* True when it had something to do: only what asked the node's store counts as an action. */
static bool operation_act(struct world *world, struct node *node, struct dice *dice)
{
    unsigned which = operation_draw(dice);
    uint64_t calls = node->disk.call_count;

    trace_line(&world->trace, "#%llu %s %s", (unsigned long long)world->step, node->tag,
               sim_operations[which].name);
    sim_operations[which].act(world, node, dice);
    if (node->disk.call_count == calls)
        return false;
    world->tally.operations[which]++;
    world->tally.actions++;
    node->day_actions++;
    return true;
}

void people_act(struct world *world, struct node *node, struct dice *dice)
{
    bool has_acted = false;

    if (node->replica == NULL && node_open(world, node) != CAIRN_OK)
        return;
    for (unsigned draw = 0; draw < DRAWS_MAX && !has_acted && world_is_well(world); draw++)
        has_acted = operation_act(world, node, dice);
    if (node->disk.is_dead && world_is_well(world))
        node_power_on(world, node, dice_one_in(dice, 2));
    if (world_is_well(world))
        invariants_cheap(world, node);
}
