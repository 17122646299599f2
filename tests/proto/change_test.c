/* The items of a change: each comes back as it was written, and nothing else is taken for one. */

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cairn/entry.h"
#include "made_up.h"
#include "vectors.h"

#define HASH "58200101010101010101010101010101010101010101010101010101010101010101"
#define HASH_OF_31 "581f01010101010101010101010101010101010101010101010101010101010101"
#define CLOSED_SLOT "81" HASH

/* A change whose items are `items_hex`, in a block of its own size. */
struct change {
    uint8_t *block;
    struct cairn_entry entry;
    struct cairn_items items;
};

static void change_init(struct change *change, size_t item_count, struct cairn_bytes items)
{
    struct cairn_writer writer;
    uint8_t head[32];

    cairn_writer_init(&writer, head, sizeof head);
    cairn_entry_begin(&writer, CAIRN_KIND_CHANGE, 5, item_count);
    change->block = malloc(writer.size + items.size);
    assert_non_null(change->block);
    memcpy(change->block, head, writer.size);
    if (items.size > 0)
        memcpy(change->block + writer.size, items.data, items.size);
    assert_int_equal(cairn_entry_read((struct cairn_bytes){change->block, writer.size + items.size},
                                      &change->entry),
                     CAIRN_OK);
    cairn_items_init(&change->items, &change->entry);
}

static void change_init_hex(struct change *change, size_t item_count, const char *hex)
{
    struct cairn_bytes items = vectors_unhex(hex);

    change_init(change, item_count, items);
    vectors_bytes_free(items);
}

static void change_release(struct change *change)
{
    free(change->block);
}

/* The one item of a change that was written by a test. */
static struct cairn_item only_item(struct change *change, const struct cairn_writer *writer)
{
    struct cairn_item item;

    assert_false(writer->overflowed);
    change_init(change, 1, cairn_writer_bytes(writer));
    assert_true(cairn_item_next(&change->items, &item));
    assert_int_equal(change->items.left, 0);
    assert_false(cairn_item_next(&change->items, &(struct cairn_item){0}));
    assert_true(cairn_bytes_equal(item.bytes, cairn_writer_bytes(writer)));
    return item;
}

static void items_come_one_after_the_other(void **state)
{
    struct change change;
    struct cairn_item item;

    (void)state;
    change_init_hex(&change, 3, "8210008219636361788318638001");
    assert_int_equal(change.items.left, 3);
    assert_true(cairn_item_next(&change.items, &item));
    assert_int_equal(item.number, 16);
    assert_int_equal(item.arg_count, 1);
    assert_true(cairn_item_next(&change.items, &item)); /* an unknown number is an item, too */
    assert_int_equal(item.number, 0x6363);
    assert_true(cairn_item_next(&change.items, &item));
    assert_int_equal(item.number, 99);
    assert_int_equal(item.arg_count, 2);
    assert_int_equal(change.items.left, 0);
    assert_false(cairn_item_next(&change.items, &item));
    change_release(&change);
}

static void what_is_no_item_stops_the_walk_before_the_end(void **state)
{
    static const char *const cases[] = {
        "00",       "20",        "6178", HASH, /* no array */
        "80",                                  /* no number */
        "8110",     CLOSED_SLOT,               /* a slot, open and closed */
        "822000",                              /* a negative number */
        "82617800",                            /* a text */
        "828000",                              /* an array */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct change change;
        struct cairn_item item;

        change_init_hex(&change, 1, cases[i]);
        if (cairn_item_next(&change.items, &item))
            fail_msg("%s was taken for an item", cases[i]);
        assert_int_equal(change.items.left, 1);
        change_release(&change);
    }
}

/* ---- operations ---- */

static struct cairn_value slot_text(const char *text)
{
    return (struct cairn_value){
        .kind = CAIRN_VALUE_TEXT, .is_slot = true, .text = cairn_bytes_of_text(text)};
}

static void a_create_gives_back_its_type_and_its_fields(void **state)
{
    uint8_t buf[256];
    struct change change;
    struct cairn_writer writer;
    struct cairn_operation op;
    struct cairn_value value = slot_text("Ayi"), integer = {.integer = -7};
    uint64_t field;

    (void)state;
    cairn_writer_init(&writer, buf, sizeof buf);
    cairn_create_begin(&writer, 12, UINT32_MAX, 2);
    cairn_cbor_write_uint(&writer, 1);
    cairn_value_write(&writer, &value);
    cairn_cbor_write_uint(&writer, UINT64_MAX);
    cairn_value_write(&writer, &integer);
    struct cairn_item item = only_item(&change, &writer);
    assert_true(cairn_operation_read(&item, &op));
    assert_int_equal(op.number, CAIRN_ITEM_CREATE);
    assert_int_equal(op.type, 12);
    assert_true(op.counter == UINT32_MAX);
    assert_int_equal(op.rest.left, 2);
    assert_true(cairn_field_next(&op.rest, &field, &value));
    assert_int_equal(field, 1);
    assert_true(value.is_slot && value.kind == CAIRN_VALUE_TEXT && value.text.size == 3);
    assert_true(cairn_field_next(&op.rest, &field, &value));
    assert_true(field == UINT64_MAX);
    assert_true(value.kind == CAIRN_VALUE_INTEGER && value.integer == -7 && !value.is_slot);
    assert_int_equal(op.rest.left, 0);
    assert_false(cairn_field_next(&op.rest, &field, &value));
    change_release(&change);
}

static void expect_write(uint64_t number, size_t named_count)
{
    const struct cairn_local_dot named[2] = {{0, 5}, {UINT32_MAX, UINT32_MAX}};
    uint8_t buf[256];
    struct change change;
    struct cairn_writer writer;
    struct cairn_operation op = {.number = number, .record = {3, 4}}, again;
    struct cairn_local_dot dot;

    if (number != CAIRN_ITEM_DELETE)
        op.field = 6;
    if (number != CAIRN_ITEM_DELETE && number != CAIRN_ITEM_REMOVE)
        op.value = slot_text("B");
    if (number == CAIRN_ITEM_STEP)
        memset(op.seen, 7, sizeof op.seen);
    cairn_writer_init(&writer, buf, sizeof buf);
    cairn_write_begin(&writer, &op, named_count);
    for (size_t i = 0; i < named_count; i++)
        cairn_local_dot_write(&writer, named[i]);
    struct cairn_item item = only_item(&change, &writer);
    assert_true(cairn_operation_read(&item, &again));
    assert_int_equal(again.number, number);
    assert_int_equal(again.record.log_number, 3);
    assert_int_equal(again.record.index, 4);
    assert_int_equal(again.field, op.field);
    assert_true(cairn_bytes_equal(again.value.text, op.value.text));
    assert_memory_equal(again.seen, op.seen, sizeof op.seen);
    assert_int_equal(again.rest.left, named_count);
    for (size_t i = 0; i < named_count; i++) {
        assert_true(cairn_named_next(&again.rest, &dot));
        assert_int_equal(dot.log_number, named[i].log_number);
        assert_int_equal(dot.index, named[i].index);
    }
    assert_int_equal(again.rest.left, 0);
    assert_false(cairn_named_next(&again.rest, &dot));
    change_release(&change);
}

static void every_write_gives_back_what_it_replaces(void **state)
{
    static const uint64_t numbers[] = {CAIRN_ITEM_SET, CAIRN_ITEM_SETTLE, CAIRN_ITEM_DELETE,
                                       CAIRN_ITEM_ADD, CAIRN_ITEM_REMOVE, CAIRN_ITEM_COUNT,
                                       CAIRN_ITEM_STEP};

    (void)state;
    for (size_t i = 0; i < 3 * (sizeof numbers / sizeof numbers[0]); i++)
        expect_write(numbers[i / 3], i % 3);
}

static void an_operation_of_another_shape_is_answered_with_false(void **state)
{
    static const char *const cases[] = {
        "820000",
        "820500",
        "820800",
        "82181900",                     /* other numbers */
        "8301617800",                   /* create: the type is a text */
        "83012000",                     /* a negative type */
        "820101",                       /* no counter */
        "8301016178",                   /* the counter is a text */
        "8301011b0000000100000000",     /* a counter beyond 32 bits */
        "8401010101",                   /* a field without a value */
        "850200010180",                 /* set: the value is no value */
        "85020001014101",               /* the value is bare bytes */
        "8402000101",                   /* no value */
        "83020001",                     /* no field */
        "850220010101",                 /* a negative log */
        "85021b0000000100000000010101", /* a log beyond 32 bits */
        "8502001b00000001000000000101", /* an index beyond 32 bits */
        "85020001617801",               /* a field that is a text */
        "86020001010101",               /* half a named version */
        "86040001010101",               /* the same of settle */
        "820300",                       /* delete: no index */
        "8403000101",                   /* half a named version */
        "8609000101014107",             /* step: what was seen has one byte */
        "850900010101",                 /* nothing was seen */
        "83060001",                     /* remove: no field */
        "8303617800",                   /* the log is a text */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct change change;
        struct cairn_item item;
        struct cairn_operation op;

        change_init_hex(&change, 1, cases[i]);
        assert_true(cairn_item_next(&change.items, &item));
        if (cairn_operation_read(&item, &op))
            fail_msg("%s was taken for an operation", cases[i]);
        change_release(&change);
    }
}

static void a_pair_of_another_shape_stops_the_walk_before_the_end(void **state)
{
    static const struct {
        const char *hex;
        bool is_create;
    } cases[] = {
        {"8701010101012001", true},                  /* a negative field */
        {"870101010101617801", true},                /* a field that is a text */
        {"8701010101010240", true},                  /* a value that is bare bytes */
        {"8701010101010280", true},                  /* a value that is an array of none */
        {"8702000101012001", false},                 /* a negative log */
        {"870200010101006178", false},               /* an index that is a text */
        {"870200010101001b0000000100000000", false}, /* an index beyond 32 bits */
        {"850300010080", false},                     /* delete: an array */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct change change;
        struct cairn_item item;
        struct cairn_operation op;
        struct cairn_local_dot dot;
        struct cairn_value value;
        uint64_t field;

        change_init_hex(&change, 1, cases[i].hex);
        assert_true(cairn_item_next(&change.items, &item));
        assert_true(cairn_operation_read(&item, &op));
        while (cases[i].is_create ? cairn_field_next(&op.rest, &field, &value)
                                  : cairn_named_next(&op.rest, &dot)) {
        }
        if (op.rest.left != 1)
            fail_msg("%s: %zu left", cases[i].hex, op.rest.left);
        change_release(&change);
    }
}

/* ---- announce, reason, repeats ---- */

static void an_announcement_comes_back_first_and_later(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct cairn_announce announce = {.is_first = first, .size = UINT32_MAX}, again;
        uint8_t buf[128];
        struct change change;
        struct cairn_writer writer;

        memcpy(announce.root_start, "rootroot", 8);
        if (first)
            announce.log = hash_of(3);
        else
            announce.log_number = UINT32_MAX;
        cairn_writer_init(&writer, buf, sizeof buf);
        cairn_announce_write(&writer, &announce);
        struct cairn_item item = only_item(&change, &writer);
        assert_int_equal(item.number, CAIRN_ITEM_ANNOUNCE);
        assert_true(cairn_announce_read(&item, &again));
        assert_int_equal(again.is_first, first);
        assert_true(cairn_hash_equal(&again.log, &announce.log));
        assert_int_equal(again.log_number, announce.log_number);
        assert_int_equal(again.size, UINT32_MAX);
        assert_memory_equal(again.root_start, "rootroot", 8);
        change_release(&change);
    }
}

static void a_reason_comes_back_bare_and_in_a_slot(void **state)
{
    static char longest[CAIRN_REASON_MAX];
    uint8_t buf[CAIRN_REASON_MAX + 16];
    struct change change;
    struct cairn_writer writer;
    struct cairn_value value;

    (void)state;
    memset(longest, 'y', sizeof longest);
    cairn_writer_init(&writer, buf, sizeof buf);
    cairn_note_item_write(&writer, CAIRN_ITEM_PERSON,
                          (struct cairn_bytes){(const uint8_t *)longest, sizeof longest});
    struct cairn_item item = only_item(&change, &writer);
    assert_int_equal(item.number, CAIRN_ITEM_PERSON);
    assert_true(cairn_note_item_read(&item, &value));
    assert_int_equal(value.text.size, sizeof longest);
    change_release(&change);

    change_init_hex(&change, 2,
                    "82108161788210"
                    "81" HASH);
    assert_true(cairn_item_next(&change.items, &item));
    assert_true(cairn_note_item_read(&item, &value));
    assert_true(value.is_slot && value.kind == CAIRN_VALUE_TEXT);
    assert_true(cairn_item_next(&change.items, &item));
    assert_true(cairn_note_item_read(&item, &value));
    assert_int_equal(value.kind, CAIRN_VALUE_CLOSED);
    change_release(&change);
}

static void a_reason_of_more_than_1024_bytes_is_answered_with_false(void **state)
{
    static char text[CAIRN_REASON_MAX + 1];
    uint8_t buf[sizeof text + 16];
    struct change change;
    struct cairn_writer writer;
    struct cairn_value value;

    (void)state;
    memset(text, 'y', sizeof text);
    cairn_writer_init(&writer, buf, sizeof buf);
    cairn_note_item_write(&writer, CAIRN_ITEM_REASON,
                          (struct cairn_bytes){(const uint8_t *)text, sizeof text});
    struct cairn_item item = only_item(&change, &writer);
    assert_false(cairn_note_item_read(&item, &value));
    change_release(&change);
}

/* Whoever sees only a commitment must come to the same verdict as those who read what is in it. */
static void a_reason_in_a_slot_is_judged_by_its_shape_alone(void **state)
{
    static char text[CAIRN_TEXT_MAX];
    uint8_t buf[sizeof text + 16];
    struct change change;
    struct cairn_writer writer;
    struct cairn_value value = {.kind = CAIRN_VALUE_TEXT, .is_slot = true};

    (void)state;
    memset(text, 'y', sizeof text);
    value.text = (struct cairn_bytes){(const uint8_t *)text, sizeof text};
    cairn_writer_init(&writer, buf, sizeof buf);
    cairn_cbor_write_array(&writer, 2);
    cairn_cbor_write_uint(&writer, CAIRN_ITEM_REASON);
    cairn_value_write(&writer, &value);
    struct cairn_item item = only_item(&change, &writer);
    assert_true(cairn_note_item_read(&item, &value));
    assert_int_equal(value.text.size, sizeof text);
    change_release(&change);

    change_init_hex(&change, 3,
                    "82108100" /* an integer */
                    "82118120" /* a negative one, of a person */
                    "8210" CLOSED_SLOT);
    for (size_t i = 0; i < 3; i++) {
        assert_true(cairn_item_next(&change.items, &item));
        assert_true(cairn_note_item_read(&item, &value));
        assert_true(value.is_slot);
        assert_int_equal(value.kind, i < 2 ? CAIRN_VALUE_INTEGER : CAIRN_VALUE_CLOSED);
    }
    change_release(&change);
}

static void a_repetition_comes_back_as_it_was_written(void **state)
{
    struct cairn_ref ref = {hash_of(1), UINT32_MAX, hash_of(2)}, again;
    uint8_t buf[128];
    struct change change;
    struct cairn_writer writer;

    (void)state;
    cairn_writer_init(&writer, buf, sizeof buf);
    cairn_repeats_write(&writer, &ref);
    struct cairn_item item = only_item(&change, &writer);
    assert_true(cairn_repeats_read(&item, &again));
    assert_true(cairn_ref_equal(&ref, &again));
    change_release(&change);
}

enum reader_kind { ANNOUNCE, NOTE, REPEATS };

static bool is_read(enum reader_kind kind, const struct cairn_item *item)
{
    struct cairn_announce announce;
    struct cairn_value value;
    struct cairn_ref ref;

    if (kind == ANNOUNCE)
        return cairn_announce_read(item, &announce);
    return kind == NOTE ? cairn_note_item_read(item, &value) : cairn_repeats_read(item, &ref);
}

static void other_items_of_another_shape_are_answered_with_false(void **state)
{
    static const struct {
        enum reader_kind kind;
        const char *hex;
    } cases[] = {
        {ANNOUNCE, "8401" HASH "05480102030405060708"}, /* another number */
        {ANNOUNCE, "8300" HASH "05"},
        {ANNOUNCE, "8500" HASH "0548010203040506070800"},
        {ANNOUNCE, "8400" HASH_OF_31 "05480102030405060708"},
        {ANNOUNCE, "84002005480102030405060708"},
        {ANNOUNCE, "84001b000000010000000005480102030405060708"},
        {ANNOUNCE, "8400011b0000000100000000480102030405060708"},
        {ANNOUNCE, "8400010547"
                   "01020304050607"},
        {ANNOUNCE, "84000105"
                   "49010203040506070809"},
        {ANNOUNCE, "840001056178"},
        {NOTE, "82126178"}, /* another number */
        {NOTE, "83106178"
               "6178"},
        {NOTE, "821000"},
        {NOTE, "8210" HASH},
        {NOTE, "821080"},
        {REPEATS, "8412" HASH "01" HASH}, /* another number */
        {REPEATS, "8313" HASH "01"},
        {REPEATS, "8513" HASH "01" HASH "00"},
        {REPEATS, "8413" HASH_OF_31 "01" HASH},
        {REPEATS, "8413" HASH "20" HASH},
        {REPEATS, "8413" HASH "1b0000000100000000" HASH},
        {REPEATS, "8413" HASH "01" HASH_OF_31},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct change change;
        struct cairn_item item;

        change_init_hex(&change, 1, cases[i].hex);
        assert_true(cairn_item_next(&change.items, &item));
        if (is_read(cases[i].kind, &item))
            fail_msg("%s was read", cases[i].hex);
        change_release(&change);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_one_after_the_other),
        cmocka_unit_test(what_is_no_item_stops_the_walk_before_the_end),
        cmocka_unit_test(a_create_gives_back_its_type_and_its_fields),
        cmocka_unit_test(every_write_gives_back_what_it_replaces),
        cmocka_unit_test(an_operation_of_another_shape_is_answered_with_false),
        cmocka_unit_test(a_pair_of_another_shape_stops_the_walk_before_the_end),
        cmocka_unit_test(an_announcement_comes_back_first_and_later),
        cmocka_unit_test(a_reason_comes_back_bare_and_in_a_slot),
        cmocka_unit_test(a_reason_of_more_than_1024_bytes_is_answered_with_false),
        cmocka_unit_test(a_reason_in_a_slot_is_judged_by_its_shape_alone),
        cmocka_unit_test(a_repetition_comes_back_as_it_was_written),
        cmocka_unit_test(other_items_of_another_shape_are_answered_with_false),
    };
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("change", tests, NULL, NULL);
}
