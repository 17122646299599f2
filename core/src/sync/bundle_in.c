#include "bundle_in.h"

#include <stdlib.h>

#include "cairn/cbor.h"
#include "pack.h"

void cairn_parts_init(struct cairn_parts *parts, struct cairn_bytes file,
                      const struct cairn_bundle_header *header, const uint8_t *content_key)
{
    *parts = (struct cairn_parts){.is_sealed = header->kind == CAIRN_BUNDLE_SEALED,
                                  .content_key = content_key};
    cairn_reader_init(&parts->reader, file);
    parts->reader.pos = header->header_bytes;
    crypto_hash_sha256(parts->header_hash.bytes, file.data, header->header_bytes);
    cairn_arena_init(&parts->memory);
}

void cairn_parts_release(struct cairn_parts *parts)
{
    cairn_arena_release(&parts->memory);
    sodium_memzero(&parts->stream, sizeof parts->stream);
    free(parts->plain);
    parts->plain = NULL;
}

/* One block of the stream: its plain bytes into parts->plain. */
static enum cairn_status block_open(struct cairn_parts *parts, struct cairn_bytes block,
                                    struct cairn_bytes *out_plain)
{
    unsigned long long size;
    unsigned char tag;

    if (block.size < crypto_secretstream_xchacha20poly1305_ABYTES ||
        block.size > CAIRN_PART_FILE_MAX)
        return CAIRN_MALFORMED;
    if (block.size > parts->capacity) {
        uint8_t *grown = realloc(parts->plain, block.size);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        parts->plain = grown;
        parts->capacity = block.size;
    }
    if (crypto_secretstream_xchacha20poly1305_pull(&parts->stream, parts->plain, &size, &tag,
                                                   block.data, block.size, parts->header_hash.bytes,
                                                   sizeof parts->header_hash.bytes) != 0)
        return CAIRN_MALFORMED;
    parts->is_done = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    *out_plain = (struct cairn_bytes){parts->plain, (size_t)size};
    return CAIRN_OK;
}

static enum cairn_status stream_begin(struct cairn_parts *parts)
{
    struct cairn_bytes header = cairn_cbor_read_bytes(&parts->reader);

    parts->has_stream = true;
    if (header.size != crypto_secretstream_xchacha20poly1305_HEADERBYTES ||
        crypto_secretstream_xchacha20poly1305_init_pull(&parts->stream, header.data,
                                                        parts->content_key) != 0)
        return CAIRN_MALFORMED;
    return CAIRN_OK;
}

enum cairn_status cairn_parts_next(struct cairn_parts *parts, struct cairn_packer *packer,
                                   struct cairn_bundle_part *out_part)
{
    struct cairn_bytes plain, unpacked;
    enum cairn_status status = CAIRN_OK;

    if (parts->is_done)
        return CAIRN_NOT_FOUND;
    if (parts->is_sealed && !parts->has_stream)
        status = stream_begin(parts);
    if (status != CAIRN_OK)
        return status;
    size_t at = parts->reader.pos;
    plain = cairn_cbor_read_bytes(&parts->reader);
    if (parts->reader.failed)
        return CAIRN_MALFORMED;
    if (parts->is_sealed)
        status = block_open(parts, plain, &plain);
    else
        parts->is_done = plain.size == 0;
    if (status == CAIRN_OK && parts->is_done)
        return cairn_reader_left(&parts->reader) == 0 && plain.size == 0 ? CAIRN_NOT_FOUND
                                                                         : CAIRN_MALFORMED;
    cairn_arena_reset(&parts->memory);
    if (status == CAIRN_OK)
        status = cairn_payload_unpack(packer, &parts->memory, plain, &unpacked);
    if (status == CAIRN_OK)
        status = cairn_bundle_part_read(unpacked, out_part);
    if (status == CAIRN_MALFORMED)
        parts->reader.pos = at;
    return status;
}
