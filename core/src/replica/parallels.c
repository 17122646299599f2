/* Records whose fields were written side by side: one of them, declared in replica_internal.h, and
 * all of them, cairn_parallels of cairn/replica.h. */

#include <stdlib.h>
#include <string.h>

#include "announce.h"
#include "replica_internal.h"

/* ---- of one record ------------------------------------------------------------------------- */

/* Had the writer of `by` seen `of` when it wrote? Only what a log announced is known to be seen. */
static enum cairn_status had_seen(struct cairn_context *ctx, struct cairn_dot by,
                                  struct cairn_dot of, bool *out_had_seen)
{
    struct cairn_log log;
    struct cairn_announced announced;
    uint32_t number, size;

    *out_had_seen = false;
    CAIRN_TRY(cairn_log_load(ctx, by.log, &log));
    enum cairn_status status = cairn_announced_number(ctx, &log, of.log, &number, &size);
    if (status == CAIRN_OK)
        status = cairn_announced_at(ctx, by.log, number, by.index, &announced);
    if (status == CAIRN_NOT_FOUND)
        return CAIRN_OK;
    CAIRN_TRY(status);
    *out_had_seen = of.index < announced.size;
    return CAIRN_OK;
}

/* The newest live version of each log. */
static size_t newest_collect(const struct cairn_record_state *state, struct cairn_dot *newest)
{
    size_t count = 0;

    for (size_t i = 0; i < state->live_count; i++) {
        struct cairn_dot dot = state->live[i].dot;
        size_t at = 0;
        while (at < count && newest[at].log != dot.log)
            at++;
        if (at == count)
            newest[count++] = dot;
        else if (newest[at].index < dot.index)
            newest[at] = dot;
    }
    return count;
}

static bool same_field_only(const struct cairn_record_state *state, struct cairn_dot a,
                            struct cairn_dot b)
{
    for (size_t i = 0; i < state->live_count; i++)
        for (size_t k = 0; k < state->live_count; k++)
            if (state->live[i].dot.log == a.log && state->live[i].dot.index == a.index &&
                state->live[k].dot.log == b.log && state->live[k].dot.index == b.index &&
                state->live[i].field != state->live[k].field)
                return false;
    return true;
}

static bool is_of_one_log(const struct cairn_record_state *state)
{
    for (size_t i = 1; i < state->live_count; i++)
        if (state->live[i].dot.log != state->live[0].dot.log)
            return false;
    return true;
}

enum cairn_status cairn_record_parallel(struct cairn_context *ctx,
                                        const struct cairn_record_state *state,
                                        struct cairn_dot **out_dots, size_t *out_count)
{
    *out_dots = NULL;
    *out_count = 0;
    if (is_of_one_log(state))
        return CAIRN_OK;
    struct cairn_dot *newest =
        cairn_arena_get(&ctx->arena, (state->live_count + 1) * sizeof *newest);
    struct cairn_dot *dots = cairn_arena_get(&ctx->arena, (state->live_count + 1) * sizeof *dots);
    size_t count = newest == NULL || dots == NULL ? 0 : newest_collect(state, newest);

    if (newest == NULL || dots == NULL)
        return CAIRN_NO_MEMORY;
    *out_dots = dots;
    for (size_t i = 0; i < count; i++) {
        bool is_parallel = false;
        for (size_t k = 0; k < count && !is_parallel; k++) {
            bool seen_this, seen_that;
            if (k == i || same_field_only(state, newest[i], newest[k]))
                continue;
            CAIRN_TRY(had_seen(ctx, newest[i], newest[k], &seen_that));
            CAIRN_TRY(had_seen(ctx, newest[k], newest[i], &seen_this));
            is_parallel = !seen_this && !seen_that;
        }
        if (is_parallel)
            dots[(*out_count)++] = newest[i];
    }
    return CAIRN_OK;
}

/* ---- of all -------------------------------------------------------------------------------- */

struct parallel {
    struct cairn_index_row row;
    char id[32];
};
struct parallels {
    struct parallel *list;
    size_t count, capacity;
};

static enum cairn_status parallel_add(struct parallels *parallels, struct cairn_context *ctx,
                                      const struct cairn_log *log,
                                      const struct cairn_record_state *state)
{
    if (parallels->count == parallels->capacity) {
        size_t capacity = parallels->capacity * 2 + 64;
        struct parallel *grown = realloc(parallels->list, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        parallels->list = grown;
        parallels->capacity = capacity;
    }
    struct parallel *one = &parallels->list[parallels->count];
    one->row =
        (struct cairn_index_row){.scope = log->scope,
                                 .id = state->id,
                                 .bucket = cairn_record_id_hash(log, state->id.index).bytes[0],
                                 .counter = state->counter};
    CAIRN_TRY(cairn_label_format(ctx, log, state, one->id));
    parallels->count++;
    return CAIRN_OK;
}

static enum cairn_status state_check(void *context, struct cairn_context *ctx,
                                     const struct cairn_log *log,
                                     const struct cairn_record_state *state)
{
    struct cairn_dot *dots;
    size_t count;

    if (cairn_record_is_deleted(state))
        return CAIRN_OK;
    CAIRN_TRY(cairn_record_parallel(ctx, state, &dots, &count));
    return count > 0 ? parallel_add(context, ctx, log, state) : CAIRN_OK;
}

static int parallel_compare(const void *a, const void *b)
{
    const struct parallel *x = a, *y = b;

    if (x->row.scope.code != y->row.scope.code)
        return x->row.scope.code < y->row.scope.code ? -1 : 1;
    return strcmp(x->id, y->id);
}

static enum cairn_status parallels_visit(struct cairn_replica *replica,
                                         const struct parallels *parallels, cairn_record_fn *visit,
                                         void *context)
{
    bool goes_on = true;

    for (size_t i = 0; i < parallels->count && goes_on; i++) {
        struct cairn_record_state state;
        struct cairn_record record;
        CAIRN_TRY(cairn_row_load(&replica->ctx, &parallels->list[i].row, &state));
        CAIRN_TRY(cairn_row_view(replica, &replica->ctx, &parallels->list[i].row, &state, &record));
        goes_on = visit(context, &record);
        cairn_arena_reset(&replica->ctx.arena);
        cairn_arena_reset(&replica->results);
    }
    return CAIRN_OK;
}

enum cairn_status cairn_parallels(struct cairn_replica *replica, cairn_record_fn *visit,
                                  void *context, struct cairn_err *err)
{
    struct parallels parallels = {.count = 0};

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = cairn_states_visit(&replica->ctx, state_check, &parallels);
    if (status == CAIRN_OK && parallels.count > 1)
        qsort(parallels.list, parallels.count, sizeof *parallels.list, parallel_compare);
    if (status == CAIRN_OK)
        status = parallels_visit(replica, &parallels, visit, context);
    free(parallels.list);
    return cairn_replica_done(replica, status, err);
}
