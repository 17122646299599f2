#include "cairn/grant.h"

#include <string.h>

static void text_write(struct cairn_writer *writer, struct cairn_bytes text)
{
    cairn_cbor_write_text(writer, (const char *)text.data, text.size);
}

/* The body of an entry of `kind` with at least `count_min` items, and its first one, under. */
static bool body_begin(const struct cairn_entry *entry, enum cairn_kind kind, size_t count_min,
                       struct cairn_reader *out_reader, struct cairn_under *out_under)
{
    if (entry->kind != (uint64_t)kind || entry->body_count < count_min)
        return false;
    *out_reader = entry->body;
    *out_under = cairn_under_read(out_reader);
    return !out_reader->failed;
}

static struct cairn_sign_public sign_key_read(struct cairn_reader *reader)
{
    struct cairn_sign_public key = {{0}};
    struct cairn_bytes bytes = cairn_cbor_read_bytes_of(reader, sizeof key.bytes);

    if (!reader->failed)
        memcpy(key.bytes, bytes.data, sizeof key.bytes);
    return key;
}

static struct cairn_noise_key noise_key_read(struct cairn_reader *reader)
{
    struct cairn_noise_key key = {{0}};
    struct cairn_bytes bytes = cairn_cbor_read_bytes_of(reader, sizeof key.bytes);

    if (!reader->failed)
        memcpy(key.bytes, bytes.data, sizeof key.bytes);
    return key;
}

static bool tag_is_valid(struct cairn_bytes tag)
{
    if (tag.size < 1 || tag.size > CAIRN_TAG_MAX)
        return false;
    for (size_t i = 0; i < tag.size; i++) {
        uint8_t c = tag.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
            return false;
    }
    return true;
}

bool cairn_grant_read(const struct cairn_entry *entry, struct cairn_grant *out_grant)
{
    struct cairn_reader reader;
    struct cairn_grant grant = {0};

    if (!body_begin(entry, CAIRN_KIND_GRANT, 12, &reader, &grant.under) || entry->body_count != 12)
        return false;
    grant.scope = cairn_scope_read(&reader);
    grant.role = cairn_cbor_read_uint(&reader);
    grant.channels = cairn_cbor_read_uint(&reader);
    grant.rights = cairn_cbor_read_uint(&reader);
    grant.tag = cairn_cbor_read_text(&reader);
    grant.name = cairn_cbor_read_text(&reader);
    grant.keys.seal = sign_key_read(&reader);
    grant.keys.noise = noise_key_read(&reader);
    grant.keys.bundle = noise_key_read(&reader);
    struct cairn_reader empty = reader;
    if (cairn_cbor_read_bytes(&empty).size == 0) {
        reader = empty;
    } else {
        grant.has_checkpoint_key = true;
        grant.keys.checkpoint = sign_key_read(&reader);
    }
    grant.least_version = cairn_cbor_read_uint(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK || !tag_is_valid(grant.tag) ||
        grant.name.size > CAIRN_NAME_MAX)
        return false;
    *out_grant = grant;
    return true;
}

void cairn_grant_write(struct cairn_writer *writer, uint64_t time_s,
                       const struct cairn_grant *grant)
{
    cairn_entry_begin(writer, CAIRN_KIND_GRANT, time_s, 12);
    cairn_under_write(writer, &grant->under);
    cairn_cbor_write_uint(writer, grant->scope.code);
    cairn_cbor_write_uint(writer, grant->role);
    cairn_cbor_write_uint(writer, grant->channels);
    cairn_cbor_write_uint(writer, grant->rights);
    text_write(writer, grant->tag);
    text_write(writer, grant->name);
    cairn_cbor_write_bytes(writer, grant->keys.seal.bytes, 32);
    cairn_cbor_write_bytes(writer, grant->keys.noise.bytes, 32);
    cairn_cbor_write_bytes(writer, grant->keys.bundle.bytes, 32);
    cairn_cbor_write_bytes(writer, grant->keys.checkpoint.bytes,
                           grant->has_checkpoint_key ? 32 : 0);
    cairn_cbor_write_uint(writer, grant->least_version);
}

bool cairn_cut_next(struct cairn_items *cuts, struct cairn_head *out_cut)
{
    if (cuts->left == 0)
        return false;
    *out_cut = cairn_head_read(&cuts->reader);
    cuts->left--;
    return !cuts->reader.failed;
}

bool cairn_revocation_read(const struct cairn_entry *entry, struct cairn_revocation *out_revocation)
{
    struct cairn_reader reader;
    struct cairn_revocation revocation;

    if (!body_begin(entry, CAIRN_KIND_REVOCATION, 2, &reader, &revocation.under))
        return false;
    revocation.grant = cairn_ref_read(&reader);
    revocation.cuts = (struct cairn_items){reader, entry->body_count - 2};
    struct cairn_items check = revocation.cuts;
    struct cairn_head cut;
    while (cairn_cut_next(&check, &cut)) {
    }
    if (check.left != 0 || cairn_reader_end(&check.reader) != CAIRN_OK)
        return false;
    *out_revocation = revocation;
    return true;
}

void cairn_revocation_write(struct cairn_writer *writer, uint64_t time_s,
                            const struct cairn_under *under, const struct cairn_ref *grant,
                            const struct cairn_head *cuts, size_t cut_count)
{
    cairn_entry_begin(writer, CAIRN_KIND_REVOCATION, time_s, 2 + cut_count);
    cairn_under_write(writer, under);
    cairn_ref_write(writer, grant);
    for (size_t i = 0; i < cut_count; i++)
        cairn_head_write(writer, &cuts[i]);
}

/* What a close adds for funds stands behind the cut and is read by the fund ledger. */
bool cairn_close_read(const struct cairn_entry *entry, struct cairn_close *out_close)
{
    struct cairn_reader reader;
    struct cairn_close close;

    if (!body_begin(entry, CAIRN_KIND_CLOSE, 2, &reader, &close.under))
        return false;
    close.cut = cairn_head_read(&reader);
    if (reader.failed)
        return false;
    *out_close = close;
    return true;
}

void cairn_close_write(struct cairn_writer *writer, uint64_t time_s,
                       const struct cairn_close *close)
{
    cairn_entry_begin(writer, CAIRN_KIND_CLOSE, time_s, 2);
    cairn_under_write(writer, &close->under);
    cairn_head_write(writer, &close->cut);
}

bool cairn_adopt_read(const struct cairn_entry *entry, struct cairn_adopt *out_adopt)
{
    struct cairn_reader reader;
    struct cairn_adopt adopt;

    if (!body_begin(entry, CAIRN_KIND_ADOPT, 5, &reader, &adopt.under) || entry->body_count != 5)
        return false;
    adopt.log = cairn_cbor_read_hash(&reader);
    adopt.from = (uint32_t)cairn_cbor_read_uint_max(&reader, UINT32_MAX);
    adopt.to = (uint32_t)cairn_cbor_read_uint_max(&reader, UINT32_MAX);
    adopt.root = cairn_cbor_read_hash(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK || adopt.from >= adopt.to)
        return false;
    *out_adopt = adopt;
    return true;
}

void cairn_adopt_write(struct cairn_writer *writer, uint64_t time_s,
                       const struct cairn_adopt *adopt)
{
    cairn_entry_begin(writer, CAIRN_KIND_ADOPT, time_s, 5);
    cairn_under_write(writer, &adopt->under);
    cairn_cbor_write_hash(writer, &adopt->log);
    cairn_cbor_write_uint(writer, adopt->from);
    cairn_cbor_write_uint(writer, adopt->to);
    cairn_cbor_write_hash(writer, &adopt->root);
}

bool cairn_start_next(struct cairn_items *starts, struct cairn_start *out_start)
{
    if (starts->left == 0)
        return false;
    struct cairn_start start;
    cairn_cbor_expect_array(&starts->reader, 4);
    start.scope = cairn_scope_read(&starts->reader);
    start.channel =
        (enum cairn_channel)cairn_cbor_read_uint_max(&starts->reader, CAIRN_CHANNEL_COUNT - 1);
    start.size = cairn_cbor_read_uint(&starts->reader);
    start.root = cairn_cbor_read_hash(&starts->reader);
    starts->left--;
    if (starts->reader.failed)
        return false;
    *out_start = start;
    return true;
}

bool cairn_sequencer_read(const struct cairn_entry *entry, struct cairn_sequencer *out_sequencer)
{
    struct cairn_reader reader;
    struct cairn_sequencer sequencer;

    if (!body_begin(entry, CAIRN_KIND_SEQUENCER, 5, &reader, &sequencer.under))
        return false;
    sequencer.scope = cairn_scope_read(&reader);
    sequencer.epoch = cairn_cbor_read_uint(&reader);
    sequencer.server = cairn_ref_read(&reader);
    sequencer.address = cairn_cbor_read_text(&reader);
    sequencer.starts = (struct cairn_items){reader, entry->body_count - 5};
    struct cairn_items check = sequencer.starts;
    struct cairn_start start;
    while (cairn_start_next(&check, &start)) {
    }
    if (check.left != 0 || cairn_reader_end(&check.reader) != CAIRN_OK || sequencer.epoch == 0 ||
        sequencer.address.size > CAIRN_ADDRESS_MAX)
        return false;
    *out_sequencer = sequencer;
    return true;
}

void cairn_sequencer_write(struct cairn_writer *writer, uint64_t time_s,
                           const struct cairn_sequencer *sequencer,
                           const struct cairn_start *starts, size_t start_count)
{
    cairn_entry_begin(writer, CAIRN_KIND_SEQUENCER, time_s, 5 + start_count);
    cairn_under_write(writer, &sequencer->under);
    cairn_cbor_write_uint(writer, sequencer->scope.code);
    cairn_cbor_write_uint(writer, sequencer->epoch);
    cairn_ref_write(writer, &sequencer->server);
    text_write(writer, sequencer->address);
    for (size_t i = 0; i < start_count; i++) {
        cairn_cbor_write_array(writer, 4);
        cairn_cbor_write_uint(writer, starts[i].scope.code);
        cairn_cbor_write_uint(writer, starts[i].channel);
        cairn_cbor_write_uint(writer, starts[i].size);
        cairn_cbor_write_hash(writer, &starts[i].root);
    }
}

bool cairn_schema_entry_read(const struct cairn_entry *entry, struct cairn_schema_entry *out_schema)
{
    struct cairn_reader reader;
    struct cairn_schema_entry schema;

    if (!body_begin(entry, CAIRN_KIND_SCHEMA, 4, &reader, &schema.under) || entry->body_count != 4)
        return false;
    schema.version = cairn_cbor_read_uint(&reader);
    schema.previous = cairn_cbor_read_hash(&reader);
    schema.table = cairn_cbor_read_bytes(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK || schema.version == 0)
        return false;
    *out_schema = schema;
    return true;
}

void cairn_schema_entry_write(struct cairn_writer *writer, uint64_t time_s,
                              const struct cairn_schema_entry *schema)
{
    cairn_entry_begin(writer, CAIRN_KIND_SCHEMA, time_s, 4);
    cairn_under_write(writer, &schema->under);
    cairn_cbor_write_uint(writer, schema->version);
    cairn_cbor_write_hash(writer, &schema->previous);
    cairn_cbor_write_bytes(writer, schema->table.data, schema->table.size);
}

bool cairn_redaction_read(const struct cairn_entry *entry, struct cairn_redaction *out_redaction)
{
    struct cairn_reader reader;
    struct cairn_redaction redaction;

    if (!body_begin(entry, CAIRN_KIND_REDACTION, 4, &reader, &redaction.under) ||
        entry->body_count != 4)
        return false;
    redaction.log = cairn_cbor_read_hash(&reader);
    redaction.index = (uint32_t)cairn_cbor_read_uint_max(&reader, UINT32_MAX);
    redaction.slot = (uint32_t)cairn_cbor_read_uint_max(&reader, CAIRN_SLOTS_MAX - 1);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return false;
    *out_redaction = redaction;
    return true;
}

void cairn_redaction_write(struct cairn_writer *writer, uint64_t time_s,
                           const struct cairn_redaction *redaction)
{
    cairn_entry_begin(writer, CAIRN_KIND_REDACTION, time_s, 4);
    cairn_under_write(writer, &redaction->under);
    cairn_cbor_write_hash(writer, &redaction->log);
    cairn_cbor_write_uint(writer, redaction->index);
    cairn_cbor_write_uint(writer, redaction->slot);
}
