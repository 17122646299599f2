/*
 * schema.h: the table of record types, numbered fields and merge kinds (SPEC.md section 4.2). It is
 * data: signed into the authority channel, received by sync, read here. Nothing else in core knows
 * a field by name.
 *
 * Memory: a schema owns its strings; the cache owns its schemas until released.
 */

#ifndef CAIRN_SCHEMA_H
#define CAIRN_SCHEMA_H

#include "cairn/entry.h"
#include "context.h"

enum cairn_wire_type {
    CAIRN_WIRE_TEXT = 0,
    CAIRN_WIRE_INTEGER = 1,
    CAIRN_WIRE_DIGITS = 2,
    CAIRN_WIRE_CHOICE = 3,
    CAIRN_WIRE_FLAGS = 4,
    CAIRN_WIRE_DATE = 5,
    CAIRN_WIRE_COUNT
};
enum cairn_merge_kind { CAIRN_MERGE_REGISTER = 0, CAIRN_MERGE_SET = 1, CAIRN_MERGE_COUNTER = 2 };

struct cairn_choice {
    uint64_t number;
    const char *text;
};
struct cairn_field {
    uint64_t number;
    const char *name, *label_zh, *label_en;
    uint64_t wire;
    uint64_t merge;
    bool is_personal, is_required;
    const struct cairn_choice *choices;
    size_t choice_count;
};
struct cairn_type {
    uint64_t number;
    const char *name, *label_zh, *label_en;
    const struct cairn_field *fields; /* by ascending number */
    size_t field_count;
};
struct cairn_schema {
    uint64_t version;
    const struct cairn_type *types;
    size_t type_count;
    struct cairn_arena memory;
};

/* The record's existence: 1 alive, absent value when deleted. In no table. */
#define CAIRN_FIELD_EXISTENCE 0

/* Decode a table. MALFORMED: shape, numbers not ascending from 1, equal names. Free with _free. */
CAIRN_NODISCARD
enum cairn_status cairn_schema_read(struct cairn_bytes table, struct cairn_schema **out_schema);
void cairn_schema_free(struct cairn_schema *schema);
/* The table that `init --root` signs. */
void cairn_schema_default_write(struct cairn_writer *writer);
#define CAIRN_SCHEMA_TABLE_MAX 8192

/* NULL when there is none. */
const struct cairn_type *cairn_schema_type(const struct cairn_schema *schema, uint64_t number);
const struct cairn_type *cairn_schema_type_named(const struct cairn_schema *schema,
                                                 const char *name);
const struct cairn_field *cairn_type_field(const struct cairn_type *type, uint64_t number);
const struct cairn_field *cairn_type_field_named(const struct cairn_type *type, const char *name);

/* May this value stand in that field? (Wire type and slot, nothing about bounds.) */
bool cairn_field_fits(const struct cairn_field *field, const struct cairn_value *value);
/* Text as a person wrote it -> value, text borrowed. BAD_INPUT with a sentence. */
CAIRN_NODISCARD
enum cairn_status cairn_field_parse(const struct cairn_field *field, const char *text,
                                    struct cairn_value *out_value, struct cairn_err *err);
/* Value -> text in the arena; "(closed)" for a closed one. NULL when memory is short. */
const char *cairn_field_format(const struct cairn_field *field, const struct cairn_value *value,
                               struct cairn_arena *arena);

/* Tables decoded so far. */
struct cairn_schema_cache;
struct cairn_schema_cache *cairn_schema_cache_new(void);
void cairn_schema_cache_free(struct cairn_schema_cache *cache);
/* Version `version` as this store holds it; version 0 is the empty table. NOT_FOUND. Borrowed from
 * the cache. */
CAIRN_NODISCARD
enum cairn_status cairn_schema_get(struct cairn_context *ctx, uint64_t version,
                                   const struct cairn_schema **out_schema);
/* The newest version held (0: none). */
CAIRN_NODISCARD
enum cairn_status cairn_schema_newest(struct cairn_context *ctx, uint64_t *out_version);
/* Keep a table; EXISTS is fine for the same bytes, FORKED for others under the same version. */
CAIRN_NODISCARD
enum cairn_status cairn_schema_admit(struct cairn_context *ctx, uint64_t version,
                                     const struct cairn_hash *previous, struct cairn_bytes table);

#endif
