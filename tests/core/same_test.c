/* Records that were said to be one: each shows all the others, whoever was tied to whom, in one
 * village or in two, found by the index or without it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "holder.h"
#include "machine.h"
#include "replica_internal.h"

#define RECORDS 5

static struct machine root;
static char ids[RECORDS][32]; /* the last lies in another village than the others */

static int setup(void **state)
{
    const struct cairn_field_value head = {"head", "扎西"};

    (void)state;
    machine_init(&root, 1, "root", "51");
    for (size_t i = 0; i < RECORDS; i++) {
        const struct cairn_put put = {.type = "household",
                                      .scope = i + 1 < RECORDS ? "513332100201" : "513332100202",
                                      .fields = &head,
                                      .field_count = 1};
        struct cairn_put_result result;
        machine_must(&root, cairn_put_many(root.replica, &put, 1, &result, NULL, &root.err));
        memcpy(ids[i], result.id, sizeof ids[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_free(&root);
    return 0;
}

static void say_same(size_t one, size_t other)
{
    machine_must(&root, cairn_same(root.replica, ids[one], ids[other], NULL, &root.err));
}

/* Which records those of `members` show: each of them all the others. */
static void expect_group(const size_t *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct cairn_record *record;
        machine_must(&root, cairn_get(root.replica, ids[members[i]], &record, &root.err));
        assert_int_equal(record->same_count, count - 1);
        for (size_t k = 0; k < count; k++) {
            size_t shown = 0;
            for (size_t n = 0; n < record->same_count; n++)
                shown += strcmp(record->same[n], ids[members[k]]) == 0;
            assert_int_equal(shown, k == i ? 0 : 1);
        }
    }
}

static void expect_group_either_way(const size_t *members, size_t count)
{
    expect_group(members, count);
    context_indexes_lose(&root.replica->ctx);
    expect_group(members, count);
}

static void all_that_hang_together_are_shown_from_each(void **state)
{
    (void)state;
    say_same(0, 1);
    say_same(2, 1);
    expect_group_either_way((const size_t[]){0, 1, 2}, 3);
    expect_group_either_way((const size_t[]){3}, 1);
    say_same(2, 4); /* over the border of the village */
    expect_group_either_way((const size_t[]){0, 1, 2, 4}, 4);
}

static void what_is_taken_apart_leaves_two_groups(void **state)
{
    (void)state;
    say_same(0, 1);
    say_same(1, 2);
    say_same(2, 3);
    machine_must(&root, cairn_apart(root.replica, ids[2], ids[1], NULL, &root.err));
    expect_group_either_way((const size_t[]){0, 1}, 2);
    expect_group_either_way((const size_t[]){2, 3}, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_that_hang_together_are_shown_from_each, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_taken_apart_leaves_two_groups, setup, teardown),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
