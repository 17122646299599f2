/* Schema files through the facade: checked with and without a network, published, given back, and
 * described to programs. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"
#include "schema.h"
#include "yaml_tree.h"

#define FIELD "{number: 1, name: head, zh: 户主, en: head, type: text}"
#define ROOF "{number: 2, name: roof, zh: 屋顶, en: roof, type: integer}"
#define TYPE(fields) \
    "types: [{number: 1, name: household, zh: 户, en: household, fields: [" fields "]}]\n"

struct told {
    size_t count, line; /* of the last */
    char text[CAIRN_ERR_TEXT_BYTES];
};

static void tell(void *context, size_t line, const char *text)
{
    struct told *told = context;

    told->count++;
    told->line = line;
    snprintf(told->text, sizeof told->text, "%s", text);
}

static void expect_text(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("told \"%s\" instead of \"%s\"", text, part);
}

/* A root that signed `table`, its key sealed by `passphrase`. */
static void root_init(struct machine *machine, struct cairn_bytes table, const char *passphrase)
{
    const struct cairn_init init = {
        .name = "root", .root_scope = "51", .root_tag = "R", .schema = table};
    struct cairn_store *disk;

    memset(machine, 0, sizeof *machine);
    machine_must(machine, cairn_store_memory_new(&disk));
    store_fault_init(&machine->store, disk);
    fake_ports_init(&machine->ports, 1);
    const struct cairn_replica_config config = {.is_writer = true,
                                                .passphrase = cairn_bytes_of_text(passphrase),
                                                .store = &machine->store.base,
                                                .ports = &machine->ports.base};
    machine_must(machine, cairn_replica_init(&config, &init, &machine->replica, &machine->err));
}

/* A table of one type with these fields, states, moves and indicators. */
static struct cairn_bytes table_of(const struct cairn_type *type)
{
    static uint8_t bytes[CAIRN_SCHEMA_TABLE_MAX];
    const struct cairn_schema schema = {.version = 1, .types = type, .type_count = 1};
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_schema_write(&writer, &schema);
    assert_false(writer.overflowed);
    return cairn_writer_bytes(&writer);
}

#define NAMED(n, text) .number = (n), .name = (text), .label_zh = (text), .label_en = (text)

static struct cairn_bytes small_table(void)
{
    static const struct cairn_field head = {NAMED(1, "head"), .unit = "", .wire = CAIRN_WIRE_TEXT,
                                            .merge = CAIRN_MERGE_REGISTER};
    static const struct cairn_type household = {NAMED(1, "household"), .fields = &head,
                                                .field_count = 1};

    return table_of(&household);
}

static void check_expect(struct machine *machine, const char *yaml, enum cairn_status status,
                         struct told *told)
{
    struct cairn_err err = {.translate = NULL};
    struct cairn_schema_summary summary = {.version = 0};
    struct cairn_replica *replica = machine == NULL ? NULL : machine->replica;

    *told = (struct told){.count = 0};
    assert_int_equal(
        cairn_schema_check(replica, cairn_bytes_of_text(yaml), tell, told, &summary, &err), status);
    assert_int_equal(told->count == 0, status == CAIRN_OK);
    assert_int_equal(summary.version == 0, status != CAIRN_OK);
}

/* ---- checking ------------------------------------------------------------------------------ */

static void a_file_is_checked_without_any_network(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        uint64_t version;
    } files[] = {{TYPE(FIELD), 1}, {"version: 5\n" TYPE(FIELD ", " ROOF), 5}};

    for (size_t i = 0; i < 2; i++) {
        struct cairn_schema_summary summary;
        assert_int_equal(cairn_schema_check(NULL, cairn_bytes_of_text(files[i].yaml), NULL, NULL,
                                            &summary, NULL),
                         CAIRN_OK);
        assert_int_equal(summary.version, files[i].version);
        assert_int_equal(summary.type_count, 1);
        assert_int_equal(summary.field_count, i + 1);
        assert_true(summary.table_bytes > 20 && summary.table_bytes < 200);
        assert_int_equal(summary.table_bytes_max, CAIRN_SCHEMA_TABLE_MAX);
    }
}

static void before_a_network_is_joined_there_is_nothing_to_compare_with(void **state)
{
    (void)state;
    struct machine machine;
    struct told told;

    machine_init(&machine, 7, "station", NULL);
    check_expect(&machine, "version: 9\n" TYPE(FIELD), CAIRN_OK, &told);
    machine_free(&machine);
}

static void a_file_without_a_version_is_the_one_after_that_held(void **state)
{
    (void)state;
    struct machine root;
    struct cairn_schema_summary summary;

    root_init(&root, small_table(), "");
    machine_must(&root, cairn_schema_check(root.replica, cairn_bytes_of_text(TYPE(FIELD ", " ROOF)),
                                           NULL, NULL, &summary, &root.err));
    assert_int_equal(summary.version, 2);
    machine_free(&root);
}

static void mistakes_are_counted_for_whoever_does_not_listen_too(void **state)
{
    (void)state;
    struct cairn_err err = {.translate = NULL};
    struct machine root;
    struct cairn_bytes one =
                           cairn_bytes_of_text(TYPE("{number: 1, name: head, zh: 户主, en: head}")),
                       two = cairn_bytes_of_text(TYPE("{number: 1, name: head, zh: 户主}")),
                       gone = cairn_bytes_of_text("version: 3\n" TYPE(ROOF));

    assert_int_equal(cairn_schema_check(NULL, one, NULL, NULL, NULL, &err), CAIRN_BAD_INPUT);
    expect_text(err.text, "The schema has 1 mistake. Nothing was changed; correct it");
    assert_int_equal(cairn_schema_check(NULL, two, NULL, NULL, NULL, &err), CAIRN_BAD_INPUT);
    expect_text(err.text, "The schema has 2 mistakes. Nothing was changed; correct them");
    assert_int_equal(cairn_schema_check(NULL, two, NULL, NULL, NULL, NULL), CAIRN_BAD_INPUT);
    root_init(&root, small_table(), "");
    assert_int_equal(cairn_schema_check(root.replica, gone, NULL, NULL, NULL, &err),
                     CAIRN_BAD_INPUT);
    expect_text(err.text, "The schema has 2 mistakes.");
    machine_free(&root);
}

/* `count` times `item`, each # in it its number from 1, between `begin` and `end`. */
static char *repeated(const char *begin, const char *item, unsigned count, const char *end)
{
    char *text = malloc(CAIRN_YAML_BYTES_MAX);

    assert_non_null(text);
    size_t used = (size_t)snprintf(text, CAIRN_YAML_BYTES_MAX, "%s", begin);
    for (unsigned i = 1; i <= count; i++)
        for (const char *at = item; *at != '\0'; at++) {
            size_t room = CAIRN_YAML_BYTES_MAX - used;
            assert_true(room > 16);
            used += (size_t)(*at == '#' ? snprintf(text + used, room, "%u", i)
                                        : snprintf(text + used, room, "%c", *at));
        }
    assert_true(used + strlen(end) < CAIRN_YAML_BYTES_MAX);
    memcpy(text + used, end, strlen(end) + 1);
    return text;
}

#define LONG "一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十"

static void a_file_that_fits_no_entry_is_told_with_what_it_would_take(void **state)
{
    (void)state;
    struct told told;
    char *much = repeated("# Long labels.\nversion: 1\n"
                          "types: [{number: 1, name: a, zh: a, en: a, fields: [",
                          "{number: #, name: f#, zh: " LONG ", en: a, type: text}, ", 160, "]}]"),
         *more =
             repeated("types: [{number: 1, name: a, zh: a, en: a, fields: [" FIELD "]}, ",
                      "{number: 9#, name: f#, zh: " LONG ", en: " LONG
                      ", fields: [{number: 1, name: a, zh: " LONG ", en: " LONG ", type: text}]}, ",
                      340, "]");

    check_expect(NULL, much, CAIRN_BAD_INPUT, &told);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.line, 2);
    expect_text(told.text, "bytes when signed, at most 15360 fit one entry: shorten labels");
    check_expect(NULL, more, CAIRN_BAD_INPUT, &told);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.line, 1);
    expect_text(told.text, "at most 15360 fit one entry");
    /* The sentence does not depend on whether there is room for another. */
    told = (struct told){.count = 0};
    assert_int_equal(cairn_schema_check(NULL, cairn_bytes_of_text(much), tell, &told, NULL, NULL),
                     CAIRN_BAD_INPUT);
    assert_int_equal(told.count, 1);
    expect_text(told.text, "bytes when signed, at most 15360 fit one entry: shorten labels");
    free(much);
    free(more);
}

static void lists_longer_than_a_table_holds_are_told_with_their_line(void **state)
{
    (void)state;
    struct told told;
    const char *begin = "types: [{number: 1, name: a, zh: a, en: a, fields: [{number: 1, name: a, "
                        "zh: a, en: a, type: choice,\nchoices: [",
               *move = "types: [{number: 1, name: a, zh: a, en: a, fields: [{number: 1, name: a, "
                       "zh: a, en: a, type: workflow}],\nstates: [{number: 1, name: open, zh: a, "
                       "en: a}, {number: 2, name: shut, zh: a, en: a}],\nmoves: [{number: 1, name: "
                       "a, zh: a, en: a, to: shut, steps: station,\nfrom: [open";
    char *most = repeated(begin, "{number: #, text: c#}, ", 341, "]}]}]"),
         *one_more = repeated(begin, "{number: #, text: c#}, ", 342, "]}]}]"),
         *from = repeated(move, ", open", 1200, "]}]}]");

    check_expect(NULL, most, CAIRN_OK, &told);
    check_expect(NULL, one_more, CAIRN_BAD_INPUT, &told);
    assert_int_equal(told.line, 2);
    expect_text(told.text, "choices has 342 items, at most 341 fit a schema.");
    check_expect(NULL, from, CAIRN_BAD_INPUT, &told);
    assert_int_equal(told.line, 4);
    expect_text(told.text, "from has 1201 items, at most 341 fit a schema.");
    free(most);
    free(one_more);
    free(from);
}

/* ---- publishing and giving back ------------------------------------------------------------- */

static void expect_refused_unwritten(struct machine *machine, const char *yaml,
                                     enum cairn_status status, const char *why)
{
    struct cairn_hash before = machine_disk_hash(machine);

    assert_int_equal(cairn_schema_publish(machine->replica, cairn_bytes_of_text(yaml), NULL, NULL,
                                          NULL, &machine->err),
                     status);
    expect_text(machine->err.text, why);
    struct cairn_hash after = machine_disk_hash(machine);
    assert_memory_equal(before.bytes, after.bytes, sizeof before.bytes);
}

static void what_may_not_be_published_leaves_the_store_as_it_was(void **state)
{
    (void)state;
    struct machine root, station;

    machine_init(&station, 7, "station", NULL);
    expect_refused_unwritten(&station, TYPE(FIELD), CAIRN_NO_RIGHT, "Only the root authority");
    machine_free(&station);
    root_init(&root, small_table(), "tashi delek");
    expect_refused_unwritten(&root, TYPE(ROOF), CAIRN_BAD_INPUT, "The schema has 1 mistake.");
    machine_off(&root);
    machine_must(&root, machine_on(&root));
    expect_refused_unwritten(&root, TYPE(FIELD ", " ROOF), CAIRN_NO_KEY,
                             "The key of this device is locked: give its passphrase.");
    machine_free(&root);
}

static void every_version_is_given_back_and_the_newest_unasked(void **state)
{
    (void)state;
    struct machine root;
    struct cairn_bytes yaml;

    root_init(&root, small_table(), "");
    machine_must(&root,
                 cairn_schema_publish(root.replica, cairn_bytes_of_text(TYPE(FIELD ", " ROOF)),
                                      NULL, NULL, NULL, &root.err));
    for (uint64_t version = 0; version <= 2; version++) {
        machine_must(&root, cairn_schema_text(root.replica, version, &yaml, &root.err));
        assert_memory_equal(yaml.data, version == 1 ? "version: 1\n" : "version: 2\n", 11);
    }
    assert_int_equal(cairn_schema_text(root.replica, 3, &yaml, &root.err), CAIRN_NOT_FOUND);
    assert_string_equal(root.err.text, "This store holds no schema version 3.");
    assert_int_equal(cairn_schema_text(root.replica, UINT64_MAX, &yaml, &root.err),
                     CAIRN_NOT_FOUND);
    expect_refused_unwritten(&root, TYPE(FIELD ", " ROOF), CAIRN_BAD_INPUT,
                             "The file says what version 2 says already. Nothing was published.");
    machine_free(&root);
}

static void a_store_without_a_network_has_no_schema_to_show(void **state)
{
    (void)state;
    struct machine machine;
    struct cairn_bytes yaml;
    const struct cairn_type_info *types;
    const struct cairn_field_info *fields;
    uint64_t version = 7;
    size_t count = 7;

    machine_init(&machine, 7, "station", NULL);
    assert_int_equal(cairn_schema_text(machine.replica, 0, &yaml, &machine.err), CAIRN_NOT_FOUND);
    assert_string_equal(machine.err.text, "This store holds no schema yet: join a network first.");
    assert_int_equal(
        cairn_schema_fields(machine.replica, "household", &fields, &count, &machine.err),
        CAIRN_NO_RIGHT);
    assert_string_equal(machine.err.text,
                        "This device has no grant yet, so it knows no record types. Send its "
                        "request to the office above, then join.");
    assert_int_equal(count, 7);
    machine_must(&machine,
                 cairn_schema_types(machine.replica, &version, &types, &count, &machine.err));
    assert_int_equal(version, 0);
    assert_int_equal(count, 0);
    machine_free(&machine);
}

/* ---- what a newer program published --------------------------------------------------------- */

#define NEWER 99u

static const struct cairn_choice sizes[] = {{3, "大", "large"}, {9, "小", ""}};
static const struct cairn_field newer_fields[] = {
    {NAMED(1, "head"), .unit = "", .wire = CAIRN_WIRE_TEXT},
    {NAMED(2, "cloud"), .unit = "", .wire = NEWER, .merge = NEWER, .check = NEWER, .target = NEWER,
     .has_lowest = true, .lowest = -4},
    {NAMED(3, "at"), .unit = "", .wire = CAIRN_WIRE_INTEGER, .merge = CAIRN_MERGE_WORKFLOW},
    {NAMED(4, "size"), .unit = "", .wire = CAIRN_WIRE_CHOICE, .choices = sizes, .choice_count = 2},
    {NAMED(5, "six"), .unit = "", .wire = CAIRN_WIRE_FLAGS},
    {NAMED(6, "six more"), .unit = "a \"b\" \\ ", .wire = CAIRN_WIRE_INTEGER},
    {NAMED(7, "rain"), .unit = "", .wire = NEWER},
};
static const struct cairn_workflow_state newer_states[] = {
    {NAMED(1, "open")},
    {.number = 2, .name = "- shut", .label_zh = "a\x1b[2J\x7f", .label_en = "shut"}};
static const uint64_t newer_from[] = {1}, newer_roles[] = {4, NEWER};
static const struct cairn_move newer_moves[] = {{NAMED(1, "close"), .from = newer_from,
                                                 .from_count = 1, .to = 2, .roles = newer_roles,
                                                 .step_count = 2}};
static const struct cairn_indicator newer_indicators[] = {
    {NAMED(1, "high"), .field = 2, .test = NEWER, .threshold = 12},
    {NAMED(2, "big"), .field = 4, .test = CAIRN_TEST_IS, .threshold = 3},
    {NAMED(3, "lit"), .field = 5, .test = CAIRN_TEST_FLAG, .threshold = 4},
};
static const struct cairn_type newer_type = {
    NAMED(1, "household"), .fields = newer_fields, .field_count = 7, .states = newer_states,
    .state_count = 2,      .moves = newer_moves,   .move_count = 1,  .indicators = newer_indicators,
    .indicator_count = 3};

static void what_a_newer_program_published_is_described_with_question_marks(void **state)
{
    (void)state;
    struct machine root;
    const struct cairn_type_info *types;
    const struct cairn_field_info *fields;
    uint64_t version;
    size_t count;

    root_init(&root, table_of(&newer_type), "");
    machine_must(&root, cairn_schema_fields(root.replica, "household", &fields, &count, &root.err));
    assert_int_equal(count, 7);
    assert_string_equal(fields[1].type, "?");
    assert_string_equal(fields[1].merge, "?");
    assert_string_equal(fields[1].target, "");
    assert_string_equal(fields[1].lowest, "-4");
    assert_string_equal(fields[2].type, "workflow");
    assert_false(fields[2].is_integer);
    assert_true(fields[5].is_integer);
    machine_must(&root, cairn_schema_types(root.replica, &version, &types, &count, &root.err));
    assert_string_equal(types[0].moves[0].from, "open");
    assert_string_equal(types[0].indicators[0].test, "?");
    assert_string_equal(types[0].indicators[0].threshold, "12");
    assert_string_equal(types[0].indicators[1].threshold, "大");
    assert_string_equal(types[0].indicators[2].threshold, "4");
    expect_text(types[0].moves[0].steps, ", ?");
    machine_free(&root);
}

static void what_is_given_back_of_a_newer_schema_is_safe_to_show(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "name: cloud, zh: cloud, en: cloud, type: \"?\", merge: \"?\", min: \"-4\"}\n",
        "unit: \"a \\\"b\\\" \\\\ \"",
        "name: \"- shut\"",
        "zh: \"a\\x1b[2J\\x7f\"",
        "steps: [station, \"?\"]",
        "test: \"?\", threshold: 12",
    };
    struct machine root;
    struct cairn_bytes yaml;
    struct told told = {.count = 0};

    root_init(&root, table_of(&newer_type), "");
    machine_must(&root, cairn_schema_text(root.replica, 0, &yaml, &root.err));
    char *text = calloc(1, yaml.size + 1);
    assert_non_null(text);
    memcpy(text, yaml.data, yaml.size);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        expect_text(text, parts[i]);
    assert_int_equal(
        cairn_schema_check(NULL, cairn_bytes_of_text(text), tell, &told, NULL, &root.err),
        CAIRN_BAD_INPUT);
    expect_text(told.text, "control character");
    free(text);
    machine_free(&root);
}

/* As a text it would wait for ever: here nobody can judge it, and there it is none. */
static void a_field_of_a_newer_program_is_not_written(void **state)
{
    (void)state;
    static const char *const names[] = {"cloud", "rain"};
    struct machine root;

    root_init(&root, table_of(&newer_type), "");
    for (size_t i = 0; i < 2; i++) {
        const struct cairn_field_value value = {names[i], "3"};
        const struct cairn_put put = {
            .type = "household", .scope = "513332100201", .fields = &value, .field_count = 1};
        struct cairn_put_result result;
        struct cairn_hash before = machine_disk_hash(&root);
        assert_int_equal(cairn_put_many(root.replica, &put, 1, &result, NULL, &root.err),
                         CAIRN_BAD_INPUT);
        expect_text(root.err.text, "is a field of a newer version.");
        struct cairn_hash after = machine_disk_hash(&root);
        assert_memory_equal(before.bytes, after.bytes, sizeof before.bytes);
    }
    machine_free(&root);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_file_is_checked_without_any_network),
        T(before_a_network_is_joined_there_is_nothing_to_compare_with),
        T(a_file_without_a_version_is_the_one_after_that_held),
        T(mistakes_are_counted_for_whoever_does_not_listen_too),
        T(a_file_that_fits_no_entry_is_told_with_what_it_would_take),
        T(lists_longer_than_a_table_holds_are_told_with_their_line),
        T(what_may_not_be_published_leaves_the_store_as_it_was),
        T(every_version_is_given_back_and_the_newest_unasked),
        T(a_store_without_a_network_has_no_schema_to_show),
        T(what_a_newer_program_published_is_described_with_question_marks),
        T(what_is_given_back_of_a_newer_schema_is_safe_to_show),
        T(a_field_of_a_newer_program_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
