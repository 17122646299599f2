#include "invariants.h"

#include <stdlib.h>
#include <string.h>

#include "book.h"

#define COUNTS_EVERY 64 /* steps between two looks at the counts in a status */
#define AUDIT_EVERY 500 /* steps between two audits of somebody */

/* One check of one replica, counted where there was something to compare. */
static void check_run(struct world *world, struct node *node, invariant_fn *check)
{
    bool was_compared = check(world, node);

    for (unsigned i = 0; i < sim_invariant_count && was_compared; i++)
        if (sim_invariants[i].check == check)
            world->tally.invariants[i]++;
}

/* ---- cheap --------------------------------------------------------------------------------- */

static bool count_record(void *context, const struct cairn_record *record)
{
    (void)record;
    ++*(uint64_t *)context;
    return true;
}

/* Own edits that no checkpoint covers; bases are not counted. */
static uint64_t waiting_due(struct world *world, struct node *node)
{
    struct own_log logs[MODEL_LOGS_MAX];
    unsigned count = inspect_own_logs(world, node, logs, MODEL_LOGS_MAX);
    uint64_t due = 0;

    for (unsigned i = 0; i < count; i++)
        for (uint32_t e = logs[i].covered; e < logs[i].size; e++)
            due += !inspect_is_basis(world, node, &world->model.logs[logs[i].log].id, e);
    return due;
}

static bool counts_agree(struct world *world, struct node *node)
{
    struct cairn_status_report report;
    uint64_t records = 0, conflicts = 0;

    if (node_may_fail(node))
        return false;
    bool is_read =
        WORLD_MUST(world, cairn_status_get(node->replica, &report, &world->err)) &&
        WORLD_MUST(world, cairn_list(node->replica, "household", NULL, 0, count_record, &records,
                                     &world->err)) &&
        WORLD_MUST(world, cairn_conflicts(node->replica, count_record, &conflicts, &world->err));
    bool is_waiting_known = node->kind != NODE_ROOT && node->kind != NODE_OFFICE; /* grants wait */
    if (is_read && is_waiting_known && report.unreceived_count != waiting_due(world, node))
        world_fail(world, "received", "%s says that %llu edits wait, %llu do", node->tag,
                   (unsigned long long)report.unreceived_count,
                   (unsigned long long)waiting_due(world, node));
    if (is_read && (report.record_count != records || report.conflict_count != conflicts))
        world_fail(world, "counts",
                   "the status of %s counts %llu records and %llu conflicts, lists have %llu "
                   "and %llu",
                   node->tag, (unsigned long long)report.record_count,
                   (unsigned long long)report.conflict_count, (unsigned long long)records,
                   (unsigned long long)conflicts);
    return is_read;
}

void invariant_counts(struct world *world, struct node *node)
{
    check_run(world, node, counts_agree);
}

static bool counts_now_and_then(struct world *world, struct node *node)
{
    return world->step % COUNTS_EVERY == 0 && counts_agree(world, node);
}

static bool nothing_left_open(struct world *world, struct node *node)
{
    if (node->disk.open_count != 0)
        world_fail(world, "left-open", "%s has left %ld transactions or ranges open", node->tag,
                   node->disk.open_count);
    return true;
}

/* ---- the whole state ----------------------------------------------------------------------- */

struct state_look {
    uint8_t *was_seen; /* by record */
    uint32_t wrong;    /* a record, or MODEL_NONE */
};

static bool is_due(const struct model *model, const struct book_sight *sight,
                   const struct seen_live *live)
{
    for (uint32_t i = 0; i < sight->count; i++) {
        const struct model_version *version = &model->versions[sight->live[i]];
        if (version->field == live->field && version->log == live->log &&
            version->index == live->index)
            return true;
    }
    return false;
}

/* What the book has of a record, for whoever reads the trace. */
static void due_explain(struct world *world, const struct node *node, uint32_t record,
                        const struct book_sight *sight)
{
    const struct model *model = &world->model;

    for (uint32_t i = 0; i < model->records[record].count; i++) {
        const struct model_version *version = &model->versions[model->records[record].versions[i]];
        const struct model_version *first =
            version->repeats == MODEL_NONE ? NULL : &model->versions[version->repeats];
        trace_line(&world->trace,
                   "    book: field %u value %u at log %u index %u of %u%s log %u index %u",
                   version->field, version->token, version->log, version->index,
                   node->held.size[version->log], first == NULL ? "" : ", repeats",
                   first == NULL ? 0 : first->log, first == NULL ? 0 : first->index);
    }

    for (uint32_t i = 0; i < sight->count; i++) {
        const struct model_version *version = &model->versions[sight->live[i]];
        trace_line(&world->trace, "    due:  field %u value %u at log %u index %u%s",
                   version->field, version->token, version->log, version->index,
                   version->repeats == MODEL_NONE ? "" : " (repeats another)");
    }
}

/* Both sides. */
static void state_explain(struct world *world, const struct node *node,
                          const struct book_sight *sight, const struct seen_record *seen)
{
    const struct model *model = &world->model;

    due_explain(world, node, model_record_of(model, seen->log, seen->index), sight);
    for (size_t i = 0; i < seen->live_count; i++) {
        const struct seen_live *live = &seen->live[i];
        uint32_t number = model_version_of(model, live->log, live->index, (uint32_t)live->field);
        trace_line(&world->trace, "    live: field %llu value %u at log %u index %u",
                   (unsigned long long)live->field,
                   number == MODEL_NONE ? 0 : model->versions[number].token, live->log,
                   live->index);
    }
}

static void state_record(void *context, struct world *world, struct node *node,
                         const struct seen_record *seen)
{
    struct state_look *look = context;
    struct book_sight sight;

    for (size_t i = 0; i < seen->live_count; i++)
        if (seen->live[i].log == MODEL_NONE || world->model.logs[seen->live[i].log].is_foreign) {
            world_fail(world, "right-exceeded",
                       "%s shows in %s what nobody may write: field %llu by entry %u of log %u",
                       node->tag, seen->label, (unsigned long long)seen->live[i].field,
                       seen->live[i].index, seen->live[i].log);
            return;
        }
    uint32_t number = model_record_of(&world->model, seen->log, seen->index);
    if (number == MODEL_NONE || model_is_vague(&world->model, number)) {
        bool is_forked = seen->log != MODEL_NONE && world->model.logs[seen->log].is_forked;
        if (number == MODEL_NONE && !is_forked)
            world_fail(world, "state", "%s has a record %s that nobody made", node->tag,
                       seen->label);
        return;
    }
    look->was_seen[number] = 1;
    book_look(world, node, number, &sight);
    bool is_right = sight.count == seen->live_count && sight.is_deleted == seen->is_deleted &&
                    sight.has_conflict == seen->has_conflict;
    for (size_t i = 0; i < seen->live_count && is_right; i++)
        is_right = is_due(&world->model, &sight, &seen->live[i]);
    if (is_right)
        return;
    look->wrong = number;
    state_explain(world, node, &sight, seen);
    world_fail(world, "state",
               "%s has %zu live versions of %s, deleted %d, in conflict %d; %u, %d, %d are due",
               node->tag, seen->live_count, seen->label, seen->is_deleted, seen->has_conflict,
               sight.count, sight.is_deleted, sight.has_conflict);
}

static bool history_explain(void *context, const struct cairn_history_item *item)
{
    struct world *world = context;

    trace_line(&world->trace, "    history: %s %s %s=%s%s%s", item->tag, item->operation,
               item->field == NULL ? "" : item->field,
               item->new_value == NULL ? "" : item->new_value,
               item->is_in_force ? "" : ", not: ", item->why_not == NULL ? "" : item->why_not);
    return true;
}

static void replica_explain(struct world *world, struct node *node, const char *label)
{
    struct cairn_status_report report;

    if (cairn_history(node->replica, label, history_explain, world, &world->err) != CAIRN_OK)
        trace_line(&world->trace, "    no history: %s", world->err.text);
    if (cairn_status_get(node->replica, &report, &world->err) == CAIRN_OK)
        trace_line(
            &world->trace,
            "    %s: %llu refused, %llu newer, %llu awaiting, %llu parked, %llu wait", node->tag,
            (unsigned long long)report.refused_count, (unsigned long long)report.newer_count,
            (unsigned long long)report.awaiting_count, (unsigned long long)report.parked_count,
            (unsigned long long)report.unreceived_count);
}

static bool state_is_due(struct world *world, struct node *node)
{
    struct model *model = &world->model;
    struct state_look look = {calloc(1, model->record_count + 1u), MODEL_NONE};
    struct book_sight sight;

    CAIRN_ASSERT(look.was_seen != NULL);
    inspect_holdings(world, node);
    inspect_records(world, node, state_record, &look);
    if (look.wrong != MODEL_NONE)
        replica_explain(world, node, model->records[look.wrong].label);
    for (uint32_t i = 0; i < model->record_count && world_is_well(world); i++) {
        const struct model_record *record = &model->records[i];
        if (look.was_seen[i] || node->held.size[record->log] <= record->index ||
            model_is_vague(model, i))
            continue;
        book_look(world, node, i, &sight);
        if (sight.count == 0)
            continue;
        due_explain(world, node, i, &sight);
        replica_explain(world, node, record->label);
        world_fail(world, "state", "%s has nothing of %s, %u live versions are due", node->tag,
                   record->label, sight.count);
    }
    free(look.was_seen);
    return model->record_count > 0;
}

/* Nobody holds edits of a village that its grant does not cover. */
static bool nobody_reads_more(struct world *world, struct node *node)
{
    const struct model *model = &world->model;

    inspect_holdings(world, node);
    for (uint32_t log = 0; log < model->log_count; log++)
        if (model->logs[log].channel == CAIRN_CHANNEL_RECORDS && node->held.size[log] > 0 &&
            !book_covers(node, model->logs[log].scope))
            world_fail(world, "read-exceeded", "%s holds %u entries of %s", node->tag,
                       node->held.size[log],
                       world_village(book_village_of(model->logs[log].scope)));
    return node->kind == NODE_STATION || node->kind == NODE_TOWNSHIP;
}

/* ---- between replicas ---------------------------------------------------------------------- */

/* Do two replicas hold the same of what decides about a village? */
static bool hold_the_same(const struct world *world, const struct node *a, const struct node *b,
                          unsigned village)
{
    const struct model *model = &world->model;

    for (uint32_t log = 0; log < model->log_count; log++) {
        bool counts = model->logs[log].channel == CAIRN_CHANNEL_AUTHORITY ||
                      book_village_of(model->logs[log].scope) == village;
        if (!counts)
            continue;
        if (a->held.size[log] != b->held.size[log])
            return false;
        if (model->logs[log].is_forked && a->held.covered[log] != b->held.covered[log])
            return false;
    }
    return true;
}

static bool digests_equal(struct world *world, struct node *node)
{
    struct cairn_hash digest, other;
    bool was_compared = false;

    inspect_holdings(world, node);
    for (unsigned village = 0; village < world->village_count; village++) {
        bool has_digest = false;
        for (unsigned i = node_number(world, node) + 1; i < world->node_count; i++) {
            struct node *peer = &world->nodes[i];
            if (peer->replica == NULL)
                continue;
            inspect_holdings(world, peer);
            if (!hold_the_same(world, node, peer, village))
                continue;
            if (!has_digest && !inspect_digest(world, node, village, &digest))
                break;
            has_digest = true;
            if (!inspect_digest(world, peer, village, &other))
                continue;
            was_compared = true;
            if (memcmp(digest.bytes, other.bytes, sizeof digest.bytes) != 0)
                world_fail(world, "digests", "%s and %s hold the same of %s and differ in state",
                           node->tag, peer->tag, world_village(village));
        }
    }
    return was_compared;
}

void invariant_waiting(struct world *world, struct node *node, uint64_t reported)
{
    if (node->kind != NODE_STATION || node_may_fail(node))
        return; /* an office has grants on their way too */
    uint64_t due = waiting_due(world, node);
    if (reported != due)
        world_fail(world, "received", "an exchange of %s reports that %llu edits wait, %llu do",
                   node->tag, (unsigned long long)reported, (unsigned long long)due);
}

static bool received_is_covered(struct world *world, struct node *node)
{
    struct node *server = &world->nodes[world->server];

    inspect_holdings(world, node);
    inspect_holdings(world, server);
    for (uint32_t log = 0; log < world->model.log_count; log++)
        if (node->held.covered[log] > server->held.covered[log] && server->replica != NULL)
            world_fail(world, "received", "%s counts %u entries as received, the server covers %u",
                       node->tag, node->held.covered[log], server->held.covered[log]);
    return server->replica != NULL && world->model.log_count > 0;
}

/* ---- audits -------------------------------------------------------------------------------- */

struct audit_look {
    char first[200]; /* finding that is not of two histories of a device, else the first */
    uint64_t other_count;
};

static void audit_finding(void *context, uint64_t number, const char *text, const char *affects)
{
    struct audit_look *look = context;

    (void)affects;
    bool is_other = strstr(text, "signed two different histories") == NULL;
    if (number == 1 || (is_other && look->other_count == 0))
        snprintf(look->first, sizeof look->first, "%s", text);
    look->other_count += is_other;
}

static bool audit_is_clean(struct world *world, struct node *node)
{
    struct audit_look look = {.other_count = 0};
    const struct cairn_audit_visitor visitor = {.finding = audit_finding, .context = &look};
    struct cairn_audit_report report;

    if (!WORLD_MUST(world,
                    cairn_audit_replica(node->replica, NULL, &visitor, &report, NULL, &world->err)))
        return false;
    bool is_clean = report.finding_count == 0;
    /* Of a device that signed twice, and whose second history counts nowhere, the book says
     * nothing. */
    bool is_due = look.other_count == 0 &&
                  (inspect_fork_count(world, node) > 0 || model_has_forks(&world->model));
    world_saw(world, is_clean ? SEEN_AUDIT_CLEAN : SEEN_AUDIT_FOUND);
    if (!is_clean && !is_due)
        world_fail(world, "audit", "the audit of %s finds: %s", node->tag, look.first);
    return true;
}

void invariant_audit(struct world *world, struct node *node)
{
    check_run(world, node, audit_is_clean);
}

/* ---- healed -------------------------------------------------------------------------------- */

/* Everything acknowledged is at the server, and at whoever follows the village. */
static bool nothing_is_lost(struct world *world, struct node *node)
{
    const struct model *model = &world->model;

    inspect_holdings(world, node);
    for (uint32_t v = 0; v < model->version_count; v++) {
        const struct model_version *version = &model->versions[v];
        const struct model_log *log = &model->logs[version->log];
        struct holdings all = node->held;
        if (version->is_lost || log->is_forked || node->is_revoked ||
            !book_covers(node, log->scope) || node->held.size[version->log] > version->index)
            continue;
        all.size[version->log] = version->index + 1;
        if (!model_is_inside(model, &all, version->log, version->index)) {
            world_saw(world, SEEN_CUT_LEFT_OUT);
            continue;
        }
        world_fail(world, "lost", "%s does not have entry %u of a log in %s: %s, value %u",
                   node->tag, version->index, world_village(book_village_of(log->scope)),
                   model->records[version->record].label, version->token);
        break;
    }
    return model->version_count > 0;
}

/* When all is everywhere, nothing is parked and no entry waits: but for what lies behind a cut, or
 * came from hostile hands. */
static bool nothing_waits(struct world *world, struct node *node)
{
    struct cairn_status_report report;

    if (world->model.decree_count > 0 || world->traits.has_malice)
        return false;
    if (WORLD_MUST(world, cairn_status_get(node->replica, &report, &world->err)) &&
        report.parked_count + report.newer_count + report.awaiting_count > 0)
        world_fail(world, "waits", "at %s %llu runs are parked and %llu entries wait", node->tag,
                   (unsigned long long)report.parked_count,
                   (unsigned long long)(report.newer_count + report.awaiting_count));
    return true;
}

/* The root's bundle came to the office, and the office's log to everybody. */
static bool schema_is_newest(struct world *world, struct node *node)
{
    unsigned version = inspect_schema(world, node),
             newest = WORLD_FIRST_SCHEMA + world->schema_count;

    if (version != newest && !node->is_hostile)
        world_fail(world, "schema", "%s has version %u of the schema, published is %u", node->tag,
                   version, newest);
    return newest > WORLD_FIRST_SCHEMA;
}

const struct sim_invariant sim_invariants[] = {
    {"left-open", INVARIANT_CHEAP, nothing_left_open},
    {"counts", INVARIANT_CHEAP, counts_now_and_then},
    {"counts of every status", INVARIANT_HEALED, counts_agree},
    {"state", INVARIANT_FULL, state_is_due},
    {"received", INVARIANT_FULL, received_is_covered},
    {"read-exceeded", INVARIANT_FULL, nobody_reads_more},
    {"digests", INVARIANT_FULL, digests_equal},
    {"refused", INVARIANT_FULL, invariant_refused},
    {"audit", INVARIANT_SLOW, audit_is_clean},
    {"lost", INVARIANT_HEALED, nothing_is_lost},
    {"waits", INVARIANT_HEALED, nothing_waits},
    {"schema", INVARIANT_HEALED, schema_is_newest},
};
const unsigned sim_invariant_count = sizeof sim_invariants / sizeof sim_invariants[0];

/* ---- running them -------------------------------------------------------------------------- */

static void check_one(struct world *world, struct node *node, unsigned i)
{
    if (node->replica != NULL && node->is_joined && world_is_well(world))
        check_run(world, node, sim_invariants[i].check);
}

void invariants_cheap(struct world *world, struct node *node)
{
    for (unsigned i = 0; i < sim_invariant_count; i++)
        if (sim_invariants[i].when == INVARIANT_CHEAP)
            check_one(world, node, i);
}

static void check_all(struct world *world, enum invariant_when when)
{
    for (unsigned i = 0; i < sim_invariant_count; i++)
        for (unsigned n = 0; n < world->node_count && sim_invariants[i].when == when; n++)
            check_one(world, &world->nodes[n], i);
}

void invariants_full(struct world *world)
{
    struct dice dice;

    dice_init(&dice, world->config.seed, world->step ^ 0x61756469u);
    struct node *one = &world->nodes[dice_below(&dice, world->node_count)];
    bool is_slow = world->step % AUDIT_EVERY == AUDIT_EVERY - 1 && !node_may_fail(one);
    check_all(world, INVARIANT_CHEAP);
    check_all(world, INVARIANT_FULL);
    for (unsigned i = 0; i < sim_invariant_count && is_slow; i++)
        if (sim_invariants[i].when == INVARIANT_SLOW)
            check_one(world, one, i);
}

void invariants_healed(struct world *world)
{
    check_all(world, INVARIANT_CHEAP);
    check_all(world, INVARIANT_FULL);
    check_all(world, INVARIANT_HEALED);
    /* Those that hold the same now have the same to show an auditor: one of each kind. */
    for (unsigned i = 0; i < sim_invariant_count; i++)
        for (unsigned n = 0; n < world->node_count && sim_invariants[i].when == INVARIANT_SLOW; n++)
            if (n == world->server || n == world->step % world->node_count)
                check_one(world, &world->nodes[n], i);
}

void invariants_end(struct world *world)
{
    check_all(world, INVARIANT_SLOW);
}
