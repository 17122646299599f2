/* W1 to W5: stations of one village and a real cairn-server, with every byte between them
 * counted. */

#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bundle_edits.h"
#include "device.h"
#include "process.h"
#include "proxy.h"
#include "transport.h"

enum { STATIONS_MAX = 2, IDLE_TIMEOUT_S = 30, EXCHANGES_MAX = 64 };

/* How far the village's story was told; each stage needs the one before it. */
enum stage { STAGE_JOINED, STAGE_W1, STAGE_W2, STAGE_W3, STAGE_W4 };

/* What one sync cost. */
struct cost {
    uint64_t up_bytes, down_bytes; /* on the connection */
    uint64_t body_bytes;           /* of the requests alone */
    uint64_t round_trips;
};

struct village {
    enum stage stage;
    struct device stations[STATIONS_MAX];
    struct households households;
    struct server_process server;
    struct proxy *proxy;
    struct transport *transport;
    char server_store[PATH_MAX];
    struct cost w1, w2, w3, w4;
    size_t w2_count;
};

/* ---- the network --------------------------------------------------------------------------- */

static enum cairn_status devices_make(struct bench *bench, struct village *village,
                                      const char *name, unsigned station_count,
                                      struct cairn_err *err)
{
    static const char *const tags[STATIONS_MAX] = {"A7", "A8"};
    struct device root = {.replica = NULL}, server = {.replica = NULL};

    enum cairn_status status = bench_path(bench, name, village->server_store, err);
    if (status == CAIRN_OK)
        status = device_init(&root, NULL, "Bench root", true, err);
    if (status == CAIRN_OK)
        status = device_init(&server, village->server_store, "Bench server", false, err);
    if (status == CAIRN_OK)
        status = device_join_server(&root, &server, err);
    for (unsigned i = 0; status == CAIRN_OK && i < station_count; i++) {
        status = device_init(&village->stations[i], NULL, "Bench village 1", false, err);
        if (status == CAIRN_OK)
            status = device_join_station(&root, &village->stations[i], 0, tags[i], err);
    }
    device_close(&server); /* the real one takes its store over */
    device_close(&root);   /* offline from here on, as roots are */
    return status;
}

static enum cairn_status village_open(struct bench *bench, const char *name, unsigned station_count,
                                      struct village **out_village, struct cairn_err *err)
{
    struct village *village = calloc(1, sizeof *village);

    if (village == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    enum cairn_status status = devices_make(bench, village, name, station_count, err);
    if (status == CAIRN_OK)
        status = server_process_start(bench, village->server_store, &village->server, err);
    if (status == CAIRN_OK)
        status = proxy_start(village->server.port, &village->proxy, err);
    if (status == CAIRN_OK)
        status = transport_open(proxy_address(village->proxy), &village->transport, err);
    if (status != CAIRN_OK)
        village_free(village);
    else
        *out_village = village;
    return status;
}

static enum cairn_status server_stop(struct village *village, struct cairn_err *err)
{
    transport_close(village->transport);
    village->transport = NULL;
    proxy_stop(village->proxy);
    village->proxy = NULL;
    return server_process_stop(&village->server, err);
}

void village_free(struct village *village)
{
    if (village == NULL)
        return;
    (void)server_stop(village, NULL);
    for (size_t i = 0; i < STATIONS_MAX; i++)
        device_close(&village->stations[i]);
    households_release(&village->households);
    free(village);
}

/* ---- one sync ------------------------------------------------------------------------------ */

static enum cairn_status exchange(struct village *village, struct cairn_replica *replica,
                                  uint64_t *body_bytes, bool *out_again, struct cairn_err *err)
{
    struct cairn_bytes request, reply;

    enum cairn_status status = cairn_sync_request(replica, &request, err);
    if (status != CAIRN_OK)
        return status;
    *body_bytes += request.size;
    status = transport_exchange(village->transport, request, IDLE_TIMEOUT_S, &reply, err);
    if (status == CAIRN_OK)
        status = cairn_sync_reply(replica, reply, out_again, err);
    return status;
}

/* Sync as `cairn sync` does, until nothing more waits; everything sent must be received. */
static enum cairn_status village_sync(struct village *village, unsigned station,
                                      struct cost *out_cost, struct cairn_err *err)
{
    struct cairn_replica *replica = village->stations[station].replica;
    struct proxy_count before = proxy_count(village->proxy);
    struct cost cost = {0};
    bool again = true;

    enum cairn_status status = cairn_sync_begin(replica, err);
    for (int i = 0; status == CAIRN_OK && again; i++) {
        status = i == EXCHANGES_MAX
                     ? cairn_fail(err, CAIRN_LIMIT, "the station asks again and again")
                     : exchange(village, replica, &cost.body_bytes, &again, err);
    }
    if (status != CAIRN_OK)
        return status;
    struct proxy_count after = proxy_count(village->proxy);
    cost.up_bytes = after.up_bytes - before.up_bytes;
    cost.down_bytes = after.down_bytes - before.down_bytes;
    cost.round_trips = after.turns - before.turns;
    if (cairn_sync_report(replica)->waiting_count > 0)
        return cairn_fail(err, CAIRN_REFUSED, "the sync ended and edits still wait");
    *out_cost = cost;
    return CAIRN_OK;
}

static uint64_t both_ways(const struct cost *cost)
{
    return cost->up_bytes + cost->down_bytes;
}

/* ---- W1 to W4 ------------------------------------------------------------------------------ */

static enum cairn_status run_w1(const struct bench *bench, struct village *village,
                                struct cairn_err *err)
{
    struct workload w1;

    enum cairn_status status = workload_load(bench->workload, "W1.jsonl", &w1, err);
    if (status != CAIRN_OK)
        return status;
    if (w1.count > VILLAGE_HOUSEHOLDS)
        status =
            cairn_fail(err, CAIRN_BAD_INPUT, "W1.jsonl has %zu households: too many", w1.count);
    else
        status = device_create(&village->stations[0], w1.operations, w1.count, &village->households,
                               err);
    workload_release(&w1);
    if (status == CAIRN_OK)
        status = village_sync(village, 0, &village->w1, err);
    return status;
}

static enum cairn_status run_w2(const struct bench *bench, struct village *village,
                                struct cairn_err *err)
{
    struct workload w2;

    enum cairn_status status = workload_load(bench->workload, "W2.jsonl", &w2, err);
    if (status != CAIRN_OK)
        return status;
    village->w2_count = w2.count;
    for (size_t i = 0; status == CAIRN_OK && i < w2.count; i++)
        status = device_edit(&village->stations[0], &w2.operations[i], &village->households, err);
    workload_release(&w2);
    if (status == CAIRN_OK)
        status = village_sync(village, 0, &village->w2, err);
    return status;
}

static enum cairn_status run_w4(const struct bench *bench, struct village *village,
                                struct cairn_err *err)
{
    struct workload w4;

    enum cairn_status status = workload_load(bench->workload, "W4.jsonl", &w4, err);
    if (status != CAIRN_OK)
        return status;
    for (size_t i = 0; status == CAIRN_OK && i < w4.count; i++) {
        struct cost cost;
        status = device_edit(&village->stations[0], &w4.operations[i], &village->households, err);
        if (status == CAIRN_OK)
            status = village_sync(village, 0, &cost, err);
        if (status == CAIRN_OK && both_ways(&cost) > both_ways(&village->w4))
            village->w4 = cost;
    }
    workload_release(&w4);
    return status;
}

static enum cairn_status stage_run(const struct bench *bench, struct village *village,
                                   enum stage stage, struct cairn_err *err)
{
    switch (stage) {
    case STAGE_JOINED:
        return CAIRN_OK;
    case STAGE_W1:
        return run_w1(bench, village, err);
    case STAGE_W2:
        return run_w2(bench, village, err);
    case STAGE_W3:
        return village_sync(village, 0, &village->w3, err);
    case STAGE_W4:
        return run_w4(bench, village, err);
    }
    return CAIRN_BAD_INPUT;
}

/* The run's village, with its story told at least to `stage`. */
static enum cairn_status village_get(struct bench *bench, enum stage stage,
                                     const struct village **out_village, struct cairn_err *err)
{
    enum cairn_status status = CAIRN_OK;

    if (bench->has_village_failed)
        return cairn_fail(err, CAIRN_IO, "the village failed before");
    if (bench->village == NULL)
        status = village_open(bench, "village", 1, &bench->village, err);
    while (status == CAIRN_OK && bench->village->stage < stage) {
        status = stage_run(bench, bench->village, bench->village->stage + 1, err);
        if (status == CAIRN_OK)
            bench->village->stage++;
    }
    bench->has_village_failed = status != CAIRN_OK;
    if (status == CAIRN_OK)
        *out_village = bench->village;
    return status;
}

/* ---- figures of W1 to W4 ------------------------------------------------------------------- */

enum cairn_status figure_w1_bytes(struct bench *bench, struct figure_value *out_value,
                                  struct cairn_err *err)
{
    const struct village *village = NULL;

    enum cairn_status status = village_get(bench, STAGE_W1, &village, err);
    if (status == CAIRN_OK)
        out_value->value = (double)both_ways(&village->w1);
    return status;
}

enum cairn_status figure_w2_bytes(struct bench *bench, struct figure_value *out_value,
                                  struct cairn_err *err)
{
    const struct village *village = NULL;

    enum cairn_status status = village_get(bench, STAGE_W2, &village, err);
    if (status == CAIRN_OK)
        out_value->value = (double)both_ways(&village->w2);
    return status;
}

enum cairn_status figure_w2_up_bytes(struct bench *bench, struct figure_value *out_value,
                                     struct cairn_err *err)
{
    const struct village *village = NULL;

    enum cairn_status status = village_get(bench, STAGE_W2, &village, err);
    if (status == CAIRN_OK)
        out_value->value = (double)village->w2.body_bytes;
    return status;
}

enum cairn_status figure_w2_round_trips(struct bench *bench, struct figure_value *out_value,
                                        struct cairn_err *err)
{
    const struct village *village = NULL;

    enum cairn_status status = village_get(bench, STAGE_W2, &village, err);
    if (status == CAIRN_OK)
        out_value->value = (double)village->w2.round_trips;
    return status;
}

enum cairn_status figure_edit_bytes(struct bench *bench, struct figure_value *out_value,
                                    struct cairn_err *err)
{
    const struct village *village = NULL;
    struct bundle_edits edits;

    enum cairn_status status = village_get(bench, STAGE_W2, &village, err);
    if (status == CAIRN_OK)
        status = bundle_edits_read(village->stations[0].replica, village->w2_count, &edits, err);
    if (status == CAIRN_OK)
        out_value->value =
            (double)(edits.leaf_bytes - edits.value_bytes) / (double)village->w2_count;
    return status;
}

enum cairn_status figure_w3_bytes(struct bench *bench, struct figure_value *out_value,
                                  struct cairn_err *err)
{
    const struct village *village = NULL;

    enum cairn_status status = village_get(bench, STAGE_W3, &village, err);
    if (status == CAIRN_OK)
        out_value->value = (double)both_ways(&village->w3);
    return status;
}

enum cairn_status figure_w4_bytes(struct bench *bench, struct figure_value *out_value,
                                  struct cairn_err *err)
{
    const struct village *village = NULL;

    enum cairn_status status = village_get(bench, STAGE_W4, &village, err);
    if (status == CAIRN_OK)
        out_value->value = (double)both_ways(&village->w4);
    return status;
}

/* ---- W5 ------------------------------------------------------------------------------------ */

/* What the replicas list as conflicts, held against what the two stations wrote. */
struct conflicts {
    const struct village *village;
    const struct workload *w5;
    size_t kept, other; /* at one replica */
    size_t kept_min, other_sum;
};

static bool has_version(const struct cairn_field_state *field, const char *value)
{
    for (size_t i = 0; i < field->version_count; i++)
        if (field->versions[i].value != NULL && strcmp(field->versions[i].value, value) == 0)
            return true;
    return false;
}

/* True when both stations set this field and both their values, and no third, are there. */
static bool is_kept(const struct conflicts *conflicts, const struct cairn_record *record,
                    const struct cairn_field_state *field)
{
    size_t found = 0;

    for (size_t i = 0; i < conflicts->w5->count; i++) {
        const struct operation *operation = &conflicts->w5->operations[i];
        const struct household *household =
            households_find(&conflicts->village->households, operation->household);
        if (operation->is_same && household != NULL && strcmp(household->id, record->id) == 0 &&
            strcmp(operation->fields[0].name, field->name) == 0)
            found += has_version(field, operation->fields[0].value);
    }
    return found == STATIONS_MAX && field->version_count == STATIONS_MAX;
}

static bool on_conflict(void *context, const struct cairn_record *record)
{
    struct conflicts *conflicts = context;

    for (size_t i = 0; i < record->field_count; i++) {
        if (record->fields[i].version_count < 2)
            continue;
        if (is_kept(conflicts, record, &record->fields[i]))
            conflicts->kept++;
        else
            conflicts->other++;
    }
    return true;
}

static enum cairn_status replica_look(struct conflicts *conflicts, struct cairn_replica *replica,
                                      struct cairn_err *err)
{
    conflicts->kept = conflicts->other = 0;
    enum cairn_status status = cairn_conflicts(replica, on_conflict, conflicts, err);
    if (status != CAIRN_OK)
        return status;
    if (conflicts->kept < conflicts->kept_min)
        conflicts->kept_min = conflicts->kept;
    conflicts->other_sum += conflicts->other;
    return CAIRN_OK;
}

static enum cairn_status w5_edit_and_sync(struct village *village, const struct workload *w5,
                                          struct cairn_err *err)
{
    static const unsigned order[] = {0, 1, 0}; /* the first one comes back for the other's edits */
    enum cairn_status status = CAIRN_OK;
    struct cost cost;

    for (size_t i = 0; status == CAIRN_OK && i < w5->count; i++) {
        const struct operation *operation = &w5->operations[i];
        status = operation->station < STATIONS_MAX
                     ? device_edit(&village->stations[operation->station], operation,
                                   &village->households, err)
                     : cairn_fail(err, CAIRN_BAD_INPUT, "W5.jsonl has more than two stations");
    }
    for (size_t i = 0; status == CAIRN_OK && i < sizeof order / sizeof order[0]; i++)
        status = village_sync(village, order[i], &cost, err);
    return status;
}

static enum cairn_status w5_look(struct village *village, const struct workload *w5,
                                 struct conflicts *out_conflicts, struct cairn_err *err)
{
    struct conflicts conflicts = {.village = village, .w5 = w5, .kept_min = SIZE_MAX};
    const struct cairn_replica_config config = {.path = village->server_store};
    struct cairn_replica *server = NULL;
    enum cairn_status status = CAIRN_OK;

    for (unsigned i = 0; status == CAIRN_OK && i < STATIONS_MAX; i++)
        status = replica_look(&conflicts, village->stations[i].replica, err);
    if (status == CAIRN_OK)
        status = server_stop(village, err);
    if (status == CAIRN_OK)
        status = cairn_replica_open(&config, &server, err);
    if (status == CAIRN_OK)
        status = replica_look(&conflicts, server, err);
    cairn_replica_close(server);
    if (status == CAIRN_OK)
        *out_conflicts = conflicts;
    return status;
}

static enum cairn_status w5_run(struct bench *bench, const char *name,
                                struct conflicts *out_conflicts, struct cairn_err *err)
{
    struct village *village = NULL;
    struct workload w5;
    struct cost cost;

    enum cairn_status status = workload_load(bench->workload, "W5.jsonl", &w5, err);
    if (status != CAIRN_OK)
        return status;
    status = village_open(bench, name, STATIONS_MAX, &village, err);
    if (status == CAIRN_OK)
        status = run_w1(bench, village, err);
    if (status == CAIRN_OK)
        status = village_sync(village, 1, &cost, err);
    if (status == CAIRN_OK)
        status = w5_edit_and_sync(village, &w5, err);
    if (status == CAIRN_OK)
        status = w5_look(village, &w5, out_conflicts, err);
    village_free(village);
    workload_release(&w5);
    return status;
}

enum cairn_status figure_w5_conflicts(struct bench *bench, struct figure_value *out_value,
                                      struct cairn_err *err)
{
    struct conflicts conflicts;

    enum cairn_status status = w5_run(bench, "kept", &conflicts, err);
    if (status == CAIRN_OK)
        out_value->value = (double)conflicts.kept_min;
    return status;
}

enum cairn_status figure_w5_other_conflicts(struct bench *bench, struct figure_value *out_value,
                                            struct cairn_err *err)
{
    struct conflicts conflicts;

    enum cairn_status status = w5_run(bench, "other", &conflicts, err);
    if (status == CAIRN_OK)
        out_value->value = (double)conflicts.other_sum;
    return status;
}
