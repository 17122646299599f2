#include "schema.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

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
    /* Numbers ascend from 1 and seldom leave one out. */
    if (number >= 1 && number <= type->field_count && type->fields[number - 1].number == number)
        return &type->fields[number - 1];
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

const struct cairn_field *cairn_type_field_called(const struct cairn_type *type, const char *text)
{
    const struct cairn_field *field = cairn_type_field_named(type, text);

    for (size_t i = 0; i < type->field_count && field == NULL; i++)
        if (strcmp(type->fields[i].label_zh, text) == 0 ||
            strcmp(type->fields[i].label_en, text) == 0)
            field = &type->fields[i];
    return field;
}

enum cairn_status cairn_field_missing(struct cairn_err *err, const char *type, const char *text)
{
    return cairn_fail(err, CAIRN_BAD_INPUT, "%s has no field %s: cairn schema show %s lists them.",
                      type, text, type);
}

const struct cairn_move *cairn_type_move(const struct cairn_type *type, uint64_t number)
{
    for (size_t i = 0; i < type->move_count; i++)
        if (type->moves[i].number == number)
            return &type->moves[i];
    return NULL;
}

const struct cairn_move *cairn_type_move_named(const struct cairn_type *type, const char *name)
{
    for (size_t i = 0; i < type->move_count; i++)
        if (strcmp(type->moves[i].name, name) == 0)
            return &type->moves[i];
    return NULL;
}

const struct cairn_workflow_state *cairn_type_state(const struct cairn_type *type, uint64_t number)
{
    for (size_t i = 0; i < type->state_count; i++)
        if (type->states[i].number == number)
            return &type->states[i];
    return NULL;
}

const struct cairn_choice *cairn_field_choice(const struct cairn_field *field, uint64_t number)
{
    /* As the fields, and some lists begin with 0. */
    for (size_t guess = number - 1, i = 0; i < 2; i++, guess++)
        if (guess < field->choice_count && field->choices[guess].number == number)
            return &field->choices[guess];
    for (size_t i = 0; i < field->choice_count; i++)
        if (field->choices[i].number == number)
            return &field->choices[i];
    return NULL;
}

const struct cairn_field *cairn_type_workflow(const struct cairn_type *type)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].merge == CAIRN_MERGE_WORKFLOW)
            return &type->fields[i];
    return NULL;
}

const struct cairn_field *cairn_type_same(const struct cairn_type *type)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].is_same)
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

void cairn_schema_cache_reset(struct cairn_schema_cache *cache)
{
    for (size_t i = 0; i < cache->count; i++) {
        cairn_schema_free(cache->schemas[i]);
        cache->schemas[i] = NULL;
    }
}

void cairn_schema_cache_free(struct cairn_schema_cache *cache)
{
    if (cache == NULL)
        return;
    cairn_schema_cache_reset(cache);
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
    enum cairn_status status = cairn_schema_read(table, &cache->schemas[version]);
    if (status != CAIRN_OK) /* it was read before it was kept */
        return status == CAIRN_MALFORMED ? CAIRN_CORRUPT : status;
    *out_schema = cache->schemas[version];
    return CAIRN_OK;
}

enum cairn_status cairn_schema_hash(struct cairn_context *ctx, uint64_t version,
                                    struct cairn_hash *out_hash)
{
    struct cairn_hash hash = {{0}};
    struct cairn_bytes table;

    if (version >= UINT16_MAX)
        return CAIRN_NOT_FOUND;
    if (version > 0) {
        struct cairn_key key = schema_key(version);
        CAIRN_TRY(cairn_kv_get(ctx, &key, &table));
        crypto_hash_sha256(hash.bytes, table.data, table.size);
    }
    *out_hash = hash;
    return CAIRN_OK;
}

enum cairn_status cairn_schema_newest(struct cairn_context *ctx, uint64_t *out_version)
{
    if (!ctx->is_writing && ctx->has_schema_version && ctx->schema_snapshot == ctx->snapshot) {
        *out_version = ctx->schema_version;
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_meta_number(ctx, "schema", out_version));
    ctx->has_schema_version = !ctx->is_writing;
    ctx->schema_version = *out_version;
    ctx->schema_snapshot = ctx->snapshot;
    return CAIRN_OK;
}

/* What `next` says it follows is what is held as the version before it. */
static enum cairn_status follows_check(struct cairn_context *ctx, const struct cairn_schema *next,
                                       const struct cairn_hash *previous)
{
    const struct cairn_schema *before;
    struct cairn_hash hash;

    CAIRN_TRY(cairn_schema_hash(ctx, next->version - 1, &hash));
    if (!cairn_hash_equal(&hash, previous))
        return CAIRN_MALFORMED;
    CAIRN_TRY(cairn_schema_get(ctx, next->version - 1, &before));
    return cairn_schema_faults(before, next, NULL, NULL, NULL) == 0 ? CAIRN_OK : CAIRN_MALFORMED;
}

enum cairn_status cairn_schema_admissible(struct cairn_context *ctx, uint64_t version,
                                          const struct cairn_hash *previous,
                                          struct cairn_bytes table)
{
    struct cairn_key key = schema_key(version);
    struct cairn_schema *schema;
    struct cairn_bytes held;

    if (version == 0 || version >= UINT16_MAX)
        return CAIRN_MALFORMED;
    enum cairn_status status = cairn_kv_get(ctx, &key, &held);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    if (status == CAIRN_OK && !cairn_bytes_equal(held, table))
        return CAIRN_FORKED;
    CAIRN_TRY(cairn_schema_read(table, &schema));
    status = schema->version == version ? follows_check(ctx, schema, previous) : CAIRN_MALFORMED;
    cairn_schema_free(schema);
    return status;
}

enum cairn_status cairn_schema_admit(struct cairn_context *ctx, uint64_t version,
                                     const struct cairn_hash *previous, struct cairn_bytes table)
{
    struct cairn_key key = schema_key(version);
    bool is_held;

    CAIRN_TRY(cairn_schema_admissible(ctx, version, previous, table));
    CAIRN_TRY(cairn_kv_has(ctx, &key, &is_held));
    if (is_held)
        return CAIRN_OK;
    CAIRN_TRY(cairn_kv_put(ctx, &key, table));
    /* The one before it is held, and this was not: it is the newest. */
    ctx->indexing.is_known = false;
    ctx->indexing.may_be_due = true;
    return cairn_meta_number_put(ctx, "schema", version);
}
