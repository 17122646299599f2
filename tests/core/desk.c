#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"
#include "holder.h"
#include "replica_internal.h"
#include "schema_yaml.h"

struct machine desk_root, desk;

static struct {
    const char *name;
    char id[32];
} known[DESK_RECORDS_MAX];
static size_t known_count;
static char text[4096];

/* ---- opening ------------------------------------------------------------------------------- */

static void problem_tell(void *context, size_t line, const char *problem)
{
    (void)context;
    print_error("line %zu: %s\n", line, problem);
}

void desk_open(const char *yaml)
{
    static uint8_t table[CAIRN_SCHEMA_TABLE_MAX];
    struct cairn_schema_source source;
    struct cairn_writer writer;
    size_t problem_count;

    assert_int_equal(cairn_schema_compile(cairn_bytes_of_text(yaml), problem_tell, NULL, &source,
                                          &problem_count, NULL),
                     CAIRN_OK);
    cairn_writer_init(&writer, table, sizeof table);
    cairn_schema_write(&writer, source.schema);
    cairn_schema_free(source.schema);
    known_count = 0;
    machine_init_with(&desk_root, 1, "Root", "51", cairn_writer_bytes(&writer));
    machine_init(&desk, 2, "Office", NULL);
    machine_join(&desk, &desk_root, "prefecture", DESK_SCOPE, "P");
}

void desk_close(void)
{
    machine_free(&desk);
    machine_free(&desk_root);
}

/* ---- putting ------------------------------------------------------------------------------- */

const char *desk_id(const char *name)
{
    for (size_t i = 0; i < known_count; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].id;
    fail_msg("no record is known as %s", name);
    return NULL;
}

/* A value with the ids of the records that it names. */
static void value_resolve(const char *value, char *out, size_t size)
{
    size_t used = 0;

    while (*value != '\0' && used + 40 < size) {
        char name[16];
        size_t length = strcspn(value + 1, "|");
        if (*value != '@') {
            out[used++] = *value++;
            continue;
        }
        assert_in_range(length, 1, sizeof name - 1);
        memcpy(name, value + 1, length);
        name[length] = '\0';
        used += (size_t)snprintf(out + used, size - used, "%s", desk_id(name));
        value += 1 + length;
    }
    out[used] = '\0';
}

void desk_put(const char *type, const char *village, const char *name,
              const struct cairn_field_value *fields)
{
    static char values[DESK_FIELDS_MAX][400];
    struct cairn_field_value given[DESK_FIELDS_MAX + 1] = {{"name", name}};
    struct cairn_put put = {.type = type, .scope = village, .fields = given, .field_count = 1};
    struct cairn_put_result result;

    for (size_t i = 0; fields != NULL && fields[i].name != NULL; i++) {
        assert_in_range(i, 0, DESK_FIELDS_MAX - 1);
        value_resolve(fields[i].value, values[i], sizeof values[i]);
        given[put.field_count++] = (struct cairn_field_value){fields[i].name, values[i]};
    }
    machine_must(&desk, cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err));
    assert_true(known_count < DESK_RECORDS_MAX);
    known[known_count].name = name;
    memcpy(known[known_count++].id, result.id, sizeof result.id);
}

enum cairn_status desk_change(const char *type, const char *name, const char *field,
                              const char *value, enum cairn_put_operation operation)
{
    char resolved[400];
    const struct cairn_field_value one = {field, resolved};
    const struct cairn_put put = {.type = type,
                                  .id = desk_id(name),
                                  .fields = &one,
                                  .field_count = 1,
                                  .operations = &operation};
    struct cairn_put_result result;

    value_resolve(value, resolved, sizeof resolved);
    return cairn_put_many(desk.replica, &put, 1, &result, NULL, &desk.err);
}

/* ---- reading ------------------------------------------------------------------------------- */

static void text_add(const char *separator, const char *part)
{
    size_t used = strlen(text);

    snprintf(text + used, sizeof text - used, "%s%s", used == 0 ? "" : separator, part);
}

static int value_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *desk_shown(const char *name, const char *field)
{
    return desk_shown_by_id(desk_id(name), field);
}

const char *desk_shown_by_id(const char *id, const char *field)
{
    const struct cairn_record *record;
    const char *values[DESK_RECORDS_MAX];

    text[0] = '\0';
    machine_must(&desk, cairn_get(desk.replica, id, &record, &desk.err));
    for (size_t i = 0; i < record->field_count; i++) {
        const struct cairn_field_state *found = &record->fields[i];
        if (strcmp(found->name, field) != 0)
            continue;
        assert_in_range(found->version_count, 1, DESK_RECORDS_MAX);
        for (size_t v = 0; v < found->version_count; v++)
            values[v] = found->versions[v].value;
        if (found->kind == CAIRN_FIELD_SET)
            qsort(values, found->version_count, sizeof values[0], value_compare);
        for (size_t v = 0; v < found->version_count; v++)
            text_add(found->kind == CAIRN_FIELD_SET ? "|" : "/", values[v]);
    }
    return text;
}

/* ---- asking -------------------------------------------------------------------------------- */

static bool record_add(void *context, const struct cairn_record *record)
{
    (void)context;
    for (size_t i = 0; i < known_count; i++)
        if (strcmp(known[i].id, record->id) == 0)
            text_add(" ", known[i].name);
    return true;
}

const char *desk_answer(const struct cairn_query *query)
{
    struct cairn_query asked = *query;
    struct cairn_condition conditions[4];
    static char values[4][400];

    assert_in_range(query->condition_count, 0, 4);
    for (size_t i = 0; i < query->condition_count; i++) {
        conditions[i] = query->conditions[i];
        value_resolve(conditions[i].value, values[i], sizeof values[i]);
        conditions[i].value = values[i];
    }
    asked.conditions = conditions;
    text[0] = '\0';
    if (cairn_query_run(desk.replica, &asked, record_add, NULL, &desk.err) != CAIRN_OK)
        return desk.err.text;
    return text;
}

static bool group_add(void *context, const struct cairn_count *count)
{
    const size_t *sum_count = context;
    char number[32];

    snprintf(number, sizeof number, "=%llu", (unsigned long long)count->count);
    text_add(" ", count->group == NULL ? "-" : count->group);
    text_add("", number);
    for (size_t i = 0; i < *sum_count; i++) {
        text_add("", i == 0 ? "(" : ",");
        text_add("", count->sums[i]);
    }
    if (*sum_count > 0)
        text_add("", ")");
    return true;
}

const char *desk_count(const struct cairn_query *query, const char *by, const char *const *sums,
                       size_t sum_count)
{
    text[0] = '\0';
    if (cairn_query_count(desk.replica, query, by, sums, sum_count, group_add, &sum_count,
                          &desk.err) != CAIRN_OK)
        return desk.err.text;
    return text;
}

void desk_indexes_lose(void)
{
    context_indexes_lose(&desk.replica->ctx);
}
