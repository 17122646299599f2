#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fault_net.h"
#include "schema_edit.h"

const struct fault_group *const fault_groups[] = {&fault_devices, &fault_records, &fault_reading,
                                                  &fault_sync, &fault_bundles};
const size_t fault_group_count = sizeof fault_groups / sizeof fault_groups[0];

/* ---- opening ---- */

static enum cairn_status act_init(void)
{
    const struct cairn_init init = {.name = "newcomer", .root_scope = "51", .root_tag = "N"};
    const struct cairn_replica_config config = {
        .is_writer = true, .store = &net.newcomer.store.base, .ports = &net.newcomer.ports.base};

    return cairn_replica_init(&config, &init, &net.newcomer.replica, &net.newcomer.err);
}

static enum cairn_status act_open(void)
{
    return machine_on(&net.station);
}

static void once_restored(void)
{
    machine_must(&net.station, machine_set(&net.station, net.household, "members", "7"));
    machine_off(&net.station);
    fake_ports_move(&net.station.ports, 99);
}

static void once_restored_rich(void)
{
    fault_rich();
    fault_restore(false);
}

static void expect_restored(void)
{
    assert_true(cairn_replica_was_restored(net.station.replica));
    assert_int_equal(machine_status(&net.station).record_count, 3);
}

/* ---- who and where ---- */

static enum cairn_status act_status(void)
{
    struct cairn_status_report report;
    enum cairn_status status = cairn_status_get(net.station.replica, &report, &net.station.err);

    if (status != CAIRN_OK)
        return status;
    fault_gave_text(report.self.tag);
    fault_gave_text(report.server_tag);
    fault_gave(report.record_count);
    fault_gave(report.grant_count);
    fault_gave(report.unreceived_count);
    fault_gave(report.conflict_count);
    fault_gave(report.refused_count);
    return status;
}

static enum cairn_status export_with(enum cairn_status (*export)(struct cairn_replica *,
                                                                 struct cairn_writer *,
                                                                 struct cairn_err *))
{
    uint8_t bytes[1100];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    enum cairn_status status = export(net.station.replica, &writer, &net.station.err);
    fault_gave(writer.size);
    return status;
}

static enum cairn_status act_request_export(void)
{
    return export_with(cairn_request_export);
}

static enum cairn_status act_root_export(void)
{
    return export_with(cairn_root_export);
}

/* ---- grants ---- */

static void give_device(const struct cairn_device *device)
{
    fault_gave_text(device->tag);
    fault_gave_text(device->name);
    fault_gave_text(device->scope);
    fault_gave_text(device->role);
}

static void once_request(void)
{
    net.message = machine_request(&net.guest);
}

static enum cairn_status act_request_inspect(void)
{
    struct cairn_device device;
    enum cairn_status status =
        cairn_request_inspect(fault_bytes(net.message), &device, &net.station.err);

    if (status == CAIRN_OK)
        give_device(&device);
    return status;
}

static enum cairn_status grant_as(const char *role, const char *scope, const char *address)
{
    const struct cairn_grant_input input = {.request = fault_bytes(net.message),
                                            .role = role,
                                            .scope = scope,
                                            .tag = "A9",
                                            .address = address};
    struct cairn_bytes invitation;
    struct cairn_device device;

    enum cairn_status status =
        cairn_grant_device(net.office.replica, &input, &invitation, &device, &net.office.err);
    if (status != CAIRN_OK)
        return status;
    fault_gave(invitation.size);
    give_device(&device);
    cairn_bytes_free(invitation);
    return status;
}

static enum cairn_status act_grant(void)
{
    return grant_as("station", FAULT_VILLAGE, NULL);
}

static enum cairn_status act_grant_server(void)
{
    return grant_as("server", "513332100", "tcp://127.0.0.1:7341");
}

static void once_invitation(void)
{
    machine_must(&net.office, machine_invite(&net.guest, &net.office, "station", FAULT_VILLAGE,
                                             "A9", &net.message));
}

static enum cairn_status
    join_with(enum cairn_status (*join)(struct cairn_replica *, struct cairn_bytes,
                                        struct cairn_join_report *, struct cairn_err *))
{
    struct cairn_join_report report;
    enum cairn_status status =
        join(net.guest.replica, fault_bytes(net.message), &report, &net.guest.err);

    if (status != CAIRN_OK)
        return status;
    fault_gave_text(report.root_name);
    fault_gave_text(report.server_tag);
    fault_gave_text(report.server_address);
    give_device(&report.self);
    return status;
}

static enum cairn_status act_join_inspect(void)
{
    return join_with(cairn_join_inspect);
}

static enum cairn_status act_join(void)
{
    return join_with(cairn_join);
}

/* ---- schema ---- */

static enum cairn_status act_schema(void)
{
    const struct cairn_field_info *fields;
    size_t count;

    enum cairn_status status =
        cairn_schema_fields(net.station.replica, "household", &fields, &count, &net.station.err);
    for (size_t i = 0; status == CAIRN_OK && i < count; i++)
        fault_gave_text(fields[i].name);
    return status;
}

static enum cairn_status act_schema_types(void)
{
    const struct cairn_type_info *types;
    uint64_t version;
    size_t count;

    enum cairn_status status =
        cairn_schema_types(net.station.replica, &version, &types, &count, &net.station.err);
    for (size_t i = 0; status == CAIRN_OK && i < count; i++)
        fault_gave_text(types[i].name);
    return status;
}

static enum cairn_status act_schema_text(void)
{
    struct cairn_bytes yaml = {NULL, 0};
    enum cairn_status status = cairn_schema_text(net.root.replica, 0, &yaml, &net.root.err);

    fault_gave(yaml.size);
    return status;
}

/* The next version, with a field of households that is indexed. */
static void once_schema(void)
{
    struct cairn_bytes yaml;

    machine_must(&net.root, cairn_schema_text(net.root.replica, 1, &yaml, &net.root.err));
    char *file = schema_edit(yaml, 2,
                             "      - {number: 60, name: roof, zh: 屋顶, en: roof, type: integer, "
                             "max: 9, indexed: yes}\n");
    fault_message_put((struct block){(uint8_t *)file, strlen(file)});
}

static void fail_problem(void *context, size_t line, const char *text)
{
    (void)context;
    fail_msg("line %zu: %s", line, text);
}

static enum cairn_status summary_give(enum cairn_status status,
                                      const struct cairn_schema_summary *summary)
{
    if (status != CAIRN_OK)
        return status;
    fault_gave(summary->version);
    fault_gave(summary->type_count);
    fault_gave(summary->field_count);
    fault_gave(summary->table_bytes);
    return status;
}

static enum cairn_status act_schema_check(void)
{
    struct cairn_schema_summary summary;

    return summary_give(cairn_schema_check(net.root.replica, fault_bytes(net.message), fail_problem,
                                           NULL, &summary, &net.root.err),
                        &summary);
}

static enum cairn_status act_schema_publish(void)
{
    struct cairn_schema_summary summary;

    return summary_give(cairn_schema_publish(net.root.replica, fault_bytes(net.message),
                                             fail_problem, NULL, &summary, &net.root.err),
                        &summary);
}

void fault_publish(void)
{
    once_schema();
    machine_must(&net.root, act_schema_publish());
}

static const struct fault_case cases[] = {
    {"cairn_replica_init", &net.newcomer, NULL, NULL, act_init, FAULT_OFF | FAULT_BUILDS, NULL},
    {"cairn_replica_open", &net.station, NULL, NULL, act_open, FAULT_READS | FAULT_OFF, NULL},
    {"cairn_replica_open, restored", &net.station, once_restored, NULL, act_open, FAULT_OFF, NULL},
    {"cairn_replica_open, restored, everything", &net.station, once_restored_rich, NULL, act_open,
     FAULT_OFF | FAULT_LONG, expect_restored},
    FAULT_READ("cairn_status_get", station, fault_conflict, act_status),
    FAULT_READ("cairn_request_export", station, NULL, act_request_export),
    FAULT_READ("cairn_root_export", station, NULL, act_root_export),
    FAULT_READ("cairn_request_inspect", station, once_request, act_request_inspect),
    {"cairn_grant_device", &net.office, once_request, NULL, act_grant, FAULT_KEEPS, NULL},
    {"cairn_grant_device, server", &net.office, once_request, NULL, act_grant_server, FAULT_KEEPS,
     NULL},
    FAULT_READ("cairn_join_inspect", guest, once_invitation, act_join_inspect),
    {"cairn_join", &net.guest, once_invitation, NULL, act_join, FAULT_BUILDS, NULL},
    FAULT_READ("cairn_schema_fields", station, NULL, act_schema),
    FAULT_READ("cairn_schema_types", station, NULL, act_schema_types),
    FAULT_READ("cairn_schema_text", root, NULL, act_schema_text),
    FAULT_READ("cairn_schema_check", root, once_schema, act_schema_check),
    {"cairn_schema_publish", &net.root, once_schema, NULL, act_schema_publish, FAULT_BUILDS, NULL},
};
const struct fault_group fault_devices = FAULT_GROUP("devices", cases);
