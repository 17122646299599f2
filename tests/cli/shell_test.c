/* Commands that the program shows can be pasted into a shell as they are. */

#include "shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect_word(const char *word, const char *quoted)
{
    char *line = shell_add(NULL, "x=", word);

    assert_non_null(line);
    assert_string_equal(line + 2, quoted);
    free(line);
}

static void plain_words_stay_as_they_are(void **state)
{
    (void)state;
    expect_word("A7-0001-K", "A7-0001-K");
    expect_word("4150", "4150");
    expect_word("扎西", "扎西");
    expect_word("2026-11-02", "2026-11-02");
}

static void what_a_shell_would_read_is_quoted(void **state)
{
    (void)state;
    expect_word("", "''");
    expect_word("生产就业|易地搬迁", "'生产就业|易地搬迁'");
    expect_word("two words", "'two words'");
    expect_word("$(rm -rf /)", "'$(rm -rf /)'");
    expect_word("a`b`", "'a`b`'");
    expect_word("~", "'~'");
    expect_word("line\nline", "'line\nline'");
    expect_word("it's", "'it'\\''s'");
    expect_word("''", "''\\'''\\'''");
}

static void words_of_a_line_stand_apart(void **state)
{
    char *line = shell_add(NULL, "cairn put ", "household");

    (void)state;
    line = shell_add(line, "", "A7-0001-K");
    line = shell_add(line, "head=", "扎西 顿珠");
    assert_string_equal(line, "cairn put household A7-0001-K head='扎西 顿珠'");
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_words_stay_as_they_are),
        cmocka_unit_test(what_a_shell_would_read_is_quoted),
        cmocka_unit_test(words_of_a_line_stand_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
