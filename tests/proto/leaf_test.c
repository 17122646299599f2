/* Blindings, salts and commitments, each against a plain recomputation from section 4's table. */

#include "cairn/leaf.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED 20240611u

static const struct cairn_secret secret = {{0xc0, 0xff, 0xee, 1, 2, 3}};

static int start_sodium(void **state)
{
    (void)state;
    return sodium_init() < 0 ? -1 : 0;
}

/* ---- the table of section 4 in libsodium's terms, with nothing remembered ---- */

/* H(prefix || a || tail), tail_bytes at most 4. */
static struct cairn_hash plain_hash(uint8_t prefix, const uint8_t *a, uint32_t tail,
                                    size_t tail_bytes)
{
    uint8_t buf[1 + 32 + 4] = {prefix};
    struct cairn_hash out;

    memcpy(buf + 1, a, 32);
    for (size_t i = 0; i < tail_bytes; i++)
        buf[33 + i] = (uint8_t)(tail >> (8 * (tail_bytes - 1 - i)));
    crypto_hash_sha256(out.bytes, buf, 33 + tail_bytes);
    return out;
}

static struct cairn_hash plain_salt(uint32_t index, uint32_t slot)
{
    struct cairn_hash node = plain_hash(0x14, secret.bytes, 0, 0);

    for (int bit = 31; bit >= 0; bit--)
        node = plain_hash(0x10, node.bytes, index >> bit & 1, 1);
    return plain_hash(0x12, node.bytes, slot, 4);
}

static struct cairn_hash plain_blinding(uint32_t index)
{
    struct cairn_hash seed = plain_hash(0x13, secret.bytes, 0, 0);

    return plain_hash(0x11, seed.bytes, index, 4);
}

static struct cairn_hash plain_commitment(uint32_t index, uint32_t slot, struct cairn_bytes cbor)
{
    struct cairn_hash salt = plain_salt(index, slot), out;
    crypto_hash_sha256_state hash;

    crypto_hash_sha256_init(&hash);
    crypto_hash_sha256_update(&hash, (const uint8_t[]){0x02}, 1);
    crypto_hash_sha256_update(&hash, salt.bytes, 32);
    crypto_hash_sha256_update(&hash, cbor.data, cbor.size);
    crypto_hash_sha256_final(&hash, out.bytes);
    return out;
}

static void assert_hash_equal(struct cairn_hash got, struct cairn_hash want)
{
    assert_memory_equal(got.bytes, want.bytes, sizeof want.bytes);
}

/* ---- secrets, blindings, salts ---- */

static void the_secret_gives_its_announced_hash_and_the_blind_seed(void **state)
{
    (void)state;
    assert_hash_equal(cairn_secret_hash(&secret), plain_hash(0x15, secret.bytes, 0, 0));
    assert_hash_equal(cairn_blind_seed(&secret), plain_hash(0x13, secret.bytes, 0, 0));
}

static void blindings_need_only_the_blind_seed(void **state)
{
    static const uint32_t indices[] = {0, 1, 255, 256, 65536, UINT32_MAX};
    struct cairn_hash seed = cairn_blind_seed(&secret);
    struct cairn_blinder open, closed;

    (void)state;
    cairn_blinder_init(&open, &secret);
    cairn_blinder_init_closed(&closed, &seed);
    for (size_t i = 0; i < sizeof indices / sizeof indices[0]; i++) {
        assert_hash_equal(cairn_blinding(&open, indices[i]), plain_blinding(indices[i]));
        assert_hash_equal(cairn_blinding(&closed, indices[i]), plain_blinding(indices[i]));
    }
    cairn_blinder_release(&open);
    cairn_blinder_release(&closed);
}

static void expect_salt(struct cairn_blinder *blinder, uint32_t index, uint32_t slot)
{
    struct cairn_hash got = cairn_salt(blinder, index, slot), want = plain_salt(index, slot);

    if (!cairn_hash_equal(&got, &want))
        fail_msg("salt of slot %u of entry %u differs", slot, index);
}

static void salts_are_the_same_in_whatever_order_they_are_asked_for(void **state)
{
    static const uint32_t edges[] = {0,          1,          UINT32_MAX, 0x7fffffff, 0x80000000,
                                     0x80000001, 0xfffffffe, 0x55555555, 0xaaaaaaaa, 0};
    struct cairn_blinder blinder;
    uint32_t random = SEED;

    (void)state;
    print_message("seed %u\n", random);
    cairn_blinder_init(&blinder, &secret);
    for (uint32_t i = 0; i < 600; i++)
        expect_salt(&blinder, i, i % 3);
    for (uint32_t i = 600; i-- > 0;)
        expect_salt(&blinder, i, i % 5);
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        expect_salt(&blinder, edges[i], CAIRN_SLOTS_MAX - 1);
    for (int i = 0; i < 500; i++) {
        random = random * 1664525u + 1013904223u;
        expect_salt(&blinder, random >> (random & 31), random & 63);
    }
    cairn_blinder_release(&blinder);
}

static void a_released_blinder_holds_nothing(void **state)
{
    struct cairn_blinder blinder;

    (void)state;
    cairn_blinder_init(&blinder, &secret);
    cairn_blinder_release(&blinder);
    assert_true(sodium_is_zero((const uint8_t *)&blinder, sizeof blinder));
}

/* ---- closing ---- */

#define SLOTS 4

/* The CBOR of the values in the sample entry's slots, in slot order. */
static const char *const slot_cbor[SLOTS] = {"\x63\x41yi", "\x20", "\x19\x10\x36", "\x60"};
static const size_t slot_cbor_bytes[SLOTS] = {4, 1, 3, 1};

/* [1, 7, [1, 1, 1, [s0], 2, 5], [16, [s1]], [[s2], [[s3], 0]], "z"], slot i closed when
 * closed[i]. */
static struct cairn_bytes sample_write(uint8_t *buf, size_t capacity, const bool closed[SLOTS],
                                       const struct cairn_hash commitments[SLOTS])
{
    static const char *const before[SLOTS + 1] = {"\x86\x01\x07\x86\x01\x01\x01\x81",
                                                  "\x02\x05\x82\x10\x81", "\x82\x81", "\x82\x81",
                                                  "\x00\x61z"};
    static const size_t before_bytes[SLOTS + 1] = {8, 5, 2, 2, 3};
    struct cairn_writer writer;

    cairn_writer_init(&writer, buf, capacity);
    for (size_t i = 0; i <= SLOTS; i++) {
        cairn_write_bytes(&writer, before[i], before_bytes[i]);
        if (i < SLOTS && closed[i])
            cairn_cbor_write_hash(&writer, &commitments[i]);
        else if (i < SLOTS)
            cairn_write_bytes(&writer, slot_cbor[i], slot_cbor_bytes[i]);
    }
    assert_false(writer.overflowed);
    return cairn_writer_bytes(&writer);
}

static void sample_commitments(uint32_t index, struct cairn_hash out_commitments[SLOTS])
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        out_commitments[slot] = plain_commitment(
            index, slot,
            (struct cairn_bytes){(const uint8_t *)slot_cbor[slot], slot_cbor_bytes[slot]});
}

static const bool all_open[SLOTS] = {false, false, false, false};
static const bool all_closed[SLOTS] = {true, true, true, true};

static void closing_puts_each_commitment_where_its_value_stood(void **state)
{
    uint8_t open_buf[256], want_buf[256], got_buf[256];
    struct cairn_hash want[SLOTS], got[SLOTS];
    struct cairn_blinder blinder;
    struct cairn_writer writer;
    struct cairn_entry entry;

    (void)state;
    sample_commitments(77, want);
    struct cairn_bytes open = sample_write(open_buf, sizeof open_buf, all_open, want);
    struct cairn_bytes closed = sample_write(want_buf, sizeof want_buf, all_closed, want);
    assert_int_equal(cairn_entry_read(open, &entry), CAIRN_OK);
    assert_int_equal(entry.slot_count, SLOTS);
    cairn_blinder_init(&blinder, &secret);
    cairn_writer_init(&writer, got_buf, sizeof got_buf);
    assert_int_equal(cairn_entry_close(&blinder, 77, &entry, &writer, got), CAIRN_OK);
    assert_int_equal(writer.size, closed.size);
    assert_memory_equal(got_buf, closed.data, closed.size);
    for (size_t i = 0; i < SLOTS; i++)
        assert_hash_equal(got[i], want[i]);
    cairn_blinder_release(&blinder);
}

static void an_entry_has_the_same_leaf_open_closed_and_half_closed(void **state)
{
    struct cairn_hash commitments[SLOTS], want, leaf, got[SLOTS];
    struct cairn_blinder blinder;
    uint8_t buf[256];

    (void)state;
    cairn_blinder_init(&blinder, &secret);
    sample_commitments(3, commitments);
    struct cairn_hash blinding = plain_blinding(3);
    want = cairn_leaf_closed(&blinding, sample_write(buf, sizeof buf, all_closed, commitments));
    for (unsigned mask = 0; mask < 1u << SLOTS; mask++) {
        struct cairn_entry entry;
        bool closed[SLOTS];

        for (unsigned i = 0; i < SLOTS; i++)
            closed[i] = mask >> i & 1;
        assert_int_equal(
            cairn_entry_read(sample_write(buf, sizeof buf, closed, commitments), &entry), CAIRN_OK);
        assert_int_equal(cairn_leaf(&blinder, 3, &entry, &leaf, got), CAIRN_OK);
        assert_hash_equal(leaf, want);
        for (size_t i = 0; i < SLOTS; i++)
            assert_hash_equal(got[i], commitments[i]);
    }
    cairn_blinder_release(&blinder);
}

static void a_leaf_is_a_hash_over_its_blinding_and_the_closed_entry(void **state)
{
    struct cairn_hash commitments[SLOTS], want, leaf;
    struct cairn_blinder blinder;
    struct cairn_entry entry;
    uint8_t buf[1 + 32 + 256];

    (void)state;
    sample_commitments(9, commitments);
    buf[0] = 0x00;
    memcpy(buf + 1, plain_blinding(9).bytes, 32);
    struct cairn_bytes closed = sample_write(buf + 33, 256, all_closed, commitments);
    crypto_hash_sha256(want.bytes, buf, 33 + closed.size);
    assert_int_equal(cairn_entry_read(closed, &entry), CAIRN_OK);
    struct cairn_hash seed = cairn_blind_seed(&secret);
    cairn_blinder_init_closed(&blinder, &seed);
    assert_int_equal(cairn_leaf(&blinder, 9, &entry, &leaf, NULL), CAIRN_OK);
    assert_hash_equal(leaf, want);
    cairn_blinder_release(&blinder);
}

static void an_entry_without_slots_stands_closed_as_it_is(void **state)
{
    static const uint8_t bytes[] = {0x83, 0x01, 0x07, 0x82, 0x10, 0x00};
    struct cairn_hash seed = cairn_blind_seed(&secret), blinding = plain_blinding(0), leaf;
    struct cairn_bytes plain = {bytes, sizeof bytes};
    struct cairn_blinder blinder;
    struct cairn_writer writer;
    struct cairn_entry entry;
    uint8_t buf[16];

    (void)state;
    cairn_blinder_init_closed(&blinder, &seed);
    assert_int_equal(cairn_entry_read(plain, &entry), CAIRN_OK);
    cairn_writer_init(&writer, buf, sizeof buf);
    assert_int_equal(cairn_entry_close(&blinder, 0, &entry, &writer, NULL), CAIRN_OK);
    assert_true(cairn_bytes_equal(cairn_writer_bytes(&writer), plain));
    assert_int_equal(cairn_leaf(&blinder, 0, &entry, &leaf, NULL), CAIRN_OK);
    assert_hash_equal(leaf, cairn_leaf_closed(&blinding, plain));
    cairn_blinder_release(&blinder);
}

static void an_open_slot_is_refused_where_there_are_no_salts(void **state)
{
    struct cairn_hash seed = cairn_blind_seed(&secret), commitments[SLOTS], leaf, leaf_before;
    static const bool last_open[SLOTS] = {true, true, true, false};
    struct cairn_blinder blinder;
    struct cairn_writer writer;
    struct cairn_entry entry;
    uint8_t buf[256], out[256];

    (void)state;
    cairn_blinder_init_closed(&blinder, &seed);
    sample_commitments(0, commitments);
    memset(&leaf, 0x5a, sizeof leaf);
    leaf_before = leaf;
    assert_int_equal(
        cairn_entry_read(sample_write(buf, sizeof buf, last_open, commitments), &entry), CAIRN_OK);
    cairn_writer_init(&writer, out, sizeof out);
    cairn_write_u8(&writer, 1);
    assert_int_equal(cairn_entry_close(&blinder, 0, &entry, &writer, NULL), CAIRN_MALFORMED);
    assert_int_equal(writer.size, 1);
    assert_int_equal(cairn_leaf(&blinder, 0, &entry, &leaf, NULL), CAIRN_MALFORMED);
    assert_hash_equal(leaf, leaf_before);
    cairn_blinder_release(&blinder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_secret_gives_its_announced_hash_and_the_blind_seed),
        cmocka_unit_test(blindings_need_only_the_blind_seed),
        cmocka_unit_test(salts_are_the_same_in_whatever_order_they_are_asked_for),
        cmocka_unit_test(a_released_blinder_holds_nothing),
        cmocka_unit_test(closing_puts_each_commitment_where_its_value_stood),
        cmocka_unit_test(an_entry_has_the_same_leaf_open_closed_and_half_closed),
        cmocka_unit_test(a_leaf_is_a_hash_over_its_blinding_and_the_closed_entry),
        cmocka_unit_test(an_entry_without_slots_stands_closed_as_it_is),
        cmocka_unit_test(an_open_slot_is_refused_where_there_are_no_salts),
    };
    return cmocka_run_group_tests_name("leaf", tests, start_sodium, NULL);
}
