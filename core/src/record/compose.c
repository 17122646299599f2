#include "compose.h"

#include <string.h>

#include "announce.h"

void cairn_composer_init(struct cairn_composer *composer, struct cairn_context *ctx,
                         const struct cairn_log *log, uint64_t now_s)
{
    memset(composer, 0, sizeof *composer);
    composer->ctx = ctx;
    composer->log = *log;
    composer->now_s = now_s;
    cairn_buffer_init(&composer->entries, CAIRN_VALUE_MAX);
    cairn_buffer_init(&composer->announcements, CAIRN_ENTRY_MAX);
    cairn_buffer_init(&composer->items, 2 * CAIRN_ENTRY_MAX);
}

void cairn_composer_release(struct cairn_composer *composer)
{
    cairn_buffer_release(&composer->entries);
    cairn_buffer_release(&composer->announcements);
    cairn_buffer_release(&composer->items);
}

void cairn_compose_begin(struct cairn_composer *composer)
{
    composer->item_count = 0;
    cairn_buffer_reset(&composer->announcements);
    cairn_buffer_reset(&composer->items);
}

static enum cairn_status announce_add(struct cairn_composer *composer,
                                      const struct cairn_log *other, bool is_first, uint32_t number)
{
    struct cairn_announce announce = {.is_first = is_first,
                                      .log = other->id,
                                      .log_number = number,
                                      .size = cairn_log_size(other)};
    struct cairn_hash root = cairn_log_root(other);
    struct cairn_writer room = cairn_buffer_room(&composer->announcements, 64);

    memcpy(announce.root_start, root.bytes, sizeof announce.root_start);
    cairn_announce_write(&room, &announce);
    cairn_buffer_take(&composer->announcements, &room);
    composer->item_count++;
    return cairn_buffer_status(&composer->announcements);
}

enum cairn_status cairn_compose_dot(struct cairn_composer *composer, struct cairn_dot dot,
                                    struct cairn_local_dot *out_local)
{
    struct cairn_log other;
    uint32_t number = 0, size = 0;
    size_t at = 0;

    if (dot.log == composer->log.no) {
        *out_local = (struct cairn_local_dot){0, dot.index};
        return CAIRN_OK;
    }
    while (at < composer->announced_count && composer->announced[at].log != dot.log)
        at++;
    if (at < composer->announced_count) {
        number = composer->announced[at].number;
        size = composer->announced[at].size;
    } else {
        enum cairn_status status =
            cairn_announced_number(composer->ctx, &composer->log, dot.log, &number, &size);
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            return status;
    }
    if (at == CAIRN_COMPOSE_LOGS_MAX && dot.index >= size)
        return cairn_fail(composer->ctx->err, CAIRN_LIMIT,
                          "One change rests on what more than %d other devices wrote. Nothing was "
                          "written; change fewer records at once.",
                          CAIRN_COMPOSE_LOGS_MAX);
    if (dot.index >= size) {
        bool is_first = number == 0;
        CAIRN_TRY(cairn_log_load(composer->ctx, dot.log, &other));
        CAIRN_ASSERT(dot.index < cairn_log_size(&other));
        CAIRN_TRY(announce_add(composer, &other, is_first, number));
        number = is_first ? ++composer->log.announced_count : number;
        size = cairn_log_size(&other);
    }
    if (at < CAIRN_COMPOSE_LOGS_MAX) {
        composer->announced[at].log = dot.log;
        composer->announced[at].number = number;
        composer->announced[at].size = size;
        composer->announced_count += at == composer->announced_count;
    }
    *out_local = (struct cairn_local_dot){number, dot.index};
    return CAIRN_OK;
}

struct cairn_writer cairn_compose_item(struct cairn_composer *composer, size_t size)
{
    return cairn_buffer_room(&composer->items, size);
}

void cairn_compose_item_end(struct cairn_composer *composer, const struct cairn_writer *writer)
{
    cairn_buffer_take(&composer->items, writer);
    composer->item_count++;
}

enum cairn_status cairn_compose_value(struct cairn_composer *composer,
                                      const struct cairn_value *value,
                                      struct cairn_value *out_value)
{
    struct cairn_dot dot = {value->dot.log_number, value->dot.index};

    *out_value = *value;
    return value->kind == CAIRN_VALUE_DOT ? cairn_compose_dot(composer, dot, &out_value->dot)
                                          : CAIRN_OK;
}

/* The operation but for what it names as (log, index). */
static enum cairn_status operation_write(struct cairn_composer *composer,
                                         struct cairn_operation *op, struct cairn_dot record,
                                         const struct cairn_dot *named, size_t named_count)
{
    struct cairn_local_dot *locals =
        cairn_arena_get(&composer->ctx->arena, (named_count + 1) * sizeof *locals);

    if (locals == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_compose_dot(composer, record, &op->record));
    for (size_t i = 0; i < named_count; i++)
        CAIRN_TRY(cairn_compose_dot(composer, named[i], &locals[i]));
    struct cairn_writer room =
        cairn_compose_item(composer, 96 + op->value.text.size + named_count * 10);
    cairn_write_begin(&room, op, named_count);
    for (size_t i = 0; i < named_count; i++)
        cairn_local_dot_write(&room, locals[i]);
    cairn_compose_item_end(composer, &room);
    return cairn_buffer_status(&composer->items);
}

enum cairn_status cairn_compose_write(struct cairn_composer *composer, uint64_t number,
                                      struct cairn_dot record, uint64_t field,
                                      const struct cairn_value *value,
                                      const struct cairn_dot *named, size_t named_count)
{
    struct cairn_operation op = {.number = number, .field = field};

    if (value != NULL)
        CAIRN_TRY(cairn_compose_value(composer, value, &op.value));
    return operation_write(composer, &op, record, named, named_count);
}

enum cairn_status cairn_compose_step(struct cairn_composer *composer, struct cairn_dot record,
                                     uint64_t field, const struct cairn_position *position,
                                     const uint8_t seen[static CAIRN_SEEN_BYTES],
                                     const struct cairn_dot *named, size_t named_count)
{
    struct cairn_operation op = {.number = CAIRN_ITEM_STEP,
                                 .field = field,
                                 .value = {.kind = CAIRN_VALUE_POSITION, .position = *position}};

    memcpy(op.seen, seen, sizeof op.seen);
    return operation_write(composer, &op, record, named, named_count);
}

void cairn_compose_reason(struct cairn_composer *composer, const char *reason)
{
    struct cairn_bytes text = cairn_bytes_of_text(reason);
    struct cairn_writer room = cairn_compose_item(composer, text.size + 16);

    cairn_note_item_write(&room, CAIRN_ITEM_REASON, text);
    cairn_compose_item_end(composer, &room);
}

enum cairn_status cairn_compose_end(struct cairn_composer *composer, uint32_t *out_index)
{
    size_t size = composer->announcements.size + composer->items.size + 24;
    struct cairn_writer room = cairn_buffer_room(&composer->entries, size);

    if (cairn_buffer_status(&composer->announcements) == CAIRN_NO_MEMORY ||
        cairn_buffer_status(&composer->items) == CAIRN_NO_MEMORY)
        return CAIRN_NO_MEMORY;
    if (composer->announcements.failed || composer->items.failed || size > CAIRN_ENTRY_MAX)
        return cairn_fail(composer->ctx->err, CAIRN_BAD_INPUT,
                          "One change holds more than %d bytes. Write less at once.",
                          CAIRN_ENTRY_MAX);
    cairn_entry_begin(&room, CAIRN_KIND_CHANGE, composer->now_s, composer->item_count);
    cairn_write_bytes(&room, composer->announcements.data, composer->announcements.size);
    cairn_write_bytes(&room, composer->items.data, composer->items.size);
    cairn_buffer_take(&composer->entries, &room);
    if (composer->entries.failed)
        return CAIRN_NO_MEMORY;
    *out_index = cairn_log_size(&composer->log) + composer->entry_count++;
    return CAIRN_OK;
}
