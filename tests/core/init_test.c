/* Devices that are not made: a sentence for each reason, and nothing written; and what a locked key
 * keeps from being done. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "replica_internal.h"

static void expect_not_made(struct machine *machine, const struct cairn_init *init,
                            enum cairn_status expected, const char *words)
{
    const struct cairn_replica_config config = {
        .is_writer = true, .store = &machine->store.base, .ports = &machine->ports.base};
    struct cairn_hash before = machine_disk_hash(machine);
    struct fake_bytes key = machine->ports.key;
    struct cairn_replica *replica = NULL;

    assert_int_equal(cairn_replica_init(&config, init, &replica, &machine->err), expected);
    assert_null(replica);
    if (strstr(machine->err.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", machine->err.text, words);
    struct cairn_hash after = machine_disk_hash(machine);
    assert_memory_equal(after.bytes, before.bytes, sizeof after.bytes);
    assert_memory_equal(&machine->ports.key, &key, sizeof key);
}

static void what_is_asked_for_wrongly_is_not_made(void **state)
{
    static uint8_t table[CAIRN_SCHEMA_TABLE_MAX + 1];
    static char long_name[200];
    const struct {
        struct cairn_init init;
        const char *words;
    } rows[] = {
        {{.name = ""}, "The name of a device has 1 to 128 bytes, not 0."},
        {{.name = long_name}, "The name of a device has 1 to 128 bytes, not 199."},
        {{.name = "root", .root_scope = "513", .root_tag = "R"},
         "513 is not an administrative code: 2, 4, 6, 9 or 12 digits."},
        {{.name = "root", .root_scope = "51"}, "A root needs a tag of 1 to 4 letters or digits"},
        {{.name = "root", .root_scope = "51", .root_tag = "R-1"},
         "A root needs a tag of 1 to 4 letters or digits"},
        {{.name = "root", .root_scope = "51", .root_tag = "R", .schema = {table, 7}},
         "The schema is not a table of version 1."},
        {{.name = "root", .root_scope = "51", .root_tag = "R", .schema = {table, sizeof table}},
         "Shorten it."},
    };

    (void)state;
    memset(long_name, 'n', sizeof long_name - 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct machine machine = {.replica = NULL};
        struct cairn_store *disk;
        machine_must(&machine, cairn_store_memory_new(&disk));
        store_fault_init(&machine.store, disk);
        fake_ports_init(&machine.ports, 1);
        expect_not_made(&machine, &rows[i].init, CAIRN_BAD_INPUT, rows[i].words);
        machine_free(&machine);
    }
}

static void a_store_holds_one_device(void **state)
{
    const struct cairn_init init = {.name = "other"};
    struct machine machine;

    (void)state;
    machine_init(&machine, 1, "first", NULL);
    machine_off(&machine);
    expect_not_made(&machine, &init, CAIRN_EXISTS, "This store holds a device already.");
    machine_must(&machine, machine_on(&machine));
    machine_free(&machine);
}

static void expect_locked(struct machine *machine, enum cairn_status status)
{
    assert_int_equal(status, CAIRN_NO_KEY);
    assert_string_equal(machine->err.text,
                        "The key of this device is locked: give its passphrase.");
}

static void a_locked_key_asks_for_nothing_grants_nothing_and_joins_nothing(void **state)
{
    struct machine root, guest;
    struct block invitation;
    struct cairn_join_report report;
    struct cairn_writer writer;
    uint8_t file[1100];

    (void)state;
    machine_init(&root, 1, "root", "51");
    machine_init(&guest, 2, "guest", NULL);
    machine_must(&root, machine_invite(&guest, &root, "county", "513332", "C", &invitation));
    guest.replica->has_keys = false; /* as when no passphrase was given */
    root.replica->has_keys = false;
    cairn_writer_init(&writer, file, sizeof file);
    expect_locked(&guest, cairn_request_export(guest.replica, &writer, &guest.err));
    expect_locked(&guest,
                  cairn_join(guest.replica, (struct cairn_bytes){invitation.data, invitation.size},
                             &report, &guest.err));
    const struct cairn_grant_input input = {
        .request = {invitation.data, 0}, .role = "station", .scope = "513332100201", .tag = "A7"};
    struct cairn_bytes given;
    struct cairn_device device;
    expect_locked(&root, cairn_grant_device(root.replica, &input, &given, &device, &root.err));
    free(invitation.data);
    machine_free(&guest);
    machine_free(&root);
}

static struct cairn_bytes bytes_of(struct block block)
{
    return (struct cairn_bytes){block.data, block.size};
}

static void an_invitation_is_for_one_device_and_for_one_that_is_in_no_network(void **state)
{
    struct machine root, other_root, first, second;
    struct block for_first, for_second, of_others;
    struct cairn_join_report report;

    (void)state;
    machine_init(&root, 1, "root", "51");
    machine_init(&first, 2, "first", NULL);
    machine_init(&second, 3, "second", NULL);
    machine_init(&other_root, 4, "other root", "51");
    machine_must(&root, machine_invite(&first, &root, "county", "513332", "C", &for_first));
    machine_must(&root, machine_invite(&second, &root, "county", "513333", "D", &for_second));
    machine_must(&other_root,
                 machine_invite(&first, &other_root, "county", "513332", "C", &of_others));
    machine_expect_refused(
        &second, cairn_join(second.replica, bytes_of(for_first), &report, &second.err),
        CAIRN_NO_KEY,
        "This invitation is for another device, or it was damaged. Nothing was changed; ask for "
        "the one made for the request of this device.");
    assert_false(machine_status(&second).is_joined);
    machine_must(&second, cairn_join(second.replica, bytes_of(for_second), &report, &second.err));
    machine_must(&first, cairn_join(first.replica, bytes_of(for_first), &report, &first.err));
    machine_expect_refused(
        &first, cairn_join(first.replica, bytes_of(of_others), &report, &first.err), CAIRN_EXISTS,
        "This store belongs to a network already. Nothing was changed.");
    assert_string_equal(machine_status(&first).root_name, "root");
    free(for_first.data);
    free(for_second.data);
    free(of_others.data);
    machine_free(&other_root);
    machine_free(&second);
    machine_free(&first);
    machine_free(&root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_wrongly_is_not_made),
        cmocka_unit_test(a_store_holds_one_device),
        cmocka_unit_test(a_locked_key_asks_for_nothing_grants_nothing_and_joins_nothing),
        cmocka_unit_test(an_invitation_is_for_one_device_and_for_one_that_is_in_no_network),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
