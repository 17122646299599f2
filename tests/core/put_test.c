/* Who may put what where: refusals in words. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "apply.h"
#include "desk.h"
#include "pen.h"
#include "replica_internal.h"

static const char schema[] = DESK_THING
    "      - {number: 1, name: name, zh: 名, en: name, type: text, required: yes}\n"
    "      - {number: 2, name: old, zh: 旧, en: old, type: text, required: yes, retired: yes}\n"
    "      - {number: 3, name: count, zh: 数, en: count, type: integer}\n"
    "  - number: 2\n"
    "    name: other\n"
    "    zh: 他\n"
    "    en: other\n"
    "    fields:\n"
    "      - {number: 1, name: name, zh: 名, en: name, type: text}\n";

static int setup(void **state)
{
    (void)state;
    desk_open(schema);
    desk_put("thing", DESK_VILLAGE, "it", NULL);
    desk_put("thing", DESK_VILLAGE, "gone", NULL);
    machine_must(&desk, cairn_delete(desk.replica, "thing", desk_id("gone"), NULL, &desk.err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk_close();
    return 0;
}

/* ---- refusals ------------------------------------------------------------------------------ */

static const char *sentence_of(const char *format, const char *id)
{
    static char sentence[300];
    const char *at = strstr(format, "ID");

    if (at == NULL)
        return format;
    snprintf(sentence, sizeof sentence, "%.*s%s%s", (int)(at - format), format, id,
             at + strlen("ID"));
    return sentence;
}

static const struct {
    const char *type, *name, *village, *field; /* the name of the record; NULL: a new one */
    enum cairn_status status;
    const char *sentence; /* ID: the record's */
} refusals[] = {
    {"nothing", NULL, DESK_VILLAGE, "name", CAIRN_BAD_INPUT, "There is no record type nothing."},
    {"thing", NULL, NULL, "name", CAIRN_BAD_INPUT,
     "village= is missing: P holds more than one village, so the code says which."},
    {"thing", NULL, "51333010020x", "name", CAIRN_BAD_INPUT,
     "village code 51333010020x: only digits can stand in it."},
    {"thing", NULL, "513330100", "name", CAIRN_BAD_INPUT,
     "village code 513330100 has 9 digits, 12 are needed."},
    {"thing", NULL, "013330100200", "name", CAIRN_BAD_INPUT,
     "village code 013330100200 is not an administrative code."},
    {"thing", NULL, "520000100200", "name", CAIRN_NO_RIGHT,
     "village 520000100200 is not inside 5133, which the grant of P covers."},
    {"thing", NULL, DESK_VILLAGE, "count", CAIRN_BAD_INPUT, "name is missing: a thing needs it."},
    {"thing", "it", DESK_NEXT_VILLAGE, "name", CAIRN_BAD_INPUT,
     "ID lies in village 513330100200 and cannot be moved to 513330100201. Nothing was written."},
    {"other", "it", NULL, "name", CAIRN_BAD_INPUT, "ID is not a other. Nothing was written."},
    {"thing", "gone", DESK_VILLAGE, "name", CAIRN_BAD_INPUT,
     "ID was deleted. Nothing was written."},
};
#define REFUSALS (sizeof refusals / sizeof refusals[0])

static struct cairn_put refusal_put(size_t i, struct cairn_field_value *field)
{
    *field = (struct cairn_field_value){refusals[i].field, "7"};
    return (struct cairn_put){.type = refusals[i].type,
                              .id = refusals[i].name == NULL ? NULL : desk_id(refusals[i].name),
                              .scope = refusals[i].village,
                              .fields = field,
                              .field_count = 1};
}

static const char *refusal_sentence(size_t i)
{
    return sentence_of(refusals[i].sentence,
                       refusals[i].name == NULL ? "" : desk_id(refusals[i].name));
}

static void a_put_in_the_wrong_place_is_refused_in_words(void **state)
{
    struct cairn_put_result result;
    struct cairn_field_value field;

    (void)state;
    for (size_t i = 0; i < REFUSALS; i++) {
        const struct cairn_put put = refusal_put(i, &field);
        machine_expect_refused(&desk,
                               cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err),
                               refusals[i].status, refusal_sentence(i));
    }
}

static void bad_told(void *context, size_t put_index, enum cairn_status status, const char *text)
{
    size_t *next = context;

    assert_int_equal(put_index, *next);
    assert_int_equal(status, refusals[put_index - 1].status);
    assert_string_equal(text, refusal_sentence(put_index - 1));
    (*next)++;
}

static void checking_tells_every_mistake_and_writes_nothing(void **state)
{
    static struct cairn_field_value fields[REFUSALS + 1];
    struct cairn_put puts[REFUSALS + 1];
    const struct cairn_hash before = machine_disk_hash(&desk);

    (void)state;
    fields[0] = (struct cairn_field_value){"name", "good"};
    puts[0] = (struct cairn_put){
        .type = "thing", .scope = DESK_VILLAGE, .fields = fields, .field_count = 1};
    for (size_t i = 0; i < REFUSALS; i++)
        puts[i + 1] = refusal_put(i, &fields[i + 1]);
    for (unsigned round = 0; round < 2; round++) {
        size_t next = 1; /* the first is a good one */
        machine_must(&desk, cairn_put_check(desk.replica, puts, REFUSALS + 1, bad_told, &next,
                                            round == 0 ? &desk.err : NULL));
        assert_int_equal(next, REFUSALS + 1);
    }
    const struct cairn_hash after = machine_disk_hash(&desk);
    assert_memory_equal(before.bytes, after.bytes, sizeof before.bytes);
}

static void a_reason_is_kept_up_to_its_limit(void **state)
{
    static char reason[1026];
    const struct cairn_field_value field = {"name", "x"};
    struct cairn_put put = {.type = "thing",
                            .scope = DESK_VILLAGE,
                            .fields = &field,
                            .field_count = 1,
                            .reason = reason};
    struct cairn_put_result result;

    (void)state;
    memset(reason, 'r', 1025);
    machine_expect_refused(&desk, cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err),
                           CAIRN_BAD_INPUT, "The reason has more than 1024 bytes.");
    reason[1024] = '\0';
    machine_must(&desk, cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err));
}

static bool reason_copy(void *context, const struct cairn_history_item *item)
{
    snprintf(context, 32, "%s: %s", item->operation, item->reason == NULL ? "" : item->reason);
    return true;
}

static void the_reason_of_a_new_record_stands_in_its_history(void **state)
{
    const struct cairn_field_value field = {"name", "x"};
    const struct cairn_put put = {.type = "thing",
                                  .scope = DESK_VILLAGE,
                                  .fields = &field,
                                  .field_count = 1,
                                  .reason = "found"};
    struct cairn_put_result result;
    char id[32], told[32];

    (void)state;
    machine_must(&desk, cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err));
    memcpy(id, result.id, sizeof id);
    machine_must(&desk, cairn_history(desk.replica, id, reason_copy, told, &desk.err));
    assert_string_equal(told, "create: found");
}

static void what_is_required_cannot_be_blank(void **state)
{
    static const char *const blanks[] = {"", " ", "\t \n"};
    struct cairn_field_value field = {.name = "name"};
    struct cairn_put put = {.type = "thing", .fields = &field, .field_count = 1};
    struct cairn_put_result result;

    (void)state;
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++)
        for (unsigned creates = 0; creates < 2; creates++) {
            field.value = blanks[i];
            put.id = creates ? NULL : desk_id("it");
            put.scope = creates ? DESK_VILLAGE : NULL;
            assert_int_equal(cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err),
                             CAIRN_BAD_INPUT);
            assert_string_equal(desk.err.text, "name is missing: a thing needs it.");
        }
}

static void nothing_to_put_writes_nothing(void **state)
{
    const struct cairn_hash before = machine_disk_hash(&desk);

    (void)state;
    machine_must(&desk, cairn_put_many(desk.replica, NULL, 0, NULL, NULL, &desk.err));
    const struct cairn_hash after = machine_disk_hash(&desk);
    assert_memory_equal(before.bytes, after.bytes, sizeof before.bytes);
}

/* ---- who ----------------------------------------------------------------------------------- */

static enum cairn_status put_on(struct machine *machine, const char *id, const char *field,
                                const char *value)
{
    const struct cairn_field_value one = {field, value};
    const struct cairn_put put = {.type = "thing",
                                  .id = id,
                                  .scope = id == NULL ? DESK_NEXT_VILLAGE : NULL,
                                  .fields = &one,
                                  .field_count = 1};
    struct cairn_put_result result;

    return cairn_put_many(machine->replica, &put, 1, &result, NULL, &machine->err);
}

static void a_server_keeps_records_and_writes_none(void **state)
{
    struct machine server;

    (void)state;
    machine_init(&server, 3, "server", NULL);
    machine_expect_refused(
        &server, put_on(&server, NULL, "name", "x"), CAIRN_NO_RIGHT,
        "This device may not write yet: it has no grant. Send its request to the "
        "office above, then: cairn join FILE");
    machine_join(&server, &desk, "server", DESK_SCOPE, "S");
    machine_expect_refused(
        &server, put_on(&server, NULL, "name", "x"), CAIRN_NO_RIGHT,
        "S may not write records: its grant does not cover them. Nothing was written.");
    machine_free(&server);
}

static void whoever_has_not_given_the_passphrase_writes_nothing(void **state)
{
    const struct cairn_init init = {.name = "Root", .root_scope = "51", .root_tag = "R"};
    struct machine locked;
    struct cairn_replica_config config = {.is_writer = true};
    struct cairn_store *disk;

    (void)state;
    memset(&locked, 0, sizeof locked);
    machine_must(&locked, cairn_store_memory_new(&disk));
    store_fault_init(&locked.store, disk);
    fake_ports_init(&locked.ports, 4);
    config.store = &locked.store.base;
    config.ports = &locked.ports.base;
    config.passphrase = cairn_bytes_of_text("tashi delek");
    machine_must(&locked, cairn_replica_init(&config, &init, &locked.replica, &locked.err));
    machine_off(&locked);
    machine_must(&locked, machine_on(&locked));
    machine_expect_refused(&locked, put_on(&locked, NULL, "name", "x"), CAIRN_NO_KEY,
                           "The key of this device is locked: give its passphrase.");
    machine_free(&locked);
}

static bool id_copy(void *context, const struct cairn_record *record)
{
    memcpy(context, record->id, sizeof record->id);
    return true;
}

/* A station that holds a record of a village that is not its own, as nobody sends it one. */
static void a_record_of_another_village_is_read_and_not_written(void **state)
{
    struct machine station;
    struct pieces pieces = {.list = NULL};
    struct pen pen;
    char id[32], sentence[160];

    (void)state;
    machine_init(&station, 5, "station", NULL);
    machine_join(&station, &desk, "station", DESK_NEXT_VILLAGE, "B");
    pen_begin(&pen, &desk.replica->keys, &desk.replica->ctx.network, 513330100200u,
              CAIRN_CHANNEL_RECORDS, &desk.replica->under, 1, 77, &pieces);
    pen_create(&pen, 1, 3, 1);
    for (size_t i = 0; i < pieces.count; i++) {
        const struct cairn_apply_input input = {.scope = pieces.list[i].scope,
                                                .channel = pieces.list[i].channel,
                                                .run = &pieces.list[i].run};
        enum cairn_outcome outcome;
        uint32_t no;
        machine_must(&station, cairn_context_begin(&station.replica->ctx, CAIRN_TXN_WRITE));
        machine_must(&station, cairn_apply_run(&station.replica->ctx, &input, &outcome, &no));
        machine_must(&station, cairn_context_commit(&station.replica->ctx));
    }
    pieces_free(&pieces);
    machine_must(&station,
                 cairn_list(station.replica, "thing", NULL, 0, id_copy, id, &station.err));
    snprintf(sentence, sizeof sentence,
             "%s lies in village " DESK_VILLAGE ", which the grant of B does not cover.", id);
    machine_expect_refused(&station, put_on(&station, id, "count", "2"), CAIRN_NO_RIGHT, sentence);
    machine_expect_refused(&station, cairn_delete(station.replica, "thing", id, NULL, &station.err),
                           CAIRN_NO_RIGHT, sentence);
    machine_free(&station);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_put_in_the_wrong_place_is_refused_in_words),
        T(checking_tells_every_mistake_and_writes_nothing),
        T(a_reason_is_kept_up_to_its_limit),
        T(the_reason_of_a_new_record_stands_in_its_history),
        T(what_is_required_cannot_be_blank),
        T(nothing_to_put_writes_nothing),
        T(a_server_keeps_records_and_writes_none),
        T(whoever_has_not_given_the_passphrase_writes_nothing),
        T(a_record_of_another_village_is_read_and_not_written),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
