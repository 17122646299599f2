#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fault_net.h"

/* ---- putting ---- */

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

    enum cairn_status status =
        cairn_put_many(net.station.replica, puts, 3, results, &failed, &net.station.err);
    for (size_t i = 0; status == CAIRN_OK && i < 3; i++) {
        fault_gave_text(results[i].id);
        fault_gave(results[i].is_created);
        fault_gave(results[i].change_count);
    }
    return status;
}

static void give_bad_put(void *context, size_t put_index, enum cairn_status status,
                         const char *text)
{
    (void)context;
    fault_gave(put_index);
    fault_gave(status);
    fault_gave_text(text);
}

static enum cairn_status act_put_check(void)
{
    const struct cairn_field_value head = {"head", "次仁"}, bad = {"income", "much"};
    const struct cairn_put puts[] = {
        {.type = "household", .fields = &head, .field_count = 1},
        {.type = "household", .id = net.household, .fields = &bad, .field_count = 1},
    };

    return cairn_put_check(net.station.replica, puts, 2, give_bad_put, NULL, &net.station.err);
}

/* A set, a counter, a reference, an alias and flags at once. */
static enum cairn_status act_create_rich(void)
{
    const struct cairn_field_value fields[] = {
        {"head", "次仁"},     {"measures", "易地搬迁|医疗救助"},
        {"points", "3"},      {"id", "900002"},
        {"group", net.group}, {"ind", "111100000000"}};
    const struct cairn_put put = {
        .type = "household", .fields = fields, .field_count = 6, .reason = "found"};
    struct cairn_put_result result;

    return cairn_put_many(net.station.replica, &put, 1, &result, NULL, &net.station.err);
}

static enum cairn_status put_rich(const struct cairn_field_value *fields,
                                  const enum cairn_put_operation *operations, size_t count)
{
    const struct cairn_memo memo = {"place", cairn_bytes_of_text("row 7")};
    const struct cairn_put put = {.type = "household",
                                  .id = net.rich,
                                  .fields = fields,
                                  .field_count = count,
                                  .operations = operations,
                                  .memo = &memo};
    struct cairn_put_result result;

    return cairn_put_many(net.station.replica, &put, 1, &result, NULL, &net.station.err);
}

static enum cairn_status act_set_rich(void)
{
    static const struct cairn_field_value fields[] = {
        {"measures", "易地搬迁|低保兜底"}, {"points", "40"}, {"id", "900003"}, {"cause", "因残"}};

    return put_rich(fields, NULL, 4);
}

static enum cairn_status act_add_and_remove(void)
{
    static const struct cairn_field_value fields[] = {
        {"measures", "医疗救助"}, {"measures", "低保兜底"}, {"points", "2"}, {"income", "4200"}};
    static const enum cairn_put_operation operations[] = {CAIRN_PUT_ADD, CAIRN_PUT_REMOVE,
                                                          CAIRN_PUT_REMOVE, CAIRN_PUT_SET};

    return put_rich(fields, operations, 4);
}

/* So often that the differences of this device are gathered into one. */
static void once_counted_often(void)
{
    static const struct cairn_field_value points = {"points", "1"};
    static const enum cairn_put_operation add = CAIRN_PUT_ADD;

    fault_rich();
    for (unsigned i = 0; i < 20; i++)
        machine_must(&net.station, put_rich(&points, &add, 1));
}

static enum cairn_status act_count(void)
{
    static const struct cairn_field_value points = {"points", "1"};
    static const enum cairn_put_operation add = CAIRN_PUT_ADD;

    return put_rich(&points, &add, 1);
}

/* Of three rows the first is a household that is here, and the others are one that is new. */
static enum cairn_status upsert_all(bool checks)
{
    static const struct cairn_field_value known[] = {{"id", "900001"}, {"income", "4400"}},
                                          fresh[] = {{"id", "900009"}, {"head", "达娃"}},
                                          again[] = {{"id", "900009"}, {"income", "3900"}};
    const struct cairn_put puts[] = {
        {.type = "household", .fields = known, .field_count = 2, .upserts = true},
        {.type = "household", .fields = fresh, .field_count = 2, .upserts = true},
        {.type = "household", .fields = again, .field_count = 2, .upserts = true}};
    struct cairn_put_result results[3];

    if (checks)
        return cairn_put_check(net.station.replica, puts, 3, give_bad_put, NULL, &net.station.err);
    enum cairn_status status =
        cairn_put_many(net.station.replica, puts, 3, results, NULL, &net.station.err);
    if (status == CAIRN_OK) {
        assert_string_equal(results[0].id, net.rich);
        assert_string_equal(results[1].id, results[2].id);
    }
    return status;
}

static enum cairn_status act_upsert(void)
{
    return upsert_all(false);
}

static enum cairn_status act_upsert_check(void)
{
    return upsert_all(true);
}

static enum cairn_status act_memo_put(void)
{
    const struct cairn_memo memo = {"place", cairn_bytes_of_text("row 8")};

    return cairn_memo_put(net.station.replica, &memo, &net.station.err);
}

/* ---- deleting and settling ---- */

static enum cairn_status act_delete(void)
{
    return cairn_delete(net.station.replica, "household", net.household, "moved", &net.station.err);
}

static enum cairn_status act_delete_rich(void)
{
    return cairn_delete(net.station.replica, "household", net.rich, "moved", &net.station.err);
}

/* The station deleted what the peer, who had not seen it, went on with. */
static void once_deleted(void)
{
    fault_rich();
    machine_sync(&net.peer, &net.server);
    machine_must(&net.station, act_delete_rich());
    machine_must(&net.peer, machine_set(&net.peer, net.rich, "members", "5"));
    machine_must(&net.peer, machine_set(&net.peer, net.rich, "head", "扎西次仁"));
    machine_sync(&net.peer, &net.server);
    machine_sync(&net.station, &net.server);
}

static enum cairn_status settle_deleted(unsigned keep)
{
    const char *settled;

    return cairn_settle(net.station.replica, net.rich, "deleted", keep, NULL, "came back", &settled,
                        &net.station.err);
}

static enum cairn_status act_settle_deleted(void)
{
    return settle_deleted(1);
}

static enum cairn_status act_settle_restored(void)
{
    return settle_deleted(2);
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

/* ---- steps ---- */

enum cairn_status fault_step(struct machine *machine, const char *id, const char *move,
                             unsigned keep)
{
    const struct cairn_step step = {.id = id, .move = move, .keep = keep, .reason = "as visited"};
    const struct cairn_version *standing;

    return cairn_step(machine->replica, &step, &standing, &machine->err);
}

static enum cairn_status act_step_begin(void)
{
    return fault_step(&net.station, net.household, "register", 0);
}

static void once_begun(void)
{
    machine_must(&net.station, act_step_begin());
}

static enum cairn_status act_step_give_up(void)
{
    return fault_step(&net.station, net.household, NULL, 0);
}

/* The guest is the township now. */
static void township_join(void)
{
    machine_join(&net.guest, &net.office, "township", "513332100", "T");
    machine_sync(&net.office, &net.server);
    machine_sync(&net.station, &net.server);
    machine_sync(&net.guest, &net.server);
}

static void once_township(void)
{
    once_begun();
    township_join();
}

static enum cairn_status act_step_next(void)
{
    return fault_step(&net.guest, net.household, "register", 0);
}

static void once_township_rich(void)
{
    fault_rich();
    township_join();
}

static enum cairn_status act_step_keep(void)
{
    return fault_step(&net.guest, net.rich, "register", 2);
}

/* ---- one household ---- */

static enum cairn_status act_same(void)
{
    return cairn_same(net.station.replica, net.group, net.rich, "one family", &net.station.err);
}

static void once_two(void)
{
    fault_rich();
    machine_must(&net.station, machine_create(&net.station, "卓玛", net.group));
}

static enum cairn_status act_apart(void)
{
    return cairn_apart(net.station.replica, net.household, net.rich, "two", &net.station.err);
}

static const struct fault_case cases[] = {
    FAULT_WRITE("cairn_put_many, create", station, NULL, act_create),
    FAULT_WRITE("cairn_put_many, set", station, NULL, act_set),
    FAULT_WRITE("cairn_put_many, three", station, NULL, act_put_many),
    FAULT_WRITE("cairn_put_many, create everything", station, fault_rich, act_create_rich),
    FAULT_WRITE("cairn_put_many, set everything", station, fault_rich, act_set_rich),
    FAULT_WRITE("cairn_put_many, add and remove", station, fault_rich, act_add_and_remove),
    FAULT_WRITE("cairn_put_many, count", station, once_counted_often, act_count),
    FAULT_WRITE("cairn_put_many, upserts", station, fault_rich, act_upsert),
    FAULT_READ("cairn_put_check", station, NULL, act_put_check),
    FAULT_READ("cairn_put_check, upserts", station, fault_rich, act_upsert_check),
    FAULT_WRITE("cairn_memo_put", station, NULL, act_memo_put),
    FAULT_WRITE("cairn_delete", station, NULL, act_delete),
    FAULT_WRITE("cairn_delete, everything", station, fault_rich, act_delete_rich),
    FAULT_WRITE("cairn_settle, keep", station, fault_conflict, act_settle_keep),
    FAULT_WRITE("cairn_settle, value", station, fault_conflict, act_settle_value),
    FAULT_WRITE("cairn_settle, deleted", station, once_deleted, act_settle_deleted),
    FAULT_WRITE("cairn_settle, restored", station, once_deleted, act_settle_restored),
    FAULT_WRITE("cairn_step, begin", station, NULL, act_step_begin),
    FAULT_WRITE("cairn_step, next", guest, once_township, act_step_next),
    FAULT_WRITE("cairn_step, give up", station, once_begun, act_step_give_up),
    FAULT_WRITE("cairn_step, keep", guest, once_township_rich, act_step_keep),
    FAULT_WRITE("cairn_same", station, once_two, act_same),
    FAULT_WRITE("cairn_apart", station, fault_rich, act_apart),
};
const struct fault_group fault_records = FAULT_GROUP("records", cases);
