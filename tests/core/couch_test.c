/* Revision trees of CouchDB (tests/vectors/crdt): a log for each revision, which names its parent.
 * Its leaves are our live versions, its winner is what we show; tests/vectors/crdt/README.md says
 * where records differ on purpose. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds_table.h"
#include "shown.h"
#include "vectors.h"

#define NODES_MAX 600

struct node {
    unsigned generation;
    char id[80];
    bool is_deleted, has_child;
    int parent; /* -1: none */
    struct pen *pen;
};
struct tree {
    size_t count;
    struct node nodes[NODES_MAX];
};

static struct tree tree;
static struct pen node_pens[NODES_MAX];

static int node_find(unsigned generation, const char *id)
{
    for (size_t i = 0; i < tree.count; i++)
        if (tree.nodes[i].generation == generation && strcmp(tree.nodes[i].id, id) == 0)
            return (int)i;
    return -1;
}

static int node_add(unsigned generation, const char *id, int parent)
{
    int at = node_find(generation, id);

    if (at < 0) {
        assert_true(tree.count < NODES_MAX);
        at = (int)tree.count++;
        tree.nodes[at] = (struct node){.generation = generation, .parent = -1};
        snprintf(tree.nodes[at].id, sizeof tree.nodes[at].id, "%s", id);
    }
    if (parent >= 0) {
        assert_true(tree.nodes[at].parent < 0 || tree.nodes[at].parent == parent);
        tree.nodes[at].parent = parent;
        tree.nodes[parent].has_child = true;
    }
    return at;
}

/* {start, revisions}: newest first. */
static void revisions_add(const json_t *insert)
{
    const json_t *ids = vectors_array(insert, "revisions");
    unsigned start = (unsigned)vectors_int(insert, "start");
    int parent = -1;

    for (size_t i = json_array_size(ids); i-- > 0;)
        parent = node_add(start - (unsigned)i, json_string_value(json_array_get(ids, i)), parent);
    tree.nodes[parent].is_deleted =
        tree.nodes[parent].is_deleted || vectors_flag(insert, "deleted");
}

/* {pos, ids: [id, [children]]}, as its own list: what waits is on `todo`. */
static void branch_add(const json_t *branch)
{
    struct {
        const json_t *ids;
        unsigned generation;
        int parent;
    } todo[NODES_MAX];
    size_t count = 0;

    todo[count].ids = vectors_array(branch, "ids");
    todo[count].parent = -1;
    todo[count++].generation = (unsigned)vectors_int(branch, "pos");
    while (count > 0) {
        count--;
        const json_t *children = json_array_get(todo[count].ids, 1);
        unsigned generation = todo[count].generation;
        int at = node_add(generation, json_string_value(json_array_get(todo[count].ids, 0)),
                          todo[count].parent);
        for (size_t i = 0; i < json_array_size(children); i++) {
            assert_true(count < NODES_MAX);
            todo[count].ids = json_array_get(children, i);
            todo[count].generation = generation + 1;
            todo[count++].parent = at;
        }
    }
}

static void branches_add(const json_t *branches)
{
    for (size_t i = 0; i < json_array_size(branches); i++)
        branch_add(json_array_get(branches, i));
}

static int node_compare(const void *a, const void *b)
{
    const struct node *const *x = a, *const *y = b;
    int order = strcmp((*x)->id, (*y)->id);

    return order != 0 ? order : (int)(*x)->generation - (int)(*y)->generation;
}

/* The revision as an entry: a value that names its parent, or a deletion that names the record
 * too. */
static void node_write(struct node *node, int64_t value)
{
    const struct node *parent = node->parent < 0 ? NULL : &tree.nodes[node->parent];
    const struct cairn_local_dot record = {1, 1};
    struct cairn_local_dot named[2] = {{2, 1}, record};
    struct cairn_head head = pen_head(&shown_creator);
    struct draft draft;
    size_t first = parent == NULL, count = 2 - first - (node->is_deleted ? 0 : 1);

    node->pen->time_s = PEN_TIME + node->generation;
    draft_change(&draft, node->pen, parent == NULL ? 2 : 3);
    draft_announce_first(&draft, &head);
    if (parent != NULL) {
        head = pen_head(parent->pen);
        draft_announce_first(&draft, &head);
    }
    draft_item(&draft, node->is_deleted ? CAIRN_ITEM_DELETE : CAIRN_ITEM_SET, record, KIND_INCOME,
               value, named + first, count);
    draft_write(&draft, node->pen);
}

/* Parents first: their heads are announced. */
static void tree_write(void)
{
    const struct node *order[NODES_MAX];
    unsigned generation_max = 0;

    shown_begin(1);
    shown_pens_begin(node_pens, tree.count);
    for (size_t i = 0; i < tree.count; i++) {
        order[i] = &tree.nodes[i];
        if (tree.nodes[i].generation > generation_max)
            generation_max = tree.nodes[i].generation;
    }
    qsort(order, tree.count, sizeof order[0], node_compare);
    for (size_t i = 0; i < tree.count; i++)
        tree.nodes[order[i] - tree.nodes].pen = &node_pens[i];
    for (unsigned generation = 1; generation <= generation_max; generation++)
        for (size_t i = 0; i < tree.count; i++)
            if (tree.nodes[i].generation == generation)
                node_write(&tree.nodes[i], (int64_t)i);
}

static size_t node_of_log(const struct cairn_hash *log)
{
    for (size_t i = 0; i < tree.count; i++)
        if (cairn_hash_equal(&tree.nodes[i].pen->id, log))
            return i;
    fail_msg("no revision wrote this");
    return 0;
}

/* Exactly the leaves are live, deleted ones as deletions. */
static void expect_leaves(const json_t *row, const struct shown *values,
                          const struct shown *deletions)
{
    size_t leaf_count = 0;

    for (size_t i = 0; i < tree.count; i++)
        leaf_count += !tree.nodes[i].has_child;
    if (values->count + deletions->count != leaf_count)
        fail_msg("%s: %zu values and %zu deletions of %zu leaves", vectors_id(row), values->count,
                 deletions->count, leaf_count);
    for (size_t i = 0; i < values->count; i++) {
        const struct node *node = &tree.nodes[node_of_log(&values->logs[i])];
        assert_false(node->has_child || node->is_deleted);
    }
    for (size_t i = 0; i < deletions->count; i++) {
        const struct node *node = &tree.nodes[node_of_log(&deletions->logs[i])];
        assert_true(!node->has_child && node->is_deleted);
    }
}

static void expect_winner(const json_t *row, const struct shown *values,
                          const struct shown *deletions)
{
    const struct shown *from = values->count > 0 ? values : deletions;
    const struct node *node = &tree.nodes[node_of_log(&from->logs[0])];
    char name[100];

    snprintf(name, sizeof name, "%u-%s", node->generation, node->id);
    assert_string_equal(name, vectors_text(row, "winner"));
    if (vectors_has(row, "winner_deleted"))
        assert_int_equal(from == deletions, vectors_bool(row, "winner_deleted"));
    assert_int_equal(values->is_deleted, from == deletions);
}

/* Take the tree in in the order written, backwards, and in a third; all end alike. The existence
 * that the create wrote is left out of the deletions. */
static void tree_check(const json_t *row, struct shown *out_values, struct shown *out_deletions)
{
    char *first = NULL;

    for (unsigned order = 0; order < (tree.count > 100 ? 1 : 3); order++) {
        struct holder holder;
        size_t count = shown_land.pieces.count;
        holder_open(&holder, shown_land.statement);
        for (size_t i = 0; i < count; i++)
            holder_take(&holder,
                        &shown_land.pieces.list[order == 0   ? i
                                                : order == 1 ? count - 1 - i
                                                             : (i * 2 + i * 2 / count) % count]);
        if (order == 2) /* every second one, then the rest: whatever was left out */
            holder_take_all(&holder, &shown_land.pieces);
        char *text = holder_describe(&holder);
        if (first != NULL)
            expect_same_text(text, first, vectors_id(row));
        *out_values = shown_get(&holder, 1, KIND_INCOME);
        *out_deletions = shown_get(&holder, 1, 0);
        if (out_deletions->count == 1 &&
            cairn_hash_equal(&out_deletions->logs[0], &shown_creator.id))
            out_deletions->count = 0;
        free(first);
        first = text;
        holder_close(&holder);
    }
    free(first);
}

static void the_winner_among_revisions_is_couchdbs(void **state)
{
    static const struct shown_tally want = {.same = 17, .on_purpose = 25};
    json_t *table = vectors_load("/crdt/couch_winner.json");
    struct shown_tally got = {0};

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        static struct shown values, deletions;
        tree.count = 0;
        if (vectors_has(row, "tree"))
            branches_add(vectors_array(row, "tree"));
        for (size_t k = 0;
             vectors_has(row, "insert") && k < json_array_size(vectors_array(row, "insert")); k++)
            revisions_add(json_array_get(vectors_array(row, "insert"), k));
        tree_write();
        tree_check(row, &values, &deletions);
        expect_leaves(row, &values, &deletions);
        expect_winner(row, &values, &deletions);
        /* CouchDB shows the live one alone; records call it a conflict that a person settles. */
        bool is_contested = values.count > 0 && deletions.count > 0;
        assert_int_equal(values.has_conflict, values.count > 1 || is_contested);
        got.on_purpose += is_contested;
        got.same += !is_contested;
        land_free(&shown_land);
    }
    vectors_free(table);
    shown_expect_tally("couch_winner", &got, &want);
}

static void merged_revision_trees_have_the_leaves_of_couchdb(void **state)
{
    static const struct shown_tally want = {.same = 15};
    json_t *table = vectors_load("/crdt/couch_merge.json");
    struct shown_tally got = {0};

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        static struct shown values, deletions;
        tree.count = 0;
        branches_add(vectors_array(row, "tree"));
        branch_add(json_object_get(row, "path"));
        tree_write();
        tree_check(row, &values, &deletions);
        size_t leaf_count = values.count;
        /* The result's leaves are ours: adding it adds no leaf and hides none. */
        size_t before = tree.count;
        branches_add(vectors_array(row, "result"));
        assert_int_equal(tree.count, before);
        expect_leaves(row, &values, &deletions);
        tree.count = 0;
        branches_add(vectors_array(row, "result"));
        size_t expected = 0;
        for (size_t k = 0; k < tree.count; k++)
            expected += !tree.nodes[k].has_child;
        assert_int_equal(leaf_count, expected);
        got.same++;
        land_free(&shown_land);
    }
    vectors_free(table);
    shown_expect_tally("couch_merge", &got, &want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_winner_among_revisions_is_couchdbs),
        cmocka_unit_test(merged_revision_trees_have_the_leaves_of_couchdb),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
