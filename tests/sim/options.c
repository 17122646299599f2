#define _GNU_SOURCE

#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "cairn-sim: a county of replicas in one process, made from a seed\n"
    "\n"
    "  --seed N            one run (1)\n"
    "  --seeds N..M        these runs\n"
    "  --runs K            K runs from --seed on\n"
    "  --station-days N    runs from --seed on until so many station-days are done\n"
    "  --seconds S         begin no run after that time\n"
    "  --days D            simulated days of a run (12)\n"
    "  --stations N        stations at its beginning (8)\n"
    "  --steps S           only the first S steps of a run\n"
    "  --jobs J            runs at once, each in a process of its own (1)\n"
    "  --trace             print what happens, a line a step\n"
    "  --shrink            leave out steps of a failing run while it still fails, and print what "
    "is\n"
    "                      left, at most 60 lines\n"
    "  --strict            fail when anything of the table never happened\n"
    "  --quiet             no table at the end; with --strict what never happened\n"
    "\n"
    "The long run: cairn-sim --station-days 1000000 --jobs 2 --strict --shrink\n"
    "Exit status: 0 all held, 1 an invariant broke, 2 something never happened, 64 wrong usage.\n";

enum {
    OPTION_SEED = 256,
    OPTION_SEEDS,
    OPTION_RUNS,
    OPTION_GOAL,
    OPTION_DAYS,
    OPTION_STATIONS,
    OPTION_STEPS,
    OPTION_JOBS,
    OPTION_SECONDS,
    OPTION_TRACE,
    OPTION_SHRINK,
    OPTION_STRICT,
    OPTION_QUIET,
    OPTION_HELP
};

static const struct option long_options[] = {
    {"seed", required_argument, NULL, OPTION_SEED},
    {"seeds", required_argument, NULL, OPTION_SEEDS},
    {"runs", required_argument, NULL, OPTION_RUNS},
    {"station-days", required_argument, NULL, OPTION_GOAL},
    {"days", required_argument, NULL, OPTION_DAYS},
    {"stations", required_argument, NULL, OPTION_STATIONS},
    {"steps", required_argument, NULL, OPTION_STEPS},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"trace", no_argument, NULL, OPTION_TRACE},
    {"shrink", no_argument, NULL, OPTION_SHRINK},
    {"strict", no_argument, NULL, OPTION_STRICT},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

/* A whole number of at least `min` and at most `max`. */
static bool number_read(const char *text, uint64_t min, uint64_t max, uint64_t *out_number)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    *out_number = strtoull(text, &end, 10);
    return *end == '\0' && *out_number >= min && *out_number <= max;
}

static bool seeds_read(const char *text, struct options *options)
{
    const char *dots = strstr(text, "..");
    char first[24] = "";

    if (dots == NULL || (size_t)(dots - text) >= sizeof first)
        return false;
    memcpy(first, text, (size_t)(dots - text));
    return number_read(first, 0, UINT64_MAX - 1, &options->seed_first) &&
           number_read(dots + 2, options->seed_first, UINT64_MAX - 1, &options->seed_last);
}

static bool option_take(int option, const char *text, struct options *options, uint64_t *runs)
{
    uint64_t number = 0;
    bool is_good = true;

    switch (option) {
    case OPTION_SEED:
        is_good = number_read(text, 0, UINT64_MAX - 1, &options->seed_first);
        options->seed_last = options->seed_first;
        break;
    case OPTION_SEEDS:
        return seeds_read(text, options);
    case OPTION_RUNS:
        return number_read(text, 1, UINT32_MAX, runs);
    case OPTION_GOAL:
        return number_read(text, 1, UINT64_MAX, &options->station_days_goal);
    case OPTION_DAYS:
        is_good = number_read(text, 1, 400, &number);
        options->run.world.days = (unsigned)number;
        break;
    case OPTION_STATIONS:
        is_good = number_read(text, 1, 16, &number);
        options->run.world.stations = (unsigned)number;
        break;
    case OPTION_STEPS:
        return number_read(text, 1, UINT64_MAX, &options->run.steps_max);
    case OPTION_JOBS:
        is_good = number_read(text, 1, 64, &number);
        options->jobs = (unsigned)number;
        break;
    case OPTION_SECONDS:
        return number_read(text, 1, UINT32_MAX, &options->seconds);
    case OPTION_TRACE:
        options->run.trace_out = stdout;
        setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* of a run that dies, all lines */
        break;
    case OPTION_SHRINK:
        options->shrinks = true;
        break;
    case OPTION_STRICT:
        options->is_strict = true;
        break;
    case OPTION_QUIET:
        options->prints_tally = false;
        break;
    default:
        return false;
    }
    return is_good;
}

/* A limit by time or station-days goes on from the first seed. */
static bool is_one_seed(const struct options *options)
{
    return options->seed_first == options->seed_last;
}

int options_read(int argc, char **argv, struct options *out_options)
{
    struct options options = {.seed_first = 1, .seed_last = 1, .jobs = 1, .prints_tally = true};
    uint64_t runs = 0;
    int option;

    options.run.world = (struct world_config){.days = 12, .stations = 8};
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPTION_HELP) {
            fputs(help, stdout);
            return 0;
        }
        if (!option_take(option, optarg, &options, &runs)) {
            fprintf(stderr, "cairn-sim: wrong usage; see cairn-sim --help\n");
            return 64;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "cairn-sim: %s is not an option; see cairn-sim --help\n", argv[optind]);
        return 64;
    }
    if (runs > 0)
        options.seed_last = options.seed_first + runs - 1;
    if (options.station_days_goal > 0 ||
        (options.seconds > 0 && runs == 0 && is_one_seed(&options)))
        options.seed_last = UINT64_MAX - 1;
    *out_options = options;
    return -1;
}
