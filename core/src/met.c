/* Which of its type's indicators a record meets; declared in replica_internal.h. */

#include "replica_internal.h"
#include "schema.h"

/* The shown value of a field as an integer; a counter's is its sum. NOT_FOUND: it has none. */
static enum cairn_status shown_integer(struct cairn_context *ctx, const struct cairn_field *field,
                                       const struct cairn_record_state *state, int64_t *out)
{
    const struct cairn_live *shown = NULL;
    struct cairn_value value;

    for (size_t i = 0; i < state->live_count; i++) {
        bool wins = true;
        if (state->live[i].field != field->number)
            continue;
        if (shown != NULL)
            CAIRN_TRY(cairn_live_wins(ctx, &state->live[i], shown, &wins));
        shown = wins ? &state->live[i] : shown;
    }
    if (shown == NULL)
        return CAIRN_NOT_FOUND;
    if (field->merge == CAIRN_MERGE_COUNTER)
        return cairn_counter_sum(state, field->number, out);
    CAIRN_TRY(cairn_live_value(ctx, shown, &value));
    if (value.kind != CAIRN_VALUE_INTEGER)
        return CAIRN_NOT_FOUND;
    *out = value.integer;
    return CAIRN_OK;
}

/* Flags stand as a binary number with a 1 before the first of them. */
static bool flag_is_set(int64_t flags, int64_t number)
{
    int64_t count = 0;

    for (uint64_t rest = flags < 1 ? 1 : (uint64_t)flags; rest > 1; rest >>= 1)
        count++;
    return number >= 1 && number <= count && ((uint64_t)flags >> (count - number) & 1) != 0;
}

static bool passes(const struct cairn_indicator *indicator, int64_t value)
{
    switch ((enum cairn_indicator_test)indicator->test) {
    case CAIRN_TEST_AT_LEAST:
        return value >= indicator->threshold;
    case CAIRN_TEST_AT_MOST:
        return value <= indicator->threshold;
    case CAIRN_TEST_IS:
        return value == indicator->threshold;
    case CAIRN_TEST_FLAG:
        return flag_is_set(value, indicator->threshold);
    }
    return false; /* a test of a newer version */
}

enum cairn_status cairn_indicators_view(struct cairn_replica *replica, struct cairn_context *ctx,
                                        const struct cairn_type *type,
                                        const struct cairn_record_state *state,
                                        struct cairn_record *record)
{
    size_t count = type == NULL ? 0 : type->indicator_count;
    struct cairn_met *met = cairn_arena_get(&replica->results, (count + 1) * sizeof *met);

    if (met == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct cairn_indicator *indicator = &type->indicators[i];
        const struct cairn_field *field = cairn_type_field(type, indicator->field);
        int64_t value = 0;
        enum cairn_status status =
            field == NULL ? CAIRN_NOT_FOUND : shown_integer(ctx, field, state, &value);
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            return status;
        met[i] =
            (struct cairn_met){indicator->name, indicator->label_zh, indicator->label_en,
                               status == CAIRN_OK, status == CAIRN_OK && passes(indicator, value)};
    }
    record->indicators = met;
    record->indicator_count = count;
    return CAIRN_OK;
}
