#include "pack.h"

#include <stdlib.h>
#include <zstd.h>

/* Links are slow: a few ms of work save whole seconds. Small messages gain nothing from it (a day's
 * 50 edits are as small at 12), large ones are left to go. */
#define PAYLOAD_LEVEL_SMALL 12
#define PAYLOAD_SMALL_BYTES 4096
#define PAYLOAD_LEVEL 19
#define PAYLOAD_LEVEL_LARGE 6
#define PAYLOAD_LARGE_BYTES 131072
#define PAYLOAD_LEVEL_HERE 1

enum payload_form { PAYLOAD_PLAIN = 0, PAYLOAD_ZSTD = 1 };

struct cairn_packer {
    ZSTD_CCtx *compress;
    ZSTD_DCtx *decompress;
};

struct cairn_packer *cairn_packer_new(void)
{
    struct cairn_packer *packer = calloc(1, sizeof *packer);

    if (packer == NULL)
        return NULL;
    packer->compress = ZSTD_createCCtx();
    packer->decompress = ZSTD_createDCtx();
    if (packer->compress == NULL || packer->decompress == NULL) {
        cairn_packer_free(packer);
        return NULL;
    }
    return packer;
}

void cairn_packer_free(struct cairn_packer *packer)
{
    if (packer == NULL)
        return;
    ZSTD_freeCCtx(packer->compress);
    ZSTD_freeDCtx(packer->decompress);
    free(packer);
}

enum cairn_status cairn_pack(struct cairn_packer *packer, int level, struct cairn_bytes plain,
                             struct cairn_buffer *out, bool *out_is_packed)
{
    size_t bound = ZSTD_compressBound(plain.size);
    struct cairn_writer room = cairn_buffer_room(out, bound);

    if (room.data == NULL)
        return cairn_buffer_status(out);
    size_t size =
        ZSTD_compressCCtx(packer->compress, room.data, bound, plain.data, plain.size, level);
    *out_is_packed = !ZSTD_isError(size) && size < plain.size;
    if (*out_is_packed) {
        room.size = size;
        cairn_buffer_take(out, &room);
    } else {
        cairn_buffer_add(out, plain.data, plain.size);
    }
    return cairn_buffer_status(out);
}

enum cairn_status cairn_unpack(struct cairn_packer *packer, struct cairn_bytes packed, uint8_t *out,
                               size_t plain_size)
{
    size_t size =
        ZSTD_decompressDCtx(packer->decompress, out, plain_size, packed.data, packed.size);

    return !ZSTD_isError(size) && size == plain_size ? CAIRN_OK : CAIRN_MALFORMED;
}

enum cairn_status cairn_unpacked_size(struct cairn_bytes packed, size_t *out_size)
{
    unsigned long long size = ZSTD_getFrameContentSize(packed.data, packed.size);

    /* Unknown and erroneous sizes are the two largest values. */
    if (size > CAIRN_MESSAGE_UNPACKED_MAX)
        return CAIRN_MALFORMED;
    *out_size = (size_t)size;
    return CAIRN_OK;
}

static int payload_level(enum cairn_payload_way way, size_t size)
{
    if (way == CAIRN_PAYLOAD_STAYS)
        return PAYLOAD_LEVEL_HERE;
    if (size <= PAYLOAD_SMALL_BYTES)
        return PAYLOAD_LEVEL_SMALL;
    return size <= PAYLOAD_LARGE_BYTES ? PAYLOAD_LEVEL : PAYLOAD_LEVEL_LARGE;
}

enum cairn_status cairn_payload_pack(struct cairn_packer *packer, enum cairn_payload_way way,
                                     struct cairn_bytes plain, struct cairn_buffer *out)
{
    size_t form_at = out->size;
    const uint8_t form = PAYLOAD_PLAIN;
    bool is_packed;

    cairn_buffer_add(out, &form, 1);
    enum cairn_status status =
        cairn_pack(packer, payload_level(way, plain.size), plain, out, &is_packed);
    if (status != CAIRN_OK)
        return status;
    if (is_packed)
        out->data[form_at] = PAYLOAD_ZSTD;
    return CAIRN_OK;
}

enum cairn_status cairn_payload_unpack(struct cairn_packer *packer, struct cairn_arena *arena,
                                       struct cairn_bytes payload, struct cairn_bytes *out_plain)
{
    size_t size;

    if (payload.size < 1 || payload.data[0] > PAYLOAD_ZSTD)
        return CAIRN_MALFORMED;
    struct cairn_bytes content = {payload.data + 1, payload.size - 1};
    if (payload.data[0] == PAYLOAD_PLAIN) {
        *out_plain = content;
        return CAIRN_OK;
    }
    enum cairn_status status = cairn_unpacked_size(content, &size);
    if (status != CAIRN_OK)
        return status;
    uint8_t *plain = cairn_arena_get(arena, size + 1);
    if (plain == NULL)
        return CAIRN_NO_MEMORY;
    status = cairn_unpack(packer, content, plain, size);
    if (status != CAIRN_OK)
        return status;
    *out_plain = (struct cairn_bytes){plain, size};
    return CAIRN_OK;
}
