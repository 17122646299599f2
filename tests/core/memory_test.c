/* What a step takes of memory does not grow with the log that it walks over, nor with what waits.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "alloc_fault.h"
#include "holder.h"
#include "parked.h"
#include "reopen.h"

#define FIELD_MEMBERS 3
#define ENTRIES 1500
#define WAITING 100
#define BLOCKS_MAX 8 /* of the arena: 64 KiB, or what one thing takes */

static struct land land;
static struct holder holder;
static struct pen pen;
static struct pieces joined; /* all its entries under one seal */
static struct piece whole;

static int setup(void **state)
{
    const struct piece *own[ENTRIES + 1];

    (void)state;
    land_init(&land);
    land_station_pen(&land, &pen, 0);
    for (uint32_t i = 1; i <= ENTRIES; i++)
        pen_create(&pen, i, FIELD_MEMBERS, i);
    for (uint32_t i = 0; i <= ENTRIES; i++)
        own[i] = piece_at(&land.pieces, &pen.id, i, 0);
    pieces_join(own, 0, ENTRIES, &joined);
    whole = joined.list[0];
    holder_open(&holder, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        if (!cairn_hash_equal(&land.pieces.list[i].log, &pen.id))
            holder_take(&holder, &land.pieces.list[i]);
    assert_int_equal(holder_take(&holder, &whole), CAIRN_OUTCOME_ACCEPTED);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pieces_free(&joined);
    holder_close(&holder);
    land_free(&land);
    return 0;
}

static long blocks_begin(void)
{
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    return alloc_fault_blocks();
}

static void blocks_end(long before)
{
    assert_in_range(alloc_fault_blocks() - before, 0, BLOCKS_MAX);
    cairn_context_abort(&holder.ctx);
}

static void a_run_that_is_held_already_is_compared_in_little(void **state)
{
    const struct cairn_apply_input input = {
        .scope = whole.scope, .channel = whole.channel, .run = &whole.run};
    enum cairn_outcome outcome;
    uint32_t no;

    (void)state;
    long before = blocks_begin();
    assert_int_equal(cairn_apply_run(&holder.ctx, &input, &outcome, &no), CAIRN_OK);
    assert_int_equal(outcome, CAIRN_OUTCOME_KNOWN);
    blocks_end(before);
}

static void a_branch_is_compared_in_little(void **state)
{
    struct cairn_log log = holder_log(&holder, &pen.id);
    bool contradicts;

    (void)state;
    long before = blocks_begin();
    assert_int_equal(cairn_fork_contradicts(&holder.ctx, &log, &whole.run, &contradicts), CAIRN_OK);
    assert_false(contradicts);
    blocks_end(before);
}

static void what_rests_on_entries_that_go_is_found_in_little(void **state)
{
    struct cairn_log log = holder_log(&holder, &pen.id);
    struct cairn_dot *records;
    size_t count;

    (void)state;
    long before = blocks_begin();
    assert_int_equal(
        cairn_followers_reopen(&holder.ctx, &log, cairn_log_size(&log), &records, &count),
        CAIRN_OK);
    assert_int_equal(count, 0);
    blocks_end(before);
}

static void what_waits_is_tried_again_in_little(void **state)
{
    struct cairn_run run = whole.run;
    struct cairn_log log = holder_log(&holder, &pen.id);

    (void)state;
    run.secret_kind = CAIRN_RUN_NO_SECRET;
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    for (uint32_t i = 0; i < WAITING; i++) {
        run.first = 10000 + i;
        run.log.incarnation.bytes[0] = (uint8_t)i;
        log.incarnation = run.log.incarnation;
        log.id = cairn_log_id(&land.network, &log.device, log.scope, log.channel, &log.incarnation);
        assert_int_equal(
            cairn_run_park(&holder.ctx, whole.scope, CAIRN_CHANNEL_RECORDS, &log, &run), CAIRN_OK);
    }
    assert_int_equal(cairn_context_commit(&holder.ctx), CAIRN_OK);
    long before = blocks_begin();
    assert_int_equal(cairn_parked_retry(&holder.ctx), CAIRN_OK);
    blocks_end(before);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_run_that_is_held_already_is_compared_in_little),
        T(a_branch_is_compared_in_little),
        T(what_rests_on_entries_that_go_is_found_in_little),
        T(what_waits_is_tried_again_in_little),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
