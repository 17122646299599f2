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

/* How a value stands in an entry. Numbers travel: append-only. */
enum cairn_wire_type {
    CAIRN_WIRE_TEXT = 0,
    CAIRN_WIRE_INTEGER = 1,
    CAIRN_WIRE_DIGITS = 2, /* 1 to 18 digits as an integer, anything else as text */
    CAIRN_WIRE_CHOICE = 3, /* its number; a value not listed as text */
    CAIRN_WIRE_FLAGS = 4,
    CAIRN_WIRE_DATE = 5,      /* days since 1970-01-01 */
    CAIRN_WIRE_MONEY = 6,     /* hundredths (fen) */
    CAIRN_WIRE_YES_NO = 7,    /* 1 or 0 */
    CAIRN_WIRE_REFERENCE = 8, /* the dot of a record */
    CAIRN_WIRE_COUNT
};
enum cairn_merge_kind {
    CAIRN_MERGE_REGISTER = 0, /* one value; two unseen ones are a conflict */
    CAIRN_MERGE_SET = 1,      /* every element added and not removed */
    CAIRN_MERGE_COUNTER = 2,  /* the sum of the differences */
    CAIRN_MERGE_WORKFLOW = 3, /* a chain of steps */
    CAIRN_MERGE_COUNT
};
#define CAIRN_FLAGS_MAX 32      /* flags of one value */
#define CAIRN_VILLAGE_DIGITS 12 /* of a village's administrative code */

/* What the author's program checks besides the wire type; never validity. */
enum cairn_field_check {
    CAIRN_CHECK_NONE = 0,
    CAIRN_CHECK_ID_NUMBER = 1, /* GB 11643: 17 digits and a check character */
    CAIRN_CHECK_PHONE = 2,
    CAIRN_CHECK_VILLAGE = 3 /* an administrative code of CAIRN_VILLAGE_DIGITS */
};

struct cairn_choice {
    uint64_t number;
    const char *text; /* as it is written in files and shown in Chinese */
    const char *label_en;
};
struct cairn_field {
    uint64_t number;
    const char *name, *label_zh, *label_en;
    uint64_t wire;
    uint64_t merge;
    bool is_personal, is_required;
    bool is_indexed;
    bool is_alias;    /* its value names the record for people, besides the label */
    bool is_same;     /* a set of references: the records that are the same household */
    bool is_retired;  /* old values are shown, nothing new is written */
    bool is_open;     /* a choice may also be a text that is not listed */
    const char *unit; /* "" for none */
    bool has_lowest, has_highest;
    int64_t lowest, highest; /* bounds: integers, money in fen, days */
    uint64_t check;          /* enum cairn_field_check, or one of a newer version */
    uint64_t target;         /* number of the type that a reference names; 0: none */
    const int64_t *bands;    /* ascending upper ends of bands to count by */
    size_t band_count;
    const struct cairn_choice *choices;
    size_t choice_count;
};
struct cairn_workflow_state {
    uint64_t number;
    const char *name, *label_zh, *label_en;
};
#define CAIRN_MOVE_STEPS_MAX 8
/* How a record goes from one state to another: one entry a step, each by a device of that role. */
struct cairn_move {
    uint64_t number;
    const char *name, *label_zh, *label_en;
    bool is_retired;
    const uint64_t *from; /* numbers of states */
    size_t from_count;
    uint64_t to;
    const uint64_t *roles; /* enum cairn_role, in order */
    size_t step_count;     /* 1 to CAIRN_MOVE_STEPS_MAX */
};
enum cairn_indicator_test {
    CAIRN_TEST_AT_LEAST = 0, /* value >= threshold */
    CAIRN_TEST_AT_MOST = 1,  /* value <= threshold */
    CAIRN_TEST_IS = 2,       /* value == threshold: yes/no, a choice */
    CAIRN_TEST_FLAG = 3      /* the threshold-th flag, from 1, is set */
};
/* Something that a record must meet; without a value it is not met. */
struct cairn_indicator {
    uint64_t number;
    const char *name, *label_zh, *label_en;
    uint64_t field;
    uint64_t test; /* enum cairn_indicator_test, or one of a newer version */
    int64_t threshold;
};
struct cairn_type {
    uint64_t number;
    const char *name, *label_zh, *label_en;
    bool is_retired;
    const struct cairn_field *fields; /* each list by ascending number */
    size_t field_count;
    const struct cairn_workflow_state *states; /* the first is that of a new record */
    size_t state_count;
    const struct cairn_move *moves;
    size_t move_count;
    const struct cairn_indicator *indicators;
    size_t indicator_count;
};
struct cairn_schema {
    uint64_t version;
    const struct cairn_type *types;
    size_t type_count;
    struct cairn_arena memory;
};

/* The record's existence: 1 alive, absent value when deleted. In no table. */
#define CAIRN_FIELD_EXISTENCE 0

/* A table fits one entry, with room for what stands around it. */
#define CAIRN_SCHEMA_TABLE_MAX 15360

/*
 * Decode a table. MALFORMED: shape, more than CAIRN_SCHEMA_TABLE_MAX, numbers not ascending from 1,
 * a number that names nothing, two fields of one name in a type. NO_MEMORY is no verdict on the
 * table. Items behind those known here are passed over: they are of a newer version. Free with
 * _free.
 */
CAIRN_NODISCARD
enum cairn_status cairn_schema_read(struct cairn_bytes table, struct cairn_schema **out_schema);
void cairn_schema_free(struct cairn_schema *schema);
/* The writer of what read reads; only schema->version and the types are used. */
void cairn_schema_write(struct cairn_writer *writer, const struct cairn_schema *schema);
/* The table that `init --root` signs, compiled from core/schema/registry.yaml: version 1. */
void cairn_schema_default_write(struct cairn_writer *writer);

/* Where in the newer of two schemas a fault lies: an item of one of its lists. */
enum cairn_schema_part {
    CAIRN_PART_WHOLE,
    CAIRN_PART_TYPE, /* type `type`; below that item `item` of its list */
    CAIRN_PART_FIELD,
    CAIRN_PART_STATE,
    CAIRN_PART_MOVE
};
struct cairn_schema_place {
    enum cairn_schema_part part;
    size_t type, item; /* places in the lists, not numbers */
};
typedef void cairn_schema_fault_fn(void *context, const struct cairn_schema_place *place,
                                   const char *text);
/*
 * May `next` follow `before`? It may add and retire; numbers, names, wire types, merge kinds, what
 * is personal, choices and moves stay. Gives the number of faults; `visit` (may be NULL) is told
 * each, with a sentence in the language of err->translate (err may be NULL with it).
 */
size_t cairn_schema_faults(const struct cairn_schema *before, const struct cairn_schema *next,
                           cairn_schema_fault_fn *visit, void *context, struct cairn_err *err);

/* NULL when there is none. */
const struct cairn_type *cairn_schema_type(const struct cairn_schema *schema, uint64_t number);
const struct cairn_type *cairn_schema_type_named(const struct cairn_schema *schema,
                                                 const char *name);
const struct cairn_field *cairn_type_field(const struct cairn_type *type, uint64_t number);
const struct cairn_field *cairn_type_field_named(const struct cairn_type *type, const char *name);
/* By name, or else by either label, as people read it on the screen. */
const struct cairn_field *cairn_type_field_called(const struct cairn_type *type, const char *text);
/* BAD_INPUT, in words. */
CAIRN_NODISCARD
enum cairn_status cairn_field_missing(struct cairn_err *err, const char *type, const char *text);
const struct cairn_move *cairn_type_move(const struct cairn_type *type, uint64_t number);
const struct cairn_move *cairn_type_move_named(const struct cairn_type *type, const char *name);
const struct cairn_workflow_state *cairn_type_state(const struct cairn_type *type, uint64_t number);
const struct cairn_choice *cairn_field_choice(const struct cairn_field *field, uint64_t number);
/* The field of merge kind workflow, the one with the "same" mark; NULL when the type has none. */
const struct cairn_field *cairn_type_workflow(const struct cairn_type *type);
const struct cairn_field *cairn_type_same(const struct cairn_type *type);

/* What a sentence quotes of a text that somebody wrote: its first 40 bytes at most, cut between
 * characters, as "%.40s" alone would not. */
struct cairn_quote {
    char text[41];
};
struct cairn_quote cairn_quote(const char *text);

/* May this value stand in that field? (Wire type and slot, nothing about bounds.) */
bool cairn_field_fits(const struct cairn_field *field, const struct cairn_value *value);
/* Text as a person wrote it -> value of the wire type, text borrowed. BAD_INPUT with a sentence. */
CAIRN_NODISCARD
enum cairn_status cairn_value_parse(const struct cairn_field *field, const char *text,
                                    struct cairn_value *out_value, struct cairn_err *err);
/*
 * The same for a value that is to be written: also what only the author's program asks (bounds,
 * check digits, listed choices, retired or not). Never validity. BAD_INPUT with a sentence.
 */
CAIRN_NODISCARD
enum cairn_status cairn_field_parse(const struct cairn_field *field, const char *text,
                                    struct cairn_value *out_value, struct cairn_err *err);
/* Value -> text in the arena or the schema; "(closed)" for a closed one. NULL when memory is short.
 */
const char *cairn_field_format(const struct cairn_field *field, const struct cairn_value *value,
                               struct cairn_arena *arena);

/* Version `version` as this store holds it; version 0 is the empty table. NOT_FOUND. Borrowed from
 * the cache. */
CAIRN_NODISCARD
enum cairn_status cairn_schema_get(struct cairn_context *ctx, uint64_t version,
                                   const struct cairn_schema **out_schema);
/* H of its table; zeros for version 0. NOT_FOUND. */
CAIRN_NODISCARD
enum cairn_status cairn_schema_hash(struct cairn_context *ctx, uint64_t version,
                                    struct cairn_hash *out_hash);
/* The newest version held (0: none). */
CAIRN_NODISCARD
enum cairn_status cairn_schema_newest(struct cairn_context *ctx, uint64_t *out_version);
/*
 * May this table be kept? OK also for the same bytes once more; FORKED for others under the same
 * version. MALFORMED: no table, or not one that may follow the version before, which must be held
 * (NOT_FOUND) and hash to `previous`.
 */
CAIRN_NODISCARD
enum cairn_status cairn_schema_admissible(struct cairn_context *ctx, uint64_t version,
                                          const struct cairn_hash *previous,
                                          struct cairn_bytes table);
/* Check and keep. */
CAIRN_NODISCARD
enum cairn_status cairn_schema_admit(struct cairn_context *ctx, uint64_t version,
                                     const struct cairn_hash *previous, struct cairn_bytes table);

#endif
