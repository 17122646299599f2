/* Result codes, the error context and assertions (cairn/base.h). */

#include "cairn/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "aborts.h"

static void every_status_has_a_name_a_text_and_somebody_who_must_act(void **state)
{
    (void)state;
    for (int i = 0; i < CAIRN_STATUS_COUNT; i++) {
        enum cairn_status status = (enum cairn_status)i;

        assert_true(strlen(cairn_status_name(status)) > 0);
        assert_true(strlen(cairn_status_text(status)) > 0);
        assert_true(cairn_status_actor(status) <= CAIRN_ACTOR_USER);
        assert_int_equal(cairn_status_actor(status) == CAIRN_ACTOR_NOBODY, status == CAIRN_OK);
    }
}

static void names_are_those_of_the_list(void **state)
{
    (void)state;
    assert_int_equal(CAIRN_OK, 0);
    assert_string_equal(cairn_status_name(CAIRN_OK), "OK");
    assert_string_equal(cairn_status_name(CAIRN_BAD_SIGNATURE), "BAD_SIGNATURE");
    assert_string_equal(cairn_status_text(CAIRN_NO_SPACE), "storage is full");
    assert_int_equal(cairn_status_actor(CAIRN_MALFORMED), CAIRN_ACTOR_PEER);
    assert_int_equal(cairn_status_actor(CAIRN_GAP), CAIRN_ACTOR_RETRY);
    assert_int_equal(cairn_status_actor(CAIRN_CORRUPT), CAIRN_ACTOR_OPERATOR);
    assert_int_equal(cairn_status_actor(CAIRN_BAD_INPUT), CAIRN_ACTOR_USER);
}

static void names_are_all_different(void **state)
{
    (void)state;
    for (int i = 0; i < CAIRN_STATUS_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(cairn_status_name((enum cairn_status)i),
                                    cairn_status_name((enum cairn_status)j));
}

static void fail_returns_the_status_and_writes_the_sentence_and_nothing_more(void **state)
{
    struct cairn_err err = {0};

    (void)state;
    assert_int_equal(cairn_fail(&err, CAIRN_NOT_FOUND, "There is no record %s-%04d.", "A7", 42),
                     CAIRN_NOT_FOUND);
    assert_string_equal(err.text, "There is no record A7-0042.");
}

static void fail_without_an_error_context_returns_the_status(void **state)
{
    (void)state;
    assert_int_equal(cairn_fail(NULL, CAIRN_IO, "Nobody reads %d.", 1), CAIRN_IO);
}

static void a_second_error_replaces_the_first(void **state)
{
    struct cairn_err err = {0};

    (void)state;
    assert_int_equal(cairn_fail(&err, CAIRN_IO, "The first and longer one."), CAIRN_IO);
    assert_int_equal(cairn_fail(&err, CAIRN_LIMIT, "Two."), CAIRN_LIMIT);
    assert_string_equal(err.text, "Two.");
}

static void an_error_may_quote_the_error_it_replaces(void **state)
{
    struct cairn_err err = {0};

    (void)state;
    assert_int_equal(cairn_fail(&err, CAIRN_IO, "The disk is gone."), CAIRN_IO);
    assert_int_equal(cairn_fail(&err, CAIRN_IO, "Not saved: %s", err.text), CAIRN_IO);
    assert_string_equal(err.text, "Not saved: The disk is gone.");
}

static const char *translate_one(const char *msgid)
{
    return strcmp(msgid, "%d of %d.") == 0 ? "共%2$d，第%1$d。" : msgid;
}

static void the_sentence_is_translated_before_the_arguments_go_in(void **state)
{
    struct cairn_err err = {.translate = translate_one};

    (void)state;
    assert_int_equal(cairn_fail(&err, CAIRN_LIMIT, "%d of %d.", 3, 8), CAIRN_LIMIT);
    assert_string_equal(err.text, "共8，第3。");
    assert_int_equal(cairn_fail(&err, CAIRN_LIMIT, "Unknown %d.", 3), CAIRN_LIMIT);
    assert_string_equal(err.text, "Unknown 3.");
    assert_ptr_equal(err.translate, translate_one);
}

/* `lead_bytes` of ASCII, then `unit` until it is too much; gives what is left of it. */
static size_t size_after_cut(struct cairn_err *err, size_t lead_bytes, const char *unit)
{
    char text[2 * CAIRN_ERR_TEXT_BYTES];
    size_t size = lead_bytes;

    memset(text, 'a', lead_bytes);
    while (size + strlen(unit) < sizeof(text)) {
        memcpy(text + size, unit, strlen(unit));
        size += strlen(unit);
    }
    text[size] = '\0';
    assert_int_equal(cairn_fail(err, CAIRN_LIMIT, "%s", text), CAIRN_LIMIT);
    assert_memory_equal(err->text, text, strlen(err->text));
    return strlen(err->text);
}

static void a_long_sentence_is_cut_between_characters(void **state)
{
    static const char *const units[] = {"b", "\u00e9", "\u6751", "\U00020bb7"};
    struct cairn_err err = {0};

    (void)state;
    for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++)
        for (size_t lead = 0; lead < 8; lead++) {
            size_t room = CAIRN_ERR_TEXT_BYTES - 1 - lead;
            size_t want = lead + room - room % strlen(units[u]);

            assert_int_equal(size_after_cut(&err, lead, units[u]), want);
        }
}

static void a_sentence_that_just_fits_is_whole(void **state)
{
    struct cairn_err err = {0};
    char text[CAIRN_ERR_TEXT_BYTES];

    (void)state;
    memset(text, 'x', sizeof(text) - 4);
    memcpy(text + sizeof(text) - 4, "\u6751", 4);
    assert_int_equal(cairn_fail(&err, CAIRN_LIMIT, "%s", text), CAIRN_LIMIT);
    assert_string_equal(err.text, text);
}

static void bytes_that_are_not_utf8_are_cut_at_the_limit(void **state)
{
    struct cairn_err err = {0};

    (void)state;
    assert_int_equal(size_after_cut(&err, 0, "\x80"), CAIRN_ERR_TEXT_BYTES - 1);
}

static void assert_something_false(void)
{
    CAIRN_ASSERT(1 + 1 == 3);
}

static void assert_something_true(void)
{
    CAIRN_ASSERT(1 + 1 == 2);
}

static void fail_with_success(void)
{
    struct cairn_err err = {0};

    cairn_fail(&err, CAIRN_OK, "This cannot be.");
}

static void ask_for_a_status_that_is_none(void)
{
    cairn_status_text(CAIRN_STATUS_COUNT);
}

static void a_false_assertion_stops_the_program(void **state)
{
    (void)state;
    assert_true(aborts(assert_something_false));
    assert_false(aborts(assert_something_true));
}

static void failing_with_success_or_with_no_status_is_our_own_mistake(void **state)
{
    (void)state;
    assert_true(aborts(fail_with_success));
    assert_true(aborts(ask_for_a_status_that_is_none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_a_text_and_somebody_who_must_act),
        cmocka_unit_test(names_are_those_of_the_list),
        cmocka_unit_test(names_are_all_different),
        cmocka_unit_test(fail_returns_the_status_and_writes_the_sentence_and_nothing_more),
        cmocka_unit_test(fail_without_an_error_context_returns_the_status),
        cmocka_unit_test(a_second_error_replaces_the_first),
        cmocka_unit_test(an_error_may_quote_the_error_it_replaces),
        cmocka_unit_test(the_sentence_is_translated_before_the_arguments_go_in),
        cmocka_unit_test(a_long_sentence_is_cut_between_characters),
        cmocka_unit_test(a_sentence_that_just_fits_is_whole),
        cmocka_unit_test(bytes_that_are_not_utf8_are_cut_at_the_limit),
        cmocka_unit_test(a_false_assertion_stops_the_program),
        cmocka_unit_test(failing_with_success_or_with_no_status_is_our_own_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
