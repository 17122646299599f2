/* Steps of a workflow at one office: what can come next, and what is refused in words. How offices
 * take them in turn is in tests/sync. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"
#include "judge.h"

#define SCHEMA(version, make_is_retired)                                                    \
    "version: " version "\n"                                                                \
    "types:\n"                                                                              \
    "  - number: 1\n"                                                                       \
    "    name: thing\n"                                                                     \
    "    zh: 物\n"                                                                         \
    "    en: thing\n"                                                                       \
    "    fields:\n"                                                                         \
    "      - {number: 1, name: name, zh: 名, en: name, type: text, required: yes}\n"       \
    "      - {number: 2, name: stand, zh: 状, en: stand, type: workflow}\n"                \
    "    states:\n"                                                                         \
    "      - {number: 1, name: new, zh: 新, en: fresh}\n"                                  \
    "      - {number: 2, name: ready, zh: 备, en: prepared}\n"                             \
    "      - {number: 3, name: done, zh: 毕, en: finished}\n"                              \
    "    moves:\n"                                                                          \
    "      - {number: 1, name: make, zh: 做, en: make, from: new, to: ready,\n"            \
    "         steps: [prefecture, prefecture, station]" make_is_retired "}\n"               \
    "      - {number: 2, name: old, zh: 旧, en: old, from: new, to: done, retired: yes,\n" \
    "         steps: [prefecture]}\n"                                                       \
    "      - {number: 3, name: skip, zh: 跳, en: skip, from: [new, ready], to: done,\n"    \
    "         steps: [prefecture]}\n"                                                       \
    "      - {number: 4, name: reopen, zh: 退, en: reopen, from: done, to: new,\n"         \
    "         steps: [station]}\n"                                                          \
    "  - number: 2\n"                                                                       \
    "    name: other\n"                                                                     \
    "    zh: 他\n"                                                                         \
    "    en: other\n"                                                                       \
    "    fields:\n"                                                                         \
    "      - {number: 1, name: name, zh: 名, en: name, type: text}\n"

static int setup(void **state)
{
    (void)state;
    desk_open(SCHEMA("1", ""));
    desk_put("thing", DESK_VILLAGE, "it", NULL);
    desk_put("thing", DESK_VILLAGE, "gone", NULL);
    desk_put("other", DESK_VILLAGE, "other", NULL);
    machine_must(&desk, cairn_delete(desk.replica, "thing", desk_id("gone"), NULL, &desk.err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk.err.translate = NULL;
    desk_close();
    return 0;
}

static enum cairn_status step_at(struct machine *machine, const char *id, const char *move,
                                 unsigned keep)
{
    const struct cairn_step one = {.id = id, .move = move, .keep = keep};
    const struct cairn_version *standing;

    return cairn_step(machine->replica, &one, &standing, &machine->err);
}

static void step(const char *move)
{
    machine_must(&desk, step_at(&desk, desk_id("it"), move, 0));
}

/* The sentence, which begins with the id and " " or ": ". */
static void expect_refused(const char *name, const char *move, unsigned keep,
                           enum cairn_status status, const char *rest)
{
    char sentence[240];

    snprintf(sentence, sizeof sentence, "%s%s", desk_id(name), rest);
    machine_expect_refused(&desk, step_at(&desk, desk_id(name), move, keep), status, sentence);
}

/* ---- what can come next -------------------------------------------------------------------- */

/* "state: move>to 1/3 role*", the star where the step is this device's. */
static const char *next_text(const char *name)
{
    static char text[256];
    struct cairn_workflow workflow;

    machine_must(&desk, cairn_workflow_get(desk.replica, desk_id(name), &workflow, &desk.err));
    assert_string_equal(workflow.id, desk_id(name));
    assert_int_equal(workflow.version_count, 1);
    snprintf(text, sizeof text, "%s:", workflow.versions[0].value);
    for (size_t i = 0; i < workflow.next_count; i++) {
        const struct cairn_next_step *next = &workflow.next[i];
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, " %s>%s(%s) %u/%u %s%s", next->move, next->to,
                 next->to_label.en, next->number, next->step_count, next->role,
                 next->is_own ? "*" : "");
    }
    return text;
}

static void each_step_says_which_can_follow(void **state)
{
    (void)state;
    assert_string_equal(next_text("it"), "new: make>ready(prepared) 1/3 prefecture* "
                                         "skip>done(finished) 1/1 prefecture*");
    step("make");
    assert_string_equal(next_text("it"), "new: make>ready(prepared) 2/3 prefecture*");
    step("make");
    assert_string_equal(next_text("it"), "new: make>ready(prepared) 3/3 station");
    step(NULL);
    step("skip");
    assert_string_equal(next_text("it"), "done: reopen>new(fresh) 1/1 station");
}

static void a_retired_move_that_is_under_way_is_finished_and_not_begun_again(void **state)
{
    const struct cairn_bytes next = cairn_bytes_of_text(SCHEMA("2", ", retired: yes"));

    (void)state;
    step("make");
    machine_must(&desk_root,
                 cairn_schema_publish(desk_root.replica, next, NULL, NULL, NULL, &desk_root.err));
    struct block bundle = machine_bundle(&desk_root);
    machine_must(&desk, machine_read(&desk, bundle));
    free(bundle.data);
    assert_string_equal(next_text("it"), "new: make>ready(prepared) 2/3 prefecture*");
    step("make");
    step(NULL);
    assert_string_equal(next_text("it"), "new: skip>done(finished) 1/1 prefecture*");
    machine_expect_refused(&desk, step_at(&desk, desk_id("it"), "make", 0), CAIRN_BAD_INPUT,
                           "thing has no move make. Nothing was written.");
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void a_step_that_cannot_be_taken_is_refused_in_words(void **state)
{
    char sentence[160];

    (void)state;
    expect_refused("other", "make", 0, CAIRN_BAD_INPUT,
                   " has no workflow: its type knows no states. Nothing was written.");
    expect_refused("gone", "make", 0, CAIRN_BAD_INPUT, " was deleted. Nothing was written.");
    expect_refused("it", "make", 2, CAIRN_BAD_INPUT,
                   " has 0 values of stand, not 2. Nothing was written.");
    expect_refused("it", "reopen", 0, CAIRN_BAD_INPUT,
                   " stands at new: reopen does not begin there. Nothing was written.");
    machine_expect_refused(&desk, step_at(&desk, desk_id("it"), "promote", 0), CAIRN_BAD_INPUT,
                           "thing has no move promote. Nothing was written.");
    machine_expect_refused(&desk, step_at(&desk, desk_id("it"), "old", 0), CAIRN_BAD_INPUT,
                           "thing has no move old. Nothing was written.");
    machine_expect_refused(&desk, step_at(&desk, "P-9999-0", "make", 0), CAIRN_NOT_FOUND,
                           "There is no record P-9999-0 here.");
    snprintf(sentence, sizeof sentence,
             "No move of %s is under way: there is nothing to give up. Nothing was written.",
             desk_id("it"));
    machine_expect_refused(&desk, step_at(&desk, desk_id("it"), NULL, 0), CAIRN_BAD_INPUT,
                           sentence);
    step("make");
    expect_refused("it", "skip", 0, CAIRN_BAD_INPUT,
                   ": make is under way; finish it, or give it up with --give-up. Nothing was "
                   "written.");
    expect_refused("it", "make", 2, CAIRN_BAD_INPUT,
                   " has 1 values of stand, not 2. Nothing was written.");
    step(NULL);
    step("skip");
    expect_refused("it", "make", 0, CAIRN_BAD_INPUT,
                   " stands at done: make does not begin there. Nothing was written.");
}

static const char *station_translate(const char *msgid)
{
    return strcmp(msgid, "station") == 0 ? "村" : msgid;
}

static void a_role_is_named_in_the_language_of_the_reader(void **state)
{
    const struct cairn_step make = {.id = desk_id("it"), .move = "make"};
    const struct cairn_version *standing;

    (void)state;
    step("make");
    step("make");
    expect_refused("it", "make", 0, CAIRN_NO_RIGHT,
                   ": step 3 of 3 of make is for a station to take. Nothing was written.");
    desk.err.translate = station_translate;
    expect_refused("it", "make", 0, CAIRN_NO_RIGHT,
                   ": step 3 of 3 of make is for a 村 to take. Nothing was written.");
    assert_int_equal(cairn_step(desk.replica, &make, &standing, NULL), CAIRN_NO_RIGHT);
}

static void an_office_without_a_part_in_a_move_cannot_give_it_up(void **state)
{
    struct machine township, server;

    (void)state;
    machine_init(&township, 3, "township", NULL);
    machine_init(&server, 4, "server", NULL);
    machine_join(&server, &desk, "server", DESK_SCOPE, "S");
    machine_join(&township, &desk, "township", "513330100", "T");
    step("make");
    machine_sync(&desk, &server);
    machine_sync(&township, &server);
    machine_expect_refused(
        &township, step_at(&township, desk_id("it"), NULL, 0), CAIRN_NO_RIGHT,
        "Only an office that has a part in make can give it up. Nothing was written.");
    machine_free(&server);
    machine_free(&township);
}

/* An older program cannot say whether a move of a newer schema is done. */
static void what_a_newer_schema_began_waits_for_it(void **state)
{
    static const uint64_t from_new[] = {1}, station[] = {CAIRN_ROLE_STATION};
    static const struct cairn_move known = {
        .number = 1, .from = from_new, .from_count = 1, .to = 2, .roles = station, .step_count = 1};
    static const struct cairn_type type = {.moves = &known, .move_count = 1};
    const struct cairn_position still = {.state = 1}, under_way = {.state = 1, .move = 9};
    const struct cairn_position done = {.state = 2, .move = 1}, given_up = {.state = 1};

    (void)state;
    assert_int_equal(cairn_step_judge(&type, CAIRN_ROLE_STATION, &still, &done), CAIRN_WHY_NONE);
    assert_int_equal(cairn_step_judge(&type, CAIRN_ROLE_STATION, &under_way, &done),
                     CAIRN_WHY_NEWER);
    assert_int_equal(cairn_step_judge(&type, CAIRN_ROLE_STATION, &under_way, &given_up),
                     CAIRN_WHY_NEWER);
}

static void a_type_without_states_has_nothing_that_comes_next(void **state)
{
    struct cairn_workflow workflow;
    char sentence[120];

    (void)state;
    snprintf(sentence, sizeof sentence, "%s has no workflow: its type knows no states.",
             desk_id("other"));
    assert_int_equal(cairn_workflow_get(desk.replica, desk_id("other"), &workflow, &desk.err),
                     CAIRN_BAD_INPUT);
    assert_string_equal(desk.err.text, sentence);
    assert_int_equal(cairn_workflow_get(desk.replica, "P-9999-0", &workflow, &desk.err),
                     CAIRN_NOT_FOUND);
    assert_string_equal(desk.err.text, "There is no record P-9999-0 here.");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_step_says_which_can_follow),
        T(a_retired_move_that_is_under_way_is_finished_and_not_begun_again),
        T(a_step_that_cannot_be_taken_is_refused_in_words),
        T(a_role_is_named_in_the_language_of_the_reader),
        T(an_office_without_a_part_in_a_move_cannot_give_it_up),
        cmocka_unit_test(what_a_newer_schema_began_waits_for_it),
        T(a_type_without_states_has_nothing_that_comes_next),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
