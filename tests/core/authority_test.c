/* Grants: who may make which, and which logs may be written under them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

#include "offices.h"

static void a_grant_inside_its_parent_is_valid(void **state)
{
    struct cairn_keys keys;

    (void)state;
    land_keys(&keys, "x", 60);
    land_grant(&land.office_pen, &keys, 513332100u, CAIRN_ROLE_TOWNSHIP, CAIRN_BIT_RECORDS, 0, "T");
    expect_last(&land.office_pen, CAIRN_VALID, CAIRN_WHY_NONE);
}

static void a_grant_outside_the_scope_of_its_author_is_invalid(void **state)
{
    struct cairn_keys keys;

    (void)state;
    land_keys(&keys, "x", 60);
    land_grant(&land.office_pen, &keys, 513333u, CAIRN_ROLE_COUNTY, CAIRN_BIT_RECORDS, 0, "T");
    expect_last(&land.office_pen, CAIRN_INVALID, CAIRN_WHY_NO_RIGHT);
}

static void a_grant_of_more_channels_than_its_author_has_is_invalid(void **state)
{
    struct cairn_keys keys;

    (void)state;
    land_keys(&keys, "x", 60);
    land_grant(&land.office_pen, &keys, VILLAGE, CAIRN_ROLE_STATION,
               CAIRN_BIT_RECORDS | CAIRN_BIT_FUNDS, 0, "T");
    expect_last(&land.office_pen, CAIRN_INVALID, CAIRN_WHY_NO_RIGHT);
}

static void an_office_makes_none_nearer_the_root_than_itself(void **state)
{
    static const struct {
        unsigned role;
        bool is_valid;
    } roles[] = {{CAIRN_ROLE_PREFECTURE, false}, {CAIRN_ROLE_COUNTY, false},
                 {CAIRN_ROLE_TOWNSHIP, true},    {CAIRN_ROLE_STATION, true},
                 {CAIRN_ROLE_SERVER, true},      {CAIRN_ROLE_AUDITOR, true},
                 {CAIRN_ROLE_APPROVER, true}};
    struct cairn_keys office, keys;
    struct pen township;

    (void)state;
    land_office(&land, &land.office_pen, &office, &township, 513332100u, 60);
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        land_keys(&keys, "x", 70 + i);
        land_grant(&township, &keys, VILLAGE, roles[i].role, CAIRN_BIT_RECORDS, 0, "X");
        expect_last(&township, roles[i].is_valid ? CAIRN_VALID : CAIRN_INVALID,
                    roles[i].is_valid ? CAIRN_WHY_NONE : CAIRN_WHY_NO_RIGHT);
    }
}

static void who_holds_no_office_makes_none(void **state)
{
    struct cairn_keys keys, below;
    struct pen pen;

    (void)state;
    land_keys(&keys, "auditor", 60);
    land_keys(&below, "y", 61);
    struct cairn_under under =
        land_grant(&land.office_pen, &keys, COUNTY, CAIRN_ROLE_AUDITOR,
                   CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS, CAIRN_RIGHT_DELEGATE, "U");
    pen_begin(&pen, &keys, &land.network, COUNTY, CAIRN_CHANNEL_AUTHORITY, &under, 1, 60,
              &land.pieces);
    land_grant(&pen, &below, VILLAGE, CAIRN_ROLE_STATION, CAIRN_BIT_RECORDS, 0, "V");
    expect_last(&pen, CAIRN_INVALID, CAIRN_WHY_NO_RIGHT);
    land_grant(&pen, &below, VILLAGE, CAIRN_ROLE_AUDITOR, CAIRN_BIT_RECORDS, 0, "W");
    expect_last(&pen, CAIRN_VALID, CAIRN_WHY_NONE);
}

static void a_grant_by_one_who_may_not_delegate_is_invalid(void **state)
{
    struct cairn_keys keys, below;
    struct pen pen;

    (void)state;
    land_keys(&keys, "x", 60);
    land_keys(&below, "y", 61);
    struct cairn_under under = land_grant(&land.office_pen, &keys, VILLAGE, CAIRN_ROLE_STATION,
                                          CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS, 0, "T");
    pen_begin(&pen, &keys, &land.network, VILLAGE, CAIRN_CHANNEL_AUTHORITY, &under, 1, 60,
              &land.pieces);
    land_grant(&pen, &below, VILLAGE, CAIRN_ROLE_STATION, CAIRN_BIT_RECORDS, 0, "U");
    expect_last(&pen, CAIRN_INVALID, CAIRN_WHY_NO_RIGHT);
}

static void five_grants_below_the_root_are_valid_and_a_sixth_is_not(void **state)
{
    static const uint64_t scopes[] = {5133u, COUNTY, 513332100u, VILLAGE, VILLAGE, VILLAGE};
    struct cairn_keys keys[6];
    struct pen pen[6];
    struct pen *above = &land.root_pen;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        land_office(&land, above, &keys[i], &pen[i], scopes[i], 70 + i);
        above = &pen[i];
    }
    expect_last(&pen[4], CAIRN_VALID, CAIRN_WHY_NONE);
    expect_in_force(&pen[4], 1);
    land_keys(&keys[5], "sixth", 75);
    land_grant(&pen[4], &keys[5], VILLAGE, CAIRN_ROLE_STATION, CAIRN_BIT_RECORDS, 0, "Z");
    expect_last(&pen[4], CAIRN_INVALID, CAIRN_WHY_DEPTH);
}

static void a_log_under_somebody_elses_grant_is_refused(void **state)
{
    struct pen thief;
    struct holder holder;
    enum cairn_outcome outcome;

    (void)state;
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    pen_begin(&thief, &land.station_keys[0], &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &land.station[1], 1, 80, &land.pieces);
    const struct piece *piece = piece_at(&land.pieces, &thief.id, 0, 0);
    assert_int_equal(holder_try(&holder, piece, false, &outcome), CAIRN_REFUSED);
    struct cairn_log log = holder_log(&holder, &thief.id);
    assert_int_equal(cairn_log_size(&log), 0);
    holder_close(&holder);
}

static void a_log_outside_the_scope_or_channels_of_its_grant_is_refused(void **state)
{
    struct pen outside, funds;
    struct holder holder;
    enum cairn_outcome outcome;

    (void)state;
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    pen_begin(&outside, &land.station_keys[0], &land.network, OTHER_VILLAGE, CAIRN_CHANNEL_RECORDS,
              &land.station[0], 1, 80, &land.pieces);
    pen_begin(&funds, &land.station_keys[0], &land.network, VILLAGE, CAIRN_CHANNEL_FUNDS,
              &land.station[0], 1, 81, &land.pieces);
    assert_int_equal(
        holder_try(&holder, piece_at(&land.pieces, &outside.id, 0, 0), false, &outcome),
        CAIRN_REFUSED);
    assert_int_equal(holder_try(&holder, piece_at(&land.pieces, &funds.id, 0, 0), false, &outcome),
                     CAIRN_REFUSED);
    holder_close(&holder);
}

/* A grant by the office that names `under` in place of its log's own basis. */
static void grant_under(const struct cairn_under *under)
{
    struct cairn_keys keys;
    struct pen pen = land.office_pen;

    land_keys(&keys, "x", 60);
    pen.under = *under;
    land_grant(&pen, &keys, VILLAGE, CAIRN_ROLE_STATION, CAIRN_BIT_RECORDS, 0, "X");
    expect_last(&pen, CAIRN_INVALID, CAIRN_WHY_OTHER_BASIS);
}

static void an_entry_under_another_grant_than_its_log_is_invalid(void **state)
{
    (void)state;
    /* A second grant for the same office, which its log does not name. */
    struct cairn_under second =
        land_grant(&land.root_pen, &land.office_keys, COUNTY, CAIRN_ROLE_COUNTY,
                   CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS, CAIRN_RIGHT_DELEGATE, "C2");
    grant_under(&second);
}

static void an_authority_entry_of_a_borrowed_grant_is_invalid(void **state)
{
    (void)state;
    grant_under(&land.root);
}

#define T(name) cmocka_unit_test_setup_teardown(name, offices_setup, offices_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_grant_inside_its_parent_is_valid),
        T(a_grant_outside_the_scope_of_its_author_is_invalid),
        T(a_grant_of_more_channels_than_its_author_has_is_invalid),
        T(an_office_makes_none_nearer_the_root_than_itself),
        T(who_holds_no_office_makes_none),
        T(a_grant_by_one_who_may_not_delegate_is_invalid),
        T(five_grants_below_the_root_are_valid_and_a_sixth_is_not),
        T(a_log_under_somebody_elses_grant_is_refused),
        T(a_log_outside_the_scope_or_channels_of_its_grant_is_refused),
        T(an_entry_under_another_grant_than_its_log_is_invalid),
        T(an_authority_entry_of_a_borrowed_grant_is_invalid),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
