#include "cairn/keys.h"

#include <sodium.h>
#include <string.h>

#include "cairn/cbor.h"

static const char file_label[] = "cairn-key-1";

enum { SEALING_NONE = 0, SEALING_ARGON2ID = 1 };

/*
 * What cairn_keys_write() asks of Argon2id. A file below the floor is refused because whoever could
 * change it would make guessing cheap; one above the ceiling, because it would take the machine
 * down.
 */
#define MEMORY_KIB 32768u
#define MEMORY_KIB_MIN 19456u
#define MEMORY_KIB_MAX 262144u
#define PASSES 3u
#define PASSES_MIN 2u
#define PASSES_MAX 16u

#define SALT_BYTES crypto_pwhash_argon2id_SALTBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEK_BYTES crypto_aead_xchacha20poly1305_ietf_KEYBYTES

/* The array's head, the name with a head of at most 2 bytes, four keys with heads of 2. */
#define PLAIN_MAX (1 + 2 + CAIRN_NAME_MAX + 4 * (2 + 32))
/* The array's head, two numbers of at most 5 bytes, salt and nonce with heads of at most 2. */
#define PARAMETERS_MAX (1 + 2 * 5 + 1 + 16 + 2 + 24)

struct sealing_parameters {
    uint64_t memory_kib;
    uint64_t passes;
    uint8_t salt[SALT_BYTES];
    uint8_t nonce[NONCE_BYTES];
    struct cairn_bytes bytes; /* as they stand in the file: the associated data */
};

struct key_file {
    uint64_t sealing;
    struct cairn_bytes parameters;
    struct cairn_bytes body;
};

/* ---- keys ---- */

/* What is kept of a device: everything else follows from these. */
struct key_seeds {
    struct cairn_sign_seed seal;
    struct cairn_noise_key noise;
    struct cairn_noise_key bundle;
    struct cairn_sign_seed checkpoint;
};
_Static_assert(sizeof(struct key_seeds) == CAIRN_KEYS_ENTROPY_BYTES,
               "the entropy is the four secrets, one after the other");

static void keys_from_seeds(struct cairn_keys *keys, struct cairn_bytes name,
                            const struct key_seeds *seeds)
{
    CAIRN_ASSERT(name.size <= CAIRN_NAME_MAX);
    memset(keys, 0, sizeof(*keys));
    if (name.size > 0)
        memcpy(keys->name, name.data, name.size);
    cairn_sign_keypair_from_seed(&seeds->seal, &keys->open.seal, &keys->seal);
    cairn_sign_keypair_from_seed(&seeds->checkpoint, &keys->open.checkpoint, &keys->checkpoint);
    keys->noise = seeds->noise;
    keys->bundle = seeds->bundle;
    keys->open.noise = cairn_noise_public(&keys->noise);
    keys->open.bundle = cairn_noise_public(&keys->bundle);
}

void cairn_keys_make(struct cairn_keys *keys, const char *name,
                     const uint8_t entropy[static CAIRN_KEYS_ENTROPY_BYTES])
{
    struct key_seeds seeds;

    memcpy(&seeds, entropy, sizeof(seeds));
    keys_from_seeds(keys, cairn_bytes_of_text(name), &seeds);
    sodium_memzero(&seeds, sizeof(seeds));
}

void cairn_keys_release(struct cairn_keys *keys)
{
    sodium_memzero(keys, sizeof(*keys));
}

/* plain keys = [name, seal seed, Noise secret, bundle secret, checkpoint seed] */
static void plain_write(struct cairn_writer *writer, const struct cairn_keys *keys)
{
    cairn_cbor_write_array(writer, 5);
    cairn_cbor_write_text(writer, keys->name, strlen(keys->name));
    /* libsodium keeps the seed in front of the public key (see cairn/sign.h). */
    cairn_cbor_write_bytes(writer, keys->seal.bytes, sizeof(struct cairn_sign_seed));
    cairn_cbor_write_bytes(writer, keys->noise.bytes, sizeof(keys->noise.bytes));
    cairn_cbor_write_bytes(writer, keys->bundle.bytes, sizeof(keys->bundle.bytes));
    cairn_cbor_write_bytes(writer, keys->checkpoint.bytes, sizeof(struct cairn_sign_seed));
}

/* A byte string of exactly `size` bytes into `out`, which a failed read leaves alone. */
static void read_into(struct cairn_reader *reader, void *out, size_t size)
{
    struct cairn_bytes bytes = cairn_cbor_read_bytes_of(reader, size);

    if (!reader->failed)
        memcpy(out, bytes.data, size);
}

static enum cairn_status plain_read(struct cairn_bytes plain, struct cairn_keys *out_keys)
{
    struct cairn_reader reader;
    struct key_seeds seeds;

    cairn_reader_init(&reader, plain);
    cairn_cbor_expect_array(&reader, 5);
    struct cairn_bytes name = cairn_cbor_read_text(&reader);
    read_into(&reader, seeds.seal.bytes, sizeof(seeds.seal.bytes));
    read_into(&reader, seeds.noise.bytes, sizeof(seeds.noise.bytes));
    read_into(&reader, seeds.bundle.bytes, sizeof(seeds.bundle.bytes));
    read_into(&reader, seeds.checkpoint.bytes, sizeof(seeds.checkpoint.bytes));
    enum cairn_status status = cairn_reader_end(&reader);
    /* A name with a NUL would come back shorter than it was. */
    if (status == CAIRN_OK && (name.size > CAIRN_NAME_MAX ||
                               (name.size > 0 && memchr(name.data, '\0', name.size) != NULL)))
        status = CAIRN_MALFORMED;
    if (status == CAIRN_OK)
        keys_from_seeds(out_keys, name, &seeds);
    sodium_memzero(&seeds, sizeof(seeds));
    return status;
}

/* ---- sealing ---- */

static void parameters_write(struct cairn_writer *writer, struct sealing_parameters *parameters)
{
    cairn_cbor_write_array(writer, 4);
    cairn_cbor_write_uint(writer, parameters->memory_kib);
    cairn_cbor_write_uint(writer, parameters->passes);
    cairn_cbor_write_bytes(writer, parameters->salt, SALT_BYTES);
    cairn_cbor_write_bytes(writer, parameters->nonce, NONCE_BYTES);
    CAIRN_ASSERT(!writer->overflowed);
    parameters->bytes = cairn_writer_bytes(writer);
}

static enum cairn_status parameters_read(struct cairn_bytes bytes,
                                         struct sealing_parameters *out_parameters)
{
    struct cairn_reader reader;
    struct sealing_parameters parameters = {.bytes = bytes};

    cairn_reader_init(&reader, bytes);
    cairn_cbor_expect_array(&reader, 4);
    parameters.memory_kib = cairn_cbor_read_uint_max(&reader, MEMORY_KIB_MAX);
    parameters.passes = cairn_cbor_read_uint_max(&reader, PASSES_MAX);
    read_into(&reader, parameters.salt, SALT_BYTES);
    read_into(&reader, parameters.nonce, NONCE_BYTES);
    enum cairn_status status = cairn_reader_end(&reader);
    if (status != CAIRN_OK)
        return status;
    if (parameters.memory_kib < MEMORY_KIB_MIN || parameters.passes < PASSES_MIN)
        return CAIRN_MALFORMED;
    *out_parameters = parameters;
    return CAIRN_OK;
}

/* The key that seals: Argon2id (RFC 9106) version 1.3, one lane, which is all libsodium has. */
static enum cairn_status kek_make(const struct sealing_parameters *parameters,
                                  struct cairn_bytes passphrase, uint8_t out_kek[static KEK_BYTES])
{
    int rc = crypto_pwhash_argon2id(out_kek, KEK_BYTES, (const char *)passphrase.data,
                                    passphrase.size, parameters->salt, parameters->passes,
                                    (size_t)parameters->memory_kib * 1024,
                                    crypto_pwhash_argon2id_ALG_ARGON2ID13);
    return rc == 0 ? CAIRN_OK : CAIRN_NO_MEMORY;
}

/* ---- the file ---- */

static void file_write(struct cairn_writer *writer, const struct key_file *file)
{
    cairn_cbor_write_array(writer, 4);
    cairn_cbor_write_text(writer, file_label, sizeof(file_label) - 1);
    cairn_cbor_write_uint(writer, file->sealing);
    cairn_cbor_write_bytes(writer, file->parameters.data, file->parameters.size);
    cairn_cbor_write_bytes(writer, file->body.data, file->body.size);
}

static enum cairn_status file_read(struct cairn_bytes bytes, struct key_file *out_file)
{
    struct cairn_reader reader;
    struct key_file file;

    cairn_reader_init(&reader, bytes);
    cairn_cbor_expect_array(&reader, 4);
    cairn_cbor_expect_text(&reader, file_label);
    file.sealing = cairn_cbor_read_uint_max(&reader, SEALING_ARGON2ID);
    file.parameters = cairn_cbor_read_bytes(&reader);
    file.body = cairn_cbor_read_bytes(&reader);
    enum cairn_status status = cairn_reader_end(&reader);
    if (status != CAIRN_OK)
        return status;
    if (file.sealing == SEALING_NONE && file.parameters.size != 0)
        return CAIRN_MALFORMED;
    *out_file = file;
    return CAIRN_OK;
}

static enum cairn_status sealed_write(struct cairn_bytes plain, struct cairn_bytes passphrase,
                                      const uint8_t entropy[static SALT_BYTES + NONCE_BYTES],
                                      struct cairn_writer *out)
{
    struct sealing_parameters parameters = {.memory_kib = MEMORY_KIB, .passes = PASSES};
    uint8_t parameters_buffer[PARAMETERS_MAX], sealed[PLAIN_MAX + TAG_BYTES], kek[KEK_BYTES];
    unsigned long long sealed_bytes;
    struct cairn_writer writer;

    memcpy(parameters.salt, entropy, SALT_BYTES);
    memcpy(parameters.nonce, entropy + SALT_BYTES, NONCE_BYTES);
    cairn_writer_init(&writer, parameters_buffer, sizeof(parameters_buffer));
    parameters_write(&writer, &parameters);

    enum cairn_status status = kek_make(&parameters, passphrase, kek);
    if (status == CAIRN_OK) {
        crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, &sealed_bytes, plain.data, plain.size,
                                                   parameters.bytes.data, parameters.bytes.size,
                                                   NULL, parameters.nonce, kek);
        file_write(out, &(struct key_file){.sealing = SEALING_ARGON2ID,
                                           .parameters = parameters.bytes,
                                           .body = {sealed, (size_t)sealed_bytes}});
    }
    sodium_memzero(kek, sizeof(kek));
    return status;
}

enum cairn_status cairn_keys_write(const struct cairn_keys *keys, struct cairn_bytes passphrase,
                                   const uint8_t entropy[static 40], struct cairn_writer *out)
{
    uint8_t plain[PLAIN_MAX];
    struct cairn_writer writer;
    enum cairn_status status = CAIRN_OK;

    cairn_writer_init(&writer, plain, sizeof(plain));
    plain_write(&writer, keys);
    CAIRN_ASSERT(!writer.overflowed);
    if (passphrase.size == 0)
        file_write(out, &(struct key_file){.sealing = SEALING_NONE,
                                           .parameters = {NULL, 0},
                                           .body = cairn_writer_bytes(&writer)});
    else
        status = sealed_write(cairn_writer_bytes(&writer), passphrase, entropy, out);
    sodium_memzero(plain, sizeof(plain));
    return status;
}

static enum cairn_status sealed_read(const struct key_file *file, struct cairn_bytes passphrase,
                                     struct cairn_keys *out_keys)
{
    struct sealing_parameters parameters;
    uint8_t plain[PLAIN_MAX], kek[KEK_BYTES];
    unsigned long long plain_bytes;

    enum cairn_status status = parameters_read(file->parameters, &parameters);
    if (status != CAIRN_OK)
        return status;
    if (file->body.size < TAG_BYTES || file->body.size - TAG_BYTES > sizeof(plain))
        return CAIRN_MALFORMED;
    if (passphrase.size == 0)
        return CAIRN_NO_KEY;
    status = kek_make(&parameters, passphrase, kek);
    if (status == CAIRN_OK &&
        crypto_aead_xchacha20poly1305_ietf_decrypt(
            plain, &plain_bytes, NULL, file->body.data, file->body.size, parameters.bytes.data,
            parameters.bytes.size, parameters.nonce, kek) != 0)
        status = CAIRN_NO_KEY;
    if (status == CAIRN_OK)
        status = plain_read((struct cairn_bytes){plain, (size_t)plain_bytes}, out_keys);
    sodium_memzero(kek, sizeof(kek));
    sodium_memzero(plain, sizeof(plain));
    return status;
}

enum cairn_status cairn_keys_read(struct cairn_bytes file, struct cairn_bytes passphrase,
                                  struct cairn_keys *out_keys)
{
    struct key_file parts;

    enum cairn_status status = file_read(file, &parts);
    if (status != CAIRN_OK)
        return status;
    if (parts.sealing == SEALING_NONE)
        return plain_read(parts.body, out_keys);
    return sealed_read(&parts, passphrase, out_keys);
}

enum cairn_status cairn_keys_sealing(struct cairn_bytes file, unsigned *out_sealing)
{
    struct key_file parts;

    enum cairn_status status = file_read(file, &parts);
    if (status == CAIRN_OK)
        *out_sealing = (unsigned)parts.sealing;
    return status;
}
