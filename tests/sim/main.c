/* cairn-sim: runs of the simulator from the command line, and what came of them. */

#define _GNU_SOURCE

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "options.h"
#include "shrink.h"

#define JOBS_MAX 64
#define FAILURES_MAX 10 /* then it stops: they are likely one */
#define SHRINK_TRIES 400
#define TELL_EVERY 10000 /* station-days of a long session */

struct job {
    struct run_apart apart;
    uint64_t seed;
    bool is_busy;
};

struct session {
    const struct options *options;
    struct job jobs[JOBS_MAX];
    uint64_t next_seed;
    unsigned busy_count, failure_count;
    double begun_s;
    struct tally tally;
};

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool wants_more(const struct session *session)
{
    const struct options *options = session->options;

    return session->next_seed <= options->seed_last && session->failure_count < FAILURES_MAX &&
           (options->seconds == 0 || seconds() - session->begun_s < (double)options->seconds) &&
           (options->station_days_goal == 0 ||
            session->tally.station_days < options->station_days_goal);
}

static void job_start(struct session *session, struct job *job)
{
    struct run_config config = session->options->run;

    job->seed = config.world.seed = session->next_seed++;
    job->is_busy = true;
    session->busy_count++;
    run_start(&config, &job->apart);
}

static void failure_tell(struct session *session, uint64_t seed, const struct run_result *result)
{
    struct run_config config = session->options->run;
    struct shrunk shrunk;

    session->failure_count++;
    printf("seed %" PRIu64 ", step %" PRIu64 ": %s: %s\n", seed, result->failure.step,
           result->failure.invariant, result->failure.text);
    printf("  again: cairn-sim --seed %" PRIu64 " --days %u --stations %u --trace\n", seed,
           config.world.days, config.world.stations);
    if (!session->options->shrinks)
        return;
    fflush(stdout);
    config.world.seed = seed;
    config.trace_out = NULL;
    shrink(&config, &result->failure, SHRINK_TRIES, &shrunk);
    shrunk_print(&config, &shrunk);
    free(shrunk.skipped);
}

/* A long session says how far it has come. */
static void progress_tell(const struct session *session, uint64_t before)
{
    const struct tally *tally = &session->tally;

    if (before / TELL_EVERY != tally->station_days / TELL_EVERY)
        fprintf(stderr, "%" PRIu64 " station-days in %" PRIu64 " runs, %u failed\n",
                tally->station_days, tally->runs, session->failure_count);
}

static void job_end(struct session *session, struct job *job, int how)
{
    struct run_result result;
    uint64_t before = session->tally.station_days;

    run_finish(&job->apart, how, &result);
    job->is_busy = false;
    session->busy_count--;
    tally_add(&session->tally, &result.tally);
    if (result.failure.invariant[0] != '\0')
        failure_tell(session, job->seed, &result);
    else if (session->options->seed_first == session->options->seed_last)
        printf("seed %" PRIu64 ": trace %016" PRIx64 "\n", job->seed, result.hash);
    fflush(stdout);
    progress_tell(session, before);
}

static void jobs_wait(struct session *session)
{
    int how = 0;
    pid_t process = wait(&how);

    for (unsigned i = 0; i < JOBS_MAX; i++)
        if (session->jobs[i].is_busy && session->jobs[i].apart.process == process) {
            job_end(session, &session->jobs[i], how);
            return;
        }
}

static void session_run(struct session *session)
{
    while (wants_more(session) || session->busy_count > 0) {
        for (unsigned i = 0; i < session->options->jobs && wants_more(session); i++)
            if (!session->jobs[i].is_busy)
                job_start(session, &session->jobs[i]);
        if (session->busy_count > 0)
            jobs_wait(session);
    }
}

int main(int argc, char **argv)
{
    struct session session = {.busy_count = 0};
    struct options options;
    unsigned zeros = 0;
    double begun = seconds();

    int code = options_read(argc, argv, &options);
    if (code >= 0)
        return code;
    if (sodium_init() < 0)
        return 1;
    session.options = &options;
    session.next_seed = options.seed_first;
    session.begun_s = begun;
    session_run(&session);
    if (options.prints_tally)
        zeros = tally_print(&session.tally);
    else if (options.is_strict)
        zeros = tally_print_zeros(&session.tally);
    double took = seconds() - begun;
    printf("%" PRIu64 " runs, %" PRIu64 " station-days of %" PRIu64 " actions, %" PRIu64
           " edits in %.1f s: %.0f station-days/s\n",
           session.tally.runs, session.tally.station_days, session.tally.actions,
           session.tally.edits, took, (double)session.tally.station_days / took);
    if (session.failure_count > 0)
        return 1;
    if (options.is_strict && zeros > 0)
        fprintf(stderr, "%u of them never happened\n", zeros);
    return options.is_strict && zeros > 0 ? 2 : 0;
}
