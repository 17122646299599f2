/* Conditions, as people give them, and whether a record meets them; declared in query_internal.h.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query_internal.h"

#include "history_internal.h"
#include "judge.h"
#include "said.h"

#define CODE_DIGITS_MAX 12

/* ---- places -------------------------------------------------------------------------------- */

static const unsigned code_lengths[] = {2, 4, 6, 9, 12};

static uint64_t power_of_ten(size_t exponent)
{
    uint64_t power = 1;

    while (exponent-- > 0)
        power *= 10;
    return power;
}

static enum cairn_status scopes_prepare(struct cairn_asking *asking, const char *prefix)
{
    struct cairn_scope_ranges *scopes = &asking->scopes;
    size_t digits = strlen(prefix);

    if (strspn(prefix, "0123456789") != digits)
        return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT,
                          "village code %s: only digits can stand in it.", prefix);
    if (digits > CODE_DIGITS_MAX)
        return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT,
                          "village code %s has %zu digits, at most %d are possible.", prefix,
                          digits, CODE_DIGITS_MAX);
    uint64_t code = digits == 0 ? 0 : strtoull(prefix, NULL, 10);
    scopes->count = 0;
    if (digits == 0) {
        scopes->list[0].low = 0;
        scopes->list[0].high = UINT64_MAX;
        scopes->count = 1;
    }
    for (size_t i = 0; digits > 0 && i < sizeof code_lengths / sizeof code_lengths[0]; i++) {
        if (code_lengths[i] < digits)
            continue;
        uint64_t power = power_of_ten(code_lengths[i] - digits);
        scopes->list[scopes->count].low = code * power;
        scopes->list[scopes->count].high = code * power + power - 1;
        scopes->count++;
    }
    return CAIRN_OK;
}

/* ---- bands --------------------------------------------------------------------------------- */

/* An end of a band: an amount without ".00". */
static void end_text(const struct cairn_field *field, int64_t end, char out_text[static 24])
{
    if (field->wire == CAIRN_WIRE_MONEY && end % 100 == 0)
        snprintf(out_text, 24, "%" PRId64, end / 100);
    else if (field->wire == CAIRN_WIRE_MONEY)
        snprintf(out_text, 24, "%s%lld.%02lld", end < 0 ? "-" : "", llabs(end) / 100,
                 llabs(end) % 100);
    else
        snprintf(out_text, 24, "%" PRId64, end);
}

void cairn_band_text(const struct cairn_field *field, size_t number,
                     char out_text[static CAIRN_BAND_TEXT_BYTES])
{
    char low[24] = "", high[24] = "";

    if (number > 0)
        end_text(field, field->bands[number - 1], low);
    if (number < field->band_count)
        end_text(field, field->bands[number], high);
    snprintf(out_text, CAIRN_BAND_TEXT_BYTES, number == 0 ? "%s<%s" : "%s..%s", low, high);
}

size_t cairn_band_of(const struct cairn_field *field, int64_t value)
{
    size_t number = 0;

    while (number < field->band_count && value >= field->bands[number])
        number++;
    return number;
}

enum cairn_status cairn_banded_field(struct cairn_asking *asking,
                                     const struct cairn_field **out_field)
{
    for (size_t i = 0; i < asking->type->field_count; i++)
        if (asking->type->fields[i].band_count > 0) {
            *out_field = &asking->type->fields[i];
            return CAIRN_OK;
        }
    return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT, "No field of a %s has bands.",
                      asking->type->name);
}

static enum cairn_status band_prepare(struct cairn_asking *asking, const char *text,
                                      struct cairn_test *test)
{
    char name[CAIRN_BAND_TEXT_BYTES], first[CAIRN_BAND_TEXT_BYTES], last[CAIRN_BAND_TEXT_BYTES];

    CAIRN_TRY(cairn_banded_field(asking, &test->field));
    for (size_t i = 0; i <= test->field->band_count; i++) {
        cairn_band_text(test->field, i, name);
        if (strcmp(name, text) != 0)
            continue;
        if (i > 0)
            test->lowest = test->field->bands[i - 1];
        if (i < test->field->band_count)
            test->highest = test->field->bands[i] - 1;
        return CAIRN_OK;
    }
    cairn_band_text(test->field, 0, first);
    cairn_band_text(test->field, test->field->band_count, last);
    return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT,
                      "There is no band %s: the first band of %s is \"%s\", the last \"%s\".", text,
                      test->field->name, first, last);
}

/* ---- values -------------------------------------------------------------------------------- */

enum cairn_status cairn_asked_field(struct cairn_asking *asking, const char *name,
                                    const struct cairn_field **out_field)
{
    *out_field = cairn_type_field_called(asking->type, name);
    if (*out_field == NULL && strcmp(name, "state") == 0)
        *out_field = cairn_type_workflow(asking->type);
    if (*out_field == NULL)
        return cairn_field_missing(asking->ctx->err, asking->type->name, name);
    return CAIRN_OK;
}

static bool is_ordered(const struct cairn_field *field)
{
    return field->merge != CAIRN_MERGE_WORKFLOW && field->wire != CAIRN_WIRE_CHOICE &&
           field->wire != CAIRN_WIRE_FLAGS && field->wire != CAIRN_WIRE_YES_NO &&
           field->wire != CAIRN_WIRE_REFERENCE;
}

static bool is_number(const struct cairn_field *field)
{
    return field->wire == CAIRN_WIRE_INTEGER || field->wire == CAIRN_WIRE_MONEY ||
           field->wire == CAIRN_WIRE_DATE;
}

static bool is_named(const char *text, const char *name, const char *label_zh, const char *label_en)
{
    return strcmp(text, name) == 0 || strcmp(text, label_zh) == 0 || strcmp(text, label_en) == 0;
}

static enum cairn_status state_parse(struct cairn_asking *asking, const char *text,
                                     struct cairn_value *out_value)
{
    for (size_t i = 0; i < asking->type->state_count; i++) {
        const struct cairn_workflow_state *state = &asking->type->states[i];
        if (!is_named(text, state->name, state->label_zh, state->label_en))
            continue;
        *out_value =
            (struct cairn_value){.kind = CAIRN_VALUE_INTEGER, .integer = (int64_t)state->number};
        return CAIRN_OK;
    }
    return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT, "A %s has no state %s.",
                      asking->type->name, text);
}

static enum cairn_status value_parse(struct cairn_asking *asking, const struct cairn_field *field,
                                     const char *text, struct cairn_value *out_value,
                                     struct cairn_dot *out_dot)
{
    struct cairn_log log;
    struct cairn_record_state state;

    *out_dot = (struct cairn_dot){0, 0};
    if (field->merge == CAIRN_MERGE_WORKFLOW)
        return state_parse(asking, text, out_value);
    if (field->wire != CAIRN_WIRE_REFERENCE)
        return cairn_field_parse(field, text, out_value, asking->ctx->err);
    CAIRN_TRY(cairn_label_find(asking->ctx, text, &log, &state));
    *out_value = (struct cairn_value){.kind = CAIRN_VALUE_DOT};
    *out_dot = state.id;
    return CAIRN_OK;
}

static void test_equals(struct cairn_test *test, const struct cairn_value *value,
                        struct cairn_dot dot)
{
    test->is_equal = true;
    test->dot = dot;
    if (value->kind == CAIRN_VALUE_DOT) {
        test->by = CAIRN_BY_DOT;
    } else if (value->kind == CAIRN_VALUE_TEXT) {
        test->by = CAIRN_BY_TEXT;
        test->low = test->high = value->text;
    } else {
        test->lowest = test->highest = value->integer;
    }
}

/* One end of what is asked for. */
static enum cairn_status end_prepare(struct cairn_asking *asking, struct cairn_test *test,
                                     const char *text, bool is_low, bool is_open)
{
    struct cairn_value value;
    struct cairn_dot dot;

    CAIRN_TRY(value_parse(asking, test->field, text, &value, &dot));
    test->by = value.kind == CAIRN_VALUE_TEXT ? CAIRN_BY_TEXT : CAIRN_BY_INTEGER;
    if (test->by == CAIRN_BY_TEXT && is_low) {
        test->low = value.text;
        test->is_low_open = is_open;
    } else if (test->by == CAIRN_BY_TEXT) {
        test->high = value.text;
        test->is_high_open = is_open;
    } else if (is_low) {
        test->lowest = value.integer;
        if (is_open && value.integer == INT64_MAX)
            test->kind = CAIRN_TEST_NEVER;
        test->lowest += is_open && value.integer < INT64_MAX;
    } else {
        test->highest = value.integer;
        if (is_open && value.integer == INT64_MIN)
            test->kind = CAIRN_TEST_NEVER;
        test->highest -= is_open && value.integer > INT64_MIN;
    }
    return CAIRN_OK;
}

static enum cairn_status range_prepare(struct cairn_asking *asking, struct cairn_test *test,
                                       const char *text)
{
    const char *dots = strstr(text, "..");

    if (dots == NULL || (dots == text && dots[2] == '\0'))
        return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT,
                          "%s: \"%s\" is not a range of the form LOW..HIGH.", test->field->name,
                          text);
    struct cairn_bytes low = cairn_arena_copy(
        &asking->memory, (struct cairn_bytes){(const uint8_t *)text, (size_t)(dots - text)});
    if (low.data == NULL)
        return CAIRN_NO_MEMORY;
    if (low.size > 0)
        CAIRN_TRY(end_prepare(asking, test, (const char *)low.data, true, false));
    enum cairn_test_by by = test->by;
    if (dots[2] != '\0')
        CAIRN_TRY(end_prepare(asking, test, dots + 2, false, false));
    if (low.size > 0 && dots[2] != '\0' && by != test->by)
        return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT,
                          "%s: \"%s\" is not a range of the form LOW..HIGH.", test->field->name,
                          text);
    if (test->lowest > test->highest)
        return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT,
                          "%s: the range %s ends before it begins.", test->field->name, text);
    return CAIRN_OK;
}

static enum cairn_status field_prepare(struct cairn_asking *asking,
                                       const struct cairn_condition *condition,
                                       struct cairn_test *test)
{
    const char *text = condition->value;
    enum cairn_compare compare = condition->compare;
    struct cairn_value value;
    struct cairn_dot dot;

    CAIRN_TRY(cairn_asked_field(asking, condition->field, &test->field));
    if (compare == CAIRN_EQUAL && is_number(test->field) && strstr(text, "..") != NULL)
        compare = CAIRN_RANGE;
    if (compare != CAIRN_EQUAL && compare != CAIRN_NOT_EQUAL && !is_ordered(test->field))
        return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT,
                          "%s has no order: only = and != can be asked of it.", condition->field);
    switch (compare) {
    case CAIRN_NOT_EQUAL:
    case CAIRN_EQUAL:
        CAIRN_TRY(value_parse(asking, test->field, text, &value, &dot));
        test_equals(test, &value, dot);
        test->is_negated = compare == CAIRN_NOT_EQUAL;
        return CAIRN_OK;
    case CAIRN_LESS:
    case CAIRN_AT_MOST:
        return end_prepare(asking, test, text, false, compare == CAIRN_LESS);
    case CAIRN_GREATER:
    case CAIRN_AT_LEAST:
        return end_prepare(asking, test, text, true, compare == CAIRN_GREATER);
    case CAIRN_RANGE:
        return range_prepare(asking, test, text);
    }
    return CAIRN_BAD_INPUT;
}

/* ---- conditions ---------------------------------------------------------------------------- */

static enum cairn_status failed_prepare(struct cairn_asking *asking, const char *text,
                                        struct cairn_test *test)
{
    test->kind = CAIRN_TEST_FAILED;
    for (size_t i = 0; i < asking->type->indicator_count; i++) {
        const struct cairn_indicator *indicator = &asking->type->indicators[i];
        if (!is_named(text, indicator->name, indicator->label_zh, indicator->label_en))
            continue;
        test->indicator = indicator;
        test->field = cairn_type_field(asking->type, indicator->field);
        return CAIRN_OK;
    }
    return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT, "A %s has no indicator %s.",
                      asking->type->name, text);
}

static enum cairn_status id_prepare(struct cairn_asking *asking, const char *text,
                                    struct cairn_test *test)
{
    struct cairn_log log;
    struct cairn_record_state state;

    enum cairn_status status = cairn_label_find(asking->ctx, text, &log, &state);
    test->kind = status == CAIRN_NOT_FOUND ? CAIRN_TEST_NEVER : CAIRN_TEST_RECORD;
    if (status == CAIRN_OK)
        test->dot = state.id;
    if (status == CAIRN_NOT_FOUND && asking->ctx->err != NULL)
        asking->ctx->err->text[0] = '\0';
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* Entries without effect are few: the records that they name are gathered once. */
static enum cairn_status refused_add(void *context, struct cairn_replica *replica,
                                     const struct cairn_log *log, uint32_t index)
{
    struct cairn_asking *asking = context;
    struct cairn_said said;

    CAIRN_TRY(cairn_said_read(replica, log, index, &said));
    if (said.record.log == 0)
        return CAIRN_OK;
    if (asking->refused_count == asking->refused_capacity) {
        size_t capacity = asking->refused_capacity * 2 + 16;
        struct cairn_dot *grown = cairn_arena_get(&asking->memory, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        if (asking->refused_count > 0)
            memcpy(grown, asking->refused, asking->refused_count * sizeof *grown);
        asking->refused = grown;
        asking->refused_capacity = capacity;
    }
    asking->refused[asking->refused_count++] = said.record;
    return CAIRN_OK;
}

static bool is_refused(const struct cairn_asking *asking, struct cairn_dot record)
{
    for (size_t i = 0; i < asking->refused_count; i++)
        if (asking->refused[i].log == record.log && asking->refused[i].index == record.index)
            return true;
    return false;
}

/* What is yes or no of a record. False: `name` is no flag. */
static bool flag_find(const char *name, enum cairn_test_kind *out_kind)
{
    static const struct {
        const char *name;
        enum cairn_test_kind kind;
    } flags[] = {{"conflict", CAIRN_TEST_CONFLICT},
                 {"parallel", CAIRN_TEST_PARALLEL},
                 {"refused", CAIRN_TEST_REFUSED}};

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(name, flags[i].name) == 0) {
            *out_kind = flags[i].kind;
            return true;
        }
    return false;
}

static enum cairn_status flag_prepare(struct cairn_asking *asking,
                                      const struct cairn_condition *condition,
                                      struct cairn_test *test)
{
    const struct cairn_field yes_no = {.name = condition->field, .wire = CAIRN_WIRE_YES_NO};
    struct cairn_value value;

    CAIRN_TRY(cairn_value_parse(&yes_no, condition->value, &value, asking->ctx->err));
    test->is_negated = value.integer == 0;
    return test->kind == CAIRN_TEST_REFUSED && asking->refused_capacity == 0
               ? cairn_verdicts_visit(asking->replica, refused_add, asking)
               : CAIRN_OK;
}

static enum cairn_status test_prepare(struct cairn_asking *asking,
                                      const struct cairn_condition *condition,
                                      struct cairn_test *test)
{
    const char *name = condition->field;
    bool is_field = cairn_type_field_named(asking->type, name) != NULL;
    bool is_label = strcmp(name, "id") == 0 && (!is_field || cairn_label_is(condition->value));
    enum cairn_test_kind flag = CAIRN_TEST_FIELD;
    bool is_ours = is_label || (!is_field && (strcmp(name, "failed") == 0 ||
                                              strcmp(name, "band") == 0 || flag_find(name, &flag)));

    *test = (struct cairn_test){.kind = flag, .lowest = INT64_MIN, .highest = INT64_MAX};
    if (is_ours && condition->compare != CAIRN_EQUAL)
        return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT, "Only = can be asked of %s.", name);
    if (!is_ours)
        return field_prepare(asking, condition, test);
    if (is_label)
        return id_prepare(asking, condition->value, test);
    if (strcmp(name, "failed") == 0)
        return failed_prepare(asking, condition->value, test);
    if (strcmp(name, "band") == 0)
        return band_prepare(asking, condition->value, test);
    return flag_prepare(asking, condition, test);
}

enum cairn_status cairn_tests_prepare(struct cairn_asking *asking, const struct cairn_query *query)
{
    const struct cairn_schema *schema;
    const char *prefix = "";

    CAIRN_TRY(cairn_type_now(asking->ctx, query->type, &schema, &asking->type));
    if (query->condition_count > CAIRN_TESTS_MAX)
        return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT, "More than %d conditions.",
                          CAIRN_TESTS_MAX);
    for (size_t i = 0; i < query->condition_count; i++) {
        const struct cairn_condition *condition = &query->conditions[i];
        struct cairn_test *test = &asking->tests[asking->test_count];
        if (strcmp(condition->field, "village") != 0) {
            CAIRN_TRY(test_prepare(asking, condition, test));
            asking->test_count++;
        } else if (condition->compare != CAIRN_EQUAL) {
            return cairn_fail(asking->ctx->err, CAIRN_BAD_INPUT, "Only = can be asked of %s.",
                              "village");
        } else if (strncmp(condition->value, prefix, strlen(prefix)) == 0) {
            prefix = condition->value; /* the longer of two that agree */
        } else if (strncmp(condition->value, prefix, strlen(condition->value)) != 0) {
            asking->tests[asking->test_count++] = (struct cairn_test){.kind = CAIRN_TEST_NEVER};
        }
    }
    return scopes_prepare(asking, prefix);
}

enum cairn_status cairn_asked_shown(struct cairn_asking *asking,
                                    const struct cairn_record_state *state,
                                    const struct cairn_field *field, size_t element,
                                    struct cairn_value *out_value, struct cairn_dot *out_dot)
{
    enum cairn_status status =
        cairn_field_shown(asking->ctx, state, field, element, out_value, out_dot);

    if (status != CAIRN_NOT_FOUND || element > 0 || field->merge != CAIRN_MERGE_WORKFLOW)
        return status;
    *out_value = (struct cairn_value){.kind = CAIRN_VALUE_INTEGER,
                                      .integer = (int64_t)cairn_position_first(asking->type).state};
    return CAIRN_OK;
}

/* ---- running them -------------------------------------------------------------------------- */

static int text_compare(struct cairn_bytes a, struct cairn_bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static bool value_fits(const struct cairn_test *test, const struct cairn_value *value,
                       struct cairn_dot dot)
{
    switch (test->by) {
    case CAIRN_BY_INTEGER:
        return value->kind == CAIRN_VALUE_INTEGER && value->integer >= test->lowest &&
               value->integer <= test->highest;
    case CAIRN_BY_DOT:
        return dot.log == test->dot.log && dot.index == test->dot.index;
    case CAIRN_BY_TEXT:
        break;
    }
    if (value->kind != CAIRN_VALUE_TEXT)
        return false;
    int low = test->low.data == NULL ? 1 : text_compare(value->text, test->low);
    int high = test->high.data == NULL ? -1 : text_compare(value->text, test->high);
    return (test->is_low_open ? low > 0 : low >= 0) && (test->is_high_open ? high < 0 : high <= 0);
}

static enum cairn_status field_test(struct cairn_asking *asking, const struct cairn_test *test,
                                    const struct cairn_record_state *state, bool *out_fits)
{
    struct cairn_value value;
    struct cairn_dot dot;
    bool is_met = false;

    for (size_t i = 0; i < CAIRN_LIVE_MAX && !is_met; i++) {
        enum cairn_status status = cairn_asked_shown(asking, state, test->field, i, &value, &dot);
        if (status == CAIRN_NOT_FOUND && (i > 0 || test->field->merge != CAIRN_MERGE_SET))
            break;
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            return status;
        is_met = status == CAIRN_OK && value_fits(test, &value, dot);
    }
    *out_fits = is_met != test->is_negated;
    return CAIRN_OK;
}

static enum cairn_status failed_test(struct cairn_asking *asking, const struct cairn_test *test,
                                     const struct cairn_record_state *state, bool *out_fits)
{
    struct cairn_value value;
    struct cairn_dot dot;

    *out_fits = true;
    if (test->field == NULL)
        return CAIRN_OK;
    enum cairn_status status = cairn_asked_shown(asking, state, test->field, 0, &value, &dot);
    if (status == CAIRN_OK)
        *out_fits = value.kind != CAIRN_VALUE_INTEGER ||
                    !cairn_indicator_is_met(test->indicator, value.integer);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_tests_run(struct cairn_asking *asking,
                                  const struct cairn_record_state *state, bool *out_fits)
{
    struct cairn_dot *parallel;
    size_t parallel_count;

    *out_fits = asking->type == NULL || state->type == asking->type->number;
    for (size_t i = 0; i < asking->test_count && *out_fits; i++) {
        const struct cairn_test *test = &asking->tests[i];
        if (test == asking->answered)
            continue;
        switch (test->kind) {
        case CAIRN_TEST_FIELD:
            CAIRN_TRY(field_test(asking, test, state, out_fits));
            break;
        case CAIRN_TEST_FAILED:
            CAIRN_TRY(failed_test(asking, test, state, out_fits));
            break;
        case CAIRN_TEST_RECORD:
            *out_fits = state->id.log == test->dot.log && state->id.index == test->dot.index;
            break;
        case CAIRN_TEST_CONFLICT:
            *out_fits = cairn_record_has_conflict(state) != test->is_negated;
            break;
        case CAIRN_TEST_PARALLEL:
            CAIRN_TRY(cairn_record_parallel(asking->ctx, state, &parallel, &parallel_count));
            *out_fits = (parallel_count > 0) != test->is_negated;
            break;
        case CAIRN_TEST_REFUSED:
            *out_fits = is_refused(asking, state->id) != test->is_negated;
            break;
        case CAIRN_TEST_NEVER:
            *out_fits = false;
            break;
        }
    }
    return CAIRN_OK;
}
