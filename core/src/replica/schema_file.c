/* The schema as a file: checked, published, given back; cairn/schema_file.h. */

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "replica_internal.h"
#include "schema_yaml.h"

/* ---- checking ------------------------------------------------------------------------------ */

/* A file on its way to a table. */
struct checking {
    cairn_schema_problem_fn *visit;
    void *context;
    struct cairn_err *err;
    struct cairn_schema_source source;
    size_t problem_count;
    uint8_t *table; /* on the heap; room for eight times what is allowed, to say how much it is */
    size_t table_bytes;
};
#define TABLE_ROOM (8u * CAIRN_SCHEMA_TABLE_MAX)

static void checking_release(struct checking *checking)
{
    cairn_schema_free(checking->source.schema);
    free(checking->table);
}

static void fault_visit(void *context, const struct cairn_schema_place *place, const char *text)
{
    struct checking *checking = context;

    checking->problem_count++;
    if (checking->visit != NULL)
        checking->visit(checking->context, cairn_schema_source_line(&checking->source, place),
                        text);
}

/* What the network has had so far, in a read or write unit of work. */
static enum cairn_status before_get(struct cairn_context *ctx, const struct cairn_schema **before)
{
    uint64_t newest;

    CAIRN_TRY(cairn_schema_newest(ctx, &newest));
    return cairn_schema_get(ctx, newest, before);
}

/* `text` takes the sentence of a mistake. */
static enum cairn_status table_write(struct checking *checking, struct cairn_err *text)
{
    struct cairn_writer writer;
    struct cairn_schema *schema;

    checking->table = malloc(TABLE_ROOM);
    if (checking->table == NULL)
        return CAIRN_NO_MEMORY;
    cairn_writer_init(&writer, checking->table, TABLE_ROOM);
    cairn_schema_write(&writer, checking->source.schema);
    checking->table_bytes = writer.overflowed ? TABLE_ROOM : writer.size;
    if (checking->table_bytes > CAIRN_SCHEMA_TABLE_MAX) {
        static const struct cairn_schema_place whole = {.part = CAIRN_PART_WHOLE};
        (void)cairn_fail(text, CAIRN_BAD_INPUT,
                         "the schema takes %zu bytes when signed, at most %d fit one entry: "
                         "shorten labels and choices.",
                         checking->table_bytes, CAIRN_SCHEMA_TABLE_MAX);
        fault_visit(checking, &whole, text->text);
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_schema_read(cairn_writer_bytes(&writer), &schema));
    cairn_schema_free(schema);
    return CAIRN_OK;
}

static enum cairn_status problems_fail(const struct checking *checking)
{
    if (checking->problem_count == 1)
        return cairn_fail(checking->err, CAIRN_BAD_INPUT,
                          "The schema has 1 mistake. Nothing was changed; correct it and check "
                          "again.");
    return cairn_fail(checking->err, CAIRN_BAD_INPUT,
                      "The schema has %zu mistakes. Nothing was changed; correct them and check "
                      "again.",
                      checking->problem_count);
}

/* `before` may be NULL: against nothing. */
static enum cairn_status file_check(struct checking *checking, struct cairn_bytes yaml,
                                    const struct cairn_schema *before)
{
    struct cairn_err text = {.translate = checking->err == NULL ? NULL : checking->err->translate};
    enum cairn_status status =
        cairn_schema_compile(yaml, checking->visit, checking->context, &checking->source,
                             &checking->problem_count, checking->err);

    if (status == CAIRN_BAD_INPUT)
        return problems_fail(checking);
    CAIRN_TRY(status);
    struct cairn_schema *schema = checking->source.schema;
    if (schema->version == 0)
        schema->version = before == NULL ? 1 : before->version + 1;
    if (before != NULL)
        (void)cairn_schema_faults(before, schema, fault_visit, checking, &text);
    CAIRN_TRY(table_write(checking, &text));
    return checking->problem_count > 0 ? problems_fail(checking) : CAIRN_OK;
}

static void summary_fill(const struct checking *checking, struct cairn_schema_summary *summary)
{
    const struct cairn_schema *schema = checking->source.schema;

    if (summary == NULL)
        return;
    *summary = (struct cairn_schema_summary){.version = schema->version,
                                             .type_count = schema->type_count,
                                             .table_bytes = checking->table_bytes,
                                             .table_bytes_max = CAIRN_SCHEMA_TABLE_MAX};
    for (size_t i = 0; i < schema->type_count; i++)
        summary->field_count += schema->types[i].field_count;
}

enum cairn_status cairn_schema_check(struct cairn_replica *replica, struct cairn_bytes yaml,
                                     cairn_schema_problem_fn *visit, void *context,
                                     struct cairn_schema_summary *out_summary,
                                     struct cairn_err *err)
{
    struct checking checking = {.visit = visit, .context = context, .err = err};
    const struct cairn_schema *before = NULL;
    enum cairn_status status = CAIRN_OK;

    if (replica != NULL) {
        cairn_replica_fresh(replica, err);
        CAIRN_TRY(cairn_replica_read(replica, err));
        status = before_get(&replica->ctx, &before);
        /* A store that belongs to no network yet has nothing to compare with. */
        if (status == CAIRN_OK && before->version == 0)
            before = NULL;
    }
    if (status == CAIRN_OK)
        status = file_check(&checking, yaml, before);
    if (status == CAIRN_OK)
        summary_fill(&checking, out_summary);
    checking_release(&checking);
    return replica == NULL ? cairn_explain(err, status) : cairn_replica_done(replica, status, err);
}

/* ---- publishing ---------------------------------------------------------------------------- */

enum cairn_status cairn_schema_sign(struct cairn_replica *replica, uint64_t version,
                                    struct cairn_bytes table)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_author author = cairn_replica_author(replica);
    struct cairn_schema_entry schema = {
        .under = replica->under, .version = version, .table = table};
    struct cairn_standing standing;
    struct cairn_log log;
    struct cairn_writer writer;

    uint8_t *bytes = cairn_arena_get(&ctx->arena, CAIRN_SCHEMA_TABLE_MAX + 256);
    if (bytes == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_schema_hash(ctx, version - 1, &schema.previous));
    CAIRN_TRY(cairn_standing_get(ctx, &replica->under, &standing));
    CAIRN_TRY(cairn_own_log(ctx, &author, standing.scope, CAIRN_CHANNEL_AUTHORITY, &log));
    cairn_writer_init(&writer, bytes, CAIRN_SCHEMA_TABLE_MAX + 256);
    cairn_schema_entry_write(&writer, author.now_s, &schema);
    CAIRN_ASSERT(!writer.overflowed);
    return cairn_apply_own(ctx, &author, &log, cairn_writer_bytes(&writer), 1);
}

struct publish_work {
    struct cairn_bytes yaml;
    struct checking checking;
};

/* Does the file only repeat what is held? */
static enum cairn_status news_check(struct cairn_context *ctx, struct checking *checking,
                                    const struct cairn_schema *before)
{
    struct cairn_schema again = *checking->source.schema;
    struct cairn_writer writer;
    struct cairn_hash hash, held;

    uint8_t *bytes = cairn_arena_get(&ctx->arena, CAIRN_SCHEMA_TABLE_MAX);
    if (bytes == NULL)
        return CAIRN_NO_MEMORY;
    again.version = before->version;
    cairn_writer_init(&writer, bytes, CAIRN_SCHEMA_TABLE_MAX);
    cairn_schema_write(&writer, &again);
    CAIRN_ASSERT(!writer.overflowed); /* the checked table under a smaller number */
    crypto_hash_sha256(hash.bytes, bytes, writer.size);
    CAIRN_TRY(cairn_schema_hash(ctx, before->version, &held));
    if (cairn_hash_equal(&hash, &held))
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "The file says what version %" PRIu64 " says already. Nothing was "
                          "published.",
                          before->version);
    return CAIRN_OK;
}

static enum cairn_status publish_apply(struct cairn_replica *replica, void *context)
{
    struct publish_work *work = context;
    const struct cairn_schema *before;

    /* A unit of work that was in conflict comes here again. */
    checking_release(&work->checking);
    work->checking.source.schema = NULL;
    work->checking.table = NULL;
    work->checking.problem_count = 0;
    CAIRN_TRY(before_get(&replica->ctx, &before));
    CAIRN_TRY(file_check(&work->checking, work->yaml, before));
    CAIRN_TRY(news_check(&replica->ctx, &work->checking, before));
    return cairn_schema_sign(
        replica, work->checking.source.schema->version,
        (struct cairn_bytes){work->checking.table, work->checking.table_bytes});
}

static enum cairn_status publish_right(const struct cairn_replica *replica, struct cairn_err *err)
{
    if (!replica->is_joined || !replica->under.is_root)
        return cairn_fail(err, CAIRN_NO_RIGHT,
                          "Only the root authority publishes a schema. Nothing was published; "
                          "send the file to whoever keeps the root key.");
    if (!replica->has_keys)
        return cairn_fail(err, CAIRN_NO_KEY,
                          "The key of this device is locked: give its passphrase.");
    return CAIRN_OK;
}

enum cairn_status cairn_schema_publish(struct cairn_replica *replica, struct cairn_bytes yaml,
                                       cairn_schema_problem_fn *visit, void *context,
                                       struct cairn_schema_summary *out_summary,
                                       struct cairn_err *err)
{
    struct publish_work work = {.yaml = yaml, .checking = {.err = err}};

    CAIRN_TRY(publish_right(replica, err));
    /* Here, so that each mistake is visited once. */
    CAIRN_TRY(cairn_schema_check(replica, yaml, visit, context, NULL, err));
    cairn_replica_fresh(replica, err);
    enum cairn_status status = cairn_replica_write(replica, publish_apply, &work, err);
    if (status == CAIRN_OK)
        summary_fill(&work.checking, out_summary);
    checking_release(&work.checking);
    return status;
}

/* ---- giving back --------------------------------------------------------------------------- */

static enum cairn_status text_write(struct cairn_replica *replica, uint64_t version,
                                    struct cairn_bytes *out_yaml)
{
    const struct cairn_schema *schema;
    struct cairn_buffer buffer;

    if (version == 0)
        CAIRN_TRY(cairn_schema_newest(&replica->ctx, &version));
    CAIRN_TRY(version == 0 ? CAIRN_NOT_FOUND : cairn_schema_get(&replica->ctx, version, &schema));
    cairn_buffer_init(&buffer, CAIRN_YAML_TEXT_MAX);
    cairn_schema_yaml_write(&buffer, schema);
    struct cairn_bytes copy = {NULL, 0};
    if (!buffer.failed)
        copy = cairn_arena_copy(&replica->results, cairn_buffer_bytes(&buffer));
    cairn_buffer_release(&buffer);
    if (copy.data == NULL)
        return CAIRN_NO_MEMORY;
    *out_yaml = copy;
    return CAIRN_OK;
}

enum cairn_status cairn_schema_text(struct cairn_replica *replica, uint64_t version,
                                    struct cairn_bytes *out_yaml, struct cairn_err *err)
{
    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = text_write(replica, version, out_yaml);
    if (status == CAIRN_NOT_FOUND && version == 0)
        status = cairn_fail(err, status, "This store holds no schema yet: join a network first.");
    else if (status == CAIRN_NOT_FOUND)
        status =
            cairn_fail(err, status, "This store holds no schema version %" PRIu64 ".", version);
    return cairn_replica_done(replica, status, err);
}
