/* How runs join a log: ends, gaps, repetitions, and what waits. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "one_log.h"
#include "own_log.h"
#include "parked.h"

/* ---- reading back ---- */

static void what_was_appended_is_read_back_with_its_roots(void **state)
{
    struct cairn_head head = pen_head(&a);
    struct cairn_hash root;
    struct cairn_blob blob;
    struct cairn_bytes entry;

    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(holder_take(&holder, one_log_piece(i, 0)), CAIRN_OUTCOME_ACCEPTED);
    struct cairn_log log = holder_log(&holder, &a.id);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_log_root_at(&holder.ctx, &log, 3, &root), CAIRN_OK);
    assert_memory_equal(root.bytes, head.root.bytes, 32);
    assert_int_equal(cairn_log_root_at(&holder.ctx, &log, 4, &root), CAIRN_NOT_FOUND);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(cairn_blob_at(&holder.ctx, log.no, i, &blob), CAIRN_OK);
        assert_int_equal(blob.first, i);
        assert_int_equal(blob.count, 1);
        assert_int_equal(cairn_log_entry(&holder.ctx, log.no, i, &entry, NULL), CAIRN_OK);
        assert_true(cairn_bytes_equal(entry, one_log_piece(i, 0)->run.entries));
    }
    assert_int_equal(cairn_blob_at(&holder.ctx, log.no, 3, &blob), CAIRN_NOT_FOUND);
    cairn_context_abort(&holder.ctx);
}

/* A number that stands under `key` is half gone. */
static void number_damage(const struct cairn_key *key)
{
    static const uint8_t half[] = {0, 0};

    assert_int_equal(cairn_kv_put(&holder.ctx, key, (struct cairn_bytes){half, sizeof half}),
                     CAIRN_OK);
}

static void a_number_of_a_log_that_is_damaged_is_not_taken_for_another(void **state)
{
    const struct cairn_author author = {.generation = 1};
    const struct cairn_scope scope = {0};
    struct cairn_key id = cairn_key(CAIRN_TABLE_LOG_ID), own = cairn_key_meta("own");
    struct cairn_log log;

    (void)state;
    holder_take(&holder, one_log_piece(0, 0));
    cairn_key_hash(&id, &a.id);
    cairn_key_u32(&own, 1);
    cairn_key_scope(&own, scope);
    cairn_key_u8(&own, CAIRN_CHANNEL_RECORDS);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    number_damage(&id);
    number_damage(&own);
    assert_int_equal(cairn_log_find(&holder.ctx, &a.id, &log), CAIRN_CORRUPT);
    assert_int_equal(cairn_log_mention(&holder.ctx, &a.id, &log), CAIRN_CORRUPT);
    assert_int_equal(cairn_own_log_find(&holder.ctx, &author, scope, CAIRN_CHANNEL_RECORDS, &log),
                     CAIRN_CORRUPT);
    cairn_context_abort(&holder.ctx);
}

static void a_run_ends_at_a_seal_and_not_beyond_its_end(void **state)
{
    struct cairn_run run;

    (void)state;
    one_log_take(3);
    struct cairn_log log = holder_log(&holder, &a.id);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_log_run(&holder.ctx, &log, 0, 3, 1 << 20, &run), CAIRN_OK);
    assert_int_equal(run.entry_count, 3);
    assert_int_equal(run.secret_kind, CAIRN_RUN_SECRET);
    assert_memory_equal(run.seal.bytes, one_log_piece(2, 0)->run.seal.bytes, 64);
    assert_int_equal(cairn_log_run(&holder.ctx, &log, 1, 2, 1 << 20, &run), CAIRN_OK);
    assert_int_equal(run.entry_count, 1);
    assert_int_equal(run.secret_kind, CAIRN_RUN_NO_SECRET);
    assert_memory_equal(run.seal.bytes, one_log_piece(1, 0)->run.seal.bytes, 64);
    assert_int_equal(cairn_log_run(&holder.ctx, &log, 0, 3, 1, &run), CAIRN_OK);
    assert_int_equal(run.entry_count, 1);
    assert_int_equal(cairn_log_run(&holder.ctx, &log, 3, 3, 1, &run), CAIRN_GAP);
    cairn_context_abort(&holder.ctx);
}

static void a_run_can_begin_inside_what_came_under_one_seal_and_ends_with_it(void **state)
{
    struct piece joined = *one_log_piece(0, 0);
    struct cairn_run run;
    uint8_t bytes[1024];
    size_t size = 0;

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        memcpy(bytes + size, one_log_piece(i, 0)->run.entries.data,
               one_log_piece(i, 0)->run.entries.size);
        size += one_log_piece(i, 0)->run.entries.size;
    }
    joined.run.entries = (struct cairn_bytes){bytes, size};
    joined.run.entry_count = 3;
    joined.run.seal = one_log_piece(2, 0)->run.seal;
    holder_take(&holder, &joined);
    struct cairn_log log = holder_log(&holder, &a.id);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_log_run(&holder.ctx, &log, 1, 3, 1 << 20, &run), CAIRN_OK);
    assert_int_equal(run.first, 1);
    assert_int_equal(run.entry_count, 2);
    assert_int_equal(run.entries.size, size - one_log_piece(0, 0)->run.entries.size);
    /* Somebody covered the first two alone: no seal of theirs is here. */
    assert_int_equal(cairn_log_run(&holder.ctx, &log, 0, 2, 1 << 20, &run), CAIRN_OK);
    assert_int_equal(run.entry_count, 3);
    assert_memory_equal(run.seal.bytes, one_log_piece(2, 0)->run.seal.bytes, 64);
    cairn_context_abort(&holder.ctx);
}

static void a_root_inside_a_run_is_worked_out_from_its_entries(void **state)
{
    struct cairn_hash root;
    struct cairn_head at_four, at_five;
    struct draft draft;
    uint8_t bytes[512];
    size_t size = 0;

    (void)state;
    one_log_take(3);
    struct pen apart = a;
    for (unsigned i = 0; i < 2; i++) {
        draft_change(&draft, &apart, 1);
        draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){0, 1}, 6, i, NULL, 0);
        memcpy(bytes + size, draft.bytes, draft.writer.size);
        size += draft.writer.size;
        draft_write(&draft, &apart);
        *(i == 0 ? &at_four : &at_five) = pen_head(&apart);
    }
    pen_write(&a, (struct cairn_bytes){bytes, size}, 2);
    holder_take(&holder, &land.pieces.list[land.pieces.count - 1]);
    struct cairn_log log = holder_log(&holder, &a.id);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_log_root_at(&holder.ctx, &log, 4, &root), CAIRN_OK);
    assert_memory_equal(root.bytes, at_four.root.bytes, 32);
    assert_int_equal(cairn_log_root_at(&holder.ctx, &log, 5, &root), CAIRN_OK);
    assert_memory_equal(root.bytes, at_five.root.bytes, 32);
    cairn_context_abort(&holder.ctx);
}

/* ---- joining ---- */

static void a_run_behind_a_gap_waits_and_is_taken_when_the_gap_closes(void **state)
{
    (void)state;
    holder_take(&holder, one_log_piece(0, 0));
    assert_int_equal(holder_take(&holder, one_log_piece(2, 0)), CAIRN_OUTCOME_PARKED);
    assert_int_equal(one_log_size(), 1);
    assert_int_equal(one_log_parked(), 1);
    assert_int_equal(holder_take(&holder, one_log_piece(1, 0)), CAIRN_OUTCOME_ACCEPTED);
    assert_int_equal(one_log_size(), 3);
    assert_int_equal(one_log_parked(), 0);
}

static void taking_a_run_twice_is_harmless(void **state)
{
    (void)state;
    one_log_take(3);
    char *want = holder_describe(&holder);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(holder_take(&holder, one_log_piece(i, 0)), CAIRN_OUTCOME_KNOWN);
    char *got = holder_describe(&holder);
    expect_same_text(got, want, "something changed");
    free(got);
    free(want);
}

static void two_runs_parked_at_one_place_are_both_kept(void **state)
{
    struct piece longer = *one_log_piece(1, 0);
    uint8_t bytes[1024];
    size_t size = longer.run.entries.size;

    (void)state;
    memcpy(bytes, longer.run.entries.data, size);
    memcpy(bytes + size, one_log_piece(2, 0)->run.entries.data,
           one_log_piece(2, 0)->run.entries.size);
    longer.run.entries = (struct cairn_bytes){bytes, size + one_log_piece(2, 0)->run.entries.size};
    longer.run.entry_count = 2;
    longer.run.seal = one_log_piece(2, 0)->run.seal;
    holder_take(&holder, &longer);
    holder_take(&holder, one_log_piece(1, 0));
    holder_take(&holder, one_log_piece(0, 0));
    assert_int_equal(one_log_size(), 3);
    assert_int_equal(one_log_parked(), 0);
}

static void a_run_under_another_seal_is_refused_and_leaves_nothing(void **state)
{
    struct piece bad = *one_log_piece(1, 0);
    enum cairn_outcome outcome;

    (void)state;
    holder_take(&holder, one_log_piece(0, 0));
    char *want = holder_describe(&holder);
    bad.run.seal.bytes[3] ^= 1;
    assert_int_equal(holder_try(&holder, &bad, false, &outcome), CAIRN_BAD_SIGNATURE);
    bad = *one_log_piece(1, 0);
    bad.run.entries = one_log_piece(2, 0)->run.entries;
    assert_int_equal(holder_try(&holder, &bad, false, &outcome), CAIRN_BAD_SIGNATURE);
    char *got = holder_describe(&holder);
    expect_same_text(got, want, "something changed");
    free(got);
    free(want);
}

static void a_log_that_does_not_begin_with_a_basis_is_refused(void **state)
{
    struct pen pen;
    enum cairn_outcome outcome;

    (void)state;
    pen_blank(&pen, &land.station_keys[1], &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &land.station[1], 200, &land.pieces);
    pen_create(&pen, 1, 3, 4);
    assert_int_equal(holder_try(&holder, piece_at(&land.pieces, &pen.id, 0, 0), false, &outcome),
                     CAIRN_MALFORMED);
}

/* What nobody can check yet is kept, but only so much of it: else strangers fill the disk. */
static void what_waits_unchecked_has_a_quota(void **state)
{
    struct cairn_run run = one_log_piece(2, 0)->run;
    struct cairn_log log;
    enum cairn_status status = CAIRN_OK;
    uint32_t count = 0;

    (void)state;
    holder_take(&holder, one_log_piece(0, 0));
    log = holder_log(&holder, &a.id);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    while (status == CAIRN_OK && count < 10000) {
        run.first = 10 + count++;
        status = cairn_run_park(&holder.ctx, one_log_piece(2, 0)->scope, CAIRN_CHANNEL_RECORDS,
                                &log, &run);
        cairn_arena_reset(&holder.ctx.arena);
    }
    assert_int_equal(status, CAIRN_LIMIT);
    /* What is there already is no more when it comes again. */
    run.first = 10;
    assert_int_equal(
        cairn_run_park(&holder.ctx, one_log_piece(2, 0)->scope, CAIRN_CHANNEL_RECORDS, &log, &run),
        CAIRN_OK);
    cairn_context_abort(&holder.ctx);
    assert_int_equal(one_log_parked(), 0);
}

/* Park runs of `bytes` under a log id made from `which` until no more go in; how many did. */
static uint32_t park_many(uint32_t which, size_t bytes, uint32_t count_max)
{
    static uint8_t noise[CAIRN_RUN_BYTES_MAX];
    struct cairn_run run = one_log_piece(2, 0)->run;
    struct cairn_log log = holder_log(&holder, &a.id);
    enum cairn_status status = CAIRN_OK;
    uint32_t count = 0;

    memcpy(log.id.bytes, &which, sizeof which);
    run.entries = (struct cairn_bytes){noise, bytes};
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    while (status == CAIRN_OK && count < count_max) {
        run.first = 10 + count;
        status = cairn_run_park(&holder.ctx, one_log_piece(2, 0)->scope, CAIRN_CHANNEL_RECORDS,
                                &log, &run);
        count += status == CAIRN_OK;
        cairn_arena_reset(&holder.ctx.arena);
    }
    if (count < count_max)
        assert_int_equal(status, CAIRN_LIMIT);
    assert_int_equal(cairn_context_commit(&holder.ctx), CAIRN_OK);
    return count;
}

static void one_log_fills_only_its_share_of_what_waits(void **state)
{
    uint32_t count, all = 10, logs = 3;

    (void)state;
    holder_take(&holder, one_log_piece(0, 0));
    assert_int_equal(park_many(1, 50000, 100), 5);
    assert_int_equal(park_many(2, 50000, 100), 5);
    while ((count = park_many(logs++, 50000, 100)) > 0 && logs < 400)
        all += count;
    assert_in_range(all, 1200, 1350); /* 64 MiB */
    assert_int_equal(one_log_parked(), all);
}

static void what_waits_no_more_takes_no_share(void **state)
{
    uint64_t bytes;

    (void)state;
    holder_take(&holder, one_log_piece(0, 0));
    assert_int_equal(holder_take(&holder, one_log_piece(2, 0)), CAIRN_OUTCOME_PARKED);
    assert_int_equal(holder_take(&holder, one_log_piece(1, 0)), CAIRN_OUTCOME_ACCEPTED);
    assert_int_equal(one_log_parked(), 0);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_meta_number(&holder.ctx, "parked-bytes", &bytes), CAIRN_OK);
    cairn_context_abort(&holder.ctx);
    assert_int_equal(bytes, 0);
}

/* The run of `open` with every slot closed: the same leaves, under the same seal. */
static struct piece run_close(const struct piece *open, uint8_t *bytes, size_t capacity)
{
    struct piece closed = *open;
    struct cairn_blinder blinder;
    struct cairn_secret secret;
    struct cairn_reader reader;
    struct cairn_writer writer;
    struct cairn_entry entry;

    memcpy(secret.bytes, a.secret.bytes, sizeof secret.bytes);
    cairn_blinder_init(&blinder, &secret);
    cairn_reader_init(&reader, open->run.entries);
    cairn_writer_init(&writer, bytes, capacity);
    for (uint32_t i = 0; i < open->run.entry_count; i++) {
        assert_int_equal(cairn_entry_next(&reader, &entry), CAIRN_OK);
        assert_int_equal(entry.closed_count, 0);
        assert_int_equal(cairn_entry_close(&blinder, open->run.first + i, &entry, &writer, NULL),
                         CAIRN_OK);
    }
    cairn_blinder_release(&blinder);
    closed.run.entries = cairn_writer_bytes(&writer);
    return closed;
}

static void who_reads_a_log_takes_no_commitment_in_the_place_of_a_value(void **state)
{
    static uint8_t bytes[2][CAIRN_ENTRY_CLOSED_MAX];
    struct piece closed[2];
    struct draft draft;
    enum cairn_outcome outcome;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        draft_change(&draft, &a, 2);
        draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){0, 1}, 6, 20 + i, NULL, 0);
        cairn_cbor_write_array(&draft.writer, 2);
        cairn_cbor_write_uint(&draft.writer, CAIRN_ITEM_PERSON);
        cairn_cbor_write_array(&draft.writer, 1);
        cairn_cbor_write_text(&draft.writer, "somebody", 8);
        draft_write(&draft, &a);
        closed[i] = run_close(one_log_piece(3 + i, 0), bytes[i], sizeof bytes[i]);
    }
    one_log_take(3);
    /* The one that waits for the other is found out when its turn comes. */
    assert_int_equal(holder_take(&holder, &closed[1]), CAIRN_OUTCOME_PARKED);
    assert_int_equal(holder_try(&holder, &closed[0], false, &outcome), CAIRN_MALFORMED);
    assert_int_equal(one_log_size(), 3);
    assert_int_equal(holder_take(&holder, one_log_piece(3, 0)), CAIRN_OUTCOME_ACCEPTED);
    assert_int_equal(one_log_size(), 4);
    assert_int_equal(one_log_parked(), 0);
    assert_int_equal(holder_take(&holder, one_log_piece(4, 0)), CAIRN_OUTCOME_ACCEPTED);
    /* What is held already is not changed by it. */
    assert_int_equal(holder_take(&holder, &closed[0]), CAIRN_OUTCOME_KNOWN);
}

#define T(name) cmocka_unit_test_setup_teardown(name, one_log_setup, one_log_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_was_appended_is_read_back_with_its_roots),
        T(a_number_of_a_log_that_is_damaged_is_not_taken_for_another),
        T(a_run_ends_at_a_seal_and_not_beyond_its_end),
        T(a_run_can_begin_inside_what_came_under_one_seal_and_ends_with_it),
        T(a_root_inside_a_run_is_worked_out_from_its_entries),
        T(a_run_behind_a_gap_waits_and_is_taken_when_the_gap_closes),
        T(taking_a_run_twice_is_harmless),
        T(two_runs_parked_at_one_place_are_both_kept),
        T(a_run_under_another_seal_is_refused_and_leaves_nothing),
        T(a_log_that_does_not_begin_with_a_basis_is_refused),
        T(what_waits_unchecked_has_a_quota),
        T(one_log_fills_only_its_share_of_what_waits),
        T(what_waits_no_more_takes_no_share),
        T(who_reads_a_log_takes_no_commitment_in_the_place_of_a_value),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
