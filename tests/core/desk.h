/*
 * desk.h: records put and asked for in few words, at an office of a prefecture whose network has a
 * schema that the test wrote as YAML.
 *
 * A value "@NAME" stands for the id of the record put under that name.
 *
 * Memory:  texts given out are the desk's, until the next call that gives one.
 * Effects: fails the running cmocka test where nothing else is said.
 */

#ifndef CAIRN_TESTS_DESK_H
#define CAIRN_TESTS_DESK_H

#include "machine.h"

#define DESK_SCOPE "5133"
#define DESK_VILLAGE "513330100200"
#define DESK_NEXT_VILLAGE "513330100201"
#define DESK_FAR_VILLAGE "513331100200"
#define DESK_FIELDS_MAX 20
#define DESK_RECORDS_MAX 160

/* How a schema begins whose first type is "thing"; its fields follow. */
#define DESK_THING      \
    "version: 1\n"      \
    "types:\n"          \
    "  - number: 1\n"   \
    "    name: thing\n" \
    "    zh: 物\n"     \
    "    en: thing\n"   \
    "    fields:\n"

extern struct machine desk_root, desk;

/* A root with that schema, and the office, which is `desk`. */
void desk_open(const char *yaml);
void desk_close(void);

/* A new record; fields end with a name of NULL. It is known as `name`, and by what its field
 * "name" shows. */
void desk_put(const char *type, const char *village, const char *name,
              const struct cairn_field_value *fields);
const char *desk_id(const char *name);
/* One field of a record known by its name. */
enum cairn_status desk_change(const char *type, const char *name, const char *field,
                              const char *value, enum cairn_put_operation operation);
/* What the record shows: the elements of a set by their text, with a bar between them; the other
 * versions of a conflict behind a slash; "" where there is nothing. */
const char *desk_shown(const char *name, const char *field);
const char *desk_shown_by_id(const char *id, const char *field);

/* Names of the records that a query gives, with blanks between them; or the sentence. */
const char *desk_answer(const struct cairn_query *query);
/* "group=count" or "group=count(sum,sum)", with blanks between them; no group: "-". */
const char *desk_count(const struct cairn_query *query, const char *by, const char *const *sums,
                       size_t sum_count);
/* The indexes are not there until the next commit: all is answered by looking at every record. */
void desk_indexes_lose(void);

#endif
