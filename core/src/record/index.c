#include "index.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "announce.h"

/* The first byte of a value. */
enum value_kind { VALUE_INTEGER = 1, VALUE_TEXT = 2, VALUE_HASH = 3, VALUE_DOT = 4 };

#define TEXT_BYTES_MAX 48
#define HASH_BYTES 16
#define ROW_DOT_BYTES 8
#define ROW_SCOPE_BYTES 8

bool cairn_field_is_indexed(const struct cairn_field *field)
{
    return field->is_indexed || field->is_alias || field->wire == CAIRN_WIRE_REFERENCE ||
           field->merge == CAIRN_MERGE_WORKFLOW;
}

/* ---- values -------------------------------------------------------------------------------- */

static void value_u32(struct cairn_index_value *value, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        value->bytes[value->size++] = (uint8_t)(number >> shift);
}

void cairn_index_integer(int64_t integer, struct cairn_index_value *out_value)
{
    /* With the sign turned over, negative numbers come before the others. */
    uint64_t ordered = (uint64_t)integer ^ UINT64_C(1) << 63;
    struct cairn_index_value value = {.bytes = {VALUE_INTEGER}, .size = 1, .is_exact = true};

    value_u32(&value, (uint32_t)(ordered >> 32));
    value_u32(&value, (uint32_t)ordered);
    *out_value = value;
}

/* Cut to a bounded length and ended by a zero, so that what follows in the key orders nothing. */
static void value_of_text(struct cairn_bytes text, struct cairn_index_value *out_value)
{
    struct cairn_index_value value = {.bytes = {VALUE_TEXT}, .size = 1};
    const uint8_t *zero = text.size == 0 ? NULL : memchr(text.data, 0, text.size);
    size_t size = zero == NULL ? text.size : (size_t)(zero - text.data);

    if (size > TEXT_BYTES_MAX)
        size = TEXT_BYTES_MAX;
    if (size > 0)
        memcpy(value.bytes + value.size, text.data, size);
    value.size += size;
    value.bytes[value.size++] = 0;
    *out_value = value;
}

static void value_of_personal(const struct cairn_context *ctx, const struct cairn_field *field,
                              const struct cairn_value *personal,
                              struct cairn_index_value *out_value)
{
    struct cairn_index_value value = {.bytes = {VALUE_HASH}, .size = 1};
    crypto_generichash_state state;
    uint8_t number[9] = {(uint8_t)personal->kind};

    for (size_t i = 0; i < 8; i++)
        number[1 + i] =
            (uint8_t)(personal->kind == CAIRN_VALUE_INTEGER ? (uint64_t)personal->integer >> 8 * i
                                                            : 0);
    crypto_generichash_init(&state, ctx->indexing.key, sizeof ctx->indexing.key, HASH_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)&field->number, sizeof field->number);
    crypto_generichash_update(&state, number, sizeof number);
    if (personal->kind == CAIRN_VALUE_TEXT)
        crypto_generichash_update(&state, personal->text.data, personal->text.size);
    crypto_generichash_final(&state, value.bytes + 1, HASH_BYTES);
    value.size += HASH_BYTES;
    *out_value = value;
}

void cairn_index_value(const struct cairn_context *ctx, const struct cairn_field *field,
                       const struct cairn_value *value, struct cairn_dot dot,
                       struct cairn_index_value *out_value)
{
    if (field->is_personal) {
        value_of_personal(ctx, field, value, out_value);
    } else if (field->wire == CAIRN_WIRE_REFERENCE) {
        struct cairn_index_value named = {.bytes = {VALUE_DOT}, .size = 1, .is_exact = true};
        value_u32(&named, dot.log);
        value_u32(&named, dot.index);
        *out_value = named;
    } else if (value->kind == CAIRN_VALUE_TEXT) {
        value_of_text(value->text, out_value);
    } else {
        cairn_index_integer(value->integer, out_value);
    }
}

/* ---- what a field shows -------------------------------------------------------------------- */

static enum cairn_status dot_resolve(struct cairn_context *ctx, const struct cairn_live *live,
                                     struct cairn_local_dot local, struct cairn_dot *out_dot)
{
    struct cairn_announced announced = {.log = live->dot.log};

    if (local.log_number != 0)
        CAIRN_TRY(
            cairn_announced_at(ctx, live->dot.log, local.log_number, live->dot.index, &announced));
    *out_dot = (struct cairn_dot){announced.log, local.index};
    return CAIRN_OK;
}

/* A version's value; of a workflow's the state, which stands first in it. */
static enum cairn_status live_value(struct cairn_context *ctx, const struct cairn_field *field,
                                    const struct cairn_live *live, struct cairn_value *out_value,
                                    struct cairn_dot *out_dot)
{
    struct cairn_reader reader;

    if (live->is_closed)
        return CAIRN_NOT_FOUND;
    cairn_reader_init(&reader, live->cbor);
    if (field->merge == CAIRN_MERGE_WORKFLOW) {
        cairn_cbor_read_array(&reader);
        *out_value = (struct cairn_value){.kind = CAIRN_VALUE_INTEGER};
        out_value->integer = (int64_t)cairn_cbor_read_uint(&reader);
        return reader.failed ? CAIRN_NOT_FOUND : CAIRN_OK;
    }
    if (!cairn_stored_value_read(live->cbor, out_value))
        return CAIRN_NOT_FOUND;
    if (field->wire != CAIRN_WIRE_REFERENCE)
        return out_value->kind == CAIRN_VALUE_DOT ? CAIRN_NOT_FOUND : CAIRN_OK;
    return out_value->kind == CAIRN_VALUE_DOT ? dot_resolve(ctx, live, out_value->dot, out_dot)
                                              : CAIRN_NOT_FOUND;
}

/* The `element`-th of those that can be read. */
static enum cairn_status element_value(struct cairn_context *ctx, const struct cairn_field *field,
                                       const struct cairn_live *live, size_t count, size_t element,
                                       struct cairn_value *out_value, struct cairn_dot *out_dot)
{
    enum cairn_status status = CAIRN_NOT_FOUND;

    for (size_t i = 0; i < count; i++) {
        status = live_value(ctx, field, &live[i], out_value, out_dot);
        if (status != CAIRN_NOT_FOUND && (status != CAIRN_OK || element-- == 0))
            return status;
    }
    return CAIRN_NOT_FOUND;
}

enum cairn_status cairn_field_shown(struct cairn_context *ctx,
                                    const struct cairn_record_state *state,
                                    const struct cairn_field *field, size_t element,
                                    struct cairn_value *out_value, struct cairn_dot *out_dot)
{
    size_t count;
    const struct cairn_live *live = cairn_field_versions(state, field->number, &count);
    const struct cairn_live *shown = live;

    *out_dot = (struct cairn_dot){0, 0};
    if (field->merge == CAIRN_MERGE_SET)
        return element_value(ctx, field, live, count, element, out_value, out_dot);
    if (count == 0 || element > 0)
        return CAIRN_NOT_FOUND;
    if (field->merge == CAIRN_MERGE_COUNTER) {
        *out_value = (struct cairn_value){.kind = CAIRN_VALUE_INTEGER,
                                          .integer = cairn_counts_sum(live, count)};
        return CAIRN_OK;
    }
    for (size_t i = 1; i < count; i++) {
        bool wins;
        CAIRN_TRY(cairn_live_wins(ctx, &live[i], shown, &wins));
        if (wins)
            shown = &live[i];
    }
    return live_value(ctx, field, shown, out_value, out_dot);
}

/* ---- rows ---------------------------------------------------------------------------------- */

struct cairn_key cairn_index_prefix(const struct cairn_type *type, const struct cairn_field *field)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_INDEX);

    cairn_key_u32(&key, (uint32_t)type->number);
    cairn_key_u32(&key, (uint32_t)field->number);
    return key;
}

struct cairn_key cairn_flag_prefix(enum cairn_record_flag flag)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_FLAG);

    cairn_key_u8(&key, (uint8_t)flag);
    return key;
}

static void key_value(struct cairn_key *key, const struct cairn_index_value *value)
{
    for (size_t i = 0; i < value->size; i++)
        cairn_key_u8(key, value->bytes[i]);
}

static struct cairn_key row_key(const struct cairn_type *type, const struct cairn_field *field,
                                struct cairn_scope scope, struct cairn_dot id,
                                const struct cairn_index_value *value)
{
    struct cairn_key key = cairn_index_prefix(type, field);

    if (field->is_alias)
        key_value(&key, value);
    cairn_key_scope(&key, scope);
    if (!field->is_alias)
        key_value(&key, value);
    cairn_key_u32(&key, id.log);
    cairn_key_u32(&key, id.index);
    return key;
}

static struct cairn_key flag_key(enum cairn_record_flag flag, struct cairn_scope scope,
                                 struct cairn_dot id)
{
    struct cairn_key key = cairn_flag_prefix(flag);

    cairn_key_scope(&key, scope);
    cairn_key_u32(&key, id.log);
    cairn_key_u32(&key, id.index);
    return key;
}

static enum cairn_status row_put(struct cairn_context *ctx, const struct cairn_key *key,
                                 uint8_t bucket, uint32_t counter)
{
    uint8_t bytes[8];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_u8(&writer, bucket);
    cairn_write_varint(&writer, counter);
    return cairn_kv_put(ctx, key, cairn_writer_bytes(&writer));
}

enum cairn_status cairn_index_row_end(struct cairn_reader *key, struct cairn_bytes value,
                                      struct cairn_index_row *row)
{
    struct cairn_reader reader;

    row->id.log = cairn_read_u32be(key);
    row->id.index = cairn_read_u32be(key);
    cairn_reader_init(&reader, value);
    row->bucket = cairn_read_u8(&reader);
    row->counter = (uint32_t)cairn_read_varint(&reader);
    return key->failed || cairn_reader_end(&reader) != CAIRN_OK ? CAIRN_CORRUPT : CAIRN_OK;
}

enum cairn_status cairn_index_row_read(const struct cairn_field *field, struct cairn_reader key,
                                       struct cairn_bytes value, struct cairn_index_row *out_row)
{
    size_t around = ROW_SCOPE_BYTES + ROW_DOT_BYTES;

    if (cairn_reader_left(&key) < around)
        return CAIRN_CORRUPT;
    size_t value_bytes = cairn_reader_left(&key) - around;
    if (field->is_alias)
        out_row->value = cairn_read_bytes(&key, value_bytes);
    out_row->scope.code = cairn_read_u64be(&key);
    if (!field->is_alias)
        out_row->value = cairn_read_bytes(&key, value_bytes);
    return cairn_index_row_end(&key, value, out_row);
}

enum cairn_status cairn_flag_row_read(struct cairn_reader key, struct cairn_bytes value,
                                      struct cairn_index_row *out_row)
{
    out_row->scope.code = cairn_read_u64be(&key);
    out_row->value = (struct cairn_bytes){NULL, 0};
    return cairn_index_row_end(&key, value, out_row);
}

/* ---- keeping them -------------------------------------------------------------------------- */

static uint64_t mixed(uint64_t signature, uint64_t number)
{
    return (signature ^ number) * UINT64_C(0x100000001b3); /* FNV-1a, a number at a time */
}

static uint64_t schema_signature(const struct cairn_schema *schema)
{
    uint64_t signature = UINT64_C(0xcbf29ce484222325);

    for (size_t t = 0; t < schema->type_count; t++)
        for (size_t f = 0; f < schema->types[t].field_count; f++) {
            const struct cairn_field *field = &schema->types[t].fields[f];
            if (!cairn_field_is_indexed(field))
                continue;
            signature = mixed(signature, schema->types[t].number);
            signature = mixed(signature, field->number);
            signature = mixed(signature, field->is_alias);
        }
    return signature;
}

enum cairn_status cairn_indexing_load(struct cairn_context *ctx)
{
    struct cairn_indexing *indexing = &ctx->indexing;
    struct cairn_key key = cairn_key_meta("index-key");
    const struct cairn_schema *schema;
    struct cairn_bytes value;
    uint64_t version;

    if (indexing->is_known)
        return CAIRN_OK;
    CAIRN_TRY(cairn_schema_newest(ctx, &version));
    CAIRN_TRY(cairn_schema_get(ctx, version, &schema));
    enum cairn_status status = cairn_kv_get(ctx, &key, &value);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    if (status == CAIRN_OK && value.size != sizeof indexing->key)
        return CAIRN_CORRUPT;
    indexing->has_key = status == CAIRN_OK;
    if (indexing->has_key)
        memcpy(indexing->key, value.data, sizeof indexing->key);
    if (indexing->schema != schema)
        indexing->signature = schema_signature(schema);
    indexing->schema = schema;
    indexing->is_known = true;
    indexing->has_readiness = false;
    return CAIRN_OK;
}

/* Rows of one field in the order of their bytes, each once: at most one an element. */
struct rows {
    struct cairn_index_value *values;
    size_t count;
};

static int value_compare(const void *a, const void *b)
{
    const struct cairn_index_value *x = a, *y = b;
    int order = memcmp(x->bytes, y->bytes, x->size < y->size ? x->size : y->size);

    if (order != 0 || x->size == y->size)
        return order;
    return x->size < y->size ? -1 : 1;
}

static void rows_sort(struct rows *rows)
{
    size_t kept = 0;

    if (rows->count > 1)
        qsort(rows->values, rows->count, sizeof *rows->values, value_compare);
    for (size_t i = 0; i < rows->count; i++)
        if (i == 0 || value_compare(&rows->values[i], &rows->values[kept - 1]) != 0)
            rows->values[kept++] = rows->values[i];
    rows->count = kept;
}

static enum cairn_status rows_of(struct cairn_context *ctx, const struct cairn_record_state *state,
                                 const struct cairn_field *field, struct rows *out_rows)
{
    bool is_set = field->merge == CAIRN_MERGE_SET;
    size_t versions;
    const struct cairn_live *live = cairn_field_versions(state, field->number, &versions);
    size_t room = is_set ? versions : versions > 0;

    *out_rows = (struct rows){.values = NULL};
    if (room == 0 || (field->is_personal && !ctx->indexing.has_key))
        return CAIRN_OK;
    out_rows->values = cairn_arena_get(&ctx->arena, room * sizeof *out_rows->values);
    if (out_rows->values == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < room; i++) {
        struct cairn_value value;
        struct cairn_dot dot = {0, 0};
        enum cairn_status status = is_set ? live_value(ctx, field, &live[i], &value, &dot)
                                          : cairn_field_shown(ctx, state, field, 0, &value, &dot);
        if (status == CAIRN_NOT_FOUND)
            continue;
        CAIRN_TRY(status);
        cairn_index_value(ctx, field, &value, dot, &out_rows->values[out_rows->count++]);
    }
    rows_sort(out_rows);
    return CAIRN_OK;
}

/* The place of a record whose rows are being written. */
struct place {
    const struct cairn_type *type;
    struct cairn_scope scope;
    struct cairn_dot id;
    uint8_t bucket;
    uint32_t counter;
};

static enum cairn_status rows_move(struct cairn_context *ctx, const struct place *place,
                                   const struct cairn_field *field, const struct rows *old,
                                   const struct rows *now)
{
    for (size_t i = 0, j = 0; i < old->count || j < now->count;) {
        int order = i == old->count   ? 1
                    : j == now->count ? -1
                                      : value_compare(&old->values[i], &now->values[j]);
        const struct cairn_index_value *value = order < 0 ? &old->values[i] : &now->values[j];
        struct cairn_key key = row_key(place->type, field, place->scope, place->id, value);
        if (order < 0)
            CAIRN_TRY(cairn_kv_del(ctx, &key));
        if (order > 0)
            CAIRN_TRY(row_put(ctx, &key, place->bucket, place->counter));
        i += order <= 0;
        j += order >= 0;
    }
    return CAIRN_OK;
}

/* Has the field other versions than before? */
static bool field_differs(const struct cairn_record_state *a, const struct cairn_record_state *b,
                          uint64_t field)
{
    size_t a_count, b_count;
    const struct cairn_live *x = cairn_field_versions(a, field, &a_count);
    const struct cairn_live *y = cairn_field_versions(b, field, &b_count);

    if (a_count != b_count)
        return true;
    for (size_t i = 0; i < a_count; i++)
        if (x[i].dot.log != y[i].dot.log || x[i].dot.index != y[i].dot.index)
            return true;
    return false;
}

static enum cairn_status flag_move(struct cairn_context *ctx, const struct place *place,
                                   enum cairn_record_flag flag, bool was, bool is)
{
    struct cairn_key key = flag_key(flag, place->scope, place->id);

    if (was == is)
        return CAIRN_OK;
    return is ? row_put(ctx, &key, place->bucket, place->counter) : cairn_kv_del(ctx, &key);
}

static bool is_hidden(const struct cairn_record_state *state)
{
    return state->live_count == 0 || cairn_record_is_deleted(state);
}

static enum cairn_status rows_update(struct cairn_context *ctx, const struct place *place,
                                     const struct cairn_record_state *old, bool had_row,
                                     const struct cairn_record_state *now)
{
    CAIRN_TRY(flag_move(ctx, place, CAIRN_FLAG_CONFLICT, cairn_record_has_conflict(old),
                        cairn_record_has_conflict(now)));
    CAIRN_TRY(flag_move(ctx, place, CAIRN_FLAG_HIDDEN, had_row && is_hidden(old), is_hidden(now)));
    for (size_t f = 0; place->type != NULL && f < place->type->field_count; f++) {
        const struct cairn_field *field = &place->type->fields[f];
        struct rows old_rows, now_rows;
        if (!cairn_field_is_indexed(field) || !field_differs(old, now, field->number))
            continue;
        CAIRN_TRY(rows_of(ctx, old, field, &old_rows));
        CAIRN_TRY(rows_of(ctx, now, field, &now_rows));
        CAIRN_TRY(rows_move(ctx, place, field, &old_rows, &now_rows));
    }
    return CAIRN_OK;
}

enum cairn_status cairn_index_update(struct cairn_context *ctx, const struct cairn_log *log,
                                     uint8_t bucket, const struct cairn_record_state *state)
{
    struct cairn_record_state old = {.id = state->id};
    struct place place = {
        .scope = log->scope, .id = state->id, .bucket = bucket, .counter = state->counter};

    if (ctx->indexing.is_off)
        return CAIRN_OK;
    CAIRN_TRY(cairn_indexing_load(ctx));
    if (state->stored.data != NULL)
        CAIRN_TRY(cairn_record_borrow(ctx, state->stored, state->id, &old));
    place.type = cairn_schema_type(ctx->indexing.schema, state->type);
    return rows_update(ctx, &place, &old, state->stored.data != NULL, state);
}

enum cairn_status cairn_index_fill(struct cairn_context *ctx, struct cairn_scope scope,
                                   uint8_t bucket, const struct cairn_record_state *state)
{
    const struct cairn_record_state old = {.id = state->id};
    struct place place = {.scope = scope,
                          .id = state->id,
                          .counter = state->counter,
                          .bucket = bucket,
                          .type = cairn_schema_type(ctx->indexing.schema, state->type)};

    return rows_update(ctx, &place, &old, false, state);
}

enum cairn_status cairn_index_forget(struct cairn_context *ctx, const struct cairn_log *log,
                                     const struct cairn_record_state *state)
{
    struct cairn_record_state gone = *state;

    if (ctx->indexing.is_off)
        return CAIRN_OK;
    gone.live_count = 0;
    CAIRN_TRY(cairn_index_update(ctx, log, 0, &gone));
    struct cairn_key key = flag_key(CAIRN_FLAG_HIDDEN, log->scope, state->id);
    return cairn_kv_del(ctx, &key);
}
