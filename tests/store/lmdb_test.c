/* The LMDB store passes the suite, and keeps what cairn_store_lmdb_open promises. */

#include "store_suite.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sanitized.h"
#include "temp_folder.h"

#define BIG_BYTES 100000u
#define MIB ((off_t)1 << 20)

static struct cairn_store *must_open(const char *path, bool create)
{
    struct cairn_store *store = NULL;
    struct cairn_err err = {NULL, ""};
    enum cairn_status status = cairn_store_lmdb_open(path, create, &store, &err);

    if (status != CAIRN_OK)
        fail_msg("%s", err.text);
    return store;
}

static void check_refused(const char *path, bool create, enum cairn_status want, const char *words)
{
    struct cairn_store mark = {NULL};
    struct cairn_store *store = &mark;
    struct cairn_err err = {NULL, ""};

    CHECK_STATUS(cairn_store_lmdb_open(path, create, &store, &err), want);
    assert_ptr_equal(store, &mark);
    if (strstr(err.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static struct cairn_store *lmdb_create(void **out_home)
{
    *out_home = temp_folder_new();
    return must_open(*out_home, true);
}

static struct cairn_store *lmdb_reopen(void *home, struct cairn_store *store)
{
    store->ops->close(store);
    return must_open(home, false);
}

static void lmdb_destroy(void *home, struct cairn_store *store)
{
    store->ops->close(store);
    store_folder_remove(home);
}

static char *inside(const char *folder, const char *name)
{
    char path[4300];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return strdup(path);
}

static off_t file_bytes(const char *path)
{
    struct stat stat_of;

    assert_int_equal(stat(path, &stat_of), 0);
    return stat_of.st_size;
}

/* ---- the map ---- */

struct reading_thread {
    struct cairn_store *store;
    atomic_bool stop;
    unsigned long rounds;
    bool is_good;
};

/* Keep readers open most of the time, each checking that its snapshot stands still. */
static void *read_in_thread(void *argument)
{
    struct reading_thread *self = argument;
    const struct cairn_store_ops *ops = self->store->ops;
    const struct cairn_bytes keys[] = {cairn_bytes_of_text("first"), cairn_bytes_of_text("last")};
    struct cairn_txn *txn;
    struct cairn_bytes values[2];
    uint8_t seen[2];

    for (self->is_good = true; self->is_good && !atomic_load(&self->stop); self->rounds++) {
        if (ops->begin(self->store, CAIRN_TXN_READ, &txn) != CAIRN_OK) {
            self->is_good = false;
            break;
        }
        for (int look = 0; look < 50 && self->is_good; look++) {
            if (ops->get_many(txn, keys, 2, values) != CAIRN_OK || values[0].size != BIG_BYTES ||
                values[1].size != BIG_BYTES) {
                self->is_good = false;
                break;
            }
            uint8_t now[2] = {values[0].data[0], values[1].data[BIG_BYTES - 1]};
            self->is_good = now[0] == now[1] && (look == 0 || now[0] == seen[0]);
            memcpy(seen, now, sizeof seen);
        }
        ops->abort(txn);
    }
    return NULL;
}

static void the_map_grows_many_times_under_readers_and_loses_nothing(void **state)
{
    void *home;
    struct reading_thread reading = {.store = lmdb_create(&home)};
    struct cairn_store *store = reading.store;
    uint8_t *value = malloc(BIG_BYTES);
    pthread_t thread;

    (void)state;
    assert_non_null(value);
    memset(value, 0, BIG_BYTES);
    store_put_one(store, cairn_bytes_of_text("first"), (struct cairn_bytes){value, BIG_BYTES});
    store_put_one(store, cairn_bytes_of_text("last"), (struct cairn_bytes){value, BIG_BYTES});
    assert_int_equal(pthread_create(&thread, NULL, read_in_thread, &reading), 0);
    for (uint32_t n = 0; n < 1500; n += 10)
        store_put_numbered(store, n, 10, BIG_BYTES);
    atomic_store(&reading.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(reading.is_good);
    assert_true(reading.rounds > 0);
    store_check_numbered(store, 1500, BIG_BYTES);
    free(value);
    lmdb_destroy(home, store);
}

static void one_transaction_bigger_than_the_map_gets_through_by_running_again(void **state)
{
    void *home;
    struct cairn_store *store = lmdb_create(&home);

    (void)state;
    store_put_numbered(store, 0, 1000, BIG_BYTES); /* 16 -> 32 -> 64 -> 128 MiB */
    store_check_numbered(store, 1000, BIG_BYTES);
    lmdb_destroy(home, store);
}

/* One try at more than the map holds; returns the put's or the commit's answer. */
static enum cairn_status overfill(struct cairn_store *store)
{
    struct cairn_txn *txn;
    uint8_t *value = calloc(1, 20 * (size_t)MIB);
    struct cairn_bytes key = cairn_bytes_of_text("n");

    assert_non_null(value);
    CHECK_STATUS(store->ops->begin(store, CAIRN_TXN_WRITE, &txn), CAIRN_OK);
    enum cairn_status status =
        store->ops->put(txn, key, (struct cairn_bytes){value, 20 * (size_t)MIB});
    if (status != CAIRN_OK) { /* whatever else it is asked, it stays over */
        CHECK_STATUS(store->ops->put(txn, key, key), status);
        CHECK_STATUS(store->ops->commit(txn), status);
    } else {
        status = store->ops->commit(txn);
    }
    free(value);
    return status;
}

static void a_thread_with_a_reader_meets_conflict_instead_of_waiting_for_itself(void **state)
{
    void *home;
    struct cairn_store *store = lmdb_create(&home);
    struct cairn_txn *reader;
    struct cairn_txn *second;

    (void)state;
    CHECK_STATUS(store->ops->begin(store, CAIRN_TXN_READ, &reader), CAIRN_OK);
    CHECK_STATUS(overfill(store), CAIRN_CONFLICT);
    CHECK_STATUS(overfill(store), CAIRN_CONFLICT);
    CHECK_STATUS(store->ops->begin(store, CAIRN_TXN_READ, &second), CAIRN_OK);
    store->ops->abort(second);
    store->ops->abort(reader); /* the last one out moves the map */
    CHECK_STATUS(overfill(store), CAIRN_OK);
    lmdb_destroy(home, store);
}

/* Runs `child` in a process of its own, forked while this one has nothing open; it ends with this
 * one, which may fail before it lets it go. */
static pid_t spawn(const char *path, sem_t *wait_for, int (*child)(const char *))
{
    pid_t self = getpid(), pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != self)
            _exit(1);
        while (sem_wait(wait_for) != 0) {
        }
        _exit(child(path));
    }
    return pid;
}

static int grow_in_child(const char *path)
{
    struct cairn_store *store;

    if (cairn_store_lmdb_open(path, false, &store, NULL) != CAIRN_OK)
        return 1;
    for (uint32_t n = 1; n < 601; n += 20) {
        if (store_try_numbered(store, n, 20, BIG_BYTES) != CAIRN_OK)
            return 2;
    }
    store->ops->close(store);
    return 0;
}

static void check_exit(pid_t pid)
{
    int outcome;

    assert_int_equal(waitpid(pid, &outcome, 0), pid);
    assert_true(WIFEXITED(outcome));
    assert_int_equal(WEXITSTATUS(outcome), 0);
}

static void another_process_may_grow_the_map(void **state)
{
    char *home = temp_folder_new();
    char *name = inside("", strrchr(home, '/') + 1);
    sem_t *go = sem_open(name, O_CREAT | O_EXCL, 0600, 0);

    (void)state;
    assert_true(go != SEM_FAILED);
    pid_t child = spawn(home, go, grow_in_child);
    sem_unlink(name);
    free(name);
    struct cairn_store *store = must_open(home, true);
    store_put_numbered(store, 0, 1, BIG_BYTES);
    assert_int_equal(sem_post(go), 0);
    check_exit(child);
    store_check_numbered(store, 601, BIG_BYTES); /* this map was too small to see it */
    store_put_numbered(store, 601, 400, BIG_BYTES);
    store_check_numbered(store, 1001, BIG_BYTES);
    assert_int_equal(sem_close(go), 0);
    lmdb_destroy(home, store);
}

#if !IS_SANITIZED
/* Leave room for a few MiB only, so that the first growth of the map fails. */
static int fill_without_room(const char *path)
{
    struct cairn_store *store;
    struct cairn_store_stat stat;
    struct rlimit limit;
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    enum cairn_status status;
    uint32_t count = 0;

    if (file == NULL || fscanf(file, "%lu", &pages) != 1 || fclose(file) != 0)
        return 1;
    if (cairn_store_lmdb_open(path, true, &store, NULL) != CAIRN_OK)
        return 2;
    limit.rlim_cur = limit.rlim_max = pages * (rlim_t)sysconf(_SC_PAGESIZE) + 8 * (rlim_t)MIB;
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        return 3;
    while ((status = store_try_numbered(store, count, 10, BIG_BYTES)) == CAIRN_OK && count < 1000)
        count += 10;
    if (status != CAIRN_NO_MEMORY || count < 100 || count >= 200)
        return 4;
    if (store_try_numbered(store, count, 10, BIG_BYTES) != CAIRN_NO_MEMORY)
        return 5;
    if (store->ops->stat(store, &stat) != CAIRN_OK || stat.entry_count != count)
        return 6; /* the old map should stand */
    store->ops->close(store);
    return 0;
}
#endif

static void a_map_that_cannot_grow_says_so_and_stays_readable(void **state)
{
    (void)state;
#if IS_SANITIZED
    skip(); /* sanitizers need more address space than any limit leaves */
#else
    char *home = temp_folder_new();
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(fill_without_room(home));
    check_exit(pid);
    struct cairn_store *store = must_open(home, false);
    struct cairn_store_stat stat;
    CHECK_STATUS(store->ops->stat(store, &stat), CAIRN_OK);
    store_check_numbered(store, (uint32_t)stat.entry_count, BIG_BYTES);
    lmdb_destroy(home, store);
#endif
}

/* ---- opening ---- */

static void opening_makes_a_private_folder_only_when_told_to(void **state)
{
    char *folder = temp_folder_new();
    char *home = inside(folder, "new");
    char *deep = inside(folder, "no/such/parent");
    struct stat stat_of;

    (void)state;
    check_refused(home, false, CAIRN_NOT_FOUND, "There is no store in");
    assert_int_not_equal(stat(home, &stat_of), 0);
    check_refused(folder, false, CAIRN_NOT_FOUND, "There is no store in");
    check_refused(deep, true, CAIRN_IO, "cannot be made");
    struct cairn_store *store = must_open(home, true);
    assert_int_equal(stat(home, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 0777, 0700);
    free(deep);
    lmdb_destroy(home, store);
    store_folder_remove(folder);
}

static void one_folder_is_open_once_in_a_process(void **state)
{
    void *home;
    struct cairn_store *store = lmdb_create(&home);
    char *other_spelling = inside(home, ".");

    (void)state;
    check_refused(home, true, CAIRN_LOCKED, "open in this program already");
    check_refused(other_spelling, false, CAIRN_LOCKED, "open in this program already");
    store_put_numbered(store, 0, 10, 100);
    store = lmdb_reopen(home, store);
    store_check_numbered(store, 10, 100);
    free(other_spelling);
    lmdb_destroy(home, store);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void a_file_that_is_not_lmdb_is_refused_and_left_alone(void **state)
{
    char *home = temp_folder_new();
    char *data = inside(home, "data.mdb");
    char read_back[32] = "";

    (void)state;
    write_file(data, "my shopping list");
    check_refused(home, true, CAIRN_CORRUPT, "is not a store");
    check_refused(data, true, CAIRN_CORRUPT, "cannot be opened");
    check_refused(data, false, CAIRN_CORRUPT, "cannot be opened");
    FILE *file = fopen(data, "rb");
    assert_non_null(file);
    assert_non_null(fgets(read_back, sizeof read_back, file));
    assert_int_equal(fclose(file), 0);
    assert_string_equal(read_back, "my shopping list");
    free(data);
    store_folder_remove(home);
}

static void an_empty_file_counts_as_no_store(void **state)
{
    char *home = temp_folder_new();
    char *data = inside(home, "data.mdb");

    (void)state;
    write_file(data, "");
    check_refused(home, false, CAIRN_NOT_FOUND, "There is no store in");
    struct cairn_store *store = must_open(home, true);
    store_put_numbered(store, 0, 10, 100);
    free(data);
    lmdb_destroy(home, store);
}

static void a_file_cut_short_is_refused_at_any_length(void **state)
{
    void *home;
    struct cairn_store *store = lmdb_create(&home);
    char *data = inside(home, "data.mdb");

    (void)state;
    for (uint32_t n = 0; n < 200; n++)
        store_put_numbered(store, n, 1, n % 10 == 0 ? BIG_BYTES : 700);
    store->ops->close(store);
    for (off_t length = file_bytes(data) - 1; length > 0; length = length * 9 / 10 - 1) {
        assert_int_equal(truncate(data, length), 0);
        check_refused(home, true, CAIRN_CORRUPT, "Nothing was changed.");
        assert_int_equal(file_bytes(data), length);
    }
    free(data);
    store_folder_remove(home);
}

/* One transaction that takes pages at the end and gives them back; LMDB does not write those. */
static void give_back_at_the_end(struct cairn_store *store)
{
    const struct cairn_store_ops *ops = store->ops;
    struct cairn_bytes key = cairn_bytes_of_text("gone");
    struct cairn_txn *txn;
    uint8_t *value = calloc(1, BIG_BYTES);

    assert_non_null(value);
    CHECK_STATUS(ops->begin(store, CAIRN_TXN_WRITE, &txn), CAIRN_OK);
    CHECK_STATUS(ops->put(txn, key, (struct cairn_bytes){value, BIG_BYTES}), CAIRN_OK);
    CHECK_STATUS(ops->del(txn, key), CAIRN_OK);
    CHECK_STATUS(ops->commit(txn), CAIRN_OK);
    free(value);
}

static void a_file_shorter_than_its_last_page_but_whole_opens(void **state)
{
    void *home;
    struct cairn_store *store = lmdb_create(&home);
    char *data = inside(home, "data.mdb");

    (void)state;
    for (uint32_t n = 0; n < 2000; n += 100) /* two levels, and free pages to be reused */
        store_put_numbered(store, n, 100, 200);
    off_t before = file_bytes(data);
    give_back_at_the_end(store);
    assert_true(file_bytes(data) < before + (off_t)BIG_BYTES); /* else it proves nothing */
    store = lmdb_reopen(home, store);
    store_check_numbered(store, 2000, 200);
    store->ops->close(store);

    assert_int_equal(truncate(data, file_bytes(data) / 2), 0);
    check_refused(home, false, CAIRN_CORRUPT, "cut short");
    free(data);
    store_folder_remove(home);
}

int main(void)
{
    static const struct store_backend backend = {"lmdb", lmdb_create, lmdb_reopen, lmdb_destroy};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_map_grows_many_times_under_readers_and_loses_nothing),
        cmocka_unit_test(one_transaction_bigger_than_the_map_gets_through_by_running_again),
        cmocka_unit_test(a_thread_with_a_reader_meets_conflict_instead_of_waiting_for_itself),
        cmocka_unit_test(another_process_may_grow_the_map),
        cmocka_unit_test(a_map_that_cannot_grow_says_so_and_stays_readable),
        cmocka_unit_test(opening_makes_a_private_folder_only_when_told_to),
        cmocka_unit_test(one_folder_is_open_once_in_a_process),
        cmocka_unit_test(a_file_that_is_not_lmdb_is_refused_and_left_alone),
        cmocka_unit_test(an_empty_file_counts_as_no_store),
        cmocka_unit_test(a_file_cut_short_is_refused_at_any_length),
        cmocka_unit_test(a_file_shorter_than_its_last_page_but_whole_opens),
    };
    int failed = store_suite_run(&backend);

    return failed + cmocka_run_group_tests_name("lmdb only", tests, NULL, NULL);
}
