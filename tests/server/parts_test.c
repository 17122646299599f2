/* Options, addresses, log lines, counters and the notices to whoever started the server. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "counters.h"
#include "guard.h"
#include "listener.h"
#include "log.h"
#include "options.h"
#include "service.h"
#include "temp_folder.h"

static enum cairn_status parse(const char *const *words, struct options *out_options,
                               struct cairn_err *err)
{
    char *argv[16] = {NULL};
    int argc = 0;

    for (; words[argc] != NULL; argc++)
        argv[argc] = strdup(words[argc]);
    enum cairn_status status = options_parse(argc, argv, out_options, err);
    /* argv must outlive the options: so it does in a program, and here until the test ends. */
    static char *kept[256];
    static int kept_count;
    for (int i = 0; i < argc && kept_count < 256; i++)
        kept[kept_count++] = argv[i];
    (void)kept;
    return status;
}

static void options_take_values_after_a_space_or_an_equals_sign(void **state)
{
    const char *const words[] = {
        "cairn-server",      "--store", "/a",          "--listen=tcp://1.2.3.4:5",
        "--max-per-address", "0",       "--workers=3", "--ready-file",
        "/tmp/ready",        NULL};
    struct options options;
    (void)state;

    assert_int_equal(parse(words, &options, NULL), CAIRN_OK);
    assert_string_equal(options.store, "/a");
    assert_string_equal(options.listen, "tcp://1.2.3.4:5");
    assert_int_equal(options.per_address_max, 0);
    assert_int_equal(options.workers, 3);
    assert_int_equal(options.connections_max, OPTIONS_CONNECTIONS_DEFAULT);
}

static void a_wrong_option_is_named(void **state)
{
    static const char *const wrong[][2] = {
        {"--stor", "x"},
        {"--workers", "0"},
        {"--workers", "65"},
        {"--workers", "1x"},
        {"--workers", NULL},
        {"--help=1", NULL},
        {"--max-connections", "99999999999999999999"},
        {"extra", NULL},
        {"--store", ""},
        {"--listen", NULL},
    };
    (void)state;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *const words[] = {"cairn-server", wrong[i][0], wrong[i][1], NULL};
        struct options options;
        struct cairn_err err = {0};
        char name[32] = "";
        assert_int_equal(parse(words, &options, &err), CAIRN_BAD_INPUT);
        memcpy(name, wrong[i][0], strcspn(wrong[i][0], "="));
        assert_non_null(strstr(err.text, name));
    }
}

static void the_store_is_chosen_as_by_the_cairn_command(void **state)
{
    const char *const none[] = {"cairn-server", NULL};
    const char *const given[] = {"cairn-server", "--store", "/given", NULL};
    struct options options;
    (void)state;

    setenv("CAIRN_STORE", "/from-env", 1);
    setenv("XDG_DATA_HOME", "/data", 1);
    setenv("HOME", "/home/lan", 1);
    assert_int_equal(parse(given, &options, NULL), CAIRN_OK);
    assert_string_equal(options.store, "/given");
    assert_int_equal(parse(none, &options, NULL), CAIRN_OK);
    assert_string_equal(options.store, "/from-env");
    unsetenv("CAIRN_STORE");
    assert_int_equal(parse(none, &options, NULL), CAIRN_OK);
    assert_string_equal(options.store, "/data/cairn");
    unsetenv("XDG_DATA_HOME");
    assert_int_equal(parse(none, &options, NULL), CAIRN_OK);
    assert_string_equal(options.store, "/home/lan/.local/share/cairn");
    unsetenv("HOME");
    assert_int_equal(parse(none, &options, NULL), CAIRN_BAD_INPUT);
}

static void an_address_that_cannot_be_listened_on_is_explained(void **state)
{
    static const char *const wrong[] = {"tcp://localhost:7340", "tcp://:7340",  "tcp://1.2.3:7340",
                                        "tcp://1.2.3.4",        "ipc:///tmp/x", "tcp://[::1:1",
                                        "tcp://1.2.3.4:65536",  "tcp://[]:1",   ""};
    static const char *const right[] = {"tcp://0.0.0.0:7340", "tcp://*:1", "tcp://[::]:0",
                                        "tcp://127.0.0.1:65535", "tcp://lo:7340"};
    struct cairn_err err = {0};
    (void)state;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(listener_check_address(wrong[i], &err), CAIRN_BAD_INPUT);
        assert_non_null(strstr(err.text, "try tcp://127.0.0.1:"));
    }
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        assert_int_equal(listener_check_address(right[i], &err), CAIRN_OK);
    assert_int_equal(listener_check_address("tcp://localhost:7340", &err), CAIRN_BAD_INPUT);
    assert_string_equal(err.text,
                        "--listen needs an IP address or an interface name, not localhost: "
                        "try tcp://127.0.0.1:7340");
}

static void subscriber_of(const char *text, uint8_t out_subscriber[static 16])
{
    struct sockaddr_storage peer = {0};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(7340)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(7340)};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(&peer, &v4, sizeof v4);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
        memcpy(&peer, &v6, sizeof v6);
    }
    guard_subscriber(&peer, out_subscriber);
}

static void a_subscriber_is_an_ipv4_address_or_an_ipv6_64(void **state)
{
    static const struct {
        const char *one, *other;
        bool is_same;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
        {"2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true},
        {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
        {"::1", "::ffff:127.0.0.1", false},
    };
    uint8_t one[16], other[16];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        subscriber_of(cases[i].one, one);
        subscriber_of(cases[i].other, other);
        assert_int_equal(memcmp(one, other, sizeof one) == 0, cases[i].is_same);
    }
}

/* The test's accept4 is the guard's, as in the server. */
static void accept_fails_only_with_what_nanomsg_expects(void **state)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)state;

    assert_true(listener >= 0);
    errno = 0;
    assert_int_equal(accept4(listener, NULL, NULL, 0), -1); /* EINVAL: it does not listen */
    assert_int_equal(errno, ECONNABORTED);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(accept4(listener, NULL, NULL, 0), -1);
    assert_int_equal(errno, EAGAIN);
    close(listener);
}

/* What `fill` writes to stderr. */
static void capture(void (*fill)(void), char *out_text, size_t size)
{
    int ends[2], saved = dup(STDERR_FILENO);

    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    fill();
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t got = read(ends[0], out_text, size - 1);
    close(ends[0]);
    out_text[got < 0 ? 0 : got] = '\0';
}

static void fill_with_strangers(void)
{
    struct log *log = log_new();

    for (int i = 0; i < 1000; i++)
        log_event(log, LOG_UNKNOWN_KEY, 1, NULL);
    log_tick(log);
    log_free(log);
}

static void strangers_cannot_fill_the_log(void **state)
{
    char text[1000];
    (void)state;

    capture(fill_with_strangers, text, sizeof text);
    assert_string_equal(text, "cairn-server: refused handshake from an unknown key: "
                              "no grant chain to this root (1 in the last minute)\n");
}

static void fill_with_controls(void)
{
    struct log *log = log_new();

    log_line(log, LOG_INFO, "a\nb\x1b[31mc");
    log_free(log);
}

static void a_line_stays_one_line(void **state)
{
    char text[1000];
    (void)state;

    capture(fill_with_controls, text, sizeof text);
    assert_string_equal(text, "cairn-server: a?b?[31mc\n");
}

static void counters_are_one_line(void **state)
{
    static struct counters counters;
    char text[COUNTERS_TEXT_BYTES];
    (void)state;

    counters_init(&counters);
    atomic_fetch_add(&counters.requests, 3);
    for (int i = 0; i < 3; i++)
        counters_note_device(&counters, "C");
    counters_note_device(&counters, "A7");
    counters_note_device(&counters, "");
    counters_print(&counters, text);
    assert_memory_equal(text, "requests 3  refused 0  commits 0  entries 0  devices 2  rss_anon ",
                        62);
    counters_release(&counters);
}

static void readiness_is_told_to_systemd_and_to_scripts(void **state)
{
    char *folder = temp_folder_new();
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char path[PATH_MAX], text[64] = "";
    (void)state;

    int size = snprintf(name.sun_path, sizeof name.sun_path, "%s/notify", folder);
    assert_in_range(size, 1,
                    sizeof name.sun_path - 1); /* a longer TMPDIR has no room for a socket */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof name), 0);
    setenv("NOTIFY_SOCKET", name.sun_path, 1);
    service_notify("READY=1");
    unsetenv("NOTIFY_SOCKET");
    service_notify("READY=1"); /* nobody is told */
    assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), 7);
    assert_string_equal(text, "READY=1");
    assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), -1);
    close(fd);
    unlink(name.sun_path);

    snprintf(path, sizeof path, "%s/ready", folder);
    assert_int_equal(service_ready_file(path, "tcp://127.0.0.1:5", NULL), CAIRN_OK);
    FILE *file = fopen(path, "r");
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_string_equal(text, "tcp://127.0.0.1:5\n");
    temp_folder_remove(folder);
    assert_int_equal(service_ready_file(path, "tcp://127.0.0.1:5", NULL), CAIRN_IO);
}

static void a_passphrase_is_the_first_line_of_its_file(void **state)
{
    static const struct {
        const char *content;
        size_t size;
    } cases[] = {{"", 0},           {"\n", 0},           {"yak sold", 8},
                 {"yak sold\n", 8}, {"yak sold\r\n", 8}, {"a\n\n", 1}};
    char *folder = temp_folder_new();
    char path[PATH_MAX];
    static char much[SERVICE_PASSPHRASE_BYTES_MAX + 2];
    struct service_passphrase passphrase;
    (void)state;

    snprintf(path, sizeof path, "%s/passphrase", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, cases[i].content, strlen(cases[i].content), 0),
                         (int)strlen(cases[i].content));
        assert_int_equal(service_passphrase_read(path, &passphrase, NULL), CAIRN_OK);
        assert_int_equal(passphrase.size, cases[i].size);
        assert_memory_equal(passphrase.bytes, cases[i].content, cases[i].size);
    }
    memset(much, 'x', sizeof much);
    assert_int_equal(pwrite(fd, much, sizeof much, 0), (int)sizeof much);
    assert_int_equal(service_passphrase_read(path, &passphrase, NULL), CAIRN_BAD_INPUT);
    close(fd);
    temp_folder_remove(folder);
    assert_int_equal(service_passphrase_read(path, &passphrase, NULL), CAIRN_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_take_values_after_a_space_or_an_equals_sign),
        cmocka_unit_test(a_wrong_option_is_named),
        cmocka_unit_test(the_store_is_chosen_as_by_the_cairn_command),
        cmocka_unit_test(an_address_that_cannot_be_listened_on_is_explained),
        cmocka_unit_test(a_subscriber_is_an_ipv4_address_or_an_ipv6_64),
        cmocka_unit_test(accept_fails_only_with_what_nanomsg_expects),
        cmocka_unit_test(strangers_cannot_fill_the_log),
        cmocka_unit_test(a_line_stays_one_line),
        cmocka_unit_test(counters_are_one_line),
        cmocka_unit_test(readiness_is_told_to_systemd_and_to_scripts),
        cmocka_unit_test(a_passphrase_is_the_first_line_of_its_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
