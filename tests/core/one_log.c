/* one_log.c: see one_log.h. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "one_log.h"

struct land land;
struct pen a;
struct holder holder;

int one_log_setup(void **state)
{
    (void)state;
    land_init(&land);
    land_station_pen(&land, &a, 0);
    pen_create(&a, 1, 3, 4);
    pen_set(&a, 1, 6, 10);
    holder_open(&holder, land.statement);
    for (size_t i = 0; i < land.pieces.count; i++)
        if (land.pieces.list[i].channel == CAIRN_CHANNEL_AUTHORITY)
            holder_take(&holder, &land.pieces.list[i]);
    return 0;
}

int one_log_teardown(void **state)
{
    (void)state;
    holder_close(&holder);
    land_free(&land);
    return 0;
}

const struct piece *one_log_piece(uint32_t first, unsigned nth)
{
    return piece_at(&land.pieces, &a.id, first, nth);
}

void one_log_take(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        holder_take(&holder, one_log_piece(i, 0));
}

uint32_t one_log_size(void)
{
    struct cairn_log log = holder_log(&holder, &a.id);

    return cairn_log_size(&log);
}

uint32_t one_log_in_force(void)
{
    struct cairn_log log = holder_log(&holder, &a.id);

    return cairn_log_size(&log) < log.force_end ? cairn_log_size(&log) : log.force_end;
}

uint64_t one_log_parked(void)
{
    uint64_t count;

    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(cairn_meta_number(&holder.ctx, "parked", &count), CAIRN_OK);
    cairn_context_abort(&holder.ctx);
    return count;
}
