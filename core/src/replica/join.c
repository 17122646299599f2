/* Joining a network by an invitation. */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "replica_internal.h"

#define INVITATION_MAX (1u << 20)

struct join_work {
    struct cairn_invitation invitation;
    struct cairn_join_report *report;
};

static enum cairn_status invitation_open(struct cairn_replica *replica, struct cairn_bytes file,
                                         struct cairn_invitation *out_invitation,
                                         struct cairn_err *err)
{
    struct cairn_bytes sealed;

    if (!replica->has_keys)
        return cairn_fail(err, CAIRN_NO_KEY,
                          "The key of this device is locked: give its passphrase.");
    if (file.size > INVITATION_MAX || cairn_invitation_file_read(file, &sealed) != CAIRN_OK ||
        sealed.size < crypto_box_SEALBYTES)
        return cairn_fail(
            err, CAIRN_MALFORMED,
            "This is not an invitation, or it was damaged. Nothing was changed; ask for it again.");
    uint8_t *plain = cairn_arena_get(&replica->results, sealed.size);
    if (plain == NULL)
        return CAIRN_NO_MEMORY;
    if (crypto_box_seal_open(plain, sealed.data, sealed.size, replica->keys.open.bundle.bytes,
                             replica->keys.bundle.bytes) != 0)
        return cairn_fail(
            err, CAIRN_NO_KEY,
            "This invitation is for another device, or it was damaged. Nothing was changed; ask "
            "for the one made for the request of this device.");
    struct cairn_bytes bytes = {plain, sealed.size - crypto_box_SEALBYTES};
    if (cairn_invitation_read(bytes, out_invitation) != CAIRN_OK)
        return cairn_fail(
            err, CAIRN_MALFORMED,
            "The invitation does not follow the format of this version. Nothing was changed; "
            "ask for it again, or install the newer cairn.");
    return CAIRN_OK;
}

static enum cairn_status join_apply(struct cairn_replica *replica, void *context)
{
    struct join_work *work = context;
    struct cairn_context *ctx = &replica->ctx;
    struct cairn_under under = {.grant = work->invitation.grant};
    struct cairn_root_statement root;
    struct cairn_standing standing;
    struct cairn_sequencer_info server;
    struct cairn_key key = cairn_key_meta("under");
    uint8_t bytes[96];
    struct cairn_writer writer;

    enum cairn_status status = cairn_root_get(ctx, &root, NULL);
    if (status == CAIRN_OK)
        return cairn_fail(ctx->err, CAIRN_EXISTS,
                          "This store belongs to a network already. Nothing was changed.");
    if (status != CAIRN_NOT_FOUND)
        return status;
    CAIRN_TRY(cairn_root_put(ctx, work->invitation.root_statement));
    CAIRN_TRY(cairn_links_admit(ctx, work->invitation.links));
    CAIRN_TRY(cairn_standing_get(ctx, &under, &standing));
    if (memcmp(standing.seal_key.bytes, replica->keys.open.seal.bytes, 32) != 0)
        return cairn_fail(
            ctx->err, CAIRN_NO_KEY,
            "This invitation is for another device. Nothing was changed; ask for the one made "
            "for the request of this device.");
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_under_write(&writer, &under);
    CAIRN_TRY(cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer)));
    CAIRN_TRY(cairn_root_get(ctx, &root, NULL));
    memset(work->report, 0, sizeof *work->report);
    cairn_text_copy(work->report->root_name, sizeof work->report->root_name, root.name);
    cairn_fingerprint(&root.network, work->report->root_fingerprint);
    cairn_device_describe(&standing, &work->report->self);
    status = cairn_sequencer_for(ctx, standing.scope, &server);
    if (status == CAIRN_OK) {
        cairn_text_copy(work->report->server_tag, sizeof work->report->server_tag,
                        cairn_bytes_of_text(server.standing.tag));
        cairn_text_copy(work->report->server_address, sizeof work->report->server_address,
                        cairn_bytes_of_text(server.address));
    }
    replica->under = under;
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status join_explain(struct cairn_err *err, enum cairn_status status)
{
    if (status == CAIRN_BAD_SIGNATURE || status == CAIRN_NOT_FOUND || status == CAIRN_MALFORMED ||
        (status == CAIRN_REFUSED && err != NULL && err->text[0] == '\0'))
        return cairn_fail(
            err, CAIRN_BAD_SIGNATURE,
            "The grants in this invitation do not lead to its root. Nothing was changed; ask for "
            "it again.");
    return cairn_explain(err, status);
}

/* In a store of its own in memory: an inspection changes nothing, here or there. */
static enum cairn_status inspect(struct cairn_replica *replica, struct join_work *work)
{
    struct cairn_replica *alone = calloc(1, sizeof *alone);
    struct cairn_store *store;

    if (alone == NULL)
        return CAIRN_NO_MEMORY;
    enum cairn_status status = cairn_store_memory_new(&store);
    if (status != CAIRN_OK) {
        free(alone);
        return status;
    }
    alone->keys = replica->keys;
    status = cairn_context_init(&alone->ctx, store, &replica->verifier);
    if (status == CAIRN_OK) {
        alone->ctx.err = replica->ctx.err;
        status = cairn_context_begin(&alone->ctx, CAIRN_TXN_WRITE);
        if (status == CAIRN_OK)
            status = join_apply(alone, work);
        cairn_context_release(&alone->ctx);
    }
    store->ops->close(store);
    sodium_memzero(alone, sizeof *alone);
    free(alone);
    return status;
}

enum cairn_status cairn_join_inspect(struct cairn_replica *replica, struct cairn_bytes invitation,
                                     struct cairn_join_report *out_report, struct cairn_err *err)
{
    struct cairn_join_report report = {.server_tag = ""};
    struct join_work work = {.report = &report};

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_explain(err, invitation_open(replica, invitation, &work.invitation, err)));
    enum cairn_status status = inspect(replica, &work);
    if (status != CAIRN_OK)
        return join_explain(err, status);
    *out_report = report;
    return CAIRN_OK;
}

enum cairn_status cairn_join(struct cairn_replica *replica, struct cairn_bytes invitation,
                             struct cairn_join_report *out_report, struct cairn_err *err)
{
    struct cairn_join_report report = {.server_tag = ""};
    struct join_work work = {.report = &report};

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_explain(err, invitation_open(replica, invitation, &work.invitation, err)));
    enum cairn_status status = cairn_replica_write(replica, join_apply, &work, err);
    if (status != CAIRN_OK)
        return join_explain(err, status);
    replica->is_joined = true;
    *out_report = report;
    return CAIRN_OK;
}
