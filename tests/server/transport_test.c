/* The client's transport against the server's listener. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "echo_server.h"
#include "sp_client.h"
#include "transport.h"

enum { PATIENCE_S = 30 }; /* where an answer comes: only ends what would hang */

static const struct guard_limits generous = {.connections_max = 64};

static struct cairn_bytes text(const char *text_)
{
    return cairn_bytes_of_text(text_);
}

static void assert_bad_address(const char *address)
{
    struct cairn_err err = {0};
    struct transport *transport = NULL;

    assert_int_equal(transport_open(address, &transport, &err), CAIRN_BAD_INPUT);
    assert_null(transport);
    assert_non_null(strstr(err.text, "tcp://127.0.0.1:7340"));
}

static void an_address_is_tcp_with_an_ip_literal(void **state)
{
    static const char *const bad[] = {
        "",
        "10.0.0.1:7340",
        "ipc:///tmp/x",
        "tcp://localhost:7340",
        "tcp://10.0.0.1",
        "tcp://10.0.0.1:",
        "tcp://10.0.0.1:0",
        "tcp://10.0.0.1:65536",
        "tcp://10.0.0.1:73x",
        "tcp://10.0.0.1:-1",
        "tcp://10.0.0:7340",
        "tcp://*:7340",
        "tcp://::1:7340",
        "tcp://[::1:7340",
        "tcp://[10.0.0.1]:7340",
        "tcp://eth0;10.0.0.1:7340",
        "tcp://1234567890123456789012345678901234567890123456789012345678901234567890:1",
    };
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_bad_address(bad[i]);
}

static void many_requests_travel_on_one_connection(void **state)
{
    static uint8_t request[65535];
    struct echo_server server;
    struct transport *transport;
    struct cairn_bytes reply;
    (void)state;

    echo_server_start(&server, &generous);
    assert_int_equal(transport_open(server.address, &transport, NULL), CAIRN_OK);
    for (size_t size = 1; size <= sizeof request; size = size * 4 + 3) {
        memset(request, (int)size & 0xff, size);
        assert_int_equal(transport_exchange(transport, (struct cairn_bytes){request, size},
                                            PATIENCE_S, &reply, NULL),
                         CAIRN_OK);
        assert_int_equal(reply.size, size);
        assert_memory_equal(reply.data, request, size);
    }
    assert_int_equal(echo_server_descriptors(&server), server.idle_descriptors + 1);
    transport_close(transport);
    assert_true(echo_server_stop(&server));
}

static void a_message_that_no_server_takes_is_refused(void **state)
{
    static uint8_t request[65536];
    struct transport *transport;
    struct cairn_bytes reply;
    (void)state;

    assert_int_equal(transport_open("tcp://127.0.0.1:9", &transport, NULL), CAIRN_OK);
    assert_int_equal(transport_exchange(transport, (struct cairn_bytes){request, sizeof request}, 1,
                                        &reply, NULL),
                     CAIRN_LIMIT);
    assert_int_equal(
        transport_exchange(transport, (struct cairn_bytes){request, 0}, 1, &reply, NULL),
        CAIRN_LIMIT);
    transport_close(transport);
}

static void silence_ends_with_no_answer(void **state)
{
    struct cairn_err err = {0};
    struct echo_server server;
    struct transport *transport;
    struct cairn_bytes reply;
    (void)state;

    echo_server_start(&server, &generous);
    assert_int_equal(transport_open(server.address, &transport, NULL), CAIRN_OK);
    int64_t begun = sp_now_ms();
    assert_int_equal(transport_exchange(transport, text("mute"), 1, &reply, &err), CAIRN_NO_ANSWER);
    /* Not earlier than it says; how much later is the machine's. */
    assert_true(sp_now_ms() - begun >= 1000);
    assert_non_null(strstr(err.text, "in 1 s without a byte"));
    assert_int_equal(transport_exchange(transport, text("still usable"), PATIENCE_S, &reply, NULL),
                     CAIRN_OK);
    transport_close(transport);
    assert_true(echo_server_stop(&server));
}

static void nobody_there_ends_with_no_answer(void **state)
{
    struct echo_server server;
    struct transport *transport;
    struct cairn_bytes reply;
    (void)state;

    echo_server_start(&server, &generous);
    assert_int_equal(transport_open(server.address, &transport, NULL), CAIRN_OK);
    assert_true(echo_server_stop(&server));
    assert_int_equal(transport_exchange(transport, text("hello"), 1, &reply, NULL),
                     CAIRN_NO_ANSWER);
    transport_close(transport);
}

static void a_lost_request_is_sent_again(void **state)
{
    struct echo_server server;
    struct transport *transport;
    struct cairn_bytes reply;
    (void)state;

    echo_server_start(&server, &generous);
    assert_int_equal(transport_open(server.address, &transport, NULL), CAIRN_OK);
    assert_int_equal(transport_exchange(transport, text("once"), PATIENCE_S, &reply, NULL),
                     CAIRN_OK);
    assert_int_equal(reply.size, 4);
    transport_close(transport);
    assert_true(echo_server_stop(&server));
}

static void the_answer_to_an_earlier_request_is_dropped(void **state)
{
    struct echo_server server;
    struct transport *transport;
    struct cairn_bytes reply;
    (void)state;

    echo_server_start(&server, &generous);
    assert_int_equal(transport_open(server.address, &transport, NULL), CAIRN_OK);
    /* The server keeps it and answers it just before the next one. */
    assert_int_equal(transport_exchange(transport, text("late"), 1, &reply, NULL), CAIRN_NO_ANSWER);
    assert_int_equal(transport_exchange(transport, text("next"), PATIENCE_S, &reply, NULL),
                     CAIRN_OK);
    assert_memory_equal(reply.data, "next", 4);
    transport_close(transport);
    assert_true(echo_server_stop(&server));
}

static bool give_up(void *context, unsigned idle_s, uint64_t moved_bytes)
{
    unsigned *calls = context;

    (void)idle_s;
    (void)moved_bytes;
    (*calls)++;
    return false;
}

static void progress_may_give_up(void **state)
{
    struct echo_server server;
    struct transport *transport;
    struct cairn_bytes reply;
    unsigned calls = 0;
    (void)state;

    echo_server_start(&server, &generous);
    assert_int_equal(transport_open(server.address, &transport, NULL), CAIRN_OK);
    transport_set_progress(transport, give_up, &calls);
    assert_int_equal(transport_exchange(transport, text("mute"), 60, &reply, NULL),
                     CAIRN_NO_ANSWER);
    assert_int_equal(calls, 1);
    transport_close(transport);
    assert_true(echo_server_stop(&server));
}

static void closing_with_an_answer_on_its_way_is_safe(void **state)
{
    struct echo_server server;
    struct transport *transport;
    struct cairn_bytes reply;
    (void)state;

    echo_server_start(&server, &generous);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(transport_open(server.address, &transport, NULL), CAIRN_OK);
        assert_int_equal(transport_exchange(transport, text("first"), PATIENCE_S, &reply, NULL),
                         CAIRN_OK);
        enum cairn_status status = transport_exchange(transport, text("second"), 0, &reply, NULL);
        assert_true(status == CAIRN_OK || status == CAIRN_NO_ANSWER);
        transport_close(transport);
    }
    assert_true(echo_server_stop(&server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_tcp_with_an_ip_literal),
        cmocka_unit_test(many_requests_travel_on_one_connection),
        cmocka_unit_test(a_message_that_no_server_takes_is_refused),
        cmocka_unit_test(silence_ends_with_no_answer),
        cmocka_unit_test(nobody_there_ends_with_no_answer),
        cmocka_unit_test(a_lost_request_is_sent_again),
        cmocka_unit_test(the_answer_to_an_earlier_request_is_dropped),
        cmocka_unit_test(progress_may_give_up),
        cmocka_unit_test(closing_with_an_answer_on_its_way_is_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
