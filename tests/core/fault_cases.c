#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fault_cases.h"

#define VILLAGE "513332100201"

static struct machine root, office, server, station, peer, guest, newcomer;
static char household[32];
static struct block message; /* what a call takes in */
static struct block statement;
static struct cairn_serve *serve;

static struct cairn_bytes bytes_of(struct block block)
{
    return (struct cairn_bytes){block.data, block.size};
}

/* A machine whose disk is empty: nobody has said `init` there. */
static void machine_blank(struct machine *machine, uint64_t seed)
{
    struct cairn_store *disk;

    memset(machine, 0, sizeof *machine);
    machine_must(machine, cairn_store_memory_new(&disk));
    store_fault_init(&machine->store, disk);
    fake_ports_init(&machine->ports, seed);
}

void fault_cases_open(void)
{
    machine_init(&root, 1, "root", "51");
    machine_init(&office, 2, "office", NULL);
    machine_init(&server, 3, "server", NULL);
    machine_init(&station, 4, "station", NULL);
    machine_init(&peer, 5, "peer", NULL);
    machine_init(&guest, 6, "guest", NULL);
    machine_blank(&newcomer, 7);
    machine_join(&office, &root, "county", "513332", "C");
    machine_join(&server, &office, "server", "513332", "S");
    machine_join(&station, &office, "station", VILLAGE, "A7");
    machine_join(&peer, &office, "station", VILLAGE, "A8");
    machine_must(&station, machine_create(&station, "扎西", household));
    machine_sync(&office, &server);
    machine_sync(&station, &server);
    machine_sync(&peer, &server);
    machine_sync(&station, &server);
    message = statement = (struct block){NULL, 0};
}

void fault_cases_close(void)
{
    fault_cases_drop();
    free(message.data);
    free(statement.data);
    machine_free(&newcomer);
    machine_free(&guest);
    machine_free(&peer);
    machine_free(&station);
    machine_free(&server);
    machine_free(&office);
    machine_free(&root);
}

void fault_cases_drop(void)
{
    cairn_serve_free(serve);
    serve = NULL;
}

/* ---- opening ---- */

static enum cairn_status act_init(void)
{
    const struct cairn_init init = {.name = "newcomer", .root_scope = "51", .root_tag = "N"};
    const struct cairn_replica_config config = {
        .is_writer = true, .store = &newcomer.store.base, .ports = &newcomer.ports.base};

    return cairn_replica_init(&config, &init, &newcomer.replica, &newcomer.err);
}

static enum cairn_status act_open(void)
{
    return machine_on(&station);
}

static void once_restored(void)
{
    machine_must(&station, machine_set(&station, household, "members", "7"));
    machine_off(&station);
    fake_ports_move(&station.ports, 99);
}

/* ---- who and where ---- */

static enum cairn_status act_status(void)
{
    struct cairn_status_report report;

    return cairn_status_get(station.replica, &report, &station.err);
}

static enum cairn_status export_with(enum cairn_status (*export)(struct cairn_replica *,
                                                                 struct cairn_writer *,
                                                                 struct cairn_err *))
{
    uint8_t bytes[1100];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    return export(station.replica, &writer, &station.err);
}

static enum cairn_status act_request_export(void)
{
    return export_with(cairn_request_export);
}

static enum cairn_status act_root_export(void)
{
    return export_with(cairn_root_export);
}

static enum cairn_status act_schema(void)
{
    const struct cairn_field_info *fields;
    size_t count;

    return cairn_schema_fields(station.replica, "household", &fields, &count, &station.err);
}

/* ---- grants ---- */

static void once_request(void)
{
    message = machine_request(&guest);
}

static enum cairn_status act_request_inspect(void)
{
    struct cairn_device device;

    return cairn_request_inspect(bytes_of(message), &device, &station.err);
}

static enum cairn_status grant_as(const char *role, const char *scope, const char *address)
{
    const struct cairn_grant_input input = {.request = bytes_of(message),
                                            .role = role,
                                            .scope = scope,
                                            .tag = "A9",
                                            .address = address};
    struct cairn_bytes invitation;
    struct cairn_device device;

    enum cairn_status status =
        cairn_grant_device(office.replica, &input, &invitation, &device, &office.err);
    if (status == CAIRN_OK)
        cairn_bytes_free(invitation);
    return status;
}

static enum cairn_status act_grant(void)
{
    return grant_as("station", VILLAGE, NULL);
}

static enum cairn_status act_grant_server(void)
{
    return grant_as("server", "513332100", "tcp://127.0.0.1:7341");
}

static void once_invitation(void)
{
    machine_must(&office, machine_invite(&guest, &office, "station", VILLAGE, "A9", &message));
}

static enum cairn_status act_join_inspect(void)
{
    struct cairn_join_report report;

    return cairn_join_inspect(guest.replica, bytes_of(message), &report, &guest.err);
}

static enum cairn_status act_join(void)
{
    struct cairn_join_report report;

    return cairn_join(guest.replica, bytes_of(message), &report, &guest.err);
}

/* ---- records ---- */

static enum cairn_status act_create(void)
{
    char id[32];

    return machine_create(&station, "卓玛", id);
}

static enum cairn_status act_set(void)
{
    return machine_set(&station, household, "income", "5000");
}

static enum cairn_status act_put_many(void)
{
    const struct cairn_field_value head = {"head", "次仁"}, income = {"income", "1"};
    const struct cairn_put puts[] = {
        {.type = "household", .fields = &head, .field_count = 1},
        {.type = "household",
         .id = household,
         .fields = &income,
         .field_count = 1,
         .reason = "seen"},
        {.type = "household", .scope = VILLAGE, .fields = &head, .field_count = 1},
    };
    struct cairn_put_result results[3];
    size_t failed;

    return cairn_put_many(station.replica, puts, 3, results, &failed, &station.err);
}

static void ignore_bad_put(void *context, size_t put_index, enum cairn_status status,
                           const char *text)
{
    (void)context;
    (void)put_index;
    (void)status;
    (void)text;
}

static enum cairn_status act_put_check(void)
{
    const struct cairn_field_value head = {"head", "次仁"}, bad = {"income", "much"};
    const struct cairn_put puts[] = {
        {.type = "household", .fields = &head, .field_count = 1},
        {.type = "household", .id = household, .fields = &bad, .field_count = 1},
    };

    return cairn_put_check(station.replica, puts, 2, ignore_bad_put, NULL, &station.err);
}

static enum cairn_status act_delete(void)
{
    return cairn_delete(station.replica, "household", household, "moved", &station.err);
}

static enum cairn_status act_get(void)
{
    const struct cairn_record *record;

    return cairn_get(station.replica, household, &record, &station.err);
}

static bool count_record(void *context, const struct cairn_record *record)
{
    (void)record;
    ++*(size_t *)context;
    return true;
}

static enum cairn_status act_list(void)
{
    const struct cairn_field_value filter[] = {{"village", VILLAGE}, {"income", "4150"}};
    size_t count = 0;

    return cairn_list(station.replica, "household", filter, 2, count_record, &count, &station.err);
}

static enum cairn_status act_conflicts(void)
{
    size_t count = 0;
    enum cairn_status status = cairn_conflicts(station.replica, count_record, &count, &station.err);

    if (status == CAIRN_OK)
        assert_int_equal(count, 1);
    return status;
}

static bool count_item(void *context, const struct cairn_history_item *item)
{
    (void)item;
    ++*(size_t *)context;
    return true;
}

static enum cairn_status act_history(void)
{
    size_t count = 0;

    return cairn_history(station.replica, household, count_item, &count, &station.err);
}

static void once_conflict(void)
{
    machine_must(&station, machine_set(&station, household, "income", "1"));
    machine_must(&peer, machine_set(&peer, household, "income", "2"));
    machine_sync(&peer, &server);
    machine_sync(&station, &server);
    assert_int_equal(machine_status(&station).conflict_count, 1);
}

static enum cairn_status settle(unsigned keep, const char *value)
{
    const char *settled;

    return cairn_settle(station.replica, household, "income", keep, value, "receipt seen", &settled,
                        &station.err);
}

static enum cairn_status act_settle_keep(void)
{
    return settle(2, NULL);
}

static enum cairn_status act_settle_value(void)
{
    return settle(0, "3");
}

/* ---- sync, the client's side ---- */

static void once_both_edit(void)
{
    machine_must(&peer, machine_set(&peer, household, "income", "7"));
    machine_sync(&peer, &server);
    machine_must(&station, machine_set(&station, household, "members", "7"));
}

static enum cairn_status act_sync_begin(void)
{
    return cairn_sync_begin(station.replica, &station.err);
}

static void ready_begun(void)
{
    machine_must(&station, cairn_sync_begin(station.replica, &station.err));
}

static enum cairn_status act_sync_request(void)
{
    struct cairn_bytes request;

    return cairn_sync_request(station.replica, &request, &station.err);
}

static void ready_answered(void)
{
    struct cairn_bytes request;

    ready_begun();
    machine_must(&station, cairn_sync_request(station.replica, &request, &station.err));
    free(message.data);
    message = machine_answer(&server, request);
}

static enum cairn_status act_sync_reply(void)
{
    bool again;

    return cairn_sync_reply(station.replica, bytes_of(message), &again, &station.err);
}

/* ---- sync, the server's side ---- */

static void once_asked(void)
{
    struct cairn_bytes request;

    once_both_edit();
    ready_begun();
    machine_must(&station, cairn_sync_request(station.replica, &request, &station.err));
    message.data = malloc(request.size);
    assert_non_null(message.data);
    memcpy(message.data, request.data, request.size);
    message.size = request.size;
}

static enum cairn_status act_serve_open(void)
{
    fault_cases_drop();
    return cairn_serve_open(server.replica, bytes_of(message), &serve, &server.err);
}

static void ready_opened(void)
{
    machine_must(&server, act_serve_open());
}

static enum cairn_status act_serve_commit(void)
{
    struct cairn_serve_commit commit;

    return cairn_serve_commit(server.replica, &serve, 1, &commit, &server.err);
}

static void ready_committed(void)
{
    ready_opened();
    machine_must(&server, act_serve_commit());
}

static enum cairn_status act_serve_reply(void)
{
    struct cairn_bytes reply;

    return cairn_serve_reply(server.replica, serve, &reply, &server.err);
}

/* ---- bundles and audits ---- */

static bool take_piece(void *context, struct cairn_bytes bytes)
{
    *(size_t *)context += bytes.size;
    return true;
}

static enum cairn_status bundle_write(bool is_full)
{
    struct cairn_bundle_report report;
    size_t size = 0;

    return cairn_bundle_write(station.replica, is_full, take_piece, &size, &report, &station.err);
}

static enum cairn_status act_bundle_write(void)
{
    return bundle_write(false);
}

static enum cairn_status act_bundle_write_full(void)
{
    return bundle_write(true);
}

static void once_bundle(void)
{
    char id[32];

    machine_must(&peer, machine_create(&peer, "次仁", id));
    machine_must(&peer, machine_set(&peer, household, "income", "7"));
    message = machine_bundle(&peer);
}

static enum cairn_status act_bundle_read(void)
{
    return machine_read(&station, message);
}

static bool add_piece(void *context, struct cairn_bytes bytes)
{
    struct block *block = context;
    uint8_t *grown = realloc(block->data, block->size + bytes.size + 1);

    assert_non_null(grown);
    if (bytes.size > 0)
        memcpy(grown + block->size, bytes.data, bytes.size);
    *block = (struct block){grown, block->size + bytes.size};
    return true;
}

static void once_audit(void)
{
    struct cairn_bundle_report report;
    struct cairn_writer writer;

    once_conflict();
    machine_must(&station, cairn_bundle_write(station.replica, true, add_piece, &message, &report,
                                              &station.err));
    statement.data = malloc(1100);
    assert_non_null(statement.data);
    cairn_writer_init(&writer, statement.data, 1100);
    machine_must(&root, cairn_root_export(root.replica, &writer, &root.err));
    statement.size = writer.size;
}

static enum cairn_status audit_done(enum cairn_status status,
                                    const struct cairn_audit_report *report,
                                    struct cairn_bytes checkpoints)
{
    if (status != CAIRN_OK)
        return status;
    cairn_bytes_free(checkpoints);
    assert_int_equal(report->finding_count, 0);
    assert_true(report->covered_count > 0);
    return status;
}

static enum cairn_status act_audit_files(void)
{
    const struct cairn_bytes file = bytes_of(message);
    const char *name = "bundle";
    const struct cairn_audit_visitor visitor = {.context = NULL};
    struct cairn_audit_report report;
    struct cairn_bytes notes;

    return audit_done(cairn_audit_files(bytes_of(statement), &file, &name, 1, &visitor, &report,
                                        &notes, &station.err),
                      &report, notes);
}

static enum cairn_status act_audit_replica(void)
{
    const struct cairn_audit_visitor visitor = {.context = NULL};
    struct cairn_audit_report report;
    struct cairn_bytes notes;

    return audit_done(cairn_audit_replica(station.replica, &visitor, &report, &notes, &station.err),
                      &report, notes);
}

const struct fault_case fault_cases[] = {
    {"cairn_replica_init", &newcomer, NULL, NULL, act_init, FAULT_OFF},
    {"cairn_replica_open", &station, NULL, NULL, act_open, FAULT_READS | FAULT_OFF},
    {"cairn_replica_open, restored", &station, once_restored, NULL, act_open, FAULT_OFF},
    {"cairn_status_get", &station, once_conflict, NULL, act_status, FAULT_READS},
    {"cairn_request_export", &station, NULL, NULL, act_request_export, FAULT_READS},
    {"cairn_root_export", &station, NULL, NULL, act_root_export, FAULT_READS},
    {"cairn_request_inspect", &station, once_request, NULL, act_request_inspect, FAULT_READS},
    {"cairn_grant_device", &office, once_request, NULL, act_grant, FAULT_KEEPS},
    {"cairn_grant_device, server", &office, once_request, NULL, act_grant_server, FAULT_KEEPS},
    {"cairn_join_inspect", &guest, once_invitation, NULL, act_join_inspect, FAULT_READS},
    {"cairn_join", &guest, once_invitation, NULL, act_join, 0},
    {"cairn_schema_fields", &station, NULL, NULL, act_schema, FAULT_READS},
    {"cairn_put_many, create", &station, NULL, NULL, act_create, 0},
    {"cairn_put_many, set", &station, NULL, NULL, act_set, 0},
    {"cairn_put_many, three", &station, NULL, NULL, act_put_many, 0},
    {"cairn_put_check", &station, NULL, NULL, act_put_check, FAULT_READS},
    {"cairn_delete", &station, NULL, NULL, act_delete, 0},
    {"cairn_get", &station, once_conflict, NULL, act_get, FAULT_READS},
    {"cairn_list", &station, once_conflict, NULL, act_list, FAULT_READS},
    {"cairn_conflicts", &station, once_conflict, NULL, act_conflicts, FAULT_READS},
    {"cairn_history", &station, once_conflict, NULL, act_history, FAULT_READS},
    {"cairn_settle, keep", &station, once_conflict, NULL, act_settle_keep, 0},
    {"cairn_settle, value", &station, once_conflict, NULL, act_settle_value, 0},
    {"cairn_sync_begin", &station, once_both_edit, NULL, act_sync_begin, FAULT_READS},
    {"cairn_sync_request", &station, once_both_edit, ready_begun, act_sync_request, 0},
    {"cairn_sync_reply", &station, once_both_edit, ready_answered, act_sync_reply, FAULT_ANEW},
    {"cairn_serve_open", &server, once_asked, NULL, act_serve_open, FAULT_READS},
    {"cairn_serve_commit", &server, once_asked, ready_opened, act_serve_commit, 0},
    {"cairn_serve_reply", &server, once_asked, ready_committed, act_serve_reply, 0},
    {"cairn_bundle_write", &station, once_both_edit, NULL, act_bundle_write, 0},
    {"cairn_bundle_write, full", &station, once_both_edit, NULL, act_bundle_write_full, 0},
    {"cairn_bundle_read", &station, once_bundle, NULL, act_bundle_read, 0},
    {"cairn_audit_files", &station, once_audit, NULL, act_audit_files, FAULT_READS},
    {"cairn_audit_replica", &station, once_audit, NULL, act_audit_replica, FAULT_READS},
};
const size_t fault_case_count = sizeof fault_cases / sizeof fault_cases[0];
