#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cairn/seal.h"
#include "pen.h"
#include "schema.h"

/* ---- pieces -------------------------------------------------------------------------------- */

void pieces_add(struct pieces *pieces, const struct piece *piece)
{
    if (pieces->count == pieces->capacity) {
        pieces->capacity = pieces->capacity * 2 + 64;
        pieces->list = realloc(pieces->list, pieces->capacity * sizeof *pieces->list);
        assert_non_null(pieces->list);
    }
    uint8_t *copy = malloc(piece->run.entries.size);
    assert_non_null(copy);
    memcpy(copy, piece->run.entries.data, piece->run.entries.size);
    pieces->list[pieces->count] = *piece;
    pieces->list[pieces->count++].run.entries.data = copy;
}

void pieces_join(const struct piece *const *own, size_t from, size_t to, struct pieces *out)
{
    static uint8_t bytes[1 << 18];
    struct piece joined = *own[from];
    size_t size = 0;
    uint32_t count = 0;

    for (size_t i = from; i <= to; i++) {
        memcpy(bytes + size, own[i]->run.entries.data, own[i]->run.entries.size);
        size += own[i]->run.entries.size;
        count += own[i]->run.entry_count;
    }
    joined.run.entries = (struct cairn_bytes){bytes, size};
    joined.run.entry_count = count;
    joined.run.seal = own[to]->run.seal;
    pieces_add(out, &joined);
}

void pieces_free(struct pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++)
        free((void *)(uintptr_t)pieces->list[i].run.entries.data);
    free(pieces->list);
    *pieces = (struct pieces){0};
}

const struct piece *piece_at(const struct pieces *pieces, const struct cairn_hash *log,
                             uint32_t first, unsigned nth)
{
    for (size_t i = 0; i < pieces->count; i++)
        if (cairn_hash_equal(&pieces->list[i].log, log) && pieces->list[i].run.first == first &&
            nth-- == 0)
            return &pieces->list[i];
    fail_msg("no such piece");
    return NULL;
}

/* ---- the pen ------------------------------------------------------------------------------- */

static void bytes_from_seed(uint64_t seed, uint64_t number, void *out, size_t size)
{
    uint8_t key[crypto_stream_chacha20_KEYBYTES] = {0};
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0};

    memcpy(key, &seed, sizeof seed);
    memcpy(nonce, &number, sizeof nonce);
    crypto_stream_chacha20(out, size, nonce, key);
}

void pen_blank(struct pen *pen, const struct cairn_keys *keys, const struct cairn_hash *network,
               uint64_t scope, enum cairn_channel channel, const struct cairn_under *under,
               uint64_t seed, struct pieces *out)
{
    *pen = (struct pen){.keys = keys,
                        .out = out,
                        .scope = {scope},
                        .channel = channel,
                        .under = *under,
                        .time_s = PEN_TIME};
    bytes_from_seed(seed, 1, pen->incarnation.bytes, sizeof pen->incarnation.bytes);
    bytes_from_seed(seed, 2, pen->secret.bytes, sizeof pen->secret.bytes);
    pen->id = cairn_log_id(network, &keys->open.seal, pen->scope, channel, &pen->incarnation);
    cairn_tree_init(&pen->tree);
}

void pen_basis(struct pen *pen, const struct cairn_under *under, uint64_t schema_version)
{
    struct draft draft;
    struct cairn_basis basis = {.under = *under, .schema_version = schema_version};

    basis.secret_hash = cairn_secret_hash(&pen->secret);
    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_basis_write(&draft.writer, pen->time_s++, &basis);
    draft_write(&draft, pen);
}

void pen_begin(struct pen *pen, const struct cairn_keys *keys, const struct cairn_hash *network,
               uint64_t scope, enum cairn_channel channel, const struct cairn_under *under,
               uint64_t schema_version, uint64_t seed, struct pieces *out)
{
    pen_blank(pen, keys, network, scope, channel, under, seed, out);
    pen_basis(pen, under, schema_version);
}

uint32_t pen_size(const struct pen *pen)
{
    return (uint32_t)pen->tree.size;
}

struct cairn_head pen_head(const struct pen *pen)
{
    return (struct cairn_head){pen->id, pen_size(pen), cairn_tree_root(&pen->tree)};
}

struct cairn_ref pen_write(struct pen *pen, struct cairn_bytes entries, uint32_t count)
{
    struct piece piece = {.scope = pen->scope, .channel = pen->channel, .log = pen->id};
    struct cairn_ref ref = {.log = pen->id};
    struct cairn_blinder blinder;
    struct cairn_reader reader;

    piece.run =
        (struct cairn_run){.log = {.device = pen->keys->open.seal, .incarnation = pen->incarnation},
                           .first = pen_size(pen),
                           .entry_count = count,
                           .entries = entries};
    if (piece.run.first == 0) {
        piece.run.secret_kind = CAIRN_RUN_SECRET;
        memcpy(piece.run.secret.bytes, pen->secret.bytes, 32);
    }
    cairn_blinder_init(&blinder, &pen->secret);
    cairn_reader_init(&reader, entries);
    for (uint32_t i = 0; i < count; i++) {
        struct cairn_entry entry;
        assert_int_equal(cairn_entry_read(cairn_cbor_skip(&reader), &entry), CAIRN_OK);
        ref.index = pen_size(pen);
        assert_int_equal(cairn_leaf(&blinder, ref.index, &entry, &ref.leaf, NULL), CAIRN_OK);
        cairn_tree_append(&pen->tree, &ref.leaf);
    }
    cairn_blinder_release(&blinder);
    assert_int_equal(cairn_reader_end(&reader), CAIRN_OK);
    struct cairn_head head = pen_head(pen);
    cairn_seal_sign(&pen->keys->seal, &head, &piece.run.seal);
    pieces_add(pen->out, &piece);
    return ref;
}

/* ---- entries ------------------------------------------------------------------------------- */

void draft_change(struct draft *draft, struct pen *pen, size_t item_count)
{
    cairn_writer_init(&draft->writer, draft->bytes, sizeof draft->bytes);
    cairn_entry_begin(&draft->writer, CAIRN_KIND_CHANGE, pen->time_s++, item_count);
}

void draft_authority(struct draft *draft, struct pen *pen, uint64_t kind, size_t more)
{
    cairn_writer_init(&draft->writer, draft->bytes, sizeof draft->bytes);
    cairn_entry_begin(&draft->writer, kind, pen->time_s++, 1 + more);
    cairn_under_write(&draft->writer, &pen->under);
}

void draft_bare(struct draft *draft, struct pen *pen, uint64_t kind)
{
    cairn_writer_init(&draft->writer, draft->bytes, sizeof draft->bytes);
    cairn_entry_begin(&draft->writer, kind, pen->time_s++, 0);
}

void draft_revocation(struct draft *draft, struct pen *pen, const struct cairn_ref *grant,
                      const struct cairn_head *cuts, size_t cut_count)
{
    cairn_writer_init(&draft->writer, draft->bytes, sizeof draft->bytes);
    cairn_revocation_write(&draft->writer, pen->time_s++, &pen->under, grant, cuts, cut_count);
}

struct cairn_ref draft_write(struct draft *draft, struct pen *pen)
{
    assert_false(draft->writer.overflowed);
    return pen_write(pen, cairn_writer_bytes(&draft->writer), 1);
}

static void value_write(struct cairn_writer *writer, int64_t value)
{
    const struct cairn_value one = {.kind = CAIRN_VALUE_INTEGER, .integer = value};

    cairn_value_write(writer, &one);
}

void draft_create(struct draft *draft, uint64_t type, uint32_t counter, uint64_t field,
                  int64_t value)
{
    cairn_create_begin(&draft->writer, type, counter, 1);
    cairn_cbor_write_uint(&draft->writer, field);
    value_write(&draft->writer, value);
}

void draft_item(struct draft *draft, uint64_t number, struct cairn_local_dot record, uint64_t field,
                int64_t value, const struct cairn_local_dot *named, size_t named_count)
{
    const struct cairn_operation op = {
        .number = number,
        .record = record,
        .field = number == CAIRN_ITEM_DELETE ? 0 : field,
        .value = {.kind = CAIRN_VALUE_INTEGER, .integer = value},
    };

    cairn_write_begin(&draft->writer, &op, named_count);
    for (size_t i = 0; i < named_count; i++)
        cairn_local_dot_write(&draft->writer, named[i]);
}

void draft_reason(struct draft *draft)
{
    cairn_note_item_write(&draft->writer, CAIRN_ITEM_REASON, cairn_bytes_of_text("seen"));
}

static void announce_write(struct draft *draft, struct cairn_announce *announce,
                           const struct cairn_head *head)
{
    announce->size = head->size;
    memcpy(announce->root_start, head->root.bytes, sizeof announce->root_start);
    cairn_announce_write(&draft->writer, announce);
}

void draft_announce_first(struct draft *draft, const struct cairn_head *head)
{
    struct cairn_announce announce = {.is_first = true, .log = head->log};

    announce_write(draft, &announce, head);
}

void draft_announce(struct draft *draft, uint32_t number, const struct cairn_head *head)
{
    struct cairn_announce announce = {.log_number = number};

    announce_write(draft, &announce, head);
}

/* ---- whole entries ------------------------------------------------------------------------- */

struct cairn_ref pen_create(struct pen *pen, uint32_t counter, uint64_t field, int64_t value)
{
    struct draft draft;

    draft_change(&draft, pen, 1);
    draft_create(&draft, TYPE_HOUSEHOLD, counter, field, value);
    return draft_write(&draft, pen);
}

struct cairn_ref pen_set(struct pen *pen, uint32_t record, uint64_t field, int64_t value)
{
    struct draft draft;

    draft_change(&draft, pen, 1);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){0, record}, field, value, NULL, 0);
    return draft_write(&draft, pen);
}

struct cairn_ref pen_revoke(struct pen *pen, const struct cairn_ref *grant,
                            const struct cairn_head *cuts, size_t cut_count)
{
    struct draft draft;

    draft_revocation(&draft, pen, grant, cuts, cut_count);
    return draft_write(&draft, pen);
}

struct cairn_ref pen_close(struct pen *pen, const struct cairn_head *cut)
{
    const struct cairn_close close = {.under = pen->under, .cut = *cut};
    struct draft draft;

    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_close_write(&draft.writer, pen->time_s++, &close);
    return draft_write(&draft, pen);
}

struct cairn_ref pen_adopt(struct pen *pen, const struct cairn_head *head, uint32_t from)
{
    const struct cairn_adopt adopt = {
        .under = pen->under, .log = head->log, .from = from, .to = head->size, .root = head->root};
    struct draft draft;

    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_adopt_write(&draft.writer, pen->time_s++, &adopt);
    return draft_write(&draft, pen);
}

/* ---- a small network ----------------------------------------------------------------------- */

void land_keys(struct cairn_keys *keys, const char *name, uint64_t seed)
{
    uint8_t entropy[CAIRN_KEYS_ENTROPY_BYTES];

    bytes_from_seed(seed, 3, entropy, sizeof entropy);
    cairn_keys_make(keys, name, entropy);
}

struct cairn_under land_grant(struct pen *pen, const struct cairn_keys *keys, uint64_t scope,
                              uint64_t role, uint64_t channels, uint64_t rights, const char *tag)
{
    struct draft draft;
    const struct cairn_grant grant = {.under = pen->under,
                                      .scope = {scope},
                                      .role = role,
                                      .channels = channels,
                                      .rights = rights,
                                      .tag = cairn_bytes_of_text(tag),
                                      .name = cairn_bytes_of_text(keys->name),
                                      .has_checkpoint_key = role == CAIRN_ROLE_SERVER,
                                      .keys = keys->open};

    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_grant_write(&draft.writer, pen->time_s++, &grant);
    return (struct cairn_under){.grant = draft_write(&draft, pen)};
}

/* The table that a network begins with, but for more indexes: so every test of merging is one of
 * them too. */
static void table_more_indexes(struct cairn_writer *out)
{
    static uint8_t table[CAIRN_SCHEMA_TABLE_MAX];
    struct cairn_writer writer;
    struct cairn_schema *schema;

    cairn_writer_init(&writer, table, sizeof table);
    cairn_schema_default_write(&writer);
    assert_int_equal(cairn_schema_read(cairn_writer_bytes(&writer), &schema), CAIRN_OK);
    struct cairn_type types[32];
    assert_true(schema->type_count <= 32);
    memcpy(types, schema->types, schema->type_count * sizeof *types);
    struct cairn_field *fields = calloc(types[0].field_count, sizeof *fields);
    assert_non_null(fields);
    for (size_t i = 0; i < types[0].field_count; i++) {
        fields[i] = types[0].fields[i];
        fields[i].is_indexed = !fields[i].is_personal;
    }
    types[0].fields = fields;
    const struct cairn_schema more = {
        .version = 1, .types = types, .type_count = schema->type_count};
    cairn_schema_write(out, &more);
    cairn_schema_free(schema);
    free(fields);
}

static void schema_sign(struct pen *pen, land_table_fn *table_write)
{
    static uint8_t table[CAIRN_SCHEMA_TABLE_MAX];
    struct cairn_writer writer;
    struct draft draft;

    cairn_writer_init(&writer, table, sizeof table);
    table_write(&writer);
    assert_false(writer.overflowed);
    const struct cairn_schema_entry entry = {
        .under = pen->under, .version = 1, .table = cairn_writer_bytes(&writer)};
    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_schema_entry_write(&draft.writer, pen->time_s++, &entry);
    draft_write(&draft, pen);
}

void land_init(struct land *land)
{
    land_init_with(land, table_more_indexes);
}

void land_init_with(struct land *land, land_table_fn *table_write)
{
    static const char *const tags[STATIONS] = {"A1", "A2", "A3", "A4"};
    struct cairn_root_statement statement = {.scope = {ROOT_SCOPE}, .threshold = 1, .key_count = 1};
    struct cairn_writer writer;

    memset(land, 0, sizeof *land);
    land_keys(&land->root_keys, "root", 1);
    land_keys(&land->office_keys, "office", 2);
    statement.keys[0] = land->root_keys.open.seal;
    statement.name = cairn_bytes_of_text("root");
    cairn_writer_init(&writer, land->statement_bytes, sizeof land->statement_bytes);
    cairn_root_statement_write(&writer, &statement);
    land->statement = cairn_writer_bytes(&writer);
    assert_int_equal(cairn_root_statement_read(land->statement, &statement), CAIRN_OK);
    land->network = statement.network;
    land->root = (struct cairn_under){.is_root = true, .network = land->network};

    pen_begin(&land->root_pen, &land->root_keys, &land->network, ROOT_SCOPE,
              CAIRN_CHANNEL_AUTHORITY, &land->root, 0, 1, &land->pieces);
    schema_sign(&land->root_pen, table_write);
    land->office = land_grant(&land->root_pen, &land->office_keys, COUNTY, CAIRN_ROLE_COUNTY,
                              CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS, CAIRN_RIGHT_DELEGATE, "C");
    pen_begin(&land->office_pen, &land->office_keys, &land->network, COUNTY,
              CAIRN_CHANNEL_AUTHORITY, &land->office, 1, 2, &land->pieces);
    for (unsigned i = 0; i < STATIONS; i++) {
        land_keys(&land->station_keys[i], tags[i], 10 + i);
        land->station[i] = land_grant(&land->office_pen, &land->station_keys[i], VILLAGE,
                                      CAIRN_ROLE_STATION, CAIRN_BIT_RECORDS, 0, tags[i]);
    }
}

void land_free(struct land *land)
{
    pieces_free(&land->pieces);
}

struct cairn_under land_office(struct land *land, struct pen *above, struct cairn_keys *keys,
                               struct pen *pen, uint64_t scope, uint64_t seed)
{
    land_keys(keys, "office", seed);
    struct cairn_under under =
        land_grant(above, keys, scope, CAIRN_ROLE_TOWNSHIP, CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS,
                   CAIRN_RIGHT_DELEGATE, "T1");
    pen_begin(pen, keys, &land->network, scope, CAIRN_CHANNEL_AUTHORITY, &under, 1, seed,
              above->out);
    return under;
}

void land_station_pen(struct land *land, struct pen *pen, unsigned n)
{
    pen_begin(pen, &land->station_keys[n], &land->network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &land->station[n], 1, 100 + n, &land->pieces);
}
