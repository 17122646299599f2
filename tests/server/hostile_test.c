/* What strangers do to a listening socket, and that it goes on serving whoever behaves. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "echo_server.h"
#include "sp_client.h"

enum {
    MESSAGE_BYTES_MAX = 65535,
    PATIENCE_MS = 30000, /* only ends what would hang */
    FLOOD = 300,
};

static const struct guard_limits generous = {.connections_max = 512};

/* The server lives, an honest request works, and no descriptor of a stranger is left. */
static void assert_unharmed(struct echo_server *server)
{
    int64_t until = sp_now_ms() + PATIENCE_MS;

    assert_true(echo_server_is_alive(server));
    int fd = sp_open(server->port, 0);
    assert_true(fd >= 0);
    assert_true(sp_echo(fd, 100));
    sp_close(fd);
    while (echo_server_descriptors(server) > server->idle_descriptors && sp_now_ms() < until)
        sp_pause_ms(5);
    assert_int_equal(echo_server_descriptors(server), server->idle_descriptors);
    assert_true(echo_server_stop(server));
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void a_wrong_greeting_is_cut_off(void **state)
{
    struct echo_server server;
    (void)state;

    echo_server_start(&server, &generous);
    for (unsigned protocol = 0; protocol < 256; protocol++) {
        uint8_t greeting[8] = {0, 'S', 'P', 0, 0, (uint8_t)protocol, 0, 0};
        if (protocol == 0x30)
            continue;
        int fd = sp_connect(server.port, 0);
        assert_true(sp_send(fd, greeting, sizeof greeting));
        assert_true(sp_is_cut_off(fd, PATIENCE_MS));
        sp_close(fd);
    }
    int fd = sp_connect(server.port, 0);
    assert_true(sp_send(fd, "GET / HTTP/1.1\r\n\r\n", 18));
    assert_true(sp_is_cut_off(fd, PATIENCE_MS));
    sp_close(fd);
    assert_unharmed(&server);
}

static void an_unfinished_greeting_is_cut_off(void **state)
{
    struct echo_server server;
    int fds[8];
    (void)state;

    echo_server_start(&server, &generous);
    for (size_t i = 0; i < 8; i++) {
        fds[i] = sp_connect(server.port, 0);
        assert_true(sp_send(fds[i], sp_greeting, i));
    }
    for (size_t i = 0; i < 8; i++) {
        assert_true(sp_is_cut_off(fds[i], PATIENCE_MS));
        sp_close(fds[i]);
    }
    assert_unharmed(&server);
}

static void a_length_over_the_limit_is_cut_off(void **state)
{
    static const uint64_t lengths[] = {
        MESSAGE_BYTES_MAX + 5,
        1U << 20,
        (1U << 20) + 1,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x100000000,
        0x10000000000,
        0x7fffffffffffffff,
        0x8000000000000000,
        0xffffffffffffffff,
        0xfffffffffffffff8,
        0xffffffffffffffe0,
        0xffffffffffffffd8,
    };
    struct echo_server server;
    uint8_t bytes[100];
    (void)state;

    memset(bytes, 'x', sizeof bytes);
    echo_server_start(&server, &generous);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        int fd = sp_open(server.port, 0);
        assert_true(fd >= 0);
        (void)sp_send_message(fd, lengths[i], bytes, sizeof bytes);
        assert_true(sp_is_cut_off(fd, PATIENCE_MS));
        sp_close(fd);
    }
    assert_unharmed(&server);
}

static void the_largest_message_passes(void **state)
{
    struct echo_server server;
    (void)state;

    echo_server_start(&server, &generous);
    int fd = sp_open(server.port, 0);
    assert_true(sp_echo(fd, MESSAGE_BYTES_MAX));
    assert_true(sp_echo(fd, 0));
    sp_close(fd);
    assert_unharmed(&server);
}

static void half_frames_leave_nothing_behind(void **state)
{
    static const uint8_t frame[] = "\0\0\0\0\0\0\0\x40\x80\0\0\1 half of sixty-four bytes";
    struct echo_server server;
    (void)state;

    echo_server_start(&server, &generous);
    for (size_t size = 0; size < sizeof frame; size++) {
        int closed = sp_open(server.port, 0);
        assert_true(sp_send(closed, frame, size));
        sp_close(closed);
        int reset = sp_open(server.port, 0);
        assert_true(sp_send(reset, frame, size));
        sp_reset(reset);
    }
    assert_unharmed(&server);
}

static void broken_routing_is_dropped(void **state)
{
    static const uint32_t hops[] = {1, 7, 8, 9, 15, 16, 17, 255, 16000};
    struct echo_server server;
    static uint8_t bytes[MESSAGE_BYTES_MAX];
    (void)state;

    echo_server_start(&server, &generous);
    for (uint64_t size = 0; size < 40; size++) {
        /* Zeros: the bottom of the routing stack never comes. */
        memset(bytes, 0, sizeof bytes);
        int fd = sp_open(server.port, 0);
        for (int i = 0; i < 20; i++)
            (void)sp_send_message(fd, size, bytes, (size_t)size);
        sp_close(fd);
    }
    for (size_t i = 0; i < sizeof hops / sizeof hops[0]; i++) {
        memset(bytes, 0, sizeof bytes);
        bytes[4 * hops[i]] = 0x80;
        int fd = sp_open(server.port, 0);
        (void)sp_send_message(fd, 4 * hops[i] + 6, bytes, 4 * hops[i] + 6);
        sp_close(fd);
    }
    assert_unharmed(&server);
}

static void random_bytes_do_no_harm(void **state)
{
    uint32_t seed = 20261120, random = seed;
    struct echo_server server;
    uint8_t bytes[3000];
    (void)state;

    print_message("seed %u\n", seed);
    echo_server_start(&server, &generous);
    for (int i = 0; i < 500; i++) {
        size_t size = next_random(&random) % sizeof bytes;
        for (size_t b = 0; b < size; b++)
            bytes[b] = (uint8_t)next_random(&random);
        /* Small lengths get further into the parser. */
        if (size > 8 && i % 2 == 0)
            memset(bytes, 0, 7);
        int fd = i % 5 == 0 ? sp_connect(server.port, 0) : sp_open(server.port, 0);
        (void)sp_send(fd, bytes, size);
        if (i % 3 == 0)
            sp_reset(fd);
        else
            sp_close(fd);
    }
    assert_unharmed(&server);
}

static void a_storm_of_resets_passes(void **state)
{
    struct echo_server server;
    uint8_t request[500] = {0x80, 0, 0, 1};
    (void)state;

    echo_server_start(&server, &generous);
    for (int i = 0; i < 3000; i++) {
        int fd = sp_connect(server.port, 0);
        if (fd < 0)
            continue;
        if (i % 4 >= 1)
            (void)sp_send(fd, sp_greeting, sizeof sp_greeting);
        if (i % 4 >= 2)
            (void)sp_send_message(fd, sizeof request, request, sizeof request);
        if (i % 4 == 3)
            (void)sp_send_message(fd, 1ULL << 40, request, sizeof request);
        sp_reset(fd);
    }
    assert_unharmed(&server);
}

static void slow_senders_do_not_delay_others(void **state)
{
    struct echo_server server;
    int slow[100];
    (void)state;

    echo_server_start(&server, &generous);
    for (int i = 0; i < 100; i++) {
        slow[i] = sp_open(server.port, 0);
        assert_true(sp_send_message(slow[i], MESSAGE_BYTES_MAX, "\x80", 1));
    }
    int fd = sp_open(server.port, 0);
    for (int round = 0; round < 20; round++) {
        assert_true(sp_echo(fd, 1000));
        assert_true(sp_send(slow[round], "z", 1));
    }
    sp_close(fd);
    /* The others were served while these were still under way. */
    for (int i = 0; i < 100; i++) {
        assert_false(sp_is_cut_off(slow[i], 0));
        sp_close(slow[i]);
    }
    assert_unharmed(&server);
}

static void whoever_never_reads_replies_does_not_delay_others(void **state)
{
    static uint8_t request[4004] = {0x80, 0, 0, 1};
    struct echo_server server;
    (void)state;

    echo_server_start(&server, &generous);
    int deaf = sp_open(server.port, 2048);
    for (int i = 0; i < 3000; i++)
        if (!sp_send_message(deaf, sizeof request, request, sizeof request))
            break;
    int fd = sp_open(server.port, 0);
    for (int i = 0; i < 50; i++)
        assert_true(sp_echo(fd, 1000));
    sp_close(fd);
    assert_false(sp_is_cut_off(deaf, 0)); /* its replies were still waiting */
    sp_reset(deaf);
    assert_unharmed(&server);
}

/* Open as many as are let in; how many are served? */
static int flood(const struct echo_server *server, int fds[static FLOOD])
{
    int served = 0;

    for (int i = 0; i < FLOOD; i++) {
        fds[i] = sp_open(server->port, 0);
        served += fds[i] >= 0;
    }
    return served;
}

static void a_flood_over_the_cap_is_turned_away(void **state)
{
    const struct guard_limits limits = {.connections_max = 64};
    struct echo_server server;
    int fds[FLOOD];
    (void)state;

    echo_server_start(&server, &limits);
    int honest = sp_open(server.port, 0);
    assert_true(sp_echo(honest, 10));
    assert_int_equal(flood(&server, fds), 63);
    assert_true(echo_server_descriptors(&server) <= server.idle_descriptors + 64);
    assert_true(sp_echo(honest, 10)); /* whoever was in is still served */
    for (int i = 0; i < FLOOD; i++)
        sp_close(fds[i]);
    sp_close(honest);
    int64_t until = sp_now_ms() + PATIENCE_MS;
    while (echo_server_descriptors(&server) > server.idle_descriptors && sp_now_ms() < until)
        sp_pause_ms(5);
    assert_unharmed(&server);
}

static void one_address_cannot_take_every_place(void **state)
{
    const struct guard_limits limits = {.connections_max = 512, .per_address_max = 8};
    struct echo_server server;
    int fds[FLOOD];
    (void)state;

    echo_server_start(&server, &limits);
    assert_int_equal(flood(&server, fds), 8);
    for (int i = 0; i < FLOOD; i++)
        sp_close(fds[i]);
    int64_t until = sp_now_ms() + PATIENCE_MS;
    while (echo_server_descriptors(&server) > server.idle_descriptors && sp_now_ms() < until)
        sp_pause_ms(5);
    assert_unharmed(&server);
}

static void a_flood_stays_below_the_limit_of_open_files(void **state)
{
    struct rlimit before, few;
    struct echo_server server;
    int fds[FLOOD];
    (void)state;

    getrlimit(RLIMIT_NOFILE, &before);
    few = (struct rlimit){.rlim_cur = 128, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    const struct guard_limits limits = {.connections_max = 40};
    echo_server_start(&server, &limits);
    setrlimit(RLIMIT_NOFILE, &before);

    assert_int_equal(flood(&server, fds), 40);
    assert_true(sp_echo(fds[0], 10));
    for (int i = 0; i < FLOOD; i++)
        sp_close(fds[i]);
    int64_t until = sp_now_ms() + PATIENCE_MS;
    while (echo_server_descriptors(&server) > server.idle_descriptors && sp_now_ms() < until)
        sp_pause_ms(5);
    assert_unharmed(&server);
}

static void a_silent_connection_is_closed(void **state)
{
    const struct guard_limits limits = {.connections_max = 64, .idle_max_s = 1};
    struct echo_server server;
    (void)state;

    echo_server_start(&server, &limits);
    int silent = sp_open(server.port, 0);
    int talking = sp_open(server.port, 0);
    int64_t until = sp_now_ms() + PATIENCE_MS;
    int64_t talked = sp_now_ms();
    bool is_closed = false;
    while (!is_closed && sp_now_ms() < until) {
        int64_t before = talked;
        talked = sp_now_ms();
        if (!sp_echo(talking, 10)) { /* the machine stood still: then it was silent as well */
            assert_true(sp_now_ms() - before >= 1000 * limits.idle_max_s);
            sp_close(talking);
            talking = sp_open(server.port, 0);
        }
        is_closed = sp_is_cut_off(silent, 100);
    }
    assert_true(is_closed);
    sp_close(silent);
    sp_close(talking);
    assert_unharmed(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_greeting_is_cut_off),
        cmocka_unit_test(an_unfinished_greeting_is_cut_off),
        cmocka_unit_test(a_length_over_the_limit_is_cut_off),
        cmocka_unit_test(the_largest_message_passes),
        cmocka_unit_test(half_frames_leave_nothing_behind),
        cmocka_unit_test(broken_routing_is_dropped),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(a_storm_of_resets_passes),
        cmocka_unit_test(slow_senders_do_not_delay_others),
        cmocka_unit_test(whoever_never_reads_replies_does_not_delay_others),
        cmocka_unit_test(a_flood_over_the_cap_is_turned_away),
        cmocka_unit_test(one_address_cannot_take_every_place),
        cmocka_unit_test(a_flood_stays_below_the_limit_of_open_files),
        cmocka_unit_test(a_silent_connection_is_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
