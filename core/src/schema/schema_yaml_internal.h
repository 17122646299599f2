/* schema_yaml_internal.h: what the files of the compiler share. */

#ifndef CAIRN_SCHEMA_YAML_INTERNAL_H
#define CAIRN_SCHEMA_YAML_INTERNAL_H

#include "schema_yaml.h"
#include "yaml_tree.h"

/* A reference whose target may stand further down in the file. */
struct cairn_yaml_target {
    struct cairn_field *field;
    const struct cairn_yaml_node *node;
    const struct cairn_yaml_target *next;
};

struct cairn_compiler {
    struct cairn_arena *memory; /* the schema's: short memory fails the whole */
    struct cairn_arena *scratch;
    bool is_short;
    struct cairn_err *err; /* the sentence of the problem being told */
    cairn_schema_problem_fn *visit;
    void *context;
    size_t problem_count;
    const char *type_name; /* of the type being read, for sentences */
    const struct cairn_yaml_target *targets;
};

/* A name in a YAML list is at most this long: it is typed, and stands in headers of tables. */
#define CAIRN_SCHEMA_NAME_MAX 32
#define CAIRN_SCHEMA_LABEL_MAX 96
/* Choices take three items each of the 1,024 that a list of a table has; of anything else this is
 * far more than a table has room for. */
#define CAIRN_SCHEMA_LIST_MAX 341

/* Memory for the schema, cleared; NULL sets is_short. */
void *cairn_compiler_get(struct cairn_compiler *c, size_t count, size_t item_bytes);
/* Tell a problem: `told` is what cairn_fail(c->err, ...) gave. */
void cairn_compiler_tell(struct cairn_compiler *c, size_t line, enum cairn_status told);

/*
 * Is `map` a map, with each key one of `keys` (NULL ends them) and none twice? What is unknown is
 * told, with the key that was perhaps meant. False: it is no map, told.
 */
bool cairn_compiler_map(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                        const char *const *keys);
/* A list under `key`, NULL when there is none; what is no list is told. */
const struct cairn_yaml_node *
cairn_compiler_list(struct cairn_compiler *c, const struct cairn_yaml_node *map, const char *key);
/* "" when absent; needed and absent, too long or no text is told. */
const char *cairn_compiler_text(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                                const char *key, bool is_needed, size_t bytes_max);
/* False when absent. */
bool cairn_compiler_yes(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                        const char *key);
/* A whole number from 1 on; 0 where told. */
uint64_t cairn_compiler_number(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                               const char *key);
/* Number, name and labels of item `i` of a list. What is out of order or twice is told. */
struct cairn_compiler_item {
    uint64_t number;
    const char *name, *label_zh, *label_en;
};
struct cairn_compiler_item cairn_compiler_item(struct cairn_compiler *c,
                                               const struct cairn_yaml_node *list,
                                               const struct cairn_yaml_node *map);
/* The word of `words` (NULL ends them) that is meant by an unknown one, or NULL. */
const char *cairn_word_nearest(const char *const *words, const char *word);

void cairn_compiler_fields(struct cairn_compiler *c, const struct cairn_yaml_node *list,
                           struct cairn_type *type, const size_t **out_lines);
/* States, moves, indicators. */
void cairn_compiler_flow(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                         struct cairn_type *type, struct cairn_schema_type_lines *lines);

#endif
