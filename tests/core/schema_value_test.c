/* Values between what a person types, what stands in an entry, and what is shown of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "schema.h"

static const struct cairn_field id_number = {
    .name = "id_number", .unit = "", .wire = CAIRN_WIRE_DIGITS, .check = CAIRN_CHECK_ID_NUMBER};
static const struct cairn_field phone = {
    .name = "phone", .unit = "", .wire = CAIRN_WIRE_DIGITS, .check = CAIRN_CHECK_PHONE};
static const struct cairn_field village = {
    .name = "code", .unit = "", .wire = CAIRN_WIRE_DIGITS, .check = CAIRN_CHECK_VILLAGE};

/* A field of a wire type that came after this program. */
#define NEWER ((uint64_t)CAIRN_WIRE_COUNT + 7)

static void expect_shown(const struct cairn_field *field, const struct cairn_value *value,
                         const char *text)
{
    struct cairn_arena arena;

    cairn_arena_init(&arena);
    assert_string_equal(cairn_field_format(field, value, &arena), text);
    cairn_arena_release(&arena);
}

static void fits(const struct cairn_field *field, const char *text)
{
    struct cairn_err err = {.translate = NULL};
    struct cairn_value value;

    if (cairn_field_parse(field, text, &value, &err) != CAIRN_OK)
        fail_msg("%s is refused: %s", text, err.text);
    expect_shown(field, &value, text);
}

static void refused(const struct cairn_field *field, const char *text, const char *why)
{
    struct cairn_err err = {.translate = NULL};
    struct cairn_value value;

    if (cairn_field_parse(field, text, &value, &err) != CAIRN_BAD_INPUT)
        fail_msg("%s is taken", text);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s: told \"%s\" instead of \"%s\"", text, err.text, why);
}

/* The examples of the standard GB 11643-1999 and of encyclopaedias; nobody's numbers. */
static void id_numbers_are_taken_with_their_check_character_only(void **state)
{
    (void)state;
    fits(&id_number, "11010519491231002X");
    fits(&id_number, "440524188001010014");
    refused(&id_number, "110105194912310021", "mistyped");
    refused(&id_number, "11010519491231002x", "capital X");
    refused(&id_number, "11010519491331002X", "no date of birth");
    refused(&id_number, "110105491231002", "15 characters");
    refused(&id_number, "1101051949123100AX", "17 digits");
    refused(&id_number, "110105194912310:2X", "17 digits");
    refused(&id_number, "110105194912310/2X", "17 digits");
    refused(&id_number, "110105184912310028", "no date of birth");
    refused(&id_number, "110105210001010028", "no date of birth");
}

static void phones_are_mobile_numbers_or_landlines(void **state)
{
    (void)state;
    fits(&phone, "15910587754");
    fits(&phone, "0836-6222222");
    fits(&phone, "028-86123456");
    fits(&phone, "08366222222");
    refused(&phone, "1591058775", "telephone");
    refused(&phone, "12910587754", "telephone");
    refused(&phone, "6222222", "telephone");
    refused(&phone, "0836-62", "telephone");
    fits(&phone, "028-6123456");
    fits(&phone, "0836-62222222");
    fits(&phone, "083662222222");
    static const char *const none[] = {
        "1591058775a",
        "159105877541",
        "08-36222222",
        "08366-6222222",
        "0836-622222",
        "0836-622222222",
        "08a6-6222222",
        "0836-62222a2",
        "0836622222222",
        "08366222a22",
        "083662222",
        "8366-62222222",
        "",
        "-",
        "0836-622-222",
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        refused(&phone, none[i], "telephone");
}

static void village_codes_have_twelve_digits(void **state)
{
    (void)state;
    fits(&village, "513332100201");
    refused(&village, "51333210020", "has 11 digits, 12 are needed");
    refused(&village, "51333210020X", "no village code");
}

static void bounds_are_told_with_field_value_bound_and_unit(void **state)
{
    (void)state;
    const struct cairn_field money = {.name = "amount",
                                      .unit = "yuan",
                                      .wire = CAIRN_WIRE_MONEY,
                                      .has_lowest = true,
                                      .has_highest = true,
                                      .lowest = 0,
                                      .highest = 5000000};
    const struct cairn_field day = {
        .name = "day", .unit = "", .wire = CAIRN_WIRE_DATE, .has_lowest = true, .lowest = 0};

    fits(&money, "0.00");
    fits(&money, "50000.00");
    refused(&money, "50000.01", "amount: 50000.01 is too large, at most 50000.00 yuan");
    refused(&money, "-1", "amount: -1 is too small, at least 0.00 yuan");
    refused(&day, "1969-12-31", "at least 1970-01-01 is");
}

static void choices_are_taken_in_both_languages_and_others_only_where_open(void **state)
{
    (void)state;
    static const struct cairn_choice choices[] = {{1, "因病", "illness"}, {4, "因灾", ""}};
    struct cairn_field field = {.name = "cause",
                                .unit = "",
                                .wire = CAIRN_WIRE_CHOICE,
                                .choices = choices,
                                .choice_count = 2};
    struct cairn_value value;

    fits(&field, "因病");
    assert_int_equal(cairn_field_parse(&field, "illness", &value, NULL), CAIRN_OK);
    assert_int_equal(value.integer, 1);
    refused(&field, "因雪", "is not among its choices: 因病, 因灾.");
    refused(&field, "", "is not among its choices");
    field.is_open = true;
    fits(&field, "因雪");
}

/* As a Chinese keyboard writes them. */
static void digits_of_full_width_are_counted_as_people_count(void **state)
{
    (void)state;
    refused(&id_number, "１１０１０５１９４９１２３１００２Ｘ", "is no ID number: 17 digits");
    refused(&id_number, "11010519491231002Ｘ", "is no ID number: 17 digits");
    refused(&id_number, "１１０１０５", "\"１１０１０５\" has 6 characters, an ID number has 18");
    refused(&village, "５１３３３２１００２０１", "is no village code of 12 digits");
    refused(&village, "５１３３３２", "village code ５１３３３２ has 6 digits, 12 are needed");
}

static void what_a_sentence_quotes_is_cut_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text, *quoted;
    } cases[] = {
        {"一二三四五六七八九十一二三四", "一二三四五六七八九十一二三"},   /* 42 bytes */
        {"a一二三四五六七八九十一二三四", "a一二三四五六七八九十一二三"}, /* 40 fit */
        {"ééééééééééééééééééééé", "éééééééééééééééééééé"},
        {"aéééééééééééééééééééé", "aééééééééééééééééééé"},
    };
    const struct cairn_field field = {.name = "f", .unit = "", .wire = CAIRN_WIRE_CHOICE};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char why[128];
        snprintf(why, sizeof why, "f: \"%s\" is not among its choices", cases[i].quoted);
        refused(&field, cases[i].text, why);
    }
}

static void a_retired_field_takes_nothing_new(void **state)
{
    (void)state;
    const struct cairn_field field = {
        .name = "plan", .unit = "", .wire = CAIRN_WIRE_TEXT, .is_retired = true};

    refused(&field, "x", "plan is retired");
}

/* ---- by wire type --------------------------------------------------------------------------- */

static void what_is_typed_becomes_a_value_of_the_wire_type_and_is_shown_as_such(void **state)
{
    (void)state;
    static const struct {
        enum cairn_wire_type wire;
        const char *typed;
        bool is_text;
        int64_t integer;
        const char *shown; /* NULL: as typed */
    } cases[] = {
        {CAIRN_WIRE_TEXT, "", true, 0, NULL},
        {CAIRN_WIRE_TEXT, "扎西", true, 0, NULL},
        {CAIRN_WIRE_INTEGER, "0", false, 0, NULL},
        {CAIRN_WIRE_INTEGER, "-5", false, -5, NULL},
        {CAIRN_WIRE_INTEGER, "007", false, 7, "7"},
        {CAIRN_WIRE_INTEGER, "999999999999999999", false, 999999999999999999, NULL},
        {CAIRN_WIRE_INTEGER, "-999999999999999999", false, -999999999999999999, NULL},
        {CAIRN_WIRE_MONEY, "4150", false, 415000, "4150.00"},
        {CAIRN_WIRE_MONEY, "4150.5", false, 415050, "4150.50"},
        {CAIRN_WIRE_MONEY, "4150.05", false, 415005, NULL},
        {CAIRN_WIRE_MONEY, "-0.50", false, -50, NULL},
        {CAIRN_WIRE_MONEY, "9999999999999999.99", false, 999999999999999999, NULL},
        {CAIRN_WIRE_YES_NO, "yes", false, 1, NULL},
        {CAIRN_WIRE_YES_NO, "是", false, 1, "yes"},
        {CAIRN_WIRE_YES_NO, "true", false, 1, "yes"},
        {CAIRN_WIRE_YES_NO, "1", false, 1, "yes"},
        {CAIRN_WIRE_YES_NO, "no", false, 0, NULL},
        {CAIRN_WIRE_YES_NO, "否", false, 0, "no"},
        {CAIRN_WIRE_YES_NO, "false", false, 0, "no"},
        {CAIRN_WIRE_YES_NO, "0", false, 0, "no"},
        {CAIRN_WIRE_DATE, "1970-01-01", false, 0, NULL},
        {CAIRN_WIRE_DATE, "2020-02-29", false, 18321, NULL},
        {CAIRN_WIRE_DATE, "1600-03-01", false, -135080, NULL},
        {CAIRN_WIRE_DATE, "0000-01-01", false, -719528, NULL},
        {CAIRN_WIRE_DATE, "9999-12-31", false, 2932896, NULL},
        {CAIRN_WIRE_FLAGS, "0", false, 2, NULL},
        {CAIRN_WIRE_FLAGS, "01", false, 5, NULL},
        {CAIRN_WIRE_FLAGS, "11111111111111111111111111111111", false, 0x1ffffffff, NULL},
        {CAIRN_WIRE_DIGITS, "0", false, 0, NULL},
        {CAIRN_WIRE_DIGITS, "513332100201", false, 513332100201, NULL},
        {CAIRN_WIRE_DIGITS, "999999999999999999", false, 999999999999999999, NULL},
        {CAIRN_WIRE_DIGITS, "1000000000000000000", true, 0, NULL},
        {CAIRN_WIRE_DIGITS, "0836", true, 0, NULL},
        {CAIRN_WIRE_DIGITS, "-5", true, 0, NULL},
        {CAIRN_WIRE_DIGITS, "5-", true, 0, NULL},
        {CAIRN_WIRE_DIGITS, "", true, 0, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct cairn_field field = {.name = "f", .unit = "", .wire = cases[i].wire};
        const char *shown = cases[i].shown == NULL ? cases[i].typed : cases[i].shown;
        struct cairn_value value;
        if (cairn_field_parse(&field, cases[i].typed, &value, NULL) != CAIRN_OK)
            fail_msg("%s is refused", cases[i].typed);
        assert_int_equal(value.kind, cases[i].is_text ? CAIRN_VALUE_TEXT : CAIRN_VALUE_INTEGER);
        assert_int_equal(value.integer, cases[i].integer);
        assert_true(cairn_field_fits(&field, &value));
        fits(&field, shown);
        expect_shown(&field, &value, shown);
    }
}

static void what_is_no_value_of_the_wire_type_is_refused_with_its_form(void **state)
{
    (void)state;
    static const struct {
        uint64_t wire;
        const char *why;
        const char *typed[20];
    } cases[] = {
        {CAIRN_WIRE_INTEGER,
         "is not a whole number",
         {"", "-", "+1", " 1", "1.5", "1a", "a", "1000000000000000000"}},
        {CAIRN_WIRE_MONEY,
         "is not an amount of the form 4150.00",
         {"", "-", ".5", "1.", "1.234", "1.5x", "1,5", "x", "10000000000000000"}},
        {CAIRN_WIRE_YES_NO, "is neither yes nor no", {"", "maybe", "Yes", "2"}},
        {CAIRN_WIRE_DATE,
         "is not a date of the form 2020-12-03",
         {"", "2021-02-29", "1900-02-29", "2020-13-01", "2020-00-10", "2020-01-00", "2020-01-32",
          "2020-04-31", "2020/01-01", "2020-01/01", "20200101", "a020-01-01", "2020-a1-01",
          "2020-01-0a", "2020-1-1", "2020-01-011", "-020-01-01"}},
        {CAIRN_WIRE_FLAGS,
         "is not a row of 1 to 32 zeros and ones",
         {"", "012", "0a", "000000000000000000000000000000000"}},
        {CAIRN_WIRE_TEXT, "the text is not valid UTF-8 at byte 3", {"ab\xff"}},
        {CAIRN_WIRE_REFERENCE, "names a record", {"", "A7-0042-K"}},
        {NEWER, "is a field of a newer version", {"", "1", "a"}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct cairn_field field = {.name = "f", .unit = "", .wire = cases[i].wire};
        for (size_t k = 0; k < 20 && (k == 0 || cases[i].typed[k] != NULL); k++)
            refused(&field, cases[i].typed[k], cases[i].why);
    }
}

static void a_text_has_at_most_4096_bytes(void **state)
{
    (void)state;
    static const struct cairn_field field = {.name = "f", .unit = "", .wire = CAIRN_WIRE_TEXT};
    static char text[CAIRN_TEXT_MAX + 2];

    memset(text, 'a', CAIRN_TEXT_MAX);
    fits(&field, text);
    text[CAIRN_TEXT_MAX] = 'a';
    refused(&field, text, "f: the text has 4097 bytes, at most 4096 are kept.");
}

static void what_others_wrote_is_shown_whatever_it_is(void **state)
{
    (void)state;
    static const struct cairn_choice choices[] = {{1, "因病", "illness"}};
    static const struct {
        uint64_t wire;
        int64_t integer;
        const char *shown;
    } cases[] = {
        {CAIRN_WIRE_INTEGER, INT64_MIN, "-9223372036854775808"},
        {CAIRN_WIRE_INTEGER, INT64_MAX, "9223372036854775807"},
        {CAIRN_WIRE_MONEY, INT64_MIN, "-92233720368547758.08"},
        {CAIRN_WIRE_MONEY, 5, "0.05"},
        {CAIRN_WIRE_CHOICE, 1, "因病"},
        {CAIRN_WIRE_CHOICE, 9, "9"},
        {CAIRN_WIRE_YES_NO, 2, "2"},
        {CAIRN_WIRE_YES_NO, -1, "-1"},
        {CAIRN_WIRE_DATE, -719529, "-001-12-31"},
        {CAIRN_WIRE_DATE, -2932896, "-6060-01-03"},
        {CAIRN_WIRE_DATE, -2932897, "-2932897"},
        {CAIRN_WIRE_DATE, 2932897, "2932897"},
        {CAIRN_WIRE_FLAGS, 0, ""},
        {CAIRN_WIRE_FLAGS, INT64_MAX,
         "11111111111111111111111111111111111111111111111111111111111111"},
        {NEWER, 12, "12"},
    };
    const struct cairn_value closed = {.kind = CAIRN_VALUE_CLOSED, .is_slot = true},
                             five = {.kind = CAIRN_VALUE_INTEGER, .integer = 5};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct cairn_field field = {
            .name = "f", .wire = cases[i].wire, .choices = choices, .choice_count = 1};
        const struct cairn_value value = {.kind = CAIRN_VALUE_INTEGER, .integer = cases[i].integer};
        expect_shown(&field, &value, cases[i].shown);
        expect_shown(&field, &closed, "(closed)");
    }
    expect_shown(NULL, &five, "5");
}

/* ---- what an entry may hold ----------------------------------------------------------------- */

#define INTEGER(n)                                  \
    {                                               \
        .kind = CAIRN_VALUE_INTEGER, .integer = (n) \
    }
#define TEXT                     \
    {                            \
        .kind = CAIRN_VALUE_TEXT \
    }
#define DOT                     \
    {                           \
        .kind = CAIRN_VALUE_DOT \
    }
#define POSITION                     \
    {                                \
        .kind = CAIRN_VALUE_POSITION \
    }

static void a_bare_value_fits_a_field_of_its_wire_type_only(void **state)
{
    (void)state;
    static const struct cairn_value values[] = {INTEGER(-1), INTEGER(0), INTEGER(1), INTEGER(2),
                                                TEXT,        DOT,        POSITION};
    static const struct {
        uint64_t wire, merge;
        const char *fits; /* of each of the values */
    } cases[] = {
        {CAIRN_WIRE_TEXT, CAIRN_MERGE_REGISTER, "no no no no yes no no"},
        {CAIRN_WIRE_TEXT, CAIRN_MERGE_SET, "no no no no yes no no"},
        {CAIRN_WIRE_INTEGER, CAIRN_MERGE_REGISTER, "yes yes yes yes no no no"},
        {CAIRN_WIRE_INTEGER, CAIRN_MERGE_COUNTER, "yes yes yes yes no no no"},
        {CAIRN_WIRE_DATE, CAIRN_MERGE_REGISTER, "yes yes yes yes no no no"},
        {CAIRN_WIRE_MONEY, CAIRN_MERGE_REGISTER, "yes yes yes yes no no no"},
        {CAIRN_WIRE_YES_NO, CAIRN_MERGE_REGISTER, "no yes yes no no no no"},
        {CAIRN_WIRE_FLAGS, CAIRN_MERGE_REGISTER, "no no no yes no no no"},
        {CAIRN_WIRE_DIGITS, CAIRN_MERGE_REGISTER, "no yes yes yes yes no no"},
        {CAIRN_WIRE_CHOICE, CAIRN_MERGE_SET, "no yes yes yes yes no no"},
        {CAIRN_WIRE_REFERENCE, CAIRN_MERGE_REGISTER, "no no no no no yes no"},
        {CAIRN_WIRE_INTEGER, CAIRN_MERGE_WORKFLOW, "no no no no no no yes"},
        {CAIRN_WIRE_COUNT, CAIRN_MERGE_REGISTER, "no no no no no no no"},
        {NEWER, CAIRN_MERGE_REGISTER, "no no no no no no no"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct cairn_field field = {
            .name = "f", .wire = cases[i].wire, .merge = cases[i].merge};
        char got[64] = "";
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", k == 0 ? "" : " ",
                     cairn_field_fits(&field, &values[k]) ? "yes" : "no");
        assert_string_equal(got, cases[i].fits);
    }
}

static void a_slot_fits_personal_fields_only_and_its_content_is_judged_by_nobody(void **state)
{
    (void)state;
    const struct cairn_field personal = {.wire = CAIRN_WIRE_DATE, .is_personal = true},
                             open = {.wire = CAIRN_WIRE_DATE};
    const struct cairn_value closed = {.kind = CAIRN_VALUE_CLOSED, .is_slot = true},
                             text = {.kind = CAIRN_VALUE_TEXT, .is_slot = true},
                             bare = {.kind = CAIRN_VALUE_INTEGER};

    assert_true(cairn_field_fits(&personal, &closed));
    assert_true(cairn_field_fits(&personal, &text));
    assert_false(cairn_field_fits(&personal, &bare));
    assert_false(cairn_field_fits(&open, &closed));
    assert_false(cairn_field_fits(&open, &text));
    assert_true(cairn_field_fits(&open, &bare));
}

static void as_many_choices_are_told_as_a_sentence_holds(void **state)
{
    (void)state;
    static const char text[] = "一二三四五六七八九十一二三四五六七八九十";
    struct cairn_choice choices[20];
    const struct cairn_field field = {.name = "cause",
                                      .unit = "",
                                      .wire = CAIRN_WIRE_CHOICE,
                                      .choices = choices,
                                      .choice_count = 20};

    for (uint64_t i = 0; i < 20; i++)
        choices[i] = (struct cairn_choice){i + 1, text, ""};
    refused(&field, "x", "cause: \"x\" is not among its choices: 一二");
    refused(&field, "x", "十, ....");
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(id_numbers_are_taken_with_their_check_character_only),
        T(phones_are_mobile_numbers_or_landlines),
        T(village_codes_have_twelve_digits),
        T(bounds_are_told_with_field_value_bound_and_unit),
        T(choices_are_taken_in_both_languages_and_others_only_where_open),
        T(digits_of_full_width_are_counted_as_people_count),
        T(what_a_sentence_quotes_is_cut_between_characters),
        T(a_retired_field_takes_nothing_new),
        T(what_is_typed_becomes_a_value_of_the_wire_type_and_is_shown_as_such),
        T(what_is_no_value_of_the_wire_type_is_refused_with_its_form),
        T(a_text_has_at_most_4096_bytes),
        T(what_others_wrote_is_shown_whatever_it_is),
        T(a_bare_value_fits_a_field_of_its_wire_type_only),
        T(a_slot_fits_personal_fields_only_and_its_content_is_judged_by_nobody),
        T(as_many_choices_are_told_as_a_sentence_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
