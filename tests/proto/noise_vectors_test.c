/* The handshake engine against published handshakes and against changed ones. */

#include "cairn/noise.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "noise_pair.h"
#include "vectors.h"

#define SUFFIX "_25519_ChaChaPoly_SHA256"

static const char *const pattern_names[CAIRN_NOISE_PATTERN_COUNT] = {
    [CAIRN_NOISE_N] = "N",   [CAIRN_NOISE_X] = "X",   [CAIRN_NOISE_NK] = "NK",
    [CAIRN_NOISE_XK] = "XK", [CAIRN_NOISE_XX] = "XX", [CAIRN_NOISE_IK] = "IK",
};

/* False for a protocol with another hash function, which Cairn does not have. */
static bool find_pattern(const char *protocol_name, enum cairn_noise_pattern *out)
{
    char name[64];

    for (unsigned i = 0; i < CAIRN_NOISE_PATTERN_COUNT; i++) {
        (void)snprintf(name, sizeof(name), "Noise_%s" SUFFIX, pattern_names[i]);
        if (strcmp(name, protocol_name) == 0) {
            *out = (enum cairn_noise_pattern)i;
            return true;
        }
    }
    return false;
}

/* The key in this column, or NULL where the row has none. */
static const struct cairn_noise_key *find_key(const json_t *row, const char *column,
                                              struct cairn_noise_key *storage)
{
    if (!vectors_has(row, column))
        return NULL;
    assert_true(vectors_hex_into(row, column, storage->bytes, sizeof(storage->bytes)));
    return storage;
}

/* `change` is a row of tampered.json, whose prologue or key goes before the row's; or the row. */
static void side_init(struct cairn_noise *noise, enum cairn_noise_pattern pattern,
                      const json_t *row, const json_t *change, bool is_initiator)
{
    static const char *const columns[2][4] = {
        {"resp_prologue", "resp_static", "resp_ephemeral", "resp_remote_static"},
        {"init_prologue", "init_static", "init_ephemeral", "init_remote_static"},
    };
    const char *const *column = columns[is_initiator];
    struct cairn_noise_key keys[3];
    struct cairn_bytes prologue =
        vectors_hex(vectors_has(change, column[0]) ? change : row, column[0]);
    struct cairn_noise_config config = {
        .pattern = pattern,
        .is_initiator = is_initiator,
        .prologue = prologue,
        .static_secret = find_key(row, column[1], &keys[0]),
        .ephemeral_secret = find_key(row, column[2], &keys[1]),
        .remote_static =
            find_key(vectors_has(change, column[3]) ? change : row, column[3], &keys[2]),
    };

    cairn_noise_init(noise, &config);
    vectors_bytes_free(prologue);
}

static void check_handshake_message(struct pair *pair, const json_t *row, const json_t *message,
                                    unsigned from)
{
    struct cairn_bytes payload = vectors_hex(message, "payload");
    struct cairn_bytes want = vectors_hex(message, "ciphertext");
    struct message got = write_message(&pair->side[from], payload);
    struct message read;

    vectors_expect_bytes(row, message_bytes(&got), want);
    assert_false(cairn_noise_is_writer_next(&pair->side[1 - from]));
    assert_int_equal(cairn_noise_overhead(&pair->side[1 - from]), want.size - payload.size);
    assert_int_equal(read_message(&pair->side[1 - from], want, &read), CAIRN_OK);
    vectors_expect_bytes(row, message_bytes(&read), payload);
    vectors_bytes_free(payload);
    vectors_bytes_free(want);
}

static void check_transport_message(struct cairn_noise_cipher *send,
                                    struct cairn_noise_cipher *receive, const json_t *row,
                                    const json_t *message)
{
    struct cairn_bytes payload = vectors_hex(message, "payload");
    struct cairn_bytes want = vectors_hex(message, "ciphertext");
    struct message sealed, plain;
    struct cairn_writer out;

    cairn_writer_init(&out, sealed.data, sizeof(sealed.data));
    cairn_noise_seal(send, payload, &out);
    vectors_expect_bytes(row, cairn_writer_bytes(&out), want);
    cairn_writer_init(&out, plain.data, sizeof(plain.data));
    assert_int_equal(cairn_noise_open(receive, want, &out), CAIRN_OK);
    vectors_expect_bytes(row, cairn_writer_bytes(&out), payload);
    vectors_bytes_free(payload);
    vectors_bytes_free(want);
}

static void check_session(struct pair *pair, const json_t *row)
{
    struct cairn_hash hashes[2];
    struct cairn_bytes want = vectors_hex(row, "handshake_hash");

    for (unsigned i = 0; i < 2; i++) {
        assert_true(cairn_noise_is_done(&pair->side[i]));
        assert_false(cairn_noise_is_writer_next(&pair->side[i]));
        assert_int_equal(cairn_noise_overhead(&pair->side[i]), 0);
        hashes[i] = cairn_noise_session_hash(&pair->side[i]);
        vectors_expect_bytes(row, (struct cairn_bytes){hashes[i].bytes, 32}, want);
    }
    vectors_bytes_free(want);
}

static unsigned message_from(const json_t *message)
{
    return strcmp(vectors_text(message, "from"), "init") == 0 ? 0 : 1;
}

static bool is_handshake_message(const json_t *message)
{
    return strcmp(vectors_text(message, "phase"), "handshake") == 0;
}

/* Returns how many messages the row has. */
static size_t check_handshake_row(const json_t *row, enum cairn_noise_pattern pattern)
{
    const json_t *messages = vectors_array(row, "messages");
    struct cairn_noise_cipher send[2], receive[2];
    struct pair pair;
    size_t i = 0;

    side_init(&pair.side[0], pattern, row, row, true);
    side_init(&pair.side[1], pattern, row, row, false);
    for (; i < message_counts[pattern]; i++) {
        const json_t *message = json_array_get(messages, i);

        assert_true(is_handshake_message(message));
        check_handshake_message(&pair, row, message, message_from(message));
    }
    check_session(&pair, row);
    for (unsigned s = 0; s < 2; s++) {
        cairn_noise_split(&pair.side[s], &send[s], &receive[s]);
        cairn_noise_release(&pair.side[s]);
    }
    for (; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        unsigned from = message_from(message);

        assert_false(is_handshake_message(message));
        check_transport_message(&send[from], &receive[1 - from], row, message);
    }
    return i;
}

static void published_handshakes_are_met_byte_for_byte(void **state)
{
    json_t *table = vectors_load("/noise/handshakes.json");
    size_t row_count[CAIRN_NOISE_PATTERN_COUNT] = {0};
    size_t message_count = 0, run_count = 0, other_count = 0;

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        enum cairn_noise_pattern pattern;

        if (!find_pattern(vectors_text(row, "protocol_name"), &pattern)) {
            print_message("%s: not applicable: %s\n", vectors_id(row),
                          vectors_text(row, "protocol_name"));
            other_count++;
            continue;
        }
        message_count += check_handshake_row(row, pattern);
        row_count[pattern]++;
        run_count++;
    }
    for (unsigned i = 0; i < CAIRN_NOISE_PATTERN_COUNT; i++) {
        print_message("%s" SUFFIX ": %zu rows\n", pattern_names[i], row_count[i]);
    }
    print_message("handshakes: %zu rows, %zu messages; %zu rows not applicable\n", run_count,
                  message_count, other_count);
    assert_int_not_equal(run_count, 0);
    assert_int_equal(run_count + other_count, vectors_int(table, "count"));
    vectors_free(table);
}

static const json_t *find_row(const json_t *table, const char *id)
{
    VECTORS_EACH(table, i, row)
    {
        if (strcmp(vectors_id(row), id) == 0)
            return row;
    }
    fail_msg("no row %s", id);
    return NULL;
}

/* The reader is done for, and the other side must not come to believe that all is well. */
static void check_both_refuse(struct cairn_noise *reader, struct cairn_noise *writer,
                              struct cairn_bytes message, enum cairn_status status)
{
    assert_false(cairn_noise_is_done(reader));
    assert_false(cairn_noise_is_writer_next(reader));
    assert_int_equal(read_status(reader, message), status);
    if (!cairn_noise_is_done(writer))
        assert_int_equal(read_status(writer, (struct cairn_bytes){NULL, 0}), CAIRN_MALFORMED);
}

static void check_tampered_row(const json_t *change, const json_t *row,
                               enum cairn_noise_pattern pattern)
{
    const json_t *messages = vectors_array(row, "messages");
    int64_t changed = vectors_has(change, "message") ? vectors_int(change, "message") : -1;
    int64_t fail_at = vectors_int(change, "fail_at");
    unsigned reader = strcmp(vectors_text(change, "reader"), "init") == 0 ? 0 : 1;
    struct pair pair;

    side_init(&pair.side[0], pattern, row, change, true);
    side_init(&pair.side[1], pattern, row, change, false);
    assert_in_range(fail_at, 0, message_counts[pattern] - 1);
    for (int64_t i = 0; i <= fail_at; i++) {
        const json_t *message = json_array_get(messages, (size_t)i);
        unsigned from = message_from(message);
        struct cairn_bytes payload = vectors_hex(message, "payload");
        struct message written = write_message(&pair.side[from], payload);
        struct cairn_bytes sent =
            i == changed ? vectors_hex(change, "sent_hex") : vectors_unhex("");
        struct cairn_bytes wire = i == changed ? sent : message_bytes(&written);
        enum cairn_status status = read_status(&pair.side[1 - from], wire);

        if (i < fail_at) {
            assert_int_equal(status, CAIRN_OK);
        } else {
            assert_int_equal(reader, 1 - from);
            assert_true(status == CAIRN_MALFORMED || status == CAIRN_BAD_SIGNATURE);
            check_both_refuse(&pair.side[reader], &pair.side[from], wire, status);
        }
        vectors_bytes_free(payload);
        vectors_bytes_free(sent);
    }
}

static void changed_handshakes_are_refused_where_the_table_says(void **state)
{
    json_t *handshakes = vectors_load("/noise/handshakes.json");
    json_t *table = vectors_load("/noise/tampered.json");
    size_t run_count = 0, other_count = 0;

    (void)state;
    VECTORS_EACH(table, i, change)
    {
        enum cairn_noise_pattern pattern;

        if (!find_pattern(vectors_text(change, "protocol_name"), &pattern)) {
            print_message("%s: not applicable: %s\n", vectors_id(change),
                          vectors_text(change, "protocol_name"));
            other_count++;
            continue;
        }
        check_tampered_row(change, find_row(handshakes, vectors_text(change, "based_on")), pattern);
        run_count++;
    }
    print_message("tampered: %zu rows; %zu rows not applicable\n", run_count, other_count);
    assert_int_not_equal(run_count, 0);
    assert_int_equal(run_count + other_count, vectors_int(table, "count"));
    vectors_free(table);
    vectors_free(handshakes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_handshakes_are_met_byte_for_byte),
        cmocka_unit_test(changed_handshakes_are_refused_where_the_table_says),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests_name("noise_vectors", tests, NULL, NULL);
}
