#include "store_damage.h"

#include <stdlib.h>
#include <string.h>

struct damage_txn {
    struct cairn_txn base;
    struct cairn_txn *inner;
};

struct damage_range {
    struct cairn_range base;
    struct cairn_range *inner;
};

static struct store_damage *self_of(struct cairn_store *store)
{
    return (struct store_damage *)store;
}

static struct cairn_txn *inner_txn(struct cairn_txn *txn)
{
    return ((struct damage_txn *)txn)->inner;
}

static void value_damage(struct store_damage *self, struct cairn_bytes *value)
{
    free(self->kept);
    self->kept = malloc(value->size + 2);
    CAIRN_ASSERT(self->kept != NULL);
    memset(self->kept, 0, value->size + 2);
    if (value->size > 0)
        memcpy(self->kept, value->data, value->size);
    if (self->kind == DAMAGE_FORM)
        self->kept[0] ^= 0x55;
    size_t size = self->kind == DAMAGE_EMPTY    ? 0
                  : self->kind == DAMAGE_HALF   ? (value->size + 1) / 2
                  : self->kind == DAMAGE_CUT    ? value->size - (value->size > 0)
                  : self->kind == DAMAGE_LONGER ? value->size + 1
                                                : value->size;
    *value = (struct cairn_bytes){self->kept, size};
}

/* Everything that was read passes here; `key` is NULL where it was not. */
static void pass(struct store_damage *self, struct cairn_bytes *key, struct cairn_bytes *value)
{
    if (self->reads_until_damage < 0 || (self->kind == DAMAGE_KEY && key == NULL))
        return;
    if (self->reads_until_damage-- > 0)
        return;
    if (self->kind == DAMAGE_KEY)
        key->size -= key->size > 0;
    else
        value_damage(self, value);
}

static enum cairn_status damage_begin(struct cairn_store *store, enum cairn_txn_mode mode,
                                      struct cairn_txn **out_txn)
{
    struct store_damage *self = self_of(store);
    struct damage_txn *txn = calloc(1, sizeof *txn);

    if (txn == NULL)
        return CAIRN_NO_MEMORY;
    txn->base.store = store;
    enum cairn_status status = self->inner->ops->begin(self->inner, mode, &txn->inner);
    if (status != CAIRN_OK) {
        free(txn);
        return status;
    }
    *out_txn = &txn->base;
    return CAIRN_OK;
}

static enum cairn_status damage_get(struct cairn_txn *txn, struct cairn_bytes key,
                                    struct cairn_bytes *out_value)
{
    struct store_damage *self = self_of(txn->store);
    enum cairn_status status = self->inner->ops->get(inner_txn(txn), key, out_value);

    if (status == CAIRN_OK)
        pass(self, NULL, out_value);
    return status;
}

static enum cairn_status damage_get_many(struct cairn_txn *txn, const struct cairn_bytes *keys,
                                         size_t count, struct cairn_bytes *out_values)
{
    struct store_damage *self = self_of(txn->store);
    enum cairn_status status = self->inner->ops->get_many(inner_txn(txn), keys, count, out_values);

    for (size_t i = 0; status == CAIRN_OK && i < count; i++)
        if (out_values[i].data != NULL)
            pass(self, NULL, &out_values[i]);
    return status;
}

static enum cairn_status damage_put(struct cairn_txn *txn, struct cairn_bytes key,
                                    struct cairn_bytes value)
{
    return self_of(txn->store)->inner->ops->put(inner_txn(txn), key, value);
}

static enum cairn_status damage_del(struct cairn_txn *txn, struct cairn_bytes key)
{
    return self_of(txn->store)->inner->ops->del(inner_txn(txn), key);
}

static enum cairn_status damage_range_open(struct cairn_txn *txn, struct cairn_bytes first,
                                           struct cairn_bytes last, enum cairn_range_order order,
                                           struct cairn_range **out_range)
{
    struct damage_range *range = calloc(1, sizeof *range);

    if (range == NULL)
        return CAIRN_NO_MEMORY;
    range->base.txn = txn;
    enum cairn_status status =
        self_of(txn->store)
            ->inner->ops->range_open(inner_txn(txn), first, last, order, &range->inner);
    if (status != CAIRN_OK) {
        free(range);
        return status;
    }
    *out_range = &range->base;
    return CAIRN_OK;
}

static enum cairn_status damage_range_next(struct cairn_range *range, struct cairn_bytes *out_key,
                                           struct cairn_bytes *out_value)
{
    struct store_damage *self = self_of(range->txn->store);
    enum cairn_status status =
        self->inner->ops->range_next(((struct damage_range *)range)->inner, out_key, out_value);

    if (status == CAIRN_OK)
        pass(self, out_key, out_value);
    return status;
}

static void damage_range_close(struct cairn_range *range)
{
    self_of(range->txn->store)->inner->ops->range_close(((struct damage_range *)range)->inner);
    free(range);
}

static void damage_abort(struct cairn_txn *txn)
{
    self_of(txn->store)->inner->ops->abort(inner_txn(txn));
    free(txn);
}

static enum cairn_status damage_commit(struct cairn_txn *txn)
{
    enum cairn_status status = self_of(txn->store)->inner->ops->commit(inner_txn(txn));

    free(txn);
    return status;
}

static uint64_t damage_snapshot(const struct cairn_txn *txn)
{
    return self_of(txn->store)->inner->ops->snapshot(((const struct damage_txn *)txn)->inner);
}

static enum cairn_status damage_stat(struct cairn_store *store, struct cairn_store_stat *out_stat)
{
    return self_of(store)->inner->ops->stat(self_of(store)->inner, out_stat);
}

static void damage_close(struct cairn_store *store)
{
    struct store_damage *self = self_of(store);

    free(self->kept);
    self->kept = NULL;
    self->inner->ops->close(self->inner);
    self->inner = NULL;
}

static const struct cairn_store_ops damage_ops = {
    .begin = damage_begin,
    .get = damage_get,
    .get_many = damage_get_many,
    .put = damage_put,
    .del = damage_del,
    .range_open = damage_range_open,
    .range_next = damage_range_next,
    .range_close = damage_range_close,
    .commit = damage_commit,
    .snapshot = damage_snapshot,
    .abort = damage_abort,
    .stat = damage_stat,
    .close = damage_close,
};

void store_damage_init(struct store_damage *store, struct cairn_store *inner)
{
    *store = (struct store_damage){.base = {&damage_ops}, .inner = inner, .reads_until_damage = -1};
}

void store_damage_arm(struct store_damage *store, long reads_before, enum store_damage_kind kind)
{
    store->reads_until_damage = reads_before;
    store->kind = kind;
}
