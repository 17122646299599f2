/* What the columns of a table are, and what is said of those that are nothing. */

#include "import_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct cairn_field_info fields[] = {
    {.name = "head", .label_zh = "户主", .label_en = "head of household"},
    {.name = "income", .label_zh = "人均纯收入", .label_en = "income per head"},
    {.name = "village_name", .label_zh = "村", .label_en = "village"},
    {.name = "addr", .label_zh = "住址", .label_en = "address"},
    {.name = "second", .label_zh = "住址", .label_en = "second address"},
};

static struct import_map map;
static struct cairn_err err;

static enum cairn_status read_header(const char *const *names, size_t count, const char *mapping)
{
    struct csv_row header = {.line = 1, .field_count = count};
    const struct import_map_input input = {.type = "household",
                                           .header = &header,
                                           .fields = fields,
                                           .field_count = sizeof fields / sizeof fields[0],
                                           .mapping = mapping};

    memcpy(header.fields, names, count * sizeof names[0]);
    err.text[0] = '\0';
    return import_map_init(&map, &input, &err);
}
#define HEADER(mapping, ...)                        \
    read_header((const char *const[]){__VA_ARGS__}, \
                sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), (mapping))

static void refuses(enum cairn_status status, const char *part)
{
    assert_int_equal(status, CAIRN_BAD_INPUT);
    if (strstr(err.text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, part);
}

static void names_and_labels_of_both_languages_are_found(void **state)
{
    (void)state;
    assert_int_equal(HEADER(NULL, "户主", "Income Per Head", "addr", "village", "记录编号"),
                     CAIRN_OK);
    assert_string_equal(map.columns[0].field, "head");
    assert_string_equal(map.columns[1].field, "income");
    assert_string_equal(map.columns[2].field, "addr");
    assert_int_equal(map.columns[3].role, IMPORT_IS_VILLAGE); /* not the label of village_name */
    assert_int_equal(map.columns[4].role, IMPORT_IS_RECORD);
    import_map_release(&map);
}

static void a_mapping_goes_before_names(void **state)
{
    (void)state;
    assert_int_equal(HEADER("a=b=income,备注=-,where=village", "a=b", "备注", "where", "head"),
                     CAIRN_OK);
    assert_string_equal(map.columns[0].field, "income");
    assert_int_equal(map.columns[1].role, IMPORT_IS_NOTHING);
    assert_int_equal(map.columns[2].role, IMPORT_IS_VILLAGE);
    assert_string_equal(map.columns[3].field, "head");
    import_map_release(&map);
}

static void an_unknown_column_is_named_with_what_to_do(void **state)
{
    (void)state;
    refuses(HEADER(NULL, "head", "incom"), "Did you mean income?");
    refuses(HEADER(NULL, "head", "户住"), "Did you mean head?");
    refuses(HEADER(NULL, "head", "备注说明"), "--map \"备注说明=-\"");
    refuses(HEADER(NULL, "head", ""), "no name");
    refuses(HEADER("head=colour", "head"), "no field colour");
    refuses(HEADER("haed=head", "head"), "\"haed\"");
    refuses(HEADER("head", "head"), "COLUMN=FIELD");
    refuses(HEADER("", "head"), "--map names no column");
    refuses(HEADER("a=head,,b=-", "a", "b"), "This is neither: ,b=-");
    refuses(HEADER("a=head,b=-,a=-", "a", "b"), "\"a\" twice");
}

static void two_columns_are_never_one_field(void **state)
{
    (void)state;
    refuses(HEADER(NULL, "head", "head"), "columns 1 and 2 are both called \"head\"");
    refuses(HEADER(NULL, "head", "户主"), "same field");
    refuses(HEADER(NULL, "village", "村代码"), "same field");
    assert_int_equal(HEADER("x=-,y=-", "x", "y", "head"), CAIRN_OK);
    import_map_release(&map);
}

static void a_label_of_two_fields_names_neither(void **state)
{
    (void)state;
    refuses(HEADER(NULL, "head", "住址"), "addr or second");
    assert_int_equal(HEADER("住址=second", "head", "住址"), CAIRN_OK);
    assert_string_equal(map.columns[1].field, "second");
    import_map_release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_labels_of_both_languages_are_found),
        cmocka_unit_test(a_mapping_goes_before_names),
        cmocka_unit_test(an_unknown_column_is_named_with_what_to_do),
        cmocka_unit_test(two_columns_are_never_one_field),
        cmocka_unit_test(a_label_of_two_fields_names_neither),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
