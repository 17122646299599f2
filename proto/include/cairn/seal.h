/*
 * cairn/seal.h: COSE_Sign1 (RFC 9052) with EdDSA as Cairn uses it, and the seal of a log head
 * (SPEC.md section 3). Both header maps are constants, compared byte for byte.
 *
 * Memory: borrowed. Threads: pure functions.
 */

#ifndef CAIRN_SEAL_H
#define CAIRN_SEAL_H

#include "cairn/identity.h"

struct cairn_cose_sign1 {
    struct cairn_bytes payload; /* borrowed */
    struct cairn_signature signature;
};
/*
 * Read a COSE_Sign1 message with or without tag 18. MALFORMED for every other header map,
 * non-deterministic encoding, detached payload, trailing bytes.
 */
CAIRN_NODISCARD
enum cairn_status cairn_cose_sign1_read(struct cairn_bytes message,
                                        struct cairn_cose_sign1 *out_sign1);
/* The tagged message, for export. */
void cairn_cose_sign1_write(struct cairn_writer *writer, const struct cairn_cose_sign1 *sign1);

/* Sign or check Sig_structure ["Signature1", h'a10127', external_aad, payload]; payload at most
 * CAIRN_COSE_PAYLOAD_MAX, aad at most CAIRN_COSE_AAD_MAX (larger: not verified / asserted). */
#define CAIRN_COSE_PAYLOAD_MAX 1024
#define CAIRN_COSE_AAD_MAX 256
void cairn_cose_sign(const struct cairn_sign_secret *secret, struct cairn_bytes external_aad,
                     struct cairn_bytes payload, struct cairn_signature *out_signature);
bool cairn_cose_verify(const struct cairn_verifier *verifier, const struct cairn_sign_public *key,
                       struct cairn_bytes external_aad, struct cairn_bytes payload,
                       const struct cairn_signature *signature);

/* The seal of a head: payload ["cairn-seal-1", log id, size, root], external_aad empty. */
#define CAIRN_SEAL_PAYLOAD_MAX 96
struct cairn_bytes cairn_seal_payload(const struct cairn_head *head,
                                      uint8_t out_payload[static CAIRN_SEAL_PAYLOAD_MAX]);
void cairn_seal_sign(const struct cairn_sign_secret *secret, const struct cairn_head *head,
                     struct cairn_signature *out_signature);
bool cairn_seal_verify(const struct cairn_verifier *verifier, const struct cairn_sign_public *key,
                       const struct cairn_head *head, const struct cairn_signature *signature);

#endif
