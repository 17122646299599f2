#include "book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_ALL (BOOK_FIELDS + 5 + WORLD_SCHEMAS_MAX)
#define GATHER_AT 16 /* own differences: a count then gathers them into one */

static const struct book_field fields[FIELDS_ALL] = {
    {"income", BOOK_INCOME, true, MODEL_SET},
    {"plan", 13, false, MODEL_SET},
    {"sheep", 20, true, MODEL_SET},
    {"cadre", 9, false, MODEL_SET},
    {"addr", 12, false, MODEL_SET},
    {"head", 2, false, MODEL_SET},
    {"id", BOOK_ALIAS, true, MODEL_SET},
    {"listing", BOOK_LISTING, false, MODEL_STEP},
    {"same", BOOK_SAME, false, MODEL_ADD},
    {"points", BOOK_POINTS, true, MODEL_COUNT},
    {"measures", BOOK_MEASURES, false, MODEL_ADD},
    {"later1", 61, true, MODEL_SET},
    {"later2", 62, true, MODEL_SET},
    {"later3", 63, true, MODEL_SET},
};

const char *book_measure(uint32_t number)
{
    static const char *const texts[BOOK_MEASURE_COUNT] = {"生产就业", "易地搬迁", "低保兜底",
                                                          "医疗救助", "灾后重建"};

    return texts[(number - 1) % BOOK_MEASURE_COUNT];
}

const struct book_field *book_field(unsigned i)
{
    return &fields[i % BOOK_FIELDS];
}

const struct book_field *book_later_field(unsigned i)
{
    return &fields[FIELDS_ALL - WORLD_SCHEMAS_MAX + i];
}

const struct book_field *book_field_named(const char *name)
{
    for (unsigned i = 0; i < FIELDS_ALL; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

enum model_kind book_kind(uint32_t field)
{
    for (unsigned i = 0; i < FIELDS_ALL; i++)
        if (fields[i].number == field)
            return fields[i].kind;
    return MODEL_SET;
}

void book_text(const struct book_field *field, uint32_t token, char out_text[static 24])
{
    snprintf(out_text, 24, field->is_integer ? "%u" : "v%u", token);
}

uint32_t book_value(struct world *world, const struct book_field *field, char out_text[static 24])
{
    uint32_t token = ++world->model.token_count;

    book_text(field, token, out_text);
    return token;
}

uint32_t book_token(const char *text)
{
    return text == NULL ? 0 : (uint32_t)strtoul(text + (text[0] == 'v'), NULL, 10);
}

uint32_t book_token_of(const char *text, size_t size)
{
    char copy[24] = "";

    memcpy(copy, text, size < sizeof copy ? size : sizeof copy - 1);
    return book_token(copy);
}

/* ---- looking up ---------------------------------------------------------------------------- */

unsigned book_village_of(struct cairn_scope scope)
{
    for (unsigned i = 0; i < WORLD_VILLAGES_MAX; i++)
        if (strtoull(world_village(i), NULL, 10) == scope.code)
            return i;
    return WORLD_VILLAGES_MAX;
}

bool book_covers(const struct node *node, struct cairn_scope scope)
{
    if (node->kind == NODE_ROOT)
        return false; /* it follows nobody's records */
    if (node->kind == NODE_TOWNSHIP)
        return book_village_of(scope) < WORLD_TOWNSHIP_VILLAGES;
    return node->kind != NODE_STATION || book_village_of(scope) == node->village;
}

void book_look(struct world *world, struct node *node, uint32_t record, struct book_sight *out)
{
    const struct model *model = &world->model;
    bool has_deletion = false, has_other = false, has_two = false;

    inspect_holdings(world, node);
    out->count = model_live(model, &node->held, record, out->live);
    for (uint32_t i = 0; i < out->count; i++) {
        const struct model_version *version = &model->versions[out->live[i]];
        bool is_shared = version->kind == MODEL_ADD || version->kind == MODEL_COUNT;
        has_deletion = has_deletion || version->deletes;
        has_other = has_other || (!version->deletes && version->kind != MODEL_STEP);
        for (uint32_t k = 0; k < i && !version->deletes && !is_shared; k++)
            if (model->versions[out->live[k]].field == version->field &&
                !model->versions[out->live[k]].deletes)
                has_two = true;
    }
    out->is_deleted = has_deletion && !has_other;
    out->has_conflict = has_deletion ? has_other : has_two;
}

static bool holds(const struct node *node, const struct model_record *record)
{
    return node->held.size[record->log] > record->index;
}

uint32_t book_pick(struct world *world, struct node *node, struct dice *dice)
{
    uint32_t count = world->model.record_count;
    bool is_recent = !dice_one_in(dice, 3);
    uint32_t draw = dice_below(dice, UINT32_MAX);

    if (count == 0)
        return MODEL_NONE;
    inspect_holdings(world, node);
    bool takes_deleted = dice_one_in(dice, 16);
    uint32_t found = MODEL_NONE;
    uint32_t first = is_recent ? count - 1 - draw % (count < 16 ? count : 16) : draw % count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (first + count - i) % count;
        struct book_sight sight;
        if (!holds(node, &world->model.records[at]))
            continue;
        found = at;
        book_look(world, node, at, &sight);
        if (takes_deleted || !sight.is_deleted)
            break;
    }
    return found;
}

unsigned book_labelled(struct world *world, struct node *node, const char *label,
                       uint32_t *out_record)
{
    unsigned count = 0;

    inspect_holdings(world, node);
    for (uint32_t i = 0; i < world->model.record_count; i++)
        if (holds(node, &world->model.records[i]) &&
            strcmp(world->model.records[i].label, label) == 0) {
            *out_record = i;
            count++;
        }
    return count;
}

bool book_may_share(struct world *world, struct node *node, const char *label)
{
    uint32_t record;

    if (book_labelled(world, node, label, &record) > 1)
        return true;
    /* A twin's records are not in the book, and its numbers are those of the original. */
    for (uint32_t i = 0; i < world->model.log_count; i++)
        if (world->model.logs[i].is_forked && node->held.size[i] > 0)
            return true;
    return false;
}

bool book_knows_revoked(struct world *world, struct node *node)
{
    inspect_holdings(world, node);
    for (uint32_t i = 0; i < world->model.decree_count; i++) {
        const struct model_decree *decree = &world->model.decrees[i];
        if (!decree->adopts && decree->grant == node->grant &&
            node->held.size[decree->by_log] > decree->by_index)
            return true;
    }
    return false;
}

/* ---- taking in ----------------------------------------------------------------------------- */

uint32_t book_own_log(struct world *world, struct node *node, unsigned village, uint32_t *out_size)
{
    struct cairn_hash id;

    if (!inspect_own_log(world, node, village, &id, out_size)) {
        world_fail(world, "own-log", "%s has no log in %s behind an edit", node->tag,
                   world_village(village));
        return MODEL_NONE;
    }
    const struct model_log fresh = {.id = id,
                                    .grant = node->grant,
                                    .channel = CAIRN_CHANNEL_RECORDS,
                                    .scope.code = strtoull(world_village(village), NULL, 10)};
    uint32_t log = model_log_find(&world->model, &id);
    if (log != MODEL_NONE && world->model.logs[log].is_foreign)
        world->model.logs[log] = fresh; /* it was seen before its first edit */
    if (log != MODEL_NONE)
        return log;
    log = model_log_add(&world->model, &fresh);
    if (log == MODEL_NONE)
        world_fail(world, "too-many-logs", "more than %d logs: the run is too long",
                   MODEL_LOGS_MAX);
    return log;
}

static bool is_replaced(const struct book_write *write, const struct model_version *live,
                        uint32_t log)
{
    if (write->deletes)
        return live->kind != MODEL_STEP;
    if (live->field != write->field)
        return false;
    switch (write->kind) {
    case MODEL_SET:
    case MODEL_STEP:
        return true;
    case MODEL_ADD:
        return false;
    case MODEL_REMOVE:
        return live->token == write->token;
    case MODEL_COUNT:
        return live->log == log;
    }
    return false;
}

/* A count names its log's differences where they are many, and only those that repeat no other. */
static uint32_t gathered(const struct model *model, uint32_t *seen, uint32_t count)
{
    uint32_t kept = 0;

    if (count < GATHER_AT)
        return 0;
    for (uint32_t i = 0; i < count; i++)
        if (model->versions[seen[i]].repeats == MODEL_NONE)
            seen[kept++] = seen[i];
    return kept < GATHER_AT ? 0 : kept;
}

/* What the author saw and replaces: the field, all fields for a deletion, an element. Of a step
 * also what it follows. */
static uint32_t seen_of(struct world *world, struct node *node, const struct book_write *write,
                        uint32_t log, uint32_t out_seen[static MODEL_LIVE_MAX],
                        uint32_t *out_follows)
{
    struct book_sight sight;
    uint32_t count = 0;

    *out_follows = MODEL_NONE;
    if (write->record == MODEL_NONE)
        return 0;
    book_look(world, node, write->record, &sight);
    for (uint32_t i = 0; i < sight.count; i++)
        if (is_replaced(write, &world->model.versions[sight.live[i]], log))
            out_seen[count++] = sight.live[i];
    if (write->kind == MODEL_STEP)
        *out_follows = model_shown(&world->model, out_seen, count, write->field);
    return write->kind == MODEL_COUNT ? gathered(&world->model, out_seen, count) : count;
}

static void entry_take(struct world *world, struct node *node, uint32_t log, uint32_t index,
                       const struct book_entry *entry)
{
    uint32_t seen[MODEL_LIVE_MAX], created = MODEL_NONE, follows;

    for (unsigned i = 0; i < entry->count; i++) {
        const struct book_write *write = &entry->writes[i];
        uint32_t count = seen_of(world, node, write, log, seen, &follows), token = write->token;
        for (uint32_t k = 0; k < count && write->kind == MODEL_COUNT; k++)
            token += world->model.versions[seen[k]].token;
        if (write->record == MODEL_NONE && created == MODEL_NONE)
            created = model_record_add(&world->model, log, index, entry->label);
        const struct model_version version = {.record = write->record == MODEL_NONE ? created
                                                                                    : write->record,
                                              .field = write->field,
                                              .kind = write->kind,
                                              .token = token,
                                              .follows = follows,
                                              .log = log,
                                              .index = index,
                                              .time_s = machine_now_s(&node->machine),
                                              .repeats = MODEL_NONE,
                                              .deletes = write->deletes};
        model_version_add(&world->model, &version, seen, count);
    }
    world->tally.edits++;
}

uint32_t book_place(struct world *world, struct node *node, uint32_t log)
{
    uint32_t place = world->model.logs[log].entry_count;
    bool has_basis = inspect_is_basis(world, node, &world->model.logs[log].id, place);

    if (has_basis && place > 0)
        world_saw(world, SEEN_SCHEMA_RENEWED);
    return place + has_basis;
}

void book_take(struct world *world, struct node *node, unsigned village,
               const struct book_entry *entries, unsigned count)
{
    uint32_t size, log = book_own_log(world, node, village, &size);

    if (log == MODEL_NONE)
        return;
    uint32_t before = book_place(world, node, log);
    if (size != before + count) {
        world_fail(world, "own-log", "the log of %s in %s has %u entries, %u are due", node->tag,
                   world_village(village), size, before + count);
        return;
    }
    /* What it held when it wrote: without these entries. */
    for (unsigned i = 0; i < count; i++)
        entry_take(world, node, log, before + i, &entries[i]);
    node->held.size[log] = size;
}
