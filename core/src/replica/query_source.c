/* Where the records of a query come from: one record, the rows of an index, or the records of a
 * place; declared in query_internal.h. */

#include <string.h>

#include "query_internal.h"

#include "judge.h"

/* ---- planning ------------------------------------------------------------------------------ */

/* Does the test hold for the state of a new record? */
static bool takes_first(const struct cairn_asking *asking, const struct cairn_test *test)
{
    int64_t first = (int64_t)cairn_position_first(asking->type).state;

    return test->lowest <= first && first <= test->highest;
}

/* How good a source a test makes: 0 for none. */
static int test_worth(const struct cairn_asking *asking, const struct cairn_test *test)
{
    switch (test->kind) {
    case CAIRN_TEST_NEVER:
        return 6;
    case CAIRN_TEST_RECORD:
        return 5;
    case CAIRN_TEST_CONFLICT:
        return test->is_negated ? 0 : 3;
    case CAIRN_TEST_PARALLEL:
    case CAIRN_TEST_REFUSED:
        return 0;
    case CAIRN_TEST_FAILED: /* those without a value fail too, and have no row */
        return 0;
    case CAIRN_TEST_FIELD:
        break;
    }
    /* A record that took no step has no row, and stands in the first state. */
    if (test->field->merge == CAIRN_MERGE_WORKFLOW && takes_first(asking, test))
        return 0;
    if (test->is_negated || !cairn_field_is_indexed(test->field))
        return 0;
    if (test->is_equal)
        return test->field->is_alias ? 4 : 2;
    /* Hashes have no order, and a set may have several rows in one range. */
    return test->field->is_personal || test->field->is_alias ||
                   test->field->merge == CAIRN_MERGE_SET
               ? 0
               : 1;
}

enum cairn_status cairn_source_plan(struct cairn_asking *asking)
{
    bool is_ready;
    int best = 0;

    asking->answered = NULL;
    asking->is_by_scope = true;
    CAIRN_TRY(cairn_index_is_ready(asking->ctx, &is_ready));
    for (size_t i = 0; i < asking->test_count; i++) {
        const struct cairn_test *test = &asking->tests[i];
        int worth = test_worth(asking, test);
        if (worth > best && (is_ready || worth >= 5)) {
            best = worth;
            asking->answered = test;
        }
    }
    if (best == 4) /* an alias: its rows stand in the order of values */
        asking->is_by_scope = false;
    return CAIRN_OK;
}

/* ---- rows ---------------------------------------------------------------------------------- */

static bool scope_is_asked(const struct cairn_asking *asking, uint64_t code)
{
    for (size_t i = 0; i < asking->scopes.count; i++)
        if (code >= asking->scopes.list[i].low && code <= asking->scopes.list[i].high)
            return true;
    return false;
}

/* Of a test of a field: steps outlive a deletion, and so do their rows, which do not say that the
 * record is there. */
static bool row_outlives(const struct cairn_test *test)
{
    return test->field->merge == CAIRN_MERGE_WORKFLOW;
}

/* A record that may fit. `is_answered`: the row alone says that it passes the test planned for. */
static enum cairn_status row_take(struct cairn_asking *asking, const struct cairn_index_row *row,
                                  bool is_answered)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&asking->ctx->arena);
    const struct cairn_test *answered = asking->answered;
    struct cairn_record_state state;
    bool fits = true;

    if (is_answered && asking->test_count == 1 && !asking->wants_state && !row_outlives(answered))
        return asking->fits(asking, row, NULL);
    enum cairn_status status = cairn_row_load(asking->ctx, row, &state);
    if (status == CAIRN_NOT_FOUND)
        return CAIRN_CORRUPT; /* a row of a record that is not there */
    if (!is_answered)
        asking->answered = NULL;
    if (status == CAIRN_OK)
        status = cairn_tests_run(asking, &state, &fits);
    asking->answered = answered;
    if (status == CAIRN_OK && fits && state.live_count > 0 && !cairn_record_is_deleted(&state))
        status = asking->fits(asking, row, &state);
    cairn_arena_rewind(&asking->ctx->arena, mark);
    return status;
}

static enum cairn_status record_run(struct cairn_asking *asking)
{
    struct cairn_index_row row = {.id = asking->answered->dot};
    struct cairn_log log;

    CAIRN_TRY(cairn_log_load(asking->ctx, row.id.log, &log));
    if (!scope_is_asked(asking, log.scope.code))
        return CAIRN_OK;
    row.scope = log.scope;
    row.bucket = cairn_record_id_hash(&log, row.id.index).bytes[0];
    return row_take(asking, &row, false);
}

static enum cairn_status flags_run(struct cairn_asking *asking, uint64_t low, uint64_t high)
{
    struct cairn_key prefix = cairn_flag_prefix(CAIRN_FLAG_CONFLICT);
    struct cairn_key from = {.size = 0};
    struct cairn_walk walk;
    enum cairn_status status;

    cairn_key_scope(&from, (struct cairn_scope){low});
    CAIRN_TRY(
        cairn_walk_open(asking->ctx, &prefix, cairn_key_bytes(&from), CAIRN_ASCENDING, &walk));
    while (!asking->is_over && (status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_index_row row;
        status = cairn_flag_row_read(walk.key, walk.value, &row);
        if (status == CAIRN_OK && row.scope.code > high)
            status = CAIRN_NOT_FOUND;
        if (status == CAIRN_OK)
            status = row_take(asking, &row, false);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return asking->is_over || status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* ---- values in order ----------------------------------------------------------------------- */

/* The part of an index that a test asks for: values from `low` to those that begin with `high`. */
struct span {
    struct cairn_index_value low, high;
    bool is_exact; /* every row in it passes the test */
};

static void span_of(const struct cairn_asking *asking, struct span *out_span)
{
    const struct cairn_test *test = asking->answered;
    const struct cairn_field *field = test->field;
    struct cairn_value low = {.kind = CAIRN_VALUE_INTEGER, .integer = test->lowest};
    struct cairn_value high = {.kind = CAIRN_VALUE_INTEGER, .integer = test->highest};

    if (test->by == CAIRN_BY_TEXT) {
        low = (struct cairn_value){.kind = CAIRN_VALUE_TEXT, .text = test->low};
        high = (struct cairn_value){.kind = CAIRN_VALUE_TEXT, .text = test->high};
    }
    cairn_index_value(asking->ctx, field, &low, test->dot, &out_span->low);
    cairn_index_value(asking->ctx, field, &high, test->dot, &out_span->high);
    /* A high end that may be cut, or none at all: everything that begins so. */
    if (test->by == CAIRN_BY_TEXT && !test->is_equal)
        out_span->high.size -= test->high.data == NULL ? out_span->high.size - 1 : 1;
    out_span->is_exact = out_span->low.is_exact; /* never of a text, which may be cut */
}

/* Is the value behind the span? Values are prefix-free, so that the prefix decides: here, and in
 * is_before. */
static bool is_behind(const struct span *span, struct cairn_bytes value)
{
    size_t size = value.size < span->high.size ? value.size : span->high.size;

    return memcmp(value.data, span->high.bytes, size) > 0;
}

static bool is_before(const struct span *span, struct cairn_bytes value)
{
    size_t size = value.size < span->low.size ? value.size : span->low.size;

    return memcmp(value.data, span->low.bytes, size) < 0;
}

/* Where in an index the next row is looked for. */
static struct cairn_key place_of(uint64_t scope, const struct span *span)
{
    struct cairn_key key = {.size = 0};

    cairn_key_scope(&key, (struct cairn_scope){scope});
    for (size_t i = 0; i < span->low.size; i++)
        cairn_key_u8(&key, span->low.bytes[i]);
    return key;
}

/*
 * Rows of one scope after the other, each from the low end of the span on. Between them the walk
 * leaps: behind the span to the next scope, before it to its beginning. *out_next is where to leap;
 * NOT_FOUND when nothing is left.
 */
static enum cairn_status leap_run(struct cairn_asking *asking, const struct cairn_key *prefix,
                                  const struct span *span, uint64_t high,
                                  const struct cairn_key *from, struct cairn_key *out_next)
{
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(asking->ctx, prefix, cairn_key_bytes(from), CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_index_row row;
        status = cairn_index_row_read(asking->answered->field, walk.key, walk.value, &row);
        if (status == CAIRN_OK && (row.scope.code > high || asking->is_over))
            status = CAIRN_NOT_FOUND;
        if (status != CAIRN_OK)
            break;
        bool is_last = row.scope.code == UINT64_MAX;
        if (is_behind(span, row.value) || is_before(span, row.value)) {
            bool goes_on = is_before(span, row.value) || !is_last;
            *out_next = place_of(row.scope.code + !is_before(span, row.value), span);
            status = goes_on ? CAIRN_OK : CAIRN_NOT_FOUND;
            break;
        }
        status = row_take(asking, &row, span->is_exact);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status;
}

static enum cairn_status index_run(struct cairn_asking *asking, uint64_t low, uint64_t high)
{
    struct cairn_key prefix = cairn_index_prefix(asking->type, asking->answered->field);
    struct span span;
    enum cairn_status status;

    span_of(asking, &span);
    struct cairn_key from = place_of(low, &span), next;
    while ((status = leap_run(asking, &prefix, &span, high, &from, &next)) == CAIRN_OK)
        from = next;
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* The rows of all places that were asked for: what is enough is known when all have come. */
static enum cairn_status alias_run(struct cairn_asking *asking)
{
    struct cairn_key prefix = cairn_index_prefix(asking->type, asking->answered->field);
    struct cairn_walk walk;
    struct span span;
    struct cairn_key from = {.size = 0};
    enum cairn_status status;

    span_of(asking, &span);
    for (size_t i = 0; i < span.low.size; i++)
        cairn_key_u8(&from, span.low.bytes[i]);
    CAIRN_TRY(
        cairn_walk_open(asking->ctx, &prefix, cairn_key_bytes(&from), CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_index_row row;
        status = cairn_index_row_read(asking->answered->field, walk.key, walk.value, &row);
        if (status == CAIRN_OK && is_behind(&span, row.value))
            status = CAIRN_NOT_FOUND;
        if (status == CAIRN_OK && scope_is_asked(asking, row.scope.code))
            status = row_take(asking, &row, span.is_exact);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* ---- the records of a place ---------------------------------------------------------------- */

static enum cairn_status scan_take(struct cairn_asking *asking, struct cairn_walk *walk,
                                   struct cairn_index_row *row)
{
    struct cairn_record_state state;
    bool fits;

    CAIRN_TRY(cairn_record_borrow(asking->ctx, walk->value, row->id, &state));
    state.has_bucket = true;
    state.bucket = row->bucket;
    row->counter = state.counter;
    if (state.live_count == 0 || cairn_record_is_deleted(&state))
        return CAIRN_OK;
    CAIRN_TRY(cairn_tests_run(asking, &state, &fits));
    return fits ? asking->fits(asking, row, &state) : CAIRN_OK;
}

static enum cairn_status scan_run(struct cairn_asking *asking, uint64_t low, uint64_t high)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_RECORD);
    struct cairn_key from = {.size = 0};
    struct cairn_arena_mark mark = cairn_arena_mark(&asking->ctx->arena);
    struct cairn_walk walk;
    enum cairn_status status;

    cairn_key_scope(&from, (struct cairn_scope){low});
    CAIRN_TRY(
        cairn_walk_open(asking->ctx, &prefix, cairn_key_bytes(&from), CAIRN_ASCENDING, &walk));
    while (!asking->is_over && (status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_index_row row = {.counter = 0};
        row.scope.code = cairn_read_u64be(&walk.key);
        row.bucket = cairn_read_u8(&walk.key);
        row.id.log = cairn_read_u32be(&walk.key);
        row.id.index = cairn_read_u32be(&walk.key);
        status = walk.key.failed ? CAIRN_CORRUPT : CAIRN_OK;
        if (status == CAIRN_OK && row.scope.code > high)
            status = CAIRN_NOT_FOUND;
        if (status == CAIRN_OK)
            status = scan_take(asking, &walk, &row);
        cairn_arena_rewind(&asking->ctx->arena, mark);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return asking->is_over || status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_source_run(struct cairn_asking *asking)
{
    const struct cairn_test *answered = asking->answered;

    if (answered != NULL && answered->kind == CAIRN_TEST_NEVER)
        return CAIRN_OK;
    if (answered != NULL && answered->kind == CAIRN_TEST_RECORD)
        return record_run(asking);
    if (!asking->is_by_scope)
        return alias_run(asking);
    for (size_t i = 0; i < asking->scopes.count && !asking->is_over; i++) {
        uint64_t low = asking->scopes.list[i].low, high = asking->scopes.list[i].high;
        if (answered == NULL)
            CAIRN_TRY(scan_run(asking, low, high));
        else if (answered->kind == CAIRN_TEST_CONFLICT)
            CAIRN_TRY(flags_run(asking, low, high));
        else
            CAIRN_TRY(index_run(asking, low, high));
    }
    return CAIRN_OK;
}
