/* The primitives we take from libsodium, against Wycheproof: what we build on does hold. */

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "vectors.h"

static bool has_flag(const json_t *test, const char *name)
{
    const json_t *flags = vectors_array(test, "flags");

    for (size_t i = 0; i < json_array_size(flags); i++)
        if (strcmp(json_string_value(json_array_get(flags, i)), name) == 0)
            return true;
    return false;
}

static bool is_result(const json_t *test, const char *result)
{
    return strcmp(vectors_text(test, "result"), result) == 0;
}

/* ---- X25519 ---- */

/* A shared secret of zeros is no secret: libsodium says so, and Noise relies on it. */
static void check_x25519(const json_t *test)
{
    uint8_t public[32], private[32], want[32], got[32];
    int result = 0;

    assert_true(vectors_hex_into(test, "public", public, sizeof(public)));
    assert_true(vectors_hex_into(test, "private", private, sizeof(private)));
    assert_true(vectors_hex_into(test, "shared", want, sizeof(want)));
    result = crypto_scalarmult_curve25519(got, private, public);
    if (has_flag(test, "ZeroSharedSecret")) {
        assert_int_not_equal(result, 0);
    } else {
        assert_int_equal(result, 0);
        vectors_expect_bytes(test, (struct cairn_bytes){got, 32}, (struct cairn_bytes){want, 32});
    }
}

static void x25519_gives_the_shared_secret_and_refuses_one_of_zeros(void **state)
{
    json_t *table = vectors_load("/wycheproof/x25519_test.json");
    size_t g = 0, t = 0, shared_count = 0, zero_count = 0;
    const json_t *group = NULL, *test = NULL;

    (void)state;
    json_array_foreach(vectors_array(table, "testGroups"), g, group)
    {
        json_array_foreach(vectors_array(group, "tests"), t, test)
        {
            assert_true(is_result(test, "valid") || is_result(test, "acceptable"));
            check_x25519(test);
            *(has_flag(test, "ZeroSharedSecret") ? &zero_count : &shared_count) += 1;
        }
    }
    print_message("x25519: %zu rows give their secret, %zu are refused\n", shared_count,
                  zero_count);
    assert_int_not_equal(shared_count, 0);
    assert_int_not_equal(zero_count, 0);
    assert_int_equal(shared_count + zero_count, vectors_int(table, "numberOfTests"));
    vectors_free(table);
}

/* ---- the two AEADs ---- */

typedef int seal_fn(unsigned char *, unsigned long long *, const unsigned char *,
                    unsigned long long, const unsigned char *, unsigned long long,
                    const unsigned char *, const unsigned char *, const unsigned char *);
typedef int open_fn(unsigned char *, unsigned long long *, unsigned char *, const unsigned char *,
                    unsigned long long, const unsigned char *, unsigned long long,
                    const unsigned char *, const unsigned char *);

struct aead {
    const char *name;
    const char *path;
    size_t nonce_bytes;
    seal_fn *seal;
    open_fn *open;
};

#define TAG_BYTES 16
#define TEXT_MAX 2048

struct aead_row {
    uint8_t key[32];
    struct cairn_bytes nonce, ad, message;
    uint8_t sealed[TEXT_MAX]; /* ciphertext, then tag */
    size_t sealed_bytes;
};

static void aead_row_load(const json_t *test, struct aead_row *out)
{
    struct cairn_bytes text = vectors_hex(test, "ct"), tag = vectors_hex(test, "tag");
    struct cairn_writer writer;

    assert_true(vectors_hex_into(test, "key", out->key, sizeof(out->key)));
    out->nonce = vectors_hex(test, "iv");
    out->ad = vectors_hex(test, "aad");
    out->message = vectors_hex(test, "msg");
    assert_int_equal(tag.size, TAG_BYTES);
    cairn_writer_init(&writer, out->sealed, sizeof(out->sealed));
    cairn_write_bytes(&writer, text.data, text.size);
    cairn_write_bytes(&writer, tag.data, tag.size);
    out->sealed_bytes = cairn_writer_bytes(&writer).size;
    assert_int_equal(out->sealed_bytes, text.size + tag.size);
    vectors_bytes_free(text);
    vectors_bytes_free(tag);
}

static void aead_row_free(struct aead_row *row)
{
    vectors_bytes_free(row->nonce);
    vectors_bytes_free(row->ad);
    vectors_bytes_free(row->message);
}

static void check_aead(const struct aead *aead, const json_t *test)
{
    struct aead_row row;
    uint8_t got[TEXT_MAX];
    unsigned long long got_bytes = 0;
    int result = 0;

    aead_row_load(test, &row);
    assert_int_equal(row.nonce.size, aead->nonce_bytes);
    result = aead->open(got, &got_bytes, NULL, row.sealed, row.sealed_bytes, row.ad.data,
                        row.ad.size, row.nonce.data, row.key);
    if (is_result(test, "valid")) {
        assert_int_equal(result, 0);
        vectors_expect_bytes(test, (struct cairn_bytes){got, (size_t)got_bytes}, row.message);
        assert_int_equal(aead->seal(got, &got_bytes, row.message.data, row.message.size,
                                    row.ad.data, row.ad.size, NULL, row.nonce.data, row.key),
                         0);
        vectors_expect_bytes(test, (struct cairn_bytes){got, (size_t)got_bytes},
                             (struct cairn_bytes){row.sealed, row.sealed_bytes});
    } else {
        assert_int_not_equal(result, 0);
    }
    aead_row_free(&row);
}

static void check_aead_table(const struct aead *aead)
{
    json_t *table = vectors_load(aead->path);
    size_t g = 0, t = 0, valid_count = 0, invalid_count = 0, other_count = 0;
    const json_t *group = NULL, *test = NULL;

    json_array_foreach(vectors_array(table, "testGroups"), g, group)
    {
        json_array_foreach(vectors_array(group, "tests"), t, test)
        {
            if (vectors_int(group, "ivSize") != (int64_t)(8 * aead->nonce_bytes)) {
                assert_true(has_flag(test, "InvalidNonceSize"));
                print_message("%s %lld: not applicable: %s\n", aead->name,
                              (long long)vectors_int(test, "tcId"), vectors_text(test, "comment"));
                other_count++;
                continue;
            }
            check_aead(aead, test);
            *(is_result(test, "valid") ? &valid_count : &invalid_count) += 1;
        }
    }
    print_message("%s: %zu valid rows, %zu invalid rows; %zu rows not applicable\n", aead->name,
                  valid_count, invalid_count, other_count);
    assert_int_not_equal(valid_count, 0);
    assert_int_not_equal(invalid_count, 0);
    assert_int_equal(valid_count + invalid_count + other_count,
                     vectors_int(table, "numberOfTests"));
    vectors_free(table);
}

static void chacha20_poly1305_seals_and_opens_as_published(void **state)
{
    const struct aead aead = {
        "chacha20_poly1305",
        "/wycheproof/chacha20_poly1305_test.json",
        crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
        crypto_aead_chacha20poly1305_ietf_encrypt,
        crypto_aead_chacha20poly1305_ietf_decrypt,
    };

    (void)state;
    check_aead_table(&aead);
}

static void xchacha20_poly1305_seals_and_opens_as_published(void **state)
{
    const struct aead aead = {
        "xchacha20_poly1305",
        "/wycheproof/xchacha20_poly1305_test.json",
        crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
        crypto_aead_xchacha20poly1305_ietf_encrypt,
        crypto_aead_xchacha20poly1305_ietf_decrypt,
    };

    (void)state;
    check_aead_table(&aead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x25519_gives_the_shared_secret_and_refuses_one_of_zeros),
        cmocka_unit_test(chacha20_poly1305_seals_and_opens_as_published),
        cmocka_unit_test(xchacha20_poly1305_seals_and_opens_as_published),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("primitives", tests, NULL, NULL);
}
