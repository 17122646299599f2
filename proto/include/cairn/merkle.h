/*
 * cairn/merkle.h: the Merkle tree of RFC 9162 section 2.1 over SHA-256: leaves, growing trees,
 * inclusion and consistency proofs. Used twice: device logs and scope logs.
 *
 * Leaves enter as hashes; how a leaf is hashed is the caller's business (device logs blind
 * theirs, see cairn/leaf.h), cairn_merkle_leaf() is the plain one.
 * Memory: nothing allocates. Threads: pure but for the object passed. No errors but proofs.
 */

#ifndef CAIRN_MERKLE_H
#define CAIRN_MERKLE_H

#include "cairn/bytes.h"

#define CAIRN_TREE_LEVELS 33 /* sizes up to 2^32: an index is u32 */

/* SHA-256(0x00 || data) */
struct cairn_hash cairn_merkle_leaf(struct cairn_bytes data);
/* SHA-256(0x01 || left || right) */
struct cairn_hash cairn_merkle_node(const struct cairn_hash *left, const struct cairn_hash *right);

/*
 * A growing tree: its size and the roots of the perfect subtrees that it consists of, largest
 * first; as many as `size` has one bits. This is all that is needed to append and to know the root.
 */
struct cairn_tree {
    uint64_t size;
    struct cairn_hash peaks[CAIRN_TREE_LEVELS];
};

void cairn_tree_init(struct cairn_tree *tree);
unsigned cairn_tree_peak_count(const struct cairn_tree *tree);
/* Size must be below 2^32 (asserted). */
void cairn_tree_append(struct cairn_tree *tree, const struct cairn_hash *leaf);
/* SHA-256 of nothing for an empty tree. */
struct cairn_hash cairn_tree_root(const struct cairn_tree *tree);

/*
 * The audit path of leaf `index` in the tree over `leaves[0..count)` (RFC 9162 2.1.3.1), lowest
 * first, into out_path[CAIRN_TREE_LEVELS]; returns its length. index < count is asserted.
 */
size_t cairn_merkle_path(const struct cairn_hash *leaves, size_t count, size_t index,
                         struct cairn_hash *out_path);
/* The consistency proof from `old_count` (> 0, <= count) to `count` leaves (2.1.4.1), into
 * out_path[2 * CAIRN_TREE_LEVELS]; returns its length. */
size_t cairn_merkle_consistency_path(const struct cairn_hash *leaves, size_t count,
                                     size_t old_count, struct cairn_hash *out_path);

/* The root that `path` leads to (RFC 9162 2.1.3.2). MALFORMED when the path has not the length
 * that (index, size) needs, or index >= size; the caller compares the root. */
CAIRN_NODISCARD
enum cairn_status cairn_merkle_path_root(uint64_t index, uint64_t size,
                                         const struct cairn_hash *leaf,
                                         const struct cairn_hash *path, size_t path_count,
                                         struct cairn_hash *out_root);
/* OK when the tree of (new_size, new_root) extends that of (old_size, old_root) (RFC 9162
 * 2.1.4.2); BAD_SIGNATURE when roots do not match, MALFORMED when lengths cannot be. */
CAIRN_NODISCARD
enum cairn_status cairn_merkle_consistency_check(uint64_t old_size,
                                                 const struct cairn_hash *old_root,
                                                 uint64_t new_size,
                                                 const struct cairn_hash *new_root,
                                                 const struct cairn_hash *path, size_t path_count);

#endif
