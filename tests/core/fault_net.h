/*
 * fault_net.h: the network that every case of fault_cases.h begins with, for the files that hold
 * the cases: one a room of the facade.
 *
 * Memory: one at a time; fault_cases_close() takes it back.
 */

#ifndef CAIRN_TESTS_FAULT_NET_H
#define CAIRN_TESTS_FAULT_NET_H

#include "fault_cases.h"

#define FAULT_VILLAGE "513332100201"

struct fault_net {
    struct machine root, office, server, station, peer; /* station and peer: of one village */
    struct machine guest;                               /* not joined yet */
    struct machine newcomer;                            /* nobody has said `init` there */
    char household[32];                                 /* by the station, known to the peer */
    char rich[32], group[32];                           /* of fault_rich() */
    struct block message;                               /* what a call takes in */
    struct block statement;                             /* of the root */
    struct cairn_serve *serve;
};
extern struct fault_net net;

struct cairn_bytes fault_bytes(struct block block);
/* `message` is this from now on; it is freed at the end. */
void fault_message_put(struct block message);

/* ---- what several cases need to have happened ---- */

/* The station and the peer wrote the household's income unseen, and have met. */
void fault_conflict(void);
/*
 * The station holds a household, `rich`, with every kind of field: a set, a counter, a reference,
 * an alias, flags; of one group with the first one; its income and its step are conflicts; an entry
 * on it has no effect, and one waits for a schema. The first household was written in two fields
 * side by side.
 */
void fault_rich(void);
enum cairn_status fault_step(struct machine *machine, const char *id, const char *move,
                             unsigned keep);

/* The root signed a second version of the schema; nobody else has it yet. */
void fault_publish(void);

/* ---- the rooms ---- */

extern const struct fault_group fault_devices, fault_reading, fault_records, fault_sync;
#define FAULT_GROUP(name, cases)                      \
    {                                                 \
        name, cases, sizeof(cases) / sizeof(cases)[0] \
    }

#endif
