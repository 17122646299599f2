#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cairn/grant.h"
#include "fault_net.h"
#include "replica_internal.h"
#include "schema_edit.h"

#define FIELD_HEAD 2
#define FIELD_INCOME 6
#define FIELD_OF_VERSION_2 60
#define NUMBER_BY_HAND 900

struct fault_net net;

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
    machine_init(&net.root, 1, "root", "51");
    machine_init(&net.office, 2, "office", NULL);
    machine_init(&net.server, 3, "server", NULL);
    machine_init(&net.station, 4, "station", NULL);
    machine_init(&net.peer, 5, "peer", NULL);
    machine_init(&net.guest, 6, "guest", NULL);
    machine_blank(&net.newcomer, 7);
    machine_join(&net.office, &net.root, "county", "513332", "C");
    machine_join(&net.server, &net.office, "server", "513332", "S");
    machine_join(&net.station, &net.office, "station", FAULT_VILLAGE, "A7");
    machine_join(&net.peer, &net.office, "station", FAULT_VILLAGE, "A8");
    machine_must(&net.station, machine_create(&net.station, "扎西", net.household));
    machine_sync(&net.office, &net.server);
    machine_sync(&net.station, &net.server);
    machine_sync(&net.peer, &net.server);
    machine_sync(&net.station, &net.server);
    net.message = net.other = net.statement = (struct block){NULL, 0};
}

void fault_cases_close(void)
{
    fault_cases_drop();
    free(net.message.data);
    free(net.other.data);
    free(net.statement.data);
    machine_free(&net.newcomer);
    machine_free(&net.guest);
    machine_free(&net.peer);
    machine_free(&net.station);
    machine_free(&net.server);
    machine_free(&net.office);
    machine_free(&net.root);
}

void fault_cases_drop(void)
{
    cairn_serve_free(net.serve);
    net.serve = NULL;
}

struct cairn_bytes fault_bytes(struct block block)
{
    return (struct cairn_bytes){block.data, block.size};
}

static uint64_t given;

void fault_gave(uint64_t number)
{
    given = (given ^ number) * UINT64_C(1099511628211) + 1;
}

void fault_gave_text(const char *text)
{
    fault_gave(text == NULL);
    for (; text != NULL && *text != '\0'; text++)
        fault_gave((uint8_t)*text);
}

uint64_t fault_given(void)
{
    return given;
}

void fault_given_drop(void)
{
    given = 0;
}

void fault_message_put(struct block message)
{
    free(net.message.data);
    net.message = message;
}

/* ---- who has not met ---- */

void fault_conflict(void)
{
    machine_must(&net.station, machine_set(&net.station, net.household, "income", "1"));
    machine_must(&net.peer, machine_set(&net.peer, net.household, "income", "2"));
    machine_sync(&net.peer, &net.server);
    machine_sync(&net.station, &net.server);
    assert_int_equal(machine_status(&net.station).conflict_count, 1);
}

void fault_both_edit(void)
{
    machine_must(&net.peer, machine_set(&net.peer, net.household, "income", "7"));
    machine_sync(&net.peer, &net.server);
    machine_must(&net.station, machine_set(&net.station, net.household, "members", "7"));
}

/* ---- a record with everything in it ---- */

static bool rich_keep(void *context, const struct cairn_record *record)
{
    (void)context;
    if (strncmp(record->id, "A7-0900", 7) == 0)
        memcpy(net.rich, record->id, sizeof net.rich);
    return true;
}

/* By hand, in another log of the station: a household, an entry on it that has no effect, and one
 * that waits for a schema. */
static void rich_begin(void)
{
    struct cairn_replica *replica = net.station.replica;
    struct pieces pieces = {.count = 0};
    struct pen own;

    pen_begin(&own, &replica->keys, &replica->ctx.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &replica->under, 1, 77, &pieces);
    pen_create(&own, NUMBER_BY_HAND, FIELD_INCOME, 4150);
    pen_set(&own, 1, FIELD_HEAD, 7); /* no text */
    pen_set(&own, 1, FIELD_OF_VERSION_2, 3);
    machine_take(&net.station, &pieces, 0);
    pieces_free(&pieces);
    machine_must(&net.station,
                 cairn_list(replica, "household", NULL, 0, rich_keep, NULL, &net.station.err));
}

void fault_rich(void)
{
    const struct cairn_field_value name = {"name", "十户"};
    const struct cairn_field_value fields[] = {
        {"head", "扎西"},     {"measures", "生产就业|低保兜底"}, {"points", "5"},  {"id", "900001"},
        {"group", net.group}, {"ind", "110000000000"},           {"cause", "因病"}};
    const struct cairn_put puts[] = {{.type = "group", .fields = &name, .field_count = 1},
                                     {.type = "household",
                                      .id = net.rich,
                                      .fields = fields,
                                      .field_count = 7,
                                      .reason = "visit"}};
    struct cairn_put_result result;

    rich_begin();
    for (size_t i = 0; i < 2; i++) {
        machine_must(&net.station, cairn_put_many(net.station.replica, &puts[i], 1, &result, NULL,
                                                  &net.station.err));
        if (i == 0)
            memcpy(net.group, result.id, sizeof net.group);
    }
    machine_must(&net.station, cairn_same(net.station.replica, net.rich, net.household,
                                          "one family", &net.station.err));
    machine_sync(&net.station, &net.server);
    machine_sync(&net.peer, &net.server);
    machine_must(&net.station, machine_set(&net.station, net.rich, "income", "4100"));
    machine_must(&net.peer, machine_set(&net.peer, net.rich, "income", "4300"));
    machine_must(&net.station, fault_step(&net.station, net.rich, "register", 0));
    machine_must(&net.peer, fault_step(&net.peer, net.rich, "register", 0));
    machine_must(&net.station, machine_set(&net.station, net.household, "members", "3"));
    machine_must(&net.peer, machine_set(&net.peer, net.household, "land", "7"));
    machine_sync(&net.peer, &net.server);
    machine_sync(&net.station, &net.server);
}

/* ---- what waits for something else ---- */

static void pen_household(struct pen *pen, uint32_t number)
{
    pen_create(pen, number, FIELD_INCOME, 4150);
}

static void pen_of(struct pen *pen, struct machine *machine, uint64_t schema_version, uint64_t seed,
                   struct pieces *pieces)
{
    struct cairn_replica *replica = machine->replica;

    pen_begin(pen, &replica->keys, &replica->ctx.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &replica->under, schema_version, seed, pieces);
}

void fault_wait_for_grant(struct machine *machine)
{
    struct pieces pieces = {.count = 0};
    struct draft draft;
    struct pen guest, peer;

    machine_join(&net.guest, &net.office, "station", FAULT_VILLAGE, "A9");
    pen_of(&guest, &net.guest, 1, 81, &pieces);
    pen_household(&guest, 1);
    pen_of(&peer, &net.peer, 1, 82, &pieces);
    const struct cairn_head head = pen_head(&guest);
    draft_change(&draft, &peer, 2);
    draft_announce_first(&draft, &head);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, FIELD_INCOME, 4200, NULL, 0);
    draft_write(&draft, &peer);
    machine_take(machine, &pieces, 0);
    pieces_free(&pieces);
    assert_int_equal(machine_status(machine).parked_count, 2);
    assert_int_equal(machine_status(machine).record_count, 1);
}

void fault_wait_for_schema(struct machine *machine)
{
    struct pieces pieces = {.count = 0};
    struct pen peer;

    pen_of(&peer, &net.peer, 1, 83, &pieces);
    pen_household(&peer, NUMBER_BY_HAND);
    pen_basis(&peer, &net.peer.replica->under, 2);
    pen_set(&peer, 1, FIELD_OF_VERSION_2, 3);
    machine_take(machine, &pieces, 0);
    pieces_free(&pieces);
    assert_true(machine_status(machine).parked_count > 0);
    fault_publish();
    fault_carry(&net.root, &net.office);
}

void fault_carry(struct machine *from, struct machine *to)
{
    struct block bundle = machine_bundle(from);

    machine_must(to, machine_read(to, bundle));
    free(bundle.data);
}

void fault_peer_to_station(void)
{
    fault_carry(&net.peer, &net.station);
}

/* ---- who is new ---- */

void fault_first(void)
{
    static const char *const villages[] = {"513332100202", "513332100203"};
    const struct cairn_field_value head = {"head", "达娃"};
    struct cairn_put_result result;

    fault_rich();
    for (size_t i = 0; i < 2; i++) {
        const struct cairn_put put = {
            .type = "household", .scope = villages[i], .fields = &head, .field_count = 1};
        machine_must(&net.office,
                     cairn_put_many(net.office.replica, &put, 1, &result, NULL, &net.office.err));
    }
    machine_join(&net.guest, &net.office, "township", "513332100", "T");
    machine_sync(&net.office, &net.server);
}

void fault_expect_first(void)
{
    assert_int_equal(machine_status(&net.guest).record_count, 5);
}

/* ---- who is shut out ---- */

struct decree {
    struct cairn_writer writer;
    uint8_t bytes[1024];
};

/* One authority entry of the office, written as core writes its own. */
static enum cairn_status decree_apply(struct cairn_replica *office, void *context)
{
    const struct decree *decree = context;
    struct cairn_author author = cairn_replica_author(office);
    struct cairn_log log;

    CAIRN_TRY(cairn_own_log(&office->ctx, &author, (struct cairn_scope){COUNTY},
                            CAIRN_CHANNEL_AUTHORITY, &log));
    return cairn_apply_own(&office->ctx, &author, &log, cairn_writer_bytes(&decree->writer), 1);
}

static void decree_write(struct decree *decree)
{
    assert_false(decree->writer.overflowed);
    machine_must(&net.office,
                 cairn_replica_write(net.office.replica, decree_apply, decree, &net.office.err));
}

/* The peer's log of records as the office holds it, with its root at `size`; 0: all of it. */
static struct cairn_head peer_head(uint32_t size)
{
    struct cairn_context *own = &net.peer.replica->ctx, *ctx = &net.office.replica->ctx;
    struct cairn_author author = cairn_replica_author(net.peer.replica);
    struct cairn_log log;
    struct cairn_head head;

    machine_must(&net.peer, cairn_context_begin(own, CAIRN_TXN_READ));
    machine_must(&net.peer, cairn_own_log_find(own, &author, (struct cairn_scope){VILLAGE},
                                               CAIRN_CHANNEL_RECORDS, &log));
    cairn_context_abort(own);
    head.log = log.id;
    machine_must(&net.office, cairn_context_begin(ctx, CAIRN_TXN_READ));
    machine_must(&net.office, cairn_log_find(ctx, &head.log, &log));
    head.size = size == 0 ? cairn_log_size(&log) : size;
    machine_must(&net.office, cairn_log_root_at(ctx, &log, head.size, &head.root));
    cairn_context_abort(ctx);
    return head;
}

void fault_peer_work(void)
{
    char id[32];

    machine_must(&net.peer, machine_create(&net.peer, "次仁", id));
    machine_must(&net.peer, machine_set(&net.peer, net.household, "income", "7"));
    machine_sync(&net.peer, &net.server);
    machine_sync(&net.station, &net.server);
    machine_sync(&net.office, &net.server);
    assert_int_equal(machine_status(&net.office).record_count, 2);
}

void fault_revoke(void)
{
    const struct cairn_head cut = peer_head(1);
    struct decree decree;

    cairn_writer_init(&decree.writer, decree.bytes, sizeof decree.bytes);
    cairn_revocation_write(&decree.writer, PEN_TIME, &net.office.replica->under,
                           &net.peer.replica->under.grant, &cut, 1);
    decree_write(&decree);
    assert_int_equal(machine_status(&net.office).record_count, 1);
}

void fault_adopt(void)
{
    const struct cairn_head head = peer_head(0);
    const struct cairn_adopt adopt = {.under = net.office.replica->under,
                                      .log = head.log,
                                      .from = 1,
                                      .to = head.size,
                                      .root = head.root};
    struct decree decree;

    cairn_writer_init(&decree.writer, decree.bytes, sizeof decree.bytes);
    cairn_adopt_write(&decree.writer, PEN_TIME, &adopt);
    decree_write(&decree);
    assert_int_equal(machine_status(&net.office).record_count, 2);
}

/* ---- who went back ---- */

void fault_fork(void (*between)(void))
{
    machine_must(&net.peer, machine_set(&net.peer, net.household, "members", "2"));
    machine_sync(&net.peer, &net.server);
    machine_sync(&net.station, &net.server);
    machine_off(&net.peer);
    struct cairn_store *older = machine_disk_copy(&net.peer);
    struct fake_ports ports = net.peer.ports; /* the mark goes back with the store */
    machine_must(&net.peer, machine_on(&net.peer));
    machine_must(&net.peer, machine_set(&net.peer, net.household, "income", "7"));
    between();
    machine_off(&net.peer);
    machine_disk_put(&net.peer, older);
    net.peer.ports = ports;
    machine_must(&net.peer, machine_on(&net.peer));
    assert_false(cairn_replica_was_restored(net.peer.replica));
    machine_must(&net.peer, machine_set(&net.peer, net.household, "income", "8"));
}

void fault_restore(bool syncs)
{
    static const struct cairn_field_value points = {"points", "4"},
                                          measure = {"measures", "医疗救助"};
    static const enum cairn_put_operation add = CAIRN_PUT_ADD;
    const struct cairn_put puts[] = {{.type = "household",
                                      .id = net.rich,
                                      .fields = &points,
                                      .field_count = 1,
                                      .operations = &add},
                                     {.type = "household",
                                      .id = net.rich,
                                      .fields = &measure,
                                      .field_count = 1,
                                      .operations = &add}};
    struct cairn_put_result results[2];
    char id[32];

    machine_must(&net.station, machine_create(&net.station, "卓玛", id));
    machine_must(&net.station, fault_step(&net.station, id, "register", 0));
    machine_must(&net.station,
                 cairn_same(net.station.replica, id, net.household, NULL, &net.station.err));
    machine_must(&net.station, machine_set(&net.station, net.rich, "head", "达娃"));
    machine_must(&net.station,
                 cairn_put_many(net.station.replica, puts, 2, results, NULL, &net.station.err));
    machine_must(&net.station, cairn_delete(net.station.replica, "household", net.household,
                                            "moved", &net.station.err));
    struct cairn_store *older = machine_disk_copy(&net.station);
    machine_must(&net.station, machine_create(&net.station, "次仁", id));
    if (syncs)
        machine_sync(&net.station, &net.server);
    else
        fault_carry(&net.station, &net.peer);
    machine_off(&net.station);
    machine_disk_put(&net.station, older);
}

void fault_expect_restored(void)
{
    assert_int_equal(machine_status(&net.station).record_count, 4);
    assert_int_equal(machine_status(&net.station).conflict_count, 1);
}

void fault_expect_records(struct machine *machine, uint64_t count)
{
    struct cairn_status_report report = machine_status(machine);

    assert_int_equal(report.record_count, count);
    assert_int_equal(report.parked_count, 0);
}
