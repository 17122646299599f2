/* Ranges of the memory back end; declared in memory_internal.h. */

#include "memory_internal.h"

#include <stdlib.h>
#include <string.h>

/* With 2^32 entries the depth of a treap stays below 100 but for odds nobody will meet. */
#define PATH_MAX_DEPTH 192

struct memory_range {
    struct cairn_range base;
    enum cairn_range_order order;
    uint64_t write_count; /* of the transaction when the path was made */
    bool is_started;
    size_t depth;
    const struct node *path[PATH_MAX_DEPTH]; /* nodes still to come, the next one last */
    size_t place_bytes;
    uint8_t place[CAIRN_STORE_KEY_MAX]; /* the start, then the key last returned */
    size_t end_bytes;
    uint8_t end[CAIRN_STORE_KEY_MAX];
};

enum cairn_status cairn_memory_range_open(struct cairn_txn *base, struct cairn_bytes first,
                                          struct cairn_bytes last, enum cairn_range_order order,
                                          struct cairn_range **out_range)
{
    struct memory_txn *txn = txn_of(base);
    struct cairn_bytes start = order == CAIRN_ASCENDING ? first : last;
    struct cairn_bytes end = order == CAIRN_ASCENDING ? last : first;

    CAIRN_ASSERT(key_fits(first) && key_fits(last));
    if (txn->spoiled_by != CAIRN_OK)
        return txn->spoiled_by;
    struct memory_range *range = malloc(sizeof *range);
    if (range == NULL)
        return CAIRN_NO_MEMORY;
    range->base.txn = base;
    range->order = order;
    range->write_count = 0;
    range->is_started = false;
    range->depth = 0;
    range->place_bytes = start.size;
    memcpy(range->place, start.data, start.size);
    range->end_bytes = end.size;
    memcpy(range->end, end.data, end.size);
    txn->range_count++;
    *out_range = &range->base;
    return CAIRN_OK;
}

/* Add the way to the first key below `node` that is still to come; the place itself is at first. */
static void path_descend(struct memory_range *range, const struct node *node)
{
    struct cairn_bytes place = {range->place, range->place_bytes};

    while (node != NULL) {
        int order = compare(item_key(node->item), place);
        if (range->order == CAIRN_DESCENDING)
            order = -order;
        bool is_ahead = order > 0 || (order == 0 && !range->is_started);
        if (is_ahead) {
            CAIRN_ASSERT(range->depth < PATH_MAX_DEPTH);
            range->path[range->depth++] = node;
        }
        node = is_ahead == (range->order == CAIRN_ASCENDING) ? node->left : node->right;
    }
}

/* Between two calls the node to return lies on top of the path, if it is there at all. */
enum cairn_status cairn_memory_range_next(struct cairn_range *base, struct cairn_bytes *out_key,
                                          struct cairn_bytes *out_value)
{
    struct memory_range *range = (struct memory_range *)base;
    const struct memory_txn *txn = txn_of(base->txn);
    struct cairn_bytes end = {range->end, range->end_bytes};

    if (txn->spoiled_by != CAIRN_OK)
        return txn->spoiled_by;
    if (!range->is_started || range->write_count != txn->write_count) {
        range->depth = 0;
        path_descend(range, txn->root);
        range->write_count = txn->write_count;
    }
    if (range->depth == 0)
        return CAIRN_NOT_FOUND;
    const struct node *node = range->path[range->depth - 1];
    const struct item *item = node->item;
    int past_end = compare(item_key(item), end);
    if (range->order == CAIRN_ASCENDING ? past_end > 0 : past_end < 0)
        return CAIRN_NOT_FOUND;
    range->is_started = true;
    range->place_bytes = item->key_bytes;
    memcpy(range->place, item->bytes, item->key_bytes);
    range->depth--;
    path_descend(range, range->order == CAIRN_ASCENDING ? node->right : node->left);
    *out_key = item_key(item);
    *out_value = item_value(item);
    return CAIRN_OK;
}

void cairn_memory_range_close(struct cairn_range *base)
{
    txn_of(base->txn)->range_count--;
    free(base);
}
