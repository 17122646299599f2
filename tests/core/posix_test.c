/* This machine's ports and the lock of a store's folder, on real files in a folder of their own. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cairn/folder.h"
#include "cairn/ports.h"
#include "temp_folder.h"

/* ---- counting and failing fsync: this program's own stands before the C library's ---- */

static int fsync_count, fsync_fails_at; /* counted from 1; 0: never */

int fsync(int fd)
{
    if (++fsync_count == fsync_fails_at) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

/* ---- a folder for each test: HOME is ROOT/home, the store ROOT/store ---- */

struct fixture {
    char root[PATH_MAX / 4];
    char store[PATH_MAX / 2];
    struct cairn_ports *ports;
    struct cairn_err err;
};

static void path_join(char out[static PATH_MAX], const char *head, const char *tail)
{
    int size = snprintf(out, PATH_MAX, "%s/%s", head, tail);
    assert_true(size > 0 && size < PATH_MAX);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    const char *tmp = getenv("TMPDIR");
    char home[PATH_MAX];

    if (f == NULL)
        return -1;
    *state = f;
    fsync_count = fsync_fails_at = 0;
    snprintf(f->root, sizeof f->root, "%s/cairn-posix-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(f->root) == NULL)
        return -1;
    path_join(home, f->root, "home");
    snprintf(f->store, sizeof f->store, "%s/store", f->root);
    unsetenv("XDG_STATE_HOME");
    return mkdir(home, 0700) | mkdir(f->store, 0700) | setenv("HOME", home, 1) |
           (int)cairn_ports_posix_new(f->store, &f->ports, &f->err);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    f->ports->ops->free(f->ports);
    temp_tree_remove(f->root);
    free(f);
    return 0;
}

/* Ports anew, after the test changed the environment or the folder. */
static void reopen(struct fixture *f, const char *path)
{
    f->ports->ops->free(f->ports);
    assert_int_equal(cairn_ports_posix_new(path, &f->ports, &f->err), CAIRN_OK);
}

static struct cairn_bytes text(const char *chars)
{
    return cairn_bytes_of_text(chars);
}

typedef enum cairn_status load_fn(struct cairn_ports *, struct cairn_writer *);

static void expect_loaded(struct fixture *f, load_fn *load, const char *want)
{
    char buf[CAIRN_MARK_MAX + 1];
    struct cairn_writer writer;

    cairn_writer_init(&writer, buf, sizeof buf - 1);
    assert_int_equal(load(f->ports, &writer), CAIRN_OK);
    buf[writer.size] = '\0';
    assert_string_equal(buf, want);
}

static void expect_not_loaded(struct fixture *f, load_fn *load, enum cairn_status want)
{
    char buf[CAIRN_MARK_MAX];
    struct cairn_writer writer;

    cairn_writer_init(&writer, buf, sizeof buf);
    assert_int_equal(load(f->ports, &writer), want);
    assert_int_equal(writer.size, 0);
}

static mode_t mode_of(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat stat_buf;

    path_join(path, folder, name);
    assert_int_equal(lstat(path, &stat_buf), 0);
    return stat_buf.st_mode;
}

static bool exists(const char *folder, const char *name)
{
    char path[PATH_MAX];

    path_join(path, folder, name);
    return access(path, F_OK) == 0;
}

/* The name that ports.h promises for the mark, worked out once more. */
static void mark_path(const struct fixture *f, const char *folder, char out_path[static PATH_MAX])
{
    char real[PATH_MAX], hex[17];
    uint8_t hash[32];

    assert_non_null(realpath(f->store, real));
    crypto_hash_sha256(hash, (const uint8_t *)real, strlen(real));
    sodium_bin2hex(hex, sizeof hex, hash, 8);
    path_join(out_path, folder, hex);
}

static void file_make(const char *path, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    close(fd);
}

/* ---- the key file ---- */

static void a_saved_key_comes_back_and_is_for_the_owner_only(void **state)
{
    struct fixture *f = *state;
    const struct cairn_ports_ops *ops = f->ports->ops;

    expect_not_loaded(f, ops->key_load, CAIRN_NOT_FOUND);
    mode_t old = umask(0);
    assert_int_equal(ops->key_save(f->ports, text("one")), CAIRN_OK);
    umask(old);
    expect_loaded(f, ops->key_load, "one");
    assert_int_equal(mode_of(f->store, "key"), S_IFREG | 0600);
    assert_false(exists(f->store, "key.new"));
    assert_int_equal(fsync_count, 2); /* the file, then its folder */
}

static void a_key_is_never_replaced(void **state)
{
    struct fixture *f = *state;
    const struct cairn_ports_ops *ops = f->ports->ops;

    assert_int_equal(ops->key_save(f->ports, text("one")), CAIRN_OK);
    assert_int_equal(ops->key_save(f->ports, text("two")), CAIRN_EXISTS);
    expect_loaded(f, ops->key_load, "one");
}

static void what_a_crash_left_of_a_new_key_is_in_nobodys_way(void **state)
{
    struct fixture *f = *state;
    const struct cairn_ports_ops *ops = f->ports->ops;
    char path[PATH_MAX];

    path_join(path, f->store, "key.new");
    file_make(path, 5);
    assert_int_equal(ops->key_save(f->ports, text("one")), CAIRN_OK);
    expect_loaded(f, ops->key_load, "one");
    assert_false(exists(f->store, "key.new"));
}

static void a_failed_save_leaves_no_key(void **state)
{
    struct fixture *f = *state;
    const struct cairn_ports_ops *ops = f->ports->ops;
    struct rlimit before, none;

    fsync_fails_at = fsync_count + 1;
    assert_int_equal(ops->key_save(f->ports, text("one")), CAIRN_IO);
    expect_not_loaded(f, ops->key_load, CAIRN_NOT_FOUND);
    assert_false(exists(f->store, "key.new"));

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    enum cairn_status status = ops->key_save(f->ports, text("one"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, CAIRN_IO);
    expect_not_loaded(f, ops->key_load, CAIRN_NOT_FOUND);
    assert_false(exists(f->store, "key.new"));
}

static void a_folder_that_does_not_sync_is_told(void **state)
{
    struct fixture *f = *state;

    fsync_fails_at = 2;
    assert_int_equal(f->ports->ops->key_save(f->ports, text("one")), CAIRN_IO);
    assert_false(exists(f->store, "key.new"));
}

static void a_file_over_its_limit_is_not_loaded(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX], buf[CAIRN_KEY_FILE_MAX];
    struct cairn_writer writer;

    path_join(path, f->store, "key");
    file_make(path, CAIRN_KEY_FILE_MAX);
    cairn_writer_init(&writer, buf, sizeof buf);
    assert_int_equal(f->ports->ops->key_load(f->ports, &writer), CAIRN_OK);
    assert_int_equal(writer.size, CAIRN_KEY_FILE_MAX);
    file_make(path, CAIRN_KEY_FILE_MAX + 1);
    expect_not_loaded(f, f->ports->ops->key_load, CAIRN_LIMIT);
}

static void a_folder_where_the_key_should_be_is_an_io_failure(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX];

    path_join(path, f->store, "key");
    assert_int_equal(mkdir(path, 0700), 0);
    expect_not_loaded(f, f->ports->ops->key_load, CAIRN_IO);
    assert_int_equal(f->ports->ops->key_save(f->ports, text("one")), CAIRN_EXISTS);
    assert_false(exists(f->store, "key.new"));
}

/* ---- the mark ---- */

static void expect_mark_at(struct fixture *f, const char *path)
{
    const struct cairn_ports_ops *ops = f->ports->ops;
    char new_path[PATH_MAX + 8];

    expect_not_loaded(f, ops->mark_load, CAIRN_NOT_FOUND);
    assert_int_equal(ops->mark_save(f->ports, text("high"), true), CAIRN_OK);
    assert_int_equal(access(path, F_OK), 0);
    expect_loaded(f, ops->mark_load, "high");
    assert_int_equal(ops->mark_save(f->ports, text("higher"), false), CAIRN_OK);
    expect_loaded(f, ops->mark_load, "higher");
    snprintf(new_path, sizeof new_path, "%s.new", path);
    assert_int_not_equal(access(new_path, F_OK), 0);
}

static void the_mark_lies_in_the_homes_state_folder_unless_an_absolute_one_is_named(void **state)
{
    static const char *const named[] = {NULL, "", "state"};
    struct fixture *f = *state;
    char folder[PATH_MAX], path[PATH_MAX];

    path_join(folder, f->root, "home/.local/state/cairn");
    mark_path(f, folder, path);
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (named[i] != NULL)
            setenv("XDG_STATE_HOME", named[i], 1);
        reopen(f, f->store);
        expect_mark_at(f, path);
        assert_int_equal(mode_of(folder, "."), S_IFDIR | 0700);
        assert_int_equal(mode_of(folder, ".."), S_IFDIR | 0700);
        assert_int_equal(mode_of("", path + 1), S_IFREG | 0600);
        assert_int_equal(unlink(path), 0);
    }
}

static void an_absolute_state_folder_comes_before_home(void **state)
{
    struct fixture *f = *state;
    char set[PATH_MAX], folder[PATH_MAX], path[PATH_MAX];

    path_join(set, f->root, "a/b");
    setenv("XDG_STATE_HOME", set, 1);
    reopen(f, f->store);
    path_join(folder, set, "cairn");
    mark_path(f, folder, path);
    expect_mark_at(f, path);
}

static void without_a_home_the_mark_lies_beside_the_store(void **state)
{
    static const char *const homes[] = {NULL, "", "home", "/nonexistent"};
    struct fixture *f = *state;
    char path[PATH_MAX];

    path_join(path, f->root, "store.mark");
    for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++) {
        if (homes[i] == NULL)
            unsetenv("HOME");
        else
            setenv("HOME", homes[i], 1);
        reopen(f, f->store);
        expect_mark_at(f, path);
        assert_int_equal(unlink(path), 0);
    }
}

static void a_mark_without_sync_syncs_nothing(void **state)
{
    struct fixture *f = *state;
    const struct cairn_ports_ops *ops = f->ports->ops;

    assert_int_equal(ops->mark_save(f->ports, text("1"), true), CAIRN_OK);
    fsync_count = 0;
    assert_int_equal(ops->mark_save(f->ports, text("2"), false), CAIRN_OK);
    assert_int_equal(fsync_count, 0);
    assert_int_equal(ops->mark_save(f->ports, text("3"), true), CAIRN_OK);
    assert_int_equal(fsync_count, 2);
    expect_loaded(f, ops->mark_load, "3");
}

static void each_store_has_a_mark_of_its_own_however_its_path_is_spelled(void **state)
{
    struct fixture *f = *state;
    char other[PATH_MAX], link[PATH_MAX], longer[PATH_MAX];

    assert_int_equal(f->ports->ops->mark_save(f->ports, text("mine"), true), CAIRN_OK);
    path_join(link, f->root, "link");
    assert_int_equal(symlink("store", link), 0);
    reopen(f, link);
    expect_loaded(f, f->ports->ops->mark_load, "mine");
    path_join(longer, f->store, "../store//");
    reopen(f, longer);
    expect_loaded(f, f->ports->ops->mark_load, "mine");

    path_join(other, f->root, "other");
    assert_int_equal(mkdir(other, 0700), 0);
    reopen(f, other);
    expect_not_loaded(f, f->ports->ops->mark_load, CAIRN_NOT_FOUND);
}

static void ports_may_be_made_before_their_folder(void **state)
{
    static const char *const spellings[] = {"later", "later/", "../later"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        char path[PATH_MAX], plain[PATH_MAX];

        path_join(plain, f->root, "later");
        path_join(path, i == 2 ? f->store : f->root, spellings[i]);
        reopen(f, path);
        assert_int_equal(f->ports->ops->key_save(f->ports, text("k")), CAIRN_IO);
        assert_int_equal(f->ports->ops->mark_save(f->ports, text("m"), true), CAIRN_OK);
        assert_int_equal(mkdir(plain, 0700), 0);
        assert_int_equal(f->ports->ops->key_save(f->ports, text("k")), CAIRN_OK);
        reopen(f, plain);
        expect_loaded(f, f->ports->ops->key_load, "k");
        expect_loaded(f, f->ports->ops->mark_load, "m");
        temp_tree_remove(plain);
    }
}

static void ports_without_a_folder_to_be_in_are_refused(void **state)
{
    struct fixture *f = *state;
    struct cairn_ports *ports = NULL;
    char path[PATH_MAX];

    path_join(path, f->root, "no/such/folder");
    assert_int_equal(cairn_ports_posix_new(path, &ports, &f->err), CAIRN_IO);
    assert_null(ports);
    assert_non_null(strstr(f->err.text, "no/such/folder"));
}

/* ---- the place, the clock, randomness ---- */

struct place {
    uint8_t bytes[CAIRN_PLACE_MAX];
    struct cairn_writer writer;
};

static void place_get(struct fixture *f, const char *path, struct place *out_place)
{
    reopen(f, path);
    cairn_writer_init(&out_place->writer, out_place->bytes, sizeof out_place->bytes);
    assert_int_equal(f->ports->ops->place(f->ports, &out_place->writer), CAIRN_OK);
    assert_false(out_place->writer.overflowed);
    assert_true(out_place->writer.size >= 8);
}

static bool place_equal(const struct place *a, const struct place *b)
{
    return cairn_bytes_equal(cairn_writer_bytes(&a->writer), cairn_writer_bytes(&b->writer));
}

static void a_folder_keeps_its_place_when_it_is_renamed_and_a_copy_has_another(void **state)
{
    struct fixture *f = *state;
    struct place before, after, copy;
    char moved[PATH_MAX];

    place_get(f, f->store, &before);
    place_get(f, f->store, &after);
    assert_true(place_equal(&before, &after));
    path_join(moved, f->root, "moved");
    assert_int_equal(rename(f->store, moved), 0);
    assert_int_equal(chmod(moved, 0750), 0);
    place_get(f, moved, &after);
    assert_true(place_equal(&before, &after));
    assert_int_equal(mkdir(f->store, 0700), 0);
    place_get(f, f->store, &copy);
    assert_false(place_equal(&before, &copy));
}

static void a_folder_that_is_gone_has_no_place(void **state)
{
    struct fixture *f = *state;
    uint8_t buf[CAIRN_PLACE_MAX];
    struct cairn_writer writer;

    assert_int_equal(rmdir(f->store), 0);
    cairn_writer_init(&writer, buf, sizeof buf);
    assert_int_equal(f->ports->ops->place(f->ports, &writer), CAIRN_IO);
    assert_int_equal(writer.size, 0);
}

static void the_clock_is_the_devices_and_random_bytes_differ(void **state)
{
    struct fixture *f = *state;
    uint8_t a[32], b[32];

    uint64_t before = (uint64_t)time(NULL), now = f->ports->ops->now_s(f->ports);
    assert_true(now + 1 >= before && now <= before + 60); /* time() may lag by a tick */
    f->ports->ops->random(f->ports, a, sizeof a);
    f->ports->ops->random(f->ports, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* ---- the lock ---- */

/* Lock the store in a process of its own; its answer and the sentence come back through a pipe. */
static enum cairn_status lock_elsewhere(const struct fixture *f, char out_text[static 768])
{
    struct {
        int status;
        char text[CAIRN_ERR_TEXT_BYTES];
    } answer = {.status = -1};
    int ends[2], exit_status;

    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct cairn_folder_lock lock;
        struct cairn_err err = {0};
        answer.status = (int)cairn_folder_lock(f->store, "cairn", &lock, &err);
        memcpy(answer.text, err.text, sizeof answer.text);
        _exit(write(ends[1], &answer, sizeof answer) == (ssize_t)sizeof answer ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &answer, sizeof answer), sizeof answer);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &exit_status, 0), pid);
    assert_int_equal(exit_status, 0);
    memcpy(out_text, answer.text, sizeof answer.text);
    return (enum cairn_status)answer.status;
}

static void a_second_process_is_told_who_holds_the_folder(void **state)
{
    struct fixture *f = *state;
    struct cairn_folder_lock lock = {.fd = -1};
    char said[CAIRN_ERR_TEXT_BYTES], want[64];

    assert_int_equal(cairn_folder_lock(f->store, "cairn-server", &lock, &f->err), CAIRN_OK);
    assert_true(lock.fd >= 0);
    assert_int_equal(lock_elsewhere(f, said), CAIRN_LOCKED);
    snprintf(want, sizeof want, "cairn-server, process %ld", (long)getpid());
    assert_non_null(strstr(said, want));
    assert_non_null(strstr(said, f->store));
    cairn_folder_unlock(&lock);
    assert_int_equal(lock.fd, -1);
    cairn_folder_unlock(&lock); /* nothing is held: nothing happens */
    assert_int_equal(lock_elsewhere(f, said), CAIRN_OK);
}

static void a_lock_ends_with_its_process(void **state)
{
    struct fixture *f = *state;
    struct cairn_folder_lock lock = {.fd = -1};
    char said[CAIRN_ERR_TEXT_BYTES];

    assert_int_equal(lock_elsewhere(f, said), CAIRN_OK); /* it ended without unlocking */
    assert_int_equal(cairn_folder_lock(f->store, "cairn", &lock, &f->err), CAIRN_OK);
    cairn_folder_unlock(&lock);
}

static void one_process_locks_a_folder_once(void **state)
{
    struct fixture *f = *state;
    struct cairn_folder_lock lock = {.fd = -1}, second = {.fd = -1};

    assert_int_equal(cairn_folder_lock(f->store, "cairn", &lock, &f->err), CAIRN_OK);
    assert_int_equal(cairn_folder_lock(f->store, "cairn", &second, NULL), CAIRN_LOCKED);
    assert_int_equal(second.fd, -1);
    cairn_folder_unlock(&lock);
}

static void a_lock_file_with_no_name_in_it_still_refuses(void **state)
{
    static const char *const notes[] = {"", "12", "0 x\n", "x y", "12 \x1b[2J\n", "12 \xff\xff\n"};
    struct fixture *f = *state;
    struct cairn_folder_lock lock = {.fd = -1};
    char said[CAIRN_ERR_TEXT_BYTES];

    assert_int_equal(cairn_folder_lock(f->store, "cairn", &lock, &f->err), CAIRN_OK);
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        assert_int_equal(ftruncate(lock.fd, 0), 0);
        assert_int_equal(pwrite(lock.fd, notes[i], strlen(notes[i]), 0), strlen(notes[i]));
        assert_int_equal(lock_elsewhere(f, said), CAIRN_LOCKED);
        assert_non_null(strstr(said, "another process"));
    }
    cairn_folder_unlock(&lock);
}

static void a_folder_that_is_not_there_is_not_locked(void **state)
{
    struct fixture *f = *state;
    struct cairn_folder_lock lock = {.fd = -1};
    char path[PATH_MAX];

    path_join(path, f->root, "nowhere");
    assert_int_equal(cairn_folder_lock(path, "cairn", &lock, &f->err), CAIRN_NOT_FOUND);
    path_join(path, f->store, "lock");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(cairn_folder_lock(f->store, "cairn", &lock, &f->err), CAIRN_IO);
    assert_int_equal(lock.fd, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_saved_key_comes_back_and_is_for_the_owner_only),
        TEST(a_key_is_never_replaced),
        TEST(what_a_crash_left_of_a_new_key_is_in_nobodys_way),
        TEST(a_failed_save_leaves_no_key),
        TEST(a_folder_that_does_not_sync_is_told),
        TEST(a_file_over_its_limit_is_not_loaded),
        TEST(a_folder_where_the_key_should_be_is_an_io_failure),
        TEST(the_mark_lies_in_the_homes_state_folder_unless_an_absolute_one_is_named),
        TEST(an_absolute_state_folder_comes_before_home),
        TEST(without_a_home_the_mark_lies_beside_the_store),
        TEST(a_mark_without_sync_syncs_nothing),
        TEST(each_store_has_a_mark_of_its_own_however_its_path_is_spelled),
        TEST(ports_may_be_made_before_their_folder),
        TEST(ports_without_a_folder_to_be_in_are_refused),
        TEST(a_folder_keeps_its_place_when_it_is_renamed_and_a_copy_has_another),
        TEST(a_folder_that_is_gone_has_no_place),
        TEST(the_clock_is_the_devices_and_random_bytes_differ),
        TEST(a_second_process_is_told_who_holds_the_folder),
        TEST(a_lock_ends_with_its_process),
        TEST(one_process_locks_a_folder_once),
        TEST(a_lock_file_with_no_name_in_it_still_refuses),
        TEST(a_folder_that_is_not_there_is_not_locked),
    };
    return cmocka_run_group_tests_name("posix", tests, NULL, NULL);
}
