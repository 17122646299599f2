/*
 * cairn/noise.h: Noise handshakes (noiseprotocol.org, revision 34) with 25519, ChaChaPoly and
 * SHA256 on libsodium's primitives. Cairn uses IK; the engine runs every pattern in its table.
 *
 * The engine knows neither sockets nor random sources: the ephemeral secret is a parameter.
 * Memory:  caller-owned struct; holds secrets, wipe with cairn_noise_release().
 * Threads: one at a time per object.
 */

#ifndef CAIRN_NOISE_H
#define CAIRN_NOISE_H

#include "cairn/bytes.h"

#define CAIRN_NOISE_KEY_BYTES 32
#define CAIRN_NOISE_TAG_BYTES 16
#define CAIRN_NOISE_MESSAGE_MAX 65535 /* specification, section 3 */

enum cairn_noise_pattern {
    CAIRN_NOISE_N,
    CAIRN_NOISE_X,
    CAIRN_NOISE_NK,
    CAIRN_NOISE_XK,
    CAIRN_NOISE_XX,
    CAIRN_NOISE_IK,
    CAIRN_NOISE_PATTERN_COUNT
};

struct cairn_noise_key {
    uint8_t bytes[CAIRN_NOISE_KEY_BYTES];
};

/* What one side brings. NULL where the pattern has no use for it (a needed one is asserted). */
struct cairn_noise_config {
    enum cairn_noise_pattern pattern;
    bool is_initiator;
    struct cairn_bytes prologue;
    const struct cairn_noise_key *static_secret;
    const struct cairn_noise_key *remote_static;    /* public, known beforehand */
    const struct cairn_noise_key *ephemeral_secret; /* 32 fresh random bytes */
};

/* One direction after the handshake. */
struct cairn_noise_cipher {
    struct cairn_noise_key key;
    uint64_t nonce;
};

/* Treat the members as private. */
struct cairn_noise {
    enum cairn_noise_pattern pattern;
    bool is_initiator;
    enum cairn_status failure; /* CAIRN_OK: none; else what every further call gives */
    bool has_key;
    bool has_remote_ephemeral;
    bool has_remote_static;
    unsigned message_index; /* handshake messages done */
    struct cairn_noise_key static_secret, static_public;
    struct cairn_noise_key ephemeral_secret, ephemeral_public;
    struct cairn_noise_key remote_static, remote_ephemeral;
    struct cairn_noise_cipher cipher;
    struct cairn_hash chaining_key;
    struct cairn_hash handshake_hash;
};

/* The public key of an X25519 secret. */
struct cairn_noise_key cairn_noise_public(const struct cairn_noise_key *secret);

/*
 * To be called once for each X25519 public key, when it is requested or granted. REFUSED for a
 * point of low order, in any encoding: what is agreed with it is known to everybody, so nothing is
 * granted to it. Found by one X25519 with a fixed scalar, which gives zeros for these points and no
 * other (RFC 7748, section 6.1).
 */
CAIRN_NODISCARD
enum cairn_status cairn_noise_key_check(const struct cairn_noise_key *key);

/* Copies everything it needs from `config`; cannot fail. */
void cairn_noise_init(struct cairn_noise *noise, const struct cairn_noise_config *config);
void cairn_noise_release(struct cairn_noise *noise);

bool cairn_noise_is_writer_next(const struct cairn_noise *noise);
bool cairn_noise_is_done(const struct cairn_noise *noise);
/* Bytes that the next message adds to its payload. */
size_t cairn_noise_overhead(const struct cairn_noise *noise);

/*
 * The next handshake message with `payload`, appended to `out`. Not our turn, or no room: asserted
 * (the caller knows both). LIMIT when it would pass CAIRN_NOISE_MESSAGE_MAX; REFUSED when a
 * remote key is a low-order point: the handshake is then over.
 */
CAIRN_NODISCARD
enum cairn_status cairn_noise_write(struct cairn_noise *noise, struct cairn_bytes payload,
                                    struct cairn_writer *out);
/*
 * Read the next handshake message; the payload is appended to `out_payload` (capacity at least
 * message.size). MALFORMED when too short, BAD_SIGNATURE when a tag does not verify or a key
 * is a low-order point: the handshake is then over and every further call gives the same.
 */
CAIRN_NODISCARD
enum cairn_status cairn_noise_read(struct cairn_noise *noise, struct cairn_bytes message,
                                   struct cairn_writer *out_payload);

/* The other side's static key; only after the message that carried it was read (asserted). */
struct cairn_noise_key cairn_noise_remote_static(const struct cairn_noise *noise);
/* The hash that both sides share; after the last message it names the session. */
struct cairn_hash cairn_noise_session_hash(const struct cairn_noise *noise);

/* After the last message: the transport ciphers, sending and receiving from this side's view. */
void cairn_noise_split(const struct cairn_noise *noise, struct cairn_noise_cipher *out_send,
                       struct cairn_noise_cipher *out_receive);
/* One transport message; nonces count up. BAD_SIGNATURE when the tag does not verify. */
void cairn_noise_seal(struct cairn_noise_cipher *cipher, struct cairn_bytes plain,
                      struct cairn_writer *out);
CAIRN_NODISCARD
enum cairn_status cairn_noise_open(struct cairn_noise_cipher *cipher, struct cairn_bytes sealed,
                                   struct cairn_writer *out_plain);

#endif
