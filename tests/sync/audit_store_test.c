/* Audits over stores that others write into meanwhile, and over stores and memory that fail. */

#include "audited.h"
#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "alloc_fault.h"
#include "bundle_edit.h"

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

/* ---- what an audit takes everything into fails --------------------------------------------- */

static enum cairn_status (*audit_hook)(unsigned number); /* of the next store; NULL: none */
static struct hooked audit_store;

static void audit_store_close(struct cairn_store *base)
{
    struct hooked *store = (struct hooked *)(void *)base;

    store->inner->ops->close(store->inner);
}

/* The linker puts it in the place of the one that core calls (CMakeLists.txt). */
enum cairn_status __real_cairn_store_memory_new(struct cairn_store **out_store);
enum cairn_status __wrap_cairn_store_memory_new(struct cairn_store **out_store);

enum cairn_status __wrap_cairn_store_memory_new(struct cairn_store **out_store)
{
    struct cairn_store *inner;
    enum cairn_status status = __real_cairn_store_memory_new(&inner);

    if (status != CAIRN_OK)
        return status;
    *out_store = inner;
    if (audit_hook != NULL) {
        hooked_init(&audit_store, inner, audit_hook);
        audit_store.ops.close = audit_store_close;
        *out_store = &audit_store.base;
    }
    return CAIRN_OK;
}

static bool record_alter(void *context, const struct cairn_group *group, struct cairn_run *run)
{
    unsigned *count = context;

    if (group->channel == CAIRN_CHANNEL_RECORDS && (*count)++ == 0) {
        uint8_t *bytes = (uint8_t *)(uintptr_t)run->entries.data;
        bytes[run->entries.size - 1] ^= 1; /* the last digit of an income */
    }
    return true;
}

/* A bundle in which one run does not match its seal, and what an audit of it ends with. */
static struct net_bytes altered, root_statement;

static void altered_make(void)
{
    unsigned count = 0;
    const struct bundle_edit edit = {.context = &count, .run = record_alter};
    struct net_bytes whole = net_bundle(&a7, true);

    root_statement = net_root_statement(&net);
    altered = bundle_edited(whole, &edit);
    free(whole.data);
}

static void altered_free(void)
{
    free(altered.data);
    free(root_statement.data);
}

static enum cairn_status altered_audit(struct cairn_audit_report *out_report)
{
    const struct cairn_bytes file = net_bytes(altered);
    const char *const name = "one.cairn";
    const struct cairn_audit_given given = {.root_statement = net_bytes(root_statement),
                                            .files = &file,
                                            .file_names = &name,
                                            .file_count = 1};

    audited_first_finding[0] = '\0';
    return cairn_audit_files(&given, &audited_visitor, out_report, NULL, &net_err);
}

/* Either the audit ends with what failed, or it finds what there is to find. */
static void expect_cause(enum cairn_status status, enum cairn_status fault)
{
    if (status != CAIRN_OK)
        net_expect(status, fault);
    else if (strstr(audited_first_finding, "do not match the seal over them") == NULL)
        fail_msg("found instead: %s", audited_first_finding);
}

static void memory_that_runs_out_blames_nothing_else(void **state)
{
    struct cairn_audit_report report;
    bool is_through = false;
    unsigned refused = 0;

    (void)state;
    altered_make();
    for (long n = 0; !is_through; n++) {
        alloc_fault_arm(n);
        enum cairn_status status = altered_audit(&report);
        is_through = alloc_fault_is_armed();
        alloc_fault_arm(-1);
        expect_cause(status, CAIRN_NO_MEMORY);
        refused += status != CAIRN_OK;
    }
    assert_true(refused > 0);
    altered_free();
}

static unsigned fault_at;
static enum cairn_status fault_with;

static enum cairn_status fault_before(unsigned number)
{
    return number == fault_at ? fault_with : CAIRN_OK;
}

static void a_store_that_fails_blames_nothing_else(void **state)
{
    struct cairn_audit_report report;
    unsigned refused = 0;

    (void)state;
    altered_make();
    fault_with = CAIRN_IO;
    audit_hook = fault_before;
    audit_store.begin_count = 1;
    for (fault_at = 0; fault_at <= audit_store.begin_count; fault_at++) {
        enum cairn_status status = altered_audit(&report);
        expect_cause(status, fault_with);
        refused += status != CAIRN_OK;
    }
    assert_true(refused > 0);
    audit_hook = NULL;
    altered_free();
}

/* What is left of a file is not passed over in silence. */
static void a_part_that_cannot_be_found_is_not_taken_for_the_end_of_the_file(void **state)
{
    struct cairn_audit_report report;

    (void)state;
    altered_make();
    fault_with = CAIRN_NOT_FOUND;
    audit_hook = fault_before;
    audit_store.begin_count = 1;
    for (fault_at = 0; fault_at <= audit_store.begin_count; fault_at++) {
        enum cairn_status status = altered_audit(&report);
        if (status == CAIRN_OK && report.finding_count == 0)
            fail_msg("nothing is found where transaction %u did not begin", fault_at);
    }
    assert_true(audit_store.begin_count > 1);
    audit_hook = NULL;
    altered_free();
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_store_that_is_written_to_while_it_is_audited_is_sound),
        TEST(memory_that_runs_out_blames_nothing_else),
        TEST(a_store_that_fails_blames_nothing_else),
        TEST(a_part_that_cannot_be_found_is_not_taken_for_the_end_of_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
