/* What may follow a schema, and what not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "schema_yaml.h"

/* ---- the successor rule --------------------------------------------------------------------- */

#define HEAD           \
    "types:\n"         \
    "  - number: 1\n"  \
    "    name: task\n" \
    "    zh: 任务\n" \
    "    en: task\n"   \
    "    fields:\n"
#define TITLE "      - {number: 1, name: title, zh: 名, en: title, type: text}\n"
#define KIND                                                                                        \
    "      - {number: 2, name: kind, zh: 类, en: kind, type: choice, choices: [{number: 1, text: " \
    "甲}]}\n"
#define FLOW "      - {number: 3, name: at, zh: 到, en: at, type: workflow}\n"
#define STATES                                             \
    "    states:\n"                                        \
    "      - {number: 1, name: open, zh: 开, en: open}\n" \
    "      - {number: 2, name: shut, zh: 关, en: shut}\n"
#define MOVES                                                                            \
    "    moves:\n"                                                                       \
    "      - {number: 1, name: close, zh: 关, en: close, from: open, to: shut, steps: " \
    "[station]}\n"

static const char before_yaml[] = "version: 1\n" HEAD TITLE KIND FLOW STATES MOVES;

static struct cairn_schema_source compiled(const char *yaml)
{
    struct cairn_schema_source source;
    size_t count;

    assert_int_equal(
        cairn_schema_compile(cairn_bytes_of_text(yaml), NULL, NULL, &source, &count, NULL),
        CAIRN_OK);
    return source;
}

struct faults {
    const struct cairn_schema_source *source;
    size_t count;
    size_t lines[16];
    char texts[16][CAIRN_ERR_TEXT_BYTES];
};

static void fault_keep(void *context, const struct cairn_schema_place *place, const char *text)
{
    struct faults *faults = context;

    assert_true(faults->count < 16);
    faults->lines[faults->count] = cairn_schema_source_line(faults->source, place);
    snprintf(faults->texts[faults->count++], CAIRN_ERR_TEXT_BYTES, "%s", text);
}

static void faults_between(const char *old_yaml, const char *next_yaml, struct faults *faults)
{
    struct cairn_err err = {.translate = NULL};
    struct cairn_schema_source before = compiled(old_yaml), next = compiled(next_yaml);

    faults->source = &next;
    faults->count = 0;
    size_t count = cairn_schema_faults(before.schema, next.schema, fault_keep, faults, &err);
    assert_int_equal(count, faults->count);
    cairn_schema_free(before.schema);
    cairn_schema_free(next.schema);
}

static void faults_find(const char *next_yaml, struct faults *faults)
{
    faults_between(before_yaml, next_yaml, faults);
}

static void one_fault_between(const char *old_yaml, const char *next_yaml, size_t line,
                              const char *text)
{
    static struct faults faults;

    faults_between(old_yaml, next_yaml, &faults);
    assert_int_equal(faults.count, 1);
    assert_int_equal(faults.lines[0], line);
    if (strstr(faults.texts[0], text) == NULL)
        fail_msg("told \"%s\" instead of \"%s\"", faults.texts[0], text);
}

static void one_fault(const char *next_yaml, size_t line, const char *text)
{
    one_fault_between(before_yaml, next_yaml, line, text);
}

static void a_successor_may_add_retire_and_relabel(void **state)
{
    (void)state;
    static struct faults faults;

    faults_find(
        "version: 2\n" HEAD
        "      - {number: 1, name: title, zh: 题, en: heading, type: text, retired: yes}\n"
        "      - {number: 2, name: kind, zh: 类, en: kind, type: choice, choices: [{number: "
        "1, text: 甲}, {number: 2, text: 乙}]}\n" FLOW
        "      - {number: 4, name: due, zh: 期, en: due, type: date}\n" STATES MOVES
        "  - {number: 2, name: visit, zh: 访, en: visit, fields: [{number: 1, name: day, zh: "
        "日, en: day, type: date}]}\n",
        &faults);
    assert_int_equal(faults.count, 0);
}

static void a_successor_may_not_change_what_old_entries_mean(void **state)
{
    (void)state;
    one_fault("version: 3\n" HEAD TITLE KIND FLOW STATES MOVES, 1, "cannot follow version 1");
    one_fault("version: 2\n" HEAD KIND FLOW STATES MOVES, 3, "field 1 is gone");
    one_fault(
        "version: 2\n" HEAD
        "      - {number: 1, name: name, zh: 名, en: title, type: text}\n" KIND FLOW STATES MOVES,
        8, "field 1 was called title");
    one_fault("version: 2\n" HEAD
              "      - {number: 1, name: title, zh: 名, en: title, type: integer}\n" KIND FLOW
                  STATES MOVES,
              8, "keeps its type");
    one_fault(
        "version: 2\n" HEAD
        "      - {number: 1, name: title, zh: 名, en: title, type: text, merge: set}\n" KIND FLOW
            STATES MOVES,
        8, "keeps its type");
    one_fault(
        "version: 2\n" HEAD
        "      - {number: 1, name: title, zh: 名, en: title, type: text, personal: yes}\n" KIND FLOW
            STATES MOVES,
        8, "personal stays for ever");
    one_fault(
        "version: 2\n" HEAD TITLE
        "      - {number: 2, name: kind, zh: 类, en: kind, type: choice, choices: [{number: 1, "
        "text: 乙}]}\n" FLOW STATES MOVES,
        9, "choice 1 was \"甲\"");
    one_fault("version: 2\n" HEAD TITLE KIND FLOW STATES "    moves:\n"
              "      - {number: 1, name: close, zh: 关, en: close, from: open, to: shut, steps: "
              "[county]}\n",
              15, "move 1 (close) keeps its states and steps");
    one_fault("version: 2\n" HEAD TITLE KIND FLOW "    states:\n"
              "      - {number: 1, name: opened, zh: 开, en: open}\n"
              "      - {number: 2, name: shut, zh: 关, en: shut}\n"
              "    moves:\n"
              "      - {number: 1, name: close, zh: 关, en: close, from: opened, to: shut, steps: "
              "[station]}\n",
              12, "state 1 was open");
}

/* A type with a workflow of three states and a relation; each part stands on a line of its own. */
#define TASK         \
    "types:\n"       \
    "- number: 1\n"  \
    "  name: task\n" \
    "  zh: 任务\n" \
    "  en: task\n"   \
    "  fields:\n"    \
    "  - {number: 1, name: at, zh: 到, en: at, type: workflow}\n"
#define SAME(mark) \
    "  - {number: 2, name: same, zh: 同, en: same, type: references, to: task" mark "}\n"
#define KINDS(list) \
    "  - {number: 3, name: kind, zh: 类, en: kind, type: choice, choices: [" list "]}\n"
#define FIRST "{number: 1, text: 甲}"
#define SECOND "{number: 2, text: 乙}"
#define LEFT "  - {number: 1, name: left, zh: 甲, en: left}\n"
#define OPEN "  - {number: 2, name: open, zh: 开, en: open}\n"
#define SHUT "  - {number: 3, name: shut, zh: 关, en: shut}\n"
#define GONE "  - {number: 4, name: gone, zh: 走, en: gone}\n"
#define MOVE(name, rest) "  - {number: 1, name: " name ", zh: 关, en: close, " rest "}\n"
#define CLOSE MOVE("close", "from: [open, gone], to: shut, steps: [station, county]")
#define OTHER                                                                                       \
    "- {number: 2, name: other, zh: 它, en: other, fields: [{number: 1, name: a, zh: 甲, en: a, " \
    "type: text}]}\n"
#define FIELDS SAME(", same: yes") KINDS(FIRST ", " SECOND)
#define AFTER "version: 2\n" TASK
#define MOVES_ARE "  moves:\n"

static void what_a_successor_leaves_out_is_told_where_it_stood(void **state)
{
    (void)state;
    static const char before[] =
        "version: 1\n" TASK FIELDS "  states:\n" OPEN SHUT GONE MOVES_ARE CLOSE OTHER;
    static const struct {
        const char *next;
        size_t line;
        const char *text;
    } cases[] = {
        {AFTER FIELDS "  states:\n" OPEN SHUT GONE MOVES_ARE CLOSE, 1, "other: type 2 is gone"},
        {AFTER FIELDS "  states:\n" OPEN SHUT GONE OTHER, 3, "move 1 (close) keeps its states"},
        {AFTER SAME("") KINDS(FIRST ", " SECOND) "  states:\n" OPEN SHUT GONE MOVES_ARE CLOSE OTHER,
         9, "task.same: whether a field says \"same\" stays for ever"},
        {AFTER SAME(", same: yes") KINDS(FIRST) "  states:\n" OPEN SHUT GONE MOVES_ARE CLOSE OTHER,
         10, "choice 2 was \"乙\""},
        {AFTER FIELDS "  states:\n" LEFT OPEN SHUT GONE MOVES_ARE CLOSE OTHER, 12,
         "task: new records begin in state open, as before."},
        {AFTER FIELDS "  states:\n" OPEN SHUT GONE MOVES_ARE MOVE(
             "shut", "from: [open, gone], to: shut, steps: [station, county]") OTHER,
         16, "move 1 (close) keeps its states and steps"},
        {AFTER FIELDS "  states:\n" OPEN SHUT GONE MOVES_ARE MOVE(
             "close", "from: [open, shut], to: gone, steps: [station, county]") OTHER,
         16, "move 1 (close) keeps its states and steps"},
        {AFTER FIELDS "  states:\n" OPEN SHUT GONE MOVES_ARE MOVE(
             "close", "from: [gone, open], to: shut, steps: [station, county]") OTHER,
         16, "move 1 (close) keeps its states and steps"},
        {AFTER FIELDS "  states:\n" OPEN SHUT GONE MOVES_ARE MOVE(
             "close", "from: open, to: shut, steps: [station, county]") OTHER,
         16, "move 1 (close) keeps its states and steps"},
        {AFTER FIELDS "  states:\n" OPEN SHUT GONE MOVES_ARE MOVE(
             "close", "from: [open, gone], to: shut, steps: station") OTHER,
         16, "move 1 (close) keeps its states and steps"},
        {AFTER FIELDS "  states:\n" OPEN SHUT GONE MOVES_ARE MOVE(
             "close", "from: [open, gone], to: shut, steps: [county, station]") OTHER,
         16, "move 1 (close) keeps its states and steps"},
        {"version: 2\ntypes:\n- {number: 2, name: another, zh: 它, en: other, fields: [{number: 1, "
         "name: a, zh: 甲, en: a, type: text}]}\n",
         3, "another: type 2 was called other; a number keeps its name."},
    };
    size_t count = sizeof cases / sizeof cases[0];

    for (size_t i = 0; i < count; i++)
        one_fault_between(i + 1 < count ? before : "version: 1\ntypes:\n" OTHER, cases[i].next,
                          cases[i].line, cases[i].text);
}

static void a_state_that_is_gone_is_told_with_what_rests_on_it(void **state)
{
    (void)state;
    static struct faults faults;
    static const char before[] =
        "version: 1\n" TASK FIELDS "  states:\n" OPEN SHUT GONE MOVES_ARE CLOSE;

    one_fault_between("version: 1\n" TASK "  states:\n" OPEN SHUT GONE,
                      AFTER "  states:\n" OPEN GONE, 3, "task: state 3 was shut and must stay so.");
    faults_between(before,
                   "version: 2\ntypes:\n- {number: 1, name: task, zh: 甲, en: a, fields: [{number: "
                   "9, name: a, zh: 甲, en: a, type: text}]}\n",
                   &faults);
    assert_int_equal(faults.count, 3 + 3 + 1);
    for (size_t i = 0; i < faults.count; i++)
        assert_int_equal(faults.lines[i], 3);
}

static void a_workflow_may_come_where_there_was_none(void **state)
{
    (void)state;
    static struct faults faults;

    faults_between("version: 1\n" HEAD TITLE, "version: 2\n" HEAD TITLE FLOW STATES MOVES, &faults);
    assert_int_equal(faults.count, 0);
}

static void every_fault_of_a_successor_is_told_not_only_the_first(void **state)
{
    (void)state;
    static struct faults faults;

    faults_find(
        "version: 2\n" HEAD
        "      - {number: 1, name: name, zh: 名, en: title, type: integer}\n" FLOW STATES MOVES,
        &faults);
    assert_int_equal(faults.count, 3);
    assert_int_equal(faults.lines[0], 8);
    assert_int_equal(faults.lines[1], 8);
    assert_int_equal(faults.lines[2], 3);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_successor_may_add_retire_and_relabel),
        T(a_successor_may_not_change_what_old_entries_mean),
        T(what_a_successor_leaves_out_is_told_where_it_stood),
        T(a_state_that_is_gone_is_told_with_what_rests_on_it),
        T(a_workflow_may_come_where_there_was_none),
        T(every_fault_of_a_successor_is_told_not_only_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
