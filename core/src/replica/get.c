/* Reading one record; declared in cairn/replica.h. */

#include "replica_internal.h"

static enum cairn_status record_read(struct cairn_replica *replica, const char *id,
                                     struct cairn_record *out_record)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_index_row row;
    struct cairn_record_state state;

    CAIRN_TRY(cairn_label_locate(ctx, id, &row));
    CAIRN_TRY(cairn_row_load(ctx, &row, &state));
    CAIRN_TRY(cairn_row_view(replica, ctx, &row, &state, out_record));
    return cairn_group_view(replica, &state, out_record);
}

enum cairn_status cairn_get(struct cairn_replica *replica, const char *id,
                            const struct cairn_record **out_record, struct cairn_err *err)
{
    cairn_replica_fresh(replica, err);
    struct cairn_record *record = cairn_arena_get(&replica->results, sizeof *record);
    if (record == NULL)
        return cairn_explain(err, CAIRN_NO_MEMORY);
    CAIRN_TRY(cairn_replica_read(replica, err));
    CAIRN_TRY(cairn_replica_done(replica, record_read(replica, id, record), err));
    *out_record = record;
    return CAIRN_OK;
}
