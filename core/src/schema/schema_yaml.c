#include "schema_yaml.h"

#include <stdlib.h>
#include <string.h>

#include "schema_yaml_internal.h"

static void type_read(struct cairn_compiler *c, const struct cairn_yaml_node *list,
                      const struct cairn_yaml_node *map, struct cairn_type *type,
                      struct cairn_schema_type_lines *lines)
{
    static const char *const keys[] = {"number", "name",   "zh",    "en",         "retired",
                                       "fields", "states", "moves", "indicators", NULL};

    *type = (struct cairn_type){.name = "", .label_zh = "", .label_en = ""};
    *lines = (struct cairn_schema_type_lines){.line = map->line};
    if (!cairn_compiler_map(c, map, keys))
        return;
    struct cairn_compiler_item item = cairn_compiler_item(c, list, map);
    type->number = item.number;
    type->name = item.name;
    type->label_zh = item.label_zh;
    type->label_en = item.label_en;
    type->is_retired = cairn_compiler_yes(c, map, "retired");
    c->type_name = type->name;
    const struct cairn_yaml_node *fields = cairn_compiler_list(c, map, "fields");
    if (cairn_yaml_get(map, "fields") == NULL || (fields != NULL && fields->count == 0))
        cairn_compiler_tell(c, map->line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "%s: a type needs fields: list them below it.", type->name));
    cairn_compiler_fields(c, fields, type, &lines->fields);
    cairn_compiler_flow(c, map, type, lines);
}

static void types_read(struct cairn_compiler *c, const struct cairn_yaml_node *list,
                       struct cairn_schema_source *source)
{
    size_t count = list == NULL ? 0 : list->count;
    struct cairn_type *types = cairn_compiler_get(c, count, sizeof *types);
    struct cairn_schema_type_lines *lines = cairn_compiler_get(c, count, sizeof *lines);

    source->schema->types = types;
    source->types = lines;
    for (const struct cairn_yaml_node *map = count == 0 ? NULL : list->first;
         map != NULL && types != NULL && lines != NULL; map = map->next) {
        size_t i = source->schema->type_count++;
        type_read(c, list, map, &types[i], &lines[i]);
    }
}

/* Now that all types are known. */
static void targets_resolve(struct cairn_compiler *c, const struct cairn_schema *schema)
{
    for (const struct cairn_yaml_target *target = c->targets; target != NULL;
         target = target->next) {
        const struct cairn_type *type = target->node->kind == CAIRN_YAML_TEXT
                                            ? cairn_schema_type_named(schema, target->node->text)
                                            : NULL;
        if (type != NULL)
            target->field->target = type->number;
        else
            cairn_compiler_tell(
                c, target->node->line,
                cairn_fail(c->err, CAIRN_BAD_INPUT, "%s: there is no type \"%.40s\" to refer to.",
                           target->field->name, cairn_quote(target->node->text).text));
    }
}

static void file_read(struct cairn_compiler *c, const struct cairn_yaml_node *root,
                      struct cairn_schema_source *source)
{
    static const char *const keys[] = {"version", "types", NULL};

    if (!cairn_compiler_map(c, root, keys))
        return;
    const struct cairn_yaml_node *version = cairn_yaml_get(root, "version");
    source->version_line = version == NULL ? 1 : version->line;
    if (version != NULL)
        source->schema->version = cairn_compiler_number(c, root, "version");
    const struct cairn_yaml_node *types = cairn_compiler_list(c, root, "types");
    if (cairn_yaml_get(root, "types") == NULL || (types != NULL && types->count == 0))
        cairn_compiler_tell(c, root->line,
                            cairn_fail(c->err, CAIRN_BAD_INPUT,
                                       "a schema needs types: list them below \"types:\"."));
    types_read(c, types, source);
    targets_resolve(c, source->schema);
}

static enum cairn_status source_read(struct cairn_compiler *c, struct cairn_bytes yaml,
                                     struct cairn_schema_source *source)
{
    const struct cairn_yaml_node *root;
    size_t line = 1;

    enum cairn_status status = cairn_yaml_read(yaml, c->scratch, &root, &line, c->err);
    if (status == CAIRN_BAD_INPUT)
        cairn_compiler_tell(c, line, status);
    if (status == CAIRN_OK)
        file_read(c, root, source);
    if (c->is_short)
        return CAIRN_NO_MEMORY;
    return c->problem_count > 0 ? CAIRN_BAD_INPUT : status;
}

enum cairn_status cairn_schema_compile(struct cairn_bytes yaml, cairn_schema_problem_fn *visit,
                                       void *context, struct cairn_schema_source *out_source,
                                       size_t *out_problem_count, struct cairn_err *err)
{
    struct cairn_err own = {.translate = err == NULL ? NULL : err->translate};
    struct cairn_arena scratch;
    struct cairn_schema_source source = {.version_line = 1};

    source.schema = calloc(1, sizeof *source.schema);
    if (source.schema == NULL)
        return CAIRN_NO_MEMORY;
    cairn_arena_init(&source.schema->memory);
    cairn_arena_init(&scratch);
    struct cairn_compiler c = {.memory = &source.schema->memory,
                               .scratch = &scratch,
                               .err = &own,
                               .visit = visit,
                               .context = context,
                               .type_name = ""};
    enum cairn_status status = source_read(&c, yaml, &source);
    cairn_arena_release(&scratch);
    *out_problem_count = c.problem_count;
    if (status != CAIRN_OK) {
        cairn_schema_free(source.schema);
        return status;
    }
    *out_source = source;
    return CAIRN_OK;
}

size_t cairn_schema_source_line(const struct cairn_schema_source *source,
                                const struct cairn_schema_place *place)
{
    const struct cairn_schema_type_lines *type = &source->types[place->type];

    switch (place->part) {
    case CAIRN_PART_WHOLE:
        return source->version_line;
    case CAIRN_PART_TYPE:
        return type->line;
    case CAIRN_PART_FIELD:
        return type->fields[place->item];
    case CAIRN_PART_STATE:
        return type->states[place->item];
    case CAIRN_PART_MOVE:
        return type->moves[place->item];
    }
    return source->version_line;
}
