/* Edits, written as entries. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "edit.h"
#include "judge.h"
#include "put_internal.h"

/* A counter's own differences are gathered into one when there are so many. */
#define GATHER_AT 16

/* Registers that fit beside the existence that a create writes; more go into entries behind it. */
#define CREATE_REGISTERS_MAX (CAIRN_WRITES_MAX - 1)

static bool fits_create(const struct cairn_edit *edit, size_t count)
{
    return edit->number == CAIRN_ITEM_SET && count < CREATE_REGISTERS_MAX;
}

enum cairn_status cairn_edits_create(struct cairn_composer *composer, uint64_t type,
                                     uint32_t counter, struct cairn_edits *edits)
{
    size_t size = 64, count = 0;

    for (size_t i = 0; i < edits->count; i++) {
        struct cairn_edit *edit = &edits->items[i];
        if (!fits_create(edit, count))
            continue;
        CAIRN_TRY(cairn_compose_value(composer, &edit->value, &edit->value));
        size += 32 + edit->value.text.size;
        count++;
    }
    struct cairn_writer room = cairn_compose_item(composer, size);
    cairn_create_begin(&room, type, counter, count);
    for (size_t i = 0, written = 0; written < count; i++) {
        struct cairn_edit *edit = &edits->items[i];
        if (!fits_create(edit, written))
            continue;
        cairn_cbor_write_uint(&room, edit->field->number);
        cairn_value_write(&room, &edit->value);
        edit->entry = CAIRN_EDIT_NEEDLESS;
        written++;
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

/* The sum of what a count gathers goes into its difference; where it is beyond 63 bits, nothing is
 * gathered. */
static void gather(const struct cairn_record_state *state, struct field_versions *versions,
                   struct cairn_value *value)
{
    int64_t sum = value->integer;

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
            if (__builtin_add_overflow(sum, part.integer, &sum)) {
                versions->count = 0;
                return;
            }
        }
    }
    value->integer = sum;
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
            return cairn_fail(replica->ctx.err, CAIRN_BAD_INPUT, "%s: %s is too large.",
                              edit->field->name, edit->text);
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
        gather(state, &versions, &value);
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
    size_t first = *change_count;

    for (size_t i = 0; i < edits->count && *change_count - first < CAIRN_WRITES_MAX; i++) {
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
