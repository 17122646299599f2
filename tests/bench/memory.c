/* Anonymous memory. A process that made the store would still hold what making it took; so the
 * store is opened by a fresh one, which is this program called with a --probe option. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "measure.h"
#include "process.h"
#include "serve.h"

enum {
    STATIONS = 1360,
    STATION_HOUSEHOLDS = 33, /* 45,000 households in 1,360 villages */
    TAG_BYTES = 8,
    MESSAGE_BYTES_MAX = 65535,
};

/* ---- stores and requests ------------------------------------------------------------------- */

/* A group of stations: they join, bring their households, and each leaves one request with one
 * edit in `requests`, for the process that is measured. */
struct crowd {
    struct device stations[SERVE_GROUP_MAX];
    struct households households[SERVE_GROUP_MAX];
    size_t count;
};

static enum cairn_status station_make(struct device *root, struct crowd *crowd, unsigned number,
                                      struct cairn_err *err)
{
    struct operation operations[STATION_HOUSEHOLDS];
    struct device *station = &crowd->stations[crowd->count];
    char tag[TAG_BYTES];

    snprintf(tag, sizeof tag, "%04u", number % 10000);
    enum cairn_status status = device_init(station, NULL, tag, false, err);
    if (status != CAIRN_OK)
        return status;
    struct households *households = &crowd->households[crowd->count++];
    status = device_join_station(root, station, number, tag, err);
    if (status != CAIRN_OK)
        return status;
    workload_village(number, operations, STATION_HOUSEHOLDS);
    return device_create(station, operations, STATION_HOUSEHOLDS, households, err);
}

static enum cairn_status request_save(struct device *station, const struct households *households,
                                      FILE *requests, struct cairn_err *err)
{
    struct operation edit = {.time_s = WORKLOAD_START_S, .field_count = 1};
    struct cairn_bytes request;

    edit.fields[0].name = "income";
    snprintf(edit.fields[0].value, sizeof edit.fields[0].value, "20000");
    memcpy(edit.household, households->items[0].household, sizeof edit.household);
    enum cairn_status status = device_edit(station, &edit, households, err);
    if (status == CAIRN_OK)
        status = cairn_sync_begin(station->replica, err);
    if (status == CAIRN_OK)
        status = cairn_sync_request(station->replica, &request, err);
    if (status != CAIRN_OK)
        return status;
    if (fwrite(&request.size, sizeof request.size, 1, requests) != 1 ||
        fwrite(request.data, request.size, 1, requests) != 1)
        return cairn_fail(err, CAIRN_IO, "a request cannot be kept: %s", strerror(errno));
    return CAIRN_OK;
}

static enum cairn_status crowd_run(struct device *root, struct device *server, unsigned first,
                                   FILE *requests, struct cairn_err *err)
{
    struct crowd crowd = {.count = 0};
    struct serve_meter unused = {0};
    enum cairn_status status = CAIRN_OK;

    for (unsigned i = first; status == CAIRN_OK && i < first + SERVE_GROUP_MAX && i < STATIONS; i++)
        status = station_make(root, &crowd, i, err);
    if (status == CAIRN_OK)
        status = serve_stations(server->replica, crowd.stations, crowd.count, &unused, err);
    for (size_t i = 0; status == CAIRN_OK && i < crowd.count; i++)
        status = request_save(&crowd.stations[i], &crowd.households[i], requests, err);
    for (size_t i = 0; i < crowd.count; i++) {
        device_close(&crowd.stations[i]);
        households_release(&crowd.households[i]);
    }
    return status;
}

static enum cairn_status prefecture_make(const char *store, FILE *requests, struct cairn_err *err)
{
    struct device root = {.replica = NULL}, server = {.replica = NULL};

    enum cairn_status status = device_init(&root, NULL, "Bench root", true, err);
    if (status == CAIRN_OK)
        status = device_init(&server, store, "Bench server", false, err);
    if (status == CAIRN_OK)
        status = device_join_server(&root, &server, err);
    for (unsigned i = 0; status == CAIRN_OK && i < STATIONS; i += SERVE_GROUP_MAX)
        status = crowd_run(&root, &server, i, requests, err);
    device_close(&server);
    device_close(&root);
    return status;
}

/* ---- figures ------------------------------------------------------------------------------- */

static enum cairn_status probe_ask(const struct bench *bench, const char *const *arguments,
                                   struct figure_value *out_value, struct cairn_err *err)
{
    uint64_t anon_kib = 0;

    enum cairn_status status = process_ask(bench, arguments, &anon_kib, err);
    if (status == CAIRN_OK)
        out_value->value = (double)anon_kib / 1024;
    return status;
}

enum cairn_status figure_station_anon(struct bench *bench, struct figure_value *out_value,
                                      struct cairn_err *err)
{
    const struct county *county = NULL;

    enum cairn_status status = county_get(bench, &county, err);
    if (status != CAIRN_OK)
        return status;
    const char *const arguments[] = {"--probe-station", county->store, NULL};
    return probe_ask(bench, arguments, out_value, err);
}

enum cairn_status figure_server_anon(struct bench *bench, struct figure_value *out_value,
                                     struct cairn_err *err)
{
    char store[PATH_MAX], path[PATH_MAX];
    const char *const arguments[] = {"--probe-server", store, path, NULL};

    enum cairn_status status = bench_path(bench, "prefecture", store, err);
    if (status == CAIRN_OK)
        status = bench_path(bench, "prefecture.requests", path, err);
    if (status != CAIRN_OK)
        return status;
    FILE *requests = fopen(path, "we");
    if (requests == NULL)
        return cairn_fail(err, CAIRN_IO, "%s: %s", path, strerror(errno));
    status = prefecture_make(store, requests, err);
    if (fclose(requests) != 0 && status == CAIRN_OK)
        status = cairn_fail(err, CAIRN_IO, "%s: %s", path, strerror(errno));
    if (status == CAIRN_OK)
        status = probe_ask(bench, arguments, out_value, err);
    return status;
}

/* ---- in the measured process --------------------------------------------------------------- */

/* Every value is looked at, so that every page was. */
static bool on_record(void *context, const struct cairn_record *record)
{
    uint64_t *values = context;

    for (size_t i = 0; i < record->field_count; i++)
        *values += record->fields[i].versions[0].value != NULL &&
                   record->fields[i].versions[0].tag[0] != '\0'; /* a new record's state */
    return true;
}

static enum cairn_status scan(struct cairn_replica *replica, uint64_t households,
                              struct cairn_err *err)
{
    uint64_t values = 0;

    enum cairn_status status = cairn_list(replica, "household", NULL, 0, on_record, &values, err);
    if (status == CAIRN_OK && values != households * WORKLOAD_FIELDS_MAX)
        status = cairn_fail(err, CAIRN_CORRUPT, "the scan saw %" PRIu64 " values of %" PRIu64,
                            values, households * WORKLOAD_FIELDS_MAX);
    return status;
}

/* Requests of one group, in one buffer that is never freed for another: the kernel gives only the
 * pages that were written. */
static size_t requests_read(FILE *file, struct serve_item *items, uint8_t *room)
{
    size_t count = 0, used = 0, size;

    while (count < SERVE_GROUP_MAX && fread(&size, sizeof size, 1, file) == 1) {
        if (size > MESSAGE_BYTES_MAX || fread(room + used, size, 1, file) != 1)
            return 0;
        items[count++].request = (struct cairn_bytes){room + used, size};
        used += size;
    }
    return count;
}

static enum cairn_status requests_serve(struct cairn_replica *replica, FILE *file,
                                        struct cairn_err *err)
{
    static uint8_t room[SERVE_GROUP_MAX * MESSAGE_BYTES_MAX];
    struct serve_item items[SERVE_GROUP_MAX];
    struct serve_meter meter = {0};
    enum cairn_status status = CAIRN_OK;
    size_t count;

    while (status == CAIRN_OK && (count = requests_read(file, items, room)) > 0) {
        status = serve_group(replica, items, count, &meter, err);
        serve_release(items, count, &meter);
    }
    if (status == CAIRN_OK && (meter.request_count != STATIONS || meter.entry_count < STATIONS))
        status = cairn_fail(err, CAIRN_REFUSED, "not every station was served");
    return status;
}

static int probe_end(struct cairn_replica *replica, enum cairn_status status, struct cairn_err *err)
{
    uint64_t anon_kib = 0;

    if (status == CAIRN_OK)
        status = measure_anon_kib(&anon_kib, err);
    cairn_replica_close(replica);
    if (status == CAIRN_OK && printf("%" PRIu64 "\n", anon_kib) > 0 && fflush(stdout) == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "cairn-bench: %s\n", err->text);
    return EXIT_FAILURE;
}

int memory_probe_station(const char *store)
{
    const struct cairn_replica_config config = {.path = store, .is_writer = true};
    struct cairn_replica *replica = NULL;
    struct cairn_err err = {.translate = NULL};

    enum cairn_status status = cairn_replica_open(&config, &replica, &err);
    if (status == CAIRN_OK)
        status = scan(replica, COUNTY_HOUSEHOLDS, &err);
    return probe_end(replica, status, &err);
}

int memory_probe_server(const char *store, const char *requests)
{
    const struct cairn_replica_config config = {.path = store, .is_writer = true};
    struct cairn_replica *replica = NULL;
    struct cairn_err err = {.translate = NULL};
    FILE *file = fopen(requests, "re");

    enum cairn_status status = file == NULL
                                   ? cairn_fail(&err, CAIRN_IO, "%s: %s", requests, strerror(errno))
                                   : cairn_replica_open(&config, &replica, &err);
    if (status == CAIRN_OK)
        status = requests_serve(replica, file, &err);
    if (status == CAIRN_OK)
        status = scan(replica, (uint64_t)STATIONS * STATION_HOUSEHOLDS, &err);
    if (file != NULL)
        fclose(file);
    return probe_end(replica, status, &err);
}
