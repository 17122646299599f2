/* What people call things: labels of records, with a character that finds slips of the hand, and
 * what stands in the place of a name that is not known here. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "replica_internal.h"

static struct machine root;
static char id[32];

static int setup(void **state)
{
    const struct cairn_field_value field = {"head", "扎西"};
    const struct cairn_put put = {
        .type = "household", .scope = "513332100201", .fields = &field, .field_count = 1};
    struct cairn_put_result result;

    (void)state;
    machine_init(&root, 1, "Root", "51");
    machine_must(&root, cairn_put_many(root.replica, &put, 1, &result, NULL, &root.err));
    memcpy(id, result.id, sizeof id);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_free(&root);
    return 0;
}

static enum cairn_status get(const char *label)
{
    const struct cairn_record *record;
    enum cairn_status status = cairn_get(root.replica, label, &record, &root.err);

    if (status == CAIRN_OK)
        assert_string_equal(record->id, id);
    return status;
}

static void expect_unknown(const char *text, bool is_label)
{
    char sentence[120];

    if (is_label)
        snprintf(sentence, sizeof sentence, "There is no record %s here.", text);
    else
        snprintf(sentence, sizeof sentence,
                 "%s is not the id of a record: ids look like A7-0042-K.", text);
    assert_int_equal(cairn_label_is(text), is_label);
    assert_int_equal(get(text), CAIRN_NOT_FOUND);
    assert_string_equal(root.err.text, sentence);
}

/* The row as an early version wrote it: without the check character, and with nothing in it. */
static enum cairn_status row_age(void *context, struct cairn_context *ctx,
                                 const struct cairn_log *log,
                                 const struct cairn_record_state *state)
{
    uint8_t bucket = cairn_record_id_hash(log, state->id.index).bytes[0];
    struct cairn_key key = cairn_counter_key(state->counter, bucket, state->id);
    struct cairn_key before = cairn_counter_key_before(state->counter, state->id);
    struct cairn_key built = cairn_key_meta("index");

    (void)context;
    CAIRN_TRY(cairn_kv_del(ctx, &key));
    CAIRN_TRY(cairn_kv_del(ctx, &built));
    return cairn_kv_put(ctx, &before, (struct cairn_bytes){(const uint8_t *)"", 0});
}

static void store_age(void)
{
    struct cairn_context *ctx = &root.replica->ctx;

    machine_must(&root, cairn_context_begin(ctx, CAIRN_TXN_WRITE));
    machine_must(&root, cairn_states_visit(ctx, row_age, NULL));
    machine_must(&root, cairn_context_commit(ctx));
    ctx->indexing.is_known = false;
}

/* ---- labels -------------------------------------------------------------------------------- */

static void a_label_with_another_character_names_nothing(void **state)
{
    static const char characters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    char label[32];
    size_t last = strlen(id) - 1;

    (void)state;
    assert_non_null(strchr(characters, id[last]));
    for (unsigned round = 0; round < 2; round++) {
        memcpy(label, id, sizeof label);
        assert_int_equal(get(label), CAIRN_OK);
        label[last] = (char)tolower((unsigned char)id[last]);
        assert_int_equal(get(label), CAIRN_OK);
        for (size_t i = 0; characters[i] != '\0'; i++) {
            label[last] = characters[i];
            if (characters[i] != id[last])
                expect_unknown(label, true);
        }
        label[last] = 'U'; /* not among them: it looks like a V */
        expect_unknown(label, true);
        memcpy(label, id, sizeof label);
        label[0] = 'Q';
        expect_unknown(label, true);
        store_age();
    }
}

static void what_is_no_label_is_looked_for_as_an_alias(void **state)
{
    static const char *const texts[] = {"",
                                        "R",
                                        "0001",
                                        "-0001-K",
                                        "ABCDE-0001-K",
                                        "R-x001-K",
                                        "R--1-K",
                                        "R- 1-K",
                                        "R-1",
                                        "R-0001K",
                                        "R-0001-",
                                        "R-0001-KK",
                                        "R-/1-K",
                                        "R-:1-K",
                                        "R-1.K",
                                        "R-4294967296-K",
                                        "R-99999999999999999999999-K"};

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
            expect_unknown(texts[i], false);
        store_age();
    }
    expect_unknown("R-4294967295-K", true);
}

/* ---- names that are not known here --------------------------------------------------------- */

static void roles_have_one_name_each(void **state)
{
    static const char *const names[] = {"prefecture", "county",  "township", "station",
                                        "server",     "auditor", "approver"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_string_equal(cairn_role_name(cairn_role_number(names[i])), names[i]);
    assert_string_equal(cairn_role_name(0), "root");
    assert_string_equal(cairn_role_name(99), "newer");
    assert_int_equal(cairn_role_number("queen"), 0);
}

static void a_text_is_cut_to_its_room(void **state)
{
    char room[4] = "???";

    (void)state;
    cairn_text_copy(room, sizeof room, cairn_bytes_of_text("abcd"));
    assert_string_equal(room, "abc");
    cairn_text_copy(room, sizeof room, cairn_bytes_of_text("ab"));
    assert_string_equal(room, "ab");
    cairn_text_copy(room, sizeof room, (struct cairn_bytes){NULL, 0});
    assert_string_equal(room, "");
}

static void a_device_without_a_grant_here_is_a_question_mark(void **state)
{
    struct cairn_context *ctx = &root.replica->ctx;
    struct cairn_log log = {.no = 1, .under = root.replica->under};
    char tag[8];

    (void)state;
    machine_must(&root, cairn_context_begin(ctx, CAIRN_TXN_WRITE));
    machine_must(&root, cairn_log_tag(ctx, &log, tag));
    assert_string_equal(tag, "R");
    log.under.is_root = false;
    memset(&log.under.grant, 0x5a, sizeof log.under.grant);
    machine_must(&root, cairn_log_tag(ctx, &log, tag));
    assert_string_equal(tag, "?");
    cairn_context_abort(ctx);
}

static void a_fingerprint_may_be_typed_carelessly(void **state)
{
    static const char *const accepted[] = {
        "0123-4567-89AB-CDEF", "0123-4567-89ab-cdef", "0123456789ABCDEF",    "01234567-89abcdef",
        "o123-4567-89AB-CDEF", "OI23-4567-89AB-CDEF", "0L23-4567-89AB-CDEF", "oi23456789abcdef",
        "ol23-4567-89aB-CdEf", "0123 4567 89AB CDEF"};

    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++)
        if (!cairn_fingerprint_is("0123-4567-89AB-CDEF", accepted[i]))
            fail_msg("\"%s\" was refused", accepted[i]);
    assert_true(cairn_fingerprint_is("GHJK-MNPQ-RSTV-WXYZ", "ghjkmnpqrstvwxyz"));
}

static void a_fingerprint_of_other_digits_or_length_is_another(void **state)
{
    static const char *const refused[] = {
        "",
        "0123-4567-89AB-CDE",
        "0123-4567-89AB-CDE-",
        "0123-4567-89AB-CDEF-",
        "0123-4567-89AB-CDEFG",
        "-0123-4567-89AB-CDEF",
        "0123--4567-89AB-CDEF",
        "01-23-4567-89AB-CDEF",
        " 0123-4567-89AB-CDEF",
        "0123-4567-89AB-CDEU",
        "1123-4567-89AB-CDEF",
        "GHJK-MNPQ-RSTV-WXYZ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (cairn_fingerprint_is("0123-4567-89AB-CDEF", refused[i]))
            fail_msg("\"%s\" was accepted", refused[i]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_label_with_another_character_names_nothing),
        T(what_is_no_label_is_looked_for_as_an_alias),
        T(roles_have_one_name_each),
        T(a_text_is_cut_to_its_room),
        T(a_device_without_a_grant_here_is_a_question_mark),
        cmocka_unit_test(a_fingerprint_may_be_typed_carelessly),
        cmocka_unit_test(a_fingerprint_of_other_digits_or_length_is_another),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
