/* States, moves and indicators of a type in a schema file; declared in schema_yaml_internal.h. */

#include <string.h>

#include "cairn/grant.h"
#include "schema_yaml_internal.h"

#define FAIL(c, ...) cairn_fail((c)->err, CAIRN_BAD_INPUT, __VA_ARGS__)

/* ---- states -------------------------------------------------------------------------------- */

static const size_t *states_read(struct cairn_compiler *c, const struct cairn_yaml_node *list,
                                 struct cairn_type *type)
{
    static const char *const keys[] = {"number", "name", "zh", "en", NULL};
    size_t count = list == NULL ? 0 : list->count;
    struct cairn_workflow_state *states = cairn_compiler_get(c, count, sizeof *states);
    size_t *lines = cairn_compiler_get(c, count, sizeof *lines);

    type->states = states;
    for (const struct cairn_yaml_node *map = count == 0 ? NULL : list->first;
         map != NULL && states != NULL && lines != NULL; map = map->next) {
        struct cairn_workflow_state *state = &states[type->state_count];
        lines[type->state_count++] = map->line;
        *state = (struct cairn_workflow_state){.name = "", .label_zh = "", .label_en = ""};
        if (!cairn_compiler_map(c, map, keys))
            continue;
        struct cairn_compiler_item item = cairn_compiler_item(c, list, map);
        *state =
            (struct cairn_workflow_state){item.number, item.name, item.label_zh, item.label_en};
    }
    return lines;
}

static const struct cairn_workflow_state *state_named(const struct cairn_type *type,
                                                      const char *name)
{
    for (size_t i = 0; i < type->state_count; i++)
        if (name[0] != '\0' && strcmp(type->states[i].name, name) == 0)
            return &type->states[i];
    return NULL;
}

/* The number of the state that a node names; 0 where told. */
static uint64_t state_read(struct cairn_compiler *c, const struct cairn_type *type,
                           const struct cairn_yaml_node *node)
{
    const struct cairn_workflow_state *state =
        node->kind == CAIRN_YAML_TEXT ? state_named(type, node->text) : NULL;

    if (state != NULL)
        return state->number;
    cairn_compiler_tell(c, node->line,
                        FAIL(c,
                             "%s: there is no state \"%.40s\": add it under states, or name "
                             "one of those.",
                             c->type_name, cairn_quote(node->text).text));
    return 0;
}

/* ---- moves --------------------------------------------------------------------------------- */

/* One text, or a list of them: how many, and the first. */
static size_t words_begin(const struct cairn_yaml_node *node, const struct cairn_yaml_node **first)
{
    *first = node->kind == CAIRN_YAML_LIST ? node->first : node;
    return node->kind == CAIRN_YAML_LIST ? node->count : 1;
}

static void from_read(struct cairn_compiler *c, const struct cairn_type *type,
                      const struct cairn_yaml_node *map, struct cairn_move *move)
{
    const struct cairn_yaml_node *node = cairn_yaml_get(map, "from"), *word;

    if (node == NULL || (node->kind == CAIRN_YAML_LIST && node->count == 0)) {
        cairn_compiler_tell(
            c, map->line,
            FAIL(c, "%s: a move needs from: one state or a list of states.", c->type_name));
        return;
    }
    if (node->kind == CAIRN_YAML_LIST && cairn_compiler_list(c, map, "from") == NULL)
        return;
    size_t count = words_begin(node, &word);
    uint64_t *from = cairn_compiler_get(c, count, sizeof *from);
    move->from = from;
    for (size_t i = 0; i < count && from != NULL; i++, word = word->next) {
        from[i] = state_read(c, type, word);
        move->from_count = i + 1;
        if (from[i] != 0 && from[i] == move->to)
            cairn_compiler_tell(c, word->line,
                                FAIL(c,
                                     "%s: the move leads from a state to itself; name "
                                     "another.",
                                     c->type_name));
    }
}

/* Offices that write; servers and auditors take no step. */
static const struct {
    const char *word;
    uint64_t role;
} step_roles[] = {{"station", CAIRN_ROLE_STATION},
                  {"township", CAIRN_ROLE_TOWNSHIP},
                  {"county", CAIRN_ROLE_COUNTY},
                  {"prefecture", CAIRN_ROLE_PREFECTURE}};
#define STEP_ROLE_COUNT (sizeof step_roles / sizeof step_roles[0])

static uint64_t role_of(const char *word)
{
    for (size_t i = 0; i < STEP_ROLE_COUNT; i++)
        if (strcmp(step_roles[i].word, word) == 0)
            return step_roles[i].role;
    return 0;
}

const char *cairn_step_role_word(uint64_t role)
{
    for (size_t i = 0; i < STEP_ROLE_COUNT; i++)
        if (step_roles[i].role == role)
            return step_roles[i].word;
    return "?";
}

static void steps_read(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                       struct cairn_move *move)
{
    const struct cairn_yaml_node *node = cairn_yaml_get(map, "steps"), *word = NULL;
    size_t count = node == NULL ? 0 : words_begin(node, &word);

    if (count == 0 || count > CAIRN_MOVE_STEPS_MAX) {
        cairn_compiler_tell(c, node == NULL ? map->line : node->key_line,
                            FAIL(c,
                                 "%s: a move needs 1 to %d steps, like: steps: [station, "
                                 "township, county].",
                                 c->type_name, CAIRN_MOVE_STEPS_MAX));
        return;
    }
    uint64_t *roles = cairn_compiler_get(c, count, sizeof *roles);
    move->roles = roles;
    for (size_t i = 0; i < count && roles != NULL; i++, word = word->next) {
        roles[i] = word->kind == CAIRN_YAML_TEXT ? role_of(word->text) : 0;
        move->step_count = i + 1;
        if (roles[i] == 0)
            cairn_compiler_tell(c, word->line,
                                FAIL(c,
                                     "%s: a step is station, township, county or prefecture, "
                                     "not \"%.40s\".",
                                     c->type_name, cairn_quote(word->text).text));
    }
}

static void move_read(struct cairn_compiler *c, const struct cairn_yaml_node *list,
                      const struct cairn_yaml_node *map, const struct cairn_type *type,
                      struct cairn_move *move)
{
    static const char *const keys[] = {"number", "name",  "zh",      "en", "from",
                                       "to",     "steps", "retired", NULL};

    *move = (struct cairn_move){.name = "", .label_zh = "", .label_en = ""};
    if (!cairn_compiler_map(c, map, keys))
        return;
    struct cairn_compiler_item item = cairn_compiler_item(c, list, map);
    const struct cairn_yaml_node *to = cairn_yaml_get(map, "to");
    move->number = item.number;
    move->name = item.name;
    move->label_zh = item.label_zh;
    move->label_en = item.label_en;
    move->is_retired = cairn_compiler_yes(c, map, "retired");
    if (to != NULL)
        move->to = state_read(c, type, to);
    else
        cairn_compiler_tell(c, map->line,
                            FAIL(c, "%s: a move needs to: the state it leads to.", c->type_name));
    from_read(c, type, map, move);
    steps_read(c, map, move);
}

static const size_t *moves_read(struct cairn_compiler *c, const struct cairn_yaml_node *list,
                                struct cairn_type *type)
{
    size_t count = list == NULL ? 0 : list->count;
    struct cairn_move *moves = cairn_compiler_get(c, count, sizeof *moves);
    size_t *lines = cairn_compiler_get(c, count, sizeof *lines);

    type->moves = moves;
    for (const struct cairn_yaml_node *map = count == 0 ? NULL : list->first;
         map != NULL && moves != NULL && lines != NULL; map = map->next) {
        lines[type->move_count] = map->line;
        move_read(c, list, map, type, &moves[type->move_count++]);
    }
    return lines;
}

/* ---- indicators ---------------------------------------------------------------------------- */

static const char *const test_words[] = {"at-least", "at-most", "is", "flag", NULL};

const char *cairn_indicator_test_word(uint64_t test)
{
    return test <= CAIRN_TEST_FLAG ? test_words[test] : "?";
}

static bool test_fits(const struct cairn_field *field, uint64_t test)
{
    bool is_ordered = field->wire == CAIRN_WIRE_INTEGER || field->wire == CAIRN_WIRE_MONEY ||
                      field->wire == CAIRN_WIRE_DATE;

    if (field->merge == CAIRN_MERGE_SET || field->merge == CAIRN_MERGE_WORKFLOW)
        return false;
    switch ((enum cairn_indicator_test)test) {
    case CAIRN_TEST_AT_LEAST:
    case CAIRN_TEST_AT_MOST:
        return is_ordered;
    case CAIRN_TEST_IS:
        return is_ordered || field->wire == CAIRN_WIRE_YES_NO || field->wire == CAIRN_WIRE_CHOICE;
    case CAIRN_TEST_FLAG:
        return field->wire == CAIRN_WIRE_FLAGS;
    }
    return false;
}

static void threshold_read(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                           const struct cairn_field *field, struct cairn_indicator *indicator)
{
    static const struct cairn_field number = {.name = "threshold", .wire = CAIRN_WIRE_INTEGER};
    const struct cairn_yaml_node *node = cairn_yaml_get(map, "threshold");
    bool is_flag = indicator->test == CAIRN_TEST_FLAG;
    struct cairn_value value;

    if (node == NULL || node->kind != CAIRN_YAML_TEXT) {
        cairn_compiler_tell(
            c, map->line,
            FAIL(c, "%s.%s: an indicator needs a threshold.", c->type_name, indicator->name));
        return;
    }
    if (cairn_value_parse(is_flag ? &number : field, node->text, &value, c->err) != CAIRN_OK) {
        cairn_compiler_tell(c, node->line, CAIRN_BAD_INPUT);
        return;
    }
    if (value.kind != CAIRN_VALUE_INTEGER)
        cairn_compiler_tell(c, node->line,
                            FAIL(c, "%s.%s: \"%.40s\" is not among the choices of %s.",
                                 c->type_name, indicator->name, cairn_quote(node->text).text,
                                 field->name));
    else if (is_flag && (value.integer < 1 || value.integer > CAIRN_FLAGS_MAX))
        cairn_compiler_tell(c, node->line,
                            FAIL(c, "%s.%s: a flag is counted from 1 to %d.", c->type_name,
                                 indicator->name, CAIRN_FLAGS_MAX));
    else
        indicator->threshold = value.integer;
}

static void test_read(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                      const struct cairn_field *field, struct cairn_indicator *indicator)
{
    const char *word = cairn_compiler_text(c, map, "test", true, CAIRN_SCHEMA_NAME_MAX);
    const struct cairn_yaml_node *node = cairn_yaml_get(map, "test");

    if (word[0] == '\0')
        return;
    while (test_words[indicator->test] != NULL && strcmp(test_words[indicator->test], word) != 0)
        indicator->test++;
    if (test_words[indicator->test] == NULL)
        cairn_compiler_tell(c, node->line,
                            FAIL(c, "%s.%s: test is at-least, at-most, is or flag, not \"%.40s\".",
                                 c->type_name, indicator->name, cairn_quote(word).text));
    else if (!test_fits(field, indicator->test))
        cairn_compiler_tell(
            c, node->line,
            FAIL(c,
                 "%s.%s: %s cannot be asked of %s. at-least and at-most are for integer, money "
                 "and date, is for these and yes-no and choice, flag for flags.",
                 c->type_name, indicator->name, word, field->name));
    else
        threshold_read(c, map, field, indicator);
}

static void indicator_read(struct cairn_compiler *c, const struct cairn_yaml_node *list,
                           const struct cairn_yaml_node *map, const struct cairn_type *type,
                           struct cairn_indicator *indicator)
{
    static const char *const keys[] = {"number", "name", "zh",        "en",
                                       "field",  "test", "threshold", NULL};

    *indicator = (struct cairn_indicator){.name = "", .label_zh = "", .label_en = ""};
    if (!cairn_compiler_map(c, map, keys))
        return;
    struct cairn_compiler_item item = cairn_compiler_item(c, list, map);
    indicator->number = item.number;
    indicator->name = item.name;
    indicator->label_zh = item.label_zh;
    indicator->label_en = item.label_en;
    const char *name = cairn_compiler_text(c, map, "field", true, CAIRN_SCHEMA_NAME_MAX);
    const struct cairn_field *field = cairn_type_field_named(type, name);
    if (name[0] != '\0' && field == NULL)
        cairn_compiler_tell(c, cairn_yaml_get(map, "field")->line,
                            FAIL(c, "%s.%s: there is no field %s in this type.", c->type_name,
                                 indicator->name, name));
    if (name[0] == '\0' || field == NULL)
        return;
    indicator->field = field->number;
    test_read(c, map, field, indicator);
}

static void indicators_read(struct cairn_compiler *c, const struct cairn_yaml_node *list,
                            struct cairn_type *type)
{
    size_t count = list == NULL ? 0 : list->count;
    struct cairn_indicator *indicators = cairn_compiler_get(c, count, sizeof *indicators);

    type->indicators = indicators;
    for (const struct cairn_yaml_node *map = count == 0 ? NULL : list->first;
         map != NULL && indicators != NULL; map = map->next)
        indicator_read(c, list, map, type, &indicators[type->indicator_count++]);
}

void cairn_compiler_flow(struct cairn_compiler *c, const struct cairn_yaml_node *map,
                         struct cairn_type *type, struct cairn_schema_type_lines *lines)
{
    const struct cairn_yaml_node *states = cairn_compiler_list(c, map, "states");
    const struct cairn_yaml_node *moves = cairn_compiler_list(c, map, "moves");
    bool has_workflow = cairn_type_workflow(type) != NULL;

    lines->states = states_read(c, states, type);
    lines->moves = moves_read(c, moves, type);
    indicators_read(c, cairn_compiler_list(c, map, "indicators"), type);
    if (has_workflow && type->state_count == 0)
        cairn_compiler_tell(c, map->line,
                            FAIL(c,
                                 "%s: a field of type workflow needs states: list them below "
                                 "the fields.",
                                 c->type_name));
    if (!has_workflow && type->state_count + type->move_count > 0)
        cairn_compiler_tell(
            c, (states != NULL ? states : moves)->key_line,
            FAIL(c, "%s: states and moves need a field of type workflow.", c->type_name));
}
