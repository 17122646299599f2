/* Bundles (SPEC.md section 10): everything held here, in a file that a rider can carry. */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bundle_in.h"
#include "pack.h"
#include "parked.h"
#include "replica_internal.h"
#include "schema.h"
#include "sequence.h"
#include "taking.h"

#define PART_BYTES 200000 /* of groups and links, before packing */

/* ---- writing ------------------------------------------------------------------------------- */

struct bundle_out {
    struct cairn_replica *replica;
    bool is_full;
    enum cairn_payload_way way;
    cairn_bundle_fn *write;
    void *context;
    struct cairn_bundle_report report;
    uint8_t content_key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    struct cairn_hash header_hash; /* associated data of every block */
    crypto_secretstream_xchacha20poly1305_state stream;
    struct cairn_outgoing outgoing;
};

static enum cairn_status bytes_out(struct bundle_out *out, struct cairn_bytes bytes)
{
    out->report.byte_count += bytes.size;
    if (out->write(out->context, bytes))
        return CAIRN_OK;
    return cairn_fail(out->replica->ctx.err, CAIRN_IO, "The bundle could not be written.");
}

/* One CBOR byte string to the file. */
static enum cairn_status part_bytes_out(struct bundle_out *out, struct cairn_bytes part)
{
    uint8_t head[16];
    struct cairn_writer writer;

    /* The head of a byte string of that size: written for no bytes, then the bytes follow. */
    cairn_writer_init(&writer, head, sizeof head);
    cairn_cbor_write_uint(&writer, part.size);
    head[0] |= 0x40;
    CAIRN_TRY(bytes_out(out, cairn_writer_bytes(&writer)));
    return part.size == 0 ? CAIRN_OK : bytes_out(out, part);
}

static enum cairn_status part_out(struct bundle_out *out, struct cairn_bytes plain, bool is_last)
{
    unsigned char tag = is_last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;

    if (out->is_full)
        return part_bytes_out(out, plain);
    size_t size = plain.size + crypto_secretstream_xchacha20poly1305_ABYTES;
    uint8_t *sealed = malloc(size);
    if (sealed == NULL)
        return CAIRN_NO_MEMORY;
    crypto_secretstream_xchacha20poly1305_push(&out->stream, sealed, NULL, plain.data, plain.size,
                                               out->header_hash.bytes,
                                               sizeof out->header_hash.bytes, tag);
    enum cairn_status status = part_bytes_out(out, (struct cairn_bytes){sealed, size});
    free(sealed);
    return status;
}

/* What is gathered becomes a part; nothing gathered, nothing written. */
static enum cairn_status part_flush(struct bundle_out *out)
{
    struct cairn_outgoing *gathered = &out->outgoing;
    struct cairn_buffer plain, packed;

    CAIRN_TRY(cairn_outgoing_flush(gathered));
    if (gathered->group_count == 0 && gathered->links.count == 0)
        return CAIRN_OK;
    cairn_buffer_init(&plain, CAIRN_MESSAGE_UNPACKED_MAX);
    cairn_buffer_init(&packed, CAIRN_PART_FILE_MAX);
    struct cairn_writer room =
        cairn_buffer_room(&plain, gathered->groups.size + gathered->links.bytes.size + 64);
    cairn_bundle_part_write(&room, cairn_buffer_bytes(&gathered->links.bytes),
                            gathered->links.count, cairn_buffer_bytes(&gathered->groups),
                            gathered->group_count);
    cairn_buffer_take(&plain, &room);
    enum cairn_status status = cairn_buffer_status(&plain);
    if (status == CAIRN_OK)
        status = cairn_payload_pack(out->replica->ctx.packer, out->way, cairn_buffer_bytes(&plain),
                                    &packed);
    if (status == CAIRN_OK)
        status = part_out(out, cairn_buffer_bytes(&packed), false);
    cairn_buffer_release(&plain);
    cairn_buffer_release(&packed);
    /* What a part shows need not be shown again in the next, so the list of shown links stays. */
    cairn_buffer_reset(&gathered->groups);
    gathered->group_count = 0;
    cairn_buffer_reset(&gathered->links.bytes);
    gathered->links.count = 0;
    if (gathered->links.ref_count > CAIRN_LINKS_MAX / 2)
        gathered->links.ref_count = 0;
    return status;
}

struct readers {
    struct bundle_out *out;
    struct cairn_scope scope;
    bool is_only_authority;
    struct cairn_buffer bytes;
    size_t count;
};

/* Does this store hold anything but the authority logs that everybody below may read? */
static enum cairn_status only_authority(struct cairn_context *ctx, bool *out_is_only)
{
    struct cairn_log log;
    enum cairn_status status;

    *out_is_only = true;
    for (status = cairn_log_next(ctx, &log, true); status == CAIRN_OK && *out_is_only;
         status = cairn_log_next(ctx, &log, false))
        *out_is_only = log.channel == CAIRN_CHANNEL_AUTHORITY;
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* Every device whose grant covers what this store holds may read it; authority logs are read by all
 * below. */
static enum cairn_status reader_add(void *context, struct cairn_context *ctx,
                                    const struct cairn_ref *ref, const struct cairn_grant *grant)
{
    struct readers *readers = context;
    struct cairn_bundle_reader reader = {.bundle_key = grant->keys.bundle};
    uint8_t sealed[crypto_secretstream_xchacha20poly1305_KEYBYTES + crypto_box_SEALBYTES];
    struct cairn_under under = {.grant = *ref};
    bool in_force;

    CAIRN_TRY(cairn_standing_in_force(ctx, &under, &in_force));
    bool reads = cairn_scope_contains(grant->scope, readers->scope) ||
                 (readers->is_only_authority && cairn_scope_contains(readers->scope, grant->scope));
    if (!in_force || !reads)
        return CAIRN_OK;
    if (crypto_box_seal(sealed, readers->out->content_key, sizeof readers->out->content_key,
                        grant->keys.bundle.bytes) != 0)
        return CAIRN_OK; /* a key that nobody can open with */
    reader.sealed_key = (struct cairn_bytes){sealed, sizeof sealed};
    struct cairn_writer room = cairn_buffer_room(&readers->bytes, 160);
    cairn_bundle_reader_write(&room, &reader);
    cairn_buffer_take(&readers->bytes, &room);
    readers->count++;
    return cairn_buffer_status(&readers->bytes);
}

static enum cairn_status header_out(struct bundle_out *out)
{
    struct cairn_replica *replica = out->replica;
    struct cairn_root_statement root;
    struct cairn_standing standing;
    struct cairn_bytes statement;
    struct readers readers = {.out = out};
    struct cairn_buffer header;

    CAIRN_TRY(cairn_root_get(&replica->ctx, &root, &statement));
    CAIRN_TRY(cairn_standing_get(&replica->ctx, &replica->under, &standing));
    readers.scope = standing.scope;
    CAIRN_TRY(only_authority(&replica->ctx, &readers.is_only_authority));
    cairn_buffer_init(&readers.bytes, CAIRN_MESSAGE_UNPACKED_MAX);
    cairn_buffer_init(&header, 2 * CAIRN_MESSAGE_UNPACKED_MAX);
    enum cairn_status status =
        out->is_full ? CAIRN_OK : cairn_grants_visit(&replica->ctx, reader_add, &readers);
    if (status == CAIRN_OK && !out->is_full && readers.count == 0)
        status = cairn_fail(
            replica->ctx.err, CAIRN_NO_RIGHT,
            "Nobody could open this bundle: no grant here covers it. For an auditor write it "
            "with --full.");
    struct cairn_writer room =
        cairn_buffer_room(&header, statement.size + readers.bytes.size + 128);
    if (status == CAIRN_OK) {
        cairn_bundle_header_write(&room, statement,
                                  out->is_full ? CAIRN_BUNDLE_FULL : CAIRN_BUNDLE_SEALED,
                                  cairn_buffer_bytes(&readers.bytes), readers.count);
        cairn_buffer_take(&header, &room);
        status = cairn_buffer_status(&header);
    }
    if (status == CAIRN_OK) {
        crypto_hash_sha256(out->header_hash.bytes, header.data, header.size);
        status = bytes_out(out, cairn_buffer_bytes(&header));
    }
    cairn_buffer_release(&readers.bytes);
    cairn_buffer_release(&header);
    if (status != CAIRN_OK || out->is_full)
        return status;
    uint8_t stream_header[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
    crypto_secretstream_xchacha20poly1305_init_push(&out->stream, stream_header, out->content_key);
    return part_bytes_out(out, (struct cairn_bytes){stream_header, sizeof stream_header});
}

/* Evidence that no log here brings: grants of devices that have not written, servers, schemas. */
static enum cairn_status grant_link_add(void *context, struct cairn_context *ctx,
                                        const struct cairn_ref *ref,
                                        const struct cairn_grant *grant)
{
    struct bundle_out *out = context;

    (void)grant;
    out->report.device_count++;
    CAIRN_TRY(cairn_link_set_entry(ctx, &out->outgoing.links, ref));
    return cairn_outgoing_is_full(&out->outgoing) ? part_flush(out) : CAIRN_OK;
}

static enum cairn_status evidence_out(struct bundle_out *out)
{
    struct cairn_context *ctx = &out->replica->ctx;
    struct cairn_sequencer_info sequencer;
    struct cairn_standing standing;
    struct cairn_ref schema;
    uint64_t version;

    CAIRN_TRY(cairn_grants_visit(ctx, grant_link_add, out));
    CAIRN_TRY(cairn_schema_newest(ctx, &version));
    for (uint64_t v = 1; v <= version; v++) {
        CAIRN_TRY(cairn_schema_ref(ctx, v, &schema));
        CAIRN_TRY(cairn_link_set_entry(ctx, &out->outgoing.links, &schema));
        if (cairn_outgoing_is_full(&out->outgoing))
            CAIRN_TRY(part_flush(out));
    }
    CAIRN_TRY(cairn_standing_get(ctx, &out->replica->under, &standing));
    enum cairn_status status = cairn_sequencer_for(ctx, standing.scope, &sequencer);
    if (status == CAIRN_OK)
        status = cairn_link_set_entry(ctx, &out->outgoing.links, &sequencer.ref);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status scope_log_out(struct bundle_out *out,
                                       const struct cairn_scope_log *scope_log)
{
    struct cairn_context *ctx = &out->replica->ctx;
    uint64_t from = 0, next = 0;

    do {
        from = next;
        enum cairn_status status =
            cairn_outgoing_covered(ctx, &out->outgoing, scope_log, from, &next);
        if (status == CAIRN_LIMIT ||
            (status == CAIRN_OK && next == from && out->outgoing.group_count > 0)) {
            CAIRN_TRY(part_flush(out));
            out->outgoing.links.ref_count = 0; /* all the room that there is for its grants */
            next = from;
            status = cairn_outgoing_covered(ctx, &out->outgoing, scope_log, from, &next);
        }
        CAIRN_TRY(status);
        if (cairn_outgoing_is_full(&out->outgoing))
            CAIRN_TRY(part_flush(out));
    } while (next < scope_log->tree.size && next > from);
    return CAIRN_OK;
}

static enum cairn_status covered_out(struct bundle_out *out)
{
    struct cairn_scope_log scope_log;
    enum cairn_status status;

    for (status = cairn_scope_log_next(&out->replica->ctx, &scope_log, true); status == CAIRN_OK;
         status = cairn_scope_log_next(&out->replica->ctx, &scope_log, false))
        CAIRN_TRY(scope_log_out(out, &scope_log));
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status uncovered_out(struct bundle_out *out)
{
    struct cairn_log log;
    enum cairn_status status;

    for (status = cairn_log_next(&out->replica->ctx, &log, true); status == CAIRN_OK;
         status = cairn_log_next(&out->replica->ctx, &log, false)) {
        uint32_t next = log.covered;
        while (next < cairn_log_size(&log)) {
            uint32_t from = next;
            bool is_alone = out->outgoing.groups.size + out->outgoing.pending_runs.size == 0;
            CAIRN_TRY(cairn_outgoing_log(&out->replica->ctx, &out->outgoing, &log, from, &next));
            if (next < cairn_log_size(&log))
                CAIRN_TRY(part_flush(out));
            if (next == from && is_alone)
                break;
        }
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* An auditor judges with what is known here: also with the branches of those who signed two
 * histories, without which our state is not the one that the logs give. What a device gave up
 * itself when it was restored is no second history. */
static enum cairn_status forks_out(struct bundle_out *out)
{
    struct cairn_context *ctx = &out->replica->ctx;
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_key from = {.size = 0};
    struct cairn_run run;
    struct cairn_log log;
    enum cairn_status status;
    uint32_t no;

    while ((status = cairn_fork_next(ctx, &from, &no, &run)) == CAIRN_OK) {
        bool is_fork;
        CAIRN_TRY(cairn_log_load(ctx, no, &log));
        CAIRN_TRY(cairn_fork_contradicts(ctx, &log, &run, &is_fork));
        if (is_fork) {
            CAIRN_TRY(part_flush(out));
            CAIRN_TRY(cairn_outgoing_branch(ctx, &out->outgoing, &log, &run));
        }
        cairn_arena_rewind(&ctx->arena, mark);
    }
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status bundle_out_all(struct bundle_out *out)
{
    uint64_t record_count;

    CAIRN_TRY(header_out(out));
    CAIRN_TRY(evidence_out(out));
    CAIRN_TRY(covered_out(out));
    CAIRN_TRY(uncovered_out(out));
    if (out->is_full)
        CAIRN_TRY(forks_out(out));
    CAIRN_TRY(part_flush(out));
    CAIRN_TRY(part_out(out, (struct cairn_bytes){NULL, 0}, true));
    return cairn_records_count(&out->replica->ctx, &record_count, &out->report.conflict_count);
}

static enum cairn_status bundle_write(const struct bundle_out *how,
                                      struct cairn_bundle_report *out_report, struct cairn_err *err)
{
    struct cairn_replica *replica = how->replica;
    struct bundle_out *out = malloc(sizeof *out);

    if (out == NULL)
        return cairn_explain(err, CAIRN_NO_MEMORY);
    *out = *how;
    cairn_replica_fresh(replica, err);
    cairn_outgoing_init(&out->outgoing, PART_BYTES);
    out->outgoing.is_closed = out->is_full;
    out->outgoing.is_explicit = true;
    replica->ports->ops->random(replica->ports, out->content_key, sizeof out->content_key);
    enum cairn_status status =
        replica->is_joined ? CAIRN_OK
                           : cairn_fail(err, CAIRN_NO_RIGHT,
                                        "This device has no grant yet: there is nothing to carry.");
    if (status == CAIRN_OK)
        status = cairn_replica_mark(replica, true, err);
    if (status == CAIRN_OK)
        status = cairn_replica_read(replica, err);
    if (status == CAIRN_OK)
        status = cairn_replica_done(replica, bundle_out_all(out), err);
    out->report.entry_count = out->outgoing.entry_count;
    out->report.checkpoint_count = out->outgoing.checkpoint_count;
    if (status == CAIRN_OK)
        *out_report = out->report;
    cairn_outgoing_release(&out->outgoing);
    sodium_memzero(out, sizeof *out);
    free(out);
    return status;
}

enum cairn_status cairn_bundle_write(struct cairn_replica *replica, bool is_full,
                                     cairn_bundle_fn *write, void *context,
                                     struct cairn_bundle_report *out_report, struct cairn_err *err)
{
    const struct bundle_out how = {.replica = replica,
                                   .is_full = is_full,
                                   .way = CAIRN_PAYLOAD_TRAVELS,
                                   .write = write,
                                   .context = context};

    return bundle_write(&how, out_report, err);
}

enum cairn_status cairn_bundle_write_here(struct cairn_replica *replica, cairn_bundle_fn *write,
                                          void *context, struct cairn_bundle_report *out_report,
                                          struct cairn_err *err)
{
    const struct bundle_out how = {.replica = replica,
                                   .is_full = true,
                                   .way = CAIRN_PAYLOAD_STAYS,
                                   .write = write,
                                   .context = context};

    return bundle_write(&how, out_report, err);
}

/* ---- reading ------------------------------------------------------------------------------- */

struct bundle_in {
    struct cairn_replica *replica;
    struct cairn_bytes file;
    struct cairn_bundle_header header;
    bool has_key;
    uint8_t content_key[crypto_secretstream_xchacha20poly1305_KEYBYTES];
    struct cairn_sequencing sequencing;
    struct cairn_bundle_report report;
};

static enum cairn_status damaged(struct bundle_in *in, size_t at)
{
    return cairn_fail(
        in->replica->ctx.err, CAIRN_MALFORMED,
        "The bundle is damaged or cut short at byte %zu. Nothing of it was kept; ask for it "
        "again.",
        at);
}

/* Follow one group; one that contradicts or lacks something makes the whole bundle unfit. */
static enum cairn_status group_in(struct bundle_in *in, const struct cairn_group *group)
{
    struct cairn_context *ctx = &in->replica->ctx;
    struct cairn_follow follow;

    enum cairn_status status = cairn_group_follow(ctx, group, &follow);
    if (status != CAIRN_OK)
        return status;
    in->report.entry_count += follow.entry_count;
    in->report.checkpoint_count += group->has_checkpoint;
    /* A server covers at once what a bundle brings, group by group, as large as fit a reply. */
    if (in->replica->has_keys)
        CAIRN_TRY(cairn_sequence(&in->sequencing));
    if (follow.state_differs)
        return cairn_fail(
            ctx->err, CAIRN_CORRUPT,
            "The state worked out here is not the one that was signed, from the same entries. "
            "Nothing was kept. Run: cairn audit");
    return CAIRN_OK;
}

static enum cairn_status part_in(struct bundle_in *in, const struct cairn_bundle_part *part)
{
    struct cairn_list groups = part->groups;
    struct cairn_group *group = malloc(sizeof *group);
    enum cairn_status status;

    if (group == NULL)
        return CAIRN_NO_MEMORY;
    status = cairn_links_admit(&in->replica->ctx, part->links);
    while (status == CAIRN_OK && cairn_group_next(&groups, group))
        status = group_in(in, group);
    free(group);
    return status;
}

static enum cairn_status parts_in(struct bundle_in *in)
{
    struct cairn_parts parts;
    struct cairn_bundle_part part;
    enum cairn_status status;

    cairn_parts_init(&parts, in->file, &in->header, in->content_key);
    while ((status = cairn_parts_next(&parts, in->replica->ctx.packer, &part)) == CAIRN_OK) {
        status = part_in(in, &part);
        if (status != CAIRN_OK)
            break;
    }
    if (status == CAIRN_MALFORMED)
        status = damaged(in, parts.reader.pos);
    cairn_parts_release(&parts);
    return status == CAIRN_NOT_FOUND && parts.is_done ? CAIRN_OK : status;
}

static enum cairn_status bundle_apply(struct cairn_replica *replica, void *context)
{
    struct bundle_in *in = context;

    in->report = (struct cairn_bundle_report){.byte_count = in->file.size};
    if (replica->has_keys)
        cairn_sequencing_init(&in->sequencing, replica);
    CAIRN_TRY(parts_in(in));
    CAIRN_TRY(cairn_parked_retry(&replica->ctx));
    if (replica->has_keys)
        CAIRN_TRY(cairn_sequence(&in->sequencing));
    in->report.conflict_count = replica->ctx.tally.conflicts;
    return CAIRN_OK;
}

static void content_key_find(struct bundle_in *in)
{
    const struct cairn_keys *keys = &in->replica->keys;
    struct cairn_list readers = in->header.readers;
    struct cairn_bundle_reader reader;

    while (!in->has_key && cairn_bundle_reader_next(&readers, &reader))
        in->has_key =
            memcmp(reader.bundle_key.bytes, keys->open.bundle.bytes, 32) == 0 &&
            reader.sealed_key.size == sizeof in->content_key + crypto_box_SEALBYTES &&
            crypto_box_seal_open(in->content_key, reader.sealed_key.data, reader.sealed_key.size,
                                 keys->open.bundle.bytes, keys->bundle.bytes) == 0;
}

static enum cairn_status bundle_open(struct bundle_in *in, struct cairn_err *err)
{
    struct cairn_root_statement root;

    if (cairn_bundle_header_read(in->file, &in->header) != CAIRN_OK ||
        cairn_root_statement_read(in->header.root_statement, &root) != CAIRN_OK)
        return cairn_fail(
            err, CAIRN_MALFORMED,
            "This is not a bundle, or its beginning is damaged. Nothing of it was kept; ask for it "
            "again.");
    if (!in->replica->is_joined)
        return cairn_fail(err, CAIRN_NO_RIGHT,
                          "This device has no grant yet: join first, then read bundles.");
    if (!cairn_hash_equal(&root.network, &in->replica->ctx.network))
        return cairn_fail(err, CAIRN_REFUSED,
                          "The bundle belongs to another network. Nothing of it was kept.");
    if (in->header.kind == CAIRN_BUNDLE_FULL)
        return cairn_fail(
            err, CAIRN_REFUSED,
            "This bundle was written for an auditor, without personal values: check it with "
            "cairn audit. Nothing of it was kept.");
    if (!in->replica->has_keys)
        return cairn_fail(err, CAIRN_NO_KEY,
                          "The key of this device is locked: give its passphrase.");
    content_key_find(in);
    if (!in->has_key)
        return cairn_fail(
            err, CAIRN_NO_KEY,
            "This bundle is sealed for other devices. Nothing of it was kept; it can be carried "
            "on.");
    return CAIRN_OK;
}

static enum cairn_status bundle_explain(struct cairn_err *err, enum cairn_status status)
{
    if (status == CAIRN_OK || (err != NULL && err->text[0] != '\0'))
        return status;
    if (status == CAIRN_GAP || status == CAIRN_NOT_FOUND)
        return cairn_fail(
            err, CAIRN_GAP,
            "The bundle rests on something earlier that has not arrived here yet. Nothing of it "
            "was kept; sync, or read the earlier bundle first.");
    if (status == CAIRN_BAD_SIGNATURE || status == CAIRN_MALFORMED || status == CAIRN_FORKED)
        return cairn_fail(
            err, status,
            "What the bundle holds does not match its signatures: altered, or damaged on the way. "
            "Nothing of it was kept; ask for it again.");
    return cairn_explain(err, status);
}

enum cairn_status cairn_bundle_read(struct cairn_replica *replica, struct cairn_bytes file,
                                    struct cairn_bundle_report *out_report, struct cairn_err *err)
{
    struct bundle_in in = {.replica = replica, .file = file};

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(bundle_open(&in, err));
    enum cairn_status status = cairn_taking_write(replica, bundle_apply, &in, NULL);
    sodium_memzero(in.content_key, sizeof in.content_key);
    if (status != CAIRN_OK)
        return bundle_explain(err, status);
    *out_report = in.report;
    return CAIRN_OK;
}
