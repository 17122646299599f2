#include "cairn/seal.h"

#include <string.h>

#include "cairn/cbor.h"

/* {1: -8}, that is alg: EdDSA, and the empty map (RFC 9052 section 3, RFC 9053 section 2.2). */
static const uint8_t protected_header[] = {0xa1, 0x01, 0x27};
enum { TAG_SIGN1 = 0xd2, EMPTY_MAP = 0xa0 };

enum cairn_status cairn_cose_sign1_read(struct cairn_bytes message,
                                        struct cairn_cose_sign1 *out_sign1)
{
    struct cairn_bytes header;
    struct cairn_bytes payload;
    struct cairn_bytes signature;
    struct cairn_reader reader;

    cairn_reader_init(&reader, message);
    if (message.size > 0 && message.data[0] == TAG_SIGN1)
        (void)cairn_read_u8(&reader);
    cairn_cbor_expect_array(&reader, 4);
    header = cairn_cbor_read_bytes_of(&reader, sizeof(protected_header));
    if (cairn_read_u8(&reader) != EMPTY_MAP)
        cairn_reader_fail(&reader);
    payload = cairn_cbor_read_bytes(&reader);
    signature = cairn_cbor_read_bytes_of(&reader, sizeof(out_sign1->signature.bytes));

    enum cairn_status status = cairn_reader_end(&reader);
    if (status != CAIRN_OK)
        return status;
    if (memcmp(header.data, protected_header, sizeof(protected_header)) != 0)
        return CAIRN_MALFORMED;
    out_sign1->payload = payload;
    memcpy(out_sign1->signature.bytes, signature.data, sizeof(out_sign1->signature.bytes));
    return CAIRN_OK;
}

void cairn_cose_sign1_write(struct cairn_writer *writer, const struct cairn_cose_sign1 *sign1)
{
    cairn_write_u8(writer, TAG_SIGN1);
    cairn_cbor_write_array(writer, 4);
    cairn_cbor_write_bytes(writer, protected_header, sizeof(protected_header));
    cairn_write_u8(writer, EMPTY_MAP);
    cairn_cbor_write_bytes(writer, sign1->payload.data, sign1->payload.size);
    cairn_cbor_write_bytes(writer, sign1->signature.bytes, sizeof(sign1->signature.bytes));
}

/* The array's head, "Signature1", the header and two strings with heads of at most 3 bytes. */
#define SIG_STRUCTURE_MAX (1 + 11 + 4 + 3 + CAIRN_COSE_AAD_MAX + 3 + CAIRN_COSE_PAYLOAD_MAX)

static bool is_within_limits(struct cairn_bytes external_aad, struct cairn_bytes payload)
{
    return external_aad.size <= CAIRN_COSE_AAD_MAX && payload.size <= CAIRN_COSE_PAYLOAD_MAX;
}

/* Sig_structure of RFC 9052 section 4.4: the bytes that are signed. */
static struct cairn_bytes sig_structure(struct cairn_bytes external_aad, struct cairn_bytes payload,
                                        uint8_t out_bytes[static SIG_STRUCTURE_MAX])
{
    static const char context[] = "Signature1";
    struct cairn_writer writer;

    cairn_writer_init(&writer, out_bytes, SIG_STRUCTURE_MAX);
    cairn_cbor_write_array(&writer, 4);
    cairn_cbor_write_text(&writer, context, sizeof(context) - 1);
    cairn_cbor_write_bytes(&writer, protected_header, sizeof(protected_header));
    cairn_cbor_write_bytes(&writer, external_aad.data, external_aad.size);
    cairn_cbor_write_bytes(&writer, payload.data, payload.size);
    CAIRN_ASSERT(!writer.overflowed);
    return cairn_writer_bytes(&writer);
}

void cairn_cose_sign(const struct cairn_sign_secret *secret, struct cairn_bytes external_aad,
                     struct cairn_bytes payload, struct cairn_signature *out_signature)
{
    uint8_t buffer[SIG_STRUCTURE_MAX];

    CAIRN_ASSERT(is_within_limits(external_aad, payload));
    cairn_sign(secret, sig_structure(external_aad, payload, buffer), out_signature);
}

bool cairn_cose_verify(const struct cairn_verifier *verifier, const struct cairn_sign_public *key,
                       struct cairn_bytes external_aad, struct cairn_bytes payload,
                       const struct cairn_signature *signature)
{
    uint8_t buffer[SIG_STRUCTURE_MAX];

    if (!is_within_limits(external_aad, payload))
        return false;
    return cairn_verify(verifier, key, sig_structure(external_aad, payload, buffer), signature);
}

struct cairn_bytes cairn_seal_payload(const struct cairn_head *head,
                                      uint8_t out_payload[static CAIRN_SEAL_PAYLOAD_MAX])
{
    static const char label[] = "cairn-seal-1";
    struct cairn_writer writer;

    cairn_writer_init(&writer, out_payload, CAIRN_SEAL_PAYLOAD_MAX);
    cairn_cbor_write_array(&writer, 4);
    cairn_cbor_write_text(&writer, label, sizeof(label) - 1);
    cairn_cbor_write_hash(&writer, &head->log);
    cairn_cbor_write_uint(&writer, head->size);
    cairn_cbor_write_hash(&writer, &head->root);
    CAIRN_ASSERT(!writer.overflowed);
    return cairn_writer_bytes(&writer);
}

static const struct cairn_bytes no_aad = {NULL, 0};

void cairn_seal_sign(const struct cairn_sign_secret *secret, const struct cairn_head *head,
                     struct cairn_signature *out_signature)
{
    uint8_t buffer[CAIRN_SEAL_PAYLOAD_MAX];

    cairn_cose_sign(secret, no_aad, cairn_seal_payload(head, buffer), out_signature);
}

bool cairn_seal_verify(const struct cairn_verifier *verifier, const struct cairn_sign_public *key,
                       const struct cairn_head *head, const struct cairn_signature *signature)
{
    uint8_t buffer[CAIRN_SEAL_PAYLOAD_MAX];

    return cairn_cose_verify(verifier, key, no_aad, cairn_seal_payload(head, buffer), signature);
}
