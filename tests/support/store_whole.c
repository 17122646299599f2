#include "store_whole.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>

struct whole {
    struct cairn_store *store;
    struct cairn_txn *txn;
    struct cairn_range *range;
};

static struct whole whole_open(struct cairn_store *store)
{
    struct whole whole = {.store = store};

    assert_int_equal(store->ops->begin(store, CAIRN_TXN_READ, &whole.txn), CAIRN_OK);
    assert_int_equal(store->ops->range_open(whole.txn, (struct cairn_bytes){(const uint8_t *)"", 1},
                                            cairn_bytes_of_text("\xff\xff\xff\xff\xff\xff\xff\xff"),
                                            CAIRN_ASCENDING, &whole.range),
                     CAIRN_OK);
    return whole;
}

static bool whole_next(struct whole *whole, struct cairn_bytes *out_key,
                       struct cairn_bytes *out_value)
{
    enum cairn_status status = whole->store->ops->range_next(whole->range, out_key, out_value);

    if (status == CAIRN_OK)
        return true;
    assert_int_equal(status, CAIRN_NOT_FOUND);
    whole->store->ops->range_close(whole->range);
    whole->store->ops->abort(whole->txn);
    return false;
}

struct cairn_store *store_copy(struct cairn_store *store)
{
    struct whole whole = whole_open(store);
    struct cairn_bytes key, value;
    struct cairn_store *copy;
    struct cairn_txn *txn;

    assert_int_equal(cairn_store_memory_new(&copy), CAIRN_OK);
    assert_int_equal(copy->ops->begin(copy, CAIRN_TXN_WRITE, &txn), CAIRN_OK);
    while (whole_next(&whole, &key, &value))
        assert_int_equal(copy->ops->put(txn, key, value), CAIRN_OK);
    assert_int_equal(copy->ops->commit(txn), CAIRN_OK);
    return copy;
}

static void hash_piece(crypto_hash_sha256_state *hash, struct cairn_bytes bytes)
{
    const uint64_t size = bytes.size;

    crypto_hash_sha256_update(hash, (const uint8_t *)&size, sizeof size);
    crypto_hash_sha256_update(hash, bytes.data, bytes.size);
}

struct cairn_hash store_hash(struct cairn_store *store)
{
    struct whole whole = whole_open(store);
    struct cairn_bytes key, value;
    crypto_hash_sha256_state hash;
    struct cairn_hash out;

    crypto_hash_sha256_init(&hash);
    while (whole_next(&whole, &key, &value)) {
        hash_piece(&hash, key);
        hash_piece(&hash, value);
    }
    crypto_hash_sha256_final(&hash, out.bytes);
    return out;
}
