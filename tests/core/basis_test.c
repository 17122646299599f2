/* The basis of a log, and the chain above it: which logs are taken in at all, and what of them
 * counts while the logs between are still to come. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "holder.h"
#include "links.h"

static struct land land;
static struct holder holder;

static int setup(void **state)
{
    (void)state;
    land_init(&land);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    holder_close(&holder);
    land_free(&land);
    return 0;
}

/* The last piece written is not taken, and nothing of it is kept. */
static void expect_refused(enum cairn_status expected, const char *sentence)
{
    const struct piece *piece = &land.pieces.list[land.pieces.count - 1];
    struct cairn_log before = holder_log(&holder, &piece->log);
    enum cairn_outcome outcome;

    holder.err.text[0] = '\0';
    assert_int_equal(holder_try(&holder, piece, false, &outcome), expected);
    assert_string_equal(holder.err.text, sentence);
    struct cairn_log after = holder_log(&holder, &piece->log);
    assert_int_equal(cairn_log_size(&after), cairn_log_size(&before));
}

static enum cairn_outcome take_last(void)
{
    return holder_take(&holder, &land.pieces.list[land.pieces.count - 1]);
}

static void station_blank(struct pen *pen)
{
    pen_blank(pen, &land.station_keys[0], &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &land.station[0], 60, &land.pieces);
}

/* ---- the basis ---- */

static void no_basis_write(struct pen *pen)
{
    struct draft draft;

    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_entry_begin(&draft.writer, CAIRN_KIND_BASIS, pen->time_s++, 1);
    cairn_cbor_write_uint(&draft.writer, 7);
    draft_write(&draft, pen);
}

static void a_log_begins_with_a_basis_that_can_be_read(void **state)
{
    struct pen pen;

    (void)state;
    station_blank(&pen);
    no_basis_write(&pen);
    expect_refused(CAIRN_MALFORMED, "");
    station_blank(&pen);
    pen_create(&pen, 1, 3, 4);
    expect_refused(CAIRN_MALFORMED, "");
    station_blank(&pen);
    pen_basis(&pen, &land.station[0], 1);
    assert_int_equal(take_last(), CAIRN_OUTCOME_ACCEPTED);
    no_basis_write(&pen);
    expect_refused(CAIRN_REFUSED, "");
}

static void a_log_stays_under_the_grant_it_began_with(void **state)
{
    struct pen pen;

    (void)state;
    struct cairn_under second = land_grant(&land.office_pen, &land.station_keys[0], VILLAGE,
                                           CAIRN_ROLE_STATION, CAIRN_BIT_RECORDS, 0, "A1");
    take_last();
    station_blank(&pen);
    pen_basis(&pen, &land.station[0], 1);
    take_last();
    pen_basis(&pen, &second, 1);
    expect_refused(CAIRN_REFUSED,
                   "A log stays under the grant it began with; another one needs a new log.");
}

static void nobody_writes_under_a_schema_older_than_its_grant_allows(void **state)
{
    struct cairn_keys keys;
    struct draft draft;
    struct pen pen;

    (void)state;
    land_keys(&keys, "new", 61);
    const struct cairn_grant grant = {.under = land.office,
                                      .scope = {VILLAGE},
                                      .role = CAIRN_ROLE_STATION,
                                      .channels = CAIRN_BIT_RECORDS,
                                      .tag = cairn_bytes_of_text("N"),
                                      .name = cairn_bytes_of_text("new"),
                                      .keys = keys.open,
                                      .least_version = 2};
    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_grant_write(&draft.writer, land.office_pen.time_s++, &grant);
    struct cairn_under under = {.grant = draft_write(&draft, &land.office_pen)};
    take_last();
    pen_begin(&pen, &keys, &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS, &under, 1, 61,
              &land.pieces);
    expect_refused(CAIRN_REFUSED, "N writes under a schema older than its grant allows.");
    pen_begin(&pen, &keys, &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS, &under, 2, 62,
              &land.pieces);
    assert_int_equal(take_last(), CAIRN_OUTCOME_PARKED); /* until version 2 is here */
}

static void an_entry_of_money_in_a_records_log_waits_for_a_newer_program(void **state)
{
    struct draft draft;
    struct pen pen;

    (void)state;
    station_blank(&pen);
    pen_basis(&pen, &land.station[0], 1);
    take_last();
    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_entry_begin(&draft.writer, CAIRN_KIND_FUNDS_FIRST, pen.time_s++, 0);
    draft_write(&draft, &pen);
    assert_int_equal(take_last(), CAIRN_OUTCOME_ACCEPTED);
    holder_expect(&holder, &pen, 1, CAIRN_WAITING, CAIRN_WHY_NEWER, "an entry of money");
}

/* ---- the chain above ---- */

static struct cairn_keys township_keys, station_keys;
static struct pen township, station;
static struct cairn_under township_under, station_under;
static size_t township_from, station_from; /* their pieces */

/* A township below the county, a station below it, and a household of the station's. */
static void chain_write(void)
{
    land_keys(&township_keys, "township", 70);
    land_keys(&station_keys, "below", 71);
    township_under = land_grant(&land.office_pen, &township_keys, 513332100u, CAIRN_ROLE_TOWNSHIP,
                                CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS, CAIRN_RIGHT_DELEGATE, "T");
    take_last();
    township_from = land.pieces.count;
    pen_begin(&township, &township_keys, &land.network, 513332100u, CAIRN_CHANNEL_AUTHORITY,
              &township_under, 1, 70, &land.pieces);
    station_under = land_grant(&township, &station_keys, VILLAGE, CAIRN_ROLE_STATION,
                               CAIRN_BIT_RECORDS, 0, "B");
    station_from = land.pieces.count;
    pen_begin(&station, &station_keys, &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &station_under, 1, 71, &land.pieces);
    pen_create(&station, 1, 3, 4);
}

/* The grants of the chain as links, from a holder that has its logs. */
static void links_take(void)
{
    struct cairn_link_set *set = malloc(sizeof *set);
    struct holder whole;

    assert_non_null(set);
    holder_open(&whole, land.statement);
    holder_take_all(&whole, &land.pieces);
    cairn_link_set_init(set);
    assert_int_equal(cairn_context_begin(&whole.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_link_set_chain(&whole.ctx, set, &station_under), CAIRN_OK);
    cairn_context_abort(&whole.ctx);
    holder_close(&whole);
    struct cairn_list links = {.left = set->count};
    cairn_reader_init(&links.reader, cairn_buffer_bytes(&set->bytes));
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_links_admit(&holder.ctx, links), CAIRN_OK);
    assert_int_equal(cairn_context_commit(&holder.ctx), CAIRN_OK);
    cairn_link_set_release(set);
    free(set);
}

static void pieces_take(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        holder_take(&holder, &land.pieces.list[i]);
}

static void expect_force_end(const struct pen *pen, uint32_t end)
{
    struct cairn_log log = holder_log(&holder, &pen->id);
    uint32_t size = cairn_log_size(&log);

    assert_int_equal(log.force_end < size ? log.force_end : size, end);
}

static void revoke_office(const struct cairn_head *cut)
{
    pen_revoke(&land.root_pen, &land.office.grant, cut, cut != NULL);
    take_last();
}

static void links_alone_are_a_chain_that_stands(void **state)
{
    (void)state;
    chain_write();
    links_take();
    pieces_take(station_from, land.pieces.count);
    expect_force_end(&station, 2);
    /* Something is revoked elsewhere, so that ends are looked at. */
    pen_revoke(&land.office_pen, &land.station[3].grant, NULL, 0);
    take_last();
    expect_force_end(&station, 2);
}

static void what_hangs_on_a_grant_behind_a_cut_falls_before_the_log_between_has_come(void **state)
{
    struct cairn_head cut = pen_head(&land.office_pen);

    (void)state;
    chain_write();
    links_take();
    pieces_take(station_from, land.pieces.count);
    revoke_office(&cut); /* the township's grant lies behind it */
    expect_force_end(&station, 0);
    pieces_take(township_from, station_from);
    expect_force_end(&township, 0);
    expect_force_end(&station, 0);
}

static void grants_of_before_a_revocation_stand_two_levels_below_it(void **state)
{
    (void)state;
    chain_write();
    pieces_take(township_from, land.pieces.count);
    struct cairn_head cut = pen_head(&land.office_pen);
    revoke_office(&cut);
    expect_force_end(&township, 2);
    expect_force_end(&station, 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_log_begins_with_a_basis_that_can_be_read),
        T(a_log_stays_under_the_grant_it_began_with),
        T(nobody_writes_under_a_schema_older_than_its_grant_allows),
        T(an_entry_of_money_in_a_records_log_waits_for_a_newer_program),
        T(links_alone_are_a_chain_that_stands),
        T(what_hangs_on_a_grant_behind_a_cut_falls_before_the_log_between_has_come),
        T(grants_of_before_a_revocation_stand_two_levels_below_it),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
