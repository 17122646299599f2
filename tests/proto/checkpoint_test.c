/* The text of a checkpoint, its signature, and the note around both. */

#include "cairn/checkpoint.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "made_up.h"

static struct cairn_verifier verifier;

static int start_sodium(void **state)
{
    (void)state;
    if (sodium_init() < 0)
        return -1;
    cairn_verifier_init(&verifier);
    return 0;
}

static struct cairn_checkpoint example(void)
{
    struct cairn_checkpoint checkpoint = {.scope = {5133},
                                          .channel = CAIRN_CHANNEL_RECORDS,
                                          .epoch = 2,
                                          .size = 1234567,
                                          .time_s = 1700000000,
                                          .held_count = 2};

    checkpoint.network = hash_of(0xab);
    checkpoint.root = hash_of(0);
    checkpoint.digest = hash_of(0xff);
    checkpoint.held[0] = (struct cairn_held){hash_of(0x11), 7};
    checkpoint.held[1] = (struct cairn_held){hash_of(0x12), UINT32_MAX};
    return checkpoint;
}

#define HEX_AB "abababababababababababababababababababababababababababababababab"
#define HEX_11 "1111111111111111111111111111111111111111111111111111111111111111"
#define HEX_12 "1212121212121212121212121212121212121212121212121212121212121212"

/* 32 bytes are 42 digits of six bits and one of four, which two zero bits fill up. */
static const char example_body[] = "cairn/" HEX_AB "/5133/1/2\n"
                                   "1234567\n"
                                   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                                   "time 1700000000\n"
                                   "state //////////////////////////////////////////8=\n"
                                   "held " HEX_11 ":7 " HEX_12 ":4294967295\n";

static struct cairn_bytes write_body(const struct cairn_checkpoint *checkpoint,
                                     uint8_t out_bytes[static CAIRN_NOTE_MAX])
{
    struct cairn_writer writer;

    cairn_writer_init(&writer, out_bytes, CAIRN_NOTE_MAX);
    cairn_checkpoint_body_write(&writer, checkpoint);
    assert_false(writer.overflowed);
    return cairn_writer_bytes(&writer);
}

/* A signed note of `checkpoint` by the key of seed 1. */
static struct cairn_bytes write_note(const struct cairn_checkpoint *checkpoint,
                                     uint8_t out_bytes[static CAIRN_NOTE_MAX])
{
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    struct cairn_signature signature;
    struct cairn_writer writer;

    cairn_checkpoint_sign(&secret, checkpoint, &signature);
    cairn_writer_init(&writer, out_bytes, CAIRN_NOTE_MAX);
    cairn_note_write(&writer, checkpoint, &key, &signature);
    assert_false(writer.overflowed);
    return cairn_writer_bytes(&writer);
}

/* Read and verify with the key of seed 1; the first of both that says no. */
static enum cairn_status judge(struct cairn_bytes note)
{
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    struct cairn_reader reader;
    struct cairn_note read;

    cairn_reader_init(&reader, note);
    enum cairn_status status = cairn_note_read(&reader, &read);
    if (status == CAIRN_OK)
        status = cairn_reader_end(&reader);
    if (status == CAIRN_OK && !cairn_note_is_of(&read, &key))
        status = CAIRN_MALFORMED;
    if (status == CAIRN_OK &&
        !cairn_checkpoint_verify(&verifier, &key, &read.checkpoint, &read.signature))
        status = CAIRN_BAD_SIGNATURE;
    return status;
}

static void expect_text(struct cairn_bytes got, const char *want)
{
    if (!cairn_bytes_equal(got, cairn_bytes_of_text(want)))
        fail_msg("got\n%.*s\nwant\n%s", (int)got.size, (const char *)got.data, want);
}

static void the_body_is_the_text_of_section_6(void **state)
{
    struct cairn_checkpoint checkpoint = example();
    uint8_t buffer[CAIRN_NOTE_MAX];

    (void)state;
    expect_text(write_body(&checkpoint, buffer), example_body);
}

static void held_stands_alone_where_there_are_none(void **state)
{
    struct cairn_checkpoint checkpoint = example();
    uint8_t buffer[CAIRN_NOTE_MAX];

    (void)state;
    checkpoint.scope.code = 0;
    checkpoint.channel = CAIRN_CHANNEL_AUTHORITY;
    checkpoint.epoch = 0;
    checkpoint.size = 0;
    checkpoint.time_s = 0;
    checkpoint.held_count = 0;
    expect_text(write_body(&checkpoint, buffer),
                "cairn/" HEX_AB "/0/0/0\n0\n"
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 0\n"
                "state //////////////////////////////////////////8=\nheld\n");
    assert_int_equal(judge(write_note(&checkpoint, buffer)), CAIRN_OK);
}

static void the_signature_is_plain_ed25519_over_the_body(void **state)
{
    struct cairn_checkpoint checkpoint = example();
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    struct cairn_signature signature;

    (void)state;
    cairn_checkpoint_sign(&secret, &checkpoint, &signature);
    assert_int_equal(crypto_sign_verify_detached(signature.bytes,
                                                 (const unsigned char *)example_body,
                                                 sizeof(example_body) - 1, key.bytes),
                     0);
    assert_true(cairn_checkpoint_verify(&verifier, &key, &checkpoint, &signature));
}

/* The note's last line by another way: hash, key id and base64 of fixed strings. */
static void the_note_ends_with_one_line_of_key_id_and_signature(void **state)
{
    static const char name[] = "cairn/" HEX_AB "/5133/1/2";
    struct cairn_checkpoint checkpoint = example();
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    uint8_t hashed[sizeof(name) + 1 + 32];
    uint8_t buffer[CAIRN_NOTE_MAX];
    struct cairn_bytes note = write_note(&checkpoint, buffer);
    uint8_t hash[32];
    uint8_t line[4 + 64];
    char base64[93];
    char want[CAIRN_NOTE_MAX];

    (void)state;
    memcpy(hashed, name, sizeof(name) - 1);
    hashed[sizeof(name) - 1] = 0x0a;
    hashed[sizeof(name)] = 0x01;
    memcpy(hashed + sizeof(name) + 1, key.bytes, 32);
    crypto_hash_sha256(hash, hashed, sizeof(hashed));
    memcpy(line, hash, 4);
    crypto_sign_detached(line + 4, NULL, (const unsigned char *)example_body,
                         sizeof(example_body) - 1, secret.bytes);
    sodium_bin2base64(base64, sizeof(base64), line, sizeof(line), sodium_base64_VARIANT_ORIGINAL);
    assert_int_equal(strlen(base64), 92);
    (void)snprintf(want, sizeof(want), "%s\n— %s %s\n", example_body, name, base64);
    expect_text(note, want);
}

static void a_note_reads_back_whole(void **state)
{
    struct cairn_checkpoint checkpoint = example();
    struct cairn_note read;
    struct cairn_checkpoint found;
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    struct cairn_signature signature;
    struct cairn_reader reader;
    uint8_t buffer[CAIRN_NOTE_MAX];
    uint8_t body[CAIRN_NOTE_MAX];
    struct cairn_bytes note = write_note(&checkpoint, buffer);

    (void)state;
    cairn_checkpoint_sign(&secret, &checkpoint, &signature);
    cairn_reader_init(&reader, note);
    assert_int_equal(cairn_note_read(&reader, &read), CAIRN_OK);
    assert_int_equal(cairn_reader_left(&reader), 0);
    assert_true(cairn_note_is_of(&read, &key));
    assert_memory_equal(&read.signature, &signature, sizeof(signature));
    found = read.checkpoint;
    assert_true(cairn_hash_equal(&found.network, &checkpoint.network));
    assert_int_equal(found.scope.code, 5133);
    assert_int_equal(found.channel, CAIRN_CHANNEL_RECORDS);
    assert_int_equal(found.epoch, 2);
    assert_int_equal(found.size, 1234567);
    assert_true(cairn_hash_equal(&found.root, &checkpoint.root));
    assert_int_equal(found.time_s, 1700000000);
    assert_true(cairn_hash_equal(&found.digest, &checkpoint.digest));
    assert_int_equal(found.held_count, 2);
    assert_true(cairn_hash_equal(&found.held[1].log, &checkpoint.held[1].log));
    assert_int_equal(found.held[1].size, UINT32_MAX);
    expect_text(write_body(&found, body), example_body);
    assert_int_equal(judge(note), CAIRN_OK);
}

static void the_largest_checkpoint_fits_into_a_note(void **state)
{
    struct cairn_checkpoint checkpoint = example();
    uint8_t buffer[CAIRN_NOTE_MAX];

    (void)state;
    checkpoint.scope.code = 999999999999;
    checkpoint.epoch = UINT64_MAX;
    checkpoint.size = UINT64_MAX;
    checkpoint.time_s = UINT64_MAX;
    checkpoint.held_count = CAIRN_HELD_MAX;
    for (uint8_t i = 0; i < CAIRN_HELD_MAX; i++)
        checkpoint.held[i] = (struct cairn_held){hash_of(i), UINT32_MAX};
    assert_int_equal(judge(write_note(&checkpoint, buffer)), CAIRN_OK);
}

static void a_note_cut_anywhere_or_with_a_byte_more_is_malformed(void **state)
{
    struct cairn_checkpoint checkpoint = example();
    uint8_t buffer[CAIRN_NOTE_MAX] = {0};
    struct cairn_bytes note = write_note(&checkpoint, buffer);

    (void)state;
    buffer[note.size] = '\n';
    for (size_t size = 0; size <= note.size + 1; size++) {
        uint8_t *copy = malloc(size > 0 ? size : 1);

        assert_non_null(copy);
        memcpy(copy, buffer, size);
        if (size != note.size)
            assert_int_equal(judge((struct cairn_bytes){copy, size}), CAIRN_MALFORMED);
        free(copy);
    }
}

static void a_note_with_any_bit_flipped_is_refused(void **state)
{
    struct cairn_checkpoint checkpoint = example();
    uint8_t buffer[CAIRN_NOTE_MAX];
    struct cairn_bytes note = write_note(&checkpoint, buffer);
    unsigned malformed = 0;
    unsigned forged = 0;

    (void)state;
    for (size_t bit = 0; bit < 8 * note.size; bit++) {
        enum cairn_status status;

        buffer[bit / 8] ^= (uint8_t)(1 << bit % 8);
        status = judge(note);
        if (status == CAIRN_OK)
            fail_msg("bit %zu makes no difference", bit);
        malformed += status == CAIRN_MALFORMED;
        forged += status == CAIRN_BAD_SIGNATURE;
        buffer[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    print_message("flipped bits: %u malformed, %u bad signature\n", malformed, forged);
    assert_int_equal(malformed + forged, 8 * note.size);
    assert_true(malformed > 0 && forged > 0);
    assert_int_equal(judge(note), CAIRN_OK);
}

/* The note of the example with the first `from` replaced by `to`. */
static enum cairn_status judge_changed(const char *from, const char *to)
{
    struct cairn_checkpoint checkpoint = example();
    uint8_t buffer[CAIRN_NOTE_MAX];
    struct cairn_bytes note = write_note(&checkpoint, buffer);
    char text[CAIRN_NOTE_MAX + 1];
    char changed[2 * CAIRN_NOTE_MAX];
    const char *place;
    int size;

    memcpy(text, note.data, note.size);
    text[note.size] = '\0';
    place = strstr(text, from);
    if (place == NULL)
        fail_msg("the note does not hold \"%s\"", from);
    size = snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(place - text), text, to,
                    place + strlen(from));
    assert_true(size > 0 && (size_t)size < sizeof(changed));
    return judge((struct cairn_bytes){(const uint8_t *)changed, (size_t)size});
}

static void another_spelling_of_the_same_checkpoint_is_malformed(void **state)
{
    static const char *const changes[][2] = {
        {"/5133/", "/05133/"},
        {"/5133/", "/+5133/"},
        {"/1/2\n", "/01/2\n"},
        {"/1/2\n", "/1/02\n"},
        {"/1/2\n", "/1/\n"},
        {"\n1234567\n", "\n01234567\n"},
        {"\n1234567\n", "\n 1234567\n"},
        {"\n1234567\n", "\r\n1234567\n"},
        {"cairn/ab", "cairn/AB"},
        {"cairn/ab", "Cairn/ab"},
        {"AAA=\n", "AAA\n"},
        {"AAA=\n", "AAB=\n"}, /* the bits that fill up are not zero */
        {"8=\n", "9=\n"},
        {"//8=", "__8="},
        {"time 1700000000", "time  1700000000"},
        {"time 1700000000", "time 01700000000"},
        {"held ", "held  "},
        {":7 ", ":07 "},
        {":7 ", ":7  "},
        {":4294967295\n", ":4294967295 \n"},
        {"\n\n", "\n\n\n"},
        {"\n\n", "\nextension\n\n"},
        {"\n— ", "\n- "},
        {"\n— ", "\n—  "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        enum cairn_status status = judge_changed(changes[i][0], changes[i][1]);

        if (status != CAIRN_MALFORMED)
            fail_msg("change %zu: got %s", i, cairn_status_name(status));
    }
}

static void numbers_beyond_their_limit_are_malformed(void **state)
{
    (void)state;
    assert_int_equal(judge_changed("\n1234567\n", "\n18446744073709551616\n"), CAIRN_MALFORMED);
    assert_int_equal(judge_changed("\n1234567\n", "\n99999999999999999999999\n"), CAIRN_MALFORMED);
    assert_int_equal(judge_changed(":4294967295\n", ":4294967296\n"), CAIRN_MALFORMED);
    assert_int_equal(judge_changed("/5133/1/", "/513/1/"), CAIRN_MALFORMED);
    assert_int_equal(judge_changed("/5133/1/", "/5133/3/"), CAIRN_MALFORMED);
    /* Both in the first line and well-formed, but the signature line still has the old name. */
    assert_int_equal(judge_changed("/5133/1/", "/5134/1/"), CAIRN_MALFORMED);
    /* Outside the first line nothing repeats the number: only the signature tells. */
    assert_int_equal(judge_changed("\n1234567\n", "\n18446744073709551615\n"), CAIRN_BAD_SIGNATURE);
}

static void held_logs_out_of_order_or_twice_or_too_many_are_malformed(void **state)
{
    static char many[(CAIRN_HELD_MAX + 1) * 80];
    size_t size = 0;

    (void)state;
    assert_int_equal(judge_changed(HEX_11 ":7 " HEX_12, HEX_12 ":7 " HEX_11), CAIRN_MALFORMED);
    assert_int_equal(judge_changed(HEX_12, HEX_11), CAIRN_MALFORMED);
    for (unsigned i = 0; i <= CAIRN_HELD_MAX; i++)
        size += (size_t)snprintf(many + size, sizeof(many) - size, " %064x:1", i);
    assert_int_equal(judge_changed(" " HEX_11 ":7 " HEX_12 ":4294967295", many), CAIRN_MALFORMED);
    many[size - 67] = '\0'; /* without the last one */
    assert_int_equal(judge_changed(" " HEX_11 ":7 " HEX_12 ":4294967295", many),
                     CAIRN_BAD_SIGNATURE);
}

static void a_note_is_known_by_its_key_id_and_one_that_is_none_leaves_its_output(void **state)
{
    struct cairn_checkpoint checkpoint = example();
    struct cairn_note read;
    struct cairn_sign_secret secret;
    struct cairn_sign_public other = key_pair(2, &secret);
    uint8_t buffer[CAIRN_NOTE_MAX];
    struct cairn_bytes note = write_note(&checkpoint, buffer);
    struct cairn_reader reader;

    (void)state;
    cairn_reader_init(&reader, note);
    assert_int_equal(cairn_note_read(&reader, &read), CAIRN_OK);
    assert_false(cairn_note_is_of(&read, &other));
    read.checkpoint.epoch = 77;
    note.size--;
    cairn_reader_init(&reader, note);
    assert_int_equal(cairn_note_read(&reader, &read), CAIRN_MALFORMED);
    assert_true(reader.failed);
    assert_int_equal(read.checkpoint.epoch, 77);
}

static void notes_stand_one_behind_another(void **state)
{
    struct cairn_checkpoint checkpoint = example();
    uint8_t buffer[2 * CAIRN_NOTE_MAX];
    struct cairn_bytes one = write_note(&checkpoint, buffer);
    struct cairn_reader reader;
    struct cairn_note read;

    (void)state;
    checkpoint.epoch++;
    struct cairn_bytes two = write_note(&checkpoint, buffer + one.size);
    cairn_reader_init(&reader, (struct cairn_bytes){buffer, one.size + two.size});
    assert_int_equal(cairn_note_read(&reader, &read), CAIRN_OK);
    assert_int_equal(cairn_reader_left(&reader), two.size);
    assert_int_equal(read.checkpoint.epoch, checkpoint.epoch - 1);
    assert_int_equal(cairn_note_read(&reader, &read), CAIRN_OK);
    assert_int_equal(read.checkpoint.epoch, checkpoint.epoch);
    assert_int_equal(cairn_reader_left(&reader), 0);
}

static void a_signature_holds_for_one_key_and_every_field(void **state)
{
    struct cairn_checkpoint good = example();
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    struct cairn_sign_secret other_secret;
    struct cairn_sign_public other_key = key_pair(2, &other_secret);
    struct cairn_signature signature;
    struct cairn_checkpoint changed[10];

    (void)state;
    cairn_checkpoint_sign(&secret, &good, &signature);
    assert_false(cairn_checkpoint_verify(&verifier, &other_key, &good, &signature));
    for (size_t i = 0; i < 10; i++)
        changed[i] = good;
    changed[0].network.bytes[0] ^= 1;
    changed[1].scope.code = 51;
    changed[2].channel = CAIRN_CHANNEL_FUNDS;
    changed[3].epoch++;
    changed[4].size++;
    changed[5].root.bytes[31] ^= 1;
    changed[6].time_s++;
    changed[7].digest.bytes[31] ^= 1;
    changed[8].held[0].size++;
    changed[9].held_count = 1;
    for (size_t i = 0; i < 10; i++)
        assert_false(cairn_checkpoint_verify(&verifier, &key, &changed[i], &signature));
    assert_true(cairn_checkpoint_verify(&verifier, &key, &good, &signature));
}

static void a_checkpoint_that_has_no_text_does_not_verify(void **state)
{
    struct cairn_checkpoint good = example();
    struct cairn_checkpoint changed[4] = {good, good, good, good};
    struct cairn_sign_secret secret;
    struct cairn_sign_public key = key_pair(1, &secret);
    struct cairn_signature signature;

    (void)state;
    cairn_checkpoint_sign(&secret, &good, &signature);
    changed[0].scope.code = 513;
    changed[1].channel = CAIRN_CHANNEL_COUNT;
    changed[2].held_count = CAIRN_HELD_MAX + 1;
    changed[3].held[0] = good.held[1];
    for (size_t i = 0; i < 4; i++)
        assert_false(cairn_checkpoint_verify(&verifier, &key, &changed[i], &signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_body_is_the_text_of_section_6),
        cmocka_unit_test(held_stands_alone_where_there_are_none),
        cmocka_unit_test(the_signature_is_plain_ed25519_over_the_body),
        cmocka_unit_test(the_note_ends_with_one_line_of_key_id_and_signature),
        cmocka_unit_test(a_note_reads_back_whole),
        cmocka_unit_test(the_largest_checkpoint_fits_into_a_note),
        cmocka_unit_test(a_note_cut_anywhere_or_with_a_byte_more_is_malformed),
        cmocka_unit_test(a_note_with_any_bit_flipped_is_refused),
        cmocka_unit_test(another_spelling_of_the_same_checkpoint_is_malformed),
        cmocka_unit_test(numbers_beyond_their_limit_are_malformed),
        cmocka_unit_test(held_logs_out_of_order_or_twice_or_too_many_are_malformed),
        cmocka_unit_test(a_note_is_known_by_its_key_id_and_one_that_is_none_leaves_its_output),
        cmocka_unit_test(notes_stand_one_behind_another),
        cmocka_unit_test(a_signature_holds_for_one_key_and_every_field),
        cmocka_unit_test(a_checkpoint_that_has_no_text_does_not_verify),
    };

    return cmocka_run_group_tests_name("checkpoint", tests, start_sodium, NULL);
}
