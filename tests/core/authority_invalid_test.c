/* Authority entries that no honest office writes, and those that must wait: what they grant,
 * appoint or cut has no effect, wherever they come from and whatever came first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "authority.h"
#include "evidence.h"
#include "holder.h"
#include "links.h"

#define EPOCHS 4

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

/* The entries of `pen` from `first` on all have this verdict. */
static void expect_from(const struct pen *pen, uint32_t first, enum cairn_validity validity,
                        enum cairn_reason reason)
{
    struct holder holder;

    holder_open_either_way(&holder, &land);
    for (uint32_t i = first; i < pen_size(pen); i++)
        holder_expect(&holder, pen, i, validity, reason, "an entry");
    holder_close(&holder);
}

/* The head of an authority entry of any kind; the body after `under` is the caller's. */
static void draft_authority(struct draft *draft, struct pen *pen, uint64_t kind, size_t more)
{
    cairn_writer_init(&draft->writer, draft->bytes, sizeof draft->bytes);
    cairn_entry_begin(&draft->writer, kind, pen->time_s++, 1 + more);
    cairn_under_write(&draft->writer, &pen->under);
}

static void draft_bare(struct draft *draft, struct pen *pen, uint64_t kind)
{
    cairn_writer_init(&draft->writer, draft->bytes, sizeof draft->bytes);
    cairn_entry_begin(&draft->writer, kind, pen->time_s++, 0);
}

/* ---- shapes ---- */

static void a_body_that_does_not_fit_its_kind_has_no_effect(void **state)
{
    struct pen *pen = &land.office_pen;
    uint32_t first = pen_size(pen);
    struct draft draft;

    (void)state;
    for (uint64_t kind = CAIRN_KIND_GRANT; kind <= CAIRN_KIND_REDACTION; kind++) {
        draft_authority(&draft, pen, kind, 1);
        cairn_cbor_write_uint(&draft.writer, 7);
        draft_write(&draft, pen);
        draft_bare(&draft, pen, kind);
        draft_write(&draft, pen);
    }
    expect_from(pen, first, CAIRN_INVALID, CAIRN_WHY_SHAPE);
}

static void a_kind_that_this_version_does_not_know_waits_for_a_newer_one(void **state)
{
    static const uint64_t kinds[] = {CAIRN_KIND_CHANGE, CAIRN_KIND_GRANT - 1,
                                     CAIRN_KIND_REDACTION + 1, CAIRN_KIND_FUNDS_LAST};
    struct pen *pen = &land.office_pen;
    uint32_t first = pen_size(pen);
    struct draft draft;

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        draft_bare(&draft, pen, kinds[i]);
        draft_write(&draft, pen);
    }
    const struct cairn_redaction redaction = {.under = pen->under, .log = pen->id, .index = 1};
    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_redaction_write(&draft.writer, pen->time_s++, &redaction);
    draft_write(&draft, pen);
    expect_from(pen, first, CAIRN_WAITING, CAIRN_WHY_NEWER);
}

static void a_grant_of_a_key_that_anybody_can_act_for_has_no_effect(void **state)
{
    struct pen *pen = &land.office_pen;
    uint32_t first = pen_size(pen);
    struct cairn_keys good;

    (void)state;
    land_keys(&good, "x", 60);
    struct cairn_keys seal = good, noise = good, bundle = good, checkpoint = good;
    const struct cairn_keys *const bad[] = {&seal, &noise, &bundle, &checkpoint};
    memset(&seal.open.seal, 0, sizeof seal.open.seal);
    memset(&noise.open.noise, 0, sizeof noise.open.noise);
    memset(&bundle.open.bundle, 0, sizeof bundle.open.bundle);
    memset(&checkpoint.open.checkpoint, 0, sizeof checkpoint.open.checkpoint);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        land_grant(pen, bad[i], COUNTY, CAIRN_ROLE_SERVER, CAIRN_BIT_RECORDS, 0, "S");
    expect_from(pen, first, CAIRN_INVALID, CAIRN_WHY_NO_RIGHT);
    first = pen_size(pen);
    land_grant(pen, &good, COUNTY, CAIRN_ROLE_SERVER, CAIRN_BIT_RECORDS, 0, "S");
    expect_from(pen, first, CAIRN_VALID, CAIRN_WHY_NONE);
}

/* ---- sequencers ---- */

static struct cairn_ref appoint(struct pen *pen, uint64_t scope, uint64_t epoch,
                                const struct cairn_ref *server, const char *address)
{
    struct draft draft;
    const struct cairn_sequencer sequencer = {.under = pen->under,
                                              .scope = {scope},
                                              .epoch = epoch,
                                              .server = *server,
                                              .address = cairn_bytes_of_text(address)};

    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_sequencer_write(&draft.writer, pen->time_s++, &sequencer, NULL, 0);
    return draft_write(&draft, pen);
}

/* A grant to keys of its own, with a role and a checkpoint key that need not go together. */
static struct cairn_ref grant_to_server(uint64_t role, bool has_checkpoint_key)
{
    struct pen *pen = &land.office_pen;
    struct cairn_keys keys;
    struct draft draft;

    land_keys(&keys, "server", 60);
    const struct cairn_grant grant = {.under = pen->under,
                                      .scope = {COUNTY},
                                      .role = role,
                                      .channels = CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS,
                                      .tag = cairn_bytes_of_text("S"),
                                      .name = cairn_bytes_of_text(keys.name),
                                      .has_checkpoint_key = has_checkpoint_key,
                                      .keys = keys.open};
    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_grant_write(&draft.writer, pen->time_s++, &grant);
    return draft_write(&draft, pen);
}

static void only_a_server_with_a_key_for_checkpoints_can_be_appointed(void **state)
{
    static const struct {
        uint64_t role;
        bool has_checkpoint_key, is_good;
    } cases[] = {
        {CAIRN_ROLE_SERVER, true, true},
        {CAIRN_ROLE_SERVER, false, false},
        {CAIRN_ROLE_STATION, true, false},
        {CAIRN_ROLE_STATION, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cairn_ref server = grant_to_server(cases[i].role, cases[i].has_checkpoint_key);
        uint32_t first = pen_size(&land.office_pen);
        appoint(&land.office_pen, COUNTY, 1, &server, "");
        expect_from(&land.office_pen, first, cases[i].is_good ? CAIRN_VALID : CAIRN_INVALID,
                    cases[i].is_good ? CAIRN_WHY_NONE : CAIRN_WHY_NO_RIGHT);
    }
}

static void a_server_is_appointed_inside_ones_scope_by_one_who_may_delegate(void **state)
{
    struct cairn_ref server = grant_to_server(CAIRN_ROLE_SERVER, true);
    uint32_t first = pen_size(&land.office_pen);
    struct cairn_keys keys;
    struct pen clerk;

    (void)state;
    appoint(&land.office_pen, 513333u, 1, &server, "");
    appoint(&land.office_pen, ROOT_SCOPE, 1, &server, "");
    expect_from(&land.office_pen, first, CAIRN_INVALID, CAIRN_WHY_NO_RIGHT);

    land_keys(&keys, "clerk", 61);
    struct cairn_under under = land_grant(&land.office_pen, &keys, COUNTY, CAIRN_ROLE_STATION,
                                          CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS, 0, "K");
    pen_begin(&clerk, &keys, &land.network, COUNTY, CAIRN_CHANNEL_AUTHORITY, &under, 1, 61,
              &land.pieces);
    appoint(&clerk, COUNTY, 1, &server, "");
    expect_from(&clerk, 1, CAIRN_INVALID, CAIRN_WHY_NO_RIGHT);
}

/* Rights that no version knows yet are not given away by who has none of them. */
static void a_grant_of_wider_rights_is_invalid(void **state)
{
    struct cairn_keys keys;

    (void)state;
    land_keys(&keys, "office", 62);
    land_grant(&land.office_pen, &keys, COUNTY, CAIRN_ROLE_COUNTY, CAIRN_BIT_AUTHORITY,
               CAIRN_RIGHT_DELEGATE | 2, "C");
    expect_from(&land.office_pen, pen_size(&land.office_pen) - 1, CAIRN_INVALID,
                CAIRN_WHY_NO_RIGHT);
}

static struct cairn_ref sequencer_held(struct holder *holder)
{
    struct cairn_sequencer_info info;

    assert_int_equal(cairn_context_begin(&holder->ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_sequencer_for(&holder->ctx, (struct cairn_scope){VILLAGE}, &info),
                     CAIRN_OK);
    cairn_context_abort(&holder->ctx);
    return info.ref;
}

static void draft_revoke(struct draft *draft, struct pen *pen, const struct cairn_under *grant)
{
    cairn_writer_init(&draft->writer, draft->bytes, sizeof draft->bytes);
    cairn_revocation_write(&draft->writer, pen->time_s++, &pen->under, &grant->grant, NULL, 0);
}

/* Each is written by an office of its own, so that they may come in any order. */
static void of_all_appointments_the_greatest_epoch_holds_in_any_order(void **state)
{
    static const uint64_t epochs[EPOCHS] = {1, 3, 2, 3};
    struct cairn_ref server = grant_to_server(CAIRN_ROLE_SERVER, true), appointed[EPOCHS];
    struct cairn_keys keys[EPOCHS];
    struct pen pen[EPOCHS];

    (void)state;
    for (unsigned i = 0; i < EPOCHS; i++) {
        land_keys(&keys[i], "office", 80 + i);
        struct cairn_under under =
            land_grant(&land.root_pen, &keys[i], COUNTY, CAIRN_ROLE_COUNTY,
                       CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS, CAIRN_RIGHT_DELEGATE, "C");
        pen_begin(&pen[i], &keys[i], &land.network, COUNTY, CAIRN_CHANNEL_AUTHORITY, &under, 1,
                  80 + i, &land.pieces);
    }
    size_t common = land.pieces.count;
    for (unsigned i = 0; i < EPOCHS; i++)
        appointed[i] = appoint(&pen[i], COUNTY, epochs[i], &server, "a");
    unsigned greater = cairn_hash_compare(&appointed[1].leaf, &appointed[3].leaf) > 0 ? 1 : 3;

    for (unsigned from = 0; from < EPOCHS; from++) {
        for (unsigned step = 1; step < EPOCHS; step += 2) {
            struct holder holder;
            holder_open(&holder, land.statement);
            for (size_t i = 0; i < common; i++)
                holder_take(&holder, &land.pieces.list[i]);
            for (unsigned i = 0; i < EPOCHS; i++)
                holder_take(&holder, &land.pieces.list[common + (from + i * step) % EPOCHS]);
            struct cairn_ref held = sequencer_held(&holder);
            assert_true(cairn_ref_equal(&held, &appointed[greater]));
            holder_close(&holder);
        }
    }
}

/* ---- what is no grant ---- */

/* A stolen office's last word is not the last word. */
static void an_appointment_that_is_cut_gives_way_in_any_order(void **state)
{
    struct cairn_ref server = grant_to_server(CAIRN_ROLE_SERVER, true);
    struct cairn_keys keys;
    struct draft draft;
    struct pen thief;

    (void)state;
    land_keys(&keys, "office", 90);
    struct cairn_under under =
        land_grant(&land.root_pen, &keys, COUNTY, CAIRN_ROLE_COUNTY,
                   CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS, CAIRN_RIGHT_DELEGATE, "C2");
    struct cairn_ref appointed = appoint(&land.office_pen, COUNTY, 1, &server, "here");
    size_t common = land.pieces.count;
    pen_begin(&thief, &keys, &land.network, COUNTY, CAIRN_CHANNEL_AUTHORITY, &under, 1, 90,
              &land.pieces);
    appoint(&thief, COUNTY, UINT64_MAX >> 1, &server, "elsewhere");
    draft_revoke(&draft, &land.root_pen, &under);
    draft_write(&draft, &land.root_pen);
    for (unsigned backward = 0; backward < 2; backward++) {
        size_t count = land.pieces.count;
        struct holder holder;
        holder_open(&holder, land.statement);
        for (size_t i = 0; i < count; i++)
            holder_take(&holder,
                        &land.pieces.list[i < common || !backward ? i : count - 1 - (i - common)]);
        struct cairn_ref held = sequencer_held(&holder);
        assert_true(cairn_ref_equal(&held, &appointed));
        holder_close(&holder);
    }
}

static void nothing_can_be_written_under_an_entry_that_is_no_grant(void **state)
{
    struct cairn_ref server = grant_to_server(CAIRN_ROLE_SERVER, true);
    struct cairn_under under = {.grant = appoint(&land.office_pen, COUNTY, 1, &server, "")};
    struct holder holder;
    struct pen pen;

    (void)state;
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    pen_begin(&pen, &land.office_keys, &land.network, COUNTY, CAIRN_CHANNEL_RECORDS, &under, 1, 60,
              &land.pieces);
    assert_int_equal(holder_take(&holder, piece_at(&land.pieces, &pen.id, 0, 0)),
                     CAIRN_OUTCOME_PARKED);
    struct cairn_log log = holder_log(&holder, &pen.id);
    assert_int_equal(cairn_log_size(&log), 0);
    holder_close(&holder);
}

static void what_is_no_grant_cannot_be_revoked(void **state)
{
    struct cairn_ref server = grant_to_server(CAIRN_ROLE_SERVER, true);
    struct cairn_ref appointed = appoint(&land.office_pen, COUNTY, 1, &server, "");
    uint32_t first = pen_size(&land.root_pen);
    struct draft draft;

    (void)state;
    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_revocation_write(&draft.writer, land.root_pen.time_s++, &land.root, &appointed, NULL, 0);
    draft_write(&draft, &land.root_pen);
    expect_from(&land.root_pen, first, CAIRN_WAITING, CAIRN_WHY_NOT_HERE_YET);
}

/* ---- links ---- */

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
    struct pen station;

    (void)state;
    land_station_pen(&land, &station, 0);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    draft_revoke(&draft, &land.office_pen, &land.station[0]);
    struct cairn_link link = link_write(&land.office_pen, &draft);
    assert_int_equal(link_admit(&holder, &link), CAIRN_OK);
    holder_rebuild(&holder);
    assert_false(is_evidence(&holder, &land.office_pen, &link));
    assert_true(holder_log(&holder, &station.id).force_end > 0);
    holder_take(&holder, piece_at(&land.pieces, &land.office_pen.id, link.index, 0));
    assert_int_equal(holder_log(&holder, &station.id).force_end, 0);
    holder_close(&holder);
}

/* ---- roots ---- */

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
    struct draft draft;
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
            cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
            cairn_revocation_write(&draft.writer, root.time_s++, &root.under, &land.office.grant,
                                   &cut, 1);
            draft_write(&draft, &root);
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
    struct draft draft;

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
    draft_revoke(&draft, &root, &granted);
    draft_write(&draft, &root);
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

static void a_network_of_two_root_keys_is_refused(void **state)
{
    struct cairn_root_statement statement = {.scope = {ROOT_SCOPE}, .threshold = 2, .key_count = 2};
    uint8_t bytes[CAIRN_STATEMENT_MAX];
    struct cairn_writer writer;
    struct cairn_verifier verifier;
    struct cairn_store *store;
    struct cairn_context ctx;
    struct cairn_err err = {0};

    (void)state;
    statement.keys[0] = land.root_keys.open.seal;
    statement.keys[1] = land.office_keys.open.seal;
    statement.name = cairn_bytes_of_text("root");
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_root_statement_write(&writer, &statement);
    cairn_verifier_init(&verifier);
    assert_int_equal(cairn_store_memory_new(&store), CAIRN_OK);
    assert_int_equal(cairn_context_init(&ctx, store, &verifier), CAIRN_OK);
    ctx.err = &err;
    assert_int_equal(cairn_context_begin(&ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_root_put(&ctx, cairn_writer_bytes(&writer)), CAIRN_REFUSED);
    assert_string_equal(err.text,
                        "The root statement names 2 keys; this version acts for one key only.");
    assert_int_equal(cairn_root_get(&ctx, &statement, NULL), CAIRN_NOT_FOUND);
    cairn_context_abort(&ctx);
    cairn_context_release(&ctx);
    store->ops->close(store);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_body_that_does_not_fit_its_kind_has_no_effect),
        T(a_kind_that_this_version_does_not_know_waits_for_a_newer_one),
        T(a_grant_of_a_key_that_anybody_can_act_for_has_no_effect),
        T(only_a_server_with_a_key_for_checkpoints_can_be_appointed),
        T(a_server_is_appointed_inside_ones_scope_by_one_who_may_delegate),
        T(a_grant_of_wider_rights_is_invalid),
        T(of_all_appointments_the_greatest_epoch_holds_in_any_order),
        T(an_appointment_that_is_cut_gives_way_in_any_order),
        T(nothing_can_be_written_under_an_entry_that_is_no_grant),
        T(what_is_no_grant_cannot_be_revoked),
        T(a_link_that_its_log_would_not_bring_either_is_refused),
        T(a_link_of_another_shape_is_malformed),
        T(a_link_of_a_schema_that_does_not_hold_is_passed_over),
        T(a_revocation_that_comes_alone_cuts_nothing_until_its_log_comes),
        T(what_a_revoked_office_grants_beyond_its_cut_does_not_stand),
        T(of_two_grants_signed_for_one_place_neither_displaces_the_other),
        T(a_revocation_that_waits_for_a_grant_goes_on_when_that_comes_alone),
        T(a_network_of_two_root_keys_is_refused),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
