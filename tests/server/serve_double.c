#include "serve_double.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT_BYTES = 16 };

struct cairn_replica {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_shut, is_opening_shut;
    enum cairn_status failure;
    unsigned failures_left, begun, commits, largest, done_count;
    int alive;
    char done[SERVE_DOUBLE_COMMITS_MAX][TEXT_BYTES];
};

struct cairn_serve {
    struct cairn_replica *replica;
    char text[TEXT_BYTES];
    bool is_accepted;
};

struct cairn_replica *serve_double_new(void)
{
    struct cairn_replica *replica = calloc(1, sizeof *replica);

    if (replica == NULL)
        abort();
    pthread_mutex_init(&replica->mutex, NULL);
    pthread_cond_init(&replica->changed, NULL);
    return replica;
}

void serve_double_free(struct cairn_replica *replica)
{
    pthread_cond_destroy(&replica->changed);
    pthread_mutex_destroy(&replica->mutex);
    free(replica);
}

void serve_double_shut(struct cairn_replica *replica, bool is_shut)
{
    pthread_mutex_lock(&replica->mutex);
    replica->is_shut = is_shut;
    pthread_cond_broadcast(&replica->changed);
    pthread_mutex_unlock(&replica->mutex);
}

void serve_double_shut_opening(struct cairn_replica *replica, bool is_shut)
{
    pthread_mutex_lock(&replica->mutex);
    replica->is_opening_shut = is_shut;
    pthread_cond_broadcast(&replica->changed);
    pthread_mutex_unlock(&replica->mutex);
}

void serve_double_fail(struct cairn_replica *replica, enum cairn_status status, unsigned count)
{
    pthread_mutex_lock(&replica->mutex);
    replica->failure = status;
    replica->failures_left = count;
    pthread_mutex_unlock(&replica->mutex);
}

bool serve_double_wait_begun(struct cairn_replica *replica, unsigned count)
{
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SERVE_DOUBLE_PATIENCE_S;
    pthread_mutex_lock(&replica->mutex);
    while (replica->begun < count && error == 0)
        error = pthread_cond_timedwait(&replica->changed, &replica->mutex, &until);
    bool has_begun = replica->begun >= count;
    pthread_mutex_unlock(&replica->mutex);
    return has_begun;
}

static int read_locked(struct cairn_replica *replica, const int *value)
{
    pthread_mutex_lock(&replica->mutex);
    int copy = *value;
    pthread_mutex_unlock(&replica->mutex);
    return copy;
}

unsigned serve_double_commits(struct cairn_replica *replica)
{
    pthread_mutex_lock(&replica->mutex);
    unsigned commits = replica->commits;
    pthread_mutex_unlock(&replica->mutex);
    return commits;
}

unsigned serve_double_largest(struct cairn_replica *replica)
{
    pthread_mutex_lock(&replica->mutex);
    unsigned largest = replica->largest;
    pthread_mutex_unlock(&replica->mutex);
    return largest;
}

int serve_double_alive(struct cairn_replica *replica)
{
    return read_locked(replica, &replica->alive);
}

bool serve_double_has(struct cairn_replica *replica, const char *text)
{
    bool has = false;

    pthread_mutex_lock(&replica->mutex);
    for (unsigned i = 0; i < replica->done_count; i++)
        has = has || strcmp(replica->done[i], text) == 0;
    pthread_mutex_unlock(&replica->mutex);
    return has;
}

/* ---- the facade's calls -------------------------------------------------------------------- */

enum cairn_status cairn_serve_open(struct cairn_replica *replica, struct cairn_bytes message,
                                   struct cairn_serve **out_serve, struct cairn_err *err)
{
    if (message.size == 0 || message.size >= TEXT_BYTES || message.data[0] == 'M')
        return cairn_fail(err, CAIRN_MALFORMED, "no request");
    if (message.data[0] == 'X')
        return cairn_fail(err, CAIRN_REFUSED, "unknown key");
    struct cairn_serve *serve = calloc(1, sizeof *serve);
    if (serve == NULL)
        abort();
    serve->replica = replica;
    memcpy(serve->text, message.data, message.size);
    pthread_mutex_lock(&replica->mutex);
    while (replica->is_opening_shut)
        pthread_cond_wait(&replica->changed, &replica->mutex);
    replica->alive++;
    pthread_mutex_unlock(&replica->mutex);
    *out_serve = serve;
    return CAIRN_OK;
}

static void commit_done(struct cairn_replica *replica, struct cairn_serve **serves, size_t count)
{
    replica->commits++;
    if (count > replica->largest)
        replica->largest = (unsigned)count;
    for (size_t i = 0; i < count && replica->done_count < SERVE_DOUBLE_COMMITS_MAX; i++) {
        serves[i]->is_accepted = true;
        memcpy(replica->done[replica->done_count++], serves[i]->text, TEXT_BYTES);
    }
}

enum cairn_status cairn_serve_commit(struct cairn_replica *replica, struct cairn_serve **serves,
                                     size_t count, struct cairn_serve_commit *out_commit,
                                     struct cairn_err *err)
{
    enum cairn_status status = CAIRN_OK;

    pthread_mutex_lock(&replica->mutex);
    replica->begun++;
    pthread_cond_broadcast(&replica->changed);
    while (replica->is_shut)
        pthread_cond_wait(&replica->changed, &replica->mutex);
    if (replica->failures_left > 0) {
        replica->failures_left--;
        status = cairn_fail(err, replica->failure, "as the test asked");
    }
    for (size_t i = 0; status == CAIRN_OK && i < count; i++)
        if (serves[i]->text[0] == 'P')
            status = cairn_fail(err, CAIRN_LIMIT, "poison");
    if (status == CAIRN_OK) {
        commit_done(replica, serves, count);
        out_commit->entry_count = count;
    }
    pthread_mutex_unlock(&replica->mutex);
    return status;
}

enum cairn_status cairn_serve_reply(struct cairn_replica *replica, struct cairn_serve *serve,
                                    struct cairn_bytes *out_message, struct cairn_err *err)
{
    (void)replica;
    (void)err;
    *out_message = cairn_bytes_of_text(serve->text);
    return CAIRN_OK;
}

bool cairn_serve_is_read_only(const struct cairn_serve *serve)
{
    return serve->text[0] == 'R';
}

const char *cairn_serve_tag(const struct cairn_serve *serve)
{
    return serve->text + 1;
}

uint64_t cairn_serve_entry_count(const struct cairn_serve *serve)
{
    return serve->is_accepted;
}

void cairn_serve_free(struct cairn_serve *serve)
{
    pthread_mutex_lock(&serve->replica->mutex);
    serve->replica->alive--;
    pthread_mutex_unlock(&serve->replica->mutex);
    free(serve);
}
