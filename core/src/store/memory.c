/*
 * The memory back end of cairn/store.h: a persistent treap. A tree is never changed once it was
 * committed; a writer copies the path to what it changes, and a reader keeps the root it began
 * with, so snapshots cost nothing and readers need no lock. Nodes and items count their holders.
 * (Seidel and Aragon, Randomized search trees, 1996.)
 *
 * Priorities come from a fixed generator: no choice of keys unbalances the tree, and runs repeat.
 *
 * Memory:  one node and one item per entry, plus the paths that open transactions hold.
 * Threads: as the port says.
 */

#define _POSIX_C_SOURCE 200809L

#include "memory_internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct memory_store {
    struct cairn_store base;
    pthread_mutex_t writer; /* held from begin to end of a writing transaction */
    uint64_t writer_id;     /* of the last writer; guarded by `writer`, as is the next */
    uint64_t random;
    pthread_mutex_t mutex; /* guards what follows */
    struct node *root;
    struct cairn_store_stat stat;
    uint64_t commit_count;
    size_t txn_count;
};

static struct memory_store *store_of(struct cairn_store *store)
{
    return (struct memory_store *)store;
}

/* ---- items and nodes ---- */

static uint64_t item_size(const struct item *item)
{
    return sizeof(struct node) + sizeof *item + item->key_bytes + item->value_bytes;
}

static struct item *item_new(struct cairn_bytes key, struct cairn_bytes value)
{
    struct item *item;

    if (value.size > SIZE_MAX - sizeof *item - key.size)
        return NULL;
    item = malloc(sizeof *item + key.size + value.size);
    if (item == NULL)
        return NULL;
    atomic_init(&item->holders, 1);
    item->key_bytes = key.size;
    item->value_bytes = value.size;
    memcpy(item->bytes, key.data, key.size);
    if (value.size > 0)
        memcpy(item->bytes + key.size, value.data, value.size);
    return item;
}

static void item_release(struct item *item)
{
    if (atomic_fetch_sub(&item->holders, 1) == 1)
        free(item);
}

static struct node *node_hold(struct node *node)
{
    if (node != NULL)
        atomic_fetch_add(&node->holders, 1);
    return node;
}

/* Give up one hold. Nodes that die wait for their right halves in a list threaded
 * through `left`. */
static void node_release(struct node *node)
{
    struct node *waiting = NULL;

    for (;;) {
        if (node != NULL && atomic_fetch_sub(&node->holders, 1) == 1) {
            struct node *left = node->left;
            node->left = waiting;
            waiting = node;
            node = left;
        } else if (waiting != NULL) {
            struct node *dead = waiting;
            waiting = dead->left;
            node = dead->right;
            item_release(dead->item);
            free(dead);
        } else {
            return;
        }
    }
}

/*
 * Make the node behind `link` one that this writer may change, copying it where others may see it.
 * `link` is the writer's own already. On failure nothing changed.
 */
static enum cairn_status node_own(const struct memory_txn *txn, struct node **link)
{
    struct node *shared = *link;

    if (shared->writer_id == txn->writer_id)
        return CAIRN_OK;
    struct node *own = malloc(sizeof *own);
    if (own == NULL)
        return CAIRN_NO_MEMORY;
    atomic_init(&own->holders, 1);
    own->priority = shared->priority;
    own->writer_id = txn->writer_id;
    own->left = node_hold(shared->left);
    own->right = node_hold(shared->right);
    own->item = shared->item;
    atomic_fetch_add(&own->item->holders, 1);
    node_release(shared);
    *link = own;
    return CAIRN_OK;
}

/* splitmix64 (Steele, Lea and Flood, 2014). */
static uint64_t random_next(struct memory_store *self)
{
    uint64_t z = self->random += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static const struct node *node_find(const struct node *node, struct cairn_bytes key)
{
    while (node != NULL) {
        int order = compare(key, item_key(node->item));
        if (order == 0)
            break;
        node = order < 0 ? node->left : node->right;
    }
    return node;
}

/*
 * Own the path to the first node that is `key`'s or whose priority is below `floor`, where a new
 * node belongs; *out_link points at it, or at the empty place where the path ends.
 */
static enum cairn_status path_own(struct memory_txn *txn, struct cairn_bytes key, uint64_t floor,
                                  struct node ***out_link)
{
    struct node **link = &txn->root;

    while (*link != NULL && (*link)->priority >= floor) {
        enum cairn_status status = node_own(txn, link);
        if (status != CAIRN_OK)
            return status;
        int order = compare(key, item_key((*link)->item));
        if (order == 0)
            break;
        link = order < 0 ? &(*link)->left : &(*link)->right;
    }
    *out_link = link;
    return CAIRN_OK;
}

/*
 * Cut the tree `rest` in two around the key of `node` and hang the halves below it. Out of memory
 * leaves a tree out of order, though every hold in it counts: the transaction is spoiled by it.
 */
static enum cairn_status node_split(const struct memory_txn *txn, struct node *node,
                                    struct node *rest)
{
    struct node **below = &node->left;
    struct node **above = &node->right;
    enum cairn_status status = CAIRN_OK;

    while (rest != NULL && (status = node_own(txn, &rest)) == CAIRN_OK) {
        struct node *owned = rest;
        if (compare(item_key(owned->item), item_key(node->item)) < 0) {
            rest = owned->right;
            *below = owned;
            below = &owned->right;
        } else {
            rest = owned->left;
            *above = owned;
            above = &owned->left;
        }
    }
    *below = rest;
    *above = NULL;
    return status;
}

/* Join two trees at `link`, all keys of `below` before all of `above`. On failure as node_split. */
static enum cairn_status nodes_join(const struct memory_txn *txn, struct node *below,
                                    struct node *above, struct node **link)
{
    while (below != NULL && above != NULL) {
        bool is_below = below->priority > above->priority;
        *link = is_below ? below : above;
        enum cairn_status status = node_own(txn, link);
        if (status != CAIRN_OK) {
            node_release(is_below ? above : below);
            return status;
        }
        if (is_below) {
            below = (*link)->right;
            link = &(*link)->right;
        } else {
            above = (*link)->left;
            link = &(*link)->left;
        }
    }
    *link = below != NULL ? below : above;
    return CAIRN_OK;
}

/* ---- transactions ---- */

static enum cairn_status memory_begin(struct cairn_store *store, enum cairn_txn_mode mode,
                                      struct cairn_txn **out_txn)
{
    struct memory_store *self = store_of(store);
    struct memory_txn *txn = calloc(1, sizeof *txn);

    if (txn == NULL)
        return CAIRN_NO_MEMORY;
    txn->base.store = store;
    txn->mode = mode;
    if (mode == CAIRN_TXN_WRITE) {
        /* EDEADLK: this thread has a writer open and would wait for itself for ever. */
        int rc = pthread_mutex_lock(&self->writer);
        CAIRN_ASSERT(rc == 0);
        txn->writer_id = ++self->writer_id;
    }
    pthread_mutex_lock(&self->mutex);
    self->txn_count++;
    txn->root = node_hold(self->root);
    txn->snapshot = self->commit_count;
    txn->stat = self->stat;
    pthread_mutex_unlock(&self->mutex);
    *out_txn = &txn->base;
    return CAIRN_OK;
}

static void txn_end(struct memory_txn *txn, bool is_kept)
{
    struct memory_store *self = store_of(txn->base.store);
    struct node *unused = txn->root;
    CAIRN_ASSERT(txn->range_count == 0);
    pthread_mutex_lock(&self->mutex);
    self->txn_count--;
    if (is_kept) {
        unused = self->root;
        self->root = txn->root;
        self->commit_count++;
        self->stat = txn->stat;
    }
    pthread_mutex_unlock(&self->mutex);
    if (txn->mode == CAIRN_TXN_WRITE)
        pthread_mutex_unlock(&self->writer);
    node_release(unused);
    free(txn);
}

static void memory_abort(struct cairn_txn *base)
{
    txn_end(txn_of(base), false);
}

static enum cairn_status memory_commit(struct cairn_txn *base)
{
    struct memory_txn *txn = txn_of(base);
    enum cairn_status status = txn->spoiled_by;

    txn_end(txn, txn->mode == CAIRN_TXN_WRITE && status == CAIRN_OK);
    return status;
}

static uint64_t memory_snapshot(const struct cairn_txn *base)
{
    return ((const struct memory_txn *)base)->snapshot;
}

static enum cairn_status memory_get(struct cairn_txn *base, struct cairn_bytes key,
                                    struct cairn_bytes *out_value)
{
    const struct memory_txn *txn = txn_of(base);

    CAIRN_ASSERT(key_fits(key));
    if (txn->spoiled_by != CAIRN_OK)
        return txn->spoiled_by;
    const struct node *node = node_find(txn->root, key);
    if (node == NULL)
        return CAIRN_NOT_FOUND;
    *out_value = item_value(node->item);
    return CAIRN_OK;
}

static enum cairn_status memory_get_many(struct cairn_txn *base, const struct cairn_bytes *keys,
                                         size_t count, struct cairn_bytes *out_values)
{
    const struct memory_txn *txn = txn_of(base);

    if (txn->spoiled_by != CAIRN_OK)
        return txn->spoiled_by;
    for (size_t i = 0; i < count; i++) {
        CAIRN_ASSERT(key_fits(keys[i]));
        const struct node *node = node_find(txn->root, keys[i]);
        out_values[i] = node != NULL ? item_value(node->item) : (struct cairn_bytes){NULL, 0};
    }
    return CAIRN_OK;
}

/* Takes over `item`, whose key is there already. */
static enum cairn_status item_replace(struct memory_txn *txn, struct item *item)
{
    struct node **link;

    enum cairn_status status = path_own(txn, item_key(item), 0, &link);
    if (status != CAIRN_OK) {
        item_release(item);
        return status;
    }
    txn->stat.used_bytes += item_size(item) - item_size((*link)->item);
    item_release((*link)->item);
    (*link)->item = item;
    return CAIRN_OK;
}

/* Takes over `item`, whose key is not there. */
static enum cairn_status item_insert(struct memory_txn *txn, struct item *item)
{
    struct node **link;
    struct node *node = malloc(sizeof *node);
    uint64_t priority = random_next(store_of(txn->base.store));

    if (node == NULL || path_own(txn, item_key(item), priority, &link) != CAIRN_OK) {
        free(node);
        item_release(item);
        return CAIRN_NO_MEMORY;
    }
    struct node *rest = *link;
    atomic_init(&node->holders, 1);
    node->priority = priority;
    node->writer_id = txn->writer_id;
    node->item = item;
    *link = node;
    txn->stat.used_bytes += item_size(item);
    txn->stat.entry_count++;
    return txn->spoiled_by = node_split(txn, node, rest);
}

static enum cairn_status memory_put(struct cairn_txn *base, struct cairn_bytes key,
                                    struct cairn_bytes value)
{
    struct memory_txn *txn = txn_of(base);

    CAIRN_ASSERT(key_fits(key));
    CAIRN_ASSERT(txn->mode == CAIRN_TXN_WRITE);
    if (txn->spoiled_by != CAIRN_OK)
        return txn->spoiled_by;
    struct item *item = item_new(key, value);
    if (item == NULL)
        return CAIRN_NO_MEMORY;
    txn->write_count++;
    return node_find(txn->root, key) != NULL ? item_replace(txn, item) : item_insert(txn, item);
}

static enum cairn_status memory_del(struct cairn_txn *base, struct cairn_bytes key)
{
    struct memory_txn *txn = txn_of(base);
    struct node **link;

    CAIRN_ASSERT(key_fits(key));
    CAIRN_ASSERT(txn->mode == CAIRN_TXN_WRITE);
    if (txn->spoiled_by != CAIRN_OK)
        return txn->spoiled_by;
    if (node_find(txn->root, key) == NULL)
        return CAIRN_NOT_FOUND;
    txn->write_count++;
    enum cairn_status status = path_own(txn, key, 0, &link);
    if (status != CAIRN_OK)
        return status;
    struct node *dead = *link;
    txn->stat.used_bytes -= item_size(dead->item);
    txn->stat.entry_count--;
    txn->spoiled_by = nodes_join(txn, dead->left, dead->right, link);
    dead->left = NULL;
    dead->right = NULL;
    node_release(dead); /* last: the key may be borrowed from it */
    return txn->spoiled_by;
}

/* ---- the store ---- */

static enum cairn_status memory_stat(struct cairn_store *store, struct cairn_store_stat *out_stat)
{
    struct memory_store *self = store_of(store);

    pthread_mutex_lock(&self->mutex);
    *out_stat = self->stat;
    pthread_mutex_unlock(&self->mutex);
    return CAIRN_OK;
}

static void memory_close(struct cairn_store *store)
{
    struct memory_store *self = store_of(store);

    CAIRN_ASSERT(self->txn_count == 0);
    node_release(self->root);
    pthread_mutex_destroy(&self->mutex);
    pthread_mutex_destroy(&self->writer);
    free(self);
}

static const struct cairn_store_ops memory_ops = {
    .begin = memory_begin,
    .get = memory_get,
    .get_many = memory_get_many,
    .put = memory_put,
    .del = memory_del,
    .range_open = cairn_memory_range_open,
    .range_next = cairn_memory_range_next,
    .range_close = cairn_memory_range_close,
    .commit = memory_commit,
    .abort = memory_abort,
    .snapshot = memory_snapshot,
    .stat = memory_stat,
    .close = memory_close,
};

enum cairn_status cairn_store_memory_new(struct cairn_store **out_store)
{
    struct memory_store *self = calloc(1, sizeof *self);
    pthread_mutexattr_t attributes;

    if (self == NULL)
        return CAIRN_NO_MEMORY;
    self->base.ops = &memory_ops;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&self->writer, &attributes);
    pthread_mutexattr_destroy(&attributes);
    pthread_mutex_init(&self->mutex, NULL);
    *out_store = &self->base;
    return CAIRN_OK;
}
