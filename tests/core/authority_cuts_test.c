/* Cuts, closes, adoptions: what of a log is in force, whatever comes first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "offices.h"
#include "scope_log.h"

static void a_listed_log_is_in_force_up_to_its_cut(void **state)
{
    struct cairn_head cut = pen_head(&a);

    (void)state;
    pen_set(&a, 1, 6, 11);
    pen_set(&a, 1, 6, 12);
    pen_revoke(&land.office_pen, &land.station[0].grant, &cut, 1);
    expect_in_force(&a, cut.size);
    expect_in_force(&b, 2);
}

static void a_log_that_a_revocation_does_not_list_is_cut_at_nothing(void **state)
{
    (void)state;
    pen_revoke(&land.office_pen, &land.station[0].grant, NULL, 0);
    expect_in_force(&a, 0);
    expect_in_force(&b, 2);
}

static void what_comes_above_a_cut_is_evidence(void **state)
{
    struct holder holder;
    struct cairn_head cut = pen_head(&a);

    (void)state;
    pen_revoke(&land.office_pen, &land.station[0].grant, &cut, 1);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    pen_set(&a, 1, 6, 11);
    assert_int_equal(holder_take(&holder, piece_at(&land.pieces, &a.id, cut.size, 0)),
                     CAIRN_OUTCOME_CUT);
    struct cairn_log log = holder_log(&holder, &a.id);
    assert_int_equal(cairn_log_size(&log), cut.size);
    holder_close(&holder);
}

static void of_two_revocations_the_lesser_cut_counts(void **state)
{
    struct cairn_head less = pen_head(&a);

    (void)state;
    pen_set(&a, 1, 6, 11);
    struct cairn_head more = pen_head(&a);
    pen_revoke(&land.office_pen, &land.station[0].grant, &more, 1);
    pen_revoke(&land.office_pen, &land.station[0].grant, &less, 1);
    expect_in_force(&a, less.size);
}

static void a_revocation_that_does_not_list_a_log_cuts_it_beside_one_that_does(void **state)
{
    struct cairn_head cut = pen_head(&a);

    (void)state;
    pen_revoke(&land.office_pen, &land.station[0].grant, NULL, 0);
    pen_revoke(&land.office_pen, &land.station[0].grant, &cut, 1);
    expect_in_force(&a, 0);
}

static void a_cut_that_names_another_history_leaves_nothing(void **state)
{
    struct cairn_head cut = pen_head(&a);

    (void)state;
    cut.root.bytes[0] ^= 1;
    pen_revoke(&land.office_pen, &land.station[0].grant, &cut, 1);
    expect_in_force(&a, 0);
}

static void a_revocation_cuts_no_log_of_another_grant(void **state)
{
    struct cairn_keys keys, creature;
    struct pen township, other;
    struct cairn_head cuts[4] = {pen_head(&land.office_pen), pen_head(&land.root_pen),
                                 pen_head(&a)};

    (void)state;
    cuts[1].size = 0;
    cuts[2].size = 1;
    land_office(&land, &land.office_pen, &keys, &township, 513332100u, 60);
    land_keys(&creature, "creature", 61);
    struct cairn_under own =
        land_grant(&township, &creature, VILLAGE, CAIRN_ROLE_STATION, CAIRN_BIT_RECORDS, 0, "X");
    pen_begin(&other, &creature, &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS, &own, 1, 61,
              &land.pieces);
    pen_create(&other, 1, 3, 1);
    cuts[3] = pen_head(&other);
    pen_set(&other, 1, 6, 5);
    pen_set(&a, 1, 6, 11);
    pen_revoke(&township, &own.grant, cuts, 4);
    expect_last(&township, CAIRN_VALID, CAIRN_WHY_NONE);
    expect_in_force(&other, cuts[3].size);
    expect_in_force(&a, 5);
    expect_in_force(&land.root_pen, pen_size(&land.root_pen));
    expect_in_force(&land.office_pen, pen_size(&land.office_pen));
}

static void only_those_above_may_revoke(void **state)
{
    struct cairn_keys keys;
    struct pen beside;

    (void)state;
    land_office(&land, &land.root_pen, &keys, &beside, COUNTY, 60);
    pen_revoke(&beside, &land.station[0].grant, NULL, 0);
    expect_last(&beside, CAIRN_INVALID, CAIRN_WHY_NOT_ABOVE);
    expect_in_force(&a, 4);
}

static void those_below_cannot_revoke_those_above(void **state)
{
    struct cairn_keys keys;
    struct pen below;

    (void)state;
    land_office(&land, &land.office_pen, &keys, &below, COUNTY, 60);
    pen_revoke(&below, &land.office.grant, NULL, 0);
    expect_last(&below, CAIRN_INVALID, CAIRN_WHY_NOT_ABOVE);
}

static void what_an_office_granted_before_its_cut_stands_and_the_rest_falls(void **state)
{
    struct cairn_keys keys;
    struct pen late;

    (void)state;
    struct cairn_head cut = pen_head(&land.office_pen);
    land_keys(&keys, "late", 60);
    struct cairn_under under =
        land_grant(&land.office_pen, &keys, VILLAGE, CAIRN_ROLE_STATION, CAIRN_BIT_RECORDS, 0, "L");
    pen_begin(&late, &keys, &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS, &under, 1, 60,
              &land.pieces);
    pen_create(&late, 1, 3, 1);
    pen_revoke(&land.root_pen, &land.office.grant, &cut, 1);
    expect_in_force(&a, 4);
    expect_in_force(&late, 0);
}

static void the_grants_of_an_office_that_is_cut_at_nothing_fall(void **state)
{
    (void)state;
    pen_revoke(&land.root_pen, &land.office.grant, NULL, 0);
    expect_in_force(&land.office_pen, 0);
    expect_in_force(&a, 0);
}

static void a_revocation_behind_a_cut_does_not_count(void **state)
{
    struct cairn_head cut = pen_head(&land.office_pen);

    (void)state;
    pen_revoke(&land.office_pen, &land.station[0].grant, NULL, 0);
    pen_revoke(&land.root_pen, &land.office.grant, &cut, 1);
    expect_in_force(&a, 4);
}

static void a_revocation_before_a_cut_counts_on(void **state)
{
    (void)state;
    pen_revoke(&land.office_pen, &land.station[0].grant, NULL, 0);
    struct cairn_head cut = pen_head(&land.office_pen);
    pen_revoke(&land.root_pen, &land.office.grant, &cut, 1);
    expect_in_force(&a, 0);
}

static void logs_that_are_cut_whole_take_no_room_among_those_that_checkpoints_name(void **state)
{
    struct holder holder;
    struct cairn_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    struct cairn_keys keys;
    struct pen pen;

    (void)state;
    assert_non_null(checkpoint);
    struct cairn_under under = land_office(&land, &land.office_pen, &keys, &pen, 513332100u, 60);
    for (unsigned i = 0; i < CAIRN_HELD_MAX; i++)
        pen_begin(&pen, &keys, &land.network, 513332100u, CAIRN_CHANNEL_AUTHORITY, &under, 1,
                  100 + i, &land.pieces);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_checkpoint_held(&holder.ctx, (struct cairn_scope){VILLAGE}, checkpoint),
                     CAIRN_LIMIT);
    cairn_context_abort(&holder.ctx);
    pen_revoke(&land.office_pen, &under.grant, NULL, 0);
    holder_take(&holder, &land.pieces.list[land.pieces.count - 1]);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_checkpoint_held(&holder.ctx, (struct cairn_scope){VILLAGE}, checkpoint),
                     CAIRN_OK);
    cairn_context_abort(&holder.ctx);
    assert_int_equal(checkpoint->held_count, 2); /* the root's and the county's */
    holder_close(&holder);
    free(checkpoint);
}

static void what_the_branch_said_that_gave_way_counts_no_more(void **state)
{
    struct cairn_head cut = pen_head(&a), head;
    struct pen branch;
    struct pieces apart = {0};
    struct cairn_keys keys;
    struct holder both, one;

    (void)state;
    pen_set(&a, 1, 6, 11);
    head = pen_head(&a);
    branch = land.office_pen;
    branch.out = &apart;
    /* One hand revokes, closes and adopts; the server covers what the other one wrote. */
    pen_revoke(&branch, &land.station[0].grant, &cut, 1);
    pen_adopt(&branch, &head, cut.size);
    cut = pen_head(&b);
    cut.size--;
    pen_close(&branch, &cut);
    land_keys(&keys, "x", 60);
    for (unsigned i = 0; i < 3; i++)
        land_grant(&land.office_pen, &keys, VILLAGE, CAIRN_ROLE_STATION, CAIRN_BIT_RECORDS, 0, "X");
    holder_open(&one, land.statement);
    holder_take_all(&one, &land.pieces);
    holder_open(&both, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        if (memcmp(&land.pieces.list[i].log, &branch.id, sizeof branch.id) != 0 ||
            land.pieces.list[i].run.first < pen_size(&branch) - 3)
            holder_take(&both, &land.pieces.list[i]);
    holder_take_all(&both, &apart);
    assert_int_equal(holder_log(&both, &a.id).force_end, head.size - 1);
    for (uint32_t i = pen_size(&branch) - 3; i < pen_size(&branch); i++)
        holder_take_sequenced(&both, piece_at(&land.pieces, &branch.id, i, 0));
    holder_cover(&one, &branch.id);
    holder_cover(&both, &branch.id);
    assert_int_equal(holder_log(&both, &a.id).force_end, holder_log(&one, &a.id).force_end);
    assert_int_equal(holder_log(&both, &b.id).force_end, holder_log(&one, &b.id).force_end);
    char *got = holder_describe(&both), *want = holder_describe(&one);
    expect_same_text(got, want, "what gave way has left something");
    free(got);
    free(want);
    holder_close(&both);
    holder_close(&one);
    pieces_free(&apart);
}

static void a_closed_log_ends_and_the_grant_goes_on(void **state)
{
    struct cairn_head cut = pen_head(&a);
    struct pen next;

    (void)state;
    pen_set(&a, 1, 6, 11);
    pen_close(&land.office_pen, &cut);
    pen_begin(&next, &land.station_keys[0], &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &land.station[0], 1, 90, &land.pieces);
    pen_create(&next, 1001, 3, 1001);
    expect_in_force(&a, cut.size);
    expect_in_force(&next, 2);
}

static void only_those_above_may_close(void **state)
{
    struct cairn_keys keys;
    struct pen beside;
    struct cairn_head cut = pen_head(&a);

    (void)state;
    pen_set(&a, 1, 6, 11);
    land_office(&land, &land.root_pen, &keys, &beside, COUNTY, 60);
    pen_close(&beside, &cut);
    expect_last(&beside, CAIRN_INVALID, CAIRN_WHY_NOT_ABOVE);
    expect_in_force(&a, 5);
}

static void an_adopted_range_is_in_force_again(void **state)
{
    struct holder holder;

    (void)state;
    struct cairn_head head = pen_head(&a);
    pen_revoke(&land.office_pen, &land.station[0].grant, NULL, 0);
    pen_adopt(&land.office_pen, &head, 2);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    assert_int_equal(holder_live(&holder, &a.id, 1, 0), 0);
    assert_int_equal(holder_live(&holder, &a.id, 2, 0), 1);
    assert_int_equal(holder_live(&holder, &a.id, 1, 6), 1);
    holder_close(&holder);
}

/* The device went back, and gives up what it wrote from `from` on, which nobody covered. */
static void give_up(struct holder *holder, const struct pen *pen, uint32_t from)
{
    struct cairn_log log = holder_log(holder, &pen->id);

    cairn_context_fresh(&holder->ctx);
    assert_int_equal(cairn_context_begin(&holder->ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_abandon_tail(&holder->ctx, &log, from), CAIRN_OK);
    assert_int_equal(cairn_context_commit(&holder->ctx), CAIRN_OK);
}

static void an_adopted_range_that_is_not_whole_any_more_is_out_of_force(void **state)
{
    struct holder holder;

    (void)state;
    pen_create(&a, 3, 3, 3);
    struct cairn_head head = pen_head(&a);
    pen_revoke(&land.office_pen, &land.station[0].grant, NULL, 0);
    pen_adopt(&land.office_pen, &head, 1);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    assert_int_equal(holder_live(&holder, &a.id, 1, 6), 1);
    give_up(&holder, &a, head.size - 1);
    assert_int_equal(holder_live(&holder, &a.id, 1, 6), 0);
    assert_int_equal(holder_live(&holder, &a.id, 2, 0), 0);
    holder_close(&holder);
}

/* Else the adoption would stand here and wait there, where the log never came. */
static void an_adoption_of_a_log_that_is_given_up_whole_waits_for_it(void **state)
{
    struct holder holder, other;

    (void)state;
    struct cairn_head head = pen_head(&a);
    pen_revoke(&land.office_pen, &land.station[0].grant, NULL, 0);
    uint32_t adoption = pen_adopt(&land.office_pen, &head, 1).index;
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    holder_expect(&holder, &land.office_pen, adoption, CAIRN_VALID, CAIRN_WHY_NONE, "the adoption");

    give_up(&holder, &a, 0);
    holder_expect(&holder, &land.office_pen, adoption, CAIRN_WAITING, CAIRN_WHY_NOT_HERE_YET,
                  "the adoption of what is given up");
    holder_open(&other, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        if (memcmp(&land.pieces.list[i].log, &a.id, sizeof a.id) != 0)
            holder_take(&other, &land.pieces.list[i]);
    char *got = holder_describe(&holder), *want = holder_describe(&other);
    expect_same_text(got, want, "what was given up has left something");
    free(got);
    free(want);
    holder_close(&other);
    holder_close(&holder);
}

#define T(name) cmocka_unit_test_setup_teardown(name, offices_setup, offices_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_listed_log_is_in_force_up_to_its_cut),
        T(a_log_that_a_revocation_does_not_list_is_cut_at_nothing),
        T(what_comes_above_a_cut_is_evidence),
        T(of_two_revocations_the_lesser_cut_counts),
        T(a_revocation_that_does_not_list_a_log_cuts_it_beside_one_that_does),
        T(a_cut_that_names_another_history_leaves_nothing),
        T(a_revocation_cuts_no_log_of_another_grant),
        T(only_those_above_may_revoke),
        T(those_below_cannot_revoke_those_above),
        T(what_an_office_granted_before_its_cut_stands_and_the_rest_falls),
        T(the_grants_of_an_office_that_is_cut_at_nothing_fall),
        T(a_revocation_behind_a_cut_does_not_count),
        T(a_revocation_before_a_cut_counts_on),
        T(logs_that_are_cut_whole_take_no_room_among_those_that_checkpoints_name),
        T(what_the_branch_said_that_gave_way_counts_no_more),
        T(a_closed_log_ends_and_the_grant_goes_on),
        T(only_those_above_may_close),
        T(an_adopted_range_is_in_force_again),
        T(an_adopted_range_that_is_not_whole_any_more_is_out_of_force),
        T(an_adoption_of_a_log_that_is_given_up_whole_waits_for_it),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
