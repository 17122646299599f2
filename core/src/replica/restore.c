#include "restore.h"

#include <string.h>

#define COUNTER_BLOCK 1000

enum cairn_status cairn_mark_save(struct cairn_replica *replica, bool sync)
{
    uint8_t bytes[80];
    struct cairn_writer writer;
    uint64_t count;

    CAIRN_TRY(cairn_replica_read(replica, NULL));
    enum cairn_status status = cairn_meta_number(&replica->ctx, "own-entries", &count);
    cairn_context_abort(&replica->ctx);
    CAIRN_TRY(status);
    if (count == replica->marked_count && (!sync || replica->mark_is_synced))
        return CAIRN_OK;
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_bytes(&writer, replica->keys.open.seal.bytes, 32);
    cairn_write_u64be(&writer, count);
    CAIRN_TRY(replica->ports->ops->mark_save(replica->ports, cairn_writer_bytes(&writer), sync));
    replica->marked_count = count;
    replica->mark_is_synced = sync;
    return CAIRN_OK;
}

/* Is the mark outside ahead of the store, and where does it stand? An empty or foreign one says
 * nothing, and stands at 0. */
static enum cairn_status mark_is_ahead(struct cairn_replica *replica, bool *out_is_ahead,
                                       uint64_t *out_marked)
{
    uint8_t bytes[CAIRN_MARK_MAX];
    struct cairn_writer writer;
    struct cairn_reader reader;
    uint64_t count;

    *out_is_ahead = false;
    *out_marked = 0;
    cairn_writer_init(&writer, bytes, sizeof bytes);
    enum cairn_status status = replica->ports->ops->mark_load(replica->ports, &writer);
    if (status == CAIRN_NOT_FOUND || (status == CAIRN_OK && writer.size == 0))
        return CAIRN_OK;
    CAIRN_TRY(status);
    cairn_reader_init(&reader, cairn_writer_bytes(&writer));
    struct cairn_bytes device = cairn_read_bytes(&reader, 32);
    uint64_t marked = cairn_read_u64be(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK ||
        memcmp(device.data, replica->keys.open.seal.bytes, 32) != 0)
        return CAIRN_OK;
    CAIRN_TRY(cairn_meta_number(&replica->ctx, "own-entries", &count));
    *out_is_ahead = marked > count;
    *out_marked = marked;
    return CAIRN_OK;
}

static enum cairn_status place_differs(struct cairn_replica *replica, bool *out_differs)
{
    struct cairn_key key = cairn_key_meta("place");
    uint8_t bytes[CAIRN_PLACE_MAX];
    struct cairn_writer writer;
    struct cairn_bytes held;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    CAIRN_TRY(replica->ports->ops->place(replica->ports, &writer));
    enum cairn_status status = cairn_kv_get(&replica->ctx, &key, &held);
    *out_differs = status == CAIRN_OK && !cairn_bytes_equal(held, cairn_writer_bytes(&writer));
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* The count goes on above the mark: a copy taken before, whichever, lies below the mark and is
 * found as well, and a mark that a power cut brings back is not ahead. */
static enum cairn_status count_raise(struct cairn_context *ctx, uint64_t marked)
{
    uint64_t count;

    CAIRN_TRY(cairn_meta_number(ctx, "own-entries", &count));
    return cairn_meta_number_put(ctx, "own-entries", (count > marked ? count : marked) + 1);
}

static enum cairn_status generation_begin(struct cairn_replica *replica, uint64_t marked)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_key key = cairn_key_meta("place");
    uint8_t place[CAIRN_PLACE_MAX];
    struct cairn_writer writer;
    uint64_t counter;

    CAIRN_TRY(count_raise(ctx, marked));
    CAIRN_TRY(cairn_meta_next(ctx, "generation", &replica->generation));
    CAIRN_TRY(cairn_meta_number(ctx, "counter", &counter));
    CAIRN_TRY(cairn_meta_number_put(ctx, "counter", (counter / COUNTER_BLOCK + 1) * COUNTER_BLOCK));
    cairn_writer_init(&writer, place, sizeof place);
    CAIRN_TRY(replica->ports->ops->place(replica->ports, &writer));
    CAIRN_TRY(cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer)));
    return cairn_unsynced_repeat(replica);
}

struct restore_work {
    bool is_restored;
};

static enum cairn_status restore_apply(struct cairn_replica *replica, void *context)
{
    struct restore_work *work = context;
    bool is_ahead, differs;
    uint64_t marked;

    CAIRN_TRY(mark_is_ahead(replica, &is_ahead, &marked));
    CAIRN_TRY(place_differs(replica, &differs));
    work->is_restored = is_ahead || differs;
    return work->is_restored ? generation_begin(replica, marked) : CAIRN_OK;
}

enum cairn_status cairn_restore_check(struct cairn_replica *replica, struct cairn_err *err)
{
    struct restore_work work = {false};
    bool is_ahead = false, differs = false;
    uint64_t marked;

    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = mark_is_ahead(replica, &is_ahead, &marked);
    if (status == CAIRN_OK)
        status = place_differs(replica, &differs);
    CAIRN_TRY(cairn_replica_done(replica, status, err));
    if (!is_ahead && !differs)
        return CAIRN_OK;
    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_write(replica, restore_apply, &work, err));
    replica->was_restored = work.is_restored;
    /* On disk as early as can be; if it cannot be, the next commit saves it. */
    if (work.is_restored && cairn_mark_save(replica, true) != CAIRN_OK)
        replica->mark_is_synced = false;
    return CAIRN_OK;
}
