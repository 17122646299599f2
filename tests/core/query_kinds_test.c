/* Queries over every kind of field: each question has one answer, which the indexes do not change.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "holder.h"
#include "replica_internal.h"
#include "things.h"

/* ---- questions ----------------------------------------------------------------------------- */

static const struct question {
    const char *field;
    enum cairn_compare compare;
    const char *value, *answer;
} questions[] = {
    /* texts, of which an index holds the beginning */
    {"note", CAIRN_EQUAL, "apple", "a"},
    {"note", CAIRN_EQUAL, "app", ""},
    {"note", CAIRN_EQUAL, THINGS_LONG "a", "c"},
    {"note", CAIRN_EQUAL, THINGS_LONG "b", "e"},
    {"note", CAIRN_NOT_EQUAL, "apple", "b c e d"},
    {"note", CAIRN_LESS, "apple pie", "a"},
    {"note", CAIRN_LESS, THINGS_LONG "b", "a b c"},
    {"note", CAIRN_AT_MOST, "apple pie", "a b"},
    {"note", CAIRN_GREATER, "apple", "b c e"},
    {"note", CAIRN_GREATER, THINGS_LONG "a", "e"},
    {"note", CAIRN_AT_LEAST, "apple", "a b c e"},
    {"note", CAIRN_RANGE, "apple..b", "a b"},
    {"note", CAIRN_RANGE, "..apple", "a"},
    {"note", CAIRN_RANGE, "apple pie..", "b c e"},
    {"note", CAIRN_RANGE, "b..a", ""},
    /* numbers, amounts, dates */
    {"count", CAIRN_EQUAL, "10", "b"},
    {"count", CAIRN_EQUAL, "5..10", "a b"},
    {"count", CAIRN_NOT_EQUAL, "5", "b c e d"},
    {"count", CAIRN_LESS, "10", "a e"},
    {"count", CAIRN_AT_LEAST, "20", "c"},
    {"count", CAIRN_RANGE, "..5", "a e"},
    {"count", CAIRN_RANGE, "10..", "b c"},
    {"price", CAIRN_EQUAL, "0.5", "b"},
    {"price", CAIRN_EQUAL, "-1.50..0.49", "a e"},
    {"price", CAIRN_GREATER, "0.49", "b c"},
    {"day", CAIRN_AT_LEAST, "2020-06-30", "b c"},
    {"day", CAIRN_EQUAL, "2020-01-01..2020-12-31", "a b"},
    {"day", CAIRN_LESS, "2020-01-01", ""},
    /* an alias: a number, or a text where it is none */
    {"official", CAIRN_EQUAL, "100", "a"},
    {"official", CAIRN_EQUAL, "B-1", "b"},
    {"official", CAIRN_EQUAL, "300", "c"},
    {"official", CAIRN_EQUAL, "0300", "e"},
    {"official", CAIRN_EQUAL, "200", ""},
    {"official", CAIRN_NOT_EQUAL, "100", "b c e d"},
    {"official", CAIRN_AT_LEAST, "200", "c"},
    {"official", CAIRN_LESS, "C", "b e"},
    {"official", CAIRN_RANGE, "A..C", "b"},
    /* of a few values */
    {"flags", CAIRN_EQUAL, "101", "a"},
    {"flags", CAIRN_NOT_EQUAL, "101", "b c e d"},
    {"good", CAIRN_EQUAL, "yes", "a c"},
    {"good", CAIRN_EQUAL, "否", "b"},
    {"kind", CAIRN_EQUAL, "甲", "a e"},
    {"kind", CAIRN_EQUAL, "first", "a e"},
    {"kind", CAIRN_EQUAL, "丙", "b"},
    {"kind", CAIRN_NOT_EQUAL, "甲", "b c d"},
    /* sets: one element is enough */
    {"kinds", CAIRN_EQUAL, "乙", "a b"},
    {"kinds", CAIRN_NOT_EQUAL, "乙", "c e d"},
    {"words", CAIRN_EQUAL, "beta", "a b"},
    {"words", CAIRN_EQUAL, "alpha", "a c"},
    {"words", CAIRN_NOT_EQUAL, "beta", "c e d"},
    {"words", CAIRN_AT_LEAST, "b", "a b"},
    {"words", CAIRN_RANGE, "alpha..b", "a c"},
    /* counters */
    {"total", CAIRN_EQUAL, "7", "a"},
    {"total", CAIRN_GREATER, "0", "a c"},
    {"total", CAIRN_AT_MOST, "0", "b"},
    /* records */
    {"of", CAIRN_EQUAL, "@a", "b c"},
    {"of", CAIRN_EQUAL, "@b", ""},
    {"of", CAIRN_EQUAL, "@c", "e"},
    {"of", CAIRN_NOT_EQUAL, "@a", "a e d"},
    {"with", CAIRN_EQUAL, "@b", "c e"},
    {"with", CAIRN_NOT_EQUAL, "@b", "a b d"},
    /* what is personal */
    {"secret", CAIRN_EQUAL, "s1", "a"},
    {"secret", CAIRN_GREATER, "s1", "b"},
    {"sex", CAIRN_EQUAL, "女", "b"},
    /* states, by name and label; a record without a step stands in the first */
    {"state", CAIRN_EQUAL, "new", "a b c d"},
    {"state", CAIRN_EQUAL, "prepared", "e"},
    {"stand", CAIRN_EQUAL, "已备", "e"},
    {"stand", CAIRN_NOT_EQUAL, "ready", "a b c d"},
    /* indicators, by name and label; without a value none is met */
    {"failed", CAIRN_EQUAL, "plenty", "a e d"},
    {"failed", CAIRN_EQUAL, "足", "a e d"},
    {"failed", CAIRN_EQUAL, "enough", "a e d"},
    {"failed", CAIRN_EQUAL, "cheap", "c d"},
    {"failed", CAIRN_EQUAL, "best", "b c d"},
    {"failed", CAIRN_EQUAL, "one", "b d"},
    {"failed", CAIRN_EQUAL, "three", "e d"},
    /* bands */
    {"band", CAIRN_EQUAL, "<10", "a e"},
    {"band", CAIRN_EQUAL, "10..20", "b"},
    {"band", CAIRN_EQUAL, "20..", "c"},
    /* ids */
    {"id", CAIRN_EQUAL, "@c", "c"},
    {"id", CAIRN_EQUAL, "100", "a"},
    {"id", CAIRN_EQUAL, "P-9999-0", ""},
    {"id", CAIRN_EQUAL, "nobody", ""},
    {"id", CAIRN_EQUAL, "@gone", ""},
    {"id", CAIRN_EQUAL, "@other", ""},
    /* what is yes or no */
    {"conflict", CAIRN_EQUAL, "no", "a b c e d"},
    {"conflict", CAIRN_EQUAL, "yes", ""},
    {"parallel", CAIRN_EQUAL, "no", "a b c e d"},
    {"parallel", CAIRN_EQUAL, "yes", ""},
    {"refused", CAIRN_EQUAL, "no", "a b c e d"},
    {"refused", CAIRN_EQUAL, "yes", ""},
};

static void ask_all(const char *how)
{
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        const struct question *q = &questions[i];
        const struct cairn_condition condition = {q->field, q->compare, q->value};
        const struct cairn_query query = {
            .type = "thing", .conditions = &condition, .condition_count = 1};
        const char *answer = desk_answer(&query);
        if (strcmp(answer, q->answer) != 0)
            fail_msg("%s, comparison %d, \"%s\", %s: \"%s\", not \"%s\"", q->field, (int)q->compare,
                     q->value, how, answer, q->answer);
    }
}

static void every_comparison_answers_the_same_with_an_index_and_without(void **state)
{
    (void)state;
    ask_all("by the indexes");
    desk_indexes_lose();
    ask_all("without indexes");
}

static const char *noted(const char *note)
{
    const struct cairn_condition condition = {"note", CAIRN_EQUAL, note};
    const struct cairn_query query = {
        .type = "thing", .conditions = &condition, .condition_count = 1};

    return desk_answer(&query);
}

static void an_index_shows_what_a_record_shows_now(void **state)
{
    static const char *const notes[] = {"pear",      "peach",         "p",
                                        THINGS_LONG, THINGS_LONG "!", "apple"};
    const char *before = "apple";

    (void)state;
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        machine_must(&desk, desk_change("thing", "a", "note", notes[i], CAIRN_PUT_SET));
        assert_string_equal(noted(before), "");
        assert_string_equal(noted(notes[i]), "a");
        assert_true(context_index_check(&desk.replica->ctx) > 0);
        before = notes[i];
    }
    machine_must(&desk, desk_change("thing", "c", "with", "@b", CAIRN_PUT_SET));
    assert_true(context_index_check(&desk.replica->ctx) > 0);
}

/* ---- several conditions -------------------------------------------------------------------- */

static void all_conditions_hold_of_what_is_answered(void **state)
{
    static const struct {
        struct cairn_condition conditions[3];
        const char *answer;
    } rows[] = {
        {{{"village", CAIRN_EQUAL, "513330"}, {"note", CAIRN_AT_LEAST, "apple"}}, "a b c e"},
        {{{"village", CAIRN_EQUAL, DESK_NEXT_VILLAGE}, {"note", CAIRN_GREATER, ""}}, "c e"},
        {{{"village", CAIRN_EQUAL, "513331"}, {"note", CAIRN_GREATER, ""}}, ""},
        {{{"village", CAIRN_EQUAL, DESK_NEXT_VILLAGE}, {"official", CAIRN_EQUAL, "100"}}, ""},
        {{{"village", CAIRN_EQUAL, DESK_VILLAGE}, {"id", CAIRN_EQUAL, "@c"}}, ""},
        {{{"village", CAIRN_EQUAL, DESK_NEXT_VILLAGE}, {"id", CAIRN_EQUAL, "@c"}}, "c"},
        {{{"village", CAIRN_EQUAL, "5133"}, {"village", CAIRN_EQUAL, "513331"}}, "d"},
        {{{"village", CAIRN_EQUAL, "513331"}, {"village", CAIRN_EQUAL, "5133"}}, "d"},
        {{{"village", CAIRN_EQUAL, "513331"}, {"village", CAIRN_EQUAL, "513330"}}, ""},
        {{{"village", CAIRN_EQUAL, "513331"},
          {"village", CAIRN_EQUAL, "513330"},
          {"good", CAIRN_EQUAL, "yes"}},
         ""},
        {{{"id", CAIRN_EQUAL, "@a"}, {"id", CAIRN_EQUAL, "100"}}, "a"},
        {{{"id", CAIRN_EQUAL, "@a"}, {"id", CAIRN_EQUAL, "@b"}}, ""},
        {{{"id", CAIRN_EQUAL, "@a"}, {"id", CAIRN_EQUAL, "@c"}}, ""},
        {{{"id", CAIRN_EQUAL, "@a"}, {"count", CAIRN_EQUAL, "6"}}, ""},
        {{{"official", CAIRN_EQUAL, "300"}, {"of", CAIRN_EQUAL, "@a"}}, "c"},
        {{{"good", CAIRN_EQUAL, "yes"}, {"count", CAIRN_LESS, "10"}}, "a"},
        {{{"failed", CAIRN_EQUAL, "cheap"}, {"failed", CAIRN_EQUAL, "best"}}, "c d"},
        {{{"refused", CAIRN_EQUAL, "no"}, {"refused", CAIRN_EQUAL, "no"}}, "a b c e d"},
        {{{"conflict", CAIRN_EQUAL, "no"}, {"conflict", CAIRN_EQUAL, "yes"}}, ""},
    };

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            size_t count = rows[i].conditions[2].field == NULL ? 2 : 3;
            const struct cairn_query query = {
                .type = "thing", .conditions = rows[i].conditions, .condition_count = count};
            assert_string_equal(desk_answer(&query), rows[i].answer);
        }
        desk_indexes_lose();
    }
}

static void a_field_of_the_schema_comes_before_a_word_of_the_query(void **state)
{
    static const struct cairn_field_value fields[] = {{"band", "wide"},    {"conflict", "old"},
                                                      {"id", "7-B"},       {"state", "fine"},
                                                      {"failed", "never"}, {NULL, NULL}};
    static const struct {
        const char *field, *value, *answer;
    } rows[] = {{"band", "wide", "one"},    {"conflict", "old", "one"}, {"id", "7-B", "one"},
                {"id", "@one", "one"},      {"id", "@a", ""},           {"state", "fine", "one"},
                {"failed", "never", "one"}, {"band", "<10", ""}};
    const struct cairn_query all = {.type = "odd"};

    (void)state;
    desk_put("odd", DESK_VILLAGE, "before", NULL);
    desk_put("odd", DESK_VILLAGE, "one", fields);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct cairn_condition condition = {rows[i].field, CAIRN_EQUAL, rows[i].value};
        const struct cairn_query query = {
            .type = "odd", .conditions = &condition, .condition_count = 1};
        assert_string_equal(desk_answer(&query), rows[i].answer);
    }
    assert_string_equal(desk_count(&all, "band", NULL, 0), "wide=1 -=2");
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void a_question_that_makes_no_sense_is_refused_in_words(void **state)
{
    static const struct {
        const char *type, *field;
        enum cairn_compare compare;
        const char *value, *sentence;
    } rows[] = {
        {"nothing", "name", CAIRN_EQUAL, "a", "There is no record type nothing."},
        {"thing", "colour", CAIRN_EQUAL, "a",
         "thing has no field colour: cairn schema show thing lists them."},
        {"sale", "state", CAIRN_EQUAL, "new",
         "sale has no field state: cairn schema show sale lists them."},
        {"thing", "note", CAIRN_RANGE, "..", "note: \"..\" is not a range of the form LOW..HIGH."},
        {"thing", "note", CAIRN_RANGE, "a.b",
         "note: \"a.b\" is not a range of the form LOW..HIGH."},
        {"thing", "official", CAIRN_RANGE, "1..a",
         "official: \"1..a\" is not a range of the form LOW..HIGH."},
        {"thing", "count", CAIRN_RANGE, "a..1",
         "count: \"a\" is not a whole number: half-width digits, no commas."},
        {"thing", "count", CAIRN_RANGE, "5..4", "count: the range 5..4 ends before it begins."},
        {"thing", "count", CAIRN_RANGE, "1..a",
         "count: \"a\" is not a whole number: half-width digits, no commas."},
        {"thing", "count", CAIRN_LESS, "a",
         "count: \"a\" is not a whole number: half-width digits, no commas."},
        {"thing", "flags", CAIRN_LESS, "1",
         "flags has no order: only = and != can be asked of it."},
        {"thing", "good", CAIRN_GREATER, "no",
         "good has no order: only = and != can be asked of it."},
        {"thing", "kind", CAIRN_RANGE, "甲..乙",
         "kind has no order: only = and != can be asked of it."},
        {"thing", "of", CAIRN_AT_MOST, "@a", "of has no order: only = and != can be asked of it."},
        {"thing", "state", CAIRN_AT_LEAST, "new",
         "state has no order: only = and != can be asked of it."},
        {"thing", "of", CAIRN_EQUAL, "P-9999-0", "There is no record P-9999-0 here."},
        {"thing", "id", CAIRN_NOT_EQUAL, "100", "Only = can be asked of id."},
        {"thing", "band", CAIRN_LESS, "10..20", "Only = can be asked of band."},
        {"thing", "band", CAIRN_EQUAL, "5..6",
         "There is no band 5..6: the first band of count is \"<10\", the last \"20..\"."},
        {"sale", "failed", CAIRN_EQUAL, "plenty", "A sale has no indicator plenty."},
        {"fair", "band", CAIRN_EQUAL, "<10", "No field of a fair has bands."},
        {"thing", "state", CAIRN_EQUAL, "nowhere", "A thing has no state nowhere."},
        {"thing", "parallel", CAIRN_EQUAL, "perhaps",
         "parallel: \"perhaps\" is neither yes nor no."},
        {"thing", "village", CAIRN_EQUAL, "5133301002000",
         "village code 5133301002000 has 13 digits, at most 12 are possible."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct cairn_condition condition = {rows[i].field, rows[i].compare, rows[i].value};
        const struct cairn_query query = {
            .type = rows[i].type, .conditions = &condition, .condition_count = 1};
        assert_string_equal(desk_answer(&query), rows[i].sentence);
    }
}

static bool count_add(void *context, const struct cairn_count *count)
{
    *(uint64_t *)context += count->count;
    return true;
}

static void who_does_not_ask_why_is_told_whether(void **state)
{
    static const struct cairn_condition nobody = {"id", CAIRN_EQUAL, "P-9999-0"};
    static const struct cairn_condition no_field = {"colour", CAIRN_EQUAL, "red"};
    struct cairn_query query = {.type = "thing", .conditions = &nobody, .condition_count = 1};
    uint64_t count = 0;

    (void)state;
    assert_int_equal(
        cairn_query_count(desk.replica, &query, NULL, NULL, 0, count_add, &count, NULL), CAIRN_OK);
    assert_int_equal(count, 0);
    query.conditions = &no_field;
    assert_int_equal(
        cairn_query_count(desk.replica, &query, NULL, NULL, 0, count_add, &count, NULL),
        CAIRN_BAD_INPUT);
}

static bool record_count(void *context, const struct cairn_record *record)
{
    (void)record;
    (*(unsigned *)context)++;
    return true;
}

static void sixty_four_conditions_are_answered_and_no_more(void **state)
{
    struct cairn_field_value filter[80];
    unsigned count = 0;

    (void)state;
    for (size_t i = 0; i < 80; i++)
        filter[i] = (struct cairn_field_value){"good", "yes"};
    machine_must(&desk,
                 cairn_list(desk.replica, "thing", filter, 64, record_count, &count, &desk.err));
    assert_int_equal(count, 2);
    assert_int_equal(cairn_list(desk.replica, "thing", filter, 80, record_count, &count, &desk.err),
                     CAIRN_BAD_INPUT);
    assert_string_equal(desk.err.text, "More than 64 conditions.");
    assert_int_equal(count, 2);
}

static void an_alias_of_two_records_is_no_answer_to_a_question_of_one(void **state)
{
    static const struct cairn_field_value again[] = {{"official", "100"}, {NULL, NULL}};
    static const struct cairn_condition id = {"id", CAIRN_EQUAL, "100"};
    static const struct cairn_condition official = {"official", CAIRN_EQUAL, "100"};
    const struct cairn_query one = {.type = "thing", .conditions = &id, .condition_count = 1};
    const struct cairn_query all = {.type = "thing", .conditions = &official, .condition_count = 1};

    (void)state;
    desk_put("thing", DESK_FAR_VILLAGE, "twin", again);
    for (unsigned round = 0; round < 2; round++) {
        const char *sentence = desk_answer(&one);
        assert_non_null(strstr(sentence, "100 names 2 records: "));
        assert_non_null(strstr(sentence, desk_id("a")));
        assert_non_null(strstr(sentence, desk_id("twin")));
        assert_string_equal(desk_answer(&all), "a twin");
        desk_indexes_lose();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        THINGS_TEST(every_comparison_answers_the_same_with_an_index_and_without),
        THINGS_TEST(an_index_shows_what_a_record_shows_now),
        THINGS_TEST(all_conditions_hold_of_what_is_answered),
        THINGS_TEST(a_field_of_the_schema_comes_before_a_word_of_the_query),
        THINGS_TEST(a_question_that_makes_no_sense_is_refused_in_words),
        THINGS_TEST(who_does_not_ask_why_is_told_whether),
        THINGS_TEST(sixty_four_conditions_are_answered_and_no_more),
        THINGS_TEST(an_alias_of_two_records_is_no_answer_to_a_question_of_one),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
