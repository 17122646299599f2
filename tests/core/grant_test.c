/* Grants that are not given: a sentence for each reason, and nothing written; and one that is asked
 * for again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"

static struct machine root, office, guest;
static struct block request;

static int setup(void **state)
{
    (void)state;
    machine_init(&root, 1, "root", "51");
    machine_init(&office, 2, "office", NULL);
    machine_init(&guest, 3, "guest", NULL);
    machine_join(&office, &root, "county", "513332", "C");
    request = machine_request(&guest);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(request.data);
    machine_free(&guest);
    machine_free(&office);
    machine_free(&root);
    return 0;
}

static enum cairn_status grant(struct machine *machine, const char *role, const char *scope,
                               const char *tag, const char *address)
{
    const struct cairn_grant_input input = {.request = {request.data, request.size},
                                            .role = role,
                                            .scope = scope,
                                            .tag = tag,
                                            .address = address};
    struct cairn_bytes invitation;
    struct cairn_device device;

    enum cairn_status status =
        cairn_grant_device(machine->replica, &input, &invitation, &device, &machine->err);
    if (status == CAIRN_OK)
        cairn_bytes_free(invitation);
    return status;
}

static void a_grant_that_is_asked_for_wrongly_is_refused_in_words(void **state)
{
    static const char village[] = "513332100201", address[] = "tcp://10.0.0.1:7340";
    static const struct {
        const char *role, *scope, *tag, *address;
        enum cairn_status status;
        const char *sentence;
    } rows[] = {
        {"chief", village, "A7", NULL, CAIRN_BAD_INPUT,
         "There is no role chief. Roles: prefecture, county, township, station, server, auditor, "
         "approver. Nothing was written."},
        {"station", "51333210020", "A7", NULL, CAIRN_BAD_INPUT,
         "51333210020 is not an administrative code: 2, 4, 6, 9 or 12 digits. Nothing was "
         "written."},
        {"station", village, "", NULL, CAIRN_BAD_INPUT,
         "A tag has 1 to 4 letters or digits, not \"\". Nothing was written."},
        {"station", village, "A7-1", NULL, CAIRN_BAD_INPUT,
         "A tag has 1 to 4 letters or digits, not \"A7-1\". Nothing was written."},
        {"station", village, "A7A7A", NULL, CAIRN_BAD_INPUT,
         "A tag has 1 to 4 letters or digits, not \"A7A7A\". Nothing was written."},
        {"station", village, "A7", address, CAIRN_BAD_INPUT,
         "A server, and only a server, is granted with --address tcp://IP:PORT. Nothing was "
         "written."},
        {"server", "513332", "S", NULL, CAIRN_BAD_INPUT,
         "A server, and only a server, is granted with --address tcp://IP:PORT. Nothing was "
         "written."},
        {"prefecture", "513332", "P", NULL, CAIRN_NO_RIGHT,
         "cannot grant the role prefecture: C has the role county. Ask the office above. Nothing "
         "was written."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        machine_expect_refused(
            &office, grant(&office, rows[i].role, rows[i].scope, rows[i].tag, rows[i].address),
            rows[i].status, rows[i].sentence);
}

static void a_tag_stands_for_one_device_of_an_office(void **state)
{
    struct block first = request;
    struct machine other;

    (void)state;
    machine_must(&office, grant(&office, "station", "513332100201", "A7", NULL));
    machine_init(&other, 9, "other", NULL);
    request = machine_request(&other);
    machine_expect_refused(&office, grant(&office, "station", "513332100202", "A7", NULL),
                           CAIRN_BAD_INPUT,
                           "Tag A7 stands for guest already. Choose another. Nothing was written.");
    machine_must(&office, grant(&office, "station", "513332100202", "A8", NULL));
    free(request.data);
    request = first;
    machine_free(&other);
}

static void an_address_has_a_length(void **state)
{
    char address[400];

    (void)state;
    memset(address, '1', sizeof address - 1);
    address[sizeof address - 1] = '\0';
    machine_expect_refused(&office, grant(&office, "server", "513332", "S", address),
                           CAIRN_BAD_INPUT, "The address is too long. Nothing was written.");
}

static void what_is_no_request_is_granted_nothing(void **state)
{
    (void)state;
    request.data[request.size / 2] ^= 1;
    machine_expect_refused(&office, grant(&office, "station", "513332100201", "A7", NULL),
                           CAIRN_BAD_INPUT,
                           "This is not a request, or it was damaged. Nothing was written; ask for "
                           "it again.");
}

static void who_has_no_grant_gives_none(void **state)
{
    (void)state;
    machine_expect_refused(&guest, grant(&guest, "station", "513332100201", "A7", NULL),
                           CAIRN_NO_RIGHT, "This device cannot grant: it has no grant itself.");
}

static void a_place_has_one_server(void **state)
{
    struct block first = request;

    (void)state;
    machine_must(&office, grant(&office, "server", "513332", "S", "tcp://10.0.0.1:7340"));
    uint64_t count = machine_status(&office).grant_count;
    machine_must(&office, grant(&office, "server", "513332", "S", "tcp://10.0.0.1:7340"));
    assert_int_equal(machine_status(&office).grant_count, count);
    struct machine other;
    machine_init(&other, 9, "other", NULL);
    request = machine_request(&other);
    machine_expect_refused(
        &office, grant(&office, "server", "513332", "S2", "tcp://10.0.0.2:7340"), CAIRN_EXISTS,
        "513332 has a server already: S tcp://10.0.0.1:7340. Nothing was written.");
    free(request.data);
    request = first;
    machine_free(&other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_grant_that_is_asked_for_wrongly_is_refused_in_words),
        TEST(a_tag_stands_for_one_device_of_an_office),
        TEST(an_address_has_a_length),
        TEST(what_is_no_request_is_granted_nothing),
        TEST(who_has_no_grant_gives_none),
        TEST(a_place_has_one_server),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
