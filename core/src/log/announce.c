#include "announce.h"

#include <string.h>

struct announced_value {
    struct cairn_announced announced;
    uint8_t root_start[8];
};

static struct cairn_key announced_key(uint32_t no, uint32_t number, uint32_t index)
{
    struct cairn_key key = cairn_key_log_index(CAIRN_TABLE_ANNOUNCED, no, number);

    cairn_key_u32(&key, index);
    return key;
}

static enum cairn_status announced_decode(struct cairn_bytes bytes,
                                          struct announced_value *out_value)
{
    struct announced_value value = {{0}, {0}};
    struct cairn_reader reader;

    cairn_reader_init(&reader, bytes);
    value.announced.log = cairn_read_u32be(&reader);
    value.announced.size = cairn_read_u32be(&reader);
    value.announced.root_differs = cairn_read_u8(&reader) != 0;
    struct cairn_bytes start = cairn_read_bytes(&reader, sizeof value.root_start);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return CAIRN_CORRUPT;
    memcpy(value.root_start, start.data, sizeof value.root_start);
    *out_value = value;
    return CAIRN_OK;
}

static enum cairn_status announced_put(struct cairn_context *ctx, const struct cairn_key *key,
                                       const struct announced_value *value)
{
    uint8_t bytes[17];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_u32be(&writer, value->announced.log);
    cairn_write_u32be(&writer, value->announced.size);
    cairn_write_u8(&writer, value->announced.root_differs);
    cairn_write_bytes(&writer, value->root_start, sizeof value->root_start);
    return cairn_kv_put(ctx, key, cairn_writer_bytes(&writer));
}

/* The newest announcement of `number` at or before `index`. */
static enum cairn_status announced_find(struct cairn_context *ctx, uint32_t no, uint32_t number,
                                        uint32_t index, struct announced_value *out_value)
{
    struct cairn_key prefix = cairn_key_log_index(CAIRN_TABLE_ANNOUNCED, no, number);
    struct cairn_key from = {.size = 0};
    struct cairn_walk walk;

    cairn_key_u32(&from, index);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(&from), CAIRN_DESCENDING, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    if (status == CAIRN_OK)
        status = announced_decode(walk.value, out_value);
    cairn_walk_close(&walk);
    return status;
}

enum cairn_status cairn_announced_at(struct cairn_context *ctx, uint32_t no, uint32_t number,
                                     uint32_t index, struct cairn_announced *out_announced)
{
    struct announced_value value;

    CAIRN_TRY(announced_find(ctx, no, number, index, &value));
    *out_announced = value.announced;
    return CAIRN_OK;
}

enum cairn_status cairn_announced_number(struct cairn_context *ctx, const struct cairn_log *log,
                                         uint32_t other, uint32_t *out_number, uint32_t *out_size)
{
    for (uint32_t number = 1; number <= log->announced_count; number++) {
        struct announced_value value;
        CAIRN_TRY(announced_find(ctx, log->no, number, UINT32_MAX, &value));
        if (value.announced.log == other) {
            *out_number = number;
            *out_size = value.announced.size;
            return CAIRN_OK;
        }
    }
    return CAIRN_NOT_FOUND;
}

static struct cairn_key pending_key(const struct cairn_announced *announced, uint32_t no,
                                    uint32_t number, uint32_t index)
{
    struct cairn_key key =
        cairn_key_log_index(CAIRN_TABLE_ANNOUNCED_BY, announced->log, announced->size);

    cairn_key_u32(&key, no);
    cairn_key_u32(&key, number);
    cairn_key_u32(&key, index);
    return key;
}

/* Compare with our branch, or list it to be compared when the log has grown so far. */
static enum cairn_status announced_compare(struct cairn_context *ctx,
                                           const struct cairn_log *target, uint32_t no,
                                           uint32_t number, uint32_t index,
                                           struct announced_value *value)
{
    struct cairn_hash root;

    if (!target->is_known || cairn_log_size(target) < value->announced.size) {
        struct cairn_key pending = pending_key(&value->announced, no, number, index);
        return cairn_kv_put(ctx, &pending, (struct cairn_bytes){NULL, 0});
    }
    CAIRN_TRY(cairn_log_root_at(ctx, target, value->announced.size, &root));
    value->announced.root_differs =
        memcmp(root.bytes, value->root_start, sizeof value->root_start) != 0;
    return CAIRN_OK;
}

static enum cairn_status announcement_apply(struct cairn_context *ctx, struct cairn_log *log,
                                            uint32_t index, const struct cairn_announce *announce,
                                            bool *out_is_good)
{
    struct announced_value value = {{0}, {0}};
    struct cairn_log target;
    uint32_t number = announce->log_number;

    if (announce->is_first) {
        CAIRN_TRY(cairn_log_mention(ctx, &announce->log, &target));
        number = ++log->announced_count;
    } else {
        if (number == 0 || number > log->announced_count) {
            *out_is_good = false;
            return CAIRN_OK;
        }
        CAIRN_TRY(announced_find(ctx, log->no, number, UINT32_MAX, &value));
        if (announce->size < value.announced.size) {
            *out_is_good = false;
            return CAIRN_OK;
        }
        if (announce->size == value.announced.size &&
            memcmp(announce->root_start, value.root_start, sizeof value.root_start) == 0)
            return CAIRN_OK; /* the one in effect says so already */
        CAIRN_TRY(cairn_log_load(ctx, value.announced.log, &target));
    }
    value.announced = (struct cairn_announced){.log = target.no, .size = announce->size};
    memcpy(value.root_start, announce->root_start, sizeof value.root_start);
    CAIRN_TRY(announced_compare(ctx, &target, log->no, number, index, &value));
    struct cairn_key key = announced_key(log->no, number, index);
    return announced_put(ctx, &key, &value);
}

enum cairn_status cairn_announcements_apply(struct cairn_context *ctx, struct cairn_log *log,
                                            uint32_t index, const struct cairn_entry *entry,
                                            bool *out_is_good)
{
    struct cairn_items items;
    struct cairn_item item;
    struct cairn_announce announce;
    bool is_good = true;

    if (entry->kind == CAIRN_KIND_CHANGE) {
        cairn_items_init(&items, entry);
        while (cairn_item_next(&items, &item) && item.number == CAIRN_ITEM_ANNOUNCE)
            if (cairn_announce_read(&item, &announce))
                CAIRN_TRY(announcement_apply(ctx, log, index, &announce, &is_good));
    }
    *out_is_good = is_good;
    return CAIRN_OK;
}

/* One pending comparison, taken off the list. NOT_FOUND when there is none up to the log's size. */
static enum cairn_status pending_take(struct cairn_context *ctx, const struct cairn_log *target,
                                      uint32_t *out_no, uint32_t *out_number, uint32_t *out_index)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_ANNOUNCED_BY);
    struct cairn_walk walk;

    cairn_key_u32(&prefix, target->no);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    uint32_t size = 0;
    if (status == CAIRN_OK) {
        size = cairn_read_u32be(&walk.key);
        *out_no = cairn_read_u32be(&walk.key);
        *out_number = cairn_read_u32be(&walk.key);
        *out_index = cairn_read_u32be(&walk.key);
        if (walk.key.failed)
            status = CAIRN_CORRUPT;
        else if (size > cairn_log_size(target))
            status = CAIRN_NOT_FOUND;
    }
    cairn_walk_close(&walk);
    CAIRN_TRY(status);
    struct cairn_announced at = {.log = target->no, .size = size};
    struct cairn_key key = pending_key(&at, *out_no, *out_number, *out_index);
    return cairn_kv_del(ctx, &key);
}

/* Where the announcement of `number` in entry `index` gives way to the next one. */
static enum cairn_status announced_end(struct cairn_context *ctx, uint32_t no, uint32_t number,
                                       uint32_t index, uint32_t *out_end)
{
    struct cairn_key prefix = cairn_key_log_index(CAIRN_TABLE_ANNOUNCED, no, number);
    struct cairn_key from = {.size = 0};
    struct cairn_walk walk;

    cairn_key_u32(&from, index);
    cairn_key_u8(&from, 0); /* behind this one */
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(&from), CAIRN_ASCENDING, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    uint32_t end = status == CAIRN_OK ? cairn_read_u32be(&walk.key) : UINT32_MAX;
    cairn_walk_close(&walk);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    *out_end = end;
    return CAIRN_OK;
}

/* One span a log, from the first entry to the last that any of its announcements concerns. */
static enum cairn_status span_add(struct cairn_context *ctx, struct cairn_buffer *spans,
                                  uint32_t no, uint32_t number, uint32_t index)
{
    struct cairn_announced_span add = {.no = no, .from = index};

    CAIRN_TRY(announced_end(ctx, no, number, index, &add.to));
    for (size_t at = 0; at < spans->size; at += sizeof add) {
        struct cairn_announced_span span;
        memcpy(&span, spans->data + at, sizeof span);
        if (span.no != no)
            continue;
        span.from = add.from < span.from ? add.from : span.from;
        span.to = add.to > span.to ? add.to : span.to;
        memcpy(spans->data + at, &span, sizeof span);
        return CAIRN_OK;
    }
    cairn_buffer_add(spans, &add, sizeof add);
    return cairn_buffer_status(spans);
}

static enum cairn_status pending_compare(struct cairn_context *ctx, const struct cairn_log *target,
                                         struct cairn_buffer *spans)
{
    uint32_t no, number, index;
    enum cairn_status status;

    while ((status = pending_take(ctx, target, &no, &number, &index)) == CAIRN_OK) {
        struct announced_value value;
        CAIRN_TRY(announced_find(ctx, no, number, index, &value));
        CAIRN_TRY(announced_compare(ctx, target, no, number, index, &value));
        struct cairn_key key = announced_key(no, number, index);
        CAIRN_TRY(announced_put(ctx, &key, &value));
        if (value.announced.root_differs)
            CAIRN_TRY(span_add(ctx, spans, no, number, index));
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_announcements_check(struct cairn_context *ctx,
                                            const struct cairn_log *target,
                                            cairn_announce_differs_fn *differs)
{
    struct cairn_buffer spans;

    cairn_buffer_init(&spans, CAIRN_VALUE_MAX);
    enum cairn_status status = pending_compare(ctx, target, &spans);
    for (size_t at = 0; at < spans.size && status == CAIRN_OK;
         at += sizeof(struct cairn_announced_span)) {
        struct cairn_announced_span span;
        memcpy(&span, spans.data + at, sizeof span);
        status = differs(ctx, &span);
    }
    cairn_buffer_release(&spans);
    return status;
}

/* The newest announcement of `number` at or behind `from`, taken away. NOT_FOUND: there is none. */
static enum cairn_status newest_forget(struct cairn_context *ctx, const struct cairn_log *log,
                                       uint32_t number, uint32_t from)
{
    struct cairn_key prefix = cairn_key_log_index(CAIRN_TABLE_ANNOUNCED, log->no, number);
    struct announced_value value;
    struct cairn_walk walk;
    uint32_t index = 0;

    CAIRN_TRY(
        cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_DESCENDING, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    if (status == CAIRN_OK)
        index = cairn_read_u32be(&walk.key);
    if (status == CAIRN_OK)
        status = index < from ? CAIRN_NOT_FOUND : announced_decode(walk.value, &value);
    cairn_walk_close(&walk);
    CAIRN_TRY(status);
    struct cairn_key pending = pending_key(&value.announced, log->no, number, index);
    CAIRN_TRY(cairn_kv_del(ctx, &pending));
    struct cairn_key key = announced_key(log->no, number, index);
    return cairn_kv_del(ctx, &key);
}

enum cairn_status cairn_announcements_forget(struct cairn_context *ctx, struct cairn_log *log,
                                             uint32_t from)
{
    uint32_t count = log->announced_count;

    for (uint32_t number = 1; number <= count; number++) {
        struct announced_value value;
        enum cairn_status status;
        while ((status = newest_forget(ctx, log, number, from)) == CAIRN_OK) {
        }
        if (status == CAIRN_NOT_FOUND)
            status = announced_find(ctx, log->no, number, UINT32_MAX, &value);
        if (status == CAIRN_NOT_FOUND && log->announced_count == count)
            log->announced_count = number - 1; /* later numbers were given later */
        else if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            return status;
    }
    return CAIRN_OK;
}

/* An announcement of `target` above `size`: its key goes into `keys`. */
static enum cairn_status reopen_collect(struct cairn_context *ctx, uint32_t target, uint32_t size,
                                        struct cairn_buffer *keys)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_ANNOUNCED);
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct announced_value value;
        uint32_t key[3];
        for (size_t i = 0; i < 3; i++)
            key[i] = cairn_read_u32be(&walk.key);
        status = announced_decode(walk.value, &value);
        if (status != CAIRN_OK)
            break;
        if (value.announced.log == target && value.announced.size > size)
            cairn_buffer_add(keys, key, sizeof key);
    }
    cairn_walk_close(&walk);
    if (status != CAIRN_NOT_FOUND)
        return status;
    return cairn_buffer_status(keys);
}

static enum cairn_status reopen_one(struct cairn_context *ctx, const uint32_t *at,
                                    bool *out_differed)
{
    struct cairn_key key = announced_key(at[0], at[1], at[2]);
    struct announced_value value;

    CAIRN_TRY(announced_find(ctx, at[0], at[1], at[2], &value));
    struct cairn_key pending = pending_key(&value.announced, at[0], at[1], at[2]);
    *out_differed = value.announced.root_differs;
    value.announced.root_differs = false;
    CAIRN_TRY(cairn_kv_put(ctx, &pending, (struct cairn_bytes){NULL, 0}));
    return announced_put(ctx, &key, &value);
}

static enum cairn_status reopen_all(struct cairn_context *ctx, uint32_t target, uint32_t size,
                                    struct cairn_buffer *keys, struct cairn_buffer *spans)
{
    uint32_t at[3];

    CAIRN_TRY(reopen_collect(ctx, target, size, keys));
    for (size_t i = 0; i < keys->size; i += sizeof at) {
        bool differed = false;
        memcpy(at, keys->data + i, sizeof at);
        CAIRN_TRY(reopen_one(ctx, at, &differed));
        if (differed)
            CAIRN_TRY(span_add(ctx, spans, at[0], at[1], at[2]));
    }
    return CAIRN_OK;
}

enum cairn_status cairn_announcements_reopen(struct cairn_context *ctx, uint32_t target,
                                             uint32_t size, struct cairn_announced_span **out_spans,
                                             size_t *out_count)
{
    struct cairn_buffer keys, spans;

    cairn_buffer_init(&keys, CAIRN_VALUE_MAX);
    cairn_buffer_init(&spans, CAIRN_VALUE_MAX);
    enum cairn_status status = reopen_all(ctx, target, size, &keys, &spans);
    size_t count = spans.size / sizeof **out_spans;
    struct cairn_announced_span *list = cairn_arena_get(&ctx->arena, count * sizeof *list + 1);
    if (status == CAIRN_OK && list == NULL)
        status = CAIRN_NO_MEMORY;
    if (status == CAIRN_OK && count > 0)
        memcpy(list, spans.data, spans.size);
    cairn_buffer_release(&keys);
    cairn_buffer_release(&spans);
    CAIRN_TRY(status);
    *out_spans = list;
    *out_count = count;
    return CAIRN_OK;
}
