/* Which of its type's indicators a record meets; declared in replica_internal.h. */

#include "replica_internal.h"
#include "schema.h"

/* Flags stand as a binary number with a 1 before the first of them. */
static bool flag_is_set(int64_t flags, int64_t number)
{
    int64_t count = flags < 2 ? 0 : 63 - __builtin_clzll((unsigned long long)flags);

    return number >= 1 && number <= count && ((uint64_t)flags >> (count - number) & 1) != 0;
}

bool cairn_indicator_is_met(const struct cairn_indicator *indicator, int64_t value)
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
    return false; /* a test of a newer version: nothing here can say that it is met */
}

enum cairn_status cairn_indicators_view(struct cairn_replica *replica,
                                        const struct cairn_type *type,
                                        const struct cairn_shown *shown,
                                        struct cairn_record *record)
{
    size_t count = type == NULL ? 0 : type->indicator_count;
    struct cairn_met *met = cairn_arena_get(&replica->results, (count + 1) * sizeof *met);

    if (met == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct cairn_indicator *indicator = &type->indicators[i];
        const struct cairn_field *field = cairn_type_field(type, indicator->field);
        bool has_value = field != NULL && shown[field - type->fields].is_integer;
        met[i] = (struct cairn_met){
            indicator->name, indicator->label_zh, indicator->label_en, has_value,
            has_value && cairn_indicator_is_met(indicator, shown[field - type->fields].integer)};
    }
    record->indicators = met;
    record->indicator_count = count;
    return CAIRN_OK;
}
