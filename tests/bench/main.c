/* cairn-bench: measure the figures of the README, each against its goal and its floor. */

#include <getopt.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "process.h"

enum { EXIT_DONE = 0, EXIT_OVER_FLOOR = 1, EXIT_GIVEN_WRONG = 2, EXIT_COULD_NOT = 3 };
enum { SCALE_MAX = 100 };
enum {
    OPTION_JSON = 1,
    OPTION_CHECK,
    OPTION_WORKLOAD,
    OPTION_SCALE,
    OPTION_HELP,
    OPTION_PROBE_STATION,
    OPTION_PROBE_SERVER,
    OPTION_PROBE_QUERY
};

struct figure {
    const char *name;
    const char *unit;
    bool is_lower_better;
    bool has_goal;
    double goal;
    double floor; /* the worst that --check lets pass; no figure has one without a goal */
    const char *about;
    figure_fn *measure;
};

static const struct figure figures[] = {
    {"w1_bytes", "B", true, true, 7500, 11000,
     "first sync of 200 new households, both ways, on an open connection", figure_w1_bytes},
    {"w2_bytes", "B", true, true, 850, 1750, "a day's 50 edits, both ways", figure_w2_bytes},
    {"w2_up_bytes", "B", true, true, 700, 1750,
     "the body of that day's request: what a one-way message would carry", figure_w2_up_bytes},
    {"w3_bytes", "B", true, true, 300, 400, "a sync with nothing new, both ways", figure_w3_bytes},
    {"w4_bytes", "B", true, true, 400, 450, "one edit and a sync, both ways; the largest of five",
     figure_w4_bytes},
    {"w2_round_trips", "", true, true, 1, 1,
     "how often the day's sync waits for an answer before it goes on", figure_w2_round_trips},
    {"edit_bytes", "B", true, true, 8, 20,
     "an edit's leaf without its value, before compression, mean of W2", figure_edit_bytes},
    {"w5_conflicts", "", false, true, 5, 5,
     "fields set by two stations whose values every replica lists, both of them",
     figure_w5_conflicts},
    {"w5_other_conflicts", "", true, true, 0, 0, "anything else that a replica lists as a conflict",
     figure_w5_other_conflicts},
    {"merge_cpu_us_per_edit", "us", true, true, 4, 10,
     "processor time of the server from decryption to reply, commits included, batches of 50; "
     "limit: a bare put",
     figure_merge_cpu},
    {"merge_ratio", "x", true, false, 0, 0,
     "the same, over one random LMDB put of 240 B an edit; limit: that put, in us",
     figure_merge_ratio},
    {"commit_ratio", "x", true, true, 1.15, 1.3,
     "one edit saved, over a bare LMDB commit of 240 B; limit: that commit, in us",
     figure_commit_ratio},
    {"get_ratio", "x", false, true, 0.6, 0.3,
     "records of 14 fields read by id a second, over bare mdb_get of the same records, a renewed "
     "transaction each; limit: that get, in us",
     figure_get_ratio},
    {"get_ns", "ns", true, false, 0, 0, "the same, in ns a record; limit: that get, in ns",
     figure_get_ns},
    {"query_band_ratio", "x", true, true, 1, 1.5,
     "45,000 households listed and counted by income band and place, over SQLite with indexes; "
     "limit: SQLite's time a question, in us",
     figure_query_band_ratio},
    {"query_anon_mib", "MiB", true, true, 4, 16,
     "anonymous memory after the same questions, in a process of their own", figure_query_anon},
    {"audit_entries_per_s", "1/s", false, true, 600000, 300000,
     "a full audit of the server's store after W6, entries a second of one core", figure_audit},
    {"station_anon_mib", "MiB", true, true, 4, 16,
     "anonymous memory after a scan of 19,000 households", figure_station_anon},
    {"server_anon_mib", "MiB", true, true, 32, 64,
     "anonymous memory after a round of 1,360 stations and a scan of all they hold",
     figure_server_anon},
    {"import_rows_per_s", "1/s", false, false, 0, 0,
     "rows of a table of a million that `cairn import` checks and saves, 1,000 a commit",
     figure_import},
    {"disk_bytes_per_edit", "B", true, true, 20, 60,
     "what an edit adds to the server's store, history included, batches of 50", figure_disk_bytes},
};
enum { FIGURE_COUNT = sizeof figures / sizeof figures[0] };

/* ---- options ------------------------------------------------------------------------------- */

struct options {
    bool is_json, must_check, wants_help;
    const char *workload;
    unsigned scale;
    const char *probe_station, *probe_server, *probe_query;
    char **names;
    size_t name_count;
};

static const struct option long_options[] = {
    {"json", no_argument, NULL, OPTION_JSON},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"workload", required_argument, NULL, OPTION_WORKLOAD},
    {"scale", required_argument, NULL, OPTION_SCALE},
    {"help", no_argument, NULL, OPTION_HELP},
    {"probe-station", required_argument, NULL, OPTION_PROBE_STATION},
    {"probe-server", required_argument, NULL, OPTION_PROBE_SERVER},
    {"probe-query", required_argument, NULL, OPTION_PROBE_QUERY},
    {NULL, 0, NULL, 0},
};

static void help_print(void)
{
    printf("Usage: cairn-bench [--json] [--workload DIR] [--scale N] [--check] [NAME...]\n"
           "\n"
           "Measure the figures called NAME, or all of them.\n"
           "\n"
           "  --json          one object a line: name, value, unit, better, goal, limit, ratio\n"
           "  --workload DIR  read W1.jsonl, W2.jsonl, W4.jsonl, W5.jsonl of the same form there\n"
           "  --scale N       W6 with an N-th of its 100 villages and the import with an N-th\n"
           "                  of its rows, 1 to %d\n"
           "  --check         exit with 1 when a figure is beyond its floor\n"
           "\n",
           SCALE_MAX);
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        printf("  %-22s %s\n", figures[i].name, figures[i].about);
    printf("\nStores are made in TMPDIR, else in the current folder, and removed.\n");
}

static bool scale_parse(const char *text, unsigned *out_scale)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long scale = strtoul(text, NULL, 10);

    if (digits == 0 || digits > 3 || text[digits] != '\0' || scale < 1 || scale > SCALE_MAX)
        return false;
    *out_scale = (unsigned)scale;
    return true;
}

static bool options_parse(int argc, char **argv, struct options *out_options)
{
    struct options options = {.workload = CAIRN_BENCH_WORKLOAD, .scale = 1};
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPTION_JSON)
            options.is_json = true;
        else if (option == OPTION_CHECK)
            options.must_check = true;
        else if (option == OPTION_WORKLOAD)
            options.workload = optarg;
        else if (option == OPTION_HELP)
            options.wants_help = true;
        else if (option == OPTION_PROBE_STATION)
            options.probe_station = optarg;
        else if (option == OPTION_PROBE_SERVER)
            options.probe_server = optarg;
        else if (option == OPTION_PROBE_QUERY)
            options.probe_query = optarg;
        else if (option != OPTION_SCALE || !scale_parse(optarg, &options.scale))
            return false;
    }
    options.names = argv + optind;
    options.name_count = (size_t)(argc - optind);
    *out_options = options;
    return true;
}

static bool is_figure(const char *name)
{
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        if (strcmp(figures[i].name, name) == 0)
            return true;
    return false;
}

static bool is_wanted(const struct options *options, const struct figure *figure)
{
    for (size_t i = 0; i < options->name_count; i++)
        if (strcmp(options->names[i], figure->name) == 0)
            return true;
    return options->name_count == 0;
}

/* ---- output -------------------------------------------------------------------------------- */

/* Whole numbers without a point: bytes and round trips are counted, not measured. */
static json_t *number_json(double number)
{
    if (number == (double)(json_int_t)number)
        return json_integer((json_int_t)number);
    return json_real(number);
}

static void json_print(const struct figure *figure, const struct figure_value *value)
{
    json_t *object = json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:o}", "name", figure->name, "value",
                               number_json(value->value), "unit", figure->unit, "better",
                               figure->is_lower_better ? "lower" : "higher", "goal",
                               figure->has_goal ? number_json(figure->goal) : json_null(), "limit",
                               value->has_limit ? number_json(value->limit) : json_null(), "ratio",
                               value->has_limit ? number_json(value->ratio) : json_null());

    json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(5));
    putchar('\n');
    json_decref(object);
}

static void number_print(bool is_there, double number)
{
    char text[32];

    if (!is_there)
        snprintf(text, sizeof text, "-");
    else if (number == (double)(long long)number)
        snprintf(text, sizeof text, "%lld", (long long)number);
    else
        snprintf(text, sizeof text, number < 100 ? "%.2f" : "%.0f", number);
    printf(" %10s", text);
}

static void table_head_print(void)
{
    printf("%-22s %10s %-4s %10s %10s %10s %10s\n", "figure", "value", "unit", "goal", "floor",
           "limit", "ratio");
}

static void table_print(const struct figure *figure, const struct figure_value *value)
{
    printf("%-22s", figure->name);
    number_print(true, value->value);
    printf(" %-4s", figure->unit);
    number_print(figure->has_goal, figure->goal);
    number_print(figure->has_goal, figure->floor);
    number_print(value->has_limit, value->limit);
    number_print(value->has_limit, value->ratio);
    printf("\n    %s; %s is better\n", figure->about, figure->is_lower_better ? "lower" : "higher");
}

/* ---- measuring ----------------------------------------------------------------------------- */

static bool is_beyond_floor(const struct figure *figure, double value)
{
    if (!figure->has_goal)
        return false;
    return figure->is_lower_better ? value > figure->floor : value < figure->floor;
}

static int figure_run(struct bench *bench, const struct options *options,
                      const struct figure *figure)
{
    struct figure_value value = {0};
    struct cairn_err err = {.translate = NULL};

    enum cairn_status status = figure->measure(bench, &value, &err);
    if (status != CAIRN_OK) {
        fprintf(stderr, "cairn-bench: %s could not be measured: %s: %s\n", figure->name,
                cairn_status_name(status), err.text);
        return EXIT_COULD_NOT;
    }
    if (options->is_json)
        json_print(figure, &value);
    else
        table_print(figure, &value);
    fflush(stdout);
    if (!options->must_check || !is_beyond_floor(figure, value.value))
        return EXIT_DONE;
    fprintf(stderr, "cairn-bench: %s is %g, beyond its floor of %g\n", figure->name, value.value,
            figure->floor);
    return EXIT_OVER_FLOOR;
}

static int figures_run(struct bench *bench, const struct options *options)
{
    int exit_code = EXIT_DONE;

    if (!options->is_json)
        table_head_print();
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        if (!is_wanted(options, &figures[i]))
            continue;
        int one = figure_run(bench, options, &figures[i]);
        if (one > exit_code)
            exit_code = one;
    }
    return exit_code;
}

static int run(const struct options *options)
{
    struct bench bench = {.workload = options->workload, .scale = options->scale};
    struct cairn_err err = {.translate = NULL};
    int exit_code = EXIT_COULD_NOT;

    if (process_begin(&bench, &err) == CAIRN_OK)
        exit_code = figures_run(&bench, options);
    else
        fprintf(stderr, "cairn-bench: %s\n", err.text);
    village_free(bench.village);
    merge_free(bench.merge);
    county_free(bench.county);
    process_end(&bench);
    return exit_code;
}

int main(int argc, char **argv)
{
    struct options options;

    if (!options_parse(argc, argv, &options)) {
        fprintf(stderr, "cairn-bench: see cairn-bench --help\n");
        return EXIT_GIVEN_WRONG;
    }
    if (sodium_init() < 0)
        return EXIT_COULD_NOT;
    if (options.wants_help) {
        help_print();
        return EXIT_DONE;
    }
    if (options.probe_station != NULL)
        return memory_probe_station(options.probe_station);
    if (options.probe_query != NULL)
        return query_probe(options.probe_query);
    if (options.probe_server != NULL && options.name_count == 1)
        return memory_probe_server(options.probe_server, options.names[0]);
    for (size_t i = 0; i < options.name_count; i++) {
        if (is_figure(options.names[i]))
            continue;
        fprintf(stderr, "cairn-bench: there is no figure %s: see cairn-bench --help\n",
                options.names[i]);
        return EXIT_GIVEN_WRONG;
    }
    return run(&options);
}
