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
    struct pen one, other; /* the logs of two stations */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_is_held_already_is_read_once),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
