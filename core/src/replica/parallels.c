/* Records whose fields were written side by side: cairn_parallels of cairn/replica.h. */

#include <stdlib.h>
#include <string.h>

#include "replica_internal.h"

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
