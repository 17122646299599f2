/* W6: what a server does with the edits of 100 villages, in batches of 50 and commits of 20
 * batches. */

#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "measure.h"
#include "raw.h"
#include "serve.h"

enum { VILLAGES = 100, EDITS_PER_VILLAGE = 1000, EDITS_PER_BATCH = 50, TAG_BYTES = 8 };

struct merge_village {
    struct households households;
    struct workload_edits edits;
};

struct merge {
    unsigned village_count;
    struct device root, server;
    struct device *stations; /* in memory: only the server is measured */
    struct merge_village *villages;
    uint64_t edit_count;
    struct serve_meter meter; /* of the edits */
    uint64_t used_bytes;      /* what they added to the store */
    double raw_us;            /* processor time of a bare put */
};

/* ---- what the server has before ------------------------------------------------------------ */

static enum cairn_status villages_make(struct merge *merge, struct cairn_err *err)
{
    struct operation *operations = calloc(VILLAGE_HOUSEHOLDS, sizeof *operations);
    enum cairn_status status = CAIRN_OK;

    if (operations == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    for (unsigned i = 0; status == CAIRN_OK && i < merge->village_count; i++) {
        struct merge_village *village = &merge->villages[i];
        char tag[TAG_BYTES];
        snprintf(tag, sizeof tag, "B%03u", i % 1000);
        status = device_init(&merge->stations[i], NULL, tag, false, err);
        if (status == CAIRN_OK)
            status = device_join_station(&merge->root, &merge->stations[i], i, tag, err);
        if (status != CAIRN_OK)
            break;
        workload_village(i, operations, VILLAGE_HOUSEHOLDS);
        workload_edits_init(&village->edits, i);
        status = device_create(&merge->stations[i], operations, VILLAGE_HOUSEHOLDS,
                               &village->households, err);
    }
    free(operations);
    return status;
}

static enum cairn_status base_make(const struct bench *bench, struct merge *merge,
                                   struct cairn_err *err)
{
    struct serve_meter unused = {0};
    char store[PATH_MAX];

    enum cairn_status status = bench_path(bench, "merge", store, err);
    if (status == CAIRN_OK)
        status = device_init(&merge->root, NULL, "Bench root", true, err);
    if (status == CAIRN_OK)
        status = device_init(&merge->server, store, "Bench server", false, err);
    if (status == CAIRN_OK)
        status = device_join_server(&merge->root, &merge->server, err);
    if (status == CAIRN_OK)
        status = villages_make(merge, err);
    if (status == CAIRN_OK)
        status = serve_stations(merge->server.replica, merge->stations, merge->village_count,
                                &unused, err);
    return status;
}

/* ---- the edits ----------------------------------------------------------------------------- */

static enum cairn_status batch_write(struct merge *merge, unsigned number, struct cairn_err *err)
{
    struct merge_village *village = &merge->villages[number];
    enum cairn_status status = CAIRN_OK;
    struct operation edit;

    for (int i = 0; status == CAIRN_OK && i < EDITS_PER_BATCH; i++) {
        workload_edits_next(&village->edits, &edit);
        status = device_edit(&merge->stations[number], &edit, &village->households, err);
    }
    return status;
}

static enum cairn_status used_bytes(const struct merge *merge, uint64_t *out_bytes,
                                    struct cairn_err *err)
{
    struct cairn_store_stat stat;

    enum cairn_status status = merge->server.store->ops->stat(merge->server.store, &stat);
    if (status != CAIRN_OK)
        return cairn_fail(err, status, "the server's store cannot be measured");
    *out_bytes = stat.used_bytes;
    return CAIRN_OK;
}

static enum cairn_status edits_run(struct merge *merge, struct cairn_err *err)
{
    uint64_t before = 0, after = 0;

    enum cairn_status status = used_bytes(merge, &before, err);
    for (int round = 0; status == CAIRN_OK && round < EDITS_PER_VILLAGE / EDITS_PER_BATCH;
         round++) {
        for (unsigned i = 0; status == CAIRN_OK && i < merge->village_count; i++)
            status = batch_write(merge, i, err);
        if (status == CAIRN_OK)
            status = serve_stations(merge->server.replica, merge->stations, merge->village_count,
                                    &merge->meter, err);
    }
    if (status == CAIRN_OK)
        status = used_bytes(merge, &after, err);
    if (status != CAIRN_OK)
        return status;
    for (unsigned i = 0; i < merge->village_count; i++)
        merge->edit_count += merge->stations[i].edit_count;
    merge->used_bytes = after - before;
    if (merge->meter.entry_count != merge->edit_count)
        return cairn_fail(err, CAIRN_REFUSED, "the server accepted other edits than were sent");
    return CAIRN_OK;
}

/* One bare put an edit, after as many values as there are households, in commits of the
 * same size. */
static enum cairn_status raw_run(const struct bench *bench, struct merge *merge,
                                 struct cairn_err *err)
{
    uint64_t group = (uint64_t)SERVE_GROUP_MAX * EDITS_PER_BATCH;
    struct raw *raw = NULL;
    char path[PATH_MAX];

    enum cairn_status status = bench_path(bench, "merge/raw", path, err);
    if (status == CAIRN_OK)
        status = raw_open(path, (uint64_t)merge->village_count * VILLAGE_HOUSEHOLDS, &raw, err);
    double begun_s = measure_cpu_s();
    for (uint64_t done = 0; status == CAIRN_OK && done < merge->edit_count; done += group)
        status = raw_put(raw, group, err);
    double cpu_s = measure_cpu_s() - begun_s;
    raw_close(raw);
    uint64_t groups = (merge->edit_count + group - 1) / group;
    merge->raw_us = cpu_s * 1e6 / (double)(groups * group);
    return status;
}

/* ---- the set-up ---------------------------------------------------------------------------- */

void merge_free(struct merge *merge)
{
    if (merge == NULL)
        return;
    for (unsigned i = 0; merge->stations != NULL && i < merge->village_count; i++)
        device_close(&merge->stations[i]);
    for (unsigned i = 0; merge->villages != NULL && i < merge->village_count; i++)
        households_release(&merge->villages[i].households);
    device_close(&merge->server);
    device_close(&merge->root);
    free(merge->stations);
    free(merge->villages);
    free(merge);
}

static enum cairn_status merge_make(const struct bench *bench, struct merge **out_merge,
                                    struct cairn_err *err)
{
    struct merge *merge = calloc(1, sizeof *merge);

    if (merge == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    merge->village_count = VILLAGES / bench->scale;
    merge->stations = calloc(merge->village_count, sizeof *merge->stations);
    merge->villages = calloc(merge->village_count, sizeof *merge->villages);
    enum cairn_status status = merge->stations == NULL || merge->villages == NULL
                                   ? cairn_fail(err, CAIRN_NO_MEMORY, "out of memory")
                                   : base_make(bench, merge, err);
    if (status == CAIRN_OK)
        status = edits_run(merge, err);
    if (status == CAIRN_OK)
        status = raw_run(bench, merge, err);
    if (status != CAIRN_OK)
        merge_free(merge);
    else
        *out_merge = merge;
    return status;
}

static enum cairn_status merge_get(struct bench *bench, const struct merge **out_merge,
                                   struct cairn_err *err)
{
    enum cairn_status status = CAIRN_OK;

    if (bench->has_merge_failed)
        return cairn_fail(err, CAIRN_IO, "W6 failed before");
    if (bench->merge == NULL)
        status = merge_make(bench, &bench->merge, err);
    bench->has_merge_failed = status != CAIRN_OK;
    if (status == CAIRN_OK)
        *out_merge = bench->merge;
    return status;
}

/* ---- figures ------------------------------------------------------------------------------- */

static double cpu_us(const struct merge *merge)
{
    return merge->meter.cpu_s * 1e6 / (double)merge->edit_count;
}

enum cairn_status figure_merge_cpu(struct bench *bench, struct figure_value *out_value,
                                   struct cairn_err *err)
{
    const struct merge *merge = NULL;

    enum cairn_status status = merge_get(bench, &merge, err);
    if (status == CAIRN_OK)
        *out_value = (struct figure_value){
            .value = cpu_us(merge),
            .has_limit = true,
            .limit = merge->raw_us,
            .ratio = cpu_us(merge) / merge->raw_us,
        };
    return status;
}

enum cairn_status figure_merge_ratio(struct bench *bench, struct figure_value *out_value,
                                     struct cairn_err *err)
{
    enum cairn_status status = figure_merge_cpu(bench, out_value, err);

    if (status == CAIRN_OK)
        out_value->value = out_value->ratio;
    return status;
}

enum cairn_status figure_disk_bytes(struct bench *bench, struct figure_value *out_value,
                                    struct cairn_err *err)
{
    const struct merge *merge = NULL;

    enum cairn_status status = merge_get(bench, &merge, err);
    if (status == CAIRN_OK)
        out_value->value = (double)merge->used_bytes / (double)merge->edit_count;
    return status;
}

enum cairn_status figure_audit(struct bench *bench, struct figure_value *out_value,
                               struct cairn_err *err)
{
    const struct cairn_audit_visitor visitor = {NULL, NULL, NULL, NULL, NULL};
    struct cairn_audit_report report;
    const struct merge *merge = NULL;

    enum cairn_status status = merge_get(bench, &merge, err);
    if (status != CAIRN_OK)
        return status;
    double begun_s = measure_cpu_s();
    status = cairn_audit_replica(merge->server.replica, NULL, &visitor, &report, NULL, err);
    double cpu_s = measure_cpu_s() - begun_s;
    if (status != CAIRN_OK)
        return status;
    if (report.finding_count > 0 || report.entry_count < merge->edit_count)
        return cairn_fail(err, CAIRN_CORRUPT, "the audit of W6 found something wrong");
    out_value->value = (double)report.entry_count / cpu_s;
    return CAIRN_OK;
}
