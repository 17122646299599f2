/*
 * cairn/store.h: the storage port, an ordered key-value store with transactions. LMDB on disk and
 * a memory store stand behind it; tests add one that fails on demand. What keys mean is written
 * in one place, core/src/base/layout.h; this port knows only bytes.
 *
 * A back end must pass tests/store/store_suite.h, which is this contract in executable form:
 *   - keys are ordered as memcmp orders them, shorter first; 1 to CAIRN_STORE_KEY_MAX bytes
 *   - one writer at a time; a reader sees the store as it was at its begin
 *   - what a commit that returned OK wrote survives a power cut; a failed one leaves no trace
 *   - any call may answer CONFLICT (LMDB: only where the map had to grow). The transaction is then
 *     over in all but name: the caller aborts it and runs the whole of it again
 *   - a returned value or key is borrowed until the next write in, or the end of, its transaction
 *
 * Threads: a store may be shared; a transaction and its ranges belong to one thread.
 */

#ifndef CAIRN_STORE_H
#define CAIRN_STORE_H

#include "cairn/bytes.h"

#define CAIRN_STORE_KEY_MAX 255

struct cairn_store;
struct cairn_txn;
struct cairn_range;

enum cairn_txn_mode { CAIRN_TXN_READ, CAIRN_TXN_WRITE };
enum cairn_range_order { CAIRN_ASCENDING, CAIRN_DESCENDING };

struct cairn_store_stat {
    uint64_t used_bytes; /* pages or bytes in use, free ones not counted */
    uint64_t entry_count;
};

/* All entries are mandatory. Outputs are written only together with OK. Besides what is named,
 * every fallible call may answer CONFLICT, NO_SPACE, IO, CORRUPT, NO_MEMORY. */
struct cairn_store_ops {
    enum cairn_status (*begin)(struct cairn_store *store, enum cairn_txn_mode mode,
                               struct cairn_txn **out_txn);
    /* NOT_FOUND when the key is absent. */
    enum cairn_status (*get)(struct cairn_txn *txn, struct cairn_bytes key,
                             struct cairn_bytes *out_value);
    /* `count` keys at once; an absent one gives {NULL, 0}. */
    enum cairn_status (*get_many)(struct cairn_txn *txn, const struct cairn_bytes *keys,
                                  size_t count, struct cairn_bytes *out_values);
    /* Insert or replace. */
    enum cairn_status (*put)(struct cairn_txn *txn, struct cairn_bytes key,
                             struct cairn_bytes value);
    /* NOT_FOUND when the key is absent. */
    enum cairn_status (*del)(struct cairn_txn *txn, struct cairn_bytes key);
    /* Keys from `first` to `last`, both included. Close before the transaction ends; a write in
     * the same transaction between two steps is allowed only behind the place already passed. */
    enum cairn_status (*range_open)(struct cairn_txn *txn, struct cairn_bytes first,
                                    struct cairn_bytes last, enum cairn_range_order order,
                                    struct cairn_range **out_range);
    /* NOT_FOUND at the end. */
    enum cairn_status (*range_next)(struct cairn_range *range, struct cairn_bytes *out_key,
                                    struct cairn_bytes *out_value);
    void (*range_close)(struct cairn_range *range);
    /* Ends the transaction whatever the answer; OK means durable. */
    enum cairn_status (*commit)(struct cairn_txn *txn);
    void (*abort)(struct cairn_txn *txn);
    /* A number of the state that a reading transaction sees: two of one open store that give the
     * same number see the same bytes. Of no meaning in a writing one. */
    uint64_t (*snapshot)(const struct cairn_txn *txn);
    enum cairn_status (*stat)(struct cairn_store *store, struct cairn_store_stat *out_stat);
    void (*close)(struct cairn_store *store);
};

/* A back end embeds these as first members. */
struct cairn_store {
    const struct cairn_store_ops *ops;
};
struct cairn_txn {
    struct cairn_store *store;
};
struct cairn_range {
    struct cairn_txn *txn;
};

/*
 * Open (and create where `create`) the LMDB store in folder `path` (mode 0700, made if missing).
 * Clears stale readers, checks that the file is as long as its last page says, and grows its map
 * by itself, whether this process or another one needs it. One open per folder and process.
 *   NOT_FOUND  no store there and not `create`
 *   CORRUPT    the file is cut short or not LMDB; nothing was changed
 *   NO_SPACE, IO, NO_MEMORY
 * The store is closed with ops->close.
 */
CAIRN_NODISCARD
enum cairn_status cairn_store_lmdb_open(const char *path, bool create,
                                        struct cairn_store **out_store, struct cairn_err *err);

/* Name and version of the library, static. */
const char *cairn_store_lmdb_version(void);

/* An empty store in memory. NO_MEMORY only. */
CAIRN_NODISCARD enum cairn_status cairn_store_memory_new(struct cairn_store **out_store);

#endif
