/* Queries for what people must look at: conflicts, fields written side by side. An office and the
 * stations of two villages meet at a server. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"

#define NEAR_VILLAGE "513332100201"
#define FAR_VILLAGE "513332100202"
#define RECORDS 4

static struct machine root, office, server, near, far;
/* Of each village one in conflict; of the near one also one that was written side by side, and one
 * that was not touched. */
static char ids[RECORDS][32];
static const char *const names[RECORDS] = {"disputed", "parallel", "quiet", "far"};

static void create(size_t i, const char *village)
{
    const struct cairn_field_value fields[] = {{"head", "扎西"}, {"income", "4000"}};
    const struct cairn_put put = {
        .type = "household", .scope = village, .fields = fields, .field_count = 2};
    struct cairn_put_result result;

    machine_must(&office, cairn_put_many(office.replica, &put, 1, &result, NULL, &office.err));
    memcpy(ids[i], result.id, sizeof ids[i]);
}

static void meet(void)
{
    struct machine *all[] = {&office, &near, &far, &office};

    for (size_t i = 0; i < 4; i++)
        machine_sync(all[i], &server);
}

static int setup(void **state)
{
    (void)state;
    machine_init(&root, 1, "root", "51");
    machine_init(&office, 2, "office", NULL);
    machine_init(&server, 3, "server", NULL);
    machine_init(&near, 4, "near", NULL);
    machine_init(&far, 5, "far", NULL);
    machine_join(&office, &root, "county", "513332", "C");
    machine_join(&server, &office, "server", "513332", "S");
    machine_join(&near, &office, "station", NEAR_VILLAGE, "A7");
    machine_join(&far, &office, "station", FAR_VILLAGE, "A8");
    for (size_t i = 0; i < RECORDS; i++)
        create(i, i == 3 ? FAR_VILLAGE : NEAR_VILLAGE);
    meet();
    machine_must(&office, machine_set(&office, ids[0], "income", "4100"));
    machine_must(&near, machine_set(&near, ids[0], "income", "4200"));
    machine_must(&office, machine_set(&office, ids[1], "members", "3"));
    machine_must(&near, machine_set(&near, ids[1], "income", "4300"));
    machine_must(&office, machine_set(&office, ids[3], "income", "5100"));
    machine_must(&far, machine_set(&far, ids[3], "income", "5200"));
    meet();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_free(&far);
    machine_free(&near);
    machine_free(&server);
    machine_free(&office);
    machine_free(&root);
    return 0;
}

/* ---- as text ------------------------------------------------------------------------------- */

static char text[256];
static bool goes_on; /* what whoever is given a record says */

static bool name_add(void *context, const struct cairn_record *record)
{
    (void)context;
    for (size_t i = 0; i < RECORDS; i++)
        if (strcmp(ids[i], record->id) == 0) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s", used == 0 ? "" : " ", names[i]);
        }
    return goes_on;
}

static void expect(const struct cairn_query *query, bool wants_more, const char *answer)
{
    goes_on = wants_more;
    text[0] = '\0';
    machine_must(&office, cairn_query_run(office.replica, query, name_add, NULL, &office.err));
    assert_string_equal(text, answer);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void what_is_disputed_or_parallel_is_found_in_its_place(void **state)
{
    static const struct {
        struct cairn_condition conditions[2];
        size_t count;
        const char *answer;
    } rows[] = {
        {{{"conflict", CAIRN_EQUAL, "yes"}}, 1, "disputed far"},
        {{{"conflict", CAIRN_EQUAL, "是"}}, 1, "disputed far"},
        {{{"conflict", CAIRN_EQUAL, "no"}}, 1, "parallel quiet"},
        {{{"parallel", CAIRN_EQUAL, "yes"}}, 1, "parallel"},
        {{{"parallel", CAIRN_EQUAL, "no"}}, 1, "disputed quiet far"},
        {{{"conflict", CAIRN_EQUAL, "yes"}, {"village", CAIRN_EQUAL, NEAR_VILLAGE}}, 2, "disputed"},
        {{{"conflict", CAIRN_EQUAL, "yes"}, {"village", CAIRN_EQUAL, FAR_VILLAGE}}, 2, "far"},
        {{{"conflict", CAIRN_EQUAL, "yes"}, {"income", CAIRN_AT_LEAST, "5000"}}, 2, "far"},
        {{{"income", CAIRN_AT_LEAST, "4200"}, {"conflict", CAIRN_EQUAL, "yes"}}, 2, "disputed far"},
        {{{"conflict", CAIRN_EQUAL, "yes"}, {"parallel", CAIRN_EQUAL, "yes"}}, 2, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct cairn_query query = {.type = "household",
                                          .conditions = rows[i].conditions,
                                          .condition_count = rows[i].count};
        expect(&query, true, rows[i].answer);
    }
}

static void whoever_has_seen_enough_is_given_no_more(void **state)
{
    static const struct cairn_condition conflict = {"conflict", CAIRN_EQUAL, "yes"};
    const struct cairn_query first = {
        .type = "household", .conditions = &conflict, .condition_count = 1, .limit = 1};
    const struct cairn_query all = {
        .type = "household", .conditions = &conflict, .condition_count = 1};
    const struct cairn_query any = {.type = "household"};

    (void)state;
    expect(&first, true, "disputed");
    expect(&all, false, "disputed");
    expect(&any, false, names[0]);
    text[0] = '\0';
    goes_on = false;
    machine_must(&office, cairn_conflicts(office.replica, name_add, NULL, &office.err));
    assert_string_equal(text, "disputed");
    text[0] = '\0';
    goes_on = true;
    machine_must(&office, cairn_conflicts(office.replica, name_add, NULL, &office.err));
    assert_string_equal(text, "disputed far");
}

static bool fields_add(void *context, const struct cairn_record *record)
{
    (void)context;
    for (size_t i = 0; i < record->field_count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s:%zu ", record->fields[i].name,
                 record->fields[i].version_count);
    }
    return true;
}

static void of_a_disputed_record_every_field_is_given_whatever_was_asked_for(void **state)
{
    static const char *const wanted[] = {"members"};
    static const struct {
        const char *id, *answer;
    } rows[] = {{ids[0], "head:1 income:2 listing:1 "}, {ids[1], "members:1 listing:1 "}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct cairn_condition is = {"id", CAIRN_EQUAL, rows[i].id};
        const struct cairn_query query = {.type = "household",
                                          .conditions = &is,
                                          .condition_count = 1,
                                          .fields = wanted,
                                          .field_count = 1};
        text[0] = '\0';
        machine_must(&office,
                     cairn_query_run(office.replica, &query, fields_add, NULL, &office.err));
        assert_string_equal(text, rows[i].answer);
    }
}

static void a_settled_record_is_not_asked_about_again(void **state)
{
    static const struct cairn_condition conflict = {"conflict", CAIRN_EQUAL, "yes"};
    const struct cairn_query query = {
        .type = "household", .conditions = &conflict, .condition_count = 1};
    const char *value;

    (void)state;
    machine_must(&office, cairn_settle(office.replica, ids[0], "income", 2, NULL, "as visited",
                                       &value, &office.err));
    expect(&query, true, "far");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_is_disputed_or_parallel_is_found_in_its_place),
        T(whoever_has_seen_enough_is_given_no_more),
        T(of_a_disputed_record_every_field_is_given_whatever_was_asked_for),
        T(a_settled_record_is_not_asked_about_again),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
