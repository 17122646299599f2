#include "workers.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "i18n.h"

enum { TAGS_SHOWN_MAX = 8, TAGS_TEXT_BYTES = 128 };

/* A request; serve is NULL until it is decoded. */
struct job {
    struct listener_message message;
    struct cairn_serve *serve;
};

/* A first-in, first-out queue of limited length, guarded by workers.mutex. */
struct queue {
    struct job jobs[WORKERS_ARRIVED_MAX];
    size_t limit, begin, count;
};

_Static_assert(WORKERS_WAITING_MAX <= WORKERS_ARRIVED_MAX, "queues share one array size");
_Static_assert(WORKERS_COMMITTED_MAX <= WORKERS_ARRIVED_MAX, "queues share one array size");

struct workers {
    struct workers_config config;
    pthread_mutex_t mutex;
    pthread_cond_t has_work;       /* for workers: arrived, committed, or the end */
    pthread_cond_t has_waiting;    /* for the writer: waiting, or the end */
    pthread_cond_t committed_room; /* for the writer */
    struct queue arrived, waiting, committed;
    unsigned opening_count; /* workers that may still add to waiting */
    bool has_said_no;       /* submit refused and nobody was told yet that there is room */
    bool is_stopping;
    bool is_writer_done;
    bool has_failed; /* the store is unwell: drop everything */
    pthread_t writer;
    bool has_writer;
    pthread_t threads[WORKERS_MAX];
    unsigned thread_count;
};

static bool queue_push(struct queue *queue, const struct job *job)
{
    if (queue->count == queue->limit)
        return false;
    queue->jobs[(queue->begin + queue->count) % queue->limit] = *job;
    queue->count++;
    return true;
}

static struct job queue_pop(struct queue *queue)
{
    CAIRN_ASSERT(queue->count > 0);
    struct job job = queue->jobs[queue->begin];
    queue->begin = (queue->begin + 1) % queue->limit;
    queue->count--;
    return job;
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* ---- the ends of a request ----------------------------------------------------------------- */

static void job_drop(struct workers *workers, struct job *job)
{
    if (job->serve != NULL)
        cairn_serve_free(job->serve);
    workers->config.outlet.drop(workers->config.outlet.context, &job->message);
}

/* The device gets no answer and asks again. */
static void job_leave(struct workers *workers, struct job *job, const char *why)
{
    atomic_fetch_add(&workers->config.counters->unanswered, 1);
    log_event(workers->config.log, LOG_UNANSWERED, 1, why);
    job_drop(workers, job);
}

static void store_failed(struct workers *workers, enum cairn_status status, const char *why)
{
    pthread_mutex_lock(&workers->mutex);
    bool is_first = !workers->has_failed;
    workers->has_failed = true;
    pthread_mutex_unlock(&workers->mutex);
    if (!is_first)
        return;
    log_line(workers->config.log, LOG_ERROR, _("the store failed: %s. Nothing more is answered"),
             why);
    workers->config.outlet.fail(workers->config.outlet.context, status);
}

/* No answer can be given because of `status`; who is to blame decides what is said about it. */
static void job_refuse(struct workers *workers, struct job *job, enum cairn_status status,
                       const struct cairn_err *err)
{
    enum log_kind kind = LOG_BAD_BYTES;
    const char *detail = NULL;

    switch (status) {
    case CAIRN_REFUSED:
    case CAIRN_NO_RIGHT:
        kind = LOG_UNKNOWN_KEY;
        break;
    case CAIRN_BAD_SIGNATURE:
        kind = LOG_BAD_SIGNATURE;
        break;
    case CAIRN_LIMIT:
        kind = LOG_OVER_LIMIT;
        break;
    case CAIRN_MALFORMED:
    case CAIRN_NO_KEY:
        detail = err->text;
        break;
    case CAIRN_IO:
    case CAIRN_CORRUPT:
        store_failed(workers, status, err->text);
        job_leave(workers, job, NULL);
        return;
    case CAIRN_OK:
    case CAIRN_FORKED:
    case CAIRN_GAP:
    case CAIRN_CONFLICT:
    case CAIRN_NO_ANSWER:
    case CAIRN_NO_SPACE:
    case CAIRN_LOCKED:
    case CAIRN_NO_MEMORY:
    case CAIRN_NOT_FOUND:
    case CAIRN_AMBIGUOUS:
    case CAIRN_EXISTS:
    case CAIRN_BAD_INPUT:
    case CAIRN_STATUS_COUNT:
        job_leave(workers, job, err->text);
        return;
    }
    atomic_fetch_add(&workers->config.counters->refused, 1);
    log_event(workers->config.log, kind, 1, detail);
    job_drop(workers, job);
}

static void job_reply(struct workers *workers, struct job *job)
{
    struct cairn_err err = {.translate = i18n_translate};
    struct cairn_bytes reply;

    enum cairn_status status = cairn_serve_reply(workers->config.replica, job->serve, &reply, &err);
    if (status != CAIRN_OK) {
        job_refuse(workers, job, status, &err);
        return;
    }
    if (!workers->config.outlet.reply(workers->config.outlet.context, &job->message, reply))
        atomic_fetch_add(&workers->config.counters->unanswered, 1);
    cairn_serve_free(job->serve);
}

/* ---- workers ------------------------------------------------------------------------------- */

/* With the mutex held: does this device have all the places in [waiting] that are one device's? */
static bool is_share_used(const struct workers *workers, const char *tag)
{
    const struct queue *waiting = &workers->waiting;
    unsigned count = 0;

    if (tag[0] == '\0')
        return false;
    for (size_t i = 0; i < waiting->count; i++) {
        const struct job *job = &waiting->jobs[(waiting->begin + i) % waiting->limit];
        count += strcmp(cairn_serve_tag(job->serve), tag) == 0;
    }
    return count >= WORKERS_SHARE_MAX;
}

/* Decrypt and decode; then the request is answered, refused, or waits for the writer. */
static void job_open(struct workers *workers, struct job *job)
{
    struct cairn_err err = {.translate = i18n_translate};

    enum cairn_status status =
        cairn_serve_open(workers->config.replica, job->message.body, &job->serve, &err);
    if (status != CAIRN_OK) {
        job->serve = NULL;
        job_refuse(workers, job, status, &err);
        return;
    }
    counters_note_device(workers->config.counters, cairn_serve_tag(job->serve));
    if (cairn_serve_is_read_only(job->serve)) {
        job_reply(workers, job);
        return;
    }
    pthread_mutex_lock(&workers->mutex);
    bool has_room =
        !is_share_used(workers, cairn_serve_tag(job->serve)) && queue_push(&workers->waiting, job);
    pthread_cond_signal(&workers->has_waiting);
    pthread_mutex_unlock(&workers->mutex);
    if (!has_room)
        job_leave(workers, job, _("the disk is slower than the requests"));
}

/* With the mutex held: wait for a job. False: there will be none. */
static bool next_job(struct workers *workers, struct job *out_job, bool *out_is_committed,
                     bool *out_must_resume)
{
    for (;;) {
        /* Answers first: they end the wait of somebody whose work is done. */
        if (workers->committed.count > 0) {
            *out_job = queue_pop(&workers->committed);
            *out_is_committed = true;
            pthread_cond_signal(&workers->committed_room);
            return true;
        }
        if (workers->is_stopping && workers->is_writer_done)
            return false;
        if (!workers->is_stopping && workers->arrived.count > 0) {
            *out_job = queue_pop(&workers->arrived);
            *out_is_committed = false;
            *out_must_resume = workers->has_said_no;
            workers->has_said_no = false;
            workers->opening_count++;
            return true;
        }
        pthread_cond_wait(&workers->has_work, &workers->mutex);
    }
}

static void *worker_run(void *context)
{
    struct workers *workers = context;
    struct job job;
    bool is_committed = false;
    bool must_resume = false;

    pthread_mutex_lock(&workers->mutex);
    while (next_job(workers, &job, &is_committed, &must_resume)) {
        bool has_failed = workers->has_failed;
        pthread_mutex_unlock(&workers->mutex);
        if (must_resume)
            workers->config.outlet.resume(workers->config.outlet.context);
        must_resume = false;
        if (has_failed)
            job_leave(workers, &job, NULL);
        else if (is_committed)
            job_reply(workers, &job);
        else
            job_open(workers, &job);

        pthread_mutex_lock(&workers->mutex);
        if (!is_committed) {
            workers->opening_count--;
            if (workers->is_stopping)
                pthread_cond_signal(&workers->has_waiting);
        }
    }
    pthread_mutex_unlock(&workers->mutex);
    return NULL;
}

/* ---- the writer ---------------------------------------------------------------------------- */

/* "C", or "C, A7 and 3 more": whose entries were accepted. */
static void tags_print(const struct job *jobs, size_t count, char out_text[static TAGS_TEXT_BYTES])
{
    size_t used = 0, named = 0, shown = 0;

    out_text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (cairn_serve_entry_count(jobs[i].serve) == 0)
            continue;
        named++;
        if (shown == TAGS_SHOWN_MAX)
            continue;
        int size = snprintf(out_text + used, TAGS_TEXT_BYTES - used, "%s%.8s",
                            shown > 0 ? ", " : "", cairn_serve_tag(jobs[i].serve));
        used += (size_t)size;
        shown++;
    }
    if (named > shown)
        snprintf(out_text + used, TAGS_TEXT_BYTES - used, _(" and %zu more"), named - shown);
}

static void commit_note(struct workers *workers, const struct job *jobs, size_t count,
                        const struct cairn_serve_commit *commit, double commit_ms)
{
    char tags[TAGS_TEXT_BYTES], entries[64], checkpoints[64];

    atomic_fetch_add(&workers->config.counters->commits, 1);
    atomic_fetch_add(&workers->config.counters->entries, commit->entry_count);
    if (commit->refused_count > 0)
        log_event(workers->config.log, LOG_REFUSED_RUNS, commit->refused_count, NULL);
    if (commit->entry_count == 0)
        return;
    tags_print(jobs, count, tags);
    snprintf(entries, sizeof entries, ngettext("%s entry", "%s entries", commit->entry_count),
             i18n_number(commit->entry_count).text);
    snprintf(checkpoints, sizeof checkpoints,
             ngettext("%s checkpoint", "%s checkpoints", commit->checkpoint_count),
             i18n_number(commit->checkpoint_count).text);
    log_line(workers->config.log, LOG_INFO, _("accepted %s %s, commit %.1f ms, %s"), tags, entries,
             commit_ms, checkpoints);
}

/* Pause before a full disk is tried again; false when the server stops meanwhile. */
static bool pause_for_room(struct workers *workers)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += workers->config.retry_ms / 1000;
    until.tv_nsec += (long)(workers->config.retry_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&workers->mutex);
    while (!workers->is_stopping &&
           pthread_cond_timedwait(&workers->has_waiting, &workers->mutex, &until) != ETIMEDOUT) {
    }
    bool goes_on = !workers->is_stopping;
    pthread_mutex_unlock(&workers->mutex);
    return goes_on;
}

/* One commit; with a full disk as often as it takes. */
static enum cairn_status commit_try(struct workers *workers, const struct job *jobs, size_t count,
                                    struct cairn_err *err)
{
    struct cairn_serve *serves[WORKERS_GROUP_MAX];
    bool was_full = false;

    CAIRN_ASSERT(count > 0 && count <= WORKERS_GROUP_MAX);
    for (size_t i = 0; i < count; i++)
        serves[i] = jobs[i].serve;
    for (;;) {
        struct cairn_serve_commit commit = {0};
        double begun_ms = now_ms();

        enum cairn_status status =
            cairn_serve_commit(workers->config.replica, serves, count, &commit, err);
        if (status == CAIRN_OK) {
            if (was_full)
                log_line(workers->config.log, LOG_INFO, _("the disk has room again"));
            commit_note(workers, jobs, count, &commit, now_ms() - begun_ms);
        }
        if (status != CAIRN_NO_SPACE)
            return status;
        was_full = true;
        log_event(workers->config.log, LOG_NO_SPACE, 1, NULL);
        if (!pause_for_room(workers))
            return status;
    }
}

/* Hand what is on disk to the workers, who write the answers. */
static void pass_on(struct workers *workers, const struct job *jobs, size_t count)
{
    pthread_mutex_lock(&workers->mutex);
    for (size_t i = 0; i < count; i++) {
        /* Workers never wait for the writer, so room comes. */
        while (!queue_push(&workers->committed, &jobs[i]))
            pthread_cond_wait(&workers->committed_room, &workers->mutex);
        pthread_cond_signal(&workers->has_work);
    }
    pthread_mutex_unlock(&workers->mutex);
}

/* False, with nothing done, when a group has to be tried one by one. */
static bool commit_together(struct workers *workers, struct job *jobs, size_t count)
{
    struct cairn_err err = {.translate = i18n_translate};

    enum cairn_status status = commit_try(workers, jobs, count, &err);
    if (status == CAIRN_OK) {
        pass_on(workers, jobs, count);
        return true;
    }
    /* Memory that a whole group lacks may do for each of its requests. */
    if (count > 1 &&
        (status == CAIRN_NO_MEMORY || cairn_status_actor(status) != CAIRN_ACTOR_OPERATOR))
        return false;
    for (size_t i = 0; i < count; i++)
        job_refuse(workers, &jobs[i], status, &err);
    return true;
}

static void commit_group(struct workers *workers, struct job *jobs, size_t count)
{
    if (commit_together(workers, jobs, count))
        return;
    /* One request spoils the group, or it is too large: the others must not suffer. */
    for (size_t i = 0; i < count; i++)
        (void)commit_together(workers, &jobs[i], 1);
}

/* With the mutex held: wait for requests. 0: the server stops and none can come any more. */
static size_t next_group(struct workers *workers, struct job out_jobs[static WORKERS_GROUP_MAX])
{
    size_t count = 0;

    while (workers->waiting.count == 0) {
        if (workers->is_stopping && workers->opening_count == 0)
            return 0;
        pthread_cond_wait(&workers->has_waiting, &workers->mutex);
    }
    while (workers->waiting.count > 0 && count < WORKERS_GROUP_MAX)
        out_jobs[count++] = queue_pop(&workers->waiting);
    return count;
}

static void *writer_run(void *context)
{
    struct workers *workers = context;
    struct job jobs[WORKERS_GROUP_MAX];
    size_t count;

    pthread_mutex_lock(&workers->mutex);
    while ((count = next_group(workers, jobs)) > 0) {
        bool has_failed = workers->has_failed;
        pthread_mutex_unlock(&workers->mutex);
        if (!has_failed)
            commit_group(workers, jobs, count);
        for (size_t i = 0; has_failed && i < count; i++)
            job_leave(workers, &jobs[i], NULL);
        pthread_mutex_lock(&workers->mutex);
    }
    workers->is_writer_done = true;
    pthread_cond_broadcast(&workers->has_work);
    pthread_mutex_unlock(&workers->mutex);
    return NULL;
}

/* ---- life cycle ---------------------------------------------------------------------------- */

static void conditions_init(struct workers *workers)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->has_work, NULL);
    pthread_cond_init(&workers->has_waiting, &monotonic);
    pthread_cond_init(&workers->committed_room, NULL);
    pthread_condattr_destroy(&monotonic);
}

enum cairn_status workers_start(const struct workers_config *config, struct workers **out_workers,
                                struct cairn_err *err)
{
    struct workers *workers = calloc(1, sizeof *workers);

    CAIRN_ASSERT(config->worker_count >= 1 && config->worker_count <= WORKERS_MAX);
    if (workers == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    workers->config = *config;
    workers->arrived.limit = WORKERS_ARRIVED_MAX;
    workers->waiting.limit = WORKERS_WAITING_MAX;
    workers->committed.limit = WORKERS_COMMITTED_MAX;
    conditions_init(workers);

    int error = pthread_create(&workers->writer, NULL, writer_run, workers);
    workers->has_writer = error == 0;
    while (error == 0 && workers->thread_count < config->worker_count) {
        error = pthread_create(&workers->threads[workers->thread_count], NULL, worker_run, workers);
        workers->thread_count += error == 0;
    }
    if (error != 0) {
        workers_stop(workers);
        return cairn_fail(err, CAIRN_NO_MEMORY, "cannot start a thread: %s", strerror(error));
    }
    *out_workers = workers;
    return CAIRN_OK;
}

bool workers_submit(struct workers *workers, const struct listener_message *message)
{
    struct job job = {.message = *message};

    pthread_mutex_lock(&workers->mutex);
    bool has_room = queue_push(&workers->arrived, &job);
    if (has_room)
        pthread_cond_signal(&workers->has_work);
    else
        workers->has_said_no = true;
    pthread_mutex_unlock(&workers->mutex);
    if (has_room)
        atomic_fetch_add(&workers->config.counters->requests, 1);
    return has_room;
}

void workers_stop(struct workers *workers)
{
    if (workers == NULL)
        return;
    pthread_mutex_lock(&workers->mutex);
    workers->is_stopping = true;
    pthread_cond_broadcast(&workers->has_work);
    pthread_cond_broadcast(&workers->has_waiting);
    pthread_mutex_unlock(&workers->mutex);
    if (workers->has_writer)
        pthread_join(workers->writer, NULL);
    for (unsigned i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);

    while (workers->arrived.count > 0) {
        struct job job = queue_pop(&workers->arrived);
        job_drop(workers, &job);
    }
    pthread_cond_destroy(&workers->committed_room);
    pthread_cond_destroy(&workers->has_waiting);
    pthread_cond_destroy(&workers->has_work);
    pthread_mutex_destroy(&workers->mutex);
    free(workers);
}
