/* Lists of records: cairn/query.h. */

#include <stdlib.h>
#include <string.h>

#include "query_internal.h"
#include "seen.h"

/* ---- what was found ------------------------------------------------------------------------ */

#define SORT_BYTES CAIRN_INDEX_VALUE_BYTES

/* A record that goes into the list, and what it is ordered by. */
struct found {
    struct cairn_index_row row;
    char tag[8];
    size_t sort_size; /* 0: it has no value to be sorted by */
    uint8_t sort[SORT_BYTES];
};

struct listing {
    struct cairn_asking asking;
    const struct cairn_query *query;
    const struct cairn_field *sort; /* NULL: by place and id */
    uint64_t *wanted;               /* numbers of fields; NULL: all */
    cairn_record_fn *visit;
    void *context;
    struct found *found;
    size_t count, capacity;
    size_t heap_max; /* sorted with a limit: so many are kept, the last of them first; else 0 */
    uint64_t passed, given;
};

static int place_compare(const struct found *x, const struct found *y)
{
    if (x->row.scope.code != y->row.scope.code)
        return x->row.scope.code < y->row.scope.code ? -1 : 1;
    int order = strcmp(x->tag, y->tag);
    if (order != 0)
        return order;
    if (x->row.counter != y->row.counter)
        return x->row.counter < y->row.counter ? -1 : 1;
    if (x->row.id.log != y->row.id.log)
        return x->row.id.log < y->row.id.log ? -1 : 1;
    return x->row.id.index < y->row.id.index ? -1 : x->row.id.index > y->row.id.index;
}

static int up_compare(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    size_t size = x->sort_size < y->sort_size ? x->sort_size : y->sort_size;

    if ((x->sort_size == 0) != (y->sort_size == 0))
        return x->sort_size == 0 ? 1 : -1;
    int order = memcmp(x->sort, y->sort, size);
    return order != 0 ? order : place_compare(x, y);
}

static int down_compare(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    size_t size = x->sort_size < y->sort_size ? x->sort_size : y->sort_size;

    if ((x->sort_size == 0) != (y->sort_size == 0))
        return x->sort_size == 0 ? 1 : -1;
    int order = memcmp(x->sort, y->sort, size);
    return order != 0 ? -order : place_compare(x, y);
}

static int found_compare(const struct listing *listing, const struct found *x,
                         const struct found *y)
{
    return listing->query->sorts_down ? down_compare(x, y) : up_compare(x, y);
}

/* ---- giving them out ----------------------------------------------------------------------- */

/* Leave only versions of wanted fields; of a record in conflict all stay, a person must see them.
 */
static void state_project(const struct listing *listing, struct cairn_record_state *state)
{
    size_t kept = 0;

    if (listing->wanted == NULL || cairn_record_has_conflict(state))
        return;
    for (size_t i = 0; i < state->live_count; i++) {
        bool is_wanted = state->live[i].field == CAIRN_FIELD_EXISTENCE;
        for (size_t f = 0; f < listing->query->field_count && !is_wanted; f++)
            is_wanted = state->live[i].field == listing->wanted[f];
        if (is_wanted)
            state->live[kept++] = state->live[i];
    }
    state->live_count = kept;
}

static enum cairn_status found_give(struct listing *listing, const struct found *found)
{
    struct cairn_context *ctx = listing->asking.ctx;
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_record_state state;
    struct cairn_record record;

    if (listing->passed < listing->query->offset) {
        listing->passed++;
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_row_load(ctx, &found->row, &state));
    state_project(listing, &state);
    CAIRN_TRY(cairn_row_view(listing->asking.replica, ctx, &found->row, &state, &record));
    listing->given++;
    listing->asking.is_over =
        !listing->visit(listing->context, &record) || listing->given == listing->query->limit;
    cairn_arena_rewind(&ctx->arena, mark);
    cairn_arena_reset(&listing->asking.replica->results);
    return CAIRN_OK;
}

/* Give all that was gathered, in order, and forget it. */
static enum cairn_status found_flush(struct listing *listing)
{
    if (listing->count > 1)
        qsort(listing->found, listing->count, sizeof *listing->found,
              listing->query->sorts_down ? down_compare : up_compare);
    for (size_t i = 0; i < listing->count && !listing->asking.is_over; i++)
        CAIRN_TRY(found_give(listing, &listing->found[i]));
    listing->count = 0;
    return CAIRN_OK;
}

/* ---- gathering ----------------------------------------------------------------------------- */

/* The last of what is kept stands at the top, and goes when a better one comes. */
static void heap_sift_down(struct listing *listing)
{
    struct found *heap = listing->found;
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= listing->count)
            return;
        if (child + 1 < listing->count &&
            found_compare(listing, &heap[child + 1], &heap[child]) > 0)
            child++;
        if (found_compare(listing, &heap[child], &heap[at]) <= 0)
            return;
        struct found swapped = heap[at];
        heap[at] = heap[child];
        heap[child] = swapped;
        at = child;
    }
}

static void heap_sift_up(struct listing *listing)
{
    struct found *heap = listing->found;

    for (size_t at = listing->count - 1; at > 0;) {
        size_t above = (at - 1) / 2;
        if (found_compare(listing, &heap[at], &heap[above]) <= 0)
            return;
        struct found swapped = heap[at];
        heap[at] = heap[above];
        heap[above] = swapped;
        at = above;
    }
}

static enum cairn_status found_add(struct listing *listing, const struct found *found)
{
    if (listing->heap_max > 0 && listing->count == listing->heap_max) {
        if (found_compare(listing, found, &listing->found[0]) >= 0)
            return CAIRN_OK;
        listing->found[0] = *found;
        heap_sift_down(listing);
        return CAIRN_OK;
    }
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity * 2 + 64;
        struct found *grown = realloc(listing->found, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        listing->found = grown;
        listing->capacity = capacity;
    }
    listing->found[listing->count++] = *found;
    if (listing->heap_max > 0)
        heap_sift_up(listing);
    return CAIRN_OK;
}

static enum cairn_status sort_value(struct listing *listing, const struct cairn_record_state *state,
                                    struct found *found)
{
    struct cairn_context *ctx = listing->asking.ctx;
    struct cairn_field plain = *listing->sort; /* a personal value is sorted as what it is */
    struct cairn_index_value sort;
    struct cairn_value value;
    struct cairn_dot dot;

    enum cairn_status status =
        cairn_asked_shown(&listing->asking, state, listing->sort, 0, &value, &dot);
    if (status != CAIRN_OK)
        return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
    plain.is_personal = false;
    cairn_index_value(ctx, &plain, &value, dot, &sort);
    memcpy(found->sort, sort.bytes, sort.size);
    found->sort_size = sort.size;
    return CAIRN_OK;
}

static enum cairn_status list_fits(struct cairn_asking *asking, const struct cairn_index_row *row,
                                   const struct cairn_record_state *state)
{
    struct listing *listing = asking->context;
    const struct cairn_seen_log *log;
    struct found found;

    /* What goes before in the order of places is all here: give it. */
    if (listing->sort == NULL && asking->is_by_scope && listing->count > 0 &&
        listing->found[0].row.scope.code != row->scope.code) {
        CAIRN_TRY(found_flush(listing));
        if (asking->is_over)
            return CAIRN_OK;
    }
    CAIRN_TRY(cairn_seen_log(asking->ctx, row->id.log, &log));
    found.row = *row;
    memcpy(found.tag, log->tag, sizeof found.tag);
    found.sort_size = 0;
    if (listing->sort != NULL)
        CAIRN_TRY(sort_value(listing, state, &found));
    return found_add(listing, &found);
}

/* ---- the call ------------------------------------------------------------------------------ */

static enum cairn_status wanted_prepare(struct listing *listing)
{
    const struct cairn_query *query = listing->query;
    const struct cairn_field *field;

    if (query->fields == NULL)
        return CAIRN_OK;
    listing->wanted = cairn_arena_get(&listing->asking.memory,
                                      (query->field_count + 1) * sizeof *listing->wanted);
    if (listing->wanted == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < query->field_count; i++) {
        CAIRN_TRY(cairn_asked_field(&listing->asking, query->fields[i], &field));
        listing->wanted[i] = field->number;
    }
    return CAIRN_OK;
}

static enum cairn_status listing_prepare(struct listing *listing)
{
    const struct cairn_query *query = listing->query;

    if (query->type != NULL)
        CAIRN_TRY(cairn_tests_prepare(&listing->asking, query));
    CAIRN_TRY(wanted_prepare(listing));
    if (query->sort_field != NULL)
        CAIRN_TRY(cairn_asked_field(&listing->asking, query->sort_field, &listing->sort));
    listing->asking.wants_state = listing->sort != NULL;
    if (query->limit > 0 && query->limit < SIZE_MAX / 2 && query->offset < SIZE_MAX / 2)
        listing->heap_max = (size_t)(query->offset + query->limit);
    CAIRN_TRY(cairn_source_plan(&listing->asking));
    /* By place, village after village: those of one are gathered whole. */
    if (listing->sort == NULL && listing->asking.is_by_scope)
        listing->heap_max = 0;
    return CAIRN_OK;
}

static enum cairn_status listing_run(struct listing *listing, struct cairn_err *err)
{
    struct cairn_replica *replica = listing->asking.replica;

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    listing->asking.ctx = &replica->ctx;
    listing->asking.fits = list_fits;
    listing->asking.context = listing;
    cairn_arena_init(&listing->asking.memory);
    enum cairn_status status = listing_prepare(listing);
    if (status == CAIRN_OK)
        status = cairn_source_run(&listing->asking);
    if (status == CAIRN_OK)
        status = found_flush(listing);
    free(listing->found);
    cairn_arena_release(&listing->asking.memory);
    return cairn_replica_done(replica, status, err);
}

enum cairn_status cairn_query_run(struct cairn_replica *replica, const struct cairn_query *query,
                                  cairn_record_fn *visit, void *context, struct cairn_err *err)
{
    struct listing listing = {
        .asking = {.replica = replica}, .query = query, .visit = visit, .context = context};

    return listing_run(&listing, err);
}

enum cairn_status cairn_list(struct cairn_replica *replica, const char *type,
                             const struct cairn_field_value *filter, size_t filter_count,
                             cairn_record_fn *visit, void *context, struct cairn_err *err)
{
    struct cairn_condition conditions[CAIRN_TESTS_MAX];
    const struct cairn_query query = {
        .type = type, .conditions = conditions, .condition_count = filter_count};

    for (size_t i = 0; i < filter_count && i < CAIRN_TESTS_MAX; i++)
        conditions[i] = (struct cairn_condition){filter[i].name, CAIRN_EQUAL, filter[i].value};
    return cairn_query_run(replica, &query, visit, context, err);
}

enum cairn_status cairn_conflicts(struct cairn_replica *replica, cairn_record_fn *visit,
                                  void *context, struct cairn_err *err)
{
    const struct cairn_query query = {.type = NULL};
    struct listing listing = {
        .asking = {.replica = replica, .test_count = 1, .tests = {{.kind = CAIRN_TEST_CONFLICT}}},
        .query = &query,
        .visit = visit,
        .context = context};

    listing.asking.scopes.count = 1;
    listing.asking.scopes.list[0].high = UINT64_MAX;
    return listing_run(&listing, err);
}
