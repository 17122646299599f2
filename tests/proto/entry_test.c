/* The shape of an entry: what every replica refuses, whatever its version, and the basis. */

#include "cairn/entry.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cairn/leaf.h"
#include "made_up.h"
#include "vectors.h"

#define COMMITMENT "58200101010101010101010101010101010101010101010101010101010101010101"

/* Reads from a block of exactly that size, so that the address sanitizer sees one byte too far. */
static enum cairn_status read_exact(struct cairn_bytes bytes, struct cairn_entry *out_entry)
{
    uint8_t *copy = malloc(bytes.size > 0 ? bytes.size : 1);

    assert_non_null(copy);
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    enum cairn_status status = cairn_entry_read((struct cairn_bytes){copy, bytes.size}, out_entry);
    free(copy);
    return status;
}

static void expect_malformed(const char *hex)
{
    struct cairn_bytes bytes = vectors_unhex(hex);
    struct cairn_entry entry;

    memset(&entry, 0x5a, sizeof entry);
    struct cairn_entry before = entry;
    if (read_exact(bytes, &entry) != CAIRN_MALFORMED)
        fail_msg("%s was not refused", hex);
    assert_memory_equal(&entry, &before, sizeof entry);
    vectors_bytes_free(bytes);
}

static void expect_slots(const char *hex, size_t slot_count)
{
    struct cairn_bytes bytes = vectors_unhex(hex);
    struct cairn_entry entry;

    if (read_exact(bytes, &entry) != CAIRN_OK)
        fail_msg("%s was refused", hex);
    if (entry.slot_count != slot_count)
        fail_msg("%s has %zu slots, not %zu", hex, entry.slot_count, slot_count);
    vectors_bytes_free(bytes);
}

static void an_entry_gives_its_kind_its_time_and_its_body(void **state)
{
    uint8_t buf[64];
    struct cairn_writer writer;
    struct cairn_entry entry;

    (void)state;
    cairn_writer_init(&writer, buf, sizeof buf);
    cairn_entry_begin(&writer, UINT64_C(1) << 40, 1700000000, 2);
    cairn_cbor_write_uint(&writer, 7);
    cairn_cbor_write_text(&writer, "x", 1);
    struct cairn_bytes bytes = cairn_writer_bytes(&writer);
    assert_int_equal(cairn_entry_read(bytes, &entry), CAIRN_OK);
    assert_int_equal(entry.kind, UINT64_C(1) << 40);
    assert_int_equal(entry.time_s, 1700000000);
    assert_int_equal(entry.body_count, 2);
    assert_int_equal(entry.slot_count, 0);
    assert_true(cairn_bytes_equal(entry.bytes, bytes));
    assert_int_equal(cairn_cbor_read_uint(&entry.body), 7);
    assert_int_equal(cairn_cbor_read_text(&entry.body).size, 1);
    assert_int_equal(cairn_reader_end(&entry.body), CAIRN_OK);
    expect_slots("820000", 0); /* an empty body */
}

static void an_entry_of_another_shape_is_malformed(void **state)
{
    static const char *const cases[] = {
        "",                         /* nothing */
        "01",                       /* no array */
        "80",                       /* no kind */
        "8101",                     /* no time, and it would be a slot */
        "81" COMMITMENT,            /* the same closed */
        "82613100",                 /* kind is a text */
        "822000",                   /* kind is negative */
        "824100",                   /* kind is bytes, and nothing follows */
        "820020",                   /* time is negative */
        "82006130",                 /* time is a text */
        "820080",                   /* time is an array */
        "82000000",                 /* one byte too many */
        "8300",                     /* two items missing */
        "82180000",                 /* a head that is too long */
        "9800",                     /* the same of the array */
        "9f0000ff",                 /* no definite length */
        "830000f5",                 /* simple value */
        "830000f6",                 /* null */
        "830000f93c00",             /* float */
        "830000a0",                 /* map */
        "830000c000",               /* tag */
        "83000061ff",               /* no UTF-8 */
        "8300003b8000000000000000", /* below -2^63 */
        "830000"
        "8200820082008200820082008200"
        "820000",                   /* 9 arrays deep */
        "8300005affffffff00",       /* a byte string longer than everything */
        "8300009bffffffffffffffff", /* an array longer than everything */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_malformed(cases[i]);
    expect_slots("830000"
                 "820082008200820082008200"
                 "820000",
                 0); /* 8 deep is allowed */
}

static void an_entry_cut_short_is_malformed_at_every_length(void **state)
{
    struct cairn_bytes whole = vectors_unhex("84011a6553f1008601010181647465737402191036"
                                             "82106474657874");
    struct cairn_entry entry;

    (void)state;
    assert_int_equal(read_exact(whole, &entry), CAIRN_OK);
    for (size_t size = 0; size < whole.size; size++)
        assert_int_equal(read_exact((struct cairn_bytes){whole.data, size}, &entry),
                         CAIRN_MALFORMED);
    vectors_bytes_free(whole);
}

static void a_slot_holds_an_integer_a_text_or_a_commitment(void **state)
{
    (void)state;
    expect_slots("8300008100", 1);
    expect_slots("8300008120", 1);
    expect_slots("830000811b7fffffffffffffff", 1);
    expect_slots("830000813b7fffffffffffffff", 1);
    expect_slots("8300008160", 1);
    expect_slots("830000816178", 1);
    expect_slots("83000081" COMMITMENT, 1);
    expect_slots("8500008100"
                 "81" COMMITMENT "816178",
                 3);
}

static void slots_are_found_at_any_depth(void **state)
{
    (void)state;
    expect_slots("830000820082008200820082008101", 1);
    expect_slots("83000083810182810281038104", 4);
    expect_slots("84000080820000", 0); /* arrays of none and of two are no slots */
}

static void a_slot_of_anything_else_is_malformed(void **state)
{
    (void)state;
    expect_malformed("830000811b8000000000000000"); /* integers above 2^63 - 1 */
    expect_malformed("830000811bffffffffffffffff");
    expect_malformed("8300008140"); /* bytes that are no commitment */
    expect_malformed("83000081581f"
                     "01010101010101010101010101010101010101010101010101010101010101");
    expect_malformed("830000815821"
                     "010101010101010101010101010101010101010101010101010101010101010101");
    expect_malformed("830000818101");     /* a slot in a slot */
    expect_malformed("83000081820102");   /* an array in a slot */
    expect_malformed("8300008180");       /* an empty one */
    expect_malformed("8300008281018180"); /* behind a good one, deeper down */
}

static void
a_text_in_a_slot_has_at_most_4096_bytes_and_elsewhere_it_is_not_judged_here(void **state)
{
    static char text[CAIRN_TEXT_MAX + 1];

    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < 4; i++) {
        bool is_slot = i % 2 == 0, is_over = i / 2 == 1;
        uint8_t buf[sizeof text + 16];
        struct cairn_writer writer;
        struct cairn_entry entry;

        cairn_writer_init(&writer, buf, sizeof buf);
        cairn_entry_begin(&writer, 1, 0, 1);
        if (is_slot)
            cairn_cbor_write_array(&writer, 1);
        cairn_cbor_write_text(&writer, text, CAIRN_TEXT_MAX + (is_over ? 1 : 0));
        assert_int_equal(read_exact(cairn_writer_bytes(&writer), &entry),
                         is_slot && is_over ? CAIRN_MALFORMED : CAIRN_OK);
    }
    expect_slots("8300001bffffffffffffffff", 0);
}

static struct cairn_bytes write_slots(uint8_t *buf, size_t capacity, size_t slot_count,
                                      size_t padding_bytes)
{
    static const uint8_t padding[CAIRN_ENTRY_MAX + 1];
    struct cairn_writer writer;

    cairn_writer_init(&writer, buf, capacity);
    cairn_entry_begin(&writer, 1, 0, slot_count + 1);
    for (size_t i = 0; i < slot_count; i++) {
        cairn_cbor_write_array(&writer, 1);
        cairn_cbor_write_uint(&writer, i % 24);
    }
    cairn_cbor_write_bytes(&writer, padding, padding_bytes);
    assert_false(writer.overflowed);
    return cairn_writer_bytes(&writer);
}

static void an_entry_has_at_most_64_slots(void **state)
{
    uint8_t buf[512];
    struct cairn_entry entry;

    (void)state;
    assert_int_equal(read_exact(write_slots(buf, sizeof buf, 64, 0), &entry), CAIRN_OK);
    assert_int_equal(entry.slot_count, 64);
    assert_int_equal(read_exact(write_slots(buf, sizeof buf, 65, 0), &entry), CAIRN_MALFORMED);
}

static void an_open_entry_has_at_most_16384_bytes(void **state)
{
    static uint8_t buf[2 * CAIRN_ENTRY_MAX];
    struct cairn_entry entry;

    (void)state;
    struct cairn_bytes least = write_slots(buf, sizeof buf, 3, 1000);
    size_t around = least.size - 1000;
    struct cairn_bytes most = write_slots(buf, sizeof buf, 3, CAIRN_ENTRY_MAX - around);
    assert_int_equal(most.size, CAIRN_ENTRY_MAX);
    assert_int_equal(read_exact(most, &entry), CAIRN_OK);
    struct cairn_bytes over = write_slots(buf, sizeof buf, 3, CAIRN_ENTRY_MAX - around + 1);
    assert_int_equal(read_exact(over, &entry), CAIRN_MALFORMED);
}

static void an_entry_with_closed_slots_may_have_33_bytes_more_for_each(void **state)
{
    static uint8_t buf[2 * CAIRN_ENTRY_MAX];
    static const uint8_t padding[2 * CAIRN_ENTRY_MAX];

    (void)state;
    for (size_t closed_count = 1; closed_count <= CAIRN_SLOTS_MAX; closed_count += 21) {
        /* Heads: the entry's of 3 bytes or 4, its padding's of 3; a closed slot takes 35 bytes. */
        size_t around = (closed_count + 3 < 24 ? 3u : 4u) + 3 + 35 * closed_count;
        size_t most = (size_t)CAIRN_ENTRY_MAX + 33 * closed_count;

        for (size_t over = 0; over < 2; over++) {
            const struct cairn_hash commitment = {{9}};
            struct cairn_writer writer;
            struct cairn_entry entry;

            cairn_writer_init(&writer, buf, sizeof buf);
            cairn_entry_begin(&writer, 1, 0, closed_count + 1);
            for (size_t i = 0; i < closed_count; i++) {
                cairn_cbor_write_array(&writer, 1);
                cairn_cbor_write_hash(&writer, &commitment);
            }
            cairn_cbor_write_bytes(&writer, padding, most - around + over);
            assert_int_equal(writer.size, most + over);
            assert_int_equal(read_exact(cairn_writer_bytes(&writer), &entry),
                             over == 0 ? CAIRN_OK : CAIRN_MALFORMED);
        }
    }
}

static void the_greatest_open_entry_can_still_be_read_closed(void **state)
{
    static uint8_t buf[2 * CAIRN_ENTRY_MAX], closed[2 * CAIRN_ENTRY_MAX];
    struct cairn_secret secret = {{7}};
    struct cairn_blinder blinder;
    struct cairn_writer writer;
    struct cairn_entry entry;

    (void)state;
    struct cairn_bytes least = write_slots(buf, sizeof buf, CAIRN_SLOTS_MAX, 1000);
    struct cairn_bytes most =
        write_slots(buf, sizeof buf, CAIRN_SLOTS_MAX, CAIRN_ENTRY_MAX + 1000 - least.size);
    assert_int_equal(most.size, CAIRN_ENTRY_MAX);
    assert_int_equal(cairn_entry_read(most, &entry), CAIRN_OK);
    cairn_blinder_init(&blinder, &secret);
    cairn_writer_init(&writer, closed, sizeof closed);
    assert_int_equal(cairn_entry_close(&blinder, 5, &entry, &writer, NULL), CAIRN_OK);
    assert_int_equal(writer.size, CAIRN_ENTRY_CLOSED_MAX); /* each slot held one byte */
    assert_int_equal(read_exact(cairn_writer_bytes(&writer), &entry), CAIRN_OK);

    /* A leaf is made of it on the way, in a buffer of that size. */
    struct cairn_hash leaf, leaf_of_open;
    assert_int_equal(cairn_entry_read(cairn_writer_bytes(&writer), &entry), CAIRN_OK);
    assert_int_equal(cairn_leaf(&blinder, 5, &entry, &leaf, NULL), CAIRN_OK);
    assert_int_equal(cairn_entry_read(most, &entry), CAIRN_OK);
    assert_int_equal(cairn_leaf(&blinder, 5, &entry, &leaf_of_open, NULL), CAIRN_OK);
    assert_true(cairn_hash_equal(&leaf, &leaf_of_open));
    cairn_blinder_release(&blinder);
}

/* ---- the basis ---- */

static struct cairn_basis sample_basis(bool is_root, bool has_predecessor)
{
    struct cairn_basis basis = {
        .schema_version = 3, .has_predecessor = has_predecessor, .secret_hash = hash_of(4)};

    basis.under.is_root = is_root;
    if (is_root)
        basis.under.network = hash_of(1);
    else
        basis.under.grant = (struct cairn_ref){hash_of(2), UINT32_MAX, hash_of(3)};
    if (has_predecessor)
        basis.predecessor = (struct cairn_head){hash_of(5), 77, hash_of(6)};
    return basis;
}

static void a_basis_comes_back_as_it_was_written(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct cairn_basis basis = sample_basis(i & 1, i & 2), again;
        uint8_t buf[512];
        struct cairn_writer writer;
        struct cairn_entry entry;

        cairn_writer_init(&writer, buf, sizeof buf);
        cairn_basis_write(&writer, 99, &basis);
        assert_int_equal(cairn_entry_read(cairn_writer_bytes(&writer), &entry), CAIRN_OK);
        assert_int_equal(entry.kind, CAIRN_KIND_BASIS);
        assert_int_equal(entry.time_s, 99);
        assert_true(cairn_basis_read(&entry, &again));
        assert_true(cairn_under_equal(&again.under, &basis.under));
        assert_int_equal(again.schema_version, 3);
        assert_int_equal(again.has_predecessor, basis.has_predecessor);
        assert_int_equal(again.predecessor.size, basis.predecessor.size);
        assert_true(cairn_hash_equal(&again.predecessor.log, &basis.predecessor.log));
        assert_true(cairn_hash_equal(&again.predecessor.root, &basis.predecessor.root));
        assert_true(cairn_hash_equal(&again.secret_hash, &basis.secret_hash));
    }
}

static void a_body_that_is_no_basis_is_answered_with_false(void **state)
{
    static const char *const cases[] = {
        "860100" COMMITMENT "0300" COMMITMENT,      /* another kind */
        "850000" COMMITMENT "0300",                 /* one item too few */
        "870000" COMMITMENT "0300" COMMITMENT "00", /* one too many */
        "86000000"
        "0300" COMMITMENT, /* under is a number */
        "8600004101"
        "0300" COMMITMENT, /* under is a short hash */
        "86000083" COMMITMENT "613100"
        "0300" COMMITMENT,                     /* under is no ref */
        "860000" COMMITMENT "2000" COMMITMENT, /* a negative version */
        "860000" COMMITMENT "0301" COMMITMENT, /* predecessor 1 */
        "860000" COMMITMENT "0380" COMMITMENT, /* predecessor of another form */
        "860000" COMMITMENT "0300"
        "4101", /* a short hash of s */
        "860000" COMMITMENT "0300"
        "00", /* none */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cairn_bytes bytes = vectors_unhex(cases[i]);
        struct cairn_entry entry;
        struct cairn_basis basis;

        assert_int_equal(cairn_entry_read(bytes, &entry), CAIRN_OK);
        if (cairn_basis_read(&entry, &basis))
            fail_msg("%s was taken for a basis", cases[i]);
        vectors_bytes_free(bytes);
    }
}

static void what_an_entry_is_under_is_compared_whole(void **state)
{
    struct cairn_under root = sample_basis(true, false).under, other_root = root;
    struct cairn_under grant = sample_basis(false, false).under, other = grant;

    (void)state;
    assert_true(cairn_under_equal(&root, &root));
    assert_true(cairn_under_equal(&grant, &grant));
    assert_false(cairn_under_equal(&root, &grant));
    other_root.network.bytes[31] ^= 1;
    assert_false(cairn_under_equal(&root, &other_root));
    other.grant.index--;
    assert_false(cairn_under_equal(&grant, &other));
    other = grant;
    other.grant.leaf.bytes[0] ^= 1;
    assert_false(cairn_under_equal(&grant, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_gives_its_kind_its_time_and_its_body),
        cmocka_unit_test(an_entry_of_another_shape_is_malformed),
        cmocka_unit_test(an_entry_cut_short_is_malformed_at_every_length),
        cmocka_unit_test(a_slot_holds_an_integer_a_text_or_a_commitment),
        cmocka_unit_test(slots_are_found_at_any_depth),
        cmocka_unit_test(a_slot_of_anything_else_is_malformed),
        cmocka_unit_test(
            a_text_in_a_slot_has_at_most_4096_bytes_and_elsewhere_it_is_not_judged_here),
        cmocka_unit_test(an_entry_has_at_most_64_slots),
        cmocka_unit_test(an_entry_with_closed_slots_may_have_33_bytes_more_for_each),
        cmocka_unit_test(an_open_entry_has_at_most_16384_bytes),
        cmocka_unit_test(the_greatest_open_entry_can_still_be_read_closed),
        cmocka_unit_test(a_basis_comes_back_as_it_was_written),
        cmocka_unit_test(a_body_that_is_no_basis_is_answered_with_false),
        cmocka_unit_test(what_an_entry_is_under_is_compared_whole),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
