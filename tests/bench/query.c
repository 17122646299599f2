/* Households by income band and place, beside SQLite with the same rows and indexes. The two take
 * turns, so that a processor that changes its mind changes both. */

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "device.h"
#include "measure.h"
#include "process.h"

enum {
    VILLAGES = 1360,
    HOUSEHOLDS = 45000,
    ROUNDS = 15,
    BATCH_MAX = 40, /* households of one village */
    PREFIX_DIGITS_WIDE = 2,
    PREFIX_DIGITS_NEAR = 9,
};

struct asked {
    const char *band;
    const char *low, *high; /* of the same band, for SQL; NULL: no end */
    char prefix[WORKLOAD_SCOPE_BYTES];
    char above[WORKLOAD_SCOPE_BYTES]; /* the first text that no longer begins so */
};

enum { BANDS = 4, ASKED = 2 * BANDS };

struct prefecture {
    char store[PATH_MAX];
    struct device root;
    sqlite3 *db;
    sqlite3_stmt *insert, *list, *count;
    struct asked asked[ASKED];
};

/* What one side gave: equal on both, or it is no comparison. */
struct answer {
    uint64_t records, bytes;
    bool is_compared; /* in a round that nobody times: */
    uint64_t ids;     /* a hash of them in their order */
};

static void answer_row(struct answer *answer, const char *id)
{
    answer->records++;
    answer->bytes += strlen(id);
    for (; answer->is_compared && *id != '\0'; id++)
        answer->ids = (answer->ids ^ (uint8_t)*id) * UINT64_C(1099511628211);
}

/* ---- the same rows twice ------------------------------------------------------------------- */

static enum cairn_status sql_fail(const struct prefecture *p, struct cairn_err *err)
{
    return cairn_fail(err, CAIRN_IO, "SQLite: %s", sqlite3_errmsg(p->db));
}

static enum cairn_status sql_run(const struct prefecture *p, const char *sql, struct cairn_err *err)
{
    return sqlite3_exec(p->db, sql, NULL, NULL, NULL) == SQLITE_OK ? CAIRN_OK : sql_fail(p, err);
}

static enum cairn_status sql_open(struct prefecture *p, const char *path, struct cairn_err *err)
{
    if (sqlite3_open(path, &p->db) != SQLITE_OK)
        return sql_fail(p, err);
    enum cairn_status status = sql_run(
        p,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
        "PRAGMA mmap_size=1073741824; PRAGMA cache_size=-65536;" /* read from a map, as we do */
        "CREATE TABLE household (label TEXT PRIMARY KEY, scope TEXT, id TEXT, head TEXT,"
        " members INTEGER, town_name TEXT, village_name TEXT, income INTEGER, cause TEXT,"
        " ind TEXT, cadre TEXT, phone TEXT, status TEXT, addr TEXT, plan TEXT, updated TEXT)",
        err);
    if (status != CAIRN_OK)
        return status;
    bool is_ready =
        sqlite3_prepare_v2(p->db,
                           "INSERT INTO household (label, scope, id, head, members, town_name,"
                           " village_name, income, cause, ind, cadre, phone, status, addr, plan,"
                           " updated) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                           -1, &p->insert, NULL) == SQLITE_OK;
    return is_ready ? CAIRN_OK : sql_fail(p, err);
}

/* Where a field stands in the INSERT. */
static int column_of(const char *field)
{
    static const char *const fields[] = {"id",     "head",  "members", "town_name", "village_name",
                                         "income", "cause", "ind",     "cadre",     "phone",
                                         "status", "addr",  "plan",    "updated"};

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(fields[i], field) == 0)
            return (int)i + 3;
    return 0;
}

static enum cairn_status row_insert(struct prefecture *p, const struct operation *household,
                                    const char *scope, const char *label, struct cairn_err *err)
{
    sqlite3_reset(p->insert);
    sqlite3_clear_bindings(p->insert);
    sqlite3_bind_text(p->insert, 1, label, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(p->insert, 2, scope, -1, SQLITE_TRANSIENT);
    for (size_t i = 0; i < household->field_count; i++)
        sqlite3_bind_text(p->insert, column_of(household->fields[i].name),
                          household->fields[i].value, -1, SQLITE_TRANSIENT);
    return sqlite3_step(p->insert) == SQLITE_DONE ? CAIRN_OK : sql_fail(p, err);
}

static enum cairn_status village_write(struct prefecture *p, unsigned number, size_t count,
                                       struct cairn_err *err)
{
    static struct operation households[BATCH_MAX];
    static struct cairn_field_value fields[BATCH_MAX][WORKLOAD_FIELDS_MAX];
    struct cairn_put puts[BATCH_MAX];
    struct cairn_put_result results[BATCH_MAX];
    char scope[WORKLOAD_SCOPE_BYTES];

    workload_scope(number, scope);
    workload_village(number, households, count);
    for (size_t i = 0; i < count; i++) {
        for (size_t f = 0; f < households[i].field_count; f++)
            fields[i][f] = (struct cairn_field_value){households[i].fields[f].name,
                                                      households[i].fields[f].value};
        puts[i] = (struct cairn_put){.type = "household",
                                     .scope = scope,
                                     .fields = fields[i],
                                     .field_count = households[i].field_count};
    }
    enum cairn_status status = cairn_put_many(p->root.replica, puts, count, results, NULL, err);
    for (size_t i = 0; status == CAIRN_OK && i < count; i++)
        status = row_insert(p, &households[i], scope, results[i].id, err);
    return status;
}

static enum cairn_status queries_prepare(struct prefecture *p, struct cairn_err *err)
{
    enum cairn_status status =
        sql_run(p,
                "CREATE INDEX by_income ON household (income, scope);"
                "CREATE INDEX by_place ON household (scope, income); ANALYZE;"
                "PRAGMA wal_checkpoint(TRUNCATE)",
                err);
    if (status != CAIRN_OK)
        return status;
    bool is_ready =
        sqlite3_prepare_v2(p->db,
                           "SELECT label, scope, head, income, status FROM household WHERE"
                           " income >= ? AND income < ? AND scope >= ? AND scope < ?"
                           " ORDER BY scope, rowid",
                           -1, &p->list, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(p->db,
                           "SELECT count(*) FROM household WHERE income >= ? AND income < ?"
                           " AND scope >= ? AND scope < ?",
                           -1, &p->count, NULL) == SQLITE_OK;
    return is_ready ? CAIRN_OK : sql_fail(p, err);
}

static void asked_fill(struct prefecture *p)
{
    static const struct asked bands[BANDS] = {{"<4200", NULL, "4200", "", ""},
                                              {"4200..4500", "4200", "4500", "", ""},
                                              {"4500..5000", "4500", "5000", "", ""},
                                              {"5000..", "5000", NULL, "", ""}};

    for (size_t i = 0; i < ASKED; i++) {
        struct asked *asked = &p->asked[i];
        *asked = bands[i % BANDS];
        workload_scope((unsigned)(i * 101), asked->prefix);
        asked->prefix[i < BANDS ? PREFIX_DIGITS_WIDE : PREFIX_DIGITS_NEAR] = '\0';
        memcpy(asked->above, asked->prefix, sizeof asked->above);
        asked->above[strlen(asked->above) - 1]++;
    }
}

static enum cairn_status prefecture_make(const struct bench *bench, struct prefecture *p,
                                         struct cairn_err *err)
{
    char path[PATH_MAX];

    enum cairn_status status = bench_path(bench, "query", p->store, err);
    if (status == CAIRN_OK)
        status = bench_path(bench, "query.sqlite", path, err);
    if (status == CAIRN_OK)
        status = device_init(&p->root, p->store, "Bench prefecture", true, err);
    if (status == CAIRN_OK)
        status = sql_open(p, path, err);
    if (status == CAIRN_OK)
        status = sql_run(p, "BEGIN", err);
    for (unsigned i = 0, left = HOUSEHOLDS; status == CAIRN_OK && i < VILLAGES; i++) {
        unsigned count = (left + VILLAGES - i - 1) / (VILLAGES - i);
        status = village_write(p, i, count, err);
        left -= count;
    }
    if (status == CAIRN_OK)
        status = sql_run(p, "COMMIT", err);
    if (status == CAIRN_OK)
        status = queries_prepare(p, err);
    asked_fill(p);
    return status;
}

static void prefecture_close(struct prefecture *p)
{
    device_close(&p->root);
    sqlite3_finalize(p->insert);
    sqlite3_finalize(p->list);
    sqlite3_finalize(p->count);
    sqlite3_close(p->db);
    free(p);
}

/* ---- asking -------------------------------------------------------------------------------- */

static bool on_record(void *context, const struct cairn_record *record)
{
    struct answer *answer = context;

    answer_row(answer, record->id);
    answer->bytes += strlen(record->scope);
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].versions[0].tag[0] != '\0') /* not where a new record stands */
            answer->bytes += strlen(record->fields[i].versions[0].value);
    return true;
}

static bool on_count(void *context, const struct cairn_count *count)
{
    struct answer *answer = context;

    answer->bytes += count->count;
    return true;
}

static enum cairn_status ask_ours(struct cairn_replica *replica, const struct asked *asked,
                                  struct answer *answer, struct cairn_err *err)
{
    static const char *const fields[] = {"head", "income", "status"};
    const struct cairn_condition conditions[] = {{"band", CAIRN_EQUAL, asked->band},
                                                 {"village", CAIRN_EQUAL, asked->prefix}};
    const struct cairn_query query = {.type = "household",
                                      .conditions = conditions,
                                      .condition_count = 2,
                                      .fields = fields,
                                      .field_count = 3};

    enum cairn_status status = cairn_query_run(replica, &query, on_record, answer, err);
    if (status == CAIRN_OK)
        status = cairn_query_count(replica, &query, NULL, NULL, 0, on_count, answer, err);
    return status;
}

static void asked_bind(sqlite3_stmt *statement, const struct asked *asked)
{
    sqlite3_reset(statement);
    sqlite3_bind_int64(statement, 1, asked->low == NULL ? INT64_MIN : atoll(asked->low));
    sqlite3_bind_int64(statement, 2, asked->high == NULL ? INT64_MAX : atoll(asked->high));
    sqlite3_bind_text(statement, 3, asked->prefix, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 4, asked->above, -1, SQLITE_STATIC);
}

static enum cairn_status ask_sqlite(struct prefecture *p, const struct asked *asked,
                                    struct answer *answer, struct cairn_err *err)
{
    int rc;

    asked_bind(p->list, asked);
    while ((rc = sqlite3_step(p->list)) == SQLITE_ROW) {
        answer_row(answer, (const char *)sqlite3_column_text(p->list, 0));
        for (int i = 1; i < 5; i++)
            answer->bytes += strlen((const char *)sqlite3_column_text(p->list, i));
    }
    sqlite3_reset(p->list);
    asked_bind(p->count, asked);
    if (rc != SQLITE_DONE || sqlite3_step(p->count) != SQLITE_ROW)
        return sql_fail(p, err);
    answer->bytes += (uint64_t)sqlite3_column_int64(p->count, 0);
    sqlite3_reset(p->count);
    return CAIRN_OK;
}

static enum cairn_status round_run(struct prefecture *p, bool compares, double *out_ours_s,
                                   double *out_sqlite_s, struct cairn_err *err)
{
    struct answer ours = {.is_compared = compares}, sqlite = ours;
    enum cairn_status status = CAIRN_OK;

    double begun_s = measure_cpu_s();
    for (size_t i = 0; status == CAIRN_OK && i < ASKED; i++)
        status = ask_ours(p->root.replica, &p->asked[i], &ours, err);
    double between_s = measure_cpu_s();
    for (size_t i = 0; status == CAIRN_OK && i < ASKED; i++)
        status = ask_sqlite(p, &p->asked[i], &sqlite, err);
    *out_ours_s = between_s - begun_s;
    *out_sqlite_s = measure_cpu_s() - between_s;
    if (status == CAIRN_OK && (ours.records != sqlite.records || ours.bytes != sqlite.bytes ||
                               ours.ids != sqlite.ids || ours.records == 0))
        return cairn_fail(err, CAIRN_CORRUPT,
                          "%" PRIu64 " records of %" PRIu64 " bytes here, %" PRIu64 " of %" PRIu64
                          " in SQLite, or in another order",
                          ours.records, ours.bytes, sqlite.records, sqlite.bytes);
    return status;
}

enum cairn_status figure_query_band_ratio(struct bench *bench, struct figure_value *out_value,
                                          struct cairn_err *err)
{
    struct prefecture *p = calloc(1, sizeof *p);
    double ours_s[ROUNDS], sqlite_s[ROUNDS], unused_s[2];

    if (p == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    enum cairn_status status = prefecture_make(bench, p, err);
    if (status == CAIRN_OK)
        status = round_run(p, true, &unused_s[0], &unused_s[1], err);
    for (size_t i = 0; status == CAIRN_OK && i < ROUNDS; i++)
        status = round_run(p, false, &ours_s[i], &sqlite_s[i], err);
    if (status == CAIRN_OK) {
        double ours = measure_median(ours_s, ROUNDS), sqlite = measure_median(sqlite_s, ROUNDS);
        *out_value = (struct figure_value){.value = ours / sqlite,
                                           .has_limit = true,
                                           .limit = sqlite * 1e6 / ASKED,
                                           .ratio = ours / sqlite};
        memcpy(bench->query_store, p->store, sizeof bench->query_store);
    }
    prefecture_close(p);
    return status;
}

/* ---- memory -------------------------------------------------------------------------------- */

enum cairn_status figure_query_anon(struct bench *bench, struct figure_value *out_value,
                                    struct cairn_err *err)
{
    struct figure_value unused;
    uint64_t anon_kib = 0;
    enum cairn_status status = CAIRN_OK;

    if (bench->query_store[0] == '\0')
        status = figure_query_band_ratio(bench, &unused, err);
    const char *const arguments[] = {"--probe-query", bench->query_store, NULL};
    if (status == CAIRN_OK)
        status = process_ask(bench, arguments, &anon_kib, err);
    if (status == CAIRN_OK)
        out_value->value = (double)anon_kib / 1024;
    return status;
}

int query_probe(const char *store)
{
    const struct cairn_replica_config config = {.path = store};
    struct prefecture *p = calloc(1, sizeof *p);
    struct cairn_replica *replica = NULL;
    struct cairn_err err = {.translate = NULL};
    struct answer answer = {.records = 0};
    uint64_t anon_kib = 0;

    enum cairn_status status =
        p == NULL ? CAIRN_NO_MEMORY : cairn_replica_open(&config, &replica, &err);
    if (p != NULL)
        asked_fill(p);
    for (size_t i = 0; status == CAIRN_OK && i < ASKED; i++)
        status = ask_ours(replica, &p->asked[i], &answer, &err);
    if (status == CAIRN_OK)
        status = measure_anon_kib(&anon_kib, &err);
    cairn_replica_close(replica);
    free(p);
    if (status == CAIRN_OK && printf("%" PRIu64 "\n", anon_kib) > 0 && fflush(stdout) == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "cairn-bench: %s\n", err.text);
    return EXIT_FAILURE;
}
