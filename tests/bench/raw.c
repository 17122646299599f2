#include "raw.h"

#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_BYTES = 240, PRELOAD_PUTS = 2000 };
#define MAP_BYTES ((size_t)1 << 32)

struct raw {
    MDB_env *env;
    MDB_dbi dbi;
    uint64_t count;
};

struct raw_key {
    uint64_t words[2];
};

static enum cairn_status lmdb_fail(int rc, struct cairn_err *err)
{
    return cairn_fail(err, CAIRN_IO, "bare LMDB: %s", mdb_strerror(rc));
}

/* The number, spread over all keys (the finalizer of splitmix64, S. Vigna). */
static struct raw_key key_of(uint64_t number)
{
    uint64_t x = number + UINT64_C(0x9E3779B97F4A7C15);

    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (struct raw_key){{x ^ (x >> 31), number}};
}

enum cairn_status raw_put(struct raw *raw, uint64_t count, struct cairn_err *err)
{
    uint8_t bytes[VALUE_BYTES] = {0};
    MDB_txn *txn;

    int rc = mdb_txn_begin(raw->env, NULL, 0, &txn);
    if (rc != 0)
        return lmdb_fail(rc, err);
    for (uint64_t i = 0; rc == 0 && i < count; i++) {
        struct raw_key key = key_of(raw->count + i);
        MDB_val name = {sizeof key, &key}, value = {sizeof bytes, bytes};
        memcpy(bytes, &key, sizeof key);
        rc = mdb_put(txn, raw->dbi, &name, &value, 0);
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return lmdb_fail(rc, err);
    }
    rc = mdb_txn_commit(txn);
    if (rc != 0)
        return lmdb_fail(rc, err);
    raw->count += count;
    return CAIRN_OK;
}

enum cairn_status raw_get(struct raw *raw, const uint32_t *numbers, size_t count,
                          struct cairn_err *err)
{
    MDB_txn *txn;

    int rc = mdb_txn_begin(raw->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return lmdb_fail(rc, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct raw_key key = key_of(numbers[i]);
        MDB_val name = {sizeof key, &key}, value;
        rc = mdb_get(txn, raw->dbi, &name, &value);
        if (rc == 0 && memcmp(value.mv_data, &key, sizeof key) != 0)
            rc = MDB_CORRUPTED;
    }
    mdb_txn_abort(txn);
    return rc == 0 ? CAIRN_OK : lmdb_fail(rc, err);
}

static int database_open(struct raw *raw, const char *path)
{
    MDB_txn *txn;

    int rc = mdb_env_create(&raw->env);
    if (rc == 0)
        rc = mdb_env_set_mapsize(raw->env, MAP_BYTES);
    if (rc == 0)
        rc = mdb_env_open(raw->env, path, MDB_NOSUBDIR, 0600);
    if (rc == 0)
        rc = mdb_txn_begin(raw->env, NULL, 0, &txn);
    if (rc != 0)
        return rc;
    rc = mdb_dbi_open(txn, NULL, 0, &raw->dbi);
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

enum cairn_status raw_open(const char *path, uint64_t count, struct raw **out_raw,
                           struct cairn_err *err)
{
    struct raw *raw = calloc(1, sizeof *raw);

    if (raw == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    int rc = database_open(raw, path);
    enum cairn_status status = rc == 0 ? CAIRN_OK : lmdb_fail(rc, err);
    while (status == CAIRN_OK && raw->count < count) {
        uint64_t left = count - raw->count;
        status = raw_put(raw, left < PRELOAD_PUTS ? left : PRELOAD_PUTS, err);
    }
    if (status != CAIRN_OK)
        raw_close(raw);
    else
        *out_raw = raw;
    return status;
}

void raw_close(struct raw *raw)
{
    if (raw == NULL)
        return;
    if (raw->env != NULL)
        mdb_env_close(raw->env);
    free(raw);
}
