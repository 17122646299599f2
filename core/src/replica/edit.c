#include "edit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "put_internal.h"

/* A counter's own differences are gathered into one when there are so many. */
#define GATHER_AT 16

#define ELEMENT_SEPARATOR '|'

/* One field of a put. */
struct given {
    const char *name, *value;
    enum cairn_put_operation operation;
};

/* ---- reading ------------------------------------------------------------------------------- */

static enum cairn_status edit_add(struct cairn_context *ctx, struct cairn_edits *edits,
                                  const struct cairn_edit *edit)
{
    if (edits->count == edits->capacity) {
        size_t capacity = edits->capacity * 2 + 16;
        struct cairn_edit *grown = cairn_arena_get(&ctx->arena, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        if (edits->count > 0)
            memcpy(grown, edits->items, edits->count * sizeof *grown);
        edits->items = grown;
        edits->capacity = capacity;
    }
    edits->items[edits->count++] = *edit;
    return CAIRN_OK;
}

enum cairn_status cairn_edit_value(struct cairn_context *ctx, const struct cairn_field *field,
                                   const char *text, struct cairn_value *out_value)
{
    struct cairn_log log;
    struct cairn_record_state target;

    if (field->wire != CAIRN_WIRE_REFERENCE)
        return cairn_field_parse(field, text, out_value, ctx->err);
    CAIRN_TRY(cairn_label_find(ctx, text, &log, &target));
    if (field->target != 0 && target.type != field->target)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s: %s is a record of another type. Nothing was written.", field->name,
                          text);
    *out_value =
        (struct cairn_value){.kind = CAIRN_VALUE_DOT, .dot = {target.id.log, target.id.index}};
    return CAIRN_OK;
}

/* Where the edit that adds or takes away this element stands; edits->count: nowhere. */
static size_t element_find(const struct cairn_edits *edits, const struct cairn_field *field,
                           uint64_t number, const struct cairn_value *value)
{
    size_t at = 0;

    while (at < edits->count &&
           (edits->items[at].field != field || edits->items[at].number != number ||
            !cairn_value_equal(&edits->items[at].value, value)))
        at++;
    return at;
}

/* One element of a set, from the text between two separators. */
static enum cairn_status element_read(struct cairn_context *ctx, const struct cairn_field *field,
                                      uint64_t number, const char *text, size_t size,
                                      struct cairn_edits *edits)
{
    struct cairn_bytes copy =
        cairn_arena_copy(&ctx->arena, (struct cairn_bytes){(const uint8_t *)text, size});
    struct cairn_edit edit = {.field = field, .number = number};

    if (copy.data == NULL)
        return CAIRN_NO_MEMORY;
    edit.text = (const char *)copy.data;
    CAIRN_TRY(cairn_edit_value(ctx, field, edit.text, &edit.value));
    if (element_find(edits, field, number, &edit.value) < edits->count)
        return CAIRN_OK;
    /* What is added is not taken away, whatever the same put said before. */
    size_t removal = element_find(edits, field, CAIRN_ITEM_REMOVE, &edit.value);
    if (removal == edits->count)
        return edit_add(ctx, edits, &edit);
    edits->items[removal] = edit;
    return CAIRN_OK;
}

/* Exactly these elements: what else is live goes. */
static enum cairn_status others_remove(struct cairn_context *ctx, const struct cairn_field *field,
                                       const struct cairn_record_state *state,
                                       struct cairn_edits *edits)
{
    for (size_t i = 0; state != NULL && i < state->live_count; i++) {
        struct cairn_edit edit = {.field = field, .number = CAIRN_ITEM_REMOVE};
        if (state->live[i].field != field->number || state->live[i].is_closed)
            continue;
        CAIRN_TRY(cairn_live_value(ctx, &state->live[i], &edit.value));
        if (element_find(edits, field, CAIRN_ITEM_ADD, &edit.value) < edits->count ||
            element_find(edits, field, CAIRN_ITEM_REMOVE, &edit.value) < edits->count)
            continue;
        CAIRN_TRY(cairn_value_text(ctx, NULL, field, &edit.value, &ctx->arena, &edit.text));
        CAIRN_TRY(edit_add(ctx, edits, &edit));
    }
    return CAIRN_OK;
}

static enum cairn_status set_read(struct cairn_context *ctx, const struct given *given,
                                  const struct cairn_field *field,
                                  const struct cairn_record_state *state, struct cairn_edits *edits)
{
    uint64_t number = given->operation == CAIRN_PUT_REMOVE ? CAIRN_ITEM_REMOVE : CAIRN_ITEM_ADD;
    const char *text = given->value;

    if (given->operation != CAIRN_PUT_SET)
        return element_read(ctx, field, number, text, strlen(text), edits);
    while (text[0] != '\0') {
        size_t size = strcspn(text, (const char[]){ELEMENT_SEPARATOR, '\0'});
        if (size > 0)
            CAIRN_TRY(element_read(ctx, field, number, text, size, edits));
        text += size + (text[size] != '\0');
    }
    return others_remove(ctx, field, state, edits);
}

static enum cairn_status counter_read(struct cairn_context *ctx, const struct given *given,
                                      const struct cairn_field *field,
                                      const struct cairn_record_state *state,
                                      struct cairn_edits *edits)
{
    struct cairn_edit edit = {.field = field, .number = CAIRN_ITEM_COUNT, .text = given->value};
    int64_t sum = cairn_counter_sum(state, field->number), difference;

    CAIRN_TRY(cairn_edit_value(ctx, field, given->value, &edit.value));
    bool overflows = false;
    if (given->operation == CAIRN_PUT_SET)
        overflows = __builtin_sub_overflow(edit.value.integer, sum, &difference);
    else if (given->operation == CAIRN_PUT_REMOVE)
        overflows = __builtin_sub_overflow(0, edit.value.integer, &difference);
    else
        difference = edit.value.integer;
    if (overflows || __builtin_add_overflow(sum, difference, &sum))
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s: %s is too large.", field->name,
                          given->value);
    edit.value.integer = difference;
    return difference == 0 ? CAIRN_OK : edit_add(ctx, edits, &edit);
}

static enum cairn_status register_read(struct cairn_context *ctx, const struct given *given,
                                       const struct cairn_field *field, struct cairn_edits *edits)
{
    struct cairn_edit edit = {.field = field, .number = CAIRN_ITEM_SET, .text = given->value};

    if (given->operation != CAIRN_PUT_SET)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s has one value: nothing can be added or taken away; write %s=VALUE.",
                          field->name, field->name);
    CAIRN_TRY(cairn_edit_value(ctx, field, given->value, &edit.value));
    return edit_add(ctx, edits, &edit);
}

static enum cairn_status given_read(struct cairn_context *ctx, const struct cairn_put *put,
                                    const struct given *given, const struct cairn_type *type,
                                    const struct cairn_record_state *state,
                                    struct cairn_edits *edits)
{
    const struct cairn_field *field = cairn_type_field_named(type, given->name);

    if (field == NULL)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s has no field %s.", put->type, given->name);
    if (field->is_retired)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s is not used any more: old values are shown, new ones are not taken.",
                          given->name);
    if ((state == NULL || put->upserts) && given->value[0] == '\0')
        return CAIRN_OK; /* an empty cell of a table says nothing */
    /* An entry with a value of an unknown type would wait for a newer version, unseen. */
    uint64_t merge = field->wire < CAIRN_WIRE_COUNT ? field->merge : CAIRN_MERGE_COUNT;
    switch ((enum cairn_merge_kind)merge) {
    case CAIRN_MERGE_REGISTER:
        return register_read(ctx, given, field, edits);
    case CAIRN_MERGE_SET:
        return set_read(ctx, given, field, state, edits);
    case CAIRN_MERGE_COUNTER:
        return counter_read(ctx, given, field, state, edits);
    case CAIRN_MERGE_WORKFLOW:
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s is not written but moved, step by step: cairn step ID MOVE.",
                          given->name);
    case CAIRN_MERGE_COUNT:
        break;
    }
    return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s is a field of a newer version.", given->name);
}

static struct given given_at(const struct cairn_put *put, size_t i)
{
    return (struct given){put->fields[i].name, put->fields[i].value,
                          put->operations == NULL ? CAIRN_PUT_SET : put->operations[i]};
}

enum cairn_status cairn_edits_read(struct cairn_replica *replica, const struct cairn_put *put,
                                   const struct cairn_type *type,
                                   const struct cairn_record_state *state,
                                   struct cairn_edits *out_edits)
{
    struct cairn_edits edits = {.count = 0};

    for (size_t i = 0; i < put->field_count; i++) {
        struct given given = given_at(put, i);
        for (size_t k = 0; k < i; k++)
            if (given.operation == CAIRN_PUT_SET && strcmp(put->fields[k].name, given.name) == 0)
                return cairn_fail(replica->ctx.err, CAIRN_BAD_INPUT, "%s is given twice.",
                                  given.name);
        CAIRN_TRY(given_read(&replica->ctx, put, &given, type, state, &edits));
    }
    *out_edits = edits;
    return CAIRN_OK;
}

static enum cairn_status shown_value(struct cairn_context *ctx, const struct cairn_field *field,
                                     const struct cairn_record_state *state,
                                     struct cairn_value *out_value)
{
    const struct cairn_live *shown = NULL;

    for (size_t i = 0; i < state->live_count; i++) {
        bool wins = true;
        if (state->live[i].field != field->number || state->live[i].is_closed)
            continue;
        if (shown != NULL)
            CAIRN_TRY(cairn_live_wins(ctx, &state->live[i], shown, &wins));
        shown = wins ? &state->live[i] : shown;
    }
    return shown == NULL ? CAIRN_NOT_FOUND : cairn_live_value(ctx, shown, out_value);
}

static bool field_is_live(const struct cairn_record_state *state, const struct cairn_field *field)
{
    for (size_t i = 0; i < state->live_count; i++)
        if (state->live[i].field == field->number)
            return true;
    return false;
}

/* What the deletion took from the counter; what was counted unseen is there still. */
static enum cairn_status counter_restore(const struct cairn_field *field,
                                         const struct cairn_record_state *state,
                                         const struct cairn_record_state *undeleted,
                                         int64_t *out_difference)
{
    int64_t before = cairn_counter_sum(undeleted, field->number);
    int64_t now = cairn_counter_sum(state, field->number);

    return __builtin_sub_overflow(before, now, out_difference) ? CAIRN_LIMIT : CAIRN_OK;
}

enum cairn_status cairn_edits_restore(struct cairn_context *ctx, const struct cairn_field *field,
                                      const struct cairn_record_state *state,
                                      const struct cairn_record_state *undeleted,
                                      const struct cairn_live *live, struct cairn_edits *edits)
{
    struct cairn_edit edit = {.field = field, .number = CAIRN_ITEM_SET, .text = ""};

    switch ((enum cairn_merge_kind)field->merge) {
    case CAIRN_MERGE_REGISTER:
        if (field_is_live(state, field))
            return CAIRN_OK;
        CAIRN_TRY(shown_value(ctx, field, undeleted, &edit.value));
        break;
    case CAIRN_MERGE_SET:
        edit.number = CAIRN_ITEM_ADD;
        CAIRN_TRY(cairn_live_value(ctx, live, &edit.value));
        break;
    case CAIRN_MERGE_COUNTER:
        edit.number = CAIRN_ITEM_COUNT;
        CAIRN_TRY(counter_restore(field, state, undeleted, &edit.value.integer));
        if (edit.value.integer == 0)
            return CAIRN_OK;
        break;
    case CAIRN_MERGE_WORKFLOW:
    case CAIRN_MERGE_COUNT:
        return CAIRN_OK;
    }
    for (size_t i = 0; i < edits->count; i++)
        if (edits->items[i].field == field &&
            (edit.number != CAIRN_ITEM_ADD ||
             cairn_value_equal(&edits->items[i].value, &edit.value)))
            return CAIRN_OK;
    return edit_add(ctx, edits, &edit);
}

/* ---- composing ----------------------------------------------------------------------------- */

enum cairn_status cairn_edits_create(struct cairn_composer *composer, uint64_t type,
                                     uint32_t counter, struct cairn_edits *edits)
{
    size_t size = 64, count = 0;

    for (size_t i = 0; i < edits->count; i++) {
        struct cairn_edit *edit = &edits->items[i];
        if (edit->number != CAIRN_ITEM_SET)
            continue;
        CAIRN_TRY(cairn_compose_value(composer, &edit->value, &edit->value));
        size += 32 + edit->value.text.size;
        count++;
    }
    struct cairn_writer room = cairn_compose_item(composer, size);
    cairn_create_begin(&room, type, counter, count);
    for (size_t i = 0; i < edits->count; i++) {
        struct cairn_edit *edit = &edits->items[i];
        if (edit->number != CAIRN_ITEM_SET)
            continue;
        cairn_cbor_write_uint(&room, edit->field->number);
        cairn_value_write(&room, &edit->value);
        edit->entry = CAIRN_EDIT_NEEDLESS;
    }
    cairn_compose_item_end(composer, &room);
    return CAIRN_OK;
}

/* Live versions of the field, in `named`: which of them a write names depends on its kind. */
struct field_versions {
    struct cairn_dot *named;
    size_t count;
    const struct cairn_live *shown;
    size_t live_count;
};

/* Does the entry repeat one that a restored store lost? */
static enum cairn_status entry_repeats(struct cairn_context *ctx, struct cairn_dot dot,
                                       bool *out_repeats)
{
    struct cairn_bytes bytes;
    struct cairn_entry entry;
    struct cairn_items items;
    struct cairn_item item;

    *out_repeats = false;
    CAIRN_TRY(cairn_log_entry(ctx, dot.log, dot.index, &bytes, NULL));
    if (cairn_entry_read(bytes, &entry) != CAIRN_OK)
        return CAIRN_CORRUPT;
    cairn_items_init(&items, &entry);
    while (cairn_item_next(&items, &item))
        *out_repeats = *out_repeats || item.number == CAIRN_ITEM_REPEATS;
    return CAIRN_OK;
}

/* The log's own differences, when they are many. One that repeats another stays by itself: should
 * the original come back, the sum would count it twice. */
static enum cairn_status gathered_find(struct cairn_context *ctx, uint64_t field,
                                       const struct cairn_record_state *state, uint32_t own_log,
                                       struct field_versions *out)
{
    size_t own = 0;

    out->count = 0;
    for (size_t i = 0; i < state->live_count; i++)
        own += state->live[i].field == field && state->live[i].dot.log == own_log;
    for (size_t i = 0; own >= GATHER_AT && i < state->live_count; i++) {
        const struct cairn_live *live = &state->live[i];
        bool repeats;
        if (live->field != field || live->dot.log != own_log)
            continue;
        CAIRN_TRY(entry_repeats(ctx, live->dot, &repeats));
        if (!repeats)
            out->named[out->count++] = live->dot;
    }
    if (out->count < GATHER_AT)
        out->count = 0;
    return CAIRN_OK;
}

static enum cairn_status versions_find(struct cairn_context *ctx, const struct cairn_edit *edit,
                                       const struct cairn_record_state *state, uint32_t own_log,
                                       struct field_versions *out)
{
    struct cairn_value value;

    CAIRN_TRY(cairn_field_live(ctx, state, edit->field->number, own_log, &out->shown, out->named,
                               &out->count, &out->live_count));
    if (edit->number == CAIRN_ITEM_SET)
        return CAIRN_OK;
    if (edit->number == CAIRN_ITEM_COUNT)
        return gathered_find(ctx, edit->field->number, state, own_log, out);
    out->count = 0;
    for (size_t i = 0; i < state->live_count; i++) {
        const struct cairn_live *live = &state->live[i];
        if (live->field != edit->field->number)
            continue;
        CAIRN_TRY(cairn_live_value(ctx, live, &value));
        if (cairn_value_equal(&value, &edit->value))
            out->named[out->count++] = live->dot;
    }
    return CAIRN_OK;
}

/* The sum of what a count gathers goes into its difference. */
static enum cairn_status gather(const struct cairn_record_state *state,
                                const struct field_versions *versions, struct cairn_value *value)
{
    for (size_t n = 0; n < versions->count; n++) {
        for (size_t i = 0; i < state->live_count; i++) {
            const struct cairn_live *live = &state->live[i];
            struct cairn_reader reader;
            struct cairn_value part;
            if (live->dot.log != versions->named[n].log ||
                live->dot.index != versions->named[n].index)
                continue;
            cairn_reader_init(&reader, live->cbor);
            if (!cairn_value_read(&reader, &part) || part.kind != CAIRN_VALUE_INTEGER)
                continue;
            if (__builtin_add_overflow(value->integer, part.integer, &value->integer))
                return CAIRN_LIMIT;
        }
    }
    return CAIRN_OK;
}

static enum cairn_status integer_text(struct cairn_replica *replica,
                                      const struct cairn_field *field, int64_t integer,
                                      const char **out_text)
{
    struct cairn_value value = {.kind = CAIRN_VALUE_INTEGER, .integer = integer};

    return cairn_value_text(&replica->ctx, NULL, field, &value, &replica->results, out_text);
}

static enum cairn_status change_describe(struct cairn_replica *replica,
                                         const struct cairn_record_state *state,
                                         const struct cairn_edit *edit,
                                         const struct field_versions *versions,
                                         struct cairn_change *out_change)
{
    struct cairn_change change = {.field = edit->field->name,
                                  .is_integer = edit->field->wire == CAIRN_WIRE_INTEGER,
                                  .is_element = edit->number == CAIRN_ITEM_ADD ||
                                                edit->number == CAIRN_ITEM_REMOVE};
    struct cairn_value shown;
    const char *text;
    int64_t sum, total;

    if (edit->number == CAIRN_ITEM_COUNT) {
        sum = cairn_counter_sum(state, edit->field->number);
        CAIRN_TRY(integer_text(replica, edit->field, sum, &change.old_value));
        if (__builtin_add_overflow(sum, edit->value.integer, &total))
            return CAIRN_LIMIT;
        CAIRN_TRY(integer_text(replica, edit->field, total, &change.new_value));
        *out_change = change;
        return CAIRN_OK;
    }
    CAIRN_TRY(
        cairn_value_text(&replica->ctx, NULL, edit->field, &edit->value, &replica->results, &text));
    if (edit->number == CAIRN_ITEM_REMOVE)
        change.old_value = text;
    else
        change.new_value = text;
    if (edit->number == CAIRN_ITEM_SET && versions->shown != NULL) {
        CAIRN_TRY(cairn_live_value(&replica->ctx, versions->shown, &shown));
        CAIRN_TRY(cairn_value_text(&replica->ctx, NULL, edit->field, &shown, &replica->results,
                                   &change.old_value));
    }
    *out_change = change;
    return CAIRN_OK;
}

/* Does the record say so already, undisputed? */
static enum cairn_status changes_nothing(struct cairn_context *ctx, const struct cairn_edit *edit,
                                         const struct field_versions *versions, bool *out_nothing)
{
    struct cairn_value shown;

    *out_nothing = edit->number == CAIRN_ITEM_ADD && versions->count > 0;
    if (edit->number != CAIRN_ITEM_SET || versions->live_count != 1)
        return CAIRN_OK;
    CAIRN_TRY(cairn_live_value(ctx, versions->shown, &shown));
    *out_nothing = cairn_value_equal(&shown, &edit->value);
    return CAIRN_OK;
}

/* One edit into the entry being composed; *out_wrote is false where nothing changes. */
static enum cairn_status edit_compose(struct cairn_replica *replica,
                                      struct cairn_composer *composer,
                                      const struct cairn_record_state *state,
                                      const struct cairn_edit *edit,
                                      struct cairn_change *out_change, bool *out_wrote)
{
    struct cairn_context *ctx = &replica->ctx;
    struct field_versions versions;
    struct cairn_value value = edit->value;
    bool nothing;

    versions.named =
        cairn_arena_get(&ctx->arena, (state->live_count + 1) * sizeof(struct cairn_dot));
    if (versions.named == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(versions_find(ctx, edit, state, composer->log.no, &versions));
    CAIRN_TRY(changes_nothing(ctx, edit, &versions, &nothing));
    *out_wrote = !nothing;
    if (nothing)
        return CAIRN_OK;
    if (edit->number == CAIRN_ITEM_REMOVE && versions.count == 0)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s does not hold %s. Nothing was written.",
                          edit->field->name, edit->text);
    CAIRN_TRY(change_describe(replica, state, edit, &versions, out_change));
    if (edit->number == CAIRN_ITEM_COUNT)
        CAIRN_TRY(gather(state, &versions, &value));
    return cairn_compose_write(composer, edit->number, state->id, edit->field->number,
                               edit->number == CAIRN_ITEM_REMOVE ? NULL : &value, versions.named,
                               edit->number == CAIRN_ITEM_ADD ? 0 : versions.count);
}

/* Whoever writes on a record has seen what is live there, and says so: thus two who had not seen
 * each other's edits can be told. */
static enum cairn_status seen_announce(struct cairn_composer *composer,
                                       const struct cairn_record_state *state)
{
    struct cairn_local_dot local;

    for (size_t i = 0; i < state->live_count; i++)
        if (state->live[i].dot.log != composer->log.no)
            CAIRN_TRY(cairn_compose_dot(composer, state->live[i].dot, &local));
    return CAIRN_OK;
}

/* Does entry `number` write the field already? */
static bool entry_writes(const struct cairn_edits *edits, size_t number,
                         const struct cairn_field *field)
{
    for (size_t i = 0; i < edits->count; i++)
        if (edits->items[i].entry == number && edits->items[i].field == field)
            return true;
    return false;
}

/* Entry `number`, from 1, with the edits that fit: of each field the next that waits. */
static enum cairn_status entry_compose(struct cairn_replica *replica,
                                       struct cairn_composer *composer,
                                       const struct cairn_record_state *state,
                                       struct cairn_edits *edits, size_t number,
                                       struct cairn_change *changes, size_t *change_count)
{
    for (size_t i = 0; i < edits->count; i++) {
        struct cairn_edit *edit = &edits->items[i];
        bool wrote;
        if (edit->entry != 0 || entry_writes(edits, number, edit->field))
            continue;
        CAIRN_TRY(edit_compose(replica, composer, state, edit, &changes[*change_count], &wrote));
        edit->entry = wrote ? number : CAIRN_EDIT_NEEDLESS;
        *change_count += wrote;
    }
    return CAIRN_OK;
}

/* Elements stand beside each other for ever: before a record grows out of hand it is said here. */
static enum cairn_status room_check(struct cairn_context *ctx,
                                    const struct cairn_record_state *state,
                                    const struct cairn_edits *edits)
{
    size_t added = 0;

    for (size_t i = 0; i < edits->count; i++)
        added += edits->items[i].number == CAIRN_ITEM_ADD;
    if (added == 0 || state->live_count + added <= CAIRN_LIVE_WRITTEN_MAX)
        return CAIRN_OK;
    return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                      "A record holds at most %d values, and this one has %zu already. Nothing was "
                      "written; take some away first.",
                      CAIRN_LIVE_WRITTEN_MAX, state->live_count);
}

enum cairn_status cairn_edits_compose(struct cairn_replica *replica,
                                      struct cairn_composer *composer,
                                      const struct cairn_record_state *state,
                                      struct cairn_edits *edits, const char *reason,
                                      const struct cairn_change **out_changes,
                                      size_t *out_change_count)
{
    struct cairn_change *changes =
        cairn_arena_get(&replica->results, (edits->count + 1) * sizeof *changes);
    size_t count = 0, before;
    uint32_t index;

    if (changes == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(room_check(&replica->ctx, state, edits));
    for (size_t number = 1;; number++) {
        before = count;
        cairn_compose_begin(composer);
        CAIRN_TRY(entry_compose(replica, composer, state, edits, number, changes, &count));
        if (count == before)
            break;
        CAIRN_TRY(seen_announce(composer, state));
        if (reason != NULL)
            cairn_compose_reason(composer, reason);
        CAIRN_TRY(cairn_compose_end(composer, &index));
    }
    *out_changes = changes;
    *out_change_count = count;
    return CAIRN_OK;
}
