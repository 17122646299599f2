/*
 * The LMDB back end of cairn/store.h: one folder, one environment, one unnamed database.
 *
 * LMDB keeps its default durability: a commit syncs the pages, then writes one meta page through
 * a synchronous descriptor. MDB_NOTLS is the only flag, so that a thread may hold several readers.
 * The map starts small and doubles when a writer meets its end. Moving a map that someone reads
 * would pull the pages from under him, so the map moves only when this process has no transaction
 * open: whoever ends the last one moves it, and until then every begin waits, except that of a
 * thread which holds a transaction itself (it would wait for itself). A writer whose thread keeps
 * a reader open therefore meets CONFLICT again until it ends that reader.
 *
 * Memory:  transactions and ranges are heap objects; values point into the map or a dirty page.
 * Threads: as the port says; one mutex guards what is shared here.
 */

#define _POSIX_C_SOURCE 200809L

#include "lmdb_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

/* LMDB hands at most 64 pages to one write and reports one that was cut short as EIO. */
#define WRITE_PAGES_MAX 64u

enum cairn_status cairn_lmdb_status(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return CAIRN_OK;
    case MDB_NOTFOUND:
        return CAIRN_NOT_FOUND;
    case MDB_PAGE_NOTFOUND:
    case MDB_CORRUPTED:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
        return CAIRN_CORRUPT;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return CAIRN_NO_SPACE;
    case ENOMEM:
    case MDB_READERS_FULL:
    case MDB_TLS_FULL:
    case MDB_TXN_FULL: /* more dirty pages than LMDB can hold: growing would not help */
        return CAIRN_NO_MEMORY;
    default:
        return CAIRN_IO;
    }
}

/* A write cut short by a full disk reaches us as EIO; the file system knows better. */
static bool is_disk_full(const struct lmdb_store *self)
{
    struct statvfs fs;
    MDB_stat stat;
    mdb_filehandle_t fd;

    if (mdb_env_get_fd(self->env, &fd) != MDB_SUCCESS || fstatvfs(fd, &fs) != 0)
        return false;
    if (mdb_env_stat(self->env, &stat) != MDB_SUCCESS)
        return false;
    return (uint64_t)fs.f_bavail * fs.f_frsize < (uint64_t)WRITE_PAGES_MAX * stat.ms_psize;
}

/* ---- growing the map ---- */

/*
 * Whether the address space has room for such a map. LMDB gives up the old map before it asks for
 * the new one and has none if that fails, so we ask first; this needs room for both at once.
 */
static bool map_has_room(const struct lmdb_store *self, size_t bytes)
{
    mdb_filehandle_t fd;

    if (mdb_env_get_fd(self->env, &fd) != MDB_SUCCESS)
        return false;
    void *probe = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (probe == MAP_FAILED)
        return false;
    munmap(probe, bytes);
    return true;
}

/*
 * Double the map until it holds what is committed, by us or by another process. Under the mutex
 * and with no transaction open. Where it may not grow the old map stands.
 */
static void map_grow(struct lmdb_store *self)
{
    MDB_envinfo info;
    MDB_stat stat;
    int dead_readers;
    int rc = mdb_env_info(self->env, &info);

    CAIRN_ASSERT(rc == MDB_SUCCESS);
    rc = mdb_env_stat(self->env, &stat);
    CAIRN_ASSERT(rc == MDB_SUCCESS);
    /* A reader that died with its process keeps every page since; they may be what we lack. */
    (void)mdb_reader_check(self->env, &dead_readers);
    uint64_t needed_bytes = ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
    size_t wanted_bytes = info.me_mapsize;
    do {
        if (wanted_bytes > LMDB_MAP_MAX_BYTES / 2) {
            self->growth = CAIRN_NO_SPACE;
            return;
        }
        wanted_bytes *= 2;
    } while (wanted_bytes < needed_bytes);
    if (!map_has_room(self, wanted_bytes)) {
        self->growth = CAIRN_NO_MEMORY;
        return;
    }
    self->growth = cairn_lmdb_status(mdb_env_set_mapsize(self->env, wanted_bytes));
    if (self->growth != CAIRN_OK)
        self->is_failed = true;
}

/* Under the mutex. */
static bool is_mine_open(const struct lmdb_store *self, enum cairn_txn_mode at_least)
{
    for (const struct lmdb_txn *txn = self->open_txns; txn != NULL; txn = txn->next) {
        if (pthread_equal(txn->owner, pthread_self()) != 0 && txn->mode >= at_least)
            return true;
    }
    return false;
}

static enum cairn_status txn_enter(struct lmdb_store *self, struct lmdb_txn *txn)
{
    enum cairn_status status = CAIRN_OK;

    pthread_mutex_lock(&self->mutex);
    while (self->is_growth_due && !is_mine_open(self, CAIRN_TXN_READ))
        pthread_cond_wait(&self->grown, &self->mutex);
    /* A second writer in one thread would wait for the first one for ever. */
    CAIRN_ASSERT(txn->mode == CAIRN_TXN_READ || !is_mine_open(self, CAIRN_TXN_WRITE));
    if (self->is_failed) {
        status = CAIRN_IO;
    } else {
        txn->next = self->open_txns;
        self->open_txns = txn;
    }
    pthread_mutex_unlock(&self->mutex);
    return status;
}

/* Under the mutex. Whoever ends the last transaction moves the map where that is due. */
static void txn_unlink(struct lmdb_store *self, struct lmdb_txn *txn)
{
    struct lmdb_txn **link = &self->open_txns;
    while (*link != txn)
        link = &(*link)->next;
    *link = txn->next;
    if (txn->wants_growth)
        self->is_growth_due = true;
    if (self->open_txns == NULL && self->is_growth_due) {
        map_grow(self);
        self->is_growth_due = false;
        pthread_cond_broadcast(&self->grown);
    }
}

static void txn_leave(struct lmdb_store *self, struct lmdb_txn *txn)
{
    pthread_mutex_lock(&self->mutex);
    txn_unlink(self, txn);
    pthread_mutex_unlock(&self->mutex);
}

static void store_fail(struct lmdb_store *self)
{
    pthread_mutex_lock(&self->mutex);
    self->is_failed = true;
    pthread_mutex_unlock(&self->mutex);
}

/* ---- transactions ---- */

/* The map is full: CONFLICT where running again will help, else why it will not. */
static enum cairn_status growth_ask(struct lmdb_store *self, struct lmdb_txn *txn)
{
    txn->wants_growth = true;
    pthread_mutex_lock(&self->mutex);
    enum cairn_status growth = self->growth;
    pthread_mutex_unlock(&self->mutex);
    return growth == CAIRN_OK ? CAIRN_CONFLICT : growth;
}

/* The status for LMDB's answer. After most failures LMDB refuses the rest of a transaction. */
enum cairn_status cairn_lmdb_answer(struct lmdb_txn *txn, int rc)
{
    struct lmdb_store *self = store_of(txn->base.store);
    enum cairn_status status = cairn_lmdb_status(rc);

    if (status == CAIRN_OK || status == CAIRN_NOT_FOUND)
        return status;
    if (rc == MDB_MAP_FULL)
        status = growth_ask(self, txn);
    else if (rc == EIO && txn->mode == CAIRN_TXN_WRITE && is_disk_full(self))
        status = CAIRN_NO_SPACE;
    txn->spoiled_by = status;
    return status;
}

/* Begin once; *out_again says that another process outgrew our map, and that ours has followed. */
static enum cairn_status txn_try(struct lmdb_store *self, struct lmdb_txn *txn, bool *out_again)
{
    unsigned flags = txn->mode == CAIRN_TXN_READ ? MDB_RDONLY : 0;
    enum cairn_status status = txn_enter(self, txn);
    int dead_readers;

    *out_again = false;
    if (status != CAIRN_OK)
        return status;
    int rc = txn->handle != NULL ? mdb_txn_renew(txn->handle)
                                 : mdb_txn_begin(self->env, NULL, flags, &txn->handle);
    if (rc == MDB_READERS_FULL && mdb_reader_check(self->env, &dead_readers) == MDB_SUCCESS)
        rc = mdb_txn_begin(self->env, NULL, flags, &txn->handle);
    if (rc == MDB_SUCCESS)
        return CAIRN_OK;

    txn->wants_growth = rc == MDB_MAP_RESIZED;
    txn_leave(self, txn);
    txn->wants_growth = false;
    if (rc == MDB_PANIC)
        store_fail(self); /* a meta page could not be written */
    if (rc != MDB_MAP_RESIZED)
        return cairn_lmdb_status(rc);

    pthread_mutex_lock(&self->mutex);
    *out_again = !is_mine_open(self, CAIRN_TXN_READ) && self->growth == CAIRN_OK;
    status = self->growth == CAIRN_OK ? CAIRN_CONFLICT : self->growth;
    pthread_mutex_unlock(&self->mutex);
    return status;
}

/* The reader that ended last, or a new transaction; NULL: out of memory. */
static struct lmdb_txn *txn_new(struct lmdb_store *self, enum cairn_txn_mode mode)
{
    struct lmdb_txn *txn = NULL;

    if (mode == CAIRN_TXN_READ) {
        pthread_mutex_lock(&self->mutex);
        txn = self->idle;
        self->idle = NULL;
        pthread_mutex_unlock(&self->mutex);
    }
    if (txn == NULL)
        txn = calloc(1, sizeof *txn);
    if (txn == NULL)
        return NULL;
    txn->base.store = &self->base;
    txn->mode = mode;
    txn->owner = pthread_self();
    return txn;
}

/* A reader, or what never became a transaction. */
static void reader_free(struct lmdb_txn *txn)
{
    if (txn == NULL)
        return;
    cairn_lmdb_range_free(txn->idle_range);
    if (txn->handle != NULL)
        mdb_txn_abort(txn->handle);
    free(txn);
}

static enum cairn_status lmdb_begin(struct cairn_store *store, enum cairn_txn_mode mode,
                                    struct cairn_txn **out_txn)
{
    struct lmdb_txn *txn = txn_new(store_of(store), mode);
    enum cairn_status status;
    bool again;

    if (txn == NULL)
        return CAIRN_NO_MEMORY;
    do {
        status = txn_try(store_of(store), txn, &again);
    } while (again);
    if (status != CAIRN_OK) {
        reader_free(txn);
        return status;
    }
    *out_txn = &txn->base;
    return CAIRN_OK;
}

static void txn_end(struct lmdb_txn *txn)
{
    CAIRN_ASSERT(txn->range_count == 0);
    txn_leave(store_of(txn->base.store), txn);
    free(txn);
}

/* A reader that ends is kept for the next one, which then need not look for a place among LMDB's
 * readers. Reset, it holds no pages; a map that moves meanwhile is found again by its renewal. */
static void reader_end(struct lmdb_txn *txn)
{
    struct lmdb_store *self = store_of(txn->base.store);

    CAIRN_ASSERT(txn->range_count == 0);
    mdb_txn_reset(txn->handle);
    pthread_mutex_lock(&self->mutex);
    txn_unlink(self, txn);
    txn->wants_growth = false;
    txn->spoiled_by = CAIRN_OK;
    struct lmdb_txn *unused = self->idle;
    self->idle = txn;
    pthread_mutex_unlock(&self->mutex);
    reader_free(unused);
}

void cairn_lmdb_idle_release(struct lmdb_store *self)
{
    reader_free(self->idle);
    self->idle = NULL;
}

static void lmdb_abort(struct cairn_txn *base)
{
    struct lmdb_txn *txn = txn_of(base);

    if (txn->mode == CAIRN_TXN_READ) {
        reader_end(txn);
        return;
    }
    mdb_txn_abort(txn->handle);
    txn_end(txn);
}

static uint64_t lmdb_snapshot(const struct cairn_txn *base)
{
    return mdb_txn_id(((const struct lmdb_txn *)base)->handle);
}

/*
 * LMDB 0.9 writes the pages, syncs, and only then writes the meta page that refers to them. A disk
 * that fills up during the pages has harmed nothing: the old meta page still rules, and the store
 * goes on. When the meta page itself fails LMDB remembers, and the next begin answers MDB_PANIC.
 * After any other failure nobody knows what the disk holds.
 */
static enum cairn_status lmdb_commit(struct cairn_txn *base)
{
    struct lmdb_txn *txn = txn_of(base);
    enum cairn_status status = txn->spoiled_by;

    if (status != CAIRN_OK || txn->mode == CAIRN_TXN_READ) {
        lmdb_abort(base);
        return status;
    }
    status = cairn_lmdb_answer(txn, mdb_txn_commit(txn->handle));
    if (status == CAIRN_IO || status == CAIRN_CORRUPT)
        store_fail(store_of(base->store));
    txn_end(txn);
    return status;
}

static enum cairn_status lmdb_get(struct cairn_txn *base, struct cairn_bytes key,
                                  struct cairn_bytes *out_value)
{
    struct lmdb_txn *txn = txn_of(base);
    MDB_val key_val = val_of(key);
    MDB_val value;

    CAIRN_ASSERT(key_fits(key));
    if (txn->spoiled_by != CAIRN_OK)
        return txn->spoiled_by;
    enum cairn_status status =
        cairn_lmdb_answer(txn, mdb_get(txn->handle, store_of(base->store)->dbi, &key_val, &value));
    if (status == CAIRN_OK)
        *out_value = bytes_of(value);
    return status;
}

/* Gathered apart, so that a failure half-way leaves the outputs untouched. */
static enum cairn_status lmdb_get_many(struct cairn_txn *base, const struct cairn_bytes *keys,
                                       size_t count, struct cairn_bytes *out_values)
{
    enum cairn_status status = txn_of(base)->spoiled_by;

    if (status != CAIRN_OK || count == 0)
        return status;
    struct cairn_bytes *values = calloc(count, sizeof *values);
    if (values == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < count && status == CAIRN_OK; i++) {
        status = lmdb_get(base, keys[i], &values[i]);
        if (status == CAIRN_NOT_FOUND)
            status = CAIRN_OK;
    }
    if (status == CAIRN_OK)
        memcpy(out_values, values, count * sizeof *values);
    free(values);
    return status;
}

static enum cairn_status lmdb_put(struct cairn_txn *base, struct cairn_bytes key,
                                  struct cairn_bytes value)
{
    struct lmdb_txn *txn = txn_of(base);
    MDB_val key_val = val_of(key);
    MDB_val value_val = val_of(value);

    CAIRN_ASSERT(key_fits(key));
    CAIRN_ASSERT(txn->mode == CAIRN_TXN_WRITE);
    if (txn->spoiled_by != CAIRN_OK)
        return txn->spoiled_by;
    txn->write_count++;
    return cairn_lmdb_answer(
        txn, mdb_put(txn->handle, store_of(base->store)->dbi, &key_val, &value_val, 0));
}

static enum cairn_status lmdb_del(struct cairn_txn *base, struct cairn_bytes key)
{
    struct lmdb_txn *txn = txn_of(base);
    MDB_val key_val = val_of(key);

    CAIRN_ASSERT(key_fits(key));
    CAIRN_ASSERT(txn->mode == CAIRN_TXN_WRITE);
    if (txn->spoiled_by != CAIRN_OK)
        return txn->spoiled_by;
    txn->write_count++;
    return cairn_lmdb_answer(txn, mdb_del(txn->handle, store_of(base->store)->dbi, &key_val, NULL));
}

/* ---- the store ---- */

static uint64_t stat_pages(const MDB_stat *stat)
{
    return (uint64_t)stat->ms_branch_pages + stat->ms_leaf_pages + stat->ms_overflow_pages;
}

static enum cairn_status lmdb_stat(struct cairn_store *store, struct cairn_store_stat *out_stat)
{
    const MDB_dbi free_dbi = 0; /* LMDB's own list of free pages; it takes pages too */
    struct cairn_txn *txn;
    MDB_stat data;
    MDB_stat free_list;

    enum cairn_status status = lmdb_begin(store, CAIRN_TXN_READ, &txn);
    if (status != CAIRN_OK)
        return status;
    status = cairn_lmdb_status(mdb_stat(txn_of(txn)->handle, store_of(store)->dbi, &data));
    if (status == CAIRN_OK)
        status = cairn_lmdb_status(mdb_stat(txn_of(txn)->handle, free_dbi, &free_list));
    if (status == CAIRN_OK)
        *out_stat = (struct cairn_store_stat){
            .used_bytes = (stat_pages(&data) + stat_pages(&free_list)) * data.ms_psize,
            .entry_count = data.ms_entries,
        };
    lmdb_abort(txn);
    return status;
}

const struct cairn_store_ops cairn_lmdb_ops = {
    .begin = lmdb_begin,
    .get = lmdb_get,
    .get_many = lmdb_get_many,
    .put = lmdb_put,
    .del = lmdb_del,
    .range_open = cairn_lmdb_range_open,
    .range_next = cairn_lmdb_range_next,
    .range_close = cairn_lmdb_range_close,
    .commit = lmdb_commit,
    .abort = lmdb_abort,
    .snapshot = lmdb_snapshot,
    .stat = lmdb_stat,
    .close = cairn_lmdb_close,
};
