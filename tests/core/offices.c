/* offices.c: see offices.h. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "offices.h"

#define ORDERS 12

struct land land;
struct pen a, b;

int offices_setup(void **state)
{
    (void)state;
    land_init(&land);
    land_station_pen(&land, &a, 0);
    pen_create(&a, 1, 3, 1);
    pen_create(&a, 2, 3, 2);
    pen_set(&a, 1, 6, 10);
    land_station_pen(&land, &b, 1);
    pen_create(&b, 1, 3, 1);
    return 0;
}

int offices_teardown(void **state)
{
    (void)state;
    land_free(&land);
    return 0;
}

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

void expect_last(const struct pen *pen, enum cairn_validity validity, enum cairn_reason reason)
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

void expect_in_force(const struct pen *pen, uint32_t size)
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
