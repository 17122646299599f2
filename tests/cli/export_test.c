/* What leaves in an export: masks, guarded formulas, and files that are whole or not there. */

#include "export_writer.h"

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "formula.h"
#include "mask.h"
#include "temp_folder.h"

static char *folder;
static char path[PATH_MAX];

static int setup(void **state)
{
    (void)state;
    folder = temp_folder_new();
    snprintf(path, sizeof path, "%s/out", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_folder_remove(folder);
    return 0;
}

/* ---- masks ---- */

static void expect_mask(const struct cairn_field_info *field, const char *value, const char *masked)
{
    char buffer[MASK_BYTES];

    assert_string_equal(mask_value(field, value, buffer), masked);
}

static void a_name_shows_its_first_character_and_not_its_length(void **state)
{
    const struct cairn_field_info head = {.name = "head", .label_zh = "户主"};
    const struct cairn_field_info mother = {.name = "mother_name", .label_zh = "母亲"};
    const struct cairn_field_info who = {.name = "who", .label_zh = "联系人姓名"};

    (void)state;
    expect_mask(&head, "扎西", "扎*");
    expect_mask(&head, "扎西多吉", "扎*");
    expect_mask(&mother, "Lhamo", "L*");
    expect_mask(&who, "𠮷田", "𠮷*");
    expect_mask(&head, "石", "*");
    expect_mask(&head, "", "");
}

static void numbers_show_their_ends_in_whatever_field(void **state)
{
    const struct cairn_field_info phone = {.name = "phone", .type = "phone"};
    const struct cairn_field_info id = {.name = "id_number", .type = "id-number"};
    const struct cairn_field_info head = {.name = "head"};

    (void)state;
    expect_mask(&phone, "13808250001", "138****0001");
    expect_mask(&id, "51333219800101001X", "513332********001X");
    expect_mask(&id, "513332198001010011", "513332********0011");
    expect_mask(&head, "13808250001", "138****0001");
}

static void everything_else_is_hidden_wholly(void **state)
{
    const struct cairn_field_info addr = {.name = "addr", .label_zh = "住址"};
    const struct cairn_field_info birth = {.name = "birth", .type = "date"};
    const struct cairn_field_info phone = {.name = "phone", .type = "phone"};
    const struct cairn_field_info id = {.name = "id_number", .type = "id-number"};

    (void)state;
    expect_mask(&addr, "沙马村三组", "***");
    expect_mask(&birth, "1980-01-01", "***");
    expect_mask(&phone, "0836-2812345", "***");
    expect_mask(&id, "513332800101001", "***"); /* of the older kind, 15 digits */
}

/* ---- formulas ---- */

static void what_a_spreadsheet_would_run_is_guarded_and_comes_back(void **state)
{
    static const char *const texts[] = {"=1+1", "+1",    "-1",  "@x", "\t=1", "\r=1", "'=1",
                                        "''=1", "plain", "'q'", "",   "'",    "a=b",  "扎西"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char cell[32];
        snprintf(cell, sizeof cell, "%s%s", formula_needs_guard(texts[i]) ? "'" : "", texts[i]);
        assert_true(cell[0] == '\0' || strchr("=+-@\t\r", cell[0]) == NULL);
        assert_string_equal(formula_unguarded(cell), texts[i]);
    }
    assert_false(formula_needs_guard("plain"));
    assert_true(formula_needs_guard("=1"));
}

/* ---- files ---- */

static const struct export_column columns[] = {{"head", "户主", CELL_TEXT},
                                               {"income", "收入", CELL_INTEGER},
                                               {"paid", "金额", CELL_MONEY},
                                               {"updated", "日期", CELL_DATE}};

static struct export_writer *open_export(enum export_format format, bool has_mark)
{
    const struct export_config config = {path, format, has_mark, columns, 4};
    struct export_writer *writer = NULL;

    assert_int_equal(export_open(&config, &writer, NULL), CAIRN_OK);
    return writer;
}

static void write_rows(struct export_writer *writer)
{
    const char *const full[] = {"=a \"b\"", "-5", "-12.50", "2020-12-03"};
    const char *const empty[] = {"two\nlines", NULL, NULL, NULL};

    assert_int_equal(export_row(writer, full, NULL), CAIRN_OK);
    assert_int_equal(export_row(writer, empty, NULL), CAIRN_OK);
}

static size_t count_files(void)
{
    DIR *stream = opendir(folder);
    size_t count = 0;

    assert_non_null(stream);
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

static void expect_file(const char *content)
{
    char bytes[512] = "";
    FILE *stream = fopen(path, "rb");

    assert_non_null(stream);
    size_t size = fread(bytes, 1, sizeof bytes - 1, stream);
    fclose(stream);
    bytes[size] = '\0';
    assert_string_equal(bytes, content);
    assert_int_equal(count_files(), 1);
}

static void csv_has_crlf_quotes_and_guards_texts_only(void **state)
{
    struct export_writer *writer = open_export(EXPORT_CSV, true);

    (void)state;
    write_rows(writer);
    assert_int_equal(export_close(writer, NULL), CAIRN_OK);
    expect_file("\xef\xbb\xbfhead,income,paid,updated\r\n"
                "\"'=a \"\"b\"\"\",-5,-12.50,2020-12-03\r\n"
                "\"two\nlines\",,,\r\n");
}

static void json_lines_have_numbers_and_exact_amounts(void **state)
{
    struct export_writer *writer = open_export(EXPORT_JSONL, false);

    (void)state;
    write_rows(writer);
    assert_int_equal(export_close(writer, NULL), CAIRN_OK);
    expect_file("{\"head\":\"=a \\\"b\\\"\",\"income\":-5,\"paid\":\"-12.50\","
                "\"updated\":\"2020-12-03\"}\n"
                "{\"head\":\"two\\nlines\"}\n");
}

static void xlsx_is_a_zip_that_is_there_when_closed(void **state)
{
    struct export_writer *writer;
    char magic[4] = "";

    (void)state;
    (void)unlink(path);
    writer = open_export(EXPORT_XLSX, false);
    write_rows(writer);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(export_close(writer, NULL), CAIRN_OK);
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    assert_int_equal(fread(magic, 1, sizeof magic, stream), sizeof magic);
    fclose(stream);
    assert_memory_equal(magic, "PK\003\004", sizeof magic);
}

static void a_given_up_export_leaves_the_file_that_was_there(void **state)
{
    struct export_writer *writer = open_export(EXPORT_JSONL, false);

    (void)state;
    write_rows(writer);
    assert_int_equal(export_close(writer, NULL), CAIRN_OK);
    for (int format = EXPORT_CSV; format <= EXPORT_XLSX; format++) {
        writer = open_export((enum export_format)format, false);
        write_rows(writer);
        assert_int_equal(count_files(), 2);
        export_abort(writer);
        assert_int_equal(count_files(), 1);
    }
    expect_file("{\"head\":\"=a \\\"b\\\"\",\"income\":-5,\"paid\":\"-12.50\","
                "\"updated\":\"2020-12-03\"}\n"
                "{\"head\":\"two\\nlines\"}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_shows_its_first_character_and_not_its_length),
        cmocka_unit_test(numbers_show_their_ends_in_whatever_field),
        cmocka_unit_test(everything_else_is_hidden_wholly),
        cmocka_unit_test(what_a_spreadsheet_would_run_is_guarded_and_comes_back),
        cmocka_unit_test(csv_has_crlf_quotes_and_guards_texts_only),
        cmocka_unit_test(json_lines_have_numbers_and_exact_amounts),
        cmocka_unit_test(xlsx_is_a_zip_that_is_there_when_closed),
        cmocka_unit_test(a_given_up_export_leaves_the_file_that_was_there),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
