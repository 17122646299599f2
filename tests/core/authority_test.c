/* Grants, cuts, closes, adoptions: who may do what, before or after the logs they are about. */

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
#include "scope_log.h"

#define ORDERS 12

static struct land land;
static struct pen a, b; /* records of stations 0 and 1; a has records 1 and 2, and 3 edits on 1 */

static void edit(struct pen *pen, int64_t value)
{
    struct draft draft;

    draft_change(&draft, pen, 1);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){0, 1}, 6, value, NULL, 0);
    draft_write(&draft, pen);
}

static void create(struct pen *pen, uint32_t counter)
{
    struct draft draft;

    draft_change(&draft, pen, 1);
    draft_create(&draft, TYPE_HOUSEHOLD, counter, 3, counter);
    draft_write(&draft, pen);
}

static int setup(void **state)
{
    (void)state;
    land_init(&land);
    land_station_pen(&land, &a, 0);
    create(&a, 1);
    create(&a, 2);
    edit(&a, 10);
    land_station_pen(&land, &b, 1);
    create(&b, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    land_free(&land);
    return 0;
}

/* ---- looking ---- */

static char *deliver(uint64_t seed)
{
    struct pieces order = {0};
    struct holder holder;
    uint64_t random = seed;

    for (size_t i = 0; i < land.pieces.count; i++)
        pieces_add(&order, &land.pieces.list[i]);
    for (size_t i = order.count; seed > 0 && i > 1; i--) {
        random = random * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
        size_t j = (size_t)(random >> 33) % i;
        struct piece swap = order.list[i - 1];
        order.list[i - 1] = order.list[j];
        order.list[j] = swap;
    }
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &order);
    char *text = holder_describe(&holder);
    holder_close(&holder);
    pieces_free(&order);
    return text;
}

/* The state in the order written, and the same in every other. */
static void expect_any_order(void)
{
    char *want = deliver(0);

    for (uint64_t seed = 1; seed <= ORDERS; seed++) {
        char *got = deliver(seed);
        expect_same_text(got, want, "another order, another state");
        free(got);
    }
    free(want);
}

static void expect_last(const struct pen *pen, enum cairn_validity validity,
                        enum cairn_reason reason)
{
    struct holder holder;

    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    struct cairn_verdict verdict = holder_verdict(&holder, &pen->id, pen_size(pen) - 1);
    assert_int_equal(verdict.validity, validity);
    assert_int_equal(verdict.reason, reason);
    holder_close(&holder);
    expect_any_order();
}

/* How much of a log is in force when all has arrived. */
static void expect_in_force(const struct pen *pen, uint32_t size)
{
    struct holder holder;

    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    struct cairn_log log = holder_log(&holder, &pen->id);
    uint32_t end = cairn_log_size(&log) < log.force_end ? cairn_log_size(&log) : log.force_end;
    assert_int_equal(end, size);
    holder_close(&holder);
    expect_any_order();
}

static void revoke(struct pen *pen, const struct cairn_under *grant, const struct cairn_head *cuts,
                   size_t cut_count)
{
    struct draft draft;

    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_revocation_write(&draft.writer, pen->time_s++, &pen->under, &grant->grant, cuts,
                           cut_count);
    draft_write(&draft, pen);
}

static void close_log(struct pen *pen, const struct cairn_head *cut)
{
    struct draft draft;
    const struct cairn_close close = {.under = pen->under, .cut = *cut};

    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_close_write(&draft.writer, pen->time_s++, &close);
    draft_write(&draft, pen);
}

static void adopt(struct pen *pen, const struct cairn_head *head, uint32_t from)
{
    struct draft draft;
    const struct cairn_adopt adopt = {
        .under = pen->under, .log = head->log, .from = from, .to = head->size, .root = head->root};

    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_adopt_write(&draft.writer, pen->time_s++, &adopt);
    draft_write(&draft, pen);
}

/* An office below `above`, with keys and an authority log of its own, begun. */
static struct cairn_under office_begin(struct pen *above, struct cairn_keys *keys, struct pen *pen,
                                       uint64_t scope, uint64_t seed)
{
    land_keys(keys, "office", seed);
    struct cairn_under under =
        land_grant(above, keys, scope, CAIRN_ROLE_TOWNSHIP, CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS,
                   CAIRN_RIGHT_DELEGATE, "T1");
    pen_begin(pen, keys, &land.network, scope, CAIRN_CHANNEL_AUTHORITY, &under, 1, seed,
              &land.pieces);
    return under;
}

/* ---- grants ---- */

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
    office_begin(&land.office_pen, &office, &township, 513332100u, 60);
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
        office_begin(above, &keys[i], &pen[i], scopes[i], 70 + i);
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

/* ---- first contact ---- */

static void the_chain_of_links_is_enough_to_accept_a_log(void **state)
{
    struct holder whole, fresh;
    struct cairn_link_set *set = calloc(1, sizeof *set);
    struct cairn_ref schema;

    (void)state;
    assert_non_null(set);
    holder_open(&whole, land.statement);
    holder_take_all(&whole, &land.pieces);
    holder_open(&fresh, land.statement);
    cairn_link_set_init(set);
    assert_int_equal(cairn_context_begin(&whole.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_link_set_chain(&whole.ctx, set, &land.station[0]), CAIRN_OK);
    assert_int_equal(cairn_schema_ref(&whole.ctx, 1, &schema), CAIRN_OK);
    assert_int_equal(cairn_link_set_entry(&whole.ctx, set, &schema), CAIRN_OK);
    cairn_context_abort(&whole.ctx);
    struct cairn_list links = {.left = set->count};
    cairn_reader_init(&links.reader, cairn_buffer_bytes(&set->bytes));

    assert_int_equal(holder_take(&fresh, piece_at(&land.pieces, &a.id, 0, 0)),
                     CAIRN_OUTCOME_PARKED);
    assert_int_equal(cairn_context_begin(&fresh.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_links_admit(&fresh.ctx, links), CAIRN_OK);
    assert_int_equal(cairn_parked_retry(&fresh.ctx), CAIRN_OK);
    assert_int_equal(cairn_context_commit(&fresh.ctx), CAIRN_OK);
    for (uint32_t i = 1; i < pen_size(&a); i++)
        assert_int_equal(holder_take(&fresh, piece_at(&land.pieces, &a.id, i, 0)),
                         CAIRN_OUTCOME_ACCEPTED);
    struct cairn_hash got = holder_digest(&fresh, VILLAGE, CAIRN_CHANNEL_RECORDS);
    holder_take_all(&fresh, &land.pieces);
    char *text = holder_describe(&fresh), *want = holder_describe(&whole);
    expect_same_text(text, want, "links first gives another state");
    assert_false(cairn_hash_equal(&got, &(struct cairn_hash){{0}}));
    free(text);
    free(want);
    cairn_link_set_release(set);
    free(set);
    holder_close(&fresh);
    holder_close(&whole);
}

static void a_link_of_another_seal_is_refused(void **state)
{
    struct holder whole, fresh;
    struct cairn_link_set *set = calloc(1, sizeof *set);
    struct cairn_link link;

    (void)state;
    assert_non_null(set);
    holder_open(&whole, land.statement);
    holder_take_all(&whole, &land.pieces);
    holder_open(&fresh, land.statement);
    cairn_link_set_init(set);
    assert_int_equal(cairn_context_begin(&whole.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_link_set_chain(&whole.ctx, set, &land.office), CAIRN_OK);
    cairn_context_abort(&whole.ctx);
    assert_int_equal(set->count, 1);
    assert_int_equal(cairn_link_read(cairn_buffer_bytes(&set->bytes), &link), CAIRN_OK);
    link.blinding.bytes[0] ^= 1;
    assert_int_equal(cairn_context_begin(&fresh.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_link_admit(&fresh.ctx, &link), CAIRN_BAD_SIGNATURE);
    cairn_context_abort(&fresh.ctx);
    cairn_link_set_release(set);
    free(set);
    holder_close(&fresh);
    holder_close(&whole);
}

/* ---- cuts ---- */

static void a_listed_log_is_in_force_up_to_its_cut(void **state)
{
    struct cairn_head cut = pen_head(&a);

    (void)state;
    edit(&a, 11);
    edit(&a, 12);
    revoke(&land.office_pen, &land.station[0], &cut, 1);
    expect_in_force(&a, cut.size);
    expect_in_force(&b, 2);
}

static void a_log_that_a_revocation_does_not_list_is_cut_at_nothing(void **state)
{
    (void)state;
    revoke(&land.office_pen, &land.station[0], NULL, 0);
    expect_in_force(&a, 0);
    expect_in_force(&b, 2);
}

static void what_comes_above_a_cut_is_evidence(void **state)
{
    struct holder holder;
    struct cairn_head cut = pen_head(&a);

    (void)state;
    revoke(&land.office_pen, &land.station[0], &cut, 1);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    edit(&a, 11);
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
    edit(&a, 11);
    struct cairn_head more = pen_head(&a);
    revoke(&land.office_pen, &land.station[0], &more, 1);
    revoke(&land.office_pen, &land.station[0], &less, 1);
    expect_in_force(&a, less.size);
}

static void a_revocation_that_does_not_list_a_log_cuts_it_beside_one_that_does(void **state)
{
    struct cairn_head cut = pen_head(&a);

    (void)state;
    revoke(&land.office_pen, &land.station[0], NULL, 0);
    revoke(&land.office_pen, &land.station[0], &cut, 1);
    expect_in_force(&a, 0);
}

static void a_cut_that_names_another_history_leaves_nothing(void **state)
{
    struct cairn_head cut = pen_head(&a);

    (void)state;
    cut.root.bytes[0] ^= 1;
    revoke(&land.office_pen, &land.station[0], &cut, 1);
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
    office_begin(&land.office_pen, &keys, &township, 513332100u, 60);
    land_keys(&creature, "creature", 61);
    struct cairn_under own =
        land_grant(&township, &creature, VILLAGE, CAIRN_ROLE_STATION, CAIRN_BIT_RECORDS, 0, "X");
    pen_begin(&other, &creature, &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS, &own, 1, 61,
              &land.pieces);
    create(&other, 1);
    cuts[3] = pen_head(&other);
    edit(&other, 5);
    edit(&a, 11);
    revoke(&township, &own, cuts, 4);
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
    office_begin(&land.root_pen, &keys, &beside, COUNTY, 60);
    revoke(&beside, &land.station[0], NULL, 0);
    expect_last(&beside, CAIRN_INVALID, CAIRN_WHY_NOT_ABOVE);
    expect_in_force(&a, 4);
}

static void those_below_cannot_revoke_those_above(void **state)
{
    struct cairn_keys keys;
    struct pen below;

    (void)state;
    office_begin(&land.office_pen, &keys, &below, COUNTY, 60);
    revoke(&below, &land.office, NULL, 0);
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
    create(&late, 1);
    revoke(&land.root_pen, &land.office, &cut, 1);
    expect_in_force(&a, 4);
    expect_in_force(&late, 0);
}

static void the_grants_of_an_office_that_is_cut_at_nothing_fall(void **state)
{
    (void)state;
    revoke(&land.root_pen, &land.office, NULL, 0);
    expect_in_force(&land.office_pen, 0);
    expect_in_force(&a, 0);
}

static void a_revocation_behind_a_cut_does_not_count(void **state)
{
    struct cairn_head cut = pen_head(&land.office_pen);

    (void)state;
    revoke(&land.office_pen, &land.station[0], NULL, 0);
    revoke(&land.root_pen, &land.office, &cut, 1);
    expect_in_force(&a, 4);
}

static void a_revocation_before_a_cut_counts_on(void **state)
{
    (void)state;
    revoke(&land.office_pen, &land.station[0], NULL, 0);
    struct cairn_head cut = pen_head(&land.office_pen);
    revoke(&land.root_pen, &land.office, &cut, 1);
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
    struct cairn_under under = office_begin(&land.office_pen, &keys, &pen, 513332100u, 60);
    for (unsigned i = 0; i < CAIRN_HELD_MAX; i++)
        pen_begin(&pen, &keys, &land.network, 513332100u, CAIRN_CHANNEL_AUTHORITY, &under, 1,
                  100 + i, &land.pieces);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_checkpoint_held(&holder.ctx, (struct cairn_scope){VILLAGE}, checkpoint),
                     CAIRN_LIMIT);
    cairn_context_abort(&holder.ctx);
    revoke(&land.office_pen, &under, NULL, 0);
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
    edit(&a, 11);
    head = pen_head(&a);
    branch = land.office_pen;
    branch.out = &apart;
    /* One hand revokes, closes and adopts; the server covers what the other one wrote. */
    revoke(&branch, &land.station[0], &cut, 1);
    adopt(&branch, &head, cut.size);
    cut = pen_head(&b);
    cut.size--;
    close_log(&branch, &cut);
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
    edit(&a, 11);
    close_log(&land.office_pen, &cut);
    pen_begin(&next, &land.station_keys[0], &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &land.station[0], 1, 90, &land.pieces);
    create(&next, 1001);
    expect_in_force(&a, cut.size);
    expect_in_force(&next, 2);
}

static void only_those_above_may_close(void **state)
{
    struct cairn_keys keys;
    struct pen beside;
    struct cairn_head cut = pen_head(&a);

    (void)state;
    edit(&a, 11);
    office_begin(&land.root_pen, &keys, &beside, COUNTY, 60);
    close_log(&beside, &cut);
    expect_last(&beside, CAIRN_INVALID, CAIRN_WHY_NOT_ABOVE);
    expect_in_force(&a, 5);
}

static void an_adopted_range_is_in_force_again(void **state)
{
    struct holder holder;

    (void)state;
    struct cairn_head head = pen_head(&a);
    revoke(&land.office_pen, &land.station[0], NULL, 0);
    adopt(&land.office_pen, &head, 2);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    assert_int_equal(holder_live(&holder, &a.id, 1, 0), 0);
    assert_int_equal(holder_live(&holder, &a.id, 2, 0), 1);
    assert_int_equal(holder_live(&holder, &a.id, 1, 6), 1);
    holder_close(&holder);
}

static void an_adopted_range_that_is_not_whole_any_more_is_out_of_force(void **state)
{
    struct holder holder;

    (void)state;
    create(&a, 3);
    struct cairn_head head = pen_head(&a);
    revoke(&land.office_pen, &land.station[0], NULL, 0);
    adopt(&land.office_pen, &head, 1);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    assert_int_equal(holder_live(&holder, &a.id, 1, 6), 1);

    /* The device went back, and gives up what nobody covered. */
    struct cairn_log log = holder_log(&holder, &a.id);
    cairn_context_fresh(&holder.ctx);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_abandon_tail(&holder.ctx, &log, head.size - 1), CAIRN_OK);
    assert_int_equal(cairn_context_commit(&holder.ctx), CAIRN_OK);
    assert_int_equal(holder_live(&holder, &a.id, 1, 6), 0);
    assert_int_equal(holder_live(&holder, &a.id, 2, 0), 0);
    holder_close(&holder);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        T(the_chain_of_links_is_enough_to_accept_a_log),
        T(a_link_of_another_seal_is_refused),
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
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
