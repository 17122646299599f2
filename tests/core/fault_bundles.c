#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fault_net.h"

/* ---- what is to be seen afterwards ---- */

static void expect_one(void)
{
    fault_expect_records(&net.station, 1);
}

static void expect_two(void)
{
    fault_expect_records(&net.station, 2);
}

/* ---- bundles ---- */

static bool take_piece(void *context, struct cairn_bytes bytes)
{
    *(size_t *)context += bytes.size;
    return true;
}

static enum cairn_status bundle_write(bool is_full)
{
    struct cairn_bundle_report report;
    size_t size = 0;

    enum cairn_status status = cairn_bundle_write(net.station.replica, is_full, take_piece, &size,
                                                  &report, &net.station.err);
    fault_gave(size);
    fault_gave(report.byte_count);
    fault_gave(report.entry_count);
    fault_gave(report.device_count);
    fault_gave(report.checkpoint_count);
    return status;
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

/* What the office decided comes by a device of the village. */
static void carrier_takes(struct machine *carrier)
{
    machine_sync(&net.office, &net.server);
    machine_sync(carrier, &net.server);
    fault_message_put(machine_bundle(carrier));
}

static void once_read_releases(void)
{
    fault_wait_for_grant(&net.station);
    carrier_takes(&net.guest);
}

static void once_read_schema(void)
{
    fault_wait_for_schema(&net.station);
    carrier_takes(&net.peer);
}

static void once_read_revocation(void)
{
    fault_peer_work();
    machine_join(&net.guest, &net.office, "station", FAULT_VILLAGE, "A9");
    fault_revoke();
    carrier_takes(&net.guest);
}

static void once_read_adoption(void)
{
    once_read_revocation();
    machine_must(&net.station, act_bundle_read());
    expect_one();
    fault_adopt();
    carrier_takes(&net.guest);
}

static void once_read_fork(void)
{
    fault_fork(fault_peer_to_station);
    net.message = machine_bundle(&net.peer);
}

static void once_read_restored(void)
{
    fault_rich();
    fault_restore(false);
    machine_must(&net.station, machine_on(&net.station));
    assert_true(cairn_replica_was_restored(net.station.replica));
    net.message = machine_bundle(&net.peer);
}

static void once_read_first(void)
{
    fault_first();
    machine_sync(&net.station, &net.server);
    net.message = machine_bundle(&net.station);
}

static void expect_village(void)
{
    fault_expect_records(&net.guest, 3);
}

static enum cairn_status act_read_first(void)
{
    return machine_read(&net.guest, net.message);
}

static void bundle_full(struct machine *machine, struct block *out)
{
    struct cairn_bundle_report report;

    machine_must(machine, cairn_bundle_write(machine->replica, true, machine_block_add, out,
                                             &report, &machine->err));
}

static void statement_make(void)
{
    struct cairn_writer writer;

    net.statement.data = malloc(1100);
    assert_non_null(net.statement.data);
    cairn_writer_init(&writer, net.statement.data, 1100);
    machine_must(&net.root, cairn_root_export(net.root.replica, &writer, &net.root.err));
    net.statement.size = writer.size;
}

static void once_audit(void)
{
    fault_conflict();
    bundle_full(&net.station, &net.message);
    statement_make();
}

static void peer_bundle(void)
{
    bundle_full(&net.peer, &net.other);
}

/* A device that signed two histories, in two bundles. */
static void once_audit_found(void)
{
    fault_fork(peer_bundle);
    bundle_full(&net.peer, &net.message);
    statement_make();
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

    const struct cairn_audit_given given = {.root_statement = fault_bytes(net.statement),
                                            .files = &file,
                                            .file_names = &name,
                                            .file_count = 1};

    return audit_done(cairn_audit_files(&given, &visitor, &report, &notes, &net.station.err),
                      &report, notes);
}

static enum cairn_status act_audit_replica(void)
{
    const struct cairn_audit_visitor visitor = {.context = NULL};
    struct cairn_audit_report report;
    struct cairn_bytes notes;

    return audit_done(
        cairn_audit_replica(net.station.replica, NULL, &visitor, &report, &notes, &net.station.err),
        &report, notes);
}

static enum cairn_status act_audit_found(void)
{
    const struct cairn_bytes files[] = {fault_bytes(net.message), fault_bytes(net.other)};
    const char *const names[] = {"one", "two"};
    const struct cairn_audit_visitor visitor = {.context = NULL};
    struct cairn_audit_report report;
    const struct cairn_audit_given given = {.root_statement = fault_bytes(net.statement),
                                            .files = files,
                                            .file_names = names,
                                            .file_count = 2};
    enum cairn_status status = cairn_audit_files(&given, &visitor, &report, NULL, &net.station.err);

    if (status == CAIRN_OK)
        assert_int_equal(report.fork_count, 1);
    return status;
}

/* What the last audit saved, kept for the next. */
static struct cairn_bytes kept;

static void once_audit_earlier(void)
{
    const struct cairn_audit_visitor visitor = {.context = NULL};
    struct cairn_audit_report report;

    once_audit();
    cairn_bytes_free(kept);
    machine_must(&net.station, cairn_audit_replica(net.station.replica, NULL, &visitor, &report,
                                                   &kept, &net.station.err));
    assert_true(kept.size > 0);
}

static enum cairn_status act_audit_earlier(void)
{
    const char *name = "kept";
    const struct cairn_audit_earlier earlier = {&kept, &name, 1};
    const struct cairn_audit_visitor visitor = {.context = NULL};
    struct cairn_audit_report report;
    struct cairn_bytes notes;
    enum cairn_status status =
        audit_done(cairn_audit_replica(net.station.replica, &earlier, &visitor, &report, &notes,
                                       &net.station.err),
                   &report, notes);

    if (status == CAIRN_OK)
        assert_true(report.earlier_count > 0);
    return status;
}

static void once_audit_forked(void)
{
    once_read_fork();
    machine_must(&net.station, act_bundle_read());
}

static enum cairn_status act_audit_forked(void)
{
    const struct cairn_audit_visitor visitor = {.context = NULL};
    struct cairn_audit_report report;
    enum cairn_status status =
        cairn_audit_replica(net.station.replica, NULL, &visitor, &report, NULL, &net.station.err);

    if (status == CAIRN_OK)
        assert_int_equal(report.fork_count, 1);
    return status;
}

#define TAKES_IN(name, once, traits, expect)                            \
    {                                                                   \
        name, &net.station, once, NULL, act_bundle_read, traits, expect \
    }
#define AUDIT(name, once, act)                                              \
    {                                                                       \
        name, &net.station, once, NULL, act, FAULT_READS | FAULT_LONG, NULL \
    }

static const struct fault_case cases[] = {
    FAULT_WRITE("cairn_bundle_write", station, fault_both_edit, act_bundle_write),
    FAULT_WRITE("cairn_bundle_write, everything", station, fault_rich, act_bundle_write),
    FAULT_WRITE("cairn_bundle_write, full", station, fault_both_edit, act_bundle_write_full),
    FAULT_WRITE("cairn_bundle_write, full, fork", station, once_audit_forked,
                act_bundle_write_full),
    TAKES_IN("cairn_bundle_read", once_bundle, 0, expect_two),
    TAKES_IN("cairn_bundle_read, releases", once_read_releases, FAULT_LONG, expect_two),
    TAKES_IN("cairn_bundle_read, schema", once_read_schema, FAULT_LONG | FAULT_BUILDS, expect_two),
    TAKES_IN("cairn_bundle_read, revocation", once_read_revocation, FAULT_LONG, expect_one),
    TAKES_IN("cairn_bundle_read, adoption", once_read_adoption, FAULT_LONG, expect_two),
    TAKES_IN("cairn_bundle_read, fork", once_read_fork, FAULT_LONG, NULL),
    TAKES_IN("cairn_bundle_read, restored", once_read_restored, FAULT_LONG, fault_expect_restored),
    {"cairn_bundle_read, first", &net.guest, once_read_first, NULL, act_read_first, FAULT_LONG,
     expect_village},
    AUDIT("cairn_audit_files", once_audit, act_audit_files),
    AUDIT("cairn_audit_files, fork", once_audit_found, act_audit_found),
    AUDIT("cairn_audit_replica", once_audit, act_audit_replica),
    AUDIT("cairn_audit_replica, earlier", once_audit_earlier, act_audit_earlier),
    AUDIT("cairn_audit_replica, fork", once_audit_forked, act_audit_forked),
};
const struct fault_group fault_bundles = FAULT_GROUP("bundles", cases);
