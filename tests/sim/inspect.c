#include "inspect.h"

#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "digest.h"
#include "force.h"
#include "rebuild.h"
#include "replica_internal.h"
#include "schema.h"
#include "scope_log.h"

#define LOG_NUMBERS_MAX 1024

/* Core's numbers of logs, as ours. */
struct numbers {
    uint32_t log[LOG_NUMBERS_MAX];
};

static bool look_begin(struct world *world, struct node *node)
{
    node->disk.is_quiet = true;
    if (node->replica != NULL &&
        cairn_context_begin(&node->replica->ctx, CAIRN_TXN_READ) == CAIRN_OK)
        return true;
    node->disk.is_quiet = false;
    if (node->replica != NULL)
        world_fail(world, "inspect", "%s cannot be read", node->tag);
    return false;
}

static void look_end(struct node *node)
{
    cairn_context_abort(&node->replica->ctx);
    node->disk.is_quiet = false;
}

static uint32_t log_number(struct world *world, const struct cairn_log *log)
{
    uint32_t number = model_log_find(&world->model, &log->id);

    if (number != MODEL_NONE)
        return number;
    const struct model_log found = {.id = log->id,
                                    .grant = UINT32_MAX,
                                    .is_foreign = log->channel == CAIRN_CHANNEL_RECORDS,
                                    .scope = log->scope,
                                    .channel = log->channel};
    number = model_log_add(&world->model, &found);
    if (number == MODEL_NONE)
        world_fail(world, "too-many-logs", "more than %d logs: the run is too long",
                   MODEL_LOGS_MAX);
    return number;
}

void inspect_holdings(struct world *world, struct node *node)
{
    struct cairn_log log;
    enum cairn_status status;

    if (!node->held_is_stale || !look_begin(world, node))
        return;
    struct cairn_context *ctx = &node->replica->ctx;
    memset(&node->held, 0, sizeof node->held);
    for (status = cairn_log_next(ctx, &log, true); status == CAIRN_OK;
         status = cairn_log_next(ctx, &log, false)) {
        uint32_t number = log_number(world, &log);
        if (number == MODEL_NONE)
            break;
        node->held.size[number] = cairn_log_size(&log);
        node->held.covered[number] = log.covered;
    }
    look_end(node);
    node->held_is_stale = false;
}

static struct cairn_scope village_scope(unsigned village)
{
    return (struct cairn_scope){strtoull(world_village(village), NULL, 10)};
}

bool inspect_own_log(struct world *world, struct node *node, unsigned village,
                     struct cairn_hash *out_id, uint32_t *out_size)
{
    struct cairn_log log;

    if (!look_begin(world, node))
        return false;
    struct cairn_author author = cairn_replica_author(node->replica);
    enum cairn_status status = cairn_own_log_find(
        &node->replica->ctx, &author, village_scope(village), CAIRN_CHANNEL_RECORDS, &log);
    look_end(node);
    if (status != CAIRN_OK)
        return false;
    *out_id = log.id;
    *out_size = cairn_log_size(&log);
    return true;
}

static enum cairn_status kind_look(struct cairn_context *ctx, const struct cairn_hash *id,
                                   uint32_t index, uint64_t *out_kind)
{
    struct cairn_log log;
    struct cairn_entry entry;
    struct cairn_hash *commitments;

    CAIRN_TRY(cairn_log_find(ctx, id, &log));
    if (index >= cairn_log_size(&log))
        return CAIRN_NOT_FOUND;
    CAIRN_TRY(cairn_entry_load(ctx, &log, index, &entry, &commitments, NULL));
    *out_kind = entry.kind;
    return CAIRN_OK;
}

bool inspect_is_basis(struct world *world, struct node *node, const struct cairn_hash *log,
                      uint32_t index)
{
    uint64_t kind;

    if (!look_begin(world, node))
        return false;
    enum cairn_status status = kind_look(&node->replica->ctx, log, index, &kind);
    look_end(node);
    return status == CAIRN_OK && kind == CAIRN_KIND_BASIS;
}

unsigned inspect_schema(struct world *world, struct node *node)
{
    uint64_t version;

    if (!look_begin(world, node))
        return 0;
    enum cairn_status status = cairn_schema_newest(&node->replica->ctx, &version);
    look_end(node);
    return status == CAIRN_OK ? (unsigned)version : 0;
}

static enum cairn_status repeated_look(struct cairn_context *ctx, const struct cairn_hash *id,
                                       uint32_t index, bool *out_is_repeated)
{
    struct cairn_judged_change *change = cairn_arena_get(&ctx->arena, sizeof *change);
    struct cairn_log log;
    struct cairn_entry entry;
    struct cairn_hash *commitments;

    if (change == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_log_find(ctx, id, &log));
    CAIRN_TRY(cairn_entry_load(ctx, &log, index, &entry, &commitments, NULL));
    CAIRN_TRY(cairn_change_resolve(ctx, &log, index, &entry, commitments, change));
    return change->has_repeats ? cairn_original_in_force(ctx, &change->repeats, out_is_repeated)
                               : CAIRN_OK;
}

bool inspect_is_repeated(struct world *world, struct node *node, const struct cairn_hash *log,
                         uint32_t index)
{
    bool is_repeated = false;

    if (!look_begin(world, node))
        return false;
    enum cairn_status status = repeated_look(&node->replica->ctx, log, index, &is_repeated);
    look_end(node);
    if (status != CAIRN_OK)
        world_fail(world, "inspect", "%s: entry %u cannot be read", node->tag, index);
    return is_repeated;
}

uint64_t inspect_generation(const struct node *node)
{
    return cairn_replica_author(node->replica).generation;
}

unsigned inspect_own_logs(struct world *world, struct node *node, struct own_log *out_logs,
                          unsigned max)
{
    uint64_t last;
    unsigned count = 0;

    if (!look_begin(world, node))
        return 0;
    struct cairn_context *ctx = &node->replica->ctx;
    if (cairn_meta_number(ctx, "logs", &last) != CAIRN_OK)
        last = 0;
    for (uint32_t no = 1; no <= last && count < max; no++) {
        struct cairn_log log;
        if (cairn_log_load(ctx, no, &log) != CAIRN_OK || !log.is_known || log.own_generation == 0 ||
            log.channel != CAIRN_CHANNEL_RECORDS)
            continue;
        out_logs[count++] = (struct own_log){log_number(world, &log), cairn_log_size(&log),
                                             log.covered, log.own_generation};
    }
    look_end(node);
    return count;
}

/* ---- records ------------------------------------------------------------------------------- */

struct records_look {
    struct world *world;
    struct node *node;
    inspect_record_fn *visit;
    void *context;
    struct numbers *numbers;
    bool wants_values;
};

static uint32_t number_of(const struct records_look *look, uint32_t no)
{
    return no < LOG_NUMBERS_MAX ? look->numbers->log[no] : MODEL_NONE;
}

/* What the book calls this value. */
static uint32_t token_of(const struct records_look *look, struct cairn_context *ctx,
                         const struct cairn_live *live)
{
    struct cairn_value value;

    if (!look->wants_values || live->field == MODEL_EXISTENCE || live->is_closed ||
        cairn_live_value(ctx, live, &value) != CAIRN_OK)
        return 0;
    switch (value.kind) {
    case CAIRN_VALUE_INTEGER:
        return (uint32_t)value.integer;
    case CAIRN_VALUE_TEXT:
        return book_token_of((const char *)value.text.data, value.text.size);
    case CAIRN_VALUE_CLOSED:
        return 0;
    case CAIRN_VALUE_DOT:
        return BOOK_RECORD(model_record_of(
            &look->world->model, number_of(look, value.dot.log_number), (uint32_t)value.dot.index));
    case CAIRN_VALUE_POSITION:
        return BOOK_POSITION((uint32_t)value.position.state, (uint32_t)value.position.move,
                             (uint32_t)value.position.stage);
    }
    return 0;
}

static enum cairn_status record_look(void *context, struct cairn_context *ctx,
                                     const struct cairn_log *log,
                                     const struct cairn_record_state *state)
{
    struct records_look *look = context;
    struct seen_live live[MODEL_LIVE_MAX];
    char label[32] = "?";

    if (cairn_label_format(ctx, log, state, label) != CAIRN_OK)
        label[0] = '\0';
    struct seen_record record = {.log = number_of(look, state->id.log),
                                 .index = state->id.index,
                                 .label = label,
                                 .has_conflict = cairn_record_has_conflict(state),
                                 .is_deleted = cairn_record_is_deleted(state),
                                 .live = live};
    for (size_t i = 0; i < state->live_count && i < MODEL_LIVE_MAX; i++)
        live[record.live_count++] =
            (struct seen_live){state->live[i].field, number_of(look, state->live[i].dot.log),
                               state->live[i].dot.index, token_of(look, ctx, &state->live[i])};
    look->visit(look->context, look->world, look->node, &record);
    return world_is_well(look->world) ? CAIRN_OK : CAIRN_IO;
}

static void numbers_fill(struct world *world, struct cairn_context *ctx, struct numbers *numbers)
{
    struct cairn_log log;
    enum cairn_status status;

    memset(numbers, 0xff, sizeof *numbers);
    for (status = cairn_log_next(ctx, &log, true); status == CAIRN_OK;
         status = cairn_log_next(ctx, &log, false))
        if (log.no < LOG_NUMBERS_MAX)
            numbers->log[log.no] = model_log_find(&world->model, &log.id);
}

static void records_visit(struct records_look *look)
{
    struct numbers numbers;
    struct node *node = look->node;

    if (!look_begin(look->world, node))
        return;
    look->numbers = &numbers;
    numbers_fill(look->world, &node->replica->ctx, &numbers);
    if (cairn_states_visit(&node->replica->ctx, record_look, look) != CAIRN_OK)
        world_fail(look->world, "inspect", "the records of %s cannot be read", node->tag);
    look_end(node);
}

void inspect_records(struct world *world, struct node *node, inspect_record_fn *visit,
                     void *context)
{
    struct records_look look = {.world = world, .node = node, .visit = visit, .context = context};

    records_visit(&look);
}

void inspect_values(struct world *world, struct node *node, inspect_record_fn *visit, void *context)
{
    struct records_look look = {
        .world = world, .node = node, .visit = visit, .context = context, .wants_values = true};

    records_visit(&look);
}

/* ---- scopes -------------------------------------------------------------------------------- */

bool inspect_digest(struct world *world, struct node *node, unsigned village,
                    struct cairn_hash *out_digest)
{
    bool is_comparable = false;

    if (!look_begin(world, node))
        return false;
    enum cairn_status status = cairn_digest(&node->replica->ctx, village_scope(village),
                                            CAIRN_CHANNEL_RECORDS, out_digest, &is_comparable);
    look_end(node);
    return status == CAIRN_OK && is_comparable;
}

uint64_t inspect_scope_size(struct world *world, struct node *node, unsigned village)
{
    struct cairn_scope_log log = {.epoch = 0};

    if (!look_begin(world, node))
        return 0;
    if (cairn_scope_log_load(&node->replica->ctx, village_scope(village), CAIRN_CHANNEL_RECORDS,
                             &log) != CAIRN_OK)
        cairn_tree_init(&log.tree);
    look_end(node);
    return log.tree.size;
}

uint64_t inspect_fork_count(struct world *world, struct node *node)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_FORK);
    struct cairn_walk walk;
    uint64_t count = 0;

    if (!look_begin(world, node))
        return 0;
    if (cairn_walk_open(&node->replica->ctx, &prefix, (struct cairn_bytes){NULL, 0},
                        CAIRN_ASCENDING, &walk) == CAIRN_OK) {
        while (cairn_walk_next(&walk) == CAIRN_OK)
            count++;
        cairn_walk_close(&walk);
    }
    look_end(node);
    return count;
}
