/*
 * A store that reads back something else than was written: every call says that the store is
 * damaged, or does not need what was; nothing ends the program, nothing is written that was not
 * before, and the call succeeds when the damage is gone.
 *
 * The store holds one of everything: records in conflict, a fork, a run and an entry that wait, an
 * entry without effect, a repetition, a cut and an adoption.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "force.h"
#include "machine.h"
#include "pen.h"
#include "replica_internal.h"
#include "store_damage.h"

#define FIELD_MEMBERS 3
#define FIELD_INCOME 6
#define STEADY_READS 60 /* the first so many are damaged one by one, then at growing steps */

static const char *const kind_names[DAMAGE_KIND_COUNT] = {"empty",  "half",         "cut",
                                                          "longer", "another form", "key cut"};

static struct machine root, office, server, station, peer;
static struct store_damage damage; /* under the machine whose turn it is */
static char household[32];
static struct pieces pieces;
static struct pen own, other_branch;
static struct block bundle, request;
static size_t late_gap, late_revocation; /* pieces that the station does not have yet */

/* ---- a store with everything ---- */

static enum cairn_status apply(struct machine *machine, const struct piece *piece,
                               bool is_sequenced)
{
    const struct cairn_apply_input input = {.scope = piece->scope,
                                            .channel = piece->channel,
                                            .run = &piece->run,
                                            .covered_to = is_sequenced ? UINT32_MAX : 0};
    struct cairn_context *ctx = &machine->replica->ctx;
    enum cairn_outcome outcome;
    uint32_t no;

    cairn_replica_fresh(machine->replica, &machine->err);
    CAIRN_TRY(cairn_context_begin(ctx, CAIRN_TXN_WRITE));
    enum cairn_status status = cairn_apply_run(ctx, &input, &outcome, &no);
    if (status == CAIRN_OK)
        status = cairn_parked_retry(ctx);
    if (status == CAIRN_OK)
        return cairn_explain(&machine->err, cairn_context_commit(ctx));
    cairn_context_abort(ctx);
    return cairn_explain(&machine->err, status);
}

static void log_begin(struct pen *pen, struct machine *machine, uint64_t seed)
{
    pen_begin(pen, &machine->replica->keys, &machine->replica->ctx.network, VILLAGE,
              CAIRN_CHANNEL_RECORDS, &machine->replica->under, 1, seed, &pieces);
    pen_create(pen, (uint32_t)(800 + seed), FIELD_INCOME, 4150);
}

/* Pieces that the station takes in, whatever it thinks of them. */
static void history_write(void)
{
    struct pen gap, waiting, cut, authority;
    struct draft draft;

    log_begin(&own, &station, 1);
    pen_set(&own, 1, FIELD_MEMBERS, 3);
    pen_set(&own, 1, 2, 7); /* no text: without effect */
    pen_basis(&own, &own.under, 1);
    other_branch = own;
    pen_set(&own, 1, FIELD_MEMBERS, 4);
    pen_set(&other_branch, 1, FIELD_MEMBERS, 5); /* a fork */

    log_begin(&gap, &peer, 2);
    late_gap = pieces.count;
    pen_set(&gap, 1, FIELD_MEMBERS, 3);
    pen_set(&gap, 1, FIELD_MEMBERS, 4); /* waits for the one before */

    log_begin(&waiting, &peer, 3);
    struct cairn_head ahead = {.log = gap.id, .size = 9};
    draft_change(&draft, &waiting, 2);
    draft_announce_first(&draft, &ahead);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 8}, FIELD_INCOME, 1, NULL, 0);
    draft_write(&draft, &waiting);
    const struct piece *repeated = piece_at(&pieces, &own.id, 2, 0);
    struct cairn_ref ref = {.log = repeated->log, .index = 2};
    draft_change(&draft, &waiting, 2);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){0, 1}, FIELD_INCOME, 5, NULL, 0);
    cairn_repeats_write(&draft.writer, &ref);
    draft_write(&draft, &waiting);

    log_begin(&cut, &peer, 4);
    struct cairn_head head = pen_head(&cut);
    pen_set(&cut, 1, FIELD_MEMBERS, 9);
    pen_begin(&authority, &office.replica->keys, &office.replica->ctx.network, COUNTY,
              CAIRN_CHANNEL_AUTHORITY, &office.replica->under, 1, 5, &pieces);
    pen_close(&authority, &head);
    head = pen_head(&cut);
    pen_adopt(&authority, &head, 2);
    late_revocation = pieces.count;
    pen_revoke(&authority, &peer.replica->under.grant, NULL, 0);
}

static struct block block_copy(struct cairn_bytes bytes)
{
    struct block block = {malloc(bytes.size), bytes.size};

    assert_non_null(block.data);
    memcpy(block.data, bytes.data, bytes.size);
    return block;
}

static int setup(void **state)
{
    struct cairn_bytes message;

    (void)state;
    memset(&pieces, 0, sizeof pieces);
    machine_init(&root, 1, "root", "51");
    machine_init(&office, 2, "office", NULL);
    machine_init(&server, 3, "server", NULL);
    machine_init(&station, 4, "station", NULL);
    machine_init(&peer, 5, "peer", NULL);
    machine_join(&office, &root, "county", "513332", "C");
    machine_join(&server, &office, "server", "513332", "S");
    machine_join(&station, &office, "station", "513332100201", "A7");
    machine_join(&peer, &office, "station", "513332100201", "A8");
    machine_must(&station, machine_create(&station, "扎西", household));
    machine_sync(&office, &server);
    machine_sync(&station, &server);
    machine_sync(&peer, &server);
    machine_sync(&station, &server);
    machine_must(&station, machine_set(&station, household, "income", "1"));
    machine_must(&peer, machine_set(&peer, household, "income", "2"));
    machine_sync(&peer, &server);
    machine_sync(&station, &server);
    history_write();
    for (size_t i = 0; i < pieces.count; i++)
        if (i != late_gap && i != late_revocation)
            machine_must(&station, apply(&station, &pieces.list[i], false));
    machine_must(&peer, machine_set(&peer, household, "members", "6"));
    bundle = machine_bundle(&peer);
    machine_must(&peer, cairn_sync_begin(peer.replica, &peer.err));
    machine_must(&peer, cairn_sync_request(peer.replica, &message, &peer.err));
    request = block_copy(message);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(bundle.data);
    free(request.data);
    machine_free(&peer);
    machine_free(&station);
    machine_free(&server);
    machine_free(&office);
    machine_free(&root);
    pieces_free(&pieces);
    return 0;
}

/* ---- what is done with it ---- */

static bool ignore_record(void *context, const struct cairn_record *record)
{
    (void)context;
    (void)record;
    return true;
}

static bool ignore_refused(void *context, const struct cairn_refused_item *item)
{
    (void)context;
    (void)item;
    return true;
}

static bool ignore_history(void *context, const struct cairn_history_item *item)
{
    (void)context;
    (void)item;
    return true;
}

static bool ignore_bytes(void *context, struct cairn_bytes bytes)
{
    (void)context;
    (void)bytes;
    return true;
}

static enum cairn_status act_open(void)
{
    machine_off(&station);
    return machine_on(&station);
}

static enum cairn_status act_status(void)
{
    struct cairn_status_report report;

    return cairn_status_get(station.replica, &report, &station.err);
}

static enum cairn_status act_get(void)
{
    const struct cairn_record *record;

    return cairn_get(station.replica, household, &record, &station.err);
}

static enum cairn_status act_list(void)
{
    return cairn_list(station.replica, "household", NULL, 0, ignore_record, NULL, &station.err);
}

static enum cairn_status act_conflicts(void)
{
    return cairn_conflicts(station.replica, ignore_record, NULL, &station.err);
}

static enum cairn_status act_history(void)
{
    return cairn_history(station.replica, household, ignore_history, NULL, &station.err);
}

static enum cairn_status act_refused(void)
{
    return cairn_refused(station.replica, true, ignore_refused, NULL, &station.err);
}

static enum cairn_status act_create(void)
{
    char id[32];

    return machine_create(&station, "卓玛", id);
}

static enum cairn_status act_set(void)
{
    return machine_set(&station, household, "members", "5");
}

static enum cairn_status act_delete(void)
{
    return cairn_delete(station.replica, "household", household, "moved", &station.err);
}

static enum cairn_status act_settle(void)
{
    const char *settled;

    return cairn_settle(station.replica, household, "income", 1, NULL, "seen", &settled,
                        &station.err);
}

static enum cairn_status act_sync_request(void)
{
    struct cairn_bytes message;

    CAIRN_TRY(cairn_sync_begin(station.replica, &station.err));
    return cairn_sync_request(station.replica, &message, &station.err);
}

static enum cairn_status act_serve(void)
{
    const struct cairn_bytes message = {request.data, request.size};
    struct cairn_serve *serve = NULL;
    struct cairn_serve_commit commit;
    struct cairn_bytes reply;

    CAIRN_TRY(cairn_serve_open(server.replica, message, &serve, &server.err));
    enum cairn_status status = cairn_serve_commit(server.replica, &serve, 1, &commit, &server.err);
    if (status == CAIRN_OK)
        status = cairn_serve_reply(server.replica, serve, &reply, &server.err);
    cairn_serve_free(serve);
    return status;
}

static enum cairn_status bundle_write(bool is_full)
{
    struct cairn_bundle_report report;

    return cairn_bundle_write(station.replica, is_full, ignore_bytes, NULL, &report, &station.err);
}

static enum cairn_status act_bundle_write(void)
{
    return bundle_write(false);
}

static enum cairn_status act_bundle_write_full(void)
{
    return bundle_write(true);
}

static enum cairn_status act_bundle_read(void)
{
    return machine_read(&station, bundle);
}

static enum cairn_status act_gap_filled(void)
{
    return apply(&station, &pieces.list[late_gap], false);
}

static enum cairn_status act_revoked(void)
{
    return apply(&station, &pieces.list[late_revocation], false);
}

/* The branch that was second is the one that a server signed: the first is taken out. */
static enum cairn_status act_covered(void)
{
    return apply(&station, piece_at(&pieces, &own.id, 5, 1), true);
}

static enum cairn_status act_rebuild(void)
{
    struct cairn_context *ctx = &station.replica->ctx;

    cairn_replica_fresh(station.replica, &station.err);
    CAIRN_TRY(cairn_context_begin(ctx, CAIRN_TXN_WRITE));
    enum cairn_status status = cairn_force_move(ctx);
    cairn_context_abort(ctx);
    return cairn_explain(&station.err, status);
}

static enum cairn_status act_audit(void)
{
    const struct cairn_audit_visitor nobody = {.context = NULL};
    struct cairn_audit_report report;

    return cairn_audit_replica(station.replica, NULL, &nobody, &report, NULL, &station.err);
}

static const struct act {
    const char *name;
    struct machine *subject;
    enum cairn_status (*run)(void);
    bool keeps; /* what it wrote stays when only its answer failed */
    /* What is parked was never verified: where it reads damaged it is dropped, and comes again from
     * whoever has it. */
    bool drops_parked;
} acts[] = {
    {"open", &station, act_open, false, false},
    {"status", &station, act_status, false, false},
    {"get", &station, act_get, false, false},
    {"list", &station, act_list, false, false},
    {"conflicts", &station, act_conflicts, false, false},
    {"history", &station, act_history, false, false},
    {"refused", &station, act_refused, false, false},
    {"create", &station, act_create, false, false},
    {"set", &station, act_set, false, false},
    {"delete", &station, act_delete, false, false},
    {"settle", &station, act_settle, false, false},
    {"sync request", &station, act_sync_request, false, false},
    {"serve", &server, act_serve, true, false},
    {"bundle write", &station, act_bundle_write, false, false},
    {"bundle write, full", &station, act_bundle_write_full, false, false},
    {"bundle read", &station, act_bundle_read, false, false},
    {"a gap is filled", &station, act_gap_filled, false, true},
    {"its peer is revoked", &station, act_revoked, false, false},
    {"its branch is covered", &station, act_covered, false, false},
    {"rebuild", &station, act_rebuild, false, false},
    {"audit", &station, act_audit, false, false},
};

/* ---- damage ---- */

/* The subject, on, over a copy of that disk and with these ports; damage can come to it or not. */
static void put_back(struct machine *subject, struct cairn_store *disk,
                     const struct fake_ports *ports, bool is_damaged)
{
    struct machine from = {.store = {.inner = disk}};

    machine_off(subject);
    machine_disk_put(subject, machine_disk_copy(&from));
    if (is_damaged) {
        store_damage_init(&damage, subject->store.inner);
        subject->store.inner = &damage.base;
    }
    subject->ports = *ports;
    machine_must(subject, machine_on(subject));
}

/* True when the call read so much. */
static bool damaged_run(const struct act *act, enum store_damage_kind kind, long n,
                        const struct cairn_hash *whole, unsigned tally[CAIRN_STATUS_COUNT])
{
    struct machine *subject = act->subject;
    struct cairn_hash before = machine_disk_hash(subject);

    subject->err.text[0] = '\0';
    store_damage_arm(&damage, n, kind);
    enum cairn_status status = act->run();
    bool is_reached = damage.reads_until_damage < 0;
    store_damage_arm(&damage, -1, kind);
    tally[status]++;
    if (subject->store.txns_open != 0 || subject->store.ranges_open != 0)
        fail_msg("%s, %s %ld: something stays open", act->name, kind_names[kind], n);
    struct cairn_hash after = machine_disk_hash(subject);
    if (status == CAIRN_OK && is_reached && kind != DAMAGE_KEY && !act->drops_parked &&
        !cairn_hash_equal(&after, whole))
        fail_msg("%s, %s %ld: OK, and something else is written", act->name, kind_names[kind], n);
    if (status == CAIRN_OK)
        return is_reached;
    /* A key cut short is that of something else, and what is missing may be missed anywhere. */
    bool is_said = status == CAIRN_CORRUPT || kind == DAMAGE_KEY;
    if (!is_reached || !is_said || subject->err.text[0] == '\0')
        fail_msg("%s, %s %ld: %s \"%s\"", act->name, kind_names[kind], n, cairn_status_name(status),
                 subject->err.text);
    if (!act->keeps && !cairn_hash_equal(&before, &after))
        fail_msg("%s, %s %ld: it failed and the store is changed", act->name, kind_names[kind], n);
    status = act->run();
    if (status != CAIRN_OK)
        fail_msg("%s, %s %ld, again: %s \"%s\"", act->name, kind_names[kind], n,
                 cairn_status_name(status), subject->err.text);
    return true;
}

/* How often the act said CORRUPT. */
static unsigned act_run(const struct act *act, enum store_damage_kind kind)
{
    struct machine *subject = act->subject;
    unsigned tally[CAIRN_STATUS_COUNT] = {0};
    const struct fake_ports ports = subject->ports;
    struct cairn_store *disk = machine_disk_copy(subject);

    put_back(subject, disk, &ports, true);
    store_damage_arm(&damage, -1, kind);
    machine_must(subject, act->run());
    const struct cairn_hash whole = machine_disk_hash(subject);
    for (long n = 0;; n = n < STEADY_READS ? n + 1 : n + n / 10) {
        put_back(subject, disk, &ports, true);
        if (!damaged_run(act, kind, n, &whole, tally))
            break;
    }
    put_back(subject, disk, &ports, false);
    disk->ops->close(disk);
    print_message("%-20s %-12s", act->name, kind_names[kind]);
    for (size_t i = 0; i < CAIRN_STATUS_COUNT; i++)
        if (tally[i] > 0)
            print_message(" %s %u", cairn_status_name((enum cairn_status)i), tally[i]);
    print_message("\n");
    return tally[CAIRN_CORRUPT];
}

static void what_a_store_reads_back_damaged_ends_no_program_and_changes_nothing(void **state)
{
    unsigned seen_by_act[sizeof acts / sizeof acts[0]] = {0};
    unsigned seen_of_kind[DAMAGE_KIND_COUNT] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        for (int kind = 0; kind < DAMAGE_KIND_COUNT; kind++) {
            unsigned seen = act_run(&acts[i], (enum store_damage_kind)kind);
            seen_by_act[i] += seen;
            seen_of_kind[kind] += seen;
        }
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (seen_by_act[i] == 0)
            fail_msg("%s never says that the store is damaged", acts[i].name);
    for (int kind = 0; kind < DAMAGE_KIND_COUNT; kind++)
        if (seen_of_kind[kind] == 0)
            fail_msg("nothing says CORRUPT of what is damaged so: %s", kind_names[kind]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_a_store_reads_back_damaged_ends_no_program_and_changes_nothing, setup, teardown),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
