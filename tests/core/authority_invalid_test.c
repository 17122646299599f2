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
#include "holder.h"

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

/* Each is written by an office of its own, so that they may come in any order. */
static void of_all_appointments_the_greatest_epoch_holds_in_any_order(void **state)
{
    static const uint64_t epochs[EPOCHS] = {1, 3, 2, 3};
    struct cairn_ref server = grant_to_server(CAIRN_ROLE_SERVER, true), appointed[EPOCHS];
    struct cairn_keys keys[EPOCHS];
    struct pen pen[EPOCHS];

    (void)state;
    for (unsigned i = 0; i < EPOCHS; i++)
        land_office(&land, &land.root_pen, &keys[i], &pen[i], COUNTY, 80 + i);
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

/* A stolen office's last word is not the last word. */
static void an_appointment_that_is_cut_gives_way_in_any_order(void **state)
{
    struct cairn_ref server = grant_to_server(CAIRN_ROLE_SERVER, true);
    struct cairn_keys keys;
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
    pen_revoke(&land.root_pen, &under.grant, NULL, 0);
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

/* ---- what is no grant, and no network ---- */

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

    (void)state;
    pen_revoke(&land.root_pen, &appointed, NULL, 0);
    expect_from(&land.root_pen, first, CAIRN_WAITING, CAIRN_WHY_NOT_HERE_YET);
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
        T(a_network_of_two_root_keys_is_refused),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
