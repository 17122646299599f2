/*
 * cairn/entry.h: entries of device logs and the items of a change (SPEC.md sections 4 and 5).
 *
 * Reading comes in two steps on purpose. cairn_entry_read() checks what every replica must be able
 * to check, whatever its version: shape, limits, slots; a fault there is MALFORMED and the batch is
 * refused. The functions that read a kind's body or an item answer false for a body that does not
 * fit its kind: such an entry is accepted, kept and invalid (core's judge decides).
 *
 * Memory: borrowed from the input. Threads: pure but for the object passed.
 */

#ifndef CAIRN_ENTRY_H
#define CAIRN_ENTRY_H

#include "cairn/cbor.h"
#include "cairn/identity.h"
#include "cairn/message.h"

#define CAIRN_TEXT_MAX 4096
#define CAIRN_REASON_MAX 1024

enum cairn_kind {
    CAIRN_KIND_BASIS = 0,
    CAIRN_KIND_CHANGE = 1,
    CAIRN_KIND_STEP = 2,
    CAIRN_KIND_EDGE = 3,
    CAIRN_KIND_GRANT = 16,
    CAIRN_KIND_REVOCATION = 17,
    CAIRN_KIND_CLOSE = 18,
    CAIRN_KIND_ADOPT = 19,
    CAIRN_KIND_SEQUENCER = 20,
    CAIRN_KIND_SCHEMA = 21,
    CAIRN_KIND_REDACTION = 22,
    CAIRN_KIND_FUNDS_FIRST = 32,
    CAIRN_KIND_FUNDS_LAST = 51
};

struct cairn_entry {
    uint64_t kind;
    uint64_t time_s;
    size_t body_count;
    struct cairn_reader body;        /* at the first body item */
    struct cairn_bytes bytes;        /* the whole entry */
    size_t slot_count, closed_count; /* of which the second hold a commitment */
};

/*
 * MALFORMED: not one array of the subset within the limits, or a slot of a wrong shape: neither a
 * commitment nor an integer of at most 2^63 - 1 nor a text of at most CAIRN_TEXT_MAX bytes.
 * Auditors hold only commitments, so what stands in a slot is judged here or nowhere (section 5.1).
 */
CAIRN_NODISCARD
enum cairn_status cairn_entry_read(struct cairn_bytes bytes, struct cairn_entry *out_entry);
/* The next of entries that stand one after the other. As above; the reader fails with it. */
CAIRN_NODISCARD
enum cairn_status cairn_entry_next(struct cairn_reader *entries, struct cairn_entry *out_entry);
/* [kind, time, and the heads for `body_count` items that the caller writes after it. */
void cairn_entry_begin(struct cairn_writer *writer, uint64_t kind, uint64_t time_s,
                       size_t body_count);

/* What an authority entry or a basis rests on: the root itself, or a grant. */
struct cairn_under {
    bool is_root;
    struct cairn_hash network; /* when is_root */
    struct cairn_ref grant;    /* else */
};
void cairn_under_write(struct cairn_writer *writer, const struct cairn_under *under);
struct cairn_under cairn_under_read(struct cairn_reader *reader);
bool cairn_under_equal(const struct cairn_under *a, const struct cairn_under *b);

struct cairn_basis {
    struct cairn_under under;
    uint64_t schema_version;
    bool has_predecessor;
    struct cairn_head predecessor;
    struct cairn_hash secret_hash; /* H(0x15 || s) */
};
bool cairn_basis_read(const struct cairn_entry *entry, struct cairn_basis *out_basis);
void cairn_basis_write(struct cairn_writer *writer, uint64_t time_s,
                       const struct cairn_basis *basis);

enum cairn_item_number {
    CAIRN_ITEM_ANNOUNCE = 0,
    CAIRN_ITEM_CREATE = 1,
    CAIRN_ITEM_SET = 2,
    CAIRN_ITEM_DELETE = 3,
    CAIRN_ITEM_SETTLE = 4,
    CAIRN_ITEM_ADD = 5,
    CAIRN_ITEM_REMOVE = 6,
    CAIRN_ITEM_COUNT = 7,
    CAIRN_ITEM_ATTACH = 8,
    CAIRN_ITEM_STEP = 9,
    CAIRN_ITEM_REASON = 16,
    CAIRN_ITEM_PERSON = 17,
    CAIRN_ITEM_COSIGNATURE = 18,
    CAIRN_ITEM_REPEATS = 19
};

struct cairn_item {
    uint64_t number;
    size_t arg_count;         /* after the number */
    struct cairn_reader args; /* at the first of them */
    struct cairn_bytes bytes; /* the whole item */
};
struct cairn_items {
    struct cairn_reader reader;
    size_t left;
};
/* The items of a change's body. */
void cairn_items_init(struct cairn_items *items, const struct cairn_entry *entry);
/* False at the end, and at a body item that is not [number, ...]: then items->left is not 0. */
bool cairn_item_next(struct cairn_items *items, struct cairn_item *out_item);

/* A version or record inside a change: log is a number of the entry's log (section 5). */
struct cairn_local_dot {
    uint32_t log_number;
    uint32_t index;
};

/* A field's value as it stands in an entry. */
enum cairn_value_kind {
    CAIRN_VALUE_INTEGER,
    CAIRN_VALUE_TEXT,
    CAIRN_VALUE_CLOSED,
    CAIRN_VALUE_DOT,     /* a record; never personal */
    CAIRN_VALUE_POSITION /* where a workflow stands; never personal */
};
/* Where a record stands after a step: in a state, and so far on the way to another. */
struct cairn_position {
    uint64_t state;
    uint64_t move;  /* under way, or just done; 0: none, or given up */
    uint64_t stage; /* of that move, from 0 */
};
struct cairn_value {
    enum cairn_value_kind kind;
    bool is_slot; /* personal; always so when CLOSED */
    int64_t integer;
    struct cairn_bytes text;
    struct cairn_hash commitment;   /* when CLOSED */
    struct cairn_local_dot dot;     /* when DOT */
    struct cairn_position position; /* when POSITION */
    struct cairn_bytes cbor;        /* the value alone, without the slot around it */
};
/* False for anything that is no value (other arrays, bare byte strings, integers above 2^63 - 1).
 */
bool cairn_value_read(struct cairn_reader *reader, struct cairn_value *out_value);
/* Writes the slot too when is_slot. `cbor` is not read. */
void cairn_value_write(struct cairn_writer *writer, const struct cairn_value *value);

struct cairn_announce {
    bool is_first;
    struct cairn_hash log; /* when is_first */
    uint32_t log_number;   /* else */
    uint32_t size;
    uint8_t root_start[8];
};
bool cairn_announce_read(const struct cairn_item *item, struct cairn_announce *out_announce);
void cairn_announce_write(struct cairn_writer *writer, const struct cairn_announce *announce);

/* What an operation says of its record's state when it was written: the start of the record's hash
 * (section 6.1). For people; judges nothing. */
#define CAIRN_SEEN_BYTES 8

/* create, set, delete, settle, add, remove, count, step */
struct cairn_operation {
    uint64_t number;  /* CAIRN_ITEM_* */
    uint64_t type;    /* create */
    uint32_t counter; /* create: the number in the record's label */
    struct cairn_local_dot record;
    uint64_t field;                 /* all but create and delete; 0 for those */
    struct cairn_value value;       /* set, settle, add, count, step */
    uint8_t seen[CAIRN_SEEN_BYTES]; /* step */
    struct cairn_items rest;        /* create: (field, value) pairs; else: named versions, pairs */
};
bool cairn_operation_read(const struct cairn_item *item, struct cairn_operation *out_operation);
/* Next pair of a create; false at the end, or at a fault: then rest->left is not 0. */
bool cairn_field_next(struct cairn_items *rest, uint64_t *out_field, struct cairn_value *out_value);
/* Next named version; false at the end, or at a fault: then rest->left is not 0. */
bool cairn_named_next(struct cairn_items *rest, struct cairn_local_dot *out_dot);
/* Heads of an operation; the caller writes pairs after them. pair_count counts pairs. */
void cairn_create_begin(struct cairn_writer *writer, uint64_t type, uint32_t counter,
                        size_t pair_count);
void cairn_write_begin(struct cairn_writer *writer, const struct cairn_operation *operation,
                       size_t pair_count);
void cairn_local_dot_write(struct cairn_writer *writer, struct cairn_local_dot dot);

/* reason and person: a text of at most CAIRN_REASON_MAX bytes, or any value in a slot: it may be
 * closed, and then nobody could judge it. So `kind` may be any of the three when is_slot. */
bool cairn_note_item_read(const struct cairn_item *item, struct cairn_value *out_value);
void cairn_note_item_write(struct cairn_writer *writer, uint64_t number, struct cairn_bytes text);

bool cairn_repeats_read(const struct cairn_item *item, struct cairn_ref *out_entry);
void cairn_repeats_write(struct cairn_writer *writer, const struct cairn_ref *entry);

#endif
