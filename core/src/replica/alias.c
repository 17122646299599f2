/* Records by a name that others gave them, as an official number; declared in replica_internal.h.
 */

#include <stdio.h>
#include <string.h>

#include "replica_internal.h"
#include "schema.h"
#include "seen.h"

/* What is looked for, and what was found. */
struct alias_search {
    const struct cairn_type *type;
    const struct cairn_field *field;
    const struct cairn_value *value;
    const struct cairn_scope *scope;
    struct cairn_index_row *rows;
    size_t count;
};

static bool value_equal(const struct cairn_value *a, const struct cairn_value *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == CAIRN_VALUE_TEXT ? cairn_bytes_equal(a->text, b->text)
                                       : a->integer == b->integer;
}

static enum cairn_status state_check(struct alias_search *search, struct cairn_context *ctx,
                                     const struct cairn_record_state *state,
                                     const struct cairn_index_row *row)
{
    struct cairn_value value;
    struct cairn_dot dot;

    if (state->type != search->type->number || search->count == CAIRN_ALIKE_MAX)
        return CAIRN_OK;
    enum cairn_status status = cairn_field_shown(ctx, state, search->field, 0, &value, &dot);
    if (status == CAIRN_OK && value_equal(&value, search->value))
        search->rows[search->count++] = *row;
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* Texts are cut in the index and personal values hashed: the record says whether it is so. */
static enum cairn_status row_check(struct alias_search *search, struct cairn_context *ctx,
                                   const struct cairn_index_row *row)
{
    struct cairn_key key = cairn_record_key(row->scope, row->bucket, row->id);
    struct cairn_record_state state;
    struct cairn_bytes value;

    CAIRN_TRY(cairn_kv_get(ctx, &key, &value));
    CAIRN_TRY(cairn_record_borrow(ctx, value, row->id, &state));
    return state_check(search, ctx, &state, row);
}

static enum cairn_status index_search(struct alias_search *search, struct cairn_context *ctx)
{
    struct cairn_key prefix = cairn_index_prefix(search->type, search->field);
    struct cairn_index_value value;
    struct cairn_walk walk;
    enum cairn_status status;

    cairn_index_value(ctx, search->field, search->value, (struct cairn_dot){0, 0}, &value);
    for (size_t i = 0; i < value.size; i++)
        cairn_key_u8(&prefix, value.bytes[i]);
    if (search->scope != NULL)
        cairn_key_scope(&prefix, *search->scope);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_index_row row;
        struct cairn_reader key;
        cairn_reader_init(&key, (struct cairn_bytes){walk.key.data, walk.key.size});
        if (search->scope != NULL)
            row.scope = *search->scope;
        else
            row.scope.code = cairn_read_u64be(&key);
        status = cairn_index_row_end(&key, walk.value, &row);
        if (status == CAIRN_OK)
            status = row_check(search, ctx, &row);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status scan_check(void *context, struct cairn_context *ctx,
                                    const struct cairn_log *log,
                                    const struct cairn_record_state *state)
{
    struct alias_search *search = context;
    const struct cairn_index_row row = {.scope = log->scope,
                                        .id = state->id,
                                        .bucket =
                                            cairn_record_id_hash(log, state->id.index).bytes[0],
                                        .counter = state->counter};

    if (search->scope != NULL && search->scope->code != log->scope.code)
        return CAIRN_OK;
    return state_check(search, ctx, state, &row);
}

enum cairn_status cairn_alias_find(struct cairn_context *ctx, const struct cairn_type *type,
                                   const struct cairn_field *field, const struct cairn_value *value,
                                   const struct cairn_scope *scope,
                                   struct cairn_index_row out_rows[static CAIRN_ALIKE_MAX],
                                   size_t *out_count)
{
    struct alias_search search = {
        .type = type, .field = field, .value = value, .scope = scope, .rows = out_rows};
    bool is_ready;

    CAIRN_TRY(cairn_index_is_ready(ctx, &is_ready));
    CAIRN_TRY(is_ready ? index_search(&search, ctx) : cairn_states_visit(ctx, scan_check, &search));
    *out_count = search.count;
    return CAIRN_OK;
}

static enum cairn_status field_locate(struct cairn_context *ctx, const struct cairn_type *type,
                                      const struct cairn_field *field, const char *alias,
                                      struct alias_search *search)
{
    struct cairn_index_row rows[CAIRN_ALIKE_MAX];
    struct cairn_value value;
    size_t count;

    if (!field->is_alias || cairn_field_parse(field, alias, &value, NULL) != CAIRN_OK)
        return CAIRN_OK;
    CAIRN_TRY(cairn_alias_find(ctx, type, field, &value, NULL, rows, &count));
    for (size_t i = 0; i < count && search->count < CAIRN_ALIKE_MAX; i++)
        search->rows[search->count++] = rows[i];
    return CAIRN_OK;
}

static enum cairn_status ambiguous(struct cairn_context *ctx, const char *alias,
                                   const struct alias_search *search)
{
    char names[CAIRN_ALIKE_MAX * 34] = "";

    for (size_t i = 0; i < search->count; i++) {
        const struct cairn_index_row *row = &search->rows[i];
        struct cairn_record_state state = {
            .id = row->id, .counter = row->counter, .has_bucket = true, .bucket = row->bucket};
        struct cairn_log log;
        char label[32];
        CAIRN_TRY(cairn_log_load(ctx, row->id.log, &log));
        CAIRN_TRY(cairn_label_format(ctx, &log, &state, label));
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used == 0 ? "" : ", ", label);
    }
    return cairn_fail(ctx->err, CAIRN_AMBIGUOUS,
                      "%s names %zu records: %s. Nothing was changed; name one by its id.", alias,
                      search->count, names);
}

enum cairn_status cairn_alias_locate(struct cairn_context *ctx, const char *alias,
                                     struct cairn_index_row *out_row)
{
    struct cairn_index_row rows[CAIRN_ALIKE_MAX];
    struct alias_search search = {.rows = rows};
    const struct cairn_schema *schema;

    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    for (size_t t = 0; t < schema->type_count; t++)
        for (size_t f = 0; f < schema->types[t].field_count; f++)
            CAIRN_TRY(
                field_locate(ctx, &schema->types[t], &schema->types[t].fields[f], alias, &search));
    if (search.count == 0)
        return cairn_fail(ctx->err, CAIRN_NOT_FOUND,
                          "%s is not the id of a record: ids look like A7-0042-K.", alias);
    if (search.count > 1)
        return ambiguous(ctx, alias, &search);
    *out_row = rows[0];
    return CAIRN_OK;
}
