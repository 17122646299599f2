/* Settling a conflict, as people do: one of the values, another one, or a contested deletion. */

#include <stdio.h>
#include <string.h>

#include "book.h"
#include "invariants.h"
#include "people_internal.h"

struct conflict_found {
    uint32_t passed_over; /* so many that come first, if there are more */
    char label[32];
    char field[32];
    size_t versions;
    char texts[8][24];
};

static bool conflict_pick(void *context, const struct cairn_record *record)
{
    struct conflict_found *found = context;

    for (size_t f = 0; f < record->field_count; f++) {
        const struct cairn_field_state *field = &record->fields[f];
        if (field->version_count < 2 || field->kind != CAIRN_FIELD_REGISTER)
            continue;
        snprintf(found->label, sizeof found->label, "%s", record->id);
        snprintf(found->field, sizeof found->field, "%s", field->name);
        found->versions = field->version_count;
        for (size_t i = 0; i < field->version_count && i < 8; i++)
            snprintf(found->texts[i], sizeof found->texts[i], "%s",
                     field->versions[i].value == NULL ? "" : field->versions[i].value);
        return found->passed_over-- > 0;
    }
    return true;
}

#define BACK_ENTRIES_MAX 16

/* Bringing a deleted record back writes several entries: which fields, shows the record itself. */
struct restored_look {
    uint32_t record, log;
    uint32_t from; /* the first of the entries */
    unsigned count;
    struct book_entry *entries;
};

static void restored_fields(void *context, struct world *world, struct node *node,
                            const struct seen_record *seen)
{
    struct restored_look *look = context;
    const struct model_record *record = &world->model.records[look->record];

    (void)node;
    if (seen->log != record->log || seen->index != record->index)
        return;
    for (size_t i = 0; i < seen->live_count; i++) {
        const struct seen_live *live = &seen->live[i];
        if (live->log != look->log || live->index < look->from ||
            live->index >= look->from + look->count)
            continue;
        struct book_entry *entry = &look->entries[live->index - look->from];
        if (entry->count < 16)
            entry->writes[entry->count++] =
                (struct book_write){.record = look->record,
                                    .field = (uint32_t)live->field,
                                    .kind = book_kind((uint32_t)live->field),
                                    .token = live->token};
    }
}

/* The number of entries that brought a record back; 0: there is no log, which failed the run. */
static unsigned brought_back(struct world *world, struct node *node, uint32_t record,
                             struct book_entry *entries)
{
    unsigned village = book_village_of(world->model.records[record].scope);
    struct restored_look look = {.record = record, .entries = entries};
    uint32_t size;

    look.log = book_own_log(world, node, village, &size);
    if (look.log == MODEL_NONE)
        return 0;
    look.from = book_place(world, node, look.log);
    look.count = size - look.from < BACK_ENTRIES_MAX ? size - look.from : BACK_ENTRIES_MAX;
    inspect_values(world, node, restored_fields, &look);
    return look.count;
}

static void settle_take(struct world *world, struct node *node, const struct conflict_found *found,
                        uint32_t record, unsigned keep, const char *value)
{
    struct book_entry entries[BACK_ENTRIES_MAX] = {{.count = 0}}, *entry = &entries[0];
    const struct book_field *field = book_field_named(found->field);
    bool is_deletion = strcmp(found->field, "deleted") == 0;
    unsigned count = 1;

    people_written(world, node);
    world_saw(world, is_deletion ? SEEN_DELETION_SETTLED : SEEN_CONFLICT_SETTLED);
    if (is_deletion && keep == 2)
        count = brought_back(world, node, record, entries);
    else if (is_deletion)
        entry->writes[entry->count++] =
            (struct book_write){.record = record, .field = MODEL_EXISTENCE, .deletes = true};
    else if (field != NULL)
        entry->writes[entry->count++] =
            (struct book_write){.record = record,
                                .field = field->number,
                                .token = book_token(keep == 0 ? value : found->texts[keep - 1])};
    book_take(world, node, book_village_of(world->model.records[record].scope), entries, count);
    if (world_is_well(world))
        invariant_shown(world, node, found->label);
}

void people_settle(struct world *world, struct node *node, struct dice *dice)
{
    struct conflict_found found = {.passed_over = dice_below(dice, 4)};
    const struct book_field *field;
    uint32_t record = MODEL_NONE, draw = dice_below(dice, 64);
    char value[24] = "";
    const char *out_value;

    enum cairn_status status = cairn_conflicts(node->replica, conflict_pick, &found, &world->err);
    if (status != CAIRN_OK) {
        people_refused(world, node, MODEL_NONE, status, "a list of conflicts");
        return;
    }
    if (found.versions == 0 || book_labelled(world, node, found.label, &record) != 1)
        return;
    bool is_deletion = strcmp(found.field, "deleted") == 0;
    unsigned keep = draw % (unsigned)(found.versions < 8 ? found.versions : 8) + 1;
    field = book_field_named(found.field);
    if (!is_deletion && draw % 5 == 0 && field != NULL) {
        keep = 0;
        book_value(world, field, value);
    }
    status = cairn_settle(node->replica, found.label, found.field, keep, keep == 0 ? value : NULL,
                          "the receipt was seen", &out_value, &world->err);
    trace_line(&world->trace, "  %s settles %s of %s, keeps %u: %s", node->tag, found.field,
               found.label, keep, cairn_status_name(status));
    if (status != CAIRN_OK)
        people_refused(world, node, record, status, "a settlement");
    else
        settle_take(world, node, &found, record, keep, value);
}
