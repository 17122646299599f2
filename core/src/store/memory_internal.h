/* The memory back end's private header: memory.c is the tree and its transactions, memory_range.c
 * walks it. */

#ifndef CAIRN_MEMORY_INTERNAL_H
#define CAIRN_MEMORY_INTERNAL_H

#include "cairn/store.h"

#include <stdatomic.h>
#include <string.h>

struct item {
    atomic_size_t holders;
    size_t key_bytes;
    size_t value_bytes;
    uint8_t bytes[]; /* key, then value */
};

struct node {
    atomic_size_t holders;
    uint64_t priority;
    uint64_t writer_id; /* that writer alone sees this node until it commits, and may change it */
    struct node *left;
    struct node *right;
    struct item *item;
};

struct memory_txn {
    struct cairn_txn base;
    enum cairn_txn_mode mode;
    enum cairn_status spoiled_by; /* OK, or what every later call answers */
    uint64_t writer_id;           /* 0 for a reader */
    uint64_t write_count;
    size_t range_count;
    struct node *root;
    uint64_t snapshot;
    struct cairn_store_stat stat;
};

static inline struct memory_txn *txn_of(struct cairn_txn *txn)
{
    return (struct memory_txn *)txn;
}

static inline bool key_fits(struct cairn_bytes key)
{
    return key.size >= 1 && key.size <= CAIRN_STORE_KEY_MAX;
}

static inline int compare(struct cairn_bytes a, struct cairn_bytes b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static inline struct cairn_bytes item_key(const struct item *item)
{
    return (struct cairn_bytes){item->bytes, item->key_bytes};
}

static inline struct cairn_bytes item_value(const struct item *item)
{
    return (struct cairn_bytes){item->bytes + item->key_bytes, item->value_bytes};
}

/* The port's ranges (memory_range.c). */
enum cairn_status cairn_memory_range_open(struct cairn_txn *base, struct cairn_bytes first,
                                          struct cairn_bytes last, enum cairn_range_order order,
                                          struct cairn_range **out_range);
enum cairn_status cairn_memory_range_next(struct cairn_range *base, struct cairn_bytes *out_key,
                                          struct cairn_bytes *out_value);
void cairn_memory_range_close(struct cairn_range *base);

#endif
