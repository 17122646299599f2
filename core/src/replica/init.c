/* A new device: its key, its store, and a root's first entries. */

#include <sodium.h>
#include <string.h>

#include "replica_internal.h"
#include "schema.h"

struct init_work {
    const struct cairn_init *init;
    struct cairn_scope scope;
    uint8_t statement[CAIRN_STATEMENT_MAX];
    size_t statement_size;
};

static enum cairn_status root_begin(struct cairn_replica *replica, struct init_work *work)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_root_statement root = {.scope = work->scope, .threshold = 1, .key_count = 1};
    struct cairn_writer writer;
    uint8_t table[CAIRN_SCHEMA_TABLE_MAX], bytes[128];
    struct cairn_key tag_key = cairn_key_meta("root-tag"), under_key = cairn_key_meta("under");

    root.keys[0] = replica->keys.open.seal;
    root.name = cairn_bytes_of_text(work->init->name);
    replica->ports->ops->random(replica->ports, root.salt.bytes, sizeof root.salt.bytes);
    cairn_writer_init(&writer, work->statement, sizeof work->statement);
    cairn_root_statement_write(&writer, &root);
    work->statement_size = writer.size;
    CAIRN_TRY(cairn_root_put(ctx, cairn_writer_bytes(&writer)));
    CAIRN_TRY(cairn_kv_put(ctx, &tag_key, cairn_bytes_of_text(work->init->root_tag)));
    replica->under = (struct cairn_under){.is_root = true, .network = ctx->network};
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_under_write(&writer, &replica->under);
    CAIRN_TRY(cairn_kv_put(ctx, &under_key, cairn_writer_bytes(&writer)));

    cairn_writer_init(&writer, table, sizeof table);
    cairn_schema_default_write(&writer);
    if (writer.overflowed)
        return CAIRN_NO_MEMORY;
    return cairn_schema_sign(
        replica, 1, work->init->schema.size > 0 ? work->init->schema : cairn_writer_bytes(&writer));
}

static enum cairn_status init_apply(struct cairn_replica *replica, void *context)
{
    struct init_work *work = context;
    uint64_t generation;
    uint8_t place[CAIRN_PLACE_MAX];
    struct cairn_writer writer;
    struct cairn_key key = cairn_key_meta("place");

    CAIRN_TRY(cairn_meta_number(&replica->ctx, "generation", &generation));
    if (generation != 0)
        return CAIRN_EXISTS;
    replica->generation = 1;
    CAIRN_TRY(cairn_meta_number_put(&replica->ctx, "generation", 1));
    cairn_writer_init(&writer, place, sizeof place);
    CAIRN_TRY(replica->ports->ops->place(replica->ports, &writer));
    CAIRN_TRY(cairn_kv_put(&replica->ctx, &key, cairn_writer_bytes(&writer)));
    return work->init->root_scope == NULL ? CAIRN_OK : root_begin(replica, work);
}

static enum cairn_status init_check(const struct cairn_init *init, struct cairn_scope *out_scope,
                                    struct cairn_err *err)
{
    size_t size = strlen(init->name);

    if (size == 0 || size > CAIRN_NAME_MAX)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "The name of a device has 1 to %d bytes, not %zu. Nothing was written.",
                          CAIRN_NAME_MAX, size);
    if (init->root_scope == NULL)
        return CAIRN_OK;
    if (!cairn_scope_parse(init->root_scope, out_scope))
        return cairn_fail(
            err, CAIRN_BAD_INPUT,
            "%s is not an administrative code: 2, 4, 6, 9 or 12 digits. Nothing was written.",
            init->root_scope);
    if (init->root_tag == NULL || !cairn_tag_is_good(init->root_tag))
        return cairn_fail(
            err, CAIRN_BAD_INPUT,
            "A root needs a tag of 1 to 4 letters or digits: --tag R. Nothing was written.");
    return CAIRN_OK;
}

static enum cairn_status holds_device(struct cairn_err *err)
{
    return cairn_fail(err, CAIRN_EXISTS,
                      "This store holds a device already. Nothing was changed; choose another "
                      "folder with --store.");
}

static enum cairn_status schema_check(struct cairn_context *ctx, struct cairn_bytes table)
{
    static const struct cairn_hash none = {{0}};

    if (table.size > CAIRN_SCHEMA_TABLE_MAX)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "The schema has %zu bytes, at most %d are signed. Shorten it.",
                          table.size, CAIRN_SCHEMA_TABLE_MAX);
    enum cairn_status status = cairn_schema_admissible(ctx, 1, &none, table);
    if (status == CAIRN_MALFORMED)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "The schema is not a table of version 1. Check it and try again.");
    return status;
}

/* All that can be refused before there is a key. */
static enum cairn_status store_check(struct cairn_replica *replica, const struct cairn_init *init,
                                     struct cairn_err *err)
{
    uint64_t generation;

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = cairn_meta_number(&replica->ctx, "generation", &generation);
    if (status == CAIRN_OK && generation != 0)
        status = holds_device(err);
    else if (status == CAIRN_OK && init->root_scope != NULL && init->schema.size > 0)
        status = schema_check(&replica->ctx, init->schema);
    return cairn_replica_done(replica, status, err);
}

/* Did this device sign here? Its mark, which lies outside of the folder, says so. */
static enum cairn_status has_mark(struct cairn_replica *replica, bool *out_has_mark)
{
    uint8_t bytes[CAIRN_MARK_MAX];
    struct cairn_writer mark;

    *out_has_mark = false;
    cairn_writer_init(&mark, bytes, sizeof bytes);
    enum cairn_status status = replica->ports->ops->mark_load(replica->ports, &mark);
    if (status == CAIRN_OK)
        *out_has_mark = mark.size >= 32 && memcmp(bytes, replica->keys.open.seal.bytes, 32) == 0;
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/*
 * A key is never replaced. Beside an empty store it is what an init left that was killed between
 * the two: the same init goes on with it. Any other finds the key of a device that has lost its
 * records.
 */
static enum cairn_status key_resume(struct cairn_replica *replica, const struct cairn_init *init,
                                    struct cairn_bytes passphrase, struct cairn_bytes file,
                                    struct cairn_err *err)
{
    unsigned sealing;
    bool has_signed;

    enum cairn_status status = cairn_keys_sealing(file, &sealing);
    if (status == CAIRN_OK)
        status = cairn_keys_read(file, passphrase, &replica->keys);
    if (status == CAIRN_NO_MEMORY)
        return cairn_explain(err, status);
    if (status != CAIRN_OK || (sealing != 0) != (passphrase.size > 0))
        return cairn_fail(err, CAIRN_EXISTS,
                          "This folder holds the key of a device, which this passphrase does not "
                          "open, and no records. Nothing was changed; restore data.mdb from a "
                          "backup, or choose another folder with --store.");
    CAIRN_TRY(cairn_explain(err, has_mark(replica, &has_signed)));
    if (has_signed || strcmp(replica->keys.name, init->name) != 0)
        return cairn_fail(err, CAIRN_EXISTS,
                          "This folder holds the key of %s, and no records. Nothing was changed; "
                          "restore data.mdb from a backup, or choose another folder with --store.",
                          replica->keys.name);
    return CAIRN_OK;
}

static enum cairn_status key_make(struct cairn_replica *replica, const struct cairn_init *init,
                                  struct cairn_bytes passphrase, struct cairn_writer *file)
{
    uint8_t entropy[CAIRN_KEYS_ENTROPY_BYTES], sealing[40];

    replica->ports->ops->random(replica->ports, entropy, sizeof entropy);
    replica->ports->ops->random(replica->ports, sealing, sizeof sealing);
    cairn_keys_make(&replica->keys, init->name, entropy);
    sodium_memzero(entropy, sizeof entropy);
    CAIRN_TRY(cairn_keys_write(&replica->keys, passphrase, sealing, file));
    return replica->ports->ops->key_save(replica->ports, cairn_writer_bytes(file));
}

static enum cairn_status key_begin(struct cairn_replica *replica, const struct cairn_init *init,
                                   struct cairn_bytes passphrase, struct cairn_err *err)
{
    uint8_t bytes[CAIRN_KEY_FILE_MAX];
    struct cairn_writer file;

    cairn_writer_init(&file, bytes, sizeof bytes);
    enum cairn_status status = replica->ports->ops->key_load(replica->ports, &file);
    if (status == CAIRN_OK)
        status = key_resume(replica, init, passphrase, cairn_writer_bytes(&file), err);
    else if (status == CAIRN_NOT_FOUND)
        status = key_make(replica, init, passphrase, &file);
    sodium_memzero(bytes, sizeof bytes);
    replica->has_keys = status == CAIRN_OK;
    return cairn_explain(err, status);
}

enum cairn_status cairn_replica_init(const struct cairn_replica_config *config,
                                     const struct cairn_init *init,
                                     struct cairn_replica **out_replica, struct cairn_err *err)
{
    struct cairn_replica *replica = NULL;
    struct init_work work = {.init = init};
    struct cairn_replica_config writing = *config;

    if (err != NULL)
        err->text[0] = '\0';
    writing.is_writer = true;
    CAIRN_TRY(init_check(init, &work.scope, err));
    CAIRN_TRY(cairn_explain(err, cairn_replica_new(&writing, &replica)));
    enum cairn_status status = cairn_replica_folder(replica, &writing, true, err);
    if (status == CAIRN_OK)
        status = store_check(replica, init, err);
    if (status == CAIRN_OK)
        status = key_begin(replica, init, config->passphrase, err);
    if (status == CAIRN_OK) {
        cairn_replica_fresh(replica, err);
        status = cairn_replica_write(replica, init_apply, &work, err);
    }
    replica->is_joined = status == CAIRN_OK && init->root_scope != NULL;
    /* It is committed, whatever becomes of the mark: see cairn_replica_write. */
    if (replica->is_joined && cairn_replica_mark(replica, false, NULL) != CAIRN_OK)
        replica->mark_is_synced = false;
    if (status != CAIRN_OK) {
        cairn_replica_close(replica);
        return cairn_explain(err, status);
    }
    *out_replica = replica;
    return CAIRN_OK;
}
