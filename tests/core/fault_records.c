#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fault_net.h"

/* ---- records ---- */

static enum cairn_status act_create(void)
{
    char id[32];

    return machine_create(&net.station, "卓玛", id);
}

static enum cairn_status act_set(void)
{
    return machine_set(&net.station, net.household, "income", "5000");
}

static enum cairn_status act_put_many(void)
{
    const struct cairn_field_value head = {"head", "次仁"}, income = {"income", "1"};
    const struct cairn_put puts[] = {
        {.type = "household", .fields = &head, .field_count = 1},
        {.type = "household",
         .id = net.household,
         .fields = &income,
         .field_count = 1,
         .reason = "seen"},
        {.type = "household", .scope = FAULT_VILLAGE, .fields = &head, .field_count = 1},
    };
    struct cairn_put_result results[3];
    size_t failed;

    return cairn_put_many(net.station.replica, puts, 3, results, &failed, &net.station.err);
}

static void ignore_bad_put(void *context, size_t put_index, enum cairn_status status,
                           const char *text)
{
    (void)context;
    (void)put_index;
    (void)status;
    (void)text;
}

static enum cairn_status act_put_check(void)
{
    const struct cairn_field_value head = {"head", "次仁"}, bad = {"income", "much"};
    const struct cairn_put puts[] = {
        {.type = "household", .fields = &head, .field_count = 1},
        {.type = "household", .id = net.household, .fields = &bad, .field_count = 1},
    };

    return cairn_put_check(net.station.replica, puts, 2, ignore_bad_put, NULL, &net.station.err);
}

static enum cairn_status act_delete(void)
{
    return cairn_delete(net.station.replica, "household", net.household, "moved", &net.station.err);
}

static enum cairn_status act_get(void)
{
    const struct cairn_record *record;

    return cairn_get(net.station.replica, net.household, &record, &net.station.err);
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

static enum cairn_status act_conflicts(void)
{
    size_t count = 0;
    enum cairn_status status =
        cairn_conflicts(net.station.replica, count_record, &count, &net.station.err);

    if (status == CAIRN_OK)
        assert_int_equal(count, 1);
    return status;
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

static enum cairn_status settle(unsigned keep, const char *value)
{
    const char *settled;

    return cairn_settle(net.station.replica, net.household, "income", keep, value, "receipt seen",
                        &settled, &net.station.err);
}

static enum cairn_status act_settle_keep(void)
{
    return settle(2, NULL);
}

static enum cairn_status act_settle_value(void)
{
    return settle(0, "3");
}

static const struct fault_case cases[] = {
    {"cairn_put_many, create", &net.station, NULL, NULL, act_create, 0},
    {"cairn_put_many, set", &net.station, NULL, NULL, act_set, 0},
    {"cairn_put_many, three", &net.station, NULL, NULL, act_put_many, 0},
    {"cairn_put_check", &net.station, NULL, NULL, act_put_check, FAULT_READS},
    {"cairn_delete", &net.station, NULL, NULL, act_delete, 0},
    {"cairn_get", &net.station, fault_conflict, NULL, act_get, FAULT_READS},
    {"cairn_list", &net.station, fault_conflict, NULL, act_list, FAULT_READS},
    {"cairn_conflicts", &net.station, fault_conflict, NULL, act_conflicts, FAULT_READS},
    {"cairn_history", &net.station, fault_conflict, NULL, act_history, FAULT_READS},
    {"cairn_settle, keep", &net.station, fault_conflict, NULL, act_settle_keep, 0},
    {"cairn_settle, value", &net.station, fault_conflict, NULL, act_settle_value, 0},
};
const struct fault_group fault_records = FAULT_GROUP("records", cases);
