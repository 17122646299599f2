/*
 * bench.h: one run of cairn-bench and the figures it can measure.
 *
 * A figure's function does its own set-up, or takes it from this run when a figure before it has
 * made the same one; so any of them may be asked for alone. What they make lies in one folder.
 *
 * Memory:  set-ups are made on first use and freed by bench_release.
 * Threads: one; the proxy's thread is its own business.
 */

#ifndef CAIRN_BENCH_H
#define CAIRN_BENCH_H

#include <limits.h>

#include "cairn/base.h"

/* What the root of the bench's network holds: every village of the workload lies inside. */
#define BENCH_SCOPE "42"
/* What stations are told; the bench itself reaches the server through its proxy. */
#define BENCH_SERVER_ADDRESS "tcp://10.20.0.5:7340"

struct village;
struct merge;
struct county;

struct bench {
    const char *workload; /* the folder of W1.jsonl and the others */
    unsigned scale;       /* W6 has a scale-th of its 100 villages */
    char folder[PATH_MAX];
    char program[PATH_MAX];
    char server_program[PATH_MAX];
    struct village *village;
    struct merge *merge;
    struct county *county;
    char query_store[PATH_MAX]; /* "" until query.c has made it */
    /* A set-up is tried once: its folder is there, and its reason was told. */
    bool has_village_failed, has_merge_failed, has_county_failed;
};

/* FOLDER/name. LIMIT when that is too long. */
CAIRN_NODISCARD
enum cairn_status bench_path(const struct bench *bench, const char *name,
                             char out_path[static PATH_MAX], struct cairn_err *err);

struct figure_value {
    double value;
    bool has_limit;
    double limit; /* the raw limit, measured in the same run */
    double ratio; /* ours / raw */
};
typedef enum cairn_status figure_fn(struct bench *bench, struct figure_value *out_value,
                                    struct cairn_err *err);

/* village.c: W1 to W5 over a real connection to a real server. */
figure_fn figure_w1_bytes, figure_w2_bytes, figure_w2_up_bytes, figure_w3_bytes, figure_w4_bytes;
figure_fn figure_w2_round_trips, figure_edit_bytes, figure_w5_conflicts, figure_w5_other_conflicts;
void village_free(struct village *village); /* NULL is allowed, here and below */

/* merge.c: W6 at one server. */
figure_fn figure_merge_cpu, figure_merge_ratio, figure_disk_bytes, figure_audit;
void merge_free(struct merge *merge);

/* local.c: one station, no network. */
figure_fn figure_commit_ratio, figure_get_ratio, figure_get_ns;

/* query.c: a prefecture's households by band and place, beside SQLite. */
figure_fn figure_query_band_ratio, figure_query_anon;
int query_probe(const char *store);

/* import.c: a table of a million rows through the `cairn` program. */
figure_fn figure_import;

/* memory.c: each in a process of its own, which is this program under another name. */
figure_fn figure_station_anon, figure_server_anon;
int memory_probe_station(const char *store);
int memory_probe_server(const char *store, const char *requests);

/* county.c: the station with 19,000 households, for local.c and memory.c. */
enum { COUNTY_HOUSEHOLDS = 19000 };
struct county {
    char store[PATH_MAX];
    char (*ids)[32]; /* labels, COUNTY_HOUSEHOLDS of them */
};
CAIRN_NODISCARD
enum cairn_status county_get(struct bench *bench, const struct county **out_county,
                             struct cairn_err *err);
void county_free(struct county *county);

#endif
