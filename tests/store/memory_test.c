/* The memory store passes the suite. */

#include "store_suite.h"

static struct cairn_store *memory_create(void **out_home)
{
    struct cairn_store *store = NULL;

    CHECK_STATUS(cairn_store_memory_new(&store), CAIRN_OK);
    *out_home = NULL;
    return store;
}

static void memory_destroy(void *home, struct cairn_store *store)
{
    (void)home;
    store->ops->close(store);
}

static void a_hundred_thousand_entries_stay_in_order(void **state)
{
    struct cairn_store *store = NULL;

    (void)state;
    CHECK_STATUS(cairn_store_memory_new(&store), CAIRN_OK);
    for (uint32_t n = 0; n < 100000; n += 1000)
        store_put_numbered(store, n, 1000, 32);
    store_check_numbered(store, 100000, 32);
    store->ops->close(store);
}

int main(void)
{
    static const struct store_backend backend = {"memory", memory_create, NULL, memory_destroy};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_entries_stay_in_order),
    };
    int failed = store_suite_run(&backend);

    return failed + cmocka_run_group_tests_name("memory only", tests, NULL, NULL);
}
