/* The faulty store passes the suite while it is unarmed, and fails exactly the call it was told. */

#include "store_suite.h"

#include <stdlib.h>

#include "store_fault.h"

static struct cairn_store *fault_create(void **out_home)
{
    struct store_fault *fault = calloc(1, sizeof *fault);
    struct cairn_store *inner = NULL;

    assert_non_null(fault);
    CHECK_STATUS(cairn_store_memory_new(&inner), CAIRN_OK);
    store_fault_init(fault, inner);
    *out_home = fault;
    return &fault->base;
}

static void fault_destroy(void *home, struct cairn_store *store)
{
    const struct store_fault *fault = home;

    assert_int_equal(atomic_load(&fault->txns_open), 0);
    assert_int_equal(atomic_load(&fault->ranges_open), 0);
    store->ops->close(store);
    free(home);
}

/* Read, walk, write, delete and commit: a caller that does all the port can do. */
static enum cairn_status use_everything(struct cairn_store *store)
{
    const struct cairn_store_ops *ops = store->ops;
    const struct cairn_bytes a = cairn_bytes_of_text("a");
    const struct cairn_bytes b = cairn_bytes_of_text("b");
    struct cairn_txn *txn = NULL;
    struct cairn_range *range = NULL;
    struct cairn_store_stat stat;
    struct cairn_bytes key;
    struct cairn_bytes value;

    enum cairn_status status = ops->begin(store, CAIRN_TXN_WRITE, &txn);
    if (status != CAIRN_OK)
        return status;
    if ((status = ops->get(txn, a, &value)) != CAIRN_OK ||
        (status = ops->get_many(txn, &a, 1, &value)) != CAIRN_OK ||
        (status = ops->range_open(txn, a, b, CAIRN_ASCENDING, &range)) != CAIRN_OK ||
        (status = ops->range_next(range, &key, &value)) != CAIRN_OK)
        goto out;
    ops->range_close(range);
    range = NULL;
    if ((status = ops->put(txn, b, a)) != CAIRN_OK || (status = ops->del(txn, a)) != CAIRN_OK ||
        (status = ops->stat(store, &stat)) != CAIRN_OK)
        goto out;
    status = ops->commit(txn);
    txn = NULL;
out:
    if (range != NULL)
        ops->range_close(range);
    if (txn != NULL)
        ops->abort(txn);
    return status;
}

static void check_entries(struct store_fault *fault, const char *present, const char *absent)
{
    const struct cairn_store_ops *ops = fault->inner->ops;
    struct cairn_txn *txn;
    struct cairn_bytes value;

    CHECK_STATUS(ops->begin(fault->inner, CAIRN_TXN_READ, &txn), CAIRN_OK);
    CHECK_STATUS(ops->get(txn, cairn_bytes_of_text(present), &value), CAIRN_OK);
    CHECK_STATUS(ops->get(txn, cairn_bytes_of_text(absent), &value), CAIRN_NOT_FOUND);
    ops->abort(txn);
}

static void each_call_fails_once_when_its_turn_comes(void **state)
{
    static const enum cairn_status faults[] = {CAIRN_IO, CAIRN_NO_SPACE, CAIRN_CONFLICT};

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        long passed = 0;
        void *home;
        struct cairn_store *store = fault_create(&home);
        struct store_fault *fault = home;
        enum cairn_status status;

        store_put_one(store, cairn_bytes_of_text("a"), cairn_bytes_of_text("a"));
        do {
            store_fault_arm(fault, passed, faults[i]);
            status = use_everything(store);
            assert_int_equal(atomic_load(&fault->txns_open), 0);
            assert_int_equal(atomic_load(&fault->ranges_open), 0);
            if (status != CAIRN_OK) {
                CHECK_STATUS(status, faults[i]);
                assert_false(store_fault_is_armed(fault));
                assert_int_equal(atomic_load(&fault->call_count), passed + 1);
                check_entries(fault, "a", "b");
            }
        } while (status != CAIRN_OK && ++passed < 100);
        assert_int_equal(passed, 9); /* every kind of call failed in its turn */
        assert_true(store_fault_is_armed(fault));
        check_entries(fault, "b", "a");
        store_fault_arm(fault, -1, CAIRN_OK);
        fault_destroy(home, store);
    }
}

int main(void)
{
    static const struct store_backend backend = {"fault", fault_create, NULL, fault_destroy};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_fails_once_when_its_turn_comes),
    };
    int failed = store_suite_run(&backend);

    return failed + cmocka_run_group_tests_name("fault only", tests, NULL, NULL);
}
