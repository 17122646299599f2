/* The handshake engine by its promises; noise_vectors_test.c has the published handshakes. */

#include "cairn/noise.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "noise_pair.h"
#include "vectors.h"

static struct cairn_noise_key secret_of(uint8_t number)
{
    struct cairn_noise_key key;

    memset(key.bytes, number, sizeof(key.bytes));
    return key;
}

/* Sound keys for everything, but for the keys given. */
static void start(struct cairn_noise *noise, enum cairn_noise_pattern pattern, bool is_initiator,
                  const struct cairn_noise_key *remote_static)
{
    struct cairn_noise_key own = secret_of(is_initiator ? 1 : 2);
    struct cairn_noise_key ephemeral = secret_of(is_initiator ? 3 : 4);
    struct cairn_noise_config config = {
        .pattern = pattern,
        .is_initiator = is_initiator,
        .prologue = cairn_bytes_of_text("prologue"),
        .static_secret = &own,
        .ephemeral_secret = &ephemeral,
        .remote_static = remote_static,
    };

    cairn_noise_init(noise, &config);
}

/* A handshake up to message `index`, which is written but not read. */
static struct message pair_run_to(struct pair *pair, enum cairn_noise_pattern pattern,
                                  unsigned index)
{
    struct cairn_noise_key responder_secret = secret_of(2);
    struct cairn_noise_key responder = cairn_noise_public(&responder_secret);
    struct message message = {.size = 0};

    start(&pair->side[0], pattern, true, &responder);
    start(&pair->side[1], pattern, false, NULL);
    for (unsigned i = 0;; i++) {
        message = write_message(&pair->side[i % 2], cairn_bytes_of_text("payload"));
        if (i == index)
            return message;
        assert_int_equal(read_status(&pair->side[1 - i % 2], message_bytes(&message)), CAIRN_OK);
    }
}

static void pair_finish(struct pair *pair, enum cairn_noise_pattern pattern)
{
    unsigned last = message_counts[pattern] - 1;
    struct message message = pair_run_to(pair, pattern, last);

    assert_int_equal(read_status(&pair->side[1 - last % 2], message_bytes(&message)), CAIRN_OK);
}

/*
 * A message without any key yet (the first of XX) has a payload that nothing protects; what was
 * done to it comes out at the next message, because both sides hash what they saw.
 */
static void check_refused_now_or_next(struct pair *pair, unsigned index, struct cairn_bytes wire,
                                      size_t overhead)
{
    struct cairn_noise *writer = &pair->side[index % 2];
    struct cairn_noise *reader = &pair->side[1 - index % 2];
    bool is_protected = reader->has_key || overhead > CAIRN_NOISE_KEY_BYTES;
    enum cairn_status status = read_status(reader, wire);

    if (wire.size < overhead) {
        assert_int_equal(status, CAIRN_MALFORMED);
    } else if (is_protected) {
        assert_int_equal(status, CAIRN_BAD_SIGNATURE);
    } else {
        struct message next;

        assert_int_equal(status, CAIRN_OK);
        next = write_message(reader, cairn_bytes_of_text("next"));
        assert_int_equal(read_status(writer, message_bytes(&next)), CAIRN_BAD_SIGNATURE);
    }
}

static void a_message_cut_at_any_byte_is_refused(void **state)
{
    size_t cut_count = 0;

    (void)state;
    for (unsigned p = 0; p < CAIRN_NOISE_PATTERN_COUNT; p++) {
        for (unsigned index = 0; index < message_counts[p]; index++) {
            struct pair pair;
            size_t whole = pair_run_to(&pair, (enum cairn_noise_pattern)p, index).size;

            for (size_t size = 0; size < whole; size++) {
                struct message message = pair_run_to(&pair, (enum cairn_noise_pattern)p, index);

                message.size = size;
                check_refused_now_or_next(&pair, index, message_bytes(&message), whole - 7);
                cut_count++;
            }
        }
    }
    print_message("cuts: %zu\n", cut_count);
    assert_int_not_equal(cut_count, 0);
}

static void any_bit_changed_in_an_ik_message_is_refused(void **state)
{
    size_t flip_count = 0;

    (void)state;
    for (unsigned index = 0; index < 2; index++) {
        struct pair pair;
        size_t bit_count = 8 * pair_run_to(&pair, CAIRN_NOISE_IK, index).size;

        for (size_t bit = 0; bit < bit_count; bit++) {
            struct message message = pair_run_to(&pair, CAIRN_NOISE_IK, index);

            message.data[bit / 8] = (uint8_t)(message.data[bit / 8] ^ 1U << bit % 8);
            assert_int_equal(read_status(&pair.side[1 - index], message_bytes(&message)),
                             CAIRN_BAD_SIGNATURE);
            flip_count++;
        }
    }
    print_message("bits changed: %zu\n", flip_count);
    assert_int_not_equal(flip_count, 0);
}

static void a_message_over_the_limit_is_not_written_and_the_handshake_goes_on(void **state)
{
    static const uint8_t zeros[CAIRN_NOISE_MESSAGE_MAX];
    uint8_t wire[CAIRN_NOISE_MESSAGE_MAX + 1], plain[CAIRN_NOISE_MESSAGE_MAX + 1];
    struct pair pair;
    struct cairn_writer out;
    struct cairn_bytes payload = {zeros, 0};

    (void)state;
    (void)pair_run_to(&pair, CAIRN_NOISE_IK, 0);
    start(&pair.side[0], CAIRN_NOISE_IK, true, &pair.side[1].static_public);
    cairn_writer_init(&out, wire, sizeof(wire));
    payload.size = CAIRN_NOISE_MESSAGE_MAX - cairn_noise_overhead(&pair.side[0]) + 1;
    assert_int_equal(cairn_noise_write(&pair.side[0], payload, &out), CAIRN_LIMIT);
    assert_int_equal(out.size, 0);

    payload.size--;
    assert_int_equal(cairn_noise_write(&pair.side[0], payload, &out), CAIRN_OK);
    assert_int_equal(out.size, CAIRN_NOISE_MESSAGE_MAX);
    payload = cairn_writer_bytes(&out);
    cairn_writer_init(&out, plain, sizeof(plain));
    assert_int_equal(cairn_noise_read(&pair.side[1], payload, &out), CAIRN_OK);

    wire[CAIRN_NOISE_MESSAGE_MAX] = 0;
    payload.size = sizeof(wire);
    cairn_writer_init(&out, plain, sizeof(plain));
    start(&pair.side[1], CAIRN_NOISE_IK, false, NULL);
    assert_int_equal(cairn_noise_read(&pair.side[1], payload, &out), CAIRN_MALFORMED);
    assert_int_equal(out.size, 0);
}

static bool is_wiped(const struct cairn_noise *noise)
{
    return sodium_is_zero(noise->static_secret.bytes, CAIRN_NOISE_KEY_BYTES) &&
           sodium_is_zero(noise->ephemeral_secret.bytes, CAIRN_NOISE_KEY_BYTES) &&
           sodium_is_zero(noise->cipher.key.bytes, CAIRN_NOISE_KEY_BYTES);
}

static void after_a_failure_every_call_fails_the_same_way_and_no_secret_is_left(void **state)
{
    static const enum cairn_status reasons[] = {CAIRN_MALFORMED, CAIRN_BAD_SIGNATURE};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair pair;
        struct message message = pair_run_to(&pair, CAIRN_NOISE_IK, 0);
        struct message cut = message;
        struct cairn_writer out;

        cut.size = reasons[i] == CAIRN_MALFORMED ? 95 : message.size - 1;
        assert_int_equal(read_status(&pair.side[1], message_bytes(&cut)), reasons[i]);
        assert_true(is_wiped(&pair.side[1]));
        assert_int_equal(cairn_noise_overhead(&pair.side[1]), 0);
        cairn_writer_init(&out, cut.data, sizeof(cut.data));
        assert_int_equal(cairn_noise_write(&pair.side[1], cairn_bytes_of_text("late"), &out),
                         reasons[i]);
        assert_int_equal(out.size, 0);
        assert_int_equal(read_status(&pair.side[1], message_bytes(&message)), reasons[i]);
    }
}

static void nothing_but_the_session_is_left_after_the_last_message(void **state)
{
    (void)state;
    for (unsigned p = 0; p < CAIRN_NOISE_PATTERN_COUNT; p++) {
        static const struct cairn_noise zeros;
        struct pair pair;

        pair_finish(&pair, (enum cairn_noise_pattern)p);
        for (unsigned i = 0; i < 2; i++) {
            assert_true(is_wiped(&pair.side[i]));
            cairn_noise_release(&pair.side[i]);
            assert_memory_equal(&pair.side[i].chaining_key, &zeros.chaining_key, 32);
        }
    }
}

/* The u-coordinates of small order, https://cr.yp.to/ecdh.html#validate, below the prime. */
static const char *const low_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};
#define LOW_ORDER_COUNT (sizeof(low_order) / sizeof(low_order[0]))

/* A public key as it is, or with the bit set that X25519 does not look at. */
static enum cairn_status key_status(const char *hex, uint8_t highest_bit)
{
    struct cairn_noise_key key;

    assert_true(vectors_unhex_into(hex, key.bytes, sizeof(key.bytes)));
    key.bytes[31] |= highest_bit;
    return cairn_noise_key_check(&key);
}

static void a_key_of_low_order_is_refused_in_any_encoding_and_no_other_key_is(void **state)
{
    static const char *const above_the_prime[] = {
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 0 again */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 1 again */
    };

    (void)state;
    for (uint8_t bit = 0; bit < 2; bit++) {
        for (size_t i = 0; i < LOW_ORDER_COUNT; i++)
            assert_int_equal(key_status(low_order[i], (uint8_t)(bit << 7)), CAIRN_REFUSED);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(key_status(above_the_prime[i], (uint8_t)(bit << 7)), CAIRN_REFUSED);
    }
    for (unsigned number = 2; number < 256; number++) { /* small u: on the curve and on its twist */
        struct cairn_noise_key small = {{(uint8_t)number}};
        struct cairn_noise_key secret = secret_of((uint8_t)number);
        struct cairn_noise_key public = cairn_noise_public(&secret);

        assert_int_equal(cairn_noise_key_check(&small), CAIRN_OK);
        assert_int_equal(cairn_noise_key_check(&public), CAIRN_OK);
    }
}

static void nothing_is_written_to_a_low_order_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < LOW_ORDER_COUNT; i++) {
        uint8_t buffer[MESSAGE_MAX] = {7};
        struct cairn_noise_key key;
        struct cairn_noise noise;
        struct cairn_writer out;

        assert_true(vectors_unhex_into(low_order[i], key.bytes, sizeof(key.bytes)));
        start(&noise, CAIRN_NOISE_IK, true, &key);
        cairn_writer_init(&out, buffer, sizeof(buffer));
        cairn_write_u8(&out, 7);
        for (unsigned times = 0; times < 2; times++) {
            assert_int_equal(cairn_noise_write(&noise, cairn_bytes_of_text("secret"), &out),
                             CAIRN_REFUSED);
            assert_int_equal(out.size, 1);
        }
        assert_true(is_wiped(&noise));
    }
}

static void a_low_order_ephemeral_key_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < LOW_ORDER_COUNT; i++) {
        for (unsigned index = 0; index < 2; index++) {
            struct pair pair;
            struct message message = pair_run_to(&pair, CAIRN_NOISE_IK, index);

            assert_true(vectors_unhex_into(low_order[i], message.data, CAIRN_NOISE_KEY_BYTES));
            assert_int_equal(read_status(&pair.side[1 - index], message_bytes(&message)),
                             CAIRN_BAD_SIGNATURE);
        }
    }
}

/* XX sends its first key in the open: only the writer of the answer can notice. */
static void an_answer_to_a_low_order_ephemeral_key_is_refused(void **state)
{
    struct pair pair;
    struct message message = pair_run_to(&pair, CAIRN_NOISE_XX, 0);
    struct cairn_writer out;

    (void)state;
    assert_true(vectors_unhex_into(low_order[0], message.data, CAIRN_NOISE_KEY_BYTES));
    assert_int_equal(read_status(&pair.side[1], message_bytes(&message)), CAIRN_OK);
    cairn_writer_init(&out, message.data, sizeof(message.data));
    assert_int_equal(cairn_noise_write(&pair.side[1], cairn_bytes_of_text("x"), &out),
                     CAIRN_REFUSED);
    assert_int_equal(out.size, 0);
    assert_int_equal(read_status(&pair.side[1], message_bytes(&message)), CAIRN_REFUSED);
}

static enum cairn_status open_status(struct cairn_noise_cipher *cipher, struct cairn_bytes sealed)
{
    uint8_t plain[MESSAGE_MAX];
    struct cairn_writer out;
    enum cairn_status status = CAIRN_OK;

    cairn_writer_init(&out, plain, sizeof(plain));
    status = cairn_noise_open(cipher, sealed, &out);
    if (status != CAIRN_OK)
        assert_int_equal(out.size, 0);
    return status;
}

static void a_transport_message_over_the_limit_does_not_open(void **state)
{
    static const uint8_t zeros[CAIRN_NOISE_MESSAGE_MAX + 1];
    struct cairn_noise_cipher cipher = {.nonce = 0};

    (void)state;
    assert_int_equal(open_status(&cipher, (struct cairn_bytes){zeros, sizeof(zeros)}),
                     CAIRN_BAD_SIGNATURE);
}

static void both_sides_know_each_other_after_the_handshake(void **state)
{
    static const enum cairn_noise_pattern mutual[] = {CAIRN_NOISE_XK, CAIRN_NOISE_XX,
                                                      CAIRN_NOISE_IK};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct pair pair;

        pair_finish(&pair, mutual[i]);
        for (unsigned side = 0; side < 2; side++) {
            struct cairn_noise_key secret = secret_of((uint8_t)(2 - side));
            struct cairn_noise_key want = cairn_noise_public(&secret);
            struct cairn_noise_key got = cairn_noise_remote_static(&pair.side[side]);

            assert_memory_equal(got.bytes, want.bytes, sizeof(want.bytes));
        }
    }
}

static void a_transport_message_opens_once_in_order_unchanged_and_on_the_other_side(void **state)
{
    struct pair pair;
    struct cairn_noise_cipher send[2], receive[2];
    uint8_t buffer[2][64];
    struct cairn_writer out[2];

    (void)state;
    pair_finish(&pair, CAIRN_NOISE_IK);
    for (unsigned i = 0; i < 2; i++) {
        cairn_noise_split(&pair.side[i], &send[i], &receive[i]);
        cairn_writer_init(&out[i], buffer[i], sizeof(buffer[i]));
    }
    for (unsigned i = 0; i < 2; i++)
        cairn_noise_seal(&send[0], cairn_bytes_of_text("same"), &out[i]);

    assert_int_equal(open_status(&receive[0], cairn_writer_bytes(&out[0])), CAIRN_BAD_SIGNATURE);
    assert_int_equal(open_status(&receive[1], cairn_writer_bytes(&out[1])), CAIRN_BAD_SIGNATURE);
    for (size_t size = 0; size < out[0].size; size++) {
        assert_int_equal(open_status(&receive[1], (struct cairn_bytes){buffer[0], size}),
                         CAIRN_BAD_SIGNATURE);
        buffer[0][size] ^= 1;
        assert_int_equal(open_status(&receive[1], cairn_writer_bytes(&out[0])),
                         CAIRN_BAD_SIGNATURE);
        buffer[0][size] ^= 1;
    }
    assert_int_equal(open_status(&receive[1], cairn_writer_bytes(&out[0])), CAIRN_OK);
    assert_int_equal(open_status(&receive[1], cairn_writer_bytes(&out[0])), CAIRN_BAD_SIGNATURE);
    assert_int_equal(open_status(&receive[1], cairn_writer_bytes(&out[1])), CAIRN_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_cut_at_any_byte_is_refused),
        cmocka_unit_test(any_bit_changed_in_an_ik_message_is_refused),
        cmocka_unit_test(a_message_over_the_limit_is_not_written_and_the_handshake_goes_on),
        cmocka_unit_test(after_a_failure_every_call_fails_the_same_way_and_no_secret_is_left),
        cmocka_unit_test(nothing_but_the_session_is_left_after_the_last_message),
        cmocka_unit_test(a_key_of_low_order_is_refused_in_any_encoding_and_no_other_key_is),
        cmocka_unit_test(nothing_is_written_to_a_low_order_key),
        cmocka_unit_test(a_low_order_ephemeral_key_is_refused),
        cmocka_unit_test(an_answer_to_a_low_order_ephemeral_key_is_refused),
        cmocka_unit_test(a_transport_message_over_the_limit_does_not_open),
        cmocka_unit_test(both_sides_know_each_other_after_the_handshake),
        cmocka_unit_test(a_transport_message_opens_once_in_order_unchanged_and_on_the_other_side),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("noise", tests, NULL, NULL);
}
