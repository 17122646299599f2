#include "cairn/replica.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "index.h"
#include "replica_internal.h"
#include "restore.h"

#define CONFLICT_TRIES_MAX \
    40 /* a map that doubles from its first size reaches its ceiling sooner */

#define INDEX_STEPS_MAX 64 /* of a thousand records each, behind one commit */

/* ---- units of work ------------------------------------------------------------------------- */

void cairn_replica_fresh(struct cairn_replica *replica, struct cairn_err *err)
{
    if (err != NULL)
        err->text[0] = '\0';
    replica->ctx.err = err;
    cairn_context_fresh(&replica->ctx);
    cairn_arena_reset(&replica->results);
}

static const char *status_word(const struct cairn_err *err, enum cairn_status status)
{
    const char *text = cairn_status_text(status);

    return err->translate == NULL ? text : err->translate(text);
}

enum cairn_status cairn_explain(struct cairn_err *err, enum cairn_status status)
{
    if (status == CAIRN_OK || err == NULL || err->text[0] != '\0')
        return status;
    switch (status) {
    case CAIRN_NO_SPACE:
        return cairn_fail(
            err, status,
            "The disk is full. Nothing was lost and nothing half written; free some space and "
            "try again.");
    case CAIRN_IO:
        return cairn_fail(
            err, status,
            "The disk failed while reading or writing the store. Nothing was half written; "
            "check the disk, then run: cairn audit");
    case CAIRN_CORRUPT:
        return cairn_fail(
            err, status,
            "The store holds bytes that do not check. Do not write into it; run: cairn audit");
    case CAIRN_NO_MEMORY:
        return cairn_fail(err, status, "There is not enough memory. Nothing was changed.");
    case CAIRN_CONFLICT:
        return cairn_fail(err, status, "Another process writes into this store. Try again.");
    default:
        return cairn_fail(err, status, "%s.", status_word(err, status));
    }
}

enum cairn_status cairn_replica_read(struct cairn_replica *replica, struct cairn_err *err)
{
    enum cairn_status status = CAIRN_CONFLICT;

    for (int i = 0; status == CAIRN_CONFLICT && i < CONFLICT_TRIES_MAX; i++)
        status = cairn_context_begin(&replica->ctx, CAIRN_TXN_READ);
    return cairn_explain(err, status);
}

enum cairn_status cairn_replica_done(struct cairn_replica *replica, enum cairn_status status,
                                     struct cairn_err *err)
{
    cairn_context_abort(&replica->ctx);
    return cairn_explain(err, status);
}

/* One step, in a unit of work of its own. */
static enum cairn_status index_step(struct cairn_replica *replica, bool *out_is_done)
{
    enum cairn_status status = CAIRN_CONFLICT;
    uint8_t entropy[32];

    replica->ports->ops->random(replica->ports, entropy, sizeof entropy);
    for (int i = 0; status == CAIRN_CONFLICT && i < CONFLICT_TRIES_MAX; i++) {
        status = cairn_context_begin(&replica->ctx, CAIRN_TXN_WRITE);
        if (status != CAIRN_OK)
            continue;
        status = cairn_index_build(&replica->ctx, entropy, out_is_done);
        if (status == CAIRN_OK)
            status = cairn_context_commit(&replica->ctx);
        else
            cairn_context_abort(&replica->ctx);
    }
    sodium_memzero(entropy, sizeof entropy);
    return status;
}

/*
 * Bring the indexes to what the schema wants, where another one came. It is not part of the write
 * before: on a failure, or when there is much to do, the rest is done later, and until then
 * queries scan.
 */
static void indexes_build(struct cairn_replica *replica)
{
    bool is_done = false;

    for (int i = 0; i < INDEX_STEPS_MAX && !is_done; i++)
        if (index_step(replica, &is_done) != CAIRN_OK)
            return;
    replica->ctx.indexing.may_be_due = !is_done;
}

/* Were they left behind by an earlier run, or by an earlier version? Where it fails nothing is
 * lost: until a later write mends them, queries scan. */
static void indexes_mend(struct cairn_replica *replica)
{
    bool is_ready = true;

    if (cairn_replica_read(replica, NULL) != CAIRN_OK)
        return;
    enum cairn_status status = cairn_index_is_ready(&replica->ctx, &is_ready);
    cairn_context_abort(&replica->ctx);
    while (status == CAIRN_OK && !is_ready)
        status = index_step(replica, &is_ready);
}

enum cairn_status cairn_replica_write(struct cairn_replica *replica, cairn_work_fn *work,
                                      void *context, struct cairn_err *err)
{
    enum cairn_status status = CAIRN_CONFLICT;
    struct cairn_hash network = replica->ctx.network;

    if (!replica->is_writer)
        return cairn_fail(err, CAIRN_LOCKED, "This store was opened for reading only.");
    for (int i = 0; status == CAIRN_CONFLICT && i < CONFLICT_TRIES_MAX; i++) {
        cairn_context_fresh(&replica->ctx);
        status = cairn_context_begin(&replica->ctx, CAIRN_TXN_WRITE);
        if (status != CAIRN_OK)
            continue;
        status = work(replica, context);
        if (status == CAIRN_OK && !replica->ctx.is_void)
            status = cairn_context_commit(&replica->ctx);
        else
            cairn_context_abort(&replica->ctx);
    }
    if (status != CAIRN_OK) {
        /* Others read it while they serve: it is not touched unless the work set it. */
        if (!cairn_hash_equal(&replica->ctx.network, &network))
            replica->ctx.network = network;
        return cairn_explain(err, status);
    }
    /* It is committed, whatever becomes of the mark: that must be on disk before anything sealed
     * leaves, and is saved again then. */
    if (cairn_replica_mark(replica, false, NULL) != CAIRN_OK)
        replica->mark_is_synced = false;
    if (replica->ctx.indexing.may_be_due)
        indexes_build(replica);
    return CAIRN_OK;
}

struct cairn_author cairn_replica_author(struct cairn_replica *replica)
{
    return (struct cairn_author){.keys = &replica->keys,
                                 .ports = replica->ports,
                                 .under = replica->under,
                                 .generation = replica->generation,
                                 .now_s = replica->ports->ops->now_s(replica->ports)};
}

enum cairn_status cairn_replica_mark(struct cairn_replica *replica, bool sync,
                                     struct cairn_err *err)
{
    if (!replica->is_joined || !replica->is_writer)
        return CAIRN_OK;
    return cairn_explain(err, cairn_mark_save(replica, sync));
}

/* ---- opening ------------------------------------------------------------------------------- */

static enum cairn_status keys_load(struct cairn_replica *replica, struct cairn_bytes passphrase,
                                   struct cairn_err *err)
{
    uint8_t bytes[CAIRN_KEY_FILE_MAX];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    enum cairn_status status = replica->ports->ops->key_load(replica->ports, &writer);
    const bool is_loaded = status == CAIRN_OK;
    if (is_loaded)
        status = cairn_keys_read(cairn_writer_bytes(&writer), passphrase, &replica->keys);
    sodium_memzero(bytes, sizeof bytes);
    if (!is_loaded)
        return status == CAIRN_NOT_FOUND ? status : cairn_explain(err, status);
    if (status == CAIRN_NO_KEY && passphrase.size == 0)
        return CAIRN_OK; /* read only: what needs the key will say so */
    if (status == CAIRN_NO_KEY)
        return cairn_fail(err, status,
                          "The passphrase does not open this device's key. Nothing was changed.");
    if (status != CAIRN_OK)
        return cairn_fail(err, status, "The key file is damaged or from a newer version.");
    replica->has_keys = true;
    return CAIRN_OK;
}

enum cairn_status cairn_replica_new(const struct cairn_replica_config *config,
                                    struct cairn_replica **out_replica)
{
    struct cairn_replica *replica = calloc(1, sizeof *replica);

    if (sodium_init() < 0 || replica == NULL) {
        free(replica);
        return CAIRN_NO_MEMORY;
    }
    replica->lock.fd = -1;
    replica->store = config->store;
    replica->ports = config->ports;
    replica->is_writer = config->is_writer;
    cairn_verifier_init(&replica->verifier);
    cairn_arena_init(&replica->results);
    pthread_mutex_init(&replica->pool_mutex, NULL);
    *out_replica = replica;
    return CAIRN_OK;
}

void cairn_replica_close(struct cairn_replica *replica)
{
    if (replica == NULL)
        return;
    cairn_exchange_free(replica->exchange);
    for (size_t i = 0; i < replica->pool_count; i++) {
        cairn_context_release(replica->pool[i]);
        free(replica->pool[i]);
    }
    if (replica->ctx.store != NULL)
        cairn_context_release(&replica->ctx);
    if (replica->owns_store)
        replica->store->ops->close(replica->store);
    if (replica->owns_ports)
        replica->ports->ops->free(replica->ports);
    cairn_folder_unlock(&replica->lock);
    cairn_keys_release(&replica->keys);
    cairn_arena_release(&replica->results);
    pthread_mutex_destroy(&replica->pool_mutex);
    sodium_memzero(replica, sizeof *replica);
    free(replica);
}

enum cairn_status cairn_replica_folder(struct cairn_replica *replica,
                                       const struct cairn_replica_config *config, bool create,
                                       struct cairn_err *err)
{
    if (replica->ports == NULL) {
        CAIRN_TRY(cairn_ports_posix_new(config->path, &replica->ports, err));
        replica->owns_ports = true;
    }
    if (replica->store == NULL) {
        CAIRN_TRY(cairn_store_lmdb_open(config->path, create, &replica->store, err));
        replica->owns_store = true;
        if (replica->is_writer)
            CAIRN_TRY(cairn_folder_lock(config->path,
                                        config->owner == NULL ? "cairn" : config->owner,
                                        &replica->lock, err));
    }
    return cairn_explain(err,
                         cairn_context_init(&replica->ctx, replica->store, &replica->verifier));
}

static enum cairn_status under_load(struct cairn_replica *replica)
{
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_key key = cairn_key_meta("under");
    struct cairn_root_statement root;
    struct cairn_bytes value;
    struct cairn_reader reader;

    CAIRN_TRY(cairn_meta_number(ctx, "generation", &replica->generation));
    enum cairn_status status = cairn_root_get(ctx, &root, NULL);
    if (status == CAIRN_OK)
        ctx->network = root.network;
    else if (status != CAIRN_NOT_FOUND)
        return status;
    status = cairn_kv_get(ctx, &key, &value);
    if (status != CAIRN_OK)
        return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
    cairn_reader_init(&reader, value);
    replica->under = cairn_under_read(&reader);
    replica->is_joined = !reader.failed;
    return reader.failed ? CAIRN_CORRUPT : CAIRN_OK;
}

/* Does the folder hold a store that init finished? Without one LMDB would make an empty file. */
static enum cairn_status replica_load(struct cairn_replica *replica, struct cairn_err *err)
{
    uint64_t generation = 0;

    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = under_load(replica);
    if (status == CAIRN_OK)
        status = cairn_meta_number(&replica->ctx, "generation", &generation);
    CAIRN_TRY(cairn_replica_done(replica, status, err));
    if (generation == 0)
        return CAIRN_NOT_FOUND;
    if (replica->is_joined && replica->is_writer && replica->has_keys)
        CAIRN_TRY(cairn_restore_check(replica, err));
    if (replica->is_writer)
        indexes_mend(replica);
    return CAIRN_OK;
}

/* Key and records are there together, or something was lost: say what. */
static enum cairn_status missing_explain(const struct cairn_replica *replica,
                                         const struct cairn_replica_config *config,
                                         struct cairn_err *err)
{
    const char *path = config->path == NULL ? "" : config->path;
    struct cairn_writer file;
    uint8_t bytes[CAIRN_KEY_FILE_MAX];

    cairn_writer_init(&file, bytes, sizeof bytes);
    bool has_key = replica->ports != NULL &&
                   replica->ports->ops->key_load(replica->ports, &file) != CAIRN_NOT_FOUND;
    sodium_memzero(bytes, sizeof bytes);
    if (has_key)
        return cairn_fail(err, CAIRN_NOT_FOUND,
                          "%s holds the key of a device, and no records. Restore data.mdb from a "
                          "backup, or repeat the cairn init that was cut short.",
                          path);
    if (replica->ctx.store != NULL)
        return cairn_fail(err, CAIRN_NOT_FOUND,
                          "%s holds records, and the key of their device is gone. Restore the file "
                          "key from a backup.",
                          path);
    return cairn_fail(err, CAIRN_NOT_FOUND,
                      "There is no store in %s. Make one with: cairn init NAME; or name another "
                      "folder with --store DIR",
                      path);
}

enum cairn_status cairn_replica_open(const struct cairn_replica_config *config,
                                     struct cairn_replica **out_replica, struct cairn_err *err)
{
    struct cairn_replica *replica = NULL;

    if (err != NULL)
        err->text[0] = '\0';
    CAIRN_TRY(cairn_explain(err, cairn_replica_new(config, &replica)));
    enum cairn_status status = cairn_replica_folder(replica, config, false, err);
    if (status == CAIRN_OK)
        status = keys_load(replica, config->passphrase, err);
    if (status == CAIRN_OK)
        status = replica_load(replica, err);
    if (status == CAIRN_NOT_FOUND)
        status = missing_explain(replica, config, err);
    if (status != CAIRN_OK) {
        cairn_replica_close(replica);
        return cairn_explain(err, status);
    }
    *out_replica = replica;
    return CAIRN_OK;
}

enum cairn_status cairn_key_is_sealed(const char *path, bool *out_is_sealed, struct cairn_err *err)
{
    struct cairn_ports *ports;
    uint8_t bytes[CAIRN_KEY_FILE_MAX];
    struct cairn_writer writer;
    unsigned sealing;

    CAIRN_TRY(cairn_ports_posix_new(path, &ports, err));
    cairn_writer_init(&writer, bytes, sizeof bytes);
    enum cairn_status status = ports->ops->key_load(ports, &writer);
    ports->ops->free(ports);
    if (status == CAIRN_OK)
        status = cairn_keys_sealing(cairn_writer_bytes(&writer), &sealing);
    sodium_memzero(bytes, sizeof bytes);
    if (status == CAIRN_NOT_FOUND)
        return cairn_fail(err, status, "There is no key in %s.", path);
    if (status == CAIRN_IO)
        return cairn_fail(err, status,
                          "The file key in %s cannot be read. Does it belong to another user?",
                          path);
    if (status != CAIRN_OK)
        return cairn_fail(err, status, "The file key in %s is damaged, or from a newer version.",
                          path);
    *out_is_sealed = sealing != 0;
    return CAIRN_OK;
}

bool cairn_replica_was_restored(const struct cairn_replica *replica)
{
    return replica->was_restored;
}

void cairn_version_text(char *out_text, size_t size)
{
    snprintf(out_text, size, "cairn %s\nlibsodium %s\n%s\nzstd %s\n", CAIRN_VERSION,
             sodium_version_string(), cairn_store_lmdb_version(), ZSTD_versionString());
}

void cairn_bytes_free(struct cairn_bytes bytes)
{
    union {
        const void *borrowed;
        void *owned;
    } data = {.borrowed = bytes.data};

    free(data.owned);
}
