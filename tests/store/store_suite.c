/* Each test states one sentence of cairn/store.h; the sentence is its name. */

#include "store_suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIG_BYTES 100000u

struct fixture {
    const struct store_backend *backend;
    struct cairn_store *store;
    const struct cairn_store_ops *ops;
    void *home;
};

/* ---- helpers ---- */

static struct cairn_bytes text(const char *chars)
{
    return cairn_bytes_of_text(chars);
}

static struct cairn_txn *begin(const struct fixture *f, enum cairn_txn_mode mode)
{
    struct cairn_txn *txn = NULL;

    CHECK_STATUS(f->ops->begin(f->store, mode, &txn), CAIRN_OK);
    assert_ptr_equal(txn->store, f->store);
    return txn;
}

static void put(const struct fixture *f, struct cairn_txn *txn, const char *key, const char *value)
{
    CHECK_STATUS(f->ops->put(txn, text(key), text(value)), CAIRN_OK);
}

static void check_get(const struct fixture *f, struct cairn_txn *txn, const char *key,
                      const char *want)
{
    struct cairn_bytes value;

    CHECK_STATUS(f->ops->get(txn, text(key), &value), CAIRN_OK);
    store_check_bytes(value, text(want));
}

static void check_absent(const struct fixture *f, struct cairn_txn *txn, const char *key)
{
    struct cairn_bytes value;

    CHECK_STATUS(f->ops->get(txn, text(key), &value), CAIRN_NOT_FOUND);
}

static void commit(const struct fixture *f, struct cairn_txn *txn)
{
    CHECK_STATUS(f->ops->commit(txn), CAIRN_OK);
}

/* Put one entry per letter: key and value are the letter. */
static void put_letters(const struct fixture *f, const char *letters)
{
    struct cairn_txn *txn = begin(f, CAIRN_TXN_WRITE);

    for (; *letters != '\0'; letters++) {
        struct cairn_bytes letter = {(const uint8_t *)letters, 1};
        CHECK_STATUS(f->ops->put(txn, letter, letter), CAIRN_OK);
    }
    commit(f, txn);
}

/* The first letters of the keys in a range, as one string. */
static void check_range(const struct fixture *f, struct cairn_txn *txn, const char *first,
                        const char *last, enum cairn_range_order order, const char *want)
{
    char got[64] = "";
    struct cairn_range *range;
    struct cairn_bytes key;
    struct cairn_bytes value;
    enum cairn_status status;

    CHECK_STATUS(f->ops->range_open(txn, text(first), text(last), order, &range), CAIRN_OK);
    while ((status = f->ops->range_next(range, &key, &value)) == CAIRN_OK) {
        assert_in_range(strlen(got), 0, sizeof got - 2);
        strncat(got, (const char *)key.data, 1);
        assert_int_equal(value.data[0], key.data[0]);
    }
    CHECK_STATUS(status, CAIRN_NOT_FOUND);
    CHECK_STATUS(f->ops->range_next(range, &key, &value), CAIRN_NOT_FOUND);
    f->ops->range_close(range);
    assert_string_equal(got, want);
}

/* ---- keys and values ---- */

static void keys_are_ordered_as_memcmp_orders_them_shorter_first(void **state)
{
    static const struct cairn_bytes keys[] = {
        {(const uint8_t *)"\x00", 1},     {(const uint8_t *)"\x00\x00", 2},
        {(const uint8_t *)"\x00\x01", 2}, {(const uint8_t *)"\x01", 1},
        {(const uint8_t *)"a", 1},        {(const uint8_t *)"a\x00", 2},
        {(const uint8_t *)"aa", 2},       {(const uint8_t *)"b", 1},
        {(const uint8_t *)"\x7f", 1},     {(const uint8_t *)"\x80", 1},
        {(const uint8_t *)"\xff", 1},     {(const uint8_t *)"\xff\xff", 2},
    };
    enum { COUNT = sizeof keys / sizeof keys[0] };
    const struct fixture *f = *state;
    struct cairn_txn *txn = begin(f, CAIRN_TXN_WRITE);
    struct cairn_range *range;
    struct cairn_bytes key;
    struct cairn_bytes value;

    for (size_t i = 0; i < COUNT; i++) /* 5 and 12 have no common factor: a shuffled order */
        CHECK_STATUS(f->ops->put(txn, keys[i * 5 % COUNT], keys[i * 5 % COUNT]), CAIRN_OK);
    CHECK_STATUS(f->ops->range_open(txn, keys[0], keys[COUNT - 1], CAIRN_ASCENDING, &range),
                 CAIRN_OK);
    for (size_t i = 0; i < COUNT; i++) {
        CHECK_STATUS(f->ops->range_next(range, &key, &value), CAIRN_OK);
        store_check_bytes(key, keys[i]);
        store_check_bytes(value, keys[i]);
    }
    CHECK_STATUS(f->ops->range_next(range, &key, &value), CAIRN_NOT_FOUND);
    f->ops->range_close(range);
    f->ops->abort(txn);
}

static void keys_have_1_to_255_bytes(void **state)
{
    const struct fixture *f = *state;
    uint8_t longest[CAIRN_STORE_KEY_MAX];
    struct cairn_bytes value;

    memset(longest, 0xFF, sizeof longest);
    for (size_t size = 1; size <= sizeof longest; size++)
        store_put_one(f->store, (struct cairn_bytes){longest, size},
                      (struct cairn_bytes){longest, size});
    struct cairn_txn *txn = begin(f, CAIRN_TXN_READ);
    for (size_t size = 1; size <= sizeof longest; size++) {
        CHECK_STATUS(f->ops->get(txn, (struct cairn_bytes){longest, size}, &value), CAIRN_OK);
        store_check_bytes(value, (struct cairn_bytes){longest, size});
    }
    f->ops->abort(txn);
}

static void an_empty_value_is_not_an_absent_one(void **state)
{
    const struct fixture *f = *state;
    const struct cairn_bytes keys[] = {text("empty"), text("absent")};
    struct cairn_bytes values[2];

    store_put_one(f->store, text("empty"), (struct cairn_bytes){NULL, 0});
    struct cairn_txn *txn = begin(f, CAIRN_TXN_READ);
    check_get(f, txn, "empty", "");
    check_absent(f, txn, "absent");
    CHECK_STATUS(f->ops->get_many(txn, keys, 2, values), CAIRN_OK);
    assert_non_null(values[0].data);
    assert_int_equal(values[0].size, 0);
    assert_null(values[1].data);
    f->ops->abort(txn);
}

static void values_of_100_kilobytes_come_back_whole(void **state)
{
    const struct fixture *f = *state;

    for (uint32_t n = 0; n < 20; n++)
        store_put_numbered(f->store, n, 1, BIG_BYTES);
    store_check_numbered(f->store, 20, BIG_BYTES);
}

static void get_many_mixes_present_and_absent_keys(void **state)
{
    const struct fixture *f = *state;
    const struct cairn_bytes keys[] = {text("c"), text("x"), text("a"), text("a"), text("b")};
    struct cairn_bytes values[5];

    put_letters(f, "abc");
    struct cairn_txn *txn = begin(f, CAIRN_TXN_READ);
    CHECK_STATUS(f->ops->get_many(txn, keys, 5, values), CAIRN_OK);
    store_check_bytes(values[0], text("c"));
    assert_null(values[1].data);
    assert_int_equal(values[1].size, 0);
    store_check_bytes(values[2], text("a"));
    store_check_bytes(values[3], text("a"));
    store_check_bytes(values[4], text("b"));
    CHECK_STATUS(f->ops->get_many(txn, keys, 0, values), CAIRN_OK);
    f->ops->abort(txn);
}

static void put_replaces_and_del_removes(void **state)
{
    const struct fixture *f = *state;

    put_letters(f, "abc");
    struct cairn_txn *txn = begin(f, CAIRN_TXN_WRITE);
    put(f, txn, "b", "a longer one");
    check_get(f, txn, "b", "a longer one");
    CHECK_STATUS(f->ops->del(txn, text("c")), CAIRN_OK);
    check_absent(f, txn, "c");
    CHECK_STATUS(f->ops->del(txn, text("c")), CAIRN_NOT_FOUND);
    CHECK_STATUS(f->ops->del(txn, text("d")), CAIRN_NOT_FOUND);
    put(f, txn, "d", "d"); /* NOT_FOUND does not end a transaction */
    commit(f, txn);

    txn = begin(f, CAIRN_TXN_READ);
    check_get(f, txn, "a", "a");
    check_get(f, txn, "b", "a longer one");
    check_absent(f, txn, "c");
    check_get(f, txn, "d", "d");
    f->ops->abort(txn);
}

static void outputs_are_untouched_unless_the_answer_is_ok(void **state)
{
    const struct fixture *f = *state;
    uint8_t mark = 7;
    struct cairn_bytes value = {&mark, 99};
    struct cairn_bytes key = {&mark, 98};
    struct cairn_range *range;

    struct cairn_txn *txn = begin(f, CAIRN_TXN_READ);
    CHECK_STATUS(f->ops->get(txn, text("absent"), &value), CAIRN_NOT_FOUND);
    CHECK_STATUS(f->ops->range_open(txn, text("a"), text("z"), CAIRN_ASCENDING, &range), CAIRN_OK);
    CHECK_STATUS(f->ops->range_next(range, &key, &value), CAIRN_NOT_FOUND);
    f->ops->range_close(range);
    f->ops->abort(txn);
    assert_ptr_equal(value.data, &mark);
    assert_int_equal(value.size, 99);
    assert_ptr_equal(key.data, &mark);
    assert_int_equal(key.size, 98);
}

static void a_value_may_be_put_from_where_it_was_borrowed(void **state)
{
    const struct fixture *f = *state;
    struct cairn_bytes value;

    put_letters(f, "ab");
    struct cairn_txn *txn = begin(f, CAIRN_TXN_WRITE);
    CHECK_STATUS(f->ops->get(txn, text("a"), &value), CAIRN_OK);
    CHECK_STATUS(f->ops->put(txn, text("b"), value), CAIRN_OK);
    check_get(f, txn, "b", "a");
    commit(f, txn);
}

/* ---- ranges ---- */

static void a_range_includes_both_bounds_in_either_order(void **state)
{
    const struct fixture *f = *state;

    put_letters(f, "bdfhj");
    struct cairn_txn *txn = begin(f, CAIRN_TXN_READ);
    check_range(f, txn, "d", "h", CAIRN_ASCENDING, "dfh");
    check_range(f, txn, "d", "h", CAIRN_DESCENDING, "hfd");
    check_range(f, txn, "c", "i", CAIRN_ASCENDING, "dfh");
    check_range(f, txn, "c", "i", CAIRN_DESCENDING, "hfd");
    check_range(f, txn, "a", "z", CAIRN_ASCENDING, "bdfhj");
    check_range(f, txn, "a", "z", CAIRN_DESCENDING, "jhfdb");
    check_range(f, txn, "f", "f", CAIRN_ASCENDING, "f");
    check_range(f, txn, "f", "f", CAIRN_DESCENDING, "f");
    check_range(f, txn, "b", "j", CAIRN_DESCENDING, "jhfdb");
    check_range(f, txn, "j", "j\xff", CAIRN_DESCENDING, "j");
    f->ops->abort(txn);
}

static void a_range_without_keys_ends_at_once(void **state)
{
    const struct fixture *f = *state;

    struct cairn_txn *txn = begin(f, CAIRN_TXN_READ);
    check_range(f, txn, "a", "z", CAIRN_ASCENDING, "");
    check_range(f, txn, "a", "z", CAIRN_DESCENDING, "");
    f->ops->abort(txn);
    put_letters(f, "bdf");
    txn = begin(f, CAIRN_TXN_READ);
    check_range(f, txn, "c", "c", CAIRN_ASCENDING, "");
    check_range(f, txn, "c", "c", CAIRN_DESCENDING, "");
    check_range(f, txn, "g", "z", CAIRN_ASCENDING, "");
    check_range(f, txn, "g", "z", CAIRN_DESCENDING, "");
    check_range(f, txn, "A", "a", CAIRN_ASCENDING, "");
    check_range(f, txn, "A", "a", CAIRN_DESCENDING, "");
    check_range(f, txn, "f", "b", CAIRN_ASCENDING, "");
    check_range(f, txn, "f", "b", CAIRN_DESCENDING, "");
    f->ops->abort(txn);
}

static void two_ranges_of_one_transaction_do_not_disturb_each_other(void **state)
{
    const struct fixture *f = *state;
    struct cairn_range *up;
    struct cairn_range *down;
    struct cairn_bytes key;
    struct cairn_bytes value;

    put_letters(f, "abcde");
    struct cairn_txn *txn = begin(f, CAIRN_TXN_READ);
    CHECK_STATUS(f->ops->range_open(txn, text("a"), text("e"), CAIRN_ASCENDING, &up), CAIRN_OK);
    CHECK_STATUS(f->ops->range_open(txn, text("a"), text("e"), CAIRN_DESCENDING, &down), CAIRN_OK);
    for (size_t i = 0; i < 5; i++) {
        CHECK_STATUS(f->ops->range_next(up, &key, &value), CAIRN_OK);
        assert_int_equal(key.data[0], 'a' + (int)i);
        CHECK_STATUS(f->ops->range_next(down, &key, &value), CAIRN_OK);
        assert_int_equal(key.data[0], 'e' - (int)i);
    }
    f->ops->range_close(up);
    f->ops->range_close(down);
    f->ops->abort(txn);
}

/* Delete each key once it was returned, and leave another one further behind. */
static void write_behind(const struct fixture *f, enum cairn_range_order order)
{
    struct cairn_txn *txn = begin(f, CAIRN_TXN_WRITE);
    struct cairn_range *range;
    struct cairn_bytes key;
    struct cairn_bytes value;
    uint32_t passed = 0;
    char want[16];
    char kept[20];

    CHECK_STATUS(f->ops->range_open(txn, text("n"), text("o"), order, &range), CAIRN_OK);
    for (; passed < 2000; passed++) {
        CHECK_STATUS(f->ops->range_next(range, &key, &value), CAIRN_OK);
        store_check_bytes(
            key, store_numbered_key(order == CAIRN_ASCENDING ? passed : 1999 - passed, want));
        CHECK_STATUS(f->ops->del(txn, text(want)), CAIRN_OK);
        snprintf(kept, sizeof kept, "%c%s", order == CAIRN_ASCENDING ? 'm' : 'p', want);
        CHECK_STATUS(f->ops->put(txn, text(kept), text(kept)), CAIRN_OK);
    }
    CHECK_STATUS(f->ops->range_next(range, &key, &value), CAIRN_NOT_FOUND);
    f->ops->range_close(range);
    commit(f, txn);
    store_check_numbered(f->store, 0, 1);
}

static void a_write_behind_the_passed_place_does_not_disturb_a_range(void **state)
{
    const struct fixture *f = *state;

    store_put_numbered(f->store, 0, 2000, 100);
    write_behind(f, CAIRN_ASCENDING);
    store_put_numbered(f->store, 0, 2000, 100);
    write_behind(f, CAIRN_DESCENDING);
}

/* ---- transactions ---- */

static void a_reader_sees_the_store_as_it_was_at_its_begin(void **state)
{
    const struct fixture *f = *state;

    put_letters(f, "abc");
    struct cairn_txn *reader = begin(f, CAIRN_TXN_READ);
    struct cairn_txn *writer = begin(f, CAIRN_TXN_WRITE);
    CHECK_STATUS(f->ops->del(writer, text("a")), CAIRN_OK);
    put(f, writer, "b", "changed");
    put(f, writer, "d", "d");
    check_get(f, reader, "a", "a"); /* before the commit */
    check_absent(f, reader, "d");
    commit(f, writer);
    check_get(f, reader, "a", "a"); /* and after it */
    check_get(f, reader, "b", "b");
    check_range(f, reader, "a", "z", CAIRN_ASCENDING, "abc");

    struct cairn_txn *later = begin(f, CAIRN_TXN_READ);
    check_get(f, later, "b", "changed");
    f->ops->abort(reader);
    check_absent(f, later, "a");
    check_get(f, later, "d", "d");
    CHECK_STATUS(f->ops->commit(later), CAIRN_OK); /* a reader may end either way */
}

static uint64_t snapshot_now(const struct fixture *f)
{
    struct cairn_txn *txn = begin(f, CAIRN_TXN_READ);
    uint64_t snapshot = f->ops->snapshot(txn);

    f->ops->abort(txn);
    return snapshot;
}

static void readers_of_one_snapshot_see_the_same_and_a_commit_makes_another(void **state)
{
    const struct fixture *f = *state;
    uint64_t seen[3];

    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++) {
        seen[i] = snapshot_now(f);
        assert_int_equal(snapshot_now(f), seen[i]);
        struct cairn_txn *reader = begin(f, CAIRN_TXN_READ);
        struct cairn_txn *txn = begin(f, CAIRN_TXN_WRITE);
        put(f, txn, "given", "up");
        f->ops->abort(txn);
        store_put_one(f->store, text("key"), text(i % 2 == 0 ? "even" : "odd"));
        assert_int_equal(f->ops->snapshot(reader), seen[i]);
        f->ops->abort(reader);
        for (size_t k = 0; k <= i; k++)
            assert_int_not_equal(snapshot_now(f), seen[k]);
    }
}

static void an_abort_leaves_no_trace(void **state)
{
    const struct fixture *f = *state;
    struct cairn_store_stat before;
    struct cairn_store_stat after;

    store_put_numbered(f->store, 0, 500, 200);
    CHECK_STATUS(f->ops->stat(f->store, &before), CAIRN_OK);
    struct cairn_txn *txn = begin(f, CAIRN_TXN_WRITE);
    for (uint32_t n = 0; n < 500; n += 2) {
        char key[16];
        CHECK_STATUS(f->ops->del(txn, store_numbered_key(n, key)), CAIRN_OK);
    }
    put(f, txn, "n", "new");
    f->ops->abort(txn);
    store_check_numbered(f->store, 500, 200);
    CHECK_STATUS(f->ops->stat(f->store, &after), CAIRN_OK);
    assert_int_equal(after.used_bytes, before.used_bytes);
    assert_int_equal(after.entry_count, before.entry_count);
}

static void a_commit_outlives_closing_and_opening(void **state)
{
    struct fixture *f = *state;

    if (f->backend->reopen == NULL)
        skip();
    for (uint32_t n = 0; n < 200; n += 20) {
        store_put_numbered(f->store, n, 20, 300);
        struct cairn_txn *txn = begin(f, CAIRN_TXN_WRITE);
        put(f, txn, "n", "never committed");
        f->ops->abort(txn);
        f->store = f->backend->reopen(f->home, f->store);
        store_check_numbered(f->store, n + 20, 300);
    }
}

static void many_small_transactions_add_up(void **state)
{
    const struct fixture *f = *state;

    for (uint32_t n = 0; n < 300; n++)
        store_put_numbered(f->store, n, 1, 64);
    store_check_numbered(f->store, 300, 64);
}

static void stat_counts_entries_and_what_they_use(void **state)
{
    const struct fixture *f = *state;
    struct cairn_store_stat stat;

    CHECK_STATUS(f->ops->stat(f->store, &stat), CAIRN_OK);
    assert_int_equal(stat.entry_count, 0);
    store_put_numbered(f->store, 0, 100, 10000);
    CHECK_STATUS(f->ops->stat(f->store, &stat), CAIRN_OK);
    assert_int_equal(stat.entry_count, 100);
    assert_in_range(stat.used_bytes, 1000000, 2000000);
    struct cairn_txn *txn = begin(f, CAIRN_TXN_WRITE);
    for (uint32_t n = 0; n < 100; n++) {
        char key[16];
        CHECK_STATUS(f->ops->del(txn, store_numbered_key(n, key)), CAIRN_OK);
    }
    commit(f, txn);
    CHECK_STATUS(f->ops->stat(f->store, &stat), CAIRN_OK);
    assert_int_equal(stat.entry_count, 0);
    assert_in_range(stat.used_bytes, 0, 100000);
}

/* Not cmocka checks: those may only be used in the thread that runs the test. */
static void *add_in_thread(void *argument)
{
    const struct fixture *f = argument;

    for (int i = 0; i < 50; i++) {
        struct cairn_bytes value;
        uint32_t count = 0;
        struct cairn_txn *txn;
        CAIRN_ASSERT(f->ops->begin(f->store, CAIRN_TXN_WRITE, &txn) == CAIRN_OK);
        if (f->ops->get(txn, text("count"), &value) == CAIRN_OK)
            memcpy(&count, value.data, sizeof count);
        count++;
        value = (struct cairn_bytes){(const uint8_t *)&count, sizeof count};
        CAIRN_ASSERT(f->ops->put(txn, text("count"), value) == CAIRN_OK);
        CAIRN_ASSERT(f->ops->commit(txn) == CAIRN_OK);
    }
    return NULL;
}

static void one_writer_at_a_time(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[4];
    struct cairn_bytes value;
    uint32_t count;

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_in_thread, f), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    struct cairn_txn *txn = begin(f, CAIRN_TXN_READ);
    CHECK_STATUS(f->ops->get(txn, text("count"), &value), CAIRN_OK);
    memcpy(&count, value.data, sizeof count);
    assert_int_equal(count, 200);
    f->ops->abort(txn);
}

static void random_operations_agree_with_a_model(void **state)
{
    const struct fixture *f = *state;

    store_model_run(f->store);
}

/* ---- running it ---- */

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->backend = *state;
    f->store = f->backend->create(&f->home);
    f->ops = f->store->ops;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    f->backend->destroy(f->home, f->store);
    free(f);
    return 0;
}

int store_suite_run(const struct store_backend *backend)
{
    void *state = (void *)(uintptr_t)backend;
#define STORE_TEST(name) cmocka_unit_test_prestate_setup_teardown(name, set_up, tear_down, state)
    const struct CMUnitTest tests[] = {
        STORE_TEST(keys_are_ordered_as_memcmp_orders_them_shorter_first),
        STORE_TEST(keys_have_1_to_255_bytes),
        STORE_TEST(an_empty_value_is_not_an_absent_one),
        STORE_TEST(values_of_100_kilobytes_come_back_whole),
        STORE_TEST(get_many_mixes_present_and_absent_keys),
        STORE_TEST(put_replaces_and_del_removes),
        STORE_TEST(outputs_are_untouched_unless_the_answer_is_ok),
        STORE_TEST(a_value_may_be_put_from_where_it_was_borrowed),
        STORE_TEST(a_range_includes_both_bounds_in_either_order),
        STORE_TEST(a_range_without_keys_ends_at_once),
        STORE_TEST(two_ranges_of_one_transaction_do_not_disturb_each_other),
        STORE_TEST(a_write_behind_the_passed_place_does_not_disturb_a_range),
        STORE_TEST(a_reader_sees_the_store_as_it_was_at_its_begin),
        STORE_TEST(readers_of_one_snapshot_see_the_same_and_a_commit_makes_another),
        STORE_TEST(an_abort_leaves_no_trace),
        STORE_TEST(a_commit_outlives_closing_and_opening),
        STORE_TEST(many_small_transactions_add_up),
        STORE_TEST(stat_counts_entries_and_what_they_use),
        STORE_TEST(one_writer_at_a_time),
        STORE_TEST(random_operations_agree_with_a_model),
    };

    print_message("store: %s\n", backend->name);
    return cmocka_run_group_tests_name(backend->name, tests, NULL, NULL);
}
