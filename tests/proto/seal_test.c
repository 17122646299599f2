/* COSE_Sign1 as Cairn uses it, against published and own tables, and the seal of a log head. */

#include "cairn/seal.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_up.h"
#include "vectors.h"

#define MESSAGE_MAX 2048

static const struct cairn_bytes no_aad = {NULL, 0};
static struct cairn_verifier verifier;

static int start_sodium(void **state)
{
    (void)state;
    if (sodium_init() < 0)
        return -1;
    cairn_verifier_init(&verifier);
    return 0;
}

static bool starts_with(struct cairn_bytes bytes, const void *prefix, size_t size)
{
    return bytes.size >= size && memcmp(bytes.data, prefix, size) == 0;
}

/* Do the bytes begin as every message of our profile does, tagged or not? Says nothing of
 * the rest. */
static bool has_our_headers(struct cairn_bytes message)
{
    return starts_with(message, "\xd2\x84\x43\xa1\x01\x27\xa0", 7) ||
           starts_with(message, "\x84\x43\xa1\x01\x27\xa0", 6);
}

/* Read, admit the key, verify: the first of them that says no, as a caller would see it. */
static enum cairn_status judge(struct cairn_bytes message, const struct cairn_sign_public *key,
                               struct cairn_bytes external_aad)
{
    struct cairn_cose_sign1 sign1;

    enum cairn_status status = cairn_cose_sign1_read(message, &sign1);
    if (status == CAIRN_OK)
        status = cairn_sign_key_check(key);
    if (status == CAIRN_OK &&
        !cairn_cose_verify(&verifier, key, external_aad, sign1.payload, &sign1.signature))
        status = CAIRN_BAD_SIGNATURE;
    return status;
}

/*
 * The table gives nearly every message a key id, {4: h'3131'}, in its unprotected map. That map is
 * not signed: without it the message is one of our profile, and the row's verdict stays.
 */
static bool without_key_id(struct cairn_bytes message, uint8_t out_bytes[static MESSAGE_MAX],
                           struct cairn_bytes *out_message)
{
    static const uint8_t start[] = {0xd2, 0x84, 0x43, 0xa1, 0x01, 0x27};
    static const uint8_t key_id[] = {0xa1, 0x04, 0x42, 0x31, 0x31};
    size_t skipped = sizeof(start) + sizeof(key_id);

    if (message.size < skipped || message.size > MESSAGE_MAX ||
        !starts_with(message, start, sizeof(start)) ||
        memcmp(message.data + sizeof(start), key_id, sizeof(key_id)) != 0)
        return false;
    memcpy(out_bytes, start, sizeof(start));
    out_bytes[sizeof(start)] = 0xa0;
    memcpy(out_bytes + sizeof(start) + 1, message.data + skipped, message.size - skipped);
    *out_message = (struct cairn_bytes){out_bytes, message.size - sizeof(key_id) + 1};
    return true;
}

/* Only what is valid for a strict reader and carries its payload may pass. */
static bool may_pass(const json_t *row)
{
    return strcmp(vectors_text(row, "expect"), "valid") == 0 &&
           strcmp(vectors_text(row, "strict_deterministic"), "valid") == 0 &&
           !vectors_has(row, "detached_payload_hex");
}

static void expect_status(const json_t *row, enum cairn_status got, enum cairn_status want)
{
    if (got != want)
        fail_msg("row %s: got %s, want %s", vectors_id(row), cairn_status_name(got),
                 cairn_status_name(want));
}

static void every_message_as_it_stands_gets_its_verdict_or_is_outside_the_profile(void **state)
{
    json_t *table = vectors_load("/cose/ed25519_sign1.json");
    unsigned inside = 0;
    unsigned outside = 0;

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        struct cairn_bytes message = vectors_hex(row, "cbor_hex");
        struct cairn_bytes external_aad = vectors_hex(row, "external_hex");
        struct cairn_sign_public key;

        assert_true(vectors_hex_into(row, "key_x_hex", key.bytes, sizeof(key.bytes)));
        if (has_our_headers(message)) {
            assert_true(may_pass(row));
            expect_status(row, judge(message, &key, external_aad), CAIRN_OK);
            inside++;
        } else {
            expect_status(row, judge(message, &key, external_aad), CAIRN_MALFORMED);
            outside++;
        }
        vectors_bytes_free(message);
        vectors_bytes_free(external_aad);
    }
    print_message("ed25519_sign1.json: %u inside, %u outside the profile\n", inside, outside);
    assert_true(inside > 0 && outside > 0);
    vectors_free(table);
}

/* Where the fault of a row lies says which step has to find it. */
static void expect_refusal(const json_t *row, enum cairn_status got)
{
    bool is_of_signature = strcmp(vectors_text(row, "layer"), "signature") == 0;

    if (!is_of_signature)
        expect_status(row, got, CAIRN_MALFORMED);
    else if (got != CAIRN_REFUSED)
        expect_status(row, got, CAIRN_BAD_SIGNATURE);
}

static void every_message_gets_its_verdict_once_its_key_id_is_taken_out(void **state)
{
    json_t *table = vectors_load("/cose/ed25519_sign1.json");
    unsigned valid = 0;
    unsigned malformed = 0;
    unsigned forged = 0;

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        struct cairn_bytes original = vectors_hex(row, "cbor_hex");
        struct cairn_bytes external_aad = vectors_hex(row, "external_hex");
        struct cairn_sign_public key;
        uint8_t buffer[MESSAGE_MAX];
        struct cairn_bytes message;

        assert_true(vectors_hex_into(row, "key_x_hex", key.bytes, sizeof(key.bytes)));
        if (without_key_id(original, buffer, &message)) {
            enum cairn_status status = judge(message, &key, external_aad);

            if (may_pass(row))
                expect_status(row, status, CAIRN_OK);
            else if (strcmp(vectors_text(row, "layer"), "-") == 0)
                expect_status(row, status, CAIRN_MALFORMED); /* detached */
            else
                expect_refusal(row, status);
            valid += status == CAIRN_OK;
            malformed += status == CAIRN_MALFORMED;
            forged += status == CAIRN_BAD_SIGNATURE || status == CAIRN_REFUSED;
        }
        vectors_bytes_free(original);
        vectors_bytes_free(external_aad);
    }
    print_message("without key id: %u valid, %u malformed, %u forged\n", valid, malformed, forged);
    assert_true(valid > 0 && malformed > 0 && forged > 0);
    vectors_free(table);
}

static void published_messages_of_other_algorithms_and_headers_are_refused(void **state)
{
    json_t *table = vectors_load("/cose/published_sign1.json");
    unsigned other_algorithm = 0;
    unsigned other_header = 0;

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        struct cairn_bytes message = vectors_hex(row, "cbor_hex");
        struct cairn_cose_sign1 sign1;

        assert_false(has_our_headers(message));
        expect_status(row, cairn_cose_sign1_read(message, &sign1), CAIRN_MALFORMED);
        if (strcmp(vectors_text(row, "alg"), "EdDSA") != 0) {
            print_message("not applicable, refused: %s (%s)\n", vectors_id(row),
                          vectors_text(row, "alg"));
            other_algorithm++;
        } else {
            print_message("outside the profile, refused: %s\n", vectors_id(row));
            other_header++;
        }
        vectors_bytes_free(message);
    }
    assert_true(other_algorithm > 0 && other_header > 0);
    vectors_free(table);
}

static const struct cairn_head example_head = {
    .log = {{0x11, 0x22}}, .size = 300, .root = {{0x33, 0x44}}};

/* 84, text of 12, h'1122' and zeros, 300 in two bytes, h'3344' and zeros. */
static const char example_payload_hex[] =
    "846c636169726e2d7365616c2d31"
    "58201122000000000000000000000000000000000000000000000000000000000000"
    "19012c"
    "58203344000000000000000000000000000000000000000000000000000000000000";

static void the_payload_of_a_seal_is_that_of_section_3(void **state)
{
    uint8_t buffer[CAIRN_SEAL_PAYLOAD_MAX];
    struct cairn_bytes payload = cairn_seal_payload(&example_head, buffer);
    struct cairn_bytes want = vectors_unhex(example_payload_hex);
    struct cairn_head largest = example_head;

    (void)state;
    assert_int_equal(payload.size, want.size);
    assert_memory_equal(payload.data, want.data, want.size);
    vectors_bytes_free(want);
    largest.size = UINT32_MAX;
    assert_true(cairn_seal_payload(&largest, buffer).size <= CAIRN_SEAL_PAYLOAD_MAX);
}

static void a_seal_is_an_ed25519_signature_over_the_sig_structure(void **state)
{
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    struct cairn_bytes payload = vectors_unhex(example_payload_hex);
    /* ["Signature1", h'a10127', h'', payload of 85 bytes] */
    struct cairn_bytes start = vectors_unhex("846a5369676e61747572653143a101274058"
                                             "55");
    uint8_t signed_bytes[MESSAGE_MAX];
    struct cairn_signature seal;

    (void)state;
    assert_int_equal(payload.size, 85);
    memcpy(signed_bytes, start.data, start.size);
    memcpy(signed_bytes + start.size, payload.data, payload.size);
    cairn_seal_sign(&secret, &example_head, &seal);
    assert_int_equal(
        crypto_sign_verify_detached(seal.bytes, signed_bytes, start.size + payload.size, key.bytes),
        0);
    assert_true(cairn_seal_verify(&verifier, &key, &example_head, &seal));
    vectors_bytes_free(start);
    vectors_bytes_free(payload);
}

static void a_seal_with_any_bit_flipped_does_not_verify(void **state)
{
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    struct cairn_signature seal;

    (void)state;
    cairn_seal_sign(&secret, &example_head, &seal);
    for (size_t bit = 0; bit < 8 * sizeof(seal.bytes); bit++) {
        struct cairn_signature flipped = seal;

        flipped.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(cairn_seal_verify(&verifier, &key, &example_head, &flipped));
    }
}

static void a_seal_holds_for_one_key_log_size_and_root(void **state)
{
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    struct cairn_sign_secret other_secret;
    struct cairn_sign_public other_key = key_pair(2, &other_secret);
    struct cairn_signature seal;

    (void)state;
    cairn_seal_sign(&secret, &example_head, &seal);
    assert_true(cairn_seal_verify(&verifier, &key, &example_head, &seal));
    assert_false(cairn_seal_verify(&verifier, &other_key, &example_head, &seal));
    for (size_t bit = 0; bit < 256; bit++) {
        struct cairn_head other = example_head;

        other.log.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(cairn_seal_verify(&verifier, &key, &other, &seal));
        other = example_head;
        other.root.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(cairn_seal_verify(&verifier, &key, &other, &seal));
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        struct cairn_head other = example_head;

        other.size ^= UINT32_C(1) << bit;
        assert_false(cairn_seal_verify(&verifier, &key, &other, &seal));
    }
}

static struct cairn_bytes export_example(struct cairn_cose_sign1 *out_sign1,
                                         uint8_t out_payload[static CAIRN_SEAL_PAYLOAD_MAX],
                                         uint8_t out_message[static MESSAGE_MAX])
{
    struct cairn_sign_secret secret;
    struct cairn_writer writer;

    (void)key_pair(1, &secret);
    out_sign1->payload = cairn_seal_payload(&example_head, out_payload);
    cairn_seal_sign(&secret, &example_head, &out_sign1->signature);
    cairn_writer_init(&writer, out_message, MESSAGE_MAX);
    cairn_cose_sign1_write(&writer, out_sign1);
    assert_false(writer.overflowed);
    return cairn_writer_bytes(&writer);
}

static void an_export_reads_back_with_and_without_its_tag(void **state)
{
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    uint8_t payload[CAIRN_SEAL_PAYLOAD_MAX];
    uint8_t buffer[MESSAGE_MAX];
    struct cairn_cose_sign1 sign1;
    struct cairn_bytes message = export_example(&sign1, payload, buffer);

    (void)state;
    assert_true(has_our_headers(message));
    assert_int_equal(message.data[0], 0xd2);
    for (size_t skipped = 0; skipped <= 1; skipped++) {
        struct cairn_bytes rest = {message.data + skipped, message.size - skipped};
        struct cairn_cose_sign1 found;

        assert_int_equal(cairn_cose_sign1_read(rest, &found), CAIRN_OK);
        assert_true(cairn_bytes_equal(found.payload, sign1.payload));
        assert_memory_equal(&found.signature, &sign1.signature, sizeof(found.signature));
        assert_int_equal(judge(rest, &key, no_aad), CAIRN_OK);
    }
}

static void an_export_cut_anywhere_or_with_a_byte_more_is_malformed(void **state)
{
    uint8_t payload[CAIRN_SEAL_PAYLOAD_MAX];
    uint8_t buffer[MESSAGE_MAX] = {0};
    struct cairn_cose_sign1 sign1;
    struct cairn_bytes message = export_example(&sign1, payload, buffer);

    (void)state;
    for (size_t size = 0; size <= message.size + 1; size++) {
        uint8_t *copy = malloc(size > 0 ? size : 1);
        struct cairn_cose_sign1 found = {.payload = {NULL, 77}};

        assert_non_null(copy);
        memcpy(copy, buffer, size);
        if (size != message.size) {
            assert_int_equal(cairn_cose_sign1_read((struct cairn_bytes){copy, size}, &found),
                             CAIRN_MALFORMED);
            assert_int_equal(found.payload.size, 77);
        }
        free(copy);
    }
}

static void an_export_with_any_bit_flipped_is_refused(void **state)
{
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    uint8_t payload[CAIRN_SEAL_PAYLOAD_MAX];
    uint8_t buffer[MESSAGE_MAX];
    struct cairn_cose_sign1 sign1;
    struct cairn_bytes message = export_example(&sign1, payload, buffer);

    (void)state;
    for (size_t bit = 0; bit < 8 * message.size; bit++) {
        buffer[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (judge(message, &key, no_aad) == CAIRN_OK)
            fail_msg("bit %zu makes no difference", bit);
        buffer[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(judge(message, &key, no_aad), CAIRN_OK);
}

static void what_is_over_a_limit_does_not_verify(void **state)
{
    static const uint8_t zeros[CAIRN_COSE_PAYLOAD_MAX + 1] = {0};
    struct cairn_bytes payload = {zeros, CAIRN_COSE_PAYLOAD_MAX};
    struct cairn_bytes external_aad = {zeros, CAIRN_COSE_AAD_MAX};
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    struct cairn_signature signature;

    (void)state;
    cairn_cose_sign(&secret, external_aad, payload, &signature);
    assert_true(cairn_cose_verify(&verifier, &key, external_aad, payload, &signature));
    payload.size++;
    assert_false(cairn_cose_verify(&verifier, &key, external_aad, payload, &signature));
    payload.size--;
    external_aad.size++;
    assert_false(cairn_cose_verify(&verifier, &key, external_aad, payload, &signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_as_it_stands_gets_its_verdict_or_is_outside_the_profile),
        cmocka_unit_test(every_message_gets_its_verdict_once_its_key_id_is_taken_out),
        cmocka_unit_test(published_messages_of_other_algorithms_and_headers_are_refused),
        cmocka_unit_test(the_payload_of_a_seal_is_that_of_section_3),
        cmocka_unit_test(a_seal_is_an_ed25519_signature_over_the_sig_structure),
        cmocka_unit_test(a_seal_with_any_bit_flipped_does_not_verify),
        cmocka_unit_test(a_seal_holds_for_one_key_log_size_and_root),
        cmocka_unit_test(an_export_reads_back_with_and_without_its_tag),
        cmocka_unit_test(an_export_cut_anywhere_or_with_a_byte_more_is_malformed),
        cmocka_unit_test(an_export_with_any_bit_flipped_is_refused),
        cmocka_unit_test(what_is_over_a_limit_does_not_verify),
    };

    return cmocka_run_group_tests_name("seal", tests, start_sodium, NULL);
}
