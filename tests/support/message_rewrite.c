#include "message_rewrite.h"

#include <stdlib.h>

#include "cairn/cbor.h"

/* A writer over memory of its own, for a list that is written before what it stands in. */
static struct cairn_writer scratch_new(size_t capacity)
{
    struct cairn_writer scratch;
    void *data = malloc(capacity + 1);

    CAIRN_ASSERT(data != NULL);
    cairn_writer_init(&scratch, data, capacity);
    return scratch;
}

static struct cairn_writer links_rewrite(struct cairn_list links, size_t capacity)
{
    struct cairn_writer out = scratch_new(capacity);
    struct cairn_link link;

    while (cairn_link_next(&links, &link))
        cairn_link_write(&out, &link);
    return out;
}

static struct cairn_writer leaves_rewrite(struct cairn_list leaves, size_t capacity)
{
    struct cairn_writer out = scratch_new(capacity);
    struct cairn_scope_leaf leaf;

    while (cairn_scope_leaf_next(&leaves, &leaf))
        cairn_scope_leaf_write(&out, &leaf);
    return out;
}

static void run_rewrite(struct cairn_writer *out, struct cairn_run run)
{
    struct cairn_writer entries = scratch_new(run.entries.size);
    struct cairn_reader reader;
    struct cairn_bytes entry;
    uint32_t entry_count = 0;

    cairn_reader_init(&reader, run.entries);
    for (; cairn_run_entry_next(&reader, &entry); entry_count++) {
        CAIRN_ASSERT(entry.size <= CAIRN_ENTRY_CLOSED_MAX);
        CAIRN_ASSERT(cairn_cbor_check(entry, NULL) == CAIRN_OK);
        cairn_write_bytes(&entries, entry.data, entry.size);
    }
    CAIRN_ASSERT(entry_count == run.entry_count);
    run.entries = cairn_writer_bytes(&entries);
    cairn_run_write(out, &run);
    free(entries.data);
}

static struct cairn_writer runs_rewrite(struct cairn_list runs, size_t capacity)
{
    struct cairn_writer out = scratch_new(capacity);
    struct cairn_run run;

    while (cairn_run_next(&runs, &run))
        run_rewrite(&out, run);
    return out;
}

static struct cairn_writer groups_rewrite(struct cairn_list groups, size_t capacity)
{
    struct cairn_writer out = scratch_new(capacity);
    struct cairn_group group;

    while (cairn_group_next(&groups, &group)) {
        struct cairn_writer leaves = leaves_rewrite(group.leaves, capacity);
        struct cairn_writer runs = runs_rewrite(group.runs, capacity);
        struct cairn_group_parts parts = {.leaves = cairn_writer_bytes(&leaves),
                                          .leaf_count = group.leaves.left,
                                          .runs = cairn_writer_bytes(&runs),
                                          .run_count = group.runs.left};

        cairn_group_write(&out, &group, &parts);
        free(leaves.data);
        free(runs.data);
    }
    return out;
}

static struct cairn_writer scopes_rewrite(struct cairn_list scopes, size_t capacity)
{
    struct cairn_writer out = scratch_new(capacity);
    struct cairn_scope_size scope_size;

    while (cairn_scope_size_next(&scopes, &scope_size))
        cairn_scope_size_write(&out, &scope_size);
    return out;
}

static struct cairn_writer roots_rewrite(struct cairn_list roots, size_t capacity)
{
    struct cairn_writer out = scratch_new(capacity);
    struct cairn_hash root;

    while (cairn_hash_next(&roots, &root))
        cairn_cbor_write_hash(&out, &root);
    return out;
}

static struct cairn_writer heads_rewrite(struct cairn_list heads, size_t capacity)
{
    struct cairn_writer out = scratch_new(capacity);
    struct cairn_held held;

    while (cairn_held_next(&heads, &held)) {
        cairn_cbor_write_hash(&out, &held.log);
        cairn_cbor_write_uint(&out, held.size);
    }
    return out;
}

static void request_rewrite(const struct cairn_request *request, struct cairn_writer *writer)
{
    bool has_roots = (request->flags & CAIRN_REQUEST_ROOTS) != 0;
    bool has_heads = (request->flags & CAIRN_REQUEST_HEADS) != 0;
    struct cairn_writer scopes = scopes_rewrite(request->scopes, writer->capacity);
    struct cairn_writer roots = roots_rewrite(request->roots, writer->capacity);
    struct cairn_writer heads = heads_rewrite(request->heads, writer->capacity);
    struct cairn_writer groups = groups_rewrite(request->groups, writer->capacity);
    struct cairn_writer links = links_rewrite(request->links, writer->capacity);
    struct cairn_request_parts parts = {
        .flags = request->flags,
        .scopes = cairn_writer_bytes(&scopes),
        .scope_count = request->scopes.left,
        .roots = has_roots ? cairn_writer_bytes(&roots) : request->roots_digest,
        .heads = has_heads ? cairn_writer_bytes(&heads) : request->heads_digest,
        .head_count = request->heads.left,
        .groups = cairn_writer_bytes(&groups),
        .group_count = request->groups.left,
        .links = cairn_writer_bytes(&links),
        .link_count = request->links.left,
    };

    cairn_request_write(writer, &parts);
    free(scopes.data);
    free(roots.data);
    free(heads.data);
    free(groups.data);
    free(links.data);
}

static void reply_rewrite(const struct cairn_reply *reply, struct cairn_writer *writer)
{
    struct cairn_writer groups = groups_rewrite(reply->groups, writer->capacity);
    struct cairn_writer links = links_rewrite(reply->links, writer->capacity);
    struct cairn_writer refusals = scratch_new(writer->capacity);
    struct cairn_list refusals_left = reply->refusals;
    struct cairn_refusal refusal;

    while (cairn_refusal_next(&refusals_left, &refusal))
        cairn_refusal_write(&refusals, &refusal);
    cairn_reply_write(writer, &(struct cairn_reply_parts){
                                  .code = reply->code,
                                  .flags = reply->flags,
                                  .groups = cairn_writer_bytes(&groups),
                                  .group_count = reply->groups.left,
                                  .links = cairn_writer_bytes(&links),
                                  .link_count = reply->links.left,
                                  .refusals = cairn_writer_bytes(&refusals),
                                  .refusal_count = reply->refusals.left,
                                  .text = reply->text,
                              });
    free(groups.data);
    free(links.data);
    free(refusals.data);
}

static void part_rewrite(const struct cairn_bundle_part *part, struct cairn_writer *writer)
{
    struct cairn_writer groups = groups_rewrite(part->groups, writer->capacity);
    struct cairn_writer links = links_rewrite(part->links, writer->capacity);

    cairn_bundle_part_write(writer, cairn_writer_bytes(&links), part->links.left,
                            cairn_writer_bytes(&groups), part->groups.left);
    free(groups.data);
    free(links.data);
}

static void invitation_rewrite(const struct cairn_invitation *invitation,
                               struct cairn_writer *writer)
{
    struct cairn_writer links = links_rewrite(invitation->links, writer->capacity);

    cairn_invitation_write(writer, invitation->root_statement, cairn_writer_bytes(&links),
                           invitation->links.left, &invitation->grant);
    free(links.data);
}

static void header_rewrite(const struct cairn_bundle_header *header, struct cairn_writer *writer)
{
    struct cairn_writer readers = scratch_new(writer->capacity);
    struct cairn_list readers_left = header->readers;
    struct cairn_bundle_reader reader;

    while (cairn_bundle_reader_next(&readers_left, &reader))
        cairn_bundle_reader_write(&readers, &reader);
    cairn_bundle_header_write(writer, header->root_statement, header->kind,
                              cairn_writer_bytes(&readers), header->readers.left);
    CAIRN_ASSERT(writer->overflowed || writer->size == header->header_bytes);
    free(readers.data);
}

union message {
    struct cairn_request request;
    struct cairn_reply reply;
    struct cairn_bundle_part part;
    struct cairn_invitation invitation;
    struct cairn_bytes sealed;
    struct cairn_bundle_header header;
    struct cairn_link link;
};

static enum cairn_status read_as(enum message_kind kind, struct cairn_bytes bytes,
                                 union message *out)
{
    switch (kind) {
    case MESSAGE_REQUEST:
        return cairn_request_read(bytes, &out->request);
    case MESSAGE_REPLY:
        return cairn_reply_read(bytes, &out->reply);
    case MESSAGE_PART:
        return cairn_bundle_part_read(bytes, &out->part);
    case MESSAGE_INVITATION:
        return cairn_invitation_read(bytes, &out->invitation);
    case MESSAGE_INVITATION_FILE:
        return cairn_invitation_file_read(bytes, &out->sealed);
    case MESSAGE_HEADER:
        return cairn_bundle_header_read(bytes, &out->header);
    case MESSAGE_LINK:
        return cairn_link_read(bytes, &out->link);
    case MESSAGE_KIND_COUNT:
        break;
    }
    cairn_assert_failed("a kind of message", __FILE__, __LINE__);
}

enum cairn_status message_read(enum message_kind kind, struct cairn_bytes bytes)
{
    union message message;

    return read_as(kind, bytes, &message);
}

enum cairn_status message_rewrite(enum message_kind kind, struct cairn_bytes bytes,
                                  struct cairn_writer *writer)
{
    union message message;
    enum cairn_status status = read_as(kind, bytes, &message);

    if (status != CAIRN_OK)
        return status;
    switch (kind) {
    case MESSAGE_REQUEST:
        request_rewrite(&message.request, writer);
        break;
    case MESSAGE_REPLY:
        reply_rewrite(&message.reply, writer);
        break;
    case MESSAGE_PART:
        part_rewrite(&message.part, writer);
        break;
    case MESSAGE_INVITATION:
        invitation_rewrite(&message.invitation, writer);
        break;
    case MESSAGE_INVITATION_FILE:
        cairn_invitation_file_write(writer, message.sealed);
        break;
    case MESSAGE_HEADER:
        header_rewrite(&message.header, writer);
        break;
    case MESSAGE_LINK:
        cairn_link_write(writer, &message.link);
        break;
    case MESSAGE_KIND_COUNT:
        break;
    }
    return CAIRN_OK;
}
