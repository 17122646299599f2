#include "import_place.h"

#include <stdio.h>
#include <string.h>

#define FORMAT 1
#define NAME_HASH_BYTES 16

struct import_place import_place_of(const struct csv_file *file, uint64_t saved)
{
    struct import_place place = {.is_done = file->offset == file->size_bytes,
                                 .size_bytes = file->size_bytes,
                                 .offset = file->offset,
                                 .saved = saved};

    csv_file_digest(file, place.digest);
    return place;
}

void import_memo_init(struct import_memo *memo, const char *type, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    uint8_t hash[NAME_HASH_BYTES];
    char hex[2 * NAME_HASH_BYTES + 1];
    crypto_generichash_state state;

    /* Names may be longer than a key. */
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const uint8_t *)type, strlen(type) + 1);
    crypto_generichash_update(&state, (const uint8_t *)name, strlen(name));
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    snprintf(memo->name, sizeof memo->name, "import/%s", hex);
    memo->memo = (struct cairn_memo){memo->name, {memo->bytes, 0}};
}

void import_memo_set(struct import_memo *memo, const struct import_place *place)
{
    struct cairn_writer writer;

    cairn_writer_init(&writer, memo->bytes, sizeof memo->bytes);
    cairn_write_u8(&writer, FORMAT);
    cairn_write_u8(&writer, place->is_done);
    cairn_write_u64be(&writer, place->size_bytes);
    cairn_write_u64be(&writer, place->offset);
    cairn_write_u64be(&writer, place->saved);
    cairn_write_bytes(&writer, place->digest, sizeof place->digest);
    CAIRN_ASSERT(!writer.overflowed);
    memo->memo.value = cairn_writer_bytes(&writer);
}

static bool place_read(struct cairn_bytes bytes, struct import_place *out_place)
{
    struct cairn_reader reader;
    struct import_place place;

    cairn_reader_init(&reader, bytes);
    if (cairn_read_u8(&reader) != FORMAT)
        return false;
    place.is_done = cairn_read_u8(&reader) != 0;
    place.size_bytes = cairn_read_u64be(&reader);
    place.offset = cairn_read_u64be(&reader);
    place.saved = cairn_read_u64be(&reader);
    struct cairn_bytes digest = cairn_read_bytes(&reader, sizeof place.digest);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return false;
    memcpy(place.digest, digest.data, sizeof place.digest);
    *out_place = place;
    return true;
}

enum cairn_status import_place_get(struct cairn_replica *replica, const struct import_memo *memo,
                                   struct import_place *out_place, struct cairn_err *err)
{
    uint8_t bytes[IMPORT_PLACE_BYTES];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    enum cairn_status status = cairn_memo_get(replica, memo->name, &writer, err);
    if (status != CAIRN_OK)
        return status;
    /* One of a newer version is as good as none: it cannot be gone on from. */
    return place_read(cairn_writer_bytes(&writer), out_place) ? CAIRN_OK : CAIRN_NOT_FOUND;
}

enum cairn_status import_place_seek(const struct import_place *place, struct csv_file *file,
                                    struct cairn_err *err)
{
    uint8_t digest[CSV_DIGEST_BYTES];

    if (place->size_bytes != file->size_bytes)
        return CAIRN_NOT_FOUND;
    enum cairn_status status = csv_file_skip_to(file, place->offset, err);
    if (status != CAIRN_OK)
        return status;
    csv_file_digest(file, digest);
    return memcmp(digest, place->digest, sizeof digest) == 0 ? CAIRN_OK : CAIRN_NOT_FOUND;
}
