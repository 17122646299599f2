/*
 * Any bytes as a schema table, and what is left of the input, after the size that its first two
 * bytes give, as text for every field of it. A value that a person typed and the field took is
 * shown, and typed again as it is shown, as the same value.
 */

#include <stdlib.h>
#include <string.h>

#include "schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TYPED_MAX 128

static bool same_value(const struct cairn_value *a, const struct cairn_value *b)
{
    return a->kind == b->kind && a->is_slot == b->is_slot &&
           (a->kind == CAIRN_VALUE_INTEGER ? a->integer == b->integer
                                           : cairn_bytes_equal(a->text, b->text));
}

static void field_try(const struct cairn_field *field, const char *typed, struct cairn_arena *arena)
{
    struct cairn_value value, again;
    struct cairn_err err = {0};

    if (field->wire >= CAIRN_WIRE_COUNT)
        return; /* of a newer version: nothing fits it here */
    if (cairn_field_parse(field, typed, &value, &err) != CAIRN_OK) {
        CAIRN_ASSERT(err.text[0] != '\0');
        return;
    }
    CAIRN_ASSERT(cairn_field_fits(field, &value));
    const char *shown = cairn_field_format(field, &value, arena);
    CAIRN_ASSERT(shown != NULL);
    CAIRN_ASSERT(cairn_field_parse(field, shown, &again, &err) == CAIRN_OK);
    CAIRN_ASSERT(same_value(&value, &again));
}

static void schema_try(const struct cairn_schema *schema, const char *typed)
{
    struct cairn_arena arena;

    cairn_arena_init(&arena);
    for (size_t t = 0; t < schema->type_count; t++) {
        const struct cairn_type *type = &schema->types[t];
        CAIRN_ASSERT(cairn_schema_type(schema, type->number) == type);
        CAIRN_ASSERT(strcmp(cairn_schema_type_named(schema, type->name)->name, type->name) == 0);
        for (size_t f = 0; f < type->field_count; f++) {
            CAIRN_ASSERT(cairn_type_field(type, type->fields[f].number) == &type->fields[f]);
            const char *name = type->fields[f].name;
            CAIRN_ASSERT(strcmp(cairn_type_field_named(type, name)->name, name) == 0);
            field_try(&type->fields[f], typed, &arena);
        }
    }
    cairn_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_schema *schema;
    char typed[TYPED_MAX + 1];

    if (size < 2)
        return 0;
    size_t table = (size_t)data[0] << 8 | data[1];
    table = table < size - 2 ? table : size - 2;
    size_t left = size - 2 - table < TYPED_MAX ? size - 2 - table : TYPED_MAX;
    memcpy(typed, data + 2 + table, left);
    typed[left] = '\0';
    if (cairn_schema_read((struct cairn_bytes){data + 2, table}, &schema) != CAIRN_OK)
        return 0;
    schema_try(schema, typed);
    cairn_schema_free(schema);
    return 0;
}
