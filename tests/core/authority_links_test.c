/* Authority entries that travel alone, before their logs: what they carry, and what they cannot. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>

#include "authority.h"
#include "evidence.h"
#include "links.h"
#include "offices.h"

/* The entry in `draft`, written by `pen`, as it travels alone. */
static struct cairn_link link_write(struct pen *pen, struct draft *draft)
{
    const struct cairn_tree before = pen->tree;
    struct cairn_link link = {.entry = cairn_writer_bytes(&draft->writer),
                              .incarnation = pen->incarnation,
                              .index = pen_size(pen)};
    struct cairn_blinder blinder;

    draft_write(draft, pen);
    cairn_blinder_init(&blinder, &pen->secret);
    link.blinding = cairn_blinding(&blinder, link.index);
    cairn_blinder_release(&blinder);
    link.path_count = cairn_tree_peak_count(&before);
    for (size_t i = 0; i < link.path_count; i++)
        link.path[i] = before.peaks[link.path_count - 1 - i];
    link.seal = pen->out->list[pen->out->count - 1].run.seal;
    return link;
}

static enum cairn_status link_admit(struct holder *holder, const struct cairn_link *link)
{
    cairn_context_fresh(&holder->ctx);
    assert_int_equal(cairn_context_begin(&holder->ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    enum cairn_status status = cairn_link_admit(&holder->ctx, link);
    if (status == CAIRN_OK)
        return cairn_context_commit(&holder->ctx);
    cairn_context_abort(&holder->ctx);
    return status;
}

static void draft_grant(struct draft *draft, struct pen *pen, uint64_t scope)
{
    struct cairn_keys keys;

    land_keys(&keys, "x", 60);
    const struct cairn_grant grant = {.under = pen->under,
                                      .scope = {scope},
                                      .role = CAIRN_ROLE_STATION,
                                      .channels = CAIRN_BIT_RECORDS,
                                      .tag = cairn_bytes_of_text("X"),
                                      .name = cairn_bytes_of_text(keys.name),
                                      .keys = keys.open};
    cairn_writer_init(&draft->writer, draft->bytes, sizeof draft->bytes);
    cairn_grant_write(&draft->writer, pen->time_s++, &grant);
}

static struct cairn_ref link_ref(const struct pen *pen, const struct cairn_link *link)
{
    return (struct cairn_ref){pen->id, link->index,
                              cairn_leaf_closed(&link->blinding, link->entry)};
}

static void draft_appoint_unknown(struct draft *draft, struct pen *pen)
{
    const struct cairn_sequencer sequencer = {.under = pen->under,
                                              .scope = {COUNTY},
                                              .epoch = 1,
                                              .server = {.log = pen->id, .index = 900}};

    cairn_writer_init(&draft->writer, draft->bytes, sizeof draft->bytes);
    cairn_sequencer_write(&draft->writer, pen->time_s++, &sequencer, NULL, 0);
}

static void draft_schema(struct draft *draft, struct pen *pen, uint64_t version)
{
    const struct cairn_schema_entry schema = {
        .under = pen->under, .version = version, .table = cairn_bytes_of_text("no table")};

    cairn_writer_init(&draft->writer, draft->bytes, sizeof draft->bytes);
    cairn_schema_entry_write(&draft->writer, pen->time_s++, &schema);
}

/* ---- first contact ---- */

/* One who holds all and is being read, one who holds nothing, and the links between them. */
struct contact {
    struct holder whole, fresh;
    struct cairn_link_set set;
};

static struct contact *contact_begin(void)
{
    struct contact *contact = calloc(1, sizeof *contact);

    assert_non_null(contact);
    holder_open(&contact->whole, land.statement);
    holder_take_all(&contact->whole, &land.pieces);
    holder_open(&contact->fresh, land.statement);
    cairn_link_set_init(&contact->set);
    assert_int_equal(cairn_context_begin(&contact->whole.ctx, CAIRN_TXN_READ), CAIRN_OK);
    return contact;
}

static void contact_end(struct contact *contact)
{
    cairn_link_set_release(&contact->set);
    holder_close(&contact->fresh);
    holder_close(&contact->whole);
    free(contact);
}

static void the_chain_of_links_is_enough_to_accept_a_log(void **state)
{
    struct contact *contact = contact_begin();
    struct cairn_ref schema;

    (void)state;
    assert_int_equal(cairn_link_set_chain(&contact->whole.ctx, &contact->set, &land.station[0]),
                     CAIRN_OK);
    assert_int_equal(cairn_schema_ref(&contact->whole.ctx, 1, &schema), CAIRN_OK);
    assert_int_equal(cairn_link_set_entry(&contact->whole.ctx, &contact->set, &schema), CAIRN_OK);
    cairn_context_abort(&contact->whole.ctx);
    struct cairn_list links = {.left = contact->set.count};
    cairn_reader_init(&links.reader, cairn_buffer_bytes(&contact->set.bytes));

    assert_int_equal(holder_take(&contact->fresh, piece_at(&land.pieces, &a.id, 0, 0)),
                     CAIRN_OUTCOME_PARKED);
    assert_int_equal(cairn_context_begin(&contact->fresh.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_links_admit(&contact->fresh.ctx, links), CAIRN_OK);
    assert_int_equal(cairn_parked_retry(&contact->fresh.ctx), CAIRN_OK);
    assert_int_equal(cairn_context_commit(&contact->fresh.ctx), CAIRN_OK);
    for (uint32_t i = 1; i < pen_size(&a); i++)
        assert_int_equal(holder_take(&contact->fresh, piece_at(&land.pieces, &a.id, i, 0)),
                         CAIRN_OUTCOME_ACCEPTED);
    holder_take_all(&contact->fresh, &land.pieces);
    char *text = holder_describe(&contact->fresh), *want = holder_describe(&contact->whole);
    expect_same_text(text, want, "links first gives another state");
    free(text);
    free(want);
    contact_end(contact);
}

static void a_link_of_another_seal_is_refused(void **state)
{
    struct contact *contact = contact_begin();
    struct cairn_link link;

    (void)state;
    assert_int_equal(cairn_link_set_chain(&contact->whole.ctx, &contact->set, &land.office),
                     CAIRN_OK);
    cairn_context_abort(&contact->whole.ctx);
    assert_int_equal(contact->set.count, 1);
    assert_int_equal(cairn_link_read(cairn_buffer_bytes(&contact->set.bytes), &link), CAIRN_OK);
    link.blinding.bytes[0] ^= 1;
    assert_int_equal(cairn_context_begin(&contact->fresh.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_link_admit(&contact->fresh.ctx, &link), CAIRN_BAD_SIGNATURE);
    cairn_context_abort(&contact->fresh.ctx);
    contact_end(contact);
}

/* ---- what is refused, passed over or waits ---- */

static void a_link_that_its_log_would_not_bring_either_is_refused(void **state)
{
    struct pen *office = &land.office_pen, station, unknown = *office;
    struct holder holder;
    struct draft draft;
    struct cairn_link link;

    (void)state;
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    pen_begin(&station, &land.station_keys[0], &land.network, VILLAGE, CAIRN_CHANNEL_AUTHORITY,
              &land.station[0], 1, 70, &land.pieces);

    draft_grant(&draft, &station, VILLAGE); /* its grant is of records only */
    link = link_write(&station, &draft);
    assert_int_equal(link_admit(&holder, &link), CAIRN_REFUSED);
    draft_grant(&draft, office, 513333u);
    link = link_write(office, &draft);
    assert_int_equal(link_admit(&holder, &link), CAIRN_REFUSED);
    draft_appoint_unknown(&draft, office);
    link = link_write(office, &draft);
    assert_int_equal(link_admit(&holder, &link), CAIRN_NOT_FOUND);
    unknown.under.grant.leaf.bytes[0] ^= 1;
    draft_grant(&draft, &unknown, VILLAGE);
    link = link_write(&unknown, &draft);
    assert_int_equal(link_admit(&holder, &link), CAIRN_NOT_FOUND);

    unknown.under = (struct cairn_under){.is_root = true, .network = land.station[0].grant.leaf};
    draft_grant(&draft, &unknown, VILLAGE); /* of the root of another network */
    link = link_write(&unknown, &draft);
    assert_int_equal(link_admit(&holder, &link), CAIRN_NOT_FOUND);
    holder_close(&holder);
}

static void a_link_of_another_shape_is_malformed(void **state)
{
    static const uint64_t kinds[] = {CAIRN_KIND_CHANGE, CAIRN_KIND_GRANT - 1,
                                     CAIRN_KIND_REDACTION + 1};
    struct pen *office = &land.office_pen;
    struct holder holder;
    struct draft draft;
    struct cairn_link link;

    (void)state;
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        draft_authority(&draft, office, kinds[i], 0);
        link = link_write(office, &draft);
        assert_int_equal(link_admit(&holder, &link), CAIRN_MALFORMED);
    }
    draft_bare(&draft, office, CAIRN_KIND_GRANT);
    link = link_write(office, &draft);
    assert_int_equal(link_admit(&holder, &link), CAIRN_MALFORMED);

    draft_grant(&draft, office, VILLAGE);
    link = link_write(office, &draft);
    link.path_count--;
    assert_int_equal(link_admit(&holder, &link), CAIRN_MALFORMED);
    link.path_count += 2;
    assert_int_equal(link_admit(&holder, &link), CAIRN_MALFORMED);
    link.path_count--;
    link.entry.size--;
    assert_int_equal(link_admit(&holder, &link), CAIRN_MALFORMED);
    link.entry.size++;
    assert_int_equal(link_admit(&holder, &link), CAIRN_OK);
    holder_close(&holder);
}

/* Is the last entry of `pen`, as written in `draft`, kept as evidence? */
static bool is_evidence(struct holder *holder, const struct pen *pen, const struct cairn_link *link)
{
    const struct cairn_ref ref = link_ref(pen, link);
    struct cairn_evidence evidence;

    assert_int_equal(cairn_context_begin(&holder->ctx, CAIRN_TXN_READ), CAIRN_OK);
    enum cairn_status status = cairn_evidence_get(&holder->ctx, &ref, &evidence);
    cairn_context_abort(&holder->ctx);
    assert_true(status == CAIRN_OK || status == CAIRN_NOT_FOUND);
    return status == CAIRN_OK;
}

static void a_link_of_a_schema_that_does_not_hold_is_passed_over(void **state)
{
    struct holder holder;
    struct draft draft;
    struct cairn_link link;

    (void)state;
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    draft_schema(&draft, &land.office_pen, 2); /* not the root's */
    link = link_write(&land.office_pen, &draft);
    assert_int_equal(link_admit(&holder, &link), CAIRN_OK);
    assert_false(is_evidence(&holder, &land.office_pen, &link));
    draft_schema(&draft, &land.root_pen, 5); /* those between are not here */
    link = link_write(&land.root_pen, &draft);
    assert_int_equal(link_admit(&holder, &link), CAIRN_OK);
    assert_false(is_evidence(&holder, &land.root_pen, &link));
    holder_close(&holder);
}

static void a_revocation_that_comes_alone_cuts_nothing_until_its_log_comes(void **state)
{
    struct holder holder;
    struct draft draft;

    (void)state;
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    draft_revocation(&draft, &land.office_pen, &land.station[0].grant, NULL, 0);
    struct cairn_link link = link_write(&land.office_pen, &draft);
    assert_int_equal(link_admit(&holder, &link), CAIRN_OK);
    holder_rebuild(&holder);
    assert_false(is_evidence(&holder, &land.office_pen, &link));
    assert_true(holder_log(&holder, &a.id).force_end > 0);
    holder_take(&holder, piece_at(&land.pieces, &land.office_pen.id, link.index, 0));
    assert_int_equal(holder_log(&holder, &a.id).force_end, 0);
    holder_close(&holder);
}

/* A station under a grant of `pen` that travels alone, with a log of one record; the pieces go
 * nowhere by themselves. */
static struct cairn_link station_by_link(struct pen *pen, struct pen *station, uint64_t seed,
                                         struct pieces *out)
{
    static struct cairn_keys keys;
    static struct draft draft; /* the link's bytes lie in it */

    land_keys(&keys, "x", 60);
    draft_grant(&draft, pen, VILLAGE);
    struct cairn_link link = link_write(pen, &draft);
    const struct cairn_under under = {.grant = link_ref(pen, &link)};
    pen_begin(station, &keys, &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS, &under, 1, seed, out);
    return link;
}

static void what_a_revoked_office_grants_beyond_its_cut_does_not_stand(void **state)
{
    struct pen secret, new_log, station;
    struct pieces apart = {0}, ours = {0};
    struct holder holder;
    struct cairn_link link;

    (void)state;
    /* One behind the cut in the log that is held, one in a log that nobody ever saw. */
    for (unsigned is_new_log = 0; is_new_log < 2; is_new_log++)
        for (unsigned is_link_first = 0; is_link_first < 2; is_link_first++) {
            holder_open(&holder, land.statement);
            holder_take_all(&holder, &land.pieces);
            struct pen root = land.root_pen;
            const struct cairn_head cut = pen_head(&land.office_pen);
            root.out = &ours;
            secret = land.office_pen;
            secret.out = &apart;
            if (is_new_log)
                pen_begin(&new_log, &land.office_keys, &land.network, COUNTY,
                          CAIRN_CHANNEL_AUTHORITY, &land.office, 1, 77, &apart);
            link = station_by_link(is_new_log ? &new_log : &secret, &station, 78, &apart);
            if (is_link_first) {
                assert_int_equal(link_admit(&holder, &link), CAIRN_OK);
                holder_take(&holder, piece_at(&apart, &station.id, 0, 0));
                assert_int_not_equal(holder_log(&holder, &station.id).force_end, 0);
            }
            pen_revoke(&root, &land.office.grant, &cut, 1);
            holder_take(&holder, &ours.list[ours.count - 1]);
            if (!is_link_first) {
                assert_int_equal(link_admit(&holder, &link), CAIRN_OK);
                assert_int_equal(holder_take(&holder, piece_at(&apart, &station.id, 0, 0)),
                                 CAIRN_OUTCOME_CUT);
            } else {
                assert_int_equal(holder_log(&holder, &station.id).force_end, 0);
            }
            /* What the office granted before goes on. */
            assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
            bool stands, late;
            const struct cairn_under under = {.grant =
                                                  link_ref(is_new_log ? &new_log : &secret, &link)};
            assert_int_equal(cairn_standing_in_force(&holder.ctx, &land.station[0], &stands),
                             CAIRN_OK);
            assert_int_equal(cairn_standing_in_force(&holder.ctx, &under, &late), CAIRN_OK);
            cairn_context_abort(&holder.ctx);
            assert_true(stands);
            assert_false(late);
            holder_close(&holder);
            pieces_free(&apart);
            pieces_free(&ours);
        }
}

static void of_two_grants_signed_for_one_place_neither_displaces_the_other(void **state)
{
    struct pen branch = land.office_pen, station;
    struct pieces apart = {0};
    struct holder holder;
    struct draft draft;

    (void)state;
    branch.out = &apart;
    branch.time_s += 1000;
    draft_grant(&draft, &land.office_pen, VILLAGE);
    struct cairn_link ours = link_write(&land.office_pen, &draft);
    const struct cairn_under our_grant = {.grant = link_ref(&land.office_pen, &ours)};
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    struct cairn_link theirs = station_by_link(&branch, &station, 78, &apart);
    const struct cairn_under their_grant = {.grant = link_ref(&branch, &theirs)};
    assert_int_equal(theirs.index, ours.index);
    assert_int_equal(link_admit(&holder, &theirs), CAIRN_OK);

    struct cairn_standing standing;
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_standing_get(&holder.ctx, &our_grant, &standing), CAIRN_OK);
    assert_int_equal(cairn_standing_get(&holder.ctx, &their_grant, &standing), CAIRN_OK);
    cairn_context_abort(&holder.ctx);
    holder_close(&holder);
    pieces_free(&apart);
}

static void a_revocation_that_waits_for_a_grant_goes_on_when_that_comes_alone(void **state)
{
    struct pen township, station, root = land.root_pen;
    struct pieces apart = {0}, ours = {0};
    struct cairn_keys keys;
    struct holder holder;

    (void)state;
    land_keys(&keys, "township", 60);
    struct cairn_under under =
        land_grant(&land.office_pen, &keys, 513332100u, CAIRN_ROLE_TOWNSHIP,
                   CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS, CAIRN_RIGHT_DELEGATE, "T1");
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    pen_begin(&township, &keys, &land.network, 513332100u, CAIRN_CHANNEL_AUTHORITY, &under, 1, 61,
              &apart);
    struct cairn_link link = station_by_link(&township, &station, 78, &apart);
    const struct cairn_under granted = {.grant = link_ref(&township, &link)};
    root.out = &ours;
    pen_revoke(&root, &granted.grant, NULL, 0);
    holder_take(&holder, &ours.list[0]);
    assert_int_equal(holder_verdict(&holder, &root.id, pen_size(&root) - 1).validity,
                     CAIRN_WAITING);

    assert_int_equal(link_admit(&holder, &link), CAIRN_OK);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_parked_retry(&holder.ctx), CAIRN_OK);
    assert_int_equal(cairn_context_commit(&holder.ctx), CAIRN_OK);
    assert_int_equal(holder_verdict(&holder, &root.id, pen_size(&root) - 1).validity, CAIRN_VALID);
    assert_int_equal(holder_take(&holder, piece_at(&apart, &station.id, 0, 0)), CAIRN_OUTCOME_CUT);
    holder_close(&holder);
    pieces_free(&apart);
    pieces_free(&ours);
}

#define T(name) cmocka_unit_test_setup_teardown(name, offices_setup, offices_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_chain_of_links_is_enough_to_accept_a_log),
        T(a_link_of_another_seal_is_refused),
        T(a_link_that_its_log_would_not_bring_either_is_refused),
        T(a_link_of_another_shape_is_malformed),
        T(a_link_of_a_schema_that_does_not_hold_is_passed_over),
        T(a_revocation_that_comes_alone_cuts_nothing_until_its_log_comes),
        T(what_a_revoked_office_grants_beyond_its_cut_does_not_stand),
        T(of_two_grants_signed_for_one_place_neither_displaces_the_other),
        T(a_revocation_that_waits_for_a_grant_goes_on_when_that_comes_alone),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
