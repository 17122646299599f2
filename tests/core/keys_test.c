/* The key file: what was written comes back, and nothing else opens. */

#include "cairn/keys.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cairn/cbor.h"

#define FILE_BYTES 1024

static const uint8_t file_entropy[40] = "salt of 16 bytesnonce of 24 bytes......";
static const struct cairn_bytes no_passphrase = {NULL, 0};

static struct cairn_bytes text(const char *passphrase)
{
    return cairn_bytes_of_text(passphrase);
}

static struct cairn_keys sample_keys(void)
{
    uint8_t entropy[CAIRN_KEYS_ENTROPY_BYTES];
    struct cairn_keys keys;

    for (size_t i = 0; i < sizeof entropy; i++)
        entropy[i] = (uint8_t)i;
    cairn_keys_make(&keys, "Shama village 1", entropy);
    return keys;
}

struct file {
    uint8_t bytes[FILE_BYTES];
    size_t size;
};

/* Sealed with "horse" once and for all: Argon2id is slow on purpose. */
static struct file sealed, plain;

static struct file write_file(struct cairn_bytes passphrase)
{
    struct cairn_keys keys = sample_keys();
    struct cairn_writer writer;
    struct file file;

    cairn_writer_init(&writer, file.bytes, sizeof file.bytes);
    assert_int_equal(cairn_keys_write(&keys, passphrase, file_entropy, &writer), CAIRN_OK);
    assert_false(writer.overflowed);
    file.size = writer.size;
    return file;
}

static int files_write(void **state)
{
    (void)state;
    if (sodium_init() < 0)
        return -1;
    plain = write_file(no_passphrase);
    sealed = write_file(text("horse"));
    return 0;
}

/* From a block of exactly that size; checks that a failure leaves the output alone. */
static enum cairn_status read_file(const struct file *file, size_t size,
                                   struct cairn_bytes passphrase, struct cairn_keys *out_keys)
{
    uint8_t *block = malloc(size > 0 ? size : 1);
    struct cairn_keys before;

    assert_non_null(block);
    memcpy(block, file->bytes, size);
    memset(out_keys, 0x5a, sizeof *out_keys);
    before = *out_keys;
    enum cairn_status status =
        cairn_keys_read((struct cairn_bytes){block, size}, passphrase, out_keys);
    if (status != CAIRN_OK)
        assert_memory_equal(out_keys, &before, sizeof before);
    free(block);
    return status;
}

static void keys_are_made_from_the_entropy_alone(void **state)
{
    struct cairn_keys keys = sample_keys(), again = sample_keys();
    uint8_t seed[32], secret[64], public[32];

    (void)state;
    assert_memory_equal(&keys, &again, sizeof keys);
    assert_string_equal(keys.name, "Shama village 1");
    for (size_t i = 0; i < 32; i++)
        seed[i] = (uint8_t)i;
    crypto_sign_seed_keypair(public, secret, seed);
    assert_memory_equal(keys.seal.bytes, secret, 64);
    assert_memory_equal(keys.open.seal.bytes, public, 32);
    for (size_t i = 0; i < 32; i++)
        seed[i] = (uint8_t)(96 + i);
    crypto_sign_seed_keypair(public, secret, seed);
    assert_memory_equal(keys.checkpoint.bytes, secret, 64);
    assert_memory_equal(keys.open.checkpoint.bytes, public, 32);
    assert_int_equal(keys.noise.bytes[0], 32);
    assert_int_equal(keys.bundle.bytes[0], 64);
    crypto_scalarmult_base(public, keys.noise.bytes);
    assert_memory_equal(keys.open.noise.bytes, public, 32);
    crypto_scalarmult_base(public, keys.bundle.bytes);
    assert_memory_equal(keys.open.bundle.bytes, public, 32);
}

static void released_keys_hold_nothing(void **state)
{
    struct cairn_keys keys = sample_keys();

    (void)state;
    cairn_keys_release(&keys);
    assert_true(sodium_is_zero((const uint8_t *)&keys, sizeof keys));
}

static void a_plain_file_gives_the_keys_back_without_a_passphrase(void **state)
{
    struct cairn_keys want = sample_keys(), got;
    unsigned sealing = 9;

    (void)state;
    assert_int_equal(read_file(&plain, plain.size, no_passphrase, &got), CAIRN_OK);
    assert_memory_equal(&got, &want, sizeof want);
    /* A passphrase for a file that needs none is not an error. */
    assert_int_equal(read_file(&plain, plain.size, text("horse"), &got), CAIRN_OK);
    assert_int_equal(cairn_keys_sealing((struct cairn_bytes){plain.bytes, plain.size}, &sealing),
                     CAIRN_OK);
    assert_int_equal(sealing, 0);
}

static void a_sealed_file_gives_the_keys_back_for_its_passphrase_only(void **state)
{
    struct cairn_keys want = sample_keys(), got;
    unsigned sealing = 9;

    (void)state;
    assert_int_equal(read_file(&sealed, sealed.size, text("horse"), &got), CAIRN_OK);
    assert_memory_equal(&got, &want, sizeof want);
    assert_int_equal(read_file(&sealed, sealed.size, no_passphrase, &got), CAIRN_NO_KEY);
    assert_int_equal(read_file(&sealed, sealed.size, text("Horse"), &got), CAIRN_NO_KEY);
    assert_int_equal(read_file(&sealed, sealed.size, text("hors"), &got), CAIRN_NO_KEY);
    assert_int_equal(cairn_keys_sealing((struct cairn_bytes){sealed.bytes, sealed.size}, &sealing),
                     CAIRN_OK);
    assert_int_equal(sealing, 1);
}

static bool holds(const struct file *file, const void *bytes, size_t size)
{
    return memmem(file->bytes, file->size, bytes, size) != NULL;
}

static void a_sealed_file_shows_neither_keys_nor_name(void **state)
{
    struct cairn_keys keys = sample_keys();

    (void)state;
    assert_true(holds(&plain, keys.seal.bytes, 8)); /* the search finds what is there */
    assert_true(holds(&plain, "Shama", 5));
    assert_false(holds(&sealed, keys.seal.bytes, 8));
    assert_false(holds(&sealed, keys.noise.bytes, 8));
    assert_false(holds(&sealed, keys.bundle.bytes, 8));
    assert_false(holds(&sealed, keys.checkpoint.bytes, 8));
    assert_false(holds(&sealed, "Shama", 5));
}

static void names_of_0_and_of_128_bytes_come_back(void **state)
{
    uint8_t entropy[CAIRN_KEYS_ENTROPY_BYTES] = {1};
    char longest[CAIRN_NAME_MAX + 1] = {0};
    const char *names[] = {"", longest};

    (void)state;
    memset(longest, 'n', CAIRN_NAME_MAX);
    for (size_t i = 0; i < 2; i++) {
        struct cairn_keys keys, got;
        struct cairn_writer writer;
        struct file file;

        cairn_keys_make(&keys, names[i], entropy);
        cairn_writer_init(&writer, file.bytes, sizeof file.bytes);
        assert_int_equal(cairn_keys_write(&keys, no_passphrase, file_entropy, &writer), CAIRN_OK);
        assert_int_equal(read_file(&file, writer.size, no_passphrase, &got), CAIRN_OK);
        assert_string_equal(got.name, names[i]);
    }
}

/* ---- files that are none ---- */

static void a_file_cut_short_is_malformed_at_every_length(void **state)
{
    struct cairn_keys keys;
    unsigned sealing;

    (void)state;
    for (size_t size = 0; size < plain.size; size++)
        assert_int_equal(read_file(&plain, size, no_passphrase, &keys), CAIRN_MALFORMED);
    for (size_t size = 0; size < sealed.size; size++) {
        assert_int_equal(read_file(&sealed, size, text("horse"), &keys), CAIRN_MALFORMED);
        assert_int_equal(cairn_keys_sealing((struct cairn_bytes){sealed.bytes, size}, &sealing),
                         CAIRN_MALFORMED);
    }
}

static void expect_refused_with_byte_changed(size_t pos, uint8_t flip)
{
    struct file changed = sealed;
    struct cairn_keys keys;

    changed.bytes[pos] ^= flip;
    enum cairn_status status = read_file(&changed, changed.size, text("horse"), &keys);
    if (status != CAIRN_MALFORMED && status != CAIRN_NO_KEY)
        fail_msg("byte %zu changed by %02x: %s", pos, flip, cairn_status_name(status));
}

/*
 * Up to the salt a change makes another file of it, which is told without Argon2id; from there on
 * each try costs its time, so that a few places of each region must do.
 */
static void a_sealed_file_with_a_byte_changed_does_not_open(void **state)
{
    size_t salt = (size_t)((const uint8_t *)memmem(sealed.bytes, sealed.size, file_entropy, 16) -
                           sealed.bytes);
    size_t nonce = salt + 16 + 2, body = nonce + 24 + 2;
    const size_t costly[] = {salt,
                             salt + 15,
                             nonce,
                             nonce + 23,
                             body,
                             body + 1,
                             sealed.size / 2 + body / 2,
                             sealed.size - 17,
                             sealed.size - 16,
                             sealed.size - 1};

    (void)state;
    for (size_t pos = 0; pos < salt; pos++)
        expect_refused_with_byte_changed(pos, 0x80);
    expect_refused_with_byte_changed(salt - 1, 0x01); /* heads of the strings */
    expect_refused_with_byte_changed(nonce - 1, 0x01);
    expect_refused_with_byte_changed(nonce - 2, 0x01);
    expect_refused_with_byte_changed(body - 1, 0x01);
    expect_refused_with_byte_changed(body - 2, 0x01);
    for (size_t i = 0; i < sizeof costly / sizeof costly[0]; i++)
        expect_refused_with_byte_changed(costly[i], 0x01);
}

/* ---- files written by hand ---- */

struct hand {
    const char *label;
    uint64_t sealing;
    struct cairn_bytes parameters, body;
};

static enum cairn_status read_hand(const struct hand *hand, struct cairn_bytes passphrase)
{
    struct cairn_writer writer;
    struct cairn_keys keys;
    struct file file;

    cairn_writer_init(&writer, file.bytes, sizeof file.bytes);
    cairn_cbor_write_array(&writer, 4);
    cairn_cbor_write_text(&writer, hand->label, strlen(hand->label));
    cairn_cbor_write_uint(&writer, hand->sealing);
    cairn_cbor_write_bytes(&writer, hand->parameters.data, hand->parameters.size);
    cairn_cbor_write_bytes(&writer, hand->body.data, hand->body.size);
    assert_false(writer.overflowed);
    return read_file(&file, writer.size, passphrase, &keys);
}

/* Keys sealed as the header says, with parameters that a test chooses. */
static enum cairn_status read_with_parameters(uint64_t memory_kib, uint64_t passes, bool seal)
{
    uint8_t parameters[64], keys_cbor[400], box[420] = {0}, kek[32];
    struct cairn_writer writer, body;
    unsigned long long box_bytes = 200;

    cairn_writer_init(&writer, parameters, sizeof parameters);
    cairn_cbor_write_array(&writer, 4);
    cairn_cbor_write_uint(&writer, memory_kib);
    cairn_cbor_write_uint(&writer, passes);
    cairn_cbor_write_bytes(&writer, file_entropy, 16);
    cairn_cbor_write_bytes(&writer, file_entropy + 16, 24);
    if (seal) {
        cairn_writer_init(&body, keys_cbor, sizeof keys_cbor);
        cairn_cbor_write_array(&body, 5);
        cairn_cbor_write_text(&body, "n", 1);
        for (int i = 0; i < 4; i++)
            cairn_cbor_write_bytes(&body, (const uint8_t[32]){1}, 32);
        assert_int_equal(crypto_pwhash(kek, sizeof kek, "horse", 5, file_entropy, passes,
                                       (size_t)memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13),
                         0);
        crypto_aead_xchacha20poly1305_ietf_encrypt(box, &box_bytes, keys_cbor, body.size,
                                                   parameters, writer.size, NULL, file_entropy + 16,
                                                   kek);
    }
    return read_hand(
        &(struct hand){"cairn-key-1", 1, cairn_writer_bytes(&writer), {box, (size_t)box_bytes}},
        text("horse"));
}

static void parameters_below_the_floor_and_above_the_ceiling_are_malformed(void **state)
{
    (void)state;
    assert_int_equal(read_with_parameters(19456, 2, true), CAIRN_OK);
    assert_int_equal(read_with_parameters(19455, 2, true), CAIRN_MALFORMED);
    assert_int_equal(read_with_parameters(19456, 1, true), CAIRN_MALFORMED);
    assert_int_equal(read_with_parameters(0, 0, false), CAIRN_MALFORMED);
    assert_int_equal(read_with_parameters(262144, 2, true), CAIRN_OK);
    assert_int_equal(read_with_parameters(19456, 16, true), CAIRN_OK);
    assert_int_equal(read_with_parameters(262145, 2, false), CAIRN_MALFORMED);
    assert_int_equal(read_with_parameters(19456, 17, false), CAIRN_MALFORMED);
    assert_int_equal(read_with_parameters(UINT64_MAX, UINT64_MAX, false), CAIRN_MALFORMED);
}

static void keys_are_sealed_with_32_mib_and_3_passes(void **state)
{
    static const uint8_t want[] = {0x84, 0x19, 0x80, 0x00, 0x03, 0x50, 's', 'a', 'l', 't'};

    (void)state;
    assert_true(holds(&sealed, want, sizeof want));
}

static void a_plain_file_of_another_form_is_malformed(void **state)
{
    const struct cairn_bytes none = {NULL, 0};
    /* ["cairn-key-1", 0, h'', body]: the body stands behind 1 + 12 + 1 + 1 + 2 bytes. */
    const struct cairn_bytes body = {plain.bytes + 17, plain.size - 17};
    uint8_t changed[FILE_BYTES], named[FILE_BYTES];
    struct cairn_writer writer;

    (void)state;
    assert_int_equal(read_hand(&(struct hand){"cairn-key-1", 0, none, body}, none), CAIRN_OK);
    assert_int_equal(read_hand(&(struct hand){"cairn-key-2", 0, none, body}, none),
                     CAIRN_MALFORMED);
    assert_int_equal(read_hand(&(struct hand){"cairn-key-1", 2, none, body}, none),
                     CAIRN_MALFORMED);
    assert_int_equal(read_hand(&(struct hand){"cairn-key-1", 0, body, body}, none),
                     CAIRN_MALFORMED);
    assert_int_equal(read_hand(&(struct hand){"cairn-key-1", 1, none, body}, none),
                     CAIRN_MALFORMED);
    memcpy(changed, body.data, body.size);
    changed[3] = '\0'; /* a name with a NUL in it */
    assert_int_equal(read_hand(&(struct hand){"cairn-key-1", 0, none, {changed, body.size}}, none),
                     CAIRN_MALFORMED);
    for (size_t name_bytes = CAIRN_NAME_MAX; name_bytes <= CAIRN_NAME_MAX + 1; name_bytes++) {
        char name[CAIRN_NAME_MAX + 1];
        memset(name, 'x', sizeof name);
        cairn_writer_init(&writer, named, sizeof named);
        cairn_cbor_write_array(&writer, 5);
        cairn_cbor_write_text(&writer, name, name_bytes);
        for (int i = 0; i < 4; i++)
            cairn_cbor_write_bytes(&writer, name, 32);
        assert_int_equal(
            read_hand(&(struct hand){"cairn-key-1", 0, none, cairn_writer_bytes(&writer)}, none),
            name_bytes == CAIRN_NAME_MAX ? CAIRN_OK : CAIRN_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_made_from_the_entropy_alone),
        cmocka_unit_test(released_keys_hold_nothing),
        cmocka_unit_test(a_plain_file_gives_the_keys_back_without_a_passphrase),
        cmocka_unit_test(a_sealed_file_gives_the_keys_back_for_its_passphrase_only),
        cmocka_unit_test(a_sealed_file_shows_neither_keys_nor_name),
        cmocka_unit_test(names_of_0_and_of_128_bytes_come_back),
        cmocka_unit_test(a_file_cut_short_is_malformed_at_every_length),
        cmocka_unit_test(a_sealed_file_with_a_byte_changed_does_not_open),
        cmocka_unit_test(parameters_below_the_floor_and_above_the_ceiling_are_malformed),
        cmocka_unit_test(keys_are_sealed_with_32_mib_and_3_passes),
        cmocka_unit_test(a_plain_file_of_another_form_is_malformed),
    };
    return cmocka_run_group_tests_name("keys", tests, files_write, NULL);
}
