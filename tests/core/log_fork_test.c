/* Two histories of one log: where it stops, and which of them counts once a server covers one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>

#include "one_log.h"
#include "own_log.h"

/* Both go on at size 3: one writes field 6, the other field 3, twice. */
static void fork_write(struct pen *one, struct pen *other)
{
    *other = a;
    *one = a;
    pen_set(one, 1, 6, 20);
    pen_set(other, 1, 3, 21);
    pen_set(other, 1, 3, 22);
}

static void a_fork_stops_the_log_at_the_last_common_head_whichever_comes_first(void **state)
{
    struct pen one, other;

    fork_write(&one, &other);
    for (unsigned first = 0; first < 2; first++) {
        one_log_take(3);
        assert_int_equal(holder_take(&holder, one_log_piece(3, first)), CAIRN_OUTCOME_ACCEPTED);
        assert_int_equal(one_log_in_force(), 4);
        assert_int_equal(holder_take(&holder, one_log_piece(3, 1 - first)), CAIRN_OUTCOME_FORKED);
        assert_int_equal(holder.ctx.tally.forks, 1);
        assert_int_equal(one_log_in_force(), 3);
        assert_int_equal(holder_live(&holder, &a.id, 1, 6), 1);
        assert_int_equal(holder_live(&holder, &a.id, 1, 3), 1);
        if (first == 0) {
            one_log_teardown(state);
            one_log_setup(state);
            fork_write(&one, &other);
        }
    }
}

/* Else any member of the network could stop the log of any other. */
static void another_history_that_its_device_did_not_seal_stops_nothing(void **state)
{
    struct pen one, other;
    enum cairn_outcome outcome;

    (void)state;
    fork_write(&one, &other);
    one_log_take(3);
    holder_take(&holder, one_log_piece(3, 0));
    struct piece forged = *one_log_piece(3, 1);
    forged.run.seal.bytes[0] ^= 1;
    assert_int_equal(holder_try(&holder, &forged, false, &outcome), CAIRN_BAD_SIGNATURE);
    forged.run.seal = one_log_piece(3, 0)->run.seal;
    assert_int_equal(holder_try(&holder, &forged, false, &outcome), CAIRN_BAD_SIGNATURE);
    assert_int_equal(one_log_in_force(), 4);
}

static void both_orders_of_a_fork_give_one_state(void **state)
{
    struct pen one, other;
    char *text[2];

    (void)state;
    fork_write(&one, &other);
    for (unsigned first = 0; first < 2; first++) {
        struct holder apart;
        holder_open(&apart, land.statement);
        for (size_t i = 0; i < land.pieces.count; i++)
            if (land.pieces.list[i].run.first < 3 ||
                land.pieces.list[i].channel == CAIRN_CHANNEL_AUTHORITY)
                holder_take(&apart, &land.pieces.list[i]);
        holder_take(&apart, one_log_piece(3, first));
        holder_take(&apart, one_log_piece(3, 1 - first));
        text[first] = holder_describe(&apart);
        holder_close(&apart);
    }
    expect_same_text(text[1], text[0], "the other branch first gives another state");
    free(text[0]);
    free(text[1]);
}

static void the_branch_that_is_covered_wins(void **state)
{
    struct pen one, other;
    enum cairn_outcome outcome;

    (void)state;
    fork_write(&one, &other);
    one_log_take(3);
    holder_take(&holder, one_log_piece(3, 0));
    assert_int_equal(holder_try(&holder, one_log_piece(3, 1), true, &outcome), CAIRN_OK);
    assert_int_equal(outcome, CAIRN_OUTCOME_ACCEPTED);
    struct cairn_head head = pen_head(&other);
    struct cairn_log log = holder_log(&holder, &a.id);
    assert_int_equal(cairn_log_size(&log), 4);
    assert_int_equal(holder_try(&holder, one_log_piece(4, 0), true, &outcome), CAIRN_OK);
    log = holder_log(&holder, &a.id);
    struct cairn_hash root = cairn_log_root(&log);
    assert_memory_equal(root.bytes, head.root.bytes, 32);
}

/* Another log has announced one branch and names an entry below the fork. */
static void an_announcement_is_compared_again_when_the_other_branch_wins(void **state)
{
    struct pen one, other, b;
    struct draft draft;
    enum cairn_outcome outcome;
    const struct cairn_local_dot named = {1, 2};

    (void)state;
    fork_write(&one, &other);
    struct cairn_head head = pen_head(&one);
    land_station_pen(&land, &b, 1);
    draft_change(&draft, &b, 2);
    draft_announce_first(&draft, &head);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, 6, 99, &named, 1);
    draft_write(&draft, &b);
    one_log_take(3);
    holder_take(&holder, one_log_piece(3, 0));
    holder_take(&holder, piece_at(&land.pieces, &b.id, 0, 0));
    holder_take(&holder, piece_at(&land.pieces, &b.id, 1, 0));
    assert_int_equal(holder_try(&holder, one_log_piece(3, 1), true, &outcome), CAIRN_OK);
    assert_int_equal(outcome, CAIRN_OUTCOME_ACCEPTED);

    struct holder apart; /* saw the winning branch alone */
    holder_open(&apart, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        if (!(cairn_hash_equal(&land.pieces.list[i].log, &a.id) &&
              land.pieces.list[i].run.first >= 3))
            holder_take(&apart, &land.pieces.list[i]);
    holder_take(&apart, one_log_piece(3, 1));
    assert_int_equal(holder_live(&apart, &a.id, 1, 6), 2);
    assert_int_equal(holder_live(&holder, &a.id, 1, 6), 2);
    holder_close(&apart);
}

/* The record that an edit of another log is about goes with the branch that loses. */
static void an_edit_of_a_record_that_was_abandoned_waits_again(void **state)
{
    struct pen b;
    struct draft draft;
    struct cairn_log log;

    (void)state;
    struct cairn_head head = pen_head(&a);
    land_station_pen(&land, &b, 1);
    draft_change(&draft, &b, 2);
    draft_announce_first(&draft, &head);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, 6, 99, NULL, 0);
    draft_write(&draft, &b);
    holder_take_all(&holder, &land.pieces);
    char *want = holder_describe(&holder);

    log = holder_log(&holder, &a.id);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_abandon_tail(&holder.ctx, &log, log.covered), CAIRN_OK);
    assert_int_equal(cairn_context_commit(&holder.ctx), CAIRN_OK);
    struct cairn_verdict verdict = holder_verdict(&holder, &b.id, 1);
    assert_int_equal(verdict.validity, CAIRN_WAITING);
    assert_int_equal(verdict.reason, CAIRN_WHY_NOT_HERE_YET);
    holder_take_all(&holder, &land.pieces);
    char *got = holder_describe(&holder);
    expect_same_text(got, want, "what was abandoned and came again gives another state");
    free(got);
    free(want);
}

#define T(name) cmocka_unit_test_setup_teardown(name, one_log_setup, one_log_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_fork_stops_the_log_at_the_last_common_head_whichever_comes_first),
        T(another_history_that_its_device_did_not_seal_stops_nothing),
        T(both_orders_of_a_fork_give_one_state),
        T(the_branch_that_is_covered_wins),
        T(an_announcement_is_compared_again_when_the_other_branch_wins),
        T(an_edit_of_a_record_that_was_abandoned_waits_again),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
