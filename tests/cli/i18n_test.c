/* Which language is meant, and how numbers stand in both. */

#include "i18n.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void any_chinese_is_the_one_catalogue(void **state)
{
    static const struct {
        const char *locale, *language;
        bool is_chinese;
    } cases[] = {
        {"zh_CN.UTF-8", NULL, true},
        {"zh_CN.UTF-8", "", true},
        {"zh_TW", NULL, true},
        {"zh", NULL, true},
        {"zh_Hans_CN", NULL, true},
        {"en_US.UTF-8", "zh_SG", true},
        {"C.UTF-8", "zh_CN", true},
        {"de_DE.UTF-8", "de:zh", true},
        {"zh_CN.UTF-8", "en:zh", false},
        {"C", "zh_CN", false},
        {"POSIX", "zh_CN", false},
        {NULL, "zh_CN", false},
        {"zha", NULL, false},
        {"de_DE", "de:en:zh", false},
        {"en_US.UTF-8", NULL, false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(i18n_wants_chinese(cases[i].locale, cases[i].language),
                         cases[i].is_chinese);
}

static void numbers_get_separators(void **state)
{
    (void)state;
    assert_string_equal(i18n_number(0).text, "0");
    assert_string_equal(i18n_number(999).text, "999");
    assert_string_equal(i18n_number(4150).text, "4,150");
    assert_string_equal(i18n_number(1234567).text, "1,234,567");
    assert_string_equal(i18n_number(UINT64_MAX).text, "18,446,744,073,709,551,615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_chinese_is_the_one_catalogue),
        cmocka_unit_test(numbers_get_separators),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
