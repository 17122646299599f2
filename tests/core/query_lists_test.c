/* Lists in order, the fields they are given with, and groups with their sums. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "things.h"

/* ---- order --------------------------------------------------------------------------------- */

static void lists_are_sorted_cut_and_end_with_what_has_no_value(void **state)
{
    static const struct {
        const char *field;
        bool sorts_down;
        uint64_t offset, limit;
        const char *answer;
    } rows[] = {
        {NULL, false, 0, 0, "a b c e d"},
        {NULL, false, 0, 2, "a b"},
        {NULL, false, 3, 0, "e d"},
        {NULL, false, 1, 3, "b c e"},
        {NULL, false, 9, 1, ""},
        {"count", false, 0, 0, "e a b c d"},
        {"count", true, 0, 0, "c b a e d"},
        {"count", false, 0, 2, "e a"},
        {"count", false, 1, 2, "a b"},
        {"count", true, 4, 1, "d"},
        {"count", false, 0, UINT64_MAX, "e a b c d"},
        {"count", false, UINT64_MAX, 1, ""},
        {"official", false, 0, 0, "a c e b d"},
        {"note", true, 0, 0, "c e b a d"}, /* what an index cuts is ordered by place */
        {"total", false, 0, 0, "b a c e d"},
        {"secret", false, 0, 0, "a b c e d"},
        {"secret", true, 0, 3, "b a c"},
        {"of", false, 0, 0, "b c e a d"},
        {"state", true, 0, 0, "e a b c d"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct cairn_query query = {.type = "thing",
                                          .sort_field = rows[i].field,
                                          .sorts_down = rows[i].sorts_down,
                                          .offset = rows[i].offset,
                                          .limit = rows[i].limit};
        assert_string_equal(desk_answer(&query), rows[i].answer);
    }
}

static void a_source_stops_when_enough_was_given(void **state)
{
    static const struct cairn_condition conditions[] = {{"note", CAIRN_GREATER, ""},
                                                        {"official", CAIRN_EQUAL, "100"},
                                                        {"conflict", CAIRN_EQUAL, "no"},
                                                        {"state", CAIRN_EQUAL, "new"}};
    static const char *const first[] = {"a", "a", "a", "a"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const struct cairn_query query = {
            .type = "thing", .conditions = &conditions[i], .condition_count = 1, .limit = 1};
        assert_string_equal(desk_answer(&query), first[i]);
    }
}

/* ---- what a record is given with ----------------------------------------------------------- */

static char fields_text[256];

static bool fields_add(void *context, const struct cairn_record *record)
{
    (void)context;
    for (size_t i = 0; i < record->field_count; i++) {
        size_t used = strlen(fields_text);
        snprintf(fields_text + used, sizeof fields_text - used, "%s=%s ", record->fields[i].name,
                 record->fields[i].versions[0].value);
    }
    return true;
}

static void a_record_is_given_with_the_fields_that_were_asked_for(void **state)
{
    static const struct cairn_condition is_b = {"id", CAIRN_EQUAL, "B-1"};
    static const char *const wanted[] = {"count", "official", "state"};
    static const struct {
        size_t count;
        const char *text;
    } rows[] = {
        {0, "stand=new "}, {1, "count=10 stand=new "}, {3, "official=B-1 count=10 stand=new "}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct cairn_query query = {.type = "thing",
                                          .conditions = &is_b,
                                          .condition_count = 1,
                                          .fields = wanted,
                                          .field_count = rows[i].count};
        fields_text[0] = '\0';
        machine_must(&desk, cairn_query_run(desk.replica, &query, fields_add, NULL, &desk.err));
        assert_string_equal(fields_text, rows[i].text);
    }
}

/* ---- groups and sums ----------------------------------------------------------------------- */

static void groups_come_in_order_with_their_sums(void **state)
{
    static const char *const sums[] = {"count", "price", "total"};
    static const struct {
        const char *by;
        size_t sum_count;
        const char *answer;
    } rows[] = {
        {NULL, 0, "-=5"},
        {NULL, 3, "-=5(31,99.49,16)"},
        {"province", 0, "51=5"},
        {"prefecture", 0, "5133=5"},
        {"county", 1, "513330=4(31) 513331=1(0)"},
        {"township", 0, "513330100=4 513331100=1"},
        {"village", 1, "513330100200=2(15) 513330100201=2(16) 513331100200=1(0)"},
        {"kind", 0, "甲=2 乙=1 丙=1 -=1"},
        {"note", 0, "apple=1 apple pie=1 " THINGS_LONG "a=1 " THINGS_LONG "b=1 -=1"},
        {"good", 0, "no=1 yes=2 -=2"},
        {"price", 0, "-1.50=1 0.49=1 0.50=1 100.00=1 -=1"},
        {"total", 0, "-3=1 7=1 12=1 -=2"},
        {"sex", 0, "男=1 女=1 -=3"},
        {"of", 0, "-=5"},
        {"state", 1, "new=4(35) ready=1(-4)"},
        {"stand", 0, "new=4 ready=1"},
        {"band", 2, "<10=2(1,-1.01) 10..20=1(10,0.50) 20..=1(20,100.00) -=1(0,0.00)"},
    };
    const struct cairn_query query = {.type = "thing"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(desk_count(&query, rows[i].by, sums, rows[i].sum_count),
                            rows[i].answer);
}

static void bands_of_amounts_are_named_without_needless_cents(void **state)
{
    static const char *const amounts[] = {"-1.51", "-1.50", "-0.01", "0", "250.49", "250.50"};
    const struct cairn_query query = {.type = "sale"};
    const struct cairn_condition condition = {"band", CAIRN_EQUAL, "-1.50..0"};
    const struct cairn_query middle = {
        .type = "sale", .conditions = &condition, .condition_count = 1};

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        const struct cairn_field_value fields[] = {{"amount", amounts[i]}, {NULL, NULL}};
        desk_put("sale", DESK_VILLAGE, amounts[i], fields);
    }
    assert_string_equal(desk_count(&query, "band", NULL, 0),
                        "<-1.50=1 -1.50..0=2 0..250.50=2 250.50..=1");
    assert_string_equal(desk_answer(&middle), "-1.50 -0.01");
}

static bool stop(void *context, const struct cairn_count *count)
{
    (void)count;
    (*(unsigned *)context)++;
    return false;
}

static void who_has_seen_enough_groups_is_given_no_more(void **state)
{
    const struct cairn_query query = {.type = "thing"};
    unsigned given = 0;

    (void)state;
    machine_must(&desk,
                 cairn_query_count(desk.replica, &query, "kind", NULL, 0, stop, &given, &desk.err));
    assert_int_equal(given, 1);
}

#define MANY 60

static bool group_check(void *context, const struct cairn_count *count)
{
    unsigned *given = context;
    char expected[16] = "";

    if (*given < MANY)
        snprintf(expected, sizeof expected, "band %02u", *given);
    assert_string_equal(count->group == NULL ? "" : count->group, expected);
    assert_int_equal(count->count, *given < MANY ? 2 : 1);
    (*given)++;
    return true;
}

static void many_groups_are_told_apart(void **state)
{
    const struct cairn_query query = {.type = "odd"};
    unsigned given = 0;

    (void)state;
    for (unsigned i = 0; i < 2 * MANY; i++) {
        char band[16];
        const struct cairn_field_value fields[] = {{"band", band}, {NULL, NULL}};
        snprintf(band, sizeof band, "band %02u", i * 7 % MANY);
        desk_put("odd", i % 2 == 0 ? DESK_VILLAGE : DESK_FAR_VILLAGE, "one of many", fields);
    }
    machine_must(&desk, cairn_query_count(desk.replica, &query, "band", NULL, 0, group_check,
                                          &given, &desk.err));
    assert_int_equal(given, MANY + 1);
}

static void more_groups_than_the_limit_are_refused(void **state)
{
    enum { BATCH = 4096 };
    static struct cairn_put puts[BATCH];
    static struct cairn_put_result results[BATCH];
    static struct cairn_field_value fields[BATCH][2];
    static char numbers[BATCH][8];
    const struct cairn_query query = {.type = "sale"};
    unsigned made = 0;

    (void)state;
    while (made <= CAIRN_GROUPS_MAX) {
        size_t count = 0;
        for (; count < BATCH && made <= CAIRN_GROUPS_MAX; count++) {
            snprintf(numbers[count], sizeof numbers[count], "%u", made++);
            fields[count][0] = (struct cairn_field_value){"name", "one of many"};
            fields[count][1] = (struct cairn_field_value){"units", numbers[count]};
            puts[count] = (struct cairn_put){
                .type = "sale", .scope = DESK_VILLAGE, .fields = fields[count], .field_count = 2};
        }
        machine_must(&desk, cairn_put_many(desk.replica, puts, count, results, NULL, &desk.err));
    }
    assert_string_equal(desk_count(&query, "units", NULL, 0), "These are more than 65536 groups.");
    assert_string_equal(desk_count(&query, "village", NULL, 0), "513330100200=65537");
}

static void a_sum_beyond_63_bits_is_refused(void **state)
{
    static const char *const sums[] = {"units"};
    static const struct cairn_field_value most[] = {{"units", "999999999999999999"}, {NULL, NULL}};
    const struct cairn_query query = {.type = "sale"};

    (void)state;
    for (size_t i = 0; i < 9; i++)
        desk_put("sale", DESK_VILLAGE, "much", most);
    assert_string_equal(desk_count(&query, NULL, sums, 1), "-=9(8999999999999999991)");
    desk_put("sale", DESK_VILLAGE, "too much", most);
    assert_string_equal(desk_count(&query, NULL, sums, 1), "The sum of units is too large.");
}

/* ---- refusals ---------------------------------------------------------------------------- */

static void lists_groups_and_sums_of_what_is_not_there_are_refused_in_words(void **state)
{
    static const char *const unknown[] = {"colour"};
    static const char *const many[CAIRN_SUMS_MAX + 1] = {NULL};
    static const char *const not_sums[] = {"note", "stand", "kinds", "day", "with"};
    const struct cairn_query things = {.type = "thing"}, odds = {.type = "sale"};
    const struct cairn_query sorted = {.type = "thing", .sort_field = "colour"};
    const struct cairn_query projected = {.type = "thing", .fields = unknown, .field_count = 1};

    (void)state;
    assert_string_equal(desk_answer(&sorted),
                        "thing has no field colour: cairn schema show thing lists them.");
    assert_string_equal(desk_answer(&projected),
                        "thing has no field colour: cairn schema show thing lists them.");
    assert_string_equal(desk_count(&things, "colour", NULL, 0),
                        "thing has no field colour: cairn schema show thing lists them.");
    assert_string_equal(desk_count(&things, NULL, unknown, 1),
                        "thing has no field colour: cairn schema show thing lists them.");
    assert_string_equal(desk_count(&things, NULL, many, CAIRN_SUMS_MAX + 1), "More than 16 sums.");
    for (size_t i = 0; i < sizeof not_sums / sizeof not_sums[0]; i++) {
        char sentence[64];
        snprintf(sentence, sizeof sentence, "%s is neither a number nor an amount.", not_sums[i]);
        assert_string_equal(desk_count(&things, NULL, &not_sums[i], 1), sentence);
    }
    assert_string_equal(desk_count(&odds, "state", NULL, 0),
                        "sale has no field state: cairn schema show sale lists them.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        THINGS_TEST(lists_are_sorted_cut_and_end_with_what_has_no_value),
        THINGS_TEST(a_source_stops_when_enough_was_given),
        THINGS_TEST(a_record_is_given_with_the_fields_that_were_asked_for),
        THINGS_TEST(groups_come_in_order_with_their_sums),
        THINGS_TEST(bands_of_amounts_are_named_without_needless_cents),
        THINGS_TEST(who_has_seen_enough_groups_is_given_no_more),
        THINGS_TEST(many_groups_are_told_apart),
        THINGS_TEST(more_groups_than_the_limit_are_refused),
        THINGS_TEST(a_sum_beyond_63_bits_is_refused),
        THINGS_TEST(lists_groups_and_sums_of_what_is_not_there_are_refused_in_words),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
