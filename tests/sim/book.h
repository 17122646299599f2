/*
 * book.h: taking what people did into the model, and looking things up in it the way people do.
 */

#ifndef CAIRN_SIM_BOOK_H
#define CAIRN_SIM_BOOK_H

#include "inspect.h"

/* The fields that people write, by core's numbers and names. */
struct book_field {
    const char *name;
    uint32_t number;
    bool is_integer;
    enum model_kind kind; /* of a write that gives it a value */
};
#define BOOK_FIELDS 6 /* registers that may take any value; others follow in the table */
enum {
    BOOK_ALIAS = 1,
    BOOK_INCOME = 6,
    BOOK_LISTING = 15,
    BOOK_SAME = 16,
    BOOK_POINTS = 22,
    BOOK_MEASURES = 23
};
#define BOOK_MEASURE_COUNT 5
/* Elements of the set, from 1. */
const char *book_measure(uint32_t number);
/* A step's token. */
#define BOOK_POSITION(state, move, stage) ((state) | (move) << 8 | (stage) << 16)
/* A record as an element: its token. */
#define BOOK_RECORD(record) ((record) + 1)
const struct book_field *book_field(unsigned i);
enum model_kind book_kind(uint32_t field);
/* The field that version `i` behind the first brings. */
const struct book_field *book_later_field(unsigned i);
/* NULL: none of those. */
const struct book_field *book_field_named(const char *name);
/* A value that was never written before, and its number. */
uint32_t book_value(struct world *world, const struct book_field *field, char out_text[static 24]);
/* The number of a value; 0: not one of ours. */
uint32_t book_token(const char *text);
uint32_t book_token_of(const char *text, size_t size);
void book_text(const struct book_field *field, uint32_t token, char out_text[static 24]);

/* What is being written in one call, before it is known where it stands. */
struct book_write {
    uint32_t record; /* MODEL_NONE: it creates */
    uint32_t field;
    uint32_t token;
    enum model_kind kind;
    bool deletes;
};
/* One entry. */
struct book_entry {
    struct book_write writes[16];
    unsigned count;
    const char *label; /* of a record that it created */
};

/*
 * `count` entries of `node` in `village` were acknowledged: the last of the log there. Call
 * book_look() before they are written.
 */
void book_take(struct world *world, struct node *node, unsigned village,
               const struct book_entry *entries, unsigned count);
/* The own records log in a village, entered where it is new; MODEL_NONE: there is none, which fails
 * the run, as does one too many. */
uint32_t book_own_log(struct world *world, struct node *node, unsigned village, uint32_t *out_size);
/* Where the entries stand that `node` appended to its log since the book took the last of it:
 * behind a basis, where it begins or goes on under a newer schema. */
uint32_t book_place(struct world *world, struct node *node, uint32_t log);

/* What `node` must show of a record. */
struct book_sight {
    uint32_t count;
    uint32_t live[MODEL_LIVE_MAX];
    bool is_deleted, has_conflict;
};
void book_look(struct world *world, struct node *node, uint32_t record, struct book_sight *out);

/* Records that the node holds: one at random, often a recent one; MODEL_NONE. */
uint32_t book_pick(struct world *world, struct node *node, struct dice *dice);
/* How many records with that label the node holds; one of them. */
unsigned book_labelled(struct world *world, struct node *node, const char *label,
                       uint32_t *out_record);
/* May several records that a replica holds have this label? */
bool book_may_share(struct world *world, struct node *node, const char *label);
/* Does the node know that its grant was revoked? */
bool book_knows_revoked(struct world *world, struct node *node);
/* May the node see and write records of that scope? */
bool book_covers(const struct node *node, struct cairn_scope scope);
unsigned book_village_of(struct cairn_scope scope);

#endif
