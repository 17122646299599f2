/* Chinese names of administrative codes: those that ship, and files that are not such a list. */

#include "regions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *copy_text(const char *text, size_t *out_size)
{
    char *copy = malloc(strlen(text) + 1);

    assert_non_null(copy);
    strcpy(copy, text);
    *out_size = strlen(text);
    return copy;
}

static struct regions *load_shipped(void)
{
    struct regions *regions = NULL;
    FILE *file = fopen(CAIRN_REGIONS, "rb");
    char *text = malloc(65536);

    assert_non_null(file);
    assert_non_null(text);
    size_t size = fread(text, 1, 65535, file);
    fclose(file);
    assert_int_equal(regions_new(text, size, &regions, NULL), CAIRN_OK);
    return regions;
}

static void every_level_of_a_village_has_its_name(void **state)
{
    struct regions *regions = load_shipped();

    (void)state;
    assert_string_equal(regions_find(regions, "51"), "四川省");
    assert_string_equal(regions_find(regions, "5133"), "甘孜藏族自治州");
    assert_string_equal(regions_find(regions, "513332"), "石渠县");
    assert_string_equal(regions_find(regions, "513332100"), "尼呷镇");
    assert_string_equal(regions_find(regions, "513332100201"), "沙马村民委员会");
    assert_null(regions_find(regions, "513401"));
    assert_null(regions_find(regions, ""));
    regions_free(regions);
}

static void names_are_shown_as_people_say_them(void **state)
{
    char buffer[REGIONS_NAME_BYTES];

    (void)state;
    assert_string_equal(regions_short("沙马村民委员会", buffer), "沙马村");
    assert_string_equal(regions_short("向阳社区居民委员会", buffer), "向阳社区");
    assert_string_equal(regions_short("石渠县", buffer), "石渠县");
    assert_string_equal(regions_short("村民委员会", buffer), "村");
    assert_string_equal(regions_short("", buffer), "");
}

static void an_unknown_code_is_shown_as_digits(void **state)
{
    struct regions *regions = load_shipped();
    char buffer[REGIONS_NAME_BYTES];

    (void)state;
    assert_string_equal(regions_label(regions, "513332", buffer), "513332 石渠县");
    assert_string_equal(regions_label(regions, "110000", buffer), "110000");
    assert_string_equal(regions_label(NULL, "513332", buffer), "513332");
    regions_free(regions);
}

static void a_list_out_of_order_is_refused(void **state)
{
    static const char *const bad[] = {
        "code,name\n52,b\n51,a\n", "code,name\n51,a\n51,b\n", "code,name\n51\n",
        "code,name\n51,a,b\n",     "code,name\n\"51,a\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct regions *regions = NULL;
        size_t size;
        char *text = copy_text(bad[i], &size);
        assert_int_equal(regions_new(text, size, &regions, NULL), CAIRN_BAD_INPUT);
        assert_null(regions);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_of_a_village_has_its_name),
        cmocka_unit_test(names_are_shown_as_people_say_them),
        cmocka_unit_test(an_unknown_code_is_shown_as_digits),
        cmocka_unit_test(a_list_out_of_order_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
