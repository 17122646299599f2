/* The statements that give networks and devices their names: shape, keys, signature. */

#include "cairn/identity.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "aborts.h"
#include "cairn/cbor.h"
#include "exact_copy.h"
#include "made_up.h"
#include "vectors.h"

static struct cairn_verifier verifier;

static int start_sodium(void **state)
{
    (void)state;
    if (sodium_init() < 0)
        return -1;
    cairn_verifier_init(&verifier);
    return 0;
}

static struct cairn_sign_public public_key(uint8_t seed_byte)
{
    struct cairn_sign_secret secret;

    return key_pair(seed_byte, &secret);
}

struct root_fixture {
    struct cairn_root_statement statement;
    struct cairn_root_statement found; /* what was read */
    uint8_t buffer[CAIRN_STATEMENT_MAX];
    struct cairn_bytes bytes;
};

static void write_root(struct root_fixture *f)
{
    struct cairn_writer writer;

    cairn_writer_init(&writer, f->buffer, sizeof(f->buffer));
    cairn_root_statement_write(&writer, &f->statement);
    assert_false(writer.overflowed);
    f->bytes = cairn_writer_bytes(&writer);
}

static void set_up_root(struct root_fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->statement = (struct cairn_root_statement){
        .scope = {5133}, .threshold = 1, .key_count = 1, .salt = {{9, 8, 7}}};
    f->statement.keys[0] = public_key(1);
    f->statement.name = cairn_bytes_of_text("甘孜藏族自治州");
    write_root(f);
}

static void a_root_statement_reads_back_and_its_hash_is_the_network_id(void **state)
{
    struct root_fixture f;

    (void)state;
    set_up_root(&f);
    assert_int_equal(cairn_root_statement_read(f.bytes, &f.found), CAIRN_OK);
    assert_int_equal(f.found.scope.code, 5133);
    assert_int_equal(f.found.threshold, 1);
    assert_int_equal(f.found.key_count, 1);
    assert_memory_equal(&f.found.keys, &f.statement.keys, sizeof(f.found.keys));
    assert_memory_equal(&f.found.salt, &f.statement.salt, sizeof(f.found.salt));
    assert_true(cairn_bytes_equal(f.found.name, f.statement.name));
    crypto_hash_sha256(f.statement.network.bytes, f.bytes.data, f.bytes.size);
    assert_true(cairn_hash_equal(&f.found.network, &f.statement.network));
}

static void the_largest_root_statement_fits(void **state)
{
    uint8_t name[CAIRN_NAME_MAX];
    struct root_fixture f;

    (void)state;
    set_up_root(&f);
    memset(name, 'n', sizeof(name));
    f.statement.scope.code = 513321100201;
    f.statement.name = (struct cairn_bytes){name, sizeof(name)};
    f.statement.threshold = f.statement.key_count = CAIRN_ROOT_KEYS_MAX;
    for (uint8_t i = 0; i < CAIRN_ROOT_KEYS_MAX; i++)
        f.statement.keys[i] = public_key(i);
    write_root(&f);
    assert_int_equal(cairn_root_statement_read(f.bytes, &f.found), CAIRN_OK);
    assert_memory_equal(f.found.keys, f.statement.keys, sizeof(f.found.keys));
}

/* A root statement by hand, for what the writer asserts never to write. */
struct raw_root {
    enum cairn_status want;
    const char *label;
    uint64_t scope, threshold;
    size_t key_count;
    const uint8_t *key;
    size_t salt_bytes, name_bytes;
};

static enum cairn_status read_raw_root(const struct raw_root *raw)
{
    static const uint8_t zeros[256] = {0}; /* of the name as well: NUL is a character */
    struct cairn_root_statement found;
    uint8_t bytes[2048];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof(bytes));
    cairn_cbor_write_array(&writer, 6);
    cairn_cbor_write_text(&writer, raw->label, strlen(raw->label));
    cairn_cbor_write_uint(&writer, raw->scope);
    cairn_cbor_write_uint(&writer, raw->threshold);
    cairn_cbor_write_array(&writer, raw->key_count);
    for (size_t i = 0; i < raw->key_count; i++)
        cairn_cbor_write_bytes(&writer, raw->key, 32);
    cairn_cbor_write_bytes(&writer, zeros, raw->salt_bytes);
    cairn_cbor_write_text(&writer, (const char *)zeros, raw->name_bytes);
    assert_false(writer.overflowed);
    return cairn_root_statement_read(cairn_writer_bytes(&writer), &found);
}

static void a_root_statement_is_judged_by_its_shape_and_then_by_its_threshold(void **state)
{
    struct cairn_sign_public key = public_key(1);
    const struct raw_root rows[] = {
        {CAIRN_OK, "cairn-root-1", 51, 1, 1, key.bytes, 16, 128},
        {CAIRN_MALFORMED, "cairn-root-2", 51, 1, 1, key.bytes, 16, 128},
        {CAIRN_MALFORMED, "cairn-root-1", 513, 1, 1, key.bytes, 16, 128},
        {CAIRN_MALFORMED, "cairn-root-1", 10, 1, 1, key.bytes, 16, 128},
        {CAIRN_MALFORMED, "cairn-root-1", 51, 1, 17, key.bytes, 16, 128},
        {CAIRN_MALFORMED, "cairn-root-1", 51, 1, 1, key.bytes, 15, 128},
        {CAIRN_MALFORMED, "cairn-root-1", 51, 2, 1, key.bytes, 16, 129},
        {CAIRN_REFUSED, "cairn-root-1", 51, 0, 1, key.bytes, 16, 128},
        {CAIRN_REFUSED, "cairn-root-1", 51, 2, 1, key.bytes, 16, 128},
        {CAIRN_REFUSED, "cairn-root-1", 51, 1, 0, key.bytes, 16, 128},
        {CAIRN_REFUSED, "cairn-root-1", 51, UINT64_MAX, 16, key.bytes, 16, 128},
        {CAIRN_REFUSED, "cairn-root-1", 51, 0x100000001, 1, key.bytes, 16, 128}, /* 1 in 32 bits */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(read_raw_root(&rows[i]), rows[i].want);
}

/* No device holds the secret of any of these; a signature by some is easily made up. */
static const char *const bad_keys[] = {
    "0000000000000000000000000000000000000000000000000000000000000000", /* of order 4 */
    "0100000000000000000000000000000000000000000000000000000000000000", /* the neutral point */
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* of order 2 */
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", /* of order 8 */
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* 1 by another name */
};
#define BAD_KEYS (sizeof(bad_keys) / sizeof(bad_keys[0]))

static struct cairn_sign_public bad_key(size_t i)
{
    struct cairn_sign_public key;

    assert_true(vectors_unhex_into(bad_keys[i], key.bytes, sizeof(key.bytes)));
    return key;
}

static void a_root_statement_with_a_bad_key_is_refused(void **state)
{
    struct root_fixture f;

    (void)state;
    set_up_root(&f);
    f.statement.key_count = 3;
    for (size_t i = 0; i < 3 * BAD_KEYS; i++) {
        for (uint8_t place = 0; place < 3; place++)
            f.statement.keys[place] = place == i % 3 ? bad_key(i / 3) : public_key(place);
        write_root(&f);
        assert_int_equal(cairn_root_statement_read(f.bytes, &f.found), CAIRN_REFUSED);
    }
}

static void a_root_statement_with_a_key_twice_is_refused(void **state)
{
    struct root_fixture f;

    (void)state;
    set_up_root(&f);
    f.statement.key_count = 3;
    for (unsigned pair = 0; pair < 3; pair++) {
        unsigned first = pair == 2 ? 1 : 0, second = pair == 0 ? 1 : 2;
        uint8_t *place;

        for (uint8_t i = 0; i < 3; i++)
            f.statement.keys[i] = public_key(i);
        write_root(&f);
        assert_int_equal(cairn_root_statement_read(f.bytes, &f.found), CAIRN_OK);
        /* Behind the label, 5133, the threshold and the head of the array: 34 bytes a key. */
        place = f.buffer + 1 + 13 + 3 + 1 + 1 + 2;
        memcpy(place + 34 * second, place + 34 * first, 32);
        assert_int_equal(cairn_root_statement_read(f.bytes, &f.found), CAIRN_REFUSED);
    }
}

static void write_a_key_twice(void)
{
    struct root_fixture f;

    set_up_root(&f);
    f.statement.key_count = 2;
    f.statement.keys[1] = f.statement.keys[0];
    write_root(&f);
}

static void writing_a_key_twice_is_our_own_mistake(void **state)
{
    (void)state;
    assert_true(aborts(write_a_key_twice));
}

#define REQUEST_FILE_MAX (CAIRN_STATEMENT_MAX + 80)

/* A request that its own key signed, and the file that it makes. */
struct request_fixture {
    struct cairn_sign_secret secret;
    struct cairn_request_statement request;
    uint8_t buffer[REQUEST_FILE_MAX];
    struct cairn_bytes file;
    struct cairn_request_statement found; /* what was read */
};

static void write_request(struct request_fixture *f)
{
    struct cairn_writer writer;

    cairn_writer_init(&writer, f->buffer, sizeof(f->buffer));
    cairn_request_file_write(&writer, &f->request, &f->secret);
    assert_false(writer.overflowed);
    f->file = cairn_writer_bytes(&writer);
}

static void set_up(struct request_fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->request.name = cairn_bytes_of_text("理塘县 tablet 7");
    f->request.keys.seal = key_pair(5, &f->secret);
    f->request.keys.checkpoint = public_key(6);
    f->request.keys.noise.bytes[0] = 3;
    f->request.keys.bundle.bytes[0] = 4;
    write_request(f);
}

static enum cairn_status read_request(struct request_fixture *f, struct cairn_bytes file)
{
    return cairn_request_file_read(&verifier, file, &f->found);
}

/* The statement inside the file: after the heads of the array and of a string over 23 bytes. */
static struct cairn_bytes statement_of(const struct request_fixture *f)
{
    return (struct cairn_bytes){f->buffer + 3, f->file.size - 3 - 66};
}

static void a_request_reads_back_and_its_hash_is_that_of_the_statement(void **state)
{
    struct request_fixture f;
    struct cairn_hash hash;
    struct cairn_hash unsigned_hash;

    (void)state;
    set_up(&f);
    unsigned_hash = cairn_request_hash(&f.request);
    crypto_hash_sha256(hash.bytes, statement_of(&f).data, statement_of(&f).size);
    assert_int_equal(read_request(&f, f.file), CAIRN_OK);
    assert_memory_equal(&f.found.keys, &f.request.keys, sizeof(f.found.keys));
    assert_true(cairn_bytes_equal(f.found.name, f.request.name));
    assert_true(cairn_hash_equal(&f.found.hash, &hash));
    assert_true(cairn_hash_equal(&unsigned_hash, &hash));
}

static void a_statement_cut_anywhere_or_with_a_byte_more_is_malformed(void **state)
{
    struct request_fixture f;
    struct root_fixture root;

    (void)state;
    set_up(&f);
    set_up_root(&root);
    for (size_t size = 0; size <= f.file.size + 1; size++) {
        struct cairn_bytes cut = exact_copy(f.buffer, size);
        struct cairn_bytes root_cut = exact_copy(root.buffer, size);

        if (size != f.file.size)
            assert_int_equal(read_request(&f, cut), CAIRN_MALFORMED);
        if (size != root.bytes.size)
            assert_int_equal(cairn_root_statement_read(root_cut, &root.found), CAIRN_MALFORMED);
        vectors_bytes_free(cut);
        vectors_bytes_free(root_cut);
    }
    assert_true(root.bytes.size < f.file.size); /* so that both were cut everywhere */
}

static void a_request_with_any_bit_flipped_is_refused(void **state)
{
    struct request_fixture f;

    (void)state;
    set_up(&f);
    for (size_t bit = 0; bit < 8 * f.file.size; bit++) {
        f.buffer[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (read_request(&f, f.file) == CAIRN_OK)
            fail_msg("bit %zu makes no difference", bit);
        f.buffer[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(f.found.name.size, 0);
    assert_int_equal(read_request(&f, f.file), CAIRN_OK);
}

static void a_request_signed_by_another_key_has_a_bad_signature(void **state)
{
    struct cairn_signature signature;
    struct cairn_sign_secret other;
    struct request_fixture f;

    (void)state;
    set_up(&f);
    (void)key_pair(6, &other);
    cairn_sign(&other, statement_of(&f), &signature);
    memcpy(f.buffer + f.file.size - 64, signature.bytes, 64);
    assert_int_equal(read_request(&f, f.file), CAIRN_BAD_SIGNATURE);
}

static void a_request_for_a_bad_key_is_refused_whatever_its_signature(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * BAD_KEYS; i++) {
        struct request_fixture f;

        set_up(&f);
        if (i < BAD_KEYS)
            f.request.keys.seal = bad_key(i);
        else
            f.request.keys.checkpoint = bad_key(i - BAD_KEYS);
        /* The secret's public half follows, so that the writer takes the pair for its own. */
        memcpy(f.secret.bytes + 32, f.request.keys.seal.bytes, 32);
        write_request(&f);
        assert_int_equal(read_request(&f, f.file), CAIRN_REFUSED);
    }
}

static void a_request_for_a_low_order_x25519_key_is_refused(void **state)
{
    static const uint8_t orders[] = {0, 1}; /* u = 0 is of order 2, u = 1 of order 4 */

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(orders); i++) {
        struct request_fixture f;
        struct cairn_noise_key key = {{orders[i / 2]}};

        set_up(&f);
        *(i % 2 == 0 ? &f.request.keys.noise : &f.request.keys.bundle) = key;
        write_request(&f);
        assert_int_equal(read_request(&f, f.file), CAIRN_REFUSED);
        assert_int_equal(f.found.name.size, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_root_statement_reads_back_and_its_hash_is_the_network_id),
        cmocka_unit_test(the_largest_root_statement_fits),
        cmocka_unit_test(a_root_statement_is_judged_by_its_shape_and_then_by_its_threshold),
        cmocka_unit_test(a_root_statement_with_a_bad_key_is_refused),
        cmocka_unit_test(a_root_statement_with_a_key_twice_is_refused),
        cmocka_unit_test(writing_a_key_twice_is_our_own_mistake),
        cmocka_unit_test(a_request_reads_back_and_its_hash_is_that_of_the_statement),
        cmocka_unit_test(a_statement_cut_anywhere_or_with_a_byte_more_is_malformed),
        cmocka_unit_test(a_request_with_any_bit_flipped_is_refused),
        cmocka_unit_test(a_request_signed_by_another_key_has_a_bad_signature),
        cmocka_unit_test(a_request_for_a_bad_key_is_refused_whatever_its_signature),
        cmocka_unit_test(a_request_for_a_low_order_x25519_key_is_refused),
    };

    return cmocka_run_group_tests_name("identity_statements", tests, start_sodium, NULL);
}
