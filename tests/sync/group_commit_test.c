/* The server's side of many exchanges at once: one commit for all, all of it or nothing, and
 * reading threads beside the writer. */

#include "cmocka_all.h"
#include "net.h"
#include "store_fault.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATIONS 12
#define RECORDS CAIRN_CHANNEL_RECORDS

static struct net net;
static struct net_node stations[STATIONS];
static struct store_fault fault;

static void thread_random(struct cairn_ports *ports, void *out, size_t size)
{
    (void)ports;
    randombytes_buf(out, size);
}

static struct cairn_ports_ops server_ops;

static int setup(void **state)
{
    char tag[8];

    (void)state;
    net_open(&net, 6);
    for (int i = 0; i < STATIONS; i++) {
        snprintf(tag, sizeof tag, "T%d", i);
        net_join(&net, &stations[i], &net.office, "station", NET_VILLAGE, tag);
    }
    net_sync(&net.office, &net.server);
    store_fault_init(&fault, net.server.store);
    net.server.store = &fault.base;
    /* The fake machine is one thread's; the server asks for random bytes in many. */
    server_ops = *net.server.ports.base.ops;
    server_ops.random = thread_random;
    net.server.ports.base.ops = &server_ops;
    net_node_reopen(&net.server);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < STATIONS; i++)
        net_node_close(&stations[i]);
    net_close(&net);
    assert_int_equal(atomic_load(&fault.txns_open), 0);
    assert_int_equal(atomic_load(&fault.ranges_open), 0);
    return 0;
}

/* A request of every station, opened. */
static void open_all(struct cairn_serve *serves[STATIONS])
{
    for (int i = 0; i < STATIONS; i++) {
        net_put_many(&stations[i], NET_VILLAGE, 5);
        net_must(cairn_sync_begin(stations[i].replica, &net_err));
        struct net_bytes request = net_request(&stations[i]);
        net_must(cairn_serve_open(net.server.replica, net_bytes(request), &serves[i], &net_err));
        free(request.data);
    }
}

static void reply_all(struct cairn_serve *serves[STATIONS])
{
    for (int i = 0; i < STATIONS; i++) {
        struct cairn_bytes reply;
        bool again;
        net_must(cairn_serve_reply(net.server.replica, serves[i], &reply, &net_err));
        net_must(cairn_sync_reply(stations[i].replica, reply, &again, &net_err));
        cairn_serve_free(serves[i]);
        net_sync(&stations[i], &net.server);
        assert_int_equal(net_status(&stations[i]).unreceived_count, 0);
    }
    for (int i = 0; i < STATIONS; i++) {
        net_sync(&stations[i], &net.server);
        net_agree(&stations[i], &net.server, NET_VILLAGE, RECORDS, STATIONS);
        assert_int_equal(net_status(&stations[i]).record_count, STATIONS * 5);
    }
}

static void many_requests_share_one_commit_and_one_checkpoint(void **state)
{
    struct cairn_serve *serves[STATIONS];
    struct cairn_serve_commit commit;

    (void)state;
    open_all(serves);
    net_must(cairn_serve_commit(net.server.replica, serves, STATIONS, &commit, &net_err));
    assert_int_equal(commit.entry_count, STATIONS * 5);
    assert_int_equal(commit.refused_count, 0);
    assert_int_equal(commit.checkpoint_count, 1);
    reply_all(serves);
}

static void a_commit_that_fails_anywhere_leaves_nothing_and_may_be_tried_again(void **state)
{
    struct cairn_serve *serves[STATIONS];
    struct cairn_serve_commit commit;
    enum cairn_status status = CAIRN_IO;
    long step = 1;

    (void)state;
    open_all(serves);
    for (long n = 0; status != CAIRN_OK; n += step) {
        uint64_t records = net_status(&net.server).record_count;
        uint64_t size = net_scope_size(&net.server, NET_VILLAGE, RECORDS);
        store_fault_arm(&fault, n, n % 2 == 0 ? CAIRN_IO : CAIRN_NO_SPACE);
        status = cairn_serve_commit(net.server.replica, serves, STATIONS, &commit, &net_err);
        bool was_reached = !store_fault_is_armed(&fault);
        store_fault_arm(&fault, -1, CAIRN_IO);
        assert_true(was_reached ? status != CAIRN_OK : status == CAIRN_OK);
        if (status == CAIRN_OK)
            break;
        net_expect(status, n % 2 == 0 ? CAIRN_IO : CAIRN_NO_SPACE);
        assert_string_not_equal(net_err.text, "");
        assert_int_equal(net_status(&net.server).record_count, records);
        assert_int_equal(net_scope_size(&net.server, NET_VILLAGE, RECORDS), size);
        step = n < 400 ? 1 : 37; /* every one of the first, then here and there */
    }
    assert_int_equal(commit.entry_count, STATIONS * 5);
    reply_all(serves);
}

static void a_commit_in_conflict_is_run_again_without_counting_twice(void **state)
{
    struct cairn_serve *serves[STATIONS];
    struct cairn_serve_commit commit;

    (void)state;
    open_all(serves);
    store_fault_arm(&fault, 500, CAIRN_CONFLICT);
    net_must(cairn_serve_commit(net.server.replica, serves, STATIONS, &commit, &net_err));
    assert_false(store_fault_is_armed(&fault));
    assert_int_equal(commit.entry_count, STATIONS * 5);
    reply_all(serves);
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS 20

/* Requests on their way to the one writer, and the writer's word that they are on disk. */
struct desk {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    struct cairn_serve *waiting[THREADS];
    bool is_done[THREADS];
    int busy; /* threads that still work */
};
static struct desk desk = {.mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

struct worker {
    int number;
    enum cairn_status status;
};

static enum cairn_status exchange(struct worker *worker, struct net_node *node,
                                  struct cairn_err *err)
{
    struct cairn_bytes request, reply;
    struct cairn_serve *serve;
    bool again = true;
    enum cairn_status status = cairn_sync_begin(node->replica, err);

    while (status == CAIRN_OK && again) {
        status = cairn_sync_request(node->replica, &request, err);
        if (status == CAIRN_OK)
            status = cairn_serve_open(net.server.replica, request, &serve, err);
        if (status != CAIRN_OK)
            return status;
        pthread_mutex_lock(&desk.mutex);
        desk.waiting[worker->number] = serve;
        desk.is_done[worker->number] = false;
        pthread_cond_broadcast(&desk.moved);
        while (!desk.is_done[worker->number])
            pthread_cond_wait(&desk.moved, &desk.mutex);
        pthread_mutex_unlock(&desk.mutex);
        status = cairn_serve_reply(net.server.replica, serve, &reply, err);
        if (status == CAIRN_OK)
            status = cairn_sync_reply(node->replica, reply, &again, err);
        cairn_serve_free(serve);
    }
    return status;
}

static void *worker_run(void *context)
{
    struct worker *worker = context;
    struct net_node *node = &stations[worker->number];
    const struct cairn_field_value fields[] = {{"head", "扎西"}};
    const struct cairn_put put = {
        .type = "household", .scope = NET_VILLAGE, .fields = fields, .field_count = 1};
    struct cairn_put_result result;
    struct cairn_err err = {.translate = NULL};

    for (int i = 0; i < ROUNDS && worker->status == CAIRN_OK; i++) {
        worker->status = cairn_put_many(node->replica, &put, 1, &result, NULL, &err);
        if (worker->status == CAIRN_OK)
            worker->status = exchange(worker, node, &err);
    }
    pthread_mutex_lock(&desk.mutex);
    desk.busy--;
    pthread_cond_broadcast(&desk.moved);
    pthread_mutex_unlock(&desk.mutex);
    return NULL;
}

/* Whatever lies on the desk goes into one commit. */
static enum cairn_status writer_run(void)
{
    enum cairn_status status = CAIRN_OK;

    for (;;) {
        struct cairn_serve *serves[THREADS];
        struct cairn_serve_commit commit;
        struct cairn_err err = {.translate = NULL};
        size_t count = 0;
        int of[THREADS];
        pthread_mutex_lock(&desk.mutex);
        for (;;) {
            for (int i = 0; i < THREADS; i++)
                if (desk.waiting[i] != NULL) {
                    of[count] = i;
                    serves[count++] = desk.waiting[i];
                    desk.waiting[i] = NULL;
                }
            if (count > 0 || desk.busy == 0)
                break;
            pthread_cond_wait(&desk.moved, &desk.mutex);
        }
        pthread_mutex_unlock(&desk.mutex);
        if (count == 0)
            return status;
        status = cairn_serve_commit(net.server.replica, serves, count, &commit, &err);
        pthread_mutex_lock(&desk.mutex);
        for (size_t i = 0; i < count; i++)
            desk.is_done[of[i]] = true;
        pthread_cond_broadcast(&desk.moved);
        pthread_mutex_unlock(&desk.mutex);
        if (status != CAIRN_OK)
            return status;
    }
}

static void requests_are_opened_and_answered_in_many_threads_beside_one_writer(void **state)
{
    struct worker workers[THREADS];
    pthread_t threads[THREADS];

    (void)state;
    desk.busy = THREADS;
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.number = i, .status = CAIRN_OK};
        assert_int_equal(pthread_create(&threads[i], NULL, worker_run, &workers[i]), 0);
    }
    net_must(writer_run());
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        net_must(workers[i].status);
    }
    for (int i = 0; i < THREADS; i++) {
        net_sync(&stations[i], &net.server);
        net_agree(&stations[i], &net.server, NET_VILLAGE, RECORDS, ROUNDS);
        assert_int_equal(net_status(&stations[i]).record_count, THREADS * ROUNDS);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(many_requests_share_one_commit_and_one_checkpoint),
        TEST(a_commit_that_fails_anywhere_leaves_nothing_and_may_be_tried_again),
        TEST(a_commit_in_conflict_is_run_again_without_counting_twice),
        TEST(requests_are_opened_and_answered_in_many_threads_beside_one_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
