#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fault_net.h"

static enum cairn_status counted(enum cairn_status status, size_t count, size_t expected)
{
    if (status == CAIRN_OK)
        assert_int_equal(count, expected);
    return status;
}

/* ---- records ---- */

static void give_record(const struct cairn_record *record)
{
    fault_gave_text(record->id);
    fault_gave(record->has_conflict);
    for (size_t f = 0; f < record->field_count; f++)
        for (size_t v = 0; v < record->fields[f].version_count; v++)
            fault_gave_text(record->fields[f].versions[v].value);
}

static enum cairn_status get(const char *id, const struct cairn_record **out_record)
{
    enum cairn_status status = cairn_get(net.station.replica, id, out_record, &net.station.err);

    if (status == CAIRN_OK)
        give_record(*out_record);
    return status;
}

static enum cairn_status act_get(void)
{
    const struct cairn_record *record;

    return get(net.household, &record);
}

static enum cairn_status act_get_rich(void)
{
    const struct cairn_record *record;
    enum cairn_status status = get(net.rich, &record);

    if (status != CAIRN_OK)
        return status;
    assert_true(record->has_conflict);
    return counted(status, record->same_count, 1);
}

static enum cairn_status act_get_alias(void)
{
    const struct cairn_record *record;

    return get("900001", &record);
}

static bool count_record(void *context, const struct cairn_record *record)
{
    give_record(record);
    ++*(size_t *)context;
    return true;
}

static enum cairn_status act_list(void)
{
    const struct cairn_field_value filter[] = {{"village", FAULT_VILLAGE}, {"income", "1"}};
    size_t count = 0;
    enum cairn_status status = cairn_list(net.station.replica, "household", filter, 2, count_record,
                                          &count, &net.station.err);

    return counted(status, count, 1);
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
    fault_gave_text(item->field);
    fault_gave_text(item->new_value);
    fault_gave(item->is_in_force);
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
    fault_gave_text(item->number);
    fault_gave_text(item->id);
    fault_gave(item->is_answered);
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
    fault_gave_text(count->group);
    fault_gave_text(count->sums[0]);
    fault_gave_text(count->sums[1]);
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

static const struct fault_case cases[] = {
    FAULT_READ("cairn_get", station, fault_conflict, act_get),
    FAULT_READ("cairn_get, everything", station, fault_rich, act_get_rich),
    FAULT_READ("cairn_get, by alias", station, fault_rich, act_get_alias),
    FAULT_READ("cairn_list", station, fault_conflict, act_list),
    FAULT_READ("cairn_list, everything", station, fault_rich, act_list_all),
    FAULT_READ("cairn_conflicts", station, fault_conflict, act_conflicts),
    FAULT_READ("cairn_parallels", station, fault_rich, act_parallels),
    FAULT_READ("cairn_history", station, fault_conflict, act_history),
    FAULT_READ("cairn_history, everything", station, fault_rich, act_history_rich),
    FAULT_READ("cairn_refused", station, fault_rich, act_refused),
    FAULT_READ("cairn_workflow_get", station, fault_rich, act_workflow),
    FAULT_READ("cairn_memo_get", station, once_memo, act_memo_get),
    FAULT_READ("cairn_query_run, index", station, fault_rich, act_query_index),
    FAULT_READ("cairn_query_run, scan", station, fault_rich, act_query_scan),
    FAULT_READ("cairn_query_run, element", station, fault_rich, act_query_element),
    FAULT_READ("cairn_query_run, reference", station, fault_rich, act_query_reference),
    FAULT_READ("cairn_query_run, text", station, fault_rich, act_query_text),
    FAULT_READ("cairn_query_run, state", station, fault_rich, act_query_state),
    FAULT_READ("cairn_query_run, failed", station, fault_rich, act_query_failed),
    FAULT_READ("cairn_query_run, band", station, fault_rich, act_query_band),
    FAULT_READ("cairn_query_run, conflict", station, fault_rich, act_query_conflict),
    FAULT_READ("cairn_query_run, parallel", station, fault_rich, act_query_parallel),
    FAULT_READ("cairn_query_run, refused", station, fault_rich, act_query_refused),
    FAULT_READ("cairn_query_run, id", station, fault_rich, act_query_id),
    FAULT_READ("cairn_query_run, alias", station, fault_rich, act_query_alias),
    FAULT_READ("cairn_query_run, sorted", station, fault_rich, act_query_sorted),
    FAULT_READ("cairn_query_run, sorted, all", station, fault_rich, act_query_sorted_all),
    FAULT_READ("cairn_query_count", station, fault_rich, act_count),
    FAULT_READ("cairn_query_count, village", station, fault_rich, act_count_village),
    FAULT_READ("cairn_query_count, field", station, fault_rich, act_count_field),
    FAULT_READ("cairn_query_count, choice", station, fault_rich, act_count_choice),
    FAULT_READ("cairn_query_count, state", station, fault_rich, act_count_state),
    FAULT_READ("cairn_query_count, band", station, fault_rich, act_count_band),
};
const struct fault_group fault_reading = FAULT_GROUP("reading", cases);
