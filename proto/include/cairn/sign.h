/*
 * cairn/sign.h: Ed25519 signatures with one verdict on every libsodium.
 *
 * Libraries that all follow RFC 8032 still disagree about keys and signatures whose points carry
 * a part of small order. Replicas that disagree about a signature disagree about history, so
 * such points are refused here, whatever the libsodium at hand thinks of them.
 *
 * Not for: what the signed bytes mean, nor for keeping secret keys (core does both).
 *
 * Memory:  all borrowed; whoever holds a secret or a seed wipes it.
 * Threads: every function may be called from any thread.
 * Effects: none. The program has called sodium_init() before.
 */

#ifndef CAIRN_SIGN_H
#define CAIRN_SIGN_H

#include "cairn/bytes.h"

/* An Ed25519 public key as RFC 8032, section 5.1.5, encodes it. */
struct cairn_sign_public {
    uint8_t bytes[32];
};

/* What a key pair is made from: 32 random bytes, secret. RFC 8032 calls it the private key. */
struct cairn_sign_seed {
    uint8_t bytes[32];
};

/* libsodium's layout: the seed, then the public key that belongs to it. Secret. */
struct cairn_sign_secret {
    uint8_t bytes[64];
};

/* R, then S; RFC 8032, section 5.1.6. */
struct cairn_signature {
    uint8_t bytes[64];
};

/* What the start-up test found out. Any number may exist; it never changes after init. */
struct cairn_verifier {
    bool checks_r; /* R must be in the main subgroup; true is always safe and costs about 140 us */
};

/* The key pair of a seed; cannot fail. */
void cairn_sign_keypair_from_seed(const struct cairn_sign_seed *seed,
                                  struct cairn_sign_public *out_public,
                                  struct cairn_sign_secret *out_secret);

/*
 * To be called once for each key, when it is granted, and remembered: cairn_verify() relies on
 * it and does not repeat it. REFUSED unless the key is the one encoding of a point of the main
 * subgroup other than the neutral one; the caller then grants nothing to that key.
 */
CAIRN_NODISCARD
enum cairn_status cairn_sign_key_check(const struct cairn_sign_public *key);

/* Sign `message`, RFC 8032 Ed25519: the same key and message give the same signature. */
void cairn_sign(const struct cairn_sign_secret *secret, struct cairn_bytes message,
                struct cairn_signature *out);

/*
 * Would this libsodium accept a signature whose R carries a part of small order? Finds out by
 * verifying fixed ones, about 0.15 ms. libsodium 1.0.18 answers no.
 */
bool cairn_sign_needs_point_check(void);

/* Ask cairn_sign_needs_point_check() once and keep the answer. */
void cairn_verifier_init(struct cairn_verifier *verifier);

/*
 * Did the holder of `key` sign `message`? Only for keys that passed cairn_sign_key_check(). A
 * yes is a yes on every libsodium; it says nothing about which of many valid signatures of one
 * message this is, so nothing may be named after a signature.
 */
CAIRN_NODISCARD
bool cairn_verify(const struct cairn_verifier *verifier, const struct cairn_sign_public *key,
                  struct cairn_bytes message, const struct cairn_signature *signature);

#endif
