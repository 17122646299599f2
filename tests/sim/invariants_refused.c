/* What a device wrote and what has no effect: the list of cairn_refused. */

#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "invariants.h"

/* Entries, in any order: how many, and which. */
struct entry_bag {
    uint64_t count, mix;
};

static void bag_add(struct entry_bag *bag, uint64_t index, uint64_t time_s)
{
    uint64_t mix = (index + 1) * 0x9e3779b97f4a7c15u ^ time_s * 0xc2b2ae3d27d4eb4fu;

    bag->count++;
    bag->mix += mix ^ mix >> 29;
}

struct refused_look {
    struct entry_bag all, unanswered;
    uint64_t unanswered_count; /* of all channels */
};

static bool refused_add(void *context, const struct cairn_refused_item *item)
{
    struct refused_look *look = context;

    look->unanswered_count += !item->is_answered;
    if (strcmp(item->channel, "records") != 0)
        return true;
    uint64_t index = strtoul(strrchr(item->number, '.') + 1, NULL, 10);
    bag_add(&look->all, index, item->time_s);
    if (!item->is_answered)
        bag_add(&look->unanswered, index, item->time_s);
    return true;
}

/* Does what counts repeat the version, or did its device write on the record again? */
static bool is_answered(const struct model *model, const struct node *node, uint32_t number)
{
    const struct model_version *version = &model->versions[number];
    const struct model_record *record = &model->records[version->record];

    if (version->repeats != MODEL_NONE &&
        model_is_inside(model, &node->held, version->log, version->index))
        return true;
    for (uint32_t i = 0; i < record->count; i++) {
        const struct model_version *other = &model->versions[record->versions[i]];
        bool is_later = record->versions[i] > number &&
                        model->logs[other->log].grant == node->grant &&
                        (other->log != version->log || other->index > version->index);
        bool repeats = other->repeats != MODEL_NONE &&
                       model->versions[other->repeats].log == version->log &&
                       model->versions[other->repeats].index == version->index;
        if ((is_later || repeats) && model_in_force(model, &node->held, other))
            return true;
    }
    return false;
}

/* Entries of edits behind a cut that is known here, and repetitions of what counts after all. */
static void refused_due(struct world *world, struct node *node, struct refused_look *out)
{
    const struct model *model = &world->model;

    for (uint32_t log = 0; log < model->log_count; log++) {
        const struct model_log *own = &model->logs[log];
        for (uint32_t e = 0; own->grant == node->grant && e < own->entry_count; e++) {
            uint32_t number = own->first_versions[e];
            if (number == MODEL_NONE || node->held.size[log] <= e)
                continue;
            const struct model_version *version = &model->versions[number];
            if (model_in_force(model, &node->held, version))
                continue;
            bag_add(&out->all, e, version->time_s);
            if (!is_answered(model, node, number))
                bag_add(&out->unanswered, e, version->time_s);
        }
    }
}

/* Of a device with two histories nothing is foretold. */
static bool is_foretold(const struct world *world, const struct node *node)
{
    const struct model *model = &world->model;

    for (uint32_t log = 0; log < model->log_count; log++)
        if (model->logs[log].grant == node->grant && model->logs[log].is_forked)
            return false;
    return !node->is_hostile && !node_may_fail(node);
}

/* Which of two copies of a device wrote later nobody can say. */
static bool has_copies(const struct world *world, const struct node *node)
{
    unsigned count = 0;

    for (unsigned i = 0; i < world->node_count; i++)
        count += world->nodes[i].grant == node->grant;
    return count > 1;
}

static void bags_compare(struct world *world, const struct node *node, const char *what,
                         const struct entry_bag *listed, const struct entry_bag *due)
{
    if (due->count != listed->count || due->mix != listed->mix)
        world_fail(world, "refused", "%s lists %llu entries of its own %s, %llu are due%s",
                   node->tag, (unsigned long long)listed->count, what,
                   (unsigned long long)due->count, due->count == listed->count ? ", others" : "");
}

bool invariant_refused(struct world *world, struct node *node)
{
    struct refused_look all = {.unanswered_count = 0}, unanswered = all, due = all;
    struct cairn_status_report report;

    bool is_read =
        is_foretold(world, node) &&
        WORLD_MUST(world, cairn_status_get(node->replica, &report, &world->err)) &&
        report.awaiting_count == 0 && /* what waits may be its own */
        WORLD_MUST(world, cairn_refused(node->replica, true, refused_add, &all, &world->err)) &&
        WORLD_MUST(world,
                   cairn_refused(node->replica, false, refused_add, &unanswered, &world->err));
    if (!is_read)
        return false;
    if (report.refused_count != unanswered.unanswered_count ||
        report.refused_count != all.unanswered_count)
        world_fail(world, "refused",
                   "the status of %s counts %llu entries without effect, lists have %llu and %llu",
                   node->tag, (unsigned long long)report.refused_count,
                   (unsigned long long)unanswered.unanswered_count,
                   (unsigned long long)all.unanswered_count);
    inspect_holdings(world, node);
    refused_due(world, node, &due);
    bags_compare(world, node, "without effect", &all.all, &due.all);
    if (!has_copies(world, node))
        bags_compare(world, node, "that nothing answers", &unanswered.all, &due.unanswered);
    return due.all.count > 0;
}
