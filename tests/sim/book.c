#include "book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct book_field fields[BOOK_FIELDS] = {
    {"income", 6, true}, {"plan", 13, false}, {"sheep", 20, true},
    {"cadre", 9, false}, {"addr", 12, false}, {"head", 2, false},
};

const struct book_field *book_field(unsigned i)
{
    return &fields[i % BOOK_FIELDS];
}

const struct book_field *book_field_named(const char *name)
{
    for (unsigned i = 0; i < BOOK_FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
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
    return node->kind != NODE_STATION || book_village_of(scope) == node->village;
}

void book_look(struct world *world, struct node *node, uint32_t record, struct book_sight *out)
{
    const struct model *model = &world->model;
    bool has_deletion = false, has_other = false;

    inspect_holdings(world, node);
    out->count = model_live(model, &node->held, record, out->live);
    out->has_conflict = false;
    for (uint32_t i = 0; i < out->count; i++) {
        const struct model_version *version = &model->versions[out->live[i]];
        has_deletion = has_deletion || version->deletes;
        has_other = has_other || !version->deletes;
        for (uint32_t k = 0; k < i && !version->deletes; k++)
            if (model->versions[out->live[k]].field == version->field &&
                !model->versions[out->live[k]].deletes)
                out->has_conflict = true;
    }
    out->is_deleted = has_deletion && !has_other;
    out->has_conflict = out->has_conflict || (has_deletion && has_other);
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

static uint32_t own_log(struct world *world, struct node *node, unsigned village,
                        uint32_t *out_size)
{
    struct cairn_hash id;

    if (!inspect_own_log(world, node, village, &id, out_size)) {
        world_fail(world, "own-log", "%s has no log in %s behind an edit", node->tag,
                   world_village(village));
        return MODEL_NONE;
    }
    uint32_t log = model_log_find(&world->model, &id);
    if (log != MODEL_NONE)
        return log;
    struct model_log fresh = {.id = id, .grant = node->grant, .channel = CAIRN_CHANNEL_RECORDS};
    fresh.scope.code = strtoull(world_village(village), NULL, 10);
    log = model_log_add(&world->model, &fresh);
    if (log == MODEL_NONE)
        world_fail(world, "too-many-logs", "more than %d logs: the run is too long",
                   MODEL_LOGS_MAX);
    return log;
}

/* What the author saw of the field, or of all fields for a deletion. */
static uint32_t seen_of(struct world *world, struct node *node, const struct book_write *write,
                        uint32_t out_seen[static MODEL_LIVE_MAX])
{
    struct book_sight sight;
    uint32_t count = 0;

    if (write->record == MODEL_NONE)
        return 0;
    book_look(world, node, write->record, &sight);
    for (uint32_t i = 0; i < sight.count; i++)
        if (write->deletes || world->model.versions[sight.live[i]].field == write->field)
            out_seen[count++] = sight.live[i];
    return count;
}

static void entry_take(struct world *world, struct node *node, uint32_t log, uint32_t index,
                       const struct book_entry *entry)
{
    uint32_t seen[MODEL_LIVE_MAX], created = MODEL_NONE;

    for (unsigned i = 0; i < entry->count; i++) {
        const struct book_write *write = &entry->writes[i];
        uint32_t count = seen_of(world, node, write, seen);
        if (write->record == MODEL_NONE && created == MODEL_NONE)
            created = model_record_add(&world->model, log, index, entry->label);
        const struct model_version version = {.record = write->record == MODEL_NONE ? created
                                                                                    : write->record,
                                              .field = write->field,
                                              .token = write->token,
                                              .log = log,
                                              .index = index,
                                              .time_s = machine_now_s(&node->machine),
                                              .repeats = MODEL_NONE,
                                              .deletes = write->deletes};
        model_version_add(&world->model, &version, seen, count);
    }
    world->tally.edits++;
}

void book_take(struct world *world, struct node *node, unsigned village,
               const struct book_entry *entries, unsigned count)
{
    uint32_t size, log = own_log(world, node, village, &size);

    if (log == MODEL_NONE)
        return;
    uint32_t before = world->model.logs[log].entry_count;
    if (before == 0)
        before = 1; /* the basis */
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
