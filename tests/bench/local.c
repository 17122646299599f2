/* What one station does without a network, beside bare LMDB in the same folder. The two take turns,
 * so that a disk or a processor that changes its mind changes both. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "device.h"
#include "measure.h"
#include "raw.h"

enum {
    COMMITS = 500,
    WARM_COMMITS = 20,
    GET_ROUNDS = 15,
    GETS = 20000,
    GET_STEP = 7919, /* a prime: steps through the county in no order of keys */
};

/* ---- commits ------------------------------------------------------------------------------- */

struct commits {
    struct device root, station;
    struct households households;
    struct workload_edits edits;
    struct raw *raw;
    double ours_s[COMMITS], raw_s[COMMITS];
};

static enum cairn_status commits_begin(const struct bench *bench, struct commits *commits,
                                       struct cairn_err *err)
{
    char store[PATH_MAX], raw[PATH_MAX];
    struct operation *village = calloc(VILLAGE_HOUSEHOLDS, sizeof *village);

    enum cairn_status status = village == NULL ? cairn_fail(err, CAIRN_NO_MEMORY, "out of memory")
                                               : bench_path(bench, "commit", store, err);
    if (status == CAIRN_OK)
        status = bench_path(bench, "commit/raw", raw, err);
    if (status == CAIRN_OK)
        status = device_init(&commits->root, NULL, "Bench root", true, err);
    if (status == CAIRN_OK)
        status = device_init(&commits->station, store, "Bench station", false, err);
    if (status == CAIRN_OK)
        status = device_join_station(&commits->root, &commits->station, 0, "A7", err);
    if (status == CAIRN_OK) {
        workload_village(0, village, VILLAGE_HOUSEHOLDS);
        status = device_create(&commits->station, village, VILLAGE_HOUSEHOLDS, &commits->households,
                               err);
    }
    workload_edits_init(&commits->edits, 0);
    if (status == CAIRN_OK)
        status = raw_open(raw, VILLAGE_HOUSEHOLDS, &commits->raw, err);
    free(village);
    return status;
}

static enum cairn_status commit_both(struct commits *commits, double *out_ours_s, double *out_raw_s,
                                     struct cairn_err *err)
{
    struct operation edit;

    workload_edits_next(&commits->edits, &edit);
    double begun_s = measure_wall_s();
    enum cairn_status status = device_edit(&commits->station, &edit, &commits->households, err);
    double between_s = measure_wall_s();
    if (status == CAIRN_OK)
        status = raw_put(commits->raw, 1, err);
    *out_ours_s = between_s - begun_s;
    *out_raw_s = measure_wall_s() - between_s;
    return status;
}

static void commits_end(struct commits *commits)
{
    raw_close(commits->raw);
    households_release(&commits->households);
    device_close(&commits->station);
    device_close(&commits->root);
    free(commits);
}

enum cairn_status figure_commit_ratio(struct bench *bench, struct figure_value *out_value,
                                      struct cairn_err *err)
{
    struct commits *commits = calloc(1, sizeof *commits);
    double unused_s[2];

    if (commits == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    enum cairn_status status = commits_begin(bench, commits, err);
    for (size_t i = 0; status == CAIRN_OK && i < WARM_COMMITS; i++)
        status = commit_both(commits, &unused_s[0], &unused_s[1], err);
    for (size_t i = 0; status == CAIRN_OK && i < COMMITS; i++)
        status = commit_both(commits, &commits->ours_s[i], &commits->raw_s[i], err);
    if (status == CAIRN_OK) {
        double ours_s = measure_median(commits->ours_s, COMMITS);
        double raw_s = measure_median(commits->raw_s, COMMITS);
        *out_value = (struct figure_value){
            .value = ours_s / raw_s,
            .has_limit = true,
            .limit = raw_s * 1e6,
            .ratio = ours_s / raw_s,
        };
    }
    commits_end(commits);
    return status;
}

/* ---- gets ---------------------------------------------------------------------------------- */

/* Both figures of gets make the copy; the second finds that of the first. */
static enum cairn_status folder_clear(const char *path, struct cairn_err *err)
{
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    char file[PATH_MAX + 16];

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(file, sizeof file, "%s/%s", path, files[i]);
        if (unlink(file) != 0 && errno != ENOENT)
            return cairn_fail(err, CAIRN_IO, "%s: %s", file, strerror(errno));
    }
    if (rmdir(path) != 0 && errno != ENOENT)
        return cairn_fail(err, CAIRN_IO, "%s: %s", path, strerror(errno));
    return CAIRN_OK;
}

static enum cairn_status gets_run(struct cairn_replica *replica, const struct county *county,
                                  const uint32_t *numbers, struct cairn_err *err)
{
    for (size_t i = 0; i < GETS; i++) {
        const struct cairn_record *record;
        enum cairn_status status = cairn_get(replica, county->ids[numbers[i]], &record, err);
        if (status != CAIRN_OK)
            return status;
        if (record->field_count != WORKLOAD_FIELDS_MAX + 1) /* and where its workflow stands */
            return cairn_fail(err, CAIRN_CORRUPT, "%s has %zu fields", record->id,
                              record->field_count);
    }
    return CAIRN_OK;
}

static enum cairn_status gets_measure(struct cairn_replica *replica, struct raw *raw,
                                      const struct county *county, struct figure_value *out_value,
                                      struct cairn_err *err)
{
    double ours_s[GET_ROUNDS], raw_s[GET_ROUNDS];
    uint32_t numbers[GETS];
    uint32_t number = 0;
    enum cairn_status status = CAIRN_OK;

    for (size_t round = 0; status == CAIRN_OK && round < GET_ROUNDS; round++) {
        for (size_t i = 0; i < GETS; i++)
            numbers[i] = number = (number + GET_STEP) % COUNTY_HOUSEHOLDS;
        double begun_s = measure_cpu_s();
        status = gets_run(replica, county, numbers, err);
        double between_s = measure_cpu_s();
        if (status == CAIRN_OK)
            status = raw_copy_get(raw, numbers, GETS, err);
        ours_s[round] = between_s - begun_s;
        raw_s[round] = measure_cpu_s() - between_s;
    }
    if (status != CAIRN_OK)
        return status;
    double ours = measure_median(ours_s, GET_ROUNDS) / GETS;
    double bare = measure_median(raw_s, GET_ROUNDS) / GETS;
    *out_value = (struct figure_value){
        .value = ours * 1e9,
        .has_limit = true,
        .limit = bare * 1e9,
        .ratio = bare / ours, /* of speeds, so that higher is better */
    };
    return CAIRN_OK;
}

enum cairn_status figure_get_ratio(struct bench *bench, struct figure_value *out_value,
                                   struct cairn_err *err)
{
    struct figure_value ns;

    enum cairn_status status = figure_get_ns(bench, &ns, err);
    if (status == CAIRN_OK)
        *out_value = (struct figure_value){
            .value = ns.ratio, .has_limit = true, .limit = ns.limit / 1000, .ratio = ns.ratio};
    return status;
}

enum cairn_status figure_get_ns(struct bench *bench, struct figure_value *out_value,
                                struct cairn_err *err)
{
    size_t count = 0;
    const struct county *county = NULL;
    struct cairn_replica *replica = NULL;
    struct raw *raw = NULL;
    char path[PATH_MAX];

    enum cairn_status status = county_get(bench, &county, err);
    if (status == CAIRN_OK)
        status = bench_path(bench, "county.raw", path, err);
    if (status == CAIRN_OK)
        status = folder_clear(path, err);
    if (status == CAIRN_OK)
        status = raw_copy(county->store, path, 'R', &raw, &count, err);
    if (status == CAIRN_OK && count != COUNTY_HOUSEHOLDS)
        status = cairn_fail(err, CAIRN_CORRUPT, "the copy has %zu records", count);
    if (status == CAIRN_OK) {
        const struct cairn_replica_config config = {.path = county->store};
        status = cairn_replica_open(&config, &replica, err);
    }
    if (status == CAIRN_OK)
        status = gets_measure(replica, raw, county, out_value, err);
    raw_close(raw);
    cairn_replica_close(replica);
    return status;
}
