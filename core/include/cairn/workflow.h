/*
 * cairn/workflow.h: a part of the facade: a record's status, moved step by step by the offices in
 * turn, and records that are one household. cairn/replica.h includes it; so do programs.
 *
 * Memory:  what a result hands out is borrowed until the next call on the replica.
 * Threads, Status: as in cairn/replica.h.
 */

#ifndef CAIRN_WORKFLOW_H
#define CAIRN_WORKFLOW_H

#include "cairn/base.h"

struct cairn_replica;
struct cairn_version;

/* What a value is called in both languages; NULL where it has no name of its own. */
struct cairn_label {
    const char *zh, *en;
};
/* A move of a workflow that is under way. */
struct cairn_under_way {
    const char *move, *label_zh, *label_en; /* NULL: none is */
    unsigned done_count, step_count;
    const char *role; /* whose step is next */
};

/*
 * Go one step on with a move of the record's workflow: begin it where none is under way, else the
 * step after the last. `move` NULL gives up the one under way. BAD_INPUT: the type has no workflow,
 * no such move, or it does not begin where the record stands; NO_RIGHT: the step is another
 * office's. A conflict of two steps is settled by the next one: it follows version `keep` (from 1,
 * as listed; 0: the one shown) and replaces the others.
 */
struct cairn_step {
    const char *id, *move, *reason; /* move, reason may be NULL */
    unsigned keep;
};
CAIRN_NODISCARD
enum cairn_status cairn_step(struct cairn_replica *replica, const struct cairn_step *step,
                             const struct cairn_version **out_standing, struct cairn_err *err);
/* A step that can be the record's next. */
struct cairn_next_step {
    const char *move, *label_zh, *label_en;
    const char *to; /* the state that the move leads to */
    struct cairn_label to_label;
    unsigned number, step_count; /* of the step in its move, from 1 */
    const char *role;            /* whose it is */
    bool is_own;                 /* this device's role */
};
struct cairn_workflow {
    char id[32];
    const struct cairn_version *versions; /* more than one: two steps were taken unseen */
    size_t version_count;
    const struct cairn_next_step *next; /* from the shown one */
    size_t next_count;
};
/* Where a record stands and what can come next; borrowed until the next call. BAD_INPUT: the type
 * has no workflow. */
CAIRN_NODISCARD
enum cairn_status cairn_workflow_get(struct cairn_replica *replica, const char *id,
                                     struct cairn_workflow *out_workflow, struct cairn_err *err);
/*
 * Say that two records are one household, or take that back. Both stay; views and queries name
 * the others of the group. BAD_INPUT: other types, a type without that relation, nothing to take
 * back.
 */
CAIRN_NODISCARD
enum cairn_status cairn_same(struct cairn_replica *replica, const char *id, const char *other,
                             const char *reason, struct cairn_err *err);
CAIRN_NODISCARD
enum cairn_status cairn_apart(struct cairn_replica *replica, const char *id, const char *other,
                              const char *reason, struct cairn_err *err);

#endif
