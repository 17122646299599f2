#include "disks.h"

#include <stdlib.h>
#include <string.h>

struct disk_txn {
    struct cairn_txn base;
    bool is_writing;
    struct cairn_txn *inner;
};

struct disk_range {
    struct cairn_range base;
    struct cairn_range *inner;
};

static struct disk *disk_of(struct cairn_store *store)
{
    return (struct disk *)(void *)store; /* `base` stands first */
}

static struct cairn_txn *inner_txn(struct cairn_txn *txn)
{
    return ((struct disk_txn *)(void *)txn)->inner;
}

/* Every fallible call passes here first. */
static enum cairn_status pass(struct disk *disk, bool writes)
{
    if (disk->is_quiet)
        return CAIRN_OK;
    disk->call_count++;
    if (disk->is_dead)
        return CAIRN_IO;
    bool counts = !disk->fault_waits || disk->is_writing;
    if (counts && disk->calls_until_fault >= 0 && disk->calls_until_fault-- == 0) {
        disk->is_dead = disk->fault_is_power_cut;
        disk->fault_count++;
        return disk->fault_with;
    }
    if (disk->is_full && writes) {
        disk->fault_count++;
        return CAIRN_NO_SPACE;
    }
    return CAIRN_OK;
}

static enum cairn_status disk_begin(struct cairn_store *store, enum cairn_txn_mode mode,
                                    struct cairn_txn **out_txn)
{
    struct disk *disk = disk_of(store);
    enum cairn_status status = pass(disk, false);

    if (status != CAIRN_OK)
        return status;
    struct disk_txn *txn = malloc(sizeof *txn);
    if (txn == NULL)
        return CAIRN_NO_MEMORY;
    txn->base.store = store;
    txn->is_writing = mode == CAIRN_TXN_WRITE;
    status = disk->inner->ops->begin(disk->inner, mode, &txn->inner);
    if (status != CAIRN_OK) {
        free(txn);
        return status;
    }
    disk->is_writing = disk->is_writing || txn->is_writing;
    disk->open_count++;
    *out_txn = &txn->base;
    return CAIRN_OK;
}

static enum cairn_status disk_get(struct cairn_txn *txn, struct cairn_bytes key,
                                  struct cairn_bytes *out_value)
{
    struct disk *disk = disk_of(txn->store);
    enum cairn_status status = pass(disk, false);

    return status != CAIRN_OK ? status : disk->inner->ops->get(inner_txn(txn), key, out_value);
}

static enum cairn_status disk_get_many(struct cairn_txn *txn, const struct cairn_bytes *keys,
                                       size_t count, struct cairn_bytes *out_values)
{
    struct disk *disk = disk_of(txn->store);
    enum cairn_status status = pass(disk, false);

    if (status != CAIRN_OK)
        return status;
    return disk->inner->ops->get_many(inner_txn(txn), keys, count, out_values);
}

static enum cairn_status disk_put(struct cairn_txn *txn, struct cairn_bytes key,
                                  struct cairn_bytes value)
{
    struct disk *disk = disk_of(txn->store);
    enum cairn_status status = pass(disk, true);

    return status != CAIRN_OK ? status : disk->inner->ops->put(inner_txn(txn), key, value);
}

static enum cairn_status disk_del(struct cairn_txn *txn, struct cairn_bytes key)
{
    struct disk *disk = disk_of(txn->store);
    enum cairn_status status = pass(disk, true);

    return status != CAIRN_OK ? status : disk->inner->ops->del(inner_txn(txn), key);
}

static enum cairn_status disk_range_open(struct cairn_txn *txn, struct cairn_bytes first,
                                         struct cairn_bytes last, enum cairn_range_order order,
                                         struct cairn_range **out_range)
{
    struct disk *disk = disk_of(txn->store);
    enum cairn_status status = pass(disk, false);

    if (status != CAIRN_OK)
        return status;
    struct disk_range *range = malloc(sizeof *range);
    if (range == NULL)
        return CAIRN_NO_MEMORY;
    range->base.txn = txn;
    status = disk->inner->ops->range_open(inner_txn(txn), first, last, order, &range->inner);
    if (status != CAIRN_OK) {
        free(range);
        return status;
    }
    disk->open_count++;
    *out_range = &range->base;
    return CAIRN_OK;
}

static enum cairn_status disk_range_next(struct cairn_range *range, struct cairn_bytes *out_key,
                                         struct cairn_bytes *out_value)
{
    struct disk *disk = disk_of(range->txn->store);
    struct cairn_range *inner = ((struct disk_range *)(void *)range)->inner;
    enum cairn_status status = pass(disk, false);

    return status != CAIRN_OK ? status : disk->inner->ops->range_next(inner, out_key, out_value);
}

static void disk_range_close(struct cairn_range *range)
{
    struct disk *disk = disk_of(range->txn->store);

    disk->inner->ops->range_close(((struct disk_range *)(void *)range)->inner);
    disk->open_count--;
    free(range);
}

static void txn_end(struct disk *disk, struct cairn_txn *txn)
{
    if (((struct disk_txn *)(void *)txn)->is_writing)
        disk->is_writing = false;
    disk->open_count--;
    free(txn);
}

static void disk_abort(struct cairn_txn *txn)
{
    struct disk *disk = disk_of(txn->store);

    disk->inner->ops->abort(inner_txn(txn));
    txn_end(disk, txn);
}

static enum cairn_status disk_commit(struct cairn_txn *txn)
{
    struct disk *disk = disk_of(txn->store);
    enum cairn_status status = pass(disk, true);

    if (status != CAIRN_OK) {
        disk_abort(txn);
        return status;
    }
    status = disk->inner->ops->commit(inner_txn(txn));
    if (disk->dies_behind_commit && !disk->is_quiet) {
        disk->dies_behind_commit = false;
        disk->is_dead = true;
    }
    txn_end(disk, txn);
    return status;
}

static enum cairn_status disk_stat(struct cairn_store *store, struct cairn_store_stat *out_stat)
{
    struct disk *disk = disk_of(store);
    enum cairn_status status = pass(disk, false);

    return status != CAIRN_OK ? status : disk->inner->ops->stat(disk->inner, out_stat);
}

static uint64_t disk_snapshot(const struct cairn_txn *txn)
{
    const struct disk_txn *self = (const struct disk_txn *)txn;

    return disk_of(txn->store)->inner->ops->snapshot(self->inner);
}

static void disk_port_close(struct cairn_store *store)
{
    (void)store; /* the simulator closes what it opened */
}

static const struct cairn_store_ops disk_ops = {
    .begin = disk_begin,
    .get = disk_get,
    .get_many = disk_get_many,
    .put = disk_put,
    .del = disk_del,
    .range_open = disk_range_open,
    .range_next = disk_range_next,
    .range_close = disk_range_close,
    .commit = disk_commit,
    .abort = disk_abort,
    .stat = disk_stat,
    .snapshot = disk_snapshot,
    .close = disk_port_close,
};

enum cairn_status disk_open(struct disk *disk)
{
    *disk = (struct disk){.base = {&disk_ops}, .calls_until_fault = -1};
    return cairn_store_memory_new(&disk->inner);
}

void disk_close(struct disk *disk)
{
    if (disk->inner != NULL)
        disk->inner->ops->close(disk->inner);
    disk->inner = NULL;
}

void disk_arm(struct disk *disk, long calls, enum cairn_status status)
{
    disk->calls_until_fault = calls;
    disk->fault_with = status;
    disk->fault_is_power_cut = false;
    disk->fault_waits = false;
}

void disk_arm_conflict(struct disk *disk, long calls)
{
    disk_arm(disk, calls, CAIRN_CONFLICT);
    disk->fault_waits = true;
}

void disk_arm_power_cut(struct disk *disk, long calls)
{
    disk->calls_until_fault = calls;
    disk->fault_with = CAIRN_IO;
    disk->fault_waits = false;
    disk->fault_is_power_cut = true;
}

bool disk_has_failed(const struct disk *disk)
{
    return disk->is_dead || disk->is_full || disk->fault_count > 0;
}

void disk_power_on(struct disk *disk)
{
    disk->calls_until_fault = -1;
    disk->dies_behind_commit = false;
    disk->is_dead = false;
    disk->is_full = false;
}

/* ---- copies -------------------------------------------------------------------------------- */

enum cairn_status disk_copy_take(struct disk *disk, struct disk_copy *out_copy)
{
    struct cairn_store *store = disk->inner;
    struct disk_copy copy = {.store = store};
    enum cairn_status status = store->ops->begin(store, CAIRN_TXN_READ, &copy.txn);

    if (status == CAIRN_OK)
        *out_copy = copy;
    return status;
}

void disk_copy_drop(struct disk_copy *copy)
{
    if (copy->txn != NULL)
        copy->store->ops->abort(copy->txn);
    copy->txn = NULL;
}

static enum cairn_status range_copy(struct cairn_store *from, struct cairn_range *range,
                                    struct cairn_store *to, struct cairn_txn *txn)
{
    struct cairn_bytes key, value;
    enum cairn_status status;

    while ((status = from->ops->range_next(range, &key, &value)) == CAIRN_OK) {
        status = to->ops->put(txn, key, value);
        if (status != CAIRN_OK)
            return status;
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status disk_copy_put(const struct disk_copy *copy, struct disk *disk)
{
    uint8_t first = 0, last[CAIRN_STORE_KEY_MAX];
    struct cairn_store *from = copy->store, *to = disk->inner;
    struct cairn_range *range;
    struct cairn_txn *txn;

    memset(last, 0xff, sizeof last);
    enum cairn_status status =
        from->ops->range_open(copy->txn, (struct cairn_bytes){&first, 1},
                              (struct cairn_bytes){last, sizeof last}, CAIRN_ASCENDING, &range);
    if (status != CAIRN_OK)
        return status;
    status = to->ops->begin(to, CAIRN_TXN_WRITE, &txn);
    if (status == CAIRN_OK) {
        status = range_copy(from, range, to, txn);
        if (status == CAIRN_OK)
            status = to->ops->commit(txn);
        else
            to->ops->abort(txn);
    }
    from->ops->range_close(range);
    return status;
}

enum cairn_status disk_go_back(struct disk *disk, struct disk_copy *copy)
{
    struct cairn_store *fresh, *old = disk->inner;
    enum cairn_status status = cairn_store_memory_new(&fresh);

    if (status != CAIRN_OK)
        return status;
    disk->inner = fresh;
    status = disk_copy_put(copy, disk);
    if (status != CAIRN_OK) {
        disk->inner = old;
        fresh->ops->close(fresh);
        return status;
    }
    disk_copy_drop(copy);
    old->ops->close(old);
    disk_power_on(disk);
    return CAIRN_OK;
}
