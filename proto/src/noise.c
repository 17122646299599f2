/* The sections named are those of the Noise Protocol Framework, revision 34. */

#include "cairn/noise.h"

#include <sodium.h>
#include <string.h>

#define HASH_BYTES 32
#define TOKENS_MAX 4
#define MESSAGES_MAX 3

_Static_assert(CAIRN_NOISE_KEY_BYTES == crypto_scalarmult_curve25519_BYTES, "X25519 keys");
_Static_assert(CAIRN_NOISE_KEY_BYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "cipher keys");
_Static_assert(CAIRN_NOISE_TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES, "tags");
_Static_assert(HASH_BYTES == crypto_hash_sha256_BYTES, "SHA256");

/* ---- the patterns, sections 7.4 and 7.5 ---- */

enum token { END, E, S, EE, ES, SE, SS };

struct pattern {
    const char *protocol_name;
    bool knows_responder; /* pre-message "<- s": the initiator knows the static key beforehand */
    unsigned message_count;
    enum token messages[MESSAGES_MAX][TOKENS_MAX + 1]; /* the initiator writes the even ones */
};

static const struct pattern patterns[CAIRN_NOISE_PATTERN_COUNT] = {
    [CAIRN_NOISE_N] = {"Noise_N_25519_ChaChaPoly_SHA256", true, 1, {{E, ES}}},
    [CAIRN_NOISE_X] = {"Noise_X_25519_ChaChaPoly_SHA256", true, 1, {{E, ES, S, SS}}},
    [CAIRN_NOISE_NK] = {"Noise_NK_25519_ChaChaPoly_SHA256", true, 2, {{E, ES}, {E, EE}}},
    [CAIRN_NOISE_XK] = {"Noise_XK_25519_ChaChaPoly_SHA256", true, 3, {{E, ES}, {E, EE}, {S, SE}}},
    [CAIRN_NOISE_XX] = {"Noise_XX_25519_ChaChaPoly_SHA256",
                        false,
                        3,
                        {{E}, {E, EE, S, ES}, {S, SE}}},
    [CAIRN_NOISE_IK] = {"Noise_IK_25519_ChaChaPoly_SHA256", true, 2, {{E, ES, S, SS}, {E, EE, SE}}},
};

static const struct pattern *pattern_of(const struct cairn_noise *noise)
{
    return &patterns[noise->pattern];
}

/* Does the side that writes the messages of this parity (0: the initiator) send `wanted`? */
static bool pattern_sends(const struct pattern *pattern, unsigned parity, enum token wanted)
{
    for (unsigned m = parity; m < pattern->message_count; m += 2)
        for (size_t t = 0; pattern->messages[m][t] != END; t++)
            if (pattern->messages[m][t] == wanted)
                return true;
    return false;
}

/* ---- HMAC and HKDF, section 4.3 ---- */

struct hmac_input {
    struct cairn_bytes first, second;
};

static void hmac(const uint8_t key[static HASH_BYTES], struct hmac_input input,
                 uint8_t out[static HASH_BYTES])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key, HASH_BYTES);
    crypto_auth_hmacsha256_update(&state, input.first.data, input.first.size);
    crypto_auth_hmacsha256_update(&state, input.second.data, input.second.size);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof(state));
}

/* HKDF with two outputs, each of which may lie where `chaining_key` does. */
static void hkdf(const struct cairn_hash *chaining_key, struct cairn_bytes material,
                 uint8_t out_first[static HASH_BYTES], uint8_t out_second[static HASH_BYTES])
{
    static const uint8_t one = 1, two = 2;
    uint8_t temp[HASH_BYTES], first[HASH_BYTES], second[HASH_BYTES];

    hmac(chaining_key->bytes, (struct hmac_input){.first = material}, temp);
    hmac(temp, (struct hmac_input){.first = {&one, 1}}, first);
    hmac(temp, (struct hmac_input){{first, sizeof(first)}, {&two, 1}}, second);
    memcpy(out_first, first, sizeof(first));
    memcpy(out_second, second, sizeof(second));
    sodium_memzero(temp, sizeof(temp));
    sodium_memzero(first, sizeof(first));
    sodium_memzero(second, sizeof(second));
}

/* ---- CipherState, section 5.1 ---- */

/* Section 12.3: 32 zero bits, then the counter in little-endian order. */
static void cipher_nonce(const struct cairn_noise_cipher *cipher,
                         uint8_t out[static crypto_aead_chacha20poly1305_ietf_NPUBBYTES])
{
    memset(out, 0, 4);
    for (unsigned i = 0; i < 8; i++)
        out[4 + i] = (uint8_t)(cipher->nonce >> (8 * i));
}

static bool has_room(const struct cairn_writer *out, size_t size)
{
    return !out->overflowed && out->capacity - out->size >= size;
}

/* Take back what was appended after `start`; it may be a secret that must not be used. */
static void take_back(struct cairn_writer *out, size_t start)
{
    if (out->size > start)
        sodium_memzero(out->data + start, out->size - start);
    out->size = start;
}

/* Appends the ciphertext and its tag. The caller has seen to the room. */
static void cipher_encrypt(struct cairn_noise_cipher *cipher, struct cairn_bytes ad,
                           struct cairn_bytes plain, struct cairn_writer *out)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    uint8_t tag[CAIRN_NOISE_TAG_BYTES];
    size_t start = out->size;
    uint8_t *text = NULL;

    /* The last counter value is reserved; no one lives to send so many messages. */
    CAIRN_ASSERT(cipher->nonce != UINT64_MAX);
    cairn_write_bytes(out, plain.data, plain.size);
    text = out->data + start;
    cipher_nonce(cipher, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(text, tag, NULL, text, plain.size, ad.data,
                                                       ad.size, NULL, nonce, cipher->key.bytes);
    cairn_write_bytes(out, tag, sizeof(tag));
    cipher->nonce++;
}

/* Appends the plaintext. On false nothing is appended and the counter stays. */
static bool cipher_decrypt(struct cairn_noise_cipher *cipher, struct cairn_bytes ad,
                           struct cairn_bytes sealed, struct cairn_writer *out)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    size_t start = out->size;
    size_t plain_bytes = 0;
    uint8_t *text = NULL;

    if (sealed.size < CAIRN_NOISE_TAG_BYTES || cipher->nonce == UINT64_MAX)
        return false;

    plain_bytes = sealed.size - CAIRN_NOISE_TAG_BYTES;
    cairn_write_bytes(out, sealed.data, plain_bytes);
    text = out->data + start;
    cipher_nonce(cipher, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(
            text, NULL, text, plain_bytes, sealed.data + plain_bytes, ad.data, ad.size, nonce,
            cipher->key.bytes) != 0) {
        take_back(out, start);
        return false;
    }
    cipher->nonce++;
    return true;
}

/* ---- SymmetricState, section 5.2 ---- */

static void mix_hash(struct cairn_noise *noise, struct cairn_bytes data)
{
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, noise->handshake_hash.bytes, HASH_BYTES);
    crypto_hash_sha256_update(&state, data.data, data.size);
    crypto_hash_sha256_final(&state, noise->handshake_hash.bytes);
}

static void mix_hash_key(struct cairn_noise *noise, const struct cairn_noise_key *key)
{
    mix_hash(noise, (struct cairn_bytes){key->bytes, sizeof(key->bytes)});
}

static void mix_key(struct cairn_noise *noise, const struct cairn_noise_key *material)
{
    hkdf(&noise->chaining_key, (struct cairn_bytes){material->bytes, sizeof(material->bytes)},
         noise->chaining_key.bytes, noise->cipher.key.bytes);
    noise->cipher.nonce = 0;
    noise->has_key = true;
}

/* h = HASH(name), but a name no longer than a hash stands for itself, padded with zeros. */
static void symmetric_init(struct cairn_noise *noise, const char *protocol_name)
{
    size_t name_bytes = strlen(protocol_name);

    if (name_bytes <= HASH_BYTES)
        memcpy(noise->handshake_hash.bytes, protocol_name, name_bytes);
    else
        crypto_hash_sha256(noise->handshake_hash.bytes, (const uint8_t *)protocol_name, name_bytes);
    noise->chaining_key = noise->handshake_hash;
}

static struct cairn_bytes hash_bytes(const struct cairn_hash *hash)
{
    return (struct cairn_bytes){hash->bytes, sizeof(hash->bytes)};
}

static void encrypt_and_hash(struct cairn_noise *noise, struct cairn_bytes plain,
                             struct cairn_writer *out)
{
    size_t start = out->size;

    if (noise->has_key)
        cipher_encrypt(&noise->cipher, hash_bytes(&noise->handshake_hash), plain, out);
    else
        cairn_write_bytes(out, plain.data, plain.size);
    mix_hash(noise, (struct cairn_bytes){out->data + start, out->size - start});
}

static bool decrypt_and_hash(struct cairn_noise *noise, struct cairn_bytes sealed,
                             struct cairn_writer *out)
{
    if (!noise->has_key)
        cairn_write_bytes(out, sealed.data, sealed.size);
    else if (!cipher_decrypt(&noise->cipher, hash_bytes(&noise->handshake_hash), sealed, out))
        return false;
    mix_hash(noise, sealed);
    return true;
}

/* ---- HandshakeState, section 5.3 ---- */

/* False when the remote key is a low-order point, so that the shared secret is no secret. */
static bool mix_shared(struct cairn_noise *noise, const struct cairn_noise_key *secret,
                       const struct cairn_noise_key *remote)
{
    struct cairn_noise_key shared;
    bool is_sound = crypto_scalarmult_curve25519(shared.bytes, secret->bytes, remote->bytes) == 0;

    if (is_sound)
        mix_key(noise, &shared);
    sodium_memzero(&shared, sizeof(shared));
    return is_sound;
}

/* The first letter of a token names the initiator's key, the second the responder's. */
static bool mix_shared_token(struct cairn_noise *noise, enum token token)
{
    bool is_initiator_static = token == SE || token == SS;
    bool is_responder_static = token == ES || token == SS;
    bool is_own_static = noise->is_initiator ? is_initiator_static : is_responder_static;
    bool is_remote_static = noise->is_initiator ? is_responder_static : is_initiator_static;

    CAIRN_ASSERT(is_remote_static ? noise->has_remote_static : noise->has_remote_ephemeral);
    return mix_shared(noise, is_own_static ? &noise->static_secret : &noise->ephemeral_secret,
                      is_remote_static ? &noise->remote_static : &noise->remote_ephemeral);
}

/* End the handshake for good: nothing is kept but the status, which every later call repeats. */
static enum cairn_status end_failed(struct cairn_noise *noise, enum cairn_status status)
{
    sodium_memzero(noise, sizeof(*noise));
    noise->failure = status;
    return status;
}

/* One message further. After the last, only what names the session and splits it is needed. */
static void advance(struct cairn_noise *noise)
{
    noise->message_index++;
    if (noise->message_index < pattern_of(noise)->message_count)
        return;
    sodium_memzero(&noise->static_secret, sizeof(noise->static_secret));
    sodium_memzero(&noise->ephemeral_secret, sizeof(noise->ephemeral_secret));
    sodium_memzero(&noise->cipher, sizeof(noise->cipher));
}

struct cairn_noise_key cairn_noise_public(const struct cairn_noise_key *secret)
{
    struct cairn_noise_key public;
    int result = crypto_scalarmult_curve25519_base(public.bytes, secret->bytes);

    CAIRN_ASSERT(result == 0);
    return public;
}

enum cairn_status cairn_noise_key_check(const struct cairn_noise_key *key)
{
    /* Clamping makes 2^254 of it: a multiple of the cofactor 8, which takes every point of low
     * order to zero, on the curve and on its twist; and of neither prime order, so that no other
     * goes. */
    static const uint8_t scalar[CAIRN_NOISE_KEY_BYTES] = {0};
    uint8_t shared[CAIRN_NOISE_KEY_BYTES];

    return crypto_scalarmult_curve25519(shared, scalar, key->bytes) == 0 ? CAIRN_OK : CAIRN_REFUSED;
}

static void check_config(const struct cairn_noise_config *config)
{
    CAIRN_ASSERT(config->pattern < CAIRN_NOISE_PATTERN_COUNT);

    const struct pattern *pattern = &patterns[config->pattern];
    unsigned parity = config->is_initiator ? 0 : 1;
    bool knows_remote = config->is_initiator && pattern->knows_responder;
    bool is_known = !config->is_initiator && pattern->knows_responder;

    CAIRN_ASSERT(!knows_remote || config->remote_static != NULL);
    CAIRN_ASSERT(!(is_known || pattern_sends(pattern, parity, S)) || config->static_secret != NULL);
    CAIRN_ASSERT(!pattern_sends(pattern, parity, E) || config->ephemeral_secret != NULL);
}

void cairn_noise_init(struct cairn_noise *noise, const struct cairn_noise_config *config)
{
    check_config(config);
    *noise = (struct cairn_noise){.pattern = config->pattern, .is_initiator = config->is_initiator};

    if (config->static_secret != NULL) {
        noise->static_secret = *config->static_secret;
        noise->static_public = cairn_noise_public(config->static_secret);
    }
    if (config->ephemeral_secret != NULL) {
        noise->ephemeral_secret = *config->ephemeral_secret;
        noise->ephemeral_public = cairn_noise_public(config->ephemeral_secret);
    }

    symmetric_init(noise, pattern_of(noise)->protocol_name);
    mix_hash(noise, config->prologue);
    if (!pattern_of(noise)->knows_responder)
        return;
    if (noise->is_initiator) {
        noise->remote_static = *config->remote_static;
        noise->has_remote_static = true;
    }
    mix_hash_key(noise, noise->is_initiator ? &noise->remote_static : &noise->static_public);
}

void cairn_noise_release(struct cairn_noise *noise)
{
    sodium_memzero(noise, sizeof(*noise));
}

bool cairn_noise_is_done(const struct cairn_noise *noise)
{
    return noise->failure == CAIRN_OK && noise->message_index >= pattern_of(noise)->message_count;
}

bool cairn_noise_is_writer_next(const struct cairn_noise *noise)
{
    return noise->failure == CAIRN_OK && !cairn_noise_is_done(noise) &&
           (noise->message_index % 2 == 0) == noise->is_initiator;
}

static size_t tag_bytes(bool has_key)
{
    return has_key ? CAIRN_NOISE_TAG_BYTES : 0;
}

size_t cairn_noise_overhead(const struct cairn_noise *noise)
{
    bool has_key = noise->has_key;
    size_t size = 0;

    if (noise->failure != CAIRN_OK || cairn_noise_is_done(noise))
        return 0;

    const enum token *tokens = pattern_of(noise)->messages[noise->message_index];
    for (size_t t = 0; tokens[t] != END; t++) {
        if (tokens[t] == E)
            size += CAIRN_NOISE_KEY_BYTES;
        else if (tokens[t] == S)
            size += CAIRN_NOISE_KEY_BYTES + tag_bytes(has_key);
        else
            has_key = true;
    }
    return size + tag_bytes(has_key);
}

static bool write_token(struct cairn_noise *noise, enum token token, struct cairn_writer *out)
{
    const struct cairn_noise_key *key = &noise->static_public;

    switch (token) {
    case END:
        return true;
    case E:
        cairn_write_bytes(out, noise->ephemeral_public.bytes, CAIRN_NOISE_KEY_BYTES);
        mix_hash_key(noise, &noise->ephemeral_public);
        return true;
    case S:
        encrypt_and_hash(noise, (struct cairn_bytes){key->bytes, sizeof(key->bytes)}, out);
        return true;
    case EE:
    case ES:
    case SE:
    case SS:
        return mix_shared_token(noise, token);
    }
    return false;
}

enum cairn_status cairn_noise_write(struct cairn_noise *noise, struct cairn_bytes payload,
                                    struct cairn_writer *out)
{
    size_t start = out->size;
    size_t overhead = cairn_noise_overhead(noise);

    if (noise->failure != CAIRN_OK)
        return noise->failure;
    CAIRN_ASSERT(cairn_noise_is_writer_next(noise));
    if (payload.size > CAIRN_NOISE_MESSAGE_MAX - overhead)
        return CAIRN_LIMIT;
    CAIRN_ASSERT(has_room(out, overhead + payload.size));

    const enum token *tokens = pattern_of(noise)->messages[noise->message_index];
    for (size_t t = 0; tokens[t] != END; t++) {
        if (!write_token(noise, tokens[t], out)) {
            take_back(out, start);
            return end_failed(noise, CAIRN_REFUSED);
        }
    }
    encrypt_and_hash(noise, payload, out);
    advance(noise);
    return CAIRN_OK;
}

static bool read_static(struct cairn_noise *noise, struct cairn_reader *in)
{
    size_t size = CAIRN_NOISE_KEY_BYTES + tag_bytes(noise->has_key);
    struct cairn_writer key;

    cairn_writer_init(&key, noise->remote_static.bytes, sizeof(noise->remote_static.bytes));
    noise->has_remote_static = decrypt_and_hash(noise, cairn_read_bytes(in, size), &key);
    return noise->has_remote_static;
}

static void read_ephemeral(struct cairn_noise *noise, struct cairn_reader *in)
{
    struct cairn_bytes key = cairn_read_bytes(in, CAIRN_NOISE_KEY_BYTES);

    memcpy(noise->remote_ephemeral.bytes, key.data, CAIRN_NOISE_KEY_BYTES);
    noise->has_remote_ephemeral = true;
    mix_hash(noise, key);
}

/* The caller has seen to it that the message is as long as its tokens ask for. */
static bool read_token(struct cairn_noise *noise, enum token token, struct cairn_reader *in)
{
    switch (token) {
    case END:
        return true;
    case E:
        read_ephemeral(noise, in);
        return true;
    case S:
        return read_static(noise, in);
    case EE:
    case ES:
    case SE:
    case SS:
        return mix_shared_token(noise, token);
    }
    return false;
}

enum cairn_status cairn_noise_read(struct cairn_noise *noise, struct cairn_bytes message,
                                   struct cairn_writer *out_payload)
{
    struct cairn_reader in;

    if (noise->failure != CAIRN_OK)
        return noise->failure;
    CAIRN_ASSERT(!cairn_noise_is_done(noise) && !cairn_noise_is_writer_next(noise));
    if (message.size < cairn_noise_overhead(noise) || message.size > CAIRN_NOISE_MESSAGE_MAX)
        return end_failed(noise, CAIRN_MALFORMED);
    CAIRN_ASSERT(has_room(out_payload, message.size));

    cairn_reader_init(&in, message);
    const enum token *tokens = pattern_of(noise)->messages[noise->message_index];
    for (size_t t = 0; tokens[t] != END; t++)
        if (!read_token(noise, tokens[t], &in))
            return end_failed(noise, CAIRN_BAD_SIGNATURE);
    if (!decrypt_and_hash(noise, cairn_read_bytes(&in, cairn_reader_left(&in)), out_payload))
        return end_failed(noise, CAIRN_BAD_SIGNATURE);
    advance(noise);
    return CAIRN_OK;
}

struct cairn_noise_key cairn_noise_remote_static(const struct cairn_noise *noise)
{
    CAIRN_ASSERT(noise->has_remote_static);
    return noise->remote_static;
}

struct cairn_hash cairn_noise_session_hash(const struct cairn_noise *noise)
{
    CAIRN_ASSERT(noise->failure == CAIRN_OK);
    return noise->handshake_hash;
}

/* ---- transport, sections 5.2 (Split) and 7.2 ---- */

void cairn_noise_split(const struct cairn_noise *noise, struct cairn_noise_cipher *out_send,
                       struct cairn_noise_cipher *out_receive)
{
    struct cairn_noise_cipher *from_initiator = noise->is_initiator ? out_send : out_receive;
    struct cairn_noise_cipher *from_responder = noise->is_initiator ? out_receive : out_send;

    CAIRN_ASSERT(cairn_noise_is_done(noise));
    hkdf(&noise->chaining_key, (struct cairn_bytes){NULL, 0}, from_initiator->key.bytes,
         from_responder->key.bytes);
    from_initiator->nonce = 0;
    from_responder->nonce = 0;
}

void cairn_noise_seal(struct cairn_noise_cipher *cipher, struct cairn_bytes plain,
                      struct cairn_writer *out)
{
    CAIRN_ASSERT(plain.size <= CAIRN_NOISE_MESSAGE_MAX - CAIRN_NOISE_TAG_BYTES);
    CAIRN_ASSERT(has_room(out, plain.size + CAIRN_NOISE_TAG_BYTES));
    cipher_encrypt(cipher, (struct cairn_bytes){NULL, 0}, plain, out);
}

enum cairn_status cairn_noise_open(struct cairn_noise_cipher *cipher, struct cairn_bytes sealed,
                                   struct cairn_writer *out_plain)
{
    if (sealed.size > CAIRN_NOISE_MESSAGE_MAX)
        return CAIRN_BAD_SIGNATURE;
    CAIRN_ASSERT(has_room(out_plain, sealed.size));
    return cipher_decrypt(cipher, (struct cairn_bytes){NULL, 0}, sealed, out_plain)
               ? CAIRN_OK
               : CAIRN_BAD_SIGNATURE;
}
