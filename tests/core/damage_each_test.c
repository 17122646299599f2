/* A store in which one value is damaged: whatever is asked of it is answered, or said to be
 * corrupt; nothing ends the program, and what was answered before the damage is answered after its
 * repair. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "things.h"

#define KEY_LAST "\xff\xff\xff\xff\xff\xff\xff\xff"
#define ROWS_MAX 2000

/* ---- what is stored ------------------------------------------------------------------------ */

static struct {
    struct block key, value;
} rows[ROWS_MAX];
static size_t row_count;

static struct block copy_of(struct cairn_bytes bytes)
{
    struct block block = {malloc(bytes.size + 1), bytes.size};

    assert_non_null(block.data);
    if (bytes.size > 0)
        memcpy(block.data, bytes.data, bytes.size);
    return block;
}

static void rows_read(void)
{
    struct cairn_store *disk = desk.store.inner;
    struct cairn_txn *txn;
    struct cairn_range *range;
    struct cairn_bytes key, value;

    machine_must(&desk, disk->ops->begin(disk, CAIRN_TXN_READ, &txn));
    machine_must(&desk,
                 disk->ops->range_open(txn, (struct cairn_bytes){(const uint8_t *)"", 1},
                                       cairn_bytes_of_text(KEY_LAST), CAIRN_ASCENDING, &range));
    while (disk->ops->range_next(range, &key, &value) == CAIRN_OK) {
        assert_true(row_count < ROWS_MAX);
        rows[row_count].key = copy_of(key);
        rows[row_count++].value = copy_of(value);
    }
    disk->ops->range_close(range);
    disk->ops->abort(txn);
}

static void row_write(size_t i, struct cairn_bytes value)
{
    struct cairn_store *disk = desk.store.inner;
    struct cairn_txn *txn;

    machine_must(&desk, disk->ops->begin(disk, CAIRN_TXN_WRITE, &txn));
    machine_must(&desk, disk->ops->put(
                            txn, (struct cairn_bytes){rows[i].key.data, rows[i].key.size}, value));
    machine_must(&desk, disk->ops->commit(txn));
}

/* What a station of the village wrote and the desk does not hold yet. */
static struct block news;

static void station_must(struct machine *station, const char *name, const char *field,
                         const char *value)
{
    const struct cairn_field_value one = {field, value};
    const struct cairn_put put = {.type = "thing",
                                  .id = name == NULL ? NULL : desk_id(name),
                                  .scope = name == NULL ? DESK_VILLAGE : NULL,
                                  .fields = &one,
                                  .field_count = 1};
    struct cairn_put_result result;

    machine_must(station, cairn_put_many(station->replica, &put, 1, &result, NULL, &station->err));
}

/* The desk has met a station: a conflict, an edit beside an edit, and checkpoints are there. */
static void meet(void)
{
    struct machine server, station;

    machine_init(&server, 3, "server", NULL);
    machine_init(&station, 4, "station", NULL);
    machine_join(&server, &desk, "server", DESK_SCOPE, "S");
    machine_join(&station, &desk, "station", DESK_VILLAGE, "A7");
    machine_sync(&desk, &server);
    machine_sync(&station, &server);
    station_must(&station, "a", "note", "by the station");
    station_must(&station, "b", "count", "11");
    machine_must(&desk, desk_change("thing", "a", "note", "by the desk", CAIRN_PUT_SET));
    machine_must(&desk, desk_change("thing", "b", "price", "2", CAIRN_PUT_SET));
    machine_sync(&station, &server);
    machine_sync(&desk, &server);
    machine_sync(&station, &server);
    station_must(&station, "b", "words", "gamma");
    station_must(&station, "a", "total", "9");
    station_must(&station, NULL, "name", "new");
    news = machine_bundle(&station);
    machine_free(&station);
    machine_free(&server);
}

static int setup(void **state)
{
    int failed = things_setup(state);

    meet();
    machine_off(&desk);
    row_count = 0;
    rows_read();
    return failed;
}

static int teardown(void **state)
{
    for (size_t i = 0; i < row_count; i++) {
        free(rows[i].key.data);
        free(rows[i].value.data);
    }
    free(news.data);
    return things_teardown(state);
}

/* ---- damage -------------------------------------------------------------------------------- */

enum damage { EMPTY, SHORTER, LONGER, ONES, FIRST_BYTE, LAST_BYTE, DAMAGES };

/* False: it is no damage to that value. */
static bool damaged(size_t i, enum damage damage, struct block *out)
{
    size_t size = rows[i].value.size;

    out->data = malloc(size + 1);
    assert_non_null(out->data);
    out->size = size;
    if (size > 0)
        memcpy(out->data, rows[i].value.data, size);
    switch (damage) {
    case EMPTY:
        out->size = 0;
        return size > 0;
    case SHORTER:
        out->size = size > 0 ? size - 1 : 0;
        return size > 1;
    case LONGER:
        out->data[out->size++] = 0x5a;
        return true;
    case ONES:
        memset(out->data, 0xff, size);
        return size > 0;
    case FIRST_BYTE:
        out->data[0] ^= 0x83;
        return size > 0;
    case LAST_BYTE:
        out->data[size > 0 ? size - 1 : 0] ^= 0x05;
        return size > 1;
    case DAMAGES:
        break;
    }
    return false;
}

/* ---- what is asked ------------------------------------------------------------------------- */

static bool pass(void *context, const struct cairn_record *record)
{
    *(size_t *)context += record->field_count;
    return true;
}

static bool history_pass(void *context, const struct cairn_history_item *item)
{
    *(size_t *)context += item->time_s > 0;
    return true;
}

static bool count_pass(void *context, const struct cairn_count *count)
{
    *(size_t *)context += count->count > 0;
    return true;
}

struct asking {
    struct cairn_replica *replica;
    struct cairn_err err;
    size_t corrupt_count, given;
};

static void answered(struct asking *asking, enum cairn_status status)
{
    if (status == CAIRN_CORRUPT)
        asking->corrupt_count++;
    assert_true(status == CAIRN_OK || asking->err.text[0] != '\0');
    asking->err.text[0] = '\0';
}

static void ask_queries(struct asking *asking)
{
    static const struct cairn_condition conditions[] = {
        {"note", CAIRN_GREATER, "apple"}, {"official", CAIRN_EQUAL, "100"},
        {"kinds", CAIRN_EQUAL, "乙"},     {"state", CAIRN_EQUAL, "ready"},
        {"secret", CAIRN_EQUAL, "s1"},    {"conflict", CAIRN_EQUAL, "yes"},
        {"parallel", CAIRN_EQUAL, "yes"}, {"refused", CAIRN_EQUAL, "yes"},
        {"failed", CAIRN_EQUAL, "plenty"}};

    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        const struct cairn_query query = {.type = "thing",
                                          .conditions = &conditions[i],
                                          .condition_count = 1,
                                          .sort_field = i % 2 == 0 ? "total" : NULL};
        answered(asking,
                 cairn_query_run(asking->replica, &query, pass, &asking->given, &asking->err));
        answered(asking, cairn_query_count(asking->replica, &query, "of", NULL, 0, count_pass,
                                           &asking->given, &asking->err));
    }
}

static void ask_records(struct asking *asking)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "gone"};
    const struct cairn_record *record;
    struct cairn_workflow workflow;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *id = desk_id(names[i]);
        answered(asking, cairn_get(asking->replica, id, &record, &asking->err));
        answered(asking, cairn_workflow_get(asking->replica, id, &workflow, &asking->err));
        answered(asking,
                 cairn_history(asking->replica, id, history_pass, &asking->given, &asking->err));
    }
    answered(asking, cairn_get(asking->replica, "B-1", &record, &asking->err));
    answered(asking, cairn_conflicts(asking->replica, pass, &asking->given, &asking->err));
    answered(asking, cairn_parallels(asking->replica, pass, &asking->given, &asking->err));
}

static void ask_all(struct asking *asking)
{
    const struct cairn_replica_config config = {.store = &desk.store.base,
                                                .ports = &desk.ports.base};
    struct cairn_status_report report;
    enum cairn_status status = cairn_replica_open(&config, &asking->replica, &asking->err);

    answered(asking, status);
    if (status != CAIRN_OK)
        return;
    ask_queries(asking);
    ask_records(asking);
    answered(asking, cairn_status_get(asking->replica, &report, &asking->err));
    cairn_replica_close(asking->replica);
}

/* ---- what is written ----------------------------------------------------------------------- */

static unsigned refused_count;

static void told(enum cairn_status status, const struct cairn_hash *before)
{
    if (status == CAIRN_OK)
        return;
    refused_count++;
    const struct cairn_hash after = machine_disk_hash(&desk);
    assert_true(desk.err.text[0] != '\0');
    assert_memory_equal(before->bytes, after.bytes, sizeof after.bytes);
}

static enum cairn_status upsert(void)
{
    static const struct cairn_field_value fields[] = {{"name", "c"}, {"official", "300"}};
    const struct cairn_put put = {.type = "thing",
                                  .scope = DESK_NEXT_VILLAGE,
                                  .fields = fields,
                                  .field_count = 2,
                                  .upserts = true};
    struct cairn_put_result result;

    return cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err);
}

static enum cairn_status step(void)
{
    const struct cairn_step one = {.id = desk_id("c"), .move = "make"};
    const struct cairn_version *standing;

    return cairn_step(desk.replica, &one, &standing, &desk.err);
}

static enum cairn_status bundle(void)
{
    struct block block = {NULL, 0};
    struct cairn_bundle_report report;
    enum cairn_status status =
        cairn_bundle_write(desk.replica, false, machine_block_add, &block, &report, &desk.err);

    free(block.data);
    return status;
}

static enum cairn_status request(void)
{
    struct cairn_bytes message;
    enum cairn_status status = cairn_sync_begin(desk.replica, &desk.err);

    return status != CAIRN_OK ? status : cairn_sync_request(desk.replica, &message, &desk.err);
}

static enum cairn_status edit(void)
{
    return desk_change("thing", "a", "note", "changed", CAIRN_PUT_SET);
}

static enum cairn_status refer(void)
{
    return desk_change("thing", "c", "with", "@a", CAIRN_PUT_SET);
}

static enum cairn_status count(void)
{
    return desk_change("thing", "b", "total", "4", CAIRN_PUT_ADD);
}

static enum cairn_status settle(void)
{
    const char *value;

    return cairn_settle(desk.replica, desk_id("a"), "note", 1, NULL, "as agreed", &value,
                        &desk.err);
}

static enum cairn_status take_away(void)
{
    return cairn_delete(desk.replica, "thing", desk_id("b"), NULL, &desk.err);
}

static enum cairn_status take_in(void)
{
    return machine_read(&desk, news);
}

static enum cairn_status audit(void)
{
    static const struct cairn_audit_visitor visitor = {.finding = NULL};
    struct cairn_audit_report report;

    return cairn_audit_replica(desk.replica, NULL, &visitor, &report, NULL, &desk.err);
}

static void write_all(void)
{
    static enum cairn_status (*const acts[])(void) = {
        take_in, settle, edit, refer, count, upsert, step, take_away, bundle, request, audit};
    struct cairn_hash before = machine_disk_hash(&desk);
    enum cairn_status status = machine_on(&desk);

    told(status, &before);
    for (size_t i = 0; status == CAIRN_OK && i < sizeof acts / sizeof acts[0]; i++) {
        before = machine_disk_hash(&desk);
        told(acts[i](), &before);
    }
    machine_off(&desk);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void a_damaged_value_is_answered_around_or_said_to_be_corrupt(void **state)
{
    struct asking whole = {.replica = NULL};
    size_t corrupt_count = 0;

    (void)state;
    ask_all(&whole);
    assert_int_equal(whole.corrupt_count, 0);
    for (size_t i = 0; i < row_count; i++) {
        for (enum damage damage = EMPTY; damage < DAMAGES; damage++) {
            struct asking asking = {.replica = NULL};
            struct block value;
            if (damaged(i, damage, &value)) {
                row_write(i, (struct cairn_bytes){value.data, value.size});
                ask_all(&asking);
                corrupt_count += asking.corrupt_count > 0;
            }
            free(value.data);
        }
        row_write(i, (struct cairn_bytes){rows[i].value.data, rows[i].value.size});
    }
    print_message("%zu values, corrupt %zu times\n", row_count, corrupt_count);
    assert_true(corrupt_count > row_count);
    struct asking repaired = {.replica = NULL};
    ask_all(&repaired);
    assert_int_equal(repaired.corrupt_count, 0);
    assert_int_equal(repaired.given, whole.given);
}

static void what_cannot_be_done_around_damage_changes_nothing(void **state)
{
    const struct fake_ports ports = desk.ports;

    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        for (enum damage damage = EMPTY; damage < DAMAGES; damage++) {
            struct cairn_store *whole = machine_disk_copy(&desk);
            struct block value;
            if (damaged(i, damage, &value)) {
                row_write(i, (struct cairn_bytes){value.data, value.size});
                write_all();
            }
            free(value.data);
            machine_disk_put(&desk, whole);
            desk.ports = ports;
        }
    }
    assert_true(refused_count > row_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_cannot_be_done_around_damage_changes_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_damaged_value_is_answered_around_or_said_to_be_corrupt,
                                        setup, teardown),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
