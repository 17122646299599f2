/* One record, as the facade shows it: invariant_shown and invariant_history. */

#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "invariants.h"

static bool text_is_live(const struct world *world, const struct book_sight *sight,
                         const struct book_field *field, const char *text)
{
    uint32_t token = book_token(text);

    for (uint32_t i = 0; i < sight->count; i++) {
        const struct model_version *version = &world->model.versions[sight->live[i]];
        if (version->field == field->number && version->token == token)
            return true;
    }
    return false;
}

static const char *const state_names[] = {"",       "identified", "registered",
                                          "exited", "returned",   "marginal"};

/* Is this one of the values that are due? */
static bool version_is_due(const struct world *world, const struct book_sight *sight,
                           const struct book_field *field, const struct cairn_version *shown)
{
    for (uint32_t i = 0; i < sight->count; i++) {
        const struct model_version *version = &world->model.versions[sight->live[i]];
        if (version->field != field->number)
            continue;
        if (field->number == BOOK_LISTING && shown->label_en != NULL &&
            strcmp(shown->label_en, state_names[version->token & 7]) == 0)
            return true;
        if (field->number == BOOK_MEASURES &&
            strcmp(shown->value, book_measure(version->token)) == 0)
            return true;
        if (field->number == BOOK_SAME &&
            strcmp(shown->value, world->model.records[version->token - 1].label) == 0)
            return true;
    }
    return field->kind == MODEL_SET && text_is_live(world, sight, field, shown->value);
}

/* How many values a field has: the same element counts once, a counter has its sum. */
static size_t values_due(const struct world *world, const struct book_sight *sight,
                         const struct book_field *field, uint32_t *out_sum)
{
    const struct model_version *versions = world->model.versions;
    size_t due = 0;

    *out_sum = 0;
    for (uint32_t i = 0; i < sight->count; i++) {
        const struct model_version *version = &versions[sight->live[i]];
        bool is_new = version->field == field->number;
        *out_sum += is_new ? version->token : 0;
        for (uint32_t k = 0; k < i && field->kind == MODEL_ADD; k++)
            is_new = is_new && (versions[sight->live[k]].field != version->field ||
                                versions[sight->live[k]].token != version->token);
        due += is_new;
    }
    return field->kind == MODEL_COUNT && due > 0 ? 1 : due;
}

static void field_compare(struct world *world, struct node *node, const char *label,
                          const struct book_sight *sight, const struct cairn_field_state *shown)
{
    const struct book_field *field = book_field_named(shown->name);
    uint32_t sum;

    if (field == NULL)
        return; /* "deleted": the flags say it */
    size_t due = values_due(world, sight, field, &sum);
    bool is_right = due == shown->version_count;
    for (size_t i = 0; i < shown->version_count && is_right; i++)
        is_right = field->kind == MODEL_COUNT
                       ? (int32_t)sum == strtol(shown->versions[i].value, NULL, 10)
                       : version_is_due(world, sight, field, &shown->versions[i]);
    if (!is_right)
        world_fail(world, "shown", "%s shows %zu values of %s of %s (%s), %zu are due", node->tag,
                   shown->version_count, shown->name, label, shown->versions[0].value, due);
    if (field->kind == MODEL_ADD && due > 1)
        world_saw(world, SEEN_ELEMENTS);
    if (field->kind == MODEL_STEP && due > 1)
        world_saw(world, SEEN_STEPS_UNSEEN);
    if (field->kind == MODEL_SET && due == 2)
        world_saw(world, SEEN_CONFLICT);
    if (field->kind == MODEL_SET && due > 2)
        world_saw(world, SEEN_CONFLICT_OF_THREE);
}

/* A workflow stands in its first state before anybody writes one: nobody's name is with it. */
static bool is_written(const struct cairn_field_state *field)
{
    return field->version_count == 0 || field->versions[0].tag[0] != '\0';
}

static size_t fields_due(const struct world *world, const struct book_sight *sight)
{
    size_t count = 0;

    for (uint32_t i = 0; i < sight->count; i++) {
        const struct model_version *version = &world->model.versions[sight->live[i]];
        bool is_new = version->field != MODEL_EXISTENCE;
        for (uint32_t k = 0; k < i; k++)
            is_new = is_new && world->model.versions[sight->live[k]].field != version->field;
        count += is_new;
    }
    return count;
}

static bool is_contested(const struct cairn_record *shown)
{
    for (size_t f = 0; f < shown->field_count; f++)
        if (strcmp(shown->fields[f].name, "deleted") == 0)
            return true;
    return false;
}

static void record_compare(struct world *world, struct node *node, uint32_t number,
                           const struct cairn_record *shown)
{
    struct book_sight sight;
    size_t known = 0;

    book_look(world, node, number, &sight);
    for (size_t f = 0; f < shown->field_count; f++) {
        if (!is_written(&shown->fields[f]))
            continue;
        field_compare(world, node, shown->id, &sight, &shown->fields[f]);
        known += strcmp(shown->fields[f].name, "deleted") != 0;
    }
    if (known != fields_due(world, &sight))
        world_fail(world, "shown", "%s shows %zu fields of %s, %zu are due", node->tag, known,
                   shown->id, fields_due(world, &sight));
    if (sight.count > 0 &&
        (shown->is_deleted != sight.is_deleted || shown->has_conflict != sight.has_conflict))
        world_fail(world, "shown", "%s says of %s deleted %d conflict %d, %d %d are due", node->tag,
                   shown->id, shown->is_deleted, shown->has_conflict, sight.is_deleted,
                   sight.has_conflict);
    if (sight.has_conflict && is_contested(shown))
        world_saw(world, SEEN_DELETION_CONTESTED);
}

void invariant_shown(struct world *world, struct node *node, const char *label)
{
    const struct cairn_record *record;
    uint32_t number;

    unsigned count = book_labelled(world, node, label, &number);
    if (count == 0 || node_may_fail(node))
        return;
    enum cairn_status status = cairn_get(node->replica, label, &record, &world->err);
    if (status == CAIRN_AMBIGUOUS && book_may_share(world, node, label))
        world_saw(world, SEEN_LABEL_AMBIGUOUS);
    else if (status != CAIRN_OK)
        world_fail(world, "shown", "%s does not show %s: %s", node->tag, label, world->err.text);
    else if (count == 1 && !model_is_vague(&world->model, number))
        record_compare(world, node, number, record);
}

void invariant_history(struct world *world, struct node *node, uint32_t number, uint64_t count)
{
    const struct model_record *record = &world->model.records[number];
    uint64_t due = 0;

    if (model_is_vague(&world->model, number) ||
        book_labelled(world, node, record->label, &number) != 1)
        return;
    for (uint32_t i = 0; i < record->count; i++) {
        const struct model_version *version = &world->model.versions[record->versions[i]];
        bool is_creation = version->field == MODEL_EXISTENCE && !version->deletes;
        due += !is_creation && !version->is_gone && node->held.size[version->log] > version->index;
    }
    if (count < due)
        world_fail(world, "history", "the history of %s at %s has %llu items, %llu are due",
                   record->label, node->tag, (unsigned long long)count, (unsigned long long)due);
}
