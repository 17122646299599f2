/*
 * Two histories of one log and a revocation that cuts it, in every order of arrival: all replicas
 * that have heard all of it hold the same state. tests/model/fork.pml has the same rules in small.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "holder.h"

#define PIECES 5
#define ORDERS 120 /* of five pieces */
#define COMMON_SIZE 3
#define FULL_SIZE 5

static struct land land;
static struct pen common, one, other; /* the log at size 3, and its two histories */

static int setup(void **state)
{
    (void)state;
    land_init(&land);
    land_station_pen(&land, &common, 0);
    pen_create(&common, 1, 3, 4);
    pen_set(&common, 1, 6, 10);
    one = common;
    other = common;
    pen_set(&one, 1, 6, 20);
    pen_set(&one, 1, 6, 30);
    pen_set(&other, 1, 3, 21);
    pen_set(&other, 1, 3, 22);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    land_free(&land);
    return 0;
}

/* The n-th order of 0 to PIECES-1. */
static void order_make(unsigned n, unsigned order[static PIECES])
{
    unsigned left[PIECES], count = PIECES;

    for (unsigned i = 0; i < PIECES; i++)
        left[i] = i;
    for (unsigned i = 0; i < PIECES; i++) {
        unsigned at = n % count;
        n /= count;
        order[i] = left[at];
        memmove(&left[at], &left[at + 1], (count - at - 1) * sizeof left[0]);
        count--;
    }
}

/* What a replica holds that heard the five pieces in this order; then, where `is_covered`, that a
 * server covers the first history. */
static char *heard_in(unsigned n, const struct piece *const pieces[static PIECES], bool is_covered)
{
    struct holder holder;
    unsigned order[PIECES];

    order_make(n, order);
    holder_open(&holder, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++) {
        const struct piece *piece = &land.pieces.list[i];
        bool is_one_of_them = false;
        for (unsigned p = 0; p < PIECES; p++)
            is_one_of_them = is_one_of_them || piece == pieces[p];
        if (!is_one_of_them)
            holder_take(&holder, piece);
    }
    for (unsigned turn = 0; turn < 2; turn++) /* and once more: repetition is harmless */
        for (unsigned i = 0; i < PIECES; i++) {
            enum cairn_outcome outcome;
            enum cairn_status status = holder_try(&holder, pieces[order[i]], false, &outcome);
            /* The second half of a history whose first half is not ours does not hold. */
            if (status != CAIRN_OK && status != CAIRN_BAD_SIGNATURE)
                fail_msg("order %u, piece %u: %s", n, order[i], cairn_status_name(status));
        }
    if (is_covered) {
        holder_take_sequenced(&holder, pieces[0]);
        holder_take_sequenced(&holder, pieces[1]);
        holder_cover(&holder, &common.id);
    }
    char *text = holder_describe(&holder);
    holder_close(&holder);
    return text;
}

/* The log is in force to `end`, and the record shows what the entries below it wrote. */
static void expect_state(const char *text, uint32_t end)
{
    char id[17], lines[4][160];
    unsigned written = end - 1; /* the entry that wrote field 6 last */

    sodium_bin2hex(id, sizeof id, common.id.bytes, 8);
    snprintf(lines[0], sizeof lines[0], "log %s in force to %u\n", id, end);
    snprintf(lines[1], sizeof lines[1], "live %s 1 field 3 by %s 1 at ", id, id);
    snprintf(lines[2], sizeof lines[2], "live %s 1 field 6 by %s %u at ", id, id, written);
    snprintf(lines[3], sizeof lines[3], "value %s 1 field 6 by %s %u: %s\n", id, id, written,
             end == COMMON_SIZE ? "0a" : "181e");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strstr(text, lines[i]) == NULL)
            fail_msg("%sis missing in\n%s", lines[i], text);
    if (strstr(text, "conflict") != NULL)
        fail_msg("a conflict in\n%s", text);
}

static void every_order_of(const struct piece *const pieces[static PIECES], bool is_covered,
                           uint32_t end)
{
    char *first = heard_in(0, pieces, is_covered);

    expect_state(first, end);
    for (unsigned n = 1; n < ORDERS; n++) {
        char *text = heard_in(n, pieces, is_covered);
        expect_same_text(text, first, "another order gives another state");
        free(text);
    }
    free(first);
}

/* SPEC.md section 5.2: while no server covers either history, both end at their common size; when
 * it covers the first, that one counts to `covered_end`. */
static void every_order_gives_one_state(const struct cairn_head *cut, uint32_t covered_end)
{
    pen_revoke(&land.office_pen, &land.station[0].grant, cut, 1);
    const struct piece *const pieces[PIECES] = {
        piece_at(&land.pieces, &common.id, 3, 0), piece_at(&land.pieces, &common.id, 4, 0),
        piece_at(&land.pieces, &common.id, 3, 1), piece_at(&land.pieces, &common.id, 4, 1),
        &land.pieces.list[land.pieces.count - 1]};
    every_order_of(pieces, false, COMMON_SIZE);
    every_order_of(pieces, true, covered_end);
}

static struct cairn_head head_of(const struct pen *pen)
{
    return pen_head(pen);
}

static void a_cut_at_the_head_of_one_history(void **state)
{
    struct cairn_head cut = head_of(&one);

    (void)state;
    every_order_gives_one_state(&cut, FULL_SIZE);
}

static void a_cut_at_the_head_of_the_other_history(void **state)
{
    struct cairn_head cut = head_of(&other);

    (void)state;
    every_order_gives_one_state(&cut, COMMON_SIZE);
}

static void a_cut_at_the_last_common_head(void **state)
{
    struct cairn_head cut = head_of(&common);

    (void)state;
    every_order_gives_one_state(&cut, COMMON_SIZE);
}

static void a_cut_beyond_what_anybody_wrote(void **state)
{
    struct cairn_head cut = head_of(&one);

    (void)state;
    cut.size += 2;
    every_order_gives_one_state(&cut, FULL_SIZE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_cut_at_the_head_of_one_history),
        T(a_cut_at_the_head_of_the_other_history),
        T(a_cut_at_the_last_common_head),
        T(a_cut_beyond_what_anybody_wrote),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
