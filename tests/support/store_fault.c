#include "store_fault.h"

#include <stdlib.h>

struct fault_txn {
    struct cairn_txn base;
    struct cairn_txn *inner;
    enum cairn_txn_mode mode;
};

struct fault_range {
    struct cairn_range base;
    struct cairn_range *inner;
};

static struct store_fault *self_of(struct cairn_store *store)
{
    return (struct store_fault *)store;
}

static struct cairn_txn *inner_txn(struct cairn_txn *txn)
{
    return ((struct fault_txn *)txn)->inner;
}

static enum cairn_txn_mode mode_of(struct cairn_txn *txn)
{
    return ((struct fault_txn *)txn)->mode;
}

/* Every fallible call passes here first. */
static enum cairn_status tick(struct store_fault *self, enum cairn_txn_mode mode)
{
    if (self->spares_readers && mode == CAIRN_TXN_READ)
        return CAIRN_OK;
    atomic_fetch_add(&self->call_count, 1);
    if (atomic_load(&self->calls_until_fault) < 0)
        return CAIRN_OK;
    return atomic_fetch_sub(&self->calls_until_fault, 1) == 0 ? self->fault_with : CAIRN_OK;
}

/* The value that an answer brings is counted. */
static enum cairn_status answer(struct store_fault *self, enum cairn_status status,
                                const struct cairn_bytes *value)
{
    if (status == CAIRN_OK)
        atomic_fetch_add(&self->byte_count, (long)value->size);
    return status;
}

static enum cairn_status fault_begin(struct cairn_store *store, enum cairn_txn_mode mode,
                                     struct cairn_txn **out_txn)
{
    struct store_fault *self = self_of(store);
    struct fault_txn *txn;

    enum cairn_status status = tick(self, mode);
    if (status != CAIRN_OK)
        return status;
    txn = calloc(1, sizeof *txn);
    if (txn == NULL)
        return CAIRN_NO_MEMORY;
    txn->base.store = store;
    txn->mode = mode;
    status = self->inner->ops->begin(self->inner, mode, &txn->inner);
    if (status != CAIRN_OK) {
        free(txn);
        return status;
    }
    atomic_fetch_add(&self->txns_open, 1);
    *out_txn = &txn->base;
    return CAIRN_OK;
}

static enum cairn_status fault_get(struct cairn_txn *txn, struct cairn_bytes key,
                                   struct cairn_bytes *out_value)
{
    struct store_fault *self = self_of(txn->store);
    enum cairn_status status = tick(self, mode_of(txn));

    if (status != CAIRN_OK)
        return status;
    return answer(self, self->inner->ops->get(inner_txn(txn), key, out_value), out_value);
}

static enum cairn_status fault_get_many(struct cairn_txn *txn, const struct cairn_bytes *keys,
                                        size_t count, struct cairn_bytes *out_values)
{
    struct store_fault *self = self_of(txn->store);
    enum cairn_status status = tick(self, mode_of(txn));

    if (status != CAIRN_OK)
        return status;
    return self->inner->ops->get_many(inner_txn(txn), keys, count, out_values);
}

static enum cairn_status fault_put(struct cairn_txn *txn, struct cairn_bytes key,
                                   struct cairn_bytes value)
{
    struct store_fault *self = self_of(txn->store);
    enum cairn_status status = tick(self, mode_of(txn));

    return status != CAIRN_OK ? status : self->inner->ops->put(inner_txn(txn), key, value);
}

static enum cairn_status fault_del(struct cairn_txn *txn, struct cairn_bytes key)
{
    struct store_fault *self = self_of(txn->store);
    enum cairn_status status = tick(self, mode_of(txn));

    return status != CAIRN_OK ? status : self->inner->ops->del(inner_txn(txn), key);
}

static enum cairn_status fault_range_open(struct cairn_txn *txn, struct cairn_bytes first,
                                          struct cairn_bytes last, enum cairn_range_order order,
                                          struct cairn_range **out_range)
{
    struct store_fault *self = self_of(txn->store);
    struct fault_range *range;

    enum cairn_status status = tick(self, mode_of(txn));
    if (status != CAIRN_OK)
        return status;
    range = calloc(1, sizeof *range);
    if (range == NULL)
        return CAIRN_NO_MEMORY;
    range->base.txn = txn;
    status = self->inner->ops->range_open(inner_txn(txn), first, last, order, &range->inner);
    if (status != CAIRN_OK) {
        free(range);
        return status;
    }
    atomic_fetch_add(&self->ranges_open, 1);
    *out_range = &range->base;
    return CAIRN_OK;
}

static enum cairn_status fault_range_next(struct cairn_range *range, struct cairn_bytes *out_key,
                                          struct cairn_bytes *out_value)
{
    struct store_fault *self = self_of(range->txn->store);
    struct cairn_range *inner = ((struct fault_range *)range)->inner;
    enum cairn_status status = tick(self, mode_of(range->txn));

    if (status != CAIRN_OK)
        return status;
    return answer(self, self->inner->ops->range_next(inner, out_key, out_value), out_value);
}

static void fault_range_close(struct cairn_range *range)
{
    struct store_fault *self = self_of(range->txn->store);

    self->inner->ops->range_close(((struct fault_range *)range)->inner);
    atomic_fetch_sub(&self->ranges_open, 1);
    free(range);
}

static void fault_abort(struct cairn_txn *txn)
{
    struct store_fault *self = self_of(txn->store);

    self->inner->ops->abort(inner_txn(txn));
    atomic_fetch_sub(&self->txns_open, 1);
    free(txn);
}

static enum cairn_status fault_commit(struct cairn_txn *txn)
{
    struct store_fault *self = self_of(txn->store);
    enum cairn_status status = tick(self, mode_of(txn));

    if (status != CAIRN_OK) {
        fault_abort(txn);
        return status;
    }
    status = self->inner->ops->commit(inner_txn(txn));
    atomic_fetch_sub(&self->txns_open, 1);
    free(txn);
    return status;
}

static uint64_t fault_snapshot(const struct cairn_txn *txn)
{
    return self_of(txn->store)->inner->ops->snapshot(((const struct fault_txn *)txn)->inner);
}

static enum cairn_status fault_stat(struct cairn_store *store, struct cairn_store_stat *out_stat)
{
    struct store_fault *self = self_of(store);
    enum cairn_status status = tick(self, CAIRN_TXN_READ);

    return status != CAIRN_OK ? status : self->inner->ops->stat(self->inner, out_stat);
}

static void fault_close(struct cairn_store *store)
{
    struct store_fault *self = self_of(store);

    CAIRN_ASSERT(atomic_load(&self->txns_open) == 0);
    CAIRN_ASSERT(atomic_load(&self->ranges_open) == 0);
    self->inner->ops->close(self->inner);
    self->inner = NULL;
}

static const struct cairn_store_ops fault_ops = {
    .begin = fault_begin,
    .get = fault_get,
    .get_many = fault_get_many,
    .put = fault_put,
    .del = fault_del,
    .range_open = fault_range_open,
    .range_next = fault_range_next,
    .range_close = fault_range_close,
    .commit = fault_commit,
    .snapshot = fault_snapshot,
    .abort = fault_abort,
    .stat = fault_stat,
    .close = fault_close,
};

void store_fault_init(struct store_fault *store, struct cairn_store *inner)
{
    store->base.ops = &fault_ops;
    store->inner = inner;
    store->fault_with = CAIRN_OK;
    store->spares_readers = false;
    atomic_init(&store->calls_until_fault, -1);
    atomic_init(&store->call_count, 0);
    atomic_init(&store->byte_count, 0);
    atomic_init(&store->txns_open, 0);
    atomic_init(&store->ranges_open, 0);
}

void store_fault_arm(struct store_fault *store, long calls_before, enum cairn_status status)
{
    atomic_store(&store->calls_until_fault, calls_before);
    atomic_store(&store->call_count, 0);
    atomic_store(&store->byte_count, 0);
    store->fault_with = status;
    store->spares_readers = false;
}

void store_fault_arm_writing(struct store_fault *store, long calls_before, enum cairn_status status)
{
    store_fault_arm(store, calls_before, status);
    store->spares_readers = true;
}

bool store_fault_is_armed(const struct store_fault *store)
{
    return atomic_load(&store->calls_until_fault) >= 0;
}
