/* Scopes, refs, fingerprints and log ids; identity_statements_test.c has what is signed. */

#include "cairn/identity.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cairn/cbor.h"
#include "exact_copy.h"
#include "vectors.h"

static struct cairn_scope scope(uint64_t code)
{
    return (struct cairn_scope){code};
}

static void a_code_has_0_2_4_6_9_or_12_digits(void **state)
{
    static const bool is_length[20] = {[2] = true, [4] = true, [6] = true, [9] = true, [12] = true};
    uint64_t nines = 0;

    (void)state;
    assert_true(cairn_scope_is_valid(scope(0)));
    for (unsigned digits = 1; digits < 20; digits++) {
        nines = nines * 10 + 9;
        assert_int_equal(cairn_scope_is_valid(scope(nines)), is_length[digits]);
        assert_int_equal(cairn_scope_is_valid(scope(nines / 9 * 2)), is_length[digits]);
    }
    assert_false(cairn_scope_is_valid(scope(UINT64_MAX)));
}

/* The two digits that every code begins with number the provinces, and these begin at 11. */
static void a_code_begins_with_eleven_or_more(void **state)
{
    static const uint64_t tails[] = {1, 100, 10000, 10000000, 10000000000};
    char text[CAIRN_SCOPE_TEXT_BYTES];
    struct cairn_scope found;

    (void)state;
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        const uint64_t least = 11 * tails[i];
        const struct cairn_scope below[] = {{10 * tails[i]}, {least - 1}};

        assert_true(cairn_scope_is_valid(scope(least)));
        assert_true(cairn_scope_contains(scope(11), scope(least)));
        for (size_t b = 0; b < 2; b++) {
            assert_false(cairn_scope_is_valid(below[b]));
            assert_false(cairn_scope_contains(scope(0), below[b]));
            cairn_scope_text(below[b], text);
            assert_false(cairn_scope_parse(text, &found));
        }
    }
}

static void a_scope_contains_itself_and_what_its_digits_begin(void **state)
{
    static const uint64_t chain[] = {0, 51, 5133, 513321, 513321100, 513321100201};
    static const uint64_t elsewhere[] = {52, 5134, 513322, 513321101, 513321100202};

    (void)state;
    for (size_t outer = 0; outer < 6; outer++)
        for (size_t inner = 0; inner < 6; inner++)
            assert_int_equal(cairn_scope_contains(scope(chain[outer]), scope(chain[inner])),
                             outer <= inner);
    for (size_t i = 0; i < 5; i++) {
        assert_true(cairn_scope_contains(scope(0), scope(elsewhere[i])));
        assert_false(cairn_scope_contains(scope(elsewhere[i]), scope(513321100201)));
        assert_false(cairn_scope_contains(scope(chain[i + 1]), scope(elsewhere[i])));
    }
    assert_false(cairn_scope_contains(scope(0), scope(513)));
    assert_false(cairn_scope_contains(scope(5), scope(51)));
    assert_false(cairn_scope_contains(scope(513), scope(5133)));
}

static void the_parent_is_the_next_shorter_code(void **state)
{
    static const uint64_t chain[] = {513321100201, 513321100, 513321, 5133, 51, 0, 0};

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(chain) / sizeof(chain[0]); i++)
        assert_int_equal(cairn_scope_parent(scope(chain[i])).code, chain[i + 1]);
}

static void a_scope_reads_back_from_its_text_and_from_no_other(void **state)
{
    static const uint64_t codes[] = {0, 11, 5133, 513321, 513321100, 999999999999};
    static const char *const refused[] = {"",    "00",  "05",   "0051", "5",      "513",
                                          " 51", "51 ", "+51",  "-51",  "51.0",   "51332",
                                          "5a",  "5１", "51\n", "0x51", "000000", "051"};
    char text[CAIRN_SCOPE_TEXT_BYTES];
    struct cairn_scope found = {77};

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        cairn_scope_text(scope(codes[i]), text);
        assert_true(cairn_scope_parse(text, &found));
        assert_int_equal(found.code, codes[i]);
    }
    cairn_scope_text(scope(0), text);
    assert_string_equal(text, "0");
    cairn_scope_text(scope(UINT64_MAX), text);
    assert_string_equal(text, "18446744073709551615");
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (cairn_scope_parse(refused[i], &found))
            fail_msg("\"%s\" was read as %llu", refused[i], (unsigned long long)found.code);
    assert_false(cairn_scope_parse("18446744073709551667", &found)); /* 51 where the sum wraps */
    assert_int_equal(found.code, 999999999999);                      /* the last good one */
}

static void an_item_that_is_no_scope_fails_the_reader(void **state)
{
    static const uint8_t good[] = {0x19, 0x14, 0x0d}; /* 5133 */
    static const uint8_t bad[] = {0x19, 0x02, 0x01};  /* 513 */
    static const uint8_t text[] = {0x62, '5', '1'};   /* "51" */
    static const struct cairn_bytes refused[] = {{bad, 3}, {text, 3}, {good, 2}, {NULL, 0}};
    struct cairn_reader reader;

    (void)state;
    cairn_reader_init(&reader, (struct cairn_bytes){good, sizeof(good)});
    assert_int_equal(cairn_scope_read(&reader).code, 5133);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        cairn_reader_init(&reader, refused[i]);
        assert_int_equal(cairn_scope_read(&reader).code, 0);
        assert_true(reader.failed);
    }
}

static void a_ref_and_a_head_read_back_and_every_cut_of_them_fails(void **state)
{
    struct cairn_ref ref = {.log = {{1}}, .index = UINT32_MAX, .leaf = {{2}}};
    struct cairn_head head = {.log = {{1}}, .size = UINT32_MAX, .root = {{2}}};
    struct cairn_ref found;
    uint8_t ref_bytes[96], head_bytes[96];
    struct cairn_writer writer;
    struct cairn_reader reader;

    (void)state;
    cairn_writer_init(&writer, head_bytes, sizeof(head_bytes));
    cairn_head_write(&writer, &head);
    cairn_writer_init(&writer, ref_bytes, sizeof(ref_bytes));
    cairn_ref_write(&writer, &ref);
    assert_false(writer.overflowed);
    assert_memory_equal(ref_bytes, head_bytes, writer.size);

    for (size_t size = 0; size <= writer.size; size++) {
        struct cairn_bytes cut = exact_copy(ref_bytes, size);

        cairn_reader_init(&reader, cut);
        found = cairn_ref_read(&reader);
        assert_int_equal(reader.failed, size < writer.size);
        assert_int_equal(cairn_ref_equal(&found, &ref), size == writer.size);
        cairn_reader_init(&reader, cut);
        assert_int_equal(cairn_head_read(&reader).size, size == writer.size ? UINT32_MAX : 0);
        assert_int_equal(reader.failed, size < writer.size);
        vectors_bytes_free(cut);
    }
}

static void an_index_of_2_to_the_32_is_malformed(void **state)
{
    struct cairn_bytes bytes =
        vectors_unhex("8358200000000000000000000000000000000000000000000000000000000000000000"
                      "1b0000000100000000");
    struct cairn_reader reader;

    (void)state;
    cairn_reader_init(&reader, bytes);
    (void)cairn_ref_read(&reader);
    assert_int_equal(reader.pos, 35); /* at the number, not at the end after it */
    cairn_reader_init(&reader, bytes);
    (void)cairn_head_read(&reader);
    assert_int_equal(reader.pos, 35);
    vectors_bytes_free(bytes);
}

static void refs_differ_by_log_by_index_and_by_leaf(void **state)
{
    const struct cairn_ref ref = {.log = {{1}}, .index = 2, .leaf = {{3}}};
    struct cairn_ref others[] = {ref, ref, ref};

    (void)state;
    others[0].log.bytes[31] = 1;
    others[1].index = 3;
    others[2].leaf.bytes[31] = 1;
    assert_true(cairn_ref_equal(&ref, &ref));
    for (size_t i = 0; i < 3; i++)
        assert_false(cairn_ref_equal(&ref, &others[i]));
}

/* Five bits a digit: 0 to 7 is 00000 00001 00010 00011 00100 00101 00110 00111, which in eights is
 * 00000000 01000100 00110010 00010100 11000111: 00 44 32 14 c7. In the same way 8 to 15 is 42 54 b6
 * 35 cf, 16 to 23 is 84 65 3a 56 d7, 24 to 31 is c6 75 be 77 df. The eleventh byte does not count.
 */
static const struct cairn_hash low_digits = {
    {0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf, 0xff, 0xff}};
static const struct cairn_hash high_digits = {
    {0x84, 0x65, 0x3a, 0x56, 0xd7, 0xc6, 0x75, 0xbe, 0x77, 0xdf}};

static void a_fingerprint_is_eighty_bits_in_crockford_base32(void **state)
{
    char text[CAIRN_FINGERPRINT_BYTES];

    (void)state;
    cairn_fingerprint(&low_digits, text);
    assert_string_equal(text, "0123-4567-89AB-CDEF");
    cairn_fingerprint(&high_digits, text);
    assert_string_equal(text, "GHJK-MNPQ-RSTV-WXYZ");
}

static void every_one_of_the_eighty_bits_counts_and_no_later_one(void **state)
{
    char text[CAIRN_FINGERPRINT_BYTES], other_text[CAIRN_FINGERPRINT_BYTES];

    (void)state;
    cairn_fingerprint(&low_digits, text);
    for (size_t bit = 0; bit < 256; bit++) {
        struct cairn_hash other = low_digits;

        other.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        cairn_fingerprint(&other, other_text);
        assert_int_equal(strcmp(text, other_text) == 0, bit >= 80);
    }
}

static void a_log_id_is_the_hash_of_its_statement(void **state)
{
    /* An array of 6: a text of 11, a string of 32, another, 513321, 1, a string of 16. */
    struct cairn_bytes statement =
        vectors_unhex("866b636169726e2d6c6f672d31"
                      "5820aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                      "5820bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
                      "1a0007d5290150cccccccccccccccccccccccccccccccc");
    struct cairn_incarnation incarnation;
    struct cairn_sign_public device;
    struct cairn_hash network, want, got;

    (void)state;
    memset(&network, 0xaa, sizeof(network));
    memset(&device, 0xbb, sizeof(device));
    memset(&incarnation, 0xcc, sizeof(incarnation));
    crypto_hash_sha256(want.bytes, statement.data, statement.size);
    got = cairn_log_id(&network, &device, scope(513321), CAIRN_CHANNEL_RECORDS, &incarnation);
    assert_memory_equal(&got, &want, sizeof(got));
    vectors_bytes_free(statement);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_has_0_2_4_6_9_or_12_digits),
        cmocka_unit_test(a_code_begins_with_eleven_or_more),
        cmocka_unit_test(a_scope_contains_itself_and_what_its_digits_begin),
        cmocka_unit_test(the_parent_is_the_next_shorter_code),
        cmocka_unit_test(a_scope_reads_back_from_its_text_and_from_no_other),
        cmocka_unit_test(an_item_that_is_no_scope_fails_the_reader),
        cmocka_unit_test(a_ref_and_a_head_read_back_and_every_cut_of_them_fails),
        cmocka_unit_test(an_index_of_2_to_the_32_is_malformed),
        cmocka_unit_test(refs_differ_by_log_by_index_and_by_leaf),
        cmocka_unit_test(a_fingerprint_is_eighty_bits_in_crockford_base32),
        cmocka_unit_test(every_one_of_the_eighty_bits_counts_and_no_later_one),
        cmocka_unit_test(a_log_id_is_the_hash_of_its_statement),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
