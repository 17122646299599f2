#include "people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "couriers.h"
#include "invariants.h"
#include "links.h"
#include "people_internal.h"

#define PUTS_MAX 6
#define FIELDS_MAX 4
#define DRAWS_MAX 8 /* of an action, until there is something to do */

/* One put being composed, its texts beside it. */
struct put_draft {
    struct cairn_field_value fields[FIELDS_MAX];
    char texts[FIELDS_MAX][24];
    struct book_entry entry;
    struct cairn_put put;
};

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

/* ---- writing ------------------------------------------------------------------------------- */

static void field_draft(struct world *world, struct put_draft *draft, uint32_t record,
                        const struct book_field *field)
{
    unsigned at = (unsigned)draft->put.field_count;
    char *text = draft->texts[at];
    uint32_t token = book_value(world, field, text);

    draft->fields[at] = (struct cairn_field_value){field->name, text};
    draft->entry.writes[draft->entry.count++] =
        (struct book_write){.record = record, .field = field->number, .token = token};
    draft->put.field_count++;
}

static void draft_begin(struct put_draft *draft)
{
    memset(draft, 0, sizeof *draft);
    draft->put = (struct cairn_put){.type = "household", .fields = draft->fields};
}

static void create_draft(struct world *world, struct put_draft *draft, unsigned village,
                         struct dice *dice)
{
    uint32_t more = dice_below(dice, FIELDS_MAX);

    draft_begin(draft);
    draft->put.scope = world_village(village);
    draft->entry.writes[draft->entry.count++] =
        (struct book_write){.record = MODEL_NONE, .field = MODEL_EXISTENCE};
    field_draft(world, draft, MODEL_NONE, book_field(BOOK_FIELDS - 1)); /* the head is required */
    for (uint32_t i = 0; i < more; i++)
        field_draft(world, draft, MODEL_NONE, book_field(i));
}

static void set_draft(struct world *world, struct put_draft *draft, uint32_t record,
                      struct dice *dice)
{
    uint32_t first = dice_one_in(dice, 2) ? 0 : dice_below(dice, BOOK_FIELDS);
    uint32_t count = dice_one_in(dice, 3) ? 1 + dice_below(dice, 3) : 1;

    draft_begin(draft);
    draft->put.id = world->model.records[record].label;
    for (uint32_t i = 0; i < count; i++)
        field_draft(world, draft, record, book_field(first + i));
    if (dice_one_in(dice, 4))
        draft->put.reason = "heard at the visit";
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

static void drafts_put(struct world *world, struct node *node, unsigned village,
                       struct put_draft *drafts, unsigned count)
{
    struct cairn_put puts[PUTS_MAX];
    struct cairn_put_result results[PUTS_MAX];
    struct book_entry entries[PUTS_MAX];
    size_t failed = 0;

    for (unsigned i = 0; i < count; i++)
        puts[i] = drafts[i].put;
    enum cairn_status status =
        cairn_put_many(node->replica, puts, count, results, &failed, &world->err);
    trace_line(&world->trace, "  %s puts %u: %s", node->tag, count, cairn_status_name(status));
    if (status != CAIRN_OK) {
        people_refused(world, node, drafts[failed].entry.writes[0].record, status, "a put");
        return;
    }
    people_written(world, node);
    for (unsigned i = 0; i < count; i++) {
        entries[i] = drafts[i].entry;
        entries[i].label = results[i].id;
        trace_line(&world->trace, "    %s %s=%s%s", results[i].id, drafts[i].fields[0].name,
                   drafts[i].texts[0], drafts[i].put.field_count > 1 ? " and more" : "");
    }
    book_take(world, node, village, entries, count);
    for (unsigned i = 0; i < count && world_is_well(world); i++)
        invariant_shown(world, node, results[i].id);
}

static void act_create(struct world *world, struct node *node, struct dice *dice)
{
    struct put_draft draft;
    unsigned village = people_village(world, node, dice);

    create_draft(world, &draft, village, dice);
    drafts_put(world, node, village, &draft, 1);
}

void people_create(struct world *world, struct node *node, struct dice *dice)
{
    act_create(world, node, dice);
}

static void act_set(struct world *world, struct node *node, struct dice *dice)
{
    struct put_draft draft;
    uint32_t record = book_pick(world, node, dice);

    if (record == MODEL_NONE) {
        act_create(world, node, dice);
        return;
    }
    set_draft(world, &draft, record, dice);
    drafts_put(world, node, book_village_of(world->model.records[record].scope), &draft, 1);
}

static void act_put_many(struct world *world, struct node *node, struct dice *dice)
{
    struct put_draft drafts[PUTS_MAX];
    unsigned village = people_village(world, node, dice),
             count = 2 + dice_below(dice, PUTS_MAX - 1);

    for (unsigned i = 0; i < count; i++) {
        uint32_t record = book_pick(world, node, dice);
        bool fits = record != MODEL_NONE && !dice_one_in(dice, 3) &&
                    book_village_of(world->model.records[record].scope) == village;
        if (fits)
            set_draft(world, &drafts[i], record, dice);
        else
            create_draft(world, &drafts[i], village, dice);
        drafts[i].put.fields = drafts[i].fields;
    }
    drafts_put(world, node, village, drafts, count);
}

static void act_delete(struct world *world, struct node *node, struct dice *dice)
{
    uint32_t record = book_pick(world, node, dice);
    struct book_entry entry = {.count = 1};
    char label[32];

    if (record == MODEL_NONE)
        return;
    memcpy(label, world->model.records[record].label, sizeof label);
    enum cairn_status status =
        cairn_delete(node->replica, "household", label, "moved away", &world->err);
    trace_line(&world->trace, "  %s deletes %s: %s", node->tag, label, cairn_status_name(status));
    if (status != CAIRN_OK) {
        people_refused(world, node, record, status, "a deletion");
        return;
    }
    people_written(world, node);
    entry.writes[0] =
        (struct book_write){.record = record, .field = MODEL_EXISTENCE, .deletes = true};
    book_take(world, node, book_village_of(world->model.records[record].scope), &entry, 1);
    if (world_is_well(world))
        invariant_shown(world, node, label);
}

/* What must be refused, and how; nothing may change by it. */
static void act_bad_put(struct world *world, struct node *node, struct dice *dice)
{
    static const struct cairn_field_value unknown[] = {{"head", "x"}, {"colour", "red"}};
    static const struct cairn_field_value headless[] = {{"income", "3"}};
    static const struct cairn_field_value unfit[] = {{"head", "x"}, {"income", "much"}};
    static const struct cairn_field_value good[] = {{"head", "x"}};
    const char *village = world_village(node->village);
    bool is_station = node->kind == NODE_STATION;
    const struct {
        struct cairn_put put;
        enum cairn_status status;
    } bad[] = {
        {{.type = "household", .scope = village, .fields = unknown, .field_count = 2},
         CAIRN_BAD_INPUT},
        {{.type = "household", .scope = village, .fields = headless, .field_count = 1},
         CAIRN_BAD_INPUT},
        {{.type = "household", .scope = village, .fields = unfit, .field_count = 2},
         CAIRN_BAD_INPUT},
        {{.type = "yak", .scope = village, .fields = good, .field_count = 1}, CAIRN_BAD_INPUT},
        {{.type = "household", .id = "Z9-9999-A", .fields = good, .field_count = 1},
         CAIRN_NOT_FOUND},
        {{.type = "household",
          .scope = is_station ? world_village(node->village + 1) : "513399100100",
          .fields = good,
          .field_count = 1},
         CAIRN_NO_RIGHT},
    };
    unsigned which = dice_below(dice, sizeof bad / sizeof bad[0]);
    struct cairn_put_result result;

    enum cairn_status status =
        cairn_put_many(node->replica, &bad[which].put, 1, &result, NULL, &world->err);
    bool is_right = status == bad[which].status ||
                    (status == CAIRN_NO_RIGHT && book_knows_revoked(world, node));
    if (is_right)
        world_saw(world, status == CAIRN_NO_RIGHT    ? SEEN_PUT_NO_RIGHT
                         : status == CAIRN_NOT_FOUND ? SEEN_LABEL_UNKNOWN
                                                     : SEEN_PUT_REFUSED);
    else if (!people_failed_with_disk(world, node, status))
        world_fail(world, "write-status", "a bad put of %s (%u): %s: %s", node->tag, which,
                   cairn_status_name(status), world->err.text);
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
    struct listing listing = {.village = world_village(people_village(world, node, dice))};
    const struct cairn_field_value filter = {"village", listing.village};

    enum cairn_status status =
        cairn_list(node->replica, "household", &filter, 1, listed, &listing, &world->err);
    if (status != CAIRN_OK)
        read_failed(world, node, status, "a list");
    else if (listing.is_wrong)
        world_fail(world, "list", "%s lists a deleted record or one of another village", node->tag);
}

struct history_count {
    uint64_t count, in_force;
};

static bool happened(void *context, const struct cairn_history_item *item)
{
    struct history_count *history = context;

    history->count++;
    history->in_force += item->is_in_force;
    return true;
}

static void act_history(struct world *world, struct node *node, struct dice *dice)
{
    uint32_t record = book_pick(world, node, dice);
    struct history_count history = {0};

    if (record == MODEL_NONE)
        return;
    const char *label = world->model.records[record].label;
    enum cairn_status status = cairn_history(node->replica, label, happened, &history, &world->err);
    if (status == CAIRN_AMBIGUOUS && book_may_share(world, node, label))
        world_saw(world, SEEN_LABEL_AMBIGUOUS);
    else if (status != CAIRN_OK)
        read_failed(world, node, status, "a history");
    else
        invariant_history(world, node, record, history.count);
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
    if (end == LINK_REFUSED)
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
    {"create", 60, act_create},
    {"set", 260, act_set},
    {"put_many", 24, act_put_many},
    {"bad_put", 20, act_bad_put},
    {"delete", 9, act_delete},
    {"settle", 60, people_settle},
    {"element", 40, kinds_element},
    {"count", 40, kinds_count},
    {"step", 60, kinds_step},
    {"same", 12, kinds_same},
    {"upsert", 24, kinds_upsert},
    {"query", 10, kinds_query},
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
