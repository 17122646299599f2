/*
 * The LMDB back end's private header: lmdb.c runs an open environment (transactions, ranges and the
 * moving of the map), lmdb_open.c finds or makes the folder, looks the file over, opens and closes.
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

extern const struct cairn_store_ops cairn_lmdb_ops;

/* The status for an answer of LMDB, which is one of its own codes or an errno. */
enum cairn_status cairn_lmdb_status(int rc);

/* Give up what is kept for the next reader. Before the environment is closed. */
void cairn_lmdb_idle_release(struct lmdb_store *self);

/* The port's close; lives with open because both keep the list of open folders. */
void cairn_lmdb_close(struct cairn_store *store);

#endif
