/*
 * cairn/query.h: asking for records: by value, range, state, indicator, band or conflict, below a
 * place; sorted, cut, and with the wanted fields only; or counted and summed in groups. Not for one
 * record whose id is known (cairn_get), and not for changing anything.
 *
 * Where a field is indexed by the schema the index is used, else the records of the place are
 * scanned; the answer is the same. All of a call sees the store as it was when the call began,
 * whatever a sync writes meanwhile.
 *
 * Memory:  bounded by the records of one village, or by offset + limit when sorted; sorted without
 *          a limit, about 100 bytes a record that fits. What a visitor is given is borrowed until
 *          it returns.
 * Threads: as cairn/replica.h says.
 * Status:  BAD_INPUT for an unknown type, field, state, indicator or band, or a value that the
 *          field cannot have; err says which. NO_RIGHT: no grant yet, so no record types either.
 */

#ifndef CAIRN_QUERY_H
#define CAIRN_QUERY_H

#include "cairn/base.h"

struct cairn_replica;
struct cairn_record;

enum cairn_compare {
    CAIRN_EQUAL,     /* of a set: has the element. A number, date or amount may be a range */
    CAIRN_NOT_EQUAL, /* a record without a value fits too */
    CAIRN_LESS,
    CAIRN_AT_MOST,
    CAIRN_GREATER,
    CAIRN_AT_LEAST,
    CAIRN_RANGE /* "LOW..HIGH", both included; either may be left out */
};

/*
 * One condition; a record fits when all of them hold. A field is compared by the value that is
 * shown. Besides the schema's fields, which come first where names are alike but for "village":
 *   village   the code begins with these digits
 *   id        the record's label, or an alias
 *   state     the state of the type's workflow, by name or label
 *   failed    an indicator, by name or label: not met; without a value it is not met
 *   band      a band of the first field that has bands: "<4200", "4200..4500", "5000.."; the
 *             lower end belongs to a band, the upper one to the next
 *   conflict  "yes" or "no": one of its fields has several values
 *   parallel  "yes" or "no": fields were written by people who had not seen each other's
 *   refused   "yes" or "no": an entry that names it has no effect
 * They are compared with EQUAL only, state also with NOT_EQUAL.
 */
struct cairn_condition {
    const char *field;
    enum cairn_compare compare;
    const char *value;
};

struct cairn_query {
    const char *type; /* "household" */
    const struct cairn_condition *conditions;
    size_t condition_count;
    const char *sort_field; /* NULL: by place and id. Records without a value come last */
    bool sorts_down;
    uint64_t offset;           /* so many are passed over first */
    uint64_t limit;            /* 0: all */
    const char *const *fields; /* those that a record is given with; NULL: all */
    size_t field_count;
};

/* Return false to stop. */
typedef bool cairn_record_fn(void *context, const struct cairn_record *record);
/* Visit the records that fit, in order. Deleted ones never do. */
CAIRN_NODISCARD
enum cairn_status cairn_query_run(struct cairn_replica *replica, const struct cairn_query *query,
                                  cairn_record_fn *visit, void *context, struct cairn_err *err);

#define CAIRN_SUMS_MAX 16
#define CAIRN_GROUPS_MAX 65536

struct cairn_count {
    const char *group; /* a code, a value or a band; NULL: the records without one, or all */
    uint64_t count;
    const char *const *sums; /* as many as were asked for, in the schema's notation */
};
typedef bool cairn_count_fn(void *context, const struct cairn_count *count);
/*
 * Count the records that fit, in groups by `by`: "province" "prefecture" "county" "township"
 * "village", a field, "state" or "band"; NULL: one group. Groups come in order. `sums` are fields
 * that hold integers, amounts or counters. Sorting, offset, limit and fields of the query are not
 * read. LIMIT: more than CAIRN_GROUPS_MAX groups, or a sum beyond 63 bits.
 */
CAIRN_NODISCARD
enum cairn_status cairn_query_count(struct cairn_replica *replica, const struct cairn_query *query,
                                    const char *by, const char *const *sums, size_t sum_count,
                                    cairn_count_fn *visit, void *context, struct cairn_err *err);

#endif
