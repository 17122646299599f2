#include "cairn/identity.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cairn/cbor.h"

/* Every length that a code may have, shortest first. Its first two digits are at least 11. */
static const struct scope_level {
    uint64_t least; /* the least code with that many digits */
    uint64_t limit; /* the least number with one digit more */
} scope_levels[] = {
    {UINT64_C(11), UINT64_C(100)},
    {UINT64_C(1100), UINT64_C(10000)},
    {UINT64_C(110000), UINT64_C(1000000)},
    {UINT64_C(110000000), UINT64_C(1000000000)},
    {UINT64_C(110000000000), UINT64_C(1000000000000)},
};
#define SCOPE_LEVELS (sizeof(scope_levels) / sizeof(scope_levels[0]))
#define SCOPE_DIGITS_MAX 12

/* The place of `code` in scope_levels; SCOPE_LEVELS where it has none, as 0 has. */
static size_t scope_level(uint64_t code)
{
    for (size_t i = 0; i < SCOPE_LEVELS; i++)
        if (code >= scope_levels[i].least && code < scope_levels[i].limit)
            return i;
    return SCOPE_LEVELS;
}

bool cairn_scope_is_valid(struct cairn_scope scope)
{
    return scope.code == 0 || scope_level(scope.code) < SCOPE_LEVELS;
}

bool cairn_scope_contains(struct cairn_scope outer, struct cairn_scope inner)
{
    size_t outer_level = scope_level(outer.code);
    size_t inner_level = scope_level(inner.code);

    if (!cairn_scope_is_valid(outer) || !cairn_scope_is_valid(inner))
        return false;
    if (outer.code == 0 || inner.code == 0)
        return outer.code == 0;
    return outer_level <= inner_level &&
           inner.code / (scope_levels[inner_level].limit / scope_levels[outer_level].limit) ==
               outer.code;
}

struct cairn_scope cairn_scope_parent(struct cairn_scope scope)
{
    size_t level = scope_level(scope.code);

    CAIRN_ASSERT(cairn_scope_is_valid(scope));
    if (scope.code == 0 || level == 0)
        return (struct cairn_scope){0};
    return (struct cairn_scope){scope.code /
                                (scope_levels[level].limit / scope_levels[level - 1].limit)};
}

void cairn_scope_text(struct cairn_scope scope, char out_text[static CAIRN_SCOPE_TEXT_BYTES])
{
    char digits[CAIRN_SCOPE_TEXT_BYTES];
    size_t count = 0, size = 0;

    for (uint64_t left = scope.code; left > 0 || count == 0; left /= 10)
        digits[count++] = (char)('0' + left % 10);
    while (count > 0)
        out_text[size++] = digits[--count];
    out_text[size] = '\0';
}

bool cairn_scope_parse(const char *text, struct cairn_scope *out_scope)
{
    struct cairn_scope scope = {0};
    char canonical[CAIRN_SCOPE_TEXT_BYTES];

    for (size_t i = 0; text[i] != '\0'; i++) {
        if (i == SCOPE_DIGITS_MAX || text[i] < '0' || text[i] > '9')
            return false;
        scope.code = scope.code * 10 + (uint64_t)(text[i] - '0');
    }
    /* Refuses what the number does not show: the empty text and leading zeros. */
    cairn_scope_text(scope, canonical);
    if (!cairn_scope_is_valid(scope) || strcmp(canonical, text) != 0)
        return false;
    *out_scope = scope;
    return true;
}

struct cairn_scope cairn_scope_read(struct cairn_reader *reader)
{
    struct cairn_reader ahead = *reader;
    struct cairn_scope scope = {cairn_cbor_read_uint(&ahead)};

    if (ahead.failed || !cairn_scope_is_valid(scope)) {
        cairn_reader_fail(reader);
        return (struct cairn_scope){0};
    }
    *reader = ahead;
    return scope;
}

bool cairn_ref_equal(const struct cairn_ref *a, const struct cairn_ref *b)
{
    return a->index == b->index && cairn_hash_equal(&a->log, &b->log) &&
           cairn_hash_equal(&a->leaf, &b->leaf);
}

/* A ref and a head have the same form: [hash, number, hash] (sections 1 and 4.1). */
void cairn_ref_write(struct cairn_writer *writer, const struct cairn_ref *ref)
{
    cairn_cbor_write_array(writer, 3);
    cairn_cbor_write_hash(writer, &ref->log);
    cairn_cbor_write_uint(writer, ref->index);
    cairn_cbor_write_hash(writer, &ref->leaf);
}

struct cairn_ref cairn_ref_read(struct cairn_reader *reader)
{
    struct cairn_ref ref;

    cairn_cbor_expect_array(reader, 3);
    ref.log = cairn_cbor_read_hash(reader);
    ref.index = (uint32_t)cairn_cbor_read_uint_max(reader, UINT32_MAX);
    ref.leaf = cairn_cbor_read_hash(reader);
    return reader->failed ? (struct cairn_ref){.index = 0} : ref;
}

void cairn_head_write(struct cairn_writer *writer, const struct cairn_head *head)
{
    cairn_cbor_write_array(writer, 3);
    cairn_cbor_write_hash(writer, &head->log);
    cairn_cbor_write_uint(writer, head->size);
    cairn_cbor_write_hash(writer, &head->root);
}

struct cairn_head cairn_head_read(struct cairn_reader *reader)
{
    struct cairn_head head;

    cairn_cbor_expect_array(reader, 3);
    head.log = cairn_cbor_read_hash(reader);
    head.size = (uint32_t)cairn_cbor_read_uint_max(reader, UINT32_MAX);
    head.root = cairn_cbor_read_hash(reader);
    return reader->failed ? (struct cairn_head){.size = 0} : head;
}

static struct cairn_hash hash_of(struct cairn_bytes bytes)
{
    struct cairn_hash hash;

    crypto_hash_sha256(hash.bytes, bytes.data, bytes.size);
    return hash;
}

static void write_label(struct cairn_writer *writer, const char *label)
{
    cairn_cbor_write_text(writer, label, strlen(label));
}

static void write_name(struct cairn_writer *writer, struct cairn_bytes name)
{
    CAIRN_ASSERT(name.size <= CAIRN_NAME_MAX);
    cairn_cbor_write_text(writer, (const char *)name.data, name.size);
}

static struct cairn_bytes read_name(struct cairn_reader *reader)
{
    struct cairn_reader ahead = *reader;
    struct cairn_bytes name = cairn_cbor_read_text(&ahead);

    if (ahead.failed || name.size > CAIRN_NAME_MAX) {
        cairn_reader_fail(reader);
        return (struct cairn_bytes){NULL, 0};
    }
    *reader = ahead;
    return name;
}

/* A byte string of exactly `size` bytes into `out`, which a failed read leaves alone. */
static void read_into(struct cairn_reader *reader, void *out, size_t size)
{
    struct cairn_bytes bytes = cairn_cbor_read_bytes_of(reader, size);

    if (bytes.size == size)
        memcpy(out, bytes.data, size);
}

/* Reads all of ["cairn-root-1", scope, k, [key...], 16 random bytes, name]; judges no key. */
static enum cairn_status read_root_shape(struct cairn_bytes bytes,
                                         struct cairn_root_statement *out_statement,
                                         uint64_t *out_threshold)
{
    struct cairn_reader reader;
    size_t key_count;

    cairn_reader_init(&reader, bytes);
    cairn_cbor_expect_array(&reader, 6);
    cairn_cbor_expect_text(&reader, "cairn-root-1");
    out_statement->scope = cairn_scope_read(&reader);
    *out_threshold = cairn_cbor_read_uint(&reader);
    key_count = cairn_cbor_read_array(&reader);
    if (key_count > CAIRN_ROOT_KEYS_MAX)
        return CAIRN_MALFORMED;
    out_statement->key_count = (unsigned)key_count;
    for (size_t i = 0; i < key_count; i++)
        read_into(&reader, out_statement->keys[i].bytes, sizeof(out_statement->keys[i].bytes));
    read_into(&reader, out_statement->salt.bytes, sizeof(out_statement->salt.bytes));
    out_statement->name = read_name(&reader);
    return cairn_reader_end(&reader);
}

/* A key that stands twice would count for two of the `threshold` that must sign. */
static bool root_keys_differ(const struct cairn_root_statement *statement)
{
    for (unsigned i = 1; i < statement->key_count; i++)
        for (unsigned j = 0; j < i; j++)
            if (memcmp(&statement->keys[i], &statement->keys[j], sizeof(statement->keys[i])) == 0)
                return false;
    return true;
}

enum cairn_status cairn_root_statement_read(struct cairn_bytes bytes,
                                            struct cairn_root_statement *out_statement)
{
    struct cairn_root_statement statement = {.threshold = 0};
    uint64_t threshold;

    enum cairn_status status = read_root_shape(bytes, &statement, &threshold);
    if (status != CAIRN_OK)
        return status;
    if (threshold == 0 || threshold > statement.key_count || !root_keys_differ(&statement))
        return CAIRN_REFUSED;
    for (unsigned i = 0; i < statement.key_count; i++)
        if (cairn_sign_key_check(&statement.keys[i]) != CAIRN_OK)
            return CAIRN_REFUSED;

    statement.threshold = (unsigned)threshold;
    statement.network = hash_of(bytes);
    *out_statement = statement;
    return CAIRN_OK;
}

void cairn_root_statement_write(struct cairn_writer *writer,
                                const struct cairn_root_statement *statement)
{
    CAIRN_ASSERT(cairn_scope_is_valid(statement->scope));
    CAIRN_ASSERT(statement->key_count <= CAIRN_ROOT_KEYS_MAX);
    CAIRN_ASSERT(statement->threshold >= 1 && statement->threshold <= statement->key_count);
    CAIRN_ASSERT(root_keys_differ(statement));

    cairn_cbor_write_array(writer, 6);
    write_label(writer, "cairn-root-1");
    cairn_cbor_write_uint(writer, statement->scope.code);
    cairn_cbor_write_uint(writer, statement->threshold);
    cairn_cbor_write_array(writer, statement->key_count);
    for (unsigned i = 0; i < statement->key_count; i++)
        cairn_cbor_write_bytes(writer, statement->keys[i].bytes, sizeof(statement->keys[i].bytes));
    cairn_cbor_write_bytes(writer, statement->salt.bytes, sizeof(statement->salt.bytes));
    write_name(writer, statement->name);
}

/* Reads ["cairn-request-1", name, seal key, Noise key, bundle key, checkpoint key]. */
static enum cairn_status read_request_shape(struct cairn_bytes bytes,
                                            struct cairn_request_statement *out_request)
{
    struct cairn_device_keys *keys = &out_request->keys;
    struct cairn_reader reader;

    if (bytes.size > CAIRN_STATEMENT_MAX)
        return CAIRN_MALFORMED;
    cairn_reader_init(&reader, bytes);
    cairn_cbor_expect_array(&reader, 6);
    cairn_cbor_expect_text(&reader, "cairn-request-1");
    out_request->name = read_name(&reader);
    read_into(&reader, keys->seal.bytes, sizeof(keys->seal.bytes));
    read_into(&reader, keys->noise.bytes, sizeof(keys->noise.bytes));
    read_into(&reader, keys->bundle.bytes, sizeof(keys->bundle.bytes));
    read_into(&reader, keys->checkpoint.bytes, sizeof(keys->checkpoint.bytes));
    return cairn_reader_end(&reader);
}

static void write_request(struct cairn_writer *writer,
                          const struct cairn_request_statement *request)
{
    const struct cairn_device_keys *keys = &request->keys;

    cairn_cbor_write_array(writer, 6);
    write_label(writer, "cairn-request-1");
    write_name(writer, request->name);
    cairn_cbor_write_bytes(writer, keys->seal.bytes, sizeof(keys->seal.bytes));
    cairn_cbor_write_bytes(writer, keys->noise.bytes, sizeof(keys->noise.bytes));
    cairn_cbor_write_bytes(writer, keys->bundle.bytes, sizeof(keys->bundle.bytes));
    cairn_cbor_write_bytes(writer, keys->checkpoint.bytes, sizeof(keys->checkpoint.bytes));
}

enum cairn_status cairn_request_file_read(const struct cairn_verifier *verifier,
                                          struct cairn_bytes bytes,
                                          struct cairn_request_statement *out_request)
{
    struct cairn_request_statement request = {.name = {NULL, 0}};
    struct cairn_signature signature;
    struct cairn_bytes statement;
    struct cairn_reader reader;

    cairn_reader_init(&reader, bytes);
    cairn_cbor_expect_array(&reader, 2);
    statement = cairn_cbor_read_bytes(&reader);
    read_into(&reader, signature.bytes, sizeof(signature.bytes));

    enum cairn_status status = cairn_reader_end(&reader);
    if (status == CAIRN_OK)
        status = read_request_shape(statement, &request);
    if (status != CAIRN_OK)
        return status;

    /* The keys first: cairn_verify() answers only for a key that was checked. */
    if (cairn_sign_key_check(&request.keys.seal) != CAIRN_OK ||
        cairn_sign_key_check(&request.keys.checkpoint) != CAIRN_OK ||
        cairn_noise_key_check(&request.keys.noise) != CAIRN_OK ||
        cairn_noise_key_check(&request.keys.bundle) != CAIRN_OK)
        return CAIRN_REFUSED;
    if (!cairn_verify(verifier, &request.keys.seal, statement, &signature))
        return CAIRN_BAD_SIGNATURE;

    request.hash = hash_of(statement);
    *out_request = request;
    return CAIRN_OK;
}

struct cairn_hash cairn_request_hash(const struct cairn_request_statement *request)
{
    uint8_t buffer[CAIRN_STATEMENT_MAX];
    struct cairn_writer statement;

    cairn_writer_init(&statement, buffer, sizeof(buffer));
    write_request(&statement, request);
    CAIRN_ASSERT(!statement.overflowed);
    return hash_of(cairn_writer_bytes(&statement));
}

void cairn_request_file_write(struct cairn_writer *writer,
                              const struct cairn_request_statement *request,
                              const struct cairn_sign_secret *secret)
{
    const uint8_t *own_public = secret->bytes + sizeof(struct cairn_sign_seed);
    uint8_t buffer[CAIRN_STATEMENT_MAX];
    struct cairn_signature signature;
    struct cairn_writer statement;

    /* A request that another key signed would be refused wherever it is carried. */
    CAIRN_ASSERT(memcmp(own_public, request->keys.seal.bytes, sizeof(request->keys.seal)) == 0);

    cairn_writer_init(&statement, buffer, sizeof(buffer));
    write_request(&statement, request);
    CAIRN_ASSERT(!statement.overflowed);
    cairn_sign(secret, cairn_writer_bytes(&statement), &signature);

    cairn_cbor_write_array(writer, 2);
    cairn_cbor_write_bytes(writer, statement.data, statement.size);
    cairn_cbor_write_bytes(writer, signature.bytes, sizeof(signature.bytes));
}

/* Text of 12 bytes, three heads of at most 9 bytes, two strings of 32 and one of 16. */
#define LOG_STATEMENT_MAX 128

struct cairn_hash cairn_log_id(const struct cairn_hash *network,
                               const struct cairn_sign_public *device, struct cairn_scope scope,
                               enum cairn_channel channel,
                               const struct cairn_incarnation *incarnation)
{
    uint8_t buffer[LOG_STATEMENT_MAX];
    struct cairn_writer writer;

    cairn_writer_init(&writer, buffer, sizeof(buffer));
    cairn_cbor_write_array(&writer, 6);
    write_label(&writer, "cairn-log-1");
    cairn_cbor_write_hash(&writer, network);
    cairn_cbor_write_bytes(&writer, device->bytes, sizeof(device->bytes));
    cairn_cbor_write_uint(&writer, scope.code);
    cairn_cbor_write_uint(&writer, channel);
    cairn_cbor_write_bytes(&writer, incarnation->bytes, sizeof(incarnation->bytes));
    CAIRN_ASSERT(!writer.overflowed);
    return hash_of(cairn_writer_bytes(&writer));
}

/* Crockford base32 (crockford.com/base32.html) leaves out I, L, O and U. */
static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum { FINGERPRINT_DIGITS = 16, FINGERPRINT_GROUP = 4 };

/* Digit `i` of the fingerprint: the five bits of `hash` from bit 5 i on, the highest bit first. */
static char fingerprint_digit(const struct cairn_hash *hash, size_t i)
{
    size_t bit = 5 * i;
    unsigned pair = (unsigned)hash->bytes[bit / 8] << 8 | hash->bytes[bit / 8 + 1];

    return crockford[pair >> (11 - bit % 8) & 0x1f];
}

void cairn_fingerprint(const struct cairn_hash *hash, char out_text[static CAIRN_FINGERPRINT_BYTES])
{
    size_t size = 0;

    for (size_t i = 0; i < FINGERPRINT_DIGITS; i++) {
        if (i > 0 && i % FINGERPRINT_GROUP == 0)
            out_text[size++] = '-';
        out_text[size++] = fingerprint_digit(hash, i);
    }
    out_text[size++] = '\0';
    CAIRN_ASSERT(size == CAIRN_FINGERPRINT_BYTES);
}
