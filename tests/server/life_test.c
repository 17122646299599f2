/* The program from its start to its end, with a stand-in for the store: what it makes of signals,
 * of its ready file and of a store that fails. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cairn/replica.h"
#include "serve_double.h"
#include "sp_client.h"
#include "temp_folder.h"

enum { PATIENCE_S = 30, PATH_BYTES = 128, ARGUMENTS_MAX = 8 };

/* main() of sync-server/src/main.c. */
int server_main(int argc, char **argv);

/* ---- the rest of the store's stand-in, in the server's process ----------------------------- */

/* What the next server's store does; set before the fork. */
static struct {
    enum cairn_status open_status;
    bool fails_at_the_end; /* the first commit waits for a word on `go`, then fails */
    int begun[2], go[2];   /* pipes: the commit has begun; let it fail */
    pthread_t thread;
} plan;

static void *fail_when_told(void *context)
{
    struct cairn_replica *replica = context;
    char word = 'x';

    if (!serve_double_wait_begun(replica, 1) || write(plan.begun[1], &word, 1) != 1 ||
        read(plan.go[0], &word, 1) != 1)
        abort();
    serve_double_fail(replica, CAIRN_IO, 1);
    serve_double_shut(replica, false);
    return NULL;
}

enum cairn_status cairn_replica_open(const struct cairn_replica_config *config,
                                     struct cairn_replica **out_replica, struct cairn_err *err)
{
    if (plan.open_status != CAIRN_OK)
        return cairn_fail(err, plan.open_status, "%s: as the test asked", config->path);
    *out_replica = serve_double_new();
    if (!plan.fails_at_the_end)
        return CAIRN_OK;
    serve_double_shut(*out_replica, true);
    if (pthread_create(&plan.thread, NULL, fail_when_told, *out_replica) != 0)
        abort();
    return CAIRN_OK;
}

void cairn_replica_close(struct cairn_replica *replica)
{
    if (replica == NULL)
        return;
    if (plan.fails_at_the_end)
        pthread_join(plan.thread, NULL);
    serve_double_free(replica);
}

enum cairn_status cairn_key_is_sealed(const char *path, bool *out_is_sealed, struct cairn_err *err)
{
    (void)path;
    (void)err;
    *out_is_sealed = false;
    return CAIRN_OK;
}

enum cairn_status cairn_status_get(struct cairn_replica *replica,
                                   struct cairn_status_report *out_report, struct cairn_err *err)
{
    (void)replica;
    (void)err;
    *out_report = (struct cairn_status_report){
        .is_joined = true,
        .self = {.tag = "S1", .role = "server", .scope = "63"},
    };
    return CAIRN_OK;
}

void cairn_version_text(char *out_text, size_t size)
{
    snprintf(out_text, size, "doubles\n");
}

/* ---- the server as its starter sees it ----------------------------------------------------- */

struct life {
    char *folder;
    char ready_file[PATH_BYTES];
    const char *listen;
    bool ignores_hangup;
    int notify_fd; /* what systemd would be told */
    pid_t pid;
};

static void set_up(struct life *life)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_S};

    memset(&plan, 0, sizeof plan);
    *life = (struct life){.folder = temp_folder_new(), .listen = "tcp://127.0.0.1:0"};
    int size = snprintf(name.sun_path, sizeof name.sun_path, "%s/notify", life->folder);
    assert_in_range(size, 1, sizeof name.sun_path - 1);
    snprintf(life->ready_file, sizeof life->ready_file, "%s/ready", life->folder);
    life->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(life->notify_fd, (const struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(
        setsockopt(life->notify_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    setenv("NOTIFY_SOCKET", name.sun_path, 1);
}

static void tear_down(struct life *life)
{
    unsetenv("NOTIFY_SOCKET");
    close(life->notify_fd);
    temp_folder_remove(life->folder);
}

_Noreturn static void child_run(const struct life *life)
{
    const char *const words[] = {"cairn-server", "--store",      life->folder,    "--listen",
                                 life->listen,   "--ready-file", life->ready_file};
    char *argv[ARGUMENTS_MAX] = {NULL};
    int argc = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
    if (life->ignores_hangup)
        signal(SIGHUP, SIG_IGN);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        argv[argc++] = strdup(words[i]);
    int exit_code = server_main(argc, argv);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    exit(exit_code); /* not _exit: a sanitizer looks for leaks now */
}

static void start(struct life *life)
{
    fflush(NULL);
    life->pid = fork();
    assert_true(life->pid >= 0);
    if (life->pid == 0)
        child_run(life);
}

static void expect_notice(const struct life *life, const char *notice)
{
    char text[64] = "";

    assert_true(recv(life->notify_fd, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, notice);
}

/* The port in the ready file, once the server says that it is ready. */
static uint16_t expect_port(const struct life *life)
{
    char text[PATH_BYTES] = "";

    expect_notice(life, "READY=1");
    FILE *file = fopen(life->ready_file, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    return (uint16_t)strtoul(strrchr(text, ':') + 1, NULL, 10);
}

/* The server ends by itself, with this code. */
static void expect_end(struct life *life, int exit_code)
{
    int state = 0;

    assert_int_equal(waitpid(life->pid, &state, 0), life->pid);
    assert_true(WIFEXITED(state));
    assert_int_equal(WEXITSTATUS(state), exit_code);
}

static void send_request(int fd, const char *text)
{
    uint8_t message[32] = {0x80, 0, 0, 1};
    size_t size = 4 + strlen(text);

    memcpy(message + 4, text, strlen(text));
    assert_true(sp_send_message(fd, size, message, size));
}

static void expect_answer(int fd, const char *text)
{
    uint8_t answer[32];
    size_t size = 8 + 4 + strlen(text);

    send_request(fd, text);
    assert_true(sp_receive(fd, answer, size));
    assert_memory_equal(answer + 12, text, strlen(text));
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void each_signal_to_stop_ends_it_with_0_and_no_ready_file(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    struct life life;
    (void)state;

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        set_up(&life);
        start(&life);
        int fd = sp_open(expect_port(&life), 0);
        expect_answer(fd, "W1");
        assert_int_equal(kill(life.pid, signals[i]), 0);
        expect_notice(&life, "STOPPING=1");
        expect_end(&life, 0);
        assert_int_not_equal(access(life.ready_file, F_OK), 0);
        sp_close(fd);
        tear_down(&life);
    }
}

static void a_hangup_that_was_to_be_ignored_is_ignored(void **state)
{
    struct life life;
    (void)state;

    set_up(&life);
    life.ignores_hangup = true; /* as nohup(1) starts it */
    start(&life);
    int fd = sp_open(expect_port(&life), 0);
    expect_answer(fd, "W1");
    assert_int_equal(kill(life.pid, SIGHUP), 0);
    for (int i = 0; i < 10; i++)
        expect_answer(fd, "W2");
    assert_int_equal(kill(life.pid, SIGTERM), 0);
    expect_end(&life, 0);
    sp_close(fd);
    tear_down(&life);
}

static void a_store_that_fails_while_stopping_ends_it_with_3(void **state)
{
    struct life life;
    char word = 'x';
    (void)state;

    set_up(&life);
    plan.fails_at_the_end = true;
    assert_int_equal(pipe(plan.begun), 0);
    assert_int_equal(pipe(plan.go), 0);
    start(&life);
    int fd = sp_open(expect_port(&life), 0);
    send_request(fd, "W1");
    assert_int_equal(read(plan.begun[0], &word, 1), 1);
    assert_int_equal(kill(life.pid, SIGTERM), 0);
    expect_notice(&life, "STOPPING=1"); /* the commit is still under way */
    assert_int_equal(write(plan.go[1], &word, 1), 1);
    expect_end(&life, 3);
    sp_close(fd);
    for (int i = 0; i < 2; i++) {
        close(plan.begun[i]);
        close(plan.go[i]);
    }
    tear_down(&life);
}

static void a_ready_file_left_by_a_killed_server_goes_before_it_listens(void **state)
{
    struct life life;
    (void)state;

    set_up(&life);
    write_text(life.ready_file, "tcp://127.0.0.1:1\n");
    life.listen = "tcp://192.0.2.1:7340"; /* no machine has it: the start fails there */
    start(&life);
    expect_end(&life, 3);
    assert_int_not_equal(access(life.ready_file, F_OK), 0);
    tear_down(&life);
}

static void the_ready_file_of_a_server_that_holds_the_store_stays(void **state)
{
    struct life life;
    (void)state;

    set_up(&life);
    write_text(life.ready_file, "tcp://127.0.0.1:1\n");
    plan.open_status = CAIRN_LOCKED;
    start(&life);
    expect_end(&life, 3);
    assert_int_equal(access(life.ready_file, F_OK), 0);
    tear_down(&life);
}

static void what_could_not_be_written_is_not_removed(void **state)
{
    struct life life;
    char path[2 * PATH_BYTES];
    (void)state;

    set_up(&life);
    snprintf(life.ready_file, sizeof life.ready_file, "%s/folder", life.folder);
    assert_int_equal(mkdir(life.ready_file, 0700), 0);
    snprintf(path, sizeof path, "%s/folder/kept", life.folder);
    write_text(path, "kept\n");
    start(&life);
    expect_end(&life, 3);
    assert_int_equal(access(path, F_OK), 0);
    tear_down(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_signal_to_stop_ends_it_with_0_and_no_ready_file),
        cmocka_unit_test(a_hangup_that_was_to_be_ignored_is_ignored),
        cmocka_unit_test(a_store_that_fails_while_stopping_ends_it_with_3),
        cmocka_unit_test(a_ready_file_left_by_a_killed_server_goes_before_it_listens),
        cmocka_unit_test(the_ready_file_of_a_server_that_holds_the_store_stays),
        cmocka_unit_test(what_could_not_be_written_is_not_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
