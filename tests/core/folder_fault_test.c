/*
 * Allocations that fail under a replica in a real folder: the ports of this machine, the folder's
 * lock and LMDB. replica_fault_test.c does the same, and more, in memory.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc_fault.h"
#include "cairn/folder.h"
#include "cairn/keys.h"
#include "cairn/replica.h"
#include "sanitized.h"
#include "temp_folder.h"

#define TRIES_MAX 100000

static char *folder, store[PATH_MAX], fresh[PATH_MAX];
static struct cairn_err err;

static enum cairn_status open_store(struct cairn_replica **out_replica)
{
    const struct cairn_replica_config config = {.path = store, .is_writer = true};

    return cairn_replica_open(&config, out_replica, &err);
}

static enum cairn_status init_at(const char *path)
{
    const struct cairn_replica_config config = {.path = path, .is_writer = true};
    const struct cairn_init init = {.name = "root", .root_scope = "51", .root_tag = "R"};
    struct cairn_replica *replica;

    enum cairn_status status = cairn_replica_init(&config, &init, &replica, &err);
    if (status == CAIRN_OK)
        cairn_replica_close(replica);
    return status;
}

static enum cairn_status put_in(struct cairn_replica *replica)
{
    const struct cairn_field_value head = {"head", "扎西"};
    const struct cairn_put put = {
        .type = "household", .scope = "513332100201", .fields = &head, .field_count = 1};
    struct cairn_put_result result;

    return cairn_put_many(replica, &put, 1, &result, NULL, &err);
}

static uint64_t record_count(void)
{
    struct cairn_replica *replica;
    struct cairn_status_report report;

    assert_int_equal(open_store(&replica), CAIRN_OK);
    assert_int_equal(cairn_status_get(replica, &report, &err), CAIRN_OK);
    cairn_replica_close(replica);
    return report.record_count;
}

static int setup(void **state)
{
    (void)state;
    folder = temp_folder_new();
    setenv("XDG_STATE_HOME", folder, 1);
    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(fresh, sizeof fresh, "%s/fresh", folder);
    assert_int_equal(mkdir(store, 0700), 0);
    assert_int_equal(init_at(store), CAIRN_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_folder_remove(folder);
    return 0;
}

/* `act` while each of its allocations fails in turn: how often it was refused. */
static long refuse_each(enum cairn_status (*act)(void), void (*between)(void))
{
    long refused = 0;

    for (long n = 0; n < TRIES_MAX; n++) {
        err.text[0] = '\0';
        long blocks = alloc_fault_blocks();
        alloc_fault_arm(n);
        enum cairn_status status = act();
        bool was_reached = !alloc_fault_is_armed();
        alloc_fault_arm(-1);
        if (alloc_fault_blocks() != blocks)
            fail_msg("allocation %ld: %ld blocks are left", n, alloc_fault_blocks() - blocks);
        if (!was_reached) {
            assert_int_equal(status, CAIRN_OK);
            return refused;
        }
        /* What is needed for the mark only is done without: see cairn_replica_write. */
        if (status != CAIRN_OK && (status != CAIRN_NO_MEMORY || err.text[0] == '\0'))
            fail_msg("allocation %ld: %s \"%s\"", n, cairn_status_name(status), err.text);
        refused += status != CAIRN_OK;
        if (between != NULL)
            between();
    }
    fail_msg("it never got through");
    return -1;
}

static enum cairn_status act_open(void)
{
    struct cairn_replica *replica;
    enum cairn_status status = open_store(&replica);

    if (status == CAIRN_OK)
        cairn_replica_close(replica);
    return status;
}

static void opening_a_folder_survives_every_allocation(void **state)
{
    (void)state;
    assert_true(refuse_each(act_open, NULL) > 5);
}

static enum cairn_status act_sealing(void)
{
    bool is_sealed = true;
    enum cairn_status status = cairn_key_is_sealed(store, &is_sealed, &err);

    if (status == CAIRN_OK)
        assert_false(is_sealed);
    return status;
}

static void asking_for_the_sealing_survives_every_allocation(void **state)
{
    (void)state;
    assert_true(refuse_each(act_sealing, NULL) > 1);
}

static enum cairn_status act_ports(void)
{
    struct cairn_ports *ports;
    enum cairn_status status = cairn_ports_posix_new(store, &ports, &err);

    if (status == CAIRN_OK)
        ports->ops->free(ports);
    return status;
}

static void the_ports_of_a_folder_survive_every_allocation(void **state)
{
    (void)state;
    assert_true(refuse_each(act_ports, NULL) > 0);
}

static enum cairn_status act_lmdb(void)
{
    struct cairn_store *opened;
    enum cairn_status status = cairn_store_lmdb_open(store, false, &opened, &err);

    if (status == CAIRN_OK)
        opened->ops->close(opened);
    return status;
}

static enum cairn_status act_memory(void)
{
    struct cairn_store *opened;
    enum cairn_status status = cairn_store_memory_new(&opened);

    if (status == CAIRN_OK)
        opened->ops->close(opened);
    else
        cairn_fail(&err, status, "it has no sentences");
    return status;
}

static void both_stores_survive_every_allocation_of_their_opening(void **state)
{
    (void)state;
    assert_true(refuse_each(act_lmdb, NULL) > 0);
    assert_true(refuse_each(act_memory, NULL) > 0);
}

static enum cairn_status act_lock(void)
{
    struct cairn_folder_lock lock, other = {.fd = -1};
    enum cairn_status status = cairn_folder_lock(store, "test", &lock, &err);

    if (status != CAIRN_OK)
        return status;
    assert_int_equal(cairn_folder_lock(store, "other", &other, &err), CAIRN_LOCKED);
    assert_non_null(strstr(err.text, "in use by test"));
    cairn_folder_unlock(&lock);
    return CAIRN_OK;
}

static enum cairn_status act_keys(void)
{
    static const uint8_t entropy[CAIRN_KEYS_ENTROPY_BYTES] = {1};
    const struct cairn_bytes none = {NULL, 0};
    uint8_t file[1024];
    struct cairn_writer writer;
    struct cairn_keys keys, again;
    unsigned sealing = 1;

    cairn_keys_make(&keys, "station", entropy);
    cairn_writer_init(&writer, file, sizeof file);
    assert_int_equal(cairn_keys_write(&keys, none, entropy, &writer), CAIRN_OK);
    assert_int_equal(cairn_keys_read(cairn_writer_bytes(&writer), none, &again), CAIRN_OK);
    assert_memory_equal(&again.open, &keys.open, sizeof keys.open);
    assert_int_equal(cairn_keys_sealing(cairn_writer_bytes(&writer), &sealing), CAIRN_OK);
    assert_int_equal(sealing, 0);
    cairn_keys_release(&again);
    cairn_keys_release(&keys);
    return CAIRN_OK;
}

static void a_lock_and_keys_without_a_passphrase_need_no_memory(void **state)
{
    (void)state;
    assert_int_equal(refuse_each(act_lock, NULL), 0);
    assert_int_equal(refuse_each(act_keys, NULL), 0);
}

static enum cairn_status act_init(void)
{
    enum cairn_status status;

    if (mkdir(fresh, 0700) != 0)
        assert_true(access(fresh, F_OK) == 0);
    status = init_at(fresh);
    if (status == CAIRN_OK)
        temp_tree_remove(fresh);
    return status;
}

static void an_init_that_failed_can_be_repeated_in_its_folder(void **state)
{
    (void)state;
    assert_true(refuse_each(act_init, NULL) > 10);
}

static struct cairn_replica *open_replica;
static uint64_t puts_done;

static enum cairn_status act_put(void)
{
    enum cairn_status status = open_store(&open_replica);

    if (status != CAIRN_OK)
        return status;
    status = put_in(open_replica);
    puts_done += status == CAIRN_OK;
    cairn_replica_close(open_replica);
    return status;
}

static void expect_puts_done(void)
{
    assert_int_equal(record_count(), puts_done);
}

static void a_put_that_said_no_left_nothing_and_one_that_said_yes_is_there(void **state)
{
    (void)state;
    puts_done = 0;
    assert_true(refuse_each(act_put, expect_puts_done) > 20);
    expect_puts_done();
}

/* Argon2id takes its memory from the system, not from malloc: it must say so when there is none. */
static void a_passphrase_without_memory_for_it_is_no_memory(void **state)
{
    static const uint8_t entropy[CAIRN_KEYS_ENTROPY_BYTES] = {1};
    const struct cairn_bytes passphrase = cairn_bytes_of_text("tashi delek");
    uint8_t file[1024];
    struct cairn_writer writer;
    struct cairn_keys keys, again;
    struct rlimit before, few;

    (void)state;
    if (IS_SANITIZED)
        skip(); /* sanitizers need more address space than any limit leaves */
    cairn_keys_make(&keys, "station", entropy);
    cairn_writer_init(&writer, file, sizeof file);
    assert_int_equal(cairn_keys_write(&keys, passphrase, entropy, &writer), CAIRN_OK);

    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    few = before;
    few.rlim_cur = 16u << 20; /* below what is mapped already: no new mapping */
    assert_int_equal(setrlimit(RLIMIT_AS, &few), 0);
    enum cairn_status reading = cairn_keys_read(cairn_writer_bytes(&writer), passphrase, &again);
    uint8_t other[1024];
    struct cairn_writer other_writer;
    cairn_writer_init(&other_writer, other, sizeof other);
    enum cairn_status writing = cairn_keys_write(&keys, passphrase, entropy, &other_writer);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);

    assert_int_equal(reading, CAIRN_NO_MEMORY);
    assert_int_equal(writing, CAIRN_NO_MEMORY);
    assert_int_equal(other_writer.size, 0);
    assert_int_equal(cairn_keys_read(cairn_writer_bytes(&writer), passphrase, &again), CAIRN_OK);
    assert_memory_equal(&again.open, &keys.open, sizeof keys.open);
    cairn_keys_release(&again);
    cairn_keys_release(&keys);
}

static void a_lock_without_a_descriptor_for_it_is_an_io_failure(void **state)
{
    struct cairn_folder_lock lock = {.fd = -1};
    struct rlimit before, few;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (rlim_t spare = 0; spare < 2; spare++) { /* it needs two: the folder's and the file's */
        int highest = dup(0);
        assert_true(highest >= 0);
        close(highest);
        few = before;
        few.rlim_cur = (rlim_t)highest + spare;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        enum cairn_status status = cairn_folder_lock(store, "test", &lock, &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(status, CAIRN_IO);
        assert_int_equal(lock.fd, -1);
    }
    assert_int_equal(cairn_folder_lock(store, "test", &lock, &err), CAIRN_OK);
    cairn_folder_unlock(&lock);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(opening_a_folder_survives_every_allocation),
        T(asking_for_the_sealing_survives_every_allocation),
        T(the_ports_of_a_folder_survive_every_allocation),
        T(both_stores_survive_every_allocation_of_their_opening),
        T(a_lock_and_keys_without_a_passphrase_need_no_memory),
        T(an_init_that_failed_can_be_repeated_in_its_folder),
        T(a_put_that_said_no_left_nothing_and_one_that_said_yes_is_there),
        T(a_passphrase_without_memory_for_it_is_no_memory),
        T(a_lock_without_a_descriptor_for_it_is_an_io_failure),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
