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

static void faults_find(const char *next_yaml, struct faults *faults)
{
    struct cairn_err err = {.translate = NULL};
    struct cairn_schema_source before = compiled(before_yaml), next = compiled(next_yaml);

    faults->source = &next;
    faults->count = 0;
    size_t count = cairn_schema_faults(before.schema, next.schema, fault_keep, faults, &err);
    assert_int_equal(count, faults->count);
    cairn_schema_free(before.schema);
    cairn_schema_free(next.schema);
}

static void one_fault(const char *next_yaml, size_t line, const char *text)
{
    static struct faults faults;

    faults_find(next_yaml, &faults);
    assert_int_equal(faults.count, 1);
    assert_int_equal(faults.lines[0], line);
    if (strstr(faults.texts[0], text) == NULL)
        fail_msg("told \"%s\" instead of \"%s\"", faults.texts[0], text);
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
        T(every_fault_of_a_successor_is_told_not_only_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
