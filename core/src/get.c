/* Reading one record, and what the schema says of its fields; declared in cairn/replica.h. */

#include <string.h>

#include "replica_internal.h"
#include "schema.h"

enum cairn_status cairn_schema_fields(struct cairn_replica *replica, const char *type,
                                      const struct cairn_field_info **out_fields, size_t *out_count,
                                      struct cairn_err *err)
{
    const struct cairn_schema *schema;
    const struct cairn_type *found = NULL;

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = cairn_schema_now(&replica->ctx, &schema);
    if (status == CAIRN_OK)
        found = cairn_schema_type_named(schema, type);
    if (status == CAIRN_OK && found == NULL)
        status = cairn_fail(err, CAIRN_NOT_FOUND, "There is no record type %s.", type);
    CAIRN_TRY(cairn_replica_done(replica, status, err));
    struct cairn_field_info *fields =
        cairn_arena_get(&replica->results, (found->field_count + 1) * sizeof *fields);
    if (fields == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < found->field_count; i++) {
        const struct cairn_field *field = &found->fields[i];
        fields[i] = (struct cairn_field_info){field->name,        field->label_zh,
                                              field->label_en,    field->wire == CAIRN_WIRE_INTEGER,
                                              field->is_personal, field->is_required};
    }
    *out_fields = fields;
    *out_count = found->field_count;
    return CAIRN_OK;
}

static enum cairn_status record_read(struct cairn_replica *replica, const char *id,
                                     struct cairn_record *out_record)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_index_row row;
    struct cairn_record_state state;

    CAIRN_TRY(cairn_label_locate(ctx, id, &row));
    CAIRN_TRY(cairn_row_load(ctx, &row, &state));
    return cairn_row_view(replica, ctx, &row, &state, out_record);
}

enum cairn_status cairn_get(struct cairn_replica *replica, const char *id,
                            const struct cairn_record **out_record, struct cairn_err *err)
{
    cairn_replica_fresh(replica, err);
    struct cairn_record *record = cairn_arena_get(&replica->results, sizeof *record);
    if (record == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_replica_read(replica, err));
    CAIRN_TRY(cairn_replica_done(replica, record_read(replica, id, record), err));
    *out_record = record;
    return CAIRN_OK;
}
