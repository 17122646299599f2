#include "bundle_edit.h"

#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "bundle_in.h"
#include "cairn/cbor.h"
#include "pack.h"

static uint8_t *room_of(size_t size)
{
    uint8_t *room = malloc(size);

    assert_non_null(room);
    return room;
}

struct written {
    uint8_t *bytes;
    struct cairn_writer writer;
    size_t count;
};

static void written_init(struct written *written, size_t capacity)
{
    written->bytes = room_of(capacity);
    written->count = 0;
    cairn_writer_init(&written->writer, written->bytes, capacity);
}

static void runs_edit(const struct bundle_edit *edit, const struct cairn_group *group,
                      struct written *out)
{
    struct cairn_list runs = group->runs;
    struct cairn_run run;

    while (cairn_run_next(&runs, &run)) {
        uint8_t *entries = room_of(run.entries.size);
        memcpy(entries, run.entries.data, run.entries.size);
        run.entries.data = entries;
        if (edit->run == NULL || edit->run(edit->context, group, &run)) {
            cairn_run_write(&out->writer, &run);
            out->count++;
        }
        free(entries);
    }
}

static void groups_edit(const struct bundle_edit *edit, struct cairn_list groups,
                        struct written *out)
{
    struct cairn_group *group = malloc(sizeof *group);

    assert_non_null(group);
    while (cairn_group_next(&groups, group)) {
        struct written leaves, runs;
        struct cairn_scope_leaf leaf;
        written_init(&leaves, CAIRN_MESSAGE_UNPACKED_MAX);
        written_init(&runs, CAIRN_MESSAGE_UNPACKED_MAX);
        bool is_kept = edit->group == NULL || edit->group(edit->context, group);
        struct cairn_list list = group->leaves;
        for (; cairn_scope_leaf_next(&list, &leaf); leaves.count++)
            cairn_scope_leaf_write(&leaves.writer, &leaf);
        runs_edit(edit, group, &runs);
        const struct cairn_group_parts parts = {cairn_writer_bytes(&leaves.writer), leaves.count,
                                                cairn_writer_bytes(&runs.writer), runs.count};
        if (is_kept && (group->has_checkpoint || runs.count > 0)) {
            cairn_group_write(&out->writer, group, &parts);
            out->count++;
        }
        free(leaves.bytes);
        free(runs.bytes);
    }
    free(group);
}

static void part_edit(const struct bundle_edit *edit, const struct cairn_bundle_part *part,
                      struct cairn_writer *out)
{
    struct cairn_list list = part->links;
    struct written links, groups, plain;
    struct cairn_link link;

    written_init(&links, CAIRN_MESSAGE_UNPACKED_MAX);
    written_init(&groups, CAIRN_MESSAGE_UNPACKED_MAX);
    written_init(&plain, CAIRN_MESSAGE_UNPACKED_MAX);
    while (cairn_link_next(&list, &link))
        if (edit->link == NULL || edit->link(edit->context, &link)) {
            cairn_link_write(&links.writer, &link);
            links.count++;
        }
    groups_edit(edit, part->groups, &groups);
    cairn_write_u8(&plain.writer, 0); /* not packed */
    cairn_bundle_part_write(&plain.writer, cairn_writer_bytes(&links.writer), links.count,
                            cairn_writer_bytes(&groups.writer), groups.count);
    assert_false(plain.writer.overflowed);
    cairn_cbor_write_bytes(out, plain.bytes, plain.writer.size);
    free(links.bytes);
    free(groups.bytes);
    free(plain.bytes);
}

struct net_bytes bundle_edited(struct net_bytes bundle, const struct bundle_edit *edit)
{
    struct cairn_bundle_header header;
    struct cairn_bundle_part part;
    struct cairn_parts parts;
    struct cairn_packer *packer = cairn_packer_new();
    struct written out;
    enum cairn_status status;

    assert_non_null(packer);
    net_must(cairn_bundle_header_read(net_bytes(bundle), &header));
    written_init(&out, bundle.size * 20 + CAIRN_MESSAGE_UNPACKED_MAX);
    cairn_write_bytes(&out.writer, bundle.data, header.header_bytes);
    cairn_parts_init(&parts, net_bytes(bundle), &header, NULL);
    while ((status = cairn_parts_next(&parts, packer, &part)) == CAIRN_OK)
        part_edit(edit, &part, &out.writer);
    assert_int_equal(status, CAIRN_NOT_FOUND);
    cairn_cbor_write_bytes(&out.writer, NULL, 0);
    assert_false(out.writer.overflowed);
    cairn_parts_release(&parts);
    cairn_packer_free(packer);
    return (struct net_bytes){out.bytes, out.writer.size};
}
