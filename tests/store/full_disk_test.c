/*
 * What the LMDB store does when the disk is full: on a small file system of its own where this
 * process may mount one, and always with a shim that makes writes fail as a full disk does.
 */

#include "store_suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "enospc.h"
#include "temp_folder.h"

#define VALUE_BYTES 1000u
#define BATCHES_MAX 1000u
#define READERS 70u /* their slots take more than the first page of lock.mdb */

struct full_disk {
    bool is_mounted;
    char *folder; /* the file system's root, or a plain folder */
    char ballast[300];
    char home[300];
};

static void ballast_fill(const struct full_disk *disk)
{
    static const char zeros[4096];
    int fd = open(disk->ballast, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    for (int i = 0; i < 128; i++)
        assert_int_equal(write(fd, zeros, sizeof zeros), sizeof zeros);
    assert_int_equal(close(fd), 0);
}

/* A mount that nobody else sees and that goes away with this process. */
static bool disk_mount(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return false;
    return mount("tmpfs", folder, "tmpfs", 0, "size=2m,mode=700") == 0;
}

static void disk_set_up(struct full_disk *disk, bool wants_mount)
{
    disk->folder = temp_folder_new();
    snprintf(disk->ballast, sizeof disk->ballast, "%s/ballast", disk->folder);
    snprintf(disk->home, sizeof disk->home, "%s/store", disk->folder);
    disk->is_mounted = wants_mount && disk_mount(disk->folder);
    if (disk->is_mounted)
        ballast_fill(disk);
    else
        enospc_allow(1500000);
}

static void disk_free_some(const struct full_disk *disk)
{
    if (disk->is_mounted)
        assert_int_equal(unlink(disk->ballast), 0);
    else
        enospc_allow(500000);
}

static void disk_tear_down(struct full_disk *disk)
{
    enospc_allow(-1);
    enospc_fail(0);
    store_folder_remove(strdup(disk->home));
    if (disk->is_mounted)
        assert_int_equal(umount(disk->folder), 0);
    store_folder_remove(disk->folder);
}

static struct cairn_store *must_open(const struct full_disk *disk)
{
    struct cairn_store *store = NULL;
    struct cairn_err err = {NULL, ""};
    enum cairn_status status = cairn_store_lmdb_open(disk->home, true, &store, &err);

    if (status != CAIRN_OK)
        fail_msg("%s", err.text);
    return store;
}

/* Commit batches until the disk is full; returns how many entries are committed. */
static uint32_t fill(struct cairn_store *store, uint32_t count, uint32_t batch)
{
    enum cairn_status status;
    uint32_t batches = 0;

    while ((status = store_try_numbered(store, count, batch, VALUE_BYTES)) == CAIRN_OK) {
        count += batch;
        assert_in_range(++batches, 1, BATCHES_MAX);
    }
    CHECK_STATUS(status, CAIRN_NO_SPACE);
    return count;
}

static void check_many_readers(struct cairn_store *store)
{
    struct cairn_txn *readers[READERS];

    for (size_t i = 0; i < READERS; i++)
        CHECK_STATUS(store->ops->begin(store, CAIRN_TXN_READ, &readers[i]), CAIRN_OK);
    for (size_t i = 0; i < READERS; i++)
        store->ops->abort(readers[i]);
}

static void run_full(bool wants_mount, uint32_t batch)
{
    struct full_disk disk = {0};

    disk_set_up(&disk, wants_mount);
    if (wants_mount && !disk.is_mounted) {
        disk.home[0] = '\0';
        enospc_allow(-1);
        store_folder_remove(disk.folder);
        skip();
    }
    print_message("disk: %s\n", disk.is_mounted ? "a tmpfs of 2 MiB" : "the enospc shim");
    struct cairn_store *store = must_open(&disk);
    uint32_t count = fill(store, 0, batch);
    assert_in_range(count, batch, 2000);
    store_check_numbered(store, count, VALUE_BYTES);
    check_many_readers(store);

    /* Still full, still whole: in this open store and in the next. */
    count = fill(store, count, batch);
    store_check_numbered(store, count, VALUE_BYTES);
    store->ops->close(store);
    store = must_open(&disk);
    store_check_numbered(store, count, VALUE_BYTES);
    count = fill(store, count, batch);

    disk_free_some(&disk);
    store_put_numbered(store, count, batch, VALUE_BYTES);
    count += batch;
    store_check_numbered(store, count, VALUE_BYTES);
    count = fill(store, count, batch);
    store->ops->close(store);
    store = must_open(&disk);
    store_check_numbered(store, count, VALUE_BYTES);
    store->ops->close(store);
    disk_tear_down(&disk);
}

static void a_full_file_system_loses_nothing_and_writes_go_on_once_there_is_space(void **state)
{
    (void)state;
    run_full(true, 5);
    run_full(true, 97);
}

static void writes_that_fail_lose_nothing_and_go_on_once_there_is_space(void **state)
{
    (void)state;
    run_full(false, 5);
    run_full(false, 97);
}

static void after_a_failed_commit_the_store_refuses_work_until_it_is_reopened(void **state)
{
    struct full_disk disk = {0};
    struct cairn_txn *txn;
    struct cairn_store_stat stat;

    (void)state;
    disk_set_up(&disk, false);
    enospc_allow(-1);
    struct cairn_store *store = must_open(&disk);
    store_put_numbered(store, 0, 10, VALUE_BYTES);
    enospc_fail(EIO);
    CHECK_STATUS(store_try_numbered(store, 10, 10, VALUE_BYTES), CAIRN_IO);
    enospc_fail(0);
    CHECK_STATUS(store->ops->begin(store, CAIRN_TXN_WRITE, &txn), CAIRN_IO);
    CHECK_STATUS(store->ops->begin(store, CAIRN_TXN_READ, &txn), CAIRN_IO);
    CHECK_STATUS(store->ops->stat(store, &stat), CAIRN_IO);
    store->ops->close(store);
    store = must_open(&disk);
    store_check_numbered(store, 10, VALUE_BYTES);
    store_put_numbered(store, 10, 10, VALUE_BYTES);
    store_check_numbered(store, 20, VALUE_BYTES);
    store->ops->close(store);
    disk_tear_down(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_file_system_loses_nothing_and_writes_go_on_once_there_is_space),
        cmocka_unit_test(writes_that_fail_lose_nothing_and_go_on_once_there_is_space),
        cmocka_unit_test(after_a_failed_commit_the_store_refuses_work_until_it_is_reopened),
    };

    return cmocka_run_group_tests_name("full disk", tests, NULL, NULL);
}
