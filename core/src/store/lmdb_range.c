/* Ranges of the LMDB back end; declared in lmdb_internal.h. */

#include "lmdb_internal.h"

#include <stdlib.h>
#include <string.h>

struct lmdb_range {
    struct cairn_range base;
    MDB_cursor *cursor;
    enum cairn_range_order order;
    uint64_t write_count; /* of the transaction when the cursor was last placed */
    bool is_started;
    size_t place_bytes;
    uint8_t place[CAIRN_STORE_KEY_MAX]; /* the start, then the key last returned */
    size_t end_bytes;
    uint8_t end[CAIRN_STORE_KEY_MAX];
};

void cairn_lmdb_range_free(struct lmdb_range *range)
{
    if (range == NULL)
        return;
    mdb_cursor_close(range->cursor);
    free(range);
}

/* The range that the reader closed last, or a new one. Only a reader's cursor can be renewed. */
static enum cairn_status range_ready(struct lmdb_txn *txn, struct lmdb_range **out_range)
{
    struct lmdb_range *range = txn->idle_range;

    if (range != NULL) {
        enum cairn_status status =
            cairn_lmdb_answer(txn, mdb_cursor_renew(txn->handle, range->cursor));
        if (status == CAIRN_OK) {
            txn->idle_range = NULL;
            *out_range = range;
        }
        return status;
    }
    range = malloc(sizeof *range);
    if (range == NULL)
        return CAIRN_NO_MEMORY;
    enum cairn_status status = cairn_lmdb_answer(
        txn, mdb_cursor_open(txn->handle, store_of(txn->base.store)->dbi, &range->cursor));
    if (status != CAIRN_OK)
        free(range);
    else
        *out_range = range;
    return status;
}

enum cairn_status cairn_lmdb_range_open(struct cairn_txn *base, struct cairn_bytes first,
                                        struct cairn_bytes last, enum cairn_range_order order,
                                        struct cairn_range **out_range)
{
    struct lmdb_txn *txn = txn_of(base);
    struct cairn_bytes start = order == CAIRN_ASCENDING ? first : last;
    struct cairn_bytes end = order == CAIRN_ASCENDING ? last : first;

    CAIRN_ASSERT(key_fits(first) && key_fits(last));
    if (txn->spoiled_by != CAIRN_OK)
        return txn->spoiled_by;
    struct lmdb_range *range;
    enum cairn_status status = range_ready(txn, &range);
    if (status != CAIRN_OK)
        return status;
    range->base.txn = base;
    range->order = order;
    range->write_count = 0;
    range->is_started = false;
    range->place_bytes = start.size;
    memcpy(range->place, start.data, start.size);
    range->end_bytes = end.size;
    memcpy(range->end, end.data, end.size);
    txn->range_count++;
    *out_range = &range->base;
    return CAIRN_OK;
}

/*
 * Find the first key not yet returned, from the place alone. Done at the start, and again after
 * every write in the transaction with a new cursor, so that nothing rests on how LMDB mends the
 * cursors that a write left pointing into changed pages.
 */
static int range_place(struct lmdb_range *range, MDB_val *key, MDB_val *value)
{
    MDB_txn *handle = txn_of(range->base.txn)->handle;
    MDB_dbi dbi = store_of(range->base.txn->store)->dbi;
    MDB_val place = val_of((struct cairn_bytes){range->place, range->place_bytes});

    if (range->is_started) {
        mdb_cursor_close(range->cursor);
        range->cursor = NULL;
        int opened = mdb_cursor_open(handle, dbi, &range->cursor);
        if (opened != MDB_SUCCESS)
            return opened;
    }
    *key = place;
    int rc = mdb_cursor_get(range->cursor, key, value, MDB_SET_RANGE);
    bool is_at_place = rc == MDB_SUCCESS && mdb_cmp(handle, dbi, key, &place) == 0;
    if (is_at_place && !range->is_started)
        return rc;
    if (range->order == CAIRN_ASCENDING)
        return is_at_place ? mdb_cursor_get(range->cursor, key, value, MDB_NEXT) : rc;
    if (rc == MDB_NOTFOUND) /* every key is below the place */
        return mdb_cursor_get(range->cursor, key, value, MDB_LAST);
    return rc == MDB_SUCCESS ? mdb_cursor_get(range->cursor, key, value, MDB_PREV) : rc;
}

enum cairn_status cairn_lmdb_range_next(struct cairn_range *base, struct cairn_bytes *out_key,
                                        struct cairn_bytes *out_value)
{
    struct lmdb_range *range = (struct lmdb_range *)base;
    struct lmdb_txn *txn = txn_of(base->txn);
    bool is_ascending = range->order == CAIRN_ASCENDING;
    MDB_val end = val_of((struct cairn_bytes){range->end, range->end_bytes});
    MDB_val key;
    MDB_val value;
    int rc;

    if (txn->spoiled_by != CAIRN_OK)
        return txn->spoiled_by;
    if (!range->is_started || range->write_count != txn->write_count)
        rc = range_place(range, &key, &value);
    else
        rc = mdb_cursor_get(range->cursor, &key, &value, is_ascending ? MDB_NEXT : MDB_PREV);
    enum cairn_status status = cairn_lmdb_answer(txn, rc);
    if (status == CAIRN_OK) {
        int past_end = mdb_cmp(txn->handle, store_of(base->txn->store)->dbi, &key, &end);
        if (is_ascending ? past_end > 0 : past_end < 0)
            status = CAIRN_NOT_FOUND;
    }
    if (status != CAIRN_OK) {
        range->write_count = UINT64_MAX; /* asked again after the end: place it again */
        return status;
    }
    if (key.mv_size > CAIRN_STORE_KEY_MAX) /* LMDB allows 511, we never write such a key */
        return txn->spoiled_by = CAIRN_CORRUPT;
    range->is_started = true;
    range->write_count = txn->write_count;
    range->place_bytes = key.mv_size;
    memcpy(range->place, key.mv_data, key.mv_size);
    *out_key = bytes_of(key);
    *out_value = bytes_of(value);
    return CAIRN_OK;
}

void cairn_lmdb_range_close(struct cairn_range *base)
{
    struct lmdb_range *range = (struct lmdb_range *)base;
    struct lmdb_txn *txn = txn_of(base->txn);

    txn->range_count--;
    if (txn->mode == CAIRN_TXN_READ && txn->idle_range == NULL && range->cursor != NULL)
        txn->idle_range = range;
    else
        cairn_lmdb_range_free(range);
}
