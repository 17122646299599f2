#include "said.h"

#include <string.h>

#include "announce.h"
#include "force.h"
#include "judge.h"
#include "rebuild.h"
#include "verdict.h"

/* ---- reading ------------------------------------------------------------------------------- */

struct reading {
    struct cairn_replica *replica;
    struct cairn_said *said;
    size_t capacity;
};

/* A dot of the entry -> one of this store; log 0 where it names what was never announced. */
static enum cairn_status dot_resolve(struct reading *r, struct cairn_local_dot local,
                                     struct cairn_dot *out_dot)
{
    const struct cairn_said *said = r->said;
    struct cairn_announced announced = {.log = said->log.no};

    if (local.log_number != 0) {
        enum cairn_status status = cairn_announced_at(
            &r->replica->ctx, said->log.no, local.log_number, said->dot.index, &announced);
        if (status == CAIRN_NOT_FOUND)
            announced.log = 0;
        else if (status != CAIRN_OK)
            return status;
    }
    *out_dot = (struct cairn_dot){announced.log, local.index};
    return CAIRN_OK;
}

static struct cairn_saying *saying_add(struct reading *r)
{
    struct cairn_said *said = r->said;

    if (said->count == r->capacity) {
        size_t capacity = r->capacity * 2 + 8;
        struct cairn_saying *grown =
            cairn_arena_get(&r->replica->ctx.arena, capacity * sizeof *grown);
        if (grown == NULL)
            return NULL;
        if (said->count > 0)
            memcpy(grown, said->sayings, said->count * sizeof *grown);
        said->sayings = grown;
        r->capacity = capacity;
    }
    struct cairn_saying *saying = &said->sayings[said->count++];
    *saying = (struct cairn_saying){.field = CAIRN_FIELD_EXISTENCE};
    return saying;
}

static enum cairn_status value_resolve(struct reading *r, struct cairn_value *value)
{
    struct cairn_dot dot;

    if (value->kind != CAIRN_VALUE_DOT)
        return CAIRN_OK;
    CAIRN_TRY(dot_resolve(r, value->dot, &dot));
    value->dot = (struct cairn_local_dot){dot.log, dot.index};
    return CAIRN_OK;
}

static enum cairn_status create_read(struct reading *r, struct cairn_operation *op)
{
    struct cairn_said *said = r->said;
    struct cairn_saying read = {.number = CAIRN_ITEM_CREATE, .has_value = true};
    size_t before = said->count;

    said->creates = true;
    said->type = op->type;
    said->record = said->dot;
    while (cairn_field_next(&op->rest, &read.field, &read.value)) {
        CAIRN_TRY(value_resolve(r, &read.value));
        struct cairn_saying *saying = saying_add(r);
        if (saying == NULL)
            return CAIRN_NO_MEMORY;
        *saying = read;
    }
    if (said->count > before)
        return CAIRN_OK;
    struct cairn_saying *saying = saying_add(r);
    if (saying == NULL)
        return CAIRN_NO_MEMORY;
    saying->number = CAIRN_ITEM_CREATE;
    return CAIRN_OK;
}

static enum cairn_status named_read(struct reading *r, struct cairn_items *rest,
                                    struct cairn_saying *saying)
{
    struct cairn_local_dot local;
    struct cairn_dot dot;

    saying->named = cairn_arena_get(&r->replica->ctx.arena, (rest->left + 1) * sizeof dot);
    if (saying->named == NULL)
        return CAIRN_NO_MEMORY;
    while (cairn_named_next(rest, &local)) {
        CAIRN_TRY(dot_resolve(r, local, &dot));
        if (dot.log != 0)
            saying->named[saying->named_count++] = dot;
    }
    return CAIRN_OK;
}

static enum cairn_status operation_read(struct reading *r, const struct cairn_item *item)
{
    struct cairn_said *said = r->said;
    struct cairn_operation op;

    if (!cairn_operation_read(item, &op))
        return CAIRN_OK;
    if (op.number == CAIRN_ITEM_CREATE)
        return create_read(r, &op);
    struct cairn_saying *saying = saying_add(r);
    if (saying == NULL)
        return CAIRN_NO_MEMORY;
    saying->number = op.number;
    saying->field = op.field;
    saying->has_value = op.number != CAIRN_ITEM_DELETE && op.number != CAIRN_ITEM_REMOVE;
    if (saying->has_value)
        saying->value = op.value;
    if (said->record.log == 0)
        CAIRN_TRY(dot_resolve(r, op.record, &said->record));
    CAIRN_TRY(value_resolve(r, &saying->value));
    return named_read(r, &op.rest, saying);
}

static enum cairn_status reason_read(struct reading *r, const struct cairn_item *item)
{
    struct cairn_value text;

    if (!cairn_note_item_read(item, &text))
        return CAIRN_OK;
    r->said->reason = "(closed)";
    if (text.kind == CAIRN_VALUE_TEXT)
        r->said->reason = (const char *)cairn_arena_copy(&r->replica->results, text.text).data;
    return r->said->reason == NULL ? CAIRN_NO_MEMORY : CAIRN_OK;
}

static enum cairn_status item_read(struct reading *r, const struct cairn_item *item)
{
    switch (item->number) {
    case CAIRN_ITEM_CREATE:
    case CAIRN_ITEM_SET:
    case CAIRN_ITEM_DELETE:
    case CAIRN_ITEM_SETTLE:
    case CAIRN_ITEM_ADD:
    case CAIRN_ITEM_REMOVE:
    case CAIRN_ITEM_COUNT:
    case CAIRN_ITEM_STEP:
        return operation_read(r, item);
    case CAIRN_ITEM_REASON:
        return reason_read(r, item);
    case CAIRN_ITEM_REPEATS:
        r->said->has_repeats = cairn_repeats_read(item, &r->said->repeats);
        return CAIRN_OK;
    default:
        return CAIRN_OK;
    }
}

enum cairn_status cairn_said_read(struct cairn_replica *replica, const struct cairn_log *log,
                                  uint32_t index, struct cairn_said *out_said)
{
    struct cairn_said said = {.dot = {log->no, index}, .log = *log};
    struct reading reading = {.replica = replica, .said = &said};
    struct cairn_hash *commitments;
    struct cairn_entry entry;
    struct cairn_items items;
    struct cairn_item item;

    CAIRN_TRY(cairn_entry_load(&replica->ctx, log, index, &entry, &commitments, NULL));
    said.kind = entry.kind;
    said.time_s = entry.time_s;
    if (entry.kind == CAIRN_KIND_CHANGE) {
        cairn_items_init(&items, &entry);
        while (cairn_item_next(&items, &item))
            CAIRN_TRY(item_read(&reading, &item));
    }
    *out_said = said;
    return CAIRN_OK;
}

/* ---- in words ------------------------------------------------------------------------------ */

static const char *operation_name(const struct cairn_saying *saying)
{
    bool is_existence = saying->field == CAIRN_FIELD_EXISTENCE;

    switch (saying->number) {
    case CAIRN_ITEM_CREATE:
        return "create";
    case CAIRN_ITEM_SET:
        return is_existence ? "restore" : "set";
    case CAIRN_ITEM_DELETE:
        return "delete";
    case CAIRN_ITEM_SETTLE:
        return is_existence ? "restore" : "settle";
    case CAIRN_ITEM_ADD:
        return "add";
    case CAIRN_ITEM_REMOVE:
        return "remove";
    case CAIRN_ITEM_COUNT:
        return "count";
    case CAIRN_ITEM_STEP:
        return "step";
    default:
        return "newer";
    }
}

/* What version `dot` wrote to the field; *out_value stays where it is not here. */
static enum cairn_status version_value(struct cairn_replica *replica,
                                       const struct cairn_field *field, struct cairn_dot dot,
                                       struct cairn_value *out_value, bool *out_is_here)
{
    struct cairn_said said;
    struct cairn_log log;

    *out_is_here = false;
    CAIRN_TRY(cairn_log_load(&replica->ctx, dot.log, &log));
    if (!log.is_known || dot.index >= cairn_log_size(&log))
        return CAIRN_OK;
    CAIRN_TRY(cairn_said_read(replica, &log, dot.index, &said));
    for (size_t i = 0; i < said.count && !*out_is_here; i++) {
        if (said.sayings[i].field != field->number || !said.sayings[i].has_value)
            continue;
        *out_value = said.sayings[i].value;
        *out_is_here = true;
    }
    return CAIRN_OK;
}

/* What a removal takes away: one value, whose name goes with it, also where it was added twice. */
static enum cairn_status removed_describe(struct cairn_replica *replica,
                                          const struct cairn_type *type,
                                          const struct cairn_field *field,
                                          const struct cairn_saying *saying,
                                          struct cairn_history_item *item)
{
    struct cairn_value value;
    bool is_here = false;

    for (size_t i = 0; i < saying->named_count && !is_here; i++)
        CAIRN_TRY(version_value(replica, field, saying->named[i], &value, &is_here));
    if (!is_here)
        return CAIRN_OK;
    cairn_value_label(type, field, &value, &item->old_label);
    return cairn_value_text(&replica->ctx, type, field, &value, &replica->results,
                            &item->old_value);
}

static void step_describe(const struct cairn_type *type, const struct cairn_position *position,
                          struct cairn_under_way *out)
{
    const struct cairn_move *move = cairn_type_move(type, position->move);

    if (move == NULL || position->stage >= move->step_count)
        return;
    bool is_last = position->stage + 1 == move->step_count;
    *out = (struct cairn_under_way){
        .move = move->name,
        .label_zh = move->label_zh,
        .label_en = move->label_en,
        .done_count = (unsigned)position->stage + 1,
        .step_count = (unsigned)move->step_count,
        .role = is_last ? NULL : cairn_role_name(move->roles[position->stage + 1])};
}

enum cairn_status cairn_saying_describe(struct cairn_replica *replica,
                                        const struct cairn_type *type,
                                        const struct cairn_saying *saying,
                                        struct cairn_history_item *item)
{
    item->operation = saying == NULL ? "newer" : operation_name(saying);
    const struct cairn_field *field =
        saying == NULL || type == NULL ? NULL : cairn_type_field(type, saying->field);
    if (field == NULL)
        return CAIRN_OK;
    item->field = field->name;
    item->field_label = (struct cairn_label){field->label_zh, field->label_en};
    item->is_integer = field->wire == CAIRN_WIRE_INTEGER && field->merge != CAIRN_MERGE_WORKFLOW;
    if (saying->number == CAIRN_ITEM_REMOVE)
        return removed_describe(replica, type, field, saying, item);
    if (!saying->has_value)
        return CAIRN_OK;
    if (saying->value.kind == CAIRN_VALUE_POSITION)
        step_describe(type, &saying->value.position, &item->step);
    cairn_value_label(type, field, &saying->value, &item->new_label);
    return cairn_value_text(&replica->ctx, type, field, &saying->value, &replica->results,
                            &item->new_value);
}

/* ---- who, and with what effect ------------------------------------------------------------- */

enum cairn_status cairn_said_effect(struct cairn_context *ctx, const struct cairn_said *said,
                                    struct cairn_effect *out_effect)
{
    struct cairn_verdict verdict;
    enum cairn_reason reason = CAIRN_WHY_NONE;

    CAIRN_TRY(cairn_verdict_get(ctx, said->log.no, said->dot.index, &verdict));
    if (verdict.validity != CAIRN_VALID)
        reason = verdict.reason;
    else
        CAIRN_TRY(cairn_force_why(ctx, &said->log, said->dot.index,
                                  said->has_repeats ? &said->repeats : NULL, &reason));
    *out_effect = (struct cairn_effect){verdict.validity, reason};
    return CAIRN_OK;
}

/* The last valid basis among the entries of a blob that stand at or before `index`. */
static enum cairn_status blob_basis(struct cairn_context *ctx, const struct cairn_log *log,
                                    const struct cairn_blob *blob, uint32_t index,
                                    struct cairn_under *under)
{
    struct cairn_reader reader;

    cairn_reader_init(&reader, blob->entries);
    for (uint32_t i = blob->first; i - blob->first < blob->count && i <= index; i++) {
        struct cairn_entry entry;
        struct cairn_basis basis;
        struct cairn_verdict verdict;
        if (cairn_entry_read(cairn_cbor_skip(&reader), &entry) != CAIRN_OK)
            return CAIRN_CORRUPT;
        if (entry.kind != CAIRN_KIND_BASIS || !cairn_basis_read(&entry, &basis))
            continue;
        CAIRN_TRY(cairn_verdict_get(ctx, log->no, i, &verdict));
        if (verdict.validity == CAIRN_VALID)
            *under = basis.under;
    }
    return CAIRN_OK;
}

enum cairn_status cairn_entry_standing(struct cairn_context *ctx, const struct cairn_log *log,
                                       uint32_t index, struct cairn_standing *out_standing)
{
    struct cairn_under under = log->under;

    for (uint32_t at = 0; at <= index;) {
        struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
        struct cairn_blob blob;
        CAIRN_TRY(cairn_blob_at(ctx, log->no, at, &blob));
        CAIRN_TRY(blob_basis(ctx, log, &blob, index, &under));
        at = blob.first + blob.count;
        cairn_arena_rewind(&ctx->arena, mark);
    }
    enum cairn_status status = cairn_standing_get(ctx, &under, out_standing);
    if (status != CAIRN_NOT_FOUND)
        return status;
    *out_standing = (struct cairn_standing){.role = UINT64_MAX, .tag = "?"};
    return CAIRN_OK;
}
