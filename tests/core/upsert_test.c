/* Rows that name their record by an alias: which record a row means, and what becomes of rows that
 * mean the same. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "desk.h"

static const char schema[] = DESK_THING
    "      - {number: 1, name: name, zh: 名, en: name, type: text}\n"
    "      - {number: 2, name: official, zh: 号, en: number, type: digits, alias: yes}\n"
    "      - {number: 3, name: person, zh: 证, en: person, type: id-number, personal: yes, alias: "
    "yes}\n"
    "      - {number: 4, name: words, zh: 词, en: words, type: text, merge: set}\n"
    "      - {number: 5, name: total, zh: 计, en: total, type: integer, merge: counter}\n"
    "      - {number: 6, name: note, zh: 记, en: note, type: text}\n"
    "  - number: 2\n"
    "    name: other\n"
    "    zh: 他\n"
    "    en: other\n"
    "    fields:\n"
    "      - {number: 1, name: name, zh: 名, en: name, type: text, required: yes}\n"
    "      - {number: 2, name: code, zh: 码, en: code, type: text, alias: yes}\n";

#define PERSON "110101199003070038" /* its last character fits */
#define FIELDS_MAX 4
#define ROWS_MAX 510

static int setup(void **state)
{
    (void)state;
    desk_open(schema);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk_close();
    return 0;
}

/* ---- rows ---------------------------------------------------------------------------------- */

struct row {
    const char *type, *village;
    struct cairn_field_value fields[FIELDS_MAX]; /* up to one without a name */
    enum cairn_put_operation operations[FIELDS_MAX];
    const char *reason;
};

static struct cairn_put_result results[ROWS_MAX];

static struct cairn_put rows_put[ROWS_MAX];

static void rows_make(const struct row *rows, size_t count)
{
    assert_true(count <= ROWS_MAX);
    for (size_t i = 0; i < count; i++) {
        rows_put[i] = (struct cairn_put){.type = rows[i].type,
                                         .scope = rows[i].village,
                                         .fields = rows[i].fields,
                                         .operations = rows[i].operations,
                                         .reason = rows[i].reason,
                                         .upserts = true};
        while (rows_put[i].field_count < FIELDS_MAX &&
               rows[i].fields[rows_put[i].field_count].name != NULL)
            rows_put[i].field_count++;
    }
}

static enum cairn_status upsert(const struct row *rows, size_t count)
{
    rows_make(rows, count);
    return cairn_put_many(desk.replica, rows_put, count, results, NULL, &desk.err);
}

#define MUST(rows, count) machine_must(&desk, upsert((rows), (count)))

static void expect_shown(const char *id, const char *field, const char *value)
{
    assert_string_equal(desk_shown_by_id(id, field), value);
}

/* ---- which record -------------------------------------------------------------------------- */

static void a_row_means_the_record_of_its_type_and_village_with_that_alias(void **state)
{
    static const struct row first[] = {
        {"thing", DESK_VILLAGE, {{"name", "one"}, {"official", "7"}}, {0}, NULL}};
    static const struct row others[] = {
        {"thing", DESK_NEXT_VILLAGE, {{"name", "two"}, {"official", "7"}}, {0}, NULL},
        {"other", DESK_VILLAGE, {{"name", "three"}, {"code", "7"}}, {0}, NULL},
        {"thing", DESK_VILLAGE, {{"name", "four"}, {"official", "8"}}, {0}, NULL},
        {"thing", DESK_VILLAGE, {{"name", "five"}, {"official", ""}}, {0}, NULL},
        {"thing", DESK_VILLAGE, {{"name", "six"}}, {0}, NULL}};
    static const struct row again[] = {
        {"thing", DESK_VILLAGE, {{"note", "more"}, {"official", "7"}}, {0}, NULL}};
    char id[32];

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        MUST(first, 1);
        assert_int_equal(results[0].is_created, round == 0);
        memcpy(id, results[0].id, sizeof id);
        MUST(others, 5);
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(results[i].is_created, round == 0 || i > 2);
            assert_string_not_equal(results[i].id, id);
        }
        desk_indexes_lose(); /* they are looked for among all records then */
    }
    MUST(again, 1);
    assert_false(results[0].is_created);
    assert_string_equal(results[0].id, id);
    expect_shown(id, "name", "one");
    expect_shown(id, "note", "more");
}

static void a_personal_alias_finds_its_record_and_stays_in_it(void **state)
{
    static const struct row row[] = {
        {"thing", DESK_VILLAGE, {{"person", PERSON}, {"name", "卓玛"}}, {0}, NULL}};
    const struct cairn_condition condition = {"person", CAIRN_EQUAL, PERSON};
    const struct cairn_query query = {
        .type = "thing", .conditions = &condition, .condition_count = 1};
    const struct cairn_record *record;
    char id[32];

    (void)state;
    MUST(row, 1);
    memcpy(id, results[0].id, sizeof id);
    for (unsigned round = 0; round < 2; round++) {
        MUST(row, 1);
        assert_false(results[0].is_created);
        assert_string_equal(results[0].id, id);
        machine_must(&desk, cairn_get(desk.replica, PERSON, &record, &desk.err));
        assert_string_equal(record->id, id);
        assert_string_equal(desk_count(&query, NULL, NULL, 0), "-=1");
        desk_indexes_lose();
    }
}

static void an_alias_of_two_records_of_a_village_is_refused(void **state)
{
    static const struct cairn_field_value seven[] = {{"official", "7"}, {NULL, NULL}};
    static const struct row row[] = {{"thing", DESK_VILLAGE, {{"official", "7"}}, {0}, NULL}};

    (void)state;
    desk_put("thing", DESK_VILLAGE, "one", seven);
    desk_put("thing", DESK_VILLAGE, "two", seven);
    machine_expect_refused(
        &desk, upsert(row, 1), CAIRN_AMBIGUOUS,
        "official 7 names 2 records of that village. Nothing was written; change "
        "one by its id.");
}

static void of_many_records_with_one_alias_eight_are_named(void **state)
{
    static const struct cairn_field_value seven[] = {{"official", "7"}, {NULL, NULL}};
    static const char *const names[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    static const struct cairn_field_value code[] = {{"code", "7"}, {NULL, NULL}};
    const struct cairn_record *record;

    (void)state;
    desk_put("other", DESK_VILLAGE, "of another type", code);
    for (size_t i = 0; i < 10; i++)
        desk_put("thing", i % 2 == 0 ? DESK_VILLAGE : DESK_FAR_VILLAGE, names[i], seven);
    for (unsigned round = 0; round < 2; round++) {
        size_t named = 0;
        assert_int_equal(cairn_get(desk.replica, "7", &record, &desk.err), CAIRN_AMBIGUOUS);
        for (size_t i = 0; i < 10; i++)
            named += strstr(desk.err.text, desk_id(names[i])) != NULL;
        assert_int_equal(named, 8);
        assert_null(strstr(desk.err.text, desk_id("of another type")));
        desk_indexes_lose();
    }
}

/* ---- rows of one call ---------------------------------------------------------------------- */

static void rows_that_mean_the_same_are_one_in_which_the_later_wins(void **state)
{
    static const struct row rows[] = {
        {"thing", DESK_VILLAGE, {{"official", "7"}, {"name", "a"}, {"note", "x"}}, {0}, "first"},
        {"thing", DESK_NEXT_VILLAGE, {{"official", "7"}, {"name", "b"}}, {0}, NULL},
        {"thing", DESK_VILLAGE, {{"official", "7"}, {"name", ""}, {"note", "y"}}, {0}, "second"},
        {"thing", DESK_VILLAGE, {{"official", "7"}, {"words", "p|q"}}, {0}, NULL},
    };

    (void)state;
    MUST(rows, 4);
    assert_true(results[0].is_created);
    assert_true(results[1].is_created);
    for (size_t i = 2; i < 4; i++) {
        assert_false(results[i].is_created);
        assert_int_equal(results[i].change_count, 0);
        assert_string_equal(results[i].id, results[0].id);
    }
    expect_shown(results[0].id, "name", "a");
    expect_shown(results[0].id, "note", "y");
    expect_shown(results[0].id, "words", "p|q");
    expect_shown(results[1].id, "name", "b");
}

static void what_rows_of_one_record_add_and_count_is_all_there(void **state)
{
    static const struct row rows[] = {
        {"thing", DESK_VILLAGE, {{"official", "7"}, {"words", "p"}}, {0, CAIRN_PUT_ADD}, NULL},
        {"thing",
         DESK_VILLAGE,
         {{"official", "7"}, {"words", "q"}, {"total", "3"}},
         {0, CAIRN_PUT_ADD, CAIRN_PUT_ADD},
         NULL},
        {"thing",
         DESK_VILLAGE,
         {{"total", "1"}, {"official", "7"}, {"name", "last"}},
         {CAIRN_PUT_REMOVE},
         NULL},
    };

    (void)state;
    MUST(rows, 3);
    expect_shown(results[0].id, "words", "p|q");
    expect_shown(results[0].id, "total", "2");
    expect_shown(results[0].id, "name", "last");
}

static void a_set_row_replaces_what_earlier_rows_added(void **state)
{
    static const struct row rows[] = {
        {"thing",
         DESK_VILLAGE,
         {{"official", "7"}, {"words", "p"}, {"words", "q"}},
         {0, CAIRN_PUT_ADD, CAIRN_PUT_ADD},
         NULL},
        {"thing", DESK_VILLAGE, {{"official", "7"}, {"words", "r"}, {"total", ""}}, {0}, NULL},
        {"thing", DESK_VILLAGE, {{"official", "7"}, {"words", ""}}, {0}, NULL},
    };

    (void)state;
    MUST(rows, 3);
    expect_shown(results[0].id, "words", "r");
    expect_shown(results[0].id, "total", "");
}

static void rows_with_one_id_are_one_in_which_the_later_wins(void **state)
{
    static const struct row made[] = {
        {"thing", DESK_VILLAGE, {{"official", "7"}, {"total", "5"}}, {0}, NULL}};
    static const struct cairn_field_value first[] = {{"total", "10"}, {"words", "p"}},
                                          second[] = {{"total", "10"}, {"words", "q"}};
    char id[32];

    (void)state;
    MUST(made, 1);
    memcpy(id, results[0].id, sizeof id);
    const struct cairn_put rows[] = {
        {.type = "thing", .id = id, .fields = first, .field_count = 2, .upserts = true},
        {.type = "thing", .id = id, .fields = second, .field_count = 2, .upserts = true},
    };
    machine_must(&desk, cairn_put_many(desk.replica, rows, 2, results, NULL, &desk.err));
    expect_shown(id, "total", "10");
    expect_shown(id, "words", "q");
    assert_int_equal(results[0].change_count, 2);
    assert_int_equal(results[1].change_count, 0);
}

static void many_rows_find_their_records(void **state)
{
    static const char *const villages[] = {DESK_VILLAGE, DESK_NEXT_VILLAGE, DESK_VILLAGE};
    static struct row rows[ROWS_MAX];
    static char aliases[ROWS_MAX][8], notes[ROWS_MAX][8], ids[ROWS_MAX][32];

    (void)state;
    for (size_t i = 0; i < ROWS_MAX; i++) {
        snprintf(aliases[i], sizeof aliases[i], "%zu", i % (ROWS_MAX / 3) + 1);
        snprintf(notes[i], sizeof notes[i], "n%zu", i);
        rows[i] = (struct row){.type = "thing",
                               .village = villages[i / (ROWS_MAX / 3)],
                               .fields = {{"official", aliases[i]}, {"note", notes[i]}}};
    }
    MUST(rows, ROWS_MAX);
    assert_int_equal(machine_status(&desk).record_count, 2 * ROWS_MAX / 3);
    for (size_t i = 0; i < ROWS_MAX; i++)
        memcpy(ids[i], results[i].id, sizeof ids[i]);
    for (size_t i = 0; i < ROWS_MAX / 3; i++) {
        assert_string_equal(ids[i], ids[i + 2 * ROWS_MAX / 3]);
        expect_shown(ids[i], "note", notes[i + 2 * ROWS_MAX / 3]);
        expect_shown(ids[i + ROWS_MAX / 3], "note", notes[i + ROWS_MAX / 3]);
    }
}

/* ---- refusals ------------------------------------------------------------------------------ */

static void a_row_that_makes_no_sense_is_refused_in_words(void **state)
{
    static const struct {
        struct row row;
        const char *sentence;
    } rows[] = {
        {{"nothing", DESK_VILLAGE, {{"official", "7"}}, {0}, NULL},
         "There is no record type nothing."},
        {{"thing", DESK_VILLAGE, {{"colour", "red"}, {"official", "7"}}, {0}, NULL},
         "thing has no field colour: cairn schema show thing lists them."},
        {{"thing", DESK_VILLAGE, {{"official", "\xff"}}, {0}, NULL},
         "official: the text is not valid UTF-8 at byte 1."},
        {{"thing", DESK_VILLAGE, {{"person", "1"}}, {0}, NULL},
         "person: \"1\" has 1 characters, an ID number has 18."},
        {{"thing", NULL, {{"official", "7"}}, {0}, NULL},
         "village= is missing: P holds more than one village, so the code says which."},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        machine_expect_refused(&desk, upsert(&rows[i].row, 1), CAIRN_BAD_INPUT, rows[i].sentence);
}

static const char missing[] = "name is missing: a other needs it.";
static const char unknown[] = "other has no field colour: cairn schema show other lists them.";

static const struct {
    struct row row;
    const char *sentence; /* NULL: a good row */
} checked[] = {
    {{"other", DESK_VILLAGE, {{"code", "7"}}, {0}, NULL}, NULL},
    {{"other", DESK_VILLAGE, {{"code", "7"}, {"name", "of both rows"}}, {0}, NULL}, NULL},
    {{"other", DESK_VILLAGE, {{"code", "8"}}, {0}, NULL}, missing},
    {{"other", DESK_VILLAGE, {{"code", "9"}}, {0}, NULL}, missing},
    {{"other", DESK_VILLAGE, {{"code", "9"}}, {0}, NULL}, missing},
    {{"other", DESK_VILLAGE, {{"code", "10"}, {"name", "good"}}, {0}, NULL}, NULL},
    {{"other", DESK_VILLAGE, {{"code", "10"}, {"colour", "red"}}, {0}, NULL}, unknown},
    {{"other", DESK_VILLAGE, {{"code", "11"}}, {0}, NULL}, missing}, /* without the next */
    {{"other", DESK_VILLAGE, {{"code", "11"}, {"name", "x"}, {"colour", "red"}}, {0}, NULL},
     unknown},
};
#define CHECKED (sizeof checked / sizeof checked[0])

static void bad_told(void *context, size_t put_index, enum cairn_status status, const char *text)
{
    bool *is_told = context;

    assert_int_equal(status, CAIRN_BAD_INPUT);
    assert_false(is_told[put_index]);
    is_told[put_index] = true;
    assert_non_null(checked[put_index].sentence);
    assert_string_equal(text, checked[put_index].sentence);
}

static void rows_of_one_record_are_checked_as_they_would_be_put(void **state)
{
    struct row rows[CHECKED];
    bool is_told[CHECKED] = {false};
    size_t good = 0;

    (void)state;
    for (size_t i = 0; i < CHECKED; i++)
        rows[i] = checked[i].row;
    rows_make(rows, CHECKED);
    machine_must(&desk,
                 cairn_put_check(desk.replica, rows_put, CHECKED, bad_told, is_told, &desk.err));
    for (size_t i = 0; i < CHECKED; i++) {
        assert_int_equal(is_told[i], checked[i].sentence != NULL);
        if (!is_told[i])
            rows[good++] = checked[i].row;
    }
    MUST(rows, good);
    assert_string_equal(results[0].id, results[1].id);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_row_means_the_record_of_its_type_and_village_with_that_alias),
        T(a_personal_alias_finds_its_record_and_stays_in_it),
        T(an_alias_of_two_records_of_a_village_is_refused),
        T(of_many_records_with_one_alias_eight_are_named),
        T(rows_that_mean_the_same_are_one_in_which_the_later_wins),
        T(what_rows_of_one_record_add_and_count_is_all_there),
        T(a_set_row_replaces_what_earlier_rows_added),
        T(rows_with_one_id_are_one_in_which_the_later_wins),
        T(many_rows_find_their_records),
        T(rows_of_one_record_are_checked_as_they_would_be_put),
        T(a_row_that_makes_no_sense_is_refused_in_words),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
