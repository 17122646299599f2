/* One verdict for every signature: published edge cases, and a model of another libsodium. */

#include "cairn/sign.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "vectors.h"

/* One row of any table; the signature may have a size that no struct cairn_signature holds. */
struct row {
    const char *table;
    int64_t id;
    struct cairn_sign_public key;
    struct cairn_bytes message, signature;
    bool is_expected;
};

struct counts {
    size_t row_count, accepted_count;
    size_t key_refused_count, size_refused_count;
    size_t r_decides_count;       /* rows where this libsodium needs the check of R */
    size_t model_r_decides_count; /* rows where a verifier with cofactor needs it */
};

/* ---- a verifier that multiplies by the cofactor, as other versions of libsodium do ---- */

static const uint8_t neutral[32] = {1};

static bool is_canonical_scalar(const uint8_t scalar[static 32])
{
    uint8_t wide[64] = {0}, reduced[32];

    memcpy(wide, scalar, 32);
    crypto_core_ed25519_scalar_reduce(reduced, wide);
    return memcmp(reduced, scalar, 32) == 0;
}

static bool times_eight(uint8_t point[static 32])
{
    for (unsigned i = 0; i < 3; i++)
        if (crypto_core_ed25519_add(point, point, point) != 0)
            return false;
    return true;
}

/* [8][S]B = [8]R + [8][k]A, RFC 8032, section 5.1.7, for a key that passed the check. */
static bool model_accepts(const struct row *row)
{
    const uint8_t *r = row->signature.data, *s = row->signature.data + 32;
    crypto_hash_sha512_state state;
    uint8_t wide[64], k[32], left[32], right[32];

    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, r, 32);
    crypto_hash_sha512_update(&state, row->key.bytes, 32);
    crypto_hash_sha512_update(&state, row->message.data, row->message.size);
    crypto_hash_sha512_final(&state, wide);
    crypto_core_ed25519_scalar_reduce(k, wide);

    if (!is_canonical_scalar(s))
        return false;
    if (crypto_scalarmult_ed25519_base_noclamp(left, s) != 0) /* only where S is zero */
        memcpy(left, neutral, 32);
    if (crypto_scalarmult_ed25519_noclamp(right, k, row->key.bytes) != 0)
        return false;
    if (crypto_core_ed25519_add(right, right, r) != 0)
        return false;
    return times_eight(left) && times_eight(right) && memcmp(left, right, 32) == 0;
}

/* ---- the tables ---- */

static bool rule_accepts(const struct row *row, struct cairn_verifier verifier)
{
    struct cairn_signature signature;

    if (row->signature.size != sizeof(signature.bytes) ||
        cairn_sign_key_check(&row->key) != CAIRN_OK)
        return false;
    memcpy(signature.bytes, row->signature.data, sizeof(signature.bytes));
    return cairn_verify(&verifier, &row->key, row->message, &signature);
}

static void expect_verdict(const struct row *row, const char *who, bool verdict)
{
    if (verdict != row->is_expected)
        fail_msg("%s: row %lld: %s says %s", row->table, (long long)row->id, who,
                 verdict ? "valid" : "invalid");
}

static void check_model(const struct row *row, struct counts *counts)
{
    bool is_accepted = model_accepts(row);
    struct cairn_sign_public r;

    memcpy(r.bytes, row->signature.data, sizeof(r.bytes));
    expect_verdict(row, "a verifier with cofactor and the check of R",
                   is_accepted && cairn_sign_key_check(&r) == CAIRN_OK);
    counts->model_r_decides_count += is_accepted != row->is_expected;
}

static void check_row(const struct row *row, struct counts *counts)
{
    struct cairn_verifier found;
    bool with_r = rule_accepts(row, (struct cairn_verifier){.checks_r = true});
    bool without_r = rule_accepts(row, (struct cairn_verifier){.checks_r = false});

    cairn_verifier_init(&found);
    expect_verdict(row, "the rule", rule_accepts(row, found));
    expect_verdict(row, "the rule with R checked", with_r);
    if (!found.checks_r)
        expect_verdict(row, "the rule without R checked", without_r);

    counts->row_count++;
    counts->accepted_count += with_r;
    counts->r_decides_count += with_r != without_r;
    if (row->signature.size != sizeof(struct cairn_signature))
        counts->size_refused_count++;
    else if (cairn_sign_key_check(&row->key) != CAIRN_OK)
        counts->key_refused_count++;
    else
        check_model(row, counts);
}

static void print_counts(const char *table, const struct counts *counts)
{
    print_message("%s: %zu rows, %zu accepted, %zu refused (%zu by the key, %zu by the size); the "
                  "check of R decides %zu here, %zu for a verifier with cofactor\n",
                  table, counts->row_count, counts->accepted_count,
                  counts->row_count - counts->accepted_count, counts->key_refused_count,
                  counts->size_refused_count, counts->r_decides_count,
                  counts->model_r_decides_count);
}

static void wycheproof_rows_have_their_verdict(void **state)
{
    json_t *table = vectors_load("/wycheproof/ed25519_test.json");
    struct counts counts = {0};
    size_t g = 0, t = 0;
    const json_t *group = NULL, *test = NULL;

    (void)state;
    json_array_foreach(vectors_array(table, "testGroups"), g, group)
    {
        const json_t *key = json_object_get(group, "publicKey");

        json_array_foreach(vectors_array(group, "tests"), t, test)
        {
            struct row row = {.table = "ed25519_test", .id = vectors_int(test, "tcId")};

            assert_true(vectors_hex_into(key, "pk", row.key.bytes, sizeof(row.key.bytes)));
            row.message = vectors_hex(test, "msg");
            row.signature = vectors_hex(test, "sig");
            row.is_expected = strcmp(vectors_text(test, "result"), "valid") == 0;
            check_row(&row, &counts);
            vectors_bytes_free(row.message);
            vectors_bytes_free(row.signature);
        }
    }
    print_counts("ed25519_test", &counts);
    assert_int_equal(counts.row_count, vectors_int(table, "numberOfTests"));
    assert_int_not_equal(counts.accepted_count, 0);
    assert_int_equal(counts.key_refused_count, 0);
    vectors_free(table);
}

/* Every flag of this table names a point of small order or an encoding that is not canonical. */
static void cctv_rows_are_accepted_only_when_they_carry_no_flag(void **state)
{
    json_t *table = vectors_load("/wycheproof/cctv_ed25519.json");
    struct counts counts = {0};

    (void)state;
    VECTORS_EACH(table, i, test)
    {
        struct row row = {.table = "cctv_ed25519", .id = vectors_int(test, "id")};

        assert_true(vectors_hex_into(test, "key", row.key.bytes, sizeof(row.key.bytes)));
        row.message = cairn_bytes_of_text(vectors_text(test, "msg"));
        row.signature = vectors_hex(test, "sig");
        row.is_expected = json_array_size(vectors_array(test, "flags")) == 0;
        if (row.is_expected)
            assert_string_equal(vectors_text(test, "rfc8032"), "accept");
        check_row(&row, &counts);
        vectors_bytes_free(row.signature);
    }
    print_counts("cctv_ed25519", &counts);
    assert_int_equal(counts.row_count, vectors_int(table, "count"));
    assert_int_not_equal(counts.accepted_count, 0);
    assert_int_not_equal(counts.model_r_decides_count, 0);
    vectors_free(table);
}

/* Each of these was made so that careful libraries differ: a key or R of small or mixed order,
 * or an encoding that is not canonical. The rule refuses them all, whatever the libraries say. */
static void speccheck_rows_are_all_refused(void **state)
{
    json_t *table = vectors_load("/wycheproof/speccheck_ed25519.json");
    struct counts counts = {0};

    (void)state;
    VECTORS_EACH(table, i, test)
    {
        struct row row = {.table = "speccheck_ed25519", .id = vectors_int(test, "id")};

        assert_true(vectors_hex_into(test, "pub_key", row.key.bytes, sizeof(row.key.bytes)));
        row.message = vectors_hex(test, "message");
        row.signature = vectors_hex(test, "signature");
        row.is_expected = false;
        check_row(&row, &counts);
        vectors_bytes_free(row.message);
        vectors_bytes_free(row.signature);
    }
    print_counts("speccheck_ed25519", &counts);
    assert_int_equal(counts.row_count, vectors_int(table, "count"));
    assert_int_equal(counts.accepted_count, 0);
    vectors_free(table);
}

/* ---- directed ---- */

static void key_pair(uint8_t number, struct cairn_sign_public *out_public,
                     struct cairn_sign_secret *out_secret)
{
    struct cairn_sign_seed seed;

    memset(seed.bytes, number, sizeof(seed.bytes));
    cairn_sign_keypair_from_seed(&seed, out_public, out_secret);
}

/* RFC 8032, section 7.1, test 1. */
static void a_seed_gives_the_key_and_the_signature_of_rfc_8032(void **state)
{
    struct cairn_sign_seed seed;
    struct cairn_sign_public public, want_public;
    struct cairn_sign_secret secret;
    struct cairn_signature signature, want_signature;

    (void)state;
    assert_true(
        vectors_unhex_into("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                           seed.bytes, sizeof(seed.bytes)));
    assert_true(
        vectors_unhex_into("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                           want_public.bytes, sizeof(want_public.bytes)));
    assert_true(
        vectors_unhex_into("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821"
                           "590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
                           want_signature.bytes, sizeof(want_signature.bytes)));

    cairn_sign_keypair_from_seed(&seed, &public, &secret);
    assert_memory_equal(public.bytes, want_public.bytes, sizeof(public.bytes));
    cairn_sign(&secret, (struct cairn_bytes){NULL, 0}, &signature);
    assert_memory_equal(signature.bytes, want_signature.bytes, sizeof(signature.bytes));
}

static void what_is_signed_verifies_and_nothing_else_does(void **state)
{
    struct cairn_bytes message = cairn_bytes_of_text("50 edits, one signature");
    struct cairn_sign_public own, other;
    struct cairn_sign_secret secret, other_secret;
    struct cairn_signature signature;

    (void)state;
    key_pair(1, &own, &secret);
    key_pair(2, &other, &other_secret);
    cairn_sign(&secret, message, &signature);
    for (unsigned i = 0; i < 2; i++) {
        const struct cairn_verifier verifier = {.checks_r = i == 1};

        assert_true(cairn_verify(&verifier, &own, message, &signature));
        assert_false(cairn_verify(&verifier, &other, message, &signature));
        assert_false(
            cairn_verify(&verifier, &own, cairn_bytes_of_text("another message"), &signature));
        for (size_t bit = 0; bit < 512; bit++) {
            struct cairn_signature changed = signature;

            changed.bytes[bit / 8] = (uint8_t)(changed.bytes[bit / 8] ^ 1U << bit % 8);
            assert_false(cairn_verify(&verifier, &own, message, &changed));
        }
    }
}

/* A point of order 8: its multiples are all points of small order. */
static const char torsion_generator[] =
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";

static void a_key_with_any_part_of_small_order_is_refused(void **state)
{
    uint8_t generator[32], torsion[32];
    struct cairn_sign_public key, mixed, small;
    struct cairn_sign_secret secret;

    (void)state;
    assert_true(vectors_unhex_into(torsion_generator, generator, sizeof(generator)));
    for (uint8_t number = 0; number < 8; number++) {
        key_pair(number, &key, &secret);
        assert_int_equal(cairn_sign_key_check(&key), CAIRN_OK);
        memcpy(torsion, neutral, sizeof(torsion));
        for (unsigned multiple = 1; multiple < 8; multiple++) {
            assert_int_equal(crypto_core_ed25519_add(torsion, torsion, generator), 0);
            assert_int_equal(crypto_core_ed25519_add(mixed.bytes, key.bytes, torsion), 0);
            assert_int_equal(cairn_sign_key_check(&mixed), CAIRN_REFUSED);
            memcpy(small.bytes, torsion, sizeof(torsion));
            assert_int_equal(cairn_sign_key_check(&small), CAIRN_REFUSED);
        }
        assert_int_equal(crypto_core_ed25519_add(torsion, torsion, generator), 0);
        assert_memory_equal(torsion, neutral, sizeof(neutral));
    }
}

static void a_key_that_is_neutral_or_no_point_or_not_canonical_is_refused(void **state)
{
    static const char *const keys[] = {
        "0100000000000000000000000000000000000000000000000000000000000000", /* neutral */
        "0200000000000000000000000000000000000000000000000000000000000000", /* not on the curve */
        "0100000000000000000000000000000000000000000000000000000000000080", /* minus zero */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* prime + 1 */
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", /* prime + 3 */
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct cairn_sign_public key;

        assert_true(vectors_unhex_into(keys[i], key.bytes, sizeof(key.bytes)));
        assert_int_equal(cairn_sign_key_check(&key), CAIRN_REFUSED);
    }
}

static void the_verifier_keeps_what_the_start_up_test_found(void **state)
{
    struct cairn_verifier verifier;

    (void)state;
    cairn_verifier_init(&verifier);
    assert_int_equal(verifier.checks_r, cairn_sign_needs_point_check());
    print_message("libsodium %s %s the check of R\n", sodium_version_string(),
                  verifier.checks_r ? "needs" : "does not need");
    if (strcmp(sodium_version_string(), "1.0.18") == 0)
        assert_false(verifier.checks_r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wycheproof_rows_have_their_verdict),
        cmocka_unit_test(cctv_rows_are_accepted_only_when_they_carry_no_flag),
        cmocka_unit_test(speccheck_rows_are_all_refused),
        cmocka_unit_test(a_seed_gives_the_key_and_the_signature_of_rfc_8032),
        cmocka_unit_test(what_is_signed_verifies_and_nothing_else_does),
        cmocka_unit_test(a_key_with_any_part_of_small_order_is_refused),
        cmocka_unit_test(a_key_that_is_neutral_or_no_point_or_not_canonical_is_refused),
        cmocka_unit_test(the_verifier_keeps_what_the_start_up_test_found),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("sign", tests, NULL, NULL);
}
