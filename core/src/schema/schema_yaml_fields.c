/* The fields of a type in a schema file; declared in schema_yaml_internal.h. */

#include <string.h>

#include "schema_yaml_internal.h"

static const char *const field_keys[] = {"number", "name",     "zh",       "en",      "type",
                                         "merge",  "to",       "unit",     "min",     "max",
                                         "bands",  "required", "personal", "indexed", "alias",
                                         "same",   "open",     "retired",  "choices", NULL};

/* What a file calls a type: how it travels, how it merges unless it says so, what is checked. */
static const struct {
    const char *word;
    enum cairn_wire_type wire;
    enum cairn_merge_kind merge;
    enum cairn_field_check check;
} field_types[] = {
    {"text", CAIRN_WIRE_TEXT, CAIRN_MERGE_REGISTER, CAIRN_CHECK_NONE},
    {"integer", CAIRN_WIRE_INTEGER, CAIRN_MERGE_REGISTER, CAIRN_CHECK_NONE},
    {"money", CAIRN_WIRE_MONEY, CAIRN_MERGE_REGISTER, CAIRN_CHECK_NONE},
    {"date", CAIRN_WIRE_DATE, CAIRN_MERGE_REGISTER, CAIRN_CHECK_NONE},
    {"yes-no", CAIRN_WIRE_YES_NO, CAIRN_MERGE_REGISTER, CAIRN_CHECK_NONE},
    {"choice", CAIRN_WIRE_CHOICE, CAIRN_MERGE_REGISTER, CAIRN_CHECK_NONE},
    {"choices", CAIRN_WIRE_CHOICE, CAIRN_MERGE_SET, CAIRN_CHECK_NONE},
    {"digits", CAIRN_WIRE_DIGITS, CAIRN_MERGE_REGISTER, CAIRN_CHECK_NONE},
    {"flags", CAIRN_WIRE_FLAGS, CAIRN_MERGE_REGISTER, CAIRN_CHECK_NONE},
    {"reference", CAIRN_WIRE_REFERENCE, CAIRN_MERGE_REGISTER, CAIRN_CHECK_NONE},
    {"references", CAIRN_WIRE_REFERENCE, CAIRN_MERGE_SET, CAIRN_CHECK_NONE},
    {"id-number", CAIRN_WIRE_DIGITS, CAIRN_MERGE_REGISTER, CAIRN_CHECK_ID_NUMBER},
    {"phone", CAIRN_WIRE_DIGITS, CAIRN_MERGE_REGISTER, CAIRN_CHECK_PHONE},
    {"village-code", CAIRN_WIRE_DIGITS, CAIRN_MERGE_REGISTER, CAIRN_CHECK_VILLAGE},
    {"workflow", CAIRN_WIRE_INTEGER, CAIRN_MERGE_WORKFLOW, CAIRN_CHECK_NONE},
};
#define FIELD_TYPE_COUNT (sizeof field_types / sizeof field_types[0])
static const char *const merge_words[] = {"register", "set", "counter", "workflow", NULL};

const char *cairn_field_type_word(const struct cairn_field *field)
{
    const char *word = "?";

    /* The first that travels so, or the one that merges so too: choice or choices. */
    for (size_t i = 0; i < FIELD_TYPE_COUNT; i++)
        if (field_types[i].wire == field->wire && field_types[i].check == field->check &&
            (strcmp(word, "?") == 0 || field_types[i].merge == field->merge))
            word = field_types[i].word;
    return word;
}

const char *cairn_field_merge_word(const struct cairn_field *field)
{
    return field->merge < CAIRN_MERGE_COUNT ? merge_words[field->merge] : "?";
}

/* The field being read, and where its parts stand. */
struct reading {
    struct cairn_compiler *c;
    const struct cairn_yaml_node *map;
    struct cairn_field *field;
    bool has_type; /* known, so that what depends on it can be judged */
};

/* "household.income" for sentences, in the scratch arena. */
static const char *place(struct reading *r)
{
    static const char unnamed[] = "?";
    size_t size = strlen(r->c->type_name) + strlen(r->field->name) + 2;
    char *text = cairn_arena_get(r->c->scratch, size);

    if (text == NULL)
        return unnamed;
    memcpy(text, r->c->type_name, strlen(r->c->type_name));
    text[strlen(r->c->type_name)] = '.';
    memcpy(text + strlen(r->c->type_name) + 1, r->field->name, strlen(r->field->name) + 1);
    return text;
}

/* The line of a key, or of the field when the key is not there. */
static size_t key_line(const struct reading *r, const char *key)
{
    const struct cairn_yaml_node *node = cairn_yaml_get(r->map, key);

    return node == NULL ? r->map->line : node->key_line;
}

#define TELL(r, key, ...)                             \
    cairn_compiler_tell((r)->c, key_line((r), (key)), \
                        cairn_fail((r)->c->err, CAIRN_BAD_INPUT, __VA_ARGS__))

/* ---- type and merge kind ------------------------------------------------------------------- */

static void type_unknown(struct reading *r, const char *word)
{
    const char *words[FIELD_TYPE_COUNT + 1] = {NULL};

    for (size_t i = 0; i < FIELD_TYPE_COUNT; i++)
        words[i] = field_types[i].word;
    const char *nearest = cairn_word_nearest(words, word);
    if (nearest != NULL)
        cairn_compiler_tell(r->c, key_line(r, "type"),
                            cairn_fail(r->c->err, CAIRN_BAD_INPUT,
                                       "%s: there is no type \"%.40s\"; did you mean \"%s\"?",
                                       place(r), cairn_quote(word).text, nearest));
    else
        cairn_compiler_tell(
            r->c, key_line(r, "type"),
            cairn_fail(r->c->err, CAIRN_BAD_INPUT,
                       "%s: there is no type \"%.40s\". Types: text, integer, money, date, yes-no, "
                       "choice, choices, digits, flags, reference, references, id-number, phone, "
                       "village-code, workflow.",
                       place(r), cairn_quote(word).text));
}

static void type_read(struct reading *r)
{
    const char *word = cairn_compiler_text(r->c, r->map, "type", true, CAIRN_SCHEMA_NAME_MAX);

    for (size_t i = 0; i < FIELD_TYPE_COUNT; i++) {
        if (strcmp(field_types[i].word, word) != 0)
            continue;
        r->field->wire = field_types[i].wire;
        r->field->merge = field_types[i].merge;
        r->field->check = field_types[i].check;
        r->has_type = true;
        return;
    }
    if (word[0] != '\0')
        type_unknown(r, word);
}

/* Which kinds make sense of which values: two unseen sums are added, two unseen texts are not. */
static bool merge_fits(uint64_t wire, uint64_t was, uint64_t merge)
{
    switch ((enum cairn_merge_kind)merge) {
    case CAIRN_MERGE_REGISTER:
        return was == CAIRN_MERGE_REGISTER;
    case CAIRN_MERGE_SET:
        return was != CAIRN_MERGE_WORKFLOW && wire != CAIRN_WIRE_FLAGS && wire != CAIRN_WIRE_YES_NO;
    case CAIRN_MERGE_COUNTER:
        return was == CAIRN_MERGE_REGISTER &&
               (wire == CAIRN_WIRE_INTEGER || wire == CAIRN_WIRE_MONEY);
    case CAIRN_MERGE_WORKFLOW:
        return was == CAIRN_MERGE_WORKFLOW;
    case CAIRN_MERGE_COUNT:
        break;
    }
    return false;
}

static void merge_read(struct reading *r)
{
    const char *word = cairn_compiler_text(r->c, r->map, "merge", false, CAIRN_SCHEMA_NAME_MAX);
    uint64_t merge = 0;

    if (word[0] == '\0' || !r->has_type)
        return;
    while (merge < CAIRN_MERGE_COUNT && strcmp(merge_words[merge], word) != 0)
        merge++;
    if (merge == CAIRN_MERGE_COUNT)
        TELL(r, "merge", "%s: merge is register, set, counter or workflow, not \"%.40s\".",
             place(r), cairn_quote(word).text);
    else if (!merge_fits(r->field->wire, r->field->merge, merge))
        TELL(r, "merge",
             "%s: a field of type %s cannot merge as %s. A counter is an integer or money; a "
             "workflow has the type workflow; flags and yes-no are registers.",
             place(r), cairn_field_type_word(r->field), word);
    else
        r->field->merge = merge;
}

/* ---- bounds and bands ---------------------------------------------------------------------- */

static bool is_quantity(const struct cairn_field *field)
{
    return field->wire == CAIRN_WIRE_INTEGER || field->wire == CAIRN_WIRE_MONEY;
}

static bool quantity_parse(struct reading *r, const struct cairn_yaml_node *node,
                           int64_t *out_value)
{
    struct cairn_value value;

    if (node->kind == CAIRN_YAML_TEXT &&
        cairn_value_parse(r->field, node->text, &value, r->c->err) == CAIRN_OK) {
        *out_value = value.integer;
        return true;
    }
    cairn_compiler_tell(
        r->c, node->line,
        node->kind == CAIRN_YAML_TEXT
            ? CAIRN_BAD_INPUT
            : cairn_fail(r->c->err, CAIRN_BAD_INPUT, "%s: one value is needed.", place(r)));
    return false;
}

static void bound_read(struct reading *r, const char *key, bool *out_has, int64_t *out_bound)
{
    const struct cairn_yaml_node *node = cairn_yaml_get(r->map, key);

    if (node == NULL || !r->has_type)
        return;
    if ((!is_quantity(r->field) && r->field->wire != CAIRN_WIRE_DATE) ||
        r->field->merge == CAIRN_MERGE_WORKFLOW)
        TELL(r, key, "%s: min and max are for integer, money and date.", place(r));
    else
        *out_has = quantity_parse(r, node, out_bound);
}

static void bounds_read(struct reading *r)
{
    struct cairn_field *field = r->field;

    bound_read(r, "min", &field->has_lowest, &field->lowest);
    bound_read(r, "max", &field->has_highest, &field->highest);
    if (field->has_lowest && field->has_highest && field->lowest > field->highest)
        TELL(r, "max", "%s: max is below min.", place(r));
}

static void bands_read(struct reading *r)
{
    const struct cairn_yaml_node *list = cairn_compiler_list(r->c, r->map, "bands");
    struct cairn_field *field = r->field;

    if (list == NULL || !r->has_type)
        return;
    if (!is_quantity(field) || field->merge != CAIRN_MERGE_REGISTER) {
        TELL(r, "bands", "%s: bands are for integer and money.", place(r));
        return;
    }
    int64_t *bands = cairn_compiler_get(r->c, list->count, sizeof *bands);
    field->bands = bands;
    for (const struct cairn_yaml_node *node = list->first; node != NULL && bands != NULL;
         node = node->next) {
        if (!quantity_parse(r, node, &bands[field->band_count]))
            continue;
        if (field->band_count > 0 && bands[field->band_count] <= bands[field->band_count - 1])
            cairn_compiler_tell(r->c, node->line,
                                cairn_fail(r->c->err, CAIRN_BAD_INPUT,
                                           "%s: bands must rise from one to the next.", place(r)));
        field->band_count++;
    }
}

/* ---- choices ------------------------------------------------------------------------------- */

static bool text_is_taken(const struct cairn_field *field, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (text[0] != '\0' && (strcmp(field->choices[i].text, text) == 0 ||
                                strcmp(field->choices[i].label_en, text) == 0))
            return true;
    return false;
}

static void choice_read(struct reading *r, const struct cairn_yaml_node *map,
                        struct cairn_choice *choice)
{
    static const char *const keys[] = {"number", "text", "en", NULL};
    const struct cairn_field *field = r->field;

    if (!cairn_compiler_map(r->c, map, keys))
        return;
    choice->number = cairn_compiler_number(r->c, map, "number");
    choice->text = cairn_compiler_text(r->c, map, "text", true, CAIRN_SCHEMA_LABEL_MAX);
    choice->label_en = cairn_compiler_text(r->c, map, "en", false, CAIRN_SCHEMA_LABEL_MAX);
    uint64_t before = field->choice_count == 0 ? 0 : field->choices[field->choice_count - 1].number;
    if (choice->number != 0 && choice->number <= before)
        cairn_compiler_tell(r->c, cairn_yaml_get(map, "number")->line,
                            cairn_fail(r->c->err, CAIRN_BAD_INPUT,
                                       "%s: choice %u stands behind %u: keep the choices in the "
                                       "order of their numbers, each number once.",
                                       place(r), (unsigned)choice->number, (unsigned)before));
    if (text_is_taken(field, field->choice_count, choice->text) ||
        text_is_taken(field, field->choice_count, choice->label_en))
        cairn_compiler_tell(r->c, map->line,
                            cairn_fail(r->c->err, CAIRN_BAD_INPUT,
                                       "%s: another choice is called the same.", place(r)));
}

static void choices_read(struct reading *r)
{
    const struct cairn_yaml_node *list = cairn_compiler_list(r->c, r->map, "choices");

    if (!r->has_type)
        return;
    if (r->field->wire != CAIRN_WIRE_CHOICE) {
        if (list != NULL)
            TELL(r, "choices", "%s: choices are for the types choice and choices.", place(r));
        return;
    }
    if (list == NULL || list->count == 0) {
        if (list != NULL || cairn_yaml_get(r->map, "choices") == NULL)
            TELL(r, "choices", "%s: list its choices: - {number: 1, text: ..., en: ...}.",
                 place(r));
        return;
    }
    struct cairn_choice *choices = cairn_compiler_get(r->c, list->count, sizeof *choices);
    r->field->choices = choices;
    for (const struct cairn_yaml_node *node = list->first; node != NULL && choices != NULL;
         node = node->next) {
        struct cairn_choice *choice = &choices[r->field->choice_count];
        *choice = (struct cairn_choice){.text = "", .label_en = ""};
        choice_read(r, node, choice);
        r->field->choice_count++;
    }
}

/* ---- marks --------------------------------------------------------------------------------- */

static void target_read(struct reading *r)
{
    const struct cairn_yaml_node *node = cairn_yaml_get(r->map, "to");
    bool is_reference = r->field->wire == CAIRN_WIRE_REFERENCE;

    if (!r->has_type)
        return;
    if (is_reference != (node != NULL)) {
        TELL(r, "to", "%s: a reference, and nothing else, names a type: to: household.", place(r));
        return;
    }
    if (node == NULL)
        return;
    struct cairn_yaml_target *target = cairn_arena_get(r->c->scratch, sizeof *target);
    if (target == NULL) {
        r->c->is_short = true;
        return;
    }
    *target = (struct cairn_yaml_target){r->field, node, r->c->targets};
    r->c->targets = target;
}

/* Personal values stand in slots, which hold one text or number and are seen by some only. */
static void personal_check(struct reading *r)
{
    const struct cairn_field *field = r->field;

    if (!field->is_personal)
        return;
    if (field->wire == CAIRN_WIRE_REFERENCE)
        TELL(r, "personal",
             "%s: a reference cannot be personal: mark the fields of the record it "
             "names.",
             place(r));
    else if (field->merge == CAIRN_MERGE_COUNTER || field->merge == CAIRN_MERGE_WORKFLOW)
        TELL(r, "personal", "%s: a %s cannot be personal: everybody must be able to add it up.",
             place(r), cairn_field_merge_word(field));
    else if (field->band_count > 0)
        TELL(r, "bands", "%s: a personal field has no bands: they would be seen by all.", place(r));
}

static void marks_check(struct reading *r)
{
    const struct cairn_field *field = r->field;
    bool is_register = field->merge == CAIRN_MERGE_REGISTER;

    personal_check(r);
    if (field->is_required && !is_register)
        TELL(r, "required", "%s: only a register can be required.", place(r));
    if (field->is_indexed && !is_register && field->merge != CAIRN_MERGE_WORKFLOW)
        TELL(r, "indexed", "%s: only a register or a workflow can be indexed.", place(r));
    if (field->is_alias &&
        (!is_register || (field->wire != CAIRN_WIRE_TEXT && field->wire != CAIRN_WIRE_DIGITS)))
        TELL(r, "alias", "%s: an alias is a text or digits, and a register.", place(r));
    if (field->is_same && (field->wire != CAIRN_WIRE_REFERENCE || field->merge != CAIRN_MERGE_SET))
        TELL(r, "same", "%s: same is for the type references.", place(r));
    if (field->is_open && (field->wire != CAIRN_WIRE_CHOICE || !is_register))
        TELL(r, "open", "%s: open is for the type choice.", place(r));
    if (field->unit[0] != '\0' && !is_quantity(field))
        TELL(r, "unit", "%s: a unit is for integer and money.", place(r));
}

static void name_check(struct reading *r)
{
    /* What commands call the scope of a record, and its deletion. */
    if (strcmp(r->field->name, "village") == 0 || strcmp(r->field->name, "deleted") == 0)
        TELL(r, "name", "%s: this name is taken: commands use it for every record.", place(r));
}

static void field_read(struct cairn_compiler *c, const struct cairn_yaml_node *list,
                       const struct cairn_yaml_node *map, struct cairn_field *field)
{
    struct reading r = {.c = c, .map = map, .field = field};

    *field = (struct cairn_field){.name = "", .label_zh = "", .label_en = "", .unit = ""};
    if (!cairn_compiler_map(c, map, field_keys))
        return;
    struct cairn_compiler_item item = cairn_compiler_item(c, list, map);
    field->number = item.number;
    field->name = item.name;
    field->label_zh = item.label_zh;
    field->label_en = item.label_en;
    field->is_required = cairn_compiler_yes(c, map, "required");
    field->is_personal = cairn_compiler_yes(c, map, "personal");
    field->is_indexed = cairn_compiler_yes(c, map, "indexed");
    field->is_alias = cairn_compiler_yes(c, map, "alias");
    field->is_same = cairn_compiler_yes(c, map, "same");
    field->is_open = cairn_compiler_yes(c, map, "open");
    field->is_retired = cairn_compiler_yes(c, map, "retired");
    field->unit = cairn_compiler_text(c, map, "unit", false, CAIRN_SCHEMA_NAME_MAX);
    name_check(&r);
    type_read(&r);
    merge_read(&r);
    bounds_read(&r);
    bands_read(&r);
    choices_read(&r);
    target_read(&r);
    if (r.has_type)
        marks_check(&r);
}

static void once_check(struct cairn_compiler *c, const struct cairn_yaml_node *map, bool has,
                       unsigned *count, const char *what)
{
    *count += has;
    if (has && *count > 1)
        cairn_compiler_tell(c, map->line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "%s: a type has one %s field, this is another.",
                                       c->type_name, what));
}

void cairn_compiler_fields(struct cairn_compiler *c, const struct cairn_yaml_node *list,
                           struct cairn_type *type, const size_t **out_lines)
{
    size_t count = list == NULL ? 0 : list->count;
    struct cairn_field *fields = cairn_compiler_get(c, count, sizeof *fields);
    size_t *lines = cairn_compiler_get(c, count, sizeof *lines);
    unsigned workflows = 0, sames = 0;

    type->fields = fields;
    *out_lines = lines;
    for (const struct cairn_yaml_node *map = count == 0 ? NULL : list->first;
         map != NULL && fields != NULL && lines != NULL; map = map->next) {
        struct cairn_field *field = &fields[type->field_count];
        lines[type->field_count++] = map->line;
        field_read(c, list, map, field);
        once_check(c, map, field->merge == CAIRN_MERGE_WORKFLOW, &workflows, "workflow");
        once_check(c, map, field->is_same, &sames, "same");
    }
}
