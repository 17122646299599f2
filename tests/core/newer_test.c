/* A schema that says more than this version knows: what is new in it is shown as such, is not
 * written, and is not met; the rest of it works. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "holder.h"
#include "machine.h"
#include "replica_internal.h"
#include "schema.h"

#define VILLAGE_CODE "513332100201"
#define NEWER 99u

#define NAMED(n, text) .number = (n), .name = (text), .label_zh = (text), .label_en = (text)
#define FIELD(n, text, wire_, merge_) NAMED(n, text), .unit = "", .wire = (wire_), .merge = (merge_)

static const struct cairn_field thing_fields[] = {
    {FIELD(1, "name", CAIRN_WIRE_TEXT, CAIRN_MERGE_REGISTER)},
    {FIELD(2, "merged", CAIRN_WIRE_INTEGER, NEWER)},
    {FIELD(3, "wired", NEWER, CAIRN_MERGE_REGISTER)},
    {FIELD(4, "any", CAIRN_WIRE_REFERENCE, CAIRN_MERGE_REGISTER)}, /* of whatever type */
    {FIELD(5, "words", CAIRN_WIRE_TEXT, CAIRN_MERGE_SET), .is_indexed = true},
    {FIELD(6, "total", CAIRN_WIRE_INTEGER, CAIRN_MERGE_COUNTER), .is_indexed = true},
    {FIELD(7, "count", CAIRN_WIRE_INTEGER, CAIRN_MERGE_REGISTER)},
};
static const struct cairn_field other_fields[] = {
    {FIELD(1, "name", CAIRN_WIRE_TEXT, CAIRN_MERGE_REGISTER)}};
static const struct cairn_indicator indicators[] = {
    {NAMED(1, "known"), .field = 7, .test = CAIRN_TEST_AT_LEAST, .threshold = 5},
    {NAMED(2, "unknown"), .field = 7, .test = NEWER, .threshold = 5},
};
static const struct cairn_type types[] = {
    {NAMED(1, "thing"), .fields = thing_fields, .field_count = 7, .indicators = indicators,
     .indicator_count = 2},
    {NAMED(2, "other"), .fields = other_fields, .field_count = 1},
};

static struct machine root;
static char things[3][32], other[32];

static void put(const char *type, const struct cairn_field_value *fields, size_t count,
                char out_id[static 32])
{
    const struct cairn_put one = {
        .type = type, .scope = VILLAGE_CODE, .fields = fields, .field_count = count};
    struct cairn_put_result result;

    machine_must(&root, cairn_put_many(root.replica, &one, 1, &result, NULL, &root.err));
    memcpy(out_id, result.id, 32);
}

static int setup(void **state)
{
    static const struct cairn_field_value fields[3][4] = {
        {{"name", "a"}, {"words", "x|y"}, {"total", "5"}, {"count", "4"}},
        {{"name", "b"}, {"words", "y"}, {"total", "-5"}, {"count", "5"}},
        {{"name", "c"}, {"words", "z"}}};
    static const struct cairn_schema schema = {.version = 1, .types = types, .type_count = 2};
    static uint8_t table[4096];
    struct cairn_writer writer;

    (void)state;
    cairn_writer_init(&writer, table, sizeof table);
    cairn_schema_write(&writer, &schema);
    machine_init_with(&root, 1, "Root", "51", cairn_writer_bytes(&writer));
    for (size_t i = 0; i < 3; i++)
        put("thing", fields[i], i < 2 ? 4 : 2, things[i]);
    put("other", fields[0], 1, other);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_free(&root);
    return 0;
}

static enum cairn_status set(const char *field, const char *value)
{
    const struct cairn_field_value one = {field, value};
    const struct cairn_put put = {
        .type = "thing", .id = things[0], .fields = &one, .field_count = 1};
    struct cairn_put_result result;

    return cairn_put_many(root.replica, &put, 1, &result, NULL, &root.err);
}

static char answer[64];

static bool name_add(void *context, const struct cairn_record *record)
{
    (void)context;
    strcat(answer, record->fields[0].versions[0].value);
    return true;
}

static const char *ask(const char *field, enum cairn_compare compare, const char *value)
{
    const struct cairn_condition condition = {field, compare, value};
    const struct cairn_query query = {
        .type = "thing", .conditions = &condition, .condition_count = 1};

    answer[0] = '\0';
    machine_must(&root, cairn_query_run(root.replica, &query, name_add, NULL, &root.err));
    return answer;
}

/* ---- tests --------------------------------------------------------------------------------- */

static void a_field_of_a_newer_version_is_not_written(void **state)
{
    static const char *const fields[] = {"merged", "wired"};
    char sentence[64];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint64_t before = machine_status(&root).unreceived_count;
        snprintf(sentence, sizeof sentence, "%s is a field of a newer version.", fields[i]);
        assert_int_equal(set(fields[i], "1"), CAIRN_BAD_INPUT);
        assert_string_equal(root.err.text, sentence);
        assert_int_equal(machine_status(&root).unreceived_count, before);
    }
}

static void a_test_of_a_newer_version_is_not_met(void **state)
{
    (void)state;
    assert_string_equal(ask("failed", CAIRN_EQUAL, "known"), "ac");
    assert_string_equal(ask("failed", CAIRN_EQUAL, "unknown"), "abc");
}

static void a_reference_without_a_type_names_any_record(void **state)
{
    const struct cairn_record *record;

    (void)state;
    machine_must(&root, set("any", other));
    machine_must(&root, cairn_get(root.replica, things[0], &record, &root.err));
    assert_string_equal(record->fields[1].versions[0].value, other);
    assert_string_equal(ask("any", CAIRN_EQUAL, other), "a");
    machine_must(&root, set("any", things[1]));
    assert_string_equal(ask("any", CAIRN_EQUAL, things[1]), "a");
    assert_string_equal(ask("any", CAIRN_EQUAL, other), "");
}

static void sets_and_counters_may_be_indexed(void **state)
{
    (void)state;
    assert_string_equal(ask("words", CAIRN_EQUAL, "y"), "ab");
    assert_string_equal(ask("words", CAIRN_RANGE, "x..y"), "ab");
    assert_string_equal(ask("words", CAIRN_GREATER, "y"), "c");
    assert_string_equal(ask("total", CAIRN_EQUAL, "5"), "a");
    assert_string_equal(ask("total", CAIRN_LESS, "0"), "b");
    machine_must(&root, set("words", "longer|x"));
    machine_must(&root, set("total", "-7"));
    assert_string_equal(ask("words", CAIRN_EQUAL, "y"), "b");
    assert_string_equal(ask("words", CAIRN_EQUAL, "longer"), "a");
    assert_string_equal(ask("total", CAIRN_RANGE, "-7..-5"), "ab");
    assert_true(context_index_check(&root.replica->ctx) > 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_field_of_a_newer_version_is_not_written),
        T(a_test_of_a_newer_version_is_not_met),
        T(a_reference_without_a_type_names_any_record),
        T(sets_and_counters_may_be_indexed),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
