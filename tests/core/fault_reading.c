#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fault_net.h"
#include "replica_internal.h"

#define FIELD_HEAD 2
#define FIELD_INCOME 6
#define FIELD_OF_VERSION_2 60
#define NUMBER_BY_HAND 900

/* ---- a record with everything in it ---- */

static bool rich_keep(void *context, const struct cairn_record *record)
{
    (void)context;
    if (strncmp(record->id, "A7-0900", 7) == 0)
        memcpy(net.rich, record->id, sizeof net.rich);
    return true;
}

static void own_set(struct pen *own, uint64_t field, int64_t value)
{
    struct draft draft;

    draft_change(&draft, own, 1);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){0, 1}, field, value, NULL, 0);
    draft_write(&draft, own);
}

/* By hand, in another log of the station: a household, an entry on it that has no effect, and one
 * that waits for a schema. */
static void rich_begin(void)
{
    struct cairn_replica *replica = net.station.replica;
    struct pieces pieces = {.count = 0};
    struct draft draft;
    struct pen own;

    pen_begin(&own, &replica->keys, &replica->ctx.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &replica->under, 1, 77, &pieces);
    draft_change(&draft, &own, 1);
    draft_create(&draft, TYPE_HOUSEHOLD, NUMBER_BY_HAND, FIELD_INCOME, 4150);
    draft_write(&draft, &own);
    own_set(&own, FIELD_HEAD, 7); /* no text */
    pen_basis(&own, &replica->under, 2);
    own_set(&own, FIELD_OF_VERSION_2, 3);
    machine_take(&net.station, &pieces, 0);
    pieces_free(&pieces);
    machine_must(&net.station,
                 cairn_list(replica, "household", NULL, 0, rich_keep, NULL, &net.station.err));
}

void fault_rich(void)
{
    const struct cairn_field_value name = {"name", "十户"};
    const struct cairn_field_value fields[] = {
        {"head", "扎西"},     {"measures", "生产就业|低保兜底"}, {"points", "5"},  {"id", "900001"},
        {"group", net.group}, {"ind", "110000000000"},           {"cause", "因病"}};
    const struct cairn_put puts[] = {{.type = "group", .fields = &name, .field_count = 1},
                                     {.type = "household",
                                      .id = net.rich,
                                      .fields = fields,
                                      .field_count = 7,
                                      .reason = "visit"}};
    struct cairn_put_result result;

    rich_begin();
    for (size_t i = 0; i < 2; i++) {
        machine_must(&net.station, cairn_put_many(net.station.replica, &puts[i], 1, &result, NULL,
                                                  &net.station.err));
        if (i == 0)
            memcpy(net.group, result.id, sizeof net.group);
    }
    machine_must(&net.station, cairn_same(net.station.replica, net.rich, net.household,
                                          "one family", &net.station.err));
    machine_sync(&net.station, &net.server);
    machine_sync(&net.peer, &net.server);
    machine_must(&net.station, machine_set(&net.station, net.rich, "income", "4100"));
    machine_must(&net.peer, machine_set(&net.peer, net.rich, "income", "4300"));
    machine_must(&net.station, fault_step(&net.station, net.rich, "register", 0));
    machine_must(&net.peer, fault_step(&net.peer, net.rich, "register", 0));
    machine_must(&net.station, machine_set(&net.station, net.household, "members", "3"));
    machine_must(&net.peer, machine_set(&net.peer, net.household, "land", "7"));
    machine_sync(&net.peer, &net.server);
    machine_sync(&net.station, &net.server);
}

static enum cairn_status counted(enum cairn_status status, size_t count, size_t expected)
{
    if (status == CAIRN_OK)
        assert_int_equal(count, expected);
    return status;
}

/* ---- records ---- */

static enum cairn_status act_get(void)
{
    const struct cairn_record *record;

    return cairn_get(net.station.replica, net.household, &record, &net.station.err);
}

static enum cairn_status act_get_rich(void)
{
    const struct cairn_record *record;
    enum cairn_status status = cairn_get(net.station.replica, net.rich, &record, &net.station.err);

    if (status != CAIRN_OK)
        return status;
    assert_true(record->has_conflict);
    return counted(status, record->same_count, 1);
}

static enum cairn_status act_get_alias(void)
{
    const struct cairn_record *record;

    return cairn_get(net.station.replica, "900001", &record, &net.station.err);
}

static bool count_record(void *context, const struct cairn_record *record)
{
    (void)record;
    ++*(size_t *)context;
    return true;
}

static enum cairn_status act_list(void)
{
    const struct cairn_field_value filter[] = {{"village", FAULT_VILLAGE}, {"income", "4150"}};
    size_t count = 0;

    return cairn_list(net.station.replica, "household", filter, 2, count_record, &count,
                      &net.station.err);
}

static enum cairn_status act_list_all(void)
{
    size_t count = 0;
    enum cairn_status status = cairn_list(net.station.replica, "household", NULL, 0, count_record,
                                          &count, &net.station.err);

    return counted(status, count, 2);
}

static enum cairn_status act_conflicts(void)
{
    size_t count = 0;
    enum cairn_status status =
        cairn_conflicts(net.station.replica, count_record, &count, &net.station.err);

    return counted(status, count, 1);
}

static enum cairn_status act_parallels(void)
{
    size_t count = 0;
    enum cairn_status status =
        cairn_parallels(net.station.replica, count_record, &count, &net.station.err);

    return counted(status, count, 1);
}

static bool count_item(void *context, const struct cairn_history_item *item)
{
    (void)item;
    ++*(size_t *)context;
    return true;
}

static enum cairn_status act_history(void)
{
    size_t count = 0;

    return cairn_history(net.station.replica, net.household, count_item, &count, &net.station.err);
}

static enum cairn_status act_history_rich(void)
{
    size_t count = 0;
    enum cairn_status status =
        cairn_history(net.station.replica, net.rich, count_item, &count, &net.station.err);

    if (status == CAIRN_OK)
        assert_true(count > 12);
    return status;
}

static bool count_refused(void *context, const struct cairn_refused_item *item)
{
    (void)item;
    ++*(size_t *)context;
    return true;
}

/* Its device wrote on the record again. */
static enum cairn_status act_refused(void)
{
    size_t count = 0;
    enum cairn_status status =
        cairn_refused(net.station.replica, true, count_refused, &count, &net.station.err);

    return counted(status, count, 1);
}

static enum cairn_status act_workflow(void)
{
    struct cairn_workflow workflow;
    enum cairn_status status =
        cairn_workflow_get(net.station.replica, net.rich, &workflow, &net.station.err);

    return counted(status, status == CAIRN_OK ? workflow.version_count : 0, 2);
}

static void once_memo(void)
{
    const struct cairn_memo memo = {"place", cairn_bytes_of_text("row 7")};

    machine_must(&net.station, cairn_memo_put(net.station.replica, &memo, &net.station.err));
}

static enum cairn_status act_memo_get(void)
{
    uint8_t bytes[CAIRN_MEMO_MAX];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    enum cairn_status status =
        cairn_memo_get(net.station.replica, "place", &writer, &net.station.err);
    return counted(status, writer.size, 5);
}

/* ---- queries ---- */

static enum cairn_status run(const struct cairn_query *query, size_t expected)
{
    size_t count = 0;
    enum cairn_status status =
        cairn_query_run(net.station.replica, query, count_record, &count, &net.station.err);

    return counted(status, count, expected);
}

static enum cairn_status run_where(const char *field, enum cairn_compare compare, const char *value,
                                   size_t expected)
{
    const struct cairn_condition condition = {field, compare, value};
    const struct cairn_query query = {
        .type = "household", .conditions = &condition, .condition_count = 1};

    return run(&query, expected);
}

static enum cairn_status act_query_index(void)
{
    return run_where("income", CAIRN_RANGE, "4000..5000", 2);
}

static enum cairn_status act_query_scan(void)
{
    return run_where("members", CAIRN_AT_LEAST, "2", 1);
}

static enum cairn_status act_query_element(void)
{
    return run_where("measures", CAIRN_EQUAL, "低保兜底", 1);
}

static enum cairn_status act_query_reference(void)
{
    return run_where("group", CAIRN_EQUAL, net.group, 1);
}

static enum cairn_status act_query_text(void)
{
    return run_where("head", CAIRN_NOT_EQUAL, "卓玛", 2);
}

static enum cairn_status act_query_state(void)
{
    return run_where("state", CAIRN_EQUAL, "identified", 2);
}

static enum cairn_status act_query_failed(void)
{
    return run_where("failed", CAIRN_EQUAL, "water", 2);
}

static enum cairn_status act_query_band(void)
{
    return run_where("band", CAIRN_EQUAL, "<4200", 2);
}

static enum cairn_status act_query_conflict(void)
{
    return run_where("conflict", CAIRN_EQUAL, "yes", 1);
}

static enum cairn_status act_query_parallel(void)
{
    return run_where("parallel", CAIRN_EQUAL, "yes", 1);
}

static enum cairn_status act_query_refused(void)
{
    return run_where("refused", CAIRN_EQUAL, "yes", 1);
}

static enum cairn_status act_query_id(void)
{
    return run_where("id", CAIRN_EQUAL, net.rich, 1);
}

static enum cairn_status act_query_alias(void)
{
    return run_where("id", CAIRN_EQUAL, "900001", 1);
}

static enum cairn_status act_query_sorted(void)
{
    static const char *const fields[] = {"head", "points"};
    const struct cairn_condition conditions[] = {{"village", CAIRN_EQUAL, "513332"},
                                                 {"income", CAIRN_GREATER, "0"}};
    const struct cairn_query query = {.type = "household",
                                      .conditions = conditions,
                                      .condition_count = 2,
                                      .sort_field = "income",
                                      .sorts_down = true,
                                      .limit = 5,
                                      .fields = fields,
                                      .field_count = 2};

    return run(&query, 2);
}

static enum cairn_status act_query_sorted_all(void)
{
    const struct cairn_query query = {.type = "household", .sort_field = "head", .offset = 1};

    return run(&query, 1);
}

static bool count_group(void *context, const struct cairn_count *count)
{
    *(uint64_t *)context += count->count;
    return true;
}

static enum cairn_status count_by(const char *by)
{
    static const char *const sums[] = {"income", "points"};
    const struct cairn_query query = {.type = "household"};
    uint64_t count = 0;
    enum cairn_status status = cairn_query_count(net.station.replica, &query, by, sums, 2,
                                                 count_group, &count, &net.station.err);

    return counted(status, count, 2);
}

static enum cairn_status act_count(void)
{
    return count_by(NULL);
}

static enum cairn_status act_count_village(void)
{
    return count_by("village");
}

static enum cairn_status act_count_field(void)
{
    return count_by("group");
}

static enum cairn_status act_count_choice(void)
{
    return count_by("cause");
}

static enum cairn_status act_count_state(void)
{
    return count_by("state");
}

static enum cairn_status act_count_band(void)
{
    return count_by("band");
}

#define READS(name, once, act)                           \
    {                                                    \
        name, &net.station, once, NULL, act, FAULT_READS \
    }

static const struct fault_case cases[] = {
    READS("cairn_get", fault_conflict, act_get),
    READS("cairn_get, everything", fault_rich, act_get_rich),
    READS("cairn_get, by alias", fault_rich, act_get_alias),
    READS("cairn_list", fault_conflict, act_list),
    READS("cairn_list, everything", fault_rich, act_list_all),
    READS("cairn_conflicts", fault_conflict, act_conflicts),
    READS("cairn_parallels", fault_rich, act_parallels),
    READS("cairn_history", fault_conflict, act_history),
    READS("cairn_history, everything", fault_rich, act_history_rich),
    READS("cairn_refused", fault_rich, act_refused),
    READS("cairn_workflow_get", fault_rich, act_workflow),
    READS("cairn_memo_get", once_memo, act_memo_get),
    READS("cairn_query_run, index", fault_rich, act_query_index),
    READS("cairn_query_run, scan", fault_rich, act_query_scan),
    READS("cairn_query_run, element", fault_rich, act_query_element),
    READS("cairn_query_run, reference", fault_rich, act_query_reference),
    READS("cairn_query_run, text", fault_rich, act_query_text),
    READS("cairn_query_run, state", fault_rich, act_query_state),
    READS("cairn_query_run, failed", fault_rich, act_query_failed),
    READS("cairn_query_run, band", fault_rich, act_query_band),
    READS("cairn_query_run, conflict", fault_rich, act_query_conflict),
    READS("cairn_query_run, parallel", fault_rich, act_query_parallel),
    READS("cairn_query_run, refused", fault_rich, act_query_refused),
    READS("cairn_query_run, id", fault_rich, act_query_id),
    READS("cairn_query_run, alias", fault_rich, act_query_alias),
    READS("cairn_query_run, sorted", fault_rich, act_query_sorted),
    READS("cairn_query_run, sorted, all", fault_rich, act_query_sorted_all),
    READS("cairn_query_count", fault_rich, act_count),
    READS("cairn_query_count, village", fault_rich, act_count_village),
    READS("cairn_query_count, field", fault_rich, act_count_field),
    READS("cairn_query_count, choice", fault_rich, act_count_choice),
    READS("cairn_query_count, state", fault_rich, act_count_state),
    READS("cairn_query_count, band", fault_rich, act_count_band),
};
const struct fault_group fault_reading = FAULT_GROUP("reading", cases);
