#include "bundle_edits.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "cairn/entry.h"
#include "cairn/message.h"

enum { PAYLOAD_PLAIN = 0, PAYLOAD_ZSTD = 1 };

struct file {
    uint8_t *bytes;
    size_t size;
};

static bool file_add(void *context, struct cairn_bytes bytes)
{
    struct file *file = context;
    uint8_t *grown = realloc(file->bytes, file->size + bytes.size + 1);

    if (grown == NULL)
        return false;
    file->bytes = grown;
    if (bytes.size > 0)
        memcpy(file->bytes + file->size, bytes.data, bytes.size);
    file->size += bytes.size;
    return true;
}

/* What is added up, and how far. */
struct sum {
    size_t count_max;
    struct bundle_edits edits;
};

static void entry_add(struct cairn_bytes bytes, struct sum *sum)
{
    struct bundle_edits *edits = &sum->edits;
    struct cairn_entry entry;
    struct cairn_items items;
    struct cairn_item item;
    struct cairn_operation operation;

    if (cairn_entry_read(bytes, &entry) != CAIRN_OK || entry.kind != CAIRN_KIND_CHANGE)
        return;
    cairn_items_init(&items, &entry);
    while (cairn_item_next(&items, &item)) {
        if (edits->count == sum->count_max || item.number != CAIRN_ITEM_SET ||
            !cairn_operation_read(&item, &operation))
            continue;
        edits->count++;
        edits->leaf_bytes += bytes.size;
        edits->value_bytes += operation.value.cbor.size;
    }
}

static enum cairn_status part_add(struct cairn_bytes plain, struct sum *sum)
{
    struct cairn_bundle_part part;
    struct cairn_group group;
    struct cairn_run run;

    enum cairn_status status = cairn_bundle_part_read(plain, &part);
    if (status != CAIRN_OK)
        return status;
    while (cairn_group_next(&part.groups, &group)) {
        while (cairn_run_next(&group.runs, &run)) {
            struct cairn_reader entries;
            struct cairn_bytes entry;
            cairn_reader_init(&entries, run.entries);
            while (cairn_run_entry_next(&entries, &entry))
                entry_add(entry, sum);
        }
    }
    return CAIRN_OK;
}

/* A payload of SPEC.md section 9. */
static enum cairn_status payload_add(struct cairn_bytes payload, uint8_t *room, struct sum *sum)
{
    struct cairn_bytes content = {payload.data + 1, payload.size - 1};

    if (payload.data[0] == PAYLOAD_PLAIN)
        return part_add(content, sum);
    size_t size = ZSTD_decompress(room, CAIRN_MESSAGE_UNPACKED_MAX, content.data, content.size);
    if (payload.data[0] != PAYLOAD_ZSTD || ZSTD_isError(size))
        return CAIRN_MALFORMED;
    return part_add((struct cairn_bytes){room, size}, sum);
}

static enum cairn_status parts_add(struct cairn_bytes file, uint8_t *room, struct sum *sum)
{
    struct cairn_bundle_header header;
    struct cairn_reader reader;

    enum cairn_status status = cairn_bundle_header_read(file, &header);
    if (status != CAIRN_OK)
        return status;
    cairn_reader_init(&reader, (struct cairn_bytes){file.data + header.header_bytes,
                                                    file.size - header.header_bytes});
    while (status == CAIRN_OK && cairn_reader_left(&reader) > 0) {
        struct cairn_bytes payload = cairn_cbor_read_bytes(&reader);
        if (payload.size > 0) /* the last part is empty */
            status = payload_add(payload, room, sum);
    }
    return status == CAIRN_OK ? cairn_reader_end(&reader) : status;
}

enum cairn_status bundle_edits_read(struct cairn_replica *replica, size_t count,
                                    struct bundle_edits *out_edits, struct cairn_err *err)
{
    struct sum sum = {.count_max = count};
    struct cairn_bundle_report report;
    struct file file = {NULL, 0};

    enum cairn_status status = cairn_bundle_write(replica, true, file_add, &file, &report, err);
    uint8_t *room = malloc(CAIRN_MESSAGE_UNPACKED_MAX);
    if (status == CAIRN_OK && room == NULL)
        status = cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    if (status == CAIRN_OK) {
        status = parts_add((struct cairn_bytes){file.bytes, file.size}, room, &sum);
        if (status != CAIRN_OK)
            status = cairn_fail(err, status, "the station's own bundle cannot be read");
    }
    free(room);
    free(file.bytes);
    if (status == CAIRN_OK && sum.edits.count < count)
        status = cairn_fail(err, CAIRN_CORRUPT, "of %zu edits the station's bundle holds %zu",
                            count, sum.edits.count);
    if (status == CAIRN_OK)
        *out_edits = sum.edits;
    return status;
}
