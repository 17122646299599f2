/* Payloads, plain or zstd: what comes from a stranger is unpacked within its limit, or refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "pack.h"

#define MANY_BYTES 3000u
#define FRAME_AT 1u  /* behind the byte of the form */
#define HEADER_AT 5u /* behind the frame's magic number */

static struct cairn_packer *packer;
static struct cairn_arena arena;

static int setup(void **state)
{
    (void)state;
    packer = cairn_packer_new();
    assert_non_null(packer);
    cairn_arena_init(&arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cairn_arena_release(&arena);
    cairn_packer_free(packer);
    return 0;
}

/* `size` bytes of one letter, packed as they travel. */
static struct cairn_buffer packed_many(size_t size)
{
    struct cairn_buffer out;
    uint8_t *plain = malloc(size);

    assert_non_null(plain);
    memset(plain, 'a', size);
    cairn_buffer_init(&out, 2 * size + 1024);
    assert_int_equal(
        cairn_payload_pack(packer, CAIRN_PAYLOAD_TRAVELS, (struct cairn_bytes){plain, size}, &out),
        CAIRN_OK);
    assert_int_equal(out.data[0], 1);
    free(plain);
    return out;
}

static void expect_unpacked(struct cairn_bytes payload, size_t size)
{
    struct cairn_bytes plain;

    assert_int_equal(cairn_payload_unpack(packer, &arena, payload, &plain), CAIRN_OK);
    assert_int_equal(plain.size, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(plain.data[i], 'a');
}

/* Refused, and nothing is given out. */
static void expect_malformed(struct cairn_bytes payload)
{
    struct cairn_bytes plain = {NULL, 77};

    assert_int_equal(cairn_payload_unpack(packer, &arena, payload, &plain), CAIRN_MALFORMED);
    assert_null(plain.data);
    assert_int_equal(plain.size, 77);
}

static void what_was_packed_comes_back(void **state)
{
    const uint8_t plain[] = {0, 'a', 'a'};
    const size_t sizes[] = {100, MANY_BYTES, CAIRN_MESSAGE_UNPACKED_MAX};

    (void)state;
    expect_unpacked((struct cairn_bytes){plain, sizeof plain}, 2);
    expect_unpacked((struct cairn_bytes){plain, 1}, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct cairn_buffer out = packed_many(sizes[i]);
        expect_unpacked((struct cairn_bytes){out.data, out.size}, sizes[i]);
        cairn_buffer_release(&out);
    }
}

static void a_form_that_nobody_knows_is_malformed(void **state)
{
    const uint8_t other[] = {2, 'a'};

    (void)state;
    expect_malformed((struct cairn_bytes){other, sizeof other});
    expect_malformed((struct cairn_bytes){other, 0});
}

static void a_size_beyond_the_limit_is_malformed(void **state)
{
    /* One segment of 2^40 bytes, stated in eight bytes, and of as many as there are. */
    uint8_t huge[] = {1, 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0};
    struct cairn_buffer out = packed_many(CAIRN_MESSAGE_UNPACKED_MAX + 1);

    (void)state;
    expect_malformed((struct cairn_bytes){out.data, out.size});
    expect_malformed((struct cairn_bytes){huge, sizeof huge});
    memset(huge + HEADER_AT + 1, 0xff, 8);
    expect_malformed((struct cairn_bytes){huge, sizeof huge});
    cairn_buffer_release(&out);
}

static void a_frame_that_states_no_size_is_malformed(void **state)
{
    /* A window instead, and one empty block, which is the last. */
    const uint8_t unsized[] = {1, 0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, 1, 0, 0};

    (void)state;
    expect_malformed((struct cairn_bytes){unsized, sizeof unsized});
}

static void a_size_that_is_not_the_real_one_is_malformed(void **state)
{
    struct cairn_buffer out = packed_many(MANY_BYTES);
    const struct cairn_bytes payload = {out.data, out.size};
    uint8_t *stated = out.data + HEADER_AT + 1;

    (void)state;
    /* One segment, whose size less 256 stands in two bytes (RFC 8878, section 3.1.1.1). */
    assert_int_equal(out.data[HEADER_AT] & 0xe0, 0x60);
    assert_int_equal(stated[0] + 256 * stated[1], MANY_BYTES - 256);
    stated[0]++;
    expect_malformed(payload);
    stated[0] -= 2;
    expect_malformed(payload);
    stated[0]++;
    stated[1] = 0xff;
    expect_malformed(payload);
    stated[0] = stated[1] = 0;
    expect_malformed(payload);
    cairn_buffer_release(&out);
}

static void a_frame_cut_short_or_followed_by_more_is_malformed(void **state)
{
    struct cairn_buffer out = packed_many(MANY_BYTES);
    uint8_t *longer = malloc(out.size + 1);

    (void)state;
    for (size_t size = 0; size < out.size; size++)
        expect_malformed((struct cairn_bytes){out.data, size});
    assert_non_null(longer);
    memcpy(longer, out.data, out.size);
    longer[out.size] = 0;
    expect_malformed((struct cairn_bytes){longer, out.size + 1});
    longer[FRAME_AT] ^= 1;
    expect_malformed((struct cairn_bytes){longer, out.size});
    free(longer);
    cairn_buffer_release(&out);
}

/* A lack of room is said as that, not as a lack of memory. */
static void a_buffer_that_is_full_is_a_limit(void **state)
{
    uint8_t noise[1000];
    const struct cairn_bytes plain = {noise, sizeof noise};
    struct cairn_buffer out;
    bool is_packed;

    (void)state;
    randombytes_buf(noise, sizeof noise);
    for (size_t max = 0; max < sizeof noise; max += 333) {
        cairn_buffer_init(&out, max);
        assert_int_equal(cairn_pack(packer, 1, plain, &out, &is_packed), CAIRN_LIMIT);
        cairn_buffer_reset(&out);
        assert_int_equal(cairn_payload_pack(packer, CAIRN_PAYLOAD_TRAVELS, plain, &out),
                         CAIRN_LIMIT);
        cairn_buffer_release(&out);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_was_packed_comes_back),
        T(a_form_that_nobody_knows_is_malformed),
        T(a_size_beyond_the_limit_is_malformed),
        T(a_frame_that_states_no_size_is_malformed),
        T(a_size_that_is_not_the_real_one_is_malformed),
        T(a_frame_cut_short_or_followed_by_more_is_malformed),
        T(a_buffer_that_is_full_is_a_limit),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
