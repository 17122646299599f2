#include "workload.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How the files call the schema's fields. */
static const struct {
    const char *in_file, *in_schema;
} field_names[] = {
    {"id", "id"},
    {"head", "head"},
    {"members", "members"},
    {"town", "town_name"},
    {"village", "village_name"},
    {"income", "income"},
    {"cause", "cause"},
    {"ind", "ind"},
    {"cadre", "cadre"},
    {"phone", "phone"},
    {"status", "status"},
    {"addr", "addr"},
    {"plan", "plan"},
    {"updated", "updated"},
};

static const char *schema_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof field_names / sizeof field_names[0]; i++)
        if (strcmp(field_names[i].in_file, name) == 0)
            return field_names[i].in_schema;
    return NULL;
}

static bool text_copy(const char *text, char *out_text, size_t size)
{
    if (text == NULL || strlen(text) >= size)
        return false;
    memcpy(out_text, text, strlen(text) + 1);
    return true;
}

static bool field_read(struct operation *operation, const char *name, const json_t *value)
{
    if (operation->field_count == WORKLOAD_FIELDS_MAX || schema_name(name) == NULL)
        return false;
    struct operation_field *field = &operation->fields[operation->field_count++];

    field->name = schema_name(name);
    if (!json_is_integer(value))
        return text_copy(json_string_value(value), field->value, sizeof field->value);
    snprintf(field->value, sizeof field->value, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return true;
}

static bool record_read(struct operation *operation, json_t *record)
{
    const char *name;
    json_t *value;

    json_object_foreach(record, name, value) if (!field_read(operation, name, value)) return false;
    return operation->field_count > 0;
}

static bool operation_read(json_t *line, struct operation *out_operation)
{
    const char *kind = json_string_value(json_object_get(line, "op"));
    const char *same = json_string_value(json_object_get(line, "k"));

    *out_operation = (struct operation){
        .station = (unsigned)json_integer_value(json_object_get(line, "st")),
        .is_same = same != NULL && strcmp(same, "same") == 0,
        .time_s = (uint64_t)json_integer_value(json_object_get(line, "t")),
    };
    if (kind == NULL || !text_copy(json_string_value(json_object_get(line, "hh")),
                                   out_operation->household, sizeof out_operation->household))
        return false;
    out_operation->is_new = strcmp(kind, "new") == 0;
    if (out_operation->is_new)
        return record_read(out_operation, json_object_get(line, "rec"));
    return strcmp(kind, "set") == 0 &&
           field_read(out_operation, json_string_value(json_object_get(line, "f")),
                      json_object_get(line, "v"));
}

static enum cairn_status line_add(struct workload *workload, const char *text, const char *path,
                                  struct cairn_err *err)
{
    struct operation *operations =
        realloc(workload->operations, (workload->count + 1) * sizeof *operations);
    if (operations == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    workload->operations = operations;

    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool is_read = line != NULL && operation_read(line, &operations[workload->count]);
    json_decref(line);
    workload->count++;
    if (!is_read)
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s:%zu: this is no operation", path,
                          workload->count);
    return CAIRN_OK;
}

enum cairn_status workload_load(const char *folder, const char *name, struct workload *out_workload,
                                struct cairn_err *err)
{
    struct workload workload = {NULL, 0};
    enum cairn_status status = CAIRN_OK;
    char path[PATH_MAX];
    char *text = NULL;
    size_t size = 0;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return cairn_fail(err, CAIRN_IO, "%s cannot be read: %s", path, strerror(errno));
    while (status == CAIRN_OK && getline(&text, &size, file) > 0)
        status = line_add(&workload, text, path, err);
    if (status == CAIRN_OK && workload.count == 0)
        status = cairn_fail(err, CAIRN_BAD_INPUT, "%s is empty", path);
    free(text);
    fclose(file);
    if (status != CAIRN_OK)
        workload_release(&workload);
    else
        *out_workload = workload;
    return status;
}

void workload_release(struct workload *workload)
{
    free(workload->operations);
    *workload = (struct workload){NULL, 0};
}
