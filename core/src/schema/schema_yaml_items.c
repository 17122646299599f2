/* What every list of a schema file has: keys, texts, numbers, names; declared in
 * schema_yaml_internal.h. */

#include <stdlib.h>
#include <string.h>

#include "schema_yaml_internal.h"

void *cairn_compiler_get(struct cairn_compiler *c, size_t count, size_t item_bytes)
{
    void *memory = cairn_arena_get(c->memory, count * item_bytes + 1);

    if (memory == NULL)
        c->is_short = true;
    else
        memset(memory, 0, count * item_bytes + 1);
    return memory;
}

void cairn_compiler_tell(struct cairn_compiler *c, size_t line, enum cairn_status told)
{
    (void)told;
    c->problem_count++;
    if (c->visit != NULL)
        c->visit(c->context, line, c->err->text);
}

/* ---- words --------------------------------------------------------------------------------- */

#define WORD_MAX 24

static size_t least(size_t a, size_t b, size_t c)
{
    size_t two = a < b ? a : b;

    return two < c ? two : c;
}

/* Levenshtein's distance; words longer than WORD_MAX are far from all. */
static size_t word_distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], a_size = strlen(a), b_size = strlen(b);

    if (a_size > WORD_MAX || b_size > WORD_MAX)
        return WORD_MAX;
    for (size_t i = 0; i <= a_size; i++)
        row[i] = i;
    for (size_t j = 0; j < b_size; j++) {
        size_t diagonal = row[0];
        row[0] = j + 1;
        for (size_t i = 0; i < a_size; i++) {
            size_t above = row[i + 1];
            row[i + 1] = least(above + 1, row[i] + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[a_size];
}

const char *cairn_word_nearest(const char *const *words, const char *word)
{
    const char *nearest = NULL;
    size_t nearest_distance = 3;

    for (; *words != NULL; words++) {
        size_t distance = word_distance(*words, word);
        if (distance < nearest_distance && distance < strlen(*words)) {
            nearest_distance = distance;
            nearest = *words;
        }
    }
    return nearest;
}

static bool words_have(const char *const *words, const char *word)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

/* ---- keys ---------------------------------------------------------------------------------- */

static void key_check(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                      const struct cairn_yaml_node *node, const char *const *keys)
{
    if (!words_have(keys, node->key)) {
        const char *nearest = cairn_word_nearest(keys, node->key);
        cairn_compiler_tell(c, node->key_line,
                            nearest == NULL
                                ? cairn_fail(c->err, CAIRN_BAD_INPUT, "unknown key \"%.40s\".",
                                             cairn_quote(node->key).text)
                                : cairn_fail(c->err, CAIRN_BAD_INPUT,
                                             "unknown key \"%.40s\"; did you mean \"%s\"?",
                                             cairn_quote(node->key).text, nearest));
    } else if (cairn_yaml_get(map, node->key) != node) {
        cairn_compiler_tell(c, node->key_line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "\"%s\" stands here a second time; keep one.", node->key));
    }
}

bool cairn_compiler_map(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                        const char *const *keys)
{
    if (map->kind != CAIRN_YAML_MAP) {
        cairn_compiler_tell(
            c, map->line,
            cairn_fail(c->err, CAIRN_BAD_INPUT,
                       "here an item with keys is needed, like: - number: 1, with name: below."));
        return false;
    }
    /* No item has many keys: the work stays in proportion to the file. */
    if (map->count > 64) {
        cairn_compiler_tell(c, map->line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "this item has %zu keys, no item "
                                       "has more than 64.",
                                       map->count));
        return false;
    }
    for (const struct cairn_yaml_node *node = map->first; node != NULL; node = node->next)
        key_check(c, map, node, keys);
    return true;
}

const struct cairn_yaml_node *
cairn_compiler_list(struct cairn_compiler *c, const struct cairn_yaml_node *map, const char *key)
{
    const struct cairn_yaml_node *list = cairn_yaml_get(map, key);

    if (list != NULL && list->kind != CAIRN_YAML_LIST) {
        cairn_compiler_tell(c, list->key_line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "%s needs a list: lines that begin with \"- \".", key));
        return NULL;
    }
    if (list != NULL && list->count > CAIRN_SCHEMA_LIST_MAX) {
        cairn_compiler_tell(c, list->key_line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "%s has %zu items, at most %d fit a schema.", key,
                                       list->count, CAIRN_SCHEMA_LIST_MAX));
        return NULL;
    }
    return list;
}

const char *cairn_compiler_text(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                                const char *key, bool is_needed, size_t bytes_max)
{
    const struct cairn_yaml_node *node = cairn_yaml_get(map, key);
    bool has = node != NULL && node->kind == CAIRN_YAML_TEXT && node->text[0] != '\0';

    if (node != NULL && node->kind != CAIRN_YAML_TEXT) {
        cairn_compiler_tell(c, node->key_line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT, "%s needs one text.", key));
        return "";
    }
    if (!has && is_needed)
        cairn_compiler_tell(c, node == NULL ? map->line : node->key_line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "%s is missing: add a line \"%s: ...\".", key, key));
    if (!has)
        return "";
    if (strlen(node->text) > bytes_max || strchr(node->text, '\n') != NULL) {
        cairn_compiler_tell(c, node->line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "%s must be one line of at most %zu bytes.", key,
                                       bytes_max));
        return "";
    }
    struct cairn_bytes copy = cairn_arena_copy(c->memory, cairn_bytes_of_text(node->text));
    c->is_short = c->is_short || copy.data == NULL;
    return copy.data == NULL ? "" : (const char *)copy.data;
}

bool cairn_compiler_yes(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                        const char *key)
{
    static const char *const yes[] = {"yes", "true", "是", NULL};
    static const char *const no[] = {"no", "false", "否", NULL};
    const struct cairn_yaml_node *node = cairn_yaml_get(map, key);

    if (node == NULL)
        return false;
    if (node->kind == CAIRN_YAML_TEXT && words_have(yes, node->text))
        return true;
    if (node->kind != CAIRN_YAML_TEXT || !words_have(no, node->text))
        cairn_compiler_tell(c, node->line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT, "%s is yes or no.", key));
    return false;
}

/* 1 to 999999999 as people write it; 0 for anything else. The text of a list or map is "". */
static uint64_t number_of(const char *text)
{
    size_t size = strspn(text, "0123456789");

    if (text[0] == '0' || size > 9 || text[size] != '\0')
        return 0;
    return strtoull(text, NULL, 10);
}

uint64_t cairn_compiler_number(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                               const char *key)
{
    const struct cairn_yaml_node *node = cairn_yaml_get(map, key);

    if (node == NULL) {
        cairn_compiler_tell(c, map->line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "%s is missing: add a line \"%s: 1\", with a %s that none "
                                       "beside it has or had.",
                                       key, key, key));
        return 0;
    }
    uint64_t number = number_of(node->text);
    if (number != 0)
        return number;
    cairn_compiler_tell(c, node->line,
                        cairn_fail(c->err, CAIRN_BAD_INPUT,
                                   "%s must be a whole number from 1 to 999999999, not \"%.40s\".",
                                   key, cairn_quote(node->text).text));
    return 0;
}

/* ---- items --------------------------------------------------------------------------------- */

static bool name_is_good(const char *name)
{
    bool is_good = name[0] >= 'a' && name[0] <= 'z';

    for (const char *at = name; *at != '\0'; at++)
        is_good = is_good && ((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') ||
                              *at == '_' || *at == '-');
    return is_good;
}

static const char *raw_text(const struct cairn_yaml_node *map, const char *key)
{
    const struct cairn_yaml_node *node = cairn_yaml_get(map, key);

    return node == NULL ? "" : node->text;
}

/* An earlier item of the list with that name; NULL for none. */
static const struct cairn_yaml_node *named_before(const struct cairn_yaml_node *list,
                                                  const struct cairn_yaml_node *map,
                                                  const char *name)
{
    for (const struct cairn_yaml_node *other = list->first; other != map; other = other->next)
        if (strcmp(raw_text(other, "name"), name) == 0)
            return other;
    return NULL;
}

/* The greatest number among the items before. */
static uint64_t number_before(const struct cairn_yaml_node *list, const struct cairn_yaml_node *map,
                              uint64_t number, size_t *out_same_line)
{
    uint64_t greatest = 0;

    for (const struct cairn_yaml_node *other = list->first; other != map; other = other->next) {
        uint64_t value = number_of(raw_text(other, "number"));
        if (value > greatest)
            greatest = value;
        if (value == number)
            *out_same_line = other->line;
    }
    return greatest;
}

static void number_check(struct cairn_compiler *c, const struct cairn_yaml_node *list,
                         const struct cairn_yaml_node *map, uint64_t number)
{
    const struct cairn_yaml_node *node = cairn_yaml_get(map, "number");
    size_t same_line = 0;
    uint64_t greatest = number_before(list, map, number, &same_line);

    if (same_line != 0)
        cairn_compiler_tell(c, node->line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "number %u is taken by the item on line %zu; the next free "
                                       "one is %u.",
                                       (unsigned)number, same_line, (unsigned)greatest + 1));
    else if (number < greatest)
        cairn_compiler_tell(c, node->line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "number %u stands behind %u: keep the items in the order of "
                                       "their numbers.",
                                       (unsigned)number, (unsigned)greatest));
}

struct cairn_compiler_item cairn_compiler_item(struct cairn_compiler *c,
                                               const struct cairn_yaml_node *list,
                                               const struct cairn_yaml_node *map)
{
    struct cairn_compiler_item item = {
        .number = cairn_compiler_number(c, map, "number"),
        .name = cairn_compiler_text(c, map, "name", true, CAIRN_SCHEMA_NAME_MAX),
        .label_zh = cairn_compiler_text(c, map, "zh", true, CAIRN_SCHEMA_LABEL_MAX),
        .label_en = cairn_compiler_text(c, map, "en", true, CAIRN_SCHEMA_LABEL_MAX)};
    const struct cairn_yaml_node *name = cairn_yaml_get(map, "name");

    if (item.number != 0)
        number_check(c, list, map, item.number);
    if (item.name[0] == '\0')
        return item;
    const struct cairn_yaml_node *other = named_before(list, map, item.name);
    if (!name_is_good(item.name))
        cairn_compiler_tell(c, name->line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "the name \"%s\" must begin with a small letter and hold "
                                       "small letters, digits, _ and - only.",
                                       item.name));
    else if (other != NULL)
        cairn_compiler_tell(c, name->line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "the name \"%s\" is taken by the item on line %zu.",
                                       item.name, other->line));
    return item;
}
