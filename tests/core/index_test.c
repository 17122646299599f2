/* Indexes that are built while records go on being written, and builds that stop half-way. */

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

#define RECORDS 4500 /* several steps of a build, and more rows than one step drops */
#define BATCH 500

static struct machine root;
static char ids[RECORDS][32];
static uint64_t random_state;

static uint32_t below(uint32_t limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

static void records_make(void)
{
    static struct cairn_put puts[BATCH];
    static struct cairn_put_result results[BATCH];
    static struct cairn_field_value fields[BATCH][3];
    static char members[BATCH][8], incomes[BATCH][8], scopes[BATCH][16];

    for (size_t first = 0; first < RECORDS; first += BATCH) {
        for (size_t i = 0; i < BATCH; i++) {
            snprintf(members[i], sizeof members[i], "%u", below(9));
            snprintf(incomes[i], sizeof incomes[i], "%u", below(9000));
            snprintf(scopes[i], sizeof scopes[i], "513332100%03u", below(4));
            fields[i][0] = (struct cairn_field_value){"head", "扎西"};
            fields[i][1] = (struct cairn_field_value){"members", members[i]};
            fields[i][2] = (struct cairn_field_value){"income", incomes[i]};
            puts[i] = (struct cairn_put){
                .type = "household", .scope = scopes[i], .fields = fields[i], .field_count = 3};
        }
        machine_must(&root, cairn_put_many(root.replica, puts, BATCH, results, NULL, &root.err));
        for (size_t i = 0; i < BATCH; i++)
            memcpy(ids[first + i], results[i].id, sizeof ids[0]);
    }
}

static int setup(void **state)
{
    const char *seed = getenv("CAIRN_SEED");

    (void)state;
    random_state = seed == NULL ? 11 : strtoull(seed, NULL, 10);
    print_message("CAIRN_SEED=%llu\n", (unsigned long long)random_state);
    machine_init(&root, 1, "Root", "51");
    records_make();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_free(&root);
    return 0;
}

/* A version after the newest that indexes members and not incomes, or the other way round. */
static void schema_admit(struct cairn_context *ctx)
{
    static uint8_t table[CAIRN_SCHEMA_TABLE_MAX];
    static uint8_t before_table[CAIRN_SCHEMA_TABLE_MAX];
    const struct cairn_schema *before;
    struct cairn_field fields[128];
    struct cairn_type types[32];
    struct cairn_writer writer;
    struct cairn_hash previous;

    machine_must(&root, cairn_schema_now(ctx, &before));
    cairn_writer_init(&writer, before_table, sizeof before_table);
    cairn_schema_write(&writer, before);
    crypto_hash_sha256(previous.bytes, before_table, writer.size);
    struct cairn_type type = before->types[0];
    assert_true(type.field_count <= 128 && before->type_count <= 32);
    for (size_t i = 0; i < type.field_count; i++) {
        fields[i] = type.fields[i];
        if (strcmp(fields[i].name, "income") == 0 || strcmp(fields[i].name, "members") == 0)
            fields[i].is_indexed =
                (strcmp(fields[i].name, "income") == 0) == (before->version % 2 == 0);
    }
    type.fields = fields;
    memcpy(types, before->types, before->type_count * sizeof *types);
    types[0] = type;
    const struct cairn_schema next = {
        .version = before->version + 1, .types = types, .type_count = before->type_count};
    cairn_writer_init(&writer, table, sizeof table);
    cairn_schema_write(&writer, &next);
    machine_must(&root,
                 cairn_schema_admit(ctx, next.version, &previous, cairn_writer_bytes(&writer)));
}

static bool step(void)
{
    static const uint8_t entropy[32] = {9};
    struct cairn_context *ctx = &root.replica->ctx;
    bool is_done = false;

    machine_must(&root, cairn_context_begin(ctx, CAIRN_TXN_WRITE));
    machine_must(&root, cairn_index_build(ctx, entropy, &is_done));
    if (below(4) == 0) { /* the power goes before the commit */
        cairn_context_abort(ctx);
        return false;
    }
    machine_must(&root, cairn_context_commit(ctx));
    return is_done;
}

static bool is_ready(void)
{
    struct cairn_context *ctx = &root.replica->ctx;
    bool ready = false;

    machine_must(&root, cairn_context_begin(ctx, CAIRN_TXN_READ));
    machine_must(&root, cairn_index_is_ready(ctx, &ready));
    cairn_context_abort(ctx);
    return ready;
}

static void edit_some(void)
{
    unsigned done = 0;

    for (size_t i = 0; i < 30; i++) {
        const char *id = ids[below(RECORDS)];
        bool is_income = below(2) == 0;
        char value[8];
        snprintf(value, sizeof value, "%u", below(is_income ? 9000 : 99));
        enum cairn_status status =
            below(20) == 0 ? cairn_delete(root.replica, "household", id, "test", &root.err)
                           : machine_set(&root, id, is_income ? "income" : "members", value);
        assert_true(status == CAIRN_OK || status == CAIRN_BAD_INPUT); /* it was deleted */
        done += status == CAIRN_OK;
    }
    assert_true(done > 20);
}

static bool on_count(void *context, const struct cairn_count *count)
{
    *(uint64_t *)context += count->count;
    return true;
}

static uint64_t poor_count(void)
{
    const struct cairn_condition condition = {"income", CAIRN_LESS, "4200"};
    const struct cairn_query query = {
        .type = "household", .conditions = &condition, .condition_count = 1};
    uint64_t total = 0;

    machine_must(
        &root, cairn_query_count(root.replica, &query, NULL, NULL, 0, on_count, &total, &root.err));
    return total;
}

static void a_build_may_stop_anywhere_and_records_change_meanwhile(void **state)
{
    struct cairn_context *ctx = &root.replica->ctx;

    (void)state;
    for (size_t round = 0; round < 3; round++) {
        assert_true(is_ready());
        uint64_t poor = poor_count();
        machine_must(&root, cairn_context_begin(ctx, CAIRN_TXN_WRITE));
        schema_admit(ctx);
        machine_must(&root, cairn_context_commit(ctx));
        ctx->indexing.may_be_due = false; /* so that no save builds: the test does */
        assert_false(is_ready());
        assert_int_equal(poor_count(), poor);
        while (!step())
            edit_some();
        assert_true(is_ready());
        assert_true(context_index_check(ctx) > 0);
        edit_some();
        assert_true(context_index_check(ctx) > 0);
    }
}

static void what_a_build_left_is_done_at_the_next_open(void **state)
{
    struct cairn_context *ctx = &root.replica->ctx;

    (void)state;
    machine_must(&root, cairn_context_begin(ctx, CAIRN_TXN_WRITE));
    schema_admit(ctx);
    machine_must(&root, cairn_context_commit(ctx));
    assert_false(step());
    machine_off(&root);
    machine_must(&root, machine_on(&root));
    assert_true(is_ready());
    assert_true(context_index_check(&root.replica->ctx) > 0);
}

static void status_counts_what_a_scan_counts(void **state)
{
    struct cairn_context *ctx = &root.replica->ctx;
    uint64_t records, conflicts;

    (void)state;
    edit_some();
    edit_some();
    uint64_t counted = machine_status(&root).record_count;
    const struct cairn_query query = {.type = "household"};
    uint64_t listed = 0;
    machine_must(&root, cairn_query_count(root.replica, &query, "village", NULL, 0, on_count,
                                          &listed, &root.err));
    assert_int_equal(counted, listed);
    machine_must(&root, cairn_context_begin(ctx, CAIRN_TXN_WRITE));
    schema_admit(ctx); /* in this transaction nothing is ready: all is scanned */
    machine_must(&root, cairn_records_count(ctx, &records, &conflicts));
    cairn_context_abort(ctx);
    assert_int_equal(records, counted);
}

/* Rows of table I with and without the check character. */
static size_t counter_rows(bool of_before)
{
    struct cairn_context *ctx = &root.replica->ctx;
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_COUNTER);
    struct cairn_walk walk;
    size_t count = 0;

    machine_must(&root, cairn_context_begin(ctx, CAIRN_TXN_READ));
    machine_must(&root, cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0},
                                        CAIRN_ASCENDING, &walk));
    while (cairn_walk_next(&walk) == CAIRN_OK)
        count += (cairn_reader_left(&walk.key) == 12) == of_before;
    cairn_walk_close(&walk);
    cairn_context_abort(ctx);
    return count;
}

static enum cairn_status counter_row_age(void *context, struct cairn_context *ctx,
                                         const struct cairn_log *log,
                                         const struct cairn_record_state *state)
{
    uint8_t bucket = cairn_record_id_hash(log, state->id.index).bytes[0];
    struct cairn_key key = cairn_counter_key(state->counter, bucket, state->id);

    (void)context;
    machine_must(&root, cairn_kv_del(ctx, &key));
    key = cairn_counter_key_before(state->counter, state->id);
    return cairn_kv_put(ctx, &key, (struct cairn_bytes){&bucket, 1});
}

/* Make the store what the version before wrote. */
static void store_age(void)
{
    struct cairn_context *ctx = &root.replica->ctx;
    struct cairn_key key = cairn_key_meta("index");
    struct cairn_bytes value;
    uint8_t bytes[64];

    machine_must(&root, cairn_context_begin(ctx, CAIRN_TXN_WRITE));
    machine_must(&root, cairn_states_visit(ctx, counter_row_age, NULL));
    machine_must(&root, cairn_kv_get(ctx, &key, &value));
    assert_true(value.size <= sizeof bytes);
    memcpy(bytes, value.data, value.size);
    bytes[0] = 1;
    machine_must(&root, cairn_kv_put(ctx, &key, (struct cairn_bytes){bytes, value.size}));
    machine_must(&root, cairn_context_commit(ctx));
}

static void labels_check(void)
{
    for (size_t i = 0; i < RECORDS; i += 7) {
        const struct cairn_record *record;
        machine_must(&root, cairn_get(root.replica, ids[i], &record, &root.err));
        assert_string_equal(record->id, ids[i]);
    }
}

static void labels_are_found_before_and_after_their_rows_are_written_anew(void **state)
{
    (void)state;
    store_age();
    assert_int_equal(counter_rows(true), RECORDS);
    labels_check();
    machine_off(&root);
    machine_must(&root, machine_on(&root));
    assert_true(is_ready());
    assert_int_equal(counter_rows(true), 0);
    assert_int_equal(counter_rows(false), RECORDS);
    labels_check();
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_build_may_stop_anywhere_and_records_change_meanwhile),
        T(what_a_build_left_is_done_at_the_next_open),
        T(status_counts_what_a_scan_counts),
        T(labels_are_found_before_and_after_their_rows_are_written_anew),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
