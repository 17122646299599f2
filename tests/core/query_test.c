/* Queries: what they answer is what looking at every record answers, with an index or without. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "holder.h"
#include "machine.h"
#include "replica_internal.h"
#include "schema.h"
#include "temp_folder.h"

#define RECORDS_MAX 400
#define STEPS 900
#define VILLAGES 7

static struct machine root;
static uint64_t random_state;

static uint32_t below(uint32_t limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static int setup(void **state)
{
    const char *seed = getenv("CAIRN_SEED");

    random_state = seed == NULL ? 7 : strtoull(seed, NULL, 10);
    print_message("CAIRN_SEED=%llu\n", (unsigned long long)random_state);
    (void)state;
    machine_init(&root, 1, "Root", "51");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_free(&root);
    return 0;
}

/* ---- a model: the records as the test knows them ------------------------------------------- */

static struct known {
    char id[32], scope[16];
    bool is_deleted, has_income;
    int income, members;
    const char *status;
} known[RECORDS_MAX];
static size_t known_count;

static const char *const statuses[] = {"贫困户", "已脱贫", "边缘户"};

static void put(struct known *one, bool creates)
{
    char income[16], members[16], alias[16];
    struct cairn_field_value fields[5] = {{"head", "扎西"}};
    size_t count = 1;
    struct cairn_put_result result;

    one->members = (int)below(6);
    one->status = statuses[below(3)];
    snprintf(members, sizeof members, "%d", one->members);
    fields[count++] = (struct cairn_field_value){"members", members};
    fields[count++] = (struct cairn_field_value){"status", one->status};
    if (below(5) > 0) {
        one->has_income = true;
        one->income = (int)below(2000) + 3500;
        snprintf(income, sizeof income, "%d", one->income);
        fields[count++] = (struct cairn_field_value){"income", income};
    }
    if (creates) {
        snprintf(alias, sizeof alias, "9%05zu", known_count);
        fields[count++] = (struct cairn_field_value){"id", alias};
    }
    const struct cairn_put put = {.type = "household",
                                  .id = creates ? NULL : one->id,
                                  .scope = one->scope,
                                  .fields = fields,
                                  .field_count = count};
    machine_must(&root, cairn_put_many(root.replica, &put, 1, &result, NULL, &root.err));
    memcpy(one->id, result.id, sizeof one->id);
}

static void model_step(void)
{
    if (known_count < RECORDS_MAX && below(3) == 0) {
        struct known *one = &known[known_count];
        memset(one, 0, sizeof *one);
        snprintf(one->scope, sizeof one->scope, "5133%02u100%03u", 30 + below(2),
                 200 + below(VILLAGES));
        put(one, true);
        known_count++;
        return;
    }
    if (known_count == 0)
        return;
    struct known *one = &known[below((uint32_t)known_count)];
    if (one->is_deleted)
        return;
    if (below(12) > 0) {
        put(one, false);
        return;
    }
    machine_must(&root, cairn_delete(root.replica, "household", one->id, "test", &root.err));
    one->is_deleted = true;
}

/* ---- one question, asked of both ----------------------------------------------------------- */

struct question {
    enum cairn_compare compare;
    int low, high;
    char prefix[16];
    int status; /* -1: any */
    bool is_status_negated;
    bool sorts, sorts_down;
    uint64_t limit, offset;
};

static bool income_fits(const struct question *q, const struct known *one)
{
    if (!one->has_income)
        return q->compare == CAIRN_NOT_EQUAL;
    switch (q->compare) {
    case CAIRN_EQUAL:
        return one->income == q->low;
    case CAIRN_NOT_EQUAL:
        return one->income != q->low;
    case CAIRN_LESS:
        return one->income < q->low;
    case CAIRN_AT_MOST:
        return one->income <= q->low;
    case CAIRN_GREATER:
        return one->income > q->low;
    case CAIRN_AT_LEAST:
        return one->income >= q->low;
    case CAIRN_RANGE:
        return one->income >= q->low && one->income <= q->high;
    }
    return false;
}

static bool known_fits(const struct question *q, const struct known *one)
{
    if (one->is_deleted || strncmp(one->scope, q->prefix, strlen(q->prefix)) != 0)
        return false;
    if (q->status >= 0 && (strcmp(one->status, statuses[q->status]) == 0) == q->is_status_negated)
        return false;
    return income_fits(q, one);
}

static const struct question *asked;

static int known_compare(const void *a, const void *b)
{
    const struct known *x = *(const struct known *const *)a, *y = *(const struct known *const *)b;

    if (asked->sorts && x->has_income != y->has_income)
        return x->has_income ? -1 : 1;
    if (asked->sorts && x->has_income && x->income != y->income)
        return (x->income < y->income) != asked->sorts_down ? -1 : 1;
    int order = strcmp(x->scope, y->scope);
    return order != 0 ? order : strcmp(x->id, y->id);
}

static size_t model_answer(const struct question *q, const struct known **out)
{
    size_t count = 0, kept = 0;

    for (size_t i = 0; i < known_count; i++)
        if (known_fits(q, &known[i]))
            out[count++] = &known[i];
    asked = q;
    qsort(out, count, sizeof *out, known_compare);
    for (size_t i = q->offset; i < count && (q->limit == 0 || kept < q->limit); i++)
        out[kept++] = out[i];
    return kept;
}

struct comparing {
    const struct known **expected;
    size_t count, at;
};

static bool on_record(void *context, const struct cairn_record *record)
{
    struct comparing *comparing = context;

    assert_true(comparing->at < comparing->count);
    assert_string_equal(record->id, comparing->expected[comparing->at]->id);
    assert_string_equal(record->scope, comparing->expected[comparing->at]->scope);
    comparing->at++;
    return true;
}

static bool on_count(void *context, const struct cairn_count *count)
{
    *(uint64_t *)context += count->count;
    return true;
}

static size_t conditions_make(const struct question *q, struct cairn_condition conditions[3],
                              char value[40])
{
    size_t count = 0;

    snprintf(value, 40, q->compare == CAIRN_RANGE ? "%d..%d" : "%d", q->low, q->high);
    conditions[count++] = (struct cairn_condition){"income", q->compare, value};
    conditions[count++] = (struct cairn_condition){"village", CAIRN_EQUAL, q->prefix};
    if (q->status >= 0)
        conditions[count++] = (struct cairn_condition){
            "status", q->is_status_negated ? CAIRN_NOT_EQUAL : CAIRN_EQUAL, statuses[q->status]};
    return count;
}

static void ask(const struct question *q)
{
    static const struct known *expected[RECORDS_MAX];
    struct cairn_condition conditions[3];
    char value[40];
    uint64_t total = 0;
    struct question all = *q;
    struct comparing comparing = {.expected = expected, .count = model_answer(q, expected)};
    const struct cairn_query query = {.type = "household",
                                      .conditions = conditions,
                                      .condition_count = conditions_make(q, conditions, value),
                                      .sort_field = q->sorts ? "income" : NULL,
                                      .sorts_down = q->sorts_down,
                                      .limit = q->limit,
                                      .offset = q->offset};

    machine_must(&root, cairn_query_run(root.replica, &query, on_record, &comparing, &root.err));
    assert_int_equal(comparing.at, comparing.count);
    machine_must(&root, cairn_query_count(root.replica, &query, "township", NULL, 0, on_count,
                                          &total, &root.err));
    all.limit = all.offset = 0;
    assert_int_equal(total, model_answer(&all, expected));
}

static void ask_anything(void)
{
    static const char *const prefixes[] = {"",       "51",        "5133",        "513330",
                                           "513331", "513330100", "513331100203"};
    struct question q = {.compare = (enum cairn_compare)below(7),
                         .low = (int)below(2000) + 3500,
                         .status = (int)below(4) - 1,
                         .is_status_negated = below(2) == 0,
                         .sorts = below(2) == 0,
                         .sorts_down = below(2) == 0,
                         .limit = below(3) * below(20),
                         .offset = below(2) * below(10)};

    q.high = q.low + (int)below(800);
    snprintf(q.prefix, sizeof q.prefix, "%s", prefixes[below(7)]);
    ask(&q);
}

/* ---- schemas ------------------------------------------------------------------------------- */

/* Version 2: members and heads are indexed, incomes are not; heads are personal. */
static enum cairn_status schema_change(struct cairn_replica *replica, void *context)
{
    static uint8_t first[CAIRN_SCHEMA_TABLE_MAX], second[CAIRN_SCHEMA_TABLE_MAX];
    struct cairn_field fields[128];
    struct cairn_type types[32];
    struct cairn_writer writer;
    struct cairn_schema *schema;
    struct cairn_hash previous;

    (void)context;
    cairn_writer_init(&writer, first, sizeof first);
    cairn_schema_default_write(&writer);
    crypto_hash_sha256(previous.bytes, first, writer.size);
    CAIRN_TRY(cairn_schema_read(cairn_writer_bytes(&writer), &schema));
    struct cairn_type type = schema->types[0];
    CAIRN_ASSERT(type.field_count <= 128 && schema->type_count <= 32);
    for (size_t i = 0; i < type.field_count; i++) {
        fields[i] = type.fields[i];
        if (strcmp(fields[i].name, "income") == 0)
            fields[i].is_indexed = false;
        if (strcmp(fields[i].name, "members") == 0 || strcmp(fields[i].name, "head") == 0)
            fields[i].is_indexed = true;
    }
    type.fields = fields;
    memcpy(types, schema->types, schema->type_count * sizeof *types);
    types[0] = type;
    const struct cairn_schema next = {
        .version = 2, .types = types, .type_count = schema->type_count};
    cairn_writer_init(&writer, second, sizeof second);
    cairn_schema_write(&writer, &next);
    cairn_schema_free(schema);
    return cairn_schema_admit(&replica->ctx, 2, &previous, cairn_writer_bytes(&writer));
}

/* ---- tests --------------------------------------------------------------------------------- */

static void any_question_is_answered_as_by_looking_at_every_record(void **state)
{
    (void)state;
    known_count = 0;
    for (size_t i = 0; i < STEPS; i++) {
        model_step();
        if (i % 10 == 9)
            ask_anything();
    }
    assert_true(context_index_check(&root.replica->ctx) > 0);
    machine_must(&root, cairn_replica_write(root.replica, schema_change, NULL, &root.err));
    assert_true(context_index_check(&root.replica->ctx) > 0);
    for (size_t i = 0; i < STEPS / 3; i++) {
        model_step();
        if (i % 10 == 9)
            ask_anything();
    }
    assert_true(context_index_check(&root.replica->ctx) > 0);
}

static uint64_t count_of(const char *field, const char *value)
{
    const struct cairn_condition condition = {field, CAIRN_EQUAL, value};
    const struct cairn_query query = {
        .type = "household", .conditions = &condition, .condition_count = 1};
    uint64_t total = 0;

    machine_must(
        &root, cairn_query_count(root.replica, &query, NULL, NULL, 0, on_count, &total, &root.err));
    return total;
}

static void personal_values_are_found_and_stand_in_no_key(void **state)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_INDEX);
    struct cairn_context *ctx = &root.replica->ctx;
    struct cairn_walk walk;
    char id[32];
    size_t rows = 0;

    (void)state;
    machine_must(&root, cairn_replica_write(root.replica, schema_change, NULL, &root.err));
    const struct cairn_field_value fields[] = {{"head", "洛桑丹增"}, {"members", "3"}};
    const struct cairn_put put = {
        .type = "household", .scope = "513330100200", .fields = fields, .field_count = 2};
    struct cairn_put_result result;
    machine_must(&root, cairn_put_many(root.replica, &put, 1, &result, NULL, &root.err));
    memcpy(id, result.id, sizeof id);
    assert_int_equal(count_of("head", "洛桑丹增"), 1);
    assert_int_equal(count_of("head", "洛桑"), 0);
    assert_int_equal(count_of("id", id), 1);
    machine_must(&root, cairn_context_begin(ctx, CAIRN_TXN_READ));
    machine_must(&root, cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0},
                                        CAIRN_ASCENDING, &walk));
    for (; cairn_walk_next(&walk) == CAIRN_OK; rows++)
        assert_null(memmem(walk.key.data, walk.key.size, "洛桑", strlen("洛桑")));
    cairn_walk_close(&walk);
    cairn_context_abort(ctx);
    assert_int_equal(rows, 2);
}

struct summed {
    uint64_t count;
    long sum;
};

static bool on_sum(void *context, const struct cairn_count *count)
{
    struct summed *summed = context;

    summed->count += count->count;
    summed->sum += strtol(count->sums[0], NULL, 10);
    return true;
}

static void bands_hold_their_lower_end_and_sums_add_up(void **state)
{
    static const char *const incomes[] = {"4199", "4200", "4499", "4500", "5000", "9000"};
    const char *const sums[] = {"income"};
    const struct cairn_query query = {.type = "household"};
    struct summed summed = {.count = 0};

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        const struct cairn_field_value fields[] = {{"head", "扎西"}, {"income", incomes[i]}};
        const struct cairn_put put = {
            .type = "household", .scope = "513330100200", .fields = fields, .field_count = 2};
        struct cairn_put_result result;
        machine_must(&root, cairn_put_many(root.replica, &put, 1, &result, NULL, &root.err));
    }
    assert_int_equal(count_of("band", "<4200"), 1);
    assert_int_equal(count_of("band", "4200..4500"), 2);
    assert_int_equal(count_of("band", "4500..5000"), 1);
    assert_int_equal(count_of("band", "5000.."), 2);
    assert_int_equal(count_of("income", "4200..4500"), 3);
    machine_must(&root, cairn_query_count(root.replica, &query, "band", sums, 1, on_sum, &summed,
                                          &root.err));
    assert_int_equal(summed.count, 6);
    assert_int_equal(summed.sum, 4199 + 4200 + 4499 + 4500 + 5000 + 9000);
}

static void expect_bad(const char *field, enum cairn_compare compare, const char *value)
{
    const struct cairn_condition condition = {field, compare, value};
    const struct cairn_query query = {
        .type = "household", .conditions = &condition, .condition_count = 1};
    uint64_t total = 0;

    assert_int_equal(
        cairn_query_count(root.replica, &query, NULL, NULL, 0, on_count, &total, &root.err),
        CAIRN_BAD_INPUT);
    assert_true(root.err.text[0] != '\0');
}

static void what_cannot_be_asked_is_said(void **state)
{
    (void)state;
    expect_bad("nothing", CAIRN_EQUAL, "1");
    expect_bad("income", CAIRN_EQUAL, "much");
    expect_bad("income", CAIRN_RANGE, "1");
    expect_bad("cause", CAIRN_LESS, "因病");
    expect_bad("village", CAIRN_EQUAL, "51x");
    expect_bad("village", CAIRN_LESS, "51");
    expect_bad("band", CAIRN_EQUAL, "1..2");
    expect_bad("failed", CAIRN_EQUAL, "nothing");
    expect_bad("state", CAIRN_EQUAL, "nowhere");
    expect_bad("conflict", CAIRN_EQUAL, "perhaps");
    expect_bad("refused", CAIRN_EQUAL, "perhaps");
}

static enum cairn_status upsert(const char *alias, const char *income, const char *scope,
                                struct cairn_put_result *out_result)
{
    const struct cairn_field_value fields[] = {{"id", alias}, {"head", "扎西"}, {"income", income}};
    const struct cairn_put put = {
        .type = "household", .scope = scope, .fields = fields, .field_count = 3, .upserts = true};

    return cairn_put_many(root.replica, &put, 1, out_result, NULL, &root.err);
}

static void an_alias_names_its_record(void **state)
{
    const struct cairn_record *record;
    struct cairn_put_result first, second;

    (void)state;
    machine_must(&root, upsert("77001", "4000", "513330100200", &first));
    assert_true(first.is_created);
    machine_must(&root, upsert("77001", "4100", "513330100200", &second));
    assert_false(second.is_created);
    assert_string_equal(first.id, second.id);
    assert_int_equal(second.change_count, 1);
    machine_must(&root, upsert("77001", "", "513330100200", &second));
    assert_int_equal(second.change_count, 0);
    machine_must(&root, cairn_get(root.replica, "77001", &record, &root.err));
    assert_string_equal(record->id, first.id);
    machine_must(&root, upsert("77001", "4200", "513330100201", &second));
    assert_true(second.is_created);
    assert_int_equal(cairn_get(root.replica, "77001", &record, &root.err), CAIRN_AMBIGUOUS);
    assert_non_null(strstr(root.err.text, first.id));
    assert_non_null(strstr(root.err.text, second.id));
    assert_int_equal(cairn_get(root.replica, "77002", &record, &root.err), CAIRN_NOT_FOUND);
}

static void rows_of_one_call_with_the_same_alias_are_one_record(void **state)
{
    const struct cairn_field_value one[] = {{"id", "5"}, {"head", "扎西"}, {"income", "1"}};
    const struct cairn_field_value two[] = {{"id", "5"}, {"income", "2"}, {"members", "4"}};
    const struct cairn_put puts[] = {{.type = "household",
                                      .scope = "513330100200",
                                      .fields = one,
                                      .field_count = 3,
                                      .upserts = true},
                                     {.type = "household",
                                      .scope = "513330100200",
                                      .fields = two,
                                      .field_count = 3,
                                      .upserts = true}};
    struct cairn_put_result results[2];

    (void)state;
    machine_must(&root, cairn_put_many(root.replica, puts, 2, results, NULL, &root.err));
    assert_true(results[0].is_created);
    assert_false(results[1].is_created);
    assert_string_equal(results[0].id, results[1].id);
    assert_int_equal(machine_status(&root).record_count, 1);
    assert_int_equal(count_of("income", "2"), 1);
    assert_int_equal(count_of("members", "4"), 1);
}

/* ---- snapshots ----------------------------------------------------------------------------- */

struct meanwhile {
    struct cairn_replica *writer;
    uint64_t seen;
};

/* At the first record, another replica of the same store writes ten more. */
static bool on_record_write(void *context, const struct cairn_record *record)
{
    struct meanwhile *meanwhile = context;
    const struct cairn_field_value fields[] = {{"head", "卓玛"}, {"income", "4300"}};
    const struct cairn_put put = {
        .type = "household", .scope = "513331100206", .fields = fields, .field_count = 2};
    struct cairn_put_result result;
    struct cairn_err err = {.translate = NULL};

    (void)record;
    for (size_t i = 0; meanwhile->seen == 0 && i < 10; i++)
        assert_int_equal(cairn_put_many(meanwhile->writer, &put, 1, &result, NULL, &err), CAIRN_OK);
    meanwhile->seen++;
    return true;
}

static void a_reader_writes_nothing_and_sees_one_moment_whatever_is_written_meanwhile(void **state)
{
    char *folder = temp_folder_new();
    struct fake_ports ports;
    struct cairn_store *store;
    struct cairn_replica *reader;
    struct cairn_err err = {.translate = NULL};
    const struct cairn_init init = {.name = "Root", .root_scope = "51", .root_tag = "R"};
    const struct cairn_condition condition = {"income", CAIRN_AT_LEAST, "4000"};
    const struct cairn_query query = {
        .type = "household", .conditions = &condition, .condition_count = 1};
    struct meanwhile meanwhile = {.seen = 0};

    (void)state;
    fake_ports_init(&ports, 3);
    assert_int_equal(cairn_store_lmdb_open(folder, true, &store, &err), CAIRN_OK);
    struct cairn_replica_config config = {.store = store, .ports = &ports.base, .is_writer = true};
    assert_int_equal(cairn_replica_init(&config, &init, &meanwhile.writer, &err), CAIRN_OK);
    config.is_writer = false;
    assert_int_equal(cairn_replica_open(&config, &reader, &err), CAIRN_OK);
    for (size_t i = 0; i < 20; i++) {
        const struct cairn_field_value fields[] = {{"head", "扎西"}, {"income", "4200"}};
        const struct cairn_put put = {.type = "household",
                                      .scope = i % 2 == 0 ? "513330100200" : "513331100205",
                                      .fields = fields,
                                      .field_count = 2};
        struct cairn_put_result result;
        assert_int_equal(cairn_put_many(meanwhile.writer, &put, 1, &result, NULL, &err), CAIRN_OK);
    }
    assert_int_equal(cairn_query_run(reader, &query, on_record_write, &meanwhile, &err), CAIRN_OK);
    assert_int_equal(meanwhile.seen, 20);
    assert_int_equal(cairn_query_run(reader, &query, on_record_write, &meanwhile, &err), CAIRN_OK);
    assert_int_equal(meanwhile.seen, 50);

    const struct cairn_field_value head = {"head", "卓玛"};
    const struct cairn_put put = {
        .type = "household", .scope = "513330100200", .fields = &head, .field_count = 1};
    struct cairn_put_result result;
    assert_int_equal(cairn_put_many(reader, &put, 1, &result, NULL, &err), CAIRN_LOCKED);
    assert_string_equal(err.text, "This store was opened for reading only.");
    cairn_replica_close(reader);
    cairn_replica_close(meanwhile.writer);
    store->ops->close(store);
    temp_folder_remove(folder);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(any_question_is_answered_as_by_looking_at_every_record),
        T(personal_values_are_found_and_stand_in_no_key),
        T(bands_hold_their_lower_end_and_sums_add_up),
        T(what_cannot_be_asked_is_said),
        T(an_alias_names_its_record),
        T(rows_of_one_call_with_the_same_alias_are_one_record),
        T(a_reader_writes_nothing_and_sees_one_moment_whatever_is_written_meanwhile),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
