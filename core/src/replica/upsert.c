#include "upsert.h"

#include <string.h>

/* The alias of a row: the first field marked as one that has a value. NULL: none. */
static const struct cairn_field_value *row_alias(const struct cairn_type *type,
                                                 const struct cairn_put *put,
                                                 const struct cairn_field **out_field)
{
    for (size_t i = 0; i < put->field_count; i++) {
        const struct cairn_field *field = cairn_type_field_named(type, put->fields[i].name);
        if (field == NULL || !field->is_alias || put->fields[i].value[0] == '\0')
            continue;
        *out_field = field;
        return &put->fields[i];
    }
    return NULL;
}

enum cairn_status cairn_upsert_find(struct cairn_context *ctx, const struct cairn_type *type,
                                    struct cairn_scope scope, const struct cairn_put *put,
                                    struct cairn_log *out_log, struct cairn_record_state *out_state)
{
    struct cairn_index_row rows[CAIRN_ALIKE_MAX];
    const struct cairn_field *field;
    const struct cairn_field_value *alias = row_alias(type, put, &field);
    struct cairn_value value;
    size_t count;

    if (alias == NULL)
        return CAIRN_NOT_FOUND;
    CAIRN_TRY(cairn_field_parse(field, alias->value, &value, ctx->err));
    CAIRN_TRY(cairn_alias_find(ctx, type, field, &value, &scope, rows, &count));
    if (count == 0)
        return CAIRN_NOT_FOUND;
    if (count > 1)
        return cairn_fail(
            ctx->err, CAIRN_AMBIGUOUS,
            "%s %s names %zu records of that village. Nothing was written; change one "
            "by its id.",
            field->name, alias->value, count);
    CAIRN_TRY(cairn_log_load(ctx, rows[0].id.log, out_log));
    return cairn_record_load(ctx, out_log, rows[0].id.index, out_state);
}

/* ---- rows that mean the same record -------------------------------------------------------- */

struct merging {
    struct cairn_context *ctx;
    const struct cairn_schema *schema;
    char own_scope[CAIRN_SCOPE_TEXT_BYTES];
    struct cairn_put *puts;
    size_t *first;
    size_t *table; /* of numbers of puts, from 1; 0: empty */
    size_t table_size;
};

/* What makes two rows one: an id, or an alias in a scope; value NULL: nothing does. */
struct row_name {
    const struct cairn_field *field; /* NULL: `value` is an id */
    const char *scope, *value;
};

static struct row_name row_name(const struct merging *m, const struct cairn_put *put)
{
    struct row_name name = {.scope = put->scope == NULL ? m->own_scope : put->scope};
    const struct cairn_type *type = cairn_schema_type_named(m->schema, put->type);

    if (!put->upserts || type == NULL)
        return name;
    if (put->id != NULL)
        return (struct row_name){.scope = "", .value = put->id};
    const struct cairn_field_value *alias = row_alias(type, put, &name.field);
    name.value = alias == NULL ? NULL : alias->value;
    return name;
}

static size_t row_slot(const struct merging *m, const struct row_name *name)
{
    uint64_t hash = name->field == NULL ? 0 : name->field->number;

    for (const char *c = name->scope; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    for (const char *c = name->value; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    for (size_t slot = (size_t)(hash ^ hash >> 31) & (m->table_size - 1);;
         slot = (slot + 1) & (m->table_size - 1)) {
        if (m->table[slot] == 0)
            return slot;
        struct row_name other = row_name(m, &m->puts[m->table[slot] - 1]);
        if (other.field == name->field && strcmp(other.scope, name->scope) == 0 &&
            strcmp(other.value, name->value) == 0)
            return slot;
    }
}

/* The fields of two rows. */
struct joined {
    struct cairn_field_value *fields;
    enum cairn_put_operation *operations;
    size_t count;
};

/* One field more: what sets takes the place of what was said of it before, what adds or takes away
 * comes after it, what is empty says nothing. */
static void field_join(struct joined *joined, const struct cairn_field_value *field,
                       enum cairn_put_operation operation)
{
    size_t at = 0, kept;

    while (at < joined->count && strcmp(joined->fields[at].name, field->name) != 0)
        at++;
    if (at < joined->count && field->value[0] == '\0')
        return;
    if (at == joined->count || operation != CAIRN_PUT_SET) {
        joined->operations[joined->count] = operation;
        joined->fields[joined->count++] = *field;
        return;
    }
    joined->operations[at] = operation;
    joined->fields[at] = *field;
    kept = at + 1;
    for (size_t i = kept; i < joined->count; i++) {
        if (strcmp(joined->fields[i].name, field->name) == 0)
            continue;
        joined->operations[kept] = joined->operations[i];
        joined->fields[kept++] = joined->fields[i];
    }
    joined->count = kept;
}

static enum cairn_put_operation operation_at(const struct cairn_put *put, size_t i)
{
    return put->operations == NULL ? CAIRN_PUT_SET : put->operations[i];
}

/* The fields of both, the later row's word being the last. */
static enum cairn_status fields_join(struct merging *m, struct cairn_put *into,
                                     const struct cairn_put *from)
{
    size_t room = into->field_count + from->field_count + 1;
    struct joined joined = {.fields = cairn_arena_get(&m->ctx->arena, room * sizeof *joined.fields),
                            .operations =
                                cairn_arena_get(&m->ctx->arena, room * sizeof *joined.operations)};

    if (joined.fields == NULL || joined.operations == NULL)
        return CAIRN_NO_MEMORY;
    for (; joined.count < into->field_count; joined.count++) {
        joined.fields[joined.count] = into->fields[joined.count];
        joined.operations[joined.count] = operation_at(into, joined.count);
    }
    for (size_t i = 0; i < from->field_count; i++)
        field_join(&joined, &from->fields[i], operation_at(from, i));
    into->fields = joined.fields;
    into->operations = joined.operations;
    into->field_count = joined.count;
    if (from->reason != NULL)
        into->reason = from->reason;
    return CAIRN_OK;
}

static enum cairn_status row_merge(struct merging *m, size_t i)
{
    struct row_name name = row_name(m, &m->puts[i]);

    m->first[i] = i;
    if (name.value == NULL)
        return CAIRN_OK;
    size_t slot = row_slot(m, &name);
    if (m->table[slot] == 0) {
        m->table[slot] = i + 1;
        return CAIRN_OK;
    }
    m->first[i] = m->table[slot] - 1;
    CAIRN_TRY(fields_join(m, &m->puts[m->first[i]], &m->puts[i]));
    m->puts[i].type = NULL;
    return CAIRN_OK;
}

enum cairn_status cairn_upserts_merge(struct cairn_context *ctx, struct cairn_scope scope,
                                      const struct cairn_put *puts, size_t count,
                                      const struct cairn_put **out_puts, size_t **out_first)
{
    struct merging m = {.ctx = ctx, .table_size = 16};

    while (m.table_size < 2 * count)
        m.table_size *= 2;
    CAIRN_TRY(cairn_schema_now(ctx, &m.schema));
    cairn_scope_text(scope, m.own_scope);
    m.puts = cairn_arena_get(&ctx->arena, (count + 1) * sizeof *m.puts);
    m.first = cairn_arena_get(&ctx->arena, (count + 1) * sizeof *m.first);
    m.table = cairn_arena_get(&ctx->arena, m.table_size * sizeof *m.table);
    if (m.puts == NULL || m.first == NULL || m.table == NULL)
        return CAIRN_NO_MEMORY;
    memset(m.table, 0, m.table_size * sizeof *m.table);
    if (count > 0)
        memcpy(m.puts, puts, count * sizeof *m.puts);
    for (size_t i = 0; i < count; i++)
        CAIRN_TRY(row_merge(&m, i));
    *out_puts = m.puts;
    *out_first = m.first;
    return CAIRN_OK;
}
