/* What people write: registers of households, one or several at once, as an import does too. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "invariants.h"
#include "people_internal.h"

#define PUTS_MAX 6
#define FIELDS_MAX 4

/* One put being composed, its texts beside it. */
struct put_draft {
    struct cairn_field_value fields[FIELDS_MAX];
    char texts[FIELDS_MAX][24];
    struct book_entry entry;
    struct cairn_put put;
    unsigned schema; /* the version that it needs */
};

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
    draft->schema = WORLD_FIRST_SCHEMA;
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
    if (world->schema_count > 0 && dice_one_in(dice, 6)) {
        unsigned later = dice_below(dice, world->schema_count);
        field_draft(world, draft, record, book_later_field(later));
        draft->schema = WORLD_FIRST_SCHEMA + later + 1;
    }
    if (dice_one_in(dice, 4))
        draft->put.reason = "heard at the visit";
}

/* Does one of them write a field that this device has not heard of? */
static bool is_ahead(struct world *world, struct node *node, const struct put_draft *drafts,
                     unsigned count)
{
    unsigned version = inspect_schema(world, node);

    for (unsigned i = 0; i < count; i++)
        if (drafts[i].schema > version)
            return true;
    return false;
}

/* True when they are written. */
static bool drafts_put(struct world *world, struct node *node, unsigned village,
                       struct put_draft *drafts, unsigned count)
{
    struct cairn_put puts[PUTS_MAX];
    struct cairn_put_result results[PUTS_MAX];
    struct book_entry entries[PUTS_MAX];
    size_t failed = 0;
    bool must_fail = is_ahead(world, node, drafts, count);

    for (unsigned i = 0; i < count; i++)
        puts[i] = drafts[i].put;
    enum cairn_status status =
        cairn_put_many(node->replica, puts, count, results, &failed, &world->err);
    trace_line(&world->trace, "  %s puts %u: %s", node->tag, count, cairn_status_name(status));
    if (status == CAIRN_BAD_INPUT && must_fail) {
        world_saw(world, SEEN_SCHEMA_AHEAD);
        return false;
    }
    if (status != CAIRN_OK) {
        people_refused(world, node, drafts[failed].entry.writes[0].record, status, "a put");
        return false;
    }
    if (must_fail) {
        world_fail(world, "schema", "%s wrote a field of a schema that it has not", node->tag);
        return false;
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
    return true;
}

void puts_create(struct world *world, struct node *node, struct dice *dice)
{
    struct put_draft draft;
    unsigned village = people_village(world, node, dice);

    create_draft(world, &draft, village, dice);
    drafts_put(world, node, village, &draft, 1);
}

void puts_set(struct world *world, struct node *node, struct dice *dice)
{
    struct put_draft draft;
    uint32_t record = book_pick(world, node, dice);

    if (record == MODEL_NONE) {
        puts_create(world, node, dice);
        return;
    }
    set_draft(world, &draft, record, dice);
    drafts_put(world, node, book_village_of(world->model.records[record].scope), &draft, 1);
}

/* Several in one commit, in one village: their number. */
static unsigned drafts_draw(struct world *world, struct node *node, struct dice *dice,
                            unsigned village, struct put_draft drafts[static PUTS_MAX])
{
    unsigned count = 2 + dice_below(dice, PUTS_MAX - 1);

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
    return count;
}

void puts_many(struct world *world, struct node *node, struct dice *dice)
{
    struct put_draft drafts[PUTS_MAX];
    unsigned village = people_village(world, node, dice);
    unsigned count = drafts_draw(world, node, dice, village, drafts);

    drafts_put(world, node, village, drafts, count);
}

static void bad_put_count(void *context, size_t put_index, enum cairn_status status,
                          const char *text)
{
    (void)put_index, (void)status, (void)text;
    ++*(unsigned *)context;
}

/* What a check says of puts is what then happens to them. */
void puts_checked(struct world *world, struct node *node, struct dice *dice)
{
    struct put_draft drafts[PUTS_MAX];
    struct cairn_put puts[PUTS_MAX];
    unsigned village = people_village(world, node, dice), bad = 0;
    unsigned count = drafts_draw(world, node, dice, village, drafts);
    bool may_fail = node_may_fail(node);

    for (unsigned i = 0; i < count; i++)
        puts[i] = drafts[i].put;
    enum cairn_status status =
        cairn_put_check(node->replica, puts, count, bad_put_count, &bad, &world->err);
    if (status != CAIRN_OK) {
        people_refused(world, node, MODEL_NONE, status, "a check");
        return;
    }
    bool is_written = drafts_put(world, node, village, drafts, count);
    if (world_is_well(world) && !may_fail && is_written != (bad == 0))
        world_fail(world, "check", "a check of %s found %u bad puts of %u, then they were %s",
                   node->tag, bad, count, is_written ? "written" : "refused");
    world_saw(world, bad == 0 ? SEEN_CHECK_GOOD : SEEN_CHECK_BAD);
}

#define MEMO "import"

/* How far an import has come is what its last commit says, whatever happened since. */
static bool memo_is_due(struct world *world, struct node *node)
{
    uint8_t bytes[24];
    struct cairn_writer writer;
    char text[24] = "";

    cairn_writer_init(&writer, bytes, sizeof bytes);
    enum cairn_status status = cairn_memo_get(node->replica, MEMO, &writer, &world->err);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND) {
        people_refused(world, node, MODEL_NONE, status, "a memo");
        return false;
    }
    if (status == CAIRN_OK)
        memcpy(text, bytes, writer.size < sizeof text ? writer.size : sizeof text - 1);
    uint32_t memo = (uint32_t)strtoul(text, NULL, 10);
    if (!node->memo_is_unknown && memo != node->memo)
        world_fail(world, "memo", "%s remembers %u of its imports, %u were kept", node->tag, memo,
                   node->memo);
    if (memo > 0)
        world_saw(world, SEEN_MEMO_FOUND);
    return world_is_well(world);
}

void puts_import(struct world *world, struct node *node, struct dice *dice)
{
    struct put_draft drafts[PUTS_MAX];
    unsigned village = people_village(world, node, dice);
    char text[24];

    if (!memo_is_due(world, node))
        return;
    unsigned count = drafts_draw(world, node, dice, village, drafts);
    uint32_t next = ++world->model.token_count;
    snprintf(text, sizeof text, "%u", next);
    const struct cairn_memo memo = {MEMO, cairn_bytes_of_text(text)};
    drafts[0].put.memo = &memo;
    if (drafts_put(world, node, village, drafts, count)) {
        node->memo = next;
        node->memo_is_unknown = false;
    }
}

void puts_delete(struct world *world, struct node *node, struct dice *dice)
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
void puts_bad(struct world *world, struct node *node, struct dice *dice)
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
