/*
 * judge.h: the one place that says whether an entry is valid (SPEC.md section 5.1), and what a
 * valid change does. Reads the entry's own log prefix and what that names; never the order of
 * arrival, clocks, cuts or other logs' absence.
 */

#ifndef CAIRN_JUDGE_H
#define CAIRN_JUDGE_H

#include "record.h"
#include "verdict.h"

#define CAIRN_WRITES_MAX 64
#define CAIRN_NAMED_MAX 1024

/* One write of a change, with log numbers turned into logs. */
struct cairn_change_write {
    uint64_t number; /* CAIRN_ITEM_* */
    uint64_t field;
    struct cairn_value value;
    struct cairn_hash commitment;    /* when personal */
    struct cairn_dot reference;      /* when the value is a record */
    uint8_t seen[CAIRN_SEEN_BYTES];  /* of a step */
    size_t named_first, named_count; /* into change->named */
};
struct cairn_judged_change {
    bool creates;
    uint64_t type;
    uint32_t counter;
    struct cairn_dot record;
    bool has_state;                  /* judging loaded the record: */
    struct cairn_record_state state; /* in the arena */
    bool has_reason;
    bool has_repeats;
    struct cairn_ref repeats;
    size_t write_count;
    struct cairn_change_write writes[CAIRN_WRITES_MAX];
    size_t named_count;
    struct cairn_dot *named; /* in the arena */
    bool *named_counts;      /* false: announced on another branch, no effect */
};

/*
 * Judge a change, entry `index` of `log`. `announced_is_good` is the answer of
 * cairn_announcements_apply; `commitments` are those of its slots. *out_change is whole only when
 * VALID.
 */
CAIRN_NODISCARD
enum cairn_status cairn_judge_change(struct cairn_context *ctx, const struct cairn_log *log,
                                     uint32_t index, const struct cairn_entry *entry,
                                     bool announced_is_good, const struct cairn_hash *commitments,
                                     struct cairn_judged_change *out_change,
                                     struct cairn_verdict *out_verdict);
/* Remember where the step of a valid change leaves its record; nothing for a change without one. */
CAIRN_NODISCARD
enum cairn_status cairn_step_keep(struct cairn_context *ctx, struct cairn_dot dot,
                                  const struct cairn_judged_change *change);
/* Forget it: the entry goes. */
CAIRN_NODISCARD
enum cairn_status cairn_step_forget(struct cairn_context *ctx, struct cairn_dot dot);
/* Where the valid step `dot` left `record`. NOT_FOUND: it is none, or of another record. */
CAIRN_NODISCARD
enum cairn_status cairn_step_find(struct cairn_context *ctx, struct cairn_dot dot,
                                  struct cairn_dot record, struct cairn_position *out_position);
/* Where a new record of that type stands. */
struct cairn_position cairn_position_first(const struct cairn_type *type);
/* No move is under way: the last one is done, or was given up. */
bool cairn_position_is_still(const struct cairn_type *type, const struct cairn_position *position);
/* Does the move begin where a record stands in `state`? */
bool cairn_move_begins(const struct cairn_move *move, uint64_t state);
/*
 * May a device of that role bring a record from `from` to `to`? CAIRN_WHY_NONE, STEP_ORDER,
 * STEP_ROLE; NEWER for a move that this schema does not know.
 */
enum cairn_reason cairn_step_judge(const struct cairn_type *type, uint64_t role,
                                   const struct cairn_position *from,
                                   const struct cairn_position *to);

/* What a change that was found valid before does: as judge, without asking the schema again. */
CAIRN_NODISCARD
enum cairn_status cairn_change_resolve(struct cairn_context *ctx, const struct cairn_log *log,
                                       uint32_t index, const struct cairn_entry *entry,
                                       const struct cairn_hash *commitments,
                                       struct cairn_judged_change *out_change);

#endif
