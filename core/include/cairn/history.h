/*
 * cairn/history.h: a part of the facade: what happened to a record, and what this device wrote that
 * has no effect. cairn/replica.h includes it; so do programs.
 *
 * Memory:  what a visitor is given is borrowed until it returns.
 * Threads, Status: as in cairn/replica.h.
 */

#ifndef CAIRN_HISTORY_H
#define CAIRN_HISTORY_H

#include "cairn/workflow.h"

enum cairn_history_state {
    CAIRN_HISTORY_LOCAL,    /* no checkpoint held here covers it */
    CAIRN_HISTORY_RECEIVED, /* one does */
    CAIRN_HISTORY_WAITING,  /* not judged yet: for other entries, or for a newer program */
    CAIRN_HISTORY_REFUSED   /* without effect; why_not says why */
};
struct cairn_history_item {
    uint64_t time_s;  /* the device's clock */
    bool is_time_odd; /* it jumped: earlier than the entry before it, a day after it was received,
                         or before 2020. Decides nothing */
    uint64_t received_s; /* of the first checkpoint held that covers it; 0: none */
    char tag[8];
    const char *role; /* of the grant that it was written under */
    /* "create" "set" "delete" "restore" "settle" "add" "remove" "count" "step" "newer";
     * "authority": no record's */
    const char *operation;
    const char *field; /* name; NULL where the whole record is meant, and for newer */
    struct cairn_label field_label;
    bool is_integer;
    /* Shown value before, in the order of this history; of a removal what was taken away. */
    const char *old_value; /* may be NULL */
    const char
        *new_value; /* may be NULL; of a count the difference, of a step the state after it */
    struct cairn_label old_label, new_label;
    struct cairn_under_way step; /* of a step: its move, and whose step is next (NULL: it is done);
                                    move NULL: given up */
    const char *reason;          /* may be NULL */
    bool is_local;               /* this device wrote it */
    bool is_in_force;            /* false: kept, has no effect */
    const char *why_not;         /* when not in force: a msgid */
    enum cairn_history_state state;
};
typedef bool cairn_history_fn(void *context, const struct cairn_history_item *item);
/* Oldest first: after what it follows, else by time, then log; with the entries that name the
 * record and have no effect. NOT_FOUND, AMBIGUOUS. */
CAIRN_NODISCARD
enum cairn_status cairn_history(struct cairn_replica *replica, const char *id,
                                cairn_history_fn *visit, void *context, struct cairn_err *err);

/* An entry of this device, also of an earlier incarnation, that has no effect. */
struct cairn_refused_item {
    char number[32]; /* "A7.14": does not change in this store */
    const char *channel;
    char id[32];      /* of the record that it names; empty: none that is here */
    const char *type; /* of that, or of the one that it would have created; may be NULL */
    uint64_t time_s;
    uint64_t received_s;
    const struct cairn_history_item *changes; /* what it said: operation, field and values only */
    size_t change_count;
    const char *reason;  /* may be NULL */
    const char *why_not; /* a msgid */
    bool is_answered;    /* a later entry of this device on the record counts, or one repeats it */
};
typedef bool cairn_refused_fn(void *context, const struct cairn_refused_item *item);
/* By log and place; the answered ones only where they are asked for. To mend one, write on the
 * record again. */
CAIRN_NODISCARD
enum cairn_status cairn_refused(struct cairn_replica *replica, bool takes_answered,
                                cairn_refused_fn *visit, void *context, struct cairn_err *err);

#endif
