#define _GNU_SOURCE

#include "run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "decrees.h"
#include "faults.h"
#include "heal.h"
#include "invariants.h"
#include "links.h"
#include "malice.h"
#include "people.h"
#include "traitor.h"
#include "twin_office.h"

#define SLOTS_A_DAY 10 /* actions of a station: so many make a day count */
#define FULL_EVERY 100 /* steps */
#define HEAL_EVERY_DAYS 6

static uint64_t day_steps(const struct world_config *config)
{
    return (uint64_t)SLOTS_A_DAY * (config->stations + 1);
}

uint64_t run_step_count(const struct world_config *config)
{
    return day_steps(config) * config->days;
}

static bool is_skipped(const struct run_config *config, uint64_t step)
{
    return config->skipped != NULL && (config->skipped[step / 8] >> step % 8 & 1) != 0;
}

static bool takes_turns(const struct node *node)
{
    return node->kind == NODE_STATION && node->is_joined && !node->is_hostile;
}

/* The `turn`-th station; NULL: there are not so many. */
static struct node *whose_turn(struct world *world, uint64_t turn)
{
    for (unsigned i = 0; i < world->node_count; i++)
        if (takes_turns(&world->nodes[i]) && turn-- == 0)
            return &world->nodes[i];
    return NULL;
}

/* One of the first stations, and those who joined later or were cloned beside it. */
static void turn_take(struct world *world, uint64_t turn, struct dice *dice)
{
    struct node *node;

    for (; world_is_well(world) && (node = whose_turn(world, turn)) != NULL;
         turn += world->config.stations)
        people_act(world, node, dice);
}

static void disks_fresh(struct world *world)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        world->nodes[i].disk.fault_count = 0;
        world->nodes[i].machine.has_failed = false;
    }
}

static void step_run(struct world *world)
{
    struct dice dice;
    uint64_t place = world->step % day_steps(&world->config);
    uint64_t turn = place % (world->config.stations + 1);

    dice_init(&dice, world->config.seed, world->step);
    disks_fresh(world);
    links_deliver(world, &dice);
    if (!world_is_well(world))
        return;
    if (turn == world->config.stations)
        faults_strike(world, &dice);
    else
        turn_take(world, turn, &dice);
    world->tally.steps++;
    if (world->config.planted_settlements > 0 &&
        world->tally.seen[SEEN_CONFLICT_SETTLED] >= world->config.planted_settlements)
        world_fail(world, "planted", "conflicts were settled");
}

static void day_end(struct world *world, uint64_t day)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        struct node *node = &world->nodes[i];
        world->tally.station_days += node->kind == NODE_STATION && node->day_actions >= SLOTS_A_DAY;
        node->day_actions = 0;
    }
    if ((day + 1) % HEAL_EVERY_DAYS == 0 && day + 1 < world->config.days)
        heal(world);
}

/* All is mended; then what can only be staged when everybody holds the same. */
static void run_end(struct world *world)
{
    struct dice dice;

    dice_init(&dice, world->config.seed, UINT64_MAX - 2);
    heal(world);
    if (world_is_well(world) && world->traits.has_decrees && decrees_adopt(world, &dice))
        heal(world);
    if (world_is_well(world))
        invariants_end(world);
    if (world_is_well(world) && world->traits.has_server_fork)
        malice_server_forks(world);
    else if (world_is_well(world) && world->traits.has_traitor)
        traitor_turns(world);
    else if (world_is_well(world) && world->traits.has_twin_office)
        twin_office_grants(world);
}

static void progress_note(const struct world *world, struct run_result *progress)
{
    progress->step = world->step;
    progress->failure = world->failure;
    progress->hash = world->trace.hash;
    progress->tally = world->tally;
}

void run_world(const struct run_config *config, struct run_result *progress)
{
    struct world *world = malloc(sizeof *world);
    uint64_t steps = run_step_count(&config->world), in_a_day = day_steps(&config->world);

    CAIRN_ASSERT(world != NULL && steps < RUN_STEPS_MAX);
    if (config->steps_max > 0 && config->steps_max < steps)
        steps = config->steps_max;
    world_open(world, &config->world, config->trace_out);
    for (world->step = 0; world->step < steps && world_is_well(world); world->step++) {
        progress->step = world->step;
        world->now_s += 86400 / in_a_day;
        if (!is_skipped(config, world->step))
            step_run(world);
        if (world->step % FULL_EVERY == FULL_EVERY - 1 && world_is_well(world))
            invariants_full(world);
        if (world->step % in_a_day == in_a_day - 1 && world_is_well(world))
            day_end(world, world->step / in_a_day);
    }
    if (world_is_well(world))
        run_end(world);
    world->tally.runs++;
    progress_note(world, progress);
    world_close(world);
    free(world);
}

/* ---- apart --------------------------------------------------------------------------------- */

void run_start(const struct run_config *config, struct run_apart *out_apart)
{
    struct run_result *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    CAIRN_ASSERT(shared != MAP_FAILED);
    memset(shared, 0, sizeof *shared);
    fflush(NULL);
    pid_t child = fork();
    CAIRN_ASSERT(child >= 0);
    if (child == 0) {
        run_world(config, shared);
        exit(0);
    }
    *out_apart = (struct run_apart){child, shared};
}

void run_finish(struct run_apart *apart, int how, struct run_result *out_result)
{
    struct failure *failure = &out_result->failure;

    *out_result = *apart->shared;
    munmap(apart->shared, sizeof *apart->shared);
    apart->shared = NULL;
    if (how == 0 || failure->invariant[0] != '\0')
        return;
    strcpy(failure->invariant, "dies");
    snprintf(failure->text, sizeof failure->text, "the run ends with %s %d",
             WIFSIGNALED(how) ? "signal" : "status",
             WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    failure->step = out_result->step;
}

void run_alone(const struct run_config *config, struct run_result *out_result)
{
    struct run_apart apart;
    int how = 0;

    run_start(config, &apart);
    while (waitpid(apart.process, &how, 0) < 0)
        ;
    run_finish(&apart, how, out_result);
}
