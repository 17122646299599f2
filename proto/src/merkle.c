#include "cairn/merkle.h"

#include <string.h>

#include <sodium.h>

_Static_assert(sizeof(struct cairn_hash) == crypto_hash_sha256_BYTES, "hashes are SHA-256");

/* The first byte keeps a leaf from being read as a node (RFC 9162 section 2.1.1). */
enum { LEAF_PREFIX = 0, NODE_PREFIX = 1 };

#define TREE_SIZE_MAX (UINT64_C(1) << (CAIRN_TREE_LEVELS - 1))

struct cairn_hash cairn_merkle_leaf(struct cairn_bytes data)
{
    static const uint8_t prefix = LEAF_PREFIX;
    crypto_hash_sha256_state state;
    struct cairn_hash hash;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, &prefix, sizeof(prefix));
    if (data.size != 0)
        crypto_hash_sha256_update(&state, data.data, data.size);
    crypto_hash_sha256_final(&state, hash.bytes);
    return hash;
}

struct cairn_hash cairn_merkle_node(const struct cairn_hash *left, const struct cairn_hash *right)
{
    uint8_t input[1 + 2 * sizeof(struct cairn_hash)] = {NODE_PREFIX};
    struct cairn_hash hash;

    memcpy(input + 1, left->bytes, sizeof(left->bytes));
    memcpy(input + 1 + sizeof(left->bytes), right->bytes, sizeof(right->bytes));
    crypto_hash_sha256(hash.bytes, input, sizeof(input));
    return hash;
}

void cairn_tree_init(struct cairn_tree *tree)
{
    memset(tree, 0, sizeof(*tree));
}

unsigned cairn_tree_peak_count(const struct cairn_tree *tree)
{
    unsigned count = 0;

    for (uint64_t rest = tree->size; rest != 0; rest &= rest - 1)
        count++;
    return count;
}

void cairn_tree_append(struct cairn_tree *tree, const struct cairn_hash *leaf)
{
    struct cairn_hash hash = *leaf;
    unsigned peak = cairn_tree_peak_count(tree);

    CAIRN_ASSERT(tree->size < TREE_SIZE_MAX);
    /* As in counting: each one bit at the end is a peak as high as the new one, and carries. */
    for (uint64_t rest = tree->size; (rest & 1) != 0; rest >>= 1)
        hash = cairn_merkle_node(&tree->peaks[--peak], &hash);
    tree->peaks[peak] = hash;
    tree->size++;
}

struct cairn_hash cairn_tree_root(const struct cairn_tree *tree)
{
    unsigned peak = cairn_tree_peak_count(tree);
    struct cairn_hash root;

    if (peak == 0) {
        crypto_hash_sha256(root.bytes, NULL, 0);
        return root;
    }
    root = tree->peaks[--peak];
    while (peak > 0)
        root = cairn_merkle_node(&tree->peaks[--peak], &root);
    return root;
}

static struct cairn_hash root_of(const struct cairn_hash *leaves, size_t count)
{
    struct cairn_tree tree;

    cairn_tree_init(&tree);
    for (size_t i = 0; i < count; i++)
        cairn_tree_append(&tree, &leaves[i]);
    return cairn_tree_root(&tree);
}

/* The size of the left subtree: the largest power of two below `count`, which is at least 2. */
static size_t left_count(size_t count)
{
    size_t left = 1;

    while (left < count - left)
        left <<= 1;
    return left;
}

/* The RFC's definitions descend from the root; a path is stored from the leaf upwards. */
static void reverse(struct cairn_hash *hashes, size_t count)
{
    for (size_t low = 0, high = count; low + 1 < high; low++) {
        struct cairn_hash held = hashes[low];

        hashes[low] = hashes[--high];
        hashes[high] = held;
    }
}

size_t cairn_merkle_path(const struct cairn_hash *leaves, size_t count, size_t index,
                         struct cairn_hash *out_path)
{
    size_t length = 0;

    CAIRN_ASSERT(index < count);
    CAIRN_ASSERT(count <= TREE_SIZE_MAX);
    while (count > 1) {
        size_t left = left_count(count);

        if (index < left) {
            out_path[length++] = root_of(leaves + left, count - left);
            count = left;
        } else {
            out_path[length++] = root_of(leaves, left);
            leaves += left;
            count -= left;
            index -= left;
        }
    }
    reverse(out_path, length);
    return length;
}

size_t cairn_merkle_consistency_path(const struct cairn_hash *leaves, size_t count,
                                     size_t old_count, struct cairn_hash *out_path)
{
    /* While true, the subtree in hand is one whose root the holder of the old tree knows. */
    bool is_known = true;
    size_t length = 0;

    CAIRN_ASSERT(old_count > 0 && old_count <= count);
    CAIRN_ASSERT(count <= TREE_SIZE_MAX);
    while (old_count != count) {
        size_t left = left_count(count);

        if (old_count <= left) {
            out_path[length++] = root_of(leaves + left, count - left);
            count = left;
        } else {
            out_path[length++] = root_of(leaves, left);
            leaves += left;
            count -= left;
            old_count -= left;
            is_known = false;
        }
    }
    if (!is_known)
        out_path[length++] = root_of(leaves, count);
    reverse(out_path, length);
    return length;
}

/*
 * Where a proof stands: the node that has been reached and the last node of the same level, both
 * counted from the left. Both reach 0 at the root. (fn and sn of RFC 9162.)
 */
struct climb {
    uint64_t node;
    uint64_t last;
};

static void climb_one(struct climb *climb)
{
    climb->node >>= 1;
    climb->last >>= 1;
}

/* Does the next sibling stand on the left? If not, it stands on the right. */
static bool sibling_is_left(const struct climb *climb)
{
    return (climb->node & 1) != 0 || climb->node == climb->last;
}

/* Up past the sibling just used. A last node without a sibling rises unchanged until it has one. */
static void climb_past_sibling(struct climb *climb)
{
    if (sibling_is_left(climb))
        while ((climb->node & 1) == 0 && climb->node != 0)
            climb_one(climb);
    climb_one(climb);
}

enum cairn_status cairn_merkle_path_root(uint64_t index, uint64_t size,
                                         const struct cairn_hash *leaf,
                                         const struct cairn_hash *path, size_t path_count,
                                         struct cairn_hash *out_root)
{
    struct cairn_hash root = *leaf;
    struct climb climb = {.node = index, .last = size - 1};

    if (index >= size)
        return CAIRN_MALFORMED;
    for (size_t i = 0; i < path_count; i++) {
        if (climb.last == 0)
            return CAIRN_MALFORMED;
        root = sibling_is_left(&climb) ? cairn_merkle_node(&path[i], &root)
                                       : cairn_merkle_node(&root, &path[i]);
        climb_past_sibling(&climb);
    }
    if (climb.last != 0)
        return CAIRN_MALFORMED;
    *out_root = root;
    return CAIRN_OK;
}

/* As cairn_merkle_consistency_check(), for 0 < old_size < new_size and a path that is not empty. */
static enum cairn_status check_growth(struct climb climb, const struct cairn_hash *old_root,
                                      const struct cairn_hash *new_root,
                                      const struct cairn_hash *path, size_t path_count)
{
    struct cairn_hash old_reached;
    struct cairn_hash new_reached;
    size_t used = 0;

    /* To the largest subtree that ends where the old tree ends. */
    while ((climb.node & 1) != 0)
        climb_one(&climb);
    /* If that is the whole old tree, its root is known and not in the path. */
    old_reached = climb.node == 0 ? *old_root : path[used++];
    new_reached = old_reached;

    for (; used < path_count; used++) {
        if (climb.last == 0)
            return CAIRN_MALFORMED;
        if (sibling_is_left(&climb)) {
            old_reached = cairn_merkle_node(&path[used], &old_reached);
            new_reached = cairn_merkle_node(&path[used], &new_reached);
        } else {
            new_reached = cairn_merkle_node(&new_reached, &path[used]);
        }
        climb_past_sibling(&climb);
    }
    if (climb.last != 0)
        return CAIRN_MALFORMED;
    if (!cairn_hash_equal(&old_reached, old_root) || !cairn_hash_equal(&new_reached, new_root))
        return CAIRN_BAD_SIGNATURE;
    return CAIRN_OK;
}

enum cairn_status cairn_merkle_consistency_check(uint64_t old_size,
                                                 const struct cairn_hash *old_root,
                                                 uint64_t new_size,
                                                 const struct cairn_hash *new_root,
                                                 const struct cairn_hash *path, size_t path_count)
{
    struct climb climb = {.node = old_size - 1, .last = new_size - 1};

    if (old_size == 0 || old_size > new_size)
        return CAIRN_MALFORMED;
    /* The same tree needs no proof, a larger one needs some. */
    if ((old_size == new_size) != (path_count == 0))
        return CAIRN_MALFORMED;
    if (old_size == new_size)
        return cairn_hash_equal(old_root, new_root) ? CAIRN_OK : CAIRN_BAD_SIGNATURE;
    return check_growth(climb, old_root, new_root, path, path_count);
}
