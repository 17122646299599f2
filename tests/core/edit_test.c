/* What a put does to a field of each kind, and what it refuses. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "desk.h"

static const char schema[] = DESK_THING
    "      - {number: 1, name: name, zh: 名, en: name, type: text, required: yes}\n"
    "      - {number: 2, name: old, zh: 旧, en: old, type: text, required: yes, retired: yes}\n"
    "      - {number: 3, name: words, zh: 词, en: words, type: text, merge: set}\n"
    "      - {number: 4, name: numbers, zh: 数, en: numbers, type: integer, merge: set}\n"
    "      - {number: 5, name: kinds, zh: 类, en: kinds, type: choices,\n"
    "         choices: [{number: 1, text: 甲, en: first}, {number: 2, text: 乙, en: second}]}\n"
    "      - {number: 6, name: with, zh: 同, en: with, type: references, to: thing}\n"
    "      - {number: 7, name: total, zh: 计, en: total, type: integer, merge: counter}\n"
    "      - {number: 8, name: of, zh: 属, en: of, type: reference, to: thing}\n"
    "      - {number: 9, name: codes, zh: 码, en: codes, type: digits, merge: set}\n"
    "      - {number: 10, name: stand, zh: 状, en: stand, type: workflow}\n"
    "    states:\n"
    "      - {number: 1, name: new, zh: 新, en: new}\n"
    "      - {number: 2, name: ready, zh: 备, en: ready}\n"
    "    moves:\n"
    "      - {number: 1, name: make, zh: 备, en: make, from: new, to: ready, steps: [prefecture]}\n"
    "  - number: 2\n"
    "    name: other\n"
    "    zh: 他\n"
    "    en: other\n"
    "    fields:\n"
    "      - {number: 1, name: name, zh: 名, en: name, type: text, required: yes}\n";

static int setup(void **state)
{
    (void)state;
    desk_open(schema);
    desk_put("thing", DESK_VILLAGE, "a", NULL);
    desk_put("thing", DESK_NEXT_VILLAGE, "b", NULL);
    desk_put("thing", DESK_VILLAGE, "it", NULL);
    desk_put("other", DESK_VILLAGE, "stranger", NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk_close();
    return 0;
}

/* ---- one field after the other ------------------------------------------------------------- */

#define SET CAIRN_PUT_SET
#define ADD CAIRN_PUT_ADD
#define TAKE CAIRN_PUT_REMOVE

static const struct {
    const char *field;
    enum cairn_put_operation operation;
    const char *value, *shown;
    bool writes;
} edits[] = {
    {"name", SET, "it", "it", false},
    {"name", SET, "that", "that", true},
    {"words", SET, "b|a|b", "a|b", true},
    {"words", SET, "|b||c|", "b|c", true},
    {"words", SET, "c|b", "b|c", false},
    {"words", ADD, "d|e", "b|c|d|e", true}, /* one element, which has a bar in it */
    {"words", ADD, "c", "b|c|d|e", false},
    {"words", TAKE, "b", "c|d|e", true},
    {"words", SET, "", "", true},
    {"words", SET, "", "", false},
    {"numbers", SET, "3|1|03", "1|3", true},
    {"numbers", ADD, "-2", "-2|1|3", true},
    {"numbers", TAKE, "3", "-2|1", true},
    {"kinds", SET, "甲|first|乙", "乙|甲", true},
    {"kinds", SET, "second", "乙", true},
    {"codes", SET, "A1|7|07|7", "07|7|A1", true}, /* a number, or a text where it is none */
    {"codes", TAKE, "7", "07|A1", true},
    {"codes", ADD, "A1", "07|A1", false},
    {"total", SET, "5", "5", true},
    {"total", SET, "5", "5", false},
    {"total", ADD, "3", "8", true},
    {"total", TAKE, "10", "-2", true},
    {"total", ADD, "0", "-2", false},
    {"total", SET, "0", "0", true},
};

/* Own entries so far: an edit that changes nothing adds none. */
static uint64_t written(void)
{
    return machine_status(&desk).unreceived_count;
}

static void each_kind_of_field_is_edited_in_its_own_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        uint64_t before = written();
        machine_must(
            &desk, desk_change("thing", "it", edits[i].field, edits[i].value, edits[i].operation));
        const char *shown = desk_shown("it", edits[i].field);
        if (strcmp(shown, edits[i].shown) != 0 || (written() > before) != edits[i].writes)
            fail_msg("edit %zu: \"%s\", not \"%s\"; %u entries written", i, shown, edits[i].shown,
                     (unsigned)(written() - before));
    }
}

static void references_are_elements_like_others(void **state)
{
    char both[80];

    (void)state;
    machine_must(&desk, desk_change("thing", "it", "with", "@a|@b|@a", SET));
    snprintf(both, sizeof both, "%s|%s", desk_id("a"), desk_id("b"));
    assert_string_equal(desk_shown("it", "with"), both);
    machine_must(&desk, desk_change("thing", "it", "with", "@b", SET));
    assert_string_equal(desk_shown("it", "with"), desk_id("b"));
    machine_must(&desk, desk_change("thing", "it", "with", "@b", TAKE));
    assert_string_equal(desk_shown("it", "with"), "");
    machine_must(&desk, desk_change("thing", "it", "of", "@a", SET));
    uint64_t before = written();
    machine_must(&desk, desk_change("thing", "it", "of", "@a", SET));
    assert_int_equal(written(), before);
    machine_must(&desk, desk_change("thing", "it", "of", "@b", SET));
    assert_string_equal(desk_shown("it", "of"), desk_id("b"));
}

/* ---- several at once ----------------------------------------------------------------------- */

static void one_put_adds_and_takes_away_many_times(void **state)
{
    static const struct cairn_field_value fields[] = {
        {"words", "a"}, {"words", "b"}, {"words", "a"}, {"total", "5"},
        {"words", "z"}, {"total", "2"}, {"total", "1"}, {"name", "that"}};
    static const enum cairn_put_operation operations[] = {ADD, ADD, ADD, ADD, TAKE, TAKE, ADD, SET};
    const struct cairn_put put = {.type = "thing",
                                  .id = desk_id("it"),
                                  .fields = fields,
                                  .field_count = 8,
                                  .operations = operations,
                                  .reason = "counted again"};
    struct cairn_put_result result;

    (void)state;
    machine_must(&desk, desk_change("thing", "it", "words", "z", ADD));
    machine_must(&desk, cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err));
    assert_int_equal(result.change_count, 5); /* "a" was added once, and all is counted at once */
    assert_string_equal(desk_shown("it", "words"), "a|b");
    assert_string_equal(desk_shown("it", "total"), "4");
    assert_string_equal(desk_shown("it", "name"), "that");
}

static void what_is_set_and_then_added_to_holds_both(void **state)
{
    static const struct {
        enum cairn_put_operation first;
        const char *before, *shown;
    } rows[] = {{SET, "", "a|b"}, {SET, "b|z", "a|b"}, {TAKE, "a|b", "b"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct cairn_field_value fields[] = {{"words", "a"}, {"words", "b"}};
        const enum cairn_put_operation operations[] = {rows[i].first, ADD};
        const struct cairn_put put = {.type = "thing",
                                      .id = desk_id("it"),
                                      .fields = fields,
                                      .field_count = 2,
                                      .operations = operations};
        struct cairn_put_result result;
        machine_must(&desk, desk_change("thing", "it", "words", rows[i].before, SET));
        machine_must(&desk, cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err));
        assert_string_equal(desk_shown("it", "words"), rows[i].shown);
    }
}

static void a_set_takes_as_many_elements_as_are_given(void **state)
{
    char elements[256] = "", shown[256] = "";

    (void)state;
    for (int i = 0; i < 40; i++) {
        size_t used = strlen(elements);
        snprintf(elements + used, sizeof elements - used, "w%02d|", i);
    }
    memcpy(shown, elements, strlen(elements) - 1);
    machine_must(&desk, desk_change("thing", "it", "words", elements, SET));
    assert_string_equal(desk_shown("it", "words"), shown);
}

static void a_field_is_called_by_its_name_or_by_either_label(void **state)
{
    (void)state;
    machine_must(&desk, desk_change("thing", "it", "名", "one", SET));
    assert_string_equal(desk_shown("it", "name"), "one");
    machine_must(&desk, desk_change("thing", "it", "name", "two", SET));
    assert_string_equal(desk_shown("it", "name"), "two");
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void what_a_field_cannot_take_is_refused_in_words(void **state)
{
    static const struct {
        const char *field;
        enum cairn_put_operation operation;
        const char *value;
        enum cairn_status status;
        const char *sentence; /* %s: the stranger */
    } rows[] = {
        {"name", ADD, "x", CAIRN_BAD_INPUT,
         "name has one value: nothing can be added or taken away; write name=VALUE."},
        {"name", TAKE, "it", CAIRN_BAD_INPUT,
         "name has one value: nothing can be added or taken away; write name=VALUE."},
        {"words", TAKE, "q", CAIRN_BAD_INPUT, "words does not hold q. Nothing was written."},
        {"numbers", SET, "1|x", CAIRN_BAD_INPUT,
         "numbers: \"x\" is not a whole number: half-width digits, no commas."},
        {"total", ADD, "x", CAIRN_BAD_INPUT,
         "total: \"x\" is not a whole number: half-width digits, no commas."},
        {"of", SET, "@stranger", CAIRN_BAD_INPUT,
         "of: %s is a record of another type. Nothing was written."},
        {"with", ADD, "@stranger", CAIRN_BAD_INPUT,
         "with: %s is a record of another type. Nothing was written."},
        {"of", SET, "P-9999-0", CAIRN_NOT_FOUND, "There is no record P-9999-0 here."},
        {"old", SET, "x", CAIRN_BAD_INPUT,
         "old is not used any more: old values are shown, new ones are not taken."},
        {"stand", SET, "ready", CAIRN_BAD_INPUT,
         "stand is not written but moved, step by step: cairn step ID MOVE."},
        {"colour", SET, "red", CAIRN_BAD_INPUT,
         "thing has no field colour: cairn schema show thing lists them."},
    };
    char sentence[200];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *at = strstr(rows[i].sentence, "%s");
        snprintf(sentence, sizeof sentence, "%.*s%s%s",
                 (int)(at == NULL ? strlen(rows[i].sentence) : (size_t)(at - rows[i].sentence)),
                 rows[i].sentence, at == NULL ? "" : desk_id("stranger"),
                 at == NULL ? "" : at + strlen("%s"));
        machine_expect_refused(
            &desk, desk_change("thing", "it", rows[i].field, rows[i].value, rows[i].operation),
            rows[i].status, sentence);
    }
}

#define MOST "999999999999999999"

static void a_count_beyond_63_bits_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 9; i++)
        machine_must(&desk, desk_change("thing", "it", "total", MOST, ADD));
    machine_expect_refused(&desk, desk_change("thing", "it", "total", MOST, ADD), CAIRN_BAD_INPUT,
                           "total: " MOST " is too large.");
    machine_expect_refused(&desk, desk_change("thing", "it", "total", "-" MOST, SET),
                           CAIRN_BAD_INPUT, "total: -" MOST " is too large.");
    assert_string_equal(desk_shown("it", "total"), "8999999999999999991");
    machine_must(&desk, desk_change("thing", "it", "total", MOST, TAKE));
    assert_string_equal(desk_shown("it", "total"), "7999999999999999992");
}

/* One put that counts twice. */
static enum cairn_status count_twice(const char *first, enum cairn_put_operation operation,
                                     const char *second, struct cairn_put_result *out_result)
{
    const struct cairn_field_value fields[] = {{"total", first}, {"total", second}};
    const enum cairn_put_operation operations[] = {operation, ADD};
    const struct cairn_put put = {.type = "thing",
                                  .id = desk_id("it"),
                                  .fields = fields,
                                  .field_count = 2,
                                  .operations = operations};

    return cairn_put_many(desk.replica, &put, 1, out_result, NULL, &desk.err);
}

static void what_a_put_counts_is_told_as_one_change(void **state)
{
    static const struct {
        const char *first;
        enum cairn_put_operation operation;
        const char *second, *was, *is;
    } rows[] = {{"1", ADD, "2", "5", "8"}, {"4", TAKE, "1", "8", "5"}, {"7", SET, "2", "5", "9"}};
    struct cairn_put_result result;

    (void)state;
    machine_must(&desk, desk_change("thing", "it", "total", "5", ADD));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        machine_must(&desk, count_twice(rows[i].first, rows[i].operation, rows[i].second, &result));
        assert_int_equal(result.change_count, 1);
        assert_string_equal(result.changes[0].old_value, rows[i].was);
        assert_string_equal(result.changes[0].new_value, rows[i].is);
        assert_string_equal(desk_shown("it", "total"), rows[i].is);
    }
    uint64_t before = written();
    machine_must(&desk, count_twice("3", TAKE, "3", &result));
    assert_int_equal(result.change_count, 0);
    assert_int_equal(written(), before);
}

static void parts_of_a_count_that_are_too_large_together_are_refused(void **state)
{
    struct cairn_put_result result;

    (void)state;
    for (unsigned i = 0; i < 8; i++)
        machine_must(&desk, desk_change("thing", "it", "total", MOST, ADD));
    machine_expect_refused(&desk, count_twice(MOST, ADD, MOST, &result), CAIRN_BAD_INPUT,
                           "total: " MOST " is too large.");
    assert_string_equal(desk_shown("it", "total"), "7999999999999999992");
    machine_must(&desk, count_twice(MOST, TAKE, MOST, &result));
    assert_string_equal(desk_shown("it", "total"), "7999999999999999992");
}

/* Somebody else took away from the total of "it" what one count can, `times` times over. */
static void elsewhere_taken(unsigned times)
{
    static const enum cairn_put_operation operation = TAKE;
    const struct cairn_field_value most = {"total", MOST};
    const struct cairn_put put = {.type = "thing",
                                  .id = desk_id("it"),
                                  .fields = &most,
                                  .field_count = 1,
                                  .operations = &operation};
    struct cairn_put_result result;
    struct machine server, other;

    machine_init(&server, 3, "Server", NULL);
    machine_init(&other, 4, "Other", NULL);
    machine_join(&server, &desk, "server", DESK_SCOPE, "S");
    machine_join(&other, &desk, "county", "513330", "C");
    machine_sync(&desk, &server);
    machine_sync(&other, &server);
    for (unsigned i = 0; i < times; i++)
        machine_must(&other, cairn_put_many(other.replica, &put, 1, &result, NULL, &other.err));
    machine_sync(&other, &server);
    machine_sync(&desk, &server);
    machine_free(&server);
    machine_free(&other);
}

static void counts_that_cannot_be_gathered_stand_beside_each_other(void **state)
{
    (void)state;
    elsewhere_taken(5);
    for (unsigned i = 0; i < 9; i++)
        machine_must(&desk, desk_change("thing", "it", "total", MOST, ADD));
    for (unsigned i = 0; i < 7; i++) /* 16 of them: the next one gathers them */
        machine_must(&desk, desk_change("thing", "it", "total", "1", ADD));
    machine_must(&desk, desk_change("thing", "it", "total", MOST, ADD));
    assert_string_equal(desk_shown("it", "total"), "5000000000000000002");
}

static void a_field_is_set_once_in_a_put(void **state)
{
    static const struct cairn_field_value twice[] = {{"name", "x"}, {"words", "a"}, {"name", "y"}};
    const struct cairn_put put = {
        .type = "thing", .id = desk_id("it"), .fields = twice, .field_count = 3};
    struct cairn_put_result result;

    (void)state;
    machine_expect_refused(&desk, cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err),
                           CAIRN_BAD_INPUT, "name is given twice.");
}

/* ---- more fields than an entry holds -------------------------------------------------------- */

#define MANY 150 /* in three entries */

static int setup_many(void **state)
{
    static char yaml[MANY * 100 + 1000];
    size_t size = (size_t)snprintf(yaml, sizeof yaml, "%s", DESK_THING);

    (void)state;
    for (int i = 1; i <= MANY; i++)
        size +=
            (size_t)snprintf(yaml + size, sizeof yaml - size,
                             "      - {number: %d, name: f%d, zh: 甲%d, en: f%d, type: text%s}\n",
                             i, i, i, i, i == MANY ? ", required: yes" : "");
    desk_open(yaml);
    return 0;
}

/* Each of the first `count` fields shows `value`, and no other has a value. */
static void expect_filled(const char *id, size_t count, const char *value)
{
    const struct cairn_record *record;

    machine_must(&desk, cairn_get(desk.replica, id, &record, &desk.err));
    assert_int_equal(record->field_count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(record->fields[i].versions[0].value, value);
}

static void a_put_fills_as_many_fields_as_a_schema_has(void **state)
{
    static const size_t counts[] = {MANY, 65, 64, 63};
    static char names[MANY][8];
    struct cairn_field_value fields[MANY];
    struct cairn_put put = {
        .type = "thing", .scope = DESK_VILLAGE, .fields = fields, .reason = "all of it"};
    struct cairn_put_result result;
    char id[32];

    (void)state;
    for (size_t n = 0; n < sizeof counts / sizeof counts[0]; n++) {
        const size_t count = counts[n];
        for (size_t i = 0; i < count; i++) { /* what is required comes first */
            snprintf(names[i], sizeof names[i], "f%zu", i == 0 ? MANY : i);
            fields[i] = (struct cairn_field_value){names[i], "new"};
        }
        put.id = NULL;
        put.field_count = count;
        machine_must(&desk, cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err));
        memcpy(id, result.id, sizeof id);
        expect_filled(id, count, "new");
        for (size_t i = 0; i < count; i++)
            fields[i].value = "other";
        put.id = id;
        machine_must(&desk, cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err));
        assert_int_equal(result.change_count, count);
        expect_filled(id, count, "other");
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_kind_of_field_is_edited_in_its_own_way),
        T(references_are_elements_like_others),
        T(one_put_adds_and_takes_away_many_times),
        T(what_is_set_and_then_added_to_holds_both),
        T(a_set_takes_as_many_elements_as_are_given),
        T(a_field_is_called_by_its_name_or_by_either_label),
        T(what_a_field_cannot_take_is_refused_in_words),
        T(a_count_beyond_63_bits_is_refused),
        T(what_a_put_counts_is_told_as_one_change),
        T(parts_of_a_count_that_are_too_large_together_are_refused),
        T(counts_that_cannot_be_gathered_stand_beside_each_other),
        T(a_field_is_set_once_in_a_put),
        cmocka_unit_test_setup_teardown(a_put_fills_as_many_fields_as_a_schema_has, setup_many,
                                        teardown),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
