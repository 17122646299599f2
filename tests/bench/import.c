/* A county's table through the real program: what a person who imports it waits for. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "measure.h"
#include "process.h"
#include "workload.h"

/* 1,000 villages, which come five times over. */
enum { IMPORT_ROWS = 1000000, IMPORT_VILLAGES = 1000 };

static void row_write(FILE *file, const char *scope, const struct operation *household)
{
    fputs(scope, file);
    for (size_t i = 0; i < household->field_count; i++)
        fprintf(file, ",%s", household->fields[i].value);
    fputs("\r\n", file);
}

static void village_write(FILE *file, unsigned number, struct operation *households)
{
    char scope[WORKLOAD_SCOPE_BYTES];

    workload_village(number, households, VILLAGE_HOUSEHOLDS);
    workload_scope(number, scope);
    if (ftell(file) == 0) {
        fputs("village", file);
        for (size_t i = 0; i < households[0].field_count; i++)
            fprintf(file, ",%s", households[0].fields[i].name);
        fputs("\r\n", file);
    }
    for (size_t i = 0; i < VILLAGE_HOUSEHOLDS; i++)
        row_write(file, scope, &households[i]);
}

static enum cairn_status table_write(const char *path, unsigned rows, struct cairn_err *err)
{
    struct operation *households = calloc(VILLAGE_HOUSEHOLDS, sizeof *households);
    FILE *file = fopen(path, "wbe");
    bool is_written = households != NULL && file != NULL;

    for (unsigned i = 0; is_written && i < rows / VILLAGE_HOUSEHOLDS; i++) {
        village_write(file, i % IMPORT_VILLAGES, households);
        is_written = ferror(file) == 0;
    }
    if (file != NULL && fclose(file) != 0)
        is_written = false;
    free(households);
    return is_written ? CAIRN_OK : cairn_fail(err, CAIRN_IO, "%s cannot be written", path);
}

enum cairn_status figure_import(struct bench *bench, struct figure_value *out_value,
                                struct cairn_err *err)
{
    char store[PATH_MAX], table[PATH_MAX];
    unsigned rows = IMPORT_ROWS / bench->scale / VILLAGE_HOUSEHOLDS * VILLAGE_HOUSEHOLDS;
    const char *const init[] = {"--store",         store,          "init",
                                "--no-passphrase", "--root",       BENCH_SCOPE,
                                "--tag=R",         "Bench import", NULL};
    const char *const import[] = {"--store", store, "import", "household", table, NULL};

    enum cairn_status status = bench_path(bench, "import", store, err);
    if (status == CAIRN_OK)
        status = bench_path(bench, "import.csv", table, err);
    if (status == CAIRN_OK)
        status = table_write(table, rows, err);
    if (status == CAIRN_OK)
        status = process_run(bench, "cairn", init, err);
    double begun_s = measure_wall_s();
    if (status == CAIRN_OK)
        status = process_run(bench, "cairn", import, err);
    if (status == CAIRN_OK)
        *out_value = (struct figure_value){.value = (double)rows / (measure_wall_s() - begun_s)};
    remove(table);
    return status;
}
