/*
 * cairn/keys.h: the secret keys of one device and the file they are kept in. The file names its
 * sealing from the first day: none, or Argon2id (RFC 9106) with XChaCha20-Poly1305.
 *
 *   key file = ["cairn-key-1", sealing, parameters, body]
 *   sealing 0: parameters = empty byte string, body = the plain keys
 *   sealing 1: parameters = byte string of CBOR [memory KiB, passes, salt (16), nonce (24)],
 *              which is the associated data of body = the sealed keys
 *   plain keys = CBOR [name, seal seed, Noise secret, bundle secret, checkpoint seed]
 *
 * Memory:  caller-owned; wipe with cairn_keys_release().
 * Threads: pure functions.
 */

#ifndef CAIRN_KEYS_H
#define CAIRN_KEYS_H

#include "cairn/identity.h"

struct cairn_keys {
    char name[CAIRN_NAME_MAX + 4]; /* NUL-terminated */
    struct cairn_sign_secret seal;
    struct cairn_noise_key noise; /* X25519 secrets */
    struct cairn_noise_key bundle;
    struct cairn_sign_secret checkpoint;
    struct cairn_device_keys open; /* the public halves */
};

#define CAIRN_KEYS_ENTROPY_BYTES 128
/* Make keys from entropy; cannot fail. */
void cairn_keys_make(struct cairn_keys *keys, const char *name,
                     const uint8_t entropy[static CAIRN_KEYS_ENTROPY_BYTES]);
void cairn_keys_release(struct cairn_keys *keys);

/*
 * Write the key file. An empty passphrase: sealing 0. `entropy` gives salt and nonce (40 bytes).
 * Parameters: 32 MiB, 3 passes. NO_MEMORY when Argon2id finds no memory.
 */
CAIRN_NODISCARD
enum cairn_status cairn_keys_write(const struct cairn_keys *keys, struct cairn_bytes passphrase,
                                   const uint8_t entropy[static 40], struct cairn_writer *out);
/*
 * Read it. NO_KEY: sealed and the passphrase is empty or wrong. MALFORMED: not such a file, a
 * sealing from a newer version, or parameters below the floor (19 MiB, 2 passes) or above 256 MiB,
 * 16 passes.
 */
CAIRN_NODISCARD
enum cairn_status cairn_keys_read(struct cairn_bytes file, struct cairn_bytes passphrase,
                                  struct cairn_keys *out_keys);
/* Only the sealing: 0 or 1. MALFORMED. */
CAIRN_NODISCARD enum cairn_status cairn_keys_sealing(struct cairn_bytes file,
                                                     unsigned *out_sealing);

#endif
