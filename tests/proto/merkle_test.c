/* The Merkle tree: published tables, then every small tree against the RFC's own definitions. */

#include "cairn/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "aborts.h"
#include "vectors.h"

enum { PATH_MAX_HASHES = 80, SMALL_TREES_MAX = 40 };

struct proof {
    struct cairn_hash path[PATH_MAX_HASHES];
    size_t count;
};

/* False when a hash has not 32 bytes: a reader of fixed-size hashes never gets further. */
static bool parse_proof(const json_t *row, struct proof *out_proof)
{
    const json_t *texts = vectors_array(row, "proof_hex");

    out_proof->count = json_array_size(texts);
    assert_true(out_proof->count <= PATH_MAX_HASHES);
    for (size_t i = 0; i < out_proof->count; i++)
        if (!vectors_unhex_into(json_string_value(json_array_get(texts, i)), &out_proof->path[i],
                                sizeof(struct cairn_hash)))
            return false;
    return true;
}

static bool parse_hash(const json_t *row, const char *key, struct cairn_hash *out_hash)
{
    return vectors_hex_into(row, key, out_hash->bytes, sizeof(out_hash->bytes));
}

static struct cairn_hash hash_of(const json_t *row, const char *key)
{
    struct cairn_hash hash;

    assert_true(parse_hash(row, key, &hash));
    return hash;
}

static void expect_hash(const json_t *row, struct cairn_hash got, struct cairn_hash want)
{
    vectors_expect_bytes(row, (struct cairn_bytes){got.bytes, sizeof(got.bytes)},
                         (struct cairn_bytes){want.bytes, sizeof(want.bytes)});
}

static void expect_path(const json_t *row, const struct cairn_hash *got, size_t got_count,
                        const struct proof *want)
{
    if (got_count != want->count)
        fail_msg("row %s: %zu hashes, want %zu", vectors_id(row), got_count, want->count);
    for (size_t i = 0; i < got_count; i++)
        expect_hash(row, got[i], want->path[i]);
}

/* Leaf i of the trees of one-byte leaves. */
static struct cairn_hash byte_leaf(size_t i)
{
    uint8_t byte = (uint8_t)i;

    return cairn_merkle_leaf((struct cairn_bytes){&byte, 1});
}

static void fill_leaves(struct cairn_hash *leaves, size_t count)
{
    for (size_t i = 0; i < count; i++)
        leaves[i] = byte_leaf(i);
}

/* What became of the rows of a table. */
struct tally {
    unsigned accepted;
    unsigned refused;
    unsigned unparsed;
};

static void print_tally(const char *path, struct tally tally)
{
    print_message("%s: %u accepted, %u refused, %u with an odd hash length refused in parsing\n",
                  path, tally.accepted, tally.refused, tally.unparsed);
}

static void run_inclusion_row(const json_t *row, struct tally *tally)
{
    struct proof proof;
    struct cairn_hash leaf;
    struct cairn_hash root;
    struct cairn_hash reached;
    bool is_parsed = parse_proof(row, &proof) && parse_hash(row, "leaf_hash_hex", &leaf) &&
                     parse_hash(row, "root_hex", &root);
    /* Tables of proofs that all hold have no such column. */
    bool want = !vectors_has(row, "valid") || vectors_bool(row, "valid");
    bool holds;

    assert_int_equal(is_parsed, !vectors_flag(row, "odd_hash_length"));
    if (!is_parsed) {
        tally->unparsed++;
        return;
    }
    holds = cairn_merkle_path_root(vectors_u64(row, "leaf_index"), vectors_u64(row, "tree_size"),
                                   &leaf, proof.path, proof.count, &reached) == CAIRN_OK &&
            cairn_hash_equal(&reached, &root);
    if (holds != want)
        fail_msg("row %s: got %d, want %d", vectors_id(row), holds, want);
    if (holds)
        tally->accepted++;
    else
        tally->refused++;
}

static struct tally run_inclusion(const char *path)
{
    json_t *table = vectors_load(path);
    struct tally tally = {0};

    VECTORS_EACH(table, i, row)
    run_inclusion_row(row, &tally);
    print_tally(path, tally);
    vectors_free(table);
    return tally;
}

static void inclusion_proofs_hold_where_the_table_says_so(void **state)
{
    struct tally tally = run_inclusion("/merkle/inclusion.json");

    (void)state;
    assert_true(tally.accepted > 0 && tally.refused > 0 && tally.unparsed > 0);
}

static void an_entry_of_a_real_log_is_proven_and_its_broken_forms_are_not(void **state)
{
    json_t *table = vectors_load("/merkle/ct_real_entry.json");
    struct cairn_bytes entry = vectors_hex(table, "leaf_hex");
    struct tally tally = run_inclusion("/merkle/ct_real_entry.json");
    const json_t *first = json_array_get(vectors_cases(table), 0);

    (void)state;
    expect_hash(first, cairn_merkle_leaf(entry), hash_of(first, "leaf_hash_hex"));
    assert_true(tally.accepted > 0 && tally.refused > 0);
    vectors_bytes_free(entry);
    vectors_free(table);
}

static void consistency_proofs_hold_where_the_table_says_so(void **state)
{
    json_t *table = vectors_load("/merkle/consistency.json");
    struct tally tally = {0};

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        struct proof proof;
        struct cairn_hash old_root;
        struct cairn_hash new_root;
        bool is_parsed = parse_proof(row, &proof) && parse_hash(row, "root1_hex", &old_root) &&
                         parse_hash(row, "root2_hex", &new_root);
        bool holds;

        assert_int_equal(is_parsed, !vectors_flag(row, "odd_hash_length"));
        if (!is_parsed) {
            tally.unparsed++;
            continue;
        }
        holds = cairn_merkle_consistency_check(vectors_u64(row, "size1"), &old_root,
                                               vectors_u64(row, "size2"), &new_root, proof.path,
                                               proof.count) == CAIRN_OK;
        if (holds != vectors_bool(row, "valid"))
            fail_msg("row %s: got %d", vectors_id(row), holds);
        if (holds)
            tally.accepted++;
        else
            tally.refused++;
    }
    print_tally("/merkle/consistency.json", tally);
    assert_true(tally.accepted > 0 && tally.refused > 0 && tally.unparsed > 0);
    vectors_free(table);
}

static void single_hashes_are_those_of_the_reference_tree(void **state)
{
    json_t *table = vectors_load("/merkle/ct_reference_tree.json");
    const json_t *hashes = vectors_array(table, "hashes");

    (void)state;
    assert_true(json_array_size(hashes) > 0);
    for (size_t i = 0; i < json_array_size(hashes); i++) {
        const json_t *row = json_array_get(hashes, i);
        const char *op = vectors_text(row, "op");
        struct cairn_hash want = hash_of(row, "result_hex");
        struct cairn_tree tree;

        if (strcmp(op, "leaf") == 0) {
            struct cairn_bytes data = vectors_hex(row, "data_hex");

            expect_hash(row, cairn_merkle_leaf(data), want);
            vectors_bytes_free(data);
        } else if (strcmp(op, "node") == 0) {
            struct cairn_hash left = hash_of(row, "left_hex");
            struct cairn_hash right = hash_of(row, "right_hex");

            expect_hash(row, cairn_merkle_node(&left, &right), want);
        } else {
            assert_string_equal(op, "empty");
            cairn_tree_init(&tree);
            expect_hash(row, cairn_tree_root(&tree), want);
        }
    }
    print_message("/merkle/ct_reference_tree.json: %zu hashes\n", json_array_size(hashes));
    vectors_free(table);
}

static void the_reference_tree_grows_through_its_roots(void **state)
{
    json_t *table = vectors_load("/merkle/ct_reference_tree.json");
    const json_t *leaves = vectors_array(table, "leaves_hex");
    const json_t *roots = vectors_array(table, "roots_hex");
    struct cairn_tree tree;

    (void)state;
    assert_true(json_array_size(leaves) > 0);
    assert_int_equal(json_array_size(leaves), json_array_size(roots));
    cairn_tree_init(&tree);
    for (size_t i = 0; i < json_array_size(leaves); i++) {
        struct cairn_bytes data = vectors_unhex(json_string_value(json_array_get(leaves, i)));
        struct cairn_hash leaf = cairn_merkle_leaf(data);
        struct cairn_hash want;

        assert_true(vectors_unhex_into(json_string_value(json_array_get(roots, i)), want.bytes,
                                       sizeof(want.bytes)));
        cairn_tree_append(&tree, &leaf);
        expect_hash(NULL, cairn_tree_root(&tree), want);
        vectors_bytes_free(data);
    }
    print_message("/merkle/ct_reference_tree.json: %zu roots\n", json_array_size(roots));
    vectors_free(table);
}

static void trees_of_one_byte_leaves_have_the_listed_roots(void **state)
{
    json_t *table = vectors_load("/merkle/bytes_tree_roots.json");
    unsigned count = 0;

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        size_t size = (size_t)vectors_int(row, "tree_size");
        struct cairn_tree tree;

        cairn_tree_init(&tree);
        for (size_t leaf_index = 0; leaf_index < size; leaf_index++) {
            struct cairn_hash leaf = byte_leaf(leaf_index);

            cairn_tree_append(&tree, &leaf);
        }
        assert_int_equal(tree.size, size);
        expect_hash(row, cairn_tree_root(&tree), hash_of(row, "root_hex"));
        count++;
    }
    print_message("/merkle/bytes_tree_roots.json: %u roots\n", count);
    vectors_free(table);
}

static void inclusion_proofs_in_trees_of_one_byte_leaves_hold_and_are_made_alike(void **state)
{
    json_t *table = vectors_load("/merkle/bytes_tree_inclusion.json");
    struct tally tally = run_inclusion("/merkle/bytes_tree_inclusion.json");
    struct cairn_hash leaves[256];

    (void)state;
    assert_int_equal(tally.accepted, json_array_size(vectors_cases(table)));
    fill_leaves(leaves, 256);
    VECTORS_EACH(table, i, row)
    {
        struct cairn_hash path[CAIRN_TREE_LEVELS];
        struct proof want;
        size_t size = (size_t)vectors_int(row, "tree_size");
        size_t index = (size_t)vectors_int(row, "leaf_index");

        assert_true(parse_proof(row, &want));
        expect_hash(row, leaves[index], hash_of(row, "leaf_hash_hex"));
        expect_path(row, path, cairn_merkle_path(leaves, size, index, path), &want);
    }
    vectors_free(table);
}

static void consistency_proofs_in_trees_of_one_byte_leaves_hold_and_are_made_alike(void **state)
{
    json_t *table = vectors_load("/merkle/bytes_tree_consistency.json");
    struct cairn_hash leaves[256];
    unsigned count = 0;

    (void)state;
    fill_leaves(leaves, 256);
    VECTORS_EACH(table, i, row)
    {
        struct cairn_hash path[2 * CAIRN_TREE_LEVELS];
        struct proof want;
        struct cairn_hash old_root = hash_of(row, "root1_hex");
        struct cairn_hash new_root = hash_of(row, "root2_hex");
        size_t old_size = (size_t)vectors_int(row, "size1");
        size_t new_size = (size_t)vectors_int(row, "size2");

        assert_true(parse_proof(row, &want));
        assert_int_equal(cairn_merkle_consistency_check(old_size, &old_root, new_size, &new_root,
                                                        want.path, want.count),
                         CAIRN_OK);
        expect_path(row, path, cairn_merkle_consistency_path(leaves, new_size, old_size, path),
                    &want);
        count++;
    }
    print_message("/merkle/bytes_tree_consistency.json: %u accepted\n", count);
    vectors_free(table);
}

/* MTH of RFC 9162 section 2.1.1 as it is written there; recursion is log2(SMALL_TREES_MAX) deep. */
static struct cairn_hash defined_root(const struct cairn_hash *leaves, size_t count)
{
    struct cairn_hash left;
    struct cairn_hash right;
    size_t k = 1;

    if (count == 1)
        return leaves[0];
    while (2 * k < count)
        k *= 2;
    left = defined_root(leaves, k);
    right = defined_root(leaves + k, count - k);
    return cairn_merkle_node(&left, &right);
}

static void a_growing_tree_has_the_root_of_the_definition_and_a_peak_per_one_bit(void **state)
{
    struct cairn_hash leaves[SMALL_TREES_MAX];
    struct cairn_tree tree;

    (void)state;
    fill_leaves(leaves, SMALL_TREES_MAX);
    cairn_tree_init(&tree);
    assert_int_equal(cairn_tree_peak_count(&tree), 0);
    for (size_t size = 1; size <= SMALL_TREES_MAX; size++) {
        cairn_tree_append(&tree, &leaves[size - 1]);
        expect_hash(NULL, cairn_tree_root(&tree), defined_root(leaves, size));
        assert_int_equal(cairn_tree_peak_count(&tree), __builtin_popcountll(size));
    }
}

static void every_path_leads_to_the_root_and_no_other_length_does(void **state)
{
    struct cairn_hash leaves[SMALL_TREES_MAX];

    (void)state;
    fill_leaves(leaves, SMALL_TREES_MAX);
    for (size_t size = 1; size <= SMALL_TREES_MAX; size++)
        for (size_t index = 0; index < size; index++) {
            struct cairn_hash path[CAIRN_TREE_LEVELS + 1] = {0};
            struct cairn_hash reached;
            size_t right_count = cairn_merkle_path(leaves, size, index, path);

            for (size_t count = 0; count <= right_count + 1; count++) {
                enum cairn_status want = count == right_count ? CAIRN_OK : CAIRN_MALFORMED;

                memset(&reached, 0xee, sizeof(reached));
                assert_int_equal(
                    cairn_merkle_path_root(index, size, &leaves[index], path, count, &reached),
                    want);
                if (want == CAIRN_OK)
                    expect_hash(NULL, reached, defined_root(leaves, size));
                else
                    assert_int_equal(reached.bytes[0] & reached.bytes[31], 0xee);
            }
        }
}

static void an_index_outside_the_tree_is_malformed(void **state)
{
    struct cairn_hash leaf = byte_leaf(0);
    struct cairn_hash reached;

    (void)state;
    assert_int_equal(cairn_merkle_path_root(0, 0, &leaf, NULL, 0, &reached), CAIRN_MALFORMED);
    assert_int_equal(cairn_merkle_path_root(1, 1, &leaf, NULL, 0, &reached), CAIRN_MALFORMED);
    assert_int_equal(cairn_merkle_path_root(UINT64_MAX, UINT64_MAX, &leaf, NULL, 0, &reached),
                     CAIRN_MALFORMED);
    assert_int_equal(cairn_merkle_path_root(0, 1, &leaf, NULL, 0, &reached), CAIRN_OK);
    expect_hash(NULL, reached, leaf);
}

static void any_growth_is_proven_and_no_other_length_or_bit_is(void **state)
{
    struct cairn_hash leaves[SMALL_TREES_MAX];

    (void)state;
    fill_leaves(leaves, SMALL_TREES_MAX);
    for (size_t size = 1; size <= SMALL_TREES_MAX; size++)
        for (size_t old_size = 1; old_size <= size; old_size++) {
            struct cairn_hash path[2 * CAIRN_TREE_LEVELS + 1] = {0};
            struct cairn_hash old_root = defined_root(leaves, old_size);
            struct cairn_hash root = defined_root(leaves, size);
            size_t right_count = cairn_merkle_consistency_path(leaves, size, old_size, path);

            for (size_t count = 0; count <= right_count + 1; count++)
                assert_int_equal(
                    cairn_merkle_consistency_check(old_size, &old_root, size, &root, path, count),
                    count == right_count ? CAIRN_OK : CAIRN_MALFORMED);
            for (size_t i = 0; i < right_count; i++) {
                path[i].bytes[i % 32] ^= 1;
                assert_int_equal(cairn_merkle_consistency_check(old_size, &old_root, size, &root,
                                                                path, right_count),
                                 CAIRN_BAD_SIGNATURE);
                path[i].bytes[i % 32] ^= 1;
            }
        }
}

static void a_tree_that_was_rewritten_or_shortened_is_not_consistent(void **state)
{
    struct cairn_hash leaves[8];
    struct cairn_hash path[2 * CAIRN_TREE_LEVELS];
    struct cairn_hash old_root;
    struct cairn_hash new_root;
    size_t count;

    (void)state;
    fill_leaves(leaves, 8);
    old_root = defined_root(leaves, 5);
    leaves[2].bytes[0] ^= 1;
    new_root = defined_root(leaves, 8);
    count = cairn_merkle_consistency_path(leaves, 8, 5, path);
    assert_int_equal(cairn_merkle_consistency_check(5, &old_root, 8, &new_root, path, count),
                     CAIRN_BAD_SIGNATURE);
    assert_int_equal(cairn_merkle_consistency_check(8, &new_root, 5, &old_root, path, count),
                     CAIRN_MALFORMED);
    assert_int_equal(cairn_merkle_consistency_check(0, &old_root, 8, &new_root, path, count),
                     CAIRN_MALFORMED);
    assert_int_equal(cairn_merkle_consistency_check(0, &old_root, 0, &old_root, NULL, 0),
                     CAIRN_MALFORMED);
    assert_int_equal(cairn_merkle_consistency_check(5, &old_root, 5, &new_root, NULL, 0),
                     CAIRN_BAD_SIGNATURE);
    assert_int_equal(cairn_merkle_consistency_check(5, &old_root, 5, &old_root, NULL, 0), CAIRN_OK);
}

/* One leaf short of the largest tree; what the peaks are does not matter here. */
static void almost_full(struct cairn_tree *tree)
{
    cairn_tree_init(tree);
    tree->size = (UINT64_C(1) << 32) - 1;
    for (size_t i = 0; i < CAIRN_TREE_LEVELS; i++)
        tree->peaks[i] = byte_leaf(i);
}

static void the_last_leaf_of_the_largest_tree_joins_all_peaks(void **state)
{
    struct cairn_hash leaf = byte_leaf(0);
    struct cairn_hash want = leaf;
    struct cairn_tree tree;

    (void)state;
    almost_full(&tree);
    assert_int_equal(cairn_tree_peak_count(&tree), 32);
    for (size_t peak = 32; peak > 0; peak--)
        want = cairn_merkle_node(&tree.peaks[peak - 1], &want);
    cairn_tree_append(&tree, &leaf);
    assert_int_equal(tree.size, UINT64_C(1) << 32);
    assert_int_equal(cairn_tree_peak_count(&tree), 1);
    expect_hash(NULL, cairn_tree_root(&tree), want);
}

static void append_to_a_full_tree(void)
{
    struct cairn_hash leaf = byte_leaf(0);
    struct cairn_tree tree;

    almost_full(&tree);
    cairn_tree_append(&tree, &leaf);
    cairn_tree_append(&tree, &leaf);
}

static void ask_for_the_path_of_no_leaf(void)
{
    struct cairn_hash path[CAIRN_TREE_LEVELS];
    struct cairn_hash leaf = byte_leaf(0);

    cairn_merkle_path(&leaf, 1, 1, path);
}

static void ask_for_growth_from_nothing(void)
{
    struct cairn_hash path[2 * CAIRN_TREE_LEVELS];
    struct cairn_hash leaf = byte_leaf(0);

    cairn_merkle_consistency_path(&leaf, 1, 0, path);
}

static void ask_for_growth_that_shrinks(void)
{
    struct cairn_hash path[2 * CAIRN_TREE_LEVELS];
    struct cairn_hash leaf = byte_leaf(0);

    cairn_merkle_consistency_path(&leaf, 1, 2, path);
}

static void asking_for_what_is_not_in_the_tree_is_our_own_mistake(void **state)
{
    (void)state;
    assert_true(aborts(append_to_a_full_tree));
    assert_true(aborts(ask_for_the_path_of_no_leaf));
    assert_true(aborts(ask_for_growth_from_nothing));
    assert_true(aborts(ask_for_growth_that_shrinks));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inclusion_proofs_hold_where_the_table_says_so),
        cmocka_unit_test(an_entry_of_a_real_log_is_proven_and_its_broken_forms_are_not),
        cmocka_unit_test(consistency_proofs_hold_where_the_table_says_so),
        cmocka_unit_test(single_hashes_are_those_of_the_reference_tree),
        cmocka_unit_test(the_reference_tree_grows_through_its_roots),
        cmocka_unit_test(trees_of_one_byte_leaves_have_the_listed_roots),
        cmocka_unit_test(inclusion_proofs_in_trees_of_one_byte_leaves_hold_and_are_made_alike),
        cmocka_unit_test(consistency_proofs_in_trees_of_one_byte_leaves_hold_and_are_made_alike),
        cmocka_unit_test(a_growing_tree_has_the_root_of_the_definition_and_a_peak_per_one_bit),
        cmocka_unit_test(every_path_leads_to_the_root_and_no_other_length_does),
        cmocka_unit_test(an_index_outside_the_tree_is_malformed),
        cmocka_unit_test(any_growth_is_proven_and_no_other_length_or_bit_is),
        cmocka_unit_test(a_tree_that_was_rewritten_or_shortened_is_not_consistent),
        cmocka_unit_test(the_last_leaf_of_the_largest_tree_joins_all_peaks),
        cmocka_unit_test(asking_for_what_is_not_in_the_tree_is_our_own_mistake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
