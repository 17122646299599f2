/* What stands on standard output: aligned tables, one JSON object a line. */

#include "output.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct capture {
    FILE *file;
    int stdout_copy;
};

/* Standard output goes into a file until capture_end(). */
static void capture_begin(struct capture *capture)
{
    fflush(stdout);
    capture->file = tmpfile();
    capture->stdout_copy = dup(STDOUT_FILENO);
    assert_non_null(capture->file);
    assert_true(dup2(fileno(capture->file), STDOUT_FILENO) >= 0);
}

static void capture_end(struct capture *capture, char *out_text, size_t capacity)
{
    fflush(stdout);
    dup2(capture->stdout_copy, STDOUT_FILENO);
    close(capture->stdout_copy);
    rewind(capture->file);
    size_t size = fread(out_text, 1, capacity - 1, capture->file);
    out_text[size] = '\0';
    fclose(capture->file);
}

#define ADD(table, ...)                                    \
    table_add((table), (const char *const[]){__VA_ARGS__}, \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* What the table prints; it is released. */
static void expect_table(struct table *table, bool is_whole, const char *want)
{
    struct output output;
    struct capture capture;
    char text[512];

    output_init(&output);
    capture_begin(&capture);
    output_table(&output, table, is_whole);
    capture_end(&capture, text, sizeof text);
    table_release(table);
    assert_string_equal(text, want);
}

static void chinese_cells_align_with_latin_ones(void **state)
{
    struct table table;

    (void)state;
    table_init(&table);
    ADD(&table, "ID", "village", "income");
    ADD(&table, "A7-0001-K", "沙马村", "4,150");
    ADD(&table, "C-1", "513401001003", "1");
    expect_table(&table, false,
                 "ID          village        income\n"
                 "A7-0001-K   沙马村         4,150\n"
                 "C-1         513401001003   1\n");
}

static void empty_cells_leave_no_blanks_at_the_end_of_a_line(void **state)
{
    struct table table;

    (void)state;
    table_init(&table);
    ADD(&table, "a", NULL, "c");
    ADD(&table, "b", "bb", NULL);
    ADD(&table, "long");
    expect_table(&table, true,
                 "a           c\n"
                 "b      bb\n"
                 "long\n");
}

static void columns_that_no_row_fills_take_no_room(void **state)
{
    struct table table;

    (void)state;
    table_init(&table);
    table_drop_unused(&table);
    ADD(&table, "ID", "phone", "head", "plan");
    ADD(&table, "a", NULL, "扎西", "");
    ADD(&table, "b", "");
    table_drop_unused(&table);
    expect_table(&table, false,
                 "ID   head\n"
                 "a    扎西\n"
                 "b\n");
}

static void what_is_filled_ends_where_columns_say(void **state)
{
    struct output output;
    struct capture capture;
    struct table table;
    char text[512];

    (void)state;
    output_init(&output);
    table_init(&table);
    ADD(&table, "--a", "one two three four five six");
    ADD(&table, "--bbb", "石渠县石渠县石渠县石渠县");
    ADD(&table, "--c", NULL);
    setenv("COLUMNS", "28", 1);
    capture_begin(&capture);
    output_table_filled(&output, &table);
    output_text(&output, "one two three four five\nsix\n\nseven", 2);
    capture_end(&capture, text, sizeof text);
    unsetenv("COLUMNS");
    table_release(&table);
    assert_string_equal(text, "--a     one two three four\n"
                              "        five six\n"
                              "--bbb   石渠县石渠县石渠县石\n"
                              "        渠县\n"
                              "--c\n"
                              "one two three four five six\n"
                              "\n"
                              "seven\n");
    assert_true(output_end(&output));
}

static void a_column_that_is_dropped_takes_no_room(void **state)
{
    struct table table;

    (void)state;
    table_init(&table);
    ADD(&table, "ID", "village", "head");
    ADD(&table, "a", "沙马村", "扎西");
    table_drop(&table, 1);
    table_replace(&table, 0, 2, "户主");
    expect_table(&table, true,
                 "ID   户主\n"
                 "a    扎西\n");
}

static void a_cell_cannot_break_its_line(void **state)
{
    struct table table;

    (void)state;
    table_init(&table);
    ADD(&table, "a\nb", "\033[2J");
    expect_table(&table, true, "a?b   ?[2J\n");
}

static void json_is_one_object_a_line(void **state)
{
    struct output output;
    struct capture capture;
    char text[512];

    (void)state;
    output_init(&output);
    capture_begin(&capture);
    output_json(&output, json_pack("{s:o, s:o, s:o}", "a", output_json_text("石\n"), "b",
                                   output_json_text(NULL), "c", output_json_text("\xff")));
    output_line(&output, "%s", "line");
    capture_end(&capture, text, sizeof text);
    assert_string_equal(text, "{\"a\":\"石\\n\",\"b\":null,\"c\":\"?\"}\nline\n");
    assert_true(output_end(&output));
}

static void lost_output_is_remembered(void **state)
{
    struct output output;

    (void)state;
    output_init(&output);
    assert_true(output_end(&output));
    output_json(&output, NULL);
    assert_false(output_end(&output));
}

static void bad_bytes_alone_are_replaced_in_json(void **state)
{
    static const char *const texts[][2] = {{"plain 石", "plain 石"},
                                           {"a\377b", "a?b"},
                                           {"石\xe7\x9f", "石??"},
                                           {"\xed\xa0\x80 x", "??? x"},
                                           {"\377", "?"}};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *value = output_json_text(texts[i][0]);
        assert_string_equal(json_string_value(value), texts[i][1]);
        json_decref(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chinese_cells_align_with_latin_ones),
        cmocka_unit_test(empty_cells_leave_no_blanks_at_the_end_of_a_line),
        cmocka_unit_test(columns_that_no_row_fills_take_no_room),
        cmocka_unit_test(what_is_filled_ends_where_columns_say),
        cmocka_unit_test(a_column_that_is_dropped_takes_no_room),
        cmocka_unit_test(a_cell_cannot_break_its_line),
        cmocka_unit_test(json_is_one_object_a_line),
        cmocka_unit_test(lost_output_is_remembered),
        cmocka_unit_test(bad_bytes_alone_are_replaced_in_json),
    };

    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
