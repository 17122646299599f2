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
/* What a change that was found valid before does: as judge, without asking the schema again. */
CAIRN_NODISCARD
enum cairn_status cairn_change_resolve(struct cairn_context *ctx, const struct cairn_log *log,
                                       uint32_t index, const struct cairn_entry *entry,
                                       const struct cairn_hash *commitments,
                                       struct cairn_judged_change *out_change);

#endif
