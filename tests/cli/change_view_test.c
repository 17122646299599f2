/* The command that says again what had no effect. What else changes look like is seen in tests/e2e.
 */

#include "change_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "record_view.h"

/* Of the program; these tests come by none of them. */
char *under_way_text(const struct cairn_under_way *under_way)
{
    (void)under_way;
    return NULL;
}

const char *cli_value(const char *value, bool is_integer, char buffer[static I18N_NUMBER_BYTES])
{
    (void)is_integer;
    (void)buffer;
    return value;
}

json_t *output_json_text(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static void expect_command(struct cairn_history_item change, const char *reason, const char *want)
{
    struct cairn_refused_item item = {.type = "household",
                                      .id = "A7-0001-K",
                                      .reason = reason,
                                      .changes = &change,
                                      .change_count = 1};
    char *command = change_command(&item);

    assert_string_equal(command, want);
    free(command);
}

static void a_move_that_is_given_up_has_one_reason(void **state)
{
    const struct cairn_history_item change = {.operation = "step", .field = "listing"};

    (void)state;
    expect_command(change, "wrong house", "cairn step A7-0001-K --give-up --reason 'wrong house'");
    expect_command(change, NULL, "cairn step A7-0001-K --give-up --reason TEXT");
    expect_command(change, "(closed)", "cairn step A7-0001-K --give-up --reason TEXT");
}

static void a_reason_that_was_given_is_given_again(void **state)
{
    const struct cairn_history_item step = {
        .operation = "step", .field = "listing", .step = {.move = "register"}};
    const struct cairn_history_item set = {
        .operation = "set", .field = "members", .new_value = "4"};

    (void)state;
    expect_command(step, "seen", "cairn step A7-0001-K register --reason seen");
    expect_command(step, "(closed)", "cairn step A7-0001-K register");
    expect_command(set, NULL, "cairn put household A7-0001-K members=4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_that_is_given_up_has_one_reason),
        cmocka_unit_test(a_reason_that_was_given_is_given_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
