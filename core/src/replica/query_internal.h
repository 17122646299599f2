/*
 * query_internal.h: the parts of a query. query_tests.c turns conditions into tests and runs them,
 * query_source.c finds records that may fit, query.c lists and query_count.c counts those that do.
 */

#ifndef CAIRN_QUERY_INTERNAL_H
#define CAIRN_QUERY_INTERNAL_H

#include "index.h"
#include "replica_internal.h"
#include "schema.h"

/* One condition, ready to be run. */
struct cairn_test {
    enum cairn_test_kind {
        CAIRN_TEST_FIELD,
        CAIRN_TEST_RECORD, /* it is record `dot` */
        CAIRN_TEST_FAILED,
        CAIRN_TEST_CONFLICT,
        CAIRN_TEST_PARALLEL,
        CAIRN_TEST_REFUSED, /* an entry that names it has no effect */
        CAIRN_TEST_NEVER    /* nothing can fit */
    } kind;
    const struct cairn_field *field;
    const struct cairn_indicator *indicator;
    bool is_negated; /* not equal; of a flag: "no" */
    bool is_equal;   /* one value, not a range */
    enum cairn_test_by { CAIRN_BY_INTEGER, CAIRN_BY_TEXT, CAIRN_BY_DOT } by;
    int64_t lowest, highest;      /* BY_INTEGER, both included */
    struct cairn_bytes low, high; /* BY_TEXT; data NULL: no end */
    bool is_low_open, is_high_open;
    struct cairn_dot dot;
};

/* Scopes whose digits begin alike lie in one range of numbers a length. */
#define CAIRN_SCOPE_RANGES_MAX 6
struct cairn_scope_ranges {
    size_t count;
    struct {
        uint64_t low, high;
    } list[CAIRN_SCOPE_RANGES_MAX];
};

#define CAIRN_TESTS_MAX 64

struct cairn_asking;
/* A record that fits; `state` is NULL where nobody needed to look at it. */
typedef enum cairn_status cairn_fits_fn(struct cairn_asking *asking,
                                        const struct cairn_index_row *row,
                                        const struct cairn_record_state *state);

/* A query under way. */
struct cairn_asking {
    struct cairn_replica *replica;
    struct cairn_context *ctx;
    struct cairn_arena memory;     /* of the whole query: what tests and groups hold */
    const struct cairn_type *type; /* NULL: any, for conflicts */
    struct cairn_scope_ranges scopes;
    struct cairn_test tests[CAIRN_TESTS_MAX];
    size_t test_count;
    size_t refused_count, refused_capacity; /* records that entries without effect name */
    struct cairn_dot *refused;
    bool wants_state; /* fits is to be given the state always */
    bool is_over;     /* enough: set by fits */
    cairn_fits_fn *fits;
    void *context; /* of fits */
    /* The plan: which test the source has answered already. */
    const struct cairn_test *answered; /* NULL: none */
    bool is_by_scope;                  /* candidates come scope by scope, ascending */
};

/* Type, scopes and tests of the query. BAD_INPUT. */
CAIRN_NODISCARD
enum cairn_status cairn_tests_prepare(struct cairn_asking *asking, const struct cairn_query *query);
/* Does a record pass all tests but the one answered? */
CAIRN_NODISCARD
enum cairn_status cairn_tests_run(struct cairn_asking *asking,
                                  const struct cairn_record_state *state, bool *out_fits);
/* The field that a person names: one of the schema, or the workflow as "state". BAD_INPUT. */
CAIRN_NODISCARD
enum cairn_status cairn_asked_field(struct cairn_asking *asking, const char *name,
                                    const struct cairn_field **out_field);
/* The first field with bands. BAD_INPUT. */
CAIRN_NODISCARD
enum cairn_status cairn_banded_field(struct cairn_asking *asking,
                                     const struct cairn_field **out_field);
/* "<4200", "4200..4500", "5000..": band `number` of a field; the last has no upper end. */
#define CAIRN_BAND_TEXT_BYTES 64
void cairn_band_text(const struct cairn_field *field, size_t number,
                     char out_text[static CAIRN_BAND_TEXT_BYTES]);
size_t cairn_band_of(const struct cairn_field *field, int64_t value);

/* What a field of a record shows, as cairn_field_shown; a workflow without a step stands where new
 * records begin. */
CAIRN_NODISCARD
enum cairn_status cairn_asked_shown(struct cairn_asking *asking,
                                    const struct cairn_record_state *state,
                                    const struct cairn_field *field, size_t element,
                                    struct cairn_value *out_value, struct cairn_dot *out_dot);
/* A value as a group is called; a workflow's state by its name. In the arena; NULL: no memory. */
const char *cairn_state_or_value_text(const struct cairn_type *type,
                                      const struct cairn_field *field,
                                      const struct cairn_value *value, struct cairn_arena *arena);

/* Choose a source; then run it through all that may fit. */
CAIRN_NODISCARD enum cairn_status cairn_source_plan(struct cairn_asking *asking);
CAIRN_NODISCARD enum cairn_status cairn_source_run(struct cairn_asking *asking);
#endif
