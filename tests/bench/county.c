#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "device.h"

static enum cairn_status households_write(struct device *station, struct county *county,
                                          struct cairn_err *err)
{
    struct operation *operations = calloc(VILLAGE_HOUSEHOLDS, sizeof *operations);
    struct households households = {NULL, 0};
    enum cairn_status status = CAIRN_OK;

    if (operations == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    for (unsigned village = 0; status == CAIRN_OK && households.count < COUNTY_HOUSEHOLDS;
         village++) {
        workload_village(village, operations, VILLAGE_HOUSEHOLDS);
        status = device_create(station, operations, VILLAGE_HOUSEHOLDS, &households, err);
    }
    for (size_t i = 0; status == CAIRN_OK && i < COUNTY_HOUSEHOLDS; i++)
        memcpy(county->ids[i], households.items[i].id, sizeof county->ids[i]);
    households_release(&households);
    free(operations);
    return status;
}

static enum cairn_status county_make(const struct bench *bench, struct county *county,
                                     struct cairn_err *err)
{
    struct device root = {.replica = NULL}, station = {.replica = NULL};

    enum cairn_status status = bench_path(bench, "county", county->store, err);
    if (status == CAIRN_OK)
        status = device_init(&root, NULL, "Bench root", true, err);
    if (status == CAIRN_OK)
        status = device_init(&station, county->store, "Bench county", false, err);
    if (status == CAIRN_OK)
        status = device_join_station(&root, &station, 0, "A7", err);
    if (status == CAIRN_OK)
        status = households_write(&station, county, err);
    device_close(&station);
    device_close(&root);
    return status;
}

enum cairn_status county_get(struct bench *bench, const struct county **out_county,
                             struct cairn_err *err)
{
    if (bench->has_county_failed)
        return cairn_fail(err, CAIRN_IO, "the county failed before");
    if (bench->county == NULL) {
        struct county *county = calloc(1, sizeof *county);
        if (county != NULL)
            county->ids = calloc(COUNTY_HOUSEHOLDS, sizeof *county->ids);
        enum cairn_status status = county == NULL || county->ids == NULL
                                       ? cairn_fail(err, CAIRN_NO_MEMORY, "out of memory")
                                       : county_make(bench, county, err);
        bench->has_county_failed = status != CAIRN_OK;
        if (status != CAIRN_OK) {
            county_free(county);
            return status;
        }
        bench->county = county;
    }
    *out_county = bench->county;
    return CAIRN_OK;
}

void county_free(struct county *county)
{
    if (county == NULL)
        return;
    free(county->ids);
    free(county);
}
