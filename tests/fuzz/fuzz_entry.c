/*
 * Any bytes as an entry. What is accepted is one item of the CBOR subset; every reader of a kind or
 * an item survives it; what they accept comes out of the writers as it went in; and an entry has
 * the same leaf, open or closed.
 */

#include <stdlib.h>
#include <string.h>

#include "cairn/grant.h"
#include "cairn/leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM_MORE 4096 /* closing puts 34 bytes in the place of a slot */

static uint8_t *room;
static struct cairn_writer writer;

static void again(size_t size)
{
    room = realloc(room, size + ROOM_MORE);
    CAIRN_ASSERT(room != NULL);
    cairn_writer_init(&writer, room, size + ROOM_MORE);
}

static void same(struct cairn_bytes bytes)
{
    CAIRN_ASSERT(!writer.overflowed);
    CAIRN_ASSERT(cairn_bytes_equal(cairn_writer_bytes(&writer), bytes));
}

/* ---- items ---- */

static void operation_try(const struct cairn_item *item)
{
    struct cairn_operation op;
    uint64_t field;
    struct cairn_value value;
    struct cairn_local_dot dot;

    if (!cairn_operation_read(item, &op))
        return;
    again(item->bytes.size);
    struct cairn_items rest = op.rest;
    if (op.number == CAIRN_ITEM_CREATE) {
        cairn_create_begin(&writer, op.type, op.counter, rest.left);
        while (cairn_field_next(&rest, &field, &value)) {
            cairn_cbor_write_uint(&writer, field);
            cairn_value_write(&writer, &value);
        }
    } else {
        cairn_write_begin(&writer, &op, rest.left);
        while (cairn_named_next(&rest, &dot))
            cairn_local_dot_write(&writer, dot);
    }
    if (rest.left == 0)
        same(item->bytes);
}

static void item_try(const struct cairn_item *item)
{
    struct cairn_announce announce;
    struct cairn_value text;
    struct cairn_ref ref;

    operation_try(item);
    if (cairn_announce_read(item, &announce)) {
        again(item->bytes.size);
        cairn_announce_write(&writer, &announce);
        same(item->bytes);
    }
    if (cairn_repeats_read(item, &ref)) {
        again(item->bytes.size);
        cairn_repeats_write(&writer, &ref);
        same(item->bytes);
    }
    if (cairn_note_item_read(item, &text) && text.kind == CAIRN_VALUE_TEXT && !text.is_slot) {
        again(item->bytes.size);
        cairn_note_item_write(&writer, item->number, text.text);
        same(item->bytes);
    }
}

/* ---- kinds ---- */

static void basis_try(const struct cairn_entry *entry)
{
    struct cairn_basis basis;

    if (!cairn_basis_read(entry, &basis))
        return;
    again(entry->bytes.size);
    cairn_basis_write(&writer, entry->time_s, &basis);
    same(entry->bytes);
}

static void grant_try(const struct cairn_entry *entry)
{
    struct cairn_grant grant;

    if (!cairn_grant_read(entry, &grant))
        return;
    again(entry->bytes.size);
    cairn_grant_write(&writer, entry->time_s, &grant);
    same(entry->bytes);
}

static void revocation_try(const struct cairn_entry *entry)
{
    struct cairn_revocation revocation;
    struct cairn_head *cuts;
    size_t count = 0;

    if (!cairn_revocation_read(entry, &revocation))
        return;
    cuts = malloc((revocation.cuts.left + 1) * sizeof *cuts);
    CAIRN_ASSERT(cuts != NULL);
    while (cairn_cut_next(&revocation.cuts, &cuts[count]))
        count++;
    if (revocation.cuts.left == 0) {
        again(entry->bytes.size);
        cairn_revocation_write(&writer, entry->time_s, &revocation.under, &revocation.grant, cuts,
                               count);
        same(entry->bytes);
    }
    free(cuts);
}

static void sequencer_try(const struct cairn_entry *entry)
{
    struct cairn_sequencer sequencer;
    struct cairn_start *starts;
    size_t count = 0;

    if (!cairn_sequencer_read(entry, &sequencer))
        return;
    starts = malloc((sequencer.starts.left + 1) * sizeof *starts);
    CAIRN_ASSERT(starts != NULL);
    struct cairn_items list = sequencer.starts;
    while (cairn_start_next(&list, &starts[count]))
        count++;
    if (list.left == 0) {
        again(entry->bytes.size);
        cairn_sequencer_write(&writer, entry->time_s, &sequencer, starts, count);
        same(entry->bytes);
    }
    free(starts);
}

static void others_try(const struct cairn_entry *entry)
{
    struct cairn_close close;
    struct cairn_adopt adopt;
    struct cairn_schema_entry schema;
    struct cairn_redaction redaction;

    again(entry->bytes.size);
    if (entry->kind == CAIRN_KIND_CLOSE && cairn_close_read(entry, &close)) {
        cairn_close_write(&writer, entry->time_s, &close);
        same(entry->bytes);
    } else if (entry->kind == CAIRN_KIND_ADOPT && cairn_adopt_read(entry, &adopt)) {
        cairn_adopt_write(&writer, entry->time_s, &adopt);
        same(entry->bytes);
    } else if (entry->kind == CAIRN_KIND_SCHEMA && cairn_schema_entry_read(entry, &schema)) {
        cairn_schema_entry_write(&writer, entry->time_s, &schema);
        same(entry->bytes);
    } else if (entry->kind == CAIRN_KIND_REDACTION && cairn_redaction_read(entry, &redaction)) {
        cairn_redaction_write(&writer, entry->time_s, &redaction);
        same(entry->bytes);
    }
}

/* ---- hashing ---- */

static void leaf_try(const struct cairn_entry *entry)
{
    static const struct cairn_secret secret = {{7}};
    struct cairn_blinder blinder, blind;
    struct cairn_entry closed;
    struct cairn_hash seed, leaf, closed_leaf;
    size_t capacity = entry->bytes.size + entry->slot_count * 40;
    uint8_t *bytes = malloc(capacity + 1);
    struct cairn_writer out;

    CAIRN_ASSERT(bytes != NULL);
    cairn_blinder_init(&blinder, &secret);
    cairn_writer_init(&out, bytes, capacity);
    if (cairn_leaf(&blinder, 3, entry, &leaf, NULL) == CAIRN_OK) {
        CAIRN_ASSERT(cairn_entry_close(&blinder, 3, entry, &out, NULL) == CAIRN_OK);
        CAIRN_ASSERT(!out.overflowed);
        CAIRN_ASSERT(cairn_entry_read(cairn_writer_bytes(&out), &closed) == CAIRN_OK);
        seed = cairn_blind_seed(&secret);
        cairn_blinder_init_closed(&blind, &seed);
        CAIRN_ASSERT(cairn_leaf(&blind, 3, &closed, &closed_leaf, NULL) == CAIRN_OK);
        CAIRN_ASSERT(cairn_hash_equal(&leaf, &closed_leaf));
        cairn_blinder_release(&blind);
    }
    cairn_blinder_release(&blinder);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_entry entry;
    struct cairn_items items;
    struct cairn_item item;

    if (cairn_entry_read((struct cairn_bytes){data, size}, &entry) != CAIRN_OK)
        return 0;
    CAIRN_ASSERT(cairn_cbor_check(entry.bytes, NULL) == CAIRN_OK);
    CAIRN_ASSERT(entry.bytes.size == size);
    if (entry.kind == CAIRN_KIND_BASIS)
        basis_try(&entry);
    if (entry.kind == CAIRN_KIND_GRANT)
        grant_try(&entry);
    if (entry.kind == CAIRN_KIND_REVOCATION)
        revocation_try(&entry);
    if (entry.kind == CAIRN_KIND_SEQUENCER)
        sequencer_try(&entry);
    others_try(&entry);
    cairn_items_init(&items, &entry);
    while (cairn_item_next(&items, &item))
        item_try(&item);
    leaf_try(&entry);
    return 0;
}
