#include "raw.h"

#include <errno.h>
#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { VALUE_BYTES = 240, PRELOAD_PUTS = 2000, COPIED_KEY_BYTES = 32 };
#define MAP_BYTES ((size_t)1 << 32)

struct raw {
    MDB_env *env;
    MDB_dbi dbi;
    uint64_t count;
    /* Of a copy. */
    struct copied_key {
        size_t size;
        uint8_t bytes[COPIED_KEY_BYTES];
    } * keys;
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

/* ---- copies -------------------------------------------------------------------------------- */

static int store_copy(const char *store, const char *path)
{
    MDB_env *env;

    int rc = mdb_env_create(&env);
    if (rc != 0)
        return rc;
    rc = mdb_env_open(env, store, MDB_RDONLY, 0600);
    if (rc == 0)
        rc = mdb_env_copy(env, path);
    mdb_env_close(env);
    return rc;
}

static int key_add(struct raw *raw, size_t count, const MDB_val *key)
{
    if ((count & (count - 1)) == 0) {
        struct copied_key *keys = realloc(raw->keys, (count + 1) * 2 * sizeof *keys);
        if (keys == NULL)
            return ENOMEM;
        raw->keys = keys;
    }
    if (key->mv_size > COPIED_KEY_BYTES)
        return MDB_BAD_VALSIZE;
    raw->keys[count].size = key->mv_size;
    memcpy(raw->keys[count].bytes, key->mv_data, key->mv_size);
    return 0;
}

static int keys_collect(struct raw *raw, char table, size_t *out_count)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key = {1, &table}, value;
    size_t count = 0;

    int rc = mdb_txn_begin(raw->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return rc;
    rc = mdb_dbi_open(txn, NULL, 0, &raw->dbi);
    if (rc == 0)
        rc = mdb_cursor_open(txn, raw->dbi, &cursor);
    if (rc == 0) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        while (rc == 0 && ((const char *)key.mv_data)[0] == table) {
            rc = key_add(raw, count++, &key);
            if (rc == 0)
                rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    *out_count = count;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

enum cairn_status raw_copy(const char *store, const char *path, char table, struct raw **out_raw,
                           size_t *out_count, struct cairn_err *err)
{
    struct raw *raw = calloc(1, sizeof *raw);

    if (raw == NULL || mkdir(path, 0700) != 0) {
        free(raw);
        return cairn_fail(err, CAIRN_IO, "%s cannot be made", path);
    }
    int rc = store_copy(store, path);
    if (rc == 0)
        rc = mdb_env_create(&raw->env);
    if (rc == 0)
        rc = mdb_env_open(raw->env, path, MDB_NOTLS, 0600);
    if (rc == 0)
        rc = keys_collect(raw, table, out_count);
    if (rc != 0) {
        raw_close(raw);
        return lmdb_fail(rc, err);
    }
    *out_raw = raw;
    return CAIRN_OK;
}

enum cairn_status raw_copy_get(struct raw *raw, const uint32_t *numbers, size_t count,
                               struct cairn_err *err)
{
    MDB_txn *txn;
    uint64_t seen = 0;

    int rc = mdb_txn_begin(raw->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return lmdb_fail(rc, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        MDB_val key = {raw->keys[numbers[i]].size, raw->keys[numbers[i]].bytes}, value;
        mdb_txn_reset(txn);
        rc = mdb_txn_renew(txn);
        if (rc == 0)
            rc = mdb_get(txn, raw->dbi, &key, &value);
        if (rc == 0)
            seen += ((const uint8_t *)value.mv_data)[value.mv_size - 1] + value.mv_size;
    }
    mdb_txn_abort(txn);
    if (rc == 0 && seen < count)
        rc = MDB_CORRUPTED;
    return rc == 0 ? CAIRN_OK : lmdb_fail(rc, err);
}

void raw_close(struct raw *raw)
{
    if (raw == NULL)
        return;
    free(raw->keys);
    if (raw->env != NULL)
        mdb_env_close(raw->env);
    free(raw);
}
