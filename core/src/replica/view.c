/* Records as people see them; declared in replica_internal.h. */

#include <string.h>

#include "announce.h"
#include "judge.h"
#include "rebuild.h"
#include "replica_internal.h"
#include "schema.h"
#include "scope_log.h"
#include "seen.h"

enum cairn_status cairn_live_value(struct cairn_context *ctx, const struct cairn_live *live,
                                   struct cairn_value *out_value)
{
    struct cairn_announced announced = {.log = live->dot.log};

    if (live->is_closed)
        *out_value = (struct cairn_value){.kind = CAIRN_VALUE_CLOSED};
    else if (!cairn_stored_value_read(live->cbor, out_value))
        return CAIRN_CORRUPT;
    out_value->is_slot = live->is_personal;
    if (out_value->kind != CAIRN_VALUE_DOT)
        return CAIRN_OK;
    if (out_value->dot.log_number != 0)
        CAIRN_TRY(cairn_announced_at(ctx, live->dot.log, out_value->dot.log_number, live->dot.index,
                                     &announced));
    out_value->dot.log_number = announced.log;
    return CAIRN_OK;
}

/* A record by its label, or a word where it is not here. */
static enum cairn_status dot_text(struct cairn_context *ctx, struct cairn_local_dot dot,
                                  struct cairn_arena *arena, const char **out_text)
{
    struct cairn_log log;
    struct cairn_record_state state;
    char label[32] = "(not here)";

    CAIRN_TRY(cairn_log_load(ctx, dot.log_number, &log));
    enum cairn_status status =
        log.is_known ? cairn_record_load(ctx, &log, dot.index, &state) : CAIRN_NOT_FOUND;
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    if (status == CAIRN_OK)
        CAIRN_TRY(cairn_label_format(ctx, &log, &state, label));
    *out_text = (const char *)cairn_arena_copy(arena, cairn_bytes_of_text(label)).data;
    return *out_text == NULL ? CAIRN_NO_MEMORY : CAIRN_OK;
}

enum cairn_status cairn_value_text(struct cairn_context *ctx, const struct cairn_type *type,
                                   const struct cairn_field *field, const struct cairn_value *value,
                                   struct cairn_arena *arena, const char **out_text)
{
    if (value->kind == CAIRN_VALUE_DOT)
        return dot_text(ctx, value->dot, arena, out_text);
    if (value->kind == CAIRN_VALUE_POSITION) {
        const struct cairn_workflow_state *state =
            type == NULL ? NULL : cairn_type_state(type, value->position.state);
        *out_text = state == NULL ? "newer" : state->name;
        return CAIRN_OK;
    }
    *out_text = cairn_field_format(field, value, arena);
    return *out_text == NULL ? CAIRN_NO_MEMORY : CAIRN_OK;
}

int64_t cairn_counter_sum(const struct cairn_record_state *state, uint64_t field)
{
    const struct cairn_live *live;
    size_t count = 0;

    if (state == NULL)
        return 0;
    live = cairn_field_versions(state, field, &count);
    return cairn_counts_sum(live, count);
}

struct viewing {
    struct cairn_replica *replica;
    struct cairn_context *ctx;
    const struct cairn_type *type; /* NULL: of a newer schema */
    struct cairn_field_state *fields;
    struct cairn_version *versions; /* room for one a live version */
    struct cairn_shown *shown;      /* by the place of the field in its type; NULL: nobody asks */
};

void cairn_value_label(const struct cairn_type *type, const struct cairn_field *field,
                       const struct cairn_value *value, struct cairn_label *out_label)
{
    if (value->kind == CAIRN_VALUE_POSITION && type != NULL) {
        const struct cairn_workflow_state *state = cairn_type_state(type, value->position.state);
        if (state != NULL)
            *out_label = (struct cairn_label){state->label_zh, state->label_en};
        return;
    }
    if (field == NULL || field->wire != CAIRN_WIRE_CHOICE || value->kind != CAIRN_VALUE_INTEGER)
        return;
    const struct cairn_choice *choice = cairn_field_choice(field, (uint64_t)value->integer);
    if (choice != NULL)
        *out_label = (struct cairn_label){choice->text, choice->label_en};
}

static void version_label(const struct viewing *v, const struct cairn_field *field,
                          const struct cairn_value *value, struct cairn_version *version)
{
    struct cairn_label label = {NULL, NULL};

    cairn_value_label(v->type, field, value, &label);
    version->label_zh = label.zh;
    version->label_en = label.en;
}

static void under_way_view(const struct viewing *v, const struct cairn_position *position,
                           struct cairn_under_way *out)
{
    const struct cairn_move *move =
        v->type == NULL ? NULL : cairn_type_move(v->type, position->move);

    if (move == NULL || cairn_position_is_still(v->type, position))
        return;
    *out = (struct cairn_under_way){.move = move->name,
                                    .label_zh = move->label_zh,
                                    .label_en = move->label_en,
                                    .done_count = (unsigned)position->stage + 1,
                                    .step_count = (unsigned)move->step_count,
                                    .role = cairn_role_name(move->roles[position->stage + 1])};
}

/* What an indicator looks at: the first version of a field is the shown one. */
static void shown_note(struct viewing *v, const struct cairn_field *field,
                       const struct cairn_value *value)
{
    if (v->shown == NULL || field == NULL)
        return;
    v->shown[field - v->type->fields] =
        (struct cairn_shown){.is_integer = value->kind == CAIRN_VALUE_INTEGER,
                             .integer = value->kind == CAIRN_VALUE_INTEGER ? value->integer : 0};
}

static enum cairn_status version_view(struct viewing *v, const struct cairn_field *field,
                                      const struct cairn_live *live, bool is_first,
                                      struct cairn_version *out_version)
{
    const struct cairn_seen_log *log;
    struct cairn_value value;

    CAIRN_TRY(cairn_seen_log(v->ctx, live->dot.log, &log));
    *out_version = (struct cairn_version){.time_s = live->time_s,
                                          .is_received = live->dot.index < log->covered};
    memcpy(out_version->tag, log->tag, sizeof out_version->tag);
    if (cairn_live_is_deletion(live))
        return CAIRN_OK;
    CAIRN_TRY(cairn_live_value(v->ctx, live, &value));
    if (is_first)
        shown_note(v, field, &value);
    version_label(v, field, &value, out_version);
    if (value.kind == CAIRN_VALUE_POSITION)
        under_way_view(v, &value.position, &out_version->under_way);
    return cairn_value_text(v->ctx, v->type, field, &value, &v->replica->results,
                            &out_version->value);
}

enum cairn_status cairn_versions_order(struct cairn_context *ctx,
                                       const struct cairn_record_state *state, uint64_t field,
                                       struct cairn_arena *arena,
                                       const struct cairn_live ***out_order, size_t *out_count)
{
    size_t count = 0;
    const struct cairn_live **order =
        cairn_arena_get(arena, (state->live_count + 1) * sizeof(const struct cairn_live *));

    if (order == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < state->live_count; i++) {
        size_t at = count;
        if (state->live[i].field != field)
            continue;
        for (; at > 0; at--) {
            bool wins;
            CAIRN_TRY(cairn_live_wins(ctx, &state->live[i], order[at - 1], &wins));
            if (!wins)
                break;
            order[at] = order[at - 1];
        }
        order[at] = &state->live[i];
        count++;
    }
    *out_order = order;
    *out_count = count;
    return CAIRN_OK;
}

/* Elements that stand there twice, added by two, are one. */
static bool version_is_known(const struct cairn_version *versions, size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (versions[i].value != NULL && strcmp(versions[i].value, value) == 0)
            return true;
    return false;
}

static enum cairn_status counter_view(struct viewing *v, const struct cairn_field *field,
                                      const struct cairn_record_state *state,
                                      struct cairn_version *version)
{
    const struct cairn_value value = {.kind = CAIRN_VALUE_INTEGER,
                                      .integer = cairn_counter_sum(state, field->number)};

    shown_note(v, field, &value);
    return cairn_value_text(v->ctx, v->type, field, &value, &v->replica->results, &version->value);
}

/* The `count` live versions from live[first] on are those of one field. */
static enum cairn_status field_view(struct viewing *v, const struct cairn_field *field,
                                    const struct cairn_record_state *state, size_t first,
                                    size_t count, struct cairn_field_state *out_field)
{
    struct cairn_version *versions = &v->versions[first];
    const struct cairn_live *only = &state->live[first], **order;
    size_t kept = 0;

    if (count == 1)
        order = &only;
    else
        CAIRN_TRY(
            cairn_versions_order(v->ctx, state, only->field, &v->replica->results, &order, &count));
    bool is_set = out_field->kind == CAIRN_FIELD_SET;
    bool is_counter = out_field->kind == CAIRN_FIELD_COUNTER;
    for (size_t i = 0; i < count && !(is_counter && kept == 1); i++) {
        CAIRN_TRY(version_view(v, field, order[i], i == 0, &versions[kept]));
        if (is_set && version_is_known(versions, kept, versions[kept].value))
            continue;
        versions[kept].is_shown = is_set || kept == 0;
        kept++;
    }
    if (is_counter)
        CAIRN_TRY(counter_view(v, field, state, &versions[0]));
    out_field->versions = versions;
    out_field->version_count = kept;
    out_field->has_conflict = kept > 1 && !is_set;
    return CAIRN_OK;
}

static enum cairn_field_kind field_kind(const struct cairn_field *field)
{
    switch ((enum cairn_merge_kind)field->merge) {
    case CAIRN_MERGE_SET:
        return CAIRN_FIELD_SET;
    case CAIRN_MERGE_COUNTER:
        return CAIRN_FIELD_COUNTER;
    case CAIRN_MERGE_WORKFLOW:
        return CAIRN_FIELD_WORKFLOW;
    case CAIRN_MERGE_REGISTER:
    case CAIRN_MERGE_COUNT:
        break;
    }
    return CAIRN_FIELD_REGISTER;
}

static void field_describe(const struct cairn_field *field, uint64_t number,
                           struct cairn_field_state *out_field)
{
    static const struct cairn_field_state newer = {
        .name = "newer", .label_zh = "新版本字段", .label_en = "field of a newer version"};
    static const struct cairn_field_state existence = {
        .name = "deleted", .label_zh = "删除", .label_en = "deleted"};

    if (field == NULL)
        *out_field = number == CAIRN_FIELD_EXISTENCE ? existence : newer;
    else
        *out_field = (struct cairn_field_state){.name = field->name,
                                                .label_zh = field->label_zh,
                                                .label_en = field->label_en,
                                                .kind = field_kind(field),
                                                .is_integer = field->wire == CAIRN_WIRE_INTEGER,
                                                .is_personal = field->is_personal};
}

static enum cairn_status received_count(struct viewing *v, const struct cairn_record_state *state,
                                        uint64_t *out_unreceived)
{
    const struct cairn_seen_log *log = NULL;

    *out_unreceived = 0;
    for (size_t i = 0; i < state->live_count; i++) {
        if (state->live[i].field == CAIRN_FIELD_EXISTENCE)
            continue;
        if (log == NULL || log->no != state->live[i].dot.log)
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
    CAIRN_TRY(version_view(v, NULL, &state->live[0], false, &versions[0]));
    CAIRN_TRY(version_view(v, NULL, &state->live[existence_count % state->live_count], false,
                           &versions[1]));
    versions[0].value = NULL;
    versions[1].value = "edited";
    versions[1].is_shown = true;
    out_field->versions = versions;
    out_field->version_count = 2;
    out_field->has_conflict = true;
    return CAIRN_OK;
}

/* A record that took no step stands where new ones begin. */
static enum cairn_status first_position_view(struct viewing *v, const struct cairn_field *field,
                                             struct cairn_field_state *out_field)
{
    struct cairn_version *version = cairn_arena_get(&v->replica->results, sizeof *version);
    struct cairn_value value = {.kind = CAIRN_VALUE_POSITION,
                                .position = cairn_position_first(v->type)};

    if (version == NULL)
        return CAIRN_NO_MEMORY;
    *version = (struct cairn_version){.is_shown = true, .is_received = true};
    field_describe(field, field->number, out_field);
    CAIRN_TRY(
        cairn_value_text(v->ctx, v->type, field, &value, &v->replica->results, &version->value));
    version_label(v, field, &value, version);
    out_field->versions = version;
    out_field->version_count = 1;
    return CAIRN_OK;
}

/* The fields that have a value, in order of their numbers; a workflow always has one. */
static enum cairn_status fields_view(struct viewing *v, const struct cairn_record_state *state,
                                     struct cairn_record *out_record)
{
    const struct cairn_field *workflow = v->type == NULL ? NULL : cairn_type_workflow(v->type);
    size_t i = 0;

    v->fields = cairn_arena_get(&v->replica->results, (state->live_count + 2) * sizeof *v->fields);
    v->versions = cairn_arena_get(&v->replica->results, state->live_count * sizeof *v->versions);
    if (v->fields == NULL || v->versions == NULL)
        return CAIRN_NO_MEMORY;
    out_record->fields = v->fields;
    while (i < state->live_count || workflow != NULL) {
        bool is_end = i == state->live_count;
        uint64_t number = is_end ? UINT64_MAX : state->live[i].field;
        struct cairn_field_state *out = &v->fields[out_record->field_count];
        size_t count = 1;
        if (workflow != NULL && workflow->number < number) {
            CAIRN_TRY(first_position_view(v, workflow, out));
            out_record->field_count++;
        }
        if (workflow != NULL && workflow->number <= number) {
            bool is_first = workflow->number < number;
            workflow = NULL;
            if (is_first)
                continue;
        }
        while (i + count < state->live_count && state->live[i + count].field == number)
            count++;
        const struct cairn_field *field =
            v->type == NULL ? NULL : cairn_type_field(v->type, number);
        if (number != CAIRN_FIELD_EXISTENCE) {
            field_describe(field, number, out);
            CAIRN_TRY(field_view(v, field, state, i, count, out));
            out_record->field_count++;
        } else if (out_record->has_conflict && cairn_live_is_deletion(&state->live[i])) {
            CAIRN_TRY(deletion_view(v, state, count, out));
            out_record->field_count++;
        }
        i += count;
    }
    return CAIRN_OK;
}

/* Mark the fields whose shown version was written beside another's. */
static enum cairn_status parallel_view(struct viewing *v, const struct cairn_record_state *state,
                                       struct cairn_record *record)
{
    struct cairn_dot *dots;
    size_t count;

    CAIRN_TRY(cairn_record_parallel(v->ctx, state, &dots, &count));
    record->is_parallel = count > 0;
    for (size_t d = 0; d < count; d++) {
        for (size_t i = 0; i < state->live_count; i++) {
            const struct cairn_live *live = &state->live[i];
            const struct cairn_field *field =
                v->type == NULL ? NULL : cairn_type_field(v->type, live->field);
            if (field == NULL || live->dot.log != dots[d].log || live->dot.index != dots[d].index)
                continue;
            for (size_t f = 0; f < record->field_count; f++)
                v->fields[f].is_parallel =
                    v->fields[f].is_parallel || strcmp(v->fields[f].name, field->name) == 0;
        }
    }
    return CAIRN_OK;
}

#define CACHE_LINE_BYTES 64

enum cairn_status cairn_row_load(struct cairn_context *ctx, const struct cairn_index_row *row,
                                 struct cairn_record_state *out_state)
{
    struct cairn_key key = cairn_record_key(row->scope, row->bucket, row->id);
    struct cairn_bytes value;

    CAIRN_TRY(cairn_kv_get(ctx, &key, &value));
    /* A record spans several lines of a page that nobody touched lately: fetch them side by side.
     */
    for (size_t i = CACHE_LINE_BYTES; i < value.size; i += CACHE_LINE_BYTES)
        __builtin_prefetch(value.data + i);
    CAIRN_TRY(cairn_record_borrow(ctx, value, row->id, out_state));
    out_state->has_bucket = true;
    out_state->bucket = row->bucket;
    return CAIRN_OK;
}

/* Room for what the indicators of the type look at. */
static enum cairn_status shown_ready(struct viewing *v)
{
    if (v->type == NULL || v->type->indicator_count == 0)
        return CAIRN_OK;
    size_t bytes = v->type->field_count * sizeof *v->shown;
    v->shown = cairn_arena_get(&v->replica->results, bytes);
    if (v->shown == NULL)
        return CAIRN_NO_MEMORY;
    memset(v->shown, 0, bytes);
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
    v.type = type;
    CAIRN_TRY(cairn_seen_log(ctx, row->id.log, &log));
    cairn_label_write(log->tag, state->counter, row->bucket, record.id);
    cairn_text_copy(record.type, sizeof record.type,
                    cairn_bytes_of_text(type == NULL ? "newer" : type->name));
    cairn_scope_text(row->scope, record.scope);
    CAIRN_TRY(received_count(&v, state, &record.unreceived_count));
    CAIRN_TRY(shown_ready(&v));
    CAIRN_TRY(fields_view(&v, state, &record));
    CAIRN_TRY(parallel_view(&v, state, &record));
    CAIRN_TRY(cairn_indicators_view(replica, type, v.shown, &record));
    *out_record = record;
    return CAIRN_OK;
}
