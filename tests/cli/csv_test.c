/* Comma-separated values as RFC 4180 has them, and what is said of files that do not follow it. */

#include "csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    char text[4096];
    struct csv_reader reader;
    struct csv_row row;
    struct cairn_err err;
};

static void set_up(struct fixture *f, const char *text)
{
    *f = (struct fixture){.row = {0}};
    assert_true(strlen(text) + 1 < sizeof f->text);
    memcpy(f->text, text, strlen(text));
    csv_init(&f->reader, f->text, strlen(text));
}

static enum cairn_status next(struct fixture *f)
{
    return csv_next(&f->reader, &f->row, &f->err);
}

static void expect_row(struct fixture *f, size_t line, size_t count, const char *const *fields)
{
    assert_int_equal(next(f), CAIRN_OK);
    assert_int_equal(f->row.line, line);
    assert_int_equal(f->row.field_count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(f->row.fields[i], fields[i]);
}

#define EXPECT_ROW(f, line, ...)                                                               \
    expect_row((f), (line), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), \
               (const char *const[]){__VA_ARGS__})

static void rows_end_in_lf_or_crlf_or_the_end(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, "head,income\n扎西,4150\r\n石,1");
    EXPECT_ROW(&f, 1, "head", "income");
    EXPECT_ROW(&f, 2, "扎西", "4150");
    EXPECT_ROW(&f, 3, "石", "1");
    assert_int_equal(next(&f), CAIRN_NOT_FOUND);
    assert_int_equal(next(&f), CAIRN_NOT_FOUND);
}

static void a_byte_order_mark_is_no_part_of_the_first_name(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, "\xef\xbb\xbfhead\n");
    EXPECT_ROW(&f, 1, "head");
}

static void quoted_fields_hold_commas_quotes_and_line_ends(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, "\"a,b\",\"say \"\"yes\"\"\",\"two\r\nlines\",\"\"\nnext\n");
    EXPECT_ROW(&f, 1, "a,b", "say \"yes\"", "two\r\nlines", "");
    EXPECT_ROW(&f, 3, "next");
    assert_int_equal(next(&f), CAIRN_NOT_FOUND);
}

static void empty_fields_count_and_empty_lines_do_not(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, "a,,\n\r\n\n,\n\n");
    EXPECT_ROW(&f, 1, "a", "", "");
    EXPECT_ROW(&f, 4, "", "");
    assert_int_equal(next(&f), CAIRN_NOT_FOUND);
}

static void a_comma_at_the_very_end_begins_an_empty_field(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, "a,");
    EXPECT_ROW(&f, 1, "a", "");
    assert_int_equal(next(&f), CAIRN_NOT_FOUND);
}

static void an_empty_file_has_no_rows(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, "");
    assert_int_equal(next(&f), CAIRN_NOT_FOUND);
    set_up(&f, "\xef\xbb\xbf");
    assert_int_equal(next(&f), CAIRN_NOT_FOUND);
}

static void what_breaks_the_rules_is_told_with_its_line(void **state)
{
    static const char *const bad[] = {
        "ok\n\"never closed\nmore\n",
        "ok\n\"closed\"x,1\n",
        "ok\nin\"side\n",
        "ok\n\xd4\xfa\xce\xf7\n", /* GBK, as an old spreadsheet writes it */
        "ok\n\"\"\"",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fixture f;
        set_up(&f, bad[i]);
        EXPECT_ROW(&f, 1, "ok");
        assert_int_equal(next(&f), CAIRN_BAD_INPUT);
        assert_int_equal(f.row.line, 2);
        assert_string_not_equal(f.err.text, "");
    }
}

static void a_zero_byte_is_refused_not_taken_for_an_end(void **state)
{
    struct fixture f;

    (void)state;
    set_up(&f, "abc\n");
    f.text[1] = '\0';
    assert_int_equal(next(&f), CAIRN_BAD_INPUT);
}

static void a_row_has_a_greatest_number_of_fields(void **state)
{
    char text[CSV_FIELDS_MAX + 2];
    struct fixture f;

    (void)state;
    memset(text, ',', sizeof text);
    text[CSV_FIELDS_MAX - 1] = '\0';
    set_up(&f, text);
    assert_int_equal(next(&f), CAIRN_OK);
    assert_int_equal(f.row.field_count, CSV_FIELDS_MAX);

    text[CSV_FIELDS_MAX - 1] = ',';
    text[CSV_FIELDS_MAX] = '\0';
    set_up(&f, text);
    assert_int_equal(next(&f), CAIRN_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_end_in_lf_or_crlf_or_the_end),
        cmocka_unit_test(a_byte_order_mark_is_no_part_of_the_first_name),
        cmocka_unit_test(quoted_fields_hold_commas_quotes_and_line_ends),
        cmocka_unit_test(empty_fields_count_and_empty_lines_do_not),
        cmocka_unit_test(a_comma_at_the_very_end_begins_an_empty_field),
        cmocka_unit_test(an_empty_file_has_no_rows),
        cmocka_unit_test(what_breaks_the_rules_is_told_with_its_line),
        cmocka_unit_test(a_zero_byte_is_refused_not_taken_for_an_end),
        cmocka_unit_test(a_row_has_a_greatest_number_of_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
