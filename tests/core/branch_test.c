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
    pen_create(pen, counter, FIELD_MEMBERS, 4);
}

static void set(struct pen *pen, uint32_t record, int64_t value)
{
    pen_set(pen, record, FIELD_INCOME, value);
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

/* One incarnation begun twice, each time with a secret of its own: the id is the same. */
static void begin_twice(struct pen *first, struct pen *second, const struct cairn_under *under)
{
    pen_blank(first, &land.station_keys[0], &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &land.station[0], 77, &land.pieces);
    *second = *first;
    second->secret.bytes[0] ^= 1;
    second->under = *under;
    pen_basis(first, &land.station[0], 1);
    create(first, 1);
    set(first, 1, 5);
    pen_basis(second, under, 1);
    create(second, 9);
    set(second, 1, 6);
}

static void expect_second_takes_over(const struct cairn_under *under)
{
    struct pen first, second;
    struct holder both, alone;

    begin_twice(&first, &second, under);
    assert_memory_equal(first.id.bytes, second.id.bytes, 32);
    branch_take(&both, &first, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(holder_take_sequenced(&both, piece_at(&land.pieces, &first.id, i, 1)),
                         CAIRN_OUTCOME_ACCEPTED);
    branch_take(&alone, &first, 0);
    for (uint32_t i = 0; i < 3; i++)
        holder_take_sequenced(&alone, piece_at(&land.pieces, &first.id, i, 1));
    holder_cover(&alone, &first.id);
    holder_cover(&both, &first.id);
    char *got = holder_describe(&both), *want = holder_describe(&alone);
    expect_same_text(got, want, "something of the first branch is left");
    free(got);
    free(want);
    holder_close(&both);
    holder_close(&alone);
}

static void a_covered_branch_with_another_secret_replaces_all(void **state)
{
    (void)state;
    expect_second_takes_over(&land.station[0]);
}

static void a_covered_branch_under_another_grant_replaces_all(void **state)
{
    struct cairn_under under = land_grant(&land.office_pen, &land.station_keys[0], VILLAGE,
                                          CAIRN_ROLE_STATION, CAIRN_BIT_RECORDS, 0, "A9");

    (void)state;
    expect_second_takes_over(&under);
}

static void a_branch_with_another_secret_is_a_fork(void **state)
{
    struct pen first, second;
    struct holder holder;

    (void)state;
    begin_twice(&first, &second, &land.station[0]);
    branch_take(&holder, &first, 3);
    assert_int_equal(holder_take(&holder, piece_at(&land.pieces, &first.id, 0, 1)),
                     CAIRN_OUTCOME_FORKED);
    struct cairn_log log = holder_log(&holder, &first.id);
    assert_int_equal(log.force_end, 0);
    holder_close(&holder);
}

/* `pen` announces the other log as it will be, or otherwise, and writes a field of its first record
 * in the place of what entry `named` wrote. */
static void announce_and_set(struct pen *pen, uint32_t number, struct cairn_head head,
                             bool is_wrong, uint64_t field, uint32_t named)
{
    const struct cairn_local_dot replaced = {1, named};
    struct draft draft;

    head.root.bytes[0] ^= is_wrong;
    draft_change(&draft, pen, 2);
    if (number == 0)
        draft_announce_first(&draft, &head);
    else
        draft_announce(&draft, number, &head);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, field, 77, &replaced, 1);
    draft_write(&draft, pen);
}

static void each_announcement_decides_for_the_entries_up_to_the_next(void **state)
{
    struct pen other, later, pen;
    struct cairn_head heads[2];
    struct holder holder;

    (void)state;
    land_station_pen(&land, &other, 0);
    create(&other, 1);
    set(&other, 1, 5);
    /* Written first, so that it arrives before what it announces. */
    later = other;
    struct pieces *out = later.out, unseen = {0};
    later.out = &unseen;
    for (uint32_t i = 0; i < 2; i++) {
        create(&later, 2 + i);
        heads[i] = pen_head(&later);
    }
    land_station_pen(&land, &pen, 1);
    announce_and_set(&pen, 0, heads[0], true, FIELD_INCOME, 2);
    announce_and_set(&pen, 1, heads[1], false, FIELD_MEMBERS, 1);
    for (size_t i = 0; i < unseen.count; i++)
        pieces_add(out, &unseen.list[i]);
    pieces_free(&unseen);
    holder_open_either_way(&holder, &land);
    assert_int_equal(holder_live(&holder, &other.id, 1, FIELD_MEMBERS), 1);
    assert_int_equal(holder_live(&holder, &other.id, 1, FIELD_INCOME), 2);
    holder_close(&holder);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_covered_branch_replaces_the_rest_of_a_batch),
        T(a_covered_branch_with_another_secret_replaces_all),
        T(a_covered_branch_under_another_grant_replaces_all),
        T(a_branch_with_another_secret_is_a_fork),
        T(each_announcement_decides_for_the_entries_up_to_the_next),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
