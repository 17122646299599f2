#include "schema.h"

#include <stdlib.h>
#include <string.h>

#include "cairn/utf8.h"

#define SCHEMA_FIELDS_MAX 1024

enum field_flag { FLAG_PERSONAL = 1, FLAG_REQUIRED = 2 };

static const char *text_read(struct cairn_reader *reader, struct cairn_arena *memory)
{
    struct cairn_bytes copy = cairn_arena_copy(memory, cairn_cbor_read_text(reader));

    if (copy.data == NULL) {
        cairn_reader_fail(reader);
        return "";
    }
    return (const char *)copy.data;
}

static void field_read(struct cairn_reader *reader, struct cairn_arena *memory,
                       struct cairn_field *field)
{
    size_t count = cairn_cbor_read_array(reader);

    if (count < 7 || (count - 7) % 2 != 0) {
        cairn_reader_fail(reader);
        return;
    }
    field->number = cairn_cbor_read_uint(reader);
    field->name = text_read(reader, memory);
    field->wire = cairn_cbor_read_uint(reader);
    field->merge = cairn_cbor_read_uint(reader);
    uint64_t flags = cairn_cbor_read_uint(reader);
    field->is_personal = (flags & FLAG_PERSONAL) != 0;
    field->is_required = (flags & FLAG_REQUIRED) != 0;
    field->label_zh = text_read(reader, memory);
    field->label_en = text_read(reader, memory);
    field->choice_count = (count - 7) / 2;
    struct cairn_choice *choices =
        cairn_arena_get(memory, field->choice_count * sizeof *choices + 1);
    if (choices == NULL) {
        cairn_reader_fail(reader);
        return;
    }
    for (size_t i = 0; i < field->choice_count; i++) {
        choices[i].number = cairn_cbor_read_uint(reader);
        choices[i].text = text_read(reader, memory);
    }
    field->choices = choices;
}

static void type_read(struct cairn_reader *reader, struct cairn_arena *memory,
                      struct cairn_type *type)
{
    size_t count = cairn_cbor_read_array(reader);

    if (count < 4 || count > SCHEMA_FIELDS_MAX) {
        cairn_reader_fail(reader);
        return;
    }
    type->number = cairn_cbor_read_uint(reader);
    type->name = text_read(reader, memory);
    type->label_zh = text_read(reader, memory);
    type->label_en = text_read(reader, memory);
    type->field_count = count - 4;
    struct cairn_field *fields = cairn_arena_get(memory, type->field_count * sizeof *fields + 1);
    if (fields == NULL) {
        cairn_reader_fail(reader);
        return;
    }
    for (size_t i = 0; i < type->field_count && !reader->failed; i++) {
        field_read(reader, memory, &fields[i]);
        if (fields[i].number <= (i == 0 ? 0 : fields[i - 1].number))
            cairn_reader_fail(reader);
    }
    type->fields = fields;
}

enum cairn_status cairn_schema_read(struct cairn_bytes table, struct cairn_schema **out_schema)
{
    struct cairn_reader reader;
    enum cairn_status status = cairn_cbor_check(table, NULL);

    if (status != CAIRN_OK)
        return status;
    struct cairn_schema *schema = calloc(1, sizeof *schema);
    if (schema == NULL)
        return CAIRN_NO_MEMORY;
    cairn_arena_init(&schema->memory);
    cairn_reader_init(&reader, table);
    size_t count = cairn_cbor_read_array(&reader);
    schema->version = cairn_cbor_read_uint(&reader);
    schema->type_count = count > 0 ? count - 1 : 0;
    struct cairn_type *types =
        cairn_arena_get(&schema->memory, schema->type_count * sizeof *types + 1);
    for (size_t i = 0; types != NULL && i < schema->type_count && !reader.failed; i++) {
        type_read(&reader, &schema->memory, &types[i]);
        if (types[i].number <= (i == 0 ? 0 : types[i - 1].number))
            cairn_reader_fail(&reader);
    }
    schema->types = types;
    status = types == NULL ? CAIRN_NO_MEMORY : cairn_reader_end(&reader);
    if (status != CAIRN_OK) {
        cairn_schema_free(schema);
        return status;
    }
    *out_schema = schema;
    return CAIRN_OK;
}

void cairn_schema_free(struct cairn_schema *schema)
{
    if (schema == NULL)
        return;
    cairn_arena_release(&schema->memory);
    free(schema);
}

const struct cairn_type *cairn_schema_type(const struct cairn_schema *schema, uint64_t number)
{
    for (size_t i = 0; i < schema->type_count; i++)
        if (schema->types[i].number == number)
            return &schema->types[i];
    return NULL;
}

const struct cairn_type *cairn_schema_type_named(const struct cairn_schema *schema,
                                                 const char *name)
{
    for (size_t i = 0; i < schema->type_count; i++)
        if (strcmp(schema->types[i].name, name) == 0)
            return &schema->types[i];
    return NULL;
}

const struct cairn_field *cairn_type_field(const struct cairn_type *type, uint64_t number)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].number == number)
            return &type->fields[i];
    return NULL;
}

const struct cairn_field *cairn_type_field_named(const struct cairn_type *type, const char *name)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    return NULL;
}

struct cairn_schema_cache {
    struct cairn_schema **schemas; /* index: version */
    size_t count;
};

struct cairn_schema_cache *cairn_schema_cache_new(void)
{
    return calloc(1, sizeof(struct cairn_schema_cache));
}

void cairn_schema_cache_free(struct cairn_schema_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < cache->count; i++)
        cairn_schema_free(cache->schemas[i]);
    free(cache->schemas);
    free(cache);
}

static enum cairn_status cache_grow(struct cairn_schema_cache *cache, size_t count)
{
    if (count <= cache->count)
        return CAIRN_OK;
    struct cairn_schema **schemas = realloc(cache->schemas, count * sizeof(struct cairn_schema *));
    if (schemas == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = cache->count; i < count; i++)
        schemas[i] = NULL;
    cache->schemas = schemas;
    cache->count = count;
    return CAIRN_OK;
}

static struct cairn_key schema_key(uint64_t version)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_SCHEMA);

    cairn_key_u32(&key, (uint32_t)version);
    return key;
}

enum cairn_status cairn_schema_get(struct cairn_context *ctx, uint64_t version,
                                   const struct cairn_schema **out_schema)
{
    static const uint8_t empty_table[] = {0x81, 0x00};
    struct cairn_bytes table = {empty_table, sizeof empty_table};
    struct cairn_schema_cache *cache = ctx->schemas;

    if (version >= UINT16_MAX)
        return CAIRN_NOT_FOUND;
    if (version < cache->count && cache->schemas[version] != NULL) {
        *out_schema = cache->schemas[version];
        return CAIRN_OK;
    }
    if (version > 0) {
        struct cairn_key key = schema_key(version);
        CAIRN_TRY(cairn_kv_get(ctx, &key, &table));
    }
    CAIRN_TRY(cache_grow(cache, (size_t)version + 1));
    CAIRN_TRY(cairn_schema_read(table, &cache->schemas[version]));
    *out_schema = cache->schemas[version];
    return CAIRN_OK;
}

enum cairn_status cairn_schema_newest(struct cairn_context *ctx, uint64_t *out_version)
{
    return cairn_meta_number(ctx, "schema", out_version);
}

enum cairn_status cairn_schema_admit(struct cairn_context *ctx, uint64_t version,
                                     const struct cairn_hash *previous, struct cairn_bytes table)
{
    struct cairn_key key = schema_key(version);
    struct cairn_schema *schema;
    struct cairn_bytes held;
    uint64_t newest;

    (void)previous;
    if (version == 0 || version >= UINT16_MAX)
        return CAIRN_MALFORMED;
    enum cairn_status status = cairn_kv_get(ctx, &key, &held);
    if (status == CAIRN_OK)
        return cairn_bytes_equal(held, table) ? CAIRN_OK : CAIRN_FORKED;
    if (status != CAIRN_NOT_FOUND)
        return status;
    CAIRN_TRY(cairn_schema_read(table, &schema));
    bool is_named_right = schema->version == version;
    cairn_schema_free(schema);
    if (!is_named_right)
        return CAIRN_MALFORMED;
    CAIRN_TRY(cairn_kv_put(ctx, &key, table));
    CAIRN_TRY(cairn_schema_newest(ctx, &newest));
    return version > newest ? cairn_meta_number_put(ctx, "schema", version) : CAIRN_OK;
}
