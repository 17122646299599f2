#include "twins.h"

#include <stdlib.h>
#include <string.h>

#include "couriers.h"
#include "forge.h"
#include "inspect.h"
#include "links.h"
#include "people_internal.h"

struct finding_wanted {
    const char *what;
    bool is_found;
};

static void finding_look(void *context, uint64_t number, const char *text, const char *affects)
{
    struct finding_wanted *wanted = context;

    (void)number;
    (void)affects;
    wanted->is_found = wanted->is_found || strstr(text, wanted->what) != NULL;
}

void audited_together(struct world *world, const struct bundle *one, const struct bundle *two,
                      const char *what)
{
    static const char *const names[] = {"one", "two"};
    const struct cairn_bytes files[] = {{one->data, one->size}, {two->data, two->size}};
    struct finding_wanted wanted = {.what = what};
    const struct cairn_audit_visitor visitor = {.finding = finding_look, .context = &wanted};
    struct cairn_audit_report report;

    const struct cairn_audit_given given = {
        .root_statement = {world->root_statement, world->root_statement_size},
        .files = files,
        .file_names = names,
        .file_count = 2};

    if (!WORLD_MUST(world, cairn_audit_files(&given, &visitor, &report, NULL, &world->err)))
        return;
    if (!wanted.is_found)
        world_fail(world, "fork-unseen", "an auditor with both histories does not find: %s", what);
    else
        world_saw(world, SEEN_AUDIT_FOUND);
}

void twins_audited(struct world *world, const struct node *node, const struct bundle *one,
                   const struct bundle *two)
{
    char what[64];

    snprintf(what, sizeof what, "%s signed two different histories", node->tag);
    audited_together(world, one, two, what);
}

struct node *twins_make(struct world *world, struct node *node)
{
    struct disk_copy copy;
    struct node *twin = world_node_add(world, node->kind, node->village, node->tag);

    if (twin == NULL || !WORLD_MUST(world, disk_copy_take(&node->disk, &copy)))
        return NULL;
    WORLD_MUST(world, disk_copy_put(&copy, &twin->disk));
    disk_copy_drop(&copy);
    uint64_t place = node->machine.place;
    twin->machine.key = node->machine.key;
    twin->machine.mark = node->machine.mark;
    twin->machine.synced_mark = node->machine.synced_mark;
    twin->machine.place = place;
    twin->is_hostile = true;
    return node_open(world, twin) == CAIRN_OK ? twin : NULL;
}

void twins_retire(struct node *twin)
{
    node_close(twin);
    memset(&twin->held, 0, sizeof twin->held);
    twin->is_joined = false;
    twin->kind = NODE_AUDITOR; /* it takes no turns any more */
}

/* The original comes second: what it wrote since the copy lies on the branch that does not count,
 * and its log goes on behind the twin's. Nothing is foretold of that log any more. */
static void original_gives_way(struct world *world, struct node *node)
{
    struct cairn_hash id;
    uint32_t size;

    if (!inspect_own_log(world, node, node->village, &id, &size))
        return;
    uint32_t log = model_log_find(&world->model, &id);
    if (log == MODEL_NONE)
        return;
    model_log_cut(&world->model, log, size - 1);
    model_log_grow(&world->model, log, size);
    world->model.logs[log].is_forked = true;
}

static void fork_must_be_seen(struct world *world, const struct node *node, uint64_t before,
                              const struct bundle *one, const struct bundle *two)
{
    if (inspect_fork_count(world, &world->nodes[world->server]) == before)
        world_fail(world, "fork-unseen", "the server keeps no evidence of the fork of %s",
                   node->tag);
    else
        world_saw(world, SEEN_FORK_KEPT);
    if (world_is_well(world) && one->is_there && two->is_there)
        twins_audited(world, node, one, two);
}

/* Both hands write the same place of the log; one syncs before the other. */
static void fork_play(struct world *world, struct node *node, struct node *twin, struct dice *dice,
                      bool twin_is_first)
{
    uint64_t before = inspect_fork_count(world, &world->nodes[world->server]);
    struct node *first = twin_is_first ? twin : node, *second = twin_is_first ? node : twin;

    puts_create(world, node, dice);
    if (!world_is_well(world) || !forge_create(world, twin, "twin"))
        return;
    struct bundle one = couriers_bundle(world, second, true), two = {.is_there = false};
    if (links_sync(world, first, dice, true) == LINK_DONE) {
        two = couriers_bundle(world, first, true);
        enum link_end end = links_sync(world, second, dice, true);
        if (twin_is_first && end != LINK_DONE)
            world_fail(world, "fork-heals", "%s cannot sync after its twin: %s", node->tag,
                       world->err.text);
        fork_must_be_seen(world, node, before, &one, &two);
        if (twin_is_first)
            original_gives_way(world, node);
    }
    free(one.data);
    free(two.data);
}

bool twins_fork(struct world *world, struct dice *dice)
{
    struct node *node = world_pick_ready(world, dice);
    struct cairn_hash log;
    uint32_t size;

    if (node == NULL || node->is_revoked || world->node_count + 2 > WORLD_NODES_MAX ||
        links_sync(world, node, dice, true) != LINK_DONE || !world_is_well(world))
        return false;
    if (!inspect_own_log(world, node, node->village, &log, &size))
        return false; /* there is no log yet that two could write */
    struct node *twin = twins_make(world, node);
    if (twin == NULL)
        return false;
    bool twin_is_first = dice_one_in(dice, 2);
    trace_line(&world->trace, "#%llu %s is copied with key and mark, and the %s syncs first",
               (unsigned long long)world->step, node->tag, twin_is_first ? "copy" : "original");
    fork_play(world, node, twin, dice, twin_is_first);
    twins_retire(twin);
    return true;
}
