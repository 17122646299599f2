#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds_table.h"
#include "replica_internal.h"
#include "shown.h"

struct land shown_land;
struct pen shown_creator;

void shown_expect_tally(const char *table, const struct shown_tally *got,
                        const struct shown_tally *want)
{
    print_message("%s: %u end as stated, %u differently on purpose, %u not applicable\n", table,
                  got->same, got->on_purpose, got->not_applicable);
    assert_int_equal(got->same, want->same);
    assert_int_equal(got->on_purpose, want->on_purpose);
    assert_int_equal(got->not_applicable, want->not_applicable);
}

void shown_begin(unsigned record_count)
{
    land_init_with(&shown_land, kinds_table_write);
    pen_begin(&shown_creator, &shown_land.station_keys[0], &shown_land.network, VILLAGE,
              CAIRN_CHANNEL_RECORDS, &shown_land.station[0], 1, 5000, &shown_land.pieces);
    for (unsigned i = 0; i < record_count; i++)
        pen_create(&shown_creator, i + 1, KIND_MEMBERS, 1);
}

static int pen_compare(const void *a, const void *b)
{
    return memcmp(((const struct pen *)a)->id.bytes, ((const struct pen *)b)->id.bytes, 32);
}

void shown_pens_begin(struct pen *pens, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pen_begin(&pens[i], &shown_land.station_keys[1], &shown_land.network, VILLAGE,
                  CAIRN_CHANNEL_RECORDS, &shown_land.station[1], 1, 6000 + i, &shown_land.pieces);
    qsort(pens, count, sizeof *pens, pen_compare);
}

static void version_insert(struct holder *holder, const struct cairn_live **order, size_t count,
                           const struct cairn_live *live)
{
    bool wins = true;

    assert_true(count < SHOWN_MAX);
    for (; count > 0; count--) {
        assert_int_equal(cairn_live_wins(&holder->ctx, live, order[count - 1], &wins), CAIRN_OK);
        if (!wins)
            break;
        order[count] = order[count - 1];
    }
    order[count] = live;
}

struct shown shown_get(struct holder *holder, uint32_t record, uint64_t field)
{
    struct cairn_log log = holder_log(holder, &shown_creator.id), writer;
    const struct cairn_live *order[SHOWN_MAX];
    struct cairn_record_state state;
    struct cairn_value value;
    struct shown shown = {.count = 0};

    cairn_context_fresh(&holder->ctx);
    assert_int_equal(cairn_context_begin(&holder->ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_record_load(&holder->ctx, &log, record, &state), CAIRN_OK);
    shown.has_conflict = cairn_record_has_conflict(&state);
    shown.is_deleted = cairn_record_is_deleted(&state);
    for (size_t i = 0; i < state.live_count; i++)
        if (state.live[i].field == field)
            version_insert(holder, order, shown.count++, &state.live[i]);
    for (size_t i = 0; i < shown.count; i++) {
        assert_int_equal(cairn_live_value(&holder->ctx, order[i], &value), CAIRN_OK);
        assert_int_equal(cairn_log_load(&holder->ctx, order[i]->dot.log, &writer), CAIRN_OK);
        shown.values[i] = value.integer;
        shown.logs[i] = writer.id;
        shown.indices[i] = order[i]->dot.index;
    }
    cairn_context_abort(&holder->ctx);
    return shown;
}
