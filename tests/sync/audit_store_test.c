/* Audits over stores that others write into meanwhile, and over stores and memory that fail. */

#include "audited.h"
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

static struct net net;
static struct net_node a7;

static int setup(void **state)
{
    (void)state;
    net_open(&net, 61);
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_sync(&net.office, &net.server);
    net_put_many(&a7, NET_VILLAGE, 3);
    net_sync(&a7, &net.server);
    net_put_many(&a7, NET_VILLAGE, 3);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_node_close(&a7);
    net_close(&net);
    return 0;
}

/* ---- a store in which something happens before a transaction ------------------------------- */

struct hooked {
    struct cairn_store base; /* first: the store port points here */
    struct cairn_store *inner;
    struct cairn_store_ops ops;
    enum cairn_status (*hook)(unsigned number); /* how many began before */
    unsigned begin_count;
};

static enum cairn_status hooked_begin(struct cairn_store *base, enum cairn_txn_mode mode,
                                      struct cairn_txn **out_txn)
{
    struct hooked *store = (struct hooked *)(void *)base;
    enum cairn_status status = store->hook(store->begin_count++);

    return status == CAIRN_OK ? store->inner->ops->begin(store->inner, mode, out_txn) : status;
}

static enum cairn_status hooked_stat(struct cairn_store *base, struct cairn_store_stat *out_stat)
{
    struct hooked *store = (struct hooked *)(void *)base;

    return store->inner->ops->stat(store->inner, out_stat);
}

static void hooked_init(struct hooked *store, struct cairn_store *inner,
                        enum cairn_status (*hook)(unsigned number))
{
    *store = (struct hooked){.inner = inner, .ops = *inner->ops, .hook = hook};
    store->ops.begin = hooked_begin;
    store->ops.stat = hooked_stat;
    store->base.ops = &store->ops;
}

/* ---- others write -------------------------------------------------------------------------- */

static unsigned write_at;

static enum cairn_status write_before(unsigned number)
{
    if (number == write_at)
        net_put(&a7, NET_VILLAGE, "次仁", NULL);
    return CAIRN_OK;
}

/* As the server's is, which goes on while it is audited. */
static void a_store_that_is_written_to_while_it_is_audited_is_sound(void **state)
{
    struct cairn_audit_report report;
    struct cairn_replica *reader;
    struct hooked store;
    unsigned tried = 0;

    (void)state;
    do {
        struct fake_ports ports = a7.ports;
        write_at = UINT32_MAX;
        hooked_init(&store, a7.store, write_before);
        const struct cairn_replica_config config = {.store = &store.base, .ports = &ports.base};
        net_must(cairn_replica_open(&config, &reader, &net_err));
        store.begin_count = 0;
        write_at = tried;
        net_must(cairn_audit_replica(reader, NULL, &audited_visitor, &report, NULL, &net_err));
        cairn_replica_close(reader);
        audited_clean(&report);
    } while (++tried <= store.begin_count);
    assert_true(tried > 1);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_store_that_is_written_to_while_it_is_audited_is_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
