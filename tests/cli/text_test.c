/* Widths, separators, file names, terminal bytes and slips of the finger. */

#include "text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void integers_get_separators_and_all_else_stays(void **state)
{
    static const struct {
        const char *value, *shown;
    } rows[] = {
        {"4150", "4,150"},
        {"-4150", "-4,150"},
        {"123456789", "123,456,789"},
        {"4", "4"},
        {"-999", "-999"},
        {"", ""},
        {"-", "-"},
        {"10000000000", "10,000,000,000"},
        {"-9223372036854775808", "-9,223,372,036,854,775,808"},
        {"92233720368547758080", "92233720368547758080"}, /* no 64-bit integer */
        {"(closed)", "(closed)"},
        {"2020-12-03", "2020-12-03"},
        {"4150元", "4150元"},
        {"扎西", "扎西"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char buffer[I18N_NUMBER_BYTES];
        assert_string_equal(text_integer(rows[i].value, buffer), rows[i].shown);
    }
}

static void a_chinese_letter_is_two_columns_wide(void **state)
{
    (void)state;
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("石"), 2);
    assert_int_equal(text_width("石渠县 1"), 8);
    assert_int_equal(text_width(""), 0);
    assert_int_equal(text_width("e\xcc\x81"), 1); /* a combining accent takes no column */
    assert_int_equal(text_width("a\xff\xff"), 3); /* not UTF-8: a column a byte */
}

/* A line, and what the next one begins with. */
static void expect_line(const char *text, size_t columns, const char *line, const char *next)
{
    char copy[200];
    size_t after;
    size_t bytes = text_line(text, columns, &after);

    assert_true(bytes < sizeof copy);
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    assert_string_equal(copy, line);
    assert_string_equal(text + after, next);
}

static void a_line_ends_at_a_blank_or_beside_a_wide_letter(void **state)
{
    (void)state;
    expect_line("one two", 7, "one two", "");
    expect_line("one two", 6, "one", "two");
    expect_line("one  two", 4, "one", "two");
    expect_line("one two", 3, "one", "two");
    expect_line("a_long_word more", 4, "a_long_word", "more"); /* not cut */
    expect_line("one\ntwo", 9, "one", "\ntwo");
    expect_line("石渠县沙马村", 7, "石渠县", "沙马村");
    expect_line("石渠县。", 6, "石渠", "县。"); /* no mark begins a line */
    expect_line("石渠（县）", 6, "石渠", "（县）");
    expect_line("用 --full 写", 6, "用", "--full 写");
    expect_line("写cairn写", 4, "写", "cairn写");
    expect_line("", 9, "", "");
}

static void lines_of_a_paragraph_are_joined(void **state)
{
    static const struct {
        const char *text, *whole;
    } cases[] = {
        {"one\ntwo", "one two"},
        {"one\n\ntwo", "one\n\ntwo"},
        {"石渠\n沙马", "石渠沙马"},
        {"以 3\n结束", "以 3 结束"},
        {"", ""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *whole = text_paragraphs(cases[i].text);
        assert_string_equal(whole, cases[i].whole);
        free(whole);
    }
}

static void times_are_empty_when_there_is_none(void **state)
{
    (void)state;
    assert_string_equal(text_minute(0).text, "");
    assert_string_equal(text_day(1795183320).text, "2026-11-20");
    assert_string_equal(text_minute(1795183320).text, "2026-11-20 14:02");
    assert_string_equal(text_iso(1795183320).text, "2026-11-20T14:02:00Z");
    assert_string_equal(text_iso(UINT64_MAX).text, "");
}

static void slugs_are_safe_file_names(void **state)
{
    static const struct {
        const char *name, *slug;
    } rows[] = {
        {"Shama village 1", "shama-village-1"},
        {"  Shiqu -- county / office. ", "shiqu-county-office"},
        {"石渠县", "石渠县"},
        {"../../etc/passwd", "etc-passwd"},
        {"---", "device"},
        {"", "device"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char slug[TEXT_SLUG_BYTES];
        text_slug(rows[i].name, slug);
        assert_string_equal(slug, rows[i].slug);
    }
}

static void assert_clean(const char *text, bool keeps_lines, const char *expected)
{
    char *clean = text_clean(text, keeps_lines);

    assert_non_null(clean);
    assert_string_equal(clean, expected);
    free(clean);
}

static void bytes_that_drive_a_terminal_are_replaced(void **state)
{
    (void)state;
    assert_clean("a\033[2Jb\x7f", true, "a?[2Jb?");
    assert_clean("a\nb\t", true, "a\nb?");
    assert_clean("a\nb", false, "a?b");
    assert_clean("x\xc2\x9b"
                 "2J",
                 true, "x??2J");
    assert_clean("扎西 é", true, "扎西 é");
}

static void a_sentence_can_go_on_without_its_stop(void **state)
{
    (void)state;
    assert_int_equal(text_length_without_stop("12 are needed."), 13);
    assert_int_equal(text_length_without_stop("12 are needed"), 13);
    assert_int_equal(text_length_without_stop("需要。"), 6);
    assert_int_equal(text_length_without_stop(""), 0);
    assert_int_equal(text_length_without_stop("."), 0);
}

static void slips_are_counted(void **state)
{
    (void)state;
    assert_int_equal(text_distance("status", "status"), 0);
    assert_int_equal(text_distance("stauts", "status"), 1);
    assert_int_equal(text_distance("stats", "status"), 1);
    assert_int_equal(text_distance("", "put"), 3);
    assert_int_equal(text_distance("put", "get"), 2);
    assert_true(text_distance("a-word-that-is-far-longer-than-any-name", "put") > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_get_separators_and_all_else_stays),
        cmocka_unit_test(a_chinese_letter_is_two_columns_wide),
        cmocka_unit_test(a_line_ends_at_a_blank_or_beside_a_wide_letter),
        cmocka_unit_test(lines_of_a_paragraph_are_joined),
        cmocka_unit_test(times_are_empty_when_there_is_none),
        cmocka_unit_test(slugs_are_safe_file_names),
        cmocka_unit_test(bytes_that_drive_a_terminal_are_replaced),
        cmocka_unit_test(a_sentence_can_go_on_without_its_stop),
        cmocka_unit_test(slips_are_counted),
    };

    setlocale(LC_ALL, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
