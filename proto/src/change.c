/* The items of a change (SPEC.md section 5); declared in cairn/entry.h. */

#include <string.h>

#include "cairn/entry.h"

void cairn_items_init(struct cairn_items *items, const struct cairn_entry *entry)
{
    items->reader = entry->body;
    items->left = entry->body_count;
}

bool cairn_item_next(struct cairn_items *items, struct cairn_item *out_item)
{
    if (items->left == 0)
        return false;
    struct cairn_reader next = items->reader;
    struct cairn_item item = {.bytes = cairn_cbor_skip(&next)};
    cairn_reader_init(&item.args, item.bytes);
    size_t count = cairn_cbor_read_array(&item.args);
    item.number = cairn_cbor_read_uint(&item.args);
    /* An array of one element is a slot (section 4), so closing would take its number away. */
    if (item.args.failed || count < 2)
        return false;
    item.arg_count = count - 1;
    items->reader = next;
    items->left--;
    *out_item = item;
    return true;
}

static struct cairn_local_dot local_dot_read(struct cairn_reader *reader)
{
    struct cairn_local_dot dot;

    dot.log_number = (uint32_t)cairn_cbor_read_uint_max(reader, UINT32_MAX);
    dot.index = (uint32_t)cairn_cbor_read_uint_max(reader, UINT32_MAX);
    return dot;
}

static bool value_read_bare(struct cairn_reader *reader, struct cairn_value *value)
{
    size_t start = reader->pos;

    switch (cairn_cbor_peek(reader)) {
    case CAIRN_CBOR_UINT:
    case CAIRN_CBOR_NEGATIVE:
        value->kind = CAIRN_VALUE_INTEGER;
        value->integer = cairn_cbor_read_int(reader);
        break;
    case CAIRN_CBOR_TEXT:
        value->kind = CAIRN_VALUE_TEXT;
        value->text = cairn_cbor_read_text(reader);
        if (value->text.size > CAIRN_TEXT_MAX)
            return false;
        break;
    case CAIRN_CBOR_BYTES:
        if (!value->is_slot)
            return false;
        value->kind = CAIRN_VALUE_CLOSED;
        value->commitment = cairn_cbor_read_hash(reader);
        break;
    case CAIRN_CBOR_ARRAY:
    case CAIRN_CBOR_NONE:
        return false;
    }
    value->cbor = (struct cairn_bytes){reader->data + start, reader->pos - start};
    return !reader->failed;
}

/* An array of two is a record, one of three a position; an array of one is a slot. */
static bool array_value_read(struct cairn_reader *reader, size_t count, struct cairn_value *value)
{
    if (count == 2) {
        value->kind = CAIRN_VALUE_DOT;
        value->dot = local_dot_read(reader);
    } else if (count == 3) {
        value->kind = CAIRN_VALUE_POSITION;
        value->position.state = cairn_cbor_read_uint(reader);
        value->position.move = cairn_cbor_read_uint(reader);
        value->position.stage = cairn_cbor_read_uint(reader);
    } else {
        return false;
    }
    return !reader->failed;
}

bool cairn_value_read(struct cairn_reader *reader, struct cairn_value *out_value)
{
    size_t start = reader->pos;
    bool is_array = cairn_cbor_peek(reader) == CAIRN_CBOR_ARRAY;
    size_t count = is_array ? cairn_cbor_read_array(reader) : 0;
    struct cairn_value value = {.is_slot = is_array && count == 1};
    bool is_good = is_array && count != 1 ? array_value_read(reader, count, &value)
                                          : value_read_bare(reader, &value);

    if (!is_good)
        return false;
    if (is_array && count != 1)
        value.cbor = (struct cairn_bytes){reader->data + start, reader->pos - start};
    *out_value = value;
    return true;
}

void cairn_value_write(struct cairn_writer *writer, const struct cairn_value *value)
{
    if (value->is_slot)
        cairn_cbor_write_array(writer, 1);
    switch (value->kind) {
    case CAIRN_VALUE_INTEGER:
        cairn_cbor_write_int(writer, value->integer);
        break;
    case CAIRN_VALUE_TEXT:
        cairn_cbor_write_text(writer, (const char *)value->text.data, value->text.size);
        break;
    case CAIRN_VALUE_CLOSED:
        cairn_cbor_write_hash(writer, &value->commitment);
        break;
    case CAIRN_VALUE_DOT:
        cairn_cbor_write_array(writer, 2);
        cairn_local_dot_write(writer, value->dot);
        break;
    case CAIRN_VALUE_POSITION:
        cairn_cbor_write_array(writer, 3);
        cairn_cbor_write_uint(writer, value->position.state);
        cairn_cbor_write_uint(writer, value->position.move);
        cairn_cbor_write_uint(writer, value->position.stage);
        break;
    }
}

bool cairn_announce_read(const struct cairn_item *item, struct cairn_announce *out_announce)
{
    struct cairn_reader reader = item->args;
    struct cairn_announce announce = {.is_first = cairn_cbor_peek(&reader) == CAIRN_CBOR_BYTES};

    if (item->number != CAIRN_ITEM_ANNOUNCE || item->arg_count != 3)
        return false;
    if (announce.is_first)
        announce.log = cairn_cbor_read_hash(&reader);
    else
        announce.log_number = (uint32_t)cairn_cbor_read_uint_max(&reader, UINT32_MAX);
    announce.size = (uint32_t)cairn_cbor_read_uint_max(&reader, UINT32_MAX);
    struct cairn_bytes start = cairn_cbor_read_bytes_of(&reader, sizeof announce.root_start);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return false;
    memcpy(announce.root_start, start.data, sizeof announce.root_start);
    *out_announce = announce;
    return true;
}

void cairn_announce_write(struct cairn_writer *writer, const struct cairn_announce *announce)
{
    cairn_cbor_write_array(writer, 4);
    cairn_cbor_write_uint(writer, CAIRN_ITEM_ANNOUNCE);
    if (announce->is_first)
        cairn_cbor_write_hash(writer, &announce->log);
    else
        cairn_cbor_write_uint(writer, announce->log_number);
    cairn_cbor_write_uint(writer, announce->size);
    cairn_cbor_write_bytes(writer, announce->root_start, sizeof announce->root_start);
}

void cairn_local_dot_write(struct cairn_writer *writer, struct cairn_local_dot dot)
{
    cairn_cbor_write_uint(writer, dot.log_number);
    cairn_cbor_write_uint(writer, dot.index);
}

static bool seen_read(struct cairn_reader *reader, struct cairn_operation *op)
{
    struct cairn_bytes seen = cairn_cbor_read_bytes_of(reader, sizeof op->seen);

    if (reader->failed)
        return false;
    memcpy(op->seen, seen.data, sizeof op->seen);
    return true;
}

/* The arguments before the pairs; how many there are, 0 where they do not fit. */
static size_t operation_head_read(struct cairn_reader *reader, struct cairn_operation *op)
{
    switch (op->number) {
    case CAIRN_ITEM_CREATE:
        op->type = cairn_cbor_read_uint(reader);
        op->counter = (uint32_t)cairn_cbor_read_uint_max(reader, UINT32_MAX);
        return 2;
    case CAIRN_ITEM_DELETE:
        op->record = local_dot_read(reader);
        return 2;
    case CAIRN_ITEM_REMOVE:
        op->record = local_dot_read(reader);
        op->field = cairn_cbor_read_uint(reader);
        return 3;
    case CAIRN_ITEM_SET:
    case CAIRN_ITEM_SETTLE:
    case CAIRN_ITEM_ADD:
    case CAIRN_ITEM_COUNT:
    case CAIRN_ITEM_STEP:
        op->record = local_dot_read(reader);
        op->field = cairn_cbor_read_uint(reader);
        if (!cairn_value_read(reader, &op->value))
            return 0;
        if (op->number != CAIRN_ITEM_STEP)
            return 4;
        return seen_read(reader, op) ? 5 : 0;
    default:
        return 0;
    }
}

bool cairn_operation_read(const struct cairn_item *item, struct cairn_operation *out_operation)
{
    struct cairn_reader reader = item->args;
    struct cairn_operation op = {.number = item->number};
    size_t taken = operation_head_read(&reader, &op);

    if (taken == 0 || reader.failed || item->arg_count < taken ||
        (item->arg_count - taken) % 2 != 0)
        return false;
    op.rest.reader = reader;
    op.rest.left = (item->arg_count - taken) / 2;
    *out_operation = op;
    return true;
}

bool cairn_field_next(struct cairn_items *rest, uint64_t *out_field, struct cairn_value *out_value)
{
    if (rest->left == 0)
        return false;
    struct cairn_reader reader = rest->reader;
    uint64_t field = cairn_cbor_read_uint(&reader);
    if (reader.failed || !cairn_value_read(&reader, out_value))
        return false;
    *out_field = field;
    rest->reader = reader;
    rest->left--;
    return true;
}

bool cairn_named_next(struct cairn_items *rest, struct cairn_local_dot *out_dot)
{
    if (rest->left == 0)
        return false;
    struct cairn_reader reader = rest->reader;
    struct cairn_local_dot dot = local_dot_read(&reader);
    if (reader.failed)
        return false;
    *out_dot = dot;
    rest->reader = reader;
    rest->left--;
    return true;
}

void cairn_create_begin(struct cairn_writer *writer, uint64_t type, uint32_t counter,
                        size_t pair_count)
{
    cairn_cbor_write_array(writer, 3 + 2 * pair_count);
    cairn_cbor_write_uint(writer, CAIRN_ITEM_CREATE);
    cairn_cbor_write_uint(writer, type);
    cairn_cbor_write_uint(writer, counter);
}

void cairn_write_begin(struct cairn_writer *writer, const struct cairn_operation *operation,
                       size_t pair_count)
{
    bool has_field = operation->number != CAIRN_ITEM_DELETE;
    bool has_value = has_field && operation->number != CAIRN_ITEM_REMOVE;
    bool has_seen = operation->number == CAIRN_ITEM_STEP;

    cairn_cbor_write_array(writer, (size_t)3 + has_field + has_value + has_seen + 2 * pair_count);
    cairn_cbor_write_uint(writer, operation->number);
    cairn_local_dot_write(writer, operation->record);
    if (has_field)
        cairn_cbor_write_uint(writer, operation->field);
    if (has_value)
        cairn_value_write(writer, &operation->value);
    if (has_seen)
        cairn_cbor_write_bytes(writer, operation->seen, sizeof operation->seen);
}

bool cairn_note_item_read(const struct cairn_item *item, struct cairn_value *out_value)
{
    struct cairn_reader reader = item->args;
    struct cairn_value value;

    if (item->number != CAIRN_ITEM_REASON && item->number != CAIRN_ITEM_PERSON)
        return false;
    if (item->arg_count != 1 || !cairn_value_read(&reader, &value))
        return false;
    /* In a slot any value will do: those who see only its commitment cannot judge more. */
    if (!value.is_slot && (value.kind != CAIRN_VALUE_TEXT || value.text.size > CAIRN_REASON_MAX))
        return false;
    *out_value = value;
    return true;
}

void cairn_note_item_write(struct cairn_writer *writer, uint64_t number, struct cairn_bytes text)
{
    cairn_cbor_write_array(writer, 2);
    cairn_cbor_write_uint(writer, number);
    cairn_cbor_write_text(writer, (const char *)text.data, text.size);
}

bool cairn_repeats_read(const struct cairn_item *item, struct cairn_ref *out_entry)
{
    struct cairn_reader reader = item->args;
    struct cairn_ref ref;

    if (item->number != CAIRN_ITEM_REPEATS || item->arg_count != 3)
        return false;
    ref.log = cairn_cbor_read_hash(&reader);
    ref.index = (uint32_t)cairn_cbor_read_uint_max(&reader, UINT32_MAX);
    ref.leaf = cairn_cbor_read_hash(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return false;
    *out_entry = ref;
    return true;
}

void cairn_repeats_write(struct cairn_writer *writer, const struct cairn_ref *entry)
{
    cairn_cbor_write_array(writer, 4);
    cairn_cbor_write_uint(writer, CAIRN_ITEM_REPEATS);
    cairn_cbor_write_hash(writer, &entry->log);
    cairn_cbor_write_uint(writer, entry->index);
    cairn_cbor_write_hash(writer, &entry->leaf);
}
