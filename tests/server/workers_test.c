/* The way of a request between the socket and the store: queues, group commit, durable
 * before said. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "serve_double.h"
#include "workers.h"

enum { PATIENCE_S = SERVE_DOUBLE_PATIENCE_S, TEXT_BYTES = 16 };

struct fixture {
    struct cairn_replica *replica;
    struct counters *counters;
    struct log *log;
    struct workers *workers;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned replies, drops, resumes, fails;
    unsigned replies_before_commit; /* answers to what was not on disk: never */
    enum cairn_status failure;
};

static struct listener_message message_of(const char *text)
{
    char *copy = strdup(text);

    if (copy == NULL)
        abort();
    return (struct listener_message){.body = cairn_bytes_of_text(copy), .route = copy};
}

static bool on_reply(void *context, const struct listener_message *message,
                     struct cairn_bytes reply)
{
    struct fixture *f = context;
    char text[TEXT_BYTES] = "";

    memcpy(text, reply.data, reply.size);
    bool is_durable = text[0] == 'R' || serve_double_has(f->replica, text);
    pthread_mutex_lock(&f->mutex);
    f->replies++;
    f->replies_before_commit += !is_durable;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->mutex);
    free(message->route);
    return true;
}

static void count(struct fixture *f, unsigned *counter)
{
    pthread_mutex_lock(&f->mutex);
    (*counter)++;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->mutex);
}

static void on_drop(void *context, const struct listener_message *message)
{
    struct fixture *f = context;

    free(message->route);
    count(f, &f->drops);
}

static void on_resume(void *context)
{
    struct fixture *f = context;

    count(f, &f->resumes);
}

static void on_fail(void *context, enum cairn_status status)
{
    struct fixture *f = context;

    f->failure = status;
    count(f, &f->fails);
}

static void set_up(struct fixture *f, unsigned worker_count)
{
    memset(f, 0, sizeof *f);
    pthread_mutex_init(&f->mutex, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->replica = serve_double_new();
    f->counters = malloc(sizeof *f->counters);
    f->log = log_new();
    assert_true(f->counters != NULL && f->log != NULL);
    counters_init(f->counters);
    const struct workers_config config = {
        .replica = f->replica,
        .counters = f->counters,
        .log = f->log,
        .worker_count = worker_count,
        .retry_ms = 1,
        .outlet = {on_reply, on_drop, on_resume, on_fail, f},
    };
    assert_int_equal(workers_start(&config, &f->workers, NULL), CAIRN_OK);
}

static void tear_down(struct fixture *f)
{
    workers_stop(f->workers);
    assert_int_equal(serve_double_alive(f->replica), 0);
    assert_int_equal(f->replies_before_commit, 0);
    serve_double_free(f->replica);
    counters_release(f->counters);
    free(f->counters);
    log_free(f->log);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->mutex);
}

static void submit(struct fixture *f, const char *text)
{
    struct listener_message message = message_of(text);

    assert_true(workers_submit(f->workers, &message));
}

/* The first request is being committed, until serve_double_shut(..., false): what comes now waits.
 */
static void hold_writer(struct fixture *f, const char *request)
{
    serve_double_shut(f->replica, true);
    submit(f, request);
    assert_true(serve_double_wait_begun(f->replica, 1));
}

/* Wait for so many at least, not for ever; how many there are then. */
static unsigned reached_within(struct fixture *f, const unsigned *counter, unsigned wanted,
                               unsigned patience_ms)
{
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += patience_ms / 1000;
    until.tv_nsec += patience_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&f->mutex);
    while (*counter < wanted && error == 0)
        error = pthread_cond_timedwait(&f->changed, &f->mutex, &until);
    unsigned now = *counter;
    pthread_mutex_unlock(&f->mutex);
    return now;
}

static unsigned reached(struct fixture *f, const unsigned *counter, unsigned wanted)
{
    return reached_within(f, counter, wanted, PATIENCE_S * 1000);
}

static void expect(struct fixture *f, const unsigned *counter, unsigned wanted)
{
    assert_int_equal(reached(f, counter, wanted), wanted);
}

/* The word to go on may come before we look for it: it is counted from before the refusal. */
static void submit_when_resumed(struct fixture *f, const struct listener_message *message)
{
    unsigned before = reached(f, &f->resumes, 0);

    while (!workers_submit(f->workers, message)) {
        unsigned now = reached(f, &f->resumes, before + 1);
        assert_true(now > before);
        before = now;
    }
}

static void nothing_is_answered_before_its_commit_is_on_disk(void **state)
{
    struct fixture f;
    char text[TEXT_BYTES];
    (void)state;

    set_up(&f, 4);
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "W%d", i);
        submit(&f, text);
    }
    expect(&f, &f.replies, 200);
    assert_int_equal(f.counters->entries, 200);
    tear_down(&f);
}

static void requests_that_wait_share_a_commit(void **state)
{
    struct fixture f;
    char text[TEXT_BYTES];
    (void)state;

    set_up(&f, 2);
    hold_writer(&f, "Wfirst");
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "W%d", i);
        submit(&f, text);
    }
    /* With one request that only reads behind each, all were opened when those are answered. */
    for (int i = 0; i < 100; i++)
        submit(&f, "R");
    expect(&f, &f.replies, 100);
    serve_double_shut(f.replica, false);
    expect(&f, &f.replies, 201);
    assert_true(serve_double_commits(f.replica) <= 4);
    assert_int_equal(serve_double_largest(f.replica), WORKERS_GROUP_MAX);
    tear_down(&f);
}

static void a_reader_does_not_wait_for_the_writer(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f, 1);
    hold_writer(&f, "W1");
    submit(&f, "R1");
    expect(&f, &f.replies, 1);
    serve_double_shut(f.replica, false);
    expect(&f, &f.replies, 2);
    tear_down(&f);
}

static void a_full_queue_says_no_and_later_that_there_is_room(void **state)
{
    struct fixture f;
    struct listener_message one_more = message_of("R");
    (void)state;

    set_up(&f, 1);
    serve_double_shut_opening(f.replica, true);
    unsigned taken = 0;
    for (;;) {
        struct listener_message message = message_of("R");
        if (!workers_submit(f.workers, &message)) {
            free(message.route);
            break;
        }
        taken++;
    }
    assert_in_range(taken, WORKERS_ARRIVED_MAX, WORKERS_ARRIVED_MAX + 1);
    serve_double_shut_opening(f.replica, false);
    expect(&f, &f.resumes, 1);
    expect(&f, &f.replies, taken);
    assert_true(workers_submit(f.workers, &one_more));
    expect(&f, &f.replies, taken + 1);
    tear_down(&f);
}

static void what_a_slow_disk_cannot_take_is_dropped_and_counted(void **state)
{
    struct fixture f;
    char text[TEXT_BYTES];
    (void)state;

    set_up(&f, 2);
    hold_writer(&f, "Wfirst");
    for (unsigned i = 0; i < WORKERS_WAITING_MAX + 10; i++) {
        snprintf(text, sizeof text, "W%u", i);
        struct listener_message message = message_of(text);
        submit_when_resumed(&f, &message);
    }
    expect(&f, &f.drops, 10);
    assert_int_equal(f.counters->unanswered, 10);
    serve_double_shut(f.replica, false);
    expect(&f, &f.replies, WORKERS_WAITING_MAX + 1);
    tear_down(&f);
}

static void a_device_that_asks_too_much_leaves_room_for_the_others(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f, 2);
    hold_writer(&f, "Wfirst");
    for (unsigned i = 0; i < WORKERS_WAITING_MAX; i++) {
        struct listener_message message = message_of("WB2");
        submit_when_resumed(&f, &message);
    }
    expect(&f, &f.drops, WORKERS_WAITING_MAX - WORKERS_SHARE_MAX);
    assert_int_equal(f.counters->unanswered, WORKERS_WAITING_MAX - WORKERS_SHARE_MAX);
    submit(&f, "WC3");
    serve_double_shut(f.replica, false);
    expect(&f, &f.replies, 1 + WORKERS_SHARE_MAX + 1);
    assert_true(serve_double_has(f.replica, "WC3"));

    /* What it was given is done: it has its share again. */
    submit(&f, "WB2");
    expect(&f, &f.replies, 1 + WORKERS_SHARE_MAX + 2);
    tear_down(&f);
}

static void devices_not_known_yet_share_no_place(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f, 1);
    hold_writer(&f, "Wfirst");
    for (int i = 0; i < 2 * WORKERS_SHARE_MAX; i++)
        submit(&f, "W"); /* with an empty tag */
    serve_double_shut(f.replica, false);
    expect(&f, &f.replies, 1 + 2 * WORKERS_SHARE_MAX);
    tear_down(&f);
}

static void one_bad_request_does_not_spoil_its_group(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f, 1);
    hold_writer(&f, "W0");
    submit(&f, "W1");
    submit(&f, "P2");
    submit(&f, "W3");
    submit(&f, "R4"); /* answered: all before it are waiting for the writer */
    expect(&f, &f.replies, 1);
    serve_double_shut(f.replica, false);
    expect(&f, &f.replies, 4);
    expect(&f, &f.drops, 1);
    assert_int_equal(f.counters->refused, 1);
    tear_down(&f);
}

static void a_group_for_which_memory_is_short_is_tried_one_by_one(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f, 1);
    hold_writer(&f, "W0");
    submit(&f, "W1");
    submit(&f, "W2");
    submit(&f, "W3");
    submit(&f, "R4"); /* answered: all before it are waiting for the writer */
    expect(&f, &f.replies, 1);
    serve_double_fail(f.replica, CAIRN_NO_MEMORY, 2); /* W0 alone, then the three together */
    serve_double_shut(f.replica, false);
    expect(&f, &f.replies, 4);
    expect(&f, &f.drops, 1);
    assert_false(serve_double_has(f.replica, "W0"));
    assert_int_equal(serve_double_commits(f.replica), 3);
    assert_int_equal(f.fails, 0);
    tear_down(&f);
}

static void a_full_disk_is_tried_again_until_there_is_room(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f, 1);
    serve_double_fail(f.replica, CAIRN_NO_SPACE, 5);
    submit(&f, "W1");
    expect(&f, &f.replies, 1);
    assert_int_equal(serve_double_commits(f.replica), 1);
    assert_int_equal(f.fails, 0);
    tear_down(&f);
}

static void a_broken_disk_is_reported_once_and_nobody_is_answered(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f, 2);
    serve_double_fail(f.replica, CAIRN_IO, 1000);
    for (int i = 0; i < 20; i++)
        submit(&f, "W1");
    expect(&f, &f.drops, 20);
    submit(&f, "R1");
    expect(&f, &f.drops, 21);
    assert_int_equal(f.replies, 0);
    assert_int_equal(f.fails, 1);
    assert_int_equal(f.failure, CAIRN_IO);
    tear_down(&f);
}

static void strangers_are_dropped_and_counted(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f, 2);
    for (int i = 0; i < 30; i++)
        submit(&f, i % 2 == 0 ? "X" : "M");
    expect(&f, &f.drops, 30);
    submit(&f, "RA7");
    expect(&f, &f.replies, 1);
    assert_int_equal(f.counters->refused, 30);
    assert_int_equal(f.counters->requests, 31);
    assert_int_equal(f.counters->device_count, 1);
    tear_down(&f);
}

static void *stop_later(void *context)
{
    struct fixture *f = context;

    workers_stop(f->workers);
    f->workers = NULL;
    return NULL;
}

static void stopping_finishes_and_answers_the_commit_under_way(void **state)
{
    struct fixture f;
    pthread_t stopper;
    unsigned asked = 0;
    (void)state;

    set_up(&f, 2);
    hold_writer(&f, "W1");
    assert_int_equal(pthread_create(&stopper, NULL, stop_later, &f), 0);
    /* Who only reads is answered beside the commit, until it stops: then nothing is opened. */
    do {
        submit(&f, "R");
        asked++;
    } while (reached_within(&f, &f.replies, asked, 200) == asked);
    serve_double_shut(f.replica, false);
    pthread_join(stopper, NULL);
    assert_true(serve_double_has(f.replica, "W1"));
    assert_int_equal(f.replies + f.drops, asked + 1);
    assert_in_range(f.drops, 0, 1); /* the last that read, or the machine stood still */
    tear_down(&f);
}

static void stopping_does_not_wait_for_a_full_disk(void **state)
{
    struct fixture f;
    (void)state;

    set_up(&f, 2);
    serve_double_fail(f.replica, CAIRN_NO_SPACE, 1000000);
    submit(&f, "W1");
    assert_true(serve_double_wait_begun(f.replica, 3));
    workers_stop(f.workers);
    f.workers = NULL;
    assert_int_equal(f.replies, 0);
    assert_int_equal(f.drops, 1);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_answered_before_its_commit_is_on_disk),
        cmocka_unit_test(requests_that_wait_share_a_commit),
        cmocka_unit_test(a_reader_does_not_wait_for_the_writer),
        cmocka_unit_test(a_full_queue_says_no_and_later_that_there_is_room),
        cmocka_unit_test(what_a_slow_disk_cannot_take_is_dropped_and_counted),
        cmocka_unit_test(a_device_that_asks_too_much_leaves_room_for_the_others),
        cmocka_unit_test(devices_not_known_yet_share_no_place),
        cmocka_unit_test(one_bad_request_does_not_spoil_its_group),
        cmocka_unit_test(a_group_for_which_memory_is_short_is_tried_one_by_one),
        cmocka_unit_test(a_full_disk_is_tried_again_until_there_is_room),
        cmocka_unit_test(a_broken_disk_is_reported_once_and_nobody_is_answered),
        cmocka_unit_test(strangers_are_dropped_and_counted),
        cmocka_unit_test(stopping_finishes_and_answers_the_commit_under_way),
        cmocka_unit_test(stopping_does_not_wait_for_a_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
