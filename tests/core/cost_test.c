/* What a run costs grows with its entries, whatever they say: twice as many take about twice the
 * calls of the store and twice the bytes out of it, never four times. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

#include "holder.h"
#include "kinds_table.h"
#include "store_fault.h"

#define ENTRIES 150 /* of the smaller run; the other has twice as many */
#define COSTS_MORE_MAX 3

struct cost {
    long calls, bytes;
};

/* A holder behind a store that counts, and what it is to take. */
struct scene {
    struct land land;
    struct holder holder;
    struct store_fault counter;
    struct pen one, other, third; /* the logs of three stations */
    uint8_t bytes[1 << 18];
    size_t size;
    uint32_t count;
};
static struct scene scene;

static void scene_open(void)
{
    memset(&scene, 0, sizeof scene);
    land_init_with(&scene.land, kinds_table_write);
    land_station_pen(&scene.land, &scene.one, 0);
    land_station_pen(&scene.land, &scene.other, 1);
    land_station_pen(&scene.land, &scene.third, 2);
    holder_open(&scene.holder, scene.land.statement);
    holder_take_all(&scene.holder, &scene.land.pieces);
    store_fault_init(&scene.counter, scene.holder.store);
    scene.holder.ctx.store = &scene.counter.base;
}

static void scene_close(void)
{
    scene.holder.ctx.store = scene.holder.store;
    holder_close(&scene.holder);
    land_free(&scene.land);
}

/* The entry goes into the run that is being gathered. */
static void gather(const struct draft *draft)
{
    assert_false(draft->writer.overflowed);
    assert_true(scene.size + draft->writer.size <= sizeof scene.bytes);
    memcpy(scene.bytes + scene.size, draft->bytes, draft->writer.size);
    scene.size += draft->writer.size;
    scene.count++;
}

/* What was gathered comes as one run. */
static enum cairn_outcome take_gathered(struct pen *pen)
{
    pen_write(pen, (struct cairn_bytes){scene.bytes, scene.size}, scene.count);
    scene.size = 0;
    scene.count = 0;
    return holder_take(&scene.holder, &scene.land.pieces.list[scene.land.pieces.count - 1]);
}

static void create_gather(struct pen *pen, uint32_t counter)
{
    struct draft draft;

    draft_change(&draft, pen, 1);
    draft_create(&draft, KIND_HOUSEHOLD, counter, KIND_INCOME, (int64_t)counter * 7919);
    gather(&draft);
}

/* `count` records in one run. */
static void records_take(struct pen *pen, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++)
        create_gather(pen, i);
    assert_int_equal(take_gathered(pen), CAIRN_OUTCOME_ACCEPTED);
}

static void count_from_here(void)
{
    store_fault_arm(&scene.counter, -1, CAIRN_OK);
}

/* A scene of so many entries, whose dear part begins with count_from_here(). */
typedef void scene_fn(uint32_t count);

static struct cost cost_of(scene_fn *play, uint32_t count)
{
    scene_open();
    play(count);
    const struct cost cost = {atomic_load(&scene.counter.call_count),
                              atomic_load(&scene.counter.byte_count)};
    scene_close();
    return cost;
}

static void expect_in_proportion(scene_fn *play)
{
    struct cost few = cost_of(play, ENTRIES), many = cost_of(play, 2 * ENTRIES);

    if (many.calls >= COSTS_MORE_MAX * few.calls || many.bytes >= COSTS_MORE_MAX * few.bytes)
        fail_msg("%d entries: %ld calls, %ld bytes; twice as many: %ld calls, %ld bytes", ENTRIES,
                 few.calls, few.bytes, many.calls, many.bytes);
}

/* ---- what is held already ---- */

static void known_run_play(uint32_t count)
{
    records_take(&scene.one, count);
    count_from_here();
    assert_int_equal(
        holder_take(&scene.holder, &scene.land.pieces.list[scene.land.pieces.count - 1]),
        CAIRN_OUTCOME_KNOWN);
}

static void a_run_that_is_held_already_is_read_once(void **state)
{
    (void)state;
    expect_in_proportion(known_run_play);
}

/* ---- announcements of what is here --------------------------------------------------------- */

/* What the log had at that size, as held. */
static struct cairn_head head_at(const struct pen *pen, uint32_t size)
{
    struct cairn_log log = holder_log(&scene.holder, &pen->id);
    struct cairn_head head = {.log = pen->id, .size = size};

    assert_int_equal(cairn_context_begin(&scene.holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_log_root_at(&scene.holder.ctx, &log, size, &head.root), CAIRN_OK);
    cairn_context_abort(&scene.holder.ctx);
    return head;
}

/* Announced by `one`, in an entry of its own; `number` 0: for the first time. */
static void announce_gather(uint32_t number, const struct cairn_head *head)
{
    struct draft draft;

    draft_change(&draft, &scene.one, 1);
    if (number == 0)
        draft_announce_first(&draft, head);
    else
        draft_announce(&draft, number, head);
    gather(&draft);
}

static void count_announcing(void)
{
    count_from_here();
    assert_int_equal(take_gathered(&scene.one), CAIRN_OUTCOME_ACCEPTED);
}

static void same_size_play(uint32_t count)
{
    records_take(&scene.other, count);
    const struct cairn_head head = head_at(&scene.other, count / 2);
    for (uint32_t i = 0; i < count; i++)
        announce_gather(i == 0 ? 0 : 1, &head);
    count_announcing();
}

static void what_is_announced_again_is_looked_at_once(void **state)
{
    (void)state;
    expect_in_proportion(same_size_play);
}

static void two_roots_play(uint32_t count)
{
    records_take(&scene.other, count);
    struct cairn_head head = head_at(&scene.other, count / 2);
    for (uint32_t i = 0; i < count; i++) {
        announce_gather(i == 0 ? 0 : 1, &head);
        head.root.bytes[0] ^= 1;
    }
    count_announcing();
}

static void two_roots_announced_by_turns_read_the_log_once(void **state)
{
    (void)state;
    expect_in_proportion(two_roots_play);
}

static void climbing_play(uint32_t count)
{
    struct cairn_head other[2 * ENTRIES + 1], third[2 * ENTRIES + 1];

    records_take(&scene.other, count);
    records_take(&scene.third, count);
    for (uint32_t i = 0; i < count / 2; i++) {
        other[i] = head_at(&scene.other, 2 + i);
        third[i] = head_at(&scene.third, 2 + i);
    }
    for (uint32_t i = 0; i < count / 2; i++) {
        announce_gather(i == 0 ? 0 : 1, &other[i]);
        announce_gather(i == 0 ? 0 : 2, &third[i]);
    }
    count_announcing();
}

static void two_logs_announced_by_turns_are_read_once(void **state)
{
    (void)state;
    expect_in_proportion(climbing_play);
}

/* ---- announcements of what is to come ------------------------------------------------------ */

/* What the log will not have at that size. */
static struct cairn_head wrong_head(const struct pen *pen, uint32_t size, uint32_t variant)
{
    struct cairn_head head = {.log = pen->id, .size = size};

    head.root.bytes[0] = (uint8_t)variant;
    return head;
}

/* The log of `pen` goes on by one entry. */
static void go_on(struct pen *pen)
{
    create_gather(pen, pen_size(pen));
    assert_int_equal(take_gathered(pen), CAIRN_OUTCOME_ACCEPTED);
}

/* An announcement by `one`, with one operation to follow. */
static void draft_wrong(struct draft *draft, uint32_t number, uint32_t size, uint32_t variant)
{
    const struct cairn_head head = wrong_head(&scene.other, size, variant);

    draft_change(draft, &scene.one, 2);
    if (number == 0)
        draft_announce_first(draft, &head);
    else
        draft_announce(draft, number, &head);
}

/* One record, and announcements of one size by turns, each with a write to it. */
static void writes_take(uint32_t count)
{
    const struct cairn_local_dot record = {0, pen_size(&scene.one)};
    uint32_t size = pen_size(&scene.other) + 1;
    struct draft draft;

    create_gather(&scene.one, 1);
    for (uint32_t i = 0; i < count; i++) {
        draft_wrong(&draft, i == 0 ? 0 : 1, size, 1 + i % 2);
        draft_item(&draft, CAIRN_ITEM_SET, record, KIND_INCOME, i, NULL, 0);
        gather(&draft);
    }
    assert_int_equal(take_gathered(&scene.one), CAIRN_OUTCOME_ACCEPTED);
}

static void other_history_play(uint32_t count)
{
    writes_take(count);
    count_from_here();
    go_on(&scene.other);
}

static void a_log_of_another_history_is_worked_out_again_once(void **state)
{
    (void)state;
    expect_in_proportion(other_history_play);
}

static void other_histories_play(uint32_t count)
{
    struct draft draft;

    for (uint32_t i = 0; i < count; i++) {
        draft_wrong(&draft, i == 0 ? 0 : 1, pen_size(&scene.other) + 1 + i, 1);
        draft_create(&draft, KIND_HOUSEHOLD, 1 + i, KIND_INCOME, i);
        gather(&draft);
    }
    assert_int_equal(take_gathered(&scene.one), CAIRN_OUTCOME_ACCEPTED);
    count_from_here();
    for (uint32_t i = 0; i < count; i++)
        go_on(&scene.other);
}

static void each_size_of_another_history_concerns_its_own_entries(void **state)
{
    (void)state;
    expect_in_proportion(other_histories_play);
}

static void abandoned_play(uint32_t count)
{
    struct cairn_log log;

    writes_take(count);
    go_on(&scene.other);
    log = holder_log(&scene.holder, &scene.other.id);
    count_from_here();
    assert_int_equal(cairn_context_begin(&scene.holder.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_abandon_tail(&scene.holder.ctx, &log, cairn_log_size(&log) - 1),
                     CAIRN_OK);
    assert_int_equal(cairn_context_commit(&scene.holder.ctx), CAIRN_OK);
}

static void what_named_an_abandoned_history_is_worked_out_again_once(void **state)
{
    (void)state;
    expect_in_proportion(abandoned_play);
}

/* ---- one record ---------------------------------------------------------------------------- */

/* An element for a set of the record, a reference to what another log wrote. */
static void add_gather(struct cairn_local_dot record, uint32_t index)
{
    const struct cairn_operation op = {
        .number = CAIRN_ITEM_ADD,
        .record = record,
        .field = KIND_SAME,
        .value = {.kind = CAIRN_VALUE_DOT, .dot = {1, index}},
    };
    struct draft draft;

    draft_change(&draft, &scene.one, 1);
    cairn_write_begin(&draft.writer, &op, 0);
    gather(&draft);
}

static void filled_record_play(uint32_t count)
{
    const struct cairn_local_dot record = {0, pen_size(&scene.one) + 1};

    records_take(&scene.other, count + 2);
    const struct cairn_head head = head_at(&scene.other, pen_size(&scene.other));
    announce_gather(0, &head);
    create_gather(&scene.one, 1);
    for (uint32_t i = 0; i < count; i++)
        add_gather(record, 1 + i);
    assert_int_equal(take_gathered(&scene.one), CAIRN_OUTCOME_ACCEPTED);
    add_gather(record, count + 1);
    count_announcing();
    assert_int_equal(holder_live(&scene.holder, &scene.one.id, record.index, KIND_SAME), count + 1);
}

static void an_element_of_a_set_looks_at_each_of_the_others_once(void **state)
{
    (void)state;
    expect_in_proportion(filled_record_play);
}

/* So many elements in one run, by turns for `records` records. */
static void adds_play(uint32_t count, uint32_t records)
{
    struct cairn_local_dot record = {0, pen_size(&scene.one) + 1};

    records_take(&scene.other, count);
    const struct cairn_head head = head_at(&scene.other, pen_size(&scene.other));
    announce_gather(0, &head);
    for (uint32_t i = 0; i < records; i++)
        create_gather(&scene.one, 1 + i);
    assert_int_equal(take_gathered(&scene.one), CAIRN_OUTCOME_ACCEPTED);
    for (uint32_t i = 0; i < count; i++) {
        const struct cairn_local_dot to = {0, record.index + i % records};
        add_gather(to, 1 + i);
    }
    count_announcing();
    for (uint32_t i = 0; i < records; i++, record.index++)
        assert_int_equal(holder_live(&scene.holder, &scene.one.id, record.index, KIND_SAME),
                         count / records);
}

static void one_record_play(uint32_t count)
{
    adds_play(count, 1);
}

static void five_records_play(uint32_t count)
{
    adds_play(count, 5);
}

static void a_record_that_a_run_writes_to_again_and_again_is_saved_once(void **state)
{
    (void)state;
    expect_in_proportion(one_record_play);
    expect_in_proportion(five_records_play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_is_held_already_is_read_once),
        cmocka_unit_test(what_is_announced_again_is_looked_at_once),
        cmocka_unit_test(two_roots_announced_by_turns_read_the_log_once),
        cmocka_unit_test(two_logs_announced_by_turns_are_read_once),
        cmocka_unit_test(a_log_of_another_history_is_worked_out_again_once),
        cmocka_unit_test(each_size_of_another_history_concerns_its_own_entries),
        cmocka_unit_test(what_named_an_abandoned_history_is_worked_out_again_once),
        cmocka_unit_test(an_element_of_a_set_looks_at_each_of_the_others_once),
        cmocka_unit_test(a_record_that_a_run_writes_to_again_and_again_is_saved_once),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
