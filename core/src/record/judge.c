#include "judge.h"

#include <string.h>

#include "announce.h"

/* What one pass over a change needs; verdict is VALID until something is found. */
struct judging {
    struct cairn_context *ctx;
    const struct cairn_log *log;
    uint32_t index;
    const struct cairn_hash *commitments;
    size_t slot; /* of the next slot met */
    bool has_operation, has_note;
    struct cairn_judged_change *change;
    struct cairn_verdict verdict;
};

static void found(struct judging *j, enum cairn_validity validity, enum cairn_reason reason)
{
    if (j->verdict.validity == CAIRN_VALID)
        j->verdict = (struct cairn_verdict){.validity = validity, .reason = reason};
}

static void found_invalid(struct judging *j, enum cairn_reason reason)
{
    found(j, CAIRN_INVALID, reason);
}

static void found_newer(struct judging *j)
{
    found(j, CAIRN_WAITING, CAIRN_WHY_NEWER);
}

static bool is_open(const struct judging *j)
{
    return j->verdict.validity == CAIRN_VALID;
}

/* A log number and index of the entry -> a dot of this store. *out_counts: see named_counts. */
static enum cairn_status dot_resolve(struct judging *j, struct cairn_local_dot local,
                                     struct cairn_dot *out_dot, bool *out_counts)
{
    struct cairn_announced announced;

    *out_counts = true;
    if (local.log_number == 0) {
        if (local.index >= j->index)
            found_invalid(j, CAIRN_WHY_NOT_ANNOUNCED);
        *out_dot = (struct cairn_dot){j->log->no, local.index};
        return CAIRN_OK;
    }
    enum cairn_status status =
        cairn_announced_at(j->ctx, j->log->no, local.log_number, j->index, &announced);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    if (status == CAIRN_NOT_FOUND || local.index >= announced.size) {
        found_invalid(j, CAIRN_WHY_NOT_ANNOUNCED);
        return CAIRN_OK;
    }
    *out_dot = (struct cairn_dot){announced.log, local.index};
    *out_counts = !announced.root_differs;
    return CAIRN_OK;
}

static enum cairn_status named_read(struct judging *j, struct cairn_items *rest,
                                    struct cairn_change_write *write)
{
    struct cairn_judged_change *change = j->change;
    struct cairn_local_dot local;

    write->named_first = change->named_count;
    if (rest->left > 0 && change->named == NULL) {
        change->named = cairn_arena_get(&j->ctx->arena, CAIRN_NAMED_MAX * sizeof *change->named);
        change->named_counts =
            cairn_arena_get(&j->ctx->arena, CAIRN_NAMED_MAX * sizeof *change->named_counts);
        if (change->named == NULL || change->named_counts == NULL)
            return CAIRN_NO_MEMORY;
    }
    while (is_open(j) && cairn_named_next(rest, &local)) {
        if (change->named_count == CAIRN_NAMED_MAX) {
            found_invalid(j, CAIRN_WHY_SHAPE);
            return CAIRN_OK;
        }
        CAIRN_TRY(dot_resolve(j, local, &change->named[change->named_count],
                              &change->named_counts[change->named_count]));
        change->named_count++;
    }
    if (rest->left > 0)
        found_invalid(j, CAIRN_WHY_SHAPE);
    write->named_count = change->named_count - write->named_first;
    return CAIRN_OK;
}

static struct cairn_change_write *write_add(struct judging *j, uint64_t number, uint64_t field,
                                            const struct cairn_value *value)
{
    struct cairn_judged_change *change = j->change;

    if (change->write_count == CAIRN_WRITES_MAX) {
        found_invalid(j, CAIRN_WHY_SHAPE);
        return NULL;
    }
    for (size_t i = 0; i < change->write_count; i++)
        if (change->writes[i].field == field)
            found_invalid(j, CAIRN_WHY_TWICE);
    struct cairn_change_write *write = &change->writes[change->write_count++];
    *write = (struct cairn_change_write){.number = number, .field = field};
    if (value != NULL)
        write->value = *value;
    if (value != NULL && value->is_slot && j->commitments != NULL)
        write->commitment = j->commitments[j->slot++];
    return write;
}

/* A record that stands as a value must have been announced like any other. */
static enum cairn_status reference_resolve(struct judging *j, struct cairn_change_write *write)
{
    bool counts;

    if (write == NULL || write->value.kind != CAIRN_VALUE_DOT)
        return CAIRN_OK;
    return dot_resolve(j, write->value.dot, &write->reference, &counts);
}

static enum cairn_status create_read(struct judging *j, struct cairn_operation *op)
{
    static const struct cairn_value alive = {.kind = CAIRN_VALUE_INTEGER, .integer = 1};
    uint64_t field;
    struct cairn_value value;

    if (j->has_operation)
        found_invalid(j, CAIRN_WHY_SHAPE);
    j->change->creates = true;
    j->change->type = op->type;
    j->change->counter = op->counter;
    j->change->record = (struct cairn_dot){j->log->no, j->index};
    write_add(j, CAIRN_ITEM_CREATE, CAIRN_FIELD_EXISTENCE, &alive);
    while (is_open(j) && cairn_field_next(&op->rest, &field, &value)) {
        if (field == CAIRN_FIELD_EXISTENCE)
            found_invalid(j, CAIRN_WHY_SHAPE);
        CAIRN_TRY(reference_resolve(j, write_add(j, CAIRN_ITEM_CREATE, field, &value)));
    }
    if (op->rest.left > 0)
        found_invalid(j, CAIRN_WHY_SHAPE);
    return CAIRN_OK;
}

/* An element is added to what there is; what takes away must say what. */
static bool named_fits(const struct cairn_change_write *write)
{
    return write->number == CAIRN_ITEM_ADD      ? write->named_count == 0
           : write->number == CAIRN_ITEM_REMOVE ? write->named_count > 0
                                                : true;
}

static enum cairn_status write_read(struct judging *j, struct cairn_operation *op)
{
    struct cairn_dot record = {0, 0};
    bool counts;
    bool has_value = op->number != CAIRN_ITEM_DELETE && op->number != CAIRN_ITEM_REMOVE;

    CAIRN_TRY(dot_resolve(j, op->record, &record, &counts));
    if (j->has_operation && (j->change->creates || record.log != j->change->record.log ||
                             record.index != j->change->record.index))
        found_invalid(j, CAIRN_WHY_SHAPE);
    if (!is_open(j))
        return CAIRN_OK;
    j->change->record = record;
    struct cairn_change_write *write =
        write_add(j, op->number, op->field, has_value ? &op->value : NULL);
    if (write == NULL)
        return CAIRN_OK;
    memcpy(write->seen, op->seen, sizeof write->seen);
    CAIRN_TRY(reference_resolve(j, write));
    CAIRN_TRY(named_read(j, &op->rest, write));
    if (is_open(j) && !named_fits(write))
        found_invalid(j, CAIRN_WHY_SHAPE);
    return CAIRN_OK;
}

static enum cairn_status operation_read(struct judging *j, const struct cairn_item *item)
{
    struct cairn_operation op;

    if (j->has_note || !cairn_operation_read(item, &op)) {
        found_invalid(j, CAIRN_WHY_SHAPE);
        return CAIRN_OK;
    }
    enum cairn_status status =
        op.number == CAIRN_ITEM_CREATE ? create_read(j, &op) : write_read(j, &op);
    j->has_operation = true;
    return status;
}

static void note_read(struct judging *j, const struct cairn_item *item)
{
    struct cairn_value text;
    bool is_reason = item->number == CAIRN_ITEM_REASON;

    j->has_note = true;
    if (item->number == CAIRN_ITEM_REPEATS) {
        if (j->change->has_repeats || !cairn_repeats_read(item, &j->change->repeats))
            found_invalid(j, CAIRN_WHY_SHAPE);
        j->change->has_repeats = true;
        return;
    }
    if (!cairn_note_item_read(item, &text) || (is_reason && j->change->has_reason))
        found_invalid(j, CAIRN_WHY_SHAPE);
    else
        j->change->has_reason = j->change->has_reason || is_reason;
}

static enum cairn_status item_read(struct judging *j, const struct cairn_item *item)
{
    struct cairn_announce announce;

    switch (item->number) {
    case CAIRN_ITEM_ANNOUNCE:
        if (j->has_operation || j->has_note || !cairn_announce_read(item, &announce))
            found_invalid(j, CAIRN_WHY_SHAPE);
        return CAIRN_OK;
    case CAIRN_ITEM_CREATE:
    case CAIRN_ITEM_SET:
    case CAIRN_ITEM_DELETE:
    case CAIRN_ITEM_SETTLE:
    case CAIRN_ITEM_ADD:
    case CAIRN_ITEM_REMOVE:
    case CAIRN_ITEM_COUNT:
    case CAIRN_ITEM_STEP:
        return operation_read(j, item);
    case CAIRN_ITEM_REASON:
    case CAIRN_ITEM_PERSON:
    case CAIRN_ITEM_REPEATS:
        note_read(j, item);
        return CAIRN_OK;
    default:
        found_newer(j);
        return CAIRN_OK;
    }
}

static enum cairn_status change_read(struct judging *j, const struct cairn_entry *entry)
{
    struct cairn_items items;
    struct cairn_item item;

    memset(j->change, 0, offsetof(struct cairn_judged_change, writes));
    j->change->named_count = 0;
    j->change->named = NULL;
    cairn_items_init(&items, entry);
    while (is_open(j) && cairn_item_next(&items, &item))
        CAIRN_TRY(item_read(j, &item));
    if (items.left > 0 || !j->has_operation)
        found_invalid(j, CAIRN_WHY_SHAPE);
    for (size_t i = 0; is_open(j) && i < j->change->write_count; i++)
        if (j->change->writes[i].number == CAIRN_ITEM_SETTLE && !j->change->has_reason)
            found_invalid(j, CAIRN_WHY_NO_REASON);
    return CAIRN_OK;
}

/* ---- what it names ------------------------------------------------------------------------- */

static void waits_for(struct judging *j, uint32_t log, uint32_t size)
{
    found(j, CAIRN_WAITING, CAIRN_WHY_NOT_HERE_YET);
    j->verdict.waits_for_log = log;
    j->verdict.waits_for_size = size;
}

/* The type of the record that is written; fixed by the entry that created it. */
static enum cairn_status record_type(struct judging *j)
{
    struct cairn_dot dot = j->change->record;
    struct cairn_verdict create;
    struct cairn_log log = *j->log;

    if (j->change->creates)
        return CAIRN_OK;
    if (dot.log != log.no)
        CAIRN_TRY(cairn_log_load(j->ctx, dot.log, &log));
    if (dot.log != j->log->no && (!log.is_known || cairn_log_size(&log) <= dot.index)) {
        waits_for(j, dot.log, dot.index + 1);
        return CAIRN_OK;
    }
    if (log.scope.code != j->log->scope.code || log.channel != CAIRN_CHANNEL_RECORDS) {
        found_invalid(j, CAIRN_WHY_OTHER_SCOPE);
        return CAIRN_OK;
    }
    enum cairn_status status = cairn_record_load(j->ctx, &log, dot.index, &j->change->state);
    if (status == CAIRN_OK) {
        j->change->has_state = true;
        j->change->type = j->change->state.type;
        return CAIRN_OK;
    }
    if (status != CAIRN_NOT_FOUND)
        return status;
    CAIRN_TRY(cairn_verdict_get(j->ctx, dot.log, dot.index, &create));
    if (create.validity == CAIRN_WAITING)
        j->verdict = create; /* it waits for what its record waits for */
    else
        found_invalid(j, CAIRN_WHY_NO_RECORD);
    return CAIRN_OK;
}

static bool operation_suits(uint64_t number, uint64_t merge)
{
    switch ((enum cairn_merge_kind)merge) {
    case CAIRN_MERGE_REGISTER:
        return number == CAIRN_ITEM_CREATE || number == CAIRN_ITEM_SET ||
               number == CAIRN_ITEM_SETTLE;
    case CAIRN_MERGE_SET:
        return number == CAIRN_ITEM_ADD || number == CAIRN_ITEM_REMOVE;
    case CAIRN_MERGE_COUNTER:
        return number == CAIRN_ITEM_COUNT || number == CAIRN_ITEM_REMOVE;
    case CAIRN_MERGE_WORKFLOW:
        return number == CAIRN_ITEM_STEP;
    case CAIRN_MERGE_COUNT:
        break;
    }
    return false;
}

/* The version of existence: there, or deleted. */
static void existence_judge(struct judging *j, const struct cairn_change_write *write)
{
    bool is_write = write->number == CAIRN_ITEM_CREATE || write->number == CAIRN_ITEM_SET ||
                    write->number == CAIRN_ITEM_SETTLE;

    if (!is_write)
        found_invalid(j, CAIRN_WHY_OPERATION);
    else if (write->value.kind != CAIRN_VALUE_INTEGER || write->value.is_slot ||
             write->value.integer != 1)
        found_invalid(j, CAIRN_WHY_WRONG_VALUE);
}

/* The step that this one follows: the first that it names. */
static enum cairn_status step_judge(struct judging *j, const struct cairn_type *type,
                                    const struct cairn_change_write *write)
{
    struct cairn_position from = cairn_position_first(type);
    struct cairn_verdict before;
    struct cairn_log log = *j->log;

    if (write->named_count > 0) {
        struct cairn_dot dot = j->change->named[write->named_first];
        enum cairn_status status = cairn_step_find(j->ctx, dot, j->change->record, &from);
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            return status;
        if (dot.log != log.no)
            CAIRN_TRY(cairn_log_load(j->ctx, dot.log, &log));
        bool is_held = dot.log == j->log->no || (log.is_known && dot.index < cairn_log_size(&log));
        /* One on another branch than the one announced is not the one that is meant. */
        if (!is_held || !j->change->named_counts[write->named_first]) {
            waits_for(j, dot.log, dot.index + 1);
            return CAIRN_OK;
        }
        if (status == CAIRN_NOT_FOUND) {
            CAIRN_TRY(cairn_verdict_get(j->ctx, dot.log, dot.index, &before));
            if (before.validity == CAIRN_WAITING)
                j->verdict = before; /* it waits for what that one waits for */
            else
                found_invalid(j, CAIRN_WHY_STEP_BEFORE);
            return CAIRN_OK;
        }
    }
    enum cairn_reason reason = cairn_step_judge(type, j->log->role, &from, &write->value.position);
    if (reason == CAIRN_WHY_NEWER)
        found_newer(j);
    else if (reason != CAIRN_WHY_NONE)
        found_invalid(j, reason);
    return CAIRN_OK;
}

static enum cairn_status write_judge(struct judging *j, const struct cairn_type *type,
                                     const struct cairn_change_write *write)
{
    bool has_value = write->number != CAIRN_ITEM_REMOVE;

    if (write->number == CAIRN_ITEM_DELETE)
        return CAIRN_OK;
    if (write->field == CAIRN_FIELD_EXISTENCE) {
        existence_judge(j, write);
        return CAIRN_OK;
    }
    const struct cairn_field *field = cairn_type_field(type, write->field);
    if (field == NULL || field->merge >= CAIRN_MERGE_COUNT || field->wire >= CAIRN_WIRE_COUNT)
        found_newer(j);
    else if (!operation_suits(write->number, field->merge))
        found_invalid(j, CAIRN_WHY_OPERATION);
    else if (has_value && !cairn_field_fits(field, &write->value))
        found_invalid(j, CAIRN_WHY_WRONG_VALUE);
    else if (write->number == CAIRN_ITEM_STEP)
        return step_judge(j, type, write);
    return CAIRN_OK;
}

enum cairn_status cairn_judge_change(struct cairn_context *ctx, const struct cairn_log *log,
                                     uint32_t index, const struct cairn_entry *entry,
                                     bool announced_is_good, const struct cairn_hash *commitments,
                                     struct cairn_judged_change *out_change,
                                     struct cairn_verdict *out_verdict)
{
    struct judging j = {.ctx = ctx,
                        .log = log,
                        .index = index,
                        .commitments = commitments,
                        .change = out_change,
                        .verdict = {.validity = CAIRN_VALID}};
    const struct cairn_schema *schema;

    CAIRN_TRY(change_read(&j, entry));
    if (!announced_is_good)
        found_invalid(&j, CAIRN_WHY_ANNOUNCED_LESS);
    if (is_open(&j))
        CAIRN_TRY(record_type(&j));
    if (is_open(&j)) {
        CAIRN_TRY(cairn_schema_get(ctx, log->schema_version, &schema));
        const struct cairn_type *type = cairn_schema_type(schema, out_change->type);
        if (type == NULL)
            found_newer(&j);
        for (size_t i = 0; is_open(&j) && i < out_change->write_count; i++)
            CAIRN_TRY(write_judge(&j, type, &out_change->writes[i]));
    }
    *out_verdict = j.verdict;
    return CAIRN_OK;
}

enum cairn_status cairn_change_resolve(struct cairn_context *ctx, const struct cairn_log *log,
                                       uint32_t index, const struct cairn_entry *entry,
                                       const struct cairn_hash *commitments,
                                       struct cairn_judged_change *out_change)
{
    struct judging j = {.ctx = ctx,
                        .log = log,
                        .index = index,
                        .commitments = commitments,
                        .change = out_change,
                        .verdict = {.validity = CAIRN_VALID}};

    CAIRN_TRY(change_read(&j, entry));
    return is_open(&j) ? CAIRN_OK : CAIRN_CORRUPT;
}
