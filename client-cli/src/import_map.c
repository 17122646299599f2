#include "import_map.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "i18n.h"
#include "text.h"

/* One Chinese character differs by at most 3 bytes. */
#define SLIP_MAX 3

/* Other names of the columns that are no fields. */
static const struct {
    const char *header;
    enum import_role role;
} special[] = {
    {IMPORT_VILLAGE, IMPORT_IS_VILLAGE}, {"village code", IMPORT_IS_VILLAGE},
    {"村代码", IMPORT_IS_VILLAGE},       {"行政区划代码", IMPORT_IS_VILLAGE},
    {IMPORT_RECORD, IMPORT_IS_RECORD},   {"record ID", IMPORT_IS_RECORD},
    {"记录编号", IMPORT_IS_RECORD},
};

/* ---- --map ---- */

/* The next "COLUMN=FIELD" of the list, cut at its last '='; false at the end. */
struct mapping {
    const char *column, *field;
    size_t column_size, field_size;
};
static enum cairn_status mapping_next(const char **list, struct mapping *out, bool *out_is_end,
                                      struct cairn_err *err)
{
    const char *item = *list;
    size_t size = item == NULL ? 0 : strcspn(item, ",");
    const char *equals = size == 0 ? NULL : memrchr(item, '=', size);

    *out_is_end = item == NULL || item[0] == '\0';
    if (*out_is_end)
        return CAIRN_OK;
    if (equals == NULL || equals == item || equals == item + size - 1)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("--map wants COLUMN=FIELD, or COLUMN=- to leave it out; more than one "
                             "stand behind commas. This is neither: %s"),
                          item);
    *out = (struct mapping){item, equals + 1, (size_t)(equals - item),
                            size - (size_t)(equals - item) - 1};
    *list = item[size] == ',' ? item + size + 1 : item + size;
    return CAIRN_OK;
}

static bool is_text(const char *text, const char *bytes, size_t size)
{
    return strlen(text) == size && memcmp(text, bytes, size) == 0;
}

/* Does the rest of the list name the same column? */
static bool is_mapped(const char *list, const struct mapping *mapping)
{
    struct mapping other;
    bool is_end = false;

    while (mapping_next(&list, &other, &is_end, NULL) == CAIRN_OK && !is_end)
        if (other.column_size == mapping->column_size &&
            memcmp(other.column, mapping->column, other.column_size) == 0)
            return true;
    return false;
}

/* Every column that is mapped must be there: a slip would leave it unmapped unseen. */
static enum cairn_status check_mapping(const struct import_map_input *input, struct cairn_err *err)
{
    const char *list = input->mapping;
    struct mapping mapping;
    bool is_end, is_there = false;

    if (list != NULL && list[0] == '\0')
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("--map names no column: give COLUMN=FIELD, or leave --map out"));
    for (;;) {
        enum cairn_status status = mapping_next(&list, &mapping, &is_end, err);
        if (status != CAIRN_OK || is_end)
            return status;
        is_there = false;
        for (size_t i = 0; i < input->header->field_count; i++)
            is_there =
                is_there || is_text(input->header->fields[i], mapping.column, mapping.column_size);
        if (!is_there)
            return cairn_fail(err, CAIRN_BAD_INPUT,
                              N_("--map names the column \"%.*s\", which the first line has not"),
                              (int)mapping.column_size, mapping.column);
        if (is_mapped(list, &mapping))
            return cairn_fail(err, CAIRN_BAD_INPUT, N_("--map names the column \"%.*s\" twice"),
                              (int)mapping.column_size, mapping.column);
    }
}

/* What stands behind '=' for this column; false: it is not mapped. */
static bool find_mapping(const struct import_map_input *input, const char *header,
                         struct mapping *out)
{
    const char *list = input->mapping;
    bool is_end = false;

    while (mapping_next(&list, out, &is_end, NULL) == CAIRN_OK && !is_end)
        if (is_text(header, out->column, out->column_size))
            return true;
    return false;
}

/* ---- columns ---- */

static bool has_label(const struct cairn_field_info *field, const char *text)
{
    return (field->label_zh != NULL && strcmp(field->label_zh, text) == 0) ||
           (field->label_en != NULL && strcasecmp(field->label_en, text) == 0);
}

static const struct cairn_field_info *field_named(const struct import_map_input *input,
                                                  const char *name, size_t size)
{
    for (size_t i = 0; i < input->field_count; i++)
        if (is_text(input->fields[i].name, name, size))
            return &input->fields[i];
    return NULL;
}

static const char *nearest_name(const struct import_map_input *input, const char *header)
{
    const char *nearest = NULL;
    unsigned best = SLIP_MAX + 1;

    for (size_t i = 0; i < input->field_count; i++) {
        const struct cairn_field_info *field = &input->fields[i];
        const char *const names[] = {field->name, field->label_zh, field->label_en};
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            unsigned distance = names[k] == NULL ? best : text_distance(header, names[k]);
            if (distance < best && distance * 2 <= strlen(header)) {
                best = distance;
                nearest = field->name;
            }
        }
    }
    return nearest;
}

static enum cairn_status fail_unknown(const struct import_map_input *input, size_t at,
                                      struct cairn_err *err)
{
    const char *header = input->header->fields[at];
    const char *nearest = nearest_name(input, header);

    if (nearest != NULL)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("column %zu \"%s\" is no field of %s. Did you mean %s? Then give "
                             "--map \"%s=%s\"; to leave it out, --map \"%s=-\""),
                          at + 1, header, input->type, nearest, header, nearest, header);
    return cairn_fail(err, CAIRN_BAD_INPUT,
                      N_("column %zu \"%s\" is no field of %s. Say which one it is with "
                         "--map \"%s=FIELD\"; to leave it out, --map \"%s=-\""),
                      at + 1, header, input->type, header, header);
}

/* By name, then by label; a label that two fields have names neither. */
static enum cairn_status find_field(const struct import_map_input *input, size_t at,
                                    const char **out_name, struct cairn_err *err)
{
    const char *header = input->header->fields[at];
    const struct cairn_field_info *found = field_named(input, header, strlen(header));

    for (size_t i = 0; found == NULL && i < input->field_count; i++)
        if (has_label(&input->fields[i], header))
            found = &input->fields[i];
    if (found == NULL)
        return fail_unknown(input, at, err);
    for (const struct cairn_field_info *other = found + 1;
         strcmp(found->name, header) != 0 && other < input->fields + input->field_count; other++)
        if (has_label(other, header))
            return cairn_fail(err, CAIRN_BAD_INPUT,
                              N_("column %zu \"%s\" may be %s or %s: say which with --map "
                                 "\"%s=%s\""),
                              at + 1, header, found->name, other->name, header, found->name);
    *out_name = found->name;
    return CAIRN_OK;
}

static bool find_special(const char *name, size_t size, enum import_role *out_role)
{
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (is_text(special[i].header, name, size)) {
            *out_role = special[i].role;
            return true;
        }
    return false;
}

/* Where a workflow stands comes by steps alone: a table that an export wrote shows it, no more. */
static bool is_moved(const struct import_map_input *input, const char *name)
{
    const struct cairn_field_info *field = field_named(input, name, strlen(name));

    return field != NULL && field->merge != NULL && strcmp(field->merge, "workflow") == 0;
}

static enum cairn_status find_column(const struct import_map_input *input, size_t at,
                                     enum import_role *out_role, const char **out_name,
                                     struct cairn_err *err)
{
    const char *header = input->header->fields[at];
    struct mapping mapping;

    *out_role = IMPORT_IS_FIELD;
    *out_name = NULL;
    if (!find_mapping(input, header, &mapping)) {
        if (find_special(header, strlen(header), out_role))
            return CAIRN_OK;
        enum cairn_status status = find_field(input, at, out_name, err);
        if (status == CAIRN_OK && is_moved(input, *out_name))
            *out_role = IMPORT_IS_NOTHING;
        return status;
    }
    if (is_text("-", mapping.field, mapping.field_size)) {
        *out_role = IMPORT_IS_NOTHING;
        return CAIRN_OK;
    }
    if (find_special(mapping.field, mapping.field_size, out_role))
        return CAIRN_OK;
    const struct cairn_field_info *field = field_named(input, mapping.field, mapping.field_size);
    if (field == NULL)
        return cairn_fail(err, CAIRN_BAD_INPUT, N_("--map: %s has no field %.*s"), input->type,
                          (int)mapping.field_size, mapping.field);
    *out_name = field->name;
    return CAIRN_OK;
}

/* No two columns may be the same thing: one would silently win. */
static enum cairn_status check_double(const struct import_map *map, struct cairn_err *err)
{
    const struct import_column *last = &map->columns[map->count - 1];

    for (size_t i = 0; i + 1 < map->count; i++) {
        const struct import_column *other = &map->columns[i];
        if (strcmp(other->header, last->header) == 0)
            return cairn_fail(err, CAIRN_BAD_INPUT,
                              N_("columns %zu and %zu are both called \"%s\": rename one"), i + 1,
                              map->count, last->header);
        if (last->role == IMPORT_IS_NOTHING || other->role != last->role ||
            (last->field != NULL && strcmp(other->field, last->field) != 0))
            continue;
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("columns %zu \"%s\" and %zu \"%s\" are the same field: leave one out "
                             "with --map \"%s=-\""),
                          i + 1, other->header, map->count, last->header, last->header);
    }
    return CAIRN_OK;
}

static enum cairn_status add_column(struct import_map *map, const struct import_map_input *input,
                                    size_t at, struct cairn_err *err)
{
    struct import_column *column = &map->columns[map->count];
    const char *name;
    enum import_role role;

    if (input->header->fields[at][0] == '\0')
        return cairn_fail(err, CAIRN_BAD_INPUT, N_("column %zu has no name: give it one"),
                          map->count + 1);
    enum cairn_status status = find_column(input, at, &role, &name, err);
    if (status != CAIRN_OK)
        return status;
    *column = (struct import_column){.role = role, .header = strdup(input->header->fields[at])};
    map->count++;
    if (name != NULL)
        column->field = strdup(name);
    if (column->header == NULL || (name != NULL && column->field == NULL))
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory"));
    return check_double(map, err);
}

enum cairn_status import_map_init(struct import_map *map, const struct import_map_input *input,
                                  struct cairn_err *err)
{
    map->count = 0;
    enum cairn_status status = check_mapping(input, err);
    for (size_t i = 0; status == CAIRN_OK && i < input->header->field_count; i++)
        status = add_column(map, input, i, err);
    if (status != CAIRN_OK)
        import_map_release(map);
    return status;
}

void import_map_release(struct import_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free(map->columns[i].header);
        free(map->columns[i].field);
    }
    map->count = 0;
}
