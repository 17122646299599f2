/* What a program remembers in a store is there exactly when the records are that it speaks of. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "machine.h"

static struct machine root, office, station;

static int setup(void **state)
{
    (void)state;
    machine_init(&root, 1, "root", "51");
    machine_init(&office, 2, "office", NULL);
    machine_init(&station, 3, "station", NULL);
    machine_join(&office, &root, "county", "513332", "C");
    machine_join(&station, &office, "station", "513332100201", "A7");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_free(&station);
    machine_free(&office);
    machine_free(&root);
    return 0;
}

/* The memo under "place", "" when there is none. */
static const char *place(void)
{
    static char text[CAIRN_MEMO_MAX + 1];
    struct cairn_writer writer;

    cairn_writer_init(&writer, text, sizeof text - 1);
    enum cairn_status status = cairn_memo_get(station.replica, "place", &writer, NULL);
    if (status != CAIRN_OK)
        assert_int_equal(status, CAIRN_NOT_FOUND);
    text[writer.size] = '\0';
    return text;
}

/* Two households, the second with a memo; an empty head is refused. */
static enum cairn_status put_two(const char *second_head, const char *memo_text)
{
    const struct cairn_memo memo = {"place", cairn_bytes_of_text(memo_text)};
    const struct cairn_field_value first = {"head", "扎西"}, second = {"head", second_head};
    const struct cairn_put puts[] = {
        {.type = "household", .fields = &first, .field_count = 1, .memo = &memo},
        {.type = "household", .fields = &second, .field_count = 1},
    };
    struct cairn_put_result results[2];

    return cairn_put_many(station.replica, puts, 2, results, NULL, &station.err);
}

static void a_memo_is_kept_with_the_records_or_not_at_all(void **state)
{
    (void)state;
    assert_string_equal(place(), "");
    machine_must(&station, put_two("卓玛", "2 rows"));
    assert_string_equal(place(), "2 rows");
    assert_int_equal(put_two("", "4 rows"), CAIRN_BAD_INPUT);
    assert_string_equal(place(), "2 rows");
    assert_int_equal(machine_status(&station).record_count, 2);
    machine_off(&station);
    machine_must(&station, machine_on(&station));
    assert_string_equal(place(), "2 rows");
}

static void every_failing_call_of_the_store_leaves_both_as_they_were(void **state)
{
    enum cairn_status status = CAIRN_IO;
    unsigned refused = 0;

    (void)state;
    for (long n = 0; status != CAIRN_OK; n++) {
        store_fault_arm(&station.store, n, CAIRN_IO);
        status = put_two("卓玛", "2 rows");
        store_fault_arm(&station.store, -1, CAIRN_OK);
        assert_string_equal(place(), status == CAIRN_OK ? "2 rows" : "");
        assert_int_equal(machine_status(&station).record_count, status == CAIRN_OK ? 2 : 0);
        refused += status == CAIRN_IO;
    }
    assert_true(refused > 20);
}

static void a_memo_alone_is_kept_and_replaced(void **state)
{
    struct cairn_memo memo = {"place", cairn_bytes_of_text("begun")};

    (void)state;
    machine_must(&station, cairn_memo_put(station.replica, &memo, &station.err));
    assert_string_equal(place(), "begun");
    memo.value = cairn_bytes_of_text("");
    machine_must(&station, cairn_memo_put(station.replica, &memo, &station.err));
    assert_string_equal(place(), "");
}

static void what_is_over_a_limit_is_refused(void **state)
{
    static const uint8_t bytes[CAIRN_MEMO_MAX + 1];
    char name[CAIRN_MEMO_NAME_MAX + 2];
    struct cairn_memo memo = {"place", {bytes, sizeof bytes}};

    (void)state;
    assert_int_equal(cairn_memo_put(station.replica, &memo, NULL), CAIRN_BAD_INPUT);
    memo.value.size--;
    machine_must(&station, cairn_memo_put(station.replica, &memo, &station.err));
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    memo.name = name;
    assert_int_equal(cairn_memo_put(station.replica, &memo, NULL), CAIRN_BAD_INPUT);
    name[CAIRN_MEMO_NAME_MAX] = '\0';
    machine_must(&station, cairn_memo_put(station.replica, &memo, &station.err));
    memo.name = "";
    assert_int_equal(cairn_memo_put(station.replica, &memo, NULL), CAIRN_BAD_INPUT);
}

/* What was imported after the backup comes back by sync, behind the memo's back. */
static void a_memo_from_before_a_restore_is_not_believed(void **state)
{
    (void)state;
    machine_must(&station, put_two("卓玛", "2 rows"));
    struct cairn_store *backup = machine_disk_copy(&station);
    machine_must(&station, put_two("次仁", "4 rows"));
    machine_off(&station);
    machine_disk_put(&station, backup);
    machine_must(&station, machine_on(&station));
    assert_true(cairn_replica_was_restored(station.replica));
    assert_string_equal(place(), "");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_memo_is_kept_with_the_records_or_not_at_all),
        T(every_failing_call_of_the_store_leaves_both_as_they_were),
        T(a_memo_alone_is_kept_and_replaced),
        T(what_is_over_a_limit_is_refused),
        T(a_memo_from_before_a_restore_is_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
