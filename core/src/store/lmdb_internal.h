/*
 * The LMDB back end's private header: lmdb.c runs an open environment (transactions and the moving
 * of the map), lmdb_range.c walks it, lmdb_open.c finds or makes the folder, looks the file over,
 * opens and closes.
 */

#ifndef CAIRN_LMDB_INTERNAL_H
#define CAIRN_LMDB_INTERNAL_H

#include "cairn/store.h"

#include <lmdb.h>
#include <pthread.h>
#include <sys/types.h>

#define LMDB_MAP_START_BYTES ((size_t)16 << 20)
#if SIZE_MAX > UINT32_MAX
#define LMDB_MAP_MAX_BYTES ((size_t)1 << 40)
#else
#define LMDB_MAP_MAX_BYTES ((size_t)1 << 30) /* what a 32-bit address space can spare */
#endif

struct lmdb_txn;
struct lmdb_range;

struct lmdb_store {
    struct cairn_store base;
    MDB_env *env;
    MDB_dbi dbi;

    dev_t device; /* of the folder: with the inode its identity in the list of open folders */
    ino_t inode;
    struct lmdb_store *next; /* in that list */

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t grown;
    struct lmdb_txn *open_txns; /* those still beginning included */
    struct lmdb_txn *idle;      /* a reader that keeps its place among LMDB's readers, or NULL */
    bool is_growth_due;         /* of the map; done once open_txns is empty */
    enum cairn_status growth;   /* outcome of the last growth */
    bool is_failed;             /* a commit failed half-way: nothing more until reopened */
};

struct lmdb_txn {
    struct cairn_txn base;
    MDB_txn *handle;
    enum cairn_txn_mode mode;
    enum cairn_status spoiled_by; /* OK, or what every later call answers */
    bool wants_growth;            /* asked for once this transaction is over */
    uint64_t write_count;
    size_t range_count;
    struct lmdb_range *idle_range; /* of a reader: kept with its cursor for the next, or NULL */
    pthread_t owner;
    struct lmdb_txn *next; /* in the store's list of open transactions */
};

static inline struct lmdb_store *store_of(struct cairn_store *store)
{
    return (struct lmdb_store *)store;
}

static inline struct lmdb_txn *txn_of(struct cairn_txn *txn)
{
    return (struct lmdb_txn *)txn;
}

/* LMDB takes what it only reads through a plain pointer too. */
static inline MDB_val val_of(struct cairn_bytes bytes)
{
    static const uint8_t nothing[1];
    const uint8_t *data = bytes.size > 0 ? bytes.data : nothing;

    return (MDB_val){.mv_size = bytes.size, .mv_data = (void *)(uintptr_t)data};
}

static inline struct cairn_bytes bytes_of(MDB_val val)
{
    return (struct cairn_bytes){val.mv_data, val.mv_size};
}

static inline bool key_fits(struct cairn_bytes key)
{
    return key.size >= 1 && key.size <= CAIRN_STORE_KEY_MAX;
}

extern const struct cairn_store_ops cairn_lmdb_ops;

/* The status for an answer of LMDB, which is one of its own codes or an errno. */
enum cairn_status cairn_lmdb_status(int rc);

/* That of a transaction. After most failures LMDB refuses the rest of it. */
enum cairn_status cairn_lmdb_answer(struct lmdb_txn *txn, int rc);

/* The port's ranges (lmdb_range.c). */
enum cairn_status cairn_lmdb_range_open(struct cairn_txn *base, struct cairn_bytes first,
                                        struct cairn_bytes last, enum cairn_range_order order,
                                        struct cairn_range **out_range);
enum cairn_status cairn_lmdb_range_next(struct cairn_range *base, struct cairn_bytes *out_key,
                                        struct cairn_bytes *out_value);
void cairn_lmdb_range_close(struct cairn_range *base);
/* Free one that is kept for the next; NULL is allowed. */
void cairn_lmdb_range_free(struct lmdb_range *range);

/* Give up what is kept for the next reader. Before the environment is closed. */
void cairn_lmdb_idle_release(struct lmdb_store *self);

/* The port's close; lives with open because both keep the list of open folders. */
void cairn_lmdb_close(struct cairn_store *store);

#endif
