#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fault_net.h"

/* ---- sync, the client's side ---- */

static void once_both_edit(void)
{
    machine_must(&net.peer, machine_set(&net.peer, net.household, "income", "7"));
    machine_sync(&net.peer, &net.server);
    machine_must(&net.station, machine_set(&net.station, net.household, "members", "7"));
}

static enum cairn_status act_sync_begin(void)
{
    return cairn_sync_begin(net.station.replica, &net.station.err);
}

static void ready_begun(void)
{
    machine_must(&net.station, cairn_sync_begin(net.station.replica, &net.station.err));
}

static enum cairn_status act_sync_request(void)
{
    struct cairn_bytes request;

    return cairn_sync_request(net.station.replica, &request, &net.station.err);
}

static void ready_answered(void)
{
    struct cairn_bytes request;

    ready_begun();
    machine_must(&net.station, cairn_sync_request(net.station.replica, &request, &net.station.err));
    fault_message_put(machine_answer(&net.server, request));
}

static enum cairn_status act_sync_reply(void)
{
    bool again;

    return cairn_sync_reply(net.station.replica, fault_bytes(net.message), &again,
                            &net.station.err);
}

/* ---- sync, the server's side ---- */

static void once_asked(void)
{
    struct cairn_bytes request;

    once_both_edit();
    ready_begun();
    machine_must(&net.station, cairn_sync_request(net.station.replica, &request, &net.station.err));
    net.message.data = malloc(request.size);
    assert_non_null(net.message.data);
    memcpy(net.message.data, request.data, request.size);
    net.message.size = request.size;
}

static enum cairn_status act_serve_open(void)
{
    fault_cases_drop();
    return cairn_serve_open(net.server.replica, fault_bytes(net.message), &net.serve,
                            &net.server.err);
}

static void ready_opened(void)
{
    machine_must(&net.server, act_serve_open());
}

static enum cairn_status act_serve_commit(void)
{
    struct cairn_serve_commit commit;

    return cairn_serve_commit(net.server.replica, &net.serve, 1, &commit, &net.server.err);
}

static void ready_committed(void)
{
    ready_opened();
    machine_must(&net.server, act_serve_commit());
}

static enum cairn_status act_serve_reply(void)
{
    struct cairn_bytes reply;

    return cairn_serve_reply(net.server.replica, net.serve, &reply, &net.server.err);
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

    return cairn_bundle_write(net.station.replica, is_full, take_piece, &size, &report,
                              &net.station.err);
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

    machine_must(&net.peer, machine_create(&net.peer, "次仁", id));
    machine_must(&net.peer, machine_set(&net.peer, net.household, "income", "7"));
    net.message = machine_bundle(&net.peer);
}

static enum cairn_status act_bundle_read(void)
{
    return machine_read(&net.station, net.message);
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

    fault_conflict();
    machine_must(&net.station, cairn_bundle_write(net.station.replica, true, add_piece,
                                                  &net.message, &report, &net.station.err));
    net.statement.data = malloc(1100);
    assert_non_null(net.statement.data);
    cairn_writer_init(&writer, net.statement.data, 1100);
    machine_must(&net.root, cairn_root_export(net.root.replica, &writer, &net.root.err));
    net.statement.size = writer.size;
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
    const struct cairn_bytes file = fault_bytes(net.message);
    const char *name = "bundle";
    const struct cairn_audit_visitor visitor = {.context = NULL};
    struct cairn_audit_report report;
    struct cairn_bytes notes;

    return audit_done(cairn_audit_files(fault_bytes(net.statement), &file, &name, 1, &visitor,
                                        &report, &notes, &net.station.err),
                      &report, notes);
}

static enum cairn_status act_audit_replica(void)
{
    const struct cairn_audit_visitor visitor = {.context = NULL};
    struct cairn_audit_report report;
    struct cairn_bytes notes;

    return audit_done(
        cairn_audit_replica(net.station.replica, &visitor, &report, &notes, &net.station.err),
        &report, notes);
}

static const struct fault_case cases[] = {
    {"cairn_sync_begin", &net.station, once_both_edit, NULL, act_sync_begin, FAULT_READS},
    {"cairn_sync_request", &net.station, once_both_edit, ready_begun, act_sync_request, 0},
    {"cairn_sync_reply", &net.station, once_both_edit, ready_answered, act_sync_reply, FAULT_ANEW},
    {"cairn_serve_open", &net.server, once_asked, NULL, act_serve_open, FAULT_READS},
    {"cairn_serve_commit", &net.server, once_asked, ready_opened, act_serve_commit, 0},
    {"cairn_serve_reply", &net.server, once_asked, ready_committed, act_serve_reply, 0},
    {"cairn_bundle_write", &net.station, once_both_edit, NULL, act_bundle_write, 0},
    {"cairn_bundle_write, full", &net.station, once_both_edit, NULL, act_bundle_write_full, 0},
    {"cairn_bundle_read", &net.station, once_bundle, NULL, act_bundle_read, 0},
    {"cairn_audit_files", &net.station, once_audit, NULL, act_audit_files, FAULT_READS},
    {"cairn_audit_replica", &net.station, once_audit, NULL, act_audit_replica, FAULT_READS},
};
const struct fault_group fault_sync = FAULT_GROUP("sync", cases);
