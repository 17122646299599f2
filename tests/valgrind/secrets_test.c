/*
 * Does the time of what handles secrets depend on them? Each secret is marked undefined for
 * valgrind's memcheck, which then tells of every branch and every address that depends on it. What
 * may be known is marked defined again where it becomes public: public keys, signatures,
 * ciphertexts.
 *
 * Runs under valgrind (see CMakeLists.txt there); alone it only shows that the calls work. The last
 * test branches on a secret on purpose: with CAIRN_LEAK=1 in the environment valgrind must
 * complain.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "cairn/keys.h"
#include "cairn/leaf.h"
#include "cairn/seal.h"

#define SECRET(thing) (void)VALGRIND_MAKE_MEM_UNDEFINED(&(thing), sizeof(thing))
#define PUBLIC(thing) (void)VALGRIND_MAKE_MEM_DEFINED(&(thing), sizeof(thing))
#define PUBLIC_BYTES(data, size) (void)VALGRIND_MAKE_MEM_DEFINED((data), (size))

/* Keys from secret entropy; only the public halves are known. */
static void keys_make(struct cairn_keys *keys, uint8_t filler)
{
    uint8_t entropy[CAIRN_KEYS_ENTROPY_BYTES];

    memset(entropy, filler, sizeof entropy);
    SECRET(entropy);
    cairn_keys_make(keys, "station", entropy);
    PUBLIC(keys->open);
    PUBLIC(keys->name);
}

static void making_writing_and_reading_keys(void **state)
{
    static const uint8_t sealing[40] = {1};
    struct cairn_keys keys, again;
    uint8_t file[1024];
    struct cairn_writer writer;

    (void)state;
    keys_make(&keys, 3);
    cairn_writer_init(&writer, file, sizeof file);
    assert_int_equal(cairn_keys_write(&keys, (struct cairn_bytes){NULL, 0}, sealing, &writer),
                     CAIRN_OK);
    assert_true(writer.size > 128);
    /* What is secret in the file is marked, as it was when it was written. */
    assert_int_equal(
        cairn_keys_read(cairn_writer_bytes(&writer), (struct cairn_bytes){NULL, 0}, &again),
        CAIRN_OK);
    PUBLIC(again.open);
    assert_memory_equal(&again.open, &keys.open, sizeof keys.open);
    cairn_keys_release(&again);
    cairn_keys_release(&keys);
}

static void sealing_a_log(void **state)
{
    struct cairn_keys keys;
    struct cairn_verifier verifier;
    struct cairn_signature signature;
    const struct cairn_head head = {.size = 7};

    (void)state;
    keys_make(&keys, 4);
    cairn_seal_sign(&keys.seal, &head, &signature);
    PUBLIC(signature);
    cairn_verifier_init(&verifier);
    assert_true(cairn_seal_verify(&verifier, &keys.open.seal, &head, &signature));
    cairn_keys_release(&keys);
}

static void side_begin(struct cairn_noise *noise, const struct cairn_keys *own,
                       const struct cairn_noise_key *remote, uint8_t filler)
{
    struct cairn_noise_key ephemeral;
    const struct cairn_noise_config config = {.pattern = CAIRN_NOISE_IK,
                                              .is_initiator = remote != NULL,
                                              .static_secret = &own->noise,
                                              .remote_static = remote,
                                              .ephemeral_secret = &ephemeral};

    memset(&ephemeral, filler, sizeof ephemeral);
    SECRET(ephemeral);
    cairn_noise_init(noise, &config);
}

/* One message from `from` to `to`; what travels is public, what it says is not. */
static void say(struct cairn_noise *from, struct cairn_noise *to)
{
    uint8_t message[256], payload[256], plain[32];
    struct cairn_writer writer;

    memset(plain, 9, sizeof plain);
    SECRET(plain);
    cairn_writer_init(&writer, message, sizeof message);
    assert_int_equal(cairn_noise_write(from, (struct cairn_bytes){plain, sizeof plain}, &writer),
                     CAIRN_OK);
    size_t size = writer.size;
    PUBLIC_BYTES(message, size);
    cairn_writer_init(&writer, payload, sizeof payload);
    assert_int_equal(cairn_noise_read(to, (struct cairn_bytes){message, size}, &writer), CAIRN_OK);
    PUBLIC_BYTES(payload, sizeof plain);
    PUBLIC(plain);
    assert_memory_equal(payload, plain, sizeof plain);
}

static void a_handshake(void **state)
{
    struct cairn_keys station, server;
    struct cairn_noise one, other;

    (void)state;
    keys_make(&station, 5);
    keys_make(&server, 6);
    side_begin(&one, &station, &server.open.noise, 7);
    side_begin(&other, &server, NULL, 8);
    say(&one, &other);
    say(&other, &one);
    cairn_noise_release(&one);
    cairn_noise_release(&other);
    cairn_keys_release(&station);
    cairn_keys_release(&server);
}

static void blinding_and_commitments(void **state)
{
    struct cairn_secret secret;
    struct cairn_blinder blinder;
    uint8_t value[16];

    (void)state;
    memset(&secret, 11, sizeof secret);
    memset(value, 12, sizeof value);
    SECRET(secret);
    SECRET(value);
    cairn_blinder_init(&blinder, &secret);
    for (uint32_t i = 0; i < 5; i++) {
        struct cairn_hash blinding = cairn_blinding(&blinder, i * 1000);
        struct cairn_hash salt = cairn_salt(&blinder, i * 1000, i);
        struct cairn_hash commitment =
            cairn_commitment(&salt, (struct cairn_bytes){value, sizeof value});
        PUBLIC(blinding);
        PUBLIC(commitment);
        assert_memory_not_equal(&blinding, &commitment, sizeof blinding);
    }
    struct cairn_hash hash = cairn_secret_hash(&secret);
    PUBLIC(hash);
    cairn_blinder_release(&blinder);
}

/* What all of this would look like if it went wrong. */
static void a_branch_on_a_secret(void **state)
{
    volatile uint8_t secret = 1;
    volatile int seen = 0;

    (void)state;
    if (getenv("CAIRN_LEAK") == NULL)
        skip();
    (void)VALGRIND_MAKE_MEM_UNDEFINED(&secret, sizeof secret);
    if (secret == 1)
        seen = 1;
    assert_int_equal(seen, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making_writing_and_reading_keys),
        cmocka_unit_test(sealing_a_log),
        cmocka_unit_test(a_handshake),
        cmocka_unit_test(blinding_and_commitments),
        cmocka_unit_test(a_branch_on_a_secret),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
