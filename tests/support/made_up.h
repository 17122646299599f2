/*
 * made_up.h: hashes and key pairs that stand for others; one byte makes each.
 *
 * Effects: fails nothing; key_pair wants sodium_init() before it.
 */

#ifndef CAIRN_TESTS_MADE_UP_H
#define CAIRN_TESTS_MADE_UP_H

#include <string.h>

#include "cairn/bytes.h"
#include "cairn/sign.h"

static inline struct cairn_hash hash_of(uint8_t byte)
{
    struct cairn_hash hash;

    memset(hash.bytes, byte, sizeof hash.bytes);
    return hash;
}

static inline struct cairn_sign_public key_pair(uint8_t seed_byte,
                                                struct cairn_sign_secret *out_secret)
{
    struct cairn_sign_seed seed;
    struct cairn_sign_public key;

    memset(seed.bytes, seed_byte, sizeof seed.bytes);
    cairn_sign_keypair_from_seed(&seed, &key, out_secret);
    return key;
}

#endif
