/*
 * cairn/schema_file.h: the schema as a YAML file that an office writes: check it, publish it as
 * the network's next version, get back the version that a replica holds. core/README.md shows the
 * notation; core/schema/registry.yaml is the schema that a new network begins with.
 *
 * Included by cairn/replica.h, whose rules on memory, threads and statuses hold here too.
 */

#ifndef CAIRN_SCHEMA_FILE_H
#define CAIRN_SCHEMA_FILE_H

#include "cairn/base.h"
#include "cairn/bytes.h"

struct cairn_replica;

/* One mistake in a file: its line, from 1, and a sentence without the line. Borrowed. */
typedef void cairn_schema_problem_fn(void *context, size_t line, const char *text);

struct cairn_schema_summary {
    uint64_t version; /* that the file is, or would be published as */
    size_t type_count, field_count;
    size_t table_bytes, table_bytes_max; /* what it takes when signed, and may take */
};
/*
 * Read a file and visit every mistake, type by type as far as the file was understood;
 * with a replica also what may not follow the version that it holds. BAD_INPUT when there is any;
 * err then says how many. Changes nothing. `replica` and `out_summary` may be NULL.
 */
CAIRN_NODISCARD
enum cairn_status cairn_schema_check(struct cairn_replica *replica, struct cairn_bytes yaml,
                                     cairn_schema_problem_fn *visit, void *context,
                                     struct cairn_schema_summary *out_summary,
                                     struct cairn_err *err);
/*
 * Check, then sign the file as the next version into the root's authority log. NO_RIGHT: only the
 * root authority may. BAD_INPUT as above, and when the file says nothing new.
 */
CAIRN_NODISCARD
enum cairn_status cairn_schema_publish(struct cairn_replica *replica, struct cairn_bytes yaml,
                                       cairn_schema_problem_fn *visit, void *context,
                                       struct cairn_schema_summary *out_summary,
                                       struct cairn_err *err);
/*
 * The YAML of a version held, 0: the newest. Borrowed until the next call on the replica.
 * NOT_FOUND: no such version here.
 */
CAIRN_NODISCARD
enum cairn_status cairn_schema_text(struct cairn_replica *replica, uint64_t version,
                                    struct cairn_bytes *out_yaml, struct cairn_err *err);

/* ---- what is in it ------------------------------------------------------------------------- */

struct cairn_state_info {
    const char *name, *label_zh, *label_en;
};
struct cairn_move_info {
    const char *name, *label_zh, *label_en;
    const char *from, *to; /* names of states; several with ", " between */
    const char *steps;     /* "station, township, county" */
    bool is_retired;
};
struct cairn_indicator_info {
    const char *name, *label_zh, *label_en;
    const char *field, *test, *threshold; /* "income" "at-least" "4200" */
};
struct cairn_type_info {
    const char *name, *label_zh, *label_en;
    bool is_retired;
    size_t field_count;
    const struct cairn_state_info *states;
    size_t state_count;
    const struct cairn_move_info *moves;
    size_t move_count;
    const struct cairn_indicator_info *indicators;
    size_t indicator_count;
};
/* The record types of the newest version held, in order; borrowed until the next call on the
 * replica. cairn_schema_fields gives the fields of one. */
CAIRN_NODISCARD
enum cairn_status cairn_schema_types(struct cairn_replica *replica, uint64_t *out_version,
                                     const struct cairn_type_info **out_types, size_t *out_count,
                                     struct cairn_err *err);

#endif
