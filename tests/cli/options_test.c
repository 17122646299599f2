/* Options are written in full, given once, and end at "--". */

#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct option_spec own[] = {
    {OPTION_REASON, "reason", "TEXT", "why"},
    {OPTION_DRY_RUN, "dry-run", NULL, "write nothing"},
    {OPTION_CHECKPOINT, "checkpoint", "FILE...", "what was kept"},
    {OPTION_COUNT, NULL, NULL, NULL},
};

struct fixture {
    struct options options;
    struct cairn_err err;
    size_t used;
};

#define ARGUMENTS_MAX 300

/* Read `count` words; getopt's habit of char * const * asks for copies. */
static enum cairn_status read_words(struct fixture *f, size_t count, const char *const *words,
                                    bool stops)
{
    static char copies[ARGUMENTS_MAX][64];
    char *argv[ARGUMENTS_MAX];

    assert_true(count <= ARGUMENTS_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(words[i]) < sizeof copies[i]);
        strcpy(copies[i], words[i]);
        argv[i] = copies[i];
    }
    *f = (struct fixture){.used = 0};
    options_init(&f->options);
    return options_read(&f->options, own, argv, count, stops, &f->used, &f->err);
}

#define READ(f, stops, ...)                                                            \
    read_words((f), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), \
               (const char *const[]){__VA_ARGS__}, (stops))

static void options_and_arguments_mix(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(READ(&f, false, "household", "--reason", "yak sold", "head=扎西", "--dry-run",
                          "--store=x=y"),
                     CAIRN_OK);
    assert_int_equal(f.options.argument_count, 2);
    assert_string_equal(f.options.arguments[0], "household");
    assert_string_equal(f.options.arguments[1], "head=扎西");
    assert_string_equal(options_value(&f.options, OPTION_REASON), "yak sold");
    assert_string_equal(options_value(&f.options, OPTION_STORE), "x=y");
    assert_true(options_has(&f.options, OPTION_DRY_RUN));
    assert_false(options_has(&f.options, OPTION_JSON));
}

static void what_may_be_repeated_gathers_its_values(void **state)
{
    const char *words[2 * OPTIONS_REPEATED_MAX + 2];
    struct fixture f;

    (void)state;
    assert_int_equal(READ(&f, false, "--checkpoint", "one", "bundle", "--checkpoint=two"),
                     CAIRN_OK);
    assert_int_equal(f.options.repeated_count, 2);
    assert_string_equal(f.options.repeated[0], "one");
    assert_string_equal(f.options.repeated[1], "two");
    assert_int_equal(f.options.argument_count, 1);
    assert_true(options_has(&f.options, OPTION_CHECKPOINT));
    assert_int_equal(READ(&f, false, "--checkpoint"), CAIRN_BAD_INPUT);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        words[i] = i % 2 == 0 ? "--checkpoint" : "file";
    assert_int_equal(read_words(&f, 2 * OPTIONS_REPEATED_MAX, words, false), CAIRN_OK);
    assert_int_equal(f.options.repeated_count, OPTIONS_REPEATED_MAX);
    assert_int_equal(read_words(&f, 2 * OPTIONS_REPEATED_MAX + 2, words, false), CAIRN_BAD_INPUT);
}

static void two_dashes_end_the_options(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(READ(&f, false, "a", "--", "--json", "-x", "--"), CAIRN_OK);
    assert_int_equal(f.options.argument_count, 4);
    assert_string_equal(f.options.arguments[1], "--json");
    assert_string_equal(f.options.arguments[3], "--");
    assert_false(options_has(&f.options, OPTION_JSON));
}

static void a_value_may_begin_with_dashes(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(READ(&f, false, "--reason", "--json"), CAIRN_OK);
    assert_string_equal(options_value(&f.options, OPTION_REASON), "--json");
    assert_false(options_has(&f.options, OPTION_JSON));
}

static void a_lone_dash_is_an_argument(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(READ(&f, false, "-"), CAIRN_OK);
    assert_int_equal(f.options.argument_count, 1);
}

static void h_is_the_only_short_option(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(READ(&f, false, "-h"), CAIRN_OK);
    assert_true(options_has(&f.options, OPTION_HELP));
    assert_int_equal(READ(&f, false, "-j"), CAIRN_BAD_INPUT);
}

static void abbreviations_are_refused_with_the_full_name(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(READ(&f, false, "--reaso", "x"), CAIRN_BAD_INPUT);
    assert_non_null(strstr(f.err.text, "--reason"));
    assert_int_equal(READ(&f, false, "--js"), CAIRN_BAD_INPUT);
    assert_int_equal(READ(&f, false, "--jsno"), CAIRN_BAD_INPUT);
    assert_non_null(strstr(f.err.text, "--json"));
    assert_int_equal(READ(&f, false, "--quite-different"), CAIRN_BAD_INPUT);
    assert_null(strstr(f.err.text, "mean"));
}

static void wrong_values_are_refused(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(READ(&f, false, "--reason"), CAIRN_BAD_INPUT);
    assert_int_equal(READ(&f, false, "--dry-run=yes"), CAIRN_BAD_INPUT);
    assert_int_equal(READ(&f, false, "--json", "--json"), CAIRN_BAD_INPUT);
    assert_int_equal(READ(&f, false, "--reason", "a", "--reason=b"), CAIRN_BAD_INPUT);
}

static void reading_can_stop_before_the_command(void **state)
{
    struct fixture f;

    (void)state;
    assert_int_equal(READ(&f, true, "--store", "d", "status", "--check"), CAIRN_OK);
    assert_int_equal(f.used, 2);
    assert_int_equal(f.options.argument_count, 0);
}

static void too_many_arguments_are_refused(void **state)
{
    const char *words[OPTIONS_ARGUMENTS_MAX + 1];
    struct fixture f;

    (void)state;
    for (size_t i = 0; i <= OPTIONS_ARGUMENTS_MAX; i++)
        words[i] = "a";
    assert_int_equal(read_words(&f, OPTIONS_ARGUMENTS_MAX, words, false), CAIRN_OK);
    assert_int_equal(read_words(&f, OPTIONS_ARGUMENTS_MAX + 1, words, false), CAIRN_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_arguments_mix),
        cmocka_unit_test(what_may_be_repeated_gathers_its_values),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(a_value_may_begin_with_dashes),
        cmocka_unit_test(a_lone_dash_is_an_argument),
        cmocka_unit_test(h_is_the_only_short_option),
        cmocka_unit_test(abbreviations_are_refused_with_the_full_name),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(reading_can_stop_before_the_command),
        cmocka_unit_test(too_many_arguments_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
