/* Schemas between YAML, struct and table: what is read, what is refused, and on which line. */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema_yaml.h"
#include "yaml_tree.h"

#define PROBLEMS_MAX 64
#define FILE_BYTES_MAX ((size_t)1 << 20)

struct problem {
    size_t line;
    char text[CAIRN_ERR_TEXT_BYTES];
};
struct problems {
    size_t count;
    struct problem items[PROBLEMS_MAX];
};

static void keep(void *context, size_t line, const char *text)
{
    struct problems *problems = context;

    assert_true(problems->count < PROBLEMS_MAX);
    struct problem *problem = &problems->items[problems->count++];
    problem->line = line;
    snprintf(problem->text, sizeof problem->text, "%s", text);
}

static enum cairn_status compile(struct cairn_bytes yaml, struct problems *problems,
                                 struct cairn_schema_source *source)
{
    size_t count = 0;

    problems->count = 0;
    enum cairn_status status = cairn_schema_compile(yaml, keep, problems, source, &count, NULL);
    assert_int_equal(count, problems->count);
    return status;
}

static struct cairn_bytes file_read(const char *path, char **out_text)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        fail_msg("%s cannot be read", path);
    char *text = malloc(FILE_BYTES_MAX);
    assert_non_null(text);
    size_t size = fread(text, 1, FILE_BYTES_MAX - 1, file);
    fclose(file);
    text[size] = '\0';
    *out_text = text;
    return (struct cairn_bytes){(const uint8_t *)text, size};
}

/* ---- bad files ----------------------------------------------------------------------------- */

static void told(const char *path, const struct problems *problems, size_t i, size_t line,
                 const char *text)
{
    if (i >= problems->count)
        fail_msg("%s: not told: line %zu, %s", path, line, text);
    if (problems->items[i].line != line || strstr(problems->items[i].text, text) == NULL)
        fail_msg("%s: told \"%zu: %s\" instead of \"%zu: %s\"", path, problems->items[i].line,
                 problems->items[i].text, line, text);
}

static void bad_file_check(const char *path)
{
    static struct problems problems;
    struct cairn_schema_source source;
    char *text;
    struct cairn_bytes yaml = file_read(path, &text);
    size_t expected = 0;

    assert_int_equal(compile(yaml, &problems, &source), CAIRN_BAD_INPUT);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *end;
        if (strncmp(line, "#! ", 3) != 0)
            continue;
        size_t number = strtoul(line + 3, &end, 10);
        told(path, &problems, expected++, number, end + 1);
    }
    if (problems.count > expected)
        fail_msg("%s: told besides: %zu: %s", path, problems.items[expected].line,
                 problems.items[expected].text);
    free(text);
}

static void every_mistake_of_a_bad_file_is_told_with_its_line(void **state)
{
    (void)state;
    DIR *folder = opendir(CAIRN_SCHEMA_BAD);
    const struct dirent *entry;
    size_t count = 0;
    char path[1024];

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (strstr(entry->d_name, ".yaml") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/%s", CAIRN_SCHEMA_BAD, entry->d_name);
        bad_file_check(path);
        count++;
    }
    closedir(folder);
    assert_true(count >= 10);
}

/* ---- bytes that no file should hold --------------------------------------------------------- */

static void one_problem(struct cairn_bytes yaml, size_t line, const char *text)
{
    static struct problems problems;
    struct cairn_schema_source source;

    assert_int_equal(compile(yaml, &problems, &source), CAIRN_BAD_INPUT);
    told("bytes", &problems, 0, line, text);
}

static void broken_utf8_is_refused_with_its_line(void **state)
{
    (void)state;
    one_problem(cairn_bytes_of_text("version: 1\ntypes: \"\xe6\x88\"\n"), 2, "not valid UTF-8");
}

static void control_characters_are_refused_with_their_line(void **state)
{
    (void)state;
    static const char *const written[] = {
        "version: 1\ntypes: \"a\\x1b[2J\"\n", /* escape, and what it would do */
        "version: 1\ntypes: \"a\\0b\"\n",     /* a text would end there */
        "version: 1\ntypes: \"a\\x7f\"\n",    /* delete */
        "version: 1\ntypes: \"a\\x85\"\n",    /* U+0085, a line end to some */
        "version: 1\ntypes: \"a\\x9b\"\n",    /* U+009B, an escape in one character */
        "version: 1\ntypes: \"a\\u2028\"\n",  /* line separator */
        "version: 1\ntypes: \"a\\u2029\"\n",  /* paragraph separator */
        "version: 1\ntypes: \"a\\uFEFF\"\n",  /* byte order mark */
        "version: 1\ntypes: \"a\\uFFFE\"\n",  /* the same the wrong way round */
        "version: 1\ntypes: \"a\\uFFFF\"\n",  /* no character */
        "version: 1\n\"types\\x1b\": []\n",   /* in a key */
        "version: 1\ntypes: a\x1b[2J\n",      /* as it is, and not escaped */
        "version: 1\ntypes: a\xc2\x9b\n",     /* the same in one character */
        "# \xef\xbf\xbf\n",                   /* in a remark */
    };

    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++)
        one_problem(cairn_bytes_of_text(written[i]), written[i][0] == '#' ? 1 : 2,
                    "control character");
}

static void characters_beside_those_that_drive_terminals_are_taken(void **state)
{
    (void)state;
    static const char *const written[] = {
        "a\\xa0",  "a\\xc2",  "a\\u202a", "\\u2127", "\\uFEFE",
        "\\uFEBF", "\\uFFFD", "\\uE000",  "\\u3000",
    };
    static struct problems problems;

    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        struct cairn_schema_source source;
        char yaml[256];
        snprintf(yaml, sizeof yaml,
                 "types: [{number: 1, name: a, zh: \"%s\", en: a, fields: [{number: 1, name: a, "
                 "zh: a, en: a, type: text}]}]",
                 written[i]);
        if (compile(cairn_bytes_of_text(yaml), &problems, &source) != CAIRN_OK)
            fail_msg("%s: %s", yaml, problems.items[0].text);
        cairn_schema_free(source.schema);
    }
}

/* Windows' editors put it there. */
static void a_byte_order_mark_before_the_file_is_passed_over(void **state)
{
    (void)state;
    static struct problems problems;
    struct cairn_schema_source source;

    assert_int_equal(
        compile(cairn_bytes_of_text("\xef\xbb\xbfversion: 7\n"
                                    "types: [{number: 1, name: a, zh: a, en: a, fields: [{number: "
                                    "1, name: a, zh: a, en: a, type: text}]}]\n"),
                &problems, &source),
        CAIRN_OK);
    assert_int_equal(source.schema->version, 7);
    cairn_schema_free(source.schema);
    one_problem(cairn_bytes_of_text("\xef\xbb\xbf"), 1, "a schema needs types");
    one_problem(cairn_bytes_of_text("\xef\xbb"), 1, "not valid UTF-8");
    one_problem(cairn_bytes_of_text("\xef\xbb\xbf\ntypes: a\x1b\n"), 2, "control character");
}

static void a_file_that_is_too_large_is_refused_unread(void **state)
{
    (void)state;
    size_t size = CAIRN_YAML_BYTES_MAX + 1;
    uint8_t *bytes = malloc(size);

    assert_non_null(bytes);
    memset(bytes, '#', size);
    one_problem((struct cairn_bytes){bytes, size}, 1, "at most");
    free(bytes);
}

static void too_many_items_are_refused(void **state)
{
    (void)state;
    size_t size = 200000;
    char *text = malloc(size + 16);

    assert_non_null(text);
    size_t used = (size_t)snprintf(text, 16, "types: [");
    while (used < size) {
        memcpy(text + used, "1,", 2);
        used += 2;
    }
    memcpy(text + used, "1]", 3);
    one_problem(cairn_bytes_of_text(text), 1, "too many items");
    free(text);
}

static void a_list_longer_than_a_schema_can_be_is_told(void **state)
{
    (void)state;
    char text[4096] = "types: [";
    size_t used = strlen(text);

    for (int i = 0; i < 500; i++) {
        memcpy(text + used, "1,", 3);
        used += 2;
    }
    memcpy(text + used, "1]", 3);
    one_problem(cairn_bytes_of_text(text), 1, "at most 341 fit a schema");
}

/* ---- the registry --------------------------------------------------------------------------- */

static struct cairn_schema *registry(void)
{
    static uint8_t table[CAIRN_SCHEMA_TABLE_MAX];
    struct cairn_writer writer;
    struct cairn_schema *schema;

    cairn_writer_init(&writer, table, sizeof table);
    cairn_schema_default_write(&writer);
    assert_false(writer.overflowed);
    assert_int_equal(cairn_schema_read(cairn_writer_bytes(&writer), &schema), CAIRN_OK);
    return schema;
}

static void the_registry_fits_one_entry(void **state)
{
    (void)state;
    static uint8_t table[CAIRN_SCHEMA_TABLE_MAX];
    struct cairn_writer writer;

    cairn_writer_init(&writer, table, sizeof table);
    cairn_schema_default_write(&writer);
    assert_false(writer.overflowed);
    print_message("the registry's table takes %zu of %d bytes\n", writer.size,
                  CAIRN_SCHEMA_TABLE_MAX);
    assert_true(writer.size <= CAIRN_SCHEMA_TABLE_MAX);
}

static void the_fields_of_a_household_stay_as_they_were(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t wire;
        bool is_personal, is_required;
        size_t choice_count;
    } fields[] = {
        {"id", CAIRN_WIRE_DIGITS, false, false, 0},
        {"head", CAIRN_WIRE_TEXT, true, true, 0},
        {"members", CAIRN_WIRE_INTEGER, false, false, 0},
        {"town_name", CAIRN_WIRE_TEXT, false, false, 0},
        {"village_name", CAIRN_WIRE_TEXT, false, false, 0},
        {"income", CAIRN_WIRE_INTEGER, false, false, 0},
        {"cause", CAIRN_WIRE_CHOICE, true, false, 11},
        {"ind", CAIRN_WIRE_FLAGS, false, false, 0},
        {"cadre", CAIRN_WIRE_TEXT, false, false, 0},
        {"phone", CAIRN_WIRE_DIGITS, true, false, 0},
        {"status", CAIRN_WIRE_CHOICE, false, false, 5},
        {"addr", CAIRN_WIRE_TEXT, true, false, 0},
        {"plan", CAIRN_WIRE_TEXT, false, false, 0},
        {"updated", CAIRN_WIRE_DATE, false, false, 0},
    };
    struct cairn_schema *schema = registry();
    const struct cairn_type *type = cairn_schema_type(schema, 1);

    assert_string_equal(type->name, "household");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const struct cairn_field *field = cairn_type_field(type, i + 1);
        assert_string_equal(field->name, fields[i].name);
        assert_int_equal(field->wire, fields[i].wire);
        assert_int_equal(field->merge, CAIRN_MERGE_REGISTER);
        assert_int_equal(field->is_personal, fields[i].is_personal);
        assert_int_equal(field->is_required, fields[i].is_required);
        assert_int_equal(field->choice_count, fields[i].choice_count);
        for (size_t k = 0; k < field->choice_count; k++)
            assert_int_equal(field->choices[k].number, k + 1);
    }
    assert_string_equal(cairn_field_choice(cairn_type_field(type, 11), 5)->text, "返贫户");
    assert_int_equal(type->indicator_count, 19);
    assert_int_equal(type->state_count, 5);
    cairn_schema_free(schema);
}

static void expect_to_come_back(const struct cairn_schema *schema)
{
    static uint8_t first[CAIRN_SCHEMA_TABLE_MAX], second[CAIRN_SCHEMA_TABLE_MAX];
    static struct problems problems;
    struct cairn_writer a, b;
    struct cairn_buffer yaml;
    struct cairn_schema_source source;

    cairn_buffer_init(&yaml, CAIRN_YAML_TEXT_MAX);
    cairn_schema_yaml_write(&yaml, schema);
    assert_false(yaml.failed);
    if (compile(cairn_buffer_bytes(&yaml), &problems, &source) != CAIRN_OK)
        fail_msg("%zu: %s", problems.items[0].line, problems.items[0].text);
    cairn_writer_init(&a, first, sizeof first);
    cairn_writer_init(&b, second, sizeof second);
    cairn_schema_write(&a, schema);
    cairn_schema_write(&b, source.schema);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(first, second, a.size);
    cairn_schema_free(source.schema);
    cairn_buffer_release(&yaml);
}

static void the_registry_comes_back_from_its_yaml_byte_for_byte(void **state)
{
    (void)state;
    struct cairn_schema *schema = registry();

    expect_to_come_back(schema);
    cairn_schema_free(schema);
}

static void all_that_a_file_may_say_is_taken_and_comes_back(void **state)
{
    (void)state;
    static struct problems problems;
    struct cairn_schema_source source;
    char *text;

    if (compile(file_read(CAIRN_SCHEMA_GOOD, &text), &problems, &source) != CAIRN_OK)
        fail_msg("%zu: %s", problems.items[0].line, problems.items[0].text);
    free(text);
    const struct cairn_type *type = &source.schema->types[0];
    for (size_t i = 0; i < type->field_count; i++) {
        const struct cairn_field *field = &type->fields[i];
        static const char *const merges[] = {"reg", "set", "sum", "flow"};
        /* Their names say what they are: type word and merge kind. */
        char name[64];
        snprintf(name, sizeof name, "%s_%s", cairn_field_type_word(field), merges[field->merge]);
        assert_string_equal(field->name, name);
    }
    assert_string_equal(type->label_zh, " 户");
    assert_int_equal(type->indicators[2].threshold, 18321);
    assert_int_equal(type->indicators[4].threshold, 1);
    expect_to_come_back(source.schema);
    cairn_schema_free(source.schema);
}

static void mistakes_are_counted_also_where_nobody_is_told(void **state)
{
    (void)state;
    struct cairn_schema_source source;
    size_t count = 0;

    assert_int_equal(cairn_schema_compile(cairn_bytes_of_text("version: 0\ntypes: 1\nx: 1\n"), NULL,
                                          NULL, &source, &count, NULL),
                     CAIRN_BAD_INPUT);
    assert_int_equal(count, 3);
}

static void every_prefix_of_the_registry_is_read_or_refused(void **state)
{
    (void)state;
    static struct problems problems;
    struct cairn_buffer yaml;
    struct cairn_schema *schema = registry();

    cairn_buffer_init(&yaml, CAIRN_YAML_TEXT_MAX);
    cairn_schema_yaml_write(&yaml, schema);
    for (size_t size = 0; size < yaml.size; size += 97) {
        struct cairn_schema_source source;
        uint8_t *copy = malloc(size + 1); /* so that a sanitizer sees a read behind its end */
        assert_non_null(copy);
        memcpy(copy, yaml.data, size);
        if (compile((struct cairn_bytes){copy, size}, &problems, &source) == CAIRN_OK)
            cairn_schema_free(source.schema);
        else
            assert_true(problems.count > 0);
        free(copy);
    }
    cairn_buffer_release(&yaml);
    cairn_schema_free(schema);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_mistake_of_a_bad_file_is_told_with_its_line),
        T(broken_utf8_is_refused_with_its_line),
        T(control_characters_are_refused_with_their_line),
        T(characters_beside_those_that_drive_terminals_are_taken),
        T(a_byte_order_mark_before_the_file_is_passed_over),
        T(a_file_that_is_too_large_is_refused_unread),
        T(too_many_items_are_refused),
        T(a_list_longer_than_a_schema_can_be_is_told),
        T(the_registry_fits_one_entry),
        T(the_fields_of_a_household_stay_as_they_were),
        T(the_registry_comes_back_from_its_yaml_byte_for_byte),
        T(all_that_a_file_may_say_is_taken_and_comes_back),
        T(mistakes_are_counted_also_where_nobody_is_told),
        T(every_prefix_of_the_registry_is_read_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
