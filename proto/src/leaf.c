#include "cairn/leaf.h"

#include <sodium.h>
#include <string.h>

/* One-byte prefixes keep every hash of a log in a domain of its own (SPEC.md section 4). */
enum leaf_domain {
    DOMAIN_LEAF = 0x00,
    DOMAIN_COMMITMENT = 0x02,
    DOMAIN_GGM_CHILD = 0x10,
    DOMAIN_BLINDING = 0x11,
    DOMAIN_SALT = 0x12,
    DOMAIN_BLIND_SEED = 0x13,
    DOMAIN_GGM_ROOT = 0x14,
    DOMAIN_SECRET = 0x15
};

/* H(domain || a || b); everything here is one or two SHA-256 blocks. */
static struct cairn_hash hash_parts(enum leaf_domain domain, struct cairn_bytes a,
                                    struct cairn_bytes b)
{
    crypto_hash_sha256_state state;
    uint8_t prefix = (uint8_t)domain;
    struct cairn_hash out;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, &prefix, 1);
    crypto_hash_sha256_update(&state, a.data, a.size);
    if (b.size > 0)
        crypto_hash_sha256_update(&state, b.data, b.size);
    crypto_hash_sha256_final(&state, out.bytes);
    return out;
}

static struct cairn_hash hash_u32(enum leaf_domain domain, const struct cairn_hash *key,
                                  uint32_t number)
{
    uint8_t buf[1 + 32 + 4];
    struct cairn_hash out;

    buf[0] = (uint8_t)domain;
    memcpy(buf + 1, key->bytes, 32);
    buf[33] = (uint8_t)(number >> 24);
    buf[34] = (uint8_t)(number >> 16);
    buf[35] = (uint8_t)(number >> 8);
    buf[36] = (uint8_t)number;
    crypto_hash_sha256(out.bytes, buf, sizeof buf);
    sodium_memzero(buf, sizeof buf);
    return out;
}

static struct cairn_hash hash_secret(enum leaf_domain domain, const struct cairn_secret *secret)
{
    return hash_parts(domain, (struct cairn_bytes){secret->bytes, sizeof secret->bytes},
                      (struct cairn_bytes){NULL, 0});
}

struct cairn_hash cairn_secret_hash(const struct cairn_secret *secret)
{
    return hash_secret(DOMAIN_SECRET, secret);
}

struct cairn_hash cairn_blind_seed(const struct cairn_secret *secret)
{
    return hash_secret(DOMAIN_BLIND_SEED, secret);
}

static struct cairn_hash ggm_child(const struct cairn_hash *node, uint32_t bit)
{
    uint8_t buf[1 + 32 + 1];
    struct cairn_hash out;

    buf[0] = DOMAIN_GGM_CHILD;
    memcpy(buf + 1, node->bytes, 32);
    buf[33] = (uint8_t)bit;
    crypto_hash_sha256(out.bytes, buf, sizeof buf);
    sodium_memzero(buf, sizeof buf);
    return out;
}

/* Nodes ggm[depth + 1 ..] on the way to `index`; those above are right already. */
static void ggm_descend(struct cairn_blinder *blinder, uint32_t index, unsigned depth)
{
    for (unsigned d = depth; d < 32; d++)
        blinder->ggm[d + 1] = ggm_child(&blinder->ggm[d], index >> (31 - d) & 1);
    blinder->path_index = index;
}

void cairn_blinder_init(struct cairn_blinder *blinder, const struct cairn_secret *secret)
{
    blinder->blind_seed = cairn_blind_seed(secret);
    blinder->has_salts = true;
    blinder->ggm[0] = hash_secret(DOMAIN_GGM_ROOT, secret);
    ggm_descend(blinder, 0, 0);
}

void cairn_blinder_init_closed(struct cairn_blinder *blinder, const struct cairn_hash *blind_seed)
{
    memset(blinder, 0, sizeof *blinder);
    blinder->blind_seed = *blind_seed;
}

void cairn_blinder_release(struct cairn_blinder *blinder)
{
    sodium_memzero(blinder, sizeof *blinder);
}

struct cairn_hash cairn_blinding(const struct cairn_blinder *blinder, uint32_t index)
{
    return hash_u32(DOMAIN_BLINDING, &blinder->blind_seed, index);
}

struct cairn_hash cairn_salt(struct cairn_blinder *blinder, uint32_t index, uint32_t slot)
{
    CAIRN_ASSERT(blinder->has_salts);
    uint32_t differing = index ^ blinder->path_index;
    if (differing != 0)
        ggm_descend(blinder, index, (unsigned)__builtin_clz(differing));
    return hash_u32(DOMAIN_SALT, &blinder->ggm[32], slot);
}

struct cairn_hash cairn_commitment(const struct cairn_hash *salt, struct cairn_bytes value_cbor)
{
    return hash_parts(DOMAIN_COMMITMENT, (struct cairn_bytes){salt->bytes, 32}, value_cbor);
}

struct cairn_hash cairn_leaf_closed(const struct cairn_hash *blinding,
                                    struct cairn_bytes closed_entry)
{
    return hash_parts(DOMAIN_LEAF, (struct cairn_bytes){blinding->bytes, 32}, closed_entry);
}

/* The slot's content at `reader`: its commitment, given or made. */
static enum cairn_status slot_commitment(struct cairn_blinder *blinder, uint32_t index,
                                         uint32_t slot, struct cairn_reader *reader,
                                         struct cairn_hash *out_commitment)
{
    if (cairn_cbor_peek(reader) == CAIRN_CBOR_BYTES) {
        *out_commitment = cairn_cbor_read_hash(reader);
        return CAIRN_OK;
    }
    if (!blinder->has_salts)
        return CAIRN_MALFORMED;
    struct cairn_hash salt = cairn_salt(blinder, index, slot);
    *out_commitment = cairn_commitment(&salt, cairn_cbor_skip(reader));
    sodium_memzero(&salt, sizeof salt);
    return CAIRN_OK;
}

enum cairn_status cairn_entry_close(struct cairn_blinder *blinder, uint32_t index,
                                    const struct cairn_entry *entry,
                                    struct cairn_writer *out_closed,
                                    struct cairn_hash *out_commitments)
{
    struct cairn_reader reader;
    size_t copied = 0; /* the entry's bytes up to here are written */
    size_t size_before = out_closed->size;
    uint32_t slot = 0;

    cairn_reader_init(&reader, entry->bytes);
    cairn_cbor_read_array(&reader);
    while (slot < entry->slot_count) {
        if (cairn_cbor_peek(&reader) != CAIRN_CBOR_ARRAY) {
            cairn_cbor_skip(&reader);
            continue;
        }
        if (cairn_cbor_read_array(&reader) != 1)
            continue;
        struct cairn_hash commitment;
        cairn_write_bytes(out_closed, reader.data + copied, reader.pos - copied);
        enum cairn_status status = slot_commitment(blinder, index, slot, &reader, &commitment);
        if (status != CAIRN_OK) {
            out_closed->size = size_before;
            return status;
        }
        cairn_cbor_write_hash(out_closed, &commitment);
        if (out_commitments != NULL)
            out_commitments[slot] = commitment;
        copied = reader.pos;
        slot++;
    }
    cairn_write_bytes(out_closed, entry->bytes.data + copied, entry->bytes.size - copied);
    return CAIRN_OK;
}

enum cairn_status cairn_leaf(struct cairn_blinder *blinder, uint32_t index,
                             const struct cairn_entry *entry, struct cairn_hash *out_leaf,
                             struct cairn_hash *out_commitments)
{
    uint8_t closed[CAIRN_ENTRY_CLOSED_MAX];
    struct cairn_writer writer;
    struct cairn_bytes bytes = entry->bytes;

    if (entry->slot_count > 0) {
        cairn_writer_init(&writer, closed, sizeof closed);
        enum cairn_status status =
            cairn_entry_close(blinder, index, entry, &writer, out_commitments);
        if (status != CAIRN_OK)
            return status;
        CAIRN_ASSERT(!writer.overflowed);
        bytes = cairn_writer_bytes(&writer);
    }
    struct cairn_hash blinding = cairn_blinding(blinder, index);
    *out_leaf = cairn_leaf_closed(&blinding, bytes);
    return CAIRN_OK;
}
