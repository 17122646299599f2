#include "decrees.h"

#include <string.h>

#include "cairn/grant.h"
#include "inspect.h"
#include "links.h"
#include "replica_internal.h"

#define CUTS_MAX 64

/* One authority entry of the office, written as core writes its own. */
struct decree_work {
    struct node *node; /* whom it is about */
    struct dice *dice;
    struct model_decree decree; /* what comes of it */
    struct world *world;
    struct cairn_hash log; /* of the office */
    uint32_t size;
};

static enum cairn_status decree_append(struct cairn_replica *author, const char *scope,
                                       const struct cairn_writer *entry, struct cairn_log *out_log)
{
    struct cairn_author pen = cairn_replica_author(author);
    struct cairn_scope at;

    CAIRN_ASSERT(!entry->overflowed && cairn_scope_parse(scope, &at));
    CAIRN_TRY(cairn_own_log(&author->ctx, &pen, at, CAIRN_CHANNEL_AUTHORITY, out_log));
    return cairn_apply_own(&author->ctx, &pen, out_log, cairn_writer_bytes(entry), 1);
}

/* ---- revocations --------------------------------------------------------------------------- */

static enum cairn_status cuts_gather(struct cairn_context *ctx,
                                     const struct decree_revocation *revocation,
                                     struct cairn_head cuts[static CUTS_MAX], size_t *out_count)
{
    struct cairn_log log;
    enum cairn_status status;

    *out_count = 0;
    for (status = cairn_log_next(ctx, &log, true); status == CAIRN_OK && *out_count < CUTS_MAX;
         status = cairn_log_next(ctx, &log, false)) {
        struct cairn_head *cut = &cuts[*out_count];
        uint32_t size;
        if (!revocation->lists(revocation->context, &log, &size))
            continue;
        *cut = (struct cairn_head){.log = log.id, .size = size};
        if (size > 0)
            CAIRN_TRY(cairn_log_root_at(ctx, &log, size, &cut->root));
        ++*out_count;
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status revocation_apply(struct cairn_replica *author, void *context)
{
    struct decree_revocation *revocation = context;
    struct cairn_head cuts[CUTS_MAX];
    uint8_t bytes[8192];
    struct cairn_writer writer;
    struct cairn_ref grant;
    size_t count;

    CAIRN_TRY(
        cairn_grant_of_seal_key(&author->ctx, &revocation->node->replica->keys.open.seal, &grant));
    CAIRN_TRY(cuts_gather(&author->ctx, revocation, cuts, &count));
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_revocation_write(&writer, author->ports->ops->now_s(author->ports), &author->under,
                           &grant, cuts, count);
    return decree_append(author, revocation->scope, &writer, &revocation->log);
}

enum cairn_status decree_revoke(struct world *world, struct node *author,
                                struct decree_revocation *revocation)
{
    author->held_is_stale = true;
    return cairn_replica_write(author->replica, revocation_apply, revocation, &world->err);
}

bool decree_is_of(const struct node *node, const struct cairn_log *log)
{
    const struct cairn_sign_public *key = &node->replica->keys.open.seal;

    return memcmp(log->device.bytes, key->bytes, sizeof key->bytes) == 0;
}

/* Where a log is cut: at what is covered, or, when the device is doubted, earlier. What lies above
 * has reached nobody who would not take it under a checkpoint. */
static bool office_lists(void *context, const struct cairn_log *log, uint32_t *out_size)
{
    struct decree_work *work = context;
    uint32_t number = model_log_find(&work->world->model, &log->id);
    uint32_t size = log->covered;

    if (!decree_is_of(work->node, log) || number == MODEL_NONE)
        return false;
    if (size > 1 && dice_one_in(work->dice, 3))
        size = 1 + dice_below(work->dice, size - 1);
    work->decree.cuts[number] = size;
    *out_size = size;
    return size > 0;
}

static void decree_take(struct world *world, struct decree_work *work)
{
    struct node *office = &world->nodes[world->office];

    office->held_is_stale = true;
    inspect_holdings(world, office);
    uint32_t log = model_log_find(&world->model, &work->log);
    if (log == MODEL_NONE) {
        world_fail(world, "decree", "the office's log is not in the book");
        return;
    }
    work->decree.by_log = log;
    work->decree.by_index = work->size - 1;
    world->model.decrees[world->model.decree_count++] = work->decree;
}

static bool office_is_ready(struct world *world, struct dice *dice)
{
    struct node *office = &world->nodes[world->office];

    if (office->replica == NULL || world->model.decree_count == MODEL_DECREES_MAX)
        return false;
    node_power_on(world, &world->nodes[world->server], false);
    return links_sync(world, office, dice, true) == LINK_DONE;
}

bool decrees_revoke(struct world *world, struct dice *dice)
{
    struct node *office = &world->nodes[world->office];
    struct node *node = world_pick_station(world, dice);
    struct decree_work work = {.node = node, .dice = dice, .world = world};

    if (node->kind != NODE_STATION || node->replica == NULL || node->is_revoked ||
        world->model.decree_count >= 3 || !office_is_ready(world, dice))
        return false;
    work.decree.grant = node->grant;
    struct decree_revocation revocation = {
        .node = node, .scope = WORLD_COUNTY, .lists = office_lists, .context = &work};
    enum cairn_status status = decree_revoke(world, office, &revocation);
    if (status == CAIRN_NOT_FOUND)
        return false; /* it went back to before the grant, which has not come round yet */
    if (!WORLD_MUST(world, status))
        return false;
    trace_line(&world->trace, "#%llu the office revokes %s", (unsigned long long)world->step,
               node->tag);
    work.log = revocation.log.id;
    work.size = cairn_log_size(&revocation.log);
    decree_take(world, &work);
    for (unsigned i = 0; i < world->node_count; i++)
        if (world->nodes[i].grant == node->grant)
            world->nodes[i].is_revoked = true;
    return true;
}

static enum cairn_status adoption_apply(struct cairn_replica *office, void *context)
{
    struct decree_work *work = context;
    const struct model_decree *decree = &work->decree;
    struct cairn_adopt adopt = {.under = office->under, .from = decree->from, .to = decree->to};
    struct cairn_writer writer;
    struct cairn_log log;
    uint8_t bytes[256];

    adopt.log = work->world->model.logs[decree->log].id;
    CAIRN_TRY(cairn_log_find(&office->ctx, &adopt.log, &log));
    CAIRN_TRY(cairn_log_root_at(&office->ctx, &log, adopt.to, &adopt.root));
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_adopt_write(&writer, office->ports->ops->now_s(office->ports), &adopt);
    CAIRN_TRY(decree_append(office, WORLD_COUNTY, &writer, &log));
    work->log = log.id;
    work->size = cairn_log_size(&log);
    return CAIRN_OK;
}

/* A log that a revocation cut below what is covered. */
static bool adoptable(struct world *world, struct model_decree *out_decree)
{
    const struct node *office = &world->nodes[world->office];

    for (uint32_t i = 0; i < world->model.decree_count; i++) {
        const struct model_decree *decree = &world->model.decrees[i];
        for (uint32_t log = 0; log < world->model.log_count && !decree->adopts; log++) {
            uint32_t covered = office->held.covered[log];
            if (world->model.logs[log].grant != decree->grant || decree->cuts[log] == 0 ||
                decree->cuts[log] >= covered)
                continue;
            *out_decree = (struct model_decree){
                .adopts = true, .log = log, .from = decree->cuts[log], .to = covered};
            return true;
        }
    }
    return false;
}

bool decrees_adopt(struct world *world, struct dice *dice)
{
    struct node *office = &world->nodes[world->office];
    struct decree_work work = {.world = world, .dice = dice};

    inspect_holdings(world, office);
    if (!adoptable(world, &work.decree) || !office_is_ready(world, dice))
        return false;
    inspect_holdings(world, office);
    if (!WORLD_MUST(world,
                    cairn_replica_write(office->replica, adoption_apply, &work, &world->err)))
        return false;
    trace_line(&world->trace, "#%llu the office adopts entries %u to %u of a log",
               (unsigned long long)world->step, work.decree.from, work.decree.to);
    decree_take(world, &work);
    world_saw(world, SEEN_ADOPTED);
    return true;
}
