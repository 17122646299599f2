/* Records as people see them; declared in replica_internal.h. */

#include <string.h>

#include "judge.h"
#include "rebuild.h"
#include "replica_internal.h"
#include "schema.h"
#include "scope_log.h"
#include "seen.h"

enum cairn_status cairn_schema_now(struct cairn_context *ctx,
                                   const struct cairn_schema **out_schema)
{
    uint64_t version;

    CAIRN_TRY(cairn_schema_newest(ctx, &version));
    return cairn_schema_get(ctx, version, out_schema);
}

static void live_value(const struct cairn_live *live, struct cairn_value *out_value)
{
    *out_value = (struct cairn_value){.kind = CAIRN_VALUE_CLOSED, .is_slot = true};
    if (live->is_closed)
        return;
    if (!cairn_stored_value_read(live->cbor, out_value))
        *out_value = (struct cairn_value){.kind = CAIRN_VALUE_TEXT};
    out_value->is_slot = live->is_personal;
}

struct viewing {
    struct cairn_replica *replica;
    struct cairn_context *ctx;
};

static bool is_deletion(const struct cairn_live *live)
{
    return live->field == CAIRN_FIELD_EXISTENCE && live->cbor.size == 1 && live->cbor.data[0] == 0;
}

static enum cairn_status version_view(struct viewing *v, const struct cairn_field *field,
                                      const struct cairn_live *live,
                                      struct cairn_version *out_version)
{
    struct cairn_version version = {.time_s = live->time_s};
    struct cairn_value value;
    const struct cairn_seen_log *log;

    CAIRN_TRY(cairn_seen_log(v->ctx, live->dot.log, &log));
    memcpy(version.tag, log->tag, sizeof version.tag);
    version.is_received = live->dot.index < log->covered;
    if (!is_deletion(live)) {
        live_value(live, &value);
        version.value = cairn_field_format(field, &value, &v->replica->results);
        if (version.value == NULL)
            return CAIRN_NO_MEMORY;
    }
    *out_version = version;
    return CAIRN_OK;
}

/* The versions of one field, the shown one first; `count` > 0. */
static enum cairn_status field_view(struct viewing *v, const struct cairn_field *field,
                                    const struct cairn_live *live, size_t count,
                                    struct cairn_field_state *out_field)
{
    struct cairn_arena *results = &v->replica->results;
    struct cairn_version *versions = cairn_arena_get(results, count * sizeof *versions);
    const struct cairn_live **order =
        cairn_arena_get(results, count * sizeof(const struct cairn_live *));

    if (versions == NULL || order == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0; at--) {
            bool wins;
            CAIRN_TRY(cairn_live_wins(v->ctx, &live[i], order[at - 1], &wins));
            if (!wins)
                break;
            order[at] = order[at - 1];
        }
        order[at] = &live[i];
    }
    for (size_t i = 0; i < count; i++) {
        CAIRN_TRY(version_view(v, field, order[i], &versions[i]));
        versions[i].is_shown = i == 0;
    }
    out_field->versions = versions;
    out_field->version_count = count;
    return CAIRN_OK;
}

static void field_describe(const struct cairn_field *field, uint64_t number,
                           struct cairn_field_state *out_field)
{
    static const struct cairn_field_state newer = {
        .name = "newer", .label_zh = "新版本字段", .label_en = "field of a newer version"};
    static const struct cairn_field_state existence = {
        .name = "deleted", .label_zh = "删除", .label_en = "deleted"};

    *out_field = number == CAIRN_FIELD_EXISTENCE ? existence : newer;
    if (field != NULL)
        *out_field = (struct cairn_field_state){.name = field->name,
                                                .label_zh = field->label_zh,
                                                .label_en = field->label_en,
                                                .is_integer = field->wire == CAIRN_WIRE_INTEGER,
                                                .is_personal = field->is_personal};
}

static enum cairn_status received_count(struct viewing *v, const struct cairn_record_state *state,
                                        uint64_t *out_unreceived)
{
    *out_unreceived = 0;
    for (size_t i = 0; i < state->live_count; i++) {
        const struct cairn_seen_log *log;
        if (state->live[i].field == CAIRN_FIELD_EXISTENCE)
            continue;
        CAIRN_TRY(cairn_seen_log(v->ctx, state->live[i].dot.log, &log));
        *out_unreceived += state->live[i].dot.index >= log->covered;
    }
    return CAIRN_OK;
}

/* A deletion that others' edits contradict: the deletion first, then those who edited. */
static enum cairn_status deletion_view(struct viewing *v, const struct cairn_record_state *state,
                                       size_t existence_count, struct cairn_field_state *out_field)
{
    struct cairn_version *versions = cairn_arena_get(&v->replica->results, 2 * sizeof *versions);

    if (versions == NULL)
        return CAIRN_NO_MEMORY;
    field_describe(NULL, CAIRN_FIELD_EXISTENCE, out_field);
    CAIRN_TRY(version_view(v, NULL, &state->live[0], &versions[0]));
    CAIRN_TRY(
        version_view(v, NULL, &state->live[existence_count % state->live_count], &versions[1]));
    versions[0].value = NULL;
    versions[1].value = "edited";
    versions[1].is_shown = true;
    out_field->versions = versions;
    out_field->version_count = 2;
    return CAIRN_OK;
}

static enum cairn_status fields_view(struct viewing *v, const struct cairn_type *type,
                                     const struct cairn_record_state *state,
                                     struct cairn_record *out_record)
{
    struct cairn_field_state *fields =
        cairn_arena_get(&v->replica->results, (state->live_count + 1) * sizeof *fields);

    if (fields == NULL)
        return CAIRN_NO_MEMORY;
    out_record->fields = fields;
    for (size_t i = 0; i < state->live_count;) {
        uint64_t number = state->live[i].field;
        size_t count = 1;
        while (i + count < state->live_count && state->live[i + count].field == number)
            count++;
        struct cairn_field_state *out = &fields[out_record->field_count];
        const struct cairn_field *field = type == NULL ? NULL : cairn_type_field(type, number);
        if (number != CAIRN_FIELD_EXISTENCE) {
            field_describe(field, number, out);
            CAIRN_TRY(field_view(v, field, &state->live[i], count, out));
            out_record->field_count++;
        } else if (out_record->has_conflict && is_deletion(&state->live[i])) {
            CAIRN_TRY(deletion_view(v, state, count, out));
            out_record->field_count++;
        }
        i += count;
    }
    return CAIRN_OK;
}

enum cairn_status cairn_row_load(struct cairn_context *ctx, const struct cairn_index_row *row,
                                 struct cairn_record_state *out_state)
{
    struct cairn_key key = cairn_record_key(row->scope, row->bucket, row->id);
    struct cairn_bytes value;

    CAIRN_TRY(cairn_kv_get(ctx, &key, &value));
    CAIRN_TRY(cairn_record_borrow(ctx, value, row->id, out_state));
    out_state->has_bucket = true;
    out_state->bucket = row->bucket;
    return CAIRN_OK;
}

enum cairn_status cairn_row_view(struct cairn_replica *replica, struct cairn_context *ctx,
                                 const struct cairn_index_row *row,
                                 const struct cairn_record_state *state,
                                 struct cairn_record *out_record)
{
    struct cairn_record record = {.is_deleted = cairn_record_is_deleted(state),
                                  .has_conflict = cairn_record_has_conflict(state)};
    struct viewing v = {.replica = replica, .ctx = ctx};
    const struct cairn_seen_log *log;
    const struct cairn_schema *schema;

    CAIRN_TRY(cairn_schema_now(ctx, &schema));
    const struct cairn_type *type = cairn_schema_type(schema, state->type);
    CAIRN_TRY(cairn_seen_log(ctx, row->id.log, &log));
    cairn_label_write(log->tag, state->counter, row->bucket, record.id);
    cairn_text_copy(record.type, sizeof record.type,
                    cairn_bytes_of_text(type == NULL ? "newer" : type->name));
    cairn_scope_text(row->scope, record.scope);
    CAIRN_TRY(received_count(&v, state, &record.unreceived_count));
    CAIRN_TRY(fields_view(&v, type, state, &record));
    *out_record = record;
    return CAIRN_OK;
}

/* ---- walking ------------------------------------------------------------------------------- */

/* One step: the arena is left as it was, so that a scan of any length needs little memory. */
static enum cairn_status state_step(struct cairn_context *ctx, struct cairn_walk *walk,
                                    struct cairn_log *log, cairn_state_fn *visit, void *context)
{
    struct cairn_record_state state;
    struct cairn_dot id;

    cairn_read_bytes(&walk->key, 9); /* scope and bucket */
    id.log = cairn_read_u32be(&walk->key);
    id.index = cairn_read_u32be(&walk->key);
    if (log->no != id.log)
        CAIRN_TRY(cairn_log_load(ctx, id.log, log));
    CAIRN_TRY(cairn_record_decode(ctx, walk->value, id, &state));
    return state.live_count == 0 ? CAIRN_OK : visit(context, ctx, log, &state);
}

enum cairn_status cairn_states_visit(struct cairn_context *ctx, cairn_state_fn *visit,
                                     void *context)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_RECORD);
    struct cairn_log log = {.no = 0};
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        status = state_step(ctx, &walk, &log, visit, context);
        cairn_arena_reset(&ctx->arena);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

struct states_count {
    uint64_t records, conflicts;
};

static enum cairn_status state_count(void *context, struct cairn_context *ctx,
                                     const struct cairn_log *log,
                                     const struct cairn_record_state *state)
{
    struct states_count *count = context;

    (void)ctx;
    (void)log;
    count->records += !cairn_record_is_deleted(state);
    count->conflicts += cairn_record_has_conflict(state);
    return CAIRN_OK;
}

enum cairn_status cairn_records_count(struct cairn_context *ctx, uint64_t *out_records,
                                      uint64_t *out_conflicts)
{
    const struct cairn_key all = cairn_key(CAIRN_TABLE_COUNTER);
    const struct cairn_key hidden = cairn_flag_prefix(CAIRN_FLAG_HIDDEN);
    const struct cairn_key conflicts = cairn_flag_prefix(CAIRN_FLAG_CONFLICT);
    struct states_count count = {0, 0};
    uint64_t hidden_count;
    bool is_ready;

    CAIRN_TRY(cairn_index_is_ready(ctx, &is_ready));
    if (is_ready) {
        CAIRN_TRY(cairn_keys_count(ctx, &all, &count.records));
        CAIRN_TRY(cairn_keys_count(ctx, &hidden, &hidden_count));
        CAIRN_TRY(cairn_keys_count(ctx, &conflicts, &count.conflicts));
        count.records -= hidden_count;
    } else {
        CAIRN_TRY(cairn_states_visit(ctx, state_count, &count));
    }
    *out_records = count.records;
    *out_conflicts = count.conflicts;
    return CAIRN_OK;
}
