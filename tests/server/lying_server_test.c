/*
 * What a server that is none, or a hostile one, sends to the client's transport: the client gets no
 * answer, says so, and is as good as before for the next server.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo_server.h"
#include "transport.h"

#define PATIENCE_S 30 /* with an honest server: only ends what would hang */
#define VISITS_MAX 30

#define GREETING "\0SP\0\0\x31\0\0" /* of a REP socket */
#define GREETING_BYTES 8

/* What is sent to whoever connects, `times` times over, after the greeting where `greets`. */
struct lie {
    const char *name;
    bool greets;
    const char *bytes;
    size_t size;
    unsigned times;
};
#define BYTES(text) text, sizeof(text) - 1

static const struct lie lies[] = {
    {"nothing", false, BYTES(""), 0},
    {"half a greeting", false, BYTES("\0SP\0"), 1},
    {"another protocol", false, BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), 1},
    {"the greeting of a client", false, BYTES("\0SP\0\0\x30\0\0"), 1},
    {"a length of 2^64-1", true,
     BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"
           "x"),
     1},
    {"a length of 2^63", true, BYTES("\x80\0\0\0\0\0\0\0"), 1},
    {"a length of 1 TiB", true, BYTES("\0\0\1\0\0\0\0\0"), 1},
    {"empty messages", true, BYTES("\0\0\0\0\0\0\0\0"), 1000},
    {"messages shorter than an id", true, BYTES("\0\0\0\0\0\0\0\3abc"), 200},
    {"answers that nobody asked for", true, BYTES("\0\0\0\0\0\0\0\6\x80\0\0\1zz"), 1000},
    {"ids without an end", true, BYTES("\0\0\0\0\0\0\0\x10\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1"), 200},
    {"half a message", true, BYTES("\0\0\0\0\0\0\1\0\x80\0\0\1 half"), 1},
};

struct liar {
    pthread_t thread;
    int fd;
    uint16_t port;
    const struct lie *lie;
    atomic_bool is_stopping;
    atomic_uint connections;
};

static void answer(const struct liar *liar, int fd)
{
    char heard[4096];

    if (liar->lie->greets && send(fd, GREETING, GREETING_BYTES, MSG_NOSIGNAL) < 0)
        return;
    for (unsigned i = 0; i < liar->lie->times; i++)
        if (send(fd, liar->lie->bytes, liar->lie->size, MSG_NOSIGNAL) < 0)
            return;
    while (!atomic_load(&liar->is_stopping) && recv(fd, heard, sizeof heard, 0) > 0)
        ;
}

static void *lie_on(void *context)
{
    struct liar *liar = context;

    while (!atomic_load(&liar->is_stopping)) {
        int fd = accept(liar->fd, NULL, NULL);
        if (fd < 0)
            continue;
        atomic_fetch_add(&liar->connections, 1);
        answer(liar, fd);
        close(fd);
    }
    return NULL;
}

static void liar_start(struct liar *liar, const struct lie *lie)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    const struct timeval patience = {.tv_usec = 50000};

    *liar = (struct liar){.lie = lie, .fd = socket(AF_INET, SOCK_STREAM, 0)};
    assert_true(liar->fd >= 0);
    /* accept and, as it is inherited, what is accepted give up often: the test may be over. */
    assert_int_equal(setsockopt(liar->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(bind(liar->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(liar->fd, 10), 0);
    assert_int_equal(getsockname(liar->fd, (struct sockaddr *)&address, &size), 0);
    liar->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&liar->thread, NULL, lie_on, liar), 0);
}

static void liar_stop(struct liar *liar)
{
    atomic_store(&liar->is_stopping, true);
    pthread_join(liar->thread, NULL);
    close(liar->fd);
}

static enum cairn_status ask(const char *address, unsigned patience_s, struct cairn_err *err)
{
    struct transport *transport;
    struct cairn_bytes reply;

    enum cairn_status status = transport_open(address, &transport, err);
    assert_int_equal(status, CAIRN_OK);
    status = transport_exchange(transport, cairn_bytes_of_text("hello"), patience_s, &reply, err);
    if (status == CAIRN_OK)
        assert_true(cairn_bytes_equal(reply, cairn_bytes_of_text("hello")));
    transport_close(transport);
    return status;
}

static void a_lying_server_gets_nothing_but_a_no_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct liar liar;
        struct cairn_err err = {0};
        char address[64];
        liar_start(&liar, &lies[i]);
        snprintf(address, sizeof address, "tcp://127.0.0.1:%u", liar.port);
        enum cairn_status status = CAIRN_NO_ANSWER;
        /* Where the machine stands still, one visit may end before it has begun. */
        for (int visit = 0;
             visit < VISITS_MAX && status == CAIRN_NO_ANSWER && atomic_load(&liar.connections) == 0;
             visit++)
            status = ask(address, 1, &err);
        liar_stop(&liar);
        if (status != CAIRN_NO_ANSWER || err.text[0] == '\0')
            fail_msg("%s: %s \"%s\"", lies[i].name, cairn_status_name(status), err.text);
        if (atomic_load(&liar.connections) == 0)
            fail_msg("%s: nobody came", lies[i].name);
    }
}

static void an_honest_server_is_heard_after_them(void **state)
{
    struct echo_server *server = *state;
    struct cairn_err err = {0};

    assert_int_equal(ask(server->address, PATIENCE_S, &err), CAIRN_OK);
    assert_true(echo_server_is_alive(server));
}

int main(void)
{
    static const struct guard_limits generous = {.connections_max = 64};
    static struct echo_server server;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lying_server_gets_nothing_but_a_no_answer),
        cmocka_unit_test_prestate(an_honest_server_is_heard_after_them, &server),
    };

    signal(SIGPIPE, SIG_IGN);
    echo_server_start(&server, &generous); /* it forks: before any thread */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + !echo_server_stop(&server);
}
