#include "evidence.h"

static struct cairn_key evidence_key(const struct cairn_ref *ref)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_EVIDENCE);

    cairn_key_ref(&key, ref);
    return key;
}

enum cairn_status cairn_evidence_decode(struct cairn_context *ctx, struct cairn_bytes value,
                                        struct cairn_evidence *out_evidence)
{
    struct cairn_reader reader;
    struct cairn_evidence evidence;

    value = cairn_arena_copy(&ctx->arena, value);
    if (value.data == NULL)
        return CAIRN_NO_MEMORY;
    cairn_reader_init(&reader, value);
    evidence.depth = cairn_read_u8(&reader);
    evidence.link_bytes = cairn_read_bytes(&reader, cairn_reader_left(&reader));
    if (reader.failed || cairn_link_read(evidence.link_bytes, &evidence.link) != CAIRN_OK ||
        cairn_entry_read(evidence.link.entry, &evidence.entry) != CAIRN_OK)
        return CAIRN_CORRUPT;
    *out_evidence = evidence;
    return CAIRN_OK;
}

enum cairn_status cairn_evidence_get(struct cairn_context *ctx, const struct cairn_ref *ref,
                                     struct cairn_evidence *out_evidence)
{
    struct cairn_key key = evidence_key(ref);
    struct cairn_bytes value;

    CAIRN_TRY(cairn_kv_get(ctx, &key, &value));
    return cairn_evidence_decode(ctx, value, out_evidence);
}

enum cairn_status cairn_evidence_put(struct cairn_context *ctx, const struct cairn_ref *ref,
                                     unsigned depth, const struct cairn_link *link)
{
    struct cairn_key key = evidence_key(ref);
    size_t capacity = 1 + 256 + link->entry.size + 32 * CAIRN_PATH_MAX;
    uint8_t *bytes = cairn_arena_get(&ctx->arena, capacity);
    struct cairn_writer writer;

    if (bytes == NULL)
        return CAIRN_NO_MEMORY;
    cairn_writer_init(&writer, bytes, capacity);
    cairn_write_u8(&writer, (uint8_t)depth);
    cairn_link_write(&writer, link);
    CAIRN_ASSERT(!writer.overflowed);
    return cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer));
}
