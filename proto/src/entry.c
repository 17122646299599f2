#include "cairn/entry.h"

/* What closing one slot may add. */
#define SLOT_GROWTH_BYTES ((CAIRN_ENTRY_CLOSED_MAX - CAIRN_ENTRY_MAX) / CAIRN_SLOTS_MAX)

/* Move over an open slot's content; false when it is no value that could stand there. Its type and
 * purpose are not looked at: whoever sees only the commitment must come to the same verdict. */
static bool open_slot_pass(struct cairn_reader *reader)
{
    switch (cairn_cbor_peek(reader)) {
    case CAIRN_CBOR_UINT:
    case CAIRN_CBOR_NEGATIVE:
        cairn_cbor_read_int(reader);
        return !reader->failed;
    case CAIRN_CBOR_TEXT:
        return cairn_cbor_read_text(reader).size <= CAIRN_TEXT_MAX && !reader->failed;
    case CAIRN_CBOR_BYTES:
    case CAIRN_CBOR_ARRAY:
    case CAIRN_CBOR_NONE:
        break;
    }
    return false;
}

/*
 * Walk every token below the entry. The walk is flat (an array's items simply come next), so it
 * needs neither recursion nor a stack; depth was checked by cairn_cbor_skip before.
 */
static enum cairn_status entry_count_slots(struct cairn_entry *entry)
{
    struct cairn_reader reader;
    size_t count = 0, closed_count = 0;

    cairn_reader_init(&reader, entry->bytes);
    cairn_cbor_read_array(&reader);
    while (cairn_reader_left(&reader) > 0) {
        if (cairn_cbor_peek(&reader) != CAIRN_CBOR_ARRAY) {
            cairn_cbor_skip(&reader);
            continue;
        }
        if (cairn_cbor_read_array(&reader) != 1)
            continue;
        count++;
        if (cairn_cbor_peek(&reader) == CAIRN_CBOR_BYTES) {
            cairn_cbor_read_hash(&reader);
            closed_count++;
        } else if (!open_slot_pass(&reader)) {
            return CAIRN_MALFORMED;
        }
    }
    if (reader.failed || count > CAIRN_SLOTS_MAX)
        return CAIRN_MALFORMED;
    entry->slot_count = count;
    entry->closed_count = closed_count;
    return CAIRN_OK;
}

/* Bytes that are one item of the subset. */
static enum cairn_status entry_of_item(struct cairn_bytes bytes, struct cairn_entry *out_entry)
{
    struct cairn_entry entry = {.bytes = bytes};
    struct cairn_reader reader;

    cairn_reader_init(&reader, bytes);
    size_t count = cairn_cbor_read_array(&reader);
    if (count < 2 || bytes.size > CAIRN_ENTRY_CLOSED_MAX)
        return CAIRN_MALFORMED;
    entry.kind = cairn_cbor_read_uint(&reader);
    entry.time_s = cairn_cbor_read_uint(&reader);
    if (reader.failed)
        return CAIRN_MALFORMED;
    entry.body_count = count - 2;
    entry.body = reader;

    enum cairn_status status = entry_count_slots(&entry);
    if (status != CAIRN_OK)
        return status;
    /* The limit is that of the open entry; closing may have added to it. */
    if (bytes.size > CAIRN_ENTRY_MAX + entry.closed_count * SLOT_GROWTH_BYTES)
        return CAIRN_MALFORMED;
    *out_entry = entry;
    return CAIRN_OK;
}

enum cairn_status cairn_entry_read(struct cairn_bytes bytes, struct cairn_entry *out_entry)
{
    enum cairn_status status = cairn_cbor_check(bytes, NULL);

    return status == CAIRN_OK ? entry_of_item(bytes, out_entry) : status;
}

enum cairn_status cairn_entry_next(struct cairn_reader *entries, struct cairn_entry *out_entry)
{
    struct cairn_bytes bytes = cairn_cbor_skip(entries);

    return entries->failed ? CAIRN_MALFORMED : entry_of_item(bytes, out_entry);
}

void cairn_entry_begin(struct cairn_writer *writer, uint64_t kind, uint64_t time_s,
                       size_t body_count)
{
    cairn_cbor_write_array(writer, body_count + 2);
    cairn_cbor_write_uint(writer, kind);
    cairn_cbor_write_uint(writer, time_s);
}

void cairn_under_write(struct cairn_writer *writer, const struct cairn_under *under)
{
    if (under->is_root)
        cairn_cbor_write_hash(writer, &under->network);
    else
        cairn_ref_write(writer, &under->grant);
}

struct cairn_under cairn_under_read(struct cairn_reader *reader)
{
    struct cairn_under under = {.is_root = cairn_cbor_peek(reader) == CAIRN_CBOR_BYTES};

    if (under.is_root)
        under.network = cairn_cbor_read_hash(reader);
    else
        under.grant = cairn_ref_read(reader);
    return under;
}

bool cairn_under_equal(const struct cairn_under *a, const struct cairn_under *b)
{
    if (a->is_root != b->is_root)
        return false;
    return a->is_root ? cairn_hash_equal(&a->network, &b->network)
                      : cairn_ref_equal(&a->grant, &b->grant);
}

bool cairn_basis_read(const struct cairn_entry *entry, struct cairn_basis *out_basis)
{
    struct cairn_reader reader = entry->body;
    struct cairn_basis basis = {0};

    if (entry->kind != CAIRN_KIND_BASIS || entry->body_count != 4)
        return false;
    basis.under = cairn_under_read(&reader);
    basis.schema_version = cairn_cbor_read_uint(&reader);
    basis.has_predecessor = cairn_cbor_peek(&reader) == CAIRN_CBOR_ARRAY;
    if (basis.has_predecessor)
        basis.predecessor = cairn_head_read(&reader);
    else
        cairn_cbor_read_uint_max(&reader, 0);
    basis.secret_hash = cairn_cbor_read_hash(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return false;
    *out_basis = basis;
    return true;
}

void cairn_basis_write(struct cairn_writer *writer, uint64_t time_s,
                       const struct cairn_basis *basis)
{
    cairn_entry_begin(writer, CAIRN_KIND_BASIS, time_s, 4);
    cairn_under_write(writer, &basis->under);
    cairn_cbor_write_uint(writer, basis->schema_version);
    if (basis->has_predecessor)
        cairn_head_write(writer, &basis->predecessor);
    else
        cairn_cbor_write_uint(writer, 0);
    cairn_cbor_write_hash(writer, &basis->secret_hash);
}
