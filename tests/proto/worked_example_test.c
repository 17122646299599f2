/* Section 12 of proto/SPEC.md, read from the page itself and made again by the code. */

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cairn/leaf.h"
#include "cairn/merkle.h"
#include "cairn/seal.h"

#define VALUES_MAX 64
#define VALUE_BYTES_MAX 512

struct value {
    char name[40];
    uint8_t bytes[VALUE_BYTES_MAX];
    size_t size;
    bool is_used;
};

struct page {
    char *text; /* section 12 */
    struct value values[VALUES_MAX];
    size_t count;
};

static struct page page;

/* ---- reading the page ---- */

static char *file_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t capacity = 1 << 20, size;
    char *text = malloc(capacity);

    assert_non_null(file);
    assert_non_null(text);
    size = fread(text, 1, capacity - 1, file);
    assert_true(size < capacity - 1);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void hex_append(struct value *value, const char *hex)
{
    size_t got;

    hex += strspn(hex, " ");
    assert_int_equal(sodium_hex2bin(value->bytes + value->size, VALUE_BYTES_MAX - value->size, hex,
                                    strlen(hex), NULL, &got, NULL),
                     0);
    assert_true(got > 0);
    value->size += got;
}

/* "name = hex", or blanks and more hex of the value above. */
static void line_read(const char *line)
{
    const char *equals = strstr(line, " = ");

    if (equals == NULL) {
        assert_true(page.count > 0 && line[0] == ' ');
        hex_append(&page.values[page.count - 1], line);
        return;
    }
    assert_true(page.count < VALUES_MAX);
    struct value *value = &page.values[page.count++];
    size_t size = (size_t)(equals - line);
    while (size > 0 && line[size - 1] == ' ')
        size--;
    assert_true(size > 0 && size < sizeof value->name);
    memcpy(value->name, line, size);
    hex_append(value, equals + 3);
}

static int page_read(void **state)
{
    bool is_in_block = false;
    char *rest = NULL;

    (void)state;
    if (sodium_init() < 0)
        return -1;
    char *text = file_text(CAIRN_SPEC);
    const char *section = strstr(text, "\n## 12 ");
    assert_non_null(section);
    const char *end = strstr(section + 1, "\n## ");
    size_t size = end == NULL ? strlen(section) : (size_t)(end - section);
    page.text = strndup(section, size);
    char *lines = strndup(section, size);
    assert_non_null(page.text);
    assert_non_null(lines);
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, "```", 3) == 0)
            is_in_block = !is_in_block;
        else if (is_in_block)
            line_read(line);
    free(lines);
    free(text);
    return 0;
}

static int page_free(void **state)
{
    (void)state;
    free(page.text);
    return 0;
}

static struct value *value_get(const char *name)
{
    for (size_t i = 0; i < page.count; i++)
        if (strcmp(page.values[i].name, name) == 0) {
            page.values[i].is_used = true;
            return &page.values[i];
        }
    fail_msg("section 12 has no value \"%s\"", name);
    return NULL;
}

static void given(const char *name, void *out, size_t size)
{
    const struct value *value = value_get(name);

    assert_int_equal(value->size, size);
    memcpy(out, value->bytes, size);
}

static void expect(const char *name, struct cairn_bytes bytes)
{
    const struct value *value = value_get(name);

    print_message("%s\n", name);
    assert_int_equal(bytes.size, value->size);
    assert_memory_equal(bytes.data, value->bytes, value->size);
}

static void expect_hash(const char *name, struct cairn_hash hash)
{
    expect(name, (struct cairn_bytes){hash.bytes, sizeof hash.bytes});
}

/* ---- making it again ---- */

#define TIME_S 1700000000u
static const struct cairn_scope scope = {42};

struct example {
    struct cairn_sign_secret secret;
    struct cairn_sign_public key;
    struct cairn_hash network, log;
    struct cairn_blinder blinder;
    struct cairn_tree tree;
    struct cairn_head head;
};

static struct example example;

static void expect_names(void)
{
    struct cairn_root_statement statement = {.scope = scope, .threshold = 1, .key_count = 1};
    struct cairn_root_statement again;
    struct cairn_incarnation incarnation;
    struct cairn_sign_seed seed;
    struct cairn_writer writer;
    uint8_t buf[CAIRN_STATEMENT_MAX];
    char fingerprint[CAIRN_FINGERPRINT_BYTES];
    struct cairn_hash hash;

    given("seal seed", seed.bytes, sizeof seed.bytes);
    cairn_sign_keypair_from_seed(&seed, &example.key, &example.secret);
    expect("seal key", (struct cairn_bytes){example.key.bytes, sizeof example.key.bytes});

    given("root salt", statement.salt.bytes, sizeof statement.salt.bytes);
    statement.keys[0] = example.key;
    statement.name = cairn_bytes_of_text("example");
    cairn_writer_init(&writer, buf, sizeof buf);
    cairn_root_statement_write(&writer, &statement);
    expect("root statement", cairn_writer_bytes(&writer));
    assert_int_equal(cairn_root_statement_read(cairn_writer_bytes(&writer), &again), CAIRN_OK);
    example.network = again.network;
    expect_hash("network id", example.network);
    cairn_fingerprint(&example.network, fingerprint);
    assert_non_null(strstr(page.text, fingerprint));

    const struct value *log = value_get("log statement");
    crypto_hash_sha256(hash.bytes, log->bytes, log->size);
    given("incarnation", incarnation.bytes, sizeof incarnation.bytes);
    example.log =
        cairn_log_id(&example.network, &example.key, scope, CAIRN_CHANNEL_RECORDS, &incarnation);
    expect_hash("log id", example.log);
    expect_hash("log id", hash);
}

/* Writes entry `index` of the example. */
static void entry_write(struct cairn_writer *writer, uint32_t index,
                        const struct cairn_secret *secret)
{
    struct cairn_value person = {.kind = CAIRN_VALUE_TEXT,
                                 .is_slot = true,
                                 .text = cairn_bytes_of_text("\xe9\x98\xbf\xe4\xbe\x9d")};
    struct cairn_value amount = {.kind = CAIRN_VALUE_INTEGER, .integer = 4150};
    struct cairn_basis basis = {.under = {.is_root = true, .network = example.network},
                                .schema_version = 1,
                                .secret_hash = cairn_secret_hash(secret)};

    if (index == 0) {
        cairn_basis_write(writer, TIME_S, &basis);
    } else if (index == 1) {
        cairn_entry_begin(writer, CAIRN_KIND_CHANGE, TIME_S + 60, 1);
        cairn_create_begin(writer, 1, 7, 2);
        cairn_cbor_write_uint(writer, 1);
        cairn_value_write(writer, &person);
        cairn_cbor_write_uint(writer, 2);
        cairn_value_write(writer, &amount);
    } else {
        struct cairn_operation set = {
            .number = CAIRN_ITEM_SET, .record = {0, 1}, .field = 2, .value = amount};
        set.value.integer = 4300;
        cairn_entry_begin(writer, CAIRN_KIND_CHANGE, TIME_S + 120, 2);
        cairn_write_begin(writer, &set, 0);
        cairn_note_item_write(writer, CAIRN_ITEM_REASON, cairn_bytes_of_text("corrected"));
    }
}

static void expect_entry(uint32_t index, const struct cairn_secret *secret)
{
    uint8_t buf[VALUE_BYTES_MAX];
    struct cairn_writer writer;
    struct cairn_entry entry;
    struct cairn_hash leaf;
    char name[40];

    cairn_writer_init(&writer, buf, sizeof buf);
    entry_write(&writer, index, secret);
    snprintf(name, sizeof name, "entry %u", index);
    expect(name, cairn_writer_bytes(&writer));
    snprintf(name, sizeof name, "blinding %u", index);
    expect_hash(name, cairn_blinding(&example.blinder, index));
    assert_int_equal(cairn_entry_read(cairn_writer_bytes(&writer), &entry), CAIRN_OK);
    assert_int_equal(entry.slot_count, index == 1 ? 1 : 0);
    assert_int_equal(cairn_leaf(&example.blinder, index, &entry, &leaf, NULL), CAIRN_OK);
    snprintf(name, sizeof name, "leaf %u", index);
    expect_hash(name, leaf);
    cairn_tree_append(&example.tree, &leaf);
    if (index == 1)
        expect_hash("node 0-1", cairn_tree_root(&example.tree));
}

/* Entry 1, the one with a slot, as somebody outside the log sees it. */
static void expect_closing(void)
{
    const struct value *open = value_get("entry 1");
    struct cairn_hash commitment, seed, leaf;
    struct cairn_blinder closed_blinder;
    uint8_t buf[VALUE_BYTES_MAX];
    struct cairn_writer writer;
    struct cairn_entry entry;

    assert_int_equal(cairn_entry_read((struct cairn_bytes){open->bytes, open->size}, &entry),
                     CAIRN_OK);
    cairn_writer_init(&writer, buf, sizeof buf);
    assert_int_equal(cairn_entry_close(&example.blinder, 1, &entry, &writer, &commitment),
                     CAIRN_OK);
    expect("closed entry 1", cairn_writer_bytes(&writer));
    expect_hash("commitment", commitment);
    expect_hash("salt 0 of entry 1", cairn_salt(&example.blinder, 1, 0));
    expect_hash("GGM root", example.blinder.ggm[0]);
    expect_hash("GGM leaf 1", example.blinder.ggm[32]);

    given("blind seed", seed.bytes, sizeof seed.bytes);
    cairn_blinder_init_closed(&closed_blinder, &seed);
    assert_int_equal(cairn_entry_read(cairn_writer_bytes(&writer), &entry), CAIRN_OK);
    assert_int_equal(cairn_leaf(&closed_blinder, 1, &entry, &leaf, NULL), CAIRN_OK);
    expect_hash("leaf 1", leaf);
    cairn_blinder_release(&closed_blinder);
}

static void expect_seal(void)
{
    uint8_t payload[CAIRN_SEAL_PAYLOAD_MAX], buf[VALUE_BYTES_MAX];
    const struct value *signed_bytes = value_get("Sig_structure");
    struct cairn_cose_sign1 sign1;
    struct cairn_verifier verifier;
    struct cairn_writer writer;

    sign1.payload = cairn_seal_payload(&example.head, payload);
    expect("seal payload", sign1.payload);
    cairn_seal_sign(&example.secret, &example.head, &sign1.signature);
    expect("signature", (struct cairn_bytes){sign1.signature.bytes, sizeof sign1.signature.bytes});
    cairn_writer_init(&writer, buf, sizeof buf);
    cairn_cose_sign1_write(&writer, &sign1);
    expect("exported seal", cairn_writer_bytes(&writer));

    cairn_verifier_init(&verifier);
    assert_true(cairn_seal_verify(&verifier, &example.key, &example.head, &sign1.signature));
    assert_true(cairn_verify(&verifier, &example.key,
                             (struct cairn_bytes){signed_bytes->bytes, signed_bytes->size},
                             &sign1.signature));
}

static void the_code_makes_every_value_of_the_worked_example(void **state)
{
    struct cairn_secret secret;

    (void)state;
    expect_names();
    given("log secret s", secret.bytes, sizeof secret.bytes);
    expect_hash("announced hash of s", cairn_secret_hash(&secret));
    expect_hash("blind seed", cairn_blind_seed(&secret));
    cairn_blinder_init(&example.blinder, &secret);
    cairn_tree_init(&example.tree);
    for (uint32_t i = 0; i < 3; i++)
        expect_entry(i, &secret);
    expect_closing();
    example.head = (struct cairn_head){example.log, 3, cairn_tree_root(&example.tree)};
    expect_hash("root at size 3", example.head.root);
    expect_seal();
    cairn_blinder_release(&example.blinder);
}

static void no_value_of_the_worked_example_goes_unchecked(void **state)
{
    (void)state;
    assert_true(page.count > 0);
    for (size_t i = 0; i < page.count; i++)
        if (!page.values[i].is_used)
            fail_msg("nothing makes \"%s\"", page.values[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_code_makes_every_value_of_the_worked_example),
        cmocka_unit_test(no_value_of_the_worked_example_goes_unchecked),
    };
    return cmocka_run_group_tests_name("worked_example", tests, page_read, page_free);
}
