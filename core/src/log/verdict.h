/*
 * verdict.h: what `judge` says of an entry (SPEC.md section 11), the same on every replica that
 * holds what the entry names. Fixed for ever once it is not WAITING.
 */

#ifndef CAIRN_VERDICT_H
#define CAIRN_VERDICT_H

#include "cairn/entry.h"
#include "context.h"

enum cairn_validity { CAIRN_VALID, CAIRN_INVALID, CAIRN_WAITING };

/* Numbers travel in replies: append-only. The text is a msgid. */
#define CAIRN_REASON_MAP(X)                                                          \
    X(0, NONE, "")                                                                   \
    X(1, NEWER, "from a newer version: kept, and shown when this program knows it")  \
    X(2, SHAPE, "the entry does not have the form of its kind")                      \
    X(3, NO_RECORD, "it names a record that is not there")                           \
    X(4, OTHER_SCOPE, "it names a record of another village")                        \
    X(5, NOT_ANNOUNCED, "it names something that its log had not announced")         \
    X(6, ANNOUNCED_LESS, "it takes back what its log had announced")                 \
    X(7, WRONG_VALUE, "the value is not of the field's type")                        \
    X(8, TWICE, "it writes one field twice")                                         \
    X(9, NO_REASON, "a settlement without a reason")                                 \
    X(10, NO_RIGHT, "the grant it is written under does not allow it")               \
    X(11, NOT_ABOVE, "only those above may do this")                                 \
    X(12, OTHER_BASIS, "it is written under another grant than its log")             \
    X(13, DEPTH, "the chain of grants is too long")                                  \
    X(14, NOT_HERE_YET, "what it names has not arrived yet")                         \
    X(15, CUT, "its device was shut out before this")                                \
    X(16, FORK, "its log has two histories, and this one does not count")            \
    X(17, REPEATED, "it repeats an entry that counts")                               \
    X(18, VERSION_BACK, "it states an older schema than its log did before")         \
    X(19, OPERATION, "the field does not take this operation")                       \
    X(20, STEP_ORDER, "it skips a step, or does not begin where the record stands")  \
    X(21, STEP_ROLE, "this step belongs to another office")                          \
    X(22, STEP_BEFORE, "the step that it follows has no effect")                     \
    X(23, BAD_SCHEMA, "it is no schema, or none that may follow the version before") \
    X(24, OTHER_SCHEMA, "this version of the schema has another table already")

#define CAIRN_REASON_ENUM(number, name, text) CAIRN_WHY_##name = number,
enum cairn_reason { CAIRN_REASON_MAP(CAIRN_REASON_ENUM) CAIRN_REASON_COUNT };

struct cairn_verdict {
    enum cairn_validity validity;
    enum cairn_reason reason;
    /* When waiting for another log: which, and from what size on it can be judged. */
    uint32_t waits_for_log; /* no; 0: for a newer program; CAIRN_WAITS_FOR_SCHEMA */
    uint32_t waits_for_size;
};

/* In the place of a log that waits: the schema, whose size is its newest version held. */
#define CAIRN_WAITS_FOR_SCHEMA UINT32_MAX

/* A msgid. */
const char *cairn_reason_text(enum cairn_reason reason);

/* The stored verdict of an entry; valid ones are not stored. */
CAIRN_NODISCARD
enum cairn_status cairn_verdict_get(struct cairn_context *ctx, uint32_t log, uint32_t index,
                                    struct cairn_verdict *out_verdict);
/* Keep it, and list it as waiting where it waits for a log; VALID removes both. */
CAIRN_NODISCARD
enum cairn_status cairn_verdict_put(struct cairn_context *ctx, uint32_t log, uint32_t index,
                                    const struct cairn_verdict *verdict);

#endif
