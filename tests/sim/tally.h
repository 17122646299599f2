/*
 * tally.h: how often each thing really happened, over all runs: a simulator that never met a
 * refusal has not tested it.
 *
 * Memory: plain numbers, so that a tally can be added to another and passed between processes.
 */

#ifndef CAIRN_SIM_TALLY_H
#define CAIRN_SIM_TALLY_H

#include <stdint.h>

#define TALLY_TABLE_MAX 64

/* Outcomes worth counting by name, beside operations, faults and invariants. */
#define TALLY_SEEN_MAP(X)                                            \
    X(PUT_REFUSED, "a put was refused for its input")                \
    X(PUT_NO_RIGHT, "a put outside the grant was refused")           \
    X(PUT_AFTER_REVOCATION, "a revoked device was told so")          \
    X(CHECK_GOOD, "puts that a check passed were written")           \
    X(CHECK_BAD, "puts that a check found bad were refused")         \
    X(PUT_ON_DELETED, "a put on a deleted record was refused")       \
    X(PUT_FAILED_DISK, "a put failed with the disk")                 \
    X(PUT_DURABLE_POWER_CUT, "the power went behind a commit")       \
    X(PUT_LOST_POWER_CUT, "the power went before a commit")          \
    X(LABEL_AMBIGUOUS, "a label named two records")                  \
    X(LABEL_UNKNOWN, "a label named none")                           \
    X(CONFLICT, "an edit ran into another: a conflict")              \
    X(CONFLICT_OF_THREE, "three live versions of one field")         \
    X(CONFLICT_SETTLED, "a conflict was settled")                    \
    X(DELETION_CONTESTED, "a deletion against an edit")              \
    X(DELETION_SETTLED, "a contested deletion was settled")          \
    X(ELEMENTS, "a set of several elements")                         \
    X(ELEMENT_ABSENT, "taking away what is not there was refused")   \
    X(COUNTED, "a counter was counted")                              \
    X(STEP_TAKEN, "an office took its step")                         \
    X(STEP_DONE, "a workflow's move was finished")                   \
    X(STEP_GIVEN_UP, "a move under way was given up")                \
    X(STEP_NOT_OWN, "a step of another office was refused")          \
    X(STEP_NOT_NEXT, "a step out of turn was refused")               \
    X(STEPS_UNSEEN, "two steps were taken unseen")                   \
    X(SAME_SAID, "two records were said to be one household")        \
    X(SAME_REFUSED, "a needless same or apart was refused")          \
    X(SCHEMA_AHEAD, "a field of a schema not heard of was refused")  \
    X(SCHEMA_RENEWED, "a log went on under a newer schema")          \
    X(MEMO_FOUND, "an import found how far it had come")             \
    X(UPSERT_CREATED, "an upsert made a record")                     \
    X(UPSERT_FOUND, "an upsert changed the one with its number")     \
    X(UPSERT_AMBIGUOUS, "an upsert met two with its number")         \
    X(QUERY_FOUND, "a query found what a full look finds")           \
    X(QUERY_SORTED, "a sorted query gave the first ones")            \
    X(TOTAL_SUMMED, "a group had the count and the sums of it")      \
    X(SYNC_DONE, "an exchange ended well")                           \
    X(SYNC_NO_ANSWER, "an exchange got no answer")                   \
    X(SYNC_NO_SERVER, "a device that knows no server")               \
    X(SYNC_SEVERAL_ROUNDS, "an exchange of several rounds")          \
    X(SYNC_DISK, "an exchange failed with the station's disk")       \
    X(SERVER_DISK, "a commit failed with the server's disk")         \
    X(SERVER_GROUP, "one commit for several requests")               \
    X(SERVER_UNKNOWN_KEY, "a request of a stranger was refused")     \
    X(SERVER_BAD_REQUEST, "a damaged request was refused")           \
    X(SERVER_RUN_REFUSED, "a run that does not hold was left out")   \
    X(SERVER_KEPT_INVALID, "an entry without effect was kept")       \
    X(SERVER_BEHIND, "a server restored from an old copy was found") \
    X(SERVER_FORK_FOUND, "a server with two histories was found")    \
    X(REPLY_DAMAGED, "a damaged or foreign answer was refused")      \
    X(REPLY_BY_MAIL, "an answer by mail was taken")                  \
    X(REPLY_LATE, "an answer nobody waited for")                     \
    X(LETTER_LOST, "a message was lost")                             \
    X(LETTER_REPEATED, "a message came twice")                       \
    X(LETTER_TRUNCATED, "a message was cut short")                   \
    X(LETTER_CORRUPTED, "a message was corrupted")                   \
    X(LETTER_DELAYED, "a message came later, behind others")         \
    X(BUNDLE_TAKEN, "a bundle was read")                             \
    X(BUNDLE_OLD, "a bundle with nothing new")                       \
    X(BUNDLE_SEALED, "a bundle sealed for others")                   \
    X(BUNDLE_DAMAGED, "a damaged bundle was refused")                \
    X(BUNDLE_FULL, "an auditor's bundle was refused as a bundle")    \
    X(BUNDLE_DISK, "a bundle failed with the disk")                  \
    X(RESTORED, "a device found that it went back or moved")         \
    X(REPEATED, "an edit was written again after a restore")         \
    X(LOST_WITH_DEVICE, "an edit that nobody else had went with it") \
    X(FORK_KEPT, "a fork was kept as evidence")                      \
    X(CUT_LEFT_OUT, "an edit behind a cut has no effect")            \
    X(ADOPTED, "an edit behind a cut was adopted")                   \
    X(DECREE_LOST, "a decree nobody heard of went with the office")  \
    X(GRANT_REFUSED, "a grant beyond one's own was refused")         \
    X(TRAITOR_VAIN, "an office that turned cut nobody else")         \
    X(TRAITOR_SHUT_OUT, "a revoked office granted in vain")          \
    X(TWIN_OFFICE, "an office of two histories was replaced")        \
    X(AUDIT_CLEAN, "an audit without findings")                      \
    X(AUDIT_FOUND, "an audit with the findings that are due")

#define TALLY_SEEN_ENUM(name, text) SEEN_##name,
enum tally_seen { TALLY_SEEN_MAP(TALLY_SEEN_ENUM) SEEN_COUNT };

struct tally {
    uint64_t operations[TALLY_TABLE_MAX]; /* in the order of sim_operations */
    uint64_t faults[TALLY_TABLE_MAX];     /* of sim_faults */
    uint64_t invariants[TALLY_TABLE_MAX]; /* of sim_invariants: times checked */
    uint64_t seen[SEEN_COUNT];
    uint64_t runs, steps, actions, station_days, edits;
};

/* The sentence of an outcome. */
const char *tally_seen_text(enum tally_seen seen);
void tally_add(struct tally *sum, const struct tally *more);
/* Print the whole table; the number of lines at zero. */
unsigned tally_print(const struct tally *tally);
/* The same of the lines at zero alone. */
unsigned tally_print_zeros(const struct tally *tally);

#endif
