/* A second branch of a log that its server covered takes the place of the first, wherever in a
 * batch the two part; what rested on the first is worked out again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "holder.h"

#define FIELD_MEMBERS 3
#define FIELD_INCOME 6
#define ENTRIES 6 /* of the first branch, behind its basis */

static struct land land;

static int setup(void **state)
{
    (void)state;
    land_init(&land);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    land_free(&land);
    return 0;
}

static void create(struct pen *pen, uint32_t counter)
{
    struct draft draft;

    draft_change(&draft, pen, 1);
    draft_create(&draft, TYPE_HOUSEHOLD, counter, FIELD_MEMBERS, 4);
    draft_write(&draft, pen);
}

static void set(struct pen *pen, uint32_t record, int64_t value)
{
    struct draft draft;

    draft_change(&draft, pen, 1);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){0, record}, FIELD_INCOME, value,
               NULL, 0);
    draft_write(&draft, pen);
}

/* The first branch, and at each place where another leaves it, what stands there: two creations,
 * writes on both, and a third creation. */
static struct pen branches_write(struct pen fork_at[ENTRIES + 1])
{
    struct pen pen;

    land_station_pen(&land, &pen, 0);
    for (uint32_t i = 1; i <= ENTRIES; i++) {
        fork_at[i] = pen;
        if (i <= 2 || i == ENTRIES)
            create(&pen, i);
        else
            set(&pen, i % 2 + 1, i);
    }
    return pen;
}

/* All that the land has but this log, then the pieces of one branch up to `size`. */
static void branch_take(struct holder *holder, const struct pen *pen, uint32_t size)
{
    holder_open(holder, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        if (!cairn_hash_equal(&land.pieces.list[i].log, &pen->id))
            holder_take(holder, &land.pieces.list[i]);
    for (uint32_t i = 0; i < size; i++)
        holder_take(holder, piece_at(&land.pieces, &pen->id, i, 0));
}

static void a_covered_branch_replaces_the_rest_of_a_batch(void **state)
{
    struct pen fork_at[ENTRIES + 1];
    struct pen first = branches_write(fork_at);
    const struct piece *own[ENTRIES + 1];
    struct pieces joined = {0};

    (void)state;
    for (uint32_t i = 0; i <= ENTRIES; i++)
        own[i] = piece_at(&land.pieces, &first.id, i, 0);
    pieces_join(own, 1, ENTRIES, &joined);
    for (uint32_t common = 1; common <= ENTRIES; common++) {
        struct holder both, second;
        struct pen other = fork_at[common];
        create(&other, 99);
        const struct piece *piece = &land.pieces.list[land.pieces.count - 1];

        branch_take(&second, &first, common);
        assert_int_equal(holder_take_sequenced(&second, piece), CAIRN_OUTCOME_ACCEPTED);
        branch_take(&both, &first, 1);
        holder_take(&both, &joined.list[0]);
        holder_take_sequenced(&both, piece);
        holder_cover(&second, &first.id);
        holder_cover(&both, &first.id);
        struct cairn_log log = holder_log(&both, &first.id);
        assert_int_equal(cairn_log_size(&log), common + 1);
        char *got = holder_describe(&both), *want = holder_describe(&second);
        expect_same_text(got, want, "something of the first branch is left");
        free(got);
        free(want);
        holder_close(&both);
        holder_close(&second);
    }
    pieces_free(&joined);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_covered_branch_replaces_the_rest_of_a_batch),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
