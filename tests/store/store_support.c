/* What every store test needs: temporary folders, numbered entries, whole transactions. */

#include "store_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUNS_MAX 64 /* more CONFLICTs in a row than a map can double */

void store_check_bytes(struct cairn_bytes got, struct cairn_bytes want)
{
    assert_int_equal(got.size, want.size);
    if (want.size > 0)
        assert_memory_equal(got.data, want.data, want.size);
}

void store_folder_remove(char *path)
{
    char name[4200];

    snprintf(name, sizeof name, "%s/data.mdb", path);
    unlink(name);
    snprintf(name, sizeof name, "%s/lock.mdb", path);
    unlink(name);
    assert_int_equal(rmdir(path), 0);
    free(path);
}

void store_put_one(struct cairn_store *store, struct cairn_bytes key, struct cairn_bytes value)
{
    const struct cairn_store_ops *ops = store->ops;
    enum cairn_status status = CAIRN_CONFLICT;

    for (int run = 0; status == CAIRN_CONFLICT && run < RUNS_MAX; run++) {
        struct cairn_txn *txn;
        status = ops->begin(store, CAIRN_TXN_WRITE, &txn);
        if (status != CAIRN_OK)
            continue;
        status = ops->put(txn, key, value);
        if (status == CAIRN_OK)
            status = ops->commit(txn);
        else
            ops->abort(txn);
    }
    CHECK_STATUS(status, CAIRN_OK);
}

struct cairn_bytes store_numbered_key(uint32_t number, char out_key[static 16])
{
    snprintf(out_key, 16, "n%010u", (unsigned)number);
    return cairn_bytes_of_text(out_key);
}

/* A value that its number gives away at both ends. */
static void numbered_fill(uint8_t *value, size_t value_bytes, uint32_t number)
{
    memset(value, (int)(number & 0xFF), value_bytes);
    if (value_bytes >= 8) {
        memcpy(value, &number, sizeof number);
        memcpy(value + value_bytes - sizeof number, &number, sizeof number);
    }
}

static enum cairn_status numbered_try_once(struct cairn_store *store, uint32_t first,
                                           uint32_t count, uint8_t *value, size_t value_bytes)
{
    const struct cairn_store_ops *ops = store->ops;
    struct cairn_txn *txn;
    char key[16];

    enum cairn_status status = ops->begin(store, CAIRN_TXN_WRITE, &txn);
    if (status != CAIRN_OK)
        return status;
    for (uint32_t n = first; n < first + count; n++) {
        numbered_fill(value, value_bytes, n);
        status =
            ops->put(txn, store_numbered_key(n, key), (struct cairn_bytes){value, value_bytes});
        if (status != CAIRN_OK) {
            ops->abort(txn);
            return status;
        }
    }
    return ops->commit(txn);
}

enum cairn_status store_try_numbered(struct cairn_store *store, uint32_t first, uint32_t count,
                                     size_t value_bytes)
{
    enum cairn_status status = CAIRN_CONFLICT;
    uint8_t *value = malloc(value_bytes);

    assert_non_null(value);
    for (int run = 0; status == CAIRN_CONFLICT && run < RUNS_MAX; run++)
        status = numbered_try_once(store, first, count, value, value_bytes);
    free(value);
    return status;
}

void store_put_numbered(struct cairn_store *store, uint32_t first, uint32_t count,
                        size_t value_bytes)
{
    CHECK_STATUS(store_try_numbered(store, first, count, value_bytes), CAIRN_OK);
}

void store_check_numbered(struct cairn_store *store, uint32_t count, size_t value_bytes)
{
    const struct cairn_store_ops *ops = store->ops;
    struct cairn_txn *txn;
    struct cairn_range *range;
    struct cairn_bytes key;
    struct cairn_bytes value;
    char want_key[16];
    uint8_t *want = malloc(value_bytes);

    assert_non_null(want);
    CHECK_STATUS(ops->begin(store, CAIRN_TXN_READ, &txn), CAIRN_OK);
    CHECK_STATUS(ops->range_open(txn, cairn_bytes_of_text("n"), cairn_bytes_of_text("o"),
                                 CAIRN_ASCENDING, &range),
                 CAIRN_OK);
    for (uint32_t n = 0; n < count; n++) {
        CHECK_STATUS(ops->range_next(range, &key, &value), CAIRN_OK);
        store_check_bytes(key, store_numbered_key(n, want_key));
        numbered_fill(want, value_bytes, n);
        store_check_bytes(value, (struct cairn_bytes){want, value_bytes});
    }
    CHECK_STATUS(ops->range_next(range, &key, &value), CAIRN_NOT_FOUND);
    ops->range_close(range);
    ops->abort(txn);
    free(want);
}
