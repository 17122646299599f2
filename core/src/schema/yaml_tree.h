/*
 * yaml_tree.h: a YAML text as a tree of maps, lists and texts, each with its line. What a form
 * does not need is refused: anchors, aliases, tags, several documents, depth. The text comes from
 * outside; the tree takes memory in proportion to it and is built without recursion.
 */

#ifndef CAIRN_YAML_TREE_H
#define CAIRN_YAML_TREE_H

#include "arena.h"
#include "cairn/base.h"

/* A schema of 15 KiB is about 40 KiB of YAML; comments have room too. */
#define CAIRN_YAML_BYTES_MAX (256u * 1024)
#define CAIRN_YAML_NODES_MAX 32768u
#define CAIRN_YAML_DEPTH_MAX 10

enum cairn_yaml_kind { CAIRN_YAML_TEXT, CAIRN_YAML_LIST, CAIRN_YAML_MAP };

struct cairn_yaml_node {
    enum cairn_yaml_kind kind;
    size_t line;      /* from 1 */
    const char *text; /* of a text; "" for nothing */
    const char *key;  /* what it is called in the map that holds it; else NULL */
    size_t key_line;
    struct cairn_yaml_node *first, *next; /* children; the next one beside this */
    size_t count;                         /* of children */
};

/*
 * Everything in the arena. BAD_INPUT: the first thing that is no such YAML, its line in *out_line
 * and a sentence in err. An empty text gives an empty map.
 */
CAIRN_NODISCARD
enum cairn_status cairn_yaml_read(struct cairn_bytes yaml, struct cairn_arena *arena,
                                  const struct cairn_yaml_node **out_root, size_t *out_line,
                                  struct cairn_err *err);
/* The child of a map under that key, or NULL. */
const struct cairn_yaml_node *cairn_yaml_get(const struct cairn_yaml_node *map, const char *key);

#endif
