#include "message_sample.h"

#include <string.h>

#include "cairn/cbor.h"

struct cairn_hash sample_hash(uint8_t filler)
{
    struct cairn_hash hash;

    memset(hash.bytes, filler, sizeof(hash.bytes));
    return hash;
}

void sample_entry_write(struct cairn_writer *writer, uint8_t value)
{
    cairn_cbor_write_array(writer, 3);
    cairn_cbor_write_uint(writer, 1);
    cairn_cbor_write_uint(writer, 1700000000u + value);
    cairn_cbor_write_array(writer, 4);
    cairn_cbor_write_uint(writer, 1);
    cairn_cbor_write_int(writer, -1);
    cairn_cbor_write_text(writer, "\xe6\x9d\x8e", 3);
    cairn_cbor_write_array(writer, 1);
    cairn_cbor_write_text(writer, "slot", 4);
}

struct cairn_link sample_link(struct cairn_bytes entry, uint32_t index, size_t path_count)
{
    struct cairn_link link = {.entry = entry, .index = index, .path_count = path_count};

    link.blinding = sample_hash(0xb1);
    memset(link.incarnation.bytes, 0x1c, sizeof(link.incarnation.bytes));
    for (size_t i = 0; i < path_count; i++)
        link.path[i] = sample_hash((uint8_t)(0xa0 + i));
    memset(link.seal.bytes, 0x5e, sizeof(link.seal.bytes));
    return link;
}

static void links_write(struct cairn_writer *writer)
{
    uint8_t buffer[64];
    struct cairn_writer entry;
    struct cairn_link link;

    cairn_writer_init(&entry, buffer, sizeof(buffer));
    sample_entry_write(&entry, 9);
    link = sample_link(cairn_writer_bytes(&entry), 0, 0);
    cairn_link_write(writer, &link);
    link = sample_link(cairn_writer_bytes(&entry), 5, 2);
    cairn_link_write(writer, &link);
}

static struct cairn_log_name log_numbered(uint32_t log_number)
{
    return (struct cairn_log_name){.is_numbered = true, .log_number = log_number};
}

static struct cairn_log_name log_in_full(void)
{
    struct cairn_log_name log = {0};

    memset(log.device.bytes, 0xde, sizeof(log.device.bytes));
    memset(log.incarnation.bytes, 0x1c, sizeof(log.incarnation.bytes));
    return log;
}

static void run_write(struct cairn_writer *writer, struct cairn_run run)
{
    uint8_t buffer[256];
    struct cairn_writer entries;

    cairn_writer_init(&entries, buffer, sizeof(buffer));
    for (uint32_t i = 0; i < run.entry_count; i++)
        sample_entry_write(&entries, (uint8_t)(run.first + i));
    run.entries = cairn_writer_bytes(&entries);
    memset(run.seal.bytes, 0x5e, sizeof(run.seal.bytes));
    run.secret = sample_hash(0x5c);
    cairn_run_write(writer, &run);
}

/* Only runs: one that goes on, and one of a new log. */
static void runs_group_write(struct cairn_writer *writer, uint64_t scope)
{
    uint8_t buffer[1024];
    struct cairn_writer runs;
    struct cairn_group group = {.scope = {scope}, .channel = CAIRN_CHANNEL_RECORDS, .epoch = 2};

    cairn_writer_init(&runs, buffer, sizeof(buffer));
    run_write(&runs, (struct cairn_run){.log = log_numbered(300), .first = 41, .entry_count = 2});
    run_write(&runs, (struct cairn_run){
                         .log = log_in_full(), .entry_count = 1, .secret_kind = CAIRN_RUN_SECRET});
    cairn_group_write(
        writer, &group,
        &(struct cairn_group_parts){.runs = cairn_writer_bytes(&runs), .run_count = 2});
}

/* Leaves of an old and a new log, a run of the new one in a closed bundle, and a checkpoint. */
static void checkpoint_group_write(struct cairn_writer *writer, bool is_explicit)
{
    const struct cairn_scope_leaf leaves_of[3] = {
        {log_numbered(0), 7}, {log_in_full(), 1}, {log_numbered(1), 70000}};
    uint8_t leaf_buffer[128];
    uint8_t run_buffer[512];
    struct cairn_writer leaves;
    struct cairn_writer runs;
    struct cairn_group group = {.scope = {330102},
                                .channel = CAIRN_CHANNEL_AUTHORITY,
                                .first_leaf = 1000,
                                .time_s = 1700000100,
                                .has_checkpoint = true,
                                .is_explicit = is_explicit};

    cairn_writer_init(&leaves, leaf_buffer, sizeof(leaf_buffer));
    for (size_t i = 0; i < 3; i++)
        cairn_scope_leaf_write(&leaves, &leaves_of[i]);
    cairn_writer_init(&runs, run_buffer, sizeof(run_buffer));
    run_write(&runs, (struct cairn_run){.log = log_numbered(1),
                                        .entry_count = 1,
                                        .secret_kind = CAIRN_RUN_BLIND_SEED});
    memset(group.signature.bytes, 0xc9, sizeof(group.signature.bytes));
    if (is_explicit) {
        group.root = sample_hash(0x40);
        group.digest = sample_hash(0xd1);
        group.held_count = 2;
        group.held[0] = (struct cairn_held){sample_hash(0x01), 3};
        group.held[1] = (struct cairn_held){sample_hash(0x02), 400};
    }
    cairn_group_write(writer, &group,
                      &(struct cairn_group_parts){.leaves = cairn_writer_bytes(&leaves),
                                                  .leaf_count = 3,
                                                  .runs = cairn_writer_bytes(&runs),
                                                  .run_count = 1});
}

static void request_write(struct cairn_writer *writer)
{
    uint8_t buffers[5][1536];
    struct cairn_writer scopes, roots, heads, groups, links;

    cairn_writer_init(&scopes, buffers[0], sizeof(buffers[0]));
    cairn_writer_init(&roots, buffers[1], sizeof(buffers[1]));
    cairn_writer_init(&heads, buffers[2], sizeof(buffers[2]));
    cairn_writer_init(&groups, buffers[3], sizeof(buffers[3]));
    cairn_writer_init(&links, buffers[4], sizeof(buffers[4]));
    cairn_scope_size_write(&scopes, &(struct cairn_scope_size){{33}, 0, 1, 12});
    cairn_scope_size_write(&scopes, &(struct cairn_scope_size){{33}, 1, 1, 70000});
    cairn_scope_size_write(&scopes, &(struct cairn_scope_size){{330102}, 1, 2, 0});
    for (uint8_t i = 0; i < 3; i++) {
        struct cairn_hash hash = sample_hash(i);

        cairn_cbor_write_hash(&roots, &hash);
        cairn_cbor_write_hash(&heads, &hash);
        cairn_cbor_write_uint(&heads, i + 1u);
    }
    runs_group_write(&groups, 33);
    runs_group_write(&groups, 330102);
    links_write(&links);
    cairn_request_write(writer, &(struct cairn_request_parts){
                                    .flags = CAIRN_REQUEST_ROOTS | CAIRN_REQUEST_HEADS,
                                    .scopes = cairn_writer_bytes(&scopes),
                                    .scope_count = 3,
                                    .roots = cairn_writer_bytes(&roots),
                                    .heads = cairn_writer_bytes(&heads),
                                    .head_count = 3,
                                    .groups = cairn_writer_bytes(&groups),
                                    .group_count = 2,
                                    .links = cairn_writer_bytes(&links),
                                    .link_count = 2,
                                });
}

static struct cairn_bytes answer_groups_write(struct cairn_writer *groups)
{
    checkpoint_group_write(groups, true);
    checkpoint_group_write(groups, false);
    runs_group_write(groups, 0);
    return cairn_writer_bytes(groups);
}

static void reply_write(struct cairn_writer *writer)
{
    uint8_t buffers[3][2048];
    struct cairn_writer groups, links, refusals;
    struct cairn_refusal refusal = {sample_hash(0x10), UINT32_MAX, 12};

    cairn_writer_init(&groups, buffers[0], sizeof(buffers[0]));
    cairn_writer_init(&links, buffers[1], sizeof(buffers[1]));
    cairn_writer_init(&refusals, buffers[2], sizeof(buffers[2]));
    links_write(&links);
    cairn_refusal_write(&refusals, &refusal);
    refusal.index = 7;
    cairn_refusal_write(&refusals, &refusal);
    cairn_reply_write(writer, &(struct cairn_reply_parts){
                                  .code = CAIRN_REPLY_REFUSED,
                                  .flags = CAIRN_REPLY_MORE,
                                  .groups = answer_groups_write(&groups),
                                  .group_count = 3,
                                  .links = cairn_writer_bytes(&links),
                                  .link_count = 2,
                                  .refusals = cairn_writer_bytes(&refusals),
                                  .refusal_count = 2,
                                  .text = cairn_bytes_of_text("no grant covers this"),
                              });
}

static void part_write(struct cairn_writer *writer)
{
    uint8_t buffers[2][2048];
    struct cairn_writer groups, links;

    cairn_writer_init(&groups, buffers[0], sizeof(buffers[0]));
    cairn_writer_init(&links, buffers[1], sizeof(buffers[1]));
    links_write(&links);
    answer_groups_write(&groups);
    cairn_bundle_part_write(writer, cairn_writer_bytes(&links), 2, cairn_writer_bytes(&groups), 3);
}

static void invitation_write(struct cairn_writer *writer)
{
    uint8_t buffer[1024];
    struct cairn_writer links;
    struct cairn_ref grant = {sample_hash(0x10), 5, sample_hash(0x1f)};

    cairn_writer_init(&links, buffer, sizeof(buffer));
    links_write(&links);
    cairn_invitation_write(writer, cairn_bytes_of_text("a root statement"),
                           cairn_writer_bytes(&links), 2, &grant);
}

static void header_write(struct cairn_writer *writer)
{
    uint8_t box[80];
    uint8_t buffer[512];
    struct cairn_writer readers;
    struct cairn_bundle_reader reader = {.sealed_key = {box, sizeof(box)}};

    memset(box, 0xb0, sizeof(box));
    cairn_writer_init(&readers, buffer, sizeof(buffer));
    memset(reader.bundle_key.bytes, 0x01, sizeof(reader.bundle_key.bytes));
    cairn_bundle_reader_write(&readers, &reader);
    memset(reader.bundle_key.bytes, 0x02, sizeof(reader.bundle_key.bytes));
    cairn_bundle_reader_write(&readers, &reader);
    cairn_bundle_header_write(writer, cairn_bytes_of_text("a root statement"), CAIRN_BUNDLE_SEALED,
                              cairn_writer_bytes(&readers), 2);
}

void sample_write(struct cairn_writer *writer, enum message_kind kind)
{
    uint8_t buffer[64];
    struct cairn_writer entry;
    struct cairn_link link;

    switch (kind) {
    case MESSAGE_REQUEST:
        request_write(writer);
        break;
    case MESSAGE_REPLY:
        reply_write(writer);
        break;
    case MESSAGE_PART:
        part_write(writer);
        break;
    case MESSAGE_INVITATION:
        invitation_write(writer);
        break;
    case MESSAGE_INVITATION_FILE:
        memset(buffer, 0x5b, sizeof(buffer));
        cairn_invitation_file_write(writer, (struct cairn_bytes){buffer, sizeof(buffer)});
        break;
    case MESSAGE_HEADER:
        header_write(writer);
        break;
    case MESSAGE_LINK:
        cairn_writer_init(&entry, buffer, sizeof(buffer));
        sample_entry_write(&entry, 1);
        link = sample_link(cairn_writer_bytes(&entry), 6, 3);
        cairn_link_write(writer, &link);
        break;
    case MESSAGE_KIND_COUNT:
        break;
    }
}
