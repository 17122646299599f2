/*
 * cairn-load: a prefecture comes back after a week without a network. STATIONS replicas, in this
 * process and in memory, meet one real cairn-server over tcp, 32 at a time; then each writes one
 * edit and syncs it, alone and beside hostile clients.
 *
 *   cairn-load [STATIONS [EDITS [HOUSEHOLDS]]]     50 stations of 350 edits on 33 households
 *
 * Nothing may be lost: every station has a receipt for all of it, the server holds every household,
 * and newcomers who join some of the villages find there what its station wrote. Times are printed
 * and not judged. Ends with 1 when something was lost, the server did not live, or took more memory
 * than its budget.
 */

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "hostile.h"
#include "process.h"
#include "sanitized.h"
#include "transport.h"

enum {
    THREADS = 32,         /* stations that sync at the same moment */
    IDLE_TIMEOUT_S = 120, /* a server under load is asked again before that */
    TRIES_MAX = 50,
    ROUNDS_MAX = 200,
    NEWCOMERS = 10,
    HOSTILES = 16,
};

struct station {
    struct device device;
    char (*ids)[32]; /* of its households */
    unsigned village;
    double took_ms; /* of the last sync, once it was this station's turn, to its receipt */
};

struct load {
    struct bench bench;
    struct device root;
    struct server_process server;
    char server_store[PATH_MAX];
    size_t station_count, household_count, edit_count;
    struct station *stations;
    atomic_size_t next; /* the next station to sync */
    atomic_bool has_failed;
};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Nothing of the run stays: neither the server nor the folder. */
_Noreturn static void leave(struct load *load, int code)
{
    struct cairn_err err = {0};

    if (server_process_stop(&load->server, &err) != CAIRN_OK) {
        fprintf(stderr, "%s\n", err.text);
        code = 1;
    }
    process_end(&load->bench);
    exit(code);
}

_Noreturn static void stop(struct load *load, const char *what, enum cairn_status status,
                           const struct cairn_err *err)
{
    fprintf(stderr, "%s: %s \"%s\"\n", what, cairn_status_name(status), err->text);
    leave(load, 1);
}

#define MUST(load, call)                      \
    do {                                      \
        struct cairn_err err = {0};           \
        enum cairn_status must_ = (call);     \
        if (must_ != CAIRN_OK)                \
            stop((load), #call, must_, &err); \
    } while (0)

/* ---- writing ------------------------------------------------------------------------------- */

static enum cairn_status households_write(struct load *load, struct station *station,
                                          struct cairn_err *err)
{
    struct operation *operations = calloc(VILLAGE_HOUSEHOLDS, sizeof *operations);
    struct households households = {NULL, 0};
    enum cairn_status status = CAIRN_NO_MEMORY;

    if (operations != NULL) {
        workload_village(station->village, operations, load->household_count);
        status =
            device_create(&station->device, operations, load->household_count, &households, err);
    }
    station->ids = calloc(load->household_count, sizeof *station->ids);
    for (size_t i = 0; status == CAIRN_OK && i < households.count; i++)
        memcpy(station->ids[i], households.items[i].id, sizeof station->ids[i]);
    households_release(&households);
    free(operations);
    return status;
}

/* Edit `n` of a station; every one has another value. */
static enum cairn_status edit_write(struct load *load, struct station *station, size_t n,
                                    struct cairn_err *err)
{
    char income[16];
    const struct cairn_field_value field = {"income", income};
    const struct cairn_put put = {.type = "household",
                                  .id = station->ids[n % load->household_count],
                                  .fields = &field,
                                  .field_count = 1};
    struct cairn_put_result result;

    snprintf(income, sizeof income, "%zu", 1000000 + n);
    return cairn_put_many(station->device.replica, &put, 1, &result, NULL, err);
}

/* ---- syncing ------------------------------------------------------------------------------- */

static enum cairn_status exchange_all(struct cairn_replica *replica, struct transport *transport,
                                      struct cairn_err *err)
{
    bool again = true;

    enum cairn_status status = cairn_sync_begin(replica, err);
    for (int round = 0; status == CAIRN_OK && again && round < ROUNDS_MAX; round++) {
        struct cairn_bytes message, reply;
        status = cairn_sync_request(replica, &message, err);
        if (status == CAIRN_OK)
            status = transport_exchange(transport, message, IDLE_TIMEOUT_S, &reply, err);
        if (status == CAIRN_OK)
            status = cairn_sync_reply(replica, reply, &again, err);
    }
    return status;
}

/* As the command does it, and again when the server is busy. */
static enum cairn_status replica_sync(struct load *load, struct cairn_replica *replica,
                                      struct cairn_err *err)
{
    struct transport *transport;
    char address[64];

    snprintf(address, sizeof address, "tcp://127.0.0.1:%u", load->server.port);
    enum cairn_status status = transport_open(address, &transport, err);
    if (status != CAIRN_OK)
        return status;
    status = CAIRN_NO_ANSWER;
    for (int i = 0; status == CAIRN_NO_ANSWER && i < TRIES_MAX; i++)
        status = exchange_all(replica, transport, err);
    transport_close(transport);
    return status;
}

static void *sync_some(void *context)
{
    struct load *load = context;

    for (size_t i; (i = atomic_fetch_add(&load->next, 1)) < load->station_count;) {
        struct station *station = &load->stations[i];
        struct cairn_err err = {0};
        double begun = now_ms();
        enum cairn_status status = replica_sync(load, station->device.replica, &err);
        station->took_ms = now_ms() - begun;
        if (status != CAIRN_OK) {
            fprintf(stderr, "station %zu: %s \"%s\"\n", i, cairn_status_name(status), err.text);
            atomic_store(&load->has_failed, true);
        }
    }
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* All stations, THREADS at a time; how long it took in all, in seconds. */
static double sync_all(struct load *load, const char *what)
{
    pthread_t threads[THREADS];
    double begun = now_ms();
    double *times = calloc(load->station_count, sizeof *times);

    atomic_store(&load->next, 0);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, sync_some, load) != 0)
            leave(load, 1);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    double took_s = (now_ms() - begun) / 1e3;
    if (times == NULL || atomic_load(&load->has_failed))
        leave(load, 1);
    for (size_t i = 0; i < load->station_count; i++)
        times[i] = load->stations[i].took_ms;
    qsort(times, load->station_count, sizeof *times, by_time);
    printf("%-34s %8.1f s; a station: half within %.0f ms, 99 of 100 within %.0f ms, all %.0f ms\n",
           what, took_s, times[load->station_count / 2], times[load->station_count * 99 / 100],
           times[load->station_count - 1]);
    free(times);
    return took_s;
}

/* ---- looking ------------------------------------------------------------------------------- */

#define ANON_MAX_KIB (IS_SANITIZED ? LONG_MAX : 64L * 1024)

static void check_server_memory(struct load *load)
{
    char path[64], line[256];
    long anon_kib = 0, peak_kib = 0;

    snprintf(path, sizeof path, "/proc/%ld/status", (long)load->server.pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        sscanf(line, "RssAnon: %ld", &anon_kib);
        sscanf(line, "VmHWM: %ld", &peak_kib);
    }
    if (file != NULL)
        fclose(file);
    printf("%-34s %8.1f MiB anonymous, %.1f MiB at most with the mapped store\n", "server memory",
           (double)anon_kib / 1024, (double)peak_kib / 1024);
    if (anon_kib == 0 || anon_kib > ANON_MAX_KIB) {
        fprintf(stderr, "the server has %ld KiB of its own, at most %ld are its budget\n", anon_kib,
                ANON_MAX_KIB);
        leave(load, 1);
    }
}

/* Every edit of every station is covered by a checkpoint. */
static void check_receipts(struct load *load)
{
    for (size_t i = 0; i < load->station_count; i++) {
        struct cairn_status_report report;
        MUST(load, cairn_status_get(load->stations[i].device.replica, &report, &err));
        if (report.unreceived_count != 0 || report.conflict_count != 0 ||
            report.refused_count != 0) {
            fprintf(stderr,
                    "station %zu: %" PRIu64 " not received, %" PRIu64 " conflicts, %" PRIu64
                    " refused\n",
                    i, report.unreceived_count, report.conflict_count, report.refused_count);
            leave(load, 1);
        }
    }
}

struct same {
    struct cairn_replica *other;
    uint64_t count, differs;
};

static const char *income_of(const struct cairn_record *record)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, "income") == 0)
            return record->fields[i].versions[0].value;
    return "";
}

static bool record_compare(void *context, const struct cairn_record *record)
{
    struct same *same = context;
    const struct cairn_record *other;
    struct cairn_err err = {0};

    same->count++;
    same->differs += cairn_get(same->other, record->id, &other, &err) != CAIRN_OK ||
                     strcmp(income_of(other), income_of(record)) != 0;
    return true;
}

/* A new device in the village of a station gets from the server what the station wrote. */
static void check_newcomer(struct load *load, size_t i)
{
    struct device newcomer = {.replica = NULL};
    struct same same = {.other = load->stations[i].device.replica};
    char tag[32];

    snprintf(tag, sizeof tag, "N%zu", i % 1000);
    MUST(load, device_init(&newcomer, NULL, "Newcomer", false, &err));
    MUST(load, device_join_station(&load->root, &newcomer, load->stations[i].village, tag, &err));
    MUST(load, replica_sync(load, newcomer.replica, &err));
    MUST(load, cairn_list(newcomer.replica, "household", NULL, 0, record_compare, &same, &err));
    if (same.differs > 0 || same.count != load->household_count) {
        fprintf(stderr, "newcomer beside station %zu: %" PRIu64 " households, %" PRIu64 " differ\n",
                i, same.count, same.differs);
        leave(load, 1);
    }
    device_close(&newcomer);
}

/* After the server has ended well: what lies on its disk. */
static void check_server_store(struct load *load)
{
    const struct cairn_replica_config config = {.path = load->server_store};
    struct cairn_replica *replica;
    struct cairn_status_report report;

    MUST(load, server_process_stop(&load->server, &err));
    MUST(load, cairn_replica_open(&config, &replica, &err));
    MUST(load, cairn_status_get(replica, &report, &err));
    cairn_replica_close(replica);
    if (report.record_count != load->station_count * load->household_count) {
        fprintf(stderr, "the server holds %" PRIu64 " households of %zu\n", report.record_count,
                load->station_count * load->household_count);
        leave(load, 1);
    }
}

/* ---- the run ------------------------------------------------------------------------------- */

static void network_make(struct load *load)
{
    struct device server;

    MUST(load, process_begin(&load->bench, &err));
    MUST(load, bench_path(&load->bench, "server", load->server_store, &err));
    MUST(load, device_init(&load->root, NULL, "Load root", true, &err));
    MUST(load, device_init(&server, load->server_store, "Load server", false, &err));
    MUST(load, device_join_server(&load->root, &server, &err));
    device_close(&server);
    MUST(load, server_process_start(&load->bench, load->server_store, &load->server, &err));
}

static void stations_make(struct load *load)
{
    for (size_t i = 0; i < load->station_count; i++) {
        struct station *station = &load->stations[i];
        char name[32], tag[32];
        station->village = (unsigned)i;
        snprintf(name, sizeof name, "Station %zu", i);
        snprintf(tag, sizeof tag, "%zu", i + 1);
        MUST(load, device_init(&station->device, NULL, name, false, &err));
        MUST(load, device_join_station(&load->root, &station->device, station->village, tag, &err));
        MUST(load, households_write(load, station, &err));
    }
}

static void week_pass(struct load *load)
{
    double begun = now_ms();

    for (size_t i = 0; i < load->station_count; i++)
        for (size_t n = 0; n < load->edit_count; n++)
            MUST(load, edit_write(load, &load->stations[i], n, &err));
    printf("%-34s %8.1f s\n", "writing the week's edits", (now_ms() - begun) / 1e3);
}

static void edit_each(struct load *load, size_t n)
{
    for (size_t i = 0; i < load->station_count; i++)
        MUST(load, edit_write(load, &load->stations[i], n, &err));
}

static void run(struct load *load)
{
    struct hostile *hostiles[HOSTILES];

    network_make(load);
    stations_make(load);
    sync_all(load, "first sync of all households");
    week_pass(load);
    double took_s = sync_all(load, "the week's return");
    printf("%-34s %8.0f edits/s, %zu in all\n", "drained",
           (double)(load->station_count * load->edit_count) / took_s,
           load->station_count * load->edit_count);
    check_server_memory(load);
    check_receipts(load);

    edit_each(load, load->edit_count + 1);
    sync_all(load, "one edit each, alone");
    edit_each(load, load->edit_count + 2);
    for (size_t i = 0; i < HOSTILES; i++)
        hostiles[i] = hostile_start(load->server.port, (unsigned)i);
    sync_all(load, "one edit each, beside 16 hostiles");
    uint64_t attacks = 0;
    for (size_t i = 0; i < HOSTILES; i++)
        attacks += hostile_stop(hostiles[i]);
    printf("%-34s %8" PRIu64 "\n", "hostile connections meanwhile", attacks);
    if (attacks == 0) {
        fprintf(stderr, "no hostile client got a connection: nothing was attacked\n");
        leave(load, 1);
    }
    check_receipts(load);
    size_t newcomers = load->station_count < NEWCOMERS ? load->station_count : NEWCOMERS;
    for (size_t i = 0; i < newcomers; i++)
        check_newcomer(load, i * load->station_count / newcomers);
    check_server_memory(load);
    check_server_store(load);
    puts("nothing was lost");
}

int main(int argc, char **argv)
{
    struct load load = {
        .bench = {.scale = 1}, .station_count = 50, .edit_count = 350, .household_count = 33};

    if (argc > 1)
        load.station_count = strtoul(argv[1], NULL, 10);
    if (argc > 2)
        load.edit_count = strtoul(argv[2], NULL, 10);
    if (argc > 3)
        load.household_count = strtoul(argv[3], NULL, 10);
    if (sodium_init() < 0 || load.station_count == 0 || load.household_count == 0 ||
        load.household_count > VILLAGE_HOUSEHOLDS)
        return 2;
    load.stations = calloc(load.station_count, sizeof *load.stations);
    if (load.stations == NULL)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%zu stations, %zu households and %zu edits each\n", load.station_count,
           load.household_count, load.edit_count);
    run(&load);
    for (size_t i = 0; i < load.station_count; i++) {
        device_close(&load.stations[i].device);
        free(load.stations[i].ids);
    }
    device_close(&load.root);
    free(load.stations);
    leave(&load, 0);
}
