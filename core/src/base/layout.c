#include "layout.h"

#include <string.h>

static void key_add(struct cairn_key *key, const void *data, size_t size)
{
    CAIRN_ASSERT(size <= sizeof key->bytes - key->size);
    memcpy(key->bytes + key->size, data, size);
    key->size += size;
}

struct cairn_key cairn_key(enum cairn_table table)
{
    struct cairn_key key = {.size = 0};

    cairn_key_u8(&key, (uint8_t)table);
    return key;
}

void cairn_key_u8(struct cairn_key *key, uint8_t value)
{
    key_add(key, &value, 1);
}

void cairn_key_u32(struct cairn_key *key, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};

    key_add(key, bytes, sizeof bytes);
}

void cairn_key_scope(struct cairn_key *key, struct cairn_scope scope)
{
    cairn_key_u32(key, (uint32_t)(scope.code >> 32));
    cairn_key_u32(key, (uint32_t)scope.code);
}

void cairn_key_hash(struct cairn_key *key, const struct cairn_hash *hash)
{
    key_add(key, hash->bytes, sizeof hash->bytes);
}

void cairn_key_text(struct cairn_key *key, const char *text)
{
    key_add(key, text, strlen(text));
}

void cairn_key_ref(struct cairn_key *key, const struct cairn_ref *ref)
{
    cairn_key_hash(key, &ref->log);
    cairn_key_u32(key, ref->index);
    cairn_key_hash(key, &ref->leaf);
}

struct cairn_bytes cairn_key_bytes(const struct cairn_key *key)
{
    return (struct cairn_bytes){key->bytes, key->size};
}

struct cairn_key cairn_key_meta(const char *name)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_META);

    cairn_key_text(&key, name);
    return key;
}

struct cairn_key cairn_key_scope_channel(enum cairn_table table, struct cairn_scope scope,
                                         enum cairn_channel channel)
{
    struct cairn_key key = cairn_key(table);

    cairn_key_scope(&key, scope);
    cairn_key_u8(&key, (uint8_t)channel);
    return key;
}

struct cairn_key cairn_key_log_index(enum cairn_table table, uint32_t log, uint32_t index)
{
    struct cairn_key key = cairn_key(table);

    cairn_key_u32(&key, log);
    cairn_key_u32(&key, index);
    return key;
}
