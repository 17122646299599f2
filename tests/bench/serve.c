#include "serve.h"

#include <stdlib.h>
#include <string.h>

#include "measure.h"

enum { EXCHANGES_MAX = 64 }; /* a station that still has more after so many will never be done */

/* ---- the server ---------------------------------------------------------------------------- */

static enum cairn_status group_run(struct cairn_replica *server, struct serve_item *items,
                                   size_t count, struct serve_meter *meter, struct cairn_err *err)
{
    struct cairn_serve *writing[SERVE_GROUP_MAX];
    struct cairn_serve_commit commit = {0};
    enum cairn_status status = CAIRN_OK;
    size_t writing_count = 0;

    for (size_t i = 0; status == CAIRN_OK && i < count; i++) {
        status = cairn_serve_open(server, items[i].request, &items[i].serve, err);
        if (status == CAIRN_OK && !cairn_serve_is_read_only(items[i].serve))
            writing[writing_count++] = items[i].serve;
    }
    if (status == CAIRN_OK && writing_count > 0) {
        status = cairn_serve_commit(server, writing, writing_count, &commit, err);
        meter->commit_count++;
    }
    if (status == CAIRN_OK && commit.refused_count > 0)
        status = cairn_fail(err, CAIRN_REFUSED, "the server refused runs of the workload");
    for (size_t i = 0; status == CAIRN_OK && i < count; i++)
        status = cairn_serve_reply(server, items[i].serve, &items[i].reply, err);
    meter->entry_count += commit.entry_count;
    meter->request_count += count;
    return status;
}

enum cairn_status serve_group(struct cairn_replica *server, struct serve_item *items, size_t count,
                              struct serve_meter *meter, struct cairn_err *err)
{
    CAIRN_ASSERT(count <= SERVE_GROUP_MAX);
    for (size_t i = 0; i < count; i++)
        items[i].serve = NULL;
    double begun_s = measure_cpu_s();
    enum cairn_status status = group_run(server, items, count, meter, err);
    meter->cpu_s += measure_cpu_s() - begun_s;
    return status;
}

void serve_release(struct serve_item *items, size_t count, struct serve_meter *meter)
{
    double begun_s = measure_cpu_s();

    for (size_t i = 0; i < count; i++)
        if (items[i].serve != NULL)
            cairn_serve_free(items[i].serve);
    meter->cpu_s += measure_cpu_s() - begun_s;
}

/* ---- the stations -------------------------------------------------------------------------- */

/* Requests of all that are not done yet, before the first is served: stations ask at once. */
struct wave {
    struct device **active;
    struct serve_item *items;
    size_t count;
};

static enum cairn_status requests_make(struct wave *wave, struct cairn_err *err)
{
    for (size_t i = 0; i < wave->count; i++) {
        struct cairn_bytes request;
        enum cairn_status status = cairn_sync_request(wave->active[i]->replica, &request, err);
        if (status != CAIRN_OK)
            return status;
        uint8_t *copy = malloc(request.size);
        if (copy == NULL)
            return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
        memcpy(copy, request.data, request.size);
        wave->items[i].request = (struct cairn_bytes){copy, request.size};
    }
    return CAIRN_OK;
}

static enum cairn_status replies_take(struct wave *wave, size_t first, size_t count,
                                      bool *out_again, struct cairn_err *err)
{
    for (size_t i = first; i < first + count; i++) {
        enum cairn_status status =
            cairn_sync_reply(wave->active[i]->replica, wave->items[i].reply, &out_again[i], err);
        if (status != CAIRN_OK)
            return status;
    }
    return CAIRN_OK;
}

/* One exchange of each; those that are done leave the wave. */
static enum cairn_status wave_run(struct cairn_replica *server, struct wave *wave, bool *again,
                                  struct serve_meter *meter, struct cairn_err *err)
{
    size_t left = 0;

    memset(wave->items, 0, wave->count * sizeof *wave->items);
    enum cairn_status status = requests_make(wave, err);
    for (size_t first = 0; status == CAIRN_OK && first < wave->count; first += SERVE_GROUP_MAX) {
        size_t count = wave->count - first;
        if (count > SERVE_GROUP_MAX)
            count = SERVE_GROUP_MAX;
        status = serve_group(server, &wave->items[first], count, meter, err);
        if (status == CAIRN_OK)
            status = replies_take(wave, first, count, again, err);
        serve_release(&wave->items[first], count, meter);
    }
    for (size_t i = 0; i < wave->count; i++)
        free((void *)(uintptr_t)wave->items[i].request.data);
    for (size_t i = 0; status == CAIRN_OK && i < wave->count; i++)
        if (again[i])
            wave->active[left++] = wave->active[i];
    wave->count = left;
    return status;
}

enum cairn_status serve_stations(struct cairn_replica *server, struct device *stations,
                                 size_t count, struct serve_meter *meter, struct cairn_err *err)
{
    struct wave wave = {
        .active = calloc(count, sizeof *wave.active),
        .items = calloc(count, sizeof *wave.items),
        .count = count,
    };
    bool *again = calloc(count, sizeof *again);
    enum cairn_status status = CAIRN_OK;

    if (wave.active == NULL || wave.items == NULL || again == NULL)
        status = cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    for (size_t i = 0; status == CAIRN_OK && i < count; i++) {
        wave.active[i] = &stations[i];
        status = cairn_sync_begin(stations[i].replica, err);
    }
    for (int round = 0; status == CAIRN_OK && wave.count > 0; round++) {
        if (round == EXCHANGES_MAX)
            status = cairn_fail(err, CAIRN_LIMIT, "a station asks again and again");
        else
            status = wave_run(server, &wave, again, meter, err);
    }
    free(wave.active);
    free(wave.items);
    free(again);
    return status;
}
